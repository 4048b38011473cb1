/**
 * The parent's side of a file that a child process writes (file-child.ts), whose bytes go through a pipe (child-pipe.ts). The process is there from the
 * moment of construction, so that operators and tests find it; its end is told once.
 *
 * Invariant: `done` is called exactly once, and never within the constructor.
 */
import { createFile, type FileFault, removeFile } from "../disk.ts";
import { ChildPipe } from "./child-pipe.ts";
import { faultOfLine, temporaryName } from "./file-child.ts";
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

/** Asked once: the first question changes the shape of `process`, and code that was compiled for the old one is thrown away. */
const { argv0, execPath } = process;

export class ChildFile {
  readonly pid: number;
  /** Where the bytes of the file go. */
  readonly pipe: ChildPipe;
  readonly #order: FileOrder;
  readonly #process: Bun.Subprocess<"pipe", "pipe", "inherit">;

  /** Starts the child. Throws the system's error. `drained` is called when a full pipe has emptied, `done` when the child has ended. */
  constructor(order: FileOrder, title: string, drained: () => void, done: (end: ChildEnd) => void) {
    this.#order = order;
    // In an executable the script's path leads into the executable itself.
    const script = /^(?:\/\$bunfs|[A-Z]:[/\\]~BUN)/.test(Bun.main) ? [] : [Bun.main];
    this.#process = Bun.spawn([execPath, ...script, FILE_CHILD_ARGUMENT, JSON.stringify(order)], {
      argv0: script.length === 0 ? title : argv0,
      stdin: "pipe",
      stdout: "pipe",
      stderr: "inherit",
    });
    this.pid = this.#process.pid;
    this.pipe = new ChildPipe(this.#process.stdin, drained);
    // Whoever looks for the file finds it from the beginning; the child, which takes a moment to start, truncates it.
    createFile(this.temporaryPath);
    void this.#watch(done);
  }

  async #watch(done: (end: ChildEnd) => void): Promise<void> {
    const [line] = await Promise.all([new Response(this.#process.stdout).text(), this.#process.exited]);
    const { exitCode, signalCode } = this.#process;
    const signal = String(signalCode);
    this.pipe.close();
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

  /** Stops the child, without the file: its end is told as by SIGUSR1. */
  kill(): void {
    this.pipe.close();
    this.#process.kill("SIGUSR1");
  }

  /** The same for a server that ends at this moment and will not see its child's end. */
  killNow(): void {
    this.pipe.close();
    this.#process.kill("SIGKILL");
    this.removeTemporary();
  }
}
