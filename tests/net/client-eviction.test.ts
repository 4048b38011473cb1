// maxmemory-clients: which clients go, when, and what their memory is made of.

import { describe, expect, test } from "bun:test";
import { encodeCommand } from "../support/client.ts";
import { type FakeSocket, type NetServer, netServer, type Settings } from "../support/net.ts";

const command = (...args: (string | number)[]): string => encodeCommand(args).toString("latin1");

const KIB = 1024;
const MIB = 1024 * KIB;

function limited(limit: string, more: Settings = {}): NetServer {
  const server = netServer({ deaf: true, settings: more });
  const socket = server.fake();
  expect(socket.receive(command("CONFIG", "SET", "maxmemory-clients", limit))).toBe("+OK\r\n");
  socket.end();
  return server;
}

/** A client that has sent all but the end of a command of `bytes` bytes. */
function holder(server: NetServer, bytes: number): FakeSocket {
  const socket = server.fake();
  socket.receive(`*1\r\n$${bytes}\r\n${"v".repeat(bytes - 1)}`);
  return socket;
}

/** A field of a client's line in CLIENT LIST, seen by another client. */
function field(socket: FakeSocket, observer: FakeSocket, name: string): number {
  const line = observer.receive(command("CLIENT", "LIST", "ID", socket.connection.client.id));
  return Number(new RegExp(` ${name}=(\\d+)`).exec(line)?.[1]);
}

describe("a client goes whose", () => {
  const cases: [string, (server: NetServer, socket: FakeSocket) => void][] = [
    ["command in pieces is too long", (_, socket) => socket.receive(`*1\r\n$${MIB}\r\n${"v".repeat(300 * KIB)}`)],
    [
      "transaction is too long",
      (_, socket) => {
        socket.receive(command("MULTI"));
        for (let i = 0; i < 20 && !socket.ended; i++) socket.receive(command("SET", "k", "v".repeat(20 * KIB)));
      },
    ],
    [
      "watched keys are too many",
      (_, socket) => {
        for (let i = 0; i < 10_000 && !socket.ended; i++) socket.receive(command("WATCH", i));
      },
    ],
    ...["SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE"].map((name): [string, (s: NetServer, f: FakeSocket) => void] => [
      `channels are too many (${name})`,
      (_, socket) => {
        for (let i = 0; i < 10_000 && !socket.ended; i++) socket.receive(command(name, i));
      },
    ]),
    [
      "replies wait",
      (_, socket) => {
        socket.room = 0;
        for (let i = 0; i < 20 && !socket.ended; i++) socket.receive(command("ECHO", "v".repeat(20 * KIB)));
      },
    ],
    [
      "messages wait",
      (server, socket) => {
        socket.receive(command("SUBSCRIBE", "ch"));
        socket.room = 0;
        const publisher = server.fake();
        for (let i = 0; i < 20 && !socket.ended; i++) publisher.receive(command("PUBLISH", "ch", "v".repeat(20 * KIB)));
        expect(publisher.ended).toBeFalse();
      },
    ],
    [
      "blocking command is too long",
      (_, socket) => socket.receive(command("BLPOP", ...Array.from({ length: 300 }, (_, i) => `${i}`.repeat(400)), 0)),
    ],
  ];
  for (const [name, act] of cases) {
    test(name, () => {
      const server = limited("200000");
      const other = server.fake();
      const socket = server.fake();
      act(server, socket);
      expect(socket.ended).toBeTrue();
      expect(other.ended).toBeFalse();
      expect(server.engine.stats.evictedClients).toBe(1);
      expect(other.receive(command("CLIENT", "LIST")).match(/id=/g)).toHaveLength(server.engine.clients.size);
      server.stop();
    });
  }
});

test("the largest clients go first, and no more than must", () => {
  const server = limited("0");
  const control = server.fake();
  control.receive(command("CLIENT", "NO-EVICT", "on"));
  const sizes = [128 * KIB, 600 * KIB, 3 * MIB];
  const sockets = sizes.flatMap((size) => [holder(server, size), holder(server, size), holder(server, size)]);
  const bytes = sockets.map((socket) => field(socket, control, "tot-mem"));
  const alive = (): boolean[] => sockets.map((socket) => !socket.ended);
  let total = bytes.reduce((sum, n) => sum + n, 0) + field(control, control, "tot-mem");
  for (let left = sockets.length; left > 0; left -= 3) {
    total -= 3 * bytes[left - 1];
    control.receive(command("CONFIG", "SET", "maxmemory-clients", total + 100));
    expect(alive()).toEqual(sockets.map((_, i) => i < left - 3));
  }
  server.stop();
});

test("half of the clients go when half of the memory must", () => {
  const server = limited("0");
  const control = server.fake();
  control.receive(command("CLIENT", "NO-EVICT", "on"));
  const sockets = Array.from({ length: 10 }, () => holder(server, MIB));
  const limit = 5 * field(sockets[0], control, "tot-mem") + field(control, control, "tot-mem");
  control.receive(command("CONFIG", "SET", "maxmemory-clients", limit));
  control.receive(command("CLIENT", "LIST"));
  expect(sockets.filter((socket) => !socket.ended)).toHaveLength(5);
  server.stop();
});

test("a client with NO-EVICT stays until it gives that up", () => {
  const server = limited("200000");
  const socket = server.fake();
  socket.receive(command("CLIENT", "NO-EVICT", "on"));
  socket.receive(command("MULTI") + command("SET", "k", "v".repeat(300 * KIB)));
  expect(socket.ended).toBeFalse();
  expect(socket.receive(command("EXEC"))).toBe("*1\r\n+OK\r\n");
  socket.room = 0;
  socket.receive(command("GET", "k"));
  expect(socket.ended).toBeFalse();
  socket.receive(command("CLIENT", "NO-EVICT", "off"));
  expect(socket.ended).toBeTrue();
  server.stop();
});

test("who exceeds the limit of its output goes for that, and takes nobody along", () => {
  const server = limited("1000000", { "client-output-buffer-limit": "normal 300000 0 0" });
  const large = holder(server, 700 * KIB);
  const slow = server.fake();
  slow.room = 0;
  slow.receive(command("ECHO", "v".repeat(400 * KIB)));
  expect([slow.ended, large.ended]).toEqual([true, false]);
  expect(server.engine.stats.evictedClients).toBe(0);
  server.stop();
});

test("a share of maxmemory is a limit while there is a maxmemory", () => {
  const server = limited("10%");
  const first = holder(server, 700 * KIB);
  expect(first.ended).toBeFalse();
  const control = server.fake();
  control.receive(command("CONFIG", "SET", "maxmemory", 6_000_000));
  expect([first.ended, control.ended]).toEqual([true, false]);
  const second = holder(server, 500 * KIB);
  expect(second.ended).toBeFalse();
  control.receive(command("CONFIG", "SET", "maxmemory-clients", 0));
  expect(holder(server, 4 * MIB).ended).toBeFalse();
  server.stop();
});

test("an evicted client's pipeline ends there", () => {
  const server = limited("200000");
  const socket = server.fake();
  const output = socket.receive(
    command("MULTI") + command("SET", "k", "v".repeat(100 * KIB)) + command("SET", "k", "v".repeat(100 * KIB)),
  );
  expect(output).toStartWith("+OK\r\n");
  expect(socket.ended).toBeTrue();
  expect(server.engine.clients.size).toBe(0);
  server.stop();
});

test("DEBUG CLIENT-EVICTION shows the buckets", () => {
  const server = limited("0", { "enable-debug-command": "yes" });
  const control = server.fake();
  expect(control.receive(command("DEBUG", "CLIENT-EVICTION"))).toBe("-ERR maxmemory-clients is disabled.\r\n");
  control.receive(command("CONFIG", "SET", "maxmemory-clients", "1gb"));
  holder(server, MIB);
  const lines = control.receive(command("DEBUG", "CLIENT-EVICTION")).split("\n");
  expect(lines.filter((line) => line.startsWith("bucket"))).toHaveLength(19);
  expect(lines.filter((line) => line.endsWith("clients: 1"))).toHaveLength(2);
  server.stop();
});
