/**
 * The one file that knows everyone: command line -> configuration -> engine -> listening sockets. It only joins; what a part does
 * stands in the part's own folder.
 */
import { Arena } from "./arena/arena.ts";
import { SystemClock } from "./base/clock.ts";
import { Logger } from "./base/log.ts";
import { SystemMemory } from "./base/os-memory.ts";
import { Prng, randomSeed } from "./base/prng.ts";
import { runCommandLine } from "./cli/main-command.ts";
import { COMMANDS } from "./commands/index.ts";
import { parseCommandLine } from "./config/argv.ts";
import { toBinary } from "./config/binary.ts";
import { Config, loadErrorText } from "./config/config.ts";
import type { Personality } from "./config/personality.ts";
import { Cron } from "./engine/cron.ts";
import { Engine } from "./engine/engine.ts";
import { applyRenames, renameDirective } from "./engine/rename-command.ts";
import { registerEngineSettings } from "./engine/settings.ts";
import { Keyspace } from "./keyspace/keyspace.ts";
import { Server } from "./net/server.ts";

/** Starts the server; exits with status 1 after one clear line when it cannot. */
async function startServer(personality: Personality, argv: readonly string[]): Promise<void> {
  const clock = new SystemClock();
  const config = loadConfig(personality, argv);
  const log = new Logger({ clock, level: config.values.loglevel, file: config.values.logfile });
  for (const warning of config.takeWarnings()) log.warning(warning);
  const keyspace = new Keyspace(
    new Arena(randomSeed(), randomSeed(), new SystemMemory()),
    config.values.databases,
    new Prng(randomSeed()),
  );
  const engine = new Engine(config, keyspace, clock, COMMANDS);
  applyRenames(engine.commands, config);
  registerEngineSettings(engine, log);
  log.raw("notice", `\n ${personality.title} ${personality.redisVersion}, PID: ${process.pid}\n\n`);
  const server = new Server(engine);
  for (const address of ["127.0.0.1"]) {
    try {
      server.listen(address, config.values.port);
    } catch {
      log.warning(`Failed listening on port ${config.values.port} (tcp), aborting.`);
      process.exit(1);
    }
  }
  log.notice("Server initialized");
  const cron = new Cron(engine);
  cron.onRun(() => server.cron());
  cron.start();
  log.notice("Ready to accept connections tcp");
}

function loadConfig(personality: Personality, argv: readonly string[]): Config {
  const command = parseCommandLine(argv.map(toBinary), toBinary(process.cwd()), "redis-ts");
  const config = new Config({ personality });
  if (command.kind !== "serve") return config;
  config.onDirective("rename-command", renameDirective(COMMANDS));
  const error = config.load({ file: command.file, stdin: command.stdin, options: command.options });
  if (error !== null) {
    process.stderr.write(loadErrorText(error, personality));
    process.exit(1);
  }
  return config;
}

await runCommandLine(process.argv0, process.argv.slice(2), startServer);
