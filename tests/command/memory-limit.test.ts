// maxmemory: what is refused and with which words, what is evicted and who is told, how long a round takes, and what is counted.

import { describe, expect, test } from "bun:test";
import type { PersonalityName } from "../../src/config/personality.ts";
import { evictionLimitUs } from "../../src/engine/gates/memory-gate.ts";
import { type TestClient, type TestServer, testServer, transcript } from "../support/engine.ts";
import { CollectingSink } from "../support/sink.ts";

const OOM = "(error) OOM command not allowed when used memory > 'maxmemory'.";

function info(client: TestClient, field: string): string {
  const value = new RegExp(`^${field}:(.*)\r$`, "m").exec(client.line("INFO everything"))?.[1];
  if (value === undefined) throw new Error(`INFO has no ${field}`);
  return value;
}

/** A server with `count` keys of about 1 KiB, whose limit is what it uses and `room` bytes more. */
function limited(
  policy: string,
  count: number,
  room: number,
  personality: PersonalityName = "redis",
): TestServer & { client: TestClient } {
  const server = testServer({ personality });
  const client = server.connect();
  client.line(`CONFIG SET maxmemory-policy ${policy}`);
  for (let i = 0; i < count; i++) client.send("SET", `key:${i}`, "x".repeat(1000), "PX", 1_000_000);
  client.line(`CONFIG SET maxmemory ${server.engine.memory.usedBytes + room}`);
  return { ...server, client };
}

describe("without eviction", () => {
  test("commands that may need memory are refused, others are not", () => {
    transcript(`
      > SET k v
      OK
      > CONFIG SET maxmemory 1
      OK
      > SET k w
      ${OOM}
      > APPEND k w
      ${OOM}
      > GET k
      v
      > EXISTS k
      (integer) 1
      > DEL k
      (integer) 1
      > EXPIRE nosuch 10
      (integer) 0
      > CONFIG SET maxmemory 0
      OK
      > SET k w
      OK`);
  });

  test("a transaction is spoilt by what is refused, and refused when its time comes", () => {
    transcript(`
      > CONFIG SET maxmemory 1
      OK
      > MULTI
      OK
      > GET k
      QUEUED
      > SET k v
      ${OOM}
      > EXEC
      (error) EXECABORT Transaction discarded because of previous errors.
      > MULTI
      OK
      > GET k
      QUEUED
      > EXEC
      1) (nil)
      > CONFIG SET maxmemory 0
      OK
      > MULTI
      OK
      > SET k v
      QUEUED
      2> CONFIG SET maxmemory 1
      OK
      > EXEC
      (error) EXECABORT Transaction discarded because of: OOM command not allowed when used memory > 'maxmemory'.
      > GET k
      (nil)`);
  });

  test("what was queued before the limit fell runs on inside EXEC", () => {
    transcript(`
      > MULTI
      OK
      > CONFIG SET maxmemory 1
      QUEUED
      > SET k v
      QUEUED
      > EXEC
      1) OK
      2) OK
      > SET k v
      ${OOM}`);
  });

  test("a refused call is counted as such", () => {
    const { client } = limited("noeviction", 10, -1);
    client.line("SET k v");
    expect(client.line("INFO commandstats")).toContain("cmdstat_set:calls=10");
    expect(client.line("INFO commandstats")).toMatch(/cmdstat_set:.*rejected_calls=1,failed_calls=0/);
    expect(client.line("INFO errorstats")).toContain("errorstat_OOM:count=1");
    expect(info(client, "evicted_keys")).toBe("0");
  });

  test("values that are freed in the background make room first", () => {
    const { engine, client } = limited("noeviction", 10, -1);
    client.line("SELECT 1");
    for (let i = 0; i < 500; i++) client.send("GET", `key:${i}`);
    client.line("CONFIG SET maxmemory 0");
    for (let i = 0; i < 500; i++) client.send("SET", `key:${i}`, "x".repeat(1000));
    client.line(`CONFIG SET maxmemory ${engine.memory.usedBytes - 1}`);
    expect(client.line("SET k v")).toBe(OOM);
    expect(client.line("FLUSHDB ASYNC")).toBe("OK");
    expect(engine.keyspace.lazyFree.idle).toBe(false);
    expect(client.line("SET k v")).toBe("OK");
  });
});

describe("with eviction", () => {
  for (const policy of [
    "allkeys-lru",
    "allkeys-lfu",
    "allkeys-random",
    "volatile-lru",
    "volatile-lfu",
    "volatile-random",
    "volatile-ttl",
  ]) {
    test(`the limit holds: ${policy}`, () => {
      const { engine, client } = limited(policy, 200, 0);
      client.line("CONFIG SET maxmemory-eviction-tenacity 100");
      const limit = engine.config.values.maxmemory;
      for (let i = 0; i < 1000; i++) {
        expect(client.send("SET", `more:${i}`, "x".repeat(1000), "EX", 1000).kind).toBe("status");
        expect(engine.memory.usedBytes).toBeLessThan(limit + 4096);
      }
      expect(Number(info(client, "evicted_keys"))).toBeGreaterThan(900);
      engine.keyspace.arena.check();
    });
  }

  test("a change of policy changes what is known about keys", () => {
    const server = testServer();
    const client = server.connect();
    client.line("CONFIG SET maxmemory-policy allkeys-lfu");
    client.line("SET k v");
    expect(client.line("OBJECT FREQ k")).toBe("(integer) 5");
    expect(client.line("OBJECT IDLETIME k")).toStartWith("(error) ERR An LFU maxmemory policy is selected");
    client.line("CONFIG SET maxmemory-policy volatile-lru");
    client.line("GET k");
    server.advance(7000);
    expect(client.line("OBJECT IDLETIME k")).toBe("(integer) 7");
    expect(client.line("OBJECT FREQ k")).toStartWith("(error) ERR An LFU maxmemory policy is not selected");
  });

  test("small integers are shared unless eviction needs a time of use for each", () => {
    const client = testServer().connect();
    client.line("SET k 1");
    const shared = "(integer) 2147483647";
    for (const [settings, count] of [
      ["maxmemory 1gb maxmemory-policy allkeys-random", shared],
      ["maxmemory-policy volatile-ttl", shared],
      ["maxmemory-policy allkeys-lru", "(integer) 1"],
      ["maxmemory-policy volatile-lfu", "(integer) 1"],
      ["maxmemory 0", shared],
    ]) {
      expect(client.line(`CONFIG SET ${settings}`)).toBe("OK");
      expect(client.line("OBJECT REFCOUNT k")).toBe(count);
    }
  });

  test("volatile policies refuse once only lasting keys are left", () => {
    const { client } = limited("volatile-lru", 50, 0);
    client.line("CONFIG SET maxmemory-eviction-tenacity 100");
    let refused = 0;
    for (let i = 0; i < 100; i++) if (client.line(`SET lasting:${i} ${"x".repeat(1000)}`) === OOM) refused++;
    expect(refused).toBeGreaterThan(40);
    expect(client.line("EXISTS lasting:0")).toBe("(integer) 1");
    expect(info(client, "evicted_keys")).toBe("50");
  });

  test("any command makes room, also one that needs none", () => {
    const { client } = limited("allkeys-random", 10, -1);
    expect(client.line("PING")).toBe("PONG");
    expect(info(client, "evicted_keys")).toBe("1");
  });

  test("a command that finds its key evicted sees it absent", () => {
    transcript(`
      > CONFIG SET maxmemory-policy allkeys-lru
      OK
      > SET k v
      OK
      > CONFIG SET maxmemory 1
      OK
      > GET k
      (nil)
      > SET k v
      ${OOM}`);
  });

  for (const [personality, lazy, word] of [
    ["redis", null, "DEL"],
    ["redis", "yes", "UNLINK"],
    ["valkey", null, "UNLINK"],
    ["valkey", "no", "DEL"],
  ] as const) {
    test(`tells others: ${personality}, lazy ${lazy ?? "by default"}`, () => {
      const server = testServer({ personality });
      const [client, listener] = [server.connect(), server.connect()];
      const sink = new CollectingSink();
      if (lazy !== null) client.line(`CONFIG SET lazyfree-lazy-eviction ${lazy}`);
      client.line("CONFIG SET notify-keyspace-events Ee maxmemory-policy allkeys-lru");
      client.line("SELECT 2");
      client.line("SET k v");
      client.line("WATCH k");
      listener.line("SUBSCRIBE __keyevent@2__:evicted");
      server.engine.sinks.push(sink);
      client.line("MULTI");
      client.line("GET other");
      client.line("CONFIG SET maxmemory 1");
      expect(client.line("EXEC")).toContain("OK");
      expect(sink.take()).toEqual([]);
      client.line("PING");
      expect(sink.take()).toEqual([`2> ${word} k`]);
      expect(
        JSON.stringify(listener.pushed(), (_key, value) => (typeof value === "bigint" ? Number(value) : value)),
      ).toContain('"__keyevent@2__:evicted"');
    });
  }

  test("evicted keys are changes to those who watch them", () => {
    transcript(`
      > CONFIG SET maxmemory-policy allkeys-lru
      OK
      > SET k v
      OK
      > WATCH k
      OK
      2> CONFIG SET maxmemory 1
      OK
      2> PING
      PONG
      2> CONFIG SET maxmemory 0
      OK
      > MULTI
      OK
      > SET k w
      QUEUED
      > EXEC
      (nil)`);
  });

  test("nothing is evicted while writes are paused", () => {
    const { engine, client, advance } = limited("allkeys-random", 10, 0);
    client.line("CLIENT PAUSE 1000 WRITE");
    engine.memory.setPart("slow-log", () => 1);
    client.line("PING");
    expect(engine.stats.evictedKeys).toBe(0);
    advance(1001);
    client.line("PING");
    expect(engine.stats.evictedKeys).toBe(1);
  });

  test("buffers that propagate changes are not counted", () => {
    const { engine, client } = limited("allkeys-random", 10, 0);
    engine.memory.setPart("append-only-buffer", () => 100_000);
    client.line("PING");
    expect(engine.stats.evictedKeys).toBe(0);
    expect(info(client, "mem_not_counted_for_evict")).toBe("100000");
    engine.memory.setPart("append-only-buffer", () => 0);
    engine.memory.setPart("clients-replicas", () => 100_000);
    client.line("PING");
    expect(engine.stats.evictedKeys).toBe(10);
  });
});

describe("a round", () => {
  test("takes as long as the tenacity allows", () => {
    expect([0, 1, 10, 11, 20, 99].map(evictionLimitUs)).toEqual([0, 50, 500, 575, 2022, 126_205_358]);
    expect(evictionLimitUs(100)).toBe(Number.POSITIVE_INFINITY);
  });

  test("that is not enough is followed by others, and commands go on meanwhile", () => {
    const { engine, client, clock, advance } = limited("allkeys-lru", 1000, 0);
    let scheduled = 0;
    engine.memory.scheduleEviction = () => {
      scheduled++;
    };
    client.line("CONFIG SET maxmemory-eviction-tenacity 0");
    // Every look at the clock takes a microsecond: more than a tenacity of 0 allows.
    const monotonicUs = clock.monotonicUs.bind(clock);
    clock.monotonicUs = () => {
      clock.advanceUs(1);
      return monotonicUs();
    };
    const keys = (): number => engine.keyspace.databases[0].size;
    client.line(`CONFIG SET maxmemory ${engine.memory.usedBytes - 500_000}`);
    expect(scheduled).toBe(1);
    expect(client.line("SET k v")).toBe("OK");
    expect([scheduled, keys()]).toEqual([2, 1000 - 16 + 1]);
    advance(50);
    expect(Number(info(client, "current_eviction_exceeded_time"))).toBeGreaterThanOrEqual(50);
    let rounds = 0;
    while (engine.memory.evict()) rounds++;
    expect(rounds).toBeGreaterThan(10);
    expect(engine.memory.usedBytes).toBeLessThanOrEqual(engine.config.values.maxmemory);
    expect(engine.memory.isFull).toBe(false);
    expect(info(client, "current_eviction_exceeded_time")).toBe("0");
    expect(Number(info(client, "total_eviction_exceeded_time"))).toBeGreaterThanOrEqual(50);
    client.line("CONFIG RESETSTAT");
    expect(info(client, "total_eviction_exceeded_time")).toBe("0");
    expect(info(client, "evicted_keys")).toBe("0");
  });

  test("is seen by the latency monitor and is no time of the command", () => {
    const { engine, client, clock } = limited("allkeys-lru", 100, 0);
    client.line("CONFIG SET latency-monitor-threshold 1 maxmemory-eviction-tenacity 100");
    const remove = engine.keyspace.databases[0].remove;
    engine.keyspace.databases[0].remove = function (...args) {
      clock.advanceMs(5);
      remove.apply(this, args);
    };
    client.line("CONFIG RESETSTAT");
    client.send("SET", "k", "x".repeat(20_000));
    client.line("PING");
    expect(client.line("LATENCY LATEST")).toContain("eviction-cycle");
    expect(client.line("LATENCY LATEST")).toContain("eviction-del");
    expect(client.line("INFO commandstats")).toContain("cmdstat_ping:calls=1,usec=0,");
  });

  test("ends when the limit is lifted", () => {
    const { engine, client } = limited("allkeys-lru", 100, -50_000);
    client.line("CONFIG SET maxmemory 0");
    const before = engine.keyspace.databases[0].size;
    expect(engine.memory.evict()).toBe(false);
    expect(engine.keyspace.databases[0].size).toBe(before);
  });
});

describe("a table that is full", () => {
  /** A server whose key table begins to grow with the next key but one, and whose limit leaves 10 KiB, a third of what that takes. */
  function full(): TestServer & { client: TestClient } {
    const server = testServer();
    const client = server.connect();
    client.line("CONFIG SET maxmemory-policy allkeys-random");
    for (let i = 0; i < 4095; i++) client.send("SET", `key:${i}`, "");
    while (server.engine.keyspace.databases[0].rehash(100));
    client.line(`CONFIG SET maxmemory ${server.engine.memory.usedBytes + 10 * 1024}`);
    return { ...server, client };
  }

  test("does not grow at the cost of keys", () => {
    const { client } = full();
    for (const key of ["a", "b", "c"]) expect(client.line(`SET ${key} v`)).toBe("OK");
    expect(client.line("DBSIZE")).toBe("(integer) 4098");
    expect(info(client, "evicted_keys")).toBe("0");
  });

  test("grows when the limit is lifted", () => {
    const { client, engine } = full();
    client.line("SET a v");
    client.line("SET b v");
    client.line("CONFIG SET maxmemory 0");
    expect(engine.keyspace.databases[0].rehash(0)).toBe(false);
    client.line("SET c v");
    expect(engine.keyspace.databases[0].rehash(0)).toBe(true);
  });
});
