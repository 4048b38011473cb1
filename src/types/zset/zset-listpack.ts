/**
 * A small sorted set as Redis lays it out: a listpack of pairs [member][score] in the order of (score, bytes). A score that is an integer of at most 2^62 is
 * stored as one (so that -0 becomes 0), any other as its text. A pair is named by the offset of its member.
 */
import type { Arena } from "../../arena/arena.ts";
import { type BlobRef, blobAt, blobBuffer } from "../../arena/blob.ts";
import { compareBytes } from "../../base/bytes.ts";
import { DOUBLE_TEXT_MAX, parseDouble, writeDouble } from "../../base/float.ts";
import {
  LISTPACK_HEADER_BYTES,
  listpackCount,
  listpackDeleteRun,
  listpackEnd,
  listpackFind,
  listpackSplice,
} from "../../struct/listpack/listpack.ts";
import {
  elementBytes,
  elementForm,
  integer,
  integerForm,
  isString,
  LISTPACK_END,
  ListpackElement,
  readInteger,
  stringAt,
  stringLength,
  writeElement,
} from "../../struct/listpack/listpack-element.ts";

const TWO_32 = 4294967296;
const INTEGER_MAX = 2 ** 62;

const scoreText = new Uint8Array(DOUBLE_TEXT_MAX);
const element = new ListpackElement();
const other = new ListpackElement();

/** The score in the listpack element at position `p` of a buffer. */
export function elementScore(buf: Uint8Array, p: number): number {
  if (readInteger(buf, p)) return integer.high * TWO_32 + (integer.low >>> 0);
  const at = stringAt(buf, p);
  const length = stringLength(buf, p);
  // Infinity spelled out, or a number that was printed from a double.
  return parseDouble(buf, at, length);
}

/** Pairs in the listpack. */
export function pairCount(a: Arena, lp: BlobRef): number {
  return listpackCount(a, lp) >> 1;
}

/** The pair of a member, or 0. */
export function findPair(a: Arena, lp: BlobRef, buf: Uint8Array, at: number, length: number): number {
  return listpackFind(a, lp, 0, buf, at, length, 1);
}

/** The score of the pair at `p`. */
export function pairScore(a: Arena, lp: BlobRef, p: number): number {
  const buf = blobBuffer(a, lp);
  const member = blobAt(a, lp) + p;
  return elementScore(buf, member + elementBytes(buf, member));
}

/** How many pairs stand before the one at `p`. */
export function pairRank(a: Arena, lp: BlobRef, p: number): number {
  const buf = blobBuffer(a, lp);
  const at = blobAt(a, lp);
  let rank = 0;
  for (let q = at + LISTPACK_HEADER_BYTES; q < at + p; rank++) q = nextPair(buf, q);
  return rank;
}

/** Where the pair behind the one at position `p` of the buffer begins, or the end. */
export function nextPair(buf: Uint8Array, p: number): number {
  const score = p + elementBytes(buf, p);
  return score + elementBytes(buf, score);
}

/** Compares the element at position `p` of a buffer with bytes as memcmp does. */
export function compareElement(own: Uint8Array, p: number, buf: Uint8Array, at: number, length: number): number {
  if (isString(own, p)) return compareBytes(own, stringAt(own, p), stringLength(own, p), buf, at, length);
  element.read(own, p);
  element.text();
  return compareBytes(element.buf, element.at, element.length, buf, at, length);
}

/** Adds a pair, whose member is not there yet, at its place. */
export function insertPair(a: Arena, lp: BlobRef, buf: Uint8Array, at: number, length: number, score: number): BlobRef {
  return putPair(a, lp, placeOf(a, lp, buf, at, length, score), buf, at, length, score);
}

/** Adds a pair that comes behind all others. */
export function appendPair(a: Arena, lp: BlobRef, buf: Uint8Array, at: number, length: number, score: number): BlobRef {
  return putPair(a, lp, listpackEnd(a, lp), buf, at, length, score);
}

function putPair(
  a: Arena,
  lp: BlobRef,
  p: number,
  buf: Uint8Array,
  at: number,
  length: number,
  score: number,
): BlobRef {
  const memberBytes = elementForm(buf, at, length);
  const bytes = memberBytes + scoreForm(score);
  const list = listpackSplice(a, lp, p, 0, bytes, 2);
  const own = blobBuffer(a, list);
  const start = blobAt(a, list) + p;
  elementForm(buf, at, length);
  writeElement(own, start, buf, at, length);
  scoreForm(score);
  writeElement(own, start + memberBytes, scoreText, 0, scoreTextLength);
  return list;
}

let scoreTextLength = 0;

/** Decides how a score is stored, with its text in scoreText when it is no integer. Returns all bytes of the element. */
function scoreForm(score: number): number {
  if (Number.isInteger(score) && score <= INTEGER_MAX && score >= -INTEGER_MAX)
    return integerForm(score | 0, Math.floor(score / TWO_32) | 0);
  scoreTextLength = writeDouble(scoreText, 0, score);
  return elementForm(scoreText, 0, scoreTextLength);
}

/** The offset of the first pair that comes behind (score, bytes), or of the end. */
function placeOf(a: Arena, lp: BlobRef, buf: Uint8Array, at: number, length: number, score: number): number {
  const own = blobBuffer(a, lp);
  const start = blobAt(a, lp);
  let p = start + LISTPACK_HEADER_BYTES;
  while (own[p] !== LISTPACK_END) {
    const q = p + elementBytes(own, p);
    const other = elementScore(own, q);
    if (other > score || (other === score && compareElement(own, p, buf, at, length) > 0)) break;
    p = q + elementBytes(own, q);
  }
  return p - start;
}

/** Removes the pair at `p`. */
export function deletePair(a: Arena, lp: BlobRef, p: number): BlobRef {
  return listpackDeleteRun(a, lp, p, 2);
}

/** How many pairs have a score below `score`, or one that is not above it (`orEqual`). */
export function pairRankOfScore(a: Arena, lp: BlobRef, score: number, orEqual: boolean): number {
  const own = blobBuffer(a, lp);
  let p = blobAt(a, lp) + LISTPACK_HEADER_BYTES;
  let rank = 0;
  for (; own[p] !== LISTPACK_END; rank++) {
    const q = p + elementBytes(own, p);
    const other = elementScore(own, q);
    if (other > score || (other === score && !orEqual)) break;
    p = q + elementBytes(own, q);
  }
  return rank;
}

/** What a listpack that comes from outside is as a sorted set: no pairs with numbers, pairs out of order, or right. */
export const PairsState = { Wrong: 0, Unordered: 1, Right: 2 } as const;

/** Looks through a listpack that is valid element by element. Returns a value of PairsState. */
export function pairsState(a: Arena, lp: BlobRef): number {
  const own = blobBuffer(a, lp);
  let p = blobAt(a, lp) + LISTPACK_HEADER_BYTES;
  let previous = 0;
  let previousScore = Number.NEGATIVE_INFINITY;
  let state: number = PairsState.Right;
  while (own[p] !== LISTPACK_END) {
    const q = p + elementBytes(own, p);
    const score = own[q] === LISTPACK_END ? Number.NaN : elementScore(own, q);
    if (!(score >= previousScore)) {
      if (Number.isNaN(score)) return PairsState.Wrong;
      state = PairsState.Unordered;
    } else if (score === previousScore && previous !== 0 && compareMembers(own, previous, p) > 0) {
      state = PairsState.Unordered;
    }
    previous = p;
    previousScore = score;
    p = q + elementBytes(own, q);
  }
  return state;
}

/** Order of the bytes of two elements of the same buffer. */
function compareMembers(own: Uint8Array, p: number, q: number): number {
  other.read(own, q);
  other.text();
  return compareElement(own, p, other.buf, other.at, other.length);
}
