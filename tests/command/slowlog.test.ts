// SLOWLOG: what is logged, how it is cut, and what is kept out of it.

import { describe, expect, test } from "bun:test";
import { ManualClock } from "../../src/base/clock.ts";
import { command } from "../../src/engine/context.ts";
import { Flag } from "../../src/engine/spec/spec.ts";
import { type TestServer, testServer, transcript } from "../support/engine.ts";
import { formatReply } from "../support/transcript-reply.ts";

/** SPEND n: a command that takes n microseconds. */
const SPEND = command({
  name: "spend",
  arity: 2,
  flags: Flag.Fast,
  since: "1.0.0",
  group: "server",
  summary: "Lets time pass.",
  complexity: "O(1)",
  run(cx) {
    if (cx.engine.clock instanceof ManualClock) cx.engine.clock.advanceUs(cx.integer(1));
    cx.reply.ok();
  },
});

function slowServer(): TestServer {
  return testServer({ commands: [SPEND] });
}

describe("SLOWLOG", () => {
  test("logs commands from the threshold on, newest first", () => {
    transcript(
      `
      > CONFIG SET slowlog-log-slower-than 1000
      OK
      > SPEND 999
      OK
      > SPEND 1000
      OK
      > CLIENT SETNAME me
      OK
      ~ advance 5s
      > SPEND 2500
      OK
      > SLOWLOG LEN
      (integer) 2
      > SLOWLOG GET
      1)    1) (integer) 1
      2) (integer) 1700000005
      3) (integer) 2500
      4)       1) SPEND
      2) 2500
      5) 127.0.0.1:1
      6) me
      2)    1) (integer) 0
      2) (integer) 1700000000
      3) (integer) 1000
      4)       1) SPEND
      2) 1000
      5) 127.0.0.1:1
      6)
      > SLOWLOG RESET
      OK
      > SLOWLOG GET
      (empty array)`,
      slowServer(),
    );
  });

  test("takes a count", () => {
    const client = testServer().connect();
    client.line("CONFIG SET slowlog-log-slower-than 0 slowlog-max-len 15");
    for (let i = 0; i < 30; i++) client.line("PING");
    const lengthOf = (line: string): number => {
      const reply = client.send(...line.split(" "));
      return reply.kind === "array" ? reply.items.length : -1;
    };
    expect(lengthOf("SLOWLOG GET")).toBe(10);
    expect(lengthOf("SLOWLOG GET 5")).toBe(5);
    expect(lengthOf("SLOWLOG GET 0")).toBe(0);
    expect(lengthOf("SLOWLOG GET -1")).toBe(15);
    expect(lengthOf("SLOWLOG GET 20")).toBe(15);
    for (const bad of ["-2", "x", "1.5"])
      expect(client.line(`SLOWLOG GET ${bad}`)).toBe("(error) ERR count should be greater than or equal to -1");
    expect(client.line("SLOWLOG GET 1 2")).toBe(
      "(error) ERR unknown subcommand or wrong number of arguments for 'GET'. Try SLOWLOG HELP.",
    );
  });

  test("is off at -1 and with no room", () => {
    const client = testServer().connect();
    for (const setting of ["slowlog-log-slower-than -1", "slowlog-max-len 0"]) {
      client.line("CONFIG SET slowlog-log-slower-than 0 slowlog-max-len 128");
      client.line(`CONFIG SET ${setting}`);
      client.line("SLOWLOG RESET");
      client.line("PING");
      expect(client.line("SLOWLOG LEN")).toBe("(integer) 0");
    }
  });

  /** What the slow log keeps of a command. */
  function logged(...args: string[]): string[] {
    const client = testServer().connect();
    client.line("CONFIG SET slowlog-log-slower-than 0");
    client.send(...args);
    const reply = client.send("SLOWLOG", "GET", "1");
    if (reply.kind !== "array") throw new Error("no array");
    const entry = reply.items[0]!;
    if (entry.kind !== "array" || entry.items[3]!.kind !== "array") throw new Error("no entry");
    return entry.items[3]!.items.map((item) => formatReply(item));
  }

  test("cuts many arguments and long ones", () => {
    const keys = Array.from({ length: 33 }, (_, i) => `k${i}`);
    expect(logged("DEL", ...keys.slice(0, 31))).toHaveLength(32);
    expect(logged("MGET", ...keys)).toEqual(["MGET", ...keys.slice(0, 30), "... (3 more arguments)"]);
    expect(logged("GET", "A".repeat(128))).toEqual(["GET", "A".repeat(128)]);
    expect(logged("GET", "A".repeat(131))).toEqual(["GET", `${"A".repeat(128)}... (3 more bytes)`]);
  });

  test("keeps secrets out", () => {
    expect(logged("CONFIG", "SET", "requirepass", "a", "maxmemory", "1gb")).toEqual([
      "CONFIG",
      "SET",
      "requirepass",
      "(redacted)",
      "maxmemory",
      "1gb",
    ]);
  });

  test("logs the commands of a transaction and not its EXEC", () => {
    const client = slowServer().connect();
    client.line("CONFIG SET slowlog-log-slower-than 1000");
    client.line("SLOWLOG RESET");
    for (const line of ["MULTI", "SPEND 3000", "PING", "SPEND 4000", "EXEC"]) client.line(line);
    expect(client.line("SLOWLOG LEN")).toBe("(integer) 2");
  });

  test("GET of any number that an int64 can be", () => {
    const client = slowServer().connect();
    expect(client.line("SLOWLOG GET 9223372036854775807")).toBe(client.line("SLOWLOG GET -1"));
    const refused = "(error) ERR count should be greater than or equal to -1";
    for (const count of ["-2", "9223372036854775808", "x"]) expect(client.line(`SLOWLOG GET ${count}`)).toBe(refused);
  });

  test("HELP", () => {
    const lines = testServer().connect().line("SLOWLOG HELP").split("\n");
    expect(lines[0]).toEndWith("SLOWLOG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
    expect(lines.some((line) => line.endsWith("GET [<count>]"))).toBe(true);
    expect(lines.at(-1)).toEndWith("Prints this help.");
  });
});
