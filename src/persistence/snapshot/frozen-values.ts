/**
 * Large values that a snapshot has yet to write, or is writing, while commands change them (types/frozen-value.ts). Each is known by the entry that stands for
 * it, which is written as an entry of the dict of keys is.
 */
import type { Ref } from "../../arena/arena.ts";
import type { KeyRules } from "../../keyspace/key-rules.ts";
import { FrozenValue } from "../../types/frozen-value.ts";
import type { SnapshotDatabase } from "./snapshot-format.ts";

/** A value that waits to be written, and whose database it was of. */
interface Waiting {
  readonly value: FrozenValue;
  readonly db: SnapshotDatabase;
}

export class FrozenValues {
  readonly #keyspace: KeyRules;
  readonly #waiting: Waiting[] = [];
  /** The one that is being written. */
  #current: FrozenValue | null = null;

  constructor(keyspace: KeyRules) {
    this.#keyspace = keyspace;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** Freezes the value of an entry, to be taken later. */
  add(e: Ref, db: SnapshotDatabase): void {
    this.#waiting.push({ value: new FrozenValue(this.#keyspace.arena, e), db });
  }

  /** Takes the first one that waits, to be written now: its entry and its database. */
  take(): { readonly entry: Ref; readonly db: SnapshotDatabase } {
    const first = this.#waiting.shift();
    if (first === undefined || this.#current !== null) throw new Error("no frozen value can be taken");
    this.#current = first.value;
    return { entry: first.value.entry, db: first.db };
  }

  /** Lets go of the one that was taken, if any. Returns the bytes that were copied of it. */
  release(): number {
    const value = this.#current;
    if (value === null) return 0;
    this.#current = null;
    if (value.release()) this.#keyspace.lazyFree.freeEntry(value.entry);
    return value.copiedBytes;
  }

  /** Lets go of all. */
  clear(): void {
    this.release();
    while (!this.isEmpty) {
      this.take();
      this.release();
    }
  }
}
