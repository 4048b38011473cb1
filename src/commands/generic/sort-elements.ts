/** Copies the elements that SORT works on out of a list, a set or a sorted set. */
import type { Arena, Ref } from "../../arena/arena.ts";
import {
  cursorLeave,
  cursorNext,
  cursorPrevious,
  cursorRead,
  QuicklistCursor,
} from "../../struct/quicklist/quicklist-cursor.ts";
import { entryType, Type } from "../../types/entry.ts";
import { ListElement, listLength, listSeek } from "../../types/list/list.ts";
import { setLength } from "../../types/set/set.ts";
import { SetWalk, setWalkNext, setWalkStart } from "../../types/set/set-walk.ts";
import { zsetLength } from "../../types/zset/zset-length.ts";
import { ZsetWalk, zsetWalkNext, zsetWalkPrevious, zsetWalkStart } from "../../types/zset/zset-walk.ts";
import type { SortRows } from "./sort-rows.ts";

const cursor = new QuicklistCursor();
const element = new ListElement();
const setWalk = new SetWalk();
const zsetWalk = new ZsetWalk();

/** True for what SORT can sort. */
export function isSortable(type: number): boolean {
  return type === Type.List || type === Type.Set || type === Type.Zset;
}

/** Elements of a list, set or sorted set. */
export function elementCount(a: Arena, e: Ref): number {
  const type = entryType(a, e);
  if (type === Type.List) return listLength(a, e);
  return type === Type.Set ? setLength(a, e) : zsetLength(a, e);
}

/**
 * Copies `count` elements, which there are, from an index on, the last element being number 0 when `backwards`. A set has no order: all its elements are
 * to be read.
 */
export function readElements(a: Arena, e: Ref, from: number, count: number, backwards: boolean, rows: SortRows): void {
  rows.begin(count);
  if (count === 0) return;
  const type = entryType(a, e);
  if (type === Type.Set) readSet(a, e, rows);
  else if (type === Type.List) readList(a, e, from, count, backwards, rows);
  else readZset(a, e, from, count, backwards, rows);
}

function readList(a: Arena, e: Ref, from: number, count: number, backwards: boolean, rows: SortRows): void {
  let more = listSeek(a, e, backwards ? listLength(a, e) - 1 - from : from, cursor);
  for (let left = count; more && left > 0; left--) {
    cursorRead(cursor, element);
    element.text();
    rows.add(element.buf, element.at, element.length);
    more = backwards ? cursorPrevious(a, cursor) : cursorNext(a, cursor);
  }
  cursorLeave(a, cursor);
}

function readSet(a: Arena, e: Ref, rows: SortRows): void {
  const { member } = setWalk;
  setWalkStart(a, e, setWalk);
  while (setWalkNext(a, setWalk)) {
    member.text();
    rows.add(member.buf, member.at, member.length);
  }
}

function readZset(a: Arena, e: Ref, from: number, count: number, backwards: boolean, rows: SortRows): void {
  const { member } = zsetWalk;
  let more = zsetWalkStart(a, e, zsetWalk, backwards ? zsetLength(a, e) - 1 - from : from);
  for (let left = count; more && left > 0; left--) {
    member.text();
    rows.add(member.buf, member.at, member.length);
    more = backwards ? zsetWalkPrevious(a, zsetWalk) : zsetWalkNext(a, zsetWalk);
  }
}
