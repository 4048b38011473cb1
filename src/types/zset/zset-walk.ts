/**
 * A walk over the members of a sorted set that does not change meanwhile, in both directions, from any rank:
 *
 *   if (zsetWalkStart(a, e, walk, rank)) do ... walk.member, walk.score ... while (zsetWalkNext(a, walk));
 */
import type { Arena, Ref } from "../../arena/arena.ts";
import { blobAt, blobBuffer } from "../../arena/blob.ts";
import type { FrozenView } from "../../arena/frozen.ts";
import { LISTPACK_HEADER_BYTES, listpackSeek } from "../../struct/listpack/listpack.ts";
import { elementBefore, elementBytes, LISTPACK_END, ListpackElement } from "../../struct/listpack/listpack-element.ts";
import { TreeCursor, treeMember, treeNext, treePrevious, treeSeek } from "../../struct/ranked-tree/ranked-tree.ts";
import { memberAt, memberBuffer, memberLength, memberScore } from "../../struct/scored-member.ts";
import { containerRoot, containerWord } from "../container.ts";
import { Encoding, entryEncoding } from "../entry.ts";
import { zsetLength } from "./zset-length.ts";
import { elementScore, nextPair } from "./zset-listpack.ts";

export class ZsetWalk {
  /** The member that the walk has come to: an integer, or bytes that are good until the set changes. */
  readonly member = new ListpackElement();
  score = 0;
  /** Of a large set, the member's block; of a listpack, its position in the buffer. */
  place = 0;
  isListpack = false;
  /** The buffer of a listpack, and where it begins. */
  buf: Uint8Array = new Uint8Array(0);
  start = 0;
  readonly cursor = new TreeCursor();
  /** What the entry stands for, or null. */
  frozen: FrozenView | null = null;
  /** The walk is before the first member: zsetWalkStartSaved. */
  isBefore = false;
}

/** Puts a walk on the member of a rank; false when there is none. */
export function zsetWalkStart(a: Arena, e: Ref, walk: ZsetWalk, rank: number): boolean {
  if (rank < 0 || rank >= zsetLength(a, e)) return false;
  walk.isListpack = entryEncoding(a, e) === Encoding.Listpack;
  if (!walk.isListpack) {
    treeSeek(a, containerWord(a, e), rank, walk.cursor);
    readCursor(a, walk);
    return true;
  }
  const lp = containerRoot(a, e);
  walk.buf = blobBuffer(a, lp);
  walk.start = blobAt(a, lp);
  readPair(walk, walk.start + listpackSeek(a, lp, rank * 2));
  return true;
}

/** Puts a walk of whoever writes a snapshot before the first member of a set that is not empty, and may be frozen. */
export function zsetWalkStartSaved(a: Arena, e: Ref, walk: ZsetWalk): void {
  const frozen = a.frozen.view(e);
  if (frozen === null) zsetWalkStart(a, e, walk, 0);
  walk.frozen = frozen;
  walk.isBefore = frozen === null;
}

/** Goes on to the next member; false at the end. */
export function zsetWalkNext(a: Arena, walk: ZsetWalk): boolean {
  if (!walk.isListpack) {
    if (!treeNext(a, walk.cursor)) return false;
    readCursor(a, walk);
    return true;
  }
  const p = nextPair(walk.buf, walk.place);
  if (walk.buf[p] === LISTPACK_END) return false;
  readPair(walk, p);
  return true;
}

/** Goes on to the next member of such a walk, in any order if it is frozen; false at the end, and when it has to look further and some are left. */
export function zsetWalkNextSaved(a: Arena, walk: ZsetWalk): boolean {
  if (walk.frozen === null) {
    if (!walk.isBefore) return zsetWalkNext(a, walk);
    walk.isBefore = false;
    return true;
  }
  const m = walk.frozen.next();
  if (m !== 0) readBlock(a, walk, m);
  return m !== 0;
}

/** Goes back to the member before; false at the beginning. */
export function zsetWalkPrevious(a: Arena, walk: ZsetWalk): boolean {
  if (!walk.isListpack) {
    if (!treePrevious(a, walk.cursor)) return false;
    readCursor(a, walk);
    return true;
  }
  if (walk.place === walk.start + LISTPACK_HEADER_BYTES) return false;
  readPair(walk, elementBefore(walk.buf, elementBefore(walk.buf, walk.place)));
  return true;
}

function readPair(walk: ZsetWalk, p: number): void {
  walk.place = p;
  walk.member.read(walk.buf, p);
  walk.score = elementScore(walk.buf, p + elementBytes(walk.buf, p));
}

function readCursor(a: Arena, walk: ZsetWalk): void {
  readBlock(a, walk, treeMember(a, walk.cursor));
}

function readBlock(a: Arena, walk: ZsetWalk, m: Ref): void {
  walk.place = m;
  walk.score = memberScore(a, walk.place);
  readMember(a, walk.place, walk.member);
}

/** Points `out` at the bytes of a member's block. */
export function readMember(a: Arena, m: Ref, out: ListpackElement): void {
  out.isInteger = false;
  out.buf = memberBuffer(a, m);
  out.at = memberAt(a, m);
  out.length = memberLength(a, m);
}
