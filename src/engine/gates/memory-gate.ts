/**
 * maxmemory: before a client's command, keys are evicted until memory is below the limit; when that cannot be reached, commands that may need memory are
 * refused. One round of eviction takes as long as maxmemory-eviction-tenacity allows; then the command goes on, and further rounds follow between
 * others, until the limit holds.
 */

import type { Ref } from "../../arena/arena.ts";
import { copyOf } from "../../base/bytes.ts";
import type { Database } from "../../keyspace/database.ts";
import { EvictionChoice } from "../../keyspace/eviction.ts";
import { ReplyError } from "../../resp/errors.ts";
import type { Client } from "../client/client.ts";
import { Pause } from "../client/client-pause.ts";
import { propagateInternal } from "../deliver.ts";
import { Event } from "../effects.ts";
import type { Engine } from "../engine.ts";
import { Observer, ServerGate } from "../observer.ts";
import { notifyKeyspaceEvent } from "../pubsub/notify.ts";
import { type CommandSpec, Flag } from "../spec/spec.ts";
import { gateFlags } from "../transactions.ts";

const OOM = new ReplyError("OOM command not allowed when used memory > 'maxmemory'.");

/** How a round of eviction ended: below the limit, out of time, or with nothing left to evict. */
const Outcome = { Below: 0, OutOfTime: 1, Exhausted: 2 } as const;

/** Keys between looks at the clock. */
const KEYS_PER_CLOCK = 16;
/** A round that has so few bytes to free takes up to so many keys before it looks at the clock at all. */
const UNTIMED_BYTES = 4096;
const KEYS_UNTIMED = 4;
/** Steps of lazy freeing at a time: some ten microseconds. */
const FREE_STEPS = 256;

/** Tenacity to microseconds: linear to 10, then growing by 15 % a point; 100 is without end. */
const TENACITY_LINEAR_MAX = 10;
const TENACITY_STEP_US = 50;
const TENACITY_GROWTH = 1.15;
const TENACITY_ENDLESS = 100;

/** Microseconds of one round of eviction. */
export function evictionLimitUs(tenacity: number): number {
  if (tenacity >= TENACITY_ENDLESS) return Number.POSITIVE_INFINITY;
  if (tenacity <= TENACITY_LINEAR_MAX) return TENACITY_STEP_US * tenacity;
  return Math.floor(TENACITY_STEP_US * TENACITY_LINEAR_MAX * TENACITY_GROWTH ** (tenacity - TENACITY_LINEAR_MAX));
}

/** Keeps an engine's memory below maxmemory. */
export class MemoryGate {
  readonly #engine: Engine;
  readonly #choice: EvictionChoice;
  /** Monotonic microseconds since when memory has been above the limit; -1 while it is not. */
  #exceededSinceUs = -1;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#choice = new EvictionChoice(engine.keyspace);
    this.configure();
  }

  /** Applies the settings that choose keys. */
  configure(): void {
    const { maxmemoryPolicy, maxmemorySamples } = this.#engine.config.values;
    this.#choice.policy = maxmemoryPolicy;
    this.#choice.samples = maxmemorySamples;
  }

  /** Decides about a client's command. */
  admit(client: Client, spec: CommandSpec): ReplyError | null {
    const { memory } = this.#engine;
    memory.isFull = this.#round() === Outcome.Exhausted;
    if (!memory.isFull || (gateFlags(client, spec) & Flag.DenyOom) === 0) return null;
    return OOM;
  }

  /** A round between commands; true when more are needed. */
  goOn(): boolean {
    return this.#round() === Outcome.OutOfTime;
  }

  /** Microseconds for which the limit has not held. */
  get exceededUs(): number {
    return this.#exceededSinceUs < 0 ? 0 : this.#engine.clock.monotonicUs() - this.#exceededSinceUs;
  }

  /** CONFIG RESETSTAT: what has been exceeded is counted from now on. */
  resetStatistics(): void {
    this.#exceededSinceUs = -1;
  }

  #round(): number {
    const engine = this.#engine;
    if (!this.#mayEvict()) return Outcome.Below;
    let excess = this.#excessBytes();
    if (this.#exceededSinceUs < 0) {
      if (excess > 0 && excess <= UNTIMED_BYTES && engine.latency.thresholdMs === 0) excess = this.#evictFew(excess);
      if (excess <= 0) return Outcome.Below;
    }
    const startUs = engine.clock.monotonicUs();
    const outcome = excess > 0 ? this.#evict(excess, startUs) : Outcome.Below;
    const endUs = engine.clock.monotonicUs();
    if (excess > 0) engine.latency.record("eviction-cycle", (endUs - startUs) / 1000);
    if (outcome === Outcome.Below) {
      engine.stats.evictionExceededUs += this.exceededUs;
      this.#exceededSinceUs = -1;
    } else if (this.#exceededSinceUs < 0) {
      this.#exceededSinceUs = startUs;
    }
    if (outcome === Outcome.OutOfTime) engine.memory.scheduleEviction();
    // The command that follows did not take this time.
    engine.lastUs = endUs;
    return outcome;
  }

  /** Not while data is loaded or writes are paused; a replica leaves it to its primary. */
  #mayEvict(): boolean {
    const { gate, pause, config } = this.#engine;
    const states = ServerGate.Loading | ServerGate.Busy | ServerGate.Paused | ServerGate.Replica;
    if ((gate & states) === 0) return true;
    if ((gate & (ServerGate.Loading | ServerGate.Busy)) !== 0) return false;
    if ((gate & ServerGate.Replica) !== 0 && config.values.replicaIgnoreMaxmemory) return false;
    pause.update();
    return pause.what === Pause.Nothing;
  }

  /** Bytes above the limit; 0 or less when it holds. */
  #excessBytes(): number {
    const { memory, config, keyspace } = this.#engine;
    const { maxmemory } = config.values;
    if (maxmemory === 0) return 0;
    const excess = memory.usedBytes - keyspace.retainedBytes - maxmemory;
    return excess <= 0 ? excess : excess - memory.uncountedBytes();
  }

  /** Evicts a few keys, which takes less time than to measure it is worth. Returns how many bytes of `excess` are left. */
  #evictFew(excess: number): number {
    const { keyspace } = this.#engine;
    const { arena, lazyFree } = keyspace;
    for (let keys = 0; keys < KEYS_UNTIMED && excess > 0 && lazyFree.idle; keys++) {
      const usedBytes = arena.usedBytes - keyspace.retainedBytes;
      const e = this.#choice.choose();
      if (e === 0) break;
      this.#remove(this.#choice.db, e);
      excess += arena.usedBytes - keyspace.retainedBytes - usedBytes;
    }
    return excess;
  }

  /** Frees `excess` bytes of the data set: first what nobody can reach any more, then keys. */
  #evict(excess: number, startUs: number): number {
    const { keyspace, clock, config } = this.#engine;
    const { arena, lazyFree } = keyspace;
    const usedBytes = (): number => arena.usedBytes - keyspace.retainedBytes;
    const goal = usedBytes() - excess;
    const endUs = startUs + evictionLimitUs(config.values.maxmemoryEvictionTenacity);
    let keys = 0;
    while (usedBytes() > goal) {
      if (lazyFree.idle) {
        const e = this.#choice.choose();
        if (e === 0) return Outcome.Exhausted;
        this.#remove(this.#choice.db, e);
        if (++keys % KEYS_PER_CLOCK === 0 && clock.monotonicUs() > endUs) return Outcome.OutOfTime;
      } else {
        lazyFree.step(FREE_STEPS);
        if (clock.monotonicUs() > endUs) break;
      }
    }
    if (usedBytes() <= goal) return Outcome.Below;
    return this.#choice.policy === "noeviction" ? Outcome.Exhausted : Outcome.OutOfTime;
  }

  /** Deletes the chosen key and tells. */
  #remove(db: Database, e: Ref): void {
    const engine = this.#engine;
    const { latency, stats, clock } = engine;
    const { hash, key, keyLength } = this.#choice;
    const lazy = engine.config.values.lazyfreeLazyEviction;
    const startUs = latency.thresholdMs > 0 ? clock.monotonicUs() : 0;
    db.remove(e, hash, lazy);
    if (latency.thresholdMs > 0) latency.record("eviction-del", (clock.monotonicUs() - startUs) / 1000);
    stats.evictedKeys++;
    if ((engine.observed & Observer.Watch) !== 0) engine.watches.touch(db.id, key, 0, keyLength);
    if (engine.sinks.length > 0) propagateInternal(engine, db.id, [lazy ? "UNLINK" : "DEL", copyOf(key, 0, keyLength)]);
    if ((engine.observed & Observer.Notify) !== 0)
      notifyKeyspaceEvent(engine, Event.Evicted, "evicted", db.id, key, 0, keyLength);
    if ((engine.observed & Observer.Blocked) !== 0) engine.blocking.keyReady(db.id, key, 0, keyLength);
  }
}
