/** How the server dies of a bug: the process writes a report into the log, in the words that operators and tests look for, and ends. */
import type { Engine } from "./engine.ts";
import type { CrashCause, CrashSignal } from "./ports.ts";

/** Dies as if a signal had come. */
export function crashBySignal(engine: Engine, signal: CrashSignal): never {
  die(engine, { signal });
}

/** Dies because an assertion failed or something impossible was seen (`kind`). */
export function crashByPanic(engine: Engine, kind: string, what: string): never {
  die(engine, { kind, error: what });
}

function die(engine: Engine, cause: CrashCause): never {
  if (engine.process !== null) engine.process.crash(cause);
  throw new Error(`there is no process to end: ${JSON.stringify(cause)}`);
}
