/** Whether the processors of the machine are wanted by others, on Linux; elsewhere they are taken to be free. */
import { readSmallText } from "./small-file.ts";

const LOAD_FILE = "/proc/loadavg";

/** The number of tasks that run or want to, from a line like "0.20 0.18 0.12 3/80 11206"; 0 when it is no such line. */
export function runningTasks(line: string): number {
  const found = / (\d+)\/\d+ /.exec(line);
  return found === null ? 0 : Number(found[1]);
}

/** Threads of the compiler that may run beside the one that asks. They are nicer than others (cli/server/compiler-threads.ts) and do not count. */
const COMPILER_THREADS = 2;

/** More tasks of others and of ours want to run than there are processors. */
export function processorsAreShort(): boolean {
  try {
    return runningTasks(readSmallText(LOAD_FILE)) > navigator.hardwareConcurrency + COMPILER_THREADS;
  } catch {
    return false;
  }
}
