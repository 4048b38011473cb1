/** What the string commands share: storing an argument as a key's value, deleting a key, and the events of both. */
import type { Ref } from "../../arena/arena.ts";
import { Origin } from "../../engine/client/client.ts";
import type { Context } from "../../engine/context.ts";
import { Event } from "../../engine/effects.ts";
import { STRING_TOO_LONG } from "../../resp/errors.ts";
import { entryType, Type } from "../../types/entry.ts";
import { STRING_LENGTH_MAX } from "../../types/string.ts";

/**
 * Stores argument `valueArg` under the key in argument `keyArg`, whose entry `e` (or 0) was just looked up, and reports "set". `expiry` as in
 * Database.setString; `adopt` gives up the request's buffer to a long value.
 */
export function storeArgument(
  cx: Context,
  keyArg: number,
  valueArg: number,
  e: Ref,
  expiry: number,
  adopt: boolean,
): Ref {
  if (cx.engine.notifyMask !== 0) announceOverwrite(cx, keyArg, e);
  const { buf, start, length } = cx;
  const stored = cx.db.putString(
    e,
    buf,
    start[keyArg],
    length[keyArg],
    buf,
    start[valueArg],
    length[valueArg],
    expiry,
    adopt,
  );
  cx.changed(keyArg, Event.String, "set");
  return stored;
}

/** Events that precede "set": the key is new, or its value is replaced as a whole, perhaps by one of another type. */
export function announceOverwrite(cx: Context, keyArg: number, e: Ref): void {
  if (e === 0) {
    cx.notify(keyArg, Event.New, "new");
    return;
  }
  cx.notify(keyArg, Event.Overwritten, "overwritten");
  if (entryType(cx.arena, e) !== Type.String) cx.notify(keyArg, Event.TypeChanged, "type_changed");
}

/** The event that precedes the command's own when it creates the key without overwriting semantics. */
export function announceNew(cx: Context, keyArg: number): void {
  if (cx.engine.notifyMask !== 0) cx.notify(keyArg, Event.New, "new");
}

/** Deletes the key in argument `keyArg`, whose entry `e` was just looked up, and reports "del"; to be propagated as DEL. */
export function deleteKey(cx: Context, keyArg: number, e: Ref): void {
  cx.db.remove(e, cx.db.hash, cx.engine.config.values.lazyfreeLazyServerDel);
  cx.changed(keyArg, Event.Generic, "del");
  if (cx.propagates) cx.propagateAs(["DEL", cx.bytes(keyArg)]);
}

/** Deletes a key because its new expiry has passed already: as deleteKey, but propagated as deletions by expiry are. */
export function deletePastKey(cx: Context, keyArg: number, e: Ref): void {
  const lazy = cx.engine.config.values.lazyfreeLazyExpire;
  cx.db.remove(e, cx.db.hash, lazy);
  cx.changed(keyArg, Event.Generic, "del");
  if (cx.propagates) cx.propagateAs([lazy ? "UNLINK" : "DEL", cx.bytes(keyArg)]);
}

/** Throws when a string of `length` bytes may not be made. What a primary or the append-only file asks for is not questioned. */
export function checkStringLength(cx: Context, length: number): void {
  if (length > STRING_LENGTH_MAX) throw STRING_TOO_LONG;
  if (length <= cx.engine.config.values.protoMaxBulkLen) return;
  const origin = cx.client.origin;
  if (origin !== Origin.Primary && origin !== Origin.Aof) throw STRING_TOO_LONG;
}
