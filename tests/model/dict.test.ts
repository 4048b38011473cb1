// The hash table against a Map: random changes, growth and shrinking, scans with their guarantee, fair random entries, and taking apart.

import { afterAll, expect, test } from "bun:test";
import { GRANULE_MASK, type Ref, SEGMENT_SHIFT } from "../../src/arena/arena.ts";
import { Prng } from "../../src/base/prng.ts";
import {
  dictAdd,
  dictCreate,
  dictDismantle,
  dictFind,
  dictFree,
  dictGrowIfNeeded,
  dictHash,
  dictInsert,
  dictIsRehashing,
  dictOverheadBytes,
  dictPause,
  dictRandom,
  dictRehash,
  dictRemove,
  dictReplace,
  dictReserve,
  dictScan,
  dictShrinkIfNeeded,
  dictSize,
  KEY_IS_LARGE,
  RefList,
} from "../../src/struct/dict/dict.ts";
import { dictCheck, dictTableStats } from "../../src/struct/dict/dict-check.ts";
import { seededTest, testSeed } from "../base/seeded.ts";
import { returnArena, takeArena } from "../support/arena.ts";

const arena = takeArena();
afterAll(() => returnArena(arena));
const KEY_OFFSET = 4;
/** Keys from this length on are large buffers in these tests. */
const LARGE_LENGTH = 60;

/** An entry of nothing but its key. */
function entryOf(key: Uint8Array): Ref {
  const large = key.length >= LARGE_LENGTH;
  const e = arena.alloc(KEY_OFFSET + (large ? 4 : key.length));
  const at = (e & GRANULE_MASK) << 3;
  arena.i32[e >>> SEGMENT_SHIFT][at >> 2] = key.length | (large ? KEY_IS_LARGE : 0);
  if (large) arena.i32[e >>> SEGMENT_SHIFT][(at + KEY_OFFSET) >> 2] = arena.adoptLarge(key.slice());
  else arena.u8[e >>> SEGMENT_SHIFT].set(key, at + KEY_OFFSET);
  return e;
}

function freeEntry(e: Ref): void {
  const w = arena.i32[e >>> SEGMENT_SHIFT];
  const at = (e & GRANULE_MASK) << 1;
  if (w[at] < 0) arena.freeLarge(w[at + 1]);
  arena.free(e);
}

function bytesOf(name: string): Uint8Array {
  return new TextEncoder().encode(name);
}

/** A dict and what it must hold. */
class Pair {
  readonly dict: Ref = dictCreate(arena, KEY_OFFSET);
  readonly model = new Map<string, Ref>();

  insert(name: string): void {
    const key = bytesOf(name);
    const e = entryOf(key);
    dictInsert(arena, this.dict, e, dictHash(arena, key, 0, key.length));
    this.model.set(name, e);
  }

  /** The same, for a name that may be there. */
  add(name: string): void {
    const key = bytesOf(name);
    const e = entryOf(key);
    const old = this.model.get(name) ?? 0;
    expect(dictAdd(arena, this.dict, e, dictHash(arena, key, 0, key.length))).toBe(old);
    if (old === 0) this.model.set(name, e);
    else freeEntry(e);
  }

  find(name: string): Ref {
    const key = bytesOf(name);
    return dictFind(arena, this.dict, key, 0, key.length, dictHash(arena, key, 0, key.length));
  }

  remove(name: string): void {
    const key = bytesOf(name);
    const e = this.model.get(name) as Ref;
    expect(dictRemove(arena, this.dict, e, dictHash(arena, key, 0, key.length))).toBe(true);
    freeEntry(e);
    this.model.delete(name);
  }

  replace(name: string): void {
    const key = bytesOf(name);
    const old = this.model.get(name) as Ref;
    const fresh = entryOf(key);
    dictReplace(arena, this.dict, old, fresh, dictHash(arena, key, 0, key.length));
    freeEntry(old);
    this.model.set(name, fresh);
  }

  check(): void {
    dictCheck(arena, this.dict);
    if (dictSize(arena, this.dict) !== this.model.size) throw new Error("the sizes differ");
    for (const [name, e] of this.model) if (this.find(name) !== e) throw new Error(`${name} is not found`);
  }

  free(): void {
    for (const e of this.model.values()) freeEntry(e);
    dictFree(arena, this.dict);
  }
}

/** Names of very different lengths; the same number has always the same name. */
function nameOf(n: number): string {
  if (n % 17 === 0) return `${n}:${"x".repeat(LARGE_LENGTH)}`;
  return n % 5 === 0 ? `a key of middling length, number ${n}` : `k${n}`;
}

/** All entries of a complete scan. */
function scanAll(dict: Ref, between: () => void = () => {}): RefList {
  const out = new RefList();
  let cursor = 0;
  do {
    cursor = dictScan(arena, dict, cursor, out);
    between();
  } while (cursor !== 0);
  return out;
}

seededTest("random changes agree with a map", (random) => {
  const before = arena.usedBytes;
  const pair = new Pair();
  const names = 6000;
  for (let step = 0; step < 60_000; step++) {
    const name = nameOf(random.below(names));
    const has = pair.model.has(name);
    if ((pair.find(name) !== 0) !== has) throw new Error(`step ${step}: ${name} is ${has ? "missing" : "too much"}`);
    const growing = step % 20_000 < 10_000;
    const roll = random.below(100);
    if (roll < 5) dictRehash(arena, pair.dict, random.below(20));
    else if (roll < 6) dictShrinkIfNeeded(arena, pair.dict);
    else if (roll < 15 && (has || growing)) pair.add(name);
    else if (has && roll < 20) pair.replace(name);
    else if (has && !growing) pair.remove(name);
    else if (!has && growing) pair.insert(name);
    if (step % 1000 === 0 || step < 200) pair.check();
  }
  pair.check();
  for (const name of [...pair.model.keys()]) pair.remove(name);
  pair.check();
  while (dictRehash(arena, pair.dict, 100));
  expect(dictOverheadBytes(arena, pair.dict)).toBeLessThan(2000);
  pair.free();
  expect(arena.usedBytes).toBe(before);
});

seededTest("a table of many chunks grows and shrinks without losing anything", (random) => {
  const pair = new Pair();
  for (let n = 0; n < 40_000; n++) pair.insert(`n${n}`);
  pair.check();
  const kept = new Set(Array.from({ length: 50 }, () => `n${random.below(40_000)}`));
  for (const name of [...pair.model.keys()]) if (!kept.has(name)) pair.remove(name);
  pair.check();
  while (dictRehash(arena, pair.dict, 1000));
  pair.check();
  pair.free();
});

seededTest("removing what is not there changes nothing", () => {
  const pair = new Pair();
  for (let n = 0; n < 100; n++) pair.insert(nameOf(n));
  const stranger = entryOf(bytesOf("stranger"));
  expect(dictRemove(arena, pair.dict, stranger, 12345)).toBe(false);
  freeEntry(stranger);
  pair.check();
  pair.free();
});

seededTest("a scan without changes returns every entry once", () => {
  for (const size of [0, 1, 12, 13, 500, 15_000]) {
    const pair = new Pair();
    for (let n = 0; n < size; n++) pair.insert(nameOf(n));
    const out = scanAll(pair.dict);
    expect(out.count).toBe(size);
    expect(new Set(out.refs.subarray(0, out.count)).size).toBe(size);
    pair.free();
  }
});

for (const [title, start, change] of [
  ["grows", 500, 1],
  ["shrinks", 20_000, -1],
  ["grows and shrinks", 2000, 0],
] as const) {
  seededTest(`a scan returns everything that stays while the table ${title}`, (random) => {
    for (let round = 0; round < 5; round++) {
      const pair = new Pair();
      for (let n = 0; n < start; n++) pair.insert(nameOf(n));
      const stay = new Set<string>();
      for (let n = 0; n < start; n += 1 + random.below(start / 100)) stay.add(nameOf(n));
      const removable = [...pair.model.keys()].filter((name) => !stay.has(name));
      let next = start;
      let steps = 0;
      let resizes = 0;
      const seen = new Set<string>();
      const out = new RefList();
      let cursor = 0;
      do {
        out.count = 0;
        cursor = dictScan(arena, pair.dict, cursor, out);
        for (let i = 0; i < out.count; i++) seen.add(nameAt(out.refs[i]));
        const growing = change === 0 ? steps % 200 < 100 : change > 0;
        for (let i = random.below(60); i > 0; i--) {
          if (growing) pair.insert(nameOf(next++));
          else if (removable.length > 0) pair.remove(removable.pop() as string);
        }
        if (dictIsRehashing(arena, pair.dict)) resizes++;
        if (random.below(4) === 0) dictRehash(arena, pair.dict, random.below(50));
        steps++;
      } while (cursor !== 0 && steps < 100_000);
      expect(cursor).toBe(0);
      expect(resizes).toBeGreaterThan(0);
      const missed = [...stay].filter((name) => !seen.has(name));
      expect(missed).toEqual([]);
      pair.free();
    }
  });
}

function nameAt(e: Ref): string {
  const seg = e >>> SEGMENT_SHIFT;
  const at = (e & GRANULE_MASK) << 3;
  const word0 = arena.i32[seg][at >> 2];
  if (word0 < 0) return new TextDecoder().decode(arena.large[arena.i32[seg][(at + KEY_OFFSET) >> 2]] as Uint8Array);
  return new TextDecoder().decode(arena.u8[seg].subarray(at + KEY_OFFSET, at + KEY_OFFSET + word0));
}

test("a pause forbids resizing, and nothing is lost meanwhile", () => {
  const pair = new Pair();
  for (let n = 0; n < 5; n++) pair.insert(nameOf(n));
  dictPause(arena, pair.dict, 1);
  for (let n = 5; n < 2000; n++) pair.insert(nameOf(n));
  expect(dictIsRehashing(arena, pair.dict)).toBe(false);
  pair.check();
  dictPause(arena, pair.dict, -1);
  pair.insert(nameOf(2000));
  expect(dictIsRehashing(arena, pair.dict)).toBe(true);
  pair.check();
  pair.free();
});

test("where tables stay as they are, none begins to grow or to shrink before it is far from the right size", () => {
  const pair = new Pair();
  const buckets = () => dictTableStats(arena, pair.dict, 0)?.buckets;
  for (let n = 0; n < 1000; n++) pair.insert(nameOf(n));
  while (dictRehash(arena, pair.dict, 100));
  expect(buckets()).toBe(128);
  arena.tablesStay = true;
  try {
    for (let n = 1000; n < 128 * 24; n++) pair.insert(nameOf(n));
    expect(dictIsRehashing(arena, pair.dict)).toBe(false);
    pair.insert(nameOf(128 * 24));
    expect(dictIsRehashing(arena, pair.dict)).toBe(true);
    // What has begun goes on.
    while (dictRehash(arena, pair.dict, 1));
    expect(buckets()).toBe(256);
    for (let n = 128 * 24; n > 8; n--) pair.remove(nameOf(n));
    dictShrinkIfNeeded(arena, pair.dict);
    expect(dictIsRehashing(arena, pair.dict)).toBe(false);
    pair.remove(nameOf(8));
    expect(dictIsRehashing(arena, pair.dict)).toBe(true);
    pair.check();
  } finally {
    arena.tablesStay = false;
  }
  pair.free();
});

/** A dict of 128 buckets that is as full as it may be without growing. */
function fullPair(): Pair {
  const pair = new Pair();
  for (let n = 0; n < 128 * 8; n++) pair.insert(nameOf(n));
  while (dictRehash(arena, pair.dict, 100));
  return pair;
}

/** Calls `body` while tables that begin to grow may take so many bytes. */
function withRoom(bytes: number, body: () => void): void {
  const unlimited = arena.roomForTables;
  arena.roomForTables = () => bytes;
  try {
    body();
  } finally {
    arena.roomForTables = unlimited;
  }
}

/** What 128 buckets more take. */
const ROOM_TO_GROW = 128 * 64;

test("a table does not begin to grow where there is no room for that, unless it is far too full", () => {
  const pair = fullPair();
  withRoom(ROOM_TO_GROW - 1, () => {
    for (let n = 128 * 8; n < 128 * 13 - 1; n++) pair.insert(nameOf(n));
    dictGrowIfNeeded(arena, pair.dict);
    pair.insert(nameOf(128 * 13 - 1));
    expect(dictIsRehashing(arena, pair.dict)).toBe(false);
    pair.insert(nameOf(128 * 13));
    expect(dictIsRehashing(arena, pair.dict)).toBe(true);
    while (dictRehash(arena, pair.dict, 100));
  });
  pair.check();
  pair.free();
});

test("a table grows where there is just enough room", () => {
  const pair = fullPair();
  withRoom(ROOM_TO_GROW, () => pair.insert(nameOf(128 * 8)));
  expect(dictIsRehashing(arena, pair.dict)).toBe(true);
  pair.free();
});

test("a table that became full while it was not allowed to grow begins to when it is asked to", () => {
  const pair = fullPair();
  dictGrowIfNeeded(arena, pair.dict);
  expect(dictIsRehashing(arena, pair.dict)).toBe(false);
  arena.tablesStay = true;
  try {
    pair.insert(nameOf(128 * 8));
    dictGrowIfNeeded(arena, pair.dict);
    expect(dictIsRehashing(arena, pair.dict)).toBe(false);
  } finally {
    arena.tablesStay = false;
  }
  dictGrowIfNeeded(arena, pair.dict);
  expect(dictIsRehashing(arena, pair.dict)).toBe(true);
  while (dictRehash(arena, pair.dict, 100));
  expect(dictTableStats(arena, pair.dict, 0)?.buckets).toBe(256);
  pair.check();
  pair.free();
});

/** Chi-square of counts that should be equal, divided by its degrees of freedom: about 1 when they are. */
function unevenness(counts: readonly number[]): number {
  const expected = counts.reduce((sum, n) => sum + n, 0) / counts.length;
  return counts.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0) / (counts.length - 1);
}

for (const [size, resizing] of [
  [1, false],
  [2, false],
  [30, false],
  [540, true],
] as const) {
  seededTest(`random entries of ${size} are equally likely${resizing ? ", while it grows, too" : ""}`, (random) => {
    const pair = new Pair();
    for (let n = 0; n < size; n++) pair.insert(nameOf(n));
    expect(dictIsRehashing(arena, pair.dict)).toBe(resizing);
    const counts = new Map<Ref, number>();
    for (let i = 0; i < size * 100; i++) {
      const e = dictRandom(arena, pair.dict, random);
      counts.set(e, (counts.get(e) ?? 0) + 1);
    }
    expect(counts.size).toBe(size);
    // The distance from 1 that one run in many millions would exceed shrinks with the number of counts.
    if (size > 1) expect(unevenness([...counts.values()])).toBeLessThan(1 + 8 / Math.sqrt(size));
    pair.free();
  });
}

test("no insertion takes more than a chunk of memory, and none of many touches much of it", () => {
  const pair = new Pair();
  let used = arena.usedBytes;
  let most = 0;
  for (let n = 0; n < 60_000; n++) {
    pair.insert(`n${n}`);
    if (n % 100 !== 99) continue;
    most = Math.max(most, arena.usedBytes - used);
    used = arena.usedBytes;
  }
  // A hundred entries, some children, and one chunk of 1,024 buckets.
  expect(most).toBeLessThan(100 * 32 + 64 * 64 + 1024 * 64);
  pair.free();
});

test("a dict that was emptied in one go is not too small for what is added at once", () => {
  const pair = new Pair();
  for (let n = 0; n < 20_000; n++) pair.insert(`n${n}`);
  dictPause(arena, pair.dict, 1);
  for (let n = 0; n < 20_000; n++) pair.remove(`n${n}`);
  dictPause(arena, pair.dict, -1);
  dictShrinkIfNeeded(arena, pair.dict);
  for (let n = 0; n < 20_000; n++) pair.insert(`m${n}`);
  const entries = dictTableStats(arena, pair.dict, 0)?.chains ?? [];
  // A bucket of the mean fill of 9 has more than 40 once in many millions.
  expect(entries.length).toBeLessThan(40);
  pair.check();
  pair.free();
});

test("a table that grows or shrinks is told as two, with every entry in one of them", () => {
  const pair = new Pair();
  const sizes = (): (number | undefined)[][] =>
    ([0, 1] as const).map((table) => {
      const stats = dictTableStats(arena, pair.dict, table);
      if (stats !== null) expect(stats.chains.reduce((sum, count) => sum + (count ?? 0), 0)).toBe(stats.buckets);
      return [stats?.buckets, stats?.used];
    });
  for (let n = 0; n < 64 * 8; n++) pair.insert(`n${n}`);
  expect(sizes()).toEqual([
    [64, 512],
    [undefined, undefined],
  ]);
  pair.insert("first that is too much");
  expect(sizes()).toEqual([
    [64, 513],
    [128, 0],
  ]);
  dictRehash(arena, pair.dict, 20);
  let [[, left], [, moved]] = sizes();
  expect((left ?? 0) + (moved ?? 0)).toBe(513);
  expect(moved).toBeGreaterThan(100);
  expect(left).toBeGreaterThan(200);
  while (dictRehash(arena, pair.dict, 100));
  expect(sizes()).toEqual([
    [128, 513],
    [undefined, undefined],
  ]);
  for (let n = 0; n < 130; n++) pair.remove(`n${n}`);
  expect(sizes()).toEqual([
    [128, 383],
    [64, 0],
  ]);
  dictRehash(arena, pair.dict, 20);
  [[, left], [, moved]] = sizes();
  expect((left ?? 0) + (moved ?? 0)).toBe(383);
  expect(moved).toBeGreaterThan(70);
  expect(left).toBeGreaterThan(100);
  pair.free();
});

test("an empty dict has no random entry", () => {
  const pair = new Pair();
  expect(dictRandom(arena, pair.dict, new Prng(testSeed()))).toBe(0);
  pair.free();
});

for (const [title, size, rehash] of [
  ["empty", 0, false],
  ["small", 30, false],
  ["of several chunks", 30_000, false],
  ["growing, of several chunks", 34_000, true],
] as const) {
  seededTest(`taking apart a dict (${title}) returns every entry once and frees all`, (random) => {
    const before = arena.usedBytes;
    const pair = new Pair();
    for (let n = 0; n < size; n++) pair.insert(`n${n}`);
    expect(dictIsRehashing(arena, pair.dict)).toBe(rehash);
    const out = new RefList();
    for (let position = 0; position >= 0; ) {
      position = dictDismantle(arena, pair.dict, position, 1 + random.below(100), out);
    }
    expect(out.count).toBe(size);
    const all = new Set(out.refs.subarray(0, out.count));
    for (const e of pair.model.values()) expect(all.has(e)).toBe(true);
    for (const e of all) freeEntry(e);
    expect(arena.usedBytes).toBe(before);
    arena.check();
  });
}

seededTest("entries are added to a table of its size unless they are there, also where chains are long", (random) => {
  for (const [size, reserved] of [
    [5000, 5000],
    [40_000, 40_000],
    [3000, 200],
  ] as const) {
    const pair = new Pair();
    dictReserve(arena, pair.dict, reserved);
    if (reserved < size) dictPause(arena, pair.dict, 1);
    for (let n = 0; n < size; n++) {
      pair.add(nameOf(n));
      if (random.below(10) === 0) pair.add(nameOf(random.below(n + 1)));
      if (random.below(10) === 0 && pair.model.has(nameOf(n >> 1))) pair.remove(nameOf(n >> 1));
    }
    pair.check();
    pair.free();
  }
});

test("a dict that is told its size does not grow on the way there", () => {
  for (const size of [0, 1, 8, 9, 20_000]) {
    const dict = dictCreate(arena, KEY_OFFSET);
    dictReserve(arena, dict, size);
    const entries: Ref[] = [];
    for (let i = 0; i < size; i++) {
      const key = bytesOf(`key${i}`);
      const e = entryOf(key);
      entries.push(e);
      dictInsert(arena, dict, e, dictHash(arena, key, 0, key.length));
      expect(dictIsRehashing(arena, dict)).toBe(false);
    }
    dictCheck(arena, dict);
    // Only an empty one can be told.
    dictReserve(arena, dict, size * 10);
    expect(dictSize(arena, dict)).toBe(size);
    if (size > 0) expect(dictIsRehashing(arena, dict)).toBe(false);
    for (const e of entries) freeEntry(e);
    dictFree(arena, dict);
  }
});
