// Numbers of config files: which spellings of an integer count.

import { expect, test } from "bun:test";
import { parseInteger } from "../../src/config/number-text.ts";

test("an integer has one spelling", () => {
  for (const text of ["0", "7", "-7", "6379", "-1000", "9223372036854775807", "-9223372036854775808"])
    expect(parseInteger(text)).toBe(BigInt(text));
  for (const text of [
    "",
    "-",
    "-0",
    "00",
    "01",
    "-01",
    "+1",
    " 1",
    "1 ",
    "1\n",
    "1.0",
    "1e3",
    "0x10",
    "--1",
    "1-",
    "١",
  ])
    expect(parseInteger(text)).toBeNull();
});

test("what does not fit 64 bits is none", () => {
  for (const text of ["9223372036854775808", "-9223372036854775809", "9999999999999999999", "10000000000000000000"])
    expect(parseInteger(text)).toBeNull();
});
