/** MULTI, EXEC, DISCARD, WATCH, UNWATCH: replies, when a transaction aborts, what is watched, and what is propagated. */
import { describe, expect, test } from "bun:test";
import { ClientFlag } from "../../src/engine/client/client.ts";
import { command } from "../../src/engine/context.ts";
import { Target } from "../../src/engine/propagation.ts";
import { Flag } from "../../src/engine/spec/spec.ts";
import { gateFlags, transactionBytes } from "../../src/engine/transactions.ts";
import { ReplyError } from "../../src/resp/errors.ts";
import { type TestServer, testServer, transcript } from "../support/engine.ts";
import { CollectingSink } from "../support/sink.ts";

/** Commands that only these tests have. */
const EXTRA = [
  command({
    name: "forbidden",
    arity: 1,
    flags: Flag.NoMulti,
    since: "1.0.0",
    group: "generic",
    summary: "May not be queued.",
    complexity: "O(1)",
    run: (cx) => cx.reply.ok(),
  }),
  command({
    name: "twice",
    arity: 2,
    flags: Flag.Write,
    since: "1.0.0",
    group: "generic",
    summary: "Propagates itself as two commands.",
    complexity: "O(1)",
    run(cx) {
      cx.dirty++;
      cx.propagateAs(["FIRST", cx.bytes(1)]);
      cx.propagateAs(["SECOND", cx.bytes(1)]);
      cx.reply.ok();
    },
  }),
];

function server(personality: "redis" | "valkey" = "redis"): TestServer {
  return testServer({ personality, commands: EXTRA });
}

describe("queueing", () => {
  test("a transaction answers the replies of its commands", () => {
    transcript(`
      > MULTI
      OK
      > SET k 1
      QUEUED
      > INCR k
      QUEUED
      > GET k
      QUEUED
      > EXEC
      1) OK
      2) (integer) 2
      3) 2
      > GET k
      2`);
  });

  test("an empty transaction answers an empty array", () => {
    transcript(`
      > MULTI
      OK
      > EXEC
      (empty array)`);
  });

  test("commands that fail when they run do not stop the others", () => {
    transcript(`
      > SET k text
      OK
      > MULTI
      OK
      > INCR k
      QUEUED
      > APPEND k !
      QUEUED
      > EXEC
      1) (error) ERR value is not an integer or out of range
      2) (integer) 5`);
  });

  test("EXEC and DISCARD outside of a transaction", () => {
    transcript(`
      > EXEC
      (error) ERR EXEC without MULTI
      > DISCARD
      (error) ERR DISCARD without MULTI`);
  });

  test("DISCARD drops what was queued", () => {
    transcript(`
      > MULTI
      OK
      > SET k v
      QUEUED
      > DISCARD
      OK
      > GET k
      (nil)
      > EXEC
      (error) ERR EXEC without MULTI`);
  });

  for (const mistake of ["nosuchcommand", "GET", "FORBIDDEN"]) {
    test(`${mistake} while queueing aborts the EXEC and ends the transaction`, () => {
      const client = server().connect();
      client.line("MULTI");
      client.line("SET k v");
      expect(client.line(mistake)).toStartWith("(error) ERR ");
      expect(client.line("SET k w")).toBe("QUEUED");
      expect(client.line("EXEC")).toBe("(error) EXECABORT Transaction discarded because of previous errors.");
      expect(client.line("GET k")).toBe("(nil)");
      expect(client.line("EXEC")).toBe("(error) ERR EXEC without MULTI");
    });
  }

  test("an EXEC that is refused itself says why and ends the transaction", () => {
    transcript(`
      > EXEC now
      (error) EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command
      > MULTI
      OK
      > SET k v
      QUEUED
      > EXEC now
      (error) EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command
      > GET k
      (nil)
      > EXEC
      (error) ERR EXEC without MULTI`);
  });

  test("MULTI and WATCH inside of a transaction: an error, and the transaction goes on", () => {
    transcript(
      `
      > MULTI
      OK
      > SET k v
      QUEUED
      > MULTI
      (error) ERR MULTI calls can not be nested
      > WATCH k
      (error) ERR WATCH inside MULTI is not allowed
      > EXEC
      1) OK`,
      server("redis"),
    );
  });

  for (const inside of ["MULTI", "WATCH k"]) {
    test(`${inside} inside of a transaction spoils it with Valkey`, () => {
      const client = server("valkey").connect();
      client.line("MULTI");
      expect(client.line(inside)).toBe("(error) ERR Command not allowed inside a transaction");
      expect(client.line("EXEC")).toBe("(error) EXECABORT Transaction discarded because of previous errors.");
    });
  }

  test("UNWATCH is queued like any command", () => {
    transcript(`
      > MULTI
      OK
      > UNWATCH
      QUEUED
      > EXEC
      1) OK`);
  });

  test("a subcommand called RESET is queued, unlike the command", () => {
    transcript(`
      > MULTI
      OK
      > SLOWLOG RESET
      QUEUED
      > LATENCY RESET
      QUEUED
      > EXEC
      1) OK
      2) (integer) 0`);
  });

  test("SELECT inside of a transaction holds for what follows, and after it", () => {
    transcript(`
      > MULTI
      OK
      > SELECT 3
      QUEUED
      > SET k three
      QUEUED
      > EXEC
      1) OK
      2) OK
      > GET k
      three
      > SELECT 0
      OK
      > GET k
      (nil)`);
  });

  test("RESP3: a transaction that a watched key spoils answers the null of the protocol", () => {
    const { connect } = server();
    const a = connect();
    a.line("HELLO 3");
    a.line("WATCH k");
    connect().line("SET k v");
    a.line("MULTI");
    expect(Buffer.from(a.raw("EXEC")).toString()).toBe("_\r\n");
  });

  test("a transaction that cannot succeed holds no memory", () => {
    const a = server().connect();
    a.line("MULTI");
    a.line(`SET k ${"v".repeat(1000)}`);
    expect(transactionBytes(a.client)).toBeGreaterThan(1000);
    a.line("nosuchcommand");
    expect(transactionBytes(a.client)).toBe(0);
    a.line(`SET k ${"v".repeat(1000)}`);
    expect(a.client.queue).toEqual([]);
  });

  test("statistics count every command, and the errors of queued commands once", () => {
    const { engine, connect } = server();
    const a = connect();
    for (const line of ["SET k text", "MULTI", "INCR k", "INCR k", "EXEC"]) a.line(line);
    const spec = (name: string) => engine.commands.lookup(name);
    expect([spec("incr")?.calls, spec("incr")?.failedCalls]).toEqual([2, 2]);
    expect([spec("exec")?.calls, spec("exec")?.failedCalls]).toEqual([1, 0]);
    expect(engine.stats.errorReplies).toBe(2);
    expect(engine.stats.commandsProcessed).toBe(5);
  });

  test("gates see EXEC with the flags of what is queued", () => {
    const { engine, connect } = server();
    const { client } = connect();
    const exec = engine.commands.lookup("exec");
    const get = engine.commands.lookup("get");
    if (exec === undefined || get === undefined) throw new Error("a command is missing");
    expect(gateFlags(client, exec) & Flag.Loading).toBe(Flag.Loading);
    const other = connect();
    other.line("MULTI");
    other.line("GET k");
    expect(gateFlags(other.client, exec) & (Flag.Readonly | Flag.Write | Flag.Loading | Flag.Stale)).toBe(
      Flag.Readonly,
    );
    other.line("SET k v");
    expect(gateFlags(other.client, exec) & (Flag.Write | Flag.DenyOom)).toBe(Flag.Write | Flag.DenyOom);
    expect(gateFlags(other.client, get)).toBe(get.flags);
  });

  test("a memory limit that came between refuses the EXEC of writes, not that of reads", () => {
    const { engine, connect } = server();
    const a = connect();
    const oom = new ReplyError("OOM command not allowed when used memory > 'maxmemory'.");
    engine.memoryGate = (cx, spec) => ((gateFlags(cx.client, spec) & Flag.DenyOom) !== 0 ? oom : null);
    for (const [line, want] of [
      ["GET k", "1) (nil)"],
      ["SET k v", `(error) EXECABORT Transaction discarded because of: ${oom.text}`],
    ]) {
      a.line("MULTI");
      a.line(line);
      engine.gate |= 1 << 2;
      expect(a.line("EXEC")).toBe(want);
      engine.gate &= ~(1 << 2);
      expect(a.line("PING")).toBe("PONG");
    }
  });

  test("rights are looked at again when EXEC comes to a command", () => {
    const { engine, connect } = server();
    engine.execDenial = (_cx, spec) => (spec.name === "set" ? "NOPERM rules changed" : null);
    const a = connect();
    for (const line of ["MULTI", "SET k v", "GET k"]) a.line(line);
    expect(a.line("EXEC")).toBe("1) (error) NOPERM rules changed\n2) (nil)");
  });

  test("after EXEC the client may block again, and the transaction is gone", () => {
    const a = server().connect();
    for (const line of ["WATCH k", "MULTI", "PING", "EXEC"]) a.line(line);
    expect(a.client.has(ClientFlag.Multi | ClientFlag.DenyBlocking | ClientFlag.DirtyCas)).toBe(false);
    expect(a.client.watched).toEqual([]);
  });
});

describe("WATCH", () => {
  /** Client 1 watches, `between` happens, and the EXEC either runs or not. */
  function watching(setup: string[], between: string[], runs: boolean, advanceMs = 0): void {
    const s = server();
    const a = s.connect();
    const b = s.connect();
    for (const line of setup) a.line(line);
    if (advanceMs > 0) s.advance(advanceMs);
    for (const line of between) b.line(line);
    a.line("MULTI");
    a.line("PING");
    expect(a.line("EXEC")).toBe(runs ? "1) PONG" : "(nil)");
    a.line("MULTI");
    a.line("PING");
    expect(a.line("EXEC")).toBe("1) PONG");
    expect([s.engine.watches.clientCount, s.engine.watches.keyCount]).toEqual([0, 0]);
  }

  test("a key that was not touched", () => watching(["WATCH x y z"], ["SET other 1", "GET x"], true));
  test("a key that was set", () => watching(["SET x 1", "WATCH x"], ["SET x 2"], false));
  test("a key that was created", () => watching(["WATCH x"], ["SET x 2"], false));
  test("a key that was set to what it was", () => watching(["SET x 1", "WATCH x"], ["SET x 1"], false));
  test("one of many keys", () => watching(["WATCH a b x c"], ["SET x 2"], false));
  test("the same key twice", () => watching(["WATCH x x", "WATCH x"], ["SET x 2"], false));
  test("UNWATCH forgets the keys", () => watching(["WATCH x", "UNWATCH"], ["SET x 2"], true));
  test("the key of another database", () => watching(["WATCH x"], ["SELECT 1", "SET x 2"], true));
  test("a key whose time came", () => watching(["SET x 1 PX 10", "WATCH x"], [], false, 20));
  test("a key whose time came and which was deleted for it", () =>
    watching(["SET x 1 PX 10", "WATCH x"], ["GET x"], false, 20));
  for (const change of [
    "DEL x",
    "EXPIRE x 100",
    "PERSIST x",
    "RENAME x y",
    "RENAME y x",
    "COPY y x REPLACE",
    "MOVE x 5",
  ]) {
    test(`a key that is changed by ${change}`, () =>
      watching(["MSET x 1 y 2", "EXPIRE x 50", "WATCH x"], [change], false));
  }
  for (const look of ["TTL x", "TYPE x", "EXISTS x", "TOUCH x", "RENAMENX y x", "COPY y x", "PERSIST y", "DEL none"]) {
    test(`a key that is left alone by ${look}`, () => watching(["MSET x 1 y 2", "WATCH x"], [look], true));
  }
  test("a binary key", () => watching(['WATCH "\\x00\\xff"'], ['SET "\\x00\\xff" 1'], false));
  test("an empty key", () => watching(['WATCH ""'], ['SET "" 1'], false));

  test("UNWATCH after the change lets the transaction run", () => {
    transcript(`
      > WATCH x
      OK
      2> SET x 1
      OK
      > UNWATCH
      OK
      > MULTI
      OK
      > PING
      QUEUED
      > EXEC
      1) PONG`);
  });

  test("DISCARD forgets the keys and the change", () => {
    transcript(`
      > WATCH x
      OK
      > SET x 10
      OK
      > MULTI
      OK
      > DISCARD
      OK
      > SET x 10
      OK
      > MULTI
      OK
      > INCR x
      QUEUED
      > EXEC
      1) (integer) 11`);
  });

  test("the keys of a client that goes away are forgotten", () => {
    const { engine, connect } = server();
    const a = connect();
    a.line("WATCH x y");
    connect().line("WATCH x");
    expect([engine.watches.clientCount, engine.watches.keyCount]).toEqual([2, 2]);
    a.close();
    expect([engine.watches.clientCount, engine.watches.keyCount]).toEqual([1, 1]);
  });

  test("once a change was seen, further WATCHes are not kept", () => {
    const { engine, connect } = server();
    const a = connect();
    a.line("WATCH x");
    a.line("SET x 1");
    expect(engine.watches.keyCount).toBe(0);
    a.line("WATCH y");
    expect(engine.watches.keyCount).toBe(0);
    a.line("MULTI");
    expect(a.line("EXEC")).toBe("(nil)");
  });

  /** A key that had expired before it was watched is absent to its watcher; expired keys are kept until somebody looks. */
  function stale(change: (s: TestServer) => void, runs: boolean): void {
    const s = server();
    const a = s.connect();
    a.line("SET x 1 PX 1");
    s.advance(10);
    a.line("WATCH x");
    expect(a.client.watched[0].expiredAtWatch).toBe(true);
    change(s);
    a.line("MULTI");
    a.line("PING");
    expect(a.line("EXEC")).toBe(runs ? "1) PONG" : "(nil)");
  }

  test("a stale key does not fail the EXEC", () => stale(() => {}, true));
  test("nor does its deletion", () => stale((s) => s.connect().line("GET x"), true));
  test("nor FLUSHALL", () => stale((s) => s.connect().line("FLUSHALL"), true));
  test("nor the exchange with a database where it is absent", () => stale((s) => s.connect().line("SWAPDB 0 1"), true));
  test("but a new value does", () => stale((s) => s.connect().line("SET x 2"), false));
  test("and so does the exchange with a database where it is alive", () =>
    stale((s) => {
      const b = s.connect();
      b.line("SELECT 1");
      b.line("SET x other");
      s.connect().line("SWAPDB 0 1");
    }, false));

  test("whole databases: keys that are there are touched, others not", () => {
    const s = server();
    const [a, b, c] = [s.connect(), s.connect(), s.connect()];
    a.line("SET here 1");
    c.line("SELECT 1");
    c.line("SET there 1");
    a.line("WATCH here");
    b.line("WATCH nowhere");
    c.line("WATCH there");
    s.connect().line("FLUSHDB");
    for (const client of [a, b, c]) client.line("MULTI");
    expect([a, b, c].map((client) => client.line("EXEC"))).toEqual(["(nil)", "(empty array)", "(empty array)"]);
  });

  test("a database exchanged for one where the absent key is stale: no change", () => {
    const s = server();
    const [a, b] = [s.connect(), s.connect()];
    b.line("SELECT 1");
    b.line("SET x 1 PX 1");
    s.advance(10);
    a.line("WATCH x");
    s.connect().line("SWAPDB 0 1");
    expect(a.client.watched[0].expiredAtWatch).toBe(true);
    a.line("MULTI");
    expect(a.line("EXEC")).toBe("(empty array)");
  });

  test("several watchers of a key all notice", () => {
    const s = server();
    const watchers = Array.from({ length: 20 }, () => s.connect());
    for (const client of watchers) client.line("WATCH x");
    s.connect().line("SET x 1");
    for (const client of watchers) {
      client.line("MULTI");
      expect(client.line("EXEC")).toBe("(nil)");
    }
  });
});

describe("propagation", () => {
  function run(lines: string[], targets: number = Target.All): string[] {
    const s = server();
    const a = s.connect();
    a.line("SET old 1");
    const sink = new CollectingSink(targets);
    s.engine.sinks.push(sink);
    for (const line of lines) a.line(line);
    return sink.take();
  }

  test("a command that changes something is propagated as it is", () => {
    expect(run(["SET k v", "GET k", "APPEND k w"])).toEqual(["0> SET k v", "0> APPEND k w"]);
  });

  test("a transaction of one change is propagated without MULTI", () => {
    expect(run(["MULTI", "SET k v", "GET k", "EXEC"])).toEqual(["0> SET k v"]);
  });

  test("a transaction of more is propagated as a unit", () => {
    expect(run(["MULTI", "SET a 1", "GET a", "SET b 2", "EXEC", "SET c 3"])).toEqual([
      "-> MULTI",
      "0> SET a 1",
      "0> SET b 2",
      "-> EXEC",
      "0> SET c 3",
    ]);
  });

  test("with the database of each command", () => {
    expect(run(["MULTI", "SELECT 1", "SET a 1", "SELECT 2", "SET b 2", "EXEC"])).toEqual([
      "-> MULTI",
      "1> SET a 1",
      "2> SET b 2",
      "-> EXEC",
    ]);
  });

  test("a transaction without changes is not propagated", () => {
    expect(run(["MULTI", "EXEC", "MULTI", "GET old", "EXEC", "MULTI", "GETDEL none", "EXEC"])).toEqual([]);
  });

  test("neither is one that is discarded or aborted", () => {
    expect(run(["MULTI", "SET k v", "DISCARD", "MULTI", "SET k v", "nosuchcommand", "EXEC"])).toEqual([]);
  });

  test("one command that becomes two is a unit too", () => {
    expect(run(["TWICE k"])).toEqual(["-> MULTI", "0> FIRST k", "0> SECOND k", "-> EXEC"]);
    expect(run(["MULTI", "TWICE k", "SET a 1", "EXEC"])).toEqual([
      "-> MULTI",
      "0> FIRST k",
      "0> SECOND k",
      "0> SET a 1",
      "-> EXEC",
    ]);
  });

  test("a key that expired is deleted ahead of the command that found it, in one unit with what that propagates", () => {
    for (const [personality, word] of [
      ["redis", "DEL"],
      ["valkey", "UNLINK"],
    ] as const) {
      const s = server(personality);
      const a = s.connect();
      const sink = new CollectingSink();
      for (const line of ["SET x 1 PX 5", "SET y 1 PX 5", "SET z 1 PX 5"]) a.line(line);
      s.advance(10);
      s.engine.sinks.push(sink);
      a.line("GET x");
      expect(sink.take()).toEqual([`0> ${word} x`]);
      a.line("APPEND y v");
      expect(sink.take()).toEqual(["-> MULTI", `0> ${word} y`, "0> APPEND y v", "-> EXEC"]);
      for (const line of ["MULTI", "GET z", "EXEC"]) a.line(line);
      expect(sink.take()).toEqual([`0> ${word} z`]);
    }
  });

  test("a scan that deletes what has expired is no unit", () => {
    const s = server();
    const a = s.connect();
    for (const key of ["x", "y", "z"]) a.line(`SET ${key} 1 PX 5`);
    s.advance(10);
    const sink = new CollectingSink();
    s.engine.sinks.push(sink);
    a.line("SCAN 0 COUNT 100");
    expect(sink.take().sort()).toEqual(["0> DEL x", "0> DEL y", "0> DEL z"]);
  });

  test("PUBLISH goes to replicas alone", () => {
    expect(run(["PUBLISH c m", "MULTI", "SPUBLISH c m", "EXEC"])).toEqual(["0> PUBLISH c m", "0> SPUBLISH c m"]);
    expect(run(["PUBLISH c m", "MULTI", "PUBLISH c m", "SET k v", "EXEC"], Target.Aof)).toEqual(["0> SET k v"]);
    expect(run(["MULTI", "PUBLISH c m", "SET k v", "EXEC"], Target.Replicas)).toEqual([
      "-> MULTI",
      "0> PUBLISH c m",
      "0> SET k v",
      "-> EXEC",
    ]);
  });

  test("a large transaction, and a large value", () => {
    const value = "x".repeat(100_000);
    const lines = ["MULTI", ...Array.from({ length: 300 }, (_, i) => `SET k${i} v`), `SET big ${value}`, "EXEC"];
    const got = run(lines);
    expect(got.length).toBe(303);
    expect(got[300]).toBe("0> SET k299 v");
    expect(got[301]).toBe(`0> SET big ${value}`);
  });
});
