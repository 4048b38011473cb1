/**
 * Doubles as Redis 7.2 reads and prints them.
 *
 * Printed form: "inf", "-inf", "nan", "0", "-0"; an integer of at most 2^62 in full; otherwise the Grisu2 digits as a
 * plain integer when at most 7 zeros follow them, as a decimal down to six places or to 0.00ddd, else as "1.5e+300",
 * "1e-7" (no padding of the exponent).
 *
 * Read form: see float-text.ts; out-of-range values are refused where the C library reports them (an overflow, or a
 * non-zero number that rounds to zero), and gradual underflow is accepted.
 */

import {
  bitLength,
  FloatKind,
  hexMantissa,
  MANTISSA_DIGITS_MAX,
  scanFloatText,
  scanned,
  shiftRightRounded,
} from "./float-text.ts";
import { grisuDigits, grisuResult, grisuText } from "./grisu.ts";
import { writeInt64Halves, writeInteger } from "./int64.ts";

/** Room that {@link writeDouble} needs at most. */
export const DOUBLE_TEXT_MAX = 32;

const TWO_32 = 4294967296;
const TWO_53 = 9007199254740992;
/** Integers up to here are printed digit by digit. */
const INTEGER_MAX = 2 ** 62;
/** Powers of ten that a double holds exactly. */
const EXACT_TENS = new Float64Array(23);
for (let i = 0, power = 1; i < EXACT_TENS.length; i++, power *= 10) EXACT_TENS[i] = power;

/** Decimal places that are tried before Grisu2. */
const SHORT_PLACES_MAX = 4;
/** 2^-54, and a little less. */
const EDGE = 0.99 / 2 ** 54;

const scratch = Buffer.alloc(64);

/** The printed form of a double. */
export function formatDouble(n: number): string {
  if (Number.isSafeInteger(n) && n !== 0) return String(n);
  return scratch.toString("latin1", 0, writeDouble(scratch, 0, n));
}

/** Writes the printed form of a double at `dst[offset]` (room: DOUBLE_TEXT_MAX); returns the offset after it. */
export function writeDouble(dst: Uint8Array, offset: number, n: number): number {
  if (Number.isSafeInteger(n)) return n === 0 ? writeZero(dst, offset, n) : writeInteger(dst, offset, n);
  if (Number.isNaN(n)) return writeAscii(dst, offset, "nan");
  if (n < 0) {
    if (n === Number.NEGATIVE_INFINITY) return writeAscii(dst, offset, "-inf");
  } else if (n === Number.POSITIVE_INFINITY) {
    return writeAscii(dst, offset, "inf");
  }
  if (n <= INTEGER_MAX && n >= -INTEGER_MAX && Math.floor(n) === n) {
    return writeInt64Halves(dst, offset, n | 0, Math.floor(n / TWO_32) | 0);
  }
  if (n < 0) dst[offset++] = 45;
  const end = writeShortDecimal(dst, offset, Math.abs(n));
  if (end >= 0) return end;
  grisuDigits(n);
  return writeDigits(dst, offset, grisuResult.digitCount, grisuResult.exponent, n < 0);
}

/**
 * Writes a positive n that is a decimal of at most SHORT_PLACES_MAX places and 15 digits; returns -1 for others.
 *
 * Grisu2 finds that decimal too, unless it lies at the very edge of n's rounding interval: decimals of 15 digits are
 * further apart than the interval is wide, so it is the only candidate. The edge is more than n * 2^-54 away from n; the
 * distance is computed without error, by splitting n into two halves of 26 bits.
 */
function writeShortDecimal(dst: Uint8Array, offset: number, n: number): number {
  for (let places = 1; places <= SHORT_PLACES_MAX; places++) {
    const scale = EXACT_TENS[places];
    const product = n * scale;
    const units = Math.round(product);
    if (units > 1e15) return -1;
    if (units / scale !== n) continue;
    const spread = n * 134217729;
    const upper = spread - (spread - n);
    const distance = units - upper * scale - (n - upper) * scale;
    if (Math.abs(distance) > product * EDGE) return -1;
    const integer = Math.floor(units / scale);
    offset = writeInteger(dst, offset, integer);
    // A leading one keeps the zeros after the point; the point then takes its place.
    const end = writeInteger(dst, offset, units - integer * scale + scale);
    dst[offset] = 46;
    return end;
  }
  return -1;
}

function writeZero(dst: Uint8Array, offset: number, n: number): number {
  if (1 / n < 0) dst[offset++] = 45;
  dst[offset] = 48;
  return offset + 1;
}

function writeAscii(dst: Uint8Array, offset: number, text: string): number {
  for (let i = 0; i < text.length; i++) dst[offset++] = text.charCodeAt(i);
  return offset;
}

/** Places the digits of grisuText, an integer times 10^exponent. */
function writeDigits(dst: Uint8Array, offset: number, count: number, exponent: number, negative: boolean): number {
  const magnitude = Math.abs(exponent + count - 1);
  if (exponent >= 0 && magnitude < count + 7) {
    offset = copyDigits(dst, offset, 0, count);
    return writeZeros(dst, offset, exponent);
  }
  if (exponent < 0 && (exponent > -7 || magnitude < 4)) {
    const integerCount = count + exponent;
    if (integerCount > 0) {
      offset = copyDigits(dst, offset, 0, integerCount);
      dst[offset++] = 46;
      return copyDigits(dst, offset, integerCount, count);
    }
    dst[offset++] = 48;
    dst[offset++] = 46;
    offset = writeZeros(dst, offset, -integerCount);
    return copyDigits(dst, offset, 0, count);
  }
  return writeScientific(dst, offset, Math.min(count, negative ? 17 : 18), exponent, magnitude);
}

function writeScientific(dst: Uint8Array, offset: number, count: number, exponent: number, magnitude: number): number {
  dst[offset++] = grisuText[0];
  if (count > 1) {
    dst[offset++] = 46;
    offset = copyDigits(dst, offset, 1, count);
  }
  dst[offset++] = 101;
  dst[offset++] = exponent + count - 1 < 0 ? 45 : 43;
  return writeInteger(dst, offset, magnitude);
}

function copyDigits(dst: Uint8Array, offset: number, from: number, to: number): number {
  for (let i = from; i < to; i++) dst[offset++] = grisuText[i];
  return offset;
}

function writeZeros(dst: Uint8Array, offset: number, count: number): number {
  for (let i = 0; i < count; i++) dst[offset++] = 48;
  return offset;
}

/**
 * The double spelled by `buf[offset, offset + length)`, or NaN when the bytes are not exactly one number, spell NaN, or
 * are out of range. Infinity is returned only for a spelled-out infinity.
 */
export function parseDouble(buf: Uint8Array, offset: number, length: number): number {
  const kind = scanFloatText(buf, offset, length);
  if (kind === FloatKind.Invalid) return Number.NaN;
  const value = scannedValue(kind, buf, offset, length);
  if (kind !== FloatKind.Infinite) {
    if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) return Number.NaN;
    if (value === 0 && scanned.digitCount > 0) return Number.NaN;
  }
  return value;
}

/**
 * The looser reading of score limits (ZRANGEBYSCORE and its kin, after a "(" has been taken off): leading white space is
 * skipped, nothing at all is 0, and a value out of range becomes an infinity or zero. NaN when the rest is no number.
 */
export function parseScoreLimit(buf: Uint8Array, offset: number, length: number): number {
  let start = offset;
  const end = offset + length;
  if (length === 0) return 0;
  while (start < end && (buf[start] === 32 || (buf[start] >= 9 && buf[start] <= 13))) start++;
  const kind = scanFloatText(buf, start, end - start);
  return kind === FloatKind.Invalid ? Number.NaN : scannedValue(kind, buf, start, end - start);
}

/** Value of the number just scanned; overflow gives an infinity, underflow a zero. */
function scannedValue(kind: FloatKind, buf: Uint8Array, offset: number, length: number): number {
  let value: number;
  if (kind === FloatKind.Decimal) value = decimalValue(buf, offset, length);
  else if (kind === FloatKind.Hexadecimal) value = hexadecimalValue(buf);
  else value = Number.POSITIVE_INFINITY;
  return scanned.negative ? -value : value;
}

function decimalValue(buf: Uint8Array, offset: number, length: number): number {
  const exponent = scanned.exponent;
  // Both operands are exact, so the one rounding of the multiplication or division is the right one.
  if (scanned.digitCount <= MANTISSA_DIGITS_MAX && scanned.mantissa <= TWO_53 && exponent <= 22 && exponent >= -22) {
    return exponent < 0 ? scanned.mantissa / EXACT_TENS[-exponent] : scanned.mantissa * EXACT_TENS[exponent];
  }
  return Math.abs(Number(asciiText(buf, offset, length)));
}

function asciiText(buf: Uint8Array, offset: number, length: number): string {
  if (length > scratch.length) return Buffer.from(buf.buffer, buf.byteOffset + offset, length).toString("latin1");
  for (let i = 0; i < length; i++) scratch[i] = buf[offset + i];
  return scratch.toString("latin1", 0, length);
}

function hexadecimalValue(buf: Uint8Array): number {
  const mantissa = hexMantissa(buf);
  if (mantissa === 0n) return 0;
  const bits = bitLength(mantissa);
  const exponent = scanned.exponent;
  if (bits + exponent > 1024) return Number.POSITIVE_INFINITY;
  if (bits + exponent < -1074) return 0;
  const drop = Math.max(bits - 53, -1074 - exponent, 0);
  // The rounded mantissa has no more bits than the result can hold, so this multiplication is exact.
  const rounded = Number(shiftRightRounded(mantissa, drop));
  const scale = exponent + drop;
  return scale > 971 ? rounded * 2 ** 971 * 2 ** (scale - 971) : rounded * 2 ** scale;
}
