// What is logged, loaded again, gives the same data set: random commands of all families, through the log and through a rewrite.

import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Prng } from "../../src/base/prng.ts";
import { ExpireCycle } from "../../src/keyspace/expire-cycle.ts";
import { testSeed } from "../base/seeded.ts";
import { DATA_FAMILIES } from "../oracle/data-families.ts";
import { Draw } from "../oracle/draw.ts";
import type { Generator } from "../oracle/generator.ts";
import { type TestClient, type TestServer, testServer } from "../support/engine.ts";
import { parseReply } from "../support/reply.ts";
import { LogCollector, loadCommands, rewritten, streamCommands } from "./aof-support.ts";
import { pictureOf } from "./digest-format.ts";

const folder = mkdtempSync(join(tmpdir(), "aof-replay-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** More than redis-server 7.0 knows. */
const newer: Generator = {
  family: "newer",
  draw: (draw) => {
    const key = draw.key();
    const field = draw.value();
    return draw.pick([
      ["HPEXPIRE", key, draw.pick(["1", "50", "100000"]), "FIELDS", "1", field],
      ["HSET", key, field, draw.value(), draw.value(), draw.value()],
      ["HGETEX", key, "PX", "100", "FIELDS", "1", field],
      ["HSETEX", key, "PX", "100", "FIELDS", "1", field, draw.value()],
      ["HGETDEL", key, "FIELDS", "1", field],
      ["HPERSIST", key, "FIELDS", "1", field],
      ["PEXPIRE", key, draw.pick(["1", "50", "100000", "-1"])],
      ["SET", key, draw.value(), "PX", draw.pick(["1", "20", "100000"])],
      ["GETEX", key, "PX", "30"],
      ["SPOP", key, "2"],
      ["XADD", key, "*", field, "1"],
      ["XDELEX", key, "ACKED", "IDS", "1", "1-1"],
    ]);
  },
};

const FAMILIES = [...DATA_FAMILIES, newer];
const LEFT_OUT = /^(?:SHUTDOWN|QUIT|CLIENT|MONITOR|P?SUBSCRIBE|SSUBSCRIBE|CONFIG|DEBUG|SWAPDB|FLUSHALL|FLUSHDB)$/i;

/** Random commands of one family on some connections; time goes on now and then. */
function traffic(server: TestServer, family: Generator, seed: number, count: number): void {
  const prng = new Prng(seed);
  const draw = new Draw(prng);
  const cycle = new ExpireCycle(server.engine.keyspace, server.clock);
  const clients: TestClient[] = [server.connect(), server.connect(), server.connect()];
  for (let n = 0; n < count; n++) {
    const drawn = family.draw(draw);
    const args = "args" in drawn ? drawn.args : drawn;
    const i = prng.below(clients.length);
    if (args.length === 0 || LEFT_OUT.test(args[0])) continue;
    if (clients[i].closed || clients[i].client.halted !== 0) {
      clients[i].close();
      clients[i] = server.connect();
      clients[i].send("SELECT", prng.below(3));
    }
    clients[i].raw(...args.map((arg) => Buffer.from(arg, "latin1")));
    if (prng.below(10) === 0) server.advance(prng.below(60));
    if (prng.below(50) === 0) cycle.run(1000);
    if (prng.below(100) === 0) clients[i].raw("SELECT", String(prng.below(3)));
    if (prng.below(300) === 0)
      clients[i].raw(prng.below(2) === 0 ? "FLUSHDB" : "SWAPDB", ...(prng.below(2) === 0 ? [] : ["0", "1"]));
  }
  for (const client of clients) client.close();
}

/** Deletes what has expired, with word of it. */
function settle(server: TestServer): void {
  const client = server.connect();
  for (const name of pictureOf(server.engine.keyspace).keys()) {
    const at = name.indexOf(" ");
    const key = Buffer.from(name.slice(at + 1), "latin1");
    client.send("SELECT", name.slice(0, at));
    client.raw("EXISTS", key);
    client.raw("HGETALL", key);
    withoutNegativeZero(client, key);
  }
  const cycle = new ExpireCycle(server.engine.keyspace, server.clock);
  for (let i = 0; i < 50; i++) cycle.run(1000);
  client.close();
}

/** Makes scores of -0 scores of 0: small sorted sets do not tell them apart, large ones do, and loading begins small. */
function withoutNegativeZero(client: TestClient, key: Uint8Array): void {
  const members = parseReply(Buffer.from(client.raw("ZRANGEBYSCORE", key, "0", "0")), 0)?.reply;
  if (!Array.isArray(members)) return;
  for (const member of members) {
    const bytes = Buffer.from(String(member), "latin1");
    client.raw("ZADD", key, "1", bytes);
    client.raw("ZADD", key, "0", bytes);
  }
}

/** A server that has loaded a log, at the time of another one. */
function loaded(of: TestServer, log: Uint8Array): TestServer {
  const server = testServer();
  server.advance(of.clock.nowMs() - server.clock.nowMs());
  const { outcome, lines } = loadCommands(server.engine, folder, log);
  expect({ outcome, lines }).toEqual({ outcome: "loaded", lines: [] });
  return server;
}

describe("the log of random commands, loaded again", () => {
  for (const family of FAMILIES) {
    test(family.family, () => {
      const seed = testSeed();
      const server = testServer({ seed });
      const log = new LogCollector(server.engine);
      traffic(server, family, seed, 3000);
      settle(server);
      const twin = loaded(server, log.bytes);
      expect(pictureOf(twin.engine.keyspace), `seed ${seed}`).toEqual(pictureOf(server.engine.keyspace));
      expect(streamCommands(rewritten(twin.engine)), `seed ${seed}`).toEqual(streamCommands(rewritten(server.engine)));
    });
  }
});

describe("a rewrite, loaded", () => {
  for (const family of FAMILIES) {
    test(family.family, () => {
      const seed = testSeed() + 1;
      const server = testServer({ seed });
      traffic(server, family, seed, 2000);
      settle(server);
      const log = rewritten(server.engine, 1);
      expect(log.length > 0, "something was written").toBe(true);
      const twin = loaded(server, log);
      expect(pictureOf(twin.engine.keyspace), `seed ${seed}`).toEqual(pictureOf(server.engine.keyspace));
    });
  }
});
