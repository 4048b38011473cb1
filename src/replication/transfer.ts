/**
 * The data set that a primary sends at a full sync: what both ways of taking it have in common. After a header line there are two forms:
 *
 *   $<length>\r\n<RDB>                   as many bytes
 *   $EOF:<mark>\r\n<RDB><mark>           up to a mark of 40 bytes; the stream of commands begins when the replica has said that it is ready
 */
import type { Engine } from "../engine/engine.ts";
import type { Peer } from "../engine/peer.ts";
import type { AppendOnly } from "../persistence/aof/append-only.ts";
import type { Loading } from "../persistence/loading.ts";
import type { Persistence } from "../persistence/persistence.ts";

export const MARK_LENGTH = 40;

/** Form of the data set that is sent. */
export interface TransferForm {
  /** Bytes; -1: up to the mark. */
  readonly length: number;
  /** The mark; empty when the length is known. */
  readonly mark: Uint8Array;
}

/** What a transfer needs of others. */
export interface TransferParts {
  readonly engine: Engine;
  readonly loading: Loading;
  readonly persistence: Persistence;
  readonly appendOnly: AppendOnly;
  readonly peer: Peer;
  /** The present data set is about to go: what others could go on from with it goes, too. */
  readonly attach: () => void;
}

/** How a transfer has ended. */
export interface TransferResult {
  readonly ok: boolean;
  /** What came behind the data set: the first bytes of the stream. */
  readonly rest: Uint8Array;
  /** Database that the stream begins in. */
  readonly dbId: number;
}

export type TransferDone = (result: TransferResult) => void;

/** One transfer. */
export interface Transfer {
  /** Bytes of the data set that have come. */
  readonly readBytes: number;
  /** Is it at work with what has come, rather than waiting for more? */
  readonly isBusy: boolean;
  /** Takes bytes, which are its own from now on. */
  received(bytes: Uint8Array): void;
  /** The connection is gone. */
  lost(reason: string): void;
  /** Gives up; nothing is told. */
  abort(): void;
}

export const NOTHING = new Uint8Array(0);

/** The header line's form, without "$" and line end; null when it makes no sense. */
export function parseForm(line: string): TransferForm | null {
  if (line.startsWith("EOF:") && line.length >= 4 + MARK_LENGTH)
    return { length: -1, mark: Buffer.from(line.slice(4, 4 + MARK_LENGTH), "latin1") };
  const length = Number.parseInt(line, 10);
  return Number.isNaN(length) || length < 0 ? null : { length, mark: NOTHING };
}

/** Two byte strings are the same. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}

/** Ends what writes the data set to disk: it is about to be another one. */
export function stopWriters({ engine, persistence, appendOnly }: TransferParts, fromFile: boolean): void {
  appendOnly.suspend();
  if (!persistence.background.isActive) return;
  if (fromFile) {
    engine.log.notice(
      `Replica is about to load the RDB file received from the ${engine.config.personality.primaryWord}, but there is a pending RDB child running. Killing process ${persistence.childPid} and removing its temp file to avoid any race`,
    );
  }
  persistence.background.stop();
}

/** Empties the data set. */
export function flushAll(engine: Engine): void {
  engine.watches.touchAll(-1, null);
  engine.ownKeys.clear();
  engine.keyspace.flush(-1, engine.config.values.replicaLazyFlush);
}

/** The word with which log lines speak of a full sync. */
export function syncWord(engine: Engine): string {
  return `${engine.config.personality.primaryWordUpper} <-> REPLICA sync`;
}
