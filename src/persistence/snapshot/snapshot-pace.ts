/**
 * How fast a snapshot walks: at full speed while nobody else wants the time, and with a share of it while clients keep the server busy, which is never so
 * small that the walk would not end.
 *
 * How busy the server is, is the larger of two measures. Before each slice the event loop goes round once, without waiting, and either clients' commands were
 * ready then or not: this says nothing of how long other processes held this one up, so a machine that is overloaded does not pass for an idle server. And
 * between two slices this thread has had a processor for some part of the time: clients that send much at once, and send the next when all has been
 * answered, have often sent nothing when the loop goes round, and leave next to no time all the same.
 *
 * What other processes take is made up for: the walk's share is one of the time that this process gets.
 */

/** Microseconds of a slice while nobody else wants the time, and while clients are served. */
export const IDLE_SLICE_US = 1000;
const BUSY_SLICE_US = 250;
/** Share of the time that the walk takes from a server that is always busy; and when replicas wait for the snapshot, for whom changes pile up meanwhile. */
const SHARE_MIN = 0.03;
const SHARE_MIN_AWAITED = 0.25;
/** A server that gets less of a processor than this is treated as if it got so much: the walk must come to an end. */
const SPEED_MIN = 0.3;
/** Below this load the server counts as idle. */
const LOAD_MIN = 0.1;
/** What a new sample weighs against those before. */
const SAMPLE_WEIGHT = 0.125;
/** Shorter times between slices are the loop's own: nobody could rest then. */
const REST_MIN_US = 1000;

export class SnapshotPace {
  /** Share of the samples that met clients, the recent ones above all. */
  #met = 0;
  /** Share of the time between slices that this thread had a processor, likewise. */
  #busy = 0;
  /** Share that this process gets of the time that it wants. */
  #speed = 1;

  /** Takes a sample. */
  sample(metClients: boolean): void {
    this.#met += ((metClients ? 1 : 0) - this.#met) * SAMPLE_WEIGHT;
  }

  /** Between two slices `wallUs` have passed, for `threadUs` of which this thread had a processor. */
  rested(wallUs: number, threadUs: number): void {
    if (wallUs < REST_MIN_US) return;
    this.#busy += (threadUs / wallUs - this.#busy) * SAMPLE_WEIGHT;
    const wantedUs = wallUs * this.#met;
    const speed = wantedUs > threadUs ? threadUs / wantedUs : 1;
    this.#speed += (speed - this.#speed) * SAMPLE_WEIGHT;
  }

  get #load(): number {
    return Math.min(1, Math.max(this.#met, this.#busy));
  }

  get #isIdle(): boolean {
    return this.#load < LOAD_MIN;
  }

  /** Microseconds for the next slice. */
  get sliceUs(): number {
    return this.#isIdle ? IDLE_SLICE_US : BUSY_SLICE_US;
  }

  /** Microseconds to wait after a slice that took `tookUs` of a processor. */
  pauseUs(tookUs: number, isAwaited = false): number {
    if (this.#isIdle) return 0;
    // Of the time that clients leave, a share as large as that time is: the busier they are, the more a slice is in their way.
    const share = Math.max(isAwaited ? SHARE_MIN_AWAITED : SHARE_MIN, (1 - this.#load) ** 2);
    return (tookUs * (1 / share - 1)) / Math.max(SPEED_MIN, this.#speed);
  }
}
