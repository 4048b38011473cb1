/**
 * Off-heap hash table: the keyspaces, and hashes, sets and sorted-set members once they outgrow their small encodings.
 * It holds refs of entries; an entry is an arena block that starts with its key:
 *
 *   entry word 0:  [large:1][flag:1][key length:30]   large: the word at keyOffset is a LargeId whose buffer is the key
 *   entry bytes at keyOffset (a property of the dict): the key
 *
 * Dict header, 64 bytes:
 *   0 entries    1 buckets    2 log2 of the buckets that it is to have    3 log2 of the buckets that there is room for
 *   4 the table, or its directory    5 chunks of the directory    6 child buckets
 *   7 slots of a chain up to the last one that was ever in use (sampling needs a bound); a round of splits that reaches every bucket lowers it to
 *   8 the same since that round began    9 keyOffset    10 pauses    11 1 once it has had more than one bucket
 *   12 not 0: frozen, see frozen-dict.ts
 *
 * Bucket, 64 bytes (one cache line): words 0-11 entry refs (0 empty), words 12-14 one tag byte a slot (0 empty), word 15 the
 * child bucket on overflow. Room for up to 1,024 buckets is one block; more is a directory of chunks of so many. There may be any number of buckets:
 * dict-resize.ts tells how they become more or fewer, one at a time, so that no change of size makes a pause.
 *
 * Invariants: a slot's ref is 0 exactly when its tag is 0; a child bucket is never empty; a chunk that is not there has only empty buckets.
 * The scan cursor counts up in reversed bits (Pieter Noordhuis' algorithm, as Redis documents SCAN).
 */
import { type Arena, GRANULE_MASK, type Ref, SEGMENT_SHIFT } from "../../arena/arena.ts";
import type { RefList } from "../ref-list.ts";
import {
  BUCKET_BYTES,
  BUCKET_SLOTS,
  BUCKETS,
  bucketAt,
  bucketIndex,
  CAPACITY_EXP,
  CHILD_WORD,
  CHILDREN,
  CHUNK_BUCKETS,
  CHUNK_EXP,
  CHUNKS,
  collectChain,
  DIR,
  dropChild,
  EXP_MAX,
  FILL_GROW,
  FILL_GROW_EVEN_SO,
  FILL_GROW_WITHOUT_ROOM,
  FILL_SHRINK,
  FROZEN,
  findEntryKey,
  findInChain,
  firstCandidate,
  freeChildren,
  GOAL_EXP,
  HAS_GROWN,
  HEADER_BYTES,
  KEY_OFFSET,
  PAUSES,
  placeIfEasy,
  placeInChain,
  ROUND_SLOT_MAX,
  SLOT_MAX,
  SPARE_SHRINK_EVEN_SO,
  TAG_WORD,
  tagOf,
  USED,
} from "./dict-bucket.ts";
import { dictEntryHash } from "./dict-key.ts";
import { bucketForWrite, dictRehash, freeChunk, freeTable, newTable, setCapacity } from "./dict-resize.ts";

export { RefList } from "../ref-list.ts";
export { dictEntryHash, dictHash, dictHashAhead } from "./dict-key.ts";
export { dictRehash } from "./dict-resize.ts";
export { dictRandom, dictSample, dictScan } from "./dict-scan.ts";
export { KEY_FLAG, KEY_IS_LARGE, KEY_LENGTH_MASK } from "./key-word.ts";

/** Buckets that a removal merges while the dict shrinks: more than one, so that it gets ahead of further removals. */
const MERGES_A_REMOVAL = 2;

/** A new dict whose entries keep their key `keyOffset` bytes from their start. */
export function dictCreate(a: Arena, keyOffset: number): Ref {
  const d = a.alloc(HEADER_BYTES);
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  w.fill(0, h, h + HEADER_BYTES / 4);
  w[h + KEY_OFFSET] = keyOffset;
  w[h + SLOT_MAX] = w[h + ROUND_SLOT_MAX] = BUCKET_SLOTS;
  newTable(a, d, 0);
  return d;
}

/** Entries in the dict. */
export function dictSize(a: Arena, d: Ref): number {
  return a.i32[d >>> SEGMENT_SHIFT][((d & GRANULE_MASK) << 1) + USED];
}

/** The entry of a key, or 0. */
export function dictFind(a: Arena, d: Ref, buf: Uint8Array, offset: number, length: number, hash: number): Ref {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  const bucket = bucketAt(a, w[h + DIR], w[h + CAPACITY_EXP], bucketIndex(w[h + BUCKETS], hash));
  return findInChain(a, bucket, buf, offset, length, hash, w[h + KEY_OFFSET]);
}

/** Most hashes that one dictPrefetch looks at. */
export const PREFETCH_MAX = 128;
const prefetched = new Int32Array(PREFETCH_MAX);

/**
 * Brings the buckets and the likely entries of `count` keys (by hash, at most PREFETCH_MAX) into the processor's caches, in passes of loads that do not
 * depend on each other, so that their misses overlap: a random read of a large table costs more than all the rest of a GET. Changes
 * nothing; the result is meaningless, but whoever calls must use it, or the loads are optimised away.
 */
export function dictPrefetch(a: Arena, d: Ref, hashes: Int32Array, count: number): number {
  let sum = dictPrefetchBuckets(a, d, hashes, count);
  for (let i = 0; i < count; i++) {
    const bucket = prefetched[i];
    if (bucket === 0) continue;
    const e = firstCandidate(a, bucket, hashes[i]);
    if (e === 0) continue;
    const at = (e & GRANULE_MASK) << 1;
    // Most entries are short but many cross a cache line.
    sum ^= a.i32[e >>> SEGMENT_SHIFT][at] ^ a.i32[e >>> SEGMENT_SHIFT][at + 11];
  }
  return sum;
}

/** The same for keys that are likely to be absent: brings their buckets alone. */
export function dictPrefetchBuckets(a: Arena, d: Ref, hashes: Int32Array, count: number): number {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  const dir = w[h + DIR];
  const capacityExp = w[h + CAPACITY_EXP];
  const buckets = w[h + BUCKETS];
  for (let i = 0; i < count; i++) prefetched[i] = bucketAt(a, dir, capacityExp, bucketIndex(buckets, hashes[i]));
  // The less stands between two loads, the more of them are under way at a time. Where there is no bucket, the arena's first words are read.
  let segment = d >>> SEGMENT_SHIFT;
  let words = w;
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const bucket = prefetched[i];
    if (bucket >>> SEGMENT_SHIFT !== segment) {
      segment = bucket >>> SEGMENT_SHIFT;
      words = a.i32[segment];
    }
    sum ^= words[((bucket & GRANULE_MASK) << 1) + TAG_WORD];
  }
  return sum;
}

/** Adds an entry whose key is known to be absent. Grows the table by a bucket when it is to grow. */
export function dictInsert(a: Arena, d: Ref, e: Ref, hash: number): void {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  const buckets = w[h + BUCKETS];
  const goal = 1 << w[h + GOAL_EXP];
  if (goal <= buckets && w[h + USED] >= FILL_GROW * buckets) startGrowth(a, d);
  else if (goal !== buckets) dictRehash(a, d, 1);
  if (w[h + FROZEN] !== 0) a.frozen.beforeChange(d, bucketIndex(w[h + BUCKETS], hash));
  placeInChain(a, d, bucketForWrite(a, d, bucketIndex(w[h + BUCKETS], hash)), e, tagOf(hash));
  w[h + USED]++;
}

/**
 * Adds an entry unless there is one with its key: returns that one, or 0. The same as dictFind and dictInsert, but nearly always in one look at one bucket.
 */
export function dictAdd(a: Arena, d: Ref, e: Ref, hash: number): Ref {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  const buckets = w[h + BUCKETS];
  const bucket = bucketAt(a, w[h + DIR], w[h + CAPACITY_EXP], bucketIndex(buckets, hash));
  const used = w[h + USED];
  const keepsSize = buckets === 1 << w[h + GOAL_EXP] && used < FILL_GROW * buckets;
  if (bucket !== 0 && keepsSize && w[h + FROZEN] === 0 && placeIfEasy(a, bucket, e, tagOf(hash))) {
    w[h + USED] = used + 1;
    return 0;
  }
  const old = bucket === 0 ? 0 : findEntryKey(a, bucket, e, hash, w[h + KEY_OFFSET]);
  if (old === 0) dictInsert(a, d, e, hash);
  return old;
}

/** Sets the goal of a dict that is full to the next power of two, even if it was shrinking, unless there are reasons to leave it as it is. */
function startGrowth(a: Arena, d: Ref): void {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  const buckets = w[h + BUCKETS];
  const exp = 32 - Math.clz32(buckets);
  if (exp > EXP_MAX || w[h + PAUSES] !== 0) return;
  if (a.tablesStay && w[h + USED] < FILL_GROW_EVEN_SO * buckets) return;
  const takes = ((1 << exp) - buckets) * BUCKET_BYTES;
  if (w[h + USED] < FILL_GROW_WITHOUT_ROOM * buckets && takes > a.roomForTables()) return;
  setCapacity(a, d, exp);
  w[h + GOAL_EXP] = exp;
  w[h + HAS_GROWN] = 1;
}

/** Starts to grow a table that has been full since it was not allowed to. Insertion does so by itself. */
export function dictGrowIfNeeded(a: Arena, d: Ref): void {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  const buckets = w[h + BUCKETS];
  if (buckets === 1 << w[h + GOAL_EXP] && w[h + USED] > FILL_GROW * buckets) startGrowth(a, d);
}

/** Takes an entry out by its ref; the block itself stays the caller's. Returns false when it was not there. */
export function dictRemove(a: Arena, d: Ref, e: Ref, hash: number): boolean {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  if (w[h + FROZEN] !== 0) a.frozen.beforeChange(d, bucketIndex(w[h + BUCKETS], hash));
  if (!unplace(a, d, e, hash)) return false;
  w[h + USED]--;
  if (w[h + BUCKETS] !== 1 << w[h + GOAL_EXP]) dictRehash(a, d, MERGES_A_REMOVAL);
  else dictShrinkIfNeeded(a, d);
  return true;
}

/** Makes an empty dict as large as `size` entries will want it, so that it need not grow on the way there. */
export function dictReserve(a: Arena, d: Ref, size: number): void {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  if (w[h + USED] !== 0 || w[h + BUCKETS] !== 1 << w[h + GOAL_EXP] || w[h + PAUSES] !== 0) return;
  let exp = w[h + GOAL_EXP];
  while (exp < EXP_MAX && size > FILL_GROW * 2 ** exp) exp++;
  if (exp === w[h + GOAL_EXP]) return;
  freeTable(a, d);
  newTable(a, d, exp);
  w[h + HAS_GROWN] = 1;
}

/** Starts to shrink a table that has become mostly empty; where tables stay as they are, one that is empty but for traces. Removal does so by itself. */
export function dictShrinkIfNeeded(a: Arena, d: Ref): void {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  const goal = w[h + GOAL_EXP];
  const used = w[h + USED];
  if (goal === 0 || used >= FILL_SHRINK << goal || w[h + BUCKETS] !== 1 << goal || w[h + PAUSES] !== 0) return;
  if (a.tablesStay && used * SPARE_SHRINK_EVEN_SO > 1 << goal) return;
  let target = 0;
  while (used >= FILL_SHRINK << (target + 1)) target++;
  w[h + GOAL_EXP] = target;
}

/** Puts `fresh` where `old` was: the entry's block moved, its key did not change. `old` must be there. */
export function dictReplace(a: Arena, d: Ref, old: Ref, fresh: Ref, hash: number): void {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  let bucket = bucketAt(a, w[h + DIR], w[h + CAPACITY_EXP], bucketIndex(w[h + BUCKETS], hash));
  while (bucket !== 0) {
    const bw = a.i32[bucket >>> SEGMENT_SHIFT];
    const b = (bucket & GRANULE_MASK) << 1;
    for (let slot = 0; slot < BUCKET_SLOTS; slot++) {
      if (bw[b + slot] === old) {
        bw[b + slot] = fresh;
        return;
      }
    }
    bucket = bw[b + CHILD_WORD];
  }
  throw new Error("dict: the entry to replace is not there");
}

/** Says that an entry of the dict is about to change where it is, or to move. */
export function dictChanging(a: Arena, d: Ref, e: Ref): void {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  if (w[h + FROZEN] === 0) return;
  a.frozen.beforeChange(d, bucketIndex(w[h + BUCKETS], dictEntryHash(a, e, w[h + KEY_OFFSET])));
}

/** True when a snapshot still reads the dict. */
export function dictIsFrozen(a: Arena, d: Ref): boolean {
  return a.i32[d >>> SEGMENT_SHIFT][((d & GRANULE_MASK) << 1) + FROZEN] !== 0;
}

/** True while the dict is on its way to another size. */
export function dictIsRehashing(a: Arena, d: Ref): boolean {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  return w[h + BUCKETS] !== 1 << w[h + GOAL_EXP];
}

/** Has the dict ever had more than one bucket? */
export function dictHasGrown(a: Arena, d: Ref): boolean {
  return a.i32[d >>> SEGMENT_SHIFT][((d & GRANULE_MASK) << 1) + HAS_GROWN] !== 0;
}

/** Forbids (+1) or allows again (-1) resizing and rehash steps; nested. */
export function dictPause(a: Arena, d: Ref, by: 1 | -1): void {
  a.i32[d >>> SEGMENT_SHIFT][((d & GRANULE_MASK) << 1) + PAUSES] += by;
}

/** Lets go the table and the header, not the entries: scan and free those first. */
export function dictFree(a: Arena, d: Ref): void {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  for (let index = 0; index < w[h + BUCKETS]; index++) {
    const bucket = bucketAt(a, w[h + DIR], w[h + CAPACITY_EXP], index);
    if (bucket === 0) index |= CHUNK_BUCKETS - 1;
    else freeChildren(a, bucket);
  }
  freeTable(a, d);
  a.free(d);
}

/**
 * Takes a dict apart that nobody uses any more, a few buckets at a time, so that letting a large one go makes no pause: appends the entries of
 * up to `buckets` buckets to `out` (they are the caller's to free) and frees what is done with. Start at position 0 and go on with the result; a
 * negative result says that all is free, the header included. No other function may be called on the dict from the first call on.
 */
export function dictDismantle(a: Arena, d: Ref, position: number, buckets: number, out: RefList): number {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  let at = position;
  for (; buckets > 0 && at < w[h + BUCKETS]; buckets--) {
    const bucket = bucketAt(a, w[h + DIR], w[h + CAPACITY_EXP], at);
    if (bucket === 0) {
      at += CHUNK_BUCKETS;
      continue;
    }
    collectChain(a, bucket, out);
    freeChildren(a, bucket);
    at++;
    if (w[h + CAPACITY_EXP] > CHUNK_EXP && (at & (CHUNK_BUCKETS - 1)) === 0) freeChunk(a, d, at - 1);
  }
  if (at < w[h + BUCKETS]) return at;
  freeTable(a, d);
  a.free(d);
  return -1;
}

/** Bytes of buckets, directory and header. */
export function dictOverheadBytes(a: Arena, d: Ref): number {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  const exp = w[h + CAPACITY_EXP];
  const table =
    exp > CHUNK_EXP ? (4 << (exp - CHUNK_EXP)) + w[h + CHUNKS] * CHUNK_BUCKETS * BUCKET_BYTES : BUCKET_BYTES << exp;
  return HEADER_BYTES + table + w[h + CHILDREN] * BUCKET_BYTES;
}

/** Bytes of the buckets that are to become twice or half as many, 0 when the dict keeps its size. */
export function dictRehashingBytes(a: Arena, d: Ref): number {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  return dictIsRehashing(a, d) ? BUCKET_BYTES << (31 - Math.clz32(w[h + BUCKETS])) : 0;
}

function unplace(a: Arena, d: Ref, e: Ref, hash: number): boolean {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  let bucket = bucketAt(a, w[h + DIR], w[h + CAPACITY_EXP], bucketIndex(w[h + BUCKETS], hash));
  let parent = 0;
  while (bucket !== 0) {
    const bw = a.i32[bucket >>> SEGMENT_SHIFT];
    const b = (bucket & GRANULE_MASK) << 1;
    for (let slot = 0; slot < BUCKET_SLOTS; slot++) {
      if (bw[b + slot] !== e) continue;
      bw[b + slot] = 0;
      bw[b + TAG_WORD + (slot >> 2)] &= ~(255 << ((slot & 3) * 8));
      if (parent !== 0 && (bw[b + TAG_WORD] | bw[b + TAG_WORD + 1] | bw[b + TAG_WORD + 2]) === 0) {
        a.i32[parent >>> SEGMENT_SHIFT][((parent & GRANULE_MASK) << 1) + CHILD_WORD] = bw[b + CHILD_WORD];
        a.free(bucket);
        dropChild(a, d);
      }
      return true;
    }
    parent = bucket;
    bucket = bw[b + CHILD_WORD];
  }
  return false;
}
