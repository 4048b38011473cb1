/** What commands, gates and the engine ask of replication. main.ts plugs the implementation in; an engine without one replicates nothing. */
import type { ReplyError } from "../resp/errors.ts";
import type { ReplyWriter } from "../resp/writer.ts";
import type { Client } from "./client/client.ts";

/** What a replica has told about itself with REPLCONF, before it asks for synchronization. */
export interface ReplicaTraits {
  /** Port that it listens on; 0: not told. */
  listeningPort: number;
  /** Address that it wants to be known by; "": that of its connection. */
  address: string;
  /** It understands an RDB of unknown length that ends in a mark. */
  understandsEof: boolean;
  /** It understands `+CONTINUE <id>`. */
  understandsPsync2: boolean;
  /** It wants the RDB alone and no stream behind it. */
  rdbOnly: boolean;
  /** What it wants in the RDB. */
  wantsData: boolean;
  wantsFunctions: boolean;
  /** Its version as a number, 0x080001 for 8.0.1; 0: not told. */
  version: number;
}

/** Address of another server. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

/** What FAILOVER asks for. `timeoutMs` 0: no limit. */
export interface FailoverRequest {
  readonly target: ServerAddress | null;
  readonly force: boolean;
  readonly timeoutMs: number;
}

export interface ReplicationPort {
  /** Bytes that the replication stream has had. */
  readonly offset: number;
  /** The server that this one replicates; null: it is a primary. */
  readonly primary: ServerAddress | null;
  /** A failover is under way. */
  readonly failingOver: boolean;

  /** What a client has told with REPLCONF; to be filled in. */
  traits(client: Client): ReplicaTraits;
  /** REPLCONF ACK: bytes that a replica has processed, and that it has on disk (-1: not told). */
  acknowledge(client: Client, offset: number, aofOffset: number): void;
  /** REPLCONF GETACK: this server's primary wants to know how far it is. */
  sendAck(): void;
  /** PSYNC (offset NaN: none that could be understood), or SYNC (id null): makes the client a replica. What it gets to read is written to its link. */
  synchronize(client: Client, id: string | null, offset: number): void;
  /** PSYNC with FAILOVER: this server's primary hands its role over. Null, or why not. */
  takeOver(client: Client, id: string): ReplyError | null;
  /** A client has gone. */
  forget(client: Client): void;

  /** DEBUG CHANGE-REPL-ID: nobody can go on from where it is. */
  renewHistory(): void;

  /** Becomes a replica of another server. */
  follow(host: string, port: number): void;
  /** Becomes a primary. */
  promote(): void;
  /** The reply of ROLE. */
  writeRole(reply: ReplyWriter): void;

  /** Replicas that have acknowledged this much of the stream; on disk when `onDisk`. */
  countAcknowledged(offset: number, onDisk: boolean): number;
  /**
   * The client, which has just been parked, waits until so many replicas have acknowledged what it wrote. `isDone` is asked again with every
   * acknowledgement; `write` writes the reply then.
   */
  awaitAcknowledgements(client: Client, isDone: () => boolean, write: (reply: ReplyWriter) => void): void;

  /** Starts a failover; an error when it cannot be. */
  failover(request: FailoverRequest): ReplyError | null;
  /** Stops the failover that is under way; false when none is. */
  abortFailover(): boolean;
}
