/**
 * How much memory the server uses, as a model: exact for the data set, whose blocks the arena counts, and estimated for what lives on the
 * JavaScript heap (clients, subscriptions, logs), part by part. The same commands give the same numbers, whatever the collector does; maxmemory relies
 * on that. What the system says (resident memory) is kept apart.
 */
import type { Arena } from "../arena/arena.ts";

/** Bytes of a server that holds nothing. */
const BASE_BYTES = 880 * 1024;

/** Parts of the memory beside the data set. INFO memory and MEMORY STATS show most of them. */
export type MemoryPartName =
  | "clients-normal"
  | "clients-replicas"
  | "replication-backlog"
  | "append-only-buffer"
  | "script-caches"
  | "function-caches"
  | "cluster-links"
  | "pubsub"
  | "watched-keys"
  | "slow-log";

export class MemoryUsage {
  readonly #arena: Arena;
  readonly #parts = new Map<MemoryPartName, () => number>();
  /** The functions in #parts: they are asked before every command when memory is limited. */
  #partBytes: (() => number)[] = [];
  #peakBytes = 0;
  /** Bytes of the commands that clients have queued in transactions, wait in, or are held up with. Part of "clients-normal". */
  heldRequestBytes = 0;
  /** used bytes when the server began to serve. */
  startupBytes = BASE_BYTES;
  /** Unix time in ms of the peak. */
  peakMs = 0;
  /** Resident bytes of the process when the cron last looked. */
  residentBytes = 0;

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  /** Sets how the bytes of a part are found. It is asked often: it should not walk anything. */
  setPart(name: MemoryPartName, bytes: () => number): void {
    this.#parts.set(name, bytes);
    this.#partBytes = [];
    for (const part of this.#parts.values()) this.#partBytes.push(part);
  }

  /** Bytes of a part; 0 while nobody has such. */
  part(name: MemoryPartName): number {
    return this.#parts.get(name)?.() ?? 0;
  }

  /** used_memory. */
  get usedBytes(): number {
    let bytes = BASE_BYTES + this.#arena.usedBytes;
    for (let i = 0; i < this.#partBytes.length; i++) bytes += this.#partBytes[i]();
    return bytes;
  }

  /**
   * Used bytes that maxmemory does not limit: buffers that propagate changes. Evicting a key makes them grow, and would go on until nothing is left.
   * Whoever has further such buffers puts their own function here.
   */
  uncountedBytes: () => number = () => this.part("append-only-buffer");

  /** True when the last command of a client found memory above its limit, with nothing to evict: writes of scripts are refused then. */
  isFull = false;

  /** Evicts for a while; true when there is more to do. Plugged in by memory-gate.ts. */
  evict: () => boolean = () => false;

  /** Asks for calls of evict() soon, as often as it wants to go on. Plugged in by whoever has timers. */
  scheduleEviction: () => void = () => {};

  /** The most that usedBytes has been whenever somebody looked. */
  get peakBytes(): number {
    return this.#peakBytes;
  }

  /** Notes a new peak. `nowMs` is the Unix time. */
  notePeak(nowMs: number): void {
    const used = this.usedBytes;
    if (used <= this.#peakBytes) return;
    this.#peakBytes = used;
    this.peakMs = nowMs;
  }

  /** Makes the present use the peak. */
  resetPeak(nowMs: number): void {
    this.#peakBytes = 0;
    this.notePeak(nowMs);
  }
}
