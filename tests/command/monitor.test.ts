/** MONITOR against an engine in process: which commands are shown, how, and what is kept secret. */
import { expect, test } from "bun:test";
import type { TestClient, TestServer } from "../support/engine.ts";
import { testServer } from "../support/engine.ts";
import { formatReply } from "../support/transcript-reply.ts";

/** A server with a client that monitors and one that works. */
function watched(): { server: TestServer; monitor: TestClient; worker: TestClient } {
  const server = testServer();
  const monitor = server.connect();
  expect(monitor.line("MONITOR")).toBe("OK");
  return { server, monitor, worker: server.connect() };
}

/** The lines that a monitor got, without time and source. */
function seen(monitor: TestClient): string[] {
  return monitor.pushed().map((reply) => formatReply(reply).replace(/^\S+ \[[^\]]*\] /, ""));
}

test("a line has time, database, address and quoted arguments", () => {
  const { server, monitor, worker } = watched();
  server.clock.advanceUs(1_500_042);
  worker.line("SELECT 3");
  worker.raw("SET", "k", Buffer.from('a"b\\c\n\r\t\x07\b\x00\xff é', "latin1"));
  expect(monitor.pushed().map((reply) => formatReply(reply))).toEqual([
    '1700000001.500042 [3 127.0.0.1:1] "SELECT" "3"',
    '1700000001.500042 [3 127.0.0.1:1] "SET" "k" "a\\"b\\\\c\\n\\r\\t\\a\\b\\x00\\xff \\xe9"',
  ]);
});

test("lines are status replies in both protocols", () => {
  for (const version of ["2", "3"]) {
    const server = testServer();
    const monitor = server.connect();
    monitor.raw("HELLO", version);
    monitor.line("MONITOR");
    server.connect().line("PING");
    expect(monitor.pushed()).toEqual([{ kind: "status", text: '1700000000.000000 [0 127.0.0.1:1] "PING"' }]);
  }
});

test("what did not run, and what administers, is not shown", () => {
  const { monitor, worker } = watched();
  for (const line of ["NOSUCH x", "GET", "CLIENT FOO", "CLIENT LIST", "CLIENT KILL ID 77", "CLIENT PAUSE 0"])
    worker.line(line);
  expect(seen(monitor)).toEqual([]);
  for (const line of ["GET k", "CLIENT ID", "SET k v BAD"]) worker.line(line);
  expect(seen(monitor)).toEqual(['"GET" "k"', '"CLIENT" "ID"', '"SET" "k" "v" "BAD"']);
});

test("secrets are not shown, also when the command is refused", () => {
  const { monitor, worker } = watched();
  const lines = [
    "AUTH secret",
    "AUTH default secret",
    "AUTH a b c",
    "HELLO 3 AUTH default secret SETNAME me",
    "HELLO 9 AUTH default secret",
    "HELLO 2 SETNAME auth AUTH nobody secret",
    "HELLO 2 AUTH default",
  ];
  for (const line of lines) worker.line(line);
  expect(seen(monitor)).toEqual([
    '"AUTH" "(redacted)"',
    '"AUTH" "(redacted)" "(redacted)"',
    '"AUTH" "(redacted)" "(redacted)" "(redacted)"',
    '"HELLO" "3" "AUTH" "(redacted)" "(redacted)" "SETNAME" "me"',
    '"HELLO" "9" "AUTH" "(redacted)" "(redacted)"',
    '"HELLO" "2" "SETNAME" "auth" "AUTH" "(redacted)" "(redacted)"',
    '"HELLO" "2" "AUTH" "(redacted)"',
  ]);
});

test("a transaction's commands stand between MULTI and EXEC", () => {
  const { monitor, worker } = watched();
  for (const line of ["MULTI", "SET foo bar", "GET foo", "EXEC"]) worker.line(line);
  expect(seen(monitor)).toEqual(['"MULTI"', '"SET" "foo" "bar"', '"GET" "foo"', '"EXEC"']);
});

test("a postponed command is shown when it runs, once", () => {
  const { monitor, worker, server } = watched();
  server.connect().line("CLIENT PAUSE 1000 WRITE");
  worker.raw("SET", "k", "v");
  expect(seen(monitor)).toEqual([]);
  server.engine.pause.end();
  server.advance(1);
  expect(seen(monitor)).toEqual(['"SET" "k" "v"']);
});

test("a monitor sees its own commands behind their replies, and keeps away from keys", () => {
  const { monitor } = watched();
  expect(Buffer.from(monitor.raw("PING")).toString()).toBe('+PONG\r\n+1700000000.000000 [0 127.0.0.1:1] "PING"\r\n');
  expect(monitor.line("GET k")).toBe("(error) ERR Replica can't interact with the keyspace");
  expect(monitor.line("SET k v")).toBe("(error) ERR Replica can't interact with the keyspace");
  expect(monitor.raw("MONITOR").length).toBe(0);
});

test("it ends with RESET, QUIT and the connection", () => {
  const server = testServer();
  for (const end of ["RESET", "QUIT"]) {
    const monitor = server.connect();
    monitor.line("MONITOR");
    expect(server.engine.gate).not.toBe(0);
    monitor.line(end);
    expect(server.engine.monitors.count).toBe(0);
    expect(server.engine.gate).toBe(0);
  }
  const monitor = server.connect();
  monitor.line("MONITOR");
  monitor.close();
  expect(server.engine.gate).toBe(0);
});

test("it has no place in a transaction", () => {
  const client = testServer().connect();
  client.line("MULTI");
  client.line("MONITOR");
  expect(client.line("EXEC")).toBe("1) (error) ERR MONITOR isn't allowed for DENY BLOCKING client");
});
