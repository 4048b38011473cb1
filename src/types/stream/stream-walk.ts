/** Walks over a range of a stream's entries in either direction, and what is found by walking: single entries, the ends. Deleted entries are passed over. */
import type { Arena, Ref } from "../../arena/arena.ts";
import { IndexCursor, indexFirst, indexFloor, indexNext, indexPrevious } from "../../struct/id-index/id-index.ts";
import { Head, streamClearFirst, streamIndex, streamLength, streamStoreId } from "./stream.ts";
import { BlockWalk, EntryFlag, walkBackward, walkFirst, walkForward, walkLast, walkOpen } from "./stream-block.ts";
import { ID_WORDS, idClear, idCompare, idCreate, idRead, idSet, idSetMax, type StreamId } from "./stream-id.ts";

/** A walk. The entry that it has come to is in the fields of BlockWalk. Good until the stream changes. */
export class StreamWalk extends BlockWalk {
  readonly cursor = new IndexCursor();
  readonly from: StreamId = idCreate();
  readonly to: StreamId = idCreate();
  isReverse = false;
}

/** Prepares a walk over the entries from `from` to `to` (both included), from the last one on when `isReverse`. walkNext goes to the first. */
export function walkStart(a: Arena, s: Ref, walk: StreamWalk, from: StreamId, to: StreamId, isReverse: boolean): void {
  const index = streamIndex(a, s);
  const { cursor } = walk;
  idSet(walk.from, from);
  idSet(walk.to, to);
  walk.isReverse = isReverse;
  walk.p = 0;
  if (!indexFloor(a, index, isReverse ? to : from, cursor)) {
    // Nothing lies at or below the bound: forwards all blocks are above it, backwards there is nothing.
    if (isReverse) cursor.leaf = 0;
    else indexFirst(a, index, cursor);
  }
  if (cursor.leaf !== 0) openBlock(a, walk);
}

function openBlock(a: Arena, walk: StreamWalk): void {
  const { cursor } = walk;
  idRead(walk.master, cursor.words, cursor.at);
  walkOpen(a, cursor.words[cursor.at + ID_WORDS], walk);
}

/** Goes to the next entry in the direction of the walk; false at the end. */
export function walkNext(a: Arena, s: Ref, walk: StreamWalk): boolean {
  const { cursor, isReverse } = walk;
  while (cursor.leaf !== 0) {
    let hasEntry = isReverse ? stepBackward(walk) : stepForward(walk);
    for (; hasEntry; hasEntry = isReverse ? walkBackward(walk) : walkForward(walk)) {
      if (isReverse ? idCompare(walk.id, walk.to) > 0 : idCompare(walk.id, walk.from) < 0) continue;
      if ((walk.flags & EntryFlag.Deleted) !== 0) continue;
      if (isReverse ? idCompare(walk.id, walk.from) >= 0 : idCompare(walk.id, walk.to) <= 0) return true;
      cursor.leaf = 0;
      return false;
    }
    const index = streamIndex(a, s);
    if (isReverse ? indexPrevious(a, index, cursor) : indexNext(a, index, cursor)) openBlock(a, walk);
  }
  return false;
}

function stepForward(walk: StreamWalk): boolean {
  return walk.p === 0 ? walkFirst(walk) : walkForward(walk);
}

function stepBackward(walk: StreamWalk): boolean {
  return walk.p === 0 ? walkLast(walk) : walkBackward(walk);
}

/** Goes to the entry of an id; false when there is none or it is deleted. */
export function walkFind(a: Arena, s: Ref, walk: StreamWalk, id: StreamId): boolean {
  walkStart(a, s, walk, id, id, false);
  return walkNext(a, s, walk);
}

const least = idCreate();
const greatest = idCreate();
idSetMax(greatest);
const edge = new StreamWalk();

/** Reads the id of the first or the last entry; 0-0 when there is none. */
export function streamEdgeId(a: Arena, s: Ref, isLast: boolean, id: StreamId): void {
  walkStart(a, s, edge, least, greatest, isLast);
  if (walkNext(a, s, edge)) idSet(id, edge.id);
  else idClear(id);
}

/** Sets the head's first id after entries have gone. */
export function streamRenewFirst(a: Arena, s: Ref): void {
  if (streamLength(a, s) === 0) {
    streamClearFirst(a, s);
    return;
  }
  streamEdgeId(a, s, false, edge.from);
  streamStoreId(a, s, Head.FirstId, edge.from);
}

/** True when an entry with the id is there. */
export function streamHas(a: Arena, s: Ref, id: StreamId): boolean {
  return walkFind(a, s, edge, id);
}

/** Opens the block at walk.cursor before its first entry: for those who go from block to block themselves. */
export function walkBlock(a: Arena, walk: StreamWalk): void {
  openBlock(a, walk);
}
