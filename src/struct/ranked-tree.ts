/**
 * A counted B+tree of scored members (scored-member.ts), in the order of (score, bytes): what a sorted set has beside its member dict. Finding by score, by
 * bytes or by rank, and telling a rank, take O(log n). ranked-tree-node.ts has the layout; members come in by ranked-tree-insert.ts and go by
 * ranked-tree-remove.ts.
 *
 * Score keys (toScoreKey) stand in the nodes, so that the member's block is read only where scores are equal.
 *
 * Invariants: no node is empty, except for the root leaf of an empty tree; all leaves are at the same depth; what a child's entry says of its first member and
 * of its count is exact; two neighbours under one parent would not fit into one node if one of them is less than a third full
 * right after a removal from it.
 */
import type { Arena, Ref } from "../arena/arena.ts";
import { treeInsert } from "./ranked-tree-insert.ts";
import {
  CHILD,
  COUNT,
  FIRST,
  HEADER_BYTES,
  INNER_ITEM,
  LAST,
  LEAF_BYTES,
  LEAF_ITEM,
  LEVELS,
  NEXT,
  NODE_HEAD,
  NODES,
  newNode,
  PREVIOUS,
  ROOT,
  wordAt,
  wordsOf,
} from "./ranked-tree-node.ts";
import { removeRun } from "./ranked-tree-remove.ts";
import {
  changeCounts,
  descend,
  descendCounting,
  descendToRank,
  isBefore,
  leafSearch,
  noteFirst,
  Probe,
  path,
  probe,
  probeForBytes,
  probeForMember,
  probeForMove,
  probeForScore,
} from "./ranked-tree-search.ts";
import { setMemberScore } from "./scored-member.ts";

/** An empty tree. */
export function treeCreate(a: Arena): Ref {
  const t = a.alloc(HEADER_BYTES);
  const leaf = newNode(a, LEAF_BYTES);
  const w = wordsOf(a, t);
  const h = wordAt(t);
  w[h + ROOT] = leaf;
  w[h + LEVELS] = 0;
  w[h + COUNT] = 0;
  w[h + FIRST] = leaf;
  w[h + LAST] = leaf;
  w[h + NODES] = 1;
  return t;
}

/** Lets go all nodes of a tree, not its members. */
export function treeFree(a: Arena, t: Ref): void {
  while (!treeDismantle(a, t, 1024));
}

/**
 * Takes a tree apart that nobody uses any more, up to `leaves` leaves at a time; true when all nodes and the header are free. Members are not freed. No other
 * function may be called on the tree from the first call on.
 */
export function treeDismantle(a: Arena, t: Ref, leaves: number): boolean {
  const header = wordsOf(a, t);
  const h = wordAt(t);
  const levels = header[h + LEVELS];
  for (let left = leaves; left > 0; left--) {
    let node = header[h + ROOT];
    for (let depth = 0; depth < levels; depth++) {
      path.nodes[depth] = node;
      const n = wordAt(node);
      node = wordsOf(a, node)[n + NODE_HEAD + (wordsOf(a, node)[n] - 1) * INNER_ITEM + CHILD];
    }
    a.free(node);
    let depth = levels - 1;
    for (; depth >= 0; depth--) {
      if (--wordsOf(a, path.nodes[depth])[wordAt(path.nodes[depth])] > 0) break;
      a.free(path.nodes[depth]);
    }
    if (depth < 0) {
      a.free(t);
      return true;
    }
  }
  return false;
}

/** Members in the tree. */
export function treeCount(a: Arena, t: Ref): number {
  return wordsOf(a, t)[wordAt(t) + COUNT];
}

/** Bytes of all nodes, about, and of the header. */
export function treeBytes(a: Arena, t: Ref): number {
  return HEADER_BYTES + wordsOf(a, t)[wordAt(t) + NODES] * LEAF_BYTES;
}

/** Gives a member of the tree another score, and its place. */
export function treeSetScore(a: Arena, t: Ref, m: Ref, score: number): void {
  probeForMember(a, m);
  const leaf = descend(a, t, m, 0);
  const index = leafSearch(a, leaf);
  const w = wordsOf(a, leaf);
  const n = wordAt(leaf);
  const p = n + NODE_HEAD + index * LEAF_ITEM;
  if (index === w[n] || w[p + 2] !== m) throw new Error("ranked tree: the member to move is not there");
  probeForMove(score);
  if (staysBehind(a, w, n, index) && staysBefore(a, w, n, index)) {
    w[p] = probe.high;
    w[p + 1] = probe.low;
    if (index === 0) noteFirst(a, path.depth - 1, probe.high, probe.low, m);
    setMemberScore(a, m, score);
    return;
  }
  changeCounts(a, -1);
  removeRun(a, t, leaf, index, 1);
  setMemberScore(a, m, score);
  treeInsert(a, t, m);
}

/** True when the probe comes behind the item before the one at `index` of a leaf, as far as the leaf can tell. */
function staysBehind(a: Arena, w: Int32Array, n: number, index: number): boolean {
  if (index === 0) return w[n + PREVIOUS] === 0;
  return isBefore(a, w, n + NODE_HEAD + (index - 1) * LEAF_ITEM);
}

/** True when the probe comes before the item behind the one at `index` of a leaf, as far as the leaf can tell. */
function staysBefore(a: Arena, w: Int32Array, n: number, index: number): boolean {
  if (index === w[n] - 1) return w[n + NEXT] === 0;
  return !isBefore(a, w, n + NODE_HEAD + (index + 1) * LEAF_ITEM);
}

/** A place in a tree: a member's, until the tree changes. */
export class TreeCursor {
  leaf: Ref = 0;
  index = 0;
}

/** How many members come before a member of the tree. */
export function treeRank(a: Arena, t: Ref, m: Ref): number {
  probeForMember(a, m);
  const leaf = descendCounting(a, t, m);
  return path.rank + leafSearch(a, leaf);
}

/** How many members have a score below `score`, or one that is not above it (`orEqual`). */
export function treeRankOfScore(a: Arena, t: Ref, score: number, orEqual: boolean): number {
  probeForScore(score, orEqual ? Probe.Behind : Probe.Before);
  const leaf = descendCounting(a, t, 0);
  return path.rank + leafSearch(a, leaf);
}

/** In a tree whose scores are all equal: how many members are below the bytes, or not above them (`orEqual`). */
export function treeRankOfBytes(
  a: Arena,
  t: Ref,
  buf: Uint8Array,
  at: number,
  length: number,
  orEqual: boolean,
): number {
  probeForBytes(buf, at, length, orEqual ? Probe.BytesBehind : Probe.Bytes);
  const leaf = descendCounting(a, t, 0);
  return path.rank + leafSearch(a, leaf);
}

/** Puts a cursor on the member of a rank, which must be below the count. */
export function treeSeek(a: Arena, t: Ref, rank: number, cursor: TreeCursor): void {
  const h = wordAt(t);
  const header = wordsOf(a, t);
  if (rank === 0) {
    cursor.leaf = header[h + FIRST];
    cursor.index = 0;
  } else if (rank === header[h + COUNT] - 1) {
    cursor.leaf = header[h + LAST];
    cursor.index = wordsOf(a, cursor.leaf)[wordAt(cursor.leaf)] - 1;
  } else {
    cursor.leaf = descendToRank(a, t, rank);
    cursor.index = rank - path.rank;
  }
}

/** The member that a cursor stands on. */
export function treeMember(a: Arena, cursor: TreeCursor): Ref {
  return wordsOf(a, cursor.leaf)[wordAt(cursor.leaf) + NODE_HEAD + cursor.index * LEAF_ITEM + 2];
}

/** Moves a cursor on; false at the end, where it then is void. */
export function treeNext(a: Arena, cursor: TreeCursor): boolean {
  const w = wordsOf(a, cursor.leaf);
  const n = wordAt(cursor.leaf);
  if (++cursor.index < w[n]) return true;
  cursor.leaf = w[n + NEXT];
  cursor.index = 0;
  return cursor.leaf !== 0;
}

/** Moves a cursor back; false at the beginning, where it then is void. */
export function treePrevious(a: Arena, cursor: TreeCursor): boolean {
  if (--cursor.index >= 0) return true;
  cursor.leaf = wordsOf(a, cursor.leaf)[wordAt(cursor.leaf) + PREVIOUS];
  if (cursor.leaf === 0) return false;
  cursor.index = wordsOf(a, cursor.leaf)[wordAt(cursor.leaf)] - 1;
  return true;
}

/** The first member of a tree that is not empty. */
export function treeFirst(a: Arena, t: Ref): Ref {
  const leaf = wordsOf(a, t)[wordAt(t) + FIRST];
  return wordsOf(a, leaf)[wordAt(leaf) + NODE_HEAD + 2];
}

/** The last member of a tree that is not empty. */
export function treeLast(a: Arena, t: Ref): Ref {
  const leaf = wordsOf(a, t)[wordAt(t) + LAST];
  const w = wordsOf(a, leaf);
  const n = wordAt(leaf);
  return w[n + NODE_HEAD + (w[n] - 1) * LEAF_ITEM + 2];
}
