// Sets of all encodings against a plain Set: random members around the limits, integers of all widths, long members, members read from another set;
// encodings by the rules, copies, digests, memory and freeing in steps.

import { expect } from "bun:test";
import type { Ref } from "../../src/arena/arena.ts";
import type { Prng } from "../../src/base/prng.ts";
import type { Database } from "../../src/keyspace/database.ts";
import { Keyspace } from "../../src/keyspace/keyspace.ts";
import { dictCheck } from "../../src/struct/dict/dict-check.ts";
import { intsetCheck } from "../../src/struct/intset.ts";
import { listpackCheck } from "../../src/struct/listpack/listpack.ts";
import { containerRoot } from "../../src/types/container.ts";
import { Digest } from "../../src/types/digest.ts";
import { Encoding, entryEncoding } from "../../src/types/entry.ts";
import {
  type SetLimits,
  setAdd,
  setAddMember,
  setCreate,
  setEncodingFor,
  setHas,
  setHasMember,
  setLength,
  setMakeRoom,
  setRandom,
  setRemove,
  setRemoveAt,
  setRemoveMember,
  setToIntset,
} from "../../src/types/set/set.ts";
import { SetMember, SetWalk, setWalkNext, setWalkStart } from "../../src/types/set/set-walk.ts";
import { entryCopy, valueType } from "../../src/types/value.ts";
import { bytes, seededTest } from "../base/seeded.ts";
import { pinnedArena } from "../support/arena.ts";

const member = new SetMember();
const walk = new SetWalk();

function textOf(m: SetMember): string {
  m.text();
  return Buffer.from(m.buf.subarray(m.at, m.at + m.length)).toString("latin1");
}

function isInteger(text: string): boolean {
  return /^(0|-?[1-9][0-9]*)$/.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text);
}

interface Kind {
  limits: SetLimits;
  /** Different members that are drawn. */
  members: number;
  /** Percentage of members that are integers. */
  integers: number;
  longest: number;
}

class Play {
  readonly random: Prng;
  readonly db: Database;
  readonly kind: Kind;
  readonly model = new Set<string>();
  e: Ref = 0;
  /** What the encoding must be, as far as additions have decided it. */
  encoding = 0;

  constructor(random: Prng, kind: Kind) {
    this.random = random;
    this.kind = kind;
    const keyspace = new Keyspace(pinnedArena(null, random.uint32(), random.uint32()), 1, random);
    this.db = keyspace.databases[0]!;
  }

  insert(key: string, encoding: number): Ref {
    const name = bytes(key);
    const e = setCreate(this.db.arena, name, 0, name.length, 0, encoding);
    this.db.find(name, 0, name.length);
    this.db.insert(e, this.db.hash);
    return e;
  }

  draw(): string {
    const { random, kind } = this;
    const n = random.below(kind.members);
    if (random.below(100) < kind.integers)
      return n % 5 === 0 ? String(BigInt(n - 7) * 461168601842738790n) : String(n * 997);
    if (n % 11 === 0) return `x${n}`.padEnd(kind.longest - (n % 3), "-");
    return n % 13 === 0 ? `0${n}` : `member ${n}`;
  }

  step(): void {
    const { db, model, random } = this;
    const a = db.arena;
    const text = this.draw();
    const content = bytes(text);
    if (this.e === 0) this.#begin(text);
    const choice = random.below(20);
    if (choice < 11) {
      this.#noteAddition(text);
      expect(setAdd(a, this.e, content, 0, content.length, this.kind.limits)).toBe(!model.has(text));
      model.add(text);
    } else if (choice < 17) {
      expect(setRemove(a, this.e, content, 0, content.length)).toBe(model.delete(text));
    } else if (choice < 18 && model.size > 0) {
      setRandom(a, this.e, random, member);
      const drawn = textOf(member);
      expect(model.delete(drawn), drawn).toBe(true);
      setRandom(a, this.e, random, member);
      model.add(drawn);
      model.delete(textOf(member));
      setRemoveAt(a, this.e, member);
    } else {
      expect(setHas(a, this.e, content, 0, content.length), text).toBe(model.has(text));
    }
    expect(setLength(a, this.e)).toBe(model.size);
    expect(entryEncoding(a, this.e)).toBe(this.encoding);
    if (model.size === 0) this.clear();
  }

  #begin(text: string): void {
    const { limits } = this.kind;
    const hint = this.random.below(8) === 0 ? 1 + this.random.below(2 * limits.listpackEntries + 2) : 1;
    this.encoding = hint <= limits.listpackEntries ? Encoding.Listpack : Encoding.HashTable;
    if (isInteger(text) && hint <= limits.intsetEntries) this.encoding = Encoding.Intset;
    const content = bytes(text);
    this.e = this.insert("set", setEncodingFor(content, 0, content.length, hint, limits));
    expect(entryEncoding(this.db.arena, this.e)).toBe(this.encoding);
  }

  /** Says anew, from all members, what adding one makes of the encoding. */
  #noteAddition(text: string): void {
    const { model } = this;
    const { intsetEntries, listpackEntries, listpackValue } = this.kind.limits;
    if (model.has(text) || this.encoding === Encoding.HashTable) return;
    if (this.encoding === Encoding.Intset && isInteger(text)) {
      if (model.size + 1 > intsetEntries) this.encoding = Encoding.HashTable;
      return;
    }
    const lengths = this.encoding === Encoding.Intset ? [...model].map((m) => m.length) : [];
    const ordered = [...model].filter(isInteger).sort((x, y) => (BigInt(x) < BigInt(y) ? -1 : 1));
    const ends = lengths.length === 0 ? [] : [ordered[0]!.length, ordered.at(-1)!.length];
    const fits = model.size < listpackEntries && Math.max(text.length, ...ends) <= listpackValue;
    this.encoding = fits ? Encoding.Listpack : Encoding.HashTable;
  }

  contents(e: Ref): string[] {
    const seen: string[] = [];
    setWalkStart(this.db.arena, e, walk);
    while (setWalkNext(this.db.arena, walk)) seen.push(textOf(walk.member));
    return seen.sort();
  }

  checkAll(): void {
    const { db, e, model } = this;
    const a = db.arena;
    a.check();
    if (e === 0) return;
    expect(this.contents(e)).toEqual([...model].sort());
    const root = containerRoot(a, e);
    if (this.encoding === Encoding.HashTable) dictCheck(a, root);
    else if (this.encoding === Encoding.Listpack) listpackCheck(a, root);
    else intsetCheck(a, root);
  }

  /** Moves members to a set of another encoding and back, as the commands that combine sets do. */
  checkOther(): void {
    const { db, random, model } = this;
    const a = db.arena;
    if (this.e === 0) return;
    const other = this.insert("other", random.below(2) === 0 ? Encoding.Intset : Encoding.Listpack);
    const limits = { intsetEntries: random.below(50), listpackEntries: random.below(50), listpackValue: 64 };
    const chosen = new Set<string>();
    setWalkStart(a, this.e, walk);
    while (setWalkNext(a, walk)) {
      if (random.below(3) === 0) continue;
      setMakeRoom(a, other, chosen.size + 1, limits);
      expect(setAddMember(a, other, walk.member, limits)).toBe(true);
      chosen.add(textOf(walk.member));
    }
    if (chosen.size > 0 && [...chosen].every(isInteger)) {
      setToIntset(a, other, limits);
      const few = chosen.size <= limits.intsetEntries;
      expect(entryEncoding(a, other) === Encoding.Intset).toBe(few);
    }
    expect(this.contents(other)).toEqual([...chosen].sort());
    setWalkStart(a, this.e, walk);
    while (setWalkNext(a, walk)) {
      const text = textOf(walk.member);
      expect(setHasMember(a, other, walk.member), text).toBe(chosen.has(text));
      if (random.below(2) === 0) expect(setRemoveMember(a, other, walk.member), text).toBe(chosen.delete(text));
    }
    expect(this.contents(other)).toEqual([...chosen].sort());
    db.remove(other, db.hashOf(other));
    expect(this.contents(this.e)).toEqual([...model].sort());
  }

  /** Copies the set; the copy is equal, and is freed at once or in steps. */
  checkCopy(): void {
    const { db } = this;
    const a = db.arena;
    if (this.e === 0) return;
    const used = a.usedBytes;
    const key = bytes("copy");
    const copy = entryCopy(a, this.e, key, 0, key.length, 0);
    db.find(key, 0, key.length);
    db.insert(copy, db.hash);
    expect(digestOf(db, copy)).toBe(digestOf(db, this.e));
    expect(this.contents(copy)).toEqual([...this.model].sort());
    const outside = valueType(a, copy).outsideBytes(a, copy, 0);
    const grown = a.usedBytes - used;
    expect(Math.abs(grown - outside)).toBeLessThan(100 + grown * 0.13);
    db.remove(copy, db.hashOf(copy), this.random.below(2) === 0);
    while (!db.keyspace.lazyFree.step(1 + this.random.below(50)));
    expect(a.usedBytes).toBeLessThanOrEqual(used + 64);
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
    "of integers",
    {
      limits: { intsetEntries: 512, listpackEntries: 128, listpackValue: 64 },
      members: 300,
      integers: 100,
      longest: 0,
    },
    4000,
  ],
  [
    "in a listpack",
    {
      limits: { intsetEntries: 0, listpackEntries: 1000, listpackValue: 1000 },
      members: 60,
      integers: 30,
      longest: 300,
    },
    4000,
  ],
  [
    "around the limits",
    { limits: { intsetEntries: 9, listpackEntries: 12, listpackValue: 18 }, members: 14, integers: 80, longest: 19 },
    8000,
  ],
  [
    "in a table",
    { limits: { intsetEntries: 0, listpackEntries: 0, listpackValue: 64 }, members: 2000, integers: 40, longest: 5000 },
    8000,
  ],
  [
    "in a table with long members",
    { limits: { intsetEntries: 0, listpackEntries: 0, listpackValue: 64 }, members: 40, integers: 0, longest: 150_000 },
    300,
  ],
];

for (const [name, kind, steps] of KINDS) {
  seededTest(`random changes of a set ${name} agree with a Set`, (random) => {
    const play = new Play(random, kind);
    for (let i = 1; i <= steps; i++) {
      play.step();
      if (i % 100 !== 0) continue;
      play.checkAll();
      play.checkOther();
      play.checkCopy();
    }
    play.clear();
    play.db.arena.check();
    expect(play.db.size).toBe(0);
    expect(play.db.arena.largeBytes).toBe(0);
    expect(play.db.arena.usedBytes).toBeLessThan(10_000);
  });
}

/** How far counts are from being equal: chi-square. */
function chiSquare(counts: Iterable<number>, expected: number): number {
  let sum = 0;
  for (const count of counts) sum += (count - expected) ** 2 / expected;
  return sum;
}

seededTest("random members are drawn evenly from all encodings, from a table that shrinks as well", (random) => {
  const limits = { intsetEntries: 0, listpackEntries: 0, listpackValue: 64 };
  for (const [encoding, before] of [
    [Encoding.Intset, 20],
    [Encoding.Listpack, 20],
    [Encoding.HashTable, 20],
    [Encoding.HashTable, 5000],
  ] as const) {
    const play = new Play(random, { limits, members: 0, integers: 0, longest: 0 });
    const a = play.db.arena;
    const e = play.insert("set", encoding);
    const roomy = { intsetEntries: 100, listpackEntries: 100, listpackValue: 64 };
    const wide = encoding === Encoding.HashTable ? limits : roomy;
    for (let n = 0; n < before; n++) setAdd(a, e, bytes(String(n)), 0, String(n).length, wide);
    for (let n = 20; n < before; n++) setRemove(a, e, bytes(String(n)), 0, String(n).length);
    const counts = new Map<string, number>();
    for (let i = 0; i < 20_000; i++) {
      setRandom(a, e, random, member);
      counts.set(textOf(member), (counts.get(textOf(member)) ?? 0) + 1);
    }
    expect(counts.size).toBe(20);
    // 19 degrees of freedom: more than 60 comes once in 300,000 runs.
    expect(chiSquare(counts.values(), 1000)).toBeLessThan(60);
    play.e = e;
    play.clear();
  }
});
