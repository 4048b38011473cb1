// Rehearsals of snapshots: they leave no trace in the data set, and none in the snapshots that follow.

import { expect, test } from "bun:test";
import { Prng } from "../../src/base/prng.ts";
import { Rehearsal } from "../../src/persistence/rdb/rehearsal.ts";
import { Snapshot } from "../../src/persistence/snapshot/snapshot.ts";
import { testSeed } from "../base/seeded.ts";
import { type TestServer, testServer } from "../support/engine.ts";
import { fullPicture, loadRdb, MemorySink, rdbFormat } from "./rdb-support.ts";
import { Traffic } from "./traffic.ts";

interface Subject {
  readonly server: TestServer;
  readonly traffic: Traffic;
  readonly snapshot: Snapshot;
  readonly rehearsal: Rehearsal;
}

/** A server with keys of all kinds, in several databases. */
function subject(seed: number): Subject {
  const server = testServer({ seed, personality: "valkey" });
  const traffic = new Traffic(server, new Prng(seed));
  traffic.run(1500);
  traffic.populate();
  const snapshot = new Snapshot(server.engine);
  return { server, traffic, snapshot, rehearsal: new Rehearsal(server.engine, snapshot) };
}

/** What is counted of memory and of work. */
function accounts({ engine }: TestServer): readonly unknown[] {
  const { keyspace, dirty, stats } = engine;
  const { arena, phase, lazyFree, expiredKeys, hits, misses } = keyspace;
  arena.check();
  return [
    arena.usedBytes,
    keyspace.retainedBytes,
    phase,
    keyspace.snapshot,
    lazyFree.idle,
    lazyFree.freedObjects,
    [expiredKeys, hits, misses, dirty, stats.commandsProcessed],
  ];
}

test("a rehearsal changes nothing", () => {
  const { server, rehearsal } = subject(testSeed());
  const picture = fullPicture(server.engine);
  const before = accounts(server);
  const left = rehearsal.keysLeft;
  for (let round = 0; round < 300; round++) rehearsal.round();
  expect(rehearsal.keysLeft).toBeLessThan(left - 300);
  expect(accounts(server)).toEqual(before);
  expect(fullPicture(server.engine)).toEqual(picture);
});

test("snapshots between commands and rehearsals are exact", () => {
  const seed = testSeed() + 1;
  const { server, traffic, snapshot, rehearsal } = subject(seed);
  for (let round = 0; round < 200; round++) {
    traffic.run(5);
    rehearsal.round();
  }
  for (let repeat = 0; repeat < 2; repeat++) {
    const before = fullPicture(server.engine);
    const sink = new MemorySink();
    snapshot.start(rdbFormat(server.engine, sink, { inSlices: true }), sink);
    while (snapshot.isRunning) {
      traffic.run(5);
      rehearsal.round();
      snapshot.runSlice(-1);
    }
    const other = testServer({ seed, personality: "valkey" });
    expect(loadRdb(other.engine, sink.bytes).state).toBe("done");
    expect({ seed, picture: [...fullPicture(other.engine)].sort() }).toEqual({ seed, picture: [...before].sort() });
  }
});

test("a real snapshot ends the rehearsal", () => {
  const { server, snapshot, rehearsal } = subject(testSeed() + 2);
  rehearsal.round();
  expect(rehearsal.keysLeft).toBeGreaterThan(0);
  const sink = new MemorySink();
  snapshot.start(rdbFormat(server.engine, sink), sink);
  rehearsal.round();
  expect(rehearsal.keysLeft).toBe(0);
  while (snapshot.isRunning) snapshot.runSlice(-1);
  expect(sink.finished).toBe(true);
});

test("a data set of few keys needs none", () => {
  const { rehearsal } = subject(testSeed() + 3);
  const left = rehearsal.keysLeft;
  rehearsal.tend();
  expect(rehearsal.keysLeft).toBe(left);
});
