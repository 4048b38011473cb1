/** One client of the engine, as commands see it. Sockets are behind `link`; there are clients without one (AOF, scripts). */
import type { Database } from "../../keyspace/database.ts";
import type { Request } from "../../resp/request.ts";
import type { ClientLink } from "../ports.ts";
import type { Subscription } from "../pubsub/topic.ts";
import type { CommandSpec } from "../spec/spec.ts";

/** Where commands come from; a value that gates and propagation decide by. */
export const Origin = { Client: 0, Exec: 1, Script: 2, Aof: 3, Primary: 4 } as const;

/** Client state bits. `gate` is derived from them. */
export const ClientFlag = {
  Multi: 1 << 0,
  /** A watched key changed: EXEC will answer nil. */
  DirtyCas: 1 << 1,
  /** A command was refused while queueing: EXEC will abort. */
  DirtyExec: 1 << 2,
  /** In RESP2 subscriber mode: few commands are allowed. */
  Subscriber: 1 << 3,
  Monitor: 1 << 4,
  ReplyOff: 1 << 5,
  ReplySkipNext: 1 << 6,
  ReplySkip: 1 << 7,
  /** Must authenticate first. */
  Unauthenticated: 1 << 8,
  Blocked: 1 << 9,
  NoEvict: 1 << 10,
  NoTouch: 1 << 11,
  CloseAfterReply: 1 << 12,
  Closed: 1 << 13,
  Tracking: 1 << 14,
  Replica: 1 << 15,
  Primary: 1 << 16,
  /** Not a connection: AOF, scripts, internal. */
  Internal: 1 << 17,
  DenyBlocking: 1 << 18,
  /** Postponed by CLIENT PAUSE. */
  Paused: 1 << 19,
  Readonly: 1 << 20,
} as const;

/** The bits that make execute() leave its fast path. */
const GATED =
  ClientFlag.Multi |
  ClientFlag.Subscriber |
  ClientFlag.ReplyOff |
  ClientFlag.ReplySkipNext |
  ClientFlag.ReplySkip |
  ClientFlag.Unauthenticated |
  ClientFlag.NoTouch |
  ClientFlag.Tracking |
  ClientFlag.Replica |
  ClientFlag.Primary |
  ClientFlag.Internal |
  ClientFlag.DenyBlocking |
  ClientFlag.CloseAfterReply |
  ClientFlag.Closed |
  ClientFlag.Monitor;

/** Reasons for which a client's input is held back. Turn: it has had its time for now, others come first. Loading: it has asked for the data set to be loaded. Snapshot: see snapshot-keys.ts. */
export const Halt = { Blocked: 1, Paused: 2, Closing: 4, Frozen: 8, Turn: 16, Loading: 32, Snapshot: 64 } as const;

/** A command queued by MULTI. */
export interface QueuedCommand {
  spec: CommandSpec;
  request: Request;
}

/** What a client listens to, by latin1 name, in order of subscription. */
export type Subscriptions = Map<string, Subscription<Client>>;

export class Client {
  readonly id: number;
  readonly link: ClientLink;
  /** There is none for the first clients of a server until the keyspace has databases (keyspace.ts): before any command that is not about connections. */
  db: Database;
  /** 2 or 3. */
  resp = 2;
  origin: number = Origin.Client;
  name = "";
  libName = "";
  libVersion = "";
  user = "default";
  /** Has it proved to be its user, or needed it no password when it connected (authentication.ts)? */
  authenticated = true;
  readonly createdMs: number;
  lastActiveMs: number;
  /** Last command sent, also one that was refused; null when there was none of that name. */
  lastCommand: CommandSpec | null = null;
  commandCount = 0;
  netIn = 0;
  netOut = 0;
  /** Nonzero: the connection must not read or execute more input now. Bits of Halt. */
  halted = 0;
  /** Nonzero: execute() walks the gates. */
  gate = 0;
  #flags = 0;

  /** Transaction state (transactions.ts). */
  queue: QueuedCommand[] = [];
  queueBytes = 0;
  /** Flags that some queued command has, and flags that some queued command lacks. */
  queueFlags = 0;
  queueMissingFlags = 0;
  watched: WatchedKey[] = [];

  /** Subscriptions (pubsub.ts): latin1 names. Null until the first. */
  channels: Subscriptions | null = null;
  patterns: Subscriptions | null = null;
  shardChannels: Subscriptions | null = null;

  /** The command that CLIENT PAUSE postponed (client-pause.ts), or null. */
  postponed: Request | null = null;

  /** Offset of the replication stream behind this client's last change: what WAIT waits for. */
  writeOffset = 0;

  /** Understands -REDIRECT errors: CLIENT CAPA redirect. */
  redirects = false;

  constructor(id: number, link: ClientLink, db: Database | null, nowMs: number) {
    this.id = id;
    this.link = link;
    this.db = db as Database;
    this.createdMs = nowMs;
    this.lastActiveMs = nowMs;
  }

  get flags(): number {
    return this.#flags;
  }

  has(flag: number): boolean {
    return (this.#flags & flag) !== 0;
  }

  set(flag: number): void {
    this.#flags |= flag;
    this.gate = this.#flags & GATED;
  }

  unset(flag: number): void {
    this.#flags &= ~flag;
    this.gate = this.#flags & GATED;
  }

  /** Channels and patterns it listens to; shard channels are counted apart. */
  get subscriptionCount(): number {
    return (this.channels?.size ?? 0) + (this.patterns?.size ?? 0);
  }
}

/** A key under WATCH. */
export interface WatchedKey {
  dbId: number;
  key: Uint8Array;
  /** latin1 of the key: what the registry is indexed by. */
  text: string;
  /** The key had already expired (but was still there) when WATCH ran: its deletion is no change. */
  expiredAtWatch: boolean;
}
