/** Where the command line speaks and how the process ends. */

import { nodeFs } from "../base/system-calls.ts";

/** The process itself, unless a test says otherwise. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** Sets the status with which the process ends. Called only when no server was started. */
  exit(status: number): void;
  /** Whether `out` may show colours. */
  readonly colors: boolean;
}

export const STDOUT_FD = 1;
export const STDERR_FD = 2;

/** Writes a short text; a reader that has gone away is no concern of ours. */
export function writeText(fd: number, text: string): void {
  try {
    nodeFs().writeSync(fd, text);
  } catch {}
}

/** The process's own streams. `process.stdout` is not touched before it must be: making it takes 15 ms. */
export function processTerminal(): Terminal {
  return {
    out: (text) => writeText(STDOUT_FD, text),
    err: (text) => writeText(STDERR_FD, text),
    exit: (status) => {
      process.exitCode = status;
    },
    get colors() {
      return process.stdout.isTTY === true;
    },
  };
}
