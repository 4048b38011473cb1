/**
 * A counted B+tree of scored members (scored-member.ts), in the order of (score, bytes): what a sorted set has beside its member dict. Finding by score, by
 * bytes or by rank, and telling a rank, take O(log n).
 *
 * Header, 24 bytes:  0 root    1 inner levels    2 members    3 first leaf    4 last leaf    5 nodes
 *
 * Leaf, 512 bytes:   0 members here    1 previous leaf    2 next leaf    3 unused
 *                    then per member, 3 words: [score key: high, low][member]
 * Inner, 1,024 bytes: 0 children here    1-3 unused
 *                    then per child, 5 words: [score key and member that come first in it: 3][child][members in it]
 *
 * Score keys (toScoreKey) stand in the nodes, so that the member's block is read only where scores are equal.
 *
 * Invariants: no node is empty, except for the root leaf of an empty tree; all leaves are at the same depth; what a child's entry says of its first member and
 * of its count is exact; two neighbours under one parent would not fit into one node if one of them is less than a third full
 * right after a removal from it.
 */
import { type Arena, GRANULE_MASK, type Ref, SEGMENT_SHIFT } from "../arena/arena.ts";
import type { RefList } from "./dict.ts";
import {
  compareMember,
  memberAt,
  memberBuffer,
  memberLength,
  memberScore,
  scoreKey,
  setMemberScore,
  toScoreKey,
} from "./scored-member.ts";

const HEADER_BYTES = 24;
const ROOT = 0;
const LEVELS = 1;
const COUNT = 2;
const FIRST = 3;
const LAST = 4;
const NODES = 5;

const NODE_HEAD = 4;
const PREVIOUS = 1;
const NEXT = 2;
const LEAF_BYTES = 512;
const LEAF_ITEM = 3;
const LEAF_MAX = 41;
const LEAF_MIN = 13;
const INNER_BYTES = 1024;
const INNER_ITEM = 5;
const INNER_MAX = 50;
const INNER_MIN = 16;
const CHILD = 3;
const CHILD_COUNT = 4;
/** Deeper than any tree can be: each level has at least two children. */
const LEVELS_MAX = 32;

/** Runs of words up to this long are moved by a loop. */
const LOOP_MOVE_MAX = 24;

function wordsOf(a: Arena, ref: Ref): Int32Array {
  return a.i32[ref >>> SEGMENT_SHIFT];
}

function wordAt(ref: Ref): number {
  return (ref & GRANULE_MASK) << 1;
}

// ---- what is searched for

/** How a probe stands to members with its score: before all, behind all, among them by its bytes; or it looks at bytes alone. */
const Probe = { Before: 0, Behind: 1, Bytes: 2, BytesOnly: 3, BytesOnlyBehind: 4 } as const;

let probeKind = 0;
let probeHigh = 0;
let probeLow = 0;
let probeBuf: Uint8Array = new Uint8Array(0);
let probeAt = 0;
let probeLength = 0;

function probeForScore(score: number, kind: number): void {
  toScoreKey(score);
  probeHigh = scoreKey.high;
  probeLow = scoreKey.low;
  probeKind = kind;
}

function probeForBytes(buf: Uint8Array, at: number, length: number, kind: number): void {
  probeBuf = buf;
  probeAt = at;
  probeLength = length;
  probeKind = kind;
}

function probeForMember(a: Arena, m: Ref): void {
  probeForScore(memberScore(a, m), Probe.Bytes);
  probeBuf = memberBuffer(a, m);
  probeAt = memberAt(a, m);
  probeLength = memberLength(a, m);
}

/** True when the member at word `p` of a node comes before the probe. */
function isBefore(a: Arena, w: Int32Array, p: number): boolean {
  if (probeKind < Probe.BytesOnly) {
    const high = w[p];
    if (high !== probeHigh) return high < probeHigh;
    const low = w[p + 1];
    if (low !== probeLow) return low < probeLow;
    if (probeKind !== Probe.Bytes) return probeKind === Probe.Behind;
  }
  const order = compareMember(a, w[p + 2], probeBuf, probeAt, probeLength);
  return order < 0 || (order === 0 && probeKind === Probe.BytesOnlyBehind);
}

/** Items of a leaf that come before the probe. */
function leafSearch(a: Arena, leaf: Ref): number {
  const w = wordsOf(a, leaf);
  const n = wordAt(leaf);
  let low = 0;
  let high = w[n];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBefore(a, w, n + NODE_HEAD + middle * LEAF_ITEM)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Index of the last child of an inner node whose first member comes before the probe or is `self`; 0 when there is none. */
function innerSearch(a: Arena, node: Ref, self: Ref): number {
  const w = wordsOf(a, node);
  const n = wordAt(node);
  let low = 1;
  let high = w[n];
  while (low < high) {
    const middle = (low + high) >> 1;
    const p = n + NODE_HEAD + middle * INNER_ITEM;
    if (w[p + 2] === self || isBefore(a, w, p)) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

// ---- the way down

/** Inner nodes on the way to the leaf that was found last, from the root, and the index of the child that was taken in each. */
const pathNode = new Int32Array(LEVELS_MAX);
const pathIndex = new Int32Array(LEVELS_MAX);
let pathDepth = 0;
/** Members in front of that leaf. */
let pathRank = 0;

/** Goes down to the leaf where the probe belongs, or which has `self` (0: nothing), and notes the way. Counts on the way change by `change`. */
function descend(a: Arena, t: Ref, self: Ref, change: number): Ref {
  const h = wordAt(t);
  const header = wordsOf(a, t);
  const levels = header[h + LEVELS];
  let node = header[h + ROOT];
  pathDepth = levels;
  for (let depth = 0; depth < levels; depth++) {
    const index = innerSearch(a, node, self);
    pathNode[depth] = node;
    pathIndex[depth] = index;
    const w = wordsOf(a, node);
    const p = wordAt(node) + NODE_HEAD + index * INNER_ITEM;
    w[p + CHILD_COUNT] += change;
    node = w[p + CHILD];
  }
  return node;
}

/** Members in front of the leaf where the probe belongs, which is returned. */
function descendCounting(a: Arena, t: Ref, self: Ref): Ref {
  const h = wordAt(t);
  const header = wordsOf(a, t);
  const levels = header[h + LEVELS];
  let node = header[h + ROOT];
  let rank = 0;
  for (let depth = 0; depth < levels; depth++) {
    const index = innerSearch(a, node, self);
    const w = wordsOf(a, node);
    const first = wordAt(node) + NODE_HEAD + CHILD_COUNT;
    for (let p = first; p < first + index * INNER_ITEM; p += INNER_ITEM) rank += w[p];
    node = w[first + index * INNER_ITEM - 1];
  }
  pathRank = rank;
  return node;
}

/** Goes down to the leaf with the member of a rank, noting the way and the members in front of the leaf. */
function descendToRank(a: Arena, t: Ref, rank: number): Ref {
  const h = wordAt(t);
  const header = wordsOf(a, t);
  const levels = header[h + LEVELS];
  let node = header[h + ROOT];
  let left = rank;
  pathDepth = levels;
  for (let depth = 0; depth < levels; depth++) {
    const w = wordsOf(a, node);
    const n = wordAt(node);
    let p = n + NODE_HEAD;
    let index = 0;
    for (const last = w[n] - 1; index < last && left >= w[p + CHILD_COUNT]; index++) {
      left -= w[p + CHILD_COUNT];
      p += INNER_ITEM;
    }
    pathNode[depth] = node;
    pathIndex[depth] = index;
    node = w[p + CHILD];
  }
  pathRank = rank - left;
  return node;
}

// ---- making and letting go

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

function newNode(a: Arena, bytes: number): Ref {
  const node = a.alloc(bytes);
  wordsOf(a, node).fill(0, wordAt(node), wordAt(node) + NODE_HEAD);
  return node;
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
      pathNode[depth] = node;
      const n = wordAt(node);
      node = wordsOf(a, node)[n + NODE_HEAD + (wordsOf(a, node)[n] - 1) * INNER_ITEM + CHILD];
    }
    a.free(node);
    let depth = levels - 1;
    for (; depth >= 0; depth--) {
      if (--wordsOf(a, pathNode[depth])[wordAt(pathNode[depth])] > 0) break;
      a.free(pathNode[depth]);
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

// ---- adding

/** Adds a member that is not there. */
export function treeInsert(a: Arena, t: Ref, m: Ref): void {
  probeForMember(a, m);
  const leaf = descend(a, t, 0, 1);
  wordsOf(a, t)[wordAt(t) + COUNT]++;
  const index = leafSearch(a, leaf);
  if (index === 0) noteFirst(a, pathDepth - 1, probeHigh, probeLow, m);
  const w = wordsOf(a, leaf);
  const n = wordAt(leaf);
  const count = w[n];
  if (count === LEAF_MAX) {
    insertIntoFull(a, t, leaf, index, m);
    return;
  }
  const p = n + NODE_HEAD + index * LEAF_ITEM;
  move(w, p + LEAF_ITEM, p, (count - index) * LEAF_ITEM);
  w[p] = probeHigh;
  w[p + 1] = probeLow;
  w[p + 2] = m;
  w[n] = count + 1;
}

/** Splits a full leaf and adds the member of the probe. The counts on the path already include it. */
function insertIntoFull(a: Arena, t: Ref, leaf: Ref, index: number, m: Ref): void {
  const [high, low] = [probeHigh, probeLow];
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
  insertChild(a, t, pathDepth - 1, rw[first], rw[first + 1], rw[first + 2], right, rw[r]);
}

function putItem(a: Arena, leaf: Ref, index: number, high: number, low: number, m: Ref): void {
  const w = wordsOf(a, leaf);
  const n = wordAt(leaf);
  const p = n + NODE_HEAD + index * LEAF_ITEM;
  move(w, p + LEAF_ITEM, p, (w[n] - index) * LEAF_ITEM);
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

/** Tells the inner nodes from `depth` up that the member that comes first below the path is another one. */
function noteFirst(a: Arena, depth: number, high: number, low: number, m: Ref): void {
  for (let d = depth; d >= 0; d--) {
    const w = wordsOf(a, pathNode[d]);
    const p = wordAt(pathNode[d]) + NODE_HEAD + pathIndex[d] * INNER_ITEM;
    w[p] = high;
    w[p + 1] = low;
    w[p + 2] = m;
    if (pathIndex[d] !== 0) return;
  }
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
  const node = pathNode[depth];
  const w = wordsOf(a, node);
  const n = wordAt(node);
  const index = pathIndex[depth] + 1;
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
  move(w, p + INNER_ITEM, p, (w[n] - index) * INNER_ITEM);
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

/** Members below an inner node. */
function innerCount(a: Arena, node: Ref): number {
  const w = wordsOf(a, node);
  const n = wordAt(node);
  let sum = 0;
  for (let i = 0; i < w[n]; i++) sum += w[n + NODE_HEAD + i * INNER_ITEM + CHILD_COUNT];
  return sum;
}

// ---- removing

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
  const index = rank - pathRank;
  const run = Math.min(count, w[n] - index);
  for (let i = index; i < index + run; i++) out.push(w[n + NODE_HEAD + i * LEAF_ITEM + 2]);
  for (let depth = 0; depth < pathDepth; depth++) {
    const node = pathNode[depth];
    wordsOf(a, node)[wordAt(node) + NODE_HEAD + pathIndex[depth] * INNER_ITEM + CHILD_COUNT] -= run;
  }
  removeRun(a, t, leaf, index, run);
  return run;
}

/** Removes `run` items of the leaf at the end of the path, whose counts do not include them any more. */
function removeRun(a: Arena, t: Ref, leaf: Ref, index: number, run: number): void {
  const w = wordsOf(a, leaf);
  const n = wordAt(leaf);
  wordsOf(a, t)[wordAt(t) + COUNT] -= run;
  const p = n + NODE_HEAD + index * LEAF_ITEM;
  move(w, p, p + run * LEAF_ITEM, (w[n] - index - run) * LEAF_ITEM);
  w[n] -= run;
  if (pathDepth === 0) return;
  if (w[n] === 0) {
    unlinkLeaf(a, t, leaf);
    a.free(leaf);
    wordsOf(a, t)[wordAt(t) + NODES]--;
    removeChild(a, t, pathDepth - 1, pathIndex[pathDepth - 1]);
    return;
  }
  const first = n + NODE_HEAD;
  if (index === 0) noteFirst(a, pathDepth - 1, w[first], w[first + 1], w[first + 2]);
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
  const depth = pathDepth - 1;
  const index = pathIndex[depth];
  const count = wordsOf(a, leaf)[wordAt(leaf)];
  const right = childAt(a, pathNode[depth], index + 1);
  if (right !== 0 && count + wordsOf(a, right)[wordAt(right)] <= LEAF_MAX) {
    joinLeaves(a, t, leaf, right, depth, index);
    return;
  }
  const left = childAt(a, pathNode[depth], index - 1);
  if (left !== 0 && count + wordsOf(a, left)[wordAt(left)] <= LEAF_MAX) joinLeaves(a, t, left, leaf, depth, index - 1);
}

/** The child at an index of an inner node, or 0. */
function childAt(a: Arena, node: Ref, index: number): Ref {
  const w = wordsOf(a, node);
  const n = wordAt(node);
  return index < 0 || index >= w[n] ? 0 : w[n + NODE_HEAD + index * INNER_ITEM + CHILD];
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
  const w = wordsOf(a, pathNode[depth]);
  const p = wordAt(pathNode[depth]) + NODE_HEAD + index * INNER_ITEM + CHILD_COUNT;
  w[p] += w[p + INNER_ITEM];
}

/** Takes the entry of a child that is gone out of the node at `depth` of the path. */
function removeChild(a: Arena, t: Ref, depth: number, index: number): void {
  const node = pathNode[depth];
  const w = wordsOf(a, node);
  const n = wordAt(node);
  const p = n + NODE_HEAD + index * INNER_ITEM;
  move(w, p, p + INNER_ITEM, (w[n] - index - 1) * INNER_ITEM);
  w[n]--;
  if (depth === 0) {
    shrinkRoot(a, t);
    return;
  }
  if (w[n] === 0) {
    a.free(node);
    wordsOf(a, t)[wordAt(t) + NODES] -= 2;
    removeChild(a, t, depth - 1, pathIndex[depth - 1]);
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
  const index = pathIndex[depth];
  const count = wordsOf(a, node)[wordAt(node)];
  const right = childAt(a, pathNode[depth], index + 1);
  if (right !== 0 && count + wordsOf(a, right)[wordAt(right)] <= INNER_MAX) {
    joinInner(a, t, node, right, depth, index);
    return;
  }
  const left = childAt(a, pathNode[depth], index - 1);
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

// ---- changing a score

/** Gives a member of the tree another score, and its place. */
export function treeSetScore(a: Arena, t: Ref, m: Ref, score: number): void {
  probeForMember(a, m);
  const leaf = descend(a, t, m, 0);
  const index = leafSearch(a, leaf);
  const w = wordsOf(a, leaf);
  const n = wordAt(leaf);
  const p = n + NODE_HEAD + index * LEAF_ITEM;
  if (index === w[n] || w[p + 2] !== m) throw new Error("ranked tree: the member to move is not there");
  probeForScore(score, Probe.Bytes);
  if (staysBehind(a, w, n, index) && staysBefore(a, w, n, index)) {
    w[p] = probeHigh;
    w[p + 1] = probeLow;
    if (index === 0) noteFirst(a, pathDepth - 1, probeHigh, probeLow, m);
    setMemberScore(a, m, score);
    return;
  }
  for (let depth = 0; depth < pathDepth; depth++) {
    const node = pathNode[depth];
    wordsOf(a, node)[wordAt(node) + NODE_HEAD + pathIndex[depth] * INNER_ITEM + CHILD_COUNT]--;
  }
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

// ---- ranks and places

/** A place in a tree: a member's, until the tree changes. */
export class TreeCursor {
  leaf: Ref = 0;
  index = 0;
}

/** How many members come before a member of the tree. */
export function treeRank(a: Arena, t: Ref, m: Ref): number {
  probeForMember(a, m);
  const leaf = descendCounting(a, t, m);
  return pathRank + leafSearch(a, leaf);
}

/** How many members have a score below `score`, or one that is not above it (`orEqual`). */
export function treeRankOfScore(a: Arena, t: Ref, score: number, orEqual: boolean): number {
  probeForScore(score, orEqual ? Probe.Behind : Probe.Before);
  const leaf = descendCounting(a, t, 0);
  return pathRank + leafSearch(a, leaf);
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
  probeForBytes(buf, at, length, orEqual ? Probe.BytesOnlyBehind : Probe.BytesOnly);
  const leaf = descendCounting(a, t, 0);
  return pathRank + leafSearch(a, leaf);
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
    cursor.index = rank - pathRank;
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

// ---- words

/** Moves words within one segment; the runs may overlap. */
function move(w: Int32Array, to: number, from: number, count: number): void {
  if (count > LOOP_MOVE_MAX) {
    w.copyWithin(to, from, from + count);
  } else if (to < from) {
    for (let i = 0; i < count; i++) w[to + i] = w[from + i];
  } else {
    for (let i = count - 1; i >= 0; i--) w[to + i] = w[from + i];
  }
}

function copyWords(source: Int32Array, from: number, target: Int32Array, to: number, count: number): void {
  for (let i = 0; i < count; i++) target[to + i] = source[from + i];
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
    const order = compareMember(a, previous, memberBuffer(a, m), memberAt(a, m), memberLength(a, m));
    if (before > score || (before === score && order >= 0)) throw new Error("ranked tree: members out of order");
  }
  state.previous = m;
}
