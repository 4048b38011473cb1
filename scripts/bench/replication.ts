// Compares replication with redis-server: a full synchronization, throughput with a replica attached, and five replicas at once. Each primary, ours and
// redis-server, gets the same replicas, which are redis-servers. Needs redis-server, redis-benchmark and redis-cli on the PATH.
// usage: bun scripts/bench/replication.ts [--keys 1000000] [--bytes 1000] [--rounds 3] [--binary PROGRAM]
//
// The servers take turns in every round; a ratio is the median over rounds of ours / theirs within the same round.

import { existsSync } from "node:fs";
import { BenchServer } from "../lib/bench-server.ts";
import { median } from "../lib/median.ts";
import { BINARY, fail, say } from "../lib/project.ts";

const PIPELINE = 16;
const REQUESTS = 1_500_000;
const MANY = 5;
const POLL_MS = 5;
const SYNC_LIMIT_MS = 120_000;
const DISKLESS = ["--repl-diskless-sync-delay", "0", "--client-output-buffer-limit", "replica", "0", "0", "0"];

function option(name: string, otherwise: string): string {
  const at = process.argv.indexOf(name);
  return at < 0 ? otherwise : (process.argv[at + 1] ?? otherwise);
}

async function field(server: BenchServer, section: string, name: string): Promise<string> {
  return new RegExp(`^${name}:(.*)$`, "m").exec(await server.command("info", section))?.[1]?.trim() ?? "";
}

/** Lets replicas synchronize with a primary; milliseconds until the last one is up. */
async function synchronize(primary: BenchServer, replicas: readonly BenchServer[]): Promise<number> {
  const begunMs = performance.now();
  for (const replica of replicas) await replica.command("replicaof", "127.0.0.1", String(primary.port));
  for (const replica of replicas) {
    while ((await field(replica, "replication", "master_link_status")) !== "up") {
      if (performance.now() - begunMs > SYNC_LIMIT_MS) throw new Error(`no synchronization with ${primary.name}`);
      await Bun.sleep(POLL_MS);
    }
  }
  return performance.now() - begunMs;
}

async function detach(replicas: readonly BenchServer[]): Promise<void> {
  for (const replica of replicas) {
    await replica.command("replicaof", "no", "one");
    await replica.command("flushall");
  }
}

interface Measured {
  readonly syncMs: number;
  readonly manyMs: number;
  readonly rate: number;
}

async function measure(
  primary: BenchServer,
  replicas: readonly BenchServer[],
  fill: readonly string[],
): Promise<Measured> {
  await primary.command("flushall");
  await primary.command(...fill);
  const syncMs = await synchronize(primary, replicas.slice(0, 1));
  await detach(replicas.slice(0, 1));
  const manyMs = await synchronize(primary, replicas);
  await detach(replicas);
  await primary.command("flushall");
  await synchronize(primary, replicas.slice(0, 1));
  const run = await primary.benchmark(["-t", "set", "-r", "1000000", "-d", "16"], PIPELINE, REQUESTS);
  await detach(replicas.slice(0, 1));
  if (run === null) throw new Error(`redis-benchmark failed on ${primary.name}`);
  return { syncMs, manyMs, rate: run.requestsPerSecond };
}

const binary = option("--binary", BINARY);
const rounds = Number(option("--rounds", "3"));
if (!existsSync(binary)) fail(`${binary} is not there: npm run build`);
const fill = ["debug", "populate", option("--keys", "1000000"), "key", option("--bytes", "1000")];
const debug = ["--enable-debug-command", "yes"];
const ours = await BenchServer.start("redis-ts", binary, { settings: [...DISKLESS, ...debug] });
const theirs = await BenchServer.start("redis-server", "redis-server", { settings: [...DISKLESS, ...debug] });
const replicas: BenchServer[] = [];
while (replicas.length < MANY)
  replicas.push(
    await BenchServer.start("replica", "redis-server", { settings: ["--repl-diskless-load", "on-empty-db"] }),
  );
const results: { ours: Measured; theirs: Measured }[] = [];
for (let round = 0; round < rounds; round++) {
  results.push({ ours: await measure(ours, replicas, fill), theirs: await measure(theirs, replicas, fill) });
}
const ratio = (pick: (one: Measured) => number) => median(results.map((r) => pick(r.ours) / pick(r.theirs))).toFixed(2);
say(`full synchronization, time          ${ratio((m) => m.syncMs)}`);
say(`five replicas at once, time         ${ratio((m) => m.manyMs)}`);
say(`five replicas against one, ours     ${median(results.map((r) => r.ours.manyMs / r.ours.syncMs)).toFixed(2)}`);
say(`SET at P=16 with one replica, rate  ${ratio((m) => m.rate)}`);
for (const server of [ours, theirs, ...replicas]) await server.stop();
