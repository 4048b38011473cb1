// COMMAND, TIME and LOLWUT in process: what the comparison with a live server cannot say.

import { expect, test } from "bun:test";
import { START_MS, testServer, transcript } from "../support/engine.ts";
import type { Reply } from "../support/transcript-reply.ts";

const items = (reply: Reply): Reply[] => ("items" in reply ? reply.items : []);
const text = (reply: Reply): string => ("text" in reply ? reply.text : "");

test("COMMAND, COMMAND INFO, COUNT, LIST and DOCS name the same commands", () => {
  const client = testServer().connect();
  const names = items(client.send("COMMAND")).map((entry) => text(items(entry)[0]));
  expect(names.length).toBeGreaterThan(30);
  expect(new Set(names).size).toBe(names.length);
  expect(client.send("COMMAND", "INFO")).toEqual(client.send("COMMAND"));
  expect(client.send("COMMAND", "COUNT")).toEqual({ kind: "integer", value: BigInt(names.length) });
  const listed = items(client.send("COMMAND", "LIST")).map(text);
  expect(listed.filter((name) => !name.includes("|"))).toEqual(names);
  expect(items(client.send("COMMAND", "LIST", "FILTERBY", "PATTERN", "*")).map(text)).toEqual(listed);
  expect(listed).toContain("client|list");
  const docs = items(client.send("COMMAND", "DOCS"));
  expect(docs.filter((_, i) => i % 2 === 0).map(text)).toEqual(names);
});

test("filters of COMMAND LIST find subcommands", () => {
  transcript(`
    > COMMAND LIST FILTERBY PATTERN COMMAND|GET*
    1) command|getkeys
    2) command|getkeysandflags
    > COMMAND LIST FILTERBY PATTERN tim?
    1) time
    > COMMAND LIST FILTERBY MODULE string
    (empty array)`);
  const client = testServer().connect();
  const connection = items(client.send("COMMAND", "LIST", "FILTERBY", "ACLCAT", "CONNECTION")).map(text);
  expect(connection).toContain("ping");
  expect(connection).toContain("command|docs");
  expect(connection).not.toContain("get");
});

test("the keys of MIGRATE stand behind KEYS when the key is empty, and nowhere when it is not", () => {
  transcript(`
    > COMMAND GETKEYS MIGRATE h 1 k 0 1 AUTH keys
    1) k
    > COMMAND GETKEYS MIGRATE h 1 "" 0 1 AUTH2 keys keys KEYS a b
    1) a
    2) b
    > COMMAND GETKEYS MIGRATE h 1 k 0 1 COPY KEYS a b
    (error) ERR Invalid arguments specified for command`);
});

test("renamed commands keep their names in replies", () => {
  const server = testServer();
  expect(server.engine.commands.rename("time", "clock")).toBeNull();
  const client = server.connect();
  expect(text(items(items(client.send("COMMAND", "INFO", "clock"))[0])[0])).toBe("time");
  expect(items(client.send("COMMAND", "INFO", "time"))[0].kind).toBe("nil");
  expect(items(client.send("CLOCK")).length).toBe(2);
});

test("HELP opens with the container and ends with itself", () => {
  const lines = items(testServer().connect().send("COMMAND", "HELP")).map(text);
  expect(lines[0]).toBe("COMMAND <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
  expect(lines.slice(-2)).toEqual(["HELP", "    Prints this help."]);
});

test("TIME is seconds and microseconds, and stands still in a transaction", () => {
  const server = testServer();
  const client = server.connect();
  server.clock.advanceUs(12_345);
  server.engine.tick();
  expect(items(client.send("TIME")).map(text)).toEqual([String(START_MS / 1000), "12345"]);
  client.send("MULTI");
  client.send("TIME");
  client.send("TIME");
  expect(items(client.send("EXEC")).map((reply) => items(reply).map(text))).toEqual([
    [String(START_MS / 1000), "12000"],
    [String(START_MS / 1000), "12000"],
  ]);
});

test("LOLWUT draws lines of the width and ends with the version", () => {
  const server = testServer();
  const client = server.connect();
  const utf8 = (...args: string[]) => Buffer.from(text(client.send("LOLWUT", ...args)), "latin1").toString("utf8");
  for (const [args, columns, rows] of [
    [[], 66, 12],
    [["20"], 20, 12],
    [["20", "3"], 20, 3],
    [["VERSION", "5", "0", "-7"], 1, 1],
    [["version", "6", "30", "4"], 30, 4],
    [["VERSION", "6", "5000", "1"], 1000, 1],
  ] as const) {
    const lines = utf8(...args).split("\n");
    expect(lines.length).toBe(rows + 3);
    for (const line of lines.slice(0, rows)) expect(line.length).toBe(columns);
    expect(lines[rows + 1]).toEndWith(" Redis ver. 7.2.4");
    expect(lines[rows + 2]).toBe("");
  }
  expect(utf8("40", "4")).not.toBe(utf8("40", "4"));
  client.client.resp = 3;
  expect(client.send("LOLWUT").kind).toBe("verbatim");
  transcript(`
    > LOLWUT VERSION x
    (error) ERR value is not an integer or out of range
    > LOLWUT x
    (error) ERR value is not an integer or out of range`);
});
