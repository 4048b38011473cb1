/**
 * Off-heap hash table: the keyspaces, and hashes, sets and sorted-set members once they outgrow their small encodings.
 * It holds refs of entries; an entry is an arena block that starts with its key:
 *
 *   entry word 0:  [large:1][flag:1][key length:30]   large: the word at keyOffset is a LargeId whose buffer is the key
 *   entry bytes at keyOffset (a property of the dict): the key
 *
 * Dict header, 64 bytes:
 *   0 entries in table 0    1 entries in table 1    2, 3 log2 of the bucket counts (3: -1 when not rehashing)
 *   4, 5 directories        6 next bucket of table 0 to rehash    7 keyOffset    8 pauses    9, 10 child buckets
 *   11 longest chain of buckets ever seen (of both tables; sampling needs a bound)
 *
 * Bucket, 64 bytes (one cache line): words 0-11 entry refs (0 empty), words 12-14 one tag byte a slot (0 empty), word 15 the
 * child bucket on overflow. A table of up to 1,024 buckets is one block; a larger one is a directory of such chunks, each
 * allocated when first written, and let go as soon as rehashing has passed it: growth never copies and never pauses.
 *
 * Invariants: a slot's ref is 0 exactly when its tag is 0; a child bucket is never empty; during rehashing, buckets of table 0 below the
 * index are empty. The scan cursor counts up in reversed bits (Pieter Noordhuis' algorithm, as Redis documents SCAN).
 */
import { type Arena, GRANULE_MASK, type Ref, SEGMENT_SHIFT } from "../arena/arena.ts";
import { hashBytes } from "../base/hash.ts";
import {
  BUCKET_BYTES,
  BUCKET_SLOTS,
  bucketAt,
  bucketForWrite,
  bucketOfIndex,
  CHAIN_MAX,
  CHILD_WORD,
  CHILDREN0,
  CHILDREN1,
  CHUNK_BUCKETS,
  CHUNK_EXP,
  collectChain,
  DIR0,
  DIR1,
  EXP_MAX,
  EXP0,
  EXP1,
  FILL_GROW,
  FILL_SHRINK,
  findInChain,
  firstCandidate,
  freeChildren,
  freeChunkOf,
  freeTable,
  freeTableWithChildren,
  HEADER_BYTES,
  KEY_LENGTH_MASK,
  KEY_OFFSET,
  newChunk,
  newTable,
  PAUSES,
  REHASH_INDEX,
  TAG_WORD,
  tagOf,
  USED0,
  USED1,
  zeroBytes,
} from "./dict-bucket.ts";
import type { RefList } from "./ref-list.ts";

export { KEY_FLAG, KEY_IS_LARGE, KEY_LENGTH_MASK } from "./dict-bucket.ts";
export { dictRandom, dictScan } from "./dict-scan.ts";
export { RefList } from "./ref-list.ts";

/** A new dict whose entries keep their key `keyOffset` bytes from their start. */
export function dictCreate(a: Arena, keyOffset: number): Ref {
  const d = a.alloc(HEADER_BYTES);
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  w.fill(0, h, h + 16);
  w[h + EXP1] = -1;
  w[h + REHASH_INDEX] = -1;
  w[h + KEY_OFFSET] = keyOffset;
  w[h + CHAIN_MAX] = 1;
  w[h + DIR0] = newChunk(a, 1);
  return d;
}

/** Entries in the dict. */
export function dictSize(a: Arena, d: Ref): number {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  return w[h + USED0] + w[h + USED1];
}

/** The hash that every function here wants beside a key. */
export function dictHash(a: Arena, buf: Uint8Array, offset: number, length: number): number {
  const { hints } = a;
  if (buf === hints.buf && hints.has(offset, length)) return hints.hash(offset);
  return hashBytes(buf, offset, length, a.hashKey0, a.hashKey1);
}

/** The hash of a key in the buffer of the arena's hints, which is remembered there for when the key is looked up. */
export function dictHashAhead(a: Arena, offset: number, length: number): number {
  const hash = hashBytes(a.hints.buf, offset, length, a.hashKey0, a.hashKey1);
  a.hints.set(offset, length, hash);
  return hash;
}

/** The hash of an entry's own key. */
export function dictEntryHash(a: Arena, e: Ref, keyOffset: number): number {
  const seg = e >>> SEGMENT_SHIFT;
  const word0 = a.i32[seg][(e & GRANULE_MASK) << 1];
  const at = ((e & GRANULE_MASK) << 3) + keyOffset;
  if (word0 < 0) return dictHash(a, a.large[a.i32[seg][at >> 2]] as Uint8Array, 0, word0 & KEY_LENGTH_MASK);
  return dictHash(a, a.u8[seg], at, word0 & KEY_LENGTH_MASK);
}

/** The entry of a key, or 0. */
export function dictFind(a: Arena, d: Ref, buf: Uint8Array, offset: number, length: number, hash: number): Ref {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  const keyOffset = w[h + KEY_OFFSET];
  const exp = w[h + EXP0];
  const found = findInChain(a, bucketAt(a, w[h + DIR0], exp, hash), buf, offset, length, hash, keyOffset);
  if (found !== 0 || w[h + EXP1] < 0) return found;
  return findInChain(a, bucketAt(a, w[h + DIR1], w[h + EXP1], hash), buf, offset, length, hash, keyOffset);
}

/** Most hashes that one dictPrefetch looks at. */
export const PREFETCH_MAX = 128;
const prefetched = new Int32Array(PREFETCH_MAX);

/**
 * Brings the buckets and the likely entries of `count` keys (by hash, at most PREFETCH_MAX) into the processor's caches. Two passes of loads that
 * do not depend on each other, so that their misses overlap: a random read of a large table costs more than all the rest of a GET. Changes
 * nothing; the result is meaningless, but whoever calls must use it, or the loads are optimised away.
 */
export function dictPrefetch(a: Arena, d: Ref, hashes: Int32Array, count: number): number {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  let sum = 0;
  for (let table = 0; table < 2; table++) {
    const exp = w[h + EXP0 + table];
    if (exp < 0) break;
    const dir = w[h + DIR0 + table];
    for (let i = 0; i < count; i++) {
      const bucket = bucketAt(a, dir, exp, hashes[i]);
      prefetched[i] = bucket;
      if (bucket !== 0) sum ^= a.i32[bucket >>> SEGMENT_SHIFT][((bucket & GRANULE_MASK) << 1) + TAG_WORD];
    }
    for (let i = 0; i < count; i++) {
      const bucket = prefetched[i];
      if (bucket === 0) continue;
      const e = firstCandidate(a, bucket, hashes[i]);
      if (e === 0) continue;
      const at = (e & GRANULE_MASK) << 1;
      // Most entries are short but many cross a cache line.
      sum ^= a.i32[e >>> SEGMENT_SHIFT][at] ^ a.i32[e >>> SEGMENT_SHIFT][at + 11];
    }
  }
  return sum;
}

/** Adds an entry whose key is known to be absent. Grows the table, and moves one bucket when it is rehashing. */
export function dictInsert(a: Arena, d: Ref, e: Ref, hash: number): void {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  if (w[h + EXP1] >= 0) dictRehash(a, d, 1);
  else if (w[h + USED0] >= FILL_GROW << w[h + EXP0] && w[h + EXP0] < EXP_MAX && w[h + PAUSES] === 0)
    resize(a, d, w[h + EXP0] + 1);
  const table = w[h + EXP1] >= 0 ? 1 : 0;
  place(a, d, table, e, hash);
  w[h + USED0 + table]++;
}

/** Takes an entry out by its ref; the block itself stays the caller's. Returns false when it was not there. */
export function dictRemove(a: Arena, d: Ref, e: Ref, hash: number): boolean {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  if (w[h + EXP1] >= 0) dictRehash(a, d, 1);
  let table = 0;
  if (!unplace(a, d, 0, e, hash)) {
    table = 1;
    if (w[h + EXP1] < 0 || !unplace(a, d, 1, e, hash)) return false;
  }
  w[h + USED0 + table]--;
  if (w[h + EXP1] < 0) dictShrinkIfNeeded(a, d);
  return true;
}

/** Makes an empty dict as large as `size` entries will want it, so that it need not grow on the way there. Chunks of the table are made when they are used. */
export function dictReserve(a: Arena, d: Ref, size: number): void {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  if (dictSize(a, d) !== 0 || w[h + EXP1] >= 0 || w[h + PAUSES] !== 0) return;
  let exp = w[h + EXP0];
  while (exp < EXP_MAX && size > FILL_GROW * 2 ** exp) exp++;
  if (exp === w[h + EXP0]) return;
  resize(a, d, exp);
  while (dictRehash(a, d, CHUNK_BUCKETS));
}

/** Starts to shrink a table that has become mostly empty. Removal does so by itself. */
export function dictShrinkIfNeeded(a: Arena, d: Ref): void {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  const exp = w[h + EXP0];
  if (exp === 0 || w[h + EXP1] >= 0 || w[h + PAUSES] !== 0 || w[h + USED0] >= FILL_SHRINK << exp) return;
  let target = 0;
  while (w[h + USED0] > (FILL_GROW << target) >> 1) target++;
  if (target < exp) resize(a, d, target);
}

/** Puts `fresh` where `old` was: the entry's block moved, its key did not change. `old` must be there. */
export function dictReplace(a: Arena, d: Ref, old: Ref, fresh: Ref, hash: number): void {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  for (let table = 0; table < 2; table++) {
    if (w[h + EXP0 + table] < 0) break;
    let bucket = bucketAt(a, w[h + DIR0 + table], w[h + EXP0 + table], hash);
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
  }
  throw new Error("dict: the entry to replace is not there");
}

/** Moves up to `buckets` buckets of the old table to the new one. Returns true while work remains. */
export function dictRehash(a: Arena, d: Ref, buckets: number): boolean {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  if (w[h + EXP1] < 0) return false;
  if (w[h + PAUSES] !== 0) return true;
  const exp0 = w[h + EXP0];
  const count0 = 1 << exp0;
  let emptyVisits = buckets * 10;
  while (buckets > 0) {
    const index = w[h + REHASH_INDEX];
    if (index === count0) break;
    const bucket = bucketOfIndex(a, w[h + DIR0], exp0, index);
    if (bucket === 0) {
      // A chunk that was never written holds no entries: skip the whole of it.
      w[h + REHASH_INDEX] = (index | (CHUNK_BUCKETS - 1)) + 1;
      continue;
    }
    const moved = moveChain(a, d, bucket);
    w[h + REHASH_INDEX] = index + 1;
    if (exp0 > CHUNK_EXP && ((index + 1) & (CHUNK_BUCKETS - 1)) === 0) freeChunkOf(a, w[h + DIR0], index);
    if (moved > 0) buckets--;
    else if (--emptyVisits === 0) break;
  }
  if (w[h + REHASH_INDEX] === count0) {
    freeTable(a, w[h + DIR0], exp0);
    w[h + USED0] = w[h + USED1];
    w[h + EXP0] = w[h + EXP1];
    w[h + DIR0] = w[h + DIR1];
    w[h + CHILDREN0] = w[h + CHILDREN1];
    w[h + USED1] = w[h + DIR1] = w[h + CHILDREN1] = 0;
    w[h + EXP1] = -1;
    w[h + REHASH_INDEX] = -1;
    return false;
  }
  return true;
}

/** True while entries are moving between two tables. */
export function dictIsRehashing(a: Arena, d: Ref): boolean {
  return a.i32[d >>> SEGMENT_SHIFT][((d & GRANULE_MASK) << 1) + EXP1] >= 0;
}

/** Forbids (+1) or allows again (-1) resizing and rehash steps; nested. */
export function dictPause(a: Arena, d: Ref, by: 1 | -1): void {
  a.i32[d >>> SEGMENT_SHIFT][((d & GRANULE_MASK) << 1) + PAUSES] += by;
}

/** Lets go the tables and the header, not the entries: scan and free those first. */
export function dictFree(a: Arena, d: Ref): void {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  freeTableWithChildren(a, w[h + DIR0], w[h + EXP0]);
  if (w[h + EXP1] >= 0) freeTableWithChildren(a, w[h + DIR1], w[h + EXP1]);
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
  const count0 = 2 ** w[h + EXP0];
  const count = count0 + (w[h + EXP1] >= 0 ? 2 ** w[h + EXP1] : 0);
  let at = position;
  for (; buckets > 0 && at < count; buckets--) {
    const table = at < count0 ? 0 : 1;
    const index = table === 0 ? at : at - count0;
    const exp = w[h + EXP0 + table];
    const bucket = bucketOfIndex(a, w[h + DIR0 + table], exp, index);
    if (bucket === 0) {
      at += CHUNK_BUCKETS;
      continue;
    }
    collectChain(a, bucket, out);
    freeChildren(a, bucket);
    at++;
    if (exp > CHUNK_EXP && ((index + 1) & (CHUNK_BUCKETS - 1)) === 0) freeChunkOf(a, w[h + DIR0 + table], index);
  }
  if (at < count) return at;
  freeTable(a, w[h + DIR0], w[h + EXP0]);
  if (w[h + EXP1] >= 0) freeTable(a, w[h + DIR1], w[h + EXP1]);
  a.free(d);
  return -1;
}

/** Bytes of buckets, directories and header. */
export function dictOverheadBytes(a: Arena, d: Ref): number {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  let bytes = HEADER_BYTES;
  for (let table = 0; table < 2; table++) {
    const exp = w[h + EXP0 + table];
    if (exp < 0) break;
    bytes += (1 << exp) * BUCKET_BYTES + w[h + CHILDREN0 + table] * BUCKET_BYTES;
    if (exp > CHUNK_EXP) bytes += 4 << (exp - CHUNK_EXP);
  }
  return bytes;
}

/** Bytes of both tables while rehashing, 0 otherwise. */
export function dictRehashingBytes(a: Arena, d: Ref): number {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  return w[h + EXP1] < 0 ? 0 : (1 << w[h + EXP0]) * BUCKET_BYTES;
}

/** Puts an entry into the first free slot of its chain in `table`, adding a child bucket when there is none. Counts nothing. */
function place(a: Arena, d: Ref, table: number, e: Ref, hash: number): void {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  let bucket = bucketForWrite(a, w[h + DIR0 + table], w[h + EXP0 + table], hash);
  for (let depth = 1; ; depth++) {
    const bw = a.i32[bucket >>> SEGMENT_SHIFT];
    const b = (bucket & GRANULE_MASK) << 1;
    for (let group = 0; group < 3; group++) {
      const holes = zeroBytes(bw[b + TAG_WORD + group]);
      if (holes !== 0) {
        const k = (31 - Math.clz32(holes & -holes)) >> 3;
        bw[b + group * 4 + k] = e;
        bw[b + TAG_WORD + group] |= tagOf(hash) << (k * 8);
        return;
      }
    }
    let child = bw[b + CHILD_WORD];
    if (child === 0) {
      child = newChunk(a, 1);
      bw[b + CHILD_WORD] = child;
      w[h + CHILDREN0 + table]++;
      if (depth >= w[h + CHAIN_MAX]) w[h + CHAIN_MAX] = depth + 1;
    }
    bucket = child;
  }
}

function unplace(a: Arena, d: Ref, table: number, e: Ref, hash: number): boolean {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  let bucket = bucketAt(a, w[h + DIR0 + table], w[h + EXP0 + table], hash);
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
        w[h + CHILDREN0 + table]--;
        a.free(bucket);
      }
      return true;
    }
    parent = bucket;
    bucket = bw[b + CHILD_WORD];
  }
  return false;
}

/** Moves every entry of a bucket's chain to table 1; frees the children. Returns the number moved. */
function moveChain(a: Arena, d: Ref, bucket: Ref): number {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  const keyOffset = w[h + KEY_OFFSET];
  let moved = 0;
  let at = bucket;
  while (at !== 0) {
    const bw = a.i32[at >>> SEGMENT_SHIFT];
    const b = (at & GRANULE_MASK) << 1;
    for (let slot = 0; slot < BUCKET_SLOTS; slot++) {
      const e = bw[b + slot];
      if (e === 0) continue;
      place(a, d, 1, e, dictEntryHash(a, e, keyOffset));
      moved++;
    }
    const child = bw[b + CHILD_WORD];
    if (at === bucket) bw.fill(0, b, b + 16);
    else {
      a.free(at);
      w[h + CHILDREN0]--;
    }
    at = child;
  }
  w[h + USED0] -= moved;
  w[h + USED1] += moved;
  return moved;
}

function resize(a: Arena, d: Ref, exp: number): void {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  w[h + DIR1] = newTable(a, exp);
  w[h + EXP1] = exp;
  w[h + REHASH_INDEX] = 0;
}
