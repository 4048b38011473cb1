/**
 * One command as it came over the wire: its arguments as (start, length) pairs over one buffer. Argument 0 is the name.
 * A request is reused for command after command; whoever wants to keep one takes an owned copy.
 */

const ARGUMENTS_START = 64;
/** A request that grew beyond this is cut back when it is cleared. */
const ARGUMENTS_KEEP = 64 * 1024;

/** Requests of a chunk of input that are read ahead at a time. */
export const LOOK_AHEAD = 32;

export class Request {
  buf: Uint8Array = new Uint8Array(0);
  start = new Int32Array(ARGUMENTS_START);
  length = new Int32Array(ARGUMENTS_START);
  count = 0;
  /** True when `buf` belongs to this command alone, so that a large argument may be adopted without copying it. */
  owned = false;

  /** Appends an argument. */
  push(start: number, length: number): void {
    if (this.count === this.start.length) this.grow();
    this.start[this.count] = start;
    this.length[this.count] = length;
    this.count++;
  }

  /** Forgets the arguments. */
  clear(): void {
    this.count = 0;
    this.owned = false;
    if (this.start.length > ARGUMENTS_KEEP) {
      this.start = new Int32Array(ARGUMENTS_START);
      this.length = new Int32Array(ARGUMENTS_START);
    }
  }

  /** Sum of the argument lengths in bytes. */
  byteLength(): number {
    let sum = 0;
    for (let i = 0; i < this.count; i++) sum += this.length[i];
    return sum;
  }

  /** A copy whose bytes and positions are its own: for MULTI queues, blocked commands and logs. */
  clone(): Request {
    const copy = new Request();
    const size = this.byteLength();
    copy.buf = new Uint8Array(size);
    copy.start = new Int32Array(this.count);
    copy.length = this.length.slice(0, this.count);
    copy.count = this.count;
    copy.owned = true;
    for (let i = 0, at = 0; i < this.count; i++) {
      copy.buf.set(this.buf.subarray(this.start[i], this.start[i] + this.length[i]), at);
      copy.start[i] = at;
      at += this.length[i];
    }
    return copy;
  }

  /** A request from byte strings. */
  static of(args: readonly Uint8Array[]): Request {
    const request = new Request();
    let size = 0;
    for (const arg of args) size += arg.length;
    request.buf = new Uint8Array(size);
    request.owned = true;
    let at = 0;
    for (const arg of args) {
      request.buf.set(arg, at);
      request.push(at, arg.length);
      at += arg.length;
    }
    return request;
  }

  /** Makes room for twice as many arguments. */
  grow(): void {
    const start = new Int32Array(this.start.length * 2);
    const length = new Int32Array(this.start.length * 2);
    start.set(this.start);
    length.set(this.length);
    this.start = start;
    this.length = length;
  }
}
