// Large values that change while a snapshot writes them: it sees each as it was, whatever the command and wherever the walk is.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GRANULE_MASK, SEGMENT_SHIFT } from "../../src/arena/arena.ts";
import { Prng } from "../../src/base/prng.ts";
import { Origin } from "../../src/engine/client/client.ts";
import { ExpireCycle } from "../../src/keyspace/expire-cycle.ts";
import { CommandFormat } from "../../src/persistence/aof/command-format.ts";
import { Snapshot, type SnapshotFormat } from "../../src/persistence/snapshot/snapshot.ts";
import { dictPause, dictRehash, dictScan, dictShrinkIfNeeded, RefList } from "../../src/struct/dict/dict.ts";
import { FROZEN, PAUSES } from "../../src/struct/dict/dict-bucket.ts";
import { dictCheck, dictTableStats } from "../../src/struct/dict/dict-check.ts";
import { containerRoot } from "../../src/types/container.ts";
import { entryType, Type } from "../../src/types/entry.ts";
import { streamIsFrozen } from "../../src/types/stream/stream.ts";
import { valueType } from "../../src/types/value.ts";
import { testSeed } from "../base/seeded.ts";
import { streamCheck } from "../model/stream-check.ts";
import { type TestClient, type TestServer, testServer } from "../support/engine.ts";
import { loadCommands } from "./aof-support.ts";
import { exactPicture, KINDS, type Kind, LargeTraffic } from "./large-traffic.ts";
import { loadRdb, MemorySink, rdbFormat } from "./rdb-support.ts";

/** Lets a format's main lane write but a few elements at a time, so that slices end anywhere in a value. */
function cutFine(format: SnapshotFormat, prng: Prng): SnapshotFormat {
  const { main } = format;
  const step = main.step.bind(main);
  main.step = (budget) => step(budget === Number.POSITIVE_INFINITY ? budget : 1 + prng.below(20));
  return format;
}

/** Throws unless all dicts of values and all streams are whole, and as they are without a snapshot. */
function checkValues(server: TestServer): void {
  const { arena, databases } = server.engine.keyspace;
  const list = new RefList();
  for (const db of databases)
    for (let cursor = dictScan(arena, db.dict, 0, list); cursor !== 0; )
      cursor = dictScan(arena, db.dict, cursor, list);
  for (let i = 0; i < list.count; i++) {
    if (entryType(arena, list.refs[i]) === Type.Stream) {
      const stream = containerRoot(arena, list.refs[i]);
      streamCheck(arena, stream);
      expect(streamIsFrozen(arena, stream)).toBe(false);
    }
    const dict = valueType(arena, list.refs[i]).dict?.(arena, list.refs[i]) ?? 0;
    if (dict === 0) continue;
    dictCheck(arena, dict);
    const h = (dict & GRANULE_MASK) << 1;
    const w = arena.i32[dict >>> SEGMENT_SHIFT];
    expect([w[h + FROZEN], w[h + PAUSES]]).toEqual([0, 0]);
  }
}

/** What empty indexes of times take at most, together. */
const INDEX_BYTES = 600;

/** Deletes all keys, one by one, so that whatever nobody frees is left over. */
function deleteAll(server: TestServer): void {
  const { databases, lazyFree } = server.engine.keyspace;
  for (const db of databases) {
    for (let e = db.random(); e !== 0; e = db.random()) db.remove(e, db.hashOf(e));
    while (db.rehash(1000));
  }
  while (!lazyFree.step(1000));
}

let folder = "";
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "redis-ts-frozen-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Output = "snapshot" | "commands";

/** One snapshot under traffic, compared with what was there when it began; or broken off. */
function round(server: TestServer, traffic: LargeTraffic, prng: Prng, output: Output): void {
  const { engine } = server;
  const snapshot = new Snapshot(engine);
  const before = exactPicture(engine.keyspace);
  const beganMs = engine.nowMs();
  const sink = new MemorySink();
  const format =
    output === "snapshot"
      ? rdbFormat(engine, sink, { inSlices: true })
      : new CommandFormat(engine.keyspace.arena, sink, "");
  const breaksOffAt = prng.below(5) === 0 ? prng.below(60) : -1;
  const changes = 1 + prng.below(12);
  snapshot.start(cutFine(format, prng), sink);
  for (let slices = 0; snapshot.isRunning; slices++) {
    traffic.run(prng.below(changes));
    if (slices === breaksOffAt) snapshot.abort();
    else snapshot.runSlice(-1);
  }
  while (!snapshot.isReady) snapshot.runSlice(-1);
  expect(engine.keyspace.retainedBytes).toBe(0);
  checkValues(server);
  if (!sink.finished) return;
  const other = testServer({ personality: "valkey" });
  // A time of delivery cannot be later than now.
  other.advance(beganMs - other.engine.nowMs());
  if (output === "snapshot") expect(loadRdb(other.engine, sink.bytes).state).toBe("done");
  else expect(loadCommands(other.engine, folder, sink.bytes).outcome).toBe("loaded");
  expect([...exactPicture(other.engine.keyspace)].sort()).toEqual([...before].sort());
}

const ROUNDS: readonly (readonly Kind[])[] = [...KINDS.map((kind) => [kind]), KINDS];
for (const output of ["snapshot", "commands"] as const) {
  describe(`random changes, as ${output}`, () => {
    for (const kinds of ROUNDS) {
      test(kinds.join(" "), () => {
        const seed = testSeed();
        const prng = new Prng(seed);
        const server = testServer({ seed, personality: "valkey" });
        const traffic = new LargeTraffic(server, prng, kinds);
        for (let repeat = 0; repeat < 4; repeat++) {
          traffic.populate();
          traffic.run(50);
          round(server, traffic, prng, output);
        }
        deleteAll(server);
        const { keyspace: empty } = testServer().engine;
        empty.open();
        const spare = server.engine.keyspace.arena.usedBytes - empty.arena.usedBytes;
        expect(spare).toBeLessThan(INDEX_BYTES);
      }, 60_000);
    }
  });
}

describe("a large value that is not written", () => {
  /** A server with large values of each kind, and a snapshot that has not come to any of them. */
  function subject(prepare: (client: TestClient) => void = () => {}) {
    const server = testServer({ personality: "valkey" });
    const client = server.connect();
    const names = Array.from({ length: 1500 }, (_, i) => `n${i}`);
    client.send("HSET", "hash", ...names.flatMap((name) => [name, "old"]));
    client.send("SADD", "set", ...names);
    client.send("ZADD", "zset", ...names.flatMap((name, i) => [String(i), name]));
    client.send("RPUSH", "list", ...names.map((name) => name.repeat(200)));
    client.send("CONFIG", "SET", "stream-node-max-entries", "10");
    for (let i = 1; i <= 1500; i++) client.send("XADD", "stream", `${i}-1`, "field", "old");
    client.send("XGROUP", "CREATE", "stream", "group", "0");
    client.send("XREADGROUP", "GROUP", "group", "alice", "COUNT", 600, "STREAMS", "stream", ">");
    prepare(client);
    const { keyspace } = server.engine;
    const before = exactPicture(keyspace);
    const snapshot = new Snapshot(server.engine);
    const sink = new MemorySink();
    const usedBytes = keyspace.arena.usedBytes;
    snapshot.start(rdbFormat(server.engine, sink, { inSlices: true }), sink);
    const finish = (): void => {
      while (snapshot.isRunning) snapshot.runSlice(-1);
      expect(keyspace.retainedBytes).toBe(0);
      const other = testServer({ personality: "valkey" });
      expect(loadRdb(other.engine, sink.bytes).state).toBe("done");
      expect([...exactPicture(other.engine.keyspace)].sort()).toEqual([...before].sort());
    };
    return { server, client, snapshot, sink, keyspace, usedBytes, finish };
  }

  const CHANGES: readonly (readonly [command: string, reply: string])[] = [
    ["HSET hash n1 new", "(integer) 0"],
    ["SREM set n1", "(integer) 1"],
    ["ZINCRBY zset 5 n1", '"6"'],
    ["LSET list 700 new", "OK"],
    ["XDEL stream 700-1", "(integer) 1"],
    ["XADD stream 9000-1 field new", "9000-1"],
  ];
  for (const [command, reply] of CHANGES) {
    test(`changes at once and costs little: ${command}`, () => {
      const { client, keyspace, finish } = subject();
      expect(client.line(command)).toBe(reply.replaceAll('"', ""));
      expect(keyspace.retainedBytes).toBeGreaterThan(0);
      expect(keyspace.retainedBytes).toBeLessThan(10_000);
      finish();
    });
  }

  test("changes at once for a primary and in a transaction", () => {
    const { server, client, keyspace, finish } = subject();
    client.send("MULTI");
    for (const [command] of CHANGES) client.line(command);
    client.send("EXEC");
    const link = server.connect();
    link.client.origin = Origin.Primary;
    for (const [command] of CHANGES) link.line(command.replace("700", "300"));
    expect(keyspace.retainedBytes).toBeLessThan(50_000);
    finish();
  });

  test("gets and loses a time to live, and its name, without a copy", () => {
    const { client, keyspace, finish } = subject((c) => void c.send("PEXPIRE", "set", 100_000));
    client.send("PEXPIRE", "hash", 100_000);
    client.send("PERSIST", "set");
    client.send("RENAME", "zset", "renamed");
    client.send("MOVE", "list", 1);
    expect(keyspace.retainedBytes).toBe(0);
    expect(client.line("TTL hash")).toBe("(integer) 100");
    expect(client.line("TTL set")).toBe("(integer) -1");
    finish();
  });

  test("goes at once when it is frozen, and its memory when it is written", () => {
    for (const command of [
      "DEL hash set zset list stream",
      "UNLINK hash set zset list stream",
      "FLUSHALL SYNC",
      "FLUSHALL ASYNC",
    ]) {
      const { client, keyspace, usedBytes, finish } = subject();
      client.line("CONFIG SET lazyfree-lazy-user-del no");
      for (const [change] of CHANGES) client.line(change);
      client.line(command);
      expect(client.line("DBSIZE")).toBe("(integer) 0");
      expect(keyspace.arena.usedBytes).toBeGreaterThan(usedBytes * 0.9);
      finish();
      while (!keyspace.lazyFree.step(1000));
      expect(keyspace.arena.usedBytes).toBeLessThan(usedBytes * 0.1);
    }
  });

  test("may lose all elements, and get others", () => {
    const { client, finish } = subject();
    client.send("SPOP", "set", 2000);
    client.send("ZREMRANGEBYRANK", "zset", 0, -1);
    client.send("LTRIM", "list", 2, 3);
    client.send("LPOP", "list", 5);
    client.send("DEL", "stream");
    for (let i = 0; i < 1500; i += 100)
      client.send("HDEL", "hash", ...Array.from({ length: 100 }, (_, n) => `n${i + n}`));
    expect(client.line("DBSIZE")).toBe("(integer) 0");
    client.send("SADD", "set", "other");
    client.send("RPUSH", "list", "other");
    finish();
    expect(client.line("SCARD set")).toBe("(integer) 1");
  });

  test("may become a list of one listpack that was a node of it", () => {
    const { client, finish } = subject((c) => void c.send("RPUSH", "list", "x".repeat(9000), "a", "b"));
    client.send("LTRIM", "list", -2, -1);
    expect(client.line("OBJECT ENCODING list")).toBe("listpack");
    client.send("RPUSH", "list", "c");
    client.send("RPUSH", "other", ...Array.from({ length: 3000 }, (_, i) => `e${i}`));
    expect(client.line("LRANGE list 0 -1")).toBe("1) a\n2) b\n3) c");
    finish();
  });

  test("loses fields whose time has come", () => {
    const { server, client, finish } = subject((c) => void c.send("HPEXPIRE", "hash", 100, "FIELDS", 2, "n1", "n2"));
    server.advance(200);
    expect(client.line("HGET hash n1")).toBe("(nil)");
    expect(client.line("HLEN hash")).toBe("(integer) 1499");
    new ExpireCycle(server.engine.keyspace, server.clock).run(1000);
    expect(client.line("HLEN hash")).toBe("(integer) 1498");
    finish();
  });

  test("makes clients wait once more than 32 MiB were copied", () => {
    const names = Array.from({ length: 1500 }, (_, i) => `n${i}`);
    const { server, client, snapshot, keyspace, finish } = subject((c) => {
      for (const name of names) c.send("HSET", "hash", name, "x".repeat(50_000));
    });
    const other = server.connect();
    for (const name of names) {
      client.raw("HSET", "hash", name, "new");
      if (client.client.halted !== 0) break;
    }
    expect(client.client.halted).not.toBe(0);
    expect(keyspace.retainedBytes).toBeGreaterThan(32 << 20);
    expect(keyspace.retainedBytes).toBeLessThan(34 << 20);
    expect(other.line("SET small new")).toBe("OK");
    for (let slices = 0; client.client.halted !== 0 && slices < 1000; slices++) {
      snapshot.runSlice(-1);
      other.send("PING");
    }
    expect(client.client.halted).toBe(0);
    expect(keyspace.retainedBytes).toBeLessThan(1 << 20);
    finish();
  });

  test("changes at once although much memory of deleted keys waits", () => {
    const { client, keyspace, finish } = subject((c) => {
      for (let i = 0; i < 700; i++) c.send("HSET", "huge", `field${i}`, "x".repeat(60_000));
      for (let i = 0; i < 700; i++) c.send("HSET", "frozen", `field${i}`, "x".repeat(60_000));
    });
    client.send("HSET", "frozen", "field1", "new");
    client.send("DEL", "huge", "frozen");
    while (!keyspace.lazyFree.step(1000));
    expect(keyspace.retainedBytes).toBeGreaterThan(64 << 20);
    for (const [command, reply] of CHANGES) expect(client.line(command)).toBe(reply.replaceAll('"', ""));
    finish();
  });

  test("grows again afterwards", () => {
    const { server, client, finish } = subject();
    for (let i = 0; i < 20_000; i++) client.send("SADD", "set", `other${i}`);
    finish();
    const { arena, databases } = server.engine.keyspace;
    expect(client.line("SCARD set")).toBe("(integer) 21500");
    for (let i = 20_000; i < 24_000; i++) client.send("SADD", "set", `other${i}`);
    const key = Buffer.from("set");
    const dict = containerRoot(arena, databases[0].find(key, 0, key.length));
    const longest = (): number => dictTableStats(arena, dict, 0)?.chains.length ?? 0;
    expect(longest()).toBeLessThan(40);
  });

  test("is not disturbed by readers that let its table shrink, however small it is", () => {
    const server = testServer({ personality: "valkey" });
    const client = server.connect();
    const names = Array.from({ length: 20_000 }, (_, i) => `n${i}`);
    client.send("SADD", "set", ...names);
    const { arena, databases } = server.engine.keyspace;
    const key = Buffer.from("set");
    const dict = containerRoot(arena, databases[0].find(key, 0, key.length));
    // It is to become many times smaller at once, as after a snapshot.
    dictPause(arena, dict, 1);
    client.send("SREM", "set", ...names.slice(0, 19_600));
    dictPause(arena, dict, -1);
    dictRehash(arena, dict, 10_000);
    dictShrinkIfNeeded(arena, dict);
    const before = exactPicture(server.engine.keyspace);
    const snapshot = new Snapshot(server.engine);
    const sink = new MemorySink();
    snapshot.start(cutFine(rdbFormat(server.engine, sink, { inSlices: true }), new Prng(1)), sink);
    while (snapshot.isRunning) {
      for (let i = 0; i < 60; i++) client.send("SRANDMEMBER", "set");
      snapshot.runSlice(-1);
    }
    const other = testServer({ personality: "valkey" });
    expect(loadRdb(other.engine, sink.bytes).state).toBe("done");
    expect(exactPicture(other.engine.keyspace)).toEqual(before);
  });
});
