/**
 * Loops over runs of bits. Bit 0 of a run is the most significant bit of its first byte, as SETBIT counts.
 *
 * Functions that take `bytes` and `words` want both as views of the same buffer from its start on (word i covers the bytes 4i to 4i + 3), and byte
 * positions in that buffer. Fields are read and written over `bytes` alone; positions beyond `length` read as zero.
 */

const ONES_OF_BYTE = onesOfBytes();
/** 2^0 to 2^32. */
const POWER = Float64Array.from({ length: 33 }, (_, exponent) => 2 ** exponent);

function onesOfBytes(): Uint8Array {
  const ones = new Uint8Array(256);
  for (let i = 1; i < 256; i++) ones[i] = (i & 1) + ones[i >> 1];
  return ones;
}

/** How many bits of a word are set. */
function onesOfWord(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** How many bits of the bytes `from` (inclusive) to `to` (exclusive) are set. */
export function countOnes(bytes: Uint8Array, words: Int32Array, from: number, to: number): number {
  let count = 0;
  let at = from;
  while (at < to && (at & 3) !== 0) count += ONES_OF_BYTE[bytes[at++]];
  if (to - at >= 4) {
    count += countWords(words, at >>> 2, to >>> 2);
    at = to - (to & 3);
  }
  while (at < to) count += ONES_OF_BYTE[bytes[at++]];
  return count;
}

/** Eight words at a time through carry-save adders, so that only one word of eight is counted bit by bit. */
function countWords(words: Int32Array, from: number, to: number): number {
  let count = 0;
  let ones = 0;
  let twos = 0;
  let fours = 0;
  let i = from;
  for (; i + 8 <= to; i += 8) {
    const a = words[i];
    const b = words[i + 1];
    const half0 = ones ^ a;
    const twos0 = (ones & a) | (half0 & b);
    const ones0 = half0 ^ b;
    const c = words[i + 2];
    const d = words[i + 3];
    const half1 = ones0 ^ c;
    const twos1 = (ones0 & c) | (half1 & d);
    const ones1 = half1 ^ d;
    const half2 = twos ^ twos0;
    const fours0 = (twos & twos0) | (half2 & twos1);
    const twos2 = half2 ^ twos1;
    const e = words[i + 4];
    const f = words[i + 5];
    const half3 = ones1 ^ e;
    const twos3 = (ones1 & e) | (half3 & f);
    const ones2 = half3 ^ f;
    const g = words[i + 6];
    const h = words[i + 7];
    const half4 = ones2 ^ g;
    const twos4 = (ones2 & g) | (half4 & h);
    ones = half4 ^ h;
    const half5 = twos2 ^ twos3;
    const fours1 = (twos2 & twos3) | (half5 & twos4);
    twos = half5 ^ twos4;
    const half6 = fours ^ fours0;
    count += onesOfWord((fours & fours0) | (half6 & fours1));
    fours = half6 ^ fours1;
  }
  count = 8 * count + 4 * onesOfWord(fours) + 2 * onesOfWord(twos) + onesOfWord(ones);
  for (; i < to; i++) count += onesOfWord(words[i]);
  return count;
}

/** The first byte from `from` (inclusive) to `to` (exclusive) that has a bit equal to `bit`; -1 when there is none. */
export function findByteWith(bytes: Uint8Array, words: Int32Array, from: number, to: number, bit: number): number {
  const plainByte = bit === 0 ? 255 : 0;
  let at = from;
  while (at < to && (at & 3) !== 0) {
    if (bytes[at] !== plainByte) return at;
    at++;
  }
  if (to - at >= 4) {
    const plainWord = bit === 0 ? -1 : 0;
    const end = to >>> 2;
    let i = at >>> 2;
    while (i < end && words[i] === plainWord) i++;
    at = i * 4;
  }
  while (at < to) {
    if (bytes[at] !== plainByte) return at;
    at++;
  }
  return -1;
}

/** The position (0 to 7) of the first bit of a byte that equals `bit`; 8 when there is none. */
export function firstBitOf(byte: number, bit: number): number {
  return Math.clz32(bit === 0 ? byte ^ 255 : byte) - 24;
}

/** An integer of up to 64 bits as its int32 halves, which the functions below fill. */
export interface Field {
  low: number;
  high: number;
}

/** Reads the `width` bits (1 to 64) at bit `offset` of the `length` bytes at `at` into `out`, with their sign when `signed`. */
export function readField(
  bytes: Uint8Array,
  at: number,
  length: number,
  offset: number,
  width: number,
  signed: boolean,
  out: Field,
): void {
  if (width > 32) {
    out.low = readBits(bytes, at, length, offset + width - 32, 32);
    const high = readBits(bytes, at, length, offset, width - 32);
    out.high = signed ? (high << (64 - width)) >> (64 - width) : high;
    return;
  }
  const bits = readBits(bytes, at, length, offset, width);
  out.low = signed ? (bits << (32 - width)) >> (32 - width) : bits;
  out.high = signed ? out.low >> 31 : 0;
}

/** Up to 32 bits, as an int32. They lie in at most five bytes, which a double holds exactly. */
function readBits(bytes: Uint8Array, at: number, length: number, offset: number, width: number): number {
  const lastBit = offset + width - 1;
  const last = Math.floor(lastBit / 8);
  let sum = 0;
  for (let i = Math.floor(offset / 8); i <= last; i++) sum = sum * 256 + (i < length ? bytes[at + i] : 0);
  return (Math.floor(sum / POWER[7 - (lastBit % 8)]) % POWER[width]) | 0;
}

/** Writes the lower `width` bits (1 to 64) of an integer at bit `offset` of the bytes at `at`, which must be there. */
export function writeField(
  bytes: Uint8Array,
  at: number,
  offset: number,
  width: number,
  low: number,
  high: number,
): void {
  if (width > 32) {
    writeBits(bytes, at, offset + width - 32, 32, low);
    writeBits(bytes, at, offset, width - 32, high);
  } else {
    writeBits(bytes, at, offset, width, low);
  }
}

function writeBits(bytes: Uint8Array, at: number, offset: number, width: number, value: number): void {
  let rest = value;
  let left = width;
  while (left > 0) {
    const lastBit = offset + left - 1;
    const inByte = lastBit % 8;
    const count = left <= inByte ? left : inByte + 1;
    const mask = ((1 << count) - 1) << (7 - inByte);
    const i = at + Math.floor(lastBit / 8);
    bytes[i] = (bytes[i] & ~mask) | ((rest << (7 - inByte)) & mask);
    rest >>>= count;
    left -= count;
  }
}
