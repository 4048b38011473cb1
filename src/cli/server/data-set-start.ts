/**
 * When a server gets its data set's part: persistence and replication, which are two fifths of the code. With something to start with, a file or a
 * primary, at once. Otherwise not before it is needed: by the first command about files or other servers, by FLUSHALL with save points, by a change of a setting
 * that it follows, by the end of the server, or by its first rest (first-rest.ts). Until then nothing has asked for a file, a log or a replica; what keys have
 * changed by then is counted as ever (engine.dirty).
 */
import type { Cron } from "../../engine/cron.ts";
import type { Engine } from "../../engine/engine.ts";
import { fileExists } from "../../persistence/file-exists.ts";
import type { DataSet, DataSetLife } from "./data-set.ts";

/** What is needed of the process: also that it calls `beforeEnd` when a shutdown begins. */
export interface DataSetStartLife extends DataSetLife {
  beforeEnd: () => void;
  /** What is done in its first rest, one after the other. */
  dataSetSteps: readonly (() => void)[];
}

/** Settings whose changes concern the data set. */
const FOLLOWED_SETTINGS = [
  "appendonly",
  "aof-disable-auto-gc",
  "save",
  "stop-writes-on-bgsave-error",
  "min-replicas-to-write",
  "min-replicas-max-lag",
  "repl-backlog-size",
  "replica-serve-stale-data",
] as const;

/** Parts of the code: all of it at once would keep clients waiting for 10 ms. */
const CODE_STEPS: readonly (() => void)[] = [
  () => require("../../persistence/snapshot/snapshot.ts") as unknown,
  () => require("../../persistence/persistence.ts") as unknown,
  () => require("../../persistence/aof/append-only.ts") as unknown,
  () => require("../../replication/replication.ts") as unknown,
  () => require("./data-set.ts") as unknown,
];

export class DataSetStart {
  readonly #engine: Engine;
  readonly #cron: Cron;
  readonly #life: DataSetStartLife;
  #joined = false;

  constructor(engine: Engine, cron: Cron, life: DataSetStartLife) {
    this.#engine = engine;
    this.#cron = cron;
    this.#life = life;
  }

  /** Before the sockets are open: joins what must be there from the start. */
  prepare(): DataSet | null {
    const { appendonly, appenddirname, dbfilename, replicaof } = this.#engine.config.values;
    if (appendonly || replicaof !== null || fileExists(dbfilename) || fileExists(appenddirname)) return this.#join();
    const join = (): void => {
      if (!this.#joined) this.#join().startEmpty();
    };
    this.#engine.joinDataSet = join;
    this.#engine.commands.beforeLoading = (isPlain) => {
      if (isPlain) this.#engine.keyspace.open();
      else join();
    };
    this.#life.beforeEnd = join;
    // What the data set does about such a change is called next: it stands behind this one by then.
    this.#engine.config.onApply(FOLLOWED_SETTINGS, () => {
      join();
      return null;
    });
    this.#life.dataSetSteps = [...CODE_STEPS, join];
    return null;
  }

  #join(): DataSet {
    this.#joined = true;
    this.#engine.keyspace.open();
    const { DataSet } = require("./data-set.ts") as typeof import("./data-set.ts");
    return new DataSet(this.#engine, this.#cron, this.#life);
  }
}
