/** What a snapshot (snapshot.ts) is written as and where it goes: the interfaces of formats and targets. */
import type { Ref } from "../../arena/arena.ts";
import type { Database } from "../../keyspace/database.ts";

/** A database as it was when the snapshot began. */
export interface SnapshotDatabase {
  readonly id: number;
  readonly size: number;
  readonly expiresSize: number;
}

/** Writes keys one after the other. */
export interface SnapshotLane {
  /** The key of `e`, of database `db`, is next. */
  begin(e: Ref, db: SnapshotDatabase): void;
  /** Writes about `budget` elements of it; true when it is complete. */
  step(budget: number): boolean;
}

/** What a snapshot is written as. It knows where its bytes go. */
export interface SnapshotFormat {
  readonly main: SnapshotLane;
  /** Its bytes are kept until merge(). */
  readonly aside: SnapshotLane;
  /** Writes what stands before the first key. */
  open(): void;
  /** Appends what the lane aside has written to the main one, which is between two keys. */
  merge(): void;
  /** Writes what stands behind the last key, and hands everything to the target. */
  close(): void;
}

/** Takes the bytes of a format. */
export interface ByteSink {
  /** Takes `bytes[start, end)`, which are good during the call only. */
  write(bytes: Uint8Array, start: number, end: number): void;
}

/** Where the bytes of a format go, as far as the walk cares. */
export interface SnapshotTarget {
  /** Bytes that were taken but have not left: the walk waits while they are many, until resume() is called. */
  pendingBytes(): number;
  /** The snapshot is complete: called once, unless it is broken off. */
  finish(): void;
}

export interface SnapshotOptions {
  /** Waits after each key as rdb-key-save-delay says: microseconds; negative -N: one microsecond in N keys. */
  readonly delaysKeys?: boolean;
  /** What is walked; absent: all databases. */
  readonly databases?: readonly Database[];
}

/** What is known about the snapshot in progress, or about the last one. */
export interface SnapshotProgress {
  keysTotal: number;
  keysWritten: number;
  /** What was kept or written ahead of its turn because a key was about to change, in pages: what fork would have copied. */
  copiedPages: number;
}

const PAGE_BYTES = 4096;

/** Pages that so many bytes begin, at most one of which is not full. */
export function pagesOf(bytes: number): number {
  return Math.ceil(bytes / PAGE_BYTES);
}

/** The bytes of `progress.copiedPages`. */
export function copiedBytes(progress: SnapshotProgress): number {
  return progress.copiedPages * PAGE_BYTES;
}
