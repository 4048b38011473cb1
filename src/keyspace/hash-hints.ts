/**
 * Hashes of keys that were computed ahead of their look-up, for prefetching: a direct-mapped table over the offsets of one input buffer.
 * A slot is valid for a key of its length when its tag is the buffer's generation and the offset; whatever is not found is simply hashed again.
 */
import type { Arena } from "../arena/arena.ts";
import { dictHash } from "../struct/dict.ts";

const SLOTS = 1024;
const SLOT_MASK = SLOTS - 1;
/** Offsets at or above this get no hint. Also the distance between the generations in a tag. */
export const HINT_OFFSET_MAX = 1 << 20;

export class HashHints {
  #buf: Uint8Array = new Uint8Array(0);
  #base = 0;
  readonly #tags = new Float64Array(SLOTS);
  readonly #lengths = new Int32Array(SLOTS);
  readonly #hashes = new Int32Array(SLOTS);

  /** Starts hints for a buffer; the hints of the one before are void. */
  begin(buf: Uint8Array): void {
    this.#buf = buf;
    this.#base += HINT_OFFSET_MAX;
  }

  /** Remembers the hash of the key of `length` bytes at an offset of the buffer. */
  set(offset: number, length: number, hash: number): void {
    this.#tags[offset & SLOT_MASK] = this.#base + offset;
    this.#lengths[offset & SLOT_MASK] = length;
    this.#hashes[offset & SLOT_MASK] = hash;
  }

  /** The hash of a key: from a hint when there is one. */
  hashOf(a: Arena, buf: Uint8Array, offset: number, length: number): number {
    const slot = offset & SLOT_MASK;
    if (buf === this.#buf && this.#tags[slot] === this.#base + offset && this.#lengths[slot] === length)
      return this.#hashes[slot];
    return dictHash(a, buf, offset, length);
  }
}
