/** What all types but the string have in their entry: the root of the value, and one word of the type's own. */
import { type Arena, type Ref, SEGMENT_SHIFT } from "../arena/arena.ts";
import { entryCreate, valueWord } from "./entry.ts";
import { CONTAINER_BYTES } from "./value-type.ts";

/**
 * A new entry that holds a root. The word beside it is 0; the expiry, when asked for, is unset.
 * @param meta access, encoding and type, as they lie in word 1 of an entry (entry.ts)
 */
export function containerCreate(
  a: Arena,
  key: Uint8Array,
  keyAt: number,
  keyLength: number,
  withExpiry: boolean,
  meta: number,
  root: number,
): Ref {
  const e = entryCreate(a, key, keyAt, keyLength, withExpiry, meta, CONTAINER_BYTES);
  const w = a.i32[e >>> SEGMENT_SHIFT];
  const v = valueWord(a, e);
  w[v] = root;
  w[v + 1] = 0;
  return e;
}

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
