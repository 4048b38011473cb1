import { describe, expect, test } from "bun:test";
import { lzfCompress, lzfDecompress } from "../../src/base/lzf.ts";
import type { Prng } from "../../src/base/prng.ts";
import { bytes, embed, seededTest } from "./seeded.ts";

/** The format, read with a plain array; null where it is malformed. */
function model(stream: Uint8Array): number[] | null {
  const out: number[] = [];
  let at = 0;
  while (at < stream.length) {
    const control = stream[at++]!;
    if (control < 32) {
      if (at + control + 1 > stream.length) return null;
      for (let i = 0; i <= control; i++) out.push(stream[at++]!);
      continue;
    }
    let length = (control >> 5) + 2;
    if (length === 9) {
      if (at >= stream.length) return null;
      length += stream[at++]!;
    }
    if (at >= stream.length) return null;
    const distance = (control & 31) * 256 + stream[at++]! + 1;
    if (distance > out.length) return null;
    for (let i = 0; i < length; i++) out.push(out[out.length - distance]!);
  }
  return out;
}

function decompress(stream: Uint8Array, room: number): Uint8Array | null {
  const dst = new Uint8Array(room + 8).fill(200);
  const length = lzfDecompress(embed(stream, 3, 32), 3, stream.length, dst, 4, room);
  expect(dst.subarray(0, 4).every((byte) => byte === 200)).toBe(true);
  expect(dst.subarray(4 + room).every((byte) => byte === 200)).toBe(true);
  return length < 0 ? null : dst.slice(4, 4 + length);
}

function compress(content: Uint8Array, room: number): Uint8Array | null {
  const dst = new Uint8Array(room + 8).fill(200);
  const length = lzfCompress(embed(content, 3, 97), 3, content.length, dst, 4, room);
  expect(dst.subarray(0, 4).every((byte) => byte === 200)).toBe(true);
  expect(dst.subarray(4 + room).every((byte) => byte === 200)).toBe(true);
  return length === 0 ? null : dst.slice(4, 4 + length);
}

/** Bytes with runs, repeats near and far, and noise. */
function content(random: Prng, lengthMax: number): Uint8Array {
  const out = new Uint8Array(random.below(lengthMax + 1));
  let at = 0;
  while (at < out.length) {
    const length = Math.min(out.length - at, 1 + random.below([4, 40, 600][random.below(3)]!));
    const kind = random.below(3);
    const from = random.below(at + 1);
    for (let i = 0; i < length; i++) {
      out[at + i] = kind === 0 ? random.uint32() : kind === 1 ? 7 : (out[from + i] ?? 0);
    }
    at += length;
  }
  return out;
}

describe("compressing", () => {
  seededTest("comes back the same, in the format", (random) => {
    let compressed = 0;
    for (let i = 0; i < 1500; i++) {
      const input = content(random, random.below(5) ? 300 : 20000);
      const stream = compress(input, 2 * input.length + 2);
      if (input.length === 0) {
        expect(stream).toBeNull();
        continue;
      }
      expect(Buffer.from(model(stream!)!).equals(input)).toBe(true);
      expect(Buffer.from(decompress(stream!, input.length)!).equals(input)).toBe(true);
      if (stream!.length < input.length) compressed++;
      // With any less room it gives up, and with little more than it needs it may.
      expect(compress(input, stream!.length + 4)).toEqual(stream);
      expect(compress(input, stream!.length - 1)).toBeNull();
      const tight = compress(input, stream!.length + random.below(4));
      if (tight !== null) expect(tight).toEqual(stream!);
    }
    expect(compressed).toBeGreaterThan(500);
  });

  test("text and runs get much smaller, noise does not fit", () => {
    expect(compress(bytes("a".repeat(1000)), 996)!.length).toBeLessThan(30);
    expect(compress(bytes("hello world ".repeat(100)), 1196)!.length).toBeLessThan(60);
    expect(
      compress(
        Uint8Array.from({ length: 256 }, (_, i) => i),
        252,
      ),
    ).toBeNull();
  });

  seededTest("a match at the longest distance is found, one further is not", (random) => {
    for (const [gap, found] of [
      [8192, true],
      [8193, false],
    ] as const) {
      // Noise grows by one byte in 32; the repeat outweighs that.
      const input = new Uint8Array(gap + 600);
      random.fill(input, 0, gap);
      input.copyWithin(gap, 0, 600);
      const stream = compress(input, 2 * input.length)!;
      expect(Buffer.from(model(stream)!).equals(input)).toBe(true);
      expect(stream.length < input.length).toBe(found);
    }
  });
});

describe("decompressing", () => {
  test("copies that overlap themselves", () => {
    expect(Buffer.from(decompress(bytes("\x00a\xe0\x00\x00"), 100)!).toString()).toBe("a".repeat(10));
    expect(Buffer.from(decompress(bytes("\x01ab\x60\x01"), 100)!).toString()).toBe("abababa");
    expect(Buffer.from(decompress(bytes("\x02abc\xe0\xff\x02"), 300)!).toString()).toBe("abc".repeat(89));
  });

  test.each([
    ["a literal run cut short", "\x05abc"],
    ["a copy without its distance", "\x00a\x20"],
    ["a long copy without its length", "\x00a\xe0"],
    ["a long copy without its distance", "\x00a\xe0\x05"],
    ["a copy from before the start", "\x00a\x20\x01"],
    ["a copy with nothing written yet", "\x20\x00"],
  ])("%s is refused", (_name, stream) => expect(decompress(bytes(stream), 1000)).toBeNull());

  test("a result that does not fit is refused", () => {
    const stream = bytes("\x02abc\xe0\x00\x02");
    expect(decompress(stream, 12)!.length).toBe(12);
    for (let room = 0; room < 12; room++) expect(decompress(stream, room)).toBeNull();
  });

  seededTest("damaged and random streams never reach outside", (random) => {
    for (let i = 0; i < 20000; i++) {
      let stream = new Uint8Array(random.below(24));
      random.fill(stream, 0, stream.length);
      if (random.below(2)) {
        const input = content(random, 60);
        stream = Uint8Array.from(compress(input, 200) ?? [0, 0]);
        if (random.below(2)) stream = stream.slice(0, random.below(stream.length + 1));
        else stream[random.below(stream.length)] = random.uint32();
      }
      const want = model(stream);
      const got = decompress(stream, 600);
      if (want === null || want.length > 600) expect(got).toBeNull();
      else expect(Array.from(got!)).toEqual(want);
    }
  });
});
