/**
 * Rewrites the log in the background: the data set as it is now becomes a new base, beside which only what changes from now on is needed. At most one
 * rewrite runs, and none while a snapshot is being saved: it is then begun when that is over.
 */
import type { Engine } from "../../engine/engine.ts";
import { removeFile } from "../disk.ts";
import type { AofLog, BaseFormat, WriteBase } from "./aof-log.ts";
import { RewriteLimit } from "./rewrite-limit.ts";

/** How a background write has ended: by itself, with a status, or by a signal. */
export type BaseEnd = { readonly status: number } | { readonly signal: number };

/** Writes data sets as bases of a log. */
export interface BaseWriter {
  /** Is a snapshot being saved in the background? */
  readonly isSaving: boolean;
  /** Writes the data set at once. */
  readonly writeNow: WriteBase;
  /**
   * Begins to write the data set to a temporary file, as it is when `begin` is called, which is at once if possible; when that answers false, nothing is
   * written. `done` is called later, with the path of the file. The process id of who writes, or an error text.
   */
  start(format: BaseFormat, begin: () => boolean, done: (end: BaseEnd, path: string) => void): number | string;
  /** Stops what start() began and deletes its file; `done` is not called. Returns the process id of who wrote. */
  kill(): number;
}

/** The signal by which a server ends its own child, which is no failure. */
const SIGUSR1 = 10;

export class AofRewrite {
  readonly limit: RewriteLimit;
  /** Rewrites since the start. */
  count = 0;
  /** Has the last one failed? */
  failed = false;
  /** One is to begin as soon as possible. */
  scheduled = false;
  /** Seconds that the last one took; -1: there was none. */
  lastSeconds = -1;
  /** Bytes of the log when it was rewritten last, or of its base when it was loaded. */
  baseBytes = 0;
  readonly #engine: Engine;
  readonly #log: AofLog;
  readonly #base: BaseWriter;
  /** When the one that runs began, microseconds; negative: none runs. */
  #startUs = -1;
  /** The log could not go over to another file. */
  #refused = false;

  constructor(engine: Engine, log: AofLog, base: BaseWriter) {
    this.#engine = engine;
    this.#log = log;
    this.#base = base;
    this.limit = new RewriteLimit(engine);
  }

  get isRunning(): boolean {
    return this.#startUs >= 0;
  }

  /** Is anything written in the background, be it a rewrite or a snapshot? */
  get childIsActive(): boolean {
    return this.isRunning || this.#base.isSaving;
  }

  /** Is a snapshot being saved? */
  get isSaving(): boolean {
    return this.#base.isSaving;
  }

  /** Seconds that the one that runs has taken; -1: none runs. */
  get currentSeconds(): number {
    return this.isRunning ? this.#elapsedSeconds() : -1;
  }

  #elapsedSeconds(): number {
    return Math.floor((this.#engine.clock.monotonicUs() - this.#startUs) / 1e6);
  }

  /** Begins one; false, and the reason is in the log, when that failed. */
  start(): boolean {
    const { log, config, clock } = this.#engine;
    if (this.childIsActive) return false;
    if (!this.#log.directory.create()) {
      this.failed = true;
      return false;
    }
    this.count++;
    this.#refused = false;
    const format = config.values.aofUseRdbPreamble ? "rdb" : "aof";
    const pid = this.#base.start(
      format,
      () => this.#begin(),
      (end, path) => this.#done(end, path, format),
    );
    if (typeof pid === "string" || this.#refused) {
      this.failed = true;
      if (typeof pid === "string") log.warning(`Can't rewrite append only file in background: fork: ${pid}`);
      return false;
    }
    log.notice(`Background append only file rewriting started by pid ${pid}`);
    this.scheduled = false;
    this.#startUs = clock.monotonicUs();
    return true;
  }

  /** The data set is about to be written as it is now. */
  #begin(): boolean {
    this.#refused = !this.#log.beginRewrite();
    return !this.#refused;
  }

  /** Stops the one that runs. */
  kill(): void {
    if (!this.isRunning) return;
    const pid = this.#base.kill();
    this.#engine.log.notice(`Killing running AOF rewrite child: ${pid}`);
    this.#startUs = -1;
  }

  #done(end: BaseEnd, path: string, format: BaseFormat): void {
    const { log } = this.#engine;
    let ok = false;
    let counts = true;
    // It could not even begin, and start() has said so.
    if (!this.isRunning) return;
    if ("signal" in end) {
      counts = end.signal !== SIGUSR1 || this.#refused;
      log.warning(`Background AOF rewrite terminated by signal ${end.signal}`);
    } else if (end.status !== 0) {
      log.warning("Background AOF rewrite terminated with error");
    } else {
      log.notice("Background AOF rewrite terminated with success");
      ok = this.#log.finishRewrite(path, format);
    }
    this.lastSeconds = this.#elapsedSeconds();
    this.#startUs = -1;
    if (ok) this.#succeeded();
    else this.#failed(path, counts);
  }

  #succeeded(): void {
    this.failed = false;
    this.limit.failures = 0;
    if (this.#log.state !== "off") this.baseBytes = this.#log.currentBytes;
  }

  #failed(path: string, counts: boolean): void {
    if (counts) {
      this.failed = true;
      this.limit.failures++;
    }
    removeFile(path);
    this.#log.rewriteFailed();
    // A log that waits for its base tries again.
    if (this.#log.state === "waiting") this.scheduled = true;
  }

  /** Begins what is scheduled, or what the growth of the log calls for. Called by the cron. */
  tend(): void {
    if (this.childIsActive) return;
    if (this.scheduled && !this.limit.holds) this.start();
    if (this.childIsActive || this.#log.state !== "on") return;
    const { log, config } = this.#engine;
    const { autoAofRewritePercentage, autoAofRewriteMinSize } = config.values;
    const bytes = this.#log.currentBytes;
    if (autoAofRewritePercentage === 0 || bytes <= autoAofRewriteMinSize) return;
    const growth = Math.floor((bytes * 100) / (this.baseBytes === 0 ? 1 : this.baseBytes)) - 100;
    if (growth < autoAofRewritePercentage || this.limit.holds) return;
    log.notice(`Starting automatic rewriting of AOF on ${growth}% growth`);
    this.start();
  }
}
