/**
 * The one file that knows everyone: command line -> configuration -> engine -> listening sockets. It only joins; what a part does
 * stands in the part's own folder.
 */
import { Arena } from "./arena/arena.ts";
import { SystemClock } from "./base/clock.ts";
import { compileFromHereOn } from "./base/compilation.ts";
import { SystemMemory } from "./base/os-memory.ts";
import { Prng, randomSeed } from "./base/prng.ts";
import { runCommandLine } from "./cli/main-command.ts";
import { logOpening } from "./cli/server/banner.ts";
import { isDaemon, reportDaemonUp, startDaemon } from "./cli/server/daemonize.ts";
import { DataSetStart } from "./cli/server/data-set-start.ts";
import { ServerProcess } from "./cli/server/server-process.ts";
import { loadServerConfig, openLog } from "./cli/server/server-process-config.ts";
import { Supervisor } from "./cli/server/supervisor.ts";
import { STDOUT_FD, writeText } from "./cli/terminal.ts";
import { COMMANDS } from "./commands/index.ts";
import type { Personality } from "./config/personality.ts";
import { Cron } from "./engine/cron.ts";
import { Engine } from "./engine/engine.ts";
import { registerEngineSettings } from "./engine/settings.ts";
import { applyRenames, renameDirective } from "./engine/spec/rename-command.ts";
import { Keyspace } from "./keyspace/keyspace.ts";
import { EXCHANGE_CHILD_ARGUMENT } from "./net/exchange-order.ts";
import { Server } from "./net/server.ts";
import { FILE_CHILD_ARGUMENT } from "./persistence/child/file-order.ts";

/** Starts the server; ends the process with status 1 after one clear line when it cannot. */
async function startServer(personality: Personality, args: readonly string[]): Promise<void> {
  const clock = new SystemClock();
  const folder = process.cwd();
  const loaded = loadServerConfig({ personality, args, onRename: renameDirective(COMMANDS) }, clock);
  if (loaded === null) process.exit(1);
  const { config, stdin } = loaded;
  const { values } = config;
  const log = openLog(config, clock);
  const inBackground = isDaemon();
  const supervisor = inBackground ? null : Supervisor.find(config, log);
  if (values.daemonize && supervisor === null && !inBackground) process.exit(await startDaemon({ folder, stdin }));
  logOpening(log, config, process.argv0, args.length === 0);
  for (const warning of config.takeWarnings()) log.warning(warning);

  const arena = new Arena(randomSeed(), randomSeed(), new SystemMemory());
  const keyspace = new Keyspace(arena, values.databases, new Prng(randomSeed()));
  const engine = new Engine(config, keyspace, clock, COMMANDS);
  applyRenames(engine.commands, config);
  registerEngineSettings(engine, log);
  const server = new Server(engine);
  const cron = new Cron(engine);
  const life = new ServerProcess({ engine, server, cron, argv0: process.argv0, inBackground, supervisor });
  const dataSet = new DataSetStart(engine, cron, life).prepare();
  if (!life.open()) process.exit(1);
  if (inBackground) reportDaemonUp();
  const serve = (ok: boolean): void => {
    if (!ok) process.exit(1);
    life.serve();
  };
  if (dataSet === null) serve(true);
  else dataSet.load(serve);
}

if (process.argv[2] === FILE_CHILD_ARGUMENT) {
  compileFromHereOn();
  const { runFileChild } = await import("./persistence/child/file-child.ts");
  const { status, line } = runFileChild(process.argv[3]);
  if (line !== "") writeText(STDOUT_FD, line);
  process.exit(status);
}
if (process.argv[2] === EXCHANGE_CHILD_ARGUMENT) {
  const { runExchangeChild } = await import("./net/exchange-child.ts");
  writeText(STDOUT_FD, await runExchangeChild());
  process.exit(0);
}
await runCommandLine(process.argv0, process.argv.slice(2), startServer);
