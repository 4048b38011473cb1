// The built executable from outside: names, options that answer at once, life cycle, and what it must not read.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startProcess } from "../support/process.ts";
import { binaryPath, linkBinary, runBinary, scratchFolder, startBinary } from "./support/binary.ts";

describe("names and options", () => {
  test("--version", async () => {
    const run = await runBinary(["--version"]);
    expect(run.stdout).toMatch(
      /^Redis server v=7\.2\.4 sha=00000000:0 malloc=libc bits=64 build=[0-9a-f]+ redis-ts=[\d.]+\n$/,
    );
    expect(run).toMatchObject({ status: 0, stderr: "" });
  });

  test("a link called valkey-server is Valkey; a link called redis-server is Redis", async () => {
    expect((await runBinary(["-v"], { name: "valkey-server" })).stdout).toStartWith("Valkey server v=");
    expect((await runBinary(["-v"], { name: "redis-server" })).stdout).toStartWith("Redis server v=");
  });

  test("a link called redis-check-rdb or valkey-check-aof is that tool", async () => {
    expect((await runBinary(["-v"], { name: "redis-check-rdb" })).stdout).toStartWith("redis-check-rdb ");
    expect((await runBinary(["-v"], { name: "valkey-check-aof" })).stdout).toStartWith("valkey-check-aof ");
  });

  test("a link to a tool that is not there says so", async () => {
    const run = await runBinary([], { name: "redis-benchmark" });
    expect(run).toEqual({
      status: 1,
      stdout: "",
      stderr: expect.stringContaining("redis-benchmark is not part of redis-ts"),
    });
  });

  test("--help", async () => {
    const run = await runBinary(["--help"]);
    expect(run.stdout).toContain("redis-ts --port 7777");
    expect(run).toMatchObject({ status: 0, stderr: "" });
  });
});

describe("files of the folder it is started in", () => {
  const scratch = scratchFolder();
  const witness = "redis-ts-must-not-run-this";
  beforeAll(() => {
    writeFileSync(join(scratch.path, ".env"), "TZ=XST-17:13\n");
    writeFileSync(join(scratch.path, "preload.ts"), `process.stdout.write("${witness}\\n"); process.exit(7);\n`);
    writeFileSync(join(scratch.path, "bunfig.toml"), 'preload = ["./preload.ts"]\n');
    writeFileSync(join(scratch.path, "package.json"), '{ "type": "commonjs", "version": "9.9.9" }');
    writeFileSync(join(scratch.path, "tsconfig.json"), "no json at all");
  });
  afterAll(() => scratch.remove());

  test("bunfig.toml, package.json and tsconfig.json have no effect", async () => {
    const here = await runBinary(["-v"], { cwd: scratch.path });
    expect(here.stdout).not.toContain(witness);
    expect(here).toEqual(await runBinary(["-v"]));
  });

  test("a time zone in .env has no effect on the log", async () => {
    const server = await startProcess({ command: [binaryPath()], cwd: scratch.path });
    const stamp = /^\d+:M (.+) \* .*Ready to accept/m.exec(server.log())![1]!;
    await server.stop();
    expect(Math.abs(Date.parse(stamp) - Date.now())).toBeLessThan(10 * 60_000);
  });
});

describe("life cycle", () => {
  test("starts, answers, logs in Redis' format, and ends with status 0 on SIGTERM", async () => {
    const server = await startBinary();
    const client = await server.connect();
    expect(await client.call("PING")).toBe("PONG");
    client.close();
    const pattern = new RegExp(
      `^${server.pid}:M \\d\\d [A-Z][a-z]{2} \\d{4} \\d\\d:\\d\\d:\\d\\d\\.\\d{3} \\* .*Ready to accept connections`,
      "m",
    );
    expect(server.log()).toMatch(pattern);
    server.signal("SIGTERM");
    expect(await server.exited()).toBe(0);
    await server.stop();
  });

  test("a link of a server's name starts a server", async () => {
    const scratch = scratchFolder();
    const link = linkBinary(scratch.path, "redis-server");
    expect(link).not.toBe(binaryPath());
    const server = await startProcess({ command: [link] });
    const client = await server.connect();
    expect(await client.call("PING")).toBe("PONG");
    client.close();
    await server.stop();
    scratch.remove();
  });
});

// A kernel without huge pages has no such folder; on arm64 they are not asked for (base/heap-pages.ts).
const hasHugePages = process.arch === "x64" && existsSync("/sys/kernel/mm/transparent_hugepage");

/** Sizes of the mappings of a process that ask for huge pages, in KiB. */
function askingKib(pid: number): number[] {
  const ranges = readFileSync(`/proc/${pid}/smaps`, "latin1").split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m);
  const asking = ranges.filter((range) => /^VmFlags:.* hg( |$)/m.test(range));
  return asking.map((range) => Number(/^Size: +(\d+) kB/m.exec(range)![1]));
}

test.skipIf(!hasHugePages)("its heap asks the system for huge pages when it is up", async () => {
  const server = await startBinary();
  let sizesKib: number[] = [];
  for (let tries = 0; tries < 200 && sizesKib.length === 0; tries++) {
    await Bun.sleep(20);
    sizesKib = askingKib(server.pid);
  }
  await server.stop();
  // The allocator's first arena is a gigabyte of address space.
  expect(Math.max(0, ...sizesKib)).toBeGreaterThanOrEqual(1024 * 1024);
});
