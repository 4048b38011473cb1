// Real crashes: a server under load is killed with SIGKILL at a random instant, starts again, and must still have everything that it has acknowledged.
// REDIS_TS_CRASH_ROUNDS says how often; a dozen times if it is not set.

import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Prng } from "../../src/base/prng.ts";
import { testSeed } from "../base/seeded.ts";
import { RespClient } from "../support/client.ts";
import { baseArguments, freePort, type RunningServer } from "../support/process.ts";
import { ReplyError } from "../support/reply.ts";
import { serverCommand, startServer } from "../support/server.ts";

const ROUNDS = Number(process.env.REDIS_TS_CRASH_ROUNDS ?? 12);
const CLIENTS = 6;
/** Everything older than this when the server was killed must be there with everysec. */
const LOSS_MAX_MS = 1500;

const folder = mkdtempSync(join(tmpdir(), "aof-crash-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** One client that counts up: in a string, in both halves of a transaction, and at the end of a list. */
class Writer {
  readonly id: number;
  sent = 0;
  acknowledged = 0;
  /** When each number was acknowledged, for those that were. */
  readonly times: number[] = [0];
  #client: RespClient | null = null;

  constructor(id: number) {
    this.id = id;
  }

  /** Writes until the server is gone. */
  async run(port: number): Promise<void> {
    const { id } = this;
    try {
      this.#client = await RespClient.connect({ port });
      for (;;) {
        const n = ++this.sent;
        const replies = await this.#client.pipeline([
          ["SET", `string:${id}`, n],
          ["MULTI"],
          ["SET", `left:${id}`, n],
          ["SET", `right:${id}`, n],
          ["EXEC"],
          ["RPUSH", `list:${id}`, n],
          ["INCR", `count:${id}`],
        ]);
        const error = replies.find((reply) => reply instanceof ReplyError);
        if (error !== undefined) throw new Error(`refused: ${error}`);
        this.acknowledged = n;
        this.times[n] = Date.now();
      }
    } catch (error) {
      if (!/closed|ECONNREFUSED|Failed to connect|refused: .*LOADING/.test(String(error))) throw error;
    }
  }

  close(): void {
    this.#client?.close();
  }

  /** What the server has of this client: every key must be the result of a prefix of its commands, at least up to `least`. */
  async verify(client: RespClient, least: number): Promise<void> {
    const { id } = this;
    const value = async (key: string) => Number((await client.must("GET", `${key}:${id}`)) ?? 0);
    const [string, left, right, count] = [
      await value("string"),
      await value("left"),
      await value("right"),
      await value("count"),
    ];
    const list = ((await client.must("LRANGE", `list:${id}`, 0, -1)) as string[]).map(Number);
    const what = `client ${id}: sent ${this.sent}, acknowledged ${this.acknowledged}, expected ${least}; has ${JSON.stringify({ string, left, right, count, list: list.length })}`;
    expect(left, `${what}: transactions are whole`).toBe(right);
    expect(list, `${what}: nothing is there twice, and nothing is missing`).toEqual(list.map((_, i) => i + 1));
    for (const n of [string, left, list.length, count]) {
      expect(n, what).toBeGreaterThanOrEqual(least);
      expect(n, what).toBeLessThanOrEqual(this.sent);
    }
    // The next number is the one behind what is there, so that lists stay whole.
    const state = Math.max(string, left, list.length, count);
    for (const key of ["string", "left", "right"]) await client.must("SET", `${key}:${id}`, state);
    await client.must("SET", `count:${id}`, state);
    for (let n = list.length + 1; n <= state; n++) await client.must("RPUSH", `list:${id}`, n);
    this.sent = state;
    this.acknowledged = state;
    this.times[state] = Date.now();
  }
}

function start(dir: string, settings: readonly string[]): Promise<RunningServer> {
  return startServer(["--dir", dir, "--appendonly", "yes", "--save", "", ...settings]);
}

/** Crashes of one server, again and again. `leastOf` tells what a client must find at least. */
async function crashes(
  settings: readonly string[],
  rounds: number,
  seed: number,
  leastOf: (writer: Writer, killedMs: number) => number,
): Promise<void> {
  const prng = new Prng(seed);
  const dir = mkdtempSync(join(folder, "dir-"));
  const writers = Array.from({ length: CLIENTS }, (_, id) => new Writer(id));
  for (let round = 0; round < rounds; round++) {
    const server = await start(dir, settings);
    const client = await RespClient.connect({ port: server.port });
    const runs = writers.map((writer) => writer.run(server.port));
    // A rewrite is under way in most rounds, and at any stage of it.
    const rewriteMs = prng.below(80);
    const killMs = 10 + prng.below(150);
    if (rewriteMs < killMs) {
      await Bun.sleep(rewriteMs);
      await client.call("BGREWRITEAOF").catch(() => null);
    }
    await Bun.sleep(Math.max(0, killMs - rewriteMs));
    const killedMs = Date.now();
    server.signal("SIGKILL");
    await server.exited();
    await Promise.all(runs);
    await server.stop();
    for (const writer of writers) writer.close();
    client.close();
    if (prng.below(4) === 0) await killWhileLoading(dir, settings, prng);
    const again = await start(dir, settings);
    try {
      const reader = await RespClient.connect({ port: again.port });
      for (const writer of writers) await writer.verify(reader, leastOf(writer, killedMs));
      reader.close();
    } catch (error) {
      throw new Error(`seed ${seed}, round ${round}, files ${readdirSync(join(dir, "appendonlydir"))}: ${error}`, {
        cause: error,
      });
    } finally {
      await again.stop();
    }
  }
}

/** A start that does not come far. */
async function killWhileLoading(dir: string, settings: readonly string[], prng: Prng): Promise<void> {
  const port = freePort();
  const command = [...serverCommand(), ...baseArguments(port, dir), "--appendonly", "yes", ...settings];
  const server = Bun.spawn(command, { stdin: "ignore", stdout: "ignore", stderr: "ignore" });
  await Bun.sleep(prng.below(400));
  server.kill("SIGKILL");
  await server.exited;
}

describe("killed at a random instant", () => {
  for (const preamble of ["yes", "no"]) {
    test(
      `appendfsync always, rdb preamble ${preamble}: nothing that was acknowledged is lost`,
      async () => {
        const settings = ["--appendfsync", "always", "--aof-use-rdb-preamble", preamble];
        await crashes(settings, Math.ceil(ROUNDS / 2), testSeed(), (writer) => writer.acknowledged);
      },
      60_000 + ROUNDS * 5000,
    );
  }

  test(
    "appendfsync everysec: at most the last second and a half",
    async () => {
      await crashes(["--appendfsync", "everysec"], Math.ceil(ROUNDS / 4), testSeed() + 1, (writer, killedMs) => {
        const least = writer.times.findLastIndex((ms) => ms !== undefined && ms < killedMs - LOSS_MAX_MS);
        return Math.max(0, least);
      });
    },
    60_000 + ROUNDS * 5000,
  );
});
