// The stream commands, as dialogues: ids, trims, groups, events, propagation, clients that wait, and what redis-server 7.0 does not have.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { Target } from "../../src/engine/propagation.ts";
import { type TestClient, type TestServer, testServer, transcript } from "../support/engine.ts";
import { formatReply } from "../support/transcript-reply.ts";

// An arena that needs its first large segment may wait for seconds until the system has cleared it.
setDefaultTimeout(60_000);

/** What the commands propagate, a line each. */
function propagated(server: TestServer): string[] {
  const lines: string[] = [];
  server.engine.sinks.push({
    targets: Target.All,
    propagate(_dbId, bytes, offset, length) {
      const parts = Buffer.from(bytes.subarray(offset, offset + length))
        .toString("latin1")
        .split("\r\n");
      lines.push(parts.filter((_, i) => i > 0 && i % 2 === 0).join(" "));
    },
  });
  return lines;
}

/** What a client got since, as text on one line. */
function got(client: TestClient): string {
  return client.pushed().map(flat).join(" | ");
}

function flat(reply: Parameters<typeof formatReply>[0]): string {
  return formatReply(reply).replaceAll(/\s+/g, " ");
}

/** A command's reply on one line. */
function ask(client: TestClient, line: string): string {
  return client.line(line).replaceAll(/\s+/g, " ");
}

/** A client that has sent a command which waits. */
function waiting(server: TestServer, line: string): TestClient {
  const client = server.connect();
  expect(client.line(line)).toBe("");
  return client;
}

describe("XADD", () => {
  test("ids: given, of the time, with a sequence number of the server's", () =>
    transcript(`
      > XADD s 1-1 f v
      1-1
      > XADD s 1-* f v
      1-2
      > XADD s 2-* f v
      2-0
      > XADD s * f v
      1700000000000-0
      > XADD s * f v
      1700000000000-1
      ~ advance 5ms
      > XADD s * f v
      1700000000005-0
      > XADD s 1700000000005-0 f v
      (error) ERR The ID specified in XADD is equal or smaller than the target stream top item
      > XADD s 0-0 f v
      (error) ERR The ID specified in XADD must be greater than 0-0
      > XADD new 0-* f v
      0-1
      > XADD s 18446744073709551615-18446744073709551614 f v
      18446744073709551615-18446744073709551614
      > XADD s * f v
      18446744073709551615-18446744073709551615
      > XADD s * f v
      (error) ERR The stream has exhausted the last possible ID, unable to add more items
      > XADD s 18446744073709551615-* f v
      (error) ERR The stream has exhausted the last possible ID, unable to add more items
      > XADD t 5-18446744073709551615 f v
      5-18446744073709551615
      > XADD t 5-* f v
      (error) ERR The ID specified in XADD is equal or smaller than the target stream top item
      > XADD t 4-* f v
      (error) ERR The ID specified in XADD is equal or smaller than the target stream top item`));

  test("an error leaves no stream behind", () =>
    transcript(`
      > XADD s 0-0 f v
      (error) ERR The ID specified in XADD must be greater than 0-0
      > XADD s NOMKSTREAM 1-1 f v
      (nil)
      > XADD s 1-1 f
      (error) ERR wrong number of arguments for 'xadd' command
      > EXISTS s
      (integer) 0`));

  test("what is propagated: the id that was chosen, the trim that was done", () => {
    const server = testServer();
    const client = server.connect();
    const lines = propagated(server);
    client.line("CONFIG SET stream-node-max-entries 2");
    client.line("XADD s 1-1 f v");
    client.line("XADD s 1-* f v");
    client.line("XADD s * f v");
    client.line("XADD s MAXLEN ~ 2 LIMIT 100 * f v");
    client.line("XADD s MINID ~ 1700000000000-1 1700000000000-9 f v");
    client.line("XTRIM s MAXLEN ~ 1");
    client.line("XTRIM s MAXLEN 2");
    expect(lines.filter((line) => line.startsWith("X"))).toEqual([
      "XADD s 1-1 f v",
      "XADD s 1-2 f v",
      "XADD s 1700000000000-0 f v",
      "XADD s MAXLEN = 2 1700000000000-1 f v",
      "XADD s MINID = 1700000000000-0 1700000000000-9 f v",
      "XTRIM s MAXLEN = 1",
    ]);
  });

  test("events", () => {
    const server = testServer();
    const client = server.connect();
    client.line("CONFIG SET notify-keyspace-events KEA");
    const listener = server.connect();
    listener.line("PSUBSCRIBE __keyevent@0__:x*");
    client.line("XADD s MAXLEN 1 1-1 f v");
    client.line("XADD s MAXLEN 1 2-1 f v");
    client.line("XSETID s 9-9");
    client.line("XDEL s 2-1");
    client.line("XGROUP CREATE s g 0");
    client.line("XGROUP CREATECONSUMER s g c");
    client.line("XADD s 10-1 f v");
    client.line("XREADGROUP GROUP g other STREAMS s >");
    client.line("XGROUP SETID s g 5");
    client.line("XGROUP DELCONSUMER s g c");
    client.line("XGROUP DESTROY s g");
    const events = listener.pushed().map((reply) => flat(reply).match(/3\) \S+__:(\S+)/)?.[1]);
    expect(events).toEqual([
      "xadd",
      "xadd",
      "xtrim",
      "xsetid",
      "xdel",
      "xgroup-create",
      "xgroup-createconsumer",
      "xadd",
      "xgroup-createconsumer",
      "xgroup-setid",
      "xgroup-delconsumer",
      "xgroup-destroy",
    ]);
  });
});

describe("trimming and deletion", () => {
  test("approximate trims take whole blocks, as many as LIMIT allows", () => {
    const client = testServer().connect();
    client.line("CONFIG SET stream-node-max-entries 10");
    for (let i = 1; i <= 55; i++) client.line(`XADD s ${i}-1 f v`);
    expect(client.line("XTRIM s MAXLEN ~ 32")).toBe("(integer) 20");
    expect(client.line("XTRIM s MAXLEN ~ 0 LIMIT 15")).toBe("(integer) 10");
    expect(client.line("XTRIM s MINID ~ 45")).toBe("(integer) 10");
    expect(client.line("XTRIM s MINID 45")).toBe("(integer) 4");
    expect(client.line("XLEN s")).toBe("(integer) 11");
    expect(ask(client, "XRANGE s - + COUNT 1")).toContain("45-1");
    expect(client.line("XTRIM s MAXLEN 0")).toBe("(integer) 11");
    expect(client.line("EXISTS s")).toBe("(integer) 1");
  });

  test("XSETID", () =>
    transcript(`
      > XSETID s 1-1
      (error) ERR no such key
      > XADD s 5-5 f v
      5-5
      > XSETID s 5-4
      (error) ERR The ID specified in XSETID is smaller than the target stream top item
      > XSETID s 9-9 ENTRIESADDED 0
      (error) ERR The entries_added specified in XSETID is smaller than the target stream length
      > XSETID s 9-9 ENTRIESADDED 9223372036854775807 MAXDELETEDID 8-8
      OK
      > XSETID s 8-7
      (error) ERR The ID specified in XSETID is smaller than current max_deleted_entry_id
      > XSETID s 9-9 MAXDELETEDID 10-1
      (error) ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id`));

  test("XDELEX and XACKDEL mind references", () => {
    const client = testServer().connect();
    for (let i = 1; i <= 3; i++) client.line(`XADD s ${i}-0 f v`);
    client.line("XGROUP CREATE s g 0");
    client.line("XGROUP CREATE s h 0");
    expect(ask(client, "XDELEX s ACKED IDS 2 1-0 9-0")).toBe("1) (integer) 2 2) (integer) -1");
    client.line("XREADGROUP GROUP g c COUNT 2 STREAMS s >");
    expect(ask(client, "XACKDEL s g ACKED IDS 1 1-0")).toBe("1) (integer) 2");
    client.line("XGROUP SETID s h 3-0");
    expect(ask(client, "XDELEX s ACKED IDS 1 1-0")).toBe("1) (integer) 1");
    expect(ask(client, "XDELEX s KEEPREF IDS 1 2-0")).toBe("1) (integer) 1");
    expect(ask(client, "XPENDING s g")).toBe("1) (integer) 1 2) 2-0 3) 2-0 4) 1) 1) c 2) 1");
    expect(ask(client, "XACKDEL s g DELREF IDS 2 2-0 2-0")).toBe("1) (integer) 1 2) (integer) -1");
    expect(ask(client, "XLEN s")).toBe("(integer) 1");
  });

  test("errors of XDELEX and XACKDEL", () =>
    transcript(`
      > XACKDEL missing g IDS 2 1-1 2-2
      1) (integer) -1
      2) (integer) -1
      > XDELEX s IDS 0 1-1
      (error) ERR Number of IDs must be a positive integer
      > XDELEX s IDS x 1-1
      (error) ERR Number of IDs must be a positive integer
      > XDELEX s IDS 2 1-1
      (error) ERR The \`numids\` parameter must match the number of arguments
      > XDELEX s IDS 1 1-1 2-2
      (error) ERR syntax error
      > XDELEX s KEEPREF ACKED IDS 1 1-1
      (error) ERR syntax error`));

  test("XTRIM and XADD mind references", () => {
    const client = testServer().connect();
    for (let i = 1; i <= 5; i++) client.line(`XADD s ${i}-0 f v`);
    client.line("XGROUP CREATE s g 0");
    client.line("XREADGROUP GROUP g c COUNT 3 STREAMS s >");
    client.line("XACK s g 2-0");
    expect(client.line("XTRIM s MAXLEN 0 ACKED")).toBe("(integer) 1");
    expect(client.line("XTRIM s MINID 2-5 DELREF")).toBe("(integer) 1");
    expect(ask(client, "XPENDING s g")).toBe("1) (integer) 1 2) 3-0 3) 3-0 4) 1) 1) c 2) 1");
    expect(client.line("XADD s MAXLEN 1 DELREF 6-0 f v")).toBe("6-0");
    expect(ask(client, "XPENDING s g")).toBe("1) (integer) 0 2) (nil) 3) (nil) 4) (nil)");
    expect(client.line("XLEN s")).toBe("(integer) 1");
  });

  test("what entries are kept for their references, a trim to a length takes from later blocks", () => {
    const client = testServer().connect();
    client.line("CONFIG SET stream-node-max-entries 2");
    for (let i = 1; i <= 6; i++) client.line(`XADD s ${i}-0 f v`);
    client.line("XGROUP CREATE s g 0");
    client.line("XREADGROUP GROUP g c STREAMS s >");
    client.line("XACK s g 3-0 4-0 5-0 6-0");
    // One of the two entries of the first block would do, but neither may go.
    expect(client.line("XTRIM s MAXLEN 5 ACKED")).toBe("(integer) 1");
    expect(ask(client, "XRANGE s - + COUNT 3")).toBe(
      "1) 1) 1-0 2) 1) f 2) v 2) 1) 2-0 2) 1) f 2) v 3) 1) 4-0 2) 1) f 2) v",
    );
    expect(client.line("XTRIM s MAXLEN 3 ACKED")).toBe("(integer) 2");
    expect(client.line("XTRIM s MAXLEN 0 ACKED")).toBe("(integer) 1");
    expect(client.line("XLEN s")).toBe("(integer) 2");
  });
});

describe("reading", () => {
  test("XREAD knows the last entry and what comes after it", () => {
    const server = testServer();
    const client = server.connect();
    client.line("XADD s 1-1 f 1");
    client.line("XADD s 2-1 f 2");
    expect(ask(client, "XREAD STREAMS s +")).toBe("1) 1) s 2) 1) 1) 2-1 2) 1) f 2) 2");
    expect(ask(client, "XREAD COUNT 1 STREAMS s none 0 0")).toBe("1) 1) s 2) 1) 1) 1-1 2) 1) f 2) 1");
    expect(client.line("XREAD STREAMS s $")).toBe("(nil)");
    expect(client.line("XREAD STREAMS s 18446744073709551615-18446744073709551615")).toBe("(nil)");
  });

  test("a client that waits behind the last entry gets the next one, once", () => {
    const server = testServer();
    const client = server.connect();
    client.line("XADD s 1-1 f 1");
    const one = waiting(server, "XREAD BLOCK 0 STREAMS other s $ $");
    const two = waiting(server, "XREAD BLOCK 0 STREAMS s 1-1");
    client.line("XDEL s 1-1");
    expect(got(one)).toBe("");
    client.line("XADD s 2-1 f 2");
    expect(got(one)).toBe("1) 1) s 2) 1) 1) 2-1 2) 1) f 2) 2");
    expect(got(two)).toBe("1) 1) s 2) 1) 1) 2-1 2) 1) f 2) 2");
    client.line("XADD s 3-1 f 3");
    expect(got(one)).toBe("");
  });

  test("consumers that wait get entries in turn; a group that is destroyed ends their wait", () => {
    const server = testServer();
    const client = server.connect();
    client.line("XGROUP CREATE s g $ MKSTREAM");
    const one = waiting(server, "XREADGROUP GROUP g a BLOCK 0 STREAMS s >");
    const two = waiting(server, "XREADGROUP GROUP g b BLOCK 0 STREAMS s >");
    client.line("XADD s 1-1 f 1");
    expect(got(one)).toBe("1) 1) s 2) 1) 1) 1-1 2) 1) f 2) 1");
    expect(got(two)).toBe("");
    client.line("XGROUP DESTROY s g");
    expect(got(two)).toBe("(error) NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with GROUP option");
    const three = waiting(server, "XREAD BLOCK 100 STREAMS s $");
    server.advance(101);
    server.engine.blocking.expire();
    expect(got(three)).toBe("(nil)");
  });

  test("the key of a waiting consumer is deleted, or becomes another type", () => {
    const server = testServer();
    const client = server.connect();
    client.line("XGROUP CREATE s g $ MKSTREAM");
    const one = waiting(server, "XREADGROUP GROUP g a BLOCK 0 STREAMS s >");
    const two = waiting(server, "XREAD BLOCK 0 STREAMS s $");
    client.line("DEL s");
    expect(got(one)).toStartWith("(error) NOGROUP");
    expect(got(two)).toBe("");
    client.line("XGROUP CREATE s g $ MKSTREAM");
    const three = waiting(server, "XREADGROUP GROUP g a BLOCK 0 STREAMS s >");
    client.line("SET s v");
    expect(got(three)).toStartWith("(error) WRONGTYPE");
    expect(got(two)).toBe("");
  });

  test("what deliveries propagate", () => {
    const server = testServer();
    const client = server.connect();
    client.line("XADD s 1-1 f v");
    client.line("XADD s 2-1 f v");
    client.line("XGROUP CREATE s g 0");
    const lines = propagated(server);
    client.line("XREADGROUP GROUP g a COUNT 1 STREAMS s >");
    client.line("XREADGROUP GROUP g a STREAMS s 0");
    client.line("XREADGROUP GROUP g b NOACK STREAMS s >");
    client.line("XREADGROUP GROUP g b NOACK STREAMS s >");
    client.line("XCLAIM s g b 0 1-1");
    client.line("XCLAIM s g b 0 1-1 LASTID 5-5 JUSTID RETRYCOUNT 9 TIME 1000");
    client.line("XDEL s 1-1");
    client.line("XAUTOCLAIM s g a 0 0");
    client.line("XACK s g 1-1");
    const time = 1_700_000_000_000;
    expect(lines.filter((line) => line.startsWith("X"))).toEqual([
      `XCLAIM s g a 0 1-1 TIME ${time} RETRYCOUNT 1 FORCE JUSTID LASTID 1-1`,
      "XGROUP SETID s g 1-1 ENTRIESREAD 1",
      "XGROUP CREATECONSUMER s g b",
      "XGROUP SETID s g 2-1 ENTRIESREAD 2",
      `XCLAIM s g b 0 1-1 TIME ${time} RETRYCOUNT 3 FORCE JUSTID LASTID 2-1`,
      "XCLAIM s g b 0 1-1 TIME 1000 RETRYCOUNT 9 FORCE JUSTID LASTID 5-5",
      "XDEL s 1-1",
      "XCLAIM s g b 0 1-1 TIME 1000 RETRYCOUNT 9 FORCE JUSTID LASTID 5-5",
    ]);
  });
});

test("a consumer that is made by a command which then waits is propagated", () => {
  const server = testServer();
  const client = server.connect();
  client.line("XGROUP CREATE s g $ MKSTREAM");
  const lines = propagated(server);
  const one = waiting(server, "XREADGROUP GROUP g a BLOCK 0 NOACK STREAMS s >");
  const two = waiting(server, "XREADGROUP GROUP g b BLOCK 0 STREAMS s >");
  expect(ask(client, "XINFO GROUPS s")).toContain("consumers 4) (integer) 2");
  client.line("XADD s 1-1 f v");
  expect(got(one)).toContain("1-1");
  expect(got(two)).toBe("");
  expect(lines.filter((line) => line.startsWith("X"))).toEqual([
    "XGROUP CREATECONSUMER s g a",
    "XGROUP CREATECONSUMER s g b",
    "XADD s 1-1 f v",
    "XGROUP SETID s g 1-1 ENTRIESREAD 1",
  ]);
});

describe("XREADGROUP CLAIM", () => {
  test("idle entries come first, the longest idle one at first, with idle time and deliveries", () => {
    const server = testServer();
    const client = server.connect();
    for (let i = 1; i <= 4; i++) client.line(`XADD s ${i}-0 f v`);
    client.line("XGROUP CREATE s g 0");
    client.line("XREADGROUP GROUP g a COUNT 2 STREAMS s >");
    server.advance(50);
    client.line("XCLAIM s g a 0 1-0 JUSTID");
    server.advance(100);
    client.line("XREADGROUP GROUP g a COUNT 1 STREAMS s >");
    expect(ask(client, "XREADGROUP GROUP g b CLAIM 100 STREAMS s >")).toBe(
      "1) 1) s 2) 1) 1) 2-0 2) 1) f 2) v 3) (integer) 150 4) (integer) 1" +
        " 2) 1) 1-0 2) 1) f 2) v 3) (integer) 100 4) (integer) 1" +
        " 3) 1) 4-0 2) 1) f 2) v 3) (integer) 0 4) (integer) 0",
    );
    expect(client.line("XREADGROUP GROUP g b CLAIM 100 STREAMS s >")).toBe("(nil)");
    server.advance(100);
    // COUNT is for both kinds together; NOACK leaves what is pending pending.
    expect(ask(client, "XREADGROUP GROUP g c COUNT 1 NOACK CLAIM 100 STREAMS s >")).toContain("1) 1) s 2) 1) 1) 1-0");
    expect(ask(client, "XPENDING s g")).toContain("1) (integer) 4");
    // Every pending entry once, even those that were claimed right now.
    expect(client.line("XREADGROUP GROUP g d CLAIM 0 STREAMS s >").match(/\d-0/g)).toEqual([
      "2-0",
      "3-0",
      "4-0",
      "1-0",
    ]);
    client.line("XTRIM s MAXLEN 0");
    expect(client.line("XREADGROUP GROUP g d CLAIM 0 STREAMS s >")).toBe("(nil)");
  });

  test("a client that waits gets an entry when it has been idle long enough", () => {
    const server = testServer();
    const client = server.connect();
    client.line("XADD s 1-0 f v");
    client.line("XADD s 2-0 f v");
    client.line("XGROUP CREATE s g 0");
    client.line("XREADGROUP GROUP g a STREAMS s >");
    client.line("XDEL s 1-0");
    const one = waiting(server, "XREADGROUP GROUP g b BLOCK 5000 CLAIM 1000 STREAMS s >");
    const two = waiting(server, "XREADGROUP GROUP g c BLOCK 1500 CLAIM 1000 STREAMS s >");
    server.advance(900);
    server.engine.blocking.expire();
    expect(got(one)).toBe("");
    server.advance(101);
    server.engine.blocking.expire();
    expect(got(one)).toBe("1) 1) s 2) 1) 1) 2-0 2) 1) f 2) v 3) (integer) 1001 4) (integer) 1");
    expect(got(two)).toBe("");
    server.advance(500);
    server.engine.blocking.expire();
    expect(got(two)).toBe("(nil)");
  });

  test("errors", () =>
    transcript(`
      > XGROUP CREATE s g 0 MKSTREAM
      OK
      > XREADGROUP GROUP g a CLAIM x STREAMS s >
      (error) ERR min-idle-time is not an integer or out of range
      > XREADGROUP GROUP g a CLAIM -1 STREAMS s >
      (error) ERR min-idle-time must be a positive integer
      > XREAD CLAIM 1 STREAMS s 0
      (error) ERR The CLAIM option is only supported by XREADGROUP. You called XREAD instead.
      > XREADGROUP GROUP g a STREAMS s $
      (error) ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set.
      > XREAD COUNT 1 STREAMS s
      (error) ERR Unbalanced 'xread' list of streams: for each stream key an ID, '+', or '$' must be specified.
      > XREADGROUP GROUP g a CLAIM 10 COUNT 1 CLAIM 9223372036854775807 STREAMS s >
      (nil)`));
});

describe("as a value", () => {
  test("TYPE, OBJECT ENCODING, MEMORY USAGE, COPY, DEBUG DIGEST-VALUE, UNLINK", () => {
    const server = testServer();
    expect(server.engine.config.loadText("enable-debug-command yes\n")).toBeNull();
    const client = server.connect();
    for (let i = 1; i <= 500; i++) client.line(`XADD s ${i}-1 f value:${i}`);
    client.line("XGROUP CREATE s g 0");
    client.line("XREADGROUP GROUP g c STREAMS s >");
    expect(client.line("TYPE s")).toBe("stream");
    expect(client.line("OBJECT ENCODING s")).toBe("stream");
    expect(Number(client.line("MEMORY USAGE s SAMPLES 0").slice(10))).toBeGreaterThan(500 * 80);
    expect(client.line("COPY s t")).toBe("(integer) 1");
    expect(client.line("DEBUG DIGEST-VALUE t")).toBe(client.line("DEBUG DIGEST-VALUE s"));
    expect(client.line("XPENDING t g - + 500")).toBe(client.line("XPENDING s g - + 500"));
    client.line("XDEL t 1-1");
    expect(client.line("DEBUG DIGEST-VALUE t")).not.toBe(client.line("DEBUG DIGEST-VALUE s"));
    expect(client.line("XLEN s")).toBe("(integer) 500");
    expect(client.line("UNLINK s t")).toBe("(integer) 2");
  });

  test("RESP3: maps of streams and of facts", () => {
    const client = testServer().connect();
    client.line("HELLO 3");
    client.line("XADD s 1-1 f v");
    expect(Buffer.from(client.raw("XREAD", "STREAMS", "s", "0")).toString()).toStartWith(
      "%1\r\n$1\r\ns\r\n*1\r\n*2\r\n",
    );
    expect(Buffer.from(client.raw("XINFO", "STREAM", "s")).toString()).toStartWith("%10\r\n$6\r\nlength\r\n:1\r\n");
  });
});

test("XGROUP SETID looks at its options, then for the group, and at last whether an option is there twice", () => {
  const client = testServer().connect();
  const twice = "XGROUP SETID s g 1-1 ENTRIESREAD 1 ENTRIESREAD 2";
  expect(client.line("XGROUP SETID s g 1-1 ENTRIESREAD entriesread 1")).toContain("value is not an integer");
  expect(client.line(twice)).toContain("requires the key to exist");
  client.line("XGROUP CREATE s other $ MKSTREAM");
  expect(client.line(twice)).toContain("NOGROUP");
  client.line("XGROUP CREATE s g $");
  expect(client.line(twice)).toContain("unknown subcommand or wrong number of arguments for 'SETID'");
});
