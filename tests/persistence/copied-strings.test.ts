// Copies of small strings side by side: they come out as they went in, in their order, and leave no memory behind.

import { expect, test } from "bun:test";
import type { Arena, Ref } from "../../src/arena/arena.ts";
import { int64High, int64Low } from "../../src/base/int64.ts";
import { CopiedStrings } from "../../src/persistence/snapshot/copied-strings.ts";
import { entryAccess, entryCreate, entryExpiry, entryKeyText, setEntryExpiry, Type } from "../../src/types/entry.ts";
import { ByteSpan, readString, stringCreate } from "../../src/types/string.ts";
import { entryDiscard } from "../../src/types/value.ts";
import { bytes, randomText, seededTest } from "../base/seeded.ts";
import { testServer } from "../support/engine.ts";

const MANY = Number.POSITIVE_INFINITY;

/** What an entry or a copy says. */
function picture(a: Arena, e: Ref): unknown {
  const span = new ByteSpan();
  readString(a, e, span);
  const value = Buffer.from(span.buf.slice(span.at, span.at + span.length)).toString("latin1");
  return [entryKeyText(a, e), value, entryExpiry(a, e), entryAccess(a, e)];
}

/** An entry that holds a string. */
function stringEntry(a: Arena, key: string, value: string, expiryMs = -1): Ref {
  const access = 0x1234;
  const e = stringCreate(a, bytes(key), 0, key.length, bytes(value), 0, value.length, access, expiryMs >= 0, false);
  if (expiryMs >= 0) setEntryExpiry(a, e, int64Low(expiryMs), int64High(expiryMs));
  return e;
}

seededTest("copies come out as they went in", (random) => {
  const { keyspace } = testServer().engine;
  const { arena } = keyspace;
  const usedBytes = arena.usedBytes;
  const copied = new CopiedStrings(keyspace);
  const model: unknown[] = [];
  for (let i = 0; i < 40_000; i++) {
    // Sometimes there are several blocks, and sometimes all copies are dropped.
    if (random.below(4) >= (Math.floor(i / 5000) % 2 === 0 ? 1 : 3)) {
      const value = random.below(3) === 0 ? String(random.uint32()) : randomText(random, "ab01-", 50);
      const e = stringEntry(arena, randomText(random, "xyz", 40), value, random.below(2) === 0 ? -1 : random.uint32());
      model.push(picture(arena, e));
      expect(copied.push(e, MANY)).toBe(true);
      entryDiscard(arena, e);
    } else if (model.length > 0) {
      expect(picture(arena, copied.first)).toEqual(model.shift());
      copied.drop();
    }
    expect(copied.first === 0).toBe(model.length === 0);
    expect(keyspace.retiredBytes > 0).toBe(model.length > 0);
  }
  copied.clear();
  expect(keyspace.retiredBytes).toBe(0);
  expect(arena.usedBytes).toBe(usedBytes);
  arena.check();
});

test("what is not small is not copied", () => {
  const { keyspace } = testServer().engine;
  const { arena } = keyspace;
  const copied = new CopiedStrings(keyspace);
  for (const [key, value, copies] of [
    ["k", "x".repeat(112), true],
    ["k", "x".repeat(117), false],
    ["k".repeat(110), "12345678", true],
    ["k".repeat(115), "12345678", false],
    ["k", "x".repeat(200_000), false],
    ["k".repeat(100_000), "x", false],
  ] as const)
    expect(copied.push(stringEntry(arena, key, value), MANY)).toBe(copies);
  expect(copied.push(entryCreate(arena, bytes("k"), 0, 1, false, Type.List, 8), MANY)).toBe(false);
  copied.clear();
});

test("there is no new block when enough is kept", () => {
  const { keyspace } = testServer().engine;
  const copied = new CopiedStrings(keyspace);
  const e = stringEntry(keyspace.arena, "key", "value");
  let copies = 0;
  while (copied.push(e, 65_536)) copies++;
  // Two blocks of 32 KiB, in 24 bytes each.
  expect(copies).toBe(2 * Math.floor((32 * 1024 - 8) / 24));
  expect(keyspace.retiredBytes).toBe(65_536);
  copied.drop();
  expect(copied.push(e, 65_536)).toBe(false);
  copied.clear();
  expect(keyspace.retiredBytes).toBe(0);
});
