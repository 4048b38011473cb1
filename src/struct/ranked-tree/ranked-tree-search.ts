/**
 * Finding places in a ranked tree. A probe says what is searched for; the search goes down from the root and leaves the way it took in `path`.
 * One probe and one path serve all trees: a search ends before the next one begins.
 */
import type { Arena, Ref } from "../../arena/arena.ts";
import { compareMember, compareMembers, memberScoreKey, scoreKey, toScoreKey } from "../scored-member.ts";
import {
  CHILD,
  CHILD_COUNT,
  COUNT,
  INNER_ITEM,
  LEAF_ITEM,
  LEVELS,
  LEVELS_MAX,
  MEMBER,
  NODE_HEAD,
  ROOT,
  wordAt,
  wordsOf,
} from "./ranked-tree-node.ts";

/** How a probe stands to members with its score: before all, behind all, among them by the bytes of a member; or it looks at bytes alone. */
export const Probe = { Before: 0, Behind: 1, Member: 2, Bytes: 3, BytesBehind: 4 } as const;

/** What is searched for. */
export const probe = {
  kind: 0 as number,
  /** The score key. */
  high: 0,
  low: 0,
  member: 0 as Ref,
  /** Of the kinds that look at bytes alone. */
  buf: new Uint8Array(0) as Uint8Array,
  at: 0,
  length: 0,
};

/** The way down to the leaf that was found last. */
export const path = {
  /** Inner nodes on the way, from the root, and the index of the child that was taken in each. */
  nodes: new Int32Array(LEVELS_MAX),
  indexes: new Int32Array(LEVELS_MAX),
  depth: 0,
  /** Members in front of the leaf: descendCounting and descendToRank set it. */
  rank: 0,
};

/** Probes for the place before all members of a score (Probe.Before), or behind them (Probe.Behind). */
export function probeForScore(score: number, kind: number): void {
  toScoreKey(score);
  probe.kind = kind;
  probe.high = scoreKey.high;
  probe.low = scoreKey.low;
}

/** Probes for bytes in a tree whose scores are all equal. */
export function probeForBytes(buf: Uint8Array, at: number, length: number, kind: number): void {
  probe.kind = kind;
  probe.buf = buf;
  probe.at = at;
  probe.length = length;
}

/** Probes for the place of a member, which need not be in the tree. */
export function probeForMember(a: Arena, m: Ref): void {
  memberScoreKey(a, m);
  probe.kind = Probe.Member;
  probe.high = scoreKey.high;
  probe.low = scoreKey.low;
  probe.member = m;
}

/** Probes for the place that the probe's member would have with another score. */
export function probeForMove(score: number): void {
  toScoreKey(score);
  probe.high = scoreKey.high;
  probe.low = scoreKey.low;
}

/** True when the member at word `p` of a node comes before the probe. */
export function isBefore(a: Arena, w: Int32Array, p: number): boolean {
  if (probe.kind < Probe.Bytes) {
    const high = w[p];
    if (high !== probe.high) return high < probe.high;
    const low = w[p + 1];
    if (low !== probe.low) return low < probe.low;
  }
  return isTieBefore(a, w[p + MEMBER]);
}

/** The same for a member of which it is known that its score does not decide. */
function isTieBefore(a: Arena, m: Ref): boolean {
  const { kind } = probe;
  if (kind === Probe.Member) return compareMembers(a, m, probe.member) < 0;
  if (kind < Probe.Bytes) return kind === Probe.Behind;
  const order = compareMember(a, m, probe.buf, probe.at, probe.length);
  return order < 0 || (order === 0 && kind === Probe.BytesBehind);
}

/** Items of a leaf that come before the probe. */
export function leafSearch(a: Arena, leaf: Ref): number {
  const w = wordsOf(a, leaf);
  const n = wordAt(leaf);
  if (probe.kind >= Probe.Bytes) return byteSearch(a, w, n + NODE_HEAD, LEAF_ITEM, 0, w[n]);
  const probeHigh = probe.high;
  const probeLow = probe.low;
  let low = 0;
  let high = w[n];
  while (low < high) {
    const middle = (low + high) >> 1;
    const p = n + NODE_HEAD + middle * LEAF_ITEM;
    let before = w[p] < probeHigh;
    if (w[p] === probeHigh) {
      before = w[p + 1] < probeLow;
      if (w[p + 1] === probeLow) before = isTieBefore(a, w[p + MEMBER]);
    }
    if (before) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Index of the last child of an inner node whose first member comes before the probe or is `self`; 0 when there is none. */
function innerSearch(a: Arena, w: Int32Array, n: number, self: Ref): number {
  if (probe.kind >= Probe.Bytes) return byteSearch(a, w, n + NODE_HEAD, INNER_ITEM, 1, w[n]) - 1;
  const probeHigh = probe.high;
  const probeLow = probe.low;
  let low = 1;
  let high = w[n];
  while (low < high) {
    const middle = (low + high) >> 1;
    const p = n + NODE_HEAD + middle * INNER_ITEM;
    let before = w[p] < probeHigh;
    if (w[p] === probeHigh) {
      before = w[p + 1] < probeLow;
      if (w[p + 1] === probeLow) before = w[p + MEMBER] === self || isTieBefore(a, w[p + MEMBER]);
    }
    if (before) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The first item from `from` on, of those at word `first` that are `size` words long, that does not come before a probe for bytes; `end` if all do. */
function byteSearch(a: Arena, w: Int32Array, first: number, size: number, from: number, end: number): number {
  let low = from;
  let high = end;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isTieBefore(a, w[first + middle * size + MEMBER])) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Goes down to the leaf where the probe belongs, or which has `self` (0: nothing), and notes the way. Counts on the way change by `change`. */
export function descend(a: Arena, t: Ref, self: Ref, change: number): Ref {
  const h = wordAt(t);
  const header = wordsOf(a, t);
  const levels = header[h + LEVELS];
  let node = header[h + ROOT];
  path.depth = levels;
  for (let depth = 0; depth < levels; depth++) {
    const w = wordsOf(a, node);
    const n = wordAt(node);
    const index = innerSearch(a, w, n, self);
    path.nodes[depth] = node;
    path.indexes[depth] = index;
    const p = n + NODE_HEAD + index * INNER_ITEM;
    w[p + CHILD_COUNT] += change;
    node = w[p + CHILD];
  }
  return node;
}

/** Goes down to the leaf where the probe belongs, or which has `self`, counting the members in front of it. The way is not noted. */
export function descendCounting(a: Arena, t: Ref, self: Ref): Ref {
  const h = wordAt(t);
  const header = wordsOf(a, t);
  const levels = header[h + LEVELS];
  let node = header[h + ROOT];
  /** Members before the end of the node. */
  let end = header[h + COUNT];
  let rank = 0;
  for (let depth = 0; depth < levels; depth++) {
    const w = wordsOf(a, node);
    const n = wordAt(node);
    const index = innerSearch(a, w, n, self);
    const first = n + NODE_HEAD + CHILD_COUNT;
    const taken = first + index * INNER_ITEM;
    const count = w[n];
    // From the side that is nearer.
    if (index * 2 < count) {
      for (let p = first; p < taken; p += INNER_ITEM) rank += w[p];
      end = rank + w[taken];
    } else {
      for (let p = first + (count - 1) * INNER_ITEM; p > taken; p -= INNER_ITEM) end -= w[p];
      rank = end - w[taken];
    }
    node = w[taken + CHILD - CHILD_COUNT];
  }
  path.rank = rank;
  return node;
}

/** Goes down to the leaf with the member of a rank, noting the way and the members in front of the leaf. */
export function descendToRank(a: Arena, t: Ref, rank: number): Ref {
  const h = wordAt(t);
  const header = wordsOf(a, t);
  const levels = header[h + LEVELS];
  let node = header[h + ROOT];
  let left = rank;
  path.depth = levels;
  for (let depth = 0; depth < levels; depth++) {
    const w = wordsOf(a, node);
    const n = wordAt(node);
    let p = n + NODE_HEAD;
    let index = 0;
    for (const last = w[n] - 1; index < last && left >= w[p + CHILD_COUNT]; index++) {
      left -= w[p + CHILD_COUNT];
      p += INNER_ITEM;
    }
    path.nodes[depth] = node;
    path.indexes[depth] = index;
    node = w[p + CHILD];
  }
  path.rank = rank - left;
  return node;
}

/** Adds `change` to the counts on the path from the root to its leaf. */
export function changeCounts(a: Arena, change: number): void {
  for (let depth = 0; depth < path.depth; depth++) {
    const node = path.nodes[depth];
    wordsOf(a, node)[wordAt(node) + NODE_HEAD + path.indexes[depth] * INNER_ITEM + CHILD_COUNT] += change;
  }
}

/** Tells the inner nodes from `depth` of the path up that the member that comes first below it is another one. */
export function noteFirst(a: Arena, depth: number, high: number, low: number, m: Ref): void {
  for (let d = depth; d >= 0; d--) {
    const w = wordsOf(a, path.nodes[d]);
    const p = wordAt(path.nodes[d]) + NODE_HEAD + path.indexes[d] * INNER_ITEM;
    w[p] = high;
    w[p + 1] = low;
    w[p + MEMBER] = m;
    if (path.indexes[d] !== 0) return;
  }
}
