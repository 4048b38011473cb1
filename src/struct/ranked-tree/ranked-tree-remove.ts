/** Taking members out of a ranked tree, and joining the nodes that become too empty. */
import type { Arena, Ref } from "../../arena/arena.ts";
import type { RefList } from "../dict/dict.ts";
import {
  CHILD,
  CHILD_COUNT,
  COUNT,
  childAt,
  copyWords,
  FIRST,
  INNER_ITEM,
  INNER_MAX,
  INNER_MIN,
  LAST,
  LEAF_ITEM,
  LEAF_MAX,
  LEAF_MIN,
  LEVELS,
  moveWords,
  NEXT,
  NODE_HEAD,
  NODES,
  PREVIOUS,
  ROOT,
  wordAt,
  wordsOf,
} from "./ranked-tree-node.ts";
import {
  changeCounts,
  descend,
  descendToRank,
  leafSearch,
  noteFirst,
  path,
  probeForMember,
} from "./ranked-tree-search.ts";

/** Takes a member out; its block stays the caller's. Throws when it is not there. */
export function treeRemove(a: Arena, t: Ref, m: Ref): void {
  probeForMember(a, m);
  const leaf = descend(a, t, m, -1);
  const index = leafSearch(a, leaf);
  const w = wordsOf(a, leaf);
  const n = wordAt(leaf);
  if (index === w[n] || w[n + NODE_HEAD + index * LEAF_ITEM + 2] !== m)
    throw new Error("ranked tree: the member to remove is not there");
  removeRun(a, t, leaf, index, 1);
}

/** Takes members from rank `rank` on out, at most `count`, and as many as one leaf has; appends them to `out`. Returns their number. */
export function treeRemoveRun(a: Arena, t: Ref, rank: number, count: number, out: RefList): number {
  const leaf = descendToRank(a, t, rank);
  const w = wordsOf(a, leaf);
  const n = wordAt(leaf);
  const index = rank - path.rank;
  const run = Math.min(count, w[n] - index);
  for (let i = index; i < index + run; i++) out.push(w[n + NODE_HEAD + i * LEAF_ITEM + 2]);
  changeCounts(a, -run);
  removeRun(a, t, leaf, index, run);
  return run;
}

/** Removes `run` items of the leaf at the end of the path, whose counts do not include them any more. */
export function removeRun(a: Arena, t: Ref, leaf: Ref, index: number, run: number): void {
  const w = wordsOf(a, leaf);
  const n = wordAt(leaf);
  wordsOf(a, t)[wordAt(t) + COUNT] -= run;
  const p = n + NODE_HEAD + index * LEAF_ITEM;
  moveWords(w, p, p + run * LEAF_ITEM, (w[n] - index - run) * LEAF_ITEM);
  w[n] -= run;
  if (path.depth === 0) return;
  if (w[n] === 0) {
    unlinkLeaf(a, t, leaf);
    a.free(leaf);
    wordsOf(a, t)[wordAt(t) + NODES]--;
    removeChild(a, t, path.depth - 1, path.indexes[path.depth - 1]);
    return;
  }
  const first = n + NODE_HEAD;
  if (index === 0) noteFirst(a, path.depth - 1, w[first], w[first + 1], w[first + 2]);
  if (w[n] < LEAF_MIN) mergeLeaf(a, t, leaf);
}

function unlinkLeaf(a: Arena, t: Ref, leaf: Ref): void {
  const w = wordsOf(a, leaf);
  const n = wordAt(leaf);
  const previous = w[n + PREVIOUS];
  const next = w[n + NEXT];
  const header = wordsOf(a, t);
  const h = wordAt(t);
  if (previous === 0) header[h + FIRST] = next;
  else wordsOf(a, previous)[wordAt(previous) + NEXT] = next;
  if (next === 0) header[h + LAST] = previous;
  else wordsOf(a, next)[wordAt(next) + PREVIOUS] = previous;
}

/** Joins a leaf that has become small with a neighbour under the same parent if both fit into one. */
function mergeLeaf(a: Arena, t: Ref, leaf: Ref): void {
  const depth = path.depth - 1;
  const index = path.indexes[depth];
  const count = wordsOf(a, leaf)[wordAt(leaf)];
  const right = childAt(a, path.nodes[depth], index + 1);
  if (right !== 0 && count + wordsOf(a, right)[wordAt(right)] <= LEAF_MAX) {
    joinLeaves(a, t, leaf, right, depth, index);
    return;
  }
  const left = childAt(a, path.nodes[depth], index - 1);
  if (left !== 0 && count + wordsOf(a, left)[wordAt(left)] <= LEAF_MAX) joinLeaves(a, t, left, leaf, depth, index - 1);
}

/** Moves all of `right` to the leaf before it, which is child `index` of the node at `depth` of the path. */
function joinLeaves(a: Arena, t: Ref, left: Ref, right: Ref, depth: number, index: number): void {
  const w = wordsOf(a, left);
  const n = wordAt(left);
  const rw = wordsOf(a, right);
  const r = wordAt(right);
  copyWords(rw, r + NODE_HEAD, w, n + NODE_HEAD + w[n] * LEAF_ITEM, rw[r] * LEAF_ITEM);
  w[n] += rw[r];
  unlinkLeaf(a, t, right);
  joinCounts(a, depth, index);
  a.free(right);
  wordsOf(a, t)[wordAt(t) + NODES]--;
  removeChild(a, t, depth, index + 1);
}

/** Adds the count of child `index` + 1 to that of child `index`. */
function joinCounts(a: Arena, depth: number, index: number): void {
  const w = wordsOf(a, path.nodes[depth]);
  const p = wordAt(path.nodes[depth]) + NODE_HEAD + index * INNER_ITEM + CHILD_COUNT;
  w[p] += w[p + INNER_ITEM];
}

/** Takes the entry of a child that is gone out of the node at `depth` of the path. */
function removeChild(a: Arena, t: Ref, depth: number, index: number): void {
  const node = path.nodes[depth];
  const w = wordsOf(a, node);
  const n = wordAt(node);
  const p = n + NODE_HEAD + index * INNER_ITEM;
  moveWords(w, p, p + INNER_ITEM, (w[n] - index - 1) * INNER_ITEM);
  w[n]--;
  if (depth === 0) {
    shrinkRoot(a, t);
    return;
  }
  if (w[n] === 0) {
    a.free(node);
    wordsOf(a, t)[wordAt(t) + NODES] -= 2;
    removeChild(a, t, depth - 1, path.indexes[depth - 1]);
    return;
  }
  const first = n + NODE_HEAD;
  if (index === 0) noteFirst(a, depth - 1, w[first], w[first + 1], w[first + 2]);
  if (w[n] < INNER_MIN) mergeInner(a, t, node, depth - 1);
}

/** Takes away root nodes with a single child. */
function shrinkRoot(a: Arena, t: Ref): void {
  const header = wordsOf(a, t);
  const h = wordAt(t);
  while (header[h + LEVELS] > 0) {
    const root = header[h + ROOT];
    const w = wordsOf(a, root);
    const n = wordAt(root);
    if (w[n] > 1) return;
    header[h + ROOT] = w[n + NODE_HEAD + CHILD];
    header[h + LEVELS]--;
    header[h + NODES] -= 2;
    a.free(root);
  }
}

/** Joins an inner node that has become small with a neighbour under the same parent, the node at `depth` of the path, if both fit into one. */
function mergeInner(a: Arena, t: Ref, node: Ref, depth: number): void {
  const index = path.indexes[depth];
  const count = wordsOf(a, node)[wordAt(node)];
  const right = childAt(a, path.nodes[depth], index + 1);
  if (right !== 0 && count + wordsOf(a, right)[wordAt(right)] <= INNER_MAX) {
    joinInner(a, t, node, right, depth, index);
    return;
  }
  const left = childAt(a, path.nodes[depth], index - 1);
  if (left !== 0 && count + wordsOf(a, left)[wordAt(left)] <= INNER_MAX) joinInner(a, t, left, node, depth, index - 1);
}

function joinInner(a: Arena, t: Ref, left: Ref, right: Ref, depth: number, index: number): void {
  const w = wordsOf(a, left);
  const n = wordAt(left);
  const rw = wordsOf(a, right);
  const r = wordAt(right);
  copyWords(rw, r + NODE_HEAD, w, n + NODE_HEAD + w[n] * INNER_ITEM, rw[r] * INNER_ITEM);
  w[n] += rw[r];
  joinCounts(a, depth, index);
  a.free(right);
  wordsOf(a, t)[wordAt(t) + NODES] -= 2;
  removeChild(a, t, depth, index + 1);
}
