/**
 * What an ordered index (id-index.ts, which has the layout) is made of: its head, its nodes, the way down to a leaf, and cursors. For the files of the index
 * alone, but for IndexCursor.
 */
import { type Arena, GRANULE_MASK, type Ref, SEGMENT_SHIFT } from "../../arena/arena.ts";

/** Sizes: of the head; of a node before its records, in words; most and first records of a node. */
export const HEAD_BYTES = 32;
export const NODE_WORDS = 4;
export const RECORDS_MAX = 64;
export const RECORDS_START = 2;
/** A node with fewer records than this tries to join a neighbour. */
export const RECORDS_LOW = RECORDS_MAX / 4;
const HEIGHT_MAX = 16;

/** Words of the head. */
export const Head = { Root: 0, Height: 1, Count: 2, First: 3, Last: 4, Shape: 5, Nodes: 6 } as const;

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
export const pathNode = new Int32Array(HEIGHT_MAX);
export const pathSlot = new Int32Array(HEIGHT_MAX);

/** The words of the segment in which a block lies. */
export function wordsOf(a: Arena, ref: Ref): Int32Array {
  return a.i32[ref >>> SEGMENT_SHIFT];
}

/** Where a block begins among those words. */
export function wordAt(ref: Ref): number {
  return (ref & GRANULE_MASK) << 1;
}

/** An empty node with room for so many records. */
export function newNode(a: Arena, recordWords: number, records: number): Ref {
  const node = a.alloc((NODE_WORDS + records * recordWords) << 2);
  const w = wordsOf(a, node);
  const at = wordAt(node);
  w[at] = 0;
  w[at + 1] = 0;
  w[at + 2] = 0;
  w[at + 3] = 0;
  return node;
}

/** Records that the block of a node has room for. */
export function roomOf(a: Arena, node: Ref, recordWords: number): number {
  const room = (((a.capacity(node) >> 2) - NODE_WORDS) / recordWords) | 0;
  return room > RECORDS_MAX ? RECORDS_MAX : room;
}

/** Negative, zero or positive, as the key at a place is below, equal to or above `key`. */
export function compareAt(w: Int32Array, at: number, key: Int32Array, keyWords: number): number {
  for (let i = 0; i < keyWords; i++) {
    const difference = (w[at + i] >>> 0) - (key[i] >>> 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The leaf in which a key belongs; fills the path. */
export function descend(a: Arena, t: Ref, key: Int32Array): Ref {
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
export function lowerBound(a: Arena, leaf: Ref, key: Int32Array, keyWords: number, recordWords: number): number {
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

/** Places a cursor at a slot of a leaf. */
export function place(a: Arena, t: Ref, leaf: Ref, slot: number, c: IndexCursor): void {
  c.leaf = leaf;
  c.slot = slot;
  c.words = wordsOf(a, leaf);
  c.at = wordAt(leaf) + NODE_WORDS + slot * (wordsOf(a, t)[wordAt(t) + Head.Shape] >>> 8);
}
