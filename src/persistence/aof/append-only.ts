/** The append-only file of a server as the rest of the server meets it: commands, settings, INFO, the cron, start and end. */

import type { Engine } from "../../engine/engine.ts";
import { updateDiskGate } from "../../engine/gates/disk-gate.ts";
import type { AppendOnlyPort, ShutdownOptions } from "../../engine/ports.ts";
import type { Loading } from "../loading.ts";
import { AofLoad, type LoadResult, type OpenSnapshot } from "./aof-load.ts";
import { AofLog } from "./aof-log.ts";
import { AofRewrite, type BaseWriter } from "./aof-rewrite.ts";

/** What an append-only file needs of others. */
export interface AppendOnlyParts {
  readonly engine: Engine;
  readonly loading: Loading;
  readonly openSnapshot: OpenSnapshot;
  readonly base: BaseWriter;
  /** Ends the process. */
  readonly exit: (status: number) => never;
}

export class AppendOnly implements AppendOnlyPort {
  readonly log: AofLog;
  readonly rewriting: AofRewrite;
  readonly #parts: AppendOnlyParts;
  readonly #engine: Engine;

  /** Becomes the engine's append-only file. */
  constructor(parts: AppendOnlyParts) {
    const { engine, exit } = parts;
    this.#parts = parts;
    this.#engine = engine;
    this.log = new AofLog(engine, {
      childIsActive: () => this.rewriting.childIsActive,
      exit: () => exit(1),
    });
    this.rewriting = new AofRewrite(engine, this.log, parts.base);
    engine.appendOnly = this;
    engine.commit = () => this.log.writer.commit();
    engine.memory.setPart("append-only-buffer", () => this.log.writer.bufferedBytes);
    engine.config.onApply("appendonly", () => this.#applySetting());
    engine.config.onApply("aof-disable-auto-gc", () => {
      this.log.directory.deleteHistory(this.log.manifest);
      return null;
    });
    this.#addInfo();
  }

  get isEnabled(): boolean {
    return this.log.state !== "off";
  }

  get syncedOffset(): number {
    // What is on disk of a log that has no base yet is of no use.
    return this.log.state === "waiting" ? -1 : this.log.writer.syncedOffset;
  }

  /** Why writes are refused; null when they are not. */
  get writeProblem(): string | null {
    const { writer } = this.log;
    return this.isEnabled ? (writer.writeError ?? writer.syncError) : null;
  }

  #addInfo(): void {
    const { log, rewriting } = this;
    const { writer } = log;
    this.#engine.info.add({
      fields: {
        aof_enabled: () => Number(this.isEnabled),
        aof_rewrite_in_progress: () => Number(rewriting.isRunning),
        aof_rewrite_scheduled: () => Number(rewriting.scheduled),
        aof_last_rewrite_time_sec: () => rewriting.lastSeconds,
        aof_current_rewrite_time_sec: () => rewriting.currentSeconds,
        aof_last_bgrewrite_status: () => (rewriting.failed ? "err" : "ok"),
        aof_rewrites: () => rewriting.count,
        aof_rewrites_consecutive_failures: () => rewriting.limit.failures,
        aof_last_write_status: () => (writer.writeError === null && writer.syncError === null ? "ok" : "err"),
        aof_current_size: () => log.currentBytes,
        aof_base_size: () => rewriting.baseBytes,
        aof_pending_rewrite: () => Number(rewriting.scheduled),
        aof_buffer_length: () => writer.bufferedBytes,
        aof_pending_bio_fsync: () => Number(writer.isSyncing),
        aof_delayed_fsync: () => writer.delayedSyncs,
      },
      reset: () => {
        writer.delayedSyncs = 0;
      },
    });
  }

  // ---- the start and the end

  /** Reads the manifest: part of every start, log or no log. False, and the reason is in the log, when the server must not start. */
  readManifest(): boolean {
    return this.log.readManifest();
  }

  /** Loads the log of a server that has it switched on, others' events in between, and goes on with it. `done(false)`: the reason is in the log, the server must not start. */
  startUp(done: (ok: boolean) => void): void {
    const { log, clock } = this.#engine;
    const startUs = clock.monotonicUs();
    if (!this.log.upgrade()) {
      done(false);
      return;
    }
    this.#load(false, (result) => {
      forgetCommands(this.#engine);
      if (result === "loaded")
        log.notice(`DB loaded from append only file: ${((clock.monotonicUs() - startUs) / 1e6).toFixed(3)} seconds`);
      done(result !== "failed" && this.log.openAtStart((path, format) => this.#parts.base.writeNow(path, format)));
    });
  }

  #load(atOnce: boolean, done: (result: LoadResult) => void): void {
    const { loading, openSnapshot } = this.#parts;
    const load = new AofLoad(this.#engine, this.log.directory, loading, openSnapshot, this.log.manifest);
    const finish = (): void => {
      const result = load.result as LoadResult;
      if (result !== "failed") {
        this.rewriting.baseBytes = load.baseBytes;
        this.log.remeasure(load.totalBytes);
      }
      done(result);
    };
    if (!load.begin()) {
      finish();
    } else if (atOnce) {
      loading.runAtOnce((endUs) => load.step(endUs));
      finish();
    } else {
      loading.run((endUs) => load.step(endUs), finish);
    }
  }

  /** The last chance to write. False, with the reason in the log, when the server should not end yet. */
  shutdown(options: ShutdownOptions): boolean {
    if (!this.isEnabled) return true;
    const { log } = this.#engine;
    if (this.rewriting.isRunning) {
      if (this.log.state === "waiting") {
        if (!options.force) {
          log.warning("Writing initial AOF, can't exit.");
          return false;
        }
        log.warning("Writing initial AOF. Exit anyway.");
      }
      log.warning("There is a child rewriting the AOF. Killing it!");
      this.rewriting.kill();
    }
    log.notice("Calling fsync() on the AOF file.");
    this.log.writer.flush(true);
    this.log.writer.sync();
    return true;
  }

  /** What time asks for: writes that were put off, syncs, rewrites. Called by the cron. */
  cron(): void {
    if (this.#parts.loading.isActive) return;
    this.log.writer.flush(false);
    this.rewriting.tend();
  }

  // ---- settings and commands

  #applySetting(): string | null {
    const { appendonly } = this.#engine.config.values;
    if (appendonly === this.isEnabled) return null;
    if (!appendonly) {
      this.#switchOff();
      return null;
    }
    return this.#switchOn() ? null : "Unable to turn on AOF. Check server logs.";
  }

  #switchOn(): boolean {
    const { rewriting } = this;
    const { log, depth } = this.#engine;
    this.log.state = "waiting";
    this.log.writer.forgetErrors();
    if (rewriting.isSaving || depth > 1) {
      rewriting.scheduled = true;
      log.notice(
        rewriting.isSaving
          ? "AOF was enabled but there is already another background operation. An AOF background was scheduled to start when possible."
          : "AOF was enabled during a transaction. An AOF background was scheduled to start when possible.",
      );
      return true;
    }
    if (rewriting.isRunning) {
      log.notice(
        "AOF was enabled but there is already an AOF rewriting in background. Stopping background AOF and starting a rewrite now.",
      );
      rewriting.kill();
    }
    if (rewriting.start()) return true;
    this.log.state = "off";
    log.warning(
      "The server needs to enable the AOF but can't trigger a background AOF rewrite operation. Check the above logs for more info about the error.",
    );
    return false;
  }

  #switchOff(): void {
    const { rewriting } = this;
    this.log.switchOff();
    updateDiskGate(this.#engine);
    if (rewriting.scheduled) {
      rewriting.scheduled = false;
      this.#engine.log.notice("AOF was disabled but there is a scheduled AOF background, cancel it.");
    }
    rewriting.kill();
  }

  /** The data set is about to be replaced as a whole, by a primary's: the log ends, and restart() is to follow. The setting stays. */
  suspend(): void {
    if (this.isEnabled) this.#switchOff();
  }

  /** Begins a new log after suspend(), if there is to be one; false, and the reason is in the log, when that failed. */
  restart(): boolean {
    return this.isEnabled || !this.#engine.config.values.appendonly || this.#switchOn();
  }

  rewrite(): "started" | "scheduled" | "busy" | "failed" {
    const { rewriting } = this;
    if (rewriting.isRunning) return "busy";
    if (rewriting.isSaving || this.#engine.depth > 1) {
      rewriting.scheduled = true;
      rewriting.limit.failures = 0;
      this.#engine.log.notice("Background append only file rewriting scheduled.");
      return "scheduled";
    }
    return rewriting.start() ? "started" : "failed";
  }

  reload(atOnce: boolean, done: (ok: boolean) => void): void {
    const engine = this.#engine;
    if (this.isEnabled) this.log.writer.flush(true);
    engine.keyspace.flush(-1, false);
    if (!this.log.readManifest()) {
      done(false);
      return;
    }
    this.log.directory.deleteHistory(this.log.manifest);
    this.#load(atOnce, (result) => {
      const ok = result === "loaded" || result === "empty";
      if (ok) {
        engine.dirty = 0;
        engine.log.notice("Append Only File loaded by DEBUG LOADAOF");
      }
      done(ok);
    });
  }
}

/** The commands of the log are no work that a server has done for clients: statistics begin behind them. */
function forgetCommands({ commands, stats, keyspace }: Engine): void {
  for (const spec of commands.loaded()) {
    for (const each of [spec, ...(spec.subcommands?.values() ?? [])]) {
      each.calls = 0;
      each.usec = 0;
      each.failedCalls = 0;
      each.rejectedCalls = 0;
      each.histogram = null;
    }
  }
  stats.commandsProcessed = 0;
  stats.commandsUs = 0;
  keyspace.hits = 0;
  keyspace.misses = 0;
}
