/** Times to live of fields: HEXPIRE, HPEXPIRE, HEXPIREAT, HPEXPIREAT, HTTL, HPTTL, HEXPIRETIME, HPEXPIRETIME, HPERSIST. */
import type { Ref } from "../../arena/arena.ts";
import { type Context, command } from "../../engine/context.ts";
import { type CommandLiteral, Flag, oneKey } from "../../engine/spec/spec.ts";
import {
  hashDeleteFound,
  hashExpireFound,
  hashFind,
  hashPersistFound,
  hashPrepareExpiry,
} from "../../types/hash/hash.ts";
import { changedFields, leave, propagateFieldDeletion, readHash, slot, writeHash } from "./access.ts";
import { fields, isPastTime, NOT_A_COUNT, NOT_ABOVE_ZERO, readFields, readFieldTime } from "./field-arguments.ts";

/** What becomes of a field, as replies have it. */
const Outcome = { NoField: -2, NoTime: -1, Refused: 0, Done: 1, Deleted: 2 } as const;

/** Conditions under which a time is set. */
const If = { Always: 0, None: 1, Any: 2, Greater: 3, Less: 4 } as const;

function conditionAt(cx: Context, i: number): number {
  if (cx.length[i] !== 2) return If.Always;
  if (cx.isToken(i, "nx")) return If.None;
  if (cx.isToken(i, "xx")) return If.Any;
  if (cx.isToken(i, "gt")) return If.Greater;
  return cx.isToken(i, "lt") ? If.Less : If.Always;
}

/** May a field that expires at `oldMs` (0: never) get the time `ms`? */
function holds(condition: number, oldMs: number, ms: number): boolean {
  if (oldMs === 0) return condition !== If.Any && condition !== If.Greater;
  if (condition === If.None) return false;
  if (condition === If.Greater) return ms > oldMs;
  return condition !== If.Less || ms < oldMs;
}

/** Answers the same for each of the fields: there is no hash. */
function answerNoFields(cx: Context): void {
  cx.reply.array(fields.to - fields.from);
  for (let i = fields.from; i < fields.to; i++) cx.reply.integer(Outcome.NoField);
}

/** Fields that the command has changed: positions of arguments. */
const changed: number[] = [];

/** HEXPIRE and its like. */
function expire(cx: Context, unitMs: number, baseMs: number): void {
  const e = writeHash(cx);
  const ms = readFieldTime(cx, 2, unitMs, baseMs);
  let conditionArg = 3;
  let condition = conditionAt(cx, 3);
  // The condition may also follow the fields.
  const trailing = (i: number): boolean => {
    conditionArg = i;
    condition = conditionAt(cx, i);
    return condition !== If.Always;
  };
  if (condition === If.Always) readFields(cx, 3, NOT_ABOVE_ZERO, trailing);
  else readFields(cx, 4, NOT_ABOVE_ZERO);
  if (e === 0) {
    answerNoFields(cx);
    return;
  }
  hashPrepareExpiry(cx.arena, e);
  const past = isPastTime(cx, ms);
  changed.length = 0;
  cx.reply.array(fields.to - fields.from);
  for (let i = fields.from; i < fields.to; i++) {
    const outcome = expireField(cx, e, i, ms, condition, past);
    if (outcome === Outcome.Done || outcome === Outcome.Deleted) changed.push(i);
    cx.reply.integer(outcome);
  }
  if (changed.length === 0) return;
  changedFields(cx, e, changed.length, past ? "hdel" : "hexpire");
  if (past) {
    cx.propagateNothing();
    leave(cx, e);
  } else if (cx.propagates) {
    propagateTimes(cx, ms, condition === If.Always ? 0 : conditionArg);
  }
}

/** Sets the time of the field in argument `i`, or deletes it when that is past. */
function expireField(cx: Context, e: Ref, i: number, ms: number, condition: number, past: boolean): number {
  if (!hashFind(cx.arena, e, cx.buf, cx.start[i], cx.length[i], slot)) return Outcome.NoField;
  if (!holds(condition, slot.expiryMs, ms)) return Outcome.Refused;
  if (past) {
    propagateFieldDeletion(cx, i);
    hashDeleteFound(cx.arena, e, slot);
    cx.engine.keyspace.expiredFields++;
    return Outcome.Deleted;
  }
  hashExpireFound(cx.arena, e, slot, ms);
  return Outcome.Done;
}

/** Propagates the times as milliseconds since the epoch, for the fields that got them. `conditionArg` is 0 without condition. */
function propagateTimes(cx: Context, ms: number, conditionArg: number): void {
  const parts: (Uint8Array | string)[] = ["HPEXPIREAT", cx.bytes(1), String(ms)];
  if (conditionArg > 0) parts.push(cx.bytes(conditionArg));
  parts.push("FIELDS", String(changed.length));
  for (const i of changed) parts.push(cx.bytes(i));
  cx.propagateAs(parts);
}

/** HTTL and its like: what is left of the fields' times (`baseMs` is now), or when they end (`baseMs` is 0), in units of `unitMs`, rounded up. */
function timesToLive(cx: Context, unitMs: number, baseMs: number): void {
  const e = readHash(cx);
  readFields(cx, 2, NOT_A_COUNT);
  if (e === 0) {
    answerNoFields(cx);
    return;
  }
  cx.reply.array(fields.to - fields.from);
  for (let i = fields.from; i < fields.to; i++) {
    if (!hashFind(cx.arena, e, cx.buf, cx.start[i], cx.length[i], slot)) cx.reply.integer(Outcome.NoField);
    else if (slot.expiryMs === 0) cx.reply.integer(Outcome.NoTime);
    else if (slot.expiryMs < cx.nowMs) cx.reply.integer(Outcome.NoField);
    else cx.reply.integer(Math.ceil((slot.expiryMs - baseMs) / unitMs));
  }
}

/** HPERSIST. */
function persist(cx: Context): void {
  const e = writeHash(cx);
  readFields(cx, 2, NOT_A_COUNT);
  if (e === 0) {
    answerNoFields(cx);
    return;
  }
  let count = 0;
  cx.reply.array(fields.to - fields.from);
  for (let i = fields.from; i < fields.to; i++) {
    const outcome = persistField(cx, e, i);
    if (outcome === Outcome.Done) count++;
    cx.reply.integer(outcome);
  }
  if (count > 0) changedFields(cx, e, 1, "hpersist");
}

function persistField(cx: Context, e: Ref, i: number): number {
  if (!hashFind(cx.arena, e, cx.buf, cx.start[i], cx.length[i], slot)) return Outcome.NoField;
  if (slot.expiryMs === 0) return Outcome.NoTime;
  if (cx.engine.keyspace.isExpired(slot.expiryMs)) return Outcome.NoField;
  hashPersistFound(cx.arena, e, slot);
  return Outcome.Done;
}

function setter(name: string, argument: string, summary: string, run: (cx: Context) => void): CommandLiteral {
  return command({
    name,
    arity: -6,
    flags: Flag.Write | Flag.DenyOom | Flag.Fast,
    since: "7.4.0",
    group: "hash",
    summary,
    complexity: "O(N) for N fields.",
    categories: ["hash"],
    keys: [oneKey("RW update")],
    syntax: `key:key ${argument} condition=[NX | XX | GT | LT] FIELDS fields=<numfields:integer field ...>`,
    run,
  });
}

function getter(name: string, summary: string, relative: boolean, run: (cx: Context) => void): CommandLiteral {
  return command({
    name,
    arity: -5,
    flags: Flag.Readonly | Flag.Fast,
    since: "7.4.0",
    group: "hash",
    summary,
    complexity: "O(N) for N fields.",
    categories: ["hash"],
    keys: [oneKey("RO access")],
    syntax: "key:key FIELDS fields=<numfields:integer field ...>",
    ...(relative ? { tips: ["nondeterministic_output"] } : {}),
    run,
  });
}

export const HASH_EXPIRE_COMMANDS: readonly CommandLiteral[] = [
  setter("hexpire", "seconds:integer", "Lets fields of a hash expire after some seconds.", (cx) =>
    expire(cx, 1000, cx.nowMs),
  ),
  setter("hpexpire", "milliseconds:integer", "Lets fields of a hash expire after some milliseconds.", (cx) =>
    expire(cx, 1, cx.nowMs),
  ),
  setter("hexpireat", "unix-time-seconds:unix-time", "Lets fields of a hash expire at a Unix time in seconds.", (cx) =>
    expire(cx, 1000, 0),
  ),
  setter(
    "hpexpireat",
    "unix-time-milliseconds:unix-time",
    "Lets fields of a hash expire at a Unix time in milliseconds.",
    (cx) => expire(cx, 1, 0),
  ),
  getter("httl", "Tells in how many seconds fields of a hash expire.", true, (cx) => timesToLive(cx, 1000, cx.nowMs)),
  getter("hpttl", "Tells in how many milliseconds fields of a hash expire.", true, (cx) =>
    timesToLive(cx, 1, cx.nowMs),
  ),
  getter("hexpiretime", "Tells at which Unix time in seconds fields of a hash expire.", false, (cx) =>
    timesToLive(cx, 1000, 0),
  ),
  getter("hpexpiretime", "Tells at which Unix time in milliseconds fields of a hash expire.", false, (cx) =>
    timesToLive(cx, 1, 0),
  ),
  command({
    name: "hpersist",
    arity: -5,
    flags: Flag.Write | Flag.Fast,
    since: "7.4.0",
    group: "hash",
    summary: "Takes the times to live of fields of a hash away.",
    complexity: "O(N) for N fields.",
    categories: ["hash"],
    keys: [oneKey("RW update")],
    syntax: "key:key FIELDS fields=<numfields:integer field ...>",
    run: persist,
  }),
];
