// When replies leave: at once while few clients are busy, together at the end of the turn while many are.

import { describe, expect, test } from "bun:test";
import { ReplyTiming } from "../../src/net/reply-timing.ts";
import { encodeCommand } from "../support/client.ts";
import { type FakeSocket, type NetServer, netServer } from "../support/net.ts";

/** A turn with so many inputs; whether its end was to be told. */
function turn(timing: ReplyTiming, inputs: number): boolean {
  let told = false;
  for (let i = 0; i < inputs; i++) if (timing.noteInput()) told = true;
  if (told) timing.ended();
  return told;
}

describe("replies leave", () => {
  test("together after a turn with many inputs was looked at", () => {
    const timing = new ReplyTiming();
    expect(turn(timing, 15)).toBe(false);
    expect(timing.together).toBe(false);
    expect(turn(timing, 4)).toBe(true);
    expect(timing.together).toBe(true);
  });

  test("at once while turns are small, of which few are looked at", () => {
    const timing = new ReplyTiming();
    const told = Array.from({ length: 160 }, () => turn(timing, 1)).filter(Boolean);
    expect(told.length).toBe(10);
    expect(timing.together).toBe(false);
  });

  test("at once again after a row of small turns, but not after some between larger ones", () => {
    const timing = new ReplyTiming();
    turn(timing, 20);
    for (let round = 0; round < 10; round++) {
      for (let i = 0; i < 31; i++) turn(timing, 1);
      turn(timing, 4);
      expect(timing.together).toBe(true);
    }
    for (let i = 0; i < 32; i++) turn(timing, 1);
    expect(timing.together).toBe(false);
  });

  test("together when many real clients are busy, at once again when one is left", async () => {
    const net = netServer();
    const clients = await Promise.all(Array.from({ length: 40 }, () => net.dial()));
    for (let i = 0; i < 3; i++) await Promise.all(clients.map((client) => client.call("PING")));
    expect(net.server.timing.together).toBe(true);
    for (let i = 0; i < 40; i++) await clients[0].call("PING");
    expect(net.server.timing.together).toBe(false);
    net.stop();
  });
});

describe("replies that leave together", () => {
  function together(): { net: NetServer; a: FakeSocket; b: FakeSocket } {
    const net = netServer({ deaf: true });
    net.server.timing.together = true;
    return { net, a: net.fake(), b: net.fake() };
  }

  function feed(net: NetServer, socket: FakeSocket, ...words: string[]): void {
    net.engine.startTurn();
    socket.connection.feed(Uint8Array.from(encodeCommand(words)));
  }

  test("are sent at the end of the turn, with one write a client", () => {
    const { net, a, b } = together();
    feed(net, a, "SET", "k", "1");
    feed(net, b, "GET", "k");
    feed(net, a, "INCR", "k");
    expect(a.output + b.output).toBe("");
    net.server.endTurn();
    expect([a.output, b.output]).toEqual(["+OK\r\n:2\r\n", "$1\r\n1\r\n"]);
    expect([a.writes, b.writes]).toEqual([1, 1]);
  });

  test("do not wait when they are long, unless a short one of the same client does", () => {
    const { net, a, b } = together();
    feed(net, a, "SET", "k", "v".repeat(20_000));
    net.server.endTurn();
    feed(net, b, "GET", "k");
    expect(b.output.length).toBe(20_010);
    feed(net, a, "PING");
    feed(net, a, "GET", "k");
    expect(a.output).toBe("+OK\r\n");
    net.server.endTurn();
    expect(a.output).toBe(`+OK\r\n+PONG\r\n$20000\r\n${"v".repeat(20_000)}\r\n`);
  });

  test("of a client that says QUIT are sent before it is closed", () => {
    const { net, a } = together();
    feed(net, a, "SET", "k", "1");
    feed(net, a, "QUIT");
    net.server.endTurn();
    expect(a.output).toBe("+OK\r\n+OK\r\n");
    expect(a.ended).toBe(true);
  });

  test("stay ahead of what is sent while output is held", () => {
    const { net, a } = together();
    feed(net, a, "PING");
    a.connection.hold(() => {});
    expect(a.connection.sendAhead(Buffer.from("first"), 0, 5)).toBe(5);
    net.server.endTurn();
    expect(a.output).toBe("+PONG\r\nfirst");
  });
});
