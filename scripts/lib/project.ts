// What the project's scripts share: folders, the pinned runtime, running commands, and the news they print.

import { existsSync, globSync } from "node:fs";
import { join } from "node:path";

/** The project's folder. */
export const ROOT = join(import.meta.dir, "..", "..");

/** Folder of the built executables. */
export const DIST = join(ROOT, "dist");

/** The executable for this machine. */
export const BINARY = join(DIST, process.platform === "win32" ? "redis-ts.exe" : "redis-ts");

/**
 * The Bun that package.json pins, wherever its package put it; the running Bun when the package is not installed.
 * The package's install script moves the file, and an installation without scripts leaves it in the platform's package.
 */
export function pinnedBun(): string {
  const modules = join(ROOT, "node_modules");
  const moved = join(modules, "bun", "bin", "bun.exe");
  if (existsSync(moved) && Bun.file(moved).size > 1_000_000) return moved;
  for (const name of ["bun", "bun.exe"]) {
    const found = globSync(join(modules, "@oven", "bun-*", "bin", name));
    if (found.length > 0) return found[0]!;
  }
  return process.execPath;
}

/** A test that hangs fails after this long; generous, because a loaded machine is no defect. */
export const TEST_TIMEOUT_MS = 30_000;

/** What a finished command left. */
export interface Finished {
  readonly exitCode: number;
  readonly output: string;
  readonly elapsedMs: number;
}

/** Runs a command in the project's folder and collects both output streams in one text. */
export async function runQuietly(command: string[]): Promise<Finished> {
  const startMs = performance.now();
  const child = Bun.spawn(command, { cwd: ROOT, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  const exitCode = await child.exited;
  return { exitCode, output: stdout + stderr, elapsedMs: performance.now() - startMs };
}

/** Prints a line. */
export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Prints a line to standard error and leaves with status 1. */
export function fail(line: string): never {
  process.stderr.write(`${line}\n`);
  process.exit(1);
}

/** Milliseconds as seconds with one decimal. */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
