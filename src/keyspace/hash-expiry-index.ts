/**
 * The hashes of a database whose fields expire, by the least time of a field: a heap over the records that such hashes keep (types/hash/hash-expiry.ts).
 * Invariant, whenever no command runs: a hash is here exactly when a field of it expires.
 */
import type { Arena, Ref } from "../arena/arena.ts";
import {
  expiryHeapCreate,
  expiryHeapFix,
  expiryHeapFree,
  expiryHeapPush,
  expiryHeapRemove,
  expiryHeapSize,
  expiryHeapTop,
} from "../struct/expiry-heap.ts";
import { hashEarliest } from "../types/hash/hash.ts";
import {
  expiryRecordOf,
  RECORD_KEY_OFFSET,
  recordIndexed,
  recordOwner,
  recordTime,
  setRecordOwner,
  setRecordTime,
  setRecordUnindexed,
} from "../types/hash/hash-expiry.ts";

export class HashExpiryIndex {
  readonly #arena: Arena;
  /** Heap of records; 0 until there is one. */
  #heap: Ref = 0;

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  /** Hashes with fields that expire. */
  get size(): number {
    return this.#heap === 0 ? 0 : expiryHeapSize(this.#arena, this.#heap);
  }

  /** The entry of the hash whose field expires first, or 0. */
  get first(): Ref {
    if (this.#heap === 0) return 0;
    const record = expiryHeapTop(this.#arena, this.#heap);
    return record === 0 ? 0 : recordOwner(this.#arena, record);
  }

  /** When the first field expires, Unix time in ms; infinite when none does. */
  get firstMs(): number {
    if (this.#heap === 0) return Number.POSITIVE_INFINITY;
    const record = expiryHeapTop(this.#arena, this.#heap);
    return record === 0 ? Number.POSITIVE_INFINITY : recordTime(this.#arena, record);
  }

  /** An entry, of whatever type, has become a key of the database. */
  added(e: Ref): void {
    const record = expiryRecordOf(this.#arena, e);
    if (record === 0) return;
    setRecordOwner(this.#arena, record, e);
    setRecordUnindexed(this.#arena, record);
    this.update(e, record);
  }

  /** An entry, of whatever type, is a key no more. */
  removed(e: Ref): void {
    const record = expiryRecordOf(this.#arena, e);
    if (record === 0 || !recordIndexed(this.#arena, record)) return;
    expiryHeapRemove(this.#arena, this.#heap, record);
    setRecordUnindexed(this.#arena, record);
  }

  /** The entry of a key, of whatever type, has moved to the block `e`. */
  moved(e: Ref): void {
    const record = expiryRecordOf(this.#arena, e);
    if (record !== 0) setRecordOwner(this.#arena, record, e);
  }

  /** Times of the fields of a hash have changed, or fields have gone. `record` is its expiryRecord, not 0. */
  update(e: Ref, record: Ref): void {
    const a = this.#arena;
    const ms = hashEarliest(a, e);
    if (ms === 0) {
      this.removed(e);
      return;
    }
    if (recordIndexed(a, record)) {
      if (recordTime(a, record) === ms) return;
      setRecordTime(a, record, ms);
      expiryHeapFix(a, this.#heap, record);
      return;
    }
    setRecordTime(a, record, ms);
    if (this.#heap === 0) this.#heap = expiryHeapCreate(a, RECORD_KEY_OFFSET);
    expiryHeapPush(a, this.#heap, record);
  }

  /** Forgets all; `free` lets the heap go, unless the arena has forgotten it already. */
  clear(free: boolean): void {
    if (free && this.#heap !== 0) expiryHeapFree(this.#arena, this.#heap);
    this.#heap = 0;
  }
}
