/** Adding members to a ranked tree, and splitting the nodes that become too full. */
import type { Arena, Ref } from "../../arena/arena.ts";
import {
  CHILD,
  CHILD_COUNT,
  COUNT,
  copyWords,
  INNER_BYTES,
  INNER_ITEM,
  INNER_MAX,
  innerCount,
  LAST,
  LEAF_BYTES,
  LEAF_ITEM,
  LEAF_MAX,
  LEVELS,
  moveWords,
  NEXT,
  NODE_HEAD,
  NODES,
  newNode,
  PREVIOUS,
  ROOT,
  wordAt,
  wordsOf,
} from "./ranked-tree-node.ts";
import { descend, leafSearch, noteFirst, path, probe, probeForMember } from "./ranked-tree-search.ts";

/** Adds a member that is not there. */
export function treeInsert(a: Arena, t: Ref, m: Ref): void {
  probeForMember(a, m);
  const leaf = descend(a, t, 0, 1);
  wordsOf(a, t)[wordAt(t) + COUNT]++;
  const index = leafSearch(a, leaf);
  if (index === 0) noteFirst(a, path.depth - 1, probe.high, probe.low, m);
  const w = wordsOf(a, leaf);
  const n = wordAt(leaf);
  const count = w[n];
  if (count === LEAF_MAX) {
    insertIntoFull(a, t, leaf, index, m);
    return;
  }
  const p = n + NODE_HEAD + index * LEAF_ITEM;
  moveWords(w, p + LEAF_ITEM, p, (count - index) * LEAF_ITEM);
  w[p] = probe.high;
  w[p + 1] = probe.low;
  w[p + 2] = m;
  w[n] = count + 1;
}

/** Splits a full leaf and adds the member of the probe. The counts on the path already include it. */
function insertIntoFull(a: Arena, t: Ref, leaf: Ref, index: number, m: Ref): void {
  const [high, low] = [probe.high, probe.low];
  const right = newNode(a, LEAF_BYTES);
  const header = wordsOf(a, t);
  const h = wordAt(t);
  header[h + NODES]++;
  const w = wordsOf(a, leaf);
  const n = wordAt(leaf);
  // What grows at one end only leaves full leaves behind.
  let kept = LEAF_MAX >> 1;
  if (index === LEAF_MAX && w[n + NEXT] === 0) kept = LEAF_MAX;
  else if (index === 0 && w[n + PREVIOUS] === 0) kept = 0;
  const rw = wordsOf(a, right);
  const r = wordAt(right);
  copyWords(w, n + NODE_HEAD + kept * LEAF_ITEM, rw, r + NODE_HEAD, (LEAF_MAX - kept) * LEAF_ITEM);
  w[n] = kept;
  rw[r] = LEAF_MAX - kept;
  linkAfter(a, t, leaf, right);
  const intoRight = kept > 0 && index > kept - (kept === LEAF_MAX ? 1 : 0);
  const target = intoRight ? right : leaf;
  putItem(a, target, intoRight ? index - kept : index, high, low, m);
  const first = r + NODE_HEAD;
  insertChild(a, t, path.depth - 1, rw[first], rw[first + 1], rw[first + 2], right, rw[r]);
}

function putItem(a: Arena, leaf: Ref, index: number, high: number, low: number, m: Ref): void {
  const w = wordsOf(a, leaf);
  const n = wordAt(leaf);
  const p = n + NODE_HEAD + index * LEAF_ITEM;
  moveWords(w, p + LEAF_ITEM, p, (w[n] - index) * LEAF_ITEM);
  w[p] = high;
  w[p + 1] = low;
  w[p + 2] = m;
  w[n]++;
}

function linkAfter(a: Arena, t: Ref, leaf: Ref, right: Ref): void {
  const w = wordsOf(a, leaf);
  const n = wordAt(leaf);
  const next = w[n + NEXT];
  wordsOf(a, right)[wordAt(right) + PREVIOUS] = leaf;
  wordsOf(a, right)[wordAt(right) + NEXT] = next;
  w[n + NEXT] = right;
  if (next === 0) wordsOf(a, t)[wordAt(t) + LAST] = right;
  else wordsOf(a, next)[wordAt(next) + PREVIOUS] = right;
}

/**
 * Adds a child behind that of the path at `depth`, from which its members were split off: the count of that one shrinks. Depth -1 makes a new root.
 */
function insertChild(
  a: Arena,
  t: Ref,
  depth: number,
  high: number,
  low: number,
  m: Ref,
  child: Ref,
  count: number,
): void {
  if (depth < 0) {
    growRoot(a, t, high, low, m, child, count);
    return;
  }
  const node = path.nodes[depth];
  const w = wordsOf(a, node);
  const n = wordAt(node);
  const index = path.indexes[depth] + 1;
  w[n + NODE_HEAD + (index - 1) * INNER_ITEM + CHILD_COUNT] -= count;
  if (w[n] < INNER_MAX) {
    putChild(a, node, index, high, low, m, child, count);
    return;
  }
  const right = newNode(a, INNER_BYTES);
  wordsOf(a, t)[wordAt(t) + NODES] += 2;
  const kept = index === INNER_MAX ? INNER_MAX - 1 : INNER_MAX >> 1;
  const rw = wordsOf(a, right);
  const r = wordAt(right);
  copyWords(w, n + NODE_HEAD + kept * INNER_ITEM, rw, r + NODE_HEAD, (INNER_MAX - kept) * INNER_ITEM);
  w[n] = kept;
  rw[r] = INNER_MAX - kept;
  if (index > kept) putChild(a, right, index - kept, high, low, m, child, count);
  else putChild(a, node, index, high, low, m, child, count);
  const first = r + NODE_HEAD;
  insertChild(a, t, depth - 1, rw[first], rw[first + 1], rw[first + 2], right, innerCount(a, right));
}

function putChild(
  a: Arena,
  node: Ref,
  index: number,
  high: number,
  low: number,
  m: Ref,
  child: Ref,
  count: number,
): void {
  const w = wordsOf(a, node);
  const n = wordAt(node);
  const p = n + NODE_HEAD + index * INNER_ITEM;
  moveWords(w, p + INNER_ITEM, p, (w[n] - index) * INNER_ITEM);
  w[p] = high;
  w[p + 1] = low;
  w[p + 2] = m;
  w[p + CHILD] = child;
  w[p + CHILD_COUNT] = count;
  w[n]++;
}

/** Puts a new root over the old one and the node that was split off it. */
function growRoot(a: Arena, t: Ref, high: number, low: number, m: Ref, child: Ref, count: number): void {
  const header = wordsOf(a, t);
  const h = wordAt(t);
  const old = header[h + ROOT];
  const root = newNode(a, INNER_BYTES);
  const ow = wordsOf(a, old);
  const first = wordAt(old) + NODE_HEAD;
  putChild(a, root, 0, ow[first], ow[first + 1], ow[first + 2], old, header[h + COUNT] - count);
  putChild(a, root, 1, high, low, m, child, count);
  header[h + ROOT] = root;
  header[h + LEVELS]++;
  header[h + NODES] += 2;
}
