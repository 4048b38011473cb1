import { describe, expect, test } from "bun:test";
import { ManualClock, SystemClock } from "../../src/base/clock.ts";

describe("SystemClock", () => {
  test("milliseconds and microseconds tell the same time", () => {
    const clock = new SystemClock();
    for (let i = 0; i < 200; i++) {
      const before = clock.nowMs();
      const us = clock.nowUs();
      const after = clock.nowMs();
      expect(Number.isSafeInteger(us)).toBe(true);
      expect(us).toBeGreaterThanOrEqual(before * 1000);
      expect(us).toBeLessThan((after + 1) * 1000);
    }
  });

  test("the monotonic clock goes on, in microseconds", async () => {
    const clock = new SystemClock();
    const start = clock.monotonicUs();
    let last = start;
    for (let i = 0; i < 1000; i++) {
      const now = clock.monotonicUs();
      expect(now).toBeGreaterThanOrEqual(last);
      last = now;
    }
    await Bun.sleep(5);
    expect(clock.monotonicUs() - start).toBeGreaterThan(4000);
  });
});

test("the time of the thread goes on while it works, and not while it sleeps", async () => {
  const clock = new SystemClock();
  const start = clock.threadUs();
  while (clock.threadUs() === start);
  const [wallUs, threadUs] = [clock.monotonicUs(), clock.threadUs()];
  await Bun.sleep(50);
  expect(clock.threadUs() - threadUs).toBeLessThan(clock.monotonicUs() - wallUs);
});

test.if(process.platform === "linux")("the time of the thread goes on between any two questions", () => {
  const clock = new SystemClock();
  for (let i = 0; i < 1000; i++) expect(clock.threadUs()).toBeLessThan(clock.threadUs());
});

describe("ManualClock", () => {
  test("moves only when told", () => {
    const clock = new ManualClock(1_700_000_000_000);
    expect([clock.nowMs(), clock.nowUs(), clock.monotonicUs()]).toEqual([1_700_000_000_000, 1_700_000_000_000_000, 0]);
    clock.advanceMs(10);
    clock.advanceUs(999);
    expect([clock.nowMs(), clock.nowUs(), clock.monotonicUs()]).toEqual([
      1_700_000_000_010, 1_700_000_000_010_999, 10_999,
    ]);
    clock.advanceUs(1);
    expect(clock.nowMs()).toBe(1_700_000_000_011);
  });

  test("a stepped wall clock leaves the monotonic one alone", () => {
    const clock = new ManualClock(5000);
    clock.advanceMs(1);
    clock.setMs(1000);
    expect([clock.nowMs(), clock.monotonicUs()]).toEqual([1000, 1000]);
    expect(() => clock.advanceUs(-1)).toThrow(RangeError);
  });
});
