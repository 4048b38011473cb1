// The same questions to a real redis-server and to our configuration.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseCommandLine } from "../../src/config/argv.ts";
import { Config, loadErrorText } from "../../src/config/config.ts";
import { PERSONALITIES } from "../../src/config/personality.ts";
import type { Pair } from "../../src/config/transaction.ts";
import type { RespClient } from "../support/client.ts";
import { describeOracle, startOracle } from "../support/oracle.ts";
import type { RunningServer } from "../support/process.ts";
import { ReplyError } from "../support/reply.ts";

const GATES = { loading: false, clientIsLocal: true };

/** Where version 7.0, which may be the oracle, differs from 7.2. */
const NEWER = new Set([
  ...["aof-disable-auto-gc", "cluster-announce-human-nodename", "hide-user-data-from-log", "locale-collate"],
  ...["max-new-connections-per-cycle", "max-new-tls-connections-per-cycle"],
  ...["server-cpulist", "bio-cpulist", "aof-rewrite-cpulist", "bgsave-cpulist"],
  ...["set-max-listpack-entries", "set-max-listpack-value", "aof-load-corrupt-tail-max-size"],
]);

/** Settings that the test itself gives the oracle, or that depend on its machine. */
const OWN = new Set(["port", "bind", "dir", "save", "pidfile"]);

function pairsOf(reply: unknown): Pair[] {
  if (!Array.isArray(reply)) throw new Error("CONFIG GET did not answer an array");
  const pairs: Pair[] = [];
  for (let i = 0; i < reply.length; i += 2) pairs.push([String(reply[i]), String(reply[i + 1])]);
  return pairs;
}

function make(): Config {
  return new Config({ personality: PERSONALITIES.redis });
}

describeOracle("configuration", () => {
  let server: RunningServer;
  let client: RespClient;
  const folder = mkdtempSync(join(tmpdir(), "redis-ts-config-oracle-"));

  beforeAll(async () => {
    server = await startOracle();
    client = await server.connect();
  });

  afterAll(async () => {
    client.close();
    await server.stop();
    rmSync(folder, { recursive: true });
  });

  test("CONFIG GET * has the same names and defaults", async () => {
    const theirs = pairsOf(await client.must("CONFIG", "GET", "*")).filter(
      ([name]) => !NEWER.has(name) && !OWN.has(name),
    );
    const ours = make()
      .get(["*"])
      .filter(([name]) => !NEWER.has(name) && !OWN.has(name));
    const sorted = (pairs: Pair[]) => pairs.map((pair) => pair.join(" = ")).sort();
    expect(sorted(ours)).toEqual(sorted(theirs));
  });

  const QUESTIONS: readonly (readonly string[])[] = [
    ["*of", "bind"],
    ["SAVE", "save"],
    ["m[ai]x*", "maxmemory"],
    ["key-load-delay", "key-load*", "watchdog-period"],
    ["[", "nothing", ""],
    ["slave-*", "REPLICA-*"],
    ["?z"],
    ["h\\z", "\\*"],
  ];
  test.each(QUESTIONS.map((patterns) => [patterns]))("CONFIG GET %j", async (patterns) => {
    const known = ([name]: Pair) => !NEWER.has(name) && !OWN.has(name.toLowerCase());
    const theirs = pairsOf(await client.must("CONFIG", "GET", ...patterns)).filter(known);
    const sorted = (pairs: Pair[]) => pairs.map((pair) => pair.join(" = ")).sort();
    expect(sorted(make().get(patterns).filter(known))).toEqual(sorted(theirs));
  });

  /** Values to set, one setting each: names, then all values to try on each of them. */
  const TRIALS: readonly (readonly [readonly string[], readonly string[]])[] = [
    [
      [
        "maxmemory",
        "maxmemory-clients",
        "proto-max-bulk-len",
        "client-query-buffer-limit",
        "active-defrag-ignore-bytes",
      ],
      [
        "0",
        "1",
        "1b",
        "1k",
        "2KB",
        "3m",
        "3mb",
        "1g",
        "1gb",
        "1tb",
        "-1",
        "",
        "x",
        "5%",
        "100%",
        "101%",
        "%",
        " 1",
        "1 ",
      ],
    ],
    [
      ["maxmemory", "cluster-link-sendbuf-limit", "repl-backlog-size", "maxmemory-clients"],
      ["18446744073709551615", "18446744073709551616", "9223372036854775807", "9223372036854775808", "17179869184gb"],
    ],
    [
      ["hz", "timeout", "slowlog-max-len", "slowlog-log-slower-than", "list-max-listpack-size", "repl-timeout"],
      [
        "0",
        "1",
        "-1",
        "-2",
        "01",
        "+1",
        "1.5",
        "",
        "x",
        "600",
        "2147483647",
        "2147483648",
        "9223372036854775808",
        "-0",
      ],
    ],
    [
      ["appendfsync", "maxmemory-policy", "oom-score-adj", "sanitize-dump-payload", "acl-pubsub-default"],
      ["no", "NO", "yes", "everysec", "relative", "allkeys-LRU", "", "x", "no yes"],
    ],
    [
      ["activerehashing", "replica-read-only", "slave-read-only"],
      ["yes", "no", "YES", "true", "1", ""],
    ],
    [["save"], ["", "1 1", "900 1 300 10", "1", "1 1 1", "0 1", "1 -1", "1 0", "x 1", "1  1", " 1 1", "1 1 ", "+1 1"]],
    [
      ["client-output-buffer-limit"],
      [
        "",
        "normal 1 2 3",
        "slave 1mb 2k 3",
        "replica 0 0 0",
        "master 1 1 1",
        "x 1 1 1",
        "normal 1 1",
        "normal x 1 1",
        "normal 1 1 -1",
        "normal 1 1 1 pubsub 2 2 2",
        "normal 1 1 1 pubsub 2 2 x",
        "PUBSUB 5 5 5",
        "normal 1 1 1x",
      ],
    ],
    [["notify-keyspace-events"], ["", "KEA", "A", "g$lshzxetd", "AKEmn", "mn", "q", "K E", "xKx"]],
    [["oom-score-adj-values"], ["", "1 2", "0 200 800", "1 2 2001", "1 2 -2001", "a b c"]],
    [
      ["latency-tracking-info-percentiles"],
      ["", "50", "50 99.9 100", "0.000001", "99.9999999", "101", "-1", "x", "1e1", "50  60", "nan", "+5"],
    ],
    [
      ["shutdown-on-sigint"],
      ["", "default", "save", "save nosave", "nosave force now", "now default", "x", "SAVE NOW"],
    ],
    [
      ["cluster-announce-hostname", "proc-title-template"],
      ["", "a.b-c", "a_b", "{port}", "{title}", "{{x", "{x}", "{port", "{listen-addr} {server-mode}"],
    ],
    [["requirepass-is-no-setting", "include", "user", "port", "daemonize", "dbfilename", "dir"], ["x"]],
    [
      ["masterauth", "masteruser", "tls-ciphers", "ignore-warnings"],
      ["", "a b", 'q"uo"te', "\xff\x01"],
    ],
  ];

  for (const [names, values] of TRIALS) {
    test(`CONFIG SET ${names.join(", ")}`, async () => {
      for (const name of names) {
        const config = make();
        for (const value of values) {
          const reply = await client.call("CONFIG", "SET", name, Buffer.from(value, "latin1"));
          const theirs = reply instanceof ReplyError ? reply.message : null;
          expect([name, value, config.set([[name, value]], GATES)]).toEqual([name, value, theirs]);
          if (theirs !== null) continue;
          const shown = pairsOf(await client.must("CONFIG", "GET", name));
          expect([value, config.get([name])]).toEqual([value, shown]);
        }
      }
    });
  }

  const MULTIPLE: readonly (readonly string[])[] = [
    ["hz", "20", "HZ", "30"],
    ["slave-priority", "5", "replica-priority", "6"],
    ["bogus", "1", "daemonize", "yes"],
    ["daemonize", "yes", "bogus", "1"],
    ["hz", "20", "hz", "30", "bogus", "1"],
    ["maxmemory", "5mb", "maxmemory-clients", "200%", "hz", "x"],
    ["dir", "/", "bogus", "1"],
  ];
  test.each(MULTIPLE.map((args) => [args]))("CONFIG SET %j", async (args) => {
    const reply = await client.call("CONFIG", "SET", ...args);
    const pairs: Pair[] = [];
    for (let i = 0; i < args.length; i += 2) pairs.push([args[i], args[i + 1]]);
    expect(make().set(pairs, GATES)).toEqual(reply instanceof ReplyError ? reply.message : null);
  });

  /** Starts that fail, each with what redis-server prints. The version in the banner is ours. */
  const BAD_STARTS: readonly (readonly string[])[] = [
    ["--port", "6379", "6380"],
    ["--port"],
    ["--port", "6380", "--loglevel"],
    ["--port", "--loglevel", "verbose"],
    ["--port", "--bla", "--loglevel", "verbose"],
    ["--invalid"],
    ["--shutdown-on-sigint"],
    ["--shutdown-on-sigint", "now force", "--shutdown-on-sigterm"],
    ["--replicaof", "127.0.0.1", "abc"],
    ["--replicaof", "--127.0.0.1", "abc"],
    ["--replicaof", "--127.0.0.1", "--abc"],
    ["--user", "foo", "--user", "foo"],
    ["--save", "1"],
    ["--save x"],
    ["--maxmemory", "1 gb"],
    ["--client-output-buffer-limit", "normal", "1", "2", "3", "4"],
    ["--unixsocketperm", "9"],
    ["--unixsocketperm", "1777"],
    ["--cluster-enabled", "yes", "--replicaof", "h", "1"],
    ["--logfile", "/nowhere/at/all"],
    ["--dir", "/nowhere/at/all"],
    ["--module.x"],
    ["--list-max-ziplist-entries"],
    ["--rename-command", "a"],
    ['--maxmemory "1'],
    ["--appendfilename", "a/b"],
    ["--bind", ..."1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17".split(" ")],
    ["stray"],
  ];
  test.each(BAD_STARTS.map((args) => [args]))("refuses to start with %j", async (args) => {
    const child = Bun.spawn(["redis-server", ...args], {
      cwd: folder,
      stdout: "pipe",
      stderr: "pipe",
      stdin: "ignore",
    });
    const [stderr, stdout] = await Promise.all([new Response(child.stderr).text(), new Response(child.stdout).text()]);
    expect(await child.exited).toBe(1);
    const line = parseCommandLine(args, folder, "redis-server");
    if (line.kind !== "serve") throw new Error("not a server");
    const error = make().load(line);
    if (error === null) throw new Error(`accepted, but redis-server says ${stderr}${stdout}`);
    const ours = loadErrorText(error, PERSONALITIES.redis);
    if (error.kind === "file") expect(stdout).toContain(ours);
    else expect(ours).toBe(stderr.replace(/\(Redis [^)]*\)/, "(Redis 7.2.4)"));
  });

  test("CONFIG REWRITE writes the same lines", async () => {
    const text =
      "# top\n\n\nport 0\n   hz 20\n# ??? old\nsave 1 1\nsave 2 2\nslave-priority 3\nuser a on nopass\n" +
      'client-output-buffer-limit normal 1mb 1kb 5\nbind 127.0.0.1\nrename-command FLUSHDB ""\nnotify-keyspace-events KEA\n';
    const theirPath = join(folder, "theirs.conf");
    const ourPath = join(folder, "ours.conf");
    writeFileSync(theirPath, `${text}unixsocket ${folder}/s\ndir ${folder}\n`);
    writeFileSync(ourPath, `${text}unixsocket ${folder}/s\ndir ${folder}\n`);
    const sets: Pair[] = [
      ["maxmemory", "100mb"],
      ["hz", "10"],
      ["save", "5 6"],
      ["requirepass", 'p"w\x01'],
      ["maxmemory-clients", "5%"],
      ["shutdown-on-sigterm", "nosave now"],
      ["oom-score-adj-values", "0 0 0"],
      ["notify-keyspace-events", ""],
    ];
    const child = Bun.spawn(["redis-server", theirPath], {
      cwd: folder,
      stdout: "pipe",
      stderr: "inherit",
      stdin: "ignore",
    });
    try {
      const log = child.stdout.getReader();
      for (let text = ""; !/ready to accept/i.test(text); ) {
        const { value, done } = await log.read();
        if (done) throw new Error(`redis-server did not start: ${text}`);
        text += Buffer.from(value).toString("latin1");
      }
      const args = sets.flat();
      const run = (...command: string[]) =>
        Bun.spawnSync([
          "redis-cli",
          "-s",
          `${folder}/s`,
          "-a",
          'p"w\x01',
          "--no-auth-warning",
          ...command,
        ]).stdout.toString();
      const plain = Bun.spawnSync(["redis-cli", "-s", `${folder}/s`, "CONFIG", "SET", ...args]).stdout.toString();
      expect(plain.trim()).toBe("OK");
      expect(run("CONFIG", "REWRITE").trim()).toBe("OK");
    } finally {
      child.kill("SIGKILL");
      await child.exited;
    }
    const cwd = process.cwd();
    const config = make();
    try {
      expect(config.loadFile(ourPath)).toBeNull();
      expect(config.set(sets, GATES)).toBeNull();
      // The user lines are the business of whoever owns the users.
      config.onRewrite("user", () =>
        readFileSync(theirPath, "latin1")
          .split("\n")
          .filter((line) => line.startsWith("user ")),
      );
      expect(config.rewrite()).toBeNull();
    } finally {
      process.chdir(cwd);
    }
    // Appended lines have no order in redis-server.
    const split = (path: string): [string, string[]] => {
      const [kept, added] = readFileSync(path, "latin1").split("# Generated by CONFIG REWRITE\n");
      return [kept, added.split("\n").sort()];
    };
    expect(split(ourPath)).toEqual(split(theirPath));
  });
});
