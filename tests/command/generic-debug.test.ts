/** DEBUG: who may use it, what its subcommands answer, and the sleep that stops a server. */
import { describe, expect, test } from "bun:test";
import type { Logger } from "../../src/base/log.ts";
import type { PersonalityName } from "../../src/config/personality.ts";
import { Cron } from "../../src/engine/cron.ts";
import { Target } from "../../src/engine/propagation.ts";
import { type TestServer, testServer, transcript } from "../support/engine.ts";
import { CollectingSink } from "../support/sink.ts";

/** A server that allows DEBUG. */
function debugServer(personality: PersonalityName = "redis"): TestServer {
  const server = testServer({ personality });
  expect(server.engine.config.loadText("enable-debug-command yes\n")).toBeNull();
  return server;
}

const REFUSED =
  'ERR DEBUG command not allowed. If the enable-debug-command option is set to "local", you can run it from a local connection, otherwise you need to set this option in the configuration file, and then restart the server.';

describe("permission", () => {
  test("nobody has it unless the setting gives it", () => {
    transcript(
      `> DEBUG SLEEP 0\n(error) ${REFUSED}\n> DEBUG\n(error) ERR wrong number of arguments for 'debug' command`,
    );
  });

  test("a refusal comes before the question for a password, and spoils a transaction", () => {
    transcript(`
      > MULTI
      OK
      > DEBUG DIGEST
      (error) ${REFUSED}
      > EXEC
      (error) EXECABORT Transaction discarded because of previous errors.
      > CONFIG SET requirepass secret
      OK
      2> DEBUG DIGEST
      (error) ${REFUSED}
      2> GET k
      (error) NOAUTH Authentication required.`);
  });

  test("local: connections from this host", () => {
    for (const [address, isUnix, allowed] of [
      ["127.0.0.1:1234", false, true],
      ["[::1]:1234", false, true],
      ["/tmp/socket:0", true, true],
      ["10.0.0.1:1234", false, false],
      ["127.0.0.11:1234", false, false],
    ] as const) {
      const server = testServer();
      server.engine.config.loadText("enable-debug-command local\n");
      const client = server.connect();
      Object.assign(client, { address, isUnix });
      expect(client.line("DEBUG DIGEST-VALUE")).toBe(allowed ? "(empty array)" : `(error) ${REFUSED}`);
    }
  });
});

describe("subcommands", () => {
  test("unknown names and wrong numbers of arguments are the same error", () => {
    for (const name of [
      "frob",
      "SLEEP",
      "DIGEST x",
      "OBJECT",
      "POPULATE",
      "JMAP",
      "SET-ACTIVE-EXPIRE 0 1",
      "REPLYBUFFER x 1",
    ]) {
      const shown = name.split(" ")[0];
      transcript(
        `> DEBUG ${name}\n(error) ERR unknown subcommand or wrong number of arguments for '${shown}'. Try DEBUG HELP.`,
        debugServer(),
      );
    }
    expect(debugServer().connect().line("debug help")).toStartWith("1) DEBUG <subcommand>");
  });

  test("DIGEST follows the data, not the order in which it came", () => {
    transcript(
      `
      > DEBUG DIGEST
      0000000000000000000000000000000000000000
      > SET a 1
      OK
      > DEBUG DIGEST-VALUE a none
      1) b4fc66738120fba0b5aa500ab5c2bf89cea1c5da
      2) 0000000000000000000000000000000000000000
      > SET b foo EX 1000
      OK
      > DEBUG DIGEST-VALUE b
      1) 5170f91b3d2d00aceaaf49e57d36af753feb02ad
      > DEBUG DIGEST
      645af23ceb0f975dd1a2fa1959a81a4f472e16f2
      > FLUSHALL
      OK
      > SET b foo EX 5
      OK
      > SET a 1
      OK
      > DEBUG DIGEST
      645af23ceb0f975dd1a2fa1959a81a4f472e16f2
      > SWAPDB 0 1
      OK`,
      debugServer(),
    );
  });

  test("OBJECT tells place, encoding and age without touching the key", () => {
    const server = debugServer();
    const client = server.connect();
    client.send("SET", "n", "1");
    const first = client.line("DEBUG OBJECT n");
    expect(first).toMatch(
      /^Value at:0x[0-9a-f]{12} refcount:2147483647 encoding:int serializedlength:2 lru:\d+ lru_seconds_idle:0$/,
    );
    client.send("INCR", "n");
    expect(client.line("DEBUG OBJECT n").split(" ")[1]).toBe(first.split(" ")[1]);
    server.advance(7000);
    expect(client.line("DEBUG OBJECT n fast")).toMatch(/encoding:int lru:\d+ lru_seconds_idle:7$/);
    expect(client.line("DEBUG OBJECT none")).toBe("(error) ERR no such key");
  });

  test("OBJECT gives the length that a value has in an RDB file", () => {
    const client = debugServer().connect();
    for (const [value, length] of [
      ["127", 2],
      ["128", 3],
      ["-32768", 3],
      ["32768", 5],
      ["2147483648", 11],
      ["abc", 4],
      ["ab".repeat(10), 21],
      ["0123456789abcdefghijk", 22],
    ] as const) {
      client.send("SET", "k", value);
      expect(client.line("DEBUG OBJECT k")).toContain(` serializedlength:${length} `);
    }
    // Compressed, unless the setting forbids it.
    client.send("SET", "k", "x".repeat(100));
    expect(client.line("DEBUG OBJECT k")).toMatch(/ serializedlength:\d\d? /);
    client.send("CONFIG", "SET", "rdbcompression", "no");
    expect(client.line("DEBUG OBJECT k")).toContain(" serializedlength:102 ");
  });

  test("SDSLEN tells lengths, room, and what a key and its string take", () => {
    const client = debugServer().connect();
    const figures = (key: string) =>
      [...client.line(`DEBUG SDSLEN ${key}`).matchAll(/: ?(\d+)/g)].map((m) => Number(m[1]));
    client.send("SET", "abc", "12345x");
    expect(client.line("DEBUG SDSLEN abc")).toMatch(
      /^key_sds_len:3, key_sds_avail:0, key_zmalloc: \d+, val_sds_len:6, val_sds_avail:\d+, val_zmalloc: 0$/,
    );
    // Two words, the key's, the value's length, and the value: the rest of the block is room.
    const [, , block, , room] = figures("abc");
    expect(room).toBe(block - 8 - 4 - 4 - 6);
    client.send("PEXPIRE", "abc", "100000");
    const [, , larger, , left] = figures("abc");
    expect(left).toBe(larger - 8 - 4 - 8 - 4 - 6);
    client.send("SETRANGE", "large", "299999", "x");
    const [, , , length, free, taken] = figures("large");
    expect(length).toBe(300_000);
    expect(taken).toBe(length + free);
    client.send("SET", "n", "1");
    client.send("RPUSH", "list", "a");
    for (const key of ["n", "list"]) expect(client.line(`DEBUG SDSLEN ${key}`)).toStartWith("(error) ERR Not an sds");
    expect(client.line("DEBUG SDSLEN none")).toBe("(error) ERR no such key");
  });

  test("REPLICATE sends replicas a command that is not run here", () => {
    const server = debugServer();
    const [replicas, log] = [new CollectingSink(Target.Replicas), new CollectingSink(Target.Aof)];
    server.engine.sinks.push(replicas, log);
    const client = server.connect();
    expect(client.line("DEBUG REPLICATE SET k v")).toBe("OK");
    expect(client.line("DEBUG REPLICATE nonsense")).toBe("OK");
    expect(replicas.take()).toEqual(["-> SET k v", "-> nonsense"]);
    expect(log.take()).toEqual([]);
    expect(client.line("GET k")).toBe("(nil)");
  });

  test("POPULATE makes keys where there are none, and tells nobody", () => {
    const server = debugServer();
    transcript(
      `
      > SET key:1 mine
      OK
      > DEBUG POPULATE 3
      OK
      > MGET key:0 key:1 key:2
      1) value:0
      2) mine
      3) value:2
      > DEBUG POPULATE 2 p 10
      OK
      > GET p:1
      value:1\x00\x00\x00
      > DEBUG POPULATE 1 q 3
      OK
      > GET q:0
      val
      > DEBUG POPULATE -1
      (error) ERR value is out of range, must be positive
      > DEBUG POPULATE 1 p x
      (error) ERR value is out of range, must be positive
      > DBSIZE
      (integer) 6`,
      server,
    );
    expect(server.engine.dirty).toBe(1);
  });

  test("HTSTATS describes the tables of a database", () => {
    const server = debugServer();
    const client = server.connect();
    const empty = "Hash table 0 stats (main hash table):\nNo stats available for empty dictionaries\n";
    const text = (line: string): string => {
      const reply = client.send(...line.split(" "));
      return "text" in reply ? reply.text : reply.kind;
    };
    expect(text("DEBUG HTSTATS 0")).toBe(`[Dictionary HT]\n${empty}[Expires HT]\n${empty}`);
    client.send("SET", "a", "1");
    expect(text("DEBUG HTSTATS 0")).toContain(" number of elements: 1\n different slots: 1\n max chain length: 1\n");
    expect(text("DEBUG HTSTATS 16")).toBe("ERR Out of range database");
    expect(text("DEBUG HTSTATS x")).toBe("ERR value is not an integer or out of range");
    expect(text("DEBUG HTSTATS-KEY none")).toBe("ERR no such key");
    expect(text("DEBUG HTSTATS-KEY a")).toContain("is not represented using an hash table");
    const quiet = debugServer("valkey").connect();
    quiet.send("SET", "a", "1");
    expect(quiet.line("DEBUG HTSTATS 0")).not.toContain("different slots");
    expect(quiet.line("DEBUG HTSTATS 0 full")).toContain("different slots");
  });

  test("switches", () => {
    const server = debugServer();
    const { debug, keyspace } = server.engine;
    transcript(
      `
      > DEBUG SET-ACTIVE-EXPIRE 0
      OK
      > DEBUG PAUSE-CRON 1
      OK
      > DEBUG DICT-RESIZING 0
      OK
      > DEBUG SET-DISABLE-DENY-SCRIPTS 1
      OK
      > DEBUG SET-SKIP-CHECKSUM-VALIDATION 1
      OK
      > DEBUG AOF-FLUSH-SLEEP 100
      OK
      > DEBUG REPLYBUFFER RESIZING 0
      OK
      > DEBUG REPLYBUFFER PEAK-RESET-TIME 100
      OK
      > DEBUG CHANGE-REPL-ID
      OK
      > DEBUG LOG hello
      OK`,
      server,
    );
    expect(debug).toMatchObject({
      activeExpire: false,
      cronPaused: true,
      scriptsMayAll: true,
      skipsChecksums: true,
      appendOnlyFlushSleepUs: 100,
      replyBuffer: { resizing: false, peakResetMs: 100 },
    });
    expect(keyspace.resizing).toBe(false);
    transcript(
      `
      > DEBUG SET-ACTIVE-EXPIRE 1
      OK
      > DEBUG DICT-RESIZING 1
      OK
      > DEBUG REPLYBUFFER PEAK-RESET-TIME never
      OK`,
      server,
    );
    expect(debug.activeExpire).toBe(true);
    expect(keyspace.resizing).toBe(true);
    expect(debug.replyBuffer.peakResetMs).toBe(-1);
    server.connect().send("DEBUG", "REPLYBUFFER", "PEAK-RESET-TIME", "RESET");
    expect(debug.replyBuffer.peakResetMs).toBe(5000);
  });

  test("ERROR answers what it is given, and that is no error of the server's", () => {
    const server = debugServer();
    const before = server.engine.stats.errorReplies;
    transcript('> DEBUG ERROR "MY own\\r\\nerror"\n(error) MY own  error', server);
    expect(server.engine.stats.errorReplies).toBe(before);
  });

  test("RELOAD knows its options", () => {
    expect(debugServer().connect().line("DEBUG RELOAD frob")).toBe(
      "(error) ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.",
    );
  });
});

describe("PROTOCOL", () => {
  test("has a sample of every type in both protocols", () => {
    const server = debugServer();
    const samples: [string, string, string][] = [
      ["string", "$11\r\nHello World\r\n", "$11\r\nHello World\r\n"],
      ["integer", ":12345\r\n", ":12345\r\n"],
      ["double", "$5\r\n3.141\r\n", ",3.141\r\n"],
      ["null", "$-1\r\n", "_\r\n"],
      ["array", "*3\r\n:0\r\n:1\r\n:2\r\n", "*3\r\n:0\r\n:1\r\n:2\r\n"],
      ["set", "*3\r\n:0\r\n:1\r\n:2\r\n", "~3\r\n:0\r\n:1\r\n:2\r\n"],
      ["map", "*6\r\n:0\r\n:0\r\n:1\r\n:1\r\n:2\r\n:0\r\n", "%3\r\n:0\r\n#f\r\n:1\r\n#t\r\n:2\r\n#f\r\n"],
      ["true", ":1\r\n", "#t\r\n"],
      ["false", ":0\r\n", "#f\r\n"],
      ["verbatim", "$25\r\nThis is a verbatim\nstring\r\n", "=29\r\ntxt:This is a verbatim\nstring\r\n"],
    ];
    const two = server.connect();
    const three = server.connect();
    three.send("HELLO", 3);
    for (const [type, resp2, resp3] of samples) {
      expect(Buffer.from(two.raw("DEBUG", "PROTOCOL", type)).toString()).toBe(resp2);
      expect(Buffer.from(three.raw("debug", "protocol", type.toUpperCase())).toString()).toBe(resp3);
    }
    expect(two.line("DEBUG PROTOCOL push")).toBe("(error) ERR RESP2 is not supported by this command");
    expect(two.line("DEBUG PROTOCOL frob")).toStartWith("(error) ERR Wrong protocol type name.");
  });
});

describe("SLEEP", () => {
  test("blocks within a transaction, and where nobody has timers", () => {
    transcript("> DEBUG SLEEP 0\nOK\n> MULTI\nOK\n> DEBUG SLEEP 0.001\nQUEUED\n> EXEC\n1) OK", debugServer());
  });

  test("freezes everybody until it is over, and counts as time of the command", async () => {
    const server = debugServer();
    const { engine } = server;
    const cron = new Cron(engine);
    const sleeper = server.connect();
    const other = server.connect();
    cron.start();
    try {
      expect(sleeper.raw("DEBUG", "SLEEP", "0.02").length).toBe(0);
      const late = server.connect();
      expect(engine.debug.frozen).toBe(true);
      for (const { client } of [sleeper, other, late]) expect(client.halted).not.toBe(0);
      let runs = 0;
      cron.onRun(() => runs++);
      cron.run();
      expect(runs).toBe(0);
      while (engine.debug.frozen) await Bun.sleep(1);
      for (const { client } of [sleeper, other, late]) expect(client.halted).toBe(0);
      expect(sleeper.pushed()).toEqual([{ kind: "status", text: "OK" }]);
      expect(engine.commands.lookup("debug")?.usec).toBe(20_000);
      expect(engine.commands.lookup("debug")?.calls).toBe(1);
    } finally {
      cron.stop();
    }
  });

  test("answers nothing to a client that wants no replies", async () => {
    const server = debugServer();
    const cron = new Cron(server.engine);
    const client = server.connect();
    client.send("CLIENT", "REPLY", "OFF");
    cron.start();
    try {
      client.raw("DEBUG", "SLEEP", "0.001");
      while (server.engine.debug.frozen) await Bun.sleep(1);
      expect(client.pushed()).toEqual([]);
    } finally {
      cron.stop();
    }
  });
});

describe("the inside of a value goes to the log", () => {
  /** What a command writes to the log, without times. */
  function logged(line: string): string[] {
    const server = debugServer();
    const lines: string[] = [];
    server.engine.log = { notice: (text: string) => lines.push(text) } as unknown as Logger;
    const client = server.connect();
    client.line("CONFIG SET list-max-listpack-size 2");
    client.line("HSET h f 12 g vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv");
    client.line("RPUSH l a b 3");
    lines.push(client.line(line));
    return lines;
  }

  test("LISTPACK", () => {
    expect(logged("DEBUG LISTPACK h")).toEqual([
      "{total bytes 65} {num entries 4}",
      '{offset 6, str, length 1} "f"',
      '{offset 9, int, length 2} "12"',
      '{offset 11, str, length 1} "g"',
      `{offset 14, str, length 48} "${"v".repeat(40)}"...`,
      "Listpack structure printed on stdout",
    ]);
    expect(logged("DEBUG LISTPACK l")).toEqual(["(error) ERR Not a listpack encoded object."]);
    expect(logged("DEBUG LISTPACK nosuch")).toEqual(["(error) ERR no such key"]);
  });

  test("QUICKLIST", () => {
    expect(logged("DEBUG QUICKLIST l")).toEqual([
      "{count : 3} {nodes : 2}",
      "{listpack, raw, 13 bytes, 2 elements}",
      "{listpack, raw, 9 bytes, 1 elements}",
      "Quicklist structure printed on stdout",
    ]);
    expect(logged("DEBUG QUICKLIST l 1")).toHaveLength(9);
    expect(logged("DEBUG QUICKLIST h")).toEqual(["(error) ERR Not a quicklist encoded object."]);
  });
});
