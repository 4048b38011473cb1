/** The interfaces through which the engine reaches layers above it. main.ts plugs the implementations in. */
import type { ReplyWriter } from "../resp/writer.ts";
import type { Client } from "./client.ts";
import type { Context } from "./context.ts";

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
  /** Bytes of output that wait to be sent, and of memory held for them. */
  pendingOutput(): number;
  /** Buffers' sizes for CLIENT LIST: bytes of unprocessed input, free bytes of the input buffer, bytes of the reply buffer. */
  inputBytes(): number;
  inputFreeBytes(): number;
}

/** Adds a section or fields to INFO. */
export interface InfoSource {
  /** Section name in lower case. */
  readonly section: string;
  write(out: (field: string, value: string | number) => void): void;
}

/** What SHUTDOWN, DEBUG and signals ask of the process. */
export interface ProcessPort {
  /** Ends the process after closing everything; never returns control to the caller's command normally. */
  shutdown(options: { save: boolean | null; now: boolean; force: boolean }): void;
  /** Path of the executable and the configuration file ("" when none). */
  readonly executable: string;
  readonly configFile: string;
}

/** Watches commands as they run: MONITOR. */
export type CommandObserver = (cx: Context) => void;

/** Somebody who writes replies for a client outside execute(): blocked clients' wake-ups. */
export type ReplyTo = (client: Client, write: (reply: ReplyWriter) => void) => void;
