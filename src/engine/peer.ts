/** Connections that the server opens itself: to its primary, to the target of MIGRATE. Implemented by net, and by tests. */

/** Is told of what happens on a connection. Nothing is told after close(). */
export interface PeerHandler {
  /** The connection stands (and is encrypted, if it is to be). */
  opened(): void;
  /** Bytes came; they are the callee's. */
  received(bytes: Uint8Array): void;
  /** The connection could not be made, broke, or was closed by the other side, of which `reason` tells. Called once. */
  closed(reason: string): void;
}

/** One connection. */
export interface Peer {
  /** File descriptor, or -1. */
  readonly fd: number;
  readonly isTls: boolean;
  /** Address of the other side and of our side, as CLIENT LIST shows them; "?:0" before the connection stands. */
  readonly address: string;
  readonly localAddress: string;
  /** Bytes that wait to be sent. */
  readonly pendingBytes: number;
  /** Sends bytes as far as possible and keeps a copy of the rest until they can be sent. */
  write(bytes: Uint8Array, at: number, length: number): void;
  /** Stops reading; resume() goes on. */
  pause(): void;
  resume(): void;
  /** Closes now. Safe to call twice. */
  close(): void;
}

/** How to connect. */
export interface DialOptions {
  readonly host: string;
  readonly port: number;
  /** Encrypt, as the tls-* settings have it. */
  readonly tls: boolean;
  /** Address of ours to connect from, where that can be done; otherwise the system chooses. */
  readonly source?: string;
}

/** What has come of a conversation: the reply lines that came, and what has ended it early. */
export interface Exchange {
  readonly lines: readonly string[];
  readonly problem: "connecting" | "writing" | "reading" | null;
}

/** A conversation: bytes to send on a new connection, and how many lines of reply there will be. */
export interface ExchangeOrder extends DialOptions {
  readonly bytes: Uint8Array;
  readonly lines: number;
  /** Milliseconds without progress after which it is over. */
  readonly timeoutMs: number;
}

/** Opens connections. */
export interface Dialer {
  /** Begins to connect. An outcome is told later, never within the call. */
  dial(options: DialOptions, handler: PeerHandler): Peer;
  /** Has a whole conversation within the call, while this server stands still: for what must not wait. It costs the start of a process. */
  exchangeNow(order: ExchangeOrder): Exchange;
}
