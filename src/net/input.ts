/**
 * What one connection holds of its input: the command that comes in pieces, and whole chunks that may not be executed yet. A connection that does neither
 * holds nothing.
 */
import { PartialRequest } from "../resp/partial-request.ts";

/** Buffers for commands in pieces up to this size are only given back when the client is quiet. */
const KEEP_BYTES = 32 * 1024;

/** What the inputs of one server share. */
export interface InputHost {
  /** Bytes of memory in the input buffers of all connections: each one adds its own changes. */
  inputMemory: number;
}

export class Input {
  readonly #host: InputHost;
  /** The command that comes in pieces, or null. */
  partial: PartialRequest | null = null;
  /** Kept for the next one. */
  #spare: PartialRequest | null = null;
  /** Longest command in pieces since the last look at the buffers. */
  #peak = 0;
  #held: Uint8Array[] | null = null;
  #heldBytes = 0;
  #memory = 0;

  constructor(host: InputHost) {
    this.#host = host;
  }

  /** Nothing is held, and nothing kept. */
  get isEmpty(): boolean {
    return this.partial === null && this.#held === null && this.#spare === null;
  }

  /** Chunks wait for being executed. */
  get isHeld(): boolean {
    return this.#held !== null;
  }

  /** Bytes of chunks that wait. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Bytes that are not executed yet. */
  get waitingBytes(): number {
    return this.#heldBytes + (this.partial?.filled ?? 0);
  }

  /** The same as CLIENT LIST shows it. */
  get shownBytes(): number {
    return this.#heldBytes + (this.partial?.unread ?? 0);
  }

  /** Unused bytes of the buffer for commands in pieces. */
  get freeBytes(): number {
    const partial = this.partial ?? this.#spare;
    return partial === null ? 0 : partial.capacity - partial.filled;
  }

  /** Bytes of memory held. */
  get memoryBytes(): number {
    return this.#memory;
  }

  /** Begins a command in pieces. */
  begin(): PartialRequest {
    const partial = this.#spare ?? new PartialRequest();
    this.#spare = null;
    this.partial = partial;
    return partial;
  }

  /** A command in pieces has been executed: its buffer serves the next one. */
  keep(partial: PartialRequest): void {
    if (partial.filled > this.#peak) this.#peak = partial.filled;
    partial.reset();
    this.#spare = partial;
  }

  /** Keeps bytes for later. They must be this connection's own. */
  hold(bytes: Uint8Array): void {
    this.#held ??= [];
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
  }

  /** Hands out what was held, in order; null when nothing is. */
  takeHeld(): Uint8Array[] | null {
    const held = this.#held;
    this.#held = null;
    this.#heldBytes = 0;
    return held;
  }

  /** Buffers for commands in pieces go when the client is quiet, and shrink when its commands have become much shorter. */
  trim(quiet: boolean): void {
    const partial = this.partial ?? this.#spare;
    if (partial === null) return;
    if (quiet) {
      if (partial === this.#spare) this.#spare = null;
      else partial.shrink(0);
    } else if (partial.capacity > KEEP_BYTES && partial.capacity / 2 > this.#peak) {
      partial.shrink(Math.max(this.#peak, partial.needed, 1));
    }
    this.#peak = this.partial?.needed ?? 0;
    this.countMemory();
  }

  /** Forgets everything. */
  clear(): void {
    this.takeHeld();
    this.partial = null;
    this.#spare = null;
    this.countMemory();
  }

  /** Tells the host how much memory this input has come to hold. To be called after anything else was. */
  countMemory(): void {
    const bytes = this.#heldBytes + (this.partial?.capacity ?? 0) + (this.#spare?.capacity ?? 0);
    this.#host.inputMemory += bytes - this.#memory;
    this.#memory = bytes;
  }
}
