/**
 * A set in a struct/dict. A member is an arena block:
 *
 *   word 0   [large:1][0:1][length:30]
 *   byte 4   the member (a large one: its LargeId)
 */
import { type Arena, BLOCK_MAX, GRANULE_MASK, type Ref, SEGMENT_SHIFT } from "../../arena/arena.ts";
import { copyBytes, copyOf } from "../../base/bytes.ts";
import {
  dictCreate,
  dictDismantle,
  dictEntryHash,
  dictFind,
  dictHash,
  dictInsert,
  dictRemove,
  KEY_IS_LARGE,
  KEY_LENGTH_MASK,
  RefList,
} from "../../struct/dict/dict.ts";
import { ListpackElement } from "../../struct/listpack/listpack-element.ts";

/** Where the bytes of a member stand: the keyOffset of these dicts. */
const MEMBER_OFFSET = 4;
/** A member longer than this gets a large buffer of its own. */
const MEMBER_INLINE_MAX = BLOCK_MAX / 4;

const copied = new ListpackElement();

/** An empty table. */
export function tableCreate(a: Arena): Ref {
  return dictCreate(a, MEMBER_OFFSET);
}

function memberCreate(a: Arena, buf: Uint8Array, at: number, length: number): Ref {
  if (length > MEMBER_INLINE_MAX) {
    const large = a.alloc(MEMBER_OFFSET + 4);
    const id = a.adoptLarge(copyOf(buf, at, length));
    const w = a.i32[large >>> SEGMENT_SHIFT];
    w[(large & GRANULE_MASK) << 1] = length | KEY_IS_LARGE;
    w[((large & GRANULE_MASK) << 1) + 1] = id;
    return large;
  }
  const m = a.alloc(MEMBER_OFFSET + length);
  const seg = m >>> SEGMENT_SHIFT;
  const word = (m & GRANULE_MASK) << 1;
  a.i32[seg][word] = length;
  copyBytes(buf, at, a.u8[seg], (word << 2) + MEMBER_OFFSET, length);
  return m;
}

/** A copy of a member, in no dict. */
export function memberCopy(a: Arena, m: Ref): Ref {
  readMember(a, m, copied);
  return memberCreate(a, copied.buf, copied.at, copied.length);
}

/** Frees a member that is in no dict any more. */
export function memberFree(a: Arena, m: Ref): void {
  const w = a.i32[m >>> SEGMENT_SHIFT];
  const word = (m & GRANULE_MASK) << 1;
  if (w[word] < 0) a.freeLarge(w[word + 1]);
  a.free(m);
}

/** Points `out` at the bytes of a member. */
export function readMember(a: Arena, m: Ref, out: ListpackElement): void {
  const seg = m >>> SEGMENT_SHIFT;
  const w = a.i32[seg];
  const word = (m & GRANULE_MASK) << 1;
  out.isInteger = false;
  out.length = w[word] & KEY_LENGTH_MASK;
  if (w[word] < 0) {
    out.buf = a.large[w[word + 1]] as Uint8Array;
    out.at = 0;
  } else {
    out.buf = a.u8[seg];
    out.at = (word << 2) + MEMBER_OFFSET;
  }
}

/** Bytes of a member's block and of its large buffer. */
export function memberBytes(a: Arena, m: Ref): number {
  const word0 = a.i32[m >>> SEGMENT_SHIFT][(m & GRANULE_MASK) << 1];
  return a.capacity(m) + (word0 < 0 ? word0 & KEY_LENGTH_MASK : 0);
}

/** True when the member is in the table. */
export function tableHas(a: Arena, dict: Ref, buf: Uint8Array, at: number, length: number): boolean {
  return dictFind(a, dict, buf, at, length, dictHash(a, buf, at, length)) !== 0;
}

/** Adds a member; false when it is there already. */
export function tableAdd(a: Arena, dict: Ref, buf: Uint8Array, at: number, length: number): boolean {
  const hash = dictHash(a, buf, at, length);
  if (dictFind(a, dict, buf, at, length, hash) !== 0) return false;
  dictInsert(a, dict, memberCreate(a, buf, at, length), hash);
  return true;
}

/** Adds a member that is known to be absent. */
export function tableAppend(a: Arena, dict: Ref, buf: Uint8Array, at: number, length: number): void {
  dictInsert(a, dict, memberCreate(a, buf, at, length), dictHash(a, buf, at, length));
}

/** Removes a member; false when there is none. */
export function tableRemove(a: Arena, dict: Ref, buf: Uint8Array, at: number, length: number): boolean {
  const hash = dictHash(a, buf, at, length);
  const m = dictFind(a, dict, buf, at, length, hash);
  if (m === 0) return false;
  dictRemove(a, dict, m, hash);
  memberFree(a, m);
  return true;
}

/** Removes a member by its block. */
export function tableRemoveMember(a: Arena, dict: Ref, m: Ref): void {
  dictRemove(a, dict, m, dictEntryHash(a, m, MEMBER_OFFSET));
  memberFree(a, m);
}

const ruined = new RefList();
const BUCKETS_PER_STEP = 16;

/** Frees the members of up to `buckets` buckets of a table that nobody uses any more, as dictDismantle does: where to go on, negative at the end. */
export function tableRuin(a: Arena, dict: Ref, position: number, buckets: number): number {
  ruined.count = 0;
  const next = dictDismantle(a, dict, position, buckets, ruined);
  for (let i = 0; i < ruined.count; i++) memberFree(a, ruined.refs[i]);
  return next;
}

/** Frees a table with its members. */
export function tableFree(a: Arena, dict: Ref): void {
  for (let position = 0; position >= 0; ) position = tableRuin(a, dict, position, BUCKETS_PER_STEP);
}
