/**
 * check-rdb: tells whether an RDB file is good (persistence/rdb/rdb-check.ts).
 *
 *   check-rdb FILE
 *
 * Output and status are redis-check-rdb's.
 */
import { closeSync, openSync } from "node:fs";
import { REDIS_TS_VERSION } from "../../base/version.ts";
import { checkRdb } from "../../persistence/rdb/rdb-check.ts";
import type { ToolCall } from "./tool-call.ts";

/** Runs the tool; the status to end with. */
export function runCheckRdb({ program, args, personality, terminal }: ToolCall): number {
  const [path] = args;
  if (args.length !== 1 || path === undefined) {
    terminal.err(`Usage: ${program} <rdb-file-name>\n`);
    return 1;
  }
  if (path === "-v" || path === "--version") {
    terminal.out(`${program} ${personality.valkeyVersion ?? personality.redisVersion} redis-ts=${REDIS_TS_VERSION}\n`);
    return 0;
  }
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch {
    terminal.out(`[offset 0] Checking RDB file ${path}\n`);
    return 1;
  }
  try {
    return checkRdb(fd, path, personality.rdbVersionMax, (text) => terminal.out(text)) === null ? 1 : 0;
  } finally {
    closeSync(fd);
  }
}
