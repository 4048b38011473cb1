/**
 * What all databases of a keyspace share: the arena, the time, the clock of access, what becomes of keys whose time has come, who is told of it, and
 * what is counted.
 */
import type { Arena, Ref } from "../arena/arena.ts";
import type { Prng } from "../base/prng.ts";
import { setEntryAccess } from "../types/entry.ts";
import type { Content, LazyFree } from "./lazy-free.ts";
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
  keyExpired(dbId: number, key: Uint8Array): void;
  /** A field of a hash is deleted because it expired: propagate. `key` is a copy; `field` is valid only during the call. */
  fieldExpired(dbId: number, key: Uint8Array, field: Uint8Array): void;
  /** Fields of a hash were deleted because they expired, and the key with them when none is left (`emptied`): notify. */
  fieldsExpired(dbId: number, key: Uint8Array, emptied: boolean): void;
}

/** A snapshot in progress, which must see keys as they were when it began: whoever is about to change one says so first. */
export interface KeySnapshot {
  /** An entry of a dict of keys is about to change, to move or to go. */
  beforeChange(dict: Ref, e: Ref): void;
  /**
   * An entry of a dict of keys is about to go, or (`isReplaced`) to get another value. True: the snapshot keeps it as it is, and frees it; the caller only takes it out of
   * the dicts. False: it is the caller's.
   */
  retires(dict: Ref, e: Ref, isReplaced: boolean): boolean;
  /** Would beforeChange() take so long that others notice? */
  isCostly(e: Ref): boolean;
  /** Saves the key of an entry of `dict` before others, in slices, and then calls back: the entry may change without costing anything. */
  hurry(dict: Ref, e: Ref, saved: () => void): void;
  /** A dict of keys and its index of expiring ones (0: none) are given up. True: the snapshot still reads them, and will free them. */
  takesOver(dict: Ref, expires: Ref): boolean;
}

export class KeyRules {
  readonly arena: Arena;
  readonly prng: Prng;
  #lazyFree: LazyFree | null = null;
  listener: KeyspaceListener = {
    listening: false,
    keyExpired: () => {},
    fieldExpired: () => {},
    fieldsExpired: () => {},
  };

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
  /** The snapshot in progress, or null. */
  snapshot: KeySnapshot | null = null;
  /** Bytes of entries that are no keys any more, which the snapshot keeps until it has written them. */
  retiredBytes = 0;
  /**
   * 0 or PHASE_BIT, other than it was in the snapshot before. Invariant: while no snapshot is in progress (and none was broken off lately), all keys have it;
   * what is inserted always gets it.
   */
  phase = 0;

  hits = 0;
  misses = 0;
  expiredKeys = 0;
  expiredFields = 0;

  constructor(arena: Arena, prng: Prng) {
    this.arena = arena;
    this.prng = prng;
  }

  /** What is freed bit by bit. Made with the first of it. */
  get lazyFree(): LazyFree {
    return (this.#lazyFree ??= new (freeing().LazyFree)(this.arena));
  }

  /** True while nothing waits to be freed. */
  get freesNothing(): boolean {
    return this.#lazyFree === null || this.#lazyFree.idle;
  }

  /** Frees the content of a database at once. */
  protected freeContent(content: Content): void {
    freeing().freeContent(this.arena, content);
  }

  /** Bytes of all that only the snapshot in progress needs. maxmemory does not count them. */
  get retainedBytes(): number {
    return this.retiredBytes + this.arena.frozen.copyBytes + this.arena.frozen.inheritedBytes;
  }

  /** True when an expiry time has passed. */
  isExpired(expiryMs: number): boolean {
    return this.nowMs > expiryMs && this.expiryMode !== ExpiryMode.Ignore;
  }

  /** Access bits of a new key. */
  accessOfNew(): number {
    return this.lfu ? ((this.accessClock & 0xffff) << 8) | LFU_INITIAL : this.accessClock;
  }

  /** Access bits of a key whose use is told (-1: not told): by what the policy cares for, else those of a new one. */
  accessOfUsed(idleSeconds: number, frequency: number): number {
    if (this.lfu && frequency >= 0) return ((this.accessClock & 0xffff) << 8) | frequency;
    if (!this.lfu && idleSeconds >= 0) return (this.accessClock - (idleSeconds % 0x1000000)) & 0xffffff;
    return this.accessOfNew();
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

  /** Frees an entry that is in no dict; a huge value goes in steps, without being told of. */
  discardNow(e: Ref): void {
    this.lazyFree.freeEntry(e);
  }

  /** Sets the access clock from the time. */
  refreshAccessClock(): void {
    this.accessClock = this.lfu ? Math.floor(this.nowMs / 60_000) & 0xffff : Math.floor(this.nowMs / 1000) & 0xffffff;
  }
}

/** Read with the databases' code (keyspace.ts). */
function freeing(): typeof import("./lazy-free.ts") {
  return require("./lazy-free.ts") as typeof import("./lazy-free.ts");
}
