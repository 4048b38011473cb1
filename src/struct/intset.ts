/**
 * Sets of integers as a sorted run in a blob, in Redis' own layout, little-endian:
 *
 *   [width:4][count:4] value ... value           width 2, 4 or 8: bytes of every value, signed
 *
 * Invariant: values ascend without repetition, and the width is that of the widest value that was ever added (it never shrinks).
 *
 * An int64 is given and answered as int32 halves. Adding and removing take two steps, so that nothing is searched twice:
 *
 *   index = intsetSearch(a, set, low, high);
 *   if (index < 0) set = intsetInsertAt(a, set, ~index, low, high);         else set = intsetRemoveAt(a, set, index);
 */
import type { Arena } from "../arena/arena.ts";
import { type BlobRef, blobAlloc, blobAt, blobBuffer, blobFree, blobResize } from "../arena/blob.ts";
import { copyBytes } from "../base/bytes.ts";
import type { Prng } from "../base/prng.ts";
import { readUint32, writeUint32 } from "./listpack/listpack-element.ts";

export const INTSET_HEADER_BYTES = 8;
const INT16 = 2;
const INT32 = 4;
const INT64 = 8;

/** The value that the latest intsetGet, intsetRandom or integer reader of this file found, as halves. */
export const intsetValue = { low: 0, high: 0 };

/** An empty set. */
export function intsetCreate(a: Arena): BlobRef {
  const set = blobAlloc(a, INTSET_HEADER_BYTES);
  const buf = blobBuffer(a, set);
  const at = blobAt(a, set);
  writeUint32(buf, at, INT16);
  writeUint32(buf, at + 4, 0);
  return set;
}

export function intsetFree(a: Arena, set: BlobRef): void {
  blobFree(a, set);
}

/** A set of its own with the same values. */
export function intsetCopy(a: Arena, set: BlobRef): BlobRef {
  const length = intsetBytes(a, set);
  const copy = blobAlloc(a, length);
  copyBytes(blobBuffer(a, set), blobAt(a, set), blobBuffer(a, copy), blobAt(a, copy), length);
  return copy;
}

/** Values of a set. */
export function intsetCount(a: Arena, set: BlobRef): number {
  return readUint32(blobBuffer(a, set), blobAt(a, set) + 4);
}

/** Bytes of a set, header included. */
export function intsetBytes(a: Arena, set: BlobRef): number {
  const buf = blobBuffer(a, set);
  const at = blobAt(a, set);
  return INTSET_HEADER_BYTES + readUint32(buf, at) * readUint32(buf, at + 4);
}

function readValue(buf: Uint8Array, p: number, width: number): void {
  if (width === INT16) {
    const n = ((buf[p] | (buf[p + 1] << 8)) << 16) >> 16;
    intsetValue.low = n;
    intsetValue.high = n >> 31;
    return;
  }
  const low = readUint32(buf, p) | 0;
  intsetValue.low = low;
  intsetValue.high = width === INT64 ? readUint32(buf, p + 4) | 0 : low >> 31;
}

function writeValue(buf: Uint8Array, p: number, width: number, low: number, high: number): void {
  if (width === INT16) {
    buf[p] = low;
    buf[p + 1] = low >> 8;
    return;
  }
  writeUint32(buf, p, low);
  if (width === INT64) writeUint32(buf, p + 4, high);
}

/** Bytes that an int64 takes in a set. */
function widthOf(low: number, high: number): number {
  if (high !== low >> 31) return INT64;
  return low >= -32768 && low <= 32767 ? INT16 : INT32;
}

/** The value at an index below the count, left in intsetValue. */
export function intsetGet(a: Arena, set: BlobRef, index: number): void {
  const buf = blobBuffer(a, set);
  const at = blobAt(a, set);
  const width = readUint32(buf, at);
  readValue(buf, at + INTSET_HEADER_BYTES + index * width, width);
}

/** A uniformly random value of a set that is not empty, left in intsetValue. */
export function intsetRandom(a: Arena, set: BlobRef, prng: Prng): void {
  intsetGet(a, set, prng.below(intsetCount(a, set)));
}

/** The index of a value; when it is absent, the complement (~) of the index at which it would stand. */
export function intsetSearch(a: Arena, set: BlobRef, low: number, high: number): number {
  const buf = blobBuffer(a, set);
  const at = blobAt(a, set);
  const width = readUint32(buf, at);
  const count = readUint32(buf, at + 4);
  if (widthOf(low, high) > width) return high < 0 ? ~0 : ~count;
  const values = at + INTSET_HEADER_BYTES;
  return width === INT64 ? search64(buf, values, count, low, high) : searchNarrow(buf, values, count, width, low);
}

function searchNarrow(buf: Uint8Array, values: number, count: number, width: number, wanted: number): number {
  let min = 0;
  let max = count - 1;
  while (min <= max) {
    const middle = (min + max) >>> 1;
    const p = values + middle * width;
    const n = width === INT16 ? ((buf[p] | (buf[p + 1] << 8)) << 16) >> 16 : readUint32(buf, p) | 0;
    if (n === wanted) return middle;
    if (n < wanted) min = middle + 1;
    else max = middle - 1;
  }
  return ~min;
}

function search64(buf: Uint8Array, values: number, count: number, low: number, high: number): number {
  let min = 0;
  let max = count - 1;
  const wanted = low >>> 0;
  while (min <= max) {
    const middle = (min + max) >>> 1;
    const p = values + middle * INT64;
    const h = readUint32(buf, p + 4) | 0;
    const l = readUint32(buf, p);
    if (h === high && l === wanted) return middle;
    if (h < high || (h === high && l < wanted)) min = middle + 1;
    else max = middle - 1;
  }
  return ~min;
}

/** Inserts a value that is absent at the index that intsetSearch gave. Returns where the set is then. */
export function intsetInsertAt(a: Arena, set: BlobRef, index: number, low: number, high: number): BlobRef {
  const oldWidth = readUint32(blobBuffer(a, set), blobAt(a, set));
  const count = intsetCount(a, set);
  if (index < 0 || index > count) throw new Error("intset: insert outside");
  const needed = widthOf(low, high);
  const width = needed > oldWidth ? needed : oldWidth;
  const oldBytes = INTSET_HEADER_BYTES + count * oldWidth;
  const fresh = blobResize(a, set, oldBytes, INTSET_HEADER_BYTES + (count + 1) * width);
  const buf = blobBuffer(a, fresh);
  const at = blobAt(a, fresh);
  const values = at + INTSET_HEADER_BYTES;
  if (width !== oldWidth) widen(buf, values, count, oldWidth, width, index === 0 ? 1 : 0);
  else if (index < count) buf.copyWithin(values + (index + 1) * width, values + index * width, values + count * width);
  writeValue(buf, values + index * width, width, low, high);
  writeUint32(buf, at, width);
  writeUint32(buf, at + 4, count + 1);
  return fresh;
}

/** Rewrites all values in another width, `shift` places further on. From the last to the first, so that none is overwritten unread. */
function widen(buf: Uint8Array, values: number, count: number, from: number, to: number, shift: number): void {
  for (let i = count - 1; i >= 0; i--) {
    readValue(buf, values + i * from, from);
    writeValue(buf, values + (i + shift) * to, to, intsetValue.low, intsetValue.high);
  }
}

/** Removes the value at an index. Returns where the set is then. */
export function intsetRemoveAt(a: Arena, set: BlobRef, index: number): BlobRef {
  return intsetRemoveRun(a, set, index, 1);
}

/** Removes `removed` values from an index on, of which there must be as many. Returns where the set is then. */
export function intsetRemoveRun(a: Arena, set: BlobRef, index: number, removed: number): BlobRef {
  const buf = blobBuffer(a, set);
  const at = blobAt(a, set);
  const width = readUint32(buf, at);
  const count = readUint32(buf, at + 4);
  if (index < 0 || removed < 0 || index + removed > count) throw new Error("intset: remove outside");
  const values = at + INTSET_HEADER_BYTES;
  buf.copyWithin(values + index * width, values + (index + removed) * width, values + count * width);
  writeUint32(buf, at + 4, count - removed);
  const bytes = INTSET_HEADER_BYTES + (count - removed) * width;
  return blobResize(a, set, bytes, bytes);
}

/** True when the bytes are a set: its size, and, when `deep`, the order of its values. Reads nothing outside of them. */
export function intsetIsValid(buf: Uint8Array, offset: number, length: number, deep: boolean): boolean {
  if (length < INTSET_HEADER_BYTES) return false;
  const width = readUint32(buf, offset);
  if (width !== INT16 && width !== INT32 && width !== INT64) return false;
  const count = readUint32(buf, offset + 4);
  if (count === 0 || INTSET_HEADER_BYTES + count * width !== length) return false;
  return !deep || ascends(buf, offset + INTSET_HEADER_BYTES, count, width);
}

function ascends(buf: Uint8Array, values: number, count: number, width: number): boolean {
  readValue(buf, values, width);
  for (let i = 1; i < count; i++) {
    const { low, high } = intsetValue;
    readValue(buf, values + i * width, width);
    const next = intsetValue;
    if (next.high < high || (next.high === high && next.low >>> 0 <= low >>> 0)) return false;
  }
  return true;
}

/** Throws an Error unless the set is one through and through, or empty. */
export function intsetCheck(a: Arena, set: BlobRef): void {
  const bytes = intsetBytes(a, set);
  const buf = blobBuffer(a, set);
  if (blobAt(a, set) + bytes > buf.length) throw new Error(`intset: ${bytes} bytes reach beyond the buffer`);
  if (intsetCount(a, set) > 0 && !intsetIsValid(buf, blobAt(a, set), bytes, true)) throw new Error("intset: not valid");
}
