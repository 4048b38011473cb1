/**
 * The keyed hash of the off-heap dictionaries: HalfSipHash-1-3 (Aumasson and Bernstein; the 32-bit member of the SipHash
 * family that Linux uses for its hash tables). 32-bit state suits int32 arithmetic; the 64-bit key is random per server,
 * so that a client cannot choose collisions.
 */

/** Hash of `length` bytes under the key (k0, k1); any int32. */
export function hashBytes(buf: Uint8Array, offset: number, length: number, k0: number, k1: number): number {
  let v0 = k0 | 0;
  let v1 = k1 | 0;
  let v2 = 0x6c796765 ^ k0;
  let v3 = 0x74656462 ^ k1;
  const end = offset + (length & ~3);
  let p = offset;
  for (; p < end; p += 4) {
    const m = buf[p] | (buf[p + 1] << 8) | (buf[p + 2] << 16) | (buf[p + 3] << 24);
    v3 ^= m;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= m;
  }
  let last = length << 24;
  const rest = length & 3;
  if (rest > 0) last |= buf[p];
  if (rest > 1) last |= buf[p + 1] << 8;
  if (rest > 2) last |= buf[p + 2] << 16;
  v3 ^= last;
  // One compression round for the last word, then (after v2 is marked) three finalisation rounds.
  for (let round = 0; round < 4; round++) {
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    if (round === 0) {
      v0 ^= last;
      v2 ^= 0xff;
    }
  }
  return v1 ^ v3;
}
