/**
 * A full sync without a file: the data set is loaded as it comes. With `repl-diskless-load swapdb` it is loaded beside the present one, which takes over only when
 * all has come, and which is served meanwhile if the new one is a later state of it.
 */
import { Database } from "../keyspace/database.ts";
import { RdbStreamLoad } from "../persistence/rdb/rdb-stream-load.ts";
import {
  flushAll,
  MARK_LENGTH,
  NOTHING,
  sameBytes,
  stopWriters,
  syncWord,
  type Transfer,
  type TransferDone,
  type TransferForm,
  type TransferParts,
} from "./transfer.ts";

export interface SocketTransferOptions {
  /** Load beside the present data set. */
  readonly swaps: boolean;
  /** The present data set is an earlier state of the same history. */
  readonly serves: boolean;
}

export class SocketTransfer implements Transfer {
  readBytes = 0;
  readonly #parts: TransferParts;
  readonly #form: TransferForm;
  readonly #done: TransferDone;
  readonly #swaps: boolean;
  /** Where keys go: the server's databases, or others. */
  readonly #databases: Database[];
  readonly #load: RdbStreamLoad;
  #dbId = 0;
  /** Bytes beyond the announced length: they belong to the stream. */
  #rest: Uint8Array = NOTHING;
  #scheduled = false;
  /** All keys have been loaded. */
  #complete = false;
  #lost = false;
  #over = false;

  constructor(parts: TransferParts, form: TransferForm, options: SocketTransferOptions, done: TransferDone) {
    const { engine, loading, attach } = parts;
    const { keyspace, log } = engine;
    this.#parts = parts;
    this.#form = form;
    this.#done = done;
    this.#swaps = options.swaps;
    stopWriters(parts, false);
    if (options.swaps) {
      this.#databases = keyspace.databases.map((db) => new Database(keyspace, db.id));
      keyspace.staging = this.#databases;
    } else {
      this.#databases = keyspace.databases;
      attach();
      log.notice(`${syncWord(engine)}: Flushing old data`);
      flushAll(engine);
    }
    log.notice(`${syncWord(engine)}: Loading DB in memory`);
    loading.start(Math.max(0, form.length), options.swaps && options.serves);
    this.#load = new RdbStreamLoad(engine, {
      databases: this.#databases,
      onAux: (name, value) => {
        if (name === "repl-stream-db") this.#dbId = Number.parseInt(value, 10) || 0;
      },
    });
  }

  get isBusy(): boolean {
    return this.#scheduled;
  }

  received(bytes: Uint8Array): void {
    if (this.#over) return;
    const { length } = this.#form;
    const count = length < 0 ? bytes.length : Math.min(bytes.length, length - this.readBytes);
    this.readBytes += count;
    if (count < bytes.length) this.#rest = Buffer.concat([this.#rest, bytes.subarray(count)]);
    if (count > 0) this.#load.feed(count === bytes.length ? bytes : bytes.subarray(0, count));
    if (this.#scheduled) return;
    if (this.#complete) this.#checkEnd();
    else this.#step();
  }

  /** Loads what has come, in slices. */
  #step(): void {
    const { loading, peer } = this.#parts;
    let state: ReturnType<RdbStreamLoad["step"]> = "more";
    loading.slice((endUs) => {
      state = this.#load.step(endUs);
      return "done";
    });
    loading.progress(this.#load.offset);
    this.#after(state);
    if (this.#scheduled) peer.pause();
    else peer.resume();
  }

  #after(state: ReturnType<RdbStreamLoad["step"]>): void {
    if (state === "more") this.#schedule(0);
    else if (typeof state === "number") this.#schedule(state);
    else if (state === "failed") this.#fail();
    else if (state === "done") {
      this.#complete = true;
      this.#checkEnd();
    } else if (this.#lost || (this.#form.length >= 0 && this.readBytes >= this.#form.length)) {
      this.#load.reportEnd();
      this.#fail();
    }
  }

  #schedule(delayMs: number): void {
    this.#scheduled = true;
    const next = (): void => {
      this.#scheduled = false;
      if (!this.#over) this.#step();
    };
    if (delayMs === 0) setImmediate(next);
    else setTimeout(next, delayMs);
  }

  /** All keys are there: is the rest what it must be? */
  #checkEnd(): void {
    const { length, mark } = this.#form;
    if (length >= 0) {
      if (this.readBytes >= length) this.#succeed();
      else if (this.#lost) this.#fail();
      return;
    }
    const behind = this.#load.unread();
    if (behind.length < MARK_LENGTH) {
      if (this.#lost) this.#fail();
      return;
    }
    if (!sameBytes(behind.subarray(0, MARK_LENGTH), mark)) {
      this.#parts.engine.log.warning("Replication stream EOF marker is broken");
      this.#fail();
      return;
    }
    this.#rest = behind.slice(MARK_LENGTH);
    this.#succeed();
  }

  #succeed(): void {
    const { engine, loading, attach } = this.#parts;
    const { keyspace, log } = engine;
    this.#over = true;
    if (this.#swaps) {
      attach();
      log.notice(`${syncWord(engine)}: Swapping active DB with loaded DB`);
      engine.ownKeys.clear();
      for (const db of keyspace.databases) {
        engine.watches.touchAll(db.id, this.#databases[db.id]);
        db.swapContent(this.#databases[db.id]);
      }
      this.#dropStaging();
      log.notice(`${syncWord(engine)}: Discarding old DB in background`);
    }
    engine.dirty++;
    loading.finish();
    this.#done({ ok: true, rest: this.#rest, dbId: this.#dbId });
  }

  #fail(): void {
    const { engine } = this.#parts;
    const { log, config } = engine;
    log.warning(
      `Failed trying to load the ${config.personality.primaryWordUpper} synchronization DB from socket, check server logs.`,
    );
    this.#discard();
    this.#done({ ok: false, rest: NOTHING, dbId: 0 });
  }

  /** Takes back what has been loaded. */
  #discard(): void {
    const { engine, loading } = this.#parts;
    this.#over = true;
    this.#load.discard();
    loading.finish();
    if (this.#swaps) {
      this.#dropStaging();
      engine.log.notice(`${syncWord(engine)}: Discarding temporary DB in background`);
    } else {
      engine.log.notice(`${syncWord(engine)}: Discarding the half-loaded data`);
      flushAll(engine);
    }
  }

  /** Gives the content of the databases away that are not the server's. */
  #dropStaging(): void {
    const { keyspace } = this.#parts.engine;
    keyspace.staging = null;
    for (const db of this.#databases) {
      const { size } = db;
      db.hashExpiry.clear(true);
      keyspace.lazyFree.addContent({ dict: db.dict, expires: db.expires }, size);
    }
  }

  lost(_reason: string): void {
    if (this.#over) return;
    this.#lost = true;
    if (this.#scheduled) return;
    if (this.#complete) {
      this.#checkEnd();
      return;
    }
    this.#load.reportEnd();
    this.#fail();
  }

  abort(): void {
    if (!this.#over) this.#discard();
  }
}
