// The active expire cycle: what is expired goes, what is not stays, effort and time limits hold, and the averages follow.

import { afterAll, describe, expect, test } from "bun:test";
import { ManualClock } from "../../src/base/clock.ts";
import { Prng } from "../../src/base/prng.ts";
import { ExpireCycle } from "../../src/keyspace/expire-cycle.ts";
import { ExpiryMode } from "../../src/keyspace/key-rules.ts";
import { Keyspace } from "../../src/keyspace/keyspace.ts";
import { bytes, seededTest } from "../base/seeded.ts";
import { returnArena, takeArena } from "../support/arena.ts";

const START_MS = 1_700_000_000_000;
const PLENTY_US = 1e9;
const arena = takeArena();
afterAll(() => returnArena(arena));

/** A clock on which each look takes some time. */
class BusyClock extends ManualClock {
  usPerLook = 0;

  override monotonicUs(): number {
    this.advanceUs(this.usPerLook);
    return super.monotonicUs();
  }
}

interface Setup {
  keyspace: Keyspace;
  clock: BusyClock;
  cycle: ExpireCycle;
}

function setup(random: Prng, databases = 16): Setup {
  arena.reset();
  const clock = new BusyClock(START_MS);
  const keyspace = new Keyspace(arena, databases, random);
  keyspace.nowMs = START_MS;
  return { keyspace, clock, cycle: new ExpireCycle(keyspace, clock) };
}

/** Sets `count` keys of database `id` to expire `ttlMs` from the start. */
function fill(keyspace: Keyspace, id: number, prefix: string, count: number, ttlMs: number): void {
  for (let i = 0; i < count; i++) {
    const key = bytes(`${prefix}${i}`);
    keyspace.databases[id].setString(key, 0, key.length, key, 0, key.length, ttlMs < 0 ? -1 : START_MS + ttlMs, false);
  }
}

describe("a run", () => {
  seededTest("deletes everything that has expired, in all databases, and nothing else", (random) => {
    const { keyspace, cycle } = setup(random);
    for (const id of [0, 3, 15]) {
      fill(keyspace, id, "short", 2000, 10);
      fill(keyspace, id, "long", 50, 1_000_000);
      fill(keyspace, id, "forever", 70, -1);
    }
    cycle.run(PLENTY_US);
    expect(keyspace.expiredKeys).toBe(0);
    keyspace.nowMs = START_MS + 11;
    for (let i = 0; i < 300; i++) cycle.run(PLENTY_US);
    expect(keyspace.expiredKeys).toBe(6000);
    for (const id of [0, 3, 15]) {
      expect(keyspace.databases[id].size).toBe(120);
      expect(keyspace.databases[id].expiresSize).toBe(50);
    }
    arena.check();
  });

  seededTest("stays with a database while much of the samples is stale", (random) => {
    const { keyspace, cycle } = setup(random, 1);
    fill(keyspace, 0, "short", 20_000, 10);
    keyspace.nowMs = START_MS + 11;
    cycle.run(PLENTY_US);
    // Only the end of the scan, not the end of patience, stopped it.
    expect(keyspace.databases[0].size).toBe(0);
  });

  seededTest("leaves a database soon in which little is stale", (random) => {
    const { keyspace, cycle } = setup(random, 1);
    fill(keyspace, 0, "long", 20_000, 1_000_000);
    fill(keyspace, 0, "short", 200, 10);
    keyspace.nowMs = START_MS + 11;
    cycle.run(PLENTY_US);
    expect(keyspace.expiredKeys).toBeLessThan(20);
  });

  seededTest("does nothing while expiry is somebody else's business", (random) => {
    const { keyspace, cycle } = setup(random, 1);
    fill(keyspace, 0, "short", 10, 10);
    keyspace.nowMs = START_MS + 11;
    for (const mode of [ExpiryMode.Hide, ExpiryMode.Ignore]) {
      keyspace.expiryMode = mode;
      expect(cycle.run(PLENTY_US)).toBe(0);
    }
    expect(keyspace.databases[0].size).toBe(10);
  });

  seededTest("needs no look at databases without expiring keys", (random) => {
    const { keyspace, cycle } = setup(random, 100);
    fill(keyspace, 99, "short", 10, 10);
    keyspace.nowMs = START_MS + 11;
    cycle.run(PLENTY_US);
    expect(keyspace.databases[99].size).toBe(0);
  });
});

describe("time", () => {
  seededTest("a run stops when its time is up, and the next one begins with the next database", (random) => {
    const { keyspace, clock, cycle } = setup(random, 4);
    for (const id of [0, 1, 2, 3]) fill(keyspace, id, "short", 5000, 10);
    keyspace.nowMs = START_MS + 11;
    clock.usPerLook = 400;
    const sizes: number[][] = [];
    for (let i = 0; i < 4; i++) {
      expect(cycle.run(300)).toBeGreaterThan(300);
      expect(cycle.outOfTime).toBe(true);
      sizes.push(keyspace.databases.map((db) => db.size));
    }
    // Each run worked on one database, and none was left out.
    expect(sizes[0][0]).toBeLessThan(5000);
    expect(sizes[0].slice(1)).toEqual([5000, 5000, 5000]);
    expect(sizes[3].every((size) => size < 5000 && size > 0)).toBe(true);
    clock.usPerLook = 0;
    for (let i = 0; i < 50; i++) cycle.run(PLENTY_US);
    expect(cycle.outOfTime).toBe(false);
    expect(keyspace.expiredKeys).toBe(20_000);
  });

  test("limits follow hz and effort", () => {
    const { cycle } = setup(new Prng(1), 1);
    expect(cycle.slowLimitUs(10)).toBe(25_000);
    expect(cycle.slowLimitUs(100)).toBe(2500);
    expect(cycle.fastLimitUs).toBe(1000);
    cycle.effort = 10;
    expect(cycle.slowLimitUs(10)).toBe(43_000);
    expect(cycle.fastLimitUs).toBe(3250);
  });

  seededTest("a fast run needs a reason and a pause since the last", (random) => {
    const { keyspace, clock, cycle } = setup(random, 1);
    fill(keyspace, 0, "short", 50_000, 10);
    keyspace.nowMs = START_MS + 11;
    cycle.runFast();
    expect(keyspace.expiredKeys).toBe(0);
    clock.usPerLook = 100;
    cycle.run(50);
    expect(cycle.outOfTime).toBe(true);
    const slow = keyspace.expiredKeys;
    cycle.runFast();
    const first = keyspace.expiredKeys;
    expect(first).toBeGreaterThan(slow);
    clock.usPerLook = 0;
    cycle.runFast();
    expect(keyspace.expiredKeys).toBe(first);
    clock.advanceUs(2000);
    cycle.runFast();
    expect(keyspace.expiredKeys).toBeGreaterThan(first);
  });
});

describe("estimates", () => {
  seededTest("more effort looks at more keys and tolerates less", (random) => {
    const expiredWith = (effort: number): number => {
      const { keyspace, cycle } = setup(random, 1);
      cycle.effort = effort;
      fill(keyspace, 0, "long", 10_000, 1_000_000);
      fill(keyspace, 0, "short", 500, 10);
      keyspace.nowMs = START_MS + 11;
      for (let i = 0; i < 5; i++) cycle.run(PLENTY_US);
      return keyspace.expiredKeys;
    };
    expect(expiredWith(10)).toBeGreaterThan(expiredWith(1) * 2);
  });

  seededTest("the mean time to live comes from the samples and moves slowly", (random) => {
    const { keyspace, cycle } = setup(random, 1);
    fill(keyspace, 0, "a", 1000, 100_000);
    cycle.run(PLENTY_US);
    const [db] = keyspace.databases;
    expect(db.averageTtlMs).toBe(100_000);
    keyspace.nowMs = START_MS + 50_000;
    cycle.run(PLENTY_US);
    expect(db.averageTtlMs).toBe(99_000);
    keyspace.flush(0, false);
    cycle.run(PLENTY_US);
    expect(db.averageTtlMs).toBe(0);
  });

  seededTest("the stale share grows with what is found and falls when nothing is", (random) => {
    const { keyspace, cycle } = setup(random, 1);
    fill(keyspace, 0, "short", 1000, 10);
    keyspace.nowMs = START_MS + 11;
    cycle.run(PLENTY_US);
    expect(cycle.staleShare).toBeCloseTo(0.05, 5);
    cycle.run(PLENTY_US);
    expect(cycle.staleShare).toBeCloseTo(0.0475, 5);
    cycle.resetStatistics();
    expect(cycle.staleShare).toBe(0);
  });
});
