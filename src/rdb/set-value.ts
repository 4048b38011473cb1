/** Sets: an intset or (since version 11) a listpack as one string, or [members] and each member. */
import type { Arena, Ref } from "../arena/arena.ts";
import { type BlobRef, blobAt, blobBuffer } from "../arena/blob.ts";
import { copyBytes } from "../base/bytes.ts";
import { dictReserve } from "../struct/dict/dict.ts";
import { intsetBytes, intsetCount, intsetFree, intsetIsValid } from "../struct/intset.ts";
import {
  findElement,
  LISTPACK_HEADER_BYTES,
  listpackBytes,
  listpackCount,
  listpackEnclose,
  listpackFromBytes,
} from "../struct/listpack/listpack.ts";
import { elementForm, LISTPACK_END, writeElement } from "../struct/listpack/listpack-element.ts";
import { containerCreate, containerRoot } from "../types/container.ts";
import { Encoding, entryEncoding, Type } from "../types/entry.ts";
import { setAdd, setCreate, setEncodingFor, setLength, setMakeRoom, setToTable } from "../types/set/set.ts";
import { SetWalk, setWalkNextSaved, setWalkStartSaved } from "../types/set/set-walk.ts";
import { entryDiscard } from "../types/value.ts";
import { RdbType, SET_LISTPACK_VERSION } from "./format.ts";
import { type RdbInput, StringSlot } from "./input.ts";
import { tuplesDiffer } from "./listpack-integrity.ts";
import type { RdbOutput } from "./output.ts";
import { readBlob, readListpack, refuseListpack } from "./packed-value.ts";
import { IN_STEPS, type ReadingLimits, type TypeReader, type TypeWriter } from "./value.ts";

/** Most members of a set that is read at once, and bytes of a listpack that has room for so many of a common length. */
const FEW_MAX = 256;
const FEW_BYTES = 20 * 1024;
/** Bytes that an element of a listpack takes beside those of its text, at most. */
const ELEMENT_BYTES_MAX = 10;
const NOTHING = new Uint8Array(0);
const DUPLICATE_FAULT = "Duplicate set members detected";
const LISTPACK_FAULT = "Set listpack integrity check failed.";

export class SetWriter implements TypeWriter {
  readonly #arena: Arena;
  readonly #walk = new SetWalk();
  #e: Ref = 0;
  #type = 0;
  #begun = false;

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  rdbType(e: Ref, version: number): number {
    const encoding = entryEncoding(this.#arena, e);
    if (encoding === Encoding.Intset) return RdbType.SetIntset;
    return encoding === Encoding.Listpack && version >= SET_LISTPACK_VERSION ? RdbType.SetListpack : RdbType.Set;
  }

  begin(e: Ref): void {
    this.#e = e;
    this.#begun = false;
  }

  step(out: RdbOutput, budget: number): boolean {
    const a = this.#arena;
    const root = containerRoot(a, this.#e);
    if (!this.#begun) {
      this.#begun = true;
      this.#type = this.rdbType(this.#e, out.version);
      if (this.#type !== RdbType.Set) {
        const bytes = this.#type === RdbType.SetIntset ? intsetBytes(a, root) : listpackBytes(a, root);
        out.string(blobBuffer(a, root), blobAt(a, root), bytes);
        return true;
      }
      setWalkStartSaved(a, this.#e, this.#walk);
      out.length(this.#walk.frozen?.elements ?? setLength(a, this.#e));
    }
    const { member } = this.#walk;
    for (let left = budget; left > 0; left--) {
      if (!setWalkNextSaved(a, this.#walk)) return (this.#walk.frozen?.left ?? 0) === 0;
      if (member.isInteger) out.stringInt64(member.low, member.high);
      else out.string(member.buf, member.at, member.length);
    }
    return false;
  }
}

export class SetReader implements TypeReader {
  readonly #arena: Arena;
  readonly #limits: ReadingLimits;
  readonly #slot = new StringSlot();
  /** Where small sets are put together; made for the first. */
  #packedMembers = NOTHING;
  #key = new StringSlot();
  #type = 0;
  #e: Ref = 0;
  #left = -1;

  constructor(arena: Arena, limits: ReadingLimits) {
    this.#arena = arena;
    this.#limits = limits;
  }

  whole(type: number, key: StringSlot, input: RdbInput, withExpiry: boolean): Ref {
    if (type === RdbType.Set) return this.#few(key, input, withExpiry);
    this.#packed(type, key, input, withExpiry);
    return this.take();
  }

  /** Reads a set of a few short members that becomes a listpack, or nothing. */
  #few(key: StringSlot, input: RdbInput, withExpiry: boolean): Ref {
    const start = input.at;
    const count = input.length();
    if (this.#packedMembers.length === 0) this.#packedMembers = new Uint8Array(FEW_BYTES);
    const isFew = count > 0 && count <= FEW_MAX && count <= this.#limits.set.listpackEntries;
    const bytes = isFew ? this.#readMembers(input, count) : 0;
    if (bytes === 0) {
      input.at = start;
      return IN_STEPS;
    }
    const lp = listpackFromBytes(this.#arena, this.#packedMembers, 0, bytes);
    const meta = (Encoding.Listpack << 4) | Type.Set;
    return containerCreate(this.#arena, key.buf, key.at, key.length, withExpiry, meta, lp);
  }

  /** Reads members into a listpack outside the arena: its bytes, or 0 when a set of these members would be something else. */
  #readMembers(input: RdbInput, count: number): number {
    const { set } = this.#limits;
    const slot = this.#slot;
    const own = this.#packedMembers;
    let p = LISTPACK_HEADER_BYTES;
    for (let i = 0; i < count; i++) {
      own[p] = LISTPACK_END;
      input.string(slot);
      const { buf, at, length } = slot;
      if (length > set.listpackValue || p + length + ELEMENT_BYTES_MAX >= own.length) return 0;
      if (i === 0) {
        if (setEncodingFor(buf, at, length, count, set) !== Encoding.Listpack) return 0;
      } else if (findElement(own, LISTPACK_HEADER_BYTES, buf, at, length, 0) >= 0) {
        throw input.corrupt(DUPLICATE_FAULT);
      }
      elementForm(buf, at, length);
      p = writeElement(own, p, buf, at, length);
    }
    listpackEnclose(own, p, count);
    return p + 1;
  }

  begin(type: number, key: StringSlot): void {
    this.#type = type;
    this.#left = -1;
    this.#e = 0;
    this.#key.reserve(key.length);
    copyBytes(key.buf, key.at, this.#key.own, 0, key.length);
  }

  step(input: RdbInput): boolean {
    const slot = this.#slot;
    if (this.#type !== RdbType.Set) {
      this.#packed(this.#type, this.#key, input, false);
      return true;
    }
    if (this.#left < 0) {
      this.#left = input.length();
      return this.#left === 0;
    }
    input.string(slot);
    const { set } = this.#limits;
    if (this.#e === 0) {
      const { buf, at, length } = this.#key;
      const encoding = setEncodingFor(slot.buf, slot.at, slot.length, this.#left, set);
      this.#e = setCreate(this.#arena, buf, at, length, 0, encoding);
      setMakeRoom(this.#arena, this.#e, this.#left, set);
      if (entryEncoding(this.#arena, this.#e) === Encoding.HashTable)
        dictReserve(this.#arena, containerRoot(this.#arena, this.#e), this.#left);
    }
    if (!setAdd(this.#arena, this.#e, slot.buf, slot.at, slot.length, set)) throw input.corrupt(DUPLICATE_FAULT);
    return --this.#left === 0;
  }

  /** Reads a set that is one string. */
  #packed(type: number, key: StringSlot, input: RdbInput, withExpiry: boolean): void {
    const a = this.#arena;
    const { deep, onDeep, set } = this.#limits;
    const isIntset = type === RdbType.SetIntset;
    if (deep) onDeep?.();
    const root = isIntset ? this.#intset(input) : this.#listpack(input);
    const encoding = isIntset ? Encoding.Intset : Encoding.Listpack;
    const e = containerCreate(a, key.buf, key.at, key.length, withExpiry, (encoding << 4) | Type.Set, root);
    this.#e = e;
    const isSmall = isIntset
      ? intsetCount(a, root) <= set.intsetEntries
      : listpackCount(a, root) <= set.listpackEntries;
    if (isSmall) return;
    if (!isIntset && !deep && !tuplesDiffer(blobBuffer(a, root), blobAt(a, root), 1))
      throw input.corrupt("Set with dup elements, listpack with dup elements");
    setToTable(a, e);
  }

  #intset(input: RdbInput): BlobRef {
    const a = this.#arena;
    const slot = this.#slot;
    const root = readBlob(a, input, slot);
    const buf = blobBuffer(a, root);
    const at = blobAt(a, root);
    if (intsetIsValid(buf, at, slot.length, true)) return root;
    const isHidden = intsetIsValid(buf, at, slot.length, false);
    intsetFree(a, root);
    throw input.corrupt("Intset integrity check failed.", isHidden);
  }

  #listpack(input: RdbInput): BlobRef {
    const a = this.#arena;
    const slot = this.#slot;
    const lp = readListpack(a, input, slot, LISTPACK_FAULT);
    if (this.#limits.deep && !tuplesDiffer(blobBuffer(a, lp), blobAt(a, lp), 1))
      refuseListpack(a, lp, slot.length, input, LISTPACK_FAULT);
    return lp;
  }

  take(): Ref {
    if (this.#e === 0 || setLength(this.#arena, this.#e) === 0) return 0;
    const e = this.#e;
    this.#e = 0;
    return e;
  }

  discard(): void {
    if (this.#e === 0) return;
    entryDiscard(this.#arena, this.#e);
    this.#e = 0;
  }
}
