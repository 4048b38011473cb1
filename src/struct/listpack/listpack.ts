/**
 * Listpacks: many small elements in one run of bytes, in Redis' own layout (listpack-element.ts has the elements'), inside a blob:
 *
 *   [total bytes:4][elements:2] element ... [255]            little-endian; elements 65535: too many to count, walk
 *
 * An element is named by its offset from the start of the listpack; 0 is none. The order of elements is theirs, and walking backwards over the
 * lengths behind elements visits the same ones in reverse.
 *
 * A function that changes a listpack returns where it is afterwards; all offsets but those before the change, and all spans, are void then. Bytes
 * that are given to be stored must not lie in the listpack itself. Elements are given as (buffer, offset, length); what spells an int64 is stored, found
 * and compared as an integer.
 *
 *   listpackCreate, listpackFree, listpackCopy, listpackFromBytes          listpackCount, listpackBytes, listpackFits
 *   listpackFirst, listpackLast, listpackNext, listpackPrevious, listpackSeek, listpackRandom           offsets, or 0
 *   listpackRead (into a ListpackElement), listpackEquals, listpackFind
 *   listpackAppend, listpackPrepend, listpackInsertBefore, listpackInsertAfter, listpackReplace, and ...Integer where one has halves
 *   listpackReserve, listpackExtend, listpackFit
 *   listpackDelete, listpackDeleteRun, listpackDeleteRange, listpackMerge, listpackSplice
 *   listpackIsValid, listpackCheck
 */
import type { Arena } from "../../arena/arena.ts";
import { type BlobRef, blobAlloc, blobAt, blobBuffer, blobCapacity, blobFree, blobResize } from "../../arena/blob.ts";
import { copyBytes, equalBytes } from "../../base/bytes.ts";
import type { Prng } from "../../base/prng.ts";
import {
  checkedElementBytes,
  elementBefore,
  elementBytes,
  elementForm,
  integer,
  integerForm,
  isString,
  LISTPACK_END,
  type ListpackElement,
  readInteger,
  readUint32,
  spellsInteger,
  stringAt,
  stringLength,
  writeElement,
  writeUint32,
} from "./listpack-element.ts";

export { ListpackElement } from "./listpack-element.ts";

export const LISTPACK_HEADER_BYTES = 6;
const EMPTY_BYTES = LISTPACK_HEADER_BYTES + 1;
const COUNT_UNKNOWN = 65535;
/** A listpack is not to grow beyond this. */
export const LISTPACK_BYTES_MAX = 1 << 30;
const NOTHING = new Uint8Array(0);

/** An empty listpack, with room for `capacity` bytes. */
export function listpackCreate(a: Arena, capacity = EMPTY_BYTES): BlobRef {
  const lp = blobAlloc(a, capacity < EMPTY_BYTES ? EMPTY_BYTES : capacity);
  const buf = blobBuffer(a, lp);
  const at = blobAt(a, lp);
  writeUint32(buf, at, EMPTY_BYTES);
  buf[at + 4] = 0;
  buf[at + 5] = 0;
  buf[at + LISTPACK_HEADER_BYTES] = LISTPACK_END;
  return lp;
}

export function listpackFree(a: Arena, lp: BlobRef): void {
  blobFree(a, lp);
}

/** A listpack of its own with the same bytes. */
export function listpackCopy(a: Arena, lp: BlobRef): BlobRef {
  return listpackFromBytes(a, blobBuffer(a, lp), blobAt(a, lp), listpackBytes(a, lp));
}

/** A listpack from bytes that are one (listpackIsValid). */
export function listpackFromBytes(a: Arena, bytes: Uint8Array, offset: number, length: number): BlobRef {
  const lp = blobAlloc(a, length);
  copyBytes(bytes, offset, blobBuffer(a, lp), blobAt(a, lp), length);
  return lp;
}

/** Bytes of a listpack, header and end included. */
export function listpackBytes(a: Arena, lp: BlobRef): number {
  return readUint32(blobBuffer(a, lp), blobAt(a, lp));
}

/** True when `added` more bytes would not make the listpack (0: none yet) larger than listpacks may become. */
export function listpackFits(a: Arena, lp: BlobRef, added: number): boolean {
  return (lp === 0 ? 0 : listpackBytes(a, lp)) + added <= LISTPACK_BYTES_MAX;
}

/** Elements of a listpack. Walks when there are 65535 or more. */
export function listpackCount(a: Arena, lp: BlobRef): number {
  const buf = blobBuffer(a, lp);
  const at = blobAt(a, lp);
  const known = buf[at + 4] | (buf[at + 5] << 8);
  if (known !== COUNT_UNKNOWN) return known;
  let count = 0;
  for (let p = at + LISTPACK_HEADER_BYTES; buf[p] !== LISTPACK_END; p += elementBytes(buf, p)) count++;
  if (count < COUNT_UNKNOWN) writeCount(buf, at, count);
  return count;
}

function writeCount(buf: Uint8Array, at: number, count: number): void {
  const stored = count < COUNT_UNKNOWN ? count : COUNT_UNKNOWN;
  buf[at + 4] = stored;
  buf[at + 5] = stored >> 8;
}

/** Offset of the end byte: where an appended element will be. */
export function listpackEnd(a: Arena, lp: BlobRef): number {
  return listpackBytes(a, lp) - 1;
}

// ---- walking

/** The first element, or 0. */
export function listpackFirst(a: Arena, lp: BlobRef): number {
  return blobBuffer(a, lp)[blobAt(a, lp) + LISTPACK_HEADER_BYTES] === LISTPACK_END ? 0 : LISTPACK_HEADER_BYTES;
}

/** The last element, or 0. */
export function listpackLast(a: Arena, lp: BlobRef): number {
  return listpackPrevious(a, lp, listpackEnd(a, lp));
}

/** The element after the one at `p`, or 0. */
export function listpackNext(a: Arena, lp: BlobRef, p: number): number {
  const buf = blobBuffer(a, lp);
  const at = blobAt(a, lp);
  const next = p + elementBytes(buf, at + p);
  return buf[at + next] === LISTPACK_END ? 0 : next;
}

/** The element before the one at `p` (which may be listpackEnd), or 0. */
export function listpackPrevious(a: Arena, lp: BlobRef, p: number): number {
  if (p === LISTPACK_HEADER_BYTES) return 0;
  const at = blobAt(a, lp);
  return elementBefore(blobBuffer(a, lp), at + p) - at;
}

/** The element at an index, negative ones counting from the end (-1: the last); 0 when there is none. Walks from the nearer end. */
export function listpackSeek(a: Arena, lp: BlobRef, index: number): number {
  const buf = blobBuffer(a, lp);
  const at = blobAt(a, lp);
  const known = buf[at + 4] | (buf[at + 5] << 8);
  let forward = index >= 0;
  let steps = forward ? index : -index - 1;
  if (known !== COUNT_UNKNOWN) {
    if (steps >= known) return 0;
    if (steps > known >> 1) {
      forward = !forward;
      steps = known - 1 - steps;
    }
  }
  if (!forward) return seekBackward(buf, at, steps);
  let p = at + LISTPACK_HEADER_BYTES;
  while (buf[p] !== LISTPACK_END) {
    if (steps-- === 0) return p - at;
    p += elementBytes(buf, p);
  }
  return 0;
}

function seekBackward(buf: Uint8Array, at: number, steps: number): number {
  const first = at + LISTPACK_HEADER_BYTES;
  let p = at + readUint32(buf, at) - 1;
  while (p > first) {
    p = elementBefore(buf, p);
    if (steps-- === 0) return p - at;
  }
  return 0;
}

/** A uniformly random element that is the first of its group of `group` (1: any element, 2: the key of a pair); 0 when empty. */
export function listpackRandom(a: Arena, lp: BlobRef, prng: Prng, group: number): number {
  const groups = Math.floor(listpackCount(a, lp) / group);
  return groups === 0 ? 0 : listpackSeek(a, lp, prng.below(groups) * group);
}

// ---- reading

/** Reads the element at `p` into `element`. */
export function listpackRead(a: Arena, lp: BlobRef, p: number, element: ListpackElement): void {
  element.read(blobBuffer(a, lp), blobAt(a, lp) + p);
}

/** True when the element at `p` and the bytes are equal. */
export function listpackEquals(
  a: Arena,
  lp: BlobRef,
  p: number,
  buf: Uint8Array,
  offset: number,
  length: number,
): boolean {
  const own = blobBuffer(a, lp);
  const q = blobAt(a, lp) + p;
  if (isString(own, q))
    return stringLength(own, q) === length && equalBytes(own, stringAt(own, q), buf, offset, length);
  if (!spellsInteger(buf, offset, length)) return false;
  const { low, high } = integer;
  readInteger(own, q);
  return integer.low === low && integer.high === high;
}

/**
 * The first element from `from` on that equals the bytes, or 0. `skip` elements are passed over after each one that is compared (1: keys of pairs). 0 as
 * `from` is the first element.
 */
export function listpackFind(
  a: Arena,
  lp: BlobRef,
  from: number,
  buf: Uint8Array,
  offset: number,
  length: number,
  skip: number,
): number {
  const own = blobBuffer(a, lp);
  const at = blobAt(a, lp);
  const found = findElement(own, at + (from === 0 ? LISTPACK_HEADER_BYTES : from), buf, offset, length, skip);
  return found < 0 ? 0 : found - at;
}

/** The same in a buffer, where the elements from position `p` on end with LISTPACK_END: a position, or -1. */
export function findElement(
  own: Uint8Array,
  p: number,
  buf: Uint8Array,
  offset: number,
  length: number,
  skip: number,
): number {
  return spellsInteger(buf, offset, length)
    ? findInteger(own, p, integer.low, integer.high, skip)
    : findString(own, p, buf, offset, length, skip);
}

function passOver(own: Uint8Array, p: number, skip: number): number {
  for (let i = skip; i > 0 && own[p] !== LISTPACK_END; i--) p += elementBytes(own, p);
  return p;
}

function findInteger(own: Uint8Array, p: number, low: number, high: number, skip: number): number {
  while (own[p] !== LISTPACK_END) {
    if (!isString(own, p) && readInteger(own, p) && integer.low === low && integer.high === high) return p;
    p += elementBytes(own, p);
    if (skip !== 0) p = passOver(own, p, skip);
  }
  return -1;
}

function findString(own: Uint8Array, p: number, buf: Uint8Array, offset: number, length: number, skip: number): number {
  while (own[p] !== LISTPACK_END) {
    if (isString(own, p) && stringLength(own, p) === length && equalBytes(own, stringAt(own, p), buf, offset, length))
      return p;
    p += elementBytes(own, p);
    if (skip !== 0) p = passOver(own, p, skip);
  }
  return -1;
}

// ---- changing

/**
 * Makes a gap of `added` bytes at offset `p` in the place of the `removed` bytes that begin there, for the caller to fill; the count changes by
 * `elements`. The base of all changes.
 */
export function listpackSplice(
  a: Arena,
  lp: BlobRef,
  p: number,
  removed: number,
  added: number,
  elements: number,
): BlobRef {
  let buf = blobBuffer(a, lp);
  let at = blobAt(a, lp);
  const oldBytes = readUint32(buf, at);
  const bytes = oldBytes - removed + added;
  if (p < LISTPACK_HEADER_BYTES || p + removed > oldBytes - 1) throw new Error("listpack: splice outside");
  let list = lp;
  if (bytes < oldBytes) {
    if (p + removed === oldBytes - 1) buf[at + bytes - 1] = LISTPACK_END;
    else buf.copyWithin(at + p + added, at + p + removed, at + oldBytes);
    list = blobResize(a, lp, bytes, bytes);
    buf = blobBuffer(a, list);
    at = blobAt(a, list);
  } else if (bytes > oldBytes) {
    if (bytes > blobCapacity(a, lp)) {
      list = blobResize(a, lp, oldBytes, bytes);
      buf = blobBuffer(a, list);
      at = blobAt(a, list);
    }
    if (p + removed === oldBytes - 1) buf[at + bytes - 1] = LISTPACK_END;
    else buf.copyWithin(at + p + added, at + p + removed, at + oldBytes);
  }
  writeUint32(buf, at, bytes);
  const known = buf[at + 4] | (buf[at + 5] << 8);
  if (elements !== 0 && known !== COUNT_UNKNOWN) writeCount(buf, at, known + elements);
  return list;
}

/**
 * Makes room for up to `bound` more bytes behind the last element, where the caller writes elements from listpackEnd on and then calls listpackExtend. The
 * block may be larger than need be, for listpacks that grow by many small appends: listpackFit ends that.
 */
export function listpackReserve(a: Arena, lp: BlobRef, bound: number): BlobRef {
  const bytes = listpackBytes(a, lp);
  const least = bytes + bound;
  return least <= blobCapacity(a, lp) ? lp : blobResize(a, lp, bytes, least + (least >> 1));
}

/** Ends a listpack at offset `end`, up to where `elements` more elements were written. */
export function listpackExtend(a: Arena, lp: BlobRef, end: number, elements: number): void {
  const buf = blobBuffer(a, lp);
  const at = blobAt(a, lp);
  buf[at + end] = LISTPACK_END;
  writeUint32(buf, at, end + 1);
  const known = buf[at + 4] | (buf[at + 5] << 8);
  if (known !== COUNT_UNKNOWN) writeCount(buf, at, known + elements);
}

/** Makes a listpack at the start of a buffer of `count` elements that were written behind its header, up to `end`. */
export function listpackEnclose(buf: Uint8Array, end: number, count: number): void {
  buf[end] = LISTPACK_END;
  writeUint32(buf, 0, end + 1);
  writeCount(buf, 0, count);
}

/** Puts a listpack into a block no larger than it needs. */
export function listpackFit(a: Arena, lp: BlobRef): BlobRef {
  const bytes = listpackBytes(a, lp);
  return blobResize(a, lp, bytes, bytes);
}

/** Inserts the bytes as an element at offset `p`: that of the element that will follow, or listpackEnd. */
export function listpackInsertBefore(
  a: Arena,
  lp: BlobRef,
  p: number,
  buf: Uint8Array,
  offset: number,
  length: number,
): BlobRef {
  const list = listpackSplice(a, lp, p, 0, elementForm(buf, offset, length), 1);
  writeElement(blobBuffer(a, list), blobAt(a, list) + p, buf, offset, length);
  return list;
}

/** Inserts the bytes as the element after the one at `p`. */
export function listpackInsertAfter(
  a: Arena,
  lp: BlobRef,
  p: number,
  buf: Uint8Array,
  offset: number,
  length: number,
): BlobRef {
  const next = p + elementBytes(blobBuffer(a, lp), blobAt(a, lp) + p);
  return listpackInsertBefore(a, lp, next, buf, offset, length);
}

export function listpackAppend(a: Arena, lp: BlobRef, buf: Uint8Array, offset: number, length: number): BlobRef {
  return listpackInsertBefore(a, lp, listpackEnd(a, lp), buf, offset, length);
}

export function listpackPrepend(a: Arena, lp: BlobRef, buf: Uint8Array, offset: number, length: number): BlobRef {
  return listpackInsertBefore(a, lp, LISTPACK_HEADER_BYTES, buf, offset, length);
}

/** Puts the bytes in the place of the element at `p`, which is then that of the new element. */
export function listpackReplace(
  a: Arena,
  lp: BlobRef,
  p: number,
  buf: Uint8Array,
  offset: number,
  length: number,
): BlobRef {
  const removed = elementBytes(blobBuffer(a, lp), blobAt(a, lp) + p);
  const list = listpackSplice(a, lp, p, removed, elementForm(buf, offset, length), 0);
  writeElement(blobBuffer(a, list), blobAt(a, list) + p, buf, offset, length);
  return list;
}

/** Inserts an int64 given as halves at offset `p`, as listpackInsertBefore does. */
export function listpackInsertInteger(a: Arena, lp: BlobRef, p: number, low: number, high: number): BlobRef {
  const list = listpackSplice(a, lp, p, 0, integerForm(low, high), 1);
  writeElement(blobBuffer(a, list), blobAt(a, list) + p, NOTHING, 0, 0);
  return list;
}

export function listpackAppendInteger(a: Arena, lp: BlobRef, low: number, high: number): BlobRef {
  return listpackInsertInteger(a, lp, listpackEnd(a, lp), low, high);
}

/** Puts an int64 given as halves in the place of the element at `p`. */
export function listpackReplaceInteger(a: Arena, lp: BlobRef, p: number, low: number, high: number): BlobRef {
  const removed = elementBytes(blobBuffer(a, lp), blobAt(a, lp) + p);
  const list = listpackSplice(a, lp, p, removed, integerForm(low, high), 0);
  writeElement(blobBuffer(a, list), blobAt(a, list) + p, NOTHING, 0, 0);
  return list;
}

/** Deletes the element at `p`, where then the following one is (or the end). */
export function listpackDelete(a: Arena, lp: BlobRef, p: number): BlobRef {
  return listpackSplice(a, lp, p, elementBytes(blobBuffer(a, lp), blobAt(a, lp) + p), 0, -1);
}

/** Deletes up to `count` elements from the one at `p` on. */
export function listpackDeleteRun(a: Arena, lp: BlobRef, p: number, count: number): BlobRef {
  const buf = blobBuffer(a, lp);
  const from = blobAt(a, lp) + p;
  let end = from;
  let deleted = 0;
  for (; deleted < count && buf[end] !== LISTPACK_END; deleted++) end += elementBytes(buf, end);
  return deleted === 0 ? lp : listpackSplice(a, lp, p, end - from, 0, -deleted);
}

/** Deletes up to `count` elements from an index on (negative: from the end, as listpackSeek). */
export function listpackDeleteRange(a: Arena, lp: BlobRef, index: number, count: number): BlobRef {
  const p = count > 0 ? listpackSeek(a, lp, index) : 0;
  return p === 0 ? lp : listpackDeleteRun(a, lp, p, count);
}

/** Appends all elements of `second` to `first`. `second` is freed. */
export function listpackMerge(a: Arena, first: BlobRef, second: BlobRef): BlobRef {
  const added = listpackBytes(a, second) - EMPTY_BYTES;
  const firstCount = listpackCount(a, first);
  const count = firstCount + listpackCount(a, second);
  const end = listpackEnd(a, first);
  const list = listpackSplice(a, first, end, 0, added, 0);
  const target = blobBuffer(a, list);
  const at = blobAt(a, list);
  copyBytes(blobBuffer(a, second), blobAt(a, second) + LISTPACK_HEADER_BYTES, target, at + end, added);
  writeCount(target, at, count);
  listpackFree(a, second);
  return list;
}

// ---- checking

/**
 * True when the bytes are a listpack: size and end, and, when `deep`, every element and the count. Reads nothing outside of them. What is valid without
 * `deep` is not safe to walk.
 */
export function listpackIsValid(buf: Uint8Array, offset: number, length: number, deep: boolean): boolean {
  if (length < EMPTY_BYTES || readUint32(buf, offset) !== length) return false;
  const end = offset + length - 1;
  if (buf[end] !== LISTPACK_END) return false;
  if (!deep) return true;
  let count = 0;
  let p = offset + LISTPACK_HEADER_BYTES;
  for (; p < end; count++) {
    const bytes = checkedElementBytes(buf, p, end);
    if (bytes === 0) return false;
    p += bytes;
  }
  const known = buf[offset + 4] | (buf[offset + 5] << 8);
  return known === COUNT_UNKNOWN || known === count;
}

/** Throws an Error unless the listpack is one through and through, and fits into its blob. */
export function listpackCheck(a: Arena, lp: BlobRef): void {
  const bytes = listpackBytes(a, lp);
  const buf = blobBuffer(a, lp);
  if (blobAt(a, lp) + bytes > buf.length) throw new Error(`listpack: ${bytes} bytes reach beyond the buffer`);
  if (!listpackIsValid(buf, blobAt(a, lp), bytes, true)) throw new Error("listpack: not valid");
}
