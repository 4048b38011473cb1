/** Sets: an intset or (since version 11) a listpack as one string, or [members] and each member. */
import type { Arena, Ref } from "../arena/arena.ts";
import { blobAt, blobBuffer } from "../arena/blob.ts";
import { copyBytes } from "../base/bytes.ts";
import { intsetBytes, intsetCount, intsetFree, intsetFromBytes, intsetIsValid } from "../struct/intset.ts";
import {
  listpackBytes,
  listpackCount,
  listpackFree,
  listpackFromBytes,
  listpackIsValid,
} from "../struct/listpack/listpack.ts";
import { containerRoot, setContainerRoot } from "../types/container.ts";
import { Encoding, entryEncoding } from "../types/entry.ts";
import { setAdd, setCreate, setEncodingFor, setLength, setMakeRoom, setToTable } from "../types/set/set.ts";
import { SetWalk, setWalkNextSaved, setWalkStartSaved } from "../types/set/set-walk.ts";
import { entryDiscard } from "../types/value.ts";
import { RdbType, SET_LISTPACK_VERSION } from "./format.ts";
import { type RdbInput, StringSlot } from "./input.ts";
import { looksLikeListpack, tuplesDiffer } from "./listpack-integrity.ts";
import type { RdbOutput } from "./output.ts";
import type { ReadingLimits, TypeReader, TypeWriter } from "./value.ts";

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
  #key = new StringSlot();
  #type = 0;
  #e: Ref = 0;
  #left = -1;

  constructor(arena: Arena, limits: ReadingLimits) {
    this.#arena = arena;
    this.#limits = limits;
  }

  begin(type: number, key: StringSlot): void {
    this.#type = type;
    this.#left = -1;
    this.#e = 0;
    this.#key.reserve(key.length);
    copyBytes(key.buf, key.at, this.#key.own, 0, key.length);
  }

  #create(encoding: number): Ref {
    const { buf, at, length } = this.#key;
    this.#e = setCreate(this.#arena, buf, at, length, 0, encoding);
    return this.#e;
  }

  step(input: RdbInput): boolean {
    const slot = this.#slot;
    if (this.#type !== RdbType.Set) {
      input.string(slot);
      if (this.#type === RdbType.SetIntset) this.#intset(input);
      else this.#listpack(input);
      return true;
    }
    if (this.#left < 0) {
      this.#left = input.length();
      return this.#left === 0;
    }
    input.string(slot);
    const { set } = this.#limits;
    if (this.#e === 0) {
      this.#create(setEncodingFor(slot.buf, slot.at, slot.length, this.#left, set));
      setMakeRoom(this.#arena, this.#e, this.#left, set);
    }
    if (!setAdd(this.#arena, this.#e, slot.buf, slot.at, slot.length, set))
      throw input.corrupt("Duplicate set members detected");
    return --this.#left === 0;
  }

  #intset(input: RdbInput): void {
    const a = this.#arena;
    const { buf, at, length } = this.#slot;
    if (this.#limits.deep) this.#limits.onDeep?.();
    if (!intsetIsValid(buf, at, length, true))
      throw input.corrupt("Intset integrity check failed.", intsetIsValid(buf, at, length, false));
    const e = this.#create(Encoding.Intset);
    intsetFree(a, containerRoot(a, e));
    const root = intsetFromBytes(a, buf, at, length);
    setContainerRoot(a, e, root);
    if (intsetCount(a, root) > this.#limits.set.intsetEntries) setToTable(a, e);
  }

  #listpack(input: RdbInput): void {
    const a = this.#arena;
    const { buf, at, length } = this.#slot;
    const { deep, set } = this.#limits;
    if (deep) this.#limits.onDeep?.();
    const isValid = listpackIsValid(buf, at, length, true);
    if (!isValid || (deep && !tuplesDiffer(buf, at, 1)))
      throw input.corrupt("Set listpack integrity check failed.", looksLikeListpack(buf, at, length));
    const e = this.#create(Encoding.Listpack);
    listpackFree(a, containerRoot(a, e));
    const root = listpackFromBytes(a, buf, at, length);
    setContainerRoot(a, e, root);
    if (listpackCount(a, root) <= set.listpackEntries) return;
    if (!deep && !tuplesDiffer(buf, at, 1)) throw input.corrupt("Set with dup elements, listpack with dup elements");
    setToTable(a, e);
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
