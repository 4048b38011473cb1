/**
 * The commands of a primary, once its data set has been loaded: executed as they come, whatever they answer, and passed on byte for byte. What has been executed
 * counts at the ends of commands, and of whole transactions: a link that breaks within one goes on before it.
 *
 * A long piece of the stream is executed in turns, others' in between. During a CLIENT PAUSE it waits, whatever it holds: it is made of writes.
 */
import { latin1 } from "../base/bytes.ts";
import { type Client, ClientFlag, Origin } from "../engine/client/client.ts";
import { NULL_LINK } from "../engine/client/null-link.ts";
import type { Engine } from "../engine/engine.ts";
import { settleExpiryMode } from "../engine/expiry-mode.ts";
import type { Peer } from "../engine/peer.ts";
import { ExpiryMode } from "../keyspace/key-rules.ts";
import { LOOK_AHEAD, Request } from "../resp/request.ts";
import { Piece, PrimaryInput } from "./primary-input.ts";

/** The stream is executed for so many microseconds at a time; then it is others' turn. */
const TURN_US = 3000;
/** Reading stops when this much waits to be executed. */
const HELD_BYTES_MAX = 4 * 1024 * 1024;
const ERROR_TEXT_MAX = 4096;

/** Who owns the stream. */
export interface StreamOwner {
  /** These bytes of the stream have been executed. */
  executed(bytes: Uint8Array, at: number, length: number): void;
  /** The stream is not one of commands. */
  damaged(): void;
  /** The client of the primary was closed, by CLIENT KILL or the like. */
  killed(): void;
}

export class PrimaryStream {
  readonly client: Client;
  /** Unix time in ms when the primary was last heard of. */
  lastIoMs: number;
  /** Bytes that have come. */
  readBytes = 0;
  readonly #engine: Engine;
  readonly #peer: Peer;
  readonly #owner: StreamOwner;
  readonly #input = new PrimaryInput();
  readonly #requests = Array.from({ length: LOOK_AHEAD }, () => new Request());
  /** Where each request ends in the input. */
  readonly #ends = new Float64Array(LOOK_AHEAD);
  #count = 0;
  #scheduled = false;
  #closed = false;

  /** Goes on in database `dbId` with what `peer` sends. */
  constructor(engine: Engine, peer: Peer, dbId: number, owner: StreamOwner) {
    this.#engine = engine;
    this.#peer = peer;
    this.#owner = owner;
    this.lastIoMs = engine.clock.nowMs();
    this.client = engine.connect({
      ...NULL_LINK,
      address: peer.address,
      localAddress: peer.localAddress,
      fd: peer.fd,
      isTls: peer.isTls,
      close: () => this.#kill(),
      closeAfterFlush: () => this.#kill(),
      resume: () => this.#schedule(),
      pendingOutput: () => peer.pendingBytes,
      inputBytes: () => this.#input.unreadBytes,
      memoryBytes: () => this.#input.buf.length,
    });
    const { client } = this;
    client.origin = Origin.Primary;
    client.set(ClientFlag.Primary);
    client.unset(ClientFlag.Unauthenticated);
    client.authenticated = true;
    client.resp = 2;
    client.db = engine.keyspace.databases[dbId] ?? engine.keyspace.databases[0];
    engine.stats.connectionsReceived--;
  }

  /** Bytes came, which are this object's from now on. */
  received(bytes: Uint8Array): void {
    this.#heard(bytes.length);
    if (this.#closed) return;
    this.#input.feed(bytes);
    if (this.client.halted === 0 && !this.#scheduled) this.#execute();
    if (!this.#closed && this.#input.unreadBytes > HELD_BYTES_MAX && this.#isWaiting) this.#peer.pause();
  }

  #heard(bytes: number): void {
    const { stats, clock } = this.#engine;
    this.lastIoMs = clock.nowMs();
    this.client.lastActiveMs = this.lastIoMs;
    this.client.netIn += bytes;
    this.readBytes += bytes;
    stats.replicationInputBytes += bytes;
    stats.readsProcessed++;
  }

  get #isWaiting(): boolean {
    return this.#scheduled || this.client.halted !== 0;
  }

  /** Ends it: nothing more is executed. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#engine.disconnect(this.client);
  }

  #kill(): void {
    if (!this.#closed) this.#owner.killed();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#closed || this.client.halted !== 0) return;
      this.#engine.startTurn();
      this.#execute();
      if (!this.#closed && !this.#isWaiting) this.#peer.resume();
    });
  }

  /** Executes what is there, for a turn. */
  #execute(): void {
    const engine = this.#engine;
    const endUs = engine.lastUs + TURN_US;
    if (engine.pause.holds(this.client)) return;
    for (;;) {
      const found = this.#read();
      this.#run();
      if (this.#closed || found === Piece.Starved) return;
      if (found === Piece.Damage) {
        this.#owner.damaged();
        return;
      }
      if (this.client.halted !== 0) return;
      if (engine.lastUs > endUs) {
        this.#schedule();
        return;
      }
    }
  }

  /** Reads as many commands as can be looked ahead at; what has ended that. */
  #read(): number {
    const input = this.#input;
    this.#count = 0;
    while (this.#count < LOOK_AHEAD) {
      const found = input.next(this.#requests[this.#count]);
      if (found !== Piece.Command) return found;
      this.#ends[this.#count++] = input.position;
    }
    return Piece.Command;
  }

  #run(): void {
    const engine = this.#engine;
    const { client } = this;
    if (this.#count === 0) return;
    const { prefetcher, keyspace } = engine;
    prefetcher.prepare(engine.commands, client.db, this.#requests, this.#count);
    const input = this.#input;
    for (let i = 0; i < this.#count && !this.#closed; i++) {
      // The primary decides what has expired.
      keyspace.expiryMode = ExpiryMode.Ignore;
      const errors = engine.stats.errorReplies;
      engine.execute(client, this.#requests[i], prefetcher.specs[i]);
      if (engine.stats.errorReplies !== errors) this.#reportError();
      engine.reply.clear();
      if (this.#closed) break;
      if (client.has(ClientFlag.Multi)) continue;
      const end = this.#ends[i];
      this.#owner.executed(input.buf, input.start, end - input.start);
      input.release(end);
    }
    settleExpiryMode(engine);
  }

  #reportError(): void {
    const { config, log, reply, stats, process } = this.#engine;
    const { primaryWord } = config.personality;
    const name = this.client.lastCommand?.fullName ?? "<unknown>";
    const first = reply.pos > 0 && reply.buf[0] === 45 ? latin1(reply.buf, 1, reply.pos - 3) : reply.lastError;
    stats.unexpectedErrorReplies++;
    log.warning(
      `== CRITICAL == This replica is sending an error to its ${primaryWord}: '${first.slice(0, ERROR_TEXT_MAX)}' after processing the command '${name}'`,
    );
    if (config.values.propagationErrorBehavior === "ignore") return;
    process?.crash({
      kind: "ERROR",
      error: new Error(
        `This replica panicked sending an error to its ${primaryWord} after processing the command '${name}'`,
      ),
    });
  }
}
