/** INCR and its relatives: strings as numbers. */

import type { Ref } from "../../arena/arena.ts";
import { SEGMENT_SHIFT } from "../../arena/arena.ts";
import { copyOf, latin1Bytes } from "../../base/bytes.ts";
import {
  bigIntHigh,
  bigIntLow,
  int64High,
  int64Low,
  int64ToBigInt,
  parseInt64,
  parseSafeInteger,
  writeInt64,
  writeInteger,
} from "../../base/int64.ts";
import {
  addLongDouble,
  addShortDecimals,
  formatLongDouble,
  isFiniteLongDouble,
  parseLongDouble,
} from "../../base/long-double.ts";
import { type Context, command } from "../../engine/context.ts";
import { Event } from "../../engine/effects.ts";
import { Flag, oneKey } from "../../engine/spec/spec.ts";
import { KEEP_EXPIRY } from "../../keyspace/database.ts";
import { NAN_OR_INFINITY, NOT_A_FLOAT, NOT_AN_INTEGER, OVERFLOW, ReplyError } from "../../resp/errors.ts";
import { Encoding, entryEncoding, Type, valueWord } from "../../types/entry.ts";
import { ByteSpan, readString, setStringInt, stringIntValue } from "../../types/string.ts";
import { announceNew } from "./store.ts";

const DECREMENT_OVERFLOW = new ReplyError("ERR decrement would overflow");
const INT64_MAX = 9223372036854775807n;
const INT64_MIN = -9223372036854775808n;
const ZERO = new Uint8Array([48]);

const span = new ByteSpan();
/** Decimal forms are made here: 20 bytes are enough for an int64, and for what addShortDecimals writes. */
const digits = new Uint8Array(32);

/** Adds a safe integer to the key in argument 1. */
function addInteger(cx: Context, delta: number): void {
  const e = cx.lookupWrite(1);
  const sum = numberOf(cx, e) + delta;
  // A sum that is not safe, or not a number because the value is not safe or not an integer, takes the exact way.
  if (!(sum <= Number.MAX_SAFE_INTEGER && sum >= Number.MIN_SAFE_INTEGER)) {
    addBigInteger(cx, e, BigInt(delta));
    return;
  }
  if (e !== 0 && entryEncoding(cx.arena, e) === Encoding.Int) {
    setStringInt(cx.arena, e, int64Low(sum), int64High(sum));
    cx.changed(1, Event.String, "incrby");
  } else {
    storeDigits(cx, e, digits, writeInteger(digits, 0, sum), "incrby", false);
  }
  cx.reply.integer(sum);
}

/** The safe integer that an entry holds; 0 for no entry, NaN when it is another string. Throws when it is no string. */
function numberOf(cx: Context, e: Ref): number {
  if (e === 0) return 0;
  cx.requireType(e, Type.String);
  if (entryEncoding(cx.arena, e) === Encoding.Int) return stringIntValue(cx.arena, e);
  readString(cx.arena, e, span);
  return parseSafeInteger(span.buf, span.at, span.length);
}

function addBigInteger(cx: Context, e: Ref, delta: bigint): void {
  const sum = bigIntegerOf(cx, e) + delta;
  if (sum > INT64_MAX || sum < INT64_MIN) throw OVERFLOW;
  if (e !== 0 && entryEncoding(cx.arena, e) === Encoding.Int) {
    setStringInt(cx.arena, e, bigIntLow(sum), bigIntHigh(sum));
    cx.changed(1, Event.String, "incrby");
  } else {
    storeDigits(cx, e, digits, writeInt64(digits, 0, sum), "incrby", false);
  }
  cx.reply.bigInteger(sum);
}

function bigIntegerOf(cx: Context, e: Ref): bigint {
  if (e === 0) return 0n;
  if (entryEncoding(cx.arena, e) === Encoding.Int) {
    const words = cx.arena.i32[e >>> SEGMENT_SHIFT];
    const at = valueWord(cx.arena, e);
    return int64ToBigInt(words[at], words[at + 1]);
  }
  readString(cx.arena, e, span);
  const value = parseInt64(span.buf, span.at, span.length);
  if (value === null) throw NOT_AN_INTEGER;
  return value;
}

/** Stores a number's decimal form, keeping the key's expiry, and reports it as `event`. */
function storeDigits(cx: Context, e: Ref, bytes: Uint8Array, length: number, event: string, asBytes: boolean): void {
  if (e === 0) announceNew(cx, 1);
  cx.db.putString(e, cx.buf, cx.start[1], cx.length[1], bytes, 0, length, KEEP_EXPIRY, false, asBytes);
  cx.changed(1, Event.String, event);
}

/** Adds the integer in argument 2, times `sign`. */
function addArgument(cx: Context, sign: 1 | -1): void {
  const delta = parseSafeInteger(cx.buf, cx.start[2], cx.length[2]);
  if (!Number.isNaN(delta)) {
    addInteger(cx, sign * delta);
    return;
  }
  const big = cx.bigInteger(2);
  if (sign < 0 && big === INT64_MIN) throw DECREMENT_OVERFLOW;
  const e = cx.lookupWrite(1);
  cx.requireType(e, Type.String);
  addBigInteger(cx, e, sign < 0 ? -big : big);
}

/** INCRBYFLOAT. The result is kept as it is printed, even when it spells an integer, and propagated as a value: arithmetic may differ elsewhere. */
function addFloat(cx: Context): void {
  const e = cx.lookupWrite(1);
  cx.requireType(e, Type.String);
  if (e === 0) {
    span.buf = ZERO;
    span.at = 0;
    span.length = 1;
  } else {
    readString(cx.arena, e, span);
  }
  let sum = digits;
  let length = addShortDecimals(digits, 0, span.buf, span.at, span.length, cx.buf, cx.start[2], cx.length[2]);
  if (length < 0) {
    sum = addLongDoubles(cx);
    length = sum.length;
  }
  storeDigits(cx, e, sum, length, "incrbyfloat", true);
  if (cx.propagates) cx.propagateAs(["SET", cx.bytes(1), copyOf(sum, 0, length), "KEEPTTL"]);
  cx.reply.bulk(sum, 0, length);
}

/** The sum of the value in `span` and argument 2, printed. */
function addLongDoubles(cx: Context): Uint8Array<ArrayBuffer> {
  const value = parseLongDouble(span.buf, span.at, span.length);
  if (value === null) throw NOT_A_FLOAT;
  const increment = parseLongDouble(cx.buf, cx.start[2], cx.length[2]);
  if (increment === null) throw NOT_A_FLOAT;
  const sum = addLongDouble(value, increment);
  if (!isFiniteLongDouble(sum)) throw NAN_OR_INFINITY;
  return new Uint8Array(latin1Bytes(formatLongDouble(sum)));
}

const COUNTER = {
  flags: Flag.Write | Flag.DenyOom | Flag.Fast,
  group: "string",
  complexity: "O(1)",
  categories: ["string"],
  keys: [oneKey("RW access update")],
} as const;

export const COUNTER_COMMANDS = [
  command({
    ...COUNTER,
    name: "incr",
    arity: 2,
    since: "1.0.0",
    summary: "Adds one to the integer that a key holds; a key that does not exist counts as 0.",
    syntax: "key:key",
    run(cx) {
      addInteger(cx, 1);
    },
  }),
  command({
    ...COUNTER,
    name: "decr",
    arity: 2,
    since: "1.0.0",
    summary: "Subtracts one from the integer that a key holds; a key that does not exist counts as 0.",
    syntax: "key:key",
    run(cx) {
      addInteger(cx, -1);
    },
  }),
  command({
    ...COUNTER,
    name: "incrby",
    arity: 3,
    since: "1.0.0",
    summary: "Adds to the integer that a key holds; a key that does not exist counts as 0.",
    syntax: "key:key increment:integer",
    run(cx) {
      addArgument(cx, 1);
    },
  }),
  command({
    ...COUNTER,
    name: "decrby",
    arity: 3,
    since: "1.0.0",
    summary: "Subtracts from the integer that a key holds; a key that does not exist counts as 0.",
    syntax: "key:key decrement:integer",
    run(cx) {
      addArgument(cx, -1);
    },
  }),
  command({
    ...COUNTER,
    name: "incrbyfloat",
    arity: 3,
    since: "2.6.0",
    summary: "Adds to the number that a key holds; a key that does not exist counts as 0.",
    syntax: "key:key increment:double",
    run: addFloat,
  }),
];
