// Damaged bytes: a file that ends too early or has other bits is refused as a whole, a payload that is not right leaves nothing behind, and what is taken all the
// same is a value whose parts agree.

import { afterAll, expect, test } from "bun:test";
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Prng } from "../../src/base/prng.ts";
import { RdbFileLoad } from "../../src/persistence/rdb/rdb-load.ts";
import { RdbType } from "../../src/rdb/format.ts";
import { seededTest } from "../base/seeded.ts";
import { rdbBytes } from "../persistence/rdb-support.ts";
import { type TestClient, type TestServer, testServer } from "../support/engine.ts";
import { length, payload, text, textScore, ziplist, zipmap } from "./old-formats.ts";
import { keyspaceCheck } from "./value-check.ts";

/** A small value of every type and encoding. */
const SMALL: readonly string[] = [
  "SET number 12345",
  'SET text "hello, \\xff world"',
  `SET compressed ${"ab".repeat(40)}`,
  "RPUSH list a 1 bb 70000",
  `RPUSH quicklist ${Array.from({ length: 9 }, (_, i) => `element-${i}`).join(" ")}`,
  "SADD intset 1 2 300",
  "SADD set a 2 c",
  "SADD table a b c d e f",
  "ZADD zset 1 a 2.5 b 3 c",
  "ZADD skiplist 1 a 2 b 3 c 4 d 5 e 6 f",
  "HSET hash a 1 b 2",
  "HSET dict a 1 b 2 c 3 d 4 e 5 f 6",
  "HSET times a 1 b 2 c 3",
  "HPEXPIRE times 100000 FIELDS 1 b",
  "HSET timedict a 1 b 2 c 3 d 4 e 5 f 6",
  "HPEXPIRE timedict 100000 FIELDS 2 b c",
  "XADD stream 1-1 f v g w",
  "XADD stream 2-1 f v g x",
  "XADD stream 3-0 other 7",
  "XDEL stream 2-1",
  "XGROUP CREATE stream first 0",
  "XREADGROUP GROUP first alice COUNT 1 STREAMS stream >",
  "PEXPIRE text 100000",
];

const SETTINGS =
  "enable-debug-command yes\nlist-max-listpack-size 4\nset-max-listpack-entries 4\nzset-max-listpack-entries 4\nhash-max-listpack-entries 4\n";

function filledServer(personality: "redis" | "valkey" = "redis"): TestServer {
  const server = testServer({ personality });
  expect(server.engine.config.loadText(SETTINGS)).toBeNull();
  const client = server.connect();
  for (const line of SMALL) expect(client.line(line), line).not.toStartWith("(error)");
  return server;
}

/** A server for damaged bytes. */
function victim(options: { readonly sanitize: "yes" | "no"; readonly checks: boolean }): TestServer {
  const server = testServer();
  expect(server.engine.config.loadText(`${SETTINGS}sanitize-dump-payload ${options.sanitize}\n`)).toBeNull();
  server.engine.debug.skipsChecksums = !options.checks;
  return server;
}

const folder = mkdtempSync(join(tmpdir(), "corruption-"));
const fd = openSync(join(folder, "dump.rdb"), "w+");
afterAll(() => {
  closeSync(fd);
  rmSync(folder, { recursive: true });
});

/** Loads the bytes of a file. */
function load({ engine }: TestServer, bytes: Uint8Array): { readonly state: string; readonly isFatal: boolean } {
  ftruncateSync(fd, 0);
  writeSync(fd, bytes, 0, bytes.length, 0);
  const file = new RdbFileLoad(engine, fd, { replaces: false, keepsExpired: true });
  let state = file.step(Number.POSITIVE_INFINITY);
  while (state === "more") state = file.step(Number.POSITIVE_INFINITY);
  return { state: String(state), isFatal: file.isFatal };
}

const PATIENCE_MS = 120_000;

test(
  "a file that ends too early is refused, wherever it ends",
  () => {
    const bytes = rdbBytes(filledServer().engine);
    const server = victim({ sanitize: "no", checks: true });
    const client = server.connect();
    for (let end = 0; end < bytes.length; end++) {
      expect(load(server, bytes.subarray(0, end)), `at ${end}`).toEqual({ state: "failed", isFatal: true });
      client.raw("FLUSHALL");
    }
    expect(load(server, bytes).state).toBe("done");
    keyspaceCheck(server.engine.keyspace);
  },
  PATIENCE_MS,
);

test("a version that is no number is none: not one of before there were checksums", () => {
  const bytes = rdbBytes(filledServer().engine);
  const server = victim({ sanitize: "no", checks: true });
  for (const version of ["001p", "001 ", " 010", "0x10", "1   ", "+010"]) {
    const damaged = Buffer.concat([Buffer.from(`REDIS${version}`), bytes.subarray(9)]);
    expect(load(server, damaged).state, version).toBe("failed");
  }
});

seededTest(
  "a file with one bit that is another is refused, whichever it is",
  (random) => {
    const bytes = rdbBytes(filledServer().engine);
    const server = victim({ sanitize: "no", checks: true });
    const client = server.connect();
    for (let at = 0; at < bytes.length; at++) {
      const damaged = Buffer.from(bytes);
      damaged[at] ^= 1 << random.below(8);
      if (damaged.subarray(-8).every((byte) => byte === 0)) continue;
      expect(load(server, damaged).state, `at ${at}: ${damaged[at]}`).toBe("failed");
      client.raw("FLUSHALL");
    }
  },
  PATIENCE_MS,
);

for (const sanitize of ["yes", "no"] as const)
  seededTest(
    `without checksums damage is found, or harmless: sanitize-dump-payload ${sanitize}`,
    (random) => {
      const bytes = rdbBytes(filledServer().engine);
      const server = victim({ sanitize, checks: false });
      const client = server.connect();
      for (let at = 9; at < bytes.length; at++) {
        const damaged = Buffer.from(bytes);
        damaged[at] ^= 1 + random.below(255);
        const { state } = load(server, damaged);
        expect(["done", "failed"], `at ${at}: ${damaged[at]}`).toContain(state);
        try {
          if (sanitize === "yes") keyspaceCheck(server.engine.keyspace);
        } catch (error) {
          throw new Error(`at ${at}: ${damaged[at]}`, { cause: error });
        }
        client.raw("FLUSHALL");
      }
    },
    PATIENCE_MS,
  );

/** Payloads to be damaged: of all values, as three versions write them, and of old values. */
function payloads(): Buffer[] {
  const found: Buffer[] = [];
  for (const personality of ["redis", "valkey"] as const) {
    const client = filledServer(personality === "valkey" ? "valkey" : "redis").connect();
    const keys = new Set(SMALL.map((line) => line.split(" ")[1]!).filter((key) => key === key.toLowerCase()));
    for (const key of keys) {
      const reply = Buffer.from(client.raw("DUMP", key));
      if (reply[0] === 36) found.push(reply.subarray(reply.indexOf("\n") + 1, -2));
    }
  }
  const pairs = ["a", 1, "b", "2.5", 7, 300];
  found.push(
    payload(RdbType.ListZiplist, text(ziplist(["a", 1, "b", "w".repeat(260), 7]))),
    payload(RdbType.ListQuicklist, Buffer.concat([length(2), text(ziplist(["a", 1])), text(ziplist(["b"]))])),
    payload(RdbType.ZsetZiplist, text(ziplist(pairs))),
    payload(RdbType.HashZiplist, text(ziplist(pairs))),
    payload(
      RdbType.HashZipmap,
      text(
        zipmap(
          [
            ["a", "1"],
            ["b", "w".repeat(260)],
          ],
          2,
        ),
      ),
    ),
    payload(RdbType.Zset, Buffer.concat([length(2), text("a"), textScore("1.5"), text("b"), textScore("-inf")])),
  );
  return found;
}

/** Reads of every type: all but those of the right one answer WRONGTYPE. */
const READS: readonly string[][] = [
  ["DUMP", "k"],
  ["DEBUG", "DIGEST-VALUE", "k"],
  ["MEMORY", "USAGE", "k"],
  ["GET", "k"],
  ["LRANGE", "k", "0", "-1"],
  ["SMEMBERS", "k"],
  ["ZRANGE", "k", "0", "-1", "WITHSCORES"],
  ["HGETALL", "k"],
  ["XRANGE", "k", "-", "+"],
  ["XINFO", "STREAM", "k", "FULL"],
  ["COPY", "k", "copy", "REPLACE"],
];
const WRITES: readonly string[][] = [
  ["LPUSH", "k", "new"],
  ["RPOP", "k"],
  ["SADD", "k", "new", "17"],
  ["SPOP", "k"],
  ["ZADD", "k", "5", "new"],
  ["ZPOPMIN", "k"],
  ["HSET", "k", "new", "1", "a", "2"],
  ["HDEL", "k", "b"],
  ["XADD", "k", "*", "f", "v"],
  ["XTRIM", "k", "MAXLEN", "1"],
];

function mutate(random: Prng, bytes: Buffer): Buffer {
  const damaged = Buffer.from(bytes);
  for (let left = random.below(5) === 0 ? 2 : 1; left > 0; left--)
    damaged[random.below(damaged.length - 10)] = random.below(256);
  if (random.below(8) > 0) return damaged;
  const cut = random.below(damaged.length - 10);
  return Buffer.concat([damaged.subarray(0, cut), damaged.subarray(-10)]);
}

function useValue(client: TestClient, engine: TestServer["engine"], isChecked: boolean): void {
  for (const args of [...READS, ...WRITES, ...READS]) client.raw(...args);
  if (isChecked) keyspaceCheck(engine.keyspace);
}

for (const sanitize of ["yes", "no"] as const)
  seededTest(
    `damaged payloads: sanitize-dump-payload ${sanitize}`,
    (random) => {
      const originals = payloads();
      const { engine, connect } = victim({ sanitize, checks: false });
      const client = connect();
      const { arena } = engine.keyspace;
      for (const original of originals) {
        expect(Buffer.from(client.raw("RESTORE", "k", "0", original, "REPLACE")).toString()).toBe("+OK\r\n");
        keyspaceCheck(engine.keyspace);
        useValue(client, engine, true);
        client.raw("DEL", "k", "copy");
      }
      const used = arena.usedBytes;
      let taken = 0;
      for (let round = 0; round < 2500; round++) {
        const damaged = mutate(random, originals[random.below(originals.length)]!);
        const label = `round ${round}: ${damaged.toString("hex")}`;
        const reply = Buffer.from(client.raw("RESTORE", "k", "0", damaged, "REPLACE")).toString();
        try {
          if (reply === "+OK\r\n") {
            taken++;
            if (sanitize === "yes") keyspaceCheck(engine.keyspace);
            useValue(client, engine, sanitize === "yes");
          } else {
            expect(reply, label).toBeOneOf([
              "-ERR Bad data format\r\n",
              "-ERR DUMP payload version or checksum are wrong\r\n",
            ]);
            expect(arena.usedBytes, label).toBe(used);
          }
          client.raw("DEL", "k", "copy");
          expect(arena.usedBytes, label).toBe(used);
        } catch (error) {
          throw new Error(label, { cause: error });
        }
      }
      expect(taken).toBeGreaterThan(100);
    },
    PATIENCE_MS,
  );

test("what is taken unseen and cannot be read is kept as it is: no command works on it, and snapshots pass it over", () => {
  const server = victim({ sanitize: "no", checks: false });
  const { engine } = server;
  const client = server.connect();
  engine.keyspace.open();
  const used = engine.keyspace.arena.usedBytes;
  // A hash of listpack whose last element says that it is longer than the listpack.
  const listpack = "\x17\0\0\0\x04\0\x82a\0\x03\x82b\0\x03\x82a\0\x03\x8fd\0\x03\xff";
  const broken = payload(RdbType.HashListpack, text(listpack), 10);
  const raw = (...args: (string | Uint8Array)[]): string => Buffer.from(client.raw(...args)).toString("latin1");
  expect(raw("RESTORE", "k", "0", broken)).toBe("+OK\r\n");
  expect(raw("TYPE", "k")).toBe("+hash\r\n");
  for (const command of [["HGETALL"], ["GET"], ["HSET", "f", "v"], ["LPOP"], ["SORT"]])
    expect(raw(command[0]!, "k", ...command.slice(1))).toStartWith("-WRONGTYPE ");
  expect(raw("DUMP", "k")).toBe(`$${broken.length}\r\n${broken.toString("latin1")}\r\n`);
  expect(raw("COPY", "k", "copy")).toBe(":1\r\n");
  expect(raw("RENAME", "k", "renamed")).toBe("+OK\r\n");
  expect(raw("DUMP", "copy")).toBe(raw("DUMP", "renamed"));
  expect(raw("SET", "text", "value")).toBe("+OK\r\n");
  const saved = victim({ sanitize: "yes", checks: true });
  expect(load(saved, rdbBytes(engine)).state).toBe("done");
  expect(saved.connect().line("KEYS *")).toBe("1) text");
  expect(raw("SET", "renamed", "over it")).toBe("+OK\r\n");
  expect(raw("DEL", "copy", "renamed", "text")).toBe(":3\r\n");
  expect(engine.keyspace.arena.usedBytes).toBe(used);

  client.raw("CONFIG", "SET", "sanitize-dump-payload", "yes");
  expect(raw("RESTORE", "k", "0", broken)).toBe("-ERR Bad data format\r\n");
  expect(raw("EXISTS", "k")).toBe(":0\r\n");
});
