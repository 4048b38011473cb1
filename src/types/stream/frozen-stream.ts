/**
 * A stream as it was at an instant, while commands go on changing it: a head of its own, with a copy of the index of blocks and of the groups. Blocks are
 * shared until the stream changes or drops one; then the block is left here, and the stream goes on with a copy, or without it. So whoever writes the frozen stream reads it
 * as any other.
 *
 * Invariant: a block of the frozen stream is the stream's, too, or it is kept, never both.
 */
import type { Arena, Ref } from "../../arena/arena.ts";
import { type BlobRef, blobCapacity } from "../../arena/blob.ts";
import { copyBlockWords } from "../../arena/copy-block.ts";
import type { SharedStructure } from "../../arena/frozen.ts";
import { IndexCursor, indexFind } from "../../struct/id-index/id-index.ts";
import { indexCopy } from "../../struct/id-index/id-index-copy.ts";
import { listpackFree } from "../../struct/listpack/listpack.ts";
import { setContainerRoot } from "../container.ts";
import { HEAD_BYTES, Head, streamAt, streamBlocks, streamFreeze, streamIndex, streamWords } from "./stream.ts";
import { consumerCount, groupAt, groupCopy, groupCount, groupPending, streamFreeHead } from "./stream-group.ts";
import { ID_WORDS, type StreamId } from "./stream-id.ts";
import { namesCreate, namesInsert } from "./stream-names.ts";

/** To freeze a stream is to copy the records of its blocks and of its pending entries: of more, that takes too long. A consumer counts as some. */
const RECORDS_MAX = 131_072;
const CONSUMER_RECORDS = 32;

const cursor = new IndexCursor();

/** Can a stream be frozen, and has it more blocks, or more pending entries, than so many? */
export function canFreezeStream(a: Arena, s: Ref, pendingMin: number, blocksMin: number): boolean {
  const blocks = streamBlocks(a, s);
  let pending = 0;
  let consumers = 0;
  for (let i = groupCount(a, s) - 1; i >= 0; i--) {
    const g = groupAt(a, s, i);
    // Of the group, and of its consumers.
    pending += groupPending(a, g) * 2;
    consumers += 1 + consumerCount(a, g);
  }
  if (blocks <= blocksMin && pending + consumers <= pendingMin) return false;
  return blocks + pending + consumers * CONSUMER_RECORDS <= RECORDS_MAX;
}

export class FrozenStream implements SharedStructure {
  /** The stream is gone: all blocks are kept. */
  isInherited = false;
  /** Bytes of blocks that were kept. */
  copiedBytes = 0;
  readonly #arena: Arena;
  readonly #stream: Ref;
  readonly #frozen: Ref;
  readonly #kept = new Set<BlobRef>();

  /** Freezes a stream, for which the entry `entry` stands. */
  constructor(a: Arena, s: Ref, entry: Ref) {
    this.#arena = a;
    this.#stream = s;
    this.#frozen = copyHead(a, s);
    setContainerRoot(a, entry, this.#frozen);
    streamFreeze(a, s, true);
    a.frozen.addShared(s, this);
  }

  keeps(id: StreamId, block: BlobRef): boolean {
    const a = this.#arena;
    if (!indexFind(a, streamIndex(a, this.#frozen), id, cursor)) return false;
    if (cursor.words[cursor.at + ID_WORDS] !== block || this.#kept.has(block)) return false;
    this.#kept.add(block);
    const bytes = blobCapacity(a, block);
    this.copiedBytes += bytes;
    a.frozen.copyBytes += bytes;
    return true;
  }

  vanish(): void {
    this.isInherited = true;
  }

  /** Thaws the stream. What it does not share is freed, unless all is kept: that is for whoever frees the entry. */
  release(): void {
    const a = this.#arena;
    a.frozen.copyBytes -= this.copiedBytes;
    if (this.isInherited) return;
    a.frozen.removeShared(this.#stream);
    streamFreeze(a, this.#stream, false);
    for (const block of this.#kept) listpackFree(a, block);
    streamFreeHead(a, this.#frozen);
  }
}

/** A head with the same blocks and copies of the groups. */
function copyHead(a: Arena, s: Ref): Ref {
  const head = a.alloc(HEAD_BYTES);
  const index = indexCopy(a, streamIndex(a, s));
  let groups = streamWords(a, s)[streamAt(s) + Head.Groups];
  if (groups !== 0) {
    groups = namesCreate(a);
    for (let i = 0; i < groupCount(a, s); i++) groups = namesInsert(a, groups, i, groupCopy(a, groupAt(a, s, i)));
  }
  copyBlockWords(a, s, head, HEAD_BYTES >> 2);
  const w = streamWords(a, head);
  w[streamAt(head) + Head.Index] = index;
  w[streamAt(head) + Head.Groups] = groups;
  w[streamAt(head) + Head.Frozen] = 0;
  return head;
}
