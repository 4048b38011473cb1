/** The data set of a server as a process: the parts that keep it on disk, put together, and what it starts with. */

import type { Cron } from "../engine/cron.ts";
import type { Engine } from "../engine/engine.ts";
import { AppendOnly } from "../persistence/aof/append-only.ts";
import { AofBaseWriter } from "../persistence/aof/base-writer.ts";
import { ChildSlot } from "../persistence/child-slot.ts";
import { fileExists } from "../persistence/disk.ts";
import { Loading } from "../persistence/loading.ts";
import { Persistence } from "../persistence/persistence.ts";
import { RdbFileLoad } from "../persistence/rdb-load.ts";
import { Snapshot } from "../persistence/snapshot.ts";
import type { ServerProcess } from "./server-process.ts";

export class DataSet {
  readonly snapshot: Snapshot;
  readonly slot = new ChildSlot();
  readonly loading: Loading;
  readonly persistence: Persistence;
  readonly appendOnly: AppendOnly;
  readonly #engine: Engine;

  constructor(engine: Engine, cron: Cron, life: ServerProcess) {
    this.#engine = engine;
    const { slot } = this;
    const snapshot = new Snapshot(engine);
    const loading = new Loading(engine);
    const exit = (): never => process.exit(1);
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
    cron.onRun(() => this.persistence.tend());
    cron.onRun(() => this.appendOnly.cron());
    process.on("exit", () => this.persistence.leave());
    life.addShutdownStep({
      finish: (options) => this.appendOnly.shutdown(options) && this.persistence.shutDown(options),
    });
  }

  /** The snapshot that an append-only file begins with. */
  #openBase(fd: number): RdbFileLoad {
    return new RdbFileLoad(this.#engine, fd, { replaces: false, keepsExpired: true });
  }

  /** Loads what the server starts with. `done(false)`: the reason is in the log, and the server must not start. */
  load(done: (ok: boolean) => void): void {
    const { appendonly, dbfilename } = this.#engine.config.values;
    // Loading is worth compiled code, which a start by itself is not (server-process.ts).
    if (appendonly || fileExists(dbfilename)) Bun.unsafe.setJITPolicy(1);
    if (!this.appendOnly.readManifest()) done(false);
    else if (appendonly) this.appendOnly.startUp(done);
    else this.persistence.startUp(done);
  }
}
