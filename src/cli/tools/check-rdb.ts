/**
 * check-rdb: tells whether an RDB file is good (persistence/rdb/rdb-check.ts).
 *
 *   check-rdb FILE
 *
 * Output and status are redis-check-rdb's.
 */
import { closeSync, openSync } from "node:fs";
import { checkRdb } from "../../persistence/rdb/rdb-check.ts";
import { answerQuestion, type ToolCall, usageLine } from "./tool-call.ts";

const USAGE = "<rdb-file-name>";

/** Runs the tool; the status to end with. */
export function runCheckRdb(call: ToolCall): number {
  const { args, personality, terminal } = call;
  const [path] = args;
  if (answerQuestion(call, USAGE)) return 0;
  if (args.length !== 1 || path === undefined) {
    terminal.err(usageLine(call, USAGE));
    return 1;
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
