/**
 * Saves snapshots to disk: at once, while everything else waits, or in the background, where a walk in slices (snapshot.ts) gives its bytes to a child
 * process (child-file.ts). Either way the file gets its name when it is complete and on disk; until then an older one stands there untouched.
 */
import { toBinary } from "../../config/binary.ts";
import { errnoText } from "../../config/errno.ts";
import type { Engine } from "../../engine/engine.ts";
import { dictScan, RefList } from "../../struct/dict/dict.ts";
import type { ChildEnd } from "../child/child-file.ts";
import { FileFault, NewFile } from "../disk.ts";
import { ChildSnapshot, type SnapshotParts } from "../snapshot/child-snapshot.ts";
import type { ByteSink, SnapshotFormat, SnapshotTarget } from "../snapshot/snapshot.ts";
import { type RdbAux, RdbFormat } from "./rdb-format.ts";

/** Bytes of a file between two syncs when rdb-save-incremental-fsync is on. */
const SYNC_BYTES = 4 * 1024 * 1024;
/** How a server stops its own child: no failure. */
const STOPPED = "SIGUSR1";

/** Facts for the header that others know: about replication. */
export type AuxSource = () => readonly RdbAux[];

/** Bytes between two syncs of a file that is being saved. */
export function syncBytes(engine: Engine): number {
  return engine.config.values.rdbSaveIncrementalFsync ? SYNC_BYTES : 0;
}

/** Writes all keys at once. `afterKey` is called behind each. */
export function writeAllKeys(engine: Engine, format: SnapshotFormat, afterKey: () => void = () => {}): void {
  const { arena, databases } = engine.keyspace;
  const list = new RefList();
  format.open();
  for (const { id, size, expiresSize, dict } of databases) {
    if (size === 0) continue;
    const db = { id, size, expiresSize };
    let cursor = 0;
    do {
      list.count = 0;
      cursor = dictScan(arena, dict, cursor, list);
      for (let i = 0; i < list.count; i++) {
        format.main.begin(list.refs[i], db);
        while (!format.main.step(Number.POSITIVE_INFINITY));
        afterKey();
      }
    } while (cursor !== 0);
  }
  format.close();
}

/** Waits as rdb-key-save-delay says: for tests of a save that takes long. */
function keyDelay(engine: Engine): () => void {
  let owedUs = 0;
  return () => {
    const { rdbKeySaveDelay } = engine.config.values;
    if (rdbKeySaveDelay === 0) return;
    owedUs += rdbKeySaveDelay > 0 ? rdbKeySaveDelay : -1 / rdbKeySaveDelay;
    if (owedUs < 1000) return;
    Bun.sleepSync(owedUs / 1000);
    owedUs = 0;
  };
}

/** The log line for a file that could not be written; `temporary` and `name` are its two names. */
export function saveFaultText(fault: FileFault, temporary: string, name: string): string {
  const reason = errnoText(fault.reason);
  const folder = toBinary(process.cwd());
  switch (fault.step) {
    case "open":
      return `Failed opening the temp RDB file ${temporary} (in server root dir ${folder}) for saving: ${reason}`;
    case "write":
      return `Write error while saving DB to the disk(rdbSaveRio): ${reason}`;
    case "fsync":
      return `Write error while saving DB to the disk(fsync): ${reason}`;
    case "rename":
      return `Error moving temp DB file ${temporary} on the final destination ${name} (in server root dir ${folder}): ${reason}`;
    default:
      return `Failed to fsync directory while saving DB: ${reason}`;
  }
}

/** Saves the data set to the file `name` before it returns; false, and the reason is in the log, when that failed. */
export function saveNow(engine: Engine, name: string, aux: readonly RdbAux[], isAofBase = false): boolean {
  const temporary = `temp-${process.pid}.rdb`;
  const checksum = engine.config.values.rdbchecksum ? "format" : "nobody";
  let file: NewFile | null = null;
  try {
    file = new NewFile(temporary, syncBytes(engine));
    writeAllKeys(engine, new RdbFormat(engine, file, { checksum, aux, isAofBase, inSlices: false }), keyDelay(engine));
    file.finish(name);
    return true;
  } catch (error) {
    if (!(error instanceof FileFault)) {
      file?.discard();
      throw error;
    }
    engine.log.warning(saveFaultText(error, temporary, name));
    return false;
  }
}

/** Saves the data set to a file of this process in slices, others' events in between: for a server that ends, and must still notice signals. */
export class SlicedSave implements ByteSink, SnapshotTarget {
  readonly #parts: SnapshotParts;
  readonly #name: string;
  readonly #temporary = `temp-${process.pid}.rdb`;
  readonly #done: (ok: boolean) => void;
  #file: NewFile | null = null;
  #fault: FileFault | null = null;

  /** Begins. `done(false)`: the reason is in the log. No snapshot must be in progress. */
  constructor(parts: SnapshotParts, name: string, aux: readonly RdbAux[], done: (ok: boolean) => void) {
    this.#parts = parts;
    this.#name = name;
    this.#done = done;
    parts.snapshot.whenReady(() => this.#begin(aux));
  }

  #begin(aux: readonly RdbAux[]): void {
    const { engine, snapshot } = this.#parts;
    const { values } = engine.config;
    this.#attempt(() => {
      this.#file = new NewFile(this.#temporary, syncBytes(engine));
    });
    if (this.#fault !== null) {
      this.#end();
      return;
    }
    const checksum = values.rdbchecksum ? "format" : "nobody";
    const format = new RdbFormat(engine, this, { checksum, aux, isAofBase: false, inSlices: false });
    snapshot.start(format, this, { delaysKeys: true });
  }

  #attempt(act: () => void): void {
    if (this.#fault !== null) return;
    try {
      act();
    } catch (error) {
      if (!(error instanceof FileFault)) throw error;
      this.#fault = error;
    }
  }

  #end(): void {
    if (this.#fault !== null) this.#parts.engine.log.warning(saveFaultText(this.#fault, this.#temporary, this.#name));
    this.#done(this.#fault === null);
  }

  /** The file cannot be completed any more: deletes it. */
  discard(): void {
    this.#file?.discard();
  }

  write(bytes: Uint8Array, start: number, end: number): void {
    this.#attempt(() => this.#file?.write(bytes, start, end));
  }

  pendingBytes(): number {
    return 0;
  }

  finish(): void {
    this.#attempt(() => this.#file?.finish(this.#name));
    this.#end();
  }
}

/** How a save in the background has ended; `stopped`: by the server's own will. */
export type SaveOutcome = "saved" | "failed" | "stopped";

/** How a save in the background may differ from others. */
export interface BackgroundOptions {
  /** Version of the format. */
  readonly version?: number;
  /** Called at the instant whose state is saved. */
  readonly begun?: () => void;
}

/** A save in the background. */
export class BackgroundSave {
  readonly #parts: SnapshotParts;
  readonly #child: ChildSnapshot;
  readonly #done: (outcome: SaveOutcome) => void;
  /** Changes up to the beginning of the last walk. */
  dirtyBefore = 0;

  /** `done` is called when a save has ended. */
  constructor(parts: SnapshotParts, done: (outcome: SaveOutcome) => void) {
    this.#parts = parts;
    this.#child = new ChildSnapshot(parts);
    this.#done = done;
  }

  get isActive(): boolean {
    return this.#child.isActive;
  }

  /** Begins to save to the file `name`; false, and the reason is in the log, when that failed. No child process must run. */
  start(name: string, aux: AuxSource, options: BackgroundOptions = {}): boolean {
    const { engine } = this.#parts;
    const { log, config } = engine;
    const checksum = config.values.rdbchecksum;
    try {
      const pid = this.#child.start({
        kind: "rdb",
        file: {
          temporary: "temp-%.rdb",
          name,
          syncBytes: syncBytes(engine),
          checksum,
          processors: config.values.bgsaveCpulist,
        },
        title: `${config.personality.name}-rdb-bgsave`,
        begin: (sink) => {
          this.dirtyBefore = engine.dirty;
          options.begun?.();
          const by = checksum ? "receiver" : "nobody";
          const { version } = options;
          const format = { checksum: by, aux: aux(), isAofBase: false, inSlices: true } as const;
          return new RdbFormat(engine, sink, version === undefined ? format : { ...format, version });
        },
        done: (end, path) => this.#ended(end, path, name),
      });
      log.notice(`Background saving started by pid ${pid}`);
      return true;
    } catch (error) {
      log.warning(`Can't save in background: fork: ${errnoText(error)}`);
      return false;
    }
  }

  #ended(end: ChildEnd, temporary: string, name: string): void {
    const { log } = this.#parts.engine;
    let outcome: SaveOutcome = "failed";
    if ("signal" in end) {
      log.warning(`Background saving terminated by signal ${end.number}`);
      if (end.signal === STOPPED) outcome = "stopped";
    } else if (end.status !== 0) {
      if (end.fault !== null) log.warning(saveFaultText(end.fault, temporary, name));
      log.warning("Background saving error");
    } else {
      log.notice("DB saved on disk");
      log.notice("Background saving terminated with success");
      outcome = "saved";
    }
    this.#done(outcome);
  }

  /** Stops the save that is under way; its end comes later. */
  stop(): void {
    this.#child.stop();
  }

  /** The same for a server that ends right afterwards: its end is not told. */
  stopNow(): void {
    this.#child.stopNow();
  }
}
