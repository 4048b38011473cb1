/**
 * Channels, patterns and shard channels: who listens, and the delivery of messages. A message is formatted once for each protocol that its listeners
 * speak; those of the channel get it first, then those of matching patterns in order of the patterns' first subscription.
 *
 * Invariants: a client's maps (client.channels and so on) hold exactly its subscriptions; channels and patterns without listeners are forgotten;
 * `clientCount` counts the clients with ClientFlag.Subscriber, which are those that listen to anything.
 */
import { copyOf, latin1 } from "../../base/bytes.ts";
import { ReplyWriter } from "../../resp/writer.ts";
import { type Client, ClientFlag, type Subscriptions } from "../client/client.ts";
import type { EngineView } from "../handler-context.ts";
import { Channel, ChannelTable } from "./channel-table.ts";
import { Pattern, PatternIndex } from "./pattern-index.ts";
import type { Topic } from "./topic.ts";

/** What a subscription is about. */
export const Listen = { Channel: 0, Pattern: 1, Shard: 2 } as const;

export class PubSub {
  readonly channels: ChannelTable<Client>;
  readonly shardChannels: ChannelTable<Client>;
  readonly patterns = new PatternIndex<Client>();
  /** Clients that listen to anything. */
  clientCount = 0;
  readonly #engine: EngineView;
  readonly #matched: Pattern<Client>[] = [];
  readonly #resp2 = new ReplyWriter(1024);
  readonly #resp3 = new ReplyWriter(1024);

  constructor(engine: EngineView) {
    this.#engine = engine;
    const { prng } = engine.keyspace;
    this.channels = new ChannelTable(prng.uint32() | 0, prng.uint32() | 0);
    this.shardChannels = new ChannelTable(prng.uint32() | 0, prng.uint32() | 0);
    this.#resp3.resp3 = true;
  }

  // ---- messages

  /** True when no message could reach anybody, except by a shard channel. */
  get isIdle(): boolean {
    return this.channels.size === 0 && this.patterns.size === 0;
  }

  /** Sends a message to everyone who listens to the channel or to a pattern that matches it; returns the number of deliveries. */
  publish(
    channel: Uint8Array,
    channelAt: number,
    channelLength: number,
    message: Uint8Array,
    messageAt: number,
    messageLength: number,
  ): number {
    let receivers = 0;
    const topic = this.channels.find(channel, channelAt, channelLength);
    if (topic !== null)
      receivers += this.#deliver(topic, MESSAGE, channel, channelAt, channelLength, message, messageAt, messageLength);
    if (this.patterns.size === 0) return receivers;
    const matched = this.#matched;
    const count = this.patterns.match(channel, channelAt, channelLength, matched);
    for (let i = 0; i < count; i++)
      receivers += this.#deliver(
        matched[i],
        PATTERN_MESSAGE,
        channel,
        channelAt,
        channelLength,
        message,
        messageAt,
        messageLength,
      );
    matched.length = 0;
    return receivers;
  }

  /** Sends a message to the listeners of a shard channel; returns their number. */
  publishShard(
    channel: Uint8Array,
    channelAt: number,
    channelLength: number,
    message: Uint8Array,
    messageAt: number,
    messageLength: number,
  ): number {
    const topic = this.shardChannels.find(channel, channelAt, channelLength);
    if (topic === null) return 0;
    return this.#deliver(topic, SHARD_MESSAGE, channel, channelAt, channelLength, message, messageAt, messageLength);
  }

  #deliver(
    topic: Topic<Client>,
    kind: string,
    channel: Uint8Array,
    channelAt: number,
    channelLength: number,
    message: Uint8Array,
    messageAt: number,
    messageLength: number,
  ): number {
    const receivers = topic.count;
    this.#resp2.clear();
    this.#resp3.clear();
    for (let at = topic.first; at !== null; at = at.next) {
      const client = at.listener;
      const out = client.resp === 3 ? this.#resp3 : this.#resp2;
      if (out.pos === 0) {
        const isPattern = kind === PATTERN_MESSAGE;
        out.push(isPattern ? 4 : 3);
        out.bulkText(kind);
        if (isPattern) out.bulk(topic.bytes, 0, topic.bytes.length);
        out.bulk(channel, channelAt, channelLength);
        out.bulk(message, messageAt, messageLength);
      }
      this.#engine.push(client, out.buf, 0, out.pos);
    }
    return receivers;
  }

  // ---- subscriptions

  /** Lets a client listen; nothing changes when it does already. */
  subscribe(client: Client, kind: number, buf: Uint8Array, at: number, length: number): void {
    const name = latin1(buf, at, length);
    const own = ownOrNew(client, kind);
    if (own.has(name)) return;
    own.set(name, this.#topic(kind, name, buf, at, length).add(client));
    if (!client.has(ClientFlag.Subscriber)) {
      client.set(ClientFlag.Subscriber);
      this.clientCount++;
    }
  }

  #topic(kind: number, name: string, buf: Uint8Array, at: number, length: number): Topic<Client> {
    if (kind === Listen.Pattern) return this.patterns.find(name) ?? this.patterns.add(name);
    const table = kind === Listen.Channel ? this.channels : this.shardChannels;
    return table.find(buf, at, length) ?? table.add(copyOf(buf, at, length), name);
  }

  /** Ends a subscription given by its latin1 name; nothing happens when there is none. */
  unsubscribe(client: Client, kind: number, name: string): void {
    const subscription = ownSubscriptions(client, kind)?.get(name);
    if (subscription === undefined) return;
    ownSubscriptions(client, kind)?.delete(name);
    const { topic } = subscription;
    topic.remove(subscription);
    if (topic.count === 0) {
      if (topic instanceof Pattern) this.patterns.remove(topic);
      else if (topic instanceof Channel) (kind === Listen.Channel ? this.channels : this.shardChannels).remove(topic);
    }
    this.#leaveWhenDone(client);
  }

  #leaveWhenDone(client: Client): void {
    if (client.subscriptionCount > 0 || (client.shardChannels?.size ?? 0) > 0) return;
    if (!client.has(ClientFlag.Subscriber)) return;
    client.unset(ClientFlag.Subscriber);
    this.clientCount--;
  }

  /** Forgets everything that a client listens to: it went away, or starts anew. */
  forget(client: Client): void {
    for (const kind of [Listen.Channel, Listen.Pattern, Listen.Shard]) {
      for (const name of [...(ownSubscriptions(client, kind)?.keys() ?? [])]) this.unsubscribe(client, kind, name);
    }
    client.channels = client.patterns = client.shardChannels = null;
  }
}

const MESSAGE = "message";
const PATTERN_MESSAGE = "pmessage";
const SHARD_MESSAGE = "smessage";

/** What a client listens to, of one kind; null when it never listened. */
export function ownSubscriptions(client: Client, kind: number): Subscriptions | null {
  if (kind === Listen.Channel) return client.channels;
  return kind === Listen.Pattern ? client.patterns : client.shardChannels;
}

function ownOrNew(client: Client, kind: number): Subscriptions {
  if (kind === Listen.Channel) return (client.channels ??= new Map());
  if (kind === Listen.Pattern) return (client.patterns ??= new Map());
  return (client.shardChannels ??= new Map());
}
