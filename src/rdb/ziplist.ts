/**
 * What old servers used where listpacks are now, read into listpacks. Numbers are little-endian unless it says otherwise.
 *
 *   ziplist   [bytes:4][offset of the last entry:4][entries:2] entry ... [255]           entries 65535: too many to count
 *   entry     [bytes of the entry before: 1, or 254 and 4][encoding and payload]
 *
 *   00llllll, l bytes        01llllll llllllll, l bytes        10...... and l:4 (most significant byte first), l bytes
 *   192, 208, 224, 240, 254: an integer of 2, 4, 8, 3 or 1 bytes          1111xxxx: x - 1, from 0 to 12
 *
 *   zipmap    [pairs, 254: too many to count] ([length][field][length][free][value][free bytes]) ... [255]          length: 1 byte, or 254 and 4
 *
 * Both are checked through and through: nothing outside of them is read, and what is not right in any respect is refused.
 */
import type { Arena } from "../arena/arena.ts";
import { type BlobRef, blobAt, blobBuffer } from "../arena/blob.ts";
import {
  LISTPACK_HEADER_BYTES,
  listpackCreate,
  listpackExtend,
  listpackFit,
  listpackFree,
  listpackReserve,
} from "../struct/listpack/listpack.ts";
import {
  elementForm,
  integerForm,
  LISTPACK_END,
  readUint32,
  writeElement,
} from "../struct/listpack/listpack-element.ts";

const HEADER_BYTES = 10;
const COUNT_UNKNOWN = 65535;
const LONG_LENGTH = 254;
const END = 255;
/** A listpack of the same elements has at most twice the bytes, and its header. */
const GROWTH = 2;
const SLACK_BYTES = 16;
const NOTHING = new Uint8Array(0);

const Int = { Int16: 0xc0, Int32: 0xd0, Int64: 0xe0, Int24: 0xf0, Int8: 0xfe, First: 0xf1, Last: 0xfd } as const;

/** The entry that was read last. */
const entry = { end: 0, isInteger: false, low: 0, high: 0, at: 0, length: 0 };

/** The same elements as a listpack of its own, or 0 when the bytes are no ziplist. */
export function ziplistToListpack(a: Arena, buf: Uint8Array, offset: number, length: number): BlobRef {
  if (length <= HEADER_BYTES || readUint32(buf, offset) !== length) return 0;
  const end = offset + length - 1;
  const tail = offset + readUint32(buf, offset + 4);
  if (buf[end] !== END || tail > end) return 0;
  const known = buf[offset + 8] | (buf[offset + 9] << 8);
  const lp = listpackReserve(a, listpackCreate(a), length * GROWTH + SLACK_BYTES);
  const target = blobBuffer(a, lp);
  const at = blobAt(a, lp);
  let to = at + LISTPACK_HEADER_BYTES;
  let p = offset + HEADER_BYTES;
  let previous = -1;
  let previousBytes = 0;
  let count = 0;
  for (; p < end; count++) {
    if (!readEntry(buf, p, end, previousBytes)) break;
    previous = p;
    previousBytes = entry.end - p;
    p = entry.end;
    if (entry.isInteger) integerForm(entry.low, entry.high);
    else elementForm(buf, entry.at, entry.length);
    to = writeElement(target, to, entry.isInteger ? NOTHING : buf, entry.at, entry.length);
  }
  const isRight = p === end && (previous < 0 || previous === tail) && (known === COUNT_UNKNOWN || known === count);
  if (!isRight) {
    target[at + LISTPACK_HEADER_BYTES] = LISTPACK_END;
    listpackFree(a, lp);
    return 0;
  }
  listpackExtend(a, lp, to - at, count);
  return listpackFit(a, lp);
}

/** Reads the entry at `p` into `entry`; false when there is none that ends before `end` and follows an entry of `previousBytes`. */
function readEntry(buf: Uint8Array, p: number, end: number, previousBytes: number): boolean {
  let at = p + 1;
  let stated = buf[p];
  if (stated === LONG_LENGTH) {
    if (p + 5 >= end) return false;
    stated = readUint32(buf, p + 1);
    at = p + 5;
  }
  if (stated !== previousBytes || at >= end) return false;
  const b = buf[at];
  if (b < 0xc0) return readText(buf, at, end);
  entry.isInteger = true;
  return readInteger(buf, at, end, b);
}

function readText(buf: Uint8Array, at: number, end: number): boolean {
  const b = buf[at];
  const headBytes = b < 0x40 ? 1 : b < 0x80 ? 2 : 5;
  if (at + headBytes > end) return false;
  let length = b & 63;
  if (headBytes === 2) length = (length << 8) | buf[at + 1];
  if (headBytes === 5) length = ((buf[at + 1] << 24) | (buf[at + 2] << 16) | (buf[at + 3] << 8) | buf[at + 4]) >>> 0;
  entry.isInteger = false;
  entry.at = at + headBytes;
  entry.length = length;
  entry.end = entry.at + length;
  return entry.end <= end;
}

/** Bytes of the integer behind an encoding byte; -1 when there is no such encoding. */
function integerBytes(encoding: number): number {
  switch (encoding) {
    case Int.Int8:
      return 1;
    case Int.Int16:
      return 2;
    case Int.Int24:
      return 3;
    case Int.Int32:
      return 4;
    case Int.Int64:
      return 8;
    default:
      return encoding >= Int.First && encoding <= Int.Last ? 0 : -1;
  }
}

function readInteger(buf: Uint8Array, at: number, end: number, encoding: number): boolean {
  const bytes = integerBytes(encoding);
  entry.end = at + 1 + bytes;
  if (bytes < 0 || entry.end > end) return false;
  if (bytes === 0) {
    entry.low = encoding - Int.First;
    entry.high = 0;
    return true;
  }
  let low = 0;
  for (let i = Math.min(bytes, 4); i > 0; i--) low = (low << 8) | buf[at + i];
  const unused = bytes < 4 ? 32 - bytes * 8 : 0;
  entry.low = (low << unused) >> unused;
  entry.high = bytes === 8 ? readUint32(buf, at + 5) | 0 : entry.low >> 31;
  return true;
}

/** The pairs of a zipmap as a listpack of its own, or 0 when the bytes are none, or have no pair. */
export function zipmapToListpack(a: Arena, buf: Uint8Array, offset: number, length: number): BlobRef {
  const end = offset + length - 1;
  if (length < 2 || buf[end] !== END) return 0;
  const lp = listpackReserve(a, listpackCreate(a), length * GROWTH + SLACK_BYTES);
  const target = blobBuffer(a, lp);
  const at = blobAt(a, lp);
  let to = at + LISTPACK_HEADER_BYTES;
  let p = offset + 1;
  let pairs = 0;
  while (p >= 0 && buf[p] !== END) {
    for (let part = 0; part < 2 && p >= 0; part++) {
      p = readPart(buf, p, end, part === 1);
      if (p < 0) break;
      elementForm(buf, entry.at, entry.length);
      to = writeElement(target, to, buf, entry.at, entry.length);
    }
    pairs++;
  }
  if (p !== end || pairs === 0 || (buf[offset] < LONG_LENGTH && buf[offset] !== pairs)) {
    target[at + LISTPACK_HEADER_BYTES] = LISTPACK_END;
    listpackFree(a, lp);
    return 0;
  }
  listpackExtend(a, lp, to - at, pairs * 2);
  return listpackFit(a, lp);
}

/** Reads a field or a value, which has free bytes behind it, into `entry`; where it ends, or -1. */
function readPart(buf: Uint8Array, p: number, end: number, isValue: boolean): number {
  if (p >= end || buf[p] === END) return -1;
  let at = p + 1;
  let length = buf[p];
  if (length === LONG_LENGTH) {
    if (p + 5 > end) return -1;
    length = readUint32(buf, p + 1);
    at = p + 5;
  }
  let free = 0;
  if (isValue) {
    if (at >= end) return -1;
    free = buf[at++];
  }
  entry.at = at;
  entry.length = length;
  const next = at + length + free;
  return next <= end ? next : -1;
}
