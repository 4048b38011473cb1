/** Brings entries that will be read one after the other into the processor's caches, and what the containers among them have as their root. */
import type { Arena, Ref } from "../arena/arena.ts";
import { blobAt, blobBuffer } from "../arena/blob.ts";
import { prefetchBlocks } from "../struct/block-prefetch.ts";
import type { RefList } from "../struct/ref-list.ts";
import { containerRoot } from "./container.ts";
import { entryType, Type } from "./entry.ts";

/** The result means nothing, but must be used, or there are no loads. */
export function prefetchEntries(a: Arena, entries: RefList): number {
  let sum = prefetchBlocks(a, entries);
  for (let i = 0; i < entries.count; i++) sum ^= rootByte(a, entries.refs[i]);
  return sum;
}

function rootByte(a: Arena, e: Ref): number {
  if (entryType(a, e) === Type.String) return 0;
  const root = containerRoot(a, e);
  return blobBuffer(a, root)[blobAt(a, root)];
}
