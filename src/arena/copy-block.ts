/** Copies between blocks of an arena. A loop: for the few words of most blocks a native call and its view cost more. */
import { type Arena, GRANULE_MASK, type Ref, SEGMENT_SHIFT } from "./arena.ts";

/** Copies `count` words from the beginning of one block to the beginning of another. */
export function copyBlockWords(a: Arena, source: Ref, target: Ref, count: number): void {
  const from = a.i32[source >>> SEGMENT_SHIFT];
  const to = a.i32[target >>> SEGMENT_SHIFT];
  const s = (source & GRANULE_MASK) << 1;
  const t = (target & GRANULE_MASK) << 1;
  for (let i = 0; i < count; i++) to[t + i] = from[s + i];
}
