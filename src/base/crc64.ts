/**
 * CRC-64 with the Jones polynomial (0xad93d23594c935a9, reflected, zero in and out): the checksum of an RDB file, of a
 * DUMP payload and of a replication snapshot.
 *
 * The 64-bit register is two int32 halves. Eight bytes go through eight tables at a time: table k holds the register
 * after a byte has been followed by k zero bytes. Layout: TABLES[k * 256 + byte], the low and the high halves apart.
 */

const SLICES = 8;
/** Shorter runs go byte by byte. */
const WORDS_MIN = 64;
/** The reflected polynomial, in halves. */
const POLY_LOW = 0xac4bc9b5 | 0;
const POLY_HIGH = 0x95ac9329 | 0;

const tableLow = new Int32Array(SLICES * 256);
const tableHigh = new Int32Array(SLICES * 256);
let tablesReady = false;

/** Built on first use, so that start-up does not pay for it. */
function buildTables(): void {
  let low = POLY_LOW;
  let high = POLY_HIGH;
  for (let bit = 128; bit > 0; bit >>>= 1) {
    for (let above = 0; above < 256; above += bit << 1) {
      tableLow[above | bit] = low ^ tableLow[above];
      tableHigh[above | bit] = high ^ tableHigh[above];
    }
    const carry = low & 1;
    low = (low >>> 1) | (high << 31);
    high >>>= 1;
    if (carry) {
      low ^= POLY_LOW;
      high ^= POLY_HIGH;
    }
  }
  for (let i = 256; i < SLICES * 256; i++) {
    const byte = tableLow[i - 256] & 0xff;
    tableLow[i] = (tableLow[i - 256] >>> 8) ^ (tableHigh[i - 256] << 24) ^ tableLow[byte];
    tableHigh[i] = (tableHigh[i - 256] >>> 8) ^ tableHigh[byte];
  }
  tablesReady = true;
}

/** A running CRC-64. A fresh one is the checksum of no bytes, zero. */
export class Crc64 {
  /** Low 32 bits, int32. */
  low = 0;
  /** High 32 bits, int32. */
  high = 0;

  /** Takes the next bytes, `buf[offset, offset + length)`, into the checksum. */
  update(buf: Uint8Array, offset: number, length: number): void {
    if (!tablesReady) buildTables();
    const end = offset + length;
    if (length < WORDS_MIN) {
      this.#updateBytes(buf, offset, end);
      return;
    }
    const first = offset + (-(buf.byteOffset + offset) & 3);
    const pairs = (end - first) >> 3;
    this.#updateBytes(buf, offset, first);
    this.#updatePairs(new Int32Array(buf.buffer, buf.byteOffset + first, pairs * 2));
    this.#updateBytes(buf, first + pairs * 8, end);
  }

  #updateBytes(buf: Uint8Array, from: number, end: number): void {
    const lowOf = tableLow;
    const highOf = tableHigh;
    let { low, high } = this;
    for (let at = from; at < end; at++) {
      const index = (low ^ buf[at]) & 0xff;
      low = ((low >>> 8) | (high << 24)) ^ lowOf[index];
      high = (high >>> 8) ^ highOf[index];
    }
    this.low = low;
    this.high = high;
  }

  /** Takes pairs of little-endian words: a third faster than eight bytes, and worth a view from some hundred bytes on. */
  #updatePairs(words: Int32Array): void {
    const lowOf = tableLow;
    const highOf = tableHigh;
    let { low, high } = this;
    for (let i = 0; i + 1 < words.length; i += 2) {
      low ^= words[i];
      high ^= words[i + 1];
      const a = 1792 + (low & 0xff);
      const b = 1536 + ((low >>> 8) & 0xff);
      const c = 1280 + ((low >>> 16) & 0xff);
      const d = 1024 + (low >>> 24);
      const e = 768 + (high & 0xff);
      const f = 512 + ((high >>> 8) & 0xff);
      const g = 256 + ((high >>> 16) & 0xff);
      const h = high >>> 24;
      low = lowOf[a] ^ lowOf[b] ^ lowOf[c] ^ lowOf[d] ^ lowOf[e] ^ lowOf[f] ^ lowOf[g] ^ lowOf[h];
      high = highOf[a] ^ highOf[b] ^ highOf[c] ^ highOf[d] ^ highOf[e] ^ highOf[f] ^ highOf[g] ^ highOf[h];
    }
    this.low = low;
    this.high = high;
  }

  /** Back to the checksum of no bytes. */
  reset(): void {
    this.low = 0;
    this.high = 0;
  }

  /** Writes the checksum as 8 little-endian bytes at `dst[offset]`; returns the offset after them. */
  write(dst: Uint8Array, offset: number): number {
    for (let shift = 0; shift < 32; shift += 8) dst[offset++] = this.low >>> shift;
    for (let shift = 0; shift < 32; shift += 8) dst[offset++] = this.high >>> shift;
    return offset;
  }

  /** Whether the 8 little-endian bytes at `src[offset]` are this checksum. */
  matches(src: Uint8Array, offset: number): boolean {
    for (let i = 0; i < 8; i++) {
      const half = i < 4 ? this.low : this.high;
      if (src[offset + i] !== ((half >>> ((i & 3) << 3)) & 0xff)) return false;
    }
    return true;
  }

  /** The checksum as 16 lower-case hexadecimal digits, most significant first. */
  toHex(): string {
    return (this.high >>> 0).toString(16).padStart(8, "0") + (this.low >>> 0).toString(16).padStart(8, "0");
  }
}
