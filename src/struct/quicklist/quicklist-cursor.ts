/**
 * A place in a list: an element of a quicklist, or of a listpack that is a whole list by itself.
 *
 *   for (let more = quicklistSeek(a, ql, 0, cursor); more; more = cursorNext(a, cursor)) cursorRead(cursor, element);
 *   cursorLeave(a, cursor);
 *
 * Reading changes nothing: a compressed node is read from a copy. A change of the list voids cursors, but for those that quicklist-edit.ts says are kept.
 */
import type { Arena, Ref } from "../../arena/arena.ts";
import { type BlobRef, blobAt, blobBuffer } from "../../arena/blob.ts";
import { copyBytes, equalBytes } from "../../base/bytes.ts";
import { LISTPACK_HEADER_BYTES, listpackCount } from "../listpack/listpack.ts";
import {
  elementBefore,
  elementBytes,
  integer,
  isString,
  LISTPACK_END,
  type ListpackElement,
  readInteger,
  readUint32,
  spellsInteger,
  stringAt,
  stringLength,
} from "../listpack/listpack-element.ts";
import {
  nodeBeside,
  nodeBytes,
  nodeContent,
  nodeDecompressTo,
  nodeElements,
  nodeIsCompressed,
  nodeIsPlain,
  nodeSettle,
  quicklistCount,
  quicklistEnd,
} from "./quicklist-node.ts";

/** A copy that grew beyond this is let go with the node. */
const COPY_KEEP = 1 << 17;

export class QuicklistCursor {
  /** The list and the node; 0 for a listpack that is the list. */
  ql: Ref = 0;
  node: Ref = 0;
  /** The bytes of the listpack, or of the plain element, and where they begin. */
  buf: Uint8Array = new Uint8Array(0);
  base = 0;
  /** Offset of the element in the listpack; 0 in a plain node. */
  p = 0;
  /** Bytes of the element of a plain node; -1 in a listpack. */
  plainLength = -1;
  /** The node was opened for changes: whoever leaves it compresses it again. */
  opened = false;
  copy = new Uint8Array(0);
}

/** What is searched for: bytes, and the integer that they spell. */
export class SearchedElement {
  isInteger = false;
  low = 0;
  high = 0;
  buf: Uint8Array = new Uint8Array(0);
  at = 0;
  length = 0;

  set(buf: Uint8Array, at: number, length: number): void {
    this.isInteger = spellsInteger(buf, at, length);
    this.low = integer.low;
    this.high = integer.high;
    this.buf = buf;
    this.at = at;
    this.length = length;
  }
}

/** Sets a cursor on the element at an index (0 or more) of a listpack that is a list; false when there is none. */
export function listpackSeekCursor(a: Arena, lp: BlobRef, index: number, c: QuicklistCursor): boolean {
  c.ql = 0;
  c.node = 0;
  c.opened = false;
  c.plainLength = -1;
  const count = listpackCount(a, lp);
  if (index >= count) return false;
  c.buf = blobBuffer(a, lp);
  c.base = blobAt(a, lp);
  seekInListpack(c, index, count);
  return true;
}

/** The same in a quicklist. Walks from the nearer end. */
export function quicklistSeek(a: Arena, ql: Ref, index: number, c: QuicklistCursor): boolean {
  c.ql = ql;
  c.node = 0;
  c.opened = false;
  const count = quicklistCount(a, ql);
  if (index >= count) return false;
  const forward = index <= count >> 1;
  let left = forward ? index : count - 1 - index;
  let node = quicklistEnd(a, ql, forward);
  for (let n = nodeElements(a, node); left >= n; n = nodeElements(a, node)) {
    left -= n;
    node = nodeBeside(a, node, forward);
  }
  enterNode(a, c, node);
  const elements = nodeElements(a, node);
  if (c.plainLength < 0) seekInListpack(c, forward ? left : elements - 1 - left, elements);
  return true;
}

function seekInListpack(c: QuicklistCursor, index: number, count: number): void {
  const { base, buf } = c;
  if (index <= count >> 1) {
    let q = base + LISTPACK_HEADER_BYTES;
    for (let i = index; i > 0; i--) q += elementBytes(buf, q);
    c.p = q - base;
    return;
  }
  let q = endOf(c);
  for (let i = count - index; i > 0; i--) q = elementBefore(buf, q);
  c.p = q - base;
}

/** Where the end byte of the cursor's listpack is in its buffer. */
function endOf(c: QuicklistCursor): number {
  return c.base + readUint32(c.buf, c.base) - 1;
}

/** Points a cursor at the bytes of a node; `p` is the caller's to set in a listpack. */
export function enterNode(a: Arena, c: QuicklistCursor, node: Ref): void {
  const bytes = nodeBytes(a, node);
  c.node = node;
  c.p = 0;
  c.plainLength = nodeIsPlain(a, node) ? bytes : -1;
  if (nodeIsCompressed(a, node)) {
    if (c.copy.length < bytes) c.copy = new Uint8Array(bytes);
    nodeDecompressTo(a, node, c.copy, 0);
    c.buf = c.copy;
    c.base = 0;
    return;
  }
  const content = nodeContent(a, node);
  c.buf = blobBuffer(a, content);
  c.base = blobAt(a, content);
}

/** Sets a cursor on the first element of a node, of whose bytes it keeps a copy; cursorNext is false at the node's end. The node may change, or go. */
export function cursorEnterCopy(a: Arena, c: QuicklistCursor, node: Ref): void {
  const bytes = nodeBytes(a, node);
  if (c.copy.length < bytes) c.copy = new Uint8Array(bytes);
  if (nodeIsCompressed(a, node)) {
    nodeDecompressTo(a, node, c.copy, 0);
  } else {
    const content = nodeContent(a, node);
    copyBytes(blobBuffer(a, content), blobAt(a, content), c.copy, 0, bytes);
  }
  c.node = 0;
  c.opened = false;
  c.buf = c.copy;
  c.base = 0;
  c.plainLength = nodeIsPlain(a, node) ? bytes : -1;
  c.p = c.plainLength < 0 ? LISTPACK_HEADER_BYTES : 0;
}

/** Ends the work with a cursor. Needed only after changes through it, or when it may have read large compressed nodes. */
export function cursorLeave(a: Arena, c: QuicklistCursor): void {
  if (c.opened) {
    c.opened = false;
    nodeSettle(a, c.ql, c.node);
  }
  if (c.copy.length > COPY_KEEP) c.copy = new Uint8Array(0);
}

/** Goes to the first element of the next node, or the last one of the previous; false, and the cursor is nowhere, when there is none. */
export function cursorNextNode(a: Arena, c: QuicklistCursor, forward: boolean): boolean {
  if (c.node === 0) return false;
  const node = nodeBeside(a, c.node, forward);
  cursorLeave(a, c);
  return cursorEnter(a, c, node, forward);
}

/** Sets the cursor on the first or last element of a node; false for node 0. */
export function cursorEnter(a: Arena, c: QuicklistCursor, node: Ref, first: boolean): boolean {
  if (node === 0) {
    c.node = 0;
    return false;
  }
  enterNode(a, c, node);
  if (c.plainLength < 0) c.p = first ? LISTPACK_HEADER_BYTES : elementBefore(c.buf, endOf(c)) - c.base;
  return true;
}

/** Goes on to the next element; false when there is none. */
export function cursorNext(a: Arena, c: QuicklistCursor): boolean {
  if (c.plainLength < 0) {
    const q = c.base + c.p;
    const next = q + elementBytes(c.buf, q);
    if (c.buf[next] !== LISTPACK_END) {
      c.p = next - c.base;
      return true;
    }
  }
  return cursorNextNode(a, c, true);
}

/** Goes back to the previous element; false when there is none. */
export function cursorPrevious(a: Arena, c: QuicklistCursor): boolean {
  if (c.plainLength < 0 && c.p !== LISTPACK_HEADER_BYTES) {
    c.p = elementBefore(c.buf, c.base + c.p) - c.base;
    return true;
  }
  return cursorNextNode(a, c, false);
}

/** True when the element is the last (or first) of its node, or of the listpack. */
export function cursorAtEdge(c: QuicklistCursor, last: boolean): boolean {
  if (c.plainLength >= 0) return true;
  if (!last) return c.p === LISTPACK_HEADER_BYTES;
  const q = c.base + c.p;
  return c.buf[q + elementBytes(c.buf, q)] === LISTPACK_END;
}

/** Reads the element. Bytes are good until the list changes or the cursor moves. */
export function cursorRead(c: QuicklistCursor, out: ListpackElement): void {
  if (c.plainLength < 0) {
    out.read(c.buf, c.base + c.p);
    return;
  }
  out.isInteger = false;
  out.buf = c.buf;
  out.at = c.base;
  out.length = c.plainLength;
}

/** True when the element is the one that is searched for. */
export function cursorEquals(c: QuicklistCursor, searched: SearchedElement): boolean {
  const { buf } = c;
  if (c.plainLength >= 0)
    return c.plainLength === searched.length && equalBytes(buf, c.base, searched.buf, searched.at, searched.length);
  const q = c.base + c.p;
  if (isString(buf, q)) {
    const length = searched.length;
    return stringLength(buf, q) === length && equalBytes(buf, stringAt(buf, q), searched.buf, searched.at, length);
  }
  if (!searched.isInteger) return false;
  readInteger(buf, q);
  return integer.low === searched.low && integer.high === searched.high;
}
