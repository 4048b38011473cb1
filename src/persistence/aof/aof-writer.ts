/**
 * Appends commands to the file of the log that is being written, and syncs it as appendfsync says.
 *
 * Commands collect in a buffer; commit(), at the end of each turn and before its replies leave, writes them with one call:
 *
 *   always     ... and syncs the file: one sync for all clients of the turn
 *   everysec   ... and has the file synced in the background once a second. While such a sync runs, a write would have to wait for it: it is put off for
 *              up to two seconds
 *   no         ... and leaves the rest to the system
 *
 * Invariants: size is the length of the file as far as this writer made it, syncedSize <= size; engine.holdsReplies is set whenever the buffer has grown
 * since the last commit().
 */
import { closeSync, fdatasync, fdatasyncSync, ftruncateSync, writeSync } from "node:fs";
import { errnoCode, errnoText } from "../../config/errno.ts";
import type { Engine } from "../../engine/engine.ts";
import { updateDiskGate } from "../../engine/gates/disk-gate.ts";
import { type PropagationSink, Target } from "../../engine/propagation.ts";
import { CommandBuffer } from "./command-buffer.ts";

const POSTPONED_MAX_MS = 2000;
const SYNC_PERIOD_MS = 1000;
/** Errors are logged at most once in this time. */
const ERROR_LOG_PERIOD_MS = 30_000;

/** What a writer asks of its surroundings. */
export interface WriterSurroundings {
  /** Is a child process saving? */
  readonly childIsActive: () => boolean;
  /** Ends the process: what clients have seen can no longer be kept. */
  readonly exit: () => never;
}

export class AofWriter implements PropagationSink {
  readonly targets = Target.Aof;
  /** Bytes written to the file, and how many of them are known to be on disk. */
  size = 0;
  syncedSize = 0;
  /** Writes that could not wait for a sync any longer. */
  delayedSyncs = 0;
  /** Why the last write failed; null when it did not. */
  writeError: string | null = null;
  /** Why the last sync in the background failed; null when it did not. */
  syncError: string | null = null;
  /** The replication offset now, and the one whose effects are known to be on disk. */
  replicationOffset: () => number = () => 0;
  syncedOffset = 0;
  /** Called when syncedOffset has grown. */
  onSynced: () => void = () => {};

  readonly #engine: Engine;
  readonly #surroundings: WriterSurroundings;
  #fd = -1;
  readonly #buffer = new CommandBuffer();
  #lastSyncMs = 0;
  /** When a write was put off first; 0: none is. */
  #postponedMs = 0;
  /** A sync of the current file runs in the background. */
  #syncing = false;
  /** Which file is being written: counts them. */
  #generation = 0;
  #errorLoggedMs = Number.NEGATIVE_INFINITY;

  constructor(engine: Engine, surroundings: WriterSurroundings) {
    this.#engine = engine;
    this.#surroundings = surroundings;
  }

  get isOpen(): boolean {
    return this.#fd !== -1;
  }

  /** Bytes that wait to be written. */
  get bufferedBytes(): number {
    return this.#buffer.length;
  }

  /** Bytes of memory that the buffer takes. */
  get memoryBytes(): number {
    return this.#buffer.capacity;
  }

  /** Does a sync run in the background? */
  get isSyncing(): boolean {
    return this.#syncing;
  }

  get isPostponed(): boolean {
    return this.#postponedMs !== 0;
  }

  // ---- files

  /** Writes to another file from now on, `size` bytes long so far. What was buffered must have been written; the old file is synced and closed in the background. */
  open(fd: number, size: number): void {
    const old = this.#fd;
    if (old !== -1) {
      fdatasync(old, (error) => {
        if (error !== null) this.#engine.log.warning(`Fail to fsync the AOF file: ${errnoText(error)}`);
        closeSync(old);
      });
      this.#lastSyncMs = this.#engine.nowMs();
    }
    this.#fd = fd;
    this.#generation++;
    this.#syncing = false;
    this.size = size;
    this.syncedSize = size;
    this.#buffer.forgetSelection();
  }

  /** Writes, syncs and closes the file. */
  close(): void {
    if (this.#fd === -1) return;
    this.flush(true);
    this.sync();
    closeSync(this.#fd);
    this.#fd = -1;
    this.#generation++;
    this.#syncing = false;
    this.size = 0;
    this.syncedSize = 0;
    this.discard();
  }

  /** Closes the file as it is; what is buffered is forgotten. */
  abandon(): void {
    if (this.#fd === -1) return;
    this.discard();
    this.close();
  }

  /** The file has become shorter by other hands. */
  resize(size: number): void {
    this.size = size;
    this.syncedSize = Math.min(this.syncedSize, size);
  }

  /** Forgets what is buffered. */
  discard(): void {
    this.#buffer.clear();
    this.#buffer.forgetSelection();
    this.#postponedMs = 0;
  }

  /** Errors so far are no longer of interest: the log begins anew. */
  forgetErrors(): void {
    const { log } = this.#engine;
    this.#lastSyncMs = this.#engine.nowMs();
    if (this.syncError !== null) log.warning("AOF reopen, just ignore the AOF fsync error in bio job");
    if (this.writeError !== null) log.warning("AOF reopen, just ignore the last error.");
    this.syncError = null;
    this.writeError = null;
    updateDiskGate(this.#engine);
  }

  propagate(dbId: number, bytes: Uint8Array, offset: number, length: number): void {
    const engine = this.#engine;
    if (engine.config.values.aofTimestampEnabled) this.#buffer.stamp(Math.floor(engine.nowMs() / 1000));
    this.#buffer.add(dbId, bytes, offset, length);
    if (engine.holdsReplies) return;
    engine.holdsReplies = true;
    engine.scheduleCommit();
  }

  // ---- writing

  /** The end of a turn: afterwards replies may leave. */
  commit(): void {
    const engine = this.#engine;
    engine.holdsReplies = false;
    const startUs = engine.clock.monotonicUs();
    this.flush(false);
    engine.stats.appendOnlyUs += engine.clock.monotonicUs() - startUs;
  }

  /** Writes what is buffered and syncs when it is time to. `force`: a sync in the background is no reason to put that off. */
  flush(force: boolean): void {
    if (this.#fd === -1) return;
    const { appendfsync } = this.#engine.config.values;
    if (this.#buffer.length > 0) {
      const waits = appendfsync === "everysec" && this.#syncing;
      if (waits && !force && this.#postpones()) return;
      if (!this.#write(waits)) return;
    } else if (this.syncedSize === this.size) {
      if (appendfsync !== "no" && !this.#syncing) this.#advance(this.replicationOffset());
      return;
    }
    this.#syncIfDue(appendfsync);
  }

  /** Is a write put off for the sync that runs? */
  #postpones(): boolean {
    const nowMs = this.#engine.nowMs();
    if (this.#postponedMs === 0) {
      this.#postponedMs = nowMs;
      return true;
    }
    if (nowMs - this.#postponedMs < POSTPONED_MAX_MS) return true;
    this.delayedSyncs++;
    this.#engine.log.notice(
      "Asynchronous AOF fsync is taking too long (disk is busy?). Writing the AOF buffer without waiting for fsync to complete, this may slow down the server.",
    );
    return false;
  }

  /** Writes the buffer; false when that failed. */
  #write(waits: boolean): boolean {
    const engine = this.#engine;
    const sleepUs = engine.debug.appendOnlyFlushSleepUs;
    if (sleepUs > 0) Bun.sleepSync(sleepUs / 1000);
    const startUs = engine.clock.monotonicUs();
    let written = 0;
    let failure: unknown = null;
    try {
      const { bytes, length } = this.#buffer;
      while (written < length) written += writeSync(this.#fd, bytes, written, length - written);
    } catch (error) {
      failure = error;
    }
    this.#recordWrite(engine.clock.monotonicUs() - startUs, waits);
    this.#postponedMs = 0;
    if (failure !== null) {
      this.#writeFailed(failure, written);
      return false;
    }
    if (this.writeError !== null) {
      engine.log.notice("AOF write error looks solved. The server can write again.");
      this.writeError = null;
      updateDiskGate(engine);
    }
    this.size += written;
    this.#buffer.clear();
    return true;
  }

  #recordWrite(usec: number, waits: boolean): void {
    const { latency } = this.#engine;
    const ms = usec / 1000;
    if (waits) latency.record("aof-write-pending-fsync", ms);
    else if (this.#surroundings.childIsActive()) latency.record("aof-write-active-child", ms);
    else latency.record("aof-write-alone", ms);
    latency.record("aof-write", ms);
  }

  /** A write failed after `written` bytes. */
  #writeFailed(error: unknown, written: number): void {
    const { log, config, clock } = this.#engine;
    const nowMs = clock.nowMs();
    const logs = nowMs - this.#errorLoggedMs > ERROR_LOG_PERIOD_MS;
    if (logs) this.#errorLoggedMs = nowMs;
    let left = written;
    if (written === 0) {
      if (logs) log.warning(`Error writing to the AOF file: ${errnoText(error)}`);
    } else {
      if (logs)
        log.warning(
          `Short write while writing to the AOF file: (nwritten=${written}, expected=${this.#buffer.length})`,
        );
      left = this.#takeBack(written, logs);
    }
    if (config.values.appendfsync === "always") {
      log.warning("Can't recover from AOF write error when the AOF fsync policy is 'always'. Exiting...");
      this.#surroundings.exit();
    }
    this.writeError = errnoText(error);
    updateDiskGate(this.#engine);
    if (left === 0) return;
    // What stayed in the file must not be written again.
    this.size += left;
    this.#buffer.consume(left);
  }

  /** Cuts an incomplete write off the file. Returns how many bytes of it stayed there. */
  #takeBack(written: number, logs: boolean): number {
    try {
      ftruncateSync(this.#fd, this.size);
      return 0;
    } catch (error) {
      if (logs)
        this.#engine.log.warning(
          `Could not remove short write from the append-only file. The server may refuse to load the AOF the next time it starts.  ftruncate: ${errnoText(error)}`,
        );
      return written;
    }
  }

  // ---- syncing

  #syncIfDue(policy: "always" | "everysec" | "no"): void {
    const { config } = this.#engine;
    if (policy === "no" || (config.values.noAppendfsyncOnRewrite && this.#surroundings.childIsActive())) return;
    if (policy === "always") {
      this.#syncNow();
      return;
    }
    const nowMs = this.#engine.nowMs();
    if (nowMs - this.#lastSyncMs < SYNC_PERIOD_MS && nowMs >= this.#lastSyncMs) return;
    if (!this.#syncing) this.#syncInBackground();
    this.#lastSyncMs = nowMs;
  }

  #syncNow(): void {
    const { log, clock, latency } = this.#engine;
    const startUs = clock.monotonicUs();
    try {
      fdatasyncSync(this.#fd);
    } catch (error) {
      log.warning(
        `Can't persist AOF for fsync error when the AOF fsync policy is 'always': ${errnoText(error)}. Exiting...`,
      );
      this.#surroundings.exit();
    }
    latency.record("aof-fsync-always", (clock.monotonicUs() - startUs) / 1000);
    this.syncedSize = this.size;
    this.#lastSyncMs = this.#engine.nowMs();
    this.#advance(this.replicationOffset());
  }

  #syncInBackground(): void {
    const generation = this.#generation;
    const offset = this.replicationOffset();
    const synced = this.syncedSize;
    this.#syncing = true;
    this.syncedSize = this.size;
    fdatasync(this.#fd, (error) => {
      // Another file is written meanwhile: this one was synced once more before it was closed.
      if (generation !== this.#generation) return;
      this.#syncing = false;
      if (!this.#synced(error, offset)) this.syncedSize = synced;
      if (this.#postponedMs !== 0) this.flush(false);
    });
  }

  /** Takes note of how a sync in the background went; false: it has to be tried again. */
  #synced(error: unknown, offset: number): boolean {
    // Pipes and the like cannot be synced, and need not be.
    const harmless = ["EBADF", "EINVAL"].includes(errnoCode(error));
    if (error === null || harmless) {
      if (this.syncError !== null) {
        this.syncError = null;
        updateDiskGate(this.#engine);
      }
      this.#advance(offset);
      return true;
    }
    if (this.syncError === null) this.#engine.log.warning(`Fail to fsync the AOF file: ${errnoText(error)}`);
    this.syncError = errnoText(error);
    updateDiskGate(this.#engine);
    return false;
  }

  /** Syncs now, whatever the policy; failures are logged. */
  sync(): void {
    if (this.#fd === -1) return;
    try {
      fdatasyncSync(this.#fd);
      this.syncedSize = this.size;
      this.#lastSyncMs = this.#engine.nowMs();
      this.#advance(this.replicationOffset());
    } catch (error) {
      this.#engine.log.warning(`Fail to fsync the AOF file: ${errnoText(error)}`);
    }
  }

  #advance(offset: number): void {
    if (offset === this.syncedOffset) return;
    this.syncedOffset = offset;
    this.onSynced();
  }
}
