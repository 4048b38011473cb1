/**
 * Clients that wait: for keys to become ready, or for something else that somebody announces. A handler that cannot answer yet parks its client with
 * `cx.park(...)` and returns without a reply. When a key it waits for changes, the parked request runs again through execute(), after the
 * command (or transaction, or script) that changed the key, in the order in which the clients came. Its reply goes out through the client's link.
 *
 * Invariants: a client is in #parked exactly while it has ClientFlag.Blocked and Halt.Blocked; a parked request stands in the waiters of each of its
 * keys and, when it has a deadline, in the heap; #waiting holds no key without waiters; Observer.Blocked is set exactly while #waiting is not empty.
 */
import { copyOf, latin1 } from "../../base/bytes.ts";
import type { Request } from "../../resp/request.ts";
import { ReplyWriter } from "../../resp/writer.ts";
import { entryExpiry, entryHasExpiry, entryType } from "../../types/entry.ts";
import { type Client, ClientFlag } from "../client/client.ts";
import { Halt, halt, release } from "../gates/gates.ts";
import type { EngineView, HandlerContext } from "../handler-context.ts";
import { KeyFilter } from "../key-filter.ts";
import { Observer } from "../observer.ts";
import { Pending } from "../pending.ts";
import type { CommandSpec } from "../spec/spec.ts";
import { DeadlineHeap } from "./deadline-heap.ts";
import type { Wait } from "./wait.ts";

/** A key is ready whatever type its value has. */
export const ANY_TYPE = -1;

/** Clients that cannot wait: a command of theirs answers at once as if its time were up. */
const IMPATIENT = ClientFlag.DenyBlocking | ClientFlag.Internal | ClientFlag.Primary;

/** Clients that wait for one key, in the order in which they came. */
interface Waiters {
  readonly dbId: number;
  readonly text: string;
  readonly key: Uint8Array;
  readonly parked: Set<Parked>;
  /** How many of them also wait for the key's loss. */
  lossCount: number;
  /** In the list of ready keys. */
  ready: boolean;
}

/** A client's request that waits. */
interface Parked {
  readonly client: Client;
  readonly spec: CommandSpec;
  readonly request: Request;
  readonly wait: Wait;
  readonly waiters: Waiters[];
  /** When its time is up. */
  readonly limitMs: number;
  /** When it ends or runs again, whichever comes first. */
  readonly deadlineMs: number;
  readonly order: number;
  heapIndex: number;
  /** Time spent in the handler so far. */
  usec: number;
}

const FORCED = "UNBLOCKED client unblocked via CLIENT UNBLOCK";

export class Blocking {
  readonly #engine: EngineView;
  readonly #parked = new Map<Client, Parked>();
  /** Per database: key (latin1) -> who waits for it. */
  readonly #waiting: Map<string, Waiters>[] = [];
  readonly #filter = new KeyFilter();
  readonly #deadlines = new DeadlineHeap<Parked>();
  #keys = 0;
  #orders = 0;
  #ready: Waiters[] = [];
  #serving = false;
  /** The request that runs again at this moment. */
  #retried: Parked | null = null;
  readonly #reply = new ReplyWriter(1024);

  constructor(engine: EngineView) {
    this.#engine = engine;
  }

  /** Clients that wait. */
  get clientCount(): number {
    return this.#parked.size;
  }

  /** The request with which a client waits, or null. */
  requestOf(client: Client): Request | null {
    return this.#parked.get(client)?.request ?? null;
  }

  /** Keys that somebody waits for. */
  get keyCount(): number {
    return this.#keys;
  }

  /** Keys whose loss, too, somebody waits for. Walks all keys. */
  get lossKeyCount(): number {
    let count = 0;
    for (const map of this.#waiting) for (const waiters of map?.values() ?? []) if (waiters.lossCount > 0) count++;
    return count;
  }

  /** Clients that wait for a limited time. */
  get deadlineCount(): number {
    return this.#deadlines.size;
  }

  /** True while a parked request runs again: it has been seen before by those who watch commands. */
  get isRetrying(): boolean {
    return this.#retried !== null;
  }

  // ---- parking

  /** Parks the client of the command in `cx`, or answers at once when it cannot wait. The handler must return right afterwards. */
  park(cx: HandlerContext, wait: Wait): void {
    const client = cx.client;
    if (client.has(IMPATIENT)) {
      (wait.onDenied ?? wait.onTimeout)(cx.reply);
      return;
    }
    const before = this.#retried?.client === client ? this.#retried : null;
    const limitMs = before?.limitMs ?? (wait.timeoutMs === 0 ? Number.POSITIVE_INFINITY : cx.nowMs + wait.timeoutMs);
    const request = before?.request ?? cx.request.clone();
    request.owned = false;
    const parked: Parked = {
      client,
      spec: cx.spec,
      request,
      wait,
      waiters: [],
      limitMs,
      deadlineMs: Math.min(limitMs, wait.retryAtMs ?? Number.POSITIVE_INFINITY),
      order: this.#orders++,
      heapIndex: -1,
      usec: before?.usec ?? 0,
    };
    for (let i = 0; i < wait.keyCount; i++) {
      const arg = wait.firstKey + i;
      this.#join(parked, client.db.id, cx.buf, cx.start[arg], cx.length[arg]);
    }
    this.#parked.set(client, parked);
    this.#engine.memory.heldRequestBytes += request.buf.length;
    client.set(ClientFlag.Blocked);
    halt(client, Halt.Blocked);
    if (parked.deadlineMs !== Number.POSITIVE_INFINITY) {
      this.#deadlines.add(parked);
      if (this.#deadlines.first === parked) this.#arm();
    }
    cx.parked = true;
  }

  #join(parked: Parked, dbId: number, buf: Uint8Array, at: number, length: number): void {
    const text = latin1(buf, at, length);
    const map = (this.#waiting[dbId] ??= new Map());
    let waiters = map.get(text);
    if (waiters === undefined) {
      waiters = { dbId, text, key: copyOf(buf, at, length), parked: new Set(), lossCount: 0, ready: false };
      map.set(text, waiters);
      this.#filter.add(dbId, buf, at, length);
      if (this.#keys++ === 0) this.#engine.observed |= Observer.Blocked;
    }
    if (waiters.parked.has(parked)) return;
    waiters.parked.add(parked);
    parked.waiters.push(waiters);
    if (parked.wait.onLoss === true) waiters.lossCount++;
  }

  /**
   * Keeps the time that a command took until it parked its client: the command is counted when it is done. Returns what its duration counts as for the
   * slow log: nothing.
   */
  suspend(cx: HandlerContext, usec: number): number {
    cx.parked = false;
    const parked = this.#parked.get(cx.client);
    if (parked !== undefined) parked.usec += usec;
    return -1;
  }

  #remove(parked: Parked): void {
    const { client } = parked;
    for (const waiters of parked.waiters) {
      waiters.parked.delete(parked);
      if (parked.wait.onLoss === true) waiters.lossCount--;
      if (waiters.parked.size === 0) this.#drop(waiters);
    }
    this.#deadlines.remove(parked);
    this.#parked.delete(client);
    this.#engine.memory.heldRequestBytes -= parked.request.buf.length;
    client.unset(ClientFlag.Blocked);
  }

  #drop(waiters: Waiters): void {
    this.#waiting[waiters.dbId].delete(waiters.text);
    this.#filter.remove(waiters.dbId, waiters.key, 0, waiters.key.length);
    if (--this.#keys === 0) this.#engine.observed &= ~Observer.Blocked;
  }

  /** Forgets a client that went away. */
  forget(client: Client): void {
    const parked = this.#parked.get(client);
    if (parked !== undefined) this.#remove(parked);
  }

  // ---- keys that become ready

  /** A key changed: who waits for it is served when the outermost command has returned. */
  keyReady(dbId: number, buf: Uint8Array, at: number, length: number): void {
    if (!this.#filter.mayHave(dbId, buf, at, length)) return;
    const waiters = this.#waiting[dbId]?.get(latin1(buf, at, length));
    if (waiters !== undefined) this.#markReady(waiters);
  }

  /** A database got other content as a whole (SWAPDB, FLUSHALL, a full sync; -1: all of them): every key in it that somebody waits for may be ready. */
  databaseChanged(dbId: number): void {
    for (let id = 0; id < this.#waiting.length; id++) {
      if (dbId >= 0 && id !== dbId) continue;
      for (const waiters of this.#waiting[id]?.values() ?? []) this.#markReady(waiters);
    }
    if (this.#engine.depth === 0) this.serve();
  }

  #markReady(waiters: Waiters): void {
    if (waiters.ready) return;
    waiters.ready = true;
    this.#ready.push(waiters);
    this.#engine.pending |= Pending.Ready;
  }

  /** Serves everybody whose key is ready, and whom that makes ready in turn. A call from within a call does nothing: the outer one goes on. */
  serve(): void {
    if (this.#serving) return;
    this.#serving = true;
    while (this.#ready.length > 0) {
      const batch = this.#ready;
      this.#ready = [];
      for (const waiters of batch) {
        waiters.ready = false;
        this.#serveKey(waiters);
      }
    }
    this.#serving = false;
  }

  #serveKey(waiters: Waiters): void {
    // Those who park again come behind everybody and have had their turn.
    let turns = waiters.parked.size;
    for (const parked of waiters.parked) {
      if (turns-- === 0) break;
      const type = this.#typeOf(waiters);
      if (type < 0 && waiters.lossCount === 0) break;
      const { wait } = parked;
      if (wait.onLoss === true || (type >= 0 && (wait.type === type || wait.type === ANY_TYPE))) this.#retry(parked);
    }
  }

  /** Type of the key's value, -1 when there is none. */
  #typeOf(waiters: Waiters): number {
    const { keyspace } = this.#engine;
    const e = keyspace.databases[waiters.dbId].find(waiters.key, 0, waiters.key.length);
    if (e === 0) return -1;
    const a = keyspace.arena;
    return entryHasExpiry(a, e) && keyspace.isExpired(entryExpiry(a, e)) ? -1 : entryType(a, e);
  }

  /** Runs a parked request again; its reply goes to its client, unless it parks again. */
  #retry(parked: Parked): void {
    const engine = this.#engine;
    const { client } = parked;
    const { cx } = engine;
    const reply = this.#reply;
    const outerReply = cx.reply;
    const outerRetried = this.#retried;
    this.#remove(parked);
    client.halted &= ~Halt.Blocked;
    reply.clear();
    cx.reply = reply;
    this.#retried = parked;
    engine.execute(client, parked.request, parked.spec);
    this.#retried = outerRetried;
    cx.reply = outerReply;
    if (reply.pos > 0) client.link.append(reply.buf, 0, reply.pos);
    if (!client.has(ClientFlag.Blocked)) release(client, Halt.Blocked);
  }

  /** Runs the request of a client that waits for something else than keys again; false when it does not wait. Only between commands. */
  wake(client: Client): boolean {
    const parked = this.#parked.get(client);
    if (parked === undefined) return false;
    this.#retry(parked);
    return true;
  }

  // ---- ends without another run

  /** Ends every wait whose time is up, and runs again what asked for that. Called by the timer and by the cron, with the time freshly read. */
  expire(): void {
    const nowMs = this.#engine.nowMs();
    for (let first = this.#deadlines.first; first !== null; first = this.#deadlines.first) {
      if (first.deadlineMs >= nowMs) {
        this.#arm();
        return;
      }
      if (first.deadlineMs < first.limitMs) this.#retry(first);
      else this.#end(first, first.wait.onTimeout);
    }
  }

  /** Unix time in ms after which expire() has something to do; Infinity: never. */
  get nextDeadlineMs(): number {
    return this.#deadlines.first?.deadlineMs ?? Number.POSITIVE_INFINITY;
  }

  #arm(): void {
    // A wait ends once its last millisecond is over, never early.
    this.#engine.armTimer(Math.max(1, this.nextDeadlineMs - this.#engine.nowMs() + 1));
  }

  /** CLIENT UNBLOCK: ends a client's wait as a timeout does, or with the UNBLOCKED error. False when it does not wait. */
  unblock(client: Client, withError: boolean): boolean {
    const parked = this.#parked.get(client);
    if (parked === undefined) return false;
    this.#end(parked, withError ? (reply) => reply.error(FORCED) : parked.wait.onTimeout);
    return true;
  }

  /** Ends a client's wait with a reply; false when it does not wait. */
  finish(client: Client, write: (reply: ReplyWriter) => void): boolean {
    const parked = this.#parked.get(client);
    if (parked === undefined) return false;
    this.#end(parked, write);
    return true;
  }

  /** Ends every wait with an error and disconnects the clients: the server became a replica. */
  disconnectAll(error: string): void {
    for (const parked of [...this.#parked.values()]) {
      this.#end(parked, (reply) => reply.error(error));
      parked.client.link.closeAfterFlush();
    }
  }

  #end(parked: Parked, write: (reply: ReplyWriter) => void): void {
    const { client, spec } = parked;
    const { stats } = this.#engine;
    const reply = this.#reply;
    this.#remove(parked);
    reply.clear();
    reply.errors = 0;
    reply.resp3 = client.resp === 3;
    write(reply);
    this.#engine.countCall(spec, client, parked.usec);
    if (reply.errors > 0) this.#engine.countFailure(spec, reply);
    if (parked.usec >= stats.slowThresholdUs) this.#recordSlow(parked);
    if (!client.has(ClientFlag.ReplyOff | ClientFlag.ReplySkip)) client.link.append(reply.buf, 0, reply.pos);
    client.unset(ClientFlag.ReplySkip);
    release(client, Halt.Blocked);
  }

  /** Shows a request that is not run again to the slow log, through the context of whatever runs now. */
  #recordSlow(parked: Parked): void {
    const { cx } = this.#engine;
    const { client, spec, request } = cx;
    cx.client = parked.client;
    cx.spec = parked.spec;
    cx.load(parked.request);
    this.#engine.recordSlow(cx, parked.spec, parked.usec);
    cx.client = client;
    cx.spec = spec;
    cx.load(request);
  }
}
