/** SETBIT and GETBIT, and what commands that write bits share: offsets as arguments, and strings that grow to hold them. */
import type { Ref } from "../../arena/arena.ts";
import { parseInt64, parseSafeInteger } from "../../base/int64.ts";
import { Origin } from "../../engine/client/client.ts";
import { type Context, command } from "../../engine/context.ts";
import { Event } from "../../engine/effects.ts";
import { Flag, oneKey } from "../../engine/spec/spec.ts";
import { NO_EXPIRY } from "../../keyspace/database.ts";
import { ReplyError } from "../../resp/errors.ts";
import { Encoding, entryEncoding, entryHasExpiry, Type } from "../../types/entry.ts";
import { ByteSpan, readString, STRING_LENGTH_MAX, stringGrow, stringLength } from "../../types/string.ts";
import { announceNew } from "../string/store.ts";

const BAD_OFFSET = new ReplyError("ERR bit offset is not an integer or out of range");
const BAD_BIT = new ReplyError("ERR bit is not an integer or out of range");
const NUMBER_SIGN = 35;
const EMPTY = new Uint8Array(0);

const span = new ByteSpan();

/**
 * Argument `i` as a bit offset. With a `width` (0: none), "#n" means n times that many bits. Throws when it is no integer, or addresses a byte
 * beyond the longest string; what a primary or the append-only file asks for may be as long as a string can be.
 */
export function bitOffset(cx: Context, i: number, width: number): number {
  const isScaled = width > 0 && cx.length[i] > 0 && cx.buf[cx.start[i]] === NUMBER_SIGN;
  const skip = isScaled ? 1 : 0;
  let offset = parseSafeInteger(cx.buf, cx.start[i] + skip, cx.length[i] - skip);
  if (Number.isNaN(offset)) offset = wideOffset(cx, i, skip, isScaled ? width : 1);
  else if (isScaled) offset *= width;
  if (offset < 0) throw BAD_OFFSET;
  const { origin } = cx.client;
  const obeys = origin === Origin.Primary || origin === Origin.Aof;
  const bytesMax = obeys ? STRING_LENGTH_MAX : Math.min(cx.engine.config.values.protoMaxBulkLen, STRING_LENGTH_MAX);
  if (Math.floor(offset / 8) >= bytesMax) throw BAD_OFFSET;
  return offset;
}

/** An offset beyond 2^53, which only multiplication modulo 2^64 may bring back into range. */
function wideOffset(cx: Context, i: number, skip: number, factor: number): number {
  const big = parseInt64(cx.buf, cx.start[i] + skip, cx.length[i] - skip);
  if (big === null) throw BAD_OFFSET;
  return Number(BigInt.asIntN(64, big * BigInt(factor)));
}

/**
 * Makes the string in argument 1, whose entry `e` (or 0) was just looked up, a raw one of at least `length` bytes and points `out` at it. True
 * when it is new or became longer.
 */
export function growBitmap(cx: Context, e: Ref, length: number, out: ByteSpan): boolean {
  const a = cx.arena;
  let target = e;
  if (e === 0) {
    announceNew(cx, 1);
    target = cx.db.putString(0, cx.buf, cx.start[1], cx.length[1], EMPTY, 0, 0, NO_EXPIRY, false);
  }
  const old = stringLength(a, target);
  if (old < length || entryEncoding(a, target) !== Encoding.Raw) {
    const hash = cx.db.hash;
    const grown = stringGrow(a, target, Math.max(old, length), entryHasExpiry(a, target));
    cx.db.replaceBlock(target, grown, hash);
    target = grown;
  }
  readString(a, target, out);
  return e === 0 || old < length;
}

function setBit(cx: Context): void {
  const offset = bitOffset(cx, 2, 0);
  const bit = parseSafeInteger(cx.buf, cx.start[3], cx.length[3]);
  if (bit !== 0 && bit !== 1) throw BAD_BIT;
  const e = cx.lookupWrite(1);
  cx.requireType(e, Type.String);
  const byte = Math.floor(offset / 8);
  const grew = growBitmap(cx, e, byte + 1, span);
  const at = span.at + byte;
  const shift = 7 - (offset % 8);
  const old = (span.buf[at] >> shift) & 1;
  if (grew || old !== bit) {
    span.buf[at] = (span.buf[at] & ~(1 << shift)) | (bit << shift);
    cx.changed(1, Event.String, "setbit");
  }
  span.buf = EMPTY;
  cx.reply.integer(old);
}

function getBit(cx: Context): void {
  const offset = bitOffset(cx, 2, 0);
  const e = cx.lookupRead(1);
  cx.requireType(e, Type.String);
  let bit = 0;
  if (e !== 0) {
    readString(cx.arena, e, span);
    const byte = Math.floor(offset / 8);
    if (byte < span.length) bit = (span.buf[span.at + byte] >> (7 - (offset % 8))) & 1;
    span.buf = EMPTY;
  }
  cx.reply.integer(bit);
}

export const BIT_COMMANDS = [
  command({
    name: "setbit",
    arity: 4,
    flags: Flag.Write | Flag.DenyOom,
    since: "2.2.0",
    group: "bitmap",
    summary:
      "Sets or clears one bit of the string that a key holds and answers what it was; the string grows as needed.",
    complexity: "O(1)",
    categories: ["bitmap"],
    keys: [oneKey("RW access update")],
    syntax: "key:key offset:integer value:integer",
    run: setBit,
  }),
  command({
    name: "getbit",
    arity: 3,
    flags: Flag.Readonly | Flag.Fast,
    since: "2.2.0",
    group: "bitmap",
    summary: "Answers one bit of the string that a key holds; bits beyond its end are 0.",
    complexity: "O(1)",
    categories: ["bitmap"],
    keys: [oneKey("RO access")],
    syntax: "key:key offset:integer",
    run: getBit,
  }),
];
