// The HyperLogLog commands as dialogues. Payloads and estimates are compared with redis-server's by the random commands of tests/oracle.

import { describe, expect, test } from "bun:test";
import { Prng } from "../../src/base/prng.ts";
import { testSeed } from "../base/seeded.ts";
import { testServer, transcript } from "../support/engine.ts";

describe("PFADD, PFCOUNT and PFMERGE", () => {
  test("a new key is a change, known elements are none", () => {
    transcript(`
      > PFADD k
      (integer) 1
      > PFADD k
      (integer) 0
      > PFADD k a b c
      (integer) 1
      > PFADD k a b c
      (integer) 0
      > PFCOUNT k
      (integer) 3
      > PFADD other c d
      (integer) 1
      > PFCOUNT k other none
      (integer) 4
      > PFMERGE to k other
      OK
      > PFCOUNT to
      (integer) 4
      > PFCOUNT none
      (integer) 0
      > OBJECT ENCODING k
      raw`);
  });

  test("the expiry stays", () => {
    transcript(`
      > PFADD k a
      (integer) 1
      > EXPIRE k 100
      (integer) 1
      > PFADD k b c d e f g h i j
      (integer) 1
      > PFMERGE k
      OK
      > TTL k
      (integer) 100`);
  });

  test("sparse becomes dense at hll-sparse-max-bytes", () => {
    transcript(`
      > CONFIG SET hll-sparse-max-bytes 30
      OK
      > PFADD k a
      (integer) 1
      > PFDEBUG ENCODING k
      sparse
      > PFADD k b c d e f g h i j
      (integer) 1
      > PFDEBUG ENCODING k
      dense
      > STRLEN k
      (integer) 12304
      > PFCOUNT k
      (integer) 10
      > PFADD sparse k
      (integer) 1
      > PFMERGE sparse k
      OK
      > PFDEBUG ENCODING sparse
      dense
      > PFCOUNT sparse
      (integer) 11`);
  });

  test("errors", () => {
    transcript(`
      > SET s hello
      OK
      > PFADD s a
      (error) WRONGTYPE Key is not a valid HyperLogLog string value.
      > SET n 12
      OK
      > PFCOUNT n
      (error) WRONGTYPE Key is not a valid HyperLogLog string value.
      > HSET h f v
      (integer) 1
      > PFMERGE to h
      (error) WRONGTYPE Operation against a key holding the wrong kind of value
      > EXISTS to
      (integer) 0
      > PFADD k a b c
      (integer) 1
      > APPEND k hello
      (integer) 32
      > PFCOUNT k
      (error) INVALIDOBJ Corrupted HLL object detected
      > PFCOUNT k to
      (error) INVALIDOBJ Corrupted HLL object detected
      > PFMERGE to k
      (error) INVALIDOBJ Corrupted HLL object detected
      > PFDEBUG GETREG k
      (error) INVALIDOBJ Corrupted HLL object detected
      > PFDEBUG ENCODING none
      (error) ERR The specified key does not exist
      > PFDEBUG BOIL k
      (error) ERR Unknown PFDEBUG subcommand 'BOIL'`);
  });

  test("an element that meets the damage leaves those before it out", () => {
    transcript(`
      > SET k "HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80\\x60\\x00"
      OK
      > PFADD k d
      (integer) 1
      > SET k "HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80\\x60\\x00"
      OK
      > PFADD k d a
      (error) INVALIDOBJ Corrupted HLL object detected
      > STRLEN k
      (integer) 18`);
  });

  test("PFCOUNT stores what it computed: watchers see it, listeners do not", () => {
    transcript(`
      > CONFIG SET notify-keyspace-events KEA
      OK
      2> PSUBSCRIBE __keyspace*
      1) psubscribe
      2) __keyspace*
      3) (integer) 1
      > PFADD k a
      (integer) 1
      2< 1) pmessage 2) __keyspace* 3) __keyspace@0__:k 4) pfadd
      3> WATCH k
      OK
      > PFCOUNT k
      (integer) 1
      3> MULTI
      OK
      3> EXEC
      (nil)
      3> WATCH k
      OK
      > PFCOUNT k
      (integer) 1
      3> MULTI
      OK
      3> EXEC
      (empty array)
      > PFMERGE to k
      OK
      2< 1) pmessage 2) __keyspace* 3) __keyspace@0__:to 4) pfadd`);
  });
});

test("PFDEBUG and PFSELFTEST", () => {
  transcript(`
    > PFADD k a
    (integer) 1
    > PFDEBUG DECODE k
    Z:12711 v:2,1 Z:3672
    > PFDEBUG TODENSE k
    (integer) 1
    > PFDEBUG TODENSE k
    (integer) 0
    > PFDEBUG DECODE k
    (error) ERR HLL encoding is not sparse
    > PFDEBUG SIMD OFF
    disabled
    > PFDEBUG SIMD maybe
    (error) ERR Argument must be ON or OFF
    > PFSELFTEST
    OK`);
});

test("the union has no fewer elements than its parts", () => {
  const seed = testSeed();
  const prng = new Prng(seed);
  const client = testServer().connect();
  for (let i = 0; i < 3000; i++) client.send("PFADD", `k${prng.below(3)}`, `e${prng.below(100_000)}`);
  const count = (keys: string) => Number(client.line(`PFCOUNT ${keys}`).replace("(integer) ", ""));
  const parts = [0, 1, 2].map((i) => count(`k${i}`));
  client.send("PFMERGE", "all", "k0", "k1", "k2");
  const union = count("k0 k1 k2");
  expect(count("all"), `seed ${seed}`).toBe(union);
  expect(union, `seed ${seed}`).toBeGreaterThanOrEqual(Math.max(...parts));
});
