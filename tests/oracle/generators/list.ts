// The list commands, with sizes of nodes that change on the way. Blocking ones wait a moment at most: there is nobody who could wake them.

import { type Draw, KEYS, spoil } from "../draw.ts";
import type { Command, Generator } from "../generator.ts";

/** Few elements, so that searches find them; some spell integers, some are long or binary. */
const ELEMENTS: readonly string[] = [
  "a",
  "b",
  "",
  "0",
  "-1",
  "127",
  "128",
  "-4097",
  "8388608",
  "01",
  "-0",
  "9223372036854775807",
  "9223372036854775808",
  "\x00\xff\r\n",
  "x".repeat(64),
  "y".repeat(300),
  "z".repeat(5000),
  "w".repeat(9000),
];

const TIMEOUTS = ["0.001", "0.002", "0.001", "-1", "x", "1e400", "", "99999999999999999999"];
const COUNTS = ["0", "1", "2", "5", "100", "-1", "9223372036854775807", "9223372036854775808", "x"];

function element(draw: Draw): string {
  if (draw.chance(40)) return String(draw.between(-3, 6));
  return draw.chance(15) ? draw.value() : draw.pick(ELEMENTS);
}

function some(draw: Draw): string[] {
  return draw.times(draw.pick([1, 1, 1, 2, 3, 8, 30]), () => element(draw));
}

function index(draw: Draw): string {
  return draw.chance(80) ? String(draw.between(-12, 12)) : draw.integer();
}

/** The count of LREM. The smallest int64 is left out: later versions refuse it, 7.0 takes it for all. */
function removeCount(draw: Draw): string {
  const count = index(draw);
  return count === "-9223372036854775808" ? "0" : count;
}

function end(draw: Draw): string {
  return draw.chance(95) ? draw.token(draw.pick(["LEFT", "RIGHT"])) : draw.pick(["MIDDLE", "", "LEF"]);
}

function timeout(draw: Draw): string {
  return draw.chance(85) ? "0.001" : draw.pick(TIMEOUTS);
}

function position(draw: Draw): string[] {
  const options: string[] = [];
  if (draw.chance(40)) options.push(draw.token("RANK"), index(draw));
  if (draw.chance(40)) options.push(draw.token("COUNT"), draw.pick(COUNTS));
  if (draw.chance(30)) options.push(draw.token("MAXLEN"), draw.pick(COUNTS));
  return options;
}

/** The arguments of LMPOP and BLMPOP. */
function many(draw: Draw): string[] {
  const keys = draw.times(draw.between(1, 3), () => draw.key());
  const count = draw.chance(90) ? String(keys.length) : draw.pick(["0", "-1", "9", "x", "1", "9223372036854775807"]);
  return [count, ...keys, end(draw), ...(draw.chance(50) ? [draw.token("COUNT"), draw.pick(COUNTS)] : [])];
}

function write(draw: Draw): string[] {
  const key = draw.key();
  return draw.weighted<string[]>([
    [12, () => [draw.pick(["LPUSH", "RPUSH"]), key, ...some(draw)]],
    [3, () => [draw.pick(["LPUSHX", "RPUSHX"]), key, ...some(draw)]],
    [5, () => [draw.pick(["LPOP", "RPOP"]), key]],
    [4, () => [draw.pick(["LPOP", "RPOP"]), key, draw.pick(COUNTS)]],
    [6, () => ["LSET", key, index(draw), element(draw)]],
    [6, () => ["LINSERT", key, draw.token(draw.pick(["BEFORE", "AFTER"])), element(draw), element(draw)]],
    [5, () => ["LREM", key, removeCount(draw), element(draw)]],
    [3, () => ["LTRIM", key, index(draw), index(draw)]],
    [4, () => ["LMOVE", key, draw.key(), end(draw), end(draw)]],
    [2, () => ["RPOPLPUSH", key, draw.key()]],
    [3, () => ["LMPOP", ...many(draw)]],
    [2, () => ["BLMPOP", timeout(draw), ...many(draw)]],
    [2, () => [draw.pick(["BLPOP", "BRPOP"]), ...draw.times(draw.between(1, 3), () => draw.key()), timeout(draw)]],
    [2, () => ["BLMOVE", key, draw.key(), end(draw), end(draw), timeout(draw)]],
    [1, () => ["BRPOPLPUSH", key, draw.key(), timeout(draw)]],
  ]);
}

function other(draw: Draw): string[] {
  const key = draw.key();
  return draw.weighted<string[]>([
    [3, () => ["LLEN", key]],
    [5, () => ["LRANGE", key, index(draw), index(draw)]],
    [3, () => ["LINDEX", key, index(draw)]],
    [6, () => ["LPOS", key, element(draw), ...position(draw)]],
    [2, () => ["DEBUG", "DIGEST-VALUE", key]],
    [1, () => ["COPY", key, draw.key(), "REPLACE"]],
    [1, () => ["RENAME", key, draw.key()]],
    [1, () => ["SET", key, "v"]],
    [2, () => ["DEL", key]],
    [1, () => ["CONFIG", "SET", "list-max-listpack-size", draw.pick(["-2", "-1", "1", "3", "20"])]],
    [1, () => ["CONFIG", "SET", "list-compress-depth", draw.pick(["0", "1", "2"])]],
    [1, () => ["DEBUG", "QUICKLIST-PACKED-THRESHOLD", draw.pick(["200b", "1gb", "70", "4b"])]],
  ]);
}

export const generator: Generator = {
  family: "list",
  draw(draw): Command {
    const args = draw.chance(70) ? write(draw) : other(draw);
    args[0] = draw.token(args[0]!);
    // A spoiled setting is another family's, and a spoiled timeout might be a long one.
    const spoilable = !/^(config|debug|lrem|b.*)$/i.test(args[0]);
    return spoilable && draw.chance(6) ? spoil(draw, args) : args;
  },
  probes: () =>
    KEYS.flatMap((key) => [
      ["LLEN", key],
      ["LRANGE", key, "0", "-1"],
      ["DEBUG", "DIGEST-VALUE", key],
    ]),
  known: [
    {
      reason: "redis-server 7.0 overflows on timeouts that no int64 of milliseconds holds; later versions say so",
      matches: (_args, theirs, ours) =>
        theirs === "-ERR timeout is negative\r\n" && ours === "-ERR timeout is out of range\r\n",
    },
    {
      reason: "later versions refuse the smallest int64 as a rank, which has no opposite",
      matches: (args, _theirs, ours) =>
        args[0]?.toUpperCase() === "LPOS" && ours.startsWith("-ERR value is out of range, value must between"),
    },
  ],
};
