/** What lists answer without changing: LLEN, LINDEX, LRANGE, LPOS. */
import type { Ref } from "../../arena/arena.ts";
import { type Context, command } from "../../engine/context.ts";
import { Flag, oneKey } from "../../engine/spec/spec.ts";
import { ReplyError, SYNTAX } from "../../resp/errors.ts";
import {
  cursorEquals,
  cursorLeave,
  cursorNext,
  cursorPrevious,
  cursorRead,
  QuicklistCursor,
  SearchedElement,
} from "../../struct/quicklist/quicklist-cursor.ts";
import { ListElement, listLength, listSeek } from "../../types/list/list.ts";
import { integerFrom, readList, symmetricInteger, writeElement, writeRange } from "./access.ts";

const RANK_ZERO = new ReplyError(
  "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list",
);
const COUNT_NEGATIVE = new ReplyError("ERR COUNT can't be negative");
const MAXLEN_NEGATIVE = new ReplyError("ERR MAXLEN can't be negative");

const cursor = new QuicklistCursor();
const element = new ListElement();
const searched = new SearchedElement();

function length(cx: Context): void {
  const e = readList(cx, 1);
  cx.reply.integer(e === 0 ? 0 : listLength(cx.arena, e));
}

function index(cx: Context): void {
  const { arena: a, reply } = cx;
  const e = readList(cx, 1);
  if (e === 0) {
    reply.nil();
    return;
  }
  let i = cx.longInteger(2);
  if (i < 0) i += listLength(a, e);
  if (i < 0 || !listSeek(a, e, i, cursor)) {
    reply.nil();
    return;
  }
  cursorRead(cursor, element);
  writeElement(reply, element);
  cursorLeave(a, cursor);
}

function range(cx: Context): void {
  let from = cx.longInteger(2);
  let to = cx.longInteger(3);
  const e = readList(cx, 1);
  const size = e === 0 ? 0 : listLength(cx.arena, e);
  if (from < 0) from += size;
  if (to < 0) to += size;
  if (from < 0) from = 0;
  if (to >= size) to = size - 1;
  if (from > to) cx.reply.array(0);
  else writeRange(cx, e, from, to - from + 1);
}

/** The options of LPOS; `count` is -1 when there is none, 0 for all matches; `lengthMax` 0: the whole list. */
const search = { rank: 1, count: -1, lengthMax: 0 };

function readSearch(cx: Context): void {
  search.rank = 1;
  search.count = -1;
  search.lengthMax = 0;
  for (let i = 3; i < cx.argc; i += 2) {
    if (i + 1 === cx.argc) throw SYNTAX;
    if (cx.isToken(i, "rank")) {
      search.rank = symmetricInteger(cx, i + 1);
      if (search.rank === 0) throw RANK_ZERO;
    } else if (cx.isToken(i, "count")) {
      search.count = integerFrom(cx, i + 1, 0, COUNT_NEGATIVE);
    } else if (cx.isToken(i, "maxlen")) {
      search.lengthMax = integerFrom(cx, i + 1, 0, MAXLEN_NEGATIVE);
    } else {
      throw SYNTAX;
    }
  }
}

function positions(cx: Context): void {
  readSearch(cx);
  const e = readList(cx, 1);
  if (search.count < 0) {
    const found = e === 0 ? 0 : searchList(cx, e, 1);
    if (found === 0) cx.reply.nil();
    return;
  }
  if (e === 0) {
    cx.reply.array(0);
    return;
  }
  const start = cx.reply.beginDeferred();
  cx.reply.endDeferred(start, searchList(cx, e, search.count));
}

/** Answers the positions of up to `most` (0: all) matches from the one with the rank on. Returns how many there were. */
function searchList(cx: Context, e: Ref, most: number): number {
  const { arena: a, reply } = cx;
  const forward = search.rank > 0;
  const size = listLength(a, e);
  let skip = Math.abs(search.rank) - 1;
  let left = search.lengthMax === 0 ? size : search.lengthMax;
  let position = forward ? 0 : size - 1;
  let found = 0;
  searched.set(cx.buf, cx.start[2], cx.length[2]);
  for (let more = listSeek(a, e, position, cursor); more && left > 0; left--) {
    if (cursorEquals(cursor, searched) && skip-- <= 0) {
      reply.integer(position);
      found++;
      if (found === most) break;
    }
    position += forward ? 1 : -1;
    more = forward ? cursorNext(a, cursor) : cursorPrevious(a, cursor);
  }
  cursorLeave(a, cursor);
  return found;
}

export const LIST_READ_COMMANDS = [
  command({
    name: "llen",
    arity: 2,
    flags: Flag.Readonly | Flag.Fast,
    since: "1.0.0",
    group: "list",
    summary: "Answers how many elements a list has.",
    complexity: "O(1)",
    categories: ["list"],
    keys: [oneKey("RO")],
    syntax: "key:key",
    run: length,
  }),
  command({
    name: "lindex",
    arity: 3,
    flags: Flag.Readonly,
    since: "1.0.0",
    group: "list",
    summary: "Answers the element at an index of a list.",
    complexity: "O(N) for N elements between the index and the nearer end: O(1) for the first and the last one.",
    categories: ["list"],
    keys: [oneKey("RO access")],
    syntax: "key:key index:integer",
    run: index,
  }),
  command({
    name: "lrange",
    arity: 4,
    flags: Flag.Readonly,
    since: "1.0.0",
    group: "list",
    summary: "Answers the elements of a list between two indexes.",
    complexity: "O(S+N) for N elements, the first of which is S elements away from the nearer end.",
    categories: ["list"],
    keys: [oneKey("RO access")],
    syntax: "key:key start:integer stop:integer",
    run: range,
  }),
  command({
    name: "lpos",
    arity: -3,
    flags: Flag.Readonly,
    since: "6.0.6",
    group: "list",
    summary: "Answers at which indexes of a list an element is.",
    complexity:
      "O(N) for N elements that are looked at: all of them, or fewer with MAXLEN or a match close to the end.",
    categories: ["list"],
    keys: [oneKey("RO access")],
    syntax: "key:key element [RANK rank:integer] [COUNT num-matches:integer] [MAXLEN len:integer]",
    run: positions,
  }),
];
