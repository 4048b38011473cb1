/** CLIENT against an engine in process: what it shows, kills, mutes and pauses. */
import { describe, expect, test } from "bun:test";
import type { TestClient } from "../support/engine.ts";
import { testServer, transcript } from "../support/engine.ts";
import { formatReply } from "../support/transcript-reply.ts";

/** A client's line of CLIENT LIST as a map. */
function fields(line: string): Map<string, string> {
  return new Map(
    line
      .trim()
      .split(" ")
      .map((word) => {
        const at = word.indexOf("=");
        return [word.slice(0, at), word.slice(at + 1)] as const;
      }),
  );
}

function info(client: TestClient): Map<string, string> {
  return fields(client.line("CLIENT INFO"));
}

/** Ids that a CLIENT LIST line shows, in order. */
function ids(client: TestClient, filters: string): string {
  const text = client.line(`CLIENT LIST ${filters}`);
  if (text.startsWith("(error)")) return text;
  return [...text.matchAll(/^id=(\d+) /gm)].map((m) => m[1]).join(" ");
}

function pushedText(client: TestClient): string[] {
  return client.pushed().map((reply) => formatReply(reply));
}

describe("CLIENT LIST and INFO", () => {
  const NAMES =
    "id addr laddr fd name age idle flags db sub psub ssub multi watch qbuf qbuf-free argv-mem multi-mem rbs rbp obl oll omem tot-mem events cmd user redir resp lib-name lib-ver";

  test("fields stand in Redis' order", () => {
    expect([...info(testServer().connect()).keys()].join(" ")).toBe(NAMES);
  });

  test("the other personality adds totals", () => {
    const client = testServer({ personality: "valkey" }).connect();
    expect([...info(client).keys()].join(" ")).toBe(`${NAMES} tot-net-in tot-net-out tot-cmds`);
    expect(info(client).get("tot-cmds")).toBe("1");
    expect(info(client).get("tot-cmds")).toBe("2");
    expect(info(client).get("qbuf")).toBe("0");
  });

  test("values of the client that asks", () => {
    const server = testServer();
    const client = server.connect();
    server.advance(3000);
    const line = info(client);
    const expected = { id: "1", name: "", age: "3", flags: "N", db: "0", multi: "-1", watch: "0", user: "default" };
    for (const [name, value] of Object.entries(expected)) expect(`${name}=${line.get(name)}`).toBe(`${name}=${value}`);
    // *2, $6 client, $4 info: 26 bytes on the wire, 10 of them arguments.
    expect(line.get("qbuf")).toBe("26");
    expect(line.get("argv-mem")).toBe("10");
    expect(line.get("cmd")).toBe("client|info");
    expect(line.get("redir")).toBe("-1");
    expect(line.get("resp")).toBe("2");
  });

  test("cmd is the last command sent, also when it was refused", () => {
    const server = testServer();
    const [me, other] = [server.connect(), server.connect()];
    const cases: readonly (readonly [line: string, shown: string])[] = [
      ["PING", "ping"],
      ["GET", "get"],
      ["NOSUCH", "NULL"],
      ["CONFIG GET", "config|get"],
      ["CONFIG NOSUCH", "NULL"],
      ["CONFIG", "config"],
    ];
    for (const [line, shown] of cases) {
      other.line(line);
      expect([line, fields(me.line("CLIENT LIST ID 2")).get("cmd")]).toEqual([line, shown]);
    }
  });

  test("flags have letters", () => {
    const server = testServer();
    const [me, other] = [server.connect(), server.connect()];
    const flags = (): string | undefined => fields(me.line("CLIENT LIST ID 2")).get("flags");
    expect(flags()).toBe("N");
    other.line("CLIENT NO-EVICT ON");
    expect(flags()).toBe("e");
    other.line("CLIENT NO-TOUCH ON");
    expect(flags()).toBe("eT");
    other.line("CLIENT NO-EVICT OFF");
    expect(flags()).toBe("T");
    other.line("MONITOR");
    expect(flags()).toBe("OT");
    other.line("RESET");
    me.line("CLIENT PAUSE 1000 ALL");
    other.line("GET k");
    server.engine.pause.end();
    expect(flags()).toBe("N");
  });

  test("CLIENT INFO is a verbatim string in RESP3", () => {
    const client = testServer().connect();
    client.raw("HELLO", "3");
    const raw = Buffer.from(client.raw("CLIENT", "INFO")).toString();
    expect(raw).toMatch(/^=\d+\r\ntxt:id=1 /);
    expect(raw).toEndWith("\n\r\n");
  });
});

describe("filters", () => {
  function three(): TestClient[] {
    const server = testServer();
    const clients = [server.connect(), server.connect(), server.connect()];
    clients[1].line("CLIENT SETNAME worker");
    clients[1].line("SELECT 4");
    clients[1].line("CLIENT SETINFO LIB-NAME lib");
    clients[1].line("CLIENT SETINFO LIB-VER 1.0");
    clients[2].line("CLIENT NO-TOUCH ON");
    return clients;
  }

  test("of CLIENT LIST", () => {
    const [me] = three();
    const cases: [filters: string, result: string][] = [
      ["", "1 2 3"],
      ["TYPE normal", "1 2 3"],
      ["TYPE PUBSUB", ""],
      ["TYPE replica", ""],
      ["TYPE slave", ""],
      ["TYPE master", ""],
      ["NOT-TYPE pubsub", "1 2 3"],
      ["ID 3 1", "3 1"],
      ["ID 3 77 3", "3 3"],
      ["NOT-ID 1 3", "2"],
      ["ID 1 2 3 SKIPME yes", "2 3"],
      ["SKIPME yes", "2 3"],
      ["SKIPME no", "1 2 3"],
      ["NAME worker", "2"],
      ["NOT-NAME worker", "1 3"],
      ["LIB-NAME lib LIB-VER 1.0", "2"],
      ["NOT-LIB-NAME lib NOT-LIB-VER 1.0", "1 3"],
      ["DB 4", "2"],
      ["NOT-DB 4", "1 3"],
      ["FLAGS T", "3"],
      ["NOT-FLAGS T", "1 2"],
      ["FLAGS N", "1 2"],
      ["ADDR 127.0.0.1:1", "1 2 3"],
      ["LADDR 127.0.0.1:6379", "1 2 3"],
      ["LADDR 127.0.0.1:6380", ""],
      ["IP 127.0.0.1", "1 2 3"],
      ["NOT-IP 127.0.0.1", ""],
      ["USER default", "1 2 3"],
      ["MAXAGE 1", ""],
      ["IDLE 1", ""],
      ["CAPA r", ""],
      ["NOT-CAPA r", "1 2 3"],
      ["DB 4 NAME other", ""],
    ];
    for (const [filters, result] of cases) expect(`${filters}: ${ids(me, filters)}`).toBe(`${filters}: ${result}`);
  });

  test("refuse what they do not know", () => {
    const [me] = three();
    const cases: [filters: string, error: string][] = [
      ["TYPE foo", "ERR Unknown client type 'foo'"],
      ["TYPE", "ERR syntax error"],
      ["ID", "ERR syntax error"],
      ["ID x", "ERR Invalid client ID"],
      ["ID 1 x", "ERR Invalid client ID"],
      ["ID 9223372036854775808", "ERR Invalid client ID"],
      ["FOO bar", "ERR syntax error"],
      ["NOT-FOO bar", "ERR syntax error"],
      ["NOT-MAXAGE 1", "ERR syntax error"],
      ["NOT-SKIPME yes", "ERR syntax error"],
      ["SKIPME maybe", "ERR syntax error"],
      ["USER nobody", "ERR No such user 'nobody'"],
      ["MAXAGE 0", "ERR maxage should be greater than 0"],
      ["MAXAGE x", "ERR maxage is not an integer or out of range"],
      ["IDLE -1", "ERR idle should be greater than 0"],
      ["FLAGS Z", "ERR Unknown flags found in the provided filter: Z"],
      ["NOT-FLAGS Z", "ERR Unknown flags found in the NOT-FLAGS filter: Z"],
      ["CAPA x", "ERR Unknown capa found in the provided filter: x"],
      ["DB 16", "ERR DB number should be between 0 and 15"],
      ["NOT-DB x", "ERR NOT-DB is not an integer or out of range"],
      ["constructor x", "ERR syntax error"],
    ];
    for (const [filters, error] of cases)
      expect(`${filters}: ${ids(me, filters)}`).toBe(`${filters}: (error) ${error}`);
  });

  test("by age and idleness", () => {
    const server = testServer();
    const old = server.connect();
    server.advance(5000);
    const young = server.connect();
    expect(ids(young, "MAXAGE 5")).toBe("1");
    expect(ids(young, "IDLE 5")).toBe("1");
    expect(ids(young, "MAXAGE 6")).toBe("");
    expect(old.closed).toBe(false);
  });
});

describe("CLIENT KILL", () => {
  test("the old form kills by address, also the client that asks", () => {
    const server = testServer();
    const client = server.connect();
    expect(client.line("CLIENT KILL 1.2.3.4:5")).toBe("(error) ERR No such client");
    expect(client.line("CLIENT KILL 127.0.0.1:1")).toBe("OK");
    expect(client.closed).toBe(true);
    expect(server.engine.clients.size).toBe(0);
  });

  test("the new form skips the client that asks unless told otherwise", () => {
    const server = testServer();
    const clients = [server.connect(), server.connect(), server.connect()];
    expect(clients[0].line("CLIENT KILL ID 2 SKIPME yes")).toBe("(integer) 1");
    expect(clients.map((c) => c.closed)).toEqual([false, true, false]);
    expect(clients[0].line("CLIENT KILL ID 1")).toBe("(integer) 0");
    expect(clients[0].line("CLIENT KILL TYPE normal SKIPME no")).toBe("(integer) 2");
    expect(clients.map((c) => c.closed)).toEqual([true, true, true]);
  });

  test("by age", () => {
    const server = testServer();
    const old = server.connect();
    server.advance(2000);
    const young = server.connect();
    expect(young.line("CLIENT KILL MAXAGE 1 SKIPME no")).toBe("(integer) 1");
    expect([old.closed, young.closed]).toEqual([true, false]);
  });

  test("several ids", () => {
    const server = testServer();
    const clients = [server.connect(), server.connect(), server.connect()];
    expect(clients[0].line("CLIENT KILL ID 2 3 99")).toBe("(integer) 2");
    expect(clients.map((c) => c.closed)).toEqual([false, true, true]);
  });

  test("refuses", () => {
    transcript(`
      > CLIENT KILL
      (error) ERR wrong number of arguments for 'client|kill' command
      > CLIENT KILL ID 0
      (error) ERR client-id should be greater than 0
      > CLIENT KILL ID str
      (error) ERR client-id should be greater than 0
      > CLIENT KILL ID 9223372036854775808
      (error) ERR client-id should be greater than 0
      > CLIENT KILL a b
      (error) ERR syntax error
      > CLIENT KILL ID 1 TYPE
      (error) ERR syntax error
      > CLIENT KILL ID 10 wrong_arg
      (error) ERR syntax error
      > CLIENT KILL TYPE wrong
      (error) ERR Unknown client type 'wrong'
      > CLIENT KILL USER nobody
      (error) ERR No such user 'nobody'
      > CLIENT KILL SKIPME maybe
      (error) ERR syntax error
      > CLIENT KILL MAXAGE str
      (error) ERR maxage is not an integer or out of range
      > CLIENT KILL MAXAGE -1
      (error) ERR maxage should be greater than 0`);
  });
});

describe("names, libraries, modes", () => {
  test("SETNAME and GETNAME", () => {
    transcript(`
      > CLIENT GETNAME
      (nil)
      > CLIENT SETNAME me
      OK
      > CLIENT GETNAME
      me
      > CLIENT SETNAME "a b"
      (error) ERR Client names cannot contain spaces, newlines or special characters.
      > CLIENT SETNAME "a\\nb"
      (error) ERR Client names cannot contain spaces, newlines or special characters.
      > CLIENT SETNAME "\\x7f"
      (error) ERR Client names cannot contain spaces, newlines or special characters.
      > CLIENT GETNAME
      me
      > CLIENT SETNAME ""
      OK
      > CLIENT GETNAME
      (nil)
      > CLIENT ID
      (integer) 1
      2> CLIENT ID
      (integer) 2`);
  });

  test("SETINFO", () => {
    transcript(`
      > CLIENT SETINFO lib-name redis.py
      OK
      > CLIENT SETINFO LIB-VER 1.2.3
      OK
      > CLIENT SETINFO lib-name "a b"
      (error) ERR lib-name cannot contain spaces, newlines or special characters.
      > CLIENT SETINFO Lib-Ver "a b"
      (error) ERR Lib-Ver cannot contain spaces, newlines or special characters.
      > CLIENT SETINFO badger foo
      (error) ERR Unrecognized option 'badger'
      > CLIENT SETINFO lib-name
      (error) ERR wrong number of arguments for 'client|setinfo' command`);
  });

  test("modes take ON and OFF", () => {
    transcript(`
      > CLIENT NO-EVICT maybe
      (error) ERR syntax error
      > CLIENT NO-TOUCH maybe
      (error) ERR syntax error
      > CLIENT NO-TOUCH
      (error) ERR wrong number of arguments for 'client|no-touch' command`);
  });

  test("unknown subcommands, and those of one personality", () => {
    transcript(`
      > CLIENT
      (error) ERR wrong number of arguments for 'client' command
      > CLIENT FOO
      (error) ERR unknown subcommand 'FOO'. Try CLIENT HELP.
      > CLIENT MAINT_NOTIFICATIONS ON moving-endpoint-type none
      (error) ERR unknown subcommand 'MAINT_NOTIFICATIONS'. Try CLIENT HELP.
      > CLIENT CAPA redirect
      (error) ERR unknown subcommand 'CAPA'. Try CLIENT HELP.`);
    const client = testServer({ personality: "valkey" }).connect();
    expect(client.line("CLIENT CAPA foo REDIRECT")).toBe("OK");
    expect(ids(client, "CAPA r")).toBe("1");
  });

  test("HELP is a list of lines", () => {
    const lines = testServer().connect().line("CLIENT HELP").split("\n");
    expect(lines[0]).toBe("1) CLIENT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
    expect(lines.at(-2)).toEndWith(") HELP");
    expect(lines.at(-1)).toEndWith(")     Prints this help.");
  });

  test("NO-TOUCH leaves access times alone", () => {
    const server = testServer();
    const client = server.connect();
    const { keyspace } = server.engine;
    const touched: number[] = [];
    const touch = keyspace.touch.bind(keyspace);
    keyspace.touch = (e) => {
      touched.push(e);
      touch(e);
    };
    client.line("SET k v");
    touched.length = 0;
    client.line("GET k");
    expect(touched.length).toBe(1);
    client.line("CLIENT NO-TOUCH ON");
    client.line("GET k");
    expect(touched.length).toBe(1);
    server.connect().line("GET k");
    expect(touched.length).toBe(2);
    client.line("CLIENT NO-TOUCH OFF");
    client.line("GET k");
    expect(touched.length).toBe(3);
  });
});

describe("CLIENT REPLY", () => {
  test("SKIP holds for RESET too", () => {
    const client = testServer().connect();
    client.raw("CLIENT", "REPLY", "SKIP");
    expect(client.raw("RESET").length).toBe(0);
    expect(client.line("PING")).toBe("PONG");
  });

  test("OFF mutes until ON", () => {
    const client = testServer().connect();
    expect(client.raw("CLIENT", "REPLY", "OFF").length).toBe(0);
    expect(client.raw("PING").length).toBe(0);
    expect(client.raw("NOSUCH").length).toBe(0);
    expect(client.raw("GET").length).toBe(0);
    expect(client.raw("CLIENT", "REPLY", "SKIP").length).toBe(0);
    expect(client.line("CLIENT REPLY ON")).toBe("OK");
    expect(client.line("PING")).toBe("PONG");
  });

  test("SKIP mutes one command, whatever becomes of it", () => {
    const client = testServer().connect();
    for (const command of [["PING"], ["NOSUCH"], ["GET"], ["CLIENT", "FOO"], ["SELECT", "x"]]) {
      expect(client.raw("CLIENT", "REPLY", "SKIP").length).toBe(0);
      expect(client.raw(...command).length).toBe(0);
      expect(client.line("PING")).toBe("PONG");
    }
  });

  test("SKIP after SKIP skips one more", () => {
    const client = testServer().connect();
    client.raw("CLIENT", "REPLY", "SKIP");
    expect(client.raw("CLIENT", "REPLY", "SKIP").length).toBe(0);
    expect(client.raw("PING").length).toBe(0);
    expect(client.line("PING")).toBe("PONG");
  });

  test("ON right after SKIP is heard", () => {
    const client = testServer().connect();
    client.raw("CLIENT", "REPLY", "SKIP");
    expect(client.line("CLIENT REPLY ON")).toBe("OK");
    expect(client.line("PING")).toBe("PONG");
    expect(client.line("CLIENT REPLY perhaps")).toBe("(error) ERR syntax error");
  });
});

describe("CLIENT PAUSE", () => {
  test("WRITE postpones what writes, in the order in which it came", () => {
    const server = testServer();
    const [me, a, b] = [server.connect(), server.connect(), server.connect()];
    expect(me.line("CLIENT PAUSE 1000 WRITE")).toBe("OK");
    expect(a.raw("SET", "k", "a").length).toBe(0);
    expect(b.raw("APPEND", "k", "b").length).toBe(0);
    expect(server.engine.pause.postponedCount).toBe(2);
    expect(me.line("GET k")).toBe("(nil)");
    expect(me.line("PING")).toBe("PONG");
    expect(me.line("CLIENT UNPAUSE")).toBe("OK");
    expect(pushedText(a)).toEqual(["OK"]);
    expect(pushedText(b)).toEqual(["(integer) 2"]);
    expect(me.line("GET k")).toBe("ab");
    expect(server.engine.pause.postponedCount).toBe(0);
  });

  test("ALL postpones everything, also the command that would end it", () => {
    const server = testServer();
    const [me, a] = [server.connect(), server.connect()];
    me.line("CLIENT PAUSE 1000");
    expect(a.raw("GET", "k").length).toBe(0);
    expect(me.raw("CLIENT", "UNPAUSE").length).toBe(0);
    server.advance(999);
    expect(pushedText(a)).toEqual([]);
    server.advance(1);
    expect(pushedText(a)).toEqual(["(nil)"]);
    expect(pushedText(me)).toEqual(["OK"]);
  });

  test("the longer end and the stricter scope hold", () => {
    const server = testServer();
    const [me, a] = [server.connect(), server.connect()];
    me.line("CLIENT PAUSE 60000 WRITE");
    me.line("CLIENT PAUSE 10 WRITE");
    server.advance(100);
    expect(a.raw("SET", "k", "v").length).toBe(0);
    me.line("CLIENT UNPAUSE");
    expect(pushedText(a)).toEqual(["OK"]);
    me.line("CLIENT PAUSE 20 WRITE");
    me.line("CLIENT PAUSE 10 ALL");
    server.advance(15);
    expect(a.raw("GET", "k").length).toBe(0);
    server.advance(5);
    expect(pushedText(a)).toEqual(["v"]);
  });

  test("a pause of no time does nothing", () => {
    const client = testServer().connect();
    expect(client.line("CLIENT PAUSE 0")).toBe("OK");
    expect(client.line("SET k v")).toBe("OK");
  });

  test("keys do not expire meanwhile, they are only hidden", () => {
    const server = testServer();
    const client = server.connect();
    client.line("SET k v PX 100");
    client.line("CLIENT PAUSE 1000 WRITE");
    server.advance(500);
    expect(client.line("GET k")).toBe("(nil)");
    expect(server.engine.keyspace.databases[0].size).toBe(1);
    client.line("CLIENT UNPAUSE");
    expect(client.line("GET k")).toBe("(nil)");
    expect(server.engine.keyspace.databases[0].size).toBe(0);
  });

  test("a client that goes away is forgotten", () => {
    const server = testServer();
    const [me, a] = [server.connect(), server.connect()];
    me.line("CLIENT PAUSE 1000 WRITE");
    a.raw("SET", "k", "v");
    a.close();
    expect(server.engine.pause.postponedCount).toBe(0);
    me.line("CLIENT UNPAUSE");
    expect(me.line("GET k")).toBe("(nil)");
  });

  test("refuses", () => {
    transcript(`
      > CLIENT PAUSE abc
      (error) ERR timeout is not an integer or out of range
      > CLIENT PAUSE -1
      (error) ERR timeout is negative
      > CLIENT PAUSE 9223372036854775807
      (error) ERR timeout is out of range
      > CLIENT PAUSE 10 foo
      (error) ERR CLIENT PAUSE mode must be WRITE or ALL
      > CLIENT UNBLOCK abc
      (error) ERR value is not an integer or out of range
      > CLIENT UNBLOCK 1 foo
      (error) ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR
      > CLIENT UNBLOCK 77
      (integer) 0
      > CLIENT UNBLOCK 1 2 3
      (error) ERR unknown subcommand or wrong number of arguments for 'UNBLOCK'. Try CLIENT HELP.`);
  });
});
