// The walk that makes a snapshot: whatever happens to keys meanwhile, it sees all of them as they were, each once.

import { describe, expect, test } from "bun:test";
import { Prng } from "../../src/base/prng.ts";
import { Snapshot } from "../../src/persistence/snapshot/snapshot.ts";
import { entryPhase } from "../../src/types/entry.ts";
import { testSeed } from "../base/seeded.ts";
import { type TestClient, type TestServer, testServer } from "../support/engine.ts";
import { formatReply } from "../support/transcript-reply.ts";
import { DigestFormat, pictureOf } from "./digest-format.ts";
import { Traffic } from "./traffic.ts";

function phasesAgree(server: TestServer): boolean {
  const { keyspace } = server.engine;
  for (const db of keyspace.databases) {
    for (let tries = 0; tries < 50 && db.size > 0; tries++)
      if (entryPhase(keyspace.arena, db.random()) !== keyspace.phase) return false;
  }
  return true;
}

/** Only so that a test that hangs ends: on a loaded machine a round takes more than a few seconds. */
const RANDOM_LIMIT_MS = 60_000;

/** Replies that came outside of a client's own turn, as text. */
function pushed(client: TestClient): string[] {
  return client.pushed().map((reply) => formatReply(reply));
}

describe("a client that changes a large value meanwhile which cannot be frozen", () => {
  /** A server whose database 0 has a stream too large to be saved at once, with too many consumers to be frozen, and a snapshot that takes a step at a time. */
  function subject() {
    const server = testServer();
    const [writer, other] = [server.connect(), server.connect()];
    for (let i = 1; i <= 4000; i++) writer.send("XADD", "large", `1-${i}`, "field", "old");
    writer.send("XGROUP", "CREATE", "large", "group", "0");
    for (let i = 0; i < 4100; i++) writer.send("XGROUP", "CREATECONSUMER", "large", "group", `consumer${i}`);
    writer.send("SET", "small", "old");
    const snapshot = new Snapshot(server.engine);
    const before = pictureOf(server.engine.keyspace);
    const format = new DigestFormat(server.engine.keyspace.arena, () => 5);
    snapshot.start(format, format);
    /** Goes on until a client's command that was postponed has run; the number of slices. */
    const settle = (client: TestClient): number => {
      let slices = 0;
      for (; client.client.halted !== 0 && slices < 100; slices++) {
        snapshot.runSlice(-1);
        other.send("PING");
      }
      return slices;
    };
    return { server, writer, other, snapshot, before, format, settle };
  }

  test("waits, and others do not", () => {
    const { writer, other, snapshot, before, format, settle } = subject();
    expect(writer.raw("XDEL", "large", "1-1")).toHaveLength(0);
    expect(writer.client.halted).not.toBe(0);
    expect(other.line("XLEN large")).toBe("(integer) 4000");
    expect(other.line("SET small new")).toBe("OK");
    expect(settle(writer)).toBeGreaterThan(3);
    expect(pushed(writer)).toEqual(["(integer) 1"]);
    expect(other.line("XLEN large")).toBe("(integer) 3999");
    while (snapshot.isRunning) snapshot.runSlice(-1);
    expect(format.picture).toEqual(before);
  });

  test("waits with its transaction", () => {
    const { writer, other, settle } = subject();
    writer.send("MULTI");
    writer.send("SET", "small", "new");
    writer.send("XDEL", "large", "1-1");
    expect(writer.raw("EXEC")).toHaveLength(0);
    expect(other.line("GET small")).toBe("old");
    settle(writer);
    expect(pushed(writer)).toEqual(["1) OK\n2) (integer) 1"]);
  });

  test("goes on when the snapshot is broken off, and may go away", () => {
    const { server, writer, other, snapshot } = subject();
    const gone = server.connect();
    writer.raw("XDEL", "large", "1-1");
    gone.raw("XDEL", "large", "1-1");
    gone.close();
    snapshot.abort();
    other.send("PING");
    expect(pushed(writer)).toEqual(["(integer) 1"]);
    expect(pushed(gone)).toEqual([]);
  });

  test("goes on when the database was emptied", () => {
    const { writer, other, snapshot, before, format, settle } = subject();
    writer.raw("XDEL", "large", "1-1");
    other.send("FLUSHDB");
    settle(writer);
    expect(pushed(writer)).toEqual(["(integer) 0"]);
    while (snapshot.isRunning) snapshot.runSlice(-1);
    expect(format.picture).toEqual(before);
  });

  test("does not wait once the value is saved", () => {
    const { writer, snapshot } = subject();
    while (snapshot.isRunning) snapshot.runSlice(-1);
    expect(writer.line("XDEL large 1-1")).toBe("(integer) 1");
  });
});

describe("a key that goes, or gets another value, meanwhile", () => {
  /** A server with keys of several kinds, and a snapshot that has not come to any of them. */
  function subject() {
    const server = testServer();
    const client = server.connect();
    for (let i = 0; i < 700; i++) client.send("HSET", "large", `field${i}`, "old");
    client.send("SET", "long", "x".repeat(500));
    client.send("SET", "short", "old", "PX", 1000);
    client.send("RPUSH", "list", "a", "b");
    client.send("HSET", "expiring", "field", "old");
    client.send("HPEXPIRE", "expiring", 5000, "FIELDS", 1, "field");
    client.send("PEXPIRE", "list", 5000);
    client.send("PEXPIRE", "long", 500);
    const snapshot = new Snapshot(server.engine);
    const before = pictureOf(server.engine.keyspace);
    const format = new DigestFormat(server.engine.keyspace.arena, () => 5);
    const { keyspace } = server.engine;
    const usedBytes = keyspace.arena.usedBytes;
    snapshot.start(format, format);
    const finish = (): void => {
      while (snapshot.isRunning) snapshot.runSlice(-1);
      expect(format.picture).toEqual(before);
      expect(keyspace.retainedBytes).toBe(0);
    };
    return { server, client, snapshot, format, keyspace, usedBytes, finish };
  }

  const REPLACING = [
    ["DEL", "large", "long", "short", "list", "expiring"],
    ["UNLINK", "large", "long", "short", "list", "expiring"],
    ["MSET", "large", "1", "long", "2", "short", "3", "list", "4", "expiring", "5"],
  ];
  for (const command of REPLACING) {
    test(`${command[0]} does not wait, and the snapshot keeps what was there`, () => {
      const { client, keyspace, usedBytes, finish } = subject();
      const expected = command[0] === "MSET" ? "OK" : "(integer) 5";
      expect(client.line(command.join(" "))).toBe(expected);
      expect(keyspace.retainedBytes).toBeGreaterThan(500);
      finish();
      client.send("DEL", "large", "long", "short", "list", "expiring");
      while (!keyspace.lazyFree.idle) keyspace.lazyFree.step(1000);
      expect(keyspace.arena.usedBytes).toBeLessThan(usedBytes);
    });
  }

  test("the one that is being written goes when it is complete", () => {
    const { client, snapshot, format, keyspace, finish } = subject();
    while (format.main.isBetweenKeys) snapshot.runSlice(-1);
    client.send("DEL", "large", "long", "short", "list", "expiring");
    expect(format.main.isBetweenKeys).toBe(false);
    expect(keyspace.retainedBytes).toBeGreaterThan(500);
    finish();
  });

  test("expired keys and SET with conditions and times are no exception", () => {
    const { server, client, finish } = subject();
    server.advance(2000);
    expect(client.line("GET short")).toBe("(nil)");
    client.send("SET", "list", "new", "KEEPTTL");
    expect(client.line("PTTL list")).toBe("(integer) 3000");
    client.send("SET", "long", "new", "PX", 1000);
    expect(client.line("PTTL long")).toBe("(integer) 1000");
    client.send("SINTERSTORE", "large", "none");
    finish();
    server.advance(4000);
    expect(client.line("EXISTS list long")).toBe("(integer) 0");
    expect(client.line("HGET expiring field")).toBe("(nil)");
  });

  test("fields that have expired go when they are read, after they were saved", () => {
    const { server, client, finish } = subject();
    server.advance(6000);
    expect(client.line("HGET expiring field")).toBe("(nil)");
    expect(client.line("EXISTS expiring")).toBe("(integer) 0");
    finish();
  });

  test("a snapshot that is broken off gives all of it back", () => {
    const { client, snapshot, keyspace } = subject();
    snapshot.runSlice(-1);
    client.send("DEL", "large", "long", "short", "list", "expiring");
    snapshot.abort();
    while (!snapshot.isReady) snapshot.runSlice(-1);
    expect(keyspace.retainedBytes).toBe(0);
  });

  test("a flush after it leaves nothing out", () => {
    const { client, finish } = subject();
    client.send("DEL", "large", "long");
    client.send("FLUSHALL");
    finish();
  });

  test("a small string that changes leaves a copy, once, and goes on living where it is", () => {
    const { client, keyspace, finish } = subject();
    client.send("APPEND", "short", "er");
    const bytes = keyspace.retainedBytes;
    expect(bytes).toBeGreaterThan(0);
    client.send("SET", "short", "again");
    client.send("DEL", "short");
    expect(keyspace.retainedBytes).toBe(bytes);
    finish();
    expect(keyspace.retainedBytes).toBe(0);
  });

  test("a small string that is deleted is kept as it is, without a copy", () => {
    const { client, keyspace, finish } = subject();
    const used = keyspace.arena.usedBytes;
    client.send("DEL", "short");
    expect(keyspace.arena.usedBytes).toBe(used);
    expect(keyspace.retainedBytes).toBeGreaterThan(0);
    finish();
    expect(keyspace.retainedBytes).toBe(0);
  });

  test("maxmemory does not count what waits for the snapshot", () => {
    const { server, client, keyspace, finish } = subject();
    const { memory } = server.engine;
    client.send("CONFIG", "SET", "maxmemory-policy", "volatile-ttl");
    const count = keyspace.databases[0].size;
    client.send("CONFIG", "SET", "maxmemory", memory.usedBytes - 1);
    memory.evict();
    expect(client.line("EXISTS long")).toBe("(integer) 0");
    expect(keyspace.retainedBytes).toBeGreaterThan(500);
    expect(keyspace.databases[0].size).toBe(count - 1);
    client.send("CONFIG", "SET", "maxmemory", 0);
    finish();
  });
});

describe("random traffic during snapshots", () => {
  for (let round = 0; round < 6; round++) {
    test(
      `round ${round}`,
      () => {
        const seed = testSeed() + round;
        const prng = new Prng(seed);
        const server_ = testServer({ seed });
        const snapshot = new Snapshot(server_.engine);
        const traffic = new Traffic(server_, prng);
        traffic.run(1000);
        for (let repeat = 0; repeat < 4; repeat++) {
          traffic.populate();
          traffic.run(300);
          const before = pictureOf(server_.engine.keyspace);
          const format = new DigestFormat(server_.engine.keyspace.arena, () => 1 + prng.below(3));
          snapshot.start(format, format);
          const aborted = prng.below(4) === 0;
          for (let slices = 0; snapshot.isRunning; slices++) {
            traffic.run(prng.below(30));
            if (aborted && slices === 3) {
              snapshot.abort();
              break;
            }
            // Only as much as a bucket and a step at a time: the time is up at once.
            snapshot.runSlice(-1);
          }
          if (aborted) {
            expect(format.state).toBe("open");
            traffic.run(100);
            while (!snapshot.isReady) snapshot.runSlice(-1);
          } else {
            expect(format.state).toBe("finished");
            expect([...format.picture].sort()).toEqual([...before].sort());
          }
          expect({ seed, phases: phasesAgree(server_) }).toEqual({ seed, phases: true });
        }
      },
      RANDOM_LIMIT_MS,
    );
  }
});
