/**
 * Reads requests: RESP arrays of bulk strings, and inline commands (https://redis.io/docs/latest/develop/reference/protocol-spec).
 *
 * A command that lies whole in a chunk is marked in place: readRequest fills a Request with offsets over the chunk. One that does not is
 * taken over by a PartialRequest, which copies only the bytes of that command, into a buffer that is allocated once for a long bulk as soon
 * as its length is known, and resumes where it stopped: no byte is looked at twice.
 *
 * As in Redis, the two bytes after a bulk are skipped unread, and a count of zero or less is an empty command.
 */
import { Request } from "./request.ts";

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
const LONG_BULK = 32 * 1024;

/** Results of readRequest that are not the position after the command. */
export const NEED_MORE = -1;
export const PROTOCOL_ERROR = -2;

/** Text of the last PROTOCOL_ERROR, without the "Protocol error: " prefix. */
export class ProtocolFault {
  text = "";
}

const CR = 13;
const LF = 10;
const DOLLAR = 36;
const STAR = 42;
const BAD_NUMBER = -0x80000001;
const NO_LINE = -0x80000002;

/** Position of the first `byte` in buf[from, end), or -1. */
function indexOfByte(buf: Uint8Array, byte: number, from: number, end: number): number {
  for (let i = from; i < end; i++) if (buf[i] === byte) return i;
  return -1;
}

/** End of the number that the last readNumber read: the position after its line. */
let numberEnd = 0;

/** Reads the decimal number of a header line from `from`; NO_LINE when its "\r" and one byte more are not there yet, BAD_NUMBER for junk. */
function readNumber(buf: Uint8Array, from: number, end: number): number {
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
    if (p - first > 15) break;
  }
  if (p < end && buf[p] === CR && p > first && (buf[first] !== 48 || (p - first === 1 && !negative))) {
    if (p + 1 >= end) return NO_LINE;
    if (buf[p + 1] !== LF) return BAD_NUMBER;
    numberEnd = p + 2;
    return negative ? -n : n;
  }
  const cr = indexOfByte(buf, CR, p, end);
  if (cr < 0 || cr + 1 >= end) return NO_LINE;
  return BAD_NUMBER;
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
    if (count === BAD_NUMBER || badCount(count, limits, fault)) return countFault(count, fault);
    p = numberEnd;
  }
  let start = out.start;
  let lengths = out.length;
  const bulkMax = limits.authenticated ? limits.bulkMax : UNAUTHENTICATED_BULK_MAX;
  for (let i = 0; i < count; i++) {
    if (p + 5 >= end) return p < end && buf[p] !== DOLLAR ? dollarFault(buf[p], fault) : readTail(buf, p, end, limits, fault);
    if (buf[p] !== DOLLAR) return dollarFault(buf[p], fault);
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
        at = numberEnd;
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
  const length = readNumber(buf, p + 1, end);
  if (length === NO_LINE) return NEED_MORE;
  if (length === BAD_NUMBER || badLength(length, limits, fault)) return lengthFault(length, limits, fault);
  return NEED_MORE;
}

function badCount(count: number, limits: ReadLimits, fault: ProtocolFault): boolean {
  fault.text = "";
  if (count > COUNT_MAX) return true;
  if (count > UNAUTHENTICATED_COUNT_MAX && !limits.authenticated) {
    fault.text = "unauthenticated multibulk length";
    return true;
  }
  return false;
}

function countFault(_count: number, fault: ProtocolFault): number {
  if (fault.text === "") fault.text = "invalid multibulk length";
  return PROTOCOL_ERROR;
}

function badLength(length: number, limits: ReadLimits, fault: ProtocolFault): boolean {
  fault.text = "";
  if (length < 0 || length > limits.bulkMax) return true;
  if (length > UNAUTHENTICATED_BULK_MAX && !limits.authenticated) {
    fault.text = "unauthenticated bulk length";
    return true;
  }
  return false;
}

function lengthFault(length: number, limits: ReadLimits, fault: ProtocolFault): number {
  badLength(length, limits, fault);
  if (fault.text === "") fault.text = "invalid bulk length";
  return PROTOCOL_ERROR;
}

function lineFault(buffered: number, text: string, fault: ProtocolFault): number {
  if (buffered <= LINE_MAX) return NEED_MORE;
  fault.text = text;
  return PROTOCOL_ERROR;
}

function dollarFault(got: number, fault: ProtocolFault): number {
  fault.text = `expected '$', got '${String.fromCharCode(got)}'`;
  return PROTOCOL_ERROR;
}

function readInline(buf: Uint8Array, pos: number, end: number, out: Request, fault: ProtocolFault): number {
  const lf = indexOfByte(buf, LF, pos, end);
  if (lf < 0) return lineFault(end - pos, "too big inline request", fault);
  const lineEnd = lf > pos && buf[lf - 1] === CR ? lf - 1 : lf;
  if (!splitInline(buf, pos, lineEnd, out)) {
    fault.text = "unbalanced quotes in request";
    return PROTOCOL_ERROR;
  }
  return lf + 1;
}

function isSpace(c: number): boolean {
  return c === 32 || (c >= 9 && c <= 13) || c === 0;
}

function hexValue(c: number): number {
  if (c >= 48 && c <= 57) return c - 48;
  const lower = c | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

const ESCAPES: Record<number, number> = { 110: 10, 114: 13, 116: 9, 98: 8, 97: 7 };

/** Splits a line into arguments with redis-cli's quoting rules; their bytes go to a buffer of the request's own. False for unbalanced quotes. */
export function splitInline(buf: Uint8Array, from: number, end: number, out: Request): boolean {
  const bytes = new Uint8Array(end - from);
  out.buf = bytes;
  let at = 0;
  let p = from;
  for (;;) {
    while (p < end && isSpace(buf[p])) p++;
    if (p >= end) return true;
    const start = at;
    let quote = 0;
    for (;;) {
      if (quote !== 0) {
        if (p >= end) return false;
        const c = buf[p];
        if (
          quote === 34 &&
          c === 92 &&
          p + 3 < end &&
          buf[p + 1] === 120 &&
          hexValue(buf[p + 2]) >= 0 &&
          hexValue(buf[p + 3]) >= 0
        ) {
          bytes[at++] = hexValue(buf[p + 2]) * 16 + hexValue(buf[p + 3]);
          p += 4;
        } else if (quote === 34 && c === 92 && p + 1 < end) {
          bytes[at++] = ESCAPES[buf[p + 1]] ?? buf[p + 1];
          p += 2;
        } else if (quote === 39 && c === 92 && p + 1 < end && buf[p + 1] === 39) {
          bytes[at++] = 39;
          p += 2;
        } else if (c === quote) {
          // A closing quote must be followed by a space or the end.
          if (p + 1 < end && !isSpace(buf[p + 1])) return false;
          p++;
          break;
        } else {
          bytes[at++] = c;
          p++;
        }
      } else {
        if (p >= end || isSpace(buf[p])) break;
        const c = buf[p++];
        if (c === 34 || c === 39) quote = c;
        else bytes[at++] = c;
      }
    }
    out.push(start, at - start);
  }
}

/** A command that did not fit into the chunk it began in. Feed it until `done` or `faulty`. */
export class PartialRequest {
  readonly request = new Request();
  /** The whole command has arrived: `request` holds it. */
  done = false;
  faulty = false;
  #buf: Uint8Array;
  #filled = 0;
  /** Position of the next unread header. */
  #pos = 0;
  /** Arguments still to come; -1 before the count is known. */
  #missing = -1;
  /** Length of the bulk being filled, or -1 when a header comes next. */
  #bulk = -1;

  constructor() {
    this.#buf = new Uint8Array(0);
    this.request.owned = true;
  }

  /** Bytes held so far. */
  get filled(): number {
    return this.#filled;
  }

  /** Bytes of memory held. */
  get capacity(): number {
    return this.#buf.length;
  }

  /** Takes what belongs to this command from chunk[from, end). Returns the position after the bytes it took. */
  feed(chunk: Uint8Array, from: number, end: number, limits: ReadLimits, fault: ProtocolFault): number {
    let p = from;
    while (p < end && !this.done && !this.faulty) {
      if (this.#bulk >= 0) {
        p = this.#take(chunk, p, end, this.#pos + this.#bulk + 2 - this.#filled);
        if (this.#filled < this.#pos + this.#bulk + 2) return p;
        this.request.push(this.#pos, this.#bulk);
        this.#pos += this.#bulk + 2;
        this.#bulk = -1;
        if (--this.#missing === 0) this.#finish();
        continue;
      }
      const lf = indexOfByte(chunk, LF, p, end);
      p = this.#take(chunk, p, end, (lf < 0 ? end : lf + 1) - p);
      this.#readHeader(limits, fault);
    }
    return p;
  }

  #finish(): void {
    this.request.buf = this.#buf;
    this.done = true;
  }

  #readHeader(limits: ReadLimits, fault: ProtocolFault): void {
    const buf = this.#buf;
    const end = this.#filled;
    if (this.#missing < 0 && buf[0] !== STAR) {
      const after = readInline(buf, 0, end, this.request, fault);
      if (after === PROTOCOL_ERROR) this.faulty = true;
      this.done = after >= 0;
      return;
    }
    const n = this.#missing < 0 || buf[this.#pos] === DOLLAR ? readNumber(buf, this.#pos + 1, end) : BAD_NUMBER;
    if (n === NO_LINE) {
      const text = this.#missing < 0 ? "too big mbulk count string" : "too big bulk count string";
      this.faulty = lineFault(end - this.#pos, text, fault) === PROTOCOL_ERROR;
      return;
    }
    if (this.#missing < 0) {
      if (n === BAD_NUMBER || badCount(n, limits, fault)) this.faulty = countFault(n, fault) === PROTOCOL_ERROR;
      else if (n <= 0) this.#finish();
      else this.#missing = n;
    } else if (buf[this.#pos] !== DOLLAR) {
      this.faulty = dollarFault(buf[this.#pos], fault) === PROTOCOL_ERROR;
    } else if (n === BAD_NUMBER || badLength(n, limits, fault)) {
      this.faulty = lengthFault(n, limits, fault) === PROTOCOL_ERROR;
    } else {
      this.#bulk = n;
      if (n >= LONG_BULK) this.#ensure(numberEnd + n + 2, true);
    }
    if (!this.faulty) this.#pos = numberEnd;
  }

  #take(chunk: Uint8Array, from: number, end: number, wanted: number): number {
    const n = wanted < end - from ? wanted : end - from;
    this.#ensure(this.#filled + n, false);
    this.#buf.set(chunk.subarray(from, from + n), this.#filled);
    this.#filled += n;
    return from + n;
  }

  #ensure(capacity: number, exact: boolean): void {
    if (capacity <= this.#buf.length) return;
    const grown = new Uint8Array(exact ? capacity : Math.max(capacity * 2, 256));
    grown.set(this.#buf.subarray(0, this.#filled));
    this.#buf = grown;
  }
}
