/**
 * A server as a process: what happens around engine and sockets from the start to the end. The order of the start is what scripts and test suites rely on:
 * banner, sockets, "Server initialized", the data set, "Ready to accept connections".
 */
import { nodeFs } from "../../base/system-calls.ts";
import { absolutePath } from "../../config/argv.ts";
import { toBinary } from "../../config/binary.ts";
import type { Cron } from "../../engine/cron.ts";
import type { Engine } from "../../engine/engine.ts";
import type { CrashCause, ProcessPort, ShutdownOptions } from "../../engine/ports.ts";
import type { Server } from "../../net/server.ts";
import { logBanner } from "./banner.ts";
import { OomScore } from "./oom-score.ts";
import { pidfilePath, removePidfile, writePidfile } from "./pidfile.ts";
import { applyProcessSettings } from "./server-process-settings.ts";
import { Shutdown, type ShutdownStep } from "./server-process-shutdown.ts";
import { dieBySignal, handleSignals } from "./signals.ts";
import type { Supervisor } from "./supervisor.ts";

/** How long after the start what was put off for its sake begins to be done. */
const REST_DELAY_MS = 20;

/** What a process is made of. */
export interface ProcessParts {
  readonly engine: Engine;
  readonly server: Server;
  readonly cron: Cron;
  /** The name that the program was started under. */
  readonly argv0: string;
  /** The server runs as a daemon. */
  readonly inBackground: boolean;
  readonly supervisor: Supervisor | null;
}

export class ServerProcess implements ProcessPort {
  readonly executable: string;
  /** Called when a shutdown begins, before its steps are asked. */
  beforeEnd: () => void = () => {};
  /** What the data set has put off. */
  dataSetSteps: readonly (() => void)[] = [];
  readonly #parts: ProcessParts;
  readonly #shutdown: Shutdown;
  readonly #oomScore: OomScore;
  #pidfile: string | null = null;
  #crashed = false;

  /** Becomes the engine's process. */
  constructor(parts: ProcessParts) {
    this.#parts = parts;
    const { engine, argv0 } = parts;
    const hasPath = argv0.includes("/");
    this.executable = hasPath ? absolutePath(toBinary(argv0), toBinary(process.cwd())) : toBinary(process.execPath);
    this.#shutdown = new Shutdown(engine, {
      begun: () => {
        parts.supervisor?.tell("STOPPING=1\n");
        this.beforeEnd();
      },
      end: () => this.#end(),
      endNow: () => process.exit(1),
    });
    this.#oomScore = new OomScore(engine.config, engine.log);
    engine.process = this;
  }

  /** Adds something that has a say in the end of the server. */
  addShutdownStep(step: ShutdownStep): void {
    this.#shutdown.addStep(step);
  }

  /** The first half of the start: up to listening sockets. False, and the reason is in the log, when the server cannot be. */
  open(): boolean {
    const { engine, server, argv0 } = this.#parts;
    const { log, config } = engine;
    const isReplica = (engine.replication?.primary ?? null) !== null;
    log.setRole(isReplica ? "S" : "M");
    this.#oomScore.setRole(isReplica);
    if (!applyProcessSettings(engine, argv0, this.#oomScore)) return false;
    logBanner(log, config);
    if (!this.#hasNoModules()) return false;
    const failure = server.start();
    if (failure !== null) {
      log.warning(failure);
      return false;
    }
    // Not before: a server that cannot listen must not put its number into the file of the one that does.
    this.#pidfile = pidfilePath(config, this.#parts.inBackground);
    if (this.#pidfile !== null) writePidfile(this.#pidfile, log);
    this.#handleEvents();
    log.notice("Server initialized");
    return true;
  }

  /** The second half: from here on clients are served. */
  serve(): void {
    const { engine, server, cron, supervisor } = this.#parts;
    cron.onRun(() => server.cron());
    cron.onRun(() => this.#shutdown.tend());
    cron.start();
    for (const kind of server.kinds) engine.log.notice(`Ready to accept connections ${kind}`);
    setTimeout(() => this.#rest(), REST_DELAY_MS);
    supervisor?.tell("STATUS=Ready to accept connections\nREADY=1\n");
    const { maxmemory } = engine.config.values;
    if (maxmemory > 0 && maxmemory < 1024 * 1024) {
      engine.log.warning(`WARNING: maxmemory is ${maxmemory} bytes, less than 1 MB. Is this what you want?`);
    }
  }

  #rest(): void {
    const { engine, argv0 } = this.#parts;
    const { beginRest } = require("./first-rest.ts") as typeof import("./first-rest.ts");
    beginRest({ engine, argv0, dataSetSteps: this.dataSetSteps });
  }

  /** Modules are C libraries, which this server cannot load: it fails on them as Redis does on a library that it cannot load. */
  #hasNoModules(): boolean {
    const { config, log } = this.#parts.engine;
    for (const [path] of config.modules) {
      log.warning(`Module ${path} failed to load: redis-ts cannot run modules`);
      log.warning(`Can't load module from ${path}: server aborting`);
      return false;
    }
    if (config.moduleSettings.size === 0) return true;
    log.warning("Module Configuration detected without loadmodule directive or no ApplyConfig call: aborting");
    return false;
  }

  #handleEvents(): void {
    handleSignals({
      log: this.#parts.engine.log,
      end: (signal) => this.#shutdown.receive(signal),
      crash: (signal) => this.crash({ signal }),
    });
    process.on("uncaughtException", (error) => this.#crashByError(error));
    process.on("unhandledRejection", (error) => this.#crashByError(error));
  }

  setRole(isReplica: boolean): void {
    this.#oomScore.setRole(isReplica);
  }

  get childOomScore(): number | null {
    return this.#oomScore.childScore;
  }

  // ---- ends

  shutdown(options: ShutdownOptions, finished: () => void): "failed" | "waiting" {
    return this.#shutdown.begin(options, finished);
  }

  abortShutdown(): boolean {
    return this.#shutdown.abort();
  }

  get shutdownInMs(): number | null {
    return this.#shutdown.waitsMs;
  }

  /** The clean end. */
  #end(): never {
    const { engine, server, cron } = this.#parts;
    const { log, config } = engine;
    if (this.#pidfile !== null) removePidfile(this.#pidfile, log);
    server.endTurn();
    if (config.values.unixsocket !== "") {
      log.notice("Removing the unix socket file.");
      try {
        nodeFs().unlinkSync(Buffer.from(config.values.unixsocket, "latin1"));
      } catch {
        // Somebody else has removed it.
      }
    }
    server.stop();
    cron.stop();
    log.warning(`${config.personality.title} is now ready to exit, bye bye...`);
    process.exit(0);
  }

  crash(cause: CrashCause): never {
    this.#report(cause);
    if ("signal" in cause) dieBySignal(cause.signal);
    if (this.#parts.engine.config.values.useExitOnPanic || process.platform === "win32") process.exit(1);
    dieBySignal("SIGABRT");
  }

  /** A mistake of ours: the state can no longer be trusted. */
  #crashByError(error: unknown): never {
    this.crash({ kind: "ASSERTION FAILED", error });
  }

  #report(cause: CrashCause): void {
    // A report that fails must not be reported.
    if (this.#crashed) process.exit(1);
    this.#crashed = true;
    const { reportCrash } = require("./crash-report.ts") as typeof import("./crash-report.ts");
    reportCrash(this.#parts.engine, cause);
  }
}
