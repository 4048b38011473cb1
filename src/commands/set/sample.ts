/** Random members: SRANDMEMBER, and SPOP, which takes them away. */
import type { Ref } from "../../arena/arena.ts";
import { copyOf } from "../../base/bytes.ts";
import { parseSafeInteger } from "../../base/int64.ts";
import { type Context, command } from "../../engine/context.ts";
import { Event } from "../../engine/effects.ts";
import { Flag, oneKey } from "../../engine/spec/spec.ts";
import { NOT_POSITIVE, ReplyError, SYNTAX } from "../../resp/errors.ts";
import { containerRoot, setContainerRoot } from "../../types/container.ts";
import { Encoding, entryEncoding, setEntryEncoding } from "../../types/entry.ts";
import { setAddMember, setCreate, setLength, setRandom, setRemoveAt } from "../../types/set/set.ts";
import { SetMember, SetWalk, setWalkNext, setWalkStart } from "../../types/set/set-walk.ts";
import { entryDiscard } from "../../types/value.ts";
import { leaveSet, readSet, setLimits, writeMember, writeSet } from "./access.ts";
import { writeAll } from "./read.ts";

const COUNT_RANGE = new ReplyError(
  "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
);
const INT64_MIN = -9223372036854775808n;
/** When the members that stay are fewer than a fifth of those that go, SPOP chooses those that stay. */
const POP_RATIO = 5;
/** When more than a third of the members is wanted, SRANDMEMBER walks over all. */
const WALK_RATIO = 3;
/** Most members of one propagated SREM. */
const BATCH_MEMBERS = 1024;
const NO_KEY = new Uint8Array(0);

const member = new SetMember();
const walk = new SetWalk();

function randomMembers(cx: Context): void {
  if (cx.argc > 3) throw SYNTAX;
  if (cx.argc === 3) {
    randomCount(cx);
    return;
  }
  const e = readSet(cx, 1);
  if (e === 0) {
    cx.reply.nil();
    return;
  }
  setRandom(cx.arena, e, cx.engine.keyspace.prng, member);
  writeMember(cx.reply, member);
}

function randomCount(cx: Context): void {
  let count = parseSafeInteger(cx.buf, cx.start[2], cx.length[2]);
  if (Number.isNaN(count)) {
    const wide = cx.bigInteger(2);
    if (wide === INT64_MIN) throw COUNT_RANGE;
    count = Number(wide);
  }
  const e = readSet(cx, 1);
  if (e === 0 || count === 0) cx.reply.array(0);
  else if (count < 0) anyMembers(cx, e, -count);
  else distinctMembers(cx, e, count);
}

/** Random members, each drawn from all of them. */
function anyMembers(cx: Context, e: Ref, count: number): void {
  cx.reply.array(count);
  for (let i = 0; i < count && !cx.reply.overflowed; i++) {
    setRandom(cx.arena, e, cx.engine.keyspace.prng, member);
    writeMember(cx.reply, member);
  }
}

/** As many different members as there are, up to `count`. */
function distinctMembers(cx: Context, e: Ref, count: number): void {
  const size = setLength(cx.arena, e);
  const wanted = Math.min(count, size);
  cx.reply.array(wanted);
  if (wanted * WALK_RATIO <= size && entryEncoding(cx.arena, e) !== Encoding.Listpack) {
    pickFew(cx, e, wanted);
    return;
  }
  // One walk: each member is taken with the chance that makes all subsets equally likely.
  const { prng } = cx.engine.keyspace;
  setWalkStart(cx.arena, e, walk);
  for (let left = size, missing = wanted; missing > 0 && setWalkNext(cx.arena, walk); left--) {
    if (missing < left && prng.below(left) >= missing) continue;
    writeMember(cx.reply, walk.member);
    missing--;
  }
}

/** A few different members of a large set: those that come twice are drawn again. */
function pickFew(cx: Context, e: Ref, wanted: number): void {
  if (wanted === 1) {
    setRandom(cx.arena, e, cx.engine.keyspace.prng, member);
    writeMember(cx.reply, member);
    return;
  }
  const seen = new Set<number>();
  while (seen.size < wanted) {
    setRandom(cx.arena, e, cx.engine.keyspace.prng, member);
    if (seen.has(member.place)) continue;
    seen.add(member.place);
    writeMember(cx.reply, member);
  }
}

/** The SREMs that SPOP is propagated as. */
class Removals {
  readonly #cx: Context;
  #parts: (Uint8Array | string)[] = [];

  constructor(cx: Context) {
    this.#cx = cx;
  }

  /** Adds a member, whose bytes are copied. */
  add(popped: SetMember): void {
    popped.text();
    if (this.#parts.length === 0) this.#parts.push("SREM", this.#cx.bytes(1));
    this.#parts.push(copyOf(popped.buf, popped.at, popped.length));
    if (this.#parts.length === BATCH_MEMBERS + 2) this.end();
  }

  end(): void {
    if (this.#parts.length > 0) this.#cx.propagateAs(this.#parts);
    this.#parts = [];
  }
}

function pop(cx: Context): void {
  if (cx.argc > 3) throw SYNTAX;
  if (cx.argc === 3) {
    popCount(cx);
    return;
  }
  const e = writeSet(cx, 1);
  if (e === 0) {
    cx.reply.nil();
    return;
  }
  setRandom(cx.arena, e, cx.engine.keyspace.prng, member);
  writeMember(cx.reply, member);
  if (cx.propagates) {
    member.text();
    cx.propagateAs(["SREM", cx.bytes(1), copyOf(member.buf, member.at, member.length)]);
  }
  setRemoveAt(cx.arena, e, member);
  cx.changed(1, Event.Set, "spop");
  leaveSet(cx, e, 1, cx.db.hash);
}

function readPopCount(cx: Context): number {
  const count = parseSafeInteger(cx.buf, cx.start[2], cx.length[2]);
  if (Number.isNaN(count)) {
    const wide = cx.bigInteger(2, NOT_POSITIVE);
    if (wide < 0n) throw NOT_POSITIVE;
    return Number(wide);
  }
  if (count < 0) throw NOT_POSITIVE;
  return count;
}

function popCount(cx: Context): void {
  const count = readPopCount(cx);
  const e = writeSet(cx, 1);
  if (e === 0 || count === 0) {
    cx.reply.set(0);
    return;
  }
  const size = setLength(cx.arena, e);
  cx.changed(1, Event.Set, "spop");
  cx.dirty += Math.min(count, size) - 1;
  if (count >= size) {
    popAll(cx, e);
    return;
  }
  cx.reply.set(count);
  const removals = cx.propagates ? new Removals(cx) : null;
  if ((size - count) * POP_RATIO > count) {
    for (let i = 0; i < count; i++) {
      setRandom(cx.arena, e, cx.engine.keyspace.prng, member);
      writeMember(cx.reply, member);
      removals?.add(member);
      setRemoveAt(cx.arena, e, member);
    }
  } else {
    popAllBut(cx, e, size - count, removals);
  }
  removals?.end();
}

/** Answers the whole set and deletes it. */
function popAll(cx: Context, e: Ref): void {
  const lazy = cx.engine.config.values.lazyfreeLazyServerDel;
  writeAll(cx, e);
  cx.db.remove(e, cx.db.hash, lazy);
  cx.notify(1, Event.Generic, "del");
  if (cx.propagates) cx.propagateAs([lazy ? "UNLINK" : "DEL", cx.bytes(1)]);
}

/** Moves `kept` random members to a set of their own, answers all others, and puts the new set in the place of the old one. */
function popAllBut(cx: Context, e: Ref, kept: number, removals: Removals | null): void {
  const { arena: a } = cx;
  // As in Redis, what stays begins small: a table may become a listpack here.
  const encoding = entryEncoding(a, e) === Encoding.Intset ? Encoding.Intset : Encoding.Listpack;
  const rest = setCreate(a, NO_KEY, 0, 0, 0, encoding);
  const limits = setLimits(cx);
  for (let i = 0; i < kept; i++) {
    setRandom(a, e, cx.engine.keyspace.prng, member);
    setAddMember(a, rest, member, limits);
    setRemoveAt(a, e, member);
  }
  setWalkStart(a, e, walk);
  while (setWalkNext(a, walk)) {
    writeMember(cx.reply, walk.member);
    removals?.add(walk.member);
  }
  const [root, of] = [containerRoot(a, e), entryEncoding(a, e)];
  setContainerRoot(a, e, containerRoot(a, rest));
  setEntryEncoding(a, e, entryEncoding(a, rest));
  setContainerRoot(a, rest, root);
  setEntryEncoding(a, rest, of);
  entryDiscard(a, rest);
}

export const SET_SAMPLE_COMMANDS = [
  command({
    name: "srandmember",
    arity: -2,
    flags: Flag.Readonly,
    since: "1.0.0",
    group: "set",
    summary: "Answers random members of a set.",
    complexity: "O(1) without a count, O(N) for a count of N, whatever its sign.",
    categories: ["set"],
    keys: [oneKey("RO access")],
    syntax: "key:key [count:integer@2.6.0]",
    tips: ["nondeterministic_output"],
    history: [["2.6.0", "The argument `count`."]],
    run: randomMembers,
  }),
  command({
    name: "spop",
    arity: -2,
    flags: Flag.Write | Flag.Fast,
    since: "1.0.0",
    group: "set",
    summary: "Removes random members from a set and answers them; the last one takes the set with it.",
    complexity: "O(1) without a count, O(N) for a count of N.",
    categories: ["set"],
    keys: [oneKey("RW access delete")],
    syntax: "key:key [count:integer@3.2.0]",
    tips: ["nondeterministic_output"],
    history: [["3.2.0", "The argument `count`."]],
    run: pop,
  }),
];
