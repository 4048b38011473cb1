/**
 * The buckets of a dict: their layout, the search in a chain of them, and the tables and directories that they make up. See dict.ts for the drawing.
 */
import { type Arena, GRANULE_MASK, type Ref, SEGMENT_SHIFT } from "../arena/arena.ts";
import { equalBytes } from "../base/bytes.ts";
import type { RefList } from "./ref-list.ts";

export const HEADER_BYTES = 64;
export const USED0 = 0;
export const USED1 = 1;
export const EXP0 = 2;
export const EXP1 = 3;
export const DIR0 = 4;
export const DIR1 = 5;
export const REHASH_INDEX = 6;
export const KEY_OFFSET = 7;
export const PAUSES = 8;
export const CHILDREN0 = 9;
export const CHILDREN1 = 10;
export const CHAIN_MAX = 11;

export const BUCKET_BYTES = 64;
export const BUCKET_GRANULES = 8;
export const BUCKET_SLOTS = 12;
export const TAG_WORD = 12;
export const CHILD_WORD = 15;
export const CHUNK_EXP = 10;
export const CHUNK_BUCKETS = 1 << CHUNK_EXP;
/** Mean entries a bucket at which the table grows, and below which it shrinks. */
export const FILL_GROW = 9;
export const FILL_SHRINK = 1;
export const EXP_MAX = 26;

export const KEY_LENGTH_MASK = 0x3fffffff;
/** Bit of entry word 0: the key is a large buffer. */
export const KEY_IS_LARGE = 1 << 31;
/** Bit of entry word 0 that is the entry's owner's to use. */
export const KEY_FLAG = 1 << 30;

/** The tag byte of a hash: never 0. */
export function tagOf(hash: number): number {
  const tag = hash >>> 24;
  return tag === 0 ? 1 : tag;
}

/** Bit 7 of each byte of the result is set where that byte of `x` is zero (bytes above the lowest zero may be set falsely). */
export function zeroBytes(x: number): number {
  return (x - 0x01010101) & ~x & 0x80808080;
}

/** The bucket of a hash in a table, or 0 when its chunk was never written. */
export function bucketAt(a: Arena, dir: Ref, exp: number, hash: number): Ref {
  return bucketOfIndex(a, dir, exp, hash & ((1 << exp) - 1));
}

/** The bucket of an index in a table, or 0 when its chunk was never written. */
export function bucketOfIndex(a: Arena, dir: Ref, exp: number, index: number): Ref {
  if (exp <= CHUNK_EXP) return (dir + index * BUCKET_GRANULES) | 0;
  const chunk = a.i32[dir >>> SEGMENT_SHIFT][((dir & GRANULE_MASK) << 1) + (index >> CHUNK_EXP)];
  return chunk === 0 ? 0 : (chunk + (index & (CHUNK_BUCKETS - 1)) * BUCKET_GRANULES) | 0;
}

/** The bucket of a hash in a table, whose chunk is made if need be. */
export function bucketForWrite(a: Arena, dir: Ref, exp: number, hash: number): Ref {
  const index = hash & ((1 << exp) - 1);
  if (exp <= CHUNK_EXP) return (dir + index * BUCKET_GRANULES) | 0;
  const w = a.i32[dir >>> SEGMENT_SHIFT];
  const at = ((dir & GRANULE_MASK) << 1) + (index >> CHUNK_EXP);
  let chunk = w[at];
  if (chunk === 0) {
    chunk = newChunk(a, CHUNK_BUCKETS);
    w[at] = chunk;
  }
  return (chunk + (index & (CHUNK_BUCKETS - 1)) * BUCKET_GRANULES) | 0;
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

/** So many empty buckets in a row. */
export function newChunk(a: Arena, buckets: number): Ref {
  const ref = a.alloc(buckets * BUCKET_BYTES);
  const w = a.i32[ref >>> SEGMENT_SHIFT];
  const at = (ref & GRANULE_MASK) << 1;
  w.fill(0, at, at + buckets * 16);
  return ref;
}

/** A table, or directory, of 2^exp empty buckets. */
export function newTable(a: Arena, exp: number): Ref {
  if (exp <= CHUNK_EXP) return newChunk(a, 1 << exp);
  const count = 1 << (exp - CHUNK_EXP);
  const dir = a.alloc(count * 4);
  const at = (dir & GRANULE_MASK) << 1;
  a.i32[dir >>> SEGMENT_SHIFT].fill(0, at, at + count);
  return dir;
}

/** Lets go the chunk of a directory that holds bucket `index`. */
export function freeChunkOf(a: Arena, dir: Ref, index: number): void {
  const w = a.i32[dir >>> SEGMENT_SHIFT];
  const at = ((dir & GRANULE_MASK) << 1) + (index >> CHUNK_EXP);
  if (w[at] !== 0) a.free(w[at]);
  w[at] = 0;
}

/** Lets go a table whose buckets have no children left. */
export function freeTable(a: Arena, dir: Ref, exp: number): void {
  if (exp > CHUNK_EXP) {
    for (let index = 0; index < 1 << exp; index += CHUNK_BUCKETS) freeChunkOf(a, dir, index);
  }
  a.free(dir);
}

/** Lets go a table with everything but its entries. */
export function freeTableWithChildren(a: Arena, dir: Ref, exp: number): void {
  for (let index = 0; index < 1 << exp; index++) {
    const bucket = bucketOfIndex(a, dir, exp, index);
    if (bucket === 0) {
      index |= CHUNK_BUCKETS - 1;
      continue;
    }
    freeChildren(a, bucket);
  }
  freeTable(a, dir, exp);
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
