// A server under measurement: started in a scratch folder, driven by redis-benchmark and redis-cli, measured from outside.

import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const START_LIMIT_MS = 15_000;
const RUN_LIMIT_MS = 120_000;

/** One result of redis-benchmark. */
export interface Throughput {
  readonly requestsPerSecond: number;
  readonly p99Ms: number;
}

/** A running server. */
export class BenchServer {
  readonly name: string;
  readonly port: number;
  /** From the start of the process to its first PONG. */
  readonly startMs: number;
  readonly #child: Bun.Subprocess;
  readonly #dir: string;

  private constructor(name: string, port: number, startMs: number, child: Bun.Subprocess, dir: string) {
    this.name = name;
    this.port = port;
    this.startMs = startMs;
    this.#child = child;
    this.#dir = dir;
  }

  /** Starts `program` with redis-server's arguments and waits for its first PONG. */
  static async start(name: string, program: string): Promise<BenchServer> {
    const port = freePort();
    const dir = mkdtempSync(join(tmpdir(), "redis-ts-bench-"));
    const args = ["--port", String(port), "--bind", "127.0.0.1", "--dir", dir, "--save", "", "--appendonly", "no"];
    const begunMs = performance.now();
    const child = Bun.spawn([program, ...args], { cwd: dir, stdin: "ignore", stdout: "ignore", stderr: "ignore" });
    while (!(await answersPing(port))) {
      if (child.exitCode === null && performance.now() - begunMs < START_LIMIT_MS) continue;
      child.kill("SIGKILL");
      rmSync(dir, { recursive: true, force: true });
      throw new Error(`${name} (${program}) did not answer PING on port ${port}`);
    }
    return new BenchServer(name, port, performance.now() - begunMs, child, dir);
  }

  /** Runs one redis-benchmark test; null when the server does not support it or the run takes too long. */
  async benchmark(args: readonly string[], pipeline: number, requests: number): Promise<Throughput | null> {
    const options = ["-p", String(this.port), "-c", "50", "-P", String(pipeline), "-n", String(requests), "--csv"];
    const child = Bun.spawn(["redis-benchmark", ...options, ...args], {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "ignore",
      timeout: RUN_LIMIT_MS,
      killSignal: "SIGKILL",
    });
    const text = await child.stdout.text();
    return (await child.exited) === 0 ? parseCsv(text) : null;
  }

  /** Sends one command through redis-cli and returns what it prints. */
  async command(...args: string[]): Promise<string> {
    const child = Bun.spawn(["redis-cli", "-p", String(this.port), ...args], {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "ignore",
    });
    return (await child.stdout.text()).trim();
  }

  /** Resident memory of the process in bytes. */
  async residentBytes(): Promise<number> {
    const status = `/proc/${this.#child.pid}/status`;
    if (existsSync(status)) return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(status, "utf8"))?.[1]) * 1024;
    const ps = Bun.spawn(["ps", "-o", "rss=", "-p", String(this.#child.pid)], { stdout: "pipe" });
    return Number.parseInt(await ps.stdout.text(), 10) * 1024;
  }

  async stop(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const port = listener.port;
  listener.stop(true);
  return port;
}

/** Whether something on the port answers PING; waits half a millisecond before it says no. */
async function answersPing(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  try {
    const socket = await Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: {
        data: (_socket, chunk) => resolve(chunk.toString("latin1").startsWith("+PONG")),
        close: () => resolve(false),
        error: () => resolve(false),
      },
    });
    socket.write("PING\r\n");
    const pong = await promise;
    socket.end();
    if (pong) return true;
  } catch {
    // Nobody listens yet.
  }
  await Bun.sleep(0.5);
  return false;
}

/** The last row of redis-benchmark's CSV: test, rps, average, min, p50, p95, p99, max. */
export function parseCsv(text: string): Throughput | null {
  const rows = text.split("\n").filter((line) => line.startsWith('"') && !line.startsWith('"test"'));
  const cells = rows.at(-1)?.match(/"(?:[^"]|"")*"/g);
  if (!cells || cells.length < 8) return null;
  const [requestsPerSecond, p99Ms] = [cells.at(-7)!, cells.at(-2)!].map((cell) => Number(cell.slice(1, -1)));
  return { requestsPerSecond: requestsPerSecond!, p99Ms: p99Ms! };
}
