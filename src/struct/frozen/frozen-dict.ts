/**
 * A dict as it was at an instant, read bit by bit while it changes: what a snapshot makes of a large hash, set or sorted set. The dict keeps its number of
 * buckets meanwhile, so an entry stays in the bucket of its hash:
 *
 *   bucket below the next one to read    read; its entries are handed out, or wait to be
 *   bucket whose bit is set              changed before it was read: its entries were copied before the first change, and it is passed over
 *   any other                            as it was
 *
 * Copies are handed out first, since they take memory. A change costs nothing but a test once its bucket has been copied or read.
 *
 * Invariant: every entry that was there at the instant is handed out once, as it was then.
 */
import { type Arena, GRANULE_MASK, type Ref, SEGMENT_SHIFT } from "../../arena/arena.ts";
import type { FrozenStructure, FrozenView } from "../../arena/frozen.ts";
import { PREFETCH_BLOCKS, prefetchBlocks } from "../block-prefetch.ts";
import { dictPause, dictShrinkIfNeeded, dictSize } from "../dict/dict.ts";
import { BUCKETS, bucketAt, CAPACITY_EXP, collectChain, DIR, FROZEN } from "../dict/dict-bucket.ts";
import { RefList } from "../ref-list.ts";

/** What is done to the entries of a dict. */
export interface EntryBlocks {
  /** A copy, in no dict. */
  copy(a: Arena, e: Ref): Ref;
  /** Frees an entry that is in no dict. */
  free(a: Arena, e: Ref): void;
  /** Bytes of an entry. */
  bytes(a: Arena, e: Ref): number;
}

/** An order in which a dict is read as long as nothing of it changes. */
export interface UndisturbedOrder {
  /** The next entry; 0 at the end. */
  next(): Ref;
  /** Something is about to change: next() is not called any more. */
  end(): void;
  /** Once it has ended: was an entry, which is as it was, handed out? */
  isPast(e: Ref): boolean;
  /** Frees what it keeps. */
  release(): void;
}

/** Buckets that are looked at to find an entry before the caller gets the word. */
const LOOKS_MAX = 64;

/** Work of all frozen dicts: the entries of one bucket. */
const bucketEntries = new RefList();

export class FrozenDict implements FrozenStructure, FrozenView {
  readonly elements: number;
  readonly count: number;
  left: number;
  readonly leastMs: number;
  /** Another key's value is not the owner of the dict any more: whoever releases it frees it. */
  isInherited = false;
  /** Bytes that were copied because of changes. */
  copiedBytes = 0;
  readonly #arena: Arena;
  readonly #dict: Ref;
  readonly #entry: Ref;
  readonly #blocks: EntryBlocks;
  readonly #order: UndisturbedOrder | null;
  #isOrdered: boolean;
  readonly #buckets: number;
  /** A bit for each bucket: changed before it was read. */
  readonly #changed: Uint8Array;
  /** The bucket to read next. */
  #next = 0;
  /** Entries that were read, from bucket #readFrom on, and which of them is handed out next. */
  readonly #read = new RefList();
  #readFrom = 0;
  #readAt = 0;
  readonly #copies = new RefList();
  /** The copy that was handed out last, to be freed. */
  #given: Ref = 0;
  #inheritedBytes = 0;
  /** Keeps the loads of prefetching alive. */
  touched = 0;

  /** Freezes a dict, for which the entry `entry` stands. `order`: how it is read until something changes. */
  constructor(
    a: Arena,
    dict: Ref,
    entry: Ref,
    blocks: EntryBlocks,
    leastMs: number,
    order: UndisturbedOrder | null = null,
  ) {
    const w = a.i32[dict >>> SEGMENT_SHIFT];
    const h = (dict & GRANULE_MASK) << 1;
    this.#arena = a;
    this.#dict = dict;
    this.#entry = entry;
    this.#blocks = blocks;
    this.#order = order;
    this.#isOrdered = order !== null;
    this.#buckets = w[h + BUCKETS];
    this.#changed = new Uint8Array((this.#buckets + 7) >> 3);
    this.elements = dictSize(a, dict);
    this.count = this.elements;
    this.left = this.count;
    this.leastMs = leastMs;
    w[h + FROZEN] = 1;
    dictPause(a, dict, 1);
    a.frozen.add(dict, entry, this);
  }

  /** Thaws the dict, and frees all copies. */
  release(): void {
    const a = this.#arena;
    const w = a.i32[this.#dict >>> SEGMENT_SHIFT];
    a.frozen.remove(this.#dict, this.#entry);
    a.frozen.inheritedBytes -= this.#inheritedBytes;
    this.#freeGiven();
    for (; this.#copies.count > 0; this.#freeGiven()) this.#given = this.#copies.refs[--this.#copies.count];
    this.#order?.release();
    w[((this.#dict & GRANULE_MASK) << 1) + FROZEN] = 0;
    dictPause(a, this.#dict, -1);
    if (!this.isInherited) dictShrinkIfNeeded(a, this.#dict);
  }

  beforeChange(bucket: number): void {
    if (this.#isOrdered) {
      this.#isOrdered = false;
      this.#order?.end();
    }
    if (bucket < this.#next) {
      if (bucket >= this.#readFrom) this.#keepRead();
      return;
    }
    if ((this.#changed[bucket >> 3] & (1 << (bucket & 7))) !== 0) return;
    this.#changed[bucket >> 3] |= 1 << (bucket & 7);
    bucketEntries.count = 0;
    this.#collect(bucket, bucketEntries);
    for (let i = 0; i < bucketEntries.count; i++) this.#keep(bucketEntries.refs[i]);
  }

  inherit(bytes: number): void {
    this.isInherited = true;
    this.#inheritedBytes = bytes;
    this.#arena.frozen.inheritedBytes += bytes;
  }

  vanish(): void {
    throw new Error("a dict that is frozen does not go by itself");
  }

  next(): Ref {
    this.#freeGiven();
    if (this.left === 0) return 0;
    const e = this.#find();
    if (e !== 0) this.left--;
    return e;
  }

  #find(): Ref {
    if (this.#isOrdered) return (this.#order as UndisturbedOrder).next();
    if (this.#copies.count > 0) {
      this.#given = this.#copies.refs[--this.#copies.count];
      return this.#given;
    }
    if (this.#readAt === this.#read.count && !this.#readBuckets()) return 0;
    return this.#read.refs[this.#readAt++];
  }

  /** Reads the next buckets, and touches what is in them; false when that is nothing. */
  #readBuckets(): boolean {
    const list = this.#read;
    list.count = 0;
    this.#readAt = 0;
    this.#readFrom = this.#next;
    const end = Math.min(this.#buckets, this.#next + LOOKS_MAX);
    while (this.#next < end && list.count < PREFETCH_BLOCKS) {
      const bucket = this.#next++;
      if ((this.#changed[bucket >> 3] & (1 << (bucket & 7))) === 0) this.#collect(bucket, list);
    }
    this.touched ^= prefetchBlocks(this.#arena, list);
    return list.count > 0;
  }

  /** Appends the entries of a bucket that have not been handed out. */
  #collect(bucket: number, out: RefList): void {
    const a = this.#arena;
    const w = a.i32[this.#dict >>> SEGMENT_SHIFT];
    const h = (this.#dict & GRANULE_MASK) << 1;
    const from = out.count;
    collectChain(a, bucketAt(a, w[h + DIR], w[h + CAPACITY_EXP], bucket), out);
    if (this.#order === null) return;
    const end = out.count;
    out.count = from;
    for (let i = from; i < end; i++) if (!this.#order.isPast(out.refs[i])) out.refs[out.count++] = out.refs[i];
  }

  /** Copies all that was read and not handed out. */
  #keepRead(): void {
    const { refs, count } = this.#read;
    for (let i = this.#readAt; i < count; i++) this.#keep(refs[i]);
    this.#readAt = count;
  }

  #keep(e: Ref): void {
    const copy = this.#blocks.copy(this.#arena, e);
    const bytes = this.#blocks.bytes(this.#arena, copy);
    this.#copies.push(copy);
    this.copiedBytes += bytes;
    this.#arena.frozen.copyBytes += bytes;
  }

  #freeGiven(): void {
    if (this.#given === 0) return;
    this.#arena.frozen.copyBytes -= this.#blocks.bytes(this.#arena, this.#given);
    this.#blocks.free(this.#arena, this.#given);
    this.#given = 0;
  }
}
