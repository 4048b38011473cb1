/** SUBSCRIBE, PSUBSCRIBE, SSUBSCRIBE and their opposites; PUBLISH and SPUBLISH. Who listens to what is in engine/pubsub/pubsub.ts. */
import { latin1Bytes } from "../../base/bytes.ts";
import { ClientFlag } from "../../engine/client/client.ts";
import { type Context, command } from "../../engine/context.ts";
import { Pending } from "../../engine/pending.ts";
import { Listen, ownSubscriptions } from "../../engine/pubsub/pubsub.ts";
import { Flag, type KeySpec, keysToEnd, oneKey } from "../../engine/spec/spec.ts";
import { notSubscribed, ReplyError } from "../../resp/errors.ts";

const LISTENING = Flag.Pubsub | Flag.Noscript | Flag.Loading | Flag.Stale;
const PUBLISHING = Flag.Pubsub | Flag.Loading | Flag.Stale | Flag.Fast | Flag.MayReplicate;
const NOT_A_KEY = "not_key";

/** Writes one confirmation: `word`, the name (null: none), and how many subscriptions of the kind are left. */
function confirm(cx: Context, kind: number, word: string, name: Uint8Array | null): void {
  const { client, engine } = cx;
  // Where replies are switched off, confirmations still go out, as messages do.
  const isMuted = client.has(ClientFlag.ReplyOff | ClientFlag.ReplySkip);
  const out = isMuted ? engine.pushes : cx.reply;
  if (isMuted) {
    out.resp3 = client.resp === 3;
    engine.pending |= Pending.Pushes;
  }
  out.push(3);
  out.bulkText(word);
  if (name === null) out.nil();
  else out.bulk(name, 0, name.length);
  out.integer(kind === Listen.Shard ? (client.shardChannels?.size ?? 0) : client.subscriptionCount);
}

/** Body of SUBSCRIBE and its kin. A client that needs one reply a command cannot listen; a transaction may, for compatibility, except to shard channels. */
function subscribe(kind: number): (cx: Context) => void {
  return (cx) => {
    const { client, engine } = cx;
    const { name } = cx.spec;
    const tolerated = kind !== Listen.Shard && client.has(ClientFlag.Multi);
    if (client.has(ClientFlag.DenyBlocking) && !tolerated)
      throw new ReplyError(`ERR ${name.toUpperCase()} isn't allowed for a DENY BLOCKING client`);
    for (let i = 1; i < cx.argc; i++) {
      engine.pubsub.subscribe(client, kind, cx.buf, cx.start[i], cx.length[i]);
      confirm(cx, kind, name, cx.bytes(i));
    }
  };
}

/** Body of UNSUBSCRIBE and its kin: the names given, or everything of the kind. */
function unsubscribe(kind: number): (cx: Context) => void {
  return (cx) => {
    const { client, engine } = cx;
    const { name } = cx.spec;
    const strict = engine.config.personality.unsubscribeNeedsSubscription;
    // What was queued has been judged when it was queued.
    if (strict && !client.has(ClientFlag.Subscriber | ClientFlag.DenyBlocking)) throw notSubscribed(name);
    if (cx.argc > 1) {
      for (let i = 1; i < cx.argc; i++) {
        engine.pubsub.unsubscribe(client, kind, cx.text(i));
        confirm(cx, kind, name, cx.bytes(i));
      }
      return;
    }
    const own = [...(ownSubscriptions(client, kind)?.keys() ?? [])];
    for (const channel of own) {
      engine.pubsub.unsubscribe(client, kind, channel);
      confirm(cx, kind, name, latin1Bytes(channel));
    }
    if (own.length === 0) confirm(cx, kind, name, null);
  };
}

function publish(cx: Context): void {
  const { buf, start, length } = cx;
  cx.propagateToReplicas();
  cx.reply.integer(cx.engine.pubsub.publish(buf, start[1], length[1], buf, start[2], length[2]));
}

function publishShard(cx: Context): void {
  const { buf, start, length } = cx;
  cx.propagateToReplicas();
  cx.reply.integer(cx.engine.pubsub.publishShard(buf, start[1], length[1], buf, start[2], length[2]));
}

const SHARD_CHANNELS: readonly KeySpec[] = [keysToEnd(NOT_A_KEY)];

/** The commands of listening and publishing. */
export const PUBSUB_COMMANDS = [
  command({
    name: "subscribe",
    arity: -2,
    flags: LISTENING,
    since: "2.0.0",
    group: "pubsub",
    summary: "Listens to messages of the channels.",
    complexity: "O(N), N being the number of channels.",
    syntax: "channel ...",
    run: subscribe(Listen.Channel),
  }),
  command({
    name: "unsubscribe",
    arity: -1,
    flags: LISTENING,
    since: "2.0.0",
    group: "pubsub",
    summary: "Stops listening to the channels, or to every channel.",
    complexity: "O(N), N being the number of channels.",
    syntax: "[channel ...]",
    run: unsubscribe(Listen.Channel),
  }),
  command({
    name: "psubscribe",
    arity: -2,
    flags: LISTENING,
    since: "2.0.0",
    group: "pubsub",
    summary: "Listens to messages of all channels whose names match one of the patterns.",
    complexity: "O(N), N being the number of patterns.",
    syntax: "pattern:pattern ...",
    run: subscribe(Listen.Pattern),
  }),
  command({
    name: "punsubscribe",
    arity: -1,
    flags: LISTENING,
    since: "2.0.0",
    group: "pubsub",
    summary: "Stops listening to the patterns, or to every pattern.",
    complexity: "O(N), N being the number of patterns.",
    syntax: "[pattern:pattern ...]",
    run: unsubscribe(Listen.Pattern),
  }),
  command({
    name: "ssubscribe",
    arity: -2,
    flags: LISTENING,
    since: "7.0.0",
    group: "pubsub",
    summary: "Listens to messages of the shard channels.",
    complexity: "O(N), N being the number of shard channels.",
    keys: SHARD_CHANNELS,
    syntax: "shardchannel ...",
    run: subscribe(Listen.Shard),
  }),
  command({
    name: "sunsubscribe",
    arity: -1,
    flags: LISTENING,
    since: "7.0.0",
    group: "pubsub",
    summary: "Stops listening to the shard channels, or to every shard channel.",
    complexity: "O(N), N being the number of shard channels.",
    keys: SHARD_CHANNELS,
    syntax: "[shardchannel ...]",
    run: unsubscribe(Listen.Shard),
  }),
  command({
    name: "publish",
    arity: 3,
    flags: PUBLISHING,
    since: "2.0.0",
    group: "pubsub",
    summary: "Sends a message to everyone who listens to the channel, and says how many they are.",
    complexity: "O(N+M), N being the listeners of the channel and M the patterns that could match it.",
    syntax: "channel message",
    run: publish,
  }),
  command({
    name: "spublish",
    arity: 3,
    flags: PUBLISHING,
    since: "7.0.0",
    group: "pubsub",
    summary: "Sends a message to everyone who listens to the shard channel, and says how many they are.",
    complexity: "O(N), N being the listeners of the shard channel.",
    keys: [oneKey(NOT_A_KEY)],
    syntax: "shardchannel message",
    run: publishShard,
  }),
];
