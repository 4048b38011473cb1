/**
 * Digits of a double by Grisu2 (Florian Loitsch, "Printing Floating-Point Numbers Quickly and Accurately with
 * Integers", 2010): the decimal is within the rounding interval of the double, and nearly always the shortest one.
 *
 * "Nearly always" is why this file exists. In about one double of a thousand the digits are one longer, or not the
 * closest, than those JavaScript prints, and Redis 7.2 prints those of Grisu2: replies must be equal to the byte.
 * Hence the choices left open by the paper are made here as Redis' library makes them: which cached power of ten
 * scales the number, products rounded half up, and both boundaries drawn in by one unit.
 *
 * A 64-bit unsigned integer is a pair of doubles holding uint32 halves; products are split so that nothing passes 2^53.
 */

import { integerLength, writeInteger } from "./int64.ts";

const TWO_16 = 65536;
const TWO_32 = 4294967296;
/** Cached powers of ten: 10^(POWER_FIRST + POWER_STEP * i), 0 <= i < POWER_COUNT. */
const POWER_FIRST = -348;
const POWER_STEP = 8;
const POWER_COUNT = 87;
/** Binary exponent wanted for the scaled number: its integer part then fits 32 bits. */
const EXPONENT_LOW = -60;
const EXPONENT_HIGH = -32;
const LOG10_OF_2 = 0.30102999566398114;
const TENS = new Float64Array([1, 10, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9]);

/** ASCII digits of the latest {@link grisuDigits}: at most 18. */
export const grisuText = new Uint8Array(18);
/** What goes with the digits: how many, and the power of ten by which the integer they spell is multiplied. */
export const grisuResult = { digitCount: 0, exponent: 0 };

const powerHigh = new Uint32Array(POWER_COUNT);
const powerLow = new Uint32Array(POWER_COUNT);
const powerExponent = new Int16Array(POWER_COUNT);
let powersReady = false;

const doubleCell = new Float64Array(1);
/** The cell's halves; every platform that Bun runs on is little-endian. */
const wordCell = new Uint32Array(doubleCell.buffer);

/** The product left by {@link multiply}. */
let productHigh = 0;
let productLow = 0;

/** Each power as f * 2^e with 2^63 <= f < 2^64, f rounded to nearest. Built on first use. */
function buildPowers(): void {
  for (let i = 0; i < POWER_COUNT; i++) {
    const ten = POWER_FIRST + POWER_STEP * i;
    const magnitude = 10n ** BigInt(Math.abs(ten));
    // 3.4 bits a digit always leave more than 64 bits in the quotient.
    const spare = 1300;
    const scaled = ten < 0 ? (1n << BigInt(spare + 64)) / magnitude : magnitude << 64n;
    const drop = scaled.toString(2).length - 64;
    const rounded = (scaled + (1n << BigInt(drop - 1))) >> BigInt(drop);
    powerHigh[i] = Number(rounded >> 32n);
    powerLow[i] = Number(rounded & 0xffffffffn);
    powerExponent[i] = drop - 64 - (ten < 0 ? spare : 0);
  }
  powersReady = true;
}

/** Upper 32 bits of the product of two uint32. */
function multiplyHigh32(a: number, b: number): number {
  return Math.floor((a * (b >>> 16) + Math.floor((a * (b & 0xffff)) / TWO_16)) / TWO_16);
}

/** Upper 64 bits of the product of two uint64, rounded half up on bit 63 of the (truncated) rest. */
function multiply(aHigh: number, aLow: number, bHigh: number, bLow: number): void {
  const carry = Math.floor(
    ((Math.imul(aHigh, bLow) >>> 0) + (Math.imul(aLow, bHigh) >>> 0) + multiplyHigh32(aLow, bLow) + 0x80000000) /
      TWO_32,
  );
  const low = (Math.imul(aHigh, bHigh) >>> 0) + multiplyHigh32(aHigh, bLow) + multiplyHigh32(aLow, bHigh) + carry;
  productHigh = multiplyHigh32(aHigh, bHigh) + Math.floor(low / TWO_32);
  productLow = low >>> 0;
}

/** Index of the cached power that brings a number with this binary exponent into the wanted range. */
function powerIndexFor(exponent: number): number {
  // Two neighbours may qualify; the estimate, truncated twice, decides between them.
  const estimate = Math.trunc(-(exponent + POWER_COUNT) * LOG10_OF_2);
  let index = Math.trunc((estimate - POWER_FIRST) / POWER_STEP);
  for (;;) {
    const scaled = exponent + powerExponent[index] + 64;
    if (scaled < EXPONENT_LOW) index++;
    else if (scaled > EXPONENT_HIGH) index--;
    else return index;
  }
}

/** Leaves the digits of |value| in {@link grisuText} and {@link grisuResult}; value is finite and not zero. */
export function grisuDigits(value: number): void {
  if (!powersReady) buildPowers();
  doubleCell[0] = value;
  const biased = (wordCell[1] >>> 20) & 0x7ff;
  let high = wordCell[1] & 0xfffff;
  let low = wordCell[0];
  // The gap below a power of two is half as wide.
  const narrowBelow = biased !== 0 && high === 0 && low === 0;
  let exponent = biased === 0 ? -1074 : biased - 1075;
  if (biased !== 0) high |= 0x100000;

  // Normalise to 64 bits; half a unit of the last place is then the bit below the shifted mantissa.
  let shift = high !== 0 ? Math.clz32(high) : 32 + Math.clz32(low);
  exponent -= shift;
  const halfGapBit = shift - 1;
  if (shift >= 32) {
    high = low;
    low = 0;
    shift -= 32;
  }
  if (shift > 0) {
    high = ((high << shift) | (low >>> (32 - shift))) >>> 0;
    low = (low << shift) >>> 0;
  }
  scaleAndGenerate(high, low, exponent, halfGapBit, narrowBelow ? halfGapBit - 1 : halfGapBit);
}

/** 2^bit as the high and the low half of a uint64. */
function highOfBit(bit: number): number {
  return bit >= 32 ? 2 ** (bit - 32) : 0;
}

function lowOfBit(bit: number): number {
  return bit >= 32 ? 0 : 2 ** bit;
}

/** Scales the number and the ends of its interval by a cached power of ten, then generates the digits. */
function scaleAndGenerate(high: number, low: number, exponent: number, bitAbove: number, bitBelow: number): void {
  const index = powerIndexFor(exponent);
  const pHigh = powerHigh[index];
  const pLow = powerLow[index];
  const shift = -(exponent + powerExponent[index] + 64);

  let endLow = low + lowOfBit(bitAbove);
  let endHigh = high + highOfBit(bitAbove) + (endLow >= TWO_32 ? 1 : 0);
  multiply(endHigh, endLow >>> 0, pHigh, pLow);
  const upperLow = (productLow - 1) >>> 0;
  const upperHigh = productLow === 0 ? productHigh - 1 : productHigh;

  endLow = low - lowOfBit(bitBelow);
  endHigh = high - highOfBit(bitBelow) - (endLow < 0 ? 1 : 0);
  multiply(endHigh, endLow >>> 0, pHigh, pLow);
  const lowerLow = (productLow + 1) >>> 0;
  const lowerHigh = lowerLow === 0 ? productHigh + 1 : productHigh;

  multiply(high, low, pHigh, pLow);
  grisuResult.exponent = -(POWER_FIRST + POWER_STEP * index);
  generateDigits(
    upperHigh,
    upperLow,
    upperHigh - lowerHigh - (upperLow < lowerLow ? 1 : 0),
    (upperLow - lowerLow) >>> 0,
    upperHigh - productHigh - (upperLow < productLow ? 1 : 0),
    (upperLow - productLow) >>> 0,
    shift,
  );
}

/**
 * Digits of `upper * 2^-shift` until what is left of it is within the interval, whose width is `delta`; then the last
 * digit is moved towards the number itself, which lies `wanted` below upper. 32 <= shift <= 60.
 *
 * What is left only shrinks in the integer part, so when all of it is still too much after the last integer digit,
 * there was no earlier end, and the integer is printed at once.
 */
function generateDigits(
  upperHigh: number,
  upperLow: number,
  deltaHigh: number,
  deltaLow: number,
  wantedHigh: number,
  wantedLow: number,
  shift: number,
): void {
  const scale = 2 ** (shift - 32);
  // At least 4, since the scaled number has its highest or second highest bit set: the first digit is never a zero.
  let integer = Math.floor(upperHigh / scale);
  const fractionHigh = upperHigh - integer * scale;
  if (fractionHigh > deltaHigh || (fractionHigh === deltaHigh && upperLow > deltaLow)) {
    const count = writeInteger(grisuText, 0, integer);
    generateFraction(count, fractionHigh, upperLow, deltaHigh, deltaLow, wantedHigh, wantedLow, scale);
    return;
  }
  let power = integerLength(integer) - 1;
  for (let count = 1; ; count++, power--) {
    const unit = TENS[power];
    const digit = Math.floor(integer / unit);
    grisuText[count - 1] = 48 + digit;
    integer -= digit * unit;
    const restHigh = integer * scale + fractionHigh;
    if (restHigh < deltaHigh || (restHigh === deltaHigh && upperLow <= deltaLow)) {
      grisuResult.digitCount = count;
      grisuResult.exponent += power;
      roundLastDigit(count - 1, deltaHigh, deltaLow, restHigh, upperLow, unit * scale, wantedHigh, wantedLow);
      return;
    }
  }
}

/**
 * Goes on with the digits of a fraction (in units of 2^-32 / scale), four at a time and then one at a time.
 *
 * Four digits may be taken together while the interval is narrower than one even after them: had an end come earlier
 * among them, what is left would have stayed within the interval ever since, and be so now.
 */
function generateFraction(
  count: number,
  high: number,
  low: number,
  deltaHigh: number,
  deltaLow: number,
  wantedHigh: number,
  wantedLow: number,
  scale: number,
): void {
  let exponent = 0;
  while ((deltaHigh + 1) * 10000 < scale) {
    const nextLow = low * 10000;
    const nextHigh = high * 10000 + Math.floor(nextLow / TWO_32);
    const digits = Math.floor(nextHigh / scale);
    const restHigh = nextHigh - digits * scale;
    const widthLow = deltaLow * 10000;
    const widthHigh = deltaHigh * 10000 + Math.floor(widthLow / TWO_32);
    if (restHigh <= widthHigh) break;
    count = writeFourDigits(count, digits);
    high = restHigh;
    low = nextLow >>> 0;
    deltaHigh = widthHigh;
    deltaLow = widthLow >>> 0;
    wantedLow *= 10000;
    wantedHigh = wantedHigh * 10000 + Math.floor(wantedLow / TWO_32);
    wantedLow >>>= 0;
    exponent -= 4;
  }
  for (;;) {
    low *= 10;
    deltaLow *= 10;
    wantedLow *= 10;
    high = high * 10 + Math.floor(low / TWO_32);
    deltaHigh = deltaHigh * 10 + Math.floor(deltaLow / TWO_32);
    wantedHigh = wantedHigh * 10 + Math.floor(wantedLow / TWO_32);
    low >>>= 0;
    deltaLow >>>= 0;
    wantedLow >>>= 0;
    exponent--;
    const digit = Math.floor(high / scale);
    grisuText[count++] = 48 + digit;
    high -= digit * scale;
    if (high < deltaHigh || (high === deltaHigh && low < deltaLow)) {
      grisuResult.digitCount = count;
      grisuResult.exponent += exponent;
      roundLastDigit(count - 1, deltaHigh, deltaLow, high, low, scale, wantedHigh, wantedLow);
      return;
    }
  }
}

function writeFourDigits(at: number, value: number): number {
  const hundreds = (value / 100) | 0;
  const tens = (hundreds / 10) | 0;
  const rest = value - hundreds * 100;
  const restTens = (rest / 10) | 0;
  grisuText[at] = 48 + tens;
  grisuText[at + 1] = 48 + hundreds - tens * 10;
  grisuText[at + 2] = 48 + restTens;
  grisuText[at + 3] = 48 + rest - restTens * 10;
  return at + 4;
}

/**
 * Lowers the last digit while that brings the decimal closer to the number and keeps it in the interval. All distances
 * are below upper: `rest` of the decimal, `wanted` of the number, `delta` of the interval's other end. The unit of the
 * last digit is `unitHigh * 2^32`.
 */
function roundLastDigit(
  last: number,
  deltaHigh: number,
  deltaLow: number,
  restHigh: number,
  restLow: number,
  unitHigh: number,
  wantedHigh: number,
  wantedLow: number,
): void {
  while (restHigh < wantedHigh || (restHigh === wantedHigh && restLow < wantedLow)) {
    const nextHigh = restHigh + unitHigh;
    if (nextHigh > deltaHigh || (nextHigh === deltaHigh && restLow > deltaLow)) return;
    if (nextHigh > wantedHigh || (nextHigh === wantedHigh && restLow >= wantedLow)) {
      // The step passes the number: take it only if it ends closer. The distances before and after, compared.
      const beforeLow = wantedLow - restLow;
      const afterHigh = nextHigh - wantedHigh + (beforeLow > 0 ? -1 : 0);
      const beforeHigh = wantedHigh - restHigh + (beforeLow < 0 ? -1 : 0);
      const afterLow = -beforeLow >>> 0;
      if (beforeHigh < afterHigh || (beforeHigh === afterHigh && beforeLow >>> 0 <= afterLow)) return;
    }
    grisuText[last]--;
    restHigh = nextHigh;
  }
}
