/** Brings blocks that will be read one after the other into the processor's caches, so that their misses overlap instead of adding up. */
import { type Arena, GRANULE_MASK, SEGMENT_SHIFT } from "../arena/arena.ts";
import type { RefList } from "./ref-list.ts";

/** Words from the start of a block to its second cache line, about: most blocks are short, but many cross into it. */
const NEXT_LINE = 11;
/** Blocks that a walk collects before it touches them: some ten misses are under way at a time. */
export const PREFETCH_BLOCKS = 16;

/** Touches the blocks of a list from index `from` on. The result means nothing, but must be used, or there are no loads. */
export function prefetchBlocks(a: Arena, list: RefList, from = 0): number {
  const { refs, count } = list;
  let sum = 0;
  for (let i = from; i < count; i++) {
    const w = a.i32[refs[i] >>> SEGMENT_SHIFT];
    const at = (refs[i] & GRANULE_MASK) << 1;
    sum ^= w[at] ^ w[at + NEXT_LINE];
  }
  return sum;
}
