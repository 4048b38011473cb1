/**
 * Transactions: the queue of MULTI and the registry of watched keys. A watched key is touched by every kind of change: commands, expiry, FLUSHALL, SWAPDB.
 */
import { copyOf, latin1 } from "../base/bytes.ts";
import type { Database } from "../keyspace/database.ts";
import { entryExpiry, entryHasExpiry } from "../types/entry.ts";
import { type Client, ClientFlag, type WatchedKey } from "./client.ts";
import type { Context } from "./context.ts";
import type { Engine } from "./engine.ts";
import { Observer } from "./observer.ts";
import type { CommandSpec } from "./spec.ts";

/** Queues the command in `cx` for EXEC and answers QUEUED. */
export function queueCommand(cx: Context, spec: CommandSpec): void {
  const client = cx.client;
  // A transaction that is bound to fail keeps no more commands: they would only cost memory.
  if (!client.has(ClientFlag.DirtyCas | ClientFlag.DirtyExec)) {
    const request = cx.request.clone();
    client.queue.push({ spec, request });
    client.queueBytes += request.buf.length;
  }
  cx.reply.status("QUEUED");
}

/** Ends the transaction state of a client: queue, flags and watches. */
export function discardTransaction(engine: Engine, client: Client): void {
  client.queue = [];
  client.queueBytes = 0;
  client.unset(ClientFlag.Multi | ClientFlag.DirtyCas | ClientFlag.DirtyExec);
  engine.watches.unwatchAll(client);
}

/** Who watches what, by database and key. */
export class WatchRegistry {
  readonly #engine: Engine;
  /** Per database: key (latin1) -> clients. */
  readonly #watchers: Map<string, Set<Client>>[] = [];
  #clients = 0;
  #keys = 0;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Clients that watch something, and keys that are watched by any client. */
  get clientCount(): number {
    return this.#clients;
  }
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
      this.#keys++;
    }
    set.add(client);
    if (client.watched.length === 0) this.#clients++;
    client.watched.push({
      dbId: db.id,
      key: copyOf(buf, offset, length),
      text,
      expiredAtWatch: this.#isExpired(db, buf, offset, length),
    });
    this.#engine.observed |= Observer.Watch;
  }

  /** Ends all watches of a client. */
  unwatchAll(client: Client): void {
    if (client.watched.length === 0) return;
    for (const { dbId, text } of client.watched) {
      const map = this.#watchers[dbId];
      const set = map.get(text);
      set?.delete(client);
      if (set?.size === 0) {
        map.delete(text);
        this.#keys--;
      }
    }
    client.watched = [];
    this.#clients--;
    if (this.#clients === 0) this.#engine.observed &= ~Observer.Watch;
  }

  /** A key changed: its watchers' transactions will fail. */
  touch(dbId: number, buf: Uint8Array, offset: number, length: number): void {
    const map = this.#watchers[dbId];
    if (map === undefined || map.size === 0) return;
    const text = latin1(buf, offset, length);
    const set = map.get(text);
    if (set === undefined) return;
    for (const client of set) {
      const watched = client.watched.find((w) => w.dbId === dbId && w.text === text) as WatchedKey;
      // A key that had expired already when it was watched is deleted late: to the watcher nothing changes, unless it exists again.
      if (watched.expiredAtWatch && this.#engine.keyspace.databases[dbId].find(buf, offset, length) === 0)
        watched.expiredAtWatch = false;
      else client.set(ClientFlag.DirtyCas);
    }
  }

  /** A whole database (or all: -1) is emptied, or replaced by `replacement`'s content: touches the watched keys that exist on either side. */
  touchAll(dbId: number, replacement: Database | null): void {
    for (let id = 0; id < this.#watchers.length; id++) {
      const map = this.#watchers[id];
      if (map === undefined || (dbId >= 0 && id !== dbId)) continue;
      const db = this.#engine.keyspace.databases[id];
      for (const [text, set] of map) {
        for (const client of set) {
          const watched = client.watched.find((w) => w.dbId === id && w.text === text) as WatchedKey;
          const key = watched.key;
          const here = db.find(key, 0, key.length) !== 0;
          const there = replacement !== null && replacement.find(key, 0, key.length) !== 0;
          if (watched.expiredAtWatch && here && !there) continue;
          if (here || there) client.set(ClientFlag.DirtyCas);
        }
      }
    }
  }

  /** True when EXEC must fail because a watched key's time came since WATCH, even though nobody has deleted it yet. */
  anyExpired(client: Client): boolean {
    for (const { dbId, key, expiredAtWatch } of client.watched) {
      if (!expiredAtWatch && this.#isExpired(this.#engine.keyspace.databases[dbId], key, 0, key.length)) return true;
    }
    return false;
  }

  #isExpired(db: Database, buf: Uint8Array, offset: number, length: number): boolean {
    const e = db.find(buf, offset, length);
    return e !== 0 && entryHasExpiry(db.arena, e) && db.keyspace.nowMs > entryExpiry(db.arena, e);
  }
}
