// What does a client wait that changes a very large value which a snapshot in progress has not written, and what do others wait meanwhile? One value of each
// kind; each change comes right after a BGSAVE has begun. Needs redis-cli on the PATH.
// usage: bun scripts/bench/snapshot-writes.ts [--elements 500000] [--rounds 3] [--binary PROGRAM]

import { existsSync } from "node:fs";
import { BenchServer } from "../lib/bench-server.ts";
import { LARGE_VALUES, type LargeValue } from "../lib/large-values.ts";
import { Pinger } from "../lib/pinger.ts";
import { BINARY, fail, say } from "../lib/project.ts";

/** Elements a command when filling. */
const BATCH = 500;
/** So many other keys keep the walk from coming to the value by itself. */
const OTHER_KEYS = 1_000_000;
const POLL_MS = 50;

/** A connection that sends commands and tells when as many replies of one line have come. */
class Sender {
  #answers = 0;
  #waiting: { count: number; resolve: () => void } | null = null;
  #socket: Bun.Socket | null = null;
  #unsent: Uint8Array = new Uint8Array(0);

  async connect(port: number): Promise<void> {
    this.#socket = await Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: { data: (_socket, chunk) => this.#take(chunk), drain: () => this.#flush() },
    });
  }

  #take(chunk: Uint8Array): void {
    if (chunk[0] === 45) fail(`refused: ${Buffer.from(chunk).toString("latin1")}`);
    // Replies are lines, but for bulk strings (the ids of stream entries), which are two.
    for (const byte of chunk) if (byte === 10) this.#answers++;
    if (this.#waiting === null || this.#answers < this.#waiting.count) return;
    const { resolve } = this.#waiting;
    this.#waiting = null;
    resolve();
  }

  #flush(): void {
    const sent = this.#socket?.write(this.#unsent) ?? 0;
    this.#unsent = this.#unsent.subarray(Math.max(0, sent));
  }

  /** Sends commands and waits for `lines` lines of replies. */
  async send(commands: readonly (readonly string[])[], lines: number): Promise<void> {
    const text = commands
      .map((words) => `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`)
      .join("");
    this.#answers = 0;
    const done = new Promise<void>((resolve) => (this.#waiting = { count: lines, resolve }));
    this.#unsent = Buffer.from(text, "latin1");
    this.#flush();
    await done;
  }
}

async function fillValue(sender: Sender, value: LargeValue, elements: number): Promise<void> {
  const isStream = value.kind === "stream";
  const batch = isStream ? 1 : BATCH;
  let commands: string[][] = [];
  for (let from = 0; from < elements; from += batch) {
    commands.push(value.fill(value.kind, from, Math.min(elements, from + batch)));
    if (commands.length < BATCH && from + batch < elements) continue;
    await sender.send(commands, commands.length * (isStream ? 2 : 1));
    commands = [];
  }
}

/** Until no save is in progress. */
async function saved(server: BenchServer): Promise<void> {
  while (/rdb_bgsave_in_progress:1/.test(await server.command("INFO", "persistence"))) await Bun.sleep(POLL_MS);
}

const args = process.argv.slice(2);
const option = (name: string, other: string): string => args[args.indexOf(name) + 1] ?? other;
const binary = args.includes("--binary") ? option("--binary", BINARY) : BINARY;
const elements = args.includes("--elements") ? Number(option("--elements", "")) : 500_000;
const rounds = args.includes("--rounds") ? Number(option("--rounds", "")) : 3;
if (!existsSync(binary)) fail(`${binary} does not exist; build it first: npm run build`);
if (!(elements > 0) || !(rounds > 0)) fail("--elements and --rounds want numbers");

const server = await BenchServer.start("redis-ts", binary, { settings: ["--enable-debug-command", "yes"] });
const sender = new Sender();
await sender.connect(server.port);
await sender.send([["DEBUG", "POPULATE", String(OTHER_KEYS)]], 1);
for (const value of LARGE_VALUES) await fillValue(sender, value, elements);
say(`${elements} elements: ms until a change is answered, and the slowest PING of others meanwhile (each round)`);
for (const value of LARGE_VALUES) {
  const cells: string[] = [];
  for (let round = 0; round < rounds; round++) {
    const pinger = new Pinger([]);
    await pinger.start(server.port);
    await server.command("BGSAVE");
    const startMs = performance.now();
    const cpuMs = server.cpuMs();
    await sender.send([value.change(value.kind)], value.kind === "stream" ? 2 : 1);
    const waitedMs = performance.now() - startMs;
    cells.push(`${waitedMs.toFixed(0)} (processor ${server.cpuMs() - cpuMs}; PING ${pinger.stop().maxMs.toFixed(1)})`);
    await saved(server);
  }
  say(`${value.kind.padEnd(12)}${cells.join("   ")}`);
}
await server.stop();
process.exit(0);
