/**
 * The RDB format's way in. Bytes come in chunks; what is read is read from a buffer that holds the element that is being read and whatever came behind it:
 *
 *   [read for good | mark: the element begins | at: read so far | end]
 *
 * A read that needs bytes beyond the end throws STARVED. Whoever drives the reading then calls rewind(), which goes back to the mark, and goes on with the
 * same element after the next feed(). So readers are written as if all bytes were there, and call commit() between elements. The buffer is no larger than
 * an element and a chunk.
 */

import { copyBytes } from "../base/bytes.ts";
import { Crc64 } from "../base/crc64.ts";
import { lzfDecompress } from "../base/lzf.ts";
import { ByteSpan, STRING_LENGTH_MAX } from "../types/string.ts";
import { Fault, RdbError } from "./error.ts";
import { StringForm } from "./format.ts";

/** Thrown when bytes are missing that are still to come. */
export const STARVED = new Error("rdb: more bytes are needed");

const BUFFER_MIN = 64 * 1024;
/** A larger buffer is let go once its content is read. */
const BUFFER_KEEP = 4 << 20;
/** LZF makes at most 264 bytes of 3. */
const LZF_RATIO_MAX = 88;
/** Bytes of a slot's own buffer at least. */
const SLOT_MIN = 64;
const SPECIAL = 0xc0;
const TWO_32 = 4294967296;
const NOTHING = new Uint8Array(0);

const double = new Float64Array(1);
const doubleBytes = new Uint8Array(double.buffer);

/** A string that was read: bytes of the input's buffer, of the slot's own, or an integer as text. Good until the input is fed or the slot is used again. */
export class StringSlot extends ByteSpan {
  own: Uint8Array = NOTHING;
  /** Not 0: `length` bytes are what so many bytes at `buf[at]` become when they are decompressed (RdbInput.open). */
  packed = 0;

  /** Points at `length` bytes of the slot's own, for the caller to fill. */
  reserve(length: number): void {
    if (this.own.length < length || this.own.length > BUFFER_KEEP)
      this.own = new Uint8Array(Math.max(length, SLOT_MIN));
    this.buf = this.own;
    this.at = 0;
    this.length = length;
    this.packed = 0;
  }
}

export class RdbInput {
  buf: Uint8Array = NOTHING;
  at = 0;
  end = 0;
  /** Halves of the number that length64 or int64 read. */
  low = 0;
  high = 0;
  readonly #checksum: Crc64 | null;
  #mark = 0;
  /** Offset of the buffer's first byte in the file. */
  #base = 0;
  /** No more bytes will come. */
  #ended = false;
  /** Bytes from the mark on that the element needs at least. */
  #wanted = 0;
  /** The buffer is the input's own: it may be overwritten. */
  #owned = false;

  constructor(checksum: boolean) {
    this.#checksum = checksum ? new Crc64() : null;
  }

  // ---- bytes

  /** Takes more bytes, which are copied. Void: the slots that were read. */
  feed(bytes: Uint8Array): void {
    this.#makeRoom(bytes.length);
    this.buf.set(bytes, this.end);
    this.end += bytes.length;
  }

  /** Takes up to `bytes` more bytes, which `read` puts at an offset of a buffer; it answers how many. Void: the slots that were read. */
  feedBy(bytes: number, read: (buf: Uint8Array, at: number, bytes: number) => number): number {
    this.#makeRoom(bytes);
    const count = read(this.buf, this.end, bytes);
    this.end += count;
    return count;
  }

  /** Gives the buffer room for so many bytes behind its end, in the place of those that were read for good. */
  #makeRoom(bytes: number): void {
    const mark = this.#mark;
    const kept = this.end - mark;
    const size = kept + bytes;
    const old = this.buf;
    this.#leave();
    if (!this.#owned || old.length < size || (old.length > BUFFER_KEEP && size < old.length >> 2)) {
      this.buf = new Uint8Array(Math.max(BUFFER_MIN, size, Math.min(this.#wanted, size * 2)));
      this.#owned = true;
      this.buf.set(old.subarray(mark, this.end));
    } else {
      old.copyWithin(0, mark, this.end);
    }
    this.at -= mark;
    this.#mark = 0;
    this.end = kept;
  }

  /** Says that no more bytes come. What needs more then throws an RdbError. */
  finish(): void {
    this.#ended = true;
  }

  /** Reads from these bytes alone, which are not copied. */
  whole(bytes: Uint8Array, at: number, length: number): void {
    this.buf = bytes;
    this.#owned = false;
    this.at = at;
    this.#mark = at;
    this.end = at + length;
    this.#base = -at;
    this.#ended = true;
  }

  /** Takes the bytes before the mark into the checksum, and moves the base to it. */
  #leave(): void {
    this.#checksum?.update(this.buf, 0, this.#mark);
    this.#base += this.#mark;
  }

  /** Keeps what was read. */
  commit(): void {
    this.#mark = this.at;
    this.#wanted = 0;
  }

  /** Goes back to where commit was called last. */
  rewind(): void {
    this.at = this.#mark;
  }

  /** Bytes from the start of the file to what is read next. */
  get position(): number {
    return this.#base + this.at;
  }

  /** The checksum of all bytes that were read, which are committed; null when none is kept. */
  checksum(): Crc64 | null {
    if (this.#checksum === null) return null;
    this.commit();
    this.#forget();
    return this.#checksum;
  }

  /** Puts what follows the mark into a buffer of its own. */
  #forget(): void {
    const rest = this.buf.slice(this.#mark, this.end);
    this.#leave();
    this.buf = rest;
    this.#owned = true;
    this.at -= this.#mark;
    this.#mark = 0;
    this.end = rest.length;
  }

  /** A copy of the bytes that were fed and not read. */
  unread(): Uint8Array {
    return this.buf.slice(this.at, this.end);
  }

  /** An error at the place that is read. `isHidden`: see Fault.Hidden. */
  corrupt(text: string, isHidden = false): RdbError {
    return new RdbError(isHidden ? Fault.Hidden : Fault.Corrupt, text, this.position);
  }

  /** Makes sure that `bytes` bytes can be read. */
  need(bytes: number): void {
    if (this.end - this.at < bytes) this.#starve(bytes);
  }

  #starve(bytes: number): never {
    if (this.#ended) throw new RdbError(Fault.Truncated, "Unexpected EOF reading RDB file", this.position);
    this.#wanted = this.at + bytes - this.#mark;
    throw STARVED;
  }

  // ---- numbers

  byte(): number {
    if (this.at >= this.end) this.#starve(1);
    return this.buf[this.at++];
  }

  #bigEndian(): number {
    const { at, buf } = this;
    this.at = at + 4;
    return ((buf[at] << 24) | (buf[at + 1] << 16) | (buf[at + 2] << 8) | buf[at + 3]) >>> 0;
  }

  /** Four bytes as an int32: seconds of old expiries. */
  int32(): number {
    this.need(4);
    const { at, buf } = this;
    this.at = at + 4;
    return buf[at] | (buf[at + 1] << 8) | (buf[at + 2] << 16) | (buf[at + 3] << 24);
  }

  /** Eight bytes as an int64, left in `low` and `high`. */
  int64(): void {
    this.need(8);
    this.low = this.int32();
    this.high = this.int32();
  }

  /** The same as a number, rounded beyond 2^53: times in ms. */
  milliseconds(): number {
    this.int64();
    return this.high * TWO_32 + (this.low >>> 0);
  }

  double(): number {
    this.need(8);
    for (let i = 0; i < 8; i++) doubleBytes[i] = this.buf[this.at++];
    return double[0];
  }

  /** A length, or another number, rounded beyond 2^53. */
  length(): number {
    const b = this.byte();
    if (b < 0x40) return b;
    if (b < 0x80) return ((b & 63) << 8) | this.byte();
    if (b === 0x80) {
      this.need(4);
      return this.#bigEndian();
    }
    if (b !== 0x81) throw this.corrupt(`Unknown length encoding ${b >> 6} in rdbLoadLen()`);
    this.need(8);
    const high = this.#bigEndian();
    return high * TWO_32 + this.#bigEndian();
  }

  /** An unsigned 64-bit number in the form of a length, left in `low` and `high`. */
  length64(): void {
    if (this.end > this.at && this.buf[this.at] === 0x81) {
      this.at++;
      this.need(8);
      this.high = this.#bigEndian() | 0;
      this.low = this.#bigEndian() | 0;
      return;
    }
    this.high = 0;
    this.low = this.length() | 0;
  }

  // ---- strings

  /** Reads a string of any form into a slot. */
  string(slot: StringSlot): void {
    this.open(slot);
    this.inflate(slot);
  }

  /** Reads a string into a slot, except that one that is compressed stays so: see StringSlot.packed, and unpack(). */
  open(slot: StringSlot): void {
    const { at, buf } = this;
    if (at >= this.end) this.#starve(1);
    const b = buf[at];
    slot.packed = 0;
    if (b >= SPECIAL) {
      this.at = at + 1;
      this.#special(b & 63, slot);
      return;
    }
    let length = b;
    if (b < 0x40) this.at = at + 1;
    else length = this.length();
    if (length > STRING_LENGTH_MAX) throw this.corrupt(`A string of ${length} bytes is too long`);
    if (this.end - this.at < length) this.#starve(length);
    slot.buf = buf;
    slot.at = this.at;
    slot.length = length;
    this.at += length;
  }

  /** Decompresses the string that was opened last, into a slot, if need be, into the slot's own buffer. */
  inflate(slot: StringSlot): void {
    const { at, packed, length } = slot;
    if (packed === 0) return;
    slot.reserve(length);
    this.#decompress(at, packed, slot.own, 0, length);
  }

  /** Puts the `length` bytes of the string that was opened last, into a slot, at `target[at]`. */
  unpack(slot: StringSlot, target: Uint8Array, at: number): void {
    if (slot.packed === 0) copyBytes(slot.buf, slot.at, target, at, slot.length);
    else this.#decompress(slot.at, slot.packed, target, at, slot.length);
  }

  /** Decompresses `packed` bytes at `from`, which must become `length` bytes at `target[at]`. */
  #decompress(from: number, packed: number, target: Uint8Array, at: number, length: number): void {
    if (lzfDecompress(this.buf, from, packed, target, at, length) === length) return;
    this.at = from;
    throw this.corrupt("Invalid LZF compressed string");
  }

  #special(form: number, slot: StringSlot): void {
    if (form === StringForm.Int8) {
      const n = (this.byte() << 24) >> 24;
      slot.setInt64(n, n >> 31);
    } else if (form === StringForm.Int16) {
      this.need(2);
      const n = ((this.byte() | (this.byte() << 8)) << 16) >> 16;
      slot.setInt64(n, n >> 31);
    } else if (form === StringForm.Int32) {
      const n = this.int32();
      slot.setInt64(n, n >> 31);
    } else if (form === StringForm.Lzf) {
      this.#lzf(slot);
    } else {
      throw this.corrupt(`Unknown RDB string encoding type ${form}`);
    }
  }

  #lzf(slot: StringSlot): void {
    const compressed = this.length();
    const length = this.length();
    const isPossible = length > 0 && length <= STRING_LENGTH_MAX && length <= compressed * LZF_RATIO_MAX;
    if (!isPossible) throw this.corrupt("Invalid LZF compressed string");
    this.need(compressed);
    slot.buf = this.buf;
    slot.at = this.at;
    slot.length = length;
    slot.packed = compressed;
    this.at += compressed;
  }
}
