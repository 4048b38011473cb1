// The look-ahead over a pipeline: it finds the specs, hints the right hashes, and changes nothing, whatever the requests are about.

import { expect, setDefaultTimeout, test } from "bun:test";
import { LOOK_AHEAD, Request } from "../../src/resp/request.ts";
import { type TestClient, type TestServer, testServer } from "../support/engine.ts";

// An arena that needs its first large segment may wait for seconds until the system has cleared it.
setDefaultTimeout(60_000);

/** Requests over one buffer, as a chunk of input gives them. */
function requestsOf(lines: readonly string[]): Request[] {
  const buf = Buffer.from(lines.join(" "), "latin1");
  let at = 0;
  return lines.map((line) => {
    const request = new Request();
    request.buf = buf;
    for (const word of line.split(" ")) {
      request.push(at, word.length);
      at += word.length + 1;
    }
    return request;
  });
}

/** Looks ahead over a pipeline and runs it; the replies as the protocol has them. */
function run(server: TestServer, client: TestClient, lines: readonly string[]): string {
  const { engine } = server;
  const requests = requestsOf(lines);
  const before = engine.keyspace.arena.usedBytes;
  engine.prefetcher.prepare(engine.commands, client.client.db, requests, requests.length);
  expect(engine.keyspace.arena.usedBytes).toBe(before);
  engine.reply.clear();
  engine.startTurn();
  for (let i = 0; i < requests.length; i++) {
    const spec = engine.prefetcher.specs[i] ?? null;
    expect(spec?.name).toBe(lines[i].split(" ")[0].toLowerCase());
    engine.execute(client.client, requests[i], spec);
  }
  const replies = Buffer.from(engine.reply.buf.subarray(0, engine.reply.pos)).toString("latin1");
  engine.reply.clear();
  return replies;
}

function range(count: number, line: (i: number) => string): string[] {
  return Array.from({ length: count }, (_, i) => line(i));
}

test("pipelines over one large value, and over many keys, answer what single commands do", () => {
  const server = testServer();
  const client = server.connect();
  client.line(`SADD s ${range(700, (i) => `m${i}`).join(" ")}`);
  client.line(`HSET h ${range(700, (i) => `f${i} v${i}`).join(" ")}`);
  client.line(`ZADD z ${range(700, (i) => `${i} m${i}`).join(" ")}`);
  client.line("RPUSH l a b c");
  client.line("SADD small a");
  const pipelines = [
    range(LOOK_AHEAD, (i) => `SISMEMBER s m${i * 50}`),
    range(LOOK_AHEAD, (i) => `HGET h f${i * 50}`),
    range(LOOK_AHEAD, (i) => `ZSCORE z m${i * 50}`),
    range(8, () => "LLEN l"),
    range(8, (i) => `SISMEMBER small ${i}`),
    range(8, () => "SMEMBERS none"),
    ["SCARD s", "SCARD s", "HLEN h", "HLEN h", "ZCARD z", "LLEN l", "GET s", "GET s", "PING", "PING"],
    ["HGET h f1", "HGET z m1", "ZRANGE z 0", "ZRANGE z 0", "SISMEMBER s m1", "EXISTS s h z", "EXISTS s h z"],
  ];
  for (const lines of pipelines) {
    const single = lines.map((line) => Buffer.from(client.raw(...line.split(" "))).toString("latin1")).join("");
    expect(run(server, client, lines)).toBe(single);
  }
});

test("a pipeline may change the value that was looked ahead into", () => {
  const server = testServer();
  const client = server.connect();
  client.line(`SADD s ${range(700, (i) => `m${i}`).join(" ")}`);
  const lines = ["SREM s m1", "DEL s", "SADD s x", "SISMEMBER s x", "SISMEMBER s m2", "SCARD s"];
  expect(run(server, client, lines)).toBe(":1\r\n:1\r\n:1\r\n:1\r\n:0\r\n:1\r\n");
});
