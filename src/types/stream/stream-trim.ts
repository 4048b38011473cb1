/** Taking entries out of a stream: single ones, and the oldest ones (trimming), with what becomes of the references that groups have to them. */
import type { Arena, Ref } from "../../arena/arena.ts";
import { indexFind, indexFirst, indexNext } from "../../struct/id-index/id-index.ts";
import {
  Head,
  streamAddLength,
  streamDropBlock,
  streamIndex,
  streamLength,
  streamOwnBlock,
  streamReadId,
  streamStoreId,
} from "./stream.ts";
import {
  blockAddCount,
  blockCount,
  EntryFlag,
  walkFirst,
  walkForward,
  walkLast,
  walkMarkDeleted,
} from "./stream-block.ts";
import { dropReferences, groupCount, isReferenced } from "./stream-group.ts";
import { ID_WORDS, idCompare, idCreate, idRead, idSet, type StreamId } from "./stream-id.ts";
import { StreamWalk, streamRenewFirst, walkBlock, walkFind } from "./stream-walk.ts";

/** What happens to references from groups when an entry is deleted. */
export const References = {
  /** They stay. */
  Keep: 0,
  /** They are deleted, too. */
  Delete: 1,
  /** Only entries without references are deleted. */
  Acked: 2,
} as const;

/** Which entries a trim takes away. */
export const Trim = { None: 0, MaxLength: 1, MinId: 2 } as const;

/** A trim. `limit`: most entries to take away, 0 for all; `isApproximate`: only whole blocks. */
export interface TrimOptions {
  strategy: number;
  isApproximate: boolean;
  limit: number;
  maxLength: number;
  readonly minId: StreamId;
  references: number;
}

const walk = new StreamWalk();
const deletedId = idCreate();
const headId = idCreate();

/** Deletes the entry of an id; false when there is none. The head's ids are not renewed: see streamDeleted. */
export function streamDelete(a: Arena, s: Ref, id: StreamId): boolean {
  if (!walkFind(a, s, walk, id)) return false;
  const { cursor } = walk;
  const shared = cursor.words[cursor.at + ID_WORDS];
  const block = streamOwnBlock(a, s, walk.master, cursor);
  if (block !== shared) walkFind(a, s, walk, id);
  walkMarkDeleted(walk);
  if (blockCount(a, block) === 1) streamDropBlock(a, s, walk.master, block);
  else cursor.words[cursor.at + ID_WORDS] = blockAddCount(a, block, -1, 1);
  streamAddLength(a, s, -1);
  return true;
}

/** Brings the head's ids up to date after the entry of `id` was deleted by name. */
export function streamDeleted(a: Arena, s: Ref, id: StreamId): void {
  streamReadId(a, s, Head.MaxDeletedId, headId);
  if (idCompare(id, headId) > 0) streamStoreId(a, s, Head.MaxDeletedId, id);
  streamReadId(a, s, Head.FirstId, headId);
  if (streamLength(a, s) === 0 || idCompare(id, headId) === 0) streamRenewFirst(a, s);
}

/** Deletes the entry of an id as `references` says. Returns 1: deleted; 2: there are references; -1: no such entry. */
export function streamDeleteReferenced(a: Arena, s: Ref, id: StreamId, references: number): number {
  if (!walkFind(a, s, walk, id)) return -1;
  if (references === References.Acked && isReferenced(a, s, id)) return 2;
  streamDelete(a, s, id);
  streamDeleted(a, s, id);
  if (references === References.Delete) dropReferences(a, s, id);
  return 1;
}

/** Trims a stream. Returns how many entries are gone. */
export function streamTrim(a: Arena, s: Ref, options: TrimOptions): number {
  if (options.strategy === Trim.None) return 0;
  if (options.strategy === Trim.MaxLength && streamLength(a, s) <= options.maxLength) return 0;
  const mindsReferences = options.references !== References.Keep && groupCount(a, s) > 0;
  const index = streamIndex(a, s);
  const { cursor } = walk;
  let deleted = 0;
  let more = indexFirst(a, index, cursor);
  while (more) {
    if (options.strategy === Trim.MaxLength && streamLength(a, s) <= options.maxLength) break;
    const block = cursor.words[cursor.at + ID_WORDS];
    const entries = blockCount(a, block);
    if (options.limit > 0 && deleted + entries > options.limit) break;
    const isWhole = coversBlock(a, s, options, entries);
    if (!isWhole && options.isApproximate) break;
    if (isWhole && !mindsReferences) {
      idRead(deletedId, cursor.words, cursor.at);
      streamAddLength(a, s, -entries);
      streamDropBlock(a, s, deletedId, block);
      deleted += entries;
      more = indexFirst(a, index, cursor);
      continue;
    }
    const gone = trimBlock(a, s, options);
    deleted += gone;
    // Later blocks have no smaller ids. A length may still be too large, when entries were kept for their references.
    if (!isWhole && options.strategy === Trim.MinId) break;
    // Blocks that were kept for their references are passed over.
    if (gone === entries) {
      indexFind(a, index, deletedId, cursor);
      more = cursor.leaf !== 0;
    } else {
      more = indexNext(a, index, cursor);
    }
  }
  if (deleted > 0) streamRenewFirst(a, s);
  return deleted;
}

/** True when all entries of the block at the walk's cursor are to go. */
function coversBlock(a: Arena, s: Ref, options: TrimOptions, entries: number): boolean {
  if (options.strategy === Trim.MaxLength) return streamLength(a, s) - entries >= options.maxLength;
  walkBlock(a, walk);
  return walkLast(walk) && idCompare(walk.id, options.minId) < 0;
}

/** Deletes entries of the block at the walk's cursor, from the first on, one by one. Returns how many. */
function trimBlock(a: Arena, s: Ref, options: TrimOptions): number {
  const { cursor } = walk;
  idRead(walk.master, cursor.words, cursor.at);
  const block = streamOwnBlock(a, s, walk.master, cursor);
  const entries = blockCount(a, block);
  let gone = 0;
  walkBlock(a, walk);
  idSet(deletedId, walk.master);
  for (let more = walkFirst(walk); more; more = walkForward(walk)) {
    if (options.strategy === Trim.MaxLength && streamLength(a, s) <= options.maxLength) break;
    if (options.strategy === Trim.MinId && idCompare(walk.id, options.minId) >= 0) break;
    if ((walk.flags & EntryFlag.Deleted) !== 0) continue;
    if (options.references === References.Acked && isReferenced(a, s, walk.id)) continue;
    if (options.references === References.Delete) dropReferences(a, s, walk.id);
    walkMarkDeleted(walk);
    streamAddLength(a, s, -1);
    gone++;
  }
  if (gone === entries) streamDropBlock(a, s, deletedId, block);
  else if (gone > 0) cursor.words[cursor.at + ID_WORDS] = blockAddCount(a, block, -gone, gone);
  return gone;
}
