// Random commands of all types on the same keys, in process (REDIS_TS_FUZZ_ROUNDS rounds): whatever they do, values stay well formed, come out of DUMP and COPY as they were, and leave
// no memory behind when they are gone. Covers the commands that are newer than the redis-server which the oracle compares with.

import { expect, test } from "bun:test";
import { Prng } from "../../src/base/prng.ts";
import { dictOverheadBytes } from "../../src/struct/dict/dict.ts";
import { testSeed } from "../base/seeded.ts";
import { Draw, JUNK, KEYS } from "../oracle/draw.ts";
import { generator as mixed } from "../oracle/generators/mixed.ts";
import { keyspaceCheck } from "../rdb/value-check.ts";
import { type TestClient, type TestServer, testServer } from "../support/engine.ts";

const ROUNDS = Number(process.env.REDIS_TS_FUZZ_ROUNDS ?? 3);
const COMMANDS = 1500;
const LIMIT_MS = 30_000 + ROUNDS * 10_000;
const INDEX_BYTES = 48;

const bytes = (text: string): Uint8Array => Buffer.from(text, "latin1");

/** Fields and ids that the generators of the oracle draw too, so that the newer commands find something. */
function field(draw: Draw): string {
  return draw.pick(["f", "g", "field:3", "1", "", "x".repeat(64), `f${draw.below(20)}`]);
}

function fields(draw: Draw, withValues: boolean): string[] {
  const names = draw.times(draw.between(1, 4), () => field(draw));
  const count = draw.chance(90) ? String(names.length) : draw.pick(["0", "-1", "9", ...JUNK]);
  return [draw.token("FIELDS"), count, ...names.flatMap((name) => (withValues ? [name, draw.value()] : [name]))];
}

function expiry(draw: Draw): string[] {
  const now = 1_700_000_000;
  return draw.pick([
    ["EX", String(draw.between(-1, 30))],
    ["PX", String(draw.between(1, 30_000))],
    ["EXAT", String(now + draw.between(-5, 60))],
    ["PXAT", String((now + draw.between(-5, 60)) * 1000)],
    ["PERSIST"],
    ["KEEPTTL"],
    [],
  ]);
}

function ids(draw: Draw): string[] {
  const list = draw.times(draw.between(1, 4), () =>
    draw.pick(["1-1", "5", "0-1", "1-*", `${draw.below(40)}-${draw.below(3)}`]),
  );
  return ["IDS", draw.chance(90) ? String(list.length) : draw.pick(["0", "7", "x"]), ...list];
}

/** A command that redis-server 7.0 does not have. */
function newer(draw: Draw): string[] {
  const key = draw.key();
  const when = draw.chance(30) ? [draw.pick(["NX", "XX", "GT", "LT"])] : [];
  const references = draw.pick([[], ["KEEPREF"], ["DELREF"], ["ACKED"]]);
  return draw.weighted<string[]>([
    [
      3,
      () => [
        draw.pick(["HEXPIRE", "HPEXPIRE"]),
        key,
        String(draw.between(-1, 20_000)),
        ...when,
        ...fields(draw, false),
      ],
    ],
    [2, () => ["HEXPIREAT", key, String(1_700_000_000 + draw.between(-5, 60)), ...when, ...fields(draw, false)]],
    [2, () => ["HPEXPIREAT", key, String(1_700_000_000_000 + draw.between(-5000, 60_000)), ...fields(draw, false)]],
    [2, () => [draw.pick(["HTTL", "HPTTL", "HEXPIRETIME", "HPEXPIRETIME", "HPERSIST"]), key, ...fields(draw, false)]],
    [2, () => ["HGETDEL", key, ...fields(draw, false)]],
    [3, () => ["HGETEX", key, ...expiry(draw), ...fields(draw, false)]],
    [4, () => ["HSETEX", key, ...draw.pick([[], ["FNX"], ["FXX"]]), ...expiry(draw), ...fields(draw, true)]],
    [3, () => ["XDELEX", key, ...references, ...ids(draw)]],
    [2, () => ["XACKDEL", key, "g", ...references, ...ids(draw)]],
    [2, () => ["XADD", key, ...references, "MAXLEN", String(draw.below(6)), "*", "f", draw.value()]],
    [2, () => ["XTRIM", key, draw.pick(["MAXLEN", "MINID"]), String(draw.below(20)), ...references]],
    [2, () => ["XREADGROUP", "GROUP", "g", "c", "CLAIM", String(draw.below(50)), "STREAMS", key, ">"]],
    [
      2,
      () => [
        "MSETEX",
        "2",
        key,
        draw.value(),
        draw.key(),
        draw.value(),
        ...draw.pick([[], ["NX"], ["XX"]]),
        ...expiry(draw),
      ],
    ],
    [
      2,
      () => [
        "DELEX",
        key,
        ...draw.pick([[], ["IFEQ", draw.value()], ["IFNE", draw.value()], ["IFDEQ", "0".repeat(16)]]),
      ],
    ],
    [1, () => ["DIGEST", key]],
    [2, () => ["SET", key, draw.value(), draw.pick(["IFEQ", "IFNE"]), draw.value()]],
    [1, () => ["BITOP", draw.pick(["DIFF", "DIFF1", "ANDOR", "ONE"]), key, draw.key(), draw.key()]],
    [1, () => ["ZRANK", key, "m", "WITHSCORE"]],
    [1, () => ["HSCAN", key, "0", "NOVALUES"]],
    [1, () => ["GEOSEARCH", key, "FROMLONLAT", "15", "37", "BYPOLYGON", "3", "0", "0", "30", "0", "15", "60"]],
  ]);
}

function drawCommand(draw: Draw): readonly string[] {
  if (draw.chance(25)) return newer(draw);
  const drawn = mixed.draw(draw);
  return "args" in drawn ? drawn.args : drawn;
}

function connect(server: TestServer): TestClient {
  const client = server.connect();
  client.raw("CLIENT", "NO-TOUCH", "ON");
  return client;
}

/** The reply's bytes as a latin1 text. */
function ask(client: TestClient, ...args: (string | Uint8Array | number)[]): string {
  return Buffer.from(client.raw(...args)).toString("latin1");
}

/** The content of a bulk string; null when it is nil. */
function bulk(reply: string): Uint8Array | null {
  return reply.startsWith("$-1") || reply.startsWith("_") ? null : bytes(reply.slice(reply.indexOf("\n") + 1, -2));
}

/** Copies of a value, by COPY and by way of DUMP, are equal to it. */
function checkCopies(client: TestClient, key: Uint8Array): void {
  const dump = bulk(ask(client, "DUMP", key));
  if (dump === null) return;
  const digest = ask(client, "DEBUG", "DIGEST-VALUE", key);
  const plain = ask(client, "TTL", key) === ":-1\r\n";
  for (const copy of [
    ["RESTORE", "copy", 0, dump, "REPLACE"],
    ["COPY", key, "copy", "REPLACE"],
  ]) {
    expect(ask(client, ...copy)).not.toStartWith("-");
    // The digest tells whether a key expires; RESTORE was given no time.
    if (plain) expect([copy[0], ask(client, "DEBUG", "DIGEST-VALUE", "copy")]).toEqual([copy[0]!, digest]);
  }
  client.raw("DEL", "copy");
}

/** Deletes every key and all that was put off. */
function deleteAll(server: TestServer, client: TestClient): void {
  const { keyspace } = server.engine;
  for (const db of keyspace.databases) {
    client.raw("SELECT", db.id);
    while (db.size > 0) client.raw("UNLINK", bulk(ask(client, "RANDOMKEY")) ?? "");
  }
  client.raw("SELECT", 0);
  while (!keyspace.lazyFree.idle) keyspace.lazyFree.step(1000);
}

/** Bytes of the tables of keys, whose size depends on how many there were. */
function emptyTableBytes({ engine: { keyspace } }: TestServer): number {
  let sum = 0;
  for (const db of keyspace.databases) {
    sum += dictOverheadBytes(keyspace.arena, db.dict);
    if (db.expires !== 0) sum += dictOverheadBytes(keyspace.arena, db.expires);
  }
  return sum;
}

test(
  "values stay well formed, can be copied, and leave nothing behind",
  () => {
    const seed = testSeed();
    const draw = new Draw(new Prng(seed));
    const server = testServer({ seed });
    expect(server.engine.config.loadText("enable-debug-command yes\n")).toBeNull();
    const { keyspace } = server.engine;
    const left: number[] = [];
    let last: readonly string[] = [];
    try {
      for (let round = 0; round < ROUNDS; round++) {
        let client = connect(server);
        for (let i = 0; i < COMMANDS; i++) {
          last = drawCommand(draw);
          client.raw(...last.map(bytes));
          if (client.client.halted !== 0 || client.closed) {
            client.close();
            client = connect(server);
          }
          if (draw.chance(2)) server.advance(draw.between(1, 3000));
          if (i % 100 === 0) keyspaceCheck(keyspace);
        }
        client.send("SELECT", 0);
        for (const key of KEYS) checkCopies(client, bytes(key));
        keyspaceCheck(keyspace);
        deleteAll(server, client);
        client.close();
        left.push(keyspace.arena.usedBytes - emptyTableBytes(server));
      }
    } catch (error) {
      throw new Error(`seed ${seed}, after ${JSON.stringify(last).slice(0, 2000)}`, { cause: error });
    }
    // A database keeps the header of its index of hashes whose fields expire.
    expect(Math.max(...left)).toBeLessThanOrEqual(keyspace.databases.length * INDEX_BYTES);
  },
  LIMIT_MS,
);
