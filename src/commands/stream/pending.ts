/** XPENDING and XACK. */
import type { Ref } from "../../arena/arena.ts";
import { type Context, command } from "../../engine/context.ts";
import { Flag, oneKey } from "../../engine/spec/spec.ts";
import { SYNTAX } from "../../resp/errors.ts";
import { IndexCursor, indexFind, indexFirst, indexLast, indexNext } from "../../struct/id-index/id-index.ts";
import {
  consumerAt,
  consumerCount,
  consumerFind,
  consumerIndex,
  consumerPending,
  groupIndex,
  groupPending,
  Pending,
  pendingFind,
  pendingRemove,
  pendingTime,
} from "../../types/stream/stream-group.ts";
import { idCompare, idCreate, idRead } from "../../types/stream/stream-id.ts";
import { nameAt, nameBuffer, nameLength } from "../../types/stream/stream-names.ts";
import {
  groupedStream,
  groupOf,
  idOf,
  noKeyOrGroup,
  readEnd,
  readIds,
  readStart,
  readStream,
  writeId,
} from "./access.ts";

const id = idCreate();
const from = idCreate();
const to = idCreate();
const cursor = new IndexCursor();
const nack = new IndexCursor();

function xack(cx: Context): void {
  const g = groupOf(cx, groupedStream(cx, 1), 2);
  if (g === 0) {
    cx.reply.integer(0);
    return;
  }
  const count = cx.argc - 3;
  readIds(cx, 3, count);
  let acknowledged = 0;
  for (let i = 0; i < count; i++) {
    idOf(i, id);
    if (pendingRemove(cx.arena, g, id)) acknowledged++;
  }
  cx.dirty += acknowledged;
  cx.reply.integer(acknowledged);
}

/** Answers the name of a group or consumer. */
export function writeName(cx: Context, item: Ref): void {
  const { arena: a } = cx;
  cx.reply.bulk(nameBuffer(a, item), nameAt(a, item), nameLength(a, item));
}

function summary(cx: Context, g: Ref): void {
  const { arena: a, reply } = cx;
  const index = groupIndex(a, g);
  reply.array(4);
  reply.integer(groupPending(a, g));
  if (!indexFirst(a, index, cursor)) {
    reply.nil();
    reply.nil();
    reply.nilArray();
    return;
  }
  idRead(id, cursor.words, cursor.at);
  writeId(reply, id);
  indexLast(a, index, cursor);
  idRead(id, cursor.words, cursor.at);
  writeId(reply, id);
  const header = reply.beginDeferred();
  const consumers = consumerCount(a, g);
  let written = 0;
  for (let i = 0; i < consumers; i++) {
    const consumer = consumerAt(a, g, i);
    const pending = consumerPending(a, consumer);
    if (pending === 0) continue;
    reply.array(2);
    writeName(cx, consumer);
    reply.bulkInt64(pending, 0);
    written++;
  }
  reply.endDeferred(header, written);
}

/** The arguments of the long form. */
const options = { count: 0, minIdleMs: 0, consumerArg: 0 };

function readOptions(cx: Context): void {
  options.minIdleMs = 0;
  options.consumerArg = 0;
  let first = 3;
  if (cx.isToken(3, "idle")) {
    options.minIdleMs = cx.longInteger(4);
    if (cx.argc < 8) throw SYNTAX;
    first = 5;
  }
  options.count = Math.max(0, cx.longInteger(first + 2));
  readStart(cx, first, from);
  readEnd(cx, first + 1, to);
  if (first + 3 < cx.argc) options.consumerArg = first + 3;
}

function list(cx: Context, g: Ref): void {
  const { arena: a, buf, length, reply, start } = cx;
  const arg = options.consumerArg;
  const consumer = arg === 0 ? 0 : consumerFind(a, g, buf, start[arg], length[arg]);
  if (arg !== 0 && consumer === 0) {
    reply.array(0);
    return;
  }
  const index = consumer === 0 ? groupIndex(a, g) : consumerIndex(a, consumer);
  const header = reply.beginDeferred();
  let written = 0;
  let more = indexFind(a, index, from, cursor) || cursor.leaf !== 0;
  for (; more && written < options.count; more = indexNext(a, index, cursor)) {
    idRead(id, cursor.words, cursor.at);
    if (idCompare(id, to) > 0) break;
    pendingFind(a, g, id, nack);
    const idleMs = cx.nowMs - pendingTime(nack);
    if (options.minIdleMs !== 0 && idleMs < options.minIdleMs) continue;
    reply.array(4);
    writeId(reply, id);
    writeName(cx, nack.words[nack.at + Pending.Consumer]);
    reply.integer(Math.max(0, idleMs));
    reply.int64(nack.words[nack.at + Pending.Count], nack.words[nack.at + Pending.Count + 1]);
    written++;
  }
  reply.endDeferred(header, written);
}

function xpending(cx: Context): void {
  const isSummary = cx.argc === 3;
  if (!isSummary && (cx.argc < 6 || cx.argc > 9)) throw SYNTAX;
  if (!isSummary) readOptions(cx);
  const g = groupOf(cx, readStream(cx, 1), 2);
  if (g === 0) throw noKeyOrGroup(cx, 1, 2);
  if (isSummary) summary(cx, g);
  else list(cx, g);
}

const STREAM = { group: "stream", categories: ["stream"], since: "5.0.0" } as const;

export const STREAM_PENDING_COMMANDS = [
  command({
    ...STREAM,
    name: "xack",
    arity: -4,
    flags: Flag.Write | Flag.Fast,
    summary: "Acknowledges entries for a group and answers how many were pending.",
    complexity: "O(1) for each id.",
    keys: [oneKey("RW update")],
    syntax: "key:key group id ...",
    run: xack,
  }),
  command({
    ...STREAM,
    name: "xpending",
    arity: -3,
    flags: Flag.Readonly,
    summary: "Answers what is pending in a group: a summary, or the entries in a range.",
    complexity:
      "O(N) for N entries that are answered, or that are looked at with IDLE. A summary takes O(N) for N consumers.",
    keys: [oneKey("RO access")],
    tips: ["nondeterministic_output"],
    syntax: "key:key group filters=[[IDLE min-idle-time:integer@6.2.0] start end count:integer [consumer]]",
    history: [["6.2.0", "IDLE came, and ends of the range may be exclusive."]],
    run: xpending,
  }),
];
