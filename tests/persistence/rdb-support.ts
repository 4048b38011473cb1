// RDB files in memory: what a snapshot writes, and loading it into another engine.

import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Ref } from "../../src/arena/arena.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { RdbFormat, type RdbFormatOptions } from "../../src/persistence/rdb/rdb-format.ts";
import { RdbFileLoad, type RdbLoadOptions } from "../../src/persistence/rdb/rdb-load.ts";
import { writeAllKeys } from "../../src/persistence/rdb/rdb-save.ts";
import type { ByteSink, SnapshotTarget } from "../../src/persistence/snapshot/snapshot.ts";
import { KeyWriter } from "../../src/rdb/file-writer.ts";
import { RdbOutput } from "../../src/rdb/output.ts";
import { dictScan, RefList } from "../../src/struct/dict/dict.ts";
import { entryKeyText, entryType, Type } from "../../src/types/entry.ts";
import { fingerprint, type Picture } from "./digest-format.ts";

/** Collects bytes. */
export class MemorySink implements ByteSink, SnapshotTarget {
  readonly #chunks: Buffer[] = [];
  finished = false;

  write(bytes: Uint8Array, start: number, end: number): void {
    this.#chunks.push(Buffer.from(bytes.slice(start, end)));
  }

  pendingBytes(): number {
    return 0;
  }

  finish(): void {
    this.finished = true;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }
}

const OPTIONS: RdbFormatOptions = { checksum: "format", aux: [], isAofBase: false, inSlices: false };

/** The format in which tests write to a sink. */
export function rdbFormat(engine: Engine, sink: ByteSink, options: Partial<RdbFormatOptions> = {}): RdbFormat {
  return new RdbFormat(engine, sink, { ...OPTIONS, ...options });
}

/** The data set as the bytes of a file. */
export function rdbBytes(engine: Engine): Buffer {
  const sink = new MemorySink();
  writeAllKeys(engine, rdbFormat(engine, sink));
  return sink.bytes;
}

/** Loads the bytes of a file; what has become of it. */
export function loadRdb(
  engine: Engine,
  bytes: Uint8Array,
  options: Partial<RdbLoadOptions> = {},
): { state: string; load: RdbFileLoad } {
  const dir = mkdtempSync(join(tmpdir(), "redis-ts-rdb-"));
  const path = join(dir, "dump.rdb");
  writeFileSync(path, bytes);
  const fd = openSync(path, "r");
  try {
    const load = new RdbFileLoad(engine, fd, { replaces: false, keepsExpired: true, ...options });
    let state = load.step(Number.POSITIVE_INFINITY);
    while (state === "more") state = load.step(Number.POSITIVE_INFINITY);
    return { state: String(state), load };
  } finally {
    closeSync(fd);
    rmSync(dir, { recursive: true });
  }
}

/** All that a key holds, streams with their groups. */
function fullPrint(engine: Engine, e: Ref): string {
  const a = engine.keyspace.arena;
  if (entryType(a, e) !== Type.Stream) return fingerprint(a, e);
  const sink = new MemorySink();
  const out = new RdbOutput(sink, { version: 11, compress: false, checksum: false });
  const writer = new KeyWriter(a);
  writer.begin(e, { idleSeconds: -1, frequency: -1 });
  while (!writer.step(out, Number.POSITIVE_INFINITY));
  out.flush();
  return String(Bun.hash(sink.bytes));
}

/** What all databases hold, in full. */
export function fullPicture(engine: Engine): Picture {
  const picture: Picture = new Map();
  const list = new RefList();
  const { arena, databases } = engine.keyspace;
  for (const db of databases) {
    let cursor = 0;
    do {
      list.count = 0;
      cursor = dictScan(arena, db.dict, cursor, list);
      for (let i = 0; i < list.count; i++) {
        const e = list.refs[i];
        picture.set(`${db.id} ${entryKeyText(arena, e)}`, fullPrint(engine, e));
      }
    } while (cursor !== 0);
  }
  return picture;
}
