/** Order on a real connection: messages and confirmations stand among the replies of a pipeline where they belong. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { encodeCommand, RespClient } from "../support/client.ts";
import type { RunningServer } from "../support/process.ts";
import { startServer } from "../support/server.ts";

let server: RunningServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(async () => {
  await server.stop();
});

/** Sends all commands in one write and returns the first words of what comes until the PONG of the end. */
async function play(client: RespClient, commands: string[][]): Promise<string[]> {
  client.write(Buffer.concat([...commands, ["PING", "the-end"]].map((args) => encodeCommand(args))));
  const seen: string[] = [];
  for (;;) {
    const raw = await client.readRaw();
    if (raw.includes("the-end")) return seen;
    seen.push(/[A-Za-z]+|:\d+/.exec(raw)?.[0] ?? raw);
  }
}

test("messages to oneself follow the reply of the command that caused them", async () => {
  const client = await RespClient.connect({ port: server.port });
  await client.must("HELLO", 3);
  expect(
    await play(client, [
      ["SUBSCRIBE", "c"],
      ["ECHO", "one"],
      ["PUBLISH", "c", "m"],
      ["ECHO", "two"],
      ["MULTI"],
      ["PUBLISH", "c", "m"],
      ["EXEC"],
      ["ECHO", "three"],
    ]),
  ).toEqual(["subscribe", "one", ":1", "message", "two", "OK", "QUEUED", ":1", "message", "three"]);
  client.close();
});

test("a client without replies gets confirmations and messages behind the replies that it still had", async () => {
  const client = await RespClient.connect({ port: server.port });
  await client.must("HELLO", 3);
  expect(
    await play(client, [
      ["ECHO", "one"],
      ["ECHO", "two"],
      ["CLIENT", "REPLY", "OFF"],
      ["ECHO", "never"],
      ["SUBSCRIBE", "c", "d"],
      ["PUBLISH", "c", "m"],
      ["UNSUBSCRIBE", "c"],
      ["CLIENT", "REPLY", "ON"],
      ["ECHO", "three"],
    ]),
  ).toEqual(["one", "two", "subscribe", "subscribe", "message", "unsubscribe", "OK", "three"]);
  client.close();
});

test("a message to another client goes out at once", async () => {
  const [a, b] = [await RespClient.connect({ port: server.port }), await RespClient.connect({ port: server.port })];
  await a.must("SUBSCRIBE", "news");
  expect(await b.must("PUBLISH", "news", "hello")).toBe(1);
  expect(await a.readReply()).toEqual(["message", "news", "hello"]);
  a.close();
  b.close();
});

test("ten thousand patterns, one of which matches", async () => {
  const [a, b] = [await RespClient.connect({ port: server.port }), await RespClient.connect({ port: server.port })];
  const patterns = Array.from({ length: 10_000 }, (_, i) => `channel:${i}:*`);
  a.write(encodeCommand(["PSUBSCRIBE", ...patterns]));
  for (let i = 0; i < patterns.length; i++) await a.readRaw();
  expect(await b.must("PUBSUB", "NUMPAT")).toBe(10_000);
  for (let i = 0; i < 10_000; i += 997) {
    expect(await b.must("PUBLISH", `channel:${i}:x`, "m")).toBe(1);
    expect(await a.readReply()).toEqual(["pmessage", `channel:${i}:*`, `channel:${i}:x`, "m"]);
  }
  a.close();
  b.close();
});
