/** The invariants of a ranked tree (ranked-tree.ts), checked by walking it. */
import type { Arena, Ref } from "../arena/arena.ts";
import {
  CHILD,
  CHILD_COUNT,
  COUNT,
  FIRST,
  INNER_ITEM,
  INNER_MAX,
  LAST,
  LEAF_ITEM,
  LEAF_MAX,
  LEVELS,
  NEXT,
  NODE_HEAD,
  NODES,
  PREVIOUS,
  ROOT,
  wordAt,
  wordsOf,
} from "./ranked-tree-node.ts";
import { compareMembers, memberScore, scoreKey, toScoreKey } from "./scored-member.ts";

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
