/** Output of one connection that the socket did not take yet: a buffer with a head and a tail. Empty connections hold no buffer. */
const EMPTY = new Uint8Array(0);
const CAPACITY_START = 1024;

export class Outbox {
  buf: Uint8Array = EMPTY;
  head = 0;
  tail = 0;

  /** Bytes that wait. */
  get length(): number {
    return this.tail - this.head;
  }

  append(bytes: Uint8Array, at: number, length: number): void {
    if (this.tail + length > this.buf.length) this.#makeRoom(length);
    if (length <= 64) for (let i = 0; i < length; i++) this.buf[this.tail + i] = bytes[at + i];
    else this.buf.set(bytes.subarray(at, at + length), this.tail);
    this.tail += length;
  }

  /** Forgets `length` bytes at the head; lets the buffer go when nothing is left. */
  consume(length: number): void {
    this.head += length;
    if (this.head === this.tail) {
      this.head = this.tail = 0;
      this.buf = EMPTY;
    }
  }

  #makeRoom(length: number): void {
    const used = this.tail - this.head;
    if (used + length <= this.buf.length && this.head >= this.buf.length >> 1) {
      this.buf.copyWithin(0, this.head, this.tail);
    } else {
      const grown = new Uint8Array(Math.max(CAPACITY_START, (used + length) * 2));
      grown.set(this.buf.subarray(this.head, this.tail));
      this.buf = grown;
    }
    this.head = 0;
    this.tail = used;
  }
}
