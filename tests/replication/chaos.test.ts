// A primary and two replicas, ours and redis-server, through cut links, stopped processes, kill -9, restarts and promotions: all have the same data
// whenever it is quiet, and what WAIT has promised is there. REDIS_TS_CHAOS_SECONDS makes it longer, REDIS_TS_CHAOS_SEED makes it another one.

import { expect, test } from "bun:test";
import { Prng } from "../../src/base/prng.ts";
import { describeOracle } from "../support/oracle.ts";
import { converge, follow, info, type Kind, type Node, startNode, waitForInfo } from "./nodes.ts";
import { TEST_LIMIT_MS, until } from "./waiting.ts";
import { Writes } from "./writes.ts";

const SECONDS = Number(process.env.REDIS_TS_CHAOS_SECONDS ?? 20);
const SEED = Number(process.env.REDIS_TS_CHAOS_SEED ?? 1);
const PROMISES_MAX = 2000;

class Chaos {
  readonly #prng: Prng;
  readonly #writes: Writes;
  readonly #history: string[] = [];
  #primary: Node;
  #replicas: Node[];
  /** Keys that WAIT has promised to be on a replica. */
  #promised: string[] = [];
  #nextKey = 0;
  counts = { steps: 0, promises: 0, promotions: 0, kills: 0 };

  constructor(seed: number, nodes: readonly Node[]) {
    this.#prng = new Prng(seed);
    this.#writes = new Writes(seed);
    this.#primary = nodes[0];
    this.#replicas = nodes.slice(1);
  }

  get #nodes(): Node[] {
    return [this.#primary, ...this.#replicas];
  }

  #any<T>(list: readonly T[]): T {
    return list[this.#prng.below(list.length)];
  }

  async begin(): Promise<void> {
    for (const replica of this.#replicas) await follow(replica, this.#primary);
    await this.#quiet();
  }

  /** Replicas have what the primary has, and that is all that was promised. */
  async #quiet(): Promise<void> {
    await this.#primary.client.must("SELECT", 0);
    await converge(this.#primary, this.#replicas, this.note);
    await this.#checkPromises();
  }

  get note(): string {
    return `seed ${SEED}, ${this.#history.slice(-8).join(", ")}`;
  }

  async #checkPromises(): Promise<void> {
    const { client } = this.#primary;
    await client.must("SELECT", 3);
    if (this.#promised.length > 0) {
      const values = (await client.must("MGET", ...this.#promised)) as (string | null)[];
      const lost = this.#promised.filter((_, i) => values[i] === null);
      if (lost.length > 0) throw new Error(`${this.note}: WAIT lied about ${lost.length} keys, ${lost[0]} for one`);
    }
    await client.must("SELECT", 0);
  }

  async #write(): Promise<void> {
    const { client } = this.#primary;
    await this.#writes.send(client, 50 + this.#prng.below(200));
    await client.must("SELECT", 3);
    for (let i = 0; i < 3; i++) {
      const key = `promise:${this.#nextKey++}`;
      await client.must("SET", key, "kept");
      if (Number(await client.must("WAIT", 1, 100)) < 1) continue;
      this.#promised.push(key);
      this.counts.promises++;
    }
    if (this.#promised.length > PROMISES_MAX) this.#promised = this.#promised.slice(-PROMISES_MAX / 2);
    await client.must("SELECT", 0);
  }

  async step(): Promise<void> {
    const steps: readonly (readonly [name: string, act: () => Promise<void>])[] = [
      ["cut at the primary", async () => void (await this.#primary.client.must("CLIENT", "KILL", "TYPE", "replica"))],
      [
        "cut at a replica",
        async () => void (await this.#any(this.#replicas).client.must("CLIENT", "KILL", "TYPE", "master")),
      ],
      ["stopped replica", () => this.#stop()],
      ["killed replica", () => this.#killReplica()],
      ["killed primary", () => this.#killPrimary()],
      ["handed over", () => this.#handOver()],
      ["saved", async () => void (await this.#any(this.#nodes).client.call("BGSAVE"))],
      ["settings", () => this.#settings()],
    ];
    const [name, act] = this.#any(steps);
    this.#history.push(name);
    this.counts.steps++;
    await this.#write();
    await act();
    await this.#write();
    if (this.#prng.below(2) === 0) await this.#quiet();
  }

  async #settings(): Promise<void> {
    for (const node of this.#nodes) {
      await node.client.must("CONFIG", "SET", "repl-diskless-sync", this.#any(["yes", "no"]));
      await node.client.must("CONFIG", "SET", "repl-backlog-size", this.#any(["20kb", "4mb"]));
      const load = this.#any(["disabled", "on-empty-db", "swapdb"]);
      // Refused while a data set is loaded.
      await until(
        `${this.note}: a setting is not accepted`,
        async () => (await node.client.call("CONFIG", "SET", "repl-diskless-load", load)) === "OK",
      );
    }
  }

  /** A replica that does nothing for a while: its link is slow. */
  async #stop(): Promise<void> {
    const { server } = this.#any(this.#replicas);
    server.signal("SIGSTOP");
    await this.#write();
    await Bun.sleep(this.#prng.below(300));
    await this.#write();
    server.signal("SIGCONT");
  }

  async #kill(node: Node): Promise<void> {
    this.counts.kills++;
    node.client.close();
    node.server.signal("SIGKILL");
    await node.server.exited();
  }

  /** The same server again, with what its snapshot has, if it has any. */
  async #restart(node: Node, primary: Node): Promise<Node> {
    const again = await startNode(node.kind, [
      ...["--dir", node.server.dir, "--replicaof", `127.0.0.1 ${primary.server.port}`],
    ]);
    return { ...again, server: { ...again.server, dir: node.server.dir, stop: () => stopBoth(again, node) } };
  }

  async #killReplica(): Promise<void> {
    const i = this.#prng.below(this.#replicas.length);
    const node = this.#replicas[i];
    await this.#kill(node);
    await this.#write();
    this.#replicas[i] = await this.#restart(node, this.#primary);
  }

  /** The replica that has most of this history. */
  async #best(id: string): Promise<Node | null> {
    let best: Node | null = null;
    let most = -1;
    for (const node of this.#replicas) {
      if ((await info(node, "master_replid")) !== id || (await info(node, "loading")) !== "0") continue;
      const offset = Number(await info(node, "slave_repl_offset"));
      if (offset <= most) continue;
      most = offset;
      best = node;
    }
    return best;
  }

  async #promote(node: Node, others: readonly Node[]): Promise<void> {
    this.counts.promotions++;
    await node.client.must("REPLICAOF", "NO", "ONE");
    this.#primary = node;
    this.#replicas = [...others];
    for (const other of others) {
      await until(
        `${this.note}: a replica does not follow`,
        async () => (await other.client.call("REPLICAOF", "127.0.0.1", node.server.port)) === "OK",
      );
    }
    await this.#checkPromises();
  }

  async #killPrimary(): Promise<void> {
    // A data set that is being loaded is nobody's to take over.
    for (const replica of this.#replicas) await waitForInfo(replica, "master_link_status", "up");
    await this.#write();
    const old = this.#primary;
    const id = await info(old, "master_replid");
    await this.#kill(old);
    const heir = await this.#best(id);
    if (heir === null) throw new Error(`${this.note}: no replica has the history of the primary`);
    await this.#promote(
      heir,
      this.#replicas.filter((node) => node !== heir),
    );
    this.#replicas.push(await this.#restart(old, heir));
  }

  async #handOver(): Promise<void> {
    await this.#quiet();
    const heir = this.#any(this.#replicas);
    const others = this.#nodes.filter((node) => node !== heir);
    await this.#promote(heir, others);
  }

  async end(): Promise<void> {
    await this.#quiet();
  }

  async stop(): Promise<void> {
    for (const { client } of this.#nodes) client.close();
    await Promise.all(this.#nodes.map(({ server }) => server.stop()));
  }
}

async function stopBoth(again: Node, before: Node): Promise<void> {
  await again.server.stop();
  await before.server.stop();
}

describeOracle("replication in chaos", () => {
  test(
    `${SECONDS} seconds with seed ${SEED}`,
    async () => {
      const kinds: Kind[] = ["ts", "ts", "redis"];
      const chaos = new Chaos(SEED, await Promise.all(kinds.map((kind) => startNode(kind))));
      try {
        await chaos.begin();
        const endMs = performance.now() + SECONDS * 1000;
        while (performance.now() < endMs) await chaos.step();
        await chaos.end();
        expect(chaos.counts.promises).toBeGreaterThan(0);
        if (SECONDS >= 60) console.log(JSON.stringify(chaos.counts));
      } finally {
        await chaos.stop();
      }
    },
    SECONDS * 1000 + TEST_LIMIT_MS,
  );
});
