/**
 * This server as a replica: whom it follows, the attempts to reach it, the full sync or the point to go on from, and what all that means for the rest of the
 * server. One object, whether there is a primary or not.
 *
 *   no primary -- follow() --> connect -> (PrimaryLink: connecting, handshake, transfer) -> stream
 *                                 ^-------------- any failure, a second later or at once -----'
 *
 * Invariants: state.replica is this object exactly while there is a primary; while the stream is applied, history.offset is what has been applied of it, and there
 * is no resume point; #transfer is set only in the link's state Transfer, #stream only in its state Streaming.
 */

import { settleExpiryMode } from "../engine/expiry-mode.ts";
import { ServerGate } from "../engine/observer.ts";
import type { ServerAddress } from "../engine/replication-port.ts";
import type { InfoValue } from "../engine/statistics/info.ts";
import type { ReplyWriter } from "../resp/writer.ts";
import { DiskTransfer, openTransferFile } from "./disk-transfer.ts";
import { followerInfo } from "./follower-info.ts";
import { randomHistoryId } from "./history.ts";
import { type LinkOwner, LinkState, PrimaryLink, type ResumePoint } from "./primary-link.ts";
import type { PrimarySide } from "./primary-side.ts";
import { PrimaryStream, type StreamOwner } from "./primary-stream.ts";
import { SocketTransfer } from "./socket-transfer.ts";
import type { ReplicaSide, ReplicationState } from "./state.ts";
import { parseForm, syncWord, type Transfer, type TransferForm, type TransferResult } from "./transfer.ts";

const UNBLOCKED = "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)";

/** What following needs of others. */
export interface FollowerParts {
  readonly state: ReplicationState;
  readonly primarySide: PrimarySide;
}

/** A point to go on from, and the database that the stream has selected there. */
interface CachedPrimary extends ResumePoint {
  readonly dbId: number;
}

export class Follower implements ReplicaSide, LinkOwner, StreamOwner {
  primary: ServerAddress = { host: "", port: 0 };
  readonly #parts: FollowerParts;
  readonly #state: ReplicationState;
  #link: PrimaryLink | null = null;
  #transfer: Transfer | null = null;
  #stream: PrimaryStream | null = null;
  /** Where to go on from; null: only a full sync will do. */
  #cached: CachedPrimary | null = null;
  /** Of the full sync in progress: the history that its data set is a state of; -1: the primary has no offsets. */
  #syncId = "";
  #syncOffset = -1;
  /** Does the primary know SYNC alone? It gets no acknowledgements. */
  #isOldPrimary = false;
  #form: TransferForm | null = null;
  /** The connection has gone while a data set was loaded that has come completely. */
  #isLost = false;
  /** Bytes of the stream that have come. */
  #readOffset = 0;
  /** Unix time in seconds since when there is no link; 0: there is, or never was. */
  downSinceSeconds = 0;
  #lastCronSeconds = 0;

  constructor(parts: FollowerParts) {
    this.#parts = parts;
    this.#state = parts.state;
    const { engine } = parts.state;
    const { config } = engine;
    config.onApply(["replica-serve-stale-data"], () => {
      this.#settle();
      return null;
    });
  }

  get #engine() {
    return this.#state.engine;
  }

  get #isFollowing(): boolean {
    return this.#state.replica === this;
  }

  get #nowSeconds(): number {
    return Math.floor(this.#engine.clock.nowMs() / 1000);
  }

  /** "PRIMARY host:port" as log lines have it. */
  get #target(): string {
    return `${this.#engine.config.personality.primaryWordUpper} ${this.primary.host}:${this.primary.port}`;
  }

  // ---- as others see it

  get isConnected(): boolean {
    return this.#stream !== null;
  }

  get isSyncing(): boolean {
    return this.#link?.state === LinkState.Transfer;
  }

  get transfer(): Transfer | null {
    return this.#transfer;
  }

  get transferForm(): TransferForm | null {
    return this.#form;
  }

  get selectedDb(): number {
    return this.#stream?.client.db.id ?? this.#cached?.dbId ?? -1;
  }

  get appliedOffset(): number {
    if (this.#stream !== null) return this.#isOldPrimary ? -1 : this.#state.history.offset;
    return this.#cached?.offset ?? -1;
  }

  get readOffset(): number {
    return this.#stream === null ? this.appliedOffset : this.#readOffset + this.#stream.readBytes;
  }

  /** Unix time in ms when the primary was last heard of; -1: there is no link. */
  get lastIoMs(): number {
    return this.#stream?.lastIoMs ?? -1;
  }

  get transferIoMs(): number {
    return this.#link?.lastIoMs ?? 0;
  }

  get #stateWord(): string {
    const link = this.#link;
    if (link === null) return "connect";
    if (link.isInHandshake) return "handshake";
    if (link.state === LinkState.Connecting) return "connecting";
    return link.state === LinkState.Transfer ? "sync" : "connected";
  }

  writeRole(reply: ReplyWriter): void {
    reply.array(5);
    reply.bulkText("slave");
    reply.bulkText(this.primary.host);
    reply.integer(this.primary.port);
    reply.bulkText(this.#stateWord);
    reply.integer(this.#stream === null ? -1 : this.appliedOffset);
  }

  info(line: (field: string, value: InfoValue) => void): void {
    followerInfo(this.#engine, this, line);
  }

  // ---- roles

  /** Becomes a replica of another server, or of another one than before. */
  follow(host: string, port: number): void {
    const { history, engine } = this.#state;
    const wasPrimary = !this.#isFollowing;
    this.#dropLink();
    engine.blocking.disconnectAll(UNBLOCKED);
    this.primary = { host, port };
    engine.config.assign("replicaof", `${host} ${port}`);
    if (wasPrimary) this.#cacheMyself(history.id, history.offset, 0);
    this.#state.replica = this;
    this.#settle();
    this.#parts.primarySide.countNear();
    this.#connect(`Connecting to ${this.#target}`);
  }

  /** The server starts as a replica: it connects with the first run of the cron, when its data set has been loaded. */
  enlist(host: string, port: number): void {
    this.primary = { host, port };
    this.#state.replica = this;
    this.#settle();
  }

  /** What the data set was loaded from is the state of a history at a point, from which to go on. */
  resumeFrom(id: string, offset: number, dbId: number): void {
    const { history } = this.#state;
    history.id = id;
    history.offset = offset;
    this.#cacheMyself(id, offset, dbId);
  }

  /** What this server has as a primary may be what its new primary has, up to some point: after a failover, for example. */
  #cacheMyself(id: string, offset: number, dbId: number): void {
    const word = this.#engine.config.personality.primaryWord;
    this.#engine.log.notice(
      `Before turning into a replica, using my own ${word} parameters to synthesize a cached ${word}: I may be able to synchronize with the new ${word} with just a partial transfer.`,
    );
    this.#cached = { id, offset, dbId };
  }

  /** Becomes a primary: what was before has the old id as its second one. */
  promote(): void {
    if (!this.#isFollowing) return;
    const { history, engine } = this.#state;
    const { primarySide } = this.#parts;
    const { appendOnly } = this.#state.parts;
    this.#state.replica = null;
    this.#dropLink();
    this.#discardCached();
    engine.config.assign("replicaof", "no one");
    history.shift();
    engine.log.notice(
      `Setting secondary replication ID to ${history.id2}, valid up to offset: ${history.id2End}. New replication ID is ${history.id}`,
    );
    primarySide.dropReplicas();
    primarySide.feed.forgetSelection();
    primarySide.attachFeed();
    primarySide.startAlone();
    this.downSinceSeconds = 0;
    engine.ownKeys.clear();
    this.#settle();
    primarySide.countNear();
    if (engine.config.values.appendonly && !appendOnly.isEnabled) {
      engine.log.notice(`Restarting AOF after becoming ${engine.config.personality.primaryWord}`);
      appendOnly.restart();
    }
  }

  /** Makes the rest of the server see the role and the link. */
  #settle(): void {
    const engine = this.#engine;
    const { replicaServeStaleData } = engine.config.values;
    engine.gate &= ~(ServerGate.Replica | ServerGate.Stale);
    if (this.#isFollowing) {
      engine.gate |= ServerGate.Replica;
      if (!this.isConnected && !replicaServeStaleData) engine.gate |= ServerGate.Stale;
    }
    engine.log.setRole(this.#isFollowing ? "S" : "M");
    engine.process?.setRole(this.#isFollowing);
    settleExpiryMode(engine);
  }

  // ---- attempts

  #connect(line: string): void {
    const { engine } = this.#state;
    engine.log.notice(line);
    const { host, port } = this.primary;
    const { tlsReplication: tls, bindSourceAddr: source } = engine.config.values;
    this.#link = new PrimaryLink(engine, this.#state.parts.dialer, { host, port, tls, source }, this);
  }

  /** Ends the link, whatever state it is in. A stream that is cut off can be gone on with. */
  #dropLink(): void {
    this.#transfer?.abort();
    this.#transfer = null;
    this.#form = null;
    this.#endStream(true);
    this.#link?.close();
    this.#link = null;
  }

  #endStream(resumable: boolean): void {
    const stream = this.#stream;
    if (stream === null) return;
    const { engine, history } = this.#state;
    const word = engine.config.personality.primaryWord;
    this.#stream = null;
    stream.close();
    engine.log.notice(`Connection with ${word} lost.`);
    this.downSinceSeconds = this.#nowSeconds;
    if (resumable && !this.#isOldPrimary) {
      engine.log.notice(`Caching the disconnected ${word} state.`);
      this.#cached = { id: history.id, offset: history.offset, dbId: stream.client.db.id };
    } else {
      this.#cached = null;
    }
  }

  #discardCached(): void {
    if (this.#cached === null) return;
    this.#cached = null;
    this.#engine.log.notice(`Discarding previously cached ${this.#engine.config.personality.primaryWord} state.`);
  }

  /** Tries again at once. */
  #reconnect(line: string): void {
    this.#link?.close();
    this.#link = null;
    this.#transfer = null;
    this.#form = null;
    this.#settle();
    if (this.#isFollowing) this.#connect(line);
  }

  /** What time asks for, most of it once a second. */
  cron(): void {
    this.#engine.ownKeys.expire();
    const now = this.#nowSeconds;
    if (now === this.#lastCronSeconds) return;
    this.#lastCronSeconds = now;
    this.#checkTimeout();
    if (this.#link === null) this.#connect(`Connecting to ${this.#target}`);
    else if (this.#stream !== null) this.sendAck();
    else if (this.#transfer !== null) this.#link.sendNewline();
  }

  #checkTimeout(): void {
    const link = this.#link;
    const { engine } = this.#state;
    const { log, config, clock } = engine;
    const { primaryWordUpper, serverName } = config.personality;
    if (link === null) return;
    const silentSeconds = (clock.nowMs() - (this.#stream?.lastIoMs ?? link.lastIoMs)) / 1000;
    if (silentSeconds <= config.values.replTimeout || this.#transfer?.isBusy === true) return;
    if (this.#stream !== null) {
      log.warning(`${primaryWordUpper} timeout: no data nor PING received...`);
      this.#endStream(true);
      this.#reconnect(`Reconnecting to ${this.#target}`);
      return;
    }
    if (link.state === LinkState.Transfer) {
      log.warning(
        `Timeout receiving bulk data from ${primaryWordUpper}... If the problem persists try to set the 'repl-timeout' parameter in ${serverName}.conf to a larger value.`,
      );
      this.#transfer?.abort();
    } else {
      log.warning(`Timeout connecting to the ${primaryWordUpper}...`);
    }
    this.#reconnect(`Reconnecting to ${this.#target} after failure`);
  }

  /** Tells the primary how far this server is. */
  sendAck(): void {
    const link = this.#link;
    if (this.#stream === null || link === null || this.#isOldPrimary) return;
    const { appendOnly } = this.#state.parts;
    const ack = ["REPLCONF", "ACK", String(this.#state.history.offset)];
    if (appendOnly.isEnabled) ack.push("FACK", String(Math.max(0, appendOnly.syncedOffset)));
    link.send(...ack);
  }

  // ---- what the link tells

  get resumePoint(): ResumePoint | null {
    return this.#cached;
  }

  get isHandingOver(): boolean {
    return this.#state.failover === "failover-in-progress";
  }

  fullResync(id: string, offset: number): void {
    this.#endHandOver();
    this.#syncId = id === "" ? randomHistoryId() : id;
    this.#syncOffset = offset;
    this.#isOldPrimary = offset < 0;
    this.#form = null;
  }

  #endHandOver(): void {
    if (this.isHandingOver) this.#state.endFailover(null);
  }

  partialResync(id: string): void {
    const { history, engine } = this.#state;
    const { primarySide } = this.#parts;
    const { log, config } = engine;
    const word = config.personality.primaryWord;
    this.#endHandOver();
    const cached = this.#cached as CachedPrimary;
    if (id !== "" && id !== cached.id) {
      log.notice(`${word[0].toUpperCase()}${word.slice(1)} replication ID changed to ${id}`);
      history.rename(id);
      history.id2 = cached.id;
      primarySide.dropReplicas();
    }
    this.#cached = null;
    this.#isOldPrimary = false;
    history.keepBacklog(config.values.replBacklogSize);
    this.#beginStream(cached.dbId);
    log.notice(`${syncWord(engine)}: ${word[0].toUpperCase()}${word.slice(1)} accepted a Partial Resynchronization.`);
    if (config.values.appendonly) this.#state.parts.appendOnly.restart();
  }

  refused(): void {
    if (this.isHandingOver) this.#state.endFailover("Failover target rejected psync request");
    this.failed();
  }

  failed(): void {
    this.#link = null;
  }

  header(line: string): void {
    const { engine } = this.#state;
    const { primaryWordUpper } = engine.config.personality;
    const link = this.#link as PrimaryLink;
    if (line === "") return;
    if (line.startsWith("-")) {
      engine.log.warning(`${primaryWordUpper} aborted replication with an error: ${line.slice(1)}`);
      this.#reconnect(`Reconnecting to ${this.#target} after failure`);
      return;
    }
    const form = line.startsWith("$") ? parseForm(line.slice(1)) : null;
    if (form === null) {
      engine.log.warning(
        `Bad protocol from ${primaryWordUpper}, the first byte is not '$' (we received '${line}'), are you sure the host and port are right?`,
      );
      this.#reconnect(`Reconnecting to ${this.#target} after failure`);
      return;
    }
    link.readsLines = false;
    this.#isLost = false;
    this.#form = form;
    this.#beginTransfer(form);
  }

  #usesSocket(): boolean {
    const { config, keyspace } = this.#engine;
    const { replDisklessLoad } = config.values;
    if (replDisklessLoad === "on-empty-db") return keyspace.databases.every((db) => db.size === 0);
    return replDisklessLoad !== "disabled";
  }

  #beginTransfer(form: TransferForm): void {
    const { engine, history, parts } = this.#state;
    const usesSocket = this.#usesSocket();
    const what = form.length < 0 ? "streamed RDB" : `${form.length} bytes`;
    const how = form.length < 0 ? " with EOF" : "";
    engine.log.notice(
      `${syncWord(engine)}: receiving ${what} from ${engine.config.personality.primaryWord}${how} ${usesSocket ? "to parser" : "to disk"}`,
    );
    const transferParts = {
      ...parts,
      peer: (this.#link as PrimaryLink).peer,
      attach: () => this.#attach(),
    };
    const done = (result: TransferResult): void => this.#transferred(result);
    if (usesSocket) {
      const swaps = engine.config.values.replDisklessLoad === "swapdb";
      const options = { swaps, serves: history.id === this.#syncId };
      this.#transfer = new SocketTransfer(transferParts, form, options, done);
      return;
    }
    const file = openTransferFile(transferParts);
    if (file === null) this.#reconnect(`Reconnecting to ${this.#target} after failure`);
    else this.#transfer = new DiskTransfer(transferParts, form, file, done);
  }

  /** The data set is about to become the primary's: nobody can go on from what was before. */
  #attach(): void {
    const { history } = this.#state;
    this.#discardCached();
    this.#parts.primarySide.dropReplicas();
    history.backlog = null;
  }

  #transferred({ ok, rest, dbId }: TransferResult): void {
    const { engine, history } = this.#state;
    this.#transfer = null;
    this.#form = null;
    if (!ok) {
      this.#reconnect(`Reconnecting to ${this.#target} after failure`);
      return;
    }
    history.backlog = null;
    history.adopt(this.#syncId, Math.max(0, this.#syncOffset));
    history.keepBacklog(engine.config.values.replBacklogSize);
    (this.#link as PrimaryLink).state = LinkState.Streaming;
    this.#beginStream(dbId);
    engine.log.notice(`${syncWord(engine)}: Finished with success`);
    if (engine.config.values.appendonly) this.#state.parts.appendOnly.restart();
    engine.blocking.databaseChanged(-1);
    if (rest.length > 0) (this.#stream as PrimaryStream | null)?.received(rest);
    if (!this.#isLost || this.#stream === null) return;
    this.#endStream(true);
    this.#reconnect(`Reconnecting to ${this.#target}`);
  }

  #beginStream(dbId: number): void {
    const { engine, history } = this.#state;
    this.#stream = new PrimaryStream(engine, (this.#link as PrimaryLink).peer, dbId, this);
    this.#readOffset = history.offset;
    this.downSinceSeconds = 0;
    this.#settle();
    // Puts this replica online.
    this.sendAck();
  }

  received(bytes: Uint8Array): void {
    if (this.#stream !== null) this.#stream.received(bytes);
    else this.#transfer?.received(bytes);
  }

  lost(reason: string): void {
    const { engine } = this.#state;
    if (this.#stream !== null) {
      this.#endStream(true);
      this.#reconnect(`Reconnecting to ${this.#target}`);
    } else if (this.#transfer !== null) {
      this.#isLost = true;
      this.#transfer.lost(reason);
    } else {
      engine.log.warning(`I/O error reading bulk count from ${engine.config.personality.primaryWordUpper}: ${reason}`);
      this.#reconnect(`Reconnecting to ${this.#target} after failure`);
    }
  }

  // ---- what the stream tells

  executed(bytes: Uint8Array, at: number, length: number): void {
    this.#parts.primarySide.feed.feed(bytes, at, length);
  }

  damaged(): void {
    const { log, config } = this.#engine;
    log.warning(
      `WARNING: Receiving inline protocol from ${config.personality.primaryWord}, ${config.personality.primaryWord} stream corruption? Closing the ${config.personality.primaryWord} connection and discarding the cached ${config.personality.primaryWord}.`,
    );
    this.#endStream(false);
    this.#reconnect(`Reconnecting to ${this.#target}`);
  }

  killed(): void {
    this.#endStream(true);
    this.#reconnect(`Reconnecting to ${this.#target}`);
  }
}
