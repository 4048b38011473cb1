// Starts our own server for tests: the executable that REDIS_TS_BINARY names, otherwise from source.

import { join, resolve } from "node:path";
import { type RunningServer, startProcess } from "./process.ts";

const MAIN = join(import.meta.dir, "..", "..", "src", "main.ts");

/** The command that runs our server; arguments of redis-server may follow. */
export function serverCommand(): string[] {
  const binary = process.env.REDIS_TS_BINARY;
  return binary ? [resolve(binary)] : [process.execPath, MAIN];
}

/** Starts our server with arguments of redis-server and waits until it is ready. */
export function startServer(args: readonly string[] = []): Promise<RunningServer> {
  return startProcess({ command: serverCommand(), args });
}
