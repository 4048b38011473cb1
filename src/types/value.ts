/**
 * What every value type answers for: one row a type, so that code above never switches over types. A type number without a
 * row is not stored by this server.
 */
import { type Arena, GRANULE_MASK, type Ref, SEGMENT_SHIFT } from "../arena/arena.ts";
import { copyBytes } from "../base/bytes.ts";
import { bigIntHigh, bigIntLow } from "../base/int64.ts";
import {
  entryCreate,
  entryExpiryBig,
  entryFree,
  entryHasExpiry,
  entryKeyAt,
  entryKeyBuffer,
  entryKeyLength,
  entryRebuild,
  entryType,
  setEntryAccess,
  setEntryExpiry,
  Type,
  valueWord,
} from "./entry.ts";
import {
  ByteSpan,
  copyStringValue,
  freeStringValue,
  readString,
  stringInlineBytes,
  stringOutsideBytes,
} from "./string.ts";
import { CONTAINER_BYTES, type ValueType } from "./value-type.ts";

const digestSpan = new ByteSpan();

const STRING: ValueType = {
  free: freeStringValue,
  freeEffort: () => 1,
  outsideBytes: stringOutsideBytes,
  copy: (a, _source, target) => copyStringValue(a, target),
  digest(a, e, digest) {
    readString(a, e, digestSpan);
    digest.mix(digestSpan.buf, digestSpan.at, digestSpan.length);
  },
};

/** The rows by type number. Those of containers are loaded with the first value that asks for them: an empty server needs none. */
const ROWS: (ValueType | null)[] = [STRING, null, null, null, null, null, null];

const LOADERS: ReadonlyArray<() => ValueType> = [
  () => STRING,
  () => (require("./list/list-value.ts") as typeof import("./list/list-value.ts")).LIST,
  () => (require("./set/set-value.ts") as typeof import("./set/set-value.ts")).SET,
  () => (require("./zset/zset-value.ts") as typeof import("./zset/zset-value.ts")).ZSET,
  () => (require("./hash/hash-value.ts") as typeof import("./hash/hash-value.ts")).HASH,
  () => (require("./unread-value.ts") as typeof import("./unread-value.ts")).UNREAD,
  () => (require("./stream/stream-value.ts") as typeof import("./stream/stream-value.ts")).STREAM,
];

function loadRow(type: number): ValueType {
  const row = LOADERS[type]();
  ROWS[type] = row;
  return row;
}

/** The row of an entry's type. */
export function valueType(a: Arena, e: Ref): ValueType {
  const type = entryType(a, e);
  return ROWS[type] ?? loadRow(type);
}

/** Frees an entry that is in no dict, and its value, at once. */
export function entryDiscard(a: Arena, e: Ref): void {
  valueType(a, e).free(a, e);
  entryFree(a, e, false);
}

/** Bytes of the value inside its entry. */
export function valueInlineBytes(a: Arena, e: Ref): number {
  return entryType(a, e) === Type.String ? stringInlineBytes(a, e) : CONTAINER_BYTES;
}

/** The same entry, key and value, in a block that has room for an expiry or none. The old block is freed; the value is not touched. */
export function entryMove(a: Arena, e: Ref, withExpiry: boolean): Ref {
  const bytes = valueInlineBytes(a, e);
  const fresh = entryRebuild(a, e, withExpiry, bytes);
  copyInlineValue(a, e, fresh, bytes);
  entryFree(a, e, true);
  return fresh;
}

function copyInlineValue(a: Arena, source: Ref, target: Ref, bytes: number): void {
  const from = valueWord(a, source) << 2;
  const to = valueWord(a, target) << 2;
  copyBytes(a.u8[source >>> SEGMENT_SHIFT], from, a.u8[target >>> SEGMENT_SHIFT], to, bytes);
}

/** A new entry of another key with the value's inline bytes, the meta word and the expiry of `e`. */
function entryUnderKey(a: Arena, e: Ref, key: Uint8Array, keyOffset: number, keyLength: number): Ref {
  const meta = a.i32[e >>> SEGMENT_SHIFT][((e & GRANULE_MASK) << 1) + 1];
  const bytes = valueInlineBytes(a, e);
  const fresh = entryCreate(a, key, keyOffset, keyLength, entryHasExpiry(a, e), meta, bytes);
  copyInlineValue(a, e, fresh, bytes);
  if (entryHasExpiry(a, e)) {
    const expiry = entryExpiryBig(a, e);
    setEntryExpiry(a, fresh, bigIntLow(expiry), bigIntHigh(expiry));
  }
  return fresh;
}

/** An entry with the key, the access bits, the expiry and the inline bytes of `e`: a value outside its entry is still that of `e` alone. */
export function entryStandIn(a: Arena, e: Ref): Ref {
  return entryUnderKey(a, e, entryKeyBuffer(a, e), entryKeyAt(a, e), entryKeyLength(a, e));
}

/** An entry that holds the value, access bits and expiry of `e` under another key. `e` and its key are freed; the value only changes hands. */
export function entryRename(a: Arena, e: Ref, key: Uint8Array, keyOffset: number, keyLength: number): Ref {
  const fresh = entryUnderKey(a, e, key, keyOffset, keyLength);
  entryFree(a, e, false);
  return fresh;
}

/** An entry that holds a copy of the value and the expiry of `e` under another key; `access` are its access bits. */
export function entryCopy(
  a: Arena,
  e: Ref,
  key: Uint8Array,
  keyOffset: number,
  keyLength: number,
  access: number,
): Ref {
  const fresh = entryUnderKey(a, e, key, keyOffset, keyLength);
  setEntryAccess(a, fresh, access);
  valueType(a, e).copy(a, e, fresh);
  return fresh;
}

/** Bytes of an entry's own block, and of its key's buffer when that is large. */
export function entryBytes(a: Arena, e: Ref): number {
  const w = a.i32[e >>> SEGMENT_SHIFT];
  const at = (e & GRANULE_MASK) << 1;
  return a.capacity(e) + (w[at] < 0 ? (a.large[w[at + 2]] as Uint8Array).length : 0);
}
