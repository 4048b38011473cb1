// Databases against a model: random strings with and without expiry, renaming, copying, moving, swapping, flushing and time that passes. Whatever happens,
// what is left must be what a plain map says, and the arena must hold nothing else.

import { afterAll, expect, test } from "bun:test";
import { int64High, int64Low } from "../../src/base/int64.ts";
import { Prng } from "../../src/base/prng.ts";
import { KEEP_EXPIRY, NO_EXPIRY } from "../../src/keyspace/database.ts";
import { ExpiryMode } from "../../src/keyspace/key-rules.ts";
import { Keyspace } from "../../src/keyspace/keyspace.ts";
import { dictIsRehashing, RefList } from "../../src/struct/dict/dict.ts";
import { dictCheck } from "../../src/struct/dict/dict-check.ts";
import { entryExpiry, entryHasExpiry, entryKeyText } from "../../src/types/entry.ts";
import { ByteSpan, readString } from "../../src/types/string.ts";
import { entryCopy, entryRename } from "../../src/types/value.ts";
import { bytes, seededTest } from "../base/seeded.ts";
import { returnArena, takeArena } from "../support/arena.ts";

const START_MS = 1_700_000_000_000;
const arena = takeArena();
afterAll(() => returnArena(arena));

/** A value and the time at which it expires; Infinity: never. */
interface Item {
  value: string;
  expiryMs: number;
}

/** A keyspace with its model. */
class World {
  readonly keyspace: Keyspace;
  readonly models: Map<string, Item>[];
  readonly random: Prng;
  readonly expired: string[] = [];

  constructor(random: Prng, count = 4) {
    arena.reset();
    this.random = random;
    this.keyspace = new Keyspace(arena, count, random);
    this.keyspace.nowMs = START_MS;
    this.keyspace.listener = {
      listening: true,
      keyExpired: (id, key) => this.#noteExpired(id, key),
      fieldExpired: () => {},
      fieldsExpired: () => {},
    };
    this.models = Array.from({ length: count }, () => new Map());
  }

  #noteExpired(id: number, key: Uint8Array): void {
    const name = Buffer.from(key).toString("latin1");
    const item = this.models[id].get(name);
    if (item === undefined || item.expiryMs >= this.keyspace.nowMs) throw new Error(`${name} expired too early`);
    this.models[id].delete(name);
    this.expired.push(name);
  }

  /** The model's item of a key, as a look sees it. */
  alive(id: number, name: string): Item | undefined {
    const item = this.models[id].get(name);
    return item !== undefined && this.keyspace.nowMs > item.expiryMs ? undefined : item;
  }

  lookup(id: number, name: string): number {
    const key = bytes(name);
    const e = this.keyspace.databases[id].lookup(key, 0, key.length);
    const item = this.alive(id, name);
    if ((e !== 0) !== (item !== undefined)) throw new Error(`db ${id}: ${name} is ${e === 0 ? "missing" : "too much"}`);
    if (e !== 0 && item !== undefined) this.#compare(e, item, name);
    return e;
  }

  #compare(e: number, item: Item, name: string): void {
    const span = new ByteSpan();
    readString(arena, e, span);
    const value = Buffer.from(span.buf.subarray(span.at, span.at + span.length)).toString("latin1");
    if (value !== item.value) throw new Error(`${name} holds ${value.slice(0, 40)}, not ${item.value.slice(0, 40)}`);
    const expiryMs = entryHasExpiry(arena, e) ? entryExpiry(arena, e) : Number.POSITIVE_INFINITY;
    if (expiryMs !== item.expiryMs) throw new Error(`${name} expires at ${expiryMs}, not ${item.expiryMs}`);
  }

  set(id: number, name: string, value: string, expiry: number): void {
    this.lookup(id, name);
    const old = this.alive(id, name);
    const key = bytes(name);
    const content = bytes(value);
    this.keyspace.databases[id].setString(key, 0, key.length, content, 0, content.length, expiry, false);
    const kept = expiry === KEEP_EXPIRY ? (old?.expiryMs ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY;
    this.models[id].set(name, { value, expiryMs: expiry >= 0 ? expiry : kept });
  }

  /** Compares everything, expired keys included. */
  check(): void {
    for (const db of this.keyspace.databases) {
      const model = this.models[db.id];
      dictCheck(arena, db.dict);
      if (db.expires !== 0) dictCheck(arena, db.expires);
      const expiring = [...model.values()].filter((item) => item.expiryMs !== Number.POSITIVE_INFINITY).length;
      if (db.size !== model.size) throw new Error(`db ${db.id} holds ${db.size} keys, not ${model.size}`);
      if (db.expiresSize !== expiring) throw new Error(`db ${db.id}: ${db.expiresSize} keys expire, not ${expiring}`);
      const list = new RefList();
      let cursor = 0;
      do cursor = db.scan(cursor, list);
      while (cursor !== 0);
      for (let i = 0; i < list.count; i++) {
        const name = entryKeyText(arena, list.refs[i]);
        const item = model.get(name);
        if (item === undefined) throw new Error(`db ${db.id} holds ${name}`);
        this.#compare(list.refs[i], item, name);
      }
    }
    arena.check();
  }
}

const VALUES = ["", "1", "-9223372036854775808", "text", "x".repeat(44), "y".repeat(45), "z".repeat(3000)];

const LONG_VALUE = "L".repeat(200_000);
/** A key too long to stand in its entry. */
const LONG_NAME = "long ".repeat(15_000);

function randomName(random: Prng): string {
  const n = random.below(300);
  return n === 0 ? "" : n === 1 ? LONG_NAME : `key ${n}`;
}

function randomValue(random: Prng): string {
  const roll = random.below(200);
  if (roll === 0) return LONG_VALUE;
  return roll < 100 ? String(random.below(100_000)) : VALUES[random.below(VALUES.length)];
}

/** One random operation. */
function act(world: World): void {
  const { random, keyspace, models } = world;
  const id = random.below(models.length);
  const db = keyspace.databases[id];
  const name = randomName(random);
  const soon = keyspace.nowMs + random.below(2000);
  const roll = random.below(100);
  if (roll < 35) {
    world.set(id, name, randomValue(random), [NO_EXPIRY, KEEP_EXPIRY, soon][random.below(3)]);
  } else if (roll < 50) {
    remove(world, id, name, random.below(2) === 0);
  } else if (roll < 65) {
    const e = world.lookup(id, name);
    if (e === 0) return;
    const item = models[id].get(name) as Item;
    if (random.below(3) > 0) {
      db.setExpiry(e, db.hash, int64Low(soon), int64High(soon));
      item.expiryMs = soon;
    } else {
      db.clearExpiry(e, db.hash);
      item.expiryMs = Number.POSITIVE_INFINITY;
    }
  } else if (roll < 80) {
    transfer(world, id, name, random.below(models.length), randomName(random));
  } else if (roll < 95) {
    keyspace.nowMs += random.below(100);
  } else if (roll < 97) {
    const other = random.below(models.length);
    if (other === id) return;
    db.swapContent(keyspace.databases[other]);
    [models[id], models[other]] = [models[other], models[id]];
  } else if (roll < 98 && random.below(4) === 0) {
    const all = random.below(8) === 0;
    const keys = keyspace.flush(all ? -1 : id, random.below(2) === 0);
    let expected = 0;
    for (const [i, model] of models.entries()) {
      if (!all && i !== id) continue;
      expected += model.size;
      model.clear();
    }
    expect(keys).toBe(expected);
  } else {
    keyspace.lazyFree.step(random.below(500));
    db.rehash(random.below(10));
    db.resizeIfNeeded();
  }
}

function remove(world: World, id: number, name: string, lazy: boolean): void {
  const e = world.lookup(id, name);
  if (e === 0) return;
  const db = world.keyspace.databases[id];
  db.remove(e, db.hash, lazy);
  world.models[id].delete(name);
}

/** Copies or renames a key, perhaps into another database, as commands do it. */
function transfer(world: World, id: number, name: string, otherId: number, otherName: string): void {
  const { keyspace, models } = world;
  if (id === otherId && name === otherName) return;
  const source = keyspace.databases[id];
  const target = keyspace.databases[otherId];
  const e = world.lookup(id, name);
  const hash = source.hash;
  if (e === 0) return;
  remove(world, otherId, otherName, false);
  const key = bytes(otherName);
  target.find(key, 0, key.length);
  const targetHash = target.hash;
  const item = models[id].get(name) as Item;
  if (world.random.below(2) === 0) {
    target.insert(entryCopy(arena, e, key, 0, key.length, keyspace.accessOfNew()), targetHash);
  } else {
    source.detach(e, hash);
    target.insert(entryRename(arena, e, key, 0, key.length), targetHash);
    models[id].delete(name);
  }
  models[otherId].set(otherName, { ...item });
}

seededTest("random operations agree with maps, and nothing is leaked", (random) => {
  const world = new World(random);
  for (let step = 0; step < 12_000; step++) {
    try {
      act(world);
      if (step % 1000 === 0) world.check();
    } catch (error) {
      throw new Error(`step ${step}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }
  world.check();
  expect(world.expired.length).toBe(world.keyspace.expiredKeys);
  expect(world.expired.length).toBeGreaterThan(100);
  while (!world.keyspace.lazyFree.step(1000));
  expect(world.keyspace.lazyFree.pendingObjects).toBe(0);
  for (const [id, model] of world.models.entries())
    for (const name of [...model.keys()]) remove(world, id, name, false);
  for (const db of world.keyspace.databases) while (db.rehash(100));
  arena.check();
  expect(arena.largeBytes).toBe(0);
  expect(arena.usedBytes).toBeLessThan(10_000);
});

seededTest("a flushed database is freed in steps while others live on", (random) => {
  const world = new World(random, 2);
  for (let i = 0; i < 5000; i++) world.set(0, `k${i}`, randomValue(random), i % 3 === 0 ? START_MS + 1e6 : NO_EXPIRY);
  world.set(1, "other", "x", NO_EXPIRY);
  const used = arena.usedBytes;
  const { lazyFree } = world.keyspace;
  expect(world.keyspace.flush(0, true)).toBe(5000);
  world.models[0].clear();
  expect(world.keyspace.databases[0].size).toBe(0);
  expect(lazyFree.pendingObjects).toBe(5000);
  expect(arena.usedBytes).toBeGreaterThanOrEqual(used);
  let steps = 0;
  for (; !lazyFree.step(100); steps++) {
    expect(lazyFree.pendingObjects + lazyFree.freedObjects).toBe(5000);
    if (steps % 10 === 0) world.set(0, `new${steps}`, "y", NO_EXPIRY);
  }
  expect(steps).toBeGreaterThan(20);
  expect(lazyFree.freedObjects).toBe(5000);
  world.check();
  expect(arena.largeBytes).toBe(0);
  expect(arena.usedBytes).toBeLessThan(used / 10);
});

seededTest("flushing the only database with keys gives the arena up, whatever waits to be freed", (random) => {
  const world = new World(random, 3);
  const { keyspace } = world;
  for (let i = 0; i < 3000; i++) world.set(i % 2, `k${i}`, "v", NO_EXPIRY);
  keyspace.flush(0, true);
  expect(keyspace.lazyFree.pendingObjects).toBe(1500);
  expect(keyspace.flush(1, false)).toBe(1500);
  expect(keyspace.lazyFree.idle).toBe(true);
  expect(keyspace.lazyFree.freedObjects).toBe(1500);
  for (const model of world.models) model.clear();
  world.check();
  world.set(2, "k", "v", START_MS + 5);
  world.check();
  expect(keyspace.flush(0, true)).toBe(0);
  expect(world.lookup(2, "k")).not.toBe(0);
});

test("an expired key is deleted, hidden or alive, as the mode says", () => {
  arena.reset();
  const keyspace = new Keyspace(arena, 1, new Prng(1));
  const db = keyspace.databases[0];
  const key = bytes("k");
  keyspace.nowMs = START_MS;
  const e = db.setString(key, 0, 1, key, 0, 1, START_MS + 10, false);
  keyspace.nowMs += 10;
  expect(db.lookup(key, 0, 1)).toBe(e);
  keyspace.nowMs += 1;
  keyspace.expiryMode = ExpiryMode.Ignore;
  expect(db.lookup(key, 0, 1)).toBe(e);
  keyspace.expiryMode = ExpiryMode.Hide;
  expect(db.lookup(key, 0, 1)).toBe(0);
  expect(db.find(key, 0, 1)).toBe(e);
  keyspace.expiryMode = ExpiryMode.Delete;
  expect(db.lookup(key, 0, 1)).toBe(0);
  expect(db.find(key, 0, 1)).toBe(0);
  expect(keyspace.expiredKeys).toBe(1);
});

seededTest("while resizing is forbidden, tables keep their size, new ones too", (random) => {
  const world = new World(random, 2);
  const { keyspace } = world;
  const [db] = keyspace.databases;
  keyspace.setResizing(false);
  keyspace.setResizing(false);
  for (let i = 0; i < 1000; i++) world.set(0, `k${i}`, "v", START_MS + 1000);
  expect(db.rehash(1)).toBe(false);
  keyspace.flush(0, false);
  world.models[0].clear();
  for (let i = 0; i < 1000; i++) world.set(0, `k${i}`, "v", START_MS + 1000);
  expect(db.rehash(1)).toBe(false);
  world.check();
  keyspace.setResizing(true);
  world.set(0, "one more", "v", NO_EXPIRY);
  expect(dictIsRehashing(arena, db.dict)).toBe(true);
  while (db.rehash(100));
  world.check();
});
