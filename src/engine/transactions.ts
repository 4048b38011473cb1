/**
 * Transactions: the queue of MULTI and the registry of watched keys. A watched key is touched by every kind of change: commands, expiry, FLUSHALL,
 * SWAPDB.
 *
 * Invariants: a client has a queue only while it is in MULTI and the transaction can still succeed; it watches keys only while it is not DirtyCas;
 * Observer.Watch is set exactly while somebody watches.
 */
import { copyOf, latin1 } from "../base/bytes.ts";
import type { Database } from "../keyspace/database.ts";
import { ReplyError } from "../resp/errors.ts";
import { entryExpiry, entryHasExpiry } from "../types/entry.ts";
import { type Client, ClientFlag, type WatchedKey } from "./client/client.ts";
import type { EngineView, HandlerContext } from "./handler-context.ts";
import { KeyFilter } from "./key-filter.ts";
import { Observer } from "./observer.ts";
import { type CommandSpec, Flag } from "./spec/spec.ts";

const ABORT_REASON = "EXECABORT Transaction discarded because of: ";

/** What Redis' structures take per queued argument, per slot of the queue, and per watched key: the memory fields of CLIENT LIST count them. */
const ARGUMENT_BYTES = 8;
const SLOT_BYTES = 24;
const WATCH_BYTES = 80;

/** Queues the command in `cx` for EXEC and answers QUEUED. */
export function queueCommand(cx: HandlerContext, spec: CommandSpec): void {
  const client = cx.client;
  // A transaction that is bound to fail keeps no more commands: they would only cost memory.
  if (!client.has(ClientFlag.DirtyCas | ClientFlag.DirtyExec)) {
    const request = cx.request.clone();
    client.queue.push({ spec, request });
    const bytes = request.buf.length + request.count * ARGUMENT_BYTES;
    client.queueBytes += bytes;
    cx.engine.memory.heldRequestBytes += bytes;
    client.queueFlags |= spec.flags;
    client.queueMissingFlags |= ~spec.flags;
  }
  cx.reply.status("QUEUED");
}

/** The flags that gates decide by: the command's own, for EXEC together with those of what is queued. */
export function gateFlags(client: Client, spec: CommandSpec): number {
  if (!isExec(spec)) return spec.flags;
  const added =
    client.queueFlags & (Flag.Write | Flag.Readonly | Flag.DenyOom | Flag.MayReplicate | Flag.NoAsyncLoading);
  return (spec.flags | added) & ~(client.queueMissingFlags & (Flag.Loading | Flag.Stale));
}

/** True for EXEC itself, under whatever name clients call it. */
export function isExec(spec: CommandSpec): boolean {
  return spec.name === "exec";
}

/** Bytes that a client's transaction and watches hold, as part of tot-mem; multi-mem is client.queueBytes. */
export function transactionBytes(client: Client): number {
  let slots = 0;
  if (client.queue.length > 0) for (slots = 2; slots < client.queue.length; ) slots *= 2;
  return client.queueBytes + slots * SLOT_BYTES + client.watched.length * WATCH_BYTES;
}

function dropQueue(engine: EngineView, client: Client): void {
  engine.memory.heldRequestBytes -= client.queueBytes;
  client.queue = [];
  client.queueBytes = 0;
  client.queueFlags = 0;
  client.queueMissingFlags = 0;
}

/** Ends the transaction state of a client: queue, flags and watches. */
export function discardTransaction(engine: EngineView, client: Client): void {
  dropQueue(engine, client);
  client.unset(ClientFlag.Multi | ClientFlag.DirtyCas | ClientFlag.DirtyExec);
  engine.watches.unwatchAll(client);
}

/** A command was refused while queueing: EXEC will abort. Nothing happens outside of MULTI. */
export function spoilTransaction(engine: EngineView, client: Client): void {
  if (!client.has(ClientFlag.Multi)) return;
  client.set(ClientFlag.DirtyExec);
  dropQueue(engine, client);
}

/** EXEC itself was refused: the transaction is over, and the error says why. */
export function abortedExec(engine: EngineView, client: Client, error: ReplyError): ReplyError {
  discardTransaction(engine, client);
  const { text } = error;
  return new ReplyError(ABORT_REASON + (text.startsWith("ERR ") ? text.slice(4) : text));
}

/** A watched key changed: the transaction will not run, so it needs neither its queue nor its watches any more. */
function failTransaction(engine: EngineView, client: Client): void {
  client.set(ClientFlag.DirtyCas);
  dropQueue(engine, client);
  engine.watches.unwatchAll(client);
}

/** Who watches what, by database and key. */
export class WatchRegistry {
  readonly #engine: EngineView;
  /** Per database: key (latin1) -> clients. */
  readonly #watchers: Map<string, Set<Client>>[] = [];
  readonly #filter = new KeyFilter();
  #clients = 0;
  #keys = 0;

  constructor(engine: EngineView) {
    this.#engine = engine;
  }

  /** Clients that watch something. */
  get clientCount(): number {
    return this.#clients;
  }

  /** Keys that are watched by any client. */
  get keyCount(): number {
    return this.#keys;
  }

  /** Adds a key of the client's database to its watches. */
  watch(client: Client, buf: Uint8Array, offset: number, length: number): void {
    const db = client.db;
    const text = latin1(buf, offset, length);
    if (client.watched.some((w) => w.dbId === db.id && w.text === text)) return;
    const map = (this.#watchers[db.id] ??= new Map());
    let set = map.get(text);
    if (set === undefined) {
      set = new Set();
      map.set(text, set);
      this.#filter.add(db.id, buf, offset, length);
      this.#keys++;
    }
    set.add(client);
    if (client.watched.length === 0) this.#clients++;
    const key = copyOf(buf, offset, length);
    client.watched.push({ dbId: db.id, key, text, expiredAtWatch: isExpired(db, key) });
    this.#engine.observed |= Observer.Watch;
  }

  /** Ends all watches of a client. */
  unwatchAll(client: Client): void {
    if (client.watched.length === 0) return;
    for (const { dbId, key, text } of client.watched) {
      const map = this.#watchers[dbId];
      const set = map.get(text);
      set?.delete(client);
      if (set?.size === 0) {
        map.delete(text);
        this.#filter.remove(dbId, key, 0, key.length);
        this.#keys--;
      }
    }
    client.watched = [];
    this.#clients--;
    if (this.#clients === 0) this.#engine.observed &= ~Observer.Watch;
  }

  /** A key changed: its watchers' transactions will fail. */
  touch(dbId: number, buf: Uint8Array, offset: number, length: number): void {
    if (!this.#filter.mayHave(dbId, buf, offset, length)) return;
    const text = latin1(buf, offset, length);
    const set = this.#watchers[dbId]?.get(text);
    if (set === undefined) return;
    for (const client of set) {
      const watched = watchedKey(client, dbId, text);
      // A key that had expired already when it was watched is deleted late: to the watcher nothing changes, unless it exists again.
      if (watched.expiredAtWatch && this.#engine.keyspace.databases[dbId].find(buf, offset, length) === 0)
        watched.expiredAtWatch = false;
      else failTransaction(this.#engine, client);
    }
  }

  /**
   * A whole database (-1: each of them) is about to be emptied, or to get the content of `replacement`: touches the watched keys that exist on either
   * side. To be called while the old content is still there.
   */
  touchAll(dbId: number, replacement: Database | null): void {
    for (let id = 0; id < this.#watchers.length; id++) {
      const map = this.#watchers[id];
      if (map === undefined || (dbId >= 0 && id !== dbId)) continue;
      const db = this.#engine.keyspace.databases[id];
      for (const [text, set] of map) {
        for (const client of set) {
          if (seesChange(watchedKey(client, id, text), db, replacement)) failTransaction(this.#engine, client);
        }
      }
    }
  }

  /** True when EXEC must fail because a watched key's time came since WATCH, even though nobody has deleted it yet. */
  anyExpired(client: Client): boolean {
    for (const { dbId, key, expiredAtWatch } of client.watched) {
      if (!expiredAtWatch && isExpired(this.#engine.keyspace.databases[dbId], key)) return true;
    }
    return false;
  }
}

function watchedKey(client: Client, dbId: number, text: string): WatchedKey {
  const found = client.watched.find((w) => w.dbId === dbId && w.text === text);
  if (found === undefined) throw new Error("a client is registered for a key that it does not watch");
  return found;
}

/** Does the key look different to its watcher once `before` has the content of `after` (null: none)? An expired key counts as absent. */
function seesChange(watched: WatchedKey, before: Database, after: Database | null): boolean {
  const { key } = watched;
  const isThere = before.find(key, 0, key.length) !== 0;
  const willBeThere = after !== null && after.find(key, 0, key.length) !== 0;
  if (!isThere && !willBeThere) return false;
  const staysExpired = after !== null && willBeThere && isExpired(after, key);
  if (watched.expiredAtWatch) {
    if (willBeThere) return !staysExpired;
    watched.expiredAtWatch = false;
    return false;
  }
  if (isThere || !staysExpired) return true;
  watched.expiredAtWatch = true;
  return false;
}

function isExpired(db: Database, key: Uint8Array): boolean {
  const e = db.find(key, 0, key.length);
  return e !== 0 && entryHasExpiry(db.arena, e) && db.keyspace.isExpired(entryExpiry(db.arena, e));
}
