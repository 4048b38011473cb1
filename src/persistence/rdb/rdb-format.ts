/**
 * Snapshots as RDB: a header with facts about the server, then every key behind the number of its database, then the end mark and a checksum.
 *
 *   main lane   -> RdbOutput -> the target
 *   lane aside  -> RdbOutput -> buffers, which merge() appends to the main one
 *
 * Keys of databases may come mixed: a SELECTDB stands wherever the next key is of another database than the one before.
 */
import type { Ref } from "../../arena/arena.ts";
import type { Engine } from "../../engine/engine.ts";
import { idleSeconds, lfuDecayed } from "../../keyspace/lfu.ts";
import { type KeyAccess, KeyWriter, writeRdbEnd, writeRdbHeader, writeSelectDb } from "../../rdb/file-writer.ts";
import { Opcode } from "../../rdb/format.ts";
import { type ByteTarget, RdbOutput, type RdbOutputOptions } from "../../rdb/output.ts";
import { entryAccess } from "../../types/entry.ts";
import { isUnread } from "../../types/unread-value.ts";
import type { SnapshotDatabase, SnapshotFormat, SnapshotLane } from "../snapshot/snapshot.ts";

/** A fact in the header. */
export type RdbAux = readonly [name: string, value: string];

/** Who ends the file with its checksum: the format, whoever gets the bytes (the end mark is the last of them), or nobody (it is zeros). */
export type ChecksumBy = "format" | "receiver" | "nobody";

/** Strings of more bytes are not compressed while clients wait. */
const COMPRESS_MAX = 256 * 1024;

export interface RdbFormatOptions {
  readonly checksum: ChecksumBy;
  /** Facts beside those that every file has. */
  readonly aux: readonly RdbAux[];
  /** The file is the base of an append-only file. */
  readonly isAofBase: boolean;
  /** Version of the format; absent: that of the server's personality. */
  readonly version?: number;
  /** Clients are served meanwhile: nothing may take long. */
  readonly inSlices: boolean;
  /** Neither header nor end, and nothing is handed over before it must be: for a rehearsal. */
  readonly keysOnly?: boolean;
}

/** What access bits mean under the present policy. */
class AccessSource implements KeyAccess {
  idleSeconds = -1;
  frequency = -1;
  readonly #engine: Engine;
  /** The policy that the next two follow from. */
  #policy = "";
  #byIdleTime = false;
  #byFrequency = false;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  read(e: Ref): void {
    const { keyspace, config } = this.#engine;
    const { maxmemoryPolicy } = config.values;
    if (maxmemoryPolicy !== this.#policy) this.#follow(maxmemoryPolicy);
    if (this.#byIdleTime) this.idleSeconds = idleSeconds(keyspace, entryAccess(keyspace.arena, e));
    if (this.#byFrequency) this.frequency = lfuDecayed(keyspace, entryAccess(keyspace.arena, e));
  }

  #follow(policy: string): void {
    this.#policy = policy;
    this.#byIdleTime = policy.endsWith("-lru");
    this.#byFrequency = policy.endsWith("-lfu");
    this.idleSeconds = -1;
    this.frequency = -1;
  }
}

class RdbLane implements SnapshotLane {
  readonly out: RdbOutput;
  readonly #engine: Engine;
  readonly #keys: KeyWriter;
  readonly #access: AccessSource;
  /** Databases that have been announced with their sizes: of both lanes. */
  readonly #announced: Set<number>;
  #selected = -1;
  /** The key is passed over: its value cannot be read. */
  #passes = false;

  constructor(engine: Engine, target: ByteTarget, options: RdbOutputOptions, announced: Set<number>) {
    this.#engine = engine;
    this.out = new RdbOutput(target, options);
    this.#keys = new KeyWriter(engine.keyspace.arena);
    this.#access = new AccessSource(engine);
    this.#announced = announced;
  }

  begin(e: Ref, db: SnapshotDatabase): void {
    this.#passes = isUnread(this.#engine.keyspace.arena, e);
    if (this.#passes) return;
    if (db.id !== this.#selected) this.#select(db);
    this.#access.read(e);
    this.#keys.begin(e, this.#access);
  }

  #select(db: SnapshotDatabase): void {
    this.#selected = db.id;
    if (this.#announced.has(db.id)) {
      this.out.byte(Opcode.SelectDb);
      this.out.length(db.id);
      return;
    }
    this.#announced.add(db.id);
    writeSelectDb(this.out, db.id, db.size, db.expiresSize);
  }

  step(budget: number): boolean {
    return this.#passes || this.#keys.step(this.out, budget);
  }

  /** Whatever comes next says which database it is of. */
  forgetSelection(): void {
    this.#selected = -1;
  }
}

/** Keeps copies of what it is given. */
class Buffers implements ByteTarget {
  chunks: Uint8Array[] = [];

  write(bytes: Uint8Array, start: number, end: number): void {
    this.chunks.push(bytes.slice(start, end));
  }
}

export class RdbFormat implements SnapshotFormat {
  readonly main: RdbLane;
  readonly aside: RdbLane;
  readonly #engine: Engine;
  readonly #options: RdbFormatOptions;
  readonly #kept = new Buffers();

  constructor(engine: Engine, target: ByteTarget, options: RdbFormatOptions) {
    this.#engine = engine;
    this.#options = options;
    const { values, personality } = engine.config;
    const output: RdbOutputOptions = {
      version: options.version ?? personality.rdbVersion,
      compress: values.rdbcompression,
      checksum: false,
      ...(options.inSlices ? { compressMax: COMPRESS_MAX } : {}),
    };
    const announced = new Set<number>();
    this.main = new RdbLane(engine, target, { ...output, checksum: options.checksum === "format" }, announced);
    this.aside = new RdbLane(engine, this.#kept, output, announced);
  }

  open(): void {
    if (this.#options.keysOnly === true) return;
    const { config, memory } = this.#engine;
    const { personality } = config;
    const version: RdbAux =
      personality.name === "valkey"
        ? ["valkey-ver", personality.valkeyVersion ?? personality.redisVersion]
        : ["redis-ver", personality.redisVersion];
    writeRdbHeader(this.main.out, [
      version,
      ["redis-bits", "64"],
      ["ctime", String(Math.floor(this.#engine.clock.nowMs() / 1000))],
      ["used-mem", String(memory.usedBytes)],
      ...this.#options.aux,
      ["aof-base", this.#options.isAofBase ? "1" : "0"],
    ]);
  }

  merge(): void {
    this.aside.out.flush();
    for (const chunk of this.#kept.chunks) this.main.out.rawBytes(chunk, 0, chunk.length);
    this.#kept.chunks = [];
    this.main.forgetSelection();
    this.aside.forgetSelection();
  }

  close(): void {
    if (this.#options.keysOnly === true) return;
    const { out } = this.main;
    if (this.#options.checksum === "receiver") out.byte(Opcode.Eof);
    else writeRdbEnd(out);
    out.flush();
  }
}
