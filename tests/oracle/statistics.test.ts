// The statistics of the same commands on a real redis-server and on ours: calls, failures and rejections of each command, errors by code, the
// slow log's entries, and the latency graph of the same samples.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { Prng } from "../../src/base/prng.ts";
import { latencyGraph } from "../../src/commands/server/latency-graph.ts";
import { LatencySeries } from "../../src/engine/statistics/latency.ts";
import { testSeed } from "../base/seeded.ts";
import type { RespClient } from "../support/client.ts";
import { describeOracle, startOracle } from "../support/oracle.ts";
import type { RunningServer } from "../support/process.ts";
import type { Reply } from "../support/reply.ts";
import { startServer } from "../support/server.ts";
import { Draw } from "./draw.ts";

const COMMANDS = 1500;

/** Commands that succeed, fail and are refused, alone and in transactions. */
function drawCommand(draw: Draw): string[] {
  return draw.pick([
    ["SET", draw.key(), draw.value()],
    ["SET", draw.key()],
    ["SET", draw.key(), "v", "NOSUCH"],
    ["GET", draw.key()],
    ["INCR", draw.key()],
    ["APPEND", draw.key(), draw.value()],
    ["GETRANGE", draw.key(), draw.integer(), draw.integer()],
    ["EXPIRE", draw.key(), draw.pick(["100", "x", "-1"])],
    ["DEL", draw.key()],
    ["MULTI"],
    ["EXEC"],
    ["DISCARD"],
    ["WATCH", draw.key()],
    ["PING"],
    ["PING", "a", "b"],
    ["NOSUCH", draw.value()],
    ["CLIENT", "ID"],
    ["CLIENT", "NOSUCH"],
    ["CONFIG", "GET", "hz"],
    ["CONFIG", "SET", "hz", draw.pick(["10", "x"])],
    ["CONFIG", "SET", "nosuch", "1"],
    ["CONFIG", "SET", "requirepass", ""],
    ["SLOWLOG", "GET", "-2"],
    ["OBJECT", "ENCODING", draw.key()],
    ["SELECT", draw.pick(["0", "99", "x"])],
    ["ECHO"],
    ["GET", "x".repeat(draw.pick([127, 128, 129, 300]))],
    ["MGET", ...draw.times(draw.pick([30, 31, 32, 40]), () => draw.key())],
    ["DBSIZE"],
  ]);
}

/** Lines of an INFO section without times, sorted. */
function counts(info: Reply): string[] {
  return String(info)
    .split("\r\n")
    .filter((line) => line.includes(":"))
    .map((line) => line.replace(/usec=.*?,usec_per_call=.*?,/, ""))
    .sort();
}

/** Ids and arguments of slow log entries. */
function entries(reply: Reply): unknown[] {
  if (!Array.isArray(reply)) throw new Error("SLOWLOG GET did not answer an array");
  return reply.map((entry) => (Array.isArray(entry) ? [entry[0], entry[3], entry[5]] : entry));
}

describeOracle("statistics", () => {
  let theirs: RunningServer;
  let ours: RunningServer;

  beforeAll(async () => {
    // Both number their entries from the first that is slow: a first command may take 10 ms on a busy machine, and would be one.
    const unlogged = ["--slowlog-log-slower-than", "-1"];
    theirs = await startOracle(["--enable-debug-command", "yes", ...unlogged]);
    ours = await startServer(unlogged);
  });

  afterAll(async () => {
    await theirs?.stop();
    await ours?.stop();
  });

  async function play(client: RespClient, seed: number): Promise<Record<string, unknown[]>> {
    const draw = new Draw(new Prng(seed));
    await client.must("CLIENT", "SETNAME", "oracle");
    await client.must("CONFIG", "SET", "slowlog-log-slower-than", "0", "slowlog-max-len", "100000");
    await client.must("SLOWLOG", "RESET");
    await client.must("CONFIG", "RESETSTAT");
    for (let i = 0; i < COMMANDS; i++) await client.call(...drawCommand(draw));
    await client.call("DISCARD");
    await client.must("CONFIG", "SET", "slowlog-log-slower-than", "-1");
    const commandstats = counts(await client.must("INFO", "commandstats"));
    const errorstats = counts(await client.must("INFO", "errorstats"));
    const stats = counts(await client.must("INFO", "stats")).filter((line) =>
      /^(?:total_commands_processed|total_error_replies|keyspace_hits|keyspace_misses|unexpected_error)/.test(line),
    );
    return { commandstats, errorstats, stats, slowlog: entries(await client.must("SLOWLOG", "GET", "-1")) };
  }

  test("of commands that succeed, fail and are refused", async () => {
    const seed = testSeed();
    const [their, our] = [await theirs.connect(), await ours.connect()];
    const expected = await play(their, seed);
    const actual = await play(our, seed);
    expect(expected.slowlog!.length).toBeGreaterThan(COMMANDS / 2);
    for (const part of Object.keys(expected))
      expect({ seed, part: actual[part] }).toEqual({ seed, part: expected[part] });
    their.close();
    our.close();
  }, 60_000);

  test("latency graph of the same samples", async () => {
    const client = await theirs.connect();
    await client.must("CONFIG", "SET", "latency-monitor-threshold", "1");
    const pauseMs = 1010;
    for (const seconds of ["0.03", "0.06", "0.012", "0.045"]) {
      await client.must("DEBUG", "SLEEP", seconds);
      await Bun.sleep(pauseMs);
    }
    // One transaction, so that both see the same second; its own EXEC is no sample yet.
    await client.must("MULTI");
    for (const question of [
      ["HISTORY", "command"],
      ["GRAPH", "command"],
    ])
      await client.must("LATENCY", ...question);
    await client.must("TIME");
    const replies = await client.must("EXEC");
    client.close();
    if (!Array.isArray(replies)) throw new Error("EXEC did not answer an array");
    const [history, graph, time] = replies as [[number, number][], string, string[]];
    const series = new LatencySeries();
    for (const [second, latency] of history) series.add(Number(second), Number(latency));
    // The graph goes by a clock that lags a few milliseconds behind that of TIME: it may still be in the second before.
    const now = Number(time[0]);
    expect([latencyGraph("command", series, now), latencyGraph("command", series, now - 1)]).toContain(graph);
  }, 30_000);
});
