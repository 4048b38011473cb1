/**
 * Channels by the bytes of their names, so that PUBLISH makes no string: chained hashing with a key of its own, since clients choose the names.
 * Invariant: a channel's chain is slots[hash & (slots.length - 1)]; there are at most as many channels as slots.
 */
import { equalBytes } from "../../base/bytes.ts";
import { hashBytes } from "../../base/hash.ts";
import { Topic } from "./topic.ts";

const SLOTS_MIN = 16;

/** A channel in the table. */
export class Channel<L> extends Topic<L> {
  readonly hash: number;
  nextInChain: Channel<L> | null = null;

  constructor(bytes: Uint8Array, name: string, hash: number) {
    super(bytes, name);
    this.hash = hash;
  }
}

export class ChannelTable<L> {
  readonly #k0: number;
  readonly #k1: number;
  #slots: (Channel<L> | null)[] = new Array(SLOTS_MIN).fill(null);
  #size = 0;

  /** `k0` and `k1` are the hash key, any int32s. */
  constructor(k0: number, k1: number) {
    this.#k0 = k0;
    this.#k1 = k1;
  }

  get size(): number {
    return this.#size;
  }

  /** The channel of a name, or null. */
  find(buf: Uint8Array, at: number, length: number): Channel<L> | null {
    if (this.#size === 0) return null;
    const hash = hashBytes(buf, at, length, this.#k0, this.#k1);
    let channel = this.#slots[hash & (this.#slots.length - 1)];
    while (channel !== null && !hasName(channel, hash, buf, at, length)) channel = channel.nextInChain;
    return channel;
  }

  /** Adds a channel that is not in the table; `bytes` become the table's. */
  add(bytes: Uint8Array, name: string): Channel<L> {
    if (this.#size === this.#slots.length) this.#resize(this.#slots.length * 2);
    const channel = new Channel<L>(bytes, name, hashBytes(bytes, 0, bytes.length, this.#k0, this.#k1));
    this.#link(channel);
    this.#size++;
    return channel;
  }

  /** Takes a channel of the table out. */
  remove(channel: Channel<L>): void {
    const slot = channel.hash & (this.#slots.length - 1);
    let before: Channel<L> | null = null;
    for (let at = this.#slots[slot]; at !== null && at !== channel; at = at.nextInChain) before = at;
    if (before === null) this.#slots[slot] = channel.nextInChain;
    else before.nextInChain = channel.nextInChain;
    channel.nextInChain = null;
    this.#size--;
    if (this.#slots.length > SLOTS_MIN && this.#size < this.#slots.length >> 3) this.#resize(this.#slots.length >> 2);
  }

  /** All channels, in no particular order. */
  *[Symbol.iterator](): IterableIterator<Channel<L>> {
    for (const slot of this.#slots)
      for (let channel = slot; channel !== null; channel = channel.nextInChain) yield channel;
  }

  #link(channel: Channel<L>): void {
    const slot = channel.hash & (this.#slots.length - 1);
    channel.nextInChain = this.#slots[slot];
    this.#slots[slot] = channel;
  }

  #resize(capacity: number): void {
    const channels = [...this];
    this.#slots = new Array(Math.max(capacity, SLOTS_MIN)).fill(null);
    for (const channel of channels) this.#link(channel);
  }
}

function hasName<L>(channel: Channel<L>, hash: number, buf: Uint8Array, at: number, length: number): boolean {
  return channel.hash === hash && channel.bytes.length === length && equalBytes(channel.bytes, 0, buf, at, length);
}
