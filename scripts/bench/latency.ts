// Does a server let others wait while a very large value grows or goes? Builds a sorted set and a hash of random members and deletes them, while a process
// of its own pings the server each millisecond. Needs redis-cli on the PATH.
// usage: bun scripts/bench/latency.ts [--members 10000000] [--binary PROGRAM]
//
// A busy machine spoils pings, too. The first line is therefore a control: as much traffic of commands that only read. And each line ends with the processor
// time that the server itself took from a ping to its answer (Linux only): what the wait would have been on a machine with nothing else to do.

import { existsSync } from "node:fs";
import { setPriority } from "node:os";
import { BenchServer } from "../lib/bench-server.ts";
import { Pinger, type Pings } from "../lib/pinger.ts";
import { BINARY, fail, say } from "../lib/project.ts";

const LIMITS_MS = [5, 10, 15, 50] as const;
/** Members a command, and commands on their way at a time: about a millisecond's work. */
const MEMBERS_A_COMMAND = 20;
const COMMANDS_IN_FLIGHT = 40;
/** Odd, so that its multiples run through all 32-bit numbers in an order that looks random. */
const STRIDE = 2654435761;
const DIGITS = 10;
/** A pinger that waits for a processor itself sees waits that are not the server's. */
const PINGER_NICENESS = -10;
/** How often the server is asked whether a deleted value is free. */
const POLL_MS = 100;

/** Puts a number into a buffer as ten decimal digits. */
function writeDigits(buf: Uint8Array, at: number, n: number): void {
  for (let i = DIGITS - 1; i >= 0; i--) {
    buf[at + i] = 48 + (n % 10);
    n = Math.floor(n / 10);
  }
}

function bulk(text: string): string {
  return `$${text.length}\r\n${text}\r\n`;
}

/** A command of which only the ten-digit numbers change: `words`, then MEMBERS_A_COMMAND times `item`, where # stands for the next number. */
class Template {
  readonly bytes: Uint8Array;
  readonly #places: number[] = [];

  constructor(words: readonly string[], item: readonly string[]) {
    const parts = [...words, ...Array.from({ length: MEMBERS_A_COMMAND }, () => item).flat()];
    const hole = "#".repeat(DIGITS);
    const text = `*${parts.length}\r\n${parts.map((part) => bulk(part.replace("#", hole))).join("")}`;
    this.bytes = Buffer.from(text, "latin1");
    for (let at = text.indexOf(hole); at >= 0; at = text.indexOf(hole, at + DIGITS)) this.#places.push(at);
  }

  /** Fills in the numbers of the `index`th command. */
  fill(index: number): Uint8Array {
    const step = this.#places.length / MEMBERS_A_COMMAND;
    for (const [i, at] of this.#places.entries()) {
      const n = index * MEMBERS_A_COMMAND + Math.floor(i / step);
      // A second number of an item (a score, say) is another random one.
      writeDigits(this.bytes, at, Math.imul(n + (i % step) * 0x51ed270b, STRIDE) >>> 0);
    }
    return this.bytes;
  }
}

/** Sends `count` commands of a template and waits for the replies, each of `replyLines` lines. */
async function drive(port: number, template: Template, count: number, replyLines: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const out = new Uint8Array(template.bytes.length * COMMANDS_IN_FLIGHT);
  let sent = 0;
  let lines = 0;
  let begin = 0;
  let end = 0;
  const send = (socket: Bun.Socket): void => {
    if (begin === end) {
      if (lines < sent * replyLines) return;
      if (sent === count) return void socket.end();
      begin = end = 0;
      for (let i = 0; i < COMMANDS_IN_FLIGHT && sent < count; i++, sent++, end += template.bytes.length)
        out.set(template.fill(sent), end);
    }
    begin += Math.max(0, socket.write(out, begin, end - begin));
  };
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      data(socket, chunk) {
        if (chunk[0] === 45) reject(new Error(chunk.toString("latin1")));
        for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines++;
        send(socket);
      },
      drain: send,
      close: () => resolve(),
      error: (_socket, error) => reject(error),
    },
  });
  send(socket);
  await promise;
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
const binary = option("--binary", BINARY);
if (!Number.isSafeInteger(members) || members < MEMBERS_A_COMMAND)
  fail("usage: latency [--members N] [--binary PROGRAM]");
if (binary.includes("/") && !existsSync(binary)) fail(`${binary} is not there: npm run build`);

const server = await BenchServer.start("server", binary);
const { port } = server;
const count = Math.floor(members / MEMBERS_A_COMMAND);
const empty = Number(/used_memory:(\d+)/.exec(await server.command("info", "memory"))?.[1]);
// An emptied server keeps some memory of its own.
const nearlyEmpty = empty + members;

await underPings("control: ZMSCORE, no key", server, () =>
  drive(port, new Template(["ZMSCORE", "none"], ["member:#"]), count, 1 + MEMBERS_A_COMMAND),
);
await underPings(`ZADD ${members} members`, server, () =>
  drive(port, new Template(["ZADD", "zset"], ["#", "member:#"]), count, 1),
);
await underPings("DEL", server, async () => {
  await server.command("del", "zset");
  await untilFreed(server, nearlyEmpty);
});
await underPings(`HSET ${members} fields`, server, () =>
  drive(port, new Template(["HSET", "hash"], ["field:#", "value:#"]), count, 1),
);
await underPings("UNLINK", server, async () => {
  await server.command("unlink", "hash");
  await untilFreed(server, nearlyEmpty);
});
await server.stop();
