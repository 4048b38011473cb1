/** PING, ECHO, QUIT, RESET, SELECT, AUTH and HELLO against an engine in process. */
import { describe, expect, test } from "bun:test";
import { ClientFlag } from "../../src/engine/client/client.ts";
import { type TestServer, testServer, transcript } from "../support/engine.ts";

const GATES = { loading: false, clientIsLocal: true };

/** A server with a password. */
function guardedServer(password: string): TestServer {
  const server = testServer();
  setPassword(server, password);
  return server;
}

function setPassword(server: TestServer, password: string): void {
  const { engine } = server;
  expect(engine.config.set([["requirepass", password]], GATES)).toBeNull();
}

describe("PING and ECHO", () => {
  test("answer", () => {
    transcript(`
      > PING
      PONG
      > PING hello
      hello
      > PING a b
      (error) ERR wrong number of arguments for 'ping' command
      > ECHO "a b"
      a b
      > ECHO
      (error) ERR wrong number of arguments for 'echo' command`);
  });

  test("PING in RESP2 subscriber mode is an array, in RESP3 it is not", () => {
    const client = testServer().connect();
    client.client.set(ClientFlag.Subscriber);
    expect(Buffer.from(client.raw("ping")).toString()).toBe("*2\r\n$4\r\npong\r\n$0\r\n\r\n");
    expect(Buffer.from(client.raw("ping", "x")).toString()).toBe("*2\r\n$4\r\npong\r\n$1\r\nx\r\n");
    client.client.resp = 3;
    expect(Buffer.from(client.raw("ping")).toString()).toBe("+PONG\r\n");
    expect(Buffer.from(client.raw("ping", "x")).toString()).toBe("$1\r\nx\r\n");
  });
});

describe("SELECT", () => {
  test("chooses a database", () => {
    transcript(`
      > SET k 0
      OK
      > SELECT 9
      OK
      > GET k
      (nil)
      > SET k 9
      OK
      2> GET k
      0
      > SELECT 0
      OK
      > GET k
      0`);
  });

  test("refuses what is no database", () => {
    transcript(`
      > SELECT 16
      (error) ERR DB index is out of range
      > SELECT -1
      (error) ERR DB index is out of range
      > SELECT x
      (error) ERR value is not an integer or out of range
      > SELECT 2147483648
      (error) ERR value is out of range, value must between -2147483648 and 2147483647
      > SELECT 9223372036854775808
      (error) ERR value is not an integer or out of range
      > SELECT
      (error) ERR wrong number of arguments for 'select' command`);
  });
});

describe("AUTH", () => {
  test("without a password to know", () => {
    transcript(`
      > AUTH x
      (error) ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?
      > AUTH default anything
      OK
      > AUTH nobody anything
      (error) WRONGPASS invalid username-password pair or user is disabled.
      > AUTH a b c
      (error) ERR syntax error
      > AUTH
      (error) ERR wrong number of arguments for 'auth' command`);
  });

  test("nothing but AUTH, HELLO, QUIT and RESET before it", () => {
    transcript(
      `
      > GET k
      (error) NOAUTH Authentication required.
      > PING
      (error) NOAUTH Authentication required.
      > HELLO
      (error) NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time
      > RESET
      RESET
      > NOSUCHCOMMAND
      (error) ERR unknown command 'NOSUCHCOMMAND', with args beginning with:
      > AUTH wrong
      (error) WRONGPASS invalid username-password pair or user is disabled.
      > AUTH default wrong
      (error) WRONGPASS invalid username-password pair or user is disabled.
      > AUTH secret
      OK
      > PING
      PONG
      2> AUTH default secret
      OK
      2> PING
      PONG
      > AUTH wrong
      (error) WRONGPASS invalid username-password pair or user is disabled.
      > PING
      PONG
      > RESET
      RESET
      > PING
      (error) NOAUTH Authentication required.`,
      guardedServer("secret"),
    );
  });

  test("every byte of a password counts", () => {
    const server = guardedServer("abc\x00def\xff");
    const client = server.connect();
    expect(client.send("AUTH", "abc")).toEqual({
      kind: "error",
      text: "WRONGPASS invalid username-password pair or user is disabled.",
    });
    const password = Buffer.from("abc\x00def\xff", "latin1");
    expect(client.send("AUTH", new Uint8Array(password))).toEqual({ kind: "status", text: "OK" });
  });

  test("a new password asks new clients only, and no password asks nobody", () => {
    const server = testServer();
    const before = server.connect();
    setPassword(server, "secret");
    const after = server.connect();
    expect(before.line("PING")).toBe("PONG");
    expect(after.line("PING")).toBe("(error) NOAUTH Authentication required.");
    setPassword(server, "");
    expect(after.line("PING")).toBe("PONG");
    setPassword(server, "other");
    expect(after.line("PING")).toBe("(error) NOAUTH Authentication required.");
    expect(before.line("PING")).toBe("PONG");
  });
});

describe("HELLO", () => {
  test("describes the server in both protocols", () => {
    const client = testServer().connect();
    const fields = (proto: number): string =>
      `$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$5\r\n7.2.4\r\n$5\r\nproto\r\n:${proto}\r\n$2\r\nid\r\n:1\r\n` +
      "$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n";
    expect(Buffer.from(client.raw("HELLO")).toString()).toBe(`*14\r\n${fields(2)}`);
    expect(Buffer.from(client.raw("HELLO", "3")).toString()).toBe(`%7\r\n${fields(3)}`);
    expect(Buffer.from(client.raw("HELLO")).toString()).toBe(`%7\r\n${fields(3)}`);
    expect(Buffer.from(client.raw("HELLO", "2")).toString()).toBe(`*14\r\n${fields(2)}`);
  });

  test("names the other personality's server", () => {
    const client = testServer({ personality: "valkey" }).connect();
    expect(Buffer.from(client.raw("HELLO")).toString()).toContain(
      "$6\r\nserver\r\n$6\r\nvalkey\r\n$7\r\nversion\r\n$5\r\n8.",
    );
    client.line("CONFIG SET extended-redis-compatibility yes");
    expect(Buffer.from(client.raw("HELLO")).toString()).toContain(
      "$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$5\r\n7.2.4\r\n",
    );
  });

  test("refuses versions, options and names", () => {
    transcript(`
      > HELLO 1
      (error) NOPROTO unsupported protocol version
      > HELLO 4
      (error) NOPROTO unsupported protocol version
      > HELLO three
      (error) ERR Protocol version is not an integer or out of range
      > HELLO 3 SETNAME
      (error) ERR Syntax error in HELLO option 'SETNAME'
      > HELLO 3 AUTH default
      (error) ERR Syntax error in HELLO option 'AUTH'
      > HELLO 3 SETNAME "a b"
      (error) ERR Client names cannot contain spaces, newlines or special characters.
      > HELLO 3 SETNAME me AUTH nobody x
      (error) WRONGPASS invalid username-password pair or user is disabled.
      > CLIENT GETNAME
      (nil)`);
  });

  test("authenticates, names and switches in one step", () => {
    const server = guardedServer("secret");
    const client = server.connect();
    expect(client.line("HELLO 3 AUTH default wrong SETNAME me")).toBe(
      "(error) WRONGPASS invalid username-password pair or user is disabled.",
    );
    expect(client.client.resp).toBe(2);
    expect(client.line("HELLO 3 AUTH default secret SETNAME me")).toStartWith("1# server => redis");
    expect(client.client.resp).toBe(3);
    expect(client.line("CLIENT GETNAME")).toBe("me");
  });
});

describe("QUIT and RESET", () => {
  test("QUIT answers and closes", () => {
    const client = testServer().connect();
    expect(client.line("QUIT")).toBe("OK");
    expect(client.closed).toBe(true);
  });

  test("QUIT takes arguments", () => {
    const client = testServer().connect();
    expect(client.line("QUIT now please")).toBe("OK");
    expect(client.closed).toBe(true);
  });

  test("RESET takes everything back but the library", () => {
    const server = testServer();
    const client = server.connect();
    for (const line of [
      "HELLO 3 SETNAME me",
      "CLIENT SETINFO LIB-NAME lib",
      "CLIENT NO-TOUCH ON",
      "CLIENT NO-EVICT ON",
      "SELECT 5",
      "MONITOR",
    ])
      client.line(line);
    expect(server.engine.monitors.count).toBe(1);
    expect(Buffer.from(client.raw("RESET")).toString()).toBe("+RESET\r\n");
    expect(server.engine.monitors.count).toBe(0);
    expect(client.line("CLIENT INFO")).toMatch(/ name= .* flags=N db=0 .* resp=2 lib-name=lib lib-ver=/);
  });

  test("RESET makes replies heard again", () => {
    const client = testServer().connect();
    expect(client.raw("CLIENT", "REPLY", "OFF").length).toBe(0);
    expect(client.line("RESET")).toBe("RESET");
    expect(client.line("PING")).toBe("PONG");
  });
});
