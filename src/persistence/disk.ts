/** Files that are written as a whole, under a temporary name until they are complete: they are there entirely or not at all. Paths are latin1 strings. */
import { closeSync, fdatasyncSync, fsyncSync, openSync, renameSync, unlinkSync, writeSync } from "node:fs";
import { dirname } from "node:path";

const FILE_MODE = 0o644;

/** A path as the system wants it: bytes. */
export function pathBytes(path: string): Buffer {
  return Buffer.from(path, "latin1");
}

/** Deletes a file; whether it was there does not matter. */
export function removeFile(path: string): void {
  try {
    unlinkSync(pathBytes(path));
  } catch {
    // It was not there, or is not ours to delete.
  }
}

/** Makes an empty file unless something is there. Whether that worked is found out by whoever writes it. */
export function createFile(path: string): void {
  try {
    closeSync(openSync(pathBytes(path), "a", FILE_MODE));
  } catch {
    // The folder is gone, or not ours to write in.
  }
}

/** Syncs a directory, so that what was created or renamed in it stays. Throws the system's error. */
export function syncDirectory(path: string): void {
  // Windows has no such thing, and needs none.
  if (process.platform === "win32") return;
  const fd = openSync(pathBytes(path), "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** What is done to a file in the making. */
export const FILE_STEPS = ["open", "write", "fsync", "rename", "directory"] as const;
export type FileStep = (typeof FILE_STEPS)[number];

/** The step at which writing a file failed, and the system's error. */
export class FileFault extends Error {
  readonly step: FileStep;
  readonly reason: unknown;

  constructor(step: FileStep, reason: unknown) {
    super(`${step}: ${reason}`);
    this.step = step;
    this.reason = reason;
  }
}

/** A file in the making. All methods throw a FileFault; the temporary file is gone then. */
export class NewFile {
  readonly #path: string;
  #fd: number;
  /** Bytes between two syncs; 0: one sync at the end is enough. */
  readonly #syncBytes: number;
  #unsynced = 0;

  /** Opens the temporary file `path`, and truncates what is there. */
  constructor(path: string, syncBytes: number) {
    this.#path = path;
    this.#syncBytes = syncBytes;
    this.#fd = -1;
    this.#fd = this.#attempt("open", () => openSync(pathBytes(path), "w", FILE_MODE));
  }

  #attempt<T>(step: FileStep, act: () => T): T {
    try {
      return act();
    } catch (error) {
      if (step !== "open" && step !== "directory") this.discard();
      throw new FileFault(step, error);
    }
  }

  /** Appends `bytes[start, end)`. */
  write(bytes: Uint8Array, start: number, end: number): void {
    this.#attempt("write", () => {
      for (let at = start; at < end; ) at += writeSync(this.#fd, bytes, at, end - at);
    });
    if (this.#syncBytes === 0) return;
    this.#unsynced += end - start;
    if (this.#unsynced < this.#syncBytes) return;
    this.#unsynced = 0;
    this.#attempt("fsync", () => fdatasyncSync(this.#fd));
  }

  /** The file is complete: syncs it, and gives it its name. "": it keeps the temporary one. */
  finish(name: string): void {
    this.#attempt("fsync", () => fsyncSync(this.#fd));
    closeSync(this.#fd);
    this.#fd = -1;
    if (name === "") return;
    this.#attempt("rename", () => renameSync(pathBytes(this.#path), pathBytes(name)));
    this.#attempt("directory", () => syncDirectory(dirname(name)));
  }

  /** Gives up. */
  discard(): void {
    if (this.#fd !== -1) closeSync(this.#fd);
    this.#fd = -1;
    removeFile(this.#path);
  }
}

/** A writer whose bytes go nowhere. */
export function openNowhere(): Bun.FileSink {
  return Bun.file(process.platform === "win32" ? "\\\\.\\nul" : "/dev/null").writer();
}
