/**
 * What a hash keeps when fields of it expire, or once did: a block beside its root.
 *
 *   word 0   0: as an item of the database's heap, a key of no bytes
 *   word 1   the key's entry, kept by the database: entries move
 *   word 2   [time low][time high][position]     as struct/expiry-heap wants them: the least time of a field, as the database knows it; position
 *            is NOT_INDEXED when the hash is not in the database's heap
 *   word 5   heap of the fields that expire (a hash in a dict); 0 in a listpack, which is sorted by time
 *
 * Invariant, whenever no command runs: a hash is in the heap of its database exactly when a field of it expires, with the least time of them.
 */
import { type Arena, GRANULE_MASK, type Ref, SEGMENT_SHIFT } from "../../arena/arena.ts";
import { expiryHeapBytes, expiryHeapFree, itemTime, setItemTime } from "../../struct/expiry-heap.ts";
import { Encoding, entryEncoding, entryType, Type, valueWord } from "../entry.ts";

const RECORD_BYTES = 24;
const OWNER = 1;
const POSITION = 4;
const FIELDS = 5;
const NOT_INDEXED = -1;

/** Where the (empty) key of a record stands: the keyOffset of databases' heaps. */
export const RECORD_KEY_OFFSET = 8;

/** The record of a hash, or 0 when no field of it ever had an expiry. */
export function expiryRecord(a: Arena, e: Ref): Ref {
  return entryEncoding(a, e) === Encoding.Listpack ? 0 : a.i32[e >>> SEGMENT_SHIFT][valueWord(a, e) + 1];
}

/** The record of any entry: 0 for what is no hash. */
export function expiryRecordOf(a: Arena, e: Ref): Ref {
  return entryType(a, e) === Type.Hash ? expiryRecord(a, e) : 0;
}

/** Makes the record of a hash that has none and is not a plain listpack any more. `fields`: its heap of fields, or 0. */
export function recordCreate(a: Arena, e: Ref, fields: Ref): Ref {
  const record = a.alloc(RECORD_BYTES);
  const w = a.i32[record >>> SEGMENT_SHIFT];
  const r = (record & GRANULE_MASK) << 1;
  w.fill(0, r, r + RECORD_BYTES / 4);
  w[r + OWNER] = e;
  w[r + POSITION] = NOT_INDEXED;
  w[r + FIELDS] = fields;
  a.i32[e >>> SEGMENT_SHIFT][valueWord(a, e) + 1] = record;
  return record;
}

/** Frees a record that is in no heap, and the heap of fields. */
export function recordFree(a: Arena, record: Ref): void {
  const fields = recordFields(a, record);
  if (fields !== 0) expiryHeapFree(a, fields);
  a.free(record);
}

/** Bytes of a record and of its heap. */
export function recordBytes(a: Arena, record: Ref): number {
  const fields = recordFields(a, record);
  return RECORD_BYTES + (fields === 0 ? 0 : expiryHeapBytes(a, fields));
}

/** The entry of the key that holds the hash. */
export function recordOwner(a: Arena, record: Ref): Ref {
  return a.i32[record >>> SEGMENT_SHIFT][((record & GRANULE_MASK) << 1) + OWNER];
}

export function setRecordOwner(a: Arena, record: Ref, e: Ref): void {
  a.i32[record >>> SEGMENT_SHIFT][((record & GRANULE_MASK) << 1) + OWNER] = e;
}

/** The heap of the fields that expire, or 0. */
export function recordFields(a: Arena, record: Ref): Ref {
  return a.i32[record >>> SEGMENT_SHIFT][((record & GRANULE_MASK) << 1) + FIELDS];
}

export function setRecordFields(a: Arena, record: Ref, fields: Ref): void {
  a.i32[record >>> SEGMENT_SHIFT][((record & GRANULE_MASK) << 1) + FIELDS] = fields;
}

/** True when the record is in its database's heap. */
export function recordIndexed(a: Arena, record: Ref): boolean {
  return a.i32[record >>> SEGMENT_SHIFT][((record & GRANULE_MASK) << 1) + POSITION] !== NOT_INDEXED;
}

/** Notes that the record was taken out of its database's heap. */
export function setRecordUnindexed(a: Arena, record: Ref): void {
  a.i32[record >>> SEGMENT_SHIFT][((record & GRANULE_MASK) << 1) + POSITION] = NOT_INDEXED;
}

/** The least time of a field that the database knows of, ms. Only of a record that is indexed. */
export function recordTime(a: Arena, record: Ref): number {
  return itemTime(a, record, RECORD_KEY_OFFSET);
}

export function setRecordTime(a: Arena, record: Ref, ms: number): void {
  setItemTime(a, record, RECORD_KEY_OFFSET, ms);
}
