/**
 * All databases of a server over one arena: clocks of access and expiry, lazy freeing, and what is counted.
 * The keyspace knows nothing of clients; what it must tell (a key expired) goes to its listener.
 */
import type { Arena, Ref } from "../arena/arena.ts";
import type { Prng } from "../base/prng.ts";
import { entryFree, entryKeyCopy, setEntryAccess } from "../types/entry.ts";
import { valueType } from "../types/value.ts";
import { Database } from "./database.ts";
import { HashHints } from "./hash-hints.ts";
import { freeContent, LazyFree } from "./lazy-free.ts";
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
  /** True while somebody wants to know of expired keys: otherwise keyExpired is not called. */
  readonly listening: boolean;
  /** A key was deleted because it expired: propagate, notify. `key` is the caller's own copy. */
  keyExpired(db: Database, key: Uint8Array): void;
}

export class Keyspace {
  readonly arena: Arena;
  readonly prng: Prng;
  readonly databases: Database[] = [];
  readonly lazyFree: LazyFree;
  listener: KeyspaceListener = { listening: false, keyExpired: () => {} };

  /** Unix time in ms of the command that runs, set by whoever runs it. */
  nowMs = 0;
  /** The 24-bit access clock: seconds for LRU, minutes for LFU, set with the time. */
  accessClock = 0;
  /** True while the eviction policy is an LFU one: access bits then are minutes and a counter. */
  lfu = false;
  lfuLogFactor = 10;
  lfuDecayMinutes = 1;
  expiryMode: number = ExpiryMode.Delete;
  /** Values of expired keys are freed lazily. */
  lazyExpire = false;
  /** False while dicts must keep the size that they have. */
  resizing = true;
  readonly hints = new HashHints();

  hits = 0;
  misses = 0;
  expiredKeys = 0;

  constructor(arena: Arena, count: number, prng: Prng) {
    this.arena = arena;
    this.prng = prng;
    this.lazyFree = new LazyFree(arena);
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
    const key = this.listener.listening ? entryKeyCopy(this.arena, e) : null;
    db.remove(e, hash, this.lazyExpire);
    if (key !== null) this.listener.keyExpired(db, key);
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
    this.lazyFree.addEntry(e);
  }

  /** Frees an entry that is in no dict. */
  discardNow(e: Ref): void {
    valueType(this.arena, e).free(this.arena, e);
    entryFree(this.arena, e, false);
  }

  /**
   * Empties databases: all of them (id -1) or one. `lazy` leaves the work to lazyFree. Returns the number of keys that were in them. When nothing else
   * is left, the arena is given up as a whole, which is no work at all.
   */
  flush(id: number, lazy: boolean): number {
    let keys = 0;
    let others = 0;
    for (const db of this.databases) {
      if (id < 0 || db.id === id) keys += db.size;
      else others += db.size;
    }
    if (keys === 0) return 0;
    if (others === 0) {
      this.#reset();
      if (lazy) this.lazyFree.freedObjects += keys;
    } else if (lazy) {
      this.lazyFree.addContent(this.databases[id].empty(), keys);
    } else {
      freeContent(this.arena, this.databases[id].empty());
    }
    return keys;
  }

  #reset(): void {
    this.lazyFree.forget();
    this.arena.reset();
    for (const db of this.databases) db.restart();
  }

  /** Forbids or allows that dicts of keys grow, shrink and rehash. */
  setResizing(allowed: boolean): void {
    if (allowed === this.resizing) return;
    this.resizing = allowed;
    for (const db of this.databases) db.pauseResizing(allowed ? -1 : 1);
  }

  /** Sets the access clock from the time. */
  refreshAccessClock(): void {
    this.accessClock = this.lfu ? Math.floor(this.nowMs / 60_000) & 0xffff : Math.floor(this.nowMs / 1000) & 0xffffff;
  }
}
