// CONFIG, and the forms and errors of INFO, SLOWLOG, LATENCY, LASTSAVE and SHUTDOWN. Nothing is set that other families would notice. What depends
// on time, the statistics, is compared in statistics.test.ts.

import { type Draw, EDGE_INTEGERS, JUNK, spoil } from "../draw.ts";
import { type Command, type Generator, sameElements } from "../generator.ts";

/** Settings with values to try, good and bad. */
const SETTINGS: readonly (readonly [name: string, values: readonly string[]])[] = [
  ["slowlog-log-slower-than", ["-1", "1000000000", "-2", "1kb"]],
  ["slowlog-max-len", ["1", "128", "0", "-1"]],
  ["latency-monitor-threshold", ["0", "1000000", "-1"]],
  ["latency-tracking", ["yes", "no", "YES", "maybe"]],
  ["latency-tracking-info-percentiles", ["", "50", "0.0 50.0 100.0", "99.9 101", "a", "50  99", "-1"]],
  ["maxmemory-samples", ["1", "5", "64", "0", "x"]],
  ["hz", ["1", "10", "500", "501"]],
  ["repl-timeout", ["1", "60", "0"]],
  ["lua-time-limit", ["5000", "0", "-1"]],
  ["busy-reply-threshold", ["5000", "1"]],
  ["client-query-buffer-limit", ["1gb", "1mb", "1b", "10mb"]],
  ["tracking-table-max-keys", ["1000000", "0"]],
  ["proc-title-template", ["{title}", "{nosuch}", "{title"]],
  ["databases", ["16"]],
  ["port", ["abc", "65536", "-1"]],
  ["oom-score-adj-values", ["0 200 800", "1 2", "0 1 2000", "x y z"]],
  ["nosuch", ["1"]],
  ["", ["1"]],
];
/** Settings that take only the values above: no port may be a good one, thresholds must stay far from what commands take, and the greatest sample came with 7.2. */
const LISTED_ONLY = new Set([
  "port",
  "slowlog-log-slower-than",
  "latency-monitor-threshold",
  "latency-tracking-info-percentiles",
  "maxmemory-samples",
]);
/** What is asked for; each server has its own port. */
const NAMES = SETTINGS.map(([name]) => name).filter((name) => name !== "port");
/** Patterns that match the same settings in 7.0 and in later versions. */
const PATTERNS: readonly string[] = [
  "slowlog*",
  "latency-*",
  "SLOWLOG-MAX-LEN",
  "*-max-len",
  "maxmemory-sample?",
  "hash-max-*",
  "hz",
  "h[yz]",
  "[a-",
  "nosuch*",
  "",
];

function pair(draw: Draw): string[] {
  const [name, values] = draw.pick(SETTINGS);
  const value = draw.chance(75) ? draw.pick(values) : draw.pick(draw.chance(50) ? JUNK : EDGE_INTEGERS);
  return [draw.token(name.toUpperCase()), LISTED_ONLY.has(name) ? draw.pick(values) : value];
}

function command(draw: Draw): string[] {
  const name = (): string => draw.pick(draw.chance(60) ? NAMES : PATTERNS);
  return draw.weighted<string[]>([
    [8, () => ["CONFIG", draw.token("GET"), ...draw.times(draw.between(1, 4), name)]],
    [8, () => ["CONFIG", draw.token("SET"), ...draw.times(draw.between(1, 3), () => pair(draw)).flat()]],
    [1, () => ["CONFIG", draw.pick(["RESETSTAT", "REWRITE", "nosuch"])]],
    [1, () => ["INFO", ...draw.times(draw.between(1, 3), () => draw.pick(["nosuch", "Cluster", "MODULES", ""]))]],
    [1, () => ["SLOWLOG", draw.token("GET"), draw.pick(["-2", "x", "0", "1.5"])]],
    [1, () => ["SLOWLOG", draw.pick(["RESET", "nosuch"])]],
    [2, () => ["LATENCY", draw.pick(["HISTORY", "RESET", "GRAPH", "HISTOGRAM"]), draw.pick(["command", "nosuch", ""])]],
    [1, () => ["LATENCY", draw.pick(["LATEST", "RESET", "nosuch", "GRAPH"])]],
    [1, () => ["LASTSAVE", "x"]],
    [
      1,
      () =>
        draw.pick([
          ["SHUTDOWN", "x"],
          ["SHUTDOWN", "ABORT"],
          ["SHUTDOWN", "abort", "NOW"],
          ["SHUTDOWN", "SAVE", "nosave"],
        ]),
    ],
  ]);
}

/** Only what reads settings is spoilt: the rest could end the server, or show times. */
function spoiled(draw: Draw, args: readonly string[]): Command {
  return args[0] === "CONFIG" && args[1]?.toUpperCase() === "GET" && draw.chance(15) ? spoil(draw, args) : args;
}

export const generator: Generator = {
  family: "server",
  draw: (draw) => spoiled(draw, command(draw)),
  agree: { CONFIG: sameElements },
  probes: () => NAMES.filter((name) => name !== "").map((name) => ["CONFIG", "GET", name]),
};
