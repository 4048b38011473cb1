/**
 * The entry: one arena block that holds a key, its metadata and its value (or the root of it).
 *
 *   word 0   [large key:1][has expiry:1][key length:30]
 *   word 1   [access:24][encoding:4][phase:1][type:3]   access: LRU clock, or LFU minutes:16 and counter:8; phase: see entryPhase
 *   byte 8   the key, padded to 4 bytes (a large key: its LargeId)
 *            [expiry: low word, high word]               only when "has expiry": Unix time in ms as int64
 *            the value, by type (see types/*.ts)
 *
 * The key stands at a fixed place, so that struct/dict finds it; a key that gains or loses its expiry may move to another block.
 */
import { type Arena, BLOCK_MAX, GRANULE_MASK, type Ref, SEGMENT_SHIFT } from "../arena/arena.ts";
import { copyBytes, copyOf, latin1 } from "../base/bytes.ts";
import { KEY_FLAG, KEY_IS_LARGE, KEY_LENGTH_MASK } from "../struct/dict/key-word.ts";

/** Where the key stands in an entry: the keyOffset of the keyspace dictionaries. */
export const ENTRY_KEY_OFFSET = 8;
const HAS_EXPIRY = KEY_FLAG;
/** A key longer than this gets a large buffer of its own. */
export const KEY_INLINE_MAX = BLOCK_MAX / 4;

/** Value types, with Redis' numbers. */
export const Type = { String: 0, List: 1, Set: 2, Zset: 3, Hash: 4, Module: 5, Stream: 6 } as const;
export const TYPE_NAMES = ["string", "list", "set", "zset", "hash", "module", "stream"];

/** Encodings (our numbers; the names are what OBJECT ENCODING answers). */
export const Encoding = {
  Raw: 0,
  Int: 1,
  Embstr: 2,
  HashTable: 3,
  Intset: 4,
  Listpack: 5,
  Quicklist: 6,
  Skiplist: 7,
  Stream: 8,
  ListpackEx: 9,
} as const;
export const ENCODING_NAMES = [
  "raw",
  "int",
  "embstr",
  "hashtable",
  "intset",
  "listpack",
  "quicklist",
  "skiplist",
  "stream",
  "listpackex",
];

/** Bytes of the key part of an entry whose word 0 is given. */
export function keyInlineBytes(word0: number): number {
  return word0 < 0 ? 4 : ((word0 & KEY_LENGTH_MASK) + 3) & ~3;
}

/** Byte offset of the value inside an entry whose word 0 is given. */
export function valueOffset(word0: number): number {
  return ENTRY_KEY_OFFSET + keyInlineBytes(word0) + ((word0 & HAS_EXPIRY) !== 0 ? 8 : 0);
}

/** Word index of the value of entry `e` in its segment's words. */
export function valueWord(a: Arena, e: Ref): number {
  const at = (e & GRANULE_MASK) << 1;
  return at + (valueOffset(a.i32[e >>> SEGMENT_SHIFT][at]) >> 2);
}

/** A new entry with its key copied in, room for `valueBytes`, and word 1 set to `meta`. The expiry, when asked for, is unset. */
export function entryCreate(
  a: Arena,
  key: Uint8Array,
  keyOffset: number,
  keyLength: number,
  withExpiry: boolean,
  meta: number,
  valueBytes: number,
): Ref {
  let word0 = keyLength | (withExpiry ? HAS_EXPIRY : 0);
  if (keyLength > KEY_INLINE_MAX) word0 |= KEY_IS_LARGE;
  const e = a.alloc(valueOffset(word0) + valueBytes);
  const seg = e >>> SEGMENT_SHIFT;
  const w = a.i32[seg];
  const at = (e & GRANULE_MASK) << 1;
  w[at] = word0;
  w[at + 1] = meta;
  if (word0 < 0) w[at + 2] = a.adoptLarge(copyOf(key, keyOffset, keyLength));
  else copyBytes(key, keyOffset, a.u8[seg], (at << 2) + ENTRY_KEY_OFFSET, keyLength);
  return e;
}

/**
 * An entry like `e` in a block of its own, with or without an expiry and with room for `valueBytes`; the key (not its large buffer) is copied,
 * the value is not. The old block is still the caller's to free, without its key.
 */
export function entryRebuild(a: Arena, e: Ref, withExpiry: boolean, valueBytes: number): Ref {
  const oldWord0 = a.i32[e >>> SEGMENT_SHIFT][(e & GRANULE_MASK) << 1];
  const word0 = withExpiry ? oldWord0 | HAS_EXPIRY : oldWord0 & ~HAS_EXPIRY;
  const fresh = a.alloc(valueOffset(word0) + valueBytes);
  const w = a.i32[fresh >>> SEGMENT_SHIFT];
  const to = (fresh & GRANULE_MASK) << 1;
  const ow = a.i32[e >>> SEGMENT_SHIFT];
  const from = (e & GRANULE_MASK) << 1;
  const words = (ENTRY_KEY_OFFSET + keyInlineBytes(word0)) >> 2;
  for (let i = 1; i < words; i++) w[to + i] = ow[from + i];
  w[to] = word0;
  if (withExpiry) {
    w[to + words] = (oldWord0 & HAS_EXPIRY) !== 0 ? ow[from + words] : 0;
    w[to + words + 1] = (oldWord0 & HAS_EXPIRY) !== 0 ? ow[from + words + 1] : 0;
  }
  return fresh;
}

/** Frees the block of an entry and, unless it moved to another block, its large key. The value must be free already. */
export function entryFree(a: Arena, e: Ref, keepKey: boolean): void {
  const w = a.i32[e >>> SEGMENT_SHIFT];
  const at = (e & GRANULE_MASK) << 1;
  if (w[at] < 0 && !keepKey) a.freeLarge(w[at + 2]);
  a.free(e);
}

export function entryType(a: Arena, e: Ref): number {
  return a.i32[e >>> SEGMENT_SHIFT][((e & GRANULE_MASK) << 1) + 1] & 7;
}

/** The phase bit where it stands in word 1. */
export const PHASE_BIT = 8;

/** 0 or PHASE_BIT: a key whose phase differs from its keyspace's is one that the snapshot in progress has yet to save. */
export function entryPhase(a: Arena, e: Ref): number {
  return a.i32[e >>> SEGMENT_SHIFT][((e & GRANULE_MASK) << 1) + 1] & PHASE_BIT;
}

export function setEntryPhase(a: Arena, e: Ref, phase: number): void {
  const w = a.i32[e >>> SEGMENT_SHIFT];
  const at = ((e & GRANULE_MASK) << 1) + 1;
  w[at] = (w[at] & ~PHASE_BIT) | phase;
}

export function entryEncoding(a: Arena, e: Ref): number {
  return (a.i32[e >>> SEGMENT_SHIFT][((e & GRANULE_MASK) << 1) + 1] >>> 4) & 15;
}

export function setEntryEncoding(a: Arena, e: Ref, encoding: number): void {
  const w = a.i32[e >>> SEGMENT_SHIFT];
  const at = ((e & GRANULE_MASK) << 1) + 1;
  w[at] = (w[at] & ~0xf0) | (encoding << 4);
}

/** The 24 access bits: LRU clock or LFU fields. */
export function entryAccess(a: Arena, e: Ref): number {
  return a.i32[e >>> SEGMENT_SHIFT][((e & GRANULE_MASK) << 1) + 1] >>> 8;
}

export function setEntryAccess(a: Arena, e: Ref, access: number): void {
  const w = a.i32[e >>> SEGMENT_SHIFT];
  const at = ((e & GRANULE_MASK) << 1) + 1;
  w[at] = (w[at] & 0xff) | (access << 8);
}

export function entryHasExpiry(a: Arena, e: Ref): boolean {
  return (a.i32[e >>> SEGMENT_SHIFT][(e & GRANULE_MASK) << 1] & HAS_EXPIRY) !== 0;
}

/** The expiry in ms of an entry that has one (rounded to a double beyond 2^53), or -1. */
export function entryExpiry(a: Arena, e: Ref): number {
  const w = a.i32[e >>> SEGMENT_SHIFT];
  const at = (e & GRANULE_MASK) << 1;
  const word0 = w[at];
  if ((word0 & HAS_EXPIRY) === 0) return -1;
  const i = at + ((ENTRY_KEY_OFFSET + keyInlineBytes(word0)) >> 2);
  return w[i + 1] * 4294967296 + (w[i] >>> 0);
}

/** Where the expiry of an entry that has one stands: the index of its low half among the words of the entry's segment; the high half follows. */
export function entryExpiryWord(a: Arena, e: Ref): number {
  const at = (e & GRANULE_MASK) << 1;
  return at + ((ENTRY_KEY_OFFSET + keyInlineBytes(a.i32[e >>> SEGMENT_SHIFT][at])) >> 2);
}

/** The expiry of an entry that has one, exactly. */
export function entryExpiryBig(a: Arena, e: Ref): bigint {
  const w = a.i32[e >>> SEGMENT_SHIFT];
  const at = (e & GRANULE_MASK) << 1;
  const i = at + ((ENTRY_KEY_OFFSET + keyInlineBytes(w[at])) >> 2);
  return BigInt(w[i + 1]) * 4294967296n + BigInt(w[i] >>> 0);
}

/** Writes the expiry of an entry that has room for one: int64 halves of ms. */
export function setEntryExpiry(a: Arena, e: Ref, low: number, high: number): void {
  const w = a.i32[e >>> SEGMENT_SHIFT];
  const at = (e & GRANULE_MASK) << 1;
  const i = at + ((ENTRY_KEY_OFFSET + keyInlineBytes(w[at])) >> 2);
  w[i] = low;
  w[i + 1] = high;
}

export function entryKeyLength(a: Arena, e: Ref): number {
  return a.i32[e >>> SEGMENT_SHIFT][(e & GRANULE_MASK) << 1] & KEY_LENGTH_MASK;
}

/** The buffer that holds the key of an entry; with entryKeyAt, a triple without a view. */
export function entryKeyBuffer(a: Arena, e: Ref): Uint8Array {
  const seg = e >>> SEGMENT_SHIFT;
  const at = (e & GRANULE_MASK) << 1;
  return a.i32[seg][at] < 0 ? (a.large[a.i32[seg][at + 2]] as Uint8Array) : a.u8[seg];
}

/** The offset of the key in entryKeyBuffer. */
export function entryKeyAt(a: Arena, e: Ref): number {
  return a.i32[e >>> SEGMENT_SHIFT][(e & GRANULE_MASK) << 1] < 0 ? 0 : ((e & GRANULE_MASK) << 3) + ENTRY_KEY_OFFSET;
}

/** An owned copy of an entry's key. */
export function entryKeyCopy(a: Arena, e: Ref): Uint8Array {
  return copyOf(entryKeyBuffer(a, e), entryKeyAt(a, e), entryKeyLength(a, e));
}

/** An entry's key as a latin1 string, for logs. */
export function entryKeyText(a: Arena, e: Ref): string {
  return latin1(entryKeyBuffer(a, e), entryKeyAt(a, e), entryKeyLength(a, e));
}
