/**
 * The option tail that SET, GETEX and MSETEX share. parseOptions leaves what it finds in `options`, and readExpiry in `expiry`: one record each,
 * overwritten by the next call, so that parsing allocates nothing.
 *
 *   NX | XX | IFEQ value | IFNE value | IFDEQ digest | IFDNE digest
 *   GET
 *   EX s | PX ms | EXAT s | PXAT ms | KEEPTTL | PERSIST
 *
 * Of each line one option at most. The same option may be repeated (the last value counts), except the IF ones: Redis is as lenient.
 */

import { bigIntHigh, bigIntLow, int64High, int64Low, parseSafeInteger } from "../../base/int64.ts";
import type { Context } from "../../engine/context.ts";
import { ExpiryMode } from "../../keyspace/key-rules.ts";
import { invalidExpire, SYNTAX } from "../../resp/errors.ts";

/** Option bits. */
export const Opt = {
  Nx: 1 << 0,
  Xx: 1 << 1,
  IfEq: 1 << 2,
  IfNe: 1 << 3,
  IfDeq: 1 << 4,
  IfDne: 1 << 5,
  Get: 1 << 6,
  Ex: 1 << 7,
  Px: 1 << 8,
  Exat: 1 << 9,
  Pxat: 1 << 10,
  KeepTtl: 1 << 11,
  Persist: 1 << 12,
} as const;

/** The options that compare the old value with something. */
export const COMPARISONS = Opt.IfEq | Opt.IfNe | Opt.IfDeq | Opt.IfDne;
/** The options that set an expiry. */
export const EXPIRIES = Opt.Ex | Opt.Px | Opt.Exat | Opt.Pxat;
const CONDITIONS = Opt.Nx | Opt.Xx | COMPARISONS;
const LIFETIMES = EXPIRIES | Opt.KeepTtl | Opt.Persist;

/** What the latest parseOptions found: bits of Opt, and the arguments that hold the expiry and the value to compare with. */
export const options = { flags: 0, expiryArg: 0, matchArg: 0 };

/** Parses the arguments from `from` on as options, of which those in `allowed` are known. Throws a syntax error. */
export function parseOptions(cx: Context, from: number, allowed: number): void {
  let flags = 0;
  for (let i = from; i < cx.argc; i++) {
    const option = optionAt(cx, i);
    if ((option & allowed) === 0 || (flags & rivalsOf(option)) !== 0) throw SYNTAX;
    flags |= option;
    if ((option & (EXPIRIES | COMPARISONS)) === 0) continue;
    if (++i === cx.argc) throw SYNTAX;
    if ((option & EXPIRIES) !== 0) options.expiryArg = i;
    else options.matchArg = i;
  }
  options.flags = flags;
}

/** The option that argument `i` names, or 0. */
export function optionAt(cx: Context, i: number): number {
  switch (cx.length[i]) {
    case 2:
      if (cx.isToken(i, "ex")) return Opt.Ex;
      if (cx.isToken(i, "px")) return Opt.Px;
      if (cx.isToken(i, "nx")) return Opt.Nx;
      return cx.isToken(i, "xx") ? Opt.Xx : 0;
    case 3:
      return cx.isToken(i, "get") ? Opt.Get : 0;
    case 4:
      if (cx.isToken(i, "pxat")) return Opt.Pxat;
      if (cx.isToken(i, "exat")) return Opt.Exat;
      if (cx.isToken(i, "ifeq")) return Opt.IfEq;
      return cx.isToken(i, "ifne") ? Opt.IfNe : 0;
    case 5:
      if (cx.isToken(i, "ifdeq")) return Opt.IfDeq;
      return cx.isToken(i, "ifdne") ? Opt.IfDne : 0;
    case 7:
      if (cx.isToken(i, "keepttl")) return Opt.KeepTtl;
      return cx.isToken(i, "persist") ? Opt.Persist : 0;
    default:
      return 0;
  }
}

/** The options that may not stand beside one. */
function rivalsOf(option: number): number {
  if ((option & LIFETIMES) !== 0) return LIFETIMES & ~option;
  if ((option & COMPARISONS) !== 0) return CONDITIONS;
  return (option & CONDITIONS) !== 0 ? CONDITIONS & ~option : 0;
}

/** The latest expiry read: Unix time in ms, as a number (rounded when it is not exact) and as int64 halves. */
export const expiry = { ms: 0, exact: true, low: 0, high: 0 };

const INT64_MAX = 9223372036854775807n;

/** Reads argument `i` as the expiry of option `unit` (a bit of EXPIRIES) into `expiry`. Throws when it is no integer, not positive, or overflows. */
export function readExpiry(cx: Context, i: number, unit: number): void {
  const n = parseSafeInteger(cx.buf, cx.start[i], cx.length[i]);
  if (n <= 0) throw invalidExpire(cx.spec.fullName);
  let ms = (unit & (Opt.Ex | Opt.Exat)) !== 0 ? n * 1000 : n;
  if ((unit & (Opt.Ex | Opt.Px)) !== 0) ms += cx.nowMs;
  if (!(ms <= Number.MAX_SAFE_INTEGER)) {
    readWideExpiry(cx, i, unit);
    return;
  }
  expiry.ms = ms;
  expiry.exact = true;
  expiry.low = int64Low(ms);
  expiry.high = int64High(ms);
}

/** An expiry beyond 2^53 ms: exact in its halves. */
function readWideExpiry(cx: Context, i: number, unit: number): void {
  let ms = cx.bigInteger(i);
  if ((unit & (Opt.Ex | Opt.Exat)) !== 0) ms *= 1000n;
  if ((unit & (Opt.Ex | Opt.Px)) !== 0 && ms > 0n) ms += BigInt(cx.nowMs);
  if (ms <= 0n || ms > INT64_MAX) throw invalidExpire(cx.spec.fullName);
  expiry.ms = Number(ms);
  expiry.exact = false;
  expiry.low = bigIntLow(ms);
  expiry.high = bigIntHigh(ms);
}

/** The latest expiry in decimal, for propagation. */
export function expiryText(): string {
  return String((BigInt(expiry.high) << 32n) | BigInt(expiry.low >>> 0));
}

/** True when the latest expiry has passed and keys whose time has come are to be deleted here (and not by a primary). */
export function isPastExpiry(cx: Context): boolean {
  return expiry.ms <= cx.nowMs && cx.engine.keyspace.expiryMode === ExpiryMode.Delete;
}
