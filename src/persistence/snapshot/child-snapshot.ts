/** A snapshot that a child process writes to a file: the walk, the child and the slot that it takes, from the start of the child to its end. */
import type { Engine } from "../../engine/engine.ts";
import { type ChildEnd, ChildFile } from "../child/child-file.ts";
import type { ChildKind, ChildSlot } from "../child/child-slot.ts";
import type { FileOrder } from "../child/file-order.ts";
import type { ByteSink, Snapshot, SnapshotFormat } from "./snapshot.ts";

/** What is to be written, and who is told. */
export interface ChildOrder {
  readonly kind: ChildKind;
  readonly file: Omit<FileOrder, "oomScore">;
  /** What `ps` shows for the child. */
  readonly title: string;
  /** The data set is about to be written to `sink` as it is now: in which format; null: not at all. Called within start() if possible. */
  begin(sink: ByteSink): SnapshotFormat | null;
  /** The child has ended; `path` is its temporary file, which is gone unless all went well. */
  done(end: ChildEnd, path: string): void;
}

/** What the parts of such a snapshot are. */
export interface SnapshotParts {
  readonly engine: Engine;
  readonly snapshot: Snapshot;
  readonly slot: ChildSlot;
}

/** Invariant: the slot is taken exactly while there is a child. */
export class ChildSnapshot {
  readonly #parts: SnapshotParts;
  #child: ChildFile | null = null;

  constructor(parts: SnapshotParts) {
    this.#parts = parts;
  }

  get isActive(): boolean {
    return this.#child !== null;
  }

  /** Starts a child; its process id. The slot must be free. Throws the system's error. */
  start(order: ChildOrder): number {
    const { engine, snapshot, slot } = this.#parts;
    const startUs = engine.clock.monotonicUs();
    const child = new ChildFile(
      { ...order.file, oomScore: engine.process?.childOomScore ?? null },
      order.title,
      () => snapshot.resume(),
      (end) => {
        if (this.#child !== child) return;
        this.#let(child);
        order.done(end, child.temporaryPath);
      },
    );
    this.#child = child;
    slot.take(order.kind, child.pid, engine.clock.monotonicUs() - startUs);
    snapshot.whenReady(() => {
      if (this.#child === child) this.#walk(order, child);
    });
    return child.pid;
  }

  #walk(order: ChildOrder, child: ChildFile): void {
    const { snapshot } = this.#parts;
    const format = order.begin(child.pipe);
    if (format === null) child.kill();
    else snapshot.start(format, child.pipe, { delaysKeys: true });
  }

  /** Lets go of the child. Its walk is of no use to anybody without it. */
  #let(child: ChildFile): void {
    const { snapshot, slot } = this.#parts;
    this.#child = null;
    if (snapshot.target === child.pipe) snapshot.abort();
    slot.free();
  }

  /** Stops it: `done` is called soon, as for a child that was ended by SIGUSR1. */
  stop(): void {
    const child = this.#child;
    if (child === null) return;
    const { snapshot } = this.#parts;
    if (snapshot.target === child.pipe) snapshot.abort();
    child.kill();
  }

  /** Stops it at once; `done` is not called. Returns the child's process id, -1 when there is none. */
  stopNow(): number {
    const child = this.#child;
    if (child === null) return -1;
    child.killNow();
    this.#let(child);
    return child.pid;
  }
}
