// What replication has to do with limits of others: CLIENT PAUSE holds the stream of a primary back, and the output of replicas counts as nobody else's
// memory.

import { expect, test } from "bun:test";
import { caughtUp, follow, info, withNodes } from "./nodes.ts";
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
        expect(await number("mem_not_counted_for_evict")).toBeGreaterThanOrEqual(replicas);
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
