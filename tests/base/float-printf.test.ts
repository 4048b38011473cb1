// Doubles in printf's forms, against what glibc prints.

import { expect, test } from "bun:test";
import { formatGeneral, formatPlaces, formatSixPlaces, writeFourPlaces } from "../../src/base/float-printf.ts";

test("%.17g", () => {
  const cases: readonly (readonly [number, string])[] = [
    [0.1, "0.10000000000000001"],
    [3.814697265625e-6, "3.814697265625e-06"],
    [180.0000114440918, "180.0000114440918"],
    [1e22, "1e+22"],
    [123456789012345680, "1.2345678901234568e+17"],
    [12345678901234568, "12345678901234568"],
    [1e16, "10000000000000000"],
    [1e-5, "1.0000000000000001e-05"],
    [1e-4, "0.0001"],
    [-0.25, "-0.25"],
    [100, "100"],
    [1e300, "1.0000000000000001e+300"],
    [5e-324, "4.9406564584124654e-324"],
    [-0, "-0"],
    [0, "0"],
    [Number.NEGATIVE_INFINITY, "-inf"],
    [Number.POSITIVE_INFINITY, "inf"],
  ];
  for (const [n, text] of cases) expect(formatGeneral(n)).toBe(text);
});

test("%.17Lf without zeros", () => {
  const cases: readonly (readonly [number, string])[] = [
    [0.1, "0.10000000000000001"],
    [3.814697265625e-6, "0.00000381469726562"],
    [11.444091796875e-6, "0.00001144409179688"],
    [-3.814697265625e-6, "-0.00000381469726562"],
    [180.0000114440918, "180.00001144409179688"],
    [13.361389338970184, "13.36138933897018433"],
    [15.087265372276306, "15.08726537227630615"],
    [100, "100"],
    [-180, "-180"],
    [5e-324, "0"],
    [-5e-324, "0"],
    [-0, "0"],
  ];
  for (const [n, text] of cases) expect(formatPlaces(n)).toBe(text);
});

test("%f", () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, "0.000000"],
    [-0, "-0.000000"],
    [181, "181.000000"],
    [-85.06, "-85.060000"],
    [200.0078125, "200.007812"],
    [200.0234375, "200.023438"],
    [1e22, "10000000000000000000000.000000"],
    [-1e300, `-${BigInt(1e300)}.000000`],
    [Number.POSITIVE_INFINITY, "inf"],
    [Number.NEGATIVE_INFINITY, "-inf"],
  ];
  for (const [n, text] of cases) expect(formatSixPlaces(n)).toBe(text);
});

test("four places", () => {
  const write = (n: number) => {
    const buf = Buffer.alloc(40);
    return buf.toString("latin1", 1, writeFourPlaces(buf, 1, n));
  };
  expect(write(0)).toBe("0.0000");
  expect(write(166274.15156960033)).toBe("166274.1516");
  expect(write(0.00005)).toBe("0.0000");
  expect(write(0.00015)).toBe("0.0001");
  expect(write(0.99996)).toBe("1.0000");
  expect(write(12345678.5)).toBe("12345678.5000");
});
