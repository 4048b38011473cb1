// The oracle: a real redis-server to compare with. Tests that need it are skipped aloud where there is none; scripts/test.ts
// counts them, and with REDIS_TS_REQUIRE_ORACLE=1 counts them as failed.

import { describe, test } from "bun:test";
import { type RunningServer, startProcess } from "./process.ts";

/** Marks the names of oracle tests, so that a skipped one is recognised in a report. */
export const ORACLE_TAG = "[oracle]";

/** Whether there is a redis-server on the PATH. */
export function oracleAvailable(): boolean {
  return Bun.which("redis-server") !== null;
}

/** A test that needs redis-server. */
export function oracleTest(name: string, body: () => void | Promise<void>, timeoutMs?: number): void {
  test.skipIf(!oracleAvailable())(`${ORACLE_TAG} ${name}`, body, timeoutMs);
}

/** A group of tests that need redis-server. */
export function describeOracle(name: string, body: () => void): void {
  describe.skipIf(!oracleAvailable())(`${ORACLE_TAG} ${name}`, body);
}

/** A group of tests that need one of the tools that come with redis-server. */
export function describeTool(tool: string, body: () => void): void {
  describe.skipIf(Bun.which(tool) === null)(`${ORACLE_TAG} ${tool}`, body);
}

/** Starts a redis-server with its arguments on a free port and waits until it is ready. */
export function startOracle(args: readonly string[] = []): Promise<RunningServer> {
  return startProcess({ command: ["redis-server"], args });
}
