/**
 * What a handler sees: the arguments, the database, the reply, the time, and where to report changes. One object an engine, refilled for
 * every command. A handler goes through four phases: parse, check, change, answer. Until it changes something it may throw a ReplyError.
 */
import type { Arena, Ref } from "../arena/arena.ts";
import { copyOf, equalsToken, latin1, latin1Bytes } from "../base/bytes.ts";
import type { Clock } from "../base/clock.ts";
import { parseInt64, parseSafeInteger } from "../base/int64.ts";
import type { Config } from "../config/config.ts";
import type { Database } from "../keyspace/database.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import { NOT_AN_INTEGER, type ReplyError, SYNTAX, WRONG_TYPE } from "../resp/errors.ts";
import type { Request } from "../resp/request.ts";
import type { ReplyWriter } from "../resp/writer.ts";
import { entryType } from "../types/entry.ts";
import type { Wait } from "./blocking/wait.ts";
import type { Client } from "./client/client.ts";
import { Effects, Event } from "./effects.ts";
import type { AppendOnlyPort, PersistencePort } from "./ports.ts";
import { type Propagation, type PropagationSink, Target } from "./propagation.ts";
import type { ReplicationPort } from "./replication-port.ts";
import type { CommandSpec } from "./spec/spec.ts";
import type { Stats } from "./statistics/stats.ts";

/** Watches over the memory of all clients together while maxmemory-clients limits it (client-eviction.ts). */
export interface ClientLimit {
  /** The client's memory may have changed. When clients now take too much, evict() is asked for soon. */
  note(client: Client): void;
  /** The client is about to run a command: evicts at once what must go; false when that is this client. */
  admit(client: Client): boolean;
  /** The client has gone. */
  forget(client: Client): void;
  /** Evicts clients until the limit holds. */
  evict(): void;
  /** The state of things, as DEBUG CLIENT-EVICTION shows it. */
  describe(): string;
}

/**
 * The engine as its own parts see it: what gates, transactions, pub/sub, blocking and the others need of it and of each other. Engine
 * (engine.ts) is made of these parts and therefore cannot be named by them.
 */
export interface EngineView {
  readonly config: Config;
  readonly clock: Clock;
  readonly keyspace: Keyspace;
  readonly clients: ReadonlyMap<number, Client>;
  readonly stats: Stats;
  readonly memory: { heldRequestBytes: number };
  readonly sinks: readonly PropagationSink[];
  readonly propagation: Propagation;
  readonly cx: HandlerContext;
  readonly depth: number;
  readonly noTouch: boolean;
  gate: number;
  observed: number;
  pending: number;
  notifyMask: number;
  dirty: number;
  readonly appendOnly: AppendOnlyPort | null;
  readonly persistence: PersistencePort | null;
  joinDataSet: () => void;
  readonly replication: ReplicationPort | null;
  readonly clientLimit: ClientLimit | null;
  readonly memoryGate: (cx: HandlerContext, spec: CommandSpec) => ReplyError | null;
  readonly pubsub: {
    readonly isIdle: boolean;
    publish(
      channel: Uint8Array,
      channelAt: number,
      channelLength: number,
      message: Uint8Array,
      messageAt: number,
      messageLength: number,
    ): number;
  };
  readonly watches: {
    touch(dbId: number, buf: Uint8Array, at: number, length: number): void;
    unwatchAll(client: Client): void;
  };
  readonly blocking: {
    park(cx: HandlerContext, wait: Wait): void;
    keyReady(dbId: number, buf: Uint8Array, at: number, length: number): void;
    readonly isRetrying: boolean;
  };
  readonly armTimer: (delayMs: number) => void;
  readonly pause: { postpones(cx: HandlerContext, spec: CommandSpec): boolean };
  nowMs(): number;
  push(client: Client, bytes: Uint8Array, at: number, length: number): void;
  execute(client: Client, request: Request, known?: CommandSpec | null): void;
  reject(error: ReplyError, spec: CommandSpec | null): void;
  countCall(spec: CommandSpec, client: Client, usec: number): void;
  countFailure(spec: CommandSpec, reply: ReplyWriter): void;
  recordSlow(cx: HandlerContext, spec: CommandSpec, usec: number): void;
}

export class HandlerContext {
  readonly engine: EngineView;
  readonly arena: Arena;
  client: Client;
  db: Database;
  spec: CommandSpec;
  reply: ReplyWriter;
  /** Unix time in ms, the same for the whole command (and for a whole transaction or script). */
  nowMs = 0;

  /** The arguments, argument 0 being the name: positions over `buf`. */
  request: Request;
  buf: Uint8Array;
  start: Int32Array;
  length: Int32Array;
  argc = 0;

  readonly effects = new Effects();
  /** Changes made by this command: nonzero means it is to be propagated and counts as a change of the data set. */
  dirty = 0;
  /** What to propagate instead of the command itself; null: the command itself. An empty list: nothing. */
  replacement: Uint8Array[][] | null = null;
  /** Nonzero: the command itself is propagated to these (bits of Target), changed or not. */
  forcedTargets = 0;
  /** The handler has parked the client and written no reply. */
  parked = false;

  constructor(engine: EngineView, client: Client, spec: CommandSpec, reply: ReplyWriter, request: Request) {
    this.engine = engine;
    this.arena = engine.keyspace.arena;
    this.client = client;
    this.db = client.db;
    this.spec = spec;
    this.reply = reply;
    this.request = request;
    this.buf = request.buf;
    this.start = request.start;
    this.length = request.length;
  }

  /** Points the argument fields at a request. */
  load(request: Request): void {
    this.request = request;
    this.buf = request.buf;
    this.start = request.start;
    this.length = request.length;
    this.argc = request.count;
  }

  // ---- arguments

  /** Argument `i` as a canonical integer within 2^53; throws `error` otherwise. */
  integer(i: number, error: ReplyError = NOT_AN_INTEGER): number {
    const n = parseSafeInteger(this.buf, this.start[i], this.length[i]);
    if (!Number.isNaN(n)) return n;
    throw error;
  }

  /** Argument `i` as an integer between two bounds; throws `error` otherwise. */
  integerIn(i: number, min: number, max: number, error: ReplyError = NOT_AN_INTEGER): number {
    const n = this.integer(i, error);
    if (n < min || n > max) throw error;
    return n;
  }

  /** Argument `i` as an int64, rounded beyond 2^53: for numbers that are compared with counts or lengths. */
  longInteger(i: number, error: ReplyError = NOT_AN_INTEGER): number {
    const n = parseSafeInteger(this.buf, this.start[i], this.length[i]);
    return Number.isNaN(n) ? Number(this.bigInteger(i, error)) : n;
  }

  /** Argument `i` as any int64; throws `error` otherwise. For the rare places where 2^53 is not enough. */
  bigInteger(i: number, error: ReplyError = NOT_AN_INTEGER): bigint {
    const n = parseInt64(this.buf, this.start[i], this.length[i]);
    if (n === null) throw error;
    return n;
  }

  /** True when argument `i` is the token (given in lower case), in any case. */
  isToken(i: number, lower: string): boolean {
    return equalsToken(this.buf, this.start[i], this.length[i], lower);
  }

  /** Argument `i` as a latin1 string. Slow paths only. */
  text(i: number): string {
    return latin1(this.buf, this.start[i], this.length[i]);
  }

  /** An owned copy of argument `i`. */
  bytes(i: number): Uint8Array {
    return copyOf(this.buf, this.start[i], this.length[i]);
  }

  /** Throws a syntax error. */
  syntaxError(): never {
    throw SYNTAX;
  }

  // ---- keys

  /** The entry of the key in argument `i` for reading, or 0: expiry, hit or miss, access time and keymiss events included. */
  lookupRead(i: number): Ref {
    const ks = this.engine.keyspace;
    const e = this.db.lookup(this.buf, this.start[i], this.length[i]);
    if (e === 0) {
      ks.misses++;
      if ((this.engine.notifyMask & Event.KeyMiss) !== 0) this.notify(i, Event.KeyMiss, "keymiss");
      return 0;
    }
    ks.hits++;
    if (!this.engine.noTouch) ks.touch(e);
    return e;
  }

  /** As lookupRead, but the look is no access: EXISTS, TTL, TYPE and OBJECT do not make a key younger. `silent`: no keymiss event either. */
  lookupUntouched(i: number, silent = false): Ref {
    const e = this.db.lookup(this.buf, this.start[i], this.length[i]);
    if (e !== 0) {
      this.engine.keyspace.hits++;
      return e;
    }
    this.engine.keyspace.misses++;
    if (!silent && (this.engine.notifyMask & Event.KeyMiss) !== 0) this.notify(i, Event.KeyMiss, "keymiss");
    return 0;
  }

  /** The entry of the key in argument `i` for writing, or 0. Counts no hit or miss. db.hash is the key's hash afterwards. */
  lookupWrite(i: number): Ref {
    const e = this.db.lookup(this.buf, this.start[i], this.length[i]);
    if (e !== 0 && !this.engine.noTouch) this.engine.keyspace.touch(e);
    return e;
  }

  /** The entry of the key in argument `i` without a trace: no statistics, no access time; expired keys are absent. */
  lookupQuiet(i: number): Ref {
    return this.db.lookup(this.buf, this.start[i], this.length[i]);
  }

  /** Throws WRONGTYPE unless `e` is 0 or of the type. */
  requireType(e: Ref, type: number): void {
    if (e !== 0 && entryType(this.arena, e) !== type) throw WRONG_TYPE;
  }

  // ---- changes

  /** Reports that the key in argument `i` changed: counts as one change, and delivers the event. */
  changed(i: number, event: number, name: string): void {
    this.dirty++;
    if (this.engine.observed !== 0)
      this.effects.add(this.buf, this.start[i], this.length[i], this.db.id, event, name, 1);
  }

  /** The same for a key that is no argument of this command, or is in another database. */
  changedKey(key: Uint8Array, at: number, length: number, dbId: number, event: number, name: string): void {
    this.dirty++;
    if (this.engine.observed !== 0) this.effects.add(key, at, length, dbId, event, name, 1);
  }

  /** A further event of a key that was reported changed already, or an event that is no change (keymiss). */
  notify(i: number, event: number, name: string): void {
    if (this.engine.observed !== 0)
      this.effects.add(this.buf, this.start[i], this.length[i], this.db.id, event, name, 0);
  }

  /** As notify, for a key that is no argument. */
  notifyKey(key: Uint8Array, at: number, length: number, dbId: number, event: number, name: string): void {
    if (this.engine.observed !== 0) this.effects.add(key, at, length, dbId, event, name, 0);
  }

  // ---- waiting

  /** Argument `i` as a timeout in seconds, in whole milliseconds; 0: for ever. */
  timeoutSeconds(i: number): number {
    return timeouts().timeoutFromSeconds(this.buf, this.start[i], this.length[i], this.nowMs);
  }

  /** Argument `i` as a timeout in milliseconds; 0: for ever. */
  timeoutMs(i: number): number {
    return timeouts().timeoutFromMs(this.buf, this.start[i], this.length[i], this.nowMs);
  }

  /** Makes the client wait and run this command again when a key is ready; the handler writes no reply and returns. See blocking.ts. */
  park(wait: Wait): void {
    this.engine.blocking.park(this, wait);
  }

  // ---- propagation

  /** True when somebody receives propagated commands: only then is a replacement worth building. */
  get propagates(): boolean {
    return this.engine.sinks.length > 0;
  }

  /** Propagates this command instead of the one that runs; calling it again adds another one. Parts are bytes or latin1 text. */
  propagateAs(parts: readonly (Uint8Array | string)[]): void {
    const bytes = parts.map((part) => (typeof part === "string" ? latin1Bytes(part) : part));
    if (this.replacement === null) this.replacement = [bytes];
    else this.replacement.push(bytes);
  }

  /** Propagates the command itself to replicas alone, although it changes no data. */
  propagateToReplicas(): void {
    this.forcedTargets = Target.Replicas;
    this.replacement = [];
  }

  /** Propagates nothing for this command. */
  propagateNothing(): void {
    this.replacement = [];
  }
}

let loadedTimeouts: typeof import("./blocking/blocking-timeout.ts") | null = null;

/** Loaded when somebody waits for the first time: no start needs floats. To ask the runtime for what is loaded takes most of a microsecond. */
function timeouts(): typeof import("./blocking/blocking-timeout.ts") {
  loadedTimeouts ??= require("./blocking/blocking-timeout.ts") as typeof import("./blocking/blocking-timeout.ts");
  return loadedTimeouts;
}
