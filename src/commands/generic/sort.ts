/**
 * SORT and SORT_RO: the elements of a list, a set or a sorted set in order, as numbers or as text, by themselves or by what other keys say about them,
 * answered or stored as a list.
 */
import type { Ref } from "../../arena/arena.ts";
import { equalsToken } from "../../base/bytes.ts";
import { parseDouble } from "../../base/float.ts";
import { parseSafeInteger } from "../../base/int64.ts";
import { Origin } from "../../engine/client/client.ts";
import { type Context, command } from "../../engine/context.ts";
import { Event } from "../../engine/effects.ts";
import { Flag, type KeyPositions, type KeySpec, oneKey } from "../../engine/spec/spec.ts";
import { ReplyError, SYNTAX, WRONG_TYPE } from "../../resp/errors.ts";
import type { Request } from "../../resp/request.ts";
import { entryType, Type } from "../../types/entry.ts";
import { listCreate, listLength, listMakeRoom, listPush, listSettle } from "../../types/list/list.ts";
import { ByteSpan } from "../../types/string.ts";
import { listLimits } from "../list/access.ts";
import { elementCount, isSortable, readElements } from "./sort-elements.ts";
import { lookUpPattern, SortPattern } from "./sort-pattern.ts";
import { Compare, SortRows } from "./sort-rows.ts";

const NOT_A_DOUBLE = new ReplyError("ERR One or more scores can't be converted into double");

const rows = new SortRows();
const value = new ByteSpan();
const by = new SortPattern();
/** The GET patterns of the command that runs, of which the first `getCount` count. */
const gets: SortPattern[] = [];
let getCount = 0;
/** The options of the command that runs. `store` is an argument, or 0; `keepsOrder`: BY a pattern without a star. */
const options = {
  descending: false,
  alpha: false,
  offset: 0,
  limit: -1,
  store: 0,
  hasBy: false,
  keepsOrder: false,
};
/** The rows that are wanted, from `first` to before `end`. */
const wanted = { first: 0, end: 0 };

// ---- arguments

function readOptions(cx: Context, stores: boolean): void {
  options.descending = false;
  options.alpha = false;
  options.offset = 0;
  options.limit = -1;
  options.store = 0;
  options.hasBy = false;
  options.keepsOrder = false;
  getCount = 0;
  for (let i = 2; i < cx.argc; i++) i = readOption(cx, i, stores);
}

/** Reads the option in argument `i`; returns its last argument. */
function readOption(cx: Context, i: number, stores: boolean): number {
  const { argc, buf, length, start } = cx;
  if (cx.isToken(i, "asc")) {
    options.descending = false;
  } else if (cx.isToken(i, "desc")) {
    options.descending = true;
  } else if (cx.isToken(i, "alpha")) {
    options.alpha = true;
  } else if (i + 2 < argc && cx.isToken(i, "limit")) {
    options.offset = cx.longInteger(i + 1);
    options.limit = cx.longInteger(i + 2);
    return i + 2;
  } else if (stores && i + 1 < argc && cx.isToken(i, "store")) {
    options.store = i + 1;
    return i + 1;
  } else if (i + 1 < argc && cx.isToken(i, "by")) {
    by.parse(buf, start[i + 1], length[i + 1]);
    options.hasBy = true;
    if (!by.hasStar) options.keepsOrder = true;
    return i + 1;
  } else if (i + 1 < argc && cx.isToken(i, "get")) {
    if (getCount === gets.length) gets.push(new SortPattern());
    gets[getCount++].parse(buf, start[i + 1], length[i + 1]);
    return i + 1;
  } else {
    throw SYNTAX;
  }
  return i;
}

/** Sets `wanted` to the rows that LIMIT leaves of `count`. */
function limitRows(count: number): void {
  const { limit, offset } = options;
  const first = Math.min(Math.max(offset, 0), count);
  wanted.first = first;
  wanted.end = limit < 0 ? count : Math.min(first + limit, count);
}

// ---- sorting

/** Fills `rows` with the elements of a value, in the order that is asked for, and `wanted` with those that are. */
function sortElements(cx: Context, e: Ref): void {
  const { arena: a } = cx;
  const isSet = e !== 0 && entryType(a, e) === Type.Set;
  // The order of a set is nobody's: where it would be propagated, or seen by a script, it is made one.
  if (options.keepsOrder && isSet && (options.store !== 0 || cx.client.origin === Origin.Script)) {
    options.keepsOrder = false;
    options.alpha = true;
    options.hasBy = false;
  }
  const count = e === 0 ? 0 : elementCount(a, e);
  limitRows(count);
  if (count === 0) {
    rows.begin(0);
  } else if (options.keepsOrder && !isSet) {
    readElements(a, e, wanted.first, wanted.end - wanted.first, options.descending, rows);
    wanted.end -= wanted.first;
    wanted.first = 0;
  } else {
    readElements(a, e, 0, count, false, rows);
    if (!options.keepsOrder) sortRows(cx);
  }
}

function sortRows(cx: Context): void {
  const { alpha, descending, hasBy } = options;
  if (alpha) {
    if (hasBy) readKeys(cx);
    const text = hasBy ? Compare.Keys : Compare.Elements;
    const whole = hasBy ? Compare.WholeKeys : Compare.WholeElements;
    rows.sort(options.store === 0 ? text : whole, descending);
    return;
  }
  readWeights(cx);
  rows.sort(Compare.Weights, descending);
}

function readKeys(cx: Context): void {
  for (let row = 0; row < rows.count; row++) {
    if (lookUpPattern(cx, by, rows.bytes, rows.at[row], rows.length[row], value))
      rows.setKey(row, value.buf, value.at, value.length);
  }
}

function readWeights(cx: Context): void {
  let valid = true;
  for (let row = 0; row < rows.count; row++) {
    value.buf = rows.bytes;
    value.at = rows.at[row];
    value.length = rows.length[row];
    if (options.hasBy && !lookUpPattern(cx, by, value.buf, value.at, value.length, value)) continue;
    const weight = weightOf(value.buf, value.at, value.length);
    if (Number.isNaN(weight)) valid = false;
    rows.weight[row] = weight;
  }
  if (!valid) throw NOT_A_DOUBLE;
}

/** A number as strtod reads a C string, which may be empty; NaN when it is none or out of range. */
function weightOf(buf: Uint8Array, at: number, length: number): number {
  const whole = parseSafeInteger(buf, at, length);
  if (!Number.isNaN(whole)) return whole;
  let end = at;
  while (end < at + length && buf[end] !== 0) end++;
  if (end === at) return 0;
  let start = at;
  while (start < end && (buf[start] === 32 || (buf[start] >= 9 && buf[start] <= 13))) start++;
  return parseDouble(buf, start, end - start);
}

// ---- results

function answerRows(cx: Context): void {
  const { reply } = cx;
  reply.array((wanted.end - wanted.first) * Math.max(getCount, 1));
  for (let i = wanted.first; i < wanted.end && !reply.overflowed; i++) {
    const row = rows.order[i];
    if (getCount === 0) reply.bulk(rows.bytes, rows.at[row], rows.length[row]);
    for (let g = 0; g < getCount; g++) {
      if (lookUpPattern(cx, gets[g], rows.bytes, rows.at[row], rows.length[row], value))
        reply.bulk(value.buf, value.at, value.length);
      else reply.nil();
    }
  }
}

/** Makes a list of the wanted rows, or of what GET finds for them, for the key in argument `i`; it is in no database. */
function listOfRows(cx: Context, i: number): Ref {
  const e = listCreate(cx.arena, cx.buf, cx.start[i], cx.length[i], cx.engine.keyspace.accessOfNew());
  for (let n = wanted.first; n < wanted.end; n++) {
    const row = rows.order[n];
    if (getCount === 0) append(cx, e, rows.bytes, rows.at[row], rows.length[row]);
    for (let g = 0; g < getCount; g++) {
      const found = lookUpPattern(cx, gets[g], rows.bytes, rows.at[row], rows.length[row], value);
      append(cx, e, value.buf, value.at, found ? value.length : 0);
    }
  }
  listSettle(cx.arena, e, listLimits(cx));
  return e;
}

function append(cx: Context, e: Ref, buf: Uint8Array, at: number, length: number): void {
  const limits = listLimits(cx);
  listMakeRoom(cx.arena, e, length, 1, limits);
  listPush(cx.arena, e, false, buf, at, length, limits);
}

/** Stores the wanted rows under the key of argument `i`; none: the key is deleted. */
function storeRows(cx: Context, i: number): void {
  const { arena: a, db, engine } = cx;
  const lazy = engine.config.values.lazyfreeLazyServerDel;
  if (wanted.first >= wanted.end) {
    const old = db.lookup(cx.buf, cx.start[i], cx.length[i]);
    if (old !== 0) {
      db.remove(old, db.hash, lazy);
      cx.changed(i, Event.Generic, "del");
    }
    cx.reply.integer(0);
    return;
  }
  const result = listOfRows(cx, i);
  const count = listLength(a, result);
  const old = cx.lookupWrite(i);
  if (engine.notifyMask !== 0) announce(cx, i, old);
  if (old !== 0) db.remove(old, db.hash, lazy);
  db.insert(result, db.hash);
  cx.changed(i, Event.List, "sortstore");
  cx.dirty += count - 1;
  cx.reply.integer(count);
}

/** Events that precede that of storing: the key is new, or its value is replaced as a whole, perhaps by one of another type. */
function announce(cx: Context, i: number, old: Ref): void {
  if (old === 0) {
    cx.notify(i, Event.New, "new");
    return;
  }
  cx.notify(i, Event.Overwritten, "overwritten");
  if (entryType(cx.arena, old) !== Type.List) cx.notify(i, Event.TypeChanged, "type_changed");
}

function sort(cx: Context, stores: boolean): void {
  readOptions(cx, stores);
  const e = cx.lookupRead(1);
  if (e !== 0 && !isSortable(entryType(cx.arena, e))) throw WRONG_TYPE;
  sortElements(cx, e);
  if (options.store === 0) answerRows(cx);
  else storeRows(cx, options.store);
}

// ---- metadata

/** The sorted key, and the target of the last STORE among the options. */
function sortKeys(request: Request, out: KeyPositions): boolean {
  const { buf, count, length, start } = request;
  const is = (i: number, token: string): boolean => equalsToken(buf, start[i], length[i], token);
  let store = 0;
  for (let i = 2; i < count; i++) {
    if (is(i, "limit")) i += 2;
    else if (is(i, "get") || is(i, "by")) i++;
    else if (is(i, "store") && i + 1 < count) store = i + 1;
  }
  out.indexes.push(1);
  out.flags.push("RO access");
  if (store !== 0) {
    out.indexes.push(store);
    out.flags.push("OW update");
  }
  return true;
}

function sortedKey(_request: Request, out: KeyPositions): boolean {
  out.indexes.push(1);
  out.flags.push("RO access");
  return true;
}

const PATTERN_KEYS: KeySpec = {
  flags: "RO access",
  notes:
    "For the optional BY/GET keyword. It is marked 'unknown' because the key names derive from the content of the key we sort",
  begin: "unknown",
  find: "unknown",
};
const STORE_KEY: KeySpec = {
  flags: "OW update",
  notes:
    "For the optional STORE keyword. It is marked 'unknown' because the keyword can appear anywhere in the argument array",
  begin: "unknown",
  find: "unknown",
};
const SYNTAX_LINE =
  "key:key [BY by-pattern:pattern#1(pattern)] [LIMIT limit=<offset:integer count:integer>] [<GET get-pattern:pattern#1(pattern)> ...] order=[ASC | DESC] [sorting=ALPHA]";
const SORTS = {
  arity: -2,
  group: "generic",
  complexity: "O(N+M*log(M)) for N elements and M that are answered; O(N) when they keep their order.",
  categories: ["set", "sortedset", "list", "dangerous"],
} as const;

export const SORT_COMMANDS = [
  command({
    ...SORTS,
    name: "sort",
    flags: Flag.Write | Flag.DenyOom,
    since: "1.0.0",
    summary: "Answers the elements of a list, a set or a sorted set in order, or stores them as a list.",
    keys: [oneKey("RO access"), PATTERN_KEYS, STORE_KEY],
    getKeys: sortKeys,
    syntax: `${SYNTAX_LINE} [STORE destination:key#2]`,
    run: (cx) => sort(cx, true),
  }),
  command({
    ...SORTS,
    name: "sort_ro",
    flags: Flag.Readonly,
    since: "7.0.0",
    summary: "Answers the elements of a list, a set or a sorted set in order, and never stores anything.",
    keys: [oneKey("RO access"), PATTERN_KEYS],
    getKeys: sortedKey,
    syntax: SYNTAX_LINE,
    run: (cx) => sort(cx, false),
  }),
];
