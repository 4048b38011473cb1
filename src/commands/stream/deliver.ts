/** What XREADGROUP does with one stream: claiming idle entries, delivering new ones, and answering a consumer's own pending ones. */
import type { Ref } from "../../arena/arena.ts";
import type { Context } from "../../engine/context.ts";
import { Event } from "../../engine/effects.ts";
import { IndexCursor, indexFind, indexFirst, indexNext } from "../../struct/id-index/id-index.ts";
import { streamLength } from "../../types/stream/stream.ts";
import {
  Consumer,
  consumerCreate,
  consumerFind,
  consumerIndex,
  groupReadLastId,
  groupSetLastId,
  groupTimeIndex,
  Pending,
  pendingAdd,
  pendingAssign,
  pendingCountUp,
  pendingFind,
  pendingTime,
  pendingTouch,
  setItemTime,
  timeOfRecord,
} from "../../types/stream/stream-group.ts";
import {
  idCompare,
  idCreate,
  idIncrement,
  idIsMax,
  idRead,
  idSet,
  idSetMax,
  idStore,
  type StreamId,
} from "../../types/stream/stream-id.ts";
import { groupCountRead } from "../../types/stream/stream-lag.ts";
import { StreamWalk, streamEdgeId, walkFind, walkNext, walkStart } from "../../types/stream/stream-walk.ts";
import { groupOf, writeEntry, writeId } from "./access.ts";
import { propagateClaim, propagateConsumer, propagateGroupId } from "./facts.ts";

/** How this XREADGROUP reads: the argument of the group's name (the consumer's follows), NOACK, and the least idle time of CLAIM in ms, -1 for none. */
export const reading = { group: 0, noAck: false, claimMs: -1 };

/** What prepareGroup found: the group, the consumer, whether the consumer's own entries are asked for, and which of the others are there. */
const found = { group: 0, consumer: 0, isHistory: false, hasIdle: false, hasNew: false };

const lastId = idCreate();
const edge = idCreate();
const to = idCreate();
idSetMax(to);
const walk = new StreamWalk();
const cursor = new IndexCursor();
const nack = new IndexCursor();

/** The consumer of argument `i`, which is made if it does not exist, as seen now. */
export function useConsumer(cx: Context, g: Ref, i: number, keyArg: number): Ref {
  const { arena: a, buf, length, start } = cx;
  let consumer = consumerFind(a, g, buf, start[i], length[i]);
  consumerUsed.isNew = consumer === 0;
  if (consumerUsed.isNew) {
    consumer = consumerCreate(a, g, buf, start[i], length[i], cx.nowMs);
    cx.dirty++;
    cx.notify(keyArg, Event.Stream, "xgroup-createconsumer");
  }
  setItemTime(a, consumer, Consumer.Seen, cx.nowMs);
  return consumer;
}

/** What the latest useConsumer did: whether it made the consumer. */
export const consumerUsed = { isNew: false };

/** Looks whether there is something to answer for the stream, whose key is argument `keyArg`; the greatest id asks for new entries. */
export function prepareGroup(cx: Context, s: Ref, keyArg: number, id: StreamId): boolean {
  const { arena: a } = cx;
  const g = groupOf(cx, s, reading.group);
  found.group = g;
  found.isHistory = !idIsMax(id);
  found.hasNew = false;
  found.hasIdle = false;
  if (!found.isHistory) {
    groupReadLastId(a, g, lastId);
    if (streamLength(a, s) > 0) {
      streamEdgeId(a, s, true, edge);
      found.hasNew = idCompare(edge, lastId) > 0;
    }
    found.hasIdle = reading.claimMs >= 0 && firstIdle(cx, s, g);
  }
  found.consumer = useConsumer(cx, g, reading.group + 1, keyArg);
  // Entries that become pending make their consumer wherever they are propagated to.
  const makesPending = found.hasIdle || (found.hasNew && !reading.noAck);
  if (consumerUsed.isNew && !makesPending) propagateConsumer(cx, keyArg, reading.group, reading.group + 1);
  return found.isHistory || found.hasNew || found.hasIdle;
}

/** True when an entry that still exists has been pending long enough. */
function firstIdle(cx: Context, s: Ref, g: Ref): boolean {
  const { arena: a } = cx;
  const index = groupTimeIndex(a, g);
  for (let more = indexFirst(a, index, cursor); more; more = indexNext(a, index, cursor)) {
    if (cx.nowMs - timeOfRecord(cursor) < reading.claimMs) return false;
    readTimeId(edge);
    if (walkFind(a, s, walk, edge)) return true;
  }
  return false;
}

/** The id of the record of the index by time at the cursor. */
function readTimeId(id: StreamId): void {
  idRead(id, cursor.words, cursor.at + 2);
}

/** When the next entry of the group will have been pending long enough, in ms and later than now; Infinity: none will. */
export function nextIdleMs(cx: Context, s: Ref): number {
  const { arena: a } = cx;
  const g = groupOf(cx, s, reading.group);
  if (g === 0) return Number.POSITIVE_INFINITY;
  const index = groupTimeIndex(a, g);
  for (let more = indexFirst(a, index, cursor); more; more = indexNext(a, index, cursor)) {
    // What is idle long enough already is not in the stream any more.
    const idleMs = timeOfRecord(cursor) + reading.claimMs;
    if (idleMs > cx.nowMs) return idleMs;
  }
  return Number.POSITIVE_INFINITY;
}

/** Answers the entries of a stream for which prepareGroup said true, at most `count` (0: all), and changes the group accordingly. */
export function deliver(cx: Context, s: Ref, keyArg: number, id: StreamId, count: number): void {
  const { reply } = cx;
  const header = reply.beginDeferred();
  let written = 0;
  if (found.isHistory) {
    written = writeHistory(cx, s, id, count);
    cx.dirty++;
  } else {
    if (found.hasIdle) written = claimIdle(cx, s, keyArg, count);
    if (found.hasNew && (count === 0 || written < count))
      written += deliverNew(cx, s, keyArg, count === 0 ? 0 : count - written);
  }
  reply.endDeferred(header, written);
}

/** Answers the consumer's pending entries behind `id`, as delivered once more. */
function writeHistory(cx: Context, s: Ref, id: StreamId, count: number): number {
  const { arena: a, reply } = cx;
  const { consumer, group } = found;
  const index = consumerIndex(a, consumer);
  let written = 0;
  if (!idIncrement(id)) return 0;
  let more = indexFind(a, index, id, cursor) || cursor.leaf !== 0;
  for (; more && (count === 0 || written < count); more = indexNext(a, index, cursor)) {
    idRead(edge, cursor.words, cursor.at);
    if (walkFind(a, s, walk, edge)) {
      writeEntry(reply, walk);
      pendingFind(a, group, edge, nack);
      pendingCountUp(nack);
      pendingTouch(a, group, edge, nack, cx.nowMs);
    } else {
      reply.array(2);
      writeId(reply, edge);
      reply.nilArray();
    }
    written++;
  }
  return written;
}

/** Ids of entries that are about to be claimed, four words each. */
let idle = new Int32Array(64);

/** Collects the ids of at most `count` (0: all) entries that exist and have been pending long enough, the longest first. Claiming one changes their order. */
function collectIdle(cx: Context, s: Ref, count: number): number {
  const { arena: a } = cx;
  const index = groupTimeIndex(a, found.group);
  let collected = 0;
  for (let more = indexFirst(a, index, cursor); more; more = indexNext(a, index, cursor)) {
    if (cx.nowMs - timeOfRecord(cursor) < reading.claimMs || (count !== 0 && collected === count)) break;
    readTimeId(edge);
    if (!walkFind(a, s, walk, edge)) continue;
    if (idle.length < collected * 4 + 4) {
      const grown = new Int32Array(idle.length * 2);
      grown.set(idle);
      idle = grown;
    }
    idStore(edge, idle, collected * 4);
    collected++;
  }
  return collected;
}

/** Gives entries that have been pending long enough to the consumer and answers them, with their idle times and numbers of deliveries. */
function claimIdle(cx: Context, s: Ref, keyArg: number, count: number): number {
  const { arena: a, reply } = cx;
  const { consumer, group } = found;
  const collected = collectIdle(cx, s, count);
  for (let i = 0; i < collected; i++) {
    idRead(edge, idle, i * 4);
    walkFind(a, s, walk, edge);
    pendingFind(a, group, edge, nack);
    writeEntry(reply, walk, 2);
    reply.integer(Math.max(0, cx.nowMs - pendingTime(nack)));
    reply.int64(nack.words[nack.at + Pending.Count], nack.words[nack.at + Pending.Count + 1]);
    pendingCountUp(nack);
    pendingAssign(a, group, edge, nack, consumer, cx.nowMs);
    propagateClaim(cx, keyArg, reading.group, group, edge, nack);
    cx.dirty++;
  }
  if (collected > 0) setItemTime(a, consumer, Consumer.Active, cx.nowMs);
  return collected;
}

/** Delivers entries that no consumer has got yet. */
function deliverNew(cx: Context, s: Ref, keyArg: number, count: number): number {
  const { arena: a, reply } = cx;
  const { consumer, group } = found;
  const extra = reading.claimMs >= 0 ? 2 : 0;
  let written = 0;
  groupReadLastId(a, group, lastId);
  if (!idIncrement(lastId)) return 0;
  walkStart(a, s, walk, lastId, to, false);
  while (walkNext(a, s, walk)) {
    idSet(edge, walk.id);
    groupCountRead(a, s, group, edge);
    groupSetLastId(a, group, edge);
    writeEntry(reply, walk, extra);
    if (extra > 0) {
      reply.integer(0);
      reply.integer(0);
    }
    if (!reading.noAck) addPending(cx, keyArg, group, consumer);
    if (++written === count) break;
  }
  if (written > 0) {
    propagateGroupId(cx, keyArg, reading.group, group);
    cx.dirty++;
  }
  return written;
}

/** Makes the entry of `edge` pending for the consumer. */
function addPending(cx: Context, keyArg: number, group: Ref, consumer: Ref): void {
  const { arena: a } = cx;
  if (pendingFind(a, group, edge, nack)) {
    // The group's last id was set back.
    pendingAssign(a, group, edge, nack, consumer, cx.nowMs);
    nack.words[nack.at + Pending.Count] = 1;
    nack.words[nack.at + Pending.Count + 1] = 0;
  } else {
    pendingAdd(a, group, consumer, edge, cx.nowMs, 1, 0);
  }
  setItemTime(a, consumer, Consumer.Active, cx.nowMs);
  if (!cx.propagates) return;
  pendingFind(a, group, edge, nack);
  propagateClaim(cx, keyArg, reading.group, group, edge, nack);
}
