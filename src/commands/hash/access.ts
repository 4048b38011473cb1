/**
 * What the hash commands share: looking the hash and its fields up, making it, and taking leave of it when its last field has gone. As in Redis,
 * whoever comes across a field whose time has come deletes it, readers too.
 */
import type { Ref } from "../../arena/arena.ts";
import type { Context } from "../../engine/context.ts";
import { propagateInternal } from "../../engine/deliver.ts";
import { Event } from "../../engine/effects.ts";
import { noteFieldTimes } from "../../keyspace/field-expiry.ts";
import { ExpiryMode } from "../../keyspace/key-rules.ts";
import { Type } from "../../types/entry.ts";
import {
  type HashLimits,
  HashSlot,
  hashCreate,
  hashDeleteFound,
  hashExceeds,
  hashFind,
  hashLength,
  hashToTable,
} from "../../types/hash/hash.ts";

/** Where findLive leaves what it found. */
export const slot = new HashSlot();

const limits: HashLimits = { entries: 0, value: 0 };

/** The limits of small hashes as the settings have them: one record, refilled by each call. */
export function hashLimits(cx: Context): HashLimits {
  const { values } = cx.engine.config;
  limits.entries = values.hashMaxListpackEntries;
  limits.value = values.hashMaxListpackValue;
  return limits;
}

/** The hash of argument 1 for reading, or 0. */
export function readHash(cx: Context): Ref {
  const e = cx.lookupRead(1);
  cx.requireType(e, Type.Hash);
  return e;
}

/** The hash of argument 1 for writing, or 0. */
export function writeHash(cx: Context): Ref {
  const e = cx.lookupWrite(1);
  cx.requireType(e, Type.Hash);
  return e;
}

/** An empty hash under the key of argument 1, which was just looked up in vain. It must get a field before the command ends. */
export function newHash(cx: Context): Ref {
  const { db, engine } = cx;
  const e = hashCreate(cx.arena, cx.buf, cx.start[1], cx.length[1], engine.keyspace.accessOfNew());
  db.insert(e, db.hash);
  if (engine.notifyMask !== 0) cx.notify(1, Event.New, "new");
  return e;
}

/** Makes a table of a hash that cannot be a listpack with the fields and values that are in the arguments from `from` to the last. */
export function makeRoom(cx: Context, e: Ref, from: number): void {
  const { entries, value } = hashLimits(cx);
  if ((cx.argc - from) / 2 > entries) {
    hashToTable(cx.arena, e);
    return;
  }
  let bytes = 0;
  for (let i = from; i < cx.argc; i++) {
    if (cx.length[i] > value) {
      hashToTable(cx.arena, e);
      return;
    }
    bytes += cx.length[i];
  }
  if (hashExceeds(cx.arena, e, bytes)) hashToTable(cx.arena, e);
}

/** Fields that findLive deleted since settle() was called. */
let expiredCount = 0;

/**
 * Looks the field in argument `i` up in a hash and leaves it in `slot`; false when there is none, or none whose time has not come. Such a one is deleted
 * and propagated as HDEL, unless the keyspace only hides it, or a snapshot would have to save a large hash for that. Afterwards settle() must be called.
 */
export function findLive(cx: Context, e: Ref, i: number): boolean {
  if (!hashFind(cx.arena, e, cx.buf, cx.start[i], cx.length[i], slot)) return false;
  const { keyspace } = cx.engine;
  if (slot.expiryMs === 0 || !keyspace.isExpired(slot.expiryMs)) return true;
  const { snapshot } = keyspace;
  if (keyspace.expiryMode === ExpiryMode.Delete && snapshot?.isCostly(e) !== true) {
    // Commands that only read come here, too.
    snapshot?.beforeChange(cx.db.dict, e);
    propagateFieldDeletion(cx, i);
    hashDeleteFound(cx.arena, e, slot);
    keyspace.expiredFields++;
    expiredCount++;
  }
  return false;
}

/** Propagates that the field in argument `i` goes, ahead of the command itself. */
export function propagateFieldDeletion(cx: Context, i: number): void {
  if (cx.propagates) propagateInternal(cx.engine, cx.db.id, ["HDEL", cx.bytes(1), cx.bytes(i)]);
}

/** Tells of fields that findLive deleted, if any. Returns the hash, or 0 when it was deleted because it is empty. */
export function settle(cx: Context, e: Ref): Ref {
  if (expiredCount === 0) return e;
  noteExpired(cx, e);
  return leave(cx, e);
}

/** As settle, but an empty hash is the caller's to deal with. True when there were such fields. */
export function settleFields(cx: Context, e: Ref): boolean {
  if (expiredCount === 0) return false;
  noteExpired(cx, e);
  return true;
}

/** Reports that fields expired: the hash changed, but by no command. */
export function noteExpired(cx: Context, e: Ref): void {
  expiredCount = 0;
  noteFieldTimes(cx.db, e);
  if (cx.engine.observed !== 0) cx.effects.add(cx.buf, cx.start[1], cx.length[1], cx.db.id, Event.Hash, "hexpired", 1);
}

/** Deletes the hash if it is empty, and reports that. Returns the hash, or 0. */
export function leave(cx: Context, e: Ref): Ref {
  if (hashLength(cx.arena, e) > 0) return e;
  cx.db.remove(e, cx.db.hash, cx.engine.config.values.lazyfreeLazyServerDel);
  cx.notify(1, Event.Generic, "del");
  return 0;
}

/** Reports `count` changes of fields of the hash in argument 1 as one event. */
export function changedFields(cx: Context, e: Ref, count: number, event: string): void {
  noteFieldTimes(cx.db, e);
  cx.changed(1, Event.Hash, event);
  cx.dirty += count - 1;
}
