// What collections weigh: a million elements in one big value of each kind, and 100,000 small values of ten elements, here and in the redis-server on the
// PATH. Each data set is built in a fresh server; the figures are the growth of its resident memory, and of what it accounts for itself (used_memory). A part
// of the data set is built and flushed before, so that code and buffers that the commands need are there already.
// usage: bun scripts/bench/memory.ts [--only KIND,...] [--binary PROGRAM]

import { existsSync } from "node:fs";
import { BenchServer } from "../lib/bench-server.ts";
import { drive, Template } from "../lib/numbered-commands.ts";
import { BINARY, fail, say } from "../lib/project.ts";

const MILLION = 1_000_000;
const SMALL_VALUES = 100_000;
const SMALL_ELEMENTS = 10;
/** Commands before the measurement. */
const WARM_UP = 20_000;
const IN_FLIGHT = 64;
const MEBIBYTE = 1024 ** 2;
/** Resident memory is read when commands have ended for so long. */
const SETTLE_MS = 500;

interface DataSet {
  readonly kind: string;
  readonly commands: number;
  /** Lines of a reply. */
  readonly lines: number;
  /** Its # stand for numbers. */
  readonly words: readonly string[];
  /** The number for the place of a # in the command of an index. */
  number(index: number, place: number): number;
}

function big(kind: string, words: readonly string[], lines = 1): DataSet {
  return { kind, commands: MILLION, lines, words, number: (index) => index };
}

/** A value of ten elements, in one command; the first # is of the key. */
function small(kind: string, command: string, words: readonly string[]): DataSet {
  const elements = Array.from({ length: SMALL_ELEMENTS }, () => words).flat();
  return {
    kind,
    commands: SMALL_VALUES,
    lines: 1,
    words: [command, "key:#", ...elements],
    number: (index, place) => (place === 0 ? index : index * SMALL_ELEMENTS + place),
  };
}

const DATA_SETS: readonly DataSet[] = [
  big("list", ["RPUSH", "key", "element:#"]),
  big("hash", ["HSET", "key", "field:#", "value:#"]),
  big("set", ["SADD", "key", "member:#"]),
  big("zset", ["ZADD", "key", "#", "member:#"]),
  big("stream", ["XADD", "key", "*", "field", "value:#"], 2),
  small("small-hashes", "HSET", ["field:#", "value:#"]),
  small("small-lists", "RPUSH", ["element:#"]),
  small("small-sets", "SADD", ["member:#"]),
  small("small-zsets", "ZADD", ["#", "member:#"]),
];

/** Bytes that a server holds. */
interface Bytes {
  readonly resident: number;
  readonly used: number;
}

async function held(server: BenchServer): Promise<Bytes> {
  await Bun.sleep(SETTLE_MS);
  const used = Number(/used_memory:(\d+)/.exec(await server.command("INFO", "memory"))?.[1]);
  return { resident: await server.residentBytes(), used };
}

async function build(server: BenchServer, { lines, words, number }: DataSet, commands: number): Promise<void> {
  const template = new Template(words);
  await drive(server.port, commands, IN_FLIGHT, lines, (index) => template.fill((place) => number(index, place)));
}

/** Bytes by which a server that holds nothing grows. */
async function grownBy(name: string, program: string, set: DataSet): Promise<Bytes> {
  const server = await BenchServer.start(name, program);
  try {
    await build(server, set, WARM_UP);
    await server.command("FLUSHALL", "SYNC");
    const before = await held(server);
    await build(server, set, set.commands);
    const after = await held(server);
    return { resident: after.resident - before.resident, used: after.used - before.used };
  } finally {
    await server.stop();
  }
}

const args = process.argv.slice(2);
const option = (name: string): string | undefined => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined);
const binary = option("--binary") ?? BINARY;
const only = option("--only")?.split(",") ?? DATA_SETS.map(({ kind }) => kind);
if (!existsSync(binary)) fail(`${binary} does not exist; build it first: npm run build`);
for (const kind of only) if (!DATA_SETS.some((set) => set.kind === kind)) fail(`no such data set: ${kind}`);

say(`${"".padEnd(14)}${"redis-ts".padStart(12)}${"redis-server".padStart(14)}   ratio   used_memory: ratio   (MiB)`);
for (const set of DATA_SETS) {
  if (!only.includes(set.kind)) continue;
  const ours = await grownBy("redis-ts", binary, set);
  const theirs = await grownBy("redis-server", "redis-server", set);
  const [own, other] = [ours, theirs].map(({ resident }) => (resident / MEBIBYTE).toFixed(1));
  const ratios = [ours.resident / theirs.resident, ours.used / theirs.used].map((ratio) => ratio.toFixed(2));
  say(`${set.kind.padEnd(14)}${own!.padStart(12)}${other!.padStart(14)}   ${ratios[0]}    ${ratios[1]!.padStart(17)}`);
}
