/**
 * Streams: entries under growing ids, in blocks that an index orders by the id of their first entry, with consumer groups (stream-group.ts). The root is a
 * head block, which does not move:
 *
 *   [index of blocks][groups or 0][length][entries added: low, high][last id:4][first id:4][greatest deleted id:4][frozen]        18 words
 *
 * A block is a listpack in Redis' layout (stream-block.ts). A record of the index: [id of the master entry:4][listpack]. The first id is that of the first
 * entry, 0-0 when there is none. No block is without entries that are not deleted. While a stream is frozen (frozen-stream.ts), blocks that were there before are
 * shared with a snapshot: they neither change nor go.
 */
import { type Arena, GRANULE_MASK, type Ref, SEGMENT_SHIFT } from "../../arena/arena.ts";
import type { BlobRef } from "../../arena/blob.ts";
import { IndexCursor, indexCount, indexCreate, indexLast } from "../../struct/id-index/id-index.ts";
import { indexDelete } from "../../struct/id-index/id-index-delete.ts";
import { indexInsert } from "../../struct/id-index/id-index-insert.ts";
import {
  listpackBytes,
  listpackCopy,
  listpackFit,
  listpackFree,
  listpackFromBytes,
} from "../../struct/listpack/listpack.ts";
import { containerCreate, containerRoot } from "../container.ts";
import { Encoding, Type } from "../entry.ts";
import { blockAppend, blockCreate, blockTotal } from "./stream-block.ts";
import { ID_WORDS, idClear, idCreate, idRead, idStore, type StreamId } from "./stream-id.ts";

export const HEAD_BYTES = 18 * 4;

/** Words of the head. */
export const Head = {
  Index: 0,
  Groups: 1,
  Length: 2,
  Added: 3,
  LastId: 5,
  FirstId: 9,
  MaxDeletedId: 13,
  Frozen: 17,
} as const;

/** Limits of a block; 0: none. */
export interface StreamLimits {
  nodeBytes: number;
  nodeEntries: number;
}

/** Most bytes of a block. */
export const BLOCK_BYTES_MAX = 1 << 30;

/** A new block does not begin larger than this. */
const CAPACITY_MAX = 4096;

const cursor = new IndexCursor();
const master = idCreate();

/** The head of a stream without entries and groups. */
export function streamHeadCreate(a: Arena): Ref {
  const s = a.alloc(HEAD_BYTES);
  const w = streamWords(a, s);
  w.fill(0, streamAt(s), streamAt(s) + HEAD_BYTES / 4);
  const index = indexCreate(a, ID_WORDS, 1);
  streamWords(a, s)[streamAt(s)] = index;
  return s;
}

/** An entry with an empty stream. */
export function streamCreate(a: Arena, key: Uint8Array, keyAt: number, keyLength: number, access: number): Ref {
  const meta = (access << 8) | (Encoding.Stream << 4) | Type.Stream;
  return containerCreate(a, key, keyAt, keyLength, false, meta, streamHeadCreate(a));
}

/** The head of the stream of an entry: what all functions about streams take. */
export function streamOf(a: Arena, e: Ref): Ref {
  return containerRoot(a, e);
}

/** The words in which a head lies, and where it begins among them. */
export function streamWords(a: Arena, s: Ref): Int32Array {
  return a.i32[s >>> SEGMENT_SHIFT];
}

export function streamAt(s: Ref): number {
  return (s & GRANULE_MASK) << 1;
}

export function streamIndex(a: Arena, s: Ref): Ref {
  return streamWords(a, s)[streamAt(s)];
}

/** Entries of a stream. */
export function streamLength(a: Arena, s: Ref): number {
  return streamWords(a, s)[streamAt(s) + Head.Length] >>> 0;
}

/** Notes whether a stream is frozen: frozen-stream.ts does. */
export function streamFreeze(a: Arena, s: Ref, isFrozen: boolean): void {
  streamWords(a, s)[streamAt(s) + Head.Frozen] = isFrozen ? 1 : 0;
}

export function streamIsFrozen(a: Arena, s: Ref): boolean {
  return streamWords(a, s)[streamAt(s) + Head.Frozen] !== 0;
}

/** The block at a cursor, whose master entry has the id `id`, as one that may be changed: another one when it is shared. */
export function streamOwnBlock(a: Arena, s: Ref, id: StreamId, c: IndexCursor): BlobRef {
  const block = c.words[c.at + ID_WORDS];
  if (!streamIsFrozen(a, s) || !a.frozen.keeps(s, id, block)) return block;
  const own = listpackCopy(a, block);
  c.words[c.at + ID_WORDS] = own;
  return own;
}

/** Frees a block that is in no index of the stream's any more, unless it is shared. */
export function streamFreeBlock(a: Arena, s: Ref, id: StreamId, block: BlobRef): void {
  if (!streamIsFrozen(a, s) || !a.frozen.keeps(s, id, block)) listpackFree(a, block);
}

/** Blocks of a stream. */
export function streamBlocks(a: Arena, s: Ref): number {
  return indexCount(a, streamIndex(a, s));
}

/** Reads one of the three ids of the head. */
export function streamReadId(a: Arena, s: Ref, field: number, id: StreamId): void {
  idRead(id, streamWords(a, s), streamAt(s) + field);
}

export function streamStoreId(a: Arena, s: Ref, field: number, id: StreamId): void {
  idStore(id, streamWords(a, s), streamAt(s) + field);
}

/** The number of entries that were ever added, as halves. */
export function streamAddedLow(a: Arena, s: Ref): number {
  return streamWords(a, s)[streamAt(s) + Head.Added];
}

export function streamAddedHigh(a: Arena, s: Ref): number {
  return streamWords(a, s)[streamAt(s) + Head.Added + 1];
}

export function streamSetAdded(a: Arena, s: Ref, low: number, high: number): void {
  const w = streamWords(a, s);
  const at = streamAt(s) + Head.Added;
  w[at] = low;
  w[at + 1] = high;
}

/** Changes the length. */
export function streamAddLength(a: Arena, s: Ref, difference: number): void {
  streamWords(a, s)[streamAt(s) + Head.Length] += difference;
}

/** Forgets the first id of a stream that lost all entries. */
export function streamClearFirst(a: Arena, s: Ref): void {
  idClear(master);
  streamStoreId(a, s, Head.FirstId, master);
}

/**
 * Appends an entry under an id that is above the last one: `pairs` pairs of field and value, from argument `first` of (buf, start, length) on, with
 * `bytes` bytes together.
 */
export function streamAppend(
  a: Arena,
  s: Ref,
  id: StreamId,
  buf: Uint8Array,
  start: Int32Array,
  length: Int32Array,
  first: number,
  pairs: number,
  bytes: number,
  limits: StreamLimits,
): void {
  const index = streamIndex(a, s);
  if (indexLast(a, index, cursor) && hasRoom(a, cursor.words[cursor.at + ID_WORDS], bytes, limits)) {
    const { at, words } = cursor;
    idRead(master, words, at);
    const block = streamOwnBlock(a, s, master, cursor);
    words[at + ID_WORDS] = blockAppend(a, block, master, id, buf, start, length, first, pairs);
  } else {
    let capacity = 0;
    if (cursor.leaf !== 0) {
      // The block before is full: it gives back what it had in reserve. The new one will probably be as large.
      idRead(master, cursor.words, cursor.at);
      const full = listpackFit(a, streamOwnBlock(a, s, master, cursor));
      cursor.words[cursor.at + ID_WORDS] = full;
      capacity = Math.min(listpackBytes(a, full), CAPACITY_MAX);
    }
    const block = blockCreate(a, capacity, buf, start, length, first, pairs);
    const filled = blockAppend(a, block, id, id, buf, start, length, first, pairs);
    indexInsert(a, index, id, cursor);
    cursor.words[cursor.at + ID_WORDS] = filled;
  }
  const w = streamWords(a, s);
  const at = streamAt(s);
  if (w[at + Head.Length]++ === 0) idStore(id, w, at + Head.FirstId);
  idStore(id, w, at + Head.LastId);
  if (++w[at + Head.Added] === 0) w[at + Head.Added + 1]++;
}

function hasRoom(a: Arena, block: BlobRef, bytes: number, limits: StreamLimits): boolean {
  const limit = limits.nodeBytes === 0 || limits.nodeBytes > BLOCK_BYTES_MAX ? BLOCK_BYTES_MAX : limits.nodeBytes;
  if (listpackBytes(a, block) + bytes >= limit) return false;
  return limits.nodeEntries === 0 || blockTotal(a, block) < limits.nodeEntries;
}

/** Frees a block and takes it out of the index; `id` is that of its master entry. */
export function streamDropBlock(a: Arena, s: Ref, id: StreamId, block: BlobRef): void {
  streamFreeBlock(a, s, id, block);
  indexDelete(a, streamIndex(a, s), id);
}

/**
 * Adds a block as it stands in a dump: bytes that are valid (blockIsValid), under the id of its master entry. False when there is one with this id. The
 * length and the ids of the head are the caller's to set.
 */
export function streamAddBlock(
  a: Arena,
  s: Ref,
  id: StreamId,
  bytes: Uint8Array,
  offset: number,
  length: number,
): boolean {
  if (!indexInsert(a, streamIndex(a, s), id, cursor)) return false;
  cursor.words[cursor.at + ID_WORDS] = listpackFromBytes(a, bytes, offset, length);
  return true;
}
