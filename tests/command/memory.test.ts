// MEMORY: usage of keys against the arena's accounting, statistics, the report.

import { describe, expect, test } from "bun:test";
import { type TestClient, testServer, transcript } from "../support/engine.ts";

function used(client: TestClient): number {
  return Number(/^used_memory:(\d+)/m.exec(client.line("INFO memory"))?.[1]);
}

function integer(client: TestClient, ...args: string[]): number {
  const reply = client.send(...args);
  if (reply.kind !== "integer") throw new Error(`no integer: ${JSON.stringify(reply)}`);
  return Number(reply.value);
}

describe("USAGE", () => {
  test.each([
    ["short", "k", "v"],
    ["an integer", "k", "12345"],
    ["of some length", "key:1", "x".repeat(500)],
    ["in a large buffer", "k", "x".repeat(1_000_000)],
    ["with a long key", "k".repeat(100_000), "v"],
  ])("is what the arena gave for a value that is %s", (_name, key, value) => {
    const client = testServer().connect();
    client.send("SET", "other", "x");
    const before = used(client);
    client.send("SET", key, value);
    expect(integer(client, "MEMORY", "USAGE", key)).toBe(used(client) - before + 8);
  });

  test("of a key that expires is more", () => {
    const client = testServer().connect();
    client.line("SET k v");
    const plain = integer(client, "MEMORY", "USAGE", "k");
    client.line("EXPIRE k 100");
    expect(integer(client, "MEMORY", "USAGE", "k")).toBeGreaterThan(plain);
  });

  test("leaves no trace and checks its arguments", () => {
    transcript(`
      > SET k v
      OK
      > MEMORY USAGE nosuch
      (nil)
      > MEMORY USAGE k SAMPLES
      (error) ERR syntax error
      > MEMORY USAGE k SAMPLES -1
      (error) ERR syntax error
      > MEMORY USAGE k SAMPLES x
      (error) ERR value is not an integer or out of range
      > MEMORY USAGE k NOSUCH 1
      (error) ERR syntax error
      > MEMORY USAGE
      (error) ERR wrong number of arguments for 'memory|usage' command
      > MEMORY NOSUCH
      (error) ERR unknown subcommand 'NOSUCH'. Try MEMORY HELP.`);
    const client = testServer().connect();
    client.line("SET k v");
    client.line("MEMORY USAGE k SAMPLES 0");
    expect(client.line("INFO stats")).toContain("keyspace_hits:0\r\n");
  });
});

describe("STATS", () => {
  function stats(client: TestClient): Map<string, string> {
    const reply = client.send("MEMORY", "STATS");
    if (reply.kind !== "array") throw new Error("no array");
    const found = new Map<string, string>();
    for (let i = 0; i < reply.items.length; i += 2) {
      const [name, value] = [reply.items[i]!, reply.items[i + 1]!];
      if (name.kind !== "bulk") throw new Error("no name");
      found.set(
        name.text,
        value.kind === "integer" ? String(value.value) : value.kind === "bulk" ? value.text : value.kind,
      );
    }
    return found;
  }

  test("agree with INFO, and list databases that hold keys", () => {
    const client = testServer().connect();
    expect(stats(client).get("overhead.db.hashtable.lut")).toBe("0");
    expect([...stats(client).keys()].filter((name) => /^db\.\d/.test(name))).toEqual([]);
    for (const line of ["SET a 1", "SET b 2", "SELECT 3", "SET c 3 EX 100"]) client.line(line);
    const found = stats(client);
    expect(found.get("keys.count")).toBe("3");
    expect([found.get("db.0"), found.get("db.3")]).toEqual(["array", "array"]);
    expect(found.get("total.allocated")).toBe(String(used(client)));
    expect(Number(found.get("overhead.db.hashtable.lut"))).toBeGreaterThan(0);
    const sum = Number(found.get("overhead.total")) + Number(found.get("dataset.bytes"));
    expect(sum).toBe(Number(found.get("total.allocated")));
  });

  test("list a database whose keys are gone but whose table has grown, until it is flushed", () => {
    const client = testServer().connect();
    for (let i = 0; i < 40; i++) client.line(`SET k${i} v`);
    for (let i = 0; i < 40; i++) client.line(`DEL k${i}`);
    expect(stats(client).get("db.0")).toBe("array");
    client.line("SET k v");
    client.line("FLUSHALL");
    expect(stats(client).has("db.0")).toBe(false);
  });

  test("are a map with doubles in RESP3", () => {
    const client = testServer().connect();
    client.line("HELLO 3");
    const text = Buffer.from(client.raw("MEMORY", "STATS")).toString();
    expect(text).toStartWith("%31\r\n$14\r\npeak.allocated\r\n:");
    expect(text).toContain("$15\r\npeak.percentage\r\n,100\r\n");
  });
});

test("DOCTOR, PURGE, MALLOC-STATS and HELP answer", () => {
  const client = testServer().connect();
  expect(client.line("MEMORY DOCTOR")).toContain("nearly empty");
  client.send("SET", "k", "x".repeat(20_000_000));
  client.line("DEL k");
  client.send("SET", "k", "x".repeat(6_000_000));
  client.line("INFO memory");
  expect(client.line("MEMORY DOCTOR")).toMatch(/Peak|Resident|Nothing/);
  expect(client.line("MEMORY PURGE")).toBe("OK");
  expect(client.line("MEMORY MALLOC-STATS")).toBe("Stats not supported for the current allocator");
  expect(client.line("MEMORY HELP")).toContain("USAGE <key> [SAMPLES <count>]");
});
