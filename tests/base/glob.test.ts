import { describe, expect, test } from "bun:test";
import { globLiteralPrefixLength, globMatch } from "../../src/base/glob.ts";
import { bytes, embed, randomText, seededTest } from "./seeded.ts";
import { GLOB_VERDICTS } from "./vectors.ts";

function matches(pattern: string, text: string, ignoreCase = false): boolean {
  const p = bytes(pattern);
  const t = bytes(text);
  const verdict = globMatch(embed(p, 2, 42), 2, p.length, embed(t, 3, 97), 3, t.length, ignoreCase);
  // What lies around the two ranges must not matter.
  expect(globMatch(embed(p, 1, 93), 1, p.length, embed(t, 1, 0), 1, t.length, ignoreCase)).toBe(verdict);
  return verdict;
}

/** Plain recursion, for patterns of literals, "?", "*" and closed classes of single characters. */
function model(pattern: string, text: string): boolean {
  if (pattern === "") return text === "";
  if (pattern[0] === "*") {
    for (let skip = 0; skip <= text.length; skip++) if (model(pattern.slice(1), text.slice(skip))) return true;
    return false;
  }
  if (text === "") return false;
  if (pattern[0] === "[") {
    const close = pattern.indexOf("]");
    const negated = pattern[1] === "^";
    const members = pattern.slice(negated ? 2 : 1, close);
    return members.includes(text[0]!) !== negated && model(pattern.slice(close + 1), text.slice(1));
  }
  return (pattern[0] === "?" || pattern[0] === text[0]) && model(pattern.slice(1), text.slice(1));
}

describe("globMatch", () => {
  test("recorded verdicts", () => {
    for (const [pattern, text, ignoreCase, want] of GLOB_VERDICTS) {
      expect(matches(pattern, text, ignoreCase), JSON.stringify([pattern, text, ignoreCase])).toBe(want);
    }
  });

  seededTest("agrees with plain recursion on well-formed patterns", (random) => {
    const elements = ["a", "b", "c", "?", "*", "*", "[ab]", "[^ab]", "[c]"];
    let hits = 0;
    for (let i = 0; i < 20000; i++) {
      let pattern = "";
      for (let left = random.below(8); left > 0; left--) pattern += elements[random.below(elements.length)];
      const text = randomText(random, "abcd", 9);
      const want = text === "" ? pattern === "" : model(pattern, text);
      if (want) hits++;
      expect(matches(pattern, text), JSON.stringify([pattern, text])).toBe(want);
    }
    expect(hits).toBeGreaterThan(500);
  });

  seededTest("any bytes at all end in a verdict", (random) => {
    for (let i = 0; i < 20000; i++) {
      const pattern = randomText(random, "[]^-\\*?ab\xff\x00", 12);
      const text = randomText(random, "[]^-\\ab\xff\x00", 8);
      matches(pattern, text, random.below(2) === 1);
    }
  });

  test("many stars take time in proportion, and too many match nothing", () => {
    const text = "a".repeat(20000);
    expect(matches("*a".repeat(900) + "*b", text)).toBe(false);
    expect(matches("a*".repeat(1001), "a".repeat(1001))).toBe(true); // The last star is at the end: a thousand count.
    expect(matches("*a".repeat(1000), "a".repeat(1000))).toBe(true);
    expect(matches("*a".repeat(1001), "a".repeat(1001))).toBe(false);
    expect(matches("**a".repeat(1000), "a".repeat(1000))).toBe(true);
  });
});

describe("globLiteralPrefixLength", () => {
  test.each([
    ["", 0],
    ["news.*", 5],
    ["plain", 5],
    ["a?b", 1],
    ["[ab]", 0],
    ["ab\\*", 2],
    ["a]b^-", 5],
  ])("%j", (pattern, want) => {
    const content = bytes(pattern);
    expect(globLiteralPrefixLength(embed(content, 4, 97), 4, content.length)).toBe(want);
  });

  seededTest("whatever matches starts with it", (random) => {
    for (let i = 0; i < 10000; i++) {
      const pattern = randomText(random, "ab*?[]\\", 6);
      const text = randomText(random, "ab[]\\", 6);
      const prefix = pattern.slice(0, globLiteralPrefixLength(bytes(pattern), 0, pattern.length));
      if (matches(pattern, text)) expect(text.startsWith(prefix), JSON.stringify([pattern, text])).toBe(true);
    }
  });
});
