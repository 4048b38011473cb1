/** APPEND, SETRANGE, GETRANGE and STRLEN: parts of a value. */

import type { Ref } from "../../arena/arena.ts";
import { parseInt64, parseSafeInteger } from "../../base/int64.ts";
import { type Context, command } from "../../engine/context.ts";
import { Event } from "../../engine/effects.ts";
import { Flag, oneKey } from "../../engine/spec/spec.ts";
import { NO_EXPIRY } from "../../keyspace/database.ts";
import { NOT_AN_INTEGER, ReplyError } from "../../resp/errors.ts";
import { entryHasExpiry, Type } from "../../types/entry.ts";
import { ByteSpan, readString, stringGrow, stringLength, stringWrite } from "../../types/string.ts";
import { announceNew, checkStringLength } from "./store.ts";

const OFFSET_OUT_OF_RANGE = new ReplyError("ERR offset is out of range");
const EMPTY = new Uint8Array(0);

const span = new ByteSpan();

/** Argument `i` as any int64, rounded to a number when it is not safe: good enough for what is clamped afterwards. */
export function position(cx: Context, i: number): number {
  const n = parseSafeInteger(cx.buf, cx.start[i], cx.length[i]);
  if (!Number.isNaN(n)) return n;
  const big = parseInt64(cx.buf, cx.start[i], cx.length[i]);
  if (big === null) throw NOT_AN_INTEGER;
  return Number(big);
}

/** Whether two negative positions, read from arguments 2 and 3, are in the wrong order: exactly, even where rounding made them equal. */
export function isReversed(cx: Context, start: number, end: number): boolean {
  if (start !== end || Number.isSafeInteger(start)) return start > end;
  return cx.bigInteger(2) > cx.bigInteger(3);
}

/** Writes argument `valueArg` at `offset` of a string, which becomes raw and is `total` bytes long afterwards. */
function writeAt(cx: Context, e: Ref, offset: number, valueArg: number, total: number): void {
  const hash = cx.db.hash;
  const grown = stringGrow(cx.arena, e, total, entryHasExpiry(cx.arena, e));
  cx.db.replaceBlock(e, grown, hash);
  stringWrite(cx.arena, grown, offset, cx.buf, cx.start[valueArg], cx.length[valueArg]);
}

function append(cx: Context): void {
  const e = cx.lookupWrite(1);
  cx.requireType(e, Type.String);
  let total = cx.length[2];
  if (e === 0) {
    announceNew(cx, 1);
    const { buf, start, length, request } = cx;
    cx.db.putString(0, buf, start[1], length[1], buf, start[2], length[2], NO_EXPIRY, request.owned);
  } else {
    const old = stringLength(cx.arena, e);
    total += old;
    checkStringLength(cx, total);
    writeAt(cx, e, old, 2, total);
  }
  cx.changed(1, Event.String, "append");
  cx.reply.integer(total);
}

function setRange(cx: Context): void {
  const offset = position(cx, 2);
  if (offset < 0) throw OFFSET_OUT_OF_RANGE;
  const size = cx.length[3];
  const e = cx.lookupWrite(1);
  cx.requireType(e, Type.String);
  const old = e === 0 ? 0 : stringLength(cx.arena, e);
  if (size === 0) {
    cx.reply.integer(old);
    return;
  }
  checkStringLength(cx, offset + size);
  let target = e;
  if (e === 0) {
    announceNew(cx, 1);
    target = cx.db.putString(0, cx.buf, cx.start[1], cx.length[1], EMPTY, 0, 0, NO_EXPIRY, false);
  }
  const total = Math.max(old, offset + size);
  writeAt(cx, target, offset, 3, total);
  cx.changed(1, Event.String, "setrange");
  cx.reply.integer(total);
}

function getRange(cx: Context): void {
  let start = position(cx, 2);
  let end = position(cx, 3);
  const e = cx.lookupRead(1);
  cx.requireType(e, Type.String);
  if (e === 0 || (start < 0 && end < 0 && isReversed(cx, start, end))) {
    cx.reply.bulk(EMPTY, 0, 0);
    return;
  }
  readString(cx.arena, e, span);
  if (start < 0) start = Math.max(0, span.length + start);
  if (end < 0) end = Math.max(0, span.length + end);
  if (end >= span.length) end = span.length - 1;
  if (start > end) cx.reply.bulk(EMPTY, 0, 0);
  else cx.reply.bulk(span.buf, span.at + start, end - start + 1);
}

export const RANGE_COMMANDS = [
  command({
    name: "append",
    arity: 3,
    flags: Flag.Write | Flag.DenyOom | Flag.Fast,
    since: "2.0.0",
    group: "string",
    summary: "Appends to the string that a key holds; creates the key when it does not exist.",
    complexity: "O(1), amortised over many appends of small values.",
    categories: ["string"],
    keys: [oneKey("RW insert")],
    syntax: "key:key value",
    run: append,
  }),
  command({
    name: "setrange",
    arity: 4,
    flags: Flag.Write | Flag.DenyOom,
    since: "2.2.0",
    group: "string",
    summary: "Overwrites a string from an offset on, after padding it with zero bytes up to there.",
    complexity: "O(M) where M is the length of the value; O(1) for a short one.",
    categories: ["string"],
    keys: [oneKey("RW update")],
    syntax: "key:key offset:integer value",
    run: setRange,
  }),
  command({
    name: "getrange",
    arity: 4,
    flags: Flag.Readonly,
    since: "2.4.0",
    group: "string",
    summary: "Answers a part of the string that a key holds.",
    complexity: "O(N) where N is the length of the answer.",
    categories: ["string"],
    keys: [oneKey("RO access")],
    syntax: "key:key start:integer end:integer",
    run: getRange,
  }),
  command({
    name: "substr",
    arity: 4,
    flags: Flag.Readonly,
    since: "1.0.0",
    group: "string",
    summary: "Answers a part of the string that a key holds: the old name of GETRANGE.",
    complexity: "O(N) where N is the length of the answer.",
    categories: ["string"],
    keys: [oneKey("RO access")],
    syntax: "key:key start:integer end:integer",
    deprecatedSince: "2.0.0",
    replacedBy: "`GETRANGE`",
    docFlags: ["deprecated"],
    run: getRange,
  }),
  command({
    name: "strlen",
    arity: 2,
    flags: Flag.Readonly | Flag.Fast,
    since: "2.2.0",
    group: "string",
    summary: "Answers the length in bytes of the string that a key holds.",
    complexity: "O(1)",
    categories: ["string"],
    keys: [oneKey("RO")],
    syntax: "key:key",
    run(cx) {
      const e = cx.lookupRead(1);
      cx.requireType(e, Type.String);
      cx.reply.integer(e === 0 ? 0 : stringLength(cx.arena, e));
    },
  }),
];
