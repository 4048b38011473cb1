/** GET, SET and their relatives: whole values of one key. */

import type { Ref } from "../../arena/arena.ts";
import { equalsToken } from "../../base/bytes.ts";
import { type Context, command } from "../../engine/context.ts";
import { Event } from "../../engine/effects.ts";
import { Flag, oneKey } from "../../engine/spec/spec.ts";
import { KEEP_EXPIRY, NO_EXPIRY } from "../../keyspace/database.ts";
import { entryHasExpiry, setEntryExpiry, Type } from "../../types/entry.ts";
import { ByteSpan, readString } from "../../types/string.ts";
import { comparisonHolds } from "./compare.ts";
import {
  COMPARISONS,
  EXPIRIES,
  expiry,
  expiryText,
  isPastExpiry,
  Opt,
  optionAt,
  options,
  parseOptions,
  readExpiry,
} from "./options.ts";
import { deleteKey, deletePastKey, storeArgument } from "./store.ts";

const SET_OPTIONS = Opt.Nx | Opt.Xx | COMPARISONS | Opt.Get | EXPIRIES | Opt.KeepTtl;
const GETEX_OPTIONS = EXPIRIES | Opt.Persist;
const SET_SYNTAX =
  "key:key value condition=[NX | XX | IFEQ ifeq-value@8.4.0 | IFNE ifne-value@8.4.0 | " +
  "IFDEQ ifdeq-digest@8.4.0 | IFDNE ifdne-digest@8.4.0]@2.6.12 [GET@6.2.0] [expiration=<EX seconds:integer@2.6.12 | " +
  "PX milliseconds:integer@2.6.12 | EXAT unix-time-seconds:unix-time@6.2.0 | " +
  "PXAT unix-time-milliseconds:unix-time@6.2.0 | KEEPTTL@6.0.0>]";

const span = new ByteSpan();

/** Looks the key in argument 1 up for reading, demands a string, and answers its value or nil. Returns its entry, or 0. */
function answerValue(cx: Context): Ref {
  const e = cx.lookupRead(1);
  if (e === 0) {
    cx.reply.nil();
    return 0;
  }
  cx.requireType(e, Type.String);
  readString(cx.arena, e, span);
  cx.reply.bulk(span.buf, span.at, span.length);
  return e;
}

/** SET with anything after the value. */
function setWithOptions(cx: Context): void {
  parseOptions(cx, 3, SET_OPTIONS);
  const flags = options.flags;
  const unit = flags & EXPIRIES;
  if (unit !== 0) readExpiry(cx, options.expiryArg, unit);
  const answersOld = (flags & Opt.Get) !== 0;
  const e = answersOld ? answerValue(cx) : cx.lookupWrite(1);
  if (!mayStore(cx, e, flags)) {
    if (!answersOld) cx.reply.nil();
    return;
  }
  if (unit !== 0) {
    storeWithExpiry(cx, 2, e, unit);
  } else {
    storeArgument(cx, 1, 2, e, (flags & Opt.KeepTtl) !== 0 ? KEEP_EXPIRY : NO_EXPIRY, cx.request.owned);
    if (answersOld && cx.propagates) propagateWithoutGet(cx);
  }
  if (!answersOld) cx.reply.ok();
}

/** Whether the condition among SET's options holds for the key's entry (or 0). */
function mayStore(cx: Context, e: Ref, flags: number): boolean {
  if ((flags & Opt.Nx) !== 0) return e === 0;
  if ((flags & Opt.Xx) !== 0) return e !== 0;
  if ((flags & COMPARISONS) === 0) return true;
  if (e === 0) return (flags & (Opt.IfNe | Opt.IfDne)) !== 0;
  cx.requireType(e, Type.String);
  return comparisonHolds(cx, e, flags & COMPARISONS, options.matchArg);
}

/** Stores argument `valueArg` with the expiry just read, or deletes the key when that has passed. `unit` is the option it came from. */
function storeWithExpiry(cx: Context, valueArg: number, e: Ref, unit: number): void {
  if (isPastExpiry(cx)) {
    if (e !== 0) deletePastKey(cx, 1, e);
    return;
  }
  const stored = storeArgument(cx, 1, valueArg, e, expiry.ms, cx.request.owned);
  if (!expiry.exact) setEntryExpiry(cx.arena, stored, expiry.low, expiry.high);
  cx.notify(1, Event.Generic, "expire");
  if (unit !== Opt.Pxat && cx.propagates)
    cx.propagateAs(["SET", cx.bytes(1), cx.bytes(valueArg), "PXAT", expiryText()]);
}

function propagateWithoutGet(cx: Context): void {
  const parts = [cx.bytes(0), cx.bytes(1), cx.bytes(2)];
  for (let i = 3; i < cx.argc; i++) {
    const option = optionAt(cx, i);
    if (option !== Opt.Get) parts.push(cx.bytes(i));
    if ((option & COMPARISONS) !== 0) parts.push(cx.bytes(++i));
  }
  cx.propagateAs(parts);
}

/** SETEX and PSETEX: expiry in argument 2, value in argument 3. */
function setExpiring(cx: Context, unit: number): void {
  readExpiry(cx, 2, unit);
  storeWithExpiry(cx, 3, cx.lookupWrite(1), unit);
  cx.reply.ok();
}

export const VALUE_COMMANDS = [
  command({
    name: "get",
    arity: 2,
    flags: Flag.Readonly | Flag.Fast,
    since: "1.0.0",
    group: "string",
    summary: "Answers the string that a key holds.",
    complexity: "O(1)",
    categories: ["string"],
    keys: [oneKey("RO access")],
    syntax: "key:key",
    run(cx) {
      answerValue(cx);
    },
  }),
  command({
    name: "set",
    arity: -3,
    flags: Flag.Write | Flag.DenyOom,
    since: "1.0.0",
    group: "string",
    summary: "Gives a key a string, whatever it held; conditions, an expiry and the old value as options.",
    complexity: "O(1)",
    categories: ["string"],
    keys: [{ ...oneKey("RW access update variable_flags"), notes: "RW and ACCESS due to the optional `GET` argument" }],
    replaces: true,
    syntax: SET_SYNTAX,
    history: [
      ["2.6.12", "Options `EX`, `PX`, `NX` and `XX`."],
      ["6.0.0", "Option `KEEPTTL`."],
      ["6.2.0", "Options `GET`, `EXAT` and `PXAT`."],
      ["7.0.0", "`NX` and `GET` may stand together."],
      ["8.4.0", "Options `IFEQ`, `IFNE`, `IFDEQ` and `IFDNE`."],
    ],
    getKeys(request, out) {
      out.indexes.push(1);
      out.flags.push("OW update");
      for (let i = 3; i < request.count; i++) {
        if (equalsToken(request.buf, request.start[i], request.length[i], "get")) out.flags[0] = "RW access update";
      }
      return true;
    },
    run(cx) {
      if (cx.argc > 3) {
        setWithOptions(cx);
        return;
      }
      storeArgument(cx, 1, 2, cx.lookupWrite(1), NO_EXPIRY, cx.request.owned);
      cx.reply.ok();
    },
  }),
  command({
    name: "setnx",
    arity: 3,
    flags: Flag.Write | Flag.DenyOom | Flag.Fast,
    since: "1.0.0",
    group: "string",
    summary: "Gives a key a string only if the key does not exist.",
    complexity: "O(1)",
    categories: ["string"],
    keys: [oneKey("OW insert")],
    syntax: "key:key value",
    deprecatedSince: "2.6.12",
    replacedBy: "`SET` with the `NX` argument",
    docFlags: ["deprecated"],
    run(cx) {
      const e = cx.lookupWrite(1);
      if (e === 0) storeArgument(cx, 1, 2, 0, NO_EXPIRY, cx.request.owned);
      cx.reply.integer(e === 0 ? 1 : 0);
    },
  }),
  command({
    name: "setex",
    arity: 4,
    flags: Flag.Write | Flag.DenyOom,
    since: "2.0.0",
    group: "string",
    summary: "Gives a key a string and a time to live in seconds.",
    complexity: "O(1)",
    categories: ["string"],
    keys: [oneKey("OW update")],
    syntax: "key:key seconds:integer value",
    deprecatedSince: "2.6.12",
    replacedBy: "`SET` with the `EX` argument",
    docFlags: ["deprecated"],
    run(cx) {
      setExpiring(cx, Opt.Ex);
    },
  }),
  command({
    name: "psetex",
    arity: 4,
    flags: Flag.Write | Flag.DenyOom,
    since: "2.6.0",
    group: "string",
    summary: "Gives a key a string and a time to live in milliseconds.",
    complexity: "O(1)",
    categories: ["string"],
    keys: [oneKey("OW update")],
    syntax: "key:key milliseconds:integer value",
    deprecatedSince: "2.6.12",
    replacedBy: "`SET` with the `PX` argument",
    docFlags: ["deprecated"],
    run(cx) {
      setExpiring(cx, Opt.Px);
    },
  }),
  command({
    name: "getset",
    arity: 3,
    flags: Flag.Write | Flag.DenyOom | Flag.Fast,
    since: "1.0.0",
    group: "string",
    summary: "Gives a key a string and answers the one it held.",
    complexity: "O(1)",
    categories: ["string"],
    keys: [oneKey("RW access update")],
    replaces: true,
    syntax: "key:key value",
    deprecatedSince: "6.2.0",
    replacedBy: "`SET` with the `!GET` argument",
    docFlags: ["deprecated"],
    run(cx) {
      storeArgument(cx, 1, 2, answerValue(cx), NO_EXPIRY, cx.request.owned);
      if (cx.propagates) cx.propagateAs(["SET", cx.bytes(1), cx.bytes(2)]);
    },
  }),
  command({
    name: "getdel",
    arity: 2,
    flags: Flag.Write | Flag.Fast,
    since: "6.2.0",
    group: "string",
    summary: "Answers the string that a key holds and deletes the key.",
    complexity: "O(1)",
    categories: ["string"],
    keys: [oneKey("RW access delete")],
    replaces: true,
    syntax: "key:key",
    run(cx) {
      const e = answerValue(cx);
      if (e !== 0) deleteKey(cx, 1, e);
    },
  }),
  command({
    name: "getex",
    arity: -2,
    flags: Flag.Write | Flag.Fast,
    since: "6.2.0",
    group: "string",
    summary: "Answers the string that a key holds and sets or removes the key's expiry.",
    complexity: "O(1)",
    categories: ["string"],
    keys: [{ ...oneKey("RW access update"), notes: "RW and UPDATE because it changes the TTL" }],
    syntax:
      "key:key [expiration=<EX seconds:integer | PX milliseconds:integer | EXAT unix-time-seconds:unix-time | " +
      "PXAT unix-time-milliseconds:unix-time | PERSIST>]",
    run(cx) {
      parseOptions(cx, 2, GETEX_OPTIONS);
      const flags = options.flags;
      const e = answerValue(cx);
      if (e === 0 || flags === 0) return;
      if (flags === Opt.Persist) persist(cx, e);
      else expireRead(cx, e, flags);
    },
  }),
];

function persist(cx: Context, e: Ref): void {
  if (!entryHasExpiry(cx.arena, e)) return;
  cx.db.clearExpiry(e, cx.db.hash);
  cx.changed(1, Event.Generic, "persist");
  if (cx.propagates) cx.propagateAs(["PERSIST", cx.bytes(1)]);
}

/** GETEX with an expiry, after the value was answered. An invalid expiry takes the answer back: execute() does so for every error. */
function expireRead(cx: Context, e: Ref, unit: number): void {
  readExpiry(cx, options.expiryArg, unit);
  if (isPastExpiry(cx)) {
    deletePastKey(cx, 1, e);
    return;
  }
  cx.db.setExpiry(e, cx.db.hash, expiry.low, expiry.high);
  cx.changed(1, Event.Generic, "expire");
  if (cx.propagates) cx.propagateAs(["PEXPIREAT", cx.bytes(1), expiryText()]);
}
