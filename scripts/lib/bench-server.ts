// A server under measurement: started in a scratch folder, driven by redis-benchmark and redis-cli, measured from outside.

import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const LOG_NAME = "server.log";
const START_LIMIT_MS = 15_000;
const RUN_LIMIT_MS = 120_000;
/** Of /proc/PID/stat, whose unit does not depend on the kernel's timer. */
const MS_PER_TICK = 10;

/** Servers must not outlive a measurement that fails. */
const running = new Set<BenchServer>();
process.on("exit", () => {
  for (const server of running) server.abandon();
});

/** One result of redis-benchmark. */
export interface Throughput {
  readonly requestsPerSecond: number;
  readonly p99Ms: number;
}

/** One result of redis-benchmark with its tail. */
export interface Latencies {
  readonly requestsPerSecond: number;
  readonly p999Ms: number;
}

/** How a server is started. */
export interface BenchStart {
  /** What the program is to run, when it is a runtime. */
  readonly script?: string;
  /** Further variables of its environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Arguments behind the usual ones; later ones win. */
  readonly settings?: readonly string[];
  /** Its folder, which is the caller's; a scratch folder otherwise. */
  readonly dir?: string;
  /** How long it may take to its first PONG, loading included. */
  readonly limitMs?: number;
}

/** A running server. */
export class BenchServer {
  readonly name: string;
  readonly port: number;
  /** When its process was started, by performance.now(). */
  readonly begunMs: number;
  /** From the start of the process to its first PONG. */
  readonly startMs: number;
  /** Its folder. */
  readonly dir: string;
  readonly #child: Bun.Subprocess;
  readonly #keepsDir: boolean;

  private constructor(
    name: string,
    port: number,
    begunMs: number,
    child: Bun.Subprocess,
    dir: string,
    keepsDir: boolean,
  ) {
    this.name = name;
    this.port = port;
    this.begunMs = begunMs;
    this.startMs = performance.now() - begunMs;
    this.dir = dir;
    this.#child = child;
    this.#keepsDir = keepsDir;
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Starts `program` with redis-server's arguments and waits for its first PONG. */
  static async start(name: string, program: string, options: BenchStart = {}): Promise<BenchServer> {
    const port = freePort();
    const dir = options.dir ?? mkdtempSync(join(tmpdir(), "redis-ts-bench-"));
    const usual = ["--port", String(port), "--bind", "127.0.0.1", "--dir", dir, "--save", "", "--appendonly", "no"];
    const script = options.script === undefined ? [] : [options.script];
    const args = [...script, ...usual, "--logfile", LOG_NAME, ...(options.settings ?? [])];
    const limitMs = options.limitMs ?? START_LIMIT_MS;
    const begunMs = performance.now();
    const env = { ...process.env, ...options.env };
    const child = Bun.spawn([program, ...args], { cwd: dir, env, stdin: "ignore", stdout: "ignore", stderr: "ignore" });
    while (!(await answersPing(port))) {
      if (child.exitCode === null && performance.now() - begunMs < limitMs) continue;
      child.kill("SIGKILL");
      if (options.dir === undefined) rmSync(dir, { recursive: true, force: true });
      throw new Error(`${name} (${program}) did not answer PING on port ${port}`);
    }
    const server = new BenchServer(name, port, begunMs, child, dir, options.dir !== undefined);
    running.add(server);
    return server;
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

  /** Runs redis-benchmark for its throughput and its 99.9th percentile. Throws when it fails. */
  async latencies(args: readonly string[]): Promise<Latencies> {
    const child = Bun.spawn(["redis-benchmark", "-p", String(this.port), "-c", "50", ...args], {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "ignore",
      timeout: RUN_LIMIT_MS,
      killSignal: "SIGKILL",
    });
    const text = await child.stdout.text();
    const percentiles = [...text.matchAll(/^(\d+\.\d+)% <= (\d+\.\d+) milliseconds \(/gm)];
    const requestsPerSecond = Number(/throughput summary: ([\d.]+)/.exec(text)?.[1]);
    const p999Ms = Number(percentiles.find(([, percent]) => Number(percent) >= 99.9)?.[2]);
    if (!(requestsPerSecond > 0 && p999Ms > 0)) throw new Error(`redis-benchmark failed: ${text.slice(-500)}`);
    return { requestsPerSecond, p999Ms };
  }

  /** Sets a key on a connection of its own; throws when that fails. */
  async set(): Promise<void> {
    if (!(await answers(this.port, "SET key value", "+OK"))) throw new Error(`${this.name} did not answer SET`);
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

  /** The most memory that was resident so far, in bytes: Linux only. */
  peakBytes(): number {
    return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${this.#child.pid}/status`, "utf8"))?.[1]) * 1024;
  }

  /** Time that the process has had of a processor so far, all threads, its children not: Linux only. */
  cpuMs(): number {
    const text = readFileSync(`/proc/${this.#child.pid}/stat`, "latin1");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
  }

  /** What it has logged. */
  log(): string {
    return readFileSync(join(this.dir, LOG_NAME), "latin1");
  }

  /** Ends it without waiting. */
  abandon(): void {
    this.#child.kill("SIGKILL");
    if (!this.#keepsDir) rmSync(this.dir, { recursive: true, force: true });
  }

  async stop(): Promise<void> {
    running.delete(this);
    this.#child.kill("SIGKILL");
    await this.#child.exited;
    if (!this.#keepsDir) rmSync(this.dir, { recursive: true, force: true });
  }
}

function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const port = listener.port;
  listener.stop(true);
  return port;
}

/** Whether something on the port answers an inline command with this line; false when nobody listens. */
async function answers(port: number, command: string, line: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  try {
    const socket = await Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: {
        data: (_socket, chunk) => resolve(chunk.toString("latin1").startsWith(line)),
        close: () => resolve(false),
        error: () => resolve(false),
      },
    });
    socket.write(`${command}\r\n`);
    const isRight = await promise;
    socket.end();
    return isRight;
  } catch {
    return false;
  }
}

/** Whether something on the port answers PING; waits half a millisecond before it says no. */
async function answersPing(port: number): Promise<boolean> {
  if (await answers(port, "PING", "+PONG")) return true;
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
