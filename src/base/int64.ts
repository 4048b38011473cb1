/**
 * Decimal integers as bytes, in the strict form that Redis calls a number.
 *
 * Canonical form: "0", or an optional "-" followed by a digit 1-9 and more digits. No "+", spaces, leading
 * zeros or "-0": a string that parses prints back to the same bytes, so it may be stored as a number.
 *
 * An int64 appears here in three shapes: a safe integer (|n| <= 2^53 - 1, the fast one), a pair of int32 halves
 * (two's complement, how it lies in memory), and a bigint (slow path, only for what does not fit the first).
 */

const ZERO = 48;
const NINE = 57;
const MINUS = 45;
const TWO_32 = 4294967296;
const HUNDRED_MILLION = 100000000;
const BILLION = 1000000000;
/** Halves whose high part is in [-SAFE_HIGH, SAFE_HIGH) are within 2^53 of zero. */
const SAFE_HIGH = 1 << 21;
/** Digits of the magnitude of the smallest int64; the largest differs in the last digit only. */
const MIN_INT64_DIGITS = "9223372036854775808";
const INT64_DIGITS_MAX = MIN_INT64_DIGITS.length;

/** "00" "01" ... "99" as bytes. */
const DIGIT_PAIRS = buildDigitPairs();

function buildDigitPairs(): Uint8Array {
  const pairs = new Uint8Array(200);
  for (let i = 0; i < 100; i++) {
    pairs[2 * i] = ZERO + ((i / 10) | 0);
    pairs[2 * i + 1] = ZERO + (i % 10);
  }
  return pairs;
}

/**
 * The canonical integer in `buf[offset, offset + length)`, when it is a safe integer; otherwise NaN (which may still
 * be an int64: see {@link parseInt64}).
 */
export function parseSafeInteger(buf: Uint8Array, offset: number, length: number): number {
  const end = offset + length;
  let at = offset;
  let negative = false;
  if (length > 1 && buf[at] === MINUS) {
    negative = true;
    at++;
  }
  const digitCount = end - at;
  if (digitCount < 1 || digitCount > 16) return Number.NaN;
  const first = buf[at++] - ZERO;
  if (first < 1 || first > 9) return first === 0 && length === 1 ? 0 : Number.NaN;
  let value = first;
  const smallEnd = digitCount > 9 ? at + 8 : end;
  while (at < smallEnd) {
    const digit = buf[at++] - ZERO;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = (value * 10 + digit) | 0;
  }
  if (at < end) {
    value = parseMoreDigits(buf, at, end, value);
    // Sixteen digits can pass 2^53; rounding never brings such a value back below it.
    if (value > Number.MAX_SAFE_INTEGER) return Number.NaN;
  }
  return negative ? -value : value;
}

function parseMoreDigits(buf: Uint8Array, at: number, end: number, value: number): number {
  while (at < end) {
    const digit = buf[at++] - ZERO;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}

/** The canonical int64 in the given bytes, or null when they hold none. Slow path: {@link parseSafeInteger} first. */
export function parseInt64(buf: Uint8Array, offset: number, length: number): bigint | null {
  const small = parseSafeInteger(buf, offset, length);
  if (!Number.isNaN(small)) return BigInt(small);
  if (!isCanonicalInt64(buf, offset, length)) return null;
  const negative = buf[offset] === MINUS;
  const start = negative ? offset + 1 : offset;
  const split = offset + length - 9;
  const high = parseMoreDigits(buf, start, split, 0);
  const low = parseMoreDigits(buf, split, offset + length, 0);
  const magnitude = BigInt(high) * 1000000000n + BigInt(low);
  return negative ? -magnitude : magnitude;
}

/** An int64 as its two int32 halves: what parseInt64Halves fills. */
export interface Int64Halves {
  low: number;
  high: number;
}

/** Parses a canonical int64 into `out`, without a bigint; false, and `out` as it was, when the bytes hold none. */
export function parseInt64Halves(buf: Uint8Array, offset: number, length: number, out: Int64Halves): boolean {
  const small = parseSafeInteger(buf, offset, length);
  if (!Number.isNaN(small)) {
    out.low = int64Low(small);
    out.high = int64High(small);
    return true;
  }
  if (length < 16 || !isCanonicalInt64(buf, offset, length)) return false;
  const negative = buf[offset] === MINUS;
  const split = offset + length - 9;
  const billions = parseMoreDigits(buf, negative ? offset + 1 : offset, split, 0);
  const rest = parseMoreDigits(buf, split, offset + length, 0);
  // billions * 10^9 + rest, with 16 bits of the billions at a time: every product stays below 2^48.
  const upper = Math.floor(billions / 65536) * BILLION;
  const lower = (billions % 65536) * BILLION + rest + (upper % 65536) * 65536;
  const low = lower | 0;
  const high = Math.floor(upper / 65536) + Math.floor(lower / TWO_32);
  out.low = negative ? -low | 0 : low;
  out.high = negative ? (low === 0 ? -high | 0 : ~high) : high | 0;
  return true;
}

/** Whether the bytes are a canonical integer within the int64 range. */
export function isCanonicalInt64(buf: Uint8Array, offset: number, length: number): boolean {
  const negative = length > 1 && buf[offset] === MINUS;
  const start = negative ? offset + 1 : offset;
  const end = offset + length;
  const digitCount = end - start;
  if (digitCount < 1 || digitCount > INT64_DIGITS_MAX) return false;
  if (buf[start] === ZERO) return length === 1;
  for (let at = start; at < end; at++) {
    const byte = buf[at];
    if (byte < ZERO || byte > NINE) return false;
  }
  if (digitCount < INT64_DIGITS_MAX) return true;
  for (let i = 0; i < INT64_DIGITS_MAX; i++) {
    const difference = buf[start + i] - MIN_INT64_DIGITS.charCodeAt(i);
    if (difference !== 0) return difference < 0;
  }
  return negative;
}

/** Bytes of the decimal form of a safe integer, sign included. */
export function integerLength(n: number): number {
  return n < 0 ? 1 + digitCountOf(-n) : digitCountOf(n);
}

function digitCountOf(n: number): number {
  if (n < 100000000) return smallDigitCount(n);
  if (n < 1e12) return n < 1e10 ? (n < 1e9 ? 9 : 10) : n < 1e11 ? 11 : 12;
  if (n < 1e14) return n < 1e13 ? 13 : 14;
  return n < 1e15 ? 15 : 16;
}

/** Digit count of 0 <= n < 10^8. */
function smallDigitCount(n: number): number {
  if (n < 10000) return n < 100 ? (n < 10 ? 1 : 2) : n < 1000 ? 3 : 4;
  return n < 1000000 ? (n < 100000 ? 5 : 6) : n < 10000000 ? 7 : 8;
}

/**
 * Writes the decimal form of a safe integer at `dst[offset]` and returns the offset after it.
 * The caller guarantees {@link integerLength} bytes of room.
 */
export function writeInteger(dst: Uint8Array, offset: number, n: number): number {
  if (n < 0) {
    dst[offset++] = MINUS;
    n = -n;
  }
  if (n < 10) {
    dst[offset] = ZERO + n;
    return offset + 1;
  }
  if (n < HUNDRED_MILLION) {
    const end = offset + smallDigitCount(n);
    writeSmall(dst, offset, end, n | 0);
    return end;
  }
  const high = Math.floor(n / HUNDRED_MILLION);
  const middle = offset + smallDigitCount(high);
  writeSmall(dst, offset, middle, high | 0);
  return writeEightDigits(dst, middle, (n - high * HUNDRED_MILLION) | 0);
}

/** Fills `dst[start, end)` with the digits of n from the right, padding with zeros; n < 10^8. */
function writeSmall(dst: Uint8Array, start: number, end: number, n: number): void {
  let at = end;
  while (at - 2 >= start) {
    const rest = (n / 100) | 0;
    const pair = (n - rest * 100) << 1;
    dst[--at] = DIGIT_PAIRS[pair + 1];
    dst[--at] = DIGIT_PAIRS[pair];
    n = rest;
  }
  if (at > start) dst[start] = ZERO + n;
}

function writeEightDigits(dst: Uint8Array, offset: number, n: number): number {
  writeSmall(dst, offset, offset + 8, n);
  return offset + 8;
}

/** Writes the decimal form of an int64 given as a bigint (at most 20 bytes); returns the offset after it. */
export function writeInt64(dst: Uint8Array, offset: number, n: bigint): number {
  return writeInt64Halves(dst, offset, bigIntLow(n), bigIntHigh(n));
}

/** Writes the decimal form of the int64 with the given int32 halves (at most 20 bytes); returns the offset after it. */
export function writeInt64Halves(dst: Uint8Array, offset: number, lo: number, hi: number): number {
  if (hi >= -SAFE_HIGH && hi < SAFE_HIGH) return writeInteger(dst, offset, hi * TWO_32 + (lo >>> 0));
  let high = hi >>> 0;
  let low = lo >>> 0;
  if (hi < 0) {
    dst[offset++] = MINUS;
    low = -low >>> 0;
    high = (low === 0 ? -high : ~high) >>> 0;
  }
  // Long division by 10^8 in 16-bit steps: every intermediate stays below 2^43.
  let quotient = 0;
  let remainder = 0;
  for (let shift = 16; shift >= 0; shift -= 16) {
    const part = remainder * 65536 + ((high >>> shift) & 0xffff);
    const digit = Math.floor(part / HUNDRED_MILLION);
    quotient = quotient * 65536 + digit;
    remainder = part - digit * HUNDRED_MILLION;
  }
  for (let shift = 16; shift >= 0; shift -= 16) {
    const part = remainder * 65536 + ((low >>> shift) & 0xffff);
    const digit = Math.floor(part / HUNDRED_MILLION);
    quotient = quotient * 65536 + digit;
    remainder = part - digit * HUNDRED_MILLION;
  }
  return writeEightDigits(dst, writeInteger(dst, offset, quotient), remainder);
}

/** Low 32 bits (as int32) of the two's-complement form of a safe integer. */
export function int64Low(n: number): number {
  return n | 0; // ToInt32 is exact modulo 2^32 for every safe integer.
}

/** High 32 bits (as int32) of the two's-complement form of a safe integer. */
export function int64High(n: number): number {
  return Math.floor(n / TWO_32) | 0;
}

/** The int64 with the given halves, or NaN when it is not a safe integer. */
export function int64ToNumber(lo: number, hi: number): number {
  if (hi < -SAFE_HIGH || hi >= SAFE_HIGH || (hi === -SAFE_HIGH && lo === 0)) return Number.NaN;
  return hi * TWO_32 + (lo >>> 0);
}

/** The int64 with the given halves. */
export function int64ToBigInt(lo: number, hi: number): bigint {
  return (BigInt(hi) << 32n) | BigInt(lo >>> 0);
}

/** Low 32 bits (as int32) of an int64 given as a bigint. */
export function bigIntLow(n: bigint): number {
  return Number(BigInt.asIntN(32, n));
}

/** High 32 bits (as int32) of an int64 given as a bigint. */
export function bigIntHigh(n: bigint): number {
  return Number(BigInt.asIntN(32, n >> 32n));
}
