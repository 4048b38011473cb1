/**
 * Byte-level leaves: comparison, copying and conversion over (buffer, offset, length) triples.
 * No function here makes a view; those that make a string say so.
 */

const LOOP_COPY_MAX = 24;
/**
 * The one native copy that takes offsets: a view would cost three times as much, and the collector's time later. Null until it is wanted: a process that has
 * no Buffer yet pays a fifth of a millisecond for its class.
 */
let nativeCopy: typeof Buffer.prototype.copy | null = null;

function loadNativeCopy(): typeof Buffer.prototype.copy {
  nativeCopy = Buffer.prototype.copy;
  return nativeCopy;
}

/** Copies `length` bytes between two buffers, or two runs of one that do not overlap. Short runs are looped: a native call costs more than 24 byte stores. */
export function copyBytes(
  source: Uint8Array,
  sourceOffset: number,
  target: Uint8Array,
  targetOffset: number,
  length: number,
): void {
  if (length <= LOOP_COPY_MAX) {
    for (let i = 0; i < length; i++) target[targetOffset + i] = source[sourceOffset + i];
  } else if (
    (nativeCopy ?? loadNativeCopy()).call(source, target, targetOffset, sourceOffset, sourceOffset + length) !== length
  ) {
    throw new RangeError(`${length} bytes do not fit`);
  }
}

/** True when the two runs of `length` bytes are equal. */
export function equalBytes(a: Uint8Array, aOffset: number, b: Uint8Array, bOffset: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (a[aOffset + i] !== b[bOffset + i]) return false;
  return true;
}

/** memcmp order of two runs, the shorter first when one is a prefix of the other: negative, zero or positive. */
export function compareBytes(
  a: Uint8Array,
  aOffset: number,
  aLength: number,
  b: Uint8Array,
  bOffset: number,
  bLength: number,
): number {
  const shared = aLength < bLength ? aLength : bLength;
  for (let i = 0; i < shared; i++) {
    const difference = a[aOffset + i] - b[bOffset + i];
    if (difference !== 0) return difference;
  }
  return aLength - bLength;
}

/** ASCII case-insensitive comparison of a run with `lower`, a lower-case ASCII string. Makes no string. */
export function equalsToken(buf: Uint8Array, offset: number, length: number, lower: string): boolean {
  if (length !== lower.length) return false;
  for (let i = 0; i < length; i++) {
    let c = buf[offset + i];
    if (c >= 65 && c <= 90) c |= 32;
    if (c !== lower.charCodeAt(i)) return false;
  }
  return true;
}

/** The bytes of a latin1 ("binary") string: one byte a character. */
export function latin1Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** Is every character of a text one of ASCII's? Then its latin1 form and its UTF-8 form are the text itself. */
export function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false;
  return true;
}

/** Of longer runs the runtime is quicker; but its first Buffer takes a quarter of a millisecond. */
const SHORT_RUN_MAX = 12;

/** A run as a latin1 ("binary") string, for slow paths: every byte keeps its value. */
export function latin1(buf: Uint8Array, offset: number, length: number): string {
  if (length <= SHORT_RUN_MAX) {
    let text = "";
    for (let i = offset; i < offset + length; i++) text += String.fromCharCode(buf[i]);
    return text;
  }
  return Buffer.from(buf.buffer, buf.byteOffset + offset, length).toString("latin1");
}

/** An owned copy of a run. */
export function copyOf(buf: Uint8Array, offset: number, length: number): Uint8Array {
  const copy = new Uint8Array(length);
  copyBytes(buf, offset, copy, 0, length);
  return copy;
}

/** A text up to its first NUL: all that Redis keeps of a setting, or shows of an argument, where it works with C strings. */
export function untilNul(text: string): string {
  const end = text.indexOf("\0");
  return end < 0 ? text : text.slice(0, end);
}
