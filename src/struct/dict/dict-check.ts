/** What a dict looks like inside: its invariants, checked, and statistics of its chains. */
import { type Arena, GRANULE_MASK, type Ref, SEGMENT_SHIFT } from "../../arena/arena.ts";
import {
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
  DIR,
  FILL_GROW,
  GOAL_EXP,
  KEY_OFFSET,
  SLOT_MAX,
  TAG_WORD,
  tagOf,
  USED,
} from "./dict-bucket.ts";
import { dictEntryHash } from "./dict-key.ts";

/**
 * A dict as Redis' tables would look, for DEBUG HTSTATS: table 0, or, while the dict changes its size, table 0 with what has not moved yet and table 1 with
 * what has; null when there is no such table.
 */
export function dictTableStats(a: Arena, d: Ref, table: 0 | 1): DictTableStats | null {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  const buckets = w[h + BUCKETS];
  const goal = 1 << w[h + GOAL_EXP];
  if (buckets === goal && table === 1) return null;
  const isShrinking = buckets > goal;
  const half = 1 << (31 - Math.clz32(isShrinking ? buckets - 1 : buckets));
  // In a table that grows, the pairs of split buckets have moved; in one that shrinks, they are those that have not.
  const isSplitPart = isShrinking ? table === 0 : table === 1;
  const shown = isSplitPart ? half * 2 : half;
  const stats: DictTableStats = {
    buckets: shown,
    used: 0,
    growsAt: shown * FILL_GROW,
    chains: [],
  };
  let seen = 0;
  for (let index = 0; index < buckets; index++) {
    const isSplit = (index & (half - 1)) < buckets - half;
    if (isSplit !== isSplitPart) continue;
    const count = entriesOf(a, bucketAt(a, w[h + DIR], w[h + CAPACITY_EXP], index));
    stats.chains[count] = (stats.chains[count] ?? 0) + 1;
    stats.used += count;
    seen++;
  }
  if (seen < stats.buckets) stats.chains[0] = (stats.chains[0] ?? 0) + stats.buckets - seen;
  return stats;
}

function entriesOf(a: Arena, bucket: Ref): number {
  let count = 0;
  while (bucket !== 0) {
    const w = a.i32[bucket >>> SEGMENT_SHIFT];
    const b = (bucket & GRANULE_MASK) << 1;
    for (let slot = 0; slot < BUCKET_SLOTS; slot++) if (w[b + slot] !== 0) count++;
    bucket = w[b + CHILD_WORD];
  }
  return count;
}

/** What DEBUG HTSTATS prints: chains[n] is the number of buckets that hold n entries. */
export interface DictTableStats {
  buckets: number;
  used: number;
  /** Entries with which a table of so many buckets grows. */
  growsAt: number;
  chains: number[];
}

/** Walks everything and throws an Error that names the first violated invariant. */
export function dictCheck(a: Arena, d: Ref): void {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  const buckets = w[h + BUCKETS];
  const capacity = 1 << w[h + CAPACITY_EXP];
  if (buckets < 1 || buckets > capacity) throw new Error(`dict: ${buckets} buckets, with room for ${capacity}`);
  if (1 << w[h + GOAL_EXP] > capacity) throw new Error("dict: it is to grow beyond what there is room for");
  let used = 0;
  let children = 0;
  for (let index = 0; index < buckets; index++) {
    const { entries, depth } = checkChain(a, d, index);
    used += entries;
    children += Math.max(0, depth - 1);
  }
  if (used !== w[h + USED]) throw new Error(`dict: it holds ${used} entries, not ${w[h + USED]}`);
  if (children !== w[h + CHILDREN]) throw new Error(`dict: it has ${children} child buckets, not ${w[h + CHILDREN]}`);
  checkChunks(a, d);
}

function checkChain(a: Arena, d: Ref, index: number): { entries: number; depth: number } {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  let entries = 0;
  let depth = 0;
  let bucket = bucketAt(a, w[h + DIR], w[h + CAPACITY_EXP], index);
  for (; bucket !== 0; depth++) {
    const bw = a.i32[bucket >>> SEGMENT_SHIFT];
    const b = (bucket & GRANULE_MASK) << 1;
    let count = 0;
    for (let slot = 0; slot < BUCKET_SLOTS; slot++) {
      const e = bw[b + slot];
      const tag = (bw[b + TAG_WORD + (slot >> 2)] >>> ((slot & 3) * 8)) & 255;
      if ((e === 0) !== (tag === 0)) throw new Error(`dict: bucket ${index} slot ${slot}: ref ${e} with tag ${tag}`);
      if (e === 0) continue;
      count++;
      if (depth * BUCKET_SLOTS + slot >= w[h + SLOT_MAX])
        throw new Error(`dict: bucket ${index} has something beyond the last slot that is known of`);
      const hash = dictEntryHash(a, e, w[h + KEY_OFFSET]);
      if (tagOf(hash) !== tag) throw new Error(`dict: bucket ${index} slot ${slot}: wrong tag`);
      const right = bucketIndex(w[h + BUCKETS], hash);
      if (right !== index) throw new Error(`dict: an entry of bucket ${right} is in ${index}`);
    }
    if (depth > 0 && count === 0) throw new Error(`dict: bucket ${index} has an empty child`);
    entries += count;
    bucket = bw[b + CHILD_WORD];
  }
  return { entries, depth };
}

/** The chunks that a directory has must be those that it counts, and none may be beyond the buckets. */
function checkChunks(a: Arena, d: Ref): void {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  if (w[h + CAPACITY_EXP] <= CHUNK_EXP) return;
  let chunks = 0;
  for (let index = 0; index < 1 << w[h + CAPACITY_EXP]; index += CHUNK_BUCKETS) {
    if (bucketAt(a, w[h + DIR], w[h + CAPACITY_EXP], index) === 0) continue;
    chunks++;
    if (index >= w[h + BUCKETS]) throw new Error(`dict: a chunk from bucket ${index} on, of ${w[h + BUCKETS]} buckets`);
  }
  if (chunks !== w[h + CHUNKS]) throw new Error(`dict: ${chunks} chunks, not ${w[h + CHUNKS]}`);
}
