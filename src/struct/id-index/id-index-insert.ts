/** Insertion into an ordered index (id-index.ts): growing and splitting nodes. */
import type { Arena, Ref } from "../../arena/arena.ts";
import {
  compareAt,
  descend,
  Head,
  type IndexCursor,
  lowerBound,
  NODE_WORDS,
  newNode,
  pathNode,
  pathSlot,
  place,
  RECORDS_MAX,
  RECORDS_START,
  roomOf,
  wordAt,
  wordsOf,
} from "./id-index-node.ts";

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
      grownRight = insertRecord(a, right, slot, key, keyWords, recordWords);
      leaf = grownRight;
    } else {
      insertRecord(a, leaf, slot, key, keyWords, recordWords);
    }
    insertChild(a, t, height - 1, separator, keyWords, grownRight);
  } else {
    leaf = growLeaf(a, t, leaf, height, keyWords, recordWords);
    insertRecord(a, leaf, slot, key, keyWords, recordWords);
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
function insertRecord(a: Arena, leaf: Ref, slot: number, key: Int32Array, keyWords: number, recordWords: number): Ref {
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
