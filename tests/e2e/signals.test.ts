// How the executable ends and what signals do to it.

import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { RespClient } from "../support/client.ts";
import { freePort } from "../support/process.ts";
import { binaryPath, runBinary, scratchFolder, startBinary } from "./support/binary.ts";

const scratch = scratchFolder();
afterAll(() => scratch.remove());

describe("a clean end", () => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    test(`${signal} ends the server with status 0`, async () => {
      const server = await startBinary();
      server.signal(signal);
      expect(await server.exited()).toBe(0);
      const log = server.log();
      expect(log).toMatch(new RegExp(`\\d+:M .* # Received ${signal} scheduling shutdown\\.\\.\\.\\n`));
      expect(log).toContain("* User requested shutdown...\n");
      expect(log).toEndWith("# Redis is now ready to exit, bye bye...\n");
      await server.stop();
    });
  }

  test("SHUTDOWN closes the connections and ends with status 0", async () => {
    const server = await startBinary();
    const client = await server.connect();
    const other = await server.connect();
    client.write("SHUTDOWN NOSAVE\r\n");
    expect(await client.readToEnd()).toBe("");
    expect(await other.readToEnd()).toBe("");
    expect(await server.exited()).toBe(0);
    expect(server.log()).toContain("Redis is now ready to exit, bye bye...");
    await server.stop();
  });

  test("messages that were sent before SHUTDOWN reach their clients", async () => {
    const server = await startBinary();
    const subscriber = await server.connect();
    await subscriber.must("SUBSCRIBE", "news");
    const publisher = await server.connect();
    publisher.write("PUBLISH news last\r\nSHUTDOWN\r\n");
    expect(await subscriber.readToEnd()).toContain("last");
    expect(await server.exited()).toBe(0);
    await server.stop();
  });

  test("SHUTDOWN ABORT takes back a signal that is not served yet", async () => {
    const server = await startBinary(["--enable-debug-command", "yes"]);
    const client = await server.connect();
    await client.must("DEBUG", "PAUSE-CRON", "1");
    server.signal("SIGTERM");
    await server.waitForLog("Received SIGTERM scheduling shutdown...");
    expect(await client.call("SHUTDOWN", "ABORT")).toBe("OK");
    await server.waitForLog("Shutdown manually aborted.");
    await client.must("DEBUG", "PAUSE-CRON", "0");
    expect(await client.call("PING")).toBe("PONG");
    client.close();
    await server.stop();
  });

  test("a second SIGINT does not wait, and the status tells", async () => {
    const server = await startBinary(["--enable-debug-command", "yes"]);
    const client = await server.connect();
    await client.must("DEBUG", "PAUSE-CRON", "1");
    server.signal("SIGINT");
    await server.waitForLog("Received SIGINT scheduling shutdown...");
    server.signal("SIGINT");
    expect(await server.exited()).toBe(1);
    expect(server.log()).toEndWith("# You insist... exiting now.\n");
    client.close();
    await server.stop();
  });
});

describe("signals that do not end the server", () => {
  test("SIGHUP, SIGPIPE and SIGUSR1 do nothing; SIGALRM is logged; SIGSTOP and SIGCONT leave no trace", async () => {
    const server = await startBinary();
    const client = await server.connect();
    await client.must("SET", "k", "v", "PX", "100000");
    for (const signal of ["SIGHUP", "SIGPIPE", "SIGUSR1", "SIGALRM"] as const) server.signal(signal);
    await server.waitForLog("# Received SIGALRM");
    server.signal("SIGSTOP");
    await Bun.sleep(50);
    server.signal("SIGCONT");
    expect(await client.call("GET", "k")).toBe("v");
    client.close();
    await server.stop();
  });
});

describe("crashes", () => {
  test("SIGABRT leaves a report, even while DEBUG SLEEP holds everything up", async () => {
    const server = await startBinary(["--enable-debug-command", "yes"]);
    const client = await server.connect();
    await client.must("CLIENT", "SETNAME", "who-was-here");
    client.write("DEBUG SLEEP 20\r\n");
    await Bun.sleep(100);
    server.signal("SIGABRT");
    expect(await server.exited()).not.toBe(0);
    const log = server.log();
    expect(log).toContain("=== REDIS BUG REPORT START");
    expect(log).toContain("Redis 7.2.4 crashed by signal: 6\n");
    expect(log).toContain("process_id:");
    expect(log).toContain("name=who-was-here");
    expect(log).toContain("=== REDIS BUG REPORT END.");
    await server.stop();
  });

  test("DEBUG SEGFAULT, ASSERT and PANIC end in one, with the command that did it", async () => {
    const cases: [string, string, number | null][] = [
      ["SEGFAULT", "crashed by signal: 11\n", null],
      ["ASSERT", "=== ASSERTION FAILED ===\n", 1],
      ["PANIC", "=== Guru Meditation ===\n", null],
    ];
    for (const [word, text, status] of cases) {
      const server = await startBinary([
        ...["--enable-debug-command", "yes"],
        ...["--use-exit-on-panic", status === null ? "no" : "yes"],
      ]);
      const client = await server.connect();
      client.write(`DEBUG ${word}\r\n`);
      expect(await client.readToEnd()).toBe("");
      const ended = await server.exited();
      if (status === null) expect(ended).toBeGreaterThan(128);
      else expect(ended).toBe(status);
      const log = server.log();
      expect(log).toContain(text);
      expect(log).toContain("argv[0]: 'DEBUG'\n");
      expect(log).toContain("=== REDIS BUG REPORT END.");
      expect(log.match(/BUG REPORT START/g)).toHaveLength(1);
      await server.stop();
    }
  });

  test("crash-log-enabled no leaves the markers alone", async () => {
    const server = await startBinary(["--crash-log-enabled", "no"]);
    server.signal("SIGABRT");
    expect(await server.exited()).not.toBe(0);
    expect(server.log()).toContain("crashed by signal: 6\n");
    expect(server.log()).not.toContain("process_id:");
    await server.stop();
  });
});

describe("in the background", () => {
  const pidfile = join(scratch.path, "daemon.pid");
  const logfile = join(scratch.path, "daemon.log");

  test("the first process ends when the daemon listens; the daemon ends like any server", async () => {
    const port = freePort();
    const args = ["--daemonize", "yes", "--port", `${port}`, "--bind", "127.0.0.1", "--pidfile", pidfile];
    const run = await runBinary([...args, "--logfile", logfile], { cwd: scratch.path });
    expect(run).toEqual({ status: 0, stdout: "", stderr: "" });
    const pid = Number(readFileSync(pidfile, "utf8"));
    const client = await RespClient.connect({ port });
    try {
      expect(String(await client.call("INFO", "server"))).toContain(`process_id:${pid}\r\n`);
      expect(await client.call("CONFIG", "GET", "dir")).toEqual(["dir", scratch.path]);
      client.write("SHUTDOWN\r\n");
      await client.readToEnd();
    } catch (error) {
      process.kill(pid, "SIGKILL");
      throw error;
    }
    const ended = () => readFileSync(logfile, "utf8").endsWith("Redis is now ready to exit, bye bye...\n");
    for (let waits = 0; waits < 500 && !ended(); waits++) await Bun.sleep(10);
    expect(ended()).toBe(true);
    expect(existsSync(pidfile)).toBe(false);
  });

  test("a daemon that cannot start makes the first process fail", async () => {
    const server = await startBinary();
    const args = ["--daemonize", "yes", "--port", `${server.port}`, "--bind", "127.0.0.1", "--pidfile", pidfile];
    expect(await runBinary([...args, "--logfile", join(scratch.path, "second.log")])).toMatchObject({ status: 1 });
    expect(readFileSync(join(scratch.path, "second.log"), "utf8")).toContain("Failed listening on port");
    expect(existsSync(pidfile)).toBe(false);
    await server.stop();
  });

  test("it gets the configuration from standard input, too", async () => {
    const port = freePort();
    const text = `port ${port}\nbind 127.0.0.1\npidfile ${pidfile}\nlogfile ${logfile}\ndaemonize yes\nhz 33\nsave ""\n`;
    expect(await runBinary(["-"], { stdin: text })).toMatchObject({ status: 0 });
    const client = await RespClient.connect({ port });
    expect(await client.call("CONFIG", "GET", "hz")).toEqual(["hz", "33"]);
    client.write("SHUTDOWN\r\n");
    await client.readToEnd();
  });
});

describe("what the system shows", () => {
  const linuxTest = test.skipIf(process.platform !== "linux");

  linuxTest("the process title follows its template", async () => {
    const server = await startBinary(["--proc-title-template", "{title} at {listen-addr}"]);
    const title = () => readFileSync(`/proc/${server.pid}/cmdline`, "latin1").replace(/\0.*$/s, "");
    // The server is up before it shows its title.
    const first = `${binaryPath()} at 127.0.0.1:${server.port}`;
    for (let tries = 0; title() !== first && tries < 1000; tries++) await Bun.sleep(5);
    expect(title()).toBe(first);
    const client = await server.connect();
    await client.must("CONFIG", "SET", "proc-title-template", "{port} {tls-port} {unixsocket}{config-file} end");
    expect(title()).toBe(`${server.port} 0  end`);
    const long = "a title longer than all of the arguments, which runs into the environment: ".repeat(10);
    await client.must("CONFIG", "SET", "proc-title-template", `${long}{port}`);
    expect(title()).toBe(`${long}${server.port}`);
    expect(await client.callRaw("CONFIG", "SET", "proc-title-template", "{nonsense}")).toContain(
      "template format is invalid or contains unknown variables",
    );
    client.close();
    await server.stop();
  });

  linuxTest("oom-score-adj is set, follows its values, and goes back", async () => {
    const score = (pid: number | "self") => Number(readFileSync(`/proc/${pid}/oom_score_adj`, "latin1"));
    const base = score("self");
    const server = await startBinary(["--oom-score-adj", "relative", "--oom-score-adj-values", "1", "2", "3"]);
    expect(score(server.pid)).toBe(base + 1);
    const client = await server.connect();
    await client.must("CONFIG", "SET", "oom-score-adj-values", "7 8 9");
    expect(score(server.pid)).toBe(base + 7);
    await client.must("CONFIG", "SET", "oom-score-adj-values", `${base + 11} 900 900`, "oom-score-adj", "absolute");
    expect(score(server.pid)).toBe(base + 11);
    await client.must("CONFIG", "SET", "oom-score-adj", "no");
    expect(score(server.pid)).toBe(base);
    client.close();
    await server.stop();
  });
});
