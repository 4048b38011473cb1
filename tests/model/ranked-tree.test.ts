// The ranked tree against a sorted array.

import { describe, expect, test } from "bun:test";
import type { Arena, Ref } from "../../src/arena/arena.ts";
import type { Prng } from "../../src/base/prng.ts";
import { RefList } from "../../src/struct/dict/dict.ts";
import {
  TreeCursor,
  treeCheck,
  treeCount,
  treeCreate,
  treeDismantle,
  treeFirst,
  treeFree,
  treeLast,
  treeMember,
  treeNext,
  treePrevious,
  treeRank,
  treeRankOfBytes,
  treeRankOfScore,
  treeSeek,
  treeSetScore,
} from "../../src/struct/ranked-tree/ranked-tree.ts";
import { treeInsert } from "../../src/struct/ranked-tree/ranked-tree-insert.ts";
import { treeRemove, treeRemoveRun } from "../../src/struct/ranked-tree/ranked-tree-remove.ts";
import {
  memberAt,
  memberBuffer,
  memberCreate,
  memberFree,
  memberLength,
  memberScore,
  scoreKey,
  toScoreKey,
} from "../../src/struct/scored-member.ts";
import { seededTest } from "../base/seeded.ts";
import { returnArena, takeArena } from "../support/arena.ts";

interface Item {
  score: number;
  text: string;
  ref: Ref;
}

/** How scores are drawn: many different ones, few, one alone, growing, shrinking. */
const SCORES: readonly ((random: Prng, step: number) => number)[] = [
  (random) => (random.float() - 0.5) * 1e6,
  (random) => random.below(7) - 3,
  () => 1,
  (_random, step) => step,
  (_random, step) => -step,
  (random) => [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0, 5e-324, -5e-324, 1.5][random.below(7)]!,
];

function add(a: Arena, t: Ref, items: Item[], score: number, text: string): void {
  const bytes = Buffer.from(text, "latin1");
  const ref = memberCreate(a, bytes, 0, bytes.length, score);
  treeInsert(a, t, ref);
  items.splice(place(items, score, text), 0, { score, text, ref });
}

/** Index of the first item that is not before (score, text). */
function place(items: Item[], score: number, text: string): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const item = items[middle]!;
    if (item.score < score || (item.score === score && item.text < text)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function textOf(a: Arena, m: Ref): string {
  const at = memberAt(a, m);
  return Buffer.from(memberBuffer(a, m).subarray(at, at + memberLength(a, m))).toString("latin1");
}

function allRefs(a: Arena, t: Ref): Ref[] {
  const refs: Ref[] = [];
  const cursor = new TreeCursor();
  if (treeCount(a, t) === 0) return refs;
  treeSeek(a, t, 0, cursor);
  do refs.push(treeMember(a, cursor));
  while (treeNext(a, cursor));
  return refs;
}

function compareWith(a: Arena, t: Ref, items: Item[], random: Prng): void {
  treeCheck(a, t);
  expect(treeCount(a, t)).toBe(items.length);
  expect(allRefs(a, t)).toEqual(items.map((item) => item.ref));
  if (items.length === 0) return;
  expect(treeFirst(a, t)).toBe(items[0]!.ref);
  expect(treeLast(a, t)).toBe(items[items.length - 1]!.ref);
  for (let i = 0; i < 10; i++) {
    const rank = random.below(items.length);
    const { score, ref } = items[rank]!;
    expect(treeRank(a, t, ref)).toBe(rank);
    expect(treeRankOfScore(a, t, score, false)).toBe(items.findIndex((item) => item.score >= score));
    const above = items.findIndex((item) => item.score > score);
    expect(treeRankOfScore(a, t, score, true)).toBe(above < 0 ? items.length : above);
    const cursor = new TreeCursor();
    treeSeek(a, t, rank, cursor);
    expect(treeMember(a, cursor)).toBe(ref);
    let back = rank;
    do expect(treeMember(a, cursor)).toBe(items[back--]!.ref);
    while (treePrevious(a, cursor) && back > rank - 50);
  }
}

function empty(a: Arena, t: Ref, items: Item[]): void {
  treeFree(a, t);
  for (const item of items) memberFree(a, item.ref);
  a.check();
  expect(a.usedBytes).toBe(0);
}

describe("ranked tree", () => {
  for (const [kind, draw] of SCORES.entries()) {
    seededTest(`random changes, as a sorted array has them; scores of kind ${kind}`, (random) => {
      const a = takeArena();
      const t = treeCreate(a);
      const items: Item[] = [];
      let step = 0;
      const grow = (count: number) => {
        for (let i = 0; i < count; i++, step++) add(a, t, items, draw(random, step), `${random.below(1000)}:${step}`);
      };
      const shrink = (count: number) => {
        for (let i = 0; i < count && items.length > 0; i++) {
          const at = [random.below(items.length), 0, items.length - 1][random.below(kind < 3 ? 1 : 3)]!;
          const [item] = items.splice(at, 1);
          treeRemove(a, t, item!.ref);
          memberFree(a, item!.ref);
        }
      };
      for (const [more, less] of [
        [1, 0],
        [41, 0],
        [1, 5],
        [3000, 500],
        [2500, 4000],
        [1000, 100],
      ] as const) {
        grow(more);
        compareWith(a, t, items, random);
        shrink(less);
        compareWith(a, t, items, random);
      }
      for (let i = 0; i < 300; i++) {
        const item = items.splice(random.below(items.length), 1)[0]!;
        const near = item.score + (random.float() - 0.5) * (random.below(2) === 0 ? 1e-3 : 1e6);
        const score = Number.isNaN(near) ? 0 : near;
        treeSetScore(a, t, item.ref, score);
        expect(memberScore(a, item.ref)).toBe(score);
        items.splice(place(items, score, item.text), 0, { ...item, score });
        if (i % 20 === 0) compareWith(a, t, items, random);
      }
      const out = new RefList();
      for (let i = 0; i < 60; i++) {
        const from = random.below(items.length);
        const count = 1 + random.below(i % 10 === 0 ? 200 : 5);
        out.count = 0;
        const removed = treeRemoveRun(a, t, from, count, out);
        expect(removed).toBeGreaterThan(0);
        const gone = items.splice(from, removed);
        expect([...out.refs.subarray(0, out.count)]).toEqual(gone.map((item) => item.ref));
        for (const item of gone) memberFree(a, item.ref);
        compareWith(a, t, items, random);
        if (items.length < 50) break;
      }
      shrink(items.length);
      compareWith(a, t, items, random);
      empty(a, t, items);
      returnArena(a);
    });
  }

  seededTest("ranks of bytes, where all scores are equal", (random) => {
    const a = takeArena();
    const t = treeCreate(a);
    const items: Item[] = [];
    const texts = new Set(Array.from({ length: 2000 }, () => String(random.below(5000))));
    texts.add("");
    texts.add("x".repeat(100_000));
    for (const text of texts) add(a, t, items, 7, text);
    compareWith(a, t, items, random);
    for (let i = 0; i < 500; i++) {
      const text = String(random.below(6000));
      const bytes = Buffer.from(text, "latin1");
      const below = place(items, 7, text);
      expect(treeRankOfBytes(a, t, bytes, 0, bytes.length, false)).toBe(below);
      expect(treeRankOfBytes(a, t, bytes, 0, bytes.length, true)).toBe(below + (texts.has(text) ? 1 : 0));
    }
    expect(textOf(a, treeLast(a, t))).toHaveLength(100_000);
    empty(a, t, items);
    returnArena(a);
  });

  test("what grows at its end fills its leaves", () => {
    for (const direction of [1, -1]) {
      const a = takeArena();
      const t = treeCreate(a);
      const items: Item[] = [];
      for (let i = 0; i < 41 * 100; i++) {
        const bytes = Buffer.from(`m${i}`);
        const ref = memberCreate(a, bytes, 0, bytes.length, i * direction);
        treeInsert(a, t, ref);
        items.push({ score: i, text: "", ref });
      }
      treeCheck(a, t);
      const members = items.reduce((sum, item) => sum + a.capacity(item.ref), 0);
      expect(a.usedBytes - members).toBeLessThan(41 * 100 * 14);
      empty(a, t, items);
      returnArena(a);
    }
  });

  test("a tree is taken apart bit by bit", () => {
    const a = takeArena();
    const t = treeCreate(a);
    const items: Item[] = [];
    for (let i = 0; i < 5000; i++) add(a, t, items, i % 17, `m${i}`);
    let steps = 1;
    while (!treeDismantle(a, t, 10)) steps++;
    expect(steps).toBeGreaterThan(10);
    for (const item of items) memberFree(a, item.ref);
    expect(a.usedBytes).toBe(0);
    returnArena(a);
  });

  test("what is not there is not removed or ranked silently", () => {
    const a = takeArena();
    const t = treeCreate(a);
    const items: Item[] = [];
    add(a, t, items, 1, "a");
    const bytes = Buffer.from("b");
    const other = memberCreate(a, bytes, 0, 1, 1);
    expect(() => treeRemove(a, t, other)).toThrow("not there");
    expect(() => treeSetScore(a, t, other, 2)).toThrow("not there");
    expect(() => treeRank(a, t, other)).toThrow("not there");
    memberFree(a, other);
    empty(a, t, items);
    returnArena(a);
  });

  seededTest("score keys are ordered as scores are", (random) => {
    const scores = [Number.NEGATIVE_INFINITY, -1.5, -5e-324, 0, 5e-324, 1, 2 ** 53, Number.POSITIVE_INFINITY];
    for (let i = 0; i < 200; i++) scores.push((random.float() - 0.5) * 10 ** (random.below(40) - 20));
    const keys = scores.map((score) => {
      toScoreKey(score);
      return [scoreKey.high, scoreKey.low] as const;
    });
    for (const [i, x] of scores.entries())
      for (const [j, y] of scores.entries()) {
        const [a, b] = [keys[i]!, keys[j]!];
        expect(Math.sign(a[0] - b[0] || a[1] - b[1])).toBe(Math.sign(x < y ? -1 : x > y ? 1 : 0));
      }
    toScoreKey(-0);
    const minusZero = { ...scoreKey };
    toScoreKey(0);
    expect(minusZero).toEqual({ ...scoreKey });
  });
});
