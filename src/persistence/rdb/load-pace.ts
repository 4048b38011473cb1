/** The setting key-load-delay: loading is held up behind each key, for tests of loads that take long. */
import type { Engine } from "../../engine/engine.ts";

export class LoadPace {
  readonly #engine: Engine;
  /** Monotonic microseconds before which nothing more is loaded. */
  #notBeforeUs = 0;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Is there a delay? */
  get isSet(): boolean {
    return this.#engine.config.values.keyLoadDelay !== 0;
  }

  /** Milliseconds, at least 1, for which nothing can be done; 0: go on. */
  get waitMs(): number {
    if (this.#notBeforeUs === 0) return 0;
    return Math.max(0, Math.floor((this.#notBeforeUs - this.#engine.clock.monotonicUs()) / 1000));
  }

  /** So many keys have been loaded. */
  loaded(keys: number): void {
    const { keyLoadDelay } = this.#engine.config.values;
    if (keyLoadDelay === 0 || keys === 0) return;
    // Negative: one microsecond for so many keys.
    const perKeyUs = keyLoadDelay > 0 ? keyLoadDelay : -1 / keyLoadDelay;
    this.#notBeforeUs = Math.max(this.#notBeforeUs, this.#engine.clock.monotonicUs()) + perKeyUs * keys;
  }
}
