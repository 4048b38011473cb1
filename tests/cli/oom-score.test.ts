// oom-score-adj: what Linux is told of a primary, a replica and a child process.

import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { startServer } from "../support/server.ts";

/** The score of a process. */
function score(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/oom_score_adj`, "latin1"));
}

test.skipIf(process.platform !== "linux")("each role has its score, and so has a child", async () => {
  const server = await startServer([
    ...["--oom-score-adj", "yes", "--oom-score-adj-values", "10", "20", "30", "--rdb-key-save-delay", "10000000"],
  ]);
  try {
    const base = score(process.pid);
    const client = await server.connect();
    expect(score(server.pid)).toBe(base + 10);
    await client.call("REPLICAOF", "127.0.0.1", 1);
    expect(score(server.pid)).toBe(base + 20);
    await client.call("CONFIG", "SET", "oom-score-adj-values", "10 25 30");
    expect(score(server.pid)).toBe(base + 25);
    await client.call("REPLICAOF", "NO", "ONE");
    expect(score(server.pid)).toBe(base + 10);
    await client.call("SET", "k", "v");
    await client.call("BGSAVE");
    const child = Number((await Bun.$`pgrep -P ${server.pid}`.text()).trim());
    for (let tries = 0; tries < 400 && score(child) !== base + 30; tries++) await Bun.sleep(20);
    expect(score(child)).toBe(base + 30);
    process.kill(child, "SIGKILL");
    await client.call("CONFIG", "SET", "oom-score-adj", "no");
    expect(score(server.pid)).toBe(base);
    await client.call("REPLICAOF", "127.0.0.1", 1);
    expect(score(server.pid)).toBe(base);
  } finally {
    await server.stop();
  }
});
