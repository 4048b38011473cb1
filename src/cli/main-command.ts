/**
 * The command line: finds out which program this is and starts the server with redis-server's arguments untouched.
 *
 * A plain start goes straight to the server. The command tree is a module of its own, loaded when an option or a
 * subcommand asks for it, because loading it takes longer than everything else before the server is up.
 */

import { REDIS_TS_VERSION } from "../base/version.ts";
import { choosePersonality, type Personality } from "../config/personality.ts";
import { modeOf } from "./modes.ts";
import { processTerminal, type Terminal } from "./terminal.ts";
import { runTool } from "./tools/tools.ts";

/** Starts the server; resolves when it runs. Arguments are redis-server's, without the program's name. */
export type StartServer = (personality: Personality, serverArgv: readonly string[]) => Promise<void>;

/**
 * First arguments that are answered without starting a server. As in redis-server they count only as the first:
 * `--requirepass --help` sets a password.
 */
const ANSWERED = new Set(["-v", "--version", "-h", "--help", "--check-system", "--test-memory"]);

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
  const { personality, args } = choice;
  const mode = modeOf(argv0, args);
  if (mode.kind === "missing") {
    terminal.err(`${mode.name} is not part of redis-ts ${REDIS_TS_VERSION}.\n`);
    terminal.exit(1);
    return;
  }
  if (mode.kind === "tool") {
    terminal.exit(await runTool(mode.tool, { program: mode.name, args: mode.args, personality, terminal }));
    return;
  }
  const first = args[0];
  const isPlainStart = first === undefined || !(ANSWERED.has(first) || (mode.kind === "tree" && first === "server"));
  if (isPlainStart) {
    await start(personality, args);
    return;
  }
  const { runTree } = await import("./command-tree.ts");
  await runTree({ mode, args, personality, start: (serverArgv) => start(personality, serverArgv), terminal });
}
