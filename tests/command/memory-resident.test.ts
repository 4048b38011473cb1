// Memory that keys no longer need goes back to the system: the server's resident memory, as Linux tells it, after deletes, flushes and eviction.

import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import type { RespClient } from "../support/client.ts";
import type { RunningServer } from "../support/process.ts";
import { startServer } from "../support/server.ts";

const MIB = 1 << 20;
/** Keys of a test, and the least that they take. */
const KEYS = 96_000;
const FILLED = 64 * MIB;
const WAIT_MS = 15_000;

function residentBytes(server: RunningServer): number {
  const kib = /^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${server.pid}/status`, "latin1"))?.[1];
  return Number(kib) * 1024;
}

/** Waits until resident memory is below a limit; throws when it stays above. */
async function fallsBelow(server: RunningServer, bytes: number): Promise<void> {
  const endMs = performance.now() + WAIT_MS;
  while (residentBytes(server) >= bytes) {
    if (performance.now() > endMs)
      throw new Error(`still ${residentBytes(server) / MIB} MiB, not below ${bytes / MIB}`);
    await Bun.sleep(100);
  }
}

/** Fills database 0 with so many strings of about 1 KiB: 1,000 are a MiB. */
async function fill(server: RunningServer, client: RespClient): Promise<void> {
  const before = residentBytes(server);
  await client.must("DEBUG", "POPULATE", KEYS, "key", 1000);
  expect(residentBytes(server)).toBeGreaterThan(before + FILLED);
}

/** What takes the keys away again. Database 1 holds a key throughout, so that no arena is given up as a whole unless all is flushed. */
const REMOVALS: readonly (readonly [string, (client: RespClient) => Promise<unknown>])[] = [
  [
    "keys were deleted",
    async (client) => {
      for (let at = 0; at < KEYS; at += 1000)
        await client.must("DEL", ...Array.from({ length: 1000 }, (_key, i) => `key:${at + i}`));
    },
  ],
  ["one of several databases was flushed", (client) => client.must("FLUSHDB", "SYNC")],
  ["one of several databases was flushed in the background", (client) => client.must("FLUSHDB", "ASYNC")],
  ["keys were evicted", (client) => client.must("CONFIG", "SET", "maxmemory-policy", "allkeys-lru", "maxmemory", 1)],
  ["everything was flushed", (client) => client.must("FLUSHALL")],
];

describe.skipIf(process.platform !== "linux")("resident memory falls after", () => {
  for (const [name, remove] of REMOVALS) {
    test.concurrent(
      name,
      async () => {
        const server = await startServer(["--enable-debug-command", "yes"]);
        try {
          const client = await server.connect();
          await client.must("SELECT", 1);
          await client.must("SET", "other", "v");
          await client.must("SELECT", 0);
          await fill(server, client);
          const full = residentBytes(server);
          await remove(client);
          await fallsBelow(server, full - FILLED);
        } finally {
          await server.stop();
        }
      },
      2 * WAIT_MS,
    );
  }

  test.concurrent(
    "values with buffers of their own were deleted",
    async () => {
      const server = await startServer();
      try {
        const client = await server.connect();
        const value = "x".repeat(MIB);
        for (let i = 0; i < 96; i++) await client.must("SET", `key:${i}`, value);
        const full = residentBytes(server);
        await client.must("DEL", ...Array.from({ length: 96 }, (_key, i) => `key:${i}`));
        await fallsBelow(server, full - FILLED);
      } finally {
        await server.stop();
      }
    },
    2 * WAIT_MS,
  );

  test.concurrent(
    "MEMORY PURGE at once",
    async () => {
      const server = await startServer(["--enable-debug-command", "yes"]);
      try {
        const client = await server.connect();
        await fill(server, client);
        const full = residentBytes(server);
        await client.pipeline([["FLUSHALL"], ["MEMORY", "PURGE"]]);
        expect(residentBytes(server)).toBeLessThan(full - FILLED);
      } finally {
        await server.stop();
      }
    },
    2 * WAIT_MS,
  );
});
