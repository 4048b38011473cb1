// Raw bytes sent to redis-server and to us: the bytes that come back must be the same, and the connection must end, or not, alike.

import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Prng } from "../../src/base/prng.ts";
import { seededTest } from "../base/seeded.ts";
import { encodeCommand, RespClient } from "../support/client.ts";
import { describeOracle, startOracle } from "../support/oracle.ts";
import type { RunningServer } from "../support/process.ts";
import { startServer } from "../support/server.ts";

const command = (...args: (string | number)[]): string => encodeCommand(args).toString("latin1");

/** Sent after each script; its reply tells that everything before it has been dealt with. */
const MARKER = "marker-4711";
const MARK = command("ECHO", MARKER);

const SET = command("SET", "k", "v");

/** Scripts after which the connection lives. */
const LIVING: readonly string[] = [
  "",
  "\r\n",
  "\n\n\r\n\n",
  "   \r\n",
  "\t\v\f \r\n",
  "PING\r\n",
  "PING\n",
  "ping\r\r\n",
  "PING hello\r\n",
  'PING "hello world"\r\n',
  'PING "\\x41\\n\\r\\t\\b\\a\\\\\\"\\q\\x4"\r\n',
  "PING '\\n\\''\r\n",
  'PING a"b c"\r\n',
  "PING a\vb\r\n",
  "SET a \xff\xfe\r\nGET a\r\n",
  'SET "" ""\r\nGET ""\r\nSTRLEN ""\r\n',
  "*0\r\n",
  "*-1\r\n",
  "*-10\r\n",
  "*-9223372036854775808\r\n",
  "*1\rX$4\r!PINGab",
  command(""),
  command("", "a"),
  command("ping"),
  command("PiNg", "a\r\nb"),
  command("PING", "x", "y", "z"),
  command("NO\r\nSUCH", "a\nb", "c\0d"),
  command("nosuch", "x".repeat(200), "y".repeat(200), "z"),
  command("x".repeat(300)),
  command("GET"),
  command("GET", "k".repeat(20000)),
  command("SET", "big", "v".repeat(70000)) + command("STRLEN", "big"),
  command("ECHO", ""),
  command("ECHO", "\0\r\n\0"),
  SET + command("GET", "k") + command("DEL", "k") + command("GET", "k"),
  command("MULTI") + SET + command("NOSUCH") + SET + command("EXEC"),
  command("MULTI") + SET + command("GET", "k") + command("EXEC"),
  `*4\r\n$4\r\nMSET\r\n$1\r\na\r\n$0\r\n\r\n$1\r\nb\r\n`,
  command("CLIENT", "REPLY", "SKIP") + command("PING") + command("PING"),
  command("CLIENT", "REPLY", "OFF") + command("PING") + command("NOSUCH") + command("CLIENT", "REPLY", "ON"),
  command("CLIENT", "REPLY", "SKIP") + command("NOSUCH") + command("PING"),
  command("CLIENT", "REPLY", "SKIP") + command("CLIENT", "REPLY", "SKIP") + command("PING") + command("PING"),
];

/** Scripts that end the connection; what follows them must not be answered. */
const DEADLY: readonly string[] = [
  "*3000000000\r\n",
  "*2147483648\r\n",
  "*x\r\n",
  "*\r\n",
  "*01\r\n",
  "*-0\r\n",
  "*+1\r\n",
  "*1 \r\n",
  "* 1\r\n",
  "*1.0\r\n",
  "*99999999999999999999\r\n",
  "*1\r\n$-1\r\n",
  "*1\r\n$-10\r\n",
  "*1\r\n$x\r\n",
  "*1\r\n$\r\n",
  "*1\r\n$04\r\nPING\r\n",
  "*1\r\n$536870913\r\n",
  "*1\r\n$2000000000\r\n",
  "*1\r\n$99999999999999999999999\r\n",
  "*1\r\nfoo\r\n",
  "*1\r\n\r\n",
  "*1\r\n\n\r\n",
  "*1\r\n*1\r\n",
  "*1\r\n:1\r\n",
  "*1\r\n\xff\r\n",
  "*2\r\n$3\r\nGET\r\nk\r\n",
  `${SET}*3\r\n$3\r\nSET\r\n$1\r\nx\r\nfooz\r\n`,
  `${SET}${SET}*1\r\n$blabla\r\n`,
  '"PING\r\n',
  "'PING\r\n",
  '"PING"x\r\n',
  'set """test-key""" test-value\r\n',
  '"\\\r\n',
  command("MULTI") + SET + "*x\r\n",
  command("QUIT"),
  SET + command("QUIT") + SET,
  "QUIT\r\n",
  `*${"1".repeat(70000)}`,
  "A".repeat(70000),
  `*1\r\n$${"1".repeat(70000)}`,
  `*1\r\n${"x".repeat(70000)}`,
  `PING\0\r\n${"x".repeat(70000)}`,
  `*1\0\r\n${"x".repeat(70000)}`,
  `\0${"x".repeat(70000)}`,
];

/** Scripts to which there is no answer until more bytes come. */
const WAITING: readonly string[] = [
  "PING",
  "*",
  "*1",
  "*1\r",
  "*1\r\n$",
  "*1\r\n$4",
  "*1\r\n$4\r",
  "*1\r\n$4\r\nPING",
  "*1\r\n$4\r\nPING\r",
  "*1\r\nfoo",
  "*1\r\nfoo\r",
  "*2147483647\r\n",
  "*1\r\n$536870912\r\n",
  "PING\0\r\n",
  "*1\0\r\n",
  "*1\r\n$4\0\r\n",
  "*1\r\nx\0\r\n",
];

describeOracle("raw bytes", () => {
  const servers: RunningServer[] = [];
  const [redis, ours] = [0, 1];

  beforeAll(async () => {
    servers.push(await startOracle(), await startServer());
  });
  afterAll(async () => {
    for (const server of servers) await server.stop();
  });

  /** Sends a script and, if it leaves the connection alive, the marker. What came back, with `<closed>` at its end. */
  async function exchange(which: number, script: string, deadly: boolean): Promise<string> {
    const client = await servers[which].connect();
    client.write(script);
    if (!deadly) client.write(MARK);
    let output = "";
    if (deadly) {
      output = `${await client.readToEnd()}<closed>`;
    } else {
      const end = `$${MARKER.length}\r\n${MARKER}\r\n`;
      while (!output.endsWith(end)) output += await client.readBytes(1);
    }
    client.close();
    return output;
  }

  async function compare(script: string, deadly: boolean): Promise<void> {
    const shown = JSON.stringify(script.length > 200 ? `${script.slice(0, 200)}... (${script.length})` : script);
    const expected = await exchange(redis, script, deadly);
    const got = await exchange(ours, script, deadly);
    if (got !== expected)
      throw new Error(`${shown}\nredis: ${JSON.stringify(expected)}\nours:  ${JSON.stringify(got)}`);
  }

  for (const script of LIVING)
    test(`${JSON.stringify(script.slice(0, 60))} is answered alike`, () => compare(script, false));
  for (const script of DEADLY) test(`${JSON.stringify(script.slice(0, 60))} ends alike`, () => compare(script, true));

  test("incomplete commands are waited for", async () => {
    for (const script of WAITING) {
      for (const which of [redis, ours]) {
        const client = await servers[which].connect();
        const other = await servers[which].connect();
        client.write(SET + script);
        expect(await client.readLine()).toBe("+OK");
        // By the time another client has been answered, the first one's bytes have been looked at.
        expect(await other.call("PING")).toBe("PONG");
        expect(await other.call("PING")).toBe("PONG");
        expect(`${script} ${client.unread}`).toBe(`${script} `);
        expect(client.closed).toBeFalse();
        client.close();
        other.close();
      }
    }
  });

  test("before authentication", async () => {
    const scripts = [
      "*11\r\n",
      "*1\r\n$16385\r\n",
      command("NOSUCH"),
      command("GET", "a"),
      `${command("GET", "a")}PING\r\n${command("AUTH", "wrong")}${command("GET")}*11\r\n`,
      command("AUTH", "secret") + command("ECHO", "x".repeat(20000)) + "*x\r\n",
      command("MULTI") + command("EXEC") + command("RESET") + command("QUIT"),
    ];
    for (const which of [redis, ours]) {
      const client = await servers[which].connect();
      expect(await client.call("CONFIG", "SET", "requirepass", "secret")).toBe("OK");
      client.close();
    }
    for (const script of scripts) await compare(`${script}*x\r\n`, true);
  });

  seededTest("random mistakes in valid commands", async (random) => {
    const address = { port: servers[ours].port };
    const admin = await RespClient.connect(address);
    await admin.call("AUTH", "secret");
    expect(await admin.call("CONFIG", "SET", "requirepass", "")).toBe("OK");
    const oracle = await servers[redis].connect();
    await oracle.call("AUTH", "secret");
    expect(await oracle.call("CONFIG", "SET", "requirepass", "")).toBe("OK");
    admin.close();
    oracle.close();
    for (let round = 0; round < 300; round++) await compareMutation(mutated(random));
  });

  /** A script whose end nobody knows: closed by us with QUIT-like garbage that ends every connection sooner or later. */
  async function compareMutation(script: string): Promise<void> {
    await compare(`${script}\r\n\r\n${MARK}${"*x\r\n".repeat(3)}${"\0".repeat(70000)}`, true);
  }
});

function mutated(random: Prng): string {
  const commands = [
    SET,
    command("GET", "k"),
    "PING\r\n",
    command("ECHO", "a b"),
    "echo 'x y'\r\n",
    command("INCR", "n"),
  ];
  let script = "";
  for (let left = 1 + random.below(4); left > 0; left--) script += commands[random.below(commands.length)];
  const noise = "\r\n*$:0123456789-+ \"'\\xab\0\xff";
  for (let left = 1 + random.below(3); left > 0; left--) {
    const at = random.below(script.length + 1);
    const byte = noise[random.below(noise.length)];
    const cut = random.below(3);
    script = script.slice(0, at) + (cut === 0 ? "" : byte) + script.slice(at + (cut === 2 ? 0 : 1));
  }
  return script;
}
