/** ZADD, ZINCRBY, ZREM and ZREMRANGEBY*. */
import type { Ref } from "../../arena/arena.ts";
import { parseDouble } from "../../base/float.ts";
import { type Context, command } from "../../engine/context.ts";
import { Event } from "../../engine/effects.ts";
import { Flag, oneKey } from "../../engine/spec/spec.ts";
import { NOT_A_FLOAT, ReplyError, SYNTAX } from "../../resp/errors.ts";
import {
  Add,
  Added,
  latest,
  zsetAdd,
  zsetEncodingFor,
  zsetMakeRoom,
  zsetRemove,
  zsetRemoveRanks,
} from "../../types/zset/zset.ts";
import { zsetLength } from "../../types/zset/zset-length.ts";
import { ranks, ranksOfBytes, ranksOfScores } from "../../types/zset/zset-range.ts";
import { leaveZset, newZset, writeScore, writeZset, zsetLimits } from "./access.ts";
import { bytesRange, readBytesRange, readScoreRange, scoreRange, setRanks } from "./limits.ts";

const NX_AND_XX = new ReplyError("ERR XX and NX options at the same time are not compatible");
const CONDITIONS = new ReplyError("ERR GT, LT, and/or NX options at the same time are not compatible");
const ONE_INCREMENT = new ReplyError("ERR INCR option supports a single increment-element pair");
const NOT_A_NUMBER = new ReplyError("ERR resulting score is not a number (NaN)");

/** Bits beside those of zsetAdd: CH. */
const CHANGES = 1 << 16;

/** The options that readAddOptions found: bits of Add, and whether CH was among them. */
export const addOptions = { bits: 0 };

/** The scores that are about to be added. */
let scores = new Float64Array(64);

/** An array with room for so many scores: addScored() takes them from there. */
export function scoreSlots(count: number): Float64Array {
  if (scores.length < count) scores = new Float64Array(count * 2);
  return scores;
}

/** Reads the options from argument 2 on; `all`: also those that only ZADD has. Returns the index of the first argument that is no option. */
export function readAddOptions(cx: Context, all: boolean): number {
  addOptions.bits = 0;
  let i = 2;
  for (; i < cx.argc; i++) {
    // Numbers do not begin with a letter, save for the odd infinity.
    if (cx.length[i] === 0 || cx.buf[cx.start[i]] < 65) break;
    let option = commonOption(cx, i);
    if (option === 0 && all) option = scoreOption(cx, i);
    if (option === 0) break;
    addOptions.bits |= option;
  }
  return i;
}

function commonOption(cx: Context, i: number): number {
  if (cx.isToken(i, "nx")) return Add.New;
  if (cx.isToken(i, "xx")) return Add.Existing;
  return cx.isToken(i, "ch") ? CHANGES : 0;
}

function scoreOption(cx: Context, i: number): number {
  if (cx.isToken(i, "gt")) return Add.Greater;
  if (cx.isToken(i, "lt")) return Add.Less;
  return cx.isToken(i, "incr") ? Add.Increment : 0;
}

/** Checks that the options go together, with `count` pairs of score and member. */
function checkOptions(count: number): void {
  const { bits } = addOptions;
  if ((bits & Add.New) !== 0 && (bits & Add.Existing) !== 0) throw NX_AND_XX;
  const conditions = bits & (Add.New | Add.Greater | Add.Less);
  if ((conditions & (conditions - 1)) !== 0) throw CONDITIONS;
  if ((bits & Add.Increment) !== 0 && count > 1) throw ONE_INCREMENT;
}

/**
 * Adds `count` members with the scores of scoreSlots(), as addOptions say, to the set of argument 1, and answers. The members are argument `first`, and every
 * `step`-th behind it.
 */
export function addScored(cx: Context, count: number, first: number, step: number): void {
  const { arena: a, buf, length, reply, start } = cx;
  const { bits } = addOptions;
  const isIncrement = (bits & Add.Increment) !== 0;
  const limits = zsetLimits(cx);
  let e = writeZset(cx, 1);
  if (e !== 0) {
    zsetMakeRoom(a, e, count, limits);
  } else if ((bits & Add.Existing) === 0) {
    e = newZset(cx, 1, zsetEncodingFor(count, length[first], limits));
  } else {
    if (isIncrement) reply.nil();
    else reply.integer(0);
    return;
  }
  let added = 0;
  let changed = 0;
  let result: number = Added.Nothing;
  for (let i = 0, arg = first; i < count; i++, arg += step) {
    result = zsetAdd(a, e, buf, start[arg], length[arg], scores[i], bits, limits);
    if (result === Added.New) added++;
    else if (result === Added.Changed) changed++;
  }
  // Only a lone increment can fail, and then has changed nothing.
  if (result === Added.NotANumber) throw NOT_A_NUMBER;
  if (added + changed > 0) {
    cx.changed(1, Event.Zset, isIncrement ? "zincr" : "zadd");
    cx.dirty += added + changed - 1;
  }
  if (!isIncrement) reply.integer((bits & CHANGES) !== 0 ? added + changed : added);
  else if (result === Added.Nothing) reply.nil();
  else writeScore(reply, latest.score);
}

/** Argument `i` as a double that is a number. */
function readScore(cx: Context, i: number): number {
  const score = parseDouble(cx.buf, cx.start[i], cx.length[i]);
  if (Number.isNaN(score)) throw NOT_A_FLOAT;
  return score;
}

function add(cx: Context): void {
  const first = readAddOptions(cx, true);
  const rest = cx.argc - first;
  if (rest === 0 || (rest & 1) !== 0) throw SYNTAX;
  const count = rest >> 1;
  checkOptions(count);
  const slots = scoreSlots(count);
  for (let i = 0; i < count; i++) slots[i] = readScore(cx, first + i * 2);
  addScored(cx, count, first + 1, 2);
}

function increment(cx: Context): void {
  addOptions.bits = Add.Increment;
  scoreSlots(1)[0] = readScore(cx, 2);
  addScored(cx, 1, 3, 2);
}

function remove(cx: Context): void {
  const e = writeZset(cx, 1);
  if (e === 0) {
    cx.reply.integer(0);
    return;
  }
  const { arena: a, argc, buf, length, start } = cx;
  let removed = 0;
  for (let i = 2; i < argc; i++) {
    if (!zsetRemove(a, e, buf, start[i], length[i])) continue;
    removed++;
    if (zsetLength(a, e) === 0) break;
  }
  if (removed > 0) {
    cx.changed(1, Event.Zset, "zrem");
    cx.dirty += removed - 1;
    leaveZset(cx, e, 1, cx.db.hash);
  }
  cx.reply.integer(removed);
}

/** Removes the ranks of the set `e` of argument 1 and answers their number. */
function removeRanks(cx: Context, e: Ref, event: string): void {
  const count = ranks.to - ranks.from;
  if (count > 0) {
    zsetRemoveRanks(cx.arena, e, ranks.from, count);
    cx.changed(1, Event.Zset, event);
    cx.dirty += count - 1;
    leaveZset(cx, e, 1, cx.db.hash);
  }
  cx.reply.integer(count);
}

function removeByRank(cx: Context): void {
  const first = cx.longInteger(2);
  const last = cx.longInteger(3);
  const e = writeZset(cx, 1);
  setRanks(first, last, e === 0 ? 0 : zsetLength(cx.arena, e));
  removeRanks(cx, e, "zremrangebyrank");
}

function removeByScore(cx: Context): void {
  readScoreRange(cx, 2, 3);
  const e = writeZset(cx, 1);
  if (e === 0) setRanks(0, -1, 0);
  else ranksOfScores(cx.arena, e, scoreRange);
  removeRanks(cx, e, "zremrangebyscore");
}

function removeByBytes(cx: Context): void {
  readBytesRange(cx, 2, 3);
  const e = writeZset(cx, 1);
  if (e === 0) setRanks(0, -1, 0);
  else ranksOfBytes(cx.arena, e, bytesRange, false);
  removeRanks(cx, e, "zremrangebylex");
}

const WRITES = { since: "1.2.0", group: "sorted-set", categories: ["sortedset"] } as const;

export const ZSET_WRITE_COMMANDS = [
  command({
    ...WRITES,
    name: "zadd",
    arity: -4,
    flags: Flag.Write | Flag.DenyOom | Flag.Fast,
    summary: "Adds members to a sorted set, which is made if there is none, or gives them other scores.",
    complexity: "O(log(N)) a member, for N members of the set.",
    keys: [oneKey("RW update")],
    syntax:
      "key:key condition=[NX | XX]@3.0.2 comparison=[GT | LT]@6.2.0 [change=CH@3.0.2] [increment=INCR@3.0.2] data=<score:double member> ...",
    history: [
      ["2.4.0", "More than one member."],
      ["3.0.2", "Options `XX`, `NX`, `CH` and `INCR`."],
      ["6.2.0", "Options `GT` and `LT`."],
    ],
    run: add,
  }),
  command({
    ...WRITES,
    name: "zincrby",
    arity: 4,
    flags: Flag.Write | Flag.DenyOom | Flag.Fast,
    summary: "Adds to the score of a member, which is made if there is none.",
    complexity: "O(log(N)) for N members.",
    keys: [oneKey("RW access update")],
    syntax: "key:key increment:integer member",
    run: increment,
  }),
  command({
    ...WRITES,
    name: "zrem",
    arity: -3,
    flags: Flag.Write | Flag.Fast,
    summary: "Removes members from a sorted set; the last one takes the set with it.",
    complexity: "O(M*log(N)) for M members to remove and N in the set.",
    keys: [oneKey("RW delete")],
    syntax: "key:key member ...",
    history: [["2.4.0", "More than one member."]],
    run: remove,
  }),
  command({
    ...WRITES,
    name: "zremrangebyrank",
    arity: 4,
    flags: Flag.Write,
    since: "2.0.0",
    summary: "Removes the members in a range of ranks.",
    complexity: "O(log(N)+M) for N members and M that are removed.",
    keys: [oneKey("RW delete")],
    syntax: "key:key start:integer stop:integer",
    run: removeByRank,
  }),
  command({
    ...WRITES,
    name: "zremrangebyscore",
    arity: 4,
    flags: Flag.Write,
    summary: "Removes the members in a range of scores.",
    complexity: "O(log(N)+M) for N members and M that are removed.",
    keys: [oneKey("RW delete")],
    syntax: "key:key min:double max:double",
    run: removeByScore,
  }),
  command({
    ...WRITES,
    name: "zremrangebylex",
    arity: 4,
    flags: Flag.Write,
    since: "2.8.9",
    summary: "Removes the members in a range of names, where all scores are equal.",
    complexity: "O(log(N)+M) for N members and M that are removed.",
    keys: [oneKey("RW delete")],
    syntax: "key:key min max",
    run: removeByBytes,
  }),
];
