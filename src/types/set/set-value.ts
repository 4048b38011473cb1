/** The set as a value type: what is done to sets without knowing that they are. */
import type { Arena, Ref } from "../../arena/arena.ts";
import { dictIsFrozen, dictOverheadBytes, dictScan, dictSize, RefList } from "../../struct/dict/dict.ts";
import { intsetCopy } from "../../struct/intset.ts";
import { listpackCopy } from "../../struct/listpack/listpack.ts";
import { containerRoot, containerWord, setContainerRoot, setContainerWord } from "../container.ts";
import type { Digest } from "../digest.ts";
import { Encoding, entryEncoding, setEntryEncoding } from "../entry.ts";
import type { ValueType } from "../value-type.ts";
import { freeSmall, smallBytes } from "./set.ts";
import { memberBytes, tableAppend, tableCreate, tableFree, tableRuin } from "./set-table.ts";
import { SetWalk, setWalkNext, setWalkStart } from "./set-walk.ts";

/** Encoding of a table that is being taken apart: its second word is where tableRuin goes on. */
const RUIN = 15;
const BUCKETS = 8;
/** Members that a bucket holds, about. */
const MEMBERS_PER_BUCKET = 6;
/** Members from which the size of a table is estimated. */
const SAMPLES = 4;

const walk = new SetWalk();
const list = new RefList();

function free(a: Arena, e: Ref): void {
  const encoding = entryEncoding(a, e);
  if (isLeft(a, e)) return;
  if (encoding === Encoding.HashTable) tableFree(a, containerRoot(a, e));
  else if (encoding !== RUIN) freeSmall(a, e);
  else while (!ruinStep(a, e));
}

/** Leaves the table to the snapshot that still reads it, if there is one: true. */
function isLeft(a: Arena, e: Ref): boolean {
  const root = containerRoot(a, e);
  if (entryEncoding(a, e) !== Encoding.HashTable || !dictIsFrozen(a, root)) return false;
  a.frozen.inherit(root, outsideBytes(a, e, SAMPLES));
  return true;
}

function ruinStep(a: Arena, e: Ref): boolean {
  const position = tableRuin(a, containerRoot(a, e), containerWord(a, e), BUCKETS);
  setContainerWord(a, e, position);
  return position < 0;
}

function freeStep(a: Arena, e: Ref, budget: number): boolean {
  const encoding = entryEncoding(a, e);
  if (encoding !== Encoding.HashTable && encoding !== RUIN) {
    freeSmall(a, e);
    return true;
  }
  if (isLeft(a, e)) return true;
  if (encoding === Encoding.HashTable) {
    setContainerWord(a, e, 0);
    setEntryEncoding(a, e, RUIN);
  }
  for (let left = budget; left > 0; left -= BUCKETS * MEMBERS_PER_BUCKET) if (ruinStep(a, e)) return true;
  return false;
}

function outsideBytes(a: Arena, e: Ref, samples: number): number {
  if (entryEncoding(a, e) !== Encoding.HashTable) return smallBytes(a, e);
  const dict = containerRoot(a, e);
  let bytes = 0;
  let seen = 0;
  let cursor = 0;
  do {
    list.count = 0;
    cursor = dictScan(a, dict, cursor, list);
    for (let i = 0; i < list.count && (samples === 0 || seen < samples); i++, seen++)
      bytes += memberBytes(a, list.refs[i]);
  } while (cursor !== 0 && (samples === 0 || seen < samples));
  return dictOverheadBytes(a, dict) + (seen === 0 ? 0 : Math.round((bytes / seen) * dictSize(a, dict)));
}

function copy(a: Arena, source: Ref, target: Ref): void {
  const encoding = entryEncoding(a, source);
  const root = containerRoot(a, source);
  setContainerWord(a, target, 0);
  if (encoding === Encoding.Intset) setContainerRoot(a, target, intsetCopy(a, root));
  else if (encoding === Encoding.Listpack) setContainerRoot(a, target, listpackCopy(a, root));
  else setContainerRoot(a, target, tableCopy(a, source));
}

function tableCopy(a: Arena, source: Ref): Ref {
  const table = tableCreate(a);
  setWalkStart(a, source, walk);
  while (setWalkNext(a, walk)) tableAppend(a, table, walk.member.buf, walk.member.at, walk.member.length);
  return table;
}

function digest(a: Arena, e: Ref, into: Digest): void {
  setWalkStart(a, e, walk);
  while (setWalkNext(a, walk)) {
    walk.member.text();
    into.add(walk.member.buf, walk.member.at, walk.member.length);
  }
}

/** The set's row. */
export const SET: ValueType = {
  free,
  freeEffort: (a, e) => (entryEncoding(a, e) === Encoding.HashTable ? dictSize(a, containerRoot(a, e)) : 1),
  freeStep,
  outsideBytes,
  copy,
  dict: (a, e) => (entryEncoding(a, e) === Encoding.HashTable ? containerRoot(a, e) : 0),
  digest,
};
