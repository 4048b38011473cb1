/** What the list commands share: looking lists up, making them, taking elements away, and answering with elements. */
import type { Ref } from "../../arena/arena.ts";
import { parseSafeInteger } from "../../base/int64.ts";
import type { Context } from "../../engine/context.ts";
import { Event } from "../../engine/effects.ts";
import { ReplyError, SYNTAX } from "../../resp/errors.ts";
import type { ReplyWriter } from "../../resp/writer.ts";
import { elementBytes, LISTPACK_END } from "../../struct/listpack/listpack-element.ts";
import {
  cursorLeave,
  cursorNextNode,
  cursorPrevious,
  QuicklistCursor,
} from "../../struct/quicklist/quicklist-cursor.ts";
import { Type } from "../../types/entry.ts";
import {
  type ListElement,
  type ListLimits,
  listCreate,
  listDeleteRange,
  listLength,
  listSeek,
  listShrink,
} from "../../types/list/list.ts";
import { writePacked } from "../packed-reply.ts";

const INT64_MIN = -9223372036854775808n;
const OUT_OF_LONG_RANGE = new ReplyError(
  "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
);

const limits: ListLimits = { fill: 0, depth: 0, plainMin: 0 };
const cursor = new QuicklistCursor();

/** How lists are kept, by the settings: one record, refilled by each call. */
export function listLimits(cx: Context): ListLimits {
  const { config, debug } = cx.engine;
  limits.fill = config.values.listMaxListpackSize;
  limits.depth = config.values.listCompressDepth;
  limits.plainMin = debug.listPlainMin;
  return limits;
}

/** The list in argument `i` for reading, or 0. */
export function readList(cx: Context, i: number): Ref {
  const e = cx.lookupRead(i);
  cx.requireType(e, Type.List);
  return e;
}

/** The list in argument `i` for writing, or 0. */
export function writeList(cx: Context, i: number): Ref {
  const e = cx.lookupWrite(i);
  cx.requireType(e, Type.List);
  return e;
}

/** An empty list under the key of argument `i`, which was just looked up in vain. It must get an element before the command ends. */
export function newList(cx: Context, i: number): Ref {
  const { buf, db, engine, length, start } = cx;
  const e = listCreate(cx.arena, buf, start[i], length[i], engine.keyspace.accessOfNew());
  db.insert(e, db.hash);
  if (engine.notifyMask !== 0) cx.notify(i, Event.New, "new");
  return e;
}

/**
 * Settles a list that lost elements: deletes it when it is empty, and otherwise lets it become a listpack. `i` is the argument of its key, `hash` the
 * key's hash.
 */
export function leaveList(cx: Context, e: Ref, i: number, hash: number): void {
  if (listLength(cx.arena, e) > 0) listShrink(cx.arena, e, listLimits(cx));
  else deleteList(cx, e, i, hash);
}

/** Deletes a list, empty or not, whose loss is known to those whom it concerns but for the event. */
export function deleteList(cx: Context, e: Ref, i: number, hash: number): void {
  cx.db.remove(e, hash, cx.engine.config.values.lazyfreeLazyServerDel);
  cx.notify(i, Event.Generic, "del");
}

/** Reports that `count` elements were popped from an end of the list in argument `i`. */
export function popped(cx: Context, i: number, atHead: boolean, count: number): void {
  cx.changed(i, Event.List, atHead ? "lpop" : "rpop");
  cx.dirty += count - 1;
}

/** Removes `count` elements, at most all of them, from an end of the list in argument `i`, and reports it. db.hash is the key's hash. */
export function popCount(cx: Context, e: Ref, i: number, atHead: boolean, count: number): void {
  const { hash } = cx.db;
  const size = listLength(cx.arena, e);
  popped(cx, i, atHead, count);
  if (count === size) {
    deleteList(cx, e, i, hash);
    return;
  }
  listDeleteRange(cx.arena, e, atHead ? 0 : size - count, count);
  listShrink(cx.arena, e, listLimits(cx));
}

// ---- arguments

/** The same where the smallest int64, which has no opposite, is refused. */
export function symmetricInteger(cx: Context, i: number): number {
  const n = parseSafeInteger(cx.buf, cx.start[i], cx.length[i]);
  if (!Number.isNaN(n)) return n;
  const wide = cx.bigInteger(i);
  if (wide === INT64_MIN) throw OUT_OF_LONG_RANGE;
  return Number(wide);
}

/** The same where what is below `least`, or no integer, is one and the same error. */
export function integerFrom(cx: Context, i: number, least: number, error: ReplyError): number {
  const n = cx.longInteger(i, error);
  if (n < least) throw error;
  return n;
}

/** Argument `i` as an end of a list: true for LEFT. */
export function readEnd(cx: Context, i: number): boolean {
  if (cx.isToken(i, "left")) return true;
  if (cx.isToken(i, "right")) return false;
  throw SYNTAX;
}

// ---- answers

/** Answers an element as it was read. */
export function writeElement(reply: ReplyWriter, element: ListElement): void {
  if (element.isInteger) reply.bulkInt64(element.low, element.high);
  else reply.bulk(element.buf, element.at, element.length);
}

/** Answers an array of `count` elements of a list, which it has, from an index on. */
export function writeRange(cx: Context, e: Ref, from: number, count: number): void {
  const { arena: a, reply } = cx;
  const c = cursor;
  reply.array(count);
  let left = count;
  for (let more = listSeek(a, e, from, c); more && !reply.overflowed; more = left > 0 && cursorNextNode(a, c, true)) {
    const { buf } = c;
    if (c.plainLength >= 0) {
      reply.bulk(buf, c.base, c.plainLength);
      left--;
      continue;
    }
    for (let q = c.base + c.p; left > 0 && buf[q] !== LISTPACK_END; left--) {
      writePacked(reply, buf, q);
      q += elementBytes(buf, q);
    }
  }
  cursorLeave(a, c);
}

/** Answers an array of the last `count` elements of a list, which it has, the last one first. */
export function writeTailReversed(cx: Context, e: Ref, count: number): void {
  const { arena: a, reply } = cx;
  const c = cursor;
  reply.array(count);
  let left = count;
  for (let more = listSeek(a, e, listLength(a, e) - 1, c); more && left > 0; more = cursorPrevious(a, c)) {
    if (c.plainLength >= 0) reply.bulk(c.buf, c.base, c.plainLength);
    else writePacked(reply, c.buf, c.base + c.p);
    left--;
  }
  cursorLeave(a, c);
}

/** Answers the `count` elements that are about to be popped from an end, in the order in which they are. */
export function writePopped(cx: Context, e: Ref, atHead: boolean, count: number): void {
  if (atHead) writeRange(cx, e, 0, count);
  else writeTailReversed(cx, e, count);
}
