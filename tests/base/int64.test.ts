import { describe, expect, test } from "bun:test";
import {
  bigIntHigh,
  bigIntLow,
  int64High,
  int64Low,
  int64ToBigInt,
  int64ToNumber,
  integerLength,
  isCanonicalInt64,
  parseInt64,
  parseInt64Halves,
  parseSafeInteger,
  writeInt64,
  writeInt64Halves,
  writeInteger,
} from "../../src/base/int64.ts";
import type { Prng } from "../../src/base/prng.ts";
import { bytes, embed, randomText, seededTest } from "./seeded.ts";

const MAX = 2n ** 63n - 1n;
const MIN = -(2n ** 63n);

/** The rule, said with a regular expression. */
function model(text: string): bigint | null {
  if (!/^(0|-?[1-9][0-9]*)$/.test(text)) return null;
  const value = BigInt(text);
  return value >= MIN && value <= MAX ? value : null;
}

function checkText(text: string): void {
  const want = model(text);
  const content = bytes(text);
  for (const filler of [48, 45, 32]) {
    const outer = embed(content, 3, filler);
    expect(parseInt64(outer, 3, content.length), text).toBe(want);
    expect(isCanonicalInt64(outer, 3, content.length), text).toBe(want !== null);
    const halves = { low: 7, high: 7 };
    expect(parseInt64Halves(outer, 3, content.length, halves), text).toBe(want !== null);
    const pair = want === null ? { low: 7, high: 7 } : { low: bigIntLow(want), high: bigIntHigh(want) };
    expect(halves, text).toEqual(pair);
    const safe = want !== null && want >= -(2n ** 53n - 1n) && want <= 2n ** 53n - 1n;
    expect(parseSafeInteger(outer, 3, content.length), text).toBe(safe ? Number(want) : Number.NaN);
  }
}

function written(write: (dst: Uint8Array, offset: number) => number): string {
  const dst = new Uint8Array(40).fill(35);
  const end = write(dst, 5);
  const text = Buffer.from(dst).toString("latin1");
  expect(text.slice(0, 5)).toBe("#####");
  expect(text.slice(end)).toBe("#".repeat(40 - end));
  return text.slice(5, end);
}

/** An int64 whose number of bits is uniform, so that every length comes up. */
function anyInt64(random: Prng): bigint {
  const bits = (BigInt(random.uint32()) << 32n) | BigInt(random.uint32());
  return BigInt.asIntN(64, bits) >> BigInt(random.below(64));
}

function checkNumber(n: number): void {
  expect(written((dst, at) => writeInteger(dst, at, n))).toBe(String(n));
  expect(integerLength(n)).toBe(String(n).length);
  const lo = int64Low(n);
  const hi = int64High(n);
  expect(lo).toBe(Number(BigInt.asIntN(32, BigInt(n))));
  expect(hi).toBe(Number(BigInt.asIntN(32, BigInt(n) >> 32n)));
  expect(int64ToNumber(lo, hi)).toBe(n);
}

function checkBig(n: bigint): void {
  const lo = bigIntLow(n);
  const hi = bigIntHigh(n);
  expect(int64ToBigInt(lo, hi)).toBe(n);
  expect(written((dst, at) => writeInt64(dst, at, n))).toBe(String(n));
  expect(written((dst, at) => writeInt64Halves(dst, at, lo, hi))).toBe(String(n));
  const safe = n >= BigInt(Number.MIN_SAFE_INTEGER) && n <= BigInt(Number.MAX_SAFE_INTEGER);
  expect(int64ToNumber(lo, hi)).toBe(safe ? Number(n) : Number.NaN);
}

describe("reading", () => {
  const texts = [
    "",
    "0",
    "-0",
    "00",
    "01",
    "-",
    "--1",
    "+1",
    "1",
    "-1",
    "9",
    "10",
    "-10",
    " 1",
    "1 ",
    "1a",
    "a",
    "1.0",
  ];
  texts.push("9007199254740991", "9007199254740992", "9007199254740993", "-9007199254740991", "-9007199254740992");
  texts.push("9999999999999999", "10000000000000000", "999999999", "1000000000", "4294967296", "-2147483648");
  texts.push("9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809");
  texts.push("9999999999999999999", "18446744073709551615", "-18446744073709551616", "10000000000000000000");
  texts.push(
    "000000000000000000000",
    "123456789012345678901234567890",
    "/",
    ":",
    "1/",
    "1:",
    "12345678:",
    "123456789012/",
  );
  test.each(texts)("%j", (text) => checkText(text));

  seededTest("random digits and near misses", (random) => {
    for (let i = 0; i < 20000; i++)
      checkText(randomText(random, "0123456789-+ x", 4) + randomText(random, "0123456789", 18));
  });

  seededTest("every int64 that is printed is read back", (random) => {
    for (let i = 0; i < 20000; i++) checkText(String(anyInt64(random)));
  });
});

describe("writing", () => {
  test("around every power of ten and of two", () => {
    for (const base of [2, 10]) {
      for (let power = 1; power <= Number.MAX_SAFE_INTEGER; power *= base) {
        for (const n of [power - 1, power, Math.min(power + 1, Number.MAX_SAFE_INTEGER)]) {
          checkNumber(n);
          if (n !== 0) checkNumber(-n);
        }
      }
    }
    for (const n of [Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]) checkNumber(n);
    expect(written((dst, at) => writeInteger(dst, at, -0))).toBe("0");
  });

  test("int64 limits and the edge of the safe range", () => {
    for (const edge of [MIN, MAX, -(2n ** 53n), 2n ** 53n, 0n, 2n ** 32n, -(2n ** 32n), 2n ** 62n]) {
      for (const n of [edge - 1n, edge, edge + 1n]) {
        if (n >= MIN && n <= MAX) checkBig(n);
      }
    }
  });

  seededTest("random numbers", (random) => {
    for (let i = 0; i < 20000; i++) {
      const n = anyInt64(random);
      checkBig(n);
      checkNumber(Number(BigInt.asIntN(53, n)));
    }
  });
});
