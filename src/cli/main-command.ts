/**
 * The command line: finds out which program this is, answers --version, --help and the like, and starts the server with
 * redis-server's arguments untouched.
 *
 * As in redis-server, those options count only as the first argument: `--requirepass --help` sets a password.
 */

import { readFileSync } from "node:fs";
import { defineCommand, renderUsage, runCommand } from "citty";
import { REDIS_TS_VERSION } from "../base/version.ts";
import { choosePersonality, type Personality } from "../config/personality.ts";
import { type Mode, modeOf } from "./modes.ts";
import { SERVER_OPTIONS, serverCommand, serverExamples } from "./server-command.ts";
import { checkSystem } from "./system-check.ts";
import { versionText } from "./version-text.ts";

/** Starts the server; resolves when it runs. Arguments are redis-server's, without the program's name. */
export type StartServer = (personality: Personality, serverArgv: readonly string[]) => Promise<void>;

/** Where the command line speaks and how the process ends; the process itself unless a test says otherwise. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** Sets the status with which the process ends. Called only when no server was started. */
  exit(status: number): void;
  /** Whether `out` may show colours. */
  readonly colors: boolean;
}

/** The process's own streams. */
export function processTerminal(): Terminal {
  return {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    exit: (status) => {
      process.exitCode = status;
    },
    colors: process.stdout.isTTY === true,
  };
}

/**
 * Runs a command line.
 * @param argv0 the name that the program was started under
 * @param argv the arguments after it
 */
export async function runCommandLine(
  argv0: string,
  argv: readonly string[],
  start: StartServer,
  terminal: Terminal = processTerminal(),
): Promise<void> {
  const choice = choosePersonality(argv0, argv);
  if ("error" in choice) {
    terminal.err(`${choice.error}\n`);
    terminal.exit(1);
    return;
  }
  const mode = modeOf(argv0, choice.args);
  if (mode.kind === "missing") {
    terminal.err(`${mode.name} is not part of redis-ts ${REDIS_TS_VERSION}.\n`);
    terminal.exit(1);
    return;
  }
  const server = serverCommand(mode.kind === "tree" ? "server" : mode.name, async (args) => {
    if (!(await answerAtOnce(mode, args, choice.personality, terminal))) await start(choice.personality, args);
  });
  const named = mode.kind === "tree" && choice.args[0] === "server";
  await runCommand(server, { rawArgs: choice.args.slice(named ? 1 : 0) });
}

/** Handles the options that answer and end. Returns false when the arguments ask for a running server. */
async function answerAtOnce(
  mode: Mode,
  args: readonly string[],
  personality: Personality,
  terminal: Terminal,
): Promise<boolean> {
  switch (args[0]) {
    case "-v":
    case "--version":
      terminal.out(`${versionText(personality)}\n`);
      terminal.exit(0);
      return true;
    case "-h":
    case "--help":
      terminal.out(await helpText(mode, terminal.colors));
      terminal.exit(0);
      return true;
    case "--check-system": {
      const { text, healthy } = checkSystem(readSmallFile);
      terminal.out(text);
      terminal.exit(healthy ? 0 : 1);
      return true;
    }
    case "--test-memory":
      terminal.err(
        "redis-ts does not test memory: a process sees too little of it. Use memtester, or memtest86+ at boot.\n",
      );
      terminal.exit(1);
      return true;
    default:
      return false;
  }
}

function readSmallFile(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

async function helpText(mode: Mode, colors: boolean): Promise<string> {
  const idle = async () => {};
  const usage = mode.kind === "tree" ? await treeUsage() : await renderUsage(serverCommand(mode.name, idle));
  const text = `${usage.trimEnd()}\n\n${serverExamples(mode.name)}`;
  return colors ? text : Bun.stripANSI(text);
}

async function treeUsage(): Promise<string> {
  const tree = defineCommand({
    meta: { name: "redis-ts", version: REDIS_TS_VERSION, description: "A Redis-compatible server in one executable" },
    args: SERVER_OPTIONS,
    subCommands: { server: { meta: { description: "Run the server (the default)" } } },
  });
  return await renderUsage(tree);
}
