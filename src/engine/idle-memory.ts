/**
 * Gives memory back to the system that the data set has not needed for a while: pages of the arena that were in its pool all through the last period,
 * and large buffers that were dropped. Pages that come and go are left alone: taking a page back costs more than keeping it.
 */
import type { Arena } from "../arena/arena.ts";

/** Pages that stay in the pool. */
const KEEP_PAGES = 8;
/** Pages given back in one step: up to a millisecond. */
const STEP_PAGES = 2;
/** So many bytes of large buffers less than before are worth a collection. */
const DROPPED_BYTES_MIN = 32 * 1024 * 1024;

export class IdleMemory {
  readonly #arena: Arena;
  /** Fewest pages in the pool since the period began. */
  #leastFree = 0;
  /** Pages of the pool that are not to be given back. */
  #keep = 0;
  #active = false;
  #largeBytes = 0;

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  /** Looks at the pool; to be called several times a period. */
  look(): void {
    this.#leastFree = Math.min(this.#leastFree, this.#arena.freePages);
  }

  /** Ends a period of about a second: what was idle all the time is to be given back. */
  endPeriod(): void {
    const { freePages, largeBytes } = this.#arena;
    const idle = Math.min(this.#leastFree, freePages) - KEEP_PAGES;
    this.#leastFree = freePages;
    this.#active = idle > 0;
    this.#keep = freePages - idle;
    // Dropped buffers are the collector's to free, which an idle process may not run for a long time. This only asks for it: nothing waits.
    if (this.#largeBytes - largeBytes >= DROPPED_BYTES_MIN) Bun.gc(false);
    this.#largeBytes = largeBytes;
  }

  /** Gives a little back; true while there is more. */
  step(): boolean {
    if (this.#active) this.#active = this.#arena.purge(this.#keep, STEP_PAGES) > 0;
    return this.#active;
  }
}
