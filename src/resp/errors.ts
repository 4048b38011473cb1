/** Every error text that more than one command answers, with its code and without the leading "-". Texts are Redis' to the byte. */

/** A client's mistake: thrown in the parse and check phases of a handler, caught once in execute(). Not an Error: it needs no stack. */
export class ReplyError {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export const WRONG_TYPE = new ReplyError("WRONGTYPE Operation against a key holding the wrong kind of value");
export const SYNTAX = new ReplyError("ERR syntax error");
export const NOT_AN_INTEGER = new ReplyError("ERR value is not an integer or out of range");
export const NOT_A_FLOAT = new ReplyError("ERR value is not a valid float");
export const OVERFLOW = new ReplyError("ERR increment or decrement would overflow");
export const NAN_OR_INFINITY = new ReplyError("ERR increment would produce NaN or Infinity");
export const NO_SUCH_KEY = new ReplyError("ERR no such key");
export const OUT_OF_RANGE = new ReplyError("ERR index out of range");
export const STRING_TOO_LONG = new ReplyError("ERR string exceeds maximum allowed size (proto-max-bulk-len)");
export const NOT_POSITIVE = new ReplyError("ERR value is out of range, must be positive");
export const TIMEOUT_NEGATIVE = new ReplyError("ERR timeout is negative");
export const TIMEOUT_NOT_AN_INTEGER = new ReplyError("ERR timeout is not an integer or out of range");
export const TIMEOUT_NOT_A_FLOAT = new ReplyError("ERR timeout is not a float or out of range");
export const TIMEOUT_OUT_OF_RANGE = new ReplyError("ERR timeout is out of range");
export const DB_OUT_OF_RANGE = new ReplyError("ERR DB index is out of range");
export const SAME_OBJECT = new ReplyError("ERR source and destination objects are the same");
export const BUSY_KEY = new ReplyError("BUSYKEY Target key name already exists.");
export const INVALID_CURSOR = new ReplyError("ERR invalid cursor");

/** `ERR wrong number of arguments for 'name' command`. */
export function wrongArity(fullName: string): ReplyError {
  return new ReplyError(`ERR wrong number of arguments for '${fullName}' command`);
}

/** `NOSUB 'name' command executed not in subscribed mode`. */
export function notSubscribed(fullName: string): ReplyError {
  return new ReplyError(`NOSUB '${fullName}' command executed not in subscribed mode`);
}

/** `ERR invalid expire time in 'name' command`. */
export function invalidExpire(fullName: string): ReplyError {
  return new ReplyError(`ERR invalid expire time in '${fullName}' command`);
}
