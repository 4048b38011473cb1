// How long a start takes, from the start of the process to the first PONG, beside another server's: on the clock, and in processor time, which other work on
// the machine disturbs less. The servers take turns; ratios are medians over pairs. Needs redis-server on the PATH, and Linux.
// usage: bun scripts/bench/start.ts [--pairs 40] [--peer PROGRAM] [--binary PROGRAM]

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { BINARY, fail, say } from "../lib/project.ts";

const PING = "*1\r\n$4\r\nPING\r\n";
const FIRST_PORT = 22_900;
const LIMIT_MS = 10_000;
/** Between two attempts to connect. */
const POLL_MS = 1;
const NS_PER_MS = 1_000_000;

/** What one start took. */
interface Start {
  readonly wallMs: number;
  readonly processorMs: number;
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

/** Sends a PING; false when nobody answers it. */
async function answers(port: number): Promise<boolean> {
  const { promise, resolve: settle } = Promise.withResolvers<boolean>();
  try {
    const socket = await Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: {
        data: (_socket, reply) => settle(reply.toString().startsWith("+PONG")),
        close: () => settle(false),
        error: () => settle(false),
      },
    });
    socket.write(PING);
    const answered = await promise;
    socket.end();
    return answered;
  } catch {
    return false;
  }
}

/** Processor time of all threads of a process. */
function processorMs(pid: number): number {
  let ns = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    ns += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "latin1").split(" ")[0]);
  }
  return ns / NS_PER_MS;
}

function residentMib(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"));
  return Number(line?.[1]) / 1024;
}

async function startOnce(program: string, port: number): Promise<Start> {
  const dir = mkdtempSync(join(tmpdir(), "bench-start-"));
  const startMs = performance.now();
  const child = Bun.spawn([program, "--port", `${port}`, "--save", ""], {
    cwd: dir,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
  });
  try {
    while (!(await answers(port))) {
      if (performance.now() - startMs > LIMIT_MS) fail(`${program} did not answer within ${LIMIT_MS / 1000} s`);
      await Bun.sleep(POLL_MS);
    }
    const wallMs = performance.now() - startMs;
    return { wallMs, processorMs: processorMs(child.pid), residentMib: residentMib(child.pid) };
  } finally {
    child.kill("SIGKILL");
    await child.exited;
    rmSync(dir, { recursive: true, force: true });
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
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
  const first = i % 2 === 0 ? null : await startOnce(peer, FIRST_PORT + 1);
  const own = await startOnce(binary, FIRST_PORT);
  const pair: [Start, Start] = [own, first ?? (await startOnce(peer, FIRST_PORT + 1))];
  if (i >= 0) pairs.push(pair);
}
report("first PONG", "ms", pairs, (start) => start.wallMs);
report("processor time", "ms", pairs, (start) => start.processorMs);
report("resident then", "MiB", pairs, (start) => start.residentMib);
