// Hashes of all encodings against a plain Map: random fields around the limits, values that spell integers, long ones, times to live; copies,
// digests and memory at the end.

import { expect } from "bun:test";
import type { Ref } from "../../src/arena/arena.ts";
import type { Prng } from "../../src/base/prng.ts";
import type { Database } from "../../src/keyspace/database.ts";
import { dropExpiredFields, noteFieldTimes } from "../../src/keyspace/field-expiry.ts";
import { Keyspace } from "../../src/keyspace/keyspace.ts";
import { dictCheck } from "../../src/struct/dict/dict-check.ts";
import { expiryHeapCheck, expiryHeapSize } from "../../src/struct/expiry-heap.ts";
import { Digest } from "../../src/types/digest.ts";
import { Encoding, entryEncoding } from "../../src/types/entry.ts";
import {
  type HashLimits,
  HashSlot,
  hashCreate,
  hashDelete,
  hashEarliest,
  hashExpireFound,
  hashFind,
  hashLength,
  hashPersistFound,
  hashPrepareExpiry,
  hashRandom,
  hashReplace,
  hashSet,
} from "../../src/types/hash/hash.ts";
import { hashDict } from "../../src/types/hash/hash-dict.ts";
import { expiryRecord, recordFields } from "../../src/types/hash/hash-expiry.ts";
import { HashWalk, walkNext, walkStart } from "../../src/types/hash/hash-walk.ts";
import type { ByteSpan } from "../../src/types/string.ts";
import { entryCopy, valueType } from "../../src/types/value.ts";
import { bytes, seededTest } from "../base/seeded.ts";
import { pinnedArena } from "../support/arena.ts";

interface Modelled {
  value: string;
  expiryMs: number;
}

const KEY = bytes("hash");
const slot = new HashSlot();
const walk = new HashWalk();

function textOf(span: ByteSpan): string {
  return Buffer.from(span.buf.subarray(span.at, span.at + span.length)).toString("latin1");
}

function randomText(random: Prng, longest: number): string {
  const kind = random.below(10);
  if (kind < 3) return String(random.below(2000) - 1000);
  if (kind === 3) return String(BigInt.asIntN(64, BigInt(random.below(2 ** 53)) * BigInt(random.below(5000))));
  if (kind === 4) return "0".repeat(random.below(3));
  return String.fromCharCode(...Array.from({ length: random.below(longest) }, () => random.below(256)));
}

class Play {
  readonly random: Prng;
  readonly db: Database;
  readonly limits: HashLimits;
  readonly model = new Map<string, Modelled>();
  readonly fieldCount: number;
  readonly longest: number;
  e: Ref;

  constructor(random: Prng, limits: HashLimits, fieldCount: number, longest: number) {
    this.random = random;
    this.limits = limits;
    this.fieldCount = fieldCount;
    this.longest = longest;
    this.db = new Keyspace(pinnedArena(null, random.uint32(), random.uint32()), 1, random).databases[0]!;
    this.e = this.#create();
  }

  #create(): Ref {
    const e = hashCreate(this.db.arena, KEY, 0, KEY.length, 0);
    this.db.find(KEY, 0, KEY.length);
    this.db.insert(e, this.db.hash);
    return e;
  }

  #field(): string {
    const n = this.random.below(this.fieldCount);
    if (n % 7 === 0) return String(n * 1001);
    if (n % 7 === 1 && this.longest > 300) return `${n}`.padEnd(60 + (n % 9), "x");
    return n === 2 && this.longest > 10_000 ? "l".repeat(70_000) : `field:${n}`;
  }

  step(): void {
    const { random, db, model } = this;
    const a = db.arena;
    const name = this.#field();
    const field = bytes(name);
    const old = model.get(name);
    const choice = random.below(12);
    if (choice < 5) {
      const text = randomText(random, this.longest);
      const keep = random.below(3) === 0;
      const value = bytes(text);
      const isNew = hashSet(a, this.e, field, 0, field.length, value, 0, value.length, this.limits, keep);
      expect(isNew).toBe(old === undefined);
      model.set(name, { value: text, expiryMs: keep && old !== undefined ? old.expiryMs : 0 });
    } else if (choice < 8) {
      expect(hashDelete(a, this.e, field, 0, field.length)).toBe(model.delete(name));
    } else if (choice < 10) {
      this.#changeTime(field, old);
    } else if (choice < 11) {
      this.#replace(field, old);
    } else {
      this.#dropExpired();
    }
    noteFieldTimes(db, this.e);
    this.#compare(field, model.get(name));
    if (hashLength(a, this.e) === 0) {
      db.remove(this.e, db.hashOf(this.e));
      this.e = this.#create();
    }
  }

  #changeTime(field: Uint8Array, old: Modelled | undefined): void {
    const a = this.db.arena;
    hashPrepareExpiry(a, this.e);
    if (!hashFind(a, this.e, field, 0, field.length, slot)) return;
    if (slot.expiryMs !== 0 && this.random.below(2) === 0) {
      hashPersistFound(a, this.e, slot);
      old!.expiryMs = 0;
    } else {
      old!.expiryMs = 1 + this.random.below(this.random.below(2) === 0 ? 50 : 2 ** 46 - 1);
      hashExpireFound(a, this.e, slot, old!.expiryMs);
    }
  }

  #replace(field: Uint8Array, old: Modelled | undefined): void {
    const a = this.db.arena;
    if (!hashFind(a, this.e, field, 0, field.length, slot)) return;
    old!.value = String(this.random.below(1_000_000));
    const value = bytes(old!.value);
    hashReplace(a, this.e, slot, value, 0, value.length);
  }

  #dropExpired(): void {
    const { db, model } = this;
    db.keyspace.nowMs = this.random.below(30);
    const expired = [...model].filter(([, { expiryMs }]) => expiryMs !== 0 && expiryMs < db.keyspace.nowMs);
    const limit = 1 + this.random.below(10);
    expired.sort(([, x], [, y]) => x.expiryMs - y.expiryMs);
    expect(dropExpiredFields(db, this.e, limit)).toBe(Math.min(limit, expired.length));
    // Of several with the same time any may go first.
    for (const [name] of expired) {
      const field = bytes(name);
      if (!hashFind(db.arena, this.e, field, 0, field.length, slot)) model.delete(name);
    }
  }

  #compare(field: Uint8Array, modelled: Modelled | undefined): void {
    const found = hashFind(this.db.arena, this.e, field, 0, field.length, slot);
    expect(found).toBe(modelled !== undefined);
    if (modelled === undefined) return;
    if (textOf(slot.value) !== modelled.value)
      throw new Error(`value of ${slot.value.length} bytes, not of ${modelled.value.length}`);
    expect(slot.expiryMs).toBe(modelled.expiryMs);
  }

  checkAll(): void {
    const { db, model } = this;
    const a = db.arena;
    expect(hashLength(a, this.e)).toBe(model.size);
    const seen = new Map<string, Modelled>();
    walkStart(a, this.e, walk);
    let last = 0;
    while (walkNext(a, walk)) {
      seen.set(textOf(walk.field), { value: textOf(walk.value), expiryMs: walk.expiryMs });
      if (entryEncoding(a, this.e) !== Encoding.ListpackEx) continue;
      const time = walk.expiryMs === 0 ? Number.POSITIVE_INFINITY : walk.expiryMs;
      if (time < last) throw new Error("a listpack with times is not in their order");
      last = time;
    }
    expect(seen.size).toBe(model.size);
    for (const [name, modelled] of model) expect(seen.get(name)).toEqual(modelled);
    const times = [...model.values()].map((m) => m.expiryMs).filter((ms) => ms !== 0);
    const earliest = times.length === 0 ? 0 : Math.min(...times);
    expect(hashEarliest(a, this.e)).toBe(earliest);
    expect(db.hashExpiry.size).toBe(times.length === 0 ? 0 : 1);
    if (times.length > 0) expect([db.hashExpiry.firstMs, db.hashExpiry.first]).toEqual([earliest, this.e]);
    if (entryEncoding(a, this.e) === Encoding.HashTable) {
      dictCheck(a, hashDict(a, this.e));
      const record = expiryRecord(a, this.e);
      const heap = record === 0 ? 0 : recordFields(a, record);
      expect(heap === 0 ? 0 : expiryHeapSize(a, heap)).toBe(times.length);
      if (heap !== 0) expiryHeapCheck(a, heap);
    }
    if (model.size > 0) {
      hashRandom(a, this.e, this.random, walk);
      expect({ value: textOf(walk.value), expiryMs: walk.expiryMs }).toEqual(model.get(textOf(walk.field))!);
    }
    a.check();
  }

  /** Copies the hash; the copy is equal, and is freed at once or in steps. */
  checkCopy(): void {
    const { db } = this;
    const a = db.arena;
    if (hashLength(a, this.e) === 0) return;
    const used = a.usedBytes;
    const key = bytes("copy");
    const copy = entryCopy(a, this.e, key, 0, key.length, 0);
    db.find(key, 0, key.length);
    db.insert(copy, db.hash);
    expect(digestOf(db, copy)).toBe(digestOf(db, this.e));
    expect(hashEarliest(a, copy)).toBe(hashEarliest(a, this.e));
    const outside = valueType(a, copy).outsideBytes(a, copy, 0);
    const grown = a.usedBytes - used;
    expect(Math.abs(grown - outside)).toBeLessThan(100 + grown * 0.13);
    const lazy = this.random.below(2) === 0;
    db.remove(copy, db.hashOf(copy), lazy);
    while (!db.keyspace.lazyFree.step(1 + this.random.below(50)));
    expect(a.usedBytes).toBeLessThanOrEqual(used + 64);
  }

  clear(): void {
    this.db.remove(this.e, this.db.hashOf(this.e));
  }
}

function digestOf(db: Database, e: Ref): string {
  const digest = new Digest();
  valueType(db.arena, e).digest(db.arena, e, digest);
  return digest.toString();
}

for (const [name, limits, fieldCount, longest, steps] of [
  ["in a listpack", { entries: 1000, value: 100_000 }, 40, 300, 4000],
  ["around the limits", { entries: 20, value: 64 }, 30, 66, 4000],
  ["in a table", { entries: 0, value: 64 }, 500, 400, 8000],
  ["in a table with long fields and values", { entries: 0, value: 64 }, 30, 150_000, 200],
] as const) {
  seededTest(`random commands on a hash ${name} agree with a Map`, (random) => {
    const play = new Play(random, limits, fieldCount, longest);
    for (let i = 1; i <= steps; i++) {
      play.step();
      if (i % 100 !== 0) continue;
      play.checkAll();
      play.checkCopy();
    }
    play.clear();
    play.db.arena.check();
    expect(play.db.hashExpiry.size).toBe(0);
    expect(play.db.size).toBe(0);
    expect(play.db.arena.largeBytes).toBe(0);
    expect(play.db.arena.usedBytes).toBeLessThan(40_000);
  });
}
