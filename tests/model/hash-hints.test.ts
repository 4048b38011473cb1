/** Hints never change a hash: they answer what hashing would, for the same bytes only. */
import { expect, test } from "bun:test";
import { HashHints } from "../../src/keyspace/hash-hints.ts";
import { dictHash } from "../../src/struct/dict.ts";
import { takeArena } from "../support/arena.ts";

test("a hint is good for its buffer, offset and length alone", () => {
  const a = takeArena();
  const buf = new TextEncoder().encode("key:1 key:2 key:3");
  const other = new TextEncoder().encode("abc:1 abc:2 abc:3");
  const hints = new HashHints();
  hints.begin(buf);
  // A hash that hashing would not give shows that the hint was used.
  hints.set(6, 5, 12345);
  expect(hints.hashOf(a, buf, 6, 5)).toBe(12345);
  expect(hints.hashOf(a, buf, 6, 4)).toBe(dictHash(a, buf, 6, 4));
  expect(hints.hashOf(a, buf, 0, 5)).toBe(dictHash(a, buf, 0, 5));
  expect(hints.hashOf(a, other, 6, 5)).toBe(dictHash(a, other, 6, 5));
  hints.begin(other);
  expect(hints.hashOf(a, other, 6, 5)).toBe(dictHash(a, other, 6, 5));
  expect(hints.hashOf(a, buf, 6, 5)).toBe(dictHash(a, buf, 6, 5));
});
