/** What DEBUG switches on and off in a server. Whoever does the work that a field is about looks at it; only DEBUG changes it. */

/** Default of how long a client's reply buffer remembers its peak, ms. */
export const REPLY_PEAK_RESET_MS = 5000;

export class DebugState {
  /** Expired keys are looked for in the background. */
  activeExpire = true;
  /** The cron does nothing but keep the time. */
  cronPaused = false;
  /** The server stands still for DEBUG SLEEP: no input is run, nothing is sent, no timer does anything. */
  frozen = false;
  /** Scripts may call commands that are not for scripts. */
  scriptsMayAll = false;
  /** Checksums of RDB files and RESTORE payloads are ignored. */
  skipsChecksums = false;
  /** Least length in bytes of a list element that gets a node of its own; 0: as the settings say. */
  listPlainMin = 0;
  /** Microseconds to wait before each write of the append-only file. */
  appendOnlyFlushSleepUs = 0;
  /** How reply buffers are resized: at all, and after how many ms a peak is forgotten (negative: never). */
  readonly replyBuffer = { resizing: true, peakResetMs: REPLY_PEAK_RESET_MS };
  /**
   * Freezes the server for `ms`, then calls `thaw` and lets everybody go on. Plugged in by whoever has timers; without it a sleep blocks the process.
   */
  freeze: ((ms: number, thaw: () => void) => void) | null = null;
}
