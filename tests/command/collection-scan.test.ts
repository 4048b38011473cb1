// SSCAN, HSCAN and ZSCAN: an element that is there during the whole scan is returned, whatever happens to others meanwhile, and nothing is returned that
// never was there. Sets, hashes and sorted sets grow, shrink, and change their encoding under the scan.

import { expect, setDefaultTimeout } from "bun:test";
import type { Prng } from "../../src/base/prng.ts";
import { seededTest } from "../base/seeded.ts";
import { type TestClient, testServer } from "../support/engine.ts";

// An arena that needs its first large segment may wait for seconds until the system has cleared it.
setDefaultTimeout(60_000);

/** Elements added or removed with one command. */
const BATCH = 200;

interface Kind {
  readonly scan: string;
  /** A returned element is followed by its value or score. */
  readonly isPairs: boolean;
  readonly valueOption: readonly string[];
  add(client: TestClient, names: readonly string[]): void;
  remove(client: TestClient, names: readonly string[]): void;
}

const KINDS: readonly Kind[] = [
  {
    scan: "SSCAN",
    isPairs: false,
    valueOption: [],
    add: (client, names) => client.raw("SADD", "k", ...names),
    remove: (client, names) => client.raw("SREM", "k", ...names),
  },
  {
    scan: "HSCAN",
    isPairs: true,
    valueOption: [],
    add: (client, names) => client.raw("HSET", "k", ...names.flatMap((name) => [name, `value of ${name}`])),
    remove: (client, names) => client.raw("HDEL", "k", ...names),
  },
  {
    scan: "HSCAN",
    isPairs: false,
    valueOption: ["NOVALUES"],
    add: (client, names) => client.raw("HSET", "k", ...names.flatMap((name) => [name, "v"])),
    remove: (client, names) => client.raw("HDEL", "k", ...names),
  },
  {
    scan: "ZSCAN",
    isPairs: true,
    valueOption: [],
    add: (client, names) => client.raw("ZADD", "k", ...names.flatMap((name, i) => [String(i % 7), name])),
    remove: (client, names) => client.raw("ZREM", "k", ...names),
  },
];

/** Runs one step of a scan; appends what it returns. Returns the next cursor. */
function scanStep(client: TestClient, kind: Kind, cursor: string, count: number, seen: string[]): string {
  const reply = client.send(kind.scan, "k", cursor, "COUNT", count, ...kind.valueOption);
  if (reply.kind !== "array" || reply.items[0]?.kind !== "bulk" || reply.items[1]?.kind !== "array")
    throw new Error(`${kind.scan} answered ${JSON.stringify(reply)}`);
  const texts = reply.items[1].items.map((item) => (item.kind === "bulk" ? item.text : JSON.stringify(item)));
  for (let i = 0; i < texts.length; i += kind.isPairs ? 2 : 1) seen.push(texts[i]!);
  return reply.items[0].text;
}

/** Names of a kind, numbered. */
function names(kind: string, from: number, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${kind}:${from + i}`);
}

class Play {
  readonly random: Prng;
  readonly kind: Kind;
  readonly client: TestClient;
  /** All transient elements that ever were there, and those that are there now. */
  readonly ever = new Set<string>();
  present: string[] = [];
  #next = 0;

  constructor(random: Prng, kind: Kind) {
    this.random = random;
    this.kind = kind;
    this.client = testServer({ seed: random.uint32() }).connect();
  }

  grow(count: number): void {
    for (let left = count; left > 0; left -= BATCH) {
      const added = names("transient", this.#next, Math.min(BATCH, left));
      this.#next += added.length;
      for (const name of added) this.ever.add(name);
      this.present.push(...added);
      this.kind.add(this.client, added);
    }
  }

  shrink(count: number): void {
    for (let left = Math.min(count, this.present.length); left > 0; left -= BATCH)
      this.kind.remove(this.client, this.present.splice(0, Math.min(BATCH, left)));
  }

  /** Scans while `meanwhile` changes things after each step; checks what came. Returns how many elements came. */
  scan(permanent: readonly string[], meanwhile: () => void): number {
    const seen: string[] = [];
    let cursor = "0";
    let steps = 0;
    do {
      cursor = scanStep(this.client, this.kind, cursor, 1 + this.random.below(60), seen);
      meanwhile();
      expect(++steps, "the scan comes to an end").toBeLessThan(100_000);
    } while (cursor !== "0");
    const set = new Set(seen);
    expect(permanent.filter((name) => !set.has(name))).toEqual([]);
    const known = new Set(permanent);
    expect(seen.filter((name) => !known.has(name) && !this.ever.has(name))).toEqual([]);
    return seen.length;
  }
}

for (const kind of KINDS) {
  const title = [kind.scan, ...kind.valueOption].join(" ");

  seededTest(`${title}: without changes every element comes once`, (random) => {
    for (const count of [1, 100, 3000]) {
      const play = new Play(random, kind);
      const permanent = names("permanent", 0, count);
      for (let i = 0; i < count; i += BATCH) kind.add(play.client, permanent.slice(i, i + BATCH));
      // A table that is being resized is settled by then.
      play.scan(permanent, () => {});
      expect(play.scan(permanent, () => {})).toBe(count);
    }
  });

  seededTest(`${title}: what is there all the time comes, while others make it grow and shrink`, (random) => {
    for (const [count, before, change] of [
      [50, 0, 1000],
      [300, 0, 3000],
      [300, 8000, -3000],
      [20, 5000, -6000],
      [100, 500, 0],
    ] as const) {
      const play = new Play(random, kind);
      const permanent = names("permanent", 0, count);
      kind.add(play.client, permanent.slice(0, count / 2));
      play.grow(before);
      kind.add(play.client, permanent.slice(count / 2));
      play.scan(permanent, () => {
        if (random.below(4) === 0) return;
        const size = random.below(Math.abs(change) / 4 + 40);
        if (change > 0 && play.present.length < 20_000) play.grow(size);
        else if (change < 0) play.shrink(size);
        else if (random.below(2) === 0) play.grow(size);
        else play.shrink(size);
      });
    }
  });
}
