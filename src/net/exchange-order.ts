/** What a child process that asks another server (exchange-child.ts) is told: the order as a line of JSON on standard input, then the bytes to send. */
import type { TLSOptions } from "bun";

/** The first argument of a process that is such a child. */
export const EXCHANGE_CHILD_ARGUMENT = "--ask-server-for-parent";

export interface ChildOrder {
  readonly host: string;
  readonly port: number;
  /** Null: not encrypted. */
  readonly tls: TLSOptions | null;
  /** Lines of reply to wait for. */
  readonly lines: number;
  /** Milliseconds without progress after which it is over. */
  readonly timeoutMs: number;
}
