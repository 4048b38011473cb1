/**
 * The active expire cycle: looks for expired keys that nobody asks for. It samples the index of expiring keys of one database after the other, with
 * a cursor that goes on where it stopped, and stays with a database as long as many of the sampled keys have expired.
 *
 * The algorithm and its figures are those that redis.conf documents for active-expire-effort. A run stops when its time is up; the caller
 * decides how much time that is and when to go on, so that no run need be long.
 */
import type { Clock } from "../base/clock.ts";
import { RefList } from "../struct/dict/dict.ts";
import { entryExpiry } from "../types/entry.ts";
import type { Database } from "./database.ts";
import { expireFields } from "./field-expiry.ts";
import { ExpiryMode } from "./key-rules.ts";
import type { Keyspace } from "./keyspace.ts";

/** Figures for effort 1; each further point of effort (to 10) adds the second. */
const KEYS_PER_SAMPLE = 20;
const KEYS_PER_SAMPLE_STEP = 5;
const FAST_US = 1000;
const FAST_US_STEP = 250;
const SLOW_PERCENT = 25;
const SLOW_PERCENT_STEP = 2;
const STALE_PERCENT = 10;
const STALE_PERCENT_STEP = -1;

/** Databases that one run looks at, as long as no run has been out of time. */
const DATABASES_PER_RUN = 16;
/** Empty parts of an index are passed over, but not without end. */
const BUCKETS_PER_KEY = 20;
/** Samples, or fields of a hash, between looks at the clock. */
const SAMPLES_PER_CLOCK = 4;
const FIELDS_PER_CLOCK = 32;
/** Weights of the latest observation in the running averages. */
const TTL_WEIGHT = 0.02;
const STALE_WEIGHT = 0.05;

export class ExpireCycle {
  readonly #keyspace: Keyspace;
  readonly #clock: Clock;
  readonly #list = new RefList();
  #nextDatabase = 0;
  #startUs = 0;
  #limitUs = 0;
  #samples = 0;
  #lastFastUs = Number.NEGATIVE_INFINITY;

  /** active-expire-effort. */
  effort = 1;
  /** True when the last run stopped because its time was up. */
  outOfTime = false;
  /** Estimated share of keys that have expired but are still there, 0 to 1. */
  staleShare = 0;
  /** How often all the time that a period allows was not enough. */
  timeCapReached = 0;
  /** Microseconds spent in runs. */
  usedUs = 0;

  // Of the run in progress: keys looked at, and how many of them had expired.
  #sampled = 0;
  #expired = 0;
  // Of the database in progress since its average was brought up to date: sum and number of times to live, and samples that had any.
  #ttlSum = 0;
  #ttlCount = 0;
  #ttlSamples = 0;

  constructor(keyspace: Keyspace, clock: Clock) {
    this.#keyspace = keyspace;
    this.#clock = clock;
  }

  /** Forgets what was counted: CONFIG RESETSTAT. */
  resetStatistics(): void {
    this.staleShare = 0;
    this.timeCapReached = 0;
    this.usedUs = 0;
  }

  #figure(base: number, step: number): number {
    return base + step * (this.effort - 1);
  }

  /** Microseconds that the runs of one period of a cron may take which comes `hz` times a second. */
  slowLimitUs(hz: number): number {
    return Math.max(1, Math.floor((this.#figure(SLOW_PERCENT, SLOW_PERCENT_STEP) * 10_000) / hz));
  }

  /** Microseconds of a fast run. */
  get fastLimitUs(): number {
    return this.#figure(FAST_US, FAST_US_STEP);
  }

  /** Is there reason for a fast run between the slow ones: did they not get through, or is much too much stale? */
  get wantsFastRun(): boolean {
    return this.outOfTime || this.staleShare * 100 >= this.#figure(STALE_PERCENT, STALE_PERCENT_STEP);
  }

  /** A run of its own short time, unless there is no reason for one or the last was just now. */
  runFast(): void {
    const nowUs = this.#clock.monotonicUs();
    if (!this.wantsFastRun || nowUs < this.#lastFastUs + this.fastLimitUs * 2) return;
    this.#lastFastUs = nowUs;
    this.run(this.fastLimitUs);
  }

  /** Looks for expired keys and deletes them, for about `limitUs` at most. Keys are judged by the keyspace's time. Returns the microseconds used. */
  run(limitUs: number): number {
    const ks = this.#keyspace;
    if (ks.expiryMode !== ExpiryMode.Delete) return 0;
    const { databases } = ks;
    this.#startUs = this.#clock.monotonicUs();
    this.#limitUs = limitUs;
    this.#samples = 0;
    this.#sampled = 0;
    this.#expired = 0;
    let wanted = this.outOfTime ? databases.length : Math.min(DATABASES_PER_RUN, databases.length);
    this.outOfTime = false;
    for (let i = 0; i < databases.length && wanted > 0 && !this.outOfTime; i++) {
      // Counted on before the work: when the time is up, the next run begins with the next database.
      const db = databases[this.#nextDatabase % databases.length];
      this.#nextDatabase = (this.#nextDatabase + 1) % databases.length;
      this.#expireFields(db);
      if (db.expiresSize === 0) {
        db.averageTtlMs = 0;
        continue;
      }
      wanted--;
      this.#sweep(db);
    }
    const share = this.#sampled > 0 ? this.#expired / this.#sampled : 0;
    this.staleShare += (share - this.staleShare) * STALE_WEIGHT;
    const usedUs = this.#clock.monotonicUs() - this.#startUs;
    this.usedUs += usedUs;
    return usedUs;
  }

  /** Deletes the fields of hashes whose time has come, until there are none or the time is up. */
  #expireFields(db: Database): void {
    const { nowMs, snapshot } = this.#keyspace;
    while (db.hashExpiry.firstMs < nowMs) {
      const e = db.hashExpiry.first;
      if (snapshot?.isCostly(e) === true) {
        // Nobody sees the field any more, so it can stay until the hash has been saved in slices.
        snapshot.hurry(db.dict, e, () => {});
        return;
      }
      expireFields(db, e, db.hashOf(e), FIELDS_PER_CLOCK);
      if (this.#clock.monotonicUs() - this.#startUs <= this.#limitUs) continue;
      this.outOfTime = true;
      return;
    }
  }

  /** Samples a database until its whole index was passed, little of a sample was stale, or the time is up. */
  #sweep(db: Database): void {
    this.#ttlSum = 0;
    this.#ttlCount = 0;
    this.#ttlSamples = 0;
    for (let more = true; more && !this.outOfTime; ) {
      if (db.expiresSize === 0) {
        db.averageTtlMs = 0;
        return;
      }
      more = this.#sample(db);
      const timeToLook = (++this.#samples & (SAMPLES_PER_CLOCK - 1)) === 0;
      if (timeToLook || !more) this.#updateAverage(db);
      if (timeToLook && this.#clock.monotonicUs() - this.#startUs > this.#limitUs) this.outOfTime = true;
    }
  }

  /** Looks at some keys; true when so many of them had expired that there is reason to look at more. */
  #sample(db: Database): boolean {
    const perSample = this.#figure(KEYS_PER_SAMPLE, KEYS_PER_SAMPLE_STEP);
    const wanted = Math.min(db.expiresSize, perSample);
    const ttlCount = this.#ttlCount;
    const list = this.#list;
    let sampled = 0;
    let expired = 0;
    let passed = false;
    for (let buckets = wanted * BUCKETS_PER_KEY; sampled < wanted && buckets > 0 && !passed; buckets--) {
      list.count = 0;
      passed = db.scanExpires(list);
      sampled += list.count;
      for (let i = 0; i < list.count; i++) if (this.#judge(db, list.refs[i])) expired++;
    }
    this.#sampled += sampled;
    this.#expired += expired;
    if (this.#ttlCount > ttlCount) this.#ttlSamples++;
    if (passed) return false;
    return sampled === 0 || (expired * 100) / sampled > this.#figure(STALE_PERCENT, STALE_PERCENT_STEP);
  }

  /** Deletes a key whose time has come; true when it did. */
  #judge(db: Database, e: number): boolean {
    const ks = this.#keyspace;
    const ttlMs = entryExpiry(ks.arena, e) - ks.nowMs;
    if (ttlMs < 0) {
      db.expire(e, db.hashOf(e));
      return true;
    }
    if (ttlMs > 0) {
      this.#ttlSum += ttlMs;
      this.#ttlCount++;
    }
    return false;
  }

  /** Moves the database's mean time to live towards what the samples showed. */
  #updateAverage(db: Database): void {
    if (this.#ttlCount > 0) {
      const average = Math.floor(this.#ttlSum / this.#ttlCount);
      const kept = (1 - TTL_WEIGHT) ** this.#ttlSamples;
      db.averageTtlMs = db.averageTtlMs === 0 ? average : Math.floor(average + (db.averageTtlMs - average) * kept);
    }
    this.#ttlSum = 0;
    this.#ttlCount = 0;
    this.#ttlSamples = 0;
  }
}
