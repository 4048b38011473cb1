/**
 * One socket: input to requests, requests to the engine, replies to the socket. Replies of a chunk's commands collect in the engine's shared buffer and
 * leave with one write; what the socket does not take, and what others send to this client, waits in the outbox.
 */
import type { Socket } from "bun";
import { type Client, ClientFlag, Halt } from "../engine/client.ts";
import type { Engine } from "../engine/engine.ts";
import type { ClientLink } from "../engine/ports.ts";
import { LOOK_AHEAD } from "../engine/prefetch.ts";
import { PartialRequest } from "../resp/partial-request.ts";
import { NEED_MORE, PROTOCOL_ERROR, type ProtocolFault, type ReadLimits, readRequest } from "../resp/reader.ts";
import type { Request } from "../resp/request.ts";
import { Outbox } from "./outbox.ts";

/** Replies are sent before a chunk is used up when they have grown to this. */
const FLUSH_BYTES = 256 * 1024;

/** Fewer commands than this are not worth prefetching for. */
const PREFETCH_MIN = 3;

/** What connections of one server share. */
export interface ConnectionHost {
  readonly engine: Engine;
  /** Requests that are read ahead of their execution, LOOK_AHEAD of them, and where each began. */
  readonly requests: readonly Request[];
  readonly positions: Int32Array;
  readonly limits: ReadLimits;
  readonly unauthenticatedLimits: ReadLimits;
  readonly fault: ProtocolFault;
  /** Asks for a flush of this connection at the end of the turn. */
  markDirty(connection: Connection): void;
  /** Asks to go on with held-back input at the end of the turn. */
  markResumed(connection: Connection): void;
}

export class Connection implements ClientLink {
  readonly address: string;
  readonly localAddress: string;
  readonly isUnix: boolean;
  readonly isTls: boolean;
  readonly fd: number;
  client!: Client;
  /** In the host's list of connections to flush. */
  dirty = false;
  readonly #host: ConnectionHost;
  readonly #socket: Socket<Connection>;
  #partial: PartialRequest | null = null;
  #held: Uint8Array | null = null;
  readonly #out = new Outbox();
  #closed = false;
  #closing = false;

  constructor(
    host: ConnectionHost,
    socket: Socket<Connection>,
    address: string,
    localAddress: string,
    isUnix: boolean,
    isTls: boolean,
  ) {
    this.#host = host;
    this.#socket = socket;
    this.address = address;
    this.localAddress = localAddress;
    this.isUnix = isUnix;
    this.isTls = isTls;
    this.fd = (socket as unknown as { fd?: number }).fd ?? -1;
  }

  /** Input arrived. */
  feed(chunk: Uint8Array): void {
    const client = this.client;
    client.netIn += chunk.length;
    this.#host.engine.stats.netInputBytes += chunk.length;
    if (this.#closed || this.#closing) return;
    if (this.#held !== null || client.halted !== 0) this.#hold(chunk, 0, chunk.length);
    else this.#process(chunk, 0, chunk.length);
  }

  #hold(buf: Uint8Array, from: number, end: number): void {
    const old = this.#held;
    if (old === null) {
      this.#held = buf.slice(from, end);
      return;
    }
    const joined = new Uint8Array(old.length + end - from);
    joined.set(old);
    joined.set(buf.subarray(from, end), old.length);
    this.#held = joined;
  }

  #process(buf: Uint8Array, from: number, end: number): void {
    const client = this.client;
    client.lastActiveMs = this.#host.engine.keyspace.nowMs;
    let pos = from;
    while (pos < end && !this.#closing && !this.#closed) {
      if (client.halted !== 0) {
        this.#hold(buf, pos, end);
        break;
      }
      if (this.#partial === null) pos = this.#runBatch(buf, pos, end);
      else pos = this.#feedPartial(this.#partial, buf, pos, end, this.#limits());
    }
    this.#sendReplies();
  }

  #limits(): ReadLimits {
    return this.client.has(ClientFlag.Unauthenticated) ? this.#host.unauthenticatedLimits : this.#host.limits;
  }

  /**
   * Reads the whole commands from `from` on, up to LOOK_AHEAD of them, and runs them. Returns the position after the last one that ran (an incomplete
   * command at the end is taken over by a PartialRequest): execution stops early when the client is halted or closed.
   */
  #runBatch(buf: Uint8Array, from: number, end: number): number {
    const { engine, requests, positions, fault } = this.#host;
    const client = this.client;
    const limits = this.#limits();
    // Before authentication each command may change the limits of the next.
    const ahead = limits.authenticated ? LOOK_AHEAD : 1;
    let count = 0;
    let pos = from;
    let status = 0;
    while (count < ahead && pos < end) {
      status = readRequest(buf, pos, end, requests[count], limits, fault);
      if (status < 0) break;
      positions[count] = pos;
      pos = status;
      if (requests[count].count > 0) count++;
    }
    const known = count >= PREFETCH_MIN;
    if (known) engine.prefetcher.prepare(engine.commands, client.db, requests, count);
    for (let i = 0; i < count; i++) {
      if (client.halted !== 0 || this.#closed) return positions[i];
      engine.execute(client, requests[i], known ? engine.prefetcher.specs[i] : null);
      if (engine.reply.pos > FLUSH_BYTES) this.#sendReplies();
    }
    if (status === PROTOCOL_ERROR && client.halted === 0 && !this.#closed) {
      this.#protocolError();
    } else if (status === NEED_MORE) {
      if (client.halted !== 0 || this.#closed) return pos;
      this.#partial = new PartialRequest();
      return this.#feedPartial(this.#partial, buf, pos, end, limits);
    }
    return pos;
  }

  #feedPartial(partial: PartialRequest, buf: Uint8Array, from: number, end: number, limits: ReadLimits): number {
    const pos = partial.feed(buf, from, end, limits, this.#host.fault);
    if (partial.faulty) {
      this.#partial = null;
      this.#protocolError();
    } else if (partial.done) {
      this.#partial = null;
      if (partial.request.count > 0) this.#host.engine.execute(this.client, partial.request);
    }
    return pos;
  }

  #protocolError(): void {
    this.#host.engine.reply.error(`ERR Protocol error: ${this.#host.fault.text}`);
    this.closeAfterFlush();
  }

  #sendReplies(): void {
    const reply = this.#host.engine.reply;
    const length = reply.pos;
    if (length === 0) return;
    let sent = 0;
    if (this.#out.length === 0 && !this.#closed) {
      sent = this.#socket.write(reply.buf, 0, length);
      if (sent < 0) sent = 0;
      this.client.netOut += sent;
      this.#host.engine.stats.netOutputBytes += sent;
    }
    if (sent < length && !this.#closed) {
      this.#out.append(reply.buf, sent, length - sent);
      if (this.#out.length > length - sent) this.#markDirty();
    }
    reply.clear();
    if (this.#closing && this.#out.length === 0) this.close();
  }

  append(bytes: Uint8Array, offset: number, length: number): void {
    if (this.#closed) return;
    this.#out.append(bytes, offset, length);
    this.#markDirty();
  }

  #markDirty(): void {
    if (!this.dirty) {
      this.dirty = true;
      this.#host.markDirty(this);
    }
  }

  /** Writes what waits, as far as the socket takes it. Called at the end of a turn and when the socket drains. */
  flush(): void {
    const out = this.#out;
    while (out.length > 0 && !this.#closed) {
      const sent = this.#socket.write(out.buf, out.head, out.length);
      if (sent <= 0) break;
      this.client.netOut += sent;
      this.#host.engine.stats.netOutputBytes += sent;
      out.consume(sent);
    }
    if (this.#closing && out.length === 0) this.close();
  }

  closeAfterFlush(): void {
    this.#closing = true;
    this.client.halted |= Halt.Closing;
    this.#markDirty();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.end();
    this.closed();
  }

  /** The socket is gone. */
  closed(): void {
    this.#closed = true;
    this.#held = null;
    this.#partial = null;
    this.#host.engine.disconnect(this.client);
  }

  resume(): void {
    this.#host.markResumed(this);
  }

  /** Goes on with held-back input. */
  processHeld(): void {
    if (this.client.halted !== 0 || this.#closed) return;
    this.#host.engine.pause.runPostponed(this.client);
    const held = this.#held;
    if (held === null || this.client.halted !== 0 || this.#closed) {
      this.#sendReplies();
      return;
    }
    this.#held = null;
    this.#process(held, 0, held.length);
  }

  pendingOutput(): number {
    return this.#out.length;
  }

  inputBytes(): number {
    return (this.#held?.length ?? 0) + (this.#partial?.filled ?? 0);
  }

  inputFreeBytes(): number {
    return this.#partial === null ? 0 : this.#partial.capacity - this.#partial.filled;
  }
}
