/**
 * Replication of one server: which role it has, its replicas, and its link to a primary. The spine between the commands, which reach it as engine.replication,
 * and the two sides.
 */
import type { Client } from "../engine/client/client.ts";
import { clientLine } from "../engine/client/client-list.ts";
import { commandBytes } from "../engine/propagation.ts";
import type { FailoverRequest, ReplicaTraits, ReplicationPort, ServerAddress } from "../engine/replication-port.ts";
import { ReplyError } from "../resp/errors.ts";
import type { ReplyWriter } from "../resp/writer.ts";
import { Failover } from "./failover.ts";
import { Follower } from "./follower.ts";
import { HISTORY_ID_LENGTH } from "./history.ts";
import { replicationInfo, writePrimaryRole } from "./primary-info.ts";
import { PrimarySide } from "./primary-side.ts";
import { type ReplicationParts, ReplicationState } from "./state.ts";

const NOT_A_REPLICA = new ReplyError("ERR PSYNC FAILOVER can't be sent to a master.");
const OTHER_HISTORY = new ReplyError("ERR PSYNC FAILOVER replid must match my replid.");

export class Replication implements ReplicationPort {
  readonly state: ReplicationState;
  readonly primarySide: PrimarySide;
  readonly follower: Follower;
  readonly #failover: Failover;

  /** Becomes the engine's replication. */
  constructor(parts: ReplicationParts) {
    const { engine, persistence } = parts;
    this.state = new ReplicationState(parts);
    this.primarySide = new PrimarySide(this.state);
    this.follower = new Follower({ state: this.state, primarySide: this.primarySide });
    this.#failover = new Failover(this.state, this.primarySide, this.follower);
    const { replicaof } = engine.config.values;
    if (replicaof !== null) this.follower.enlist(replicaof.host, replicaof.port);
    persistence.replicationAux = () => this.#aux();
    engine.replication = this;
    const { primarySide } = this;
    engine.info.add({
      sections: { replication: replicationInfo(this.state, primarySide) },
      fields: {
        sync_full: () => primarySide.fullSyncs,
        sync_partial_ok: () => primarySide.partialSyncs,
        sync_partial_err: () => primarySide.partialRefusals,
      },
      reset: () => {
        primarySide.fullSyncs = 0;
        primarySide.partialSyncs = 0;
        primarySide.partialRefusals = 0;
      },
    });
  }

  get offset(): number {
    return this.state.history.offset;
  }

  get primary(): ServerAddress | null {
    return this.state.replica?.primary ?? null;
  }

  get failingOver(): boolean {
    return this.state.failover !== "no-failover";
  }

  /** What time asks for. Called ten times a second or so. */
  cron(): void {
    this.state.replica?.cron();
    this.primarySide.cron();
    this.#failover.tend();
  }

  /** The facts in the header of a snapshot. */
  #aux(): readonly (readonly [string, string])[] {
    const { history, replica } = this.state;
    if (replica === null && history.backlog === null) return [];
    const selected = replica?.selectedDb ?? this.primarySide.feed.selected;
    return [
      ["repl-stream-db", String(Math.max(selected, 0))],
      ["repl-id", history.id],
      ["repl-offset", String(history.offset)],
    ];
  }

  /** The file that this server starts with has these facts in its header: maybe the point of a history that it was made at, from which others may go on. */
  restore(facts: ReadonlyMap<string, string>): void {
    const id = facts.get("repl-id") ?? "";
    const offset = Number(facts.get("repl-offset") ?? Number.NaN);
    if (id.length !== HISTORY_ID_LENGTH || !Number.isSafeInteger(offset) || offset < 0) {
      this.state.history.backlog = null;
      return;
    }
    if (this.state.replica === null) this.#resume(id, offset);
    else this.follower.resumeFrom(id, offset, Number(facts.get("repl-stream-db") ?? 0) || 0);
  }

  /** A key of that file has expired: replicas that go on from there have yet to hear of its deletion. */
  expiredAtStart(dbId: number, key: Uint8Array): void {
    const { history, engine, replica } = this.state;
    if (replica !== null) return;
    history.keepBacklog(engine.config.values.replBacklogSize);
    const bytes = commandBytes([engine.keyspace.lazyExpire ? "UNLINK" : "DEL", key]);
    this.primarySide.feed.propagate(dbId, bytes, 0, bytes.length);
  }

  /** As a primary: what replicas have had until then is the past under the second id. */
  #resume(id: string, offset: number): void {
    const { history, engine } = this.state;
    history.id2 = id;
    history.id2End = offset + 1;
    history.offset += offset;
    history.backlog?.rebase(offset);
    history.keepBacklog(engine.config.values.replBacklogSize);
    this.primarySide.attachFeed();
    this.primarySide.startAlone();
  }

  renewHistory(): void {
    this.state.history.renew();
  }

  // ---- replicas

  traits(client: Client): ReplicaTraits {
    return this.primarySide.traits(client);
  }

  acknowledge(client: Client, offset: number, aofOffset: number): void {
    this.primarySide.acknowledge(client, offset, aofOffset);
  }

  synchronize(client: Client, id: string | null, offset: number): void {
    this.primarySide.synchronize(client, id, offset);
  }

  forget(client: Client): void {
    this.primarySide.forget(client);
  }

  countAcknowledged(offset: number, onDisk: boolean): number {
    return this.primarySide.countAcknowledged(offset, onDisk);
  }

  awaitAcknowledgements(client: Client, isDone: () => boolean, write: (reply: ReplyWriter) => void): void {
    this.primarySide.waits.add(client, isDone, write);
  }

  /** Replicas are given time to catch up with a server that ends. */
  readonly shutdownStep = {
    isReady: (): boolean => {
      if (!this.primarySide.isInSync) this.primarySide.requestAcks();
      return this.primarySide.isInSync;
    },
    finish: (): boolean => {
      this.primarySide.fullSync.abort();
      this.primarySide.logLagging();
      return true;
    },
  };

  // ---- the primary

  sendAck(): void {
    this.state.replica?.sendAck();
  }

  takeOver(client: Client, id: string): ReplyError | null {
    if (this.state.replica === null) return NOT_A_REPLICA;
    if (id.toLowerCase() !== this.state.history.id) return OTHER_HISTORY;
    this.promote();
    const { config, log } = this.state.engine;
    const word = config.personality.primaryWordUpper;
    log.notice(`${word} MODE enabled (failover request from '${clientLine(this.state.engine, client)}')`);
    return null;
  }

  follow(host: string, port: number): void {
    this.follower.follow(host, port);
  }

  promote(): void {
    this.follower.promote();
  }

  writeRole(reply: ReplyWriter): void {
    if (this.state.replica !== null) this.state.replica.writeRole(reply);
    else writePrimaryRole(this.state, this.primarySide, reply);
  }

  // ---- failover

  failover(request: FailoverRequest): ReplyError | null {
    return this.#failover.start(request);
  }

  abortFailover(): boolean {
    return this.#failover.abort();
  }
}
