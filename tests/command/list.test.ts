// The list commands, as dialogues: encodings and their conversions, events, propagation, and clients that wait.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { Target } from "../../src/engine/propagation.ts";
import { type TestClient, type TestServer, testServer, transcript } from "../support/engine.ts";
import { formatReply } from "../support/transcript-reply.ts";

// An arena that needs its first large segment may wait for seconds until the system has cleared it.
setDefaultTimeout(60_000);

/** A client that may use DEBUG. */
function debugClient(): TestClient {
  const server = testServer();
  expect(server.engine.config.loadText("enable-debug-command yes\n")).toBeNull();
  return server.connect();
}

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

/** What a client got since, as text. */
function got(client: TestClient): string {
  return client
    .pushed()
    .map((reply) => formatReply(reply).replaceAll("\n", " "))
    .join(" | ");
}

/** A client that has sent a command which waits. */
function waiting(server: TestServer, line: string): TestClient {
  const client = server.connect();
  expect(client.line(line)).toBe("");
  return client;
}

describe("encodings", () => {
  test("a listpack that grows becomes a quicklist, and one again at half the size", () => {
    const client = debugClient();
    client.line("CONFIG SET list-max-listpack-size 4");
    client.line("RPUSH l 1 2 3 4");
    expect(client.line("OBJECT ENCODING l")).toBe("listpack");
    client.line("RPUSH l 5");
    expect(client.line("OBJECT ENCODING l")).toBe("quicklist");
    client.line("LPOP l 2");
    expect(client.line("OBJECT ENCODING l")).toBe("quicklist");
    client.line("RPOP l");
    expect(client.line("OBJECT ENCODING l")).toBe("listpack");
    expect(client.line("LRANGE l 0 -1")).toBe("1) 3\n2) 4");
  });

  test("bytes count as well; a large element gets a node of its own", () => {
    const client = debugClient();
    client.line("RPUSH l a");
    client.line(`RPUSH l ${"x".repeat(9000)}`);
    expect(client.line("OBJECT ENCODING l")).toBe("quicklist");
    expect(client.line("DEBUG OBJECT l")).toContain("ql_nodes:2");
    client.line("LSET l 1 b");
    expect(client.line("LRANGE l 0 -1")).toBe("1) a\n2) b");
    // As in Redis, the small element has a node of its own, too, until one of the two nodes goes.
    expect(client.line("DEBUG OBJECT l")).toContain("ql_nodes:2");
    client.line("LREM l 0 a");
    expect(client.line("OBJECT ENCODING l")).toBe("listpack");
  });

  test("DEBUG QUICKLIST-PACKED-THRESHOLD", () => {
    const client = debugClient();
    expect(client.line("DEBUG QUICKLIST-PACKED-THRESHOLD 5b")).toBe("OK");
    client.line("CONFIG SET list-max-listpack-size 1");
    client.line("RPUSH l a bbbbb c");
    expect(client.line("DEBUG OBJECT l")).toContain("ql_nodes:3");
    expect(client.line("DEBUG QUICKLIST-PACKED-THRESHOLD x")).toStartWith(
      "(error) ERR argument must be a memory value",
    );
    expect(client.line("DEBUG QUICKLIST-PACKED-THRESHOLD 4gb")).toStartWith("(error)");
  });

  test("compressed lists read and change alike", () => {
    const client = debugClient();
    client.line("CONFIG SET list-max-listpack-size 2");
    client.line("CONFIG SET list-compress-depth 1");
    const texts = Array.from({ length: 12 }, (_, i) => `${i}`.repeat(80));
    client.line(`RPUSH l ${texts.join(" ")}`);
    expect(client.line("LINDEX l 5")).toBe(texts[5]!);
    expect(client.line(`LPOS l ${texts[7]}`)).toBe("(integer) 7");
    expect(client.line(`LREM l 0 ${texts[6]}`)).toBe("(integer) 1");
    expect(client.line(`LINSERT l BEFORE ${texts[7]} new`)).toBe("(integer) 12");
    texts[6] = "new";
    expect(client.line("LRANGE l 0 -1")).toBe(texts.map((text, i) => `${i + 1}) ${text}`).join("\n"));
    expect(client.line("COPY l m")).toBe("(integer) 1");
    expect(client.line("DEBUG DIGEST-VALUE l")).toMatch(/^1\) [0-9a-f]{40}$/);
    expect(client.line("DEBUG DIGEST-VALUE l")).toBe(client.line("DEBUG DIGEST-VALUE m"));
  });
});

test("ends, indexes, searches", () => {
  transcript(`
    > RPUSH l a b c b
    (integer) 4
    > LPUSHX none x
    (integer) 0
    > LINDEX l -1
    b
    > LINDEX l 9
    (nil)
    > LPOS l b RANK -1
    (integer) 3
    > LPOS l b COUNT 0
    1) (integer) 1
    2) (integer) 3
    > LPOS l x COUNT 1
    (empty array)
    > LPOS l b RANK 0
    (error) ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list
    > LSET l 9 x
    (error) ERR index out of range
    > LSET none 0 x
    (error) ERR no such key
    > LINSERT l AFTER c d
    (integer) 5
    > LINSERT l AFTER none d
    (integer) -1
    > LREM l -1 b
    (integer) 1
    > LTRIM l 1 2
    OK
    > LRANGE l 0 -1
    1) b
    2) c
    > RPOP l 9
    1) c
    2) b
    > EXISTS l
    (integer) 0
    > LPOP l 0
    (nil)
    > LPOP l -1
    (error) ERR value is out of range, must be positive
    > LPOP l 1 2
    (error) ERR wrong number of arguments for 'lpop' command
    > SET s v
    OK
    > LPUSH s a
    (error) WRONGTYPE Operation against a key holding the wrong kind of value
    `);
});

test("moves, within a list too", () => {
  transcript(`
    > RPUSH l 1 2 3
    (integer) 3
    > LMOVE l l LEFT RIGHT
    1
    > RPOPLPUSH l m
    1
    > LMOVE l m RIGHT MIDDLE
    (error) ERR syntax error
    > LRANGE l 0 -1
    1) 2
    2) 3
    > LMPOP 2 none l RIGHT COUNT 9
    1) l
    2)    1) 3
    2) 2
    > LMPOP 1 none LEFT
    (nil)
    > LMPOP 0 l LEFT
    (error) ERR numkeys should be greater than 0
    `);
});

test("events, in order", () => {
  const server = testServer();
  const listener = server.connect();
  const client = server.connect();
  client.line("CONFIG SET notify-keyspace-events KEA");
  listener.line("PSUBSCRIBE __keyevent@0__:*");
  got(listener);
  for (const line of ["RPUSH l a b", "LMOVE l m LEFT RIGHT", "LTRIM l 5 6", "LREM m 0 a", "RPUSH l a"])
    client.line(line);
  const events = listener.pushed().map((reply) =>
    formatReply(reply)
      .match(/__:(\w+)\n\s*\d+\) (\w+)$/)
      ?.slice(1)
      .join(" "),
  );
  expect(events).toEqual(["rpush l", "rpush m", "lpop l", "ltrim l", "del l", "lrem m", "del m", "rpush l"]);
});

describe("waiting", () => {
  test("clients are served in the order in which they came, one element each", () => {
    const server = testServer();
    const [a, b] = [waiting(server, "BLPOP k 0"), waiting(server, "BRPOP other k 0")];
    server.connect().line("RPUSH k 1 2 3");
    expect([got(a), got(b)]).toEqual(["1) k 2) 1", "1) k 2) 3"]);
    expect(server.connect().line("LRANGE k 0 -1")).toBe("1) 2");
  });

  test("a move that waited wakes who waits for its target", () => {
    const server = testServer();
    const [a, b] = [waiting(server, "BLMOVE s t LEFT RIGHT 0"), waiting(server, "BLPOP t 0")];
    server.connect().line("RPUSH s v");
    expect([got(a), got(b)]).toEqual(["v", "1) t 2) v"]);
    expect(server.connect().line("EXISTS s t")).toBe("(integer) 0");
  });

  test("a value of another type wakes nobody; a wrong target is an error", () => {
    const server = testServer();
    const client = server.connect();
    client.line("SET t v");
    const [a, b] = [waiting(server, "BRPOPLPUSH s t 0"), waiting(server, "BLMPOP 0 1 q LEFT COUNT 2")];
    client.line("SADD q m");
    client.line("RPUSH s x");
    expect(got(b)).toBe("");
    expect(got(a)).toStartWith("(error) WRONGTYPE");
    client.line("DEL q");
    client.line("RPUSH q 1 2 3");
    expect(got(b)).toBe("1) q 2)    1) 1    2) 2");
  });

  test("time runs out, and nobody waits in a transaction", () => {
    const server = testServer();
    const a = waiting(server, "BLMOVE s t LEFT LEFT 1");
    server.advance(2000);
    server.engine.blocking.expire();
    expect(got(a)).toBe("(nil)");
    const client = server.connect();
    client.line("MULTI");
    client.line("BLPOP k 0");
    client.line("BLMOVE k l LEFT LEFT 0");
    expect(client.line("EXEC")).toBe("1) (nil)\n2) (nil)");
    expect(client.line("BLPOP k -1")).toBe("(error) ERR timeout is negative");
    expect(client.line("BLPOP k x")).toBe("(error) ERR timeout is not a float or out of range");
  });

  test("what happened is propagated, not the wait", () => {
    const server = testServer();
    const lines = propagated(server);
    waiting(server, "BLMOVE s t LEFT RIGHT 0");
    waiting(server, "BRPOP q 0");
    const client = server.connect();
    client.line("RPUSH s v");
    client.line("RPUSH q 1");
    client.line("RPUSH p 1 2 3");
    client.line("LMPOP 1 p LEFT COUNT 2");
    client.line("LTRIM p 0 -1");
    expect(lines.filter((line) => !/^(MULTI|EXEC|SELECT.*)$/.test(line))).toEqual([
      "RPUSH s v",
      "LMOVE s t LEFT RIGHT",
      "RPUSH q 1",
      "RPOP q",
      "RPUSH p 1 2 3",
      "LPOP p 2",
    ]);
  });
});

test("a large list is freed in steps and leaves nothing behind", () => {
  const server = testServer();
  const client = server.connect();
  client.line("CONFIG SET list-max-listpack-size 1");
  client.line("EXISTS warm");
  const before = server.engine.keyspace.arena.usedBytes;
  client.line(`RPUSH l ${Array.from({ length: 500 }, (_, i) => `element${i}`).join(" ")}`);
  expect(client.line("UNLINK l")).toBe("(integer) 1");
  expect(server.engine.keyspace.arena.usedBytes).toBeGreaterThan(before);
  const lazy = server.engine.keyspace.lazyFree;
  let steps = 0;
  while (!lazy.step(64)) steps++;
  expect(steps).toBeGreaterThan(1);
  expect(server.engine.keyspace.arena.usedBytes).toBe(before);
});
