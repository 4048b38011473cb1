// A command is propagated in one form, whether its bytes are taken as they came or put together anew.

import { expect, test } from "bun:test";
import { ProtocolFault, readRequest } from "../../src/resp/reader.ts";
import { Request } from "../../src/resp/request.ts";
import { seededTest } from "../base/seeded.ts";
import { LogCollector } from "../persistence/aof-support.ts";
import { encodeCommand } from "../support/client.ts";
import { type TestServer, testServer } from "../support/engine.ts";

const LIMITS = { bulkMax: 1 << 29, authenticated: true };

/** Runs commands from a chunk; what was logged, without the SELECT in front. */
function run(server: TestServer, chunk: Uint8Array): string {
  const log = new LogCollector(server.engine);
  const client = server.connect().client;
  const request = new Request();
  for (let at = 0; at < chunk.length; ) {
    at = readRequest(chunk, at, chunk.length, request, LIMITS, new ProtocolFault());
    expect(at).toBeGreaterThan(0);
    server.engine.startTurn();
    if (request.count > 0) server.engine.execute(client, request);
    server.engine.reply.clear();
  }
  server.engine.sinks.splice(0);
  return log.bytes.toString("latin1").replaceAll(text("SELECT", 0), "");
}

function text(...args: (string | number)[]): string {
  return encodeCommand(args).toString("latin1");
}

seededTest("random commands, with line ends that the reader does not look at", (random) => {
  const server = testServer();
  for (let n = 0; n < 2000; n++) {
    const count = random.below(4) === 0 ? 1 + random.below(120) : 1 + random.below(3);
    const args: string[] = ["RPUSH", `key${random.below(100)}`];
    for (let i = 0; i < count; i++)
      args.push("*$\r\n0"[random.below(5)].repeat(random.below(random.below(10) === 0 ? 1200 : 14)));
    const chunk = Buffer.from(`xx${text("PING")}${text(...args)}`, "latin1");
    // Behind an argument both bytes are skipped unread, behind a number the second one.
    let at = 2 + text("PING").length;
    at += `*${args.length}\r`.length;
    const skipped = [at++];
    for (const arg of args) {
      at += `$${arg.length}\r`.length;
      skipped.push(at++);
      at += arg.length;
      skipped.push(at++, at++);
    }
    if (random.below(2) === 0) chunk[skipped[random.below(skipped.length)]] = 120;
    expect(run(server, chunk.subarray(2)), JSON.stringify(args)).toBe(text(...args));
  }
});

test("inline commands, quoted or not, behind bytes that look like the head of a command", () => {
  const server = testServer();
  const value = "*3\r\n$3";
  const chunk = Buffer.from(
    `${text("SET", "a", value)}SET b 1\r\nSET "b" "2"\r\n${text("SET", "a", "*1\r\n$8")}FLUSHALL\r\n`,
    "latin1",
  );
  expect(run(server, chunk)).toBe(
    text("SET", "a", value) +
      text("SET", "b", 1) +
      text("SET", "b", 2) +
      text("SET", "a", "*1\r\n$8") +
      text("FLUSHALL"),
  );
});

test("a unit of several commands is not taken apart", () => {
  const server = testServer();
  const chunk = Buffer.from(
    text("SET", "a", 1, "PX", 5) + text("MULTI") + text("SET", "b", 1) + text("INCR", "b") + text("EXEC"),
    "latin1",
  );
  expect(run(server, chunk)).toBe(
    text("SET", "a", 1, "PXAT", server.clock.nowMs() + 5) +
      text("MULTI") +
      text("SET", "b", 1) +
      text("INCR", "b") +
      text("EXEC"),
  );
  server.advance(10);
  expect(run(server, Buffer.from(text("SET", "a", 2), "latin1"))).toBe(
    text("MULTI") + text("DEL", "a") + text("SET", "a", 2) + text("EXEC"),
  );
});
