/**
 * Off-heap priority queue of items by time: the fields of a hash that expire, and the hashes of a database that have such fields. A 4-ary heap
 * of refs; each item knows its place, so that it can be moved or taken out wherever it is.
 *
 * An item is a block that starts like an entry of struct/dict (word 0: [large:1][flag:1][key length:30], key at keyOffset); behind its key,
 * padded to a word, stand three words:
 *
 *   [time low][time high][position]       Unix time in ms as int64; the place in the heap
 *
 * Heap header, 32 bytes:
 *   0 items    1 room in slots    2 slots: one block of refs, or (flag 4) a directory of chunks    3 keyOffset    4 is a directory    5 room in directory
 *
 * Invariants: no item's time is below its parent's; an item's position is where it stands.
 */
import { type Arena, GRANULE_MASK, type Ref, SEGMENT_SHIFT } from "../arena/arena.ts";
import { KEY_LENGTH_MASK } from "./dict/dict.ts";

const HEADER_BYTES = 32;
const COUNT = 0;
const ROOM = 1;
const SLOTS = 2;
const KEY_OFFSET = 3;
const IS_DIRECTORY = 4;
const DIRECTORY_ROOM = 5;

const CHUNK_SHIFT = 12;
/** Refs of a chunk. A heap that needs no more has a single block, which grows by doubling. */
const CHUNK = 1 << CHUNK_SHIFT;
const ROOM_START = 4;
const DIRECTORY_START = 16;
const ARITY_SHIFT = 2;
const TWO_32 = 4294967296;

/** Bytes of an item's time and position. */
export const EXPIRY_ITEM_BYTES = 12;

/** An empty heap of items whose key stands `keyOffset` bytes from their start. */
export function expiryHeapCreate(a: Arena, keyOffset: number): Ref {
  const heap = a.alloc(HEADER_BYTES);
  const w = a.i32[heap >>> SEGMENT_SHIFT];
  const h = (heap & GRANULE_MASK) << 1;
  w.fill(0, h, h + 8);
  w[h + KEY_OFFSET] = keyOffset;
  w[h + ROOM] = ROOM_START;
  w[h + SLOTS] = a.alloc(ROOM_START * 4);
  return heap;
}

/** Items in the heap. */
export function expiryHeapSize(a: Arena, heap: Ref): number {
  return a.i32[heap >>> SEGMENT_SHIFT][((heap & GRANULE_MASK) << 1) + COUNT];
}

/** The item whose time is least, or 0. */
export function expiryHeapTop(a: Arena, heap: Ref): Ref {
  return expiryHeapSize(a, heap) === 0 ? 0 : slotAt(a, heap, 0);
}

/** The item at a position below the size, in no order: for walks over all. */
export function expiryHeapAt(a: Arena, heap: Ref, position: number): Ref {
  return slotAt(a, heap, position);
}

/** Word index, in its segment, of an item's time. */
export function itemTimeWord(a: Arena, item: Ref, keyOffset: number): number {
  const at = (item & GRANULE_MASK) << 1;
  const word0 = a.i32[item >>> SEGMENT_SHIFT][at];
  const keyBytes = word0 < 0 ? 4 : word0 & KEY_LENGTH_MASK;
  return at + ((keyOffset + keyBytes + 3) >> 2);
}

/** An item's time in ms. */
export function itemTime(a: Arena, item: Ref, keyOffset: number): number {
  const w = a.i32[item >>> SEGMENT_SHIFT];
  const t = itemTimeWord(a, item, keyOffset);
  return w[t + 1] * TWO_32 + (w[t] >>> 0);
}

/** Writes an item's time, an integer of ms from 0 to 2^53. An item that is in a heap needs expiryHeapFix afterwards. */
export function setItemTime(a: Arena, item: Ref, keyOffset: number, ms: number): void {
  const w = a.i32[item >>> SEGMENT_SHIFT];
  const t = itemTimeWord(a, item, keyOffset);
  w[t] = ms | 0;
  w[t + 1] = Math.floor(ms / TWO_32);
}

/** Adds an item whose time is set. */
export function expiryHeapPush(a: Arena, heap: Ref, item: Ref): void {
  const w = a.i32[heap >>> SEGMENT_SHIFT];
  const h = (heap & GRANULE_MASK) << 1;
  const position = w[h + COUNT]++;
  if (position === w[h + ROOM]) grow(a, heap);
  siftUp(a, heap, item, position);
}

/** Takes an item out. It must be there. */
export function expiryHeapRemove(a: Arena, heap: Ref, item: Ref): void {
  const w = a.i32[heap >>> SEGMENT_SHIFT];
  const h = (heap & GRANULE_MASK) << 1;
  const keyOffset = w[h + KEY_OFFSET];
  const position = positionOf(a, item, keyOffset);
  const last = --w[h + COUNT];
  const moved = slotAt(a, heap, last);
  if (position !== last) settle(a, heap, moved, position);
  shrink(a, heap);
}

/** Restores the order after an item's time was changed. */
export function expiryHeapFix(a: Arena, heap: Ref, item: Ref): void {
  settle(a, heap, item, positionOf(a, item, keyOffsetOf(a, heap)));
}

/** Notes that an item was moved to another block, its time and position included. */
export function expiryHeapMoved(a: Arena, heap: Ref, item: Ref): void {
  setSlot(a, heap, positionOf(a, item, keyOffsetOf(a, heap)), item);
}

/** Lets go the heap, not its items. */
export function expiryHeapFree(a: Arena, heap: Ref): void {
  const w = a.i32[heap >>> SEGMENT_SHIFT];
  const h = (heap & GRANULE_MASK) << 1;
  const slots = w[h + SLOTS];
  if (w[h + IS_DIRECTORY] === 1) {
    const chunks = w[h + ROOM] >> CHUNK_SHIFT;
    for (let i = 0; i < chunks; i++) a.free(a.i32[slots >>> SEGMENT_SHIFT][((slots & GRANULE_MASK) << 1) + i]);
  }
  a.free(slots);
  a.free(heap);
}

/** Bytes of header, slots and directory. */
export function expiryHeapBytes(a: Arena, heap: Ref): number {
  const w = a.i32[heap >>> SEGMENT_SHIFT];
  const h = (heap & GRANULE_MASK) << 1;
  return HEADER_BYTES + w[h + ROOM] * 4 + w[h + DIRECTORY_ROOM] * 4;
}

/** Walks everything and throws an Error that names the first violated invariant. */
export function expiryHeapCheck(a: Arena, heap: Ref): void {
  const keyOffset = keyOffsetOf(a, heap);
  const count = expiryHeapSize(a, heap);
  for (let i = 0; i < count; i++) {
    const item = slotAt(a, heap, i);
    if (positionOf(a, item, keyOffset) !== i)
      throw new Error(`expiry heap: the item at ${i} says ${positionOf(a, item, keyOffset)}`);
    if (i > 0 && itemTime(a, slotAt(a, heap, (i - 1) >> ARITY_SHIFT), keyOffset) > itemTime(a, item, keyOffset))
      throw new Error(`expiry heap: the item at ${i} is before its parent`);
  }
}

function keyOffsetOf(a: Arena, heap: Ref): number {
  return a.i32[heap >>> SEGMENT_SHIFT][((heap & GRANULE_MASK) << 1) + KEY_OFFSET];
}

function positionOf(a: Arena, item: Ref, keyOffset: number): number {
  return a.i32[item >>> SEGMENT_SHIFT][itemTimeWord(a, item, keyOffset) + 2];
}

/** The block of refs that holds slot `i`. */
function blockOf(a: Arena, heap: Ref, i: number): Ref {
  const w = a.i32[heap >>> SEGMENT_SHIFT];
  const h = (heap & GRANULE_MASK) << 1;
  const slots = w[h + SLOTS];
  if (w[h + IS_DIRECTORY] === 0) return slots;
  return a.i32[slots >>> SEGMENT_SHIFT][((slots & GRANULE_MASK) << 1) + (i >> CHUNK_SHIFT)];
}

function slotAt(a: Arena, heap: Ref, i: number): Ref {
  const block = blockOf(a, heap, i);
  return a.i32[block >>> SEGMENT_SHIFT][((block & GRANULE_MASK) << 1) + (i & (CHUNK - 1))];
}

function setSlot(a: Arena, heap: Ref, i: number, item: Ref): void {
  const block = blockOf(a, heap, i);
  a.i32[block >>> SEGMENT_SHIFT][((block & GRANULE_MASK) << 1) + (i & (CHUNK - 1))] = item;
}

/** Puts an item at a position and tells it. */
function place(a: Arena, heap: Ref, item: Ref, position: number, keyOffset: number): void {
  setSlot(a, heap, position, item);
  a.i32[item >>> SEGMENT_SHIFT][itemTimeWord(a, item, keyOffset) + 2] = position;
}

/** Moves an item from a position to where its time belongs. */
function settle(a: Arena, heap: Ref, item: Ref, position: number): void {
  const keyOffset = keyOffsetOf(a, heap);
  const parent = (position - 1) >> ARITY_SHIFT;
  if (position > 0 && itemTime(a, slotAt(a, heap, parent), keyOffset) > itemTime(a, item, keyOffset))
    siftUp(a, heap, item, position);
  else siftDown(a, heap, item, position);
}

function siftUp(a: Arena, heap: Ref, item: Ref, from: number): void {
  const keyOffset = keyOffsetOf(a, heap);
  const time = itemTime(a, item, keyOffset);
  let position = from;
  while (position > 0) {
    const parent = (position - 1) >> ARITY_SHIFT;
    const above = slotAt(a, heap, parent);
    if (itemTime(a, above, keyOffset) <= time) break;
    place(a, heap, above, position, keyOffset);
    position = parent;
  }
  place(a, heap, item, position, keyOffset);
}

function siftDown(a: Arena, heap: Ref, item: Ref, from: number): void {
  const keyOffset = keyOffsetOf(a, heap);
  const count = expiryHeapSize(a, heap);
  const time = itemTime(a, item, keyOffset);
  let position = from;
  for (;;) {
    const first = (position << ARITY_SHIFT) + 1;
    let least = -1;
    let leastTime = time;
    for (let child = first; child < first + 4 && child < count; child++) {
      const childTime = itemTime(a, slotAt(a, heap, child), keyOffset);
      if (childTime < leastTime) {
        least = child;
        leastTime = childTime;
      }
    }
    if (least < 0) break;
    place(a, heap, slotAt(a, heap, least), position, keyOffset);
    position = least;
  }
  place(a, heap, item, position, keyOffset);
}

/** Copies `count` words into a new block of `room` words and frees the old one. */
function resizeBlock(a: Arena, block: Ref, count: number, room: number): Ref {
  const fresh = a.alloc(room * 4);
  const to = (fresh & GRANULE_MASK) << 1;
  const from = (block & GRANULE_MASK) << 1;
  const target = a.i32[fresh >>> SEGMENT_SHIFT];
  const source = a.i32[block >>> SEGMENT_SHIFT];
  for (let i = 0; i < count; i++) target[to + i] = source[from + i];
  a.free(block);
  return fresh;
}

function grow(a: Arena, heap: Ref): void {
  const w = a.i32[heap >>> SEGMENT_SHIFT];
  const h = (heap & GRANULE_MASK) << 1;
  const room = w[h + ROOM];
  if (room < CHUNK) {
    w[h + SLOTS] = resizeBlock(a, w[h + SLOTS], room, room * 2);
    w[h + ROOM] = room * 2;
    return;
  }
  const chunks = room >> CHUNK_SHIFT;
  if (w[h + IS_DIRECTORY] === 0) {
    const directory = a.alloc(DIRECTORY_START * 4);
    a.i32[directory >>> SEGMENT_SHIFT][(directory & GRANULE_MASK) << 1] = w[h + SLOTS];
    w[h + SLOTS] = directory;
    w[h + DIRECTORY_ROOM] = DIRECTORY_START;
    w[h + IS_DIRECTORY] = 1;
  } else if (chunks === w[h + DIRECTORY_ROOM]) {
    w[h + SLOTS] = resizeBlock(a, w[h + SLOTS], chunks, chunks * 2);
    w[h + DIRECTORY_ROOM] = chunks * 2;
  }
  const directory = w[h + SLOTS];
  a.i32[directory >>> SEGMENT_SHIFT][((directory & GRANULE_MASK) << 1) + chunks] = a.alloc(CHUNK * 4);
  w[h + ROOM] = room + CHUNK;
}

/** Gives room back when most of it is not used any more; one chunk or half the block is kept in reserve. */
function shrink(a: Arena, heap: Ref): void {
  const w = a.i32[heap >>> SEGMENT_SHIFT];
  const h = (heap & GRANULE_MASK) << 1;
  const room = w[h + ROOM];
  const count = w[h + COUNT];
  if (w[h + IS_DIRECTORY] === 0) {
    if (room === ROOM_START || count > room >> 2) return;
    w[h + SLOTS] = resizeBlock(a, w[h + SLOTS], count, room >> 1);
    w[h + ROOM] = room >> 1;
    return;
  }
  if (room === CHUNK || count > room - 2 * CHUNK) return;
  const directory = w[h + SLOTS];
  a.free(a.i32[directory >>> SEGMENT_SHIFT][((directory & GRANULE_MASK) << 1) + (room >> CHUNK_SHIFT) - 1]);
  w[h + ROOM] = room - CHUNK;
}
