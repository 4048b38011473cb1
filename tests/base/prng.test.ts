import { describe, expect, test } from "bun:test";
import { fillRandom, Prng, randomSeed } from "../../src/base/prng.ts";
import { seededTest } from "./seeded.ts";

function draws(seed: number, count: number): number[] {
  const random = new Prng(seed);
  return Array.from({ length: count }, () => random.uint32());
}

describe("Prng", () => {
  test("is a function of its seed", () => {
    for (const seed of [0, 1, -1, 42, 2 ** 32, 2 ** 53 - 1, -(2 ** 53 - 1)])
      expect(draws(seed, 50)).toEqual(draws(seed, 50));
    const first = new Set(
      [0, 1, 2, -1, -2, 2 ** 32, 2 ** 33, 2 ** 52, 2 ** 53 - 1].map((seed) => draws(seed, 4).join()),
    );
    expect(first.size).toBe(9);
  });

  test("the sequence of seed 1 stays what it is", () => {
    expect(draws(1, 4)).toEqual([1554809857, 1346654291, 424207648, 2317030250]);
  });

  seededTest("below stays below and reaches every value", (random) => {
    for (const n of [1, 2, 3, 7, 10, 64]) {
      const seen = new Array<number>(n).fill(0);
      for (let i = 0; i < 1000 * n; i++) seen[random.below(n)]!++;
      for (const count of seen) expect(count).toBeGreaterThan(800);
      for (const count of seen) expect(count).toBeLessThan(n === 1 ? 1001 : 1200);
    }
    for (const n of [2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 52, 2 ** 53]) {
      let high = 0;
      for (let i = 0; i < 2000; i++) {
        const value = random.below(n);
        expect(Number.isSafeInteger(value) && value >= 0 && value < n).toBe(true);
        if (value >= n / 2) high++;
      }
      expect(high).toBeGreaterThan(850);
      expect(high).toBeLessThan(1150);
    }
  });

  seededTest("every bit is set half of the time", (random) => {
    const counts = new Array<number>(32).fill(0);
    for (let i = 0; i < 10000; i++) {
      const word = random.uint32();
      for (let bit = 0; bit < 32; bit++) counts[bit]! += (word >>> bit) & 1;
    }
    for (const count of counts) expect(Math.abs(count - 5000)).toBeLessThan(300);
  });

  seededTest("float and fill", (random) => {
    let sum = 0;
    for (let i = 0; i < 10000; i++) {
      const value = random.float();
      expect(value >= 0 && value < 1).toBe(true);
      sum += value;
    }
    expect(Math.abs(sum / 10000 - 0.5)).toBeLessThan(0.02);
    const dst = new Uint8Array(1000);
    random.fill(dst, 100, 800);
    expect(dst.subarray(0, 100).every((byte) => byte === 0)).toBe(true);
    expect(dst.subarray(900).every((byte) => byte === 0)).toBe(true);
    expect(new Set(dst.subarray(100, 900)).size).toBeGreaterThan(200);
  });
});

describe("the system's randomness", () => {
  test("seeds are safe, non-negative and differ", () => {
    const seeds = Array.from({ length: 20 }, randomSeed);
    for (const seed of seeds) expect(Number.isSafeInteger(seed) && seed >= 0).toBe(true);
    expect(new Set(seeds).size).toBe(20);
  });

  test("fillRandom fills everything, also beyond what one system call gives", () => {
    const dst = new Uint8Array(200_000);
    fillRandom(dst);
    expect(dst.subarray(-64).some((byte) => byte !== 0)).toBe(true);
    expect(dst.subarray(65536, 65600).some((byte) => byte !== 0)).toBe(true);
  });
});
