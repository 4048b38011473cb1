/** What a dict looks like inside: its invariants, checked, and statistics of its chains. */
import { type Arena, GRANULE_MASK, type Ref, SEGMENT_SHIFT } from "../arena/arena.ts";
import { dictEntryHash } from "./dict.ts";
import {
  BUCKET_SLOTS,
  bucketOfIndex,
  CHAIN_MAX,
  CHILD_WORD,
  DIR0,
  EXP0,
  KEY_OFFSET,
  REHASH_INDEX,
  TAG_WORD,
  tagOf,
  USED0,
} from "./dict-bucket.ts";

/** Buckets and entries of one of the two tables (table 1 exists while rehashing), for DEBUG HTSTATS; null when there is no such table. */
export function dictTableStats(a: Arena, d: Ref, table: 0 | 1): DictTableStats | null {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  const exp = w[h + EXP0 + table];
  if (exp < 0) return null;
  const stats: DictTableStats = {
    buckets: 1 << exp,
    used: w[h + USED0 + table],
    slotsPerBucket: BUCKET_SLOTS,
    chains: [],
  };
  for (let index = 0; index < 1 << exp; index++) {
    let count = 0;
    let bucket = bucketOfIndex(a, w[h + DIR0 + table], exp, index);
    while (bucket !== 0) {
      const bw = a.i32[bucket >>> SEGMENT_SHIFT];
      const b = (bucket & GRANULE_MASK) << 1;
      for (let slot = 0; slot < BUCKET_SLOTS; slot++) if (bw[b + slot] !== 0) count++;
      bucket = bw[b + CHILD_WORD];
    }
    stats.chains[count] = (stats.chains[count] ?? 0) + 1;
  }
  return stats;
}

/** What DEBUG HTSTATS prints: chains[n] is the number of buckets that hold n entries. */
export interface DictTableStats {
  buckets: number;
  used: number;
  slotsPerBucket: number;
  chains: number[];
}

/** Walks everything and throws an Error that names the first violated invariant. */
export function dictCheck(a: Arena, d: Ref): void {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  for (let table = 0; table < 2; table++) {
    const exp = w[h + EXP0 + table];
    if (exp < 0) continue;
    let used = 0;
    for (let index = 0; index < 1 << exp; index++) {
      const count = checkChain(a, d, table, exp, index);
      if (table === 0 && index < w[h + REHASH_INDEX] && count > 0)
        throw new Error(`dict: bucket ${index} was rehashed but holds ${count}`);
      used += count;
    }
    if (used !== w[h + USED0 + table])
      throw new Error(`dict: table ${table} holds ${used} entries, not ${w[h + USED0 + table]}`);
  }
}

function checkChain(a: Arena, d: Ref, table: number, exp: number, index: number): number {
  const w = a.i32[d >>> SEGMENT_SHIFT];
  const h = (d & GRANULE_MASK) << 1;
  let total = 0;
  let bucket = bucketOfIndex(a, w[h + DIR0 + table], exp, index);
  for (let depth = 0; bucket !== 0; depth++) {
    const bw = a.i32[bucket >>> SEGMENT_SHIFT];
    const b = (bucket & GRANULE_MASK) << 1;
    let count = 0;
    for (let slot = 0; slot < BUCKET_SLOTS; slot++) {
      const e = bw[b + slot];
      const tag = (bw[b + TAG_WORD + (slot >> 2)] >>> ((slot & 3) * 8)) & 255;
      if ((e === 0) !== (tag === 0)) throw new Error(`dict: bucket ${index} slot ${slot}: ref ${e} with tag ${tag}`);
      if (e === 0) continue;
      count++;
      const hash = dictEntryHash(a, e, w[h + KEY_OFFSET]);
      if (tagOf(hash) !== tag) throw new Error(`dict: bucket ${index} slot ${slot}: wrong tag`);
      if ((hash & ((1 << exp) - 1)) !== index)
        throw new Error(`dict: an entry of bucket ${hash & ((1 << exp) - 1)} is in ${index}`);
    }
    if (depth > 0 && count === 0) throw new Error(`dict: bucket ${index} has an empty child`);
    if (depth >= w[h + CHAIN_MAX]) throw new Error(`dict: chain of bucket ${index} is longer than recorded`);
    total += count;
    bucket = bw[b + CHILD_WORD];
  }
  return total;
}
