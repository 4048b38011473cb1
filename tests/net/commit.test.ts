// Replies that tell of changes wait until the append-only file has been written: one write for all clients of a turn, and nothing past it.

import { beforeEach, describe, expect, test } from "bun:test";
import { Target } from "../../src/engine/propagation.ts";
import { encodeCommand } from "../support/client.ts";
import { type FakeSocket, type NetServer, netServer } from "../support/net.ts";

let net: NetServer;
let a: FakeSocket;
let b: FakeSocket;
/** What clients had been sent at each commit. */
let commits: string[];

beforeEach(() => {
  net = netServer({ deaf: true });
  a = net.fake();
  b = net.fake();
  commits = [];
  const { engine } = net;
  engine.sinks.push({
    targets: Target.Aof,
    propagate() {
      engine.holdsReplies = true;
      engine.scheduleCommit();
    },
  });
  engine.commit = () => {
    engine.holdsReplies = false;
    commits.push(a.output + b.output);
  };
});

function feed(socket: FakeSocket, ...commands: (string | number)[][]): void {
  net.engine.reply.clear();
  net.engine.startTurn();
  socket.connection.feed(Uint8Array.from(Buffer.concat(commands.map(encodeCommand))));
}

describe("replies", () => {
  test("of several clients leave after one commit, each with one write", () => {
    feed(a, ["SET", "k", 1], ["INCR", "k"]);
    feed(b, ["GET", "k"]);
    expect(a.output + b.output).toBe("");
    net.server.endTurn();
    expect(commits).toEqual([""]);
    expect(a.output).toBe("+OK\r\n:2\r\n");
    expect(b.output).toBe("$1\r\n2\r\n");
    expect([a.writes, b.writes]).toEqual([1, 1]);
  });

  test("to what changes nothing leave at once, if nothing waits", () => {
    feed(b, ["GET", "k"]);
    expect(b.output).toBe("$-1\r\n");
    net.server.endTurn();
    expect(commits).toEqual([]);
  });

  test("do not slip out when a socket drains before the commit", () => {
    feed(a, ["SET", "k", "v".repeat(1000)]);
    net.server.endTurn();
    a.room = 100;
    feed(a, ["GET", "k"]);
    const before = a.output.length;
    feed(a, ["INCR", "n"]);
    a.room = Number.POSITIVE_INFINITY;
    a.connection.drained();
    expect(a.output.length, "nothing has left").toBe(before);
    net.server.endTurn();
    expect(a.output.endsWith("v\r\n:1\r\n")).toBe(true);
    expect(commits.length).toBe(2);
  });

  test("longer than the buffer that they share wait, too", () => {
    feed(a, ["SET", "k", "v".repeat(600_000)]);
    net.server.endTurn();
    feed(a, ["APPEND", "k", "w"], ...Array.from({ length: 5 }, () => ["GET", "k"]));
    expect(a.output).toBe("+OK\r\n");
    net.server.endTurn();
    expect(a.output.length).toBe(5 + ":600001\r\n".length + 5 * (600_001 + "$600001\r\n\r\n".length));
  });

  test("longer than a socket takes, behind short ones that had to wait", () => {
    feed(a, ["SET", "k", "v".repeat(5_000_000)], ["PING"]);
    net.server.endTurn();
    a.room = 1000;
    feed(a, ["GET", "k"]);
    a.drain();
    expect(a.output.length).toBe("+OK\r\n+PONG\r\n".length + "$5000000\r\n\r\n".length + 5_000_000);
  });

  test("of woken clients, and messages, wait for the change that caused them", () => {
    feed(b, ["BLPOP", "q", 0]);
    const c = net.fake();
    feed(c, ["SUBSCRIBE", "ch"]);
    net.server.endTurn();
    const subscribed = c.output;
    feed(a, ["RPUSH", "q", "x"], ["PUBLISH", "ch", "m"]);
    expect(a.output + b.output).toBe("");
    expect(c.output).toBe(subscribed);
    net.server.endTurn();
    expect(commits).toEqual([""]);
    expect(b.output).toBe("*2\r\n$1\r\nq\r\n$1\r\nx\r\n");
    expect(c.output).toContain("$1\r\nm\r\n");
  });

  test("of a client that says QUIT are sent before it is closed", () => {
    feed(a, ["SET", "k", 1], ["QUIT"]);
    expect(a.ended).toBe(false);
    net.server.endTurn();
    expect(a.output).toBe("+OK\r\n+OK\r\n");
    expect(a.ended).toBe(true);
  });

  test("a commit is asked for when nobody waits for a reply", async () => {
    const client = net.connect();
    client.send("SET", "k", 1, "PX", 5);
    await Bun.sleep(5);
    expect(commits.length).toBe(1);
  });
});
