// The runtime's compiler threads are nicer than the server; its own thread is not.

import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { CompilerThreads } from "../../src/cli/server/compiler-threads.ts";

const TASKS = "/proc/self/task";
/** Index of the nice value among the fields behind the name. */
const NICE = 16;

const nameOf = (thread: string): string => readFileSync(`${TASKS}/${thread}/comm`, "latin1").trim();

function niceOf(thread: string): number {
  const line = readFileSync(`${TASKS}/${thread}/stat`, "latin1");
  return Number(line.slice(line.lastIndexOf(")") + 2).split(" ")[NICE]);
}

test.if(process.platform === "linux")("compiler threads have a lower priority than the server", () => {
  const compilers = (): string[] => readdirSync(TASKS).filter((thread) => nameOf(thread) === "JITWorker");
  const hot = (value: number): number => (value % 7) * 3 + (value & 15);
  for (let round = 0; compilers().length === 0 && round < 100; round++) for (let i = 0; i < 1e6; i++) hot(i);
  const own = String(process.pid);
  const nice = niceOf(own);
  const threads = compilers();
  expect(threads.length).toBeGreaterThan(0);
  new CompilerThreads().look();
  expect(niceOf(own)).toBe(nice);
  for (const thread of threads) expect(niceOf(thread)).toBe(Math.min(nice + 10, 19));
});
