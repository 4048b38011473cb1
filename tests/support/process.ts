// Starts a server process (ours or redis-server) on a free port of the loopback interface and stops it again.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RespClient } from "./client.ts";

const READY = "Ready to accept connections";
const START_LIMIT_MS = 20_000;
const STOP_LIMIT_MS = 10_000;
const PORT_ATTEMPTS = 5;

/** A running server in its own scratch folder. */
export interface RunningServer {
  readonly port: number;
  readonly pid: number;
  /** Its working folder; removed by stop(). */
  readonly dir: string;
  /** What it has written to standard output and standard error so far. */
  log(): string;
  /** Waits until the log contains a text or matches a pattern. */
  waitForLog(pattern: string | RegExp): Promise<void>;
  /** Opens a connection. */
  connect(): Promise<RespClient>;
  /** Sends a signal. */
  signal(name: NodeJS.Signals): void;
  /** Waits for the process to end by itself and returns its exit status. */
  exited(): Promise<number>;
  /** Ends the process and removes its folder. */
  stop(): Promise<void>;
}

const running = new Set<{ kill(signal: NodeJS.Signals): void }>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** A port of 127.0.0.1 that was free a moment ago. */
export function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const port = listener.port;
  listener.stop(true);
  return port;
}

/** Arguments of redis-server that every test server gets; later ones win. */
export function baseArguments(port: number, dir: string): string[] {
  return ["--port", String(port), "--bind", "127.0.0.1", "--dir", dir, "--save", "", "--appendonly", "no"];
}

/** How to start a server. */
export interface StartOptions {
  /** The program and the arguments before those of redis-server. */
  readonly command: readonly string[];
  /** Arguments of redis-server, after the base arguments. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Folder to start it in; its scratch folder when absent. */
  readonly cwd?: string;
}

async function settle(promise: Promise<unknown>, limitMs: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), limitMs);
  });
  const inTime = await Promise.race([promise.then(() => true as const), late]);
  clearTimeout(timer);
  return inTime;
}

/** Starts a server and waits until it is ready. A taken port is tried again with another. */
export async function startProcess(options: StartOptions): Promise<RunningServer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(options, freePort());
    } catch (error) {
      const taken = /address already in use|failed listening on port/i.test(String(error));
      if (!taken || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

async function startOnce(options: StartOptions, port: number): Promise<RunningServer> {
  const dir = mkdtempSync(join(tmpdir(), "redis-ts-server-"));
  const command = [...options.command, ...baseArguments(port, dir), ...(options.args ?? [])];
  const env = { ...process.env, ...options.env };
  const child = Bun.spawn(command, { cwd: options.cwd ?? dir, env, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  running.add(child);
  let log = "";
  let ended = false;
  let wake: (() => void)[] = [];
  const news = () => {
    const waiting = wake;
    wake = [];
    for (const resolve of waiting) resolve();
  };
  const collect = async (stream: ReadableStream<Uint8Array>): Promise<void> => {
    const decoder = new TextDecoder("latin1");
    for await (const chunk of stream) {
      log += decoder.decode(chunk);
      news();
    }
  };
  const drained = Promise.all([collect(child.stdout), collect(child.stderr)]);
  const finished = child.exited.then(async (status) => {
    await drained;
    running.delete(child);
    ended = true;
    news();
    return status;
  });

  const waitForLog = async (pattern: string | RegExp, limitMs = STOP_LIMIT_MS): Promise<void> => {
    const found = () => (typeof pattern === "string" ? log.includes(pattern) : pattern.test(log));
    const deadlineMs = performance.now() + limitMs;
    while (!found()) {
      const leftMs = deadlineMs - performance.now();
      if (ended) throw new Error(`${command[0]} ended before ${pattern} was logged:\n${log}`);
      if (leftMs <= 0) throw new Error(`${command[0]} did not log ${pattern} within ${limitMs} ms:\n${log}`);
      await settle(new Promise<void>((resolve) => wake.push(resolve)), leftMs);
    }
  };

  const stop = async (): Promise<void> => {
    if (!ended) child.kill("SIGTERM");
    if (!ended) child.kill("SIGCONT");
    if (!(await settle(finished, STOP_LIMIT_MS))) child.kill("SIGKILL");
    await finished;
    rmSync(dir, { recursive: true, force: true });
  };

  try {
    await waitForLog(READY, START_LIMIT_MS);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    port,
    pid: child.pid,
    dir,
    log: () => log,
    waitForLog: (pattern) => waitForLog(pattern),
    connect: () => RespClient.connect({ port }),
    signal: (name) => child.kill(name),
    exited: () => finished,
    stop,
  };
}
