/**
 * Lists: a single listpack while that is no larger than a node may be, else a quicklist. A list that shrinks goes back to a listpack once its quicklist
 * has a single node that is at most half as large as one may be.
 *
 * Elements are given as (buffer, offset, length), which must not lie in the list itself. An empty list is the caller's to delete.
 */
import type { Arena, Ref } from "../../arena/arena.ts";
import {
  LISTPACK_HEADER_BYTES,
  ListpackElement,
  listpackAppend,
  listpackBytes,
  listpackCount,
  listpackCreate,
  listpackDelete,
  listpackDeleteRange,
  listpackFree,
  listpackInsertAfter,
  listpackInsertBefore,
  listpackLast,
  listpackPrepend,
  listpackRead,
  listpackReplace,
} from "../../struct/listpack/listpack.ts";
import { elementBefore, LISTPACK_END } from "../../struct/listpack/listpack-element.ts";
import {
  quicklistAppendListpack,
  quicklistCount,
  quicklistCreate,
  quicklistDropEnd,
  quicklistNodes,
  quicklistPush,
  quicklistReadEnd,
  quicklistTakeListpack,
} from "../../struct/quicklist/quicklist.ts";
import { listpackSeekCursor, type QuicklistCursor, quicklistSeek } from "../../struct/quicklist/quicklist-cursor.ts";
import {
  quicklistDeleteAt,
  quicklistDeleteRange,
  quicklistInsert,
  quicklistReplace,
} from "../../struct/quicklist/quicklist-edit.ts";
import {
  exceedsFill,
  nodeBytes,
  nodeIsPlain,
  quicklistEnd,
  withinFill,
} from "../../struct/quicklist/quicklist-node.ts";
import { containerCreate, containerRoot, setContainerRoot } from "../container.ts";
import { Encoding, entryEncoding, setEntryEncoding, Type } from "../entry.ts";

/** How lists are kept. */
export interface ListLimits {
  /** Size of a node: see list-max-listpack-size. */
  fill: number;
  /** Nodes at both ends that are not compressed; 0: none is. */
  depth: number;
  /** Least length of an element that gets a node of its own; 0: as the fill says. */
  plainMin: number;
}

/** An element as it was read: an integer, or bytes that are good until the list changes. */
export class ListElement extends ListpackElement {}

/** An entry with an empty list, for a key that will get elements at once. */
export function listCreate(a: Arena, key: Uint8Array, keyAt: number, keyLength: number, access: number): Ref {
  const meta = (access << 8) | (Encoding.Listpack << 4) | Type.List;
  return containerCreate(a, key, keyAt, keyLength, false, meta, listpackCreate(a));
}

function isListpack(a: Arena, e: Ref): boolean {
  return entryEncoding(a, e) === Encoding.Listpack;
}

/** Elements of a list. */
export function listLength(a: Arena, e: Ref): number {
  const root = containerRoot(a, e);
  return isListpack(a, e) ? listpackCount(a, root) : quicklistCount(a, root);
}

// ---- conversions

/** Makes a quicklist of a listpack that is about to get `count` elements of `bytes` bytes together, if that is too much for one. */
export function listMakeRoom(a: Arena, e: Ref, bytes: number, count: number, limits: ListLimits): void {
  if (!isListpack(a, e)) return;
  const lp = containerRoot(a, e);
  const elements = listpackCount(a, lp);
  if (!exceedsFill(limits.fill, listpackBytes(a, lp) + bytes, elements + count)) return;
  const ql = quicklistCreate(a, limits.fill, limits.depth);
  if (elements > 0) quicklistAppendListpack(a, ql, lp);
  else listpackFree(a, lp);
  setContainerRoot(a, e, ql);
  setEntryEncoding(a, e, Encoding.Quicklist);
}

/** Makes a listpack of a quicklist that has become small enough: of one that shrank, when it is small by half. */
export function listShrink(a: Arena, e: Ref, limits: ListLimits, half = true): void {
  if (isListpack(a, e)) return;
  const ql = containerRoot(a, e);
  if (quicklistNodes(a, ql) !== 1) return;
  const node = quicklistEnd(a, ql, true);
  if (nodeIsPlain(a, node) || !withinFill(limits.fill, nodeBytes(a, node), quicklistCount(a, ql), half)) return;
  setContainerRoot(a, e, quicklistTakeListpack(a, ql));
  setEntryEncoding(a, e, Encoding.Listpack);
}

/** Gives a list that was built as a whole the encoding that suits its size. */
export function listSettle(a: Arena, e: Ref, limits: ListLimits): void {
  if (isListpack(a, e)) listMakeRoom(a, e, 0, 0, limits);
  else listShrink(a, e, limits, false);
}

// ---- the ends

/** Adds an element at an end. Room was made for it (listMakeRoom). */
export function listPush(
  a: Arena,
  e: Ref,
  atHead: boolean,
  buf: Uint8Array,
  at: number,
  length: number,
  limits: ListLimits,
): void {
  const root = containerRoot(a, e);
  if (!isListpack(a, e)) quicklistPush(a, root, atHead, buf, at, length, limits.plainMin);
  else if (atHead) setContainerRoot(a, e, listpackPrepend(a, root, buf, at, length));
  else setContainerRoot(a, e, listpackAppend(a, root, buf, at, length));
}

/** Elements as the arguments of a command are given: where each begins in a buffer, and its bytes. */
interface Elements {
  readonly buf: Uint8Array;
  readonly start: Int32Array;
  readonly length: Int32Array;
}

/** Adds elements `first` to `end` - 1 at an end, one after the other. Returns the list's new length. */
export function listPushAll(
  a: Arena,
  e: Ref,
  atHead: boolean,
  elements: Elements,
  first: number,
  end: number,
  limits: ListLimits,
): number {
  const { buf, length, start } = elements;
  if (isListpack(a, e)) {
    let bytes = 0;
    for (let i = first; i < end; i++) bytes += length[i];
    listMakeRoom(a, e, bytes, end - first, limits);
  }
  if (isListpack(a, e)) {
    for (let i = first; i < end; i++) listPush(a, e, atHead, buf, start[i], length[i], limits);
    return listpackCount(a, containerRoot(a, e));
  }
  const root = containerRoot(a, e);
  for (let i = first; i < end; i++) quicklistPush(a, root, atHead, buf, start[i], length[i], limits.plainMin);
  return quicklistCount(a, root);
}

/** Reads the element at an end of a list that is not empty. */
export function listReadEnd(a: Arena, e: Ref, atHead: boolean, out: ListElement): void {
  const root = containerRoot(a, e);
  if (isListpack(a, e)) listpackRead(a, root, atHead ? LISTPACK_HEADER_BYTES : listpackLast(a, root), out);
  else quicklistReadEnd(a, root, atHead, out);
}

/** Removes the element at an end of a list that is not empty. */
export function listDropEnd(a: Arena, e: Ref, atHead: boolean): void {
  const root = containerRoot(a, e);
  if (!isListpack(a, e)) quicklistDropEnd(a, root, atHead);
  else setContainerRoot(a, e, listpackDelete(a, root, atHead ? LISTPACK_HEADER_BYTES : listpackLast(a, root)));
}

// ---- any place

/** Sets a cursor on the element at an index, 0 or more; false when there is none. */
export function listSeek(a: Arena, e: Ref, index: number, c: QuicklistCursor): boolean {
  const root = containerRoot(a, e);
  return isListpack(a, e) ? listpackSeekCursor(a, root, index, c) : quicklistSeek(a, root, index, c);
}

/** Inserts an element after or before the one at a cursor, which is void then. Room was made for it (listMakeRoom). */
export function listInsert(
  a: Arena,
  e: Ref,
  c: QuicklistCursor,
  after: boolean,
  buf: Uint8Array,
  at: number,
  length: number,
  limits: ListLimits,
): void {
  const root = containerRoot(a, e);
  if (!isListpack(a, e)) quicklistInsert(a, root, c, after, buf, at, length, limits.plainMin);
  else if (after) setContainerRoot(a, e, listpackInsertAfter(a, root, c.p, buf, at, length));
  else setContainerRoot(a, e, listpackInsertBefore(a, root, c.p, buf, at, length));
}

/** Puts an element in the place of the one at a cursor, which is void then. Room was made for it (listMakeRoom). */
export function listReplace(
  a: Arena,
  e: Ref,
  c: QuicklistCursor,
  buf: Uint8Array,
  at: number,
  length: number,
  limits: ListLimits,
): void {
  const root = containerRoot(a, e);
  if (isListpack(a, e)) setContainerRoot(a, e, listpackReplace(a, root, c.p, buf, at, length));
  else quicklistReplace(a, root, c, buf, at, length, limits.plainMin);
}

/** Deletes the element at a cursor, which goes on to the following (or the preceding) one; false when there is none. */
export function listDeleteAt(a: Arena, e: Ref, c: QuicklistCursor, forward: boolean): boolean {
  const root = containerRoot(a, e);
  if (!isListpack(a, e)) return quicklistDeleteAt(a, root, c, forward);
  const { p } = c;
  const lp = listpackDelete(a, root, p);
  setContainerRoot(a, e, lp);
  // The blob may have moved; the offset means the same.
  if (!listpackSeekCursor(a, lp, 0, c)) return false;
  c.p = p;
  if (forward) return c.buf[c.base + p] !== LISTPACK_END;
  if (p === LISTPACK_HEADER_BYTES) return false;
  c.p = elementBefore(c.buf, c.base + p) - c.base;
  return true;
}

/** Deletes up to `count` elements from an index, 0 or more, on. */
export function listDeleteRange(a: Arena, e: Ref, start: number, count: number): void {
  if (count <= 0) return;
  const root = containerRoot(a, e);
  if (isListpack(a, e)) setContainerRoot(a, e, listpackDeleteRange(a, root, start, count));
  else quicklistDeleteRange(a, root, start, count);
}
