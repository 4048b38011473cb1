/**
 * Hashes: fields with values, and perhaps a time to live for each field. The entry's two words, by encoding:
 *
 *   Listpack     [listpack][0]             field, value ... (hash-listpack.ts)
 *   ListpackEx   [listpack][record]        field, value, time ..., sorted by time; 0 is none
 *   HashTable    [dict][record or 0]       (hash-dict.ts); the record is that of hash-expiry.ts
 *
 * A hash starts as a listpack and becomes a table when it has more fields, or one longer, than its limits allow; never back. The first time to live
 * makes a listpack a ListpackEx. Nothing here looks at the time of day: an expired field is a field like any other until somebody deletes it.
 */
import { type Arena, type Ref, SEGMENT_SHIFT } from "../../arena/arena.ts";
import type { Prng } from "../../base/prng.ts";
import { dictCreate, dictHash, dictInsert, dictRandom, dictSize } from "../../struct/dict/dict.ts";
import { expiryHeapCreate, expiryHeapPush, expiryHeapTop, setItemTime } from "../../struct/expiry-heap.ts";
import { LISTPACK_BYTES_MAX } from "../../struct/listpack/listpack.ts";
import { containerCreate } from "../container.ts";
import { Encoding, entryEncoding, setEntryEncoding, Type, valueWord } from "../entry.ts";
import { ByteSpan } from "../string.ts";
import {
  dictHashDelete,
  dictHashDeleteField,
  dictHashFind,
  dictHashPersist,
  dictHashReplace,
  dictHashSet,
  dictHashSetExpiry,
  hashDict,
} from "./hash-dict.ts";
import { expiryRecord, recordCreate, recordFields, setRecordFields } from "./hash-expiry.ts";
import {
  listpackHashAdd,
  listpackHashAddTimes,
  listpackHashBytes,
  listpackHashDelete,
  listpackHashFind,
  listpackHashFree,
  listpackHashLength,
  listpackHashRead,
  listpackHashReplace,
  listpackHashSetTime,
} from "./hash-listpack.ts";
import { FIELD_OFFSET, fieldCreate, fieldExpiry, readField, readFieldValue } from "./hash-table.ts";
import { HashWalk, walkNext, walkStart } from "./hash-walk.ts";

/** When a listpack becomes a table: with more fields than `entries`, or a field or value longer than `value` bytes. */
export interface HashLimits {
  entries: number;
  value: number;
}

/** What hashFind found: good until the hash changes. */
export class HashSlot {
  /** The field, in terms of the encoding. */
  place = 0;
  readonly value = new ByteSpan();
  /** When the field expires, Unix time in ms; 0: never. */
  expiryMs = 0;
}

/** An entry with an empty hash, for a key that will get fields at once. */
export function hashCreate(a: Arena, key: Uint8Array, keyAt: number, keyLength: number, access: number): Ref {
  const meta = (access << 8) | (Encoding.Listpack << 4) | Type.Hash;
  // No listpack yet: the first field makes it, or the hash becomes a table before that.
  return containerCreate(a, key, keyAt, keyLength, false, meta, 0);
}

function setRoot(a: Arena, e: Ref, root: number, record: Ref): void {
  const w = a.i32[e >>> SEGMENT_SHIFT];
  const v = valueWord(a, e);
  w[v] = root;
  w[v + 1] = record;
}

/** Fields of a hash, expired ones included. */
export function hashLength(a: Arena, e: Ref): number {
  return entryEncoding(a, e) === Encoding.HashTable ? dictSize(a, hashDict(a, e)) : listpackHashLength(a, e);
}

/** Looks a field up; false when there is none. */
export function hashFind(a: Arena, e: Ref, field: Uint8Array, at: number, length: number, slot: HashSlot): boolean {
  if (entryEncoding(a, e) === Encoding.HashTable) {
    const f = dictHashFind(a, e, field, at, length);
    if (f === 0) return false;
    slot.place = f;
    slot.expiryMs = fieldExpiry(a, f);
    readFieldValue(a, f, slot.value);
    return true;
  }
  const place = listpackHashFind(a, e, field, at, length);
  if (place === 0) return false;
  slot.place = place;
  slot.expiryMs = listpackHashRead(a, e, place, slot.value);
  return true;
}

/** Sets a field; true when it is new. An old field loses its expiry unless that is to be kept. */
export function hashSet(
  a: Arena,
  e: Ref,
  field: Uint8Array,
  at: number,
  length: number,
  value: Uint8Array,
  valueAt: number,
  valueLength: number,
  limits: HashLimits,
  keepExpiry: boolean,
): boolean {
  if (entryEncoding(a, e) !== Encoding.HashTable) {
    if (fitsListpack(a, e, length, valueLength, limits)) {
      const place = listpackHashFind(a, e, field, at, length);
      if (place !== 0) listpackHashReplace(a, e, place, value, valueAt, valueLength, keepExpiry);
      else listpackHashAdd(a, e, field, at, length, value, valueAt, valueLength);
      // After a replacement too: the limit may have been lowered.
      if (listpackHashLength(a, e) > limits.entries) hashToTable(a, e);
      return place === 0;
    }
    hashToTable(a, e);
  }
  return dictHashSet(a, e, field, at, length, value, valueAt, valueLength, keepExpiry);
}

/** May a listpack take a field and a value of these lengths? Whether it then has too many fields is known only when the field is new. */
function fitsListpack(a: Arena, e: Ref, length: number, valueLength: number, limits: HashLimits): boolean {
  if (length > limits.value || valueLength > limits.value || limits.entries === 0) return false;
  return !hashExceeds(a, e, length + valueLength);
}

/** Would hashSet leave the encoding as it is when it replaces a value by one of `valueLength` bytes, in a field whose name has `length`? */
export function hashKeepsEncoding(a: Arena, e: Ref, length: number, valueLength: number, limits: HashLimits): boolean {
  if (entryEncoding(a, e) === Encoding.HashTable) return true;
  return fitsListpack(a, e, length, valueLength, limits) && listpackHashLength(a, e) <= limits.entries;
}

/** Replaces the value of the field that hashFind left in `slot`; its expiry stays. `value` is not the slot's own. */
export function hashReplace(
  a: Arena,
  e: Ref,
  slot: HashSlot,
  value: Uint8Array,
  valueAt: number,
  valueLength: number,
): void {
  if (entryEncoding(a, e) === Encoding.HashTable) dictHashReplace(a, e, slot.place, value, valueAt, valueLength);
  else listpackHashReplace(a, e, slot.place, value, valueAt, valueLength, true);
}

/** Deletes a field; false when there is none. The hash may be empty afterwards. */
export function hashDelete(a: Arena, e: Ref, field: Uint8Array, at: number, length: number): boolean {
  if (entryEncoding(a, e) === Encoding.HashTable) return dictHashDelete(a, e, field, at, length);
  const place = listpackHashFind(a, e, field, at, length);
  if (place === 0) return false;
  listpackHashDelete(a, e, place);
  return true;
}

/** Deletes the field that hashFind left in `slot`. */
export function hashDeleteFound(a: Arena, e: Ref, slot: HashSlot): void {
  if (entryEncoding(a, e) === Encoding.HashTable) dictHashDeleteField(a, e, slot.place);
  else listpackHashDelete(a, e, slot.place);
}

// ---- times to live

/** Makes a plain listpack one with times: what has to be before any field gets one. */
export function hashPrepareExpiry(a: Arena, e: Ref): void {
  if (entryEncoding(a, e) !== Encoding.Listpack) return;
  listpackHashAddTimes(a, e);
  setEntryEncoding(a, e, Encoding.ListpackEx);
  recordCreate(a, e, 0);
}

/** Lets the field that hashFind left in `slot` expire at `ms`. The hash was prepared; `slot` is void afterwards. */
export function hashExpireFound(a: Arena, e: Ref, slot: HashSlot, ms: number): void {
  if (entryEncoding(a, e) === Encoding.HashTable) dictHashSetExpiry(a, e, slot.place, ms);
  else listpackHashSetTime(a, e, slot.place, ms);
}

/** Takes the expiry of the field that hashFind left in `slot` away, which it has. `slot` is void afterwards. */
export function hashPersistFound(a: Arena, e: Ref, slot: HashSlot): void {
  if (entryEncoding(a, e) === Encoding.HashTable) dictHashPersist(a, e, slot.place);
  else listpackHashSetTime(a, e, slot.place, 0);
}

/** The least time at which a field expires, ms; 0 when none does. */
export function hashEarliest(a: Arena, e: Ref): number {
  const record = expiryRecord(a, e);
  if (record === 0) return 0;
  if (entryEncoding(a, e) !== Encoding.HashTable) return listpackHashLength(a, e) === 0 ? 0 : earliestInListpack(a, e);
  const fields = recordFields(a, record);
  const top = fields === 0 ? 0 : expiryHeapTop(a, fields);
  return top === 0 ? 0 : fieldExpiry(a, top);
}

function earliestInListpack(a: Arena, e: Ref): number {
  walkStart(a, e, earliestWalk);
  walkNext(a, earliestWalk);
  return earliestWalk.expiryMs;
}
const earliestWalk = new HashWalk();

/** Points `span` at the name of the field with the least time; there is one. */
export function readEarliest(a: Arena, e: Ref, span: ByteSpan): void {
  if (entryEncoding(a, e) === Encoding.HashTable) {
    readField(a, expiryHeapTop(a, recordFields(a, expiryRecord(a, e))), span);
    return;
  }
  earliestInListpack(a, e);
  span.buf = earliestWalk.field.buf;
  span.at = earliestWalk.field.at;
  span.length = earliestWalk.field.length;
}

/** Deletes the field with the least time; there is one. */
export function deleteEarliest(a: Arena, e: Ref): void {
  if (entryEncoding(a, e) === Encoding.HashTable) {
    dictHashDeleteField(a, e, expiryHeapTop(a, recordFields(a, expiryRecord(a, e))));
    return;
  }
  earliestInListpack(a, e);
  listpackHashDelete(a, e, earliestWalk.place);
}

// ---- chance

/** Sets `walk` on a uniformly random field of a hash that has some. */
export function hashRandom(a: Arena, e: Ref, prng: Prng, walk: HashWalk): void {
  if (entryEncoding(a, e) !== Encoding.HashTable) {
    walkStart(a, e, walk);
    for (let skip = prng.below(listpackHashLength(a, e)); skip >= 0; skip--) walkNext(a, walk);
    return;
  }
  const f = dictRandom(a, hashDict(a, e), prng);
  walk.place = f;
  walk.expiryMs = fieldExpiry(a, f);
  readField(a, f, walk.field);
  readFieldValue(a, f, walk.value);
}

// ---- encodings

/** True when a listpack with `bytes` more would be too large. */
export function hashExceeds(a: Arena, e: Ref, bytes: number): boolean {
  return entryEncoding(a, e) !== Encoding.HashTable && listpackHashBytes(a, e) + bytes > LISTPACK_BYTES_MAX;
}

/** Makes a listpack of either kind a table. Times are kept. */
export function hashToTable(a: Arena, e: Ref): void {
  if (entryEncoding(a, e) === Encoding.HashTable) return;
  const record = expiryRecord(a, e);
  const dict = dictCreate(a, FIELD_OFFSET);
  const heap = record === 0 ? 0 : expiryHeapCreate(a, FIELD_OFFSET);
  walkStart(a, e, tableWalk);
  while (walkNext(a, tableWalk)) {
    const { field, value, expiryMs } = tableWalk;
    const expires = expiryMs !== 0;
    const f = fieldCreate(a, field.buf, field.at, field.length, value.buf, value.at, value.length, expires);
    dictInsert(a, dict, f, dictHash(a, field.buf, field.at, field.length));
    if (!expires) continue;
    setItemTime(a, f, FIELD_OFFSET, expiryMs);
    expiryHeapPush(a, heap, f);
  }
  listpackHashFree(a, e);
  setRoot(a, e, dict, record);
  setEntryEncoding(a, e, Encoding.HashTable);
  if (record !== 0) setRecordFields(a, record, heap);
}
const tableWalk = new HashWalk();
