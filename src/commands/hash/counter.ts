/** HINCRBY and HINCRBYFLOAT: fields as numbers. A field keeps its time to live. */
import type { Ref } from "../../arena/arena.ts";
import { copyOf, latin1Bytes } from "../../base/bytes.ts";
import { parseInt64, parseSafeInteger, writeInt64, writeInteger } from "../../base/int64.ts";
import {
  addLongDouble,
  addShortDecimals,
  formatLongDouble,
  isFiniteLongDouble,
  type LongDouble,
  parseLongDouble,
} from "../../base/long-double.ts";
import { type Context, command } from "../../engine/context.ts";
import { Flag, oneKey } from "../../engine/spec/spec.ts";
import { NAN_OR_INFINITY, NOT_A_FLOAT, OVERFLOW, ReplyError } from "../../resp/errors.ts";
import { hashKeepsEncoding, hashReplace, hashSet } from "../../types/hash/hash.ts";
import { changedFields, findLive, hashLimits, newHash, settle, slot, writeHash } from "./access.ts";

const VALUE_NOT_AN_INTEGER = new ReplyError("ERR hash value is not an integer");
const VALUE_NOT_A_FLOAT = new ReplyError("ERR hash value is not a float");
const INCREMENT_NOT_FINITE = new ReplyError("ERR value is NaN or Infinity");
const INT64_MAX = 9223372036854775807n;
const INT64_MIN = -9223372036854775808n;
const ZERO = new Uint8Array([48]);

/** Decimal forms are made here: 20 bytes are enough for an int64, and for what addShortDecimals writes. */
const digits = new Uint8Array(32);

/** Stores a number in the field of argument 2: where findLive `found` it, or as a new field of the hash, which may have to be made (0). */
function store(cx: Context, hash: Ref, found: boolean, bytes: Uint8Array, length: number, event: string): void {
  const e = hash === 0 ? newHash(cx) : hash;
  const limits = hashLimits(cx);
  if (found && hashKeepsEncoding(cx.arena, e, cx.length[2], length, limits))
    hashReplace(cx.arena, e, slot, bytes, 0, length);
  else hashSet(cx.arena, e, cx.buf, cx.start[2], cx.length[2], bytes, 0, length, limits, true);
  changedFields(cx, e, 1, event);
}

/** HINCRBY. */
function addInteger(cx: Context): void {
  const increment = parseSafeInteger(cx.buf, cx.start[3], cx.length[3]);
  if (Number.isNaN(increment)) cx.bigInteger(3);
  let e = writeHash(cx);
  const found = e !== 0 && findLive(cx, e, 2);
  if (e !== 0 && !found) e = settle(cx, e);
  const { value } = slot;
  const sum = (found ? parseSafeInteger(value.buf, value.at, value.length) : 0) + increment;
  // What is no safe integer, or does not add up to one, takes the exact way.
  if (!(sum <= Number.MAX_SAFE_INTEGER && sum >= Number.MIN_SAFE_INTEGER)) {
    addBigInteger(cx, e, found);
    return;
  }
  store(cx, e, found, digits, writeInteger(digits, 0, sum), "hincrby");
  cx.reply.integer(sum);
}

function addBigInteger(cx: Context, e: Ref, found: boolean): void {
  const old = found ? parseInt64(slot.value.buf, slot.value.at, slot.value.length) : 0n;
  if (old === null) throw VALUE_NOT_AN_INTEGER;
  const sum = old + cx.bigInteger(3);
  if (sum > INT64_MAX || sum < INT64_MIN) throw OVERFLOW;
  store(cx, e, found, digits, writeInt64(digits, 0, sum), "hincrby");
  cx.reply.bigInteger(sum);
}

/** Argument 3 as a finite number. */
function floatIncrement(cx: Context): LongDouble {
  const increment = parseLongDouble(cx.buf, cx.start[3], cx.length[3]);
  if (increment === null) throw NOT_A_FLOAT;
  if (!isFiniteLongDouble(increment)) throw INCREMENT_NOT_FINITE;
  return increment;
}

/** HINCRBYFLOAT: propagated as the value that it gives, because arithmetic may differ elsewhere. */
function addFloat(cx: Context): void {
  const increment = floatIncrement(cx);
  let e = writeHash(cx);
  const found = e !== 0 && findLive(cx, e, 2);
  if (e !== 0 && !found) e = settle(cx, e);
  const buf = found ? slot.value.buf : ZERO;
  const at = found ? slot.value.at : 0;
  const size = found ? slot.value.length : 1;
  const expires = found && slot.expiryMs !== 0;
  let sum = digits;
  let length = addShortDecimals(digits, 0, buf, at, size, cx.buf, cx.start[3], cx.length[3]);
  if (length < 0) {
    const old = parseLongDouble(buf, at, size);
    if (old === null) throw VALUE_NOT_A_FLOAT;
    const exact = addLongDouble(old, increment);
    if (!isFiniteLongDouble(exact)) throw NAN_OR_INFINITY;
    sum = new Uint8Array(latin1Bytes(formatLongDouble(exact)));
    length = sum.length;
  }
  store(cx, e, found, sum, length, "hincrbyfloat");
  if (cx.propagates) propagateValue(cx, copyOf(sum, 0, length), expires);
  cx.reply.bulk(sum, 0, length);
}

/** HSET takes a field's time to live away: where there is one, another command must say that it stays. */
function propagateValue(cx: Context, value: Uint8Array, expires: boolean): void {
  if (expires) cx.propagateAs(["HSETEX", cx.bytes(1), "KEEPTTL", "FIELDS", "1", cx.bytes(2), value]);
  else cx.propagateAs(["HSET", cx.bytes(1), cx.bytes(2), value]);
}

export const HASH_COUNTER_COMMANDS = [
  command({
    name: "hincrby",
    arity: 4,
    flags: Flag.Write | Flag.DenyOom | Flag.Fast,
    since: "2.0.0",
    group: "hash",
    summary: "Adds to the integer in a field of a hash; a field that does not exist counts as 0.",
    complexity: "O(1)",
    categories: ["hash"],
    keys: [oneKey("RW access update")],
    syntax: "key:key field increment:integer",
    run: addInteger,
  }),
  command({
    name: "hincrbyfloat",
    arity: 4,
    flags: Flag.Write | Flag.DenyOom | Flag.Fast,
    since: "2.6.0",
    group: "hash",
    summary: "Adds to the number in a field of a hash; a field that does not exist counts as 0.",
    complexity: "O(1)",
    categories: ["hash"],
    keys: [oneKey("RW access update")],
    syntax: "key:key field increment:double",
    run: addFloat,
  }),
];
