/**
 * The grammar of a floating-point number as strtod and strtold read it, over bytes, demanding that the whole range be
 * the number:
 *
 *   [+-] ( digits [. digits] [e [+-] digits]             at least one digit before or after the point
 *        | 0x hexdigits [. hexdigits] [p [+-] digits]
 *        | inf | infinity )                              letters in either case
 *
 * No white space. NaN in any spelling counts as invalid, since Redis accepts none. {@link scanFloatText} leaves what
 * it found in {@link scanned}: one record, overwritten by the next scan, so that scanning allocates nothing.
 */

import { hexValue } from "./hex.ts";

/** What kind of number a text is. */
export const FloatKind = { Invalid: 0, Decimal: 1, Hexadecimal: 2, Infinite: 3 } as const;
/** One of {@link FloatKind}. */
export type FloatKind = (typeof FloatKind)[keyof typeof FloatKind];

/** Significant digits that {@link scanned}.mantissa takes in before it stops. */
export const MANTISSA_DIGITS_MAX = 16;
/** An exponent field is not counted beyond this: far outside every format, and exact as a double. */
const EXPONENT_MAX = 1e15;

/** The result of the latest scan. */
export const scanned = {
  negative: false,
  /** Significant digits: leading zeros not counted, trailing ones counted. Zero for the number zero. */
  digitCount: 0,
  /** Decimal: the first MANTISSA_DIGITS_MAX significant digits as an integer (below 10^16). */
  mantissa: 0,
  /** Power of ten (decimal) or of two (hexadecimal) by which the integer made of all the digits is multiplied. */
  exponent: 0,
  /** Offsets of the digits (a point may be among them): `[digitsStart, digitsEnd)`. */
  digitsStart: 0,
  digitsEnd: 0,
};

/** Reads `buf[offset, offset + length)` as one number. */
export function scanFloatText(buf: Uint8Array, offset: number, length: number): FloatKind {
  const end = offset + length;
  let at = offset;
  scanned.negative = false;
  if (at < end && (buf[at] === 45 || buf[at] === 43)) {
    scanned.negative = buf[at] === 45;
    at++;
  }
  if (at >= end) return FloatKind.Invalid;
  if ((buf[at] | 32) === 105) return isInfinityWord(buf, at, end) ? FloatKind.Infinite : FloatKind.Invalid;
  if (buf[at] === 48 && at + 1 < end && (buf[at + 1] | 32) === 120) return scanHexadecimal(buf, at + 2, end);
  return scanDecimal(buf, at, end);
}

function isInfinityWord(buf: Uint8Array, at: number, end: number): boolean {
  const word = "infinity";
  const length = end - at;
  if (length !== 3 && length !== 8) return false;
  for (let i = 0; i < length; i++) {
    if ((buf[at + i] | 32) !== word.charCodeAt(i)) return false;
  }
  return true;
}

function scanDecimal(buf: Uint8Array, start: number, end: number): FloatKind {
  let at = start;
  let mantissa = 0;
  let digitCount = 0;
  let pointAt = -1;
  for (; at < end; at++) {
    const digit = buf[at] - 48;
    if (digit >= 0 && digit <= 9) {
      if (digitCount < MANTISSA_DIGITS_MAX) mantissa = mantissa * 10 + digit;
      if (digitCount > 0 || digit > 0) digitCount++;
    } else if (digit === -2 && pointAt < 0) {
      pointAt = at;
    } else {
      break;
    }
  }
  if (at - start === (pointAt < 0 ? 0 : 1)) return FloatKind.Invalid;
  scanned.mantissa = mantissa;
  scanned.digitCount = digitCount;
  scanned.digitsStart = start;
  scanned.digitsEnd = at;
  scanned.exponent = pointAt < 0 ? 0 : pointAt + 1 - at;
  if (at === end) return FloatKind.Decimal;
  return (buf[at] | 32) === 101 && scanExponent(buf, at + 1, end) ? FloatKind.Decimal : FloatKind.Invalid;
}

function scanHexadecimal(buf: Uint8Array, start: number, end: number): FloatKind {
  let at = start;
  let digitCount = 0;
  let pointAt = -1;
  for (; at < end; at++) {
    const digit = hexValue(buf[at]);
    if (digit >= 0) {
      if (digitCount > 0 || digit > 0) digitCount++;
    } else if (buf[at] === 46 && pointAt < 0) {
      pointAt = at;
    } else {
      break;
    }
  }
  if (at - start === (pointAt < 0 ? 0 : 1)) return FloatKind.Invalid;
  scanned.digitCount = digitCount;
  scanned.digitsStart = start;
  scanned.digitsEnd = at;
  scanned.exponent = pointAt < 0 ? 0 : 4 * (pointAt + 1 - at);
  if (at === end) return FloatKind.Hexadecimal;
  return (buf[at] | 32) === 112 && scanExponent(buf, at + 1, end) ? FloatKind.Hexadecimal : FloatKind.Invalid;
}

/** Adds the exponent field, which must reach to the end, to `scanned.exponent`. */
function scanExponent(buf: Uint8Array, at: number, end: number): boolean {
  let negative = false;
  if (at < end && (buf[at] === 45 || buf[at] === 43)) {
    negative = buf[at] === 45;
    at++;
  }
  if (at >= end) return false;
  let value = 0;
  for (; at < end; at++) {
    const digit = buf[at] - 48;
    if (digit < 0 || digit > 9) return false;
    value = Math.min(value * 10 + digit, EXPONENT_MAX);
  }
  scanned.exponent += negative ? -value : value;
  return true;
}

/** Hexadecimal digits that {@link hexMantissa} reads: enough for 64 bits and a rounding bit. */
const HEX_DIGITS_READ = 20;

/**
 * The digits of the hexadecimal number just scanned as one integer, and in `scanned.exponent` the power of two that
 * goes with it. Digits beyond HEX_DIGITS_READ only matter to rounding: they are folded into the lowest bit.
 */
export function hexMantissa(buf: Uint8Array): bigint {
  let mantissa = 0n;
  let taken = 0;
  let dropped = 0;
  let sticky = false;
  for (let at = scanned.digitsStart; at < scanned.digitsEnd; at++) {
    const digit = hexValue(buf[at]);
    if (digit < 0 || (taken === 0 && digit === 0)) continue;
    if (taken < HEX_DIGITS_READ) {
      mantissa = (mantissa << 4n) | BigInt(digit);
      taken++;
    } else {
      sticky ||= digit > 0;
      dropped++;
    }
  }
  scanned.exponent += 4 * dropped - 1;
  return (mantissa << 1n) | (sticky ? 1n : 0n);
}

/** Number of bits of a non-negative integer: 0 for 0. */
export function bitLength(n: bigint): number {
  if (n < 0x100000000n) return 32 - Math.clz32(Number(n));
  const hex = n.toString(16);
  return 4 * hex.length - (Math.clz32(Number.parseInt(hex[0], 16)) - 28);
}

/** `n / 2^count` for n >= 0, rounded to the nearest integer, ties to even. */
export function shiftRightRounded(n: bigint, count: number): bigint {
  if (count <= 0) return n;
  const shift = BigInt(count);
  const quotient = n >> shift;
  const rest = n - (quotient << shift);
  const half = 1n << (shift - 1n);
  return rest > half || (rest === half && (quotient & 1n) === 1n) ? quotient + 1n : quotient;
}
