// The reader at source level: every script gives the same commands and the same fault however it is cut into pieces.

import { describe, expect, test } from "bun:test";
import type { Prng } from "../../src/base/prng.ts";
import { PartialRequest } from "../../src/resp/partial-request.ts";
import {
  LINE_MAX,
  NEED_MORE,
  PROTOCOL_ERROR,
  ProtocolFault,
  type ReadLimits,
  readRequest,
} from "../../src/resp/reader.ts";
import { Request } from "../../src/resp/request.ts";
import { seededTest } from "../base/seeded.ts";

const LIMITS: ReadLimits = { bulkMax: 1024 * 1024, authenticated: true };
const GUEST: ReadLimits = { bulkMax: 1024 * 1024, authenticated: false };

interface Outcome {
  /** The commands, each a list of latin1 arguments; an empty command is an empty list. */
  readonly commands: string[][];
  /** Text of the protocol error that ended it, or null. */
  readonly fault: string | null;
}

function argumentsOf(request: Request): string[] {
  const args: string[] = [];
  for (let i = 0; i < request.count; i++) {
    args.push(
      Buffer.from(request.buf.slice(request.start[i], request.start[i] + request.length[i])).toString("latin1"),
    );
  }
  return args;
}

/** Reads pieces as a connection does: whole commands in place, the rest through one reused PartialRequest. */
function readPieces(pieces: readonly Uint8Array[], limits: ReadLimits = LIMITS): Outcome {
  const commands: string[][] = [];
  const request = new Request();
  const fault = new ProtocolFault();
  fault.text = "left over from another connection";
  const spare = new PartialRequest();
  let partial: PartialRequest | null = null;
  for (const piece of pieces) {
    let pos = 0;
    while (pos < piece.length) {
      if (partial === null) {
        const next = readRequest(piece, pos, piece.length, request, limits, fault);
        if (next === PROTOCOL_ERROR) return { commands, fault: fault.text };
        if (next !== NEED_MORE) {
          expect(next).toBeGreaterThan(pos);
          commands.push(argumentsOf(request));
          pos = next;
          continue;
        }
        partial = spare;
        partial.reset();
      }
      const next = partial.feed(piece, pos, piece.length, limits, fault);
      expect(next).toBeGreaterThan(pos);
      pos = next;
      if (partial.faulty) return { commands, fault: fault.text };
      if (partial.done) {
        commands.push(argumentsOf(partial.request));
        partial = null;
      } else {
        expect(pos).toBe(piece.length);
      }
    }
  }
  return { commands, fault: null };
}

const bytes = (text: string): Uint8Array => Buffer.from(text, "latin1");
const whole = (text: string, limits?: ReadLimits): Outcome => readPieces([bytes(text)], limits);

/** Cuts at every offset, and into single bytes, and demands what the whole gives. */
function expectSame(text: string, limits?: ReadLimits): Outcome {
  const all = bytes(text);
  const expected = whole(text, limits);
  for (let cut = 1; cut < all.length; cut++) {
    const got = readPieces([all.slice(0, cut), all.slice(cut)], limits);
    if (JSON.stringify(got) !== JSON.stringify(expected)) {
      throw new Error(
        `cut at ${cut} of ${JSON.stringify(text)}: ${JSON.stringify(got)}, not ${JSON.stringify(expected)}`,
      );
    }
  }
  expect(
    readPieces(
      Array.from(all, (byte) => Uint8Array.of(byte)),
      limits,
    ),
  ).toEqual(expected);
  return expected;
}

const SET = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nhello\r\n";

describe("commands cut at every byte", () => {
  test("a pipeline of arrays", () => {
    const { commands, fault } = expectSame(`${SET}*2\r\n$3\r\nGET\r\n$1\r\nk\r\n*1\r\n$4\r\nPING\r\n${SET}`);
    expect(fault).toBeNull();
    expect(commands).toEqual([["SET", "k", "hello"], ["GET", "k"], ["PING"], ["SET", "k", "hello"]]);
  });

  test("empty arguments, binary arguments, line ends inside arguments", () => {
    const { commands } = expectSame("*4\r\n$0\r\n\r\n$4\r\n\r\n\r\n\r\n$3\r\n\x00\xff$\r\n$2\r\n*1\r\n");
    expect(commands).toEqual([["", "\r\n\r\n", "\x00\xff$", "*1"]]);
  });

  test("empty commands", () => {
    const { commands } = expectSame("*0\r\n*-1\r\n*-10\r\n\r\n\n*1\r\n$4\r\nPING\r\n");
    expect(commands).toEqual([[], [], [], [], [], ["PING"]]);
  });

  test("inline commands, mixed with arrays", () => {
    const { commands } = expectSame(`PING\r\n${SET}  set  a   b \nget a\r\n`);
    expect(commands).toEqual([["PING"], ["SET", "k", "hello"], ["set", "a", "b"], ["get", "a"]]);
  });

  test("what follows a header's carriage return and a bulk is skipped unread", () => {
    expect(expectSame("*1\rX$4\r!PINGab*1\r\n$1\r\nx\r\n").commands).toEqual([["PING"], ["x"]]);
  });

  test("two-digit and longer counts and lengths", () => {
    const args = Array.from({ length: 130 }, (_, i) => "v".repeat(i));
    const text = `*130\r\n${args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join("")}*1\r\n$4\r\nPING\r\n`;
    const all = bytes(text);
    for (let cut = 1; cut < all.length; cut += 7) {
      expect(readPieces([all.slice(0, cut), all.slice(cut)]).commands).toEqual([args, ["PING"]]);
    }
  });

  test("a long argument in many pieces, then another command", () => {
    const long = "x".repeat(300_000);
    const all = bytes(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$300000\r\n${long}\r\n*1\r\n$4\r\nPING\r\n`);
    for (const size of [1, 1000, 65_536, 299_999]) {
      const pieces: Uint8Array[] = [];
      for (let at = 0; at < all.length; at += size) pieces.push(all.slice(at, at + size));
      const { commands } = readPieces(pieces);
      expect(commands.map((command) => command.map((arg) => arg.length))).toEqual([[3, 1, 300_000], [4]]);
      expect(commands[0][2]).toBe(long);
    }
  });
});

describe("quoting of inline commands", () => {
  const cases: [string, string[]][] = [
    ['set "a b" c', ["set", "a b", "c"]],
    ["set 'a b' c", ["set", "a b", "c"]],
    ['"\\x41\\x0a\\n\\r\\t\\b\\a\\\\\\"\\q"', ['A\n\n\r\t\b\x07\\"q']],
    ["'\\n\\''", ["\\n'"]],
    ['""', [""]],
    ['a""', ["a"]],
    ['x"y z"', ["xy z"]],
    ["a\vb\fc", ["a\vb\fc"]],
    ["\v a \f", ["a"]],
    ['"\\x4"', ["x4"]],
  ];
  for (const [line, expected] of cases) {
    test(JSON.stringify(line), () => {
      expect(expectSame(`${line}\r\n`).commands).toEqual([expected]);
    });
  }

  for (const line of ['"a', "'a", '"a"b', "'a'b", '"a\\"', 'set """test-key""" v', '"\\']) {
    test(`${JSON.stringify(line)} is unbalanced`, () => {
      expect(expectSame(`${line}\r\n`).fault).toBe("unbalanced quotes in request");
    });
  }
});

describe("protocol errors", () => {
  const cases: [string, string][] = [
    ["*3000000000\r\n", "invalid multibulk length"],
    ["*2147483648\r\n", "invalid multibulk length"],
    ["*x\r\n", "invalid multibulk length"],
    ["*\r\n", "invalid multibulk length"],
    ["*01\r\n", "invalid multibulk length"],
    ["*-0\r\n", "invalid multibulk length"],
    ["*+1\r\n", "invalid multibulk length"],
    ["*1 \r\n", "invalid multibulk length"],
    ["*99999999999999999999\r\n", "invalid multibulk length"],
    ["*-99999999999999999999\r\n", "invalid multibulk length"],
    ["*1\r\n$-1\r\n", "invalid bulk length"],
    ["*1\r\n$x\r\n", "invalid bulk length"],
    ["*1\r\n$\r\n", "invalid bulk length"],
    ["*1\r\n$1048577\r\n", "invalid bulk length"],
    ["*1\r\n$99999999999999999999999\r\n", "invalid bulk length"],
    ["*3\r\n$3\r\nSET\r\n$1\r\nx\r\nfooz\r\n", "expected '$', got 'f'"],
    ["*1\r\nfoo\r\n", "expected '$', got 'f'"],
    ["*1\r\n\r\n", "expected '$', got '\r'"],
    ["*2\r\n$1\r\na\r\n:1\r\n", "expected '$', got ':'"],
    ["*1\r\n*1\r\n", "expected '$', got '*'"],
  ];
  for (const [text, expected] of cases) {
    test(JSON.stringify(text), () => {
      const outcome = expectSame(`${SET}${text}`);
      expect(outcome).toEqual({ commands: [["SET", "k", "hello"]], fault: expected });
    });
  }

  test("counts and lengths at their bounds", () => {
    expect(expectSame("*2147483647\r\n").fault).toBeNull();
    expect(expectSame("*-2147483649\r\n*-2147483650\r\n*1\r\n$1\r\na\r\n").commands).toEqual([[], [], ["a"]]);
    expect(expectSame("*-9223372036854775808\r\n").commands).toEqual([[]]);
    expect(expectSame("*1\r\n$1048576\r\n").fault).toBeNull();
  });

  test("a guest may send ten arguments of 16384 bytes", () => {
    expect(expectSame("*11\r\n", GUEST).fault).toBe("unauthenticated multibulk length");
    expect(expectSame("*10\r\n", GUEST).fault).toBeNull();
    expect(expectSame("*1\r\n$16385\r\n", GUEST).fault).toBe("unauthenticated bulk length");
    expect(expectSame("*1\r\n$16384\r\n", GUEST).fault).toBeNull();
  });

  test("lines without an end, and lines whose end is behind a NUL, are refused when they are too long", () => {
    const filler = "A".repeat(1000);
    const openings: [string, string][] = [
      ["A", "too big inline request"],
      ["\0\r\n", "too big inline request"],
      ["PING\0\r\n", "too big inline request"],
      ["$\0\r\n", "too big inline request"],
      ["*", "too big mbulk count string"],
      ["*\0\r\n", "too big mbulk count string"],
      ["*1\0\r\n", "too big mbulk count string"],
      ["*1\r\n$", "too big bulk count string"],
      ["*1\r\n$\0\r\n", "too big bulk count string"],
      ["*1\r\nx\0\r\n", "too big bulk count string"],
      ["*1\r\n\0\r\n", "too big bulk count string"],
    ];
    for (const [opening, expected] of openings) {
      const pieces = [bytes(opening)];
      const line = opening.startsWith("*1\r\n") ? opening.length - 4 : opening.length;
      const fits = Math.floor((LINE_MAX - line) / filler.length);
      for (let i = 0; i < fits; i++) pieces.push(bytes(filler));
      expect(readPieces(pieces)).toEqual({ commands: [], fault: null });
      pieces.push(bytes(filler));
      expect(readPieces(pieces)).toEqual({ commands: [], fault: expected });
      expect(readPieces([Buffer.concat(pieces)])).toEqual({ commands: [], fault: expected });
    }
  });
});

describe("memory", () => {
  test("the announcement of a giant argument reserves at most 1 MiB and a little", () => {
    const limits = { bulkMax: 512 * 1024 * 1024, authenticated: true };
    const partial = new PartialRequest();
    const header = bytes("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$536870912\r\n");
    expect(partial.feed(header, 0, header.length, limits, new ProtocolFault())).toBe(header.length);
    expect(partial.capacity).toBeLessThan(1024 * 1024 + 100);
    expect(partial.needed).toBe(header.length + 536870912 + 2);
  });

  test("a giant count reserves nothing", () => {
    const partial = new PartialRequest();
    const header = bytes("*2147483647\r\n$1\r\n");
    partial.feed(header, 0, header.length, LIMITS, new ProtocolFault());
    expect(partial.capacity).toBe(16 * 1024);
    expect(partial.request.start.length).toBeLessThan(1000);
  });

  test("the buffer is kept for the next command, unless it was made for one long argument", () => {
    const partial = new PartialRequest();
    const fault = new ProtocolFault();
    const feed = (text: string): void => {
      const piece = bytes(text);
      partial.feed(piece, 0, piece.length, LIMITS, fault);
    };
    feed("*1\r\n$4\r\nPING");
    feed("\r\n");
    expect(partial.done).toBeTrue();
    expect(partial.request.owned).toBeFalse();
    partial.reset();
    expect([partial.capacity, partial.filled]).toEqual([16 * 1024, 0]);
    feed(`*1\r\n$1048576\r\n${"x".repeat(1048576)}\r\n`);
    expect(partial.done).toBeTrue();
    expect(partial.request.owned).toBeTrue();
    expect(partial.request.buf.length).toBe(14 + 1048576 + 2);
    partial.reset();
    expect(partial.capacity).toBe(0);
  });

  test("shrinking keeps what has come", () => {
    const partial = new PartialRequest();
    const fault = new ProtocolFault();
    const opening = bytes("*2\r\n$1\r\na\r\n$100000\r\nbc");
    partial.feed(opening, 0, opening.length, LIMITS, fault);
    expect(partial.capacity).toBeGreaterThan(100_000);
    partial.shrink(0);
    expect(partial.capacity).toBe(opening.length);
    const rest = bytes(`${"d".repeat(99_998)}\r\n`);
    partial.feed(rest, 0, rest.length, LIMITS, fault);
    expect(partial.done).toBeTrue();
    expect(argumentsOf(partial.request)).toEqual(["a", `bc${"d".repeat(99_998)}`]);
  });
});

seededTest("random cuts of random scripts", (random) => {
  for (let round = 0; round < 300; round++) randomCuts(random);
});

function randomCuts(random: Prng): void {
  const parts: string[] = [];
  const count = 1 + random.below(8);
  for (let i = 0; i < count; i++) {
    if (random.below(4) === 0) {
      parts.push(random.below(2) === 0 ? "PING a\r\n" : "get 'x y'\n");
      continue;
    }
    const args = Array.from({ length: 1 + random.below(5) }, () =>
      "z".repeat(random.below(random.below(3) === 0 ? 5000 : 12)),
    );
    parts.push(`*${args.length}\r\n${args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join("")}`);
  }
  const all = bytes(parts.join(""));
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < all.length; ) {
    const size = 1 + random.below(random.below(2) === 0 ? 8 : 4000);
    pieces.push(all.slice(at, at + size));
    at += size;
  }
  expect(readPieces(pieces)).toEqual(readPieces([all]));
}
