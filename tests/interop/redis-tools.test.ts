// redis-cli and redis-benchmark, as they are installed with redis-server, against our server.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { describeOracle, describeTool, startOracle } from "../support/oracle.ts";
import type { RunningServer } from "../support/process.ts";
import { startServer } from "../support/server.ts";
import { PASSWORD, type Reachable, startReachable } from "./servers.ts";

const BENCHMARK_LIMIT_MS = 60_000;

/** Runs a tool with input; its output, and what it said on standard error. */
async function run(tool: string, args: readonly string[], input = ""): Promise<{ out: string; err: string }> {
  const child = Bun.spawn([tool, ...args], { stdin: Buffer.from(input), stdout: "pipe", stderr: "pipe" });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  await child.exited;
  return { out, err };
}

describeTool("redis-cli", () => {
  let ways: Reachable;
  beforeAll(async () => {
    ways = await startReachable();
  });
  afterAll(async () => {
    await ways?.stop();
  });

  /** Runs redis-cli over a transport. */
  function cli(
    kind: "tcp" | "unix" | "tls",
    args: readonly string[],
    input = "",
  ): Promise<{ out: string; err: string }> {
    const transport = ways.transports.find((each) => each.kind === kind)!;
    const way: Record<typeof transport.kind, () => string[]> = {
      tcp: () => ["-p", String(ways.server.port)],
      unix: () => ["-s", transport.kind === "unix" ? transport.path : ""],
      tls: () =>
        transport.kind === "tls" ? ["--tls", "--insecure", "-p", String(transport.port), "-h", "127.0.0.1"] : [],
    };
    return run("redis-cli", [...way[kind](), "-a", PASSWORD, "--no-auth-warning", ...args], input);
  }

  for (const kind of ["tcp", "unix", "tls"] as const) {
    test(`one command, and a dialogue, over ${kind}`, async () => {
      expect((await cli(kind, ["SET", "k", "v"])).out).toBe("OK\n");
      const dialogue = await cli(kind, ["-n", "4"], "SET k w\nGET k\nCLIENT INFO\nNOSUCH\nSELECT 0\nGET k\n");
      const lines = dialogue.out.split("\n").filter((line) => line !== "");
      expect(lines.slice(0, 2)).toEqual(["OK", "w"]);
      expect(lines[2]).toContain(" db=4 ");
      expect(lines.slice(3)).toEqual(["ERR unknown command 'NOSUCH', with args beginning with: ", "OK", "v"]);
    });
  }

  test("RESP3", async () => {
    const { out } = await cli("tcp", ["-3", "--json", "HELLO"]);
    expect(JSON.parse(out)).toMatchObject({ server: "redis", proto: 3, mode: "standalone", modules: [] });
  });

  test("a pipe of raw protocol", async () => {
    const count = 1000;
    let input = "";
    for (let i = 0; i < count; i++) input += `*3\r\n$3\r\nSET\r\n$6\r\nk${String(i).padStart(5, "0")}\r\n$1\r\nx\r\n`;
    const { out } = await cli("tcp", ["--pipe"], input);
    expect(out).toContain(`errors: 0, replies: ${count}`);
  });

  test("without and with a wrong password", async () => {
    const port = ["-p", String(ways.server.port)];
    expect((await run("redis-cli", [...port, "PING"])).out).toBe("NOAUTH Authentication required.\n\n");
    const wrong = await run("redis-cli", [...port, "-a", "wrong", "--no-auth-warning", "PING"]);
    expect(wrong.err).toContain("AUTH failed: WRONGPASS");
  });
});

describeTool("redis-benchmark", () => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(async () => {
    await server?.stop();
  });

  for (const pipeline of ["1", "16"]) {
    test(
      `string tests at pipeline ${pipeline}`,
      async () => {
        const args = ["-p", String(server.port), "-n", "2000", "-c", "10", "-P", pipeline, "--csv"];
        const { out, err } = await run("redis-benchmark", [...args, "-t", "ping,set,get,incr,mset"]);
        const tests = out.split("\n").flatMap((line) => /^"([^"]+)","\d/.exec(line)?.[1] ?? []);
        expect(tests).toEqual(["PING_INLINE", "PING_MBULK", "SET", "GET", "INCR", "MSET (10 keys)"]);
        expect(err).not.toContain("Error");
      },
      BENCHMARK_LIMIT_MS,
    );
  }
});

describeOracle("MONITOR", () => {
  test("shows the same lines as redis-server", async () => {
    const servers = [await startOracle(), await startServer()];
    try {
      const [theirs, ours] = await Promise.all(servers.map(monitorLines));
      expect(ours).toEqual(theirs);
    } finally {
      for (const server of servers) await server.stop();
    }
  });
});

/** What MONITOR shows of a fixed dialogue, without times and ports. */
async function monitorLines(server: RunningServer): Promise<string[]> {
  const [monitor, worker] = [await server.connect(), await server.connect()];
  await monitor.must("MONITOR");
  const commands = [
    ["SELECT", "3"],
    ["SET", "k", 'a"b\\c\n\r\t\x07\b\x00\xff é'],
    ["get", "k"],
    ["GET"],
    ["NOSUCH"],
    ["SET", "k", "v", "BAD"],
    ["AUTH", "x"],
    ["AUTH", "default", "x"],
    ["AUTH", "nobody", "x"],
    ["HELLO", "2", "AUTH", "default", "x"],
    ["CLIENT", "ID"],
    ["CLIENT", "LIST"],
    ["CLIENT", "KILL", "ID", "99999"],
    ["CONFIG", "GET", "port"],
    ["MULTI"],
    ["INCR", "n"],
    ["SELECT", "2"],
    ["GET", "n"],
    ["EXEC"],
    ["MULTI"],
    ["GET"],
    ["EXEC"],
    ["PUBLISH", "c", "m"],
    ["RESET"],
    ["PING", "the end"],
  ];
  await worker.pipeline(commands);
  const lines: string[] = [];
  while (!(lines.at(-1) ?? "").includes("the end")) {
    const line = String(await monitor.readReply());
    lines.push(line.replace(/^\d+\.\d{6} /, "TIME ").replace(/127\.0\.0\.1:\d+/, "ADDRESS"));
  }
  monitor.close();
  worker.close();
  return lines;
}
