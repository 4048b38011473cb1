// Copying bytes, by loop or natively.

import { expect, test } from "bun:test";
import { copyBytes, isAscii } from "../../src/base/bytes.ts";

const SIZE = 600;

test("copies of all lengths, between buffers and within one, whatever the direction", () => {
  const source = Uint8Array.from({ length: SIZE }, (_, i) => (i * 7) & 255);
  for (let length = 0; length < 300; length++) {
    const target = new Uint8Array(SIZE);
    copyBytes(source, 5, target, 11, length);
    expect(target.slice(11, 11 + length)).toEqual(source.slice(5, 5 + length));
    expect(target.slice(11 + length).every((byte) => byte === 0)).toBe(true);
  }
  for (const [from, to] of [
    [0, 40],
    [40, 0],
  ] as const) {
    const moved = source.slice();
    copyBytes(moved, from, moved, to, 200);
    expect(moved.slice(to, to + 200)).toEqual(source.slice(from, from + 200));
  }
});

test("a copy that does not fit is an error", () => {
  expect(() => copyBytes(new Uint8Array(100), 50, new Uint8Array(100), 0, 60)).toThrow(RangeError);
  expect(() => copyBytes(new Uint8Array(100), 0, new Uint8Array(100), 50, 60)).toThrow(RangeError);
});

test("isAscii tells texts whose bytes are their characters", () => {
  for (const text of ["", "a", "\0\x7f"]) expect(isAscii(text)).toBe(true);
  for (const text of ["\x80", "caf\xe9", "a\u20ac"]) expect(isAscii(text)).toBe(false);
});
