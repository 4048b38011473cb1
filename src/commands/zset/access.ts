/** What the commands of sorted sets share: looking them up, making them, putting results in the place of keys, and answering with members and scores. */
import type { Ref } from "../../arena/arena.ts";
import { copyOf } from "../../base/bytes.ts";
import { DOUBLE_TEXT_MAX, writeDouble } from "../../base/float.ts";
import type { Context } from "../../engine/context.ts";
import { Event } from "../../engine/effects.ts";
import type { ReplyWriter } from "../../resp/writer.ts";
import type { ListpackElement } from "../../struct/listpack/listpack-element.ts";
import { entryType, Type } from "../../types/entry.ts";
import { entryDiscard } from "../../types/value.ts";
import { type ZsetLimits, zsetCreate } from "../../types/zset/zset.ts";
import { zsetLength } from "../../types/zset/zset-length.ts";

const limits: ZsetLimits = { listpackEntries: 0, listpackValue: 0 };

/** The limits of small sorted sets as the settings have them: one record, refilled by each call. */
export function zsetLimits(cx: Context): ZsetLimits {
  const { values } = cx.engine.config;
  limits.listpackEntries = values.zsetMaxListpackEntries;
  limits.listpackValue = values.zsetMaxListpackValue;
  return limits;
}

/** The sorted set in argument `i` for reading, or 0. */
export function readZset(cx: Context, i: number): Ref {
  const e = cx.lookupRead(i);
  cx.requireType(e, Type.Zset);
  return e;
}

/** The sorted set in argument `i` for writing, or 0. */
export function writeZset(cx: Context, i: number): Ref {
  const e = cx.lookupWrite(i);
  cx.requireType(e, Type.Zset);
  return e;
}

/** An empty sorted set under the key of argument `i`, which was just looked up in vain. It must get a member before the command ends. */
export function newZset(cx: Context, i: number, encoding: number): Ref {
  const { db, engine } = cx;
  const e = zsetCreate(cx.arena, cx.buf, cx.start[i], cx.length[i], engine.keyspace.accessOfNew(), encoding);
  db.insert(e, db.hash);
  if (engine.notifyMask !== 0) cx.notify(i, Event.New, "new");
  return e;
}

/** Deletes the sorted set `e` of argument `i`, whose key has `hash`, if it is empty, and reports that. */
export function leaveZset(cx: Context, e: Ref, i: number, hash: number): void {
  if (zsetLength(cx.arena, e) > 0) return;
  cx.db.remove(e, hash, cx.engine.config.values.lazyfreeLazyServerDel);
  cx.notify(i, Event.Generic, "del");
}

/** An empty sorted set under the key in argument `i`, or under none (0), that is in no database. */
export function scratchZset(cx: Context, i: number, encoding: number): Ref {
  const { buf, length, start } = cx;
  return zsetCreate(cx.arena, buf, start[i], length[i], cx.engine.keyspace.accessOfNew(), encoding);
}

/** Events that precede that of storing: the key is new, or its value is replaced as a whole, perhaps by one of another type. */
function announce(cx: Context, i: number, old: Ref): void {
  if (old === 0) {
    cx.notify(i, Event.New, "new");
    return;
  }
  cx.notify(i, Event.Overwritten, "overwritten");
  if (entryType(cx.arena, old) !== Type.Zset) cx.notify(i, Event.TypeChanged, "type_changed");
}

/**
 * Puts `result`, a sorted set made for the key of argument `i` that is not in the database yet, in the place of what the key holds, and answers its length;
 * an empty one only deletes.
 */
export function storeZset(cx: Context, i: number, result: Ref, event: string): void {
  const { arena: a, buf, db, engine, length, reply, start } = cx;
  const count = zsetLength(a, result);
  if (count === 0) {
    entryDiscard(a, result);
    deleteKey(cx, i);
  } else {
    const old = db.lookup(buf, start[i], length[i]);
    if (engine.notifyMask !== 0) announce(cx, i, old);
    if (old !== 0) db.remove(old, db.hash, engine.config.values.lazyfreeLazyServerDel);
    db.insert(result, db.hash);
    cx.changed(i, Event.Zset, event);
  }
  reply.integer(count);
}

/** Deletes the key of argument `i`, if there is one, in favour of an empty result. */
export function deleteKey(cx: Context, i: number): void {
  const { buf, db, length, start } = cx;
  const old = db.lookup(buf, start[i], length[i]);
  if (old === 0) return;
  db.remove(old, db.hash, cx.engine.config.values.lazyfreeLazyServerDel);
  cx.changed(i, Event.Generic, "del");
}

/** Answers a member. */
export function writeMember(reply: ReplyWriter, member: ListpackElement): void {
  if (member.isInteger) reply.bulkInt64(member.low, member.high);
  else reply.bulk(member.buf, member.at, member.length);
}

const COMMA = 44;
const text = new Uint8Array(DOUBLE_TEXT_MAX + 3);

/** Answers a score: a double, or its text. */
export function writeScore(reply: ReplyWriter, score: number): void {
  const end = writeDouble(text, 1, score);
  if (!reply.resp3) {
    reply.bulk(text, 1, end - 1);
    return;
  }
  text[0] = COMMA;
  text[end] = 13;
  text[end + 1] = 10;
  reply.rawBytes(text, 0, end + 2);
}

/** The header of `count` members, with or without scores: pairs are arrays of their own in RESP3. */
export function beginMembers(reply: ReplyWriter, count: number, withScores: boolean): void {
  reply.array(withScores && !reply.resp3 ? count * 2 : count);
}

/** Answers a member of such an array. */
export function writePair(reply: ReplyWriter, member: ListpackElement, score: number, withScores: boolean): void {
  if (withScores && reply.resp3) reply.array(2);
  writeMember(reply, member);
  if (withScores) writeScore(reply, score);
}

/** An owned copy of a member's bytes. */
export function memberCopy(member: ListpackElement): Uint8Array {
  member.text();
  return copyOf(member.buf, member.at, member.length);
}
