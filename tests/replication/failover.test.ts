// FAILOVER between our server and real redis-servers: no write is lost, and nobody needs a full sync.

import { afterEach, expect, test } from "bun:test";
import type { RespClient } from "../support/client.ts";
import { describeOracle } from "../support/oracle.ts";
import type { RunningServer } from "../support/process.ts";
import { errorText, expectEqualData, follow, info, startOurs, startTheirs, until } from "./support.ts";

const started: RunningServer[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.stop()));
});

/** A primary with two replicas: ours, and redis-server. */
async function group(): Promise<{ servers: RunningServer[]; clients: RespClient[] }> {
  const servers = await Promise.all([startOurs(), startOurs(), startTheirs()]);
  started.push(...servers);
  const clients = await Promise.all(servers.map((server) => server.connect()));
  for (const client of clients.slice(1)) await follow(client, servers[0]);
  return { servers, clients };
}

async function rolesAre(clients: RespClient[], primary: RespClient): Promise<void> {
  await until("the new roles", async () => {
    for (const client of clients) {
      if ((await info(client, "role")) !== (client === primary ? "master" : "slave")) return false;
      if (client !== primary && (await info(client, "master_link_status")) !== "up") return false;
    }
    return (await info(clients[0], "master_failover_state")) === "no-failover";
  });
}

describeOracle("FAILOVER", () => {
  for (const [name, target] of [
    ["our server", 1],
    ["redis-server", 2],
  ] as const) {
    test(`to ${name}, and back`, async () => {
      const { servers, clients } = await group();
      const [old, ...others] = clients;
      const chosen = clients[target];
      for (let i = 0; i < 50; i++) await old.must("SET", `key:${i}`, i);
      const writer = await servers[0].connect();
      await old.must("FAILOVER", "TO", "127.0.0.1", servers[target].port, "TIMEOUT", 10_000);
      // Postponed while the failover is under way; then this server is a replica.
      expect(errorText(await writer.call("SET", "late", 1))).toMatch(/READONLY|^$/);
      for (const client of others)
        if (client !== chosen) await client.must("REPLICAOF", "127.0.0.1", servers[target].port);
      await rolesAre(clients, chosen);
      await chosen.must("SET", "after", 1);
      await expectEqualData(`after the failover to ${name}`, ...clients);
      expect(await info(chosen, "sync_full")).toBe("0");
      await chosen.must("FAILOVER", "TO", "127.0.0.1", servers[0].port);
      for (const client of others) if (client !== chosen) await client.must("REPLICAOF", "127.0.0.1", servers[0].port);
      await rolesAre(clients, old);
      await old.must("SET", "back", 1);
      await expectEqualData("after the way back", ...clients);
      expect(await info(old, "sync_full")).toBe("2");
    }, 60_000);
  }

  test("that cannot be is refused; one that waits can be aborted or ends with its time", async () => {
    const { servers, clients } = await group();
    const [primary, replica] = clients;
    const fails = async (...args: (string | number)[]): Promise<string> =>
      errorText(await primary.call("FAILOVER", ...args));
    expect(await fails("TO", "127.0.0.1", 1)).toContain("is not a replica");
    expect(await fails("TO", "127.0.0.1", servers[1].port, "FORCE")).toContain("requires both a timeout and target");
    expect(await fails("TIMEOUT", 0)).toContain("must be greater than 0");
    expect(await fails("NONSENSE")).toContain("syntax error");
    expect(await fails("ABORT")).toContain("No failover in progress");
    expect(errorText(await replica.call("FAILOVER"))).toContain("not valid when server is a replica");

    for (const server of servers.slice(1)) server.signal("SIGSTOP");
    const writer = await servers[0].connect();
    await writer.must("SET", "a", 1);
    await primary.must("FAILOVER");
    expect(await info(primary, "master_failover_state")).toBe("waiting-for-sync");
    expect(await fails()).toContain("already in progress");
    expect(errorText(await primary.call("REPLICAOF", "127.0.0.1", servers[1].port))).toContain("while failing over");
    await primary.must("FAILOVER", "ABORT");
    await writer.must("SET", "a", 2);
    await primary.must("FAILOVER", "TIMEOUT", 300);
    await until("the end of its time", async () => (await info(primary, "master_failover_state")) === "no-failover");
    await writer.must("SET", "a", 3);
    expect(servers[0].log()).toContain("FAILOVER to any replica aborted: Replica never caught up before timeout");
    for (const server of servers.slice(1)) server.signal("SIGCONT");
    await expectEqualData("in the end", ...clients);
  }, 60_000);
});
