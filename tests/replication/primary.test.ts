// Our server as the primary of real redis-servers, and what a bare connection sees of the stream.

import { describe, expect, test } from "bun:test";
import { Prng } from "../../src/base/prng.ts";
import { testSeed } from "../base/seeded.ts";
import type { RespClient } from "../support/client.ts";
import { describeOracle } from "../support/oracle.ts";
import { converge, errorOf, follow, info, type Node, waitForInfo, withNodes } from "./nodes.ts";
import { TEST_LIMIT_MS, until } from "./waiting.ts";
import { randomWrites } from "./writes.ts";

describeOracle("redis-server as our replica", () => {
  for (const diskless of ["yes", "no"]) {
    test(
      `random writes of all families, with cut links, diskless ${diskless}`,
      async () => {
        const seed = testSeed();
        const random = new Prng(seed);
        const args = ["--repl-diskless-sync", diskless];
        await withNodes(
          ["ts", "redis", "redis"],
          async (primary, first, second) => {
            const writer = await primary.server.connect();
            await randomWrites(writer, random, 2000);
            await follow(first, primary);
            await randomWrites(writer, random, 1000);
            await follow(second, primary);
            for (const replica of [first, second]) await waitForInfo(replica, "master_link_status", "up");
            for (let round = 0; round < 4; round++) {
              await randomWrites(writer, random, 700);
              await primary.client.must("CLIENT", "KILL", "TYPE", "replica");
              await randomWrites(writer, random, 300);
              await waitForInfo(primary, "connected_slaves", "2");
            }
            await converge(primary, [first, second], `seed ${seed}`);
            expect(Number(await info(primary, "sync_partial_ok")), `seed ${seed}`).toBeGreaterThan(0);
            writer.close();
          },
          args,
        );
      },
      TEST_LIMIT_MS,
    );
  }

  test(
    "three replicas share one snapshot",
    async () => {
      const args = ["--repl-diskless-sync-delay", "20", "--repl-diskless-sync-max-replicas", "3"];
      await withNodes(
        ["ts", "redis", "redis", "redis"],
        async (primary, ...replicas) => {
          await primary.client.must("DEBUG", "POPULATE", 1000);
          for (const replica of replicas) await follow(replica, primary);
          await converge(primary, replicas, "after the full sync");
          expect(primary.server.log().match(/Starting BGSAVE for SYNC/g)?.length).toBe(1);
        },
        args,
      );
    },
    TEST_LIMIT_MS,
  );

  test(
    "WAIT counts replicas, and min-replicas-to-write needs them",
    async () => {
      await withNodes(["ts", "redis"], async (primary, replica) => {
        const { client } = primary;
        await client.must("CONFIG", "SET", "min-replicas-to-write", 1);
        const refusal = "NOREPLICAS Not enough good replicas to write.";
        expect(await errorOf(primary, "SET", "a", "1")).toContain(refusal);
        await follow(replica, primary);
        await until("writes are accepted", async () => (await client.call("SET", "a", "1")) === "OK");
        expect(await client.must("WAIT", 1, 0)).toBe(1);
        expect(String(await replica.client.must("GET", "a"))).toBe("1");
        expect(await client.must("WAIT", 2, 50)).toBe(1);
        expect(await client.must("ROLE")).toEqual([
          "master",
          expect.any(Number),
          [["127.0.0.1", String(replica.server.port), expect.any(String)]],
        ]);
        await replica.client.must("REPLICAOF", "NO", "ONE");
        await waitForInfo(primary, "connected_slaves", "0");
        expect(await errorOf(primary, "SET", "a", "1")).toContain(refusal);
        expect(await client.must("WAIT", 0, 0)).toBe(0);
      });
    },
    TEST_LIMIT_MS,
  );

  test(
    "a replica that was away for longer than the backlog reaches starts anew",
    async () => {
      await withNodes(["ts", "redis"], async (primary, replica) => {
        const { client } = primary;
        await client.must("CONFIG", "SET", "repl-backlog-size", 20_000);
        await follow(replica, primary);
        await waitForInfo(replica, "master_link_status", "up");
        await client.must("SET", "key", "x".repeat(1000));
        expect(await client.must("WAIT", 1, 0)).toBe(1);
        replica.server.signal("SIGSTOP");
        await client.must("CLIENT", "KILL", "TYPE", "replica");
        for (let i = 0; i < 60; i++) await client.must("SET", `key:${i}`, "x".repeat(1000));
        replica.server.signal("SIGCONT");
        await waitForInfo(primary, "sync_full", "2");
        await converge(primary, [replica], "after the second full sync");
        await primary.server.waitForLog("for lack of backlog");
      });
    },
    TEST_LIMIT_MS,
  );
});

describe("a bare connection as a replica", () => {
  /** A test with a server of its own and a second connection to it. */
  function bare(name: string, body: (primary: Node, replica: RespClient) => Promise<void>): void {
    test(
      name,
      () =>
        withNodes(["ts"], async (primary) => {
          const replica = await primary.server.connect();
          await body(primary, replica);
          replica.close();
        }),
      TEST_LIMIT_MS,
    );
  }

  bare(
    "SYNC: a snapshot with its length in front, then the commands with their databases and transactions",
    async (primary, replica) => {
      const p = primary.client;
      await p.must("SET", "before", "1");
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
      await until("the end of the connection", () => replica.closed);
      await primary.server.waitForLog("Replica generated a reply to command 'get', disconnecting it");
    },
  );

  bare(
    "PSYNC with the EOF form: the mark ends the snapshot, the stream begins with an acknowledgement",
    async (primary, replica) => {
      const p = primary.client;
      await p.must("DEBUG", "POPULATE", 100);
      await replica.must("REPLCONF", "listening-port", 12345, "capa", "eof", "capa", "psync2");
      replica.write("PSYNC ? -1\r\n");
      const [, id, offset] = /^\+FULLRESYNC ([0-9a-f]{40}) (\d+)$/.exec(await replica.readLine()) ?? [];
      expect(id).toHaveLength(40);
      const [, mark] = /^\$EOF:(.{40})$/.exec(await replica.readLine()) ?? [];
      let snapshot = "";
      while (!snapshot.endsWith(mark)) snapshot += await replica.readBytes(1);
      expect(snapshot.slice(0, 9)).toBe("REDIS0010");
      await p.must("SET", "a", "1");
      expect(await info(primary, "slave0")).toContain("port=12345,state=online");
      replica.write(`REPLCONF ACK ${offset}\r\n`);
      let words: string[] = [];
      while (words[0] !== "SET") words = (await replica.readReply()) as string[];
      expect(words).toEqual(["SET", "a", "1"]);
      // The same history goes on from any point that the backlog has.
      replica.close();
      await waitForInfo(primary, "connected_slaves", "0");
      await p.must("SET", "b", "2");
      const again = await primary.server.connect();
      await again.must("REPLCONF", "capa", "psync2");
      again.write(`PSYNC ${id} ${Number(offset) + 1}\r\n`);
      expect(await again.readLine()).toBe(`+CONTINUE ${id}`);
      const seen: string[] = [];
      while (!seen.includes("SET b 2")) seen.push(((await again.readReply()) as string[]).join(" "));
      expect(seen.filter((command) => !command.startsWith("PING"))).toEqual(["SELECT 0", "SET a 1", "SET b 2"]);
    },
  );

  bare("REPLCONF refuses what it does not know, and answers nothing to an acknowledgement", async (primary) => {
    const { client } = primary;
    const fails = (...args: (string | number)[]): Promise<string> => errorOf(primary, "REPLCONF", ...args);
    expect(await fails("capa")).toContain("syntax error");
    expect(await fails("nonsense", 1)).toContain("Unrecognized REPLCONF option: nonsense");
    expect(await fails("ip-address", "x".repeat(255))).toContain("is too long: 255 bytes");
    expect(await fails("rdb-only", "x")).toBe("ERR value is not an integer or out of range");
    expect(await fails("rdb-only", 2)).toBe("ERR value is out of range, value must between 0 and 1");
    expect(await fails("rdb-filter-only", "keys")).toContain("Unsupported rdb-filter-only option: keys");
    expect(await client.pipeline([["REPLCONF", "capa", "unknown"], ["PING"]])).toEqual(["OK", "PONG"]);
    client.write("REPLCONF ACK 5\r\n");
    expect(await client.must("PING")).toBe("PONG");
  });

  bare("WAITAOF waits for this server's disk", async (primary) => {
    const p = primary.client;
    await p.must("CONFIG", "SET", "appendonly", "yes");
    await p.must("SET", "a", "1");
    expect(await p.must("WAITAOF", 1, 0, 0)).toEqual([1, 0]);
    expect(await p.must("WAITAOF", 0, 1, 20)).toEqual([1, 0]);
    await p.must("CONFIG", "SET", "appendonly", "no");
    expect(await errorOf(primary, "WAITAOF", 1, 0, 0)).toContain("numlocal is set but appendonly is disabled");
    expect(await p.must("WAITAOF", 0, 0, 0)).toEqual([0, 0]);
    expect(await errorOf(primary, "WAITAOF", 0, "x", 0)).toBe("ERR value is out of range, must be positive");
  });

  bare("WAIT for any number of replicas that an int64 can be", async (primary) => {
    for (const count of ["9223372036854775807", "-9223372036854775808"])
      expect(await primary.client.must("WAIT", count, 1)).toBe(0);
  });

  bare("a backlog is not smaller than 16 KiB", async (primary) => {
    await primary.client.must("CONFIG", "SET", "repl-backlog-size", 1);
    expect(await primary.client.must("CONFIG", "GET", "repl-backlog-size")).toEqual(["repl-backlog-size", "16384"]);
  });
});
