/**
 * Snapshots of the data set on disk, as a server has them: SAVE and BGSAVE, the points of the setting `save`, what SHUTDOWN and FLUSHALL do about them, loading
 * at the start, and what INFO tells of all that.
 */
import { closeSync, fstatSync, openSync } from "node:fs";
import { errnoCode, errnoText } from "../config/errno.ts";
import type { Engine } from "../engine/engine.ts";
import { updateDiskGate } from "../engine/gates/disk-gate.ts";
import type { PersistencePort, ShutdownOptions } from "../engine/ports.ts";
import type { ChildSlot } from "./child/child-slot.ts";
import { pathBytes } from "./disk.ts";
import type { Loading, SliceResult } from "./loading.ts";
import { persistenceInfo } from "./persistence-info.ts";
import { checkRdb } from "./rdb/rdb-check.ts";
import { RdbFileLoad, type RdbLoadOptions, type RdbLoadStats } from "./rdb/rdb-load.ts";
import {
  type AuxSource,
  type BackgroundOptions,
  BackgroundSave,
  type SaveOutcome,
  SlicedSave,
  saveNow,
} from "./rdb/rdb-save.ts";
import type { Snapshot } from "./snapshot/snapshot.ts";
import { copiedBytes } from "./snapshot/snapshot-format.ts";

/** How long a save point waits after a save that failed. */
const RETRY_SECONDS = 5;

/** What the parts of persistence share. */
export interface PersistenceParts {
  readonly snapshot: Snapshot;
  readonly slot: ChildSlot;
  readonly loading: Loading;
  /** Ends the process: the data set on disk is no good. */
  readonly exit: () => never;
}

/** How loading a file has ended. */
export type LoadOutcome = "loaded" | "missing" | "failed";

export class Persistence implements PersistencePort {
  readonly background: BackgroundSave;
  /** BGSAVEs that were begun. */
  saves = 0;
  /** Did the last save fail? */
  saveFailed = false;
  /** Seconds that the last BGSAVE took; -1: there was none. */
  lastSaveTook = -1;
  /** Of the last save in the background. */
  lastCopiedBytes = 0;
  peakCopiedBytes = 0;
  /** Of the last file that was loaded. */
  lastLoad: RdbLoadStats = { keysLoaded: 0, keysExpired: 0, emptyKeys: 0 };
  /** Bytes of memory that the data set took when the file that is being loaded was made; 0: unknown. */
  loadingUsedMemory = 0;
  /** Facts about replication for the header of a file. */
  replicationAux: AuxSource = () => [];
  /** Is told of the facts in the header of the file that a server starts with. */
  onStartAux: (name: string, value: string) => void = () => {};
  /** Is told of keys in that file which have expired. */
  onStartExpired: (dbId: number, key: Uint8Array) => void = () => {};
  /** Is told of the end of each save in the background. */
  onSaveEnded: (outcome: SaveOutcome) => void = () => {};
  /** Is told when the data set is about to be emptied. */
  onFlushAll: () => void = () => {};
  readonly #engine: Engine;
  readonly #parts: PersistenceParts;
  /** A BGSAVE is to begin as soon as no other child process runs. */
  #scheduled = false;
  /** The save of a server that ends. */
  #final: SlicedSave | null = null;
  #lastTrySeconds = 0;
  #startedSeconds = 0;

  /** Becomes the engine's persistence. */
  constructor(engine: Engine, parts: PersistenceParts) {
    this.#engine = engine;
    this.#parts = parts;
    this.background = new BackgroundSave({ engine, ...parts }, (outcome) => this.#saveEnded(outcome));
    engine.persistence = this;
    engine.info.add(persistenceInfo(engine, this, parts));
    engine.config.onApply(["save", "stop-writes-on-bgsave-error"], () => {
      updateDiskGate(engine);
      return null;
    });
  }

  get #nowSeconds(): number {
    return Math.floor(this.#engine.clock.nowMs() / 1000);
  }

  /** Process id of the child at work, or -1. */
  get childPid(): number {
    return this.#parts.slot.pid;
  }

  /** Seconds that the BGSAVE in progress has taken; -1: none is. */
  get currentSaveSeconds(): number {
    return this.background.isActive ? this.#nowSeconds - this.#startedSeconds : -1;
  }

  get #fileName(): string {
    return this.#engine.config.values.dbfilename;
  }

  readonly #aux: AuxSource = () => this.replicationAux();

  // ---- saving

  save(): "saved" | "busy" | "failed" {
    if (this.background.isActive) return "busy";
    return this.#saveNow() ? "saved" : "failed";
  }

  #saveNow(): boolean {
    this.saves++;
    if (!saveNow(this.#engine, this.#fileName, this.#aux())) return false;
    this.#saved();
    return true;
  }

  #saved(): void {
    const { log, stats } = this.#engine;
    log.notice("DB saved on disk");
    this.#engine.dirty = 0;
    stats.lastSaveSeconds = this.#nowSeconds;
    this.#setFailed(false);
  }

  #setFailed(failed: boolean): void {
    this.saveFailed = failed;
    updateDiskGate(this.#engine);
  }

  backgroundSave(schedule: boolean, atomic: boolean): "started" | "scheduled" | "busy" | "blocked" | "failed" {
    if (this.background.isActive || this.#parts.slot.kind === "replicas") return "busy";
    if (!this.#parts.slot.isActive && !atomic) return this.#start() ? "started" : "failed";
    if (!schedule && !atomic) return "blocked";
    const when = schedule ? "due to user request" : "to run after transaction execution";
    this.#engine.log.notice(`Background saving scheduled ${when}`);
    this.#scheduled = true;
    return "scheduled";
  }

  /** Begins a save in the background for replicas. No child process must run. False, and the reason is in the log, when that failed. */
  saveForReplicas(options: BackgroundOptions): boolean {
    return this.#start(options);
  }

  #start(options: BackgroundOptions = {}): boolean {
    this.saves++;
    this.#lastTrySeconds = this.#nowSeconds;
    this.#startedSeconds = this.#nowSeconds;
    const started = this.background.start(this.#fileName, this.#aux, options);
    if (!started) this.#setFailed(true);
    return started;
  }

  #saveEnded(outcome: SaveOutcome): void {
    const { stats } = this.#engine;
    const bytes = copiedBytes(this.#parts.snapshot.progress);
    this.lastSaveTook = this.#nowSeconds - this.#startedSeconds;
    this.lastCopiedBytes = bytes;
    this.peakCopiedBytes = Math.max(this.peakCopiedBytes, bytes);
    if (outcome === "saved") {
      this.#engine.dirty -= this.background.dirtyBefore;
      stats.lastSaveSeconds = this.#nowSeconds;
      this.#setFailed(false);
    } else if (outcome === "failed") {
      this.#setFailed(true);
    }
    this.onSaveEnded(outcome);
  }

  cancelBackgroundSave(): "cancelled" | "unscheduled" | "idle" {
    const { log } = this.#engine;
    if (this.background.isActive) {
      log.notice("Background saving will be aborted due to user request");
      this.background.stop();
      return "cancelled";
    }
    if (!this.#scheduled) return "idle";
    log.notice("Scheduled background saving will be cancelled due to user request");
    this.#scheduled = false;
    return "unscheduled";
  }

  /** Begins a BGSAVE when a save point is reached, or one was scheduled. Called by the cron. */
  tend(): void {
    const { config, dirty, stats, log } = this.#engine;
    if (this.#parts.slot.isActive || this.#parts.loading.isActive) return;
    const mayTry = !this.saveFailed || this.#nowSeconds - this.#lastTrySeconds > RETRY_SECONDS;
    if (!mayTry) return;
    for (const { changes, seconds } of config.values.save) {
      if (dirty < changes || this.#nowSeconds - stats.lastSaveSeconds <= seconds) continue;
      log.notice(`${changes} changes in ${seconds} seconds. Saving...`);
      this.#start();
      return;
    }
    if (this.#scheduled && this.#start()) this.#scheduled = false;
  }

  writeDenial(): string | null {
    const { config } = this.#engine;
    const { stopWritesOnBgsaveError, save } = config.values;
    if (!stopWritesOnBgsaveError || save.length === 0 || !this.saveFailed) return null;
    const { title } = config.announced;
    return `MISCONF ${title} is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that may modify the data set are disabled, because this instance is configured to report errors during writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). Please check the ${title} logs for details about the RDB error.`;
  }

  beforeFlushAll(): void {
    this.onFlushAll();
    this.background.stop();
  }

  afterFlushAll(): boolean {
    return this.#engine.config.values.save.length > 0 && !this.#parts.loading.isActive && this.#saveNow();
  }

  /**
   * What remains to be done when the server ends: at once, or, when the data set is saved, later. False, with the reason in the log: it must not end. No other
   * snapshot may be in progress.
   */
  shutDown(options: ShutdownOptions): boolean | Promise<boolean> {
    const { log, config } = this.#engine;
    if (this.background.isActive) {
      log.warning("There is a child saving an .rdb. Killing it!");
      this.background.stopNow();
    }
    const wants = options.save ?? config.values.save.length > 0;
    if (!wants || this.#parts.loading.isActive) return true;
    log.notice("Saving the final RDB snapshot before exiting.");
    return new Promise((resolve) => {
      this.#final = new SlicedSave({ engine: this.#engine, ...this.#parts }, this.#fileName, this.#aux(), (ok) => {
        this.#final = null;
        if (ok) this.#saved();
        else log.warning("Error trying to save the DB, can't exit.");
        resolve(ok);
      });
    });
  }

  /** The process ends in the middle of everything: leaves nothing behind that is of no use. */
  leave(): void {
    this.#final?.discard();
    this.background.stopNow();
  }

  // ---- loading

  /**
   * Loads the data set that a server starts with, others' events in between. `done(false)`: the reason is in the log, and the server must not start. It is
   * called within this call when there is nothing to load.
   */
  startUp(done: (ok: boolean) => void): void {
    const { log, clock } = this.#engine;
    const startUs = clock.monotonicUs();
    // A replica leaves it to its primary to delete what has expired.
    const keepsExpired = this.#engine.config.values.replicaof !== null;
    const { onStartAux: onAux, onStartExpired: onExpired } = this;
    this.#load({ replaces: false, keepsExpired, onAux, onExpired }, false, (outcome) => {
      if (outcome === "loaded")
        log.notice(`DB loaded from disk: ${((clock.monotonicUs() - startUs) / 1e6).toFixed(3)} seconds`);
      if (outcome === "failed") log.warning("Fatal error loading the DB, check server logs. Exiting.");
      done(outcome !== "failed");
    });
  }

  /** Loads the file that a primary has sent, others' events in between; whatever is wrong with it is in the log when `ok` is false. */
  loadReceived(onAux: (name: string, value: string) => void, done: (ok: boolean) => void): void {
    const options: RdbLoadOptions = { replaces: false, keepsExpired: true, isForgiven: true, onAux };
    this.#load(options, false, (outcome) => done(outcome === "loaded"));
  }

  reload(options: { readonly save: boolean; readonly flush: boolean; readonly merge: boolean }): boolean {
    const { keyspace, log } = this.#engine;
    if (options.save && !this.#saveNow()) return false;
    if (options.flush) {
      this.#engine.watches.touchAll(-1, null);
      this.background.stop();
      keyspace.flush(-1, false);
    }
    let loaded = false;
    this.#load({ replaces: options.merge, keepsExpired: false }, true, (outcome) => {
      loaded = outcome === "loaded";
    });
    if (loaded) log.notice("DB reloaded by DEBUG RELOAD");
    return loaded;
  }

  /** Loads the file. `done` is called at its end: within this call when `atOnce`. A file that cannot be right ends the process. */
  #load(options: RdbLoadOptions, atOnce: boolean, done: (outcome: LoadOutcome) => void): void {
    const { log } = this.#engine;
    const { loading } = this.#parts;
    const name = this.#fileName;
    let fd: number;
    try {
      fd = openSync(pathBytes(name), "r");
    } catch (error) {
      if (errnoCode(error) === "ENOENT") {
        done("missing");
        return;
      }
      log.warning(`Fatal error: can't open the RDB file ${name} for reading: ${errnoText(error)}`);
      done("failed");
      return;
    }
    loading.start(fstatSync(fd).size);
    const load = new RdbFileLoad(this.#engine, fd, { ...options, onAux: (n, v) => this.#aboutFile(options, n, v) });
    let outcome: LoadOutcome = "failed";
    const step = (endUs: number): SliceResult => {
      const state = load.step(endUs);
      loading.progress(load.offset);
      if (state === "more") return "more";
      if (typeof state === "number") return { pauseMs: state };
      if (load.isFatal) this.#showFault(fd, name);
      closeSync(fd);
      loading.finish();
      this.lastLoad = load.stats;
      this.loadingUsedMemory = 0;
      if (state === "done") outcome = "loaded";
      else if (load.isFatal) this.#parts.exit();
      return "done";
    };
    if (atOnce) {
      loading.runAtOnce(step);
      done(outcome);
    } else {
      loading.run(step, () => done(outcome));
    }
  }

  /** Puts into the log what a check of the file says, before the process ends: where the fault is, and in which key. */
  #showFault(fd: number, name: string): void {
    const { log, config } = this.#engine;
    checkRdb(fd, name, config.personality.rdbVersionMax, (text) => log.raw("warning", text));
  }

  #aboutFile(options: RdbLoadOptions, name: string, value: string): void {
    if (name === "used-mem") this.loadingUsedMemory = Number(value) || 0;
    options.onAux?.(name, value);
  }
}
