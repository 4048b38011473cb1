/** The buckets of a dict: where they are, and what is done with a chain of them. See dict.ts for the layout. */
import { type Arena, GRANULE_MASK, type Ref, SEGMENT_SHIFT } from "../../arena/arena.ts";
import { equalBytes } from "../../base/bytes.ts";
import type { RefList } from "../ref-list.ts";
import { KEY_LENGTH_MASK } from "./key-word.ts";

export const HEADER_BYTES = 64;
/** Words of the header. */
export const USED = 0;
export const BUCKETS = 1;
export const GOAL_EXP = 2;
export const CAPACITY_EXP = 3;
export const DIR = 4;
export const CHUNKS = 5;
export const CHILDREN = 6;
export const SLOT_MAX = 7;
export const ROUND_SLOT_MAX = 8;
export const KEY_OFFSET = 9;
export const PAUSES = 10;
export const HAS_GROWN = 11;
export const FROZEN = 12;

export const BUCKET_BYTES = 64;
export const BUCKET_WORDS = 16;
export const BUCKET_GRANULES = 8;
export const BUCKET_SLOTS = 12;
export const TAG_WORD = 12;
export const CHILD_WORD = 15;
export const CHUNK_EXP = 10;
export const CHUNK_BUCKETS = 1 << CHUNK_EXP;
/** Mean entries a bucket at which the table grows, and below which it shrinks. */
export const FILL_GROW = 8;
export const FILL_SHRINK = 3;
/** Mean entries a bucket at which a table grows even where there is no room for that (Arena.roomForTables): 1.6 times as many, as in Redis. */
export const FILL_GROW_WITHOUT_ROOM = 13;
/** Where tables stay as they are, mean entries a bucket at which one grows even so: chains then are two buckets long. */
export const FILL_GROW_EVEN_SO = 24;
/** Where tables stay as they are, buckets an entry at which one shrinks even so. Until then it costs no more memory than before. */
export const SPARE_SHRINK_EVEN_SO = 32;
export const EXP_MAX = 26;

/** The tag byte of a hash: never 0. */
export function tagOf(hash: number): number {
  const tag = hash >>> 24;
  return tag === 0 ? 1 : tag;
}

/** Bit 7 of each byte of the result is set where that byte of `x` is zero (bytes above the lowest zero may be set falsely). */
export function zeroBytes(x: number): number {
  return (x - 0x01010101) & ~x & 0x80808080;
}

/** The number of the bucket of a hash in a table of `buckets` buckets. */
export function bucketIndex(buckets: number, hash: number): number {
  const half = 1 << (31 - Math.clz32(buckets));
  const index = hash & (half + half - 1);
  // Without a branch, which would go one way as often as the other: half is taken off where the bucket is not there yet.
  return index - (half & ((buckets - 1 - index) >> 31));
}

/** The bucket of a number, or 0 when its chunk was never written. */
export function bucketAt(a: Arena, dir: Ref, capacityExp: number, index: number): Ref {
  if (capacityExp <= CHUNK_EXP) return (dir + index * BUCKET_GRANULES) | 0;
  const chunk = a.i32[dir >>> SEGMENT_SHIFT][((dir & GRANULE_MASK) << 1) + (index >> CHUNK_EXP)];
  return chunk === 0 ? 0 : (chunk + (index & (CHUNK_BUCKETS - 1)) * BUCKET_GRANULES) | 0;
}

/** The first entry of a bucket with the tag of a hash, or 0. */
export function firstCandidate(a: Arena, bucket: Ref, hash: number): Ref {
  const pattern = Math.imul(tagOf(hash), 0x01010101);
  const w = a.i32[bucket >>> SEGMENT_SHIFT];
  const b = (bucket & GRANULE_MASK) << 1;
  for (let group = 0; group < 3; group++) {
    const hits = zeroBytes(w[b + TAG_WORD + group] ^ pattern);
    if (hits !== 0) return w[b + group * 4 + ((31 - Math.clz32(hits & -hits)) >> 3)];
  }
  return 0;
}

/** The entry of a key in the chain of a bucket, or 0. */
export function findInChain(
  a: Arena,
  bucket: Ref,
  buf: Uint8Array,
  offset: number,
  length: number,
  hash: number,
  keyOffset: number,
): Ref {
  const pattern = Math.imul(tagOf(hash), 0x01010101);
  while (bucket !== 0) {
    const w = a.i32[bucket >>> SEGMENT_SHIFT];
    const b = (bucket & GRANULE_MASK) << 1;
    for (let group = 0; group < 3; group++) {
      let hits = zeroBytes(w[b + TAG_WORD + group] ^ pattern);
      while (hits !== 0) {
        const e = w[b + group * 4 + ((31 - Math.clz32(hits & -hits)) >> 3)];
        if (e !== 0 && keyEquals(a, e, buf, offset, length, keyOffset)) return e;
        hits &= hits - 1;
      }
    }
    bucket = w[b + CHILD_WORD];
  }
  return 0;
}

function keyEquals(a: Arena, e: Ref, buf: Uint8Array, offset: number, length: number, keyOffset: number): boolean {
  const seg = e >>> SEGMENT_SHIFT;
  const w = a.i32[seg];
  const word0 = w[(e & GRANULE_MASK) << 1];
  if ((word0 & KEY_LENGTH_MASK) !== length) return false;
  const at = ((e & GRANULE_MASK) << 3) + keyOffset;
  if (word0 < 0) return equalBytes(a.large[w[at >> 2]] as Uint8Array, 0, buf, offset, length);
  const bytes = a.u8[seg];
  for (let i = 0; i < length; i++) if (bytes[at + i] !== buf[offset + i]) return false;
  return true;
}

/** The entry in the chain of a bucket whose key is that of `e`, or 0. */
export function findEntryKey(a: Arena, bucket: Ref, e: Ref, hash: number, keyOffset: number): Ref {
  const seg = e >>> SEGMENT_SHIFT;
  const word0 = a.i32[seg][(e & GRANULE_MASK) << 1];
  const at = ((e & GRANULE_MASK) << 3) + keyOffset;
  const length = word0 & KEY_LENGTH_MASK;
  if (word0 >= 0) return findInChain(a, bucket, a.u8[seg], at, length, hash, keyOffset);
  return findInChain(a, bucket, a.large[a.i32[seg][at >> 2]] as Uint8Array, 0, length, hash, keyOffset);
}

/** Appends the entries of a chain. */
export function collectChain(a: Arena, bucket: Ref, out: RefList): void {
  while (bucket !== 0) {
    const w = a.i32[bucket >>> SEGMENT_SHIFT];
    const b = (bucket & GRANULE_MASK) << 1;
    for (let slot = 0; slot < BUCKET_SLOTS; slot++) {
      const e = w[b + slot];
      if (e !== 0) out.push(e);
    }
    bucket = w[b + CHILD_WORD];
  }
}

/** Puts an entry into the first free slot of a chain of the dict, adding a child bucket when there is none. Does not count it. */
export function placeInChain(a: Arena, d: Ref, bucket: Ref, e: Ref, tag: number): void {
  for (let depth = 0; ; depth++) {
    const w = a.i32[bucket >>> SEGMENT_SHIFT];
    const b = (bucket & GRANULE_MASK) << 1;
    for (let group = 0; group < 3; group++) {
      const holes = zeroBytes(w[b + TAG_WORD + group]);
      if (holes !== 0) {
        const k = (31 - Math.clz32(holes & -holes)) >> 3;
        w[b + group * 4 + k] = e;
        w[b + TAG_WORD + group] |= tag << (k * 8);
        if (depth > 0) noteSlot(a, d, depth * BUCKET_SLOTS + group * 4 + k + 1);
        return;
      }
    }
    let child = w[b + CHILD_WORD];
    if (child === 0) {
      child = newBuckets(a, 1);
      w[b + CHILD_WORD] = child;
      a.i32[d >>> SEGMENT_SHIFT][((d & GRANULE_MASK) << 1) + CHILDREN]++;
    }
    bucket = child;
  }
}

/**
 * Puts an entry into the first free slot of a bucket, as placeInChain does, if a look at the tags shows that its key is not there yet. False: one has the same tag,
 * there are children, or there is no free slot. The slot is found without a branch, which would go any way: buckets are full to any degree.
 */
export function placeIfEasy(a: Arena, bucket: Ref, e: Ref, tag: number): boolean {
  const w = a.i32[bucket >>> SEGMENT_SHIFT];
  const b = (bucket & GRANULE_MASK) << 1;
  const pattern = Math.imul(tag, 0x01010101);
  const first = w[b + TAG_WORD];
  const second = w[b + TAG_WORD + 1];
  const third = w[b + TAG_WORD + 2];
  const hits = zeroBytes(first ^ pattern) | zeroBytes(second ^ pattern) | zeroBytes(third ^ pattern);
  if ((hits | w[b + CHILD_WORD]) !== 0) return false;
  const group = isZero(zeroBytes(first)) * (1 + isZero(zeroBytes(second)));
  const tags = w[b + TAG_WORD + group];
  const holes = zeroBytes(tags);
  if (holes === 0) return false;
  const k = (31 - Math.clz32(holes & -holes)) >> 3;
  w[b + group * 4 + k] = e;
  w[b + TAG_WORD + group] = tags | (tag << (k * 8));
  return true;
}

/** 1 for zero, else 0; without a branch. */
function isZero(x: number): number {
  return 1 - ((x | -x) >>> 31);
}

/** Remembers that a chain has something in its slot number `slots` - 1. */
function noteSlot(a: Arena, d: Ref, slots: number): void {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  if (slots > w[h + SLOT_MAX]) w[h + SLOT_MAX] = slots;
  if (slots > w[h + ROUND_SLOT_MAX]) w[h + ROUND_SLOT_MAX] = slots;
}

/** Counts a child bucket off. Without children no chain is longer than a bucket. */
export function dropChild(a: Arena, d: Ref): void {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  if (--w[h + CHILDREN] === 0) w[h + SLOT_MAX] = w[h + ROUND_SLOT_MAX] = BUCKET_SLOTS;
}

/** So many empty buckets in a row. */
export function newBuckets(a: Arena, count: number): Ref {
  const ref = a.alloc(count * BUCKET_BYTES);
  clearBuckets(a, ref, count);
  return ref;
}

/** Empties so many buckets in a row; their children are not looked at. */
export function clearBuckets(a: Arena, bucket: Ref, count: number): void {
  const at = (bucket & GRANULE_MASK) << 1;
  a.i32[bucket >>> SEGMENT_SHIFT].fill(0, at, at + count * BUCKET_WORDS);
}

/** Lets go the overflow buckets of a bucket that is not used any more. */
export function freeChildren(a: Arena, bucket: Ref): void {
  let child = a.i32[bucket >>> SEGMENT_SHIFT][((bucket & GRANULE_MASK) << 1) + CHILD_WORD];
  while (child !== 0) {
    const next = a.i32[child >>> SEGMENT_SHIFT][((child & GRANULE_MASK) << 1) + CHILD_WORD];
    a.free(child);
    child = next;
  }
}
