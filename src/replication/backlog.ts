/**
 * The last bytes of the replication stream, kept for replicas that come back: a ring. Bytes of the stream are numbered from 1, as PSYNC numbers them.
 *
 *   #ring[0, #at) newer, #ring[#at, capacity) older, once it is full
 *
 * Invariant: the ring holds the bytes first .. end, `length` of them; length <= capacity.
 */
import { copyBytes } from "../base/bytes.ts";

/** A backlog is never smaller, in bytes. */
export const BACKLOG_BYTES_MIN = 16 * 1024;
/** A ring is one typed array. */
const BACKLOG_BYTES_MAX = 2 ** 32 - 2 ** 20;

/** Takes `length` bytes at `at` of `bytes`, which are valid only during the call. */
export type ByteConsumer = (bytes: Uint8Array, at: number, length: number) => void;

/** Bytes that a backlog of a wanted size has. */
function ringBytes(wanted: number): number {
  return Math.min(Math.max(wanted, BACKLOG_BYTES_MIN), BACKLOG_BYTES_MAX);
}

export class Backlog {
  /** Number of the last byte; what the stream's offset was when the backlog was made, at first. */
  end: number;
  /** Bytes held. */
  length = 0;
  #ring: Uint8Array;
  #at = 0;

  /** `capacity` in bytes; `offset` is the number of bytes that the stream has had so far. */
  constructor(capacity: number, offset: number) {
    this.#ring = new Uint8Array(ringBytes(capacity));
    this.end = offset;
  }

  get capacity(): number {
    return this.#ring.length;
  }

  /** Number of the first byte held. */
  get first(): number {
    return this.end - this.length + 1;
  }

  /** Can the stream go on from byte `from` out of this backlog? */
  reaches(from: number): boolean {
    return from >= this.first && from <= this.end + 1;
  }

  /** Adds bytes at the end of the stream. */
  append(bytes: Uint8Array, offset: number, length: number): void {
    const ring = this.#ring;
    this.end += length;
    this.length = Math.min(this.length + length, ring.length);
    // Of more than a ring only the end is kept.
    let from = length > ring.length ? offset + length - ring.length : offset;
    const limit = offset + length;
    while (from < limit) {
      const fits = Math.min(limit - from, ring.length - this.#at);
      copyBytes(bytes, from, ring, this.#at, fits);
      from += fits;
      this.#at += fits;
      if (this.#at === ring.length) this.#at = 0;
    }
  }

  /** Hands out the bytes from number `from` to the end, in order. Only when reaches(from). */
  read(from: number, consume: ByteConsumer): void {
    const ring = this.#ring;
    let left = this.end + 1 - from;
    let at = this.#at - left;
    if (at < 0) at += ring.length;
    while (left > 0) {
      const fits = Math.min(left, ring.length - at);
      consume(ring, at, fits);
      left -= fits;
      at = 0;
    }
  }

  /** What the backlog holds follows so many more bytes than was thought. */
  rebase(bytes: number): void {
    this.end += bytes;
  }

  /** Changes the capacity; the newest bytes are kept as far as they fit. */
  resize(capacity: number): void {
    const bytes = ringBytes(capacity);
    if (bytes === this.#ring.length) return;
    const kept = Math.min(this.length, bytes);
    const fresh = new Uint8Array(bytes);
    let at = 0;
    this.read(this.end + 1 - kept, (ring, from, length) => {
      copyBytes(ring, from, fresh, at, length);
      at += length;
    });
    this.#ring = fresh;
    this.length = kept;
    this.#at = kept === bytes ? 0 : kept;
  }
}
