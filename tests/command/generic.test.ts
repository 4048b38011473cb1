/** Commands on keys of any type as dialogues: DEL and relatives, RENAME, MOVE, COPY, SCAN, KEYS, OBJECT, RANDOMKEY. */
import { describe, expect, test } from "bun:test";
import { ExpiryMode } from "../../src/keyspace/key-rules.ts";
import { type TestServer, testServer, transcript } from "../support/engine.ts";
import { CollectingSink } from "../support/sink.ts";

/** Sets keys of the first database. */
function withKeys(count: number, prefix = "key:"): TestServer {
  const server = testServer();
  const client = server.connect();
  for (let i = 0; i < count; i++) client.send("SET", `${prefix}${i}`, "v");
  return server;
}

/** Plays a dialogue and returns what was propagated meanwhile. */
function propagated(text: string, server = testServer()): string[] {
  const sink = new CollectingSink();
  server.engine.sinks.push(sink);
  transcript(text, server);
  return sink.take();
}

describe("DEL, UNLINK, EXISTS, TYPE, TOUCH", () => {
  test("count keys, the same one as often as it is named", () => {
    transcript(`
      > MSET a 1 b 2 c 3
      OK
      > EXISTS a a none b
      (integer) 3
      > TOUCH a none a
      (integer) 2
      > TYPE a
      string
      > TYPE none
      none
      > DEL a a none
      (integer) 1
      > UNLINK b b c
      (integer) 2
      > DBSIZE
      (integer) 0`);
  });

  test("an expired key is no key", () => {
    transcript(`
      > SET k v PX 10
      OK
      ~ advance 11ms
      > DEL k
      (integer) 0
      > SET k v PX 10
      OK
      ~ advance 11ms
      > EXISTS k
      (integer) 0
      > SET k v PX 10
      OK
      ~ advance 11ms
      > TYPE k
      none`);
  });

  test("where expired keys are only hidden, DEL deletes them", () => {
    const server = testServer();
    transcript("> SET k v PX 10\nOK\n~ advance 11ms", server);
    server.engine.keyspace.expiryMode = ExpiryMode.Hide;
    transcript("> EXISTS k\n(integer) 0\n> DBSIZE\n(integer) 1\n> DEL k\n(integer) 1\n> DBSIZE\n(integer) 0", server);
  });

  test("are propagated as they are, and only when they delete something", () => {
    expect(propagated("> SET k v\nOK\n> DEL none\n(integer) 0\n> UNLINK k none\n(integer) 1")).toEqual([
      "0> SET k v",
      "0> UNLINK k none",
    ]);
  });

  test("TOUCH renews the access time, EXISTS does not", () => {
    transcript(`
      > SET k v
      OK
      ~ advance 10s
      > EXISTS k
      (integer) 1
      > TTL k
      (integer) -1
      > OBJECT IDLETIME k
      (integer) 10
      > TOUCH k
      (integer) 1
      > OBJECT IDLETIME k
      (integer) 0`);
  });

  test("TOUCH and a client that does not touch: in Redis it does, in Valkey it does not", () => {
    for (const [personality, idle] of [
      ["redis", 0],
      ["valkey", 10],
    ] as const) {
      transcript(
        `
        > SET k v
        OK
        > CLIENT NO-TOUCH on
        OK
        ~ advance 10s
        > GET k
        v
        > OBJECT IDLETIME k
        (integer) 10
        > TOUCH k
        (integer) 1
        > OBJECT IDLETIME k
        (integer) ${idle}`,
        testServer({ personality }),
      );
    }
  });
});

describe("RENAME and RENAMENX", () => {
  test("carry value and expiry, and replace what was there with its expiry", () => {
    transcript(`
      > SET a 1 PX 50000
      OK
      > SET b 2 PX 10
      OK
      > RENAME a b
      OK
      > GET a
      (nil)
      > GET b
      1
      > PTTL b
      (integer) 50000
      > SET c 3
      OK
      > RENAME c b
      OK
      > TTL b
      (integer) -1
      > RENAMENX b b
      (integer) 0
      > SET d 4
      OK
      > RENAMENX b d
      (integer) 0
      > DEL d
      (integer) 1
      > RENAMENX b d
      (integer) 1
      > GET d
      3
      > DBSIZE
      (integer) 1`);
  });

  test("an expired target is none", () => {
    transcript(`
      > SET a 1
      OK
      > SET b 2 PX 5
      OK
      ~ advance 6ms
      > RENAMENX a b
      (integer) 1
      > TTL b
      (integer) -1`);
  });

  test("a missing source is an error even when both names are the same", () => {
    transcript(`
      > RENAME none none
      (error) ERR no such key
      > RENAMENX none other
      (error) ERR no such key
      > SET k v
      OK
      > RENAME k k
      OK`);
  });

  test("values of all sizes keep their bytes and encodings", () => {
    const server = testServer();
    const client = server.connect();
    for (const value of ["", "7", "-9223372036854775808", "x".repeat(44), "x".repeat(45), "x".repeat(300_000)]) {
      client.send("SET", "a", value);
      const encoding = client.line("OBJECT ENCODING a");
      client.send("RENAME", "a", `${"long ".repeat(20_000)}name`);
      expect(client.line("EXISTS a")).toBe("(integer) 0");
      client.send("RENAME", `${"long ".repeat(20_000)}name`, "b");
      expect(client.line("GET b")).toBe(value);
      expect(client.line("OBJECT ENCODING b")).toBe(encoding);
      expect(client.line("COPY b c REPLACE")).toBe("(integer) 1");
      client.send("APPEND", "b", "!");
      expect(client.line("GET c")).toBe(value);
      server.engine.keyspace.arena.check();
    }
  });

  test("count as one change", () => {
    const server = withKeys(1);
    const before = server.engine.dirty;
    server.connect().send("RENAME", "key:0", "other");
    expect(server.engine.dirty).toBe(before + 1);
  });
});

describe("MOVE and COPY", () => {
  test("MOVE takes value and expiry along unless the key is there", () => {
    transcript(`
      > SET k v PX 5000
      OK
      > MOVE k 1
      (integer) 1
      > MOVE k 1
      (integer) 0
      > SET k w
      OK
      > MOVE k 1
      (integer) 0
      > SELECT 1
      OK
      > GET k
      v
      > PTTL k
      (integer) 5000
      > SELECT 0
      OK
      > GET k
      w`);
  });

  test("an expired key in the target database is none", () => {
    transcript(`
      2> SELECT 1
      OK
      2> SET k old PX 5
      OK
      > SET k new
      OK
      ~ advance 6ms
      > MOVE k 1
      (integer) 1
      2> GET k
      new`);
  });

  test("COPY makes an independent value, with the expiry, in any database", () => {
    transcript(`
      > SET a 1 PX 5000
      OK
      > COPY a b
      (integer) 1
      > INCR a
      (integer) 2
      > GET b
      1
      > PTTL b
      (integer) 5000
      > COPY a b
      (integer) 0
      > COPY a b replace
      (integer) 1
      > GET b
      2
      > COPY a a DB 3
      (integer) 1
      > COPY none b REPLACE
      (integer) 0
      > GET b
      2
      > SELECT 3
      OK
      > GET a
      2`);
  });

  test("errors", () => {
    transcript(`
      > SET a 1
      OK
      > MOVE a 0
      (error) ERR source and destination objects are the same
      > MOVE a 16
      (error) ERR DB index is out of range
      > MOVE a -1
      (error) ERR DB index is out of range
      > MOVE a x
      (error) ERR value is not an integer or out of range
      > MOVE a 2147483648
      (error) ERR value is out of range, value must between -2147483648 and 2147483647
      > COPY a a
      (error) ERR source and destination objects are the same
      > COPY a b DB
      (error) ERR syntax error
      > COPY a b DB 99
      (error) ERR DB index is out of range
      > COPY a b DB 9223372036854775808
      (error) ERR value is not an integer or out of range
      > COPY a b REPLACE nonsense
      (error) ERR syntax error
      > DBSIZE
      (integer) 1`);
  });

  test("are propagated as they are, and only when they change something", () => {
    expect(
      propagated("> SET a 1\nOK\n> COPY a b\n(integer) 1\n> MOVE a 1\n(integer) 1\n> COPY a b\n(integer) 0"),
    ).toEqual(["0> SET a 1", "0> COPY a b", "0> MOVE a 1"]);
  });
});

describe("SCAN", () => {
  /** All keys of a complete iteration, each reply's keys in one list. */
  function iterate(server: TestServer, between: () => void, ...options: (string | number)[]): string[] {
    const client = server.connect();
    const keys: string[] = [];
    let cursor = "0";
    do {
      const lines = client.line(["SCAN", cursor, ...options].join(" ")).split("\n");
      cursor = lines[0].replace("1) ", "");
      for (const line of lines.slice(1)) {
        const key = /^(?:2\) )?\s*\d+\) (.*)$/.exec(line);
        if (key !== null && key[1] !== "(empty array)") keys.push(key[1]);
      }
      between();
    } while (cursor !== "0");
    return keys;
  }

  test("returns every key once while nothing changes", () => {
    const server = withKeys(1000);
    for (const options of [[], ["COUNT", 5], ["COUNT", 100000], ["TYPE", "string"], ["MATCH", "*"]]) {
      const keys = iterate(server, () => {}, ...options);
      expect(keys.length).toBe(1000);
      expect(new Set(keys).size).toBe(1000);
    }
    expect(iterate(server, () => {}, "MATCH", "key:1??").length).toBe(100);
    expect(iterate(server, () => {}, "TYPE", "LIST", "COUNT", 7)).toEqual([]);
  });

  test("asks for about as many keys as COUNT says", () => {
    const client = withKeys(5000).connect();
    const reply = client.send("SCAN", 0, "COUNT", 100);
    if (reply.kind !== "array" || reply.items[1].kind !== "array") throw new Error("not an array");
    expect(reply.items[1].items.length).toBeGreaterThanOrEqual(100);
    expect(reply.items[1].items.length).toBeLessThan(140);
  });

  test("returns all keys that stay, while others come and go", () => {
    const server = withKeys(300);
    const other = server.connect();
    let added = 0;
    const keys = iterate(server, () => {
      for (let i = 0; i < 40; i++) other.send("SET", `added:${added++}`, "v");
      for (let i = 100; i < 300; i += 1 + (added % 3)) if (i % 2 === 1) other.send("DEL", `key:${i}`);
    });
    for (let i = 0; i < 300; i++) if (i < 100 || i % 2 === 0) expect(keys).toContain(`key:${i}`);
  });

  test("deletes expired keys that it meets and would have returned", () => {
    const server = testServer();
    const sink = new CollectingSink();
    transcript(
      `
      > SET live v
      OK
      > SET one v PX 1
      OK
      > SET two v PX 1
      OK
      ~ advance 2ms`,
      server,
    );
    server.engine.sinks.push(sink);
    transcript(
      `
      > SCAN 0 MATCH t*
      1) 0
      2) (empty array)
      > DBSIZE
      (integer) 2
      > SCAN 0
      1) 0
      2)    1) live
      > DBSIZE
      (integer) 1`,
      server,
    );
    expect(sink.take()).toEqual(["0> DEL two", "0> DEL one"]);
    expect(server.engine.keyspace.expiredKeys).toBe(2);
  });

  test("cursors and options that are wrong", () => {
    transcript(`
      > SCAN x
      (error) ERR invalid cursor
      > SCAN -1
      (error) ERR invalid cursor
      > SCAN 18446744073709551616
      (error) ERR invalid cursor
      > SCAN 18446744073709551615
      1) 0
      2) (empty array)
      > SCAN 00
      1) 0
      2) (empty array)
      > SCAN ""
      (error) ERR invalid cursor
      > SCAN 1x
      (error) ERR invalid cursor
      > SCAN 0 COUNT 0
      (error) ERR syntax error
      > SCAN 0 COUNT -9223372036854775808
      (error) ERR syntax error
      > SCAN 0 COUNT 9223372036854775807
      1) 0
      2) (empty array)
      > SCAN 0 COUNT x
      (error) ERR value is not an integer or out of range
      > SCAN 0 COUNT
      (error) ERR syntax error
      > SCAN 0 MATCH
      (error) ERR syntax error
      > SCAN 0 TYPE frob
      (error) ERR unknown type name 'frob'
      > SCAN 0 TYPE module
      (error) ERR unknown type name 'module'
      > SCAN 0 NOVALUES
      (error) ERR NOVALUES option can only be used in HSCAN
      > SCAN 0 noscores
      (error) ERR NOSCORES option can only be used in ZSCAN
      > SCAN x COUNT 0
      (error) ERR invalid cursor`);
  });
});

describe("KEYS and RANDOMKEY", () => {
  test("KEYS matches patterns and leaves expired keys out without deleting them", () => {
    const server = testServer();
    transcript(
      `
      > MSET hello 1 hallo 2 hxllo 3 other 4
      OK
      > KEYS none*
      (empty array)
      > KEYS o*
      1) other
      > PEXPIRE other 1
      (integer) 1
      ~ advance 2ms
      > KEYS o*
      (empty array)
      > DBSIZE
      (integer) 4`,
      server,
    );
    const client = server.connect();
    const sorted = (pattern: string): string =>
      client.line(`KEYS ${pattern}`).replace(/\d\) /g, "").split("\n").sort().join(" ");
    expect(sorted("h?llo")).toBe("hallo hello hxllo");
    expect(sorted("h[ae]llo")).toBe("hallo hello");
    expect(sorted("h[^e]llo")).toBe("hallo hxllo");
    expect(sorted("*")).toBe("hallo hello hxllo");
  });

  test("RANDOMKEY answers keys that live, deletes those that do not, and nil when none is left", () => {
    const server = withKeys(20);
    const client = server.connect();
    const seen = new Set<string>();
    for (let i = 0; i < 500; i++) seen.add(client.line("RANDOMKEY"));
    expect(seen.size).toBe(20);
    for (let i = 0; i < 19; i++) client.send("PEXPIRE", `key:${i}`, 1);
    server.advance(2);
    for (let i = 0; i < 300; i++) expect(client.line("RANDOMKEY")).toBe("key:19");
    expect(client.line("DBSIZE")).toBe("(integer) 1");
    client.send("DEL", "key:19");
    expect(client.line("RANDOMKEY")).toBe("(nil)");
  });

  test("RANDOMKEY ends even when all keys have expired and may not be deleted", () => {
    const server = withKeys(5);
    const client = server.connect();
    for (let i = 0; i < 5; i++) client.send("PEXPIRE", `key:${i}`, 1);
    server.advance(2);
    server.engine.keyspace.expiryMode = ExpiryMode.Hide;
    expect(client.line("RANDOMKEY")).toStartWith("key:");
    expect(client.line("DBSIZE")).toBe("(integer) 5");
  });
});

describe("OBJECT", () => {
  test("encodings and reference counts", () => {
    const server = testServer();
    transcript(
      `
      > MSET small 12 large 10000 negative -1 text abc
      OK
      > OBJECT ENCODING small
      int
      > OBJECT ENCODING text
      embstr
      > OBJECT ENCODING none
      (nil)
      > OBJECT REFCOUNT small
      (integer) 2147483647
      > OBJECT REFCOUNT large
      (integer) 1
      > OBJECT REFCOUNT negative
      (integer) 1
      > OBJECT REFCOUNT text
      (integer) 1
      > CONFIG SET maxmemory 1gb maxmemory-policy allkeys-lru
      OK
      > OBJECT REFCOUNT small
      (integer) 1`,
      server,
    );
  });

  test("idle time or frequency, as the eviction policy has it", () => {
    transcript(`
      > SET k v
      OK
      > OBJECT FREQ k
      (error) ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.
      > OBJECT FREQ none
      (nil)
      ~ advance 3s
      > OBJECT IDLETIME k
      (integer) 3
      > CONFIG SET maxmemory-policy allkeys-lfu
      OK
      > OBJECT IDLETIME k
      (error) ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.
      > SET fresh v
      OK
      > OBJECT FREQ fresh
      (integer) 5
      ~ advance 180s
      > OBJECT FREQ fresh
      (integer) 2`);
  });

  test("errors and help", () => {
    transcript(`
      > OBJECT ENCODING
      (error) ERR wrong number of arguments for 'object|encoding' command
      > OBJECT frob k
      (error) ERR unknown subcommand 'frob'. Try OBJECT HELP.
      > OBJECT
      (error) ERR wrong number of arguments for 'object' command`);
    expect(testServer().connect().line("OBJECT HELP")).toStartWith("1) OBJECT <subcommand>");
  });

  test("looks count as hits and misses, but tell nobody of a miss", () => {
    const server = testServer();
    transcript(
      "> CONFIG SET notify-keyspace-events KEAm\nOK\n2> PSUBSCRIBE *\n1) psubscribe\n2) *\n3) (integer) 1",
      server,
    );
    const { keyspace } = server.engine;
    const watcher = server.connect();
    watcher.send("PSUBSCRIBE", "*");
    const before = keyspace.misses;
    server.connect().send("OBJECT", "ENCODING", "none");
    expect(keyspace.misses).toBe(before + 1);
    expect(watcher.pushed()).toEqual([]);
    server.connect().send("TTL", "none");
    expect(watcher.pushed().length).toBe(2);
  });
});
