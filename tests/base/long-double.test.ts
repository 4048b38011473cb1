import { describe, expect, test } from "bun:test";
import {
  addLongDouble,
  addShortDecimals,
  formatLongDouble,
  isFiniteLongDouble,
  type LongDouble,
  parseLongDouble,
} from "../../src/base/long-double.ts";
import { bytes, embed, randomText, seededTest } from "./seeded.ts";
import { LONG_DOUBLE_SUMS } from "./vectors.ts";

function read(text: string): LongDouble | null {
  const content = bytes(text);
  return parseLongDouble(embed(content, 1, 57), 1, content.length);
}

function sum(left: string, right: string): string {
  const a = read(left);
  if (a === null) return "bad1";
  const b = read(right);
  return b === null ? "bad2" : formatLongDouble(addLongDouble(a, b));
}

/** The sum by the short way, or null where it declines. */
function shortSum(left: string, right: string): string | null {
  const dst = new Uint8Array(32);
  const a = bytes(left);
  const b = bytes(right);
  const end = addShortDecimals(dst, 4, embed(a, 2, 49), 2, a.length, embed(b, 5, 49), 5, b.length);
  return end < 0 ? null : Buffer.from(dst.subarray(4, end)).toString("latin1");
}

describe("sums", () => {
  test.each(LONG_DOUBLE_SUMS.map(([left, right, want]) => [left.slice(0, 50), right, want, left] as const))(
    "%s + %s",
    (_shown, right, want, left) => {
      expect(sum(left, right)).toBe(want);
      if (!want.startsWith("bad")) expect(sum(right, left)).toBe(want);
      const short = shortSum(left, right);
      if (short !== null) expect(short).toBe(want);
    },
  );

  test("the largest finite value and beyond", () => {
    const largest = "0x1.fffffffffffffffep16383";
    expect(sum(largest, "0")).toBe(String((2n ** 64n - 1n) << BigInt(16383 - 63)));
    expect(sum(largest, "0x1p16319")).toBe("inf"); // Half a unit more: a tie, to even, which is out of range.
    expect(sum(largest, "0x1.fffp16318")).toBe(sum(largest, "0"));
    expect(sum(`-${largest}`, `-${largest}`)).toBe("-inf");
    expect(sum("-inf", "1")).toBe("-inf");
    expect(sum("1", "inf")).toBe("inf");
    expect(read("1.18973149535723176503e4932")).not.toBeNull();
    expect(read("1.18973149535723176509e4932")).toBeNull();
  });

  test("the smallest values", () => {
    expect(read("0x1p-16445")).toEqual({ kind: "finite", negative: false, mantissa: 1n, exponent: -16445 });
    expect(read("0x1.8p-16445")).toEqual({ kind: "finite", negative: false, mantissa: 2n, exponent: -16445 });
    expect(read("0x1p-16446")).toBeNull();
    expect(read("0x1.0001p-16446")).toEqual({ kind: "finite", negative: false, mantissa: 1n, exponent: -16445 });
    expect(read("3.6451995318824746025e-4951")).toEqual({
      kind: "finite",
      negative: false,
      mantissa: 1n,
      exponent: -16445,
    });
  });

  test("finiteness", () => {
    expect(isFiniteLongDouble(read("1")!)).toBe(true);
    expect(isFiniteLongDouble(read("-inf")!)).toBe(false);
    expect(isFiniteLongDouble(addLongDouble(read("inf")!, read("-inf")!))).toBe(false);
  });
});

describe("the short way", () => {
  test("serves what it should", () => {
    expect(shortSum("10", "5")).toBe("15");
    expect(shortSum("10.5", "0.1")).toBe("10.6");
    expect(shortSum("-0.1", "0.1")).toBe("0");
    expect(shortSum("3", "-3.5")).toBe("-0.5");
    expect(shortSum("1000000.25", "0.5")).toBe("1000000.75");
    expect(shortSum("0.001", "0.009")).toBe("0.01");
    expect(shortSum("-0.05", "0.02")).toBe("-0.03");
    expect(shortSum("4503599627370496", "4503599627370496")).toBe("9007199254740992");
  });

  test("declines what it cannot prove", () => {
    for (const [left, right] of [
      ["3.0e3", "200.1"],
      ["100.1", "0.2"],
      ["1", "x"],
      ["inf", "1"],
      ["0x10", "1"],
      ["", "1"],
      ["4503599627370497", "1"],
      ["1e3", "1"],
      ["0.1234567890123456", "1"],
    ] as const) {
      expect(shortSum(left, right), `${left} + ${right}`).toBeNull();
    }
  });

  seededTest("never differs from the long way", (random) => {
    let served = 0;
    const text = () => {
      const sign = ["", "-", ""][random.below(3)];
      const integer = random.below(10 ** (1 + random.below(5)));
      return `${sign}${integer}${random.below(4) ? "." + randomText(random, random.below(2) ? "05" : "0123456789", 14) : ""}`;
    };
    for (let i = 0; i < 20000; i++) {
      const left = text();
      const right = text();
      const short = shortSum(left, right);
      if (short === null) continue;
      served++;
      expect(short, `${left} + ${right}`).toBe(sum(left, right));
    }
    expect(served).toBeGreaterThan(2000);
  });
});
