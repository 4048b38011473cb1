/**
 * Hashes: a listpack as one string, or [fields], then [field][value]. With times to live: [least time:8], then a listpack of triples as one string, or
 * [fields], then [time - least + 1, or 0][field][value]. Older ones: a ziplist or a zipmap as one string. Candidates of Redis 7.4 wrote no least time, and
 * times as they are; Valkey writes [fields], then [field][value][time, or -1:8].
 */
import type { Arena, Ref } from "../arena/arena.ts";
import { type BlobRef, blobAt, blobBuffer } from "../arena/blob.ts";
import { int64High, int64Low } from "../base/int64.ts";
import { dictReserve } from "../struct/dict/dict.ts";
import {
  ListpackElement,
  listpackBytes,
  listpackCount,
  listpackFirst,
  listpackNext,
  listpackRead,
} from "../struct/listpack/listpack.ts";
import { containerCreate, containerRoot, setContainerRoot } from "../types/container.ts";
import { Encoding, entryEncoding, setEntryEncoding, Type } from "../types/entry.ts";
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
} from "../types/hash/hash.ts";
import { hashDict } from "../types/hash/hash-dict.ts";
import { recordCreate } from "../types/hash/hash-expiry.ts";
import { HashWalk, walkNextSaved, walkStartSaved } from "../types/hash/hash-walk.ts";
import { entryDiscard } from "../types/value.ts";
import { FIELD_EXPIRY_MAX, RdbType, VALKEY_VERSION } from "./format.ts";
import { type RdbInput, StringSlot } from "./input.ts";
import { timesAreValid, timesOrder, tuplesAreWhole, tuplesDiffer } from "./listpack-integrity.ts";
import type { RdbOutput } from "./output.ts";
import { readListpack, refuseListpack } from "./packed-value.ts";
import { IN_STEPS, type ReadingLimits, type TypeReader, type TypeWriter } from "./value.ts";
import { ziplistToListpack, zipmapToListpack } from "./ziplist.ts";

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
    return this.#earliest(e) === 0 ? RdbType.Hash : RdbType.HashMetadata;
  }

  begin(e: Ref): void {
    this.#e = e;
    this.#begun = false;
  }

  #earliest(e: Ref): number {
    return this.#arena.frozen.view(e)?.leastMs ?? hashEarliest(this.#arena, e);
  }

  #start(out: RdbOutput): boolean {
    const a = this.#arena;
    const e = this.#e;
    const encoding = entryEncoding(a, e);
    this.#begun = true;
    this.#least = this.#earliest(e);
    if (encoding === Encoding.ListpackEx || this.#least !== 0) out.int64(int64Low(this.#least), int64High(this.#least));
    if (encoding !== Encoding.HashTable) {
      const root = containerRoot(a, e);
      out.string(blobBuffer(a, root), blobAt(a, root), listpackBytes(a, root));
      return true;
    }
    walkStartSaved(a, e, this.#walk);
    out.length(this.#walk.frozen?.elements ?? hashLength(a, e));
    return false;
  }

  step(out: RdbOutput, budget: number): boolean {
    if (!this.#begun && this.#start(out)) return true;
    const { field, value } = this.#walk;
    for (let left = budget; left > 0; left--) {
      if (!walkNextSaved(this.#arena, this.#walk)) return (this.#walk.frozen?.left ?? 0) === 0;
      const { expiryMs } = this.#walk;
      if (this.#least !== 0) out.length(expiryMs === 0 ? 0 : expiryMs - this.#least + 1);
      out.string(field.buf, field.at, field.length);
      out.string(value.buf, value.at, value.length);
    }
    return false;
  }
}

/** What a hash that is one string consists of; No: it is not one string. */
const Packed = { No: 0, Listpack: 1, Ziplist: 2, Zipmap: 3 } as const;

/** Where the times of fields stand: before the field, from the least time on or as they are, or behind the value. */
const Time = { None: 0, Relative: 1, Absolute: 2, Behind: 3 } as const;

interface Layout {
  readonly packed: number;
  readonly time: number;
}

const LISTPACK_FAULT = "Hash listpack integrity check failed.";

const PLAIN: Layout = { packed: Packed.No, time: Time.None };
const LAYOUTS: ReadonlyMap<number, Layout> = new Map<number, Layout>([
  [RdbType.HashZipmap, { packed: Packed.Zipmap, time: Time.None }],
  [RdbType.HashZiplist, { packed: Packed.Ziplist, time: Time.None }],
  [RdbType.HashListpack, { packed: Packed.Listpack, time: Time.None }],
  [RdbType.HashMetadataPreGa, { packed: Packed.No, time: Time.Absolute }],
  [RdbType.HashListpackExPreGa, { packed: Packed.Listpack, time: Time.Absolute }],
  [RdbType.HashMetadata, { packed: Packed.No, time: Time.Relative }],
  [RdbType.HashListpackEx, { packed: Packed.Listpack, time: Time.Relative }],
]);
const VALKEY_TIMES: Layout = { packed: Packed.No, time: Time.Behind };

function layoutOf(type: number, version: number): Layout {
  if (type === RdbType.HashMetadataPreGa && version >= VALKEY_VERSION) return VALKEY_TIMES;
  return LAYOUTS.get(type) ?? PLAIN;
}

/** Bytes of the longest element of a listpack. */
function longestElement(a: Arena, lp: BlobRef): number {
  const element = new ListpackElement();
  let longest = 0;
  for (let p = listpackFirst(a, lp); p !== 0; p = listpackNext(a, lp, p)) {
    listpackRead(a, lp, p, element);
    element.text();
    longest = Math.max(longest, element.length);
  }
  return longest;
}

export class HashReader implements TypeReader {
  readonly #arena: Arena;
  readonly #limits: ReadingLimits;
  readonly #field = new StringSlot();
  readonly #value = new StringSlot();
  readonly #found = new HashSlot();
  #layout: Layout = PLAIN;
  #e: Ref = 0;
  #least = 0;
  #left = -1;

  constructor(arena: Arena, limits: ReadingLimits) {
    this.#arena = arena;
    this.#limits = limits;
  }

  whole(type: number, key: StringSlot, input: RdbInput, withExpiry: boolean): Ref {
    if (type !== RdbType.HashListpack) return IN_STEPS;
    const a = this.#arena;
    const lp = this.#readListpack(input, Time.None);
    this.#e = containerCreate(a, key.buf, key.at, key.length, withExpiry, (Encoding.Listpack << 4) | Type.Hash, lp);
    if (listpackCount(a, lp) / 2 > this.#limits.hash.entries) this.#unpack(input, 2);
    return this.take();
  }

  begin(type: number, key: StringSlot, version: number): void {
    // Valkey uses the number of a pre-release type of Redis for its own hashes with times.
    this.#layout = layoutOf(type, version);
    this.#left = -1;
    this.#least = 0;
    this.#e = hashCreate(this.#arena, key.buf, key.at, key.length, 0);
  }

  step(input: RdbInput): boolean {
    const { packed, time } = this.#layout;
    if (packed !== Packed.No) {
      if (time === Time.Relative) input.milliseconds();
      if (packed === Packed.Listpack) this.#listpack(input, time);
      else this.#pack(input, packed);
      return true;
    }
    if (this.#left < 0) {
      const least = time === Time.Relative ? input.milliseconds() : 0;
      if (!(least >= 0 && least <= FIELD_EXPIRY_MAX + 1)) throw input.corrupt("Hash read invalid minExpire value");
      this.#left = input.length();
      this.#least = least;
      if (this.#left > this.#limits.hash.entries) this.#makeTable(this.#left);
      return this.#left === 0;
    }
    let expiryMs = time === Time.Relative || time === Time.Absolute ? input.length() : 0;
    if (time === Time.Relative && expiryMs !== 0) expiryMs += this.#least - 1;
    input.string(this.#field);
    input.string(this.#value);
    // -1: none.
    if (time === Time.Behind) expiryMs = Math.max(0, input.milliseconds());
    if (expiryMs > FIELD_EXPIRY_MAX) throw input.corrupt(`invalid expireAt time: ${expiryMs}`);
    this.#add(input, expiryMs);
    return --this.#left === 0;
  }

  /** Makes a table for so many fields of the empty hash. */
  #makeTable(fields: number): void {
    const a = this.#arena;
    hashToTable(a, this.#e);
    dictReserve(a, hashDict(a, this.#e), fields);
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

  /** The value is what older versions had instead of a listpack. */
  #pack(input: RdbInput, packed: number): void {
    const a = this.#arena;
    const e = this.#e;
    input.string(this.#value);
    const { buf, at, length } = this.#value;
    const isZipmap = packed === Packed.Zipmap;
    const lp = isZipmap ? zipmapToListpack(a, buf, at, length) : ziplistToListpack(a, buf, at, length);
    if (lp === 0) throw input.corrupt(`${isZipmap ? "Zipmap" : "Hash ziplist"} integrity check failed.`);
    setContainerRoot(a, e, lp);
    if (!tuplesDiffer(blobBuffer(a, lp), blobAt(a, lp), 2))
      throw input.corrupt(isZipmap ? "Hash zipmap with dup elements" : "Hash ziplist integrity check failed.");
    const { entries, value } = this.#limits.hash;
    // Of zipmaps alone Redis looks at the lengths, too.
    if (listpackCount(a, lp) / 2 > entries || (isZipmap && longestElement(a, lp) > value)) hashToTable(a, e);
  }

  /** A listpack of pairs, or of triples whose times are times. */
  #readListpack(input: RdbInput, time: number): BlobRef {
    const a = this.#arena;
    const { deep, onDeep } = this.#limits;
    const hasTimes = time !== Time.None;
    const tuple = hasTimes ? 3 : 2;
    if (deep) onDeep?.();
    const lp = readListpack(a, input, this.#value, LISTPACK_FAULT);
    const buf = blobBuffer(a, lp);
    const at = blobAt(a, lp);
    const isRight =
      tuplesAreWhole(buf, at, tuple) &&
      (!deep || tuplesDiffer(buf, at, tuple)) &&
      (!hasTimes || (timesAreValid(buf, at, FIELD_EXPIRY_MAX) && (!deep || timesOrder.ascend)));
    if (!isRight) refuseListpack(a, lp, this.#value.length, input, LISTPACK_FAULT);
    return lp;
  }

  #listpack(input: RdbInput, time: number): void {
    const a = this.#arena;
    const e = this.#e;
    const hasTimes = time !== Time.None;
    const tuple = hasTimes ? 3 : 2;
    const lp = this.#readListpack(input, time);
    setContainerRoot(a, e, lp);
    if (hasTimes) {
      setEntryEncoding(a, e, Encoding.ListpackEx);
      recordCreate(a, e, 0);
    }
    const isOrdered = !hasTimes || timesOrder.ascend;
    if (!isOrdered || listpackCount(a, lp) / tuple > this.#limits.hash.entries) this.#unpack(input, tuple);
  }

  /** Makes a table of the listpack. */
  #unpack(input: RdbInput, tuple: number): void {
    const a = this.#arena;
    const lp = containerRoot(a, this.#e);
    if (!this.#limits.deep && !tuplesDiffer(blobBuffer(a, lp), blobAt(a, lp), tuple))
      throw input.corrupt("Hash listpack with dup elements");
    hashToTable(a, this.#e);
  }

  take(): Ref {
    const e = this.#e;
    if (hashLength(this.#arena, e) === 0) return 0;
    this.#e = 0;
    return e;
  }

  discard(): void {
    if (this.#e === 0) return;
    entryDiscard(this.#arena, this.#e);
    this.#e = 0;
  }
}
