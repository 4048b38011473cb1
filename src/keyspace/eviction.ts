/**
 * Which key goes when memory is full, under every maxmemory-policy. Policies that compare keys look at a few of them, taken at random from each database, and
 * remember the best candidates of all samples so far in a pool: with five keys a sample it comes near to the exact order (the approximation that
 * redis.conf documents for maxmemory-samples).
 *
 *   pool      slots in ascending order of their scores; the free ones come last
 *   slot      score, database, copy of the key. The key may be gone by the time that the slot is chosen: then it is passed over.
 *
 * Invariant: the scores of the first #count places of #order ascend; all of them stem from the present policy.
 */
import type { Ref } from "../arena/arena.ts";
import { copyBytes } from "../base/bytes.ts";
import type { EvictionPolicy } from "../config/settings/settings-memory.ts";
import { dictRandom, dictSample, dictSize, RefList } from "../struct/dict/dict.ts";
import {
  entryAccess,
  entryExpiry,
  entryHasExpiry,
  entryKeyAt,
  entryKeyBuffer,
  entryKeyLength,
} from "../types/entry.ts";
import type { Database } from "./database.ts";
import type { Keyspace } from "./keyspace.ts";
import { idleSeconds, lfuDecayed } from "./lfu.ts";

const POOL_SLOTS = 16;
/** Keys of this length and less are copied into buffers that exist. */
const KEY_BYTES_START = 128;
/** A buffer that grew beyond this for one key is let go when the next takes its place. */
const KEY_BYTES_KEEP = 4096;
/** How often one sample looks into a table that seems to be mostly empty. */
const LOOKS_MAX = 16;
/** In a large database the samples of so many choices are taken at once: their misses of the processor's caches then overlap. */
const CHOICES_AHEAD = 4;
const LARGE_DATABASE = 1024;
const FREQUENCY_MAX = 255;

/** What a policy goes by. */
const Order = { Idle: 0, Frequency: 1, Expiry: 2, Random: 3 } as const;

const ORDERS: Readonly<Record<EvictionPolicy, number>> = {
  "volatile-lru": Order.Idle,
  "allkeys-lru": Order.Idle,
  "volatile-lfu": Order.Frequency,
  "allkeys-lfu": Order.Frequency,
  "volatile-ttl": Order.Expiry,
  "volatile-random": Order.Random,
  "allkeys-random": Order.Random,
  noeviction: Order.Random,
};

/** Chooses keys. After choose() has returned an entry, `db`, `hash` and the triple `key`, 0, `keyLength` tell about it until the next call. */
export class EvictionChoice {
  readonly #keyspace: Keyspace;
  readonly #sample = new RefList();
  readonly #order = new Uint8Array(POOL_SLOTS);
  readonly #scores = new Float64Array(POOL_SLOTS);
  readonly #dbIds = new Int32Array(POOL_SLOTS);
  readonly #keys: Uint8Array[] = [];
  readonly #lengths = new Int32Array(POOL_SLOTS);
  /** Slots in use: the first ones of #order. */
  #count = 0;
  #policy: EvictionPolicy = "noeviction";
  #by: number = Order.Random;
  #volatile = false;
  /** Choices that the latest samples are good for. */
  #choicesLeft = 0;
  /** Keeps loads alive that are made ahead of their use. */
  #touched = 0;
  /** Where a random choice goes on, so that all databases have their turn. */
  #nextDatabase = 0;

  /** maxmemory-samples. */
  samples = 5;
  db: Database;
  hash = 0;
  key: Uint8Array;
  keyLength = 0;

  constructor(keyspace: Keyspace) {
    this.#keyspace = keyspace;
    this.db = keyspace.databases[0];
    for (let slot = 0; slot < POOL_SLOTS; slot++) {
      this.#order[slot] = slot;
      this.#keys.push(new Uint8Array(KEY_BYTES_START));
    }
    this.key = new Uint8Array(KEY_BYTES_START);
  }

  get policy(): EvictionPolicy {
    return this.#policy;
  }

  /** Changes the policy. What the pool holds was judged by other rules and is forgotten. */
  set policy(policy: EvictionPolicy) {
    if (policy === this.#policy) return;
    this.#policy = policy;
    this.#by = ORDERS[policy];
    this.#volatile = policy.startsWith("volatile-");
    this.#count = 0;
    this.#choicesLeft = 0;
  }

  /** The entry to evict next, or 0 when no key may go. It stays where it is: removing it is the caller's. */
  choose(): Ref {
    if (this.#policy === "noeviction") return 0;
    return this.#by === Order.Random ? this.#chooseAtRandom() : this.#chooseBest();
  }

  /** One database after the other gives a key. */
  #chooseAtRandom(): Ref {
    const { arena, databases, prng } = this.#keyspace;
    for (let seen = 0; seen < databases.length; seen++) {
      this.#nextDatabase = (this.#nextDatabase + 1) % databases.length;
      const db = databases[this.#nextDatabase];
      const dict = this.#volatile ? db.expires : db.dict;
      const e = dict === 0 ? 0 : dictRandom(arena, dict, prng);
      if (e === 0) continue;
      this.db = db;
      this.hash = db.hashOf(e);
      this.keyLength = entryKeyLength(arena, e);
      this.key = roomFor(this.key, this.keyLength);
      copyBytes(entryKeyBuffer(arena, e), entryKeyAt(arena, e), this.key, 0, this.keyLength);
      return e;
    }
    return 0;
  }

  #chooseBest(): Ref {
    while (this.#choicesLeft > 0 || this.#fill()) {
      this.#choicesLeft--;
      while (this.#count > 0) {
        const e = this.#takeBest();
        if (e !== 0) return e;
      }
      this.#choicesLeft = 0;
    }
    return 0;
  }

  /** Samples every database; false when none has a key that may go. */
  #fill(): boolean {
    let any = false;
    this.#choicesLeft = CHOICES_AHEAD;
    for (const db of this.#keyspace.databases) {
      const size = this.#volatile ? db.expiresSize : db.size;
      if (size === 0) continue;
      any = true;
      if (size < LARGE_DATABASE) this.#choicesLeft = 1;
    }
    if (!any) this.#choicesLeft = 0;
    else for (const db of this.#keyspace.databases) this.#sampleOf(db, this.samples * this.#choicesLeft);
    return any;
  }

  /** Offers keys of some random places to the pool. There may be more than are wanted: they too are taken from a random one on. */
  #sampleOf(db: Database, wanted: number): void {
    const { arena, prng } = this.#keyspace;
    const dict = this.#volatile ? db.expires : db.dict;
    if (dict === 0 || dictSize(arena, dict) === 0) return;
    const list = this.#sample;
    list.count = 0;
    for (let looks = 0; looks < LOOKS_MAX && list.count < wanted; looks++) dictSample(arena, dict, prng, list);
    if (list.count === 0) list.push(dictRandom(arena, dict, prng));
    let at = prng.below(list.count);
    let sum = this.#touched;
    for (let i = 0; i < list.count; i++) sum ^= entryAccess(arena, list.refs[i]);
    this.#touched = sum;
    for (let i = Math.min(wanted, list.count); i > 0; i--) {
      this.#offer(db, list.refs[at]);
      at = at + 1 === list.count ? 0 : at + 1;
    }
  }

  /** How good it would be to evict an entry: larger is better. */
  #score(e: Ref): number {
    const { arena } = this.#keyspace;
    if (this.#by === Order.Idle) return idleSeconds(this.#keyspace, entryAccess(arena, e));
    if (this.#by === Order.Frequency) return FREQUENCY_MAX - lfuDecayed(this.#keyspace, entryAccess(arena, e));
    return -entryExpiry(arena, e);
  }

  /** Puts an entry into the pool when there is room, or when it is better than the worst in there, whose place it then takes. */
  #offer(db: Database, e: Ref): void {
    const score = this.#score(e);
    const order = this.#order;
    let place = 0;
    while (place < this.#count && this.#scores[order[place]] < score) place++;
    let slot: number;
    if (this.#count < POOL_SLOTS) {
      slot = order[this.#count];
      for (let i = this.#count++; i > place; i--) order[i] = order[i - 1];
    } else {
      if (place === 0) return;
      place--;
      slot = order[0];
      for (let i = 0; i < place; i++) order[i] = order[i + 1];
    }
    order[place] = slot;
    this.#scores[slot] = score;
    this.#dbIds[slot] = db.id;
    this.#keepKey(slot, e);
  }

  #keepKey(slot: number, e: Ref): void {
    const { arena } = this.#keyspace;
    const length = entryKeyLength(arena, e);
    const key = roomFor(this.#keys[slot], length);
    copyBytes(entryKeyBuffer(arena, e), entryKeyAt(arena, e), key, 0, length);
    this.#keys[slot] = key;
    this.#lengths[slot] = length;
  }

  /** Takes the best out of the pool; its entry, or 0 when that is gone. */
  #takeBest(): Ref {
    this.#count--;
    const slot = this.#order[this.#count];
    const db = this.#keyspace.databases[this.#dbIds[slot]];
    const key = this.#keys[slot];
    const length = this.#lengths[slot];
    const e = db.find(key, 0, length);
    if (e === 0 || (this.#volatile && !entryHasExpiry(this.#keyspace.arena, e))) return 0;
    this.db = db;
    this.hash = db.hash;
    this.key = key;
    this.keyLength = length;
    return e;
  }
}

/** A buffer for a key: the one at hand when it fits. */
function roomFor(buffer: Uint8Array, length: number): Uint8Array {
  if (length <= buffer.length && buffer.length <= KEY_BYTES_KEEP) return buffer;
  return new Uint8Array(Math.max(length, KEY_BYTES_START));
}
