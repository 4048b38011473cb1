// Integer sets against sorted arrays of bigints, and vectors of what Redis itself writes.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Arena } from "../../src/arena/arena.ts";
import { type BlobRef, blobAt, blobBuffer } from "../../src/arena/blob.ts";
import { bigIntHigh, bigIntLow, int64ToBigInt } from "../../src/base/int64.ts";
import type { Prng } from "../../src/base/prng.ts";
import {
  intsetBytes,
  intsetCheck,
  intsetCopy,
  intsetCount,
  intsetCreate,
  intsetFree,
  intsetGet,
  intsetInsertAt,
  intsetIsValid,
  intsetRandom,
  intsetRemoveAt,
  intsetRemoveRun,
  intsetSearch,
  intsetValue,
} from "../../src/struct/intset.ts";
import { seededTest } from "../base/seeded.ts";
import { returnArena, takeArena } from "../support/arena.ts";

// An arena that needs its first large segment may wait for seconds until the system has cleared it.
setDefaultTimeout(60_000);

const EDGES = [0n, -1n, 32767n, 32768n, -32768n, -32769n, 2147483647n, 2147483648n, -2147483648n, -2147483649n].concat([
  9007199254740993n,
  9223372036854775807n,
  -9223372036854775808n,
  4294967295n,
  4294967296n,
]);

function valueAt(a: Arena, set: BlobRef, index: number): bigint {
  intsetGet(a, set, index);
  return int64ToBigInt(intsetValue.low, intsetValue.high);
}

function allOf(a: Arena, set: BlobRef): bigint[] {
  return Array.from({ length: intsetCount(a, set) }, (_, i) => valueAt(a, set, i));
}

function add(a: Arena, set: BlobRef, n: bigint): BlobRef {
  const index = intsetSearch(a, set, bigIntLow(n), bigIntHigh(n));
  return index >= 0 ? set : intsetInsertAt(a, set, ~index, bigIntLow(n), bigIntHigh(n));
}

function draw(random: Prng, bits: number): bigint {
  if (random.below(10) === 0) return EDGES[random.below(EDGES.length)]!;
  return BigInt.asIntN(bits, (BigInt(random.uint32()) << 32n) | BigInt(random.uint32()));
}

describe("intset", () => {
  seededTest("random changes, as a sorted array has them", (random) => {
    const a = takeArena();
    for (let round = 0; round < 30; round++) {
      const bits = [5, 9, 16, 17, 32, 33, 64][round % 7]!;
      let set = intsetCreate(a);
      let model: bigint[] = [];
      let width = 2;
      for (let step = 0; step < 200; step++) {
        const n = step < 20 ? BigInt.asIntN(bits, BigInt(random.uint32() * 65537)) : draw(random, bits);
        const index = intsetSearch(a, set, bigIntLow(n), bigIntHigh(n));
        expect(index >= 0).toBe(model.includes(n));
        if (index >= 0 && random.below(2) === 0) {
          set = intsetRemoveAt(a, set, index);
          model = model.filter((m) => m !== n);
        } else {
          set = add(a, set, n);
          if (index < 0) model = [...model, n].sort((x, y) => (x < y ? -1 : 1));
          width = Math.max(width, BigInt.asIntN(16, n) === n ? 2 : BigInt.asIntN(32, n) === n ? 4 : 8);
        }
        intsetCheck(a, set);
        expect(intsetBytes(a, set)).toBe(8 + model.length * width);
      }
      expect(allOf(a, set)).toEqual(model);
      const from = random.below(model.length);
      set = intsetRemoveRun(a, set, from, random.below(model.length - from + 1));
      model.splice(from, model.length - intsetCount(a, set));
      expect(allOf(a, set)).toEqual(model);
      const copy = intsetCopy(a, set);
      expect(allOf(a, copy)).toEqual(model);
      intsetFree(a, copy);
      intsetFree(a, set);
      a.check();
      expect(a.usedBytes).toBe(0);
    }
    returnArena(a);
  });

  test("the bytes are those that Redis writes", () => {
    const a = takeArena();
    let set = intsetCreate(a);
    for (const n of [3n, 1n, -2n]) set = add(a, set, n);
    const hex = () =>
      Buffer.from(blobBuffer(a, set)).toString("hex", blobAt(a, set), blobAt(a, set) + intsetBytes(a, set));
    expect(hex()).toBe("0200000003000000feff01000300");
    set = add(a, set, 70000n);
    expect(hex()).toBe("0400000004000000feffffff010000000300000070110100");
    set = add(a, set, -9223372036854775808n);
    expect(hex().slice(0, 48)).toBe("08000000050000000000000000000080feffffffffffffff");
    expect(() => intsetRemoveAt(a, set, 5)).toThrow("outside");
    expect(() => intsetInsertAt(a, set, 6, 0, 0)).toThrow("outside");
    intsetFree(a, set);
    returnArena(a);
  });

  seededTest("random values are drawn evenly", (random) => {
    const a = takeArena();
    let set = intsetCreate(a);
    for (let n = 0n; n < 5n; n++) set = add(a, set, n);
    const counts = new Int32Array(5);
    for (let i = 0; i < 5000; i++) {
      intsetRandom(a, set, random);
      counts[intsetValue.low]!++;
    }
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150);
    intsetFree(a, set);
    returnArena(a);
  });

  test("bytes that are no set are refused", () => {
    const hex = (text: string) => Uint8Array.from(Buffer.from(text, "hex"));
    const valid = (text: string, deep = true) => intsetIsValid(hex(text), 0, text.length / 2, deep);
    expect(valid("0200000003000000feff01000300")).toBe(true);
    expect(valid("0200000003000000feff010003")).toBe(false);
    expect(valid("0300000002000000feff01000300")).toBe(false);
    expect(valid("02000000ffffffff")).toBe(false);
    expect(valid("0200000000000000")).toBe(false);
    expect(valid("020000")).toBe(false);
    expect(valid("020000000200000001000100")).toBe(false);
    expect(valid("02000000020000000100feff")).toBe(false);
    expect(valid("02000000020000000100feff", false)).toBe(true);
    expect(valid("08000000020000000100000000000000ffffffff00000000")).toBe(true);
  });
});
