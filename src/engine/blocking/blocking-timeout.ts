/** The timeout argument of blocking commands, and its errors. */
import { parseDouble } from "../../base/float.ts";
import { parseInt64 } from "../../base/int64.ts";
import { parseLongDouble } from "../../base/long-double.ts";
import {
  TIMEOUT_NEGATIVE,
  TIMEOUT_NOT_A_FLOAT,
  TIMEOUT_NOT_AN_INTEGER,
  TIMEOUT_OUT_OF_RANGE,
} from "../../resp/errors.ts";

/** The largest deadline that an int64 of milliseconds holds. */
const MS_MAX = 2 ** 63;

/** Seconds as a float, in whole milliseconds, rounded up; 0: for ever. Throws a ReplyError; `nowMs` counts, since the deadline must be an int64. */
export function timeoutFromSeconds(buf: Uint8Array, at: number, length: number, nowMs: number): number {
  let seconds = parseDouble(buf, at, length);
  if (Number.isNaN(seconds)) {
    // Redis reads a long double, whose range is wider.
    const wide = parseLongDouble(buf, at, length);
    if (wide === null || wide.kind !== "finite") throw TIMEOUT_NOT_A_FLOAT;
    const magnitude = wide.exponent > 0 ? Number.POSITIVE_INFINITY : Number.MIN_VALUE;
    seconds = wide.negative ? -magnitude : magnitude;
  }
  return checked(Math.ceil(seconds * 1000), nowMs);
}

/** Whole milliseconds; 0: for ever. Throws a ReplyError. */
export function timeoutFromMs(buf: Uint8Array, at: number, length: number, nowMs: number): number {
  const ms = parseInt64(buf, at, length);
  if (ms === null) throw TIMEOUT_NOT_AN_INTEGER;
  return checked(Number(ms), nowMs);
}

function checked(ms: number, nowMs: number): number {
  if (ms < 0) throw TIMEOUT_NEGATIVE;
  if (ms >= MS_MAX - nowMs) throw TIMEOUT_OUT_OF_RANGE;
  return ms;
}
