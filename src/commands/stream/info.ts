/** XINFO: streams, groups and consumers as they are. */
import type { Ref } from "../../arena/arena.ts";
import { type Context, command } from "../../engine/context.ts";
import { Flag, oneKey } from "../../engine/spec/spec.ts";
import { NO_SUCH_KEY, ReplyError } from "../../resp/errors.ts";
import { IndexCursor, indexFirst, indexNext, indexNodes } from "../../struct/id-index/id-index.ts";
import {
  Head,
  streamAddedHigh,
  streamAddedLow,
  streamBlocks,
  streamIndex,
  streamLength,
  streamReadId,
} from "../../types/stream/stream.ts";
import {
  Consumer,
  consumerAt,
  consumerCount,
  consumerIndex,
  consumerPending,
  groupAt,
  groupCount,
  groupIndex,
  groupPending,
  groupReadHigh,
  groupReadLastId,
  groupReadLow,
  itemTime,
  Pending,
  pendingFind,
  pendingTime,
} from "../../types/stream/stream-group.ts";
import { idCreate, idRead, idSetMax } from "../../types/stream/stream-id.ts";
import { groupLag } from "../../types/stream/stream-lag.ts";
import { StreamWalk, walkNext, walkStart } from "../../types/stream/stream-walk.ts";
import { writeHelp } from "../help.ts";
import { groupOf, noGroup, readStream, writeEntries, writeEntry, writeId } from "./access.ts";
import { writeName } from "./pending.ts";

const COUNT_DEFAULT = 10;

const id = idCreate();
const least = idCreate();
const greatest = idCreate();
idSetMax(greatest);
const walk = new StreamWalk();
const cursor = new IndexCursor();
const nack = new IndexCursor();

/** The stream of argument 2, which must exist. */
function existingStream(cx: Context): Ref {
  const s = readStream(cx, 2);
  if (s === 0) throw NO_SUCH_KEY;
  return s;
}

function writeField(cx: Context, name: string, n: number): void {
  cx.reply.bulkText(name);
  cx.reply.integer(n);
}

function writeIdField(cx: Context, name: string, s: Ref, field: number): void {
  cx.reply.bulkText(name);
  streamReadId(cx.arena, s, field, id);
  writeId(cx.reply, id);
}

function writeHead(cx: Context, s: Ref): void {
  const { arena: a, reply } = cx;
  writeField(cx, "length", streamLength(a, s));
  writeField(cx, "radix-tree-keys", streamBlocks(a, s));
  // Of the tree that is used here: one node, and those that hold the blocks.
  writeField(cx, "radix-tree-nodes", streamBlocks(a, s) + indexNodes(a, streamIndex(a, s)));
  writeIdField(cx, "last-generated-id", s, Head.LastId);
  writeIdField(cx, "max-deleted-entry-id", s, Head.MaxDeletedId);
  reply.bulkText("entries-added");
  reply.int64(streamAddedLow(a, s), streamAddedHigh(a, s));
  writeIdField(cx, "recorded-first-entry-id", s, Head.FirstId);
}

function writeEdge(cx: Context, s: Ref, isLast: boolean): void {
  cx.reply.bulkText(isLast ? "last-entry" : "first-entry");
  walkStart(cx.arena, s, walk, least, greatest, isLast);
  if (walkNext(cx.arena, s, walk)) writeEntry(cx.reply, walk);
  else cx.reply.nil();
}

function stream(cx: Context): void {
  const isFull = cx.argc > 3;
  let count = COUNT_DEFAULT;
  const s = existingStream(cx);
  if (isFull) {
    const isRight = cx.isToken(3, "full") && (cx.argc === 4 || (cx.argc === 6 && cx.isToken(4, "count")));
    if (!isRight) throw subcommandSyntax(cx);
    if (cx.argc === 6) count = cx.longInteger(5);
    if (count < 0) count = COUNT_DEFAULT;
  }
  const { arena: a, reply } = cx;
  reply.map(isFull ? 9 : 10);
  writeHead(cx, s);
  if (!isFull) {
    writeField(cx, "groups", groupCount(a, s));
    writeEdge(cx, s, false);
    writeEdge(cx, s, true);
    return;
  }
  reply.bulkText("entries");
  walkStart(a, s, walk, least, greatest, false);
  writeEntries(cx, s, walk, count);
  reply.bulkText("groups");
  const groups = groupCount(a, s);
  reply.array(groups);
  for (let i = 0; i < groups; i++) writeFullGroup(cx, s, groupAt(a, s, i), count);
}

function subcommandSyntax(cx: Context): ReplyError {
  return new ReplyError(
    `ERR unknown subcommand or wrong number of arguments for '${cx.text(1)}'. Try ${cx.text(0).toUpperCase()} HELP.`,
  );
}

function writeGroupPlace(cx: Context, g: Ref): void {
  cx.reply.bulkText("last-delivered-id");
  groupReadLastId(cx.arena, g, id);
  writeId(cx.reply, id);
}

function writeProgress(cx: Context, s: Ref, g: Ref): void {
  const { arena: a, reply } = cx;
  const low = groupReadLow(a, g);
  const high = groupReadHigh(a, g);
  reply.bulkText("entries-read");
  if ((low & high) === -1) reply.nil();
  else reply.int64(low, high);
  reply.bulkText("lag");
  const lag = groupLag(a, s, g);
  if (lag === null) reply.nil();
  else reply.bigInteger(lag);
}

function writeFullGroup(cx: Context, s: Ref, g: Ref, count: number): void {
  const { arena: a, reply } = cx;
  reply.map(7);
  reply.bulkText("name");
  writeName(cx, g);
  writeGroupPlace(cx, g);
  writeProgress(cx, s, g);
  writeField(cx, "pel-count", groupPending(a, g));
  reply.bulkText("pending");
  writePending(cx, g, groupIndex(a, g), true, count);
  reply.bulkText("consumers");
  const consumers = consumerCount(a, g);
  reply.array(consumers);
  for (let i = 0; i < consumers; i++) {
    const consumer = consumerAt(a, g, i);
    reply.map(5);
    reply.bulkText("name");
    writeName(cx, consumer);
    writeField(cx, "seen-time", itemTime(a, consumer, Consumer.Seen));
    writeField(cx, "active-time", itemTime(a, consumer, Consumer.Active));
    writeField(cx, "pel-count", consumerPending(a, consumer));
    reply.bulkText("pending");
    writePending(cx, g, consumerIndex(a, consumer), false, count);
  }
}

/** Answers pending entries, at most `count` (0: all), with or without their consumers. */
function writePending(cx: Context, g: Ref, index: Ref, withConsumer: boolean, count: number): void {
  const { arena: a, reply } = cx;
  const header = reply.beginDeferred();
  let written = 0;
  for (let more = indexFirst(a, index, cursor); more; more = indexNext(a, index, cursor)) {
    idRead(id, cursor.words, cursor.at);
    pendingFind(a, g, id, nack);
    reply.array(withConsumer ? 4 : 3);
    writeId(reply, id);
    if (withConsumer) writeName(cx, nack.words[nack.at + Pending.Consumer]);
    reply.integer(pendingTime(nack));
    reply.int64(nack.words[nack.at + Pending.Count], nack.words[nack.at + Pending.Count + 1]);
    if (++written === count) break;
  }
  reply.endDeferred(header, written);
}

function groups(cx: Context): void {
  const { arena: a, reply } = cx;
  const s = existingStream(cx);
  const count = groupCount(a, s);
  reply.array(count);
  for (let i = 0; i < count; i++) {
    const g = groupAt(a, s, i);
    reply.map(6);
    reply.bulkText("name");
    writeName(cx, g);
    writeField(cx, "consumers", consumerCount(a, g));
    writeField(cx, "pending", groupPending(a, g));
    writeGroupPlace(cx, g);
    writeProgress(cx, s, g);
  }
}

function consumers(cx: Context): void {
  const { arena: a, reply } = cx;
  const s = existingStream(cx);
  const g = groupOf(cx, s, 3);
  if (g === 0) throw noGroup(cx, 2, 3);
  const count = consumerCount(a, g);
  reply.array(count);
  for (let i = 0; i < count; i++) {
    const consumer = consumerAt(a, g, i);
    const activeMs = itemTime(a, consumer, Consumer.Active);
    reply.map(4);
    reply.bulkText("name");
    writeName(cx, consumer);
    writeField(cx, "pending", consumerPending(a, consumer));
    writeField(cx, "idle", Math.max(0, cx.nowMs - itemTime(a, consumer, Consumer.Seen)));
    writeField(cx, "inactive", activeMs === -1 ? -1 : cx.nowMs - activeMs);
  }
}

const HELP = [
  "CONSUMERS <key> <groupname>",
  "    Show consumers of <groupname>.",
  "GROUPS <key>",
  "    Show the stream consumer groups.",
  "STREAM <key> [FULL [COUNT <count>]",
  "    Show information about the stream.",
];

const STREAM = { group: "stream", categories: ["stream"], since: "5.0.0", complexity: "O(1)" } as const;

export const STREAM_INFO_COMMANDS = [
  command({
    name: "xinfo",
    arity: -2,
    flags: 0,
    since: "5.0.0",
    group: "stream",
    summary: "A container for the commands that look into streams.",
    complexity: "Depends on the subcommand.",
    subcommands: [
      command({
        ...STREAM,
        name: "stream",
        arity: -3,
        flags: Flag.Readonly,
        summary: "Answers what a stream is like.",
        keys: [oneKey("RO access", 2)],
        syntax: "key:key full-block=[<FULL> [COUNT count:integer]]",
        history: [
          ["6.0.0", "FULL came."],
          [
            "7.0.0",
            "The greatest deleted id, the number of entries ever added, the first id, how far groups have read and their lag came.",
          ],
          ["7.2.0", "active-time came, and seen-time changed its meaning."],
        ],
        run: stream,
      }),
      command({
        ...STREAM,
        name: "groups",
        arity: 3,
        flags: Flag.Readonly,
        summary: "Answers the consumer groups of a stream.",
        keys: [oneKey("RO access", 2)],
        syntax: "key:key",
        history: [["7.0.0", "entries-read and lag came."]],
        run: groups,
      }),
      command({
        ...STREAM,
        name: "consumers",
        arity: 4,
        flags: Flag.Readonly,
        summary: "Answers the consumers of a group.",
        keys: [oneKey("RO access", 2)],
        tips: ["nondeterministic_output"],
        syntax: "key:key group",
        history: [["7.2.0", "inactive came."]],
        run: consumers,
      }),
      command({
        ...STREAM,
        name: "help",
        arity: 2,
        flags: Flag.Loading | Flag.Stale,
        summary: "Explains the subcommands.",
        run: (cx) => writeHelp(cx, HELP),
      }),
    ],
  }),
];
