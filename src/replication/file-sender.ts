/** Sends the file of a snapshot to a replica: its length, then its bytes, as fast as the socket takes them. The file may be replaced or deleted meanwhile. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { errnoText } from "../config/errno.ts";
import { pathBytes } from "../persistence/disk.ts";
import type { Replica } from "./replica.ts";

const CHUNK_BYTES = 64 * 1024;
/** Bytes that are sent before others have their turn. */
const TURN_BYTES = 4 * 1024 * 1024;
/** Every sender reads into it: what is read is sent, or copied, at once. */
const chunk = new Uint8Array(CHUNK_BYTES);

export class FileSender {
  readonly #replica: Replica;
  readonly #path: string;
  #fd = -1;
  #left = 0;
  #done: (failure: string | null) => void = () => {};

  /** `path` is a latin1 string. */
  constructor(replica: Replica, path: string) {
    this.#replica = replica;
    this.#path = path;
  }

  /** Begins; null, or why not. `done(null)` is called when all has been sent, `done(reason)` when the file cannot be read; never when the replica goes. */
  start(done: (failure: string | null) => void): string | null {
    try {
      this.#fd = openSync(pathBytes(this.#path), "r");
      this.#left = fstatSync(this.#fd).size;
    } catch (error) {
      this.close();
      return errnoText(error);
    }
    this.#done = done;
    const replica = this.#replica;
    replica.onSent = () => this.#pump();
    replica.onDrop = () => this.close();
    replica.sendText(`$${this.#left}\r\n`);
    if (replica.aheadBytes === 0) this.#pump();
    return null;
  }

  #pump(): void {
    let turn = TURN_BYTES;
    while (this.#fd !== -1 && this.#left > 0 && this.#replica.aheadBytes === 0) {
      if (turn <= 0) {
        setImmediate(() => this.#pump());
        return;
      }
      let count: number;
      try {
        count = readSync(this.#fd, chunk, 0, Math.min(CHUNK_BYTES, this.#left), null);
      } catch (error) {
        this.#end(errnoText(error));
        return;
      }
      if (count === 0) {
        this.#end("premature EOF");
        return;
      }
      this.#left -= count;
      turn -= count;
      this.#replica.send(chunk, 0, count);
    }
    if (this.#fd !== -1 && this.#left === 0 && this.#replica.aheadBytes === 0) this.#end(null);
  }

  #end(failure: string | null): void {
    this.close();
    this.#done(failure);
  }

  /** Lets go of the file. */
  close(): void {
    this.#replica.onSent = () => {};
    this.#replica.onDrop = () => {};
    if (this.#fd !== -1) closeSync(this.#fd);
    this.#fd = -1;
  }
}
