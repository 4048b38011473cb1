/** Ranges of a sorted set, by score or by bytes, as ranges of ranks. */
import type { Arena, Ref } from "../../arena/arena.ts";
import { blobAt, blobBuffer } from "../../arena/blob.ts";
import { compareBytes } from "../../base/bytes.ts";
import { LISTPACK_HEADER_BYTES } from "../../struct/listpack/listpack.ts";
import { LISTPACK_END } from "../../struct/listpack/listpack-element.ts";
import { TreeCursor, treeRankOfBytes, treeRankOfScore, treeSeekScore } from "../../struct/ranked-tree/ranked-tree.ts";
import { containerRoot, containerWord } from "../container.ts";
import { Encoding, entryEncoding } from "../entry.ts";
import { zsetLength } from "./zset-length.ts";
import { compareElement, nextPair, pairRankOfScore } from "./zset-listpack.ts";

/** The ranks from `from` to before `to`: the result of the range functions. Empty when they are equal. */
export const ranks = { from: 0, to: 0 };

/** In a table, the place of rank `from`, once ranksOfScores has found one that is not empty. Good until the set changes. */
export const firstInRange = new TreeCursor();

/** Limits of a range of scores. */
export class ScoreRange {
  min = 0;
  max = 0;
  /** True when members with the limit as their score do not belong to the range. */
  isMinOpen = false;
  isMaxOpen = false;

  /** True when no score can be in it. */
  get isEmpty(): boolean {
    return this.min > this.max || (this.min === this.max && (this.isMinOpen || this.isMaxOpen));
  }
}

/** A limit of a range of bytes: before everything ("-"), behind everything ("+"), or bytes. */
export class BytesLimit {
  /** -1, 1 or 0. */
  side = 0;
  isOpen = false;
  buf: Uint8Array = new Uint8Array(0);
  at = 0;
  length = 0;
}

/** Limits of a range of bytes. */
export class BytesRange {
  readonly min = new BytesLimit();
  readonly max = new BytesLimit();

  /** True when no bytes can be in it. */
  get isEmpty(): boolean {
    const { min, max } = this;
    if (min.side !== 0 || max.side !== 0) return min.side === max.side || min.side > 0 || max.side < 0;
    const order = compareBytes(min.buf, min.at, min.length, max.buf, max.at, max.length);
    return order > 0 || (order === 0 && (min.isOpen || max.isOpen));
  }
}

/** Finds the ranks of the members with a score in a range. */
export function ranksOfScores(a: Arena, e: Ref, range: ScoreRange): void {
  ranks.from = 0;
  ranks.to = 0;
  if (range.isEmpty) return;
  const isListpack = entryEncoding(a, e) === Encoding.Listpack;
  const root = isListpack ? containerRoot(a, e) : containerWord(a, e);
  ranks.from = isListpack
    ? pairRankOfScore(a, root, range.min, range.isMinOpen)
    : treeSeekScore(a, root, range.min, range.isMinOpen, firstInRange);
  if (range.max === Number.POSITIVE_INFINITY && !range.isMaxOpen) ranks.to = zsetLength(a, e);
  else if (isListpack) ranks.to = pairRankOfScore(a, root, range.max, !range.isMaxOpen);
  else ranks.to = treeRankOfScore(a, root, range.max, !range.isMaxOpen);
}

/**
 * Finds the ranks of the members with bytes in a range, supposing that all scores are equal. Where they are not, as in Redis, a listpack is searched from
 * its first member, or (`backwards`) from its last, until one is in the range, and from there as far as members are.
 */
export function ranksOfBytes(a: Arena, e: Ref, range: BytesRange, backwards: boolean): void {
  ranks.from = 0;
  ranks.to = 0;
  if (range.isEmpty) return;
  if (entryEncoding(a, e) === Encoding.Listpack) {
    if (isOutside(a, containerRoot(a, e), range)) return;
    if (backwards) lastPairs(a, containerRoot(a, e), range);
    else firstPairs(a, containerRoot(a, e), range);
    return;
  }
  const count = zsetLength(a, e);
  ranks.from = rankOfLimit(a, containerWord(a, e), range.min, count, range.min.isOpen);
  ranks.to = Math.max(ranks.from, rankOfLimit(a, containerWord(a, e), range.max, count, !range.max.isOpen));
}

function rankOfLimit(a: Arena, tree: Ref, limit: BytesLimit, count: number, orEqual: boolean): number {
  if (limit.side !== 0) return limit.side < 0 ? 0 : count;
  return treeRankOfBytes(a, tree, limit.buf, limit.at, limit.length, orEqual);
}

/** True when the element at `p` is not below the range. */
function reachesMin(buf: Uint8Array, p: number, min: BytesLimit): boolean {
  if (min.side !== 0) return min.side < 0;
  const order = compareElement(buf, p, min.buf, min.at, min.length);
  return min.isOpen ? order > 0 : order >= 0;
}

/** True when the element at `p` is not above the range. */
function keepsMax(buf: Uint8Array, p: number, max: BytesLimit): boolean {
  if (max.side !== 0) return max.side > 0;
  const order = compareElement(buf, p, max.buf, max.at, max.length);
  return max.isOpen ? order < 0 : order <= 0;
}

/** True when the last member is below the range or the first one above it. */
function isOutside(a: Arena, lp: Ref, range: BytesRange): boolean {
  const buf = blobBuffer(a, lp);
  const first = blobAt(a, lp) + LISTPACK_HEADER_BYTES;
  let last = first;
  for (let p = first; buf[p] !== LISTPACK_END; p = nextPair(buf, p)) last = p;
  return !reachesMin(buf, last, range.min) || !keepsMax(buf, first, range.max);
}

function firstPairs(a: Arena, lp: Ref, range: BytesRange): void {
  const buf = blobBuffer(a, lp);
  let p = blobAt(a, lp) + LISTPACK_HEADER_BYTES;
  let rank = 0;
  for (; buf[p] !== LISTPACK_END && !reachesMin(buf, p, range.min); rank++) p = nextPair(buf, p);
  ranks.from = rank;
  for (; buf[p] !== LISTPACK_END && keepsMax(buf, p, range.max); rank++) p = nextPair(buf, p);
  ranks.to = rank;
}

function lastPairs(a: Arena, lp: Ref, range: BytesRange): void {
  const buf = blobBuffer(a, lp);
  let p = blobAt(a, lp) + LISTPACK_HEADER_BYTES;
  // From behind, the range ends with the last member that is not above it, and begins behind the last one before that which is below it.
  let below = 0;
  for (let rank = 1; buf[p] !== LISTPACK_END; rank++) {
    if (keepsMax(buf, p, range.max)) {
      if (!reachesMin(buf, p, range.min)) below = rank;
      ranks.from = below;
      ranks.to = rank;
    } else if (!reachesMin(buf, p, range.min)) {
      below = rank;
    }
    p = nextPair(buf, p);
  }
}
