/** Walking the keys of a database: SCAN and KEYS. The options of SCAN are those of its relatives for hashes, sets and sorted sets. */
import { globMatch } from "../../base/glob.ts";
import { parseSafeInteger } from "../../base/int64.ts";
import { type Context, command } from "../../engine/context.ts";
import { Flag } from "../../engine/spec/spec.ts";
import { ExpiryMode } from "../../keyspace/key-rules.ts";
import { INVALID_CURSOR, ReplyError, SYNTAX } from "../../resp/errors.ts";
import type { ReplyWriter } from "../../resp/writer.ts";
import { RefList } from "../../struct/dict/dict.ts";
import {
  entryExpiry,
  entryHasExpiry,
  entryKeyAt,
  entryKeyBuffer,
  entryKeyLength,
  entryType,
  TYPE_NAMES,
  Type,
} from "../../types/entry.ts";

const CURSOR_MAX = 18446744073709551615n;
const COUNT_DEFAULT = 10;
/** A step looks at up to this many buckets for each key asked for: a sparse table must not block. */
const BUCKETS_PER_KEY = 10;
const COUNT_MAX = 9223372036854775807n;

const NOVALUES_ELSEWHERE = new ReplyError("ERR NOVALUES option can only be used in HSCAN");
const NOSCORES_ELSEWHERE = new ReplyError("ERR NOSCORES option can only be used in ZSCAN");

/** What the latest parseScanOptions found. `patternArg`: the argument with the pattern, 0 when everything matches; `type`: -1 for any. */
export const scanOptions = { count: COUNT_DEFAULT, patternArg: 0, type: -1, namesOnly: false };

/** Begins the answer of a scan that ends with this step: cursor 0; the array of what was found is still to be written. */
export function beginLastStep(reply: ReplyWriter): void {
  reply.array(2);
  reply.bulkText("0");
}

/** Parses the options from argument `from` on. `type` is the type of the container that is scanned, or -1 for the keyspace. */
export function parseScanOptions(cx: Context, from: number, type: number): void {
  scanOptions.count = COUNT_DEFAULT;
  scanOptions.patternArg = 0;
  scanOptions.type = -1;
  scanOptions.namesOnly = false;
  for (let i = from; i < cx.argc; i++) {
    const more = i + 1 < cx.argc;
    if (more && cx.isToken(i, "count")) {
      scanOptions.count = readCount(cx, ++i);
    } else if (more && cx.isToken(i, "match")) {
      i++;
      scanOptions.patternArg = cx.isToken(i, "*") ? 0 : i;
    } else if (more && type < 0 && cx.isToken(i, "type")) {
      scanOptions.type = readType(cx, ++i);
    } else if (cx.isToken(i, "novalues")) {
      if (type !== Type.Hash) throw NOVALUES_ELSEWHERE;
      scanOptions.namesOnly = true;
    } else if (cx.isToken(i, "noscores")) {
      if (type !== Type.Zset) throw NOSCORES_ELSEWHERE;
      scanOptions.namesOnly = true;
    } else {
      throw SYNTAX;
    }
  }
}

function readCount(cx: Context, i: number): number {
  const count = parseSafeInteger(cx.buf, cx.start[i], cx.length[i]);
  if (count >= 1) return count;
  if (count < 1) throw SYNTAX;
  const wide = cx.bigInteger(i);
  if (wide < 1n) throw SYNTAX;
  return Number(wide < COUNT_MAX ? wide : COUNT_MAX);
}

function readType(cx: Context, i: number): number {
  const name = cx.text(i);
  const type = TYPE_NAMES.indexOf(name.toLowerCase());
  if (type < 0 || type === Type.Module) throw new ReplyError(`ERR unknown type name '${name.split("\0", 1)[0]}'`);
  return type;
}

/** True when the pattern of the latest options matches the name. */
export function scanMatches(cx: Context, buf: Uint8Array, at: number, length: number): boolean {
  const i = scanOptions.patternArg;
  return i === 0 || globMatch(cx.buf, cx.start[i], cx.length[i], buf, at, length, false);
}

/** Argument `i` as a cursor for dictScan: an unsigned 64-bit number, of which the dict's cursors are the low 32 bits. */
export function readCursor(cx: Context, i: number): number {
  const n = parseSafeInteger(cx.buf, cx.start[i], cx.length[i]);
  if (n >= 0) return n | 0;
  const match = /^[\t-\r ]*([+-]?)(\d+)$/.exec(cx.text(i));
  // A number that C would have printed differently goes through C's lenient parser, where even a sign is fine.
  if (n < 0 || match === null) throw INVALID_CURSOR;
  const magnitude = BigInt(match[2]);
  if (magnitude > CURSOR_MAX || /^-[1-9]/.test(match[0])) throw INVALID_CURSOR;
  return Number(BigInt.asIntN(32, match[1] === "-" ? -magnitude : magnitude));
}

const found = new RefList();

function scan(cx: Context): void {
  let cursor = readCursor(cx, 1);
  parseScanOptions(cx, 2, -1);
  const { count, type } = scanOptions;
  const { arena: a, db, reply } = cx;
  const ks = cx.engine.keyspace;
  found.count = 0;
  let buckets = count * BUCKETS_PER_KEY;
  do cursor = db.scan(cursor, found);
  while (cursor !== 0 && buckets-- > 0 && found.count < count);

  reply.array(2);
  reply.bulkText(String(cursor));
  const start = reply.beginDeferred();
  let keys = 0;
  for (let i = 0; i < found.count; i++) {
    const e = found.refs[i];
    if (type >= 0 && entryType(a, e) !== type) continue;
    const buf = entryKeyBuffer(a, e);
    const at = entryKeyAt(a, e);
    const length = entryKeyLength(a, e);
    if (!scanMatches(cx, buf, at, length)) continue;
    if (entryHasExpiry(a, e) && ks.isExpired(entryExpiry(a, e))) {
      if (ks.expiryMode === ExpiryMode.Delete) db.expire(e, db.hashOf(e));
      continue;
    }
    reply.bulk(buf, at, length);
    keys++;
  }
  reply.endDeferred(start, keys);
}

function keys(cx: Context): void {
  const { arena: a, buf: pattern, db, reply } = cx;
  const ks = cx.engine.keyspace;
  const patternAt = cx.start[1];
  const patternLength = cx.length[1];
  const all = cx.isToken(1, "*");
  const start = reply.beginDeferred();
  let count = 0;
  let cursor = 0;
  do {
    found.count = 0;
    cursor = db.scan(cursor, found);
    for (let i = 0; i < found.count; i++) {
      const e = found.refs[i];
      const buf = entryKeyBuffer(a, e);
      const at = entryKeyAt(a, e);
      const length = entryKeyLength(a, e);
      if (!all && !globMatch(pattern, patternAt, patternLength, buf, at, length, false)) continue;
      if (entryHasExpiry(a, e) && ks.isExpired(entryExpiry(a, e))) continue;
      reply.bulk(buf, at, length);
      count++;
    }
  } while (cursor !== 0);
  reply.endDeferred(start, count);
}

export const SCAN_COMMANDS = [
  command({
    name: "scan",
    arity: -2,
    flags: Flag.Readonly | Flag.AllKeys,
    since: "2.8.0",
    group: "generic",
    summary: "Answers some keys of the database and a cursor with which to go on.",
    complexity: "O(1) a call, O(N) for all N keys.",
    categories: ["keyspace"],
    syntax: "cursor:integer [MATCH pattern:pattern] [COUNT count:integer] [TYPE type@6.0.0]",
    tips: ["nondeterministic_output", "request_policy:special", "response_policy:special"],
    history: [["6.0.0", "The option `TYPE`."]],
    run: scan,
  }),
  command({
    name: "keys",
    arity: 2,
    flags: Flag.Readonly | Flag.AllKeys,
    since: "1.0.0",
    group: "generic",
    summary: "Answers all keys that match a pattern.",
    complexity: "O(N) for N keys in the database.",
    categories: ["keyspace", "dangerous"],
    syntax: "pattern:pattern",
    tips: ["request_policy:all_shards", "nondeterministic_output_order"],
    run: keys,
  }),
];
