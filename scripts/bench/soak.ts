// A long run of mixed commands with pipelining and expiring keys: is memory flat, and does the server ever pause?
// Needs redis-benchmark and redis-cli on the PATH.
// usage: bun scripts/bench/soak.ts [--commands 100000000] [--binary PROGRAM]
//
// The commands come in rounds, each of the same mixture; resident and accounted memory are read behind each. The server records pauses of 10 ms and more
// itself (latency-monitor-threshold); a client of its own pings it each millisecond besides, which also sees what no command is charged for, such as a
// collection of garbage, and whatever else the machine does.

import { existsSync } from "node:fs";
import { BenchServer } from "../lib/bench-server.ts";
import { Pinger } from "../lib/pinger.ts";
import { BINARY, fail, say } from "../lib/project.ts";

const PIPELINE = 32;
const ROUNDS = 20;
const KEYS = ["-r", "500000"];
/** Pings slower than these, in ms, are counted. */
const SLOW_MS = [10, 20, 50] as const;
const LATENCY_THRESHOLD_MS = 10;
const MEBIBYTE = 1024 * 1024;

/** One round: what runs, and its share of the round's commands. */
const MIXTURE: readonly { readonly share: number; readonly args: readonly string[] }[] = [
  { share: 0.25, args: [...KEYS, "SET", "key:__rand_int__", "value:__rand_int__", "EX", "3"] },
  { share: 0.2, args: [...KEYS, "GET", "key:__rand_int__"] },
  { share: 0.1, args: [...KEYS, "INCR", "counter:__rand_int__"] },
  { share: 0.05, args: [...KEYS, "EXPIRE", "counter:__rand_int__", "2"] },
  { share: 0.05, args: [...KEYS, "DEL", "key:__rand_int__"] },
  { share: 0.1, args: [...KEYS, "HSET", "hash:__rand_int__", "field", "value:__rand_int__"] },
  { share: 0.05, args: [...KEYS, "EXPIRE", "hash:__rand_int__", "1"] },
  { share: 0.05, args: [...KEYS, "LPUSH", "list", "__rand_int__"] },
  { share: 0.05, args: [...KEYS, "LPOP", "list"] },
  { share: 0.05, args: [...KEYS, "ZADD", "zset", "__rand_int__", "member:__rand_int__"] },
  { share: 0.05, args: [...KEYS, "SETEX", "page:__rand_int__", "2", "x".repeat(300)] },
];

function option(name: string, otherwise: string): string {
  const at = process.argv.indexOf(name);
  return at < 0 ? otherwise : (process.argv[at + 1] ?? otherwise);
}

const total = Number(option("--commands", "100000000"));
const binary = option("--binary", BINARY);
if (!Number.isSafeInteger(total) || total < ROUNDS) fail("usage: soak [--commands N] [--binary PROGRAM]");
if (!existsSync(binary)) fail(`${binary} is not there: npm run build`);

const server = await BenchServer.start("redis-ts", binary);
await server.command("config", "set", "latency-monitor-threshold", String(LATENCY_THRESHOLD_MS));
const pinger = new Pinger(SLOW_MS);
await pinger.start(server.port);
const begunMs = performance.now();
let done = 0;
for (let round = 1; round <= ROUNDS; round++) {
  for (const { share, args } of MIXTURE) {
    const count = Math.round((total / ROUNDS) * share);
    if ((await server.benchmark(args, PIPELINE, count)) === null) fail(`redis-benchmark ${args.join(" ")} failed`);
    done += count;
  }
  const used = Number(/used_memory:(\d+)/.exec(await server.command("info", "memory"))?.[1]);
  const resident = await server.residentBytes();
  const keys = await server.command("dbsize");
  say(
    `${(done / 1e6).toFixed(1)} M commands  resident ${(resident / MEBIBYTE).toFixed(0)} MiB  ` +
      `used ${(used / MEBIBYTE).toFixed(0)} MiB  ${keys} keys`,
  );
}
const pings = pinger.stop();
const slow = SLOW_MS.map((limit, i) => `${pings.slow[i]} over ${limit} ms`).join(", ");
say(
  `${((performance.now() - begunMs) / 1000).toFixed(0)} s; ${pings.count} pings: max ${pings.maxMs.toFixed(1)} ms, ${slow}`,
);
say(`LATENCY LATEST:\n${(await server.command("latency", "latest")) || "(nothing)"}`);
await server.stop();
