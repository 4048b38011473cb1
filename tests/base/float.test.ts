import { describe, expect, test } from "bun:test";
import { DOUBLE_TEXT_MAX, formatDouble, parseDouble, parseScoreLimit, writeDouble } from "../../src/base/float.ts";
import { bitLength, shiftRightRounded } from "../../src/base/float-text.ts";
import type { Prng } from "../../src/base/prng.ts";
import { bytes, embed, randomText, seededTest } from "./seeded.ts";
import { DOUBLE_READINGS, DOUBLE_TEXTS } from "./vectors.ts";

const cell = new DataView(new ArrayBuffer(8));

function fromBits(hex: string): number {
  cell.setBigUint64(0, BigInt(`0x${hex}`));
  return cell.getFloat64(0);
}

function toBits(n: number): string {
  cell.setFloat64(0, n);
  return cell.getBigUint64(0).toString(16).padStart(16, "0");
}

function read(text: string): number {
  const content = bytes(text);
  const value = parseDouble(embed(content, 2, 48), 2, content.length);
  expect(parseDouble(embed(content, 2, 101), 2, content.length), text).toBe(value);
  return value;
}

function anyDouble(random: Prng): number {
  switch (random.below(4)) {
    case 0:
      cell.setUint32(0, random.uint32());
      cell.setUint32(4, random.uint32());
      return cell.getFloat64(0);
    case 1:
      return (random.below(2_000_000) - 1_000_000) / 10 ** random.below(9);
    case 2:
      return random.below(2 ** 53) * 2 ** (random.below(80) - 40);
    default:
      return random.float();
  }
}

describe("printing", () => {
  test("recorded forms", () => {
    for (const [bits, text] of DOUBLE_TEXTS) expect(formatDouble(fromBits(bits)), bits).toBe(text);
  });

  seededTest("a printed double is read back, and has the digits of JavaScript or a few more", (random) => {
    const dst = new Uint8Array(DOUBLE_TEXT_MAX + 8);
    let longer = 0;
    for (let i = 0; i < 50000; i++) {
      const n = anyDouble(random);
      if (!Number.isFinite(n)) continue;
      const text = formatDouble(n);
      expect(Object.is(Number(text), n) ? text : toBits(n)).toBe(text);
      expect(Object.is(read(text), n) ? text : toBits(n)).toBe(text);
      dst.fill(0);
      const end = writeDouble(dst, 3, n);
      expect(end - 3).toBeLessThanOrEqual(DOUBLE_TEXT_MAX);
      expect(Buffer.from(dst.subarray(3, end)).toString("latin1")).toBe(text);
      expect(dst.subarray(end).every((byte) => byte === 0)).toBe(true);
      if (text.length > 1 && digitsOf(text) !== digitsOf(String(n))) longer++;
    }
    // About one in a thousand differs; more would be an error in the digits, none would not be Grisu2.
    expect(longer).toBeGreaterThan(0);
    expect(longer).toBeLessThan(500);
  });
});

/** Significant digits of a printed number; integers lose their trailing zeros. */
function digitsOf(text: string): string {
  const digits = text.replace(/e.*$/, "").replace(/[-.]/g, "").replace(/^0+/, "");
  return digits.slice(0, 15).replace(/0+$/, "");
}

describe("reading", () => {
  test.each(DOUBLE_READINGS.map(([text, bits]) => [text, bits]))("%j", (text, bits) => {
    const value = read(text!);
    expect(Number.isNaN(value) ? null : toBits(value)).toBe(bits!);
  });

  seededTest("decimals are read as JavaScript reads them", (random) => {
    for (let i = 0; i < 30000; i++) {
      const sign = ["", "-", "+"][random.below(3)];
      let text = sign + randomText(random, "0123456789", random.below(2) ? 4 : 25);
      if (random.below(2)) text += "." + randomText(random, "0123456789", random.below(2) ? 4 : 25);
      if (random.below(3) === 0)
        text += "e" + ["", "-", "+"][random.below(3)] + random.below(random.below(2) ? 30 : 400);
      const want = /\d/.test(text.replace(/e.*/, "")) ? Number(text) : Number.NaN;
      const lost = Math.abs(want) === Number.POSITIVE_INFINITY || (want === 0 && /[1-9]/.test(text.replace(/e.*/, "")));
      expect(toBits(read(text)), text).toBe(toBits(lost ? Number.NaN : want));
    }
  });

  seededTest("noise is refused, or is what JavaScript reads too", (random) => {
    for (let i = 0; i < 30000; i++) {
      const text = randomText(random, "0123456789.eE+-x inf_,", 7);
      const want = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : Number.NaN;
      if (/0x/.test(text) || /inf/.test(text)) continue;
      const finite = Number.isFinite(want) && !(want === 0 && /[1-9]/.test(text.replace(/[eE].*/, "")));
      expect(read(text), JSON.stringify(text)).toBe(finite ? want : Number.NaN);
    }
  });

  seededTest("hexadecimal digits are exact", (random) => {
    for (let i = 0; i < 10000; i++) {
      const mantissa = random.below(2 ** 53);
      const exponent = random.below(2000) - 1060;
      const want = mantissa * 2 ** Math.max(exponent, -1000) * 2 ** Math.min(exponent + 1000, 0);
      const exact = exponent >= -1074 && Number.isFinite(want) && exponent <= 1023 && (mantissa === 0 || want !== 0);
      if (exact) expect(read(`0x${mantissa.toString(16)}p${exponent}`)).toBe(want);
    }
  });

  test("score limits are read loosely", () => {
    const limit = (text: string) => parseScoreLimit(bytes(text), 0, text.length);
    expect(limit("")).toBe(0);
    expect(limit(" \t1.5")).toBe(1.5);
    expect(limit("1.5 ")).toBeNaN();
    expect(limit(" ")).toBeNaN();
    expect(limit("1e400")).toBe(Number.POSITIVE_INFINITY);
    expect(limit("-1e400")).toBe(Number.NEGATIVE_INFINITY);
    expect(limit("1e-400")).toBe(0);
    expect(limit("-inf")).toBe(Number.NEGATIVE_INFINITY);
    expect(limit("nan")).toBeNaN();
  });
});

describe("rounding of integers", () => {
  seededTest("bit length", (random) => {
    expect(bitLength(0n)).toBe(0);
    for (let i = 0; i < 2000; i++) {
      const n = (1n << BigInt(random.below(300))) + BigInt(random.below(3)) - 1n;
      expect(bitLength(n)).toBe(n === 0n ? 0 : n.toString(2).length);
    }
  });

  test("ties go to even", () => {
    const rounded = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12].map((n) => Number(shiftRightRounded(BigInt(n), 2)));
    expect(rounded).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3]);
    expect(shiftRightRounded(7n, 0)).toBe(7n);
  });
});
