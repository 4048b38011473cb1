/**
 * The state of a server that loads its data set: who is told to wait, what the data set does not do meanwhile, how far it has come, and the slices in which
 * the work is done, so that clients get their answers ("LOADING ...") in between.
 *
 * Invariant: ServerGate.Loading (LoadingAside: while the present data set is served) is set, keys do not expire and nothing is propagated exactly from start() to
 * finish(); the propagation sinks stand aside only while a slice runs.
 */
import type { Engine } from "../engine/engine.ts";
import { settleExpiryMode } from "../engine/expiry-mode.ts";
import { ServerGate } from "../engine/observer.ts";

/** Microseconds of a slice. */
const SLICE_US = 8000;

/** What a slice has come to: to be continued, at once or after so many ms, or over. */
export type SliceResult = "more" | { readonly pauseMs: number } | "done";

export class Loading {
  readonly #engine: Engine;
  #active = false;
  #startSeconds = 0;
  #startUs = 0;
  #totalBytes = 0;
  #loadedBytes = 0;
  /** The present data set is served meanwhile. */
  #isAside = false;

  constructor(engine: Engine) {
    this.#engine = engine;
    engine.info.add({
      fields: {
        loading: () => Number(this.#active && !this.#isAside),
        async_loading: () => Number(this.#active && this.#isAside),
      },
    });
  }

  /** Does the data set load? */
  get isActive(): boolean {
    return this.#active;
  }

  /** Bytes that there are to load, as given to start(), and that have been loaded so far. */
  get totalBytes(): number {
    return this.#totalBytes;
  }

  get loadedBytes(): number {
    return this.#loadedBytes;
  }

  /** Unix time in seconds when loading began. */
  get startSeconds(): number {
    return this.#startSeconds;
  }

  /** Seconds that loading has taken so far. */
  get elapsedSeconds(): number {
    return (this.#engine.clock.monotonicUs() - this.#startUs) / 1e6;
  }

  /** Loading begins. `totalBytes`: how much there is; 0: nobody knows. `isAside`: the present data set is served meanwhile. */
  start(totalBytes: number, isAside = false): void {
    const engine = this.#engine;
    if (this.#active) throw new Error("a data set is loading already");
    this.#active = true;
    this.#totalBytes = totalBytes;
    this.#loadedBytes = 0;
    this.#startSeconds = Math.floor(engine.nowMs() / 1000);
    this.#startUs = engine.clock.monotonicUs();
    this.#isAside = isAside;
    engine.gate |= isAside ? ServerGate.LoadingAside : ServerGate.Loading;
    settleExpiryMode(engine);
  }

  /** So many bytes have been loaded since the start. */
  progress(loadedBytes: number): void {
    this.#loadedBytes = loadedBytes;
  }

  /** Loading is over, however it went. */
  finish(): void {
    const engine = this.#engine;
    if (!this.#active) throw new Error("nothing is loading");
    this.#active = false;
    engine.gate &= ~(ServerGate.Loading | ServerGate.LoadingAside);
    settleExpiryMode(engine);
    engine.keyspace.refreshAccessClock();
  }

  /** Runs one slice: `step` works until about the given time of the monotonic clock. */
  slice(step: (endUs: number) => SliceResult): SliceResult {
    const engine = this.#engine;
    const sinks = engine.sinks.splice(0);
    const { recordSlow } = engine;
    engine.recordSlow = () => {};
    engine.startTurn();
    try {
      return step(engine.clock.monotonicUs() + SLICE_US);
    } finally {
      engine.recordSlow = recordSlow;
      engine.sinks.push(...sinks);
    }
  }

  /** Runs slices one after the other, others' events in between, until `step` says that it is done; then calls `done`. */
  run(step: (endUs: number) => SliceResult, done: () => void): void {
    const next = (): void => {
      const result = this.slice(step);
      if (result === "done") done();
      else if (result === "more") setImmediate(next);
      else setTimeout(next, result.pauseMs);
    };
    next();
  }

  /** The same without anybody else's events: for those who cannot wait. */
  runAtOnce(step: (endUs: number) => SliceResult): void {
    for (;;) {
      const result = this.slice(step);
      if (result === "done") return;
      if (result !== "more") Bun.sleepSync(result.pauseMs);
    }
  }
}
