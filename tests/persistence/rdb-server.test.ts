// Snapshots of a real server process: SAVE, BGSAVE and its child, save points, the end of the server, and what it starts with.

import { afterEach, describe, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Argument, RespClient } from "../support/client.ts";
import { describeOracle, startOracle } from "../support/oracle.ts";
import { freePort, type RunningServer } from "../support/process.ts";
import { ReplyError } from "../support/reply.ts";
import { serverCommand, startServer } from "../support/server.ts";

const LIMIT_MS = 30_000;
const folders: string[] = [];
const servers: RunningServer[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A folder that outlives the servers that are started in it. */
function dataFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "redis-ts-data-"));
  folders.push(folder);
  return folder;
}

async function start(dir: string, ...args: string[]): Promise<{ server: RunningServer; client: RespClient }> {
  const server = await startServer(["--dir", dir, "--enable-debug-command", "yes", ...args]);
  servers.push(server);
  return { server, client: await server.connect() };
}

/** Starts a server that is not to come up; what it has written. */
async function startInVain(dir: string, ...args: string[]): Promise<string> {
  try {
    await start(dir, ...args);
  } catch (error) {
    return String(error);
  }
  throw new Error("the server has started");
}

/** The text of the error that a command is answered with. */
async function errorOf(client: RespClient, ...args: Argument[]): Promise<string> {
  const reply = await client.call(...args);
  if (!(reply instanceof ReplyError)) throw new Error(`${args.join(" ")} has succeeded`);
  return reply.message;
}

async function infoOf(client: RespClient, field: string): Promise<string> {
  const text = String(await client.call("INFO", "everything"));
  return new RegExp(`^${field}:(.*)\r$`, "m").exec(text)?.[1] ?? "";
}

async function until(what: string, isTrue: () => Promise<boolean> | boolean): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    if (await isTrue()) return;
    await Bun.sleep(20);
  }
  throw new Error(`not within 8 seconds: ${what}`);
}

const saveEnds = (client: RespClient): Promise<void> =>
  until("the end of BGSAVE", async () => (await infoOf(client, "rdb_bgsave_in_progress")) === "0");

async function childOf(server: RunningServer): Promise<number> {
  const run = Bun.spawn(["pgrep", "-P", String(server.pid)], { stdout: "pipe" });
  const pids = (await new Response(run.stdout).text()).trim().split("\n");
  expect(pids).toHaveLength(1);
  return Number(pids[0]);
}

/** Some keys of all types. */
async function fill(client: RespClient, count = 300): Promise<void> {
  for (let i = 0; i < count; i++) {
    await client.call("SET", `s${i}`, i % 2 === 0 ? String(i) : `value ${i}`.repeat(i % 9));
    await client.call("RPUSH", "list", `element ${i}`);
    await client.call("SADD", "set", `member ${i}`);
    await client.call("SADD", "numbers", i);
    await client.call("HSET", "hash", `field ${i}`, i);
    await client.call("ZADD", "sorted", i, `member ${i}`);
    await client.call("XADD", "stream", `${i + 1}-0`, "n", i);
  }
  await client.call("PEXPIRE", "s1", 10_000_000);
  await client.call("SELECT", 3);
  await client.call("SET", "in 3", "x");
  await client.call("RPUSH", "small", "a", 1);
  await client.call("HSET", "smallhash", "f", "v");
  await client.call("ZADD", "smallsorted", 1, "a");
  await client.call("SADD", "smallset", "a", "b");
  await client.call("SELECT", 0);
}

const digest = (client: RespClient): Promise<unknown> => client.call("DEBUG", "DIGEST");

describe("saving", () => {
  test(
    "SAVE, kill -9, start: everything is there",
    async () => {
      const dir = dataFolder();
      const first = await start(dir);
      await fill(first.client);
      const before = await digest(first.client);
      expect(await first.client.call("SAVE")).toBe("OK");
      expect(await infoOf(first.client, "rdb_changes_since_last_save")).toBe("0");
      first.server.signal("SIGKILL");
      await first.server.exited();
      const second = await start(dir);
      expect(await digest(second.client)).toEqual(before);
      const log = second.server.log();
      expect(log).toMatch(/Loading RDB produced by Redis version 7\.2\.4/);
      expect(log).toMatch(/Done loading RDB, keys loaded: 311, keys expired: 0\./);
      expect(log).toMatch(/DB loaded from disk: \d+\.\d{3} seconds/);
      expect(log.indexOf("Server initialized")).toBeLessThan(log.indexOf("DB loaded from disk"));
      expect(log.indexOf("DB loaded from disk")).toBeLessThan(log.indexOf("Ready to accept"));
      expect(await infoOf(second.client, "rdb_last_load_keys_loaded")).toBe("311");
    },
    LIMIT_MS,
  );

  test(
    "BGSAVE: a child writes what was there when it began; counters, log, LASTSAVE",
    async () => {
      const dir = dataFolder();
      const { server, client } = await start(dir, "--rdb-key-save-delay", "1000");
      await fill(client);
      const before = await digest(client);
      const lastSave = await client.call("LASTSAVE");
      await Bun.sleep(1000);
      expect(await client.call("BGSAVE")).toBe("Background saving started");
      expect(await errorOf(client, "BGSAVE")).toContain("Background save already in progress");
      expect(await errorOf(client, "SAVE")).toContain("Background save already in progress");
      const child = await childOf(server);
      expect(server.log()).toContain(`Background saving started by pid ${child}`);
      expect(existsSync(join(dir, `temp-${child}.rdb`))).toBe(true);
      expect(await infoOf(client, "current_save_keys_total")).toBe("311");
      await client.call("SET", "s0", "changed");
      await client.call("DEL", "list", "set", "sorted");
      await client.call("HSET", "hash", "new", "field");
      expect(Number(await infoOf(client, "current_cow_size"))).toBeGreaterThan(0);
      await client.call("CONFIG", "SET", "rdb-key-save-delay", 0);
      await saveEnds(client);
      expect(await infoOf(client, "rdb_last_bgsave_status")).toBe("ok");
      // SET, DEL of three keys, HSET: they came too late for the file.
      expect(await infoOf(client, "rdb_changes_since_last_save")).toBe("5");
      expect(Number(await client.call("LASTSAVE"))).toBeGreaterThan(Number(lastSave));
      expect(await infoOf(client, "rdb_saves")).toBe("1");
      expect(server.log()).toMatch(/DB saved on disk[\s\S]*Background saving terminated with success/);
      expect(readdirSync(dir)).toEqual(["dump.rdb"]);
      const other = await start(dir);
      expect(await digest(other.client)).toEqual(before);
    },
    LIMIT_MS,
  );

  test(
    "kill -9 of the server during BGSAVE leaves the old file as it is, and nothing beside it",
    async () => {
      const dir = dataFolder();
      const { server, client } = await start(dir);
      await fill(client);
      await client.call("SAVE");
      const bytes = readFileSync(join(dir, "dump.rdb"));
      await client.call("SET", "more", "x".repeat(300_000));
      await client.call("CONFIG", "SET", "rdb-key-save-delay", 10_000);
      await client.call("BGSAVE");
      const child = await childOf(server);
      await Bun.sleep(200);
      server.signal("SIGKILL");
      await server.exited();
      await until("the end of the child", () => !existsSync(join(dir, `temp-${child}.rdb`)));
      expect(readFileSync(join(dir, "dump.rdb")).equals(bytes)).toBe(true);
      expect(readdirSync(dir)).toEqual(["dump.rdb"]);
    },
    LIMIT_MS,
  );

  test(
    "a child that is killed: writes are refused while there are save points, until a save succeeds",
    async () => {
      const dir = dataFolder();
      const saving = ["--save", "900", "1", "--rdb-key-save-delay", "100000"];
      const { server, client } = await start(dir, "--compat", "valkey", ...saving);
      await client.call("SET", "a", 1);
      await client.call("BGSAVE");
      const child = await childOf(server);
      process.kill(child, "SIGKILL");
      await saveEnds(client);
      expect(server.log()).toContain("Background saving terminated by signal 9");
      expect(existsSync(join(dir, `temp-${child}.rdb`))).toBe(false);
      expect(await infoOf(client, "rdb_last_bgsave_status")).toBe("err");
      expect(await errorOf(client, "SET", "a", 2)).toContain(
        "MISCONF Valkey is configured to save RDB snapshots, but it's currently unable to persist to disk.",
      );
      await client.call("CONFIG", "SET", "extended-redis-compatibility", "yes");
      expect(await errorOf(client, "PING")).toContain("MISCONF Redis");
      expect(await client.call("GET", "a")).toBe("1");
      await client.call("CONFIG", "SET", "stop-writes-on-bgsave-error", "no");
      expect(await client.call("SET", "a", 3)).toBe("OK");
      await client.call("CONFIG", "SET", "stop-writes-on-bgsave-error", "yes");
      expect(await errorOf(client, "SET", "a", 2)).toContain("MISCONF");
      await client.call("CONFIG", "SET", "rdb-key-save-delay", 0);
      await client.call("BGSAVE");
      await saveEnds(client);
      expect(await client.call("SET", "a", 4)).toBe("OK");
      expect(await client.call("PING")).toBe("PONG");
    },
    LIMIT_MS,
  );

  test(
    "tables of keys keep their size while a child runs, and grow afterwards",
    async () => {
      const { server, client } = await start(dataFolder(), "--rdb-key-save-delay", "1000000");
      const tableSize = async () => /table size: (\d+)/.exec(String(await client.call("DEBUG", "HTSTATS", 0)))?.[1];
      await client.call("DEBUG", "POPULATE", 100);
      expect(await tableSize()).toBe("128");
      await client.call("BGSAVE");
      const child = await childOf(server);
      await client.call("DEBUG", "POPULATE", 350);
      expect(await tableSize()).toBe("128");
      process.kill(child, "SIGKILL");
      await saveEnds(client);
      // By itself: nobody writes.
      await until("a larger table", async () => Number(await tableSize()) >= 256);
    },
    LIMIT_MS,
  );

  test(
    "FLUSHALL stops a BGSAVE, which counts as no failure; BGSAVE CANCEL does the same where it exists",
    async () => {
      const dir = dataFolder();
      const { client } = await start(dir, "--compat", "valkey", "--rdb-key-save-delay", "100000");
      await fill(client, 20);
      expect(await errorOf(client, "BGSAVE", "CANCEL")).toContain(
        "ERR Background saving is currently not in progress or scheduled",
      );
      for (const stop of [["FLUSHALL"], ["BGSAVE", "CANCEL"]]) {
        await client.call("SET", "a", 1);
        await client.call("BGSAVE");
        expect(await infoOf(client, "rdb_bgsave_in_progress")).toBe("1");
        expect(await client.call(...stop)).toBe(stop.length === 1 ? "OK" : "Background saving cancelled");
        await saveEnds(client);
        expect(await infoOf(client, "rdb_last_bgsave_status")).toBe("ok");
        expect(Number(await infoOf(client, "rdb_changes_since_last_save"))).toBeGreaterThan(0);
      }
      expect(readdirSync(dir)).toEqual([]);
      await client.call("CONFIG", "SET", "rdb-key-save-delay", 0);
      await client.call("BGSAVE");
      await saveEnds(client);
      expect(existsSync(join(dir, "dump.rdb"))).toBe(true);
    },
    LIMIT_MS,
  );

  test(
    "BGSAVE in a transaction comes behind it",
    async () => {
      const { client, server } = await start(dataFolder());
      await client.call("MULTI");
      await client.call("SET", "a", 1);
      await client.call("BGSAVE");
      await client.call("SET", "a", 2);
      expect(await client.call("EXEC")).toEqual(["OK", "Background saving scheduled", "OK"]);
      await server.waitForLog("Background saving terminated with success");
      await client.call("DEBUG", "RELOAD", "NOSAVE");
      expect(await client.call("GET", "a")).toBe("2");
    },
    LIMIT_MS,
  );

  test(
    "a save point",
    async () => {
      const dir = dataFolder();
      const { client, server } = await start(dir, "--save", "1", "3");
      await client.call("SET", "a", 1);
      await client.call("SET", "a", 2);
      await client.call("SET", "a", 3);
      await server.waitForLog("3 changes in 1 seconds. Saving...");
      await server.waitForLog("Background saving terminated with success");
      expect(statSync(join(dir, "dump.rdb")).size).toBeGreaterThan(50);
    },
    LIMIT_MS,
  );

  test(
    "where the file cannot be written, errors say so",
    async () => {
      const dir = dataFolder();
      const { client, server } = await start(dir);
      mkdirSync(join(dir, "dump.rdb"));
      await client.call("SET", "a", 1);
      expect(await errorOf(client, "SAVE")).toContain("ERR");
      expect(server.log()).toMatch(/Error moving temp DB file temp-\d+\.rdb on the final destination dump\.rdb/);
      await client.call("BGSAVE");
      await saveEnds(client);
      expect(server.log()).toContain("Background saving error");
      expect(await infoOf(client, "rdb_last_bgsave_status")).toBe("err");
      expect(readdirSync(dir)).toEqual(["dump.rdb"]);
    },
    LIMIT_MS,
  );
});

describe("the end", () => {
  test(
    "SHUTDOWN and SIGTERM save when there are save points, and when they are told to",
    async () => {
      const cases: [string[], string[] | "SIGTERM", boolean][] = [
        [["--save", "900", "1"], ["SHUTDOWN"], true],
        [["--save", "900", "1"], ["SHUTDOWN", "NOSAVE"], false],
        [[], ["SHUTDOWN"], false],
        [[], ["SHUTDOWN", "SAVE"], true],
        [["--save", "900", "1"], "SIGTERM", true],
      ];
      for (const [args, how, saves] of cases) {
        const dir = dataFolder();
        const { client, server } = await start(dir, ...args);
        await client.call("SET", "a", "kept");
        if (how === "SIGTERM") server.signal("SIGTERM");
        else await client.call(...how).catch(() => {});
        expect(await server.exited()).toBe(0);
        expect(existsSync(join(dir, "dump.rdb"))).toBe(saves);
        if (!saves) continue;
        expect(server.log()).toContain("Saving the final RDB snapshot before exiting.");
        const next = await start(dir);
        expect(await next.client.call("GET", "a")).toBe("kept");
      }
    },
    LIMIT_MS,
  );

  test(
    "a save that fails keeps the server, unless it is forced to go",
    async () => {
      const dir = dataFolder();
      const { client, server } = await start(dir, "--save", "900", "1");
      mkdirSync(join(dir, "dump.rdb"));
      await client.call("SET", "a", 1);
      expect(await errorOf(client, "SHUTDOWN")).toContain("ERR Errors trying to SHUTDOWN. Check logs.");
      expect(server.log()).toContain("Error trying to save the DB, can't exit.");
      expect(await client.call("PING")).toBe("PONG");
      await client.call("SHUTDOWN", "FORCE").catch(() => {});
      expect(await server.exited()).toBe(0);
    },
    LIMIT_MS,
  );

  test(
    "while the last save takes its time nobody is served, and a second SIGINT ends everything",
    async () => {
      const dir = dataFolder();
      const { client, server } = await start(dir, "--save", "900", "1", "--rdb-key-save-delay", "100000");
      for (let i = 0; i < 50; i++) await client.call("SET", `k${i}`, i);
      server.signal("SIGINT");
      await until("the temporary file", () => existsSync(join(dir, `temp-${server.pid}.rdb`)));
      let answered = false;
      void client.call("PING").then(
        () => (answered = true),
        () => {},
      );
      await Bun.sleep(100);
      expect(answered).toBe(false);
      server.signal("SIGINT");
      expect(await server.exited()).toBe(1);
      expect(readdirSync(dir)).toEqual([]);
    },
    LIMIT_MS,
  );
});

describe("the start", () => {
  test(
    "clients are told to wait while the data set loads, and the server may be ended meanwhile",
    async () => {
      const dir = dataFolder();
      const first = await start(dir);
      await first.client.call("DEBUG", "POPULATE", 2000);
      await first.client.call("SAVE");
      await first.server.stop();
      const port = freePort();
      const command = [...serverCommand(), "--port", String(port), "--dir", dir, "--key-load-delay", "1000"];
      const loading = Bun.spawn(command, { stdout: "pipe", stderr: "ignore" });
      try {
        let client: RespClient | null = null;
        await until("a connection", async () => {
          client = await RespClient.connect({ port }).catch(() => null);
          return client !== null;
        });
        const { call } = client as unknown as RespClient;
        const ask = call.bind(client);
        expect(await ask("GET", "key:1")).toEqual(new ReplyError("LOADING Redis is loading the dataset in memory"));
        const info = String(await ask("INFO", "persistence"));
        expect(info).toContain("loading:1\r\n");
        expect(info).toMatch(/loading_total_bytes:[1-9]\d*\r\n/);
        expect(info).toMatch(/loading_loaded_perc:\d+\.\d\d\r\n/);
        await ask("SHUTDOWN").catch(() => {});
        expect(await loading.exited).toBe(0);
        const log = await new Response(loading.stdout).text();
        expect(log).not.toContain("Saving the final RDB snapshot");
        expect(log).not.toContain("Ready to accept");
      } finally {
        loading.kill("SIGKILL");
      }
      const again = await start(dir);
      expect(await again.client.call("DBSIZE")).toBe(2000);
    },
    LIMIT_MS,
  );

  test(
    "a file that cannot be right: the server says so and ends",
    async () => {
      const dir = dataFolder();
      const path = join(dir, "dump.rdb");
      const { client, server } = await start(dir);
      await fill(client, 100);
      await client.call("SAVE");
      await server.stop();
      const bytes = readFileSync(path);
      const write = (content: Buffer): void => writeFileSync(path, content);

      write(bytes.subarray(0, bytes.length >> 1));
      let log = await startInVain(dir);
      expect(log).toContain("Short read or OOM loading DB. Unrecoverable error, aborting now.");
      expect(log).toContain("Terminating server after rdb file reading failure.");

      const wrong = Buffer.from(bytes);
      wrong[wrong.length - 1] ^= 1;
      write(wrong);
      log = await startInVain(dir);
      expect(log).toMatch(/Wrong RDB checksum expected: \([0-9a-f]+\) but got \([0-9a-f]+\)\. Aborting now\./);
      expect(log).toMatch(/Internal error in RDB reading offset \d+, function at .* -> RDB CRC error/);

      write(Buffer.concat([Buffer.from("REDIX"), bytes.subarray(5)]));
      log = await startInVain(dir);
      expect(log).toContain("Wrong signature trying to load DB from file");
      expect(log).toContain("Fatal error loading the DB, check server logs. Exiting.");

      write(Buffer.concat([Buffer.from("REDIS9999"), bytes.subarray(9)]));
      expect(await startInVain(dir)).toContain("Can't handle RDB format version 9999");

      // Nothing is made up for it.
      expect(readdirSync(dir)).toEqual(["dump.rdb"]);
      write(wrong);
      const unchecked = await start(dir, "--rdbchecksum", "no");
      expect(await unchecked.client.call("LLEN", "list")).toBe(100);
    },
    LIMIT_MS,
  );

  test(
    "DEBUG RELOAD with its options",
    async () => {
      const { client } = await start(dataFolder());
      await fill(client, 50);
      const before = await digest(client);
      expect(await client.call("DEBUG", "RELOAD")).toBe("OK");
      expect(await digest(client)).toEqual(before);
      await client.call("SET", "s0", "other");
      await client.call("SET", "new", "one");
      expect(await client.call("DEBUG", "RELOAD", "NOSAVE", "NOFLUSH", "MERGE")).toBe("OK");
      expect(await client.call("GET", "s0")).toBe("0");
      expect(await client.call("GET", "new")).toBe("one");
      expect(await client.call("DEBUG", "RELOAD", "NOSAVE")).toBe("OK");
      expect(await digest(client)).toEqual(before);
      expect(await errorOf(client, "DEBUG", "RELOAD", "WHAT")).toContain("DEBUG RELOAD only supports");
    },
    LIMIT_MS,
  );
});

describeOracle("files of redis-server", () => {
  test(
    "each loads what the other has saved",
    async () => {
      const dir = dataFolder();
      const ours = await start(dir);
      await fill(ours.client);
      const before = await digest(ours.client);
      await ours.client.call("SAVE");
      const check = Bun.spawn(["redis-check-rdb", join(dir, "dump.rdb")], { stdout: "pipe" });
      expect(await new Response(check.stdout).text()).toContain("RDB looks OK!");
      await ours.server.stop();

      const theirs = await startOracle(["--dir", dir, "--enable-debug-command", "yes"]);
      servers.push(theirs);
      const client = await theirs.connect();
      expect(await digest(client)).toEqual(before);
      await client.call("SAVE");
      await theirs.stop();

      const again = await start(dir);
      expect(await digest(again.client)).toEqual(before);
    },
    LIMIT_MS,
  );
});
