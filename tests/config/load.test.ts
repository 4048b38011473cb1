// Reading redis.conf: what is accepted, what it means, and the exact words of refusals.

import { describe, expect, test } from "bun:test";
import { projectFiles } from "../../scripts/tidy/project.ts";
import { Config, loadErrorText } from "../../src/config/config.ts";
import { PERSONALITIES, type PersonalityName } from "../../src/config/personality.ts";
import { allSettings, camelCase } from "../../src/config/settings/settings.ts";
import { type MemoryHost, memoryHost } from "./memory-host.ts";

function make(host: MemoryHost = memoryHost(), personality: PersonalityName = "redis"): Config {
  return new Config({ personality: PERSONALITIES[personality], host });
}

function load(text: string, personality: PersonalityName = "redis"): Config {
  const config = make(memoryHost(), personality);
  const error = config.loadText(text);
  expect(error).toBeNull();
  return config;
}

function refusal(text: string, personality: PersonalityName = "redis"): string {
  const error = make(memoryHost(), personality).loadText(text);
  return error === null ? "accepted" : error.message;
}

describe("values", () => {
  const VALUES: readonly (readonly [string, string, string])[] = [
    ["port 0", "port", "0"],
    ["PORT 7000", "port", "7000"],
    ["maxmemory 100mb", "maxmemory", "104857600"],
    ["maxmemory 1k", "maxmemory", "1000"],
    ["maxmemory 1GB", "maxmemory", "1073741824"],
    ["maxmemory 2b", "maxmemory", "2"],
    ["maxmemory 18446744073709551615", "maxmemory", "18446744073709551615"],
    ["maxmemory 99999999999999999999", "maxmemory", "18446744073709551615"],
    ["maxmemory-clients 5%", "maxmemory-clients", "5%"],
    ["maxmemory-clients 1mb", "maxmemory-clients", "1048576"],
    ["hz 100000", "hz", "500"],
    ["hz 0", "hz", "1"],
    ["unixsocketperm 700", "unixsocketperm", "700"],
    ["list-max-ziplist-size -5", "list-max-listpack-size", "-5"],
    ["slave-priority 7", "replica-priority", "7"],
    ["appendonly YES", "appendonly", "yes"],
    ["maxmemory-policy ALLKEYS-lru", "maxmemory-policy", "allkeys-lru"],
    ["oom-score-adj relative", "oom-score-adj", "yes"],
    ["bind 127.0.0.1 ::1", "bind", "127.0.0.1 ::1"],
    ['bind "127.0.0.1 ::1"', "bind", "127.0.0.1 ::1"],
    ['bind ""', "bind", ""],
    ["save 900 1 300 10", "save", "900 1 300 10"],
    ["save 900 1\nsave 300 10", "save", "900 1 300 10"],
    ['save 900 1\nsave ""\nsave 5 6', "save", "5 6"],
    ['save ""', "save", ""],
    ["save", "save", ""],
    [
      "client-output-buffer-limit replica 1mb 2kb 3",
      "client-output-buffer-limit",
      "normal 0 0 0 slave 1048576 2048 3 pubsub 33554432 8388608 60",
    ],
    ["notify-keyspace-events KEA", "notify-keyspace-events", "AKE"],
    ["notify-keyspace-events g$lshzxetd", "notify-keyspace-events", "A"],
    ["notify-keyspace-events Kmnx", "notify-keyspace-events", "xnKm"],
    ["notify-keyspace-events An", "notify-keyspace-events", "A"],
    ["latency-tracking-info-percentiles 50 99.990 100", "latency-tracking-info-percentiles", "50 99.99 100"],
    ['latency-tracking-info-percentiles ""', "latency-tracking-info-percentiles", ""],
    ["oom-score-adj-values 0 -200 2000", "oom-score-adj-values", "0 -200 2000"],
    ["shutdown-on-sigterm force NOSAVE", "shutdown-on-sigterm", "nosave force"],
    ["shutdown-on-sigterm default", "shutdown-on-sigterm", "default"],
    ["replicaof 10.0.0.1 6380", "replicaof", "10.0.0.1 6380"],
    ["replicaof 10.0.0.1 6380\nslaveof no one", "replicaof", ""],
    ['requirepass "\\x00\\xff"', "requirepass", "\0\xff"],
    ['pidfile "a\\x00b"', "pidfile", "a"],
    ["port 1\nport 2", "port", "2"],
    ["hash-max-listpack-entries 20\nhash-max-ziplist-entries 21", "hash-max-listpack-entries", "21"],
    ["dir /data", "dir", "/data"],
    ["  # a comment\n\n\t port\t8 \r", "port", "8"],
    ["enable-debug-assert yes", "port", "6379"],
    ["list-max-ziplist-entries 5\nlist-max-ziplist-value 5\nlua-replicate-commands yes", "port", "6379"],
  ];

  test.each(VALUES)("%j", (text, name, value) => {
    expect(load(text).get([name])).toEqual([[name, value]]);
  });

  test("views are typed values", () => {
    const { values } = load("maxmemory 1gb\nmaxmemory-clients 5%\nreplicaof h 1\nshutdown-on-sigint now\nsave 1 2");
    expect(values.maxmemory).toBe(1073741824);
    expect(values.maxmemoryClients).toBe(-5);
    expect(values.replicaof).toEqual({ host: "h", port: 1 });
    expect(values.shutdownOnSigint).toBe(4);
    expect(values.save).toEqual([{ seconds: 1, changes: 2 }]);
    expect(values.clientOutputBufferLimit.replica).toEqual({ hard: 268435456, soft: 67108864, softSeconds: 60 });
    expect(values.bind).toEqual(["*", "-::*"]);
    expect(values.procTitleTemplate).toBe("{title} {listen-addr} {server-mode}");
    expect(values.hideUserDataFromLog).toBe(false);
  });

  test("defaults that depend on the personality", () => {
    const { values } = load("", "valkey");
    expect([values.replBacklogSize, values.lazyfreeLazyExpire, values.syslogIdent]).toEqual([10485760, true, "valkey"]);
    const redis = load("").values;
    expect([redis.replBacklogSize, redis.lazyfreeLazyExpire, redis.syslogIdent]).toEqual([1048576, false, "redis"]);
  });

  test("every setting has a description and a default that it would accept", () => {
    for (const personality of ["redis", "valkey"] as const) {
      for (const [name, row] of Object.entries(allSettings())) {
        expect([name, /^[A-Z].*\.$/.test(row.doc)]).toEqual([name, true]);
        const config = make(memoryHost(), personality);
        const [, value] = config.get([name])[0];
        if (value === "" && !row.type.multiple && name !== "notify-keyspace-events") continue;
        const lines = name === "replicaof" ? "" : `${name} ${value === "" ? '""' : `"${value}"`}`;
        expect([name, config.loadText(lines)]).toEqual([name, null]);
        expect(config.get([name])).toEqual([[name, value]]);
      }
    }
  });
});

describe("refusals", () => {
  const REFUSALS: readonly (readonly [string, string])[] = [
    ["nothing-such 1", "Bad directive or wrong number of arguments"],
    ["list-max-ziplist-entries", "Bad directive or wrong number of arguments"],
    ["include", "Bad directive or wrong number of arguments"],
    ["rename-command a", "Bad directive or wrong number of arguments"],
    ["user", "Bad directive or wrong number of arguments"],
    ["loadmodule", "Bad directive or wrong number of arguments"],
    ["port", "wrong number of arguments"],
    ["port 1 2", "wrong number of arguments"],
    ['maxmemory "1', "Unbalanced quotes in configuration line"],
    ["port 65536", "argument must be between 0 and 65535 inclusive"],
    ["port x", "argument couldn't be parsed into an integer"],
    ["port 01", "argument couldn't be parsed into an integer"],
    ["port +1", "argument couldn't be parsed into an integer"],
    ["repl-timeout 0", "argument must be between 1 and 2147483647 inclusive"],
    ["maxclients 0", "argument must be between 1 and 4294967295 inclusive"],
    ["slowlog-max-len -1", "argument must be between 0 and 9223372036854775807 inclusive"],
    ["repl-backlog-size 18446744073709551615", "argument must be between 1 and 9223372036854775807 inclusive"],
    ["maxmemory -1", "argument must be a memory value"],
    ["maxmemory 1tb", "argument must be a memory value"],
    ["maxmemory-clients 101%", "percentage argument must be less or equal to 100"],
    ["maxmemory-clients -1%", "argument must be a memory or percent value"],
    ["unixsocketperm 9", "argument couldn't be parsed as an octal number"],
    ["unixsocketperm 1777", "argument must be between 0 and 777 inclusive"],
    ["daemonize maybe", "argument must be 'yes' or 'no'"],
    ["loglevel foo", "argument(s) must be one of the following: debug, verbose, notice, warning, nothing"],
    ["shutdown-on-sigterm", "argument(s) must be one of the following: default, save, nosave, now, force"],
    ["shutdown-on-sigterm save nosave", "shutdown options SAVE and NOSAVE can't be used simultaneously"],
    ["repl-diskless-load x", "argument(s) must be one of the following: disabled, on-empty-db, swapdb"],
    ["save 1", "Invalid save parameters"],
    ["save 0 1", "Invalid save parameters"],
    ["save 1 -1", "Invalid save parameters"],
    ["client-output-buffer-limit normal 1 2", "Wrong number of arguments in buffer limit configuration."],
    ["client-output-buffer-limit master 1 2 3", "Invalid client class specified in buffer limit configuration."],
    [
      "client-output-buffer-limit normal 1 x 3",
      "Error in hard, soft or soft_seconds setting in buffer limit configuration.",
    ],
    ["notify-keyspace-events q", "Invalid event class character. Use 'Ag$lshzxeKEtmdn'."],
    ["oom-score-adj-values 1 2", "wrong number of arguments"],
    ["oom-score-adj-values 1 2 2001", "Invalid oom-score-adj-values, elements must be between -2000 and 2000."],
    [
      "latency-tracking-info-percentiles 101",
      "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]",
    ],
    ["latency-tracking-info-percentiles x", "Invalid latency-tracking-info-percentiles parameters"],
    ["replicaof h", "wrong number of arguments"],
    ["replicaof h x", "Invalid master port"],
    ["replicaof h 65536", "Invalid master port"],
    [`bind ${"1 ".repeat(17)}`, "Too many bind addresses specified."],
    ['dbfilename ""', "dbfilename can't be empty"],
    ["dbfilename a/b", "dbfilename can't be a path, just a filename"],
    ["appenddirname a/b", "appenddirname can't be a path, just a dirname"],
    ['dir ""', "dir can't be empty"],
    ["dir /nowhere", "No such file or directory"],
    ["proc-title-template {nothing}", "template format is invalid or contains unknown variables"],
    ["proc-title-template {port", "template format is invalid or contains unknown variables"],
    ["proc-title-template {server-mode}", "template format is invalid or contains unknown variables"],
    ["cluster-announce-hostname a_b", "Hostnames may only contain alphanumeric characters, hyphens or dots"],
    [`cluster-announce-hostname ${"a".repeat(256)}`, "Hostnames must be less than 256 characters"],
    ["cluster-announce-human-nodename a!", "Announced human node name contained invalid character"],
    ["cluster-announce-client-ipv4 ::1", "Invalid IPv4 address"],
    ["cluster-announce-client-ipv6 1.2.3.4", "Invalid IPv6 address"],
    ["sentinel monitor x", "sentinel directive while not in sentinel mode"],
    ["module.setting", "Module config specified without value"],
    [
      "user a on\nuser a off",
      "Error in user declaration 'a': Duplicate user found. A user can only be defined once in config files",
    ],
    ["logfile /missing/log", "Can't open the log file: No such file or directory"],
    ["cluster-enabled yes\nreplicaof h 1", "replicaof directive not allowed in cluster mode"],
  ];

  test.each(REFUSALS)("%j", (text, message) => {
    expect(refusal(text)).toBe(message);
  });

  test("words that depend on the personality", () => {
    expect(refusal("replicaof h x", "valkey")).toBe("Invalid primary port");
    expect(refusal("repl-diskless-load x", "valkey")).toEndWith("disabled, on-empty-db, swapdb, flush-before-load");
    expect(refusal("activedefrag yes")).toContain("requires a Redis server compiled");
    expect(refusal("activedefrag yes", "valkey")).toContain("requires a server compiled");
  });

  test("the whole text", () => {
    const config = make();
    const error = config.loadText('\n# x\n   maxmemory  "1mb  \n');
    if (error === null) throw new Error("accepted");
    expect(loadErrorText(error, PERSONALITIES.redis)).toBe(
      "\n*** FATAL CONFIG FILE ERROR (Redis 7.2.4) ***\nReading the configuration file, at line 3\n" +
        ">>> 'maxmemory  \"1mb'\nUnbalanced quotes in configuration line\n",
    );
    expect(loadErrorText(error, PERSONALITIES.valkey)).toStartWith(
      "\n*** FATAL CONFIG FILE ERROR (Version 8.0.1) ***\n",
    );
    expect(loadErrorText({ kind: "whole", message: "m" }, PERSONALITIES.redis)).toBe(
      "\n*** FATAL CONFIG FILE ERROR (Redis 7.2.4) ***\nm\n",
    );
    expect(loadErrorText({ kind: "file", path: "/a", message: "No" }, PERSONALITIES.redis)).toBe(
      "Fatal error, can't open config file '/a': No",
    );
  });
});

describe("include", () => {
  test("reads in place, so that later lines win", () => {
    const host = memoryHost({ "/b": "port 2\nhz 22\n" });
    const config = make(host);
    expect(config.loadText("port 1\nhz 11\ninclude /b\nport 3\n")).toBeNull();
    expect([config.values.port, config.values.hz]).toEqual([3, 22]);
  });

  test("a pattern reads all that match, and nothing is no error", () => {
    const host = memoryHost({ "/d/1.conf": "port 1\n", "/d/2.conf": "port 2\n", "/d/3.txt": "port 3\n" });
    const config = make(host);
    expect(config.loadText("include /d/*.conf\ninclude /none/*\n")).toBeNull();
    expect(config.values.port).toBe(2);
  });

  test("errors name the line of the included text, and a missing file", () => {
    const host = memoryHost({ "/b": "\n\nbad line" });
    expect(make(host).loadText("include /b")).toEqual({
      kind: "line",
      lineNumber: 3,
      line: "bad line",
      message: "Bad directive or wrong number of arguments",
    });
    expect(make(host).loadText("include /c")).toEqual({
      kind: "file",
      path: "/c",
      message: "No such file or directory",
    });
    expect(make(host).loadFile("/c")).toEqual({ kind: "file", path: "/c", message: "No such file or directory" });
  });

  test("a file that includes itself ends", () => {
    expect(make(memoryHost({ "/b": "include /b" })).loadFile("/b")).toMatchObject({
      message: "Too many nested include directives",
    });
  });
});

describe("directives without a value", () => {
  test("are collected", () => {
    const config = load(
      'user a on >x ~*\nUSER b\nrename-command FLUSHDB ""\nrename-command get fetch\nloadmodule /m.so 1 2\nm.x 1 2\nm.x 3',
    );
    expect(config.users).toEqual([["a", "on", ">x", "~*"], ["b"]]);
    expect(config.renamedCommands).toEqual([
      ["FLUSHDB", ""],
      ["get", "fetch"],
    ]);
    expect(config.modules).toEqual([["/m.so", "1", "2"]]);
    expect([...config.moduleSettings]).toEqual([["m.x", "3"]]);
  });

  test("can be refused by a handler", () => {
    const config = make();
    config.onDirective("rename-command", (args) => (args[1] === "nope" ? "No such command in rename-command" : null));
    expect(config.loadText("rename-command get x\nrename-command nope y")).toEqual({
      kind: "line",
      lineNumber: 2,
      line: "rename-command nope y",
      message: "No such command in rename-command",
    });
  });

  test("sentinel lines need a handler", () => {
    const config = make();
    const seen: string[] = [];
    config.onDirective("sentinel", (args) => {
      seen.push(args.join(" "));
      return null;
    });
    expect(config.loadText("sentinel\nsentinel monitor m h 1 2")).toBeNull();
    expect(seen).toEqual(["sentinel", "sentinel monitor m h 1 2"]);
    expect(refusal("sentinel")).toBe("accepted");
  });
});

describe("warnings", () => {
  test("for settings without a feature behind them, when they are not at their default", () => {
    const config = load("io-threads 4\nio-threads-do-reads no\nport 1");
    expect(config.takeWarnings()).toEqual(["The setting 'io-threads' is accepted but has no effect in this version"]);
    expect(config.takeWarnings()).toEqual([]);
  });

  test("for every setting that nothing reads", () => {
    const effects: Readonly<Record<string, string>> = {
      activedefrag: "cannot be switched on",
      "debug-context": "stands in crash reports, as its flag says",
      "ignore-warnings": "there are no warnings at which a start stops",
    };
    const code = projectFiles("src").filter(({ path }) => !path.startsWith("src/config/settings/"));
    const words = new Set(code.flatMap(({ text }) => text.match(/\b[a-z]\w+\b/g) ?? []));
    const unread = Object.entries(allSettings()).filter(([name, { ready }]) => ready && !words.has(camelCase(name)));
    expect(unread.map(([name]) => name).sort()).toEqual(Object.keys(effects));
  });

  test("for users, as long as nobody knows about them", () => {
    const config = load("user default on >secret ~* +@all\nuser bob off");
    expect(config.takeWarnings()).toEqual([
      "The user 'default' is accepted but has no effect in this version: requirepass is all that guards",
      "The user 'bob' is accepted but has no effect in this version: requirepass is all that guards",
    ]);
    const knowing = make();
    knowing.onDirective("user", () => null);
    expect(knowing.loadText("user bob off")).toBeNull();
    expect(knowing.takeWarnings()).toEqual([]);
  });

  test("cluster mode has one database", () => {
    const config = load("cluster-enabled yes");
    expect(config.values.databases).toBe(1);
    expect(config.takeWarnings()).toContain(
      "WARNING: Changing databases number from 16 to 1 since we are in cluster mode",
    );
  });

  test("scores in an odd order", () => {
    expect(load("oom-score-adj-values 3 2 1").takeWarnings()).toHaveLength(1);
  });
});

test("Valkey's names", () => {
  const valkey = load("masterauth a\nprimaryuser b\nio-threads-do-reads yes", "valkey");
  expect(valkey.get(["primaryauth", "masteruser"])).toEqual([
    ["primaryauth", "a"],
    ["masteruser", "b"],
  ]);
  expect(valkey.values.masterauth).toBe("a");
  expect(valkey.get(["*primary*"]).map(([name]) => name)).toEqual(["primaryauth", "primaryuser"]);
  const redis = load("primaryauth a");
  expect(redis.get(["masterauth", "primaryauth"])).toEqual([
    ["masterauth", "a"],
    ["primaryauth", "a"],
  ]);
  expect(redis.get(["*primary*"])).toEqual([]);
});
