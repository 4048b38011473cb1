/**
 * One socket: input to requests, requests to the engine, replies to the socket. Replies of a chunk's commands collect in the engine's shared buffer and
 * leave with one write (output.ts), at once or at the end of the turn (reply-timing.ts).
 *
 * Input that may not be executed yet (client.halted) is held back, in order; when a lot is held, reading stops.
 */
import type { Socket } from "bun";
import { copyOf } from "../base/bytes.ts";
import type { OutputBufferLimits } from "../config/settings/setting-special.ts";
import { type Client, ClientFlag, Halt } from "../engine/client/client.ts";
import { clientLine } from "../engine/client/client-list.ts";
import type { Engine } from "../engine/engine.ts";
import type { ClientLink, OutputStream } from "../engine/ports.ts";
import type { PartialRequest } from "../resp/partial-request.ts";
import { PROTOCOL_ERROR, type ProtocolFault, type ReadLimits, readRequest } from "../resp/reader.ts";
import { LOOK_AHEAD, Request } from "../resp/request.ts";
import { descriptorOf } from "./backlog.ts";
import type { EndpointKind } from "./endpoint.ts";
import { Input, type InputHost } from "./input.ts";
import { Output, type OutputHost } from "./output.ts";
import { replyLimit } from "./output-limits.ts";
import type { ReplyTiming } from "./reply-timing.ts";

/** Replies are sent before a chunk is used up when they have grown to this. */
const FLUSH_BYTES = 256 * 1024;

/** Longer replies never wait for the end of the turn: they would be copied. */
const TOGETHER_BYTES_MAX = 16 * 1024;

/** A client's input is executed for so many microseconds at a time; then it is others' turn. */
const TURN_US = 3000;

/** Fewer commands than this are not worth prefetching for. */
const PREFETCH_MIN = 3;

/**
 * Chunks from this size on are let go as soon as they are used up. Asking a shorter one for its buffer costs more (half a microsecond, a twentieth of a SET of
 * 1 KiB) than it saves.
 */
const RECYCLE_MIN = 2048;

/** Reading stops when this much input is held back. */
const HELD_BYTES_MAX = 1024 * 1024;

/** No command is longer, whatever the settings say: positions in a request are 32-bit integers. */
const INPUT_BYTES_MAX = 2 ** 31 - 2 ** 21;

/** A client that has been quiet for longer gives its input and output buffers back. */
const QUIET_MS = 2000;

/** Clients that are never closed for being idle: they only listen, or wait. */
const TIMELESS =
  ClientFlag.Replica |
  ClientFlag.Primary |
  ClientFlag.Monitor |
  ClientFlag.Blocked |
  ClientFlag.Paused |
  ClientFlag.Subscriber;

/** Where a connection stands. Closing: what waits is still sent. Doomed: it is closed at the end of the turn. */
const State = { Open: 0, Closing: 1, Doomed: 2, Closed: 3 } as const;

/** What connections of one server share. */
export interface ConnectionHost extends InputHost, OutputHost {
  readonly engine: Engine;
  /** Requests that are read ahead of their execution, as many as were ever needed, and where each began. */
  readonly requests: Request[];
  readonly positions: Int32Array;
  readonly limits: ReadLimits;
  readonly unauthenticatedLimits: ReadLimits;
  readonly fault: ProtocolFault;
  readonly outputLimits: OutputBufferLimits;
  /** Longest reply to a client of the class "normal". */
  readonly normalReplyLimit: number;
  readonly timing: ReplyTiming;
  /** Asks for a flush of this connection at the end of the turn. */
  markDirty(connection: Connection): void;
  /** Asks to close this connection at the end of the turn. */
  markDoomed(connection: Connection): void;
  /** Asks to go on with held-back input at the end of the turn. */
  markResumed(connection: Connection): void;
  /** Asks to go on with held-back input when all sockets that have news have been served. */
  markYielded(connection: Connection): void;
}

export class Connection implements ClientLink {
  readonly kind: EndpointKind;
  client!: Client;
  /** In the host's list of connections to flush. */
  dirty = false;
  readonly #host: ConnectionHost;
  readonly #socket: Socket<Connection>;
  #address = "";
  #localAddress = "";
  #state: number = State.Open;

  readonly #input: Input;
  /** Reading has stopped. */
  #paused = false;
  readonly #output: Output;
  /** Its input is being executed: the shared reply buffer holds its replies. */
  #processing = false;
  /** Output is held: what to call when the socket takes bytes again. */
  #held: (() => void) | null = null;
  /** The peer has sent its last input, and some of that waits for this client's next turn. */
  #ended = false;

  constructor(host: ConnectionHost, socket: Socket<Connection>, kind: EndpointKind) {
    this.#host = host;
    this.#socket = socket;
    this.kind = kind;
    this.#input = new Input(host);
    this.#output = new Output(host, host.engine.stats, socket);
  }

  get isUnix(): boolean {
    return this.kind === "unix";
  }

  get isTls(): boolean {
    return this.kind === "tls";
  }

  get fd(): number {
    return descriptorOf(this.#socket);
  }

  // Asking the system for addresses is put off until somebody wants to see them.
  get address(): string {
    if (this.#address === "") this.#address = this.#text(this.#socket.remoteAddress, this.#socket.remotePort);
    return this.#address;
  }

  get localAddress(): string {
    if (this.#localAddress === "") this.#localAddress = this.#text(this.#socket.localAddress, this.#socket.localPort);
    return this.#localAddress;
  }

  #text(address: string | undefined, port: number | undefined): string {
    if (this.kind === "unix") return `${this.#host.engine.config.values.unixsocket}:0`;
    if (address === undefined) return "?:0";
    return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
  }

  /** Input arrived. */
  feed(chunk: Uint8Array): void {
    const client = this.client;
    const stats = this.#host.engine.stats;
    client.netIn += chunk.length;
    stats.netInputBytes += chunk.length;
    stats.readsProcessed++;
    if (this.#input.isHeld || client.halted !== 0) {
      this.#hold(chunk);
      this.#checkInput();
      this.#noteMemory();
      return;
    }
    this.#process(chunk, 0, chunk.length);
    if (!this.#input.isEmpty || client.queueBytes !== 0) this.#checkInput();
    this.#noteMemory();
    // Nothing keeps a chunk. Freed now, its memory is warm when the next chunk needs it; left to the collector, each long chunk would be written to fresh
    // pages, and the page faults cost more than executing the commands.
    if (chunk.length >= RECYCLE_MIN) (chunk.buffer as ArrayBuffer).transfer(0);
  }

  /** Keeps input for later. The bytes must be this connection's own. */
  #hold(bytes: Uint8Array): void {
    if (this.#state === State.Open) this.#input.hold(bytes);
  }

  #process(buf: Uint8Array, from: number, end: number): void {
    const client = this.client;
    client.lastActiveMs = this.#host.engine.keyspace.nowMs;
    this.#host.engine.reply.limit =
      client.gate === 0 ? this.#host.normalReplyLimit : replyLimit(this.#host.outputLimits, client);
    const { engine } = this.#host;
    const turnEndUs = engine.lastUs + TURN_US;
    let pos = from;
    this.#processing = true;
    while (pos < end) {
      if (engine.lastUs > turnEndUs) this.#yieldTurn();
      if (client.halted !== 0) {
        this.#hold(copyOf(buf, pos, end - pos));
        break;
      }
      const { partial } = this.#input;
      if (partial === null) pos = this.#runBatch(buf, pos, end, turnEndUs);
      else pos = this.#feedPartial(partial, buf, pos, end, this.#limits());
    }
    this.#processing = false;
    this.#sendReplies();
  }

  /** Lets others go ahead of the rest of a long input. */
  #yieldTurn(): void {
    if (this.client.halted !== 0) return;
    this.client.halted |= Halt.Turn;
    this.#host.markYielded(this);
  }

  /** It is this client's turn again. */
  takeTurn(): void {
    this.client.halted &= ~Halt.Turn;
    this.processHeld();
    if (this.#ended && (this.client.halted & Halt.Turn) === 0) this.peerEnded();
  }

  #limits(): ReadLimits {
    return this.client.has(ClientFlag.Unauthenticated) ? this.#host.unauthenticatedLimits : this.#host.limits;
  }

  /**
   * Reads the whole commands from `from` on, up to LOOK_AHEAD of them, and runs them. Returns the position after the last one that ran (an incomplete
   * command at the end is taken over by a PartialRequest): execution stops early when the client is halted or closed, or its turn is over.
   */
  #runBatch(buf: Uint8Array, from: number, end: number, turnEndUs: number): number {
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
      if (requests[count].count > 0 && ++count === requests.length) requests.push(new Request());
    }
    const known = count >= PREFETCH_MIN;
    if (known) engine.prefetcher.prepare(engine.commands, client.db, requests, count);
    const { briefs } = engine;
    briefs.inPipeline = known;
    let ran = 0;
    for (; ran < count && client.halted === 0 && engine.lastUs <= turnEndUs; ran++) {
      engine.execute(client, requests[ran], known ? engine.prefetcher.specs[ran] : null);
      if (engine.reply.pos > FLUSH_BYTES) this.#sendReplies();
    }
    briefs.inPipeline = false;
    if (briefs.count > 0) engine.settleBriefs();
    if (ran < count) return positions[ran];
    if (status >= 0 || client.halted !== 0) return pos;
    if (status === PROTOCOL_ERROR) {
      this.#protocolError();
      return pos;
    }
    return this.#feedPartial(this.#input.begin(), buf, pos, end, limits);
  }

  #feedPartial(partial: PartialRequest, buf: Uint8Array, from: number, end: number, limits: ReadLimits): number {
    let pos: number;
    try {
      pos = partial.feed(buf, from, end, limits, this.#host.fault);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.#doom(`Closing client for whose command there is no memory: ${this.#line()}`);
      return end;
    }
    if (!partial.faulty && !partial.done) return pos;
    this.#input.partial = null;
    if (partial.filled > this.#inputMax()) {
      this.#closeLongInput();
      return end;
    }
    if (partial.faulty) this.#protocolError();
    else if (partial.request.count > 0) this.#host.engine.execute(this.client, partial.request);
    if (this.#state === State.Open) this.#input.keep(partial);
    return pos;
  }

  #protocolError(): void {
    const { engine, fault } = this.#host;
    if (!this.client.has(ClientFlag.ReplyOff | ClientFlag.ReplySkip))
      engine.reply.error(`ERR Protocol error: ${fault.text}`);
    if (engine.log.writes("verbose")) engine.log.verbose(`Protocol error (${fault.text}) from client: ${this.#line()}`);
    this.closeAfterFlush();
  }

  /** Bounds what this connection may hold of input, and counts it. */
  #checkInput(): void {
    if (this.#input.waitingBytes + this.client.queueBytes > this.#inputMax()) {
      this.#closeLongInput();
    } else if (this.#input.heldBytes >= HELD_BYTES_MAX && !this.#paused && this.#state === State.Open) {
      this.#paused = true;
      this.#socket.pause();
    }
    this.#input.countMemory();
  }

  /** Bytes that may wait of this client's input. */
  #inputMax(): number {
    const limit = this.#host.engine.config.values.clientQueryBufferLimit;
    if (this.client.has(ClientFlag.Primary)) return Number.POSITIVE_INFINITY;
    return limit < INPUT_BYTES_MAX ? limit : INPUT_BYTES_MAX;
  }

  #closeLongInput(): void {
    this.#host.engine.stats.queryBufferLimitDisconnections++;
    this.#doom(`Closing client that reached max query buffer length: ${this.#line()}`);
  }

  #sendReplies(): void {
    const { engine } = this.#host;
    const { reply } = engine;
    if (reply.pos === 0) return;
    if (this.#state >= State.Doomed) {
      reply.clear();
      return;
    }
    const output = this.#output;
    if (output.alarms(reply)) {
      const limits = this.#host.outputLimits;
      if (output.exceedsWith(reply, limits, this.client, engine.keyspace.nowMs)) {
        reply.clear();
        this.#closeSlowReader();
        return;
      }
    }
    const waits = this.#host.timing.together && reply.pos <= TOGETHER_BYTES_MAX;
    if (waits || engine.holdsReplies || this.#held !== null) output.queue(reply);
    else output.send(reply, this.client);
    if (output.length > 0) this.#outputWaits();
  }

  append(bytes: Uint8Array, offset: number, length: number): void {
    if (this.#state !== State.Open) return;
    // In the middle of this connection's own chunk: behind the replies that have not been sent.
    if (this.#processing) {
      this.#host.engine.reply.rawBytes(bytes, offset, length);
      return;
    }
    this.#output.append(bytes, offset, length);
    this.#outputWaits();
  }

  /** Output was queued: too much of it, or to be sent at the end of the turn. */
  #outputWaits(): void {
    if (this.#checkOutput()) return;
    if (this.#output.wantsFlush && this.#held === null) this.#markDirty();
    this.#noteMemory();
  }

  /** Has the memory of this client counted, where the memory of clients is limited. */
  #noteMemory(): void {
    this.#host.engine.clientLimit?.note(this.client);
  }

  /** Closes a client for which too much output waits; true when it did. */
  #checkOutput(): boolean {
    const { engine } = this.#host;
    const { client } = this;
    if (!this.#output.alarmed && !client.has(ClientFlag.Unauthenticated)) return false;
    const limits = this.#host.outputLimits;
    if (!this.#output.exceeds(limits, client, engine.keyspace.nowMs)) return false;
    this.#closeSlowReader();
    return true;
  }

  #closeSlowReader(): void {
    this.#host.engine.stats.outputBufferLimitDisconnections++;
    this.#doom(`Client ${this.#line()} scheduled to be closed ASAP for overcoming of output buffer limits.`);
  }

  #markDirty(): void {
    if (!this.dirty) {
      this.dirty = true;
      this.#host.markDirty(this);
    }
  }

  #line(): string {
    return clientLine(this.#host.engine, this.client);
  }

  /** Closes at the end of the turn, sending nothing more: safe while somebody goes through all clients. */
  #doom(logLine: string): void {
    if (this.#state >= State.Doomed) return;
    this.#host.engine.log.warning(logLine);
    this.#state = State.Doomed;
    this.client.halted |= Halt.Closing;
    this.#release();
    this.#host.markDoomed(this);
  }

  /** Writes what waits, as far as the socket takes it. Called at the end of a turn and when the socket drains. */
  flush(): void {
    if (this.#state >= State.Doomed) return;
    const { engine } = this.#host;
    if (engine.holdsReplies) {
      this.#markDirty();
      return;
    }
    if (this.#held !== null) {
      if (this.#state === State.Closing) this.close();
      return;
    }
    this.#output.flush(this.client, engine.keyspace.nowMs);
    this.#noteMemory();
    if (this.#state === State.Closing && this.#output.length === 0) this.close();
  }

  /** The socket can take output again. */
  drained(): void {
    this.#output.drained();
    if (this.#held === null) this.flush();
    else if (this.#state < State.Doomed) this.#held();
  }

  delayPackets(): void {
    this.#socket.setNoDelay(false);
  }

  hold(drained: () => void): void {
    // What waits already stays ahead.
    if (this.#output.length > 0) this.flush();
    this.#held = drained;
  }

  sendAhead(bytes: Uint8Array, offset: number, length: number): number {
    return this.#state === State.Open ? this.#output.sendAhead(bytes, offset, length, this.client) : length;
  }

  letGo(): void {
    this.#held = null;
    if (this.#output.length > 0) this.#markDirty();
  }

  attachStream(stream: OutputStream): void {
    this.#output.stream = stream;
  }

  streamGrew(): void {
    if (this.#state === State.Open) this.#outputWaits();
  }

  /** The peer sends nothing more. What it has asked for is still sent, unless it waits for something that may never come. */
  peerEnded(): void {
    this.#ended = this.client.halted === Halt.Turn;
    if (this.#ended) return;
    if (this.client.halted !== 0 || this.#output.length === 0) this.close();
    else this.closeAfterFlush();
  }

  closeAfterFlush(): void {
    if (this.#state !== State.Open) return;
    this.#state = State.Closing;
    this.client.halted |= Halt.Closing;
    this.#markDirty();
  }

  close(): void {
    if (this.#state === State.Closed) return;
    this.closed();
    this.#socket.end();
  }

  /** The socket is gone, or will be at once. */
  closed(): void {
    if (this.#state === State.Closed) return;
    this.#state = State.Closed;
    this.client.halted |= Halt.Closing;
    this.#release();
    this.#host.engine.disconnect(this.client);
  }

  #release(): void {
    this.#input.clear();
    this.#output.clear();
  }

  resume(): void {
    this.#host.markResumed(this);
  }

  /** Goes on after a halt: with the command that was postponed, then with the input that was held back. */
  processHeld(): void {
    const { client } = this;
    if (client.halted !== 0) return;
    this.#host.engine.pause.runPostponed(client);
    this.#sendReplies();
    const held = client.halted === 0 ? this.#input.takeHeld() : null;
    if (held !== null) {
      for (const chunk of held) {
        if (client.halted === 0) this.#process(chunk, 0, chunk.length);
        else this.#hold(chunk);
      }
    }
    if (!this.#input.isHeld) this.#readOn();
    this.#checkInput();
    this.#noteMemory();
  }

  #readOn(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#socket.resume();
  }

  /**
   * Looks after limits that time decides, and gives unused memory back. Called about once a second. `idleMaxMs`: close a client that has been idle for
   * longer; 0: never.
   */
  tend(nowMs: number, idleMaxMs: number): void {
    const { client } = this;
    if (this.#state >= State.Doomed) return;
    const quietMs = nowMs - client.lastActiveMs;
    if (idleMaxMs > 0 && quietMs > idleMaxMs && !client.has(TIMELESS)) {
      this.#host.engine.log.verbose("Closing idle client");
      this.close();
      return;
    }
    if (this.#checkOutput()) return;
    // Reads once more, to notice a peer that has gone.
    this.#readOn();
    this.#input.trim(quietMs > QUIET_MS);
    this.#output.tend(nowMs, quietMs > QUIET_MS);
    this.#noteMemory();
  }

  // ---- figures for CLIENT LIST

  pendingOutput(): number {
    return this.#output.length;
  }

  firstBufferBytes(): number {
    return this.#output.firstBufferBytes;
  }

  queuedReplies(): number {
    return this.#output.queuedReplies;
  }

  queuedReplyBytes(): number {
    return this.#output.queuedReplyBytes;
  }

  replyBufferBytes(): number {
    return this.#output.replyBufferBytes;
  }

  replyBufferPeak(): number {
    return this.#output.replyBufferPeak;
  }

  inputBytes(): number {
    return this.#input.shownBytes;
  }

  inputFreeBytes(): number {
    return this.#input.freeBytes;
  }

  memoryBytes(): number {
    return this.#input.memoryBytes + this.#output.memoryBytes + this.#output.streamBytes;
  }
}
