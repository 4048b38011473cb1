/**
 * The size that Redis' reply buffer of a client would have: it shrinks while replies are short and grows when they fill it. Our replies are written into
 * one buffer that all clients share; the figures (`rbs` and `rbp` of CLIENT LIST) tell how large a client's replies have been of late.
 */

const SIZE_MIN = 1024;
const SIZE_MAX = 16 * 1024;

/** How reply buffers are resized: DEBUG REPLYBUFFER changes it. */
export interface ReplyBufferPolicy {
  resizing: boolean;
  /** A peak is forgotten after this many milliseconds; negative: never. */
  peakResetMs: number;
}

/** What became of the size in resize(). */
export const Resized = { Kept: 0, Shrunk: 1, Grown: 2 } as const;

export class ReplyBuffer {
  size = SIZE_MAX;
  /** Longest reply, or run of replies, since the peak was last forgotten; at most `size`. */
  peak = 0;
  #peakResetMs = 0;

  /** Notes a run of replies that were sent together. */
  note(bytes: number): void {
    if (bytes > this.peak) this.peak = bytes < this.size ? bytes : this.size;
  }

  /** Adapts the size to the peak: halves it or more when less than half was used, doubles it when it was full. A value of Resized. */
  resize(policy: ReplyBufferPolicy, nowMs: number): number {
    let outcome: number = Resized.Kept;
    if (!policy.resizing) return outcome;
    if (this.size / 2 >= SIZE_MIN && this.peak < this.size / 2) {
      this.size = Math.max(SIZE_MIN, this.peak + 1);
      outcome = Resized.Shrunk;
    } else if (this.size * 2 < SIZE_MAX * 2 && this.peak === this.size) {
      this.size = Math.min(SIZE_MAX, this.size * 2);
      outcome = Resized.Grown;
    }
    if (policy.peakResetMs >= 0 && nowMs - this.#peakResetMs > policy.peakResetMs) {
      this.peak = 0;
      this.#peakResetMs = nowMs;
    }
    return outcome;
  }
}
