// Hostile bytes: random ones, valid frames with mistakes, frames cut short, giant announcements, any command with any arguments. The server must neither
// fail nor collect memory, and must answer the next client.

import { afterAll, describe, expect } from "bun:test";
import type { Prng } from "../../src/base/prng.ts";
import { randomText, seededTest } from "../base/seeded.ts";
import { encodeCommand } from "../support/client.ts";
import { type FakeSocket, type NetServer, netServer } from "../support/net.ts";

const MIB = 1024 * 1024;
const command = (...args: (string | number)[]): string => encodeCommand(args).toString("latin1");

/** Bytes that mean something to a reader. */
const PROTOCOL_BYTES = "\r\n*$:+-0123456789 \"'\\x\0abcGETSET\xff";

const FRAMES = [
  command("SET", "k", "v"),
  command("GET", "k"),
  command("PING"),
  "PING\r\n",
  "SET \"a b\" 'c d'\r\n",
  command("MSET", "a", "1", "b", "2"),
  command("MULTI"),
  command("EXEC"),
  command("HELLO", 3),
  command("SUBSCRIBE", "ch"),
  command("PUBLISH", "ch", "m"),
  command("CLIENT", "REPLY", "OFF"),
  command("AUTH", "x", "y"),
  command("SET", "long", "z".repeat(40_000)),
];

const GIANTS = [
  "*2147483647\r\n",
  "*1000000\r\n$1\r\na\r\n",
  "*1\r\n$536870912\r\n",
  "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$536870911\r\nab",
  "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1048577\r\nab",
  "*-1\r\n*-2147483648\r\n",
];

function randomBytes(random: Prng): string {
  if (random.below(2) === 0) return randomText(random, PROTOCOL_BYTES, 300);
  let text = "";
  for (let left = random.below(300); left > 0; left--) text += String.fromCharCode(random.below(256));
  return text;
}

function mutatedFrames(random: Prng): string {
  let text = "";
  for (let left = 1 + random.below(6); left > 0; left--) text += FRAMES[random.below(FRAMES.length)];
  for (let left = random.below(4); left > 0; left--) {
    const at = random.below(text.length + 1);
    const noise = randomText(random, PROTOCOL_BYTES, 3);
    text = text.slice(0, at) + noise + text.slice(at + random.below(4));
  }
  return random.below(3) === 0 ? text.slice(0, random.below(text.length + 1)) : text;
}

function hostile(random: Prng): string {
  const kind = random.below(10);
  if (kind < 4) return randomBytes(random);
  return kind < 9 ? mutatedFrames(random) : GIANTS[random.below(GIANTS.length)];
}

/** Sends a text in random pieces. */
function feed(random: Prng, socket: FakeSocket, text: string): void {
  for (let at = 0; at < text.length && !socket.ended; ) {
    const size = 1 + random.below(random.below(2) === 0 ? 5 : 5000);
    socket.receive(text.slice(at, at + size));
    at += size;
  }
}

function expectHealthy(server: NetServer): void {
  const probe = server.fake();
  expect(probe.receive("PING\r\n")).toBe("+PONG\r\n");
  probe.connection.close();
}

/** Closes every connection; then nothing may be left of them. */
function expectNothingLeft(server: NetServer): void {
  for (const client of [...server.engine.clients.values()]) client.link.close();
  expect(server.server.inputMemory).toBe(0);
  expect(server.server.outputMemory).toBe(0);
  expect(server.engine.clients.size).toBe(0);
}

describe("hostile bytes", () => {
  const server = netServer({ deaf: true });
  afterAll(() => server.stop());

  seededTest("on many connections", (random) => {
    const sockets: FakeSocket[] = [];
    for (let round = 0; round < 3000; round++) {
      const old = random.below(3) > 0 && sockets.length > 0;
      const socket = old ? sockets[random.below(sockets.length)] : server.fake();
      if (!old) sockets.push(socket);
      if (random.below(10) === 0) socket.room = random.below(100);
      feed(random, socket, hostile(random));
      if (random.below(5) === 0 && !socket.ended) socket.drain(random.below(2) === 0 ? 50 : undefined);
      if (random.below(20) === 0) socket.connection.peerEnded();
      if (sockets.length > 50) for (const gone of sockets.splice(0, 25)) gone.connection.close();
      if (round % 100 === 0) expectHealthy(server);
      // 50 connections: of what was announced at most 1 MiB is reserved, beside what was sent.
      expect(server.server.inputMemory).toBeLessThan(50 * 2 * MIB);
    }
    expectHealthy(server);
    expectNothingLeft(server);
  });

  seededTest("any command with any arguments", (random) => {
    const ends = new Set(["shutdown", "debug", "monitor", "quit", "config|set", "client|pause", "client|kill"]);
    const names: string[][] = [];
    for (const spec of server.engine.commands.all()) {
      if (ends.has(spec.name)) continue;
      if (spec.subcommands === null) names.push([spec.name]);
      else for (const sub of spec.subcommands.values()) if (!ends.has(sub.fullName)) names.push([spec.name, sub.name]);
    }
    expect(names.length).toBeGreaterThan(100);
    const words = [
      "k",
      "a",
      "b",
      "0",
      "1",
      "-1",
      "3",
      "10",
      "nx",
      "EX",
      "GET",
      "*",
      "",
      "9223372036854775807",
      "1.5",
      "\xff\0",
    ];
    let socket = server.fake();
    for (let round = 0; round < 5000; round++) {
      if (socket.ended || random.below(200) === 0) {
        socket.connection.close();
        socket = server.fake();
      }
      const args = Array.from({ length: random.below(6) }, () => words[random.below(words.length)]);
      const line = [...names[random.below(names.length)], ...args];
      try {
        socket.receive(command(...line));
      } catch (error) {
        throw new Error(`${JSON.stringify(line)}: ${error instanceof Error ? (error.stack ?? error.message) : error}`);
      }
      if (round % 1000 === 999) expectHealthy(server);
    }
    expectNothingLeft(server);
  });
});

seededTest("hostile bytes over real sockets", async (random) => {
  const server = netServer();
  for (let round = 0; round < 150; round++) {
    const client = await server.dial();
    client.write(hostile(random) + hostile(random));
    // Most of them are in the middle of something, or closed by now.
    if (random.below(2) === 0) client.endSending();
    else client.close();
  }
  const probe = await server.dial();
  expect(await probe.call("PING")).toBe("PONG");
  probe.close();
  while (server.engine.clients.size > 0) await new Promise((resolve) => setImmediate(resolve));
  expect(server.server.inputMemory).toBe(0);
  server.stop();
});
