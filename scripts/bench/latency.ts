// Does a server let others wait while a very large value grows or goes? Builds a sorted set and a hash of random members and deletes them, while a process
// of its own pings the server each millisecond. Needs redis-cli on the PATH.
// usage: bun scripts/bench/latency.ts [--members 10000000] [--binary PROGRAM]
//
// A busy machine spoils pings, too. The first line is therefore a control: as much traffic of commands that only read. And each line ends with the processor
// time that the server itself took from a ping to the reading of its answer (Linux only): an upper bound of what the wait would have been on a machine with
// nothing else to do.

import { existsSync } from "node:fs";
import { setPriority } from "node:os";
import { resolve } from "node:path";
import { BenchServer } from "../lib/bench-server.ts";
import { drive, scattered, Template } from "../lib/numbered-commands.ts";
import { Pinger, type Pings } from "../lib/pinger.ts";
import { BINARY, fail, say } from "../lib/project.ts";

const LIMITS_MS = [5, 10, 15, 50] as const;
/** Members a command, and commands on their way at a time: well below a millisecond's work. */
const MEMBERS_A_COMMAND = 20;
const COMMANDS_IN_FLIGHT = 10;
/** How far apart the numbers of an item are taken from the scattered ones. */
const HALFWAY = 1 << 30;
/** A pinger that waits for a processor itself sees waits that are not the server's. */
const PINGER_NICENESS = -10;
/** How often the server is asked whether a deleted value is free. */
const POLL_MS = 100;

/** Sends commands that name MEMBERS_A_COMMAND members each, until all members have come. */
async function driveMembers(
  server: BenchServer,
  words: readonly string[],
  item: readonly string[],
  replyLines: number,
): Promise<void> {
  const template = new Template([...words, ...Array.from({ length: MEMBERS_A_COMMAND }, () => item).flat()]);
  const numbers = item.length;
  // The numbers of one item are different ones: a score tells nothing about its member.
  await drive(server.port, Math.floor(members / MEMBERS_A_COMMAND), COMMANDS_IN_FLIGHT, replyLines, (index) =>
    template.fill((place) =>
      scattered(index * MEMBERS_A_COMMAND + Math.floor(place / numbers) + (place % numbers) * HALFWAY),
    ),
  );
}

/** Runs something while another process pings the server, and says what that saw. */
async function underPings(title: string, server: BenchServer, run: () => Promise<void>): Promise<void> {
  const args = ["--ping", String(server.port), "--pid", String(server.pid)];
  const child = Bun.spawn([process.execPath, import.meta.path, ...args], { stdin: "pipe", stdout: "pipe" });
  const reader = child.stdout.getReader();
  await reader.read();
  const begunMs = performance.now();
  await run();
  const seconds = (performance.now() - begunMs) / 1000;
  child.stdin.end();
  const { value } = await reader.read();
  await child.exited;
  const pings = JSON.parse(Buffer.from(value as Uint8Array).toString()) as Pings;
  const counts = (slow: readonly number[]) => LIMITS_MS.map((limit, i) => `${slow[i]} over ${limit}`).join(", ");
  say(
    `${title.padEnd(24)} ${seconds.toFixed(1).padStart(6)} s  ${pings.count} pings: max ${pings.maxMs.toFixed(1)} ms, ${counts(pings.slow)}`,
  );
  say(`${"".padEnd(33)}  server busy: max ${pings.busyMaxMs.toFixed(1)} ms, ${counts(pings.busy)}`);
}

/** The other process: pings until its input ends. */
async function ping(port: number, pid: number): Promise<void> {
  try {
    setPriority(PINGER_NICENESS);
  } catch {
    // Who may not, pings as everybody.
  }
  const pinger = new Pinger(LIMITS_MS, process.platform === "linux" ? pid : null);
  await pinger.start(port);
  process.stdout.write("ready\n");
  for await (const _ of Bun.stdin.stream());
  process.stdout.write(JSON.stringify(pinger.stop()));
  process.exit(0);
}

/** Waits until what a key held is free again. */
async function untilFreed(server: BenchServer, bytes: number): Promise<void> {
  while (Number(/used_memory:(\d+)/.exec(await server.command("info", "memory"))?.[1]) > bytes)
    await Bun.sleep(POLL_MS);
}

function option(name: string, otherwise: string): string {
  const at = process.argv.indexOf(name);
  return at < 0 ? otherwise : (process.argv[at + 1] ?? otherwise);
}

if (process.argv.includes("--ping")) await ping(Number(option("--ping", "0")), Number(option("--pid", "0")));

const members = Number(option("--members", "10000000"));
const program = option("--binary", BINARY);
// The server runs in a folder of its own.
const binary = program.includes("/") ? resolve(program) : program;
if (!Number.isSafeInteger(members) || members < MEMBERS_A_COMMAND)
  fail("usage: latency [--members N] [--binary PROGRAM]");
if (binary.includes("/") && !existsSync(binary)) fail(`${binary} is not there: npm run build`);

const server = await BenchServer.start("server", binary);
const empty = Number(/used_memory:(\d+)/.exec(await server.command("info", "memory"))?.[1]);
// An emptied server keeps some memory of its own.
const nearlyEmpty = empty + members;

await underPings("control: ZMSCORE, no key", server, () =>
  driveMembers(server, ["ZMSCORE", "none"], ["member:#"], 1 + MEMBERS_A_COMMAND),
);
await underPings(`ZADD ${members} members`, server, () => driveMembers(server, ["ZADD", "zset"], ["#", "member:#"], 1));
await underPings("DEL", server, async () => {
  await server.command("del", "zset");
  await untilFreed(server, nearlyEmpty);
});
await underPings(`HSET ${members} fields`, server, () =>
  driveMembers(server, ["HSET", "hash"], ["field:#", "value:#"], 1),
);
await underPings("UNLINK", server, async () => {
  await server.command("unlink", "hash");
  await untilFreed(server, nearlyEmpty);
});
await server.stop();
