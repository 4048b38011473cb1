/**
 * How a server ends: by SHUTDOWN or a signal, at once or after waiting for those who are not ready, unless somebody must object.
 *
 * States: idle -> requested (a signal came; begins with the next run of the cron) -> waiting (steps are not ready) -> finishing (steps do what remains; nobody
 * is served) -> the end, or idle again.
 */
import { ShutdownFlag } from "../../config/settings/settings-process.ts";
import { Pause } from "../../engine/client/client-pause.ts";
import type { Engine } from "../../engine/engine.ts";
import type { ShutdownOptions } from "../../engine/ports.ts";

/** Something that has a say in the end of the server, such as saving the data set, or replicas that lag behind. */
export interface ShutdownStep {
  /** Is there nothing to wait for? Asked again and again until shutdown-timeout is over. */
  readonly isReady?: () => boolean;
  /** Does what remains to be done, at once or later. False, with the reason in the log: the server must not end, unless it is forced to. */
  readonly finish?: (options: ShutdownOptions) => boolean | Promise<boolean>;
}

/** What Shutdown needs of its surroundings. */
export interface ShutdownSurroundings {
  /** A shutdown begins. */
  readonly begun: () => void;
  /** Everything is done: ends the process. Does not return in a real server. */
  readonly end: () => void;
  /** Ends the process in the middle of everything. */
  readonly endNow: () => void;
}

/** Shutdown of one server. */
export class Shutdown {
  readonly #engine: Engine;
  readonly #surroundings: ShutdownSurroundings;
  readonly #steps: ShutdownStep[] = [];
  /** The signal that asked for the end, until it is served. */
  #requestedBy: "SIGTERM" | "SIGINT" | null = null;
  /** How the shutdown that waits was asked for. */
  #options: ShutdownOptions | null = null;
  #deadlineMs = 0;
  /** Steps are finishing. */
  #finishing = false;
  /** Who wants to know when a shutdown that waits has failed. */
  #finished: (() => void)[] = [];

  constructor(engine: Engine, surroundings: ShutdownSurroundings) {
    this.#engine = engine;
    this.#surroundings = surroundings;
  }

  /** Adds a step; they are asked in this order. */
  addStep(step: ShutdownStep): void {
    this.#steps.push(step);
  }

  /** A signal asks for the end. The second SIGINT is somebody who does not want to wait. */
  receive(signal: "SIGTERM" | "SIGINT"): void {
    const { log } = this.#engine;
    if (signal === "SIGINT" && this.#requestedBy !== null) {
      log.warning("You insist... exiting now.");
      this.#surroundings.endNow();
      return;
    }
    log.warning(`Received ${signal} scheduling shutdown...`);
    this.#requestedBy = signal;
    setTimeout(() => this.tend(), 0);
  }

  /** Begins what a signal asked for, and goes on with what waits. Called by the cron. */
  tend(): void {
    const { debug } = this.#engine;
    if (debug.cronPaused || debug.frozen || this.#finishing) return;
    if (this.#options !== null) {
      if (this.#engine.nowMs() >= this.#deadlineMs || this.#isReady()) this.#finish(this.#options);
    } else if (this.#requestedBy !== null) {
      this.begin(this.#optionsOf(this.#requestedBy), () => {});
    }
  }

  #optionsOf(signal: "SIGTERM" | "SIGINT"): ShutdownOptions {
    const { shutdownOnSigint, shutdownOnSigterm } = this.#engine.config.values;
    const flags = signal === "SIGINT" ? shutdownOnSigint : shutdownOnSigterm;
    const save = (flags & ShutdownFlag.Save) !== 0 ? true : (flags & ShutdownFlag.NoSave) !== 0 ? false : null;
    return {
      save,
      now: (flags & ShutdownFlag.Now) !== 0,
      force: (flags & ShutdownFlag.Force) !== 0,
      safe: false,
    };
  }

  /** As ProcessPort.shutdown. */
  begin(options: ShutdownOptions, finished: () => void): "failed" | "waiting" {
    const { log, config, pause } = this.#engine;
    if (this.#options !== null || this.#finishing) {
      this.#finished.push(finished);
      return "waiting";
    }
    log.notice("User requested shutdown...");
    this.#surroundings.begun();
    const waitMs = config.values.shutdownTimeout * 1000;
    if (options.now || waitMs === 0 || this.#isReady()) {
      const outcome = this.#finish(options);
      if (this.#finishing) this.#finished.push(finished);
      return outcome;
    }
    this.#options = options;
    this.#deadlineMs = this.#engine.nowMs() + waitMs;
    this.#finished.push(finished);
    pause.start(Pause.Writes, Number.POSITIVE_INFINITY);
    log.notice("Waiting for replicas before shutting down.");
    return "waiting";
  }

  #isReady(): boolean {
    return this.#steps.every((step) => step.isReady?.() ?? true);
  }

  /** Goes through the steps from number `first` on. */
  #finish(options: ShutdownOptions, first = 0): "failed" | "waiting" {
    for (let i = first; i < this.#steps.length; i++) {
      const result = this.#steps[i].finish?.(options) ?? true;
      if (result instanceof Promise) {
        this.#finishLater(options, result, i);
        return "waiting";
      }
      if (!result && !options.force) return this.#fail();
    }
    this.#requestedBy = null;
    this.#options = null;
    this.#finishing = false;
    this.#surroundings.end();
    return "waiting";
  }

  /** A step takes its time. What clients were told from now on would be lost: nobody is served. */
  #finishLater(options: ShutdownOptions, result: Promise<boolean>, step: number): void {
    this.#finishing = true;
    this.#engine.pause.start(Pause.All, Number.POSITIVE_INFINITY);
    void result.then((ok) => {
      if (ok || options.force) this.#finish(options, step + 1);
      else this.#fail();
    });
  }

  #fail(): "failed" {
    this.#engine.log.warning("Errors trying to shut down the server. Check the logs for more information.");
    this.#cancel();
    return "failed";
  }

  /** Milliseconds that it waits at most from now on, negative when it is late; null: it does not wait. */
  get waitsMs(): number | null {
    return this.#options === null ? null : this.#deadlineMs - this.#engine.nowMs();
  }

  /** Stops a shutdown that was asked for by a signal or that waits; false when there is none. */
  abort(): boolean {
    if (this.#finishing || (this.#options === null && this.#requestedBy === null)) return false;
    this.#cancel();
    this.#engine.log.notice("Shutdown manually aborted.");
    return true;
  }

  #cancel(): void {
    const waited = this.#options !== null || this.#finishing;
    this.#finishing = false;
    this.#options = null;
    this.#requestedBy = null;
    if (waited) this.#engine.pause.end();
    for (const finished of this.#finished.splice(0)) finished();
  }
}
