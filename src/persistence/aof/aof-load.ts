/**
 * Loads all files of a log in the order of its manifest, in slices: the base, which may be a snapshot (or begin with one, when an old server has written
 * it), then the increments. Only the last file may have lost its tail.
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { errnoText } from "../../config/errno.ts";
import type { Engine } from "../../engine/engine.ts";
import { pathBytes } from "../disk.ts";
import type { Loading, SliceResult } from "../loading.ts";
import type { AofDirectory } from "./aof-directory.ts";
import { CommandLoad, type LoadOutcome } from "./command-load.ts";
import { CommandReader } from "./command-reader.ts";
import type { Manifest } from "./manifest.ts";

/** A snapshot at the beginning of a file, being loaded. */
export interface SnapshotLoad {
  /** Position in the file up to which it has come; the position behind the snapshot once it is done. */
  readonly offset: number;
  /** Goes on until `endUs` of the monotonic clock. A number: there is nothing to do for so many ms. "failed": the reason is in the log. */
  step(endUs: number): "more" | "done" | "failed" | number;
}

/** Begins to load the snapshot at the beginning of an open file. */
export type OpenSnapshot = (fd: number, path: string) => SnapshotLoad;

/** What loading has come to; "missing": there is no log, "empty": there is nothing in it. */
export type LoadResult = "loaded" | "missing" | "empty" | "failed";

/** The first bytes of a snapshot: "REDIS". */
const SNAPSHOT_MARK = [82, 69, 68, 73, 83];

/** One file that is open. */
interface OpenFile {
  readonly name: string;
  readonly path: string;
  readonly fd: number;
  readonly size: number;
  readonly startUs: number;
  snapshot: SnapshotLoad | null;
  commands: CommandLoad | null;
}

export class AofLoad {
  /** What it has come to; null while there is more to do. */
  result: LoadResult | null = null;
  /** Bytes of all files, and of the base. */
  totalBytes = 0;
  baseBytes = 0;
  readonly #engine: Engine;
  readonly #directory: AofDirectory;
  readonly #loading: Loading;
  readonly #openSnapshot: OpenSnapshot;
  readonly #manifest: Manifest;
  #next = 0;
  #file: OpenFile | null = null;
  /** Bytes of files that are done. */
  #doneBytes = 0;

  constructor(
    engine: Engine,
    directory: AofDirectory,
    loading: Loading,
    openSnapshot: OpenSnapshot,
    manifest: Manifest,
  ) {
    this.#engine = engine;
    this.#directory = directory;
    this.#loading = loading;
    this.#openSnapshot = openSnapshot;
    this.#manifest = manifest;
  }

  /** Looks at what there is to load. False, with a result, when that is nothing; else loading has been announced and step() is to follow. */
  begin(): boolean {
    if (this.#manifest.isEmpty) return this.#end("missing");
    const size = this.#directory.totalSize(this.#manifest);
    if (size === null) return this.#end("failed");
    if (size === 0) return this.#end("empty");
    this.totalBytes = size;
    if (this.#manifest.base !== null) this.baseBytes = this.#directory.size(this.#manifest.base.name);
    this.#loading.start(size);
    return true;
  }

  #end(result: LoadResult): false {
    this.result = result;
    return false;
  }

  /** Goes on until about `endUs` of the monotonic clock. */
  step(endUs: number): SliceResult {
    const file = this.#file ?? this.#open();
    if (file === null) return this.#over("failed");
    const outcome = this.#stepFile(file, endUs);
    this.#loading.progress(this.#doneBytes + (file.commands?.offset ?? file.snapshot?.offset ?? 0));
    if (outcome === null) return "more";
    if (typeof outcome === "number") return { pauseMs: outcome };
    closeSync(file.fd);
    this.#file = null;
    if (outcome === "failed") return this.#over("failed");
    this.#report(file);
    this.#doneBytes += file.size;
    this.#next++;
    return this.#next < this.#manifest.files.length ? "more" : this.#over("loaded");
  }

  #over(result: LoadResult): "done" {
    this.result = result;
    this.#loading.finish();
    return "done";
  }

  /** Opens the next file; null, and the reason is in the log, when that failed. */
  #open(): OpenFile | null {
    const { name } = this.#manifest.files[this.#next];
    const { log, clock } = this.#engine;
    const path = this.#directory.path(name);
    try {
      const fd = openSync(pathBytes(path), "r");
      const { size } = fstatSync(fd);
      const file: OpenFile = { name, path, fd, size, startUs: clock.monotonicUs(), snapshot: null, commands: null };
      this.#file = file;
      if (beginsWithSnapshot(fd)) {
        const isOld = name === this.#directory.stem;
        log.notice(isOld ? "Reading RDB preamble from AOF file..." : "Reading RDB base file on AOF loading...");
        file.snapshot = this.#openSnapshot(fd, path);
      } else {
        this.#readCommands(file, 0);
      }
      return file;
    } catch (error) {
      log.warning(`Fatal error: can't open the append log file ${name} for reading: ${errnoText(error)}`);
      return null;
    }
  }

  #readCommands(file: OpenFile, offset: number): void {
    const reader = new CommandReader(file.fd, offset);
    file.commands = new CommandLoad(this.#engine, reader, file.name, file.path, this.#isLast);
  }

  #stepFile(file: OpenFile, endUs: number): LoadOutcome | number | null {
    if (file.commands !== null) return file.commands.step(endUs);
    const snapshot = file.snapshot as SnapshotLoad;
    const state = snapshot.step(endUs);
    if (state === "more") return null;
    if (typeof state === "number") return state;
    const isOld = file.name === this.#directory.stem;
    if (state === "failed") {
      const what = isOld ? "RDB preamble of the AOF file" : "RDB base file";
      this.#engine.log.warning(`Error reading the ${what} ${file.name}, AOF loading aborted`);
      return "failed";
    }
    if (isOld) this.#engine.log.notice("Reading the remaining AOF tail...");
    this.#readCommands(file, snapshot.offset);
    return null;
  }

  get #isLast(): boolean {
    return this.#next === this.#manifest.files.length - 1;
  }

  #report(file: OpenFile): void {
    if (file.size === 0) return;
    const { log, clock } = this.#engine;
    const kind = this.#manifest.base !== null && this.#next === 0 ? "base" : "incr";
    const seconds = ((clock.monotonicUs() - file.startUs) / 1e6).toFixed(3);
    log.notice(`DB loaded from ${kind} file ${file.name}: ${seconds} seconds`);
  }
}

function beginsWithSnapshot(fd: number): boolean {
  const head = new Uint8Array(SNAPSHOT_MARK.length);
  return readSync(fd, head, 0, head.length, 0) === head.length && SNAPSHOT_MARK.every((byte, i) => head[i] === byte);
}
