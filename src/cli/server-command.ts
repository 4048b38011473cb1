/**
 * The `server` command of the tree. Its option definitions serve the help text only: redis-server's command line has its
 * own grammar (an option's values are the words up to the next `--`, files and `-` come first), so the words are handed
 * on exactly as they came.
 */

import { type ArgsDef, type CommandDef, defineCommand } from "citty";
import { REDIS_TS_VERSION } from "../base/version.ts";

/** Options that the command line itself understands; all others are directives of redis.conf. */
export const SERVER_OPTIONS: ArgsDef = {
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

/** Receives the words after the command's name, untouched. */
export type ServerRunner = (args: readonly string[]) => Promise<void>;

/** The server as a command called `name`. */
export function serverCommand(name: string, run: ServerRunner): CommandDef {
  return defineCommand({
    meta: { name, version: REDIS_TS_VERSION, description: "Run the server" },
    args: SERVER_OPTIONS,
    run: (context) => run(context.rawArgs),
  });
}

/** What follows the generated part of the help text. */
export function serverExamples(name: string): string {
  return `Every directive of redis.conf is an option too: two dashes, its name, its values.

EXAMPLES

  ${name}
  ${name} /etc/redis/redis.conf
  ${name} --port 7777 --save 900 1 --loglevel verbose
  ${name} /etc/redis/redis.conf --replicaof 127.0.0.1 8888
  echo 'maxmemory 128mb' | ${name} -
`;
}
