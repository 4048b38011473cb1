/** Random members: ZRANDMEMBER. */
import type { Ref } from "../../arena/arena.ts";
import { parseSafeInteger } from "../../base/int64.ts";
import { type Context, command } from "../../engine/context.ts";
import { Flag, oneKey } from "../../engine/spec/spec.ts";
import { ReplyError, SYNTAX } from "../../resp/errors.ts";
import { Encoding, entryEncoding } from "../../types/entry.ts";
import { zsetRandom } from "../../types/zset/zset.ts";
import { zsetLength } from "../../types/zset/zset-length.ts";
import { ZsetWalk, zsetWalkNext, zsetWalkStart } from "../../types/zset/zset-walk.ts";
import { beginMembers, readZset, writeMember, writePair } from "./access.ts";

const COUNT_RANGE = new ReplyError(
  "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
);
const PAIRS_RANGE = new ReplyError("ERR value is out of range");
const INT64_MIN = -9223372036854775808n;
const HALF_MAX = 4611686018427387903n;
/** When more than a third of the members is wanted, a walk over all is cheaper than drawing. */
const WALK_RATIO = 3;

const walk = new ZsetWalk();

function randomMembers(cx: Context): void {
  if (cx.argc > 2) {
    randomCount(cx);
    return;
  }
  const e = readZset(cx, 1);
  if (e === 0) {
    cx.reply.nil();
    return;
  }
  zsetRandom(cx.arena, e, cx.engine.keyspace.prng, walk);
  writeMember(cx.reply, walk.member);
}

function randomCount(cx: Context): void {
  const small = parseSafeInteger(cx.buf, cx.start[2], cx.length[2]);
  const isWide = Number.isNaN(small);
  const wide = isWide ? cx.bigInteger(2) : 0n;
  if (wide === INT64_MIN) throw COUNT_RANGE;
  const withScores = cx.argc === 4 && cx.isToken(3, "withscores");
  if (cx.argc > 4 || (cx.argc === 4 && !withScores)) throw SYNTAX;
  if (withScores && (wide > HALF_MAX || wide < -HALF_MAX)) throw PAIRS_RANGE;
  const count = isWide ? Number(wide) : small;
  const e = readZset(cx, 1);
  if (e === 0 || count === 0) cx.reply.array(0);
  else if (count < 0) anyMembers(cx, e, -count, withScores);
  else distinctMembers(cx, e, count, withScores);
}

/** Random members, each drawn from all of them. */
function anyMembers(cx: Context, e: Ref, count: number, withScores: boolean): void {
  const { prng } = cx.engine.keyspace;
  beginMembers(cx.reply, count, withScores);
  for (let i = 0; i < count && !cx.reply.overflowed; i++) {
    zsetRandom(cx.arena, e, prng, walk);
    writePair(cx.reply, walk.member, walk.score, withScores);
  }
}

/** As many different members as there are, up to `count`. */
function distinctMembers(cx: Context, e: Ref, count: number, withScores: boolean): void {
  const { arena: a, reply } = cx;
  const { prng } = cx.engine.keyspace;
  const size = zsetLength(a, e);
  const wanted = Math.min(count, size);
  beginMembers(reply, wanted, withScores);
  if (wanted * WALK_RATIO <= size && entryEncoding(a, e) === Encoding.Skiplist) {
    pickFew(cx, e, wanted, withScores);
    return;
  }
  // One walk: each member is taken with the chance that makes all subsets equally likely.
  zsetWalkStart(a, e, walk, 0);
  for (let left = size, missing = wanted; missing > 0; left--) {
    if (missing === left || prng.below(left) < missing) {
      writePair(reply, walk.member, walk.score, withScores);
      missing--;
    }
    zsetWalkNext(a, walk);
  }
}

/** A few different members of a large set: those that come twice are drawn again. */
function pickFew(cx: Context, e: Ref, wanted: number, withScores: boolean): void {
  const seen = new Set<number>();
  while (seen.size < wanted) {
    zsetRandom(cx.arena, e, cx.engine.keyspace.prng, walk);
    if (seen.has(walk.place)) continue;
    seen.add(walk.place);
    writePair(cx.reply, walk.member, walk.score, withScores);
  }
}

export const ZSET_SAMPLE_COMMANDS = [
  command({
    name: "zrandmember",
    arity: -2,
    flags: Flag.Readonly,
    since: "6.2.0",
    group: "sorted-set",
    summary: "Answers random members of a sorted set.",
    complexity: "O(N) for N members that are answered.",
    categories: ["sortedset"],
    keys: [oneKey("RO access")],
    syntax: "key:key options=[count:integer [WITHSCORES]]",
    tips: ["nondeterministic_output"],
    run: randomMembers,
  }),
];
