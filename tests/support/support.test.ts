// Self-test of the test support: the reply parser on bytes, and the client against a server that answers with given bytes.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { encodeCommand, RespClient, utf8 } from "./client.ts";
import { describeOracle, startOracle } from "./oracle.ts";
import type { RunningServer } from "./process.ts";
import { Push, parseReply, ReplyError } from "./reply.ts";

const parse = (text: string) => parseReply(Buffer.from(text, "latin1"), 0);

describe("reply parser", () => {
  const cases: [string, unknown][] = [
    ["+OK\r\n", "OK"],
    ["-ERR no\r\n", new ReplyError("ERR no")],
    [":-7\r\n", -7],
    [":9223372036854775807\r\n", 9223372036854775807n],
    ["$5\r\na\r\nbc\r\n", "a\r\nbc"],
    ["$-1\r\n", null],
    ["*-1\r\n", null],
    ["_\r\n", null],
    ["#t\r\n", true],
    ["#f\r\n", false],
    [",1.5\r\n", 1.5],
    [",inf\r\n", Number.POSITIVE_INFINITY],
    ["(12345678901234567890\r\n", 12345678901234567890n],
    ["=7\r\ntxt:abc\r\n", "abc"],
    ["!5\r\nERR x\r\n", new ReplyError("ERR x")],
    ["*2\r\n:1\r\n*1\r\n+a\r\n", [1, ["a"]]],
    ["%1\r\n+k\r\n:2\r\n", new Map([["k", 2]])],
    ["~2\r\n:1\r\n:2\r\n", new Set([1, 2])],
    [">2\r\n+message\r\n+x\r\n", new Push(["message", "x"])],
    ["|1\r\n+ttl\r\n:3\r\n+OK\r\n", "OK"],
  ];
  for (const [text, value] of cases) {
    test(JSON.stringify(text), () => {
      const found = parse(text);
      expect(found!.reply as unknown).toEqual(value);
      expect(found!.end).toBe(text.length);
      for (let cut = 0; cut < text.length; cut++) expect(parse(text.slice(0, cut))).toBeNull();
    });
  }

  test("bytes that are no reply are an error", () => {
    for (const bad of ["?\r\n", ":x\r\n", "$1\r\nabc", ",\r\n", "#\r"]) {
      if (bad === "#\r") expect(parse(bad)).toBeNull();
      else expect(() => parse(bad)).toThrow();
    }
  });
});

describe("client", () => {
  let listener: Bun.TCPSocketListener<undefined>;
  let answer: (chunk: string) => string | null;
  beforeAll(() => {
    listener = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        data(socket, chunk) {
          const text = answer(chunk.toString("latin1"));
          if (text === null) socket.end();
          else for (const byte of text) socket.write(Buffer.from(byte, "latin1"));
        },
      },
    });
  });
  afterAll(() => listener.stop(true));
  const open = () => RespClient.connect({ port: listener.port });

  test("commands are arrays of bulk strings", () => {
    expect(encodeCommand(["SET", "k", 12, utf8("é")]).toString("latin1")).toBe(
      "*4\r\n$3\r\nSET\r\n$1\r\nk\r\n$2\r\n12\r\n$2\r\n\xc3\xa9\r\n",
    );
    expect(() => encodeCommand(["€"])).toThrow("utf8()");
  });

  test("replies that come byte by byte, pushes in between, and pipelines", async () => {
    answer = () => ">1\r\n+hello\r\n+one\r\n-ERR two\r\n";
    const client = await open();
    expect(await client.pipeline([["a"], ["b"]])).toEqual(["one", new ReplyError("ERR two")]);
    expect(client.pushes).toEqual([new Push(["hello"])]);
    answer = () => "$3\r\n\x00\xff\n\r\nrest";
    expect(await client.callRaw("x")).toBe("$3\r\n\x00\xff\n\r\n");
    expect(await client.readBytes(4)).toBe("rest");
    client.close();
  });

  test("an error reply fails must() and not call(); a closed connection fails a read", async () => {
    answer = () => "-ERR no\r\n";
    const client = await open();
    expect(await client.call("x")).toEqual(new ReplyError("ERR no"));
    await expect(client.must("x", "y")).rejects.toThrow("x y: ERR no");
    answer = () => null;
    await expect(client.call("x")).rejects.toThrow("connection closed");
    expect(client.closed).toBe(true);
  });
});

describeOracle("redis-server", () => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await startOracle();
  });
  afterAll(() => server.stop());

  test("starts, answers in both protocols, and logs", async () => {
    const client = await server.connect();
    expect(await client.must("SET", "k", "\x00\xff")).toBe("OK");
    expect(await client.callRaw("GET", "k")).toBe("$2\r\n\x00\xff\r\n");
    const hello = await client.must("HELLO", 3);
    expect((hello as Map<string, unknown>).get("proto")).toBe(3);
    expect(await client.call("SUBSCRIBE", "news")).toEqual(new Push(["subscribe", "news", 1]));
    expect(await client.call("NOSUCH")).toBeInstanceOf(ReplyError);
    client.close();
    await server.waitForLog(/Ready to accept/);
  });

  test("a large pipeline is written and read in full", async () => {
    const client = await server.connect();
    const value = "x".repeat(1_000_000);
    const replies = await client.pipeline(Array.from({ length: 12 }, () => ["ECHO", value]));
    expect(replies.every((r) => r === value)).toBe(true);
    client.close();
  });

  test("ends on a signal", async () => {
    const other = await startOracle();
    other.signal("SIGTERM");
    expect(await other.exited()).toBe(0);
    await other.stop();
  });
});
