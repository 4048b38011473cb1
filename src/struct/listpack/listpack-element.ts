/**
 * One element of a listpack, as bytes: how it is read, measured, written and checked. Redis' layout, little-endian:
 *
 *   element   [encoding and payload: n bytes][n, backwards: 1 to 5 bytes]
 *
 *   0xxxxxxx                     0 to 127                    10llllll, l bytes            string of up to 63 bytes
 *   110xxxxx x                   13-bit signed integer       1110llll l, l bytes          string of up to 4,095 bytes
 *   241, 242, 243, 244           signed integer of 2, 3,     240, l:4, l bytes            a longer string
 *                                4 or 8 bytes that follow
 *
 * The canonical decimal form of an int64 is stored as an integer, in the shortest form that holds it. n is written in groups of seven bits, the
 * highest first, so that it can be read from its end: every byte but the first has bit 7 set.
 *
 * Functions take a buffer and the position of an element in it; none makes a view.
 */
import { copyBytes } from "../../base/bytes.ts";
import { int64ToNumber, parseInt64Halves, writeInt64Halves } from "../../base/int64.ts";

/** The byte that ends a listpack; no element starts with it. */
export const LISTPACK_END = 255;

const STRING_6_MAX = 63;
const STRING_12_MAX = 4095;
const STRING_32 = 0xf0;
const INT_16 = 0xf1;
const INT_24 = 0xf2;
const INT_32 = 0xf3;
const INT_64 = 0xf4;
/** Longest decimal form of an int64. */
const INT_TEXT_MAX = 20;
const MINUS = 45;
const NINE = 57;

/** The unsigned 32-bit number at `p`. */
export function readUint32(buf: Uint8Array, p: number): number {
  return (buf[p] | (buf[p + 1] << 8) | (buf[p + 2] << 16) | (buf[p + 3] << 24)) >>> 0;
}

export function writeUint32(buf: Uint8Array, p: number, n: number): void {
  buf[p] = n;
  buf[p + 1] = n >>> 8;
  buf[p + 2] = n >>> 16;
  buf[p + 3] = n >>> 24;
}

/** Bytes that the length of an element of `n` bytes takes. */
export function backLengthBytes(n: number): number {
  if (n <= 127) return 1;
  if (n < 16383) return 2;
  if (n < 2097151) return 3;
  return n < 268435455 ? 4 : 5;
}

/** Bytes of the element at `p` without the length behind it. Its first byte must be that of an element. */
export function payloadBytes(buf: Uint8Array, p: number): number {
  const b = buf[p];
  if (b < 0x80) return 1;
  if (b < 0xc0) return 1 + (b & 63);
  if (b < 0xe0) return 2;
  if (b < 0xf0) return 2 + (((b & 15) << 8) | buf[p + 1]);
  if (b === STRING_32) return 5 + readUint32(buf, p + 1);
  return b === INT_64 ? 9 : b - STRING_32 + 2;
}

/** All bytes of the element at `p`. */
export function elementBytes(buf: Uint8Array, p: number): number {
  const b = buf[p];
  if (b < 0x80) return 2;
  if (b < 0xc0) return 2 + (b & 63);
  if (b < 0xe0) return 3;
  const n = payloadBytes(buf, p);
  return n + backLengthBytes(n);
}

/** Where the element begins that ends before `p`. */
export function elementBefore(buf: Uint8Array, p: number): number {
  let at = p - 1;
  let n = buf[at] & 127;
  for (let scale = 128; (buf[at] & 128) !== 0 && at > p - 5; scale *= 128) {
    at--;
    n += (buf[at] & 127) * scale;
  }
  return at - n;
}

/** The integer that the latest readInteger or spellsInteger found, as halves. */
export const integer = { low: 0, high: 0 };

/** Reads the element at `p` into `integer`; false when it is a string. */
export function readInteger(buf: Uint8Array, p: number): boolean {
  const b = buf[p];
  let low = 0;
  if (b < 0x80) low = b;
  else if (b >= 0xc0 && b < 0xe0) low = ((((b & 31) << 8) | buf[p + 1]) << 19) >> 19;
  else if (b === INT_16) low = ((buf[p + 1] | (buf[p + 2] << 8)) << 16) >> 16;
  else if (b === INT_24) low = ((buf[p + 1] | (buf[p + 2] << 8) | (buf[p + 3] << 16)) << 8) >> 8;
  else if (b === INT_32 || b === INT_64) low = readUint32(buf, p + 1) | 0;
  else return false;
  integer.low = low;
  integer.high = b === INT_64 ? readUint32(buf, p + 5) | 0 : low >> 31;
  return true;
}

/** True when the element at `p` is a string. */
export function isString(buf: Uint8Array, p: number): boolean {
  const b = buf[p];
  return b >= 0x80 && (b < 0xc0 || (b >= 0xe0 && b <= STRING_32));
}

/** True when the element at `p` is a string of the shortest form, of up to 63 bytes. */
export function isShortString(buf: Uint8Array, p: number): boolean {
  return (buf[p] & 0xc0) === 0x80;
}

/** Bytes of the string at `p`. */
export function stringLength(buf: Uint8Array, p: number): number {
  const b = buf[p];
  if (b < 0xc0) return b & 63;
  return b < STRING_32 ? ((b & 15) << 8) | buf[p + 1] : readUint32(buf, p + 1);
}

/** Where the bytes of the string at `p` begin. */
export function stringAt(buf: Uint8Array, p: number): number {
  const b = buf[p];
  if (b < 0xc0) return p + 1;
  return b < STRING_32 ? p + 2 : p + 5;
}

/** True when the bytes are the canonical decimal form of an int64, which is then in `integer`. */
export function spellsInteger(buf: Uint8Array, offset: number, length: number): boolean {
  if (length === 0 || length > INT_TEXT_MAX) return false;
  const first = buf[offset];
  if (first > NINE || (first < 48 && first !== MINUS)) return false;
  return parseInt64Halves(buf, offset, length, integer);
}

/** An element as it was read, owned by whoever reads: an integer, or a run of bytes that is good until the listpack changes. */
export class ListpackElement {
  isInteger = false;
  /** Halves of the integer. */
  low = 0;
  high = 0;
  /** The bytes of a string; those of an integer only after text(). */
  buf: Uint8Array = new Uint8Array(0);
  at = 0;
  length = 0;
  readonly #digits = new Uint8Array(24);

  /** Takes the element at `p`. */
  read(buf: Uint8Array, p: number): void {
    this.isInteger = readInteger(buf, p);
    if (this.isInteger) {
      this.low = integer.low;
      this.high = integer.high;
      return;
    }
    this.buf = buf;
    this.at = stringAt(buf, p);
    this.length = stringLength(buf, p);
  }

  /** Makes buf, at and length the element's bytes whatever it is: an integer is written in decimal into a buffer of this object. */
  text(): void {
    if (!this.isInteger) return;
    this.buf = this.#digits;
    this.at = 0;
    this.length = writeInt64Halves(this.#digits, 0, this.low, this.high);
  }

  /** The integer as a number; NaN when it is none within 2^53. */
  number(): number {
    return this.isInteger ? int64ToNumber(this.low, this.high) : Number.NaN;
  }
}

/** How an element is to be stored: `bytes` without the length behind it. The result of the form functions, and what writeElement obeys. */
const form = { isInteger: false, bytes: 0, low: 0, high: 0 };

/** Decides how bytes are stored. Returns all bytes of the element. */
export function elementForm(buf: Uint8Array, offset: number, length: number): number {
  if (spellsInteger(buf, offset, length)) return integerForm(integer.low, integer.high);
  form.isInteger = false;
  form.bytes = length + (length <= STRING_6_MAX ? 1 : length <= STRING_12_MAX ? 2 : 5);
  return form.bytes + backLengthBytes(form.bytes);
}

/** The same for an int64 given as halves. */
export function integerForm(low: number, high: number): number {
  form.isInteger = true;
  form.low = low;
  form.high = high;
  form.bytes = integerBytes(low, high);
  return form.bytes + 1;
}

/** Payload bytes of an int64. */
function integerBytes(low: number, high: number): number {
  if (high !== low >> 31) return 9;
  if (low >= -4096 && low <= 4095) return low >= 0 && low <= 127 ? 1 : 2;
  if (low >= -32768 && low <= 32767) return 3;
  return low >= -8388608 && low <= 8388607 ? 4 : 5;
}

/** Writes the element whose form was decided last at `p`; the bytes are those that were given then (not looked at for an integer). Returns its end. */
export function writeElement(target: Uint8Array, p: number, buf: Uint8Array, offset: number, length: number): number {
  if (form.isInteger) {
    writeIntegerPayload(target, p, form.low, form.high, form.bytes);
  } else {
    writeStringHead(target, p, length);
    copyBytes(buf, offset, target, p + form.bytes - length, length);
  }
  return writeBackLength(target, p + form.bytes, form.bytes);
}

function writeStringHead(target: Uint8Array, p: number, length: number): void {
  if (length <= STRING_6_MAX) {
    target[p] = 0x80 | length;
  } else if (length <= STRING_12_MAX) {
    target[p] = 0xe0 | (length >> 8);
    target[p + 1] = length;
  } else {
    target[p] = STRING_32;
    writeUint32(target, p + 1, length);
  }
}

function writeIntegerPayload(target: Uint8Array, p: number, low: number, high: number, bytes: number): void {
  if (bytes === 1) {
    target[p] = low;
  } else if (bytes === 2) {
    target[p] = 0xc0 | ((low >> 8) & 31);
    target[p + 1] = low;
  } else if (bytes === 9) {
    target[p] = INT_64;
    writeUint32(target, p + 1, low);
    writeUint32(target, p + 5, high);
  } else {
    target[p] = STRING_32 + bytes - 2;
    for (let i = 1, rest = low; i < bytes; i++, rest >>= 8) target[p + i] = rest;
  }
}

/** Writes the length `n` of an element at `p`, behind it. Returns the end. */
function writeBackLength(target: Uint8Array, p: number, n: number): number {
  if (n <= 127) {
    target[p] = n;
    return p + 1;
  }
  const end = p + backLengthBytes(n);
  let rest = n;
  for (let at = end - 1; at > p; at--) {
    target[at] = (rest & 127) | 128;
    rest >>>= 7;
  }
  target[p] = rest;
  return end;
}

/** Bytes of the element at `p`, which is not known to be one: 0 when it is none, or does not lie before `end` with a right length behind it. */
export function checkedElementBytes(buf: Uint8Array, p: number, end: number): number {
  if (p >= end) return 0;
  const b = buf[p];
  if (b < 0xe0) {
    const short = b < 0x80 ? 1 : b < 0xc0 ? 1 + (b & STRING_6_MAX) : 2;
    return p + short < end && buf[p + short] === short ? short + 1 : 0;
  }
  if (b > INT_64) return 0;
  const headBytes = b === STRING_32 ? 5 : 2;
  if (p + headBytes > end) return 0;
  const n = payloadBytes(buf, p);
  const backBytes = backLengthBytes(n);
  const next = p + n + backBytes;
  if (next > end) return 0;
  return elementBefore(buf, next) === p && backBytesAt(buf, next, backBytes) ? n + backBytes : 0;
}

/** True when the length that ends before `p` is written in exactly `count` bytes. */
function backBytesAt(buf: Uint8Array, p: number, count: number): boolean {
  for (let i = 1; i < count; i++) if ((buf[p - i] & 128) === 0) return false;
  return (buf[p - count] & 128) === 0;
}
