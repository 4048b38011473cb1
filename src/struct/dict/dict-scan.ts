/** Walking through a dict: by a cursor that survives resizing, and to random entries. */
import { type Arena, GRANULE_MASK, type Ref, SEGMENT_SHIFT } from "../../arena/arena.ts";
import type { Prng } from "../../base/prng.ts";
import { RefList } from "../ref-list.ts";
import {
  BUCKET_SLOTS,
  BUCKETS,
  bucketAt,
  CAPACITY_EXP,
  CHILD_WORD,
  collectChain,
  DIR,
  SLOT_MAX,
  USED,
} from "./dict-bucket.ts";

/**
 * One step of SCAN: appends the entries of one bucket (and, if it is split already while its neighbour is not, those of its other half) to `out` and returns
 * the next cursor, 0 at the end. Every entry present from start to end is returned at least once.
 */
export function dictScan(a: Arena, d: Ref, cursor: number, out: RefList): number {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  const buckets = w[h + BUCKETS];
  const half = 1 << (31 - Math.clz32(buckets));
  const index = cursor & (half - 1);
  collectChain(a, bucketAt(a, w[h + DIR], w[h + CAPACITY_EXP], index), out);
  if (index + half < buckets) collectChain(a, bucketAt(a, w[h + DIR], w[h + CAPACITY_EXP], index + half), out);
  return nextCursor(cursor, half - 1);
}

/** Buckets that dictRandom looks at together, so that the misses of the processor's caches overlap. */
const DRAWS = 4;
const drawn = new Int32Array(DRAWS);
/** Keeps loads alive that are made ahead of their use. */
let touched = 0;

/** A uniformly random entry, or 0 when the dict is empty. */
export function dictRandom(a: Arena, d: Ref, prng: Prng): Ref {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  if (w[h + USED] === 0) return 0;
  const buckets = w[h + BUCKETS];
  const slots = w[h + SLOT_MAX];
  // Rejection sampling over (bucket, slot of its chain): each slot is equally likely, so each entry is.
  for (let round = 0; round < 2500; round++) {
    drawBuckets(a, d, buckets, prng);
    for (let i = 0; i < DRAWS; i++) {
      const e = slotOfChain(a, drawn[i], prng.below(slots));
      if (e !== 0) return e;
    }
  }
  return firstFrom(a, d, prng.below(buckets));
}

/** Appends the entries of a few buckets that are drawn at random: a sample for whoever compares entries. It may be empty where a table is almost so. */
export function dictSample(a: Arena, d: Ref, prng: Prng, out: RefList): void {
  drawBuckets(a, d, a.i32[d >>> SEGMENT_SHIFT][((d & GRANULE_MASK) << 1) + BUCKETS], prng);
  for (let i = 0; i < DRAWS; i++) collectChain(a, drawn[i], out);
}

/** Draws DRAWS buckets and reads from each. */
function drawBuckets(a: Arena, d: Ref, buckets: number, prng: Prng): void {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  const dir = w[h + DIR];
  const capacityExp = w[h + CAPACITY_EXP];
  let sum = touched;
  for (let i = 0; i < DRAWS; i++) {
    const bucket = bucketAt(a, dir, capacityExp, prng.below(buckets));
    drawn[i] = bucket;
    if (bucket !== 0) sum ^= a.i32[bucket >>> SEGMENT_SHIFT][((bucket & GRANULE_MASK) << 1) + CHILD_WORD];
  }
  touched = sum;
}

/** What is in a slot of a chain, counted from its beginning; 0: nothing, or the chain is shorter. */
function slotOfChain(a: Arena, bucket: Ref, slot: number): Ref {
  while (bucket !== 0) {
    const w = a.i32[bucket >>> SEGMENT_SHIFT];
    const b = (bucket & GRANULE_MASK) << 1;
    if (slot < BUCKET_SLOTS) return w[b + slot];
    slot -= BUCKET_SLOTS;
    bucket = w[b + CHILD_WORD];
  }
  return 0;
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
