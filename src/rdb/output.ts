/**
 * The RDB format's way out: lengths, strings and numbers into a buffer of 64 KiB that is handed to a target when it is full. Strings are written as Redis
 * writes them, byte for byte: as an integer when they spell one of 32 bits, compressed when that saves four bytes, else as they are.
 */
import { copyBytes } from "../base/bytes.ts";
import { Crc64 } from "../base/crc64.ts";
import { parseSafeInteger, writeInt64Halves } from "../base/int64.ts";
import { lzfCompress } from "../base/lzf.ts";
import { StringForm } from "./format.ts";

/** Where the bytes go: a file, a socket, a buffer. */
export interface ByteTarget {
  /** Takes `bytes[start, end)`, which are good during the call only. */
  write(bytes: Uint8Array, start: number, end: number): void;
}

export interface RdbOutputOptions {
  /** RDB version: 10 or 11. */
  readonly version: number;
  /** Compress strings. */
  readonly compress: boolean;
  /** Keep the checksum of all bytes. */
  readonly checksum: boolean;
  /** Strings of more bytes are not compressed, so that one string makes no long pause. Absent: all are. */
  readonly compressMax?: number;
}

const BUFFER_BYTES = 64 * 1024;
/** Longer runs go to the target directly. */
const COPY_MAX = 16 * 1024;
/** A string up to this length may be an integer of 32 bits. */
const INTEGER_TEXT_MAX = 11;
/** Strings up to this length are not compressed. */
const PLAIN_MAX = 20;
/** Bytes that compression must save. */
const GAIN_MIN = 4;
/** A work buffer that grew beyond this is let go. */
const WORK_KEEP = 1 << 20;
const SPECIAL = 0xc0;

let work = new Uint8Array(0);
const digits = new Uint8Array(24);
const double = new Float64Array(1);
const doubleBytes = new Uint8Array(double.buffer);

/** Keeps the checksum of what it passes on. */
class SummedTarget implements ByteTarget {
  readonly #target: ByteTarget;
  readonly #checksum: Crc64;

  constructor(target: ByteTarget, checksum: Crc64) {
    this.#target = target;
    this.#checksum = checksum;
  }

  write(bytes: Uint8Array, start: number, end: number): void {
    this.#checksum.update(bytes, start, end - start);
    this.#target.write(bytes, start, end);
  }
}

export class RdbOutput {
  readonly version: number;
  readonly checksum: Crc64 | null;
  readonly #compressMax: number;
  /** Hands bytes to the target. Bound functions are all alike to the compiler, which would otherwise make new code of all of this for each kind of target. */
  readonly #pass: ByteTarget["write"];
  readonly #buf = new Uint8Array(BUFFER_BYTES);
  #at = 0;

  constructor(target: ByteTarget, options: RdbOutputOptions) {
    this.version = options.version;
    this.checksum = options.checksum ? new Crc64() : null;
    const passed = this.checksum === null ? target : new SummedTarget(target, this.checksum);
    this.#pass = passed.write.bind(passed);
    this.#compressMax = options.compress ? (options.compressMax ?? Number.POSITIVE_INFINITY) : -1;
  }

  /** Forgets what was written, for an output that serves many payloads. */
  restart(): void {
    this.#at = 0;
    this.checksum?.reset();
  }

  /** Hands what is in the buffer to the target. */
  flush(): void {
    if (this.#at === 0) return;
    const end = this.#at;
    this.#at = 0;
    this.#pass(this.#buf, 0, end);
  }

  /** Makes room for `bytes` bytes, which are few. Returns where they go. */
  #room(bytes: number): number {
    if (this.#at + bytes > BUFFER_BYTES) this.flush();
    const at = this.#at;
    this.#at = at + bytes;
    return at;
  }

  byte(b: number): void {
    this.#buf[this.#room(1)] = b;
  }

  /** Bytes as they are. */
  rawBytes(buf: Uint8Array, at: number, length: number): void {
    if (length <= COPY_MAX) {
      const to = this.#room(length);
      copyBytes(buf, at, this.#buf, to, length);
      return;
    }
    this.flush();
    this.#pass(buf, at, at + length);
  }

  /** A length, or another number from 0 to 2^53. */
  length(n: number): void {
    if (n < 64) {
      this.byte(n);
    } else if (n < 16384) {
      const p = this.#room(2);
      this.#buf[p] = 0x40 | (n >>> 8);
      this.#buf[p + 1] = n;
    } else if (n <= 0xffffffff) {
      this.byte(0x80);
      this.#bigEndian(n | 0);
    } else {
      this.byte(0x81);
      this.#bigEndian(Math.floor(n / 4294967296));
      this.#bigEndian(n | 0);
    }
  }

  /** An unsigned 64-bit number, given as halves, in the form of a length. */
  length64(low: number, high: number): void {
    if (high === 0) {
      this.length(low >>> 0);
      return;
    }
    this.byte(0x81);
    this.#bigEndian(high);
    this.#bigEndian(low);
  }

  #bigEndian(n: number): void {
    const p = this.#room(4);
    const buf = this.#buf;
    buf[p] = n >>> 24;
    buf[p + 1] = n >>> 16;
    buf[p + 2] = n >>> 8;
    buf[p + 3] = n;
  }

  #littleEndian(n: number): void {
    const p = this.#room(4);
    const buf = this.#buf;
    buf[p] = n;
    buf[p + 1] = n >>> 8;
    buf[p + 2] = n >>> 16;
    buf[p + 3] = n >>> 24;
  }

  /** An int64 as eight bytes, given as halves: times in ms. */
  int64(low: number, high: number): void {
    this.#littleEndian(low);
    this.#littleEndian(high);
  }

  /** A double as eight bytes. */
  double(n: number): void {
    double[0] = n;
    this.rawBytes(doubleBytes, 0, 8);
  }

  /** A string: an integer, compressed, or as it is. */
  string(buf: Uint8Array, at: number, length: number): void {
    if (length <= INTEGER_TEXT_MAX) {
      const n = length === 0 ? Number.NaN : parseSafeInteger(buf, at, length);
      if (n === (n | 0)) {
        this.#integer(n);
        return;
      }
    } else if (length > PLAIN_MAX && length <= this.#compressMax && this.#compressed(buf, at, length)) {
      return;
    }
    this.length(length);
    this.rawBytes(buf, at, length);
  }

  /** True when `string` would write these many bytes as [length][bytes] without looking at them. */
  keepsPlain(length: number): boolean {
    return length > this.#compressMax && length > PLAIN_MAX;
  }

  /** A string that is the decimal form of an int64 given as halves. */
  stringInt64(low: number, high: number): void {
    if (high === low >> 31) {
      this.#integer(low);
      return;
    }
    const end = writeInt64Halves(digits, 0, low, high);
    this.length(end);
    this.rawBytes(digits, 0, end);
  }

  /** A string of latin1 text. */
  text(text: string): void {
    const bytes = Buffer.from(text, "latin1");
    this.string(bytes, 0, bytes.length);
  }

  #integer(n: number): void {
    if (n >= -128 && n <= 127) {
      const p = this.#room(2);
      this.#buf[p] = SPECIAL | StringForm.Int8;
      this.#buf[p + 1] = n;
    } else if (n >= -32768 && n <= 32767) {
      const p = this.#room(3);
      this.#buf[p] = SPECIAL | StringForm.Int16;
      this.#buf[p + 1] = n;
      this.#buf[p + 2] = n >> 8;
    } else {
      this.byte(SPECIAL | StringForm.Int32);
      this.#littleEndian(n);
    }
  }

  #compressed(buf: Uint8Array, at: number, length: number): boolean {
    if (work.length < length) work = new Uint8Array(length + (length >> 1));
    const compressed = lzfCompress(buf, at, length, work, 0, length - GAIN_MIN);
    if (compressed > 0) this.lzf(work, 0, compressed, length);
    if (work.length > WORK_KEEP) work = new Uint8Array(0);
    return compressed > 0;
  }

  /** A string that is compressed already and has `length` bytes when it is not. */
  lzf(buf: Uint8Array, at: number, compressed: number, length: number): void {
    this.byte(SPECIAL | StringForm.Lzf);
    this.length(compressed);
    this.length(length);
    this.rawBytes(buf, at, compressed);
  }
}
