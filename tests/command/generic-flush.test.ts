/** Whole databases as dialogues: FLUSHDB, FLUSHALL, SWAPDB, DBSIZE; freeing in the background. */
import { describe, expect, test } from "bun:test";
import { Cron } from "../../src/engine/cron.ts";
import { testServer, transcript } from "../support/engine.ts";
import { CollectingSink } from "../support/sink.ts";

describe("FLUSHDB and FLUSHALL", () => {
  test("empty one database, or all", () => {
    transcript(`
      > MSET a 1 b 2
      OK
      2> SELECT 1
      OK
      2> SET c 3 EX 100
      OK
      > FLUSHDB
      OK
      > DBSIZE
      (integer) 0
      2> DBSIZE
      (integer) 1
      > SET a 1
      OK
      > FLUSHALL async
      OK
      2> DBSIZE
      (integer) 0
      > DBSIZE
      (integer) 0
      > FLUSHALL SYNC
      OK
      > SET a 1
      OK
      > GET a
      1`);
  });

  test("know SYNC and ASYNC, one of them", () => {
    for (const wrong of ["FLUSHALL frob", "FLUSHDB SYNC ASYNC", "FLUSHDB ASYNC x"]) {
      transcript(`> SET a 1\nOK\n> ${wrong}\n(error) ERR syntax error\n> DBSIZE\n(integer) 1`);
    }
  });

  test("are propagated even when there is nothing to delete; every key deleted counts as a change", () => {
    const server = testServer();
    const sink = new CollectingSink();
    server.engine.sinks.push(sink);
    transcript("> MSET a 1 b 2\nOK\n> FLUSHDB\nOK\n> flushall async\nOK", server);
    expect(sink.take()).toEqual(["0> MSET a 1 b 2", "0> FLUSHDB", "0> flushall async"]);
    expect(server.engine.dirty).toBe(4);
  });

  test("touch watched keys that exist, and no others", () => {
    for (const [key, reply] of [
      ["a", "(nil)"],
      ["none", "(empty array)"],
    ]) {
      for (const flush of ["FLUSHDB", "FLUSHALL"]) {
        transcript(`
          > SET a 1
          OK
          > WATCH ${key}
          OK
          2> ${flush}
          OK
          > MULTI
          OK
          > EXEC
          ${reply}`);
      }
    }
  });

  test("free in the background what others must wait for otherwise", () => {
    const server = testServer();
    const client = server.connect();
    const { keyspace } = server.engine;
    client.send("DEBUG", "POPULATE", 1);
    for (let i = 0; i < 3000; i++) client.send("SET", `k${i}`, "v", "EX", 100);
    const other = server.connect();
    other.send("SELECT", 1);
    other.send("SET", "k", "v");
    const used = keyspace.arena.usedBytes;
    client.send("FLUSHDB", "ASYNC");
    expect(keyspace.arena.usedBytes).toBeGreaterThanOrEqual(used);
    expect(keyspace.lazyFree.pendingObjects).toBe(3000);
    const cron = new Cron(server.engine);
    cron.run();
    while (cron.runSlice());
    expect(keyspace.lazyFree.pendingObjects).toBe(0);
    expect(keyspace.lazyFree.freedObjects).toBe(3000);
    expect(keyspace.arena.usedBytes).toBeLessThan(used / 10);
    keyspace.arena.check();
    expect(other.line("GET k")).toBe("v");
  });

  test("follow lazyfree-lazy-user-flush without an option", () => {
    for (const setting of ["yes", "no"]) {
      const server = testServer();
      transcript(
        `
        > CONFIG SET lazyfree-lazy-user-flush ${setting}
        OK
        2> SELECT 1
        OK
        2> SET k v
        OK
        > SET k v
        OK
        > FLUSHDB
        OK`,
        server,
      );
      expect(server.engine.keyspace.lazyFree.pendingObjects).toBe(setting === "yes" ? 1 : 0);
    }
  });
});

describe("SWAPDB", () => {
  test("exchanges content; clients stay in their database", () => {
    transcript(`
      > SET a 1
      OK
      2> SELECT 1
      OK
      2> SET b 2 EX 100
      OK
      > SWAPDB 0 1
      OK
      > GET b
      2
      > TTL b
      (integer) 100
      2> GET a
      1
      2> DBSIZE
      (integer) 1
      > SWAPDB 1 1
      OK
      2> GET a
      1`);
  });

  test("errors", () => {
    transcript(`
      > SWAPDB a 1
      (error) ERR invalid first DB index
      > SWAPDB 0 b
      (error) ERR invalid second DB index
      > SWAPDB 99 b
      (error) ERR invalid second DB index
      > SWAPDB 44 55
      (error) ERR DB index is out of range
      > SWAPDB -1 0
      (error) ERR DB index is out of range
      > SWAPDB 0 9999999999
      (error) ERR invalid second DB index`);
  });

  test("touches watched keys on either side", () => {
    for (const key of ["here", "there"]) {
      transcript(`
        > SET here 1
        OK
        2> SELECT 1
        OK
        2> SET there 1
        OK
        > WATCH ${key}
        OK
        2> SWAPDB 0 1
        OK
        > MULTI
        OK
        > EXEC
        (nil)`);
    }
  });
});

describe("DEL", () => {
  test("of a huge value frees it in steps, and nobody hears of it", () => {
    const server = testServer();
    const client = server.connect();
    const { keyspace } = server.engine;
    client.send("SET", "other", "x");
    const empty = keyspace.arena.usedBytes;
    const members = Array.from({ length: 1000 }, (_, i) => `member:${i}`);
    for (let batch = 0; batch < 40; batch++) client.send("SADD", "s", ...members.map((member) => `${member}:${batch}`));
    const used = keyspace.arena.usedBytes;
    client.send("DEL", "s");
    expect(client.line("EXISTS s")).toBe("(integer) 0");
    expect(keyspace.arena.usedBytes).toBeGreaterThan(used * 0.9);
    expect(keyspace.lazyFree.pendingObjects).toBe(0);
    const cron = new Cron(server.engine);
    cron.run();
    while (cron.runSlice());
    expect(keyspace.lazyFree.idle).toBe(true);
    expect(keyspace.lazyFree.freedObjects).toBe(0);
    expect(keyspace.arena.usedBytes).toBeLessThan(empty + 4096);
    keyspace.arena.check();
  });

  test("of a value that is not huge frees it at once", () => {
    const server = testServer();
    const client = server.connect();
    const { keyspace } = server.engine;
    client.send("SADD", "s", ...Array.from({ length: 5000 }, (_, i) => `member:${i}`));
    const used = keyspace.arena.usedBytes;
    client.send("DEL", "s");
    expect(keyspace.lazyFree.idle).toBe(true);
    expect(keyspace.arena.usedBytes).toBeLessThan(used / 10);
  });
});
