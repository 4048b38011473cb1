/** The interfaces through which the engine reaches layers above it. main.ts plugs the implementations in. */

/** Output that is kept elsewhere, and shared: a replica's part of the replication stream. It is sent piece by piece. */
export interface OutputStream {
  /** Bytes that wait. */
  readonly length: number;
  /** The next piece, while length > 0: bytes[at, end). To be asked for in this order. */
  readonly bytes: Uint8Array;
  readonly at: number;
  readonly end: number;
  /** So many bytes of the piece have been sent. */
  consume(length: number): void;
  /** Number and bytes of the blocks of memory that what waits stands in. */
  readonly blockCount: number;
  readonly memoryBytes: number;
}

/** A client's way out: its socket, or something that swallows or collects output. Implemented by net, and by tests. */
export interface ClientLink {
  /** Address of the peer and of our side, as CLIENT LIST shows them: "127.0.0.1:1234", "/path:0", "[::1]:1". */
  readonly address: string;
  readonly localAddress: string;
  /** File descriptor, or -1. */
  readonly fd: number;
  readonly isUnix: boolean;
  readonly isTls: boolean;
  /** Appends output that is not the reply to the command that runs: pub/sub messages, MONITOR lines, replies of woken clients. Sent at the end of the turn. */
  append(bytes: Uint8Array, offset: number, length: number): void;
  /** Closes once everything written so far is sent. No further input is read. */
  closeAfterFlush(): void;
  /** Closes now. Safe to call twice. */
  close(): void;
  /** Goes on with input that was held back while client.halted was not 0. */
  resume(): void;
  /** The network may hold small packets back for a while, to send fewer of them. */
  delayPackets(): void;
  /**
   * From now on output only collects, and what must go before it is sent with sendAhead(); `drained` is called when the socket takes bytes again after it did
   * not take all. For replicas, whose snapshot goes before the stream of changes.
   */
  hold(drained: () => void): void;
  /** Sends bytes ahead of the output that is held; how many of them the socket took. */
  sendAhead(bytes: Uint8Array, offset: number, length: number): number;
  /** Output is sent again: first what has collected. */
  letGo(): void;
  /** From now on a stream goes out behind all other output. Call streamGrew() now, and whenever there is more of it: it is sent at the end of the turn. */
  attachStream(stream: OutputStream): void;
  streamGrew(): void;
  /** Bytes of output that wait to be sent. */
  pendingOutput(): number;
  /** The same as CLIENT LIST divides it: bytes in the client's first buffer; number and bytes of what is queued behind it. */
  firstBufferBytes(): number;
  queuedReplies(): number;
  queuedReplyBytes(): number;
  /** Size of the reply buffer, and its peak use of late. */
  replyBufferBytes(): number;
  replyBufferPeak(): number;
  /** Bytes of unprocessed input, and free bytes of the input buffer. */
  inputBytes(): number;
  inputFreeBytes(): number;
  /** Bytes of memory in input and output buffers. */
  memoryBytes(): number;
}

/** How a shutdown was asked for. */
export interface ShutdownOptions {
  /** Save the data set: always, never, or (null) as the settings say. */
  readonly save: boolean | null;
  /** Do not wait for replicas that lag behind. */
  readonly now: boolean;
  /** Go on when something fails, such as saving. */
  readonly force: boolean;
  /** Refuse when this server still owns hash slots (SAFE). */
  readonly safe: boolean;
}

/** Signals that end in a crash report. */
export type CrashSignal = "SIGABRT" | "SIGSEGV";

/** Why a server goes down: a signal, or a mistake of ours, whose `kind` is "ASSERTION FAILED" or the like. */
export type CrashCause = { readonly signal: CrashSignal } | { readonly kind: string; readonly error: unknown };

/** What SHUTDOWN, DEBUG and signals ask of the process. */
export interface ProcessPort {
  /**
   * Shuts down. When that succeeds at once, the process ends and control does not return. "failed": the reason is in the log, and the server goes on.
   * "waiting": the end comes later, or `finished` is called when it failed or was aborted after all.
   */
  shutdown(options: ShutdownOptions, finished: () => void): "failed" | "waiting";
  /** Stops a shutdown that waits; false when there is none. */
  abortShutdown(): boolean;
  /** Milliseconds that a shutdown waits at most from now on; null: none waits. */
  readonly shutdownInMs: number | null;
  /** Writes a crash report to the log and ends the process: by the signal, or as after a failed assertion. */
  crash(cause: CrashCause): never;
  /** Path of the executable, a latin1 ("binary") string. */
  readonly executable: string;
  /** The server is a replica or a primary now, maybe as before. */
  setRole(isReplica: boolean): void;
  /** What a child process is to the system when memory runs out: its oom_score_adj; null: as it is. */
  readonly childOomScore: number | null;
}

/** What commands ask of the append-only file. */
export interface AppendOnlyPort {
  /** Is there a log, or about to be one? */
  readonly isEnabled: boolean;
  /** Why writes are refused: the system's text; null when they are not. */
  readonly writeProblem: string | null;
  /** Offset of the replication stream up to which changes are known to be on disk. */
  readonly syncedOffset: number;
  /** BGREWRITEAOF: begins a rewrite, or has one begin when that is possible. */
  rewrite(): "started" | "scheduled" | "busy" | "failed";
  /**
   * Writes out what is to be written, empties the data set and loads the log. `done(ok)` is called at the end: within this call when `atOnce`, else
   * later, while other clients are told that the server is loading.
   */
  reload(atOnce: boolean, done: (ok: boolean) => void): void;
}

/** What commands and gates ask of snapshots on disk. */
export interface PersistencePort {
  /** SAVE: writes the data set to disk before it returns. */
  save(): "saved" | "busy" | "failed";
  /** BGSAVE. `schedule`: when another child process is in the way, later; `atomic`: within a transaction, never at once. */
  backgroundSave(schedule: boolean, atomic: boolean): "started" | "scheduled" | "busy" | "blocked" | "failed";
  /** BGSAVE CANCEL. */
  cancelBackgroundSave(): "cancelled" | "unscheduled" | "idle";
  /** DEBUG RELOAD: saves unless `save` is false, empties the data set unless `flush` is false, loads; false, and the reason is in the log, when that failed. */
  reload(options: { readonly save: boolean; readonly flush: boolean; readonly merge: boolean }): boolean;
  /** FLUSHALL: called before and after the data set is emptied. True: the empty data set has been saved. */
  beforeFlushAll(): void;
  afterFlushAll(): boolean;
  /** Why writes are refused now; null when they are not. */
  writeDenial(): string | null;
}
