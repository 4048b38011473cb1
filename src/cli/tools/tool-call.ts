/** How a tool of the Redis family was called: what every tool gets, and the options that every tool has. */
import { REDIS_TS_VERSION } from "../../base/version.ts";
import type { Personality } from "../../config/personality.ts";
import type { Terminal } from "../terminal.ts";

export interface ToolCall {
  /** The name it was started under: "redis-check-aof", "redis-ts check-aof". */
  readonly program: string;
  readonly args: readonly string[];
  readonly personality: Personality;
  readonly terminal: Terminal;
}

/** The line that tells how to use a tool, given what follows its name. */
export function usageLine({ program }: ToolCall, usage: string): string {
  return `Usage: ${program} ${usage}\n`;
}

/** Answers --version and --help, the only argument then. False when neither is asked for. */
export function answerQuestion(call: ToolCall, usage: string): boolean {
  const { args, personality, program, terminal } = call;
  if (args.length !== 1) return false;
  if (args[0] === "-v" || args[0] === "--version") {
    terminal.out(`${program} ${personality.valkeyVersion ?? personality.redisVersion} redis-ts=${REDIS_TS_VERSION}\n`);
    return true;
  }
  if (args[0] !== "-h" && args[0] !== "--help") return false;
  terminal.out(usageLine(call, usage));
  return true;
}
