/**
 * Groups of a stream and consumers of a group by name: a blob of references that are sorted by the bytes of the names.
 *
 *   [count:4] (reference:4) ...        little-endian
 *
 * What a reference leads to is an arena block whose first two words are [name: a blob][length of the name]; an empty name has a blob too.
 */
import { type Arena, GRANULE_MASK, type Ref, SEGMENT_SHIFT } from "../../arena/arena.ts";
import { type BlobRef, blobAlloc, blobAt, blobBuffer, blobFree, blobResize } from "../../arena/blob.ts";
import { compareBytes, copyBytes } from "../../base/bytes.ts";
import { readUint32, writeUint32 } from "../../struct/listpack/listpack-element.ts";

/** An empty table. */
export function namesCreate(a: Arena): BlobRef {
  const t = blobAlloc(a, 4);
  writeUint32(blobBuffer(a, t), blobAt(a, t), 0);
  return t;
}

export function namesCount(a: Arena, t: BlobRef): number {
  return readUint32(blobBuffer(a, t), blobAt(a, t));
}

/** The reference at an index. */
export function namesAt(a: Arena, t: BlobRef, i: number): Ref {
  return readUint32(blobBuffer(a, t), blobAt(a, t) + 4 + i * 4) | 0;
}

/** The index of a name, or -1 - i when there is none and it belongs at index i. */
export function namesFind(a: Arena, t: BlobRef, buf: Uint8Array, at: number, length: number): number {
  let low = 0;
  let high = namesCount(a, t);
  while (low < high) {
    const middle = (low + high) >>> 1;
    const item = namesAt(a, t, middle);
    const order = compareBytes(nameBuffer(a, item), nameAt(a, item), nameLength(a, item), buf, at, length);
    if (order === 0) return middle;
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return -1 - low;
}

/** Inserts a reference at an index. Returns where the table is. */
export function namesInsert(a: Arena, t: BlobRef, i: number, item: Ref): BlobRef {
  const count = namesCount(a, t);
  const used = 4 + count * 4;
  const table = blobResize(a, t, used, used + 4);
  const buf = blobBuffer(a, table);
  const at = blobAt(a, table);
  const p = at + 4 + i * 4;
  buf.copyWithin(p + 4, p, at + used);
  writeUint32(buf, p, item);
  writeUint32(buf, at, count + 1);
  return table;
}

/** Takes the reference at an index out. Returns where the table is. */
export function namesRemove(a: Arena, t: BlobRef, i: number): BlobRef {
  const count = namesCount(a, t);
  const buf = blobBuffer(a, t);
  const at = blobAt(a, t);
  const p = at + 4 + i * 4;
  buf.copyWithin(p, p + 4, at + 4 + count * 4);
  writeUint32(buf, at, count - 1);
  return blobResize(a, t, count * 4, count * 4);
}

/** Gives a block its name. */
export function nameSet(a: Arena, item: Ref, buf: Uint8Array, at: number, length: number): void {
  const name = blobAlloc(a, length === 0 ? 1 : length);
  copyBytes(buf, at, blobBuffer(a, name), blobAt(a, name), length);
  const w = a.i32[item >>> SEGMENT_SHIFT];
  const word = (item & GRANULE_MASK) << 1;
  w[word] = name;
  w[word + 1] = length;
}

/** Frees the name of a block. */
export function nameFree(a: Arena, item: Ref): void {
  blobFree(a, a.i32[item >>> SEGMENT_SHIFT][(item & GRANULE_MASK) << 1]);
}

/** The name of a block, as buffer, offset and length. */
export function nameBuffer(a: Arena, item: Ref): Uint8Array {
  return blobBuffer(a, a.i32[item >>> SEGMENT_SHIFT][(item & GRANULE_MASK) << 1]);
}

export function nameAt(a: Arena, item: Ref): number {
  return blobAt(a, a.i32[item >>> SEGMENT_SHIFT][(item & GRANULE_MASK) << 1]);
}

export function nameLength(a: Arena, item: Ref): number {
  return a.i32[item >>> SEGMENT_SHIFT][((item & GRANULE_MASK) << 1) + 1];
}
