/**
 * The arguments of commands about the times of fields: `FIELDS numfields field ...`, and times. What is found is left in `fields` and `time`, one record
 * each, overwritten by the next call.
 */
import { parseSafeInteger } from "../../base/int64.ts";
import type { Context } from "../../engine/context.ts";
import { ExpiryMode } from "../../keyspace/key-rules.ts";
import { invalidExpire, ReplyError, wrongArity } from "../../resp/errors.ts";

/** Times of fields end here: 46 bits of milliseconds. */
const TIME_MAX_MS = 2 ** 46 - 1;

const NEGATIVE_TIME = new ReplyError("ERR invalid expire time, must be >= 0");
const NO_FIELDS = new ReplyError("ERR Mandatory argument FIELDS is missing or not at the right position");
const COUNT_MISMATCH = new ReplyError("ERR The `numfields` parameter must match the number of arguments");
/** What a number of fields that is none is answered with, by HTTL and others, and by HEXPIRE and others. */
export const NOT_A_COUNT = new ReplyError("ERR Number of fields must be a positive integer");
export const NOT_ABOVE_ZERO = new ReplyError("ERR Parameter `numFields` should be greater than 0");

/** Where the fields stand that the latest call found: arguments from `from` up to, not including, `to`. */
export const fields = { from: 0, to: 0 };

/** A number of fields in argument `i`, 1 or more: what is beyond 2^53 counts as infinite. Throws `error` otherwise. */
export function readFieldCount(cx: Context, i: number, error: ReplyError): number {
  const n = parseSafeInteger(cx.buf, cx.start[i], cx.length[i]);
  if (n >= 1) return n;
  if (Number.isNaN(n) && cx.bigInteger(i, error) > 0n) return Number.POSITIVE_INFINITY;
  throw error;
}

/**
 * Reads `FIELDS numfields field ...` at argument `at`; the fields must be the rest of the arguments, except that `trailing` may allow for one more
 * argument behind them.
 */
export function readFields(cx: Context, at: number, countError: ReplyError, trailing?: (i: number) => boolean): void {
  if (at >= cx.argc || !cx.isToken(at, "fields")) throw NO_FIELDS;
  if (at + 1 === cx.argc) throw wrongArity(cx.spec.fullName);
  const count = readFieldCount(cx, at + 1, countError);
  fields.from = at + 2;
  fields.to = fields.from + count;
  if (fields.to === cx.argc) return;
  if (fields.to === cx.argc - 1 && trailing?.(fields.to)) return;
  throw COUNT_MISMATCH;
}

/** Argument `i` as a time, in units of `unitMs` from `baseMs` on: Unix time in ms. */
export function readFieldTime(cx: Context, i: number, unitMs: number, baseMs: number): number {
  const n = parseSafeInteger(cx.buf, cx.start[i], cx.length[i]);
  if (Number.isNaN(n) && cx.bigInteger(i) > 0n) throw invalidExpire(cx.spec.fullName);
  if (!(n >= 0)) throw NEGATIVE_TIME;
  if (n > TIME_MAX_MS / unitMs || n * unitMs > TIME_MAX_MS - baseMs) throw invalidExpire(cx.spec.fullName);
  return n * unitMs + baseMs;
}

/** True when a field that gets this time is to be deleted at once: it has passed, and nobody else decides about expiry. */
export function isPastTime(cx: Context, ms: number): boolean {
  return ms <= cx.nowMs && cx.engine.keyspace.expiryMode === ExpiryMode.Delete;
}
