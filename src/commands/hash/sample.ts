/** Parts of a hash: HRANDFIELD and HSCAN. */
import type { Ref } from "../../arena/arena.ts";
import { parseSafeInteger } from "../../base/int64.ts";
import { type Context, command } from "../../engine/context.ts";
import { Flag, oneKey } from "../../engine/spec/spec.ts";
import { dropExpiredFields } from "../../keyspace/field-expiry.ts";
import { ExpiryMode } from "../../keyspace/key-rules.ts";
import { ReplyError, SYNTAX } from "../../resp/errors.ts";
import { dictScan, RefList } from "../../struct/dict/dict.ts";
import { Encoding, entryEncoding, Type } from "../../types/entry.ts";
import { hashLength, hashRandom } from "../../types/hash/hash.ts";
import { hashDict } from "../../types/hash/hash-dict.ts";
import { fieldExpiry, readField, readFieldValue } from "../../types/hash/hash-table.ts";
import { HashWalk, walkNext, walkStart } from "../../types/hash/hash-walk.ts";
import { ByteSpan } from "../../types/string.ts";
import { beginLastStep, parseScanOptions, readCursor, scanMatches, scanOptions } from "../generic/scan.ts";
import { leave, noteExpired, readHash } from "./access.ts";

const OUT_OF_RANGE = new ReplyError("ERR value is out of range");
const COUNT_RANGE = new ReplyError(
  "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
);
const INT64_MIN = -9223372036854775808n;
/** With values, a count beyond half of what fits is refused. */
const PAIRS_MAX = 4611686018427387903n;

const walk = new HashWalk();
const picked = new RefList();
const span = new ByteSpan();

/** Argument 2 of HRANDFIELD: a number that may be rounded, far beyond any size. */
function readCount(cx: Context, withValues: boolean): number {
  const n = parseSafeInteger(cx.buf, cx.start[2], cx.length[2]);
  if (!Number.isNaN(n)) return n;
  const wide = cx.bigInteger(2);
  if (wide === INT64_MIN) throw COUNT_RANGE;
  if (withValues && (wide > PAIRS_MAX || wide < -PAIRS_MAX)) throw OUT_OF_RANGE;
  return Number(wide);
}

/** The hash of argument 1 without fields whose time has come, or 0. */
function hashWithoutExpired(cx: Context): Ref {
  const e = readHash(cx);
  if (e === 0 || cx.engine.keyspace.expiryMode !== ExpiryMode.Delete) return e;
  if (dropExpiredFields(cx.db, e, Number.POSITIVE_INFINITY) === 0) return e;
  noteExpired(cx, e);
  return leave(cx, e);
}

/** Writes the field, and perhaps the value, that `walk` is on: in RESP3 a pair is an array of its own. */
function writeWalk(cx: Context, withValues: boolean): void {
  const { reply } = cx;
  if (withValues && reply.resp3) reply.array(2);
  reply.bulk(walk.field.buf, walk.field.at, walk.field.length);
  if (withValues) reply.bulk(walk.value.buf, walk.value.at, walk.value.length);
}

function writeSize(cx: Context, count: number, withValues: boolean): void {
  cx.reply.array(withValues && !cx.reply.resp3 ? count * 2 : count);
}

/** HRANDFIELD. */
function randomFields(cx: Context): void {
  if (cx.argc > 4 || (cx.argc === 4 && !cx.isToken(3, "withvalues"))) {
    readCount(cx, false);
    throw SYNTAX;
  }
  const withValues = cx.argc === 4;
  const count = cx.argc > 2 ? readCount(cx, withValues) : 0;
  const e = hashWithoutExpired(cx);
  if (cx.argc === 2) {
    if (e === 0) {
      cx.reply.nil();
      return;
    }
    hashRandom(cx.arena, e, cx.engine.keyspace.prng, walk);
    writeWalk(cx, false);
    return;
  }
  if (e === 0 || count === 0) cx.reply.array(0);
  else if (count < 0) anyFields(cx, e, -count, withValues);
  else distinctFields(cx, e, count, withValues);
}

/** Random fields, each drawn from all of them. */
function anyFields(cx: Context, e: Ref, count: number, withValues: boolean): void {
  writeSize(cx, count, withValues);
  for (let i = 0; i < count && !cx.reply.overflowed; i++) {
    hashRandom(cx.arena, e, cx.engine.keyspace.prng, walk);
    writeWalk(cx, withValues);
  }
}

/** As many different fields as there are, up to `count`. */
function distinctFields(cx: Context, e: Ref, count: number, withValues: boolean): void {
  const size = hashLength(cx.arena, e);
  const wanted = Math.min(count, size);
  writeSize(cx, wanted, withValues);
  if (wanted * 3 <= size && entryEncoding(cx.arena, e) === Encoding.HashTable) {
    pickFew(cx, e, wanted, withValues);
    return;
  }
  // One walk: each field is taken with the chance that makes all subsets equally likely.
  const { prng } = cx.engine.keyspace;
  walkStart(cx.arena, e, walk);
  for (let left = size, missing = wanted; missing > 0 && walkNext(cx.arena, walk); left--) {
    if (missing < left && prng.below(left) >= missing) continue;
    writeWalk(cx, withValues);
    missing--;
    if (cx.reply.overflowed) return;
  }
}

/** A few different fields of a large table: those that come twice are drawn again. */
function pickFew(cx: Context, e: Ref, wanted: number, withValues: boolean): void {
  const seen = new Set<Ref>();
  while (seen.size < wanted) {
    hashRandom(cx.arena, e, cx.engine.keyspace.prng, walk);
    if (seen.has(walk.place)) continue;
    seen.add(walk.place);
    writeWalk(cx, withValues);
  }
}

/** HSCAN. */
function scan(cx: Context): void {
  const cursor = readCursor(cx, 2);
  const e = readHash(cx);
  if (e === 0) {
    beginLastStep(cx.reply);
    cx.reply.array(0);
    return;
  }
  parseScanOptions(cx, 3, Type.Hash);
  if (entryEncoding(cx.arena, e) === Encoding.HashTable) scanTable(cx, e, cursor);
  else scanAll(cx, e);
}

/** A small hash is scanned in one step. */
function scanAll(cx: Context, e: Ref): void {
  const { reply } = cx;
  beginLastStep(reply);
  const start = reply.beginDeferred();
  let items = 0;
  walkStart(cx.arena, e, walk);
  while (walkNext(cx.arena, walk)) {
    if (walk.expiryMs !== 0 && cx.engine.keyspace.isExpired(walk.expiryMs)) continue;
    if (!scanMatches(cx, walk.field.buf, walk.field.at, walk.field.length)) continue;
    reply.bulk(walk.field.buf, walk.field.at, walk.field.length);
    items++;
    if (scanOptions.namesOnly) continue;
    reply.bulk(walk.value.buf, walk.value.at, walk.value.length);
    items++;
  }
  reply.endDeferred(start, items);
}

/** A step looks at up to this many buckets for each field asked for. */
const BUCKETS_PER_FIELD = 10;

function scanTable(cx: Context, e: Ref, from: number): void {
  const { arena: a, reply } = cx;
  const { keyspace } = cx.engine;
  const { count, namesOnly } = scanOptions;
  const dict = hashDict(a, e);
  picked.count = 0;
  let cursor = from;
  let buckets = count * BUCKETS_PER_FIELD;
  do cursor = dictScan(a, dict, cursor, picked);
  while (cursor !== 0 && buckets-- > 0 && picked.count < count);
  reply.array(2);
  reply.bulkText(String(cursor));
  const start = reply.beginDeferred();
  let items = 0;
  for (let i = 0; i < picked.count; i++) {
    const f = picked.refs[i];
    const expiryMs = fieldExpiry(a, f);
    if (expiryMs !== 0 && keyspace.isExpired(expiryMs)) continue;
    readField(a, f, span);
    if (!scanMatches(cx, span.buf, span.at, span.length)) continue;
    reply.bulk(span.buf, span.at, span.length);
    items++;
    if (namesOnly) continue;
    readFieldValue(a, f, span);
    reply.bulk(span.buf, span.at, span.length);
    items++;
  }
  reply.endDeferred(start, items);
}

export const HASH_SAMPLE_COMMANDS = [
  command({
    name: "hrandfield",
    arity: -2,
    flags: Flag.Readonly,
    since: "6.2.0",
    group: "hash",
    summary: "Answers random fields of a hash.",
    complexity: "O(N) for N fields that are answered.",
    categories: ["hash"],
    keys: [oneKey("RO access")],
    syntax: "key:key options=[count:integer [WITHVALUES]]",
    tips: ["nondeterministic_output"],
    run: randomFields,
  }),
  command({
    name: "hscan",
    arity: -3,
    flags: Flag.Readonly,
    since: "2.8.0",
    group: "hash",
    summary: "Answers some fields of a hash and a cursor with which to go on.",
    complexity: "O(1) a call, O(N) for all N fields.",
    categories: ["hash"],
    keys: [oneKey("RO access")],
    syntax: "key:key cursor:integer [MATCH pattern:pattern] [COUNT count:integer] [NOVALUES]",
    tips: ["nondeterministic_output"],
    run: scan,
  }),
];
