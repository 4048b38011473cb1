// The set commands, as dialogues: in all encodings, with events, propagation and conversions.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { Target } from "../../src/engine/propagation.ts";
import { type TestClient, type TestServer, testServer, transcript } from "../support/engine.ts";

// An arena that needs its first large segment may wait for seconds until the system has cleared it.
setDefaultTimeout(60_000);

const ENCODINGS = ["listpack", "hashtable"] as const;

/** A server whose sets of strings have the encoding from the start. */
function serverFor(encoding: (typeof ENCODINGS)[number]): TestServer {
  const server = testServer();
  if (encoding === "hashtable") server.connect().line("CONFIG SET set-max-listpack-entries 0");
  return server;
}

/** The lines of an array reply, sorted. */
function sorted(reply: string): string[] {
  return reply
    .split("\n")
    .map((line) => line.replace(/^\s*\d+\) /, ""))
    .sort();
}

function range(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, i) => String(from + i));
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

describe.each(ENCODINGS)("%s", (encoding) => {
  test("members come and go, and the set with the last", () => {
    transcript(
      `
      > SADD s a b a
      (integer) 2
      > SADD s b "two words" ""
      (integer) 2
      > OBJECT ENCODING s
      ${encoding}
      > SCARD s
      (integer) 4
      > SISMEMBER s ""
      (integer) 1
      > SISMEMBER s c
      (integer) 0
      > SMISMEMBER s a c b
      1) (integer) 1
      2) (integer) 0
      3) (integer) 1
      > SMISMEMBER none a
      1) (integer) 0
      > SREM s a c ""
      (integer) 2
      > SREM s b "two words" x
      (integer) 2
      > EXISTS s
      (integer) 0
      > SREM s a
      (integer) 0
      > SCARD s
      (integer) 0
      > SISMEMBER s a
      (integer) 0
      `,
      serverFor(encoding),
    );
  });

  test("unions, intersections and differences", () => {
    const client = serverFor(encoding).connect();
    client.line("SADD a 1 2 3 x y");
    client.line("SADD b 2 3 4 y z");
    client.line("SADD i 1 2 3 4");
    expect(sorted(client.line("SINTER a b"))).toEqual(["2", "3", "y"]);
    expect(sorted(client.line("SINTER a b i"))).toEqual(["2", "3"]);
    expect(sorted(client.line("SINTER a a"))).toEqual(["1", "2", "3", "x", "y"]);
    expect(client.line("SINTER a none")).toBe(client.line("SMEMBERS none"));
    expect(sorted(client.line("SUNION a b none i"))).toEqual(["1", "2", "3", "4", "x", "y", "z"]);
    expect(sorted(client.line("SUNION i none"))).toEqual(["1", "2", "3", "4"]);
    expect(sorted(client.line("SDIFF a b"))).toEqual(["1", "x"]);
    expect(sorted(client.line("SDIFF a none i i i i"))).toEqual(["x", "y"]);
    expect(client.line("SDIFF a b a")).toBe(client.line("SMEMBERS none"));
    expect(client.line("SDIFF none a")).toBe(client.line("SMEMBERS none"));
    expect(client.line("SINTERCARD 2 a b")).toBe("(integer) 3");
    expect(client.line("SINTERCARD 2 a b LIMIT 2")).toBe("(integer) 2");
    expect(client.line("SINTERCARD 2 a b LIMIT 0")).toBe("(integer) 3");
    expect(client.line("SINTERCARD 2 a none")).toBe("(integer) 0");
    expect(client.line("SINTERSTORE a a b")).toBe("(integer) 3");
    expect(sorted(client.line("SMEMBERS a"))).toEqual(["2", "3", "y"]);
    expect(client.line("SUNIONSTORE c a b")).toBe("(integer) 5");
    expect(client.line("SDIFFSTORE c c i")).toBe("(integer) 2");
    expect(sorted(client.line("SMEMBERS c"))).toEqual(["y", "z"]);
    expect(client.line("SINTERSTORE c a none")).toBe("(integer) 0");
    expect(client.line("EXISTS c")).toBe("(integer) 0");
    client.line("SET str v");
    client.line("EXPIRE str 100");
    expect(client.line("SUNIONSTORE str a")).toBe("(integer) 3");
    expect(client.line("TTL str")).toBe("(integer) -1");
  });

  test("a walk by SSCAN meets all", () => {
    const client = serverFor(encoding).connect();
    client.line(`SADD s ${range(1, 100).join(" ")} x1 x2`);
    const seen = new Set<string>();
    let cursor = "0";
    do {
      const lines = client.line(`SSCAN s ${cursor} COUNT 7`).split("\n");
      cursor = lines[0]!.replace(/^1\) /, "");
      for (const line of lines.slice(1)) seen.add(line.replace(/^[\s\d)]*\d+\) /, ""));
    } while (cursor !== "0");
    expect(seen.size).toBe(102);
    expect(client.line("SSCAN s 0 MATCH x* COUNT 10000")).toContain("x2");
    expect(client.line("SSCAN none 0")).toBe(client.line("HSCAN none 0"));
  });

  test("random members", () => {
    const client = serverFor(encoding).connect();
    client.line("SADD s a b c d");
    expect(["a", "b", "c", "d"]).toContain(client.line("SRANDMEMBER s"));
    expect(sorted(client.line("SRANDMEMBER s 10"))).toEqual(["a", "b", "c", "d"]);
    expect(new Set(sorted(client.line("SRANDMEMBER s 3"))).size).toBe(3);
    expect(sorted(client.line("SRANDMEMBER s -20")).length).toBe(20);
    expect(new Set(sorted(client.line("SRANDMEMBER s -200"))).size).toBe(4);
    expect(client.line("SRANDMEMBER s 0")).toBe("(empty array)");
    expect(client.line("SRANDMEMBER none 5")).toBe("(empty array)");
    expect(client.line("SRANDMEMBER none")).toBe("(nil)");
  });

  for (const count of [0, 1, 30, 95, 100, 1000]) {
    test(`SPOP of ${count} of 100`, () => {
      const server = serverFor(encoding);
      const client = server.connect();
      client.line(`SADD s ${range(1, 99).join(" ")} x`);
      const lines = propagated(server);
      const popped = count === 0 ? [] : sorted(client.line(`SPOP s ${count}`));
      expect(popped.length).toBe(Math.min(count, 100));
      const left = client.line("EXISTS s") === "(integer) 0" ? [] : sorted(client.line("SMEMBERS s"));
      expect([...popped, ...left].sort()).toEqual([...range(1, 99), "x"].sort());
      if (count >= 100) expect(lines).toEqual(["DEL s"]);
      else expect(lines.map((line) => line.split(" ").slice(2).sort())).toEqual(count > 0 ? [popped] : []);
    });
  }
});

test("errors", () => {
  transcript(`
    > SET str v
    OK
    > SADD str a
    (error) WRONGTYPE Operation against a key holding the wrong kind of value
    > SINTER none str
    (error) WRONGTYPE Operation against a key holding the wrong kind of value
    > SADD s a
    (integer) 1
    > SMOVE s str a
    (error) WRONGTYPE Operation against a key holding the wrong kind of value
    > SMOVE none str a
    (integer) 0
    > SPOP s -1
    (error) ERR value is out of range, must be positive
    > SPOP s x
    (error) ERR value is out of range, must be positive
    > SPOP s 1 2
    (error) ERR syntax error
    > SRANDMEMBER s x
    (error) ERR value is not an integer or out of range
    > SRANDMEMBER s -9223372036854775808
    (error) ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807
    > SRANDMEMBER s 1 2
    (error) ERR syntax error
    > SINTERCARD 0 s
    (error) ERR numkeys should be greater than 0
    > SINTERCARD x s
    (error) ERR numkeys should be greater than 0
    > SINTERCARD 2 s
    (error) ERR Number of keys can't be greater than number of args
    > SINTERCARD 1 s LIMIT -1
    (error) ERR LIMIT can't be negative
    > SINTERCARD 1 s LIMIT
    (error) ERR syntax error
    > SINTERCARD 1 s s
    (error) ERR syntax error
    > SSCAN s x
    (error) ERR invalid cursor
    > SSCAN s 0 NOVALUES
    (error) ERR NOVALUES option can only be used in HSCAN
    > SMEMBERS str
    (error) WRONGTYPE Operation against a key holding the wrong kind of value
  `);
});

test("SMOVE, with its events", () => {
  transcript(`
    > CONFIG SET notify-keyspace-events KEA
    OK
    > SADD a x y
    (integer) 2
    2> PSUBSCRIBE __keyevent@0__:*
    1) psubscribe
    2) __keyevent@0__:*
    3) (integer) 1
    > SMOVE a b x
    (integer) 1
    > SMOVE a b x
    (integer) 0
    > SMOVE a a y
    (integer) 1
    > SMOVE a b y
    (integer) 1
    2< 1) pmessage 2) __keyevent@0__:* 3) __keyevent@0__:srem 4) a
    2< 1) pmessage 2) __keyevent@0__:* 3) __keyevent@0__:sadd 4) b
    2< 1) pmessage 2) __keyevent@0__:* 3) __keyevent@0__:srem 4) a
    2< 1) pmessage 2) __keyevent@0__:* 3) __keyevent@0__:del 4) a
    2< 1) pmessage 2) __keyevent@0__:* 3) __keyevent@0__:sadd 4) b
    > SADD c x
    (integer) 1
    > SMOVE c b x
    (integer) 1
    > SPOP b 5
    1) x
    2) y
    2< 1) pmessage 2) __keyevent@0__:* 3) __keyevent@0__:sadd 4) c
    2< 1) pmessage 2) __keyevent@0__:* 3) __keyevent@0__:srem 4) c
    2< 1) pmessage 2) __keyevent@0__:* 3) __keyevent@0__:del 4) c
    2< 1) pmessage 2) __keyevent@0__:* 3) __keyevent@0__:spop 4) b
    2< 1) pmessage 2) __keyevent@0__:* 3) __keyevent@0__:del 4) b
  `);
});

describe("encodings", () => {
  function encodingAfter(client: TestClient, ...lines: string[]): string {
    for (const line of lines) client.line(line);
    return client.line("OBJECT ENCODING s");
  }

  test("an intset grows into a table, or meets a string and becomes a listpack or a table", () => {
    const client = testServer().connect();
    expect(encodingAfter(client, "SADD s 1 2 3")).toBe("intset");
    expect(encodingAfter(client, "SADD s x")).toBe("listpack");
    expect(encodingAfter(client, "SREM s x")).toBe("listpack");
    expect(encodingAfter(client, "DEL s", `SADD s ${range(1, 512).join(" ")}`)).toBe("intset");
    expect(encodingAfter(client, "SADD s 513")).toBe("hashtable");
    expect(encodingAfter(client, "DEL s", `SADD s ${range(1, 513).join(" ")}`)).toBe("hashtable");
    expect(encodingAfter(client, "DEL s", `SADD s ${range(1, 127).join(" ")}`, "SADD s x")).toBe("listpack");
    expect(encodingAfter(client, "SADD s y")).toBe("hashtable");
    expect(encodingAfter(client, "DEL s", `SADD s ${range(1, 128).join(" ")}`, "SADD s x")).toBe("hashtable");
    expect(encodingAfter(client, "DEL s", "SADD s 1", `SADD s ${"x".repeat(65)}`)).toBe("hashtable");
    expect(encodingAfter(client, "DEL s", `SADD s ${"x".repeat(64)}`)).toBe("listpack");
    expect(encodingAfter(client, `SADD s ${"y".repeat(65)}`)).toBe("hashtable");
    expect(encodingAfter(client, "CONFIG SET set-max-listpack-value 3", "DEL s", "SADD s -123", "SADD s x")).toBe(
      "hashtable",
    );
  });

  test("results are as small as they can be", () => {
    const client = testServer().connect();
    client.line(`SADD big ${range(1, 600).join(" ")}`);
    client.line("SADD mixed 1 2 x");
    expect(encodingAfter(client, "SINTERSTORE s big mixed")).toBe("intset");
    expect(encodingAfter(client, "SINTERSTORE s mixed mixed")).toBe("listpack");
    expect(encodingAfter(client, "SINTERSTORE s big")).toBe("hashtable");
    expect(encodingAfter(client, "SUNIONSTORE s mixed")).toBe("listpack");
    expect(encodingAfter(client, "SDIFFSTORE s mixed none")).toBe("listpack");
    expect(encodingAfter(client, `SREM big ${range(101, 600).join(" ")}`, "SUNIONSTORE s big")).toBe("intset");
    expect(client.line("OBJECT ENCODING big")).toBe("hashtable");
  });

  test("what SPOP leaves begins small", () => {
    const client = testServer().connect();
    expect(encodingAfter(client, `SADD s ${range(1, 600).join(" ")}`, "SPOP s 590")).toBe("listpack");
    expect(encodingAfter(client, "DEL s", `SADD s ${range(1, 100).join(" ")}`, "SPOP s 95")).toBe("intset");
    expect(encodingAfter(client, "DEL s", `SADD s ${range(1, 600).join(" ")}`, "SPOP s 10")).toBe("hashtable");
  });
});

test("64-bit members are exact", () => {
  transcript(`
    > SADD s 9223372036854775807 -9223372036854775808 9007199254740993
    (integer) 3
    > OBJECT ENCODING s
    intset
    > SMEMBERS s
    1) -9223372036854775808
    2) 9007199254740993
    3) 9223372036854775807
    > SISMEMBER s 9007199254740992
    (integer) 0
    > SISMEMBER s 9007199254740993
    (integer) 1
    > SADD s 9223372036854775808
    (integer) 1
    > OBJECT ENCODING s
    listpack
    > SISMEMBER s 9223372036854775807
    (integer) 1
  `);
});

test("RESP3 answers sets", () => {
  const client = testServer().connect();
  client.line("HELLO 3");
  client.line("SADD s a b");
  for (const args of [
    ["SMEMBERS", "s"],
    ["SUNION", "s"],
    ["SINTER", "s"],
    ["SDIFF", "s"],
    ["SPOP", "s", "1"],
  ])
    expect(client.send(...args).kind).toBe("set");
  expect(client.send("SPOP", "none", 3).kind).toBe("set");
  expect(client.send("SRANDMEMBER", "s", 1).kind).toBe("array");
});

test("SPOP is propagated as what it removed", () => {
  const server = testServer();
  const client = server.connect();
  const lines = propagated(server);
  client.line("SADD s a");
  client.line("SPOP s");
  client.line(`SADD s ${range(1, 3000).join(" ")}`);
  lines.length = 0;
  client.line("SPOP s 1500");
  const removals = lines.filter((line) => line.startsWith("SREM s "));
  expect(removals.map((line) => line.split(" ").length - 2)).toEqual([1024, 476]);
  client.line("CONFIG SET lazyfree-lazy-server-del yes");
  lines.length = 0;
  client.line("SPOP s 5000");
  expect(lines).toEqual(["UNLINK s"]);
});
