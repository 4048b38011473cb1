/**
 * Changes in the middle of a quicklist. Nodes are split, filled up and merged exactly as Redis does it: how many nodes there are in the end decides
 * whether a list that shrinks becomes a single listpack again.
 *
 *   quicklistInsert, quicklistReplace     at a cursor, which is void afterwards
 *   quicklistDeleteAt                     at a cursor, which goes on to the neighbour; cursorLeave when done
 *   quicklistDeleteRange                  by index
 */
import type { Arena, Ref } from "../../arena/arena.ts";
import { blobAt, blobBuffer } from "../../arena/blob.ts";
import { copyBytes } from "../../base/bytes.ts";
import {
  LISTPACK_HEADER_BYTES,
  listpackAppend,
  listpackCreate,
  listpackDelete,
  listpackDeleteRange,
  listpackEnd,
  listpackInsertAfter,
  listpackInsertBefore,
  listpackLast,
  listpackMerge,
  listpackPrepend,
  listpackReplace,
  listpackSplice,
} from "../listpack/listpack.ts";
import { elementBefore, elementBytes, LISTPACK_END } from "../listpack/listpack-element.ts";
import { cursorAtEdge, cursorEnter, cursorNextNode, enterNode, type QuicklistCursor } from "./quicklist-cursor.ts";
import {
  isLarge,
  nodeBeginChange,
  nodeBeside,
  nodeContent,
  nodeElements,
  nodeFree,
  nodeHasRoom,
  nodeIsPlain,
  nodeLink,
  nodeNext,
  nodeOfElement,
  nodeOfListpack,
  nodePrevious,
  nodeRemove,
  nodeSetPlain,
  nodeSettle,
  nodesMayMerge,
  nodeUnlink,
  nodeUpdate,
  quicklistCount,
  quicklistCountBy,
  quicklistEnd,
  quicklistFill,
} from "./quicklist-node.ts";

// ---- inserting

/** Inserts an element after or before the one at the cursor. `plainMin`: see quicklist.ts. */
export function quicklistInsert(
  a: Arena,
  ql: Ref,
  c: QuicklistCursor,
  after: boolean,
  buf: Uint8Array,
  at: number,
  length: number,
  plainMin: number,
): void {
  const { node } = c;
  const fill = quicklistFill(a, ql);
  const large = isLarge(length, fill, plainMin);
  if (!large && nodeHasRoom(a, node, fill, length)) {
    nodeBeginChange(a, ql, node);
    const lp = nodeContent(a, node);
    nodeUpdate(
      a,
      node,
      after ? listpackInsertAfter(a, lp, c.p, buf, at, length) : listpackInsertBefore(a, lp, c.p, buf, at, length),
      1,
    );
    quicklistCountBy(a, ql, 1);
    nodeSettle(a, ql, node);
  } else if (cursorAtEdge(c, after)) {
    insertBeside(a, ql, node, after, buf, at, length, large);
  } else if (large) {
    const rest = splitNode(a, ql, node, splitPoint(c, after), after);
    const fresh = nodeOfElement(a, buf, at, length, true);
    link(a, ql, node, fresh, after);
    link(a, ql, fresh, rest, after);
    nodeSettle(a, ql, node);
  } else {
    const rest = splitNode(a, ql, node, splitPoint(c, after), after);
    addAtEdge(a, rest, after, buf, at, length);
    link(a, ql, node, rest, after);
    nodeSettle(a, ql, node);
    mergeAround(a, ql, node);
  }
}

/** Puts an element beside a node: into its neighbour, or into a node of its own. */
function insertBeside(
  a: Arena,
  ql: Ref,
  node: Ref,
  after: boolean,
  buf: Uint8Array,
  at: number,
  length: number,
  large: boolean,
): void {
  const neighbour = nodeBeside(a, node, after);
  if (!large && nodeHasRoom(a, neighbour, quicklistFill(a, ql), length)) {
    nodeBeginChange(a, ql, neighbour);
    addAtEdge(a, neighbour, after, buf, at, length);
    quicklistCountBy(a, ql, 1);
    nodeSettle(a, ql, neighbour);
    return;
  }
  link(a, ql, node, nodeOfElement(a, buf, at, length, large), after);
  nodeSettle(a, ql, node);
}

/** Adds an element in front of (or behind) all others of an open node. */
function addAtEdge(a: Arena, node: Ref, atFront: boolean, buf: Uint8Array, at: number, length: number): void {
  const lp = nodeContent(a, node);
  nodeUpdate(a, node, atFront ? listpackPrepend(a, lp, buf, at, length) : listpackAppend(a, lp, buf, at, length), 1);
}

function link(a: Arena, ql: Ref, place: Ref, node: Ref, after: boolean): void {
  nodeLink(a, ql, place, node, after);
  nodeSettle(a, ql, node);
}

/** Where a node is cut: behind the element at the cursor, or in front of it. */
function splitPoint(c: QuicklistCursor, after: boolean): number {
  return after ? c.p + elementBytes(c.buf, c.base + c.p) : c.p;
}

/** Takes the elements from offset `p` on (or those before it) out of a node, which keeps some. Returns them as a node that is in no list. */
function splitNode(a: Arena, ql: Ref, node: Ref, p: number, takeTail: boolean): Ref {
  nodeBeginChange(a, ql, node);
  const lp = nodeContent(a, node);
  const buf = blobBuffer(a, lp);
  const at = blobAt(a, lp);
  let before = 0;
  for (let q = at + LISTPACK_HEADER_BYTES; q < at + p; q += elementBytes(buf, q)) before++;
  const from = takeTail ? p : LISTPACK_HEADER_BYTES;
  const bytes = (takeTail ? listpackEnd(a, lp) : p) - from;
  const taken = takeTail ? nodeElements(a, node) - before : before;
  const part = listpackSplice(a, listpackCreate(a), LISTPACK_HEADER_BYTES, 0, bytes, taken);
  copyBytes(buf, at + from, blobBuffer(a, part), blobAt(a, part) + LISTPACK_HEADER_BYTES, bytes);
  nodeUpdate(a, node, listpackSplice(a, lp, from, bytes, 0, -taken), -taken);
  quicklistCountBy(a, ql, -taken);
  return nodeOfListpack(a, part, taken);
}

// ---- merging

/** Moves the elements of `second` behind those of `first`, the node before it. */
function merge(a: Arena, ql: Ref, first: Ref, second: Ref): Ref {
  nodeBeginChange(a, ql, first);
  nodeBeginChange(a, ql, second);
  const lp = nodeContent(a, second);
  const elements = nodeElements(a, second);
  nodeUnlink(a, ql, second);
  a.free(second);
  nodeUpdate(a, first, listpackMerge(a, nodeContent(a, first), lp), elements);
  quicklistCountBy(a, ql, elements);
  nodeSettle(a, ql, 0);
  nodeSettle(a, ql, first);
  return first;
}

/** Merges what fits together among a node and the two on each side of it. Returns the node that then holds its elements. */
function mergeAround(a: Arena, ql: Ref, center: Ref): Ref {
  const fill = quicklistFill(a, ql);
  const previous = nodePrevious(a, center);
  const beforePrevious = previous === 0 ? 0 : nodePrevious(a, previous);
  if (nodesMayMerge(a, beforePrevious, previous, fill)) merge(a, ql, beforePrevious, previous);
  const next = nodeNext(a, center);
  const afterNext = next === 0 ? 0 : nodeNext(a, next);
  if (nodesMayMerge(a, next, afterNext, fill)) merge(a, ql, next, afterNext);
  let target = center;
  if (nodesMayMerge(a, nodePrevious(a, target), target, fill)) target = merge(a, ql, nodePrevious(a, target), target);
  if (nodesMayMerge(a, target, nodeNext(a, target), fill)) target = merge(a, ql, target, nodeNext(a, target));
  return target;
}

// ---- replacing

/** Puts an element in the place of the one at the cursor. `plainMin`: see quicklist.ts. */
export function quicklistReplace(
  a: Arena,
  ql: Ref,
  c: QuicklistCursor,
  buf: Uint8Array,
  at: number,
  length: number,
  plainMin: number,
): void {
  const { node } = c;
  const large = isLarge(length, quicklistFill(a, ql), plainMin);
  if (nodeIsPlain(a, node)) {
    if (large) {
      nodeBeginChange(a, ql, node);
      nodeSetPlain(a, node, buf, at, length);
      nodeSettle(a, ql, node);
    } else {
      insertBeside(a, ql, node, true, buf, at, length, false);
      nodeRemove(a, ql, node);
    }
  } else if (!large) {
    nodeBeginChange(a, ql, node);
    nodeUpdate(a, node, listpackReplace(a, nodeContent(a, node), c.p, buf, at, length), 0);
    nodeSettle(a, ql, node);
  } else {
    replaceByPlain(a, ql, c, buf, at, length);
  }
}

/** Puts a plain node in the place of an element of a listpack, which is cut there. */
function replaceByPlain(a: Arena, ql: Ref, c: QuicklistCursor, buf: Uint8Array, at: number, length: number): void {
  const { node } = c;
  const rest = cursorAtEdge(c, true) ? 0 : splitNode(a, ql, node, splitPoint(c, true), true);
  let fresh = nodeOfElement(a, buf, at, length, true);
  nodeLink(a, ql, node, fresh, true);
  if (rest !== 0) nodeLink(a, ql, fresh, rest, true);
  if (nodeElements(a, node) === 1) {
    nodeRemove(a, ql, node);
  } else {
    nodeBeginChange(a, ql, node);
    const lp = nodeContent(a, node);
    nodeUpdate(a, node, listpackDelete(a, lp, listpackLast(a, lp)), -1);
    quicklistCountBy(a, ql, -1);
    fresh = mergeAround(a, ql, fresh);
  }
  const previous = nodePrevious(a, fresh);
  const next = nodeNext(a, fresh);
  nodeSettle(a, ql, fresh);
  if (previous !== 0) nodeSettle(a, ql, previous);
  if (next !== 0) nodeSettle(a, ql, next);
}

// ---- deleting

/** Deletes the element at the cursor and sets it on the following (or the preceding) one; false when there is none. */
export function quicklistDeleteAt(a: Arena, ql: Ref, c: QuicklistCursor, forward: boolean): boolean {
  const { node } = c;
  if (nodeElements(a, node) === 1) {
    const beside = nodeBeside(a, node, forward);
    c.opened = false;
    nodeRemove(a, ql, node);
    return cursorEnter(a, c, beside, forward);
  }
  const p = c.p;
  nodeBeginChange(a, ql, node);
  c.opened = true;
  const atFront = p === LISTPACK_HEADER_BYTES;
  nodeUpdate(a, node, listpackDelete(a, nodeContent(a, node), p), -1);
  quicklistCountBy(a, ql, -1);
  enterNode(a, c, node);
  c.p = p;
  if (forward ? c.buf[c.base + p] === LISTPACK_END : atFront) return cursorNextNode(a, c, forward);
  if (!forward) c.p = elementBefore(c.buf, c.base + p) - c.base;
  return true;
}

/** Deletes up to `count` elements from an index (0 or more) on. */
export function quicklistDeleteRange(a: Arena, ql: Ref, start: number, count: number): void {
  const total = quicklistCount(a, ql);
  let left = Math.min(count, total - start);
  if (left <= 0) return;
  // As with any index, from the nearer end.
  const forward = start <= total >> 1;
  let node = quicklistEnd(a, ql, forward);
  let nodeStart = forward ? 0 : total - nodeElements(a, node);
  while (forward ? nodeStart + nodeElements(a, node) <= start : nodeStart > start) {
    if (forward) nodeStart += nodeElements(a, node);
    node = nodeBeside(a, node, forward);
    if (!forward) nodeStart -= nodeElements(a, node);
  }
  for (let skip = start - nodeStart; left > 0; skip = 0) {
    const next = nodeNext(a, node);
    left -= deleteFromNode(a, ql, node, skip, left);
    node = next;
  }
}

/** Deletes up to `count` elements of a node, from an index of its own on. Returns how many. */
function deleteFromNode(a: Arena, ql: Ref, node: Ref, skip: number, count: number): number {
  const deleted = Math.min(count, nodeElements(a, node) - skip);
  if (deleted === nodeElements(a, node)) {
    nodeUnlink(a, ql, node);
    nodeFree(a, node);
    nodeSettle(a, ql, 0);
    return deleted;
  }
  nodeBeginChange(a, ql, node);
  nodeUpdate(a, node, listpackDeleteRange(a, nodeContent(a, node), skip, deleted), -deleted);
  quicklistCountBy(a, ql, -deleted);
  nodeSettle(a, ql, node);
  return deleted;
}
