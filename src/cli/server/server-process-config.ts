/** From the words of a command line to a configuration and a log. */
import type { Clock } from "../../base/clock.ts";
import { Logger } from "../../base/log.ts";
import { REDIS_TS_VERSION } from "../../base/version.ts";
import { type CommandLine, parseCommandLine } from "../../config/argv.ts";
import { fromBinary, toBinary } from "../../config/binary.ts";
import { Config, loadErrorText } from "../../config/config.ts";
import { type ConfigHost, osHost, type ReadResult } from "../../config/host.ts";
import type { DirectiveHandler } from "../../config/load.ts";
import type { Personality } from "../../config/personality.ts";
import { STDERR_FD, writeText } from "../terminal.ts";

/** What the server was started with. */
export interface LaunchWords {
  readonly personality: Personality;
  /** Arguments of redis-server, without the program's name. */
  readonly args: readonly string[];
  /** Checks `rename-command` lines while they are read. */
  readonly onRename: DirectiveHandler;
}

/** A configuration that was loaded. */
export interface LoadedConfig {
  readonly config: Config;
  /** The text that came from standard input, latin1; null when it was not read. */
  readonly stdin: string | null;
}

/** Loads the configuration. Null when there is none to start a server with: the reason has been told, and the exit status must be 1. */
export function loadServerConfig(words: LaunchWords, clock: Clock): LoadedConfig | null {
  const { personality } = words;
  const args: string[] = [];
  for (const word of words.args) args.push(toBinary(word));
  const command = parseCommandLine(args, toBinary(process.cwd()), "redis-ts");
  if (command.kind !== "serve") throw new Error(`${command.kind} is not for the server`);
  if (command.sentinel) {
    writeText(STDERR_FD, `Sentinel mode is not part of redis-ts ${REDIS_TS_VERSION}.\n`);
    return null;
  }
  const input = new RememberedInput();
  const config = new Config({ personality, host: input.host });
  config.onDirective("rename-command", words.onRename);
  if (command.stdin) earlyLog(clock).notice("Reading config from stdin");
  return load(config, command, clock) ? { config, stdin: input.text } : null;
}

/** The log before there is a configuration. */
function earlyLog(clock: Clock): Logger {
  return new Logger({ clock, role: "C" });
}

/** Loads; false when that failed, with the reason told where redis-server tells it. */
function load(config: Config, command: CommandLine & { kind: "serve" }, clock: Clock): boolean {
  const error = config.load({ file: command.file, stdin: command.stdin, options: command.options });
  if (error === null) return true;
  const text = fromBinary(loadErrorText(error, config.personality));
  if (error.kind === "file") earlyLog(clock).warning(text);
  else writeText(STDERR_FD, text);
  return false;
}

/** The system, which remembers what was read from standard input: it can be read only once, and a daemon needs it again. */
class RememberedInput {
  text: string | null = null;
  readonly host: ConfigHost = { ...osHost, readStdin: () => this.#read() };

  #read(): ReadResult {
    const result = osHost.readStdin();
    if ("text" in result) this.text = result.text;
    return result;
  }
}

/** The server's log, as the settings have it. Its lines show the role of a process that is not a server yet. */
export function openLog(config: Config, clock: Clock): Logger {
  const { values } = config;
  const log = new Logger({
    clock,
    level: values.loglevel,
    file: fromBinary(values.logfile),
    role: "C",
    starting: true,
  });
  log.setFormat(values.logFormat);
  log.setTimestampFormat(values.logTimestampFormat);
  return log;
}
