/**
 * A walk over all fields of a hash that does not change meanwhile:
 *
 *   walkStart(a, e, walk);
 *   while (walkNext(a, walk)) ... walk.field, walk.value, walk.expiryMs
 *
 * A walk that is set on a single field by other means is a place to leave a field in.
 */
import { type Arena, type Ref, SEGMENT_SHIFT } from "../arena/arena.ts";
import { dictScan, RefList } from "../struct/dict.ts";
import { listpackFirst, listpackNext } from "../struct/listpack.ts";
import { Encoding, entryEncoding, valueWord } from "./entry.ts";
import { readElement, readTime } from "./hash-listpack.ts";
import { fieldExpiry, readField, readFieldValue } from "./hash-table.ts";
import { ByteSpan } from "./string.ts";

export class HashWalk {
  readonly field = new ByteSpan();
  readonly value = new ByteSpan();
  /** When the field expires, Unix time in ms; 0: never. */
  expiryMs = 0;
  /** The field, in terms of the encoding. */
  place = 0;

  encoding = 0;
  /** Listpack or dict. */
  root = 0;
  /** Of a listpack: the last element that was read; of a dict: the cursor of the next bucket. */
  next = 0;
  /** Of a dict: whether the last bucket has been read, and the fields of the current one. */
  ended = false;
  readonly bucket = new RefList();
  bucketIndex = 0;
}

/** Sets a walk before the first field. */
export function walkStart(a: Arena, e: Ref, walk: HashWalk): void {
  walk.encoding = entryEncoding(a, e);
  walk.root = a.i32[e >>> SEGMENT_SHIFT][valueWord(a, e)];
  walk.next = 0;
  walk.ended = false;
  walk.bucket.count = 0;
  walk.bucketIndex = 0;
}

/** Goes on to the next field; false at the end. */
export function walkNext(a: Arena, walk: HashWalk): boolean {
  if (walk.encoding !== Encoding.HashTable) return nextInListpack(a, walk);
  while (walk.bucketIndex === walk.bucket.count) {
    if (walk.ended) return false;
    walk.bucket.count = 0;
    walk.bucketIndex = 0;
    walk.next = dictScan(a, walk.root, walk.next, walk.bucket);
    walk.ended = walk.next === 0;
  }
  const f = walk.bucket.refs[walk.bucketIndex++];
  walk.place = f;
  walk.expiryMs = fieldExpiry(a, f);
  readField(a, f, walk.field);
  readFieldValue(a, f, walk.value);
  return true;
}

function nextInListpack(a: Arena, walk: HashWalk): boolean {
  const lp = walk.root;
  if (lp === 0) return false;
  // `next` is the last element that was read: the walk goes on behind it.
  const field = walk.next === 0 ? listpackFirst(a, lp) : listpackNext(a, lp, walk.next);
  if (field === 0) return false;
  const value = listpackNext(a, lp, field);
  walk.place = field;
  readElement(a, lp, field, walk.field);
  readElement(a, lp, value, walk.value);
  walk.next = value;
  walk.expiryMs = 0;
  if (walk.encoding !== Encoding.ListpackEx) return true;
  walk.next = listpackNext(a, lp, value);
  walk.expiryMs = readTime(a, lp, walk.next);
  return true;
}
