/** What is propagated for commands that change consumer groups depending on the time: the outcome for each entry. */
import type { Ref } from "../../arena/arena.ts";
import { copyOf } from "../../base/bytes.ts";
import { int64ToBigInt } from "../../base/int64.ts";
import type { Context } from "../../engine/context.ts";
import type { IndexCursor } from "../../struct/id-index/id-index.ts";
import { groupReadHigh, groupReadLastId, groupReadLow, Pending, pendingTime } from "../../types/stream/stream-group.ts";
import { idCreate, idText, type StreamId } from "../../types/stream/stream-id.ts";
import { nameAt, nameBuffer, nameLength } from "../../types/stream/stream-names.ts";

const lastId = idCreate();

function lastIdText(cx: Context, g: Ref): string {
  groupReadLastId(cx.arena, g, lastId);
  return idText(lastId);
}

/** The state of the pending entry at a cursor, as an XCLAIM that makes it so. The key and the group's name are arguments. */
export function propagateClaim(
  cx: Context,
  keyArg: number,
  groupArg: number,
  g: Ref,
  id: StreamId,
  c: IndexCursor,
): void {
  if (!cx.propagates) return;
  const { arena: a } = cx;
  const { at, words } = c;
  const owner = words[at + Pending.Consumer];
  cx.propagateAs([
    "XCLAIM",
    cx.bytes(keyArg),
    cx.bytes(groupArg),
    copyOf(nameBuffer(a, owner), nameAt(a, owner), nameLength(a, owner)),
    "0",
    idText(id),
    "TIME",
    String(pendingTime(c)),
    "RETRYCOUNT",
    String(int64ToBigInt(words[at + Pending.Count], words[at + Pending.Count + 1])),
    "FORCE",
    "JUSTID",
    "LASTID",
    lastIdText(cx, g),
  ]);
}

/** How far a group is, as an XGROUP SETID. */
export function propagateGroupId(cx: Context, keyArg: number, groupArg: number, g: Ref): void {
  if (!cx.propagates) return;
  const { arena: a } = cx;
  cx.propagateAs([
    "XGROUP",
    "SETID",
    cx.bytes(keyArg),
    cx.bytes(groupArg),
    lastIdText(cx, g),
    "ENTRIESREAD",
    String(int64ToBigInt(groupReadLow(a, g), groupReadHigh(a, g))),
  ]);
}

/** A new consumer, as an XGROUP CREATECONSUMER. */
export function propagateConsumer(cx: Context, keyArg: number, groupArg: number, consumerArg: number): void {
  if (!cx.propagates) return;
  cx.propagateAs(["XGROUP", "CREATECONSUMER", cx.bytes(keyArg), cx.bytes(groupArg), cx.bytes(consumerArg)]);
}
