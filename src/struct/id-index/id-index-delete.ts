/** Deletion from an ordered index (id-index.ts): joining nodes that are nearly empty, and dropping empty ones. */
import type { Arena, Ref } from "../../arena/arena.ts";
import { indexLast } from "./id-index.ts";
import {
  compareAt,
  descend,
  Head,
  IndexCursor,
  lowerBound,
  NODE_WORDS,
  newNode,
  pathNode,
  pathSlot,
  place,
  RECORDS_LOW,
  RECORDS_MAX,
  wordAt,
  wordsOf,
} from "./id-index-node.ts";

const found = new IndexCursor();

/** Deletes the record of a key; false when there is none. */
export function indexDelete(a: Arena, t: Ref, key: Int32Array): boolean {
  const shape = wordsOf(a, t)[wordAt(t) + Head.Shape];
  const leaf = descend(a, t, key);
  const slot = lowerBound(a, leaf, key, shape & 255, shape >>> 8);
  if (slot === wordsOf(a, leaf)[wordAt(leaf)]) return false;
  place(a, t, leaf, slot, found);
  if (compareAt(found.words, found.at, key, shape & 255) !== 0) return false;
  removeSlot(a, t, leaf, slot, shape);
  return true;
}

const lastKey = new Int32Array(8);

/** Deletes the last record of an index that has one. */
export function indexDropLast(a: Arena, t: Ref): void {
  if (!indexLast(a, t, found)) throw new Error("index: nothing to drop");
  const keyWords = wordsOf(a, t)[wordAt(t) + Head.Shape] & 255;
  for (let i = 0; i < keyWords; i++) lastKey[i] = found.words[found.at + i];
  indexDelete(a, t, lastKey);
}

/** Frees the last leaf of an index with all its records, or empties the only one; false when there are none. For those who free an index piece by piece. */
export function indexDropLeaf(a: Arena, t: Ref): boolean {
  if (!indexLast(a, t, found)) return false;
  const head = wordsOf(a, t);
  const h = wordAt(t);
  const shape = head[h + Head.Shape];
  for (let i = 0; i < (shape & 255); i++) lastKey[i] = found.words[found.at + i];
  const leaf = descend(a, t, lastKey);
  const at = wordAt(leaf);
  head[h + Head.Count] -= wordsOf(a, leaf)[at];
  wordsOf(a, leaf)[at] = 0;
  const height = head[h + Head.Height];
  if (height > 0) mend(a, t, leaf, height - 1, shape & 255, shape >>> 8, true);
  return true;
}

/** Takes a record out of the leaf that the path leads to, and mends the tree. */
function removeSlot(a: Arena, t: Ref, leaf: Ref, slot: number, shape: number): void {
  const recordWords = shape >>> 8;
  const head = wordsOf(a, t);
  const h = wordAt(t);
  head[h + Head.Count]--;
  closeGap(a, leaf, slot, recordWords);
  const height = head[h + Head.Height];
  if (height === 0 || wordsOf(a, leaf)[wordAt(leaf)] >= RECORDS_LOW) return;
  mend(a, t, leaf, height - 1, shape & 255, recordWords, true);
}

function closeGap(a: Arena, node: Ref, slot: number, recordWords: number): void {
  const w = wordsOf(a, node);
  const at = wordAt(node);
  const p = at + NODE_WORDS + slot * recordWords;
  w.copyWithin(p, p + recordWords, at + NODE_WORDS + w[at] * recordWords);
  w[at]--;
}

/** Joins a node that has become small with a neighbour under the same parent (the path's node at `level`) if both fit into one; drops it when it is empty. */
function mend(
  a: Arena,
  t: Ref,
  node: Ref,
  level: number,
  keyWords: number,
  recordWords: number,
  isLeaf: boolean,
): void {
  const parent = pathNode[level];
  const pw = wordsOf(a, parent);
  const pat = wordAt(parent);
  const slot = pathSlot[level];
  const stride = keyWords + 1;
  const count = wordsOf(a, node)[wordAt(node)];
  if (count === 0) {
    if (isLeaf) unlinkLeaf(a, t, node);
    dropChild(a, t, node, level, slot, keyWords);
    return;
  }
  for (let side = 1; side >= -1; side -= 2) {
    const other = slot + side;
    if (other < 0 || other >= pw[pat]) continue;
    const neighbour = pw[pat + NODE_WORDS + other * stride + keyWords];
    const left = side > 0 ? node : neighbour;
    const right = side > 0 ? neighbour : node;
    if (wordsOf(a, left)[wordAt(left)] + wordsOf(a, right)[wordAt(right)] > RECORDS_MAX - RECORDS_LOW) continue;
    join(a, t, level, side > 0 ? slot : other, left, right, keyWords, recordWords, isLeaf);
    return;
  }
}

/** Puts the records of the right node, the child behind `slot`, behind those of the left one, the child in it. */
function join(
  a: Arena,
  t: Ref,
  level: number,
  slot: number,
  left: Ref,
  right: Ref,
  keyWords: number,
  recordWords: number,
  isLeaf: boolean,
): void {
  const parent = pathNode[level];
  const stride = keyWords + 1;
  const wide = newNode(a, recordWords, RECORDS_MAX);
  const w = wordsOf(a, wide);
  const at = wordAt(wide);
  let to = at + NODE_WORDS;
  for (const source of [left, right]) {
    const sw = wordsOf(a, source);
    const sat = wordAt(source);
    const words = sw[sat] * recordWords;
    for (let i = 0; i < words; i++) w[to + i] = sw[sat + NODE_WORDS + i];
    if (!isLeaf && source === right) {
      // The first key of an inner node is not kept up to date; that in the parent is.
      const pw = wordsOf(a, parent);
      const p = wordAt(parent) + NODE_WORDS + (slot + 1) * stride;
      for (let i = 0; i < keyWords; i++) w[to + i] = pw[p + i];
    }
    to += words;
    w[at] += sw[sat];
  }
  if (isLeaf) {
    const lw = wordsOf(a, left);
    const rw = wordsOf(a, right);
    relink(a, t, lw[wordAt(left) + 1], wide, rw[wordAt(right) + 2]);
  }
  wordsOf(a, parent)[wordAt(parent) + NODE_WORDS + slot * stride + keyWords] = wide;
  a.free(left);
  dropChild(a, t, right, level, slot + 1, keyWords);
}

/** Links a leaf between two others (0: none). */
function relink(a: Arena, t: Ref, previous: Ref, leaf: Ref, next: Ref): void {
  const head = wordsOf(a, t);
  const h = wordAt(t);
  wordsOf(a, leaf)[wordAt(leaf) + 1] = previous;
  wordsOf(a, leaf)[wordAt(leaf) + 2] = next;
  if (previous !== 0) wordsOf(a, previous)[wordAt(previous) + 2] = leaf;
  else head[h + Head.First] = leaf;
  if (next !== 0) wordsOf(a, next)[wordAt(next) + 1] = leaf;
  else head[h + Head.Last] = leaf;
}

function unlinkLeaf(a: Arena, t: Ref, leaf: Ref): void {
  const head = wordsOf(a, t);
  const h = wordAt(t);
  const previous = wordsOf(a, leaf)[wordAt(leaf) + 1];
  const next = wordsOf(a, leaf)[wordAt(leaf) + 2];
  if (previous !== 0) wordsOf(a, previous)[wordAt(previous) + 2] = next;
  else head[h + Head.First] = next;
  if (next !== 0) wordsOf(a, next)[wordAt(next) + 1] = previous;
  else head[h + Head.Last] = previous;
}

/** Frees a node that is child `slot` of the path's node at `level`, and mends that one in turn. */
function dropChild(a: Arena, t: Ref, node: Ref, level: number, slot: number, keyWords: number): void {
  const head = wordsOf(a, t);
  const h = wordAt(t);
  const parent = pathNode[level];
  a.free(node);
  head[h + Head.Nodes]--;
  closeGap(a, parent, slot, keyWords + 1);
  const left = wordsOf(a, parent)[wordAt(parent)];
  if (level === 0) {
    if (left > 1) return;
    head[h + Head.Root] = wordsOf(a, parent)[wordAt(parent) + NODE_WORDS + keyWords];
    head[h + Head.Height]--;
    head[h + Head.Nodes]--;
    a.free(parent);
  } else if (left < RECORDS_LOW) {
    mend(a, t, parent, level - 1, keyWords, keyWords + 1, false);
  }
}
