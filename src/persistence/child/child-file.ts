/**
 * The parent's side of a file that a child process writes (file-child.ts): bytes go through a pipe, in frames, and the pipe may be full. The process is
 * there from the moment of construction, so that operators and tests find it; its end is told once.
 *
 * Invariant: `done` is called exactly once, and never within the constructor.
 */
import { createFile, type FileFault, removeFile } from "../disk.ts";
import type { ByteSink, SnapshotTarget } from "../snapshot/snapshot.ts";
import { FRAME_HEAD_BYTES, faultOfLine, temporaryName } from "./file-child.ts";
import { FILE_CHILD_ARGUMENT, type FileOrder } from "./file-order.ts";

/** How a child has ended: by itself with a status (and what failed, if it has said so), or by a signal. */
export type ChildEnd =
  | { readonly status: number; readonly fault: FileFault | null }
  | { readonly signal: string; readonly number: number };

/** Numbers of the signals that end children. */
const SIGNAL_NUMBERS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGPIPE: 13,
  SIGTERM: 15,
};

export class ChildFile implements ByteSink, SnapshotTarget {
  readonly pid: number;
  /** Bytes of the file so far. */
  bytesWritten = 0;
  readonly #order: FileOrder;
  readonly #process: Bun.Subprocess<"pipe", "pipe", "inherit">;
  readonly #head = new Uint8Array(FRAME_HEAD_BYTES);
  readonly #drained: () => void;
  /** Bytes given to a pipe that was full, since it last was empty. */
  #pending = 0;
  #closed = false;

  /** Starts the child. Throws the system's error. `drained` is called when a full pipe has emptied, `done` when the child has ended. */
  constructor(order: FileOrder, title: string, drained: () => void, done: (end: ChildEnd) => void) {
    this.#order = order;
    this.#drained = drained;
    // In an executable the script's path leads into the executable itself.
    const script = /^(?:\/\$bunfs|[A-Z]:[/\\]~BUN)/.test(Bun.main) ? [] : [Bun.main];
    this.#process = Bun.spawn([process.execPath, ...script, FILE_CHILD_ARGUMENT, JSON.stringify(order)], {
      argv0: script.length === 0 ? title : process.argv0,
      stdin: "pipe",
      stdout: "pipe",
      stderr: "inherit",
    });
    this.pid = this.#process.pid;
    // Whoever looks for the file finds it from the beginning; the child, which takes a moment to start, truncates it.
    createFile(this.temporaryPath);
    void this.#watch(done);
  }

  async #watch(done: (end: ChildEnd) => void): Promise<void> {
    const [line] = await Promise.all([new Response(this.#process.stdout).text(), this.#process.exited]);
    const { exitCode, signalCode } = this.#process;
    const signal = String(signalCode);
    this.#closed = true;
    if (signalCode !== null) this.removeTemporary();
    done(
      signalCode === null
        ? { status: exitCode ?? 1, fault: faultOfLine(line.trim()) }
        : { signal, number: SIGNAL_NUMBERS[signal] ?? 0 },
    );
  }

  /** Path of the file while it is written. */
  get temporaryPath(): string {
    return temporaryName(this.#order, this.pid);
  }

  removeTemporary(): void {
    removeFile(this.temporaryPath);
  }

  /** Appends `bytes[start, end)`, which are copied. */
  write(bytes: Uint8Array, start: number, end: number): void {
    if (this.#closed || end === start) return;
    const length = end - start;
    this.bytesWritten += length;
    this.#frame(length);
    this.#send(bytes.subarray(start, end));
  }

  #frame(length: number): void {
    for (let i = 0; i < FRAME_HEAD_BYTES; i++) this.#head[i] = length >>> (8 * i);
    this.#send(this.#head, false);
  }

  #send(bytes: Uint8Array, flush = true): void {
    const { stdin } = this.#process;
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
      const ended: unknown = this.#process.stdin.end();
      if (ended instanceof Promise) ended.catch(() => {});
    } catch {
      // The child has gone; its end is told by itself.
    }
  }

  /** Stops the child, without the file: its end is told as by SIGUSR1. */
  kill(): void {
    this.#closed = true;
    this.#process.kill("SIGUSR1");
  }

  /** The same for a server that ends at this moment and will not see its child's end. */
  killNow(): void {
    this.#closed = true;
    this.#process.kill("SIGKILL");
    this.removeTemporary();
  }
}
