// Values that are read together with their keys: files that come in pieces of any size, and small sets as versions of before listpacks wrote them.

import { expect, test } from "bun:test";
import type { Prng } from "../../src/base/prng.ts";
import { RdbStreamLoad } from "../../src/persistence/rdb/rdb-stream-load.ts";
import { RdbType } from "../../src/rdb/format.ts";
import { seededTest } from "../base/seeded.ts";
import { fullPicture, loadRdb, rdbBytes } from "../persistence/rdb-support.ts";
import { Traffic } from "../persistence/traffic.ts";
import { type TestServer, testServer } from "../support/engine.ts";
import { keyOf, length, rdbFile, text } from "./old-formats.ts";
import { keyspaceCheck } from "./value-check.ts";

/** Loads a file that comes in pieces; how it ended. */
function loadInPieces({ engine }: TestServer, bytes: Buffer, size: () => number): string {
  const load = new RdbStreamLoad(engine, { databases: engine.keyspace.databases, onAux: () => {} });
  for (let at = 0; ; ) {
    const state = String(load.step(Number.POSITIVE_INFINITY));
    if (state === "failed") load.discard();
    if (state === "done" || state === "failed") return state;
    if (state !== "starved") continue;
    if (at === bytes.length) return "starved";
    const end = Math.min(at + size(), bytes.length);
    load.feed(bytes.subarray(at, end));
    at = end;
  }
}

/** A file with sets under the keys s0, s1 and so on, as [number of members], [member] ... */
function fileOfSets(...sets: readonly (readonly string[])[]): Buffer {
  const values = sets.map((members) =>
    Buffer.concat([length(members.length), ...members.map((member) => text(member))]),
  );
  return rdbFile(
    10,
    values.map((value, i) => keyOf(RdbType.Set, `s${i}`, value)),
  );
}

seededTest("a file that comes in pieces is the data set that it is as a whole", (random: Prng) => {
  const server = testServer({ seed: 7, personality: "valkey" });
  const traffic = new Traffic(server, random);
  traffic.populate();
  traffic.run(500);
  server.connect().line(`SET compressed ${"abc".repeat(100)} PX 100000`);
  const bytes = rdbBytes(server.engine);
  for (const most of [1, 7, 100, 5000]) {
    const other = testServer({ seed: 8, personality: "valkey" });
    expect(loadInPieces(other, bytes, () => 1 + random.below(most))).toBe("done");
    expect(fullPicture(other.engine)).toEqual(fullPicture(server.engine));
    keyspaceCheck(other.engine.keyspace);
  }
});

test("small sets get the encoding that their members ask for, in pieces, too", () => {
  const long = "x".repeat(65);
  const sets = [
    { members: ["a"], encoding: "listpack" },
    { members: ["a", "1", "-70000", "b".repeat(64), ""], encoding: "listpack" },
    { members: ["1", "2", "3"], encoding: "intset" },
    { members: ["1", "2", "b"], encoding: "listpack" },
    { members: ["a", long], encoding: "hashtable" },
    { members: [long, "a"], encoding: "hashtable" },
    { members: Array.from({ length: 128 }, (_, i) => `m${i}`), encoding: "listpack" },
    { members: Array.from({ length: 129 }, (_, i) => `m${i}`), encoding: "hashtable" },
    { members: Array.from({ length: 513 }, (_, i) => `${i}`), encoding: "hashtable" },
  ];
  const bytes = fileOfSets(...sets.map(({ members }) => members));
  for (const size of [1, 3, 64, bytes.length]) {
    const server = testServer();
    expect(loadInPieces(server, bytes, () => size)).toBe("done");
    const client = server.connect();
    for (const [i, { members, encoding }] of sets.entries()) {
      expect(client.line(`OBJECT ENCODING s${i}`), `s${i}`).toBe(encoding);
      expect(client.line(`SCARD s${i}`)).toBe(`(integer) ${members.length}`);
      for (const member of members)
        expect(client.send("SISMEMBER", `s${i}`, member)).toEqual(client.send("SISMEMBER", "s0", "a"));
    }
    keyspaceCheck(server.engine.keyspace);
  }
});

test("a set that says a member twice is refused, and nothing of it is left over", () => {
  for (const members of [
    ["a", "a"],
    ["a", "1", "b", "1"],
    ["1", "1"],
    ["a", "b", "x".repeat(65), "b"],
  ]) {
    const server = testServer();
    server.engine.keyspace.open();
    const before = server.engine.keyspace.arena.usedBytes;
    expect(loadRdb(server.engine, fileOfSets(members)).state).toBe("failed");
    expect(server.engine.keyspace.arena.usedBytes).toBe(before);
  }
});
