/** What becomes of fields of hashes whose time has come: by whoever comes across one, or by the active expire cycle. */
import type { Ref } from "../arena/arena.ts";
import { copyBytes, copyOf } from "../base/bytes.ts";
import { entryKeyCopy } from "../types/entry.ts";
import { deleteEarliest, hashEarliest, hashLength, readEarliest } from "../types/hash/hash.ts";
import { expiryRecord } from "../types/hash/hash-expiry.ts";
import { ByteSpan } from "../types/string.ts";
import type { Database } from "./database.ts";

const name = new ByteSpan();
const NO_KEY = new Uint8Array(0);
/** Names up to this length are shown to listeners in buffers that are used again: a copy for each of a million fields makes the collector pause. */
const NAME_BUFFERS = 64;
/** Buffers by their length, made when they are needed. */
const nameBuffers: (Uint8Array | undefined)[] = new Array(NAME_BUFFERS).fill(undefined);

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
    if (count === 0 && rules.snapshot !== null) rules.snapshot.beforeChange(db.dict, e);
    if (listener.listening) {
      readEarliest(a, e, name);
      listener.fieldExpired(db.id, key, nameBytes());
    }
    deleteEarliest(a, e);
  }
  if (count === 0) return 0;
  rules.expiredFields += count;
  noteFieldTimes(db, e);
  return count;
}

/** The bytes of `name`, which are good until the next call. */
function nameBytes(): Uint8Array {
  const { at, buf, length } = name;
  if (length >= NAME_BUFFERS) return copyOf(buf, at, length);
  nameBuffers[length] ??= new Uint8Array(length);
  copyBytes(buf, at, nameBuffers[length], 0, length);
  return nameBuffers[length];
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
