// What replication has to do with limits of others: CLIENT PAUSE holds the stream of a primary back, and the output of replicas counts as nobody else's
// memory.

import { expect, test } from "bun:test";
import type { RespClient } from "../support/client.ts";
import { caughtUp, follow, info, waitForInfo, withNodes } from "./nodes.ts";
import { TEST_LIMIT_MS, until } from "./waiting.ts";

test(
  "a replica whose clients may not write does not apply what its primary writes",
  async () => {
    await withNodes(["ts", "ts"], async (primary, replica) => {
      await follow(replica, primary);
      await primary.client.must("SET", "k", "before");
      await caughtUp(primary, replica);
      await replica.client.must("CLIENT", "PAUSE", "100000", "WRITE");
      // Not before the pause: a PING may come at any time.
      const before = await info(replica, "slave_repl_offset");
      await primary.client.must("SET", "k", "after");
      const written = Number(await info(primary, "master_repl_offset"));
      await until(
        "the replica has read it",
        async () => Number(await info(replica, "slave_read_repl_offset")) >= written,
      );
      expect(await info(replica, "slave_repl_offset")).toBe(before);
      expect(await replica.client.must("GET", "k")).toBe("before");
      await replica.client.must("CLIENT", "UNPAUSE");
      await caughtUp(primary, replica);
      expect(await replica.client.must("GET", "k")).toBe("after");
    });
  },
  TEST_LIMIT_MS,
);

test(
  "the output that a slow replica has waiting is no memory of clients, and evicts nothing",
  async () => {
    const args = ["--repl-backlog-size", "16384", "--maxmemory-policy", "allkeys-random"];
    await withNodes(
      ["ts"],
      async (primary) => {
        const slow = await primary.server.connect();
        await primary.client.must("SET", "k", "v");
        slow.write("SYNC\r\n");
        await until(
          () => primary.server.log(),
          async () => /state=online/.test(await info(primary, "slave0")),
        );
        slow.pauseReading(true);
        const number = async (field: string): Promise<number> => Number(await info(primary, field));
        const used = await number("used_memory");
        await primary.client.must("CONFIG", "SET", "maxmemory", used + 1_000_000);
        for (let i = 0; i < 200; i++) await primary.client.must("SETRANGE", "k", "0", "x".repeat(100_000));
        const replicas = await number("mem_clients_slaves");
        expect(replicas).toBeGreaterThan(5_000_000);
        // Blocks of the backlog itself cost a little, too.
        expect(await number("mem_not_counted_for_evict")).toBeGreaterThan(replicas - 1000);
        expect(await number("mem_clients_normal")).toBeLessThan(1_000_000);
        expect(Math.abs((await number("used_memory")) - used - replicas)).toBeLessThan(1_000_000);
        expect(await primary.client.must("DBSIZE")).toBe(1);
        slow.close();
      },
      args,
    );
  },
  TEST_LIMIT_MS,
);

test(
  "slow replicas share the output that waits for them, and it goes with the last of them",
  async () => {
    await withNodes(["ts"], async (primary) => {
      const number = async (field: string): Promise<number> => Number(await info(primary, field));
      await primary.client.must("CONFIG", "SET", "repl-backlog-size", 16_384);
      const slow: RespClient[] = [];
      for (let i = 0; i < 2; i++) {
        const replica = await primary.server.connect();
        replica.write("SYNC\r\n");
        await until("it is online", async () => /state=online/.test(await info(primary, `slave${i}`)));
        replica.pauseReading(true);
        slow.push(replica);
      }
      for (let i = 0; i < 200; i++) await primary.client.must("SET", "k", "x".repeat(100_000));
      const shared = await number("mem_total_replication_buffers");
      expect(shared).toBeGreaterThan(5_000_000);
      expect(shared).toBeLessThan(21_000_000);
      expect(await number("repl_backlog_histlen")).toBeGreaterThan(5_000_000);
      const list = String(await primary.client.must("CLIENT", "LIST", "TYPE", "replica"));
      const waiting = [...list.matchAll(/ oll=(\d+) omem=(\d+) tot-mem=(\d+) /g)].map((line) =>
        line.slice(1).map(Number),
      );
      expect(waiting).toHaveLength(2);
      for (const [blocks, bytes, total] of waiting) {
        expect(bytes).toBe(blocks * (16_384 + 64));
        expect(bytes).toBeGreaterThan(5_000_000);
        expect(total).toBeGreaterThan(bytes);
      }
      slow[0].close();
      await waitForInfo(primary, "connected_slaves", "1");
      expect(await number("mem_total_replication_buffers")).toBeGreaterThan(5_000_000);
      slow[1].close();
      await waitForInfo(primary, "connected_slaves", "0");
      expect(await number("mem_total_replication_buffers")).toBeLessThan(200_000);
      expect(await number("mem_clients_slaves")).toBe(0);
      expect(await number("repl_backlog_histlen")).toBeLessThan(200_000);
    });
  },
  TEST_LIMIT_MS,
);
