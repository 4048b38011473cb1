/**
 * Loads a snapshot that comes in pieces from a connection. The reader holds no more of it than the element that it reads and the piece that it was given last.
 * Nothing that is wrong with the bytes is fatal: whoever sent them is asked again.
 */
import type { Engine } from "../../engine/engine.ts";
import type { Database } from "../../keyspace/database.ts";
import { Fault, RdbError } from "../../rdb/error.ts";
import type { RdbReader } from "../../rdb/file-reader.ts";
import { LoadPace } from "./load-pace.ts";
import { KeyLoader, loadedLine, type RdbLoadStats, readerInto } from "./rdb-load.ts";

/** Elements between looks at the clock. */
const STEP_BUDGET = 256;

export interface RdbStreamOptions {
  /** Where keys go: one for each database of the server. */
  readonly databases: readonly Database[];
  /** Is told of the facts in the header. */
  readonly onAux: (name: string, value: string) => void;
}

export class RdbStreamLoad {
  readonly #engine: Engine;
  readonly #keys: KeyLoader;
  readonly #reader: RdbReader;
  readonly #pace: LoadPace;

  constructor(engine: Engine, options: RdbStreamOptions) {
    this.#engine = engine;
    this.#pace = new LoadPace(engine);
    this.#keys = new KeyLoader(engine, { ...options, replaces: false, keepsExpired: true });
    this.#reader = readerInto(engine, this.#keys);
  }

  get stats(): RdbLoadStats {
    return this.#keys.stats;
  }

  /** Bytes that have been read: where the snapshot ends, once it is done. */
  get offset(): number {
    return this.#reader.position;
  }

  /** Takes bytes that follow those so far; they are copied. */
  feed(bytes: Uint8Array): void {
    this.#reader.feed(bytes);
  }

  /** What was fed and not read: what follows the snapshot, once it is done. */
  unread(): Uint8Array {
    return this.#reader.unread();
  }

  /** Frees what has been read of a key that is not complete. */
  discard(): void {
    this.#reader.discard();
  }

  /**
   * Goes on until about `endUs` of the monotonic clock. "starved": it needs feed(). A number: nothing can be done for so many ms. "failed": the reason is in
   * the log.
   */
  step(endUs: number): "more" | "starved" | "done" | "failed" | number {
    const { clock } = this.#engine;
    const pace = this.#pace;
    try {
      do {
        const { waitMs } = pace;
        if (waitMs > 0) return waitMs;
        const before = this.stats.keysLoaded;
        const state = this.#reader.step(pace.isSet ? 1 : STEP_BUDGET);
        pace.loaded(this.stats.keysLoaded - before);
        if (state === "starved") return "starved";
        if (state === "done") {
          this.#engine.log.notice(loadedLine(this.stats));
          return "done";
        }
      } while (clock.monotonicUs() < endUs);
      return "more";
    } catch (error) {
      if (!(error instanceof RdbError)) throw error;
      this.#report(error);
      return "failed";
    }
  }

  /** The connection has ended in the middle: says so. */
  reportEnd(): void {
    this.#engine.log.warning("Short read or OOM loading DB. Unrecoverable error, aborting now.");
    this.#internalError(this.offset, "Unexpected EOF reading RDB file");
  }

  #report(error: RdbError): void {
    const { log } = this.#engine;
    if (error.fault === Fault.Signature || error.fault === Fault.Version) {
      log.warning(error.text);
      return;
    }
    if (error.fault === Fault.Checksum) log.warning(error.text);
    this.#internalError(error.offset, error.fault === Fault.Checksum ? "RDB CRC error" : error.text);
  }

  #internalError(offset: number, text: string): void {
    const { log } = this.#engine;
    log.warning(`Internal error in RDB reading offset ${offset}, function at rdb-load -> ${text}`);
    log.warning("Failure loading rdb format from socket, assuming connection error, resuming operation.");
  }
}
