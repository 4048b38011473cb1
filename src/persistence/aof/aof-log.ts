/**
 * The log itself: its manifest, its files, and the one that is being written.
 *
 *   off      there is no log
 *   waiting  switched on while the server runs; the first rewrite is not done. Commands that come during that rewrite go to a temporary file, which its
 *            success makes the log's first increment
 *   on       every change goes to the last increment
 *
 * Invariants: the writer is among the engine's sinks exactly while it has a file: always when on, during the rewrite when waiting. The manifest on
 * disk names only files that are complete, or being written.
 */
import { closeSync, renameSync } from "node:fs";
import { errnoText } from "../../config/errno.ts";
import type { Engine } from "../../engine/engine.ts";
import { pathBytes } from "../disk.ts";
import { AofDirectory, isFile } from "./aof-directory.ts";
import { AofWriter, type WriterSurroundings } from "./aof-writer.ts";
import { Manifest, ManifestError } from "./manifest.ts";

/** Format of a base file. */
export type BaseFormat = "rdb" | "aof";

/** Writes the data set to the file `path`, synced, before it returns; an error text, or null. */
export type WriteBase = (path: string, format: BaseFormat) => string | null;

export class AofLog {
  readonly directory: AofDirectory;
  readonly writer: AofWriter;
  state: "off" | "waiting" | "on" = "off";
  manifest = new Manifest();
  /** Bytes of all files that a start would load but the one that is being written. */
  otherBytes = 0;
  readonly #engine: Engine;

  constructor(engine: Engine, surroundings: WriterSurroundings) {
    this.#engine = engine;
    this.directory = new AofDirectory(engine.config, () => engine.log);
    this.writer = new AofWriter(engine, surroundings);
  }

  /** Bytes of all files that a start would load. */
  get currentBytes(): number {
    return this.otherBytes + this.writer.size;
  }

  // ---- the start

  /** Reads the manifest. False, and the reason is in the log, when it is no good. */
  readManifest(): boolean {
    const { log } = this.#engine;
    try {
      this.manifest = this.directory.readManifest();
      return true;
    } catch (error) {
      if (error instanceof ManifestError) {
        for (const line of error.logLines()) log.warning(line);
      } else {
        const path = this.directory.path(this.directory.manifestName);
        log.warning(`Fatal error: can't open the AOF manifest file ${path} for reading: ${errnoText(error)}`);
      }
      return false;
    }
  }

  /** Takes over the single file of an old server, if there is one; false, and the reason is in the log, when that failed. */
  upgrade(): boolean {
    const { directory, manifest } = this;
    const { stem } = directory;
    if (!isFile(stem)) return true;
    // An upgrade may have been interrupted between the manifest and the move.
    const interrupted = manifest.base?.name === stem && manifest.incremental.length === 0 && !directory.has(stem);
    if (directory.exists && !manifest.isEmpty && !interrupted) return true;
    const { log } = this.#engine;
    if (!directory.create()) return false;
    manifest.adoptBase(stem);
    if (!directory.writeManifest(manifest)) return false;
    try {
      renameSync(pathBytes(stem), pathBytes(directory.path(stem)));
    } catch (error) {
      log.warning(`Error trying to move the old AOF file ${stem} into dir ${directory.name}: ${errnoText(error)}`);
      return false;
    }
    log.notice(`Successfully migrated an old-style AOF file (${stem}) into the AOF directory (${directory.name}).`);
    return true;
  }

  /** Makes the files of the log as far as they are missing and opens the last one; false, and the reason is in the log, when that failed. */
  openAtStart(writeBase: WriteBase): boolean {
    const { directory, manifest } = this;
    const { log, config } = this.#engine;
    if (!directory.create()) return false;
    if (manifest.isEmpty) {
      const format = config.values.aofUseRdbPreamble ? "rdb" : "aof";
      const base = manifest.addBase(directory.stem, format);
      const error = writeBase(directory.path(base), format);
      if (error !== null) {
        log.warning(`Write error writing append only file on disk: ${error}`);
        return false;
      }
      this.otherBytes = directory.size(base);
      log.notice(`Creating AOF base file ${base} on server start`);
    }
    const last = manifest.incremental.at(-1);
    const name = last?.name ?? manifest.addIncremental(directory.stem);
    const fd = directory.openForAppend(name, false);
    if (fd === -1 || !directory.writeManifest(manifest)) return false;
    const size = directory.size(name);
    if (last !== undefined) this.otherBytes = Math.max(0, this.otherBytes - size);
    log.notice(`${last === undefined ? "Creating" : "Opening"} AOF incr file ${name} on server start`);
    this.state = "on";
    this.#open(fd, size);
    return true;
  }

  // ---- the file that is being written

  #open(fd: number, size: number): void {
    const { sinks } = this.#engine;
    this.writer.open(fd, size);
    if (!sinks.includes(this.writer)) sinks.push(this.writer);
  }

  #leaveSinks(): void {
    const { sinks } = this.#engine;
    const at = sinks.indexOf(this.writer);
    if (at >= 0) sinks.splice(at, 1);
  }

  /** Ends the log. Its files stay. */
  switchOff(): void {
    this.#leaveSinks();
    this.writer.close();
    if (this.state === "waiting") this.directory.deleteInBackground(this.directory.temporaryIncrementalName);
    this.state = "off";
  }

  /** After loading: the file that is being written may have become shorter. */
  remeasure(totalBytes: number): void {
    const last = this.manifest.incremental.at(-1);
    if (this.state === "on" && last !== undefined) this.writer.resize(this.directory.size(last.name));
    this.otherBytes = Math.max(0, totalBytes - this.writer.size);
  }

  // ---- rewriting

  /** A rewrite begins: from here on changes go to another file. False, and the reason is in the log, when that cannot be. */
  beginRewrite(): boolean {
    const { directory, writer } = this;
    const { log } = this.#engine;
    if (this.state === "off") return true;
    writer.flush(true);
    if (writer.isOpen && writer.bufferedBytes > 0) {
      log.warning("Can't rewrite the append only file: commands that belong to the present one cannot be written");
      return false;
    }
    const manifest = this.manifest.copy();
    const isTemporary = this.state === "waiting";
    // The base will have all that has happened; what was known of a log before means nothing.
    if (isTemporary) this.writer.syncedOffset = this.writer.replicationOffset();
    const name = isTemporary ? directory.temporaryIncrementalName : manifest.addIncremental(directory.stem);
    const fd = directory.openForAppend(name, true);
    if (fd === -1) return false;
    if (!isTemporary && !directory.writeManifest(manifest)) {
      closeSync(fd);
      return false;
    }
    log.notice(`Creating AOF incr file ${name} on background rewrite`);
    this.otherBytes += writer.size;
    this.#open(fd, 0);
    this.manifest = manifest;
    return true;
  }

  /** A rewrite has written the new base to `temporary`: it takes the place of all that was written before it began. False, and the reason is in the log, when that failed. */
  finishRewrite(temporary: string, format: BaseFormat): boolean {
    const { directory } = this;
    const { log } = this.#engine;
    const manifest = this.manifest.copy();
    const base = manifest.addBase(directory.stem, format);
    if (!this.#rename("base", temporary, temporary, base)) return false;
    let increment: string | null = null;
    if (this.state === "waiting") {
      const name = directory.temporaryIncrementalName;
      increment = manifest.addIncremental(directory.stem);
      if (!this.#rename("incr", directory.path(name), name, increment)) {
        directory.deleteInBackground(base);
        return false;
      }
    }
    manifest.retireIncremental(this.writer.isOpen);
    if (!directory.writeManifest(manifest)) {
      directory.deleteInBackground(base);
      if (increment !== null) directory.deleteInBackground(increment);
      return false;
    }
    this.manifest = manifest;
    if (this.state !== "off") this.otherBytes = directory.size(base);
    directory.deleteHistory(manifest);
    log.notice("Background AOF rewrite finished successfully");
    if (this.state === "waiting") {
      this.state = "on";
      this.writer.onSynced();
    }
    return true;
  }

  #rename(kind: string, path: string, shown: string, to: string): boolean {
    const { log, latency, clock } = this.#engine;
    const startUs = clock.monotonicUs();
    try {
      renameSync(pathBytes(path), pathBytes(this.directory.path(to)));
    } catch (error) {
      log.warning(
        `Error trying to rename the temporary AOF ${kind} file ${path} into ${this.directory.path(to)}: ${errnoText(error)}`,
      );
      return false;
    }
    latency.record("aof-rename", (clock.monotonicUs() - startUs) / 1000);
    log.notice(`Successfully renamed the temporary AOF ${kind} file ${shown} into ${to}`);
    return true;
  }

  /** A rewrite has failed: what a waiting log has collected meanwhile is of no use without a base. */
  rewriteFailed(): void {
    if (this.state !== "waiting") return;
    this.#leaveSinks();
    this.writer.abandon();
    const name = this.directory.temporaryIncrementalName;
    this.#engine.log.notice(`Removing the temp incr aof file ${name} in the background`);
    this.directory.deleteInBackground(name);
  }
}
