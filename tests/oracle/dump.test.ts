// DUMP answers the bytes of redis-server's DUMP, and payloads go from one to the other and back as they are.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { Prng } from "../../src/base/prng.ts";
import { testSeed } from "../base/seeded.ts";
import { SAMPLE_TYPES, sampleValue } from "../rdb/values.ts";
import type { RespClient } from "../support/client.ts";
import { type TestClient, testServer } from "../support/engine.ts";
import { describeOracle, startOracle } from "../support/oracle.ts";
import type { RunningServer } from "../support/process.ts";

const latin = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "latin1"));

/** The bytes of a bulk reply. */
function bulkOf(reply: Uint8Array): Buffer {
  const text = Buffer.from(reply).toString("latin1");
  const begin = text.indexOf("\r\n") + 2;
  if (!text.startsWith("$")) throw new Error(`no bulk: ${text.slice(0, 100)}`);
  return Buffer.from(text.slice(begin, -2), "latin1");
}

/** Where two payloads differ, or "". */
function difference(a: Buffer, b: Buffer): string {
  if (a.equals(b)) return "";
  let at = 0;
  while (a[at] === b[at]) at++;
  const part = (bytes: Buffer): string => bytes.toString("latin1", Math.max(0, at - 20), at + 60);
  return `${a.length} and ${b.length} bytes, from ${at} on: ${JSON.stringify(part(a))} ${JSON.stringify(part(b))}`;
}

describeOracle("DUMP and RESTORE", () => {
  let server: RunningServer;
  let theirs: RespClient;
  let ours: TestClient;
  beforeAll(async () => {
    server = await startOracle(["--enable-debug-command", "yes", "--list-compress-depth", "1"]);
    theirs = await server.connect();
    const own = testServer();
    expect(own.engine.config.loadText("enable-debug-command yes\nlist-compress-depth 1\n")).toBeNull();
    ours = own.connect();
  });
  afterAll(async () => {
    await server?.stop();
  });

  const dumpTheirs = async (key: string): Promise<Buffer> =>
    Buffer.from(String(await theirs.must("DUMP", latin(key))), "latin1");
  const dumpOurs = (key: string): Buffer => bulkOf(ours.raw("DUMP", latin(key)));
  const rawOurs = (...args: (string | number | Uint8Array)[]): string =>
    Buffer.from(ours.raw(...args)).toString("latin1");

  test("of values of every type and encoding", async () => {
    const seed = testSeed();
    const random = new Prng(seed);
    for (let round = 0; round < 60; round++) {
      const type = round % SAMPLE_TYPES;
      const { key, commands, unordered } = sampleValue(random, type, `k${round}`);
      const label = `seed ${seed}, round ${round}, type ${type}`;
      if (round % 7 === 0) {
        const flag = round % 2 === 0 ? "no" : "yes";
        await theirs.must("CONFIG", "SET", "rdbcompression", flag);
        ours.raw("CONFIG", "SET", "rdbcompression", flag);
      }
      for (const command of commands) {
        await theirs.call(...command.map(latin));
        ours.raw(...command.map(latin));
      }
      const dumped = await dumpTheirs(key);
      const own = dumpOurs(key);
      // Times of groups and consumers are those of each server's clock; nor do versions agree when a consumer begins to be.
      const hasTimes = commands.some(([name]) => name === "XREADGROUP");
      if (!unordered && !hasTimes) expect(difference(own, dumped), label).toBe("");
      else if (!hasTimes) expect(own.length, label).toBe(dumped.length);

      expect(rawOurs("RESTORE", `${key}-theirs`, 0, dumped), label).toBe("+OK\r\n");
      expect(await theirs.callRaw("RESTORE", `${key}-ours`, 0, own), label).toBe("+OK\r\n");
      if (!unordered) {
        expect(difference(dumpOurs(`${key}-theirs`), dumped), label).toBe("");
        expect(difference(await dumpTheirs(`${key}-ours`), own), label).toBe("");
      }
      const encoding = rawOurs("OBJECT", "ENCODING", `${key}-theirs`);
      expect(encoding, label).toBe(rawOurs("OBJECT", "ENCODING", key));
      const theirEncoding = await theirs.callRaw("OBJECT", "ENCODING", `${key}-ours`);
      expect(theirEncoding, label).toBe(await theirs.callRaw("OBJECT", "ENCODING", key));
      if (hasTimes) continue;
      const digest = await theirs.callRaw("DEBUG", "DIGEST-VALUE", key);
      expect(await theirs.callRaw("DEBUG", "DIGEST-VALUE", `${key}-ours`), label).toBe(digest);
      expect(rawOurs("DEBUG", "DIGEST-VALUE", `${key}-theirs`), label).toBe(digest);
    }
  }, 60_000);

  test("of a missing key", async () => {
    expect(rawOurs("DUMP", "none")).toBe(await theirs.callRaw("DUMP", "none"));
  });

  test("arguments that are wrong, one after the other", async () => {
    const good = await (async () => {
      await theirs.must("SET", "value", "bar");
      return await dumpTheirs("value");
    })();
    ours.raw("SET", "value", "bar");
    const bad = Buffer.from(good);
    bad[2] ^= 1;
    const newer = Buffer.from(good);
    newer[newer.length - 10] = 200;
    const calls: (string | number | Uint8Array)[][] = [
      ["value", 0, "..."],
      ["value", -1, "...", "REPLACE"],
      ["value", "x", "...", "REPLACE"],
      ["value", "x", "..."],
      ["fresh", -1, good],
      ["fresh", 0, "..."],
      ["fresh", 0, ""],
      ["fresh", 0, bad],
      ["fresh", 0, newer],
      ["fresh", 0, good, "nonsense"],
      ["fresh", 0, good, "IDLETIME"],
      ["fresh", 0, good, "IDLETIME", "x"],
      ["fresh", 0, good, "IDLETIME", -1],
      ["fresh", 0, good, "FREQ", 256],
      ["fresh", 0, good, "FREQ", -1],
      ["fresh", 0, good, "FREQ", 1, "IDLETIME", 1],
      ["fresh", 0, good, "IDLETIME", 1, "FREQ", 1],
      ["fresh", 1, good, "ABSTTL"],
      ["value", 1, good, "ABSTTL", "REPLACE"],
      ["value", 0, good, "IDLETIME", 5],
      ["value", 0, good, "IDLETIME", 5, "REPLACE"],
      ["fresh", "9223372036854775807", good],
      ["fresh", "9223372036854775807", good, "ABSTTL", "REPLACE"],
      ["fresh", 100_000, good, "REPLACE"],
    ];
    for (const name of ["RESTORE", "RESTORE-ASKING"])
      for (const call of calls) {
        const label = `${name} ${call.map(String).join(" ")}`;
        const expected = await theirs.callRaw(name, ...call);
        expect(rawOurs(name, ...call), label).toBe(expected);
        const exists = rawOurs("EXISTS", "value", "fresh");
        expect(exists, label).toBe(await theirs.callRaw("EXISTS", "value", "fresh"));
      }
  });
});
