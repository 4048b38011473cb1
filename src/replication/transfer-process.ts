/**
 * The process that stands for a snapshot on its way to sockets. The server makes such a snapshot itself, but whoever watches over servers looks for a child
 * process, and ends a transfer by killing it. This one does nothing; it ends when its input does, and so never outlives the server.
 */
export class TransferProcess {
  readonly #process: Bun.Subprocess<"pipe", "ignore", "ignore"> | null;
  #isOver = false;

  /** Starts it, under the name `title`. `killed` is called when somebody else has ended it. Where there is no program to be had for it, there is no process. */
  constructor(title: string, killed: () => void) {
    const program = Bun.which("cat");
    this.#process =
      program === null
        ? null
        : Bun.spawn([program], {
            argv0: title,
            stdin: "pipe",
            stdout: "ignore",
            stderr: "ignore",
            onExit: () => {
              if (!this.#isOver) killed();
            },
          });
  }

  /** Its process id; -1: there is none. */
  get pid(): number {
    return this.#process?.pid ?? -1;
  }

  /** The transfer is over. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#process?.kill("SIGKILL");
  }
}
