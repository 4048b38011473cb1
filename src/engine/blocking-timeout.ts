/** The timeout argument of blocking commands, and its errors. */
import { parseDouble } from "../base/float.ts";
import { parseLongDouble } from "../base/long-double.ts";
import { TIMEOUT_NEGATIVE, TIMEOUT_NOT_A_FLOAT, TIMEOUT_NOT_AN_INTEGER, TIMEOUT_OUT_OF_RANGE } from "../resp/errors.ts";
import type { Context } from "./context.ts";

/** The largest deadline that an int64 of milliseconds holds. */
const MS_MAX = 2 ** 63;

/** Argument `i`, seconds as a float, in whole milliseconds, rounded up; 0: for ever. */
export function timeoutFromSeconds(cx: Context, i: number): number {
  let seconds = parseDouble(cx.buf, cx.start[i], cx.length[i]);
  if (Number.isNaN(seconds)) {
    // Redis reads a long double, whose range is wider.
    const wide = parseLongDouble(cx.buf, cx.start[i], cx.length[i]);
    if (wide === null || wide.kind !== "finite") throw TIMEOUT_NOT_A_FLOAT;
    const magnitude = wide.exponent > 0 ? Number.POSITIVE_INFINITY : Number.MIN_VALUE;
    seconds = wide.negative ? -magnitude : magnitude;
  }
  return checked(cx, Math.ceil(seconds * 1000));
}

/** Argument `i`, whole milliseconds; 0: for ever. */
export function timeoutFromMs(cx: Context, i: number): number {
  return checked(cx, Number(cx.bigInteger(i, TIMEOUT_NOT_AN_INTEGER)));
}

function checked(cx: Context, ms: number): number {
  if (ms < 0) throw TIMEOUT_NEGATIVE;
  if (ms >= MS_MAX - cx.nowMs) throw TIMEOUT_OUT_OF_RANGE;
  return ms;
}
