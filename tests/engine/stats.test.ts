// Rates, error statistics with their limit, turns of the event loop, the slow log's and the latency monitor's memory.

import { describe, expect, test } from "bun:test";
import { ManualClock } from "../../src/base/clock.ts";
import { ErrorStats, errorCode } from "../../src/engine/statistics/error-stats.ts";
import { LATENCY_SAMPLES_MAX, LatencyMonitor } from "../../src/engine/statistics/latency.ts";
import { SlowLog } from "../../src/engine/statistics/slowlog.ts";
import { Rate, Stats } from "../../src/engine/statistics/stats.ts";

describe("a rate", () => {
  test("is the mean of sixteen samples, of which the first only sets the base", () => {
    const rate = new Rate();
    rate.sample(0, 1e6, 1e6);
    expect(rate.mean).toBe(0);
    for (let i = 1; i <= 16; i++) rate.sample(i * 100, 1e6 + i * 100_000, 1e6);
    expect(rate.mean).toBe(1000);
    for (let i = 17; i <= 24; i++) rate.sample(1600, 1e6 + i * 100_000, 1e6);
    expect(rate.mean).toBe(500);
    rate.reset();
    expect(rate.mean).toBe(0);
  });

  test("of a base that does not grow is nothing", () => {
    const rate = new Rate();
    rate.sample(1, 5, 1);
    rate.sample(9, 5, 1);
    expect(rate.mean).toBe(0);
  });
});

describe("error statistics", () => {
  test("go by the first word, if it is not too long", () => {
    expect(errorCode("WRONGTYPE Operation against")).toBe("WRONGTYPE");
    expect(errorCode("LONELY")).toBe("ERR");
    expect(errorCode(`${"X".repeat(30)} y`)).toBe("X".repeat(30));
    expect(errorCode(`${"X".repeat(31)} y`)).toBe("ERR");
  });

  function fill(stats: ErrorStats): void {
    for (let i = 0; i < 128; i++) stats.count(`${String(i).padStart(3, "0")} text`, true);
  }

  test("give up beyond 128 codes and tell which there were, until they are reset", () => {
    const stats = new ErrorStats(false);
    const told: string[][] = [];
    stats.onDisabled = (codes) => told.push([...codes]);
    fill(stats);
    stats.count("005 again", true);
    expect(stats.get("005")).toBe(2);
    stats.count("NEW one", false);
    stats.count("NEW one", false);
    stats.count("005 again", true);
    expect(stats.entries()).toEqual([["ERRORSTATS_DISABLED", 1]]);
    expect(told).toHaveLength(1);
    expect(told[0]).toHaveLength(128);
    stats.reset();
    stats.count("NEW one", false);
    expect(stats.entries()).toEqual([["NEW", 1]]);
  });

  test("or count further codes of scripts together", () => {
    const stats = new ErrorStats(true);
    fill(stats);
    stats.count("A b", true);
    stats.count("C d", true);
    stats.count("ERR syntax error", false);
    stats.count("005 again", true);
    expect([stats.get("ERRORSTATS_OVERFLOW"), stats.get("ERR"), stats.get("005")]).toEqual([2, 1, 2]);
  });

  test("are listed in byte order", () => {
    const stats = new ErrorStats(false);
    for (const code of ["b", "a", "B", "_"]) stats.count(`${code} x`, false);
    expect(stats.entries().map(([code]) => code)).toEqual(["B", "_", "a", "b"]);
  });
});

test("a turn lasts from its beginning to the end of its last command", () => {
  const stats = new Stats();
  stats.beginTurn(0, 100);
  stats.commandsProcessed += 3;
  stats.beginTurn(150, 1000);
  stats.beginTurn(1010, 2000);
  expect([stats.turns, stats.turnsUs, stats.turnMaxUs, stats.turnCommandsMax]).toEqual([2, 60, 50, 3]);
  stats.endCron(2000, 2025);
  expect([stats.cronUs, stats.turnsUs]).toEqual([25, 60]);
  stats.reset();
  expect([stats.turns, stats.turnsUs, stats.cronUs, stats.turnCommandsMax]).toEqual([0, 0, 0, 0]);
});

describe("the slow log", () => {
  const entry = { time: 1, usec: 2, args: ["a"], address: "x:1", clientName: "" };

  test("keeps the newest and goes on counting ids", () => {
    const log = new SlowLog();
    log.thresholdUs = 0;
    log.lengthMax = 3;
    for (let i = 0; i < 1000; i++) log.add({ ...entry, usec: i });
    expect([log.length, log.newest(0).id, log.newest(2).id, log.newest(0).usec]).toEqual([3, 999, 997, 999]);
    const one = log.bytes / 3;
    log.lengthMax = 1;
    expect([log.length, log.newest(0).id, log.bytes]).toEqual([1, 999, one]);
    log.reset();
    log.add(entry);
    expect([log.length, log.newest(0).id, log.bytes]).toEqual([1, 1000, one]);
  });

  test("keeps what it has when it is switched off", () => {
    const log = new SlowLog();
    log.thresholdUs = 0;
    log.lengthMax = 5;
    log.add(entry);
    log.lengthMax = 0;
    expect([log.active, log.length]).toEqual([false, 1]);
  });
});

describe("the latency monitor", () => {
  function monitor(): { clock: ManualClock; latency: LatencyMonitor } {
    const clock = new ManualClock(1_700_000_000_000);
    const latency = new LatencyMonitor(clock);
    latency.thresholdMs = 10;
    return { clock, latency };
  }

  test("records what reaches the threshold, and nothing when that is 0", () => {
    const { latency } = monitor();
    latency.record("fork", 9.9);
    expect(latency.events.size).toBe(0);
    latency.record("fork", 10);
    expect(latency.events.get("fork")?.count).toBe(1);
    latency.thresholdMs = 0;
    latency.record("command", 1e6);
    expect(latency.events.size).toBe(1);
  });

  test("keeps the longest of a second, and 160 seconds", () => {
    const { clock, latency } = monitor();
    for (let i = 0; i < 200; i++) {
      for (const ms of [11, 20 + i, 12]) latency.record("command", ms);
      clock.advanceMs(1000);
    }
    const series = latency.events.get("command")!;
    expect(series.count).toBe(LATENCY_SAMPLES_MAX);
    expect([series.time(0), series.latency(0)]).toEqual([1_700_000_040, 60]);
    expect([series.time(159), series.latency(159), series.max]).toEqual([1_700_000_199, 219, 219]);
    expect(latency.summary(series)).toEqual({
      samples: 160,
      averageMs: 139,
      deviationMs: 40,
      periodSeconds: 1,
    });
  });

  test("forgets one event in any case of letters, or all", () => {
    const { latency } = monitor();
    for (const event of ["fork", "command", "expire-cycle"]) latency.record(event, 50);
    expect([latency.resetEvent("FORK"), latency.resetEvent("nothing"), latency.reset(), latency.reset()]).toEqual([
      1, 0, 2, 0,
    ]);
  });
});
