/** Expiry as dialogues: EXPIRE and its relatives, TTL and its relatives, PERSIST, and what becomes of a key whose time has come. */
import { describe, expect, test } from "bun:test";
import { Cron } from "../../src/engine/cron.ts";
import { ExpiryMode } from "../../src/keyspace/key-rules.ts";
import { START_MS, type TestServer, testServer, transcript } from "../support/engine.ts";
import { CollectingSink } from "../support/sink.ts";

/** Plays a dialogue and returns what was propagated meanwhile. */
function propagated(text: string, server: TestServer = testServer()): string[] {
  const sink = new CollectingSink();
  server.engine.sinks.push(sink);
  transcript(text, server);
  return sink.take();
}

describe("times", () => {
  test("are set and read in seconds and milliseconds, relative and absolute", () => {
    transcript(`
      > SET k v
      OK
      > EXPIRE k 100
      (integer) 1
      > TTL k
      (integer) 100
      > PTTL k
      (integer) 100000
      > EXPIRETIME k
      (integer) ${START_MS / 1000 + 100}
      > PEXPIRETIME k
      (integer) ${START_MS + 100_000}
      > PEXPIRE k 1500
      (integer) 1
      > TTL k
      (integer) 2
      ~ advance 1ms
      > TTL k
      (integer) 1
      > EXPIREAT k ${START_MS / 1000 + 50}
      (integer) 1
      > PEXPIRETIME k
      (integer) ${START_MS + 50_000}
      > PEXPIREAT k ${START_MS + 12_345}
      (integer) 1
      > PEXPIRETIME k
      (integer) ${START_MS + 12_345}`);
  });

  test("without expiry, without key", () => {
    for (const name of ["TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME"]) {
      transcript(`> SET k v\nOK\n> ${name} k\n(integer) -1\n> ${name} none\n(integer) -2`);
    }
  });

  test("beyond 2^53 are exact", () => {
    transcript(`
      > SET k v
      OK
      > PEXPIREAT k 9223372036854770000
      (integer) 1
      > PEXPIRETIME k
      (integer) 9223372036854770000
      > EXPIRETIME k
      (integer) 9223372036854770
      > PTTL k
      (integer) ${9223372036854770000n - BigInt(START_MS)}
      > EXPIREAT k 9223372036854775
      (integer) 1
      > PEXPIRETIME k
      (integer) 9223372036854775000
      > PEXPIREAT k 9223372036854775001 GT
      (integer) 1
      > PEXPIREAT k 9223372036854775001 GT
      (integer) 0
      > PEXPIREAT k 9223372036854775000 LT
      (integer) 1
      > PEXPIREAT k 9223372036854775000 LT
      (integer) 0
      > PEXPIREAT k 9007199254740991 LT
      (integer) 1
      > PEXPIREAT k 9007199254740993 GT
      (integer) 1
      > PEXPIRETIME k
      (integer) 9007199254740993`);
  });

  test("that overflow are refused, and nothing changes", () => {
    const refused: [string, string][] = [
      ["EXPIRE", "9223370399119966"],
      ["EXPIRE", "9223372036854776"],
      ["EXPIRE", "-9223372036854776"],
      ["EXPIRE", "10000000000000000"],
      ["EXPIREAT", "9223372036854776"],
      ["EXPIREAT", "-9999999999999999"],
      ["PEXPIRE", "9223372036854770000"],
    ];
    for (const [name, time] of refused) {
      transcript(`
        > SET k v
        OK
        > ${name} k ${time}
        (error) ERR invalid expire time in '${name.toLowerCase()}' command
        > TTL k
        (integer) -1`);
    }
    for (const time of ["x", "", "1.5", "9223372036854775808", " 1"]) {
      transcript(`> SET k v\nOK\n> EXPIRE k "${time}"\n(error) ERR value is not an integer or out of range`);
    }
  });

  test("that have passed delete the key at once, however far back", () => {
    for (const command of [
      "EXPIRE k 0",
      "EXPIRE k -1",
      "PEXPIRE k -9223372036854770000",
      "EXPIREAT k 1",
      `PEXPIREAT k ${START_MS}`,
      "EXPIREAT k -9223372036854775",
      "PEXPIREAT k -9223372036854775808",
    ]) {
      transcript(`> SET k v PX 100\nOK\n> ${command}\n(integer) 1\n> EXISTS k\n(integer) 0\n> DBSIZE\n(integer) 0`);
    }
  });

  test("that have passed are kept where somebody else decides about expiry", () => {
    const server = testServer();
    server.engine.keyspace.expiryMode = ExpiryMode.Ignore;
    transcript(
      `
      > SET k v
      OK
      > EXPIRE k -10
      (integer) 1
      > GET k
      v
      > PTTL k
      (integer) 0`,
      server,
    );
  });
});

describe("conditions", () => {
  test("NX, XX, GT, LT", () => {
    transcript(`
      > SET k v
      OK
      > EXPIRE k 100 XX
      (integer) 0
      > EXPIRE k 100 GT
      (integer) 0
      > EXPIRE k 100 xx lt
      (integer) 0
      > EXPIRE k 100 NX
      (integer) 1
      > EXPIRE k 200 NX
      (integer) 0
      > EXPIRE k 100 GT
      (integer) 0
      > EXPIRE k 200 GT XX
      (integer) 1
      > EXPIRE k 200 LT
      (integer) 0
      > EXPIRE k 150 LT LT
      (integer) 1
      > TTL k
      (integer) 150
      > PERSIST k
      (integer) 1
      > EXPIRE k 70 lt
      (integer) 1
      > EXPIRE k -1 GT
      (integer) 0
      > EXPIRE k -1 LT
      (integer) 1
      > EXISTS k
      (integer) 0
      > EXPIRE k 10 NX
      (integer) 0`);
  });

  test("that exclude each other or are unknown are named before anything else is looked at", () => {
    transcript(`
      > EXPIRE none x NX XX
      (error) ERR NX and XX, GT or LT options at the same time are not compatible
      > EXPIRE none 1 GT NX
      (error) ERR NX and XX, GT or LT options at the same time are not compatible
      > EXPIRE none 1 LT GT
      (error) ERR GT and LT options at the same time are not compatible
      > EXPIRE none x AB
      (error) ERR Unsupported option AB
      > EXPIRE none 1 "A\\x00B"
      (error) ERR Unsupported option A
      > EXPIRE none x
      (error) ERR value is not an integer or out of range
      > PEXPIREAT none 1
      (integer) 0`);
  });
});

describe("PERSIST", () => {
  test("takes an expiry away", () => {
    transcript(`
      > SET k v PX 10
      OK
      > PERSIST k
      (integer) 1
      > PERSIST k
      (integer) 0
      > PERSIST none
      (integer) 0
      ~ advance 1s
      > GET k
      v`);
  });
});

describe("propagation", () => {
  test("relative times become absolute ones; conditions stay", () => {
    const commands = propagated(`
      > SET k v
      OK
      > EXPIRE k 100
      (integer) 1
      > pexpire k 200000 GT
      (integer) 1
      > EXPIREAT k ${START_MS / 1000 + 300}
      (integer) 1
      > PExpireAt k ${START_MS + 400_000} xx
      (integer) 1
      > EXPIRE k 1 GT
      (integer) 0
      > PERSIST k
      (integer) 1
      > PERSIST k
      (integer) 0`);
    expect(commands).toEqual([
      "0> SET k v",
      `0> PEXPIREAT k ${START_MS + 100_000}`,
      `0> PEXPIREAT k ${START_MS + 200_000} GT`,
      `0> PEXPIREAT k ${START_MS + 300_000}`,
      `0> PExpireAt k ${START_MS + 400_000} xx`,
      "0> PERSIST k",
    ]);
  });

  test("a time that has passed is a deletion", () => {
    for (const [personality, deletion] of [
      ["redis", "DEL"],
      ["valkey", "UNLINK"],
    ] as const) {
      const commands = propagated("> SET k v\nOK\n> EXPIRE k -1\n(integer) 1", testServer({ personality }));
      expect(commands).toEqual(["0> SET k v", `0> ${deletion} k`]);
    }
  });

  test("an expired key is deleted ahead of the command that met it, in its database", () => {
    const commands = propagated(`
      > SELECT 2
      OK
      > SET k v PX 1
      OK
      ~ advance 2ms
      > GET k
      (nil)
      > SET k v PX 1
      OK
      ~ advance 2ms
      > APPEND k x
      (integer) 1`);
    expect(commands).toEqual([
      `2> SET k v PXAT ${START_MS + 1}`,
      "2> DEL k",
      `2> SET k v PXAT ${START_MS + 3}`,
      "-> MULTI",
      "2> DEL k",
      "2> APPEND k x",
      "-> EXEC",
    ]);
  });

  test("the setting decides, not the personality", () => {
    const commands = propagated(`
      > CONFIG SET lazyfree-lazy-expire yes
      OK
      > SET k v PX 1
      OK
      ~ advance 2ms
      > EXISTS k
      (integer) 0`);
    expect(commands).toEqual([`0> SET k v PXAT ${START_MS + 1}`, "0> UNLINK k"]);
  });
});

describe("events", () => {
  /** Events of a dialogue, as "event key". */
  function eventsOf(text: string, flags = "KEA"): string[] {
    const server = testServer();
    const listener = server.connect();
    server.connect().send("CONFIG", "SET", "notify-keyspace-events", flags);
    listener.send("PSUBSCRIBE", "__keyevent*");
    transcript(text, server);
    return listener.pushed().map((push) => {
      if (push.kind !== "array") throw new Error(push.kind);
      const [, , channel, key] = push.items.map((item) => (item.kind === "bulk" ? item.text : ""));
      return `${channel.replace("__keyevent", "").replace("__:", " ")} ${key}`;
    });
  }

  test("of every command that has some", () => {
    expect(
      eventsOf(`
        > SET a 1
        OK
        > EXPIRE a 100
        (integer) 1
        > PERSIST a
        (integer) 1
        > RENAME a b
        OK
        > COPY b c DB 1
        (integer) 1
        > MOVE b 2
        (integer) 1
        > SET d 1
        OK
        > UNLINK d
        (integer) 1
        > SET e 1
        OK
        > EXPIRE e -1
        (integer) 1`),
    ).toEqual([
      "@0 set a",
      "@0 expire a",
      "@0 persist a",
      "@0 rename_from a",
      "@0 rename_to b",
      "@1 copy_to c",
      "@0 move_from b",
      "@2 move_to b",
      "@0 set d",
      "@0 del d",
      "@0 set e",
      "@0 del e",
    ]);
  });

  test("a new key is announced when somebody asks for it", () => {
    expect(
      eventsOf(
        `
        > SET a 1
        OK
        > RENAME a b
        OK
        > COPY b c
        (integer) 1
        > MOVE b 1
        (integer) 1`,
        "En",
      ),
    ).toEqual(["@0 new a", "@0 new b", "@0 new c", "@1 new b"]);
  });

  test("an expired key is told before what the command did", () => {
    expect(eventsOf("> SET k v PX 1\nOK\n~ advance 2ms\n> APPEND k x\n(integer) 1")).toEqual([
      "@0 set k",
      "@0 expire k",
      "@0 expired k",
      "@0 append k",
    ]);
  });
});

describe("the cron", () => {
  function expiring(count: number): { server: TestServer; cron: Cron } {
    const server = testServer();
    const client = server.connect();
    for (let i = 0; i < count; i++) client.send("SET", `k${i}`, "v", "PX", 10);
    client.send("SET", "stays", "v");
    return { server, cron: new Cron(server.engine) };
  }

  test("deletes expired keys that nobody asks for, propagates and tells", () => {
    const { server, cron } = expiring(3);
    const sink = new CollectingSink();
    server.engine.sinks.push(sink);
    cron.run();
    expect(server.engine.keyspace.databases[0].size).toBe(4);
    server.advance(11);
    cron.run();
    expect(server.engine.keyspace.databases[0].size).toBe(1);
    expect(sink.take().sort()).toEqual(["0> DEL k0", "0> DEL k1", "0> DEL k2"]);
    expect(server.engine.keyspace.expiredKeys).toBe(3);
  });

  test("does not while DEBUG SET-ACTIVE-EXPIRE or PAUSE-CRON forbids it", () => {
    const { server, cron } = expiring(3);
    const { databases } = server.engine.keyspace;
    server.engine.debug.activeExpire = false;
    server.advance(11);
    cron.run();
    expect(databases[0].size).toBe(4);
    server.engine.debug.activeExpire = true;
    server.engine.debug.cronPaused = true;
    cron.run();
    expect(cron.runSlice()).toBe(false);
    expect(databases[0].size).toBe(4);
    server.engine.debug.cronPaused = false;
    cron.run();
    expect(databases[0].size).toBe(1);
  });

  test("touches transactions: a watched key that expires after WATCH fails EXEC, one that had expired before does not", () => {
    for (const [advanceMs, reply] of [
      [0, "(nil)"],
      [11, "1) PONG"],
    ] as const) {
      const { server, cron } = expiring(1);
      const client = server.connect();
      server.advance(advanceMs);
      client.send("WATCH", "k0");
      server.advance(11);
      cron.run();
      expect(client.line("MULTI")).toBe("OK");
      client.send("PING");
      expect(client.line("EXEC")).toBe(reply);
    }
  });

  test("moves keys of tables that grow, and shrinks what has become empty", () => {
    const server = testServer();
    const client = server.connect();
    const cron = new Cron(server.engine);
    for (let i = 0; i < 1000; i++) client.send("SET", `k${i}`, "v");
    const [db] = server.engine.keyspace.databases;
    for (let i = 0; i < 100; i++) cron.run();
    expect(db.rehash(1)).toBe(false);
  });

  test("runs more often for many clients, unless that is not wanted", () => {
    const server = testServer();
    const cron = new Cron(server.engine);
    expect(cron.hz).toBe(10);
    for (let i = 0; i < 4500; i++) server.engine.connect(server.connect().client.link);
    expect(cron.hz).toBe(80);
    server.connect().send("CONFIG", "SET", "dynamic-hz", "no");
    expect(cron.hz).toBe(10);
    server.connect().send("CONFIG", "SET", "hz", "100");
    expect(cron.hz).toBe(100);
  });

  test("calls those who asked, and keeps the access clock", () => {
    const server = testServer();
    const cron = new Cron(server.engine);
    let calls = 0;
    cron.onRun(() => calls++);
    server.clock.advanceMs(5000);
    cron.run();
    expect(calls).toBe(1);
    expect(server.engine.keyspace.accessClock).toBe(Math.floor((START_MS + 5000) / 1000) & 0xffffff);
  });
});
