// Where the server's processor time goes under a test of redis-benchmark: shares of the kernel, the runtime and compiled code, and the functions that take most.
//
// The chunks of the executable run under the runtime, with their names. The samples are those of perf, of the server's main thread. Compiled code has no
// symbols; the runtime writes down what it compiles (jitdump), and each sample is looked up there.
//
//   jitdump:  [magic:4][version:4][header bytes:4] ... records: [kind:4][bytes:4][time:8], kind 0, "code": [pid:4][tid:4][address:8][address:8][size:8][index:8]
//             [name][0][code]                  little-endian; perf's tools/perf/Documentation/jitdump-specification.txt
//
// usage: bun scripts/bench/profile.ts [--test lpush] [--pipeline 16] [--requests 1000000] [--before set,get] [--lines 40]

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BenchServer } from "../lib/bench-server.ts";
import { mainChunk, makeChunks } from "../lib/chunks.ts";
import { DIST, fail, pinnedBun, say } from "../lib/project.ts";

const SAMPLES_PER_SECOND = 5000;
const HEADER_BYTES_AT = 8;
const RECORD_BYTES = 16;
const CODE_ADDRESS_AT = 32;
const CODE_SIZE_AT = 40;
const CODE_NAME_AT = 56;
const CODE_LOAD = 0;

/** A piece of compiled code. */
interface Code {
  readonly at: number;
  readonly end: number;
  readonly name: string;
}

const options = { test: "lpush", pipeline: "16", requests: "1000000", before: "set,get", lines: "40" };

function readOptions(args: readonly string[]): void {
  for (let i = 0; i < args.length; i += 2) {
    const name = args[i]!.replace(/^--/, "");
    if (!Object.hasOwn(options, name) || args[i + 1] === undefined)
      fail("usage: profile [--test T] [--pipeline N] [--requests N] [--before T,T] [--lines N]");
    options[name as keyof typeof options] = args[i + 1]!;
  }
}

/** All code of a dump, in the order in which it was made: later code may stand where earlier code stood. */
function readDump(path: string): Code[] {
  const dump = readFileSync(path);
  const found: Code[] = [];
  let at = dump.readUInt32LE(HEADER_BYTES_AT);
  while (at + RECORD_BYTES <= dump.length) {
    const bytes = dump.readUInt32LE(at + 4);
    if (bytes < RECORD_BYTES || at + bytes > dump.length) break;
    if (dump.readUInt32LE(at) === CODE_LOAD) {
      const address = Number(dump.readBigUInt64LE(at + CODE_ADDRESS_AT));
      const nameAt = at + CODE_NAME_AT;
      const name = dump.toString("latin1", nameAt, dump.indexOf(0, nameAt));
      found.push({ at: address, end: address + Number(dump.readBigUInt64LE(at + CODE_SIZE_AT)), name });
    }
    at += bytes;
  }
  return found;
}

/** "JSC-FTL: push#EcJXfm" as "push (FTL)". */
function nameOfCode(name: string): string {
  const [, tier = "", called = name] = /^JSC-(\w+): (.*?)(?:#\w+)?$/.exec(name) ?? [];
  return tier === "" ? called : `${called} (${tier})`;
}

/** Where a sample belongs: the part that its time is counted in, and the function, if it has a name. */
function place(address: number, symbol: string, object: string, code: readonly Code[]): readonly [string, string] {
  if (object.includes("kernel")) return ["kernel", ""];
  const found = code.findLast((piece) => piece.at <= address && address < piece.end);
  if (found !== undefined) return ["compiled", nameOfCode(found.name)];
  if (object.includes(".so") || object.includes("vdso")) return ["libraries", symbol];
  return ["runtime", ""];
}

async function run(command: readonly string[]): Promise<string> {
  const child = Bun.spawn([...command], { stdin: "ignore", stdout: "pipe", stderr: "ignore" });
  const text = await child.stdout.text();
  if ((await child.exited) !== 0) fail(`${command[0]} ${command[1]} failed`);
  return text;
}

function report(samples: string, code: readonly Code[]): void {
  const parts = new Map<string, number>();
  const functions = new Map<string, number>();
  let total = 0;
  for (const [, address, symbol, object] of samples.matchAll(/^\s*([0-9a-f]+) (.*) \((.*)\)$/gm)) {
    const [part, name] = place(Number.parseInt(address!, 16), symbol!, object!, code);
    parts.set(part, (parts.get(part) ?? 0) + 1);
    if (name !== "") functions.set(name, (functions.get(name) ?? 0) + 1);
    total++;
  }
  const largestFirst = (counts: Map<string, number>) => [...counts].sort(([, a], [, b]) => b - a);
  const percent = (count: number) => `${((100 * count) / total).toFixed(1).padStart(5)} %`;
  say(
    `${total} samples: ${largestFirst(parts)
      .map(([part, count]) => `${part} ${percent(count).trim()}`)
      .join(", ")}`,
  );
  for (const [name, count] of largestFirst(functions).slice(0, Number(options.lines)))
    say(`${percent(count)}  ${name}`);
}

readOptions(process.argv.slice(2));
for (const tool of ["perf", "redis-benchmark"]) if (Bun.which(tool) === null) fail(`this needs ${tool}`);
const scratch = mkdtempSync(join(tmpdir(), "redis-ts-profile-"));
const sources = join(DIST, `.sources-${process.pid}`);
try {
  mkdirSync(sources, { recursive: true });
  const made = await makeChunks(sources, join(scratch, "chunks"));
  if (made.exitCode !== 0) fail(made.output);
  const server = await BenchServer.start("redis-ts", pinnedBun(), {
    script: mainChunk(join(scratch, "chunks")),
    env: { BUN_JSC_useJITDump: "1", BUN_JSC_jitDumpDirectory: scratch },
  });
  const pipeline = Number(options.pipeline);
  const requests = Number(options.requests);
  for (const test of options.before.split(",").filter((name) => name !== ""))
    await server.benchmark(["-t", test, "-r", "1000000"], pipeline, requests / 2);
  await server.benchmark(["-t", options.test, "-r", "1000000"], pipeline, requests / 2);
  const data = join(scratch, "perf.data");
  const record = ["perf", "record", "-q", "-t", `${server.pid}`, "-e", "cpu-clock", "-F", `${SAMPLES_PER_SECOND}`];
  const load = ["redis-benchmark", "-p", `${server.port}`, "-c", "50", "-P", options.pipeline, "-n", options.requests];
  await run([...record, "-o", data, "--", ...load, "-r", "1000000", "-t", options.test]);
  const samples = await run(["perf", "script", "-i", data, "-F", "ip,sym,dso"]);
  await server.stop();
  const dumps = readdirSync(scratch).filter((name) => name.endsWith(".dump"));
  report(
    samples,
    dumps.flatMap((name) => readDump(join(scratch, name))),
  );
} finally {
  for (const folder of [scratch, sources]) rmSync(folder, { recursive: true, force: true });
}
