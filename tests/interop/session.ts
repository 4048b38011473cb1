// What the shared suite asks of a client library. Each library's test file makes sessions of it in the library's own way.

/** Where and how to connect. */
export interface ConnectOptions {
  readonly transport: Transport;
  readonly protocol: 2 | 3;
  readonly password: string | null;
  readonly database: number;
  /** Connection name, for libraries that set one while connecting; null: none. */
  readonly name: string | null;
}

/** A way to the server. */
export type Transport =
  | { readonly kind: "tcp"; readonly port: number }
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "tls"; readonly port: number; readonly ca: string };

/** A message as a listener gets it. */
export type Listener = (message: string, channel: string) => void;

/** A connection that listens. A library that has no patterns or shard channels leaves those out. */
export interface Subscriber {
  subscribe(channel: string, listener: Listener): Promise<void>;
  unsubscribe(channel: string): Promise<void>;
  psubscribe?(pattern: string, listener: Listener): Promise<void>;
  ssubscribe?(channel: string, listener: Listener): Promise<void>;
  close(): void;
}

/** One connected client. */
export interface Session {
  set(key: string, value: string): Promise<unknown>;
  get(key: string): Promise<string | null>;
  /** Any command; rejects on an error reply. */
  call(...args: string[]): Promise<unknown>;
  /** All commands without waiting in between; an error stands as an Error in its place. */
  pipeline(commands: readonly (readonly string[])[]): Promise<unknown[]>;
  /** MULTI ... EXEC: the replies, or null when a watched key was touched. `watch` is watched before `meanwhile` runs. */
  transaction(
    commands: readonly (readonly string[])[],
    watch?: string,
    meanwhile?: () => Promise<unknown>,
  ): Promise<unknown[] | null>;
  /** A second connection of the same kind, for listening. */
  subscriber(): Promise<Subscriber>;
  close(): void;
}

/** A client library. */
export interface Library {
  readonly name: string;
  readonly protocols: readonly (2 | 3)[];
  /** Does it send CLIENT SETINFO? What LIB-NAME then contains. */
  readonly libName: string | null;
  /** Resolves when the library calls itself ready. */
  connect(options: ConnectOptions): Promise<Session>;
}
