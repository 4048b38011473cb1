/**
 * Consumer groups of a stream, their consumers, and their pending entries: entries that were delivered and not acknowledged. All blocks stay where they are.
 *
 *   group       [name:2][last id:4][entries read: low, high][pending][by time][consumers]
 *   consumer    [name:2][seen: low, high][active: low, high][pending]
 *
 * Pending entries stand in three indexes (struct/id-index):
 *
 *   of the group       id:4                        -> [delivered: low, high][deliveries: low, high][consumer]
 *   of the group       delivered: high, low; id:4  -> nothing               in the order of the last delivery
 *   of the consumer    id:4                        -> nothing
 *
 * Times are Unix times in ms; "active" is -1 for never. "Entries read" is -1 when it is not known.
 */
import { type Arena, GRANULE_MASK, type Ref, SEGMENT_SHIFT } from "../../arena/arena.ts";
import { blobFree } from "../../arena/blob.ts";
import { copyBlockWords } from "../../arena/copy-block.ts";
import { int64High, int64Low } from "../../base/int64.ts";
import {
  IndexCursor,
  indexCount,
  indexCreate,
  indexFind,
  indexFirst,
  indexFree,
  indexNext,
} from "../../struct/id-index/id-index.ts";
import { indexCopy } from "../../struct/id-index/id-index-copy.ts";
import { indexDelete } from "../../struct/id-index/id-index-delete.ts";
import { indexInsert } from "../../struct/id-index/id-index-insert.ts";
import { Head, streamAt, streamWords } from "./stream.ts";
import { ID_WORDS, idCompare, idCreate, idRead, idStore, type StreamId } from "./stream-id.ts";
import {
  nameAt,
  nameBuffer,
  nameFree,
  nameLength,
  nameSet,
  namesAt,
  namesCount,
  namesCreate,
  namesFind,
  namesInsert,
  namesRemove,
} from "./stream-names.ts";

/** Words of a group. */
export const Group = { LastId: 2, Read: 6, Pending: 8, ByTime: 9, Consumers: 10 } as const;
const GROUP_BYTES = 44;
/** Words of a consumer. */
export const Consumer = { Seen: 2, Active: 4, Pending: 6 } as const;
const CONSUMER_BYTES = 28;
/** Words of a pending entry behind its id, from the place of the cursor on. */
export const Pending = { Time: 4, Count: 6, Consumer: 8 } as const;
const PENDING_WORDS = 5;
const TIME_KEY_WORDS = 6;
/** Signed numbers compare as unsigned ones when this is flipped. */
const SIGN = 0x80000000 | 0;

const scratch = new IndexCursor();
const timeKey = new Int32Array(TIME_KEY_WORDS);

/** The words in which a group or a consumer lies, and where it begins among them. */
export function itemWords(a: Arena, item: Ref): Int32Array {
  return a.i32[item >>> SEGMENT_SHIFT];
}

export function itemAt(item: Ref): number {
  return (item & GRANULE_MASK) << 1;
}

function word(a: Arena, item: Ref, field: number): number {
  return itemWords(a, item)[itemAt(item) + field];
}

/** A time in ms of a group's or consumer's field. */
export function itemTime(a: Arena, item: Ref, field: number): number {
  const w = itemWords(a, item);
  const at = itemAt(item) + field;
  return w[at + 1] * 4294967296 + (w[at] >>> 0);
}

export function setItemTime(a: Arena, item: Ref, field: number, ms: number): void {
  const w = itemWords(a, item);
  const at = itemAt(item) + field;
  w[at] = int64Low(ms);
  w[at + 1] = int64High(ms);
}

// ---- groups

/** Groups of a stream. */
export function groupCount(a: Arena, s: Ref): number {
  const t = streamWords(a, s)[streamAt(s) + Head.Groups];
  return t === 0 ? 0 : namesCount(a, t);
}

/** The group at an index, in the order of names. */
export function groupAt(a: Arena, s: Ref, i: number): Ref {
  return namesAt(a, streamWords(a, s)[streamAt(s) + Head.Groups], i);
}

/** The group of a name, or 0. */
export function groupFind(a: Arena, s: Ref, buf: Uint8Array, at: number, length: number): Ref {
  const t = streamWords(a, s)[streamAt(s) + Head.Groups];
  if (t === 0) return 0;
  const i = namesFind(a, t, buf, at, length);
  return i < 0 ? 0 : namesAt(a, t, i);
}

/** Makes a group of a name that there is none of. Its number of entries read is unknown. */
export function groupCreate(a: Arena, s: Ref, buf: Uint8Array, at: number, length: number, lastId: StreamId): Ref {
  const g = a.alloc(GROUP_BYTES);
  const pending = indexCreate(a, ID_WORDS, PENDING_WORDS);
  const byTime = indexCreate(a, TIME_KEY_WORDS, 0);
  const consumers = namesCreate(a);
  nameSet(a, g, buf, at, length);
  const w = itemWords(a, g);
  const p = itemAt(g);
  idStore(lastId, w, p + Group.LastId);
  w[p + Group.Read] = -1;
  w[p + Group.Read + 1] = -1;
  w[p + Group.Pending] = pending;
  w[p + Group.ByTime] = byTime;
  w[p + Group.Consumers] = consumers;
  const field = streamAt(s) + Head.Groups;
  const old = streamWords(a, s)[field];
  const t = old === 0 ? namesCreate(a) : old;
  streamWords(a, s)[field] = namesInsert(a, t, -1 - namesFind(a, t, buf, at, length), g);
  return g;
}

/** Deletes the group of a name; false when there is none. */
export function groupDelete(a: Arena, s: Ref, buf: Uint8Array, at: number, length: number): boolean {
  const field = streamAt(s) + Head.Groups;
  const t = streamWords(a, s)[field];
  const i = t === 0 ? -1 : namesFind(a, t, buf, at, length);
  if (i < 0) return false;
  groupFree(a, namesAt(a, t, i));
  streamWords(a, s)[field] = namesRemove(a, t, i);
  return true;
}

/** Frees the head of a stream, its index of blocks and its groups; what the records of the index refer to is the caller's. */
export function streamFreeHead(a: Arena, s: Ref): void {
  const w = streamWords(a, s);
  const groups = w[streamAt(s) + Head.Groups];
  for (let i = groupCount(a, s) - 1; i >= 0; i--) groupFree(a, groupAt(a, s, i));
  if (groups !== 0) blobFree(a, groups);
  indexFree(a, w[streamAt(s) + Head.Index]);
  a.free(s);
}

/** Frees a group with all that belongs to it. */
export function groupFree(a: Arena, g: Ref): void {
  const consumers = word(a, g, Group.Consumers);
  for (let i = namesCount(a, consumers) - 1; i >= 0; i--) consumerFree(a, namesAt(a, consumers, i));
  blobFree(a, consumers);
  indexFree(a, word(a, g, Group.Pending));
  indexFree(a, word(a, g, Group.ByTime));
  nameFree(a, g);
  a.free(g);
}

function consumerFree(a: Arena, c: Ref): void {
  indexFree(a, word(a, c, Consumer.Pending));
  nameFree(a, c);
  a.free(c);
}

/**
 * A copy of a group for whoever only reads it: the order of deliveries is left out, and pending entries name the original's consumers. It is freed as any
 * other is.
 */
export function groupCopy(a: Arena, g: Ref): Ref {
  const copy = copyItem(a, g, GROUP_BYTES);
  const pending = indexCopy(a, word(a, g, Group.Pending));
  const byTime = indexCreate(a, TIME_KEY_WORDS, 0);
  const from = word(a, g, Group.Consumers);
  let consumers = namesCreate(a);
  for (let i = 0; i < namesCount(a, from); i++) {
    const c = namesAt(a, from, i);
    const twin = copyItem(a, c, CONSUMER_BYTES);
    const own = indexCopy(a, word(a, c, Consumer.Pending));
    itemWords(a, twin)[itemAt(twin) + Consumer.Pending] = own;
    consumers = namesInsert(a, consumers, i, twin);
  }
  const w = itemWords(a, copy);
  const at = itemAt(copy);
  w[at + Group.Pending] = pending;
  w[at + Group.ByTime] = byTime;
  w[at + Group.Consumers] = consumers;
  return copy;
}

/** A block with the words of a group or a consumer, and a name of its own. */
function copyItem(a: Arena, item: Ref, bytes: number): Ref {
  const copy = a.alloc(bytes);
  copyBlockWords(a, item, copy, bytes >> 2);
  nameSet(a, copy, nameBuffer(a, item), nameAt(a, item), nameLength(a, item));
  return copy;
}

/** Frees the last consumer of a group that is being taken apart. */
export function groupDropConsumer(a: Arena, g: Ref): void {
  const t = word(a, g, Group.Consumers);
  const last = namesCount(a, t) - 1;
  consumerFree(a, namesAt(a, t, last));
  itemWords(a, g)[itemAt(g) + Group.Consumers] = namesRemove(a, t, last);
}

export function groupReadLastId(a: Arena, g: Ref, id: StreamId): void {
  idRead(id, itemWords(a, g), itemAt(g) + Group.LastId);
}

export function groupSetLastId(a: Arena, g: Ref, id: StreamId): void {
  idStore(id, itemWords(a, g), itemAt(g) + Group.LastId);
}

/** Halves of the number of entries read; -1: not known. */
export function groupReadLow(a: Arena, g: Ref): number {
  return word(a, g, Group.Read);
}

export function groupReadHigh(a: Arena, g: Ref): number {
  return word(a, g, Group.Read + 1);
}

export function groupSetRead(a: Arena, g: Ref, low: number, high: number): void {
  const w = itemWords(a, g);
  const at = itemAt(g) + Group.Read;
  w[at] = low;
  w[at + 1] = high;
}

/** Pending entries of a group. */
export function groupPending(a: Arena, g: Ref): number {
  return indexCount(a, word(a, g, Group.Pending));
}

/** The index of the pending entries of a group or (by id alone) of a consumer. */
export function groupIndex(a: Arena, g: Ref): Ref {
  return word(a, g, Group.Pending);
}

/** The index of a group's pending entries by time. */
export function groupTimeIndex(a: Arena, g: Ref): Ref {
  return word(a, g, Group.ByTime);
}

// ---- consumers

export function consumerCount(a: Arena, g: Ref): number {
  return namesCount(a, word(a, g, Group.Consumers));
}

/** The consumer at an index, in the order of names. */
export function consumerAt(a: Arena, g: Ref, i: number): Ref {
  return namesAt(a, word(a, g, Group.Consumers), i);
}

/** The consumer of a name, or 0. */
export function consumerFind(a: Arena, g: Ref, buf: Uint8Array, at: number, length: number): Ref {
  const t = word(a, g, Group.Consumers);
  const i = namesFind(a, t, buf, at, length);
  return i < 0 ? 0 : namesAt(a, t, i);
}

/** Makes a consumer of a name that there is none of: seen now, never active. */
export function consumerCreate(a: Arena, g: Ref, buf: Uint8Array, at: number, length: number, nowMs: number): Ref {
  const c = a.alloc(CONSUMER_BYTES);
  const pending = indexCreate(a, ID_WORDS, 0);
  nameSet(a, c, buf, at, length);
  itemWords(a, c)[itemAt(c) + Consumer.Pending] = pending;
  setItemTime(a, c, Consumer.Seen, nowMs);
  setItemTime(a, c, Consumer.Active, -1);
  const t = word(a, g, Group.Consumers);
  const table = namesInsert(a, t, -1 - namesFind(a, t, buf, at, length), c);
  itemWords(a, g)[itemAt(g) + Group.Consumers] = table;
  return c;
}

const victim = idCreate();

/** Deletes a consumer with its pending entries. */
export function consumerDelete(a: Arena, g: Ref, buf: Uint8Array, at: number, length: number): void {
  const t = word(a, g, Group.Consumers);
  const i = namesFind(a, t, buf, at, length);
  const c = namesAt(a, t, i);
  const index = word(a, c, Consumer.Pending);
  for (let more = indexFirst(a, index, scratch); more; more = indexNext(a, index, scratch)) {
    idRead(victim, scratch.words, scratch.at);
    if (!pendingFind(a, g, victim, removal)) throw new Error("stream: a pending entry is not the group's");
    removeTime(a, g, victim, removal);
    indexDelete(a, word(a, g, Group.Pending), victim);
  }
  consumerFree(a, c);
  itemWords(a, g)[itemAt(g) + Group.Consumers] = namesRemove(a, t, i);
}

export function consumerIndex(a: Arena, c: Ref): Ref {
  return word(a, c, Consumer.Pending);
}

/** Pending entries of a consumer. */
export function consumerPending(a: Arena, c: Ref): number {
  return indexCount(a, word(a, c, Consumer.Pending));
}

// ---- pending entries

const removal = new IndexCursor();

/** Places a cursor at the pending entry of an id; false when there is none. */
export function pendingFind(a: Arena, g: Ref, id: StreamId, c: IndexCursor): boolean {
  return indexFind(a, word(a, g, Group.Pending), id, c);
}

/** When the entry at a cursor was delivered last. */
export function pendingTime(c: IndexCursor): number {
  return c.words[c.at + Pending.Time + 1] * 4294967296 + (c.words[c.at + Pending.Time] >>> 0);
}

function setTimeKey(low: number, high: number, id: StreamId): void {
  timeKey[0] = high ^ SIGN;
  timeKey[1] = low;
  idStore(id, timeKey, 2);
}

/** The time in a record of the index by time. The id stands behind it, two words on. */
export function timeOfRecord(c: IndexCursor): number {
  return (c.words[c.at] ^ SIGN) * 4294967296 + (c.words[c.at + 1] >>> 0);
}

function removeTime(a: Arena, g: Ref, id: StreamId, c: IndexCursor): void {
  setTimeKey(c.words[c.at + Pending.Time], c.words[c.at + Pending.Time + 1], id);
  if (!indexDelete(a, word(a, g, Group.ByTime), timeKey)) throw new Error("stream: a pending entry has no time");
}

/** Adds a pending entry of an id that has none. */
export function pendingAdd(
  a: Arena,
  g: Ref,
  consumer: Ref,
  id: StreamId,
  timeMs: number,
  countLow: number,
  countHigh: number,
): void {
  const low = int64Low(timeMs);
  const high = int64High(timeMs);
  if (!indexInsert(a, word(a, g, Group.Pending), id, scratch)) throw new Error("stream: already pending");
  const { at, words } = scratch;
  words[at + Pending.Time] = low;
  words[at + Pending.Time + 1] = high;
  words[at + Pending.Count] = countLow;
  words[at + Pending.Count + 1] = countHigh;
  words[at + Pending.Consumer] = consumer;
  setTimeKey(low, high, id);
  indexInsert(a, word(a, g, Group.ByTime), timeKey, scratch);
  indexInsert(a, word(a, consumer, Consumer.Pending), id, scratch);
}

/** Deletes the pending entry of an id; false when there is none. */
export function pendingRemove(a: Arena, g: Ref, id: StreamId): boolean {
  if (!pendingFind(a, g, id, removal)) return false;
  const consumer = removal.words[removal.at + Pending.Consumer];
  removeTime(a, g, id, removal);
  indexDelete(a, word(a, consumer, Consumer.Pending), id);
  indexDelete(a, word(a, g, Group.Pending), id);
  return true;
}

/** Gives the pending entry at a cursor, whose id is `id`, to a consumer, as delivered at a time. The cursor stays good; the count is the caller's to change. */
export function pendingAssign(a: Arena, g: Ref, id: StreamId, c: IndexCursor, consumer: Ref, timeMs: number): void {
  pendingTouch(a, g, id, c, timeMs);
  const owner = c.words[c.at + Pending.Consumer];
  if (owner === consumer) return;
  indexDelete(a, word(a, owner, Consumer.Pending), id);
  indexInsert(a, word(a, consumer, Consumer.Pending), id, scratch);
  c.words[c.at + Pending.Consumer] = consumer;
}

/** Sets the time of the last delivery of the entry at a cursor. */
export function pendingTouch(a: Arena, g: Ref, id: StreamId, c: IndexCursor, timeMs: number): void {
  const low = int64Low(timeMs);
  const high = int64High(timeMs);
  const at = c.at + Pending.Time;
  if (c.words[at] === low && c.words[at + 1] === high) return;
  removeTime(a, g, id, c);
  c.words[at] = low;
  c.words[at + 1] = high;
  setTimeKey(low, high, id);
  indexInsert(a, word(a, g, Group.ByTime), timeKey, scratch);
}

/** Counts one more delivery of the entry at a cursor. */
export function pendingCountUp(c: IndexCursor): void {
  if (++c.words[c.at + Pending.Count] === 0) c.words[c.at + Pending.Count + 1]++;
}

// ---- references to an entry from all groups

const groupId = idCreate();

/** True when a group has the entry pending or has yet to deliver it. */
export function isReferenced(a: Arena, s: Ref, id: StreamId): boolean {
  for (let i = groupCount(a, s) - 1; i >= 0; i--) {
    const g = groupAt(a, s, i);
    groupReadLastId(a, g, groupId);
    if (idCompare(id, groupId) > 0 || pendingFind(a, g, id, removal)) return true;
  }
  return false;
}

/** Deletes the pending entries of an id from all groups. */
export function dropReferences(a: Arena, s: Ref, id: StreamId): void {
  for (let i = groupCount(a, s) - 1; i >= 0; i--) pendingRemove(a, groupAt(a, s, i), id);
}
