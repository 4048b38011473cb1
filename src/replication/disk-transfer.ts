/** A full sync through a file: the data set goes to a temporary file, which takes the name of the server's own snapshot once it is complete and is then loaded. */
import { errnoText } from "../config/errno.ts";
import { FileFault, type FileStep, NewFile, removeFile } from "../persistence/disk.ts";
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

/** Bytes between two syncs of the file: at the end there shall not be too much left to do. */
const SYNC_BYTES = 8 * 1024 * 1024;

export class DiskTransfer implements Transfer {
  readBytes = 0;
  readonly #parts: TransferParts;
  readonly #form: TransferForm;
  readonly #done: TransferDone;
  readonly #file: NewFile;
  /** Last bytes that came, held back because they may be the mark or the beginning of it. */
  #tail: Uint8Array = NOTHING;
  #rest: Uint8Array = NOTHING;
  #dbId = 0;
  #loading = false;
  #over = false;

  /** Throws a FileFault when there can be no file. */
  constructor(parts: TransferParts, form: TransferForm, file: NewFile, done: TransferDone) {
    this.#parts = parts;
    this.#form = form;
    this.#file = file;
    this.#done = done;
  }

  get isBusy(): boolean {
    return this.#loading;
  }

  received(bytes: Uint8Array): void {
    if (this.#over) return;
    if (this.#loading) {
      // The connection is paused, but this was on its way.
      this.#rest = Buffer.concat([this.#rest, bytes]);
      return;
    }
    try {
      if (this.#form.length >= 0) this.#takeCounted(bytes);
      else this.#takeMarked(bytes);
    } catch (error) {
      if (!(error instanceof FileFault)) throw error;
      this.#fail(error);
    }
  }

  #takeCounted(bytes: Uint8Array): void {
    const count = Math.min(bytes.length, this.#form.length - this.readBytes);
    this.#file.write(bytes, 0, count);
    this.readBytes += count;
    if (this.readBytes < this.#form.length) return;
    this.#rest = bytes.slice(count);
    this.#complete();
  }

  #takeMarked(bytes: Uint8Array): void {
    this.readBytes += bytes.length;
    const all = this.#tail.length === 0 ? bytes : Buffer.concat([this.#tail, bytes]);
    const held = Math.min(all.length, MARK_LENGTH);
    this.#file.write(all, 0, all.length - held);
    this.#tail = all.slice(all.length - held);
    if (sameBytes(this.#tail, this.#form.mark)) this.#complete();
  }

  /** The file is complete: loads it. */
  #complete(): void {
    const { engine, persistence, attach, peer } = this.#parts;
    const { log, config } = engine;
    const { dbfilename } = config.values;
    const word = syncWord(engine);
    stopWriters(this.#parts, true);
    this.#file.finish(dbfilename);
    this.#loading = true;
    peer.pause();
    attach();
    log.notice(`${word}: Flushing old data`);
    flushAll(engine);
    log.notice(`${word}: Loading DB in memory`);
    const onAux = (name: string, value: string): void => {
      if (name === "repl-stream-db") this.#dbId = Number.parseInt(value, 10) || 0;
    };
    persistence.loadReceived(onAux, (ok) => this.#loaded(ok));
  }

  #loaded(ok: boolean): void {
    if (this.#over) return;
    const { engine, peer } = this.#parts;
    const { log, config } = engine;
    const word = syncWord(engine);
    this.#over = true;
    if (!ok) {
      log.warning(
        `Failed trying to load the ${config.personality.primaryWordUpper} synchronization DB from disk, check server logs.`,
      );
    }
    this.#removeFile();
    if (!ok) {
      log.notice(`${word}: Discarding the half-loaded data`);
      flushAll(engine);
    }
    peer.resume();
    this.#done({ ok, rest: this.#rest, dbId: this.#dbId });
  }

  /** A server that keeps nothing on disk does not keep this either, if it is told so. */
  #removeFile(): void {
    const { values, personality } = this.#parts.engine.config;
    if (!values.rdbDelSyncFiles || values.appendonly || values.save.length > 0) return;
    this.#parts.engine.log.notice(
      `Removing the RDB file obtained from the ${personality.primaryWord}. This replica has persistence disabled`,
    );
    removeFile(values.dbfilename);
  }

  lost(reason: string): void {
    // What is being loaded is complete.
    if (this.#over || this.#loading) return;
    const { engine } = this.#parts;
    engine.log.warning(`I/O error trying to sync with ${engine.config.personality.primaryWordUpper}: ${reason}`);
    this.#file.discard();
    this.#end();
  }

  abort(): void {
    if (this.#over) return;
    this.#over = true;
    if (!this.#loading) this.#file.discard();
  }

  #fail(fault: FileFault): void {
    const { engine } = this.#parts;
    engine.log.warning(
      faultText(fault.step, errnoText(fault.reason), syncWord(engine), engine.config.values.dbfilename),
    );
    this.#end();
  }

  #end(): void {
    this.#over = true;
    this.#done({ ok: false, rest: NOTHING, dbId: 0 });
  }
}

/** Opens the temporary file of a transfer; null, and the reason is in the log, when that fails. */
export function openTransferFile({ engine }: TransferParts): NewFile | null {
  const name = `temp-${Math.floor(engine.clock.nowMs() / 1000)}.${process.pid}.rdb`;
  try {
    return new NewFile(name, SYNC_BYTES);
  } catch (error) {
    if (!(error instanceof FileFault)) throw error;
    engine.log.warning(faultText(error.step, errnoText(error.reason), syncWord(engine), name));
    return null;
  }
}

function faultText(step: FileStep, reason: string, sync: string, file: string): string {
  const what = sync.replace(/ sync$/, " synchronization");
  switch (step) {
    case "open":
      return `Opening the temp file needed for ${what}: ${reason}`;
    case "write":
      return `Write error or short write writing to the DB dump file needed for ${what}: ${reason}`;
    case "fsync":
      return `Failed trying to sync the temp DB to disk in ${what}: ${reason}`;
    case "rename":
      return `Failed trying to rename the temp DB into ${file} in ${what}: ${reason}`;
    default:
      return `Failed trying to sync DB directory ${file} in ${what}: ${reason}`;
  }
}
