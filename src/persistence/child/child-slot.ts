/** The one child process that a server may have: it saves a snapshot, rewrites the append-only file, or sends a snapshot to replicas. */

/** What a child does. */
export type ChildKind = "none" | "rdb" | "aof" | "replicas";

export class ChildSlot {
  kind: ChildKind = "none";
  pid = -1;
  /** Children so far, and how long the last one took to start, in microseconds: INFO's total_forks and latest_fork_usec. */
  started = 0;
  lastStartUs = 0;
  /** Called when the slot has been taken (true), and when it has become free. */
  onChange: (isActive: boolean) => void = () => {};

  /** Does a child run? */
  get isActive(): boolean {
    return this.kind !== "none";
  }

  /** Takes the slot, which must be free. */
  take(kind: ChildKind, pid: number, startUs: number): void {
    if (this.isActive) throw new Error(`a child process runs already: ${this.kind}`);
    this.kind = kind;
    this.pid = pid;
    this.started++;
    this.lastStartUs = startUs;
    this.onChange(true);
  }

  /** Gives the slot back. */
  free(): void {
    this.kind = "none";
    this.pid = -1;
    this.onChange(false);
  }
}
