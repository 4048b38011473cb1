// How long a start takes, from the start of the process to the first PONG, and from there to the reply to a first SET, which gets what the start has put off,
// beside another server's: on the clock, and in processor time, which other work on the machine disturbs less. The servers take turns; ratios are medians over pairs. Needs redis-server on the PATH, and Linux.
// usage: bun scripts/bench/start.ts [--pairs 40] [--peer PROGRAM] [--binary PROGRAM]

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { BenchServer } from "../lib/bench-server.ts";
import { median } from "../lib/median.ts";
import { BINARY, fail, say } from "../lib/project.ts";

const NS_PER_MS = 1_000_000;
const MEBIBYTE = 1024 ** 2;

/** What one start took. */
interface Start {
  readonly pongMs: number;
  readonly pongProcessorMs: number;
  /** Of the process from its start to the reply to SET. */
  readonly setMs: number;
  readonly setProcessorMs: number;
  readonly residentMib: number;
}

function options(args: readonly string[]) {
  const found = { pairs: 40, peer: "redis-server", binary: BINARY };
  for (let i = 0; i < args.length; i += 2) {
    const value = args[i + 1];
    if (value === undefined) fail("usage: start [--pairs N] [--peer PROGRAM] [--binary PROGRAM]");
    if (args[i] === "--pairs") found.pairs = Number(value);
    else if (args[i] === "--peer") found.peer = value;
    else if (args[i] === "--binary") found.binary = resolve(value);
    else fail("usage: start [--pairs N] [--peer PROGRAM] [--binary PROGRAM]");
  }
  return found;
}

/** Processor time of all threads of a process: finer than BenchServer.cpuMs, but without threads that have ended. */
function processorMs(pid: number): number {
  let ns = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    ns += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "latin1").split(" ")[0]);
  }
  return ns / NS_PER_MS;
}

async function startOnce(name: string, program: string): Promise<Start> {
  const server = await BenchServer.start(name, program);
  const pongProcessorMs = processorMs(server.pid);
  await server.set();
  const setMs = performance.now() - server.begunMs;
  const setProcessorMs = processorMs(server.pid);
  const residentMib = (await server.residentBytes()) / MEBIBYTE;
  await server.stop();
  return { pongMs: server.startMs, pongProcessorMs, setMs, setProcessorMs, residentMib };
}

function report(what: string, unit: string, pairs: readonly (readonly [Start, Start])[], of: (start: Start) => number) {
  const ours = median(pairs.map(([own]) => of(own)));
  const theirs = median(pairs.map(([, peer]) => of(peer)));
  const ratio = median(pairs.map(([own, peer]) => of(own) / of(peer)));
  say(
    `${what.padEnd(16)} ${ours.toFixed(1).padStart(7)} ${unit}  peer ${theirs.toFixed(1).padStart(7)} ${unit}  ratio ${ratio.toFixed(2)}`,
  );
}

const { pairs: count, peer, binary } = options(process.argv.slice(2));
if (!existsSync(binary)) fail(`there is no ${binary}: build it first`);
if (process.platform !== "linux" || Bun.which(peer) === null) fail(`this needs Linux and ${peer}`);
const pairs: [Start, Start][] = [];
for (let i = -1; i < count; i++) {
  // Who comes first changes from pair to pair. The pair before the first brings the files into memory.
  const first = i % 2 === 0 ? null : await startOnce("peer", peer);
  const own = await startOnce("redis-ts", binary);
  const pair: [Start, Start] = [own, first ?? (await startOnce("peer", peer))];
  if (i >= 0) pairs.push(pair);
}
report("first PONG", "ms", pairs, (start) => start.pongMs);
report("processor time", "ms", pairs, (start) => start.pongProcessorMs);
report("first SET", "ms", pairs, (start) => start.setMs);
report("processor time", "ms", pairs, (start) => start.setProcessorMs);
report("resident then", "MiB", pairs, (start) => start.residentMib);
