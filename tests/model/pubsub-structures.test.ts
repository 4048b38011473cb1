/** The structures behind pub/sub and waiting clients against plain models, from a seed: pattern index, channel table, deadline heap, key filter. */
import { expect, test } from "bun:test";
import { latin1Bytes } from "../../src/base/bytes.ts";
import { globLiteralSuffixLength, globMatch } from "../../src/base/glob.ts";
import { type Deadlined, DeadlineHeap } from "../../src/engine/blocking/deadline-heap.ts";
import { KeyFilter } from "../../src/engine/key-filter.ts";
import { ChannelTable } from "../../src/engine/pubsub/channel-table.ts";
import { type Pattern, PatternIndex } from "../../src/engine/pubsub/pattern-index.ts";
import { randomText, seededTest } from "../base/seeded.ts";

function matches(pattern: string, name: string): boolean {
  return globMatch(latin1Bytes(pattern), 0, pattern.length, latin1Bytes(name), 0, name.length, false);
}

test("the literal end of a pattern is the end of whatever matches it", () => {
  for (const [pattern, want] of [
    ["abc", 3],
    ["a*bc", 2],
    ["a?bc", 2],
    ["[ab]c", 1],
    ["[ab", 0],
    ["[a\\]c", 0],
    ["[a-]c", 0],
    ["[^]c", 1],
    ["a\\*", 0],
    ["\\ab", 1],
    ["a\\", 2],
    ["x]c", 3],
    ["", 0],
  ] as const) {
    expect([pattern, globLiteralSuffixLength(latin1Bytes(pattern), 0, pattern.length)]).toEqual([pattern, want]);
  }
});

seededTest("and that of random patterns too", (prng) => {
  for (let i = 0; i < 20_000; i++) {
    const pattern = randomText(prng, "ab*?[]\\^-", 7);
    const name = randomText(prng, "ab]^-\\", 5);
    if (!matches(pattern, name)) continue;
    const suffix = globLiteralSuffixLength(latin1Bytes(pattern), 0, pattern.length);
    expect([pattern, name, name.endsWith(pattern.slice(pattern.length - suffix))]).toEqual([pattern, name, true]);
  }
});

seededTest("the pattern index finds what a scan of all patterns finds, in order", (prng) => {
  const index = new PatternIndex<number>();
  const model: string[] = [];
  for (let step = 0; step < 4000; step++) {
    if (model.length === 0 || prng.below(100) < (step < 2000 ? 60 : 40)) {
      const name = randomText(prng, "aaabbbcc*?[]\\", 8);
      if (index.find(name) === undefined) {
        index.add(name);
        model.push(name);
      }
    } else {
      const [name] = model.splice(prng.below(model.length), 1);
      index.remove(index.find(name) as Pattern<number>);
    }
    if (step % 16 === 0) index.check();
    const channel = randomText(prng, "aabbc]", 8);
    const found: Pattern<number>[] = [];
    const count = index.match(latin1Bytes(`xx${channel}yy`), 2, channel.length, found);
    expect(count).toBe(found.length);
    expect(found.map((pattern) => pattern.name)).toEqual(model.filter((name) => matches(name, channel)));
    expect(index.size).toBe(model.length);
  }
  for (const name of model) index.remove(index.find(name) as Pattern<number>);
  index.check();
  expect(index.size).toBe(0);
});

test("a publish looks at no pattern whose beginning differs", () => {
  const index = new PatternIndex<number>();
  let looks = 0;
  for (let i = 0; i < 10_000; i++) {
    const pattern = index.add(`channel:${i}:*`);
    const real = pattern.matchesAfterPrefix.bind(pattern);
    pattern.matchesAfterPrefix = (...args) => {
      looks++;
      return real(...args);
    };
  }
  const name = latin1Bytes("channel:4711:x");
  const found: Pattern<number>[] = [];
  expect(index.match(name, 0, name.length, found)).toBe(1);
  expect(found[0].name).toBe("channel:4711:*");
  expect(looks).toBe(1);
});

seededTest("the channel table is a map from bytes", (prng) => {
  const table = new ChannelTable<number>(prng.uint32() | 0, prng.uint32() | 0);
  const model = new Set<string>();
  for (let step = 0; step < 20_000; step++) {
    const name = `c${prng.below(step < 10_000 ? 3000 : 60)}`;
    const bytes = latin1Bytes(`--${name}`);
    const channel = table.find(bytes, 2, name.length);
    expect(channel?.name).toBe(model.has(name) ? name : undefined);
    if (channel === null) {
      table.add(latin1Bytes(name), name);
      model.add(name);
    } else if (prng.below(2) === 0) {
      table.remove(channel);
      model.delete(name);
    }
    expect(table.size).toBe(model.size);
  }
  expect([...table].map((channel) => channel.name).sort()).toEqual([...model].sort());
  for (const channel of [...table]) table.remove(channel);
  expect([...table]).toEqual([]);
});

seededTest("the heap gives out the earliest, then in order, whatever was taken out of its middle", (prng) => {
  const heap = new DeadlineHeap<Deadlined>();
  let model: Deadlined[] = [];
  const earliest = () => model.toSorted((a, b) => a.deadlineMs - b.deadlineMs || a.order - b.order)[0] ?? null;
  for (let step = 0; step < 3000; step++) {
    const action = prng.below(10);
    if (action < 5 || model.length === 0) {
      const item = { deadlineMs: prng.below(50), order: step, heapIndex: -1 };
      heap.add(item);
      model.push(item);
    } else {
      const item = action < 8 ? model[prng.below(model.length)] : (heap.first as Deadlined);
      heap.remove(item);
      expect(item.heapIndex).toBe(-1);
      heap.remove(item);
      model = model.filter((other) => other !== item);
    }
    expect(heap.size).toBe(model.length);
    expect(heap.first).toBe(earliest());
  }
});

seededTest("the key filter misses no key and forgets those that are removed", (prng) => {
  const filter = new KeyFilter();
  const keys = Array.from({ length: 500 }, () => latin1Bytes(randomText(prng, "abc\x00\xff", 12)));
  for (const [i, key] of keys.entries()) filter.add(i % 3, key, 0, key.length);
  for (const [i, key] of keys.entries()) {
    const moved = latin1Bytes(`....${String.fromCharCode(...key)}`);
    expect(filter.mayHave(i % 3, moved, 4, key.length)).toBe(true);
  }
  for (const [i, key] of keys.entries()) filter.remove(i % 3, key, 0, key.length);
  for (const [i, key] of keys.entries()) expect(filter.mayHave(i % 3, key, 0, key.length)).toBe(false);
});
