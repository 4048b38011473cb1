/** SCARD, SISMEMBER, SMISMEMBER, SMEMBERS and SSCAN. */
import type { Ref } from "../../arena/arena.ts";
import { type Context, command } from "../../engine/context.ts";
import { Flag, oneKey } from "../../engine/spec/spec.ts";
import { dictScan, RefList } from "../../struct/dict/dict.ts";
import { containerRoot } from "../../types/container.ts";
import { Encoding, entryEncoding, Type } from "../../types/entry.ts";
import { setHas, setLength } from "../../types/set/set.ts";
import { readMember } from "../../types/set/set-table.ts";
import { SetWalk, setWalkNext, setWalkStart } from "../../types/set/set-walk.ts";
import { beginLastStep, parseScanOptions, readCursor, scanMatches, scanOptions } from "../generic/scan.ts";
import { readSet, writeMember } from "./access.ts";

const walk = new SetWalk();
const found = new RefList();

function cardinality(cx: Context): void {
  const e = readSet(cx, 1);
  cx.reply.integer(e === 0 ? 0 : setLength(cx.arena, e));
}

function isMember(cx: Context): void {
  const e = readSet(cx, 1);
  cx.reply.integer(e !== 0 && setHas(cx.arena, e, cx.buf, cx.start[2], cx.length[2]) ? 1 : 0);
}

function areMembers(cx: Context): void {
  const e = readSet(cx, 1);
  cx.reply.array(cx.argc - 2);
  for (let i = 2; i < cx.argc; i++)
    cx.reply.integer(e !== 0 && setHas(cx.arena, e, cx.buf, cx.start[i], cx.length[i]) ? 1 : 0);
}

/** Answers all members of a set, or of none (0). */
export function writeAll(cx: Context, e: Ref): void {
  cx.reply.set(e === 0 ? 0 : setLength(cx.arena, e));
  if (e === 0) return;
  setWalkStart(cx.arena, e, walk);
  while (setWalkNext(cx.arena, walk)) writeMember(cx.reply, walk.member);
}

function members(cx: Context): void {
  writeAll(cx, readSet(cx, 1));
}

function scan(cx: Context): void {
  const cursor = readCursor(cx, 2);
  const e = readSet(cx, 1);
  const { reply } = cx;
  if (e === 0) {
    beginLastStep(reply);
    reply.array(0);
    return;
  }
  parseScanOptions(cx, 3, Type.Set);
  if (entryEncoding(cx.arena, e) === Encoding.HashTable) {
    scanTable(cx, e, cursor);
    return;
  }
  // A small set is scanned in one step.
  beginLastStep(reply);
  const start = reply.beginDeferred();
  let count = 0;
  setWalkStart(cx.arena, e, walk);
  while (setWalkNext(cx.arena, walk)) if (writeMatching(cx)) count++;
  reply.endDeferred(start, count);
}

/** Answers the member of `walk` if the pattern matches; true then. */
function writeMatching(cx: Context): boolean {
  const { member } = walk;
  member.text();
  if (!scanMatches(cx, member.buf, member.at, member.length)) return false;
  cx.reply.bulk(member.buf, member.at, member.length);
  return true;
}

/** A step looks at up to this many buckets for each member asked for. */
const BUCKETS_PER_MEMBER = 10;

function scanTable(cx: Context, e: Ref, from: number): void {
  const { arena: a, reply } = cx;
  const dict = containerRoot(a, e);
  const wanted = scanOptions.count;
  found.count = 0;
  let cursor = from;
  let buckets = wanted * BUCKETS_PER_MEMBER;
  do cursor = dictScan(a, dict, cursor, found);
  while (cursor !== 0 && buckets-- > 0 && found.count < wanted);
  reply.array(2);
  reply.bulkText(String(cursor));
  const start = reply.beginDeferred();
  let count = 0;
  for (let i = 0; i < found.count; i++) {
    readMember(a, found.refs[i], walk.member);
    if (writeMatching(cx)) count++;
  }
  reply.endDeferred(start, count);
}

export const SET_READ_COMMANDS = [
  command({
    name: "scard",
    arity: 2,
    flags: Flag.Readonly | Flag.Fast,
    since: "1.0.0",
    group: "set",
    summary: "Answers how many members a set has.",
    complexity: "O(1)",
    categories: ["set"],
    keys: [oneKey("RO")],
    syntax: "key:key",
    run: cardinality,
  }),
  command({
    name: "sismember",
    arity: 3,
    flags: Flag.Readonly | Flag.Fast,
    since: "1.0.0",
    group: "set",
    summary: "Answers whether a set has a member.",
    complexity: "O(1)",
    categories: ["set"],
    keys: [oneKey("RO")],
    syntax: "key:key member",
    run: isMember,
  }),
  command({
    name: "smismember",
    arity: -3,
    flags: Flag.Readonly | Flag.Fast,
    since: "6.2.0",
    group: "set",
    summary: "Answers which of several members a set has.",
    complexity: "O(N) for N members asked for.",
    categories: ["set"],
    keys: [oneKey("RO access")],
    syntax: "key:key member ...",
    run: areMembers,
  }),
  command({
    name: "smembers",
    arity: 2,
    flags: Flag.Readonly,
    since: "1.0.0",
    group: "set",
    summary: "Answers all members of a set.",
    complexity: "O(N) for N members.",
    categories: ["set"],
    keys: [oneKey("RO access")],
    syntax: "key:key",
    tips: ["nondeterministic_output_order"],
    run: members,
  }),
  command({
    name: "sscan",
    arity: -3,
    flags: Flag.Readonly,
    since: "2.8.0",
    group: "set",
    summary: "Answers some members of a set and a cursor with which to go on.",
    complexity: "O(1) a call, O(N) for all N members.",
    categories: ["set"],
    keys: [oneKey("RO access")],
    syntax: "key:key cursor:integer [MATCH pattern:pattern] [COUNT count:integer]",
    tips: ["nondeterministic_output"],
    run: scan,
  }),
];
