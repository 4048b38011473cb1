// Starting the executable: where the configuration comes from, what the log says and in which order, and how a start fails.

import { afterAll, describe, expect, test } from "bun:test";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { RespClient } from "../support/client.ts";
import { freePort, startProcess } from "../support/process.ts";
import { binaryPath, linkBinary, runBinary, scratchFolder, startBinary } from "./support/binary.ts";

const scratch = scratchFolder();
afterAll(() => scratch.remove());

/** Writes a config file into the scratch folder and returns its path. */
function configFile(name: string, lines: readonly string[]): string {
  const path = join(scratch.path, name);
  writeFileSync(path, `${lines.join("\n")}\n`);
  return path;
}

describe("log lines of a start", () => {
  test("come in the order that scripts rely on", async () => {
    const server = await startBinary(["--always-show-logo", "yes", "--unixsocket", join(scratch.path, "order.sock")]);
    await server.waitForLog("connections unix\n");
    const log = server.log();
    const marks = [
      /\d+:C .* \* oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo\n/,
      new RegExp(`\\* Redis version=7\\.2\\.4, bits=64, .*pid=${server.pid}, just started\\n`),
      /\* Configuration loaded\n/,
      new RegExp(` PID: ${server.pid}\n`),
      /\d+:M .* \* Server initialized\n/,
      /\* Ready to accept connections tcp\n/,
      /\* Ready to accept connections unix\n/,
    ];
    const places = marks.map((mark) => log.search(mark));
    expect(places).not.toContain(-1);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    await server.stop();
  });

  test("without the drawing, one line has mode and port", async () => {
    const server = await startBinary();
    expect(server.log()).toContain(`* Running mode=standalone, port=${server.port}.\n`);
    expect(server.log()).not.toContain(" PID: ");
    await server.stop();
  });

  test("an empty command line is told that a config file could be used", async () => {
    const run = await runBinary([], { signalWhenLogged: [/Ready to accept|Failed listening/, "SIGTERM"] });
    expect(run.stdout).toMatch(/# Warning: no config file specified, using the default config\. .*\.conf\n/);
    expect(run.stdout).not.toContain("Configuration loaded");
  });

  test("logfile, loglevel and a program name of Valkey", async () => {
    const logfile = join(scratch.path, "server ä.log");
    const port = freePort();
    const path = linkBinary(scratch.path, "valkey-server");
    const child = Bun.spawn([path, "--port", `${port}`, "--logfile", logfile, "--loglevel", "warning"], {
      stdout: "pipe",
      stderr: "pipe",
    });
    const client = await connectWhenUp(port);
    expect(await client.call("CONFIG", "SET", "loglevel", "verbose")).toBe("OK");
    client.close();
    child.kill("SIGTERM");
    expect(await child.exited).toBe(0);
    expect(await child.stdout.text()).toBe("");
    expect(await child.stderr.text()).toBe("");
    const log = readFileSync(logfile, "utf8");
    expect(log).not.toContain("Server initialized");
    expect(log).toContain("User requested shutdown...");
    expect(log).toContain("Valkey is now ready to exit, bye bye...");
  });
});

/** Connects to a server that is starting. */
async function connectWhenUp(port: number): Promise<RespClient> {
  for (let attempts = 0; ; attempts++) {
    try {
      return await RespClient.connect({ port });
    } catch (error) {
      if (attempts === 200) throw error;
      await Bun.sleep(50);
    }
  }
}

describe("where the configuration comes from", () => {
  test("a file, with arguments that win over it, relative to the folder of the start", async () => {
    configFile("some.conf", ["maxmemory 10mb", "timeout 77", "requirepass secret"]);
    const server = await startProcess({
      command: [binaryPath(), "some.conf"],
      args: ["--timeout", "78", "--requirepass", ""],
      cwd: scratch.path,
    });
    const client = await server.connect();
    expect(await client.call("CONFIG", "GET", "maxmemory")).toEqual(["maxmemory", "10485760"]);
    expect(await client.call("CONFIG", "GET", "timeout")).toEqual(["timeout", "78"]);
    expect(await client.call("CONFIG", "GET", "dir")).toEqual(["dir", server.dir]);
    client.close();
    await server.stop();
  });

  test("standard input", async () => {
    const port = freePort();
    const run = await runBinary(["-"], {
      stdin: `port ${port}\nbind 127.0.0.1\nhz 17\n`,
      signalWhenLogged: [/Ready to accept/, "SIGTERM"],
    });
    expect(run.stdout).toContain("* Reading config from stdin\n");
    expect(run.stdout).toContain(`port=${port}.`);
    expect(run.status).toBe(0);
  });

  test("CONFIG REWRITE, and a start with what it wrote", async () => {
    const path = configFile("rewritten.conf", ["# kept", "timeout 5"]);
    const first = await startProcess({ command: [binaryPath(), path], args: ["--dir", scratch.path] });
    const client = await first.connect();
    expect(await client.call("CONFIG", "SET", "timeout", "99", "requirepass", "pass word")).toBe("OK");
    expect(await client.call("CONFIG", "REWRITE")).toBe("OK");
    client.close();
    await first.stop();
    expect(readFileSync(path, "utf8")).toStartWith("# kept\n");

    const second = await startProcess({ command: [binaryPath(), path] });
    const again = await second.connect();
    expect(await again.callRaw("PING")).toStartWith("-NOAUTH");
    expect(await again.call("AUTH", "pass word")).toBe("OK");
    expect(await again.call("CONFIG", "GET", "timeout")).toEqual(["timeout", "99"]);
    again.close();
    await second.stop();
  });

  test("rename-command renames and removes", async () => {
    const server = await startBinary(["--rename-command", "GET", "FETCH", "--rename-command", "FLUSHALL", ""]);
    const client = await server.connect();
    expect(await client.call("SET", "k", "v")).toBe("OK");
    expect(await client.call("FETCH", "k")).toBe("v");
    expect(await client.callRaw("GET", "k")).toStartWith("-ERR unknown command 'GET'");
    expect(await client.callRaw("FLUSHALL")).toStartWith("-ERR unknown command 'FLUSHALL'");
    client.close();
    await server.stop();
  });
});

describe("a start that fails", () => {
  test("a bad line is shown on standard error", async () => {
    const run = await runBinary(["--port", "70000"]);
    expect(run).toMatchObject({ status: 1, stdout: "" });
    expect(run.stderr).toContain("*** FATAL CONFIG FILE ERROR (Redis 7.2.4) ***\n");
    expect(run.stderr).toContain(`>>> 'port "70000"'\nargument must be between 0 and 65535 inclusive\n`);
    expect((await runBinary(["--nonsense"], { name: "valkey-server" })).stderr).toContain(
      "*** FATAL CONFIG FILE ERROR (Version 8.0.1) ***\nReading the configuration file, at line 2\n" +
        ">>> 'nonsense'\nBad directive or wrong number of arguments\n",
    );
  });

  test("a config file that is not there is a line in the log", async () => {
    const run = await runBinary(["/nowhere/redis.conf"]);
    expect(run).toMatchObject({ status: 1, stderr: "" });
    expect(run.stdout).toMatch(
      /^\d+:C .* # Fatal error, can't open config file '\/nowhere\/redis\.conf': No such file or directory\n$/,
    );
  });

  test("a port in use", async () => {
    const server = await startBinary();
    const pidfile = join(scratch.path, "second.pid");
    const args = ["--port", `${server.port}`, "--bind", "127.0.0.1", "--pidfile", pidfile];
    const run = await runBinary(args);
    expect(run.status).toBe(1);
    expect(run.stdout).toContain("Address already in use\n");
    expect(run.stdout).toMatch(new RegExp(`# Failed listening on port ${server.port} \\(tcp\\), aborting\\.\\n$`));
    expect(run.stdout).not.toContain("Server initialized");
    expect(existsSync(pidfile)).toBe(false);
    await server.stop();
  });

  test("no port at all", async () => {
    const run = await runBinary(["--port", "0"]);
    expect(run.stdout).toContain("# Configured to not listen anywhere, exiting.\n");
    expect(run.status).toBe(1);
  });

  test("modules and their settings, an invalid locale, and sentinel mode", async () => {
    const cases: [string[], string][] = [
      [["--loadmodule", "/x/y.so", "arg"], "# Can't load module from /x/y.so: server aborting\n"],
      [["--search.timeout", "5"], "# Module Configuration detected without loadmodule directive"],
      [["--locale-collate", "no_such_place"], "# Failed to configure LOCALE for invalid locale name."],
      [["--sentinel"], "Sentinel mode is not part of redis-ts"],
    ];
    for (const [args, text] of cases) {
      const run = await runBinary(["--port", "0", ...args]);
      expect(run.stdout + run.stderr).toContain(text);
      expect(run.stdout).not.toContain("Server initialized");
      expect(run.status).toBe(1);
    }
  });
});

describe("files", () => {
  test("the pid file is written and removed; one that cannot be written is no obstacle", async () => {
    const pidfile = join(scratch.path, "server.pid");
    const server = await startBinary(["--pidfile", pidfile]);
    expect(readFileSync(pidfile, "utf8")).toBe(`${server.pid}\n`);
    expect(statSync(pidfile).mode & 0o777).toBe(0o666 & ~process.umask());
    server.signal("SIGTERM");
    expect(await server.exited()).toBe(0);
    expect(existsSync(pidfile)).toBe(false);
    expect(server.log()).toContain("* Removing the pid file.\n");
    await server.stop();

    const other = await startBinary(["--pidfile", "/nowhere/server.pid"]);
    expect(other.log()).toContain("# Failed to write PID file: No such file or directory\n");
    await other.stop();
  });

  test("the unix socket serves clients and is removed at the end", async () => {
    const path = join(scratch.path, "server.sock");
    const server = await startBinary(["--unixsocket", path, "--unixsocketperm", "700", "--port", "0"]);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    const client = await RespClient.connect({ unix: path });
    expect(await client.call("PING")).toBe("PONG");
    client.close();
    server.signal("SIGTERM");
    expect(await server.exited()).toBe(0);
    expect(existsSync(path)).toBe(false);
    expect(server.log()).toContain("* Removing the unix socket file.\n");
    await server.stop();
  });
});

// The runtime tells, when asked, of the bytecode that it reads, module by module; an executable without bytecode has nothing to tell.
test("all that a start needs is one chunk beside main.ts (scripts/lib/start-chunk.ts)", async () => {
  const folder = scratchFolder();
  const output = join(folder.path, "chunks.log");
  const descriptor = openSync(output, "a");
  const port = freePort();
  const child = Bun.spawn([binaryPath(), "--port", `${port}`], {
    cwd: folder.path,
    env: { ...process.env, BUN_JSC_reportBytecodeCacheDecodeTimes: "1" },
    stdout: descriptor,
    stderr: descriptor,
  });
  (await connectWhenUp(port)).close();
  child.kill("SIGKILL");
  await child.exited;
  closeSync(descriptor);
  const [beforeReady = ""] = readFileSync(output, "utf8").split("Ready to accept");
  folder.remove();
  expect(beforeReady).toContain("Server initialized");
  expect(beforeReady.match(/BytecodeCache: decoded/g)?.length ?? 0).toBeLessThanOrEqual(2);
});

describe("the first commands", () => {
  test("a log that is switched on at once has what comes behind and what came before", async () => {
    const dir = join(scratch.path, "log at once");
    mkdirSync(dir);
    const args = ["--dir", dir];
    const server = await startBinary(args);
    const client = await server.connect();
    client.write("SET before 1\r\nCONFIG SET appendonly yes\r\nSET behind 2\r\n");
    await client.must("PING");
    await server.waitForLog("Background AOF rewrite finished successfully");
    client.close();
    await server.stop();
    const again = await startBinary([...args, "--appendonly", "yes"]);
    const reader = await again.connect();
    expect(await reader.call("MGET", "before", "behind")).toEqual(["1", "2"]);
    reader.close();
    await again.stop();
  });
});
