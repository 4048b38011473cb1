/**
 * Running in the background. The runtime cannot fork, so the process starts itself again, detached and in a session of its own, with the same name,
 * arguments, folder and input; a variable in the environment tells the new process what it is. It reports once it listens: the first
 * process ends then, with status 0, or with status 1 when the daemon has ended instead.
 */

/** Set for the daemon alone; it removes it from its environment when it is up. */
const MARKER = "REDIS_TS_DAEMON";

/** Is this process the daemon? */
export function isDaemon(): boolean {
  return process.env[MARKER] !== undefined;
}

/** How this process was started. */
export interface Launch {
  /** Folder in which it was started, before `dir` has moved it. */
  readonly folder: string;
  /** What came from standard input, latin1, or null. */
  readonly stdin: string | null;
}

/** Starts the daemon, waits until it is up or has failed, and returns the exit status for this process. */
export async function startDaemon(launch: Launch): Promise<number> {
  // In an executable the script's path leads into the executable itself.
  const script = /^(?:\/\$bunfs|[A-Z]:[/\\]~BUN)/.test(Bun.main) ? [] : [Bun.main];
  const { promise, resolve } = Promise.withResolvers<number>();
  const child = Bun.spawn([process.execPath, ...script, ...process.argv.slice(2)], {
    argv0: process.argv0,
    cwd: launch.folder,
    env: { ...process.env, [MARKER]: "1" },
    stdin: launch.stdin === null ? "ignore" : Buffer.from(launch.stdin, "latin1"),
    stdout: "ignore",
    stderr: "ignore",
    detached: true,
    // The only message is that the daemon is up.
    ipc: () => resolve(0),
  });
  child.exited.then(() => resolve(1));
  return promise;
}

/** The daemon is up: tells the process that started it, which will not be there for long. */
export function reportDaemonUp(): void {
  delete process.env[MARKER];
  process.send?.("up", undefined, undefined, () => {});
  process.disconnect?.();
}
