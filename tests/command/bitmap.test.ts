// The bitmap commands as dialogues: growth, encodings, events, propagation, errors; and BITOP's later operations, which no redis-server 7.0 has.

import { describe, expect, test } from "bun:test";
import { Prng } from "../../src/base/prng.ts";
import { Target } from "../../src/engine/propagation.ts";
import { testSeed } from "../base/seeded.ts";
import { testServer, transcript } from "../support/engine.ts";

describe("SETBIT and GETBIT", () => {
  test("the string grows with zeros and becomes raw", () => {
    transcript(`
      > SETBIT k 7 1
      (integer) 0
      > SETBIT k 20 1
      (integer) 0
      > STRLEN k
      (integer) 3
      > OBJECT ENCODING k
      raw
      > GETBIT k 7
      (integer) 1
      > GETBIT k 4294967295
      (integer) 0
      > SET n 1
      OK
      > SETBIT n 6 1
      (integer) 0
      > GET n
      3
      > OBJECT ENCODING n
      raw
      > SETBIT n 6 0
      (integer) 1`);
  });

  test("the expiry stays", () => {
    transcript(`
      > SET k x EX 100
      OK
      > SETBIT k 4000 1
      (integer) 0
      > TTL k
      (integer) 100`);
  });

  test("errors", () => {
    transcript(`
      > SETBIT k 4294967296 1
      (error) ERR bit offset is not an integer or out of range
      > SETBIT k -1 1
      (error) ERR bit offset is not an integer or out of range
      > SETBIT k 1 2
      (error) ERR bit is not an integer or out of range
      > EXISTS k
      (integer) 0
      > HSET h f v
      (integer) 1
      > SETBIT h 0 1
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > GETBIT h x
      (error) ERR bit offset is not an integer or out of range`);
  });

  test("proto-max-bulk-len limits offsets", () => {
    transcript(`
      > CONFIG SET proto-max-bulk-len 2mb
      OK
      > SETBIT k 16777215 1
      (integer) 0
      > SETBIT k 16777216 1
      (error) ERR bit offset is not an integer or out of range
      > STRLEN k
      (integer) 2097152
      > BITCOUNT k
      (integer) 1
      > BITPOS k 1
      (integer) 16777215`);
  });
});

test("BITCOUNT with a start alone: Valkey counts to the end, Redis wants an end", () => {
  transcript(`
    > SET k abc
    OK
    > BITCOUNT k 1
    (error) ERR syntax error`);
  transcript(
    `
    > SET k abc
    OK
    > BITCOUNT k 1
    (integer) 7
    > BITCOUNT k -1
    (integer) 4`,
    testServer({ personality: "valkey" }),
  );
});

describe("events", () => {
  test("a bit that stays as it is is no change; a string that grows is one", () => {
    transcript(`
      > CONFIG SET notify-keyspace-events KEA
      OK
      2> PSUBSCRIBE __keyspace*
      1) psubscribe
      2) __keyspace*
      3) (integer) 1
      > SETBIT k 1 0
      (integer) 0
      2< 1) pmessage 2) __keyspace* 3) __keyspace@0__:k 4) setbit
      > SETBIT k 1 0
      (integer) 0
      > SETBIT k 9 0
      (integer) 0
      2< 1) pmessage 2) __keyspace* 3) __keyspace@0__:k 4) setbit
      > BITOP AND to k
      (integer) 2
      2< 1) pmessage 2) __keyspace* 3) __keyspace@0__:to 4) set
      > BITOP OR to none nothing
      (integer) 0
      2< 1) pmessage 2) __keyspace* 3) __keyspace@0__:to 4) del
      > BITFIELD k SET u8 0 0 INCRBY u8 8 0
      1) (integer) 0
      2) (integer) 0`);
  });

  test("BITFIELD propagates a string that only grew", () => {
    const server = testServer();
    const seen: string[] = [];
    server.engine.sinks.push({
      targets: Target.Aof,
      propagate(_dbId, bytes, offset, length) {
        seen.push(Buffer.from(bytes.subarray(offset, offset + length)).toString());
      },
    });
    expect(server.connect().line("BITFIELD k OVERFLOW FAIL INCRBY u8 0 300")).toBe("1) (nil)");
    expect(seen.join("")).toContain("BITFIELD");
  });
});

type Bits = (words: number[]) => number;
const MODELS: Record<string, Bits> = {
  AND: (w) => w.reduce((a, b) => a & b),
  OR: (w) => w.reduce((a, b) => a | b),
  XOR: (w) => w.reduce((a, b) => a ^ b),
  DIFF: ([x, ...rest]) => x! & ~rest.reduce((a, b) => a | b),
  DIFF1: ([x, ...rest]) => ~x! & rest.reduce((a, b) => a | b),
  ANDOR: ([x, ...rest]) => x! & rest.reduce((a, b) => a | b),
  ONE: (w) =>
    [0, 1, 2, 3, 4, 5, 6, 7].reduce((sum, i) => sum | (w.filter((b) => (b >> i) & 1).length === 1 ? 1 << i : 0), 0),
};

describe("BITOP", () => {
  test("every operation against a byte at a time, across blocks and buffers", () => {
    const seed = testSeed();
    const prng = new Prng(seed);
    const server = testServer();
    const client = server.connect();
    const lengths = [0, 1, 3, 4, 5, 31, 1000, 16384, 16387, 33000, 131072, 131075];
    for (let round = 0; round < 35; round++) {
      const op = Object.keys(MODELS)[round % 7]!;
      const count = 2 + prng.below(3);
      // The sizes beyond one block, of which a byte at a time is slow, come up now and then.
      const size = prng.below(round % 5 === 0 ? lengths.length : 8);
      const sources = Array.from({ length: count }, (_, i) => {
        const length = lengths[Math.min(lengths.length - 1, Math.max(0, size + prng.below(3) - 1))]!;
        const bytes = new Uint8Array(length);
        for (let at = 0; at < length; at++) bytes[at] = at < 1009 ? prng.below(256) : bytes[at - 1009]!;
        client.send("DEL", `s${i}`);
        if (length > 0) client.send("SET", `s${i}`, bytes);
        return bytes;
      });
      const longest = Math.max(...sources.map((s) => s.length));
      const want = Uint8Array.from({ length: longest }, (_, i) => MODELS[op]!(sources.map((s) => s[i] ?? 0)));
      const names = sources.map((_, i) => `s${i}`);
      expect(client.line(`BITOP ${op} to ${names.join(" ")}`), `seed ${seed}`).toBe(`(integer) ${longest}`);
      const raw = client.raw("GET", "to");
      const header = `$${longest}\r\n`;
      const got = longest === 0 ? new Uint8Array(0) : raw.slice(header.length, header.length + longest);
      expect(Buffer.compare(got, want), `seed ${seed}, ${op} of ${sources.map((s) => s.length)}`).toBe(0);
    }
  });

  test("errors", () => {
    transcript(`
      > BITOP NAND to a b
      (error) ERR syntax error
      > BITOP NOT to a b
      (error) ERR BITOP NOT must be called with a single source key.
      > BITOP diff to a
      (error) ERR BITOP DIFF must be called with at least two source keys.
      > BITOP DIFF1 to a
      (error) ERR BITOP DIFF1 must be called with at least two source keys.
      > BITOP ANDOR to a
      (error) ERR BITOP ANDOR must be called with at least two source keys.
      > SET a x
      OK
      > BITOP ONE to a
      (integer) 1
      > HSET h f v
      (integer) 1
      > BITOP OR to a h
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > BITOP OR h a
      (integer) 1
      > TYPE h
      string`);
  });
});
