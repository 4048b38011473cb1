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
 *   indexCreate, indexFree, indexCount, indexNodes, indexBytes
 *   indexFind, indexFloor, indexFirst, indexLast, indexNext, indexPrevious        place an IndexCursor
 *   indexInsert, indexDelete, indexDropLast, indexDropLeaf, indexCheck
 */
import { type Arena, GRANULE_MASK, type Ref, SEGMENT_SHIFT } from "../arena/arena.ts";

const HEAD_BYTES = 32;
const NODE_WORDS = 4;
const RECORDS_MAX = 64;
const RECORDS_START = 2;
/** A node with fewer records than this tries to join a neighbour. */
const RECORDS_LOW = RECORDS_MAX / 4;
const HEIGHT_MAX = 16;

const Head = { Root: 0, Height: 1, Count: 2, First: 3, Last: 4, Shape: 5, Nodes: 6 } as const;

/** A place in an index: a record, or none. Good until the index changes. */
export class IndexCursor {
  /** 0: no record. */
  leaf: Ref = 0;
  slot = 0;
  /** The words of the leaf's segment, and where the record begins among them. */
  words: Int32Array = new Int32Array(0);
  at = 0;
}

/** Inner nodes that the latest descent went through, and the child that it took in each. */
const pathNode = new Int32Array(HEIGHT_MAX);
const pathSlot = new Int32Array(HEIGHT_MAX);

function wordsOf(a: Arena, ref: Ref): Int32Array {
  return a.i32[ref >>> SEGMENT_SHIFT];
}

function wordAt(ref: Ref): number {
  return (ref & GRANULE_MASK) << 1;
}

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

function newNode(a: Arena, recordWords: number, records: number): Ref {
  const node = a.alloc((NODE_WORDS + records * recordWords) << 2);
  const w = wordsOf(a, node);
  const at = wordAt(node);
  w[at] = 0;
  w[at + 1] = 0;
  w[at + 2] = 0;
  w[at + 3] = 0;
  return node;
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

function compareAt(w: Int32Array, at: number, key: Int32Array, keyWords: number): number {
  for (let i = 0; i < keyWords; i++) {
    const difference = (w[at + i] >>> 0) - (key[i] >>> 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The leaf in which a key belongs; fills the path. */
function descend(a: Arena, t: Ref, key: Int32Array): Ref {
  const head = wordsOf(a, t);
  const h = wordAt(t);
  const keyWords = head[h + Head.Shape] & 255;
  const height = head[h + Head.Height];
  let node = head[h + Head.Root];
  for (let level = 0; level < height; level++) {
    const w = wordsOf(a, node);
    const at = wordAt(node);
    let low = 1;
    let high = w[at];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareAt(w, at + NODE_WORDS + middle * (keyWords + 1), key, keyWords) <= 0) low = middle + 1;
      else high = middle;
    }
    pathNode[level] = node;
    pathSlot[level] = low - 1;
    node = w[at + NODE_WORDS + (low - 1) * (keyWords + 1) + keyWords];
  }
  return node;
}

/** The first slot of a leaf whose key is not below `key`. */
function lowerBound(a: Arena, leaf: Ref, key: Int32Array, keyWords: number, recordWords: number): number {
  const w = wordsOf(a, leaf);
  const at = wordAt(leaf);
  let low = 0;
  let high = w[at];
  // Most keys go behind the last one.
  if (high > 0 && compareAt(w, at + NODE_WORDS + (high - 1) * recordWords, key, keyWords) < 0) return high;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareAt(w, at + NODE_WORDS + middle * recordWords, key, keyWords) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function place(a: Arena, t: Ref, leaf: Ref, slot: number, c: IndexCursor): void {
  c.leaf = leaf;
  c.slot = slot;
  c.words = wordsOf(a, leaf);
  c.at = wordAt(leaf) + NODE_WORDS + slot * (wordsOf(a, t)[wordAt(t) + Head.Shape] >>> 8);
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

// ---- insertion

/**
 * Places the cursor at the record of a key, which is made if it was not there: its other words are 0 then. True when it was made. `key` may not lie in the
 * index.
 */
export function indexInsert(a: Arena, t: Ref, key: Int32Array, c: IndexCursor): boolean {
  const shape = wordsOf(a, t)[wordAt(t) + Head.Shape];
  const keyWords = shape & 255;
  const recordWords = shape >>> 8;
  let leaf = descend(a, t, key);
  let slot = lowerBound(a, leaf, key, keyWords, recordWords);
  if (slot < wordsOf(a, leaf)[wordAt(leaf)]) {
    place(a, t, leaf, slot, c);
    if (compareAt(c.words, c.at, key, keyWords) === 0) return false;
  }
  const height = wordsOf(a, t)[wordAt(t) + Head.Height];
  if (wordsOf(a, leaf)[wordAt(leaf)] === RECORDS_MAX) {
    const right = splitLeaf(a, t, leaf, slot, recordWords);
    const kept = wordsOf(a, leaf)[wordAt(leaf)];
    // An empty right half gets its first key now.
    const isRight = slot > kept || wordsOf(a, right)[wordAt(right)] === 0;
    const separator = isRight && slot === kept ? key : keyOf(a, right, keyWords);
    let grownRight = right;
    if (isRight) {
      leaf = right;
      slot -= kept;
      grownRight = insertRecord(a, t, right, slot, key, keyWords, recordWords);
      leaf = grownRight;
    } else {
      insertRecord(a, t, leaf, slot, key, keyWords, recordWords);
    }
    insertChild(a, t, height - 1, separator, keyWords, grownRight);
  } else {
    leaf = growLeaf(a, t, leaf, height, keyWords, recordWords);
    insertRecord(a, t, leaf, slot, key, keyWords, recordWords);
  }
  wordsOf(a, t)[wordAt(t) + Head.Count]++;
  place(a, t, leaf, slot, c);
  return true;
}

const separatorKey = new Int32Array(8);

/** A copy of the first key of a leaf, in a buffer of this module. */
function keyOf(a: Arena, leaf: Ref, keyWords: number): Int32Array {
  const w = wordsOf(a, leaf);
  const at = wordAt(leaf) + NODE_WORDS;
  for (let i = 0; i < keyWords; i++) separatorKey[i] = w[at + i];
  return separatorKey;
}

/** Makes a gap for a record in a leaf with room and writes its key. Returns the leaf. */
function insertRecord(
  a: Arena,
  _t: Ref,
  leaf: Ref,
  slot: number,
  key: Int32Array,
  keyWords: number,
  recordWords: number,
): Ref {
  const w = wordsOf(a, leaf);
  const at = wordAt(leaf);
  const count = w[at];
  const p = at + NODE_WORDS + slot * recordWords;
  if (slot < count) w.copyWithin(p + recordWords, p, at + NODE_WORDS + count * recordWords);
  for (let i = 0; i < keyWords; i++) w[p + i] = key[i];
  for (let i = keyWords; i < recordWords; i++) w[p + i] = 0;
  w[at] = count + 1;
  return leaf;
}

/** Records that the block of a node has room for. */
function roomOf(a: Arena, node: Ref, recordWords: number): number {
  const room = (((a.capacity(node) >> 2) - NODE_WORDS) / recordWords) | 0;
  return room > RECORDS_MAX ? RECORDS_MAX : room;
}

/** The same node in a block with room for more records. The old block is freed. */
function moveNode(a: Arena, node: Ref, recordWords: number): Ref {
  const count = wordsOf(a, node)[wordAt(node)];
  const grown = count < 8 ? count * 2 : count + (count >> 1);
  const fresh = a.alloc((NODE_WORDS + (grown > RECORDS_MAX ? RECORDS_MAX : grown) * recordWords) << 2);
  const from = wordAt(node);
  const to = wordAt(fresh);
  const source = wordsOf(a, node);
  const target = wordsOf(a, fresh);
  const words = NODE_WORDS + count * recordWords;
  for (let i = 0; i < words; i++) target[to + i] = source[from + i];
  a.free(node);
  return fresh;
}

/** A leaf with room for one more record: the leaf, or where it moved. The path leads to it. */
function growLeaf(a: Arena, t: Ref, leaf: Ref, height: number, keyWords: number, recordWords: number): Ref {
  if (wordsOf(a, leaf)[wordAt(leaf)] < roomOf(a, leaf, recordWords)) return leaf;
  const fresh = moveNode(a, leaf, recordWords);
  const w = wordsOf(a, fresh);
  const at = wordAt(fresh);
  const head = wordsOf(a, t);
  const h = wordAt(t);
  if (w[at + 1] !== 0) wordsOf(a, w[at + 1])[wordAt(w[at + 1]) + 2] = fresh;
  else head[h + Head.First] = fresh;
  if (w[at + 2] !== 0) wordsOf(a, w[at + 2])[wordAt(w[at + 2]) + 1] = fresh;
  else head[h + Head.Last] = fresh;
  setChild(a, t, height - 1, keyWords, fresh);
  return fresh;
}

/** Enters a moved node into its parent on the path, which is at `level`; -1: it is the root. */
function setChild(a: Arena, t: Ref, level: number, keyWords: number, child: Ref): void {
  if (level < 0) {
    wordsOf(a, t)[wordAt(t) + Head.Root] = child;
    return;
  }
  const node = pathNode[level];
  wordsOf(a, node)[wordAt(node) + NODE_WORDS + pathSlot[level] * (keyWords + 1) + keyWords] = child;
}

/** Splits a full leaf: at its end when the new record goes there, else in the middle. Returns the right one, which has room. */
function splitLeaf(a: Arena, t: Ref, leaf: Ref, slot: number, recordWords: number): Ref {
  const kept = slot === RECORDS_MAX ? RECORDS_MAX : RECORDS_MAX >> 1;
  const right = newNode(a, recordWords, kept === RECORDS_MAX ? RECORDS_START : RECORDS_MAX);
  const w = wordsOf(a, leaf);
  const at = wordAt(leaf);
  const rw = wordsOf(a, right);
  const rat = wordAt(right);
  moveTail(w, at, rw, rat, kept, recordWords);
  const head = wordsOf(a, t);
  const h = wordAt(t);
  const next = w[at + 2];
  rw[rat + 1] = leaf;
  rw[rat + 2] = next;
  w[at + 2] = right;
  if (next !== 0) wordsOf(a, next)[wordAt(next) + 1] = right;
  else head[h + Head.Last] = right;
  head[h + Head.Nodes]++;
  return right;
}

/** Moves the records from `kept` on to an empty node. */
function moveTail(w: Int32Array, at: number, rw: Int32Array, rat: number, kept: number, recordWords: number): void {
  const count = w[at];
  const from = at + NODE_WORDS + kept * recordWords;
  const words = (count - kept) * recordWords;
  for (let i = 0; i < words; i++) rw[rat + NODE_WORDS + i] = w[from + i];
  rw[rat] = count - kept;
  w[at] = kept;
}

/** Enters a new node behind the child that the path takes at `level`; -1: the root gets a parent. */
function insertChild(a: Arena, t: Ref, level: number, key: Int32Array, keyWords: number, child: Ref): void {
  const head = wordsOf(a, t);
  const h = wordAt(t);
  if (level < 0) {
    const root = newNode(a, keyWords + 1, 4);
    const at = wordAt(root);
    const w = wordsOf(a, root);
    w[at] = 2;
    for (let i = 0; i < keyWords; i++) {
      w[at + NODE_WORDS + i] = 0;
      w[at + NODE_WORDS + keyWords + 1 + i] = key[i];
    }
    w[at + NODE_WORDS + keyWords] = head[h + Head.Root];
    w[at + NODE_WORDS + 2 * keyWords + 1] = child;
    head[h + Head.Root] = root;
    head[h + Head.Height]++;
    head[h + Head.Nodes]++;
    return;
  }
  let node = pathNode[level];
  const slot = pathSlot[level] + 1;
  const count = wordsOf(a, node)[wordAt(node)];
  if (count < RECORDS_MAX) {
    if (count === roomOf(a, node, keyWords + 1)) {
      node = moveNode(a, node, keyWords + 1);
      setChild(a, t, level - 1, keyWords, node);
    }
    writeChild(a, node, slot, key, keyWords, child);
    return;
  }
  splitInner(a, t, level, slot, key, keyWords, child);
}

function writeChild(a: Arena, node: Ref, slot: number, key: Int32Array, keyWords: number, child: Ref): void {
  const w = wordsOf(a, node);
  const at = wordAt(node);
  const p = at + NODE_WORDS + slot * (keyWords + 1);
  w.copyWithin(p + keyWords + 1, p, at + NODE_WORDS + w[at] * (keyWords + 1));
  for (let i = 0; i < keyWords; i++) w[p + i] = key[i];
  w[p + keyWords] = child;
  w[at]++;
}

const upKey = new Int32Array(8);

/** Splits a full inner node of the path and enters a child into the half where it belongs. */
function splitInner(
  a: Arena,
  t: Ref,
  level: number,
  slot: number,
  key: Int32Array,
  keyWords: number,
  child: Ref,
): void {
  const node = pathNode[level];
  const stride = keyWords + 1;
  const kept = slot === RECORDS_MAX ? RECORDS_MAX : RECORDS_MAX >> 1;
  const right = newNode(a, stride, kept === RECORDS_MAX ? 4 : RECORDS_MAX);
  moveTail(wordsOf(a, node), wordAt(node), wordsOf(a, right), wordAt(right), kept, stride);
  if (slot > kept || kept === RECORDS_MAX) writeChild(a, right, slot - kept, key, keyWords, child);
  else writeChild(a, node, slot, key, keyWords, child);
  wordsOf(a, t)[wordAt(t) + Head.Nodes]++;
  const rw = wordsOf(a, right);
  const rat = wordAt(right) + NODE_WORDS;
  for (let i = 0; i < keyWords; i++) upKey[i] = rw[rat + i];
  // `key` is not needed any more, and upKey is used up before a further level overwrites it.
  for (let i = 0; i < keyWords; i++) separatorKey[i] = upKey[i];
  insertChild(a, t, level - 1, separatorKey, keyWords, right);
}

// ---- deletion

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
