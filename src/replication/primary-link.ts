/**
 * One connection to a primary, from the attempt to its end:
 *
 *   Connecting -> Ping -> (Auth ->) Port -> (Address ->) Capabilities -> Version -> Psync -> Transfer -> Streaming
 *                                                                              +CONTINUE ------------------^
 *
 * Each state but the last two is named after the reply that is waited for. What happens is told to the owner, who decides about the next attempt.
 */
import { latin1, latin1Bytes } from "../base/bytes.ts";
import type { Engine } from "../engine/engine.ts";
import type { Dialer, DialOptions, Peer, PeerHandler } from "../engine/peer.ts";
import { commandBytes } from "../engine/propagation.ts";
import { HISTORY_ID_LENGTH } from "./history.ts";

/** Longest reply line of a handshake. */
const LINE_MAX = 1024;
const LF = 10;
const NEWLINE = latin1Bytes("\n");
/** Servers that know nothing else take it inline. */
const SYNC = latin1Bytes("SYNC\r\n");

/** Where a connection stands; the order matters: from Ping to Psync it is in its handshake. */
export const LinkState = {
  Connecting: 0,
  Ping: 1,
  Auth: 2,
  Port: 3,
  Address: 4,
  Capabilities: 5,
  Version: 6,
  Psync: 7,
  Transfer: 8,
  Streaming: 9,
} as const;

/** A point in a history to go on from. */
export interface ResumePoint {
  readonly id: string;
  readonly offset: number;
}

/** Who owns the link. */
export interface LinkOwner {
  /** What PSYNC shall ask to go on from; null: nothing is known. */
  readonly resumePoint: ResumePoint | null;
  /** This server hands its role over to the one that it connects to: PSYNC says so. */
  readonly isHandingOver: boolean;
  /** +FULLRESYNC, or (id "") a primary that knows SYNC alone. */
  fullResync(id: string, offset: number): void;
  /** +CONTINUE, with an id unless it is the old one (""). */
  partialResync(id: string): void;
  /** PSYNC was answered in another way. */
  refused(): void;
  /** A line of the header of a full sync, without its end. */
  header(line: string): void;
  /** Bytes of the data set or of the stream; they are the callee's. */
  received(bytes: Uint8Array): void;
  /** The handshake has failed, and the link is closed. The reason is in the log. */
  failed(): void;
  /** The connection broke in state Transfer or Streaming; the link is closed. */
  lost(reason: string): void;
}

export class PrimaryLink implements PeerHandler {
  state: number = LinkState.Connecting;
  readonly peer: Peer;
  /** Unix time in ms of the last sign of life. */
  lastIoMs: number;
  readonly #engine: Engine;
  readonly #owner: LinkOwner;
  /** Input is lines; else it is given to the owner as it comes. */
  readsLines = true;
  #line: Uint8Array = new Uint8Array(0);
  #closed = false;

  /** Begins to connect. */
  constructor(engine: Engine, dialer: Dialer, options: DialOptions, owner: LinkOwner) {
    this.#engine = engine;
    this.#owner = owner;
    this.lastIoMs = engine.clock.nowMs();
    this.peer = dialer.dial(options, this);
    const { log, config } = engine;
    log.notice(`${config.personality.primaryWordUpper} <-> REPLICA sync started`);
  }

  get isInHandshake(): boolean {
    return this.state >= LinkState.Ping && this.state <= LinkState.Psync;
  }

  get #word(): string {
    return this.#engine.config.personality.primaryWord;
  }

  get #capital(): string {
    return this.#word[0].toUpperCase() + this.#word.slice(1);
  }

  /** Closes the connection; nothing is told. */
  close(): void {
    this.#closed = true;
    this.peer.close();
  }

  /** Sends a command. */
  send(...words: string[]): void {
    this.#write(commandBytes(words));
  }

  /** Shows the primary that this server is alive, while it loads. */
  sendNewline(): void {
    this.#write(NEWLINE);
  }

  #write(bytes: Uint8Array): void {
    this.#engine.stats.replicationOutputBytes += bytes.length;
    this.peer.write(bytes, 0, bytes.length);
  }

  // ---- what the connection tells

  opened(): void {
    this.#engine.log.notice("Non blocking connect for SYNC fired the event.");
    this.state = LinkState.Ping;
    this.lastIoMs = this.#engine.clock.nowMs();
    this.send("PING");
  }

  received(bytes: Uint8Array): void {
    const { stats, clock } = this.#engine;
    this.lastIoMs = clock.nowMs();
    if (this.state !== LinkState.Streaming) stats.replicationInputBytes += bytes.length;
    let at = 0;
    while (this.readsLines && at < bytes.length) {
      const lf = bytes.indexOf(LF, at);
      const end = lf < 0 ? bytes.length : lf;
      this.#line =
        this.#line.length === 0 ? bytes.subarray(at, end) : Buffer.concat([this.#line, bytes.subarray(at, end)]);
      if (lf < 0) {
        if (this.#line.length > LINE_MAX)
          this.#fail(`${this.#capital} did not respond to command during SYNC handshake`);
        return;
      }
      at = lf + 1;
      const line = latin1(this.#line, 0, this.#line.length).replace(/\r$/, "");
      this.#line = new Uint8Array(0);
      this.#take(line);
      if (this.#closed) return;
    }
    if (at < bytes.length) this.#owner.received(at === 0 ? bytes : bytes.slice(at));
  }

  closed(reason: string): void {
    this.#closed = true;
    const { log } = this.#engine;
    if (this.state === LinkState.Connecting) this.#fail(`Error condition on socket for SYNC: ${reason}`);
    else if (this.state === LinkState.Psync) {
      log.warning(`Failed to read response from the server: ${reason}`);
      this.#fail(`${this.#capital} did not reply to PSYNC, will try later`);
    } else if (this.state < LinkState.Psync) {
      log.warning(`Failed to read response from the server: ${reason}`);
      this.#fail(`${this.#capital} did not respond to command during SYNC handshake`);
    } else this.#owner.lost(reason);
  }

  #fail(line: string): void {
    this.#engine.log.warning(line);
    this.close();
    this.#owner.failed();
  }

  // ---- replies

  #take(line: string): void {
    switch (this.state) {
      case LinkState.Ping:
        this.#afterPing(line);
        break;
      case LinkState.Auth:
        if (line.startsWith("-"))
          this.#fail(`Unable to AUTH to ${this.#engine.config.personality.primaryWordUpper}: ${line}`);
        else this.state = LinkState.Port;
        break;
      case LinkState.Port:
        this.#note(line, "listening-port");
        this.state = this.#engine.config.values.replicaAnnounceIp === "" ? LinkState.Capabilities : LinkState.Address;
        break;
      case LinkState.Address:
        this.#note(line, "ip-address");
        this.state = LinkState.Capabilities;
        break;
      case LinkState.Capabilities:
        this.#note(line, "capa");
        this.state = LinkState.Version;
        break;
      case LinkState.Version:
        this.#note(line, "version");
        this.#sendPsync();
        break;
      case LinkState.Psync:
        // Bare line ends are signs of life.
        if (line !== "") this.#afterPsync(line);
        break;
      default:
        this.#owner.header(line);
    }
  }

  /** The primary does not know an option of REPLCONF: so be it. */
  #note(line: string, option: string): void {
    if (line.startsWith("-"))
      this.#engine.log.notice(`(Non critical) ${this.#capital} does not understand REPLCONF ${option}: ${line}`);
  }

  #afterPing(line: string): void {
    const accepted = ["+", "-NOAUTH", "-NOPERM", "-ERR operation not permitted"];
    if (!accepted.some((start) => line.startsWith(start))) {
      this.#fail(`Error reply to PING from ${this.#word}: '${line}'`);
      return;
    }
    const { log, config } = this.#engine;
    const { values, personality } = config;
    log.notice(`${this.#capital} replied to PING, replication can continue...`);
    if (values.masterauth !== "") {
      if (values.masteruser !== "") this.send("AUTH", values.masteruser, values.masterauth);
      else this.send("AUTH", values.masterauth);
    }
    this.send("REPLCONF", "listening-port", String(announcedPort(this.#engine)));
    if (values.replicaAnnounceIp !== "") this.send("REPLCONF", "ip-address", values.replicaAnnounceIp);
    this.send("REPLCONF", "capa", "eof", "capa", "psync2");
    this.send("REPLCONF", "version", personality.valkeyVersion ?? personality.redisVersion);
    this.state = values.masterauth !== "" ? LinkState.Auth : LinkState.Port;
  }

  #sendPsync(): void {
    const { log } = this.#engine;
    const point = this.#owner.resumePoint;
    let id = "?";
    let from = -1;
    if (point === null) {
      log.notice(`Partial resynchronization not possible (no cached ${this.#word})`);
    } else {
      id = point.id;
      from = point.offset + 1;
      log.notice(`Trying a partial resynchronization (request ${id}:${from}).`);
    }
    this.state = LinkState.Psync;
    if (this.#owner.isHandingOver) this.send("PSYNC", id, String(from), "FAILOVER");
    else this.send("PSYNC", id, String(from));
  }

  #afterPsync(line: string): void {
    const { log } = this.#engine;
    if (line.startsWith("+FULLRESYNC")) {
      this.#fullResync(line);
    } else if (line.startsWith("+CONTINUE")) {
      const id = line.slice("+CONTINUE ".length).trim();
      log.notice(`Successful partial resynchronization with ${this.#word}.`);
      this.state = LinkState.Streaming;
      this.readsLines = false;
      this.#owner.partialResync(id.length === HISTORY_ID_LENGTH ? id : "");
    } else if (line.startsWith("-NOMASTERLINK") || line.startsWith("-LOADING")) {
      log.notice(`${this.#capital} is currently unable to PSYNC but should be in the future: ${line}`);
      this.close();
      this.#owner.refused();
    } else {
      if (line.startsWith("-ERR"))
        log.notice(`${this.#capital} does not support PSYNC or is in error state (reply: ${line})`);
      else log.warning(`Unexpected reply to PSYNC from ${this.#word}: ${line}`);
      if (this.#owner.isHandingOver) {
        this.close();
        this.#owner.refused();
        return;
      }
      log.notice("Retrying with SYNC...");
      this.#write(SYNC);
      this.state = LinkState.Transfer;
      this.#owner.fullResync("", -1);
    }
  }

  #fullResync(line: string): void {
    const { log } = this.#engine;
    const [, id = "", offset = ""] = line.split(" ");
    this.state = LinkState.Transfer;
    if (id.length !== HISTORY_ID_LENGTH || offset === "") {
      log.warning(`${this.#capital} replied with wrong +FULLRESYNC syntax.`);
      this.#owner.fullResync("", -1);
      return;
    }
    const from = Number.parseInt(offset, 10) || 0;
    log.notice(`Full resync from ${this.#word}: ${id}:${from}`);
    this.#owner.fullResync(id, from);
  }
}

/** The port by which this server wants to be known. */
export function announcedPort({ config }: Engine): number {
  const { replicaAnnouncePort, tlsReplication, tlsPort, port } = config.values;
  if (replicaAnnouncePort !== 0) return replicaAnnouncePort;
  return tlsReplication && tlsPort !== 0 ? tlsPort : port;
}
