// Real crashes at chosen points: while a snapshot is saved, at each step of the switch to a rewritten log, and while a data set loads. Whatever was being
// done, the next start finds either what was there before or what was to be, and all that was acknowledged.
// REDIS_TS_CRASH_ROUNDS says how often, as for aof-crash.test.ts.

import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Prng } from "../../src/base/prng.ts";
import { testSeed } from "../base/seeded.ts";
import type { RespClient } from "../support/client.ts";
import { baseArguments, freePort, type RunningServer } from "../support/process.ts";
import { serverCommand, startServer } from "../support/server.ts";

const ROUNDS = Math.ceil(Number(process.env.REDIS_TS_CRASH_ROUNDS ?? 12) / 4);
const LIMIT_MS = 60_000 + ROUNDS * 20_000;
/** How long the next change of a folder is waited for. */
const CHANGE_LIMIT_MS = 3000;
const KEYS = 3000;

const folder = mkdtempSync(join(tmpdir(), "crash-points-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function start(dir: string, settings: readonly string[]): Promise<RunningServer> {
  return startServer(["--dir", dir, "--save", "", "--enable-debug-command", "yes", ...settings]);
}

async function kill(server: RunningServer): Promise<void> {
  server.signal("SIGKILL");
  await server.exited();
  await server.stop();
}

async function digest(client: RespClient): Promise<string> {
  return String(await client.must("DEBUG", "DIGEST"));
}

/** Waits, without giving anybody else the time, until the names in a folder have changed so many times; false: they did not. */
function waitForChanges(dir: string, changes: number): boolean {
  const names = (): string => (existsSync(dir) ? readdirSync(dir).sort().join() : "");
  const endMs = performance.now() + CHANGE_LIMIT_MS;
  let last = names();
  for (let seen = 0; seen < changes; ) {
    if (performance.now() > endMs) return false;
    const now = names();
    if (now === last) continue;
    last = now;
    seen++;
  }
  return true;
}

test(
  "while a snapshot is saved: the one before stands, or the new one, whole",
  async () => {
    const seed = testSeed();
    const prng = new Prng(seed);
    const dir = mkdtempSync(join(folder, "save-"));
    let server = await start(dir, []);
    let client = await server.connect();
    await client.must("DEBUG", "POPULATE", KEYS, "key", 200);
    await client.must("SAVE");
    for (let round = 0; round < ROUNDS; round++) {
      const before = await digest(client);
      await client.must("HSET", "changed", "round", round, `field${round}`, "value");
      const after = await digest(client);
      await client.must("BGSAVE");
      // The temporary file, which grows and then takes the name of the other one; or any instant.
      if (prng.below(2) === 0) waitForChanges(dir, 1 + prng.below(2));
      else await Bun.sleep(prng.below(100));
      await kill(server);
      server = await start(dir, []);
      client = await server.connect();
      const found = await digest(client);
      expect([before, after], `seed ${seed}, round ${round}`).toContain(found);
    }
    await server.stop();
    // The children of servers that were killed have noticed.
    const isOver = () => !readdirSync(dir).some((name) => name.startsWith("temp-"));
    for (let tries = 0; tries < 100 && !isOver(); tries++) await Bun.sleep(50);
    expect(isOver()).toBe(true);
  },
  LIMIT_MS,
);

test(
  "at each step of the switch to a rewritten log: nothing that was acknowledged is lost",
  async () => {
    const seed = testSeed() + 1;
    const prng = new Prng(seed);
    const dir = mkdtempSync(join(folder, "switch-"));
    const settings = ["--appendonly", "yes", "--appendfsync", "always"];
    let server = await start(dir, settings);
    let client = await server.connect();
    // What DEBUG POPULATE makes is in no log before a rewrite.
    await client.must("DEBUG", "POPULATE", KEYS, "key", 50);
    await client.must("BGREWRITEAOF");
    await server.waitForLog("Background AOF rewrite finished successfully");
    let [acknowledged, sent] = [0, 0];
    for (let round = 0; round < ROUNDS * 2; round++) {
      for (let i = 0; i < 20; i++) acknowledged = Number(await client.must("INCR", "count"));
      const running = client.pipeline([["BGREWRITEAOF"], ...Array.from({ length: 100 }, () => ["INCR", "count"])]);
      running.catch(() => {});
      sent = acknowledged + 100;
      // The new increment, the manifest's temporary file, the manifest, the base, and so on to the last file that is deleted.
      const isReached = waitForChanges(join(dir, "appendonlydir"), 1 + prng.below(9));
      if (isReached && prng.below(2) === 0) await Bun.sleep(prng.below(3));
      await kill(server);
      server = await start(dir, settings);
      client = await server.connect();
      const count = Number(await client.must("GET", "count"));
      const what = `seed ${seed}, round ${round}, files ${readdirSync(join(dir, "appendonlydir"))}`;
      expect(count, what).toBeGreaterThanOrEqual(acknowledged);
      expect(count, what).toBeLessThanOrEqual(sent);
      expect(await client.must("DBSIZE"), what).toBe(KEYS + 1);
    }
    await server.stop();
  },
  LIMIT_MS,
);

for (const preamble of ["yes", "no"]) {
  test(
    `while a log loads, rdb preamble ${preamble}: it is as it was`,
    async () => {
      const seed = testSeed() + 2;
      const prng = new Prng(seed);
      const dir = mkdtempSync(join(folder, "load-"));
      const settings = ["--appendonly", "yes", "--aof-use-rdb-preamble", preamble];
      let server = await start(dir, settings);
      let client = await server.connect();
      await client.must("DEBUG", "POPULATE", KEYS, "key", 50);
      await client.must("BGREWRITEAOF");
      await server.waitForLog("Background AOF rewrite finished successfully");
      for (let i = 0; i < 500; i++) await client.must("RPUSH", "list", i);
      const expected = await digest(client);
      await server.stop();
      for (let round = 0; round < ROUNDS; round++) {
        const slow = [...settings, "--key-load-delay", "100"];
        const command = [...serverCommand(), ...baseArguments(freePort(), dir), "--save", "", ...slow];
        const loading = Bun.spawn(command, { stdin: "ignore", stdout: "ignore", stderr: "ignore" });
        await Bun.sleep(prng.below(500));
        loading.kill("SIGKILL");
        await loading.exited;
      }
      server = await start(dir, settings);
      client = await server.connect();
      expect(await digest(client), `seed ${seed}`).toBe(expected);
      await server.stop();
    },
    LIMIT_MS,
  );
}
