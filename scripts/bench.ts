// Compares dist/redis-ts with redis-server: throughput, latency, memory a key, start-up. Needs redis-server,
// redis-benchmark and redis-cli on the PATH.
// usage: bench [--quick] [--rounds N] [--only TEST,...] [--pipeline 1,16,64] [--peer PROGRAM] [--binary PROGRAM]
//
// The servers take turns in every round, so that a drift of the machine hits both; a ratio is the median over rounds of
// ours / theirs within the same round. Above 1 is better for throughput, below 1 for everything else.

import { existsSync } from "node:fs";
import { BenchServer, type Throughput } from "./lib/bench-server.ts";
import { median } from "./lib/median.ts";
import { BINARY, fail, say } from "./lib/project.ts";

interface BenchTest {
  readonly name: string;
  readonly args: readonly string[];
  /** Part of --quick. */
  readonly quick?: boolean;
  /** The command does much work: fewer requests. */
  readonly heavy?: boolean;
}

const RANDOM_KEYS = ["-r", "1000000"];

const TESTS: readonly BenchTest[] = [
  { name: "ping", args: ["-t", "ping_mbulk"] },
  { name: "set", args: ["-t", "set", ...RANDOM_KEYS, "-d", "16"], quick: true },
  { name: "get", args: ["-t", "get", ...RANDOM_KEYS, "-d", "16"], quick: true },
  { name: "incr", args: ["-t", "incr", ...RANDOM_KEYS], quick: true },
  { name: "mset", args: ["-t", "mset", ...RANDOM_KEYS], quick: true, heavy: true },
  { name: "set1k", args: ["-t", "set", "-r", "100000", "-d", "1024"] },
  { name: "get1k", args: ["-t", "get", "-r", "100000", "-d", "1024"] },
  { name: "expire", args: [...RANDOM_KEYS, "SET", "k:__rand_int__", "v", "EX", "100"] },
  { name: "lpush", args: ["-t", "lpush"], quick: true },
  { name: "rpop", args: ["-t", "rpop"] },
  { name: "sadd", args: ["-t", "sadd", ...RANDOM_KEYS], quick: true },
  { name: "hset", args: ["-t", "hset", ...RANDOM_KEYS], quick: true },
  { name: "zadd", args: ["-t", "zadd", ...RANDOM_KEYS], quick: true },
  { name: "lrange100", args: ["-t", "lrange_100"], heavy: true },
];

const REQUESTS = { single: 60_000, pipelined: 600_000 };
const HEAVY_DIVISOR = 4;
const START_ROUNDS = 10;
/** Enough random keys of a million to create about 950,000 of them. */
const MEMORY_REQUESTS = 3_000_000;
const MEMORY_FILL = [...RANDOM_KEYS, "-t", "set", "-d", "16"];

interface Options {
  readonly tests: readonly BenchTest[];
  readonly rounds: number;
  readonly pipelines: readonly number[];
  readonly peer: string;
  readonly binary: string;
}

function parseOptions(args: readonly string[]): Options {
  let tests: readonly BenchTest[] = TESTS;
  let rounds = 3;
  let pipelines = [1, 16, 64];
  let peer = "redis-server";
  let binary = BINARY;
  for (let i = 0; i < args.length; i++) {
    const value = args[i + 1];
    if (args[i] === "--quick") {
      tests = TESTS.filter((t) => t.quick);
      continue;
    }
    if (value === undefined) usage();
    if (args[i] === "--rounds") rounds = Number(value);
    else if (args[i] === "--only") tests = TESTS.filter((t) => value.split(",").includes(t.name));
    else if (args[i] === "--pipeline") pipelines = value.split(",").map(Number);
    else if (args[i] === "--peer") peer = value;
    else if (args[i] === "--binary") binary = value;
    else usage();
    i++;
  }
  if (!(rounds >= 1) || tests.length === 0 || !pipelines.every((p) => p >= 1)) usage();
  return { tests, rounds, pipelines, peer, binary };
}

function usage(): never {
  return fail(
    "usage: bench [--quick] [--rounds N] [--only TEST,...] [--pipeline 1,16,64] [--peer PROGRAM] [--binary PROGRAM]\n" +
      `tests: ${TESTS.map((t) => t.name).join(" ")}`,
  );
}

function checkTools(options: Options): void {
  const missing = [options.peer, "redis-benchmark", "redis-cli"].filter((program) => Bun.which(program) === null);
  if (missing.length > 0)
    fail(`not on the PATH: ${missing.join(", ")}. Install Redis (its server and its tools) to compare with it.`);
  if (!existsSync(options.binary)) fail(`${options.binary} does not exist; build it first: npm run build`);
}

const column = (text: string, width = 14): string => text.padStart(width);

/** One test at one depth: both servers in every round. */
async function measure(
  pair: readonly BenchServer[],
  test: BenchTest,
  pipeline: number,
  rounds: number,
): Promise<string> {
  const full = pipeline === 1 ? REQUESTS.single : REQUESTS.pipelined;
  const requests = test.heavy && pipeline > 1 ? full / HEAVY_DIVISOR : full;
  const results: (Throughput | null)[][] = [];
  for (let round = 0; round < rounds; round++) {
    const row: (Throughput | null)[] = [];
    for (const server of pair) row.push(await server.benchmark(test.args, pipeline, requests));
    results.push(row);
  }
  const both = results.filter((row): row is Throughput[] => row.every((r) => r !== null));
  if (both.length === 0) return `${test.name.padEnd(12)}${column("not run: one of the servers cannot do it", 44)}`;
  const rps = both.map((row) => row[0]!.requestsPerSecond / row[1]!.requestsPerSecond);
  const p99 = both.map((row) => row[0]!.p99Ms / row[1]!.p99Ms);
  const middle = (index: 0 | 1, field: keyof Throughput) => median(both.map((row) => row[index]![field]));
  return [
    test.name.padEnd(12),
    column(middle(0, "requestsPerSecond").toFixed(0)),
    column(middle(1, "requestsPerSecond").toFixed(0)),
    column(`${median(rps).toFixed(2)}x`),
    column(middle(0, "p99Ms").toFixed(2)),
    column(middle(1, "p99Ms").toFixed(2)),
    column(`${median(p99).toFixed(2)}x`),
  ].join("");
}

async function measureThroughput(options: Options): Promise<void> {
  const pair = [
    await BenchServer.start("redis-ts", options.binary),
    await BenchServer.start(options.peer, options.peer),
  ];
  try {
    for (const pipeline of options.pipelines) {
      const heads = ["redis-ts rps", "peer rps", "ratio", "p99 ms", "peer p99 ms", "ratio"];
      say(`\n${`P=${pipeline}`.padEnd(12)}${heads.map((head) => column(head)).join("")}`);
      for (const test of options.tests) say(await measure(pair, test, pipeline, options.rounds));
    }
  } finally {
    for (const server of pair) await server.stop();
  }
}

async function measureStart(options: Options): Promise<void> {
  const times: number[][] = [[], []];
  for (let round = 0; round < START_ROUNDS; round++) {
    for (const [index, program] of [options.binary, options.peer].entries()) {
      const server = await BenchServer.start(program, program);
      times[index]!.push(server.startMs);
      await server.stop();
    }
  }
  const [ours, theirs] = times.map(median);
  say(
    `\nstart-up to first PONG: redis-ts ${ours!.toFixed(1)} ms, peer ${theirs!.toFixed(1)} ms, ratio ${(ours! / theirs!).toFixed(2)}x`,
  );
}

async function measureMemory(options: Options): Promise<void> {
  const bytesPerKey: number[] = [];
  const idle: number[] = [];
  for (const program of [options.binary, options.peer]) {
    const server = await BenchServer.start(program, program);
    const before = await server.residentBytes();
    await server.benchmark(MEMORY_FILL, 64, MEMORY_REQUESTS);
    const keys = Math.max(1, Number(await server.command("DBSIZE")));
    bytesPerKey.push(((await server.residentBytes()) - before) / keys);
    idle.push(before / 1024 / 1024);
    await server.stop();
  }
  const [ours, theirs] = bytesPerKey as [number, number];
  say(`\nidle memory: redis-ts ${idle[0]!.toFixed(1)} MiB, peer ${idle[1]!.toFixed(1)} MiB`);
  say(
    `memory a key (about 950,000 keys with 16-byte values): redis-ts ${ours.toFixed(0)} bytes, peer ${theirs.toFixed(0)} bytes, ratio ${(ours / theirs).toFixed(2)}x`,
  );
}

const options = parseOptions(process.argv.slice(2));
checkTools(options);
say(
  `redis-ts against ${options.peer}, median of ${options.rounds} rounds; throughput above 1 and the rest below 1 favour redis-ts`,
);
await measureStart(options);
await measureThroughput(options);
await measureMemory(options);
