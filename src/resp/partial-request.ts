/**
 * A command that comes in pieces. It copies only the bytes of that command, into a buffer that is sized for a long bulk as soon as its length is known (a
 * giant one grows with what comes), and resumes where it stopped: no byte is looked at twice.
 */
import {
  BAD_NUMBER,
  badCount,
  badLength,
  CR,
  countFault,
  DOLLAR,
  dollarFault,
  LF,
  LINE_MAX,
  lengthFault,
  lineFault,
  NEED_MORE,
  NO_LINE,
  numberRead,
  PROTOCOL_ERROR,
  type ProtocolFault,
  type ReadLimits,
  readInline,
  readNumber,
  STAR,
} from "./reader.ts";
import { Request } from "./request.ts";

/** A bulk of at least this length has its memory reserved as soon as its length is known. */
const LONG_BULK = 32 * 1024;
/** The buffer of a command with a bulk of at least this length is not used again: it may become the value. */
const DEDICATED_BULK = 1024 * 1024;
/** At most this much is reserved for a bulk before its bytes come: memory that is announced and not sent must cost next to nothing, zeroing included. */
const RESERVED_MAX = 1024 * 1024;
/** First size of the buffer of a command in pieces. */
const CAPACITY_START = 16 * 1024;
const NO_BYTES = new Uint8Array(0);

/**
 * A command that did not fit into the chunk it began in. Feed it until `done` or `faulty`; then it may be reset and used for the next one, and keeps its
 * buffer, unless `request.owned`: that buffer was made for one long argument, and whoever runs the command may keep it.
 *
 * Invariant: #pos <= filled <= capacity. buf[0, #pos) is read; a header line or a bulk starts at #pos.
 */
export class PartialRequest {
  readonly request = new Request();
  /** The whole command has arrived: `request` holds it. */
  done = false;
  faulty = false;
  /** Bytes held so far. */
  filled = 0;
  #buf: Uint8Array = NO_BYTES;
  /** Position of the next unread header or bulk. */
  #pos = 0;
  /** Arguments still to come; -1 before the count is known. */
  #missing = -1;
  /** Length of the bulk being filled, or -1 when a header comes next. */
  #bulk = -1;
  /** The header line's "\r" has arrived: one byte more and it is complete. */
  #sawCr = false;
  /** The line's end is behind a NUL: it is only waited for it to become too long. */
  #endless = false;

  /** Bytes of memory held. */
  get capacity(): number {
    return this.#buf.length;
  }

  /** Bytes held that are not read yet: of a long bulk alone those of it, as a buffer that holds nothing else counts them. */
  get unread(): number {
    return this.#bulk >= LONG_BULK ? this.filled - this.#pos : this.filled;
  }

  /** Bytes that the command under way is known to need at least. */
  get needed(): number {
    return this.#bulk < 0 ? this.filled : Math.max(this.filled, this.#pos + this.#bulk + 2);
  }

  /** Makes ready for the next command. */
  reset(): void {
    if (this.request.owned) this.#buf = NO_BYTES;
    this.request.clear();
    this.done = this.faulty = this.#sawCr = this.#endless = false;
    this.filled = this.#pos = 0;
    this.#missing = this.#bulk = -1;
  }

  /** Gives memory back down to `capacity` bytes, but keeps the bytes held. */
  shrink(capacity: number): void {
    const wanted = Math.max(capacity, this.filled);
    if (wanted >= this.#buf.length) return;
    const old = this.#buf;
    this.#buf = wanted === 0 ? NO_BYTES : new Uint8Array(wanted);
    this.#buf.set(old.subarray(0, this.filled));
  }

  /** Takes what belongs to this command from chunk[from, end). Returns the position after the bytes it took. */
  feed(chunk: Uint8Array, from: number, end: number, limits: ReadLimits, fault: ProtocolFault): number {
    let p = from;
    while (p < end && !this.done && !this.faulty) {
      p = this.#bulk < 0 ? this.#feedLine(chunk, p, end, limits, fault) : this.#feedBulk(chunk, p, end);
    }
    return p;
  }

  #feedBulk(chunk: Uint8Array, from: number, end: number): number {
    const bulkEnd = this.#pos + this.#bulk + 2;
    const p = this.#take(chunk, from, end, bulkEnd - this.filled);
    if (this.filled < bulkEnd) return p;
    this.request.push(this.#pos, this.#bulk);
    this.#pos = bulkEnd;
    this.#bulk = -1;
    if (--this.#missing === 0) this.#finish();
    return p;
  }

  #feedLine(chunk: Uint8Array, from: number, end: number, limits: ReadLimits, fault: ProtocolFault): number {
    const first = this.filled === this.#pos ? chunk[from] : this.#buf[this.#pos];
    if (this.#missing < 0 && first !== STAR) return this.#feedInline(chunk, from, end, fault);
    if (this.#endless) return this.#feedEndless(chunk, from, end, this.#lineName(), fault);
    let p = from;
    if (!this.#sawCr) {
      p = this.#takeLine(chunk, p, end, CR);
      this.#sawCr = this.#buf[this.filled - 1] === CR;
    }
    if (!this.#sawCr) {
      this.faulty = lineFault(this.filled - this.#pos, this.#lineName(), fault) === PROTOCOL_ERROR;
    } else if (p < end) {
      p = this.#take(chunk, p, end, 1);
      this.#sawCr = false;
      this.#readHeader(limits, fault);
    }
    return p;
  }

  #feedInline(chunk: Uint8Array, from: number, end: number, fault: ProtocolFault): number {
    if (this.#endless) return this.#feedEndless(chunk, from, end, "too big inline request", fault);
    const p = this.#takeLine(chunk, from, end, LF);
    const complete = this.#buf[this.filled - 1] === LF;
    if (complete || this.filled > LINE_MAX) {
      const after = readInline(this.#buf, 0, this.filled, this.request, fault);
      this.faulty = after === PROTOCOL_ERROR;
      this.done = after >= 0;
      this.#endless = complete && after === NEED_MORE;
    }
    return p;
  }

  #feedEndless(chunk: Uint8Array, from: number, end: number, text: string, fault: ProtocolFault): number {
    const p = this.#take(chunk, from, end, end - from);
    this.faulty = lineFault(this.filled - this.#pos, text, fault) === PROTOCOL_ERROR;
    return p;
  }

  /** Takes bytes up to and including the first `last`, or all. */
  #takeLine(chunk: Uint8Array, from: number, end: number, last: number): number {
    const at = chunk.indexOf(last, from);
    return this.#take(chunk, from, end, (at >= 0 && at < end ? at + 1 : end) - from);
  }

  #lineName(): string {
    return this.#missing < 0 ? "too big mbulk count string" : "too big bulk count string";
  }

  #finish(): void {
    this.request.buf = this.#buf;
    this.done = true;
  }

  /** Reads the line at #pos, whose "\r" is the last but one byte held, unless a NUL hides it. */
  #readHeader(limits: ReadLimits, fault: ProtocolFault): void {
    const buf = this.#buf;
    const end = this.filled;
    if (this.#missing >= 0 && buf[this.#pos] !== DOLLAR) {
      this.faulty = dollarFault(buf, this.#pos, end, fault) === PROTOCOL_ERROR;
      this.#endless = !this.faulty;
      return;
    }
    const n = readNumber(buf, this.#pos + 1, end);
    if (n === NO_LINE) {
      this.faulty = lineFault(end - this.#pos, this.#lineName(), fault) === PROTOCOL_ERROR;
      this.#endless = true;
      return;
    }
    if (this.#missing < 0) this.#startCommand(n, limits, fault);
    else if (n === BAD_NUMBER || badLength(n, limits)) this.faulty = lengthFault(n, limits, fault) === PROTOCOL_ERROR;
    else this.#startBulk(n);
    if (!this.faulty) this.#pos = numberRead.end;
  }

  #startCommand(count: number, limits: ReadLimits, fault: ProtocolFault): void {
    if (count === BAD_NUMBER || badCount(count, limits)) this.faulty = countFault(count, fault) === PROTOCOL_ERROR;
    else if (count <= 0) this.#finish();
    else this.#missing = count;
  }

  #startBulk(length: number): void {
    this.#bulk = length;
    if (length < LONG_BULK) return;
    this.request.owned = length >= DEDICATED_BULK;
    this.#reserve(numberRead.end + Math.min(length + 2, RESERVED_MAX));
  }

  #take(chunk: Uint8Array, from: number, end: number, wanted: number): number {
    const n = wanted < end - from ? wanted : end - from;
    const needed = this.filled + n;
    if (needed > this.#buf.length) {
      const known = this.#bulk < 0 ? 0 : this.#pos + this.#bulk + 2;
      const grown = Math.max(needed * 2, CAPACITY_START);
      this.#reserve(known >= needed ? Math.min(known, grown * 2) : grown);
    }
    this.#buf.set(chunk.subarray(from, from + n), this.filled);
    this.filled = needed;
    return from + n;
  }

  #reserve(capacity: number): void {
    if (capacity <= this.#buf.length) return;
    const grown = new Uint8Array(capacity);
    grown.set(this.#buf.subarray(0, this.filled));
    this.#buf = grown;
  }
}
