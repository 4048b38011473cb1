/**
 * Small hashes: a listpack of pairs (field, value), or, once a field has had a time to live, of triples (field, value, time) sorted by time; a field that
 * does not expire has time 0 and stands behind all others. Those are Redis' layouts of "listpack" and "listpackex".
 *
 * A field's place is its offset in the listpack. The entry's first word is the listpack, 0 while the hash has never had a field.
 */
import { type Arena, type Ref, SEGMENT_SHIFT } from "../arena/arena.ts";
import { type BlobRef, blobAlloc, blobAt, blobBuffer, blobCapacity, blobFree } from "../arena/blob.ts";
import { copyOf } from "../base/bytes.ts";
import { Encoding, entryEncoding, valueWord } from "./entry.ts";
import {
  elementForm,
  LISTPACK_HEADER_BYTES,
  listpackAfter,
  listpackBytes,
  listpackCount,
  listpackEnd,
  listpackFind,
  listpackNew,
  listpackRun,
  listpackSplice,
  numberForm,
  readElement,
  readNumber,
  writeElement,
} from "./hash-listpack-layout.ts";
import type { ByteSpan } from "./string.ts";

const NONE = new Uint8Array(0);

/** The listpack of a hash. */
export function hashListpack(a: Arena, e: Ref): BlobRef {
  return a.i32[e >>> SEGMENT_SHIFT][valueWord(a, e)];
}

function setListpack(a: Arena, e: Ref, lp: BlobRef): void {
  a.i32[e >>> SEGMENT_SHIFT][valueWord(a, e)] = lp;
}

/** Elements that a field takes: two, or three with a time. */
function tupleOf(a: Arena, e: Ref): number {
  return entryEncoding(a, e) === Encoding.ListpackEx ? 3 : 2;
}

/** Bytes of memory that the listpack takes. */
export function listpackHashBytes(a: Arena, e: Ref): number {
  const lp = hashListpack(a, e);
  return lp === 0 ? 0 : blobCapacity(a, lp);
}

/** Fields of the hash. */
export function listpackHashLength(a: Arena, e: Ref): number {
  const lp = hashListpack(a, e);
  return lp === 0 ? 0 : listpackCount(a, lp) / tupleOf(a, e);
}

/** The place of a field, or 0. */
export function listpackHashFind(a: Arena, e: Ref, field: Uint8Array, at: number, length: number): number {
  const lp = hashListpack(a, e);
  return lp === 0 ? 0 : listpackFind(a, lp, field, at, length, tupleOf(a, e));
}

/** Points `span` at the value of the field at a place; returns its time, 0 when it does not expire. */
export function listpackHashRead(a: Arena, e: Ref, place: number, span: ByteSpan): number {
  const lp = hashListpack(a, e);
  const value = listpackAfter(a, lp, place);
  readElement(a, lp, value, span);
  return tupleOf(a, e) === 3 ? readNumber(a, lp, listpackAfter(a, lp, value)) : 0;
}

/** The time of the field at a place of a listpack with times. */
function timeAt(a: Arena, lp: BlobRef, place: number): number {
  return readNumber(a, lp, listpackAfter(a, lp, listpackAfter(a, lp, place)));
}

/** Adds a field that is known to be absent, without a time to live: at the end. */
export function listpackHashAdd(
  a: Arena,
  e: Ref,
  field: Uint8Array,
  at: number,
  length: number,
  value: Uint8Array,
  valueAt: number,
  valueLength: number,
): void {
  if (hashListpack(a, e) === 0) setListpack(a, e, listpackNew(a));
  const end = listpackEnd(a, hashListpack(a, e));
  insertTuple(a, e, end, field, at, length, value, valueAt, valueLength, 0);
}

/** Inserts a field with its value, and its time where the listpack has times, at an offset. The bytes are not those of the listpack. */
function insertTuple(
  a: Arena,
  e: Ref,
  offset: number,
  field: Uint8Array,
  at: number,
  length: number,
  value: Uint8Array,
  valueAt: number,
  valueLength: number,
  ms: number,
): void {
  const tuple = tupleOf(a, e);
  let bytes = elementForm(field, at, length) + elementForm(value, valueAt, valueLength);
  if (tuple === 3) bytes += numberForm(ms);
  const lp = listpackSplice(a, hashListpack(a, e), offset, 0, bytes, tuple);
  setListpack(a, e, lp);
  elementForm(field, at, length);
  let p = writeElement(a, lp, offset, field, at, length);
  elementForm(value, valueAt, valueLength);
  p = writeElement(a, lp, p, value, valueAt, valueLength);
  if (tuple === 2) return;
  numberForm(ms);
  writeElement(a, lp, p, NONE, 0, 0);
}

/** Gives the field at a place another value; its time stays or goes. */
export function listpackHashReplace(
  a: Arena,
  e: Ref,
  place: number,
  value: Uint8Array,
  valueAt: number,
  valueLength: number,
  keepExpiry: boolean,
): void {
  let lp = hashListpack(a, e);
  const offset = listpackAfter(a, lp, place);
  const bytes = elementForm(value, valueAt, valueLength);
  lp = listpackSplice(a, lp, offset, listpackRun(a, lp, offset, 1), bytes, 0);
  setListpack(a, e, lp);
  writeElement(a, lp, offset, value, valueAt, valueLength);
  if (!keepExpiry && tupleOf(a, e) === 3 && timeAt(a, lp, place) !== 0) listpackHashSetTime(a, e, place, 0);
}

/** Deletes the field at a place. */
export function listpackHashDelete(a: Arena, e: Ref, place: number): void {
  const lp = hashListpack(a, e);
  const tuple = tupleOf(a, e);
  setListpack(a, e, listpackSplice(a, lp, place, listpackRun(a, lp, place, tuple), 0, -tuple));
}

/** Gives the field at a place of a listpack with times the time `ms` (0: none), and moves it to where it then belongs. */
export function listpackHashSetTime(a: Arena, e: Ref, place: number, ms: number): void {
  let lp = hashListpack(a, e);
  const pair = listpackRun(a, lp, place, 2);
  const from = blobAt(a, lp) + place;
  // Field and value as they are: only the time is another.
  const kept = copyOf(blobBuffer(a, lp), from, pair);
  listpackHashDelete(a, e, place);
  const offset = ms === 0 ? listpackEnd(a, hashListpack(a, e)) : placeForTime(a, hashListpack(a, e), ms);
  lp = listpackSplice(a, hashListpack(a, e), offset, 0, pair + numberForm(ms), 3);
  setListpack(a, e, lp);
  blobBuffer(a, lp).set(kept, blobAt(a, lp) + offset);
  writeElement(a, lp, offset + pair, NONE, 0, 0);
}

/** Where a field with a time is inserted: before the first that does not expire, or not earlier. */
function placeForTime(a: Arena, lp: BlobRef, ms: number): number {
  let p = listpackAfter(a, lp, 0);
  while (p !== 0) {
    const time = timeAt(a, lp, p);
    if (time === 0 || time >= ms) return p;
    const value = listpackAfter(a, lp, p);
    p = listpackAfter(a, lp, listpackAfter(a, lp, value));
  }
  return listpackEnd(a, lp);
}

/** Makes triples of the pairs of a plain listpack; the caller changes the encoding. */
export function listpackHashAddTimes(a: Arena, e: Ref): void {
  let lp = hashListpack(a, e);
  const bytes = numberForm(0);
  let p = LISTPACK_HEADER_BYTES;
  while (p < listpackEnd(a, lp)) {
    p += listpackRun(a, lp, p, 2);
    lp = listpackSplice(a, lp, p, 0, bytes, 1);
    p = writeElement(a, lp, p, NONE, 0, 0);
  }
  setListpack(a, e, lp);
}

/** A copy of the listpack. */
export function listpackHashCopy(a: Arena, e: Ref): BlobRef {
  const lp = hashListpack(a, e);
  if (lp === 0) return 0;
  const bytes = listpackBytes(a, lp);
  const copy = blobAlloc(a, bytes);
  const from = blobAt(a, lp);
  blobBuffer(a, copy).set(blobBuffer(a, lp).subarray(from, from + bytes), blobAt(a, copy));
  return copy;
}

/** Frees the listpack. */
export function listpackHashFree(a: Arena, e: Ref): void {
  const lp = hashListpack(a, e);
  if (lp !== 0) blobFree(a, lp);
}
