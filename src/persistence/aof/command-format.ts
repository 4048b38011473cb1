/** A snapshot as commands: the base of a log whose base shall not be in the format of snapshots (aof-use-rdb-preamble no). */
import type { Arena, Ref } from "../../arena/arena.ts";
import { ReplyWriter } from "../../resp/writer.ts";
import { isUnread } from "../../types/unread-value.ts";
import type { ByteSink, SnapshotDatabase, SnapshotFormat, SnapshotLane } from "../snapshot/snapshot.ts";
import { ValueCommands } from "./value-commands.ts";

/** Bytes that are collected before they are handed on. */
const FLUSH_BYTES = 64 * 1024;

class CommandLane implements SnapshotLane {
  readonly out = new ReplyWriter(FLUSH_BYTES);
  /** The database that is selected behind what has been written; -1: not known. */
  selected = -1;
  readonly #arena: Arena;
  readonly #values: ValueCommands;
  readonly #written: () => void;
  /** The key is passed over: its value cannot be read. */
  #passes = false;

  /** `written` is called whenever something has been written. */
  constructor(arena: Arena, written: () => void) {
    this.#arena = arena;
    this.#values = new ValueCommands(arena, this.out);
    this.#written = written;
  }

  begin(e: Ref, db: SnapshotDatabase): void {
    this.#passes = isUnread(this.#arena, e);
    if (this.#passes) return;
    if (db.id !== this.selected) {
      this.selected = db.id;
      this.out.array(2);
      this.out.bulkText("SELECT");
      this.out.bulkText(String(db.id));
    }
    this.#values.begin(e);
  }

  step(budget: number): boolean {
    const isComplete = this.#passes || this.#values.step(budget);
    this.#written();
    return isComplete;
  }
}

export class CommandFormat implements SnapshotFormat {
  readonly main: CommandLane;
  readonly aside: CommandLane;
  readonly #sink: ByteSink;
  readonly #opening: string;

  /** `opening` is written first, as it is: annotations, functions. */
  constructor(arena: Arena, sink: ByteSink, opening: string) {
    this.#sink = sink;
    this.#opening = opening;
    this.main = new CommandLane(arena, () => this.#flush(FLUSH_BYTES));
    this.aside = new CommandLane(arena, () => {});
  }

  open(): void {
    this.main.out.raw(this.#opening);
  }

  merge(): void {
    const { main, aside } = this;
    main.out.rawBytes(aside.out.buf, 0, aside.out.pos);
    main.selected = aside.selected;
    aside.out.clear();
    aside.selected = -1;
    this.#flush(FLUSH_BYTES);
  }

  close(): void {
    this.#flush(1);
  }

  /** Hands on what was written if it is as much as `least` bytes. */
  #flush(least: number): void {
    const { out } = this.main;
    if (out.pos < least) return;
    this.#sink.write(out.buf, 0, out.pos);
    out.clear();
  }
}
