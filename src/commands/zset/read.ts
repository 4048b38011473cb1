/** ZCARD, ZSCORE, ZMSCORE, ZRANK, ZREVRANK and ZSCAN. */
import type { Ref } from "../../arena/arena.ts";
import { formatGeneral } from "../../base/float-printf.ts";
import { type Context, command } from "../../engine/context.ts";
import { Flag, oneKey } from "../../engine/spec/spec.ts";
import { SYNTAX, wrongArity } from "../../resp/errors.ts";
import { dictScan, RefList } from "../../struct/dict/dict.ts";
import { memberScore } from "../../struct/scored-member.ts";
import { containerRoot } from "../../types/container.ts";
import { Encoding, entryEncoding, Type } from "../../types/entry.ts";
import { latest, zsetRank, zsetScore } from "../../types/zset/zset.ts";
import { zsetLength } from "../../types/zset/zset-length.ts";
import { readMember, ZsetWalk, zsetWalkNext, zsetWalkStart } from "../../types/zset/zset-walk.ts";
import { beginLastStep, parseScanOptions, readCursor, scanMatches, scanOptions } from "../generic/scan.ts";
import { readZset, writeScore } from "./access.ts";

const walk = new ZsetWalk();
const found = new RefList();

function cardinality(cx: Context): void {
  const e = readZset(cx, 1);
  cx.reply.integer(e === 0 ? 0 : zsetLength(cx.arena, e));
}

/** Answers the score of the member in argument `i`, or nil. */
function writeScoreOf(cx: Context, e: Ref, i: number): void {
  const score = e === 0 ? Number.NaN : zsetScore(cx.arena, e, cx.buf, cx.start[i], cx.length[i]);
  if (Number.isNaN(score)) cx.reply.nil();
  else writeScore(cx.reply, score);
}

function scoreOne(cx: Context): void {
  writeScoreOf(cx, readZset(cx, 1), 2);
}

function scoreMany(cx: Context): void {
  const e = readZset(cx, 1);
  cx.reply.array(cx.argc - 2);
  for (let i = 2; i < cx.argc; i++) writeScoreOf(cx, e, i);
}

function rank(cx: Context, isReverse: boolean): void {
  if (cx.argc > 4) throw wrongArity(cx.spec.fullName);
  const withScore = cx.argc === 4;
  if (withScore && !cx.isToken(3, "withscore")) throw SYNTAX;
  const { arena: a, reply } = cx;
  const e = readZset(cx, 1);
  const found = e === 0 ? -1 : zsetRank(a, e, cx.buf, cx.start[2], cx.length[2]);
  if (found < 0) {
    if (withScore) reply.nilArray();
    else reply.nil();
    return;
  }
  if (withScore) reply.array(2);
  reply.integer(isReverse ? zsetLength(a, e) - 1 - found : found);
  if (withScore) writeScore(reply, latest.score);
}

function scan(cx: Context): void {
  const cursor = readCursor(cx, 2);
  const e = readZset(cx, 1);
  const { reply } = cx;
  if (e === 0) {
    beginLastStep(reply);
    reply.array(0);
    return;
  }
  parseScanOptions(cx, 3, Type.Zset);
  if (entryEncoding(cx.arena, e) === Encoding.Skiplist) {
    scanTable(cx, e, cursor);
    return;
  }
  // A small set is scanned in one step.
  beginLastStep(reply);
  const start = reply.beginDeferred();
  let count = 0;
  if (zsetWalkStart(cx.arena, e, walk, 0)) {
    do count += writeMatching(cx);
    while (zsetWalkNext(cx.arena, walk));
  }
  reply.endDeferred(start, count);
}

/** Answers the member of `walk` and its score if the pattern matches. Returns the number of replies. */
function writeMatching(cx: Context): number {
  const { member } = walk;
  member.text();
  if (!scanMatches(cx, member.buf, member.at, member.length)) return 0;
  cx.reply.bulk(member.buf, member.at, member.length);
  if (scanOptions.namesOnly) return 1;
  // As in Redis: a listpack has the text of the score, a large set prints all digits.
  if (walk.isListpack) writeScoreText(cx, walk.score);
  else cx.reply.bulkText(formatGeneral(walk.score));
  return 2;
}

/** Answers a score as a bulk string in both protocols. */
function writeScoreText(cx: Context, score: number): void {
  const { reply } = cx;
  const { resp3 } = reply;
  reply.resp3 = false;
  writeScore(reply, score);
  reply.resp3 = resp3;
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
  walk.isListpack = false;
  for (let i = 0; i < found.count; i++) {
    readMember(a, found.refs[i], walk.member);
    walk.score = memberScore(a, found.refs[i]);
    count += writeMatching(cx);
  }
  reply.endDeferred(start, count);
}

const READS = {
  flags: Flag.Readonly | Flag.Fast,
  group: "sorted-set",
  categories: ["sortedset"],
  keys: [oneKey("RO access")],
} as const;

export const ZSET_READ_COMMANDS = [
  command({
    ...READS,
    name: "zcard",
    arity: 2,
    since: "1.2.0",
    summary: "Answers how many members a sorted set has.",
    complexity: "O(1)",
    keys: [oneKey("RO")],
    syntax: "key:key",
    run: cardinality,
  }),
  command({
    ...READS,
    name: "zscore",
    arity: 3,
    since: "1.2.0",
    summary: "Answers the score of a member.",
    complexity: "O(1)",
    syntax: "key:key member",
    run: scoreOne,
  }),
  command({
    ...READS,
    name: "zmscore",
    arity: -3,
    since: "6.2.0",
    summary: "Answers the scores of several members.",
    complexity: "O(N) for N members asked for.",
    syntax: "key:key member ...",
    run: scoreMany,
  }),
  command({
    ...READS,
    name: "zrank",
    arity: -3,
    since: "2.0.0",
    summary: "Answers how many members come before a member.",
    complexity: "O(log(N)) for N members.",
    syntax: "key:key member [WITHSCORE]",
    history: [["7.2.0", "Option `WITHSCORE`."]],
    run: (cx) => rank(cx, false),
  }),
  command({
    ...READS,
    name: "zrevrank",
    arity: -3,
    since: "2.0.0",
    summary: "Answers how many members come behind a member.",
    complexity: "O(log(N)) for N members.",
    syntax: "key:key member [WITHSCORE]",
    history: [["7.2.0", "Option `WITHSCORE`."]],
    run: (cx) => rank(cx, true),
  }),
  command({
    ...READS,
    name: "zscan",
    arity: -3,
    flags: Flag.Readonly,
    since: "2.8.0",
    summary: "Answers some members of a sorted set with their scores, and a cursor with which to go on.",
    complexity: "O(1) a call, O(N) for all N members.",
    syntax: "key:key cursor:integer [MATCH pattern:pattern] [COUNT count:integer]",
    tips: ["nondeterministic_output"],
    run: scan,
  }),
];
