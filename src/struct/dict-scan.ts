/** Walking through a dict: by a cursor that survives resizing, and to random entries. */
import { type Arena, GRANULE_MASK, type Ref, SEGMENT_SHIFT } from "../arena/arena.ts";
import type { Prng } from "../base/prng.ts";
import {
  BUCKET_SLOTS,
  bucketOfIndex,
  CHAIN_MAX,
  CHILD_WORD,
  collectChain,
  DIR0,
  DIR1,
  EXP0,
  EXP1,
  REHASH_INDEX,
  USED0,
  USED1,
} from "./dict-bucket.ts";
import { RefList } from "./ref-list.ts";

/**
 * One step of SCAN: appends the entries of one bucket (and, while rehashing, of the buckets of the larger table that it expands to)
 * to `out` and returns the next cursor, 0 at the end. Every entry present from start to end is returned at least once.
 */
export function dictScan(a: Arena, d: Ref, cursor: number, out: RefList): number {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  let v = cursor | 0;
  if (w[h + EXP1] < 0) {
    const mask = (1 << w[h + EXP0]) - 1;
    collectChain(a, bucketOfIndex(a, w[h + DIR0], w[h + EXP0], v & mask), out);
    return nextCursor(v, mask);
  }
  const smallTable = w[h + EXP0] < w[h + EXP1] ? 0 : 1;
  const largeTable = 1 - smallTable;
  const smallMask = (1 << w[h + EXP0 + smallTable]) - 1;
  const largeMask = (1 << w[h + EXP0 + largeTable]) - 1;
  collectChain(a, bucketOfIndex(a, w[h + DIR0 + smallTable], w[h + EXP0 + smallTable], v & smallMask), out);
  do {
    collectChain(a, bucketOfIndex(a, w[h + DIR0 + largeTable], w[h + EXP0 + largeTable], v & largeMask), out);
    v = nextCursor(v, largeMask);
  } while ((v & (smallMask ^ largeMask)) !== 0);
  return v;
}

/** A uniformly random entry, or 0 when the dict is empty. */
export function dictRandom(a: Arena, d: Ref, prng: Prng): Ref {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  if (w[h + USED0] + w[h + USED1] === 0) return 0;
  const start0 = w[h + EXP1] >= 0 ? w[h + REHASH_INDEX] : 0;
  const count0 = (1 << w[h + EXP0]) - start0;
  const count1 = w[h + EXP1] >= 0 ? 1 << w[h + EXP1] : 0;
  const chainMax = w[h + CHAIN_MAX];
  // Rejection sampling over (bucket, depth, slot): each slot is equally likely, so each entry is.
  for (let attempt = 0; attempt < 10_000; attempt++) {
    const index = prng.below(count0 + count1);
    let bucket =
      index < count0
        ? bucketOfIndex(a, w[h + DIR0], w[h + EXP0], start0 + index)
        : bucketOfIndex(a, w[h + DIR1], w[h + EXP1], index - count0);
    for (let depth = prng.below(chainMax); depth > 0 && bucket !== 0; depth--) {
      bucket = a.i32[bucket >>> SEGMENT_SHIFT][((bucket & GRANULE_MASK) << 1) + CHILD_WORD];
    }
    if (bucket === 0) continue;
    const e = a.i32[bucket >>> SEGMENT_SHIFT][((bucket & GRANULE_MASK) << 1) + prng.below(BUCKET_SLOTS)];
    if (e !== 0) return e;
  }
  return firstFrom(a, d, prng.below(count0 + count1));
}

/** The cursor after `v` over a table of mask + 1 buckets, counted in reversed bits; as a non-negative number. */
function nextCursor(v: number, mask: number): number {
  return reverseBits((reverseBits(v | ~mask) + 1) | 0) >>> 0;
}

function reverseBits(x: number): number {
  let v = ((x >>> 1) & 0x55555555) | ((x & 0x55555555) << 1);
  v = ((v >>> 2) & 0x33333333) | ((v & 0x33333333) << 2);
  v = ((v >>> 4) & 0x0f0f0f0f) | ((v & 0x0f0f0f0f) << 4);
  v = ((v >>> 8) & 0x00ff00ff) | ((v & 0x00ff00ff) << 8);
  return (v >>> 16) | (v << 16);
}

function firstFrom(a: Arena, d: Ref, start: number): Ref {
  const out = new RefList();
  let cursor = start;
  for (let pass = 0; pass < 2; pass++) {
    do {
      cursor = dictScan(a, d, cursor, out);
      if (out.count > 0) return out.refs[0];
    } while (cursor !== 0);
  }
  return 0;
}
