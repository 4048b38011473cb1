/**
 * One numbered database: its keys, and the index of those that expire. Both are dicts over the same entries, so an entry that moves is replaced in both.
 * Invariant: a key is in `expires` exactly when its entry has an expiry.
 */
import type { Arena, Ref } from "../arena/arena.ts";
import { int64High, int64Low } from "../base/int64.ts";
import {
  dictAdd,
  dictCreate,
  dictEntryHash,
  dictFind,
  dictGrowIfNeeded,
  dictHash,
  dictInsert,
  dictPause,
  dictPrefetchBuckets,
  dictRandom,
  dictRehash,
  dictRemove,
  dictReplace,
  dictReserve,
  dictScan,
  dictShrinkIfNeeded,
  dictSize,
  type RefList,
} from "../struct/dict/dict.ts";
import {
  ENTRY_KEY_OFFSET,
  entryAccess,
  entryExpiry,
  entryFree,
  entryHasExpiry,
  entryKeyCopy,
  entryType,
  setEntryExpiry,
  setEntryPhase,
  Type,
} from "../types/entry.ts";
import { stringAssign, stringCreate } from "../types/string.ts";
import { entryMove } from "../types/value.ts";
import { HashExpiryIndex } from "./hash-expiry-index.ts";
import { ExpiryMode, type KeyRules } from "./key-rules.ts";
import type { Content } from "./lazy-free.ts";

/** Expiry argument of setString: none, or what the key has. */
export const NO_EXPIRY = -1;
export const KEEP_EXPIRY = -2;

export class Database {
  readonly keyspace: KeyRules;
  readonly arena: Arena;
  readonly id: number;
  /** Dict of all keys. */
  dict: Ref;
  /** Dict of the keys with an expiry; 0 until there is one. */
  expires: Ref = 0;
  /** The hashes with fields that expire. */
  hashExpiry: HashExpiryIndex;
  /** Hash of the key of the last find or lookup: what the calls that follow it want. */
  hash = 0;
  /** Where the active expiry cycle goes on. */
  expiresCursor = 0;
  /** Mean time to live in ms of the keys that the active cycle sampled last. */
  averageTtlMs = 0;

  constructor(keyspace: KeyRules, id: number) {
    this.keyspace = keyspace;
    this.arena = keyspace.arena;
    this.id = id;
    this.hashExpiry = new HashExpiryIndex(this.arena);
    this.dict = dictCreate(this.arena, ENTRY_KEY_OFFSET);
  }

  get size(): number {
    return dictSize(this.arena, this.dict);
  }

  get expiresSize(): number {
    return this.expires === 0 ? 0 : dictSize(this.arena, this.expires);
  }

  /** The entry of a key, expired or not; 0 when absent. */
  find(buf: Uint8Array, offset: number, length: number): Ref {
    const hash = dictHash(this.arena, buf, offset, length);
    this.hash = hash;
    return dictFind(this.arena, this.dict, buf, offset, length, hash);
  }

  /** The entry of a key that has not expired, or 0. An expired one is deleted on the way, unless the keyspace only hides it. No access is recorded. */
  lookup(buf: Uint8Array, offset: number, length: number): Ref {
    const e = this.find(buf, offset, length);
    if (e === 0 || !entryHasExpiry(this.arena, e) || !this.keyspace.isExpired(entryExpiry(this.arena, e))) return e;
    if (this.keyspace.expiryMode === ExpiryMode.Delete) this.expire(e, this.hash);
    return 0;
  }

  /**
   * Gives a key a string value, whatever it held. `expiry` is a Unix time in ms, NO_EXPIRY or KEEP_EXPIRY. `adopt` gives up the value's buffer
   * to the arena when the value is long. Returns the entry. The key must not be an expired one: look it up first.
   */
  setString(
    key: Uint8Array,
    keyOffset: number,
    keyLength: number,
    value: Uint8Array,
    offset: number,
    length: number,
    expiry: number,
    adopt: boolean,
  ): Ref {
    const old = this.find(key, keyOffset, keyLength);
    const e = this.putString(old, key, keyOffset, keyLength, value, offset, length, expiry, adopt);
    if (old !== 0) this.keyspace.touchOverwritten(e);
    return e;
  }

  /**
   * The same for a key that was just looked up: `old` is its entry, or 0, and `hash` of this database still its hash. Access bits of an existing key
   * are kept. `asBytes` keeps a value that spells an integer from being stored as one.
   */
  putString(
    old: Ref,
    key: Uint8Array,
    keyOffset: number,
    keyLength: number,
    value: Uint8Array,
    offset: number,
    length: number,
    expiry: number,
    adopt: boolean,
    asBytes = false,
  ): Ref {
    const a = this.arena;
    const hash = this.hash;
    if (old === 0) {
      const e = stringCreate(
        a,
        key,
        keyOffset,
        keyLength,
        value,
        offset,
        length,
        this.keyspace.accessOfNew(),
        expiry >= 0,
        adopt,
        asBytes,
      );
      setEntryPhase(a, e, this.keyspace.phase);
      dictInsert(a, this.dict, e, hash);
      if (expiry >= 0) this.#indexExpiry(e, hash, expiry);
      return e;
    }
    const { snapshot } = this.keyspace;
    const isRetired = snapshot?.retires(this.dict, old, true) === true;
    const hadExpiry = entryHasExpiry(a, old);
    const withExpiry = expiry >= 0 || (expiry === KEEP_EXPIRY && hadExpiry);
    if (hadExpiry && !withExpiry) dictRemove(a, this.expires, old, hash);
    let e = old;
    if (entryType(a, old) === Type.String && !isRetired) {
      e = stringAssign(a, old, value, offset, length, withExpiry, adopt, asBytes);
      if (e !== old) {
        dictReplace(a, this.dict, old, e, hash);
        if (hadExpiry && withExpiry) dictReplace(a, this.expires, old, e, hash);
        entryFree(a, old, true);
      }
    } else {
      e = this.#replaceWithString(
        old,
        hash,
        key,
        keyOffset,
        keyLength,
        value,
        offset,
        length,
        withExpiry,
        adopt,
        asBytes,
      );
      if (!isRetired) this.keyspace.discard(old);
    }
    if (withExpiry && !hadExpiry) this.#indexExpiry(e, hash, expiry);
    else if (expiry >= 0) setEntryExpiry(a, e, int64Low(expiry), int64High(expiry));
    return e;
  }

  /** Puts a new entry in the place of `old`, which is left to the caller. */
  #replaceWithString(
    old: Ref,
    hash: number,
    key: Uint8Array,
    keyOffset: number,
    keyLength: number,
    value: Uint8Array,
    offset: number,
    length: number,
    withExpiry: boolean,
    adopt: boolean,
    asBytes: boolean,
  ): Ref {
    const a = this.arena;
    const hadExpiry = entryHasExpiry(a, old);
    const keptExpiry = entryExpiry(a, old);
    const e = stringCreate(
      a,
      key,
      keyOffset,
      keyLength,
      value,
      offset,
      length,
      entryAccess(a, old),
      withExpiry,
      adopt,
      asBytes,
    );
    if (withExpiry) setEntryExpiry(a, e, int64Low(keptExpiry), int64High(keptExpiry));
    setEntryPhase(a, e, this.keyspace.phase);
    dictReplace(a, this.dict, old, e, hash);
    if (hadExpiry && withExpiry) dictReplace(a, this.expires, old, e, hash);
    this.hashExpiry.removed(old);
    return e;
  }

  /** Adds an entry whose key is known to be absent, under its hash; an entry with an expiry is indexed. */
  insert(e: Ref, hash: number): void {
    setEntryPhase(this.arena, e, this.keyspace.phase);
    dictInsert(this.arena, this.dict, e, hash);
    this.#index(e, hash);
  }

  /** The same, unless there is an entry with the key: returns that one, or 0. */
  add(e: Ref, hash: number): Ref {
    setEntryPhase(this.arena, e, this.keyspace.phase);
    const old = dictAdd(this.arena, this.dict, e, hash);
    if (old === 0) this.#index(e, hash);
    return old;
  }

  /** A new entry is to be found by what of it expires. */
  #index(e: Ref, hash: number): void {
    this.hashExpiry.added(e);
    if (!entryHasExpiry(this.arena, e)) return;
    if (this.expires === 0) this.expires = this.#newDict();
    dictInsert(this.arena, this.expires, e, hash);
  }

  /** Takes an entry out without freeing anything; it keeps its expiry. */
  detach(e: Ref, hash: number): void {
    if (this.keyspace.snapshot !== null) this.keyspace.snapshot.beforeChange(this.dict, e);
    this.#unlink(e, hash);
  }

  #unlink(e: Ref, hash: number): void {
    if (entryHasExpiry(this.arena, e)) dictRemove(this.arena, this.expires, e, hash);
    dictRemove(this.arena, this.dict, e, hash);
    this.hashExpiry.removed(e);
  }

  /** Deletes a key: takes its entry out and frees it, at once or lazily as the keyspace decides. `lazy` asks for lazy freeing. */
  remove(e: Ref, hash: number, lazy = false): void {
    const { snapshot } = this.keyspace;
    const isRetired = snapshot?.retires(this.dict, e, false) === true;
    this.#unlink(e, hash);
    if (isRetired) return;
    if (lazy) this.keyspace.discard(e);
    else this.keyspace.discardNow(e);
  }

  /** Deletes an expired key and tells. */
  expire(e: Ref, hash: number): void {
    const { listener, lazyExpire } = this.keyspace;
    const key = listener.listening ? entryKeyCopy(this.arena, e) : null;
    this.keyspace.expiredKeys++;
    this.remove(e, hash, lazyExpire);
    if (key !== null) listener.keyExpired(this.id, key);
  }

  /** Puts the block that took an entry's place (after stringGrow and the like) into the dicts and frees the old block. The key's hash is `hash`. */
  replaceBlock(old: Ref, fresh: Ref, hash: number): void {
    if (old === fresh) return;
    dictReplace(this.arena, this.dict, old, fresh, hash);
    if (entryHasExpiry(this.arena, fresh)) dictReplace(this.arena, this.expires, old, fresh, hash);
    this.hashExpiry.moved(fresh);
    entryFree(this.arena, old, true);
  }

  /** Sets a key's expiry to an int64 of ms given as halves. Returns the entry, which may have moved. */
  setExpiry(e: Ref, hash: number, low: number, high: number): Ref {
    const a = this.arena;
    if (this.keyspace.snapshot !== null) this.keyspace.snapshot.beforeChange(this.dict, e);
    let entry = e;
    if (!entryHasExpiry(a, e)) {
      entry = entryMove(a, e, true);
      dictReplace(a, this.dict, e, entry, hash);
      this.hashExpiry.moved(entry);
      if (this.expires === 0) this.expires = this.#newDict();
      dictInsert(a, this.expires, entry, hash);
    }
    setEntryExpiry(a, entry, low, high);
    return entry;
  }

  /** Takes a key's expiry away. Returns the entry, which may have moved; the same when it had none. */
  clearExpiry(e: Ref, hash: number): Ref {
    const a = this.arena;
    if (!entryHasExpiry(a, e)) return e;
    if (this.keyspace.snapshot !== null) this.keyspace.snapshot.beforeChange(this.dict, e);
    dictRemove(a, this.expires, e, hash);
    const entry = entryMove(a, e, false);
    dictReplace(a, this.dict, e, entry, hash);
    this.hashExpiry.moved(entry);
    return entry;
  }

  /** A uniformly random entry, expired ones included; 0 when empty. */
  random(): Ref {
    return dictRandom(this.arena, this.dict, this.keyspace.prng);
  }

  /** One step of a scan over all keys: see dictScan. */
  scan(cursor: number, out: RefList): number {
    return dictScan(this.arena, this.dict, cursor, out);
  }

  /** One step of the endless scan over the expiring keys, of which there must be some; true when it has just been round. */
  scanExpires(out: RefList): boolean {
    this.expiresCursor = dictScan(this.arena, this.expires, this.expiresCursor, out);
    return this.expiresCursor === 0;
  }

  /** The hash of an entry's key. */
  hashOf(e: Ref): number {
    return dictEntryHash(this.arena, e, ENTRY_KEY_OFFSET);
  }

  /** Takes all content away and returns it, for the keyspace to free; the database is empty afterwards. */
  empty(): Content {
    const content = { dict: this.dict, expires: this.expires };
    this.hashExpiry.clear(true);
    this.restart();
    return content;
  }

  /** Forgets refs that arena.reset() made invalid and starts empty. */
  restart(): void {
    this.dict = this.#newDict();
    this.expires = 0;
    this.hashExpiry.clear(false);
    this.expiresCursor = 0;
    this.averageTtlMs = 0;
  }

  /** Exchanges the content of two databases. */
  swapContent(other: Database): void {
    const { dict, expires, hashExpiry, expiresCursor, averageTtlMs } = this;
    this.dict = other.dict;
    this.expires = other.expires;
    this.hashExpiry = other.hashExpiry;
    this.expiresCursor = other.expiresCursor;
    this.averageTtlMs = other.averageTtlMs;
    Object.assign(other, { dict, expires, hashExpiry, expiresCursor, averageTtlMs });
  }

  /** Allows (-1) or forbids (+1) that the dicts change their size. */
  pauseResizing(by: 1 | -1): void {
    dictPause(this.arena, this.dict, by);
    if (this.expires !== 0) dictPause(this.arena, this.expires, by);
  }

  /** Prepares an empty database for so many keys, of which so many expire. */
  reserve(keys: number, expiring: number): void {
    if (this.size > 0) return;
    dictReserve(this.arena, this.dict, keys);
    if (expiring === 0) return;
    if (this.expires === 0) this.expires = this.#newDict();
    dictReserve(this.arena, this.expires, expiring);
  }

  /** Brings what add() will read for keys with these hashes into the processor's caches: for keys that expire as well. The result means nothing. */
  prefetch(hashes: Int32Array, count: number, expiring: Int32Array, expiringCount: number): number {
    const sum = dictPrefetchBuckets(this.arena, this.dict, hashes, count);
    if (expiringCount === 0 || this.expires === 0) return sum;
    return sum ^ dictPrefetchBuckets(this.arena, this.expires, expiring, expiringCount);
  }

  /** Moves keys of dicts that are changing their size, up to `buckets` buckets of each; true while work remains. */
  rehash(buckets: number): boolean {
    const more = dictRehash(this.arena, this.dict, buckets);
    return (this.expires !== 0 && dictRehash(this.arena, this.expires, buckets)) || more;
  }

  /** Starts to resize dicts that have become full or mostly empty while they were not allowed to. */
  resizeIfNeeded(): void {
    this.#resizeIfNeeded(this.dict);
    if (this.expires !== 0) this.#resizeIfNeeded(this.expires);
  }

  #resizeIfNeeded(dict: Ref): void {
    dictGrowIfNeeded(this.arena, dict);
    dictShrinkIfNeeded(this.arena, dict);
  }

  #newDict(): Ref {
    const dict = dictCreate(this.arena, ENTRY_KEY_OFFSET);
    if (!this.keyspace.resizing) dictPause(this.arena, dict, 1);
    return dict;
  }

  #indexExpiry(e: Ref, hash: number, expiry: number): void {
    if (this.expires === 0) this.expires = this.#newDict();
    setEntryExpiry(this.arena, e, int64Low(expiry), int64High(expiry));
    dictInsert(this.arena, this.expires, e, hash);
  }
}
