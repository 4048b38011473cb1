/**
 * What the configuration needs of the system: reading files, the working directory, replacing the config file. An interface,
 * so that tests can run a configuration without touching the process. All paths and contents are latin1 strings.
 */
import { isAscii, latin1, latin1Bytes } from "../base/bytes.ts";
import { globMatch } from "../base/glob.ts";
import { readWholeFile } from "../base/small-file.ts";
import { closeFile, isFileThere, nodeFs, openFile } from "../base/system-calls.ts";
import { fromBinary, toBinary } from "./binary.ts";
import { errnoCode, errnoText } from "./errno.ts";

/** A file's content, or why it could not be read; `missing` tells "no such file" from other failures. */
export type ReadResult = { readonly text: string } | { readonly error: string; readonly missing: boolean };

const STDIN_FD = 0;

/** System calls of the configuration. Errors come back as strerror texts; null means success. */
export interface ConfigHost {
  readonly readFile: (path: string) => ReadResult;
  /** All of standard input. */
  readonly readStdin: () => ReadResult;
  /** Paths that match a pattern with `*`, `?` or `[`, in byte order; none is not an error. */
  readonly glob: (pattern: string) => string[];
  readonly chdir: (path: string) => string | null;
  readonly cwd: () => string;
  /** Can a line be appended to this file? It is created if it does not exist. */
  readonly tryAppend: (path: string) => string | null;
  /** Replaces a file's content so that a crash leaves the old or the new content, never a part of it. */
  readonly replaceFile: (path: string, text: string) => string | null;
}

/** A path as the runtime wants it. The first Buffer of a process costs half a millisecond: most starts do without. */
function pathBytes(path: string): Buffer | string {
  return isAscii(path) ? path : Buffer.from(path, "latin1");
}

function attempt(call: () => void): string | null {
  try {
    call();
    return null;
  } catch (error) {
    return errnoText(error);
  }
}

function attemptRead(read: () => string): ReadResult {
  try {
    return { text: read() };
  } catch (error) {
    return { error: errnoText(error), missing: errnoCode(error) === "ENOENT" };
  }
}

/** Bytes as a latin1 string. Most files are ASCII, and need no Buffer. */
function textOf(bytes: Uint8Array): string {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    if (text.length === bytes.length) return text;
  } catch {
    // Not even UTF-8.
  }
  return latin1(bytes, 0, bytes.length);
}

const MAGIC = /[*?[]/;

function entriesMatching(directory: string, pattern: string): string[] {
  let names: string[];
  try {
    names = nodeFs().readdirSync(pathBytes(directory === "" ? "." : directory), "latin1");
  } catch {
    return [];
  }
  const glob = latin1Bytes(pattern);
  const hidden = pattern.startsWith(".");
  return names
    .filter((name) => {
      if (name.startsWith(".") && !hidden) return false;
      return globMatch(glob, 0, glob.length, latin1Bytes(name), 0, name.length, false);
    })
    .sort((a, b) => (a < b ? -1 : 1));
}

function exists(path: string): boolean {
  return isFileThere(pathBytes(path));
}

/** Expands a pattern one path segment at a time. */
function globPaths(pattern: string): string[] {
  const segments = pattern.split("/");
  let bases = [""];
  for (let i = 0; i < segments.length; i++) {
    const last = i === segments.length - 1;
    const next: string[] = [];
    for (const base of bases) {
      const names = MAGIC.test(segments[i]) ? entriesMatching(base, segments[i]) : [segments[i]];
      for (const name of names) next.push(base + name + (last ? "" : "/"));
    }
    bases = next;
  }
  return bases.filter(exists);
}

/** Write beside, sync, rename over, sync the directory. */
function replaceFile(path: string, text: string): void {
  const { closeSync, fsyncSync, openSync, renameSync, unlinkSync, writeFileSync } = nodeFs();
  const temporary = pathBytes(`${path}.${process.pid}.tmp`);
  const slash = path.lastIndexOf("/");
  const directory = slash < 0 ? "." : path.slice(0, slash + 1);
  const fd = openSync(temporary, "w", 0o644);
  try {
    writeFileSync(fd, Buffer.from(text, "latin1"));
    fsyncSync(fd);
    renameSync(temporary, pathBytes(path));
  } catch (error) {
    attempt(() => unlinkSync(temporary));
    throw error;
  } finally {
    closeSync(fd);
  }
  // Windows cannot open a directory; there the rename itself is durable enough.
  if (process.platform === "win32") return;
  const directoryFd = openSync(pathBytes(directory), "r");
  try {
    fsyncSync(directoryFd);
  } finally {
    closeSync(directoryFd);
  }
}

/** The real system. */
export const osHost: ConfigHost = {
  readFile: (path) => attemptRead(() => textOf(readWholeFile(pathBytes(path)))),
  readStdin: () => attemptRead(() => nodeFs().readFileSync(STDIN_FD, "latin1")),
  glob: globPaths,
  chdir: (path) => attempt(() => process.chdir(fromBinary(path))),
  cwd: () => toBinary(process.cwd()),
  tryAppend: (path) => attempt(() => closeFile(openFile(pathBytes(path), "a"))),
  replaceFile: (path, text) => attempt(() => replaceFile(path, text)),
};
