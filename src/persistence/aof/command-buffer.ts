/** Commands on their way to the file of a log: what was propagated, with SELECT where the database changes, and the time in between. */
import { copyBytes, latin1Bytes } from "../../base/bytes.ts";
import { selectCommand } from "../../engine/propagation.ts";

const CAPACITY_START = 64 * 1024;
/** A buffer that grew beyond this is let go when it has been written. */
const CAPACITY_KEEP = 1024 * 1024;

export class CommandBuffer {
  /** bytes[0, length) wait. */
  bytes = new Uint8Array(CAPACITY_START);
  length = 0;
  /** Database that the last command was run in; -1: not known. */
  #selected = -1;
  /** Seconds of the last timestamp. */
  #timestamp = 0;

  /** Bytes of memory that it takes. */
  get capacity(): number {
    return this.bytes.length;
  }

  /** Adds a command, `length` bytes at `offset`, that was run in database `dbId`; -1: wherever. */
  add(dbId: number, bytes: Uint8Array, offset: number, length: number): void {
    if (dbId !== -1 && dbId !== this.#selected) {
      this.#selected = dbId;
      const select = selectCommand(dbId);
      this.#append(select, 0, select.length);
    }
    this.#append(bytes, offset, length);
  }

  #append(bytes: Uint8Array, offset: number, length: number): void {
    const at = this.length;
    if (at + length > this.bytes.length) this.#grow(at + length);
    copyBytes(bytes, offset, this.bytes, at, length);
    this.length = at + length;
  }

  /** Adds the time, in Unix seconds, unless it stands there already. */
  stamp(seconds: number): void {
    if (seconds <= this.#timestamp) return;
    this.#timestamp = seconds;
    const line = latin1Bytes(`#TS:${seconds}\r\n`);
    this.#append(line, 0, line.length);
  }

  #grow(least: number): void {
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, least + (least >> 3)));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  /** The next command is preceded by a SELECT, whatever came before. */
  forgetSelection(): void {
    this.#selected = -1;
  }

  /** Forgets `count` bytes in front. */
  consume(count: number): void {
    this.bytes.copyWithin(0, count, this.length);
    this.length -= count;
  }

  /** Forgets all bytes. */
  clear(): void {
    this.length = 0;
    if (this.bytes.length > CAPACITY_KEEP) this.bytes = new Uint8Array(CAPACITY_START);
  }
}
