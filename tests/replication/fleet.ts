// Servers that keep their port and folder over kills and restarts, for tests of replication: ours, the real one, and the real Sentinel.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RespClient } from "../support/client.ts";
import { baseArguments, freePort } from "../support/process.ts";
import { serverCommand } from "../support/server.ts";
import { infoFields, type Kind } from "./nodes.ts";
import { until } from "./waiting.ts";

const running = new Set<Bun.Subprocess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** A process with a port and a folder of its own. */
abstract class Process {
  readonly port = freePort();
  readonly dir = mkdtempSync(join(tmpdir(), "redis-ts-fleet-"));
  #child: Bun.Subprocess | null = null;
  readonly #logPath = join(this.dir, "output.log");

  protected abstract command(): string[];

  /** Starts the process; `isUp` waits for it. */
  start(): void {
    const output = Bun.file(this.#logPath);
    const child = Bun.spawn(this.command(), { cwd: this.dir, stdin: "ignore", stdout: output, stderr: output });
    this.#child = child;
    running.add(child);
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }

  /** Ends it at once, as a power failure would. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    child.kill("SIGKILL");
    await child.exited;
    running.delete(child);
    this.#child = null;
  }

  async dispose(): Promise<void> {
    await this.kill();
    rmSync(this.dir, { recursive: true, force: true });
  }

  connect(): Promise<RespClient> {
    return RespClient.connect({ port: this.port });
  }

  /** One command over a connection of its own. */
  async ask(...args: (string | number)[]): Promise<unknown> {
    const client = await this.connect();
    try {
      return await client.must(...args);
    } finally {
      client.close();
    }
  }

  /** Waits until it answers PING. */
  async isUp(): Promise<void> {
    await until(`answer of port ${this.port}`, async () => (await this.ask("PING")) === "PONG");
  }

  log(): Promise<string> {
    return Bun.file(this.#logPath).text();
  }
}

/** A server that stores data. */
export class FleetNode extends Process {
  readonly kind: Kind;
  readonly #args: readonly string[];

  constructor(kind: Kind, args: readonly string[] = []) {
    super();
    this.kind = kind;
    this.#args = args;
  }

  protected command(): string[] {
    const program = this.kind === "ts" ? serverCommand() : ["redis-server"];
    return [...program, ...baseArguments(this.port, this.dir), "--enable-debug-command", "yes", ...this.#args];
  }

  async info(section = "replication"): Promise<Map<string, string>> {
    return infoFields(String(await this.ask("INFO", section)));
  }

  /** Is it a replica of `primary`, and up to date with its connection? */
  async follows(primary: { readonly port: number }): Promise<boolean> {
    const info = await this.info();
    return (
      info.get("role") === "slave" &&
      info.get("master_port") === String(primary.port) &&
      info.get("master_link_status") === "up"
    );
  }

  digest(): Promise<unknown> {
    return this.ask("DEBUG", "DIGEST");
  }
}

/** A real Sentinel that watches one primary under the name `main`. */
export class Sentinel extends Process {
  readonly #path: string;

  constructor(
    primary: FleetNode,
    quorum: number,
    options: { readonly downAfterMs: number; readonly failoverTimeoutMs: number },
  ) {
    super();
    this.#path = join(this.dir, "sentinel.conf");
    const lines = [
      `port ${this.port}`,
      "bind 127.0.0.1",
      `dir ${this.dir}`,
      `sentinel monitor main 127.0.0.1 ${primary.port} ${quorum}`,
      `sentinel down-after-milliseconds main ${options.downAfterMs}`,
      `sentinel failover-timeout main ${options.failoverTimeoutMs}`,
      "sentinel parallel-syncs main 2",
    ];
    writeFileSync(this.#path, `${lines.join("\n")}\n`);
  }

  protected command(): string[] {
    return ["redis-server", this.#path, "--sentinel"];
  }

  /** Port of the primary as this Sentinel sees it. */
  async primaryPort(): Promise<number> {
    const address = await this.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main");
    return Array.isArray(address) ? Number(address[1]) : 0;
  }

  /** Numbers of replicas and of other Sentinels that it knows. */
  async knows(): Promise<{ replicas: number; sentinels: number }> {
    const reply = await this.ask("SENTINEL", "MASTER", "main");
    const flat = Array.isArray(reply) ? reply : [...(reply as Map<unknown, unknown>).entries()].flat();
    const value = (name: string) => Number(flat[flat.indexOf(name) + 1]);
    return { replicas: value("num-slaves"), sentinels: value("num-other-sentinels") };
  }
}
