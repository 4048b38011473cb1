// Compares how dist/redis-ts and redis-server keep their data: what the append-only file costs, how long saving and loading take, what clients notice of
// a save, and how much memory that needs. Needs redis-server, redis-benchmark and redis-cli on the PATH, and Linux.
// usage: bench-persistence [--keys N] [--rounds N] [--only PART,...] [--peer PROGRAM] [--binary PROGRAM]
//
// The servers take turns in every round; a ratio is the median over rounds of ours / theirs within the same round. Throughput is good above 1, everything
// else below 1. Beside the time on the clock stands the time on processors, which other work on the machine disturbs less; children's is not in it.

import { cpSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BenchServer, type Throughput } from "./lib/bench-server.ts";
import { median } from "./lib/median.ts";
import { fillMixed } from "./lib/mixed-keys.ts";
import { BINARY, fail, say } from "./lib/project.ts";

const PARTS = ["everysec", "always", "save", "load", "load-aof", "bgsave"] as const;
type Part = (typeof PARTS)[number];

interface Options {
  readonly parts: readonly Part[];
  readonly keys: number;
  readonly rounds: number;
  readonly peer: string;
  readonly binary: string;
}

/** Work that was measured: on the clock and on processors. */
interface Times {
  readonly ms: number;
  readonly cpuMs: number;
}

const PIPELINE = 16;
const LOG_REQUESTS = { everysec: 1_000_000, always: 300_000 };
const LOAD_LIMIT_MS = 300_000;
const MIB = 1024 * 1024;

function usage(): never {
  return fail(
    "usage: bench-persistence [--keys N] [--rounds N] [--only PART,...] [--peer PROGRAM] [--binary PROGRAM]\n" +
      `parts: ${PARTS.join(" ")}`,
  );
}

function parseOptions(args: readonly string[]): Options {
  let parts: readonly Part[] = PARTS;
  let keys = 2_000_000;
  let rounds = 3;
  let peer = "redis-server";
  let binary = BINARY;
  for (let i = 0; i < args.length; i += 2) {
    const value = args[i + 1];
    if (value === undefined) usage();
    if (args[i] === "--keys") keys = Number(value);
    else if (args[i] === "--rounds") rounds = Number(value);
    else if (args[i] === "--only") parts = PARTS.filter((part) => value.split(",").includes(part));
    else if (args[i] === "--peer") peer = value;
    else if (args[i] === "--binary") binary = value;
    else usage();
  }
  if (!(rounds >= 1) || !(keys >= 1) || parts.length === 0) usage();
  return { parts, keys, rounds, peer, binary };
}

/** Prints a line: both medians and the median of the ratios. `rows`: ours and theirs of each round. */
function report(what: string, unit: string, rows: readonly (readonly number[])[]): void {
  const [ours, theirs] = [0, 1].map((index) => median(rows.map((row) => row[index]!)));
  const ratio = median(rows.map((row) => row[0]! / row[1]!));
  const cells = [ours!, theirs!].map((value) => `${value.toFixed(value < 100 ? 2 : 0)} ${unit}`.padStart(16));
  say(`${what.padEnd(56)}${cells.join("")}${`${ratio.toFixed(2)}x`.padStart(9)}`);
}

function reportTimes(what: string, rows: readonly (readonly Times[])[]): void {
  for (const [suffix, field] of [
    ["", "ms"],
    [", processor", "cpuMs"],
  ] as const)
    report(
      what + suffix,
      "ms",
      rows.map((row) => row.map((times) => times[field])),
    );
}

/** Does the same with both servers in every round. */
async function rounds<T>(options: Options, act: (name: string, program: string) => Promise<T>): Promise<T[][]> {
  const rows: T[][] = [];
  for (let round = 0; round < options.rounds; round++) {
    const row: T[] = [];
    for (const [name, program] of [
      ["redis-ts", options.binary],
      ["peer", options.peer],
    ] as const)
      row.push(await act(name, program));
    rows.push(row);
  }
  return rows;
}

async function measured(server: BenchServer, act: () => Promise<unknown>): Promise<Times> {
  const cpuMs = server.cpuMs();
  const startMs = performance.now();
  await act();
  return { ms: performance.now() - startMs, cpuMs: server.cpuMs() - cpuMs };
}

const SET = ["-t", "set", "-r", "1000000", "-d", "16"];

/** Throughput with a log, under a policy of appendfsync. */
async function measureLog(options: Options, policy: "everysec" | "always"): Promise<void> {
  const settings = ["--appendonly", "yes", "--appendfsync", policy, "--auto-aof-rewrite-percentage", "0"];
  const requests = LOG_REQUESTS[policy];
  const rows = await rounds(options, async (name, program) => {
    const server = await BenchServer.start(name, program, { settings });
    await server.benchmark(SET, PIPELINE, requests / 10);
    let result: Throughput | null = null;
    const { cpuMs } = await measured(server, async () => {
      result = await server.benchmark(SET, PIPELINE, requests);
    });
    await server.stop();
    return { rps: (result as Throughput | null)?.requestsPerSecond ?? Number.NaN, usec: (cpuMs * 1000) / requests };
  });
  const what = `SET, P=${PIPELINE}, appendfsync ${policy}`;
  report(
    what,
    "req/s",
    rows.map((row) => row.map(({ rps }) => rps)),
  );
  report(
    `${what}, processor a request`,
    "us",
    rows.map((row) => row.map(({ usec }) => usec)),
  );
}

/** SAVE, and what the peak of memory grows by. */
async function measureSave(options: Options): Promise<void> {
  const rows = await rounds(options, async (name, program) => {
    const server = await BenchServer.start(name, program);
    await fillMixed(server.port, options.keys);
    const beforeBytes = server.peakBytes();
    const times = await measured(server, () => server.command("SAVE"));
    const extraMib = (server.peakBytes() - beforeBytes) / MIB;
    await server.stop();
    return { ...times, extraMib };
  });
  reportTimes("SAVE", rows);
  say(`SAVE, memory beyond the peak before: ${rows.map((row) => row[0]!.extraMib.toFixed(0)).join(", ")} MiB`);
}

/** Both load the same files: those of the peer. */
async function measureLoad(options: Options, log: boolean): Promise<void> {
  const settings = log ? ["--appendonly", "yes", "--auto-aof-rewrite-percentage", "0"] : [];
  const source = await BenchServer.start("peer", options.peer, { settings });
  await fillMixed(source.port, options.keys);
  if (!log) await source.command("SAVE");
  const rows = await rounds(options, async (name, program) => {
    const dir = mkdtempSync(join(tmpdir(), "redis-ts-bench-"));
    cpSync(join(source.dir, log ? "appendonlydir" : "dump.rdb"), join(dir, log ? "appendonlydir" : "dump.rdb"), {
      recursive: true,
    });
    const server = await BenchServer.start(name, program, { settings, dir, limitMs: LOAD_LIMIT_MS });
    const cpuMs = server.cpuMs();
    const seconds = Number(/DB loaded from (?:disk|append only file): ([\d.]+) seconds/.exec(server.log())?.[1]);
    const peakMib = server.peakBytes() / MIB;
    const residentMib = (await server.residentBytes()) / MIB;
    await server.stop();
    rmSync(dir, { recursive: true });
    return { ms: seconds * 1000, cpuMs, peakMib, residentMib };
  });
  await source.stop();
  const what = log ? "loading a log of commands" : "loading a snapshot";
  reportTimes(what, rows);
  report(
    `${what}, peak of memory`,
    "MiB",
    rows.map((row) => row.map(({ peakMib }) => peakMib)),
  );
  report(
    `${what}, memory afterwards`,
    "MiB",
    rows.map((row) => row.map(({ residentMib }) => residentMib)),
  );
}

/** What clients notice of saves in the background: ours beside ours without, and theirs likewise. The code that saves is compiled in the course of the first. */
async function measureBackground(options: Options): Promise<void> {
  const rows = await rounds(options, async (name, program) => {
    const server = await BenchServer.start(name, program);
    await fillMixed(server.port, options.keys);
    await underLoad(server);
    const pairs: Saving[] = [];
    for (let pair = 0; pair < 2; pair++) {
      const alone = await underLoad(server);
      const during = await whileSaving(server, () => underLoad(server));
      pairs.push({
        throughput: during.requestsPerSecond / alone.requestsPerSecond,
        cpu: during.cpuMs / alone.cpuMs,
        p999: during.p999Ms / alone.p999Ms,
        p999Ms: during.p999Ms,
      });
    }
    await server.stop();
    return pairs;
  });
  for (const [pair, which] of ["first BGSAVE", "later BGSAVE"].entries()) {
    const show = (what: string, unit: string, value: (saving: Saving) => number): void =>
      report(
        what,
        unit,
        rows.map((row) => row.map((pairs) => value(pairs[pair]))),
      );
    show(`throughput during the ${which} / without`, "", ({ throughput }) => throughput);
    show(`processor a request during the ${which} / without`, "", ({ cpu }) => cpu);
    show(`p99.9 during the ${which} / without`, "", ({ p999 }) => p999);
    show(`p99.9 during the ${which}`, "ms", ({ p999Ms }) => p999Ms);
  }
}

/** A run beside saves against one without: ratios, but for the last. */
interface Saving {
  readonly throughput: number;
  readonly cpu: number;
  readonly p999: number;
  readonly p999Ms: number;
}

/** A million SETs, and the processor time that the server took for them. */
async function underLoad(server: BenchServer) {
  const cpuMs = server.cpuMs();
  const result = await server.latencies([...SET, "-n", "1000000", "-P", String(PIPELINE)]);
  return { ...result, cpuMs: server.cpuMs() - cpuMs };
}

/** Asking whether a save is over starts a process: not so often that it would show in what is measured. */
const SAVE_POLL_MS = 500;

/** Has the server save, again and again, for as long as `run` takes; and waits for the last of the saves. */
async function whileSaving<T>(server: BenchServer, run: () => Promise<T>): Promise<T> {
  let isOver = false;
  const saving = (async () => {
    do {
      await server.command("BGSAVE");
      do await Bun.sleep(SAVE_POLL_MS);
      while (/rdb_bgsave_in_progress:1/.test(await server.command("INFO", "persistence")));
    } while (!isOver);
  })();
  const result = await run();
  isOver = true;
  await saving;
  return result;
}

const MEASURE: Readonly<Record<Part, (options: Options) => Promise<void>>> = {
  everysec: (options) => measureLog(options, "everysec"),
  always: (options) => measureLog(options, "always"),
  save: measureSave,
  load: (options) => measureLoad(options, false),
  "load-aof": (options) => measureLoad(options, true),
  bgsave: measureBackground,
};

const options = parseOptions(process.argv.slice(2));
const missing = [options.peer, "redis-benchmark", "redis-cli"].filter((program) => Bun.which(program) === null);
if (missing.length > 0) fail(`not on the PATH: ${missing.join(", ")}. Install Redis to compare with it.`);
if (!existsSync(options.binary)) fail(`${options.binary} does not exist; build it first: npm run build`);
say(`redis-ts against ${options.peer}, ${options.keys} mixed keys, median of ${options.rounds} rounds`);
say(`${"".padEnd(56)}${["redis-ts", "peer", "ratio"].map((head, i) => head.padStart(i === 2 ? 9 : 16)).join("")}`);
for (const part of options.parts) await MEASURE[part](options);
