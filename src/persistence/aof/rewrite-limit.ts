/**
 * Holds rewrites back that keep failing: each one that fails leaves another incremental file behind. After three failures in a row the next one has to
 * wait a minute, then two, four, and so on up to an hour. Rewrites that a client asks for begin at once and start the count anew.
 */
import type { Engine } from "../../engine/engine.ts";

const FAILURES_MAX = 3;
const DELAY_MINUTES_MAX = 60;
const MINUTE_MS = 60_000;

export class RewriteLimit {
  /** Rewrites that have failed since the last one that did not. */
  failures = 0;
  readonly #engine: Engine;
  #delayMinutes = 0;
  /** When the next one may begin; 0: no time is set. */
  #nextMs = 0;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** May no rewrite begin by itself now? */
  get holds(): boolean {
    if (this.failures < FAILURES_MAX) {
      this.#delayMinutes = 0;
      this.#nextMs = 0;
      return false;
    }
    const nowMs = this.#engine.nowMs();
    if (this.#nextMs !== 0) {
      if (nowMs < this.#nextMs) return true;
      this.#nextMs = 0;
      return false;
    }
    this.#delayMinutes = Math.min(this.#delayMinutes === 0 ? 1 : this.#delayMinutes * 2, DELAY_MINUTES_MAX);
    this.#nextMs = nowMs + this.#delayMinutes * MINUTE_MS;
    this.#engine.log.warning(
      `Background AOF rewrite has repeatedly failed and triggered the limit, will retry in ${this.#delayMinutes} minutes`,
    );
    return true;
  }
}
