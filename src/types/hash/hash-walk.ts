/**
 * A walk over all fields of a hash that does not change meanwhile:
 *
 *   walkStart(a, e, walk);
 *   while (walkNext(a, walk)) ... walk.field, walk.value, walk.expiryMs
 *
 * A walk that is set on a single field by other means is a place to leave a field in. Whoever writes a snapshot uses walkStartSaved and walkNextSaved.
 */
import { type Arena, type Ref, SEGMENT_SHIFT } from "../../arena/arena.ts";
import { blobAt, blobBuffer } from "../../arena/blob.ts";
import type { FrozenView } from "../../arena/frozen.ts";
import { RefList } from "../../struct/dict/dict.ts";
import { LISTPACK_HEADER_BYTES } from "../../struct/listpack/listpack.ts";
import {
  elementBytes,
  integer,
  isString,
  LISTPACK_END,
  readInteger,
  stringAt,
  stringLength,
} from "../../struct/listpack/listpack-element.ts";
import { readBuckets } from "../bucket-walk.ts";
import { Encoding, entryEncoding, valueWord } from "../entry.ts";
import { ByteSpan } from "../string.ts";
import { fieldExpiry, readField, readFieldValue } from "./hash-table.ts";

const TWO_32 = 4294967296;

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
  /** Of a listpack: the offset of the next field, 0 at the start; of a dict: the cursor of the next bucket. */
  next = 0;
  /** Of a dict: whether the last bucket has been read, and the fields of the current ones. */
  ended = false;
  readonly bucket = new RefList();
  bucketIndex = 0;
  /** What the entry stands for, or null. */
  frozen: FrozenView | null = null;
  /** Keeps the loads of prefetching alive. */
  touched = 0;
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

/** The same for whoever writes a snapshot: the entry may stand for a hash that is frozen. */
export function walkStartSaved(a: Arena, e: Ref, walk: HashWalk): void {
  walkStart(a, e, walk);
  walk.frozen = a.frozen.view(e);
}

/** Goes on to the next field; false at the end. */
export function walkNext(a: Arena, walk: HashWalk): boolean {
  if (walk.encoding !== Encoding.HashTable) return nextInListpack(a, walk);
  while (walk.bucketIndex === walk.bucket.count) {
    if (walk.ended) return false;
    walk.bucket.count = 0;
    walk.bucketIndex = 0;
    readBuckets(a, walk);
  }
  readPlace(a, walk, walk.bucket.refs[walk.bucketIndex++]);
  return true;
}

/** Goes on to the next field of such a walk; false at the end, and when it has to look further and some are left. */
export function walkNextSaved(a: Arena, walk: HashWalk): boolean {
  if (walk.frozen === null) return walkNext(a, walk);
  const f = walk.frozen.next();
  if (f !== 0) readPlace(a, walk, f);
  return f !== 0;
}

function readPlace(a: Arena, walk: HashWalk, f: Ref): void {
  walk.place = f;
  walk.expiryMs = fieldExpiry(a, f);
  readField(a, f, walk.field);
  readFieldValue(a, f, walk.value);
}

function nextInListpack(a: Arena, walk: HashWalk): boolean {
  const lp = walk.root;
  if (lp === 0) return false;
  const buf = blobBuffer(a, lp);
  const at = blobAt(a, lp);
  const field = at + (walk.next === 0 ? LISTPACK_HEADER_BYTES : walk.next);
  if (buf[field] === LISTPACK_END) return false;
  const value = field + elementBytes(buf, field);
  let next = value + elementBytes(buf, value);
  walk.place = field - at;
  readElementAt(buf, field, walk.field);
  readElementAt(buf, value, walk.value);
  walk.expiryMs = 0;
  if (walk.encoding === Encoding.ListpackEx) {
    readInteger(buf, next);
    walk.expiryMs = integer.high * TWO_32 + (integer.low >>> 0);
    next += elementBytes(buf, next);
  }
  walk.next = next - at;
  return true;
}

/** Points `span` at the element at `p` of a listpack's buffer; an integer as its decimal form. */
export function readElementAt(buf: Uint8Array, p: number, span: ByteSpan): void {
  if (!isString(buf, p)) {
    readInteger(buf, p);
    span.setInt64(integer.low, integer.high);
    return;
  }
  span.buf = buf;
  span.at = stringAt(buf, p);
  span.length = stringLength(buf, p);
}
