/**
 * Loads a snapshot from a file, in steps: reads a piece, lets the RDB reader make keys of it, puts them into their databases. The reader holds no more
 * of the file than the element that it reads.
 */
import { fstatSync, readSync } from "node:fs";
import type { Ref } from "../../arena/arena.ts";
import { latin1 } from "../../base/bytes.ts";
import { errnoText } from "../../config/errno.ts";
import type { Engine } from "../../engine/engine.ts";
import { readingLimits } from "../../engine/rdb-limits.ts";
import type { Database } from "../../keyspace/database.ts";
import { Fault, RdbError } from "../../rdb/error.ts";
import { type RdbHandler, RdbReader } from "../../rdb/file-reader.ts";
import { dictEntryHash, PREFETCH_MAX } from "../../struct/dict/dict.ts";
import { ENTRY_KEY_OFFSET, entryHasExpiry, entryKeyCopy, entryKeyText, setEntryAccess } from "../../types/entry.ts";
import { LoadPace } from "./load-pace.ts";

/** What the reader does with the data set. */
export interface RdbLoadOptions {
  /** A key that exists gives way; else it is a fatal error. */
  readonly replaces: boolean;
  /** Keys whose time has come are loaded all the same: what follows in an append-only file, or from a primary, deletes them. */
  readonly keepsExpired: boolean;
  /** Is told of the facts in the header. */
  readonly onAux?: (name: string, value: string) => void;
  /** Is told of keys that are not loaded because they have expired; the key is its own. */
  readonly onExpired?: (dbId: number, key: Uint8Array) => void;
  /** Bytes that cannot be right are no reason to end the process: there is another source to ask. */
  readonly isForgiven?: boolean;
  /** Where keys go, one for each database of the server; absent: into the server's databases. */
  readonly databases?: readonly Database[];
  /** Bytes of the file: what it says of the number of its keys is believed as far as they can hold so many. */
  readonly bytes?: number;
}

/** What a load has come to. */
export interface RdbLoadStats {
  keysLoaded: number;
  keysExpired: number;
  emptyKeys: number;
}

/** The line that a load ends with. */
export function loadedLine({ keysLoaded, keysExpired, emptyKeys }: RdbLoadStats): string {
  const tail = emptyKeys > 0 ? `, empty keys skipped: ${emptyKeys}` : "";
  return `Done loading RDB, keys loaded: ${keysLoaded}, keys expired: ${keysExpired}${tail}.`;
}

const CHUNK_BYTES = 256 * 1024;
/** A key takes at least so many bytes of a file: a type, and lengths of a key and a value. */
const KEY_BYTES_MIN = 3;
/** Elements between looks at the clock. */
const STEP_BUDGET = 256;
/** Empty keys that are named in the log. */
const EMPTY_NAMED_MAX = 10;

/** Puts what was read into the databases. */
export class KeyLoader implements RdbHandler {
  readonly stats: RdbLoadStats = { keysLoaded: 0, keysExpired: 0, emptyKeys: 0 };
  readonly #engine: Engine;
  readonly #options: RdbLoadOptions;
  /** Keys that expired before this time are not loaded. */
  readonly #nowMs: number;
  readonly #databases: readonly Database[];
  #db: Database;
  position: () => number = () => 0;
  /** Hashes of the keys that were announced, and how many of these keys have come. */
  readonly #hashes = new Int32Array(PREFETCH_MAX);
  #came = 0;
  /** Those of them that expire. */
  readonly #expiringHashes = new Int32Array(PREFETCH_MAX);
  /** Keeps the loads of prefetching alive. */
  #fetched = 0;

  constructor(engine: Engine, options: RdbLoadOptions) {
    this.#engine = engine;
    this.#options = options;
    this.#nowMs = engine.clock.nowMs();
    this.#databases = options.databases ?? engine.keyspace.databases;
    this.#db = this.#databases[0];
  }

  version(_version: number): void {}

  aux(name: string, bytes: Uint8Array): void {
    const { log } = this.#engine;
    const value = latin1(bytes, 0, bytes.length);
    switch (name.toLowerCase()) {
      case "redis-ver":
        log.notice(`Loading RDB produced by Redis version ${value}`);
        break;
      case "valkey-ver":
        log.notice(`Loading RDB produced by Valkey version ${value}`);
        break;
      case "ctime":
        log.notice(`RDB age ${Math.max(0, Math.floor(this.#nowMs / 1000) - Number(value))} seconds`);
        break;
      case "used-mem":
        log.notice(`RDB memory usage when created ${(Number(value) / (1024 * 1024)).toFixed(2)} Mb`);
        break;
      case "aof-preamble":
        if (Number(value) !== 0) log.notice("RDB has an AOF tail");
        break;
      case "aof-base":
        if (Number(value) !== 0) log.notice("RDB is base AOF");
        break;
      default:
        if (name.startsWith("%")) log.notice(`RDB '${name}': ${value}`);
    }
    this.#options.onAux?.(name, value);
  }

  selectDb(id: number): void {
    const db = this.#databases[id];
    if (db === undefined) {
      const count = this.#databases.length;
      throw new RdbError(
        Fault.Unsupported,
        `FATAL: Data file was created with a ${this.#engine.config.personality.title} server configured to handle more than ${count} databases. Exiting`,
        this.position(),
      );
    }
    this.#db = db;
  }

  resizeDb(size: number, expiresSize: number): void {
    const keysMax = Math.floor((this.#options.bytes ?? 0) / KEY_BYTES_MIN);
    if (size <= keysMax && expiresSize <= size) this.#db.reserve(size, expiresSize);
  }

  prepare(entries: Int32Array, count: number): void {
    const { arena } = this.#engine.keyspace;
    const hashes = this.#hashes;
    const expiring = this.#expiringHashes;
    let expiringCount = 0;
    for (let i = 0; i < count; i++) {
      const hash = dictEntryHash(arena, entries[i], ENTRY_KEY_OFFSET);
      hashes[i] = hash;
      if (entryHasExpiry(arena, entries[i])) expiring[expiringCount++] = hash;
    }
    this.#came = 0;
    this.#fetched ^= this.#db.prefetch(hashes, count, expiring, expiringCount);
  }

  functionLibrary(_code: Uint8Array): void {
    this.#engine.log.warning("RDB has a library of functions, which this server does not know: it is passed over");
  }

  checksum(isPresent: boolean): void {
    if (!isPresent) this.#engine.log.notice("RDB file was saved with checksum disabled: no check performed.");
  }

  emptyKey(key: Uint8Array): void {
    this.stats.emptyKeys++;
    if (this.stats.emptyKeys <= EMPTY_NAMED_MAX)
      this.#engine.log.notice(`rdbLoadObject skipping empty key: ${latin1(key, 0, key.length)}`);
  }

  key(e: Ref, expiryMs: number, idleSeconds: number, frequency: number): void {
    const { keyspace } = this.#engine;
    const hash = this.#hashes[this.#came++];
    if (expiryMs !== -1 && expiryMs < this.#nowMs && !this.#options.keepsExpired) {
      this.#options.onExpired?.(this.#db.id, entryKeyCopy(keyspace.arena, e));
      keyspace.discard(e);
      this.stats.keysExpired++;
      return;
    }
    const db = this.#db;
    setEntryAccess(keyspace.arena, e, keyspace.accessOfUsed(idleSeconds, frequency));
    const old = db.add(e, hash);
    if (old !== 0) this.#replace(old, e, hash);
    this.stats.keysLoaded++;
  }

  /** The key of `e` is there already, with the entry `old`. */
  #replace(old: Ref, e: Ref, hash: number): void {
    const { keyspace } = this.#engine;
    const db = this.#db;
    if (!this.#options.replaces) {
      const text = `RDB has duplicated key '${entryKeyText(keyspace.arena, e)}' in DB ${db.id}`;
      keyspace.discard(e);
      throw new RdbError(Fault.Corrupt, text, this.position());
    }
    db.remove(old, hash);
    db.insert(e, hash);
  }
}

/** A reader of a snapshot, as the settings have it, whose keys go to `keys`. */
export function readerInto(engine: Engine, keys: KeyLoader): RdbReader {
  const { values, personality } = engine.config;
  const limits = readingLimits(engine, values.sanitizeDumpPayload === "yes");
  const reader = new RdbReader(engine.keyspace.arena, limits, keys, {
    checkChecksum: values.rdbchecksum && !engine.debug.skipsChecksums,
    versionMax: personality.rdbVersionMax,
  });
  keys.position = () => reader.position;
  return reader;
}

export class RdbFileLoad {
  readonly #engine: Engine;
  readonly #fd: number;
  readonly #options: RdbLoadOptions;
  readonly #keys: KeyLoader;
  readonly #reader: RdbReader;
  readonly #readInto = (buf: Uint8Array, at: number, bytes: number): number =>
    readSync(this.#fd, buf, at, bytes, this.#read);
  /** Bytes of the file that have been read, the reader's or not. */
  #read = 0;
  #ended = false;
  readonly #pace: LoadPace;
  /** Why it failed; null while it has not. */
  error: RdbError | null = null;

  /** The file `fd` is read from its beginning; it is the caller's to close. */
  constructor(engine: Engine, fd: number, options: RdbLoadOptions) {
    this.#engine = engine;
    this.#pace = new LoadPace(engine);
    this.#fd = fd;
    this.#options = options;
    this.#keys = new KeyLoader(engine, { ...options, bytes: fstatSync(fd).size });
    this.#reader = readerInto(engine, this.#keys);
  }

  /** Did it fail because of bytes that cannot be right? A server does not go on with half of such a file. */
  get isFatal(): boolean {
    const { error } = this;
    return (
      error !== null && error.fault !== Fault.Signature && error.fault !== Fault.Version && !this.#options.isForgiven
    );
  }

  get stats(): RdbLoadStats {
    return this.#keys.stats;
  }

  /** Position in the file up to which it has come; behind the snapshot when it is done. */
  get offset(): number {
    return this.#reader.position;
  }

  /** Goes on until about `endUs` of the monotonic clock. A number: nothing can be done for so many ms. "failed": the reason is in the log. */
  step(endUs: number): "more" | "done" | "failed" | number {
    const { clock, config } = this.#engine;
    const endOffset = this.offset + config.values.loadingProcessEventsIntervalBytes;
    try {
      for (;;) {
        const { waitMs } = this.#pace;
        if (waitMs > 0) return waitMs;
        if (this.#advance()) return this.#finish();
        if (clock.monotonicUs() >= endUs || this.offset >= endOffset) return "more";
      }
    } catch (error) {
      if (!(error instanceof RdbError)) throw error;
      this.error = error;
      this.#report(error);
      return "failed";
    }
  }

  /** One step of the reader, with what it needs; true when all is read. */
  #advance(): boolean {
    const before = this.stats.keysLoaded;
    const state = this.#reader.step(this.#pace.isSet ? 1 : STEP_BUDGET);
    this.#pace.loaded(this.stats.keysLoaded - before);
    if (state === "done") return true;
    if (state === "starved") this.#feed();
    return false;
  }

  #feed(): void {
    let count: number;
    try {
      count = this.#ended ? 0 : this.#reader.feedBy(CHUNK_BYTES, this.#readInto);
    } catch (error) {
      throw new RdbError(Fault.Truncated, errnoText(error), this.offset);
    }
    if (count === 0) {
      this.#ended = true;
      this.#reader.end();
    }
    this.#read += count;
  }

  #finish(): "done" {
    this.#engine.log.notice(loadedLine(this.stats));
    return "done";
  }

  #report(error: RdbError): void {
    const { log } = this.#engine;
    switch (error.fault) {
      case Fault.Signature:
      case Fault.Version:
        log.warning(error.text);
        return;
      case Fault.Truncated:
        log.warning("Short read or OOM loading DB. Unrecoverable error, aborting now.");
        this.#internalError(error.offset, error.text);
        break;
      case Fault.Checksum:
        log.warning(error.text);
        this.#internalError(error.offset, "RDB CRC error");
        break;
      default:
        this.#internalError(error.offset, error.text);
    }
    if (this.isFatal) log.warning("Terminating server after rdb file reading failure.");
  }

  #internalError(offset: number, text: string): void {
    this.#engine.log.warning(`Internal error in RDB reading offset ${offset}, function at rdb-load -> ${text}`);
  }
}
