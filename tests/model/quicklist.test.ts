// Quicklists against plain arrays of strings: all fills and compression depths, elements of all sizes, changes at random places through cursors.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Arena, Ref } from "../../src/arena/arena.ts";
import type { Prng } from "../../src/base/prng.ts";
import { ListpackElement, listpackAppend, listpackCreate } from "../../src/struct/listpack/listpack.ts";
import {
  quicklistAppendListpack,
  quicklistAppendPlain,
  quicklistCheck,
  quicklistCopy,
  quicklistCount,
  quicklistCreate,
  quicklistDropEnd,
  quicklistFree,
  quicklistFreeStep,
  quicklistMemory,
  quicklistNodes,
  quicklistPush,
  quicklistReadEnd,
} from "../../src/struct/quicklist/quicklist.ts";
import {
  cursorEquals,
  cursorLeave,
  cursorNext,
  cursorPrevious,
  cursorRead,
  QuicklistCursor,
  quicklistSeek,
  SearchedElement,
} from "../../src/struct/quicklist/quicklist-cursor.ts";
import {
  quicklistDeleteAt,
  quicklistDeleteRange,
  quicklistInsert,
  quicklistReplace,
} from "../../src/struct/quicklist/quicklist-edit.ts";
import { nodeIsCompressed, nodeIsPlain, nodeNext, quicklistEnd } from "../../src/struct/quicklist/quicklist-node.ts";
import { bytes, seededTest } from "../base/seeded.ts";
import { returnArena, takeArena } from "../support/arena.ts";

// An arena that needs its first large segment may wait for seconds until the system has cleared it.
setDefaultTimeout(60_000);

const element = new ListpackElement();
const cursor = new QuicklistCursor();
const searched = new SearchedElement();

interface Shape {
  readonly fill: number;
  readonly depth: number;
  readonly plainMin: number;
}

const SHAPES: readonly Shape[] = [-5, -2, -1, 0, 1, 2, 7, 200].flatMap((fill) =>
  [0, 1, 3].flatMap((depth) => [0, 40].map((plainMin) => ({ fill, depth, plainMin }))),
);

function randomText(random: Prng): string {
  const kind = random.below(12);
  if (kind < 4) return String(random.below(200) - 100);
  if (kind < 9) return "abc"[random.below(3)]!.repeat(1 + random.below(60));
  if (kind < 11) return String.fromCharCode(...Array.from({ length: random.below(30) }, () => random.below(256)));
  return "y".repeat(random.below(12) === 0 ? 9000 + random.below(60_000) : random.below(1500));
}

function elementText(): string {
  element.text();
  return Buffer.from(element.buf.subarray(element.at, element.at + element.length)).toString("latin1");
}

function forwards(a: Arena, ql: Ref): string[] {
  const texts: string[] = [];
  for (let more = quicklistSeek(a, ql, 0, cursor); more; more = cursorNext(a, cursor)) {
    cursorRead(cursor, element);
    texts.push(elementText());
  }
  cursorLeave(a, cursor);
  return texts;
}

function backwards(a: Arena, ql: Ref): string[] {
  const texts: string[] = [];
  const count = quicklistCount(a, ql);
  for (let more = count > 0 && quicklistSeek(a, ql, count - 1, cursor); more; more = cursorPrevious(a, cursor)) {
    cursorRead(cursor, element);
    texts.push(elementText());
  }
  return texts.reverse();
}

/** Removes all elements that equal a text, walking in a direction, at most `most` of them. */
function removeEqual(a: Arena, ql: Ref, model: string[], text: string, forward: boolean, most: number): void {
  const raw = bytes(text);
  searched.set(raw, 0, raw.length);
  const count = quicklistCount(a, ql);
  let left = most;
  let more = count > 0 && quicklistSeek(a, ql, forward ? 0 : count - 1, cursor);
  while (more && left > 0) {
    if (cursorEquals(cursor, searched)) {
      left--;
      more = quicklistDeleteAt(a, ql, cursor, forward);
    } else {
      more = forward ? cursorNext(a, cursor) : cursorPrevious(a, cursor);
    }
  }
  cursorLeave(a, cursor);
  for (let i = 0; i < most; i++) {
    const at = forward ? model.indexOf(text) : model.lastIndexOf(text);
    if (at < 0) break;
    model.splice(at, 1);
  }
}

/** One random change of both. */
function change(a: Arena, ql: Ref, model: string[], shape: Shape, random: Prng): void {
  const text = randomText(random);
  const raw = bytes(text);
  const kind = random.below(model.length > 120 ? 20 : 14);
  const index = random.below(Math.max(1, model.length));
  if (kind < 5 || model.length === 0) {
    const atHead = random.below(2) === 0;
    quicklistPush(a, ql, atHead, raw, 0, raw.length, shape.plainMin);
    if (atHead) model.unshift(text);
    else model.push(text);
  } else if (kind < 8) {
    const after = random.below(2) === 0;
    expect(quicklistSeek(a, ql, index, cursor)).toBe(true);
    quicklistInsert(a, ql, cursor, after, raw, 0, raw.length, shape.plainMin);
    model.splice(after ? index + 1 : index, 0, text);
  } else if (kind < 11) {
    quicklistSeek(a, ql, index, cursor);
    quicklistReplace(a, ql, cursor, raw, 0, raw.length, shape.plainMin);
    model[index] = text;
  } else if (kind < 13) {
    const atHead = random.below(2) === 0;
    quicklistReadEnd(a, ql, atHead, element);
    expect(elementText()).toBe((atHead ? model.shift() : model.pop()) as string);
    quicklistDropEnd(a, ql, atHead);
  } else if (kind < 16) {
    const count = random.below(random.below(6) === 0 ? model.length + 2 : 9);
    quicklistDeleteRange(a, ql, index, count);
    model.splice(index, count);
  } else {
    const target = random.below(3) === 0 ? text : model[index]!;
    removeEqual(a, ql, model, target, random.below(2) === 0, 1 + random.below(4));
  }
}

describe.each(SHAPES)("fill $fill, depth $depth, plain from $plainMin", (shape) => {
  seededTest("random changes", (random) => {
    const a = takeArena();
    const before = a.usedBytes;
    const ql = quicklistCreate(a, shape.fill, shape.depth);
    const model: string[] = [];
    for (let i = 0; i < 400; i++) {
      change(a, ql, model, shape, random);
      quicklistCheck(a, ql);
      expect(quicklistCount(a, ql)).toBe(model.length);
      if (i % 10 === 0) {
        expect(forwards(a, ql)).toEqual(model);
        expect(backwards(a, ql)).toEqual(model);
        const at = random.below(model.length + 1);
        expect(quicklistSeek(a, ql, at, cursor)).toBe(at < model.length);
      }
    }
    const copy = quicklistCopy(a, ql);
    quicklistCheck(a, copy);
    expect(forwards(a, copy)).toEqual(model);
    expect(quicklistMemory(a, ql, 0)).toBe(quicklistMemory(a, copy, 0));
    expect(a.usedBytes - before).toBe(2 * quicklistMemory(a, ql, 0));
    quicklistFree(a, ql);
    expect(forwards(a, copy)).toEqual(model);
    let steps = 1;
    while (!quicklistFreeStep(a, copy, 3)) steps++;
    expect(steps).toBeGreaterThanOrEqual(1);
    expect(a.usedBytes).toBe(before);
    a.check();
    returnArena(a);
  });
});

function pushAll(a: Arena, ql: Ref, texts: readonly string[]): void {
  for (const text of texts) quicklistPush(a, ql, false, bytes(text), 0, text.length, 0);
}

/** A letter a node: P plain, Z compressed, and small ones where both are not. */
function forms(a: Arena, ql: Ref): string {
  let text = "";
  for (let node = quicklistEnd(a, ql, true); node !== 0; node = nodeNext(a, node)) {
    const letter = nodeIsPlain(a, node) ? "p" : "n";
    text += nodeIsCompressed(a, node) ? letter.toUpperCase() : letter;
  }
  return text;
}

describe("shape", () => {
  test("only nodes away from both ends are compressed, and again when they are uncovered", () => {
    const a = takeArena();
    const ql = quicklistCreate(a, 1, 1);
    pushAll(
      a,
      ql,
      Array.from({ length: 6 }, () => "a".repeat(100)),
    );
    expect(forms(a, ql)).toBe("nNNNNn");
    quicklistDropEnd(a, ql, true);
    expect(forms(a, ql)).toBe("nNNNn");
    quicklistDeleteRange(a, ql, 3, 2);
    expect(forms(a, ql)).toBe("nNn");
    quicklistSeek(a, ql, 1, cursor);
    quicklistInsert(a, ql, cursor, true, bytes("b".repeat(9000)), 0, 9000, 0);
    expect(forms(a, ql)).toBe("nNPn");
    quicklistCheck(a, ql);
    quicklistFree(a, ql);
    returnArena(a);
  });

  test("small content and noise are not compressed", () => {
    const a = takeArena();
    const ql = quicklistCreate(a, 1, 1);
    const noise = String.fromCharCode(...Array.from({ length: 200 }, (_, i) => (i * 167 + (i * i * 31) / 7) & 255));
    pushAll(a, ql, ["a".repeat(100), "short", noise, "a".repeat(100), "end"]);
    expect(forms(a, ql)).toBe("nnnNn");
    expect(forwards(a, ql)[2]).toBe(noise);
    quicklistFree(a, ql);
    returnArena(a);
  });

  test("nodes are limited in bytes, or in elements and 8 KiB", () => {
    const a = takeArena();
    for (const [fill, length, nodes] of [
      [-1, 1000, 25],
      [-2, 1000, 13],
      [-5, 1000, 2],
      [-9, 1000, 2],
      [10, 10, 10],
      [0, 10, 100],
      [1000, 1000, 13],
      [1_000_000, 1000, 13],
    ] as const) {
      const ql = quicklistCreate(a, fill, 0);
      pushAll(
        a,
        ql,
        Array.from({ length: 100 }, () => "z".repeat(length)),
      );
      expect([fill, quicklistNodes(a, ql)]).toEqual([fill, nodes]);
      quicklistFree(a, ql);
    }
    returnArena(a);
  });

  test("nodes around a place where one was split are merged", () => {
    const a = takeArena();
    const ql = quicklistCreate(a, 4, 0);
    pushAll(a, ql, ["1", "2", "3", "4", "5", "6", "7", "8"]);
    expect(quicklistNodes(a, ql)).toBe(2);
    quicklistSeek(a, ql, 1, cursor);
    quicklistInsert(a, ql, cursor, true, bytes("x"), 0, 1, 0);
    expect(forwards(a, ql)).toEqual(["1", "2", "x", "3", "4", "5", "6", "7", "8"]);
    expect(quicklistNodes(a, ql)).toBe(3);
    quicklistDeleteRange(a, ql, 5, 3);
    quicklistSeek(a, ql, 1, cursor);
    quicklistReplace(a, ql, cursor, bytes("L".repeat(9000)), 0, 9000, 0);
    expect(forms(a, ql)).toBe("npn");
    quicklistCheck(a, ql);
    quicklistFree(a, ql);
    returnArena(a);
  });

  test("whole listpacks and plain elements are appended as nodes", () => {
    const a = takeArena();
    const ql = quicklistCreate(a, -2, 0);
    let lp = listpackCreate(a);
    for (const text of ["a", "1", "b"]) lp = listpackAppend(a, lp, bytes(text), 0, text.length);
    quicklistAppendListpack(a, ql, lp);
    quicklistAppendPlain(a, ql, bytes("xyz"), 0, 3);
    quicklistAppendPlain(a, ql, bytes(""), 0, 0);
    quicklistCheck(a, ql);
    expect(forms(a, ql)).toBe("npp");
    expect(forwards(a, ql)).toEqual(["a", "1", "b", "xyz", ""]);
    quicklistFree(a, ql);
    returnArena(a);
  });
});
