/**
 * Time as a parameter. Everything that needs the time is handed a Clock, so that a test decides what time it is.
 * Nothing else in the source reads a system clock.
 */
import { openThreadTime } from "./thread-time.ts";

/** A source of wall-clock and monotonic time. */
export interface Clock {
  /** Wall clock, whole milliseconds since the Unix epoch. May step when the system's clock is set. */
  nowMs(): number;
  /** Wall clock, whole microseconds since the Unix epoch. */
  nowUs(): number;
  /** Microseconds, with a fraction, since an arbitrary start. Never goes back. For durations. */
  monotonicUs(): number;
  /** Microseconds that this thread has had of a processor. For shares of work, where other processes take the processor away, too. */
  threadUs(): number;
}

/** The system's clocks. */
export class SystemClock implements Clock {
  /** Wall-clock milliseconds at the zero of the monotonic clock. */
  #anchorMs = performance.timeOrigin;
  #threadTime: (() => number) | null = null;

  nowMs(): number {
    return Date.now();
  }

  /**
   * The system's wall clock has millisecond steps; the monotonic clock fills in the microseconds. The anchor moves
   * whenever the two disagree about the millisecond, so that it follows a wall clock that is stepped or slewed.
   */
  nowUs(): number {
    const wallMs = Date.now();
    const elapsedMs = performance.now();
    const intoMs = this.#anchorMs + elapsedMs - wallMs;
    if (intoMs < 0 || intoMs >= 1) this.#anchorMs = wallMs - elapsedMs;
    return Math.floor((this.#anchorMs + elapsedMs) * 1000);
  }

  monotonicUs(): number {
    return performance.now() * 1000;
  }

  threadUs(): number {
    this.#threadTime ??= openThreadTime();
    return this.#threadTime();
  }
}

/** A clock that stands still until it is told otherwise. */
export class ManualClock implements Clock {
  #wallUs: number;
  #monotonicUs = 0;

  /** Starts at `startMs` milliseconds since the Unix epoch. */
  constructor(startMs = 0) {
    this.#wallUs = startMs * 1000;
  }

  nowMs(): number {
    return Math.floor(this.#wallUs / 1000);
  }

  nowUs(): number {
    return this.#wallUs;
  }

  monotonicUs(): number {
    return this.#monotonicUs;
  }

  /** Nobody takes the processor away. */
  threadUs(): number {
    return this.#monotonicUs;
  }

  /** Lets `ms` milliseconds pass on both clocks. */
  advanceMs(ms: number): void {
    this.advanceUs(ms * 1000);
  }

  /** Lets `us` microseconds pass on both clocks. */
  advanceUs(us: number): void {
    if (us < 0) throw new RangeError("time does not go back; set the wall clock instead");
    this.#wallUs += us;
    this.#monotonicUs += us;
  }

  /** Steps the wall clock, as an administrator would; the monotonic clock does not notice. */
  setMs(ms: number): void {
    this.#wallUs = ms * 1000;
  }
}
