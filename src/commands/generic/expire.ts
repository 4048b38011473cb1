/** Expiry of keys: EXPIRE, PEXPIRE, EXPIREAT, PEXPIREAT, TTL, PTTL, EXPIRETIME, PEXPIRETIME, PERSIST. */
import type { Ref } from "../../arena/arena.ts";
import { bigIntHigh, bigIntLow, int64High, int64Low, parseSafeInteger } from "../../base/int64.ts";
import { type Context, command } from "../../engine/context.ts";
import { Event } from "../../engine/effects.ts";
import { type CommandLiteral, Flag, oneKey } from "../../engine/spec/spec.ts";
import { ExpiryMode } from "../../keyspace/key-rules.ts";
import { invalidExpire, ReplyError } from "../../resp/errors.ts";
import { entryExpiry, entryExpiryBig, entryHasExpiry } from "../../types/entry.ts";

/** Conditions under which an expiry is set. */
const If = { None: 1 << 0, Any: 1 << 1, Greater: 1 << 2, Less: 1 << 3 } as const;

const CONFLICT = new ReplyError("ERR NX and XX, GT or LT options at the same time are not compatible");
const GREATER_AND_LESS = new ReplyError("ERR GT and LT options at the same time are not compatible");

const INT64_MAX = 9223372036854775807n;
/** Largest magnitude of seconds that fits an int64 of milliseconds. */
const SECONDS_MAX = INT64_MAX / 1000n;

/** The conditions in the arguments from the fourth on. */
function readConditions(cx: Context): number {
  let conditions = 0;
  for (let i = 3; i < cx.argc; i++) {
    if (cx.isToken(i, "nx")) conditions |= If.None;
    else if (cx.isToken(i, "xx")) conditions |= If.Any;
    else if (cx.isToken(i, "gt")) conditions |= If.Greater;
    else if (cx.isToken(i, "lt")) conditions |= If.Less;
    // Redis shows it as a C string: up to the first zero byte.
    else throw new ReplyError(`ERR Unsupported option ${cx.text(i).split("\0", 1)[0]}`);
  }
  if ((conditions & If.None) !== 0 && conditions !== If.None) throw CONFLICT;
  if ((conditions & If.Greater) !== 0 && (conditions & If.Less) !== 0) throw GREATER_AND_LESS;
  return conditions;
}

/** The latest time read: Unix time in ms as a number (rounded when not exact), and as int64 halves. */
const time = { ms: 0, exact: true, low: 0, high: 0 };

/** Reads argument 2 into `time`: `unitMs` is the length of its unit, `baseMs` what it counts from. Negative times are fine, overflows are not. */
function readTime(cx: Context, unitMs: number, baseMs: number): void {
  const scaled = parseSafeInteger(cx.buf, cx.start[2], cx.length[2]) * unitMs;
  const ms = scaled + baseMs;
  if (!(Math.abs(scaled) <= Number.MAX_SAFE_INTEGER && ms <= Number.MAX_SAFE_INTEGER)) {
    readWideTime(cx, unitMs, baseMs);
    return;
  }
  time.ms = ms;
  time.exact = true;
  time.low = int64Low(ms);
  time.high = int64High(ms);
}

/** A time whose steps do not all fit into 2^53. */
function readWideTime(cx: Context, unitMs: number, baseMs: number): void {
  let ms = cx.bigInteger(2);
  if (unitMs === 1000) {
    if (ms > SECONDS_MAX || ms < -SECONDS_MAX) throw invalidExpire(cx.spec.fullName);
    ms *= 1000n;
  }
  ms += BigInt(baseMs);
  if (ms > INT64_MAX) throw invalidExpire(cx.spec.fullName);
  time.ms = Number(ms);
  time.exact = false;
  time.low = bigIntLow(ms);
  time.high = bigIntHigh(ms);
}

function timeBig(): bigint {
  return (BigInt(time.high) << 32n) | BigInt(time.low >>> 0);
}

/** Sign of (`time` - the expiry of `e`, which has one). */
function compareTime(cx: Context, e: Ref): number {
  // A rounded expiry is still on the right side of an exact time.
  if (time.exact) return time.ms - entryExpiry(cx.arena, e);
  const difference = timeBig() - entryExpiryBig(cx.arena, e);
  return difference > 0n ? 1 : difference < 0n ? -1 : 0;
}

/** May the key's expiry be set to `time`? A key without one counts as living for ever. */
function conditionsHold(cx: Context, e: Ref, conditions: number): boolean {
  if (!entryHasExpiry(cx.arena, e)) return (conditions & (If.Any | If.Greater)) === 0;
  if ((conditions & If.None) !== 0) return false;
  if ((conditions & If.Greater) !== 0) return compareTime(cx, e) > 0;
  return (conditions & If.Less) === 0 || compareTime(cx, e) < 0;
}

function expire(cx: Context, unitMs: number, baseMs: number): void {
  const conditions = cx.argc > 3 ? readConditions(cx) : 0;
  readTime(cx, unitMs, baseMs);
  const e = cx.lookupWrite(1);
  if (e === 0 || (conditions !== 0 && !conditionsHold(cx, e, conditions))) {
    cx.reply.integer(0);
    return;
  }
  // Only who decides about expiry himself deletes at once: a replica waits for its primary's word, a file is loaded as it is.
  if (time.ms <= cx.nowMs && cx.engine.keyspace.expiryMode === ExpiryMode.Delete) {
    const lazy = cx.engine.config.values.lazyfreeLazyExpire;
    cx.db.remove(e, cx.db.hash, lazy);
    cx.changed(1, Event.Generic, "del");
    if (cx.propagates) cx.propagateAs([lazy ? "UNLINK" : "DEL", cx.bytes(1)]);
  } else {
    cx.db.setExpiry(e, cx.db.hash, time.low, time.high);
    cx.changed(1, Event.Generic, "expire");
    if (cx.propagates) propagateAbsolute(cx);
  }
  cx.reply.integer(1);
}

/** Propagates the command with the time as milliseconds since the epoch; conditions are kept. */
function propagateAbsolute(cx: Context): void {
  const parts: (Uint8Array | string)[] = [cx.spec.name === "pexpireat" ? cx.bytes(0) : "PEXPIREAT", cx.bytes(1)];
  parts.push(String(timeBig()));
  for (let i = 3; i < cx.argc; i++) parts.push(cx.bytes(i));
  cx.propagateAs(parts);
}

/** Answers what is left of a key's time (`absolute`: when it ends), in units of `unitMs`; -1 without expiry, -2 without key. */
function timeToLive(cx: Context, unitMs: number, absolute: boolean): void {
  const e = cx.lookupUntouched(1);
  if (e === 0 || !entryHasExpiry(cx.arena, e)) {
    cx.reply.integer(e === 0 ? -2 : -1);
    return;
  }
  const expiryMs = entryExpiry(cx.arena, e);
  if (expiryMs > Number.MAX_SAFE_INTEGER) {
    const ms = entryExpiryBig(cx.arena, e) - (absolute ? 0n : BigInt(cx.nowMs));
    cx.reply.bigInteger(unitMs === 1 ? ms : (ms + 500n) / 1000n);
    return;
  }
  const ms = Math.max(0, absolute ? expiryMs : expiryMs - cx.nowMs);
  cx.reply.integer(unitMs === 1 ? ms : Math.floor((ms + 500) / 1000));
}

function setter(
  name: string,
  since: string,
  argument: string,
  summary: string,
  run: (cx: Context) => void,
): CommandLiteral {
  return command({
    name,
    arity: -3,
    flags: Flag.Write | Flag.Fast,
    since,
    group: "generic",
    summary,
    complexity: "O(1)",
    categories: ["keyspace"],
    keys: [oneKey("RW update")],
    syntax: `key:key ${argument} [condition=<NX | XX | GT | LT>@7.0.0]`,
    history: [["7.0.0", "The conditions `NX`, `XX`, `GT` and `LT`."]],
    run,
  });
}

function getter(
  name: string,
  since: string,
  summary: string,
  run: (cx: Context) => void,
  relative: boolean,
): CommandLiteral {
  return command({
    name,
    arity: 2,
    flags: Flag.Readonly | Flag.Fast,
    since,
    group: "generic",
    summary,
    complexity: "O(1)",
    categories: ["keyspace"],
    keys: [oneKey("RO access")],
    syntax: "key:key",
    ...(relative ? { tips: ["nondeterministic_output"], history: [["2.8.0", "Answers -2 for a missing key."]] } : {}),
    run,
  });
}

export const EXPIRE_COMMANDS: readonly CommandLiteral[] = [
  setter("expire", "1.0.0", "seconds:integer", "Lets a key expire after some seconds.", (cx) =>
    expire(cx, 1000, cx.nowMs),
  ),
  setter("pexpire", "2.6.0", "milliseconds:integer", "Lets a key expire after some milliseconds.", (cx) =>
    expire(cx, 1, cx.nowMs),
  ),
  setter("expireat", "1.2.0", "unix-time-seconds:unix-time", "Lets a key expire at a Unix time in seconds.", (cx) =>
    expire(cx, 1000, 0),
  ),
  setter(
    "pexpireat",
    "2.6.0",
    "unix-time-milliseconds:unix-time",
    "Lets a key expire at a Unix time in milliseconds.",
    (cx) => expire(cx, 1, 0),
  ),
  getter("ttl", "1.0.0", "Tells in how many seconds a key expires.", (cx) => timeToLive(cx, 1000, false), true),
  getter("pttl", "2.6.0", "Tells in how many milliseconds a key expires.", (cx) => timeToLive(cx, 1, false), true),
  getter(
    "expiretime",
    "7.0.0",
    "Tells at which Unix time in seconds a key expires.",
    (cx) => timeToLive(cx, 1000, true),
    false,
  ),
  getter(
    "pexpiretime",
    "7.0.0",
    "Tells at which Unix time in milliseconds a key expires.",
    (cx) => timeToLive(cx, 1, true),
    false,
  ),
  command({
    name: "persist",
    arity: 2,
    flags: Flag.Write | Flag.Fast,
    since: "2.2.0",
    group: "generic",
    summary: "Takes a key's expiry away.",
    complexity: "O(1)",
    categories: ["keyspace"],
    keys: [oneKey("RW update")],
    syntax: "key:key",
    run(cx) {
      const e = cx.lookupWrite(1);
      if (e === 0 || !entryHasExpiry(cx.arena, e)) {
        cx.reply.integer(0);
        return;
      }
      cx.db.clearExpiry(e, cx.db.hash);
      cx.changed(1, Event.Generic, "persist");
      cx.reply.integer(1);
    },
  }),
];
