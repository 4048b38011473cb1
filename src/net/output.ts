/**
 * The way out of one connection: replies go to the socket at once; what it does not take, and messages of others, wait in the outbox until it does.
 *
 * Bytes are sent in the order in which they were given. While anything waits, nothing is written past it. A stream, if there is one, goes behind all else.
 */
import type { Socket } from "bun";
import type { OutputBufferLimits } from "../config/settings/setting-special.ts";
import { type Client, ClientFlag } from "../engine/client/client.ts";
import type { OutputStream } from "../engine/ports.ts";
import type { Stats } from "../engine/statistics/stats.ts";
import type { ReplyWriter } from "../resp/writer.ts";
import { Outbox } from "./outbox.ts";
import { countedOutput, FIRST_BUFFER_BYTES, OutputWatch } from "./output-limits.ts";
import { ReplyBuffer, type ReplyBufferPolicy, Resized } from "./reply-buffer.ts";

/** What the outputs of one server share. */
export interface OutputHost {
  readonly replyBuffers: ReplyBufferPolicy;
  /** Bytes of waiting output from which on limits are looked at. */
  readonly outputAlarm: number;
  /** Bytes of memory in the output buffers of all connections: each one adds its own changes. */
  outputMemory: number;
}

export class Output {
  readonly #host: OutputHost;
  readonly #stats: Stats;
  readonly #socket: Socket<unknown>;
  readonly #box = new Outbox();
  /** What is sent out of memory that others have, too. */
  stream: OutputStream | null = null;
  readonly #watch = new OutputWatch();
  readonly #replyBuffer = new ReplyBuffer();
  #memory = 0;
  /** The socket takes nothing more before it drains. */
  #full = false;

  constructor(host: OutputHost, stats: Stats, socket: Socket<unknown>) {
    this.#host = host;
    this.#stats = stats;
    this.#socket = socket;
  }

  /** Bytes that wait. */
  get length(): number {
    return this.stream === null ? this.#box.length : this.#box.length + this.stream.length;
  }

  /** Something waits that the socket might take. */
  get wantsFlush(): boolean {
    return this.length > 0 && !this.#full;
  }

  /** Bytes of the shared memory that the stream waits in. */
  get streamBytes(): number {
    return this.stream === null ? 0 : this.stream.memoryBytes;
  }

  /** Bytes of memory held. */
  get memoryBytes(): number {
    return this.#memory;
  }

  /** Would this reply, behind what waits, be so much that limits must be looked at? */
  alarms(reply: ReplyWriter): boolean {
    return reply.overflowed || this.#waitingWith(reply) >= this.#host.outputAlarm;
  }

  /** The same without a new reply. */
  get alarmed(): boolean {
    return this.stream !== null || this.#box.length >= this.#host.outputAlarm || this.#watch.pastSoft;
  }

  /** Would this reply, behind what waits, be more than the client may have waiting? */
  exceedsWith(reply: ReplyWriter, limits: OutputBufferLimits, client: Client, nowMs: number): boolean {
    return reply.overflowed || this.#watch.exceeds(limits, client, countedOutput(this.#waitingWith(reply)), nowMs);
  }

  /** Does more wait than the client may have waiting? */
  exceeds(limits: OutputBufferLimits, client: Client, nowMs: number): boolean {
    return this.#watch.exceeds(limits, client, this.queuedReplyBytes, nowMs);
  }

  #waitingWith(reply: ReplyWriter): number {
    return this.#box.length + reply.pos + (reply.deferred ? FIRST_BUFFER_BYTES : 0);
  }

  /** Sends all that `reply` holds, or queues what the socket does not take. `reply` is empty afterwards. */
  send(reply: ReplyWriter, client: Client): void {
    const length = reply.pos;
    let sent = 0;
    if (this.#box.length === 0) {
      sent = this.#write(reply.buf, 0, length, client);
      if (sent < length) this.#full = true;
    }
    this.#keep(reply, sent);
  }

  /** Sends bytes ahead of what waits; how many of them the socket took. */
  sendAhead(bytes: Uint8Array, offset: number, length: number, client: Client): number {
    if (this.#full) return 0;
    const sent = this.#write(bytes, offset, length, client);
    if (sent < length) this.#full = true;
    return sent;
  }

  /** Queues all that `reply` holds. It is empty afterwards. */
  queue(reply: ReplyWriter): void {
    this.#keep(reply, 0);
  }

  /** Queues what `reply` holds from `sent` on. */
  #keep(reply: ReplyWriter, sent: number): void {
    const length = reply.pos;
    this.#replyBuffer.note(length);
    if (sent < length) {
      const given = length - sent > reply.buf.length / 2 ? reply.surrender() : null;
      if (given === null) this.#box.append(reply.buf, sent, length - sent);
      else this.#box.adopt(given, sent, length);
      this.#countMemory();
    }
    reply.clear();
  }

  /** Queues bytes. */
  append(bytes: Uint8Array, offset: number, length: number): void {
    this.#box.append(bytes, offset, length);
    this.#countMemory();
  }

  /** Sends what waits, as far as the socket takes it. */
  flush(client: Client, nowMs: number): void {
    const box = this.#box;
    while (box.length > 0) {
      const { bytes, head, tail } = box.front;
      const sent = this.#write(bytes, head, tail - head, client);
      if (sent > 0) {
        client.lastActiveMs = nowMs;
        box.consume(sent);
      }
      if (sent < tail - head) {
        this.#full = true;
        break;
      }
    }
    if (this.stream !== null && !this.#full) this.#flushStream(this.stream, client, nowMs);
    this.#countMemory();
  }

  #flushStream(stream: OutputStream, client: Client, nowMs: number): void {
    while (stream.length > 0) {
      const { bytes, at, end } = stream;
      const sent = this.#write(bytes, at, end - at, client);
      if (sent > 0) {
        client.lastActiveMs = nowMs;
        stream.consume(sent);
      }
      if (sent < end - at) {
        this.#full = true;
        return;
      }
    }
  }

  /** The socket can take output again. */
  drained(): void {
    this.#full = false;
  }

  #write(bytes: Uint8Array, offset: number, length: number, client: Client): number {
    const sent = this.#socket.write(bytes, offset, length);
    // Negative: the socket is closed, and its event is on its way.
    if (sent <= 0) return 0;
    client.netOut += sent;
    if (client.has(ClientFlag.Replica)) this.#stats.replicationOutputBytes += sent;
    else this.#stats.netOutputBytes += sent;
    this.#stats.writesProcessed++;
    return sent;
  }

  /** Gives unused memory back and adapts the figures of the reply buffer. */
  tend(nowMs: number, quiet: boolean): void {
    if (quiet && this.#box.capacity > 0) {
      this.#box.trim();
      this.#countMemory();
    }
    const resized = this.#replyBuffer.resize(this.#host.replyBuffers, nowMs);
    if (resized === Resized.Shrunk) this.#stats.replyBufferShrinks++;
    else if (resized === Resized.Grown) this.#stats.replyBufferExpands++;
  }

  /** Forgets everything. */
  clear(): void {
    this.#box.clear();
    this.stream = null;
    this.#countMemory();
  }

  #countMemory(): void {
    this.#host.outputMemory += this.#box.capacity - this.#memory;
    this.#memory = this.#box.capacity;
  }

  // ---- figures for CLIENT LIST, which divides waiting output into a first buffer and a list behind it

  get firstBufferBytes(): number {
    return Math.min(this.#box.length, FIRST_BUFFER_BYTES);
  }

  get queuedReplies(): number {
    const blocks = this.#box.length > FIRST_BUFFER_BYTES ? this.#box.blockCount : 0;
    return this.stream === null ? blocks : blocks + this.stream.blockCount;
  }

  get queuedReplyBytes(): number {
    return countedOutput(this.#box.length) + this.streamBytes;
  }

  get replyBufferBytes(): number {
    return this.#replyBuffer.size;
  }

  get replyBufferPeak(): number {
    return this.#replyBuffer.peak;
  }
}
