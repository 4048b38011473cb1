/**
 * How far a consumer group is: how many entries of all that were ever added it has read, and how many are left. Entries that were deleted in the middle of a
 * stream make that unknowable for some ids.
 */
import type { Arena, Ref } from "../../arena/arena.ts";
import { int64ToBigInt } from "../../base/int64.ts";
import { Head, streamAddedHigh, streamAddedLow, streamLength, streamReadId } from "./stream.ts";
import { groupReadHigh, groupReadLastId, groupReadLow, groupSetRead } from "./stream-group.ts";
import { idCompare, idCreate, idIsZero, type StreamId } from "./stream-id.ts";

const deleted = idCreate();
const first = idCreate();
const last = idCreate();
const groupId = idCreate();

/** An int64 as halves. */
export const distance = { low: 0, high: 0 };

function isUnknown(low: number, high: number): boolean {
  return (low & high) === -1;
}

function setDistance(low: number, high: number): void {
  distance.low = low;
  distance.high = high;
}

/** True when an entry at or behind `from` was deleted by name. */
function hasDeletedFrom(a: Arena, s: Ref, from: StreamId): boolean {
  if (streamLength(a, s) === 0) return false;
  streamReadId(a, s, Head.MaxDeletedId, deleted);
  return !idIsZero(deleted) && idCompare(from, deleted) <= 0;
}

/** Sets `distance` to the number of entries from the first that was ever added to `id`, or to -1 when that cannot be known. */
export function estimateDistance(a: Arena, s: Ref, id: StreamId): void {
  const low = streamAddedLow(a, s);
  const high = streamAddedHigh(a, s);
  streamReadId(a, s, Head.LastId, last);
  streamReadId(a, s, Head.MaxDeletedId, deleted);
  const length = streamLength(a, s);
  const order = idCompare(id, last);
  if ((low | high) === 0 || (length === 0 && order < 1)) {
    setDistance(low, high);
    return;
  }
  setDistance(-1, -1);
  if (!idIsZero(id) && idCompare(id, deleted) < 0) return;
  if (order >= 0) {
    if (order === 0) setDistance(low, high);
    return;
  }
  streamReadId(a, s, Head.FirstId, first);
  const place = idCompare(id, first);
  if (place > 0 || !(idIsZero(deleted) || idCompare(deleted, first) < 0)) return;
  const gone = low - length + (place === 0 ? 1 : 0);
  // `low` is signed: gone is its own low half after wrapping, with a borrow when the unsigned value runs out.
  const unsigned = gone + (low < 0 ? 4294967296 : 0);
  setDistance(unsigned | 0, high + Math.floor(unsigned / 4294967296));
}

/** Counts the entry of `id` as read by a group whose last id is still the one before. */
export function groupCountRead(a: Arena, s: Ref, g: Ref, id: StreamId): void {
  const low = groupReadLow(a, g);
  const high = groupReadHigh(a, g);
  groupReadLastId(a, g, groupId);
  if (!isUnknown(low, high) && !hasDeletedFrom(a, s, groupId)) {
    groupSetRead(a, g, (low + 1) | 0, low === -1 ? high + 1 : high);
  } else if ((streamAddedLow(a, s) | streamAddedHigh(a, s)) !== 0) {
    estimateDistance(a, s, id);
    groupSetRead(a, g, distance.low, distance.high);
  }
}

/** How many entries a group has yet to read; null when that cannot be known. */
export function groupLag(a: Arena, s: Ref, g: Ref): bigint | null {
  const added = int64ToBigInt(streamAddedLow(a, s), streamAddedHigh(a, s));
  const length = streamLength(a, s);
  if (added === 0n || length === 0) return 0n;
  groupReadLastId(a, g, groupId);
  streamReadId(a, s, Head.FirstId, first);
  streamReadId(a, s, Head.MaxDeletedId, deleted);
  if (idCompare(groupId, first) < 0 && idCompare(deleted, first) < 0) return BigInt(length);
  const low = groupReadLow(a, g);
  const high = groupReadHigh(a, g);
  if (!isUnknown(low, high) && !hasDeletedFrom(a, s, groupId)) return added - int64ToBigInt(low, high);
  estimateDistance(a, s, groupId);
  return isUnknown(distance.low, distance.high) ? null : added - int64ToBigInt(distance.low, distance.high);
}
