/**
 * What a server does for its replicas: lets them synchronize, partially when the backlog reaches back far enough, feeds them, and keeps an eye on them.
 */
import { latin1Bytes } from "../base/bytes.ts";
import { type Client, ClientFlag } from "../engine/client/client.ts";
import { ServerGate } from "../engine/observer.ts";
import type { ReplicaTraits } from "../engine/replication-port.ts";
import { NOT_AN_INTEGER, ReplyError } from "../resp/errors.ts";
import { BACKLOG_BYTES_MIN } from "./backlog.ts";
import { FullSync } from "./full-sync.ts";
import { PrimaryFeed } from "./primary-feed.ts";
import { noTraits, Replica, replicaName, STAGE_NAMES } from "./replica.ts";
import type { ReplicationState } from "./state.ts";
import { WaitList } from "./wait-list.ts";

const FAILING_OVER = new ReplyError("NOMASTERLINK Can't SYNC while failing over");
const NO_LINK = new ReplyError("NOMASTERLINK Can't SYNC while not connected with my master");
const PENDING_OUTPUT = new ReplyError("ERR SYNC and PSYNC are invalid with pending output");
const NEEDS_EOF = new ReplyError("ERR Filtered replica requires EOF capability");

const PING = "*1\r\n$4\r\nPING\r\n";
const GETACK = "*3\r\n$8\r\nREPLCONF\r\n$6\r\nGETACK\r\n$1\r\n*\r\n";

export class PrimarySide {
  readonly feed: PrimaryFeed;
  readonly fullSync: FullSync;
  readonly waits: WaitList;
  /** Synchronizations so far. */
  fullSyncs = 0;
  partialSyncs = 0;
  partialRefusals = 0;
  /** Replicas that are near enough for writes. */
  nearCount = 0;
  readonly #state: ReplicationState;
  /** What clients have told with REPLCONF. */
  readonly #traits = new Map<Client, ReplicaTraits>();
  /** Unix time in seconds since when there has been no replica. */
  #aloneSeconds = 0;
  #ackRequested = false;
  #lastCronSeconds = 0;
  /** Seconds of the server, about. Not from 0: a replica that is there by the first cron is not pinged before the period is over, as nobody is at a start. */
  #cronSeconds = 1;

  constructor(state: ReplicationState) {
    this.#state = state;
    this.feed = new PrimaryFeed(state);
    this.fullSync = new FullSync(state, this.feed, (replica) => this.#online(replica));
    this.waits = new WaitList(state.engine, () => this.requestAcks());
    const { config, memory } = state.engine;
    config.onApply(["min-replicas-to-write", "min-replicas-max-lag"], () => {
      this.countNear();
      return null;
    });
    config.onApply("repl-backlog-size", () => {
      if (config.values.replBacklogSize < BACKLOG_BYTES_MIN)
        config.assign("repl-backlog-size", String(BACKLOG_BYTES_MIN));
      state.history.backlog?.resize(config.values.replBacklogSize);
      return null;
    });
    config.onApply("appendonly", () => {
      this.attachFeed();
      this.waits.checkSoon();
      return null;
    });
    // Replicas and the backlog share their memory: what goes beyond the backlog's limit is there for replicas.
    memory.setPart("replication-backlog", () => this.#backlogBytes - this.#replicaBytes);
    memory.setPart("clients-replicas", () => this.#replicaBytes);
    // Evicting keys makes more of it.
    memory.uncountedBytes = () => memory.part("append-only-buffer") + (state.history.backlog?.uncountedBytes ?? 0);
    this.attachFeed();
    this.countNear();
  }

  get replicas(): readonly Replica[] {
    return this.feed.replicas;
  }

  get #nowSeconds(): number {
    return Math.floor(this.#state.engine.nowMs() / 1000);
  }

  get #backlogBytes(): number {
    return this.#state.history.backlog?.memoryBytes ?? 0;
  }

  get #replicaBytes(): number {
    return this.replicas.length === 0 ? 0 : (this.#state.history.backlog?.excessBytes ?? 0);
  }

  /** Puts the feed among the propagation sinks, or takes it out, as it is needed. */
  attachFeed(): void {
    const { engine, history } = this.#state;
    const isNeeded = history.backlog !== null || engine.config.values.appendonly;
    const at = engine.sinks.indexOf(this.feed);
    if (isNeeded && at < 0) engine.sinks.push(this.feed);
    if (!isNeeded && at >= 0) engine.sinks.splice(at, 1);
  }

  /** What a client has told about itself; to be filled in. */
  traits(client: Client): ReplicaTraits {
    let traits = this.#traits.get(client);
    if (traits === undefined) {
      traits = noTraits();
      this.#traits.set(client, traits);
    }
    return traits;
  }

  #find(client: Client): Replica | undefined {
    return this.replicas.find((replica) => replica.client === client);
  }

  // ---- synchronization

  /** Throws unless the client may ask for synchronization now. */
  #admit(client: Client): void {
    const { failover, replica, engine } = this.#state;
    if (failover !== "no-failover") throw FAILING_OVER;
    if (replica !== null && !replica.isConnected) throw NO_LINK;
    if (engine.reply.pos > 0 || client.link.pendingOutput() > 0) throw PENDING_OUTPUT;
    const { wantsData, wantsFunctions, understandsEof } = this.traits(client);
    if ((!wantsData || !wantsFunctions) && !understandsEof) throw NEEDS_EOF;
  }

  /** PSYNC with the id and offset of a history, or SYNC (id null). Nothing happens when the client is a replica already. */
  synchronize(client: Client, id: string | null, offset: number): void {
    const { engine } = this.#state;
    if (client.has(ClientFlag.Replica)) return;
    this.#admit(client);
    const traits = this.traits(client);
    engine.log.notice(`Replica ${replicaName(client, traits)} asks for synchronization`);
    if (Number.isNaN(offset)) {
      engine.log.warning(`Replica ${replicaName(client, traits)} asks for synchronization but with a wrong offset`);
      throw NOT_AN_INTEGER;
    }
    if (id !== null) {
      if (this.#goOn(client, traits, id, offset)) {
        this.partialSyncs++;
        return;
      }
      if (!id.startsWith("?")) this.partialRefusals++;
    }
    this.fullSyncs++;
    const replica = this.#attach(client, traits, id === null);
    replica.hold();
    this.#keepBacklog();
    this.fullSync.request(replica);
  }

  #attach(client: Client, traits: ReplicaTraits, isOld: boolean): Replica {
    const replica = new Replica(client, traits, isOld, () => this.#nowSeconds);
    client.set(ClientFlag.Replica);
    this.feed.replicas.push(replica);
    if (this.#state.engine.config.values.replDisableTcpNodelay) client.link.delayPackets();
    return replica;
  }

  /** A server without backlog has no past that anybody could go on from. */
  #keepBacklog(): void {
    const { history, engine } = this.#state;
    if (history.backlog !== null) return;
    history.renew();
    history.keepBacklog(engine.config.values.replBacklogSize);
    this.attachFeed();
    engine.log.notice(`Replication backlog created, my new replication IDs are '${history.id}' and '${history.id2}'`);
  }

  /** Partial synchronization; false, and the reason is in the log, when it cannot be. */
  #goOn(client: Client, traits: ReplicaTraits, id: string, offset: number): boolean {
    const { history, engine } = this.#state;
    const { log } = engine;
    const name = replicaName(client, traits);
    const lower = id.toLowerCase();
    if (!history.knows(lower, offset)) {
      if (id.startsWith("?")) log.notice(`Full resync requested by replica ${name}`);
      else if (lower !== history.id && lower !== history.id2)
        log.notice(
          `Partial resynchronization not accepted: Replication ID mismatch (Replica asked for '${id}', my replication IDs are '${history.id}' and '${history.id2}')`,
        );
      else
        log.notice(
          `Partial resynchronization not accepted: Requested offset for second ID was ${offset}, but I can reply up to ${history.id2End}`,
        );
      return false;
    }
    const { backlog } = history;
    if (backlog === null || !backlog.reaches(offset)) {
      log.notice(`Unable to partial resync with replica ${name} for lack of backlog (Replica request was: ${offset}).`);
      if (offset > history.offset)
        log.warning(
          `Warning: replica ${name} tried to PSYNC with an offset that is greater than the master replication offset.`,
        );
      return false;
    }
    const replica = this.#attach(client, traits, false);
    replica.stage = "online";
    replica.ackSeconds = this.#nowSeconds;
    const reply = latin1Bytes(traits.understandsPsync2 ? `+CONTINUE ${history.id}\r\n` : "+CONTINUE\r\n");
    client.link.append(reply, 0, reply.length);
    replica.feedFrom(backlog, offset);
    log.notice(
      `Partial resynchronization request from ${name} accepted. Sending ${history.offset + 1 - offset} bytes of backlog starting from offset ${offset}.`,
    );
    this.countNear();
    return true;
  }

  /** A replica has got its snapshot. */
  #online(replica: Replica): void {
    const { log } = this.#state.engine;
    if (replica.traits.rdbOnly) {
      replica.stage = "transmitted";
      log.notice(`RDB transfer completed, rdb only replica (${replica.name}) should be disconnected asap`);
      if (replica.aheadBytes === 0) replica.client.link.close();
      else replica.onSent = () => replica.client.link.close();
      return;
    }
    replica.stage = "online";
    replica.ackSeconds = this.#nowSeconds;
    this.countNear();
    log.notice(`Synchronization with replica ${replica.name} succeeded`);
  }

  /** A client has gone. */
  forget(client: Client): void {
    this.#traits.delete(client);
    this.waits.forget(client);
    if (!client.has(ClientFlag.Replica)) return;
    const replica = this.#find(client);
    if (replica === undefined) return;
    const { engine } = this.#state;
    engine.log.notice(`Connection with replica ${replica.name} lost.`);
    this.feed.replicas.splice(this.feed.replicas.indexOf(replica), 1);
    replica.drop();
    this.fullSync.forget(replica);
    if (this.replicas.length === 0) this.#aloneSeconds = this.#nowSeconds;
    this.countNear();
  }

  /** Disconnects every replica: the data set is about to become another one. */
  dropReplicas(): void {
    for (const { client } of [...this.replicas]) client.link.close();
  }

  // ---- acknowledgements

  acknowledge(client: Client, offset: number, aofOffset: number): void {
    const replica = this.#find(client);
    if (replica === undefined) return;
    if (offset > replica.ackOffset) replica.ackOffset = offset;
    if (aofOffset > replica.aofOffset) replica.aofOffset = aofOffset;
    replica.ackSeconds = this.#nowSeconds;
    if (replica.startsOnAck && replica.stage === "online") replica.startStream();
    this.waits.check();
  }

  /** Replicas that have acknowledged this much of the stream; on disk when `onDisk`. */
  countAcknowledged(offset: number, onDisk: boolean): number {
    let count = 0;
    for (const replica of this.replicas) {
      if (replica.stage === "online" && (onDisk ? replica.aofOffset : replica.ackOffset) >= offset) count++;
    }
    return count;
  }

  /** Asks all replicas how far they are, once for all who want to know in this turn. */
  requestAcks(): void {
    if (this.#ackRequested) return;
    this.#ackRequested = true;
    setImmediate(() => {
      this.#ackRequested = false;
      if (this.#state.replica === null) this.feed.feedText(GETACK);
    });
  }

  /** Has every replica acknowledged the whole stream? */
  get isInSync(): boolean {
    return this.replicas.every(({ ackOffset }) => ackOffset === this.#state.history.offset);
  }

  /** Tells the log which replicas a server that ends leaves behind. */
  logLagging(): void {
    const { engine, history } = this.#state;
    if (this.replicas.length === 0) return;
    let inSync = 0;
    for (const replica of this.replicas) {
      if (replica.ackOffset === history.offset) {
        inSync++;
        continue;
      }
      const lag = replica.stage === "online" ? this.#nowSeconds - replica.ackSeconds : 0;
      engine.log.notice(
        `Lagging replica ${replica.name} reported offset ${history.offset - replica.ackOffset} behind master, lag=${lag}, state=${STAGE_NAMES[replica.stage]}.`,
      );
    }
    engine.log.notice(`${inSync} of ${this.replicas.length} replicas are in sync when shutting down.`);
  }

  /** Counts replicas that are near enough for writes, and opens or closes the gate for writes. */
  countNear(): void {
    const { engine, replica: link } = this.#state;
    const { minReplicasToWrite, minReplicasMaxLag } = engine.config.values;
    const now = this.#nowSeconds;
    const isWanted = minReplicasToWrite > 0 && minReplicasMaxLag > 0;
    this.nearCount = 0;
    if (isWanted) {
      for (const { stage, ackSeconds } of this.replicas)
        if (stage === "online" && now - ackSeconds <= minReplicasMaxLag) this.nearCount++;
    }
    if (isWanted && link === null && this.nearCount < minReplicasToWrite) engine.gate |= ServerGate.MinReplicas;
    else engine.gate &= ~ServerGate.MinReplicas;
  }

  // ---- time

  /** Called with every run of the cron; most of the work is done once a second. */
  cron(): void {
    const now = this.#nowSeconds;
    this.fullSync.tend();
    this.waits.check();
    if (now === this.#lastCronSeconds) return;
    this.#lastCronSeconds = now;
    this.#ping();
    this.#keepAlive();
    this.#dropSilent(now);
    this.#freeBacklog(now);
    this.countNear();
  }

  #ping(): void {
    const { engine, replica, failover } = this.#state;
    const isDue = this.#cronSeconds++ % engine.config.values.replPingReplicaPeriod === 0;
    if (isDue && replica === null && failover === "no-failover" && this.replicas.length > 0) this.feed.feedText(PING);
  }

  /** Those who wait for a snapshot must not think that the connection is dead. */
  #keepAlive(): void {
    const forDisk = this.fullSync.waitsForDisk;
    for (const replica of this.replicas) {
      if (replica.stage === "wait-start" || (replica.stage === "wait-end" && forDisk)) replica.sendText("\n");
    }
  }

  #dropSilent(now: number): void {
    const { engine } = this.#state;
    const { replTimeout } = engine.config.values;
    for (const replica of [...this.replicas]) {
      const { stage, isOld, ackSeconds, stuckSeconds } = replica;
      let phase = "";
      if (stage === "online" && !isOld && now - ackSeconds > replTimeout) phase = "streaming sync";
      if (stage === "wait-end" && !this.fullSync.waitsForDisk && stuckSeconds !== 0 && now - stuckSeconds > replTimeout)
        phase = "full sync";
      if (phase === "") continue;
      engine.log.warning(`Disconnecting timedout replica (${phase}): ${replica.name}`);
      replica.client.link.close();
    }
  }

  /** A backlog that nobody has needed for long is given up, and with it the past: what happens then is not recorded. */
  #freeBacklog(now: number): void {
    const { engine, history, replica } = this.#state;
    const { replBacklogTtl } = engine.config.values;
    if (this.replicas.length > 0 || replBacklogTtl === 0 || history.backlog === null || replica !== null) return;
    if (now - this.#aloneSeconds <= replBacklogTtl) return;
    history.renew();
    history.backlog = null;
    this.attachFeed();
    engine.log.notice(`Replication backlog freed after ${replBacklogTtl} seconds without connected replicas.`);
  }

  /** There is a past that replicas may go on from although none has come yet. */
  startAlone(): void {
    this.#aloneSeconds = this.#nowSeconds;
  }
}
