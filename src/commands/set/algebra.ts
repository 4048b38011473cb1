/** Intersections, unions and differences of sets, answered, counted or stored. */
import type { Ref } from "../../arena/arena.ts";
import { parseSafeInteger } from "../../base/int64.ts";
import { type Context, command } from "../../engine/context.ts";
import { countedKeys, Flag, keysToEnd, oneKey } from "../../engine/spec/spec.ts";
import { ReplyError, SYNTAX } from "../../resp/errors.ts";
import { spellsInteger } from "../../struct/listpack/listpack-element.ts";
import { Encoding, entryEncoding } from "../../types/entry.ts";
import { setAddMember, setCreate, setHasMember, setLength, setRemoveMember, setToIntset } from "../../types/set/set.ts";
import { type SetMember, SetWalk, setWalkNext, setWalkStart } from "../../types/set/set-walk.ts";
import { entryDiscard } from "../../types/value.ts";
import { readSet, setLimits, storeSet, writeMember } from "./access.ts";
import { writeAll } from "./read.ts";

const NUMKEYS = new ReplyError("ERR numkeys should be greater than 0");
const TOO_MANY_KEYS = new ReplyError("ERR Number of keys can't be greater than number of args");
const LIMIT_NEGATIVE = new ReplyError("ERR LIMIT can't be negative");

/** The sets of the command that runs, 0 for a key that does not exist, and how many there are. */
const sets: Ref[] = [];
let setCount = 0;
const walk = new SetWalk();

/** Reads the sets in arguments `from` to `end` (not included); true when all keys exist. */
function readSets(cx: Context, from: number, end: number): boolean {
  let complete = true;
  setCount = end - from;
  for (let i = from; i < end; i++) {
    const e = readSet(cx, i);
    sets[i - from] = e;
    if (e === 0) complete = false;
  }
  return complete;
}

function sizeOf(cx: Context, e: Ref): number {
  return e === 0 ? 0 : setLength(cx.arena, e);
}

/** More sets than this are not sorted by insertion. */
const INSERTION_SORT_MAX = 32;

/** Sorts the sets from `first` on by size, growing (1) or shrinking (-1). */
function sortSets(cx: Context, first: number, direction: 1 | -1): void {
  if (setCount > INSERTION_SORT_MAX) {
    const sorted = sets.slice(first, setCount).sort((x, y) => (sizeOf(cx, x) - sizeOf(cx, y)) * direction);
    for (let i = first; i < setCount; i++) sets[i] = sorted[i - first];
    return;
  }
  for (let i = first + 1; i < setCount; i++) {
    const e = sets[i];
    const size = sizeOf(cx, e);
    let j = i;
    for (; j > first && (sizeOf(cx, sets[j - 1]) - size) * direction > 0; j--) sets[j] = sets[j - 1];
    sets[j] = e;
  }
}

/** True when all other sets have the member of the first. */
function inAll(cx: Context, member: SetMember): boolean {
  for (let i = 1; i < setCount; i++) if (sets[i] !== sets[0] && !setHasMember(cx.arena, sets[i], member)) return false;
  return true;
}

/** True when one of the other sets has the member of the first. */
function inAnother(cx: Context, member: SetMember): boolean {
  for (let i = 1; i < setCount; i++) if (sets[i] !== 0 && setHasMember(cx.arena, sets[i], member)) return true;
  return false;
}

/** An empty set under the key in argument 1, or under none (0), that is in no database. */
function scratchSet(cx: Context, keyArg: number, encoding: number): Ref {
  const { buf, length, start } = cx;
  return setCreate(cx.arena, buf, start[keyArg], length[keyArg], cx.engine.keyspace.accessOfNew(), encoding);
}

function intersect(cx: Context): void {
  const { reply } = cx;
  if (!readSets(cx, 1, cx.argc)) {
    reply.set(0);
    return;
  }
  sortSets(cx, 0, 1);
  const start = reply.beginDeferred();
  let count = 0;
  setWalkStart(cx.arena, sets[0], walk);
  while (setWalkNext(cx.arena, walk)) {
    if (!inAll(cx, walk.member)) continue;
    writeMember(reply, walk.member);
    count++;
  }
  reply.endDeferred(start, count, "set");
}

function intersectStore(cx: Context): void {
  const complete = readSets(cx, 2, cx.argc);
  if (!complete) {
    storeSet(cx, scratchSet(cx, 1, Encoding.Intset), "sinterstore");
    return;
  }
  const { arena: a } = cx;
  sortSets(cx, 0, 1);
  const encoding = entryEncoding(a, sets[0]) === Encoding.Intset ? Encoding.Intset : Encoding.Listpack;
  const result = scratchSet(cx, 1, encoding);
  const limits = setLimits(cx);
  let onlyIntegers = true;
  setWalkStart(a, sets[0], walk);
  while (setWalkNext(a, walk)) {
    const { member } = walk;
    if (!inAll(cx, member)) continue;
    onlyIntegers &&= member.isInteger || spellsInteger(member.buf, member.at, member.length);
    setAddMember(a, result, member, limits);
  }
  if (onlyIntegers && setLength(a, result) > 0) setToIntset(a, result, limits);
  storeSet(cx, result, "sinterstore");
}

/** Argument `i` as a number of at least `least`; a rounded one when it is beyond 2^53. */
function readNumber(cx: Context, i: number, least: number, error: ReplyError): number {
  const n = parseSafeInteger(cx.buf, cx.start[i], cx.length[i]);
  const wide = Number.isNaN(n) ? Number(cx.bigInteger(i, error)) : n;
  if (wide < least) throw error;
  return wide;
}

function intersectCount(cx: Context): void {
  const keys = readNumber(cx, 1, 1, NUMKEYS);
  if (keys > cx.argc - 2) throw TOO_MANY_KEYS;
  let limit = 0;
  for (let i = 2 + keys; i < cx.argc; i += 2) {
    if (i + 1 === cx.argc || !cx.isToken(i, "limit")) throw SYNTAX;
    limit = readNumber(cx, i + 1, 0, LIMIT_NEGATIVE);
  }
  if (!readSets(cx, 2, 2 + keys)) {
    cx.reply.integer(0);
    return;
  }
  sortSets(cx, 0, 1);
  let count = 0;
  setWalkStart(cx.arena, sets[0], walk);
  while ((limit === 0 || count < limit) && setWalkNext(cx.arena, walk)) if (inAll(cx, walk.member)) count++;
  cx.reply.integer(count);
}

/** Adds the members of all sets to one. */
function uniteInto(cx: Context, result: Ref): void {
  const limits = setLimits(cx);
  for (let i = 0; i < setCount; i++) {
    if (sets[i] === 0) continue;
    setWalkStart(cx.arena, sets[i], walk);
    while (setWalkNext(cx.arena, walk)) setAddMember(cx.arena, result, walk.member, limits);
  }
}

/** Answers a set that is under no key, and frees it. */
function answerScratch(cx: Context, result: Ref): void {
  writeAll(cx, result);
  entryDiscard(cx.arena, result);
}

/** The encoding in which results are collected to be answered: members of listpacks are searched too slowly. */
function collectingEncoding(cx: Context): number {
  for (let i = 0; i < setCount; i++)
    if (sets[i] !== 0 && entryEncoding(cx.arena, sets[i]) !== Encoding.Intset) return Encoding.HashTable;
  return Encoding.Intset;
}

function unite(cx: Context): void {
  readSets(cx, 1, cx.argc);
  if (setCount === 1) {
    writeAll(cx, sets[0]);
    return;
  }
  const result = scratchSet(cx, 0, collectingEncoding(cx));
  uniteInto(cx, result);
  answerScratch(cx, result);
}

function uniteStore(cx: Context): void {
  readSets(cx, 2, cx.argc);
  const result = scratchSet(cx, 1, Encoding.Intset);
  uniteInto(cx, result);
  storeSet(cx, result, "sunionstore");
}

/** True when nothing can be left of the first set. */
function nothingLeft(): boolean {
  if (sets[0] === 0) return true;
  for (let i = 1; i < setCount; i++) if (sets[i] === sets[0]) return true;
  return false;
}

/** True when it is cheaper to look each member of the first set up in the others than to take the others' members away from a copy of it. */
function prefersLookups(cx: Context): boolean {
  const first = setLength(cx.arena, sets[0]);
  let lookups = 0;
  let removals = 0;
  for (let i = 0; i < setCount; i++) {
    if (sets[i] === 0) continue;
    lookups += first;
    removals += setLength(cx.arena, sets[i]);
  }
  return lookups / 2 <= removals;
}

/** Puts the difference of the sets, of which the first exists, into an empty set. */
function subtractInto(cx: Context, result: Ref): void {
  const { arena: a } = cx;
  const limits = setLimits(cx);
  const lookups = prefersLookups(cx);
  if (lookups) sortSets(cx, 1, -1);
  setWalkStart(a, sets[0], walk);
  while (setWalkNext(a, walk))
    if (!lookups || !inAnother(cx, walk.member)) setAddMember(a, result, walk.member, limits);
  for (let i = 1; i < setCount && !lookups; i++) {
    if (sets[i] === 0) continue;
    setWalkStart(a, sets[i], walk);
    while (setWalkNext(a, walk)) setRemoveMember(a, result, walk.member);
    if (setLength(a, result) === 0) break;
  }
}

function subtract(cx: Context): void {
  readSets(cx, 1, cx.argc);
  if (nothingLeft()) {
    cx.reply.set(0);
    return;
  }
  const result = scratchSet(cx, 0, collectingEncoding(cx));
  subtractInto(cx, result);
  answerScratch(cx, result);
}

function subtractStore(cx: Context): void {
  readSets(cx, 2, cx.argc);
  const result = scratchSet(cx, 1, Encoding.Intset);
  if (!nothingLeft()) subtractInto(cx, result);
  storeSet(cx, result, "sdiffstore");
}

const READS = { flags: Flag.Readonly, since: "1.0.0", group: "set", categories: ["set"] } as const;
const STORES = { flags: Flag.Write | Flag.DenyOom, since: "1.0.0", group: "set", categories: ["set"] } as const;
const SOURCES = { keys: [keysToEnd("RO access")], syntax: "key:key ...", tips: ["nondeterministic_output_order"] };
const TARGET_AND_SOURCES = {
  keys: [oneKey("OW update"), keysToEnd("RO access", 2)],
  syntax: "destination:key key:key ...",
};
const OF_ALL_MEMBERS = "O(N) for N members of all sets together.";
const OF_SMALLEST = "O(N*M) at worst, for N members of the smallest set and M sets.";

export const SET_ALGEBRA_COMMANDS = [
  command({
    ...READS,
    ...SOURCES,
    name: "sinter",
    arity: -2,
    summary: "Answers the members that all of several sets have.",
    complexity: OF_SMALLEST,
    run: intersect,
  }),
  command({
    ...READS,
    name: "sintercard",
    arity: -3,
    since: "7.0.0",
    summary: "Counts the members that all of several sets have, up to a limit.",
    complexity: OF_SMALLEST,
    keys: [countedKeys("RO access", 1)],
    syntax: "numkeys:integer key:key ... [LIMIT limit:integer]",
    run: intersectCount,
  }),
  command({
    ...STORES,
    ...TARGET_AND_SOURCES,
    name: "sinterstore",
    arity: -3,
    summary: "Stores the members that all of several sets have under a key.",
    complexity: OF_SMALLEST,
    run: intersectStore,
  }),
  command({
    ...READS,
    ...SOURCES,
    name: "sunion",
    arity: -2,
    summary: "Answers the members that any of several sets has.",
    complexity: OF_ALL_MEMBERS,
    run: unite,
  }),
  command({
    ...STORES,
    ...TARGET_AND_SOURCES,
    name: "sunionstore",
    arity: -3,
    summary: "Stores the members that any of several sets has under a key.",
    complexity: OF_ALL_MEMBERS,
    run: uniteStore,
  }),
  command({
    ...READS,
    ...SOURCES,
    name: "sdiff",
    arity: -2,
    summary: "Answers the members of the first set that none of the others has.",
    complexity: OF_ALL_MEMBERS,
    run: subtract,
  }),
  command({
    ...STORES,
    ...TARGET_AND_SOURCES,
    name: "sdiffstore",
    arity: -3,
    summary: "Stores the members of the first set that none of the others has under a key.",
    complexity: OF_ALL_MEMBERS,
    run: subtractStore,
  }),
];
