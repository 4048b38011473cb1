// SORT and SORT_RO over lists, sets and sorted sets, with keys and hashes for BY and GET to find.

import { type Draw, KEYS, spoil } from "../draw.ts";
import { type Command, type Generator, type KnownDifference, sameElements, within } from "../generator.ts";

const SOURCES = ["list", "set", "zset", "words", "numbers"];
const TARGETS = ["stored", "list", "set", "zset", ...KEYS.slice(0, 2)];
const WORDS = ["a", "b", "bb", "B", "", "\xff", "\x80x", "a\x00b", "a\x00c", "Ab", "a b", "z".repeat(70)];
// Out-of-range numbers are left out: redis-server 7.0 remembers the error until the process ends.
const NUMBERS = [
  "0",
  "-0",
  "1.5",
  "1e3",
  " 7",
  "\t8",
  "+9",
  "0x10",
  "inf",
  "-inf",
  "Infinity",
  ".5",
  "5.",
  "10",
  "010",
];
const NOT_NUMBERS = ["nan", "1x", "1 ", " ", "e5", "--1", "abc"];
const BY = [
  "w_*",
  "w_*",
  "w_*_x",
  "h_*->w",
  "h_*->f",
  "*",
  "nosort",
  "nosort",
  "h->w",
  "w_*->",
  "h_*->",
  "#",
  "",
  "w_*\x00",
];
const GET = [
  "#",
  "#",
  "v_*",
  "w_*",
  "h_*->f",
  "h_*->none",
  "fixed",
  "*",
  "h_*->",
  "v_**",
  "",
  "#x",
  "list",
  "h_*->f->g",
];

function member(draw: Draw): string {
  return draw.weighted<string>([
    [6, () => String(draw.between(-20, 20))],
    [2, () => draw.pick(NUMBERS)],
    [1, () => String(draw.between(-100_000, 100_000) / 100)],
  ]);
}

function some(draw: Draw, one: () => string): string[] {
  return draw.times(draw.pick([1, 2, 5, 12, 30]), one);
}

function options(draw: Draw): string[] {
  const limit = (): string =>
    draw.chance(80)
      ? String(draw.between(-2, 12))
      : draw.pick(["9223372036854775807", "-9223372036854775808", "x", ""]);
  const chosen = draw.times(draw.pick([0, 1, 1, 2, 3]), () =>
    draw.weighted<string[]>([
      [3, () => [draw.token("DESC")]],
      [1, () => [draw.token("ASC")]],
      [5, () => [draw.token("ALPHA")]],
      [3, () => [draw.token("LIMIT"), limit(), limit()]],
      [4, () => [draw.token("BY"), draw.pick(BY)]],
      [4, () => [draw.token("GET"), draw.pick(GET)]],
      [3, () => [draw.token("STORE"), draw.pick(TARGETS)]],
      [1, () => [draw.pick(["frob", "LIMIT", "GET", "BY", "STORE"])]],
    ]),
  );
  return chosen.flat();
}

function fill(draw: Draw): string[] {
  const words = (): string => draw.pick(WORDS);
  return draw.weighted<string[]>([
    [3, () => [draw.pick(["RPUSH", "LPUSH"]), "list", ...some(draw, () => member(draw))]],
    [3, () => ["SADD", "set", ...some(draw, () => member(draw))]],
    [3, () => ["ZADD", "zset", ...some(draw, () => member(draw)).flatMap((m) => [String(draw.between(-9, 9)), m])]],
    [2, () => ["RPUSH", "words", ...some(draw, words)]],
    [1, () => ["SADD", "numbers", ...some(draw, () => String(draw.between(-50, 50)))]],
    [1, () => ["RPUSH", "list", draw.pick(NOT_NUMBERS)]],
    [2, () => ["DEL", draw.pick([...SOURCES, ...TARGETS])]],
    [1, () => ["SET", draw.pick(["stored", ...KEYS.slice(0, 2)]), "v", ...(draw.chance(50) ? ["EX", "10000"] : [])]],
  ]);
}

function weigh(draw: Draw): string[] {
  const of = draw.chance(80) ? member(draw) : draw.pick(WORDS);
  const weight = draw.chance(90) ? member(draw) : draw.pick([...NOT_NUMBERS, ""]);
  return draw.weighted<string[]>([
    [4, () => ["SET", `w_${of}`, weight]],
    [2, () => ["SET", `w_${of}_x`, draw.pick(WORDS)]],
    [2, () => ["SET", `v_${of}`, draw.chance(50) ? member(draw) : draw.bytes(20)]],
    [3, () => ["HSET", `h_${of}`, "w", weight, "f", draw.pick(WORDS)]],
    [1, () => ["SET", of, weight]],
    [1, () => ["DEL", `w_${of}`, `h_${of}`]],
    [1, () => ["RPUSH", `v_${of}`, "x"]],
  ]);
}

function command(draw: Draw): string[] {
  return draw.weighted<string[]>([
    [5, () => fill(draw)],
    [5, () => weigh(draw)],
    [12, () => [draw.token("SORT"), draw.chance(90) ? draw.pick(SOURCES) : draw.pick(TARGETS), ...options(draw)]],
    [4, () => ["SORT_RO", draw.pick(SOURCES), ...options(draw)]],
    [1, () => ["LRANGE", "stored", "0", "-1"]],
    [1, () => ["COMMAND", "GETKEYSANDFLAGS", "SORT", "k", ...options(draw)]],
    [1, () => ["TTL", "stored"]],
  ]);
}

/** True when the order of the reply is free: that of a set, or of a hash table's members whose texts are equal. */
function orderIsFree(args: Command): boolean {
  const words = args.map((arg) => arg.toUpperCase());
  return /^SORT(_RO)?$/.test(words[0] ?? "") && words.includes("BY");
}

/** Leaves out what makes more of a free order than an order: what is stored then, or what LIMIT leaves, differs. */
function withoutConsequences(args: string[]): string[] {
  if (!orderIsFree(args)) return args;
  const words = args.map((arg) => arg.toUpperCase());
  const ordered = words.includes("ALPHA") ? false : ["LIST", "WORDS", "ZSET"].includes(words[1] ?? "");
  if (ordered) return args;
  const kept = args.slice(0, 2);
  for (let i = 2; i < args.length; i++) {
    if (words[i] === "LIMIT") i += 2;
    else if (words[i] === "STORE") i++;
    else kept.push(args[i]!);
  }
  return kept;
}

const ORDER_IS_FREE: KnownDifference = {
  reason: "sets, and members of hash tables that are sorted by equal texts, have no order that both servers share",
  matches: (args, theirs, ours) => orderIsFree(args) && sameElements(theirs, ours),
};

export const generator: Generator = {
  family: "sort",
  draw(draw): Command {
    const args = command(draw);
    return withoutConsequences(args[0] !== "COMMAND" && draw.chance(4) ? spoil(draw, args) : args);
  },
  probes: () => [...SOURCES, ...TARGETS].map((key) => ["TYPE", key]),
  known: [ORDER_IS_FREE],
  // Each server has its own clock.
  agree: { TTL: within(2) },
};
