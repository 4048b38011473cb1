/**
 * HyperLogLog in Redis' own bytes: 16384 registers, of which each keeps the longest run of zeros that a hash showed.
 *
 *   [H Y L L][encoding:1][unused:3][cached cardinality: uint64, little-endian; highest bit set: out of date][registers ...]
 *
 * Dense (encoding 0): 6 bits a register, lowest bits of a byte first, 12288 bytes. Sparse (encoding 1): opcodes that cover all registers in order,
 *
 *   00nnnnnn            n + 1 registers are zero
 *   01nnnnnn nnnnnnnn   n + 1 registers are zero, high bits first
 *   1vvvvvnn            n + 1 registers are v + 1
 *
 * see hyperloglog-sparse.ts. Functions take a buffer and the position of the payload's first byte.
 */
import { murmur, murmur64 } from "../../base/murmur.ts";

export const REGISTER_COUNT = 16384;
export const HEADER_BYTES = 16;
export const DENSE_BYTES = HEADER_BYTES + (REGISTER_COUNT * 6) / 8;
export const HllEncoding = { Dense: 0, Sparse: 1 } as const;
/** Longest run that a hash can show: 50 bits that are no index, and the one that ends the run. */
export const RUN_MAX = 51;

const INDEX_BITS = 14;
const SEED = 0xadc83b19;
/** 1 / (2 ln 2). */
const ALPHA = 0.7213475204444817;
const CACHE_AT = 8;
const STALE_AT = 15;
const MAGIC = [72, 89, 76, 76];

/** Register and run of the element that hashElement was called with last. */
export const element = { register: 0, run: 0 };

/** Hashes an element; the result is left in `element`. */
export function hashElement(buf: Uint8Array, offset: number, length: number): void {
  murmur64(buf, offset, length, SEED);
  element.register = murmur.low & (REGISTER_COUNT - 1);
  const lower = murmur.low >>> INDEX_BITS;
  if (lower !== 0) element.run = trailingZeros(lower) + 1;
  else element.run = murmur.high === 0 ? RUN_MAX : trailingZeros(murmur.high) + 32 - INDEX_BITS + 1;
}

/** Of a word that is not 0. */
function trailingZeros(word: number): number {
  return 31 - Math.clz32(word & -word);
}

/** Whether the bytes are a HyperLogLog by their header; a sparse one may still turn out to be corrupt. */
export function isHyperLogLog(buf: Uint8Array, at: number, length: number): boolean {
  if (length < HEADER_BYTES) return false;
  for (let i = 0; i < MAGIC.length; i++) if (buf[at + i] !== MAGIC[i]) return false;
  const encoding = buf[at + 4];
  return encoding === HllEncoding.Sparse || (encoding === HllEncoding.Dense && length === DENSE_BYTES);
}

/** Writes the header of an empty HyperLogLog. */
export function writeHeader(buf: Uint8Array, at: number, encoding: number): void {
  buf.fill(0, at, at + HEADER_BYTES);
  for (let i = 0; i < MAGIC.length; i++) buf[at + i] = MAGIC[i];
  buf[at + 4] = encoding;
}

/** Marks the cached cardinality as out of date. */
export function staleCache(buf: Uint8Array, at: number): void {
  buf[at + STALE_AT] |= 128;
}

/** The cached cardinality as int64 halves in `out`; false when it is out of date. */
export function readCache(buf: Uint8Array, at: number, out: { low: number; high: number }): boolean {
  if ((buf[at + STALE_AT] & 128) !== 0) return false;
  const i = at + CACHE_AT;
  out.low = buf[i] | (buf[i + 1] << 8) | (buf[i + 2] << 16) | (buf[i + 3] << 24);
  out.high = buf[i + 4] | (buf[i + 5] << 8) | (buf[i + 6] << 16) | (buf[i + 7] << 24);
  return true;
}

/** Stores a cardinality, which is a safe integer. */
export function writeCache(buf: Uint8Array, at: number, cardinality: number): void {
  let rest = cardinality;
  for (let i = 0; i < 8; i++) {
    buf[at + CACHE_AT + i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
}

/** A register of a dense payload. */
export function denseRegister(buf: Uint8Array, at: number, register: number): number {
  const bit = register * 6;
  const i = at + HEADER_BYTES + (bit >>> 3);
  const shift = bit & 7;
  const low = buf[i] >>> shift;
  return (shift > 2 ? low | (buf[i + 1] << (8 - shift)) : low) & 63;
}

/** Sets a register of a dense payload to a value below 64. */
export function setDenseRegister(buf: Uint8Array, at: number, register: number, value: number): void {
  const bit = register * 6;
  const i = at + HEADER_BYTES + (bit >>> 3);
  const shift = bit & 7;
  buf[i] = (buf[i] & ~(63 << shift)) | (value << shift);
  if (shift > 2) buf[i + 1] = (buf[i + 1] & ~(63 >>> (8 - shift))) | (value >>> (8 - shift));
}

/** Raises a register of a dense payload to `run`; true when it was lower. */
export function raiseDenseRegister(buf: Uint8Array, at: number, register: number, run: number): boolean {
  if (denseRegister(buf, at, register) >= run) return false;
  setDenseRegister(buf, at, register, run);
  return true;
}

/** Raises every register of `registers` (a byte each) to that of a dense payload. */
export function mergeDense(registers: Uint8Array, buf: Uint8Array, at: number): void {
  let i = at + HEADER_BYTES;
  for (let r = 0; r < REGISTER_COUNT; r += 4) {
    const word = buf[i] | (buf[i + 1] << 8) | (buf[i + 2] << 16);
    i += 3;
    const a = word & 63;
    const b = (word >>> 6) & 63;
    const c = (word >>> 12) & 63;
    const d = word >>> 18;
    if (a > registers[r]) registers[r] = a;
    if (b > registers[r + 1]) registers[r + 1] = b;
    if (c > registers[r + 2]) registers[r + 2] = c;
    if (d > registers[r + 3]) registers[r + 3] = d;
  }
}

/** Writes registers (a byte each) as those of a dense payload. */
export function packDense(buf: Uint8Array, at: number, registers: Uint8Array): void {
  let i = at + HEADER_BYTES;
  for (let r = 0; r < REGISTER_COUNT; r += 4) {
    const word = registers[r] | (registers[r + 1] << 6) | (registers[r + 2] << 12) | (registers[r + 3] << 18);
    buf[i++] = word;
    buf[i++] = word >>> 8;
    buf[i++] = word >>> 16;
  }
}

/** How many registers have each value. Cleared by its users. */
export type Histogram = Int32Array;

/** Adds the registers of a dense payload to a histogram of 64 values. */
export function countDense(histogram: Histogram, buf: Uint8Array, at: number): void {
  const end = at + DENSE_BYTES;
  for (let i = at + HEADER_BYTES; i < end; i += 3) {
    const word = buf[i] | (buf[i + 1] << 8) | (buf[i + 2] << 16);
    histogram[word & 63]++;
    histogram[(word >>> 6) & 63]++;
    histogram[(word >>> 12) & 63]++;
    histogram[word >>> 18]++;
  }
}

/** The cardinality that a histogram of all registers tells, by Otmar Ertl's improved estimator (arXiv:1702.01284, algorithm 6). */
export function estimate(histogram: Histogram): number {
  const m = REGISTER_COUNT;
  let z = m * tau((m - histogram[RUN_MAX]) / m);
  for (let run = RUN_MAX - 1; run >= 1; run--) z = (z + histogram[run]) * 0.5;
  z += m * sigma(histogram[0] / m);
  return Math.round((ALPHA * m * m) / z);
}

function sigma(share: number): number {
  if (share === 1) return Number.POSITIVE_INFINITY;
  let x = share;
  let y = 1;
  let z = x;
  for (let last = Number.NaN; last !== z; ) {
    x *= x;
    last = z;
    z += x * y;
    y += y;
  }
  return z;
}

function tau(share: number): number {
  if (share === 0 || share === 1) return 0;
  let x = share;
  let y = 1;
  let z = 1 - x;
  for (let last = Number.NaN; last !== z; ) {
    x = Math.sqrt(x);
    last = z;
    y *= 0.5;
    z -= (1 - x) * (1 - x) * y;
  }
  return z / 3;
}
