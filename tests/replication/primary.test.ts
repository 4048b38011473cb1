// Our server as the primary of real redis-servers, and what a bare connection sees of the stream.

import { afterEach, describe, expect, test } from "bun:test";
import { Prng } from "../../src/base/prng.ts";
import { testSeed } from "../base/seeded.ts";
import { describeOracle } from "../support/oracle.ts";
import type { RunningServer } from "../support/process.ts";
import { errorText, expectEqualData, follow, info, randomWrites, startOurs, startTheirs, until } from "./support.ts";

const started: RunningServer[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.stop()));
});

async function ours(...args: string[]): Promise<RunningServer> {
  const server = await startOurs(...args);
  started.push(server);
  return server;
}

async function theirs(...args: string[]): Promise<RunningServer> {
  const server = await startTheirs(...args);
  started.push(server);
  return server;
}

describeOracle("redis-server as our replica", () => {
  for (const diskless of ["yes", "no"]) {
    test(`random writes of all families, with cut links, diskless ${diskless}`, async () => {
      const seed = testSeed();
      const random = new Prng(seed);
      const [primary, first, second] = await Promise.all([ours("--repl-diskless-sync", diskless), theirs(), theirs()]);
      const p = await primary.connect();
      const writer = await primary.connect();
      const [a, b] = [await first.connect(), await second.connect()];
      await randomWrites(writer, random, 2000);
      await a.must("REPLICAOF", "127.0.0.1", primary.port);
      await randomWrites(writer, random, 1000);
      await follow(b, primary);
      await follow(a, primary);
      for (let round = 0; round < 4; round++) {
        await randomWrites(writer, random, 700);
        await p.must("CLIENT", "KILL", "TYPE", "replica");
        await randomWrites(writer, random, 300);
        await until("both are back", async () => (await info(p, "connected_slaves")) === "2");
      }
      await expectEqualData(`seed ${seed}`, p, a, b);
      expect(Number(await info(p, "sync_partial_ok")), `seed ${seed}`).toBeGreaterThan(0);
      expect(await info(a, "slave_repl_offset")).toBe(await info(p, "master_repl_offset"));
    }, 60_000);
  }

  test("three replicas share one snapshot", async () => {
    const primary = await ours("--repl-diskless-sync-delay", "20", "--repl-diskless-sync-max-replicas", "3");
    const p = await primary.connect();
    await p.must("DEBUG", "POPULATE", 1000);
    const replicas = await Promise.all([theirs(), theirs(), theirs()]);
    const clients = await Promise.all(replicas.map((server) => server.connect()));
    await Promise.all(clients.map((client) => follow(client, primary)));
    await expectEqualData("after the full sync", p, ...clients);
    expect(primary.log().match(/Starting BGSAVE for SYNC/g)?.length).toBe(1);
  }, 30_000);

  test("WAIT counts replicas, and min-replicas-to-write needs them", async () => {
    const [primary, replica] = await Promise.all([ours("--min-replicas-to-write", "1"), theirs()]);
    const p = await primary.connect();
    const r = await replica.connect();
    expect(errorText(await p.call("SET", "a", "1"))).toContain("NOREPLICAS Not enough good replicas to write.");
    await follow(r, primary);
    await until("writes are accepted", async () => (await p.call("SET", "a", "1")) === "OK");
    expect(await p.must("WAIT", 1, 5000)).toBe(1);
    expect(String(await r.must("GET", "a"))).toBe("1");
    expect(await p.must("WAIT", 2, 50)).toBe(1);
    expect(await p.must("ROLE")).toEqual([
      "master",
      expect.any(Number),
      [["127.0.0.1", String(replica.port), expect.any(String)]],
    ]);
    await r.must("REPLICAOF", "NO", "ONE");
    await until("the replica has gone", async () => (await info(p, "connected_slaves")) === "0");
    expect(errorText(await p.call("SET", "a", "1"))).toContain("NOREPLICAS");
    expect(await p.must("WAIT", 0, 0)).toBe(0);
  }, 30_000);

  test("a replica that was away for longer than the backlog reaches starts anew", async () => {
    const [primary, replica] = await Promise.all([ours("--repl-backlog-size", "20000"), theirs()]);
    const p = await primary.connect();
    const r = await replica.connect();
    await follow(r, primary);
    await p.must("SET", "key", "x".repeat(1000));
    expect(await p.must("WAIT", 1, 5000)).toBe(1);
    replica.signal("SIGSTOP");
    await p.must("CLIENT", "KILL", "TYPE", "replica");
    for (let i = 0; i < 60; i++) await p.must("SET", `key:${i}`, "x".repeat(1000));
    replica.signal("SIGCONT");
    await until("a second full sync", async () => (await info(p, "sync_full")) === "2");
    await until("link up", async () => (await info(r, "master_link_status")) === "up");
    await expectEqualData("after the second full sync", p, r);
    expect(primary.log()).toContain("for lack of backlog");
  }, 30_000);
});

describe("a bare connection as a replica", () => {
  test("SYNC: a snapshot with its length in front, then the commands with their databases and transactions", async () => {
    const primary = await ours();
    const p = await primary.connect();
    await p.must("SET", "before", "1");
    const replica = await primary.connect();
    replica.write("SYNC\r\n");
    let header = "";
    while (header === "") header = await replica.readLine();
    expect(header).toMatch(/^\$\d+$/);
    const snapshot = await replica.readBytes(Number(header.slice(1)));
    expect(snapshot.slice(0, 9)).toBe("REDIS0010");
    await p.must("SET", "a", "1");
    await p.must("SELECT", 3);
    await p.pipeline([["MULTI"], ["INCR", "b"], ["INCR", "b"], ["EXEC"]]);
    const commands: string[] = [];
    while (commands.length < 7) {
      const words = (await replica.readReply()) as string[];
      if (words[0].toLowerCase() !== "ping") commands.push(words.join(" "));
    }
    expect(commands).toEqual(["SELECT 0", "SET a 1", "MULTI", "SELECT 3", "INCR b", "INCR b", "EXEC"]);
    // A reply would stand in the middle of the stream.
    replica.write("GET a\r\n");
    await until("the end of the connection", () => Promise.resolve(replica.closed));
    expect(primary.log()).toContain("Replica generated a reply to command 'get', disconnecting it");
  });

  test("PSYNC with the EOF form: the mark ends the snapshot, the stream begins with an acknowledgement", async () => {
    const primary = await ours();
    const p = await primary.connect();
    await p.must("DEBUG", "POPULATE", 100);
    const replica = await primary.connect();
    await replica.must("REPLCONF", "listening-port", 12345, "capa", "eof", "capa", "psync2");
    replica.write("PSYNC ? -1\r\n");
    const [, id, offset] = /^\+FULLRESYNC ([0-9a-f]{40}) (\d+)$/.exec(await replica.readLine()) ?? [];
    expect(id).toHaveLength(40);
    const [, mark] = /^\$EOF:(.{40})$/.exec(await replica.readLine()) ?? [];
    let snapshot = "";
    while (!snapshot.endsWith(mark)) snapshot += await replica.readBytes(1);
    expect(snapshot.slice(0, 9)).toBe("REDIS0010");
    await p.must("SET", "a", "1");
    expect(await info(p, "slave0")).toContain("port=12345,state=online");
    replica.write(`REPLCONF ACK ${offset}\r\n`);
    let words: string[] = [];
    while (words[0] !== "SET") words = (await replica.readReply()) as string[];
    expect(words).toEqual(["SET", "a", "1"]);
    // The same history goes on from any point that the backlog has.
    replica.close();
    await until("the replica has gone", async () => (await info(p, "connected_slaves")) === "0");
    await p.must("SET", "b", "2");
    const again = await primary.connect();
    await again.must("REPLCONF", "capa", "psync2");
    again.write(`PSYNC ${id} ${Number(offset) + 1}\r\n`);
    expect(await again.readLine()).toBe(`+CONTINUE ${id}`);
    const seen: string[] = [];
    while (!seen.includes("SET b 2")) seen.push(((await again.readReply()) as string[]).join(" "));
    expect(seen.filter((command) => !command.startsWith("PING"))).toEqual(["SELECT 0", "SET a 1", "SET b 2"]);
  });

  test("REPLCONF refuses what it does not know, and answers nothing to an acknowledgement", async () => {
    const primary = await ours();
    const client = await primary.connect();
    expect(errorText(await client.call("REPLCONF", "capa"))).toContain("syntax error");
    expect(errorText(await client.call("REPLCONF", "nonsense", 1))).toContain("Unrecognized REPLCONF option: nonsense");
    expect(errorText(await client.call("REPLCONF", "ip-address", "x".repeat(255)))).toContain("is too long: 255 bytes");
    expect(errorText(await client.call("REPLCONF", "rdb-filter-only", "keys"))).toContain(
      "Unsupported rdb-filter-only option: keys",
    );
    expect(await client.pipeline([["REPLCONF", "capa", "unknown"], ["PING"]])).toEqual(["OK", "PONG"]);
    client.write("REPLCONF ACK 5\r\n");
    expect(await client.must("PING")).toBe("PONG");
  });

  test("WAITAOF waits for this server's disk", async () => {
    const primary = await ours("--appendonly", "yes", "--appendfsync", "everysec");
    const p = await primary.connect();
    await p.must("SET", "a", "1");
    expect(await p.must("WAITAOF", 1, 0, 5000)).toEqual([1, 0]);
    expect(await p.must("WAITAOF", 0, 1, 20)).toEqual([1, 0]);
    await p.must("CONFIG", "SET", "appendonly", "no");
    expect(errorText(await p.call("WAITAOF", 1, 0, 0))).toContain("numlocal is set but appendonly is disabled");
    expect(await p.must("WAITAOF", 0, 0, 0)).toEqual([0, 0]);
  });
});
