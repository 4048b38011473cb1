// Chaos: a primary and two replicas under random writes of all types, while links break, stall and crawl, servers are killed and started again, and
// replicas take over. Every now and then all is quiet, and the digests of all three must become equal. What WAIT promises is checked on the spot, and
// again after each change of the primary.
// REDIS_TS_CHAOS_SECONDS says how long; 40 seconds if it is not set.

import { expect, test } from "bun:test";
import { Prng } from "../../src/base/prng.ts";
import { testSeed } from "../base/seeded.ts";
import { DATA_FAMILIES } from "../oracle/data-families.ts";
import { Draw } from "../oracle/draw.ts";
import type { RespClient } from "../support/client.ts";
import { ORACLE_TAG, oracleAvailable } from "../support/oracle.ts";
import { ReplyError } from "../support/reply.ts";
import { FleetNode } from "./fleet.ts";
import type { Kind } from "./nodes.ts";
import { Link } from "./proxy-link.ts";
import { SETTLE_LIMIT_MS, until } from "./waiting.ts";

const SECONDS = Number(process.env.REDIS_TS_CHAOS_SECONDS ?? 40);
/** Commands that wait, that end or spoil the connection or the server, or that reach the database of what is promised; and PFCOUNT, which changes its key even on a replica. */
const LEFT_OUT =
  /^(B[LRZ].*|XREAD.*|WAIT.*|SHUTDOWN|QUIT|CLIENT|CONFIG|DEBUG|MONITOR|.*SUBSCRIBE|REPLICAOF|SLAVEOF|FAILOVER|SAVE|BGSAVE|BGREWRITEAOF|RESET|HELLO|AUTH|MIGRATE|PFSELFTEST|PFDEBUG|PFCOUNT|SORT|FLUSHALL|SWAPDB)$/i;
/** Database of what WAIT has promised. */
const SAFE_DB = 9;
const BATCH = 20;
const EVENTS_PER_QUIET = 6;

/** Three servers; each has a link of its own through which it follows the primary of the day. */
class Fleet {
  readonly nodes: readonly FleetNode[];
  readonly links = new Map<FleetNode, Link>();
  primary: FleetNode;
  /** Counts what happens, and its beginnings and ends: a check that spans one of them means nothing. */
  events = 0;

  constructor(kinds: readonly Kind[]) {
    this.nodes = kinds.map((kind) => new FleetNode(kind, ["--repl-diskless-sync-delay", "0", "--repl-timeout", "10"]));
    this.primary = this.nodes[0]!;
  }

  async start(): Promise<void> {
    for (const node of this.nodes) node.start();
    for (const node of this.nodes) {
      await node.isUp();
      this.links.set(node, await Link.open(this.primary.port));
    }
    for (const node of this.replicas) await this.follow(node);
    await this.settle();
  }

  get replicas(): FleetNode[] {
    return this.nodes.filter((node) => node !== this.primary);
  }

  /** Refused while the node loads what its link has brought already. */
  async follow(node: FleetNode): Promise<void> {
    const { port } = this.links.get(node)!;
    await until(`port ${node.port} accepts REPLICAOF`, async () =>
      String(await node.ask("REPLICAOF", "127.0.0.1", port)).startsWith("OK"),
    );
  }

  /** Makes a replica the primary, and the others its replicas. */
  async promote(next: FleetNode): Promise<void> {
    await next.ask("REPLICAOF", "NO", "ONE");
    this.primary = next;
    this.events++;
    for (const node of this.nodes) {
      const link = this.links.get(node)!;
      link.target = next.port;
      link.cut();
    }
    for (const node of this.replicas) if (node.pid !== 0) await this.follow(node);
  }

  /** Waits until all replicas are connected and have all that the primary has. */
  async settle(): Promise<void> {
    for (const link of this.links.values()) link.pace = "free";
    for (const node of this.replicas) {
      const port = this.links.get(node)!.port;
      await until(`${node.kind} on port ${node.port} follows ${this.primary.port}`, () => node.follows({ port }));
      await until(`${node.kind} on port ${node.port} has everything`, async () => {
        const [ours, theirs] = [await node.info(), await this.primary.info()];
        return ours.get("slave_repl_offset") === theirs.get("master_repl_offset");
      });
    }
  }

  async stop(): Promise<void> {
    for (const link of this.links.values()) link.close();
    for (const node of this.nodes) await node.dispose();
  }
}

/** Random writes to the primary of the day, until stopped. */
class Writers {
  /** Numbers that WAIT has said both replicas have. */
  readonly safe: number[] = [];
  checks = 0;
  readonly #fleet: Fleet;
  readonly #prng: Prng;
  readonly #draw: Draw;
  #next = 1;
  #stopped = false;
  #running: Promise<void>[] = [];

  constructor(fleet: Fleet, prng: Prng) {
    this.#fleet = fleet;
    this.#prng = prng;
    this.#draw = new Draw(prng);
  }

  start(): void {
    this.#stopped = false;
    this.#running = [this.#run((client) => this.#writeRandom(client)), this.#run((client) => this.#writeSafe(client))];
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#running);
  }

  /** Goes on with a new connection when one breaks. */
  async #run(step: (client: RespClient) => Promise<void>): Promise<void> {
    while (!this.#stopped) {
      let client: RespClient | null = null;
      try {
        client = await this.#fleet.primary.connect();
        while (!this.#stopped) await step(client);
      } catch (error) {
        if (!/closed|ECONNREFUSED|Failed to connect/.test(String(error))) throw error;
        await Bun.sleep(50);
      } finally {
        client?.close();
      }
    }
  }

  async #writeRandom(client: RespClient): Promise<void> {
    const commands: (readonly Uint8Array[])[] = [];
    while (commands.length < BATCH) {
      const step = DATA_FAMILIES[this.#prng.below(DATA_FAMILIES.length)]!.draw(this.#draw);
      const args = "args" in step ? step.args : step;
      if (args.length === 0 || args[0] === "" || LEFT_OUT.test(args[0]!)) continue;
      if (/^FLUSHDB$/i.test(args[0]!) && this.#prng.below(20) > 0) continue;
      if (/^SELECT$/i.test(args[0]!) && args[1] === String(SAFE_DB)) continue;
      commands.push(args.map((arg) => Buffer.from(arg, "latin1")));
    }
    await client.pipeline(commands);
    await Bun.sleep(2);
  }

  /** A write that waits for both replicas, in a database that nothing else touches; what WAIT says is checked at once. */
  async #writeSafe(client: RespClient): Promise<void> {
    const n = this.#next++;
    const { events } = this.#fleet;
    const { replicas } = this.#fleet;
    const [, , acknowledged] = await client.pipeline([
      ["SELECT", SAFE_DB],
      ["SET", `safe:${n}`, n],
      ["WAIT", 2, 500],
    ]);
    if (acknowledged !== 2 || events !== this.#fleet.events) return;
    const held = await Promise.all(replicas.map((node) => holds(node, [n]).catch(() => null)));
    if (events !== this.#fleet.events || held.includes(null)) return;
    this.checks++;
    expect(
      held.map((missing) => missing?.length),
      `WAIT 2 said that both replicas have number ${n}`,
    ).toEqual([0, 0]);
    this.safe.push(n);
  }
}

/** Which of the numbers a server does not have. Throws when it does not say, because it loads. */
async function holds(node: FleetNode, numbers: readonly number[]): Promise<number[]> {
  const client = await node.connect();
  try {
    await client.must("SELECT", SAFE_DB);
    const values = await client.pipeline(numbers.map((n) => ["GET", `safe:${n}`]));
    const refusal = values.find((value) => value instanceof ReplyError);
    if (refusal !== undefined) throw refusal;
    return numbers.filter((n, i) => String(values[i]) !== String(n));
  } finally {
    client.close();
  }
}

/** One thing that goes wrong. */
async function strike(fleet: Fleet, prng: Prng): Promise<string> {
  const victim = fleet.replicas[prng.below(2)]!;
  const link = fleet.links.get(victim)!;
  fleet.events++;
  switch (prng.below(7)) {
    case 0:
    case 1:
      link.cut();
      return `link of ${victim.port} cut`;
    case 2:
      link.pace = "slow";
      return `link of ${victim.port} slow`;
    case 3:
      link.pace = "stalled";
      await Bun.sleep(prng.below(1500));
      link.pace = "free";
      return `link of ${victim.port} stalled`;
    case 4: {
      await victim.kill();
      await Bun.sleep(prng.below(500));
      victim.start();
      await victim.isUp();
      await fleet.follow(victim);
      fleet.events++;
      return `replica ${victim.port} (${victim.kind}) killed and back`;
    }
    case 5: {
      // Both replicas must have what WAIT has promised before their primary may go.
      await fleet.settle();
      const old = fleet.primary;
      fleet.events++;
      await old.kill();
      await fleet.promote(victim);
      old.start();
      await old.isUp();
      await fleet.follow(old);
      return `primary ${old.port} (${old.kind}) killed, ${victim.port} (${victim.kind}) takes over`;
    }
    default: {
      await fleet.settle();
      const old = fleet.primary;
      await old.ask("CLIENT", "PAUSE", 3000, "WRITE");
      await fleet.settle();
      await fleet.promote(victim);
      await old.ask("CLIENT", "UNPAUSE");
      return `${victim.port} (${victim.kind}) takes over from ${old.port} (${old.kind})`;
    }
  }
}

/** All is quiet: the data becomes equal, and nothing that was promised is missing. */
async function checkQuiet(fleet: Fleet, writers: Writers, history: readonly string[]): Promise<void> {
  await fleet.settle();
  let found: string[] = [];
  try {
    await until("equal data", async () => {
      const digests = await Promise.all(fleet.nodes.map((node) => node.digest()));
      if (digests.every((digest) => digest === digests[0])) return true;
      found = await differences(fleet);
      return found.length === 0;
    });
  } catch {
    throw new Error(`data differs after\n${history.join("\n")}\n${found.slice(0, 20).join("\n")}`);
  }
  expect(await holds(fleet.primary, writers.safe), `promised, but lost; after\n${history.join("\n")}`).toEqual([]);
}

/** The content of a key in short. The digest of a sorted set depends on how a version prints scores, so that its members are told. */
async function contentOf(client: RespClient, type: string, key: string): Promise<string> {
  if (type !== "zset") return String(await client.must("DEBUG", "DIGEST-VALUE", key));
  const flat = (await client.must("ZRANGE", key, 0, -1, "WITHSCORES")) as string[];
  return flat.map((text, i) => (i % 2 === 0 ? text : Number(text))).join(" ");
}

/** What a key is, as text. */
async function describeKey(client: RespClient, key: string): Promise<string> {
  const type = String(await client.must("TYPE", key));
  const shown = type === "string" ? await client.must("GET", key) : "";
  return `${type} ${await contentOf(client, type, key)} expires ${await client.must("PEXPIRETIME", key)} ${JSON.stringify(String(shown)).slice(0, 200)}`;
}

/** The keys that differ between the primary and its replicas. */
async function differences(fleet: Fleet): Promise<string[]> {
  const lines: string[] = [];
  const primary = await fleet.primary.connect();
  for (const node of fleet.replicas) {
    const replica = await node.connect();
    for (let db = 0; db < 16; db++) {
      for (const client of [primary, replica]) await client.must("SELECT", db);
      const keys = new Set<string>();
      for (const client of [primary, replica])
        for (const key of (await client.must("KEYS", "*")) as string[]) keys.add(key);
      for (const key of keys) {
        const [ours, theirs] = [await describeKey(primary, key), await describeKey(replica, key)];
        if (ours !== theirs) {
          lines.push(
            `db ${db} key ${JSON.stringify(key)}`,
            `  ${fleet.primary.kind}: ${ours}`,
            `  ${node.kind}: ${theirs}`,
          );
        }
      }
    }
    replica.close();
  }
  primary.close();
  return lines;
}

async function runChaos(kinds: readonly Kind[], seconds: number): Promise<void> {
  const seed = testSeed();
  const prng = new Prng(seed);
  const fleet = new Fleet(kinds);
  const writers = new Writers(fleet, prng);
  const history: string[] = [`seed ${seed}`];
  const endMs = performance.now() + seconds * 1000;
  try {
    await fleet.start();
    while (performance.now() < endMs) {
      writers.start();
      for (let i = 0; i < EVENTS_PER_QUIET; i++) {
        await Bun.sleep(200 + prng.below(400));
        history.push(await strike(fleet, prng));
      }
      await fleet.settle();
      await writers.stop();
      await checkQuiet(fleet, writers, history);
      history.push("quiet");
    }
    expect(writers.checks).toBeGreaterThan(0);
  } catch (error) {
    console.error(history.join("\n"));
    for (const node of fleet.nodes)
      console.error(`--- ${node.kind} port ${node.port}\n${(await node.log()).slice(-3000)}`);
    throw error;
  } finally {
    await writers.stop().catch(() => {});
    await fleet.stop();
  }
}

const LIMIT_MS = SECONDS * 500 + 3 * SETTLE_LIMIT_MS;

test("three of our servers converge behind every mishap", () => runChaos(["ts", "ts", "ts"], SECONDS / 2), LIMIT_MS);
test.skipIf(!oracleAvailable())(
  `${ORACLE_TAG} ours and the real server converge behind every mishap`,
  () => runChaos(["ts", "redis", "ts"], SECONDS / 2),
  LIMIT_MS,
);
