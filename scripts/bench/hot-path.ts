/**
 * Nanoseconds a command without sockets: pipelined chunks through reader and execute(), and the same with parts left out.
 * Usage: bun scripts/bench/hot-path.ts [rounds]. It is processor time, the least of the rounds. Figures are for comparing two states of the sources on one machine in one sitting.
 */
import { Arena } from "../../src/arena/arena.ts";
import { SystemClock } from "../../src/base/clock.ts";
import { SystemMemory } from "../../src/base/os-memory.ts";
import { Prng } from "../../src/base/prng.ts";
import { COMMANDS } from "../../src/commands/index.ts";
import { Config } from "../../src/config/config.ts";
import { PERSONALITIES } from "../../src/config/personality.ts";
import { Engine } from "../../src/engine/engine.ts";
import { NULL_LINK } from "../../src/engine/null-link.ts";
import { LOOK_AHEAD } from "../../src/engine/prefetch.ts";
import { Keyspace } from "../../src/keyspace/keyspace.ts";
import { ProtocolFault, readRequest } from "../../src/resp/reader.ts";
import { Request } from "../../src/resp/request.ts";

const KEYS = 1_000_000;
const DEPTH = 64;
const CHUNKS = 4000;

const prng = new Prng(7);
const clock = new SystemClock();
const keyspace = new Keyspace(new Arena(1, 2, new SystemMemory()), 16, prng);
const engine = new Engine(new Config({ personality: PERSONALITIES.redis }), keyspace, clock, COMMANDS);
const client = engine.connect(NULL_LINK);
const requests = Array.from({ length: LOOK_AHEAD }, () => new Request());
const fault = new ProtocolFault();
const limits = { bulkMax: 1 << 29, authenticated: true };

function chunk(make: () => string[]): Uint8Array {
  let text = "";
  for (let i = 0; i < DEPTH; i++) {
    const args = make();
    text += `*${args.length}\r\n${args.map((a) => `$${a.length}\r\n${a}\r\n`).join("")}`;
  }
  return new TextEncoder().encode(text);
}

const key = (): string => `key:${String(prng.below(KEYS)).padStart(12, "0")}`;
const value = "x".repeat(16);

function run(name: string, chunks: Uint8Array[]): void {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < Number(process.argv[2] ?? 3); round++) {
    const from = process.cpuUsage().user;
    for (const bytes of chunks) {
      engine.startTurn();
      for (let pos = 0; pos < bytes.length; ) {
        let n = 0;
        while (n < LOOK_AHEAD && pos < bytes.length)
          pos = readRequest(bytes, pos, bytes.length, requests[n++], limits, fault);
        engine.prefetcher.prepare(engine.commands, client.db, requests, n);
        for (let i = 0; i < n; i++) engine.execute(client, requests[i], engine.prefetcher.specs[i]);
      }
      engine.reply.clear();
    }
    best = Math.min(best, (process.cpuUsage().user - from) / (chunks.length * DEPTH));
  }
  process.stdout.write(`${name.padEnd(10)} ${(best * 1000).toFixed(0).padStart(6)} ns\n`);
}

function parseOnly(chunks: Uint8Array[]): void {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 3; round++) {
    const from = process.cpuUsage().user;
    for (const bytes of chunks) {
      for (let pos = 0; pos < bytes.length; ) pos = readRequest(bytes, pos, bytes.length, requests[0], limits, fault);
    }
    best = Math.min(best, (process.cpuUsage().user - from) / (chunks.length * DEPTH));
  }
  process.stdout.write(`${"parse set".padEnd(10)} ${(best * 1000).toFixed(0).padStart(6)} ns\n`);
}

const many = (make: () => string[]): Uint8Array[] => Array.from({ length: CHUNKS }, () => chunk(make));
const sets = many(() => ["SET", key(), value]);
parseOnly(sets);
run(
  "ping",
  many(() => ["PING"]),
);
for (let i = 0; i < 4; i++)
  run(
    "set fill",
    many(() => ["SET", key(), value]),
  );
run("set", sets);
run(
  "get",
  many(() => ["GET", key()]),
);
run(
  "incr",
  many(() => ["INCR", `counter:${String(prng.below(KEYS)).padStart(12, "0")}`]),
);
run(
  "get same",
  many(() => ["GET", "key:000000000001"]),
);
