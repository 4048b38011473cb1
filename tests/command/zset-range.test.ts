// Ranges of sorted sets and their unions, intersections and differences, as dialogues, in both encodings.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { type TestServer, testServer, transcript } from "../support/engine.ts";

// An arena that needs its first large segment may wait for seconds until the system has cleared it.
setDefaultTimeout(60_000);

function serverFor(encoding: "listpack" | "skiplist"): TestServer {
  const server = testServer();
  if (encoding === "skiplist") server.connect().line("CONFIG SET zset-max-listpack-entries 0");
  return server;
}

describe.each(["listpack", "skiplist"] as const)("%s", (encoding) => {
  test("ranges of ranks", () => {
    transcript(
      `
      > ZADD z 1 a 2 b 3 c 4 d
      (integer) 4
      > ZRANGE z 0 -1
      1) a
      2) b
      3) c
      4) d
      > ZRANGE z -2 10
      1) c
      2) d
      > ZRANGE z 1 2 REV WITHSCORES
      1) c
      2) 3
      3) b
      4) 2
      > ZREVRANGE z 0 0 WITHSCORES
      1) d
      2) 4
      > ZRANGE z 2 1
      (empty array)
      > ZRANGE z 4 9
      (empty array)
      > ZRANGE none 0 -1
      (empty array)
      > ZRANGE z 0 -1 LIMIT 0 1
      (error) ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX
      > ZRANGE z a -1
      (error) ERR value is not an integer or out of range
      `,
      serverFor(encoding),
    );
  });

  test("ranges of scores", () => {
    transcript(
      `
      > ZADD z -inf low 1 a 2 b 2 c 3 d inf high
      (integer) 6
      > ZRANGE z 1 2 BYSCORE
      1) a
      2) b
      3) c
      > ZRANGE z (1 (3 BYSCORE WITHSCORES
      1) b
      2) 2
      3) c
      4) 2
      > ZRANGEBYSCORE z -inf +inf LIMIT 1 2
      1) a
      2) b
      > ZRANGEBYSCORE z (-inf (+inf LIMIT 1 -1
      1) b
      2) c
      3) d
      > ZREVRANGEBYSCORE z +inf 2
      1) high
      2) d
      3) c
      4) b
      > ZRANGE z +inf 2 BYSCORE REV LIMIT 1 2
      1) d
      2) c
      > ZRANGEBYSCORE z 5 1
      (empty array)
      > ZRANGEBYSCORE z (2 (2
      (empty array)
      > ZRANGEBYSCORE z 1 3 LIMIT 9 1
      (empty array)
      > ZCOUNT z 1 (3
      (integer) 3
      > ZCOUNT z (inf inf
      (integer) 0
      > ZCOUNT z x 1
      (error) ERR min or max is not a float
      > ZCOUNT none 0 1
      (integer) 0
      `,
      serverFor(encoding),
    );
  });

  test("ranges of names", () => {
    transcript(
      `
      > ZADD z 0 a 0 b 0 c 0 ca 0 cb 0 d
      (integer) 6
      > ZRANGE z [b (cb BYLEX
      1) b
      2) c
      3) ca
      > ZRANGEBYLEX z - [b
      1) a
      2) b
      > ZREVRANGEBYLEX z + (ca LIMIT 0 5
      1) d
      2) cb
      > ZRANGE z [cb [b BYLEX REV LIMIT 1 2
      1) ca
      2) c
      > ZRANGEBYLEX z + -
      (empty array)
      > ZRANGEBYLEX z (a (a
      (empty array)
      > ZLEXCOUNT z - +
      (integer) 6
      > ZLEXCOUNT z [c (d
      (integer) 3
      > ZLEXCOUNT z c d
      (error) ERR min or max not valid string range item
      > ZRANGE z - + BYLEX WITHSCORES
      (error) ERR syntax error, WITHSCORES not supported in combination with BYLEX
      > ZRANGE z - + BYLEX BYSCORE
      (error) ERR syntax error
      `,
      serverFor(encoding),
    );
  });

  test("ranges are stored", () => {
    transcript(
      `
      > ZADD z 1 a 2 b 3 c 4 d
      (integer) 4
      > ZRANGESTORE t z 1 2
      (integer) 2
      > ZRANGE t 0 -1 WITHSCORES
      1) b
      2) 2
      3) c
      4) 3
      > OBJECT ENCODING t
      ${encoding}
      > ZRANGESTORE t z (4 -inf BYSCORE REV LIMIT 1 1
      (integer) 1
      > ZRANGE t 0 -1
      1) b
      > ZRANGESTORE z z 0 0 REV
      (integer) 1
      > ZRANGE z 0 -1
      1) d
      > ZRANGESTORE t none 0 -1
      (integer) 0
      > EXISTS t
      (integer) 0
      > ZRANGESTORE t z 0 -1 WITHSCORES
      (error) ERR syntax error
      `,
      serverFor(encoding),
    );
  });

  test("unions, intersections and differences, sets among them", () => {
    transcript(
      `
      > ZADD x 1 a 2 b 3 c
      (integer) 3
      > ZADD y 10 b 20 c 30 d
      (integer) 3
      > SADD s a d
      (integer) 2
      > ZUNION 2 x y WITHSCORES
      1) a
      2) 1
      3) b
      4) 12
      5) c
      6) 23
      7) d
      8) 30
      > ZUNION 3 x y s WEIGHTS 2 1 100 AGGREGATE MAX WITHSCORES
      1) b
      2) 10
      3) c
      4) 20
      5) a
      6) 100
      7) d
      8) 100
      > ZINTER 2 x y AGGREGATE MIN WITHSCORES
      1) b
      2) 2
      3) c
      4) 3
      > ZINTER 2 x s WITHSCORES
      1) a
      2) 2
      > ZDIFF 2 x s WITHSCORES
      1) b
      2) 2
      3) c
      4) 3
      > ZDIFF 2 x x
      (empty array)
      > ZINTERCARD 2 x y
      (integer) 2
      > ZINTERCARD 2 x y LIMIT 1
      (integer) 1
      > ZUNIONSTORE t 2 x none WEIGHTS -1 5
      (integer) 3
      > ZRANGE t 0 -1 WITHSCORES
      1) c
      2) -3
      3) b
      4) -2
      5) a
      6) -1
      > ZINTERSTORE t 2 x y
      (integer) 2
      > ZDIFFSTORE t 2 y x
      (integer) 1
      > ZRANGE t 0 -1 WITHSCORES
      1) d
      2) 30
      > ZINTERSTORE t 2 x none
      (integer) 0
      > EXISTS t
      (integer) 0
      > ZUNION 1 none
      (empty array)
      `,
      serverFor(encoding),
    );
  });

  test("a range as long as the set is answered whole, in both directions", () => {
    const client = serverFor(encoding).connect();
    const count = 120;
    for (let i = 0; i < count; i++) client.raw("ZADD", "z", String(i), `member ${i}`);
    const names = Array.from({ length: count }, (_, i) => `member ${i}`);
    const lines = (text: string) =>
      client
        .line(text)
        .split("\n")
        .map((line) => line.replace(/^\d+\) /, ""));
    expect(lines("ZRANGE z 0 -1")).toEqual(names);
    expect(lines("ZRANGE z 0 -1 REV")).toEqual(names.toReversed());
    expect(lines("ZRANGEBYSCORE z 30 90")).toEqual(names.slice(30, 91));
    expect(lines("ZREVRANGEBYSCORE z 90 30")).toEqual(names.slice(30, 91).toReversed());
    expect(lines("ZRANGE z 5 7 WITHSCORES")).toEqual(["member 5", "5", "member 6", "6", "member 7", "7"]);
  });
});

test("opposite infinities make 0, and so does an infinity of weight 0", () => {
  transcript(`
    > ZADD x inf a
    (integer) 1
    > ZADD y -inf a
    (integer) 1
    > ZUNION 2 x y WITHSCORES
    1) a
    2) 0
    > ZUNION 1 x WEIGHTS 0 WITHSCORES
    1) a
    2) 0
  `);
});

test("what combinations refuse", () => {
  transcript(`
    > ZADD z 1 a
    (integer) 1
    > ZUNION 0 z
    (error) ERR at least 1 input key is needed for 'zunion' command
    > ZUNIONSTORE t x z
    (error) ERR value is not an integer or out of range
    > ZUNION 2 z
    (error) ERR syntax error
    > ZUNION 1 z WEIGHTS x
    (error) ERR weight value is not a float
    > ZUNION 1 z AGGREGATE AVG
    (error) ERR syntax error
    > ZUNIONSTORE t 1 z WITHSCORES
    (error) ERR syntax error
    > ZDIFF 1 z WEIGHTS 1
    (error) ERR syntax error
    > ZINTERCARD 1 z LIMIT -1
    (error) ERR LIMIT can't be negative
    > SET s v
    OK
    > ZUNION 2 z s
    (error) WRONGTYPE Operation against a key holding the wrong kind of value
  `);
});
