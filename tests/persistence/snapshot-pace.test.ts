// How fast a snapshot walks.

import { expect, test } from "bun:test";
import { SnapshotPace } from "../../src/persistence/snapshot/snapshot-pace.ts";

/** The share of the time that slices take of a server where a share `load` of the samples meets clients. */
function shareAt(load: number, isAwaited = false): number {
  const pace = new SnapshotPace();
  let met = 0;
  let sliceUs = 0;
  let totalUs = 0;
  for (let i = 0; i < 10_000; i++) {
    const meets = met + load >= 1;
    met += load - (meets ? 1 : 0);
    pace.sample(meets);
    if (i < 100) continue;
    sliceUs += pace.sliceUs;
    totalUs += pace.sliceUs + pace.pauseUs(pace.sliceUs, isAwaited);
  }
  return sliceUs / totalUs;
}

test("a server that nobody uses is walked at full speed", () => {
  expect(shareAt(0)).toBe(1);
  expect(new SnapshotPace().sliceUs).toBe(1000);
});

test("a server that is always busy gives a small share, but gives it", () => {
  expect(shareAt(1)).toBeGreaterThan(0.02);
  expect(shareAt(1)).toBeLessThan(0.08);
});

test("it gives more when replicas wait", () => {
  expect(shareAt(1, true)).toBeCloseTo(0.25, 1);
  expect(shareAt(0, true)).toBe(1);
});

test("a server in between gives half of what clients leave", () => {
  expect(shareAt(0.5)).toBeCloseTo(0.25, 1);
});

test("on a processor that others use, too, the share is one of what this process gets", () => {
  const pace = new SnapshotPace();
  for (let i = 0; i < 100; i++) pace.sample(true);
  const alonePauseUs = pace.pauseUs(250);
  for (let i = 0; i < 100; i++) pace.rested(2000, 1000);
  expect(pace.pauseUs(250) / alonePauseUs).toBeCloseTo(2, 1);
  for (let i = 0; i < 100; i++) pace.rested(2000, 0);
  expect(pace.pauseUs(250) / alonePauseUs).toBeLessThan(4);
});

test("a server that waits for clients is not taken for one that others hold up", () => {
  const pace = new SnapshotPace();
  for (let i = 0; i < 1000; i++) pace.sample(i % 2 === 0);
  const pauseUs = pace.pauseUs(250);
  for (let i = 0; i < 100; i++) pace.rested(2000, 1000);
  // 0.5 instead of the last samples' 0.47.
  expect(pace.pauseUs(250) / pauseUs).toBeLessThan(1.25);
});

test("a server whose thread hardly rests is busy although few samples meet clients", () => {
  const pace = new SnapshotPace();
  for (let i = 0; i < 1000; i++) {
    pace.sample(i % 2 === 0);
    pace.rested(8000, 7900);
  }
  expect(pace.pauseUs(250)).toBeGreaterThan(250 / 0.08);
  // Slices that follow one another leave no time to rest, which does not make the server busy.
  const idle = new SnapshotPace();
  for (let i = 0; i < 100; i++) {
    idle.sample(false);
    idle.rested(20, 20);
  }
  expect(idle.pauseUs(250)).toBe(0);
});

test("a slice that took long is followed by a long pause", () => {
  const pace = new SnapshotPace();
  for (let i = 0; i < 100; i++) pace.sample(true);
  expect(pace.pauseUs(10_000)).toBeGreaterThan(80_000);
});
