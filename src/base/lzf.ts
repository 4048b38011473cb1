/**
 * LZF, the compression of strings inside an RDB file. What is compressed here becomes the same bytes as with Redis' library, so that payloads are equal: the
 * same hash of three bytes chooses the candidates, and the same rules say how far a copy reaches and what does not fit. A stream is a sequence of
 *
 *   000LLLLL, L+1 bytes               L+1 = 1..32 literal bytes
 *   LLLooooo oooooooo                 copy of L+2 = 3..8 bytes from o+1 = 1..8192 bytes back
 *   111ooooo LLLLLLLL oooooooo        copy of L+9 = 9..264 bytes
 *
 * with offsets most significant first. Copies may overlap what they write (a run is a copy from one byte back).
 */

const LITERAL_MAX = 32;
const COPY_MIN = 3;
/** Copies from here on take three bytes instead of two. */
const LONG_COPY_MIN = 9;
const COPY_MAX = 264;
const DISTANCE_MAX = 8192;
/** Bytes that must be left behind a copy, itself included, and behind all literals but the last two. */
const COPY_ROOM = 4;
const TAIL_ROOM = 3;
/** Bytes that are copied at a time. */
const STRIDE = 4;
const HASH_BITS = 16;
const HASH_MASK = (1 << HASH_BITS) - 1;
/** Positions are kept as base + offset, so that entries of earlier calls are simply out of date. */
const BASE_MAX = 0x3fffffff;

let positions: Int32Array | null = null;
let positionBase = 1;

/**
 * Compresses `src[srcOffset, srcOffset + srcLength)` into at most `dstMax` bytes at `dst[dstOffset]`.
 * Returns the compressed length, or 0 when it does not fit, or only just might (then `dst` may hold part of it).
 */
export function lzfCompress(
  src: Uint8Array,
  srcOffset: number,
  srcLength: number,
  dst: Uint8Array,
  dstOffset: number,
  dstMax: number,
): number {
  const table = (positions ??= new Int32Array(1 << HASH_BITS));
  if (positionBase + srcLength > BASE_MAX) {
    table.fill(0);
    positionBase = 1;
  }
  const base = positionBase - srcOffset;
  positionBase += srcLength;
  const end = srcOffset + srcLength;
  const dstEnd = dstOffset + dstMax;
  let out = dstOffset;
  let literalStart = srcOffset;
  let at = srcOffset;
  while (at + COPY_MIN <= end) {
    const slot = hash3(src, at);
    const from = table[slot] - base;
    table[slot] = at + base;
    // `from` is a position of this call, at most DISTANCE_MAX back, with the same three bytes. The very first is no candidate.
    if (
      from <= srcOffset ||
      at - from > DISTANCE_MAX ||
      src[from] !== src[at] ||
      src[from + 1] !== src[at + 1] ||
      src[from + 2] !== src[at + 2]
    ) {
      at++;
      continue;
    }
    const length = matchLength(src, from, at, end);
    out = writeLiterals(src, literalStart, at, dst, out, dstEnd);
    if (out < 0 || out + COPY_ROOM >= dstEnd) return 0;
    out = writeCopy(dst, out, at - from - 1, length - 2);
    // Two positions inside the copy are enough to find the next one; indexing all of them costs more than it saves.
    at += length;
    literalStart = at;
    if (at + 2 < end) {
      table[hash3(src, at - 2)] = at - 2 + base;
      table[hash3(src, at - 1)] = at - 1 + base;
    }
  }
  // The literals up to the last two bytes of the input, and the head of the next run, must leave room.
  const tail = end - 2 > literalStart ? end - 2 - literalStart : 0;
  const runs = (tail / LITERAL_MAX) | 0;
  if (srcLength === 0 || out + tail + runs + 1 + TAIL_ROOM > dstEnd) return 0;
  out = writeLiterals(src, literalStart, end, dst, out, dstEnd);
  return out < 0 ? 0 : out - dstOffset;
}

/** The hash of the three bytes at `at`. */
function hash3(src: Uint8Array, at: number): number {
  const first = (src[at] << 8) | src[at + 1];
  const second = (src[at + 1] << 8) | src[at + 2];
  return (first - second * 5) & HASH_MASK;
}

/**
 * Length of the copy of `src[from...]` at `src[at...]`, of which three bytes are known to be equal. The last two bytes of the input stay literals, unless the
 * copy is one of the shortest, or of 18 or 19 bytes.
 */
function matchLength(src: Uint8Array, from: number, at: number, end: number): number {
  const left = end - at - 2;
  let limit = left < COPY_MAX ? left : COPY_MAX;
  if (limit > 16 && limit < 19) limit = 19;
  let length = COPY_MIN;
  while (length < limit && src[from + length] === src[at + length]) length++;
  return length;
}

/** Writes literal runs; returns the offset after them, or -1 when they do not fit. */
function writeLiterals(
  src: Uint8Array,
  start: number,
  end: number,
  dst: Uint8Array,
  out: number,
  dstEnd: number,
): number {
  while (start < end) {
    const count = end - start < LITERAL_MAX ? end - start : LITERAL_MAX;
    if (out + 1 + count > dstEnd) return -1;
    dst[out++] = count - 1;
    for (let i = 0; i < count; i++) dst[out++] = src[start++];
  }
  return out;
}

function writeCopy(dst: Uint8Array, out: number, distance: number, length: number): number {
  if (length < 7) {
    dst[out++] = (length << 5) | (distance >>> 8);
  } else {
    dst[out++] = 0xe0 | (distance >>> 8);
    dst[out++] = length - 7;
  }
  dst[out++] = distance & 0xff;
  return out;
}

/**
 * Decompresses `src[srcOffset, srcOffset + srcLength)` into at most `dstMax` bytes at `dst[dstOffset]`.
 * Returns the length of the result, or -1 when the stream is malformed or the result does not fit. Reads and writes
 * nothing outside the two ranges.
 */
export function lzfDecompress(
  src: Uint8Array,
  srcOffset: number,
  srcLength: number,
  dst: Uint8Array,
  dstOffset: number,
  dstMax: number,
): number {
  const end = srcOffset + srcLength;
  const dstEnd = dstOffset + dstMax;
  let at = srcOffset;
  let out = dstOffset;
  while (at < end) {
    const control = src[at++];
    if (control < LITERAL_MAX) {
      const count = control + 1;
      if (at + count > end || out + count > dstEnd) return -1;
      for (const stop = out + count; out < stop; ) dst[out++] = src[at++];
      continue;
    }
    let length = (control >>> 5) + 2;
    if (length === LONG_COPY_MIN) {
      if (at >= end) return -1;
      length += src[at++];
    }
    if (at >= end) return -1;
    let from = out - 1 - (((control & 31) << 8) | src[at++]);
    if (from < dstOffset || out + length > dstEnd) return -1;
    if (from + length <= out && length > LITERAL_MAX) {
      dst.copyWithin(out, from, from + length);
      out += length;
      continue;
    }
    const stop = out + length;
    // Four bytes at a time are read before they are written: right only where they do not overlap.
    if (out - from >= STRIDE) for (; out + STRIDE <= stop; out += STRIDE, from += STRIDE) copyStride(dst, from, out);
    while (out < stop) dst[out++] = dst[from++];
  }
  return out - dstOffset;
}

function copyStride(bytes: Uint8Array, from: number, to: number): void {
  const a = bytes[from];
  const b = bytes[from + 1];
  const c = bytes[from + 2];
  const d = bytes[from + 3];
  bytes[to] = a;
  bytes[to + 1] = b;
  bytes[to + 2] = c;
  bytes[to + 3] = d;
}
