// Limits of connections: how much output and input may wait, how long a client may be idle, how many there may be.

import { describe, expect, test } from "bun:test";
import { command as literal } from "../../src/engine/context.ts";
import type { CommandLiteral } from "../../src/engine/spec/spec.ts";
import { Flag } from "../../src/engine/spec/spec.ts";
import { encodeCommand } from "../support/client.ts";
import { type FakeSocket, type NetServer, netServer, type Settings } from "../support/net.ts";

const command = (...args: (string | number)[]): string => encodeCommand(args).toString("latin1");

const MIB = 1024 * 1024;

/** What queued output is allowed before it counts: the first buffer of a client. */
const FREE = 16 * 1024;

const withLimit = (limit: string, more: Settings = {}): NetServer =>
  netServer({ deaf: true, settings: { "client-output-buffer-limit": limit, ...more } });

function subscriber(server: NetServer): FakeSocket {
  const socket = server.fake();
  socket.receive(command("SUBSCRIBE", "ch"));
  return socket;
}

test("INFO tells the largest buffers of the last eight seconds", () => {
  const server = netServer({ deaf: true });
  const socket = server.fake();
  const other = server.fake();
  const peaks = (): number[] =>
    Array.from(other.receive(command("INFO", "clients")).matchAll(/recent_max_\w+_buffer:(\d+)/g), (m) => Number(m[1]));
  const value = "v".repeat(60_000);
  const request = command("SET", "k", value);
  socket.receive(request.slice(0, 50_000));
  server.pass(1000);
  socket.receive(request.slice(50_000));
  const [input] = peaks();
  expect(input).toBeGreaterThan(49_900);
  expect(input).toBeLessThan(51_000);
  socket.room = 0;
  socket.receive(command("GET", "k"));
  server.pass(1000);
  socket.room = Number.POSITIVE_INFINITY;
  socket.drain();
  expect(peaks()).toEqual([input, "$60000\r\n\r\n".length + value.length]);
  server.pass(6000);
  expect(peaks()[0]).toBe(input);
  server.pass(2000);
  expect(peaks()).toEqual([0, 0]);
  server.stop();
});

describe("output limits", () => {
  test("the hard limit closes a subscriber that does not read", () => {
    const server = withLimit("pubsub 100000 0 0");
    const slow = subscriber(server);
    const quick = subscriber(server);
    const publisher = server.fake();
    slow.room = 0;
    let queued = 0;
    for (let i = 0; i < 1000 && !slow.ended; i++) {
      queued = slow.connection.queuedReplyBytes();
      publisher.receive(command("PUBLISH", "ch", "m".repeat(1000)));
    }
    expect(slow.ended).toBeTrue();
    expect(queued).toBeGreaterThan(100_000 - 2000);
    expect(queued).toBeLessThan(100_000);
    expect(quick.ended).toBeFalse();
    expect(server.engine.stats.outputBufferLimitDisconnections).toBe(1);
    expect(publisher.receive(command("PUBLISH", "ch", "m"))).toBe(":1\r\n");
    server.stop();
  });

  test("a subscriber is closed at the end of the turn, not while a message goes round", () => {
    const server = withLimit("pubsub 1000 0 0");
    const sockets = Array.from({ length: 5 }, () => subscriber(server));
    for (const socket of sockets) socket.room = 0;
    const publisher = server.fake();
    const reply = publisher.receive(command("PUBLISH", "ch", "m".repeat(FREE + 1000)) + command("PUBLISH", "ch", "m"));
    expect(reply).toBe(":5\r\n:5\r\n");
    expect(sockets.every((socket) => socket.ended)).toBeTrue();
    expect(server.server.outputMemory).toBe(0);
    server.stop();
  });

  test("the soft limit waits for its time to pass, and starts again when there is less", () => {
    const server = withLimit("pubsub 0 10000 3");
    const slow = subscriber(server);
    const publisher = server.fake();
    slow.room = 0;
    const fill = (): string => publisher.receive(command("PUBLISH", "ch", "m".repeat(FREE + 20_000)));
    fill();
    server.pass(3000);
    expect(slow.ended).toBeFalse();
    slow.drain();
    slow.room = 0;
    server.pass(1000);
    fill();
    server.pass(3000);
    expect(slow.ended).toBeFalse();
    // Nothing is published any more: the cron finds it.
    server.pass(1000);
    expect(slow.ended).toBeTrue();
    expect(server.engine.stats.outputBufferLimitDisconnections).toBe(1);
    server.stop();
  });

  test("a reply past the hard limit is not sent at all", () => {
    const server = withLimit("normal 100000 0 0");
    const socket = server.fake();
    socket.receive(command("SET", "big", "x".repeat(10_000)));
    expect(socket.receive(command("GET", "big").repeat(5)).length).toBe(5 * 10_010);
    const before = socket.output.length;
    const script = `${command("SET", "a", 1)}${command("GET", "big").repeat(15)}${command("INCR", "a")}`;
    expect(socket.receive(script)).toBe("");
    expect(socket.output.length).toBe(before);
    expect(socket.ended).toBeTrue();
    // All of the pipeline was run.
    expect(server.fake().receive(command("GET", "a"))).toBe("$1\r\n2\r\n");
    server.stop();
  });

  test("a transaction runs to its end although its reply is past the limit", () => {
    const server = withLimit("normal 100000 0 0");
    const socket = server.fake();
    socket.receive(command("SET", "big", "x".repeat(80_000)));
    socket.receive(command("MULTI") + command("SET", "k", 1) + command("GET", "big").repeat(2) + command("INCR", "k"));
    expect(socket.receive(command("EXEC"))).toBe("");
    expect(socket.ended).toBeTrue();
    expect(server.fake().receive(command("GET", "k"))).toBe("$1\r\n2\r\n");
    server.stop();
  });

  const endless: CommandLiteral = literal({
    name: "endless",
    arity: 1,
    flags: Flag.Readonly,
    since: "0.0.0",
    group: "generic",
    summary: "Writes until nobody wants more.",
    complexity: "O(1)",
    syntax: "",
    run(cx) {
      let written = 0;
      while (!cx.reply.overflowed && written < 10 * MIB) {
        cx.reply.bulkText("x".repeat(1000));
        written += 1000;
      }
      cx.reply.integer(written);
    },
  });

  test("a reply without end is thrown away while it is written", () => {
    const server = netServer({
      deaf: true,
      commands: [endless],
      settings: { "client-output-buffer-limit": "normal 200000 0 0" },
    });
    const socket = server.fake();
    expect(socket.receive(command("ENDLESS"))).toBe("");
    expect(socket.ended).toBeTrue();
    expect(server.engine.reply.buf.length).toBeLessThan(MIB);
    expect(server.engine.stats.outputBufferLimitDisconnections).toBe(1);
    expect(server.fake().receive("PING\r\n")).toBe("+PONG\r\n");
    server.stop();
  });

  test("without a limit nothing is thrown away", () => {
    const server = netServer({ deaf: true, commands: [endless] });
    const socket = server.fake();
    expect(socket.receive(command("ENDLESS")).length).toBeGreaterThan(10 * MIB);
    expect(server.engine.reply.buf.length).toBeLessThan(MIB);
    server.stop();
  });

  test("a reply whose length was not known at first counts from its first byte on, as in Redis", () => {
    const server = withLimit("normal 20000 0 0");
    const socket = server.fake();
    for (let i = 0; i < 300; i++) socket.receive(command("SET", `key-${i}-${"x".repeat(60)}`, "v"));
    const keys = command("KEYS", "*");
    expect(socket.receive(command("ECHO", "x".repeat(22_000))).length).toBe(22_010);
    expect(socket.receive(keys)).toBe("");
    expect(socket.ended).toBeTrue();
    server.stop();
  });

  test("CONFIG SET changes the limits", () => {
    const server = netServer({ deaf: true });
    const socket = server.fake();
    const set = command("CONFIG", "SET", "client-output-buffer-limit", "normal 1000 0 0 pubsub 2000 0 0");
    expect(socket.receive(set)).toBe("+OK\r\n");
    expect(socket.receive(command("ECHO", "x".repeat(FREE + 1001)))).toBe("");
    expect(socket.ended).toBeTrue();
    server.stop();
  });

  test("before authentication little may wait", () => {
    const server = netServer({ deaf: true });
    const admin = server.fake();
    admin.receive(command("CONFIG", "SET", "requirepass", "secret"));
    const socket = server.fake();
    socket.room = 0;
    for (let i = 0; i < 10_000 && !socket.ended; i++) socket.receive(command("GET", "k").repeat(10));
    expect(socket.ended).toBeTrue();
    const fast = server.fake();
    fast.receive(command("AUTH", "secret"));
    fast.room = 0;
    for (let i = 0; i < 1000; i++) fast.receive(command("GET", "k").repeat(10));
    expect(fast.ended).toBeFalse();
    server.stop();
  });

  test("CLIENT LIST shows what waits", () => {
    const server = netServer({ deaf: true });
    const socket = server.fake();
    socket.receive(command("CLIENT", "SETNAME", "slow"));
    socket.room = 0;
    socket.receive(command("ECHO", "x".repeat(100)));
    const line = (): string =>
      /id=\d+ [^\n]*name=slow [^\n]*/.exec(server.fake().receive("client list\r\n"))?.[0] ?? "";
    expect(line()).toContain(" obl=108 oll=0 omem=0 ");
    socket.receive(command("ECHO", "x".repeat(50_000)));
    expect(line()).toContain(` obl=${FREE} oll=2 omem=${108 + 50_010 - FREE} `);
    socket.drain();
    expect(line()).toContain(" obl=0 oll=0 omem=0 ");
    server.stop();
  });
});

describe("input limits", () => {
  test("a command longer than client-query-buffer-limit closes its client", () => {
    const server = netServer({ deaf: true, settings: { "client-query-buffer-limit": "1mb" } });
    const socket = server.fake();
    socket.receive("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$2000000\r\n");
    for (let i = 0; i < 200 && !socket.ended; i++) socket.receive("x".repeat(10_000));
    expect(socket.ended).toBeTrue();
    expect(socket.output).toBe("");
    expect(server.engine.stats.queryBufferLimitDisconnections).toBe(1);
    expect(server.server.inputMemory).toBe(0);
    server.stop();
  });

  test("it does so too when the last piece makes the command complete", () => {
    const server = netServer({ deaf: true, settings: { "client-query-buffer-limit": "1mb" } });
    const socket = server.fake();
    const bytes = command("SET", "k", "x".repeat(MIB));
    socket.receive(bytes.slice(0, 1000));
    expect(socket.receive(bytes.slice(1000))).toBe("");
    expect(socket.ended).toBeTrue();
    expect(server.engine.stats.queryBufferLimitDisconnections).toBe(1);
    expect(server.fake().receive(command("EXISTS", "k"))).toBe(":0\r\n");
    server.stop();
  });

  test("queued commands of a transaction count", () => {
    const server = netServer({ deaf: true, settings: { "client-query-buffer-limit": "1mb" } });
    const socket = server.fake();
    socket.receive(command("MULTI"));
    for (let i = 0; i < 200 && !socket.ended; i++) socket.receive(command("SET", "k", "x".repeat(10_000)));
    expect(socket.ended).toBeTrue();
    expect(server.engine.stats.queryBufferLimitDisconnections).toBe(1);
    server.stop();
  });

  test("commands that are queued, blocked or postponed are memory in use until they run or their client goes", () => {
    const server = netServer({ deaf: true });
    const { memory } = server.engine;
    const other = server.fake();
    other.receive(command("SET", "w", 1) + command("RPUSH", "list", 1));
    const long = "x".repeat(100_000);
    const ways: [what: string, input: string[], end: (socket: FakeSocket) => void][] = [
      ["EXEC", ["MULTI", `ECHO ${long}`], (socket) => socket.receive(command("EXEC"))],
      ["DISCARD", ["MULTI", `ECHO ${long}`], (socket) => socket.receive(command("DISCARD"))],
      ["RESET", ["MULTI", `ECHO ${long}`], (socket) => socket.receive(command("RESET"))],
      ["a mistake", ["MULTI", `ECHO ${long}`], (socket) => socket.receive(command("GET"))],
      ["a watched key", ["WATCH w", "MULTI", `ECHO ${long}`], () => other.receive(command("INCR", "w"))],
      ["a client in MULTI goes", ["MULTI", `ECHO ${long}`], () => {}],
      ["a blocked client is served", [`BLPOP k ${long} 0`], () => other.receive(command("RPUSH", "k", 1))],
      [
        "a blocked client is looked at",
        [`BLMOVE k ${long} LEFT LEFT 0`],
        () => other.receive(command("RPUSH", "k", 1)),
      ],
      ["a blocked client goes", [`BLPOP k ${long} 0`], () => {}],
      ["a pause ends", ["CLIENT PAUSE 10000", `ECHO ${long}`], () => server.pass(10_001)],
      ["a paused client goes", ["CLIENT PAUSE 10000", `ECHO ${long}`], () => {}],
    ];
    for (const [what, input, end] of ways) {
      server.pass(20_000);
      const socket = server.fake();
      const before = memory.usedBytes;
      for (const line of input) socket.receive(command(...line.split(" ")));
      expect(memory.usedBytes - before, what).toBeGreaterThanOrEqual(100_000);
      expect(memory.heldRequestBytes, what).toBeLessThan(101_000);
      end(socket);
      socket.connection.close();
      expect(memory.heldRequestBytes, what).toBe(0);
      server.pass(20_000);
      other.receive(command("DEL", "k", long));
    }
    server.stop();
  });

  test("a long pipeline of short commands does not", () => {
    const server = netServer({ deaf: true, settings: { "client-query-buffer-limit": "1mb" } });
    const socket = server.fake();
    const output = socket.receive(command("PING").repeat(200_000));
    expect(output.length).toBe(7 * 200_000);
    expect(socket.ended).toBeFalse();
    server.stop();
  });

  test("input of a client that may not go on yet counts", () => {
    const server = netServer({ deaf: true, settings: { "client-query-buffer-limit": "1mb" } });
    server.fake().receive(command("CLIENT", "PAUSE", 100_000));
    const socket = server.fake();
    for (let i = 0; i < 200 && !socket.ended; i++) socket.receive(command("SET", "k", "x".repeat(10_000)));
    expect(socket.ended).toBeTrue();
    expect(server.engine.stats.queryBufferLimitDisconnections).toBe(1);
    server.stop();
  });

  test("the buffer of a command in pieces is kept for the next one and goes when the client is quiet", () => {
    const server = netServer({ deaf: true });
    const socket = server.fake();
    const total = (): number => socket.connection.inputBytes() + socket.connection.inputFreeBytes();
    expect(total()).toBe(0);
    socket.receive("*3\r\n$3\r\nset\r\n$2\r\na");
    expect([socket.connection.inputBytes(), total()]).toEqual([18, 16 * 1024]);
    expect(socket.receive("a\r\n$1\r\nb\r\n")).toBe("+OK\r\n");
    expect([socket.connection.inputBytes(), total()]).toEqual([0, 16 * 1024]);
    server.pass(1000);
    expect(total()).toBe(16 * 1024);
    server.pass(1500);
    expect(total()).toBe(0);
    server.stop();
  });

  test("a buffer that has become too large shrinks while the client is busy", () => {
    const server = netServer({ deaf: true });
    const socket = server.fake();
    const long = command("SET", "k", "x".repeat(400_000));
    socket.receive(long.slice(0, 1000));
    socket.receive(long.slice(1000));
    expect(server.server.inputMemory).toBeGreaterThan(400_000);
    for (let i = 0; i < 3; i++) {
      server.pass(500);
      const short = command("SET", "k", "x".repeat(100));
      socket.receive(short.slice(0, 50));
      socket.receive(short.slice(50));
    }
    expect(server.server.inputMemory).toBeLessThan(40_000);
    expect(server.server.inputMemory).toBeGreaterThan(0);
    server.stop();
  });

  test("what was announced and does not come is given back when the client is quiet", () => {
    const server = netServer({ deaf: true });
    const socket = server.fake();
    socket.receive("*3\r\n$3\r\nset\r\n$1\r\na\r\n$1000000\r\n");
    socket.receive("a");
    expect(server.server.inputMemory).toBeGreaterThan(1_000_000);
    server.pass(1000);
    expect(server.server.inputMemory).toBeGreaterThan(1_000_000);
    server.pass(2000);
    expect(server.server.inputMemory).toBeLessThan(1000);
    socket.receive("b".repeat(999_999));
    expect(socket.receive("\r\n")).toBe("+OK\r\n");
    expect(socket.receive(command("STRLEN", "a"))).toBe(":1000000\r\n");
    server.stop();
  });
});

describe("idle clients", () => {
  test("are closed after the time of the setting, unless they only listen", () => {
    const server = netServer({ deaf: true, settings: { timeout: "10" } });
    const idle = server.fake();
    const listening = subscriber(server);
    const busy = server.fake();
    idle.receive("PING\r\n");
    for (let second = 0; second < 10; second++) {
      server.pass(1000);
      busy.receive("PING\r\n");
    }
    expect(idle.ended).toBeFalse();
    server.pass(1000);
    expect(idle.ended).toBeTrue();
    expect([listening.ended, busy.ended]).toEqual([false, false]);
    server.stop();
  });

  test("stay when there is no such time", () => {
    const server = netServer({ deaf: true });
    const idle = server.fake();
    server.pass(100_000_000);
    expect(idle.ended).toBeFalse();
    server.stop();
  });

  test("the reply buffer that a client would have follows its replies", () => {
    const server = netServer({ deaf: true });
    const socket = server.fake();
    expect(socket.connection.replyBufferBytes()).toBe(FREE);
    for (let i = 0; i < 6; i++) server.pass(6000);
    expect(socket.connection.replyBufferBytes()).toBe(1024);
    for (let i = 0; i < 6; i++) {
      socket.receive(command("ECHO", "x".repeat(32_768)));
      server.server.cron();
    }
    expect(socket.connection.replyBufferBytes()).toBe(FREE);
    server.stop();
  });
});

describe("the number of clients", () => {
  test("is limited: one more is told so and closed", async () => {
    const server = netServer({ settings: { maxclients: "3" } });
    const clients = [];
    for (let i = 0; i < 3; i++) {
      clients.push(await server.dial());
      expect(await clients[i].call("PING")).toBe("PONG");
    }
    const refused = await server.dial();
    expect(await refused.readToEnd()).toBe("-ERR max number of clients reached\r\n");
    expect(server.engine.stats.rejectedConnections).toBe(1);
    clients[0].close();
    while (server.engine.clients.size > 2) await new Promise((resolve) => setImmediate(resolve));
    const next = await server.dial();
    expect(await next.call("PING")).toBe("PONG");
    expect(await next.call("CONFIG", "SET", "maxclients", 2)).toBe("OK");
    expect(await next.call("PING")).toBe("PONG");
    for (const client of [...clients, next]) client.close();
    server.stop();
  });

  test("cannot be set beyond what the system grants", async () => {
    const server = netServer();
    const client = await server.dial();
    const reply = String(JSON.stringify(await client.call("CONFIG", "SET", "maxclients", 4_000_000_000)));
    expect(reply).toMatch(
      /^\{"message":"ERR CONFIG SET failed \(possibly related to argument 'maxclients'\) - The operating system is not able to handle the specified number of clients, try with \d+"\}$/,
    );
    expect(await client.call("CONFIG", "GET", "maxclients")).toEqual(["maxclients", "10000"]);
    client.close();
    server.stop();
  });
});
