/** PUBSUB: which channels have listeners, and how many. */
import { globMatch } from "../../base/glob.ts";
import type { Client } from "../../engine/client/client.ts";
import { type Context, command } from "../../engine/context.ts";
import type { ChannelTable } from "../../engine/pubsub/channel-table.ts";
import { Flag } from "../../engine/spec/spec.ts";
import { ReplyError } from "../../resp/errors.ts";
import { writeHelp } from "../help.ts";

const ASKING = Flag.Pubsub | Flag.Loading | Flag.Stale;

const HELP = [
  "CHANNELS [<pattern>]",
  "    Names of the channels that somebody listens to, all or those that match the pattern.",
  "NUMPAT",
  "    Number of different patterns that somebody listens to.",
  "NUMSUB [<channel> ...]",
  "    Number of clients that listen to each of the channels; patterns do not count.",
  "SHARDCHANNELS [<pattern>]",
  "    Names of the shard channels that somebody listens to, all or those that match the pattern.",
  "SHARDNUMSUB [<shardchannel> ...]",
  "    Number of clients that listen to each of the shard channels.",
];

function listChannels(cx: Context, table: ChannelTable<Client>): void {
  if (cx.argc > 3)
    throw new ReplyError(
      `ERR unknown subcommand or wrong number of arguments for '${cx.text(1).slice(0, 128)}'. Try PUBSUB HELP.`,
    );
  const pattern = cx.argc === 3 ? cx.bytes(2) : null;
  const start = cx.reply.beginDeferred();
  let count = 0;
  for (const { bytes } of table) {
    if (pattern !== null && !globMatch(pattern, 0, pattern.length, bytes, 0, bytes.length, false)) continue;
    cx.reply.bulk(bytes, 0, bytes.length);
    count++;
  }
  cx.reply.endDeferred(start, count);
}

function countListeners(cx: Context, table: ChannelTable<Client>): void {
  cx.reply.array((cx.argc - 2) * 2);
  for (let i = 2; i < cx.argc; i++) {
    cx.reply.bulk(cx.buf, cx.start[i], cx.length[i]);
    cx.reply.integer(table.find(cx.buf, cx.start[i], cx.length[i])?.count ?? 0);
  }
}

/** The PUBSUB container. */
export const PUBSUB_INTROSPECTION_COMMANDS = [
  command({
    name: "pubsub",
    arity: -2,
    flags: 0,
    since: "2.8.0",
    group: "pubsub",
    summary: "Tells about channels, patterns and their listeners.",
    complexity: "Depends on subcommand.",
    subcommands: [
      command({
        name: "channels",
        arity: -2,
        flags: ASKING,
        since: "2.8.0",
        group: "pubsub",
        summary: "Lists the channels that have listeners.",
        complexity: "O(N), N being the number of channels with listeners.",
        syntax: "[pattern:pattern]",
        run: (cx) => listChannels(cx, cx.engine.pubsub.channels),
      }),
      command({
        name: "numpat",
        arity: 2,
        flags: ASKING,
        since: "2.8.0",
        group: "pubsub",
        summary: "Counts the different patterns that have listeners.",
        complexity: "O(1)",
        run: (cx) => cx.reply.integer(cx.engine.pubsub.patterns.size),
      }),
      command({
        name: "numsub",
        arity: -2,
        flags: ASKING,
        since: "2.8.0",
        group: "pubsub",
        summary: "Counts the listeners of each of the channels.",
        complexity: "O(N), N being the number of channels asked for.",
        syntax: "[channel ...]",
        run: (cx) => countListeners(cx, cx.engine.pubsub.channels),
      }),
      command({
        name: "shardchannels",
        arity: -2,
        flags: ASKING,
        since: "7.0.0",
        group: "pubsub",
        summary: "Lists the shard channels that have listeners.",
        complexity: "O(N), N being the number of shard channels with listeners.",
        syntax: "[pattern:pattern]",
        run: (cx) => listChannels(cx, cx.engine.pubsub.shardChannels),
      }),
      command({
        name: "shardnumsub",
        arity: -2,
        flags: ASKING,
        since: "7.0.0",
        group: "pubsub",
        summary: "Counts the listeners of each of the shard channels.",
        complexity: "O(N), N being the number of shard channels asked for.",
        syntax: "[shardchannel ...]",
        run: (cx) => countListeners(cx, cx.engine.pubsub.shardChannels),
      }),
      command({
        name: "help",
        arity: 2,
        flags: Flag.Loading | Flag.Stale,
        since: "6.2.0",
        group: "pubsub",
        summary: "Explains the subcommands.",
        complexity: "O(1)",
        run: (cx) => writeHelp(cx, HELP),
      }),
    ],
  }),
];
