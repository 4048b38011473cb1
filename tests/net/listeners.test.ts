// Listening sockets: addresses, unix sockets, CONFIG SET at run time, and what is said when it does not work.

import { describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { Logger } from "../../src/base/log.ts";
import { toBinary } from "../../src/config/binary.ts";
import { Server } from "../../src/net/server.ts";
import { RespClient } from "../support/client.ts";
import { testServer } from "../support/engine.ts";
import { type NetServer, netServer, type Settings } from "../support/net.ts";
import { oracleTest, startOracle } from "../support/oracle.ts";
import { freePort } from "../support/process.ts";
import { ReplyError } from "../support/reply.ts";

/** Can somebody connect there and get an answer? */
async function answers(port: number, host = "127.0.0.1"): Promise<boolean> {
  try {
    const client = await RespClient.connect({ port, host });
    const reply = await client.call("PING");
    client.close();
    return reply === "PONG";
  } catch {
    return false;
  }
}

function errorText(reply: unknown): string {
  return reply instanceof ReplyError ? reply.message : `not an error: ${JSON.stringify(reply)}`;
}

/** What start() says to these settings, and the lines that it logs before. */
function startFailure(settings: Settings): { problem: string | null; log: string } {
  const base = testServer();
  const dir = mkdtempSync(join(tmpdir(), "redis-ts-net-"));
  const file = join(dir, "log");
  writeFileSync(file, "");
  base.engine.log = new Logger({ clock: base.clock, level: "notice", file });
  for (const [name, value] of Object.entries({ bind: "127.0.0.1", ...settings })) {
    expect(base.engine.config.assign(name as keyof Settings, value)).toBeNull();
  }
  const server = new Server(base.engine);
  const problem = server.start();
  server.stop();
  const log = require("node:fs").readFileSync(file, "utf8");
  rmSync(dir, { recursive: true });
  return { problem, log };
}

const hasIpv6 = Object.values(networkInterfaces()).some((list) => list?.some((entry) => entry.address === "::1"));

describe("addresses", () => {
  test("several, some of which the host may lack", async () => {
    const server = netServer({ settings: { bind: "127.0.0.1 127.0.0.2 -192.0.2.77" } });
    expect(await answers(server.port)).toBeTrue();
    expect(await answers(server.port, "127.0.0.2")).toBeTrue();
    expect(await answers(server.port, "127.0.0.3")).toBeFalse();
    expect(server.server.kinds).toEqual(["tcp"]);
    server.stop();
    expect(await answers(server.port)).toBeFalse();
  });

  test("all of them", async () => {
    const server = netServer({ settings: { bind: "* -::*" } });
    expect(await answers(server.port, "127.0.0.3")).toBeTrue();
    if (hasIpv6) expect(await answers(server.port, "::1")).toBeTrue();
    server.stop();
  });

  test.skipIf(!hasIpv6)("IPv6 alone leaves IPv4 alone, and shows in brackets", async () => {
    const server = netServer({ settings: { bind: "::1" } });
    expect(await answers(server.port)).toBeFalse();
    const client = await RespClient.connect({ port: server.port, host: "::1" });
    const line = String(await client.call("CLIENT", "INFO"));
    expect(line).toMatch(new RegExp(`addr=\\[::1\\]:\\d+ laddr=\\[::1\\]:${server.port} fd=\\d+ `));
    client.close();
    server.stop();
  });

  test.skipIf(Bun.which("ss") === null)("the queue of connections is as long as tcp-backlog says", () => {
    for (const [backlog, expected] of [
      ["77", "77"],
      ["511", "512"],
    ]) {
      const server = netServer({ settings: { "tcp-backlog": backlog } });
      const lines = Bun.spawnSync(["ss", "-Hltn", `sport = :${server.port}`]).stdout.toString();
      expect(lines.trim().split(/\s+/)[2]).toBe(expected);
      server.stop();
    }
  });

  test("existing connections outlive the sockets through which they came", async () => {
    const server = netServer();
    const client = await server.dial();
    expect(await client.call("CONFIG", "SET", "bind", "127.0.0.2")).toBe("OK");
    expect(await answers(server.port)).toBeFalse();
    expect(await client.call("PING")).toBe("PONG");
    client.close();
    server.stop();
  });
});

describe("start-up fails", () => {
  test("when the port is taken", () => {
    const other = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => {} } });
    const { problem, log } = startFailure({ port: String(other.port) });
    expect(problem).toBe(`Failed listening on port ${other.port} (tcp), aborting.`);
    expect(log).toContain(
      `# Warning: Could not create server TCP listening socket 127.0.0.1:${other.port}: bind: Address already in use\n`,
    );
    other.stop(true);
  });

  test("when an address is not of this host, or none at all", () => {
    const port = String(freePort());
    expect(startFailure({ port, bind: "127.0.0.1 192.0.2.77" }).problem).toBe(
      `Failed listening on port ${port} (tcp), aborting.`,
    );
    const { problem, log } = startFailure({ port, bind: "999.999.999.999" });
    expect(problem).toBe(`Failed listening on port ${port} (tcp), aborting.`);
    expect(log).toContain(`listening socket 999.999.999.999:${port}: Name or service not known\n`);
  });

  test("when there is nowhere to listen", () => {
    expect(startFailure({ port: "0" }).problem).toBe("Configured to not listen anywhere, exiting.");
    expect(startFailure({ port: String(freePort()), bind: "" }).problem).toBe(
      "Configured to not listen anywhere, exiting.",
    );
  });

  test("when a unix socket cannot be made", () => {
    const dir = mkdtempSync(join(tmpdir(), "redis-ts-net-"));
    expect(startFailure({ port: "0", unixsocket: join(dir, "none", "socket") }).problem).toBe(
      "Failed opening Unix socket: bind: No such file or directory",
    );
    const path = join(dir, "socket");
    expect(startFailure({ port: "0", unixsocket: path, unixsocketgroup: "no such group" }).problem).toBe(
      "Failed opening Unix socket: getgrnam error for group 'no such group': No such group",
    );
    expect(existsSync(path)).toBeFalse();
    rmSync(dir, { recursive: true });
  });

  test("and nothing that was opened before stays open", async () => {
    const port = freePort();
    startFailure({ port: String(port), bind: "127.0.0.1 192.0.2.77" });
    expect(await answers(port)).toBeFalse();
  });
});

describe("a unix socket", () => {
  async function withSocket(
    settings: Settings,
    body: (server: NetServer, path: string) => Promise<void>,
  ): Promise<void> {
    const dir = mkdtempSync(join(tmpdir(), "redis-ts-net-"));
    const path = join(dir, "söcket");
    writeFileSync(path, "left over");
    const server = netServer({ settings: { ...settings, unixsocket: toBinary(path) } });
    await body(server, path);
    server.stop();
    expect(existsSync(path)).toBeFalse();
    rmSync(dir, { recursive: true });
  }

  test("replaces what is there, serves, and is removed at the end", async () => {
    await withSocket({}, async (server, path) => {
      const client = await RespClient.connect({ unix: path });
      expect(await client.call("SET", "k", "v")).toBe("OK");
      const line = String(await client.call("CLIENT", "INFO"));
      const shown = toBinary(path);
      expect(line).toContain(` addr=${shown}:0 laddr=${shown}:0 fd=`);
      expect(line).toContain(" flags=U ");
      expect(server.server.kinds).toEqual(["tcp", "unix"]);
      client.close();
    });
  });

  for (const [mode, bits] of [
    ["700", 0o700],
    ["777", 0o777],
    ["600", 0o600],
  ] as const) {
    test(`has permissions ${mode}`, async () => {
      const umask = process.umask();
      await withSocket({ unixsocketperm: mode }, async (_server, path) => {
        expect(statSync(path).mode & 0o777).toBe(bits);
      });
      expect(process.umask()).toBe(umask);
    });
  }

  test("can be the only place to listen", async () => {
    await withSocket({ port: "0" }, async (server, path) => {
      const client = await RespClient.connect({ unix: path });
      expect(await client.call("PING")).toBe("PONG");
      expect(server.server.kinds).toEqual(["unix"]);
      client.close();
    });
  });

  // A folder without write permission would not stop root; one that does not exist stops everybody.
  test("in a folder that does not exist is an error of the system", () => {
    const dir = mkdtempSync(join(tmpdir(), "redis-ts-net-"));
    expect(startFailure({ port: "0", unixsocket: join(dir, "none", "socket") }).problem).toContain(
      "No such file or directory",
    );
    rmSync(dir, { recursive: true });
  });

  test("whose path is too long for the system says so", () => {
    const path = "/tmp/".padEnd(108, "x");
    expect(startFailure({ port: "0", unixsocket: path }).problem).toContain(
      "unix socket path too long (108), must be under 10",
    );
  });
});

describe("CONFIG SET", () => {
  test("port: moves, and stays where it was when that fails", async () => {
    const server = netServer();
    const client = await server.dial();
    const port = freePort();
    expect(await client.call("CONFIG", "SET", "port", port)).toBe("OK");
    expect([await answers(port), await answers(server.port)]).toEqual([true, false]);

    const other = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => {} } });
    expect(errorText(await client.call("CONFIG", "SET", "port", other.port))).toBe(
      "ERR CONFIG SET failed (possibly related to argument 'port') - Unable to listen on this port. Check server logs.",
    );
    expect(await client.call("CONFIG", "GET", "port")).toEqual(["port", String(port)]);
    expect(await answers(port)).toBeTrue();
    other.stop(true);

    expect(await client.call("CONFIG", "SET", "port", 0)).toBe("OK");
    expect(await answers(port)).toBeFalse();
    expect(await client.call("CONFIG", "SET", "port", port)).toBe("OK");
    expect(await answers(port)).toBeTrue();
    client.close();
    server.stop();
  });

  test("bind: changes, and stays as it was when that fails", async () => {
    const server = netServer();
    const client = await server.dial();
    expect(await client.call("CONFIG", "SET", "bind", "127.0.0.1 127.0.0.2")).toBe("OK");
    expect(await answers(server.port, "127.0.0.2")).toBeTrue();
    for (const bad of ["999.999.999.999", "127.0.0.3 999.999.999.999", "* 999.999.999.999", "192.0.2.77"]) {
      expect(errorText(await client.call("CONFIG", "SET", "bind", bad))).toBe(
        "ERR CONFIG SET failed (possibly related to argument 'bind') - Failed to bind to specified addresses.",
      );
      expect(await answers(server.port)).toBeTrue();
      expect(await answers(server.port, "127.0.0.2")).toBeTrue();
      expect(await answers(server.port, "127.0.0.3")).toBeFalse();
    }
    // One address is part of all addresses.
    expect(await client.call("CONFIG", "SET", "bind", "*")).toBe("OK");
    expect(await answers(server.port, "127.0.0.3")).toBeTrue();
    expect(await client.call("CONFIG", "SET", "bind", "127.0.0.1")).toBe("OK");
    expect(await answers(server.port, "127.0.0.3")).toBeFalse();
    expect(await client.call("CONFIG", "SET", "bind", "")).toBe("OK");
    expect(await answers(server.port)).toBeFalse();
    expect(await client.call("CONFIG", "SET", "bind", "* -::*")).toBe("OK");
    expect(await answers(server.port)).toBeTrue();
    client.close();
    server.stop();
  });

  test("port and bind together", async () => {
    const server = netServer();
    const client = await server.dial();
    const port = freePort();
    expect(await client.call("CONFIG", "SET", "port", port, "bind", "127.0.0.2")).toBe("OK");
    expect([await answers(port, "127.0.0.2"), await answers(port), await answers(server.port)]).toEqual([
      true,
      false,
      false,
    ]);
    expect(errorText(await client.call("CONFIG", "SET", "bind", "192.0.2.77", "port", freePort()))).toContain(
      "ERR CONFIG SET failed",
    );
    expect(await answers(port, "127.0.0.2")).toBeTrue();
    client.close();
    server.stop();
  });
});

describe("protected mode", () => {
  const outside = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .find((entry) => entry.family === "IPv4" && !entry.internal)?.address;

  /** What a client from outside gets. */
  async function greeting(port: number): Promise<string> {
    const client = await RespClient.connect({ port, host: outside as string });
    client.write("PING\r\n");
    const line = await client.readLine();
    client.close();
    return line;
  }

  test.skipIf(outside === undefined)("refuses clients of other hosts while there is no password", async () => {
    const server = netServer({ settings: { bind: "*" } });
    const client = await server.dial();
    expect(await greeting(server.port)).toStartWith("-DENIED Redis is running in protected mode because ");
    expect(server.engine.stats.rejectedConnections).toBe(1);
    expect(await client.call("CONFIG", "SET", "requirepass", "secret")).toBe("OK");
    expect(await greeting(server.port)).toBe("-NOAUTH Authentication required.");
    expect(await client.call("CONFIG", "SET", "requirepass", "")).toBe("OK");
    expect(await greeting(server.port)).toStartWith("-DENIED ");
    expect(await client.call("CONFIG", "SET", "protected-mode", "no")).toBe("OK");
    expect(await greeting(server.port)).toBe("+PONG");
    client.close();
    server.stop();
    const valkey = netServer({ personality: "valkey", settings: { bind: "*" } });
    expect(await greeting(valkey.port)).toStartWith("-DENIED Running in protected mode because ");
    valkey.stop();
  });

  test("takes a peer that resets before it is accepted for one from outside, as Redis does", async () => {
    const server = netServer();
    // This process accepts nobody while it waits for the other one.
    const reset = `require("node:net").connect(${server.port}, "127.0.0.1", function () { this.resetAndDestroy(); });`;
    expect(Bun.spawnSync([process.execPath, "-e", reset]).exitCode).toBe(0);
    const client = await server.dial();
    expect(await client.call("PING")).toBe("PONG");
    expect(server.engine.stats.rejectedConnections).toBe(1);
    expect(server.engine.clients.size).toBe(1);
    client.close();
    server.stop();
  });

  if (outside !== undefined) {
    oracleTest("speaks as redis-server does", async () => {
      const redis = await startOracle(["--bind", "*"]);
      const server = netServer({ settings: { bind: "*" } });
      // Later versions have a mistake of spelling less.
      const expected = (await greeting(redis.port)).replace("4) Setup a an ", "4) Set up an ");
      expect(await greeting(server.port)).toBe(expected);
      server.stop();
      await redis.stop();
    });
  }
});
