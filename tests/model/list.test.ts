// Lists of both encodings against plain arrays of strings: changes at the ends and at random places, the way the commands make them, for several sizes of
// nodes, with and without compression; conversions by the rules, copies, digests, memory and freeing in steps.

import { expect, setDefaultTimeout } from "bun:test";
import type { Ref } from "../../src/arena/arena.ts";
import type { Prng } from "../../src/base/prng.ts";
import type { Database } from "../../src/keyspace/database.ts";
import { Keyspace } from "../../src/keyspace/keyspace.ts";
import { listpackBytes, listpackCheck } from "../../src/struct/listpack/listpack.ts";
import { quicklistCheck } from "../../src/struct/quicklist/quicklist.ts";
import {
  cursorEquals,
  cursorLeave,
  cursorNext,
  cursorPrevious,
  cursorRead,
  QuicklistCursor,
  SearchedElement,
} from "../../src/struct/quicklist/quicklist-cursor.ts";
import { containerRoot } from "../../src/types/container.ts";
import { Digest } from "../../src/types/digest.ts";
import { Encoding, entryEncoding } from "../../src/types/entry.ts";
import {
  ListElement,
  type ListLimits,
  listCreate,
  listDeleteAt,
  listDeleteRange,
  listDropEnd,
  listInsert,
  listLength,
  listMakeRoom,
  listPush,
  listReadEnd,
  listReplace,
  listSeek,
  listSettle,
  listShrink,
} from "../../src/types/list/list.ts";
import { entryCopy, valueType } from "../../src/types/value.ts";
import { bytes, seededTest } from "../base/seeded.ts";
import { pinnedArena } from "../support/arena.ts";

// An arena that needs its first large segment may wait for seconds until the system has cleared it.
setDefaultTimeout(60_000);

/** Bytes that a listpack may have when list-max-listpack-size is -1. */
const FILL_MINUS_1 = 4096;

const element = new ListElement();
const cursor = new QuicklistCursor();
const searched = new SearchedElement();

function textOf(e: ListElement): string {
  e.text();
  return Buffer.from(e.buf.subarray(e.at, e.at + e.length)).toString("latin1");
}

class Play {
  readonly random: Prng;
  readonly db: Database;
  readonly limits: ListLimits;
  /** About how many elements the list may get. */
  readonly most: number;
  model: string[] = [];
  e: Ref = 0;

  constructor(random: Prng, limits: ListLimits, most: number) {
    this.random = random;
    this.limits = limits;
    this.most = most;
    const keyspace = new Keyspace(pinnedArena(null, random.uint32(), random.uint32()), 1, random);
    this.db = keyspace.databases[0]!;
  }

  insert(key: string): Ref {
    const name = bytes(key);
    const e = listCreate(this.db.arena, name, 0, name.length, 0);
    this.db.find(name, 0, name.length);
    this.db.insert(e, this.db.hash);
    return e;
  }

  draw(): string {
    const { random } = this;
    const choice = random.below(24);
    if (choice < 8) return String(random.below(200) - 100);
    if (choice < 10) return String(BigInt(random.below(50) - 25) * 461168601842738790n);
    if (choice < 22) return `element ${random.below(40)}`;
    if (choice < 23) return "y".repeat(random.below(300));
    return String.fromCharCode(...Array.from({ length: random.below(60) }, () => random.below(256))).repeat(
      random.below(200),
    );
  }

  /** An index of the model that is there. */
  drawIndex(): number {
    return this.random.below(this.model.length);
  }

  step(): void {
    const { random } = this;
    if (this.e === 0) this.e = this.insert("list");
    const choice = random.below(24);
    const grows = this.model.length < this.most && random.below(3) > 0;
    if (choice < 8 || this.model.length === 0) this.#push(grows ? 1 + random.below(6) : 1);
    else if (choice < 12) this.#dropEnd();
    else if (choice < 14) this.#insert();
    else if (choice < 16) this.#replace();
    else if (choice < 18) this.#deleteMatches();
    else if (choice < 20) this.#deleteRange();
    else this.#look();
    expect(listLength(this.db.arena, this.e)).toBe(this.model.length);
    this.#checkEncoding();
    if (this.model.length === 0) this.clear();
  }

  #push(count: number): void {
    const { limits, model, random } = this;
    const a = this.db.arena;
    const atHead = random.below(2) === 0;
    const texts = Array.from({ length: count }, () => this.draw());
    listMakeRoom(
      a,
      this.e,
      texts.reduce((sum, text) => sum + text.length, 0),
      count,
      limits,
    );
    for (const text of texts) {
      listPush(a, this.e, atHead, bytes(text), 0, text.length, limits);
      if (atHead) model.unshift(text);
      else model.push(text);
    }
  }

  #dropEnd(): void {
    const a = this.db.arena;
    const atHead = this.random.below(2) === 0;
    listReadEnd(a, this.e, atHead, element);
    expect(textOf(element)).toBe((atHead ? this.model.shift() : this.model.pop())!);
    listDropEnd(a, this.e, atHead);
    this.#shrink();
  }

  #insert(): void {
    const a = this.db.arena;
    const text = this.draw();
    const after = this.random.below(2) === 0;
    listMakeRoom(a, this.e, text.length, 1, this.limits);
    const i = this.drawIndex();
    expect(listSeek(a, this.e, i, cursor)).toBe(true);
    listInsert(a, this.e, cursor, after, bytes(text), 0, text.length, this.limits);
    cursorLeave(a, cursor);
    this.model.splice(after ? i + 1 : i, 0, text);
  }

  #replace(): void {
    const a = this.db.arena;
    const text = this.draw();
    listMakeRoom(a, this.e, text.length, 1, this.limits);
    const i = this.drawIndex();
    expect(listSeek(a, this.e, i, cursor)).toBe(true);
    listReplace(a, this.e, cursor, bytes(text), 0, text.length, this.limits);
    cursorLeave(a, cursor);
    this.model[i] = text;
    this.#shrink();
  }

  /** As LREM does. */
  #deleteMatches(): void {
    const { model, random } = this;
    const a = this.db.arena;
    const forward = random.below(2) === 0;
    const text = random.below(4) === 0 ? this.draw() : model[this.drawIndex()]!;
    let left = 1 + random.below(4);
    searched.set(bytes(text), 0, text.length);
    let more = listSeek(a, this.e, forward ? 0 : model.length - 1, cursor);
    let i = forward ? 0 : model.length - 1;
    while (more && left > 0) {
      expect(cursorEquals(cursor, searched)).toBe(model[i] === text);
      if (model[i] === text) {
        model.splice(i, 1);
        left--;
        more = listDeleteAt(a, this.e, cursor, forward);
        if (!forward) i--;
      } else {
        more = forward ? cursorNext(a, cursor) : cursorPrevious(a, cursor);
        i += forward ? 1 : -1;
      }
      expect(more).toBe(i >= 0 && i < model.length);
    }
    cursorLeave(a, cursor);
    this.#shrink();
  }

  #deleteRange(): void {
    const { model, random } = this;
    const start = this.drawIndex();
    const count = random.below(random.below(8) === 0 ? model.length + 10 : 6);
    listDeleteRange(this.db.arena, this.e, start, count);
    model.splice(start, count);
    this.#shrink();
  }

  #shrink(): void {
    if (this.model.length > 0) listShrink(this.db.arena, this.e, this.limits);
  }

  #look(): void {
    const a = this.db.arena;
    const i = this.drawIndex();
    expect(listSeek(a, this.e, i, cursor)).toBe(true);
    cursorRead(cursor, element);
    expect(textOf(element)).toBe(this.model[i]!);
    cursorLeave(a, cursor);
    expect(listSeek(a, this.e, this.model.length + this.random.below(3), cursor)).toBe(false);
  }

  /** A listpack is no larger than the limit. */
  #checkEncoding(): void {
    const a = this.db.arena;
    const { fill } = this.limits;
    if (entryEncoding(a, this.e) !== Encoding.Listpack) return;
    if (fill > 0) expect(this.model.length).toBeLessThanOrEqual(fill);
    else
      expect(listpackBytes(a, containerRoot(a, this.e))).toBeLessThanOrEqual(
        FILL_MINUS_1 * 2 ** (-1 - fill) + 16 * this.model.length,
      );
  }

  contents(e: Ref): string[] {
    const seen: string[] = [];
    const a = this.db.arena;
    for (let more = listSeek(a, e, 0, cursor); more; more = cursorNext(a, cursor)) {
      cursorRead(cursor, element);
      seen.push(textOf(element));
    }
    cursorLeave(a, cursor);
    return seen;
  }

  checkAll(): void {
    const { db, e, model } = this;
    const a = db.arena;
    a.check();
    if (e === 0) return;
    expect(this.contents(e)).toEqual(model);
    if (entryEncoding(a, e) === Encoding.Listpack) listpackCheck(a, containerRoot(a, e));
    else quicklistCheck(a, containerRoot(a, e));
  }

  /** Copies the list; the copy is equal, and is freed at once or in steps. A list that was pushed without regard to limits settles. */
  checkCopies(): void {
    const { db, limits, model } = this;
    const a = db.arena;
    if (this.e === 0) return;
    const used = a.usedBytes + a.largeBytes;
    const key = bytes("copy");
    const copy = entryCopy(a, this.e, key, 0, key.length, 0);
    db.find(key, 0, key.length);
    db.insert(copy, db.hash);
    expect(this.contents(copy)).toEqual(model);
    expect(digestOf(db, copy)).toBe(digestOf(db, this.e));
    expect(valueType(a, copy).outsideBytes(a, copy, 0)).toBe(valueType(a, this.e).outsideBytes(a, this.e, 0));
    this.#drop(copy);
    const other = this.insert("other");
    for (const text of model) listPush(a, other, false, bytes(text), 0, text.length, limits);
    listSettle(a, other, limits);
    expect(this.contents(other)).toEqual(model);
    if (entryEncoding(a, other) === Encoding.Quicklist) quicklistCheck(a, containerRoot(a, other));
    this.#drop(other);
    expect(a.usedBytes + a.largeBytes).toBeLessThanOrEqual(used + 64);
  }

  #drop(e: Ref): void {
    const { db } = this;
    db.remove(e, db.hashOf(e), this.random.below(2) === 0);
    while (!db.keyspace.lazyFree.step(1 + this.random.below(50)));
  }

  clear(): void {
    if (this.e === 0) return;
    this.db.remove(this.e, this.db.hashOf(this.e));
    this.e = 0;
    this.model = [];
  }
}

function digestOf(db: Database, e: Ref): string {
  const digest = new Digest();
  valueType(db.arena, e).digest(db.arena, e, digest);
  return digest.toString();
}

const KINDS: readonly (readonly [name: string, limits: ListLimits, most: number, steps: number])[] = [
  ["of up to 8 KiB a node", { fill: -2, depth: 0, plainMin: 0 }, 600, 3000],
  ["of up to 4 KiB a node, the inner ones compressed", { fill: -1, depth: 1, plainMin: 0 }, 600, 3000],
  ["of up to 8 elements a node", { fill: 8, depth: 0, plainMin: 0 }, 60, 4000],
  ["of up to 3 elements a node, the inner ones compressed", { fill: 3, depth: 2, plainMin: 0 }, 40, 3000],
  ["around one node", { fill: 10, depth: 0, plainMin: 0 }, 8, 5000],
  ["with large elements in nodes of their own", { fill: -2, depth: 0, plainMin: 100 }, 300, 3000],
];

for (const [name, limits, most, steps] of KINDS) {
  seededTest(`random changes of a list ${name} agree with an array`, (random) => {
    const play = new Play(random, limits, most);
    for (let i = 1; i <= steps; i++) {
      play.step();
      if (i % 100 !== 0) continue;
      play.checkAll();
      play.checkCopies();
    }
    play.clear();
    play.db.arena.check();
    expect(play.db.size).toBe(0);
    expect(play.db.arena.largeBytes).toBe(0);
    expect(play.db.arena.usedBytes).toBeLessThan(10_000);
  });
}
