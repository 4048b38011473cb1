/**
 * Entries that a snapshot keeps although no database has them any more: keys that were deleted, or got another value, before the walk reached them. That costs
 * whoever changes the key next to nothing, and no memory beyond what the value took anyway.
 */
import type { Arena, Ref } from "../../arena/arena.ts";
import type { KeyRules } from "../../keyspace/key-rules.ts";
import { RefList } from "../../struct/ref-list.ts";
import { entryType, Type } from "../../types/entry.ts";
import { stringOutsideBytes } from "../../types/string.ts";
import { valueType } from "../../types/value.ts";

/** Elements from which the size of a value is estimated. */
const SAMPLES = 4;

/** Bytes that freeing an entry gives back, about. */
export function retainedBytes(a: Arena, e: Ref): number {
  const outside =
    entryType(a, e) === Type.String ? stringOutsideBytes(a, e) : valueType(a, e).outsideBytes(a, e, SAMPLES);
  return a.capacity(e) + outside;
}

/** Entries that were retired from one dict. Invariant: their bytes are part of keyspace.retiredBytes. */
export class RetiredEntries {
  readonly #keyspace: KeyRules;
  readonly #list = new RefList();

  constructor(keyspace: KeyRules) {
    this.#keyspace = keyspace;
  }

  get count(): number {
    return this.#list.count;
  }

  /** Takes an entry, which must not change any more. */
  push(e: Ref): void {
    this.#list.push(e);
    this.#keyspace.retiredBytes += retainedBytes(this.#keyspace.arena, e);
  }

  /** Hands out an entry, which still counts until it is freed. There must be one. */
  take(): Ref {
    return this.#list.refs[--this.#list.count];
  }

  /** Frees an entry that was handed out. */
  free(e: Ref): void {
    this.#keyspace.retiredBytes -= retainedBytes(this.#keyspace.arena, e);
    this.#keyspace.lazyFree.freeEntry(e);
  }

  /** Frees all. */
  clear(): void {
    while (this.count > 0) this.free(this.take());
  }
}
