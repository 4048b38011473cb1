// BITFIELD as dialogues. Its arithmetic is compared with redis-server's by the random commands of tests/oracle.

import { describe, test } from "bun:test";
import { transcript } from "../support/engine.ts";

describe("BITFIELD", () => {
  test("operations see what the ones before them did", () => {
    transcript(`
      > BITFIELD k SET u8 0 255 GET u8 0 GET i8 0 INCRBY u8 0 10 GET u4 4
      1) (integer) 0
      2) (integer) 255
      3) (integer) -1
      4) (integer) 9
      5) (integer) 9
      > BITFIELD k SET i64 #1 -1 GET i64 64 GET u63 65
      1) (integer) 0
      2) (integer) -1
      3) (integer) 9223372036854775807
      > STRLEN k
      (integer) 16`);
  });

  test("overflow", () => {
    transcript(`
      > BITFIELD k SET u2 0 3 OVERFLOW SAT INCRBY u2 0 5 OVERFLOW FAIL INCRBY u2 0 1 OVERFLOW WRAP INCRBY u2 0 1
      1) (integer) 0
      2) (integer) 3
      3) (nil)
      4) (integer) 0
      > BITFIELD k OVERFLOW SAT SET u8 0 -1 SET i64 64 9223372036854775807 INCRBY i64 64 1
      1) (integer) 0
      2) (integer) 0
      3) (integer) 9223372036854775807
      > BITFIELD k INCRBY i64 64 1
      1) (integer) -9223372036854775808
      > BITFIELD k OVERFLOW SAT SET i8 0 -129 GET i8 0 SET i8 0 -9223372036854775808 GET i8 0
      1) (integer) -1
      2) (integer) -128
      3) (integer) -128
      4) (integer) 127`);
  });

  test("errors", () => {
    transcript(`
      > BITFIELD k GET u64 0
      (error) ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.
      > BITFIELD k GET u8 4294967296
      (error) ERR bit offset is not an integer or out of range
      > BITFIELD k OVERFLOW MAYBE
      (error) ERR Invalid OVERFLOW type specified
      > BITFIELD k SET u8 0 x
      (error) ERR value is not an integer or out of range
      > BITFIELD k SET u8 0
      (error) ERR syntax error
      > BITFIELD_RO k SET u8 0 1
      (error) ERR BITFIELD_RO only supports the GET subcommand
      > BITFIELD_RO k OVERFLOW WRAP GET u8 0
      1) (integer) 0
      > EXISTS k
      (integer) 0
      > HSET h f v
      (integer) 1
      > BITFIELD h GET u8 0
      (error) WRONGTYPE Operation against a key holding the wrong kind of value`);
  });

  test("keys: read-only when all operations are", () => {
    transcript(`
      > COMMAND GETKEYSANDFLAGS BITFIELD k GET u8 0 OVERFLOW SAT
      1)    1) k
      2)       1) RO
      2) access
      > COMMAND GETKEYSANDFLAGS BITFIELD k GET u8 0 SET u8 0 1
      1)    1) k
      2)       1) RW
      2) access
      3) update`);
  });
});
