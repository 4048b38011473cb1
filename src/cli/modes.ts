/**
 * Which program the executable is, by the name it was started under. One file serves all: a link called
 * `redis-server` or `valkey-server` is the server. Names of tools that are not there yet are known, so that a link to one
 * says so instead of starting a server by mistake.
 */

import { isTool } from "./tools/tools.ts";

/** What a name stands for. */
export type Mode =
  /** The whole command tree; arguments may start with a subcommand. */
  | { readonly kind: "tree"; readonly name: string }
  /** The server alone; every argument is one of redis-server's. */
  | { readonly kind: "server"; readonly name: string }
  /** A tool: `tool` is its name without a prefix, `args` what follows it. */
  | { readonly kind: "tool"; readonly name: string; readonly tool: string; readonly args: readonly string[] }
  /** A tool of the Redis family that this version does not contain. */
  | { readonly kind: "missing"; readonly name: string };

const PREFIXES = ["redis-", "valkey-"];
const SERVER_NAMES = new Set(["redis-server", "valkey-server"]);

/** Tools without their prefix; as a subcommand and, after `redis-` or `valkey-`, as the name of a link. */
const MISSING_TOOLS = new Set(["cli", "benchmark", "sentinel"]);

/** The last part of a path, without an extension that only Windows needs. */
export function programName(argv0: string): string {
  const cut = Math.max(argv0.lastIndexOf("/"), argv0.lastIndexOf("\\"));
  const name = argv0.slice(cut + 1);
  return name.endsWith(".exe") || name.endsWith(".EXE") ? name.slice(0, -".exe".length) : name;
}

/** What follows `redis-` or `valkey-` in a name. */
function toolOf(name: string): string | undefined {
  for (const prefix of PREFIXES) if (name.startsWith(prefix)) return name.slice(prefix.length);
  return undefined;
}

/** Mode of a program started as `argv0` with these arguments. */
export function modeOf(argv0: string, args: readonly string[]): Mode {
  const name = programName(argv0);
  if (SERVER_NAMES.has(name)) return { kind: "server", name };
  const tool = toolOf(name);
  if (tool !== undefined && isTool(tool)) return { kind: "tool", name, tool, args };
  if (tool !== undefined && MISSING_TOOLS.has(tool)) return { kind: "missing", name };
  if (args.length > 0 && isTool(args[0]))
    return { kind: "tool", name: `redis-ts ${args[0]}`, tool: args[0], args: args.slice(1) };
  if (args.length > 0 && MISSING_TOOLS.has(args[0]!)) return { kind: "missing", name: `redis-ts ${args[0]}` };
  return { kind: "tree", name: "redis-ts" };
}
