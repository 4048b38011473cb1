/** What the set commands share: looking sets up, making them, putting results in the place of keys, and answering with members. */
import type { Ref } from "../../arena/arena.ts";
import type { Context } from "../../engine/context.ts";
import { Event } from "../../engine/effects.ts";
import type { ReplyWriter } from "../../resp/writer.ts";
import { entryType, Type } from "../../types/entry.ts";
import { type SetLimits, setCreate, setEncodingFor, setLength } from "../../types/set/set.ts";
import type { SetMember } from "../../types/set/set-walk.ts";
import { entryDiscard } from "../../types/value.ts";

const limits: SetLimits = { intsetEntries: 0, listpackEntries: 0, listpackValue: 0 };

/** The limits of small sets as the settings have them: one record, refilled by each call. */
export function setLimits(cx: Context): SetLimits {
  const { values } = cx.engine.config;
  limits.intsetEntries = values.setMaxIntsetEntries;
  limits.listpackEntries = values.setMaxListpackEntries;
  limits.listpackValue = values.setMaxListpackValue;
  return limits;
}

/** The set in argument `i` for reading, or 0. */
export function readSet(cx: Context, i: number): Ref {
  const e = cx.lookupRead(i);
  cx.requireType(e, Type.Set);
  return e;
}

/** The set in argument `i` for writing, or 0. */
export function writeSet(cx: Context, i: number): Ref {
  const e = cx.lookupWrite(i);
  cx.requireType(e, Type.Set);
  return e;
}

/**
 * An empty set under the key of argument `i`, which was just looked up in vain, fit for about `hint` members of which argument `first` is one.
 * It must get a member before the command ends.
 */
export function newSet(cx: Context, i: number, first: number, hint: number): Ref {
  const { buf, db, engine, length, start } = cx;
  const encoding = setEncodingFor(buf, start[first], length[first], hint, setLimits(cx));
  const e = setCreate(cx.arena, buf, start[i], length[i], engine.keyspace.accessOfNew(), encoding);
  db.insert(e, db.hash);
  if (engine.notifyMask !== 0) cx.notify(i, Event.New, "new");
  return e;
}

/** Deletes the set `e` of argument `i`, whose key has `hash`, if it is empty, and reports that. True when it was. */
export function leaveSet(cx: Context, e: Ref, i: number, hash: number): boolean {
  if (setLength(cx.arena, e) > 0) return false;
  cx.db.remove(e, hash, cx.engine.config.values.lazyfreeLazyServerDel);
  cx.notify(i, Event.Generic, "del");
  return true;
}

/** Events that precede that of storing: the key is new, or its value is replaced as a whole, perhaps by one of another type. */
function announce(cx: Context, old: Ref): void {
  if (old === 0) {
    cx.notify(1, Event.New, "new");
    return;
  }
  cx.notify(1, Event.Overwritten, "overwritten");
  if (entryType(cx.arena, old) !== Type.Set) cx.notify(1, Event.TypeChanged, "type_changed");
}

/** Puts `result`, a set under the key of argument 1 that is not in the database yet, in the place of what the key holds; an empty one only deletes. */
export function storeSet(cx: Context, result: Ref, event: string): void {
  const { arena: a, buf, db, engine, length, reply, start } = cx;
  const count = setLength(a, result);
  const old = count === 0 ? db.find(buf, start[1], length[1]) : cx.lookupWrite(1);
  if (count > 0 && engine.notifyMask !== 0) announce(cx, old);
  if (old !== 0) db.remove(old, db.hash, engine.config.values.lazyfreeLazyServerDel);
  if (count === 0) {
    entryDiscard(a, result);
    if (old !== 0) cx.changed(1, Event.Generic, "del");
  } else {
    db.insert(result, db.hash);
    cx.changed(1, Event.Set, event);
  }
  reply.integer(count);
}

/** Answers a member. */
export function writeMember(reply: ReplyWriter, member: SetMember): void {
  if (member.isInteger) reply.bulkInt64(member.low, member.high);
  else reply.bulk(member.buf, member.at, member.length);
}
