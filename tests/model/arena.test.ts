// The arena against a model: random blocks of all sizes and large buffers, each filled with bytes of its own, must keep their bytes, and what is used must
// add up.

import { expect, test } from "bun:test";
import { BLOCK_MAX, blockCapacity, GRANULE_MASK, type Ref, SEGMENT_SHIFT } from "../../src/arena/arena.ts";
import type { MemoryAdvice } from "../../src/base/os-memory.ts";
import type { Prng } from "../../src/base/prng.ts";
import { seededTest } from "../base/seeded.ts";
import { pinnedArena } from "../support/arena.ts";

/** A system that takes memory back by clearing it, as the real one does. */
class ClearingMemory implements MemoryAdvice {
  purgedBytes = 0;
  willing = true;
  smallBytes = 0;

  keepPagesSmall(_bytes: Uint8Array, _offset: number, length: number): void {
    this.smallBytes += length;
  }

  purge(bytes: Uint8Array, offset: number, length: number): boolean {
    if (!this.willing) return false;
    bytes.fill(0, offset, offset + length);
    this.purgedBytes += length;
    return true;
  }
}

const memory = new ClearingMemory();
/** One arena for all tests: a segment that is let go is expensive to get again. */
const arena = pinnedArena(memory);

/** A size of 1 to BLOCK_MAX, small ones more often. */
function randomSize(random: Prng): number {
  const bits = random.below(19);
  return Math.min(BLOCK_MAX, 1 + random.below(1 << bits));
}

function bytesOf(ref: Ref): Uint8Array {
  const at = (ref & GRANULE_MASK) << 3;
  return arena.u8[ref >>> SEGMENT_SHIFT].subarray(at, at + arena.capacity(ref));
}

/** A live block or large buffer, and the byte that fills it. */
interface Live {
  ref: Ref;
  large: number;
  fill: number;
}

function contentOf(live: Live): Uint8Array {
  return live.large > 0 ? (arena.large[live.large] as Uint8Array) : bytesOf(live.ref);
}

function allocate(random: Prng): Live {
  const fill = random.below(256);
  const live =
    random.below(50) === 0
      ? { ref: 0, large: arena.allocLarge(BLOCK_MAX + random.below(1000)), fill }
      : { ref: arena.alloc(randomSize(random)), large: 0, fill };
  contentOf(live).fill(fill);
  return live;
}

function release(live: Live): void {
  if (live.large > 0) arena.freeLarge(live.large);
  else arena.free(live.ref);
}

/** Looks at both ends, and at bytes in between that are no further apart than the smallest neighbours would be likely to spare. */
function checkContent(live: Live): void {
  const content = contentOf(live);
  const stride = content.length > 4096 ? 251 : 7;
  let whole = content[content.length - 1] === live.fill;
  for (let i = 0; i < content.length; i += stride) whole &&= content[i] === live.fill;
  if (!whole) throw new Error(`block ${live.ref} was overwritten`);
}

seededTest("random blocks keep their bytes, and the accounting is exact", (random) => {
  arena.reset();
  const all: Live[] = [];
  let used = 0;
  for (let step = 0; step < 8_000; step++) {
    // Grows for a while, then shrinks, so that pages are taken, filled, emptied and pooled.
    const growing = step % 2000 < 1000;
    if (all.length === 0 || random.below(100) < (growing ? 65 : 35)) {
      const live = allocate(random);
      used += contentOf(live).length;
      all.push(live);
    } else {
      const at = random.below(all.length);
      const [live] = all.splice(at, 1);
      used -= contentOf(live).length;
      checkContent(live);
      release(live);
    }
    if (arena.usedBytes !== used) throw new Error(`step ${step}: ${arena.usedBytes} bytes used, not ${used}`);
    if (step % 500 === 0) {
      arena.check();
      for (const live of all) checkContent(live);
    }
    if (step % 1000 === 999) arena.purge(random.below(3), 1 + random.below(20));
  }
  for (const live of all) {
    checkContent(live);
    release(live);
  }
  arena.check();
  expect(arena.usedBytes).toBe(0);
  expect(arena.largeBytes).toBe(0);
});

seededTest("every size gets a block that is large enough, aligned, and apart from all others", (random) => {
  arena.reset();
  const ranges: [number, number][] = [];
  for (let i = 0; i < 3000; i++) {
    const size = randomSize(random);
    const ref = arena.alloc(size);
    expect(ref).not.toBe(0);
    const capacity = arena.capacity(ref);
    if (capacity < size || capacity !== blockCapacity(size)) throw new Error(`${size} bytes got ${capacity}`);
    const at = (ref >>> 0) * 8;
    ranges.push([at, at + capacity]);
  }
  ranges.sort((a, b) => a[0] - b[0]);
  for (let i = 1; i < ranges.length; i++) {
    if (ranges[i][0] < ranges[i - 1][1]) throw new Error(`blocks at ${ranges[i - 1]} and ${ranges[i]} overlap`);
  }
});

test("pages without blocks go back to the pool when they are asked for, and those with blocks stay", () => {
  arena.reset();
  const kept = arena.alloc(64);
  const refs = Array.from({ length: 40 }, (_, i) => arena.alloc(200 * (i + 1)));
  for (const ref of refs) arena.free(ref);
  const { pageBytes } = arena;
  arena.releaseEmptyPages();
  expect(arena.pageBytes).toBe(1 << 20);
  expect(pageBytes).toBeGreaterThan(20 << 20);
  arena.check();
  expect(arena.alloc(64)).not.toBe(kept);
  for (let i = 0; i < 5000; i++) arena.alloc(8 + ((i * 37) % 5000));
  arena.check();
});

test("reset forgets everything, keeps the segments, and purging then gives their memory back", () => {
  arena.reset();
  const segment = arena.u8[0];
  for (let i = 0; i < 100; i++) arena.alloc(BLOCK_MAX);
  arena.allocLarge(1000);
  const pages = arena.pageBytes / (1 << 20);
  arena.reset();
  expect(arena.usedBytes).toBe(0);
  expect(arena.pageBytes).toBe(0);
  expect(arena.u8[0]).toBe(segment);
  expect(arena.freePages).toBeGreaterThanOrEqual(pages);
  memory.purgedBytes = 0;
  expect(arena.purge(0, 3)).toBe(3 << 20);
  while (arena.purge(0, 3) > 0);
  expect(memory.purgedBytes).toBeGreaterThanOrEqual(pages << 20);
  expect(arena.purge()).toBe(0);
  arena.alloc(8);
  arena.check();
});

test("a system that takes no memory back is asked once", () => {
  arena.reset();
  const unwilling = new ClearingMemory();
  unwilling.willing = false;
  const other = pinnedArena(unwilling);
  other.alloc(8);
  other.reset();
  expect(other.purge()).toBe(0);
  unwilling.willing = true;
  expect(other.purge()).toBe(0);
});

test("a segment that was reserved ahead is used when the short first one is full", () => {
  const system = new ClearingMemory();
  const ahead = pinnedArena(system);
  ahead.reserve();
  // Data is touched all over: of the large segment the system is told so.
  expect(system.smallBytes).toBe(ahead.u8[1].length);
  const refs = Array.from({ length: 40 }, () => ahead.alloc(BLOCK_MAX));
  expect(ahead.u8.length).toBe(2);
  expect(new Set(refs.map((ref) => ref >>> SEGMENT_SHIFT))).toEqual(new Set([0, 1]));
  ahead.check();
  ahead.reset();
  ahead.check();
  // 15 blocks fit on the four pages of the first segment: block 0 of the first page is never handed out.
  expect(ahead.freePages).toBe(4 + Math.ceil((40 - 15) / 4));
});

test("segment 0 is as long as it was asked to be", () => {
  const system = new ClearingMemory();
  const small = pinnedArena(system, 1, 2, 6);
  const megabytes = () => small.u8.map((segment) => segment.length >> 20);
  const perPage = (1 << 20) / BLOCK_MAX;
  // Block 0 of page 0 is never handed out.
  for (let i = 1; i < 6 * perPage; i++) small.alloc(BLOCK_MAX);
  expect(megabytes()).toEqual([6]);
  small.alloc(BLOCK_MAX);
  expect(megabytes()).toEqual([6, 1024]);
  expect(system.smallBytes >> 20).toBe(6 + 1024);
  small.check();
  small.reset();
  expect([small.purge() >> 20, small.freePages]).toEqual([7, 7]);
  for (let i = 1; i < 7 * perPage; i++) small.alloc(BLOCK_MAX);
  expect([small.freePages, ...megabytes()]).toEqual([0, 6, 1024]);
  small.check();
});
