/** The sorted set as a value type: what is done to sorted sets without knowing that they are. */
import type { Arena, Ref } from "../../arena/arena.ts";
import { blobCapacity } from "../../arena/blob.ts";
import { DOUBLE_TEXT_MAX, writeDouble } from "../../base/float.ts";
import { dictIsFrozen, dictOverheadBytes, dictScan, dictSize, RefList } from "../../struct/dict/dict.ts";
import { listpackCopy, listpackFree } from "../../struct/listpack/listpack.ts";
import { treeBytes, treeDismantle } from "../../struct/ranked-tree/ranked-tree.ts";
import { memberBytes } from "../../struct/scored-member.ts";
import { containerRoot, containerWord, setContainerRoot, setContainerWord } from "../container.ts";
import { DIGEST_BYTES, Digest } from "../digest.ts";
import { Encoding, entryEncoding, setEntryEncoding } from "../entry.ts";
import type { ValueType } from "../value-type.ts";
import { tableAdd, tableCreate, tableFree, tableRuin } from "./zset-table.ts";
import { ZsetWalk, zsetWalkNext, zsetWalkStart } from "./zset-walk.ts";

/** Encoding of a table that is being taken apart: first the tree; then its second word is where tableRuin goes on. */
const TREE_RUIN = 14;
const DICT_RUIN = 15;
const LEAVES = 4;
const BUCKETS = 8;
/** What a step counts as: blocks that it frees, about. */
const STEP_COST = 48;
/** Members from which the size of a table is estimated. */
const SAMPLES = 4;

const walk = new ZsetWalk();
const list = new RefList();
const pair = new Digest();
const scoreText = new Uint8Array(DOUBLE_TEXT_MAX);

function free(a: Arena, e: Ref): void {
  const encoding = entryEncoding(a, e);
  if (isLeft(a, e)) return;
  if (encoding === Encoding.Listpack) listpackFree(a, containerRoot(a, e));
  else if (encoding === Encoding.Skiplist) tableFree(a, containerRoot(a, e), containerWord(a, e));
  else while (!ruinStep(a, e));
}

function freeStep(a: Arena, e: Ref, budget: number): boolean {
  if (entryEncoding(a, e) === Encoding.Listpack) {
    listpackFree(a, containerRoot(a, e));
    return true;
  }
  if (isLeft(a, e)) return true;
  if (entryEncoding(a, e) === Encoding.Skiplist) setEntryEncoding(a, e, TREE_RUIN);
  for (let left = budget; left > 0; left -= STEP_COST) if (ruinStep(a, e)) return true;
  return false;
}

/** Leaves dict and tree to the snapshot that still reads them, if there is one: true. */
function isLeft(a: Arena, e: Ref): boolean {
  const root = containerRoot(a, e);
  if (entryEncoding(a, e) !== Encoding.Skiplist || !dictIsFrozen(a, root)) return false;
  a.frozen.inherit(root, outsideBytes(a, e, SAMPLES));
  return true;
}

/** Frees some nodes, or some members; true when all is free. */
function ruinStep(a: Arena, e: Ref): boolean {
  if (entryEncoding(a, e) === TREE_RUIN) {
    if (treeDismantle(a, containerWord(a, e), LEAVES)) {
      setEntryEncoding(a, e, DICT_RUIN);
      setContainerWord(a, e, 0);
    }
    return false;
  }
  const position = tableRuin(a, containerRoot(a, e), containerWord(a, e), BUCKETS);
  setContainerWord(a, e, position);
  return position < 0;
}

function outsideBytes(a: Arena, e: Ref, samples: number): number {
  const root = containerRoot(a, e);
  if (entryEncoding(a, e) === Encoding.Listpack) return blobCapacity(a, root);
  let bytes = 0;
  let seen = 0;
  let cursor = 0;
  do {
    list.count = 0;
    cursor = dictScan(a, root, cursor, list);
    for (let i = 0; i < list.count && (samples === 0 || seen < samples); i++, seen++)
      bytes += memberBytes(a, list.refs[i]);
  } while (cursor !== 0 && (samples === 0 || seen < samples));
  const members = seen === 0 ? 0 : Math.round((bytes / seen) * dictSize(a, root));
  return dictOverheadBytes(a, root) + treeBytes(a, containerWord(a, e)) + members;
}

function copy(a: Arena, source: Ref, target: Ref): void {
  if (entryEncoding(a, source) === Encoding.Listpack) {
    setContainerRoot(a, target, listpackCopy(a, containerRoot(a, source)));
    setContainerWord(a, target, 0);
    return;
  }
  tableCreate(a, target);
  if (!zsetWalkStart(a, source, walk, 0)) return;
  const { member } = walk;
  do tableAdd(a, target, member.buf, member.at, member.length, walk.score);
  while (zsetWalkNext(a, walk));
}

function digest(a: Arena, e: Ref, into: Digest): void {
  if (!zsetWalkStart(a, e, walk, 0)) return;
  const { member } = walk;
  do {
    member.text();
    pair.clear();
    pair.mix(member.buf, member.at, member.length);
    pair.mix(scoreText, 0, writeDouble(scoreText, 0, walk.score));
    into.add(pair.state, 0, DIGEST_BYTES);
  } while (zsetWalkNext(a, walk));
}

/** The sorted set's row. */
export const ZSET: ValueType = {
  free,
  freeEffort: (a, e) => (entryEncoding(a, e) === Encoding.Skiplist ? dictSize(a, containerRoot(a, e)) : 1),
  freeStep,
  outsideBytes,
  copy,
  dict: (a, e) => (entryEncoding(a, e) === Encoding.Skiplist ? containerRoot(a, e) : 0),
  digest,
};
