/** Reads strings that are a value in the layout in which it is kept: a listpack or an intset. They go into a blob at once, and are looked at there. */
import type { Arena } from "../arena/arena.ts";
import { type BlobRef, blobAlloc, blobAt, blobBuffer, blobFree } from "../arena/blob.ts";
import { listpackIsValid } from "../struct/listpack/listpack.ts";
import type { RdbInput, StringSlot } from "./input.ts";
import { looksLikeListpack } from "./listpack-integrity.ts";

/** Reads a string into a blob, which is the caller's. `slot` is where it was. */
export function readBlob(a: Arena, input: RdbInput, slot: StringSlot): BlobRef {
  input.open(slot);
  const blob = blobAlloc(a, slot.length);
  try {
    input.unpack(slot, blobBuffer(a, blob), blobAt(a, blob));
  } catch (error) {
    blobFree(a, blob);
    throw error;
  }
  return blob;
}

/** Reads a listpack, which is the caller's, all of whose bytes are right. `fault`: what is said when they are not. */
export function readListpack(a: Arena, input: RdbInput, slot: StringSlot, fault: string): BlobRef {
  const lp = readBlob(a, input, slot);
  if (!listpackIsValid(blobBuffer(a, lp), blobAt(a, lp), slot.length, true))
    refuseListpack(a, lp, slot.length, input, fault);
  return lp;
}

/** Frees `length` bytes that are not the listpack that they should be, and throws. */
export function refuseListpack(a: Arena, lp: BlobRef, length: number, input: RdbInput, fault: string): never {
  const isHidden = looksLikeListpack(blobBuffer(a, lp), blobAt(a, lp), length);
  blobFree(a, lp);
  throw input.corrupt(fault, isHidden);
}
