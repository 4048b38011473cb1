import { describe, expect, test } from "bun:test";
import { Crc64 } from "../../src/base/crc64.ts";
import { sha1, sha1Hex } from "../../src/base/sha1.ts";
import { bytes, embed, seededTest } from "./seeded.ts";

/** Bit by bit, least significant bit first, with the reflected polynomial. */
function crc64Model(content: Uint8Array): bigint {
  let crc = 0n;
  for (const byte of content) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = (crc >> 1n) ^ (crc & 1n ? 0x95ac9329ac4bc9b5n : 0n);
  }
  return crc;
}

describe("Crc64", () => {
  test("check value", () => {
    const crc = new Crc64();
    expect(crc.toHex()).toBe("0000000000000000");
    crc.update(bytes("123456789"), 0, 9);
    expect(crc.toHex()).toBe("e9c6d914c4b8d9ca");
    const stored = new Uint8Array(10);
    expect(crc.write(stored, 1)).toBe(9);
    expect(Array.from(stored)).toEqual([0, 0xca, 0xd9, 0xb8, 0xc4, 0x14, 0xd9, 0xc6, 0xe9, 0]);
    expect(crc.matches(stored, 1)).toBe(true);
    for (let i = 1; i < 9; i++) {
      stored[i]! ^= 0x80;
      expect(crc.matches(stored, 1)).toBe(false);
      stored[i]! ^= 0x80;
    }
    crc.reset();
    expect(crc.toHex()).toBe("0000000000000000");
  });

  seededTest("agrees with the bitwise definition, however the bytes are cut", (random) => {
    for (let i = 0; i < 400; i++) {
      const content = new Uint8Array(random.below(200));
      random.fill(content, 0, content.length);
      const outer = embed(content, 5, 170);
      const crc = new Crc64();
      for (let at = 0; at < content.length; ) {
        const step = 1 + random.below(content.length - at);
        crc.update(outer, 5 + at, step);
        at += step;
      }
      expect(crc.toHex()).toBe(crc64Model(content).toString(16).padStart(16, "0"));
    }
  });
});

describe("sha1", () => {
  test.each([
    ["", "da39a3ee5e6b4b0d3255bfef95601890afd80709"],
    ["abc", "a9993e364706816aba3e25717850c26c9cd0d89d"],
    ["return 1", "e0e1f9fabfc9d4800c877a703b823ac0578ff8db"],
  ])("%j", (text, digest) => {
    const content = bytes(text);
    const outer = embed(content, 7, 65);
    expect(sha1Hex(outer, 7, content.length)).toBe(digest);
    expect(Buffer.from(sha1(outer, 7, content.length)).toString("hex")).toBe(digest);
  });
});
