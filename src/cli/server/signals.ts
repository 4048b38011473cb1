/**
 * What signals do to a server.
 *
 * SIGSEGV, SIGBUS, SIGILL and SIGFPE are left to the runtime: a handler in JavaScript could never run after a real fault (the faulting instruction would be
 * repeated for ever), and WebAssembly uses these signals itself.
 */
import type { Logger } from "../../base/log.ts";

/** Who is told of signals. */
export interface SignalTargets {
  readonly log: Logger;
  /** SIGTERM or SIGINT: the server is to end. */
  readonly end: (signal: "SIGTERM" | "SIGINT") => void;
  /** SIGABRT: somebody wants to see what the server is doing, and then its end. */
  readonly crash: (signal: "SIGABRT") => void;
}

/** Begins to handle signals. */
export function handleSignals(targets: SignalTargets): void {
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => targets.end(signal));
  // SIGUSR1 is for child processes; SIGPIPE says what write() says too.
  for (const signal of ["SIGHUP", "SIGPIPE", "SIGUSR1"] as const) process.on(signal, () => {});
  if (process.platform === "win32") return;
  process.on("SIGABRT", () => targets.crash("SIGABRT"));
  process.on("SIGALRM", () => targets.log.warning("Received SIGALRM"));
}

/** Ends this process by a signal, as if nobody had handled it. */
export function dieBySignal(signal: NodeJS.Signals): never {
  // A listener that comes and goes takes the place of the runtime's own handler, and leaves the system's default behind.
  process.on(signal, () => {});
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
  process.exit(1);
}
