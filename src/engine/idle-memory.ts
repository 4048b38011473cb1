/**
 * Gives memory back to the system that the data set has not needed for a while: pages of the arena that were in its pool all through the last period,
 * and large buffers that were dropped. Pages that come and go are left alone: taking a page back costs more than keeping it.
 */
import type { Arena } from "../arena/arena.ts";

/** Pages that stay in the pool. */
const KEEP_PAGES = 8;
/** Pages given back in one step: up to a millisecond. */
const STEP_PAGES = 2;
/** So many bytes of dropped buffers are worth a collection, in a period with no more commands than this. */
const DROPPED_BYTES_MIN = 32 * 1024 * 1024;
const QUIET_COMMANDS_MAX = 1000;

export class IdleMemory {
  readonly #arena: Arena;
  /** Fewest pages in the pool since the period began. */
  #leastFree = 0;
  /** Pages of the pool that are not to be given back. */
  #keep = 0;
  #active = false;
  /** arena.largeDroppedBytes at the end of the last period, and when a collection was last asked for. */
  #droppedBytes = 0;
  #collectedBytes = 0;
  #commands = 0;

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  /** Looks at the pool; to be called several times a period. */
  look(): void {
    this.#leastFree = Math.min(this.#leastFree, this.#arena.freePages);
  }

  /** Ends a period of about a second: what was idle all the time is to be given back. `commands` counts all commands so far. */
  endPeriod(commands: number): void {
    const { freePages } = this.#arena;
    const idle = Math.min(this.#leastFree, freePages) - KEEP_PAGES;
    this.#leastFree = freePages;
    this.#active = idle > 0;
    this.#keep = freePages - idle;
    this.#collectDropped(commands);
  }

  /**
   * Dropped buffers are the collector's to free. While more of them come and go, it runs by itself; in an idle process it may not run for a long
   * time. Letting hundreds of megabytes go takes tens of milliseconds, so this waits for a quiet second.
   */
  #collectDropped(commands: number): void {
    const { largeDroppedBytes } = this.#arena;
    const quiet = largeDroppedBytes === this.#droppedBytes && commands - this.#commands <= QUIET_COMMANDS_MAX;
    this.#droppedBytes = largeDroppedBytes;
    this.#commands = commands;
    if (!quiet || largeDroppedBytes - this.#collectedBytes < DROPPED_BYTES_MIN) return;
    this.#collectedBytes = largeDroppedBytes;
    Bun.shrink();
  }

  /** Gives a little back; true while there is more. */
  step(): boolean {
    if (this.#active) this.#active = this.#arena.purge(this.#keep, STEP_PAGES) > 0;
    return this.#active;
  }
}
