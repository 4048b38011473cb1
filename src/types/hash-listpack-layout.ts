/**
 * The byte layout of Redis' listpacks, as far as small hashes need it: a run of elements in a blob, read and spliced by byte offset.
 *
 *   [total bytes:4][elements:2] element ... [255]            little-endian; elements 65535: not known
 *   element   [encoding and payload][its length, backwards]
 *
 *   0xxxxxxx                     0 to 127            10llllll ...          string of up to 63 bytes
 *   110xxxxx x                   13-bit integer      1110llll l ...        string of up to 4,095 bytes
 *   241 to 244, 2, 3, 4, 8 bytes an integer          240, 4 bytes, ...     a longer string
 *
 * What is the canonical decimal form of an int64 is stored as an integer, in the shortest form. An element's length is written in groups of seven
 * bits, the lowest last; all bytes but the first have bit 7 set.
 *
 * Offsets count from the start of the blob; 0 is none. A change may move the blob: it returns where the blob is.
 */
import type { Arena } from "../arena/arena.ts";
import { type BlobRef, blobAlloc, blobAt, blobBuffer, blobResize } from "../arena/blob.ts";
import { copyBytes } from "../base/bytes.ts";
import { bigIntHigh, bigIntLow, int64High, int64Low, parseInt64, parseSafeInteger } from "../base/int64.ts";
import type { ByteSpan } from "./string.ts";

export const LISTPACK_HEADER_BYTES = 6;
const END = 255;
const COUNT_UNKNOWN = 65535;
const TWO_32 = 4294967296;
const INT_TEXT_MAX = 20;

/** An empty listpack. */
export function listpackNew(a: Arena): BlobRef {
  const lp = blobAlloc(a, LISTPACK_HEADER_BYTES + 1);
  const buf = blobBuffer(a, lp);
  const at = blobAt(a, lp);
  writeUint32(buf, at, LISTPACK_HEADER_BYTES + 1);
  buf[at + 4] = 0;
  buf[at + 5] = 0;
  buf[at + LISTPACK_HEADER_BYTES] = END;
  return lp;
}

/** Bytes of a listpack, header and end included. */
export function listpackBytes(a: Arena, lp: BlobRef): number {
  return readUint32(blobBuffer(a, lp), blobAt(a, lp));
}

/** Elements of a listpack. */
export function listpackCount(a: Arena, lp: BlobRef): number {
  const buf = blobBuffer(a, lp);
  const at = blobAt(a, lp);
  const count = buf[at + 4] | (buf[at + 5] << 8);
  if (count !== COUNT_UNKNOWN) return count;
  let walked = 0;
  for (let p = at + LISTPACK_HEADER_BYTES; buf[p] !== END; p += elementBytes(buf, p)) walked++;
  return walked;
}

/** The element after the one at offset `p` (the first for 0), or 0 at the end. */
export function listpackAfter(a: Arena, lp: BlobRef, p: number): number {
  const buf = blobBuffer(a, lp);
  const at = blobAt(a, lp);
  const next = p === 0 ? LISTPACK_HEADER_BYTES : p + elementBytes(buf, at + p);
  return buf[at + next] === END ? 0 : next;
}

/** Bytes of the element at `p` of a buffer, the length behind it included. */
function elementBytes(buf: Uint8Array, p: number): number {
  const b = buf[p];
  if (b < 0x80) return 2;
  if (b < 0xc0) return 2 + (b & 63);
  if (b < 0xe0) return 3;
  const bytes = longElementBytes(buf, p, b);
  return bytes + backLengthBytes(bytes);
}

function longElementBytes(buf: Uint8Array, p: number, b: number): number {
  if (b < 0xf0) return 2 + (((b & 15) << 8) | buf[p + 1]);
  if (b === 0xf0) return 5 + readUint32(buf, p + 1);
  return b === 0xf4 ? 9 : b - 0xf1 + 3;
}

/** Bytes that an element's length takes. */
function backLengthBytes(length: number): number {
  if (length <= 127) return 1;
  if (length < 16383) return 2;
  if (length < 2097151) return 3;
  return length < 268435455 ? 4 : 5;
}

/** The integer that readInteger found. */
const integer = { low: 0, high: 0 };

/** Reads the element at `p` of a buffer into `integer`; false when it is a string. */
function readInteger(buf: Uint8Array, p: number): boolean {
  const b = buf[p];
  let low = 0;
  if (b < 0x80) low = b;
  else if (b >= 0xc0 && b < 0xe0) low = ((((b & 31) << 8) | buf[p + 1]) << 19) >> 19;
  else if (b === 0xf1) low = ((buf[p + 1] | (buf[p + 2] << 8)) << 16) >> 16;
  else if (b === 0xf2) low = ((buf[p + 1] | (buf[p + 2] << 8) | (buf[p + 3] << 16)) << 8) >> 8;
  else if (b === 0xf3 || b === 0xf4) low = readUint32(buf, p + 1) | 0;
  else return false;
  integer.low = low;
  integer.high = b === 0xf4 ? readUint32(buf, p + 5) | 0 : low >> 31;
  return true;
}

/** Points `span` at the element at offset `p`; an integer as its decimal form. */
export function readElement(a: Arena, lp: BlobRef, p: number, span: ByteSpan): void {
  const buf = blobBuffer(a, lp);
  const q = blobAt(a, lp) + p;
  const b = buf[q];
  if (b >= 0x80 && b < 0xc0) {
    span.length = b & 63;
    span.at = q + 1;
  } else if (readInteger(buf, q)) {
    span.setInt64(integer.low, integer.high);
    return;
  } else if (b < 0xf0) {
    span.length = ((b & 15) << 8) | buf[q + 1];
    span.at = q + 2;
  } else {
    span.length = readUint32(buf, q + 1);
    span.at = q + 5;
  }
  span.buf = buf;
}

/** The element at offset `p`, an integer, as a number. */
export function readNumber(a: Arena, lp: BlobRef, p: number): number {
  if (!readInteger(blobBuffer(a, lp), blobAt(a, lp) + p)) throw new Error("listpack: not an integer");
  return integer.high * TWO_32 + (integer.low >>> 0);
}

/** The form in which an element is to be stored: bytes without the length behind it; an integer when `first` is not that of a string. */
const form = { isInteger: false, bytes: 0, low: 0, high: 0 };

/** Decides on the form of an element, leaving it in `form`; returns all of its bytes. */
export function elementForm(buf: Uint8Array, offset: number, length: number): number {
  form.isInteger = spells(buf, offset, length);
  if (form.isInteger) form.bytes = integerBytes(form.low, form.high);
  else form.bytes = length + (length < 64 ? 1 : length < 4096 ? 2 : 5);
  return form.bytes + backLengthBytes(form.bytes);
}

/** The same for a safe integer. */
export function numberForm(n: number): number {
  form.isInteger = true;
  form.low = int64Low(n);
  form.high = int64High(n);
  form.bytes = integerBytes(form.low, form.high);
  return form.bytes + 1;
}

function spells(buf: Uint8Array, offset: number, length: number): boolean {
  if (length === 0 || length > INT_TEXT_MAX || buf[offset] > 57 || buf[offset] < 45) return false;
  const n = parseSafeInteger(buf, offset, length);
  if (!Number.isNaN(n)) {
    form.low = int64Low(n);
    form.high = int64High(n);
    return true;
  }
  const big = length < 16 ? null : parseInt64(buf, offset, length);
  if (big === null) return false;
  form.low = bigIntLow(big);
  form.high = bigIntHigh(big);
  return true;
}

function integerBytes(low: number, high: number): number {
  if (high !== low >> 31) return 9;
  if (low >= 0 && low <= 127) return 1;
  if (low >= -4096 && low <= 4095) return 2;
  if (low >= -32768 && low <= 32767) return 3;
  return low >= -8388608 && low <= 8388607 ? 4 : 5;
}

/** Writes the element whose form was decided last at offset `p` of a listpack that has room there; a string's bytes are given. Returns the offset after it. */
export function writeElement(
  a: Arena,
  lp: BlobRef,
  p: number,
  source: Uint8Array,
  offset: number,
  length: number,
): number {
  const buf = blobBuffer(a, lp);
  const q = blobAt(a, lp) + p;
  if (form.isInteger) writeIntegerForm(buf, q);
  else writeStringForm(buf, q, source, offset, length);
  return p + form.bytes + writeBackLength(buf, q + form.bytes, form.bytes);
}

function writeIntegerForm(buf: Uint8Array, q: number): void {
  const { low, bytes } = form;
  if (bytes === 1) {
    buf[q] = low;
  } else if (bytes === 2) {
    buf[q] = 0xc0 | ((low >> 8) & 31);
    buf[q + 1] = low;
  } else {
    buf[q] = bytes === 9 ? 0xf4 : 0xf1 + bytes - 3;
    for (let i = 1; i < bytes && i < 5; i++) buf[q + i] = low >> ((i - 1) * 8);
    if (bytes === 9) writeUint32(buf, q + 5, form.high);
  }
}

function writeStringForm(buf: Uint8Array, q: number, source: Uint8Array, offset: number, length: number): void {
  let head = 1;
  if (length < 64) {
    buf[q] = 0x80 | length;
  } else if (length < 4096) {
    buf[q] = 0xe0 | (length >> 8);
    buf[q + 1] = length;
    head = 2;
  } else {
    buf[q] = 0xf0;
    writeUint32(buf, q + 1, length);
    head = 5;
  }
  copyBytes(source, offset, buf, q + head, length);
}

function writeBackLength(buf: Uint8Array, q: number, length: number): number {
  const bytes = backLengthBytes(length);
  for (let i = bytes - 1, rest = length; i >= 0; i--) {
    buf[q + i] = (rest & 127) | (i > 0 ? 128 : 0);
    rest = Math.floor(rest / 128);
  }
  return bytes;
}

/**
 * Makes a gap of `insert` bytes in the place of `remove` bytes at offset `p`, and counts `elements` more (or fewer); the caller fills the gap. Returns
 * where the listpack is.
 */
export function listpackSplice(
  a: Arena,
  lp: BlobRef,
  p: number,
  remove: number,
  insert: number,
  elements: number,
): BlobRef {
  const total = listpackBytes(a, lp);
  const grown = total + insert - remove;
  // A listpack that shrinks is moved together before its block changes, one that grows afterwards.
  if (insert < remove) moveTail(a, lp, p + remove, p + insert, total);
  const fresh = grown === total ? lp : blobResize(a, lp, Math.min(total, grown), grown);
  if (insert > remove) moveTail(a, fresh, p + remove, p + insert, total);
  const buf = blobBuffer(a, fresh);
  const at = blobAt(a, fresh);
  writeUint32(buf, at, grown);
  const count = buf[at + 4] | (buf[at + 5] << 8);
  if (elements !== 0 && count !== COUNT_UNKNOWN) {
    const changed = Math.min(count + elements, COUNT_UNKNOWN);
    buf[at + 4] = changed;
    buf[at + 5] = changed >> 8;
  }
  return fresh;
}

/** Moves the bytes from offset `from` to the end of `total` bytes to offset `to`. */
function moveTail(a: Arena, lp: BlobRef, from: number, to: number, total: number): void {
  const at = blobAt(a, lp);
  blobBuffer(a, lp).copyWithin(at + to, at + from, at + total);
}

/** Offset of the end of a listpack: where an element is appended. */
export function listpackEnd(a: Arena, lp: BlobRef): number {
  return listpackBytes(a, lp) - 1;
}

/** Bytes of `count` elements from offset `p` on. */
export function listpackRun(a: Arena, lp: BlobRef, p: number, count: number): number {
  const buf = blobBuffer(a, lp);
  const start = blobAt(a, lp) + p;
  let q = start;
  for (let i = 0; i < count; i++) q += elementBytes(buf, q);
  return q - start;
}

/** The offset of the first element that equals these bytes, of those at index 0, `step`, 2 * `step` ...; 0 when there is none. */
export function listpackFind(
  a: Arena,
  lp: BlobRef,
  source: Uint8Array,
  offset: number,
  length: number,
  step: number,
): number {
  const buf = blobBuffer(a, lp);
  const at = blobAt(a, lp);
  const numeric = spells(source, offset, length);
  const { low, high } = form;
  let skip = 0;
  for (let p = at + LISTPACK_HEADER_BYTES; buf[p] !== END; p += elementBytes(buf, p)) {
    if (skip > 0) {
      skip--;
      continue;
    }
    skip = step - 1;
    if (numeric) {
      if (readInteger(buf, p) && integer.low === low && integer.high === high) return p - at;
    } else if (stringEquals(buf, p, source, offset, length)) {
      return p - at;
    }
  }
  return 0;
}

/** Is the element at `p` of a buffer a string of these bytes? */
function stringEquals(buf: Uint8Array, p: number, source: Uint8Array, offset: number, length: number): boolean {
  const b = buf[p];
  let head = 1;
  if (b >= 0x80 && b < 0xc0) {
    if ((b & 63) !== length) return false;
  } else if (b >= 0xe0 && b < 0xf0) {
    if ((((b & 15) << 8) | buf[p + 1]) !== length) return false;
    head = 2;
  } else if (b === 0xf0) {
    if (readUint32(buf, p + 1) !== length) return false;
    head = 5;
  } else {
    return false;
  }
  const from = p + head;
  for (let i = 0; i < length; i++) if (buf[from + i] !== source[offset + i]) return false;
  return true;
}

/** Walks a listpack and throws an Error that names what is wrong with it. */
export function listpackCheck(a: Arena, lp: BlobRef): void {
  const buf = blobBuffer(a, lp);
  const at = blobAt(a, lp);
  const end = at + readUint32(buf, at) - 1;
  let count = 0;
  let p = at + LISTPACK_HEADER_BYTES;
  while (p < end && buf[p] !== END) {
    const next = p + elementBytes(buf, p);
    let length = 0;
    let q = next - 1;
    for (let scale = 1; ; scale *= 128) {
      length += (buf[q] & 127) * scale;
      if ((buf[q--] & 128) === 0) break;
    }
    if (q + 1 - length !== p)
      throw new Error(`listpack: the element at ${p - at} says that it is ${length} bytes long`);
    p = next;
    count++;
  }
  if (p !== end || buf[end] !== END) throw new Error(`listpack: ends at ${p - at}, not at ${end - at}`);
  const noted = buf[at + 4] | (buf[at + 5] << 8);
  if (noted !== COUNT_UNKNOWN && noted !== count) throw new Error(`listpack: ${count} elements, not ${noted}`);
}

function readUint32(buf: Uint8Array, p: number): number {
  return (buf[p] | (buf[p + 1] << 8) | (buf[p + 2] << 16) | (buf[p + 3] << 24)) >>> 0;
}

function writeUint32(buf: Uint8Array, p: number, n: number): void {
  buf[p] = n;
  buf[p + 1] = n >>> 8;
  buf[p + 2] = n >>> 16;
  buf[p + 3] = n >>> 24;
}
