/**
 * Small hashes: a listpack of pairs (field, value), or, once a field has had a time to live, of triples (field, value, time) sorted by time; a field that
 * does not expire has time 0 and stands behind all others. Those are Redis' layouts of "listpack" and "listpackex".
 *
 * A field's place is its offset in the listpack. The entry's first word is the listpack, 0 while the hash has never had a field.
 */
import { type Arena, type Ref, SEGMENT_SHIFT } from "../../arena/arena.ts";
import { type BlobRef, blobAt, blobBuffer, blobCapacity } from "../../arena/blob.ts";
import { copyOf } from "../../base/bytes.ts";
import { int64High, int64Low } from "../../base/int64.ts";
import {
  LISTPACK_HEADER_BYTES,
  ListpackElement,
  listpackCopy,
  listpackCount,
  listpackCreate,
  listpackDeleteRun,
  listpackEnd,
  listpackFind,
  listpackFirst,
  listpackFree,
  listpackInsertInteger,
  listpackNext,
  listpackRead,
  listpackReplace,
  listpackSplice,
} from "../../struct/listpack/listpack.ts";
import { elementForm, integerForm, writeElement } from "../../struct/listpack/listpack-element.ts";
import { Encoding, entryEncoding, valueWord } from "../entry.ts";
import type { ByteSpan } from "../string.ts";
import { readElementAt } from "./hash-walk.ts";

const element = new ListpackElement();

/** The element at offset `p`, a time, in ms. */
function readTime(a: Arena, lp: BlobRef, p: number): number {
  listpackRead(a, lp, p, element);
  return element.number();
}

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
  return lp === 0 ? 0 : listpackFind(a, lp, 0, field, at, length, tupleOf(a, e) - 1);
}

/** Points `span` at the value of the field at a place; returns its time, 0 when it does not expire. */
export function listpackHashRead(a: Arena, e: Ref, place: number, span: ByteSpan): number {
  const lp = hashListpack(a, e);
  const value = listpackNext(a, lp, place);
  readElementAt(blobBuffer(a, lp), blobAt(a, lp) + value, span);
  return tupleOf(a, e) === 3 ? readTime(a, lp, listpackNext(a, lp, value)) : 0;
}

/** The time of the field at a place of a listpack with times. */
function timeAt(a: Arena, lp: BlobRef, place: number): number {
  return readTime(a, lp, listpackNext(a, lp, listpackNext(a, lp, place)));
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
  if (hashListpack(a, e) === 0) setListpack(a, e, listpackCreate(a));
  const offset = listpackEnd(a, hashListpack(a, e));
  const tuple = tupleOf(a, e);
  const valueBytes = elementForm(value, valueAt, valueLength);
  const bytes = elementForm(field, at, length) + valueBytes + (tuple === 3 ? NO_TIME_BYTES : 0);
  const lp = listpackSplice(a, hashListpack(a, e), offset, 0, bytes, tuple);
  setListpack(a, e, lp);
  const buf = blobBuffer(a, lp);
  elementForm(field, at, length);
  let p = writeElement(buf, blobAt(a, lp) + offset, field, at, length);
  elementForm(value, valueAt, valueLength);
  p = writeElement(buf, p, value, valueAt, valueLength);
  if (tuple === 3) writeTime(buf, p, 0);
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
  const old = hashListpack(a, e);
  const lp = listpackReplace(a, old, listpackNext(a, old, place), value, valueAt, valueLength);
  setListpack(a, e, lp);
  if (!keepExpiry && tupleOf(a, e) === 3 && timeAt(a, lp, place) !== 0) listpackHashSetTime(a, e, place, 0);
}

/** Deletes the field at a place. */
export function listpackHashDelete(a: Arena, e: Ref, place: number): void {
  setListpack(a, e, listpackDeleteRun(a, hashListpack(a, e), place, tupleOf(a, e)));
}

/** Bytes of a time of 0. */
const NO_TIME_BYTES = 2;

/** Writes a time as an element at `p` of a buffer. */
function writeTime(buf: Uint8Array, p: number, ms: number): void {
  integerForm(int64Low(ms), int64High(ms));
  writeElement(buf, p, buf, 0, 0);
}

/** Gives the field at a place of a listpack with times the time `ms` (0: none), and moves it to where it then belongs. */
export function listpackHashSetTime(a: Arena, e: Ref, place: number, ms: number): void {
  let lp = hashListpack(a, e);
  const pair = listpackNext(a, lp, listpackNext(a, lp, place)) - place;
  const from = blobAt(a, lp) + place;
  // Field and value as they are: only the time is another.
  const kept = copyOf(blobBuffer(a, lp), from, pair);
  listpackHashDelete(a, e, place);
  lp = hashListpack(a, e);
  const offset = ms === 0 ? listpackEnd(a, lp) : placeForTime(a, lp, ms);
  lp = listpackSplice(a, lp, offset, 0, pair + integerForm(int64Low(ms), int64High(ms)), 3);
  setListpack(a, e, lp);
  const buf = blobBuffer(a, lp);
  const to = blobAt(a, lp) + offset;
  buf.set(kept, to);
  writeTime(buf, to + pair, ms);
}

/** Where a field with a time is inserted: before the first that does not expire, or not earlier. */
function placeForTime(a: Arena, lp: BlobRef, ms: number): number {
  let p = listpackFirst(a, lp);
  while (p !== 0) {
    const time = timeAt(a, lp, p);
    if (time === 0 || time >= ms) return p;
    const value = listpackNext(a, lp, p);
    p = listpackNext(a, lp, listpackNext(a, lp, value));
  }
  return listpackEnd(a, lp);
}

/** Makes triples of the pairs of a plain listpack; the caller changes the encoding. */
export function listpackHashAddTimes(a: Arena, e: Ref): void {
  let lp = hashListpack(a, e);
  let p = LISTPACK_HEADER_BYTES;
  while (p < listpackEnd(a, lp)) {
    const value = listpackNext(a, lp, p);
    const next = listpackNext(a, lp, value);
    const after = next === 0 ? listpackEnd(a, lp) : next;
    lp = listpackInsertInteger(a, lp, after, 0, 0);
    p = after + NO_TIME_BYTES;
  }
  setListpack(a, e, lp);
}

/** A copy of the listpack. */
export function listpackHashCopy(a: Arena, e: Ref): BlobRef {
  const lp = hashListpack(a, e);
  return lp === 0 ? 0 : listpackCopy(a, lp);
}

/** Frees the listpack. */
export function listpackHashFree(a: Arena, e: Ref): void {
  const lp = hashListpack(a, e);
  if (lp !== 0) listpackFree(a, lp);
}
