// The ordered index against a sorted array of keys: random and growing keys, deletions from everywhere.

import { expect, setDefaultTimeout, test } from "bun:test";
import type { Arena, Ref } from "../../src/arena/arena.ts";
import { Prng } from "../../src/base/prng.ts";
import {
  IndexCursor,
  indexCheck,
  indexCount,
  indexCreate,
  indexFind,
  indexFirst,
  indexFloor,
  indexFree,
  indexLast,
  indexNext,
  indexPrevious,
} from "../../src/struct/id-index/id-index.ts";
import { indexCopy } from "../../src/struct/id-index/id-index-copy.ts";
import { indexDelete, indexDropLast } from "../../src/struct/id-index/id-index-delete.ts";
import { indexInsert } from "../../src/struct/id-index/id-index-insert.ts";
import { testSeed } from "../base/seeded.ts";
import { returnArena, takeArena } from "../support/arena.ts";

setDefaultTimeout(60_000);

/** A key that compares as the bigint does. */
function words(key: bigint, count: number): Int32Array {
  return Int32Array.from({ length: count }, (_, i) => Number(BigInt.asIntN(32, key >> BigInt(32 * (count - 1 - i)))));
}

function keyAt(c: IndexCursor, count: number): bigint {
  let key = 0n;
  for (let i = 0; i < count; i++) key = (key << 32n) | BigInt(c.words[c.at + i] >>> 0);
  return key;
}

/** Where the first key stands that is not below `key`. */
function bound(sorted: readonly bigint[], key: bigint): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A copy holds the same, can be changed like any other, and has no part in the original. */
function checkCopy(a: Arena, t: Ref, keyWords: number): void {
  const c = new IndexCursor();
  const read = (index: Ref): bigint[] => {
    const keys: bigint[] = [];
    for (let more = indexFirst(a, index, c); more; more = indexNext(a, index, c)) keys.push(keyAt(c, keyWords + 1));
    return keys;
  };
  const used = a.usedBytes;
  const original = read(t);
  const copy = indexCopy(a, t);
  indexCheck(a, copy);
  expect(read(copy)).toEqual(original);
  const backward: bigint[] = [];
  for (let more = indexLast(a, copy, c); more; more = indexPrevious(a, copy, c)) backward.push(keyAt(c, keyWords + 1));
  expect(backward.reverse()).toEqual(original);
  for (let i = 0; i < 200; i++) indexInsert(a, copy, words((1n << 121n) + BigInt(i), keyWords), c);
  while (indexCount(a, copy) > 0) indexDropLast(a, copy);
  indexCheck(a, copy);
  indexFree(a, copy);
  expect(read(t)).toEqual(original);
  indexCheck(a, t);
  expect(a.usedBytes).toBe(used);
}

for (const [name, keyWords, spread] of [
  ["crowded keys of four words", 4, 3000],
  ["wide keys of six words", 6, 1e9],
] as const) {
  test(`random changes, ${name}`, () => {
    const seed = testSeed();
    const prng = new Prng(seed);
    const a = takeArena();
    const used = a.usedBytes;
    try {
      const t = indexCreate(a, keyWords, 1);
      const c = new IndexCursor();
      const sorted: bigint[] = [];
      const draw = (): bigint => {
        const part = BigInt(prng.below(spread));
        return prng.below(2) === 0 ? part << 90n : part << 20n;
      };
      let next = 1n << 100n;
      for (let step = 0; step < 12_000; step++) {
        const phase = (step / 3000) & 1;
        const action = prng.below(10);
        if (action < (phase === 0 ? 6 : 2)) {
          const key = prng.below(3) === 0 ? next++ : draw();
          const i = bound(sorted, key);
          const isNew = sorted[i] !== key;
          expect(indexInsert(a, t, words(key, keyWords), c)).toBe(isNew);
          expect(keyAt(c, keyWords)).toBe(key);
          if (isNew) {
            sorted.splice(i, 0, key);
            c.words[c.at + keyWords] = Number(BigInt.asIntN(32, key * 31n));
          }
        } else if (action < 8 && sorted.length > 0) {
          const i = prng.below(sorted.length);
          const run = prng.below(20) === 0 ? 150 : 1;
          for (const key of sorted.splice(i, run)) expect(indexDelete(a, t, words(key, keyWords))).toBe(true);
        } else if (action === 8) {
          const key = draw();
          const i = bound(sorted, key);
          expect(indexFind(a, t, words(key, keyWords), c)).toBe(sorted[i] === key);
          if (i < sorted.length) expect(keyAt(c, keyWords)).toBe(sorted[i]!);
          else expect(c.leaf).toBe(0);
          const floor = sorted[i] === key ? i : i - 1;
          expect(indexFloor(a, t, words(key, keyWords), c)).toBe(floor >= 0);
          if (floor >= 0) expect(keyAt(c, keyWords)).toBe(sorted[floor]!);
        } else if (sorted.length > 0 && prng.below(4) === 0) {
          indexDropLast(a, t);
          sorted.pop();
        } else {
          expect(indexDelete(a, t, words((1n << 120n) + 1n, keyWords))).toBe(false);
        }
        if (step % 100 === 0) indexCheck(a, t);
        expect(indexCount(a, t)).toBe(sorted.length);
      }
      indexCheck(a, t);
      const forward: bigint[] = [];
      for (let more = indexFirst(a, t, c); more; more = indexNext(a, t, c)) {
        forward.push(keyAt(c, keyWords));
        expect(c.words[c.at + keyWords]).toBe(Number(BigInt.asIntN(32, forward.at(-1)! * 31n)));
      }
      expect(forward).toEqual(sorted);
      const backward: bigint[] = [];
      for (let more = indexLast(a, t, c); more; more = indexPrevious(a, t, c)) backward.push(keyAt(c, keyWords));
      expect(backward.reverse()).toEqual(sorted);
      checkCopy(a, t, keyWords);
      indexFree(a, t);
      expect(a.usedBytes).toBe(used);
      a.check();
      returnArena(a);
    } catch (error) {
      throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
    }
  });
}

test("growing keys fill the leaves", () => {
  const a = takeArena();
  const t = indexCreate(a, 4, 1);
  const c = new IndexCursor();
  const used = a.usedBytes;
  for (let i = 0; i < 10_000; i++) indexInsert(a, t, words(BigInt(i) << 64n, 4), c);
  indexCheck(a, t);
  expect(a.usedBytes - used).toBeLessThan(10_000 * 20 * 1.15);
  checkCopy(a, t, 4);
  while (indexCount(a, t) > 0) indexDropLast(a, t);
  indexCheck(a, t);
  indexFree(a, t);
  returnArena(a);
});
