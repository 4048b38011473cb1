// CONFIG as a command: replies in both protocols, errors, what is logged; SHUTDOWN's arguments. What settings do stands in tests/config.

import { describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Logger } from "../../src/base/log.ts";
import { ServerGate } from "../../src/engine/observer.ts";
import type { ProcessPort, ShutdownOptions } from "../../src/engine/ports.ts";
import { registerEngineSettings } from "../../src/engine/settings.ts";
import { type TestServer, testServer, transcript } from "../support/engine.ts";

/** A server whose log goes to a file in a scratch folder. */
function loggingServer(): { server: TestServer; folder: string; logged: () => string } {
  const folder = mkdtempSync(join(tmpdir(), "redis-ts-config-"));
  const file = join(folder, "log");
  writeFileSync(file, "");
  const server = testServer();
  registerEngineSettings(server.engine, new Logger({ clock: server.clock, file }));
  return { server, folder, logged: () => readFileSync(file, "utf8") };
}

describe("CONFIG", () => {
  test("GET and SET", () => {
    transcript(`
      > CONFIG SET maxmemory 1mb hz 20
      OK
      > CONFIG GET maxmemory hz nosuch
      1) maxmemory
      2) 1048576
      3) hz
      4) 20
      > CONFIG GET nosuch
      (empty array)
      > CONFIG SET hz
      (error) ERR wrong number of arguments for 'config|set' command
      > CONFIG SET hz 20 maxmemory
      (error) ERR syntax error
      > CONFIG SET nosuch 1
      (error) ERR Unknown option or number of arguments for CONFIG SET - 'nosuch'
      > CONFIG SET hz 30 port abc
      (error) ERR CONFIG SET failed (possibly related to argument 'port') - argument couldn't be parsed into an integer
      > CONFIG GET hz
      1) hz
      2) 20
      > CONFIG SET databases 3
      (error) ERR CONFIG SET failed (possibly related to argument 'databases') - can't set immutable config
      > CONFIG REWRITE
      (error) ERR The server is running without a config file
      > CONFIG NOSUCH
      (error) ERR unknown subcommand 'NOSUCH'. Try CONFIG HELP.
      > CONFIG
      (error) ERR wrong number of arguments for 'config' command`);
  });

  test("GET is a map in RESP3", () => {
    const client = testServer().connect();
    client.line("HELLO 3");
    expect(Buffer.from(client.raw("CONFIG", "GET", "hz")).toString()).toBe("%1\r\n$2\r\nhz\r\n$2\r\n10\r\n");
  });

  test("SET of a password concerns new connections and keeps old ones", () => {
    const server = testServer();
    const client = server.connect();
    client.line("CONFIG SET requirepass secret");
    expect(client.line("PING")).toBe("PONG");
    expect(server.connect().line("PING")).toBe("(error) NOAUTH Authentication required.");
  });

  test("SET logs what there is to say, and follows loglevel", () => {
    const { server, folder, logged } = loggingServer();
    const client = server.connect();
    client.line("CONFIG SET maxmemory 1");
    expect(logged()).toMatch(
      /# WARNING: the new maxmemory value set via CONFIG SET \(1\) is smaller than the current memory usage/,
    );
    client.line("CONFIG SET loglevel nothing maxmemory 2");
    expect(logged()).not.toContain("(2)");
    client.line("CONFIG SET loglevel warning maxmemory 3");
    expect(logged()).toContain("(3)");
    rmSync(folder, { recursive: true });
  });

  test("REWRITE writes the config file and says so", () => {
    const { server, folder, logged } = loggingServer();
    const file = join(folder, "redis.conf");
    writeFileSync(file, "hz 10\n");
    expect(server.engine.config.loadFile(file)).toBeNull();
    const client = server.connect();
    client.line("CONFIG SET hz 50");
    expect(client.line("CONFIG REWRITE")).toBe("OK");
    expect(readFileSync(file, "utf8")).toStartWith("hz 50\n");
    expect(logged()).toContain(" * CONFIG REWRITE executed with success.\n");
    rmSync(folder, { recursive: true });
  });

  test("HELP", () => {
    expect(testServer().connect().line("CONFIG HELP")).toContain("SET <directive> <value>");
  });
});

describe("SHUTDOWN", () => {
  interface Asked {
    options: ShutdownOptions[];
    finished: (() => void) | null;
    aborts: number;
  }

  /** A server whose process does as it is told: "failed", or "waiting" until it is aborted. */
  function mortalServer(outcome: "failed" | "waiting"): { server: TestServer; asked: Asked } {
    const server = testServer();
    const asked: Asked = { options: [], finished: null, aborts: 0 };
    const port: ProcessPort = {
      executable: "/bin/redis-ts",
      childOomScore: null,
      setRole() {},
      shutdown(options, finished) {
        asked.options.push(options);
        if (outcome === "waiting") asked.finished = finished;
        return outcome;
      },
      get shutdownInMs() {
        return asked.finished === null ? null : 1500;
      },
      abortShutdown() {
        asked.aborts++;
        const { finished } = asked;
        asked.finished = null;
        finished?.();
        return finished !== null;
      },
      crash() {
        throw new Error("not asked for here");
      },
    };
    server.engine.process = port;
    return { server, asked };
  }

  test("INFO tells of one that waits", () => {
    const { server } = mortalServer("waiting");
    const [client, other] = [server.connect(), server.connect()];
    expect(other.line("INFO server")).not.toContain("shutdown_in_milliseconds");
    client.raw("SHUTDOWN");
    expect(other.line("INFO server")).toContain("shutdown_in_milliseconds:1500");
  });

  test("passes its options on, and says when it failed", () => {
    const { server, asked } = mortalServer("failed");
    const client = server.connect();
    for (const line of ["SHUTDOWN", "shutdown nosave now", "SHUTDOWN SAVE FORCE"])
      expect(client.line(line)).toBe("(error) ERR Errors trying to SHUTDOWN. Check logs.");
    expect(asked.options).toEqual([
      { save: null, now: false, force: false, safe: false },
      { save: false, now: true, force: false, safe: false },
      { save: true, now: false, force: true, safe: false },
    ]);
    expect(client.line("INFO server")).toContain("executable:/bin/redis-ts\r\n");
  });

  test("refuses what does not fit together", () => {
    const { server, asked } = mortalServer("failed");
    const client = server.connect();
    for (const line of [
      "SHUTDOWN x",
      "SHUTDOWN SAVE NOSAVE",
      "SHUTDOWN ABORT NOW",
      "SHUTDOWN NOSAVE ABORT",
      "SHUTDOWN SAFE",
    ])
      expect(client.line(line)).toBe("(error) ERR syntax error");
    expect(client.line("SHUTDOWN ABORT")).toBe("(error) ERR No shutdown in progress.");
    expect(asked.options).toEqual([]);
    client.line("MULTI");
    expect(client.line("SHUTDOWN")).toContain("not allowed inside a transaction");
  });

  test("that waits answers when it is aborted", () => {
    const { server, asked } = mortalServer("waiting");
    const [waiting, other] = [server.connect(), server.connect()];
    expect(waiting.raw("SHUTDOWN")).toHaveLength(0);
    expect(other.line("INFO clients")).toContain("blocked_clients:1\r\n");
    expect(other.line("SHUTDOWN ABORT")).toBe("OK");
    expect(asked.aborts).toBe(1);
    expect(waiting.pushed()).toEqual([{ kind: "error", text: "ERR Errors trying to SHUTDOWN. Check logs." }]);
    expect(other.line("INFO clients")).toContain("blocked_clients:0\r\n");
    expect(other.line("SHUTDOWN ABORT")).toBe("(error) ERR No shutdown in progress.");
  });

  test("takes SAFE from Valkey's clients", () => {
    const client = testServer({ personality: "valkey" }).connect();
    expect(client.line("SHUTDOWN SAFE")).toBe("(error) ERR Errors trying to SHUTDOWN. Check logs.");
  });
});

test("while data load, CONFIG SET refuses what is about where they are kept, also when the present ones are served meanwhile", () => {
  for (const gate of [ServerGate.Loading, ServerGate.LoadingAside]) {
    const server = testServer();
    const client = server.connect();
    server.engine.gate |= gate;
    const refusal = "(error) LOADING Redis is loading the dataset in memory";
    expect(client.line("CONFIG SET appendonly no")).toBe(refusal);
    expect(client.line("CONFIG SET maxmemory-samples 6")).toBe("OK");
    server.engine.gate &= ~gate;
    expect(client.line("CONFIG SET appendonly no")).toBe("OK");
  }
});
