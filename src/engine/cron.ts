/**
 * What happens by itself: `hz` times a second the cron reads the clocks, looks for expired keys, moves keys of growing tables, takes samples, and calls
 * those who asked for it. Work that is not done then goes on in slices with pauses between them, so that no client waits long for any of it.
 *
 * A slice takes about a millisecond for each kind of work, that of tables less while clients are served; pauses are some milliseconds. All work of a kind in one
 * period is limited as in Redis.
 */
import type { ExpireCycle } from "../keyspace/expire-cycle.ts";
import { ExpiryMode } from "../keyspace/key-rules.ts";
import type { Client } from "./client/client.ts";
import { Halt } from "./client/client.ts";
import type { Engine } from "./engine.ts";
import { halt, release } from "./gates/gates.ts";
import { IdleMemory } from "./idle-memory.ts";
import { ServerGate } from "./observer.ts";

/** Microseconds of a slice for each kind of work. */
const EXPIRE_SLICE_US = 1000;
const FREE_SLICE_US = 1000;
const REHASH_SLICE_US = 1000;
/**
 * The same while commands are executed: they move keys themselves, and a slice makes every client wait that has sent one. Of single SETs of new keys by 50 clients
 * the slowest hundredth took 1.3 to 1.5 times as long with slices of a millisecond.
 */
const BUSY_REHASH_SLICE_US = 100;
/** Pause between slices, ms: those of a millisecond take about a quarter of the time. */
const PAUSE_MS = 3;
/** Freeing and rehashing look at the clock each time they have done so much. */
const FREE_STEPS = 256;
const REHASH_BUCKETS = 16;
/** Databases that one run looks at for tables to resize. */
const RESIZE_DATABASES = 16;
const PERIOD_MS = 1000;

/** With many clients the cron runs more often: so many clients for each run a second at most. */
const CLIENTS_PER_HZ_MAX = 200;
const HZ_MAX = 500;

type Timer = ReturnType<typeof setTimeout>;
type Immediate = ReturnType<typeof setImmediate>;

export class Cron {
  readonly #engine: Engine;
  readonly #idleMemory: IdleMemory;
  #expireCycle: ExpireCycle | null = null;
  readonly #tasks: (() => void)[] = [];
  #running = false;
  #timer: Timer | null = null;
  #sliceTimer: Timer | null = null;
  #deadlineTimer: Timer | null = null;
  #eviction: Immediate | null = null;
  /** Microseconds that the expire cycle may still take in this period. */
  #expireBudgetUs = 0;
  #rehashDatabase = 0;
  /** Commands executed before the last slice that moved keys. */
  #commandsBeforeRehash = 0;
  #resizeDatabase = 0;
  #periodEndMs = 0;

  constructor(engine: Engine) {
    const { keyspace, info } = engine;
    this.#engine = engine;
    this.#idleMemory = new IdleMemory(keyspace.arena);
    info.add({
      fields: {
        expired_stale_perc: () => (this.expireCycle.staleShare * 100).toFixed(2),
        expired_time_cap_reached_count: () => this.expireCycle.timeCapReached,
        expire_cycle_cpu_milliseconds: () => Math.floor(this.expireCycle.usedUs / 1000),
        lazyfree_pending_objects: () => keyspace.lazyFree.pendingObjects,
        lazyfreed_objects: () => keyspace.lazyFree.freedObjects,
      },
      reset: () => this.expireCycle.resetStatistics(),
    });
  }

  /** Made in the first run: it is about databases, whose code a start does not read. */
  get expireCycle(): ExpireCycle {
    if (this.#expireCycle === null) {
      const { ExpireCycle } = require("../keyspace/expire-cycle.ts") as typeof import("../keyspace/expire-cycle.ts");
      this.#expireCycle = new ExpireCycle(this.#engine.keyspace, this.#engine.clock);
    }
    return this.#expireCycle;
  }

  /** Calls `task` in every run, after the time was read. */
  onRun(task: () => void): void {
    this.#tasks.push(task);
  }

  /** Runs a second, as settings and clients have it. */
  get hz(): number {
    const { config, clients } = this.#engine;
    let { hz } = config.values;
    if (config.values.dynamicHz) while (clients.size / hz > CLIENTS_PER_HZ_MAX && hz < HZ_MAX) hz *= 2;
    return Math.min(hz, HZ_MAX);
  }

  /** Starts the timers, and serves those that need some: waiting clients and DEBUG SLEEP. */
  start(): void {
    const engine = this.#engine;
    this.#running = true;
    engine.armTimer = (delayMs) => {
      if (this.#deadlineTimer !== null) clearTimeout(this.#deadlineTimer);
      this.#deadlineTimer = setTimeout(() => this.#expireWaits(), delayMs);
    };
    engine.debug.freeze = (ms, thaw) => this.#freeze(ms, thaw);
    engine.memory.scheduleEviction = () => {
      this.#eviction ??= setImmediate(() => this.#evict());
    };
    this.#schedule();
  }

  /** Stops the timers. */
  stop(): void {
    this.#running = false;
    for (const timer of [this.#timer, this.#sliceTimer, this.#deadlineTimer]) if (timer !== null) clearTimeout(timer);
    if (this.#eviction !== null) clearImmediate(this.#eviction);
    this.#engine.debug.freeze = null;
    this.#engine.memory.scheduleEviction = () => {};
  }

  #schedule(): void {
    this.#timer = setTimeout(() => {
      this.run();
      if (this.#running) this.#schedule();
    }, 1000 / this.hz);
  }

  /** One run. */
  run(): void {
    const engine = this.#engine;
    if (engine.debug.frozen) return;
    engine.tick();
    const startUs = engine.lastUs;
    engine.blocking.expire();
    if (!engine.debug.cronPaused) {
      engine.sampleStatistics();
      this.#databases();
      for (const task of this.#tasks) task();
    }
    const endUs = engine.clock.monotonicUs();
    engine.stats.endCron(startUs, endUs);
    engine.lastUs = endUs;
  }

  #databases(): void {
    const engine = this.#engine;
    this.expireCycle.effort = engine.config.values.activeExpireEffort;
    this.#expireBudgetUs = this.expireCycle.slowLimitUs(this.hz);
    this.#resize();
    this.#idleMemory.look();
    if (engine.nowMs() >= this.#periodEndMs) {
      this.#periodEndMs = engine.nowMs() + PERIOD_MS;
      this.#idleMemory.endPeriod(engine.stats.commandsProcessed);
    }
    this.#slice();
  }

  /** A little of everything that there is to do, and a timer when that was not all. True when there is more. */
  #slice(): boolean {
    const engine = this.#engine;
    const expiring = engine.debug.activeExpire && this.#expire();
    const freeing = this.#free();
    const rehashing = engine.config.values.activerehashing && this.#rehash();
    const returning = this.#idleMemory.step();
    engine.blocking.serve();
    const more = expiring || freeing || rehashing || returning;
    if (more && this.#running && this.#sliceTimer === null) {
      this.#sliceTimer = setTimeout(() => {
        this.#sliceTimer = null;
        this.runSlice();
      }, PAUSE_MS);
    }
    return more;
  }

  /** Goes on with unfinished work; true when there is more. Called by the cron's own timer, and by tests. */
  runSlice(): boolean {
    const engine = this.#engine;
    if (engine.debug.frozen || engine.debug.cronPaused) return false;
    engine.tick();
    const startUs = engine.lastUs;
    const more = this.#slice();
    const endUs = engine.clock.monotonicUs();
    engine.stats.endCron(startUs, endUs);
    engine.lastUs = endUs;
    return more;
  }

  /** Looks for expired keys; true when a further slice is wanted before the next run. */
  #expire(): boolean {
    const { latency, keyspace } = this.#engine;
    const cycle = this.expireCycle;
    if (keyspace.expiryMode !== ExpiryMode.Delete) return false;
    if (this.#expireBudgetUs <= 0) {
      cycle.runFast();
      return cycle.wantsFastRun;
    }
    const usedUs = cycle.run(Math.min(this.#expireBudgetUs, EXPIRE_SLICE_US));
    latency.record("expire-cycle", usedUs / 1000);
    if (!cycle.outOfTime) {
      // Done for this period.
      this.#expireBudgetUs = 0;
      return cycle.wantsFastRun;
    }
    this.#expireBudgetUs -= usedUs;
    if (this.#expireBudgetUs <= 0) cycle.timeCapReached++;
    return true;
  }

  /** Frees what was put off; true when there is more. */
  #free(): boolean {
    const { clock, keyspace } = this.#engine;
    if (keyspace.freesNothing) return false;
    const endUs = clock.monotonicUs() + FREE_SLICE_US;
    do if (keyspace.lazyFree.step(FREE_STEPS)) return false;
    while (clock.monotonicUs() < endUs);
    return true;
  }

  /** Moves keys of tables that change their size, one database after the other; true when there is more. */
  #rehash(): boolean {
    const { clock, keyspace, stats } = this.#engine;
    const { databases } = keyspace;
    if (!keyspace.resizing) return false;
    const isBusy = stats.commandsProcessed !== this.#commandsBeforeRehash;
    this.#commandsBeforeRehash = stats.commandsProcessed;
    const endUs = clock.monotonicUs() + (isBusy ? BUSY_REHASH_SLICE_US : REHASH_SLICE_US);
    for (let seen = 0; seen < databases.length; seen++) {
      while (databases[this.#rehashDatabase].rehash(REHASH_BUCKETS)) if (clock.monotonicUs() >= endUs) return true;
      this.#rehashDatabase = (this.#rehashDatabase + 1) % databases.length;
    }
    return false;
  }

  /** Starts to resize tables that have become full or mostly empty: those that were not allowed to when their keys came or went. */
  #resize(): void {
    const { databases, resizing } = this.#engine.keyspace;
    // Tables of a data set that loads have the size that they will need.
    if (!resizing || (this.#engine.gate & ServerGate.Loading) !== 0) return;
    for (let i = Math.min(RESIZE_DATABASES, databases.length); i > 0; i--) {
      databases[this.#resizeDatabase].resizeIfNeeded();
      this.#resizeDatabase = (this.#resizeDatabase + 1) % databases.length;
    }
  }

  /** Memory is above its limit: a round of eviction, and the next one after others have had their turn. */
  #evict(): void {
    const engine = this.#engine;
    this.#eviction = null;
    if (engine.debug.frozen) return;
    engine.tick();
    const startUs = engine.lastUs;
    engine.memory.evict();
    engine.blocking.serve();
    engine.stats.endCron(startUs, engine.clock.monotonicUs());
  }

  /** The time of a waiting client is up. */
  #expireWaits(): void {
    this.#deadlineTimer = null;
    if (this.#engine.debug.frozen) return;
    this.#engine.tick();
    this.#engine.blocking.expire();
  }

  /** Lets the server stand still: nobody's input is run, and no timer does anything. Output is not held up: there is none. */
  #freeze(ms: number, thaw: () => void): void {
    const engine = this.#engine;
    engine.debug.frozen = true;
    for (const client of engine.clients.values()) halt(client, Halt.Frozen);
    setTimeout(() => {
      engine.debug.frozen = false;
      engine.tick();
      thaw();
      for (const client of [...engine.clients.values()]) this.#letGo(client);
      engine.blocking.expire();
    }, ms);
  }

  #letGo(client: Client): void {
    if ((client.halted & Halt.Frozen) !== 0) release(client, Halt.Frozen);
  }
}
