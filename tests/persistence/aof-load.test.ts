// Loading a file of commands: what is run, what is refused, what is cut off.

import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Prng } from "../../src/base/prng.ts";
import { testSeed } from "../base/seeded.ts";
import { encodeCommand } from "../support/client.ts";
import { testServer } from "../support/engine.ts";
import { type LoadReport, loadCommands } from "./aof-support.ts";
import { type Picture, pictureOf } from "./digest-format.ts";

const folder = mkdtempSync(join(tmpdir(), "aof-load-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A server takes time to make, and there are hundreds of files to load. */
const shared = testServer();
const reader = shared.connect();

function load(bytes: Uint8Array, truncated = true): LoadReport & { picture: Picture; get(key: string): string } {
  const { engine } = shared;
  engine.keyspace.flush(-1, false);
  expect(engine.config.assign("aof-load-truncated", truncated ? "yes" : "no")).toBeNull();
  const report = loadCommands(engine, folder, bytes);
  return { ...report, picture: pictureOf(engine.keyspace), get: (key) => reader.line(`GET ${key}`) };
}

function file(...commands: string[]): Buffer {
  return Buffer.concat(
    commands.map((line) => (line.startsWith("#") ? Buffer.from(line) : encodeCommand(line.split(" ")))),
  );
}

describe("what is run", () => {
  test("nothing, of an empty file", () => {
    expect(load(Buffer.alloc(0)).outcome).toBe("loaded");
  });

  test("commands in their databases, under annotations", () => {
    const report = load(file("#TS:1628217470\r\n", "SET a 1", "SELECT 3", "#TS:1628217471\r\n", "SET b 2"));
    expect(report).toMatchObject({ outcome: "loaded", lines: [] });
    expect([...report.picture.keys()]).toEqual(["0 a", "3 b"]);
  });

  test("an annotation at the end without its line end", () => {
    expect(load(Buffer.concat([file("SET a 1"), Buffer.from("#TS:1")]))).toMatchObject({ outcome: "truncated" });
  });

  test("expired keys live until something deletes them", () => {
    const report = load(file("RPUSH l foo", "PEXPIREAT l 1000", "RPUSH l bar", "SET s v PXAT 1000", "APPEND s w"));
    expect(report.outcome).toBe("loaded");
    expect(report.get("s")).toBe("(nil)");
    expect(report.picture.size).toBe(2);
  });

  test("transactions as a whole, and what follows them", () => {
    const report = load(file("MULTI", "SET a 1", "INCR a", "EXEC", "SET b 2"));
    expect(report).toMatchObject({ outcome: "loaded", lines: [] });
    expect([report.get("a"), report.get("b")]).toEqual(["2", "2"]);
  });

  test("a command whose error shows that the log does not belong to the data", () => {
    const report = load(file("SET a x", "INCR a", "SET b 1"));
    expect(report.outcome).toBe("loaded");
    expect(report.lines).toEqual([
      "== CRITICAL == This server is sending an error to its AOF-loading-client: 'ERR value is not an integer or out of range' after processing the command 'incr'",
    ]);
    expect(report.get("b")).toBe("1");
  });

  test("what a server logs although no client may send it", () => {
    const add = (n: number): string => `XADD s MAXLEN = 2 LIMIT 100 ${n}-1 f v`;
    const report = load(file(add(1), add(2), add(3), "XTRIM s MAXLEN = 1 LIMIT 100"));
    expect(report).toMatchObject({ outcome: "loaded", lines: [] });
    expect([...report.picture.keys()]).toEqual(["0 s"]);
  });

  test("large values, which do not fit into a block", () => {
    const value = "v".repeat(700_000);
    const report = load(file("SET a 1", `SET big ${value}`, "SET b 2"));
    expect(report.outcome).toBe("loaded");
    expect(report.get("big").length).toBe(value.length);
    expect(report.get("b")).toBe("2");
  });

  test("slowly, when tests want that", () => {
    const server = testServer();
    server.engine.config.assign("key-load-delay", "2000");
    const slept: number[] = [];
    const { sleepSync } = Bun;
    Bun.sleepSync = (ms) => {
      slept.push(ms as number);
      server.clock.advanceMs(ms as number);
    };
    try {
      expect(loadCommands(server.engine, folder, file("SET a 1", "SET b 1", "SET c 1")).outcome).toBe("loaded");
    } finally {
      Bun.sleepSync = sleepSync;
    }
    expect(slept).toEqual([6]);
  });

  test("nobody is told", () => {
    const server = testServer();
    const client = server.connect();
    client.send("CONFIG", "SET", "slowlog-log-slower-than", 0);
    client.send("SLOWLOG", "RESET");
    const told: unknown[] = [];
    server.engine.sinks.push({ targets: 3, propagate: (...what) => void told.push(what) });
    loadCommands(server.engine, folder, file("SET a 1", "MULTI", "SET b 1", "EXEC"));
    expect(told).toEqual([]);
    expect(server.engine.sinks.length).toBe(1);
    expect(server.engine.slowlog.length).toBe(1);
    client.send("SET", "c", "1");
    expect(told.length).toBe(1);
  });
});

describe("what is refused", () => {
  const wrong: [string, Uint8Array, string][] = [
    [
      "an unknown command",
      file("SET a 1", "BLA foo hello", "SET b 1"),
      "Unknown command 'BLA' reading the append only file log.aof",
    ],
    ["an unknown subcommand", file("OBJECT BLA x"), "Unknown command 'OBJECT' reading the append only file log.aof"],
    ["junk", Buffer.concat([file("SET a 1"), Buffer.from("!!!"), file("SET b 1")]), "Bad file format"],
    ["an inline command", Buffer.from("SET a 1\r\n"), "Bad file format"],
    ["no arguments", Buffer.from("*0\r\n"), "Bad file format"],
    ["a negative count", Buffer.from("*-1\r\n"), "Bad file format"],
    ["a count that is none", Buffer.from("*x\r\n$3\r\nSET\r\n"), "Bad file format"],
    ["an argument that is no string", Buffer.from("*1\r\n:1\r\n"), "Bad file format"],
    ["a negative length", Buffer.from("*1\r\n$-1\r\n\r\n"), "Bad file format"],
    [
      "a length that is too small",
      Buffer.from("*2\r\n$3\r\nGET\r\n$1\r\nkey\r\n*1\r\n$4\r\nPING\r\n"),
      "Bad file format",
    ],
    [
      "a length that reaches into what follows",
      Buffer.from("*2\r\n$3\r\nGET\r\n$7\r\nkey\r\n*1\r\n$4\r\nPING\r\n"),
      "Bad file format",
    ],
  ];
  for (const [what, bytes, reason] of wrong) {
    test(what, () => {
      const report = load(bytes);
      expect(report.outcome).toBe("failed");
      expect(report.lines[0]).toStartWith(reason);
      expect(report.bytes.equals(bytes), "the file is as it was").toBe(true);
    });
  }

  test("the reason names the tool that helps", () => {
    expect(load(Buffer.from("!")).lines).toEqual([
      "Bad file format reading the append only file log.aof: make a backup of your AOF file, then use ./redis-check-aof --fix <filename.manifest>",
    ]);
  });
});

describe("a tail that was cut off", () => {
  const commands = ["SET a 1", "SET b 2", "MULTI", "SET c 3", "INCR c", "EXEC", "RPUSH l x y z", "SELECT 2", "SET d 4"];
  const whole = file(...commands);
  /** Ends of commands outside of transactions, and what has been loaded there. */
  const ends: { end: number; picture: Picture }[] = [{ end: 0, picture: new Map() }];
  for (const count of [1, 2, 6, 7, 8, 9]) {
    const head = file(...commands.slice(0, count));
    ends.push({ end: head.length, picture: load(head).picture });
  }

  test("at every byte: all that is whole is loaded, and the rest is removed", () => {
    for (let length = 0; length <= whole.length; length++) {
      const report = load(whole.subarray(0, length));
      const good = ends.findLast(({ end }) => end <= length);
      expect(report.outcome, `${length} bytes`).toBe(good?.end === length ? "loaded" : "truncated");
      expect(report.picture, `${length} bytes`).toEqual(good?.picture ?? new Map());
      expect(report.bytes.length, `${length} bytes`).toBe(good?.end ?? -1);
    }
  }, 30_000);

  test("at every byte: refused when the settings say so, and the file stays", () => {
    for (let length = 0; length <= whole.length; length++) {
      const report = load(whole.subarray(0, length), false);
      const isWhole = ends.some(({ end }) => end === length);
      expect(report.outcome, `${length} bytes`).toBe(isWhole ? "loaded" : "failed");
      expect(report.bytes.length, `${length} bytes`).toBe(length);
    }
  }, 30_000);

  test("the log says what happened", () => {
    expect(load(file("SET a 1", "MULTI", "SET b 1")).lines).toEqual([
      "Revert incomplete MULTI/EXEC transaction in AOF file log.aof",
      "!!! Warning: short read while loading the AOF file log.aof!!!",
      `!!! Truncating the AOF log.aof at offset ${file("SET a 1").length} !!!`,
      "AOF log.aof loaded anyway because aof-load-truncated is enabled",
    ]);
    expect(load(whole.subarray(0, 5), false).lines).toEqual([
      "Unexpected end of file reading the append only file log.aof. You can: 1) Make a backup of your AOF file, then use ./redis-check-aof --fix <filename.manifest>. 2) Alternatively you can set the 'aof-load-truncated' configuration option to yes and restart the server.",
    ]);
  });
});

describe("a damaged tail", () => {
  const good = file("SET a 1", "MULTI", "SET b 2", "EXEC");
  const bytes = Buffer.concat([good, file("SET c 3"), Buffer.from("junk that is 22 bytes.")]);

  function loadWith(maxBytes: number): LoadReport {
    const server = testServer();
    server.engine.config.assign("aof-load-corrupt-tail-max-size", String(maxBytes));
    return loadCommands(server.engine, folder, bytes);
  }

  test("is refused when it is longer than allowed", () => {
    for (const maxBytes of [0, 21]) {
      const report = loadWith(maxBytes);
      expect(report.outcome).toBe("failed");
      expect(report.bytes.equals(bytes)).toBe(true);
    }
  });

  test("is cut off, with a warning, when it is not", () => {
    const report = loadWith(22);
    expect(report.outcome).toBe("truncated");
    expect(report.bytes.length).toBe(bytes.length - 22);
    expect(report.lines).toEqual([
      "!!! Warning: the last 22 bytes of the AOF file log.aof are damaged !!!",
      `!!! Truncating the AOF log.aof at offset ${bytes.length - 22} !!!`,
      "AOF log.aof loaded anyway because aof-load-corrupt-tail-max-size allows it",
    ]);
  });
});

describe("bits that fell over", () => {
  const commands = ["SELECT 1", "SET key value", "MULTI", "RPUSH l one two", "EXEC", "ZADD z 1.5 member", "DEL key"];

  /** A file that is not loaded whole is never passed over in silence, and nothing but a tail is taken from it. */
  function check(bytes: Uint8Array, what: string): void {
    const report = load(bytes);
    const kept = bytes.subarray(0, report.bytes.length);
    expect(report.bytes.equals(kept), what).toBe(true);
    expect(report.bytes.length < bytes.length, what).toBe(report.outcome === "truncated");
    if (report.outcome !== "loaded") expect(report.lines.length, what).toBeGreaterThan(0);
  }

  test("each bit of a small file", () => {
    const whole = file(...commands);
    for (let bit = 0; bit < whole.length * 8; bit++) {
      const bytes = Uint8Array.from(whole);
      bytes[bit >> 3] ^= 1 << (bit & 7);
      check(bytes, `bit ${bit}`);
    }
  }, 60_000);

  test("random bytes of a large file, which may be cut off, too", () => {
    const seed = testSeed();
    const prng = new Prng(seed);
    const whole = Buffer.concat(
      Array.from({ length: 3000 }, (_, i) => file(`SET key:${i % 500} ${"v".repeat(i % 200)}`)),
    );
    for (let run = 0; run < 40; run++) {
      const isCut = run % 2 === 0;
      const bytes = Uint8Array.from(isCut ? whole.subarray(0, prng.below(whole.length)) : whole);
      for (let i = prng.below(3) - (isCut ? 1 : 0); i >= 0; i--) bytes[prng.below(bytes.length)] = prng.below(256);
      check(bytes, `seed ${seed}, run ${run}`);
    }
  }, 60_000);
});
