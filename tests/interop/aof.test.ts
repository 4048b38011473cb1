// Append-only files that redis-server writes, and ours, each loaded by the other.

import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Prng } from "../../src/base/prng.ts";
import { testSeed } from "../base/seeded.ts";
import { Draw, KEYS } from "../oracle/draw.ts";
import type { Generator } from "../oracle/generator.ts";
import { generator as bitmap } from "../oracle/generators/bitmap.ts";
import { generator as generic } from "../oracle/generators/generic.ts";
import { generator as geo } from "../oracle/generators/geo.ts";
import { generator as hash } from "../oracle/generators/hash.ts";
import { generator as list } from "../oracle/generators/list.ts";
import { generator as set } from "../oracle/generators/set.ts";
import { generator as stream } from "../oracle/generators/stream.ts";
import { generator as strings } from "../oracle/generators/strings.ts";
import type { RespClient } from "../support/client.ts";
import { describeOracle, startOracle } from "../support/oracle.ts";
import type { RunningServer } from "../support/process.ts";
import { startServer } from "../support/server.ts";

/** Sorted sets with scores that both servers print alike: digests are made of what is printed. */
const zset: Generator = {
  family: "quarters",
  draw: (draw) => {
    const key = draw.key();
    const quarters = String(draw.below(4000) / 4 - 500);
    return draw.pick([
      ["ZADD", key, quarters, draw.value()],
      ["ZADD", key, quarters, draw.value()],
      ["ZINCRBY", key, quarters, draw.value()],
      ["ZREM", key, draw.value()],
      ["ZPOPMIN", key],
      ["ZREMRANGEBYRANK", key, "1", "2"],
      ["ZRANGESTORE", key, draw.key(), "0", "-1"],
      ["ZUNIONSTORE", key, "2", draw.key(), draw.key()],
    ]);
  },
};

/** Each in a database of its own. */
const FAMILIES: readonly Generator[] = [bitmap, generic, geo, hash, list, set, stream, strings, zset];
const COMMANDS = 400;
const BATCH = 50;
const LEFT_OUT = /^(?:B[LRZ]|SELECT|SWAPDB|MOVE|COPY|FLUSH|DEBUG|CLIENT|CONFIG|XREAD|SHUTDOWN)/i;

const folder = mkdtempSync(join(tmpdir(), "aof-interop-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Fills every database with what random commands of a family leave, and with values large enough for the encodings of large ones. */
async function fill(client: RespClient, seed: number): Promise<void> {
  for (const [id, family] of FAMILIES.entries()) {
    const draw = new Draw(new Prng(seed + id));
    await client.must("SELECT", id);
    let batch: (readonly string[])[] = [];
    for (let n = 0; n < COMMANDS; n++) {
      const drawn = family.draw(draw);
      const args = "args" in drawn ? drawn.args : drawn;
      if (args.length > 0 && !LEFT_OUT.test(args[0])) batch.push(args);
      if (batch.length === BATCH || n === COMMANDS - 1) {
        await client.pipeline(batch);
        batch = [];
      }
    }
  }
  await client.must("SELECT", 10);
  const large = Array.from({ length: 700 }, (_, i) => `element:${i}:${seed}`);
  await client.must("DEL", "large:list", "large:set", "large:zset", "large:hash", "large:stream");
  await client.must("RPUSH", "large:list", ...large);
  await client.must("SADD", "large:set", ...large);
  await client.must("ZADD", "large:zset", ...large.flatMap((element, i) => [i / 8, element]));
  await client.must("HSET", "large:hash", ...large.flatMap((element, i) => [element, i]));
  await client.must("SET", "large:string", "v".repeat(300_000), "EX", 100_000);
  for (let i = 0; i < 250; i++) await client.must("XADD", "large:stream", `${i + 1}-1`, "f", i, "g", large[i]);
  // What redis-server logs of this keeps the limit, which no client may give with an exact length.
  for (let i = 0; i < 250; i++)
    await client.must("XADD", "large:trimmed", "MAXLEN", "~", 100, "LIMIT", 1000, "*", "f", i);
  await client.call("XGROUP", "CREATE", "large:stream", "group", 0);
  await client.must("XREADGROUP", "GROUP", "group", "consumer", "COUNT", 20, "STREAMS", "large:stream", ">");
}

/** What a server holds: nothing that has expired counts. */
async function contentOf(client: RespClient): Promise<unknown> {
  const sizes: unknown[] = [];
  for (let id = 0; id <= 10; id++) {
    await client.must("SELECT", id);
    await client.pipeline(KEYS.map((key) => ["EXISTS", key]));
    sizes.push(await client.must("DBSIZE"));
  }
  const pending = await client.must("XPENDING", "large:stream", "group");
  return { sizes, pending, digest: await client.must("DEBUG", "DIGEST") };
}

type Start = (args: readonly string[]) => Promise<RunningServer>;

/** One server after the other goes on with the same log. */
async function relay(starts: readonly Start[], preamble: string, rewrites: boolean): Promise<void> {
  const dir = mkdtempSync(join(folder, "dir-"));
  let before: unknown = null;
  for (const [turn, start] of starts.entries()) {
    const server = await start([
      ...["--dir", dir, "--appendonly", "yes", "--enable-debug-command", "yes"],
      ...["--aof-use-rdb-preamble", preamble, "--databases", "16"],
    ]);
    try {
      const client = await server.connect();
      expect(server.log(), `seed ${testSeed()}, turn ${turn}`).not.toContain("CRITICAL");
      if (turn > 0) expect(await contentOf(client), `seed ${testSeed()}, turn ${turn}`).toEqual(before);
      await fill(client, testSeed() + turn * 100);
      if (rewrites) {
        await client.must("BGREWRITEAOF");
        await server.waitForLog("Background AOF rewrite finished successfully");
        await client.must("SET", "after", "the rewrite");
      }
      before = await contentOf(client);
      client.close();
    } finally {
      await server.stop();
    }
    await check(join(dir, "appendonlydir", "appendonly.aof.manifest"));
  }
}

async function check(manifest: string): Promise<void> {
  const child = Bun.spawn(["redis-check-aof", manifest], { stdout: "pipe", stderr: "pipe" });
  const out = await new Response(child.stdout).text();
  expect({ status: await child.exited, out }).toEqual({
    status: 0,
    out: expect.stringContaining("All AOF files and manifest are valid"),
  });
}

describeOracle("append-only files go to and fro", () => {
  for (const preamble of ["yes", "no"]) {
    for (const rewrites of [false, true]) {
      const how = `rdb preamble ${preamble}, ${rewrites ? "rewritten" : "as it grew"}`;
      describe(how, () => {
        test("ours, theirs, ours", () => relay([startServer, startOracle, startServer], preamble, rewrites), 60_000);
        test("theirs, ours, theirs", () => relay([startOracle, startServer, startOracle], preamble, rewrites), 60_000);
      });
    }
  }
});
