/**
 * The folder of the append-only file (appenddirname, below dir) and what is done to files in it. All names are latin1 strings; the process's working
 * directory is dir. Failures are told with the system's text; who calls knows what they mean.
 */
import {
  close,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeSync,
} from "node:fs";
import type { Logger } from "../../base/log.ts";
import type { Config } from "../../config/config.ts";
import { errnoText } from "../../config/errno.ts";
import { pathBytes, removeFile, syncDirectory } from "../disk.ts";
import { Manifest } from "./manifest.ts";

const FILE_MODE = 0o644;
const DIRECTORY_MODE = 0o755;
const TEMPORARY = "temp-";

/** Does a regular file stand there? */
export function isFile(path: string): boolean {
  try {
    return statSync(pathBytes(path)).isFile();
  } catch {
    return false;
  }
}

function isDirectory(path: string): boolean {
  try {
    return statSync(pathBytes(path)).isDirectory();
  } catch {
    return false;
  }
}

/** Writes all bytes, however many pieces the system takes them in. Throws the system's error. */
export function writeAll(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at);
}

export class AofDirectory {
  readonly #config: Config;
  readonly #log: () => Logger;

  constructor(config: Config, log: () => Logger) {
    this.#config = config;
    this.#log = log;
  }

  /** The setting appendfilename: what all names begin with, and the name of the whole log of an old server. */
  get stem(): string {
    return this.#config.values.appendfilename;
  }

  /** The setting appenddirname. */
  get name(): string {
    return this.#config.values.appenddirname;
  }

  /** Path of a file of the log. */
  path(fileName: string): string {
    return `${this.name}/${fileName}`;
  }

  get manifestName(): string {
    return `${this.stem}.manifest`;
  }

  /** Where commands are kept while the first rewrite after switching on is not done. */
  get temporaryIncrementalName(): string {
    return `${TEMPORARY}${this.stem}.incr`;
  }

  get exists(): boolean {
    return isDirectory(this.name);
  }

  has(fileName: string): boolean {
    return isFile(this.path(fileName));
  }

  /** Makes the directory unless it is there; false, and the reason is in the log, when that failed. */
  create(): boolean {
    if (this.exists) return true;
    try {
      mkdirSync(pathBytes(this.name), DIRECTORY_MODE);
      syncDirectory(".");
      return true;
    } catch (error) {
      this.#log().warning(`Can't open or create append-only dir ${this.name}: ${errnoText(error)}`);
      return false;
    }
  }

  /** The manifest on disk, an empty one when there is none. Throws a ManifestError when it is no good, the system's error when it cannot be read. */
  readManifest(): Manifest {
    if (!this.exists) {
      this.#log().debug(`The AOF directory ${this.name} doesn't exist`);
      return new Manifest();
    }
    if (!this.has(this.manifestName)) {
      this.#log().debug(`The AOF manifest file ${this.manifestName} doesn't exist`);
      return new Manifest();
    }
    return readManifestFile(this.path(this.manifestName));
  }

  /** Puts a manifest on disk, all or nothing, unless it is there; false, and the reason is in the log, when that failed. */
  writeManifest(manifest: Manifest): boolean {
    if (!manifest.changed) return true;
    const temporary = TEMPORARY + this.manifestName;
    const failed = (what: string, error: unknown): false => {
      this.#log().warning(`${what}: ${errnoText(error)}`);
      return false;
    };
    let fd: number;
    try {
      fd = openSync(pathBytes(this.path(temporary)), "w", FILE_MODE);
    } catch (error) {
      return failed(`Can't open the AOF manifest file ${temporary}`, error);
    }
    try {
      writeAll(fd, pathBytes(manifest.format()));
      fsyncSync(fd);
    } catch (error) {
      return failed(`Error trying to write the temporary AOF manifest file ${temporary}`, error);
    } finally {
      closeSync(fd);
    }
    try {
      renameSync(pathBytes(this.path(temporary)), pathBytes(this.path(this.manifestName)));
    } catch (error) {
      return failed(
        `Error trying to rename the temporary AOF manifest file ${temporary} into ${this.manifestName}`,
        error,
      );
    }
    try {
      syncDirectory(this.name);
    } catch (error) {
      return failed(`Fail to fsync AOF directory ${this.path(this.manifestName)}`, error);
    }
    manifest.changed = false;
    return true;
  }

  /** Opens a file for appending, `empty`: without what it held; -1, and the reason is in the log, when that failed. */
  openForAppend(fileName: string, empty: boolean): number {
    const { O_APPEND, O_CREAT, O_TRUNC, O_WRONLY } = constants;
    const flags = O_WRONLY | O_APPEND | O_CREAT | (empty ? O_TRUNC : 0);
    try {
      return openSync(pathBytes(this.path(fileName)), flags, FILE_MODE);
    } catch (error) {
      this.#log().warning(`Can't open the append-only file ${fileName}: ${errnoText(error)}`);
      return -1;
    }
  }

  /** Bytes of a file; 0, and the reason is in the log, when that cannot be told. */
  size(fileName: string): number {
    try {
      return statSync(pathBytes(this.path(fileName))).size;
    } catch (error) {
      this.#log().warning(`Unable to obtain the AOF file ${fileName} length. stat: ${errnoText(error)}`);
      return 0;
    }
  }

  /** Bytes of all files that are to be loaded; null, and the reason is in the log, when one is missing. */
  totalSize(manifest: Manifest): number | null {
    let sum = 0;
    for (const { name } of manifest.files) {
      if (!existsSync(pathBytes(this.path(name)))) {
        this.size(name);
        return null;
      }
      sum += this.size(name);
    }
    return sum;
  }

  /** Deletes what a rewrite has replaced; the files go in the background. */
  deleteHistory(manifest: Manifest): void {
    if (this.#config.values.aofDisableAutoGc || manifest.history.length === 0) return;
    for (const { name } of manifest.history) {
      this.#log().notice(`Removing the history file ${name} in the background`);
      this.deleteInBackground(name);
    }
    manifest.forgetHistory();
    this.writeManifest(manifest);
  }

  /**
   * Deletes a file; whether it was there does not matter. Its name is free when this returns, so that another file may take it; what takes long, giving its
   * space back, is done in the background, by closing what is then the last way to it.
   */
  deleteInBackground(fileName: string): void {
    const path = this.path(fileName);
    let fd = -1;
    try {
      // Windows does not let go of names of open files.
      if (process.platform !== "win32") fd = openSync(pathBytes(path), "r");
    } catch {
      // It is not there, or will be deleted the plain way.
    }
    removeFile(path);
    if (fd !== -1) close(fd, () => {});
  }
}

/** Reads a manifest file. Throws a ManifestError, or the system's error. */
export function readManifestFile(path: string): Manifest {
  return Manifest.parse(readFileSync(pathBytes(path), "latin1"));
}
