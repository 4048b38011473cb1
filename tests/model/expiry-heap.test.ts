// The heap of things that expire, against a plain array: random times, changes, removals and moves of the items' blocks.

import { expect } from "bun:test";
import { type Arena, GRANULE_MASK, type Ref, SEGMENT_SHIFT } from "../../src/arena/arena.ts";
import type { Prng } from "../../src/base/prng.ts";
import {
  EXPIRY_ITEM_BYTES,
  expiryHeapAt,
  expiryHeapBytes,
  expiryHeapCheck,
  expiryHeapCreate,
  expiryHeapFix,
  expiryHeapFree,
  expiryHeapMoved,
  expiryHeapPush,
  expiryHeapRemove,
  expiryHeapSize,
  expiryHeapTop,
  itemTime,
  setItemTime,
} from "../../src/struct/expiry-heap.ts";
import { seededTest } from "../base/seeded.ts";
import { takeArena } from "../support/arena.ts";

const KEY_OFFSET = 8;

/** An item with a key of `length` bytes. */
function makeItem(a: Arena, length: number, ms: number): Ref {
  const item = a.alloc(((KEY_OFFSET + length + 3) & ~3) + EXPIRY_ITEM_BYTES);
  a.i32[item >>> SEGMENT_SHIFT][(item & GRANULE_MASK) << 1] = length;
  setItemTime(a, item, KEY_OFFSET, ms);
  return item;
}

/** A time that often equals another, and sometimes is as far as times of fields go. */
function randomTime(random: Prng): number {
  return random.below(5) === 0 ? 2 ** 46 - 1 - random.below(3) : random.below(50) * 1_000_000_007;
}

seededTest("random pushes, removals, changes and moves agree with an array", (random) => {
  const a = takeArena();
  const before = a.usedBytes;
  const heap = expiryHeapCreate(a, KEY_OFFSET);
  const items: Ref[] = [];
  for (let step = 0; step < 30_000; step++) {
    const growing = step % 12_000 < 7000;
    const choice = random.below(10);
    if (items.length === 0 || choice < (growing ? 7 : 2)) {
      const item = makeItem(a, random.below(30), randomTime(random));
      items.push(item);
      expiryHeapPush(a, heap, item);
    } else if (choice < 8) {
      const at = random.below(items.length);
      expiryHeapRemove(a, heap, items[at]!);
      a.free(items[at]!);
      items[at] = items.at(-1)!;
      items.pop();
    } else if (choice < 9) {
      const item = items[random.below(items.length)]!;
      setItemTime(a, item, KEY_OFFSET, randomTime(random));
      expiryHeapFix(a, heap, item);
    } else {
      const at = random.below(items.length);
      const old = items[at]!;
      const fresh = a.alloc(a.capacity(old));
      const from = (old & GRANULE_MASK) << 3;
      a.u8[fresh >>> SEGMENT_SHIFT].copyWithin((fresh & GRANULE_MASK) << 3, from, from + a.capacity(old));
      a.free(old);
      items[at] = fresh;
      expiryHeapMoved(a, heap, fresh);
    }
    if (expiryHeapSize(a, heap) !== items.length) throw new Error(`size at step ${step}`);
    if (step % 1000 !== 0) continue;
    expiryHeapCheck(a, heap);
    const present = new Set(items.map((_, i) => expiryHeapAt(a, heap, i)));
    expect(items.every((item) => present.has(item))).toBe(true);
    const least = items.length === 0 ? 0 : Math.min(...items.map((item) => itemTime(a, item, KEY_OFFSET)));
    const top = expiryHeapTop(a, heap);
    expect(top === 0 ? 0 : itemTime(a, top, KEY_OFFSET)).toBe(least);
  }
  for (const item of items) a.free(item);
  expiryHeapFree(a, heap);
  a.check();
  expect(a.usedBytes).toBe(before);
});

seededTest("items come out in the order of their times, and room is given back", (random) => {
  const a = takeArena();
  const heap = expiryHeapCreate(a, KEY_OFFSET);
  const empty = expiryHeapBytes(a, heap);
  const count = 100_000;
  for (let i = 0; i < count; i++) expiryHeapPush(a, heap, makeItem(a, 0, random.below(2 ** 46)));
  expect(expiryHeapBytes(a, heap)).toBeLessThan(count * 4 * 1.1 + 20_000);
  let last = 0;
  for (let i = 0; i < count; i++) {
    const top = expiryHeapTop(a, heap);
    const time = itemTime(a, top, KEY_OFFSET);
    if (time < last) throw new Error(`item ${i}: ${time} after ${last}`);
    last = time;
    expiryHeapRemove(a, heap, top);
    a.free(top);
  }
  expect(expiryHeapTop(a, heap)).toBe(0);
  expect(expiryHeapBytes(a, heap)).toBeLessThan(empty + 2 * 16_384 + 256);
});
