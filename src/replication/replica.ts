/**
 * A replica of this server: a client that has asked for synchronization.
 *
 *   wait-start   it waits for a snapshot to begin
 *   wait-end     it gets a snapshot (over its socket), or waits for one on disk
 *   send-bulk    it gets the file of a snapshot
 *   online       it gets the stream of changes; over a socket, from its first acknowledgement on
 *   transmitted  it wanted a snapshot and nothing else, and has it
 *
 * From the snapshot's beginning on it has a cursor in the backlog; what lies behind that is held until the snapshot has been sent. The snapshot and what else
 * goes before the stream are queued here, as far as the socket does not take them.
 *
 * Invariant: aheadBytes is the number of queued bytes; while it is not 0 nothing is sent past the queue.
 */
import { copyOf, latin1Bytes } from "../base/bytes.ts";
import type { Client } from "../engine/client/client.ts";
import type { ReplicaTraits } from "../engine/replication-port.ts";
import type { Backlog, BacklogCursor } from "./backlog.ts";

export type ReplicaStage = "wait-start" | "wait-end" | "send-bulk" | "online" | "transmitted";

/** What INFO and the log call the stages. */
export const STAGE_NAMES: Readonly<Record<ReplicaStage, string>> = {
  "wait-start": "wait_bgsave",
  "wait-end": "wait_bgsave",
  "send-bulk": "send_bulk",
  online: "online",
  transmitted: "rdb_transmitted",
};

/** Traits of a client that has told nothing. */
export function noTraits(): ReplicaTraits {
  return {
    listeningPort: 0,
    address: "",
    understandsEof: false,
    understandsPsync2: false,
    rdbOnly: false,
    wantsData: true,
    wantsFunctions: true,
    version: 0,
  };
}

/** Host of an address with a port behind it. */
export function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(":")).replace(/^\[|\]$/g, "");
}

/** What the log calls a replica. */
export function replicaName(client: Client, traits: ReplicaTraits): string {
  const host = traits.address || (client.link.isUnix ? "" : hostOf(client.link.address));
  if (host === "") return `client id #${client.id}`;
  return `${host}:${traits.listeningPort || "<unknown-replica-port>"}`;
}

export class Replica {
  readonly client: Client;
  readonly traits: ReplicaTraits;
  stage: ReplicaStage = "wait-start";
  /** It used SYNC: it acknowledges nothing. */
  readonly isOld: boolean;
  /** Offset of the stream at its snapshot. */
  startOffset = 0;
  /** What it has acknowledged: bytes applied, and bytes on disk. */
  ackOffset = 0;
  aofOffset = 0;
  /** Unix time in seconds of its last acknowledgement. */
  ackSeconds = 0;
  /** Unix time in seconds when it asked for synchronization. */
  readonly askedSeconds: number;
  /** Its stream begins with its next acknowledgement. */
  startsOnAck = false;
  /** Unix time in seconds since when the socket takes nothing; 0: it does. */
  stuckSeconds = 0;
  aheadBytes = 0;
  /** Called when everything that was queued has been sent. */
  onSent: () => void = () => {};
  /** Called when the replica has gone. */
  onDrop: () => void = () => {};
  /** Where it is in the stream. */
  #cursor: BacklogCursor | null = null;
  #ahead: Uint8Array[] = [];
  /** Bytes of the first chunk that have been sent. */
  #at = 0;
  readonly #now: () => number;

  /** `now` tells the Unix time in seconds. */
  constructor(client: Client, traits: ReplicaTraits, isOld: boolean, now: () => number) {
    this.client = client;
    this.traits = traits;
    this.isOld = isOld;
    this.#now = now;
    this.askedSeconds = now();
  }

  get name(): string {
    return replicaName(this.client, this.traits);
  }

  /** Address and port that it is to be reached at. */
  get host(): string {
    return this.traits.address || hostOf(this.client.link.address);
  }

  get port(): number {
    return this.traits.listeningPort;
  }

  /** Does it get the stream? */
  get isFed(): boolean {
    return this.#cursor !== null;
  }

  /** From now on it gets the stream from byte `from` on. Only when the backlog reaches that far. */
  feedFrom(backlog: Backlog, from: number): void {
    this.#cursor = backlog.cursor(from);
    this.client.link.attachStream(this.#cursor);
    this.client.link.streamGrew();
  }

  /** From now on the stream is held back, and send() goes ahead of it. */
  hold(): void {
    this.client.link.hold(() => this.#drain());
  }

  /** The stream goes out. */
  startStream(): void {
    this.startsOnAck = false;
    this.client.link.letGo();
  }

  /** Sends bytes ahead of the stream. They need to be good only during the call. */
  send(bytes: Uint8Array, at: number, length: number): void {
    let sent = 0;
    if (this.aheadBytes === 0) sent = this.client.link.sendAhead(bytes, at, length);
    if (sent === length) return;
    if (this.aheadBytes === 0) this.stuckSeconds = this.#now();
    this.#ahead.push(copyOf(bytes, at + sent, length - sent));
    this.aheadBytes += length - sent;
  }

  sendText(text: string): void {
    const bytes = latin1Bytes(text);
    this.send(bytes, 0, bytes.length);
  }

  #drain(): void {
    while (this.aheadBytes > 0) {
      const chunk = this.#ahead[0];
      const left = chunk.length - this.#at;
      const sent = this.client.link.sendAhead(chunk, this.#at, left);
      this.aheadBytes -= sent;
      this.#at += sent;
      if (sent > 0) this.stuckSeconds = this.#now();
      if (sent < left) return;
      this.#ahead.shift();
      this.#at = 0;
    }
    this.stuckSeconds = 0;
    this.onSent();
  }

  /** The replica has gone: forgets what is queued. */
  drop(): void {
    this.onDrop();
    this.#cursor?.close();
    this.#cursor = null;
    this.#ahead = [];
    this.aheadBytes = 0;
    this.onSent = () => {};
  }
}
