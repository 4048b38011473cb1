/** MurmurHash64A (Austin Appleby's second generation, 64-bit form), with 64-bit values as int32 halves. HyperLogLogs depend on its exact values. */

const MULTIPLIER_LOW = 0x5bd1e995;
const MULTIPLIER_HIGH = 0xc6a4a793 | 0;
const LOW_16 = MULTIPLIER_LOW & 0xffff;
const HIGH_16 = MULTIPLIER_LOW >>> 16;

/** The hash that murmur64 computed last. */
export const murmur = { low: 0, high: 0 };

/** The upper 32 bits of the product of an unsigned word and the lower half of the multiplier; every sum stays below 2^32. */
function carryOf(word: number): number {
  const low = word & 0xffff;
  const high = word >>> 16;
  const middle = high * LOW_16 + ((low * LOW_16) >>> 16);
  const other = low * HIGH_16 + (middle & 0xffff);
  return high * HIGH_16 + (middle >>> 16) + (other >>> 16);
}

/** The upper half of the product of (low, high) and the multiplier, modulo 2^64. The lower half is Math.imul(low, MULTIPLIER_LOW). */
function productHigh(low: number, high: number): number {
  return (carryOf(low) + Math.imul(low, MULTIPLIER_HIGH) + Math.imul(high, MULTIPLIER_LOW)) | 0;
}

function wordAt(buf: Uint8Array, at: number): number {
  return buf[at] | (buf[at + 1] << 8) | (buf[at + 2] << 16) | (buf[at + 3] << 24);
}

/** Hashes `length` bytes; the result is left in `murmur`. `seed` has 32 bits. */
export function murmur64(buf: Uint8Array, offset: number, length: number, seed: number): void {
  let low = seed ^ Math.imul(length, MULTIPLIER_LOW);
  let high = productHigh(length, 0);
  const tail = length & 7;
  const end = offset + length - tail;
  for (let at = offset; at < end; at += 8) {
    const wordLow = wordAt(buf, at);
    const wordHigh = wordAt(buf, at + 4);
    const scrambledHigh = productHigh(wordLow, wordHigh);
    const scrambledLow = Math.imul(wordLow, MULTIPLIER_LOW) ^ (scrambledHigh >>> 15);
    high ^= productHigh(scrambledLow, scrambledHigh);
    low ^= Math.imul(scrambledLow, MULTIPLIER_LOW);
    high = productHigh(low, high);
    low = Math.imul(low, MULTIPLIER_LOW);
  }
  if (tail > 0) {
    for (let i = 0; i < tail; i++) {
      if (i < 4) low ^= buf[end + i] << (8 * i);
      else high ^= buf[end + i] << (8 * i - 32);
    }
    high = productHigh(low, high);
    low = Math.imul(low, MULTIPLIER_LOW);
  }
  low ^= high >>> 15;
  high = productHigh(low, high);
  low = Math.imul(low, MULTIPLIER_LOW);
  murmur.low = low ^ (high >>> 15);
  murmur.high = high;
}
