// String values in a database, against a plain Map: random sizes across the inline limit, growth, expiry coming and going, integers.
// After every step the touched key is compared, from time to time all keys and the arena's own accounting.

import { expect } from "bun:test";
import type { Prng } from "../../src/base/prng.ts";
import { type Database, KEEP_EXPIRY, NO_EXPIRY } from "../../src/keyspace/database.ts";
import { Keyspace } from "../../src/keyspace/keyspace.ts";
import { dictCheck } from "../../src/struct/dict/dict-check.ts";
import { Encoding, entryEncoding, entryExpiry, entryHasExpiry } from "../../src/types/entry.ts";
import {
  ByteSpan,
  EMBSTR_MAX,
  readString,
  stringGrow,
  stringLength,
  stringWrite,
  VALUE_INLINE_MAX,
} from "../../src/types/string.ts";
import { bytes, seededTest } from "../base/seeded.ts";
import { pinnedArena, takeArena } from "../support/arena.ts";

interface Modelled {
  value: Buffer;
  expiryMs: number | null;
  /** Set or appended to last: decides between embstr and raw. */
  modified: boolean;
}

const STEPS = 3000;
const INTEGER = /^(0|-?[1-9][0-9]*)$/;
const span = new ByteSpan();

function spellsInt64(value: Buffer): boolean {
  const text = value.toString("latin1");
  return INTEGER.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text);
}

function randomValue(random: Prng): Buffer {
  const kind = random.below(10);
  if (kind < 3) return Buffer.from(String(BigInt.asIntN(64, BigInt(random.below(2 ** 53)) ** BigInt(random.below(3)))));
  const limit = kind < 7 ? 60 : kind < 9 ? 3000 : VALUE_INLINE_MAX * 2;
  const value = Buffer.alloc(random.below(limit));
  random.fill(value, 0, value.length);
  return value;
}

/** Compares a key with its model. */
function compare(db: Database, key: Uint8Array, model: Modelled | undefined): void {
  const a = db.arena;
  const e = db.find(key, 0, key.length);
  if (model === undefined) {
    expect(e).toBe(0);
    return;
  }
  readString(a, e, span);
  const value = Buffer.from(span.buf.subarray(span.at, span.at + span.length));
  if (!value.equals(model.value))
    throw new Error(`value of ${value.length} bytes, not the one of ${model.value.length}`);
  expect(stringLength(a, e)).toBe(model.value.length);
  expect(entryHasExpiry(a, e)).toBe(model.expiryMs !== null);
  if (model.expiryMs !== null) expect(entryExpiry(a, e)).toBe(model.expiryMs);
  const unmodified = spellsInt64(model.value)
    ? Encoding.Int
    : model.value.length <= EMBSTR_MAX
      ? Encoding.Embstr
      : Encoding.Raw;
  expect(entryEncoding(a, e)).toBe(model.modified ? Encoding.Raw : unmodified);
}

class Play {
  readonly random: Prng;
  readonly keyspace: Keyspace;
  readonly db: Database;
  readonly models = new Map<string, Modelled>();

  constructor(random: Prng) {
    this.random = random;
    this.keyspace = new Keyspace(pinnedArena(null, random.uint32(), random.uint32()), 1, random);
    this.db = this.keyspace.databases[0]!;
  }

  step(): void {
    const { random, db, models } = this;
    // The last keys are long: one beyond what stands inside an entry.
    const number = random.below(40);
    const name = number < 38 ? `key:${number}` : String.fromCharCode(60 + number).repeat(number === 38 ? 1000 : 70_000);
    const key = bytes(name);
    const model = models.get(name);
    const choice = random.below(10);
    if (choice < 4) this.#set(name, key, model);
    else if (choice < 6) this.#extend(key, model);
    else if (choice < 7) this.#overwrite(key, model);
    else if (choice < 8) this.#expire(key, model);
    else if (model !== undefined) {
      db.remove(db.find(key, 0, key.length), db.hash);
      models.delete(name);
    }
    compare(db, key, models.get(name));
  }

  #set(name: string, key: Uint8Array, model: Modelled | undefined): void {
    const value = randomValue(this.random);
    const expiry = [NO_EXPIRY, KEEP_EXPIRY, 1 + this.random.below(2 ** 50)][this.random.below(3)]!;
    this.db.setString(key, 0, key.length, Uint8Array.from(value), 0, value.length, expiry, this.random.below(2) === 0);
    const kept = expiry === KEEP_EXPIRY ? (model?.expiryMs ?? null) : null;
    this.models.set(name, { value, expiryMs: expiry >= 0 ? expiry : kept, modified: false });
  }

  #extend(key: Uint8Array, model: Modelled | undefined): void {
    if (model === undefined || model.value.length > VALUE_INLINE_MAX * 3) return;
    this.#write(key, model, model.value.length, randomValue(this.random));
  }

  #overwrite(key: Uint8Array, model: Modelled | undefined): void {
    if (model === undefined) return;
    this.#write(key, model, this.random.below(model.value.length + 50), randomValue(this.random).subarray(0, 200));
  }

  #write(key: Uint8Array, model: Modelled, at: number, piece: Buffer): void {
    const { db } = this;
    const a = db.arena;
    const e = db.find(key, 0, key.length);
    const hash = db.hash;
    const length = Math.max(model.value.length, at + piece.length);
    const grown = stringGrow(a, e, length, entryHasExpiry(a, e));
    db.replaceBlock(e, grown, hash);
    stringWrite(a, grown, at, piece, 0, piece.length);
    const value = Buffer.alloc(length);
    model.value.copy(value);
    piece.copy(value, at);
    model.value = value;
    model.modified = true;
  }

  #expire(key: Uint8Array, model: Modelled | undefined): void {
    if (model === undefined) return;
    const e = this.db.find(key, 0, key.length);
    if (this.random.below(2) === 0) {
      model.expiryMs = this.random.below(2 ** 31);
      this.db.setExpiry(e, this.db.hash, model.expiryMs, 0);
    } else {
      model.expiryMs = null;
      this.db.clearExpiry(e, this.db.hash);
    }
  }

  checkAll(): void {
    const { db, models } = this;
    for (const [name, model] of models) compare(db, bytes(name), model);
    expect(db.size).toBe(models.size);
    expect(db.expiresSize).toBe([...models.values()].filter((m) => m.expiryMs !== null).length);
    db.arena.check();
    dictCheck(db.arena, db.dict);
    if (db.expires !== 0) dictCheck(db.arena, db.expires);
  }

  /** Deletes everything: what was in use for keys and values is free again. */
  clear(): void {
    for (const name of this.models.keys()) {
      const key = bytes(name);
      this.db.remove(this.db.find(key, 0, key.length), this.db.hash);
    }
    this.models.clear();
  }
}

seededTest("random writes, growth and expiry agree with a Map", (random) => {
  const play = new Play(random);
  play.step();
  play.clear();
  for (let i = 1; i <= STEPS; i++) {
    play.step();
    if (i % 500 === 0) play.checkAll();
  }
  play.clear();
  play.checkAll();
  expect(play.db.arena.largeBytes).toBe(0);
});

seededTest("appending byte by byte moves few bytes", (random) => {
  const arena = takeArena();
  const db = new Keyspace(arena, 1, random).databases[0]!;
  const key = bytes("k");
  db.setString(key, 0, 1, bytes("x"), 0, 1, NO_EXPIRY, false);
  const total = 300_000;
  let moves = 0;
  let movedBytes = 0;
  for (let length = 2; length <= total; length++) {
    const e = db.find(key, 0, 1);
    readString(arena, e, span);
    const [buf, at] = [span.buf, span.at];
    const grown = stringGrow(arena, e, length, false);
    db.replaceBlock(e, grown, db.hash);
    stringWrite(arena, grown, length - 1, key, 0, 1);
    readString(arena, grown, span);
    if (span.buf === buf && span.at === at) continue;
    moves++;
    movedBytes += length;
  }
  // Every move makes room in proportion to the length: a geometric series.
  expect(moves).toBeLessThan(120);
  expect(movedBytes).toBeLessThan(12 * total);
});
