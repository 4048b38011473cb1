/** Pub/sub: subscriptions and their confirmations, who gets which message in which order and form, and PUBSUB. */
import { describe, expect, test } from "bun:test";
import { type TestServer, testServer, transcript } from "../support/engine.ts";

describe("listening", () => {
  test("a message reaches the listeners of its channel", () => {
    transcript(`
      > SUBSCRIBE a b
      1) subscribe
      2) a
      3) (integer) 1
      1) subscribe
      2) b
      3) (integer) 2
      2> PUBLISH a hello
      (integer) 1
      2> PUBLISH b world
      (integer) 1
      2> PUBLISH c nobody
      (integer) 0
      < 1) message 2) a 3) hello
      < 1) message 2) b 3) world
      > UNSUBSCRIBE a
      1) unsubscribe
      2) a
      3) (integer) 1
      2> PUBLISH a hello
      (integer) 0
      > UNSUBSCRIBE
      1) unsubscribe
      2) b
      3) (integer) 0
      > PING
      PONG`);
  });

  test("subscribing twice counts once, and so does leaving", () => {
    transcript(`
      > SUBSCRIBE a a
      1) subscribe
      2) a
      3) (integer) 1
      1) subscribe
      2) a
      3) (integer) 1
      2> PUBLISH a x
      (integer) 1
      > UNSUBSCRIBE a a
      1) unsubscribe
      2) a
      3) (integer) 0
      1) unsubscribe
      2) a
      3) (integer) 0`);
  });

  test("patterns: one delivery for the channel and one for each pattern that matches", () => {
    transcript(`
      > PSUBSCRIBE news.* n?ws.art
      1) psubscribe
      2) news.*
      3) (integer) 1
      1) psubscribe
      2) n?ws.art
      3) (integer) 2
      > SUBSCRIBE news.art
      1) subscribe
      2) news.art
      3) (integer) 3
      2> PUBLISH news.art hi
      (integer) 3
      2> PUBLISH news.sport hi
      (integer) 1
      < 1) message 2) news.art 3) hi
      < 1) pmessage 2) news.* 3) news.art 4) hi
      < 1) pmessage 2) n?ws.art 3) news.art 4) hi
      < 1) pmessage 2) news.* 3) news.sport 4) hi
      > PUNSUBSCRIBE
      1) punsubscribe
      2) news.*
      3) (integer) 2
      1) punsubscribe
      2) n?ws.art
      3) (integer) 1`);
  });

  test("shard channels are a world of their own", () => {
    transcript(`
      > SSUBSCRIBE a
      1) ssubscribe
      2) a
      3) (integer) 1
      > SUBSCRIBE a
      1) subscribe
      2) a
      3) (integer) 1
      > PSUBSCRIBE *
      1) psubscribe
      2) *
      3) (integer) 2
      2> SPUBLISH a shard
      (integer) 1
      < 1) smessage 2) a 3) shard
      > SUNSUBSCRIBE
      1) sunsubscribe
      2) a
      3) (integer) 0
      2> SPUBLISH a shard
      (integer) 0`);
  });

  test("leaving without having listened answers a nil, or NOSUB with Valkey", () => {
    for (const [word, nil] of [
      ["unsubscribe", "$-1\r\n"],
      ["punsubscribe", "$-1\r\n"],
      ["sunsubscribe", "$-1\r\n"],
    ]) {
      const redis = testServer().connect();
      expect(Buffer.from(redis.raw(word)).toString()).toBe(`*3\r\n$${word.length}\r\n${word}\r\n${nil}:0\r\n`);
      expect(redis.line(`${word} x`)).toBe(`1) ${word}\n2) x\n3) (integer) 0`);
      const valkey = testServer({ personality: "valkey" }).connect();
      const refusal = `(error) NOSUB '${word}' command executed not in subscribed mode`;
      expect(valkey.line(word)).toBe(refusal);
      expect(valkey.line(`${word} x`)).toBe(refusal);
      valkey.line("MULTI");
      expect(valkey.line(word)).toBe(refusal);
      expect(valkey.line("EXEC")).toStartWith("(error) EXECABORT");
      valkey.line("SUBSCRIBE c");
      expect(valkey.line(word)).not.toStartWith("(error)");
    }
  });

  test("RESP2 allows little to a client that listens, RESP3 everything", () => {
    const { connect } = testServer();
    const a = connect();
    a.line("SUBSCRIBE c");
    expect(a.line("GET k")).toBe(
      "(error) ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context",
    );
    expect(a.line("SLOWLOG RESET")).toStartWith("(error) ERR Can't execute 'slowlog|reset'");
    a.line("SSUBSCRIBE s");
    a.line("UNSUBSCRIBE");
    expect(a.line("GET k")).toStartWith("(error) ERR Can't execute 'get'");
    a.line("SUNSUBSCRIBE s");
    expect(a.line("GET k")).toBe("(nil)");
    const b = connect();
    b.line("HELLO 3");
    b.line("SUBSCRIBE c");
    expect(Buffer.from(b.raw("GET", "k")).toString()).toBe("_\r\n");
  });

  test("confirmations and messages are pushes in RESP3", () => {
    const { connect } = testServer();
    const a = connect();
    a.line("HELLO 3");
    expect(Buffer.from(a.raw("SUBSCRIBE", "c")).toString()).toBe(">3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n");
    connect().line("PUBLISH c m");
    expect(a.pushed()[0].kind).toBe("push");
    expect(Buffer.from(a.raw("UNSUBSCRIBE")).toString()).toBe(">3\r\n$11\r\nunsubscribe\r\n$1\r\nc\r\n:0\r\n");
    expect(Buffer.from(a.raw("PUNSUBSCRIBE")).toString()).toBe(">3\r\n$12\r\npunsubscribe\r\n_\r\n:0\r\n");
  });

  test("listeners of both protocols get the message in their own form", () => {
    const { connect } = testServer();
    const clients = [2, 3, 2, 3].map((protocol) => {
      const client = connect();
      client.line(`HELLO ${protocol}`);
      client.line("SUBSCRIBE c");
      return client;
    });
    expect(connect().line("PUBLISH c m")).toBe("(integer) 4");
    expect(clients.map((client) => client.pushed().map((push) => push.kind))).toEqual([
      ["array"],
      ["push"],
      ["array"],
      ["push"],
    ]);
  });

  test("binary and empty names and messages", () => {
    const { connect } = testServer();
    const a = connect();
    const name = Uint8Array.of(0, 255, 13, 10);
    a.raw("SUBSCRIBE", name, "");
    const b = connect();
    b.raw("PUBLISH", name, Uint8Array.of(0, 1));
    b.raw("PUBLISH", "", "");
    expect(a.pushed()).toEqual([
      { kind: "array", items: ["message", "\x00\xff\r\n", "\x00\x01"].map((text) => ({ kind: "bulk", text })) },
      { kind: "array", items: ["message", "", ""].map((text) => ({ kind: "bulk", text })) },
    ]);
  });

  test("confirmations and messages come even when replies are switched off", () => {
    const { connect } = testServer();
    const a = connect();
    a.line("HELLO 3");
    a.raw("CLIENT", "REPLY", "OFF");
    const words = (bytes: Uint8Array) =>
      [
        ...Buffer.from(bytes)
          .toString()
          .matchAll(/[a-z]{7,}/g),
      ].map(([word]) => word);
    expect(words(a.raw("SUBSCRIBE", "c", "d"))).toEqual(["subscribe", "subscribe"]);
    expect(words(a.raw("PSUBSCRIBE", "c*"))).toEqual(["psubscribe"]);
    connect().line("PUBLISH c m");
    expect(a.pushed().length).toBe(2);
    expect(words(a.raw("PUBLISH", "c", "m"))).toEqual(["message", "pmessage"]);
    expect(a.raw("PING").length).toBe(0);
    a.raw("MULTI");
    a.raw("PUBLISH", "c", "m");
    a.raw("UNSUBSCRIBE");
    a.raw("PING");
    expect(words(a.raw("EXEC"))).toEqual(["message", "pmessage", "unsubscribe", "unsubscribe"]);
    expect(a.pushed()).toEqual([]);
  });

  test("a client that goes away is forgotten everywhere", () => {
    const { engine, connect } = testServer();
    const a = connect();
    a.line("SUBSCRIBE c d");
    a.line("PSUBSCRIBE p* q*");
    a.line("SSUBSCRIBE s");
    connect().line("SUBSCRIBE c");
    expect(engine.pubsub.clientCount).toBe(2);
    a.close();
    const { pubsub } = engine;
    expect([pubsub.clientCount, pubsub.channels.size, pubsub.patterns.size, pubsub.shardChannels.size]).toEqual([
      1, 1, 0, 0,
    ]);
  });

  test("deliveries go in the order in which clients came", () => {
    const { connect } = testServer();
    const order: number[] = [];
    const clients = Array.from({ length: 5 }, (_, i) => {
      const client = connect();
      client.append = () => order.push(i);
      return client;
    });
    for (const client of clients) client.line("SUBSCRIBE c");
    clients[1].line("UNSUBSCRIBE c");
    clients[1].line("SUBSCRIBE c");
    connect().line("PUBLISH c m");
    expect(order).toEqual([0, 2, 3, 4, 1]);
  });

  test("a listener that is lost while a message goes out does not disturb the others", () => {
    const { connect } = testServer();
    const clients = Array.from({ length: 4 }, () => connect());
    for (const client of clients) client.line("SUBSCRIBE c");
    clients[1].append = () => clients[1].close();
    expect(connect().line("PUBLISH c m")).toBe("(integer) 4");
    expect(clients.map((client) => client.pushed().length)).toEqual([1, 0, 1, 1]);
    expect(connect().line("PUBLISH c m")).toBe("(integer) 3");
  });
});

describe("transactions", () => {
  test("messages to oneself follow the reply, in RESP3 and inside of EXEC too", () => {
    const a = testServer().connect();
    a.line("HELLO 3");
    a.line("SUBSCRIBE foo");
    expect(Buffer.from(a.raw("PUBLISH", "foo", "x")).toString()).toBe(
      ":1\r\n>3\r\n$7\r\nmessage\r\n$3\r\nfoo\r\n$1\r\nx\r\n",
    );
    for (const line of ["MULTI", "PING abc", "PUBLISH foo bar", "PUBLISH foo vaz"]) a.line(line);
    expect(a.line("EXEC")).toBe(
      "1) abc\n2) (integer) 1\n3) (integer) 1\n1) message\n2) foo\n3) bar\n1) message\n2) foo\n3) vaz",
    );
  });

  test("a transaction may listen, except to shard channels", () => {
    const a = testServer().connect();
    for (const line of ["MULTI", "SUBSCRIBE c", "SSUBSCRIBE s", "PUBLISH c m", "UNSUBSCRIBE c"]) a.line(line);
    expect(a.line("EXEC")).toBe(
      [
        "1)    1) subscribe\n   2) c\n   3) (integer) 1",
        "2) (error) ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client",
        "3) (integer) 1",
        "4)    1) unsubscribe\n   2) c\n   3) (integer) 0",
        "1) message\n2) c\n3) m",
      ].join("\n"),
    );
  });
});

describe("PUBSUB", () => {
  function busy(): TestServer {
    const server = testServer();
    const [a, b] = [server.connect(), server.connect()];
    a.line("SUBSCRIBE one two");
    b.line("SUBSCRIBE two three");
    a.line("PSUBSCRIBE x* y*");
    b.line("PSUBSCRIBE x*");
    a.line("SSUBSCRIBE shard");
    return server;
  }

  test("lists and counts", () => {
    const c = busy().connect();
    const names = (line: string) =>
      c
        .line(line)
        .split("\n")
        .map((text) => text.replace(/^\d+\) /, ""))
        .sort();
    expect(names("PUBSUB CHANNELS")).toEqual(["one", "three", "two"]);
    expect(names("PUBSUB CHANNELS t*")).toEqual(["three", "two"]);
    expect(c.line("PUBSUB CHANNELS none*")).toBe("(empty array)");
    expect(c.line("PUBSUB NUMSUB two none one")).toBe(
      "1) two\n2) (integer) 2\n3) none\n4) (integer) 0\n5) one\n6) (integer) 1",
    );
    expect(c.line("PUBSUB NUMSUB")).toBe("(empty array)");
    expect(c.line("PUBSUB NUMPAT")).toBe("(integer) 2");
    expect(names("PUBSUB SHARDCHANNELS")).toEqual(["shard"]);
    expect(c.line("PUBSUB SHARDCHANNELS one")).toBe("(empty array)");
    expect(c.line("PUBSUB SHARDNUMSUB shard two")).toBe("1) shard\n2) (integer) 1\n3) two\n4) (integer) 0");
    expect(c.line("PUBSUB HELP")).toStartWith("1) PUBSUB <subcommand>");
  });

  test("refuses what it does not know", () => {
    const c = busy().connect();
    expect(c.line("PUBSUB CHANNELS a b")).toBe(
      "(error) ERR unknown subcommand or wrong number of arguments for 'CHANNELS'. Try PUBSUB HELP.",
    );
    expect(c.line("PUBSUB NUMPAT a")).toBe("(error) ERR wrong number of arguments for 'pubsub|numpat' command");
    expect(c.line("PUBSUB none")).toBe("(error) ERR unknown subcommand 'none'. Try PUBSUB HELP.");
    expect(c.line("PUBSUB")).toBe("(error) ERR wrong number of arguments for 'pubsub' command");
  });
});
