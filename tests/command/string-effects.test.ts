// What the string commands do besides replying: propagation, keyspace events, dirty count, encodings, refusal of other types.

import { describe, expect, test } from "bun:test";
import type { PersonalityName } from "../../src/config/personality.ts";
import { Event } from "../../src/engine/effects.ts";
import { Observer } from "../../src/engine/observer.ts";
import { ENCODING_NAMES, Encoding, entryCreate, entryEncoding, setEntryEncoding, Type } from "../../src/types/entry.ts";
import { START_MS, type TestClient, type TestServer, testServer } from "../support/engine.ts";
import { CollectingSink } from "../support/sink.ts";
import { formatReply } from "../support/transcript-reply.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** Runs lines one after the other; what each propagated. */
function propagated(lines: readonly string[], personality: PersonalityName = "redis"): Record<string, string[]> {
  const server = testServer({ personality });
  const sink = new CollectingSink();
  server.engine.sinks.push(sink);
  const client = server.connect();
  const result: Record<string, string[]> = {};
  for (const line of lines) {
    client.line(line);
    result[line] = sink.take().map((text) => text.replace(/^0> /, ""));
  }
  return result;
}

describe("propagation", () => {
  test("times to live as absolute milliseconds", () => {
    expect(
      propagated([
        "SET a 1 EX 10",
        "SET a 1 PX 10 NX",
        "SET a 1 XX PX 10 GET",
        "SET a 1 EXAT 1800000000",
        "set a 1 pxat 1800000000000 xx",
        "SETEX a 10 v",
        "PSETEX a 10 v",
        "MSETEX 2 a 1 b 2 NX EX 5",
        "MSETEX 2 c 1 d 2 NX EX 5",
        "MSETEX 1 c 1 PXAT 1800000000000",
        "SET a 1 PXAT 9223372036854775807",
        "SET a 1 EXAT 9223372036854775",
      ]),
    ).toEqual({
      "SET a 1 EX 10": [`SET a 1 PXAT ${START_MS + 10_000}`],
      "SET a 1 PX 10 NX": [],
      "SET a 1 XX PX 10 GET": [`SET a 1 PXAT ${START_MS + 10}`],
      "SET a 1 EXAT 1800000000": ["SET a 1 PXAT 1800000000000"],
      "set a 1 pxat 1800000000000 xx": ["set a 1 pxat 1800000000000 xx"],
      "SETEX a 10 v": [`SET a v PXAT ${START_MS + 10_000}`],
      "PSETEX a 10 v": [`SET a v PXAT ${START_MS + 10}`],
      "MSETEX 2 a 1 b 2 NX EX 5": [],
      "MSETEX 2 c 1 d 2 NX EX 5": [`MSETEX 2 c 1 d 2 NX PXAT ${START_MS + 5000}`],
      "MSETEX 1 c 1 PXAT 1800000000000": ["MSETEX 1 c 1 PXAT 1800000000000"],
      "SET a 1 PXAT 9223372036854775807": ["SET a 1 PXAT 9223372036854775807"],
      "SET a 1 EXAT 9223372036854775": ["SET a 1 PXAT 9223372036854775000"],
    });
  });

  test("what changed, not what was asked", () => {
    expect(
      propagated([
        "GET a",
        "SET a get GET",
        "SET a 1 get KEEPTTL GET IFEQ get",
        "SET a 2 IFEQ nothing",
        "GETSET a 3",
        "SETNX a 4",
        "SETNX b 4",
        "INCR a",
        "INCRBYFLOAT a 0.5",
        "GETEX a",
        "GETEX a EX 10",
        "GETEX a PERSIST",
        "GETEX a persist",
        "DELEX a IFEQ nothing",
        "DELEX a IFEQ 4.5",
        "DELEX b",
        "DELIFEQ b 1",
        "SETRANGE a 5 x",
        'SETRANGE a 5 ""',
        "GETDEL a",
        "GETDEL a ",
        "DECR overflow",
        "DECRBY overflow 9223372036854775807",
        "DECR overflow ",
      ]),
    ).toEqual({
      "GET a": [],
      "SET a get GET": ["SET a get"],
      "SET a 1 get KEEPTTL GET IFEQ get": ["SET a 1 KEEPTTL IFEQ get"],
      "SET a 2 IFEQ nothing": [],
      "GETSET a 3": ["SET a 3"],
      "SETNX a 4": [],
      "SETNX b 4": ["SETNX b 4"],
      "INCR a": ["INCR a"],
      "INCRBYFLOAT a 0.5": ["SET a 4.5 KEEPTTL"],
      "GETEX a": [],
      "GETEX a EX 10": [`PEXPIREAT a ${START_MS + 10_000}`],
      "GETEX a PERSIST": ["PERSIST a"],
      "GETEX a persist": [],
      "DELEX a IFEQ nothing": [],
      "DELEX a IFEQ 4.5": ["DEL a"],
      "DELEX b": ["DELEX b"],
      "DELIFEQ b 1": [],
      "SETRANGE a 5 x": ["SETRANGE a 5 x"],
      'SETRANGE a 5 ""': [],
      "GETDEL a": ["DEL a"],
      "GETDEL a ": [],
      "DECR overflow": ["DECR overflow"],
      "DECRBY overflow 9223372036854775807": ["DECRBY overflow 9223372036854775807"],
      "DECR overflow ": [],
    });
    expect(propagated(["SET a 1", "DELIFEQ a 1"])["DELIFEQ a 1"]).toEqual(["DEL a"]);
  });

  test("deletion by a past expiry is a DEL, for Valkey an UNLINK", () => {
    for (const [personality, word] of [
      ["redis", "DEL"],
      ["valkey", "UNLINK"],
    ] as const) {
      const lines = [
        "MSET a 1 b 2 c 3",
        "SET a 2 PXAT 5",
        "SET none 2 PXAT 5",
        "GETEX b EXAT 1",
        "MSETEX 2 c 4 d 5 PXAT 7",
      ];
      expect(propagated(lines, personality)).toEqual({
        "MSET a 1 b 2 c 3": ["MSET a 1 b 2 c 3"],
        "SET a 2 PXAT 5": [`${word} a`],
        "SET none 2 PXAT 5": [],
        "GETEX b EXAT 1": [`${word} b`],
        "MSETEX 2 c 4 d 5 PXAT 7": [`${word} c`],
      });
    }
  });
});

/** A server that publishes every event, and a client that has subscribed to all of them. */
function observed(): { server: TestServer; client: TestClient; events: () => string[] } {
  const server = testServer();
  server.engine.notifyMask = ~Event.Keyspace;
  server.engine.observed |= Observer.Notify;
  const listener = server.connect();
  listener.line("PSUBSCRIBE __key*");
  const client = server.connect();
  const events = () =>
    listener.pushed().map((reply) => {
      const [, , channel, key] = formatReply(reply).split("\n");
      return `${channel.replace(/^.*__:/, "")} ${key.replace(/^\s*\d+\) /, "")}`;
    });
  return { server, client, events };
}

describe("keyspace events", () => {
  test("each command's own, in order", () => {
    const { client, events } = observed();
    for (const [line, expected] of [
      ["SET a 1", ["new a", "set a"]],
      ["SET a 2 EX 100", ["overwritten a", "set a", "expire a"]],
      ["SET a 3 KEEPTTL", ["overwritten a", "set a"]],
      ["SET a 3 NX", []],
      ["SETEX b 100 v", ["new b", "set b", "expire b"]],
      ["GETSET b 5", ["overwritten b", "set b"]],
      ["INCR b", ["incrby b"]],
      ["DECRBY c 5", ["new c", "incrby c"]],
      ["INCRBYFLOAT c 1.5", ["incrbyfloat c"]],
      ["INCRBYFLOAT d 1.5", ["new d", "incrbyfloat d"]],
      ["APPEND d x", ["append d"]],
      ["APPEND e x", ["new e", "append e"]],
      ["SETRANGE e 5 x", ["setrange e"]],
      ["SETRANGE f 5 x", ["new f", "setrange f"]],
      ['SETRANGE f 5 ""', []],
      ["GETEX a", []],
      ["GETEX a PERSIST", ["persist a"]],
      ["GETEX a PERSIST", []],
      ["GETEX a PX 100000", ["expire a"]],
      ["GETEX a PXAT 1", ["del a"]],
      ["GETDEL b", ["del b"]],
      ["MSET a 1 c 2", ["new a", "set a", "overwritten c", "set c"]],
      ["MSETNX g 1 g 2", ["new g", "set g", "overwritten g", "set g"]],
      ["MSETEX 1 g 1 EX 9", ["overwritten g", "set g", "expire g"]],
      ["DELEX g IFNE 2", ["del g"]],
      ["DELIFEQ a 1", ["del a"]],
      ["SET c 1 PXAT 1", ["del c"]],
      ["GET nokey", ["keymiss nokey"]],
    ] as const) {
      client.line(line);
      expect({ line, events: events() }).toEqual({ line, events: [...expected] });
    }
  });

  test("every change counts once", () => {
    const { server, client } = observed();
    for (const [line, changes] of [
      ["SET a 1 EX 100", 1],
      ["MSET a 1 b 2 a 3", 3],
      ["GET a", 0],
      ["GETEX a EX 5", 1],
      ["INCR a", 1],
      ["DELEX a IFEQ 9", 0],
      ["GETDEL a", 1],
      ["MSETEX 2 c 1 d 2 EX 4", 2],
    ] as const) {
      const before = server.engine.dirty;
      client.line(line);
      expect({ line, changes: server.engine.dirty - before }).toEqual({ line, changes });
    }
  });
});

describe("encodings", () => {
  const encodingAfter = (...lines: string[]): string => {
    const server = testServer();
    const client = server.connect();
    for (const line of lines) client.line(line);
    const db = server.engine.keyspace.databases[0]!;
    return ENCODING_NAMES[entryEncoding(server.engine.keyspace.arena, db.find(bytes("k"), 0, 1))]!;
  };

  test("as OBJECT ENCODING shows them in Redis", () => {
    const x = (count: number) => "x".repeat(count);
    for (const [lines, encoding] of [
      [["SET k 1"], "int"],
      [["SET k -9223372036854775808"], "int"],
      [["SET k 9223372036854775807"], "int"],
      [["SET k 9223372036854775808"], "embstr"],
      [["SET k 01"], "embstr"],
      [["SET k -0"], "embstr"],
      [['SET k ""'], "embstr"],
      [[`SET k ${x(44)}`], "embstr"],
      [[`SET k ${x(45)}`], "raw"],
      [["APPEND k 12"], "int"],
      [["APPEND k ab"], "embstr"],
      [["SET k 1", "APPEND k 2"], "raw"],
      [["SET k ab", 'APPEND k ""'], "raw"],
      [["SET k 1", "APPEND k 2", "INCR k"], "int"],
      [["SETRANGE k 0 1"], "raw"],
      [["SET k 1234", "SETRANGE k 0 2"], "raw"],
      [["SET k 1234", 'SETRANGE k 0 ""'], "int"],
      [["INCRBYFLOAT k 5"], "embstr"],
      [["SET k 1", "INCRBYFLOAT k 5"], "embstr"],
      [["SET k 1", "INCRBYFLOAT k 5", "INCR k"], "int"],
      [["SET k 1", "GETSET k abc"], "embstr"],
      [["SET k abc", "SET k 5 KEEPTTL"], "int"],
      [["SET k 5", "GETEX k EX 10"], "int"],
    ] as const) {
      expect({ lines, encoding: encodingAfter(...lines) }).toEqual({ lines, encoding });
    }
  });
});

describe("keys of other types", () => {
  test("are refused, and left alone", () => {
    const server = testServer();
    const client = server.connect();
    const { arena, databases } = server.engine.keyspace;
    const db = databases[0]!;
    const key = bytes("list");
    db.find(key, 0, key.length);
    const e = entryCreate(arena, key, 0, key.length, false, Type.List, 8);
    setEntryEncoding(arena, e, Encoding.Listpack);
    db.insert(e, db.hash);
    const wrongType = "(error) WRONGTYPE Operation against a key holding the wrong kind of value";
    for (const line of [
      "GET list",
      "SET list v GET",
      "SET list v GET NX",
      "SET list v IFEQ x",
      "SET list v IFDNE 12",
      "GETSET list v",
      "GETDEL list",
      "GETEX list EX 0",
      "INCR list",
      "INCRBY list 9223372036854775807",
      "INCRBYFLOAT list 1",
      "APPEND list v",
      "SETRANGE list 0 v",
      'SETRANGE list 0 ""',
      "GETRANGE list 0 1",
      "STRLEN list",
      "DIGEST list",
      "DELIFEQ list v",
    ]) {
      expect({ line, reply: client.line(line) }).toEqual({ line, reply: wrongType });
    }
    expect(client.line("DELEX list IFEQ v")).toBe(
      "(error) ERR Key should be of string type if conditions are specified",
    );
    expect(client.line("LCS list none")).toBe("(error) ERR The specified keys must contain string values");
    expect(client.line("MGET list none")).toBe("1) (nil)\n2) (nil)");
    expect(client.line("SET list v NX")).toBe("(nil)");
    expect(client.line("SETNX list v")).toBe("(integer) 0");
    expect(db.find(key, 0, key.length)).toBe(e);
  });
});
