// DUMP and RESTORE: what is propagated, what is told, how the key was used, who is woken.

import { describe, expect, test } from "bun:test";
import { ExpiryMode } from "../../src/keyspace/key-rules.ts";
import { START_MS, type TestClient, type TestServer, testServer } from "../support/engine.ts";
import { CollectingSink } from "../support/sink.ts";

/** The payload that DUMP answers for a key. */
function dumped(client: TestClient, key: string): Buffer {
  const reply = Buffer.from(client.raw("DUMP", key));
  expect(reply[0]).toBe(36);
  return reply.subarray(reply.indexOf("\n") + 1, -2);
}

/** A server, a client of it, and the payloads of a string and of a list. */
function prepared(): { server: TestServer; client: TestClient; text: Buffer; list: Buffer } {
  const server = testServer();
  const client = server.connect();
  client.line("SET text value");
  client.line("RPUSH list a b");
  const text = dumped(client, "text");
  const list = dumped(client, "list");
  client.line("FLUSHALL");
  return { server, client, text, list };
}

const raw = (client: TestClient, ...args: (string | number | Uint8Array)[]): string =>
  Buffer.from(client.raw(...args)).toString("latin1");

describe("RESTORE", () => {
  test("is propagated with the time at which the key expires, and else as it is", () => {
    const { server, client, text } = prepared();
    const sink = new CollectingSink();
    server.engine.sinks.push(sink);
    client.raw("RESTORE", "a", 0, text);
    client.raw("restore", "b", 5000, text, "IDLETIME", 7);
    client.raw("RESTORE", "c", START_MS + 9000, text, "absttl");
    client.raw("RESTORE", "a", 100, text, "REPLACE");
    const payload = text.toString("latin1");
    expect(sink.take().map((line) => line.split(payload).join("PAYLOAD"))).toEqual([
      "0> RESTORE a 0 PAYLOAD",
      `0> restore b ${START_MS + 5000} PAYLOAD IDLETIME 7 ABSTTL`,
      `0> RESTORE c ${START_MS + 9000} PAYLOAD absttl`,
      `0> RESTORE a ${START_MS + 100} PAYLOAD REPLACE ABSTTL`,
    ]);
    expect(client.line("PTTL b")).toBe("(integer) 5000");
    expect(client.line("PTTL c")).toBe("(integer) 9000");
  });

  test("of a time that is over: nothing is made, and what was there is deleted", () => {
    const { server, client, text } = prepared();
    const sink = new CollectingSink();
    client.line("SET old 1");
    client.line("SET older 1");
    server.engine.sinks.push(sink);
    expect(raw(client, "RESTORE", "none", START_MS - 1, text, "ABSTTL")).toBe("+OK\r\n");
    expect(raw(client, "RESTORE", "old", START_MS - 1, text, "ABSTTL", "REPLACE")).toBe("+OK\r\n");
    client.line("CONFIG SET lazyfree-lazy-server-del yes");
    expect(raw(client, "RESTORE", "older", START_MS, text, "ABSTTL", "REPLACE")).toBe("+OK\r\n");
    expect(sink.take()).toEqual(["0> DEL old", "0> UNLINK older"]);
    expect(client.line("DBSIZE")).toBe("(integer) 0");
  });

  test("of a time that is over, where others decide about that: the key is made", () => {
    const { server, client, text } = prepared();
    server.engine.keyspace.expiryMode = ExpiryMode.Hide;
    expect(raw(client, "RESTORE", "k", START_MS - 1, text, "ABSTTL")).toBe("+OK\r\n");
    expect(client.line("DBSIZE")).toBe("(integer) 1");
  });

  test("a key that has expired is no key in the way", () => {
    const { server, client, text } = prepared();
    client.line("SET k old PX 5");
    server.advance(10);
    expect(raw(client, "RESTORE", "k", 0, text)).toBe("+OK\r\n");
    expect(client.line("GET k")).toBe("value");
  });

  test("how the key was used", () => {
    const { client, text } = prepared();
    client.raw("RESTORE", "idle", 0, text, "IDLETIME", 1000);
    client.raw("RESTORE", "counted", 0, text, "FREQ", 100);
    expect(client.line("OBJECT IDLETIME idle")).toBe("(integer) 1000");
    expect(client.line("OBJECT IDLETIME counted")).toBe("(integer) 0");
    client.line("CONFIG SET maxmemory-policy allkeys-lfu");
    client.raw("RESTORE", "counted", 0, text, "FREQ", 100, "REPLACE");
    client.raw("RESTORE", "idle", 0, text, "IDLETIME", 1000, "REPLACE");
    expect(client.line("OBJECT FREQ counted")).toBe("(integer) 100");
    expect(client.line("OBJECT FREQ idle")).toBe("(integer) 5");
  });

  test("tells, and wakes who waits for the key", () => {
    const { server, client, text, list } = prepared();
    client.line("CONFIG SET notify-keyspace-events EAn");
    const listener = server.connect();
    listener.line("PSUBSCRIBE __keyevent@0__:*");
    const waiting = server.connect();
    waiting.raw("BLPOP", "l", 0);
    client.raw("RESTORE", "l", 0, list);
    client.raw("RESTORE", "t", 0, text);
    client.raw("RESTORE", "t", 0, text, "REPLACE");
    client.raw("RESTORE", "t", 1, text, "ABSTTL", "REPLACE");
    const events = listener.pushed().map((reply) => JSON.stringify(reply).match(/__keyevent@0__:(\w+)"/)?.[1]);
    expect(events).toEqual(["new", "restore", "lpop", "new", "restore", "new", "restore", "del"]);
    expect(JSON.stringify(waiting.pushed())).toContain('"a"');
    expect(client.line("LRANGE l 0 -1")).toBe("1) b");
  });

  test("breaks a transaction that watches the key", () => {
    const { server, client, text } = prepared();
    const other = server.connect();
    client.line("WATCH k");
    other.raw("RESTORE", "k", 0, text);
    client.line("MULTI");
    client.line("GET k");
    expect(client.line("EXEC")).toBe("(nil)");
  });

  test("values are looked through as sanitize-dump-payload says, and that is counted", () => {
    const { client, list } = prepared();
    const counted = (): string | undefined => client.line("INFO stats").match(/dump_payload_sanitizations:(\d+)/)?.[1];
    for (const [level, count] of [
      ["no", "0"],
      ["clients", "1"],
      ["yes", "2"],
    ]) {
      client.line(`CONFIG SET sanitize-dump-payload ${level}`);
      client.raw("RESTORE", "k", 0, list, "REPLACE");
      expect(counted()).toBe(count);
    }
  });

  test("a small hash whose fields do not stand in the order of their times is refused when values are looked through, and sorted else", () => {
    const server = testServer();
    const client = server.connect();
    for (const line of [
      "HSET h a 1 b 2",
      "HPEXPIREAT h 2000000000000 FIELDS 1 a",
      "HPEXPIREAT h 3000000000000 FIELDS 1 b",
    ])
      client.line(line);
    client.line("CONFIG SET rdbcompression no");
    const payload = dumped(client, "h");
    // The listpack keeps a time in eight bytes behind a byte of 0xf4.
    const first = payload.indexOf(0xf4);
    const second = payload.indexOf(0xf4, first + 9);
    expect(second).toBeGreaterThan(first);
    const swapped = Buffer.from(payload);
    payload.copy(swapped, first + 1, second + 1, second + 9);
    payload.copy(swapped, second + 1, first + 1, first + 9);
    server.engine.debug.skipsChecksums = true;
    client.line("CONFIG SET sanitize-dump-payload yes");
    expect(raw(client, "RESTORE", "k", 0, payload)).toBe("+OK\r\n");
    expect(raw(client, "RESTORE", "k", 0, swapped, "REPLACE")).toBe("-ERR Bad data format\r\n");
    client.line("CONFIG SET sanitize-dump-payload no");
    expect(raw(client, "RESTORE", "k", 0, swapped, "REPLACE")).toBe("+OK\r\n");
    expect(client.line("OBJECT ENCODING k")).toBe("hashtable");
    expect(client.line("HGET k a")).toBe("1");
  });

  test("a checksum that is wrong, unless checksums do not count", () => {
    const { server, client, text } = prepared();
    expect(server.engine.config.loadText("enable-debug-command yes\n")).toBeNull();
    text[text.length - 1] ^= 1;
    expect(raw(client, "RESTORE", "k", 0, text)).toBe("-ERR DUMP payload version or checksum are wrong\r\n");
    client.line("DEBUG SET-SKIP-CHECKSUM-VALIDATION 1");
    expect(raw(client, "RESTORE", "k", 0, text)).toBe("+OK\r\n");
    client.line("DEBUG SET-SKIP-CHECKSUM-VALIDATION 0");
    expect(raw(client, "RESTORE", "k", 0, text, "REPLACE")).toContain("checksum are wrong");
  });
});

test("DUMP is an access; its version is the personality's", () => {
  const { server, client } = prepared();
  client.line("SET k v");
  server.advance(20_000);
  const payload = dumped(client, "k");
  expect(client.line("OBJECT IDLETIME k")).toBe("(integer) 0");
  expect(payload.readUInt16LE(payload.length - 10)).toBe(10);
  const valkey = testServer({ personality: "valkey" }).connect();
  valkey.line("SADD k a b");
  const set = dumped(valkey, "k");
  expect([set[0], set.readUInt16LE(set.length - 10)]).toEqual([20, 11]);
});
