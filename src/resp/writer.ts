/**
 * Writes RESP2 and RESP3 replies into one growing buffer. The caller sets `resp3` to the protocol of the client whose reply
 * this is; each method writes the right form. Nothing here allocates, except when the buffer grows.
 */
import { copyBytes } from "../base/bytes.ts";
import { integerLength, writeInt64, writeInt64Halves, writeInteger } from "../base/int64.ts";

const CR = 13;
const LF = 10;
const CAPACITY_START = 64 * 1024;
/** A buffer that grew beyond this for one reply is let go afterwards. */
const CAPACITY_KEEP = 1024 * 1024;
/** Bulk strings up to this length are written byte by byte. At most 68: the division by 10 below is right up to there. */
const SHORT_BULK = 40;
/** No buffer can be longer. */
const LIMIT_MAX = 2 ** 32 - 2 ** 20;

export class ReplyWriter {
  buf: Uint8Array;
  pos = 0;
  resp3 = false;
  /** Error replies written since the caller last looked, and the text of the last one without "-" and line end. */
  errors = 0;
  lastError = "";
  /** A reply longer than this is not wanted: it is thrown away while it is written, and `overflowed` says so. Long loops may look at that and stop. */
  limit = LIMIT_MAX;
  overflowed = false;
  /** Holds a reply of which the length was not known at its beginning: Redis buffers such replies in another way, which limits feel. */
  deferred = false;

  constructor(capacity = CAPACITY_START) {
    this.buf = new Uint8Array(capacity);
  }

  /** Forgets what was written; a buffer that a giant reply made large is replaced. */
  clear(): void {
    this.pos = 0;
    this.overflowed = false;
    this.deferred = false;
    if (this.buf.length > CAPACITY_KEEP) this.buf = new Uint8Array(CAPACITY_START);
  }

  /** Gives the buffer away if it is one that clear(), which must follow, lets go of anyway; null if not. */
  surrender(): Uint8Array | null {
    return this.buf.length > CAPACITY_KEEP ? this.buf : null;
  }

  /** Makes room for `length` more bytes. */
  reserve(length: number): void {
    if (this.pos + length > this.buf.length) this.#grow(this.pos + length);
  }

  #grow(least: number): void {
    if (least > this.limit && this.pos > 0) {
      this.overflowed = true;
      const length = least - this.pos;
      this.pos = 0;
      this.reserve(length);
      return;
    }
    let capacity = this.buf.length * 2;
    if (capacity < least) capacity = Math.floor(least * 1.125);
    if (capacity > LIMIT_MAX) capacity = LIMIT_MAX;
    const grown = new Uint8Array(capacity);
    grown.set(this.buf.subarray(0, this.pos));
    this.buf = grown;
  }

  ok(): void {
    this.reserve(5);
    const b = this.buf;
    const p = this.pos;
    b[p] = 43;
    b[p + 1] = 79;
    b[p + 2] = 75;
    b[p + 3] = CR;
    b[p + 4] = LF;
    this.pos = p + 5;
  }

  /** `:n`. `n` is a safe integer. */
  integer(n: number): void {
    this.header(58, n);
  }

  /** `:n` of an int64 given as two's-complement halves. */
  int64(low: number, high: number): void {
    this.reserve(24);
    this.buf[this.pos] = 58;
    this.#end(writeInt64Halves(this.buf, this.pos + 1, low, high));
  }

  /** `:n` of an int64. */
  bigInteger(n: bigint): void {
    this.reserve(24);
    this.buf[this.pos] = 58;
    this.#end(writeInt64(this.buf, this.pos + 1, n));
  }

  /** A bulk string of `length` bytes at `offset` of `bytes`. */
  bulk(bytes: Uint8Array, offset: number, length: number): void {
    if (length > SHORT_BULK) {
      this.reserve(length + 32);
      this.header(36, length);
      copyBytes(bytes, offset, this.buf, this.pos, length);
      this.#end(this.pos + length);
      return;
    }
    this.reserve(SHORT_BULK + 8);
    const b = this.buf;
    let p = this.pos;
    b[p++] = 36;
    const tens = (length * 205) >>> 11;
    if (tens !== 0) b[p++] = 48 + tens;
    b[p] = 48 + length - tens * 10;
    b[p + 1] = CR;
    b[p + 2] = LF;
    p += 3;
    for (let i = 0; i < length; i++) b[p + i] = bytes[offset + i];
    p += length;
    b[p] = CR;
    b[p + 1] = LF;
    this.pos = p + 2;
  }

  /** A bulk string that is the decimal form of an int64 given as halves. */
  bulkInt64(low: number, high: number): void {
    this.reserve(40);
    if (high === low >> 31) {
      this.header(36, integerLength(low));
      this.#end(writeInteger(this.buf, this.pos, low));
      return;
    }
    const end = writeInt64Halves(this.buf, this.pos + 5, low, high);
    const length = end - this.pos - 5;
    const from = this.pos + 5;
    this.header(36, length);
    this.buf.copyWithin(this.pos, from, from + length);
    this.#end(this.pos + length);
  }

  /** A bulk string of a latin1 string (one byte a character). */
  bulkText(text: string): void {
    this.reserve(text.length + 16);
    this.header(36, text.length);
    this.raw(text);
    this.#end(this.pos);
  }

  /** A command as a client sends it: an array of bulk strings, given as bytes or latin1 text. */
  command(parts: readonly (Uint8Array | string)[]): void {
    this.array(parts.length);
    for (const part of parts) {
      if (typeof part === "string") this.bulkText(part);
      else this.bulk(part, 0, part.length);
    }
  }

  /** A status, `+text`. The text has no line ends. */
  status(text: string): void {
    this.raw(`+${text}\r\n`);
  }

  /** An error: the text with its code and without the leading "-". Line ends in it become spaces, as Redis does. */
  error(text: string): void {
    const clean = /[\r\n]/.test(text) ? text.replace(/[\r\n]/g, " ") : text;
    this.errors++;
    this.lastError = clean;
    this.raw(`-${clean}\r\n`);
  }

  /** The nil of the protocol: `$-1` or `_`. */
  nil(): void {
    this.raw(this.resp3 ? "_\r\n" : "$-1\r\n");
  }

  /** The nil array: `*-1` or `_`. */
  nilArray(): void {
    this.raw(this.resp3 ? "_\r\n" : "*-1\r\n");
  }

  /** Header of an array of `count` replies. */
  array(count: number): void {
    this.header(42, count);
  }

  /** Header of a map of `pairs` pairs: RESP2 gets a flat array. */
  map(pairs: number): void {
    if (this.resp3) this.header(37, pairs);
    else this.header(42, pairs * 2);
  }

  /** Header of a set: RESP2 gets an array. */
  set(count: number): void {
    this.header(this.resp3 ? 126 : 42, count);
  }

  /** Header of a push: RESP2 gets an array. */
  push(count: number): void {
    this.header(this.resp3 ? 62 : 42, count);
  }

  /** Header of an attribute of `pairs` pairs. RESP3 only: the caller leaves attributes out for RESP2. */
  attribute(pairs: number): void {
    this.header(124, pairs);
  }

  /** `,n` or a bulk string; `text` is the double as Redis prints it. */
  double(text: string): void {
    if (this.resp3) this.raw(`,${text}\r\n`);
    else this.bulkText(text);
  }

  /** `#t`/`#f`, or 1/0. */
  boolean(value: boolean): void {
    if (this.resp3) this.raw(value ? "#t\r\n" : "#f\r\n");
    else this.integer(value ? 1 : 0);
  }

  /** `(digits`, or a bulk string. */
  bigNumber(digits: string): void {
    if (this.resp3) this.raw(`(${digits}\r\n`);
    else this.bulkText(digits);
  }

  /** `=n txt:...`, or a bulk string; `format` is three letters, the text latin1. */
  verbatim(text: string, format = "txt"): void {
    if (this.resp3) this.raw(`=${text.length + 4}\r\n${format}:${text}\r\n`);
    else this.bulkText(text);
  }

  /** An array whose count is not known yet: write the elements, then call endDeferred with the value returned here. */
  beginDeferred(): number {
    this.deferred = true;
    return this.pos;
  }

  /** Inserts the array (or other aggregate) header that beginDeferred left out. */
  endDeferred(start: number, count: number, kind: "array" | "map" | "set" | "push" = "array"): void {
    const size = this.pos - start;
    const prefixes = this.resp3
      ? { array: 42, map: 37, set: 126, push: 62 }
      : { array: 42, map: 42, set: 42, push: 42 };
    const n = kind === "map" && !this.resp3 ? count * 2 : count;
    const length = 3 + integerLength(n);
    this.reserve(length);
    this.buf.copyWithin(start + length, start, start + size);
    this.pos = start;
    this.header(prefixes[kind], n);
    this.pos = start + length + size;
  }

  /** Bytes of a latin1 string as they are: for ready-made protocol text. */
  raw(text: string): void {
    const length = text.length;
    this.reserve(length);
    const b = this.buf;
    const p = this.pos;
    for (let i = 0; i < length; i++) b[p + i] = text.charCodeAt(i);
    this.pos = p + length;
  }

  /** Ready-made protocol bytes. */
  rawBytes(bytes: Uint8Array, offset: number, length: number): void {
    this.reserve(length);
    copyBytes(bytes, offset, this.buf, this.pos, length);
    this.pos += length;
  }

  /** Type byte, decimal number, line end. */
  header(type: number, n: number): void {
    this.reserve(24);
    const b = this.buf;
    const p = this.pos;
    b[p] = type;
    if (n >= 0 && n < 10) {
      b[p + 1] = 48 + n;
      b[p + 2] = CR;
      b[p + 3] = LF;
      this.pos = p + 4;
    } else {
      this.#end(writeInteger(b, p + 1, n));
    }
  }

  #end(p: number): void {
    this.buf[p] = CR;
    this.buf[p + 1] = LF;
    this.pos = p + 2;
  }
}
