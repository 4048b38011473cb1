/** Hashes of the keys of dicts: of bytes that are looked up, and of entries that are there. */
import { type Arena, GRANULE_MASK, type Ref, SEGMENT_SHIFT } from "../../arena/arena.ts";
import { hashBytes } from "../../base/hash.ts";
import { KEY_LENGTH_MASK } from "./key-word.ts";

/** The hash that every function of a dict wants beside a key. */
export function dictHash(a: Arena, buf: Uint8Array, offset: number, length: number): number {
  const { hints } = a;
  if (buf === hints.buf && hints.has(offset, length)) return hints.hash(offset);
  return hashBytes(buf, offset, length, a.hashKey0, a.hashKey1);
}

/** The hash of a key in the buffer of the arena's hints, which is remembered there for when the key is looked up. */
export function dictHashAhead(a: Arena, offset: number, length: number): number {
  const hash = hashBytes(a.hints.buf, offset, length, a.hashKey0, a.hashKey1);
  a.hints.set(offset, length, hash);
  return hash;
}

/** The hash of an entry's own key. */
export function dictEntryHash(a: Arena, e: Ref, keyOffset: number): number {
  const seg = e >>> SEGMENT_SHIFT;
  const word0 = a.i32[seg][(e & GRANULE_MASK) << 1];
  const at = ((e & GRANULE_MASK) << 3) + keyOffset;
  if (word0 < 0) return dictHash(a, a.large[a.i32[seg][at >> 2]] as Uint8Array, 0, word0 & KEY_LENGTH_MASK);
  return dictHash(a, a.u8[seg], at, word0 & KEY_LENGTH_MASK);
}
