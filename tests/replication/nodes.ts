// Servers that replicate each other: ours and redis-server in any order, and the wait until all have the same data.

import { expect } from "bun:test";
import type { RespClient } from "../support/client.ts";
import { startOracle } from "../support/oracle.ts";
import type { RunningServer } from "../support/process.ts";
import { ReplyError } from "../support/reply.ts";
import { startServer } from "../support/server.ts";
import { until } from "./waiting.ts";

/** Ours, or redis-server. */
export type Kind = "ts" | "redis";

/** A server that ends does not wait for its replicas, and a full sync not for more of them. */
const SETTINGS = [
  ...["--enable-debug-command", "yes"],
  ...["--shutdown-timeout", "0"],
  ...["--repl-diskless-sync-delay", "0"],
  ...["--repl-backlog-size", "4mb"],
  ...["--repl-timeout", "20"],
];

/** A server with a connection to it. */
export interface Node {
  readonly kind: Kind;
  readonly server: RunningServer;
  readonly client: RespClient;
}

export async function startNode(kind: Kind, args: readonly string[] = []): Promise<Node> {
  const all = [...SETTINGS, ...args];
  const server = kind === "ts" ? await startServer(all) : await startOracle(all);
  return { kind, server, client: await server.connect() };
}

/** Starts servers, runs the test, and stops them. */
export async function withNodes(
  kinds: readonly Kind[],
  test: (...nodes: Node[]) => Promise<void>,
  args: readonly string[] = [],
): Promise<void> {
  const nodes = await Promise.all(kinds.map((kind) => startNode(kind, args)));
  try {
    await test(...nodes);
  } finally {
    for (const { client } of nodes) client.close();
    await Promise.all(nodes.map(({ server }) => server.stop()));
  }
}

/** Makes a server a replica of another. */
export async function follow(replica: Node, primary: Node): Promise<void> {
  expect(await replica.client.call("REPLICAOF", "127.0.0.1", primary.server.port)).toBe("OK");
}

/** The text of the error that a command is answered with. */
export async function errorOf({ client }: Node, ...args: (string | number)[]): Promise<string> {
  const reply = await client.call(...args);
  return reply instanceof ReplyError ? reply.message : `no error: ${reply}`;
}

/** Lines `name:value` of INFO. */
export function infoFields(text: string): Map<string, string> {
  const lines = text.split("\r\n").filter((line) => line.includes(":"));
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1)]));
}

/** A field of INFO; "" when there is none. */
export async function info({ client }: Node, field: string): Promise<string> {
  return infoFields(String(await client.must("INFO", "everything"))).get(field) ?? "";
}

/** Waits until a field of INFO has a value. */
export async function waitForInfo(node: Node, field: string, value: string): Promise<void> {
  await until(
    async () => `${node.kind} has ${field}:${await info(node, field)}, not ${value}\n${node.server.log()}`,
    async () => (await info(node, field)) === value,
  );
}

/** Waits until a replica is connected to its primary and has all that it has. What a primary sends by itself, PINGs, makes both offsets move. */
export async function caughtUp(primary: Node, replica: Node): Promise<void> {
  await waitForInfo(replica, "master_link_status", "up");
  const offsets = async (): Promise<string[]> => [
    await info(primary, "master_repl_offset"),
    await info(replica, "slave_repl_offset"),
  ];
  await until(
    async () => `offsets ${await offsets()}\n${replica.server.log()}`,
    async () => new Set(await offsets()).size === 1,
  );
}

/** Waits until the replicas have all that the primary has, and compares their data sets. */
export async function converge(primary: Node, replicas: readonly Node[], note: string): Promise<void> {
  for (const replica of replicas) await waitForInfo(replica, "master_link_status", "up");
  const offsets = async (): Promise<string[]> => {
    const all: string[] = [];
    for (const node of [primary, ...replicas]) all.push(await info(node, "master_repl_offset"));
    return all;
  };
  await until(
    async () => `${note}: offsets ${await offsets()}\n${replicas.map(({ server }) => server.log()).join("\n\n")}`,
    async () => new Set(await offsets()).size === 1,
  );
  // A key whose time comes now is gone on one of them a moment earlier.
  for (const replica of replicas) {
    await until(
      async () => `${note}: ${await firstDifference(primary, replica)}`,
      async () => (await primary.client.must("DEBUG", "DIGEST")) === (await replica.client.must("DEBUG", "DIGEST")),
    );
  }
}

/** The first key whose values differ. */
async function firstDifference(primary: Node, replica: Node): Promise<string> {
  for (let db = 0; db < 4; db++) {
    await primary.client.must("SELECT", db);
    await replica.client.must("SELECT", db);
    const keys = new Set<string>();
    for (const { client } of [primary, replica])
      for (const key of (await client.must("KEYS", "*")) as string[]) keys.add(key);
    for (const key of keys) {
      const ours = await primary.client.must("DEBUG", "DIGEST-VALUE", key);
      const theirs = await replica.client.must("DEBUG", "DIGEST-VALUE", key);
      if (String(ours) === String(theirs)) continue;
      const type = await primary.client.must("TYPE", key);
      return `db ${db} key ${key} (${type}): ${ours} on ${primary.kind}, ${theirs} on ${replica.kind}`;
    }
  }
  return "the digests differ, but no key does";
}
