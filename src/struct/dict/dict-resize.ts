/**
 * How a dict grows and shrinks: a bucket at a time, in place, by linear hashing (Witold Litwin). A table of 2^k + s buckets (s below 2^k) has the first s of
 * 2^k buckets split: what bucket i had with bit k of its hash set is in bucket i + 2^k. To grow is to split bucket s into itself and a new last one, to
 * shrink is to merge the last bucket into the one that it came from. So memory is touched in order and little by little, and a key is always in one place.
 */
import { type Arena, GRANULE_MASK, type Ref, SEGMENT_SHIFT } from "../../arena/arena.ts";
import {
  BUCKET_BYTES,
  BUCKET_GRANULES,
  BUCKET_SLOTS,
  BUCKET_WORDS,
  BUCKETS,
  bucketAt,
  CAPACITY_EXP,
  CHILD_WORD,
  CHUNK_BUCKETS,
  CHUNK_EXP,
  CHUNKS,
  clearBuckets,
  DIR,
  dropChild,
  GOAL_EXP,
  KEY_OFFSET,
  newBuckets,
  PAUSES,
  placeInChain,
  ROUND_SLOT_MAX,
  SLOT_MAX,
  TAG_WORD,
  tagOf,
} from "./dict-bucket.ts";
import { dictEntryHash } from "./dict-key.ts";

/** What moving a bucket counts as, against looking at an empty one. */
const MOVE_COST = 10;

/** Moves up to `buckets` buckets' entries towards the size that the dict is to have. Returns true while work remains. */
export function dictRehash(a: Arena, d: Ref, buckets: number): boolean {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  const goal = 1 << w[h + GOAL_EXP];
  if (w[h + BUCKETS] === goal) return false;
  if (w[h + PAUSES] !== 0) return true;
  for (let budget = buckets * MOVE_COST; budget > 0; ) {
    const moved = w[h + BUCKETS] < goal ? splitNext(a, d) : mergeLast(a, d);
    if (w[h + BUCKETS] === goal) return false;
    budget -= moved ? MOVE_COST : 1;
  }
  return true;
}

/** Adds a bucket and moves into it what belongs there; false when the bucket to split was empty. */
function splitNext(a: Arena, d: Ref): boolean {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  const index = w[h + BUCKETS]++;
  const half = 1 << (31 - Math.clz32(index));
  const target = newLastBucket(a, d, index);
  const source = bucketAt(a, w[h + DIR], w[h + CAPACITY_EXP], index - half);
  if (index === half) w[h + ROUND_SLOT_MAX] = BUCKET_SLOTS;
  const isWork = source !== 0 && !isEmpty(a, source);
  if (isWork) {
    touchEntries(a, source);
    splitBucket(a, source, target, half, w[h + KEY_OFFSET]);
    splitChildren(a, d, source, target, half);
  }
  // All children of before were freed on the way, and their entries noted where they are now.
  if (index + 1 === half * 2) w[h + SLOT_MAX] = w[h + ROUND_SLOT_MAX];
  return isWork;
}

/** The bucket of the next number, empty. Its chunk is not cleared as a whole, but bucket by bucket as they come. */
function newLastBucket(a: Arena, d: Ref, index: number): Ref {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  if (w[h + CAPACITY_EXP] > CHUNK_EXP && (index & (CHUNK_BUCKETS - 1)) === 0)
    setChunk(a, d, index, a.alloc(CHUNK_BUCKETS * BUCKET_BYTES));
  const bucket = bucketForWrite(a, d, index);
  clearBuckets(a, bucket, 1);
  return bucket;
}

/** Whether a bucket has neither entries nor children. */
function isEmpty(a: Arena, bucket: Ref): boolean {
  const w = a.i32[bucket >>> SEGMENT_SHIFT];
  const b = (bucket & GRANULE_MASK) << 1;
  return (w[b + TAG_WORD] | w[b + TAG_WORD + 1] | w[b + TAG_WORD + 2] | w[b + CHILD_WORD]) === 0;
}

/** Keeps loads alive that are made ahead of their use. */
let touched = 0;

/** Reads the first words of a bucket's entries, whose misses of the processor's caches then overlap. */
function touchEntries(a: Arena, bucket: Ref): void {
  const w = a.i32[bucket >>> SEGMENT_SHIFT];
  const b = (bucket & GRANULE_MASK) << 1;
  let sum = touched;
  for (let slot = 0; slot < BUCKET_SLOTS; slot++) {
    const e = w[b + slot];
    if (e !== 0) sum ^= a.i32[e >>> SEGMENT_SHIFT][(e & GRANULE_MASK) << 1];
  }
  touched = sum;
}

/** Moves the entries of a bucket (not of its children) whose hash has the bit `half` set to the front of an empty one. */
function splitBucket(a: Arena, source: Ref, target: Ref, half: number, keyOffset: number): void {
  const sw = a.i32[source >>> SEGMENT_SHIFT];
  const s = (source & GRANULE_MASK) << 1;
  const tw = a.i32[target >>> SEGMENT_SHIFT];
  const t = (target & GRANULE_MASK) << 1;
  let count = 0;
  for (let slot = 0; slot < BUCKET_SLOTS; slot++) {
    const e = sw[s + slot];
    if (e === 0) continue;
    const hash = dictEntryHash(a, e, keyOffset);
    if ((hash & half) === 0) continue;
    tw[t + count] = e;
    tw[t + TAG_WORD + (count >> 2)] |= tagOf(hash) << ((count & 3) * 8);
    sw[s + slot] = 0;
    sw[s + TAG_WORD + (slot >> 2)] &= ~(255 << ((slot & 3) * 8));
    count++;
  }
}

/** Spreads the entries of a bucket's children over the two, and frees the children. */
function splitChildren(a: Arena, d: Ref, source: Ref, target: Ref, half: number): void {
  const keyOffset = a.i32[d >>> SEGMENT_SHIFT][((d & GRANULE_MASK) << 1) + KEY_OFFSET];
  for (let child = takeChildren(a, source); child !== 0; child = freeChild(a, d, child)) {
    const w = a.i32[child >>> SEGMENT_SHIFT];
    const b = (child & GRANULE_MASK) << 1;
    for (let slot = 0; slot < BUCKET_SLOTS; slot++) {
      const e = w[b + slot];
      if (e === 0) continue;
      const hash = dictEntryHash(a, e, keyOffset);
      placeInChain(a, d, (hash & half) === 0 ? source : target, e, tagOf(hash));
    }
  }
}

/** Moves the entries of the last bucket to where they came from, and takes the bucket away; false when it was empty. */
function mergeLast(a: Arena, d: Ref): boolean {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  const index = w[h + BUCKETS] - 1;
  const half = 1 << (31 - Math.clz32(index));
  const source = bucketAt(a, w[h + DIR], w[h + CAPACITY_EXP], index);
  const isWork = source !== 0 && !isEmpty(a, source);
  if (isWork) {
    const target = bucketForWrite(a, d, index - half);
    moveEntries(a, d, source, target);
    for (let child = takeChildren(a, source); child !== 0; child = freeChild(a, d, child))
      moveEntries(a, d, child, target);
  }
  w[h + BUCKETS] = index;
  // A round of splits that goes on from here has not seen every bucket.
  w[h + ROUND_SLOT_MAX] = w[h + SLOT_MAX];
  if (w[h + CAPACITY_EXP] > CHUNK_EXP && (index & (CHUNK_BUCKETS - 1)) === 0) freeChunk(a, d, index);
  if (index === half) setCapacity(a, d, 31 - Math.clz32(index));
  return isWork;
}

/** Copies the entries of a bucket, not of its children, into another chain. */
function moveEntries(a: Arena, d: Ref, source: Ref, target: Ref): void {
  const w = a.i32[source >>> SEGMENT_SHIFT];
  const b = (source & GRANULE_MASK) << 1;
  for (let slot = 0; slot < BUCKET_SLOTS; slot++) {
    const e = w[b + slot];
    if (e !== 0) placeInChain(a, d, target, e, (w[b + TAG_WORD + (slot >> 2)] >>> ((slot & 3) * 8)) & 255);
  }
}

/** Unhooks the children of a bucket, and returns the first. */
function takeChildren(a: Arena, bucket: Ref): Ref {
  const w = a.i32[bucket >>> SEGMENT_SHIFT];
  const b = (bucket & GRANULE_MASK) << 1;
  const child = w[b + CHILD_WORD];
  w[b + CHILD_WORD] = 0;
  return child;
}

/** Frees a child that is unhooked, and returns the next one. */
function freeChild(a: Arena, d: Ref, child: Ref): Ref {
  const next = a.i32[child >>> SEGMENT_SHIFT][((child & GRANULE_MASK) << 1) + CHILD_WORD];
  a.free(child);
  dropChild(a, d);
  return next;
}

// ---- tables and directories

/** An empty table of 2^exp buckets for a dict that has none. The chunks of a directory come when they are written. */
export function newTable(a: Arena, d: Ref, exp: number): void {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  w[h + BUCKETS] = 1 << exp;
  w[h + GOAL_EXP] = exp;
  w[h + CAPACITY_EXP] = exp;
  w[h + CHUNKS] = 0;
  w[h + DIR] = exp <= CHUNK_EXP ? newBuckets(a, 1 << exp) : newDirectory(a, exp);
}

/** Lets go a table whose buckets have neither entries nor children left. */
export function freeTable(a: Arena, d: Ref): void {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  if (w[h + CAPACITY_EXP] > CHUNK_EXP)
    for (let index = 0; index < w[h + BUCKETS]; index += CHUNK_BUCKETS) freeChunk(a, d, index);
  a.free(w[h + DIR]);
}

/** Gives a table room for 2^exp buckets: half or twice as much as it has now. */
export function setCapacity(a: Arena, d: Ref, exp: number): void {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  const old = w[h + DIR];
  const oldExp = w[h + CAPACITY_EXP];
  if (exp === oldExp) return;
  if (exp <= CHUNK_EXP && oldExp <= CHUNK_EXP) {
    const table = a.alloc(BUCKET_BYTES << exp);
    copyWords(a, old, table, w[h + BUCKETS] * BUCKET_WORDS);
    w[h + DIR] = table;
  } else if (exp <= CHUNK_EXP) {
    w[h + DIR] = bucketForWrite(a, d, 0);
    w[h + CHUNKS] = 0;
  } else {
    const dir = newDirectory(a, exp);
    w[h + DIR] = dir;
    if (oldExp > CHUNK_EXP) copyWords(a, old, dir, 1 << (Math.min(exp, oldExp) - CHUNK_EXP));
    else setChunk(a, d, 0, old);
  }
  w[h + CAPACITY_EXP] = exp;
  if (exp <= CHUNK_EXP || oldExp > CHUNK_EXP) a.free(old);
}

/** The bucket of a number, whose chunk is made if need be. */
export function bucketForWrite(a: Arena, d: Ref, index: number): Ref {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  const bucket = bucketAt(a, w[h + DIR], w[h + CAPACITY_EXP], index);
  if (bucket !== 0) return bucket;
  const chunk = newBuckets(a, CHUNK_BUCKETS);
  setChunk(a, d, index, chunk);
  return (chunk + (index & (CHUNK_BUCKETS - 1)) * BUCKET_GRANULES) | 0;
}

/** Lets go the chunk of a directory that holds the bucket of a number, if there is one. */
export function freeChunk(a: Arena, d: Ref, index: number): void {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  const dir = w[h + DIR];
  const at = ((dir & GRANULE_MASK) << 1) + (index >> CHUNK_EXP);
  const chunk = a.i32[dir >>> SEGMENT_SHIFT][at];
  if (chunk === 0) return;
  a.free(chunk);
  a.i32[dir >>> SEGMENT_SHIFT][at] = 0;
  w[h + CHUNKS]--;
}

function setChunk(a: Arena, d: Ref, index: number, chunk: Ref): void {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  const dir = w[h + DIR];
  a.i32[dir >>> SEGMENT_SHIFT][((dir & GRANULE_MASK) << 1) + (index >> CHUNK_EXP)] = chunk;
  w[h + CHUNKS]++;
}

/** A directory for 2^exp buckets without chunks. */
function newDirectory(a: Arena, exp: number): Ref {
  const count = 1 << (exp - CHUNK_EXP);
  const dir = a.alloc(count * 4);
  const at = (dir & GRANULE_MASK) << 1;
  a.i32[dir >>> SEGMENT_SHIFT].fill(0, at, at + count);
  return dir;
}

function copyWords(a: Arena, source: Ref, target: Ref, count: number): void {
  const at = (source & GRANULE_MASK) << 1;
  const words = a.i32[source >>> SEGMENT_SHIFT].subarray(at, at + count);
  a.i32[target >>> SEGMENT_SHIFT].set(words, (target & GRANULE_MASK) << 1);
}
