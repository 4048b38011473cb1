/** Ranges of members by rank, score or name: ZRANGE, its older relatives, ZRANGESTORE, ZCOUNT and ZLEXCOUNT. */
import type { Ref } from "../../arena/arena.ts";
import { type Context, command } from "../../engine/context.ts";
import { Flag, oneKey } from "../../engine/spec/spec.ts";
import { ReplyError, SYNTAX } from "../../resp/errors.ts";
import { treeMember, treeNext, treePrevious, treeSeek } from "../../struct/ranked-tree/ranked-tree.ts";
import { memberAt, memberBuffer, memberLength } from "../../struct/scored-member.ts";
import { containerWord } from "../../types/container.ts";
import { Encoding, entryEncoding } from "../../types/entry.ts";
import { zsetAdd, zsetEncodingFor } from "../../types/zset/zset.ts";
import { zsetLength } from "../../types/zset/zset-length.ts";
import { firstInRange, ranks, ranksOfBytes, ranksOfScores } from "../../types/zset/zset-range.ts";
import { ZsetWalk, zsetWalkNext, zsetWalkPrevious, zsetWalkStart } from "../../types/zset/zset-walk.ts";
import { beginMembers, deleteKey, readZset, scratchZset, storeZset, writePair, zsetLimits } from "./access.ts";
import { bytesRange, readBytesRange, readScoreRange, scoreRange, setRanks } from "./limits.ts";

const LIMIT_BY_RANK = new ReplyError(
  "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
);
const SCORES_BY_NAME = new ReplyError("ERR syntax error, WITHSCORES not supported in combination with BYLEX");

/** What a range is given by; Any: ranks unless an option says otherwise. */
const By = { Any: 0, Rank: 1, Score: 2, Name: 3 } as const;
type By = (typeof By)[keyof typeof By];

const walk = new ZsetWalk();

/** The options of the range that is read, and its ranks when it is one by rank. */
const range = {
  by: By.Rank as By,
  isReverse: false,
  withScores: false,
  offset: 0,
  /** Negative: no limit. */
  limit: -1,
  first: 0,
  last: 0,
};

/** Reads the range whose source key is argument `source`. */
function readRange(cx: Context, source: number, by: By, isReverse: boolean, stores: boolean): void {
  range.by = by;
  range.isReverse = isReverse;
  range.withScores = false;
  range.offset = 0;
  range.limit = -1;
  const choosesReverse = by === By.Any;
  for (let i = source + 3; i < cx.argc; i++) i = readOption(cx, i, by, choosesReverse, stores);
  if (range.by === By.Any) range.by = By.Rank;
  if (range.limit !== -1 && range.by === By.Rank) throw LIMIT_BY_RANK;
  if (range.withScores && range.by === By.Name) throw SCORES_BY_NAME;
  const lower = range.isReverse && range.by !== By.Rank ? source + 2 : source + 1;
  const upper = source * 2 + 3 - lower;
  if (range.by === By.Score) {
    readScoreRange(cx, lower, upper);
  } else if (range.by === By.Name) {
    readBytesRange(cx, lower, upper);
  } else {
    range.first = cx.longInteger(lower);
    range.last = cx.longInteger(upper);
  }
}

/** Reads the option in argument `i`; returns its last argument. */
function readOption(cx: Context, i: number, by: By, choosesReverse: boolean, stores: boolean): number {
  if (!stores && cx.isToken(i, "withscores")) {
    range.withScores = true;
  } else if (i + 2 < cx.argc && cx.isToken(i, "limit")) {
    range.offset = cx.longInteger(i + 1);
    range.limit = cx.longInteger(i + 2);
    return i + 2;
  } else if (choosesReverse && !range.isReverse && cx.isToken(i, "rev")) {
    range.isReverse = true;
  } else if (by === By.Any && range.by === By.Any && cx.isToken(i, "bylex")) {
    range.by = By.Name;
  } else if (by === By.Any && range.by === By.Any && cx.isToken(i, "byscore")) {
    range.by = By.Score;
  } else {
    throw SYNTAX;
  }
  return i;
}

/** Sets `ranks` to those of the range in a set, offset and limit included, as ranks from its beginning even when it is read backwards. */
function findRanks(cx: Context, e: Ref): void {
  const count = zsetLength(cx.arena, e);
  if (range.by === By.Rank) {
    setRanks(range.first, range.last, count);
    if (range.isReverse) [ranks.from, ranks.to] = [count - ranks.to, count - ranks.from];
    return;
  }
  if (range.by === By.Score) ranksOfScores(cx.arena, e, scoreRange);
  else ranksOfBytes(cx.arena, e, bytesRange, range.isReverse);
  const size = ranks.to - ranks.from;
  // As in Redis, a negative offset is beyond everything.
  const skipped = range.offset < 0 || range.offset > size ? size : range.offset;
  const taken = range.limit < 0 ? size - skipped : Math.min(range.limit, size - skipped);
  if (range.isReverse) {
    ranks.to -= skipped;
    ranks.from = ranks.to - taken;
  } else {
    ranks.from += skipped;
    ranks.to = ranks.from + taken;
  }
}

/** Answers the range in the set of argument 1. */
function answerRange(cx: Context, by: By, isReverse: boolean): void {
  readRange(cx, 1, by, isReverse, false);
  const e = readZset(cx, 1);
  if (e === 0) {
    cx.reply.array(0);
    return;
  }
  findRanks(cx, e);
  const { arena: a, reply } = cx;
  const { withScores } = range;
  const { from, to } = ranks;
  beginMembers(reply, to - from, withScores);
  if (from === to) return;
  if (!withScores && entryEncoding(a, e) === Encoding.Skiplist) {
    writeNames(cx, containerWord(a, e), from, to - from);
    return;
  }
  zsetWalkStart(a, e, walk, range.isReverse ? to - 1 : from);
  for (let left = to - from; ; ) {
    writePair(reply, walk.member, walk.score, withScores);
    if (--left === 0 || reply.overflowed) break;
    if (range.isReverse) zsetWalkPrevious(a, walk);
    else zsetWalkNext(a, walk);
  }
}

/** Answers `count` members of a large set from a rank on (or, in reverse, up to them) without reading their scores. */
function writeNames(cx: Context, tree: Ref, from: number, count: number): void {
  const { arena: a, reply } = cx;
  const { isReverse, by, offset } = range;
  // The search for the lowest score has come to the first member already.
  const cursor = by === By.Score && offset === 0 && !isReverse ? firstInRange : walk.cursor;
  if (cursor === walk.cursor) treeSeek(a, tree, isReverse ? from + count - 1 : from, cursor);
  for (let left = count; ; ) {
    const m = treeMember(a, cursor);
    reply.bulk(memberBuffer(a, m), memberAt(a, m), memberLength(a, m));
    if (--left === 0 || reply.overflowed) return;
    if (isReverse) treePrevious(a, cursor);
    else treeNext(a, cursor);
  }
}

function storeRange(cx: Context): void {
  const { arena: a } = cx;
  readRange(cx, 2, By.Any, false, true);
  const e = readZset(cx, 2);
  if (e === 0) {
    deleteKey(cx, 1);
    cx.reply.integer(0);
    return;
  }
  findRanks(cx, e);
  const limits = zsetLimits(cx);
  const count = ranks.to - ranks.from;
  const result = scratchZset(cx, 1, zsetEncodingFor(range.by === By.Rank ? count : 0, 0, limits));
  if (count > 0) zsetWalkStart(a, e, walk, ranks.from);
  for (let left = count; left > 0; left--) {
    const { member } = walk;
    member.text();
    zsetAdd(a, result, member.buf, member.at, member.length, walk.score, 0, limits);
    zsetWalkNext(a, walk);
  }
  storeZset(cx, 1, result, "zrangestore");
}

function countScores(cx: Context): void {
  readScoreRange(cx, 2, 3);
  const e = readZset(cx, 1);
  if (e !== 0) ranksOfScores(cx.arena, e, scoreRange);
  cx.reply.integer(e === 0 ? 0 : ranks.to - ranks.from);
}

function countNames(cx: Context): void {
  readBytesRange(cx, 2, 3);
  const e = readZset(cx, 1);
  if (e !== 0) ranksOfBytes(cx.arena, e, bytesRange, false);
  cx.reply.integer(e === 0 ? 0 : ranks.to - ranks.from);
}

const READS = {
  flags: Flag.Readonly,
  since: "1.2.0",
  group: "sorted-set",
  categories: ["sortedset"],
  keys: [oneKey("RO access")],
  complexity: "O(log(N)+M) for N members and M that are answered.",
} as const;
const DEPRECATED = { deprecatedSince: "6.2.0", docFlags: ["deprecated"] } as const;
const NAMES = "[LIMIT limit=<offset:integer count:integer>]";

export const ZSET_RANGE_COMMANDS = [
  command({
    ...READS,
    name: "zrange",
    arity: -4,
    summary: "Answers the members in a range of ranks, scores or names.",
    syntax:
      "key:key start stop sortby=[BYSCORE | BYLEX]@6.2.0 [REV@6.2.0] [LIMIT limit=<offset:integer count:integer>@6.2.0] [WITHSCORES]",
    history: [["6.2.0", "Options `REV`, `BYSCORE`, `BYLEX` and `LIMIT`."]],
    run: (cx) => answerRange(cx, By.Any, false),
  }),
  command({
    ...READS,
    name: "zrangestore",
    arity: -5,
    flags: Flag.Write | Flag.DenyOom,
    since: "6.2.0",
    summary: "Stores the members in a range of ranks, scores or names under a key.",
    complexity: "O(log(N)+M) for N members and M that are stored.",
    keys: [oneKey("OW update"), oneKey("RO access", 2)],
    syntax: "dst:key src:key min max sortby=[BYSCORE | BYLEX] [REV] [LIMIT limit=<offset:integer count:integer>]",
    run: storeRange,
  }),
  command({
    ...READS,
    ...DEPRECATED,
    name: "zrevrange",
    arity: -4,
    summary: "Answers the members in a range of ranks, the highest score first.",
    replacedBy: "`ZRANGE` with the `REV` argument",
    syntax: "key:key start:integer stop:integer [WITHSCORES]",
    run: (cx) => answerRange(cx, By.Rank, true),
  }),
  command({
    ...READS,
    ...DEPRECATED,
    name: "zrangebyscore",
    arity: -4,
    since: "1.0.5",
    summary: "Answers the members in a range of scores.",
    replacedBy: "`ZRANGE` with the `BYSCORE` argument",
    syntax: `key:key min:double max:double [WITHSCORES@2.0.0] ${NAMES}`,
    history: [["2.0.0", "Option `WITHSCORES`."]],
    run: (cx) => answerRange(cx, By.Score, false),
  }),
  command({
    ...READS,
    ...DEPRECATED,
    name: "zrevrangebyscore",
    arity: -4,
    since: "2.2.0",
    summary: "Answers the members in a range of scores, the highest score first.",
    replacedBy: "`ZRANGE` with the `REV` and `BYSCORE` arguments",
    syntax: `key:key max:double min:double [WITHSCORES] ${NAMES}`,
    history: [["2.1.6", "Limits may be open."]],
    run: (cx) => answerRange(cx, By.Score, true),
  }),
  command({
    ...READS,
    ...DEPRECATED,
    name: "zrangebylex",
    arity: -4,
    since: "2.8.9",
    summary: "Answers the members in a range of names, where all scores are equal.",
    replacedBy: "`ZRANGE` with the `BYLEX` argument",
    syntax: `key:key min max ${NAMES}`,
    run: (cx) => answerRange(cx, By.Name, false),
  }),
  command({
    ...READS,
    ...DEPRECATED,
    name: "zrevrangebylex",
    arity: -4,
    since: "2.8.9",
    summary: "Answers the members in a range of names, the last one first, where all scores are equal.",
    replacedBy: "`ZRANGE` with the `REV` and `BYLEX` arguments",
    syntax: `key:key max min ${NAMES}`,
    run: (cx) => answerRange(cx, By.Name, true),
  }),
  command({
    ...READS,
    name: "zcount",
    arity: 4,
    flags: Flag.Readonly | Flag.Fast,
    since: "2.0.0",
    summary: "Counts the members in a range of scores.",
    complexity: "O(log(N)) for N members.",
    syntax: "key:key min:double max:double",
    run: countScores,
  }),
  command({
    ...READS,
    name: "zlexcount",
    arity: 4,
    flags: Flag.Readonly | Flag.Fast,
    since: "2.8.9",
    summary: "Counts the members in a range of names, where all scores are equal.",
    complexity: "O(log(N)) for N members.",
    syntax: "key:key min max",
    run: countNames,
  }),
];
