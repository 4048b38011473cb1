/**
 * Hashes of keys and members that were computed ahead of their look-up, for prefetching: a direct-mapped table over the offsets of one input buffer.
 * A slot is valid for a key of its length when its tag is the buffer's generation and the offset; whatever is not found is simply hashed again.
 * The bytes of that buffer must not change between begin() and its last use.
 */

const SLOTS = 1024;
const SLOT_MASK = SLOTS - 1;
/** Offsets at or above this get no hint. Also the distance between the generations in a tag. */
const HINT_OFFSET_MAX = 1 << 20;

export class HashHints {
  /** The buffer that the hints are about. */
  buf: Uint8Array = new Uint8Array(0);
  #base = 0;
  readonly #tags = new Float64Array(SLOTS);
  readonly #lengths = new Int32Array(SLOTS);
  readonly #hashes = new Int32Array(SLOTS);

  /** Starts hints for a buffer; the hints of the one before are void. */
  begin(buf: Uint8Array): void {
    this.buf = buf;
    this.#base += HINT_OFFSET_MAX;
  }

  /** Remembers the hash of the key of `length` bytes at an offset of the buffer. */
  set(offset: number, length: number, hash: number): void {
    if (offset >= HINT_OFFSET_MAX) return;
    this.#tags[offset & SLOT_MASK] = this.#base + offset;
    this.#lengths[offset & SLOT_MASK] = length;
    this.#hashes[offset & SLOT_MASK] = hash;
  }

  /** Is the hash of the key of `length` bytes at an offset of the buffer known? */
  has(offset: number, length: number): boolean {
    const slot = offset & SLOT_MASK;
    return this.#tags[slot] === this.#base + offset && this.#lengths[slot] === length;
  }

  /** The hash of a key at an offset for which has() is true. */
  hash(offset: number): number {
    return this.#hashes[offset & SLOT_MASK];
  }
}
