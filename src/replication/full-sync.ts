/**
 * Full synchronization: snapshots for replicas that cannot go on from where they are. All replicas that wait when a snapshot begins share it.
 *
 * A snapshot goes straight to the sockets (diskless: RDB between two equal marks, since its length is not known) or to the file of BGSAVE, which is then sent with
 * its length in front (file-sender.ts). One snapshot is made at a time; it takes the place of a child process (ChildSlot).
 */

import { removeFile } from "../persistence/disk.ts";
import { RdbFormat } from "../persistence/rdb/rdb-format.ts";
import type { SaveOutcome } from "../persistence/rdb/rdb-save.ts";
import type { ByteSink, SnapshotTarget } from "../persistence/snapshot/snapshot.ts";
import type { Backlog } from "./backlog.ts";
import { FileSender } from "./file-sender.ts";
import { randomHistoryId } from "./history.ts";
import type { PrimaryFeed } from "./primary-feed.ts";
import type { Replica } from "./replica.ts";
import type { ReplicationState } from "./state.ts";
import { TransferProcess } from "./transfer-process.ts";

/** What servers that do not tell their version can read. */
const OLDEST_RDB_VERSION = 10;
/** The first version that reads RDB version 11. */
const VERSION_7_2 = 0x070200;

/** What two replicas must want alike to share a snapshot. */
function wantsOf({ traits }: Replica): string {
  return `${traits.wantsData} ${traits.wantsFunctions}`;
}

/** A snapshot on its way to sockets. */
class SocketsTarget implements ByteSink, SnapshotTarget {
  replicas: Replica[];
  readonly #done: () => void;

  /** `done` is called when all bytes have been given to the sockets' queues. */
  constructor(replicas: Replica[], done: () => void) {
    this.replicas = replicas;
    this.#done = done;
  }

  write(bytes: Uint8Array, start: number, end: number): void {
    for (const replica of this.replicas) replica.send(bytes, start, end - start);
  }

  /** The slowest reader sets the pace. */
  pendingBytes(): number {
    let most = 0;
    for (const { aheadBytes } of this.replicas) if (aheadBytes > most) most = aheadBytes;
    return most;
  }

  finish(): void {
    this.#done();
  }
}

export class FullSync {
  readonly #state: ReplicationState;
  readonly #feed: PrimaryFeed;
  /** A replica is online, or has what it wanted. */
  readonly #synchronized: (replica: Replica) => void;
  #transfer: SocketsTarget | null = null;
  #child: TransferProcess | null = null;
  /** The snapshot on disk that is being made is for replicas. */
  #onDisk = false;
  /** The last snapshot on disk was made for replicas alone. */
  #leavesFile = false;

  constructor(state: ReplicationState, feed: PrimaryFeed, synchronized: (replica: Replica) => void) {
    this.#state = state;
    this.#feed = feed;
    this.#synchronized = synchronized;
    const { persistence, snapshot } = state.parts;
    snapshot.isAwaited = () => this.#replicas.some(({ stage }) => stage === "wait-end");
    persistence.onSaveEnded = (outcome) => this.#saveEnded(outcome);
    // What is being sent then would be thrown away at once.
    persistence.onFlushAll = () => this.abort();
  }

  get #replicas(): readonly Replica[] {
    return this.#feed.replicas;
  }

  /** A replica, which is in the list, waits for a snapshot: which one? */
  request(replica: Replica): void {
    const { log, config } = this.#state.engine;
    const { slot } = this.#state.parts;
    const { replDisklessSync, replDisklessSyncDelay } = config.values;
    if (slot.kind === "rdb") {
      this.#attach(replica);
    } else if (slot.kind === "replicas") {
      log.notice("Current BGSAVE has socket target. Waiting for next BGSAVE for SYNC");
    } else if (replDisklessSync && replica.traits.understandsEof && replDisklessSyncDelay > 0) {
      log.notice("Delay next BGSAVE for diskless SYNC");
    } else if (slot.isActive) {
      log.notice("No BGSAVE in progress, but another BG operation is active. BGSAVE for replication delayed");
    } else {
      this.#start([replica]);
    }
  }

  /** Joins those who wait for the snapshot that is being saved, if their stream begins with it. */
  #attach(replica: Replica): void {
    const { log } = this.#state.engine;
    const other = this.#replicas.find(
      ({ stage, traits }) => stage === "wait-end" && (!traits.rdbOnly || replica.traits.rdbOnly),
    );
    const { history } = this.#state;
    const fits =
      other !== undefined &&
      (!other.traits.understandsEof || replica.traits.understandsEof) &&
      (!other.traits.understandsPsync2 || replica.traits.understandsPsync2) &&
      wantsOf(other) === wantsOf(replica) &&
      history.backlog?.reaches(other.startOffset + 1) === true;
    if (!fits) {
      log.notice("Can't attach the replica to the current BGSAVE. Waiting for next BGSAVE for SYNC");
      return;
    }
    this.#begin(replica, other.startOffset);
    log.notice("Waiting for end of BGSAVE for SYNC");
  }

  /** Begins a snapshot if somebody has waited long enough. Called by the cron. */
  tend(): void {
    const { slot, loading } = this.#state.parts;
    this.#removeLeftFile();
    if (slot.isActive || loading.isActive) return;
    const group = this.#waiting();
    if (group.length === 0) return;
    const { replDisklessSync, replDisklessSyncDelay, replDisklessSyncMaxReplicas } = this.#state.engine.config.values;
    const waited = this.#nowSeconds - Math.min(...group.map(({ askedSeconds }) => askedSeconds));
    const isFull = replDisklessSyncMaxReplicas > 0 && group.length >= replDisklessSyncMaxReplicas;
    if (!replDisklessSync || isFull || waited >= replDisklessSyncDelay) this.#start(group);
  }

  get #nowSeconds(): number {
    return Math.floor(this.#state.engine.nowMs() / 1000);
  }

  /** Those who wait for the next snapshot: the first, and who wants the same. */
  #waiting(): Replica[] {
    const all = this.#replicas.filter(({ stage }) => stage === "wait-start");
    return all.filter((replica) => wantsOf(replica) === wantsOf(all[0]));
  }

  #start(group: Replica[]): void {
    const { log, config } = this.#state.engine;
    const isFiltered = group.some(({ traits }) => !traits.wantsData || !traits.wantsFunctions);
    const toSockets =
      (config.values.replDisklessSync || isFiltered) && group.every(({ traits }) => traits.understandsEof);
    log.notice(`Starting BGSAVE for SYNC with target: ${toSockets ? "replicas sockets" : "disk"}`);
    if (toSockets) this.#startToSockets();
    else this.#startOnDisk(group);
  }

  /** The format's version that all of them read. */
  #version(group: readonly Replica[]): number {
    const { rdbVersion } = this.#state.engine.config.personality;
    const old = group.some(({ traits }) => traits.version < VERSION_7_2);
    return old ? Math.min(rdbVersion, OLDEST_RDB_VERSION) : rdbVersion;
  }

  /** The snapshot of a replica is made at this moment: the stream behind it collects. */
  #begin(replica: Replica, offset: number): void {
    replica.stage = "wait-end";
    replica.startOffset = offset;
    const { history } = this.#state;
    if (!replica.isOld) replica.sendText(`+FULLRESYNC ${history.id} ${offset}\r\n`);
    if (!replica.traits.rdbOnly) replica.feedFrom(history.backlog as Backlog, offset + 1);
  }

  #beginAll(group: readonly Replica[]): Replica[] {
    const waiting = group.filter(({ stage }) => stage === "wait-start");
    this.#feed.forgetSelection();
    for (const replica of waiting) this.#begin(replica, this.#state.history.offset);
    return waiting;
  }

  // ---- to sockets

  #startToSockets(): void {
    const { parts, engine } = this.#state;
    const startUs = engine.clock.monotonicUs();
    const child = new TransferProcess(`${engine.config.personality.name}-rdb-to-slaves`, () => this.#killed());
    this.#child = child;
    parts.slot.take("replicas", child.pid, engine.clock.monotonicUs() - startUs);
    engine.log.notice(`Background RDB transfer started by pid ${child.pid}`);
    parts.snapshot.whenReady(() => this.#walk());
  }

  #walk(): void {
    const { parts, engine } = this.#state;
    const { snapshot, persistence, slot } = parts;
    if (slot.kind !== "replicas") return;
    const group = this.#beginAll(this.#waiting());
    if (group.length === 0) {
      this.#release();
      return;
    }
    const mark = randomHistoryId();
    const transfer = new SocketsTarget(group, () => this.#sent(transfer, mark));
    this.#transfer = transfer;
    for (const replica of group) {
      replica.onSent = () => snapshot.resume();
      replica.sendText(`$EOF:${mark}\r\n`);
    }
    const format = new RdbFormat(engine, transfer, {
      checksum: engine.config.values.rdbchecksum ? "format" : "nobody",
      aux: persistence.replicationAux(),
      isAofBase: false,
      inSlices: true,
      version: this.#version(group),
    });
    if (group[0].traits.wantsData) {
      snapshot.start(format, transfer, { delaysKeys: true });
    } else {
      format.open();
      format.close();
      transfer.finish();
    }
  }

  /** All bytes have been given to the sockets' queues. */
  #sent(transfer: SocketsTarget, mark: string): void {
    const { engine } = this.#state;
    this.#transfer = null;
    engine.log.notice(
      `Diskless rdb transfer, done reading from pipe, ${transfer.replicas.length} replicas still up, ${transfer.pendingBytes()} bytes still pending`,
    );
    engine.log.notice("Background RDB transfer terminated with success");
    for (const replica of transfer.replicas) {
      replica.onSent = () => {};
      replica.sendText(mark);
      engine.log.notice(
        `Streamed RDB transfer with replica ${replica.name} succeeded (socket). Waiting for REPLCONF ACK from replica to enable streaming`,
      );
      replica.startsOnAck = true;
      this.#synchronized(replica);
    }
    this.#release();
  }

  /** Somebody has killed the process that stands for the transfer. */
  #killed(): void {
    const { log } = this.#state.engine;
    log.warning("Background transfer terminated by signal 9");
    log.warning("SYNC failed. BGSAVE child returned an error");
    this.abort();
  }

  #release(): void {
    this.#child?.end();
    this.#child = null;
    this.#state.parts.slot.free();
  }

  // ---- on disk

  #startOnDisk(group: Replica[]): void {
    const { parts, engine } = this.#state;
    const begun = (): void => {
      this.#onDisk = true;
      this.#beginAll(group);
    };
    if (parts.persistence.saveForReplicas({ version: this.#version(group), begun })) {
      if (engine.config.values.rdbDelSyncFiles) this.#leavesFile = true;
      return;
    }
    engine.log.warning("BGSAVE for replication failed");
    const error = "-ERR BGSAVE failed, replication can't continue\r\n";
    for (const replica of group) {
      replica.sendText(error);
      replica.client.link.closeAfterFlush();
    }
  }

  #saveEnded(outcome: SaveOutcome): void {
    const { engine } = this.#state;
    this.#onDisk = false;
    const waiting = this.#replicas.filter(({ stage }) => stage === "wait-end");
    for (const replica of waiting) {
      if (outcome !== "saved") {
        engine.log.warning("SYNC failed. BGSAVE child returned an error");
        replica.client.link.close();
        continue;
      }
      replica.stage = "send-bulk";
      const sender = new FileSender(replica, engine.config.values.dbfilename);
      const problem = sender.start((failure) => this.#fileSent(replica, failure));
      if (problem === null) continue;
      engine.log.warning(`SYNC failed. Can't open/stat DB after BGSAVE: ${problem}`);
      replica.client.link.close();
    }
  }

  #fileSent(replica: Replica, failure: string | null): void {
    if (failure !== null) {
      this.#state.engine.log.warning(`Read error sending DB to replica: ${failure}`);
      replica.client.link.close();
      return;
    }
    this.#synchronized(replica);
    if (replica.stage === "online") replica.startStream();
  }

  /** Deletes the file that was made for replicas alone, when nobody needs it any more and this server keeps nothing on disk otherwise. */
  #removeLeftFile(): void {
    const { config, log } = this.#state.engine;
    const { values } = config;
    if (!values.rdbDelSyncFiles) this.#leavesFile = false;
    if (!this.#leavesFile || this.#onDisk || values.appendonly || values.save.length > 0) return;
    if (this.#replicas.some(({ stage }) => stage === "wait-end" || stage === "send-bulk")) return;
    this.#leavesFile = false;
    log.notice("Removing the RDB file used to feed replicas in a persistence-less instance");
    removeFile(values.dbfilename);
  }

  // ---- ends

  /** A replica has gone. */
  forget(replica: Replica): void {
    const transfer = this.#transfer;
    if (transfer?.replicas.includes(replica)) {
      transfer.replicas = transfer.replicas.filter((other) => other !== replica);
      if (transfer.replicas.length > 0) {
        this.#state.parts.snapshot.resume();
      } else {
        this.#state.engine.log.notice("Diskless rdb transfer, last replica dropped, killing fork child.");
        this.abort();
      }
    } else if (this.#onDisk && replica.stage === "wait-end") {
      this.#dropUselessSave();
    }
  }

  /** Nobody waits any more for the snapshot on disk, and the settings do not ask for one either. */
  #dropUselessSave(): void {
    const { config } = this.#state.engine;
    const { persistence } = this.#state.parts;
    if (config.values.save.length > 0 || this.#replicas.some(({ stage }) => stage === "wait-end")) return;
    persistence.background.stop();
  }

  /** Is the snapshot that is being made not on its way to sockets? */
  get waitsForDisk(): boolean {
    return this.#transfer === null;
  }

  /** Breaks off a snapshot that goes to sockets. Its replicas are disconnected. */
  abort(): void {
    const { snapshot, slot } = this.#state.parts;
    const transfer = this.#transfer;
    this.#transfer = null;
    if (slot.kind !== "replicas") return;
    if (transfer !== null && snapshot.target === transfer) snapshot.abort();
    this.#release();
    for (const replica of transfer?.replicas ?? []) replica.client.link.close();
  }
}
