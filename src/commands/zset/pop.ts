/** Taking the first or last members away: ZPOPMIN, ZPOPMAX, ZMPOP, and those that wait for members: BZPOPMIN, BZPOPMAX, BZMPOP. */
import type { Ref } from "../../arena/arena.ts";
import { parseSafeInteger } from "../../base/int64.ts";
import { type Context, command } from "../../engine/context.ts";
import { Event } from "../../engine/effects.ts";
import { countedKeys, Flag, type KeyPositions, type KeySpec, oneKey } from "../../engine/spec/spec.ts";
import { NOT_POSITIVE, ReplyError, SYNTAX } from "../../resp/errors.ts";
import type { Request } from "../../resp/request.ts";
import type { ReplyWriter } from "../../resp/writer.ts";
import { Type } from "../../types/entry.ts";
import { zsetRemoveRanks } from "../../types/zset/zset.ts";
import { zsetLength } from "../../types/zset/zset-length.ts";
import { ZsetWalk, zsetWalkNext, zsetWalkPrevious, zsetWalkStart } from "../../types/zset/zset-walk.ts";
import { leaveZset, writeMember, writeScore, writeZset } from "./access.ts";

const NUMKEYS = new ReplyError("ERR numkeys should be greater than 0");
const COUNT = new ReplyError("ERR count should be greater than 0");

const walk = new ZsetWalk();

/** Takes `count` members, which are there, from one end of the set of argument `i`, whose key was just looked up, and answers them, in arrays of their own or not. */
function popMembers(cx: Context, e: Ref, i: number, count: number, isMax: boolean, inPairs: boolean): void {
  const { arena: a, reply } = cx;
  const { hash } = cx.db;
  const length = zsetLength(a, e);
  zsetWalkStart(a, e, walk, isMax ? length - 1 : 0);
  for (let left = count; ; ) {
    if (inPairs) reply.array(2);
    writeMember(reply, walk.member);
    writeScore(reply, walk.score);
    if (--left === 0) break;
    if (isMax) zsetWalkPrevious(a, walk);
    else zsetWalkNext(a, walk);
  }
  zsetRemoveRanks(a, e, isMax ? length - count : 0, count);
  cx.changed(i, Event.Zset, isMax ? "zpopmax" : "zpopmin");
  cx.dirty += count - 1;
  leaveZset(cx, e, i, hash);
}

/** ZPOPMIN and ZPOPMAX. */
function pop(cx: Context, isMax: boolean): void {
  if (cx.argc > 3) throw SYNTAX;
  const hasCount = cx.argc === 3;
  const count = hasCount ? cx.longInteger(2, NOT_POSITIVE) : 1;
  if (count < 0) throw NOT_POSITIVE;
  const e = writeZset(cx, 1);
  if (e === 0 || count === 0) {
    cx.reply.array(0);
    return;
  }
  const { reply } = cx;
  const popped = Math.min(count, zsetLength(cx.arena, e));
  const inPairs = hasCount && reply.resp3;
  reply.array(inPairs ? popped : popped * 2);
  popMembers(cx, e, 1, popped, isMax, inPairs);
}

/** The argument with the first key that exists, 0 when there is none; its set is `candidate`. */
let candidate: Ref = 0;

function findCandidate(cx: Context, first: number, end: number): number {
  for (let i = first; i < end; i++) {
    candidate = writeZset(cx, i);
    if (candidate !== 0) return i;
  }
  return 0;
}

function writeNone(reply: ReplyWriter): void {
  reply.nilArray();
}

/** Waits for one of the keys from argument `first` to before `end`. */
function wait(cx: Context, first: number, end: number, timeoutMs: number): void {
  cx.park({ firstKey: first, keyCount: end - first, type: Type.Zset, timeoutMs, onTimeout: writeNone });
}

/** BZPOPMIN and BZPOPMAX. */
function popOrWait(cx: Context, isMax: boolean): void {
  const timeoutMs = cx.timeoutSeconds(cx.argc - 1);
  const i = findCandidate(cx, 1, cx.argc - 1);
  if (i === 0) {
    wait(cx, 1, cx.argc - 1, timeoutMs);
    return;
  }
  cx.reply.array(3);
  cx.reply.bulk(cx.buf, cx.start[i], cx.length[i]);
  popMembers(cx, candidate, i, 1, isMax, false);
  if (cx.propagates) cx.propagateAs([isMax ? "ZPOPMAX" : "ZPOPMIN", cx.bytes(i)]);
}

/** ZMPOP and BZMPOP, whose number of keys is argument `counter`. */
function popFromAny(cx: Context, counter: number, waits: boolean): void {
  const keyCount = cx.longInteger(counter, NUMKEYS);
  if (keyCount < 1) throw NUMKEYS;
  const first = counter + 1;
  const where = first + keyCount;
  if (where >= cx.argc) throw SYNTAX;
  const isMax = cx.isToken(where, "max");
  if (!isMax && !cx.isToken(where, "min")) throw SYNTAX;
  const count = readCount(cx, where + 1);
  const timeoutMs = waits ? cx.timeoutSeconds(1) : 0;
  const i = findCandidate(cx, first, where);
  if (i === 0) {
    if (waits) wait(cx, first, where, timeoutMs);
    else cx.reply.nilArray();
    return;
  }
  const { reply } = cx;
  const popped = Math.min(count, zsetLength(cx.arena, candidate));
  reply.array(2);
  reply.bulk(cx.buf, cx.start[i], cx.length[i]);
  reply.array(popped);
  popMembers(cx, candidate, i, popped, isMax, true);
  if (cx.propagates) cx.propagateAs([isMax ? "ZPOPMAX" : "ZPOPMIN", cx.bytes(i), String(popped)]);
}

/** The COUNT option, which alone may stand from argument `i` on; 1 when there is none. */
function readCount(cx: Context, i: number): number {
  if (i === cx.argc) return 1;
  if (i + 1 === cx.argc || !cx.isToken(i, "count")) throw SYNTAX;
  const count = cx.longInteger(i + 1, COUNT);
  if (count < 1) throw COUNT;
  if (i + 2 < cx.argc) throw SYNTAX;
  return count;
}

/** Finds the counted keys of a request: their number is argument `counter`. */
export function countedKeyPositions(request: Request, out: KeyPositions, counter: number, flags: string): boolean {
  const count = parseSafeInteger(request.buf, request.start[counter], request.length[counter]);
  if (!(count >= 1 && counter + count < request.count)) return false;
  for (let i = counter + 1; i <= counter + count; i++) {
    out.indexes.push(i);
    out.flags.push(flags);
  }
  return true;
}

const POPS = { group: "sorted-set", categories: ["sortedset"] } as const;
const TAKES = "RW access delete";
const ALL_BUT_LAST: KeySpec = { flags: TAKES, begin: { index: 1 }, find: { lastKey: -2, step: 1, limit: 0 } };
const ONE_KEY = "O(M*log(N)) for N members and M that are taken.";
const MANY_KEYS = "O(K+M*log(N)) for K keys, N members and M that are taken.";

export const ZSET_POP_COMMANDS = [
  command({
    ...POPS,
    name: "zpopmin",
    arity: -2,
    flags: Flag.Write | Flag.Fast,
    since: "5.0.0",
    summary: "Takes the members with the lowest scores away and answers them.",
    complexity: ONE_KEY,
    keys: [oneKey(TAKES)],
    syntax: "key:key [count:integer]",
    run: (cx) => pop(cx, false),
  }),
  command({
    ...POPS,
    name: "zpopmax",
    arity: -2,
    flags: Flag.Write | Flag.Fast,
    since: "5.0.0",
    summary: "Takes the members with the highest scores away and answers them.",
    complexity: ONE_KEY,
    keys: [oneKey(TAKES)],
    syntax: "key:key [count:integer]",
    run: (cx) => pop(cx, true),
  }),
  command({
    ...POPS,
    name: "zmpop",
    arity: -4,
    flags: Flag.Write,
    since: "7.0.0",
    summary: "Takes members from the first of several sorted sets that has some.",
    complexity: MANY_KEYS,
    keys: [countedKeys(TAKES, 1)],
    getKeys: (request, out) => countedKeyPositions(request, out, 1, TAKES),
    syntax: "numkeys:integer key:key ... where=<MIN | MAX> [COUNT count:integer]",
    run: (cx) => popFromAny(cx, 1, false),
  }),
  command({
    ...POPS,
    name: "bzpopmin",
    arity: -3,
    flags: Flag.Write | Flag.Fast | Flag.Blocking,
    since: "5.0.0",
    summary:
      "Takes the member with the lowest score from the first of several sorted sets that has one, or waits for it.",
    complexity: "O(log(N)) for N members.",
    keys: [ALL_BUT_LAST],
    syntax: "key:key ... timeout:double",
    history: [["6.0.0", "The timeout may be a fraction."]],
    run: (cx) => popOrWait(cx, false),
  }),
  command({
    ...POPS,
    name: "bzpopmax",
    arity: -3,
    flags: Flag.Write | Flag.Fast | Flag.Blocking,
    since: "5.0.0",
    summary:
      "Takes the member with the highest score from the first of several sorted sets that has one, or waits for it.",
    complexity: "O(log(N)) for N members.",
    keys: [ALL_BUT_LAST],
    syntax: "key:key ... timeout:double",
    history: [["6.0.0", "The timeout may be a fraction."]],
    run: (cx) => popOrWait(cx, true),
  }),
  command({
    ...POPS,
    name: "bzmpop",
    arity: -5,
    flags: Flag.Write | Flag.Blocking,
    since: "7.0.0",
    summary: "Takes members from the first of several sorted sets that has some, or waits for them.",
    complexity: MANY_KEYS,
    keys: [countedKeys(TAKES, 2)],
    getKeys: (request, out) => countedKeyPositions(request, out, 2, TAKES),
    syntax: "timeout:double numkeys:integer key:key ... where=<MIN | MAX> [COUNT count:integer]",
    run: (cx) => popFromAny(cx, 2, true),
  }),
];
