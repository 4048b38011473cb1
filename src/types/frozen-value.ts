/**
 * Freezing a large value, so that a snapshot can write it as it is now while commands go on changing it: struct/frozen/frozen-dict.ts, frozen-list.ts and
 * stream/frozen-stream.ts tell how. An entry of its own stands for the value meanwhile, with its key, its expiry and its access bits; the key's own entry
 * may then change, move or go as it likes.
 */
import type { Arena, Ref } from "../arena/arena.ts";
import { dictSize } from "../struct/dict/dict.ts";
import { type EntryBlocks, FrozenDict } from "../struct/frozen/frozen-dict.ts";
import { FrozenList } from "../struct/frozen/frozen-list.ts";
import { DescendingOrder } from "../struct/frozen/frozen-order.ts";
import { quicklistNodes } from "../struct/quicklist/quicklist.ts";
import {
  memberBytes as scoredBytes,
  memberCopy as scoredCopy,
  memberFree as scoredFree,
} from "../struct/scored-member.ts";
import { containerRoot, containerWord, setContainerWord } from "./container.ts";
import { Encoding, entryEncoding, entryFree, entryType, Type } from "./entry.ts";
import { hashEarliest } from "./hash/hash.ts";
import { fieldBytes, fieldCopy, fieldFree } from "./hash/hash-table.ts";
import { memberBytes, memberCopy, memberFree } from "./set/set-table.ts";
import { canFreezeStream, FrozenStream } from "./stream/frozen-stream.ts";
import { entryStandIn } from "./value.ts";

const FIELDS: EntryBlocks = { copy: fieldCopy, free: fieldFree, bytes: fieldBytes };
const MEMBERS: EntryBlocks = { copy: memberCopy, free: memberFree, bytes: memberBytes };
const SCORED: EntryBlocks = { copy: scoredCopy, free: scoredFree, bytes: scoredBytes };

/** To freeze a list is to look at each node: of more nodes, that takes too long. */
const NODES_MAX = 65536;

/** Can the value of an entry be frozen, and has it more than so many elements, or nodes if it is a list, or blocks if it is a stream? */
export function canFreeze(a: Arena, e: Ref, elements: number, nodes: number): boolean {
  const encoding = entryEncoding(a, e);
  switch (entryType(a, e)) {
    case Type.Hash:
    case Type.Set:
      return encoding === Encoding.HashTable && dictSize(a, containerRoot(a, e)) > elements;
    case Type.Zset:
      return encoding === Encoding.Skiplist && dictSize(a, containerRoot(a, e)) > elements;
    case Type.List:
      return encoding === Encoding.Quicklist && isBetween(quicklistNodes(a, containerRoot(a, e)), nodes, NODES_MAX);
    case Type.Stream:
      return canFreezeStream(a, containerRoot(a, e), elements, nodes);
    default:
      return false;
  }
}

function isBetween(count: number, min: number, max: number): boolean {
  return count > min && count <= max;
}

/** Is the value of an entry frozen? */
export function isFrozen(a: Arena, e: Ref): boolean {
  return entryType(a, e) !== Type.String && a.frozen.has(containerRoot(a, e));
}

/** A value that is frozen until it is released. */
export class FrozenValue {
  /** Stands for the value: whoever writes it asks for its view (arena/frozen.ts). */
  readonly entry: Ref;
  readonly #arena: Arena;
  readonly #structure: FrozenDict | FrozenList | FrozenStream;

  /** Freezes the value of an entry: see canFreeze. */
  constructor(a: Arena, e: Ref) {
    this.#arena = a;
    this.entry = entryStandIn(a, e);
    this.#structure = freeze(a, e, this.entry);
  }

  /** Bytes that were copied because of changes. */
  get copiedBytes(): number {
    return this.#structure.copiedBytes;
  }

  /** Lets the value change as it likes. True: no key has it any more, and it is the caller's to free with its entry. */
  release(): boolean {
    this.#structure.release();
    if (this.#structure.isInherited) return true;
    entryFree(this.#arena, this.entry, false);
    return false;
  }
}

function freeze(a: Arena, e: Ref, standIn: Ref): FrozenDict | FrozenList | FrozenStream {
  const root = containerRoot(a, e);
  switch (entryType(a, e)) {
    case Type.Hash:
      // Its second word is the record of times, which stays the key's.
      setContainerWord(a, standIn, 0);
      return new FrozenDict(a, root, standIn, FIELDS, hashEarliest(a, e));
    case Type.Set:
      return new FrozenDict(a, root, standIn, MEMBERS, 0);
    case Type.List:
      return new FrozenList(a, root, standIn);
    case Type.Stream:
      return new FrozenStream(a, root, standIn);
    default:
      return new FrozenDict(a, root, standIn, SCORED, 0, new DescendingOrder(a, containerWord(a, e)));
  }
}
