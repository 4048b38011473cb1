// The loops of struct/bits.ts against strings of "0" and "1".

import { expect, test } from "bun:test";
import { Prng } from "../../src/base/prng.ts";
import { countOnes, findByteWith, firstBitOf, readField, writeField } from "../../src/struct/bits.ts";
import { testSeed } from "../base/seeded.ts";

function randomBytes(prng: Prng, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  const style = prng.below(4);
  for (let i = 0; i < length; i++) bytes[i] = style === 0 ? 0 : style === 1 ? 255 : prng.below(256);
  if (style < 2 && length > 0 && prng.below(2) === 0) bytes[prng.below(length)] = prng.below(256);
  return bytes;
}

function textOf(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
}

test("counting and finding at every alignment", () => {
  const seed = testSeed();
  const prng = new Prng(seed);
  for (let round = 0; round < 3000; round++) {
    const bytes = randomBytes(prng, 4 * prng.below(80));
    const words = new Int32Array(bytes.buffer);
    const from = prng.below(bytes.length + 1);
    const to = from + prng.below(bytes.length - from + 1);
    const part = bytes.subarray(from, to);
    const ones = textOf(part).replaceAll("0", "").length;
    expect(countOnes(bytes, words, from, to), `seed ${seed}`).toBe(ones);
    for (const bit of [0, 1]) {
      const index = part.findIndex((byte) => byte !== (bit === 0 ? 255 : 0));
      expect(findByteWith(bytes, words, from, to, bit), `seed ${seed}`).toBe(index < 0 ? -1 : from + index);
    }
  }
});

test("first bit of every byte", () => {
  for (let byte = 0; byte < 256; byte++) {
    const text = byte.toString(2).padStart(8, "0");
    for (const bit of [0, 1]) {
      const index = text.indexOf(String(bit));
      expect(firstBitOf(byte, bit)).toBe(index < 0 ? 8 : index);
    }
  }
});

test("fields of every width at every offset, beyond the end as well", () => {
  const seed = testSeed();
  const prng = new Prng(seed);
  const field = { low: 0, high: 0 };
  for (let round = 0; round < 6000; round++) {
    const length = 1 + prng.below(24);
    const at = prng.below(5);
    const bytes = randomBytes(prng, at + length);
    const width = 1 + prng.below(64);
    const offset = prng.below(8 * length + 20);
    const signed = width === 64 || prng.below(2) === 0;
    const text = textOf(bytes.subarray(at)).padEnd(8 * length + 100, "0");
    const unsigned = BigInt(`0b${text.slice(offset, offset + width)}`);
    const want = signed ? BigInt.asIntN(width, unsigned) : unsigned;
    readField(bytes, at, length, offset, width, signed, field);
    expect((BigInt(field.high) << 32n) | BigInt(field.low >>> 0), `seed ${seed}`).toBe(want);
    if (offset + width > 8 * length) continue;
    const low = prng.below(0x10000) * 0x10000 + prng.below(0x10000);
    const high = prng.below(0x10000) * 0x10000 + prng.below(0x10000);
    const value = BigInt.asUintN(width, (BigInt(high) << 32n) | BigInt(low))
      .toString(2)
      .padStart(width, "0");
    const head = bytes.slice(0, at);
    writeField(bytes, at, offset, width, low | 0, high | 0);
    const written = text.slice(0, offset) + value + text.slice(offset + width, 8 * length);
    expect(textOf(bytes.subarray(at)), `seed ${seed}`).toBe(written);
    expect(bytes.slice(0, at), `seed ${seed}`).toEqual(head);
  }
});
