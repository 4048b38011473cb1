/**
 * CRC-16/XMODEM (polynomial 0x1021, not reflected, zero in and out) and the cluster slot of a key that is made of it.
 */

const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;

/** Number of hash slots of a cluster. */
export const SLOT_COUNT = 16384;

const TABLE = buildTable();

/** The table is linear, T[a ^ b] = T[a] ^ T[b]: each power of two is its half shifted once, the rest are sums. */
function buildTable(): Uint16Array {
  const table = new Uint16Array(256);
  let power = 0x1021;
  for (let bit = 1; bit < 256; bit <<= 1) {
    for (let below = 0; below < bit; below++) table[bit | below] = power ^ table[below];
    power = ((power << 1) ^ (power & 0x8000 ? 0x1021 : 0)) & 0xffff;
  }
  return table;
}

/** CRC-16 of `buf[offset, offset + length)`. */
export function crc16(buf: Uint8Array, offset: number, length: number): number {
  let crc = 0;
  for (let at = offset; at < offset + length; at++) crc = ((crc << 8) & 0xff00) ^ TABLE[(crc >>> 8) ^ buf[at]];
  return crc;
}

/**
 * Slot of a key, 0 <= slot < SLOT_COUNT. Only the bytes between the first "{" and the first "}" after it are hashed,
 * when there is at least one: so keys with the same tag share a slot.
 */
export function keyHashSlot(buf: Uint8Array, offset: number, length: number): number {
  const end = offset + length;
  let open = offset;
  while (open < end && buf[open] !== OPEN_BRACE) open++;
  if (open < end) {
    let close = open + 1;
    while (close < end && buf[close] !== CLOSE_BRACE) close++;
    if (close < end && close > open + 1) return crc16(buf, open + 1, close - open - 1) & (SLOT_COUNT - 1);
  }
  return crc16(buf, offset, length) & (SLOT_COUNT - 1);
}
