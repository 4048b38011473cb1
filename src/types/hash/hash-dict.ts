/**
 * A hash in a struct/dict of fields (hash-table.ts). The entry's words are [dict][record of hash-expiry.ts, or 0]; fields that expire are in the
 * record's heap as well.
 *
 * Invariant: a field is in the heap exactly when it has an expiry.
 */
import { type Arena, type Ref, SEGMENT_SHIFT } from "../../arena/arena.ts";
import { dictChanging, dictFind, dictHash, dictInsert, dictRemove, dictReplace } from "../../struct/dict/dict.ts";
import {
  expiryHeapCreate,
  expiryHeapFix,
  expiryHeapMoved,
  expiryHeapPush,
  expiryHeapRemove,
  setItemTime,
} from "../../struct/expiry-heap.ts";
import { valueWord } from "../entry.ts";
import { ByteSpan } from "../string.ts";
import { expiryRecord, recordCreate, recordFields, setRecordFields } from "./hash-expiry.ts";
import {
  FIELD_OFFSET,
  fieldAssign,
  fieldCreate,
  fieldFree,
  fieldFreeMoved,
  fieldHasExpiry,
  fieldSetExpiring,
  readField,
} from "./hash-table.ts";

/** The dict of a hash that is kept in one. */
export function hashDict(a: Arena, e: Ref): Ref {
  return a.i32[e >>> SEGMENT_SHIFT][valueWord(a, e)];
}

/** The field of a name, or 0. */
export function dictHashFind(a: Arena, e: Ref, field: Uint8Array, at: number, length: number): Ref {
  return dictFind(a, hashDict(a, e), field, at, length, dictHash(a, field, at, length));
}

/** Sets a field; true when it is new. The expiry of an old one goes, unless it is to be kept. */
export function dictHashSet(
  a: Arena,
  e: Ref,
  field: Uint8Array,
  at: number,
  length: number,
  value: Uint8Array,
  valueAt: number,
  valueLength: number,
  keepExpiry: boolean,
): boolean {
  const dict = hashDict(a, e);
  const hash = dictHash(a, field, at, length);
  const old = dictFind(a, dict, field, at, length, hash);
  if (old === 0) {
    dictInsert(a, dict, fieldCreate(a, field, at, length, value, valueAt, valueLength, false), hash);
    return true;
  }
  dictChanging(a, dict, old);
  const expires = fieldHasExpiry(a, old);
  if (expires && !keepExpiry) expiryHeapRemove(a, fieldHeap(a, e), old);
  const fresh = fieldAssign(a, old, value, valueAt, valueLength, expires && keepExpiry);
  if (fresh === old) return false;
  dictReplace(a, dict, old, fresh, hash);
  if (expires && keepExpiry) expiryHeapMoved(a, fieldHeap(a, e), fresh);
  fieldFreeMoved(a, old);
  return false;
}

/** Replaces the value of a field that was found; its expiry stays. */
export function dictHashReplace(
  a: Arena,
  e: Ref,
  f: Ref,
  value: Uint8Array,
  valueAt: number,
  valueLength: number,
): void {
  dictChanging(a, hashDict(a, e), f);
  const expires = fieldHasExpiry(a, f);
  const fresh = fieldAssign(a, f, value, valueAt, valueLength, expires);
  if (fresh === f) return;
  dictReplace(a, hashDict(a, e), f, fresh, fieldHash(a, fresh));
  if (expires) expiryHeapMoved(a, fieldHeap(a, e), fresh);
  fieldFreeMoved(a, f);
}

/** Deletes a field; false when there is none. */
export function dictHashDelete(a: Arena, e: Ref, field: Uint8Array, at: number, length: number): boolean {
  const hash = dictHash(a, field, at, length);
  const f = dictFind(a, hashDict(a, e), field, at, length, hash);
  if (f === 0) return false;
  removeField(a, e, f, hash);
  return true;
}

const nameSpan = new ByteSpan();

/** Deletes a field that was found. */
export function dictHashDeleteField(a: Arena, e: Ref, f: Ref): void {
  removeField(a, e, f, fieldHash(a, f));
}

function removeField(a: Arena, e: Ref, f: Ref, hash: number): void {
  if (fieldHasExpiry(a, f)) expiryHeapRemove(a, fieldHeap(a, e), f);
  dictRemove(a, hashDict(a, e), f, hash);
  fieldFree(a, f);
}

/** The hash of a field's name. */
export function fieldHash(a: Arena, f: Ref): number {
  readField(a, f, nameSpan);
  return dictHash(a, nameSpan.buf, nameSpan.at, nameSpan.length);
}

/** Lets a field expire at `ms`, Unix time. Returns the field, which may have moved. */
export function dictHashSetExpiry(a: Arena, e: Ref, f: Ref, ms: number): Ref {
  dictChanging(a, hashDict(a, e), f);
  const heap = fieldHeap(a, e);
  if (fieldHasExpiry(a, f)) {
    setItemTime(a, f, FIELD_OFFSET, ms);
    expiryHeapFix(a, heap, f);
    return f;
  }
  const fresh = exchange(a, e, f, true);
  setItemTime(a, fresh, FIELD_OFFSET, ms);
  expiryHeapPush(a, heap, fresh);
  return fresh;
}

/** Takes a field's expiry away. */
export function dictHashPersist(a: Arena, e: Ref, f: Ref): void {
  if (!fieldHasExpiry(a, f)) return;
  dictChanging(a, hashDict(a, e), f);
  expiryHeapRemove(a, fieldHeap(a, e), f);
  exchange(a, e, f, false);
}

/** Gives a field room for an expiry, or takes that away. */
function exchange(a: Arena, e: Ref, f: Ref, withExpiry: boolean): Ref {
  const fresh = fieldSetExpiring(a, f, withExpiry);
  if (fresh === f) return f;
  dictReplace(a, hashDict(a, e), f, fresh, fieldHash(a, fresh));
  fieldFreeMoved(a, f);
  return fresh;
}

/** The heap of the fields that expire, made when there is none. */
function fieldHeap(a: Arena, e: Ref): Ref {
  let record = expiryRecord(a, e);
  if (record === 0) record = recordCreate(a, e, 0);
  let heap = recordFields(a, record);
  if (heap === 0) {
    heap = expiryHeapCreate(a, FIELD_OFFSET);
    setRecordFields(a, record, heap);
  }
  return heap;
}
