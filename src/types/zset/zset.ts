/**
 * Sorted sets: members with scores, in the order of (score, bytes). The root is a listpack of pairs while members are few and short (zset-listpack.ts), else a
 * dict beside a ranked tree (zset-table.ts), which OBJECT ENCODING calls skiplist. What is changed by its members does not go back to the listpack.
 *
 * Members are given as (buffer, offset, length). Scores are never NaN.
 */
import type { Arena, Ref } from "../../arena/arena.ts";
import type { Prng } from "../../base/prng.ts";
import { dictChanging, dictRandom } from "../../struct/dict/dict.ts";
import {
  listpackCreate,
  listpackDeleteRange,
  listpackFits,
  listpackFree,
  listpackRandom,
  listpackRead,
} from "../../struct/listpack/listpack.ts";
import { treeRank, treeSetScore } from "../../struct/ranked-tree/ranked-tree.ts";
import { memberScore } from "../../struct/scored-member.ts";
import { containerCreate, containerRoot, containerWord, setContainerRoot, setContainerWord } from "../container.ts";
import { Encoding, entryEncoding, setEntryEncoding, Type } from "../entry.ts";
import { zsetLength } from "./zset-length.ts";
import { appendPair, deletePair, findPair, insertPair, pairRank, pairScore } from "./zset-listpack.ts";
import { tableAdd, tableCreate, tableFind, tableFree, tableRemove, tableRemoveRanks } from "./zset-table.ts";
import { readMember, ZsetWalk, zsetWalkNext, zsetWalkStart } from "./zset-walk.ts";

/** Limits of the small encoding. */
export interface ZsetLimits {
  /** Most members of a listpack, and the longest of them in bytes. */
  listpackEntries: number;
  listpackValue: number;
}

/** What zsetAdd is to do, as bits. */
export const Add = {
  /** Only what is not there yet; only what is there already. */
  New: 1,
  Existing: 2,
  /** Only when the score grows; only when it shrinks. New members are added all the same. */
  Greater: 4,
  Less: 8,
  /** The score is added to the one that is there. */
  Increment: 16,
} as const;

/** What zsetAdd did. */
export const Added = {
  /** The sum is not a number: nothing was done. */
  NotANumber: -1,
  /** A condition was not met. */
  Nothing: 0,
  New: 1,
  /** The score is another one now. */
  Changed: 2,
  /** The score is what it was. */
  Same: 3,
} as const;

/** `score`: what the latest zsetAdd that was no Nothing made of the member's score, or what the latest zsetRank found. */
export const latest = { score: 0 };

const conversion = new ZsetWalk();

/** An entry with an empty sorted set, for a key that will get members at once. */
export function zsetCreate(
  a: Arena,
  key: Uint8Array,
  keyAt: number,
  keyLength: number,
  access: number,
  encoding: number,
): Ref {
  const meta = (access << 8) | (encoding << 4) | Type.Zset;
  const isListpack = encoding === Encoding.Listpack;
  const e = containerCreate(a, key, keyAt, keyLength, false, meta, isListpack ? listpackCreate(a) : 0);
  if (!isListpack) tableCreate(a, e);
  return e;
}

/** The encoding of a new set that will get about `count` members, the first of `length` bytes. */
export function zsetEncodingFor(count: number, length: number, limits: ZsetLimits): number {
  return count <= limits.listpackEntries && length <= limits.listpackValue ? Encoding.Listpack : Encoding.Skiplist;
}

/** Makes a table of a listpack that is about to get `count` members when those alone would be too many. */
export function zsetMakeRoom(a: Arena, e: Ref, count: number, limits: ZsetLimits): void {
  if (count > limits.listpackEntries && entryEncoding(a, e) === Encoding.Listpack) zsetToTable(a, e);
}

/** The score of a member, or NaN when there is none. */
export function zsetScore(a: Arena, e: Ref, buf: Uint8Array, at: number, length: number): number {
  if (entryEncoding(a, e) === Encoding.Listpack) {
    const lp = containerRoot(a, e);
    const p = findPair(a, lp, buf, at, length);
    return p === 0 ? Number.NaN : pairScore(a, lp, p);
  }
  const m = tableFind(a, e, buf, at, length);
  return m === 0 ? Number.NaN : memberScore(a, m);
}

/**
 * Adds a member or gives it another score, as `how` (bits of Add) says. Returns a value of Added. The bytes are not those of this set.
 */
export function zsetAdd(
  a: Arena,
  e: Ref,
  buf: Uint8Array,
  at: number,
  length: number,
  score: number,
  how: number,
  limits: ZsetLimits,
): number {
  if (entryEncoding(a, e) === Encoding.Listpack) return addToListpack(a, e, buf, at, length, score, how, limits);
  const m = tableFind(a, e, buf, at, length);
  if (m === 0) {
    if ((how & Add.Existing) !== 0) return Added.Nothing;
    latest.score = score;
    tableAdd(a, e, buf, at, length, score);
    return Added.New;
  }
  const result = decide(memberScore(a, m), score, how);
  if (result === Added.Changed) {
    dictChanging(a, containerRoot(a, e), m);
    treeSetScore(a, containerWord(a, e), m, latest.score);
  }
  return result;
}

function addToListpack(
  a: Arena,
  e: Ref,
  buf: Uint8Array,
  at: number,
  length: number,
  score: number,
  how: number,
  limits: ZsetLimits,
): number {
  const lp = containerRoot(a, e);
  const p = findPair(a, lp, buf, at, length);
  if (p !== 0) {
    const result = decide(pairScore(a, lp, p), score, how);
    if (result === Added.Changed)
      setContainerRoot(a, e, insertPair(a, deletePair(a, lp, p), buf, at, length, latest.score));
    return result;
  }
  if ((how & Add.Existing) !== 0) return Added.Nothing;
  latest.score = score;
  const fits = zsetLength(a, e) < limits.listpackEntries && length <= limits.listpackValue;
  if (fits && listpackFits(a, lp, length)) {
    setContainerRoot(a, e, insertPair(a, lp, buf, at, length, score));
  } else {
    zsetToTable(a, e);
    tableAdd(a, e, buf, at, length, score);
  }
  return Added.New;
}

/** What becomes of the score of a member that is there; the new one is then latest.score. */
function decide(current: number, given: number, how: number): number {
  if ((how & Add.New) !== 0) return Added.Nothing;
  const score = (how & Add.Increment) !== 0 ? given + current : given;
  if (Number.isNaN(score)) return Added.NotANumber;
  if ((how & Add.Less) !== 0 && score >= current) return Added.Nothing;
  if ((how & Add.Greater) !== 0 && score <= current) return Added.Nothing;
  latest.score = score;
  return score === current ? Added.Same : Added.Changed;
}

/** Adds a member that is not there yet and comes behind all others, to a set that need not obey limits: for what is read in order. */
export function zsetAppend(a: Arena, e: Ref, buf: Uint8Array, at: number, length: number, score: number): void {
  if (entryEncoding(a, e) === Encoding.Listpack)
    setContainerRoot(a, e, appendPair(a, containerRoot(a, e), buf, at, length, score));
  else tableAdd(a, e, buf, at, length, score);
}

/** Makes a table of a listpack. */
export function zsetToTable(a: Arena, e: Ref): void {
  const lp = containerRoot(a, e);
  const isFilled = zsetWalkStart(a, e, conversion, 0);
  tableCreate(a, e);
  setEntryEncoding(a, e, Encoding.Skiplist);
  if (isFilled) {
    const { member } = conversion;
    do {
      member.text();
      tableAdd(a, e, member.buf, member.at, member.length, conversion.score);
    } while (zsetWalkNext(a, conversion));
  }
  listpackFree(a, lp);
}

/** Makes a listpack of a table whose members fit into one: for results that were collected in a table. */
export function zsetToListpackIfSmall(a: Arena, e: Ref, limits: ZsetLimits): void {
  if (entryEncoding(a, e) === Encoding.Listpack || zsetLength(a, e) > limits.listpackEntries) return;
  const { member } = conversion;
  let bytes = 0;
  if (zsetWalkStart(a, e, conversion, 0)) {
    do {
      if (member.length > limits.listpackValue) return;
      bytes += member.length;
    } while (zsetWalkNext(a, conversion));
  }
  if (!listpackFits(a, 0, bytes)) return;
  let lp = listpackCreate(a);
  if (zsetWalkStart(a, e, conversion, 0)) {
    do lp = appendPair(a, lp, member.buf, member.at, member.length, conversion.score);
    while (zsetWalkNext(a, conversion));
  }
  tableFree(a, containerRoot(a, e), containerWord(a, e));
  setContainerRoot(a, e, lp);
  setContainerWord(a, e, 0);
  setEntryEncoding(a, e, Encoding.Listpack);
}

/** Removes a member; false when there is none. An empty set is the caller's to delete. */
export function zsetRemove(a: Arena, e: Ref, buf: Uint8Array, at: number, length: number): boolean {
  if (entryEncoding(a, e) !== Encoding.Listpack) return tableRemove(a, e, buf, at, length);
  const lp = containerRoot(a, e);
  const p = findPair(a, lp, buf, at, length);
  if (p !== 0) setContainerRoot(a, e, deletePair(a, lp, p));
  return p !== 0;
}

/** Removes the members of `count` ranks from `rank` on, which are there. */
export function zsetRemoveRanks(a: Arena, e: Ref, rank: number, count: number): void {
  if (entryEncoding(a, e) !== Encoding.Listpack) tableRemoveRanks(a, e, rank, count);
  else setContainerRoot(a, e, listpackDeleteRange(a, containerRoot(a, e), rank * 2, count * 2));
}

/** How many members come before a member, -1 when there is no such member. Its score is left in latest.score. */
export function zsetRank(a: Arena, e: Ref, buf: Uint8Array, at: number, length: number): number {
  if (entryEncoding(a, e) === Encoding.Listpack) {
    const lp = containerRoot(a, e);
    const p = findPair(a, lp, buf, at, length);
    if (p === 0) return -1;
    latest.score = pairScore(a, lp, p);
    return pairRank(a, lp, p);
  }
  const m = tableFind(a, e, buf, at, length);
  if (m === 0) return -1;
  latest.score = memberScore(a, m);
  return treeRank(a, containerWord(a, e), m);
}

/** Points `walk` at a uniformly random member of a set that is not empty. The walk cannot go on from there. */
export function zsetRandom(a: Arena, e: Ref, prng: Prng, walk: ZsetWalk): void {
  const root = containerRoot(a, e);
  if (entryEncoding(a, e) === Encoding.Listpack) {
    walk.place = listpackRandom(a, root, prng, 2);
    listpackRead(a, root, walk.place, walk.member);
    walk.score = pairScore(a, root, walk.place);
  } else {
    walk.place = dictRandom(a, root, prng);
    walk.score = memberScore(a, walk.place);
    readMember(a, walk.place, walk.member);
  }
}
