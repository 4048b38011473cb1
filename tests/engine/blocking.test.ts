/**
 * Clients that wait for keys, with commands that only this test has, on strings:
 *   TAKE key ... timeout          answers [key, value] of the first key there is and deletes it; waits when there is none
 *   SHIFT source target timeout   moves a value, and so makes another key ready
 *   LOSE key timeout              waits until the key is gone or not a string: onLoss
 *   HOLD timeout                  waits for no key
 */
import { describe, expect, test } from "bun:test";
import { ANY_TYPE } from "../../src/engine/blocking/blocking.ts";
import type { Wait } from "../../src/engine/blocking/wait.ts";
import { ClientFlag } from "../../src/engine/client/client.ts";
import { type Context, command } from "../../src/engine/context.ts";
import { Event } from "../../src/engine/effects.ts";
import { Observer } from "../../src/engine/observer.ts";
import { type CommandLiteral, Flag, oneKey } from "../../src/engine/spec/spec.ts";
import { NO_EXPIRY } from "../../src/keyspace/database.ts";
import { Type } from "../../src/types/entry.ts";
import { ByteSpan, readString } from "../../src/types/string.ts";
import { type TestClient, type TestServer, testServer } from "../support/engine.ts";
import { CollectingSink } from "../support/sink.ts";
import { formatReply } from "../support/transcript-reply.ts";

function blocking(name: string, arity: number, run: (cx: Context) => void, flags: number = Flag.Write): CommandLiteral {
  return command({
    name,
    arity,
    flags: flags | Flag.Blocking,
    since: "1.0.0",
    group: "generic",
    summary: "Waits.",
    complexity: "O(1)",
    keys: [oneKey("RW access delete")],
    run,
  });
}

const nilArray: Wait["onTimeout"] = (reply) => reply.nilArray();

/** The value of the key in argument `i`, which is then deleted; null when there is none. */
function takeValue(cx: Context, i: number): Uint8Array | null {
  const e = cx.lookupWrite(i);
  if (e === 0) return null;
  cx.requireType(e, Type.String);
  const span = new ByteSpan();
  readString(cx.arena, e, span);
  const value = span.buf.slice(span.at, span.at + span.length);
  cx.db.remove(e, cx.db.hash);
  cx.changed(i, Event.Generic, "del");
  return value;
}

function take(cx: Context): void {
  const timeoutMs = cx.timeoutSeconds(cx.argc - 1);
  for (let i = 1; i < cx.argc - 1; i++) {
    const value = takeValue(cx, i);
    if (value === null) continue;
    cx.reply.array(2);
    cx.reply.bulk(cx.buf, cx.start[i], cx.length[i]);
    cx.reply.bulk(value, 0, value.length);
    cx.propagateAs(["DEL", cx.bytes(i)]);
    return;
  }
  cx.park({ firstKey: 1, keyCount: cx.argc - 2, type: Type.String, timeoutMs, onTimeout: nilArray });
}

function shift(cx: Context): void {
  const timeoutMs = cx.timeoutSeconds(3);
  const value = takeValue(cx, 1);
  if (value === null) {
    cx.park({
      firstKey: 1,
      keyCount: 1,
      type: Type.String,
      timeoutMs,
      onTimeout: nilArray,
      onDenied: (reply) => reply.nil(),
    });
    return;
  }
  cx.db.setString(cx.buf, cx.start[2], cx.length[2], value, 0, value.length, NO_EXPIRY, false);
  cx.changed(2, Event.String, "set");
  cx.reply.bulk(value, 0, value.length);
}

const COMMANDS = [
  blocking("take", -3, take),
  blocking("shift", 4, shift),
  blocking("lose", 3, (cx) => {
    if (cx.lookupRead(1) === 0) cx.reply.status("LOST");
    else
      cx.park({
        firstKey: 1,
        keyCount: 1,
        type: ANY_TYPE,
        timeoutMs: cx.timeoutMs(2),
        onLoss: true,
        onTimeout: nilArray,
      });
  }),
  blocking(
    "hold",
    2,
    (cx) =>
      cx.park({
        firstKey: 0,
        keyCount: 0,
        type: ANY_TYPE,
        timeoutMs: cx.timeoutMs(1),
        onTimeout: (reply) => reply.integer(0),
      }),
    Flag.Readonly,
  ),
];

interface World extends TestServer {
  /** Clients that have sent a command which waits. */
  waiting(...lines: string[]): TestClient[];
}

function world(): World {
  const server = testServer({ commands: COMMANDS });
  return {
    ...server,
    waiting: (...lines) =>
      lines.map((line) => {
        const client = server.connect();
        expect(client.line(line)).toBe("");
        expect(client.client.has(ClientFlag.Blocked)).toBe(true);
        return client;
      }),
  };
}

/** What a client got since, as text. */
function got(client: TestClient): string {
  return client
    .pushed()
    .map((reply) => formatReply(reply).replaceAll("\n", " "))
    .join(" | ");
}

describe("keys that become ready", () => {
  test("a waiting client is served, once, and can go on", () => {
    const s = world();
    const [a] = s.waiting("TAKE k 0");
    const b = s.connect();
    expect(b.line("SET k v")).toBe("OK");
    expect(got(a)).toBe("1) k 2) v");
    expect(b.line("GET k")).toBe("(nil)");
    expect(a.client.has(ClientFlag.Blocked)).toBe(false);
    expect(a.client.halted).toBe(0);
    expect(a.line("PING")).toBe("PONG");
    expect(b.line("SET k w")).toBe("OK");
    expect(got(a)).toBe("");
    const { blocking: waits } = s.engine;
    expect([waits.clientCount, waits.keyCount, waits.deadlineCount]).toEqual([0, 0, 0]);
    expect(s.engine.observed & Observer.Blocked).toBe(0);
  });

  test("clients are served in the order in which they came", () => {
    const s = world();
    const clients = s.waiting("TAKE k 0", "TAKE other k 0", "TAKE k 0");
    const b = s.connect();
    for (const [i, client] of clients.entries()) {
      b.line(`SET k v${i}`);
      expect(clients.map((each) => (each === client ? got(each) : got(each)))).toEqual(
        clients.map((_, j) => (j === i ? `1) k 2) v${i}` : "")),
      );
    }
  });

  test("several keys: any of them will do, and then none is waited for", () => {
    const s = world();
    const [a] = s.waiting("TAKE a b c b 0");
    expect(s.engine.blocking.keyCount).toBe(3);
    s.connect().line("SET b v");
    expect(got(a)).toBe("1) b 2) v");
    expect(s.engine.blocking.keyCount).toBe(0);
  });

  test("the reply has the protocol of the client that waited", () => {
    const s = world();
    const [a, b] = [s.connect(), s.connect()];
    a.line("HELLO 3");
    a.line("TAKE k 0.01");
    b.line("HELLO 3");
    b.line("TAKE k 0");
    s.advance(20);
    s.engine.blocking.expire();
    expect(a.pushed()).toEqual([{ kind: "nil3" }]);
    const writer = s.connect();
    expect(Buffer.from(writer.raw("SET", "k", "v")).toString()).toBe("+OK\r\n");
    expect(got(b)).toBe("1) k 2) v");
    expect(Buffer.from(writer.raw("GET", "k")).toString()).toBe("$-1\r\n");
  });

  test("a transaction is over before anybody is served", () => {
    const s = world();
    const [a] = s.waiting("TAKE k 0");
    const b = s.connect();
    for (const line of ["MULTI", "SET k one", "SET k two", "GET k"]) b.line(line);
    expect(b.line("EXEC")).toBe("1) OK\n2) OK\n3) two");
    expect(got(a)).toBe("1) k 2) two");
    for (const line of ["MULTI", "SET k one", "GETDEL k", "EXEC"]) b.line(line);
    expect(got(a)).toBe("");
  });

  test("a key that is gone again by then serves nobody", () => {
    const s = world();
    const [a] = s.waiting("TAKE k 0");
    const b = s.connect();
    for (const line of ["MULTI", "SET k one", "GETDEL k", "EXEC"]) b.line(line);
    expect(got(a)).toBe("");
    expect(a.client.has(ClientFlag.Blocked)).toBe(true);
  });

  test("a served client that makes another key ready: its waiters are served too", () => {
    const s = world();
    const [a, b, c] = s.waiting("TAKE third 0", "SHIFT second third 0", "SHIFT first second 0");
    s.connect().line("SET first v");
    expect([got(a), got(b), got(c)]).toEqual(["1) third 2) v", "v", "v"]);
    expect(s.engine.blocking.clientCount).toBe(0);
  });

  test("a circle of moves comes to an end", () => {
    const s = world();
    const [a, b] = s.waiting("SHIFT x y 0", "SHIFT y x 0");
    const c = s.connect();
    c.line("SET x v");
    expect([got(a), got(b)]).toEqual(["v", "v"]);
    expect(c.line("GET x")).toBe("v");
  });

  test("a move onto its own key serves those behind it", () => {
    const s = world();
    const [a, b] = s.waiting("SHIFT k k 0", "TAKE k 0");
    s.connect().line("SET k v");
    expect([got(a), got(b)]).toEqual(["v", "1) k 2) v"]);
  });

  test("the databases are apart, and SWAPDB brings keys to those who wait", () => {
    const s = world();
    const a = s.connect();
    a.line("SELECT 1");
    a.line("TAKE k 0");
    const b = s.connect();
    b.line("SET k v");
    expect(got(a)).toBe("");
    const [zero, one] = s.engine.keyspace.databases;
    zero.swapContent(one);
    s.engine.blocking.databaseChanged(0);
    s.engine.blocking.databaseChanged(1);
    expect(got(a)).toBe("1) k 2) v");
  });

  test("loss: deletion serves only those who wait for it", () => {
    const s = world();
    s.connect().line("SET k v");
    const [a] = s.waiting("LOSE k 0");
    const [b] = s.waiting("TAKE other 0");
    expect(s.engine.blocking.lossKeyCount).toBe(1);
    const c = s.connect();
    c.line("SET k w");
    expect(a.client.has(ClientFlag.Blocked)).toBe(true);
    c.line("GETDEL k");
    expect([got(a), got(b)]).toEqual(["LOST", ""]);
  });

  test("loss: a flushed database", () => {
    const s = world();
    s.connect().line("SET k v");
    const [a] = s.waiting("LOSE k 0");
    s.engine.keyspace.flush(-1, false);
    s.engine.blocking.databaseChanged(-1);
    expect(got(a)).toBe("LOST");
  });

  test("an expired key is not ready", () => {
    const s = world();
    const [a] = s.waiting("TAKE k 0");
    const { databases } = s.engine.keyspace;
    const key = Buffer.from("k");
    databases[0].setString(key, 0, 1, key, 0, 1, s.clock.nowMs() - 1000, false);
    s.engine.blocking.databaseChanged(0);
    expect(got(a)).toBe("");
    expect(a.client.has(ClientFlag.Blocked)).toBe(true);
  });

  test("messages that a served command causes to its own client follow its reply", () => {
    const s = world();
    s.engine.config.set([["notify-keyspace-events", "Eg"]], { loading: false, clientIsLocal: true });
    const a = s.connect();
    a.line("HELLO 3");
    a.line("SUBSCRIBE __keyevent@0__:del");
    a.line("TAKE k 0");
    s.connect().line("SET k v");
    expect(got(a)).toBe("1) k 2) v | 1) message 2) __keyevent@0__:del 3) k");
  });

  test("a served client's events do not end up in the reply of the one who served it, with replies off either", () => {
    const s = world();
    s.engine.config.set([["notify-keyspace-events", "Eg$"]], { loading: false, clientIsLocal: true });
    const writer = s.connect();
    writer.line("HELLO 3");
    writer.line("PSUBSCRIBE __key*");
    writer.raw("CLIENT", "REPLY", "OFF");
    const [a] = s.waiting("TAKE k 0");
    const own = Buffer.from(writer.raw("SET", "k", "v")).toString();
    expect(own).toContain("__keyevent@0__:set");
    expect(own).not.toContain("__keyevent@0__:del");
    expect(got(writer)).toContain("__keyevent@0__:del");
    expect(got(a)).toBe("1) k 2) v");
    expect(writer.raw("GET", "k").length).toBe(0);
  });

  test("what a served command changes is propagated after what made it ready", () => {
    const s = world();
    const sink = new CollectingSink();
    s.engine.sinks.push(sink);
    s.waiting("TAKE k 0");
    const b = s.connect();
    for (const line of ["MULTI", "SET k 1", "SET j 2", "EXEC"]) b.line(line);
    expect(sink.take()).toEqual(["-> MULTI", "0> SET k 1", "0> SET j 2", "-> EXEC", "0> DEL k"]);
  });

  test("many clients, many keys: everyone gets one value, in order", () => {
    const s = world();
    const clients = s.waiting(...Array.from({ length: 300 }, (_, i) => `TAKE k${i % 3} all 0`));
    const b = s.connect();
    for (let i = 0; i < 100; i++) b.line(`SET all ${i}`);
    expect(clients.slice(0, 100).map(got)).toEqual(Array.from({ length: 100 }, (_, i) => `1) all 2) ${i}`));
    for (let i = 0; i < 3; i++) b.line(`SET k${i} x`);
    expect(clients.slice(100).filter((client) => got(client) !== "").length).toBe(3);
    for (const client of clients) client.close();
    expect([s.engine.blocking.clientCount, s.engine.blocking.keyCount]).toEqual([0, 0]);
    b.line("SET all y");
    expect(b.line("GET all")).toBe("y");
  });
});

describe("clients that cannot wait", () => {
  test("inside of a transaction the time is up at once", () => {
    const s = world();
    const a = s.connect();
    for (const line of ["MULTI", "TAKE k 0", "SHIFT k j 0", "HOLD 0"]) a.line(line);
    expect(Buffer.from(a.raw("EXEC")).toString()).toBe("*3\r\n*-1\r\n$-1\r\n:0\r\n");
    expect(a.client.has(ClientFlag.Blocked)).toBe(false);
    expect(a.client.halted).toBe(0);
  });

  test("and a key that is there is taken", () => {
    const s = world();
    const a = s.connect();
    for (const line of ["SET k v", "MULTI", "TAKE k 0"]) a.line(line);
    expect(a.line("EXEC")).toBe("1)    1) k\n   2) v");
  });
});

describe("the end of a wait", () => {
  test("times out after its last millisecond, never early, earliest first", () => {
    const s = world();
    const armed: number[] = [];
    s.engine.armTimer = (delayMs) => armed.push(delayMs);
    const [a, b, c] = s.waiting("TAKE k 0.1", "TAKE k 0.05", "TAKE k 0");
    expect(armed).toEqual([101, 51]);
    expect(s.engine.blocking.deadlineCount).toBe(2);
    s.advance(50);
    s.engine.blocking.expire();
    expect([got(a), got(b), got(c)]).toEqual(["", "", ""]);
    s.advance(1);
    s.engine.blocking.expire();
    expect(b.pushed.length).toBe(0);
    expect([got(a), got(b), got(c)]).toEqual(["", "(nil)", ""]);
    expect(armed.at(-1)).toBe(50);
    s.advance(1000);
    s.engine.blocking.expire();
    expect([got(a), got(b), got(c)]).toEqual(["(nil)", "", ""]);
    expect(s.engine.blocking.nextDeadlineMs).toBe(Number.POSITIVE_INFINITY);
    expect([a, b, c].map((client) => client.client.halted === 0)).toEqual([true, true, false]);
  });

  test("a timeout is a nil array of the client's protocol", () => {
    const s = world();
    const a = s.connect();
    a.line("TAKE k 0.001");
    s.advance(5);
    s.engine.blocking.expire();
    expect(a.pushed()).toEqual([{ kind: "nil-array" }]);
  });

  test("a request that parks again keeps its first deadline", () => {
    const s = world();
    s.connect().line("SET k v");
    const [a] = s.waiting("LOSE k 100");
    s.advance(60);
    s.connect().line("SET k w");
    expect(a.client.has(ClientFlag.Blocked)).toBe(true);
    s.advance(50);
    s.engine.blocking.expire();
    expect(got(a)).toBe("(nil)");
  });

  test("CLIENT UNBLOCK", () => {
    const s = world();
    const [a, b] = s.waiting("TAKE k 0", "TAKE k 0");
    const c = s.connect();
    expect(s.engine.blocking.unblock(a.client, false)).toBe(true);
    expect(s.engine.blocking.unblock(a.client, false)).toBe(false);
    expect(s.engine.blocking.unblock(b.client, true)).toBe(true);
    expect(s.engine.blocking.unblock(c.client, true)).toBe(false);
    expect([got(a), got(b)]).toEqual(["(nil)", "(error) UNBLOCKED client unblocked via CLIENT UNBLOCK"]);
    expect(s.engine.commands.lookup("take")?.failedCalls).toBe(1);
    expect(a.line("PING")).toBe("PONG");
  });

  test("others may end a wait, or let it run again", () => {
    const s = world();
    const [a, b] = s.waiting("HOLD 0", "HOLD 0");
    expect(s.engine.blocking.finish(a.client, (reply) => reply.integer(7))).toBe(true);
    expect(got(a)).toBe("(integer) 7");
    expect(s.engine.blocking.wake(b.client)).toBe(true);
    expect(got(b)).toBe("");
    expect(b.client.has(ClientFlag.Blocked)).toBe(true);
    expect(s.engine.blocking.wake(a.client)).toBe(false);
  });

  test("all at once, with an error and the end of the connection", () => {
    const s = world();
    const clients = s.waiting("TAKE k 0", "HOLD 1000");
    s.engine.blocking.disconnectAll("UNBLOCKED instance state changed");
    expect(clients.map(got)).toEqual(Array(2).fill("(error) UNBLOCKED instance state changed"));
    expect(clients.every((client) => client.closed)).toBe(true);
  });

  test("a client that goes away leaves no trace and misses nothing for others", () => {
    const s = world();
    const [a, b] = s.waiting("TAKE k j 5", "TAKE k 5");
    a.close();
    expect([s.engine.blocking.clientCount, s.engine.blocking.keyCount, s.engine.blocking.deadlineCount]).toEqual([
      1, 1, 1,
    ]);
    s.connect().line("SET k v");
    expect(got(b)).toBe("1) k 2) v");
    expect(got(a)).toBe("");
  });
});

describe("records", () => {
  test("a command that waits counts when it is done, once", () => {
    const s = world();
    const spec = s.engine.commands.lookup("take");
    const [a] = s.waiting("TAKE k 0");
    expect([spec?.calls, s.engine.stats.commandsProcessed, a.client.commandCount]).toEqual([0, 0, 0]);
    s.connect().line("SET k v");
    expect([spec?.calls, s.engine.stats.commandsProcessed, a.client.commandCount]).toEqual([1, 2, 1]);
    const [b] = s.waiting("TAKE k 0.01");
    s.advance(20);
    s.engine.blocking.expire();
    expect([spec?.calls, s.engine.stats.commandsProcessed, b.client.commandCount]).toEqual([2, 3, 1]);
  });

  test("MONITOR shows it once", () => {
    const s = world();
    const monitor = s.connect();
    monitor.line("MONITOR");
    monitor.pushed();
    const [a] = s.waiting("TAKE k 0");
    s.connect().line("SET k v");
    expect(got(a)).toBe("1) k 2) v");
    const shown = monitor.pushed().map((line) => formatReply(line).replace(/^.*?\] /, ""));
    expect(shown.filter((line) => line.startsWith('"TAKE"'))).toEqual(['"TAKE" "k" "0"']);
  });

  test("replies that are switched off stay away", () => {
    const s = world();
    const a = s.connect();
    a.raw("CLIENT", "REPLY", "OFF");
    a.raw("TAKE", "k", "0");
    s.connect().line("SET k v");
    expect(got(a)).toBe("");
    a.raw("TAKE", "k", "0.01");
    s.advance(20);
    s.engine.blocking.expire();
    expect(got(a)).toBe("");
    expect(a.client.halted).toBe(0);
  });
});

describe("timeouts", () => {
  const cases: [string, string][] = [
    ["-1", "(error) ERR timeout is negative"],
    ["-0.5", "(error) ERR timeout is negative"],
    ["-inf", "(error) ERR timeout is negative"],
    ["x", "(error) ERR timeout is not a float or out of range"],
    ["nan", "(error) ERR timeout is not a float or out of range"],
    ["", "(error) ERR timeout is not a float or out of range"],
    ["1e30", "(error) ERR timeout is out of range"],
    ["1e4000", "(error) ERR timeout is out of range"],
    ["inf", "(error) ERR timeout is out of range"],
    ["9223372036854775", "(error) ERR timeout is out of range"],
  ];
  test("in seconds", () => {
    const a = world().connect();
    for (const [text, want] of cases) expect([text, a.line(`TAKE k "${text}"`)]).toEqual([text, want]);
  });

  test("in milliseconds", () => {
    const a = world().connect();
    expect(a.line("HOLD -1")).toBe("(error) ERR timeout is negative");
    expect(a.line("HOLD 0.5")).toBe("(error) ERR timeout is not an integer or out of range");
    expect(a.line("HOLD 9223372036854775807")).toBe("(error) ERR timeout is out of range");
  });

  test("are rounded up to whole milliseconds", () => {
    const s = world();
    s.waiting("TAKE k 0.0001");
    expect(s.engine.blocking.nextDeadlineMs).toBe(s.engine.nowMs() + 1);
  });
});
