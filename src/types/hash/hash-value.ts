/** The hash as a value type: what is done to hashes without knowing that they are. */
import { type Arena, type Ref, SEGMENT_SHIFT } from "../../arena/arena.ts";
import { latin1Bytes } from "../../base/bytes.ts";
import {
  dictCreate,
  dictDismantle,
  dictInsert,
  dictIsFrozen,
  dictOverheadBytes,
  dictScan,
  dictSize,
  RefList,
} from "../../struct/dict/dict.ts";
import { expiryHeapCreate, expiryHeapPush } from "../../struct/expiry-heap.ts";
import { DIGEST_BYTES, Digest } from "../digest.ts";
import { Encoding, entryEncoding, setEntryEncoding, valueWord } from "../entry.ts";
import type { ValueType } from "../value-type.ts";
import { fieldHash, hashDict } from "./hash-dict.ts";
import { expiryRecord, recordBytes, recordCreate, recordFree } from "./hash-expiry.ts";
import { listpackHashBytes, listpackHashCopy, listpackHashFree } from "./hash-listpack.ts";
import { FIELD_OFFSET, fieldBytes, fieldCopy, fieldExpiry, fieldFree } from "./hash-table.ts";
import { HashWalk, walkNext, walkStart } from "./hash-walk.ts";

/** Encoding of a table that is being taken apart: its second word is where dictDismantle goes on. */
const RUIN = 15;
const BUCKETS = 8;
/** Fields that a bucket holds, about. */
const FIELDS_PER_BUCKET = 6;
/** Fields from which the size of a table is estimated. */
const SAMPLES = 4;

const list = new RefList();

/** Frees the record, so that of a table only the dict is left. False: a snapshot still reads that, and will free it. */
function beginRuin(a: Arena, e: Ref): boolean {
  const dict = hashDict(a, e);
  const isFrozen = dictIsFrozen(a, dict);
  if (isFrozen) a.frozen.inherit(dict, dictOverheadBytes(a, dict) + tableBytes(a, dict, SAMPLES));
  const record = expiryRecord(a, e);
  if (record !== 0) recordFree(a, record);
  if (isFrozen) return false;
  a.i32[e >>> SEGMENT_SHIFT][valueWord(a, e) + 1] = 0;
  setEntryEncoding(a, e, RUIN);
  return true;
}

/** Frees the fields of up to `buckets` buckets; true when the dict is gone. */
function ruinStep(a: Arena, e: Ref, buckets: number): boolean {
  const w = a.i32[e >>> SEGMENT_SHIFT];
  const v = valueWord(a, e);
  list.count = 0;
  const position = dictDismantle(a, w[v], w[v + 1], buckets, list);
  for (let i = 0; i < list.count; i++) fieldFree(a, list.refs[i]);
  w[v + 1] = position;
  return position < 0;
}

function free(a: Arena, e: Ref): void {
  const encoding = entryEncoding(a, e);
  if (encoding !== Encoding.HashTable && encoding !== RUIN) {
    const record = expiryRecord(a, e);
    if (record !== 0) recordFree(a, record);
    listpackHashFree(a, e);
    return;
  }
  if (encoding === Encoding.HashTable && !beginRuin(a, e)) return;
  while (!ruinStep(a, e, BUCKETS));
}

function freeStep(a: Arena, e: Ref, budget: number): boolean {
  const encoding = entryEncoding(a, e);
  if (encoding !== Encoding.HashTable && encoding !== RUIN) {
    free(a, e);
    return true;
  }
  if (encoding === Encoding.HashTable && !beginRuin(a, e)) return true;
  for (let left = budget; left > 0; left -= BUCKETS * FIELDS_PER_BUCKET) if (ruinStep(a, e, BUCKETS)) return true;
  return false;
}

function outsideBytes(a: Arena, e: Ref, samples: number): number {
  const record = expiryRecord(a, e);
  const beside = record === 0 ? 0 : recordBytes(a, record);
  if (entryEncoding(a, e) !== Encoding.HashTable) return beside + listpackHashBytes(a, e);
  const dict = hashDict(a, e);
  return beside + dictOverheadBytes(a, dict) + tableBytes(a, dict, samples);
}

/** Bytes of all fields of a dict, estimated from the first `samples` (0: all). */
function tableBytes(a: Arena, dict: Ref, samples: number): number {
  let bytes = 0;
  let seen = 0;
  let cursor = 0;
  do {
    list.count = 0;
    cursor = dictScan(a, dict, cursor, list);
    for (let i = 0; i < list.count && (samples === 0 || seen < samples); i++, seen++)
      bytes += fieldBytes(a, list.refs[i]);
  } while (cursor !== 0 && (samples === 0 || seen < samples));
  return seen === 0 ? 0 : Math.round((bytes / seen) * dictSize(a, dict));
}

function copy(a: Arena, source: Ref, target: Ref): void {
  const v = valueWord(a, target);
  const words = a.i32[target >>> SEGMENT_SHIFT];
  const record = expiryRecord(a, source);
  words[v + 1] = 0;
  if (entryEncoding(a, source) !== Encoding.HashTable) {
    words[v] = listpackHashCopy(a, source);
    if (record !== 0) recordCreate(a, target, 0);
    return;
  }
  const dict = dictCreate(a, FIELD_OFFSET);
  const heap = record === 0 ? 0 : expiryHeapCreate(a, FIELD_OFFSET);
  words[v] = dict;
  if (record !== 0) recordCreate(a, target, heap);
  let cursor = 0;
  do {
    list.count = 0;
    cursor = dictScan(a, hashDict(a, source), cursor, list);
    for (let i = 0; i < list.count; i++) {
      const f = fieldCopy(a, list.refs[i]);
      dictInsert(a, dict, f, fieldHash(a, f));
      if (fieldExpiry(a, f) !== 0) expiryHeapPush(a, heap, f);
    }
  } while (cursor !== 0);
}

const walk = new HashWalk();
const pair = new Digest();
const EXPIRES = latin1Bytes("!!hexpire!!");

function digest(a: Arena, e: Ref, into: Digest): void {
  walkStart(a, e, walk);
  while (walkNext(a, walk)) {
    pair.clear();
    pair.mix(walk.field.buf, walk.field.at, walk.field.length);
    pair.mix(walk.value.buf, walk.value.at, walk.value.length);
    if (walk.expiryMs !== 0) pair.add(EXPIRES, 0, EXPIRES.length);
    into.add(pair.state, 0, DIGEST_BYTES);
  }
}

/** The hash's row. */
export const HASH: ValueType = {
  free,
  freeEffort: (a, e) => (entryEncoding(a, e) === Encoding.HashTable ? dictSize(a, hashDict(a, e)) : 1),
  freeStep,
  outsideBytes,
  copy,
  dict: (a, e) => (entryEncoding(a, e) === Encoding.HashTable ? hashDict(a, e) : 0),
  digest,
};
