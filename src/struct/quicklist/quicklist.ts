/**
 * Quicklists: a doubly linked list of nodes, each of which holds a listpack, or one large element (quicklist-node.ts has the layout). Both ends are
 * cheap; an index is found by walking over nodes from the nearer end. This file works at the ends and on the whole; quicklist-cursor.ts reads
 * at any place, quicklist-edit.ts changes there.
 *
 * `plainMin` is the least length of an element that gets a node of its own, 0 for what the fill of the list says. Elements are given as (buffer,
 * offset, length), which must not lie in the list itself.
 *
 *   quicklistCreate, quicklistFree, quicklistFreeStep, quicklistCopy, quicklistMemory, quicklistCheck
 *   quicklistCount, quicklistNodes, quicklistFill, quicklistDepth
 *   quicklistPush, quicklistReadEnd, quicklistDropEnd, quicklistAppendListpack, quicklistAppendPlain, quicklistTakeListpack
 */
import type { Arena, Ref } from "../../arena/arena.ts";
import { type BlobRef, blobAt, blobBuffer } from "../../arena/blob.ts";
import {
  LISTPACK_HEADER_BYTES,
  listpackAppend,
  listpackCheck,
  listpackCount,
  listpackDelete,
  listpackIsValid,
  listpackLast,
  listpackPrepend,
} from "../listpack/listpack.ts";
import type { ListpackElement } from "../listpack/listpack-element.ts";
import {
  isLarge,
  nodeBytes,
  nodeChanging,
  nodeContent,
  nodeCopy,
  nodeDecompressTo,
  nodeElements,
  nodeFree,
  nodeHasRoom,
  nodeIsCompressed,
  nodeIsPlain,
  nodeLink,
  nodeMemory,
  nodeNext,
  nodeOfElement,
  nodeOfListpack,
  nodePrevious,
  nodeRemove,
  nodeSettle,
  nodeUnlink,
  nodeUpdate,
  quicklistCount,
  quicklistCountBy,
  quicklistCreate,
  quicklistDepth,
  quicklistEnd,
  quicklistFill,
  quicklistIsFrozen,
  quicklistNodes,
} from "./quicklist-node.ts";

export {
  quicklistCount,
  quicklistCreate,
  quicklistDepth,
  quicklistFill,
  quicklistIsFrozen,
  quicklistNodes,
} from "./quicklist-node.ts";

/** Frees a list with all that it holds. */
export function quicklistFree(a: Arena, ql: Ref): void {
  while (!quicklistFreeStep(a, ql, Number.POSITIVE_INFINITY));
}

/** Frees up to `budget` nodes of a list that nobody reads any more; true when the list itself is freed, too. */
export function quicklistFreeStep(a: Arena, ql: Ref, budget: number): boolean {
  for (let left = budget; left > 0; left--) {
    const node = quicklistEnd(a, ql, true);
    if (node === 0) {
      a.free(ql);
      return true;
    }
    nodeUnlink(a, ql, node);
    nodeFree(a, node);
  }
  return false;
}

/** A list of its own with the same elements in the same nodes. */
export function quicklistCopy(a: Arena, ql: Ref): Ref {
  const copy = quicklistCreate(a, quicklistFill(a, ql), quicklistDepth(a, ql));
  for (let node = quicklistEnd(a, ql, true); node !== 0; node = nodeNext(a, node))
    nodeLink(a, copy, quicklistEnd(a, copy, false), nodeCopy(a, node), true);
  return copy;
}

/** Bytes of memory, estimated from the first `samples` nodes (0: all). */
export function quicklistMemory(a: Arena, ql: Ref, samples: number): number {
  let bytes = 0;
  let seen = 0;
  for (
    let node = quicklistEnd(a, ql, true);
    node !== 0 && (samples === 0 || seen < samples);
    node = nodeNext(a, node)
  ) {
    bytes += nodeMemory(a, node);
    seen++;
  }
  return a.capacity(ql) + (seen === 0 ? 0 : Math.round((bytes / seen) * quicklistNodes(a, ql)));
}

/** Adds an element at an end. */
export function quicklistPush(
  a: Arena,
  ql: Ref,
  atHead: boolean,
  buf: Uint8Array,
  at: number,
  length: number,
  plainMin: number,
): void {
  const fill = quicklistFill(a, ql);
  const end = quicklistEnd(a, ql, atHead);
  const large = isLarge(length, fill, plainMin);
  if (!large && nodeHasRoom(a, end, fill, length)) {
    nodeChanging(a, ql, end);
    const lp = nodeContent(a, end);
    nodeUpdate(a, end, atHead ? listpackPrepend(a, lp, buf, at, length) : listpackAppend(a, lp, buf, at, length), 1);
    quicklistCountBy(a, ql, 1);
    return;
  }
  appendNode(a, ql, end, nodeOfElement(a, buf, at, length, large), !atHead);
}

function appendNode(a: Arena, ql: Ref, end: Ref, node: Ref, after: boolean): void {
  nodeLink(a, ql, end, node, after);
  if (end !== 0) nodeSettle(a, ql, end);
  nodeSettle(a, ql, node);
}

/** Reads the element at an end of a list that is not empty. */
export function quicklistReadEnd(a: Arena, ql: Ref, atHead: boolean, out: ListpackElement): void {
  const node = quicklistEnd(a, ql, atHead);
  const content = nodeContent(a, node);
  const buf = blobBuffer(a, content);
  const at = blobAt(a, content);
  if (!nodeIsPlain(a, node)) {
    out.read(buf, at + (atHead ? LISTPACK_HEADER_BYTES : listpackLast(a, content)));
    return;
  }
  out.isInteger = false;
  out.buf = buf;
  out.at = at;
  out.length = nodeBytes(a, node);
}

/** Removes the element at an end of a list that is not empty. */
export function quicklistDropEnd(a: Arena, ql: Ref, atHead: boolean): void {
  const node = quicklistEnd(a, ql, atHead);
  if (nodeElements(a, node) === 1) {
    nodeRemove(a, ql, node);
    return;
  }
  nodeChanging(a, ql, node);
  const lp = nodeContent(a, node);
  nodeUpdate(a, node, listpackDelete(a, lp, atHead ? LISTPACK_HEADER_BYTES : listpackLast(a, lp)), -1);
  quicklistCountBy(a, ql, -1);
}

/** Appends a node that is the listpack, which is not empty and now belongs to the list. */
export function quicklistAppendListpack(a: Arena, ql: Ref, lp: BlobRef): void {
  appendNode(a, ql, quicklistEnd(a, ql, false), nodeOfListpack(a, lp, listpackCount(a, lp)), true);
}

/** Appends a plain node with one element. */
export function quicklistAppendPlain(a: Arena, ql: Ref, buf: Uint8Array, at: number, length: number): void {
  appendNode(a, ql, quicklistEnd(a, ql, false), nodeOfElement(a, buf, at, length, true), true);
}

/** The listpack of a list whose only node is one, which stays; the list is freed. */
export function quicklistTakeListpack(a: Arena, ql: Ref): BlobRef {
  const node = quicklistEnd(a, ql, true);
  const lp = nodeContent(a, node);
  if (quicklistIsFrozen(a, ql)) {
    nodeChanging(a, ql, node);
    a.frozen.vanish(ql);
  }
  a.free(node);
  a.free(ql);
  return lp;
}

// ---- checking

/** Throws an Error unless links, counts and compression are right and every node is valid. */
export function quicklistCheck(a: Arena, ql: Ref): void {
  const nodes = quicklistNodes(a, ql);
  const depth = quicklistDepth(a, ql);
  let seen = 0;
  let elements = 0;
  let previous = 0;
  for (let node = quicklistEnd(a, ql, true); node !== 0; node = nodeNext(a, node)) {
    if (nodePrevious(a, node) !== previous) throw new Error(`quicklist: node ${seen} is linked wrongly`);
    if (nodeIsCompressed(a, node) && (seen < depth || seen >= nodes - depth))
      throw new Error(`quicklist: node ${seen} of ${nodes} is compressed at depth ${depth}`);
    checkNode(a, node, seen);
    elements += nodeElements(a, node);
    previous = node;
    seen++;
  }
  if (quicklistEnd(a, ql, false) !== previous) throw new Error("quicklist: the tail is not the last node");
  if (seen !== nodes) throw new Error(`quicklist: ${seen} nodes, not ${nodes}`);
  if (elements !== quicklistCount(a, ql))
    throw new Error(`quicklist: ${elements} elements, not ${quicklistCount(a, ql)}`);
}

function checkNode(a: Arena, node: Ref, index: number): void {
  const elements = nodeElements(a, node);
  const bytes = nodeBytes(a, node);
  if (elements < 1) throw new Error(`quicklist: node ${index} is empty`);
  if (nodeIsPlain(a, node) && elements !== 1)
    throw new Error(`quicklist: plain node ${index} has ${elements} elements`);
  if (nodeIsCompressed(a, node)) {
    const copy = new Uint8Array(bytes);
    nodeDecompressTo(a, node, copy, 0);
    if (!nodeIsPlain(a, node) && !listpackIsValid(copy, 0, bytes, true))
      throw new Error(`quicklist: compressed node ${index} is no listpack`);
    return;
  }
  if (nodeIsPlain(a, node)) return;
  const lp = nodeContent(a, node);
  listpackCheck(a, lp);
  if (listpackCount(a, lp) !== elements)
    throw new Error(`quicklist: node ${index} has ${listpackCount(a, lp)} elements, not ${elements}`);
}
