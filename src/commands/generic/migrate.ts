/**
 * MIGRATE: moves keys to another server. Their payloads are sent as RESTORE commands; what the other side has acknowledged is deleted here. The client is parked
 * meanwhile, and everybody's writes wait, so that what is deleted is what was sent. Within a transaction nobody may wait: the whole server stands still then.
 */
import { copyOf, latin1 } from "../../base/bytes.ts";
import { type Client, ClientFlag } from "../../engine/client/client.ts";
import { type Context, command } from "../../engine/context.ts";
import { Event } from "../../engine/effects.ts";
import type { Dialer, Exchange } from "../../engine/peer.ts";
import { commandBytes } from "../../engine/propagation.ts";
import { type CommandLiteral, Flag, type KeyPositions, oneKey } from "../../engine/spec/spec.ts";
import { dumpValue } from "../../rdb/dump.ts";
import { ReplyError, SYNTAX } from "../../resp/errors.ts";
import type { Request } from "../../resp/request.ts";
import { ReplyWriter } from "../../resp/writer.ts";
import { entryExpiry, entryHasExpiry } from "../../types/entry.ts";
import { type Parcel, sendParcel, sendParcelNow } from "./migrate-target.ts";

const KEY_NOT_EMPTY = new ReplyError(
  "ERR When using MIGRATE KEYS option, the key argument must be set to the empty string",
);
const NO_CONNECTION = new ReplyError("IOERR error or timeout connecting to the client");
const DEFAULT_TIMEOUT_MS = 1000;
const NOT_PATIENT = ClientFlag.DenyBlocking | ClientFlag.Internal | ClientFlag.Primary;
const FIRST_OPTION = 6;

interface Options {
  readonly copies: boolean;
  readonly replaces: boolean;
  /** Arguments of AUTH: indexes; empty: none. */
  readonly auth: readonly number[];
  readonly firstKey: number;
  readonly keyCount: number;
}

function readOptions(cx: Context): Options {
  let copies = false;
  let replaces = false;
  let auth: number[] = [];
  for (let i = FIRST_OPTION; i < cx.argc; i++) {
    const more = cx.argc - 1 - i;
    if (cx.isToken(i, "copy")) copies = true;
    else if (cx.isToken(i, "replace")) replaces = true;
    else if (cx.isToken(i, "auth") && more >= 1) auth = [++i];
    else if (cx.isToken(i, "auth2") && more >= 2) auth = [++i, ++i];
    else if (cx.isToken(i, "keys")) {
      if (cx.length[3] !== 0) throw KEY_NOT_EMPTY;
      return { copies, replaces, auth, firstKey: i + 1, keyCount: more };
    } else throw SYNTAX;
  }
  return { copies, replaces, auth, firstKey: 3, keyCount: 1 };
}

/** What a parked MIGRATE waits for and, later, what came of it. */
interface Move {
  readonly copies: boolean;
  /** The keys that were sent, in order: indexes of arguments. */
  readonly keys: readonly number[];
  exchange: Exchange | null;
  /** Replies that come before those of the keys. */
  before: number;
}

const moves = new WeakMap<Client, Move>();

/** The RESTORE commands of the keys that have not expired, whose arguments are added to `sent`. */
function restoreCommands(cx: Context, indexes: readonly number[], replaces: boolean, sent: number[]): Uint8Array {
  const out = new ReplyWriter(4096);
  const { personality, values } = cx.engine.config;
  for (const i of indexes) {
    const e = cx.lookupQuiet(i);
    if (e === 0) continue;
    let ttlMs = 0;
    if (entryHasExpiry(cx.arena, e)) {
      ttlMs = entryExpiry(cx.arena, e) - cx.nowMs;
      if (ttlMs < 0) continue;
      ttlMs = Math.max(1, ttlMs);
    }
    const payload = dumpValue(cx.arena, e, personality.rdbVersion, values.rdbcompression);
    const parts = ["RESTORE", cx.bytes(i), String(ttlMs), payload];
    out.command(replaces ? [...parts, "REPLACE"] : parts);
    sent.push(i);
  }
  return copyOf(out.buf, 0, out.pos);
}

function migrate(cx: Context): void {
  const { client, engine } = cx;
  const move = moves.get(client);
  if (move !== undefined && engine.blocking.isRetrying) {
    moves.delete(client);
    finish(cx, move);
    return;
  }
  const options = readOptions(cx);
  const timeoutMs = cx.integer(5);
  const dbId = cx.integer(4);
  const found: number[] = [];
  for (let i = 0; i < options.keyCount; i++)
    if (cx.lookupRead(options.firstKey + i) !== 0) found.push(options.firstKey + i);
  if (found.length === 0) {
    cx.reply.status("NOKEY");
    return;
  }
  const { dialer } = engine;
  if (dialer === null) throw NO_CONNECTION;
  const keys: number[] = [];
  const commands = restoreCommands(cx, found, options.replaces, keys);
  if (keys.length === 0) {
    cx.reply.ok();
    return;
  }
  const parcel: Parcel = {
    auth: options.auth.length === 0 ? null : commandBytes(["AUTH", ...options.auth.map((i) => cx.bytes(i))]),
    select: commandBytes(["SELECT", String(dbId)]),
    dbId,
    commands,
    count: keys.length,
    timeoutMs: timeoutMs <= 0 ? DEFAULT_TIMEOUT_MS : timeoutMs,
  };
  const port = Number.parseInt(cx.text(2), 10) || 0;
  const { copies } = options;
  if (client.has(NOT_PATIENT)) finish(cx, { copies, keys, ...sendParcelNow(engine, dialer, cx.text(1), port, parcel) });
  else send(cx, parcel, cx.text(1), port, dialer, { copies, keys, exchange: null, before: 0 });
}

/** Parks the client until the parcel has been answered; writes wait as long. */
function send(cx: Context, parcel: Parcel, host: string, port: number, dialer: Dialer, move: Move): void {
  const { client, engine } = cx;
  const { pause, blocking } = engine;
  moves.set(client, move);
  pause.hold();
  cx.park({ firstKey: 0, keyCount: 0, type: 0, timeoutMs: 0, onTimeout: (reply) => reply.error(NO_CONNECTION.text) });
  sendParcel(engine, dialer, host, port, parcel, (exchange, before) => {
    move.exchange = exchange;
    move.before = before;
    engine.startTurn();
    // Those who wait go on at the end of the turn: the keys are deleted before.
    pause.letGo();
    if (!blocking.wake(client)) moves.delete(client);
  });
}

/** The other side has answered, or has not: deletes what it has, and replies. */
function finish(cx: Context, { copies, keys, exchange, before }: Move): void {
  const { lines, problem } = exchange ?? { lines: [], problem: "reading" };
  const refusal = lines.slice(0, before).find((line) => line.startsWith("-"));
  const deleted: Uint8Array[] = [];
  let error: string | null = null;
  for (const [j, i] of keys.entries()) {
    const line = lines[before + j];
    if (line === undefined) break;
    const bad = refusal ?? (line.startsWith("-") ? line : undefined);
    if (bad !== undefined) error ??= `ERR Target instance replied with error: ${bad.slice(1)}`;
    else if (!copies && remove(cx, i)) deleted.push(cx.bytes(i));
  }
  if (deleted.length > 0 && cx.propagates) cx.propagateAs(["DEL", ...deleted]);
  if (error === null && problem !== null)
    error = problem === "connecting" ? NO_CONNECTION.text : `IOERR error or timeout ${problem} to target instance`;
  if (error === null) cx.reply.ok();
  else cx.reply.error(error);
}

function remove(cx: Context, i: number): boolean {
  const e = cx.lookupQuiet(i);
  if (e === 0) return false;
  cx.db.remove(e, cx.db.hash);
  cx.changed(i, Event.Generic, "del");
  return true;
}

/** The key, or those behind KEYS when that is empty; false when both are there, which MIGRATE refuses. */
function migrateKeys(request: Request, out: KeyPositions): boolean {
  const { buf, start, length, count } = request;
  const add = (i: number): void => {
    out.indexes.push(i);
    out.flags.push("RW access delete");
  };
  for (let i = FIRST_OPTION; i < count; i++) {
    const word = latin1(buf, start[i], length[i]).toLowerCase();
    if (word === "auth") i++;
    else if (word === "auth2") i += 2;
    else if (word === "keys") {
      if (length[3] !== 0) return false;
      for (let k = i + 1; k < count; k++) add(k);
      return true;
    }
  }
  add(3);
  return true;
}

function redactMigrate(cx: Context, indexes: Set<number>): void {
  for (let i = FIRST_OPTION; i < cx.argc; i++) {
    if (cx.isToken(i, "keys")) return;
    if (cx.isToken(i, "auth")) indexes.add(++i);
    else if (cx.isToken(i, "auth2")) indexes.add(++i).add(++i);
  }
}

/** MIGRATE. */
export const MIGRATE_COMMANDS: readonly CommandLiteral[] = [
  command({
    name: "migrate",
    arity: -6,
    flags: Flag.Write,
    since: "2.6.0",
    group: "generic",
    summary: "Moves keys to another server, or copies them there.",
    complexity: "That of DUMP and DEL here and of RESTORE there, for each key, and O(N) for sending N bytes.",
    categories: ["keyspace", "dangerous"],
    keys: [
      oneKey("RW access delete", 3),
      {
        flags: "RW access delete incomplete",
        begin: { keyword: "KEYS", startFrom: -2 },
        find: { lastKey: -1, step: 1, limit: 0 },
      },
    ],
    syntax:
      'host port:integer key-selector=<key:key | "\\"\\""> destination-db:integer timeout:integer [COPY@3.0.0] [REPLACE@3.0.0] authentication=[AUTH auth(password)@4.0.7 | AUTH2 auth2=<username password>@6.0.0] [KEYS keys:key(key)@3.0.6 ...]',
    tips: ["nondeterministic_output"],
    history: [
      ["3.0.0", "The options `COPY` and `REPLACE`."],
      ["3.0.6", "The option `KEYS`."],
      ["4.0.7", "The option `AUTH`."],
      ["6.0.0", "The option `AUTH2`."],
    ],
    getKeys: migrateKeys,
    redact: redactMigrate,
    run: migrate,
  }),
];
