// The string commands as dialogues: replies, expiry, conditions, errors.

import { describe, expect, test } from "bun:test";
import { testServer, transcript } from "../support/engine.ts";

describe("SET", () => {
  test("conditions and the old value", () => {
    transcript(`
      > SET k v XX
      (nil)
      > SET k v NX
      OK
      > SET k w NX
      (nil)
      > SET k w NX GET
      v
      > SET k w XX GET
      v
      > SET none w XX GET
      (nil)
      > GET none
      (nil)
      > set k x gEt
      w
      > SET fresh x GET NX
      (nil)
      > GET fresh
      x`);
  });

  test("options that exclude each other, lack their argument or are unknown are a syntax error", () => {
    for (const tail of [
      "NX XX",
      "XX NX",
      "EX 1 PX 1",
      "EX 1 KEEPTTL",
      "KEEPTTL PXAT 1",
      "EX",
      "PERSIST",
      "nonsense",
      "NX IFEQ a",
      "IFEQ a NX",
      "IFEQ a IFNE b",
      "IFEQ a IFEQ a",
      "IFDEQ",
      "EXAT 1 EX",
    ]) {
      transcript(`
        > SET k v ${tail}
        (error) ERR syntax error
        > GET k
        (nil)`);
    }
  });

  test("the same option may be repeated; the last value counts", () => {
    const server = testServer();
    transcript(
      `
      > SET k v EX 5 EX 100 NX NX GET GET
      (nil)
      ~ advance 99s
      > GET k
      v
      > SET k w KEEPTTL KEEPTTL
      OK
      ~ advance 2s
      > GET k
      (nil)`,
      server,
    );
  });

  test("expiries", () => {
    transcript(`
      > SET a 1 EX 10
      OK
      > SET b 1 PX 10500
      OK
      > SET c 1 EXAT 1700000010
      OK
      > SET d 1 PXAT 1700000010500
      OK
      > SET e 1 EX 10
      OK
      > SET e 2
      OK
      > SET a 2 KEEPTTL
      OK
      ~ advance 10001ms
      > MGET a b c d e
      1) (nil)
      2) 1
      3) (nil)
      4) 1
      5) 2
      ~ advance 500ms
      > MGET b d
      1) (nil)
      2) (nil)`);
  });

  test("an expiry must be a positive integer and must not overflow", () => {
    for (const [tail, error] of [
      ["EX 0", "ERR invalid expire time in 'set' command"],
      ["PX -1", "ERR invalid expire time in 'set' command"],
      ["EXAT 0", "ERR invalid expire time in 'set' command"],
      ["PXAT -5", "ERR invalid expire time in 'set' command"],
      ["EX 10000000000000000", "ERR invalid expire time in 'set' command"],
      ["EX 9223372036854775", "ERR invalid expire time in 'set' command"],
      ["PX 9223372036854775807", "ERR invalid expire time in 'set' command"],
      ["EXAT 9223372036854776", "ERR invalid expire time in 'set' command"],
      ["EX 9223372036854775808", "ERR value is not an integer or out of range"],
      ["EX 1.5", "ERR value is not an integer or out of range"],
      ["PX abc", "ERR value is not an integer or out of range"],
    ]) {
      transcript(`
        > SET k v ${tail}
        (error) ${error}
        > GET k
        (nil)`);
    }
    transcript(`
      > SETEX k 0 v
      (error) ERR invalid expire time in 'setex' command
      > PSETEX k -1 v
      (error) ERR invalid expire time in 'psetex' command
      > SETEX k x v
      (error) ERR value is not an integer or out of range
      > SET k v PXAT 9223372036854775807
      OK
      > GET k
      v`);
  });

  test("an absolute expiry that has passed deletes the key", () => {
    transcript(`
      > SET k v
      OK
      > SET k w GET PXAT 1
      v
      > GET k
      (nil)
      > SET k v EXAT 1
      OK
      > DBSIZE
      (integer) 0`);
  });

  test("IFEQ and IFNE", () => {
    transcript(`
      > SET k new IFEQ old
      (nil)
      > SET k old IFNE anything
      OK
      > SET k new IFNE old
      (nil)
      > SET k new IFEQ other
      (nil)
      > SET k new IFEQ other GET
      old
      > SET k new ifeq old EX 100
      OK
      > SET k 12 IFNE old GET
      new
      > SET k 13 IFEQ 12
      OK
      > SET k 14 IFEQ 012
      (nil)
      > GET k
      13`);
  });

  test("IFDEQ and IFDNE take a digest of sixteen digits in either case", () => {
    transcript(`
      > SET k hello
      OK
      > DIGEST k
      9555e8555c62dcfd
      > SET k world IFDEQ 0000000000000000
      (nil)
      > SET k world IFDEQ 9555E8555C62DCFD
      OK
      > SET k hello IFDNE 9555e8555c62dcfd GET
      world
      > SET k x IFDNE 9555e8555c62dcfd
      (nil)
      > SET k x IFDEQ 9555e8555c62dcf
      (error) ERR must be exactly 16 hexadecimal characters
      > SET k x GET IFDNE ""
      (error) ERR must be exactly 16 hexadecimal characters
      > SET none x IFDEQ 12
      (nil)
      > SET none x IFDNE 12
      OK`);
  });
});

describe("the old forms of SET", () => {
  test("SETNX, SETEX, PSETEX, GETSET, GETDEL", () => {
    transcript(`
      > SETNX k a
      (integer) 1
      > SETNX k b
      (integer) 0
      > SETEX k 10 c
      OK
      > PSETEX l 5000 d
      OK
      > GETSET l e
      d
      > GETSET none e
      (nil)
      ~ advance 11s
      > MGET k l none
      1) (nil)
      2) e
      3) e
      > GETDEL l
      e
      > GETDEL l
      (nil)`);
  });
});

describe("GETEX", () => {
  test("sets, changes and removes the expiry", () => {
    transcript(`
      > SET k v
      OK
      > GETEX k
      v
      > GETEX k EX 10
      v
      ~ advance 9s
      > GETEX k PX 5000
      v
      ~ advance 4s
      > GETEX k PERSIST
      v
      ~ advance 100s
      > GETEX k PXAT 1
      v
      > GETEX k
      (nil)`);
  });

  test("errors come in Redis' order: syntax, missing key, expiry", () => {
    transcript(`
      > GETEX k EX 10 PX 10
      (error) ERR syntax error
      > GETEX k KEEPTTL
      (error) ERR syntax error
      > GETEX k EX abc
      (nil)
      > SET k v
      OK
      > GETEX k EX abc
      (error) ERR value is not an integer or out of range
      > GETEX k EX 0
      (error) ERR invalid expire time in 'getex' command
      > GETEX k PERSIST PERSIST
      v`);
  });
});

describe("many keys", () => {
  test("MSET and MSETNX", () => {
    transcript(`
      > MSET a 1 b 2 a 3
      OK
      > MGET a b c
      1) 3
      2) 2
      3) (nil)
      > MSETNX c 1 a 4
      (integer) 0
      > MSETNX c 1 d 2 c 5
      (integer) 1
      > MGET a c d
      1) 3
      2) 5
      3) 2
      > MSET a
      (error) ERR wrong number of arguments for 'mset' command
      > MSET a 1 b
      (error) ERR wrong number of arguments for 'mset' command
      > MSETNX a 1 b
      (error) ERR wrong number of arguments for 'msetnx' command`);
  });

  test("MSETEX", () => {
    transcript(`
      > MSETEX 2 a 1 b 2 EX 10 NX
      (integer) 1
      > MSETEX 2 b 3 c 4 NX
      (integer) 0
      > MSETEX 2 b 3 c 4 XX
      (integer) 0
      > MSETEX 1 b 3 KEEPTTL xx
      (integer) 1
      > MSETEX 1 c 9
      (integer) 1
      ~ advance 11s
      > MGET a b c
      1) (nil)
      2) (nil)
      3) 9
      > MSETEX 2 c 9 d 1 PXAT 1
      (integer) 1
      > DBSIZE
      (integer) 0`);
  });

  test("MSETEX errors", () => {
    for (const [args, error] of [
      ["0 a 1", "ERR invalid numkeys value"],
      ["x a 1", "ERR invalid numkeys value"],
      ["2147483648 a 1 EX 10", "ERR invalid numkeys value"],
      ["2147483647 a 1 EX 10", "ERR wrong number of key-value pairs"],
      ["2 a 1 b", "ERR wrong number of key-value pairs"],
      ["1 a 1 GET", "ERR syntax error"],
      ["1 a 1 IFEQ x", "ERR syntax error"],
      ["1 a 1 NX XX", "ERR syntax error"],
      ["1 a 1 EX 1 PX 1", "ERR syntax error"],
      ["1 a 1 EX 0", "ERR invalid expire time in 'msetex' command"],
      ["1 a", "ERR wrong number of arguments for 'msetex' command"],
    ]) {
      transcript(`> MSETEX ${args}\n(error) ${error}`);
    }
  });
});

describe("numbers", () => {
  test("int64 to its limits", () => {
    transcript(`
      > INCR n
      (integer) 1
      > INCRBY n 9007199254740991
      (integer) 9007199254740992
      > INCR n
      (integer) 9007199254740993
      > INCRBY n 9214364837600034814
      (integer) 9223372036854775807
      > INCR n
      (error) ERR increment or decrement would overflow
      > DECRBY n -1
      (error) ERR increment or decrement would overflow
      > GET n
      9223372036854775807
      > SET n -9223372036854775808
      OK
      > DECR n
      (error) ERR increment or decrement would overflow
      > INCRBY n 9223372036854775807
      (integer) -1
      > DECRBY n -9223372036854775808
      (error) ERR decrement would overflow
      > DECRBY n 9223372036854775807
      (integer) -9223372036854775808
      > INCRBY fresh -9223372036854775808
      (integer) -9223372036854775808`);
  });

  test("only canonical integers count", () => {
    for (const value of ["1.0", "01", '" 1"', '"1 "', "+1", "-0", '""', "9223372036854775808", "abc"]) {
      transcript(`
        > SET n ${value}
        OK
        > INCR n
        (error) ERR value is not an integer or out of range
        > INCRBY other ${value}
        (error) ERR value is not an integer or out of range`);
    }
  });

  test("a number spelled by a raw string is counted on, and keeps its expiry", () => {
    transcript(`
      > SET n 1 EX 10
      OK
      > APPEND n 0
      (integer) 2
      > INCR n
      (integer) 11
      > SET m 922337203685477580
      OK
      > APPEND m 6
      (integer) 19
      > INCR m
      (integer) 9223372036854775807
      ~ advance 11s
      > GET n
      (nil)`);
  });

  test("INCRBYFLOAT", () => {
    transcript(`
      > INCRBYFLOAT f 0.1
      0.1
      > INCRBYFLOAT f 0.2
      0.3
      > INCRBYFLOAT f -0.3
      0
      > INCRBYFLOAT f 1e2
      100
      > INCRBYFLOAT f 123456789.123456789
      123456889.12345678899873747
      > INCRBYFLOAT f inf
      (error) ERR increment would produce NaN or Infinity
      > INCRBYFLOAT f abc
      (error) ERR value is not a valid float
      > SET f abc
      OK
      > INCRBYFLOAT f 1
      (error) ERR value is not a valid float
      > SET f 9223372036854775807
      OK
      > INCRBYFLOAT f 1
      9223372036854775808`);
  });
});

describe("parts of a value", () => {
  test("APPEND, STRLEN", () => {
    transcript(`
      > APPEND k ab
      (integer) 2
      > APPEND k ""
      (integer) 2
      > APPEND k cd
      (integer) 4
      > STRLEN k
      (integer) 4
      > STRLEN none
      (integer) 0
      > SET n -12
      OK
      > STRLEN n
      (integer) 3
      > APPEND n 3
      (integer) 4
      > GET n
      -123`);
  });

  test("GETRANGE and SUBSTR clamp their ends", () => {
    const server = testServer();
    const client = server.connect();
    transcript("> SET k Hello\nOK\n> SET n 1234\nOK", server);
    for (const [range, text, digits] of [
      ["0 3", "Hell", "1234"],
      ["0 -1", "Hello", "1234"],
      ["-3 -1", "llo", "234"],
      ["3 1", "", ""],
      ["2 5000", "llo", "34"],
      ["-5000 10000", "Hello", "1234"],
      ["0 -100", "H", "1"],
      ["-100 -99", "H", "1"],
      ["-100 -101", "", ""],
      ["0 9223372036854775807", "Hello", "1234"],
      ["-9223372036854775808 0", "H", "1"],
      ["-9223372036854775807 -9223372036854775808", "", ""],
      ["-9223372036854775808 -9223372036854775807", "H", "1"],
    ]) {
      expect(client.line(`GETRANGE k ${range}`)).toBe(text);
      expect(client.line(`SUBSTR n ${range}`)).toBe(digits);
    }
    transcript(
      `
      > GETRANGE k 0 x
      (error) ERR value is not an integer or out of range
      > GETRANGE k 9223372036854775808 1
      (error) ERR value is not an integer or out of range`,
      server,
    );
  });

  test("SETRANGE pads with zero bytes and stays within limits", () => {
    const server = testServer();
    const client = server.connect();
    expect(client.line("SETRANGE k 3 ab")).toBe("(integer) 5");
    expect(client.line("GET k")).toBe("\0\0\0ab");
    expect(client.line('SETRANGE k 100 ""')).toBe("(integer) 5");
    expect(client.line('SETRANGE none 100 ""')).toBe("(integer) 0");
    expect(client.line("GET none")).toBe("(nil)");
    expect(client.line("SETRANGE k -1 x")).toBe("(error) ERR offset is out of range");
    const tooLong = "(error) ERR string exceeds maximum allowed size (proto-max-bulk-len)";
    for (const offset of ["536870911", "4294967296", "9223372036854775807"]) {
      expect(client.line(`SETRANGE k ${offset} xy`)).toBe(tooLong);
      expect(client.line(`SETRANGE none ${offset} xy`)).toBe(tooLong);
    }
    expect(client.line("SETRANGE n 0 x")).toBe("(integer) 1");
    expect(client.line("SET n 1234")).toBe("OK");
    expect(client.line("SETRANGE n 1 x")).toBe("(integer) 4");
    expect(client.line("GET n")).toBe("1x34");
  });

  test("APPEND stays within proto-max-bulk-len", () => {
    const server = testServer();
    const client = server.connect();
    const gates = { loading: false, clientIsLocal: true };
    expect(server.engine.config.set([["proto-max-bulk-len", "1mb"]], gates)).toBeNull();
    client.raw("SET", "k", new Uint8Array(1024 * 1024).fill(120));
    expect(client.line("APPEND k y")).toBe("(error) ERR string exceeds maximum allowed size (proto-max-bulk-len)");
    expect(client.line("STRLEN k")).toBe("(integer) 1048576");
    expect(client.line('APPEND k ""')).toBe("(integer) 1048576");
  });
});

describe("conditional deletion", () => {
  test("DELEX and DELIFEQ", () => {
    transcript(`
      > DELEX k IFEQ v
      (integer) 0
      > DELEX k NONSENSE v
      (integer) 0
      > SET k v
      OK
      > DELEX k IFEQ w
      (integer) 0
      > DELEX k IFNE v
      (integer) 0
      > DELEX k NONSENSE v
      (error) ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE
      > DELEX k IFDEQ abc
      (error) ERR must be exactly 16 hexadecimal characters
      > DELEX k IFEQ
      (error) ERR wrong number of arguments for 'delex' command
      > DELEX k IFEQ v extra
      (error) ERR wrong number of arguments for 'delex' command
      > DELEX k IFNE w
      (integer) 1
      > SET k hello
      OK
      > DELEX k IFDNE 9555e8555c62dcfd
      (integer) 0
      > DELEX k IFDEQ 9555e8555c62dcfd
      (integer) 1
      > SET k 17
      OK
      > DELIFEQ k 18
      (integer) 0
      > DELIFEQ k 17
      (integer) 1
      > DELIFEQ k 17
      (integer) 0
      > SET k v
      OK
      > DELEX k
      (integer) 1
      > DELEX k
      (integer) 0`);
  });

  test("DIGEST", () => {
    transcript(`
      > DIGEST none
      (nil)
      > SET k ""
      OK
      > DIGEST k
      2d06800538d394c2
      > SET k v8lf0c11xh8ymlqztfd3eeq16kfn4sspw7fqmnuuq3k3t75em5wdizgcdw7uc26nnf961u2jkfzkjytls2kwlj7626sd
      OK
      > DIGEST k
      00006c38adf31777`);
  });
});

describe("LCS", () => {
  test("the string, its length, the runs", () => {
    transcript(`
      > MSET a ohmytext b mynewtext
      OK
      > LCS a b
      mytext
      > LCS a b LEN
      (integer) 6
      > LCS a none LEN
      (integer) 0
      > LCS a b LEN IDX
      (error) ERR If you want both the length and indexes, please just use IDX.
      > LCS a b MINMATCHLEN
      (error) ERR syntax error
      > LCS a b MINMATCHLEN x
      (error) ERR value is not an integer or out of range
      > LCS a b NONSENSE
      (error) ERR syntax error`);
  });

  test("the runs as nested arrays, a map in RESP3", () => {
    const client = testServer().connect();
    client.line("MSET a ohmytext b mynewtext");
    const text = (...args: string[]) => Buffer.from(client.raw("LCS", "a", "b", "IDX", ...args)).toString();
    const last = "*2\r\n:4\r\n:7\r\n*2\r\n:5\r\n:8\r\n";
    const first = "*2\r\n:2\r\n:3\r\n*2\r\n:0\r\n:1\r\n";
    const [matches, length] = ["$7\r\nmatches\r\n", "$3\r\nlen\r\n:6\r\n"];
    expect(text()).toBe(`*4\r\n${matches}*2\r\n*2\r\n${last}*2\r\n${first}${length}`);
    client.client.resp = 3;
    expect(text("WITHMATCHLEN", "MINMATCHLEN", "4")).toBe(`%2\r\n${matches}*1\r\n*3\r\n${last}:4\r\n${length}`);
  });

  test("a table above proto-max-bulk-len is refused", () => {
    const client = testServer().connect();
    const long = new Uint8Array(20_000).fill(97);
    client.raw("SET", "a", long);
    client.raw("SET", "b", long);
    expect(client.line("LCS a b")).toBe(
      "(error) ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len",
    );
  });
});
