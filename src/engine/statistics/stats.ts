/** What the server counts about itself since its start or the last CONFIG RESETSTAT, and the rates that the cron samples. INFO shows all of it. */
import { ErrorStats } from "./error-stats.ts";

const SAMPLES = 16;

/** The mean of the last sixteen samples of how fast a counter grows. */
export class Rate {
  readonly #samples = new Float64Array(SAMPLES);
  #next = 0;
  #lastBase = 0;
  #lastValue = 0;

  /** Takes a sample: growth of `value` for each `factor` by which `base` grew. */
  sample(value: number, base: number, factor: number): void {
    if (this.#lastBase > 0) {
      const grown = base - this.#lastBase;
      this.#samples[this.#next] = grown > 0 ? Math.floor(((value - this.#lastValue) * factor) / grown) : 0;
      this.#next = (this.#next + 1) % SAMPLES;
    }
    this.#lastBase = base;
    this.#lastValue = value;
  }

  /** The mean, a whole number. */
  get mean(): number {
    let sum = 0;
    for (let i = 0; i < SAMPLES; i++) sum += this.#samples[i];
    return Math.trunc(sum / SAMPLES);
  }

  reset(): void {
    this.#samples.fill(0);
    this.#next = 0;
    this.#lastBase = 0;
    this.#lastValue = 0;
  }
}

const PEAK_SECONDS = 8;

/** The largest of the values that were noted in the last eight seconds. */
export class RecentPeak {
  readonly #peaks = new Float64Array(PEAK_SECONDS);
  /** The second that each of the peaks is of. */
  readonly #seconds = new Float64Array(PEAK_SECONDS);

  note(second: number, value: number): void {
    const slot = second % PEAK_SECONDS;
    if (this.#seconds[slot] === second && this.#peaks[slot] >= value) return;
    this.#seconds[slot] = second;
    this.#peaks[slot] = value;
  }

  largest(second: number): number {
    let largest = 0;
    for (let slot = 0; slot < PEAK_SECONDS; slot++)
      if (second - this.#seconds[slot] < PEAK_SECONDS) largest = Math.max(largest, this.#peaks[slot]);
    return largest;
  }
}

/** Counters that CONFIG RESETSTAT sets to zero; all begin there. */
class Counters {
  commandsProcessed = 0;
  connectionsReceived = 0;
  rejectedConnections = 0;
  netInputBytes = 0;
  netOutputBytes = 0;
  replicationInputBytes = 0;
  replicationOutputBytes = 0;
  readsProcessed = 0;
  writesProcessed = 0;
  queryBufferLimitDisconnections = 0;
  outputBufferLimitDisconnections = 0;
  replyBufferShrinks = 0;
  replyBufferExpands = 0;
  errorReplies = 0;
  /** Errors that went to a primary, a replica or the append-only file's reader. */
  unexpectedErrorReplies = 0;
  /** Encoded values that were looked through for what sanitize-dump-payload guards against. */
  payloadSanitizations = 0;
  evictedKeys = 0;
  evictedClients = 0;
  evictedScripts = 0;
  /** Microseconds during which memory was above the limit. */
  evictionExceededUs = 0;
  accessDeniedAuthentications = 0;
  accessDeniedCommands = 0;
  accessDeniedKeys = 0;
  accessDeniedChannels = 0;

  /** Turns of the event loop that had something to do, the microseconds they took, and the longest of them. */
  turns = 0;
  turnsUs = 0;
  turnMaxUs = 0;
  /** Microseconds in commands of clients (not counting those inside of others), in the cron, and in writing the append-only file. */
  commandsUs = 0;
  cronUs = 0;
  appendOnlyUs = 0;
  /** Most commands in one turn. */
  turnCommandsMax = 0;
}

export class Stats extends Counters {
  readonly errors: ErrorStats;
  readonly commandRate = new Rate();
  readonly inputRate = new Rate();
  readonly outputRate = new Rate();
  readonly replicationInputRate = new Rate();
  readonly replicationOutputRate = new Rate();
  readonly turnRate = new Rate();
  readonly turnDuration = new Rate();
  /** Bytes of the largest input and output that a client had waiting, as the cron saw it. */
  readonly inputPeak = new RecentPeak();
  readonly outputPeak = new RecentPeak();

  /** Commands that took at least this many microseconds are looked at by the slow log and the latency monitor; Infinity: none. */
  slowThresholdUs = Number.POSITIVE_INFINITY;
  /** Keep a latency histogram of every command. */
  tracksLatency = true;
  /** Unix time in ms of the start. */
  startedMs = 0;
  /** Unix time in seconds of the last successful save; the start counts as one. */
  lastSaveSeconds = 0;

  /** Negative before the first turn. */
  #turnStartUs = -1;
  #turnFirstCommand = 0;

  /** `errorsOverflow`: see ErrorStats. */
  constructor(errorsOverflow = false) {
    super();
    this.errors = new ErrorStats(errorsOverflow);
  }

  /** Counts an error reply, given by its text without "-". `custom`: a script made it up. */
  countError(text: string, custom = false): void {
    this.errorReplies++;
    this.errors.count(text, custom);
  }

  /** A turn begins at `nowUs`; the one before it was busy until `busyUntilUs`. Both monotonic. */
  beginTurn(busyUntilUs: number, nowUs: number): void {
    if (this.#turnStartUs >= 0) {
      const usec = busyUntilUs - this.#turnStartUs;
      this.turns++;
      this.turnsUs += usec;
      if (usec > this.turnMaxUs) this.turnMaxUs = usec;
    }
    const commands = this.commandsProcessed - this.#turnFirstCommand;
    if (commands > this.turnCommandsMax) this.turnCommandsMax = commands;
    this.#turnStartUs = nowUs;
    this.#turnFirstCommand = this.commandsProcessed;
  }

  /** The cron ran from `startUs` to `endUs`, monotonic: part of a turn. */
  endCron(startUs: number, endUs: number): void {
    this.cronUs += endUs - startUs;
  }

  /** Samples the rates. Called ten times a second with the monotonic time. */
  sample(nowUs: number): void {
    const second = 1e6;
    this.commandRate.sample(this.commandsProcessed, nowUs, second);
    this.inputRate.sample(this.netInputBytes + this.replicationInputBytes, nowUs, second);
    this.outputRate.sample(this.netOutputBytes + this.replicationOutputBytes, nowUs, second);
    this.replicationInputRate.sample(this.replicationInputBytes, nowUs, second);
    this.replicationOutputRate.sample(this.replicationOutputBytes, nowUs, second);
    this.turnRate.sample(this.turns, nowUs, second);
    this.turnDuration.sample(this.turnsUs, this.turns, 1);
  }

  /** Sets every counter and rate to zero. */
  reset(): void {
    Object.assign(this, new Counters());
    this.#turnFirstCommand = 0;
    this.errors.reset();
    for (const rate of [
      this.commandRate,
      this.inputRate,
      this.outputRate,
      this.replicationInputRate,
      this.replicationOutputRate,
      this.turnRate,
      this.turnDuration,
    ])
      rate.reset();
  }
}
