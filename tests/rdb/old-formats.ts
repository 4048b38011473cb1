// What old servers wrote, built by hand: ziplists, zipmaps, and the values, payloads and files around them.

import { Crc64 } from "../../src/base/crc64.ts";

/** Text as bytes, one character (0..255) a byte. */
export function latin(text: string): Buffer {
  return Buffer.from(text, "latin1");
}

function uint32(n: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(n);
  return bytes;
}

/** A length as RDB has it. */
export function length(n: number): Buffer {
  if (n < 64) return Buffer.from([n]);
  if (n < 16384) return Buffer.from([0x40 | (n >> 8), n & 255]);
  return Buffer.from([0x80, n >>> 24, (n >> 16) & 255, (n >> 8) & 255, n & 255]);
}

/** A string, not compressed. */
export function text(value: string | Uint8Array): Buffer {
  const bytes = typeof value === "string" ? latin(value) : Buffer.from(value);
  return Buffer.concat([length(bytes.length), bytes]);
}

/** A score of the first form of sorted sets. */
export function textScore(score: string): Buffer {
  const marks = new Map([
    ["nan", 253],
    ["inf", 254],
    ["-inf", 255],
  ]);
  const mark = marks.get(score);
  return mark === undefined ? Buffer.concat([Buffer.from([score.length]), latin(score)]) : Buffer.from([mark]);
}

function integerEntry(n: bigint): Buffer {
  if (n >= 0n && n <= 12n) return Buffer.from([0xf1 + Number(n)]);
  const forms: readonly (readonly [bits: bigint, encoding: number])[] = [
    [8n, 0xfe],
    [16n, 0xc0],
    [24n, 0xf0],
    [32n, 0xd0],
    [64n, 0xe0],
  ];
  for (const [bits, encoding] of forms) {
    if (BigInt.asIntN(Number(bits), n) !== n) continue;
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(n);
    return Buffer.concat([Buffer.from([encoding]), bytes.subarray(0, Number(bits) / 8)]);
  }
  throw new Error(`${n} has more than 64 bits`);
}

function textEntry(value: string): Buffer {
  const n = value.length;
  if (n < 64) return Buffer.concat([Buffer.from([n]), latin(value)]);
  if (n < 16384) return Buffer.concat([Buffer.from([0x40 | (n >> 8), n & 255]), latin(value)]);
  return Buffer.concat([Buffer.from([0x80, n >>> 24, (n >> 16) & 255, (n >> 8) & 255, n & 255]), latin(value)]);
}

/** A ziplist of elements, numbers as integers. */
export function ziplist(elements: readonly (string | number | bigint)[]): Buffer {
  const entries: Buffer[] = [];
  let previous = 0;
  let tail = 10;
  let at = 10;
  for (const element of elements) {
    const head = previous < 254 ? Buffer.from([previous]) : Buffer.concat([Buffer.from([254]), uint32(previous)]);
    const body = typeof element === "string" ? textEntry(element) : integerEntry(BigInt(element));
    const entry = Buffer.concat([head, body]);
    entries.push(entry);
    previous = entry.length;
    tail = at;
    at += entry.length;
  }
  const count = Buffer.from([elements.length & 255, elements.length >> 8]);
  return Buffer.concat([uint32(at + 1), uint32(tail), count, ...entries, Buffer.from([255])]);
}

/** A zipmap of fields with values, each value with some free bytes behind it. */
export function zipmap(pairs: readonly (readonly [string, string])[], free = 0): Buffer {
  const size = (n: number): Buffer => (n < 254 ? Buffer.from([n]) : Buffer.concat([Buffer.from([254]), uint32(n)]));
  const parts = pairs.flatMap(([field, value]) => [
    size(field.length),
    latin(field),
    size(value.length),
    Buffer.from([free]),
    latin(value),
    Buffer.alloc(free, 0x55),
  ]);
  return Buffer.concat([Buffer.from([Math.min(pairs.length, 254)]), ...parts, Buffer.from([255])]);
}

/** A payload of DUMP: an RDB type with its value, a version, a checksum. */
export function payload(type: number, value: Uint8Array, version = 9): Buffer {
  const body = Buffer.concat([Buffer.from([type]), value, Buffer.from([version & 255, version >> 8])]);
  return Buffer.concat([body, checksum(body)]);
}

/** The checksum of bytes as it stands in files. */
export function checksum(bytes: Uint8Array): Buffer {
  const crc = new Crc64();
  crc.update(bytes, 0, bytes.length);
  const result = Buffer.alloc(8);
  crc.write(result, 0);
  return result;
}

/** A file of a version, with its end and, if the version has one, a checksum. */
export function rdbFile(version: number, parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat([latin(`REDIS${String(version).padStart(4, "0")}`), ...parts, Buffer.from([255])]);
  return version < 5 ? body : Buffer.concat([body, checksum(body)]);
}

/** A key with its value, as they stand in a file. */
export function keyOf(type: number, key: string, value: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([type]), text(key), value]);
}
