// The same over real sockets: pieces that really arrive apart, values of 100 MB, half-closed connections, slow readers.

import { afterAll, describe, expect, test } from "bun:test";
import { encodeCommand, RespClient } from "../support/client.ts";
import { type NetServer, netServer } from "../support/net.ts";

const command = (...args: (string | number)[]): string => encodeCommand(args).toString("latin1");

const server = netServer();
afterAll(() => server.stop());

/** Waits until the server has read so many bytes more than `before`. */
async function arrived(on: NetServer, before: number, bytes: number): Promise<void> {
  while (on.engine.stats.netInputBytes < before + bytes) await new Promise((resolve) => setImmediate(resolve));
}

const SCRIPT = [
  command("SET", "k", "v"),
  "PING\r\n",
  command("NOSUCH"),
  "get 'k'\r\n",
  "\r\n*0\r\n",
  command("SET", "long", "x".repeat(100)),
  command("GET", "long"),
  command("MULTI"),
  command("GET", "k"),
  command("EXEC"),
  command("ECHO", "a\r\nb\0"),
].join("");

test("a pipeline cut at every byte, its halves arriving apart", async () => {
  const whole = await server.dial();
  whole.write(SCRIPT + command("QUIT"));
  const expected = await whole.readToEnd();
  expect(expected).toStartWith("+OK\r\n+PONG\r\n-ERR unknown command");
  for (let cut = 1; cut < SCRIPT.length; cut++) {
    const client = await server.dial();
    const before = server.engine.stats.netInputBytes;
    client.write(SCRIPT.slice(0, cut));
    await arrived(server, before, cut);
    client.write(SCRIPT.slice(cut) + command("QUIT"));
    const got = await client.readToEnd();
    if (got !== expected) throw new Error(`cut at ${cut}: ${JSON.stringify(got)}`);
  }
  expect(server.engine.clients.size).toBe(0);
});

describe("long values", () => {
  const MIB = 1024 * 1024;

  test("100 MB there and back", async () => {
    const value = Buffer.alloc(100 * MIB);
    for (let i = 0; i < value.length; i += 4) value.writeUInt32LE(Math.imul(i, 2654435761) >>> 0, i);
    const client = await server.dial();
    expect(await client.call("SET", "giant", value)).toBe("OK");
    client.write(command("STRLEN", "giant"));
    expect(await client.readLine()).toBe(`:${value.length}`);
    // Read with a socket of our own: the test client joins what it has received again and again.
    let received = 0;
    let same = true;
    const header = `$${value.length}\r\n`;
    const done = Promise.withResolvers<void>();
    const reader = await Bun.connect({
      hostname: "127.0.0.1",
      port: server.port,
      socket: {
        data(_socket, chunk) {
          const from = received - header.length;
          const body = from < 0 ? chunk.subarray(-from) : chunk;
          const at = Math.max(0, from);
          const length = Math.min(body.length, value.length - at);
          if (body.subarray(0, length).compare(value.subarray(at, at + length)) !== 0) same = false;
          received += chunk.length;
          if (received >= header.length + value.length + 2) done.resolve();
        },
        close: () => done.resolve(),
      },
    });
    reader.write(command("GET", "giant"));
    await done.promise;
    expect(received).toBe(header.length + value.length + 2);
    expect(same).toBeTrue();
    reader.end();
    expect(await client.call("DEL", "giant")).toBe(1);
    client.close();
  }, 30_000);

  test("just as long as proto-max-bulk-len allows, and one byte more", async () => {
    const client = await server.dial();
    expect(await client.call("CONFIG", "SET", "proto-max-bulk-len", "1mb")).toBe("OK");
    expect(await client.call("SET", "k", "x".repeat(MIB))).toBe("OK");
    expect(await client.call("STRLEN", "k")).toBe(MIB);
    client.write(`*2\r\n$4\r\nECHO\r\n$${MIB + 1}\r\n`);
    expect(await client.readToEnd()).toBe("-ERR Protocol error: invalid bulk length\r\n");
    const other = await server.dial();
    expect(await other.call("CONFIG", "SET", "proto-max-bulk-len", "512mb")).toBe("OK");
    other.close();
  });

  test("many of a middling size, one after another, leave no memory behind", async () => {
    const client = await server.dial();
    for (let i = 0; i < 20; i++) expect(await client.call("SET", "k", "y".repeat(700_000 + i))).toBe("OK");
    expect(server.server.inputMemory).toBeLessThan(2 * MIB);
    server.pass(3000);
    expect(server.server.inputMemory).toBe(0);
    expect(await client.call("STRLEN", "k")).toBe(700_019);
    client.close();
  });
});

describe("ends of connections", () => {
  test("a client that shuts its sending side down gets its replies", async () => {
    const client = await server.dial();
    client.write(command("SET", "half", "x".repeat(3_000_000)) + command("GET", "half"));
    client.endSending();
    const output = await client.readToEnd();
    expect(output.length).toBe(5 + 10 + 3_000_000 + 2);
  });

  test("a client that goes away in the middle of a command, or of a reply, is forgotten", async () => {
    const first = await server.dial();
    const before = server.engine.stats.netInputBytes;
    const opening = "*2\r\n$3\r\nGET\r\n$1000000\r\nabc";
    first.write(opening);
    await arrived(server, before, opening.length);
    expect(server.server.inputMemory).toBeGreaterThan(1_000_000);
    first.close();
    const second = await server.dial();
    second.pauseReading(true);
    second.write(command("GET", "half").repeat(20));
    while (server.server.outputMemory === 0) await new Promise((resolve) => setImmediate(resolve));
    second.close();
    while (server.engine.clients.size > 0) await new Promise((resolve) => setImmediate(resolve));
    expect(server.server.outputMemory).toBe(0);
    expect(server.server.inputMemory).toBe(0);
  });

  test("a slow reader gets everything in order", async () => {
    const client = await server.dial();
    client.pauseReading(true);
    const count = 40;
    let script = "";
    for (let i = 0; i < count; i++) script += command("ECHO", `${i}-${"z".repeat(250_000)}`);
    client.write(script);
    while (server.server.outputMemory === 0) await new Promise((resolve) => setImmediate(resolve));
    client.pauseReading(false);
    for (let i = 0; i < count; i++) expect(await client.readReply()).toBe(`${i}-${"z".repeat(250_000)}`);
    expect(server.server.outputMemory).toBeLessThanOrEqual(1024);
    client.close();
  }, 20_000);

  test("replies to a subscriber and messages of others keep their order while it reads slowly", async () => {
    const subscriber = await server.dial();
    await subscriber.call("SUBSCRIBE", "news");
    subscriber.pauseReading(true);
    const publisher = await server.dial();
    const count = 3000;
    let script = "";
    for (let i = 0; i < count; i++) script += command("PUBLISH", "news", `${i} ${"m".repeat(3000)}`);
    publisher.write(script);
    for (let i = 0; i < count; i++) expect(await publisher.readLine()).toBe(":1");
    subscriber.pauseReading(false);
    for (let i = 0; i < count; i++) {
      expect(await subscriber.readReply()).toEqual(["message", "news", `${i} ${"m".repeat(3000)}`]);
    }
    subscriber.close();
    publisher.close();
  }, 20_000);
});

test("many connections at once", async () => {
  const clients = await Promise.all(Array.from({ length: 500 }, () => server.dial()));
  const replies = await Promise.all(clients.map((client, i) => client.call("ECHO", i)));
  expect(replies).toEqual(clients.map((_, i) => String(i)));
  expect(server.engine.clients.size).toBeGreaterThanOrEqual(500);
  for (const client of clients) client.close();
  while (server.engine.clients.size > 0) await new Promise((resolve) => setImmediate(resolve));
});

test("numbers of bytes and of calls are counted", async () => {
  const other = netServer();
  const client = await RespClient.connect({ port: other.port });
  await client.call("PING");
  const { stats, clients } = other.engine;
  expect([stats.netInputBytes, stats.netOutputBytes]).toEqual([command("PING").length, 7]);
  expect([stats.readsProcessed, stats.writesProcessed]).toEqual([1, 1]);
  const [only] = clients.values();
  expect([only.netIn, only.netOut]).toEqual([command("PING").length, 7]);
  client.close();
  other.stop();
});
