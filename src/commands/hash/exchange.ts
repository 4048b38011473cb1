/** Commands that do two things to fields at once: HGETDEL, HGETEX, HSETEX. */
import type { Ref } from "../../arena/arena.ts";
import { type Context, command } from "../../engine/context.ts";
import { Event } from "../../engine/effects.ts";
import { Flag, oneKey } from "../../engine/spec/spec.ts";
import { ReplyError, SYNTAX, wrongArity } from "../../resp/errors.ts";
import {
  hashDelete,
  hashDeleteFound,
  hashExpireFound,
  hashFind,
  hashPersistFound,
  hashPrepareExpiry,
  hashSet,
} from "../../types/hash/hash.ts";
import {
  changedFields,
  findLive,
  hashLimits,
  leave,
  makeRoom,
  newHash,
  propagateFieldDeletion,
  settleFields,
  slot,
  writeHash,
} from "./access.ts";
import { fields, isPastTime, NOT_A_COUNT, readFieldCount, readFields, readFieldTime } from "./field-arguments.ts";

const ONE_CONDITION = new ReplyError("ERR Only one of FXX or FNX arguments can be specified");
const ONE_TIME = new ReplyError("ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified");
const NO_TIME = new ReplyError("ERR missing expire time");
const NO_FIELDS = new ReplyError("ERR missing FIELDS argument");
const NO_COUNT = new ReplyError("ERR invalid number of fields");
/** A number of fields above this is none. */
const COUNT_MAX = 0x7fffffff;

/** Answers the value that findLive left, or nil. */
function answerSlot(cx: Context, found: boolean): void {
  if (found) cx.reply.bulk(slot.value.buf, slot.value.at, slot.value.length);
  else cx.reply.nil();
}

/** Fields that the command has changed: positions of arguments. */
const changed: number[] = [];

function changedParts(cx: Context, head: (string | Uint8Array)[]): (string | Uint8Array)[] {
  for (const i of changed) head.push(cx.bytes(i));
  return head;
}

// ---- HGETDEL

function getAndDelete(cx: Context): void {
  const e = writeHash(cx);
  readFields(cx, 2, NOT_A_COUNT);
  changed.length = 0;
  cx.reply.array(fields.to - fields.from);
  for (let i = fields.from; i < fields.to; i++) {
    const found = e !== 0 && findLive(cx, e, i);
    answerSlot(cx, found);
    if (!found) continue;
    hashDeleteFound(cx.arena, e, slot);
    changed.push(i);
  }
  if (e === 0) return;
  const expired = settleFields(cx, e);
  if (changed.length > 0) {
    changedFields(cx, e, changed.length, "hdel");
    if (cx.propagates) cx.propagateAs(changedParts(cx, ["HDEL", cx.bytes(1)]));
  }
  if (expired || changed.length > 0) leave(cx, e);
}

// ---- times of HGETEX and HSETEX

const Opt = {
  Ex: 1 << 0,
  Px: 1 << 1,
  ExAt: 1 << 2,
  PxAt: 1 << 3,
  Persist: 1 << 4,
  KeepTtl: 1 << 5,
  Fnx: 1 << 6,
  Fxx: 1 << 7,
  Nx: 1 << 8,
  Xx: 1 << 9,
} as const;
const TIMES = Opt.Ex | Opt.Px | Opt.ExAt | Opt.PxAt;

function optionAt(cx: Context, i: number): number {
  switch (cx.length[i]) {
    case 2:
      if (cx.isToken(i, "ex")) return Opt.Ex;
      if (cx.isToken(i, "px")) return Opt.Px;
      if (cx.isToken(i, "nx")) return Opt.Nx;
      return cx.isToken(i, "xx") ? Opt.Xx : 0;
    case 3:
      if (cx.isToken(i, "fnx")) return Opt.Fnx;
      return cx.isToken(i, "fxx") ? Opt.Fxx : 0;
    case 4:
      if (cx.isToken(i, "exat")) return Opt.ExAt;
      return cx.isToken(i, "pxat") ? Opt.PxAt : 0;
    case 7:
      if (cx.isToken(i, "persist")) return Opt.Persist;
      return cx.isToken(i, "keepttl") ? Opt.KeepTtl : 0;
    default:
      return 0;
  }
}

/** Argument `i` as the time of an option of TIMES: Unix time in ms. */
function readTime(cx: Context, i: number, option: number): number {
  const unitMs = (option & (Opt.Ex | Opt.ExAt)) !== 0 ? 1000 : 1;
  return readFieldTime(cx, i, unitMs, (option & (Opt.Ex | Opt.Px)) !== 0 ? cx.nowMs : 0);
}

// ---- HGETEX

function getAndExpire(cx: Context): void {
  const e = writeHash(cx);
  const option = optionAt(cx, 2) & (TIMES | Opt.Persist);
  const ms = (option & TIMES) !== 0 ? readTime(cx, 3, option) : 0;
  let at = 2;
  if (option !== 0) at = option === Opt.Persist ? 3 : 4;
  readFields(cx, at, NOT_A_COUNT);
  changed.length = 0;
  if (e !== 0 && ms > 0) hashPrepareExpiry(cx.arena, e);
  const past = (option & TIMES) !== 0 && isPastTime(cx, ms);
  cx.reply.array(fields.to - fields.from);
  for (let i = fields.from; i < fields.to; i++) {
    const found = e !== 0 && findLive(cx, e, i);
    answerSlot(cx, found);
    if (found && changeTime(cx, e, i, option, ms, past)) changed.push(i);
  }
  if (e === 0) return;
  const expired = settleFields(cx, e);
  if (changed.length > 0) {
    if (past) changedFields(cx, e, changed.length, "hdel");
    else changedFields(cx, e, changed.length, option === Opt.Persist ? "hpersist" : "hexpire");
    propagateTimes(cx, option, ms, past);
  }
  if (expired || past) leave(cx, e);
}

/** Does to the field that findLive left what HGETEX asks for; false when that is nothing. */
function changeTime(cx: Context, e: Ref, i: number, option: number, ms: number, past: boolean): boolean {
  if (option === 0 || (option === Opt.Persist && slot.expiryMs === 0)) return false;
  if (option === Opt.Persist) {
    hashPersistFound(cx.arena, e, slot);
  } else if (past) {
    propagateFieldDeletion(cx, i);
    hashDeleteFound(cx.arena, e, slot);
    cx.engine.keyspace.expiredFields++;
  } else {
    hashExpireFound(cx.arena, e, slot, ms);
  }
  return true;
}

function propagateTimes(cx: Context, option: number, ms: number, past: boolean): void {
  if (past) {
    cx.propagateNothing();
    return;
  }
  if (!cx.propagates) return;
  const count = String(changed.length);
  if (option === Opt.Persist) cx.propagateAs(changedParts(cx, ["HPERSIST", cx.bytes(1), "FIELDS", count]));
  else cx.propagateAs(changedParts(cx, ["HPEXPIREAT", cx.bytes(1), String(ms), "FIELDS", count]));
}

// ---- HSETEX

/** What parseSet found: bits of Opt, the time in ms, and the argument that holds it. */
const options = { flags: 0, ms: 0, timeArg: 0 };

/** Adds an option of HSETEX, unless one is there that excludes it. */
function addOption(option: number): void {
  const { flags } = options;
  if ((option & (TIMES | Opt.KeepTtl)) !== 0 && (flags & (TIMES | Opt.KeepTtl)) !== 0) throw ONE_TIME;
  if ((option & (Opt.Fnx | Opt.Fxx)) !== 0 && (flags & (Opt.Fnx | Opt.Fxx)) !== 0) throw ONE_CONDITION;
  if ((option & (Opt.Nx | Opt.Xx)) !== 0 && (flags & (Opt.Nx | Opt.Xx)) !== 0) throw SYNTAX;
  options.flags |= option;
}

/** Parses HSETEX into `options` and `fields`, which covers fields and values. */
function parseSet(cx: Context): void {
  options.flags = 0;
  options.timeArg = 0;
  for (let i = 2; i < cx.argc; i++) {
    if (cx.isToken(i, "fields")) {
      readPairs(cx, i);
      return;
    }
    const option = optionAt(cx, i);
    if (option === 0 || option === Opt.Persist) throw new ReplyError(`ERR unknown argument: ${cx.text(i)}`);
    addOption(option);
    if ((option & TIMES) === 0) continue;
    if (++i === cx.argc) throw NO_TIME;
    options.ms = readTime(cx, i, option);
    options.timeArg = i;
  }
  throw NO_FIELDS;
}

/** `FIELDS numfields field value ...` at argument `at`, to the end. */
function readPairs(cx: Context, at: number): void {
  if (at >= cx.argc - 3) throw wrongArity(cx.spec.fullName);
  const count = readFieldCount(cx, at + 1, NO_COUNT);
  if (count > COUNT_MAX) throw NO_COUNT;
  fields.from = at + 2;
  fields.to = cx.argc;
  if (fields.to - fields.from !== count * 2) throw wrongArity(cx.spec.fullName);
}

/** Do all fields exist (FXX), or none (FNX)? Fields whose time has come are deleted on the way, up to the first that decides. */
function conditionHolds(cx: Context, e: Ref): boolean {
  const flags = options.flags & (Opt.Fnx | Opt.Fxx);
  if (flags === 0) return true;
  if (e === 0) return flags === Opt.Fnx;
  for (let i = fields.from; i < fields.to; i += 2) if (findLive(cx, e, i) === (flags === Opt.Fnx)) return false;
  return true;
}

function setAndExpire(cx: Context): void {
  parseSet(cx);
  let e = writeHash(cx);
  const { flags, ms } = options;
  const refused = e === 0 ? (flags & Opt.Xx) !== 0 : (flags & Opt.Nx) !== 0;
  const allowed = !refused && conditionHolds(cx, e);
  if (e !== 0 && settleFields(cx, e) && !allowed) leave(cx, e);
  cx.reply.integer(allowed ? 1 : 0);
  if (!allowed) return;
  if (e === 0) e = newHash(cx);
  makeRoom(cx, e, fields.from);
  const timed = (flags & TIMES) !== 0;
  const past = timed && isPastTime(cx, ms);
  setPairs(cx, e, timed || (flags & Opt.KeepTtl) !== 0);
  if (timed) setTimes(cx, e, ms, past);
  changedFields(cx, e, (fields.to - fields.from) >> 1, "hset");
  if (timed) cx.notify(1, Event.Hash, past ? "hdel" : "hexpire");
  if (past) {
    cx.propagateNothing();
    leave(cx, e);
  } else if (cx.propagates) {
    propagateSet(cx);
  }
}

function setPairs(cx: Context, e: Ref, keepTimes: boolean): void {
  const { buf, start, length } = cx;
  const limits = hashLimits(cx);
  for (let i = fields.from; i < fields.to; i += 2)
    hashSet(cx.arena, e, buf, start[i], length[i], buf, start[i + 1], length[i + 1], limits, keepTimes);
}

/** Gives the fields that were set their time, or deletes them when that is past. */
function setTimes(cx: Context, e: Ref, ms: number, past: boolean): void {
  const { arena, buf, start, length } = cx;
  hashPrepareExpiry(arena, e);
  for (let i = fields.from; i < fields.to; i += 2) {
    if (!past) {
      if (hashFind(arena, e, buf, start[i], length[i], slot)) hashExpireFound(arena, e, slot, ms);
    } else if (hashDelete(arena, e, buf, start[i], length[i])) {
      propagateFieldDeletion(cx, i);
      cx.engine.keyspace.expiredFields++;
    }
  }
}

/** Propagates HSETEX with its time as milliseconds since the epoch, and without the conditions on the key, which others may not know. */
function propagateSet(cx: Context): void {
  const { flags, timeArg, ms } = options;
  const parts: (string | Uint8Array)[] = [cx.bytes(0), cx.bytes(1)];
  for (let i = 2; i < cx.argc; i++) {
    if (i < fields.from && (optionAt(cx, i) & (Opt.Nx | Opt.Xx)) !== 0) continue;
    if (i === timeArg - 1 && (flags & Opt.PxAt) === 0) parts.push("PXAT");
    else if (i === timeArg && timeArg > 0) parts.push(String(ms));
    else parts.push(cx.bytes(i));
  }
  cx.propagateAs(parts);
}

const EXPIRATION =
  "EX seconds:integer | PX milliseconds:integer | EXAT unix-time-seconds:unix-time | " +
  "PXAT unix-time-milliseconds:unix-time";

export const HASH_EXCHANGE_COMMANDS = [
  command({
    name: "hgetdel",
    arity: -5,
    flags: Flag.Write | Flag.Fast,
    since: "8.0.0",
    group: "hash",
    summary: "Answers the values of fields of a hash and deletes the fields.",
    complexity: "O(N) for N fields.",
    categories: ["hash"],
    keys: [oneKey("RW access delete")],
    syntax: "key:key FIELDS fields=<numfields:integer field ...>",
    run: getAndDelete,
  }),
  command({
    name: "hgetex",
    arity: -5,
    flags: Flag.Write | Flag.Fast,
    since: "8.0.0",
    group: "hash",
    summary: "Answers the values of fields of a hash and sets or removes their times to live.",
    complexity: "O(N) for N fields.",
    categories: ["hash"],
    keys: [{ ...oneKey("RW access update"), notes: "RW and UPDATE because it changes the TTL" }],
    syntax: `key:key expiration=[${EXPIRATION} | PERSIST] FIELDS fields=<numfields:integer field ...>`,
    run: getAndExpire,
  }),
  command({
    name: "hsetex",
    arity: -6,
    flags: Flag.Write | Flag.DenyOom | Flag.Fast,
    since: "8.0.0",
    group: "hash",
    summary: "Sets fields of a hash, with conditions and a time to live as options.",
    complexity: "O(N) for N fields.",
    categories: ["hash"],
    keys: [oneKey("RW update")],
    syntax: `key:key condition=[FNX | FXX] expiration=[${EXPIRATION} | KEEPTTL] FIELDS fields=<numfields:integer data=<field value> ...>`,
    run: setAndExpire,
  }),
];
