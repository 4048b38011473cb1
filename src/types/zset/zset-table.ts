/**
 * A large sorted set: a dict of scored members beside a ranked tree of the same blocks. In the entry, the root is the dict and the word beside it the tree.
 *
 * Invariant: dict and tree have the same members.
 */
import type { Arena, Ref } from "../../arena/arena.ts";
import {
  dictCreate,
  dictDismantle,
  dictEntryHash,
  dictFind,
  dictHash,
  dictInsert,
  dictPause,
  dictRemove,
  dictShrinkIfNeeded,
  RefList,
} from "../../struct/dict/dict.ts";
import { treeCreate, treeFree } from "../../struct/ranked-tree/ranked-tree.ts";
import { treeInsert } from "../../struct/ranked-tree/ranked-tree-insert.ts";
import { treeRemove, treeRemoveRun } from "../../struct/ranked-tree/ranked-tree-remove.ts";
import { MEMBER_OFFSET, memberCreate, memberFree } from "../../struct/scored-member.ts";
import { containerRoot, containerWord, setContainerRoot, setContainerWord } from "../container.ts";

const removed = new RefList();
const BUCKETS_PER_STEP = 16;

/** Gives an entry an empty dict and tree. */
export function tableCreate(a: Arena, e: Ref): void {
  setContainerRoot(a, e, dictCreate(a, MEMBER_OFFSET));
  setContainerWord(a, e, treeCreate(a));
}

/** The block of a member, or 0. */
export function tableFind(a: Arena, e: Ref, buf: Uint8Array, at: number, length: number): Ref {
  return dictFind(a, containerRoot(a, e), buf, at, length, dictHash(a, buf, at, length));
}

/** Adds a member that is not there. */
export function tableAdd(a: Arena, e: Ref, buf: Uint8Array, at: number, length: number, score: number): void {
  const m = memberCreate(a, buf, at, length, score);
  dictInsert(a, containerRoot(a, e), m, dictHash(a, buf, at, length));
  treeInsert(a, containerWord(a, e), m);
}

/** Removes a member; false when there is none. */
export function tableRemove(a: Arena, e: Ref, buf: Uint8Array, at: number, length: number): boolean {
  const dict = containerRoot(a, e);
  const hash = dictHash(a, buf, at, length);
  const m = dictFind(a, dict, buf, at, length, hash);
  if (m === 0) return false;
  treeRemove(a, containerWord(a, e), m);
  dictRemove(a, dict, m, hash);
  memberFree(a, m);
  return true;
}

/** Removes `count` members from a rank on. */
export function tableRemoveRanks(a: Arena, e: Ref, rank: number, count: number): void {
  const dict = containerRoot(a, e);
  const tree = containerWord(a, e);
  if (count > 1) dictPause(a, dict, 1);
  for (let left = count; left > 0; ) {
    removed.count = 0;
    left -= treeRemoveRun(a, tree, rank, left, removed);
    for (let i = 0; i < removed.count; i++) {
      const m = removed.refs[i];
      dictRemove(a, dict, m, dictEntryHash(a, m, MEMBER_OFFSET));
      memberFree(a, m);
    }
  }
  if (count > 1) {
    dictPause(a, dict, -1);
    dictShrinkIfNeeded(a, dict);
  }
}

/** Frees the members of up to `buckets` buckets of a dict whose tree is gone, as dictDismantle does: where to go on, negative at the end. */
export function tableRuin(a: Arena, dict: Ref, position: number, buckets: number): number {
  removed.count = 0;
  const next = dictDismantle(a, dict, position, buckets, removed);
  for (let i = 0; i < removed.count; i++) memberFree(a, removed.refs[i]);
  return next;
}

/** Frees a dict and a tree with their members. */
export function tableFree(a: Arena, dict: Ref, tree: Ref): void {
  treeFree(a, tree);
  for (let position = 0; position >= 0; ) position = tableRuin(a, dict, position, BUCKETS_PER_STEP);
}
