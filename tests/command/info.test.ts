// INFO: sections and their selection, true values, what other layers contribute; command and error statistics; CONFIG RESETSTAT.

import { describe, expect, test } from "bun:test";
import { infoText } from "../../src/commands/server/info.ts";
import { humanBytes } from "../../src/commands/server/info-section.ts";
import { type TestClient, type TestServer, testServer, transcript } from "../support/engine.ts";

const DEFAULT_TITLES = [
  "Server",
  "Clients",
  "Memory",
  "Persistence",
  "Stats",
  "Replication",
  "CPU",
  "Modules",
  "Errorstats",
  "Cluster",
  "Keyspace",
];
const ALL_TITLES = DEFAULT_TITLES.toSpliced(8, 1, "Commandstats", "Errorstats", "Latencystats");

function titles(text: string): string[] {
  return [...text.matchAll(/^# (.*)\r$/gm)].map((match) => match[1]!);
}

function field(client: TestClient, name: string, section = "everything"): string | undefined {
  return new RegExp(`^${name}:(.*)$`, "m").exec(client.line(`INFO ${section}`).replaceAll("\r", ""))?.[1];
}

describe("sections", () => {
  const { engine } = testServer();

  test.each([
    [[], DEFAULT_TITLES],
    [["default"], DEFAULT_TITLES],
    [["ALL"], ALL_TITLES],
    [["everything"], ALL_TITLES],
    [["cpu"], ["CPU"]],
    [["CommandStats"], ["Commandstats"]],
    [
      ["keyspace", "server", "server"],
      ["Server", "Keyspace"],
    ],
    [["cpu", "all"], ALL_TITLES],
    [["commandstats", "default"], ALL_TITLES.filter((title) => title !== "Latencystats")],
    [["modules"], ["Modules"]],
    [["debug"], ["Debug"]],
    [
      ["all", "debug"],
      [...ALL_TITLES, "Debug"],
    ],
    [["sentinel"], []],
    [["nonsense", "cluster"], ["Cluster"]],
  ])("INFO %p", (asked, expected) => {
    expect(titles(infoText(engine, asked))).toEqual(expected);
  });

  test("are set apart by an empty line, and every line ends with CRLF", () => {
    const text = infoText(engine, ["cluster", "modules", "keyspace"]);
    expect(text).toBe("# Modules\r\n\r\n# Cluster\r\ncluster_enabled:0\r\n\r\n# Keyspace\r\n");
    for (const line of infoText(engine, ["everything"]).split("\r\n"))
      expect(line).toMatch(/^$|^# \w+$|^[^:\n]+:[^\n]*$/);
  });

  test("are a verbatim string in RESP3", () => {
    const client = testServer().connect();
    expect(client.send("INFO", "cluster")).toEqual({ kind: "bulk", text: "# Cluster\r\ncluster_enabled:0\r\n" });
    client.line("HELLO 3");
    expect(client.send("INFO", "cluster")).toEqual({
      kind: "verbatim",
      text: "txt:# Cluster\r\ncluster_enabled:0\r\n",
    });
  });
});

describe("personalities", () => {
  test("Redis", () => {
    const client = testServer().connect();
    expect(client.line("INFO server")).toMatch(
      /^# Server\r\nredis_version:7\.2\.4\r\nserver_name:redis\r\nredis_ts_version:\d+\.\d+\.\d+\r\nredis_git_sha1:/,
    );
    expect(field(client, "redis_mode")).toBe("standalone");
    expect(field(client, "server_mode")).toBeUndefined();
    client.line("SET k v");
    expect(field(client, "db0")).toBe("keys=1,expires=0,avg_ttl=0,subexpiry=0");
  });

  test("Valkey", () => {
    const client = testServer({ personality: "valkey" }).connect();
    expect(field(client, "server_name")).toBe("valkey");
    expect(field(client, "valkey_version")).toMatch(/^8\./);
    expect(field(client, "server_mode")).toBe("standalone");
    expect(field(client, "availability_zone")).toBe("");
    client.line("SET k v");
    expect(field(client, "db0")).toBe("keys=1,expires=0,avg_ttl=0");
    client.line("CONFIG SET extended-redis-compatibility yes");
    expect([field(client, "redis_mode"), field(client, "server_mode")]).toEqual(["standalone", undefined]);
  });
});

describe("values", () => {
  test("of time and identity", () => {
    const server = testServer();
    const client = server.connect();
    server.advance(2 * 86_400_000 + 5000);
    expect(field(client, "uptime_in_seconds")).toBe("172805");
    expect(field(client, "uptime_in_days")).toBe("2");
    expect(field(client, "run_id")).toMatch(/^[0-9a-f]{40}$/);
    expect(field(client, "run_id")).toBe(field(client, "run_id")!);
    expect(field(client, "run_id")).not.toBe(field(client, "master_replid"));
    expect(field(client, "process_id")).toBe(String(process.pid));
    expect(field(client, "mem_allocator")).toBe("libc");
    expect(field(client, "rdb_last_save_time")).toBe("1700000000");
  });

  test("of clients, watches and subscriptions", () => {
    const server = testServer();
    const [a, b, c] = [server.connect(), server.connect(), server.connect()];
    b.line("SUBSCRIBE x y");
    c.line("WATCH k l");
    for (const [name, value] of [
      ["connected_clients", "3"],
      ["pubsub_clients", "1"],
      ["pubsub_channels", "2"],
      ["watching_clients", "1"],
      ["total_watched_keys", "2"],
      ["total_connections_received", "3"],
    ] as const)
      expect([name, field(a, name)]).toEqual([name, value]);
    b.close();
    c.line("UNWATCH");
    expect([field(a, "connected_clients"), field(a, "pubsub_clients"), field(a, "watching_clients")]).toEqual([
      "2",
      "0",
      "0",
    ]);
  });

  test("of hits, misses, keys and changes", () => {
    const client = testServer().connect();
    for (const line of ["SET a 1", "GET a", "GET a", "GET b"]) client.line(line);
    expect([field(client, "keyspace_hits"), field(client, "keyspace_misses")]).toEqual(["2", "1"]);
    expect(field(client, "rdb_changes_since_last_save")).toBe("1");
  });

  test("of memory follow the data set, and are the same for the same commands", () => {
    const used = (client: TestClient): number => Number(field(client, "used_memory", "memory"));
    const [first, second] = [testServer().connect(), testServer().connect()];
    const empty = used(first);
    expect(used(second)).toBe(empty);
    for (const client of [first, second]) client.send("SET", "k", "x".repeat(100_000));
    expect(used(first) - empty).toBeGreaterThan(100_000);
    expect(used(first) - empty).toBeLessThan(130_000);
    expect(used(second)).toBe(used(first));
    first.line("DEL k");
    expect(used(first)).toBe(empty);
    expect(Number(field(first, "used_memory_peak", "memory"))).toBeGreaterThan(empty + 100_000);
    expect(Number(field(first, "used_memory_overhead"))).toBeGreaterThanOrEqual(
      Number(field(first, "used_memory_startup")),
    );
  });

  test("in units for people", () => {
    expect([0, 1023, 1024, 1536, 1024 ** 2 - 1, 3 * 1024 ** 3, 1024 ** 4].map(humanBytes)).toEqual([
      "0B",
      "1023B",
      "1.00K",
      "1.50K",
      "1024.00K",
      "3.00G",
      "1.00T",
    ]);
  });

  test("of rates are sampled by the cron", () => {
    const server = testServer();
    const client = server.connect();
    for (let i = 0; i < 40; i++) {
      for (let k = 0; k < 50; k++) client.line("PING");
      server.advance(100);
      server.engine.sampleStatistics();
    }
    expect(field(client, "instantaneous_ops_per_sec")).toBe("500");
    client.line("CONFIG RESETSTAT");
    expect(field(client, "instantaneous_ops_per_sec")).toBe("0");
  });
});

describe("sources of other layers", () => {
  test("answer for fields and whole sections, and reset with the rest", () => {
    const { engine, connect } = testServer();
    let saves = 7;
    engine.info.add({
      fields: { rdb_saves: () => saves },
      sections: {
        replication: (line) => {
          line("role", "slave");
          line("slave0", "ip=::1,port=1");
        },
      },
      reset: () => {
        saves = 0;
      },
    });
    const client = connect();
    expect(field(client, "rdb_saves")).toBe("7");
    expect(client.line("INFO replication")).toBe("# Replication\r\nrole:slave\r\nslave0:ip=::1,port=1\r\n");
    client.line("CONFIG RESETSTAT");
    expect(field(client, "rdb_saves")).toBe("0");
  });
});

describe("command statistics", () => {
  function counts(client: TestClient, name: string): string | undefined {
    return field(client, `cmdstat_${name}`, "commandstats")?.replace(/usec=.*?,usec_per_call=.*?,/, "");
  }

  function reset(server: TestServer): TestClient {
    const client = server.connect();
    client.line("CONFIG RESETSTAT");
    return client;
  }

  test("tell calls, failures and rejections apart", () => {
    const client = reset(testServer());
    for (const line of ["SET k v", "SET k v BAD", "SET", "INCR k", "NOSUCH x", "CLIENT ID", "CLIENT NOSUCH"])
      client.line(line);
    expect(counts(client, "set")).toBe("calls=2,rejected_calls=1,failed_calls=1");
    expect(counts(client, "incr")).toBe("calls=1,rejected_calls=0,failed_calls=1");
    expect(counts(client, "client\\|id")).toBe("calls=1,rejected_calls=0,failed_calls=0");
    expect(counts(client, "config\\|resetstat")).toBe("calls=1,rejected_calls=0,failed_calls=0");
    expect(counts(client, "client")).toBeUndefined();
    expect(field(client, "errorstat_ERR", "errorstats")).toBe("count=5");
    expect(field(client, "total_error_replies")).toBe("5");
  });

  test("blame the command inside a transaction, not EXEC", () => {
    const client = reset(testServer());
    for (const line of ["MULTI", "SET k v", "INCR k", "EXEC"]) client.line(line);
    expect(counts(client, "incr")).toBe("calls=1,rejected_calls=0,failed_calls=1");
    expect(counts(client, "exec")).toBe("calls=1,rejected_calls=0,failed_calls=0");
    client.line("EXEC");
    expect(counts(client, "exec")).toBe("calls=2,rejected_calls=0,failed_calls=1");
    for (const line of ["MULTI", "SET", "EXEC"]) client.line(line);
    expect(counts(client, "set")).toBe("calls=1,rejected_calls=1,failed_calls=0");
    expect(counts(client, "exec")).toBe("calls=3,rejected_calls=0,failed_calls=2");
    expect(field(client, "errorstat_EXECABORT", "errorstats")).toBe("count=1");
    expect(field(client, "total_error_replies")).toBe("4");
  });

  test("count queued commands when they run", () => {
    const client = reset(testServer());
    client.line("MULTI");
    client.line("PING");
    client.line("DISCARD");
    expect(counts(client, "ping")).toBeUndefined();
  });

  test("time and latencies follow the clock, and stop with latency-tracking", () => {
    const server = testServer();
    const client = reset(server);
    client.line('CONFIG SET latency-tracking-info-percentiles "0.0 50 100"');
    client.line("PING");
    expect(field(client, "latency_percentiles_usec_ping", "latencystats")).toBe("p0=0.001,p50=0.001,p100=0.001");
    client.line("CONFIG SET latency-tracking no");
    expect(client.line("INFO latencystats")).toBe("# Latencystats\r\n");
    client.line("ECHO x");
    client.line("CONFIG SET latency-tracking yes");
    expect(field(client, "latency_percentiles_usec_echo", "latencystats")).toBeUndefined();
    client.line("ECHO x");
    expect(field(client, "latency_percentiles_usec_echo", "latencystats")).toBeDefined();
  });

  test("an OOM error is a rejection", () => {
    const client = reset(testServer());
    client.line("CONFIG SET maxmemory 1");
    expect(client.line("SET a b")).toBe("(error) OOM command not allowed when used memory > 'maxmemory'.");
    expect(client.line("GET a")).toBe("(nil)");
    for (const line of ["MULTI", "GET a", "EXEC"]) expect(client.line(line)).not.toContain("OOM");
    expect(counts(client, "set")).toBe("calls=0,rejected_calls=1,failed_calls=0");
    expect(field(client, "errorstat_OOM", "errorstats")).toBe("count=1");
    client.line("CONFIG SET maxmemory 0");
    expect(client.line("SET a b")).toBe("OK");
  });
});

test("CONFIG RESETSTAT starts all counters anew", () => {
  const client = testServer().connect();
  for (const line of ["SET a 1", "GET a", "GET b", "NOSUCH", "CONFIG RESETSTAT"]) client.line(line);
  const text = client.line("INFO everything").replaceAll("\r", "");
  for (const zero of ["keyspace_hits", "keyspace_misses", "total_error_replies", "total_connections_received"])
    expect(text).toContain(`\n${zero}:0\n`);
  expect(text).toContain("\ntotal_commands_processed:1\n");
  expect(text).toContain("# Errorstats\n\n");
  expect(text).toMatch(/# Commandstats\ncmdstat_config\|resetstat:calls=1,[^\n]*\n\n/);
});

test("LASTSAVE tells the start until something is saved", () => {
  transcript(`
    > LASTSAVE
    (integer) 1700000000
    > LASTSAVE x
    (error) ERR wrong number of arguments for 'lastsave' command`);
});
