/** How the server dies of a bug: a report in the log, in the words that operators and tests look for, then the end. */
import type { Engine } from "./engine.ts";

/** Numbers of signals that stand for bugs. */
const SIGNALS = { SIGSEGV: 11, SIGABRT: 6 } as const;

/** Logs that a signal came, and ends the process by it. */
export function crashBySignal(engine: Engine, signal: keyof typeof SIGNALS): never {
  const { title, redisVersion } = engine.config.personality;
  report(engine, `${title} ${redisVersion} crashed by signal: ${SIGNALS[signal]}`);
  // The runtime has handlers of its own for these signals; nothing may hold this one up.
  process.kill(process.pid, "SIGKILL");
  process.exit(1);
}

/** Logs that an assertion failed or that something impossible was seen (`kind`), and ends the process. */
export function crashByPanic(engine: Engine, kind: string, what: string): never {
  report(engine, `=== ${kind} ===`, `==> ${what}`);
  if (!engine.config.values.useExitOnPanic) process.kill(process.pid, "SIGKILL");
  process.exit(1);
}

function report(engine: Engine, ...lines: string[]): void {
  const { crashReportStart } = engine.config.personality;
  engine.log.raw("warning", `\n\n=== ${crashReportStart}: please send all of it with your report ===\n`);
  for (const line of lines) engine.log.warning(line);
  engine.log.raw("warning", `\n=== ${crashReportStart.replace("START", "END")} ===\n\n`);
}
