/**
 * The x86 80-bit extended double, bit for bit, as far as INCRBYFLOAT and HINCRBYFLOAT need it: read, add, print.
 *
 * A value is sign, a 64-bit mantissa and a power of two; 2^-16445 is the smallest step, and from 2^16384 on a value is
 * infinite. Every operation rounds once, to nearest, ties to even. It works on bigints: {@link addShortDecimals} serves
 * the everyday case without them, wherever it can prove that the printed result is the same.
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
import { writeInteger } from "./int64.ts";

const MANTISSA_BITS = 64;
/** Power of two of the lowest mantissa bit in the smallest numbers. */
const EXPONENT_MIN = -16445;
/** A value of at least 2^EXPONENT_END is infinite. */
const EXPONENT_END = 16384;
/** Redis copies the text into a buffer of this size, with a terminator, and refuses what does not fit. */
const TEXT_MAX = 5 * 1024 - 1;
/** Decimal exponents beyond which a number is certainly infinite, or certainly rounds to zero. */
const DECIMAL_END = 4934;
const DECIMAL_MIN = -4952;
/** Decimal places of the printed form. */
const PLACES = 17;
const TEN_TO_PLACES = 10n ** BigInt(PLACES);

/** A finite value is (-1)^negative * mantissa * 2^exponent with mantissa < 2^64. */
export type LongDouble =
  | { readonly kind: "finite"; readonly negative: boolean; readonly mantissa: bigint; readonly exponent: number }
  | { readonly kind: "infinite"; readonly negative: boolean }
  | { readonly kind: "nan" };

/**
 * The value spelled by `buf[offset, offset + length)`. Null when the bytes are not exactly one number, are longer than
 * 5119 bytes, spell NaN, overflow, or are not zero but round to it. Infinity is accepted when spelled out.
 */
export function parseLongDouble(buf: Uint8Array, offset: number, length: number): LongDouble | null {
  if (length > TEXT_MAX) return null;
  const kind = scanFloatText(buf, offset, length);
  if (kind === FloatKind.Invalid) return null;
  const negative = scanned.negative;
  if (kind === FloatKind.Infinite) return { kind: "infinite", negative };
  if (scanned.digitCount === 0) return { kind: "finite", negative, mantissa: 0n, exponent: 0 };
  const value = kind === FloatKind.Hexadecimal ? hexadecimalValue(buf, negative) : decimalValue(buf, negative);
  return value !== null && value.kind === "finite" && value.mantissa > 0n ? value : null;
}

function hexadecimalValue(buf: Uint8Array, negative: boolean): LongDouble | null {
  const mantissa = hexMantissa(buf);
  const top = bitLength(mantissa) + scanned.exponent;
  if (top > EXPONENT_END || top < EXPONENT_MIN) return null;
  return roundBinary(negative, mantissa, scanned.exponent);
}

function decimalValue(buf: Uint8Array, negative: boolean): LongDouble | null {
  const exponent = scanned.exponent;
  const top = scanned.digitCount + exponent;
  if (top > DECIMAL_END || top < DECIMAL_MIN) return null;
  const integer = scanned.digitCount <= MANTISSA_DIGITS_MAX - 1 ? BigInt(scanned.mantissa) : BigInt(digitText(buf));
  if (exponent >= 0) return roundBinary(negative, integer * powerOfTen(exponent), 0);
  return roundQuotient(negative, integer, powerOfTen(-exponent));
}

/** The digits of the number just scanned, without its point. */
function digitText(buf: Uint8Array): string {
  let digits = "";
  for (let at = scanned.digitsStart; at < scanned.digitsEnd; at++) {
    if (buf[at] !== 46) digits += String.fromCharCode(buf[at]);
  }
  return digits;
}

function powerOfTen(exponent: number): bigint {
  return exponent <= PLACES ? BigInt(10 ** exponent) : 10n ** BigInt(exponent);
}

/** The value nearest to numerator / denominator, both positive. */
function roundQuotient(negative: boolean, numerator: bigint, denominator: bigint): LongDouble {
  // Two bits more than needed, and a lowest bit that says whether anything was left over: rounding sees no difference.
  const shift = Math.max(0, MANTISSA_BITS + 2 - (bitLength(numerator) - bitLength(denominator)));
  const scaled = numerator << BigInt(shift);
  const quotient = scaled / denominator;
  const sticky = quotient * denominator === scaled ? 0n : 1n;
  return roundBinary(negative, (quotient << 1n) | sticky, -shift - 1);
}

/** The value nearest to mantissa * 2^exponent for a mantissa of any length. */
function roundBinary(negative: boolean, mantissa: bigint, exponent: number): LongDouble {
  const drop = Math.max(bitLength(mantissa) - MANTISSA_BITS, EXPONENT_MIN - exponent, 0);
  const rounded = shiftRightRounded(mantissa, drop);
  if (bitLength(rounded) + exponent + drop > EXPONENT_END) return { kind: "infinite", negative };
  return { kind: "finite", negative, mantissa: rounded, exponent: exponent + drop };
}

/** The rounded sum. Infinities of opposite sign give NaN. */
export function addLongDouble(a: LongDouble, b: LongDouble): LongDouble {
  if (a.kind === "nan" || b.kind === "nan") return { kind: "nan" };
  if (a.kind === "infinite") {
    return b.kind === "infinite" && a.negative !== b.negative ? { kind: "nan" } : a;
  }
  if (b.kind === "infinite") return b;
  const exponent = Math.min(a.exponent, b.exponent);
  const left = a.mantissa << BigInt(a.exponent - exponent);
  const right = b.mantissa << BigInt(b.exponent - exponent);
  const sum = (a.negative ? -left : left) + (b.negative ? -right : right);
  if (sum === 0n) {
    return { kind: "finite", negative: a.negative && b.negative, mantissa: 0n, exponent: 0 };
  }
  return sum < 0n ? roundBinary(true, -sum, exponent) : roundBinary(false, sum, exponent);
}

/** Whether the value is neither infinite nor NaN. */
export function isFiniteLongDouble(a: LongDouble): boolean {
  return a.kind === "finite";
}

/**
 * The printed form: rounded to 17 decimal places, trailing zeros and a trailing point removed, never an exponent.
 * Zero has no sign, and neither has a number that rounds to it. Not finite: "inf", "-inf", "nan".
 */
export function formatLongDouble(a: LongDouble): string {
  if (a.kind === "nan") return "nan";
  if (a.kind === "infinite") return a.negative ? "-inf" : "inf";
  if (a.exponent >= 0) return signed(a.negative, String(a.mantissa << BigInt(a.exponent)));
  const scaled = shiftRightRounded(a.mantissa * TEN_TO_PLACES, -a.exponent);
  const digits = scaled.toString().padStart(PLACES + 1, "0");
  let end = digits.length;
  const point = end - PLACES;
  while (end > point && digits.charCodeAt(end - 1) === 48) end--;
  if (end === point) return signed(a.negative, digits.slice(0, point));
  return signed(a.negative, `${digits.slice(0, point)}.${digits.slice(point, end)}`);
}

function signed(negative: boolean, digits: string): string {
  return negative && digits !== "0" ? `-${digits}` : digits;
}

/** Scaled integers up to here add up, and are multiplied by a power of ten, within 2^53. */
const SCALED_MAX = 2 ** 52;
/** Decimal places that the short form has at most. */
const SHORT_PLACES_MAX = 15;
/**
 * Bound on the magnitudes that took part in a rounding: each rounding is off by at most 2^-64 of its magnitude, and
 * together they must stay below half of the last printed place: 0.5e-17 / 2^-64 = 92.2.
 */
const ROUNDED_MAGNITUDE_MAX = 92;

/** What {@link readShortDecimal} found: an integer and the number of its digits that are decimal places. */
let shortUnits = 0;
let shortPlaces = 0;

/**
 * The sum of two decimals written at `dst[dstOffset]` (at most 20 bytes) in the form of {@link formatLongDouble}, when
 * it is certain that reading both, adding and printing gives the exact decimal sum; returns the offset after it.
 * Otherwise -1, and nothing is known: the caller takes the slow way, which also tells what is wrong with the input.
 *
 * It is certain when every number is a multiple of its own power of two (integers, .5, .25 ...: nothing is rounded) and
 * when the magnitudes are so small that the printed 17 places hide the rounding.
 */
export function addShortDecimals(
  dst: Uint8Array,
  dstOffset: number,
  a: Uint8Array,
  aOffset: number,
  aLength: number,
  b: Uint8Array,
  bOffset: number,
  bLength: number,
): number {
  if (!readShortDecimal(a, aOffset, aLength)) return -1;
  const aUnits = shortUnits;
  const aPlaces = shortPlaces;
  if (!readShortDecimal(b, bOffset, bLength)) return -1;
  const places = Math.max(aPlaces, shortPlaces);
  const left = aUnits * 10 ** (places - aPlaces);
  const right = shortUnits * 10 ** (places - shortPlaces);
  if (Math.abs(left) > SCALED_MAX || Math.abs(right) > SCALED_MAX) return -1;
  const sum = left + right;
  if (places > 0 && !(isDyadic(left, places) && isDyadic(right, places))) {
    if (Math.abs(left) + Math.abs(right) + Math.abs(sum) > ROUNDED_MAGNITUDE_MAX * 10 ** places) return -1;
  }
  return writeScaled(dst, dstOffset, sum, places);
}

/** Whether units / 10^places is a fraction over a power of two. */
function isDyadic(units: number, places: number): boolean {
  return units % 5 ** places === 0;
}

function readShortDecimal(buf: Uint8Array, offset: number, length: number): boolean {
  if (length > MANTISSA_DIGITS_MAX + 2 || scanFloatText(buf, offset, length) !== FloatKind.Decimal) return false;
  if (scanned.digitCount > MANTISSA_DIGITS_MAX || scanned.mantissa > SCALED_MAX) return false;
  if (scanned.exponent > 0 || scanned.exponent < -SHORT_PLACES_MAX) return false;
  shortUnits = scanned.negative ? -scanned.mantissa : scanned.mantissa;
  shortPlaces = -scanned.exponent;
  return true;
}

/** Writes units / 10^places without trailing zeros. */
function writeScaled(dst: Uint8Array, offset: number, units: number, places: number): number {
  if (units < 0) {
    dst[offset++] = 45;
    units = -units;
  }
  while (places > 0 && units % 10 === 0) {
    units /= 10;
    places--;
  }
  if (places === 0) return writeInteger(dst, offset, units);
  const scale = 10 ** places;
  const integer = Math.floor(units / scale);
  offset = writeInteger(dst, offset, integer);
  // A leading one keeps the zeros after the point; the point then takes its place.
  const end = writeInteger(dst, offset, units - integer * scale + scale);
  dst[offset] = 46;
  return end;
}
