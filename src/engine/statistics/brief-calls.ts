/**
 * Calls of brief commands in a pipeline, which share one reading of the clock: reading it costs as much as looking a key up. What has gone by since the last
 * reading is divided among them evenly.
 *
 * Brief is a command that takes constant time as its documentation has it, and whose arguments and reply are short, so that none of them could be a case
 * for the slow log. Where the slow log or the latency monitor want to know of less than BRIEF_LIMIT_US, every call is timed by itself.
 */

import type { CommandSpec } from "../spec/spec.ts";
import { newHistogram, recordLatency } from "./histogram.ts";
import type { Stats } from "./stats.ts";

/** A threshold of the slow log below this asks for the time of each call. */
const BRIEF_LIMIT_US = 2000;
/** Longest arguments, with what stands between them, and longest reply of a brief call. */
const BRIEF_BYTES_MAX = 1024;
/** Most calls that share a reading. */
const CALLS_MAX = 32;

export class BriefCalls {
  /** Calls that have ended since the clock was read. */
  count = 0;
  readonly #specs: CommandSpec[] = [];
  /** Several commands of one client run one after the other, and settle() will be called before anything else runs. */
  inPipeline = false;
  readonly #stats: Stats;

  constructor(stats: Stats) {
    this.#stats = stats;
  }

  /** May the call of a command with so many bytes of arguments go without a reading of the clock, if its reply is short, too? */
  admits(spec: CommandSpec, argumentBytes: number): boolean {
    if (!this.inPipeline || this.count === CALLS_MAX || !spec.isBrief) return false;
    return argumentBytes <= BRIEF_BYTES_MAX && this.#stats.slowThresholdUs >= BRIEF_LIMIT_US;
  }

  /** Takes a call that has ended with a reply of so many bytes; false when it must be timed after all. */
  take(spec: CommandSpec, replyBytes: number): boolean {
    if (replyBytes > BRIEF_BYTES_MAX) return false;
    this.#specs[this.count++] = spec;
    return true;
  }

  /** Divides `usec` microseconds among the calls. */
  settle(usec: number): void {
    const { tracksLatency } = this.#stats;
    const share = usec / this.count;
    for (let i = 0; i < this.count; i++) {
      const spec = this.#specs[i];
      spec.usec += share;
      if (!tracksLatency) continue;
      spec.histogram ??= newHistogram();
      recordLatency(spec.histogram, share);
    }
    this.count = 0;
  }
}
