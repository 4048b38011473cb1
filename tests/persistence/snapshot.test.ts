// The walk that makes a snapshot: whatever happens to keys meanwhile, it sees all of them as they were, each once.

import { describe, expect, test } from "bun:test";
import { Prng } from "../../src/base/prng.ts";
import { ExpireCycle } from "../../src/keyspace/expire-cycle.ts";
import { Snapshot } from "../../src/persistence/snapshot.ts";
import { entryPhase } from "../../src/types/entry.ts";
import { testSeed } from "../base/seeded.ts";
import { Draw } from "../oracle/draw.ts";
import type { Generator } from "../oracle/generator.ts";
import { generator as bitmap } from "../oracle/generators/bitmap.ts";
import { generator as generic } from "../oracle/generators/generic.ts";
import { generator as geo } from "../oracle/generators/geo.ts";
import { generator as hash } from "../oracle/generators/hash.ts";
import { generator as hyperloglog } from "../oracle/generators/hyperloglog.ts";
import { generator as list } from "../oracle/generators/list.ts";
import { generator as server } from "../oracle/generators/server.ts";
import { generator as set } from "../oracle/generators/set.ts";
import { generator as sort } from "../oracle/generators/sort.ts";
import { generator as stream } from "../oracle/generators/stream.ts";
import { generator as strings } from "../oracle/generators/strings.ts";
import { generator as transactions } from "../oracle/generators/transactions.ts";
import { generator as zset } from "../oracle/generators/zset.ts";
import { type TestClient, type TestServer, testServer } from "../support/engine.ts";
import { formatReply } from "../support/transcript-reply.ts";
import { DigestFormat, pictureOf } from "./digest-format.ts";

const FAMILIES: readonly Generator[] = [
  bitmap,
  generic,
  geo,
  hash,
  hyperloglog,
  list,
  server,
  set,
  sort,
  stream,
  strings,
  transactions,
  zset,
];

/** Keys in each database beside those that the families use. */
const BULK_KEYS = 60;

/** Random commands of all families, each on a connection and mostly in a database of its own. */
class Traffic {
  readonly #server: TestServer;
  readonly #prng: Prng;
  readonly #draw: Draw;
  readonly #clients: TestClient[];
  readonly #cycle: ExpireCycle;

  constructor(server: TestServer, prng: Prng) {
    this.#server = server;
    this.#cycle = new ExpireCycle(server.engine.keyspace, server.clock);
    server.connect().send("CONFIG", "SET", "maxmemory-policy", "allkeys-random");
    this.#prng = prng;
    this.#draw = new Draw(prng);
    this.#clients = FAMILIES.map((_, id) => {
      const client = server.connect();
      client.send("SELECT", id);
      return client;
    });
  }

  #command(i: number): readonly string[] {
    const id = this.#prng.below(FAMILIES.length);
    switch (this.#prng.below(300)) {
      case 0:
        return ["FLUSHDB", this.#prng.below(2) === 0 ? "SYNC" : "ASYNC"];
      case 1:
        return ["SWAPDB", String(id), String(this.#prng.below(FAMILIES.length))];
      case 2:
        return ["SELECT", String(id)];
      case 3:
        return ["DEBUG", "POPULATE", String(BULK_KEYS), "bulk"];
      default: {
        if (this.#prng.below(2) === 0) return this.#bulkCommand();
        const step = FAMILIES[i].draw(this.#draw);
        return "args" in step ? step.args : step;
      }
    }
  }

  /** Something about one of many keys, so that tables grow, shrink and are in the middle of that. */
  #bulkCommand(): readonly string[] {
    const key = `bulk:${this.#prng.below(BULK_KEYS)}`;
    const other = `bulk:${this.#prng.below(BULK_KEYS)}`;
    const hash = `hash:${this.#prng.below(40)}`;
    switch (this.#prng.below(12)) {
      case 0:
        return ["DEL", key, other];
      case 1:
        return ["PEXPIRE", key, String(this.#prng.below(300))];
      case 2:
        return ["RENAME", key, other];
      case 3:
        return ["MOVE", key, String(this.#prng.below(FAMILIES.length))];
      case 4:
        return ["COPY", key, other, "DB", String(this.#prng.below(FAMILIES.length)), "REPLACE"];
      case 5:
        return ["APPEND", key, "more"];
      case 6:
        return ["PERSIST", key];
      case 7:
        return ["HSET", hash, `f${this.#prng.below(5)}`, key];
      case 8:
        return ["HPEXPIRE", hash, String(this.#prng.below(2000)), "FIELDS", "1", `f${this.#prng.below(5)}`];
      case 9:
        return ["HRANDFIELD", hash];
      case 10:
        return ["GET", key];
      default:
        return ["SET", key, String(this.#prng.below(1000))];
    }
  }

  populate(): void {
    for (const client of this.#clients) client.send("DEBUG", "POPULATE", BULK_KEYS, "bulk");
  }

  /** Memory is short for a moment, and some keys go. */
  #evict(): void {
    const { memory } = this.#server.engine;
    const client = this.#server.connect();
    client.send("CONFIG", "SET", "maxmemory", memory.usedBytes - 2000);
    memory.evict();
    client.send("CONFIG", "SET", "maxmemory", 0);
    client.close();
  }

  run(count: number): void {
    for (let n = 0; n < count; n++) {
      const i = this.#prng.below(FAMILIES.length);
      const args = this.#command(i);
      const client = this.#clients[i];
      if (/^FLUSH/i.test(args[0] ?? "") && this.#prng.below(10) > 0) continue;
      // A client that waits, or that was told to go, is no use any more.
      if (/^(SHUTDOWN|QUIT|CLIENT|MONITOR|SUBSCRIBE|PSUBSCRIBE|SSUBSCRIBE|CONFIG)$/i.test(args[0] ?? "")) continue;
      if (client.closed || client.client.halted !== 0) {
        client.close();
        this.#clients[i] = this.#server.connect();
        this.#clients[i].send("SELECT", this.#prng.below(FAMILIES.length));
        continue;
      }
      if (args.length > 0) client.raw(...args.map((arg) => Buffer.from(arg, "latin1")));
      if (this.#prng.below(8) === 0) this.#server.advance(this.#prng.below(200));
      if (this.#prng.below(50) === 0) this.#cycle.run(1000);
      if (this.#prng.below(400) === 0) this.#evict();
    }
  }
}

function phasesAgree(server: TestServer): boolean {
  const { keyspace } = server.engine;
  for (const db of keyspace.databases) {
    for (let tries = 0; tries < 50 && db.size > 0; tries++)
      if (entryPhase(keyspace.arena, db.random()) !== keyspace.phase) return false;
  }
  return true;
}

/** Replies that came outside of a client's own turn, as text. */
function pushed(client: TestClient): string[] {
  return client.pushed().map((reply) => formatReply(reply));
}

describe("a client that changes a large value meanwhile", () => {
  /** A server whose database 0 has a hash too large to be saved at once, and a snapshot that takes a step at a time. */
  function subject() {
    const server = testServer();
    const [writer, other] = [server.connect(), server.connect()];
    for (let i = 0; i < 700; i++) writer.send("HSET", "large", `field${i}`, "old");
    writer.send("SET", "small", "old");
    const snapshot = new Snapshot(server.engine);
    const before = pictureOf(server.engine.keyspace);
    const format = new DigestFormat(server.engine.keyspace.arena, () => 5);
    snapshot.start(format, format);
    /** Goes on until a client's command that was postponed has run; the number of slices. */
    const settle = (client: TestClient): number => {
      let slices = 0;
      for (; client.client.halted !== 0 && slices < 100; slices++) {
        snapshot.runSlice(-1);
        other.send("PING");
      }
      return slices;
    };
    return { server, writer, other, snapshot, before, format, settle };
  }

  test("waits, and others do not", () => {
    const { writer, other, snapshot, before, format, settle } = subject();
    expect(writer.raw("HSET", "large", "field1", "new")).toHaveLength(0);
    expect(writer.client.halted).not.toBe(0);
    expect(other.line("HGET large field1")).toBe("old");
    expect(other.line("SET small new")).toBe("OK");
    expect(settle(writer)).toBeGreaterThan(3);
    expect(pushed(writer)).toEqual(["(integer) 0"]);
    expect(other.line("HGET large field1")).toBe("new");
    while (snapshot.isRunning) snapshot.runSlice(-1);
    expect(format.picture).toEqual(before);
  });

  test("waits with its transaction", () => {
    const { writer, other, settle } = subject();
    writer.send("MULTI");
    writer.send("SET", "small", "new");
    writer.send("HDEL", "large", "field1");
    expect(writer.raw("EXEC")).toHaveLength(0);
    expect(other.line("GET small")).toBe("old");
    settle(writer);
    expect(pushed(writer)).toEqual(["1) OK\n2) (integer) 1"]);
  });

  test("goes on when the snapshot is broken off, and may go away", () => {
    const { server, writer, other, snapshot } = subject();
    const gone = server.connect();
    writer.raw("DEL", "large");
    gone.raw("DEL", "large");
    gone.close();
    snapshot.abort();
    other.send("PING");
    expect(pushed(writer)).toEqual(["(integer) 1"]);
    expect(pushed(gone)).toEqual([]);
  });

  test("goes on when the database was emptied", () => {
    const { writer, other, snapshot, before, format, settle } = subject();
    writer.raw("HSET", "large", "field1", "new");
    other.send("FLUSHDB");
    settle(writer);
    expect(pushed(writer)).toEqual(["(integer) 1"]);
    while (snapshot.isRunning) snapshot.runSlice(-1);
    expect(format.picture).toEqual(before);
  });

  test("does not wait once the value is saved", () => {
    const { writer, snapshot } = subject();
    while (snapshot.isRunning) snapshot.runSlice(-1);
    expect(writer.line("HSET large field1 new")).toBe("(integer) 0");
  });
});

describe("random traffic during snapshots", () => {
  for (let round = 0; round < 6; round++) {
    test(`round ${round}`, () => {
      const seed = testSeed() + round;
      const prng = new Prng(seed);
      const server_ = testServer({ seed });
      const snapshot = new Snapshot(server_.engine);
      const traffic = new Traffic(server_, prng);
      traffic.run(1000);
      for (let repeat = 0; repeat < 4; repeat++) {
        traffic.populate();
        traffic.run(300);
        const before = pictureOf(server_.engine.keyspace);
        const format = new DigestFormat(server_.engine.keyspace.arena, () => 1 + prng.below(3));
        snapshot.start(format, format);
        const aborted = prng.below(4) === 0;
        for (let slices = 0; snapshot.isRunning; slices++) {
          traffic.run(prng.below(30));
          if (aborted && slices === 3) {
            snapshot.abort();
            break;
          }
          // Only as much as a bucket and a step at a time: the time is up at once.
          snapshot.runSlice(-1);
        }
        if (aborted) {
          expect(format.state).toBe("open");
          traffic.run(100);
          while (!snapshot.isReady) snapshot.runSlice(-1);
        } else {
          expect(format.state).toBe("finished");
          expect([...format.picture].sort()).toEqual([...before].sort());
        }
        expect({ seed, phases: phasesAgree(server_) }).toEqual({ seed, phases: true });
      }
    });
  }
});
