/**
 * Reads requests: RESP arrays of bulk strings, and inline commands (https://redis.io/docs/latest/develop/reference/protocol-spec).
 *
 * A command that lies whole in a chunk is marked in place: readRequest fills a Request with offsets over the chunk. One that does not is
 * taken over by a PartialRequest (partial-request.ts).
 *
 * As in Redis, the two bytes after a bulk and the one after a header's "\r" are skipped unread, a count of zero or less is an empty command, and a NUL
 * in a line hides the line's end: such a line is refused when it has grown too long.
 */
import { splitInline } from "./inline.ts";
import type { Request } from "./request.ts";

/** What may be read before a connection has proved who it is, and the largest bulk. One object a connection class, changed by settings. */
export interface ReadLimits {
  /** Largest argument in bytes (proto-max-bulk-len). */
  bulkMax: number;
  /** False while the client must authenticate first: then commands have at most 10 arguments of at most 16,384 bytes. */
  authenticated: boolean;
}

/** Longest line: an inline command, or a count with its type byte. */
export const LINE_MAX = 64 * 1024;
const COUNT_MAX = 0x7fffffff;
const UNAUTHENTICATED_COUNT_MAX = 10;
const UNAUTHENTICATED_BULK_MAX = 16384;

/** Results of readRequest that are not the position after the command. */
export const NEED_MORE = -1;
export const PROTOCOL_ERROR = -2;

/** Text of the last PROTOCOL_ERROR, without the "Protocol error: " prefix. */
export class ProtocolFault {
  text = "";
}

export const CR = 13;
export const LF = 10;
export const DOLLAR = 36;
export const STAR = 42;
export const BAD_NUMBER = -0x80000001;
export const NO_LINE = -0x80000002;
const NUMBER_DIGITS_MAX = 20;
/** Beyond int64, with room for the rounding of a sum of digits. */
const INT64_LIMIT = 2 ** 63 + 2 ** 13;

/** Position of the first `byte` in buf[from, end); -1 when there is none. A NUL hides what follows it, as in Redis: -1 too. */
function indexOfEnd(buf: Uint8Array, byte: number, from: number, end: number): number {
  for (let i = from; i < end; i++) {
    if (buf[i] === byte) return i;
    if (buf[i] === 0) return -1;
  }
  return -1;
}

/** The number that the last readNumber read: `end` is the position after its line. */
export const numberRead = { end: 0 };

/**
 * Reads the decimal number of a header line from `from`; NO_LINE when its "\r" and one byte more are not there yet, BAD_NUMBER for junk. The byte after the
 * "\r" is skipped unread.
 */
export function readNumber(buf: Uint8Array, from: number, end: number): number {
  let p = from;
  let negative = false;
  if (p < end && buf[p] === 45) {
    negative = true;
    p++;
  }
  let n = 0;
  const first = p;
  for (; p < end; p++) {
    const c = buf[p] - 48;
    if (c < 0 || c > 9) break;
    n = n * 10 + c;
    if (p - first > NUMBER_DIGITS_MAX) break;
  }
  if (p < end && buf[p] === CR && p > first && (buf[first] !== 48 || (p - first === 1 && !negative))) {
    if (p + 1 >= end) return NO_LINE;
    numberRead.end = p + 2;
    if (n > INT64_LIMIT) return BAD_NUMBER;
    return negative ? -Math.min(n, COUNT_MAX) : n;
  }
  const cr = indexOfEnd(buf, CR, p, end);
  return cr < 0 || cr + 1 >= end ? NO_LINE : BAD_NUMBER;
}

/**
 * Marks the command that starts at buf[pos] in `out`. Returns the position after it (out.count is 0 for an empty command), NEED_MORE when it does
 * not end before `end` (out is then meaningless), or PROTOCOL_ERROR with its text in `fault`.
 */
export function readRequest(
  buf: Uint8Array,
  pos: number,
  end: number,
  out: Request,
  limits: ReadLimits,
  fault: ProtocolFault,
): number {
  out.clear();
  out.buf = buf;
  if (buf[pos] !== STAR) return readInline(buf, pos, end, out, fault);
  let count = buf[pos + 1] - 48;
  let p = pos + 4;
  // Nearly every count and most lengths have one or two digits: those are read here, the rest and all mistakes by readNumber.
  if (p > end || count <= 0 || count > 9 || buf[pos + 2] !== CR || buf[pos + 3] !== LF) {
    count = readNumber(buf, pos + 1, end);
    if (count === NO_LINE) return lineFault(end - pos, "too big mbulk count string", fault);
    if (count === BAD_NUMBER || badCount(count, limits)) return countFault(count, fault);
    p = numberRead.end;
  }
  let start = out.start;
  let lengths = out.length;
  const bulkMax = limits.authenticated ? limits.bulkMax : UNAUTHENTICATED_BULK_MAX;
  for (let i = 0; i < count; i++) {
    if (p + 5 >= end) return readTail(buf, p, end, limits, fault);
    if (buf[p] !== DOLLAR) return dollarFault(buf, p, end, fault);
    let length = buf[p + 1] - 48;
    let at = p + 4;
    if (length < 0 || length > 9 || buf[p + 2] !== CR || buf[p + 3] !== LF) {
      const units = buf[p + 2] - 48;
      if (length > 0 && length <= 9 && units >= 0 && units <= 9 && buf[p + 3] === CR && buf[p + 4] === LF) {
        length = length * 10 + units;
        at = p + 5;
      } else {
        length = readNumber(buf, p + 1, end);
        if (length === NO_LINE) return lineFault(end - p, "too big bulk count string", fault);
        if (length === BAD_NUMBER || length < 0 || length > bulkMax) return lengthFault(length, limits, fault);
        at = numberRead.end;
      }
    }
    p = at + length + 2;
    if (p > end) return NEED_MORE;
    if (i === start.length) {
      out.count = i;
      out.grow();
      start = out.start;
      lengths = out.length;
    }
    start[i] = at;
    lengths[i] = length;
  }
  out.count = count < 0 ? 0 : count;
  return p;
}

/** Tells an incomplete header at the end of the chunk from a wrong one. */
function readTail(buf: Uint8Array, p: number, end: number, limits: ReadLimits, fault: ProtocolFault): number {
  if (p >= end) return NEED_MORE;
  if (buf[p] !== DOLLAR) return dollarFault(buf, p, end, fault);
  const length = readNumber(buf, p + 1, end);
  if (length === NO_LINE) return NEED_MORE;
  if (length === BAD_NUMBER || badLength(length, limits)) return lengthFault(length, limits, fault);
  return NEED_MORE;
}

/** Is a count of arguments refused? */
export function badCount(count: number, limits: ReadLimits): boolean {
  return count > COUNT_MAX || (count > UNAUTHENTICATED_COUNT_MAX && !limits.authenticated);
}

/** Says why a count is refused. */
export function countFault(count: number, fault: ProtocolFault): number {
  const guest = count !== BAD_NUMBER && count <= COUNT_MAX;
  fault.text = guest ? "unauthenticated multibulk length" : "invalid multibulk length";
  return PROTOCOL_ERROR;
}

/** Is the length of an argument refused? */
export function badLength(length: number, limits: ReadLimits): boolean {
  return length < 0 || length > limits.bulkMax || (length > UNAUTHENTICATED_BULK_MAX && !limits.authenticated);
}

/** Says why a length is refused. */
export function lengthFault(length: number, limits: ReadLimits, fault: ProtocolFault): number {
  const guest = length >= 0 && length <= limits.bulkMax;
  fault.text = guest ? "unauthenticated bulk length" : "invalid bulk length";
  return PROTOCOL_ERROR;
}

/** A line of which `buffered` bytes have come, without its end: refused when that is too long, else waited for. */
export function lineFault(buffered: number, text: string, fault: ProtocolFault): number {
  if (buffered <= LINE_MAX) return NEED_MORE;
  fault.text = text;
  return PROTOCOL_ERROR;
}

/** A header that does not begin with "$" is told to the client when its line is complete. */
export function dollarFault(buf: Uint8Array, p: number, end: number, fault: ProtocolFault): number {
  const cr = indexOfEnd(buf, CR, p, end);
  if (cr < 0 || cr + 1 >= end) return lineFault(end - p, "too big bulk count string", fault);
  fault.text = `expected '$', got '${String.fromCharCode(buf[p])}'`;
  return PROTOCOL_ERROR;
}

/** Reads an inline command that starts at buf[pos]: as readRequest does. */
export function readInline(buf: Uint8Array, pos: number, end: number, out: Request, fault: ProtocolFault): number {
  const lf = indexOfEnd(buf, LF, pos, end);
  if (lf < 0) return lineFault(end - pos, "too big inline request", fault);
  const lineEnd = lf > pos && buf[lf - 1] === CR ? lf - 1 : lf;
  if (!splitInline(buf, pos, lineEnd, out)) {
    fault.text = "unbalanced quotes in request";
    return PROTOCOL_ERROR;
  }
  return lf + 1;
}
