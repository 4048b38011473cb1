// When persistence and replication are loaded: with data at once, otherwise before anything that could need them.

import { expect, spyOn, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataSetStart, type DataSetStartLife } from "../../src/cli/server/data-set-start.ts";
import type { ShutdownStep } from "../../src/cli/server/server-process-shutdown.ts";
import { Cron } from "../../src/engine/cron.ts";
import type { Replication } from "../../src/replication/replication.ts";
import { testServer } from "../support/engine.ts";

/** A server that is about to start, with a configuration of these lines. */
function begin(config: string) {
  const server = testServer();
  const steps: ShutdownStep[] = [];
  const life: DataSetStartLife = {
    beforeEnd: () => {},
    dataSetSteps: [],
    addShutdownStep: (step) => steps.push(step),
  };
  const { engine } = server;
  expect(engine.config.loadText(`dbfilename no-such.rdb\nappenddirname no-such-dir\n${config}`)).toBeNull();
  const dataSet = new DataSetStart(engine, new Cron(engine), life).prepare();
  return { server, engine, life, steps, dataSet, client: server.connect() };
}

test("a server without data has neither until a command comes that is not about a connection", () => {
  const { engine, dataSet, steps, client } = begin("");
  expect(dataSet).toBeNull();
  expect(client.line("PING")).toBe("PONG");
  expect(client.line("SELECT 1")).toBe("OK");
  expect(client.line("NOSUCH")).toContain("unknown command");
  expect([engine.persistence, engine.replication, engine.appendOnly, engine.dialer]).toEqual([null, null, null, null]);
  // ROLE asks for what it brings.
  expect(client.line("ROLE")).toContain("master");
  for (const part of [engine.persistence, engine.replication, engine.appendOnly, engine.dialer])
    expect(part).not.toBeNull();
  const { persistence } = engine;
  expect(client.line("SET k v")).toBe("OK");
  expect(engine.persistence).toBe(persistence);
  expect(steps.length).toBe(2);
});

test("commands on keys bring databases and nothing else, and what they have changed counts", () => {
  const { engine, client, life } = begin("");
  const commands = ["SET k v", "INCR n", "RPUSH l a b", "HSET h f v", "SADD s m", "ZADD z 1 m", "XADD x 1-1 f v"];
  for (const command of commands) client.line(command);
  expect(client.line("GET k")).toBe("v");
  expect([engine.persistence, engine.replication, engine.appendOnly]).toEqual([null, null, null]);
  const { dirty } = engine;
  expect(dirty).toBe(8);
  for (const step of life.dataSetSteps) step();
  expect(engine.persistence).not.toBeNull();
  expect(engine.dirty).toBe(dirty);
  expect(client.line("GET k")).toBe("v");
  expect(client.line("DBSIZE")).toContain("7");
});

test("INFO tells the same before and afterwards, and brings neither", () => {
  const { engine, client, life } = begin("");
  client.line("SET k v");
  const told = () =>
    client
      .line("INFO everything")
      .split("\r\n")
      // What the two take of memory, and the calls of INFO itself.
      .filter(
        (line) => !/^(?:used_|mem_|allocator_|rss_|total_(?:commands|net)|cmdstat_|latency_|eventloop_|io_)/.test(line),
      );
  const before = told();
  expect(before).toContain("rdb_changes_since_last_save:1");
  expect(before.find((line) => line.startsWith("master_replid:"))).toMatch(/^master_replid:[0-9a-f]{40}$/);
  expect([engine.persistence, engine.replication, engine.appendOnly]).toEqual([null, null, null]);
  for (const step of life.dataSetSteps) step();
  expect(engine.persistence).not.toBeNull();
  expect(told()).toEqual(before);
});

test("commands that many clients begin with bring neither", () => {
  const { engine, client } = begin("");
  const commands = ["HELLO 2", "CLIENT SETINFO LIB-NAME x", "INFO", "COMMAND COUNT", "CONFIG GET save", "FLUSHDB"];
  commands.push("DEL k", "EXPIRE k 1", "SCAN 0", "MULTI", "SET k v", "EXEC", "PUBLISH c m", "SUBSCRIBE c");
  for (const command of commands) expect(client.line(command)).not.toStartWith("ERR");
  expect([engine.persistence, engine.replication, engine.appendOnly, engine.dialer]).toEqual([null, null, null, null]);
});

test("FLUSHALL brings both when it has a file to empty", () => {
  const without = begin('save ""');
  expect(without.client.line("FLUSHALL")).toBe("OK");
  expect(without.engine.persistence).toBeNull();
  const folder = mkdtempSync(join(tmpdir(), "flushall-"));
  const before = process.cwd();
  try {
    const { client, engine } = begin(`save 900 1\ndir ${folder}`);
    expect(client.line("FLUSHALL")).toBe("OK");
    expect(engine.persistence).not.toBeNull();
    expect(readdirSync(folder)).toEqual(["no-such.rdb"]);
  } finally {
    process.chdir(before);
    rmSync(folder, { recursive: true });
  }
});

test("CONFIG brings both only with a setting that they follow, which has its effect", () => {
  const { engine, client } = begin("");
  expect(client.line("CONFIG SET maxmemory-samples 7 latency-monitor-threshold 10")).toBe("OK");
  expect(client.line("CONFIG GET maxmemory-samples")).toContain("7");
  expect(engine.persistence).toBeNull();
  expect(client.line("CONFIG SET stop-writes-on-bgsave-error no min-replicas-to-write 3")).toBe("OK");
  expect(engine.persistence).not.toBeNull();
  expect(client.line("SET k v")).toContain("NOREPLICAS");
});

test("the settings that both follow are known before they are there", () => {
  const { engine, life } = begin("");
  const followed: string[] = [];
  engine.config.onApply = (names) => {
    followed.push(...(typeof names === "string" ? [names] : names));
  };
  for (const step of life.dataSetSteps) step();
  expect(followed.length).toBeGreaterThan(0);
  // An append-only file would be written; tests/e2e/start.test.ts has one.
  for (const name of followed.filter((followedName) => followedName !== "appendonly")) {
    const other = begin("");
    const value = other.engine.config.get([name])[0]![1];
    const changed = { yes: "no", no: "yes" }[value] ?? (name === "save" ? '"77 7"' : String(Number(value) + 1));
    expect(other.client.line(`CONFIG SET ${name} ${changed}`)).toBe("OK");
    expect(other.engine.persistence).not.toBeNull();
  }
});

test("the first rest brings both, once", () => {
  const { engine, life, steps } = begin("");
  for (const step of life.dataSetSteps) step();
  expect(steps.length).toBe(2);
  const { persistence } = engine;
  expect(persistence).not.toBeNull();
  for (const step of life.dataSetSteps) step();
  expect(steps.length).toBe(2);
  expect(engine.persistence).toBe(persistence);
});

test("a log that lies in the folder that CONFIG SET dir led to meanwhile is not the server's", () => {
  const folder = mkdtempSync(join(tmpdir(), "other-log-"));
  const before = process.cwd();
  const exit = spyOn(process, "exit").mockImplementation((code) => {
    throw new Error(`the server ends with ${code}`);
  });
  try {
    mkdirSync(join(folder, "no-such-dir"));
    writeFileSync(join(folder, "no-such-dir", "appendonly.aof.manifest"), "no manifest\n");
    const { client, engine } = begin('save ""\nenable-protected-configs yes');
    expect(client.line(`CONFIG SET dir ${folder}`)).toBe("OK");
    expect(client.line("ROLE")).toContain("master");
    expect(engine.appendOnly).not.toBeNull();
  } finally {
    exit.mockRestore();
    process.chdir(before);
    rmSync(folder, { recursive: true });
  }
});

test("a replica that brings both is not pinged before the period is over, as nobody is at a start", () => {
  const { server, engine, client } = begin("repl-ping-replica-period 3\nrepl-diskless-sync-delay 60");
  // Its full sync waits for others, and no child process is begun.
  client.raw("REPLCONF", "capa", "eof");
  client.raw("PSYNC", "?", "-1");
  const offsets: (string | undefined)[] = [];
  for (let second = 0; second < 5; second++) {
    (engine.replication as Replication).cron();
    offsets.push(/master_repl_offset:(\d+)/.exec(server.connect().line("INFO replication"))?.[1]);
    server.advance(1000);
  }
  const ping = `${"*1\r\n$4\r\nPING\r\n".length}`;
  expect(offsets).toEqual(["0", "0", ping, ping, ping]);
});

test("the end of the server brings both, once", () => {
  const { engine, life, steps } = begin("");
  expect(steps.length).toBe(0);
  life.beforeEnd();
  expect(steps.length).toBe(2);
  const { persistence } = engine;
  expect(persistence).not.toBeNull();
  life.beforeEnd();
  expect(steps.length).toBe(2);
  expect(engine.persistence).toBe(persistence);
});

test("a log, a primary or a file of either kind brings both at once", () => {
  // Names that there are in the folder of the tests: nothing is read yet.
  for (const config of ["appendonly yes", "replicaof 127.0.0.1 1", "dbfilename README.md", "appenddirname src"]) {
    const { dataSet, engine } = begin(config);
    expect(dataSet).not.toBeNull();
    expect(engine.persistence).not.toBeNull();
  }
});
