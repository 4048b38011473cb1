/** What becomes of fields of hashes whose time has come: by whoever comes across one, or by the active expire cycle. */
import type { Ref } from "../arena/arena.ts";
import { copyOf } from "../base/bytes.ts";
import { entryKeyCopy } from "../types/entry.ts";
import { deleteEarliest, hashEarliest, hashLength, readEarliest } from "../types/hash.ts";
import { expiryRecord } from "../types/hash-expiry.ts";
import { ByteSpan } from "../types/string.ts";
import type { Database } from "./database.ts";

const name = new ByteSpan();
const NO_KEY = new Uint8Array(0);

/** Brings the database's index up to date after a change of a hash; cheap when no field of it ever expired. */
export function noteFieldTimes(db: Database, e: Ref): void {
  const record = expiryRecord(db.arena, e);
  if (record !== 0) db.hashExpiry.update(e, record);
}

/**
 * Deletes up to `limit` fields of a hash whose time has come, and says that each is to be propagated, but no more: the caller tells that the
 * hash changed, and deletes it when it is empty. Returns how many there were.
 */
export function dropExpiredFields(db: Database, e: Ref, limit: number): number {
  const a = db.arena;
  const rules = db.keyspace;
  const { listener } = rules;
  if (expiryRecord(a, e) === 0) return 0;
  const key = listener.listening ? entryKeyCopy(a, e) : NO_KEY;
  let count = 0;
  for (; count < limit; count++) {
    const ms = hashEarliest(a, e);
    if (ms === 0 || !rules.isExpired(ms)) break;
    if (listener.listening) {
      readEarliest(a, e, name);
      listener.fieldExpired(db.id, key, copyOf(name.buf, name.at, name.length));
    }
    deleteEarliest(a, e);
  }
  if (count === 0) return 0;
  rules.expiredFields += count;
  noteFieldTimes(db, e);
  return count;
}

/** Deletes up to `limit` expired fields of a key's hash, and the key when it is empty then, and tells. Returns the number of fields. */
export function expireFields(db: Database, e: Ref, hash: number, limit: number): number {
  const { listener, lazyExpire } = db.keyspace;
  const key = listener.listening ? entryKeyCopy(db.arena, e) : NO_KEY;
  const count = dropExpiredFields(db, e, limit);
  if (count === 0) return 0;
  const emptied = hashLength(db.arena, e) === 0;
  if (emptied) db.remove(e, hash, lazyExpire);
  if (listener.listening) listener.fieldsExpired(db.id, key, emptied);
  return count;
}
