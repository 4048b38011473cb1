// redis-server's command line as config text.

import { describe, expect, test } from "bun:test";
import { absolutePath, parseCommandLine } from "../../src/config/argv.ts";
import { Config } from "../../src/config/config.ts";
import { choosePersonality, PERSONALITIES } from "../../src/config/personality.ts";
import { memoryHost } from "./memory-host.ts";

function serve(...args: string[]) {
  const line = parseCommandLine(args, "/home", "redis-server");
  if (line.kind !== "serve") throw new Error(`not serve: ${line.kind}`);
  return line;
}

/** Loads a command line over a config file with `save 900 1`; gives values as CONFIG GET does. */
function loaded(...args: string[]): Config {
  const config = new Config({
    personality: PERSONALITIES.redis,
    host: memoryHost({ "/home/a.conf": "save 900 1\nloglevel debug\n" }),
  });
  const line = serve("a.conf", ...args);
  expect(config.load(line)).toBeNull();
  return config;
}

const LINES: readonly (readonly [readonly string[], string])[] = [
  [[], ""],
  [["--port", "7000"], 'port "7000" '],
  [["--port", "7000", "--loglevel", "debug"], 'port "7000" \nloglevel "debug" '],
  [["--port 7000", "--loglevel debug"], "port 7000 \nloglevel debug "],
  [["--port", "6379", "6380"], 'port "6379" "6380" '],
  [["--port", "--loglevel", "verbose"], 'port "--loglevel" "verbose" '],
  [["--port", "--bla", "--loglevel", "verbose"], 'port "--bla" \nloglevel "verbose" '],
  [["--port"], "port "],
  [["--save", "--port", "1"], 'save ""\nport "1" '],
  [["--port", "1", "--save"], 'port "1" \nsave ""'],
  [["--save", ""], 'save "" '],
  [["--SAVE", "--port", "1"], 'SAVE ""\nport "1" '],
  [["--proc-title-template", "--save", "--save", ""], 'proc-title-template "--save" \nsave "" '],
  [["--sentinel"], "sentinel "],
  [["--sentinel", "--port", "1"], 'sentinel \nport "1" '],
  [["--requirepass", 'a "b"\n'], 'requirepass "a \\"b\\"\\n" '],
];

test.each(LINES)("%j", (args, options) => {
  expect(serve(...args).options).toBe(options);
});

test("the first argument is the config file, made absolute", () => {
  expect(serve("a.conf", "--port", "1")).toMatchObject({ file: "/home/a.conf", options: 'port "1" ' });
  expect(serve("/etc/a.conf").file).toBe("/etc/a.conf");
  expect(serve("--port", "1").file).toBeNull();
  expect(absolutePath("../../x/./a", "/b/c")).toBe("/x/./a");
  expect(absolutePath("../../../a", "/b/c")).toBe("/a");
  expect(absolutePath(" a.conf\n", "/")).toBe("/a.conf");
});

test("a dash reads standard input when it is first or last", () => {
  expect(serve("-")).toMatchObject({ file: null, stdin: true, options: "" });
  expect(serve("a.conf", "-")).toMatchObject({ file: "/home/a.conf", stdin: true });
  expect(serve("--port", "1", "-")).toMatchObject({ stdin: true, options: 'port "1" ' });
  expect(serve("--bind", "-", "x")).toMatchObject({ stdin: false, options: 'bind "-" "x" ' });
});

test("requests that are not a server", () => {
  expect(parseCommandLine(["-v"], "/", "x")).toEqual({ kind: "version" });
  expect(parseCommandLine(["--version"], "/", "x")).toEqual({ kind: "version" });
  expect(parseCommandLine(["-h"], "/", "x")).toEqual({ kind: "help" });
  expect(parseCommandLine(["--help"], "/", "x")).toEqual({ kind: "help" });
  expect(parseCommandLine(["--check-system"], "/", "x")).toEqual({ kind: "check-system" });
  expect(parseCommandLine(["--test-memory", "64"], "/", "x")).toEqual({ kind: "test-memory", megabytes: 64 });
  expect(parseCommandLine(["--test-memory"], "/", "x")).toEqual({ kind: "test-memory", megabytes: null });
});

test("sentinel mode comes from the option or the name", () => {
  expect(serve("a.conf", "--sentinel").sentinel).toBe(true);
  expect(serve("a.conf").sentinel).toBe(false);
  expect(parseCommandLine(["a.conf"], "/", "/usr/bin/valkey-sentinel")).toMatchObject({ sentinel: true });
});

describe("loaded after a config file", () => {
  test("save lines add up, an empty one clears", () => {
    expect(loaded("--save", "100", "100").text("save")).toBe("900 1 100 100");
    expect(loaded("--save", "100 100").text("save")).toBe("900 1 100 100");
    expect(loaded("--save", "").text("save")).toBe("");
    expect(loaded("--save").text("save")).toBe("");
    const config = loaded("--save", "--loglevel", "verbose");
    expect([config.text("save"), config.text("loglevel")]).toEqual(["", "verbose"]);
  });

  test("options win over the file", () => {
    expect(loaded("loglevel", "verbose").values.loglevel).toBe("verbose");
    expect(loaded("--maxmemory '700mb'").values.maxmemory).toBe(734003200);
    expect(loaded("--proc-title-template", "--my--title--template").values.procTitleTemplate).toBe(
      "--my--title--template",
    );
    const config = loaded("--shutdown-on-sigint", "nosave", "force", "now", "--shutdown-on-sigterm", "nosave force");
    expect(config.text("shutdown-on-sigint")).toBe("nosave now force");
    expect(config.text("shutdown-on-sigterm")).toBe("nosave force");
  });

  test("standard input stands between the file and the options", () => {
    const host = memoryHost({ "/a": "port 1\nhz 11\nloglevel debug\n" });
    host.stdin = "port 2\nhz 12\n";
    const config = new Config({ personality: PERSONALITIES.redis, host });
    expect(config.load({ file: "/a", stdin: true, options: "port 3" })).toBeNull();
    expect([config.values.port, config.values.hz, config.values.loglevel]).toEqual([3, 12, "debug"]);
    expect(config.configFile).toBe("/a");
  });
});

test("the personality comes from --compat or the program's name", () => {
  const named = (argv0: string, ...args: string[]) => {
    const choice = choosePersonality(argv0, args);
    return "error" in choice ? choice.error : [choice.personality.name, ...choice.args];
  };
  expect(named("/usr/bin/redis-server", "a")).toEqual(["redis", "a"]);
  expect(named("src/valkey-server", "a")).toEqual(["valkey", "a"]);
  expect(named("/valkey/redis-ts", "a")).toEqual(["redis", "a"]);
  expect(named("valkey-server", "a", "--compat", "redis", "--port", "1")).toEqual(["redis", "a", "--port", "1"]);
  expect(named("x", "--compat=valkey")).toEqual(["valkey"]);
  expect(named("x", "--compat")).toBe("--compat must be 'redis' or 'valkey'");
  expect(named("x", "--compat=keydb")).toBe("--compat must be 'redis' or 'valkey'");
});
