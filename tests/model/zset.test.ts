// Sorted sets of both encodings against a Map and a sorted array: additions with all options, removals by member and by rank, ranks, ranges of scores and
// bytes in both directions, conversions by the rules, random members, copies, digests, memory and freeing in steps.

import { expect } from "bun:test";
import type { Ref } from "../../src/arena/arena.ts";
import type { Prng } from "../../src/base/prng.ts";
import type { Database } from "../../src/keyspace/database.ts";
import { Keyspace } from "../../src/keyspace/keyspace.ts";
import { dictCheck } from "../../src/struct/dict/dict-check.ts";
import { listpackCheck } from "../../src/struct/listpack/listpack.ts";
import type { ListpackElement } from "../../src/struct/listpack/listpack-element.ts";
import { treeCheck, treeCount, treeMember } from "../../src/struct/ranked-tree/ranked-tree.ts";
import { containerRoot, containerWord } from "../../src/types/container.ts";
import { Digest } from "../../src/types/digest.ts";
import { Encoding, entryEncoding } from "../../src/types/entry.ts";
import { entryCopy, valueType } from "../../src/types/value.ts";
import {
  Add,
  Added,
  latest,
  type ZsetLimits,
  zsetAdd,
  zsetAppend,
  zsetCreate,
  zsetEncodingFor,
  zsetMakeRoom,
  zsetRandom,
  zsetRank,
  zsetRemove,
  zsetRemoveRanks,
  zsetScore,
  zsetToListpackIfSmall,
} from "../../src/types/zset/zset.ts";
import { zsetLength } from "../../src/types/zset/zset-length.ts";
import { PairsState, pairsState } from "../../src/types/zset/zset-listpack.ts";
import {
  type BytesLimit,
  BytesRange,
  firstInRange,
  ranks,
  ranksOfBytes,
  ranksOfScores,
  ScoreRange,
} from "../../src/types/zset/zset-range.ts";
import { readMember, ZsetWalk, zsetWalkNext, zsetWalkPrevious, zsetWalkStart } from "../../src/types/zset/zset-walk.ts";
import { bytes, seededTest } from "../base/seeded.ts";
import { pinnedArena } from "../support/arena.ts";

const walk = new ZsetWalk();
const scoreRange = new ScoreRange();
const bytesRange = new BytesRange();

type Pair = readonly [member: string, score: number];

/** Latin1 texts are ordered by their characters as their bytes are. */
function comparePairs([m, s]: Pair, [n, t]: Pair): number {
  if (s !== t) return s < t ? -1 : 1;
  return m < n ? -1 : m > n ? 1 : 0;
}

function textOf(m: ListpackElement): string {
  m.text();
  return Buffer.from(m.buf.subarray(m.at, m.at + m.length)).toString("latin1");
}

interface Kind {
  limits: ZsetLimits;
  /** Different members that are drawn. */
  members: number;
  longest: number;
  /** All scores are equal: ranges of bytes make sense. */
  equalScores: boolean;
}

const SCORES = [
  0,
  -0,
  1,
  -1,
  0.1,
  -2.5,
  1e17,
  2 ** 53,
  2 ** 62,
  -(2 ** 62),
  2 ** 63,
  1e300,
  -1e300,
  5e-324,
  Infinity,
  -Infinity,
];

class Play {
  readonly random: Prng;
  readonly db: Database;
  readonly kind: Kind;
  readonly model = new Map<string, number>();
  e: Ref = 0;
  encoding = 0;

  constructor(random: Prng, kind: Kind) {
    this.random = random;
    this.kind = kind;
    const keyspace = new Keyspace(pinnedArena(null, random.uint32(), random.uint32()), 1, random);
    this.db = keyspace.databases[0]!;
  }

  insert(key: string, encoding: number): Ref {
    const name = bytes(key);
    const e = zsetCreate(this.db.arena, name, 0, name.length, 0, encoding);
    this.db.find(name, 0, name.length);
    this.db.insert(e, this.db.hash);
    return e;
  }

  drawMember(): string {
    const { random, kind } = this;
    const n = random.below(kind.members);
    switch (n % 6) {
      case 0:
        return String(n * 997 - 3000);
      case 1:
        return `x${n}`.padEnd(kind.longest - (n % 3), "-");
      case 2:
        // Prefixes of each other, with bytes above 127.
        return "\xff\x00\x80a".repeat(5).slice(0, n % 20);
      case 3:
        return `0${n}`;
      default:
        return `member:${String(n).padStart(12, "0")}`;
    }
  }

  drawScore(): number {
    const { random, kind } = this;
    if (kind.equalScores) return 7;
    const choice = random.below(10);
    if (choice < 6) return random.below(41) - 20;
    if (choice < 8) return (random.below(2_000_001) - 1_000_000) / 1000;
    return SCORES[random.below(SCORES.length)]!;
  }

  sorted(): Pair[] {
    return [...this.model].sort(comparePairs);
  }

  step(): void {
    const { random, model } = this;
    if (this.e === 0) this.#begin();
    const choice = random.below(20);
    if (choice < 12) this.#add();
    else if (choice < 17) this.#remove();
    else if (choice < 18) this.#removeRanks();
    else this.#look();
    expect(zsetLength(this.db.arena, this.e)).toBe(model.size);
    expect(entryEncoding(this.db.arena, this.e)).toBe(this.encoding);
    if (model.size === 0) this.clear();
  }

  #begin(): void {
    const { limits } = this.kind;
    const hint = this.random.below(8) === 0 ? 1 + this.random.below(2 * limits.listpackEntries + 2) : 1;
    const length = this.random.below(2 * limits.listpackValue + 2);
    const isSmall = hint <= limits.listpackEntries && length <= limits.listpackValue;
    this.encoding = isSmall ? Encoding.Listpack : Encoding.Skiplist;
    expect(zsetEncodingFor(hint, length, limits)).toBe(this.encoding);
    this.e = this.insert("set", this.encoding);
  }

  #add(): void {
    const { db, kind, model, random } = this;
    const text = this.drawMember();
    const content = bytes(text);
    const given = this.drawScore();
    let how = 0;
    if (random.below(3) === 0 && !kind.equalScores) {
      const option = [
        Add.New,
        Add.Existing,
        Add.Greater,
        Add.Less,
        Add.Existing | Add.Greater,
        Add.Existing | Add.Less,
      ];
      how = option[random.below(option.length)]! | (random.below(3) === 0 ? Add.Increment : 0);
    }
    if (random.below(30) === 0) {
      const count = random.below(2 * kind.limits.listpackEntries + 2);
      zsetMakeRoom(db.arena, this.e, count, kind.limits);
      if (count > kind.limits.listpackEntries) this.encoding = Encoding.Skiplist;
    }
    const current = model.get(text);
    const expected = this.#expected(current, given, how);
    const result = zsetAdd(db.arena, this.e, content, 0, content.length, given, how, kind.limits);
    expect(result, `${text} ${given} ${how}`).toBe(expected.result);
    if (expected.score !== undefined) {
      if (current === undefined) this.#noteAddition(text);
      model.set(text, expected.score);
      expect(latest.score + 0).toBe(expected.score + 0);
    }
  }

  #expected(current: number | undefined, given: number, how: number): { result: number; score?: number } {
    if (current === undefined) {
      if ((how & Add.Existing) !== 0) return { result: Added.Nothing };
      return { result: Added.New, score: given };
    }
    if ((how & Add.New) !== 0) return { result: Added.Nothing };
    const score = (how & Add.Increment) !== 0 ? current + given : given;
    if (Number.isNaN(score)) return { result: Added.NotANumber };
    if ((how & Add.Greater) !== 0 && score <= current) return { result: Added.Nothing };
    if ((how & Add.Less) !== 0 && score >= current) return { result: Added.Nothing };
    return score === current ? { result: Added.Same } : { result: Added.Changed, score };
  }

  #noteAddition(text: string): void {
    const { listpackEntries, listpackValue } = this.kind.limits;
    if (this.model.size >= listpackEntries || text.length > listpackValue) this.encoding = Encoding.Skiplist;
  }

  #remove(): void {
    const text = this.drawMember();
    const content = bytes(text);
    expect(zsetRemove(this.db.arena, this.e, content, 0, content.length)).toBe(this.model.delete(text));
  }

  #removeRanks(): void {
    const { model, random } = this;
    if (model.size === 0) return;
    const from = random.below(model.size);
    const count = 1 + random.below(Math.min(model.size - from, random.below(6) === 0 ? 200 : 5));
    for (const [text] of this.sorted().slice(from, from + count)) model.delete(text);
    zsetRemoveRanks(this.db.arena, this.e, from, count);
  }

  #look(): void {
    const { db, model, random } = this;
    const text = this.drawMember();
    const content = bytes(text);
    const score = model.get(text);
    expect(zsetScore(db.arena, this.e, content, 0, content.length) + 0, text).toBe((score ?? Number.NaN) + 0);
    const rank = this.sorted().findIndex(([m]) => m === text);
    expect(zsetRank(db.arena, this.e, content, 0, content.length), text).toBe(rank);
    if (score !== undefined) expect(latest.score + 0).toBe(score + 0);
    if (model.size > 0) {
      zsetRandom(db.arena, this.e, random, walk);
      expect(walk.score + 0).toBe((model.get(textOf(walk.member)) ?? Number.NaN) + 0);
    }
  }

  contents(e: Ref): Pair[] {
    const seen: Pair[] = [];
    if (zsetWalkStart(this.db.arena, e, walk, 0))
      do seen.push([textOf(walk.member), walk.score + 0]);
      while (zsetWalkNext(this.db.arena, walk));
    return seen;
  }

  checkAll(): void {
    const { db, e, model, random } = this;
    const a = db.arena;
    a.check();
    if (e === 0) return;
    const sorted = this.sorted().map(([m, s]) => [m, s + 0] as const);
    expect(this.contents(e)).toEqual(sorted);
    const from = random.below(model.size);
    expect(zsetWalkStart(a, e, walk, from)).toBe(true);
    for (let i = from; i >= 0; i--) {
      expect(textOf(walk.member)).toBe(sorted[i]![0]);
      expect(zsetWalkPrevious(a, walk)).toBe(i > 0);
    }
    expect(zsetWalkStart(a, e, walk, model.size)).toBe(false);
    expect(zsetWalkStart(a, e, walk, -1)).toBe(false);
    if (this.encoding === Encoding.Listpack) {
      listpackCheck(a, containerRoot(a, e));
      expect(pairsState(a, containerRoot(a, e))).toBe(PairsState.Right);
    } else {
      dictCheck(a, containerRoot(a, e));
      treeCheck(a, containerWord(a, e));
      expect(treeCount(a, containerWord(a, e))).toBe(model.size);
    }
  }

  checkRanges(): void {
    const { db, e, random } = this;
    if (e === 0) return;
    const sorted = this.sorted();
    for (let round = 0; round < 10; round++) {
      scoreRange.min = this.drawScore();
      scoreRange.max = this.drawScore();
      scoreRange.isMinOpen = random.below(2) === 0;
      scoreRange.isMaxOpen = random.below(2) === 0;
      const { isMaxOpen, isMinOpen, max, min } = scoreRange;
      ranksOfScores(db.arena, e, scoreRange);
      const inside = sorted.filter(([, s]) => (isMinOpen ? s > min : s >= min) && (isMaxOpen ? s < max : s <= max));
      expect(sorted.slice(ranks.from, ranks.to)).toEqual(inside);
      if (inside.length > 0 && this.encoding === Encoding.Skiplist) {
        readMember(db.arena, treeMember(db.arena, firstInRange), walk.member);
        expect(textOf(walk.member)).toBe(inside[0]![0]);
      }
      if (!this.kind.equalScores) continue;
      const lower = this.#drawLimit(bytesRange.min);
      const upper = this.#drawLimit(bytesRange.max);
      const named = sorted.filter(([m]) => lower(m) >= 0 && upper(m) <= 0);
      ranksOfBytes(db.arena, e, bytesRange, random.below(2) === 0);
      expect(sorted.slice(ranks.from, ranks.to)).toEqual(named);
    }
  }

  /** Draws a limit; returns how a member stands to what the limit lets in: below (-1), above (1), or neither. */
  #drawLimit(limit: BytesLimit): (member: string) => number {
    const { random } = this;
    limit.side = random.below(4) === 0 ? (random.below(2) === 0 ? -1 : 1) : 0;
    limit.isOpen = random.below(2) === 0;
    const text = this.drawMember();
    limit.buf = bytes(text);
    limit.at = 0;
    limit.length = text.length;
    const { isOpen, side } = limit;
    const isMin = limit === bytesRange.min;
    return (member) => {
      if (side !== 0) return -side;
      if (member === text) return isOpen ? (isMin ? -1 : 1) : 0;
      return member < text ? -1 : 1;
    };
  }

  /** Copies the set; the copy is equal, and is freed at once or in steps. A set made by appending, and one made small, are equal too. */
  checkCopies(): void {
    const { db } = this;
    const a = db.arena;
    if (this.e === 0) return;
    const used = a.usedBytes;
    const key = bytes("copy");
    const copy = entryCopy(a, this.e, key, 0, key.length, 0);
    db.find(key, 0, key.length);
    db.insert(copy, db.hash);
    expect(digestOf(db, copy)).toBe(digestOf(db, this.e));
    const outside = valueType(a, copy).outsideBytes(a, copy, 0);
    const grown = a.usedBytes - used;
    expect(Math.abs(grown - outside)).toBeLessThan(200 + grown * 0.13);
    this.#drop(copy);
    const other = this.insert("other", this.random.below(2) === 0 ? Encoding.Listpack : Encoding.Skiplist);
    for (const [text, score] of this.sorted()) zsetAppend(a, other, bytes(text), 0, text.length, score);
    expect(this.contents(other)).toEqual(this.contents(this.e));
    const { limits } = this.kind;
    const fits =
      this.model.size <= limits.listpackEntries &&
      [...this.model.keys()].every((m) => m.length <= limits.listpackValue);
    const encoding = fits ? Encoding.Listpack : entryEncoding(a, other);
    zsetToListpackIfSmall(a, other, limits);
    expect(entryEncoding(a, other)).toBe(encoding);
    expect(this.contents(other)).toEqual(this.contents(this.e));
    this.#drop(other);
    expect(a.usedBytes).toBeLessThanOrEqual(used + 64);
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
    this.model.clear();
  }
}

function digestOf(db: Database, e: Ref): string {
  const digest = new Digest();
  valueType(db.arena, e).digest(db.arena, e, digest);
  return digest.toString();
}

const KINDS: readonly (readonly [string, Kind, number])[] = [
  [
    "in a listpack",
    { limits: { listpackEntries: 1000, listpackValue: 1000 }, members: 100, longest: 300, equalScores: false },
    3000,
  ],
  [
    "around the limits",
    { limits: { listpackEntries: 9, listpackValue: 20 }, members: 16, longest: 21, equalScores: false },
    6000,
  ],
  [
    "in a table",
    { limits: { listpackEntries: 0, listpackValue: 64 }, members: 2000, longest: 200, equalScores: false },
    5000,
  ],
  [
    "in a table with long members",
    { limits: { listpackEntries: 0, listpackValue: 64 }, members: 40, longest: 150_000, equalScores: false },
    300,
  ],
  [
    "of equal scores in a listpack",
    { limits: { listpackEntries: 500, listpackValue: 64 }, members: 120, longest: 40, equalScores: true },
    2000,
  ],
  [
    "of equal scores in a table",
    { limits: { listpackEntries: 0, listpackValue: 64 }, members: 1000, longest: 40, equalScores: true },
    3000,
  ],
];

for (const [name, kind, steps] of KINDS) {
  seededTest(`random changes of a sorted set ${name} agree with a Map`, (random) => {
    const play = new Play(random, kind);
    for (let i = 1; i <= steps; i++) {
      play.step();
      if (i % 100 !== 0) continue;
      play.checkAll();
      play.checkRanges();
      play.checkCopies();
    }
    play.clear();
    play.db.arena.check();
    expect(play.db.size).toBe(0);
    expect(play.db.arena.largeBytes).toBe(0);
    expect(play.db.arena.usedBytes).toBeLessThan(10_000);
  });
}
