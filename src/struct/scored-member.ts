/**
 * A member of a large sorted set: one arena block that both the member dict and the ranked tree point to.
 *
 *   word 0      [large:1][0:1][length:30]    as struct/dict wants it
 *   words 1, 2  the score, a double, low word first
 *   byte 12     the member (a large one: its LargeId)
 *
 * The order of members is that of (score, bytes). -0 and 0 are the same score for the order, although both can be stored.
 * Scores are never NaN.
 */
import { type Arena, BLOCK_MAX, GRANULE_MASK, type Ref, SEGMENT_SHIFT } from "../arena/arena.ts";
import { compareBytes, copyBytes, copyOf } from "../base/bytes.ts";
import { KEY_IS_LARGE, KEY_LENGTH_MASK } from "./dict/dict.ts";

/** Where the bytes of a member stand: the keyOffset of dicts of members. */
export const MEMBER_OFFSET = 12;
const MEMBER_WORD = MEMBER_OFFSET / 4;
/** A member longer than this gets a large buffer of its own. */
const MEMBER_INLINE_MAX = BLOCK_MAX / 4;

const double = new Float64Array(1);
const halves = new Int32Array(double.buffer);

/** A new member that is in no dict and no tree. */
export function memberCreate(a: Arena, buf: Uint8Array, at: number, length: number, score: number): Ref {
  const isLarge = length > MEMBER_INLINE_MAX;
  const m = a.alloc(MEMBER_OFFSET + (isLarge ? 4 : length));
  const seg = m >>> SEGMENT_SHIFT;
  const w = a.i32[seg];
  const word = (m & GRANULE_MASK) << 1;
  double[0] = score;
  w[word + 1] = halves[0];
  w[word + 2] = halves[1];
  if (isLarge) {
    w[word] = length | KEY_IS_LARGE;
    w[word + 3] = a.adoptLarge(copyOf(buf, at, length));
  } else {
    w[word] = length;
    copyBytes(buf, at, a.u8[seg], (word << 2) + MEMBER_OFFSET, length);
  }
  return m;
}

/** A copy of a member, in no dict and no tree. */
export function memberCopy(a: Arena, m: Ref): Ref {
  return memberCreate(a, memberBuffer(a, m), memberAt(a, m), memberLength(a, m), memberScore(a, m));
}

/** Frees a member that is in no dict and no tree any more. */
export function memberFree(a: Arena, m: Ref): void {
  const w = a.i32[m >>> SEGMENT_SHIFT];
  const word = (m & GRANULE_MASK) << 1;
  if (w[word] < 0) a.freeLarge(w[word + 3]);
  a.free(m);
}

export function memberScore(a: Arena, m: Ref): number {
  const w = a.i32[m >>> SEGMENT_SHIFT];
  const word = (m & GRANULE_MASK) << 1;
  halves[0] = w[word + 1];
  halves[1] = w[word + 2];
  return double[0];
}

/** Sets the score of a member that is in no tree. */
export function setMemberScore(a: Arena, m: Ref, score: number): void {
  const w = a.i32[m >>> SEGMENT_SHIFT];
  const word = (m & GRANULE_MASK) << 1;
  double[0] = score;
  w[word + 1] = halves[0];
  w[word + 2] = halves[1];
}

/** Bytes of the member itself. */
export function memberLength(a: Arena, m: Ref): number {
  return a.i32[m >>> SEGMENT_SHIFT][(m & GRANULE_MASK) << 1] & KEY_LENGTH_MASK;
}

/** The buffer with the member's bytes. */
export function memberBuffer(a: Arena, m: Ref): Uint8Array {
  const seg = m >>> SEGMENT_SHIFT;
  const word = (m & GRANULE_MASK) << 1;
  return a.i32[seg][word] < 0 ? (a.large[a.i32[seg][word + 3]] as Uint8Array) : a.u8[seg];
}

/** Where the member's bytes begin in memberBuffer. */
export function memberAt(a: Arena, m: Ref): number {
  return a.i32[m >>> SEGMENT_SHIFT][(m & GRANULE_MASK) << 1] < 0 ? 0 : ((m & GRANULE_MASK) << 3) + MEMBER_OFFSET;
}

/** Compares a member with bytes as memcmp does: negative, zero or positive. */
export function compareMember(a: Arena, m: Ref, buf: Uint8Array, at: number, length: number): number {
  const seg = m >>> SEGMENT_SHIFT;
  const word0 = a.i32[seg][(m & GRANULE_MASK) << 1];
  if (word0 < 0) return compareBytes(memberBuffer(a, m), 0, word0 & KEY_LENGTH_MASK, buf, at, length);
  return compareBytes(a.u8[seg], ((m & GRANULE_MASK) << 3) + MEMBER_OFFSET, word0, buf, at, length);
}

/** Compares two members with each other as memcmp does. */
export function compareMembers(a: Arena, m: Ref, other: Ref): number {
  const w = a.i32[m >>> SEGMENT_SHIFT];
  const v = a.i32[other >>> SEGMENT_SHIFT];
  let p = (m & GRANULE_MASK) << 1;
  let q = (other & GRANULE_MASK) << 1;
  const length = w[p];
  const otherLength = v[q];
  if (length < 0 || otherLength < 0)
    return compareMember(a, m, memberBuffer(a, other), memberAt(a, other), otherLength & KEY_LENGTH_MASK);
  // Word by word: members begin at words, and their blocks end at words.
  const shared = length < otherLength ? length : otherLength;
  p += MEMBER_WORD;
  q += MEMBER_WORD;
  for (const end = p + (shared >> 2); p < end; p++, q++) if (w[p] !== v[q]) return compareWords(w[p], v[q]);
  const rest = shared & 3;
  if (rest > 0) {
    const mask = (1 << (rest << 3)) - 1;
    if (((w[p] ^ v[q]) & mask) !== 0) return compareWords(w[p] & mask, v[q] & mask);
  }
  return length - otherLength;
}

/** Compares two different words by their first byte (the lowest) that differs. */
function compareWords(x: number, y: number): number {
  const differing = x ^ y;
  const shift = (31 - Math.clz32(differing & -differing)) & 24;
  return ((x >>> shift) & 255) - ((y >>> shift) & 255);
}

/** Bytes of a member's block and of its large buffer. */
export function memberBytes(a: Arena, m: Ref): number {
  const word0 = a.i32[m >>> SEGMENT_SHIFT][(m & GRANULE_MASK) << 1];
  return a.capacity(m) + (word0 < 0 ? word0 & KEY_LENGTH_MASK : 0);
}

/** The score as two int32 words that are ordered as scores are, high word first: what the tree compares. */
export const scoreKey = { high: 0, low: 0 };

/** Sets scoreKey for a score. */
export function toScoreKey(score: number): void {
  double[0] = score;
  setScoreKey(halves[0], halves[1]);
}

/** Sets scoreKey for the score of a member. */
export function memberScoreKey(a: Arena, m: Ref): void {
  const w = a.i32[m >>> SEGMENT_SHIFT];
  const word = (m & GRANULE_MASK) << 1;
  setScoreKey(w[word + 1], w[word + 2]);
}

/** Sets scoreKey for a double given as two words. */
function setScoreKey(low: number, high: number): void {
  if (high >= 0) {
    scoreKey.high = high;
    scoreKey.low = low ^ -0x80000000;
  } else if (low === 0 && high === -0x80000000) {
    // -0 is 0.
    scoreKey.high = 0;
    scoreKey.low = -0x80000000;
  } else {
    scoreKey.high = high ^ 0x7fffffff;
    scoreKey.low = low ^ 0x7fffffff;
  }
}
