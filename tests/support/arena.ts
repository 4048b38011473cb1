/**
 * Arenas for tests. A fresh segment of 1 GiB costs nothing as long as it is not touched, but one that was let go comes back from the allocator to be
 * cleared, which takes seconds. So arenas are kept for the whole process, which runs many test files, and handed on.
 */
import { Arena } from "../../src/arena/arena.ts";
import type { MemoryAdvice } from "../../src/base/os-memory.ts";

interface Pool {
  /** Everything ever made, so that nothing is collected. */
  readonly all: Arena[];
  readonly idle: Arena[];
}

/** Modules are loaded anew for each test file; the pool is the process'. */
const POOL = Symbol.for("redis-ts.test-arenas");
const holder = globalThis as { [POOL]?: Pool };
holder[POOL] ??= { all: [], idle: [] };
const pool = holder[POOL];

/** An empty arena. */
export function takeArena(): Arena {
  const arena = pool.idle.pop();
  if (arena === undefined) return pinnedArena(null);
  arena.reset();
  return arena;
}

/** Takes an arena back that nobody uses any more. */
export function returnArena(arena: Arena): void {
  pool.idle.push(arena);
}

/** An arena of its own kind, which is not handed on but never let go either. */
export function pinnedArena(advice: MemoryAdvice | null, hashKey0 = 1, hashKey1 = 2, firstPages?: number): Arena {
  const arena = new Arena(hashKey0, hashKey1, advice, firstPages);
  pool.all.push(arena);
  return arena;
}
