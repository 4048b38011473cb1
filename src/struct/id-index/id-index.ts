/**
 * An ordered index of records with fixed-size keys: a B+tree in arena blocks. Keys are runs of 32-bit words that compare as unsigned numbers, the first word
 * first; a record is its key followed by words of the owner's. Streams keep their blocks in one (key: the 128-bit id of a block's master entry), and
 * pending entries in several.
 *
 *   head, 8 words:   [root][height: 0 when the root is a leaf][records][first leaf][last leaf][key words | record words << 8][nodes][0]
 *   leaf:            [records][previous leaf][next leaf][0] record ...
 *   inner node:      [children][0][0][0] (key words, child) ...        the key: the least that the child may hold; that of the first child is not looked at
 *
 * A node begins small and moves to a larger block as it fills, up to RECORDS_MAX records. One that overflows at its end splits so that the left half stays
 * full: keys that only grow leave full leaves behind. A node that is nearly empty joins a neighbour. There are no empty nodes but the root.
 *
 *   indexCreate, indexFree, indexCount, indexNodes, indexBytes, indexCheck
 *   indexFind, indexFloor, indexFirst, indexLast, indexNext, indexPrevious        place an IndexCursor
 *   indexInsert                                                                   id-index-insert.ts
 *   indexDelete, indexDropLast, indexDropLeaf                                     id-index-delete.ts
 */
import type { Arena, Ref } from "../../arena/arena.ts";
import {
  compareAt,
  descend,
  HEAD_BYTES,
  Head,
  type IndexCursor,
  lowerBound,
  NODE_WORDS,
  newNode,
  place,
  RECORDS_MAX,
  RECORDS_START,
  roomOf,
  wordAt,
  wordsOf,
} from "./id-index-node.ts";

export { IndexCursor } from "./id-index-node.ts";

/** An empty index with keys of `keyWords` words and `valueWords` further words a record. */
export function indexCreate(a: Arena, keyWords: number, valueWords: number): Ref {
  const t = a.alloc(HEAD_BYTES);
  const root = newNode(a, keyWords + valueWords, RECORDS_START);
  const w = wordsOf(a, t);
  const at = wordAt(t);
  w[at + Head.Root] = root;
  w[at + Head.Height] = 0;
  w[at + Head.Count] = 0;
  w[at + Head.First] = root;
  w[at + Head.Last] = root;
  w[at + Head.Shape] = keyWords | ((keyWords + valueWords) << 8);
  w[at + Head.Nodes] = 1;
  w[at + 7] = 0;
  return t;
}

/** Records in an index. */
export function indexCount(a: Arena, t: Ref): number {
  return wordsOf(a, t)[wordAt(t) + Head.Count] >>> 0;
}

/** Nodes of an index, leaves included. */
export function indexNodes(a: Arena, t: Ref): number {
  return wordsOf(a, t)[wordAt(t) + Head.Nodes];
}

/** Bytes of an index, all nodes taken to be as large as the last leaf when there are several. */
export function indexBytes(a: Arena, t: Ref): number {
  const w = wordsOf(a, t);
  const at = wordAt(t);
  const full = (NODE_WORDS + RECORDS_MAX * (w[at + Head.Shape] >>> 8)) << 2;
  return a.capacity(t) + a.capacity(w[at + Head.Last]) + (w[at + Head.Nodes] - 1) * full;
}

/** Places the cursor at the first record that is not below `key`, none when there is none; true when that one has this key. */
export function indexFind(a: Arena, t: Ref, key: Int32Array, c: IndexCursor): boolean {
  const shape = wordsOf(a, t)[wordAt(t) + Head.Shape];
  let leaf = descend(a, t, key);
  let slot = lowerBound(a, leaf, key, shape & 255, shape >>> 8);
  const at = wordAt(leaf);
  if (slot === wordsOf(a, leaf)[at]) {
    leaf = wordsOf(a, leaf)[at + 2];
    slot = 0;
    if (leaf === 0) {
      c.leaf = 0;
      return false;
    }
  }
  place(a, t, leaf, slot, c);
  return compareAt(c.words, c.at, key, shape & 255) === 0;
}

/** Places the cursor at the last record that is not above `key`; false when there is none. */
export function indexFloor(a: Arena, t: Ref, key: Int32Array, c: IndexCursor): boolean {
  if (indexFind(a, t, key, c)) return true;
  return c.leaf === 0 ? indexLast(a, t, c) : indexPrevious(a, t, c);
}

/** Places the cursor at the first record; false when there is none. */
export function indexFirst(a: Arena, t: Ref, c: IndexCursor): boolean {
  const leaf = wordsOf(a, t)[wordAt(t) + Head.First];
  if (wordsOf(a, leaf)[wordAt(leaf)] === 0) {
    c.leaf = 0;
    return false;
  }
  place(a, t, leaf, 0, c);
  return true;
}

/** Places the cursor at the last record; false when there is none. */
export function indexLast(a: Arena, t: Ref, c: IndexCursor): boolean {
  const leaf = wordsOf(a, t)[wordAt(t) + Head.Last];
  const count = wordsOf(a, leaf)[wordAt(leaf)];
  if (count === 0) {
    c.leaf = 0;
    return false;
  }
  place(a, t, leaf, count - 1, c);
  return true;
}

/** Moves the cursor to the next record; false, and no record, at the end. */
export function indexNext(a: Arena, t: Ref, c: IndexCursor): boolean {
  const at = wordAt(c.leaf);
  if (c.slot + 1 < c.words[at]) {
    place(a, t, c.leaf, c.slot + 1, c);
    return true;
  }
  const next = c.words[at + 2];
  if (next === 0) {
    c.leaf = 0;
    return false;
  }
  place(a, t, next, 0, c);
  return true;
}

/** Moves the cursor to the record before; false, and no record, at the beginning. */
export function indexPrevious(a: Arena, t: Ref, c: IndexCursor): boolean {
  if (c.slot > 0) {
    place(a, t, c.leaf, c.slot - 1, c);
    return true;
  }
  const previous = c.words[wordAt(c.leaf) + 1];
  if (previous === 0) {
    c.leaf = 0;
    return false;
  }
  place(a, t, previous, wordsOf(a, previous)[wordAt(previous)] - 1, c);
  return true;
}

/** Frees an index; what its records refer to is the owner's. */
export function indexFree(a: Arena, t: Ref): void {
  const head = wordsOf(a, t);
  const h = wordAt(t);
  freeNode(a, head[h + Head.Root], head[h + Head.Height], head[h + Head.Shape] & 255);
  a.free(t);
}

function freeNode(a: Arena, node: Ref, height: number, keyWords: number): void {
  if (height > 0) {
    const w = wordsOf(a, node);
    const at = wordAt(node);
    for (let i = 0; i < w[at]; i++)
      freeNode(a, w[at + NODE_WORDS + i * (keyWords + 1) + keyWords], height - 1, keyWords);
  }
  a.free(node);
}

// ---- checking

/** Walks the whole index. Throws an Error that names what is wrong. */
export function indexCheck(a: Arena, t: Ref): void {
  const head = wordsOf(a, t);
  const h = wordAt(t);
  const shape = head[h + Head.Shape];
  const seen = { nodes: 0, records: 0, previous: 0 };
  checkNode(a, head[h + Head.Root], head[h + Head.Height], shape, null, null, seen);
  if (seen.nodes !== head[h + Head.Nodes]) throw new Error(`index: ${seen.nodes} nodes, not ${head[h + Head.Nodes]}`);
  if (seen.records !== indexCount(a, t)) throw new Error(`index: ${seen.records} records, not ${indexCount(a, t)}`);
  if (seen.previous !== head[h + Head.Last]) throw new Error("index: the last leaf is another one");
}

function checkNode(
  a: Arena,
  node: Ref,
  height: number,
  shape: number,
  least: Int32Array | null,
  above: Int32Array | null,
  seen: { nodes: number; records: number; previous: Ref },
): void {
  const w = wordsOf(a, node);
  const at = wordAt(node);
  const keyWords = shape & 255;
  const stride = height > 0 ? keyWords + 1 : shape >>> 8;
  seen.nodes++;
  if (w[at] > roomOf(a, node, stride)) throw new Error("index: a node is overfull");
  if (height > 0 && w[at] < 1) throw new Error("index: an inner node is empty");
  let before = least;
  for (let i = 0; i < w[at]; i++) {
    const p = at + NODE_WORDS + i * stride;
    const key = w.slice(p, p + keyWords);
    if (height === 0 || i > 0) {
      const order = before === null ? 1 : compareAt(key, 0, before, keyWords);
      if (order < 0 || (order === 0 && i > 0)) throw new Error("index: keys are out of order");
      if (above !== null && compareAt(key, 0, above, keyWords) >= 0) throw new Error("index: a key is too large");
      before = key;
    }
    if (height === 0) continue;
    const last = i + 1 === w[at];
    const next = last ? above : w.slice(p + stride, p + stride + keyWords);
    checkNode(a, w[p + keyWords], height - 1, shape, i === 0 ? least : key, next, seen);
  }
  if (height > 0) return;
  if (w[at + 1] !== seen.previous) throw new Error("index: leaves are linked wrongly");
  seen.records += w[at];
  seen.previous = node;
}
