// Databases are made when the first command wants them: what those see who came before.

import { expect, test } from "bun:test";
import { clientLine } from "../../src/engine/client/client-list.ts";
import { testServer } from "../support/engine.ts";

test("commands about connections leave the databases unmade", () => {
  const { engine, connect } = testServer();
  const client = connect();
  expect(client.line("PING")).toBe("PONG");
  expect(client.line("ECHO x")).toBe("x");
  expect(client.line("HELLO 3")).toContain("server");
  expect(clientLine(engine, client.client)).toContain(" db=0 ");
  expect(engine.keyspace.first).toBeNull();
});

test("the first command of a family finds its client's database, and so do those of clients that came before", () => {
  const { engine, connect } = testServer();
  const [first, second] = [connect(), connect()];
  expect(first.line("SET k v")).toBe("OK");
  expect(second.line("GET k")).toBe("v");
  expect(connect().line("GET k")).toBe("v");
  for (const { client } of [first, second]) expect(client.db).toBe(engine.keyspace.databases[0]);
});

test("a client may choose a database before there is one", () => {
  const { engine, connect } = testServer();
  const [first, second] = [connect(), connect()];
  expect(first.line("SELECT 3")).toBe("OK");
  expect(first.line("SET k v")).toBe("OK");
  expect(second.line("GET k")).toBe("(nil)");
  expect(engine.keyspace.databases[3].size).toBe(1);
  expect(first.line("RESET")).toBe("RESET");
  expect(first.client.db).toBe(engine.keyspace.databases[0]);
});

test("what databases take counts as memory of the start", () => {
  const { engine, connect } = testServer();
  const client = connect();
  const before = engine.memory.usedBytes - engine.memory.startupBytes;
  client.line("GET nosuch");
  expect(engine.keyspace.first).not.toBeNull();
  expect(engine.memory.usedBytes - engine.memory.startupBytes).toBe(before);
});
