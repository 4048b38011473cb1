/** Hints never change a hash: they answer what hashing would, for the same bytes only. */
import { expect, test } from "bun:test";
import { dictHash, dictHashAhead } from "../../src/struct/dict/dict.ts";
import { takeArena } from "../support/arena.ts";

test("a hint is good for its buffer, offset and length alone", () => {
  const a = takeArena();
  const buf = new TextEncoder().encode("key:1 key:2 key:3");
  const other = new TextEncoder().encode("abc:1 abc:2 abc:3");
  const hash = (bytes: Uint8Array, at: number, length: number): number => dictHash(a, bytes.slice(), at, length);
  a.hints.begin(buf);
  // A hash that hashing would not give shows that the hint was used.
  a.hints.set(6, 5, 12345);
  expect(dictHash(a, buf, 6, 5)).toBe(12345);
  expect(dictHash(a, buf, 6, 4)).toBe(hash(buf, 6, 4));
  expect(dictHash(a, buf, 0, 5)).toBe(hash(buf, 0, 5));
  expect(dictHash(a, other, 6, 5)).toBe(hash(other, 6, 5));
  a.hints.begin(other);
  expect(dictHash(a, other, 6, 5)).toBe(hash(other, 6, 5));
  expect(dictHash(a, buf, 6, 5)).toBe(hash(buf, 6, 5));
});

test("hashing ahead leaves a hint", () => {
  const a = takeArena();
  const buf = new TextEncoder().encode("key:1 key:2 key:3");
  a.hints.begin(buf);
  const hash = dictHashAhead(a, 6, 5);
  expect(hash).toBe(dictHash(a, buf.slice(), 6, 5));
  expect(a.hints.has(6, 5)).toBe(true);
  expect(a.hints.has(6, 4)).toBe(false);
  expect(dictHash(a, buf, 6, 5)).toBe(hash);
});

test("beyond the offsets that hints can tell apart, hashing is all there is", () => {
  const a = takeArena();
  const buf = new Uint8Array(3 << 20).fill(107);
  a.hints.begin(buf);
  const at = (2 << 20) + 6;
  expect(dictHashAhead(a, at, 5)).toBe(dictHash(a, buf, 6, 5));
  expect(a.hints.has(at, 5)).toBe(false);
});
