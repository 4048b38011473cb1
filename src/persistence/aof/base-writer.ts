/** Writes the data set as the base of a log: at once, or in the background by way of a child process, whose file keeps its temporary name until the log takes it over. */
import { errnoText } from "../../config/errno.ts";
import type { ChildEnd } from "../child/child-file.ts";
import { FileFault, NewFile } from "../disk.ts";
import { type ChecksumBy, RdbFormat } from "../rdb/rdb-format.ts";
import { writeAllKeys } from "../rdb/rdb-save.ts";
import { ChildSnapshot, type SnapshotParts } from "../snapshot/child-snapshot.ts";
import type { ByteSink, SnapshotFormat } from "../snapshot/snapshot.ts";
import type { BaseFormat } from "./aof-log.ts";
import type { BaseEnd, BaseWriter } from "./aof-rewrite.ts";
import { CommandFormat } from "./command-format.ts";

/** Bytes between two syncs of a base when aof-rewrite-incremental-fsync is on. */
const SYNC_BYTES = 4 * 1024 * 1024;

export class AofBaseWriter implements BaseWriter {
  readonly #parts: SnapshotParts;
  readonly #child: ChildSnapshot;

  /** `parts` are shared with those who save. */
  constructor(parts: SnapshotParts) {
    this.#parts = parts;
    this.#child = new ChildSnapshot(parts);
  }

  get isSaving(): boolean {
    const { slot } = this.#parts;
    return slot.isActive && slot.kind !== "aof";
  }

  get #syncBytes(): number {
    return this.#parts.engine.config.values.aofRewriteIncrementalFsync ? SYNC_BYTES : 0;
  }

  get #hasChecksum(): boolean {
    return this.#parts.engine.config.values.rdbchecksum;
  }

  writeNow(path: string, format: BaseFormat): string | null {
    const checksum = this.#hasChecksum ? "format" : "nobody";
    try {
      const file = new NewFile(`temp-rewriteaof-${process.pid}.aof`, this.#syncBytes);
      writeAllKeys(this.#parts.engine, this.#formatOf(format, file, checksum, false));
      file.finish(path);
      return null;
    } catch (error) {
      if (!(error instanceof FileFault)) throw error;
      return errnoText(error.reason);
    }
  }

  start(format: BaseFormat, begin: () => boolean, done: (end: BaseEnd, path: string) => void): number | string {
    const checksum = format === "rdb" && this.#hasChecksum;
    try {
      return this.#child.start({
        kind: "aof",
        file: {
          temporary: "temp-rewriteaof-bg-%.aof",
          name: "",
          syncBytes: this.#syncBytes,
          checksum,
          processors: this.#parts.engine.config.values.aofRewriteCpulist,
        },
        title: `${this.#parts.engine.config.personality.name}-aof-rewrite`,
        begin: (sink) => (begin() ? this.#formatOf(format, sink, checksum ? "receiver" : "nobody", true) : null),
        done: (end, path) => done(endOf(end), path),
      });
    } catch (error) {
      return errnoText(error);
    }
  }

  #formatOf(format: BaseFormat, sink: ByteSink, checksum: ChecksumBy, inSlices: boolean): SnapshotFormat {
    const { engine } = this.#parts;
    if (format === "rdb") return new RdbFormat(engine, sink, { checksum, aux: [], isAofBase: true, inSlices });
    const { config, clock, keyspace } = engine;
    const stamp = config.values.aofTimestampEnabled ? `#TS:${Math.floor(clock.nowMs() / 1000)}\r\n` : "";
    return new CommandFormat(keyspace.arena, sink, stamp);
  }

  kill(): number {
    return this.#child.stopNow();
  }
}

function endOf(end: ChildEnd): BaseEnd {
  return "signal" in end ? { signal: end.number } : { status: end.status };
}
