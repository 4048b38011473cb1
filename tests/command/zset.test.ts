// Sorted sets, as dialogues: additions, scores, ranks and removals in both encodings, conversions, events, propagation, waiting clients.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { Target } from "../../src/engine/propagation.ts";
import { type TestClient, type TestServer, testServer, transcript } from "../support/engine.ts";
import { formatReply } from "../support/transcript-reply.ts";

// An arena that needs its first large segment may wait for seconds until the system has cleared it.
setDefaultTimeout(60_000);

const ENCODINGS = ["listpack", "skiplist"] as const;

/** A server whose sorted sets have the encoding from the start. */
function serverFor(encoding: (typeof ENCODINGS)[number]): TestServer {
  const server = testServer();
  if (encoding === "skiplist") server.connect().line("CONFIG SET zset-max-listpack-entries 0");
  return server;
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
    .map((reply) => formatReply(reply).replaceAll(/\s+/g, " "))
    .join(" | ");
}

describe.each(ENCODINGS)("%s", (encoding) => {
  test("members get scores, and lose them", () => {
    transcript(
      `
      > ZADD z 1 a 2 b 1.5 c
      (integer) 3
      > OBJECT ENCODING z
      ${encoding}
      > ZADD z 3 a 4 d
      (integer) 1
      > ZADD z CH 3 a 5 d
      (integer) 1
      > ZADD z NX 9 a 6 e
      (integer) 1
      > ZADD z XX CH 2.5 b 7 f
      (integer) 1
      > ZADD z GT CH 1 a 4 b
      (integer) 1
      > ZADD z LT CH 9 a 3.5 b 8 g
      (integer) 2
      > ZRANGE z 0 -1 WITHSCORES
      1) c
      2) 1.5
      3) a
      4) 3
      5) b
      6) 3.5
      7) d
      8) 5
      9) e
      10) 6
      11) g
      12) 8
      > ZCARD z
      (integer) 6
      > ZSCORE z b
      3.5
      > ZSCORE z x
      (nil)
      > ZMSCORE z a x c
      1) 3
      2) (nil)
      3) 1.5
      > ZMSCORE none a
      1) (nil)
      > ZREM z a x b
      (integer) 2
      > ZREM z c d e g
      (integer) 4
      > EXISTS z
      (integer) 0
      `,
      serverFor(encoding),
    );
  });

  test("increments", () => {
    transcript(
      `
      > ZINCRBY z 2.5 a
      2.5
      > ZINCRBY z -1 a
      1.5
      > ZADD z INCR 1 a
      2.5
      > ZADD z NX INCR 1 a
      (nil)
      > ZADD z XX INCR 1 b
      (nil)
      > ZADD z GT INCR -1 a
      (nil)
      > ZADD z LT INCR -1 a
      1.5
      > ZADD none XX INCR 1 a
      (nil)
      > EXISTS none
      (integer) 0
      > ZADD z inf a
      (integer) 0
      > ZINCRBY z -inf a
      (error) ERR resulting score is not a number (NaN)
      > ZSCORE z a
      inf
      > ZINCRBY z 1e400 a
      (error) ERR value is not a valid float
      `,
      serverFor(encoding),
    );
  });

  test("ranks", () => {
    transcript(
      `
      > ZADD z 1 a 2 c 2 b 3 d
      (integer) 4
      > ZRANK z a
      (integer) 0
      > ZRANK z b
      (integer) 1
      > ZRANK z c
      (integer) 2
      > ZREVRANK z a
      (integer) 3
      > ZRANK z x
      (nil)
      > ZRANK none a
      (nil)
      > ZRANK z c WITHSCORE
      1) (integer) 2
      2) 2
      > ZREVRANK z d WITHSCORE
      1) (integer) 0
      2) 3
      > ZRANK z x WITHSCORE
      (nil)
      > ZRANK z a WITHSCORES
      (error) ERR syntax error
      > ZRANK z a WITHSCORE x
      (error) ERR wrong number of arguments for 'zrank' command
      `,
      serverFor(encoding),
    );
  });

  test("the lowest and the highest are popped", () => {
    transcript(
      `
      > ZADD z 1 a 2 b 3 c 4 d 5 e
      (integer) 5
      > ZPOPMIN z
      1) a
      2) 1
      > ZPOPMAX z 2
      1) e
      2) 5
      3) d
      4) 4
      > ZPOPMIN z 0
      (empty array)
      > ZPOPMIN z -1
      (error) ERR value is out of range, must be positive
      > ZMPOP 2 none z MAX
      1) z
      2)    1)       1) c
      2) 3
      > ZMPOP 1 z MIN COUNT 10
      1) z
      2)    1)       1) b
      2) 2
      > EXISTS z
      (integer) 0
      > ZMPOP 1 z MIN
      (nil)
      > ZPOPMAX z
      (empty array)
      > ZMPOP 0 z MIN
      (error) ERR numkeys should be greater than 0
      > ZMPOP 1 z MID
      (error) ERR syntax error
      > ZMPOP 1 z MIN COUNT 0
      (error) ERR count should be greater than 0
      `,
      serverFor(encoding),
    );
  });

  test("removals by rank, score and name", () => {
    transcript(
      `
      > ZADD z 1 a 2 b 3 c 4 d 5 e 6 f
      (integer) 6
      > ZREMRANGEBYRANK z -2 -1
      (integer) 2
      > ZREMRANGEBYSCORE z (1 2
      (integer) 1
      > ZREMRANGEBYSCORE z 7 9
      (integer) 0
      > ZRANGE z 0 -1
      1) a
      2) c
      3) d
      > ZADD n 0 a 0 b 0 c
      (integer) 3
      > ZREMRANGEBYLEX n [b +
      (integer) 2
      > ZREMRANGEBYLEX n - (b
      (integer) 1
      > EXISTS n
      (integer) 0
      > ZREMRANGEBYRANK none 0 -1
      (integer) 0
      `,
      serverFor(encoding),
    );
  });

  test("random members", () => {
    const client = serverFor(encoding).connect();
    client.line("ZADD z 1 a 2 b 3 c");
    expect(["a", "b", "c"]).toContain(client.line("ZRANDMEMBER z"));
    expect(client.line("ZRANDMEMBER z 10 WITHSCORES").split("\n").length).toBe(6);
    expect(client.line("ZRANDMEMBER z 2").split("\n").length).toBe(2);
    expect(client.line("ZRANDMEMBER z -7").split("\n").length).toBe(7);
    for (const line of client.line("ZRANDMEMBER z -40 WITHSCORES").matchAll(/\d+\) ([a-c])\n\d+\) (\d)/g))
      expect(line[2]).toBe(String("abc".indexOf(line[1]!) + 1));
    expect(client.line("ZRANDMEMBER z 0")).toBe("(empty array)");
    expect(client.line("ZRANDMEMBER none")).toBe("(nil)");
    expect(client.line("ZRANDMEMBER none 3")).toBe("(empty array)");
    expect(client.line("ZRANDMEMBER z 1 WITHSCORE")).toBe("(error) ERR syntax error");
  });
});

test("scores are printed as doubles are; a listpack has no -0", () => {
  transcript(`
    > ZADD z 0.1 a 1e21 b 1e22 c -1e-7 d 17.5e-1 e 0x10 f -inf g 9007199254740993 h -0 i
    (integer) 9
    > ZMSCORE z a b c d e f g h i
    1) 0.1
    2) 1e+21
    3) 1e+22
    4) -1e-7
    5) 1.75
    6) 16
    7) -inf
    8) 9007199254740992
    9) 0
    > CONFIG SET zset-max-listpack-entries 0
    OK
    > ZADD t -0 i
    (integer) 1
    > ZSCORE t i
    -0
  `);
});

test("what ZADD refuses changes nothing", () => {
  transcript(`
    > ZADD z 1
    (error) ERR wrong number of arguments for 'zadd' command
    > ZADD z 1 a 2
    (error) ERR syntax error
    > ZADD z NX XX
    (error) ERR syntax error
    > ZADD z NX XX 1 a
    (error) ERR XX and NX options at the same time are not compatible
    > ZADD z NX GT 1 a
    (error) ERR GT, LT, and/or NX options at the same time are not compatible
    > ZADD z GT LT 1 a
    (error) ERR GT, LT, and/or NX options at the same time are not compatible
    > ZADD z INCR 1 a 2 b
    (error) ERR INCR option supports a single increment-element pair
    > ZADD z 1 a x b
    (error) ERR value is not a valid float
    > ZADD z nan a
    (error) ERR value is not a valid float
    > EXISTS z
    (integer) 0
    > SET s v
    OK
    > ZADD s 1 a
    (error) WRONGTYPE Operation against a key holding the wrong kind of value
    > ZSCORE s a
    (error) WRONGTYPE Operation against a key holding the wrong kind of value
  `);
});

test("a listpack becomes a table by number or length of members, and stays one", () => {
  const client = testServer().connect();
  const encoding = () => client.line("OBJECT ENCODING z");
  client.line("CONFIG SET zset-max-listpack-entries 3");
  client.line("ZADD z 1 a 2 b 3 c");
  expect(encoding()).toBe("listpack");
  client.line("ZADD z 9 a 8 b 7 c");
  expect(encoding()).toBe("listpack");
  client.line("ZADD z 4 d");
  expect(encoding()).toBe("skiplist");
  expect(client.line("ZRANGE z 0 -1")).toBe("1) d\n2) c\n3) b\n4) a");
  client.line("ZREM z a b c");
  expect(encoding()).toBe("skiplist");
  client.line("DEL z");
  client.line(`ZADD z 1 ${"x".repeat(64)}`);
  expect(encoding()).toBe("listpack");
  client.line(`ZADD z 1 ${"x".repeat(65)}`);
  expect(encoding()).toBe("skiplist");
  client.line("ZUNIONSTORE z 1 z");
  expect(encoding()).toBe("skiplist");
  client.line(`ZREM z ${"x".repeat(65)}`);
  client.line("ZUNIONSTORE z 1 z");
  expect(encoding()).toBe("listpack");
  client.line("ZADD new 1 a 2 b 3 c 4 d");
  expect(client.line("OBJECT ENCODING new")).toBe("skiplist");
});

test("RESP3: scores are doubles, members come in pairs", () => {
  const client = testServer().connect();
  client.line("HELLO 3");
  client.line("ZADD z 1.5 a inf b");
  const text = (...args: string[]) => Buffer.from(client.raw(...args)).toString("latin1");
  expect(text("ZSCORE", "z", "a")).toBe(",1.5\r\n");
  expect(text("ZSCORE", "z", "x")).toBe("_\r\n");
  expect(text("ZINCRBY", "z", "1", "a")).toBe(",2.5\r\n");
  expect(text("ZADD", "z", "XX", "INCR", "1", "x")).toBe("_\r\n");
  expect(text("ZRANGE", "z", "0", "-1", "WITHSCORES")).toBe("*2\r\n*2\r\n$1\r\na\r\n,2.5\r\n*2\r\n$1\r\nb\r\n,inf\r\n");
  expect(text("ZRANK", "z", "b", "WITHSCORE")).toBe("*2\r\n:1\r\n,inf\r\n");
  expect(text("ZRANDMEMBER", "z", "-1", "WITHSCORES")).toMatch(/^\*1\r\n\*2\r\n\$1\r\n[ab]\r\n,/);
  expect(text("ZPOPMIN", "z")).toBe("*2\r\n$1\r\na\r\n,2.5\r\n");
  expect(text("ZPOPMIN", "z", "1")).toBe("*1\r\n*2\r\n$1\r\nb\r\n,inf\r\n");
  expect(text("ZMPOP", "1", "z", "MIN")).toBe("_\r\n");
});

test("events, in order", () => {
  const server = testServer();
  const client = server.connect();
  const listener = server.connect();
  client.line("CONFIG SET notify-keyspace-events KA");
  listener.line("PSUBSCRIBE __keyspace@0__:*");
  listener.pushed();
  for (const line of [
    "ZADD z 1 a 2 b 3 c 4 d 5 e",
    "ZADD z 1 a",
    "ZINCRBY z 1 a",
    "ZREM z x",
    "ZREM z a",
    "ZREMRANGEBYRANK z 0 0",
    "ZREMRANGEBYSCORE z 3 3",
    "ZRANGESTORE y z 0 -1",
    "ZUNIONSTORE y 1 z",
    "ZPOPMIN z",
    "ZMPOP 1 z MAX",
    "ZINTERSTORE y 2 y none",
  ])
    client.line(line);
  const events = listener
    .pushed()
    .map((message) => /:(.) 4\) (\w+)$/.exec(formatReply(message).replaceAll(/\s+/g, " "))?.slice(1).join(" "));
  expect(events).toEqual([
    "z zadd",
    "z zincr",
    "z zrem",
    "z zremrangebyrank",
    "z zremrangebyscore",
    "y zrangestore",
    "y zunionstore",
    "z zpopmin",
    "z zpopmax",
    "z del",
    "y del",
  ]);
});

test("results that are stored announce what they replace", () => {
  const server = testServer();
  const client = server.connect();
  const listener = server.connect();
  client.line("CONFIG SET notify-keyspace-events KAnoc");
  client.line("ZADD z 1 a");
  client.line("SET s v");
  listener.line("PSUBSCRIBE __keyspace@0__:*");
  listener.pushed();
  client.line("ZUNIONSTORE t 1 z");
  client.line("ZRANGESTORE t z 0 -1");
  client.line("ZUNIONSTORE s 1 z");
  const events = got(listener).replaceAll(/3\) __keyspace@0__:|[12]\) (pmessage|\S+\*) /g, "");
  expect(events.split(" | ")).toEqual([
    "t 4) new",
    "t 4) zunionstore",
    "t 4) overwritten",
    "t 4) zrangestore",
    "s 4) overwritten",
    "s 4) type_changed",
    "s 4) zunionstore",
  ]);
});

describe("waiting clients", () => {
  test("are served in the order in which they came", () => {
    const server = testServer();
    const [one, two, client] = [server.connect(), server.connect(), server.connect()];
    one.line("BZPOPMIN none z 0");
    two.line("BZPOPMAX z 0");
    client.line("ZADD z 1 a 2 b 3 c");
    expect(got(one)).toBe("1) z 2) a 3) 1");
    expect(got(two)).toBe("1) z 2) c 3) 3");
    expect(client.line("ZRANGE z 0 -1")).toBe("1) b");
  });

  test("BZMPOP takes several, and what happened is propagated", () => {
    const server = testServer();
    const [one, client] = [server.connect(), server.connect()];
    const lines = propagated(server);
    one.line("BZMPOP 0 2 none z MIN COUNT 2");
    client.line("ZADD z 1 a 2 b 3 c");
    expect(got(one)).toBe("1) z 2) 1) 1) a 2) 1 2) 1) b 2) 2");
    expect(lines.filter((line) => !/^(MULTI|EXEC)$/.test(line))).toEqual(["ZADD z 1 a 2 b 3 c", "ZPOPMIN z 2"]);
  });

  test("time runs out; nobody waits in a transaction; a value of another type wakes nobody", () => {
    const server = testServer();
    const [one, client] = [server.connect(), server.connect()];
    one.line("BZPOPMIN z 0.5");
    client.line("SADD z a");
    expect(client.line("BZPOPMIN z 0")).toBe(
      "(error) WRONGTYPE Operation against a key holding the wrong kind of value",
    );
    server.advance(499);
    server.engine.blocking.expire();
    expect(got(one)).toBe("");
    server.advance(2);
    server.engine.blocking.expire();
    expect(got(one)).toBe("(nil)");
    client.line("DEL z");
    client.line("MULTI");
    client.line("BZPOPMAX z 0");
    expect(client.line("EXEC")).toBe("1) (nil)");
    expect(client.line("BZPOPMIN z x")).toBe("(error) ERR timeout is not a float or out of range");
    expect(client.line("BZPOPMIN z -1")).toBe("(error) ERR timeout is negative");
  });
});

test("a large sorted set is freed in steps and leaves nothing behind", () => {
  const server = testServer();
  const client = server.connect();
  const { arena, lazyFree } = server.engine.keyspace;
  const used = arena.usedBytes;
  for (let i = 0; i < 20_000; i += 500)
    client.raw(
      "ZADD",
      "z",
      ...Array.from({ length: 500 }, (_, k) => [String((i + k) % 977), `member ${i + k}`]).flat(),
    );
  expect(client.line("UNLINK z")).toBe("(integer) 1");
  let steps = 0;
  while (!lazyFree.step(500)) steps++;
  expect(steps).toBeGreaterThan(20);
  expect(arena.usedBytes).toBeLessThan(used + 5000);
  arena.check();
});
