/**
 * Hashes: a listpack as one string, or [fields], then [field][value]. With times to live: [least time:8], then a listpack of triples as one string, or
 * [fields], then [time - least + 1, or 0][field][value].
 */
import type { Arena, Ref } from "../arena/arena.ts";
import { blobAt, blobBuffer } from "../arena/blob.ts";
import { int64High, int64Low } from "../base/int64.ts";
import { listpackBytes, listpackCount, listpackFromBytes, listpackIsValid } from "../struct/listpack.ts";
import { containerRoot, setContainerRoot } from "../types/container.ts";
import { Encoding, entryEncoding, entryFree, setEntryEncoding } from "../types/entry.ts";
import {
  HashSlot,
  hashCreate,
  hashEarliest,
  hashExpireFound,
  hashFind,
  hashLength,
  hashPrepareExpiry,
  hashSet,
  hashToTable,
} from "../types/hash.ts";
import { recordCreate } from "../types/hash-expiry.ts";
import { HASH } from "../types/hash-value.ts";
import { HashWalk, walkNext, walkStart } from "../types/hash-walk.ts";
import { RdbType } from "./format.ts";
import { type RdbInput, StringSlot } from "./input.ts";
import type { RdbOutput } from "./output.ts";
import type { ReadingLimits, TypeReader, TypeWriter } from "./value.ts";

export class HashWriter implements TypeWriter {
  readonly #arena: Arena;
  readonly #walk = new HashWalk();
  #e: Ref = 0;
  #begun = false;
  #least = 0;

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  rdbType(e: Ref): number {
    const a = this.#arena;
    const encoding = entryEncoding(a, e);
    if (encoding === Encoding.Listpack) return RdbType.HashListpack;
    if (encoding === Encoding.ListpackEx) return RdbType.HashListpackEx;
    return hashEarliest(a, e) === 0 ? RdbType.Hash : RdbType.HashMetadata;
  }

  begin(e: Ref): void {
    this.#e = e;
    this.#begun = false;
  }

  #start(out: RdbOutput): boolean {
    const a = this.#arena;
    const e = this.#e;
    const encoding = entryEncoding(a, e);
    this.#begun = true;
    this.#least = hashEarliest(a, e);
    if (encoding === Encoding.ListpackEx || this.#least !== 0) out.int64(int64Low(this.#least), int64High(this.#least));
    if (encoding !== Encoding.HashTable) {
      const root = containerRoot(a, e);
      out.string(blobBuffer(a, root), blobAt(a, root), listpackBytes(a, root));
      return true;
    }
    out.length(hashLength(a, e));
    walkStart(a, e, this.#walk);
    return false;
  }

  step(out: RdbOutput, budget: number): boolean {
    if (!this.#begun && this.#start(out)) return true;
    const { field, value } = this.#walk;
    for (let left = budget; left > 0; left--) {
      if (!walkNext(this.#arena, this.#walk)) return true;
      const { expiryMs } = this.#walk;
      if (this.#least !== 0) out.length(expiryMs === 0 ? 0 : expiryMs - this.#least + 1);
      out.string(field.buf, field.at, field.length);
      out.string(value.buf, value.at, value.length);
    }
    return false;
  }
}

export class HashReader implements TypeReader {
  readonly #arena: Arena;
  readonly #limits: ReadingLimits;
  readonly #field = new StringSlot();
  readonly #value = new StringSlot();
  readonly #found = new HashSlot();
  #type = 0;
  #e: Ref = 0;
  #least = 0;
  #left = -1;

  constructor(arena: Arena, limits: ReadingLimits) {
    this.#arena = arena;
    this.#limits = limits;
  }

  begin(type: number, key: StringSlot): void {
    this.#type = type;
    this.#left = -1;
    this.#e = hashCreate(this.#arena, key.buf, key.at, key.length, 0);
  }

  step(input: RdbInput): boolean {
    const hasTimes = this.#type === RdbType.HashMetadata || this.#type === RdbType.HashListpackEx;
    if (this.#type === RdbType.HashListpack || this.#type === RdbType.HashListpackEx) {
      if (hasTimes) input.milliseconds();
      input.string(this.#value);
      this.#listpack(input, hasTimes);
      return true;
    }
    if (this.#left < 0) {
      const least = hasTimes ? input.milliseconds() : 0;
      this.#left = input.length();
      this.#least = least;
      if (this.#left > this.#limits.hash.entries) hashToTable(this.#arena, this.#e);
      return this.#left === 0;
    }
    const time = hasTimes ? input.length() : 0;
    input.string(this.#field);
    input.string(this.#value);
    this.#add(input, time === 0 ? 0 : this.#least + time - 1);
    return --this.#left === 0;
  }

  #add(input: RdbInput, expiryMs: number): void {
    const a = this.#arena;
    const e = this.#e;
    const f = this.#field;
    const v = this.#value;
    if (!hashSet(a, e, f.buf, f.at, f.length, v.buf, v.at, v.length, this.#limits.hash, false))
      throw input.corrupt("Duplicate hash fields detected");
    if (expiryMs === 0) return;
    hashPrepareExpiry(a, e);
    if (hashFind(a, e, f.buf, f.at, f.length, this.#found)) hashExpireFound(a, e, this.#found, expiryMs);
  }

  #listpack(input: RdbInput, hasTimes: boolean): void {
    const a = this.#arena;
    const e = this.#e;
    const { buf, at, length } = this.#value;
    const tuple = hasTimes ? 3 : 2;
    if (!listpackIsValid(buf, at, length, this.#limits.deep))
      throw input.corrupt("Hash listpack integrity check failed.");
    const lp = listpackFromBytes(a, buf, at, length);
    setContainerRoot(a, e, lp);
    if (hasTimes) {
      setEntryEncoding(a, e, Encoding.ListpackEx);
      recordCreate(a, e, 0);
    }
    if (listpackCount(a, lp) % tuple !== 0) throw input.corrupt("Hash listpack integrity check failed.");
    if (listpackCount(a, lp) / tuple > this.#limits.hash.entries) hashToTable(a, e);
  }

  take(): Ref {
    const e = this.#e;
    if (hashLength(this.#arena, e) === 0) return 0;
    this.#e = 0;
    return e;
  }

  discard(): void {
    if (this.#e === 0) return;
    HASH.free(this.#arena, this.#e);
    entryFree(this.#arena, this.#e, false);
    this.#e = 0;
  }
}
