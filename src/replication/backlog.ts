/**
 * The replication stream as far as somebody may still need it: the last bytes of it, for replicas that come back, and whatever a slow replica has not been sent.
 * All of them share one list of blocks; a replica has a cursor in it. Bytes of the stream are numbered from 1, as PSYNC numbers them.
 *
 *   #head -> block -> block -> #tail      bytes first .. end, without gaps; only the tail has room left
 *
 * A block goes as soon as the blocks behind it hold more than `limit` bytes and no cursor is in it: what a replica may ask for then does not depend on when
 * the next block is begun. A cursor in an old block keeps all that follows, so that a slow
 * replica makes the backlog longer than the limit, and others may go on from what it keeps.
 *
 * Invariants: first + length === end + 1; block.cursors counts the open cursors in the block; memoryBytes is what the blocks take. While there is a cursor there
 * is a block.
 */
import { copyBytes } from "../base/bytes.ts";
import type { OutputStream } from "../engine/ports.ts";

/** A backlog is never smaller, in bytes. */
export const BACKLOG_BYTES_MIN = 16 * 1024;
/** A block is a part of the limit, so that what is kept is never much more than that... */
const BLOCKS_IN_LIMIT = 16;
const BLOCK_BYTES_MIN = 16 * 1024;
/** ...and no larger than this, unless one command fills it. */
const BLOCK_BYTES = 64 * 1024;
/** What a block costs beside its bytes, as Redis counts it. */
const BLOCK_OVERHEAD = 64;

interface Block {
  readonly bytes: Uint8Array;
  /** Number of its first byte in the stream. */
  first: number;
  /** bytes[0, used) are of the stream. */
  used: number;
  cursors: number;
  next: Block | null;
}

/** The bytes that a backlog keeps for a wanted size. */
function limitOf(wanted: number): number {
  return Math.max(wanted, BACKLOG_BYTES_MIN);
}

export class Backlog {
  /** Number of the last byte; what the stream's offset was when the backlog was made, at first. */
  end: number;
  /** Bytes of memory that the blocks take. */
  memoryBytes = 0;
  #limit: number;
  #head: Block | null = null;
  #tail: Block | null = null;
  /** From this end of the stream on, the block at the head is no longer needed for the limit. */
  #trimEnd = Number.POSITIVE_INFINITY;
  /** The memory of the block that went last, for the next one: it is warm, and need not be cleared. */
  #spare: Uint8Array | null = null;

  /** `limit` in bytes; `offset` is the number of bytes that the stream has had so far. */
  constructor(limit: number, offset: number) {
    this.#limit = limitOf(limit);
    this.end = offset;
  }

  /** Bytes that are kept for replicas that come back. */
  get limit(): number {
    return this.#limit;
  }

  /** Number of the first byte held. */
  get first(): number {
    return this.#head === null ? this.end + 1 : this.#head.first;
  }

  /** Bytes held. */
  get length(): number {
    return this.end + 1 - this.first;
  }

  /** Bytes of memory that are there because of slow replicas. */
  get excessBytes(): number {
    return Math.max(0, this.memoryBytes - this.#limit);
  }

  /** The same without what a list of blocks takes beside the bytes: what eviction must not count, because it makes more of it. */
  get uncountedBytes(): number {
    return Math.max(0, this.excessBytes - (this.#limit / BLOCK_BYTES_MIN + 1) * BLOCK_OVERHEAD);
  }

  /** Can the stream go on from byte `from` out of this backlog? */
  reaches(from: number): boolean {
    return from >= this.first && from <= this.end + 1;
  }

  /** Adds bytes at the end of the stream. */
  append(bytes: Uint8Array, offset: number, length: number): void {
    let from = offset;
    let left = length;
    let tail = this.#tail;
    while (left > 0) {
      if (tail === null || tail.used === tail.bytes.length) tail = this.#extend(left);
      const room = tail.bytes.length - tail.used;
      const fits = left < room ? left : room;
      copyBytes(bytes, from, tail.bytes, tail.used, fits);
      tail.used += fits;
      this.end += fits;
      from += fits;
      left -= fits;
    }
    if (this.end >= this.#trimEnd) this.#trim();
  }

  /** Adds a block; `wanted` bytes are to come. */
  #extend(wanted: number): Block {
    this.#trim();
    const most = Math.max(BLOCK_BYTES_MIN, Math.floor(this.#limit / BLOCKS_IN_LIMIT));
    const size = Math.min(Math.max(wanted, BLOCK_BYTES), most);
    const spare = this.#spare;
    this.#spare = null;
    const bytes = spare !== null && spare.length === size ? spare : new Uint8Array(size);
    const block = { bytes, first: this.end + 1, used: 0, cursors: 0, next: null };
    if (this.#tail === null) this.#head = block;
    else this.#tail.next = block;
    this.#tail = block;
    this.memoryBytes += size + BLOCK_OVERHEAD;
    this.#setTrimEnd();
    return block;
  }

  #setTrimEnd(): void {
    const second = this.#head?.next ?? null;
    this.#trimEnd = second === null ? Number.POSITIVE_INFINITY : second.first + this.#limit;
  }

  /** Lets go of blocks that nobody needs. */
  #trim(): void {
    let head = this.#head;
    while (head !== null && head.next !== null && head.cursors === 0) {
      if (this.end + 1 - head.next.first <= this.#limit) break;
      this.memoryBytes -= head.bytes.length + BLOCK_OVERHEAD;
      this.#spare = head.bytes;
      head = head.next;
      this.#head = head;
    }
    this.#setTrimEnd();
  }

  /** A cursor before byte `from`. Only when reaches(from). It is to be closed when it is no longer needed. */
  cursor(from: number): BacklogCursor {
    let block = this.#head ?? this.#extend(0);
    while (block.next !== null && from >= block.next.first) block = block.next;
    return new BacklogCursor(this, block, from);
  }

  /** What the backlog holds follows so many more bytes than was thought. */
  rebase(bytes: number): void {
    this.end += bytes;
    for (let block = this.#head; block !== null; block = block.next) block.first += bytes;
    this.#setTrimEnd();
  }

  /** Changes the limit. */
  resize(limit: number): void {
    this.#limit = limitOf(limit);
    this.#spare = null;
    this.#trim();
  }

  /** A cursor has left a block. */
  released(): void {
    this.#trim();
  }
}

/** Where a replica is in the stream: what it has not been sent yet begins here. */
export class BacklogCursor implements OutputStream {
  readonly #backlog: Backlog;
  #block: Block;
  /** Position of the next byte in the block. */
  #at: number;
  #isOpen = true;

  /** To be had from Backlog.cursor(). */
  constructor(backlog: Backlog, block: Block, from: number) {
    this.#backlog = backlog;
    this.#block = block;
    this.#at = from - block.first;
    block.cursors++;
  }

  get length(): number {
    return this.#backlog.end + 1 - this.#block.first - this.#at;
  }

  get bytes(): Uint8Array {
    if (this.#at === this.#block.used && this.#block.next !== null) this.#advance(this.#block.next);
    return this.#block.bytes;
  }

  get at(): number {
    return this.#at;
  }

  get end(): number {
    return this.#block.used;
  }

  consume(length: number): void {
    this.#at += length;
  }

  #advance(next: Block): void {
    this.#block.cursors--;
    next.cursors++;
    this.#block = next;
    this.#at = 0;
    this.#backlog.released();
  }

  /** As Redis counts it, whose blocks are smaller: that which the cursor is in, and all behind it. */
  get blockCount(): number {
    if (!this.#isOpen) return 0;
    return Math.max(1, Math.ceil((this.length + (this.#at % BLOCK_BYTES_MIN)) / BLOCK_BYTES_MIN));
  }

  get memoryBytes(): number {
    return this.blockCount * (BLOCK_BYTES_MIN + BLOCK_OVERHEAD);
  }

  /** Holds nothing any more. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#block.cursors--;
    this.#backlog.released();
  }
}
