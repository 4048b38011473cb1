/** Changes in the middle of lists: LSET, LINSERT, LREM, LTRIM. */
import type { Ref } from "../../arena/arena.ts";
import { type Context, command } from "../../engine/context.ts";
import { Event } from "../../engine/effects.ts";
import { Flag, oneKey } from "../../engine/spec/spec.ts";
import { NO_SUCH_KEY, OUT_OF_RANGE, SYNTAX } from "../../resp/errors.ts";
import {
  cursorEquals,
  cursorLeave,
  cursorNext,
  cursorPrevious,
  QuicklistCursor,
  SearchedElement,
} from "../../struct/quicklist/quicklist-cursor.ts";
import {
  listDeleteAt,
  listDeleteRange,
  listInsert,
  listLength,
  listMakeRoom,
  listReplace,
  listSeek,
  listShrink,
} from "../../types/list/list.ts";
import { deleteList, leaveList, listLimits, symmetricInteger, writeList } from "./access.ts";

const cursor = new QuicklistCursor();
const searched = new SearchedElement();

function set(cx: Context): void {
  const { arena: a, buf, length, start } = cx;
  const e = writeList(cx, 1);
  if (e === 0) throw NO_SUCH_KEY;
  let i = cx.longInteger(2);
  const size = listLength(a, e);
  if (i < 0) i += size;
  const limits = listLimits(cx);
  // As in Redis, the encoding may change although the index is out of range.
  listMakeRoom(a, e, length[3], 1, limits);
  if (i < 0 || !listSeek(a, e, i, cursor)) throw OUT_OF_RANGE;
  listReplace(a, e, cursor, buf, start[3], length[3], limits);
  cursorLeave(a, cursor);
  listShrink(a, e, limits);
  cx.changed(1, Event.List, "lset");
  cx.reply.ok();
}

function insert(cx: Context): void {
  const { arena: a, buf, length, reply, start } = cx;
  const after = cx.isToken(2, "after");
  if (!after && !cx.isToken(2, "before")) throw SYNTAX;
  const e = writeList(cx, 1);
  if (e === 0) {
    reply.integer(0);
    return;
  }
  const limits = listLimits(cx);
  // As in Redis, the encoding may change although nothing is inserted.
  listMakeRoom(a, e, length[4], 1, limits);
  searched.set(buf, start[3], length[3]);
  let more = listSeek(a, e, 0, cursor);
  while (more && !cursorEquals(cursor, searched)) more = cursorNext(a, cursor);
  if (more) {
    listInsert(a, e, cursor, after, buf, start[4], length[4], limits);
    cx.changed(1, Event.List, "linsert");
  }
  cursorLeave(a, cursor);
  reply.integer(more ? listLength(a, e) : -1);
}

function remove(cx: Context): void {
  const count = symmetricInteger(cx, 2);
  const e = writeList(cx, 1);
  if (e === 0) {
    cx.reply.integer(0);
    return;
  }
  searched.set(cx.buf, cx.start[3], cx.length[3]);
  const removed = removeMatches(cx, e, count >= 0, count === 0 ? Number.POSITIVE_INFINITY : Math.abs(count));
  if (removed > 0) {
    cx.changed(1, Event.List, "lrem");
    cx.dirty += removed - 1;
    leaveList(cx, e, 1, cx.db.hash);
  }
  cx.reply.integer(removed);
}

/** Deletes up to `most` elements that are the searched one, from one end on. Returns how many. */
function removeMatches(cx: Context, e: Ref, forward: boolean, most: number): number {
  const { arena: a } = cx;
  let removed = 0;
  let more = listSeek(a, e, forward ? 0 : listLength(a, e) - 1, cursor);
  while (more && removed < most) {
    if (cursorEquals(cursor, searched)) {
      removed++;
      more = listDeleteAt(a, e, cursor, forward);
    } else {
      more = forward ? cursorNext(a, cursor) : cursorPrevious(a, cursor);
    }
  }
  cursorLeave(a, cursor);
  return removed;
}

function trim(cx: Context): void {
  const { arena: a } = cx;
  let from = cx.longInteger(2);
  let to = cx.longInteger(3);
  const e = writeList(cx, 1);
  if (e === 0) {
    cx.reply.ok();
    return;
  }
  const size = listLength(a, e);
  if (from < 0) from += size;
  if (to < 0) to += size;
  if (from < 0) from = 0;
  if (to >= size) to = size - 1;
  const kept = from > to ? 0 : to - from + 1;
  cx.changed(1, Event.List, "ltrim");
  cx.dirty += size - kept - 1;
  if (kept === 0) {
    deleteList(cx, e, 1, cx.db.hash);
  } else {
    listDeleteRange(a, e, to + 1, size - to - 1);
    listDeleteRange(a, e, 0, from);
    listShrink(a, e, listLimits(cx));
  }
  cx.reply.ok();
}

export const LIST_CHANGE_COMMANDS = [
  command({
    name: "lset",
    arity: 4,
    flags: Flag.Write | Flag.DenyOom,
    since: "1.0.0",
    group: "list",
    summary: "Puts another element in the place of the one at an index of a list.",
    complexity: "O(N) for a list of N elements; O(1) for the first and the last one.",
    categories: ["list"],
    keys: [oneKey("RW update")],
    syntax: "key:key index:integer element",
    run: set,
  }),
  command({
    name: "linsert",
    arity: 5,
    flags: Flag.Write | Flag.DenyOom,
    since: "2.2.0",
    group: "list",
    summary: "Inserts an element before or after the first one of a list that equals the pivot.",
    complexity: "O(N) for N elements up to the pivot: O(1) at the head, O(N) of the whole list at the tail.",
    categories: ["list"],
    keys: [oneKey("RW insert")],
    syntax: "key:key where=<BEFORE | AFTER> pivot element",
    run: insert,
  }),
  command({
    name: "lrem",
    arity: 4,
    flags: Flag.Write,
    since: "1.0.0",
    group: "list",
    summary: "Removes elements that equal one given from a list; the last one takes the list with it.",
    complexity: "O(N+M) for a list of N elements, M of which are removed.",
    categories: ["list"],
    keys: [oneKey("RW delete")],
    syntax: "key:key count:integer element",
    run: remove,
  }),
  command({
    name: "ltrim",
    arity: 4,
    flags: Flag.Write,
    since: "1.0.0",
    group: "list",
    summary: "Removes all elements of a list that are not between two indexes; the last one takes the list with it.",
    complexity: "O(N) for N elements that are removed.",
    categories: ["list"],
    keys: [oneKey("RW delete")],
    syntax: "key:key start:integer stop:integer",
    run: trim,
  }),
];
