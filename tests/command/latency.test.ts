// LATENCY: samples of the latency monitor, its graph and its report; latency histograms of commands.

import { describe, expect, test } from "bun:test";
import { ManualClock } from "../../src/base/clock.ts";
import { command } from "../../src/engine/context.ts";
import { type TestClient, type TestServer, testServer, transcript } from "../support/engine.ts";

/** STALL n: a command that takes n milliseconds. */
const STALL = command({
  name: "stall",
  arity: 2,
  flags: 0,
  since: "1.0.0",
  group: "server",
  summary: "Lets time pass.",
  complexity: "O(1)",
  run(cx) {
    if (cx.engine.clock instanceof ManualClock) cx.engine.clock.advanceMs(cx.integer(1));
    cx.reply.ok();
  },
});

function slowServer(): TestServer {
  return testServer({ commands: [STALL] });
}

function stall(server: TestServer, client: TestClient, ...times: number[]): void {
  for (const ms of times) {
    client.line(`STALL ${ms}`);
    server.advance(1000 - (ms % 1000));
  }
}

describe("the monitor", () => {
  test("HISTORY, LATEST and RESET", () => {
    transcript(
      `
      > LATENCY LATEST
      (empty array)
      > STALL 500
      OK
      > LATENCY LATEST
      (empty array)
      > CONFIG SET latency-monitor-threshold 200
      OK
      > STALL 199
      OK
      > STALL 300
      OK
      ~ advance 1s
      > STALL 400
      OK
      > LATENCY HISTORY command
      1)    1) (integer) 1700000000
      2) (integer) 300
      2)    1) (integer) 1700000002
      2) (integer) 400
      > LATENCY HISTORY COMMAND
      (empty array)
      > LATENCY LATEST
      1)    1) command
      2) (integer) 1700000002
      3) (integer) 400
      4) (integer) 400
      > LATENCY RESET nosuch
      (integer) 0
      > LATENCY RESET COMMAND nosuch
      (integer) 1
      > LATENCY LATEST
      (empty array)
      > LATENCY HISTORY
      (error) ERR wrong number of arguments for 'latency|history' command
      > LATENCY NOSUCH
      (error) ERR unknown subcommand 'NOSUCH'. Try LATENCY HELP.`,
      slowServer(),
    );
  });

  test("records what others tell it", () => {
    const { engine, connect } = testServer();
    const client = connect();
    client.line("CONFIG SET latency-monitor-threshold 5");
    engine.latency.record("expire-cycle", 7.9);
    engine.latency.record("fork", 4);
    expect(client.line("LATENCY LATEST")).toContain("expire-cycle");
    expect(client.line("LATENCY LATEST")).not.toContain("fork");
    expect(client.line("LATENCY RESET")).toBe("(integer) 1");
  });
});

describe("GRAPH", () => {
  test("draws a bar a sample, labelled with its age", () => {
    const server = slowServer();
    const client = server.connect();
    client.line("CONFIG SET latency-monitor-threshold 1");
    stall(server, client, 100, 200, 300, 1000 - 900, 500, 250);
    const graph = client.send("LATENCY", "GRAPH", "command");
    expect(graph).toEqual({
      kind: "bulk",
      text: [
        "command - high 500 ms, low 100 ms (all time high 500 ms)",
        "-".repeat(80),
        "    # ",
        "  _ | ",
        " _| |o",
        "_||_||",
        "      ",
        "654321",
        "ssssss",
        "",
      ].join("\n"),
    });
  });

  test("breaks after eighty bars", () => {
    const server = slowServer();
    const client = server.connect();
    client.line("CONFIG SET latency-monitor-threshold 1");
    stall(server, client, ...Array.from({ length: 100 }, (_, i) => 10 + i));
    const lines = client.line("LATENCY GRAPH command").split("\n");
    expect(lines[0]).toBe("command - high 109 ms, low 10 ms (all time high 109 ms)");
    expect(lines.slice(2, 6).map((line) => line.length)).toEqual([80, 80, 80, 80]);
    const second = lines.indexOf("");
    expect(lines.slice(second + 1, second + 5).map((line) => line.length)).toEqual([20, 20, 20, 20]);
  });

  test("of an event that has not happened", () => {
    expect(testServer().connect().line("LATENCY GRAPH nosuch")).toBe(
      "(error) ERR No samples available for event 'nosuch'",
    );
  });
});

test("DOCTOR", () => {
  const server = slowServer();
  const client = server.connect();
  expect(client.line("LATENCY DOCTOR")).toContain("CONFIG SET latency-monitor-threshold");
  client.line("CONFIG SET latency-monitor-threshold 100");
  expect(client.line("LATENCY DOCTOR")).toContain("nothing to report");
  stall(server, client, 200, 400);
  const report = client.line("LATENCY DOCTOR");
  expect(report).toContain(
    "1. command: 2 latency spikes (average 300ms, mean deviation 100ms, period 1.00 sec). Worst all time event 400ms.\n",
  );
  expect(report).toContain("SLOWLOG GET");
});

describe("HISTOGRAM", () => {
  test("counts calls up to powers of two", () => {
    const server = slowServer();
    const client = server.connect();
    client.line("CONFIG RESETSTAT");
    for (const ms of [1, 1, 3, 700]) client.line(`STALL ${ms}`);
    expect(client.line("LATENCY HISTOGRAM stall nosuch get")).toBe(
      [
        "1) stall",
        "2)    1) calls",
        "   2) (integer) 4",
        "   3) histogram_usec",
        "   4)       1) (integer) 1056",
        "      2) (integer) 2",
        "      3) (integer) 4227",
        "      4) (integer) 3",
        "      5) (integer) 1073741",
        "      6) (integer) 4",
      ].join("\n"),
    );
    expect(client.line("LATENCY HISTOGRAM nosuch")).toBe("(empty array)");
  });

  test("of a container are those of its subcommands, and maps in RESP3", () => {
    const client = testServer().connect();
    client.line("CONFIG RESETSTAT");
    client.line("CLIENT ID");
    client.line("CLIENT GETNAME");
    client.line("HELLO 3");
    const reply = client.send("LATENCY", "HISTOGRAM", "client");
    expect(reply.kind).toBe("map");
    if (reply.kind !== "map") return;
    expect(reply.items.filter((_, i) => i % 2 === 0)).toEqual([
      { kind: "bulk", text: "client|id" },
      { kind: "bulk", text: "client|getname" },
    ]);
    expect(client.line("LATENCY HISTOGRAM client|id")).not.toContain("getname");
  });

  test("of everything holds what was called since the reset", () => {
    const client = testServer().connect();
    client.line("SET a b");
    client.line("CONFIG RESETSTAT");
    const reply = client.send("LATENCY", "HISTOGRAM");
    expect(reply.kind === "array" && reply.items[0]).toEqual({ kind: "bulk", text: "config|resetstat" });
    expect(reply.kind === "array" && reply.items.length).toBe(2);
  });
});

test("HELP", () => {
  const client = testServer().connect();
  expect(client.line("LATENCY HELP")).toContain("HISTOGRAM [COMMAND ...]");
  expect(client.line("LATENCY HELP x")).toBe("(error) ERR wrong number of arguments for 'latency|help' command");
});
