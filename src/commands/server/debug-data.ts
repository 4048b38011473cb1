/** DEBUG subcommands that look at the data or make some: OBJECT, SDSLEN, DIGEST, DIGEST-VALUE, HTSTATS, HTSTATS-KEY, POPULATE. */
import { type Arena, GRANULE_MASK, type Ref } from "../../arena/arena.ts";
import { latin1Bytes } from "../../base/bytes.ts";
import { writeInteger } from "../../base/int64.ts";
import { lzfCompress } from "../../base/lzf.ts";
import type { Context } from "../../engine/context.ts";
import { Event } from "../../engine/effects.ts";
import { Observer } from "../../engine/observer.ts";
import { NO_EXPIRY } from "../../keyspace/database.ts";
import { idleSeconds, lfuDecayed } from "../../keyspace/lfu.ts";
import { NO_SUCH_KEY, NOT_POSITIVE, ReplyError } from "../../resp/errors.ts";
import { RefList } from "../../struct/dict/dict.ts";
import { type DictTableStats, dictTableStats } from "../../struct/dict/dict-check.ts";
import { Digest } from "../../types/digest.ts";
import {
  ENCODING_NAMES,
  entryAccess,
  entryEncoding,
  entryHasExpiry,
  entryKeyAt,
  entryKeyBuffer,
  entryKeyLength,
  entryType,
  Type,
  valueWord,
} from "../../types/entry.ts";
import { ByteSpan, readString, stringInlineBytes, stringIntValue, stringOutsideBytes } from "../../types/string.ts";
import { entryBytes, valueInlineBytes, valueType } from "../../types/value.ts";
import { referenceCount } from "../generic/object.ts";
import { quicklistText } from "./debug-list.ts";

const OUT_OF_RANGE_DATABASE = new ReplyError("ERR Out of range database");
const NO_HASH_TABLE = new ReplyError(
  "ERR The value stored at the specified key is not represented using an hash table",
);

/** The entry of the key in argument `i`, expired or not and without a trace of the look; throws when there is none. */
export function findKey(cx: Context, i: number): Ref {
  const e = cx.db.find(cx.buf, cx.start[i], cx.length[i]);
  if (e === 0) throw NO_SUCH_KEY;
  return e;
}

// ---- OBJECT

const span = new ByteSpan();
/** Shorter strings are not worth compressing in an RDB file. */
const COMPRESS_MIN = 20;

/** Bytes of a length in an RDB file. */
function lengthBytes(length: number): number {
  if (length < 64) return 1;
  return length < 16384 ? 2 : 5;
}

/** Bytes of an integer in an RDB file, which are up to four when it is stored as one; NaN when it is stored as text. */
function integerBytes(value: number): number {
  if (value >= -128 && value <= 127) return 2;
  if (value >= -32768 && value <= 32767) return 3;
  return value >= -2147483648 && value <= 2147483647 ? 5 : Number.NaN;
}

/** Bytes of a value in an RDB file. Of collections: what they take in memory. */
function serializedLength(cx: Context, e: Ref): number {
  const a = cx.arena;
  if (entryType(a, e) !== Type.String) return valueInlineBytes(a, e) + valueType(a, e).outsideBytes(a, e, 0);
  if (ENCODING_NAMES[entryEncoding(a, e)] === "int") {
    const bytes = integerBytes(stringIntValue(a, e));
    if (!Number.isNaN(bytes)) return bytes;
  }
  readString(a, e, span);
  const plain = lengthBytes(span.length) + span.length;
  if (span.length <= COMPRESS_MIN || !cx.engine.config.values.rdbcompression) return plain;
  const packed = new Uint8Array(span.length);
  const length = lzfCompress(span.buf, span.at, span.length, packed, 0, span.length - 4);
  return length > 0 ? 1 + lengthBytes(length) + lengthBytes(span.length) + length : plain;
}

/** DEBUG OBJECT key [fast]. */
export function debugObject(cx: Context): void {
  const e = findKey(cx, 2);
  const a = cx.arena;
  const ks = cx.engine.keyspace;
  const access = entryAccess(a, e);
  const fast = cx.argc === 4 && cx.isToken(3, "fast");
  const idle = ks.lfu ? 0 : idleSeconds(ks, access);
  const address = (e >>> 0) * 8;
  const length = fast ? "" : ` serializedlength:${serializedLength(cx, e)}`;
  const lfu = ks.lfu ? ` lfu_freq:${lfuDecayed(ks, access)} lfu_access_time_minutes:${access >>> 8}` : "";
  cx.reply.status(
    `Value at:0x${address.toString(16).padStart(12, "0")} refcount:${referenceCount(cx, e)} encoding:${ENCODING_NAMES[entryEncoding(a, e)]}${length} lru:${access} lru_seconds_idle:${idle}${lfu}${fast ? "" : quicklistText(a, e)}`,
  );
}

// ---- SDSLEN

const NOT_A_STRING = new ReplyError("ERR Not an sds encoded string.");

/**
 * DEBUG SDSLEN key: lengths of a key and its string, the room behind them, and what they take. A short string stands in the block of its key, which is
 * told with the key.
 */
export function debugStringLength(cx: Context): void {
  const e = findKey(cx, 2);
  const a = cx.arena;
  if (entryType(a, e) !== Type.String || ENCODING_NAMES[entryEncoding(a, e)] === "int") throw NOT_A_STRING;
  readString(a, e, span);
  const outside = stringOutsideBytes(a, e);
  const room = outside > 0 ? outside - span.length : a.capacity(e) - valueByte(a, e) - stringInlineBytes(a, e);
  cx.reply.status(
    `key_sds_len:${entryKeyLength(a, e)}, key_sds_avail:0, key_zmalloc: ${entryBytes(a, e)}, val_sds_len:${span.length}, val_sds_avail:${room}, val_zmalloc: ${outside}`,
  );
}

/** Where the value stands in its entry. */
function valueByte(a: Arena, e: Ref): number {
  return (valueWord(a, e) - ((e & GRANULE_MASK) << 1)) * 4;
}

// ---- DIGEST

const digest = new Digest();
const word = new Uint8Array(4);
const EXPIRES = latin1Bytes("!!expire!!");

function mixWord(into: Digest, value: number): void {
  word[0] = value >>> 24;
  word[1] = value >>> 16;
  word[2] = value >>> 8;
  word[3] = value;
  into.mix(word, 0, 4);
}

/** Mixes type, value and the fact that the key expires, into `digest`. */
function mixValue(cx: Context, e: Ref): void {
  const a = cx.arena;
  mixWord(digest, entryType(a, e));
  valueType(a, e).digest(a, e, digest);
  if (entryHasExpiry(a, e)) digest.add(EXPIRES, 0, EXPIRES.length);
}

/** DEBUG DIGEST. */
export function debugDigest(cx: Context): void {
  const a = cx.arena;
  const total = new Digest();
  const list = new RefList();
  for (const db of cx.engine.keyspace.databases) {
    if (db.size === 0) continue;
    mixWord(total, db.id);
    let cursor = 0;
    do {
      list.count = 0;
      cursor = db.scan(cursor, list);
      for (let i = 0; i < list.count; i++) {
        const e = list.refs[i];
        digest.clear();
        digest.mix(entryKeyBuffer(a, e), entryKeyAt(a, e), entryKeyLength(a, e));
        mixValue(cx, e);
        total.add(digest.state, 0, digest.state.length);
      }
    } while (cursor !== 0);
  }
  cx.reply.status(total.toString());
}

/** DEBUG DIGEST-VALUE key ... */
export function debugDigestValue(cx: Context): void {
  cx.reply.array(cx.argc - 2);
  for (let i = 2; i < cx.argc; i++) {
    const e = cx.db.find(cx.buf, cx.start[i], cx.length[i]);
    digest.clear();
    if (e !== 0) mixValue(cx, e);
    cx.reply.status(digest.toString());
  }
}

// ---- HTSTATS

/** Both tables of a dict in the words of DEBUG HTSTATS. `full`: how well the entries are spread, too. */
function dictText(cx: Context, dict: Ref, full: boolean): string {
  const main = dict === 0 ? null : dictTableStats(cx.arena, dict, 0);
  const target = dict === 0 ? null : dictTableStats(cx.arena, dict, 1);
  let text = tableText("Hash table 0 stats (main hash table):", main, full);
  if (target !== null) text += tableText("Hash table 1 stats (rehashing target):", target, full);
  return text;
}

/** The size shown is the number of keys with which the table grows, as in Redis, whose tables grow when they hold as many keys as chains; slots are buckets of ours. */
function tableText(title: string, stats: DictTableStats | null, full: boolean): string {
  if (stats === null || stats.used === 0) return `${title}\nNo stats available for empty dictionaries\n`;
  let text = `${title}\n table size: ${stats.growsAt}\n number of elements: ${stats.used}\n`;
  if (!full) return text;
  const filled = stats.buckets - (stats.chains[0] ?? 0);
  text += ` different slots: ${filled}\n max chain length: ${stats.chains.length - 1}\n`;
  text += ` avg chain length (counted): ${(stats.used / filled).toFixed(2)}\n`;
  text += ` avg chain length (computed): ${(stats.used / filled).toFixed(2)}\n`;
  text += " Chain length distribution:\n";
  stats.chains.forEach((count, length) => {
    text += `   ${length}: ${count} (${((count / stats.buckets) * 100).toFixed(2)}%)\n`;
  });
  return text;
}

/** DEBUG HTSTATS dbid [full]. */
export function debugTableStats(cx: Context): void {
  const id = cx.bigInteger(2);
  const db =
    id >= 0n && id < cx.engine.keyspace.databases.length ? cx.engine.keyspace.databases[Number(id)] : undefined;
  if (db === undefined) throw OUT_OF_RANGE_DATABASE;
  const full = showsAll(cx);
  cx.reply.verbatim(`[Dictionary HT]\n${dictText(cx, db.dict, full)}[Expires HT]\n${dictText(cx, db.expires, full)}`);
}

/** DEBUG HTSTATS-KEY key [full]. */
export function debugKeyTableStats(cx: Context): void {
  const e = cx.lookupUntouched(2, true);
  if (e === 0) throw NO_SUCH_KEY;
  const dict = valueType(cx.arena, e).dict?.(cx.arena, e) ?? 0;
  if (dict === 0) throw NO_HASH_TABLE;
  cx.reply.verbatim(dictText(cx, dict, showsAll(cx)));
}

/** Redis shows everything; Valkey only when it is asked for. */
function showsAll(cx: Context): boolean {
  return cx.engine.config.personality.name === "redis" || (cx.argc >= 4 && cx.isToken(3, "full"));
}

// ---- POPULATE

const VALUE_PREFIX = latin1Bytes("value:");
const NUMBER_BYTES_MAX = 20;

/** A buffer that starts with `prefix` and has room for a number behind it. */
function withRoomForNumber(prefix: Uint8Array, least: number): Uint8Array {
  const bytes = new Uint8Array(Math.max(prefix.length + NUMBER_BYTES_MAX, least));
  bytes.set(prefix);
  return bytes;
}

/** DEBUG POPULATE count [prefix [size]]: keys prefix:0, prefix:1 ... as far as they do not exist. Nothing is propagated. */
export function debugPopulate(cx: Context): void {
  const count = cx.integerIn(2, 0, Number.MAX_SAFE_INTEGER, NOT_POSITIVE);
  const prefix = latin1Bytes(`${cx.argc > 3 ? cx.text(3) : "key"}:`);
  const size = cx.argc > 4 ? cx.integerIn(4, 0, Number.MAX_SAFE_INTEGER, NOT_POSITIVE) : 0;
  const { db, engine } = cx;
  const watched = (engine.observed & ~Observer.Notify) !== 0;
  const key = withRoomForNumber(prefix, 0);
  const value = withRoomForNumber(VALUE_PREFIX, size);
  for (let i = 0; i < count; i++) {
    const keyLength = writeInteger(key, prefix.length, i);
    if (db.lookup(key, 0, keyLength) !== 0) continue;
    const valueLength = writeInteger(value, VALUE_PREFIX.length, i);
    db.setString(key, 0, keyLength, value, 0, size > 0 ? size : valueLength, NO_EXPIRY, false);
    if (watched) cx.effects.add(key.slice(0, keyLength), 0, keyLength, db.id, Event.None, "", 1);
  }
  cx.reply.ok();
}
