// Builds dist/redis-ts when a source is newer, then runs it with the given arguments.
// usage: start [arguments of redis-server ...]
//
// Signals and the exit status are passed on, so that a supervisor may treat this process as the server.

import { existsSync, globSync, statSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { BINARY, pinnedBun, ROOT, runQuietly } from "./lib/project.ts";

/** A shell reports a process that a signal ended as this plus the signal's number. */
const SIGNAL_STATUS = 128;

function isStale(): boolean {
  if (!existsSync(BINARY)) return true;
  const builtMs = statSync(BINARY).mtimeMs;
  const sources = [
    ...globSync(join(ROOT, "src", "**", "*")),
    join(ROOT, "package.json"),
    join(ROOT, "scripts", "build.ts"),
    ...globSync(join(ROOT, "scripts", "lib", "*.ts")),
  ];
  return sources.some((path) => statSync(path).mtimeMs > builtMs);
}

if (isStale()) {
  const built = await runQuietly([pinnedBun(), join(ROOT, "scripts", "build.ts")]);
  process.stderr.write(built.output);
  if (built.exitCode !== 0) process.exit(1);
}

const server = Bun.spawn([BINARY, ...process.argv.slice(2)], {
  stdin: "inherit",
  stdout: "inherit",
  stderr: "inherit",
});
for (const signal of ["SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"] as const) {
  process.on(signal, () => server.kill(signal));
}
// A terminal sends Ctrl-C to the whole group: the server has it already, and a second one would mean "at once".
process.on("SIGINT", () => {
  if (!process.stdin.isTTY) server.kill("SIGINT");
});

const status = await server.exited;
const signal = server.signalCode as NodeJS.Signals | null;
process.exit(signal === null ? status : SIGNAL_STATUS + constants.signals[signal]);
