// The choice of keys to evict: every policy prefers what it should, takes only what it may, and ends when nothing is left.

import { afterAll, describe, expect, test } from "bun:test";
import { Prng } from "../../src/base/prng.ts";
import type { EvictionPolicy } from "../../src/config/settings/settings-memory.ts";
import type { Database } from "../../src/keyspace/database.ts";
import { EvictionChoice } from "../../src/keyspace/eviction.ts";
import { Keyspace } from "../../src/keyspace/keyspace.ts";
import { entryKeyText, setEntryAccess } from "../../src/types/entry.ts";
import { bytes, seededTest } from "../base/seeded.ts";
import { returnArena, takeArena } from "../support/arena.ts";

const START_MS = 1_700_000_000_000;
const arena = takeArena();
afterAll(() => returnArena(arena));

const ALL_KEYS: EvictionPolicy[] = ["allkeys-lru", "allkeys-lfu", "allkeys-random"];
const VOLATILE: EvictionPolicy[] = ["volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl"];

interface Setup {
  keyspace: Keyspace;
  choice: EvictionChoice;
  db: Database;
}

function setup(random: Prng, policy: EvictionPolicy): Setup {
  arena.reset();
  const keyspace = new Keyspace(arena, 16, random);
  keyspace.nowMs = START_MS;
  keyspace.lfu = policy.endsWith("-lfu");
  keyspace.refreshAccessClock();
  const choice = new EvictionChoice(keyspace);
  choice.policy = policy;
  return { keyspace, choice, db: keyspace.databases[0] };
}

/** Sets a key; `ttlMs` -1 is none, `access` its access bits (-1: those of a new key). */
function put(db: Database, name: string, ttlMs: number, access = -1): void {
  const key = bytes(name);
  const e = db.setString(key, 0, key.length, key, 0, key.length, ttlMs < 0 ? -1 : START_MS + ttlMs, false);
  if (access >= 0) setEntryAccess(arena, e, access);
}

/** Evicts one key; its name with its database, or null when there is none to evict. */
function evict(choice: EvictionChoice): string | null {
  const e = choice.choose();
  if (e === 0) return null;
  const name = entryKeyText(arena, e);
  expect(Buffer.from(choice.key).toString("latin1", 0, choice.keyLength)).toBe(name);
  expect(choice.hash).toBe(choice.db.hashOf(e));
  choice.db.remove(e, choice.hash);
  return `${choice.db.id}:${name}`;
}

function evictAll(choice: EvictionChoice): string[] {
  const names: string[] = [];
  for (let name = evict(choice); name !== null; name = evict(choice)) names.push(name);
  return names;
}

/** Mean of the ranks (the number at the end of the name, as a share of `count`) of the first `take` keys that go. */
function meanRank(choice: EvictionChoice, count: number, take: number): number {
  let sum = 0;
  for (let i = 0; i < take; i++) sum += Number(/(\d+)$/.exec(evict(choice) as string)?.[1]);
  return sum / take / count;
}

describe("may go", () => {
  for (const policy of ALL_KEYS) {
    seededTest(`all keys of all databases, each once: ${policy}`, (random) => {
      const { keyspace, choice } = setup(random, policy);
      const want: string[] = [];
      for (const id of [0, 5, 15]) {
        for (let i = 0; i < 400; i++) {
          put(keyspace.databases[id], `k${i}`, i % 3 === 0 ? 1000 + i : -1);
          want.push(`${id}:k${i}`);
        }
      }
      expect(evictAll(choice).sort()).toEqual(want.sort());
      for (const db of keyspace.databases) expect([db.size, db.expiresSize]).toEqual([0, 0]);
      arena.check();
    });
  }

  for (const policy of VOLATILE) {
    seededTest(`only keys that expire: ${policy}`, (random) => {
      const { keyspace, choice } = setup(random, policy);
      const want: string[] = [];
      for (const id of [0, 7]) {
        for (let i = 0; i < 300; i++) {
          put(keyspace.databases[id], `k${i}`, i % 3 === 0 ? 1000 + i : -1);
          if (i % 3 === 0) want.push(`${id}:k${i}`);
        }
      }
      expect(evictAll(choice).sort()).toEqual(want.sort());
      expect(keyspace.databases[0].size).toBe(200);
    });
  }

  test("nothing under noeviction", () => {
    const { choice, db } = setup(new Prng(1), "noeviction");
    put(db, "k", 1000);
    expect(choice.choose()).toBe(0);
  });

  test("a key that lost its expiry while the pool remembered it may not", () => {
    const { choice, db } = setup(new Prng(1), "volatile-ttl");
    put(db, "first", 1000);
    put(db, "second", 2000);
    expect(evict(choice)).toBe("0:first");
    put(db, "second", -1);
    expect(evict(choice)).toBeNull();
    expect(db.size).toBe(1);
  });
});

describe("goes first", () => {
  const COUNT = 2000;

  seededTest("what was used longest ago", (random) => {
    const { keyspace, choice, db } = setup(random, "allkeys-lru");
    for (let i = 0; i < COUNT; i++) put(db, `k${i}`, -1, keyspace.accessClock - COUNT + i);
    expect(meanRank(choice, COUNT, 200)).toBeLessThan(0.15);
  });

  seededTest("what was used longest ago, with the clock past its end", (random) => {
    const { choice, keyspace, db } = setup(random, "volatile-lru");
    keyspace.accessClock = 100;
    for (let i = 0; i < COUNT; i++) put(db, `k${i}`, 1000, (100 - COUNT + i) & 0xffffff);
    expect(meanRank(choice, COUNT, 200)).toBeLessThan(0.15);
  });

  seededTest("what is used least, after decay", (random) => {
    const { keyspace, choice, db } = setup(random, "allkeys-lfu");
    const minutes = keyspace.accessClock;
    // A tenth is in use now; of the others, frequent once, nothing is left after four hours.
    for (let i = 0; i < COUNT; i++) {
      const busy = i >= COUNT - 200;
      put(db, `k${i}`, -1, busy ? (minutes << 8) | 50 : (((minutes - 240) & 0xffff) << 8) | 200);
    }
    let busy = 0;
    for (let i = 0; i < COUNT / 2; i++) if (Number((evict(choice) as string).slice(3)) >= COUNT - 200) busy++;
    expect(busy).toBe(0);
  });

  seededTest("what expires soonest", (random) => {
    const { choice, db } = setup(random, "volatile-ttl");
    for (let i = 0; i < COUNT; i++) put(db, `k${i}`, 1000 + i);
    expect(meanRank(choice, COUNT, 200)).toBeLessThan(0.15);
  });

  seededTest("the better key, the more are compared", (random) => {
    const ranks = [1, 5, 10].map((samples) => {
      const { keyspace, choice, db } = setup(random, "allkeys-lru");
      choice.samples = samples;
      for (let i = 0; i < COUNT; i++) put(db, `k${i}`, -1, keyspace.accessClock - COUNT + i);
      return meanRank(choice, COUNT, 500);
    });
    expect(ranks[0]).toBeGreaterThan(ranks[1]);
    expect(ranks[1]).toBeGreaterThan(ranks[2]);
  });

  for (const policy of ["allkeys-random", "volatile-random"] as const) {
    seededTest(`any key: ${policy}`, (random) => {
      const { choice, db } = setup(random, policy);
      for (let i = 0; i < COUNT; i++) put(db, `k${i}`, 1000);
      const mean = meanRank(choice, COUNT, 1000);
      expect(mean).toBeGreaterThan(0.45);
      expect(mean).toBeLessThan(0.55);
    });
  }
});

seededTest("every key of a crowded place in the table has its turn", (random) => {
  // Equal scores and few keys: were it always the first slots that are sampled, the rest would stay for good.
  const { choice, db } = setup(random, "allkeys-lru");
  for (let i = 0; i < 12; i++) put(db, `k${i}`, -1);
  const gone = new Set<string>();
  for (let round = 0; round < 300; round++) {
    const name = evict(choice) as string;
    gone.add(name);
    put(db, name.slice(2), -1);
  }
  expect(gone.size).toBe(12);
});

seededTest("keys that went while the pool remembered them are passed over", (random) => {
  const { keyspace, choice, db } = setup(random, "allkeys-lru");
  for (let round = 0; round < 20; round++) {
    for (let i = 0; i < 50; i++) put(db, `k${round}:${i}`, -1, keyspace.accessClock - i);
    for (let i = 0; i < 10; i++) expect(evict(choice)).not.toBeNull();
    keyspace.flush(0, false);
    put(db, "left", -1);
    expect(evict(choice)).toBe("0:left");
    expect(evict(choice)).toBeNull();
  }
});

seededTest("keys of any length are found again", (random) => {
  const { choice, db } = setup(random, "allkeys-lru");
  const want: string[] = [];
  for (const length of [0, 1, 127, 128, 129, 4096, 5000, 100_000]) {
    put(db, "x".repeat(length), -1);
    want.push(`0:${"x".repeat(length)}`);
  }
  expect(evictAll(choice).sort()).toEqual(want.sort());
});

seededTest("random changes between choices", (random) => {
  const policies: EvictionPolicy[] = [...ALL_KEYS, ...VOLATILE];
  const { keyspace, choice } = setup(random, "allkeys-lru");
  const model = keyspace.databases.map(() => new Map<string, boolean>());
  for (let step = 0; step < 20_000; step++) {
    const id = random.below(3);
    const name = `k${random.below(500)}`;
    const roll = random.below(10);
    if (roll < 5) {
      const expires = random.below(2) === 0;
      put(keyspace.databases[id], name, expires ? 1000 + random.below(1000) : -1, random.below(1 << 24));
      model[id].set(name, expires);
    } else if (roll < 9) {
      const gone = evict(choice);
      if (gone === null) {
        const left = model.some((map) => [...map.values()].some((e) => e || choice.policy.startsWith("allkeys")));
        expect(left).toBe(false);
        continue;
      }
      const [dbId, key] = gone.split(":");
      if (choice.policy.startsWith("volatile")) expect(model[Number(dbId)].get(key)).toBe(true);
      expect(model[Number(dbId)].delete(key)).toBe(true);
    } else {
      choice.policy = policies[random.below(policies.length)];
      choice.samples = 1 + random.below(64);
    }
  }
  for (const db of keyspace.databases) expect(db.size).toBe(model[db.id].size);
  arena.check();
});
