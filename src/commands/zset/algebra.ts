/** Unions, intersections and differences of sorted sets and sets (whose members score 1), answered, counted or stored. */
import type { Ref } from "../../arena/arena.ts";
import { parseDouble } from "../../base/float.ts";
import { type Context, command } from "../../engine/context.ts";
import { countedKeys, Flag, type KeyPositions, oneKey } from "../../engine/spec/spec.ts";
import { ReplyError, SYNTAX, WRONG_TYPE } from "../../resp/errors.ts";
import type { Request } from "../../resp/request.ts";
import type { ListpackElement } from "../../struct/listpack/listpack-element.ts";
import { Encoding, entryType, Type } from "../../types/entry.ts";
import { setHas, setLength } from "../../types/set/set.ts";
import { SetWalk, setWalkNext, setWalkStart } from "../../types/set/set-walk.ts";
import { entryDiscard } from "../../types/value.ts";
import { zsetRemove, zsetScore, zsetToListpackIfSmall } from "../../types/zset/zset.ts";
import { zsetLength } from "../../types/zset/zset-length.ts";
import { tableAdd } from "../../types/zset/zset-table.ts";
import { tallyAdd, tallyEnd } from "../../types/zset/zset-tally.ts";
import { ZsetWalk, zsetWalkNext, zsetWalkStart } from "../../types/zset/zset-walk.ts";
import { beginMembers, scratchZset, storeZset, writePair, zsetLimits } from "./access.ts";
import { countedKeyPositions } from "./pop.ts";

const WEIGHT = new ReplyError("ERR weight value is not a float");
const LIMIT_NEGATIVE = new ReplyError("ERR LIMIT can't be negative");

const Aggregate = { Sum: 0, Min: 1, Max: 2 } as const;

/** A set that takes part; 0 when the key does not exist. */
interface Source {
  e: Ref;
  isSet: boolean;
  length: number;
  weight: number;
}

/** The sets of the command that runs, of which the first `sourceCount` count. */
const sources: Source[] = [];
let sourceCount = 0;
const options = { aggregate: 0 as number, withScores: false, limit: 0 };

/** Which operation, and what it may be told. */
const Operation = { Union: 0, Intersection: 1, Difference: 2, Count: 3 } as const;

// ---- arguments

/** Reads keys and options, the number of keys being argument `counter`. */
function readArguments(cx: Context, counter: number, operation: number): void {
  const count = cx.longInteger(counter);
  if (count < 1) throw new ReplyError(`ERR at least 1 input key is needed for '${cx.spec.fullName}' command`);
  if (count > cx.argc - counter - 1) throw SYNTAX;
  for (let i = 0; i < count; i++) readSource(cx, i, counter + 1 + i);
  sourceCount = count;
  options.aggregate = Aggregate.Sum;
  options.withScores = false;
  options.limit = 0;
  for (let i = counter + 1 + count; i < cx.argc; i++) i = readOption(cx, i, counter, operation);
}

function readSource(cx: Context, at: number, arg: number): void {
  const { arena: a } = cx;
  const e = cx.lookupRead(arg);
  const type = e === 0 ? Type.Zset : entryType(a, e);
  if (type !== Type.Zset && type !== Type.Set) throw WRONG_TYPE;
  if (at === sources.length) sources.push({ e: 0, isSet: false, length: 0, weight: 1 });
  const source = sources[at];
  source.e = e;
  source.isSet = type === Type.Set;
  source.length = e === 0 ? 0 : source.isSet ? setLength(a, e) : zsetLength(a, e);
  source.weight = 1;
}

/** Reads the option in argument `i`; returns its last argument. */
function readOption(cx: Context, i: number, counter: number, operation: number): number {
  const mixesScores = operation === Operation.Union || operation === Operation.Intersection;
  if (mixesScores && i + sourceCount < cx.argc && cx.isToken(i, "weights")) {
    for (let k = 0; k < sourceCount; k++) sources[k].weight = readWeight(cx, i + 1 + k);
    return i + sourceCount;
  }
  if (mixesScores && i + 1 < cx.argc && cx.isToken(i, "aggregate")) {
    if (cx.isToken(i + 1, "sum")) options.aggregate = Aggregate.Sum;
    else if (cx.isToken(i + 1, "min")) options.aggregate = Aggregate.Min;
    else if (cx.isToken(i + 1, "max")) options.aggregate = Aggregate.Max;
    else throw SYNTAX;
    return i + 1;
  }
  if (counter === 1 && operation !== Operation.Count && cx.isToken(i, "withscores")) {
    options.withScores = true;
    return i;
  }
  if (operation === Operation.Count && i + 1 < cx.argc && cx.isToken(i, "limit")) {
    options.limit = cx.longInteger(i + 1, LIMIT_NEGATIVE);
    if (options.limit < 0) throw LIMIT_NEGATIVE;
    return i + 1;
  }
  throw SYNTAX;
}

function readWeight(cx: Context, i: number): number {
  const weight = parseDouble(cx.buf, cx.start[i], cx.length[i]);
  if (Number.isNaN(weight)) throw WEIGHT;
  return weight;
}

/** Sorts the sources from `first` on by length, growing (1) or shrinking (-1); those of equal length keep their order. */
function sortSources(first: number, direction: 1 | -1): void {
  for (let i = first + 1; i < sourceCount; i++) {
    const source = sources[i];
    let j = i;
    for (; j > first && (sources[j - 1].length - source.length) * direction > 0; j--) sources[j] = sources[j - 1];
    sources[j] = source;
  }
}

// ---- walking sets of both types

const setWalk = new SetWalk();
const zsetWalk = new ZsetWalk();
/** What nextMember came to. */
let member: ListpackElement = setWalk.member;
let score = 0;
let walked: Source | null = null;
let isFirst = false;

function startMembers(cx: Context, source: Source): void {
  walked = source;
  isFirst = true;
  member = source.isSet ? setWalk.member : zsetWalk.member;
  if (source.isSet) setWalkStart(cx.arena, source.e, setWalk);
}

/** Goes on to the next member, as bytes, of the source that startMembers was given, which exists. */
function nextMember(cx: Context): boolean {
  const source = walked as Source;
  const { arena: a } = cx;
  if (source.isSet) {
    if (!setWalkNext(a, setWalk)) return false;
    score = 1;
  } else {
    if (!(isFirst ? zsetWalkStart(a, source.e, zsetWalk, 0) : zsetWalkNext(a, zsetWalk))) return false;
    isFirst = false;
    score = zsetWalk.score;
  }
  member.text();
  return true;
}

/** The score of the walk's member in another source, or NaN. */
function scoreIn(cx: Context, source: Source): number {
  if (source.e === 0) return Number.NaN;
  if (!source.isSet) return zsetScore(cx.arena, source.e, member.buf, member.at, member.length);
  return setHas(cx.arena, source.e, member.buf, member.at, member.length) ? 1 : Number.NaN;
}

/** A score with a weight; infinity times zero is zero. */
function weighted(value: number, weight: number): number {
  const product = value * weight;
  return Number.isNaN(product) ? 0 : product;
}

/** Two scores of a member made one; the sum of opposite infinities is zero. */
function aggregated(one: number, other: number): number {
  if (options.aggregate === Aggregate.Min) return other < one ? other : one;
  if (options.aggregate === Aggregate.Max) return other > one ? other : one;
  const sum = one + other;
  return Number.isNaN(sum) ? 0 : sum;
}

// ---- operations

/** The score of the first source's member in the intersection, or NaN when it does not belong there. */
function intersectionScore(cx: Context): number {
  let total = weighted(score, sources[0].weight);
  for (let i = 1; i < sourceCount; i++) {
    const source = sources[i];
    const other = source.e === sources[0].e ? score : scoreIn(cx, source);
    if (Number.isNaN(other)) return Number.NaN;
    total = aggregated(total, other * source.weight);
  }
  return total;
}

function intersectInto(cx: Context, result: Ref): void {
  sortSources(0, 1);
  if (sources[0].length === 0) return;
  startMembers(cx, sources[0]);
  while (nextMember(cx)) {
    const total = intersectionScore(cx);
    if (!Number.isNaN(total)) tableAdd(cx.arena, result, member.buf, member.at, member.length, total);
  }
}

function countIntersection(cx: Context): void {
  readArguments(cx, 1, Operation.Count);
  sortSources(0, 1);
  let count = 0;
  if (sources[0].length > 0) {
    startMembers(cx, sources[0]);
    while ((options.limit === 0 || count < options.limit) && nextMember(cx)) if (isInAll(cx)) count++;
  }
  cx.reply.integer(count);
}

function isInAll(cx: Context): boolean {
  for (let i = 1; i < sourceCount; i++)
    if (sources[i].e !== sources[0].e && Number.isNaN(scoreIn(cx, sources[i]))) return false;
  return true;
}

function uniteInto(cx: Context, result: Ref): void {
  sortSources(0, 1);
  for (let i = 0; i < sourceCount; i++) {
    if (sources[i].length === 0) continue;
    const { weight } = sources[i];
    startMembers(cx, sources[i]);
    while (nextMember(cx))
      tallyAdd(cx.arena, result, member.buf, member.at, member.length, weighted(score, weight), aggregated);
  }
  tallyEnd(cx.arena, result);
}

/** True when it is cheaper to look each member of the first source up in the others than to take the others' members away from a copy of it. */
function prefersLookups(): boolean {
  let lookups = 0;
  let removals = 0;
  for (let i = 0; i < sourceCount; i++) {
    lookups += sources[0].length;
    removals += sources[i].length;
  }
  return Math.floor(lookups / 2) <= removals;
}

function subtractInto(cx: Context, result: Ref): void {
  const { arena: a } = cx;
  if (sources[0].length === 0) return;
  for (let i = 1; i < sourceCount; i++) if (sources[i].e === sources[0].e) return;
  const looksUp = prefersLookups();
  if (looksUp) sortSources(1, -1);
  startMembers(cx, sources[0]);
  while (nextMember(cx))
    if (!looksUp || !isInAnother(cx)) tableAdd(a, result, member.buf, member.at, member.length, score);
  for (let i = 1; i < sourceCount && !looksUp; i++) {
    if (sources[i].length === 0) continue;
    startMembers(cx, sources[i]);
    while (nextMember(cx)) zsetRemove(a, result, member.buf, member.at, member.length);
    if (zsetLength(a, result) === 0) break;
  }
}

function isInAnother(cx: Context): boolean {
  for (let i = 1; i < sourceCount; i++) if (!Number.isNaN(scoreIn(cx, sources[i]))) return true;
  return false;
}

function operate(cx: Context, result: Ref, operation: number): void {
  if (operation === Operation.Union) uniteInto(cx, result);
  else if (operation === Operation.Intersection) intersectInto(cx, result);
  else subtractInto(cx, result);
}

/** Answers the result of an operation. */
function answer(cx: Context, operation: number): void {
  readArguments(cx, 1, operation);
  const { arena: a, reply } = cx;
  const result = scratchZset(cx, 0, Encoding.Skiplist);
  operate(cx, result, operation);
  beginMembers(reply, zsetLength(a, result), options.withScores);
  if (zsetWalkStart(a, result, zsetWalk, 0)) {
    do writePair(reply, zsetWalk.member, zsetWalk.score, options.withScores);
    while (!reply.overflowed && zsetWalkNext(a, zsetWalk));
  }
  entryDiscard(a, result);
}

/** Stores the result of an operation under the key of argument 1. */
function store(cx: Context, operation: number, event: string): void {
  readArguments(cx, 2, operation);
  const result = scratchZset(cx, 1, Encoding.Skiplist);
  operate(cx, result, operation);
  if (zsetLength(cx.arena, result) > 0) zsetToListpackIfSmall(cx.arena, result, zsetLimits(cx));
  storeZset(cx, 1, result, event);
}

const READS = {
  flags: Flag.Readonly,
  since: "6.2.0",
  group: "sorted-set",
  categories: ["sortedset"],
  keys: [countedKeys("RO access", 1)],
  getKeys: (request: Request, out: KeyPositions) => countedKeyPositions(request, out, 1, "RO access"),
} as const;
const STORES = {
  flags: Flag.Write | Flag.DenyOom,
  since: "2.0.0",
  group: "sorted-set",
  categories: ["sortedset"],
  keys: [oneKey("OW update"), countedKeys("RO access", 2)],
  getKeys(request: Request, out: KeyPositions): boolean {
    out.indexes.push(1);
    out.flags.push("OW update");
    return countedKeyPositions(request, out, 2, "RO access");
  },
} as const;
const MIXING = "[WEIGHTS weight:integer ...] [AGGREGATE aggregate=<SUM | MIN | MAX>]";
const OF_UNION = "O(N)+O(M*log(M)) for N members of all sets together and M of the result.";
const OF_INTERSECTION =
  "O(N*K)+O(M*log(M)) at worst, for N members of the smallest set, K sets and M members of the result.";
const OF_DIFFERENCE =
  "O(L+(N-K)*log(N)) at worst, for L members of all sets together, N of the first set and K of the result.";

export const ZSET_ALGEBRA_COMMANDS = [
  command({
    ...READS,
    name: "zunion",
    arity: -3,
    summary: "Answers the members that any of several sorted sets has.",
    complexity: OF_UNION,
    syntax: `numkeys:integer key:key ... ${MIXING} [WITHSCORES]`,
    run: (cx) => answer(cx, Operation.Union),
  }),
  command({
    ...STORES,
    name: "zunionstore",
    arity: -4,
    summary: "Stores the members that any of several sorted sets has under a key.",
    complexity: OF_UNION,
    syntax: `destination:key numkeys:integer key:key ... ${MIXING}`,
    run: (cx) => store(cx, Operation.Union, "zunionstore"),
  }),
  command({
    ...READS,
    name: "zinter",
    arity: -3,
    summary: "Answers the members that all of several sorted sets have.",
    complexity: OF_INTERSECTION,
    syntax: `numkeys:integer key:key ... ${MIXING} [WITHSCORES]`,
    run: (cx) => answer(cx, Operation.Intersection),
  }),
  command({
    ...READS,
    name: "zintercard",
    arity: -3,
    since: "7.0.0",
    summary: "Counts the members that all of several sorted sets have, up to a limit.",
    complexity: "O(N*K) at worst, for N members of the smallest set and K sets.",
    syntax: "numkeys:integer key:key ... [LIMIT limit:integer]",
    run: countIntersection,
  }),
  command({
    ...STORES,
    name: "zinterstore",
    arity: -4,
    summary: "Stores the members that all of several sorted sets have under a key.",
    complexity: OF_INTERSECTION,
    syntax: `destination:key numkeys:integer key:key ... ${MIXING}`,
    run: (cx) => store(cx, Operation.Intersection, "zinterstore"),
  }),
  command({
    ...READS,
    name: "zdiff",
    arity: -3,
    summary: "Answers the members of the first sorted set that none of the others has.",
    complexity: OF_DIFFERENCE,
    syntax: "numkeys:integer key:key ... [WITHSCORES]",
    run: (cx) => answer(cx, Operation.Difference),
  }),
  command({
    ...STORES,
    name: "zdiffstore",
    arity: -4,
    since: "6.2.0",
    summary: "Stores the members of the first sorted set that none of the others has under a key.",
    complexity: OF_DIFFERENCE,
    syntax: "destination:key numkeys:integer key:key ...",
    run: (cx) => store(cx, Operation.Difference, "zdiffstore"),
  }),
];
