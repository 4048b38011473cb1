// A connection over a socket of the test's own: pipelines cut at every byte, short writes, held-back input, and closing.

import { afterAll, describe, expect, test } from "bun:test";
import type { Logger } from "../../src/base/log.ts";
import type { Prng } from "../../src/base/prng.ts";
import { seededTest } from "../base/seeded.ts";
import { encodeCommand } from "../support/client.ts";
import { type FakeSocket, netServer } from "../support/net.ts";

const command = (...args: (string | number)[]): string => encodeCommand(args).toString("latin1");

/** Most kinds of commands and replies, over both protocols, with mistakes in between. */
const SCRIPT = [
  command("SET", "k", "v"),
  "PING\r\n",
  command("GET", "k"),
  "get   'k'\r\n",
  command("NOSUCH", "a"),
  command("GET"),
  "\r\n",
  "*0\r\n",
  "*-5\r\n",
  command("SET", "long", "x".repeat(300)),
  command("GET", "long"),
  command("INCR", "n"),
  command("INCR", "k"),
  command("MULTI"),
  command("INCR", "n"),
  "incr n\r\n",
  command("GET", "missing"),
  command("EXEC"),
  command("HELLO", 3),
  command("GET", "missing"),
  command("MGET", "k", "n", "missing"),
  command("HELLO", 2),
  command("SET", "", ""),
  command("GET", ""),
  command("SET", "a\r\nb\0", "\xff\xfe"),
  command("GET", "a\r\nb\0"),
  command("ECHO", "last"),
].join("");

const shared = netServer({ deaf: true });
afterAll(() => shared.stop());

/** What a new connection to an empty server gets. */
function play(pieces: readonly string[]): string {
  const socket = shared.fake();
  socket.receive(command("FLUSHALL"));
  for (const piece of pieces) socket.receive(piece);
  socket.connection.close();
  return normal(socket.output.slice("+OK\r\n".length));
}

/** The id in HELLO's reply does not matter. */
function normal(output: string): string {
  return output.replace(/(\$2\r\nid\r\n):\d+/g, "$1:0");
}

describe("a pipeline cut in two", () => {
  const expected = play([SCRIPT]);

  test("gives all replies when it comes whole", () => {
    expect(expected).toStartWith("+OK\r\n+PONG\r\n$1\r\nv\r\n$1\r\nv\r\n-ERR unknown command 'NOSUCH'");
    expect(expected).toContain("+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*3\r\n:2\r\n:3\r\n$-1\r\n");
    expect(expected).toContain("_\r\n*3\r\n$1\r\nv\r\n$1\r\n3\r\n_\r\n");
    expect(expected).toEndWith("+OK\r\n$0\r\n\r\n+OK\r\n$2\r\n\xff\xfe\r\n$4\r\nlast\r\n");
  });

  test("gives the same wherever it is cut", () => {
    for (let cut = 1; cut < SCRIPT.length; cut++) {
      const got = play([SCRIPT.slice(0, cut), SCRIPT.slice(cut)]);
      if (got !== expected) throw new Error(`cut at ${cut}: ${JSON.stringify(got)}`);
    }
  });

  test("gives the same byte by byte", () => {
    expect(play([...SCRIPT])).toBe(expected);
  });

  seededTest("gives the same in random pieces", (random) => {
    for (let round = 0; round < 100; round++) expect(play(randomPieces(random, SCRIPT))).toBe(expected);
  });
});

function randomPieces(random: Prng, script: string): string[] {
  const pieces: string[] = [];
  for (let at = 0; at < script.length; ) {
    const size = 1 + random.below(random.below(3) === 0 ? 400 : 20);
    pieces.push(script.slice(at, at + size));
    at += size;
  }
  return pieces;
}

describe("look-ahead", () => {
  test("inline commands in a pipeline are told apart", () => {
    const server = netServer({ deaf: true });
    expect(server.fake().receive("set a 1\r\nget a\r\nget a\r\nincr a\r\nget a\r\n")).toBe(
      "+OK\r\n$1\r\n1\r\n$1\r\n1\r\n:2\r\n$1\r\n2\r\n",
    );
    const mixed = `set a 1\r\n${command("GET", "a")}${command("INCR", "a")}get a\r\n${command("GET", "a")}`;
    expect(server.fake().receive(mixed)).toBe("+OK\r\n$1\r\n1\r\n:2\r\n$1\r\n2\r\n$1\r\n2\r\n");
    server.stop();
  });

  test("a pipeline longer than the look-ahead", () => {
    const server = netServer({ deaf: true });
    const socket = server.fake();
    const output = socket.receive(command("INCR", "n").repeat(1000));
    expect(output).toBe(Array.from({ length: 1000 }, (_, i) => `:${i + 1}\r\n`).join(""));
    expect(socket.writes).toBe(1);
    server.stop();
  });

  test("nothing after QUIT is run", () => {
    const server = netServer({ deaf: true });
    const socket = server.fake();
    expect(socket.receive(command("SET", "a", 1) + command("QUIT") + command("SET", "a", 2).repeat(100))).toBe(
      "+OK\r\n+OK\r\n",
    );
    expect(socket.ended).toBeTrue();
    expect(server.fake().receive(command("GET", "a"))).toBe("$1\r\n1\r\n");
    server.stop();
  });

  test("commands before a protocol error are run, those behind it are not", () => {
    const server = netServer({ deaf: true });
    const socket = server.fake();
    expect(socket.receive(`${command("SET", "a", 1)}*1\r\n$x\r\n${command("SET", "a", 2)}`)).toBe(
      "+OK\r\n-ERR Protocol error: invalid bulk length\r\n",
    );
    expect(socket.ended).toBeTrue();
    expect(server.fake().receive(command("GET", "a"))).toBe("$1\r\n1\r\n");
    server.stop();
  });
});

describe("a slow reader", () => {
  const replies = (count: number): string => Array.from({ length: count }, (_, i) => `:${i + 1}\r\n`).join("");

  test("gets everything in order, however little it takes at a time", () => {
    const server = netServer({ deaf: true });
    for (const room of [0, 1, 2, 3, 10, 1000]) {
      const socket = server.fake();
      socket.receive(command("DEL", "n"));
      socket.room = room;
      socket.receive(command("INCR", "n").repeat(50));
      socket.receive(command("INCR", "n").repeat(50));
      for (let i = 0; i < 1000 && socket.connection.pendingOutput() > 0; i++) socket.drain(room + 1);
      expect(socket.output.replace(/^:[01]\r\n/, "")).toBe(replies(100));
      expect(socket.connection.memoryBytes()).toBeLessThanOrEqual(1024);
    }
    server.stop();
  });

  test("does not cost a system call for each reply while its socket is full", () => {
    const server = netServer({ deaf: true });
    const socket = server.fake();
    socket.room = 0;
    for (let i = 0; i < 100; i++) socket.receive(command("PING"));
    expect(socket.writes).toBe(1);
    socket.drain();
    expect(socket.output).toBe("+PONG\r\n".repeat(100));
    server.stop();
  });

  test("gets a long value without its being copied twice", () => {
    const server = netServer({ deaf: true });
    const socket = server.fake();
    const value = "0123456789".repeat(600_000);
    socket.receive(command("SET", "long", value));
    socket.room = 1_000_000;
    socket.receive(command("GET", "long"));
    expect(socket.connection.pendingOutput()).toBe(value.length + 12 - 1_000_000);
    expect(server.server.outputMemory).toBeLessThan(value.length * 2);
    while (socket.connection.pendingOutput() > 0) socket.drain(700_000);
    expect(socket.output.slice(5)).toBe(`$${value.length}\r\n${value}\r\n`);
    expect(server.server.outputMemory).toBe(0);
    server.stop();
  });

  test("closing waits until everything is sent", () => {
    const server = netServer({ deaf: true });
    const socket = server.fake();
    socket.room = 3;
    socket.receive(command("PING") + command("QUIT"));
    expect(socket.ended).toBeFalse();
    socket.drain(5);
    expect(socket.ended).toBeFalse();
    socket.drain();
    expect(socket.output).toBe("+PONG\r\n+OK\r\n");
    expect(socket.ended).toBeTrue();
    server.stop();
  });

  test("a peer that stops sending still gets what it asked for", () => {
    const server = netServer({ deaf: true });
    const socket = server.fake();
    socket.room = 3;
    socket.receive(command("PING"));
    socket.connection.peerEnded();
    expect(socket.ended).toBeFalse();
    socket.drain();
    expect(socket.output).toBe("+PONG\r\n");
    expect(socket.ended).toBeTrue();
    const idle = server.fake();
    idle.connection.peerEnded();
    expect(idle.ended).toBeTrue();
    expect(server.engine.clients.size).toBe(0);
    server.stop();
  });
});

describe("held-back input", () => {
  test("a postponed command and those behind it run in order when the pause ends", () => {
    const server = netServer({ deaf: true });
    const admin = server.fake();
    const socket = server.fake();
    admin.receive(command("CLIENT", "PAUSE", 1000));
    expect(socket.receive(command("SET", "a", 1) + command("INCR", "a") + command("GET", "a"))).toBe("");
    expect(socket.receive(command("INCR", "a"))).toBe("");
    for (const byte of command("GET", "a")) socket.receive(byte);
    server.pass(1001);
    expect(socket.output).toBe("+OK\r\n:2\r\n$1\r\n2\r\n:3\r\n$1\r\n3\r\n");
    server.stop();
  });

  test("a lone postponed command is answered when the pause ends", () => {
    const server = netServer({ deaf: true });
    const admin = server.fake();
    const socket = server.fake();
    admin.receive(command("CLIENT", "PAUSE", 1000, "WRITE"));
    expect(socket.receive(command("SET", "a", 1))).toBe("");
    admin.receive(command("CLIENT", "UNPAUSE"));
    expect(socket.output).toBe("+OK\r\n");
    server.stop();
  });

  test("reading stops when a lot is held, and goes on afterwards", () => {
    const server = netServer({ deaf: true });
    const admin = server.fake();
    const socket = server.fake();
    admin.receive(command("CLIENT", "PAUSE", 100_000, "WRITE"));
    const piece = command("INCR", "n").repeat(2000);
    let pieces = 0;
    while (!socket.paused) {
      socket.receive(piece);
      pieces++;
      expect(server.server.inputMemory).toBeLessThan(1024 * 1024 + piece.length + 1);
    }
    admin.receive(command("CLIENT", "UNPAUSE"));
    expect(socket.paused).toBeFalse();
    expect(socket.output).toEndWith(`:${pieces * 2000}\r\n`);
    expect(server.server.inputMemory).toBe(0);
    server.stop();
  });

  test("now and then a client whose reading stopped is looked at, so that its end is noticed", () => {
    const server = netServer({ deaf: true });
    const admin = server.fake();
    const socket = server.fake();
    admin.receive(command("CLIENT", "PAUSE", 100_000, "WRITE"));
    const piece = command("INCR", "n").repeat(5000);
    while (!socket.paused) socket.receive(piece);
    server.pass(1000);
    expect(socket.paused).toBeFalse();
    socket.receive(piece);
    expect(socket.paused).toBeTrue();
    server.stop();
  });

  test("a client that goes away while it is paused leaves nothing behind", () => {
    const server = netServer({ deaf: true });
    const admin = server.fake();
    const socket = server.fake();
    admin.receive(command("CLIENT", "PAUSE", 1000));
    socket.receive(command("INCR", "n").repeat(10));
    socket.connection.peerEnded();
    expect(socket.ended).toBeTrue();
    expect(server.server.inputMemory).toBe(0);
    server.pass(1001);
    expect(socket.output).toBe("");
    expect(admin.receive(command("GET", "n"))).toBe("$-1\r\n");
    server.stop();
  });
});

describe("closing", () => {
  test("forgets a client once, whichever way it goes", () => {
    const server = netServer({ deaf: true });
    const ways: ((socket: FakeSocket) => void)[] = [
      (socket) => socket.connection.close(),
      (socket) => socket.connection.closed(),
      (socket) => socket.end(),
      (socket) => socket.receive(command("QUIT")),
      (socket) => socket.receive("*x\r\n"),
      (socket) => socket.connection.peerEnded(),
    ];
    for (const way of ways) {
      const socket = server.fake();
      way(socket);
      socket.connection.close();
      socket.connection.closed();
      expect(server.engine.clients.size).toBe(0);
    }
    server.stop();
  });

  test("input after the end is ignored", () => {
    const server = netServer({ deaf: true });
    const socket = server.fake();
    socket.connection.close();
    expect(socket.receive(command("SET", "a", 1))).toBe("");
    expect(server.fake().receive(command("GET", "a"))).toBe("$-1\r\n");
    server.stop();
  });

  test("a web page's request ends with its client, before what is in its body is run, and the log tells once a minute", () => {
    const server = netServer({ deaf: true });
    const lines: string[] = [];
    server.engine.log = { warning: (text: string) => lines.push(text), writes: () => false } as unknown as Logger;
    const body = "Content-Length: 20\r\n\r\nSET stolen 1\r\n";
    for (const request of [`GET / HTTP/1.1\r\nHost: a\r\n${body}`, `post / HTTP/1.1\r\n${body}`, command("Post")]) {
      const socket = server.fake();
      expect(socket.receive(request)).toBe("");
      expect(socket.ended).toBeTrue();
    }
    expect(server.fake().receive(command("EXISTS", "stolen"))).toBe(":0\r\n");
    expect(server.engine.clients.size).toBe(1);
    expect(lines.filter((line) => line.includes("Connection from 127.0.0.1:1234 aborted."))).toHaveLength(1);
    server.pass(61_000);
    server.fake().receive(command("Host:"));
    expect(lines.filter((line) => line.startsWith("Possible SECURITY ATTACK"))).toHaveLength(2);
    server.stop();
  });
});
