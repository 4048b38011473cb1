/** The keyed hash against a plain reading of HalfSipHash-1-3, and its dependence on every byte and on the key. */
import { describe, expect } from "bun:test";
import { hashBytes } from "../../src/base/hash.ts";
import { embed, seededTest } from "./seeded.ts";

const rotate = (x: number, by: number): number => ((x << by) | (x >>> (32 - by))) >>> 0;

/** Straight from the paper: state of four words, one round for each word of input, three at the end. */
function halfSipHash13(content: Uint8Array, k0: number, k1: number): number {
  const v = [k0 >>> 0, k1 >>> 0, (0x6c796765 ^ k0) >>> 0, (0x74656462 ^ k1) >>> 0];
  const add = (i: number, j: number): void => {
    v[i] = (v[i] + v[j]) >>> 0;
  };
  const mix = (i: number, by: number, j: number): void => {
    v[i] = (rotate(v[i], by) ^ v[j]) >>> 0;
  };
  const round = (): void => {
    add(0, 1);
    mix(1, 5, 0);
    v[0] = rotate(v[0], 16);
    add(2, 3);
    mix(3, 8, 2);
    add(0, 3);
    mix(3, 7, 0);
    add(2, 1);
    mix(1, 13, 2);
    v[2] = rotate(v[2], 16);
  };
  const padded = new Uint8Array((content.length >> 2) * 4 + 4);
  padded.set(content);
  padded[padded.length - 1] = content.length;
  const words = new DataView(padded.buffer);
  for (let at = 0; at < padded.length; at += 4) {
    const m = words.getUint32(at, true);
    v[3] = (v[3] ^ m) >>> 0;
    round();
    v[0] = (v[0] ^ m) >>> 0;
  }
  v[2] = (v[2] ^ 0xff) >>> 0;
  for (let i = 0; i < 3; i++) round();
  return (v[1] ^ v[3]) | 0;
}

describe("hashBytes", () => {
  seededTest("is HalfSipHash-1-3", (random) => {
    for (let i = 0; i < 3000; i++) {
      const content = new Uint8Array(random.below(70));
      random.fill(content, 0, content.length);
      const k0 = random.uint32() | 0;
      const k1 = random.uint32() | 0;
      expect(hashBytes(embed(content, 5, 170), 5, content.length, k0, k1)).toBe(halfSipHash13(content, k0, k1));
    }
  });

  seededTest("changes with each bit of the content and with the key", (random) => {
    const content = new Uint8Array(23);
    random.fill(content, 0, content.length);
    const seen = new Set([hashBytes(content, 0, content.length, 1, 2), hashBytes(content, 0, content.length, 3, 2)]);
    for (let bit = 0; bit < content.length * 8; bit++) {
      content[bit >> 3] ^= 1 << (bit & 7);
      seen.add(hashBytes(content, 0, content.length, 1, 2));
      content[bit >> 3] ^= 1 << (bit & 7);
    }
    expect(seen.size).toBeGreaterThan(content.length * 8);
  });
});
