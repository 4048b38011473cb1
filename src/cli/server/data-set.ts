/** The data set of a server as a process: the parts that keep it on disk and that share it with other servers, put together, and what it starts with. */

import { compileFromHereOn } from "../../base/compilation.ts";
import type { Cron } from "../../engine/cron.ts";
import type { Engine } from "../../engine/engine.ts";
import { SocketDialer } from "../../net/dial.ts";
import { readTlsClientOptions } from "../../net/tls-options.ts";
import { AppendOnly } from "../../persistence/aof/append-only.ts";
import { AofBaseWriter } from "../../persistence/aof/base-writer.ts";
import { ChildSlot } from "../../persistence/child/child-slot.ts";
import { fileExists } from "../../persistence/file-exists.ts";
import { Loading } from "../../persistence/loading.ts";
import { Persistence } from "../../persistence/persistence.ts";
import { RdbFileLoad } from "../../persistence/rdb/rdb-load.ts";
import { Rehearsal } from "../../persistence/rdb/rehearsal.ts";
import { Snapshot } from "../../persistence/snapshot/snapshot.ts";
import { Replication } from "../../replication/replication.ts";
import type { ShutdownStep } from "./server-process-shutdown.ts";

/** What a data set needs of the process that has it. */
export interface DataSetLife {
  addShutdownStep(step: ShutdownStep): void;
}

export class DataSet {
  readonly snapshot: Snapshot;
  readonly slot = new ChildSlot();
  readonly loading: Loading;
  readonly persistence: Persistence;
  readonly appendOnly: AppendOnly;
  readonly replication: Replication;
  readonly #engine: Engine;

  constructor(engine: Engine, cron: Cron, life: DataSetLife) {
    this.#engine = engine;
    const { slot } = this;
    const snapshot = new Snapshot(engine);
    const loading = new Loading(engine);
    const exit = (): never => process.exit(1);
    slot.onChange = (isActive) => {
      engine.keyspace.arena.tablesStay = isActive;
    };
    this.snapshot = snapshot;
    this.loading = loading;
    this.persistence = new Persistence(engine, { snapshot, slot, loading, exit });
    this.appendOnly = new AppendOnly({
      engine,
      loading,
      openSnapshot: (fd) => this.#openBase(fd),
      base: new AofBaseWriter({ engine, snapshot, slot }),
      exit,
    });
    const { persistence, appendOnly } = this;
    const rehearsal = new Rehearsal(engine, snapshot);
    const dialer = new SocketDialer({
      tlsOptions: () => readTlsClientOptions(engine.config.values),
      startTurn: () => engine.startTurn(),
    });
    engine.dialer = dialer;
    this.replication = new Replication({ engine, snapshot, slot, loading, persistence, appendOnly, dialer });
    this.#joinLog();
    cron.onRun(() => this.persistence.tend());
    cron.onRun(() => rehearsal.tend());
    cron.onRun(() => this.appendOnly.cron());
    cron.onRun(() => this.replication.cron());
    process.on("exit", () => this.persistence.leave());
    life.addShutdownStep(this.replication.shutdownStep);
    life.addShutdownStep({
      finish: (options) => this.appendOnly.shutdown(options) && this.persistence.shutDown(options),
    });
  }

  /** Whoever waits for the disk waits for an offset of the replication stream. */
  #joinLog(): void {
    const { writer } = this.appendOnly.log;
    const { replication } = this;
    writer.replicationOffset = () => replication.offset;
    // Not at once: a log that ends is synced once more, but who waits for it learns that it has ended.
    writer.onSynced = () => replication.primarySide.waits.checkSoon();
  }

  /** The snapshot that an append-only file begins with. */
  #openBase(fd: number): RdbFileLoad {
    return new RdbFileLoad(this.#engine, fd, { replaces: false, keepsExpired: true });
  }

  /** Loads what the server starts with. `done(false)`: the reason is in the log, and the server must not start. */
  load(done: (ok: boolean) => void): void {
    const { appendonly, dbfilename } = this.#engine.config.values;
    // Loading is worth compiled code, which a start by itself is not (server-process.ts).
    if (appendonly || fileExists(dbfilename)) compileFromHereOn();
    if (!this.appendOnly.readManifest()) done(false);
    else if (appendonly) this.appendOnly.startUp(done);
    else this.#loadSnapshot(done);
  }

  /** Starts with nothing: there was no file when the server started, and by now `dir` may be another folder, whose files are not its own. */
  startEmpty(): void {
    this.replication.restore(new Map());
  }

  /** Loads the file of a snapshot; the point of a history that it was made at is where replication goes on. */
  #loadSnapshot(done: (ok: boolean) => void): void {
    const { persistence, replication } = this;
    const facts = new Map<string, string>();
    persistence.onStartAux = (name, value) => facts.set(name, value);
    persistence.onStartExpired = (dbId, key) => replication.expiredAtStart(dbId, key);
    persistence.startUp((ok) => {
      if (ok) replication.restore(facts);
      done(ok);
    });
  }
}
