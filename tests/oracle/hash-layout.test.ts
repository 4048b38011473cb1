// Small hashes are kept in the bytes in which redis-server keeps them: its DUMP of a hash holds the listpack as it is.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { blobAt, blobBuffer } from "../../src/arena/blob.ts";
import { Prng } from "../../src/base/prng.ts";
import { listpackBytes, listpackCheck } from "../../src/struct/listpack/listpack.ts";
import { hashListpack } from "../../src/types/hash/hash-listpack.ts";
import { testSeed } from "../base/seeded.ts";
import { testServer } from "../support/engine.ts";
import { describeOracle, startOracle } from "../support/oracle.ts";
import type { RunningServer } from "../support/process.ts";

/** Type byte of a hash in a listpack in a dump. */
const HASH_LISTPACK = 16;

/** The string that follows the type byte of a dump. */
function firstString(dump: Buffer): Buffer {
  const first = dump[1]!;
  if (first < 0x40) return dump.subarray(2, 2 + first);
  if (first < 0x80) return dump.subarray(3, 3 + ((first & 63) * 256 + dump[2]!));
  if (first !== 0x80) throw new Error(`length byte ${first}`);
  return dump.subarray(6, 6 + dump.readUInt32BE(2));
}

function randomElement(random: Prng): string {
  switch (random.below(5)) {
    case 0:
      return String(random.below(300) - 150);
    case 1:
      return String((BigInt(random.below(2 ** 53)) >> BigInt(random.below(53))) - BigInt(random.below(9)));
    case 2: {
      const edge = 2n ** BigInt([7, 12, 15, 23, 31, 63][random.below(6)]!);
      return String(edge - BigInt(random.below(3)));
    }
    default:
      return String.fromCharCode(
        ...Array.from({ length: random.below(random.below(4) === 0 ? 300 : 20) }, () => random.below(256)),
      );
  }
}

describeOracle("listpacks of hashes", () => {
  let theirs: RunningServer;
  beforeAll(async () => {
    theirs = await startOracle([
      "--rdbcompression",
      "no",
      "--hash-max-listpack-value",
      "100000",
      "--hash-max-listpack-entries",
      "512",
    ]);
  });
  afterAll(async () => {
    await theirs?.stop();
  });

  test("are the same bytes after the same commands", async () => {
    const seed = testSeed();
    const random = new Prng(seed);
    const client = await theirs.connect();
    const server = testServer();
    const ours = server.connect();
    ours.line("CONFIG SET hash-max-listpack-value 100000 hash-max-listpack-entries 512");
    const latin1 = (text: string) => Uint8Array.from(Buffer.from(text, "latin1"));
    for (let i = 0; i < 400; i++) {
      const field = random.below(2) === 0 ? `f${random.below(30)}` : randomElement(random);
      const value = random.below(40) === 0 ? "v".repeat(4000 + random.below(20_000)) : randomElement(random);
      const args = random.below(3) === 0 ? ["HDEL", "h", field] : ["HSET", "h", field, value];
      await client.call(...args);
      ours.raw(...args.map(latin1));
      if (i % 10 !== 0) continue;
      const { arena, databases } = server.engine.keyspace;
      const e = databases[0]!.find(latin1("h"), 0, 1);
      const reply = await client.call("DUMP", "h");
      if (e === 0) {
        expect(reply).toBeNull();
        continue;
      }
      const dump = Buffer.from(String(reply), "latin1");
      expect(dump[0]).toBe(HASH_LISTPACK);
      const lp = hashListpack(arena, e);
      listpackCheck(arena, lp);
      const at = blobAt(arena, lp);
      const bytes = Buffer.from(blobBuffer(arena, lp).subarray(at, at + listpackBytes(arena, lp)));
      if (!bytes.equals(firstString(dump))) throw new Error(`seed ${seed}, command ${i}: other bytes`);
    }
    client.close();
  });
});
