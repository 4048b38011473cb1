/** Values as payloads that can be kept and moved: DUMP, RESTORE, RESTORE-ASKING. */
import type { Ref } from "../../arena/arena.ts";
import { bigIntHigh, bigIntLow } from "../../base/int64.ts";
import { Origin } from "../../engine/client/client.ts";
import { type Context, command } from "../../engine/context.ts";
import { Event } from "../../engine/effects.ts";
import { readingLimits } from "../../engine/rdb-limits.ts";
import { type CommandLiteral, Flag, oneKey } from "../../engine/spec/spec.ts";
import { ExpiryMode } from "../../keyspace/key-rules.ts";
import { dumpValue, payloadIsSound, restoreValue } from "../../rdb/dump.ts";
import { RdbError } from "../../rdb/error.ts";
import { BUSY_KEY, ReplyError } from "../../resp/errors.ts";
import { setEntryAccess, setEntryExpiry } from "../../types/entry.ts";
import { entryMove } from "../../types/value.ts";

const BAD_TTL = new ReplyError("ERR Invalid TTL value, must be >= 0");
const BAD_IDLE_TIME = new ReplyError("ERR Invalid IDLETIME value, must be >= 0");
const BAD_FREQUENCY = new ReplyError("ERR Invalid FREQ value, must be >= 0 and <= 255");
const BAD_FOOTER = new ReplyError("ERR DUMP payload version or checksum are wrong");
const BAD_VALUE = new ReplyError("ERR Bad data format");

const FREQUENCY_MAX = 255n;

function dump(cx: Context): void {
  const e = cx.lookupRead(1);
  if (e === 0) {
    cx.reply.nil();
    return;
  }
  const { personality, values } = cx.engine.config;
  const payload = dumpValue(cx.arena, e, personality.rdbVersion, values.rdbcompression);
  cx.reply.bulk(payload, 0, payload.length);
}

/** The arguments of RESTORE behind the payload. -1: not given. */
interface RestoreOptions {
  replaces: boolean;
  isAbsolute: boolean;
  idleSeconds: number;
  frequency: number;
}

function readOptions(cx: Context): RestoreOptions {
  const options: RestoreOptions = { replaces: false, isAbsolute: false, idleSeconds: -1, frequency: -1 };
  for (let i = 4; i < cx.argc; i++) {
    const hasValue = i + 1 < cx.argc;
    if (cx.isToken(i, "replace")) {
      options.replaces = true;
    } else if (cx.isToken(i, "absttl")) {
      options.isAbsolute = true;
    } else if (cx.isToken(i, "idletime") && hasValue && options.frequency < 0) {
      const seconds = cx.bigInteger(++i);
      if (seconds < 0n) throw BAD_IDLE_TIME;
      options.idleSeconds = Number(seconds);
    } else if (cx.isToken(i, "freq") && hasValue && options.idleSeconds < 0) {
      const frequency = cx.bigInteger(++i);
      if (frequency < 0n || frequency > FREQUENCY_MAX) throw BAD_FREQUENCY;
      options.frequency = Number(frequency);
    } else {
      cx.syntaxError();
    }
  }
  return options;
}

/** Is a value that this client brings looked through for keys that come twice? */
function isDeep(cx: Context): boolean {
  const { sanitizeDumpPayload } = cx.engine.config.values;
  if (sanitizeDumpPayload !== "clients") return sanitizeDumpPayload === "yes";
  const { origin } = cx.client;
  return origin !== Origin.Aof && origin !== Origin.Primary;
}

/** The value in argument 3 as an entry of its own. */
function readValue(cx: Context): Ref {
  const { buf, start, length, engine } = cx;
  const { personality } = engine.config;
  if (!payloadIsSound(buf, start[3], length[3], personality.rdbVersionMax, engine.debug.skipsChecksums))
    throw BAD_FOOTER;
  const isChecked = isDeep(cx);
  const limits = readingLimits(engine, isChecked);
  const onUnread = isChecked ? undefined : (error: RdbError) => tellUnread(cx, error);
  try {
    return restoreValue(cx.arena, limits, buf, start[1], length[1], buf, start[3], length[3], onUnread);
  } catch (error) {
    if (!(error instanceof RdbError)) throw error;
    engine.log.verbose(`Internal error in RDB reading offset ${error.offset}, function at restore -> ${error.text}`);
    throw BAD_VALUE;
  }
}

/** Redis takes such a value, and goes down when it is used. The words are those that it then leaves in its log. */
function tellUnread(cx: Context, { text }: RdbError): void {
  cx.engine.log.warning(
    `=== ASSERTION FAILED === Guru Meditation: RESTORE took a value unseen that cannot be read; no command will use it. Key: ${cx.text(1)}; ${text}`,
  );
}

function restore(cx: Context): void {
  const options = readOptions(cx);
  const { db, engine } = cx;
  if (!options.replaces && cx.lookupWrite(1) !== 0) throw BUSY_KEY;
  const ttl = cx.bigInteger(2);
  if (ttl < 0n) throw BAD_TTL;
  let e = readValue(cx);
  const old = options.replaces ? db.find(cx.buf, cx.start[1], cx.length[1]) : 0;
  if (old !== 0) db.remove(old, db.hash, engine.config.values.lazyfreeLazyServerDel);
  // Beyond the greatest int64 a time wraps, as in Redis, and is over.
  const expiry = ttl === 0n || options.isAbsolute ? ttl : BigInt.asIntN(64, ttl + BigInt(cx.nowMs));
  if (ttl !== 0n && expiry <= BigInt(cx.nowMs) && engine.keyspace.expiryMode === ExpiryMode.Delete) {
    engine.keyspace.discard(e);
    if (old !== 0) replacedByNothing(cx);
    cx.reply.ok();
    return;
  }
  if (ttl !== 0n) {
    e = entryMove(cx.arena, e, true);
    setEntryExpiry(cx.arena, e, bigIntLow(expiry), bigIntHigh(expiry));
  }
  setEntryAccess(cx.arena, e, engine.keyspace.accessOfUsed(options.idleSeconds, options.frequency));
  db.find(cx.buf, cx.start[1], cx.length[1]);
  db.insert(e, db.hash);
  cx.notify(1, Event.New, "new");
  cx.changed(1, Event.Generic, "restore");
  if (ttl !== 0n && !options.isAbsolute && cx.propagates) propagateAbsolute(cx, expiry);
  cx.reply.ok();
}

/** The old value is gone, and the time of the new one is over already. */
function replacedByNothing(cx: Context): void {
  cx.changed(1, Event.Generic, "del");
  if (cx.propagates) {
    const { lazyfreeLazyServerDel } = cx.engine.config.values;
    cx.propagateAs([lazyfreeLazyServerDel ? "UNLINK" : "DEL", cx.bytes(1)]);
  }
}

function propagateAbsolute(cx: Context, expiry: bigint): void {
  const parts: (Uint8Array | string)[] = [];
  for (let i = 0; i < cx.argc; i++) parts.push(i === 2 ? String(expiry) : cx.bytes(i));
  parts.push("ABSTTL");
  cx.propagateAs(parts);
}

function restorer(
  name: string,
  since: string,
  group: "generic" | "server",
  flags: number,
  summary: string,
): CommandLiteral {
  return command({
    name,
    arity: -4,
    flags: Flag.Write | Flag.DenyOom | flags,
    since,
    group,
    summary,
    complexity:
      "O(1) for a short string; O(N*M) for N elements of M bytes on average, and for sorted sets O(N*M*log(N)).",
    categories: ["keyspace", "dangerous"],
    keys: [oneKey("OW update")],
    syntax:
      "key:key ttl:integer serialized-value [REPLACE@3.0.0] [ABSTTL@5.0.0] [IDLETIME seconds:integer@5.0.0] [FREQ frequency:integer@5.0.0]",
    history: [
      ["3.0.0", "The option `REPLACE`."],
      ["5.0.0", "The option `ABSTTL`."],
      ["5.0.0", "The options `IDLETIME` and `FREQ`."],
    ],
    ...(group === "server" ? { docFlags: ["syscmd" as const] } : {}),
    run: restore,
  });
}

export const DUMP_COMMANDS: readonly CommandLiteral[] = [
  command({
    name: "dump",
    arity: 2,
    flags: Flag.Readonly,
    since: "2.6.0",
    group: "generic",
    summary: "Answers a payload of a value, from which RESTORE makes the value again.",
    complexity: "O(1) for a short string; O(N*M) for N elements of M bytes on average.",
    categories: ["keyspace"],
    keys: [oneKey("RO access")],
    syntax: "key:key",
    tips: ["nondeterministic_output"],
    run: dump,
  }),
  restorer("restore", "2.6.0", "generic", 0, "Makes a key of a payload that DUMP has answered."),
  restorer("restore-asking", "3.0.0", "server", Flag.Asking, "What RESTORE does, for keys that move within a cluster."),
];
