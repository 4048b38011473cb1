// DEBUG subcommands whose replies do not depend on how a server is built, and digests of random data, against a live redis-server.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { Prng } from "../../src/base/prng.ts";
import { testSeed } from "../base/seeded.ts";
import { describeOracle, startOracle } from "../support/oracle.ts";
import type { RunningServer } from "../support/process.ts";
import { startServer } from "../support/server.ts";
import { Draw } from "./draw.ts";

const ALLOWED = ["--enable-debug-command", "yes"];

describeOracle("DEBUG", () => {
  let theirs: RunningServer;
  let ours: RunningServer;
  beforeAll(async () => {
    theirs = await startOracle(ALLOWED);
    ours = await startServer(ALLOWED);
  });
  afterAll(async () => {
    await theirs?.stop();
    await ours?.stop();
  });

  for (const protocol of [2, 3]) {
    test(`samples, errors and small subcommands, RESP${protocol}`, async () => {
      const clients = [await theirs.connect(), await ours.connect()];
      for (const client of clients) await client.must("HELLO", protocol);
      const types = ["string", "integer", "double", "bignum", "null", "array", "set", "map", "attrib", "verbatim"];
      const commands = [
        ...[...types, "true", "false", "frob"].map((type) => ["DEBUG", "PROTOCOL", type]),
        ["DEBUG", "frob"],
        ["DEBUG", "SLEEP"],
        ["DEBUG", "SLEEP", "0.001"],
        ["DEBUG", "SLEEP", "x"],
        ["DEBUG", "OBJECT", "none"],
        ["DEBUG", "DIGEST", "x"],
        ["DEBUG", "DIGEST-VALUE"],
        ["DEBUG", "HTSTATS", "0"],
        ["DEBUG", "HTSTATS", "x"],
        ["DEBUG", "HTSTATS", "-1"],
        ["DEBUG", "HTSTATS", "99"],
        ["DEBUG", "HTSTATS-KEY", "none"],
        ["DEBUG", "POPULATE", "-1"],
        ["DEBUG", "POPULATE", "x"],
        ["DEBUG", "POPULATE", "1", "p", "-1"],
        ["DEBUG", "RELOAD", "frob"],
        ["DEBUG", "SET-ACTIVE-EXPIRE", "1"],
        ["DEBUG", "ERROR", "a\r\nb"],
        ["DEBUG", "REPLYBUFFER", "frob", "1"],
        ["DEBUG", "LOG", "x"],
      ];
      for (const command of commands) {
        const replies: string[] = [];
        for (const client of clients) {
          client.write(Buffer.from(`*${command.length}\r\n${command.map((a) => `$${a.length}\r\n${a}\r\n`).join("")}`));
          replies.push(await client.readRaw());
        }
        expect([command, replies[1]]).toEqual([command, replies[0]]);
      }
      for (const client of clients) client.close();
    });
  }

  test("equal data has equal digests", async () => {
    const seed = testSeed();
    const draw = new Draw(new Prng(seed));
    const clients = [await theirs.connect(), await ours.connect()];
    const both = async (...args: string[]): Promise<unknown[]> =>
      Promise.all(clients.map((client) => client.must(...args)));
    for (let i = 0; i < 200; i++) {
      await both("SELECT", String(draw.below(3)));
      await both("SET", `${draw.key()}${draw.below(20)}`, draw.value());
      await both("SET", "expiring", draw.value(), "EX", "1000");
    }
    await both("DEBUG", "POPULATE", "50", "p", "30");
    const [digest, sameDigest] = await both("DEBUG", "DIGEST");
    expect([seed, sameDigest]).toEqual([seed, digest]);
    const [values, sameValues] = await both("DEBUG", "DIGEST-VALUE", "expiring", "p:1", "none");
    expect(sameValues).toEqual(values);
    for (const client of clients) client.close();
  });
});
