// Times to live of hash fields, as dialogues: in a listpack and in a table.

import { describe, expect, test } from "bun:test";
import { Cron } from "../../src/engine/cron.ts";
import { ExpiryMode } from "../../src/keyspace/key-rules.ts";
import { START_MS, type TestServer, testServer, transcript } from "../support/engine.ts";
import { CollectingSink } from "../support/sink.ts";
import { formatReply } from "../support/transcript-reply.ts";

const ENCODINGS = ["listpackex", "hashtable"] as const;

/** A server whose hashes have the encoding once a field expires, and the hash "h" with fields a, b and c. */
function serverFor(encoding: (typeof ENCODINGS)[number]): TestServer {
  const server = testServer();
  const client = server.connect();
  if (encoding === "hashtable") client.line("CONFIG SET hash-max-listpack-entries 0");
  client.line("HSET h a 1 b 2 c 3");
  return server;
}

/** Propagated commands and keyspace events of what happens on a server, one after the other. */
function observed(server: TestServer): { events: () => string[]; propagated: () => string[] } {
  const sink = new CollectingSink();
  server.engine.sinks.push(sink);
  const listener = server.connect();
  listener.line("CONFIG SET notify-keyspace-events EA");
  listener.line("PSUBSCRIBE __keyevent*");
  listener.pushed();
  return {
    events: () =>
      listener.pushed().map((reply) => {
        const [, , channel, key] = formatReply(reply).split("\n");
        return `${channel!.replace(/^.*__:/, "")} ${key!.replace(/^\s*\d+\) /, "")}`;
      }),
    propagated: () => sink.take(),
  };
}

describe.each(ENCODINGS)("%s", (encoding) => {
  test("a field expires, is hidden, and is deleted by whoever looks", () => {
    transcript(
      `
      > HPEXPIRE h 100 FIELDS 2 a x
      1) (integer) 1
      2) (integer) -2
      > OBJECT ENCODING h
      ${encoding}
      > HPTTL h FIELDS 3 a b x
      1) (integer) 100
      2) (integer) -1
      3) (integer) -2
      ~ advance 100ms
      > HGET h a
      1
      ~ advance 1ms
      > HLEN h
      (integer) 3
      > HPTTL h FIELDS 1 a
      1) (integer) -2
      > HGETALL h
      1) b
      2) 2
      3) c
      4) 3
      > HLEN h
      (integer) 3
      > HMGET h a b
      1) (nil)
      2) 2
      > HLEN h
      (integer) 2
      `.replaceAll(/^ *\d\) [bc23]$/gm, (line) => line),
      serverFor(encoding === "hashtable" ? encoding : "listpackex"),
    );
  });

  test("the hash goes with its last field", () => {
    transcript(
      `
      > HPEXPIRE h 100 FIELDS 3 a b c
      1) (integer) 1
      2) (integer) 1
      3) (integer) 1
      ~ advance 101ms
      > EXISTS h
      (integer) 1
      > HGETALL h
      (empty array)
      > HEXISTS h a
      (integer) 0
      > HSTRLEN h b
      (integer) 0
      > HLEN h
      (integer) 1
      > HSCAN h 0
      1) 0
      2) (empty array)
      > HGET h c
      (nil)
      > EXISTS h
      (integer) 0
      `,
      serverFor(encoding),
    );
  });

  test("conditions", () => {
    transcript(
      `
      > HPEXPIRE h 100 XX FIELDS 1 a
      1) (integer) 0
      > HPEXPIRE h 100 GT FIELDS 1 a
      1) (integer) 0
      > HPEXPIRE h 100 LT FIELDS 1 a
      1) (integer) 1
      > HPEXPIRE h 100 NX FIELDS 2 a b
      1) (integer) 0
      2) (integer) 1
      > HPEXPIRE h 200 LT FIELDS 2 a c
      1) (integer) 0
      2) (integer) 1
      > HPEXPIRE h 100 GT FIELDS 2 a c
      1) (integer) 0
      2) (integer) 0
      > HPEXPIRE h 150 GT FIELDS 2 a c
      1) (integer) 1
      2) (integer) 0
      > HPEXPIRE h 300 FIELDS 1 c XX
      1) (integer) 1
      > HPTTL h FIELDS 3 a b c
      1) (integer) 150
      2) (integer) 100
      3) (integer) 300
      > HPERSIST h FIELDS 3 a x a
      1) (integer) 1
      2) (integer) -2
      3) (integer) -1
      > HPTTL h FIELDS 1 a
      1) (integer) -1
      `,
      serverFor(encoding),
    );
  });

  test("times in all units, absolute and relative", () => {
    transcript(
      `
      > HEXPIRE h 10 FIELDS 1 a
      1) (integer) 1
      > HPEXPIREAT h ${START_MS + 1500} FIELDS 1 b
      1) (integer) 1
      > HEXPIREAT h ${START_MS / 1000 + 7} FIELDS 1 c
      1) (integer) 1
      > HTTL h FIELDS 3 a b c
      1) (integer) 10
      2) (integer) 2
      3) (integer) 7
      > HPTTL h FIELDS 3 a b c
      1) (integer) 10000
      2) (integer) 1500
      3) (integer) 7000
      > HEXPIRETIME h FIELDS 3 a b c
      1) (integer) ${START_MS / 1000 + 10}
      2) (integer) ${START_MS / 1000 + 2}
      3) (integer) ${START_MS / 1000 + 7}
      > HPEXPIRETIME h FIELDS 3 a b c
      1) (integer) ${START_MS + 10_000}
      2) (integer) ${START_MS + 1500}
      3) (integer) ${START_MS + 7000}
      > HPEXPIREAT h 70368744177663 FIELDS 1 a
      1) (integer) 1
      > HPEXPIRETIME h FIELDS 1 a
      1) (integer) 70368744177663
      `,
      serverFor(encoding),
    );
  });

  test("a past time deletes", () => {
    transcript(
      `
      > HPEXPIREAT h 1 FIELDS 3 a x b
      1) (integer) 2
      2) (integer) -2
      3) (integer) 2
      > HEXPIRE h 0 FIELDS 1 c
      1) (integer) 2
      > EXISTS h
      (integer) 0
      > HEXPIRE h 0 FIELDS 2 a b
      1) (integer) -2
      2) (integer) -2
      `,
      serverFor(encoding),
    );
  });

  test("a new value takes the time away, arithmetic does not", () => {
    transcript(
      `
      > HPEXPIRE h 100 FIELDS 3 a b c
      1) (integer) 1
      2) (integer) 1
      3) (integer) 1
      > HSET h a 5
      (integer) 0
      > HINCRBY h b 5
      (integer) 7
      > HINCRBYFLOAT h c 0.5
      3.5
      > HPTTL h FIELDS 3 a b c
      1) (integer) -1
      2) (integer) 100
      3) (integer) 100
      ~ advance 101ms
      > HINCRBY h b 1
      (integer) 1
      > HSETNX h c 1
      (integer) 1
      > HPTTL h FIELDS 3 a b c
      1) (integer) -1
      2) (integer) -1
      3) (integer) -1
      `,
      serverFor(encoding),
    );
  });

  test("writing to the last field after its time makes the hash anew", () => {
    for (const [line, reply] of [
      ["HINCRBY k f 1", "(integer) 1"],
      ["HINCRBYFLOAT k f 1", "1"],
      ["HSETNX k f 1", "(integer) 1"],
      ["HSETEX k FNX FIELDS 1 f 1", "(integer) 1"],
    ] as const) {
      const server = serverFor(encoding);
      const client = server.connect();
      client.line("HSET k f 41");
      client.line("HPEXPIRE k 10 FIELDS 1 f");
      server.advance(11);
      expect(client.line(line)).toBe(reply);
      expect(client.line("HGET k f")).toBe("1");
      expect(client.line("HPTTL k FIELDS 1 f")).toBe("1) (integer) -1");
    }
  });

  test("HGETEX, HSETEX and HGETDEL", () => {
    transcript(
      `
      > HGETEX h FIELDS 2 a x
      1) 1
      2) (nil)
      > HGETEX h PX 100 FIELDS 2 a x
      1) 1
      2) (nil)
      > HPTTL h FIELDS 1 a
      1) (integer) 100
      > HGETEX h PERSIST FIELDS 2 a b
      1) 1
      2) 2
      > HPTTL h FIELDS 2 a b
      1) (integer) -1
      2) (integer) -1
      > HGETEX h EXAT 1 FIELDS 1 c
      1) 3
      > HEXISTS h c
      (integer) 0
      > HGETEX none FIELDS 2 a b
      1) (nil)
      2) (nil)
      > HSETEX h FNX EX 100 FIELDS 2 d 4 a 5
      (integer) 0
      > HSETEX h FXX EX 100 FIELDS 2 b 4 a 5
      (integer) 1
      > HTTL h FIELDS 2 a b
      1) (integer) 100
      2) (integer) 100
      > HSETEX h KEEPTTL FIELDS 2 a 6 e 7
      (integer) 1
      > HTTL h FIELDS 2 a e
      1) (integer) 100
      2) (integer) -1
      > HSETEX h FIELDS 1 a 7
      (integer) 1
      > HTTL h FIELDS 1 a
      1) (integer) -1
      > HSETEX h NX FIELDS 1 z 7
      (integer) 0
      > HSETEX none XX FIELDS 1 z 7
      (integer) 0
      > HSETEX h XX PXAT ${START_MS + 5} FIELDS 1 z 7
      (integer) 1
      > HPTTL h FIELDS 1 z
      1) (integer) 5
      > HSETEX none FXX FIELDS 1 z 7
      (integer) 0
      > HSETEX none PXAT 1 FIELDS 1 z 7
      (integer) 1
      > EXISTS none
      (integer) 0
      > HGETDEL h FIELDS 3 a x e
      1) 7
      2) (nil)
      3) 7
      > HGETDEL h FIELDS 2 b z
      1) 4
      2) 7
      > EXISTS h
      (integer) 0
      > HGETDEL h FIELDS 1 b
      1) (nil)
      `,
      serverFor(encoding),
    );
  });

  test("arguments that are wrong", () => {
    const client = serverFor(encoding).connect();
    for (const [line, error] of [
      ["HEXPIRE h -1 FIELDS 1 a", "invalid expire time, must be >= 0"],
      ["HEXPIRE h -9223372036854775808 FIELDS 1 a", "invalid expire time, must be >= 0"],
      ["HEXPIRE h x FIELDS 1 a", "value is not an integer or out of range"],
      ["HEXPIRE h 281474976710 FIELDS 1 a", "invalid expire time in 'hexpire' command"],
      ["HPEXPIRE h 70368744177663 FIELDS 1 a", "invalid expire time in 'hpexpire' command"],
      ["HPEXPIREAT h 70368744177664 FIELDS 1 a", "invalid expire time in 'hpexpireat' command"],
      ["HPEXPIREAT h 9223372036854775807 FIELDS 1 a", "invalid expire time in 'hpexpireat' command"],
      ["HEXPIRE h 10 FIELDS 0 a", "Parameter `numFields` should be greater than 0"],
      ["HEXPIRE h 10 FIELDS x a", "Parameter `numFields` should be greater than 0"],
      ["HEXPIRE h 10 FIELDS 2 a", "The `numfields` parameter must match the number of arguments"],
      ["HEXPIRE h 10 NX FIELDS 1 a b", "The `numfields` parameter must match the number of arguments"],
      ["HEXPIRE h 10 NX FIELDS 1 a XX", "The `numfields` parameter must match the number of arguments"],
      ["HEXPIRE h 10 FOO FIELDS 1 a", "Mandatory argument FIELDS is missing or not at the right position"],
      ["HTTL h FIELD 1 a", "Mandatory argument FIELDS is missing or not at the right position"],
      ["HTTL h FIELDS 0 a", "Number of fields must be a positive integer"],
      ["HTTL h FIELDS 9223372036854775808 a", "Number of fields must be a positive integer"],
      ["HTTL h FIELDS 9223372036854775807 a", "The `numfields` parameter must match the number of arguments"],
      ["HPERSIST h FIELDS 2 a", "The `numfields` parameter must match the number of arguments"],
      ["HPERSIST h FIELDS 1", "wrong number of arguments for 'hpersist' command"],
      ["HGETDEL h FIELDS 2 a", "The `numfields` parameter must match the number of arguments"],
      ["HGETDEL h XX 1 a", "Mandatory argument FIELDS is missing or not at the right position"],
      ["HGETEX h EX -1 FIELDS 1 a", "invalid expire time, must be >= 0"],
      ["HGETEX h EX 10 PX 1 FIELDS 1 a", "Mandatory argument FIELDS is missing or not at the right position"],
      ["HGETEX h EX 10 FIELDS", "wrong number of arguments for 'hgetex' command"],
      ["HGETEX h KEEPTTL FIELDS 1 a", "Mandatory argument FIELDS is missing or not at the right position"],
      ["HSETEX h FIELDS 2 a 1", "wrong number of arguments for 'hsetex' command"],
      ["HSETEX h FIELDS 1 a 1 b", "wrong number of arguments for 'hsetex' command"],
      ["HSETEX h FIELDS 0 a 1", "invalid number of fields"],
      ["HSETEX h FIELDS 2147483648 a 1", "invalid number of fields"],
      ["HSETEX h FNX FXX FIELDS 1 a 1", "Only one of FXX or FNX arguments can be specified"],
      ["HSETEX h NX XX FIELDS 1 a 1", "syntax error"],
      ["HSETEX h EX 1 KEEPTTL FIELDS 1 a 1", "Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified"],
      ["HSETEX h PERSIST FIELDS 1 a 1", "unknown argument: PERSIST"],
      ["HSETEX h FNX FNX FNX EX", "Only one of FXX or FNX arguments can be specified"],
      ["HSETEX h FNX KEEPTTL NX", "wrong number of arguments for 'hsetex' command"],
      ["HSETEX h FNX KEEPTTL NX foo", "unknown argument: foo"],
      ["HSETEX h EX 1 FNX NX", "missing FIELDS argument"],
      ["HSETEX h FNX NX x EX", "unknown argument: x"],
      ["HSETEX h EX 0 FXX EX", "Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified"],
      ["HSETEX h FXX NX PX", "wrong number of arguments for 'hsetex' command"],
      ["SET s v", ""],
      ["HEXPIRE s 10 FIELDS 1 a", "WRONGTYPE"],
      ["HTTL s FIELDS 1 a", "WRONGTYPE"],
      ["HGETEX s FIELDS 1 a", "WRONGTYPE"],
      ["HSETEX s FIELDS 1 a 1", "WRONGTYPE"],
    ] as const) {
      const expected =
        error === ""
          ? "OK"
          : error === "WRONGTYPE"
            ? "(error) WRONGTYPE Operation against a key holding the wrong kind of value"
            : `(error) ERR ${error}`;
      expect({ line, reply: client.line(line) }).toEqual({ line, reply: expected });
    }
    expect(client.line("HTTL h FIELDS 1 a")).toBe("1) (integer) -1");
  });

  test("propagation: facts, deletions ahead of the command that met them", () => {
    const server = serverFor(encoding);
    const { propagated } = observed(server);
    const client = server.connect();
    client.line("HSET h d 4 e 5");
    propagated();
    for (const [line, expected] of [
      ["HEXPIRE h 10 FIELDS 2 a x", [`0> HPEXPIREAT h ${START_MS + 10_000} FIELDS 1 a`]],
      ["HPEXPIRE h 10 NX FIELDS 2 a b", [`0> HPEXPIREAT h ${START_MS + 10} NX FIELDS 1 b`]],
      ["HPEXPIRE h 20 FIELDS 1 b XX", [`0> HPEXPIREAT h ${START_MS + 20} XX FIELDS 1 b`]],
      ["HPEXPIRE h 20 XX FIELDS 1 c", []],
      ["HPEXPIREAT h 1 FIELDS 3 d x e", ["-> MULTI", "0> HDEL h d", "0> HDEL h e", "-> EXEC"]],
      ["HPERSIST h FIELDS 1 b", ["0> HPERSIST h FIELDS 1 b"]],
      ["HPERSIST h FIELDS 1 b", []],
      ["HINCRBYFLOAT h a 0.5", ["0> HSETEX h KEEPTTL FIELDS 1 a 1.5"]],
      ["HINCRBYFLOAT h b 0.5", ["0> HSET h b 2.5"]],
      ["HINCRBY h c 1", ["0> HINCRBY h c 1"]],
      ["HGETEX h FIELDS 1 a", []],
      ["HGETEX h EX 7 FIELDS 2 b x", [`0> HPEXPIREAT h ${START_MS + 7000} FIELDS 1 b`]],
      ["HGETEX h PERSIST FIELDS 2 b c", ["0> HPERSIST h FIELDS 1 b"]],
      ["HGETEX h PXAT 1 FIELDS 1 b", ["0> HDEL h b"]],
      ["HSETEX h FNX NX FIELDS 1 p 1", []],
      ["HSETEX h FNX EX 7 FIELDS 1 p 1", [`0> HSETEX h FNX PXAT ${START_MS + 7000} FIELDS 1 p 1`]],
      ["HSETEX h XX KEEPTTL FIELDS 1 p 2", ["0> HSETEX h KEEPTTL FIELDS 1 p 2"]],
      ["HSETEX h PXAT 5 FIELDS 1 q 2", ["0> HDEL h q"]],
      ["HGETDEL h FIELDS 2 p x", ["0> HDEL h p"]],
      ["HGETDEL h FIELDS 1 x", []],
      ["HDEL h x", []],
      ["HSETNX h c 1", []],
    ] as const) {
      client.line(line);
      expect({ line, propagated: propagated() }).toEqual({ line, propagated: [...expected] });
    }
    client.line("HSET h a 1 b 2");
    client.line("HPEXPIRE h 10 FIELDS 3 a b c");
    server.advance(11);
    propagated();
    client.line("HGET h a");
    expect(propagated()).toEqual(["0> HDEL h a"]);
    client.line("HINCRBY h b 1");
    expect(propagated()).toEqual(["-> MULTI", "0> HDEL h b", "0> HINCRBY h b 1", "-> EXEC"]);
    client.line("HRANDFIELD h 5");
    expect(propagated()).toEqual(["0> HDEL h c"]);
    expect(client.line("HKEYS h")).toBe("1) b");
  });

  test("keyspace events", () => {
    const server = serverFor(encoding);
    const { events } = observed(server);
    const client = server.connect();
    for (const [line, expected] of [
      ["HSET n a 1", ["hset n"]],
      ["HSET n a 1 b 2", ["hset n"]],
      ["HSETNX n a 1", []],
      ["HINCRBY n a 1", ["hincrby n"]],
      ["HINCRBYFLOAT n a 1", ["hincrbyfloat n"]],
      ["HDEL n x", []],
      ["HDEL n a b", ["hdel n", "del n"]],
      ["HPEXPIRE h 1000 FIELDS 1 a", ["hexpire h"]],
      ["HPEXPIRE h 1000 NX FIELDS 1 a", []],
      ["HPERSIST h FIELDS 1 a", ["hpersist h"]],
      ["HGETEX h PX 5 FIELDS 1 a", ["hexpire h"]],
      ["HGETEX h PERSIST FIELDS 1 a", ["hpersist h"]],
      ["HSETEX h FIELDS 1 d 1", ["hset h"]],
      ["HSETEX h PX 100 FIELDS 1 d 1", ["hset h", "hexpire h"]],
      ["HSETEX h PXAT 1 FIELDS 1 d 1", ["hset h", "hdel h"]],
      ["HGETDEL h FIELDS 1 a", ["hdel h"]],
      ["HPEXPIREAT h 1 FIELDS 1 b", ["hdel h"]],
      ["HGETEX h PXAT 1 FIELDS 1 c", ["hdel h", "del h"]],
    ] as const) {
      client.line(line);
      expect({ line, events: events() }).toEqual({ line, events: [...expected] });
    }
    client.line('CONFIG SET notify-keyspace-events ""');
    client.line("CONFIG SET notify-keyspace-events EAn");
    client.line("HSET k a 1 b 2 c 3");
    expect(events()).toEqual(["new k", "hset k"]);
    client.line("HPEXPIRE k 10 FIELDS 3 a b c");
    server.advance(11);
    events();
    client.line("HGET k a");
    expect(events()).toEqual(["hexpired k"]);
    client.line("HMGET k b c");
    expect(events()).toEqual(["hexpired k", "del k"]);
  });

  test("the active cycle deletes fields and hashes, in all databases, and tells", () => {
    const server = serverFor(encoding);
    const { engine } = server;
    const cron = new Cron(engine);
    const { events, propagated } = observed(server);
    const client = server.connect();
    client.line("HPEXPIRE h 10 FIELDS 2 a b");
    client.line("SELECT 3");
    client.line("HSET all a 1 b 2");
    client.line("HPEXPIRE all 20 FIELDS 2 a b");
    expect(client.line("INFO keyspace")).toContain("db3:keys=1,expires=0,avg_ttl=0,subexpiry=1");
    events();
    propagated();
    server.advance(11);
    cron.run();
    expect(events()).toEqual(["hexpired h"]);
    expect(propagated().sort()).toEqual(["0> HDEL h a", "0> HDEL h b"]);
    server.advance(10);
    cron.run();
    expect(events()).toEqual(["hexpired all", "del all"]);
    expect(propagated().sort()).toEqual(["3> HDEL all a", "3> HDEL all b"]);
    expect(client.line("EXISTS all")).toBe("(integer) 0");
    client.line("SELECT 0");
    expect(client.line("HGETALL h")).toBe("1) c\n2) 3");
    expect(client.line("INFO stats")).toContain("expired_subkeys:4\r");
    expect(client.line("INFO keyspace")).toContain("db0:keys=1,expires=0,avg_ttl=0,subexpiry=0");
  });

  test("WATCH notices fields that expire", () => {
    const server = serverFor(encoding);
    const cron = new Cron(server.engine);
    const client = server.connect();
    client.line("HPEXPIRE h 10 FIELDS 2 a b");
    for (const notice of [() => server.connect().line("HGET h a"), () => cron.run()]) {
      client.line("WATCH h");
      server.advance(11);
      notice();
      client.line("MULTI");
      client.line("PING");
      expect(client.line("EXEC")).toBe("(nil)");
    }
  });

  test("times go along with RENAME, COPY, MOVE, SWAPDB and an expiry of the key", () => {
    const server = serverFor(encoding);
    const cron = new Cron(server.engine);
    const client = server.connect();
    client.line("HPEXPIRE h 10 FIELDS 1 a");
    client.line("COPY h copy");
    client.line("RENAME h renamed");
    client.line("PEXPIRE renamed 100000");
    client.line("PERSIST renamed");
    client.line("EXPIRE renamed 1000");
    client.line("MOVE copy 1");
    client.line("HSET keep a 1");
    client.line("HPEXPIRE keep 5000 FIELDS 1 a");
    client.line("SET keep now-a-string");
    client.line("SWAPDB 0 2");
    server.advance(11);
    cron.run();
    expect(client.line("DBSIZE")).toBe("(integer) 0");
    client.line("SELECT 2");
    expect(client.line("HLEN renamed")).toBe("(integer) 2");
    expect(client.line("INFO keyspace")).toContain("db2:keys=2,expires=1,avg_ttl=");
    client.line("SELECT 1");
    expect(client.line("HLEN copy")).toBe("(integer) 2");
    client.line("HPEXPIRE copy 10 FIELDS 1 b");
    client.line("FLUSHDB");
    server.advance(11);
    cron.run();
    client.line("SELECT 2");
    client.line("HPEXPIRE renamed 10 FIELDS 1 b");
    client.line("FLUSHALL");
    server.advance(11);
    cron.run();
    server.engine.keyspace.arena.check();
  });

  test("while expiry is not ours, fields are hidden but stay", () => {
    const server = serverFor(encoding);
    const { keyspace } = server.engine;
    const cron = new Cron(server.engine);
    const client = server.connect();
    client.line("HPEXPIRE h 10 FIELDS 2 a b");
    server.advance(11);
    keyspace.expiryMode = ExpiryMode.Hide;
    cron.run();
    expect(client.line("HGET h a")).toBe("(nil)");
    expect(client.line("HKEYS h")).toBe("1) c");
    expect(client.line("HLEN h")).toBe("(integer) 3");
    expect(client.line("HPEXPIREAT h 1 FIELDS 1 c")).toBe("1) (integer) 1");
    expect(client.line("HKEYS h")).toBe("(empty array)");
    keyspace.expiryMode = ExpiryMode.Ignore;
    expect(client.line("HGET h a")).toBe("1");
    expect(client.line("HLEN h")).toBe("(integer) 3");
  });
});
