/**
 * Nodes of a quicklist (quicklist.ts has the list): their layout, the limits of their size, their compression and their links.
 *
 *   list (24 bytes)   [head][tail][elements][nodes][fill:16, compression depth:16][not 0: frozen, see frozen-list.ts]
 *   node (24 bytes)   [previous][next][content: BlobRef][bytes][elements][form]
 *
 * The content of a node is a listpack, or a single element as it is ("plain", for large ones); when it is compressed, the blob holds
 * [compressed bytes:4][LZF], and `bytes` is still what it has uncompressed. No node is empty.
 *
 * Invariant: the first and last `depth` nodes are not compressed. Others may or may not be: not all bytes can be compressed, and whoever changes a node
 * makes it plain bytes again before (nodeBeginChange) and compresses it afterwards (nodeSettle).
 */
import { type Arena, GRANULE_MASK, type Ref, SEGMENT_SHIFT } from "../../arena/arena.ts";
import { type BlobRef, blobAlloc, blobAt, blobBuffer, blobCapacity, blobFree } from "../../arena/blob.ts";
import { copyBytes } from "../../base/bytes.ts";
import { lzfCompress, lzfDecompress } from "../../base/lzf.ts";
import { listpackAppend, listpackBytes, listpackCreate } from "../listpack/listpack.ts";
import { readUint32, writeUint32 } from "../listpack/listpack-element.ts";

// Words of a list.
const HEAD = 0;
const TAIL = 1;
const COUNT = 2;
const NODES = 3;
const OPTIONS = 4;
const FROZEN = 5;
const LIST_BYTES = 24;

// Words of a node.
const PREVIOUS = 0;
const NEXT = 1;
const CONTENT = 2;
const BYTES = 3;
const ELEMENTS = 4;
const FORM = 5;
const NODE_BYTES = 24;

/** Bits of a node's form. */
const PLAIN = 1;
const COMPRESSED = 2;

/** Most elements that a node is filled with, whatever is asked for. */
const FILL_MAX = (1 << 15) - 1;
const FILL_MIN = -5;
const DEPTH_MAX = (1 << 16) - 1;
/** A node that is limited by its elements is limited to these bytes as well. */
const SAFETY_BYTES = 8192;
/** Bytes that an element takes in a listpack beside its own, at most about. */
const ELEMENT_OVERHEAD = 8;
/** Bytes of an empty listpack: what is saved when two become one. */
const LISTPACK_OVERHEAD = 7;

/** Compression: the fewest bytes worth trying, the fewest that must be saved, and the most (what lzfCompress can number). */
const COMPRESS_MIN = 48;
const COMPRESS_GAIN_MIN = 8;
const COMPRESS_MAX = 1 << 29;
/** Bytes of a compressed length. */
const LZF_HEADER = 4;
/** A work buffer that grew beyond this is let go. */
const WORK_KEEP = 1 << 20;

let work = new Uint8Array(0);

/** Bytes of a list and its nodes, without content. */
export const QUICKLIST_BYTES = LIST_BYTES;
export const QUICKLIST_NODE_BYTES = NODE_BYTES;

function word(a: Arena, ref: Ref, index: number): number {
  return a.i32[ref >>> SEGMENT_SHIFT][((ref & GRANULE_MASK) << 1) + index];
}

function setWord(a: Arena, ref: Ref, index: number, value: number): void {
  a.i32[ref >>> SEGMENT_SHIFT][((ref & GRANULE_MASK) << 1) + index] = value;
}

// ---- lists

/** An empty list. `fill` is as list-max-listpack-size, `depth` as list-compress-depth. */
export function quicklistCreate(a: Arena, fill: number, depth: number): Ref {
  const ql = a.alloc(LIST_BYTES);
  const clampedFill = Math.min(Math.max(fill, FILL_MIN), FILL_MAX);
  const clampedDepth = Math.min(Math.max(depth, 0), DEPTH_MAX);
  setWord(a, ql, HEAD, 0);
  setWord(a, ql, TAIL, 0);
  setWord(a, ql, COUNT, 0);
  setWord(a, ql, NODES, 0);
  setWord(a, ql, OPTIONS, (clampedFill & 0xffff) | (clampedDepth << 16));
  setWord(a, ql, FROZEN, 0);
  return ql;
}

/** Elements of a list. */
export function quicklistCount(a: Arena, ql: Ref): number {
  return word(a, ql, COUNT);
}

/** Nodes of a list. */
export function quicklistNodes(a: Arena, ql: Ref): number {
  return word(a, ql, NODES);
}

/** How full nodes may be, as list-max-listpack-size was when the list was made. */
export function quicklistFill(a: Arena, ql: Ref): number {
  return (word(a, ql, OPTIONS) << 16) >> 16;
}

/** Nodes at both ends that are not compressed; 0: none is compressed at all. */
export function quicklistDepth(a: Arena, ql: Ref): number {
  return word(a, ql, OPTIONS) >>> 16;
}

/** The node at an end, or 0. */
export function quicklistEnd(a: Arena, ql: Ref, atHead: boolean): Ref {
  return word(a, ql, atHead ? HEAD : TAIL);
}

/** Counts elements that came (or went) in nodes that stay. */
export function quicklistCountBy(a: Arena, ql: Ref, by: number): void {
  setWord(a, ql, COUNT, word(a, ql, COUNT) + by);
}

/** True when a snapshot still reads the list. */
export function quicklistIsFrozen(a: Arena, ql: Ref): boolean {
  return word(a, ql, FROZEN) !== 0;
}

/** Notes whether a list is frozen: frozen-list.ts does. */
export function quicklistFreeze(a: Arena, ql: Ref, isFrozen: boolean): void {
  setWord(a, ql, FROZEN, isFrozen ? 1 : 0);
}

/** Says that what a node of the list holds is about to change. */
export function nodeChanging(a: Arena, ql: Ref, node: Ref): void {
  if (word(a, ql, FROZEN) !== 0) a.frozen.beforeChange(ql, node);
}

// ---- nodes

export function nodeNext(a: Arena, node: Ref): Ref {
  return word(a, node, NEXT);
}

export function nodePrevious(a: Arena, node: Ref): Ref {
  return word(a, node, PREVIOUS);
}

/** The node beside one: after it, or before it. */
export function nodeBeside(a: Arena, node: Ref, after: boolean): Ref {
  return word(a, node, after ? NEXT : PREVIOUS);
}

export function nodeElements(a: Arena, node: Ref): number {
  return word(a, node, ELEMENTS);
}

/** Bytes of a node's listpack or plain element when it is not compressed. */
export function nodeBytes(a: Arena, node: Ref): number {
  return word(a, node, BYTES) >>> 0;
}

/** The blob: see the layout above. */
export function nodeContent(a: Arena, node: Ref): BlobRef {
  return word(a, node, CONTENT);
}

export function nodeIsPlain(a: Arena, node: Ref): boolean {
  return (word(a, node, FORM) & PLAIN) !== 0;
}

export function nodeIsCompressed(a: Arena, node: Ref): boolean {
  return (word(a, node, FORM) & COMPRESSED) !== 0;
}

function nodeCreate(a: Arena, content: BlobRef, bytes: number, elements: number, form: number): Ref {
  const node = a.alloc(NODE_BYTES);
  setWord(a, node, PREVIOUS, 0);
  setWord(a, node, NEXT, 0);
  setWord(a, node, CONTENT, content);
  setWord(a, node, BYTES, bytes);
  setWord(a, node, ELEMENTS, elements);
  setWord(a, node, FORM, form);
  return node;
}

/** A node, in no list yet, of a listpack that is not empty. */
export function nodeOfListpack(a: Arena, lp: BlobRef, elements: number): Ref {
  return nodeCreate(a, lp, listpackBytes(a, lp), elements, 0);
}

/** A node, in no list yet, with a single element: a listpack, or plain. */
export function nodeOfElement(a: Arena, buf: Uint8Array, at: number, length: number, plain: boolean): Ref {
  if (!plain) return nodeOfListpack(a, listpackAppend(a, listpackCreate(a), buf, at, length), 1);
  const content = plainContent(a, buf, at, length);
  return nodeCreate(a, content, length, 1, PLAIN);
}

function plainContent(a: Arena, buf: Uint8Array, at: number, length: number): BlobRef {
  const content = blobAlloc(a, length === 0 ? 1 : length);
  copyBytes(buf, at, blobBuffer(a, content), blobAt(a, content), length);
  return content;
}

/** A node, in no list yet, with the same content, compressed or not. */
export function nodeCopy(a: Arena, node: Ref): Ref {
  const from = nodeContent(a, node);
  const held = heldBytes(a, node);
  const content = blobAlloc(a, held === 0 ? 1 : held);
  copyBytes(blobBuffer(a, from), blobAt(a, from), blobBuffer(a, content), blobAt(a, content), held);
  return nodeCreate(a, content, word(a, node, BYTES), nodeElements(a, node), word(a, node, FORM));
}

/** Bytes of the blob that mean something. */
function heldBytes(a: Arena, node: Ref): number {
  if (!nodeIsCompressed(a, node)) return nodeBytes(a, node);
  const content = nodeContent(a, node);
  return LZF_HEADER + readUint32(blobBuffer(a, content), blobAt(a, content));
}

/** Bytes of memory of a node with its content. */
export function nodeMemory(a: Arena, node: Ref): number {
  return a.capacity(node) + blobCapacity(a, nodeContent(a, node));
}

/** Frees a node that is in no list (any more), with its content. */
export function nodeFree(a: Arena, node: Ref): void {
  blobFree(a, nodeContent(a, node));
  a.free(node);
}

/** Notes that the listpack of an open node is now `lp`, with `by` more elements. */
export function nodeUpdate(a: Arena, node: Ref, lp: BlobRef, by: number): void {
  setWord(a, node, CONTENT, lp);
  setWord(a, node, BYTES, listpackBytes(a, lp));
  setWord(a, node, ELEMENTS, word(a, node, ELEMENTS) + by);
}

/** Gives an open plain node another element. */
export function nodeSetPlain(a: Arena, node: Ref, buf: Uint8Array, at: number, length: number): void {
  const content = plainContent(a, buf, at, length);
  blobFree(a, nodeContent(a, node));
  setWord(a, node, CONTENT, content);
  setWord(a, node, BYTES, length);
}

// ---- limits

/** Most bytes of a node by a negative fill. */
function bytesOfFill(fill: number): number {
  return 2048 << Math.min(-fill, -FILL_MIN);
}

/** True when a listpack of these bytes and elements is more than the fill allows. */
export function exceedsFill(fill: number, bytes: number, elements: number): boolean {
  if (fill < 0) return bytes > bytesOfFill(fill);
  return bytes > SAFETY_BYTES || elements > Math.max(fill, 1);
}

/** True when a node of these bytes and elements is within the fill, or within half of it: small enough to be a list of its own. */
export function withinFill(fill: number, bytes: number, elements: number, half: boolean): boolean {
  const share = half ? 0.5 : 1;
  return fill < 0 ? bytes <= bytesOfFill(fill) * share : elements <= Math.floor(Math.max(fill, 1) * share);
}

/** True when an element of `length` bytes gets a plain node. `plainMin` is the least length of those; 0: as the fill says. */
export function isLarge(length: number, fill: number, plainMin: number): boolean {
  if (plainMin !== 0) return length >= plainMin;
  return length > (fill < 0 ? bytesOfFill(fill) : SAFETY_BYTES);
}

/** True when an element of `length` bytes, which is not large, has room in a node (0: none). */
export function nodeHasRoom(a: Arena, node: Ref, fill: number, length: number): boolean {
  if (node === 0 || nodeIsPlain(a, node)) return false;
  return !exceedsFill(fill, nodeBytes(a, node) + length + ELEMENT_OVERHEAD, nodeElements(a, node) + 1);
}

/** True when two nodes (0: none) may become one. */
export function nodesMayMerge(a: Arena, first: Ref, second: Ref, fill: number): boolean {
  if (first === 0 || second === 0 || nodeIsPlain(a, first) || nodeIsPlain(a, second)) return false;
  const bytes = nodeBytes(a, first) + nodeBytes(a, second) - LISTPACK_OVERHEAD;
  return !exceedsFill(fill, bytes, nodeElements(a, first) + nodeElements(a, second));
}

// ---- compression

function workBuffer(size: number): Uint8Array {
  if (work.length < size) work = new Uint8Array(size);
  return work;
}

function leaveWorkBuffer(): void {
  if (work.length > WORK_KEEP) work = new Uint8Array(0);
}

function nodeCompress(a: Arena, node: Ref): void {
  const bytes = nodeBytes(a, node);
  if (nodeIsCompressed(a, node) || bytes < COMPRESS_MIN || bytes > COMPRESS_MAX) return;
  const from = nodeContent(a, node);
  const out = workBuffer(bytes);
  const length = lzfCompress(blobBuffer(a, from), blobAt(a, from), bytes, out, 0, bytes);
  if (length !== 0 && length + COMPRESS_GAIN_MIN < bytes) {
    const content = blobAlloc(a, LZF_HEADER + length);
    const buf = blobBuffer(a, content);
    const at = blobAt(a, content);
    writeUint32(buf, at, length);
    copyBytes(out, 0, buf, at + LZF_HEADER, length);
    blobFree(a, from);
    setWord(a, node, CONTENT, content);
    setWord(a, node, FORM, word(a, node, FORM) | COMPRESSED);
  }
  leaveWorkBuffer();
}

/** Writes the uncompressed content of a compressed node to `out`, which has room for nodeBytes. */
export function nodeDecompressTo(a: Arena, node: Ref, out: Uint8Array, at: number): void {
  const bytes = nodeBytes(a, node);
  const from = nodeContent(a, node);
  const buf = blobBuffer(a, from);
  const p = blobAt(a, from);
  if (lzfDecompress(buf, p + LZF_HEADER, readUint32(buf, p), out, at, bytes) !== bytes)
    throw new Error("quicklist: a compressed node is damaged");
}

/** Prepares a node of the list, so that its listpack or element can be changed. */
export function nodeBeginChange(a: Arena, ql: Ref, node: Ref): void {
  nodeChanging(a, ql, node);
  nodeOpen(a, node);
}

/** Makes a compressed node an uncompressed one. */
function nodeOpen(a: Arena, node: Ref): void {
  if (!nodeIsCompressed(a, node)) return;
  const bytes = nodeBytes(a, node);
  const from = nodeContent(a, node);
  const content = blobAlloc(a, bytes);
  nodeDecompressTo(a, node, blobBuffer(a, content), blobAt(a, content));
  blobFree(a, from);
  setWord(a, node, CONTENT, content);
  setWord(a, node, FORM, word(a, node, FORM) & ~COMPRESSED);
}

/** Restores the invariant after a change of the list, and compresses `node` (0: none) if it is deep enough, and the first nodes that are. */
export function nodeSettle(a: Arena, ql: Ref, node: Ref): void {
  const depth = quicklistDepth(a, ql);
  if (depth === 0 || quicklistNodes(a, ql) < depth * 2) return;
  let forward = word(a, ql, HEAD);
  let backward = word(a, ql, TAIL);
  let nearEnd = node === 0;
  for (let i = 0; i < depth; i++) {
    nodeOpen(a, forward);
    nodeOpen(a, backward);
    if (forward === node || backward === node) nearEnd = true;
    if (forward === backward || nodeNext(a, forward) === backward) return;
    forward = nodeNext(a, forward);
    backward = nodePrevious(a, backward);
  }
  if (!nearEnd) nodeCompress(a, node);
  nodeCompress(a, forward);
  nodeCompress(a, backward);
}

// ---- links

/** Puts a node beside `place` (0: the list is empty), and its elements into the count. The caller settles both. */
export function nodeLink(a: Arena, ql: Ref, place: Ref, node: Ref, after: boolean): void {
  const beside = place === 0 ? 0 : nodeBeside(a, place, after);
  const previous = after ? place : beside;
  const next = after ? beside : place;
  setWord(a, node, PREVIOUS, previous);
  setWord(a, node, NEXT, next);
  if (previous === 0) setWord(a, ql, HEAD, node);
  else setWord(a, previous, NEXT, node);
  if (next === 0) setWord(a, ql, TAIL, node);
  else setWord(a, next, PREVIOUS, node);
  setWord(a, ql, NODES, word(a, ql, NODES) + 1);
  quicklistCountBy(a, ql, nodeElements(a, node));
}

/** Takes a node out of its list, and its elements out of the count. The caller settles the list. */
export function nodeUnlink(a: Arena, ql: Ref, node: Ref): void {
  nodeChanging(a, ql, node);
  const previous = nodePrevious(a, node);
  const next = nodeNext(a, node);
  if (previous === 0) setWord(a, ql, HEAD, next);
  else setWord(a, previous, NEXT, next);
  if (next === 0) setWord(a, ql, TAIL, previous);
  else setWord(a, next, PREVIOUS, previous);
  setWord(a, ql, NODES, word(a, ql, NODES) - 1);
  quicklistCountBy(a, ql, -nodeElements(a, node));
}

/** Takes a node out of its list and frees it. */
export function nodeRemove(a: Arena, ql: Ref, node: Ref): void {
  nodeUnlink(a, ql, node);
  nodeFree(a, node);
  nodeSettle(a, ql, 0);
}
