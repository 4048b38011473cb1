/**
 * Sets: members without order. The root is an intset while all members are integers and few, a listpack while they are few and short, else a dict of
 * members (set-table.ts). What is changed by its members does not go back to a smaller encoding.
 *
 * Members are given as (buffer, offset, length); a member that was read is a SetMember, which may be an integer.
 */
import type { Arena, Ref } from "../../arena/arena.ts";
import { blobCapacity } from "../../arena/blob.ts";
import type { Prng } from "../../base/prng.ts";
import { dictRandom, dictRehash, dictSize } from "../../struct/dict/dict.ts";
import {
  intsetCount,
  intsetCreate,
  intsetFree,
  intsetGet,
  intsetInsertAt,
  intsetRemoveAt,
  intsetSearch,
  intsetValue,
} from "../../struct/intset.ts";
import {
  listpackAppend,
  listpackAppendInteger,
  listpackCount,
  listpackCreate,
  listpackDelete,
  listpackFind,
  listpackFits,
  listpackFree,
  listpackRandom,
  listpackRead,
} from "../../struct/listpack/listpack.ts";
import { integer, spellsInteger } from "../../struct/listpack/listpack-element.ts";
import { containerCreate, containerRoot, setContainerRoot } from "../container.ts";
import { Encoding, entryEncoding, setEntryEncoding, Type } from "../entry.ts";
import {
  readMember,
  tableAdd,
  tableAppend,
  tableCreate,
  tableFree,
  tableHas,
  tableRemove,
  tableRemoveMember,
} from "./set-table.ts";
import { readIntsetMember, SetMember, SetWalk, setWalkNext, setWalkStart } from "./set-walk.ts";

/** Limits of the small encodings. */
export interface SetLimits {
  /** Most members of an intset. */
  intsetEntries: number;
  /** Most members of a listpack, and the longest of them in bytes. */
  listpackEntries: number;
  listpackValue: number;
}

/** An intset may not hold more, whatever the limit. */
const INTSET_ENTRIES_MAX = 1 << 30;
/** Most bytes that an integer takes in a listpack. */
const LISTPACK_INTEGER_BYTES = 10;

const scratch = new SetMember();
const conversion = new SetWalk();

/** An entry with an empty set, for a key that will get members at once. */
export function setCreate(
  a: Arena,
  key: Uint8Array,
  keyAt: number,
  keyLength: number,
  access: number,
  encoding: number,
): Ref {
  const meta = (access << 8) | (encoding << 4) | Type.Set;
  return containerCreate(a, key, keyAt, keyLength, false, meta, rootCreate(a, encoding));
}

function rootCreate(a: Arena, encoding: number): number {
  if (encoding === Encoding.Intset) return intsetCreate(a);
  return encoding === Encoding.Listpack ? listpackCreate(a) : tableCreate(a);
}

/** The encoding of a new set that will get about `hint` members, this one first. */
export function setEncodingFor(buf: Uint8Array, at: number, length: number, hint: number, limits: SetLimits): number {
  if (hint <= limits.intsetEntries && spellsInteger(buf, at, length)) return Encoding.Intset;
  return hint <= limits.listpackEntries ? Encoding.Listpack : Encoding.HashTable;
}

/** Makes a table of a small set that is about to get `hint` members when those alone would be too many. */
export function setMakeRoom(a: Arena, e: Ref, hint: number, limits: SetLimits): void {
  const encoding = entryEncoding(a, e);
  if (
    (encoding === Encoding.Listpack && hint > limits.listpackEntries) ||
    (encoding === Encoding.Intset && hint > limits.intsetEntries)
  )
    setToTable(a, e);
}

/** Members of a set. */
export function setLength(a: Arena, e: Ref): number {
  const encoding = entryEncoding(a, e);
  const root = containerRoot(a, e);
  if (encoding === Encoding.HashTable) return dictSize(a, root);
  return encoding === Encoding.Intset ? intsetCount(a, root) : listpackCount(a, root);
}

/** True when the bytes are a member. */
export function setHas(a: Arena, e: Ref, buf: Uint8Array, at: number, length: number): boolean {
  const encoding = entryEncoding(a, e);
  const root = containerRoot(a, e);
  if (encoding === Encoding.HashTable) return tableHas(a, root, buf, at, length);
  if (encoding === Encoding.Listpack) return listpackFind(a, root, 0, buf, at, length, 0) !== 0;
  return spellsInteger(buf, at, length) && intsetSearch(a, root, integer.low, integer.high) >= 0;
}

/** The same for what was read from another set. */
export function setHasMember(a: Arena, e: Ref, member: SetMember): boolean {
  if (member.isInteger && entryEncoding(a, e) === Encoding.Intset)
    return intsetSearch(a, containerRoot(a, e), member.low, member.high) >= 0;
  member.text();
  return setHas(a, e, member.buf, member.at, member.length);
}

/** Adds a member; false when it is there already. The bytes are not those of this set. */
export function setAdd(a: Arena, e: Ref, buf: Uint8Array, at: number, length: number, limits: SetLimits): boolean {
  const encoding = entryEncoding(a, e);
  const root = containerRoot(a, e);
  if (encoding === Encoding.HashTable) return tableAdd(a, root, buf, at, length);
  if (encoding === Encoding.Intset) {
    if (spellsInteger(buf, at, length)) return addInteger(a, e, integer.low, integer.high, limits);
    leaveIntset(a, e, length, limits);
  } else {
    if (listpackFind(a, root, 0, buf, at, length, 0) !== 0) return false;
    const fits = listpackCount(a, root) < limits.listpackEntries && length <= limits.listpackValue;
    if (!fits || !listpackFits(a, root, length)) setToTable(a, e);
  }
  const fresh = containerRoot(a, e);
  if (entryEncoding(a, e) === Encoding.HashTable) tableAppend(a, fresh, buf, at, length);
  else setContainerRoot(a, e, listpackAppend(a, fresh, buf, at, length));
  return true;
}

/** The same for what was read from another set. */
export function setAddMember(a: Arena, e: Ref, member: SetMember, limits: SetLimits): boolean {
  if (member.isInteger && entryEncoding(a, e) === Encoding.Intset)
    return addInteger(a, e, member.low, member.high, limits);
  member.text();
  return setAdd(a, e, member.buf, member.at, member.length, limits);
}

function addInteger(a: Arena, e: Ref, low: number, high: number, limits: SetLimits): boolean {
  const root = containerRoot(a, e);
  const index = intsetSearch(a, root, low, high);
  if (index >= 0) return false;
  const fresh = intsetInsertAt(a, root, ~index, low, high);
  setContainerRoot(a, e, fresh);
  if (intsetCount(a, fresh) > intsetMax(limits)) setToTable(a, e);
  return true;
}

function intsetMax(limits: SetLimits): number {
  return Math.min(limits.intsetEntries, INTSET_ENTRIES_MAX);
}

/** Makes a listpack or a table of an intset that is about to get a member of `length` bytes that is no integer. */
function leaveIntset(a: Arena, e: Ref, length: number, limits: SetLimits): void {
  const root = containerRoot(a, e);
  const count = intsetCount(a, root);
  const longest = Math.max(length, count === 0 ? 0 : longestInteger(a, root, count));
  const fits = count < limits.listpackEntries && longest <= limits.listpackValue;
  if (fits && listpackFits(a, 0, count * LISTPACK_INTEGER_BYTES + length)) intsetToListpack(a, e);
  else setToTable(a, e);
}

/** Bytes of the longer of the smallest and the largest value, in decimal. */
function longestInteger(a: Arena, root: number, count: number): number {
  readIntsetMember(a, root, 0, scratch);
  scratch.text();
  const first = scratch.length;
  readIntsetMember(a, root, count - 1, scratch);
  scratch.text();
  return Math.max(first, scratch.length);
}

function intsetToListpack(a: Arena, e: Ref): void {
  const root = containerRoot(a, e);
  const count = intsetCount(a, root);
  let lp = listpackCreate(a);
  for (let i = 0; i < count; i++) {
    intsetGet(a, root, i);
    lp = listpackAppendInteger(a, lp, intsetValue.low, intsetValue.high);
  }
  intsetFree(a, root);
  setContainerRoot(a, e, lp);
  setEntryEncoding(a, e, Encoding.Listpack);
}

/** Makes a table of a set that is none. */
export function setToTable(a: Arena, e: Ref): void {
  const table = tableCreate(a);
  const walk = conversion;
  setWalkStart(a, e, walk);
  while (setWalkNext(a, walk)) {
    walk.member.text();
    tableAppend(a, table, walk.member.buf, walk.member.at, walk.member.length);
  }
  freeSmall(a, e);
  setContainerRoot(a, e, table);
  setEntryEncoding(a, e, Encoding.HashTable);
}

/** Makes an intset of a set whose members are all integers, if they are not too many for one. */
export function setToIntset(a: Arena, e: Ref, limits: SetLimits): void {
  if (entryEncoding(a, e) === Encoding.Intset || setLength(a, e) > intsetMax(limits)) return;
  let set = intsetCreate(a);
  const walk = conversion;
  setWalkStart(a, e, walk);
  while (setWalkNext(a, walk)) {
    const m = walk.member;
    if (!m.isInteger && spellsInteger(m.buf, m.at, m.length)) {
      m.low = integer.low;
      m.high = integer.high;
    }
    set = intsetInsertAt(a, set, ~intsetSearch(a, set, m.low, m.high), m.low, m.high);
  }
  if (entryEncoding(a, e) === Encoding.HashTable) tableFree(a, containerRoot(a, e));
  else freeSmall(a, e);
  setContainerRoot(a, e, set);
  setEntryEncoding(a, e, Encoding.Intset);
}

/** Frees the blob of a set that is no table. */
export function freeSmall(a: Arena, e: Ref): void {
  if (entryEncoding(a, e) === Encoding.Intset) intsetFree(a, containerRoot(a, e));
  else listpackFree(a, containerRoot(a, e));
}

/** Bytes of the blob of a set that is no table. */
export function smallBytes(a: Arena, e: Ref): number {
  return blobCapacity(a, containerRoot(a, e));
}

/** Removes a member; false when there is none. An empty set is the caller's to delete. */
export function setRemove(a: Arena, e: Ref, buf: Uint8Array, at: number, length: number): boolean {
  const encoding = entryEncoding(a, e);
  const root = containerRoot(a, e);
  if (encoding === Encoding.HashTable) return tableRemove(a, root, buf, at, length);
  if (encoding === Encoding.Listpack) {
    const p = listpackFind(a, root, 0, buf, at, length, 0);
    if (p !== 0) setContainerRoot(a, e, listpackDelete(a, root, p));
    return p !== 0;
  }
  if (!spellsInteger(buf, at, length)) return false;
  const index = intsetSearch(a, root, integer.low, integer.high);
  if (index >= 0) setContainerRoot(a, e, intsetRemoveAt(a, root, index));
  return index >= 0;
}

/** The same for what was read from another set. */
export function setRemoveMember(a: Arena, e: Ref, member: SetMember): boolean {
  member.text();
  return setRemove(a, e, member.buf, member.at, member.length);
}

/** A uniformly random member of a set that is not empty. */
export function setRandom(a: Arena, e: Ref, prng: Prng, out: SetMember): void {
  const encoding = entryEncoding(a, e);
  const root = containerRoot(a, e);
  if (encoding === Encoding.HashTable) {
    // A set that only gives out random members finishes to grow or shrink, too.
    dictRehash(a, root, 1);
    out.place = dictRandom(a, root, prng);
    readMember(a, out.place, out);
  } else if (encoding === Encoding.Intset) {
    out.place = prng.below(intsetCount(a, root));
    readIntsetMember(a, root, out.place, out);
  } else {
    out.place = listpackRandom(a, root, prng, 1);
    listpackRead(a, root, out.place, out);
  }
}

/** Removes the member that was just read from this very set; its bytes are void then. */
export function setRemoveAt(a: Arena, e: Ref, member: SetMember): void {
  const encoding = entryEncoding(a, e);
  const root = containerRoot(a, e);
  if (encoding === Encoding.HashTable) tableRemoveMember(a, root, member.place);
  else if (encoding === Encoding.Intset) setContainerRoot(a, e, intsetRemoveAt(a, root, member.place));
  else setContainerRoot(a, e, listpackDelete(a, root, member.place));
}
