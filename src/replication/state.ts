/** What the parts of replication share: the engine, the history of the data set, and which role this server has. */
import type { Engine } from "../engine/engine.ts";
import type { Dialer } from "../engine/peer.ts";
import type { ServerAddress } from "../engine/replication-port.ts";
import type { InfoValue } from "../engine/statistics/info.ts";
import type { AppendOnly } from "../persistence/aof/append-only.ts";
import type { ChildSlot } from "../persistence/child/child-slot.ts";
import type { Loading } from "../persistence/loading.ts";
import type { Persistence } from "../persistence/persistence.ts";
import type { Snapshot } from "../persistence/snapshot/snapshot.ts";
import type { ReplyWriter } from "../resp/writer.ts";
import { History } from "./history.ts";

/** What replication needs of others. */
export interface ReplicationParts {
  readonly engine: Engine;
  readonly snapshot: Snapshot;
  readonly slot: ChildSlot;
  readonly loading: Loading;
  readonly persistence: Persistence;
  readonly appendOnly: AppendOnly;
  readonly dialer: Dialer;
}

/** A server's link to the one that it replicates, as its other parts see it. */
export interface ReplicaSide {
  /** The server that is replicated. */
  readonly primary: ServerAddress;
  /** The stream of the primary is being applied. */
  readonly isConnected: boolean;
  /** Database that the primary's stream has selected; -1: not known. */
  readonly selectedDb: number;
  /** Bytes of the stream that have been applied. */
  readonly appliedOffset: number;
  /** Tells the primary how far this server is. */
  sendAck(): void;
  /** The reply of ROLE. */
  writeRole(reply: ReplyWriter): void;
  /** The lines of INFO replication that only a replica has, behind `role`. */
  info(line: (field: string, value: InfoValue) => void): void;
  /** What time asks for. Called ten times a second or so. */
  cron(): void;
}

export class ReplicationState {
  readonly parts: ReplicationParts;
  readonly engine: Engine;
  readonly history: History;
  /** The link to this server's primary; null while it is a primary itself. */
  replica: ReplicaSide | null = null;
  /** Where a failover stands. */
  failover: "no-failover" | "waiting-for-sync" | "failover-in-progress" = "no-failover";
  /** A failover in progress has ended: the new primary has taken over (null), or why not. */
  endFailover: (problem: string | null) => void = () => {};

  constructor(parts: ReplicationParts) {
    this.parts = parts;
    this.engine = parts.engine;
    this.history = new History(parts.engine.info.replicationId);
  }
}
