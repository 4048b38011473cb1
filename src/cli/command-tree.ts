/**
 * The command tree, in citty: `server` is the default and the only command so far.
 *
 * The option definitions serve the help text only. redis-server's command line has its own grammar (an option's values are
 * the words up to the next `--`, a file and `-` come first), so a command gets the words exactly as they came.
 */

import { readFileSync } from "node:fs";
import { type ArgsDef, type CommandDef, defineCommand, renderUsage, runCommand } from "citty";
import { REDIS_TS_VERSION } from "../base/version.ts";
import type { Personality } from "../config/personality.ts";
import type { Mode } from "./modes.ts";
import { checkSystem } from "./server/system-check.ts";
import type { Terminal } from "./terminal.ts";
import { versionText } from "./version-text.ts";

/** A command line that has been looked at far enough to know what it is. */
export interface TreeCall {
  readonly mode: Mode;
  readonly args: readonly string[];
  readonly personality: Personality;
  readonly start: (serverArgv: readonly string[]) => Promise<void>;
  readonly terminal: Terminal;
}

/** Options that the command line itself understands; all others are directives of redis.conf. */
const SERVER_OPTIONS: ArgsDef = {
  config: {
    type: "positional",
    required: false,
    description: "Path of a redis.conf, or - to read one from standard input",
  },
  compat: { type: "enum", options: ["redis", "valkey"], description: "Whose names, texts and defaults to use" },
  version: { type: "boolean", alias: "v", description: "Print the version" },
  help: { type: "boolean", alias: "h", description: "Print this text" },
  "check-system": { type: "boolean", description: "Look for settings of the operating system that hurt a server" },
};

function examples(name: string): string {
  return `Every directive of redis.conf is an option too: two dashes, its name, its values.

EXAMPLES

  ${name}
  ${name} /etc/redis/redis.conf
  ${name} --port 7777 --save 900 1 --loglevel verbose
  ${name} /etc/redis/redis.conf --replicaof 127.0.0.1 8888
  echo 'maxmemory 128mb' | ${name} -
`;
}

/** Runs the command that the arguments name. */
export async function runTree(call: TreeCall): Promise<void> {
  const server = serverCommand(call);
  const isTree = call.mode.kind === "tree";
  const named = isTree && call.args[0] === "server";
  await runCommand(server, { rawArgs: call.args.slice(named ? 1 : 0) });
}

function serverCommand(call: TreeCall): CommandDef {
  return defineCommand({
    meta: {
      name: call.mode.kind === "tree" ? "server" : call.mode.name,
      version: REDIS_TS_VERSION,
      description: "Run the server",
    },
    args: SERVER_OPTIONS,
    run: async ({ rawArgs }) => {
      if (!(await answer(rawArgs[0], call))) await call.start(rawArgs);
    },
  });
}

/** Handles the options that answer and end. Returns false when the server is to be started. */
async function answer(option: string | undefined, call: TreeCall): Promise<boolean> {
  const { terminal } = call;
  switch (option) {
    case "-v":
    case "--version":
      terminal.out(`${versionText(call.personality)}\n`);
      terminal.exit(0);
      return true;
    case "-h":
    case "--help":
      terminal.out(await helpText(call));
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

async function helpText(call: TreeCall): Promise<string> {
  const server = serverCommand(call);
  const tree = defineCommand({
    meta: { name: "redis-ts", version: REDIS_TS_VERSION, description: "A Redis-compatible server in one executable" },
    args: SERVER_OPTIONS,
    subCommands: {
      server: { meta: { description: "Run the server (the default)" } },
      "check-rdb": { meta: { description: "Check a snapshot (RDB) file" } },
      "check-aof": { meta: { description: "Check an append-only file, and repair it" } },
    },
  });
  const usage = await renderUsage(call.mode.kind === "tree" ? tree : server);
  const text = `${usage.trimEnd()}\n\n${examples(call.mode.name)}`;
  return call.terminal.colors ? text : Bun.stripANSI(text);
}
