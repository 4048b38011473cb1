// Listpacks against plain arrays of strings: all encodings of integers and strings, changes at random places, walks in both directions, bytes that
// were damaged, and vectors of what Redis itself writes.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Arena } from "../../src/arena/arena.ts";
import { type BlobRef, blobAt, blobBuffer } from "../../src/arena/blob.ts";
import type { Prng } from "../../src/base/prng.ts";
import {
  ListpackElement,
  listpackAppend,
  listpackAppendInteger,
  listpackBytes,
  listpackCheck,
  listpackCopy,
  listpackCount,
  listpackCreate,
  listpackDelete,
  listpackDeleteRange,
  listpackEnd,
  listpackEquals,
  listpackFind,
  listpackFirst,
  listpackFits,
  listpackFree,
  listpackInsertAfter,
  listpackInsertBefore,
  listpackIsValid,
  listpackLast,
  listpackMerge,
  listpackNext,
  listpackPrepend,
  listpackPrevious,
  listpackRandom,
  listpackRead,
  listpackReplace,
  listpackReplaceInteger,
  listpackSeek,
  listpackSplice,
} from "../../src/struct/listpack/listpack.ts";
import { elementBytes } from "../../src/struct/listpack/listpack-element.ts";
import { bytes, seededTest } from "../base/seeded.ts";
import { returnArena, takeArena } from "../support/arena.ts";

// An arena that needs its first large segment may wait for seconds until the system has cleared it.
setDefaultTimeout(60_000);

const element = new ListpackElement();

/** Values at the limits of every encoding. */
const EDGES = [0, 127, 128, -1, 4095, 4096, -4096, -4097, 32767, 32768, -32768, -32769, 8388607, 8388608, -8388608]
  .concat([-8388609, 2147483647, 2147483648, -2147483648, -2147483649, 2 ** 53 - 1, -(2 ** 53) + 1])
  .map(String)
  .concat("9223372036854775807", "-9223372036854775808", "9223372036854775808", "-0", "01", "+1", "", "-", "1x", " 1");

function randomText(random: Prng): string {
  const kind = random.below(20);
  if (kind < 6) return EDGES[random.below(EDGES.length)]!;
  if (kind < 9) return String(random.below(2 ** (1 + random.below(52))) * (random.below(2) === 0 ? 1 : -1));
  const lengths = [8, 62 + random.below(4), 124 + random.below(6), 4090 + random.below(10), 300];
  const length = random.below(lengths[kind < 17 ? 0 : 1 + random.below(4)]!);
  const exact = kind < 17 ? length : lengths[1 + random.below(4)]!;
  return String.fromCharCode(...Array.from({ length: exact }, () => random.below(256)));
}

function textAt(a: Arena, lp: BlobRef, p: number): string {
  listpackRead(a, lp, p, element);
  element.text();
  return Buffer.from(element.buf.subarray(element.at, element.at + element.length)).toString("latin1");
}

function allOf(a: Arena, lp: BlobRef): string[] {
  const texts: string[] = [];
  for (let p = listpackFirst(a, lp); p !== 0; p = listpackNext(a, lp, p)) texts.push(textAt(a, lp, p));
  return texts;
}

function allBackwards(a: Arena, lp: BlobRef): string[] {
  const texts: string[] = [];
  for (let p = listpackLast(a, lp); p !== 0; p = listpackPrevious(a, lp, p)) texts.unshift(textAt(a, lp, p));
  return texts;
}

function listOf(a: Arena, texts: readonly string[]): BlobRef {
  let lp = listpackCreate(a);
  for (const text of texts) lp = listpackAppend(a, lp, bytes(text), 0, text.length);
  return lp;
}

function rawOf(a: Arena, lp: BlobRef): Uint8Array {
  const at = blobAt(a, lp);
  return blobBuffer(a, lp).slice(at, at + listpackBytes(a, lp));
}

/** One random change of both; the new listpack. */
function change(a: Arena, lp: BlobRef, model: string[], random: Prng): BlobRef {
  const text = randomText(random);
  const raw = bytes(text);
  const index = random.below(model.length + 1);
  const p = listpackSeek(a, lp, index);
  expect(p === 0).toBe(index === model.length);
  const kind = random.below(model.length > 60 ? 8 : 14);
  if (kind >= 11) {
    model.push(text);
    return listpackAppend(a, lp, raw, 0, raw.length);
  }
  if (kind === 10) {
    model.unshift(text);
    return listpackPrepend(a, lp, raw, 0, raw.length);
  }
  if (kind >= 8) {
    model.splice(index, 0, text);
    return listpackInsertBefore(a, lp, p === 0 ? listpackEnd(a, lp) : p, raw, 0, raw.length);
  }
  if (kind >= 6) {
    const count = random.below(8);
    model.splice(index, count);
    return listpackDeleteRange(a, lp, index, count);
  }
  if (p === 0) return lp;
  if (kind >= 4) {
    model.splice(index, 1);
    return listpackDelete(a, lp, p);
  }
  if (kind === 3) {
    model.splice(index + 1, 0, text);
    return listpackInsertAfter(a, lp, p, raw, 0, raw.length);
  }
  if (kind === 2) {
    const n = random.uint32() | 0;
    model[index] = String(n);
    return listpackReplaceInteger(a, lp, p, n, n >> 31);
  }
  model[index] = text;
  return listpackReplace(a, lp, p, raw, 0, raw.length);
}

function checkFinds(a: Arena, lp: BlobRef, model: readonly string[], random: Prng): void {
  const text = random.below(2) === 0 && model.length > 0 ? model[random.below(model.length)]! : randomText(random);
  const raw = bytes(text);
  const wanted = model.indexOf(text);
  const found = listpackFind(a, lp, 0, raw, 0, raw.length, 0);
  expect(found).toBe(wanted < 0 ? 0 : listpackSeek(a, lp, wanted));
  const key = model.findIndex((each, i) => i % 2 === 0 && each === text);
  expect(listpackFind(a, lp, 0, raw, 0, raw.length, 1)).toBe(key < 0 ? 0 : listpackSeek(a, lp, key));
  const index = random.below(model.length + 1) - 1 - model.length;
  const p = listpackSeek(a, lp, index);
  expect(p === 0).toBe(-index > model.length);
  if (p === 0) return;
  expect(textAt(a, lp, p)).toBe(model.at(index)!);
  expect(listpackEquals(a, lp, p, raw, 0, raw.length)).toBe(model.at(index) === text);
}

describe("listpack", () => {
  seededTest("random changes, as an array has them", (random) => {
    const a = takeArena();
    for (let round = 0; round < 20; round++) {
      const model: string[] = [];
      let lp = listpackCreate(a);
      for (let step = 0; step < 120; step++) {
        lp = change(a, lp, model, random);
        listpackCheck(a, lp);
        expect(listpackCount(a, lp)).toBe(model.length);
        if (step % 10 === 0) {
          expect(allOf(a, lp)).toEqual(model);
          expect(allBackwards(a, lp)).toEqual(model);
        }
        checkFinds(a, lp, model, random);
      }
      const other = Array.from({ length: random.below(20) }, () => randomText(random));
      lp = listpackMerge(a, lp, listOf(a, other));
      listpackCheck(a, lp);
      expect(allOf(a, lp)).toEqual([...model, ...other]);
      const copy = listpackCopy(a, lp);
      expect(Buffer.from(rawOf(a, copy)).equals(rawOf(a, lp))).toBe(true);
      listpackFree(a, lp);
      listpackFree(a, copy);
      a.check();
      expect(a.usedBytes).toBe(0);
    }
    returnArena(a);
  });

  test("the bytes are those that Redis writes", () => {
    const a = takeArena();
    const lp = listOf(a, ["a", "1", "-1", "300", "10000", "-9000000", "9223372036854775807", "x".repeat(64)]);
    const want = `816102 0101 dfff02 c12c02 f1102703 f3c0ab76ff05 f4ffffffffffffff7f09 e040${"78".repeat(64)}42 ff`;
    expect(Buffer.from(rawOf(a, lp)).toString("hex")).toBe(`690000000800${want.replaceAll(" ", "")}`);
    const long = listOf(a, ["y".repeat(5000)]);
    expect(Buffer.from(rawOf(a, long).subarray(6, 12)).toString("hex")).toBe("f08813000079");
    expect(Buffer.from(rawOf(a, long).slice(-4)).toString("hex")).toBe("79278dff");
    listpackFree(a, long);
    listpackFree(a, lp);
    returnArena(a);
  });

  test("halves of integers are exact", () => {
    const a = takeArena();
    let lp = listpackCreate(a);
    lp = listpackAppendInteger(a, lp, 1, 1 << 21);
    lp = listpackAppendInteger(a, lp, 0, -(2 ** 31));
    lp = listpackAppendInteger(a, lp, -1, 0);
    expect(allOf(a, lp)).toEqual(["9007199254740993", "-9223372036854775808", "4294967295"]);
    listpackRead(a, lp, listpackLast(a, lp), element);
    expect(element.isInteger).toBe(true);
    expect(element.number()).toBe(4294967295);
    listpackFree(a, lp);
    returnArena(a);
  });

  test("more than 65534 elements are not counted in the header", () => {
    const a = takeArena();
    let lp = listpackCreate(a);
    const small = bytes("7");
    for (let i = 0; i < 65536; i++) lp = listpackAppend(a, lp, small, 0, 1);
    listpackCheck(a, lp);
    expect(listpackCount(a, lp)).toBe(65536);
    expect(textAt(a, lp, listpackSeek(a, lp, 65535))).toBe("7");
    expect(listpackSeek(a, lp, 65536)).toBe(0);
    expect(listpackSeek(a, lp, -65537)).toBe(0);
    lp = listpackDeleteRange(a, lp, -10, 10);
    listpackCheck(a, lp);
    expect(listpackCount(a, lp)).toBe(65526);
    lp = listpackDeleteRange(a, lp, 0, 65526);
    expect(listpackCount(a, lp)).toBe(0);
    expect(listpackBytes(a, lp)).toBe(7);
    expect(listpackFits(a, lp, 2 ** 30 - 7)).toBe(true);
    expect(listpackFits(a, lp, 2 ** 30 - 6)).toBe(false);
    listpackFree(a, lp);
    returnArena(a);
  });

  test("a splice outside is a mistake", () => {
    const a = takeArena();
    const lp = listOf(a, ["a", "b"]);
    expect(() => listpackSplice(a, lp, listpackEnd(a, lp), 1, 0, -1)).toThrow("outside");
    expect(() => listpackSplice(a, lp, 2, 1, 0, -1)).toThrow("outside");
    listpackFree(a, lp);
    returnArena(a);
  });

  seededTest("random elements are drawn evenly", (random) => {
    const a = takeArena();
    const lp = listOf(a, ["a", "1", "b", "2", "c", "3", "d", "4"]);
    const counts = new Map<string, number>();
    for (let i = 0; i < 4000; i++) {
      const text = textAt(a, lp, listpackRandom(a, lp, random, 2));
      counts.set(text, (counts.get(text) ?? 0) + 1);
    }
    expect([...counts.keys()].sort()).toEqual(["a", "b", "c", "d"]);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(150);
    const empty = listpackCreate(a);
    expect(listpackRandom(a, empty, random, 1)).toBe(0);
    listpackFree(a, empty);
    listpackFree(a, lp);
    returnArena(a);
  });

  seededTest("damaged bytes are refused or harmless", (random) => {
    const a = takeArena();
    const originals = Array.from({ length: 20 }, () => {
      const texts = Array.from({ length: 1 + random.below(6) }, () => randomText(random).slice(0, 200));
      const lp = listOf(a, texts);
      const raw = rawOf(a, lp);
      listpackFree(a, lp);
      return raw;
    });
    // One small buffer for all rounds: the bytes around the list would be read as further elements.
    const inside = new Uint8Array(2048);
    let refused = 0;
    for (let round = 0; round < 800; round++) {
      const raw = originals[random.below(originals.length)]!;
      inside.fill(255).set(raw, 32);
      for (let i = random.below(3); i >= 0; i--) inside[32 + random.below(raw.length)] = random.below(256);
      if (!listpackIsValid(inside, 32, raw.length, true)) {
        refused++;
        continue;
      }
      // What passes can be walked to its end.
      expect(listpackIsValid(inside, 32, raw.length, false)).toBe(true);
      let p = 32 + 6;
      for (const limit = 32 + raw.length - 1; p < limit; ) {
        element.read(inside, p);
        if (!element.isInteger) expect(element.at + element.length).toBeLessThan(limit);
        p = nextOf(inside, p);
      }
      expect(p).toBe(32 + raw.length - 1);
    }
    expect(refused).toBeGreaterThan(200);
    for (let length = 0; length < 7; length++)
      expect(listpackIsValid(new Uint8Array(length), 0, length, true)).toBe(false);
    returnArena(a);
  });
});

function nextOf(buf: Uint8Array, p: number): number {
  return p + elementBytes(buf, p);
}
