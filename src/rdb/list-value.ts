/**
 * Lists: [nodes] then for each node [container][string]: a listpack, or a plain element. Older ones: [nodes] and a ziplist for each, one ziplist, or
 * [elements] and each element.
 */
import type { Arena, Ref } from "../arena/arena.ts";
import { type BlobRef, blobAt, blobBuffer } from "../arena/blob.ts";
import type { FrozenView } from "../arena/frozen.ts";
import {
  ListpackElement,
  listpackBytes,
  listpackCount,
  listpackFirst,
  listpackFree,
  listpackNext,
  listpackRead,
} from "../struct/listpack/listpack.ts";
import { readUint32 } from "../struct/listpack/listpack-element.ts";
import {
  quicklistAppendListpack,
  quicklistAppendPlain,
  quicklistCount,
  quicklistCreate,
  quicklistNodes,
  quicklistPush,
} from "../struct/quicklist/quicklist.ts";
import {
  nodeBytes,
  nodeContent,
  nodeIsCompressed,
  nodeIsPlain,
  nodeNext,
  quicklistEnd,
  withinFill,
} from "../struct/quicklist/quicklist-node.ts";
import { containerCreate, containerRoot, setContainerRoot } from "../types/container.ts";
import { Encoding, entryEncoding, setEntryEncoding, Type } from "../types/entry.ts";
import { listCreate, listMakeRoom, listSettle } from "../types/list/list.ts";
import { entryDiscard } from "../types/value.ts";
import { Container, RdbType } from "./format.ts";
import { type RdbInput, StringSlot } from "./input.ts";
import type { RdbOutput } from "./output.ts";
import { readListpack } from "./packed-value.ts";
import { IN_STEPS, type ReadingLimits, type TypeReader, type TypeWriter } from "./value.ts";
import { ziplistToListpack } from "./ziplist.ts";

/** What a node counts as. */
const NODE_COST = 16;

export class ListWriter implements TypeWriter {
  readonly #arena: Arena;
  #e: Ref = 0;
  #node: Ref = 0;
  #frozen: FrozenView | null = null;
  #begun = false;

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  rdbType(): number {
    return RdbType.ListQuicklist2;
  }

  begin(e: Ref): void {
    this.#e = e;
    this.#begun = false;
    this.#frozen = this.#arena.frozen.view(e);
  }

  step(out: RdbOutput, budget: number): boolean {
    const a = this.#arena;
    if (this.#frozen !== null) return this.#writeFrozen(out, this.#frozen, budget);
    const root = containerRoot(a, this.#e);
    if (entryEncoding(a, this.#e) === Encoding.Listpack) {
      out.length(1);
      out.length(Container.Packed);
      out.string(blobBuffer(a, root), blobAt(a, root), listpackBytes(a, root));
      return true;
    }
    if (!this.#begun) {
      this.#begun = true;
      out.length(quicklistNodes(a, root));
      this.#node = quicklistEnd(a, root, true);
    }
    for (let left = budget; left > 0 && this.#node !== 0; left -= NODE_COST) {
      this.#writeNode(out, this.#node);
      this.#node = nodeNext(a, this.#node);
    }
    return this.#node === 0;
  }

  #writeFrozen(out: RdbOutput, frozen: FrozenView, budget: number): boolean {
    if (!this.#begun) {
      this.#begun = true;
      out.length(frozen.count);
    }
    for (let left = budget; left > 0 && frozen.left > 0; left -= NODE_COST) this.#writeNode(out, frozen.next());
    return frozen.left === 0;
  }

  #writeNode(out: RdbOutput, node: Ref): void {
    const a = this.#arena;
    const content = nodeContent(a, node);
    const buf = blobBuffer(a, content);
    const at = blobAt(a, content);
    out.length(nodeIsPlain(a, node) ? Container.Plain : Container.Packed);
    // A compressed node: [bytes:4][LZF].
    if (nodeIsCompressed(a, node)) out.lzf(buf, at + 4, readUint32(buf, at), nodeBytes(a, node));
    else out.string(buf, at, nodeBytes(a, node));
  }
}

export class ListReader implements TypeReader {
  readonly #arena: Arena;
  readonly #limits: ReadingLimits;
  readonly #slot = new StringSlot();
  #type = 0;
  #e: Ref = 0;
  #left = -1;

  constructor(arena: Arena, limits: ReadingLimits) {
    this.#arena = arena;
    this.#limits = limits;
  }

  whole(type: number, key: StringSlot, input: RdbInput, withExpiry: boolean): Ref {
    if (type !== RdbType.ListQuicklist2) return IN_STEPS;
    const start = input.at;
    if (input.length() !== 1 || input.length() !== Container.Packed) {
      input.at = start;
      return IN_STEPS;
    }
    const a = this.#arena;
    const lp = this.#readListpack(input);
    const e = containerCreate(a, key.buf, key.at, key.length, withExpiry, (Encoding.Listpack << 4) | Type.List, lp);
    this.#e = e;
    if (listpackCount(a, lp) === 0) return 0;
    const { list } = this.#limits;
    if (!withinFill(list.fill, listpackBytes(a, lp), listpackCount(a, lp), false)) listMakeRoom(a, e, 0, 0, list);
    this.#e = 0;
    return e;
  }

  begin(type: number, key: StringSlot): void {
    const a = this.#arena;
    const { fill, depth } = this.#limits.list;
    this.#type = type;
    this.#left = -1;
    this.#e = listCreate(a, key.buf, key.at, key.length, 0);
    listpackFree(a, containerRoot(a, this.#e));
    setContainerRoot(a, this.#e, quicklistCreate(a, fill, depth));
    setEntryEncoding(a, this.#e, Encoding.Quicklist);
  }

  step(input: RdbInput): boolean {
    if (this.#type === RdbType.ListZiplist) {
      input.string(this.#slot);
      this.#pushZiplist(input);
      return true;
    }
    if (this.#left < 0) {
      this.#left = input.length();
      return this.#left === 0;
    }
    const a = this.#arena;
    const slot = this.#slot;
    const ql = containerRoot(a, this.#e);
    if (this.#type === RdbType.List) {
      input.string(slot);
      quicklistPush(a, ql, false, slot.buf, slot.at, slot.length, this.#limits.list.plainMin);
    } else if (this.#type === RdbType.ListQuicklist) {
      input.string(slot);
      this.#append(this.#convert(input, "Ziplist integrity check failed."));
    } else {
      const container = input.length();
      if (container !== Container.Plain && container !== Container.Packed)
        throw input.corrupt("Quicklist integrity check failed.");
      if (container === Container.Plain) this.#appendPlain(input);
      else this.#append(this.#readListpack(input));
    }
    return --this.#left === 0;
  }

  #appendPlain(input: RdbInput): void {
    const a = this.#arena;
    const slot = this.#slot;
    input.string(slot);
    if (slot.length === 0) throw input.corrupt("Quicklist integrity check failed.");
    quicklistAppendPlain(a, containerRoot(a, this.#e), slot.buf, slot.at, slot.length);
  }

  #readListpack(input: RdbInput): BlobRef {
    if (this.#limits.deep) this.#limits.onDeep?.();
    return readListpack(this.#arena, input, this.#slot, "Listpack integrity check failed.");
  }

  /** Appends a listpack as a node. Empty ones are passed over: old servers left some. */
  #append(lp: BlobRef): void {
    const a = this.#arena;
    if (listpackCount(a, lp) === 0) listpackFree(a, lp);
    else quicklistAppendListpack(a, containerRoot(a, this.#e), lp);
  }

  /** The ziplist in the slot as a listpack. */
  #convert(input: RdbInput, fault: string): BlobRef {
    const { buf, at, length } = this.#slot;
    const lp = ziplistToListpack(this.#arena, buf, at, length);
    if (lp === 0) throw input.corrupt(fault);
    return lp;
  }

  /** A list that was one ziplist: its elements are added one by one. */
  #pushZiplist(input: RdbInput): void {
    const a = this.#arena;
    const ql = containerRoot(a, this.#e);
    const lp = this.#convert(input, "List ziplist integrity check failed.");
    const element = new ListpackElement();
    for (let p = listpackFirst(a, lp); p !== 0; p = listpackNext(a, lp, p)) {
      listpackRead(a, lp, p, element);
      element.text();
      quicklistPush(a, ql, false, element.buf, element.at, element.length, this.#limits.list.plainMin);
    }
    listpackFree(a, lp);
  }

  take(): Ref {
    const a = this.#arena;
    if (quicklistCount(a, containerRoot(a, this.#e)) === 0) return 0;
    const e = this.#e;
    this.#e = 0;
    // Redis leaves a list that comes as one ziplist a quicklist, however short.
    if (this.#type !== RdbType.ListZiplist) listSettle(a, e, this.#limits.list);
    return e;
  }

  discard(): void {
    if (this.#e === 0) return;
    entryDiscard(this.#arena, this.#e);
    this.#e = 0;
  }
}
