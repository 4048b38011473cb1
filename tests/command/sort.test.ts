// SORT and SORT_RO, as dialogues.

import { expect, setDefaultTimeout, test } from "bun:test";
import { Target } from "../../src/engine/propagation.ts";
import { testServer, transcript } from "../support/engine.ts";

// An arena that needs its first large segment may wait for seconds until the system has cleared it.
setDefaultTimeout(60_000);

test("numbers and texts, with limits", () => {
  transcript(`
    > RPUSH l 3 10 -1 2.5 0x10
    (integer) 5
    > SORT l
    1) -1
    2) 2.5
    3) 3
    4) 10
    5) 0x10
    > SORT l DESC LIMIT 1 2
    1) 10
    2) 3
    > SORT l ALPHA
    1) -1
    2) 0x10
    3) 10
    4) 2.5
    5) 3
    > SORT l LIMIT 7 1
    (empty array)
    > SORT nothing
    (empty array)
    > RPUSH l x
    (integer) 6
    > SORT l
    (error) ERR One or more scores can't be converted into double
    > SORT l STORE nothing
    (error) ERR One or more scores can't be converted into double
    > SORT l LIMIT 0
    (error) ERR syntax error
    > SORT_RO l STORE d
    (error) ERR syntax error
    > SET s x
    OK
    > SORT s
    (error) WRONGTYPE Operation against a key holding the wrong kind of value`);
});

test("by and get", () => {
  transcript(`
    > RPUSH l a b c
    (integer) 3
    > MSET w_a 3 w_b 1 w_c 2 v_a A v_c C
    OK
    > HSET h_a w 1 n one
    (integer) 2
    > HSET h_b w 3
    (integer) 1
    > SORT l BY w_*
    1) b
    2) c
    3) a
    > SORT l BY h_*->w GET # GET v_* GET h_*->n
    1) c
    2) C
    3) (nil)
    4) a
    5) A
    6) one
    7) b
    8) (nil)
    9) (nil)
    > SORT l BY v_* ALPHA DESC
    1) c
    2) a
    3) b
    > SORT l BY nosort DESC LIMIT 0 2
    1) c
    2) b
    > ZADD z 3 x 1 y 2 z
    (integer) 3
    > SORT_RO z BY nosort
    1) y
    2) z
    3) x
    > SORT z BY nosort DESC LIMIT 1 1
    1) z`);
});

test("a field whose time has come is not found", () => {
  const server = testServer();
  const client = server.connect();
  client.line("RPUSH l a");
  client.line("HSET h_a f v");
  client.line("HPEXPIRE h_a 1000 FIELDS 1 f");
  expect(client.line("SORT l BY nosort GET h_*->f")).toBe("1) v");
  server.advance(2000);
  expect(client.line("SORT l BY nosort GET h_*->f")).toBe("1) (nil)");
});

test("an equal order is kept, and the order of a stored set is made one", () => {
  transcript(`
    > RPUSH l b a d c
    (integer) 4
    > SORT l BY w_* ALPHA
    1) b
    2) a
    3) d
    4) c
    > SORT l BY w_*
    1) a
    2) b
    3) c
    4) d
    > SADD s c a b
    (integer) 3
    > SORT s BY nosort STORE l
    (integer) 3
    > LRANGE l 0 -1
    1) a
    2) b
    3) c`);
});

test("storing: encodings, expiry, nothing to store", () => {
  transcript(`
    > RPUSH l 3 1 2
    (integer) 3
    > SET d x EX 100
    OK
    > SORT l STORE d
    (integer) 3
    > TTL d
    (integer) -1
    > OBJECT ENCODING d
    listpack
    > SORT l GET missing_* STORE l
    (integer) 3
    > LRANGE l 0 -1
    1)
    2)
    3)
    > CONFIG SET list-max-listpack-size 2
    OK
    > SORT d DESC STORE d
    (integer) 3
    > OBJECT ENCODING d
    quicklist
    > LRANGE d 0 -1
    1) 3
    2) 2
    3) 1
    > SORT nothing STORE d
    (integer) 0
    > EXISTS d
    (integer) 0`);
});

test("events and propagation", () => {
  const server = testServer();
  const sent: string[] = [];
  server.engine.sinks.push({
    targets: Target.All,
    propagate: (_dbId, bytes, offset, length) =>
      void sent.push(Buffer.from(bytes.subarray(offset, offset + length)).toString("latin1")),
  });
  transcript(
    `
    > CONFIG SET notify-keyspace-events KEA
    OK
    2> PSUBSCRIBE __keyevent@0__:*
    1) psubscribe
    2) __keyevent@0__:*
    3) (integer) 1
    > RPUSH l 2 1
    (integer) 2
    > SORT l
    1) 1
    2) 2
    > SORT l STORE d
    (integer) 2
    > SORT nothing STORE d
    (integer) 0
    > SORT nothing STORE d
    (integer) 0
    2< 1) pmessage 2) __keyevent@0__:* 3) __keyevent@0__:rpush 4) l
    2< 1) pmessage 2) __keyevent@0__:* 3) __keyevent@0__:sortstore 4) d
    2< 1) pmessage 2) __keyevent@0__:* 3) __keyevent@0__:del 4) d`,
    server,
  );
  expect(sent.map((text) => text.replaceAll(/\*\d+\r\n|\$\d+\r\n/g, "").replaceAll("\r\n", " "))).toEqual([
    "RPUSH l 2 1 ",
    "SORT l STORE d ",
    "SORT nothing STORE d ",
  ]);
});

test("many rows are sorted like an array", () => {
  const server = testServer();
  const client = server.connect();
  const numbers = Array.from({ length: 1000 }, (_, i) => (i * 7919) % 1009);
  client.line(`RPUSH l ${numbers.join(" ")}`);
  const lines = (text: string): string[] => text.split("\n").map((line) => line.replace(/^\s*\d+\) /, ""));
  const ascending = numbers.toSorted((a, b) => a - b).map(String);
  expect(lines(client.line("SORT l"))).toEqual(ascending);
  expect(lines(client.line("SORT l DESC LIMIT 10 20"))).toEqual(ascending.toReversed().slice(10, 30));
  expect(lines(client.line("SORT l ALPHA"))).toEqual(numbers.map(String).toSorted());
});
