// Walks a value of any type and checks that its parts agree.

import type { Arena, Ref } from "../../src/arena/arena.ts";
import type { Keyspace } from "../../src/keyspace/keyspace.ts";
import { dictScan, RefList } from "../../src/struct/dict/dict.ts";
import { dictCheck } from "../../src/struct/dict/dict-check.ts";
import { intsetCheck } from "../../src/struct/intset.ts";
import { listpackCheck } from "../../src/struct/listpack/listpack.ts";
import { quicklistCheck } from "../../src/struct/quicklist/quicklist.ts";
import { treeCheck } from "../../src/struct/ranked-tree/ranked-tree.ts";
import { containerRoot, containerWord } from "../../src/types/container.ts";
import { Encoding, entryEncoding, entryType, Type } from "../../src/types/entry.ts";
import { streamOf } from "../../src/types/stream/stream.ts";
import { PairsState, pairsState } from "../../src/types/zset/zset-listpack.ts";
import { streamCheck } from "../model/stream-check.ts";

/** Throws an Error that names what is wrong. */
export function valueCheck(a: Arena, e: Ref): void {
  const type = entryType(a, e);
  if (type === Type.String) return;
  if (type === Type.Stream) {
    streamCheck(a, streamOf(a, e));
    return;
  }
  const root = containerRoot(a, e);
  switch (entryEncoding(a, e)) {
    case Encoding.HashTable:
      dictCheck(a, root);
      break;
    case Encoding.Intset:
      intsetCheck(a, root);
      break;
    case Encoding.Quicklist:
      quicklistCheck(a, root);
      break;
    case Encoding.Skiplist:
      dictCheck(a, root);
      treeCheck(a, containerWord(a, e));
      break;
    case Encoding.Listpack:
    case Encoding.ListpackEx:
      listpackCheck(a, root);
      if (type === Type.Zset && pairsState(a, root) !== PairsState.Right) throw new Error("zset: out of order");
      break;
    default:
      throw new Error(`type ${type} in encoding ${entryEncoding(a, e)}`);
  }
}

/** The same for all values of a keyspace. */
export function keyspaceCheck({ arena, databases }: Keyspace): void {
  const list = new RefList();
  for (const db of databases) {
    let cursor = 0;
    do {
      list.count = 0;
      cursor = dictScan(arena, db.dict, cursor, list);
      for (let i = 0; i < list.count; i++) valueCheck(arena, list.refs[i]);
    } while (cursor !== 0);
  }
}
