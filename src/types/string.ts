/**
 * String values. Where a value stands (types/entry.ts), by encoding:
 *
 *   Int           [low word][high word]                     an int64
 *   Embstr, Raw   [length][bytes ...]                       inline; the block may have room to grow
 *   Raw, large    [length | LARGE][LargeId]                 `length` bytes at the start of a buffer that may be longer
 *
 * As in Redis a value of up to 44 bytes is "embstr" when set and "raw" once modified; what reads as an int64 is stored as one.
 */
import { type Arena, GRANULE_MASK, type Ref, SEGMENT_SHIFT } from "../arena/arena.ts";
import { copyBytes, copyOf } from "../base/bytes.ts";
import {
  bigIntHigh,
  bigIntLow,
  int64High,
  int64Low,
  int64ToNumber,
  parseInt64,
  parseSafeInteger,
  writeInt64Halves,
} from "../base/int64.ts";
import {
  ENTRY_KEY_OFFSET,
  Encoding,
  entryCreate,
  entryEncoding,
  entryRebuild,
  keyInlineBytes,
  setEntryEncoding,
  Type,
  valueOffset,
  valueWord,
} from "./entry.ts";

/** Longest value that OBJECT ENCODING calls embstr. */
export const EMBSTR_MAX = 44;
/** Longest value that stands inside its entry. */
export const VALUE_INLINE_MAX = 128 * 1024;
/** Longest value that can be represented at all; settings allow less. */
export const STRING_LENGTH_MAX = 0x7fffffff;
const LARGE = 1 << 31;
const LENGTH_MASK = STRING_LENGTH_MAX;
/** Bytes of the longest string that can spell an int64. */
export const INT_TEXT_MAX = 20;

/** Where the bytes of a string are: a triple that the caller owns and reuses. */
export class ByteSpan {
  buf: Uint8Array = new Uint8Array(0);
  at = 0;
  length = 0;
  readonly #digits = new Uint8Array(24);

  /** Points at the decimal form of an int64. */
  setInt64(low: number, high: number): void {
    this.buf = this.#digits;
    this.at = 0;
    this.length = writeInt64Halves(this.#digits, 0, low, high);
  }
}

/** The int64 that bytes spell, left in `low` and `high`: the result of the last spellsInteger that returned true. */
export const spelled = { low: 0, high: 0 };

/** True when the bytes are the canonical decimal form of an int64; its halves are then in `spelled`. */
export function spellsInteger(buf: Uint8Array, offset: number, length: number): boolean {
  if (length === 0 || length > INT_TEXT_MAX) return false;
  const first = buf[offset];
  if (first > 57 || (first < 48 && first !== 45)) return false;
  const n = parseSafeInteger(buf, offset, length);
  if (!Number.isNaN(n)) {
    spelled.low = int64Low(n);
    spelled.high = int64High(n);
    return true;
  }
  if (length < 16) return false;
  const big = parseInt64(buf, offset, length);
  if (big === null) return false;
  spelled.low = bigIntLow(big);
  spelled.high = bigIntHigh(big);
  return true;
}

/** Points `span` at the bytes of a string value; they are good until the next change of the arena (an int: until the span's next use). */
export function readString(a: Arena, e: Ref, span: ByteSpan): void {
  const w = a.i32[e >>> SEGMENT_SHIFT];
  const v = valueWord(a, e);
  if (entryEncoding(a, e) === Encoding.Int) {
    span.setInt64(w[v], w[v + 1]);
    return;
  }
  const word = w[v];
  span.length = word & LENGTH_MASK;
  if (word < 0) {
    span.buf = a.large[w[v + 1]] as Uint8Array;
    span.at = 0;
  } else {
    span.buf = a.u8[e >>> SEGMENT_SHIFT];
    span.at = (v + 1) << 2;
  }
}

/** Length in bytes of a string value. */
export function stringLength(a: Arena, e: Ref): number {
  const v = valueWord(a, e);
  const w = a.i32[e >>> SEGMENT_SHIFT];
  if (entryEncoding(a, e) !== Encoding.Int) return w[v] & LENGTH_MASK;
  return writeInt64Halves(lengthScratch, 0, w[v], w[v + 1]);
}
const lengthScratch = new Uint8Array(24);

/** The value of an Int-encoded string as a number, or NaN when it is not safe (then use its halves). */
export function stringIntValue(a: Arena, e: Ref): number {
  const v = valueWord(a, e);
  const w = a.i32[e >>> SEGMENT_SHIFT];
  return int64ToNumber(w[v], w[v + 1]);
}

/** Overwrites the value of an Int-encoded string in place. */
export function setStringInt(a: Arena, e: Ref, low: number, high: number): void {
  const v = valueWord(a, e);
  const w = a.i32[e >>> SEGMENT_SHIFT];
  w[v] = low;
  w[v + 1] = high;
}

/** A new entry holding a string. `adopt` lets a long value keep its buffer: the caller gives that buffer up. `asBytes`: even if it spells an integer. */
export function stringCreate(
  a: Arena,
  key: Uint8Array,
  keyOffset: number,
  keyLength: number,
  value: Uint8Array,
  offset: number,
  length: number,
  access: number,
  withExpiry: boolean,
  adopt: boolean,
  asBytes = false,
): Ref {
  const integer = !asBytes && spellsInteger(value, offset, length);
  const bytes = integer || length > VALUE_INLINE_MAX ? 8 : 4 + length;
  const e = entryCreate(a, key, keyOffset, keyLength, withExpiry, (access << 8) | Type.String, bytes);
  writeStringValue(a, e, integer, value, offset, length, adopt);
  return e;
}

/**
 * A new entry, without access bits, holding a string of `length` bytes (INT_TEXT_MAX < length <= VALUE_INLINE_MAX) that are the caller's to write at the end of the
 * entry (stringBytesAt).
 */
export function stringReserve(
  a: Arena,
  key: Uint8Array,
  keyOffset: number,
  keyLength: number,
  length: number,
  withExpiry: boolean,
): Ref {
  const encoding = length <= EMBSTR_MAX ? Encoding.Embstr : Encoding.Raw;
  const e = entryCreate(a, key, keyOffset, keyLength, withExpiry, (encoding << 4) | Type.String, 4 + length);
  a.i32[e >>> SEGMENT_SHIFT][valueWord(a, e)] = length;
  return e;
}

/** Where the bytes of a string stand that was reserved, in its segment. */
export function stringBytesAt(a: Arena, e: Ref): number {
  return (valueWord(a, e) + 1) << 2;
}

/**
 * Gives an entry that holds a string (whose value was not freed) a new value, keeping its key, access bits and (when `withExpiry` and there is
 * one) its expiry. Returns the entry: `e` itself, or a fresh block, in which case `e` is the caller's to free.
 */
export function stringAssign(
  a: Arena,
  e: Ref,
  value: Uint8Array,
  offset: number,
  length: number,
  withExpiry: boolean,
  adopt: boolean,
  asBytes = false,
): Ref {
  const integer = !asBytes && spellsInteger(value, offset, length);
  freeStringValue(a, e);
  const seg = e >>> SEGMENT_SHIFT;
  const at = (e & GRANULE_MASK) << 1;
  const bytes = integer || length > VALUE_INLINE_MAX ? 8 : 4 + length;
  const word0 = a.i32[seg][at];
  const total = ENTRY_KEY_OFFSET + keyInlineBytes(word0) + (withExpiry ? 8 : 0) + bytes;
  const capacity = a.capacity(e);
  const hadExpiry = valueOffset(word0) - ENTRY_KEY_OFFSET - keyInlineBytes(word0) === 8;
  if (total <= capacity && total * 2 + 64 >= capacity && (hadExpiry || !withExpiry)) {
    if (hadExpiry && !withExpiry) a.i32[seg][at] = word0 & ~(1 << 30);
    writeStringValue(a, e, integer, value, offset, length, adopt);
    return e;
  }
  const fresh = entryRebuild(a, e, withExpiry, bytes);
  writeStringValue(a, fresh, integer, value, offset, length, adopt);
  return fresh;
}

function writeStringValue(
  a: Arena,
  e: Ref,
  integer: boolean,
  value: Uint8Array,
  offset: number,
  length: number,
  adopt: boolean,
): void {
  const w = a.i32[e >>> SEGMENT_SHIFT];
  const v = valueWord(a, e);
  if (integer) {
    w[v] = spelled.low;
    w[v + 1] = spelled.high;
    setEntryEncoding(a, e, Encoding.Int);
    return;
  }
  if (length > VALUE_INLINE_MAX) {
    w[v] = length | LARGE;
    w[v + 1] = a.adoptLarge(adopt ? value.subarray(offset, offset + length) : copyOf(value, offset, length));
    setEntryEncoding(a, e, Encoding.Raw);
    return;
  }
  w[v] = length;
  copyBytes(value, offset, a.u8[e >>> SEGMENT_SHIFT], (v + 1) << 2, length);
  setEntryEncoding(a, e, length <= EMBSTR_MAX ? Encoding.Embstr : Encoding.Raw);
}

/** Frees what a string holds outside its entry. */
export function freeStringValue(a: Arena, e: Ref): void {
  if (entryEncoding(a, e) === Encoding.Int) return;
  const w = a.i32[e >>> SEGMENT_SHIFT];
  const v = valueWord(a, e);
  if (w[v] < 0) a.freeLarge(w[v + 1]);
}

/** Gives an entry whose inline bytes were copied from another one a large buffer of its own, when the value has one. */
export function copyStringValue(a: Arena, e: Ref): void {
  if (entryEncoding(a, e) === Encoding.Int) return;
  const w = a.i32[e >>> SEGMENT_SHIFT];
  const v = valueWord(a, e);
  if (w[v] < 0) w[v + 1] = a.adoptLarge((a.large[w[v + 1]] as Uint8Array).slice(0, w[v] & LENGTH_MASK));
}

/** Bytes that a string holds outside its entry. */
export function stringOutsideBytes(a: Arena, e: Ref): number {
  if (entryEncoding(a, e) === Encoding.Int) return 0;
  const w = a.i32[e >>> SEGMENT_SHIFT];
  const v = valueWord(a, e);
  return w[v] < 0 ? (a.large[w[v + 1]] as Uint8Array).length : 0;
}

/** Bytes of an entry that holds a string, up to the end of the value; 0 when the key or the value has a buffer outside. */
export function stringEntryBytes(a: Arena, e: Ref): number {
  const w = a.i32[e >>> SEGMENT_SHIFT];
  const at = (e & GRANULE_MASK) << 1;
  if (w[at] < 0) return 0;
  const value = valueOffset(w[at]);
  if (entryEncoding(a, e) === Encoding.Int) return value + 8;
  const word = w[at + (value >> 2)];
  return word < 0 ? 0 : value + 4 + word;
}

/**
 * Makes a string Raw with room for `length` bytes (the new length; bytes past the old one are zero) and returns the entry: `e`, or a fresh block, in which
 * case `e` is the caller's to free. What grows gets slack in proportion to its size, so that appending costs amortised O(n).
 */
export function stringGrow(a: Arena, e: Ref, length: number, withExpiry: boolean): Ref {
  const span = growSpan;
  readString(a, e, span);
  const old = span.length;
  const word = entryEncoding(a, e) === Encoding.Int ? 0 : a.i32[e >>> SEGMENT_SHIFT][valueWord(a, e)];
  if (word < 0) {
    growLarge(a, e, old, length);
    setEntryEncoding(a, e, Encoding.Raw);
    return e;
  }
  const at = (e & GRANULE_MASK) << 1;
  const start = valueOffset(a.i32[e >>> SEGMENT_SHIFT][at]);
  let target = e;
  if (length > VALUE_INLINE_MAX) {
    if (start + 8 > a.capacity(e)) target = entryRebuild(a, e, withExpiry, 8);
    const bytes = new Uint8Array(length + slackFor(old, length));
    copyBytes(span.buf, span.at, bytes, 0, old);
    const w = a.i32[target >>> SEGMENT_SHIFT];
    const v = valueWord(a, target);
    w[v] = length | LARGE;
    w[v + 1] = a.adoptLarge(bytes);
  } else {
    if (start + 4 + length > a.capacity(e)) target = entryRebuild(a, e, withExpiry, 4 + length + (length >> 3));
    const bytes = a.u8[target >>> SEGMENT_SHIFT];
    const v = valueWord(a, target);
    if (target !== e || entryEncoding(a, e) === Encoding.Int) copyBytes(span.buf, span.at, bytes, (v + 1) << 2, old);
    a.i32[target >>> SEGMENT_SHIFT][v] = length;
    bytes.fill(0, ((v + 1) << 2) + old, ((v + 1) << 2) + length);
  }
  setEntryEncoding(a, target, Encoding.Raw);
  return target;
}
const growSpan = new ByteSpan();

/** Spare bytes of a large buffer that grows from `old` to `length` bytes; fresh pages cost no memory until they are written. */
function slackFor(old: number, length: number): number {
  if (old === 0) return 0;
  return length < 1024 * 1024 ? length : Math.min(length >> 1, STRING_LENGTH_MAX - length);
}

function growLarge(a: Arena, e: Ref, old: number, length: number): void {
  const w = a.i32[e >>> SEGMENT_SHIFT];
  const v = valueWord(a, e);
  const bytes = a.large[w[v + 1]] as Uint8Array;
  if (length > bytes.length) {
    const grown = new Uint8Array(length + slackFor(old, length));
    grown.set(bytes.subarray(0, old));
    a.freeLarge(w[v + 1]);
    w[v + 1] = a.adoptLarge(grown);
  } else if (length > old) {
    bytes.fill(0, old, length);
  }
  w[v] = length | LARGE;
}

/** Overwrites bytes of a Raw string (after stringGrow) from `position` on; they must lie within its length. */
export function stringWrite(
  a: Arena,
  e: Ref,
  position: number,
  source: Uint8Array,
  offset: number,
  length: number,
): void {
  readString(a, e, growSpan);
  if (entryEncoding(a, e) !== Encoding.Raw) throw new Error("string: only a raw string can be written to");
  if (position + length > growSpan.length) throw new Error("string: write beyond the end");
  copyBytes(source, offset, growSpan.buf, growSpan.at + position, length);
}

/** Bytes of a string's value inside its entry. */
export function stringInlineBytes(a: Arena, e: Ref): number {
  if (entryEncoding(a, e) === Encoding.Int) return 8;
  const word = a.i32[e >>> SEGMENT_SHIFT][valueWord(a, e)];
  return word < 0 ? 8 : 4 + word;
}
