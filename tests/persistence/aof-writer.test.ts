// What is written when: the buffer, SELECT and timestamps, group commit, syncs in the background, and disks that fail.

import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AofWriter } from "../../src/persistence/aof/aof-writer.ts";
import { type TestClient, type TestServer, testServer } from "../support/engine.ts";
import { collectLog } from "./aof-support.ts";

const folder = mkdtempSync(join(tmpdir(), "aof-writer-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

class Exited extends Error {}

let server: TestServer;
let client: TestClient;
let writer: AofWriter;
let lines: string[];
let commits: number;
let childIsActive: boolean;
const path = join(folder, "log.aof");

beforeEach(() => {
  rmSync(path, { force: true });
  server = testServer();
  client = server.connect();
  lines = collectLog(server.engine);
  commits = 0;
  childIsActive = false;
  writer = new AofWriter(server.engine, {
    childIsActive: () => childIsActive,
    exit: () => {
      throw new Exited();
    },
  });
  server.engine.sinks.push(writer);
  server.engine.scheduleCommit = () => void commits++;
  server.engine.commit = () => writer.commit();
  server.engine.appendOnly = {
    isEnabled: true,
    syncedOffset: 0,
    get writeProblem() {
      return writer.writeError ?? writer.syncError;
    },
    rewrite: () => "failed",
    reload: () => {},
  };
  writer.open(openSync(path, "a"), 0);
});

function policy(name: string): void {
  expect(server.engine.config.assign("appendfsync", name)).toBeNull();
}

/** The commands in the file, a line each. */
function written(): string[] {
  const text = readFileSync(path, "latin1");
  return text
    .replace(/\*\d+\r\n/g, "\n")
    .replace(/\$\d+\r\n([^\r]*)\r\n/g, "$1 ")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

/** Waits for the sync in the background. */
async function synced(): Promise<void> {
  while (writer.isSyncing) await Bun.sleep(1);
}

describe("what is written", () => {
  test("nothing before the end of the turn, then everything with one write", () => {
    client.send("SET", "a", 1);
    client.send("SET", "b", 2);
    expect(server.engine.holdsReplies).toBe(true);
    expect(commits, "one call is asked for").toBe(1);
    expect(readFileSync(path).length).toBe(0);
    server.engine.commit();
    expect(server.engine.holdsReplies).toBe(false);
    expect(written()).toEqual(["SELECT 0", "SET a 1", "SET b 2"]);
    expect(writer.size).toBe(readFileSync(path).length);
    client.send("GET", "a");
    expect(server.engine.holdsReplies, "reads wait for nothing").toBe(false);
  });

  test("SELECT only where the database changes, and again when a new file begins", () => {
    client.send("SET", "a", 1);
    client.send("SELECT", 5);
    client.send("SET", "a", 1);
    client.send("SET", "b", 1);
    server.engine.commit();
    expect(written()).toEqual(["SELECT 0", "SET a 1", "SELECT 5", "SET a 1", "SET b 1"]);
    const other = join(folder, "other.aof");
    writer.open(openSync(other, "w"), 0);
    client.send("SET", "c", 1);
    server.engine.commit();
    expect(readFileSync(other, "latin1")).toContain("SELECT\r\n$1\r\n5");
    rmSync(other);
  });

  test("transactions between MULTI and EXEC", () => {
    client.send("MULTI");
    client.send("SET", "a", 1);
    client.send("INCR", "a");
    client.send("EXEC");
    server.engine.commit();
    expect(written()).toEqual(["MULTI", "SELECT 0", "SET a 1", "INCR a", "EXEC"]);
  });

  test("the time, once a second", () => {
    server.engine.config.assign("aof-timestamp-enabled", "yes");
    client.send("SET", "a", 1);
    client.send("SET", "a", 2);
    server.advance(1000);
    client.send("SET", "a", 3);
    server.engine.commit();
    expect(readFileSync(path, "latin1").match(/#TS:\d+\r\n/g)).toEqual(["#TS:1700000000\r\n", "#TS:1700000001\r\n"]);
  });

  test("a large command and many small ones", () => {
    policy("always");
    client.send("SET", "big", "x".repeat(3_000_000));
    for (let i = 0; i < 1000; i++) client.send("SET", `k${i}`, i);
    server.engine.commit();
    expect(written().length).toBe(1002);
    expect(writer.memoryBytes, "the buffer does not stay large").toBeLessThan(1_000_000);
  });
});

describe("when it is synced", () => {
  test("always: before replies leave", () => {
    policy("always");
    client.send("SET", "a", 1);
    expect(writer.syncedSize).toBe(0);
    server.engine.commit();
    expect(writer.syncedSize).toBe(writer.size);
    expect(writer.size).toBeGreaterThan(0);
  });

  test("no: never", () => {
    policy("no");
    client.send("SET", "a", 1);
    server.advance(5000);
    server.engine.commit();
    writer.flush(false);
    expect(writer.isSyncing).toBe(false);
    expect(writer.syncedSize).toBe(0);
  });

  test("everysec: in the background, once a second, and also when nothing more is written", async () => {
    policy("everysec");
    server.advance(2000);
    client.send("SET", "a", 1);
    server.engine.commit();
    expect(writer.isSyncing).toBe(true);
    await synced();
    client.send("SET", "a", 2);
    server.engine.commit();
    expect(writer.isSyncing, "not twice in a second").toBe(false);
    expect(writer.syncedSize).toBeLessThan(writer.size);
    server.advance(1000);
    writer.flush(false);
    expect(writer.isSyncing, "the cron asks again").toBe(true);
    await synced();
    expect(writer.syncedSize).toBe(writer.size);
  });

  test("everysec: a write is put off while a sync runs, for two seconds at most", async () => {
    policy("everysec");
    server.advance(2000);
    client.send("SET", "a", 1);
    server.engine.commit();
    const { size } = writer;
    client.send("SET", "b", 1);
    server.engine.commit();
    expect(server.engine.holdsReplies, "replies do not wait for the sync").toBe(false);
    expect(writer.isPostponed).toBe(true);
    expect(writer.size).toBe(size);
    server.advance(1999);
    writer.flush(false);
    expect(writer.size).toBe(size);
    server.advance(1);
    writer.flush(false);
    expect(writer.size).toBeGreaterThan(size);
    expect(writer.delayedSyncs).toBe(1);
    expect(lines.join("\n")).toContain("Asynchronous AOF fsync is taking too long");
    await synced();
  });

  test("everysec: what was put off is written when the sync is done", async () => {
    policy("everysec");
    server.advance(2000);
    client.send("SET", "a", 1);
    server.engine.commit();
    client.send("SET", "b", 1);
    server.engine.commit();
    await synced();
    expect(written()).toEqual(["SELECT 0", "SET a 1", "SET b 1"]);
    expect(writer.isPostponed).toBe(false);
  });

  test("everysec: by force, whatever runs", async () => {
    policy("everysec");
    server.advance(2000);
    client.send("SET", "a", 1);
    server.engine.commit();
    client.send("SET", "b", 1);
    writer.flush(true);
    expect(written().length).toBe(3);
    await synced();
  });

  test("not while a child writes, if the settings say so", () => {
    policy("always");
    server.engine.config.assign("no-appendfsync-on-rewrite", "yes");
    childIsActive = true;
    client.send("SET", "a", 1);
    server.engine.commit();
    expect(writer.syncedSize).toBe(0);
    childIsActive = false;
    writer.flush(false);
    expect(writer.syncedSize).toBe(writer.size);
  });
});

describe.if(existsSync("/dev/full"))("a disk that is full", () => {
  test("writes are refused until there is room again; nothing is lost", () => {
    policy("everysec");
    client.send("SET", "a", 1);
    server.engine.commit();
    const full = openSync("/dev/full", "w");
    writer.open(full, writer.size);
    client.send("SET", "b", 1);
    server.engine.commit();
    const refusal = "MISCONF Errors writing to the AOF file: No space left on device";
    expect(server.engine.holdsReplies).toBe(false);
    expect(client.line("SET c 1")).toContain(refusal);
    expect(client.line("PING")).toContain(refusal);
    expect(client.line("GET b"), "reads go on").toBe("1");
    client.send("MULTI");
    client.send("GET", "a");
    expect(client.line("SET c 1")).toContain(refusal);
    expect(client.line("EXEC")).toContain("EXECABORT");
    expect(lines.filter((line) => line.includes("AOF"))).toEqual([
      "Error writing to the AOF file: No space left on device",
    ]);
    writer.open(openSync(path, "a"), writer.size);
    writer.flush(false);
    expect(lines.at(-1)).toBe("AOF write error looks solved. The server can write again.");
    expect(client.line("SET c 1")).toBe("OK");
    server.engine.commit();
    expect(written()).toEqual(["SELECT 0", "SET a 1", "SELECT 0", "SET b 1", "SELECT 0", "SET c 1"]);
  });

  test("with always the server ends, since clients may have seen what is lost", () => {
    policy("always");
    writer.open(openSync("/dev/full", "w"), 0);
    client.send("SET", "b", 1);
    expect(() => server.engine.commit()).toThrow(Exited);
    expect(lines).toEqual([
      "Error writing to the AOF file: No space left on device",
      "Can't recover from AOF write error when the AOF fsync policy is 'always'. Exiting...",
    ]);
  });
});
