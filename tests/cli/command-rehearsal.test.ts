// Rehearsals of commands: their lessons are sound, and they leave no trace.

import { expect, test } from "bun:test";
import { Prng } from "../../src/base/prng.ts";
import { LESSONS } from "../../src/cli/server/command-lessons.ts";
import { CommandRehearsal } from "../../src/cli/server/command-rehearsal.ts";
import { Target } from "../../src/engine/propagation.ts";
import { testSeed } from "../base/seeded.ts";
import { fullPicture } from "../persistence/rdb-support.ts";
import { Traffic } from "../persistence/traffic.ts";
import { type TestServer, testServer } from "../support/engine.ts";

/** What is counted of memory and of work, and what others are to hear of. */
function accounts({ engine }: TestServer): readonly unknown[] {
  const { keyspace, dirty, stats, pending, propagation } = engine;
  const { arena, phase, lazyFree, expiredKeys, hits, misses } = keyspace;
  arena.check();
  return [
    arena.usedBytes,
    arena.pageBytes,
    keyspace.retainedBytes,
    phase,
    lazyFree.idle,
    lazyFree.freedObjects,
    [expiredKeys, hits, misses, dirty, pending, propagation.count, engine.reply.pos],
    [stats.commandsProcessed, stats.errorReplies, engine.commands.own.map(({ calls, usec }) => [calls, usec])],
  ];
}

function takeAll(rehearsal: CommandRehearsal): void {
  for (let i = 0; !rehearsal.isOver; i++) {
    if (i > 1000 * LESSONS.length) throw new Error("a rehearsal without an end");
    rehearsal.takeLesson();
  }
}

test("no command of a lesson fails, and each lesson meets what it is about", () => {
  for (const lesson of LESSONS) {
    const server = testServer();
    const client = server.connect();
    for (const command of lesson) {
      const reply = Buffer.from(client.raw(...command.split(" "))).toString("latin1");
      expect(`${command.slice(0, 60)}: ${reply.slice(0, 40)}`).not.toMatch(/: -/);
    }
  }
  const server = testServer();
  const client = server.connect();
  const encodings = new Set<string>();
  for (const command of LESSONS.flat()) {
    client.raw(...command.split(" "));
    const key = command.split(" ")[1];
    encodings.add(`${client.line(`TYPE ${key}`)} ${client.line(`OBJECT ENCODING ${key}`)}`);
  }
  expect([...encodings].sort().join(", ")).toBe(
    "hash hashtable, hash listpack, list listpack, list quicklist, none (nil), set hashtable, set intset, set listpack, stream stream, " +
      "string embstr, string int, string raw, zset listpack, zset skiplist",
  );
});

test("a rehearsal changes nothing, whoever listens", () => {
  const server = testServer({ seed: testSeed() });
  new Traffic(server, new Prng(testSeed())).run(1500);
  const listener = server.connect();
  listener.send("CONFIG", "SET", "notify-keyspace-events", "KEA");
  listener.send("PSUBSCRIBE", "*");
  const watcher = server.connect();
  watcher.send("WATCH", "hash", "set", "zset", "list", "stream", "counter");
  const waiting = server.connect();
  waiting.raw("BLPOP", "list", "0");
  const propagated: string[] = [];
  server.engine.sinks.push({
    targets: Target.All,
    propagate: (_db, buf, at, length) => {
      propagated.push(Buffer.from(buf.subarray(at, at + length)).toString("latin1"));
    },
  });
  listener.pushed();
  const picture = fullPicture(server.engine);
  server.engine.keyspace.arena.releaseEmptyPages();
  const before = accounts(server);
  takeAll(new CommandRehearsal(server.engine));
  expect(accounts(server)).toEqual(before);
  expect(fullPicture(server.engine)).toEqual(picture);
  expect(listener.pushed()).toEqual([]);
  expect(waiting.pushed()).toEqual([]);
  expect(propagated).toEqual([]);
  expect(["MULTI", "PING", "EXEC"].map((command) => watcher.line(command))).toEqual(["OK", "QUEUED", "1) PONG"]);
});

test("commands mean the same afterwards", () => {
  const server = testServer();
  takeAll(new CommandRehearsal(server.engine));
  const client = server.connect();
  const commands = ["SET hash x", "LPUSH list a", "SADD numbers 1 2", "INCR counter", "DBSIZE", "SMEMBERS numbers"];
  expect(commands.map((command) => client.line(command)).join("\n")).toBe(
    "OK\n(integer) 1\n(integer) 2\n(integer) 1\n(integer) 4\n1) 1\n2) 2",
  );
});

test("no limit of encodings is too small or too large for a rehearsal", () => {
  const names = ["hash-max-listpack-entries", "hash-max-listpack-value", "zset-max-listpack-entries"];
  names.push("zset-max-listpack-value", "set-max-listpack-entries", "set-max-listpack-value", "set-max-intset-entries");
  for (const limit of [0, 1, 5, 100_000]) {
    const server = testServer();
    const client = server.connect();
    const settings = [
      "stream-node-max-entries",
      String(limit),
      "list-max-listpack-size",
      limit === 0 ? "-1" : String(limit),
    ];
    settings.push("list-compress-depth", String(limit & 1), "lazyfree-lazy-user-del", limit === 1 ? "yes" : "no");
    expect(client.line(`CONFIG SET ${names.map((name) => `${name} ${limit}`).join(" ")} ${settings.join(" ")}`)).toBe(
      "OK",
    );
    takeAll(new CommandRehearsal(server.engine));
    server.engine.keyspace.arena.check();
    expect(client.line("DBSIZE")).toBe("(integer) 0");
  }
});
