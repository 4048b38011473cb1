/**
 * The operations that every value type answers for. A type's file implements them; value.ts has the table. Every type but the string keeps exactly
 * CONTAINER_BYTES inside its entry: [root ref][one word of its own].
 */
import type { Arena, Ref } from "../arena/arena.ts";
import type { Digest } from "./digest.ts";

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
  /** `target` is an entry whose inline value bytes were copied from `source`: gives it copies of all that the value holds outside its entry. */
  copy(a: Arena, source: Ref, target: Ref): void;
  /** The dict of a value that is kept in one, or 0. Absent: never. */
  dict?(a: Arena, e: Ref): Ref;
  /** Mixes the value into a digest that is equal for equal values, whatever their encoding and the order of unordered elements. */
  digest(a: Arena, e: Ref, digest: Digest): void;
}
