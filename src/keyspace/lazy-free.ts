/**
 * Memory that nobody can reach any more and that is let go bit by bit: values that were unlinked, and whole databases that were flushed.
 * Whoever has time calls step(); until then the memory counts as used.
 */
import type { Arena, Ref } from "../arena/arena.ts";
import { dictDismantle, RefList } from "../struct/dict/dict.ts";
import { entryFree } from "../types/entry.ts";
import { entryDiscard, valueType } from "../types/value.ts";

/** Content of a database: its keys, and its index of expiring keys (0: none). */
export interface Content {
  readonly dict: Ref;
  readonly expires: Ref;
}

/** Content that is being taken apart. */
interface Ruin {
  dict: Ref;
  expires: Ref;
  /** Where dictDismantle goes on: in dict, then (once dict is gone) in expires. */
  position: number;
  /** Keys not freed yet. */
  keys: number;
}

/** An entry whose freeing is more effort than this is freed in steps. */
const EFFORT_MIN = 64;
/** An entry whose freeing is more effort than this is freed in steps even where nobody asked for it: at once it would hold up everybody for milliseconds. */
const PAUSE_EFFORT = 16384;
/** Buckets that are taken apart at a time. */
const BUCKETS = 8;
/** What freeing one entry counts as, in steps of the budget. */
const ENTRY_COST = 1;

export class LazyFree {
  readonly #arena: Arena;
  readonly #entries = new RefList();
  /** Entries whose freeing nobody asked to put off: they count neither as pending nor as freed objects. */
  readonly #silent = new RefList();
  #ruins: Ruin[] = [];
  readonly #list = new RefList();
  /** Objects whose freeing was put off and is finished. */
  freedObjects = 0;

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  /** Objects whose freeing was put off and is not finished. */
  get pendingObjects(): number {
    let count = this.#entries.count;
    for (const ruin of this.#ruins) count += ruin.keys;
    return count;
  }

  /** True when there is nothing to do. */
  get idle(): boolean {
    return this.#entries.count === 0 && this.#silent.count === 0 && this.#ruins.length === 0;
  }

  /** Takes an entry that is in no dict: frees it now when that is little work. */
  addEntry(e: Ref): void {
    const a = this.#arena;
    const type = valueType(a, e);
    if (type.freeStep !== undefined && type.freeEffort(a, e) > EFFORT_MIN) {
      this.#entries.push(e);
      return;
    }
    entryDiscard(a, e);
  }

  /** Frees an entry that is in no dict: at once, unless that would take so long that others notice. */
  freeEntry(e: Ref): void {
    const a = this.#arena;
    const type = valueType(a, e);
    if (type.freeStep !== undefined && type.freeEffort(a, e) > PAUSE_EFFORT) {
      this.#silent.push(e);
      return;
    }
    entryDiscard(a, e);
  }

  /** Takes the content of a database that held `keys` keys. */
  addContent(content: Content, keys: number): void {
    this.#ruins.push({ dict: content.dict, expires: content.expires, position: 0, keys });
  }

  /** Forgets everything because the arena was reset; the objects count as freed. */
  forget(): void {
    this.freedObjects += this.pendingObjects;
    this.#entries.count = 0;
    this.#silent.count = 0;
    this.#ruins = [];
  }

  /** Does about `budget` allocations' worth of work; true when nothing is left. */
  step(budget: number): boolean {
    let left = budget;
    while (left > 0 && this.#silent.count > 0) left = this.#entryStep(this.#silent, left);
    while (left > 0 && this.#entries.count > 0) {
      left = this.#entryStep(this.#entries, left);
      if (left > 0) this.freedObjects++;
    }
    while (left > 0 && this.#ruins.length > 0) {
      const ruin = this.#ruins[this.#ruins.length - 1];
      left -= this.#ruinStep(ruin);
      if (ruin.dict === 0 && ruin.expires === 0) this.#ruins.pop();
    }
    return this.idle;
  }

  /** Works on the last entry of a list; returns what is left of the budget, which is at least 1 when the entry is gone. */
  #entryStep(list: RefList, budget: number): number {
    const a = this.#arena;
    const e = list.refs[list.count - 1];
    const step = valueType(a, e).freeStep;
    if (step !== undefined && !step(a, e, budget)) return 0;
    list.count--;
    entryFree(a, e, false);
    return Math.max(1, budget - EFFORT_MIN);
  }

  /** Takes a few buckets apart; returns what that cost. */
  #ruinStep(ruin: Ruin): number {
    const list = this.#list;
    list.count = 0;
    if (ruin.dict === 0) {
      ruin.position = dictDismantle(this.#arena, ruin.expires, ruin.position, BUCKETS, list);
      if (ruin.position >= 0) return BUCKETS;
      ruin.expires = 0;
      return BUCKETS;
    }
    ruin.position = dictDismantle(this.#arena, ruin.dict, ruin.position, BUCKETS, list);
    for (let i = 0; i < list.count; i++) this.#freeOf(list.refs[i]);
    ruin.keys -= list.count;
    if (ruin.position < 0) {
      ruin.dict = 0;
      ruin.position = 0;
    }
    return BUCKETS + list.count * ENTRY_COST;
  }

  /** Frees an entry of a ruin; a large one joins the entries that are freed in steps, and counts there. */
  #freeOf(e: Ref): void {
    const before = this.#entries.count;
    this.addEntry(e);
    if (this.#entries.count === before) this.freedObjects++;
  }
}

/** Frees the content of a database at once. */
export function freeContent(a: Arena, content: Content): void {
  const list = new RefList();
  let position = 0;
  do {
    list.count = 0;
    position = dictDismantle(a, content.dict, position, BUCKETS, list);
    for (let i = 0; i < list.count; i++) {
      entryDiscard(a, list.refs[i]);
    }
  } while (position >= 0);
  position = content.expires === 0 ? -1 : 0;
  while (position >= 0) {
    list.count = 0;
    position = dictDismantle(a, content.expires, position, BUCKETS, list);
  }
}
