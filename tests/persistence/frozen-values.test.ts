// Large values that change while a snapshot writes them: it sees each as it was, whatever the command and wherever the walk is.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GRANULE_MASK, SEGMENT_SHIFT } from "../../src/arena/arena.ts";
import { Prng } from "../../src/base/prng.ts";
import { CommandFormat } from "../../src/persistence/aof/command-format.ts";
import { Snapshot, type SnapshotFormat } from "../../src/persistence/snapshot.ts";
import { dictScan, RefList } from "../../src/struct/dict.ts";
import { FROZEN, PAUSES } from "../../src/struct/dict-bucket.ts";
import { dictCheck } from "../../src/struct/dict-check.ts";
import { valueType } from "../../src/types/value.ts";
import { testSeed } from "../base/seeded.ts";
import { type TestServer, testServer } from "../support/engine.ts";
import { loadCommands } from "./aof-support.ts";
import { exactPicture, KINDS, type Kind, LargeTraffic } from "./large-traffic.ts";
import { loadRdb, MemorySink, rdbFormat } from "./rdb-support.ts";

/** Lets a format's main lane write but a few elements at a time, so that slices end anywhere in a value. */
function cutFine(format: SnapshotFormat, prng: Prng): SnapshotFormat {
  const { main } = format;
  const step = main.step.bind(main);
  main.step = (budget) => step(budget === Number.POSITIVE_INFINITY ? budget : 1 + prng.below(20));
  return format;
}

/** Throws unless all dicts of values are whole, and as they are without a snapshot. */
function checkDicts(server: TestServer): void {
  const { arena, databases } = server.engine.keyspace;
  const list = new RefList();
  for (const db of databases)
    for (let cursor = dictScan(arena, db.dict, 0, list); cursor !== 0; )
      cursor = dictScan(arena, db.dict, cursor, list);
  for (let i = 0; i < list.count; i++) {
    const dict = valueType(arena, list.refs[i]).dict?.(arena, list.refs[i]) ?? 0;
    if (dict === 0) continue;
    dictCheck(arena, dict);
    const h = (dict & GRANULE_MASK) << 1;
    const w = arena.i32[dict >>> SEGMENT_SHIFT];
    expect([w[h + FROZEN], w[h + PAUSES]]).toEqual([0, 0]);
  }
}

/** What empty indexes of times take at most, together. */
const INDEX_BYTES = 600;

/** Deletes all keys, one by one, so that whatever nobody frees is left over. */
function deleteAll(server: TestServer): void {
  const { databases, lazyFree } = server.engine.keyspace;
  for (const db of databases) {
    for (let e = db.random(); e !== 0; e = db.random()) db.remove(e, db.hashOf(e));
    while (db.rehash(1000));
  }
  while (!lazyFree.step(1000));
}

let folder = "";
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "redis-ts-frozen-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Output = "snapshot" | "commands";

/** One snapshot under traffic, compared with what was there when it began; or broken off. */
function round(server: TestServer, traffic: LargeTraffic, prng: Prng, output: Output): void {
  const { engine } = server;
  const snapshot = new Snapshot(engine);
  const before = exactPicture(engine.keyspace);
  const sink = new MemorySink();
  const format =
    output === "snapshot"
      ? rdbFormat(engine, sink, { inSlices: true })
      : new CommandFormat(engine.keyspace.arena, sink, "");
  const breaksOffAt = prng.below(5) === 0 ? prng.below(60) : -1;
  const changes = 1 + prng.below(12);
  snapshot.start(cutFine(format, prng), sink);
  for (let slices = 0; snapshot.isRunning; slices++) {
    traffic.run(prng.below(changes));
    if (slices === breaksOffAt) snapshot.abort();
    else snapshot.runSlice(-1);
  }
  while (!snapshot.isReady) snapshot.runSlice(-1);
  expect(engine.keyspace.retainedBytes).toBe(0);
  checkDicts(server);
  if (!sink.finished) return;
  const other = testServer({ personality: "valkey" });
  if (output === "snapshot") expect(loadRdb(other.engine, sink.bytes).state).toBe("done");
  else expect(loadCommands(other.engine, folder, sink.bytes).outcome).toBe("loaded");
  expect([...exactPicture(other.engine.keyspace)].sort()).toEqual([...before].sort());
}

const ROUNDS: readonly (readonly Kind[])[] = [...KINDS.map((kind) => [kind]), KINDS];
for (const output of ["snapshot", "commands"] as const) {
  describe(`random changes, as ${output}`, () => {
    for (const kinds of ROUNDS) {
      test(kinds.join(" "), () => {
        const seed = testSeed();
        const prng = new Prng(seed);
        const server = testServer({ seed, personality: "valkey" });
        const traffic = new LargeTraffic(server, prng, kinds);
        for (let repeat = 0; repeat < 4; repeat++) {
          traffic.populate();
          traffic.run(50);
          round(server, traffic, prng, output);
        }
        deleteAll(server);
        const spare = server.engine.keyspace.arena.usedBytes - testServer().engine.keyspace.arena.usedBytes;
        expect(spare).toBeLessThan(INDEX_BYTES);
      }, 60_000);
    }
  });
}
