// Values as versions from 2.6 on wrote them: each in a file and as a payload, for us and for redis-server.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { RdbType } from "../../src/rdb/format.ts";
import { loadRdb } from "../persistence/rdb-support.ts";
import type { RespClient } from "../support/client.ts";
import { testServer } from "../support/engine.ts";
import { describeOracle, startOracle } from "../support/oracle.ts";
import type { RunningServer } from "../support/process.ts";
import { keyOf, length, payload, rdbFile, text, textScore, ziplist, zipmap } from "./old-formats.ts";
import { keyspaceCheck } from "./value-check.ts";

const ELEMENTS = [0, 12, 13, -1, 127, -128, 128, 32767, -32769, 8388607, -8388609, 2147483647, 2147483648, -2147483649];
const WIDE = [
  "a",
  "",
  ...ELEMENTS,
  9223372036854775807n,
  -9223372036854775808n,
  "x".repeat(63),
  "y".repeat(64),
  "z".repeat(300),
  "12",
];
const MANY = Array.from({ length: 700 }, (_, i) => (i % 3 === 0 ? `member ${i}` : i));
const LONG = ["w".repeat(20_000), "tail"];

interface OldValue {
  readonly name: string;
  readonly type: number;
  readonly value: Uint8Array;
  /** Commands that show all of the value of `key`. */
  readonly shows: readonly (readonly string[])[];
}

const LIST = [["LRANGE", "key", "0", "-1"]];
const HASH = [
  ["HLEN", "key"],
  ["HGET", "key", "f"],
  ["HGET", "key", "1"],
  ["HGET", "key", "field 3"],
];
const ZSET = [["ZRANGE", "key", "0", "-1", "WITHSCORES"]];
const SET = [
  ["SCARD", "key"],
  ["SISMEMBER", "key", "7"],
  ["SISMEMBER", "key", "-300"],
  ["SISMEMBER", "key", "b"],
];

const intset = (width: number, values: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(8 + width * values.length);
  bytes.writeUInt32LE(width, 0);
  bytes.writeUInt32LE(values.length, 4);
  values.forEach((n, i) => {
    bytes.writeIntLE(n, 8 + i * width, Math.min(width, 6));
    if (width === 8) bytes.writeInt16LE(n < 0 ? -1 : 0, 8 + i * width + 6);
  });
  return bytes;
};
const pairs = (count: number): [string, string][] => Array.from({ length: count }, (_, i) => [`field ${i}`, `v${i}`]);

const VALUES: readonly OldValue[] = [
  { name: "string", type: RdbType.String, value: text("hello"), shows: [["GET", "key"]] },
  {
    name: "list",
    type: RdbType.List,
    value: Buffer.concat([length(3), text("a"), text("b"), text("12")]),
    shows: LIST,
  },
  { name: "list, ziplist", type: RdbType.ListZiplist, value: text(ziplist(WIDE)), shows: LIST },
  { name: "list, long ziplist", type: RdbType.ListZiplist, value: text(ziplist([...MANY, ...LONG])), shows: LIST },
  {
    name: "list, quicklist of ziplists",
    type: RdbType.ListQuicklist,
    value: Buffer.concat([length(4), text(ziplist(WIDE)), text(ziplist([])), text(ziplist(MANY)), text(ziplist(LONG))]),
    shows: LIST,
  },
  {
    name: "list, one short ziplist",
    type: RdbType.ListQuicklist,
    value: Buffer.concat([length(1), text(ziplist([1, "b"]))]),
    shows: LIST,
  },
  { name: "set", type: RdbType.Set, value: Buffer.concat([length(3), text("a"), text("b"), text("7")]), shows: SET },
  {
    name: "set of integers",
    type: RdbType.Set,
    value: Buffer.concat([length(2), text("-300"), text("7")]),
    shows: SET,
  },
  { name: "intset", type: RdbType.SetIntset, value: text(intset(2, [-300, 7, 9])), shows: SET },
  { name: "intset of 4 bytes", type: RdbType.SetIntset, value: text(intset(4, [-70_000, -300, 7])), shows: SET },
  {
    name: "intset of 8 bytes",
    type: RdbType.SetIntset,
    value: text(intset(8, [-(2 ** 40), -300, 7, 2 ** 40])),
    shows: SET,
  },
  {
    name: "zset, scores as text",
    type: RdbType.Zset,
    value: Buffer.concat([
      length(4),
      ...[
        ["b", "2.5"],
        ["a", "-inf"],
        ["c", "inf"],
        ["d", "-3e2"],
      ].flatMap(([m, s]) => [text(m!), textScore(s!)]),
    ]),
    shows: ZSET,
  },
  {
    name: "zset, ziplist",
    type: RdbType.ZsetZiplist,
    value: text(ziplist(["a", 1, "b", "1.5", 7, 2, "c", 2])),
    shows: ZSET,
  },
  {
    name: "zset, long ziplist",
    type: RdbType.ZsetZiplist,
    value: text(ziplist(MANY.flatMap((member, i) => [member, i]))),
    shows: ZSET,
  },
  {
    name: "hash",
    type: RdbType.Hash,
    value: Buffer.concat([length(2), text("f"), text("1"), text("1"), text("v")]),
    shows: HASH,
  },
  {
    name: "hash, ziplist",
    type: RdbType.HashZiplist,
    value: text(ziplist(["f", "v", 1, 2, "field 3", "w".repeat(70)])),
    shows: HASH,
  },
  { name: "hash, long ziplist", type: RdbType.HashZiplist, value: text(ziplist(pairs(200).flat())), shows: HASH },
  {
    name: "hash, zipmap",
    type: RdbType.HashZipmap,
    value: text(
      zipmap(
        [
          ["f", "v"],
          ["1", "x"],
        ],
        3,
      ),
    ),
    shows: HASH,
  },
  {
    name: "hash, zipmap with long value",
    type: RdbType.HashZipmap,
    value: text(zipmap([["f", "v".repeat(300)]])),
    shows: HASH,
  },
  { name: "hash, zipmap of many", type: RdbType.HashZipmap, value: text(zipmap(pairs(300))), shows: HASH },
];

describeOracle("old values", () => {
  let server: RunningServer;
  let theirs: RespClient;
  beforeAll(async () => {
    server = await startOracle();
    theirs = await server.connect();
  });
  afterAll(async () => {
    await server?.stop();
  });

  for (const { name, type, value, shows } of VALUES) {
    test(name, async () => {
      const restored = payload(type, value, 6);
      expect(await theirs.call("RESTORE", "key", 0, restored, "REPLACE")).toBe("OK");
      const own = testServer();
      const loaded = testServer();
      for (const level of ["no", "yes", "clients"]) {
        own.connect().raw("CONFIG", "SET", "sanitize-dump-payload", level);
        expect(own.connect().line("DEL key")).toBeString();
        expect(Buffer.from(own.connect().raw("RESTORE", "key", "0", restored)).toString()).toBe("+OK\r\n");
      }
      expect(
        loadRdb(loaded.engine, rdbFile(type === RdbType.ListQuicklist ? 7 : 4, [keyOf(type, "key", value)])).state,
      ).toBe("done");
      for (const show of shows) {
        const expected = await theirs.callRaw(...show);
        for (const each of [own, loaded])
          expect(Buffer.from(each.connect().raw(...show)).toString("latin1"), show.join(" ")).toBe(expected);
      }
      for (const each of [own, loaded]) keyspaceCheck(each.engine.keyspace);
    });
  }
});

test("times of keys in seconds and in ms, how they were used, sizes, slots", () => {
  const { engine, connect, clock } = testServer();
  const at = Math.floor(clock.nowMs() / 1000) + 100;
  const seconds = Buffer.alloc(4);
  seconds.writeInt32LE(at);
  const ms = Buffer.alloc(8);
  ms.writeBigInt64LE(BigInt(at) * 1000n + 5n);
  const value = (key: string): Buffer => keyOf(RdbType.String, key, text("v"));
  const { state } = loadRdb(
    engine,
    rdbFile(12, [
      Buffer.from([250]),
      text("redis-ver"),
      text("2.6.0"),
      Buffer.from([254, 3, 251]),
      length(4),
      length(2),
      Buffer.from([244, 1, 2, 3]),
      Buffer.from([253]),
      seconds,
      value("in seconds"),
      Buffer.from([252]),
      ms,
      Buffer.from([248, 60]),
      value("in ms"),
      Buffer.from([249, 200]),
      value("counted"),
      Buffer.from([245]),
      text("#!lua name=lib\n"),
      value("last"),
    ]),
  );
  expect(state).toBe("done");
  const client = connect();
  client.line("SELECT 3");
  expect(client.line('PEXPIRETIME "in seconds"')).toBe(`(integer) ${at * 1000}`);
  expect(client.line('PEXPIRETIME "in ms"')).toBe(`(integer) ${at * 1000 + 5}`);
  expect(client.line('OBJECT IDLETIME "in ms"')).toBe("(integer) 60");
  expect(client.line("PEXPIRETIME counted")).toBe("(integer) -1");
  expect(client.line("DBSIZE")).toBe("(integer) 4");
});

test("hashes with times of fields, as candidates of Redis 7.4 and as Valkey wrote them", () => {
  const { engine, connect, clock } = testServer();
  const at = clock.nowMs() + 100_000;
  const time = (n: number): Buffer => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(n));
    return bytes;
  };
  const wide = (n: number): Buffer => Buffer.concat([Buffer.from([0x81]), Buffer.from(time(n)).reverse()]);
  const candidate = Buffer.concat([length(2), length(0), text("f"), text("1"), wide(at), text("g"), text("2")]);
  expect(loadRdb(engine, rdbFile(12, [keyOf(RdbType.HashMetadataPreGa, "candidate", candidate)])).state).toBe("done");
  const metadata = Buffer.concat([
    time(at),
    length(2),
    length(0),
    text("f"),
    text("1"),
    length(6),
    text("g"),
    text("2"),
  ]);
  expect(loadRdb(engine, rdbFile(12, [keyOf(RdbType.HashMetadata, "redis", metadata)])).state).toBe("done");
  const valkey = Buffer.concat([length(2), text("f"), text("1"), time(-1), text("g"), text("2"), time(at)]);
  expect(loadRdb(engine, rdbFile(80, [keyOf(RdbType.HashMetadataPreGa, "valkey", valkey)])).state).toBe("done");
  const client = connect();
  for (const [key, expected] of [
    ["candidate", at],
    ["redis", at + 5],
    ["valkey", at],
  ]) {
    expect(client.line(`HPEXPIRETIME ${key} FIELDS 2 f g`)).toBe(`1) (integer) -1\n2) (integer) ${expected}`);
    expect(client.line(`HMGET ${key} f g`)).toContain("2");
  }
  keyspaceCheck(engine.keyspace);
});

/** What is refused, with a part of the reason in the log. */
const REFUSED: readonly [name: string, part: Uint8Array, reason: string][] = [
  ["functions of candidates of 7.0", Buffer.from([246, 1]), "Pre-release function format not supported."],
  ["module data", Buffer.from([247, 0x40, 0, 2, 1, 0]), "AUX module data I can't load: no matching module 'AAAAAAAAA'"],
  ["a module's value", Buffer.from([7, 1, 65, 0x80, 0, 0, 4, 0, 0]), "no matching module type 'AAAAAAAAB'"],
  ["a module's value of before 4.0", Buffer.from([6, 1, 65, 0]), "Pre-release module format not supported"],
  ["an unknown type", Buffer.from([99, 1, 65, 0]), "Unknown RDB encoding type 99"],
];

for (const [name, part, reason] of REFUSED)
  test(`refused: ${name}`, () => {
    const { load, state } = loadRdb(testServer().engine, rdbFile(10, [part]));
    expect(state).toBe("failed");
    expect(load.error?.text).toContain(reason);
  });
