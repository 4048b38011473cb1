/**
 * The latency monitor: for each kind of event (a command, an expire cycle, a fork ...) the last 160 seconds in which one took longer than the threshold,
 * with the longest of each second.
 */
import type { Clock } from "../../base/clock.ts";

/** Samples that are kept of an event. */
export const LATENCY_SAMPLES_MAX = 160;

/** The samples of one event, a ring. */
export class LatencySeries {
  /** Longest latency ever recorded, ms. */
  max = 0;
  readonly #times = new Float64Array(LATENCY_SAMPLES_MAX);
  readonly #latencies = new Float64Array(LATENCY_SAMPLES_MAX);
  #next = 0;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Unix time in seconds of the `index`-th sample, 0 being the oldest. */
  time(index: number): number {
    return this.#times[this.#slot(index)];
  }

  /** Latency in ms of the `index`-th sample. */
  latency(index: number): number {
    return this.#latencies[this.#slot(index)];
  }

  /** Adds a sample; one of the same second as the last replaces it if it is longer. */
  add(time: number, latencyMs: number): void {
    if (latencyMs > this.max) this.max = latencyMs;
    if (this.#count > 0) {
      const last = this.#slot(this.#count - 1);
      if (this.#times[last] === time) {
        if (latencyMs > this.#latencies[last]) this.#latencies[last] = latencyMs;
        return;
      }
    }
    this.#times[this.#next] = time;
    this.#latencies[this.#next] = latencyMs;
    this.#next = (this.#next + 1) % LATENCY_SAMPLES_MAX;
    if (this.#count < LATENCY_SAMPLES_MAX) this.#count++;
  }

  #slot(index: number): number {
    return (this.#next - this.#count + index + LATENCY_SAMPLES_MAX) % LATENCY_SAMPLES_MAX;
  }
}

/** What the samples of an event tell: whole milliseconds and seconds. */
export interface LatencySummary {
  readonly samples: number;
  readonly averageMs: number;
  /** Mean distance of the samples from their average. */
  readonly deviationMs: number;
  /** Seconds per sample, from the oldest on. */
  readonly periodSeconds: number;
}

export class LatencyMonitor {
  /** Events of at least this many ms are recorded; 0: none. */
  thresholdMs = 0;
  /** Event -> samples, in the order in which they first happened. */
  readonly events = new Map<string, LatencySeries>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Unix time in seconds. */
  get nowSeconds(): number {
    return Math.floor(this.#clock.nowMs() / 1000);
  }

  /** Records that an event took `latencyMs`, when that is as long as the threshold. */
  record(event: string, latencyMs: number): void {
    if (this.thresholdMs === 0 || latencyMs < this.thresholdMs) return;
    let series = this.events.get(event);
    if (series === undefined) {
      series = new LatencySeries();
      this.events.set(event, series);
    }
    series.add(this.nowSeconds, Math.floor(latencyMs));
  }

  /** Forgets the samples of an event, in any case of letters; returns how many events that were. */
  resetEvent(name: string): number {
    let resets = 0;
    for (const event of this.events.keys()) {
      if (event.toLowerCase() !== name.toLowerCase()) continue;
      this.events.delete(event);
      resets++;
    }
    return resets;
  }

  /** Forgets all samples; returns of how many events. */
  reset(): number {
    const resets = this.events.size;
    this.events.clear();
    return resets;
  }

  /** Analyses the samples of an event. */
  summary(series: LatencySeries): LatencySummary {
    const samples = series.count;
    let sum = 0;
    for (let i = 0; i < samples; i++) sum += series.latency(i);
    const averageMs = Math.floor(sum / samples);
    let deviations = 0;
    for (let i = 0; i < samples; i++) deviations += Math.abs(averageMs - series.latency(i));
    const seconds = Math.max(1, this.nowSeconds - series.time(0));
    return { samples, averageMs, deviationMs: Math.floor(deviations / samples), periodSeconds: seconds / samples };
  }
}
