// FAILOVER between our server and real redis-servers: no write is lost, and nobody needs a full sync.

import { expect, test } from "bun:test";
import { describeOracle } from "../support/oracle.ts";
import { caughtUp, converge, errorOf, follow, info, type Node, withNodes } from "./nodes.ts";
import { TEST_LIMIT_MS, until } from "./waiting.ts";

/** A primary with two replicas: ours, and redis-server. */
function withGroup(body: (primary: Node, replicas: readonly [Node, Node]) => Promise<void>): Promise<void> {
  return withNodes(["ts", "ts", "redis"], async (primary, first, second) => {
    for (const replica of [first, second]) {
      await follow(replica, primary);
      await caughtUp(primary, replica);
    }
    await body(primary, [first, second]);
  });
}

async function rolesAre(nodes: readonly Node[], primary: Node): Promise<void> {
  await until("the new roles", async () => {
    for (const node of nodes) {
      if ((await info(node, "role")) !== (node === primary ? "master" : "slave")) return false;
      if (node !== primary && (await info(node, "master_link_status")) !== "up") return false;
    }
    return (await info(nodes[0], "master_failover_state")) === "no-failover";
  });
}

describeOracle("FAILOVER", () => {
  for (const [name, target] of [
    ["our server", 0],
    ["redis-server", 1],
  ] as const) {
    test(
      `to ${name}, and back`,
      async () => {
        await withGroup(async (old, replicas) => {
          const chosen = replicas[target];
          const other = replicas[1 - target];
          const all = [old, ...replicas];
          for (let i = 0; i < 50; i++) await old.client.must("SET", `key:${i}`, i);
          const writer = await old.server.connect();
          await old.client.must("FAILOVER", "TO", "127.0.0.1", chosen.server.port, "TIMEOUT", 60_000);
          // Postponed while the failover is under way; then this server is a replica.
          const late = await errorOf({ ...old, client: writer }, "SET", "late", 1);
          expect(late).toMatch(/^READONLY|^no error: OK$/);
          await follow(other, chosen);
          await rolesAre(all, chosen);
          await chosen.client.must("SET", "after", 1);
          await converge(chosen, [old, other], `after the failover to ${name}`);
          expect(await info(chosen, "sync_full")).toBe("0");
          await chosen.client.must("FAILOVER", "TO", "127.0.0.1", old.server.port);
          await follow(other, old);
          await rolesAre(all, old);
          await old.client.must("SET", "back", 1);
          await converge(old, replicas, "after the way back");
          expect(await info(old, "sync_full")).toBe("2");
          writer.close();
        });
      },
      TEST_LIMIT_MS,
    );
  }

  test(
    "that cannot be is refused; one that waits can be aborted or ends with its time",
    async () => {
      await withGroup(async (primary, replicas) => {
        const [replica] = replicas;
        const { port } = replica.server;
        const fails = (...args: (string | number)[]): Promise<string> => errorOf(primary, "FAILOVER", ...args);
        expect(await fails("TO", "127.0.0.1", 1)).toContain("is not a replica");
        expect(await fails("TO", "127.0.0.1", port, "FORCE")).toContain("requires both a timeout and target");
        expect(await fails("TIMEOUT", 0)).toContain("must be greater than 0");
        expect(await fails("NONSENSE")).toContain("syntax error");
        expect(await fails("ABORT")).toContain("No failover in progress");
        expect(await errorOf(replica, "FAILOVER")).toContain("not valid when server is a replica");

        for (const { server } of replicas) server.signal("SIGSTOP");
        const writer = await primary.server.connect();
        await writer.must("SET", "a", 1);
        await primary.client.must("FAILOVER");
        expect(await info(primary, "master_failover_state")).toBe("waiting-for-sync");
        expect(await fails()).toContain("already in progress");
        expect(await errorOf(primary, "REPLICAOF", "127.0.0.1", port)).toContain("while failing over");
        await primary.client.must("FAILOVER", "ABORT");
        await writer.must("SET", "a", 2);
        await primary.client.must("FAILOVER", "TIMEOUT", 300);
        await until(
          "the end of its time",
          async () => (await info(primary, "master_failover_state")) === "no-failover",
        );
        await writer.must("SET", "a", 3);
        await primary.server.waitForLog("FAILOVER to any replica aborted: Replica never caught up before timeout");
        for (const { server } of replicas) server.signal("SIGCONT");
        await converge(primary, replicas, "in the end");
        writer.close();
      });
    },
    TEST_LIMIT_MS,
  );
});
