/** Brings entries that will be read one after the other into the processor's caches, so that their misses overlap. */
import { type Arena, GRANULE_MASK, type Ref, SEGMENT_SHIFT } from "../arena/arena.ts";
import { blobAt, blobBuffer } from "../arena/blob.ts";
import type { RefList } from "../struct/ref-list.ts";
import { containerRoot } from "./container.ts";
import { entryType, Type } from "./entry.ts";

/** Words from the start of a block to its second cache line, about: most entries are short, but many cross into it. */
const NEXT_LINE = 11;

/** Touches the entries, then what the containers among them have as their root. The result means nothing, but must be used, or there are no loads. */
export function prefetchEntries(a: Arena, entries: RefList): number {
  const { refs, count } = entries;
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const w = a.i32[refs[i] >>> SEGMENT_SHIFT];
    const at = (refs[i] & GRANULE_MASK) << 1;
    sum ^= w[at] ^ w[at + NEXT_LINE];
  }
  for (let i = 0; i < count; i++) sum ^= rootByte(a, refs[i]);
  return sum;
}

function rootByte(a: Arena, e: Ref): number {
  if (entryType(a, e) === Type.String) return 0;
  const root = containerRoot(a, e);
  return blobBuffer(a, root)[blobAt(a, root)];
}
