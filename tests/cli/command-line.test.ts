// The command line in process: modes by name, options that answer at once, and that redis-server's arguments arrive untouched.

import { describe, expect, test } from "bun:test";
import { runCommandLine } from "../../src/cli/main-command.ts";
import { modeOf, programName } from "../../src/cli/modes.ts";
import { checkSystem } from "../../src/cli/server/system-check.ts";
import type { Terminal } from "../../src/cli/terminal.ts";

interface Outcome {
  out: string;
  err: string;
  status: number | null;
  started: { personality: string; args: readonly string[] } | null;
}

async function run(argv0: string, ...argv: string[]): Promise<Outcome> {
  const outcome: Outcome = { out: "", err: "", status: null, started: null };
  const terminal: Terminal = {
    out: (text) => {
      outcome.out += text;
    },
    err: (text) => {
      outcome.err += text;
    },
    exit: (status) => {
      outcome.status = status;
    },
    colors: false,
  };
  const start = async (personality: { name: string }, args: readonly string[]) => {
    outcome.started = { personality: personality.name, args };
  };
  await runCommandLine(argv0, argv, start, terminal);
  return outcome;
}

describe("the server gets its arguments as they came", () => {
  const lines: string[][] = [
    [],
    ["-"],
    ["/etc/redis.conf", "--port", "7000", "--save", "900", "1", "--save", ""],
    ["--maxmemory 700mb", "loglevel verbose"],
    ["--no-appendfsync-on-rewrite", "yes", "--port=1", "-x", "--", "--", "-"],
    ["--requirepass", "--help", "--version", "-v", "-h"],
    ["redis.conf", "server", "cli", "--check-system"],
    ["--user", "é\n\u0000", "--config", "", "--help=1"],
  ];
  for (const args of lines) {
    test(JSON.stringify(args), async () => {
      for (const name of ["redis-server", "/usr/bin/redis-server", "redis-ts", "bun"]) {
        const outcome = await run(name, ...args);
        expect(outcome).toEqual({ out: "", err: "", status: null, started: { personality: "redis", args } });
      }
    });
  }

  test("after the subcommand as well, but only the tree has subcommands", async () => {
    expect((await run("redis-ts", "server", "--port", "1")).started?.args).toEqual(["--port", "1"]);
    expect((await run("redis-ts", "server", "server")).started?.args).toEqual(["server"]);
    expect((await run("redis-server", "server")).started?.args).toEqual(["server"]);
  });

  test("a failing start fails the command line", async () => {
    const failing = async () => {
      throw new Error("no");
    };
    await expect(runCommandLine("redis-ts", [], failing)).rejects.toThrow("no");
  });
});

describe("personality", () => {
  test("comes from the name, and --compat overrules it and disappears", async () => {
    expect((await run("valkey-server", "--port", "1")).started).toEqual({
      personality: "valkey",
      args: ["--port", "1"],
    });
    expect((await run("valkey-server", "--compat", "redis", "x.conf")).started).toEqual({
      personality: "redis",
      args: ["x.conf"],
    });
    expect((await run("redis-ts", "x.conf", "--compat=valkey", "-")).started).toEqual({
      personality: "valkey",
      args: ["x.conf", "-"],
    });
  });

  test("a bad --compat is one line and status 1", async () => {
    const outcome = await run("redis-ts", "--compat", "memcached");
    expect(outcome).toEqual({ out: "", err: expect.stringMatching(/^--compat .*\n$/), status: 1, started: null });
  });
});

describe("options that answer at once", () => {
  test("--version has the shape of redis-server's line", async () => {
    const shape =
      /^Redis server v=7\.2\.4 sha=00000000:0 malloc=libc bits=64 build=[0-9a-f]{8,16} redis-ts=\d+\.\d+\.\d+\n$/;
    for (const option of ["--version", "-v"]) {
      const outcome = await run("redis-server", option);
      expect(outcome.out).toMatch(shape);
      expect(outcome.status).toBe(0);
      expect(outcome.started).toBeNull();
    }
    expect((await run("valkey-server", "-v")).out).toMatch(/^Valkey server v=\d+\.\d+\.\d+ sha=/);
    expect((await run("redis-ts", "server", "-v")).out).toMatch(shape);
  });

  test("--help shows how to use this name, without colours", async () => {
    for (const name of ["redis-ts", "redis-server", "valkey-server"]) {
      for (const option of ["--help", "-h"]) {
        const outcome = await run(name, option);
        expect(outcome.status).toBe(0);
        expect(outcome.out).toContain(`${name} /etc/redis/redis.conf`);
        expect(outcome.out).toContain("--compat=<redis|valkey>");
        expect(outcome.out).not.toContain("\u001b");
      }
    }
    expect((await run("redis-ts", "-h")).out).toMatch(/server {2,}Run the server/);
    expect((await run("redis-server", "-h")).out).not.toContain("COMMANDS");
  });

  test("--test-memory is refused in one line", async () => {
    const outcome = await run("redis-server", "--test-memory", "64");
    expect(outcome.err).toMatch(/^[^\n]+\n$/);
    expect(outcome.status).toBe(1);
  });

  test("--check-system reports and ends", async () => {
    const outcome = await run("redis-server", "--check-system");
    expect(outcome.out).toContain("[backlog]...");
    expect(outcome.status).toBe(outcome.out.includes("WARNING") ? 1 : 0);
    expect(outcome.started).toBeNull();
  });
});

describe("names", () => {
  test("a tool that does not exist yet says so", async () => {
    for (const name of ["redis-cli", "valkey-benchmark.exe", "redis-sentinel"]) {
      const outcome = await run(name, "-v");
      expect(outcome.err).toMatch(new RegExp(`^${programName(name)} is not part of redis-ts`));
      expect(outcome.status).toBe(1);
      expect(outcome.started).toBeNull();
    }
    expect((await run("redis-ts", "cli", "PING")).err).toStartWith("redis-ts cli is not part of");
  });

  test("any other name is the whole tree", () => {
    expect(modeOf("my-database", []).kind).toBe("tree");
    expect(modeOf("C:\\bin\\redis-server.EXE", []).kind).toBe("server");
    expect(modeOf("./dist/redis-ts", ["--port", "1"]).kind).toBe("tree");
  });
});

describe("system check", () => {
  const sick: Record<string, string> = {
    "/sys/devices/system/clocksource/clocksource0/current_clocksource": "hpet\n",
    "/proc/sys/net/core/somaxconn": "128\n",
    "/proc/self/limits": "Max open files            1024                 4096                 files     \n",
    "/sys/kernel/mm/transparent_hugepage/enabled": "[always] madvise never\n",
  };
  const well: Record<string, string> = {
    "/sys/devices/system/clocksource/clocksource0/current_clocksource": "tsc\n",
    "/proc/sys/net/core/somaxconn": "4096\n",
    "/proc/self/limits": "Max open files            1048576              1048576              files     \n",
    "/sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never\n",
  };

  test("finds each problem, and none where the system does not say", () => {
    expect(checkSystem((path) => sick[path] ?? null).text.match(/WARNING/g)).toHaveLength(4);
    expect(checkSystem((path) => well[path] ?? null)).toEqual({
      text: expect.not.stringContaining("WARNING"),
      healthy: true,
    });
    expect(checkSystem(() => null).healthy).toBe(true);
    for (const path of Object.keys(sick)) {
      const found = checkSystem((asked) => (asked === path ? sick[path]! : (well[asked] ?? null)));
      expect(found.text.match(/WARNING/g)).toHaveLength(1);
      expect(found.healthy).toBe(false);
    }
  });
});
