/**
 * Copies of small strings that changed before a snapshot had written them. They stand one behind the other in blocks of the arena and are written in the
 * order in which they came: a copy costs no allocation of its own, and goes with its block.
 *
 *   block   [next block:4][end of its copies, in granules:4] [entry without buffers outside, padded to 8 bytes] ...
 *
 * A copy can be read as an entry, but is no block of the arena: it has no capacity, and must not be freed.
 *
 * Invariants: the blocks' bytes are part of keyspace.retiredBytes; there is a block exactly when there is a copy that was not dropped.
 */
import { type Arena, GRANULE_BYTES, GRANULE_MASK, type Ref, SEGMENT_SHIFT } from "../../arena/arena.ts";
import { copyBlockWords } from "../../arena/copy-block.ts";
import type { KeyRules } from "../../keyspace/key-rules.ts";
import { entryType, Type } from "../../types/entry.ts";
import { stringEntryBytes } from "../../types/string.ts";

const BLOCK_BYTES = 32 * 1024;
const BLOCK_GRANULES = BLOCK_BYTES / GRANULE_BYTES;
const HEAD_GRANULES = 1;
const HEAD_NEXT = 0;
const HEAD_END = 1;
/** Strings whose entry has more bytes are not copied. */
const ENTRY_BYTES_MAX = 128;

/** Granules of an entry's copy; 0 when it is not a small string. */
function granulesOf(a: Arena, e: Ref): number {
  if (entryType(a, e) !== Type.String) return 0;
  const bytes = stringEntryBytes(a, e);
  return bytes > ENTRY_BYTES_MAX ? 0 : (bytes + GRANULE_BYTES - 1) >> 3;
}

export class CopiedStrings {
  readonly #keyspace: KeyRules;
  /** The oldest block, or 0, and the granule where the oldest copy stands in it. */
  #oldest: Ref = 0;
  #at = 0;
  /** The block that gets the next copy, and where. */
  #newest: Ref = 0;
  #end = BLOCK_GRANULES;

  constructor(keyspace: KeyRules) {
    this.#keyspace = keyspace;
  }

  /** Copies an entry if it is a small string; false when it is not. There is no new block once snapshots keep `retainedMax` bytes: false, too. */
  push(e: Ref, retainedMax: number): boolean {
    const { arena: a } = this.#keyspace;
    const granules = granulesOf(a, e);
    if (granules === 0) return false;
    if (this.#end + granules > BLOCK_GRANULES && !this.#addBlock(retainedMax)) return false;
    copyBlockWords(a, e, this.#newest + this.#end, granules << 1);
    this.#end += granules;
    return true;
  }

  #addBlock(retainedMax: number): boolean {
    const { arena: a } = this.#keyspace;
    if (this.#keyspace.retainedBytes >= retainedMax) return false;
    const block = a.alloc(BLOCK_BYTES);
    this.#keyspace.retiredBytes += BLOCK_BYTES;
    if (this.#newest === 0) {
      this.#oldest = block;
      this.#at = HEAD_GRANULES;
    } else {
      const head = (this.#newest & GRANULE_MASK) << 1;
      const w = a.i32[this.#newest >>> SEGMENT_SHIFT];
      w[head + HEAD_NEXT] = block;
      w[head + HEAD_END] = this.#end;
    }
    this.#newest = block;
    this.#end = HEAD_GRANULES;
    return true;
  }

  /** The oldest copy, or 0. */
  get first(): Ref {
    return this.#oldest === 0 ? 0 : (this.#oldest + this.#at) | 0;
  }

  /** Drops the oldest copy, which there must be. */
  drop(): void {
    const { arena: a } = this.#keyspace;
    this.#at += granulesOf(a, this.first);
    const block = this.#oldest;
    const isNewest = block === this.#newest;
    const head = (block & GRANULE_MASK) << 1;
    const w = a.i32[block >>> SEGMENT_SHIFT];
    if (this.#at < (isNewest ? this.#end : w[head + HEAD_END])) return;
    this.#oldest = isNewest ? 0 : w[head + HEAD_NEXT];
    this.#at = HEAD_GRANULES;
    if (isNewest) {
      this.#newest = 0;
      this.#end = BLOCK_GRANULES;
    }
    this.#free(block);
  }

  #free(block: Ref): void {
    this.#keyspace.arena.free(block);
    this.#keyspace.retiredBytes -= BLOCK_BYTES;
  }

  /** Drops all. */
  clear(): void {
    while (this.first !== 0) this.drop();
  }
}
