/**
 * What every value type answers for: one row a type, so that code above never switches over types. A type number without a
 * row is not stored by this server. Every type but the string keeps exactly CONTAINER_BYTES inside its entry: [root ref][one word of its own].
 */
import { type Arena, GRANULE_MASK, type Ref, SEGMENT_SHIFT } from "../arena/arena.ts";
import { entryFree, entryRebuild, entryType, Type, valueWord } from "./entry.ts";
import { freeStringValue, stringInlineBytes, stringOutsideBytes } from "./string.ts";

/** Bytes of a container's value inside its entry. */
export const CONTAINER_BYTES = 8;

/** The operations of a value type. All take an entry of that type. */
export interface ValueType {
  /** Frees all that the value holds outside its entry. */
  free(a: Arena, e: Ref): void;
  /** How many allocations freeing takes, about: what lazy freeing decides on. */
  freeEffort(a: Arena, e: Ref): number;
  /** Frees up to about `budget` allocations of a value that no key holds any more; true when all is free. Absent: free() at once. */
  freeStep?(a: Arena, e: Ref, budget: number): boolean;
  /** Bytes that the value holds outside its entry, estimated from `samples` elements (0: all). */
  outsideBytes(a: Arena, e: Ref, samples: number): number;
}

const STRING: ValueType = {
  free: freeStringValue,
  freeEffort: () => 1,
  outsideBytes: stringOutsideBytes,
};

const ROWS: (ValueType | null)[] = [STRING, null, null, null, null, null, null];

/** The row of an entry's type. */
export function valueType(a: Arena, e: Ref): ValueType {
  const row = ROWS[entryType(a, e)];
  if (row === null) throw new Error(`no value type ${entryType(a, e)}`);
  return row;
}

/** Bytes of the value inside its entry. */
export function valueInlineBytes(a: Arena, e: Ref): number {
  return entryType(a, e) === Type.String ? stringInlineBytes(a, e) : CONTAINER_BYTES;
}

/** The same entry, key and value, in a block that has room for an expiry or none. The old block is freed; the value is not touched. */
export function entryMove(a: Arena, e: Ref, withExpiry: boolean): Ref {
  const bytes = valueInlineBytes(a, e);
  const fresh = entryRebuild(a, e, withExpiry, bytes);
  const source = valueWord(a, e) << 2;
  const bytesIn = a.u8[e >>> SEGMENT_SHIFT];
  const bytesOut = a.u8[fresh >>> SEGMENT_SHIFT];
  const target = valueWord(a, fresh) << 2;
  if (bytesIn === bytesOut) bytesOut.copyWithin(target, source, source + bytes);
  else bytesOut.set(bytesIn.subarray(source, source + bytes), target);
  entryFree(a, e, true);
  return fresh;
}

/** Bytes of an entry's own block, and of its key's buffer when that is large. */
export function entryBytes(a: Arena, e: Ref): number {
  const w = a.i32[e >>> SEGMENT_SHIFT];
  const at = (e & GRANULE_MASK) << 1;
  return a.capacity(e) + (w[at] < 0 ? (a.large[w[at + 2]] as Uint8Array).length : 0);
}
