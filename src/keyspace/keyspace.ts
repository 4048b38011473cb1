/**
 * All databases of a server over one arena: clocks of access and expiry, lazy freeing, and what is counted.
 * The keyspace knows nothing of clients; what it must tell (a key expired) goes to its listener.
 */
import type { Arena, Ref } from "../arena/arena.ts";
import type { Prng } from "../base/prng.ts";
import { RefList } from "../struct/dict.ts";
import { entryFree, setEntryAccess } from "../types/entry.ts";
import { valueType } from "../types/value.ts";
import { Database, freeContent } from "./database.ts";
import { HashHints } from "./hash-hints.ts";
import { LFU_INITIAL, lfuTouched } from "./lfu.ts";

/** What to do with a key whose time has come, when it is looked at. */
export const ExpiryMode = {
  /** Delete it and tell. */
  Delete: 0,
  /** Treat it as absent but keep it: on a replica, or while writes are paused. */
  Hide: 1,
  /** Treat it as alive: commands of a primary, and loading. */
  Ignore: 2,
} as const;

/** Who is told of what the keyspace does by itself. */
export interface KeyspaceListener {
  /** A key is about to be deleted because it expired: propagate, notify, count. The entry is still whole. */
  keyExpiring(db: Database, e: Ref): void;
}

/** Work that the keyspace has put off. */
interface Garbage {
  dict: Ref;
  expires: Ref;
}

/** An entry whose freeing is more effort than this is freed lazily when lazy freeing is asked for. */
const LAZY_EFFORT_MIN = 64;

export class Keyspace {
  readonly arena: Arena;
  readonly prng: Prng;
  readonly databases: Database[] = [];
  listener: KeyspaceListener = { keyExpiring: () => {} };

  /** Unix time in ms of the command that runs, set by whoever runs it. */
  nowMs = 0;
  /** The 24-bit access clock: seconds for LRU, minutes for LFU, set with the time. */
  accessClock = 0;
  /** True while the eviction policy is an LFU one: access bits then are minutes and a counter. */
  lfu = false;
  lfuLogFactor = 10;
  lfuDecayMinutes = 1;
  expiryMode: number = ExpiryMode.Delete;
  readonly hints = new HashHints();

  hits = 0;
  misses = 0;
  expiredKeys = 0;
  lazyFreedObjects = 0;

  #garbage: Garbage[] = [];
  #lazyEntries = new RefList();
  #list = new RefList();

  constructor(arena: Arena, count: number, prng: Prng) {
    this.arena = arena;
    this.prng = prng;
    this.databases.length = count;
    for (let id = 0; id < count; id++) this.databases[id] = new Database(this, id);
  }

  /** True when an expiry time has passed. */
  isExpired(expiryMs: number): boolean {
    return this.nowMs > expiryMs && this.expiryMode !== ExpiryMode.Ignore;
  }

  /** What a look-up answers for an expired entry: 0, after deleting it when the mode says so. db.hash is its hash. */
  hideExpired(db: Database, e: Ref): Ref {
    if (this.expiryMode === ExpiryMode.Delete) this.expire(db, e, db.hash);
    return 0;
  }

  /** Deletes an expired key and tells. */
  expire(db: Database, e: Ref, hash: number): void {
    this.expiredKeys++;
    this.listener.keyExpiring(db, e);
    db.remove(e, hash, true);
  }

  /** Access bits of a new key. */
  accessOfNew(): number {
    return this.lfu ? ((this.accessClock & 0xffff) << 8) | LFU_INITIAL : this.accessClock;
  }

  /** Records an access to a key. */
  touch(e: Ref): void {
    if (this.lfu) lfuTouched(this, e);
    else setEntryAccess(this.arena, e, this.accessClock);
  }

  /** Access bits of a key that was overwritten: LRU starts anew, LFU keeps its counter. */
  touchOverwritten(e: Ref): void {
    if (!this.lfu) setEntryAccess(this.arena, e, this.accessClock);
  }

  /** Frees an entry that is in no dict, later when that is much work. */
  discard(e: Ref): void {
    const type = valueType(this.arena, e);
    if (type.freeStep !== undefined && type.freeEffort(this.arena, e) > LAZY_EFFORT_MIN) this.#lazyEntries.push(e);
    else this.discardNow(e);
  }

  /** Frees an entry that is in no dict. */
  discardNow(e: Ref): void {
    valueType(this.arena, e).free(this.arena, e);
    entryFree(this.arena, e, false);
  }

  /** Objects whose freeing was put off and is not finished. */
  get lazyPending(): number {
    return this.#garbage.length + this.#lazyEntries.count;
  }

  /** Does about `budget` steps of work that was put off; true when nothing is left. */
  lazyFreeStep(budget: number): boolean {
    const list = this.#lazyEntries;
    const a = this.arena;
    while (budget > 0 && list.count > 0) {
      const e = list.refs[list.count - 1];
      const step = valueType(a, e).freeStep;
      if (step === undefined || step(a, e, budget)) {
        list.count--;
        entryFree(a, e, false);
        this.lazyFreedObjects++;
      }
      budget -= 64;
    }
    return this.lazyPending === 0;
  }

  /** Empties databases: all of them (id -1) or one. Returns the number of keys that were in them. Emptying all gives the arena back whole. */
  flush(id: number): number {
    let keys = 0;
    for (const db of this.databases) {
      if (id >= 0 && db.id !== id) continue;
      keys += db.size;
    }
    const others = id < 0 ? 0 : this.databases.reduce((sum, db) => sum + (db.id === id ? 0 : db.size), 0);
    if (others === 0) this.#reset();
    else freeContent(this.arena, this.databases[id].empty(), this.#list);
    return keys;
  }

  #reset(): void {
    this.#garbage = [];
    this.#lazyEntries.count = 0;
    this.arena.reset();
    for (const db of this.databases) db.restart();
  }
}
