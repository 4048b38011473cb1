/**
 * Nanoseconds a command without sockets: pipelined chunks through reader and execute(), and the same with parts left out.
 * Usage: bun scripts/bench/hot-path.ts [rounds] [test,...]. It is processor time, the least of the rounds. Figures are for comparing two states of the sources on one machine in one sitting.
 */
import { Arena } from "../../src/arena/arena.ts";
import { SystemClock } from "../../src/base/clock.ts";
import { SystemMemory } from "../../src/base/os-memory.ts";
import { Prng } from "../../src/base/prng.ts";
import { COMMANDS } from "../../src/commands/index.ts";
import { Config } from "../../src/config/config.ts";
import { PERSONALITIES } from "../../src/config/personality.ts";
import { NULL_LINK } from "../../src/engine/client/null-link.ts";
import { Engine } from "../../src/engine/engine.ts";
import { registerEngineSettings } from "../../src/engine/settings.ts";
import { Keyspace } from "../../src/keyspace/keyspace.ts";
import { ProtocolFault, readRequest } from "../../src/resp/reader.ts";
import { LOOK_AHEAD, Request } from "../../src/resp/request.ts";

const KEYS = 1_000_000;
const DEPTH = 64;
const CHUNKS = 4000;

const prng = new Prng(7);
const clock = new SystemClock();
const keyspace = new Keyspace(new Arena(1, 2, new SystemMemory()), 16, prng);
const engine = new Engine(new Config({ personality: PERSONALITIES.redis }), keyspace, clock, COMMANDS);
registerEngineSettings(engine);
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
        engine.briefs.inPipeline = true;
        for (let i = 0; i < n; i++) engine.execute(client, requests[i], engine.prefetcher.specs[i]);
        engine.briefs.inPipeline = false;
        if (engine.briefs.count > 0) engine.settleBriefs();
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

/** Runs one command now. */
function once(...args: string[]): void {
  const text = `*${args.length}\r\n${args.map((a) => `$${a.length}\r\n${a}\r\n`).join("")}`;
  const bytes = new TextEncoder().encode(text);
  readRequest(bytes, 0, bytes.length, requests[0], limits, fault);
  engine.execute(client, requests[0]);
  engine.reply.clear();
}

for (let i = 0; i < 10; i++) once("HSET", "small", `field${i}`, `value${i}`);
for (let i = 0; i < 10_000; i++) once("ZADD", "ranked", String(i), `m${String(i).padStart(12, "0")}`);

const many = (make: () => string[]): Uint8Array[] => Array.from({ length: CHUNKS }, () => chunk(make));
const counter = (prefix: string, below: number): string => `${prefix}${String(prng.below(below)).padStart(12, "0")}`;
const only = process.argv[3]?.split(",");

function test(name: string, make: () => string[]): void {
  if (only === undefined || only.includes(name.replace(" ", "-"))) run(name, many(make));
}

if (only === undefined || only.includes("parse-set")) parseOnly(many(() => ["SET", key(), value]));
test("ping", () => ["PING"]);
if (only === undefined || only.includes("set") || only.includes("get"))
  for (let i = 0; i < 4; i++)
    run(
      "set fill",
      many(() => ["SET", key(), value]),
    );
test("set", () => ["SET", key(), value]);
test("get", () => ["GET", key()]);
test("incr", () => ["INCR", counter("counter:", KEYS)]);
test("get same", () => ["GET", "key:000000000001"]);
test("expire", () => ["SET", counter("k:", KEYS), "v", "EX", "100"]);
// What has been pushed is popped: each list is as long before the pops as after the pushes.
test("lpush", () => ["LPUSH", "list", "xxx"]);
test("rpop", () => ["RPOP", "list"]);
test("rpush", () => ["RPUSH", "list", "xxx"]);
test("lpop", () => ["LPOP", "list"]);
test("sadd", () => ["SADD", "set", counter("element:", KEYS)]);
test("spop", () => ["SPOP", "set"]);
test("spop none", () => ["SPOP", "none"]);
test("hset", () => ["HSET", "hash", counter("element:", KEYS), "xxx"]);
test("hincrby", () => ["HINCRBY", "counters", counter("f", 100_000), "1"]);
test("hgetall", () => ["HGETALL", "small"]);
test("zadd", () => ["ZADD", "zset", String(prng.below(KEYS)), counter("element:", KEYS)]);
test("zrank", () => ["ZRANK", "ranked", counter("m", 10_000)]);
test("xadd", () => ["XADD", "stream", "MAXLEN", "~", "100000", "*", "f", counter("", KEYS)]);
