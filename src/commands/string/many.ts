/** MGET, MSET and their relatives: whole values of many keys. */

import { type Context, command } from "../../engine/context.ts";
import { Event } from "../../engine/effects.ts";
import { countedKeys, Flag, keysToEnd } from "../../engine/spec/spec.ts";
import { KEEP_EXPIRY, NO_EXPIRY } from "../../keyspace/database.ts";
import { ReplyError, wrongArity } from "../../resp/errors.ts";
import { entryType, setEntryExpiry, Type } from "../../types/entry.ts";
import { ByteSpan, readString } from "../../types/string.ts";
import { EXPIRIES, expiry, expiryText, isPastExpiry, Opt, options, parseOptions, readExpiry } from "./options.ts";
import { storeArgument } from "./store.ts";

const MSETEX_OPTIONS = Opt.Nx | Opt.Xx | EXPIRIES | Opt.KeepTtl;
const NUMKEYS_MAX = 0x7fffffff;
const BAD_NUMKEYS = new ReplyError("ERR invalid numkeys value");
const BAD_PAIRS = new ReplyError("ERR wrong number of key-value pairs");

const span = new ByteSpan();

/** Stores the pairs in arguments `from` to `end - 1`; a key may occur twice, so each is looked up in its turn. */
function storePairs(cx: Context, from: number, end: number, expiryMs: number): void {
  for (let i = from; i < end; i += 2) storeArgument(cx, i, i + 1, cx.lookupWrite(i), expiryMs, false);
}

/** How many of the keys in arguments `from`, `from + 2` ... exist. */
function countExisting(cx: Context, from: number, end: number): number {
  let count = 0;
  for (let i = from; i < end; i += 2) if (cx.lookupWrite(i) !== 0) count++;
  return count;
}

function setMany(cx: Context): void {
  const numKeys = cx.integerIn(1, 1, NUMKEYS_MAX, BAD_NUMKEYS);
  const end = 2 + numKeys * 2;
  if (end > cx.argc) throw BAD_PAIRS;
  parseOptions(cx, end, MSETEX_OPTIONS);
  const flags = options.flags;
  const unit = flags & EXPIRIES;
  if (unit !== 0) readExpiry(cx, options.expiryArg, unit);
  if ((flags & (Opt.Nx | Opt.Xx)) !== 0 && countExisting(cx, 2, end) !== ((flags & Opt.Nx) !== 0 ? 0 : numKeys)) {
    cx.reply.integer(0);
    return;
  }
  if (unit === 0) storePairs(cx, 2, end, (flags & Opt.KeepTtl) !== 0 ? KEEP_EXPIRY : NO_EXPIRY);
  else if (isPastExpiry(cx)) deletePast(cx, end);
  else storeExpiring(cx, end, unit);
  cx.reply.integer(1);
}

function storeExpiring(cx: Context, end: number, unit: number): void {
  for (let i = 2; i < end; i += 2) {
    const e = storeArgument(cx, i, i + 1, cx.lookupWrite(i), expiry.ms, false);
    if (!expiry.exact) setEntryExpiry(cx.arena, e, expiry.low, expiry.high);
    cx.notify(i, Event.Generic, "expire");
  }
  if (unit === Opt.Pxat || !cx.propagates) return;
  const parts: (Uint8Array | string)[] = [];
  for (let i = 0; i < cx.argc; i++) parts.push(cx.bytes(i));
  // The option may be repeated: every occurrence takes the form that the last one has.
  for (let i = end; i < cx.argc; i++) {
    const isExpiry = cx.isToken(i, "ex") || cx.isToken(i, "px") || cx.isToken(i, "exat");
    if (!isExpiry) continue;
    parts[i] = "PXAT";
    parts[++i] = expiryText();
  }
  cx.propagateAs(parts);
}

/** The expiry has passed already: the keys go, as they would a moment later. */
function deletePast(cx: Context, end: number): void {
  const lazy = cx.engine.config.values.lazyfreeLazyExpire;
  const parts: (Uint8Array | string)[] = [lazy ? "UNLINK" : "DEL"];
  for (let i = 2; i < end; i += 2) {
    const e = cx.lookupWrite(i);
    if (e === 0) continue;
    cx.db.remove(e, cx.db.hash, lazy);
    cx.changed(i, Event.Generic, "del");
    if (cx.propagates) parts.push(cx.bytes(i));
  }
  if (parts.length > 1) cx.propagateAs(parts);
}

export const MANY_COMMANDS = [
  command({
    name: "mget",
    arity: -2,
    flags: Flag.Readonly | Flag.Fast,
    since: "1.0.0",
    group: "string",
    summary: "Answers the strings that several keys hold; nil for a key without one.",
    complexity: "O(N) where N is the number of keys.",
    categories: ["string"],
    keys: [keysToEnd("RO access")],
    syntax: "key:key ...",
    tips: ["request_policy:multi_shard"],
    run(cx) {
      const argc = cx.argc;
      const reply = cx.reply;
      reply.array(argc - 1);
      for (let i = 1; i < argc; i++) {
        const e = cx.lookupRead(i);
        if (e === 0 || entryType(cx.arena, e) !== Type.String) {
          reply.nil();
          continue;
        }
        readString(cx.arena, e, span);
        reply.bulk(span.buf, span.at, span.length);
      }
    },
  }),
  command({
    name: "mset",
    arity: -3,
    flags: Flag.Write | Flag.DenyOom,
    since: "1.0.1",
    group: "string",
    summary: "Gives several keys strings, all at once.",
    complexity: "O(N) where N is the number of keys.",
    categories: ["string"],
    keys: [keysToEnd("OW update", 1, 2)],
    syntax: "data=<key:key value> ...",
    tips: ["request_policy:multi_shard", "response_policy:all_succeeded"],
    run(cx) {
      if ((cx.argc & 1) === 0) throw wrongArity("mset");
      storePairs(cx, 1, cx.argc, NO_EXPIRY);
      cx.reply.ok();
    },
  }),
  command({
    name: "msetnx",
    arity: -3,
    flags: Flag.Write | Flag.DenyOom,
    since: "1.0.1",
    group: "string",
    summary: "Gives several keys strings, all or none, only if none of the keys exists.",
    complexity: "O(N) where N is the number of keys.",
    categories: ["string"],
    keys: [keysToEnd("OW insert", 1, 2)],
    syntax: "data=<key:key value> ...",
    run(cx) {
      if ((cx.argc & 1) === 0) throw wrongArity("msetnx");
      const free = countExisting(cx, 1, cx.argc) === 0;
      if (free) storePairs(cx, 1, cx.argc, NO_EXPIRY);
      cx.reply.integer(free ? 1 : 0);
    },
  }),
  command({
    name: "msetex",
    arity: -4,
    flags: Flag.Write | Flag.DenyOom,
    since: "8.4.0",
    group: "string",
    summary: "Gives several keys strings and one common expiry, all or none.",
    complexity: "O(N) where N is the number of keys.",
    categories: ["string"],
    keys: [countedKeys("OW update", 1, 2)],
    syntax:
      "numkeys:integer data=<key:key value> ... [condition=<NX | XX>] [expiration=<EX seconds:integer | " +
      "PX milliseconds:integer | EXAT unix-time-seconds:unix-time | PXAT unix-time-milliseconds:unix-time | KEEPTTL>]",
    tips: ["request_policy:multi_shard", "response_policy:all_succeeded"],
    run: setMany,
  }),
];
