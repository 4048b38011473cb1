/** The pipe to a process that writes a file (file-child.ts): bytes go through it in frames, and it may be full. */
import type { ByteSink, SnapshotTarget } from "../snapshot/snapshot.ts";
import { FRAME_HEAD_BYTES } from "./file-child.ts";

export class ChildPipe implements ByteSink, SnapshotTarget {
  readonly #stdin: Bun.FileSink;
  readonly #head = new Uint8Array(FRAME_HEAD_BYTES);
  readonly #drained: () => void;
  /** Bytes given to a pipe that was full, since it last was empty. */
  #pending = 0;
  #closed = false;

  /** `drained` is called when a full pipe has emptied. */
  constructor(stdin: Bun.FileSink, drained: () => void) {
    this.#stdin = stdin;
    this.#drained = drained;
  }

  /** Drops what comes from here on. */
  close(): void {
    this.#closed = true;
  }

  /** Appends `bytes[start, end)`, which are copied. */
  write(bytes: Uint8Array, start: number, end: number): void {
    if (this.#closed || end === start) return;
    const length = end - start;
    this.#frame(length);
    this.#send(bytes.subarray(start, end));
  }

  #frame(length: number): void {
    for (let i = 0; i < FRAME_HEAD_BYTES; i++) this.#head[i] = length >>> (8 * i);
    this.#send(this.#head, false);
  }

  #send(bytes: Uint8Array, flush = true): void {
    const stdin = this.#stdin;
    let result: unknown;
    try {
      const written: unknown = stdin.write(bytes);
      // A write that waits makes no promise of its own that matters: the flush behind it waits for both.
      if (written instanceof Promise) written.catch(() => {});
      if (!flush) return;
      result = stdin.flush();
    } catch {
      this.#closed = true;
      return;
    }
    if (!(result instanceof Promise)) return;
    this.#pending += bytes.length + FRAME_HEAD_BYTES;
    result.then(
      () => this.#emptied(),
      () => this.#emptied(),
    );
  }

  #emptied(): void {
    if (this.#pending === 0) return;
    this.#pending = 0;
    this.#drained();
  }

  pendingBytes(): number {
    return this.#pending;
  }

  /** All bytes have been given: the child may complete the file. */
  finish(): void {
    if (this.#closed) return;
    this.#frame(0);
    this.#closed = true;
    this.#end();
  }

  #end(): void {
    try {
      const ended: unknown = this.#stdin.end();
      if (ended instanceof Promise) ended.catch(() => {});
    } catch {
      // The child has gone; its end is told by itself.
    }
  }
}
