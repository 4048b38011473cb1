/**
 * A block of a stream: a listpack in Redis' layout.
 *
 *   block    [entries][deleted entries][fields:n] field ... [0] entry ...        the master entry, whose id is the block's, then the entries
 *   entry    [flags][ms][seq][fields] (field value) ... [elements]
 *            [flags with SAME][ms][seq] value ... [elements]                     the fields are those of the master entry
 *
 * ms and seq are differences to the master entry's id, modulo 2^64. The last element counts those of the entry before it, so that entries can be
 * walked backwards; the master entry's is 0. A deleted entry stays, with its flag.
 */
import type { Arena } from "../../arena/arena.ts";
import { type BlobRef, blobAt, blobBuffer } from "../../arena/blob.ts";
import { equalBytes } from "../../base/bytes.ts";
import {
  LISTPACK_HEADER_BYTES,
  listpackBytes,
  listpackCreate,
  listpackEnd,
  listpackExtend,
  listpackIsValid,
  listpackReplaceInteger,
  listpackReserve,
} from "../../struct/listpack/listpack.ts";
import {
  elementBefore,
  elementBytes,
  elementForm,
  integer,
  integerForm,
  isString,
  LISTPACK_END,
  readInteger,
  spellsInteger,
  stringAt,
  stringLength,
  writeElement,
} from "../../struct/listpack/listpack-element.ts";
import type { StreamId } from "./stream-id.ts";

/** Flags of an entry. */
export const EntryFlag = { Deleted: 1, Same: 2 } as const;

/** Elements of an entry beside its fields and values: flags, ms, seq. */
const FIXED = 3;
/** Most bytes of the numbers of an entry, and of what an element has beside its bytes. */
const NUMBERS_BYTES = 50;
const ELEMENT_BYTES = 11;
const NOTHING = new Uint8Array(0);

/** The small integer at `p`. */
export function smallAt(buf: Uint8Array, p: number): number {
  const b = buf[p];
  if (b < 0x80) return b;
  if (!readInteger(buf, p)) throw new Error("stream: not an integer");
  return integer.low;
}

/** A block without entries, whose master entry has the fields of the given pairs, with room for `capacity` bytes. */
export function blockCreate(
  a: Arena,
  capacity: number,
  buf: Uint8Array,
  start: Int32Array,
  length: Int32Array,
  first: number,
  pairs: number,
): BlobRef {
  let bound = NUMBERS_BYTES;
  for (let i = 0, arg = first; i < pairs; i++, arg += 2) bound += length[arg] + ELEMENT_BYTES;
  const lp = listpackReserve(a, listpackCreate(a, capacity), bound);
  const own = blobBuffer(a, lp);
  const base = blobAt(a, lp);
  let p = base + LISTPACK_HEADER_BYTES;
  p = writeNumber(own, p, 0, 0);
  p = writeNumber(own, p, 0, 0);
  p = writeNumber(own, p, pairs, 0);
  for (let i = 0, arg = first; i < pairs; i++, arg += 2) {
    elementForm(buf, start[arg], length[arg]);
    p = writeElement(own, p, buf, start[arg], length[arg]);
  }
  p = writeNumber(own, p, 0, 0);
  listpackExtend(a, lp, p - base, pairs + FIXED + 1);
  return lp;
}

/** Entries of a block that are not deleted. */
export function blockCount(a: Arena, lp: BlobRef): number {
  return smallAt(blobBuffer(a, lp), blobAt(a, lp) + LISTPACK_HEADER_BYTES);
}

/** All entries of a block, deleted ones included. */
export function blockTotal(a: Arena, lp: BlobRef): number {
  const buf = blobBuffer(a, lp);
  const p = blobAt(a, lp) + LISTPACK_HEADER_BYTES;
  return smallAt(buf, p) + smallAt(buf, p + elementBytes(buf, p));
}

/** Appends an entry with an id that is not below the master entry's. Returns where the block is. */
export function blockAppend(
  a: Arena,
  block: BlobRef,
  master: StreamId,
  id: StreamId,
  buf: Uint8Array,
  start: Int32Array,
  length: Int32Array,
  first: number,
  pairs: number,
): BlobRef {
  const counted = blockAddCount(a, block, 1, 0);
  const isSame = hasFields(a, counted, buf, start, length, first, pairs);
  const msLow = (id[1] - master[1]) | 0;
  const msHigh = (id[0] - master[0] - (id[1] >>> 0 < master[1] >>> 0 ? 1 : 0)) | 0;
  const seqLow = (id[3] - master[3]) | 0;
  const seqHigh = (id[2] - master[2] - (id[3] >>> 0 < master[3] >>> 0 ? 1 : 0)) | 0;
  const elements = isSame ? pairs + FIXED : pairs * 2 + FIXED + 1;

  const end = first + pairs * 2;
  let bound = NUMBERS_BYTES;
  for (let arg = first; arg < end; arg++) bound += length[arg] + ELEMENT_BYTES;
  const lp = listpackReserve(a, counted, bound);
  const own = blobBuffer(a, lp);
  const base = blobAt(a, lp);
  let p = base + listpackEnd(a, lp);
  p = writeNumber(own, p, isSame ? EntryFlag.Same : 0, 0);
  p = writeNumber(own, p, msLow, msHigh);
  p = writeNumber(own, p, seqLow, seqHigh);
  if (!isSame) p = writeNumber(own, p, pairs, 0);
  for (let arg = isSame ? first + 1 : first; arg < end; arg += isSame ? 2 : 1) {
    elementForm(buf, start[arg], length[arg]);
    p = writeElement(own, p, buf, start[arg], length[arg]);
  }
  p = writeNumber(own, p, elements, 0);
  listpackExtend(a, lp, p - base, elements + 1);
  return lp;
}

function writeNumber(own: Uint8Array, p: number, low: number, high: number): number {
  if (high === 0 && low >= 0 && low < 128) {
    own[p] = low;
    own[p + 1] = 1;
    return p + 2;
  }
  integerForm(low, high);
  return writeElement(own, p, NOTHING, 0, 0);
}

/** True when the fields of the pairs are those of the master entry. */
function hasFields(
  a: Arena,
  lp: BlobRef,
  buf: Uint8Array,
  start: Int32Array,
  length: Int32Array,
  first: number,
  pairs: number,
): boolean {
  const own = blobBuffer(a, lp);
  let p = blobAt(a, lp) + LISTPACK_HEADER_BYTES;
  p += elementBytes(own, p);
  p += elementBytes(own, p);
  if (smallAt(own, p) !== pairs) return false;
  p += elementBytes(own, p);
  for (let i = 0, arg = first; i < pairs; i++, arg += 2) {
    if (!equalsElement(own, p, buf, start[arg], length[arg])) return false;
    p += elementBytes(own, p);
  }
  return true;
}

function equalsElement(own: Uint8Array, p: number, buf: Uint8Array, offset: number, length: number): boolean {
  if (isString(own, p))
    return stringLength(own, p) === length && equalBytes(own, stringAt(own, p), buf, offset, length);
  if (!spellsInteger(buf, offset, length)) return false;
  const { high, low } = integer;
  readInteger(own, p);
  return integer.low === low && integer.high === high;
}

/** Changes the numbers of entries and of deleted entries. Returns where the block is; offsets behind them may have moved. */
export function blockAddCount(a: Arena, block: BlobRef, entries: number, deleted: number): BlobRef {
  let lp = block;
  let p: number = LISTPACK_HEADER_BYTES;
  lp = addSmall(a, lp, p, entries);
  p += elementBytes(blobBuffer(a, lp), blobAt(a, lp) + p);
  return deleted === 0 ? lp : addSmall(a, lp, p, deleted);
}

function addSmall(a: Arena, lp: BlobRef, p: number, difference: number): BlobRef {
  const buf = blobBuffer(a, lp);
  const at = blobAt(a, lp) + p;
  const n = smallAt(buf, at) + difference;
  if (n >= 0 && n < 128 && buf[at] < 128) {
    buf[at] = n;
    return lp;
  }
  return listpackReplaceInteger(a, lp, p, n, n >> 31);
}

/** Reads the entries of a block, forwards or backwards, deleted ones included. Good until the stream changes. */
export class BlockWalk {
  buf: Uint8Array = NOTHING;
  /** Where the listpack begins and where its end byte is in `buf`. */
  base = 0;
  end = 0;
  /** Where the fields of the master entry begin, their number, and where the entries begin. */
  masterFields = 0;
  masterCount = 0;
  entries = 0;
  /** The entry: where it begins, where what follows its fixed part begins, its flags, and its number of fields. */
  p = 0;
  body = 0;
  flags = 0;
  fields = 0;
  readonly master: StreamId = new Int32Array(4);
  readonly id: StreamId = new Int32Array(4);
}

/** Opens a block, whose master id is in walk.master, before its first entry. */
export function walkOpen(a: Arena, lp: BlobRef, walk: BlockWalk): void {
  const buf = blobBuffer(a, lp);
  const base = blobAt(a, lp);
  walk.buf = buf;
  walk.base = base;
  walk.end = base + listpackBytes(a, lp) - 1;
  let p = base + LISTPACK_HEADER_BYTES;
  p += elementBytes(buf, p);
  p += elementBytes(buf, p);
  walk.masterCount = smallAt(buf, p);
  p += elementBytes(buf, p);
  walk.masterFields = p;
  for (let i = walk.masterCount; i > 0; i--) p += elementBytes(buf, p);
  walk.entries = p + elementBytes(buf, p);
  walk.p = 0;
}

/** Goes to the first entry; false when there is none. */
export function walkFirst(walk: BlockWalk): boolean {
  return readEntry(walk, walk.entries);
}

/** Goes to the last entry; false when there is none. */
export function walkLast(walk: BlockWalk): boolean {
  return readBefore(walk, walk.end);
}

/** Goes to the next entry; false when there is none. */
export function walkForward(walk: BlockWalk): boolean {
  return readEntry(walk, walkEntryEnd(walk));
}

/** Goes to the entry before; false when there is none. */
export function walkBackward(walk: BlockWalk): boolean {
  return readBefore(walk, walk.p);
}

/** Where the entry ends. */
export function walkEntryEnd(walk: BlockWalk): number {
  const { buf } = walk;
  let p = walk.body;
  let left = (walk.flags & EntryFlag.Same) !== 0 ? walk.fields : walk.fields * 2;
  for (; left >= 0; left--) p += elementBytes(buf, p);
  return p;
}

function readBefore(walk: BlockWalk, end: number): boolean {
  if (end <= walk.entries) return false;
  const { buf } = walk;
  let p = elementBefore(buf, end);
  for (let elements = smallAt(buf, p); elements > 0; elements--) p = elementBefore(buf, p);
  return readEntry(walk, p);
}

function readEntry(walk: BlockWalk, from: number): boolean {
  const { buf, id, master } = walk;
  if (buf[from] === LISTPACK_END) return false;
  let p = from;
  walk.p = p;
  walk.flags = smallAt(buf, p);
  p += elementBytes(buf, p);
  readInteger(buf, p);
  addTo(id, master, 0, integer.low, integer.high);
  p += elementBytes(buf, p);
  readInteger(buf, p);
  addTo(id, master, 2, integer.low, integer.high);
  p += elementBytes(buf, p);
  if ((walk.flags & EntryFlag.Same) !== 0) {
    walk.fields = walk.masterCount;
  } else {
    walk.fields = smallAt(buf, p);
    p += elementBytes(buf, p);
  }
  walk.body = p;
  return true;
}

/** Sets one number of an id to that of the master's plus a difference, modulo 2^64. */
function addTo(id: StreamId, master: StreamId, at: number, low: number, high: number): void {
  const sum = (master[at + 1] >>> 0) + (low >>> 0);
  id[at + 1] = sum | 0;
  id[at] = master[at] + high + (sum > 0xffffffff ? 1 : 0);
}

/** Marks the entry as deleted. The bytes of a flag stay as many. */
export function walkMarkDeleted(walk: BlockWalk): void {
  walk.flags |= EntryFlag.Deleted;
  walk.buf[walk.p] = walk.flags;
}

// ---- checking

/** Where the element behind the one at `p` is; `p` itself when that is the end already. */
function after(buf: Uint8Array, p: number, elements: number): number {
  let q = p;
  for (let left = elements; left > 0 && buf[q] !== LISTPACK_END; left--) q += elementBytes(buf, q);
  return q;
}

/** The number at `p`: -1 when there is no integer from 0 to 2^31 - 1. */
function countAt(buf: Uint8Array, p: number): number {
  if (buf[p] === LISTPACK_END || !readInteger(buf, p) || integer.high !== 0) return -1;
  return integer.low < 0 ? -1 : integer.low;
}

/** True when the bytes are a block that can be walked: a listpack through and through, with entries as its counts say. Reads nothing outside of them. */
export function blockIsValid(buf: Uint8Array, offset: number, length: number): boolean {
  if (!listpackIsValid(buf, offset, length, true)) return false;
  let p = offset + LISTPACK_HEADER_BYTES;
  const entries = countAt(buf, p);
  p = after(buf, p, 1);
  const deleted = countAt(buf, p);
  p = after(buf, p, 1);
  const masterFields = countAt(buf, p);
  if (entries < 0 || deleted < 0 || masterFields < 0) return false;
  p = after(buf, p, 1 + masterFields);
  if (countAt(buf, p) !== 0) return false;
  p = after(buf, p, 1);
  let deletedLeft = deleted;
  for (let left = entries + deleted; left > 0; left--) {
    const flags = buf[p];
    p = validEntryEnd(buf, p, masterFields);
    if (p === 0) return false;
    if ((flags & EntryFlag.Deleted) !== 0) deletedLeft--;
  }
  return buf[p] === LISTPACK_END && deletedLeft === 0;
}

/** Entries, without deleted ones, of a block that is valid. */
export function blockEntries(buf: Uint8Array, offset: number): number {
  return countAt(buf, offset + LISTPACK_HEADER_BYTES);
}

/** The end of the entry at `p`; 0 when there is none that is right. */
function validEntryEnd(buf: Uint8Array, from: number, masterFields: number): number {
  // Flags are one byte: they are changed in place.
  const flags = buf[from];
  if (flags >= 0x80) return 0;
  let p = after(buf, from, 1);
  for (let i = 0; i < 2; i++) {
    if (buf[p] === LISTPACK_END || !readInteger(buf, p)) return 0;
    p = after(buf, p, 1);
  }
  let elements = FIXED + masterFields;
  if ((flags & EntryFlag.Same) !== 0) {
    p = after(buf, p, masterFields);
  } else {
    const fields = countAt(buf, p);
    if (fields < 0) return 0;
    elements = FIXED + 1 + fields * 2;
    p = after(buf, p, 1 + fields * 2);
  }
  return countAt(buf, p) === elements ? after(buf, p, 1) : 0;
}
