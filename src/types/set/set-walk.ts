/**
 * A walk over all members of a set that does not change meanwhile:
 *
 *   setWalkStart(a, e, walk);
 *   while (setWalkNext(a, walk)) ... walk.member
 *
 * Whoever writes a snapshot uses setWalkStartSaved and setWalkNextSaved.
 */
import type { Arena, Ref } from "../../arena/arena.ts";
import type { FrozenView } from "../../arena/frozen.ts";
import { RefList } from "../../struct/dict/dict.ts";
import { intsetCount, intsetGet, intsetValue } from "../../struct/intset.ts";
import { listpackFirst, listpackNext, listpackRead } from "../../struct/listpack/listpack.ts";
import { ListpackElement } from "../../struct/listpack/listpack-element.ts";
import { readBuckets } from "../bucket-walk.ts";
import { containerRoot } from "../container.ts";
import { Encoding, entryEncoding } from "../entry.ts";
import { readMember } from "./set-table.ts";

/** A member as it was read: an integer, or bytes that are good until the set changes. */
export class SetMember extends ListpackElement {
  /** Where it is, in terms of the encoding: index, offset or block. */
  place = 0;
}

/** Reads the value at an index of an intset. */
export function readIntsetMember(a: Arena, root: number, index: number, out: SetMember): void {
  intsetGet(a, root, index);
  out.isInteger = true;
  out.low = intsetValue.low;
  out.high = intsetValue.high;
}

export class SetWalk {
  readonly member = new SetMember();
  encoding = 0;
  /** Intset, listpack or dict. */
  root = 0;
  /** Of an intset: the next index, and their number; of a listpack: the last offset; of a dict: the cursor of the next bucket. */
  next = 0;
  count = 0;
  /** Of a dict: whether the last bucket has been read, and the members of the current ones. */
  ended = false;
  readonly bucket = new RefList();
  bucketIndex = 0;
  /** What the entry stands for, or null. */
  frozen: FrozenView | null = null;
  /** Keeps the loads of prefetching alive. */
  touched = 0;
}

/** Sets a walk before the first member. */
export function setWalkStart(a: Arena, e: Ref, walk: SetWalk): void {
  walk.encoding = entryEncoding(a, e);
  walk.root = containerRoot(a, e);
  walk.next = 0;
  walk.count = walk.encoding === Encoding.Intset ? intsetCount(a, walk.root) : 0;
  walk.ended = false;
  walk.bucket.count = 0;
  walk.bucketIndex = 0;
}

/** The same for whoever writes a snapshot: the entry may stand for a set that is frozen. */
export function setWalkStartSaved(a: Arena, e: Ref, walk: SetWalk): void {
  setWalkStart(a, e, walk);
  walk.frozen = a.frozen.view(e);
}

/** Goes on to the next member; false at the end. */
export function setWalkNext(a: Arena, walk: SetWalk): boolean {
  if (walk.encoding === Encoding.HashTable) return nextInTable(a, walk);
  const { member, root } = walk;
  if (walk.encoding === Encoding.Intset) {
    if (walk.next === walk.count) return false;
    member.place = walk.next;
    readIntsetMember(a, root, walk.next++, member);
    return true;
  }
  const p = walk.next === 0 ? listpackFirst(a, root) : listpackNext(a, root, walk.next);
  if (p === 0) return false;
  walk.next = p;
  member.place = p;
  listpackRead(a, root, p, member);
  return true;
}

/** Goes on to the next member of such a walk; false at the end, and when it has to look further and some are left. */
export function setWalkNextSaved(a: Arena, walk: SetWalk): boolean {
  if (walk.frozen === null) return setWalkNext(a, walk);
  const m = walk.frozen.next();
  walk.member.place = m;
  if (m !== 0) readMember(a, m, walk.member);
  return m !== 0;
}

function nextInTable(a: Arena, walk: SetWalk): boolean {
  while (walk.bucketIndex === walk.bucket.count) {
    if (walk.ended) return false;
    walk.bucket.count = 0;
    walk.bucketIndex = 0;
    readBuckets(a, walk);
  }
  walk.member.place = walk.bucket.refs[walk.bucketIndex++];
  readMember(a, walk.member.place, walk.member);
  return true;
}
