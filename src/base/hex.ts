/** Hexadecimal text of bytes, lower case on output, either case on input. */

const DIGITS = "0123456789abcdef";

/** Lower-case hexadecimal of `src[offset, offset + length)`. */
export function hexEncode(src: Uint8Array, offset: number, length: number): string {
  let text = "";
  for (let i = offset; i < offset + length; i++) text += DIGITS[src[i] >>> 4] + DIGITS[src[i] & 15];
  return text;
}

/** Writes `2 * length` lower-case hexadecimal digits at `dst[dstOffset]`; returns the offset after them. */
export function writeHex(
  dst: Uint8Array,
  dstOffset: number,
  src: Uint8Array,
  srcOffset: number,
  length: number,
): number {
  for (let i = 0; i < length; i++) {
    const byte = src[srcOffset + i];
    dst[dstOffset++] = hexDigit(byte >>> 4);
    dst[dstOffset++] = hexDigit(byte & 15);
  }
  return dstOffset;
}

/** The ASCII code of the lower-case hexadecimal digit of 0 <= value < 16. */
export function hexDigit(value: number): number {
  return value < 10 ? 48 + value : 87 + value;
}

/** Value of an ASCII hexadecimal digit, or -1. */
export function hexValue(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

/**
 * Decodes hexadecimal digits of `src[srcOffset, srcOffset + length)` into `dst[dstOffset]`.
 * Returns the number of bytes written, or -1 when a byte is no hexadecimal digit or the length is odd (then `dst` may
 * hold part of the result).
 */
export function hexDecode(
  dst: Uint8Array,
  dstOffset: number,
  src: Uint8Array,
  srcOffset: number,
  length: number,
): number {
  if (length % 2 !== 0) return -1;
  for (let i = 0; i < length; i += 2) {
    const high = hexValue(src[srcOffset + i]);
    const low = hexValue(src[srcOffset + i + 1]);
    if (high < 0 || low < 0) return -1;
    dst[dstOffset++] = (high << 4) | low;
  }
  return length / 2;
}
