/**
 * The nodes of a ranked tree: their layout, and the moves of words in them.
 *
 * Header, 24 bytes:  0 root    1 inner levels    2 members    3 first leaf    4 last leaf    5 nodes, in units of a leaf
 *
 * Leaf, 512 bytes:   0 members here    1 previous leaf    2 next leaf    3 unused
 *                    then per member, 3 words: [score key: high, low][member]
 * Inner, 1,024 bytes: 0 children here    1-3 unused
 *                    then per child, 5 words: [score key and member that come first in it: 3][child][members in it]
 */
import { type Arena, GRANULE_MASK, type Ref, SEGMENT_SHIFT } from "../../arena/arena.ts";

export const HEADER_BYTES = 24;
export const ROOT = 0;
export const LEVELS = 1;
export const COUNT = 2;
export const FIRST = 3;
export const LAST = 4;
export const NODES = 5;

export const NODE_HEAD = 4;
export const PREVIOUS = 1;
export const NEXT = 2;
export const LEAF_BYTES = 512;
export const LEAF_ITEM = 3;
export const LEAF_MAX = 41;
export const LEAF_MIN = 13;
export const INNER_BYTES = 1024;
export const INNER_ITEM = 5;
export const INNER_MAX = 50;
export const INNER_MIN = 16;
/** Words of an item of either kind of node: the member (the first one of a child), and of a child its node and its count. */
export const MEMBER = 2;
export const CHILD = 3;
export const CHILD_COUNT = 4;
/** Deeper than any tree can be: each level has at least two children. */
export const LEVELS_MAX = 32;

/** Runs of words up to this long are moved by a loop. */
const LOOP_MOVE_MAX = 24;

/** The segment of a node or header, as words. */
export function wordsOf(a: Arena, ref: Ref): Int32Array {
  return a.i32[ref >>> SEGMENT_SHIFT];
}

/** Where a node or header begins in wordsOf. */
export function wordAt(ref: Ref): number {
  return (ref & GRANULE_MASK) << 1;
}

/** A node with nothing in it. */
export function newNode(a: Arena, bytes: number): Ref {
  const node = a.alloc(bytes);
  wordsOf(a, node).fill(0, wordAt(node), wordAt(node) + NODE_HEAD);
  return node;
}

/** The child at an index of an inner node, or 0. */
export function childAt(a: Arena, node: Ref, index: number): Ref {
  const w = wordsOf(a, node);
  const n = wordAt(node);
  return index < 0 || index >= w[n] ? 0 : w[n + NODE_HEAD + index * INNER_ITEM + CHILD];
}

/** Members below an inner node. */
export function innerCount(a: Arena, node: Ref): number {
  const w = wordsOf(a, node);
  const n = wordAt(node);
  let sum = 0;
  for (let i = 0; i < w[n]; i++) sum += w[n + NODE_HEAD + i * INNER_ITEM + CHILD_COUNT];
  return sum;
}

/** Moves words within one segment; the runs may overlap. */
export function moveWords(w: Int32Array, to: number, from: number, count: number): void {
  if (count > LOOP_MOVE_MAX) {
    w.copyWithin(to, from, from + count);
  } else if (to < from) {
    for (let i = 0; i < count; i++) w[to + i] = w[from + i];
  } else {
    for (let i = count - 1; i >= 0; i--) w[to + i] = w[from + i];
  }
}

/** Copies words to a place that they do not overlap. */
export function copyWords(source: Int32Array, from: number, target: Int32Array, to: number, count: number): void {
  for (let i = 0; i < count; i++) target[to + i] = source[from + i];
}
