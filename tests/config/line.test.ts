// Config lines to arguments and back.

import { expect, test } from "bun:test";
import { Prng, randomSeed } from "../../src/base/prng.ts";
import { quoteArgument, splitArguments, trimLine } from "../../src/config/line.ts";

const SPLITS: readonly (readonly [string, readonly string[] | null])[] = [
  ["", []],
  ["  \t ", []],
  ["a b  c", ["a", "b", "c"]],
  ["a\tb\r\nc", ["a", "b", "c"]],
  [`a "" ''`, ["a", "", ""]],
  [`save ""`, ["save", ""]],
  [`"a b" 'c d'`, ["a b", "c d"]],
  [`"\\x41\\x0a\\xff"`, ["A\n\xff"]],
  [`"\\n\\r\\t\\b\\a\\q\\"\\\\"`, ['\n\r\t\b\x07q"\\']],
  [`"\\x4"`, ["x4"]],
  [`'it\\'s'`, ["it's"]],
  [`'a\\nb'`, ["a\\nb"]],
  [`'a\\\\'`, null],
  [`pre"fix ed"`, ["prefix ed"]],
  ["a\\ b", ["a\\", "b"]],
  [`"open`, null],
  [`'open`, null],
  [`"ends\\"`, null],
  [`"a"b`, null],
  [`'a'b`, null],
  [`"a""b"`, null],
  [`a "b" c`, ["a", "b", "c"]],
  ["a\vb", ["a\vb"]],
  [`"a"\vb`, ["a", "b"]],
];

test.each(SPLITS)("splits %j", (line, expected) => {
  expect(splitArguments(line)).toEqual(expected === null ? null : [...expected]);
});

test("quotes what is not plain", () => {
  expect(quoteArgument('a "b"\\\n\r\t\x07\b\0\x7f\xe9~')).toBe('"a \\"b\\"\\\\\\n\\r\\t\\a\\b\\x00\\x7f\\xe9~"');
});

test("splitting undoes quoting", () => {
  const seed = randomSeed();
  const prng = new Prng(seed);
  for (let round = 0; round < 2000; round++) {
    const args = Array.from({ length: prng.below(4) }, () =>
      String.fromCharCode(...Array.from({ length: prng.below(12) }, () => prng.below(256))),
    );
    const line = args.map(quoteArgument).join(" ");
    expect([seed, splitArguments(line)]).toEqual([seed, args]);
  }
});

test("trims only spaces, tabs and line ends", () => {
  expect(trimLine(" \t\r\n\va b\v \t\r\n")).toBe("\va b\v");
});
