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
import type { Arena, Ref } from "../../arena/arena.ts";
import { compareMembers, memberScore, scoreKey, setMemberScore, toScoreKey } from "../scored-member.ts";
import { treeInsert } from "./ranked-tree-insert.ts";
import {
  CHILD,
  CHILD_COUNT,
  COUNT,
  FIRST,
  HEADER_BYTES,
  INNER_ITEM,
  INNER_MAX,
  LAST,
  LEAF_BYTES,
  LEAF_ITEM,
  LEAF_MAX,
  LEVELS,
  MEMBER,
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

/** Touches the members of the leaf that a cursor is in, so that their misses overlap. The result means nothing, but must be used. */
export function treePrefetch(a: Arena, cursor: TreeCursor): number {
  const w = wordsOf(a, cursor.leaf);
  const n = wordAt(cursor.leaf);
  let sum = 0;
  for (let i = 0; i < w[n]; i++) {
    const m = w[n + NODE_HEAD + i * LEAF_ITEM + MEMBER];
    sum ^= wordsOf(a, m)[wordAt(m)];
  }
  return sum;
}

/** How many members come before a member of the tree. Throws when it is not there. */
export function treeRank(a: Arena, t: Ref, m: Ref): number {
  probeForMember(a, m);
  const leaf = descendCounting(a, t, m);
  const w = wordsOf(a, leaf);
  const n = wordAt(leaf);
  const count = w[n];
  // Equality guesses right until the end, which order does not in half of its steps.
  for (let index = 0, p = n + NODE_HEAD + MEMBER; index < count; index++, p += LEAF_ITEM)
    if (w[p] === m) return path.rank + index;
  throw new Error("ranked tree: the member to rank is not there");
}

/** How many members have a score below `score`, or one that is not above it (`orEqual`). */
export function treeRankOfScore(a: Arena, t: Ref, score: number, orEqual: boolean): number {
  probeForScore(score, orEqual ? Probe.Behind : Probe.Before);
  const leaf = descendCounting(a, t, 0);
  return path.rank + leafSearch(a, leaf);
}

/** As treeRankOfScore; also puts a cursor on the member that comes next. It is void (leaf 0) when there is none. */
export function treeSeekScore(a: Arena, t: Ref, score: number, orEqual: boolean, cursor: TreeCursor): number {
  probeForScore(score, orEqual ? Probe.Behind : Probe.Before);
  const leaf = descendCounting(a, t, 0);
  const index = leafSearch(a, leaf);
  const w = wordsOf(a, leaf);
  const n = wordAt(leaf);
  const isInLeaf = index < w[n];
  cursor.leaf = isInLeaf ? leaf : w[n + NEXT];
  cursor.index = isInLeaf ? index : 0;
  return path.rank + index;
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

// ---- checking

/** Walks the tree and throws an Error that names the first violated invariant. */
export function treeCheck(a: Arena, t: Ref): void {
  const header = wordsOf(a, t);
  const h = wordAt(t);
  const leaves: Ref[] = [];
  const state = { nodes: 0, previous: 0 as Ref };
  const count = checkNode(a, header[h + ROOT], header[h + LEVELS], leaves, state, true);
  if (count !== header[h + COUNT]) throw new Error(`ranked tree: ${count} members, not ${header[h + COUNT]}`);
  if (state.nodes !== header[h + NODES])
    throw new Error(`ranked tree: ${state.nodes} node units, not ${header[h + NODES]}`);
  if (header[h + FIRST] !== leaves[0]) throw new Error("ranked tree: wrong first leaf");
  if (header[h + LAST] !== leaves[leaves.length - 1]) throw new Error("ranked tree: wrong last leaf");
  for (let i = 0; i < leaves.length; i++) {
    const w = wordsOf(a, leaves[i]);
    const n = wordAt(leaves[i]);
    if (w[n + PREVIOUS] !== (leaves[i - 1] ?? 0)) throw new Error(`ranked tree: leaf ${i} has a wrong predecessor`);
    if (w[n + NEXT] !== (leaves[i + 1] ?? 0)) throw new Error(`ranked tree: leaf ${i} has a wrong successor`);
  }
}

function checkNode(
  a: Arena,
  node: Ref,
  levels: number,
  leaves: Ref[],
  state: { nodes: number; previous: Ref },
  isRoot: boolean,
): number {
  const w = wordsOf(a, node);
  const n = wordAt(node);
  const count = w[n];
  if (count > (levels === 0 ? LEAF_MAX : INNER_MAX)) throw new Error(`ranked tree: a node has ${count} items`);
  if (count < (isRoot ? (levels === 0 ? 0 : 2) : 1)) throw new Error(`ranked tree: a node has ${count} items`);
  state.nodes += levels === 0 ? 1 : 2;
  if (levels === 0) {
    leaves.push(node);
    for (let i = 0; i < count; i++) checkItem(a, w, n + NODE_HEAD + i * LEAF_ITEM, state);
    return count;
  }
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const p = n + NODE_HEAD + i * INNER_ITEM;
    const first = leaves.length;
    const below = checkNode(a, w[p + CHILD], levels - 1, leaves, state, false);
    if (below !== w[p + CHILD_COUNT]) throw new Error(`ranked tree: a child has ${below}, not ${w[p + CHILD_COUNT]}`);
    const lw = wordsOf(a, leaves[first]);
    const l = wordAt(leaves[first]) + NODE_HEAD;
    if (lw[l] !== w[p] || lw[l + 1] !== w[p + 1] || lw[l + 2] !== w[p + 2])
      throw new Error("ranked tree: a child begins with another member than its parent says");
    sum += below;
  }
  return sum;
}

function checkItem(a: Arena, w: Int32Array, p: number, state: { previous: Ref }): void {
  const m = w[p + 2];
  const score = memberScore(a, m);
  toScoreKey(score);
  if (w[p] !== scoreKey.high || w[p + 1] !== scoreKey.low) throw new Error("ranked tree: wrong score key");
  const { previous } = state;
  if (previous !== 0) {
    const before = memberScore(a, previous);
    const order = compareMembers(a, previous, m);
    if (before > score || (before === score && order >= 0)) throw new Error("ranked tree: members out of order");
  }
  state.previous = m;
}
