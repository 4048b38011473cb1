/**
 * The fields of a hash that is kept in a struct/dict: one block a field, with its value and, when it expires, its time.
 *
 *   word 0   [large field:1][has expiry:1][field length:30]
 *   word 1   [large value:1][value length:31]
 *   byte 8   the field (a large one: its LargeId)
 *            only with expiry, padded to 4: [time low][time high][heap position]     see struct/expiry-heap
 *            the value (a large one, padded to 4: its LargeId)
 *
 * Functions that take a buffer may be given one of the arena's own: segments never move.
 */
import { type Arena, BLOCK_MAX, GRANULE_MASK, type Ref, SEGMENT_SHIFT } from "../../arena/arena.ts";
import { copyBytes, copyOf } from "../../base/bytes.ts";
import { KEY_FLAG, KEY_IS_LARGE, KEY_LENGTH_MASK } from "../../struct/dict/dict.ts";
import { EXPIRY_ITEM_BYTES, itemTime } from "../../struct/expiry-heap.ts";
import type { ByteSpan } from "../string.ts";

/** Where the field stands in its block: the keyOffset of the dicts of hashes. */
export const FIELD_OFFSET = 8;
const HAS_EXPIRY = KEY_FLAG;
const LARGE_VALUE = 1 << 31;
const VALUE_LENGTH_MASK = 0x7fffffff;
/** Longer fields and values get a large buffer of their own. */
const FIELD_INLINE_MAX = BLOCK_MAX / 4;
const VALUE_INLINE_MAX = BLOCK_MAX / 2;

/** Byte offset of the value's bytes (or LargeId) in a block whose first two words are given. */
function valueOffset(word0: number, word1: number): number {
  let offset = FIELD_OFFSET + (word0 < 0 ? 4 : word0 & KEY_LENGTH_MASK);
  if ((word0 & HAS_EXPIRY) !== 0) offset = ((offset + 3) & ~3) + EXPIRY_ITEM_BYTES;
  return word1 < 0 ? (offset + 3) & ~3 : offset;
}

/** Word 1 for a value of `length` bytes. */
function valueWordOf(length: number): number {
  return length > VALUE_INLINE_MAX ? length | LARGE_VALUE : length;
}

/** Bytes of a block whose first two words are given. */
function blockBytes(word0: number, word1: number): number {
  return valueOffset(word0, word1) + (word1 < 0 ? 4 : word1);
}

/** A new field with its value. An expiry, when asked for, is unset: setItemTime, then the heap. */
export function fieldCreate(
  a: Arena,
  field: Uint8Array,
  fieldAt: number,
  fieldLength: number,
  value: Uint8Array,
  valueAt: number,
  valueLength: number,
  withExpiry: boolean,
): Ref {
  let word0 = fieldLength | (withExpiry ? HAS_EXPIRY : 0);
  if (fieldLength > FIELD_INLINE_MAX) word0 |= KEY_IS_LARGE;
  const word1 = valueWordOf(valueLength);
  const f = a.alloc(blockBytes(word0, word1));
  const seg = f >>> SEGMENT_SHIFT;
  const w = a.i32[seg];
  const at = (f & GRANULE_MASK) << 1;
  w[at] = word0;
  w[at + 1] = word1;
  if (word0 < 0) w[at + 2] = a.adoptLarge(copyOf(field, fieldAt, fieldLength));
  else copyBytes(field, fieldAt, a.u8[seg], (at << 2) + FIELD_OFFSET, fieldLength);
  writeValue(a, f, value, valueAt, valueLength);
  return f;
}

/** Writes a value into a block whose words 0 and 1 are set for it. */
function writeValue(a: Arena, f: Ref, value: Uint8Array, valueAt: number, valueLength: number): void {
  const seg = f >>> SEGMENT_SHIFT;
  const w = a.i32[seg];
  const at = (f & GRANULE_MASK) << 1;
  const to = (at << 2) + valueOffset(w[at], w[at + 1]);
  if (w[at + 1] < 0) w[to >> 2] = a.adoptLarge(copyOf(value, valueAt, valueLength));
  else copyBytes(value, valueAt, a.u8[seg], to, valueLength);
}

/** Frees what a value holds outside the block. */
function freeValue(a: Arena, f: Ref): void {
  const w = a.i32[f >>> SEGMENT_SHIFT];
  const at = (f & GRANULE_MASK) << 1;
  if (w[at + 1] < 0) a.freeLarge(w[((at << 2) + valueOffset(w[at], w[at + 1])) >> 2]);
}

/** Frees a field that is in no dict and no heap. */
export function fieldFree(a: Arena, f: Ref): void {
  freeValue(a, f);
  const w = a.i32[f >>> SEGMENT_SHIFT];
  const at = (f & GRANULE_MASK) << 1;
  if (w[at] < 0) a.freeLarge(w[at + 2]);
  a.free(f);
}

/**
 * Gives a field another value, and room for an expiry or none; an expiry that stays keeps time and position. `value` must not be the field's
 * own. Returns the field: `f`, or a fresh block in its place, to be put into the dict (and heap); `f` is then freed with fieldFreeMoved.
 */
export function fieldAssign(
  a: Arena,
  f: Ref,
  value: Uint8Array,
  valueAt: number,
  valueLength: number,
  withExpiry: boolean,
): Ref {
  const w = a.i32[f >>> SEGMENT_SHIFT];
  const at = (f & GRANULE_MASK) << 1;
  const word0 = withExpiry ? w[at] | HAS_EXPIRY : w[at] & ~HAS_EXPIRY;
  const word1 = valueWordOf(valueLength);
  const bytes = blockBytes(word0, word1);
  const capacity = a.capacity(f);
  if (w[at + 1] < 0) freeValue(a, f);
  if (bytes <= capacity && bytes * 2 + 64 >= capacity) {
    w[at] = word0;
    w[at + 1] = word1;
    writeValue(a, f, value, valueAt, valueLength);
    return f;
  }
  const fresh = rebuild(a, f, word0, word1, bytes);
  writeValue(a, fresh, value, valueAt, valueLength);
  return fresh;
}

/** A fresh block with the field (not its large buffer) and, when both have one, the expiry of `f`. */
function rebuild(a: Arena, f: Ref, word0: number, word1: number, bytes: number): Ref {
  const fresh = a.alloc(bytes);
  const source = a.i32[f >>> SEGMENT_SHIFT];
  const target = a.i32[fresh >>> SEGMENT_SHIFT];
  const from = (f & GRANULE_MASK) << 1;
  const to = (fresh & GRANULE_MASK) << 1;
  const keyWords = (FIELD_OFFSET + (word0 < 0 ? 4 : word0 & KEY_LENGTH_MASK) + 3) >> 2;
  const both = (word0 & source[from] & HAS_EXPIRY) !== 0;
  // The padding behind the field may belong to the old value, which is overwritten.
  const words = both ? keyWords + EXPIRY_ITEM_BYTES / 4 : keyWords;
  const room = a.capacity(fresh) >> 2;
  for (let i = 2; i < words && i < room; i++) target[to + i] = source[from + i];
  target[to] = word0;
  target[to + 1] = word1;
  return fresh;
}

/** Frees the block of a field that moved to another block, where its large field is. */
export function fieldFreeMoved(a: Arena, f: Ref): void {
  a.free(f);
}

/** Gives a field room for an expiry, or takes that away; the value stays. Returns the field as fieldAssign does. */
export function fieldSetExpiring(a: Arena, f: Ref, withExpiry: boolean): Ref {
  const seg = f >>> SEGMENT_SHIFT;
  const w = a.i32[seg];
  const at = (f & GRANULE_MASK) << 1;
  const oldWord0 = w[at];
  const word0 = withExpiry ? oldWord0 | HAS_EXPIRY : oldWord0 & ~HAS_EXPIRY;
  if (word0 === oldWord0) return f;
  const word1 = w[at + 1];
  const from = (at << 2) + valueOffset(oldWord0, word1);
  const bytes = blockBytes(word0, word1);
  let fresh = f;
  if (bytes > a.capacity(f)) fresh = rebuild(a, f, word0, word1, bytes);
  const freshSeg = fresh >>> SEGMENT_SHIFT;
  const freshAt = (fresh & GRANULE_MASK) << 1;
  const to = (freshAt << 2) + valueOffset(word0, word1);
  const length = word1 < 0 ? 4 : word1;
  // Within one segment copyWithin is right even when the runs overlap.
  if (freshSeg === seg) a.u8[seg].copyWithin(to, from, from + length);
  else copyBytes(a.u8[seg], from, a.u8[freshSeg], to, length);
  a.i32[freshSeg][freshAt] = word0;
  return fresh;
}

/** True when a field expires. */
export function fieldHasExpiry(a: Arena, f: Ref): boolean {
  return (a.i32[f >>> SEGMENT_SHIFT][(f & GRANULE_MASK) << 1] & HAS_EXPIRY) !== 0;
}

/** When a field expires, Unix time in ms; 0 when it does not. */
export function fieldExpiry(a: Arena, f: Ref): number {
  return fieldHasExpiry(a, f) ? itemTime(a, f, FIELD_OFFSET) : 0;
}

/** Points `span` at the field's name. */
export function readField(a: Arena, f: Ref, span: ByteSpan): void {
  const seg = f >>> SEGMENT_SHIFT;
  const w = a.i32[seg];
  const at = (f & GRANULE_MASK) << 1;
  span.length = w[at] & KEY_LENGTH_MASK;
  if (w[at] < 0) {
    span.buf = a.large[w[at + 2]] as Uint8Array;
    span.at = 0;
  } else {
    span.buf = a.u8[seg];
    span.at = (at << 2) + FIELD_OFFSET;
  }
}

/** Points `span` at the field's value. */
export function readFieldValue(a: Arena, f: Ref, span: ByteSpan): void {
  const seg = f >>> SEGMENT_SHIFT;
  const w = a.i32[seg];
  const at = (f & GRANULE_MASK) << 1;
  const word1 = w[at + 1];
  const offset = (at << 2) + valueOffset(w[at], word1);
  span.length = word1 & VALUE_LENGTH_MASK;
  if (word1 < 0) {
    span.buf = a.large[w[offset >> 2]] as Uint8Array;
    span.at = 0;
  } else {
    span.buf = a.u8[seg];
    span.at = offset;
  }
}

/** Bytes of a field's block and of its large buffers. */
export function fieldBytes(a: Arena, f: Ref): number {
  const w = a.i32[f >>> SEGMENT_SHIFT];
  const at = (f & GRANULE_MASK) << 1;
  const large = (w[at] < 0 ? w[at] & KEY_LENGTH_MASK : 0) + (w[at + 1] < 0 ? w[at + 1] & VALUE_LENGTH_MASK : 0);
  return a.capacity(f) + large;
}

/** A copy of a field in no dict and no heap: its time is copied, its position is void. */
export function fieldCopy(a: Arena, f: Ref): Ref {
  const w = a.i32[f >>> SEGMENT_SHIFT];
  const at = (f & GRANULE_MASK) << 1;
  const fresh = a.alloc(blockBytes(w[at], w[at + 1]));
  const words = Math.min(a.capacity(f), a.capacity(fresh)) >> 2;
  const target = a.i32[fresh >>> SEGMENT_SHIFT];
  const to = (fresh & GRANULE_MASK) << 1;
  for (let i = 0; i < words; i++) target[to + i] = w[at + i];
  if (w[at] < 0) target[to + 2] = a.adoptLarge((a.large[w[at + 2]] as Uint8Array).slice());
  if (w[at + 1] < 0) {
    const offset = valueOffset(w[at], w[at + 1]) >> 2;
    target[to + offset] = a.adoptLarge((a.large[w[at + offset]] as Uint8Array).slice());
  }
  return fresh;
}
