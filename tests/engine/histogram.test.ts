// Latency histograms against the values themselves: buckets of two significant digits, percentiles, cumulative counts.

import { describe, expect, test } from "bun:test";
import type { Prng } from "../../src/base/prng.ts";
import {
  bucketEnd,
  bucketIndex,
  bucketStart,
  cumulativeCounts,
  HISTOGRAM_LENGTH,
  histogramCount,
  newHistogram,
  percentileNs,
  recordLatency,
} from "../../src/engine/statistics/histogram.ts";
import { seededTest } from "../base/seeded.ts";

const NS_MAX = 2 ** 30 - 1;

/** A bucket found the slow way: the smallest doubling step in which the value has at most eight bits. */
function bucketModel(ns: number): { start: number; end: number } {
  let width = 1;
  while (Math.floor(ns / width) > 255) width *= 2;
  const start = Math.floor(ns / width) * width;
  return { start, end: start + width - 1 };
}

/** A duration in ns, of any magnitude. */
function drawNs(random: Prng): number {
  return Math.min(1e9, random.below(2 ** (1 + random.below(30))));
}

describe("buckets", () => {
  test("are those of an HDR histogram with two significant digits", () => {
    expect(HISTOGRAM_LENGTH).toBe(3072);
    expect([0, 1, 255, 256, 257, 258, 511, 512, 1024, 1031, 1032, NS_MAX].map(bucketIndex)).toEqual([
      0, 1, 255, 256, 256, 257, 383, 384, 512, 512, 513, 3071,
    ]);
    expect([bucketStart(512), bucketEnd(512), bucketEnd(3071)]).toEqual([1024, 1031, NS_MAX]);
  });

  test("follow each other without a gap", () => {
    for (let i = 0; i < HISTOGRAM_LENGTH; i++) {
      expect(bucketIndex(bucketStart(i))).toBe(i);
      expect(bucketIndex(bucketEnd(i))).toBe(i);
      if (i > 0) expect(bucketStart(i)).toBe(bucketEnd(i - 1) + 1);
    }
  });

  seededTest("hold the values of the model", (random) => {
    for (let i = 0; i < 20_000; i++) {
      const ns = drawNs(random);
      const { start, end } = bucketModel(ns);
      const index = bucketIndex(ns);
      expect([ns, bucketStart(index), bucketEnd(index)]).toEqual([ns, start, end]);
    }
  });
});

describe("a histogram", () => {
  test("that is empty", () => {
    const counts = newHistogram();
    expect(histogramCount(counts)).toBe(0);
    expect(percentileNs(counts, 99)).toBe(0);
    cumulativeCounts(counts, () => expect.unreachable());
  });

  test("counts what is too short as 1 ns and what is too long as a second", () => {
    const counts = newHistogram();
    recordLatency(counts, 0);
    recordLatency(counts, 0.0005);
    recordLatency(counts, 1e12);
    expect(counts[1]).toBe(2);
    expect(counts[bucketIndex(1e9)]).toBe(1);
    expect(percentileNs(counts, 100)).toBe(bucketEnd(bucketIndex(1e9)));
  });

  test("percentile 0 is the start of the first bucket, others the end of theirs", () => {
    const counts = newHistogram();
    for (const usec of [1, 2, 3, 400]) recordLatency(counts, usec);
    expect(percentileNs(counts, 0)).toBe(1000);
    expect(percentileNs(counts, 50)).toBe(2007);
    expect(percentileNs(counts, 100)).toBe(401407);
  });

  seededTest("has the percentiles of the sorted values", (random) => {
    for (let round = 0; round < 50; round++) {
      const counts = newHistogram();
      const values = Array.from({ length: 1 + random.below(200) }, () => Math.max(1, drawNs(random)));
      for (const ns of values) recordLatency(counts, ns / 1000 + 1e-7);
      values.sort((a, b) => a - b);
      expect(histogramCount(counts)).toBe(values.length);
      for (const p of [1, 25, 50, 90, 99, 99.9, 100]) {
        const rank = Math.max(1, Math.floor((p / 100) * values.length + 0.5));
        expect([p, percentileNs(counts, p)]).toEqual([p, bucketModel(values[rank - 1]!).end]);
      }
    }
  });

  seededTest("has cumulative counts at powers of two", (random) => {
    for (let round = 0; round < 50; round++) {
      const counts = newHistogram();
      const values = Array.from({ length: 1 + random.below(50) }, () => Math.max(1, drawNs(random)));
      for (const ns of values) recordLatency(counts, ns / 1000 + 1e-7);
      const seen: (readonly [number, number])[] = [];
      cumulativeCounts(counts, (usec, count) => seen.push([usec, count]));
      const expected: (readonly [number, number])[] = [];
      for (let level = 1024; level <= 2 ** 30; level *= 2) {
        const limit = Math.min(NS_MAX, bucketModel(Math.min(level, NS_MAX)).end);
        const count = values.filter((ns) => ns <= limit).length;
        if (count > (expected.at(-1)?.[1] ?? 0)) expected.push([Math.floor(limit / 1000), count]);
      }
      expect(seen).toEqual(expected);
    }
  });
});
