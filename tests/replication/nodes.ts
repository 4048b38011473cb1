// Servers that replicate each other: ours and redis-server in any order, random writes on the primary, and the wait until all have the same data.

import { expect } from "bun:test";
import { Prng } from "../../src/base/prng.ts";
import type { RespClient } from "../support/client.ts";
import { startOracle } from "../support/oracle.ts";
import type { RunningServer } from "../support/process.ts";
import { startServer } from "../support/server.ts";

/** Ours, or redis-server. */
export type Kind = "ts" | "redis";

const SETTINGS = [
  "--enable-debug-command",
  "yes",
  "--repl-diskless-sync-delay",
  "0",
  "--repl-backlog-size",
  "4mb",
  "--repl-timeout",
  "20",
];
const QUIET_LIMIT_MS = 20_000;

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

/** A field of INFO. */
export async function info({ client }: Node, field: string): Promise<string> {
  const text = String(await client.must("INFO", "everything"));
  return new RegExp(`^${field}:(.*?)\\r?$`, "m").exec(text)?.[1] ?? "";
}

/** Waits until a field of INFO has a value. */
export async function waitForInfo(node: Node, field: string, value: string): Promise<void> {
  await until(
    async () => (await info(node, field)) === value,
    async () => `${node.kind} has ${field}:${await info(node, field)}, not ${value}\n${node.server.log()}`,
  );
}

/** Waits until something is so. */
export async function until(
  done: () => Promise<boolean>,
  describe: () => Promise<string>,
  limitMs = QUIET_LIMIT_MS,
): Promise<void> {
  const deadlineMs = performance.now() + limitMs;
  while (!(await done())) {
    if (performance.now() > deadlineMs) throw new Error(await describe());
    await Bun.sleep(20);
  }
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
    async () => new Set(await offsets()).size === 1,
    async () => `${note}: offsets ${await offsets()}\n${replicas.map(({ server }) => server.log()).join("\n\n")}`,
  );
  // A key whose time comes now is gone on one of them a moment earlier.
  for (const replica of replicas) {
    await until(
      async () => (await primary.client.must("DEBUG", "DIGEST")) === (await replica.client.must("DEBUG", "DIGEST")),
      async () => `${note}: ${await firstDifference(primary, replica)}`,
      3000,
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

/** Random writes of all types, the same in every server that knows Redis 7.0's commands. */
export class Writes {
  readonly #prng: Prng;
  count = 0;

  constructor(seed: number) {
    this.#prng = new Prng(seed);
  }

  #below(n: number): number {
    return this.#prng.below(n);
  }

  #text(): string {
    return "x".repeat(this.#below(10) === 0 ? this.#below(300) : this.#below(12)) + this.#below(1000);
  }

  #command(): (string | number)[] {
    const key = (type: string): string => `${type}:${this.#below(30)}`;
    const member = (): string => `m${this.#below(200)}`;
    switch (this.#below(26)) {
      case 0:
        return ["SET", key("s"), this.#text()];
      case 1:
        return ["SET", key("s"), this.#text(), "PX", this.#below(400) + 1];
      case 2:
        return ["APPEND", key("s"), this.#text()];
      case 3:
        return ["INCRBY", key("n"), this.#below(1000) - 500];
      case 4:
        return ["SETRANGE", key("s"), this.#below(100), this.#text()];
      case 5:
        return ["RPUSH", key("l"), this.#text(), this.#text(), this.#text()];
      case 6:
        return ["LPUSH", key("l"), this.#text()];
      case 7:
        return ["LPOP", key("l"), this.#below(4)];
      case 8:
        return ["LTRIM", key("l"), 0, this.#below(60)];
      case 9:
        return ["SADD", key("t"), member(), member(), this.#below(1000)];
      case 10:
        return ["SPOP", key("t"), this.#below(4)];
      case 11:
        return ["SINTERSTORE", key("t"), key("t"), key("t")];
      case 12:
        return ["HSET", key("h"), member(), this.#text(), member(), this.#text()];
      case 13:
        return ["HDEL", key("h"), member(), member()];
      case 14:
        return ["HINCRBY", key("hn"), member(), this.#below(100)];
      case 15:
        return ["ZADD", key("z"), this.#below(1000), member(), this.#below(1000), member()];
      case 16:
        return ["ZPOPMIN", key("z"), this.#below(3)];
      case 17:
        return ["ZINCRBY", key("z"), this.#below(50), member()];
      case 18:
        return ["XADD", key("x"), "MAXLEN", "~", 100, "*", "f", this.#text(), member(), this.#text()];
      case 19:
        return ["PEXPIRE", key(["s", "l", "t", "h", "z"][this.#below(5)]), this.#below(500) + 1];
      case 20:
        return ["DEL", key(["s", "l", "t", "h", "z", "x"][this.#below(6)])];
      case 21:
        return ["RENAME", key("s"), key("s")];
      case 22:
        return ["PFADD", key("p"), member(), member()];
      case 23:
        return ["SETBIT", key("b"), this.#below(2000), this.#below(2)];
      case 24:
        return ["GETEX", key("s"), "EX", 100];
      default:
        return ["COPY", key("h"), key("h"), "REPLACE"];
    }
  }

  /** Sends some commands in one piece, now and then as a transaction or in another database. */
  async send(client: RespClient, count: number): Promise<void> {
    const commands: (string | number)[][] = [];
    for (let i = 0; i < count; i++) {
      if (this.#below(40) === 0) commands.push(["SELECT", this.#below(3)]);
      if (this.#below(20) === 0) commands.push(["MULTI"], this.#command(), this.#command(), ["EXEC"]);
      else commands.push(this.#command());
    }
    this.count += commands.length;
    await client.pipeline(commands);
  }
}
