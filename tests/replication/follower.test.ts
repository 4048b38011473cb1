// This server as a replica: of redis-server, of itself, and in the middle of chains, with links that break.

import { expect } from "bun:test";
import { oracleTest } from "../support/oracle.ts";
import { converge, errorOf, follow, info, type Kind, type Node, startNode, waitForInfo, withNodes } from "./nodes.ts";
import { TEST_LIMIT_MS, until } from "./waiting.ts";
import { Writes } from "./writes.ts";

/** Cuts links at one side or the other while the primary is written to; a replica's next cut waits until it is back. */
async function writeThroughCuts(primary: Node, replicas: readonly Node[], seed: number): Promise<void> {
  const writes = new Writes(seed);
  for (let round = 0; round < 6; round++) {
    await writes.send(primary.client, 300);
    const cut = replicas[round % replicas.length];
    await waitForInfo(cut, "master_link_status", "up");
    if (round % 2 === 0) await primary.client.must("CLIENT", "KILL", "TYPE", "replica");
    else await cut.client.must("CLIENT", "KILL", "TYPE", "master");
    await writes.send(primary.client, 300);
  }
}

for (const [primaryKind, replicaKind] of [
  ["redis", "ts"],
  ["ts", "ts"],
] as [Kind, Kind][]) {
  for (const diskless of ["yes", "no"]) {
    for (const load of primaryKind === "redis"
      ? ["disabled", "swapdb"]
      : [diskless === "yes" ? "swapdb" : "disabled"]) {
      const name = `${replicaKind} follows ${primaryKind} (repl-diskless-sync ${diskless}, repl-diskless-load ${load})`;
      oracleTest(
        `${name} through cut links`,
        async () => {
          const args = ["--repl-diskless-sync", diskless];
          await withNodes(
            [primaryKind, replicaKind],
            async (primary, replica) => {
              await replica.client.must("CONFIG", "SET", "repl-diskless-load", load);
              await replica.client.must("SET", "old", "data");
              await new Writes(7).send(primary.client, 2000);
              await follow(replica, primary);
              await converge(primary, [replica], name);
              expect(await replica.client.must("EXISTS", "old")).toBe(0);
              await writeThroughCuts(primary, [replica], 11);
              await converge(primary, [replica], name);
              expect(await info(primary, "sync_full")).toBe("1");
              expect(Number(await info(primary, "sync_partial_ok"))).toBeGreaterThan(2);
            },
            args,
          );
        },
        TEST_LIMIT_MS,
      );
    }
  }
}

for (const kinds of [
  ["redis", "ts", "redis"],
  ["ts", "redis", "ts"],
  ["ts", "ts", "ts"],
] as Kind[][]) {
  oracleTest(
    `a chain ${kinds.join(" <- ")} through cut links`,
    async () => {
      await withNodes(kinds, async (first, second, third) => {
        await follow(second, first);
        await follow(third, second);
        await new Writes(3).send(first.client, 1000);
        await converge(first, [second, third], "at first");
        await writeThroughCuts(first, [second, third], 5);
        await converge(first, [second, third], "after cuts");
        await second.client.must("CLIENT", "KILL", "TYPE", "replica");
        await new Writes(9).send(first.client, 300);
        await converge(first, [second, third], "after a cut below");
        expect(await info(first, "sync_full")).toBe("1");
        expect(Number(await info(second, "sync_partial_ok"))).toBeGreaterThan(0);
      });
    },
    TEST_LIMIT_MS,
  );
}

for (const kinds of [
  ["redis", "ts", "redis"],
  ["ts", "ts", "redis"],
  ["ts", "redis", "ts"],
] as Kind[][]) {
  oracleTest(
    `a promoted replica takes over partially: ${kinds.join(", ")}`,
    async () => {
      await withNodes(kinds, async (old, heir, other) => {
        await follow(heir, old);
        await follow(other, old);
        const writes = new Writes(21);
        await writes.send(old.client, 1500);
        // What expires after the promotion, and a PING, would be a change that the heir does not have.
        await old.client.must("DEBUG", "SET-ACTIVE-EXPIRE", 0);
        await old.client.must("CONFIG", "SET", "repl-ping-replica-period", 3600);
        await converge(old, [heir, other], "before");
        expect(await heir.client.must("REPLICAOF", "NO", "ONE")).toBe("OK");
        expect(await info(heir, "role")).toBe("master");
        expect(await info(heir, "master_replid2")).toBe(await info(old, "master_replid"));
        await writes.send(heir.client, 500);
        await follow(other, heir);
        await follow(old, heir);
        await writes.send(heir.client, 500);
        await converge(heir, [old, other], "after");
        expect(await info(heir, "sync_full")).toBe("0");
        expect(await info(heir, "sync_partial_ok")).toBe("2");
      });
    },
    TEST_LIMIT_MS,
  );
}

oracleTest(
  "clients of a replica do not write, and see nothing old unless they may",
  async () => {
    await withNodes(["redis", "ts"], async (primary, replica) => {
      await primary.client.must("SET", "key", "value");
      await follow(replica, primary);
      await converge(primary, [replica], "at first");
      expect(await errorOf(replica, "SET", "key", "x")).toStartWith("READONLY ");
      expect(await replica.client.must("GET", "key")).toBe("value");
      await replica.client.must("CONFIG", "SET", "replica-serve-stale-data", "no");
      expect(await replica.client.must("GET", "key")).toBe("value");
      await primary.client.must("CONFIG", "SET", "requirepass", "secret");
      await replica.client.must("CLIENT", "KILL", "TYPE", "master");
      await waitForInfo(replica, "master_link_status", "down");
      expect(await errorOf(replica, "GET", "key")).toStartWith("MASTERDOWN ");
      expect(await info(replica, "role")).toBe("slave");
      await replica.client.must("CONFIG", "SET", "masterauth", "secret");
      await waitForInfo(replica, "master_link_status", "up");
      expect(await replica.client.must("GET", "key")).toBe("value");
      await replica.client.must("CONFIG", "SET", "replica-read-only", "no");
      await replica.client.must("SET", "own", "1");
      await replica.client.must("REPLICAOF", "NO", "ONE");
      await replica.client.must("SET", "more", "1");
    });
  },
  TEST_LIMIT_MS,
);

oracleTest(
  "keys whose time has come are hidden on a replica until the primary deletes them",
  async () => {
    await withNodes(["redis", "ts"], async (primary, replica) => {
      await primary.client.must("DEBUG", "SET-ACTIVE-EXPIRE", 0);
      await follow(replica, primary);
      await primary.client.must("SET", "short", "1", "PX", 30);
      await converge(primary, [replica], "at first");
      await until("the key expires", async () => (await replica.client.must("GET", "short")) === null);
      expect(await replica.client.must("DBSIZE")).toBe(1);
      expect(await primary.client.must("GET", "short")).toBe(null);
      await until("the key is deleted", async () => (await replica.client.must("DBSIZE")) === 0);
    });
  },
  TEST_LIMIT_MS,
);

for (const primaryKind of ["redis", "ts"] as Kind[]) {
  oracleTest(
    `a replica of ${primaryKind} that starts again goes on where it was`,
    async () => {
      await withNodes([primaryKind, "ts"], async (primary, replica) => {
        const writes = new Writes(31);
        await follow(replica, primary);
        await writes.send(primary.client, 500);
        await primary.client.must("SELECT", 2);
        await writes.send(primary.client, 200);
        await converge(primary, [replica], "before");
        await replica.client.must("SAVE");
        await writes.send(primary.client, 200);
        const again = await startNode("ts", [
          "--replicaof",
          `127.0.0.1 ${primary.server.port}`,
          "--dir",
          replica.server.dir,
        ]);
        try {
          await writes.send(primary.client, 200);
          await converge(primary, [replica, again], "after");
          expect(await info(primary, "sync_full")).toBe("1");
          expect(await info(primary, "sync_partial_ok")).toBe("1");
        } finally {
          again.client.close();
          await again.server.stop();
        }
      });
    },
    TEST_LIMIT_MS,
  );
}

oracleTest(
  "keys that clients write on a writable replica expire there",
  async () => {
    await withNodes(["redis", "ts"], async (primary, replica) => {
      await primary.client.must("DEBUG", "SET-ACTIVE-EXPIRE", 0);
      await follow(replica, primary);
      await primary.client.must("SET", "theirs", "1", "PX", 10);
      await primary.client.must("SET", "counter", "5", "PX", 10);
      await converge(primary, [replica], "at first");
      await replica.client.must("CONFIG", "SET", "replica-read-only", "no");
      await replica.client.must("SET", "mine", "1", "PX", 50);
      expect(await info(replica, "slave_expires_tracked_keys")).toBe("1");
      await until("the key expires", async () => (await replica.client.must("DBSIZE")) === 2);
      expect(await info(replica, "slave_expires_tracked_keys")).toBe("0");
      // A write finds that the key has expired, a read does not delete it.
      expect(await replica.client.must("INCR", "counter")).toBe(1);
      expect(await replica.client.must("GET", "theirs")).toBe(null);
      expect(await replica.client.must("DBSIZE")).toBe(2);
    });
  },
  TEST_LIMIT_MS,
);
