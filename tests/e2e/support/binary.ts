// Runs the compiled executable as a user would: by path or by a link of another name, in a folder of its own.

import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type RunningServer, startProcess } from "../../support/process.ts";

/** What a finished run left. */
export interface FinishedRun {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How to run the executable. */
export interface RunOptions {
  /** Name of a link to start it under; its own name when absent. */
  readonly name?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  /** Sends a signal once standard output matches, so that a run which is a server ends. */
  readonly signalWhenLogged?: readonly [RegExp, NodeJS.Signals];
}

/** Path of the executable under test. */
export function binaryPath(): string {
  const path = process.env.REDIS_TS_BINARY;
  if (!path) throw new Error("set REDIS_TS_BINARY to the path of a built executable, like dist/redis-ts");
  return resolve(path);
}

/** A scratch folder and what removes it. */
export function scratchFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "redis-ts-e2e-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** A link to the executable in a folder. */
export function linkBinary(folder: string, name: string): string {
  const link = join(folder, name);
  symlinkSync(binaryPath(), link);
  return link;
}

/** Runs the executable until it ends. */
export async function runBinary(args: readonly string[], options: RunOptions = {}): Promise<FinishedRun> {
  const scratch = scratchFolder();
  try {
    const path = options.name === undefined ? binaryPath() : linkBinary(scratch.path, options.name);
    const child = Bun.spawn([path, ...args], {
      cwd: options.cwd ?? scratch.path,
      env: { ...process.env, ...options.env },
      stdin: options.stdin === undefined ? "ignore" : Buffer.from(options.stdin),
      stdout: "pipe",
      stderr: "pipe",
    });
    const collect = async (): Promise<string> => {
      let text = "";
      let [pattern, signal] = options.signalWhenLogged ?? [null, null];
      for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
        text += chunk;
        if (pattern?.test(text) !== true || signal === null) continue;
        child.kill(signal);
        [pattern, signal] = [null, null];
      }
      return text;
    };
    const [stdout, stderr] = await Promise.all([collect(), child.stderr.text()]);
    return { status: await child.exited, stdout, stderr };
  } finally {
    scratch.remove();
  }
}

/** Starts the executable as a server and waits until it is ready. */
export function startBinary(
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<RunningServer> {
  return startProcess({ command: [binaryPath()], args, env });
}
