/**
 * Building a large sorted set from members that come more than once: first they are collected in the dict alone, and their scores made one each time; at
 * the end all of them enter the tree. Until then nothing else may be done with the set.
 */
import type { Arena, Ref } from "../../arena/arena.ts";
import { dictFind, dictHash, dictInsert, dictScan, RefList } from "../../struct/dict/dict.ts";
import { treeInsert } from "../../struct/ranked-tree/ranked-tree-insert.ts";
import { memberCreate, memberScore, setMemberScore } from "../../struct/scored-member.ts";
import { containerRoot, containerWord } from "../container.ts";

const list = new RefList();

/** Adds a member, or gives one that is there the score that `mix` makes of its own and the new one. */
export function tallyAdd(
  a: Arena,
  e: Ref,
  buf: Uint8Array,
  at: number,
  length: number,
  score: number,
  mix: (current: number, added: number) => number,
): void {
  const dict = containerRoot(a, e);
  const hash = dictHash(a, buf, at, length);
  const m = dictFind(a, dict, buf, at, length, hash);
  if (m === 0) dictInsert(a, dict, memberCreate(a, buf, at, length, score), hash);
  else setMemberScore(a, m, mix(memberScore(a, m), score));
}

/** Puts all members into the tree, which is empty. */
export function tallyEnd(a: Arena, e: Ref): void {
  const dict = containerRoot(a, e);
  const tree = containerWord(a, e);
  // The dict does not change meanwhile, so that the scan returns each member once.
  let cursor = 0;
  do {
    list.count = 0;
    cursor = dictScan(a, dict, cursor, list);
    for (let i = 0; i < list.count; i++) treeInsert(a, tree, list.refs[i]);
  } while (cursor !== 0);
}
