/** What all types but the string have in their entry: the root of the value, and one word of the type's own. */
import { type Arena, type Ref, SEGMENT_SHIFT } from "../arena/arena.ts";
import { valueWord } from "./entry.ts";

/** The root: a blob, a dict, or what the encoding has. */
export function containerRoot(a: Arena, e: Ref): number {
  return a.i32[e >>> SEGMENT_SHIFT][valueWord(a, e)];
}

export function setContainerRoot(a: Arena, e: Ref, root: number): void {
  a.i32[e >>> SEGMENT_SHIFT][valueWord(a, e)] = root;
}

/** The word beside the root. */
export function containerWord(a: Arena, e: Ref): number {
  return a.i32[e >>> SEGMENT_SHIFT][valueWord(a, e) + 1];
}

export function setContainerWord(a: Arena, e: Ref, word: number): void {
  a.i32[e >>> SEGMENT_SHIFT][valueWord(a, e) + 1] = word;
}
