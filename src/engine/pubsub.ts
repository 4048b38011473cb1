/** Channels, patterns and shard channels: who listens, and the delivery of messages. */
import { latin1, latin1Bytes } from "../base/bytes.ts";
import { globMatch } from "../base/glob.ts";
import { ReplyWriter } from "../resp/writer.ts";
import { type Client, ClientFlag } from "./client.ts";
import type { Engine } from "./engine.ts";

/** Clients that listen to one pattern. */
interface PatternListeners {
  bytes: Uint8Array;
  clients: Set<Client>;
}

export class PubSub {
  readonly #engine: Engine;
  /** latin1 channel -> clients, in order of subscription. */
  readonly channels = new Map<string, Set<Client>>();
  readonly shardChannels = new Map<string, Set<Client>>();
  readonly patterns = new Map<string, PatternListeners>();
  readonly #scratch = new ReplyWriter(1024);

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Sends a message to everyone who listens; returns the number of deliveries. */
  publish(channel: Uint8Array, message: Uint8Array): number {
    let receivers = 0;
    const name = latin1(channel, 0, channel.length);
    const clients = this.channels.get(name);
    if (clients !== undefined) receivers += this.#deliver(clients, "message", null, channel, message);
    for (const [, listeners] of this.patterns) {
      if (!globMatch(listeners.bytes, 0, listeners.bytes.length, channel, 0, channel.length, false)) continue;
      receivers += this.#deliver(listeners.clients, "pmessage", listeners.bytes, channel, message);
    }
    return receivers;
  }

  /** Sends a message to the listeners of a shard channel. */
  publishShard(channel: Uint8Array, message: Uint8Array): number {
    const clients = this.shardChannels.get(latin1(channel, 0, channel.length));
    return clients === undefined ? 0 : this.#deliver(clients, "smessage", null, channel, message);
  }

  #deliver(
    clients: Set<Client>,
    kind: string,
    pattern: Uint8Array | null,
    channel: Uint8Array,
    message: Uint8Array,
  ): number {
    let form = 0;
    const w = this.#scratch;
    for (const client of clients) {
      if (form !== client.resp) {
        form = client.resp;
        w.clear();
        w.resp3 = form === 3;
        w.push(pattern === null ? 3 : 4);
        w.bulkText(kind);
        if (pattern !== null) w.bulk(pattern, 0, pattern.length);
        w.bulk(channel, 0, channel.length);
        w.bulk(message, 0, message.length);
      }
      this.#engine.push(client, w.buf, 0, w.pos);
    }
    return clients.size;
  }

  /** Forgets a client that went away. */
  forget(client: Client): void {
    for (const name of client.channels ?? []) this.#remove(this.channels, name, client);
    for (const name of client.shardChannels ?? []) this.#remove(this.shardChannels, name, client);
    for (const name of client.patterns ?? []) this.removePattern(name, client);
    client.channels = client.patterns = client.shardChannels = null;
    client.unset(ClientFlag.Subscriber);
  }

  #remove(map: Map<string, Set<Client>>, name: string, client: Client): void {
    const set = map.get(name);
    set?.delete(client);
    if (set?.size === 0) map.delete(name);
  }

  /** Adds a listener to a pattern. */
  addPattern(name: string, client: Client): void {
    let listeners = this.patterns.get(name);
    if (listeners === undefined) {
      listeners = { bytes: latin1Bytes(name), clients: new Set() };
      this.patterns.set(name, listeners);
    }
    listeners.clients.add(client);
  }

  /** Takes a listener from a pattern. */
  removePattern(name: string, client: Client): void {
    const listeners = this.patterns.get(name);
    listeners?.clients.delete(client);
    if (listeners?.clients.size === 0) this.patterns.delete(name);
  }
}
