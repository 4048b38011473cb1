/**
 * Payloads of DUMP: a value behind its RDB type, then [version:2][CRC-64 of all before:8].
 */
import type { Arena, Ref } from "../arena/arena.ts";
import { copyBytes } from "../base/bytes.ts";
import { Crc64 } from "../base/crc64.ts";
import { Type } from "../types/entry.ts";
import { UNREAD_BYTES_MAX, unreadCreate } from "../types/unread-value.ts";
import { Fault, RdbError } from "./error.ts";
import { ValueWriter } from "./file-writer.ts";
import { FOOTER_BYTES, isReadableVersion, RdbType } from "./format.ts";
import { RdbInput, StringSlot } from "./input.ts";
import { moduleName } from "./module-data.ts";
import { type ByteTarget, RdbOutput } from "./output.ts";
import type { ReadingLimits } from "./value.ts";
import { typeReader } from "./value-reader.ts";

const CHECKSUM_BYTES = 8;
/** A payload's first room in bytes; it grows by half. */
const ROOM_MIN = 128;
/** Room that is kept for the next payload, at most. */
const ROOM_KEEP = 64 * 1024;

/** Puts bytes behind each other. */
class Payload implements ByteTarget {
  bytes = new Uint8Array(ROOM_MIN);
  length = 0;

  write(bytes: Uint8Array, start: number, end: number): void {
    const length = this.length + end - start;
    if (length > this.bytes.length) {
      const larger = new Uint8Array(length + (length >> 1));
      larger.set(this.bytes.subarray(0, this.length));
      this.bytes = larger;
    }
    copyBytes(bytes, start, this.bytes, this.length, end - start);
    this.length = length;
  }

  /** The bytes so far, which are the caller's. */
  take(): Uint8Array {
    if (this.length <= ROOM_KEEP) return this.bytes.slice(0, this.length);
    const bytes = this.bytes.subarray(0, this.length);
    this.bytes = new Uint8Array(ROOM_MIN);
    return bytes;
  }
}

/** Writes payloads of one kind, one after the other. */
class PayloadWriter {
  readonly arena: Arena;
  readonly version: number;
  readonly compress: boolean;
  readonly #payload = new Payload();
  readonly #out: RdbOutput;
  readonly #values: ValueWriter;
  readonly #checksum = new Uint8Array(CHECKSUM_BYTES);

  constructor(arena: Arena, version: number, compress: boolean) {
    this.arena = arena;
    this.version = version;
    this.compress = compress;
    this.#out = new RdbOutput(this.#payload, { version, compress, checksum: true });
    this.#values = new ValueWriter(arena);
  }

  write(e: Ref): Uint8Array {
    const { version } = this;
    const out = this.#out;
    const values = this.#values;
    const payload = this.#payload;
    out.restart();
    payload.length = 0;
    out.byte(values.rdbType(e, version));
    values.begin(e);
    while (!values.step(out, Number.POSITIVE_INFINITY));
    out.byte(version & 0xff);
    out.byte(version >> 8);
    out.flush();
    out.checksum?.write(this.#checksum, 0);
    out.rawBytes(this.#checksum, 0, CHECKSUM_BYTES);
    out.flush();
    return payload.take();
  }
}

/** The latest writer: the next payload is mostly of the same kind. */
let latest: PayloadWriter | null = null;

/** The payload of the value of `e`, which is the caller's. `compress`: as rdbcompression says. */
export function dumpValue(arena: Arena, e: Ref, version: number, compress: boolean): Uint8Array {
  if (latest === null || latest.arena !== arena || latest.version !== version || latest.compress !== compress)
    latest = new PayloadWriter(arena, version, compress);
  return latest.write(e);
}

/** The version in a payload's footer, or -1 when the payload is too short to have one. */
export function payloadVersion(buf: Uint8Array, at: number, length: number): number {
  if (length < FOOTER_BYTES) return -1;
  const footer = at + length - FOOTER_BYTES;
  return buf[footer] | (buf[footer + 1] << 8);
}

/** True when a payload is of a version that is read up to `versionMax`, and (unless `ignoreChecksum`) its checksum is right. */
export function payloadIsSound(
  buf: Uint8Array,
  at: number,
  length: number,
  versionMax: number,
  ignoreChecksum: boolean,
): boolean {
  const version = payloadVersion(buf, at, length);
  if (version < 0 || (version > versionMax && !isReadableVersion(version, versionMax))) return false;
  if (ignoreChecksum) return true;
  const crc = new Crc64();
  crc.update(buf, at, length - CHECKSUM_BYTES);
  return crc.matches(buf, at + length - CHECKSUM_BYTES);
}

/**
 * Reads the value of a payload that payloadIsSound. Returns an entry of its own under the key, without expiry, in no dict. Throws an RdbError, and keeps
 * nothing, when the value is not right. What stands behind the value is not looked at, as in Redis. `onUnread`: a value is broken in a way that somebody
 * who does not look deep would not notice; it is told why, and the value is kept as it is (types/unread-value.ts). Absent: an error as well.
 */
export function restoreValue(
  arena: Arena,
  limits: ReadingLimits,
  key: Uint8Array,
  keyAt: number,
  keyLength: number,
  buf: Uint8Array,
  at: number,
  length: number,
  onUnread?: (error: RdbError) => void,
): Ref {
  const input = new RdbInput(false);
  input.whole(buf, at, length - FOOTER_BYTES);
  const type = input.byte();
  const reader = typeReader(arena, limits, type);
  if (reader === undefined) throw input.corrupt(refusal(type, input));
  const name = new StringSlot();
  name.buf = key;
  name.at = keyAt;
  name.length = keyLength;
  reader.begin(type, name, payloadVersion(buf, at, length));
  try {
    while (!reader.step(input));
    const e = reader.take();
    if (e === 0) throw new RdbError(Fault.EmptyKey, "a collection without elements", input.position);
    return e;
  } catch (error) {
    const bytes = length - FOOTER_BYTES;
    if (!(error instanceof RdbError) || error.fault !== Fault.Hidden || onUnread === undefined) throw error;
    if (bytes > UNREAD_BYTES_MAX) throw error;
    onUnread(error);
    return unreadCreate(arena, key, keyAt, keyLength, buf, at, bytes, valueTypeOf(type));
  } finally {
    reader.discard();
  }
}

/** The type of the values that an RDB type of which something can be hidden stands for. */
function valueTypeOf(rdbType: number): number {
  switch (rdbType) {
    case RdbType.ListQuicklist2:
      return Type.List;
    case RdbType.SetIntset:
    case RdbType.SetListpack:
      return Type.Set;
    case RdbType.ZsetListpack:
      return Type.Zset;
    case RdbType.StreamListpacks:
    case RdbType.StreamListpacks2:
    case RdbType.StreamListpacks3:
      return Type.Stream;
    default:
      return Type.Hash;
  }
}

function refusal(type: number, input: RdbInput): string {
  if (type === RdbType.ModulePreGa) return "Pre-release module format not supported";
  if (type !== RdbType.Module2) return `Unknown RDB encoding type ${type}`;
  return `The RDB file contains module data I can't load: no matching module type '${moduleName(input)}'`;
}
