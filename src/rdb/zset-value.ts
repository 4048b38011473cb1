/** Sorted sets: a listpack as one string, or [members], then [member][score:8] from the highest score down (in any order when it changes while a snapshot writes it). */
import type { Arena, Ref } from "../arena/arena.ts";
import { type BlobRef, blobAt, blobBuffer } from "../arena/blob.ts";
import type { FrozenView } from "../arena/frozen.ts";
import { parseDouble } from "../base/float.ts";
import { dictReserve } from "../struct/dict/dict.ts";
import { listpackBytes, listpackCount, listpackFree } from "../struct/listpack/listpack.ts";
import { treePrefetch } from "../struct/ranked-tree/ranked-tree.ts";
import { memberAt, memberBuffer, memberLength, memberScore } from "../struct/scored-member.ts";
import { containerCreate, containerRoot, setContainerRoot } from "../types/container.ts";
import { Encoding, entryEncoding, Type } from "../types/entry.ts";
import { entryDiscard } from "../types/value.ts";
import { Added, zsetAdd, zsetCreate, zsetToListpackIfSmall, zsetToTable } from "../types/zset/zset.ts";
import { zsetLength } from "../types/zset/zset-length.ts";
import { PairsState, pairsState } from "../types/zset/zset-listpack.ts";
import { ZsetWalk, zsetWalkPrevious, zsetWalkStart } from "../types/zset/zset-walk.ts";
import { RdbType } from "./format.ts";
import { type RdbInput, StringSlot } from "./input.ts";
import { tuplesDiffer } from "./listpack-integrity.ts";
import type { RdbOutput } from "./output.ts";
import { readListpack } from "./packed-value.ts";
import { IN_STEPS, type ReadingLimits, type TypeReader, type TypeWriter } from "./value.ts";
import { ziplistToListpack } from "./ziplist.ts";

export class ZsetWriter implements TypeWriter {
  readonly #arena: Arena;
  readonly #walk = new ZsetWalk();
  #e: Ref = 0;
  #begun = false;
  #more = false;
  #frozen: FrozenView | null = null;
  /** The leaf whose members were touched, and what keeps those loads alive. */
  #leaf: Ref = 0;
  #touched = 0;

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  rdbType(e: Ref): number {
    return entryEncoding(this.#arena, e) === Encoding.Listpack ? RdbType.ZsetListpack : RdbType.Zset2;
  }

  begin(e: Ref): void {
    this.#e = e;
    this.#begun = false;
    this.#leaf = 0;
    this.#frozen = this.#arena.frozen.view(e);
  }

  step(out: RdbOutput, budget: number): boolean {
    const a = this.#arena;
    if (!this.#begun) {
      this.#begun = true;
      if (entryEncoding(a, this.#e) === Encoding.Listpack) {
        const root = containerRoot(a, this.#e);
        out.string(blobBuffer(a, root), blobAt(a, root), listpackBytes(a, root));
        return true;
      }
      const count = this.#frozen?.elements ?? zsetLength(a, this.#e);
      out.length(count);
      if (this.#frozen === null) this.#more = zsetWalkStart(a, this.#e, this.#walk, count - 1);
    }
    if (this.#frozen !== null) return this.#writeFrozen(out, this.#frozen, budget);
    const { member, cursor } = this.#walk;
    for (let left = budget; left > 0 && this.#more; left--) {
      if (cursor.leaf !== this.#leaf) {
        this.#leaf = cursor.leaf;
        this.#touched ^= treePrefetch(a, cursor);
      }
      out.string(member.buf, member.at, member.length);
      out.double(this.#walk.score);
      this.#more = zsetWalkPrevious(a, this.#walk);
    }
    return !this.#more;
  }

  #writeFrozen(out: RdbOutput, frozen: FrozenView, budget: number): boolean {
    const a = this.#arena;
    for (let left = budget; left > 0; left--) {
      const m = frozen.next();
      if (m === 0) break;
      out.string(memberBuffer(a, m), memberAt(a, m), memberLength(a, m));
      out.double(memberScore(a, m));
    }
    return frozen.left === 0;
  }
}

export class ZsetReader implements TypeReader {
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
    if (type !== RdbType.ZsetListpack) return IN_STEPS;
    const a = this.#arena;
    const lp = this.#listpack(input);
    this.#e = containerCreate(a, key.buf, key.at, key.length, withExpiry, (Encoding.Listpack << 4) | Type.Zset, lp);
    this.#settle(input, lp, false);
    return this.take();
  }

  begin(type: number, key: StringSlot): void {
    this.#type = type;
    this.#left = -1;
    const isPacked = type === RdbType.ZsetListpack || type === RdbType.ZsetZiplist;
    const encoding = isPacked ? Encoding.Listpack : Encoding.Skiplist;
    this.#e = zsetCreate(this.#arena, key.buf, key.at, key.length, 0, encoding);
  }

  step(input: RdbInput): boolean {
    if (this.#type === RdbType.ZsetListpack || this.#type === RdbType.ZsetZiplist) {
      const isZiplist = this.#type === RdbType.ZsetZiplist;
      const lp = isZiplist ? this.#ziplist(input) : this.#listpack(input);
      listpackFree(this.#arena, containerRoot(this.#arena, this.#e));
      setContainerRoot(this.#arena, this.#e, lp);
      this.#settle(input, lp, isZiplist);
      return true;
    }
    if (this.#left < 0) {
      this.#left = input.length();
      dictReserve(this.#arena, containerRoot(this.#arena, this.#e), this.#left);
      return this.#left === 0;
    }
    const slot = this.#slot;
    input.string(slot);
    const score = this.#type === RdbType.Zset2 ? input.double() : textScore(input);
    if (Number.isNaN(score)) throw input.corrupt("Zset with NAN score detected");
    const added = zsetAdd(this.#arena, this.#e, slot.buf, slot.at, slot.length, score, 0, this.#limits.zset);
    if (added !== Added.New) throw input.corrupt("Duplicate zset fields detected");
    return --this.#left === 0;
  }

  #listpack(input: RdbInput): BlobRef {
    if (this.#limits.deep) this.#limits.onDeep?.();
    return readListpack(this.#arena, input, this.#slot, "Zset listpack integrity check failed.");
  }

  #ziplist(input: RdbInput): BlobRef {
    input.string(this.#slot);
    const { buf, at, length } = this.#slot;
    const lp = ziplistToListpack(this.#arena, buf, at, length);
    if (lp === 0) throw input.corrupt("Zset ziplist integrity check failed.");
    return lp;
  }

  /** The value is this listpack, or becomes a table, once it has been found to consist of pairs. */
  #settle(input: RdbInput, lp: BlobRef, isZiplist: boolean): void {
    const a = this.#arena;
    const e = this.#e;
    const pairs = pairsState(a, lp);
    const becomesTable = pairs === PairsState.Unordered || listpackCount(a, lp) / 2 > this.#limits.zset.listpackEntries;
    const mustDiffer = isZiplist || becomesTable || this.#limits.deep;
    if (pairs === PairsState.Wrong || (mustDiffer && !tuplesDiffer(blobBuffer(a, lp), blobAt(a, lp), 2)))
      throw input.corrupt(`Zset ${isZiplist ? "ziplist" : "listpack"} integrity check failed.`, !isZiplist);
    if (becomesTable) zsetToTable(a, e);
  }

  take(): Ref {
    const a = this.#arena;
    if (zsetLength(a, this.#e) === 0) return 0;
    const e = this.#e;
    this.#e = 0;
    if (entryEncoding(a, e) !== Encoding.Listpack) zsetToListpackIfSmall(a, e, this.#limits.zset);
    return e;
  }

  discard(): void {
    if (this.#e === 0) return;
    entryDiscard(this.#arena, this.#e);
    this.#e = 0;
  }
}

/** A score of the first form: [length][digits], or 253 nan, 254 inf, 255 -inf. */
function textScore(input: RdbInput): number {
  const length = input.byte();
  if (length === 253) return Number.NaN;
  if (length >= 254) return length === 254 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  input.need(length);
  const score = parseDouble(input.buf, input.at, length);
  if (Number.isNaN(score)) throw input.corrupt("A score is not a number");
  input.at += length;
  return score;
}
