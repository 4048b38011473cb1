/** Keyspace notifications: which classes of events are published where, and in which order. */
import { describe, expect, test } from "bun:test";
import { NotifyFlag } from "../../src/config/settings/setting-special.ts";
import { command } from "../../src/engine/context.ts";
import { Event } from "../../src/engine/effects.ts";
import { Observer } from "../../src/engine/observer.ts";
import { Flag } from "../../src/engine/spec/spec.ts";
import { type TestClient, type TestServer, testServer } from "../support/engine.ts";
import { formatReply } from "../support/transcript-reply.ts";

const GATES = { loading: false, clientIsLocal: true };

/** EMIT key class event: reports an event of a class, by its bit. */
const EMIT = command({
  name: "emit",
  arity: 4,
  flags: Flag.Write,
  since: "1.0.0",
  group: "generic",
  summary: "Reports an event.",
  complexity: "O(1)",
  run(cx) {
    cx.changed(1, cx.integer(2), cx.text(3));
    cx.reply.ok();
  },
});

function listening(setting: string): { server: TestServer; listener: TestClient; writer: TestClient } {
  const server = testServer({ commands: [EMIT] });
  const error = server.engine.config.set([["notify-keyspace-events", setting]], GATES);
  expect(error).toBeNull();
  const listener = server.connect();
  listener.line("PSUBSCRIBE *");
  return { server, listener, writer: server.connect() };
}

/** What a pattern listener got, as "channel message". */
function heard(listener: TestClient): string[] {
  return listener.pushed().map((push) => {
    if (push.kind !== "array" && push.kind !== "push") throw new Error(formatReply(push));
    return push.items
      .slice(2)
      .map((item) => formatReply(item))
      .join(" ");
  });
}

describe("notify-keyspace-events", () => {
  test("is off at first, and then costs nothing", () => {
    const { engine, connect } = testServer();
    const listener = connect();
    listener.line("PSUBSCRIBE *");
    connect().line("SET k v");
    expect(listener.pushed()).toEqual([]);
    expect(engine.observed & Observer.Notify).toBe(0);
  });

  test("K: the key is in the channel", () => {
    const { listener, writer } = listening("KA");
    writer.line("SET foo bar");
    expect(heard(listener)).toEqual(["__keyspace@0__:foo set"]);
  });

  test("E: the event is in the channel", () => {
    const { listener, writer } = listening("EA");
    writer.line("SET foo bar");
    expect(heard(listener)).toEqual(["__keyevent@0__:set foo"]);
  });

  test("both, with the number of the database", () => {
    const { listener, writer } = listening("KEA");
    writer.line("SELECT 12");
    writer.line("SET foo bar");
    expect(heard(listener)).toEqual(["__keyspace@12__:foo set", "__keyevent@12__:set foo"]);
  });

  test("without K and E nothing is published", () => {
    const { server, listener, writer } = listening("A");
    writer.line("SET foo bar");
    expect(heard(listener)).toEqual([]);
    expect(server.engine.observed & Observer.Notify).toBe(0);
  });

  const classes: [string, number][] = [
    ["g", Event.Generic],
    ["$", Event.String],
    ["l", Event.List],
    ["s", Event.Set],
    ["h", Event.Hash],
    ["z", Event.Zset],
    ["x", Event.Expired],
    ["e", Event.Evicted],
    ["t", Event.Stream],
    ["d", Event.Module],
    ["m", Event.KeyMiss],
    ["n", Event.New],
    ["o", Event.Overwritten],
    ["c", Event.TypeChanged],
  ];
  for (const [letter, bit] of classes) {
    test(`class ${letter} is published with ${letter} and only with it`, () => {
      for (const [other] of classes) {
        const { listener, writer } = listening(`K${other}`);
        writer.line(`EMIT key ${bit} happened`);
        expect(heard(listener)).toEqual(other === letter ? ["__keyspace@0__:key happened"] : []);
      }
      const { listener, writer } = listening("KA");
      writer.line(`EMIT key ${bit} happened`);
      expect(heard(listener).length).toBe("mnoc".includes(letter) ? 0 : 1);
    });
  }

  test("the bits of the setting are the bits of events", () => {
    for (const [name, bit] of Object.entries(NotifyFlag)) {
      if (name !== "All") expect([name, Event[name as keyof typeof Event]]).toEqual([name, bit]);
    }
  });

  test("is shown as Redis shows it", () => {
    const { engine } = testServer();
    const shown = (text: string): string => {
      expect(engine.config.set([["notify-keyspace-events", text]], GATES)).toBeNull();
      return engine.config.text("notify-keyspace-events");
    };
    expect(["gKE", "$lshzxeKE", "KA", "EA", "KEAm", "Knoc", ""].map(shown)).toEqual([
      "gKE",
      "$lshzxeKE",
      "AK",
      "AE",
      "AKEm",
      "nocK",
      "",
    ]);
    expect(engine.config.set([["notify-keyspace-events", "q"]], GATES)).toContain("Invalid event class character");
  });

  test("takes effect and loses it again at run time", () => {
    const { server, listener, writer } = listening("KA");
    server.engine.config.set([["notify-keyspace-events", ""]], GATES);
    writer.line("SET foo bar");
    expect(heard(listener)).toEqual([]);
  });

  test("silent changes are not published", () => {
    const { listener, writer } = listening("KEAmnoc");
    writer.line("EMIT key 0 nothing");
    expect(heard(listener)).toEqual([]);
  });

  test("a miss is an event of reading", () => {
    const { listener, writer } = listening("Em");
    writer.line("GET nothing");
    expect(heard(listener)).toEqual(["__keyevent@0__:keymiss nothing"]);
  });

  test("binary and long keys", () => {
    const { listener, writer } = listening("KE$");
    const long = "k".repeat(5000);
    writer.raw("SET", Uint8Array.of(0, 200), "v");
    writer.raw("SET", long, "v");
    expect(heard(listener)).toEqual([
      "__keyspace@0__:\x00\xc8 set",
      "__keyevent@0__:set \x00\xc8",
      `__keyspace@0__:${long} set`,
      `__keyevent@0__:set ${long}`,
    ]);
  });

  test("events of a transaction come command by command; one's own follow the reply", () => {
    const { server, listener, writer } = listening("E$");
    writer.line("MULTI");
    writer.line("SET a 1");
    writer.line("INCR a");
    writer.line("EXEC");
    expect(heard(listener)).toEqual(["__keyevent@0__:set a", "__keyevent@0__:incrby a"]);
    const self = server.connect();
    self.line("HELLO 3");
    self.line("SUBSCRIBE __keyevent@0__:set");
    expect(Buffer.from(self.raw("SET", "b", "1")).toString()).toStartWith("+OK\r\n>3\r\n$7\r\nmessage\r\n");
  });
});
