// Failovers that real Sentinels drive: three of them watch a primary of ours with two replicas, one of ours and one of the real server. The primary is
// killed again and again; each time a replica takes over, nothing that WAIT 1 has acknowledged is lost, and the old primary comes back as a replica.
// REDIS_TS_FAILOVERS says how often; once if it is not set.

import { expect, test } from "bun:test";
import type { RespClient } from "../support/client.ts";
import { ORACLE_TAG, oracleAvailable } from "../support/oracle.ts";
import { FleetNode, Sentinel } from "./fleet.ts";
import type { Kind } from "./nodes.ts";
import { TEST_LIMIT_MS, until } from "./waiting.ts";

const FAILOVERS = Number(process.env.REDIS_TS_FAILOVERS ?? 1);
const SENTINELS = 3;
const DOWN_AFTER_MS = 1000;
const FAILOVER_TIMEOUT_MS = 6000;
/** Sentinels that were not scheduled for two seconds do nothing for thirty; split votes cost another election or two. */
const FAILOVER_LIMIT_MS = 120_000;
/** How long writes go on before a primary is killed, in ms: at least, and at random on top. */
const WRITE_MS = 700;
const WRITE_MORE_MS = 500;

/** Writes numbers under keys of its own until it is stopped or the server is gone, and remembers which were acknowledged by a replica. */
class Writer {
  /** Numbers that at least one replica has. */
  readonly safe: number[] = [];
  #next = 1;
  #stopped = false;
  #client: RespClient | null = null;

  async run(primary: FleetNode): Promise<void> {
    this.#stopped = false;
    try {
      this.#client = await primary.connect();
      while (!this.#stopped) {
        const n = this.#next++;
        const [, , acknowledged] = await this.#client.pipeline([
          ["SET", `key:${n}`, n],
          ["RPUSH", "list", n],
          ["WAIT", 1, 1000],
        ]);
        if (typeof acknowledged === "number" && acknowledged >= 1) this.safe.push(n);
      }
    } catch (error) {
      if (!/closed|ECONNREFUSED|Failed to connect/.test(String(error))) throw error;
    } finally {
      this.#client?.close();
    }
  }

  stop(): void {
    this.#stopped = true;
  }
}

async function missing(primary: FleetNode, numbers: readonly number[]): Promise<number[]> {
  const client = await primary.connect();
  try {
    const values = await client.pipeline(numbers.map((n) => ["GET", `key:${n}`]));
    return numbers.filter((n, i) => String(values[i]) !== String(n));
  } finally {
    client.close();
  }
}

/** The server that all Sentinels take for the primary, and that takes itself for it; false when they do not agree. */
async function agreedPrimary(nodes: readonly FleetNode[], sentinels: readonly Sentinel[]): Promise<FleetNode | false> {
  const ports = await Promise.all(sentinels.map((sentinel) => sentinel.primaryPort()));
  const node = nodes.find((one) => one.port === ports[0]);
  if (node === undefined || ports.some((port) => port !== ports[0])) return false;
  return (await node.info()).get("role") === "master" && node;
}

/** One failover; returns the new primary. Sentinels whose votes were split may make two of it: what counts is where it ends. */
async function failOver(
  nodes: readonly FleetNode[],
  sentinels: readonly Sentinel[],
  primary: FleetNode,
  writer: Writer,
): Promise<FleetNode> {
  const writing = writer.run(primary);
  await Bun.sleep(WRITE_MS + Math.random() * WRITE_MORE_MS);
  await primary.kill();
  writer.stop();
  await writing;
  await until(
    `a new primary instead of port ${primary.port}`,
    async () => {
      const node = await agreedPrimary(nodes, sentinels);
      return node !== false && node !== primary;
    },
    FAILOVER_LIMIT_MS,
  );
  primary.start();
  await primary.isUp();
  const next = await until(
    "two replicas that follow one primary",
    async () => {
      const node = await agreedPrimary(nodes, sentinels);
      if (node === false || node === primary) return false;
      const follow = await Promise.all(nodes.map((one) => one === node || one.follows(node)));
      return follow.every(Boolean) && node;
    },
    FAILOVER_LIMIT_MS,
  );
  expect(await missing(next, writer.safe)).toEqual([]);
  return next;
}

async function runFailovers(kinds: readonly Kind[], count: number): Promise<void> {
  const nodes = kinds.map((kind) => new FleetNode(kind));
  const [first, ...others] = nodes;
  for (const node of nodes) node.start();
  for (const node of nodes) await node.isUp();
  for (const node of others) await node.ask("REPLICAOF", "127.0.0.1", first!.port);
  for (const node of others) await until("the first synchronization", () => node.follows(first!));
  const times = { downAfterMs: DOWN_AFTER_MS, failoverTimeoutMs: FAILOVER_TIMEOUT_MS };
  const sentinels = Array.from({ length: SENTINELS }, () => new Sentinel(first!, 2, times));
  try {
    for (const sentinel of sentinels) sentinel.start();
    for (const sentinel of sentinels) {
      await until("Sentinels that know everyone", async () => {
        const { replicas, sentinels: peers } = await sentinel.knows();
        return replicas === others.length && peers === SENTINELS - 1;
      });
    }
    const writer = new Writer();
    let primary = first!;
    for (let i = 0; i < count; i++) {
      const before = writer.safe.length;
      primary = await failOver(nodes, sentinels, primary, writer);
      expect(writer.safe.length, `writes that were safe before failover ${i + 1}`).toBeGreaterThan(before);
    }
    await until("equal digests", async () => {
      const digests = await Promise.all(nodes.map((node) => node.digest()));
      return digests.every((digest) => digest === digests[0]);
    });
  } catch (error) {
    for (const one of [...nodes, ...sentinels])
      console.error(`--- port ${one.port}\n${(await one.log()).slice(-4000)}`);
    throw error;
  } finally {
    for (const one of [...sentinels, ...nodes]) await one.dispose();
  }
}

test.skipIf(!oracleAvailable())(
  `${ORACLE_TAG} Sentinels fail over between our servers and the real one`,
  () => runFailovers(["ts", "ts", "redis"], FAILOVERS),
  FAILOVERS * 2 * FAILOVER_LIMIT_MS + TEST_LIMIT_MS,
);
