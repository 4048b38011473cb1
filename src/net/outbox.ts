/**
 * Output of one connection that the socket did not take yet: a list of blocks, filled at the end and sent from the front. Memory goes back block by block
 * while output is sent; a connection whose output is all sent holds at most one small block, until trim().
 *
 * Invariant: length is the sum of the blocks' unsent bytes; capacity the sum of the blocks' sizes. #first is 0 unless there are blocks. While anything
 * waits, the front block is not empty.
 */
import { copyBytes } from "../base/bytes.ts";

/** Size of a first block. */
const BLOCK_START = 1024;
/** A block smaller than this grows, so that a little output is one block and one write. It is kept when all is sent. */
const BLOCK_KEEP = 16 * 1024;
/** Each further block is twice as large as the one before, up to this. */
const BLOCK_MAX = 256 * 1024;

interface Block {
  readonly bytes: Uint8Array;
  /** bytes[head, tail) waits. */
  head: number;
  tail: number;
}

export class Outbox {
  /** Bytes that wait. */
  length = 0;
  /** Bytes of memory held. */
  capacity = 0;
  #blocks: Block[] | null = null;
  #first = 0;

  /** Number of blocks. */
  get blockCount(): number {
    return this.#blocks === null ? 0 : this.#blocks.length - this.#first;
  }

  /** The bytes to send next. Only when length > 0. */
  get front(): Readonly<Block> {
    return (this.#blocks as Block[])[this.#first];
  }

  /** Adds a copy of bytes. */
  append(bytes: Uint8Array, offset: number, length: number): void {
    let from = offset;
    let left = length;
    let last = this.#last();
    if (last !== null && last.tail + length > last.bytes.length && last.bytes.length < BLOCK_KEEP)
      last = this.#grow(last, length);
    if (last !== null) {
      const fits = Math.min(left, last.bytes.length - last.tail);
      copyBytes(bytes, from, last.bytes, last.tail, fits);
      last.tail += fits;
      from += fits;
      left -= fits;
    }
    if (left > 0) {
      const size = last === null ? BLOCK_START : Math.min(last.bytes.length * 2, BLOCK_MAX);
      const block = new Uint8Array(Math.max(size, left));
      copyBytes(bytes, from, block, 0, left);
      this.#push(block, 0, left);
    }
    this.length += length;
  }

  /** Adds bytes[from, to) without copying: the caller gives the buffer up. */
  adopt(bytes: Uint8Array, from: number, to: number): void {
    // A block that was kept for the next output holds nothing: nobody may find it in front.
    if (this.length === 0) this.clear();
    this.#push(bytes, from, to);
    this.length += to - from;
  }

  /** Forgets `length` bytes at the front, at most what the first block holds. */
  consume(length: number): void {
    const block = (this.#blocks as Block[])[this.#first];
    block.head += length;
    this.length -= length;
    if (block.head < block.tail) return;
    this.capacity -= block.bytes.length;
    this.#first++;
    if (this.length === 0) this.#empty(block);
    else if (this.#first > 64) {
      (this.#blocks as Block[]).splice(0, this.#first);
      this.#first = 0;
    }
  }

  /** Forgets everything. */
  clear(): void {
    this.length = 0;
    this.capacity = 0;
    this.#blocks = null;
    this.#first = 0;
  }

  /** Gives back the block that is kept for the next output. */
  trim(): void {
    if (this.length === 0) this.clear();
  }

  /** Replaces the last block by a larger one with the same bytes and, as far as a small block goes, room for `length` more. */
  #grow(last: Block, length: number): Block {
    const waiting = last.tail - last.head;
    let size = last.bytes.length * 2;
    while (size < waiting + length && size < BLOCK_KEEP) size *= 2;
    const bytes = new Uint8Array(size);
    copyBytes(last.bytes, last.head, bytes, 0, waiting);
    const blocks = this.#blocks as Block[];
    const grown = { bytes, head: 0, tail: waiting };
    blocks[blocks.length - 1] = grown;
    this.capacity += size - last.bytes.length;
    return grown;
  }

  #empty(last: Block): void {
    if (last.bytes.length > BLOCK_KEEP) {
      this.clear();
      return;
    }
    last.head = last.tail = 0;
    const blocks = this.#blocks as Block[];
    blocks[0] = last;
    blocks.length = 1;
    this.#first = 0;
    this.capacity = last.bytes.length;
  }

  #last(): Block | null {
    const blocks = this.#blocks;
    return blocks === null ? null : blocks[blocks.length - 1];
  }

  #push(bytes: Uint8Array, head: number, tail: number): void {
    this.#blocks ??= [];
    this.#blocks.push({ bytes, head, tail });
    this.capacity += bytes.length;
  }
}
