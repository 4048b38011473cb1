// Memory that goes back to the system: only pages that were idle for a whole period, a few at a time.

import { expect, test } from "bun:test";
import { BLOCK_MAX } from "../../src/arena/arena.ts";
import type { MemoryAdvice } from "../../src/base/os-memory.ts";
import { IdleMemory } from "../../src/engine/idle-memory.ts";
import { pinnedArena } from "../support/arena.ts";

const PAGE_BYTES = 1 << 20;
let purged = 0;
const advice: MemoryAdvice = {
  purge(_bytes, _offset, length) {
    purged += length / PAGE_BYTES;
    return true;
  },
  keepPagesSmall() {},
};
const arena = pinnedArena(advice);

/** Ends a period and gives back all that it allows; the number of pages. */
function givenBack(memory: IdleMemory): number {
  memory.look();
  memory.endPeriod(0);
  purged = 0;
  let steps = 0;
  for (let before = 0; memory.step(); before = purged) {
    expect(purged - before).toBeLessThanOrEqual(2);
    steps++;
  }
  expect(steps).toBeLessThan(1000);
  return purged;
}

test("pages idle for a whole period are given back, but for a few that stay", () => {
  arena.reset();
  const memory = new IdleMemory(arena);
  expect(givenBack(memory)).toBe(0);
  const blocks = Array.from({ length: 400 }, () => arena.alloc(BLOCK_MAX));
  const pages = arena.pageBytes / PAGE_BYTES;
  for (const block of blocks) arena.free(block);
  // Free only since just now.
  expect(givenBack(memory)).toBe(0);
  const given = givenBack(memory);
  expect(given).toBeGreaterThan(pages - 15);
  expect(given).toBeLessThan(pages);
  expect(givenBack(memory)).toBe(0);
});

test("pages that come and go are left alone", () => {
  arena.reset();
  const memory = new IdleMemory(arena);
  let given = 0;
  for (let period = 0; period < 5; period++) {
    const blocks = Array.from({ length: 400 }, () => arena.alloc(BLOCK_MAX));
    memory.look();
    for (const block of blocks) arena.free(block);
    given += givenBack(memory);
  }
  expect(given).toBe(0);
});
