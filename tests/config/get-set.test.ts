// CONFIG GET and CONFIG SET.

import { describe, expect, test } from "bun:test";
import { Config } from "../../src/config/config.ts";
import { PERSONALITIES, type PersonalityName } from "../../src/config/personality.ts";
import type { Pair, SetGates } from "../../src/config/transaction.ts";
import { memoryHost } from "./memory-host.ts";

const OPEN: SetGates = { loading: false, clientIsLocal: true };

function make(text = "", personality: PersonalityName = "redis"): Config {
  const config = new Config({ personality: PERSONALITIES[personality], host: memoryHost() });
  expect(config.loadText(text)).toBeNull();
  return config;
}

function set(config: Config, ...args: string[]): string | null {
  const pairs: Pair[] = [];
  for (let i = 0; i < args.length; i += 2) pairs.push([args[i], args[i + 1]]);
  return config.set(pairs, OPEN);
}

describe("get", () => {
  const config = make();

  test("names come back as they were spelled, each once", () => {
    expect(config.get(["PORT", "port", "none"])).toEqual([["PORT", "6379"]]);
    expect(config.get(["maxmemory", "MAXMEM*", "maxmemory"]).filter(([name]) => name === "maxmemory")).toHaveLength(1);
  });

  test("a pattern finds aliases too", () => {
    const names = config.get(["*of"]).map(([name]) => name);
    expect(names.sort()).toEqual(["replicaof", "slaveof"]);
    expect(config.get(["slave-priorit[xy]"])).toEqual([["slave-priority", "100"]]);
  });

  test("hidden settings need their exact name", () => {
    const all = config.get(["*"]).map(([name]) => name);
    for (const name of ["key-load-delay", "rdb-key-save-delay", "use-exit-on-panic", "client-default-resp"]) {
      expect(all).not.toContain(name);
      expect(config.get([`${name}*`])).toEqual([]);
      expect(config.get([name])).toHaveLength(1);
    }
    expect(all).not.toContain("dual-channel-replication-enabled");
    expect(new Set(all).size).toBe(all.length);
  });

  test("settings of one personality are hidden in the other", () => {
    const valkey = make("", "valkey");
    const all = valkey.get(["*"]).map(([name]) => name);
    expect(all).toContain("dual-channel-replication-enabled");
    expect(all).not.toContain("io-threads-do-reads");
    expect(valkey.get(["io-threads-do-reads"])).toHaveLength(1);
  });
});

describe("names", () => {
  test("are found in any order, aliases before and after their settings, and stand in the order of the table", () => {
    const config = make("slaveof host 1\n");
    expect(config.get(["replicaof", "port"])).toEqual([
      ["replicaof", "host 1"],
      ["port", "6379"],
    ]);
    const all = config.get(["*"]).map(([name]) => name);
    expect(all).toEqual(
      make()
        .get(["*"])
        .map(([name]) => name),
    );
    expect(all.indexOf("port")).toBe(0);
  });

  test("given twice are refused, whatever stands between them", () => {
    const config = make();
    const [name, alias] = ["hash-max-listpack-entries", "hash-max-ziplist-entries"];
    expect(set(config, name, "1", alias, "2")).toBeNull();
    expect(set(make(), name, "1", alias, "2", name, "3")).toContain("duplicate parameter");
  });

  test("of settings without effect are told in the order of the table", () => {
    const config = make("io-threads 2\nsocket-mark-id 1\n");
    expect(config.takeWarnings().map((text) => text.split("'")[1])).toEqual(["socket-mark-id", "io-threads"]);
  });
});

describe("set", () => {
  test("sets several at once", () => {
    const config = make();
    expect(set(config, "maxmemory", "10mb", "SAVE", "3000 5", "repl-backlog-size", "10000002")).toBeNull();
    expect(config.values.maxmemory).toBe(10485760);
    expect(config.text("save")).toBe("3000 5");
    expect(set(config, "save", "")).toBeNull();
    expect(config.values.save).toEqual([]);
  });

  test("replaces where a file would add", () => {
    const config = make("save 1 1");
    expect(set(config, "save", "2 2")).toBeNull();
    expect(config.text("save")).toBe("2 2");
  });

  const ERRORS: readonly (readonly [readonly string[], string])[] = [
    [["bogus", "1"], "ERR Unknown option or number of arguments for CONFIG SET - 'bogus'"],
    [["BOGUS", "1", "daemonize", "yes"], "ERR Unknown option or number of arguments for CONFIG SET - 'BOGUS'"],
    [["include", "x"], "ERR Unknown option or number of arguments for CONFIG SET - 'include'"],
    [
      ["Daemonize", "yes"],
      "ERR CONFIG SET failed (possibly related to argument 'Daemonize') - can't set immutable config",
    ],
    [
      ["dbfilename", "x"],
      "ERR CONFIG SET failed (possibly related to argument 'dbfilename') - can't set protected config",
    ],
    [["hz", "1", "HZ", "2"], "ERR CONFIG SET failed (possibly related to argument 'HZ') - duplicate parameter"],
    [
      ["SLAVE-priority", "-1"],
      "ERR CONFIG SET failed (possibly related to argument 'slave-priority') - argument must be between 0 and 2147483647 inclusive",
    ],
    [
      ["save", "900 1  300 10"],
      "ERR CONFIG SET failed (possibly related to argument 'save') - Invalid save parameters",
    ],
    [
      ["shutdown-on-sigterm", ""],
      "ERR CONFIG SET failed (possibly related to argument 'shutdown-on-sigterm') - argument(s) must be one of the following: default, save, nosave, now, force",
    ],
  ];

  test.each(ERRORS)("%j", (args, message) => {
    expect(set(make(), ...args)).toBe(message);
  });

  test("an alias is not a duplicate of its setting; the later one wins", () => {
    const config = make();
    expect(set(config, "slave-priority", "5", "replica-priority", "6")).toBeNull();
    expect(config.values.replicaPriority).toBe(6);
  });

  test("protected settings can be allowed to all or to local clients", () => {
    const local = make("enable-protected-configs local");
    expect(local.set([["dbfilename", "x"]], { loading: false, clientIsLocal: true })).toBeNull();
    expect(local.set([["dbfilename", "y"]], { loading: false, clientIsLocal: false })).toContain("protected");
    const open = make("enable-protected-configs yes");
    expect(open.set([["dbfilename", "z"]], { loading: false, clientIsLocal: false })).toBeNull();
  });

  test("some are refused while loading", () => {
    const config = make("enable-protected-configs yes");
    const gates = { loading: true, clientIsLocal: true };
    expect(config.set([["loglevel", "debug"]], gates)).toBeNull();
    expect(config.set([["dir", "/data"]], gates)).toBe("LOADING Redis is loading the dataset in memory");
    expect(make("", "valkey").set([["appendonly", "yes"]], gates)).toBe(
      "LOADING Valkey is loading the dataset in memory",
    );
    expect(make("extended-redis-compatibility yes", "valkey").set([["appendonly", "yes"]], gates)).toBe(
      "LOADING Redis is loading the dataset in memory",
    );
  });

  test("a bad value undoes the ones before it", () => {
    const config = make("enable-protected-configs yes\nmaxmemory 10000002");
    expect(set(config, "dir", "/data", "maxmemory", "1", "maxmemory-clients", "200%", "hz", "x")).toBe(
      "ERR CONFIG SET failed (possibly related to argument 'maxmemory-clients') - percentage argument must be less or equal to 100",
    );
    expect([config.values.maxmemory, config.values.maxmemoryClients, config.values.dir]).toEqual([10000002, 0, "/"]);
    expect(config.text("dir")).toBe("/");
  });

  test("the working directory follows, and comes back on failure", () => {
    const host = memoryHost();
    const config = new Config({ personality: PERSONALITIES.redis, host });
    expect(config.loadText("enable-protected-configs yes")).toBeNull();
    expect(set(config, "dir", "/data")).toBeNull();
    expect(host.cwd()).toBe("/data");
    expect(set(config, "dir", "/other", "hz", "x")).not.toBeNull();
    expect(host.cwd()).toBe("/data");
    expect(set(config, "dir", "/nowhere")).toBe(
      "ERR CONFIG SET failed (possibly related to argument 'dir') - No such file or directory",
    );
  });

  test("secrets are known, and keep every byte", () => {
    const config = make();
    expect(
      ["requirepass", "MASTERAUTH", "tls-key-file-pass", "port", "none"].map((name) => config.isSensitive(name)),
    ).toEqual([true, true, true, false, false]);
    expect(set(config, "requirepass", "a\0\xff b")).toBeNull();
    expect(config.values.requirepass).toBe("a\0\xff b");
  });
});

describe("apply hooks", () => {
  test("run once each, after all values are in place, only for what changed", () => {
    const config = make();
    const log: string[] = [];
    config.onApply(["oom-score-adj", "oom-score-adj-values"], () => {
      log.push(`oom ${config.text("oom-score-adj")} ${config.text("oom-score-adj-values")} ${config.values.port}`);
      return null;
    });
    config.onApply("port", () => {
      log.push(`port ${config.values.port}`);
      return null;
    });
    config.onApply("hz", () => {
      log.push("hz");
      return null;
    });
    expect(set(config, "oom-score-adj", "yes", "oom-score-adj-values", "1 1 1", "hz", "10", "port", "1")).toBeNull();
    expect(log).toEqual(["oom yes 1 1 1 1", "port 1"]);
  });

  test("a setting may have several hooks; they run in the order in which they came", () => {
    const config = make();
    const log: string[] = [];
    for (const name of ["first", "second"]) {
      config.onApply("hz", () => {
        log.push(name);
        return null;
      });
    }
    expect(set(config, "hz", "20")).toBeNull();
    expect(log).toEqual(["first", "second"]);
  });

  test("a change that CONFIG GET does not show is applied", () => {
    const config = make();
    const log: number[] = [];
    config.onApply("notify-keyspace-events", () => {
      log.push(config.values.notifyKeyspaceEvents);
      return null;
    });
    expect(set(config, "notify-keyspace-events", "EA")).toBeNull();
    expect(set(config, "notify-keyspace-events", "EAn")).toBeNull();
    expect(set(config, "notify-keyspace-events", "EAn")).toBeNull();
    expect(log.length).toBe(2);
    expect(log[1]).not.toBe(log[0]);
  });

  test("a refusal puts back everything and applies the old values again", () => {
    const config = make();
    const log: string[] = [];
    config.onApply("maxmemory", () => {
      log.push(`maxmemory ${config.values.maxmemory}`);
      return null;
    });
    config.onApply("port", () => {
      log.push(`port ${config.values.port}`);
      return config.values.port === 1 ? "Unable to listen on this port. Check server logs." : null;
    });
    config.onApply("hz", () => {
      log.push("hz");
      return null;
    });
    expect(set(config, "maxmemory", "5", "port", "1", "hz", "20")).toBe(
      "ERR CONFIG SET failed (possibly related to argument 'port') - Unable to listen on this port. Check server logs.",
    );
    expect(log).toEqual(["maxmemory 5", "port 1", "maxmemory 0", "port 6379"]);
    expect([config.values.maxmemory, config.values.port, config.values.hz]).toEqual([0, 6379, 10]);
    expect(config.takeWarnings()).toEqual([
      "Failed applying new configuration. Possibly related to new port setting. Restoring previous settings.",
    ]);
  });

  test("a refusal without words", () => {
    const config = make();
    config.onApply("hz", () => (config.values.hz === 5 ? "" : null));
    expect(set(config, "hz", "5")).toBe("ERR CONFIG SET failed (possibly related to argument 'hz')");
  });

  test("a value under two names comes back to what it was before both", () => {
    const config = make();
    config.onApply("port", () => (config.values.port === 1 ? "no" : null));
    expect(set(config, "slave-priority", "5", "replica-priority", "6", "port", "1")).toContain("'port'");
    expect(config.values.replicaPriority).toBe(100);
  });

  test("a file name is applied again even when it is the same", () => {
    const config = make("tls-cert-file /a");
    let count = 0;
    config.onApply("tls-cert-file", () => {
      count++;
      return null;
    });
    expect(set(config, "tls-cert-file", "/a")).toBeNull();
    expect(count).toBe(1);
  });
});

test("assign changes from inside: no gates, no hooks", () => {
  const config = make();
  config.onApply("replicaof", () => "never");
  expect(config.assign("replicaof", "host 1234")).toBeNull();
  expect(config.values.replicaof).toEqual({ host: "host", port: 1234 });
  expect(config.assign("replicaof", "no one")).toBeNull();
  expect(config.values.replicaof).toBeNull();
  expect(config.assign("port", "x")).toBe("argument couldn't be parsed into an integer");
});

test("CONFIG SET of what CONFIG GET said changes nothing", () => {
  for (const personality of ["redis", "valkey"] as const) {
    const config = make("enable-protected-configs yes", personality);
    const before = config.get(["*"]);
    for (const [name, value] of before) {
      const error = set(config, name, value);
      if (error !== null) expect([name, error]).toEqual([name, expect.stringContaining("immutable")]);
    }
    expect(config.get(["*"])).toEqual(before);
  }
});

test("two configurations share nothing", () => {
  const one = make();
  const two = make();
  expect(set(one, "maxmemory", "1", "bind", "a b", "client-output-buffer-limit", "normal 1 1 1")).toBeNull();
  expect(two.get(["*"])).toEqual(make().get(["*"]));
});
