/**
 * The few calls of the system that a start makes, each straight to the C library: the runtime's module of files (node:fs) takes 1.4 ms to load, a tenth of a
 * start, its source of randomness 0.1 ms. A path is a text of the runtime's, or its bytes.
 *
 * A call that fails, one with bytes, and every call where there is no such library, is the runtime's to make, which throws the system's error as everybody
 * knows it.
 */
import { isAscii, latin1Bytes } from "./bytes.ts";
import { C_LIBRARIES } from "./c-library.ts";

/** Calls of the C library; a start pays for each of them. Texts end with a zero byte; -1 is a failure. */
interface SystemCalls {
  open(path: Uint8Array, flags: number, mode: number): number;
  close(fd: number): number;
  read(fd: number, bytes: Uint8Array, size: number): number;
  write(fd: number, bytes: Uint8Array, size: number): number;
  isatty(fd: number): number;
  getrandom(bytes: Uint8Array, size: number, flags: number): number;
}

/** What the runtime's module bun:ffi is made of. The module itself would take another third of a millisecond. */
interface RuntimeFfi {
  dlopen(name: string, symbols: Readonly<Record<string, object>>): { readonly symbols: SystemCalls } | Error;
}

const SYMBOLS = {
  open: { args: ["ptr", "i32", "i32"], returns: "i32" },
  close: { args: ["i32"], returns: "i32" },
  read: { args: ["i32", "ptr", "u64"], returns: "i32" },
  write: { args: ["i32", "ptr", "u64"], returns: "i32" },
  isatty: { args: ["i32"], returns: "i32" },
  getrandom: { args: ["ptr", "u64", "u32"], returns: "i32" },
};

/** Linux' numbers, with O_CLOEXEC: reading; writing behind what is there, in a file that is made if need be. */
const FLAGS = { r: 0o2000000, a: 0o2002101 } as const;
/** O_PATH: finds a file and asks for nothing. */
const FIND_FLAGS = 0o12000000;
const NEW_FILE_MODE = 0o644;

function openCalls(): SystemCalls | null {
  const { FFI } = Bun as unknown as { readonly FFI?: RuntimeFfi };
  if (process.platform !== "linux" || FFI === undefined) return null;
  for (const name of C_LIBRARIES) {
    const library = FFI.dlopen(name, SYMBOLS);
    if ("symbols" in library) return library.symbols;
  }
  return null;
}

const calls = openCalls();

/** The runtime's module of files, loaded by the first who asks. */
export function nodeFs(): typeof import("node:fs") {
  return require("node:fs") as typeof import("node:fs");
}

/** A path as the C library takes it. */
function terminated(path: string): Uint8Array {
  return latin1Bytes(`${path}\0`);
}

function isPlain(path: string | Buffer): path is string {
  return typeof path === "string" && isAscii(path);
}

/** Opens a file to read it, or to append to it. Throws the system's error. */
export function openFile(path: string | Buffer, flag: keyof typeof FLAGS): number {
  const fd = calls !== null && isPlain(path) ? calls.open(terminated(path), FLAGS[flag], NEW_FILE_MODE) : -1;
  return fd >= 0 ? fd : nodeFs().openSync(path, flag, NEW_FILE_MODE);
}

export function closeFile(fd: number): void {
  if (calls === null) nodeFs().closeSync(fd);
  else calls.close(fd);
}

/** Reads on from where the file stands; returns how many bytes came. Throws the system's error. */
export function readBytes(fd: number, bytes: Uint8Array): number {
  const count = calls === null ? -1 : calls.read(fd, bytes, bytes.length);
  return count >= 0 ? count : nodeFs().readSync(fd, bytes);
}

/** Writes what can be written now; returns how many bytes that were. Throws the system's error. */
export function writeBytes(fd: number, bytes: Uint8Array): number {
  const count = calls === null ? -1 : calls.write(fd, bytes, bytes.length);
  return count >= 0 ? count : nodeFs().writeSync(fd, bytes);
}

/** Is there anything under this name? */
export function isFileThere(path: string | Buffer): boolean {
  if (calls === null || !isPlain(path)) return nodeFs().existsSync(path);
  const fd = calls.open(terminated(path), FIND_FLAGS, 0);
  if (fd >= 0) calls.close(fd);
  return fd >= 0;
}

/** Does somebody watch at the other end of this descriptor? The runtime would load its terminal module for that, which takes 10 ms. */
export function isTerminal(fd: number): boolean {
  if (calls !== null) return calls.isatty(fd) === 1;
  return (require("node:tty") as typeof import("node:tty")).isatty(fd);
}

/** Fills `bytes`, of which there are not many, with unpredictable ones. */
export function fillRandomly(bytes: Uint8Array<ArrayBuffer>): void {
  if (calls?.getrandom(bytes, bytes.length, 0) !== bytes.length) crypto.getRandomValues(bytes);
}
