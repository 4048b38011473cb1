// Snapshots as RDB: what is loaded is what was there when the snapshot began, whatever happened meanwhile.

import { describe, expect, test } from "bun:test";
import { Prng } from "../../src/base/prng.ts";
import { Snapshot } from "../../src/persistence/snapshot/snapshot.ts";
import { dictIsRehashing } from "../../src/struct/dict/dict.ts";
import { testSeed } from "../base/seeded.ts";
import { type TestServer, testServer } from "../support/engine.ts";
import { fullPicture, loadRdb, MemorySink, rdbBytes, rdbFormat } from "./rdb-support.ts";
import { Traffic } from "./traffic.ts";

/** A server that is told to write streams as the pictures of tests do. */
function subject(seed: number): TestServer {
  return testServer({ seed, personality: "valkey" });
}

describe("under random traffic", () => {
  for (let round = 0; round < 4; round++) {
    test(`a snapshot in slices, round ${round}`, () => {
      const seed = testSeed() + round;
      const prng = new Prng(seed);
      const server = subject(seed);
      const snapshot = new Snapshot(server.engine);
      const traffic = new Traffic(server, prng);
      traffic.run(1500);
      for (let repeat = 0; repeat < 3; repeat++) {
        traffic.populate();
        traffic.run(500);
        const before = fullPicture(server.engine);
        const sink = new MemorySink();
        snapshot.start(rdbFormat(server.engine, sink, { inSlices: true }), sink);
        while (snapshot.isRunning) {
          traffic.run(prng.below(30));
          snapshot.runSlice(-1);
        }
        expect(sink.finished).toBe(true);
        const other = subject(seed);
        expect(loadRdb(other.engine, sink.bytes).state).toBe("done");
        expect({ seed, picture: [...fullPicture(other.engine)].sort() }).toEqual({ seed, picture: [...before].sort() });
      }
    });

    test(`all at once, round ${round}`, () => {
      const seed = testSeed() + 100 + round;
      const server = subject(seed);
      const traffic = new Traffic(server, new Prng(seed));
      traffic.populate();
      traffic.run(3000);
      const other = subject(seed + 1);
      expect(loadRdb(other.engine, rdbBytes(server.engine)).state).toBe("done");
      expect({ seed, picture: [...fullPicture(other.engine)].sort() }).toEqual({
        seed,
        picture: [...fullPicture(server.engine)].sort(),
      });
    });
  }
});

describe("the header", () => {
  const aux = (bytes: Buffer): Record<string, string> => {
    const facts: Record<string, string> = {};
    const { engine } = testServer();
    loadRdb(engine, bytes, { onAux: (name, value) => (facts[name] = value) });
    return facts;
  };

  test("tells who wrote the file and when", () => {
    const { engine, clock } = testServer();
    const facts = aux(rdbBytes(engine));
    expect(facts).toMatchObject({ "redis-ver": "7.2.4", "redis-bits": "64", "aof-base": "0" });
    expect(facts.ctime).toBe(String(Math.floor(clock.nowMs() / 1000)));
    expect(Number(facts["used-mem"])).toBeGreaterThan(500_000);
  });

  test("is one that redis-server 7.0 loads, or that of Valkey", () => {
    expect(rdbBytes(testServer().engine).toString("latin1", 0, 9)).toBe("REDIS0010");
    const valkey = rdbBytes(testServer({ personality: "valkey" }).engine);
    expect(valkey.toString("latin1", 0, 9)).toBe("REDIS0011");
    expect(aux(valkey)).toHaveProperty("valkey-ver");
  });
});

describe("loading", () => {
  /** A file with a key that expires at a time, and one that does not. */
  function file(): { bytes: Buffer; server: TestServer } {
    const server = testServer();
    const client = server.connect();
    client.send("SET", "lasting", "1");
    client.send("SET", "passing", "2", "PX", "1000");
    return { bytes: rdbBytes(server.engine), server };
  }

  test("passes over keys whose time has come, unless they are to be kept", () => {
    const { bytes } = file();
    for (const keepsExpired of [false, true]) {
      const other = testServer();
      other.advance(5000);
      const { load, state } = loadRdb(other.engine, bytes, { keepsExpired });
      expect(state).toBe("done");
      expect(load.stats).toEqual({ keysLoaded: keepsExpired ? 2 : 1, keysExpired: keepsExpired ? 0 : 1, emptyKeys: 0 });
      expect(other.engine.keyspace.databases[0].size).toBe(keepsExpired ? 2 : 1);
    }
  });

  test("a key that is there is an error, or gives way", () => {
    const { bytes } = file();
    const other = testServer();
    const client = other.connect();
    client.send("SET", "lasting", "other");
    expect(loadRdb(other.engine, bytes).state).toBe("failed");
    const { state } = loadRdb(other.engine, bytes, { replaces: true });
    expect(state).toBe("done");
    expect(client.line("GET lasting")).toBe("1");
    expect(client.line("PTTL passing")).toBe("(integer) 1000");
  });

  test("a file that says something twice is refused, and nothing of it is left over", () => {
    const names = [...Array.from({ length: 100 }, (_, i) => `key${i}`), "key70", "key101"];
    const keys = names.flatMap((name) => [0, name.length, ...Buffer.from(name), 3, 0x6f, 0x6e, 0x65]);
    const bytes = Buffer.from([...Buffer.from("REDIS0010"), ...keys, 255, 0, 0, 0, 0, 0, 0, 0, 0]);
    const server = testServer();
    const { arena, databases } = server.engine.keyspace;
    const before = arena.usedBytes;
    const { state, load } = loadRdb(server.engine, bytes);
    expect(state).toBe("failed");
    expect(load.error?.text).toBe("RDB has duplicated key 'key70' in DB 0");
    expect(databases[0].size).toBe(100);
    server.connect().send("FLUSHALL", "SYNC");
    expect(arena.usedBytes).toBe(before);
  });

  test("tables have their size from the beginning, as far as a file can be believed", () => {
    const server = testServer();
    const client = server.connect();
    for (let i = 0; i < 3000; i++) client.send("SET", `key:${i}`, "1", ...(i % 2 === 0 ? ["PX", "100000"] : []));
    const other = testServer();
    const [db] = other.engine.keyspace.databases;
    loadRdb(other.engine, rdbBytes(server.engine));
    expect([db.size, db.expiresSize]).toEqual([3000, 1500]);
    expect(dictIsRehashing(db.arena, db.dict) || dictIsRehashing(db.arena, db.expires)).toBe(false);
    // A database of 2^32 - 1 keys in a file of some bytes.
    const liar = Buffer.from([...Buffer.from("REDIS0010"), 254, 0, 251, ...[128, 255, 255, 255, 255], 0, 255]);
    const believing = testServer();
    believing.engine.keyspace.open();
    const before = believing.engine.keyspace.arena.usedBytes;
    loadRdb(believing.engine, Buffer.concat([liar, Buffer.alloc(8)]));
    expect(believing.engine.keyspace.arena.usedBytes).toBe(before);
  });

  test("idle times and frequencies come back under a policy that cares", () => {
    for (const [policy, command] of [
      ["allkeys-lru", "OBJECT IDLETIME"],
      ["allkeys-lfu", "OBJECT FREQ"],
    ]) {
      const server = testServer();
      const client = server.connect();
      client.line(`CONFIG SET maxmemory-policy ${policy}`);
      client.line("SET key value");
      if (policy === "allkeys-lru") server.advance(100_000);
      const before = client.line(`${command} key`);
      const bytes = rdbBytes(server.engine);
      const other = testServer();
      const loaded = other.connect();
      loaded.line(`CONFIG SET maxmemory-policy ${policy}`);
      loadRdb(other.engine, bytes);
      expect(loaded.line(`${command} key`)).toBe(before);
    }
  });

  test("every encoding comes back, and the times to live of fields", () => {
    const server = testServer();
    const client = server.connect();
    const many = (count: number, of: (i: number) => string): string[] => Array.from({ length: count }, (_, i) => of(i));
    client.send("SET", "int", "12345678901");
    client.send("SET", "text", "x".repeat(500_000));
    client.send("RPUSH", "list", "a", "1", "b");
    client.send("RPUSH", "quicklist", ...many(3000, (i) => `element ${i}`), "x".repeat(20_000));
    client.send("SADD", "intset", "1", "70000", "-5000000000");
    client.send("SADD", "set", "a", "b", "1");
    client.send("SADD", "table", ...many(2000, (i) => `member ${i}`));
    client.send("HSET", "hash", "f", "v", "g", "1");
    client.send("HSET", "fields", ...many(2000, (i) => `value ${i}`));
    client.send("HSET", "times", "f", "v", "g", "1");
    client.send("HPEXPIREAT", "times", "1900000000000", "FIELDS", "1", "g");
    client.send("HSET", "tabletimes", ...many(2000, (i) => `value ${i}`));
    client.send("HPEXPIREAT", "tabletimes", "1900000000001", "FIELDS", "1", "value 8");
    client.send("ZADD", "sorted", "1", "a", "inf", "b", "-2.5", "c");
    client.send("ZADD", "tree", ...many(2000, (i) => String(i * 1.5)));
    client.send("XADD", "stream", "1-1", "f", "v");
    const other = testServer();
    expect(loadRdb(other.engine, rdbBytes(server.engine)).state).toBe("done");
    const loaded = other.connect();
    expect(fullPicture(other.engine)).toEqual(fullPicture(server.engine));
    for (const key of client.line("KEYS *").matchAll(/\d+\) (\w+)/g))
      expect(loaded.line(`OBJECT ENCODING ${key[1]}`)).toBe(client.line(`OBJECT ENCODING ${key[1]}`));
    for (const [hash, field] of [
      ["times", "g"],
      ["times", "f"],
      ["tabletimes", "value 8"],
      ["tabletimes", "value 10"],
    ])
      expect(loaded.send("HPEXPIRETIME", hash, "FIELDS", "1", field)).toEqual(
        client.send("HPEXPIRETIME", hash, "FIELDS", "1", field),
      );
    // The index of fields that expire knows of the loaded hashes.
    expect(other.engine.keyspace.databases[0].hashExpiry.size).toBe(2);
  });

  test("a small file that is cut or changed anywhere is refused, or loads, but never breaks anything", () => {
    const server = testServer();
    const client = server.connect();
    client.line("RPUSH list a b c 1");
    client.line("HSET hash f v");
    client.line("SADD numbers 1 2 3");
    client.line("SADD words a b");
    client.line("ZADD sorted 1 a 2.5 b");
    client.line("XADD stream 1-1 f v");
    client.line("XGROUP CREATE stream g 0");
    client.line("XREADGROUP GROUP g c STREAMS stream >");
    client.line("SET string value PX 100000");
    const bytes = rdbBytes(server.engine);
    const other = testServer();
    for (let length = 0; length < bytes.length; length++) {
      other.engine.keyspace.flush(-1, false);
      expect(loadRdb(other.engine, bytes.subarray(0, length)).state).toBe("failed");
    }
    other.connect().line("CONFIG SET sanitize-dump-payload yes");
    for (let i = 0; i < bytes.length; i++) {
      other.engine.keyspace.flush(-1, false);
      const changed = Buffer.from(bytes);
      changed[i] ^= 1 << (i & 7);
      expect(["done", "failed"]).toContain(loadRdb(other.engine, changed).state);
    }
  });
});
