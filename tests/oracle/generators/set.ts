// The set commands that redis-server 7.0 has, with limits of the small encodings that change on the way.

import { type Draw, KEYS, spoil } from "../draw.ts";
import { type Agreement, type Command, type Generator, sameElements, sameKind } from "../generator.ts";

/** Few members, so that commands meet each other's results; some spell integers, some are long or binary. */
const MEMBERS: readonly string[] = [
  "m",
  "n",
  "",
  "0",
  "-1",
  "12345",
  "32768",
  "-2147483649",
  "01",
  "-0",
  "9223372036854775807",
  "9223372036854775808",
  "\x00\xff\r\n",
  "x".repeat(64),
  "x".repeat(65),
  "y".repeat(300),
];

/** Counts of SRANDMEMBER; none is a very negative number, which would ask for as many members. */
const COUNTS = ["0", "1", "-1", "3", "-7", "20", "1000", "9223372036854775807", "-9223372036854775808", "x", "1.5"];

function member(draw: Draw): string {
  if (draw.chance(40)) return String(draw.between(-5, 25));
  return draw.chance(20) ? `n${draw.below(30)}` : draw.pick(MEMBERS);
}

function some(draw: Draw): string[] {
  return draw.times(draw.pick([1, 1, 2, 3, 8, 20]), () => member(draw));
}

function keys(draw: Draw): string[] {
  return draw.times(draw.between(1, 4), () => draw.key());
}

function scanOptions(draw: Draw): string[] {
  return draw.weighted<string[]>([
    [4, () => ["COUNT", "10000"]],
    [2, () => ["COUNT", "10000", draw.token("MATCH"), draw.pick(["*", "n*", "1?", "[a-m]*", "?"])]],
    [1, () => [draw.pick(["COUNT", "MATCH", "TYPE"]), draw.pick(["0", "x", "-3"]), "COUNT", "10000"]],
  ]);
}

function interCard(draw: Draw): string[] {
  const of = keys(draw);
  const count = draw.chance(85) ? String(of.length) : draw.pick(["0", "-1", "9", "x", "1"]);
  const limit = draw.pick(["0", "1", "3", "100", "-1", "x"]);
  return ["SINTERCARD", count, ...of, ...(draw.chance(40) ? [draw.token("LIMIT"), limit] : [])];
}

/** Integers alone, so that intsets stay what they are. */
function integers(draw: Draw): string[] {
  return draw.times(draw.between(1, 6), () => String(draw.between(-20, 40000)));
}

function command(draw: Draw): string[] {
  const key = draw.key();
  return draw.weighted<string[]>([
    [10, () => ["SADD", key, ...some(draw)]],
    [8, () => ["SADD", key, ...integers(draw)]],
    [6, () => ["SREM", key, ...some(draw)]],
    [4, () => ["SISMEMBER", key, member(draw)]],
    [3, () => ["SMISMEMBER", key, ...some(draw)]],
    [3, () => ["SCARD", key]],
    [3, () => ["SMEMBERS", key]],
    [6, () => ["SMOVE", key, draw.key(), member(draw)]],
    [5, () => [draw.pick(["SINTER", "SUNION", "SDIFF"]), ...keys(draw)]],
    [5, () => [draw.pick(["SINTERSTORE", "SUNIONSTORE", "SDIFFSTORE"]), key, ...keys(draw)]],
    [4, () => interCard(draw)],
    [2, () => ["SSCAN", key, "0", ...scanOptions(draw)]],
    [2, () => ["SRANDMEMBER", key, ...(draw.chance(70) ? [draw.pick(COUNTS)] : [])]],
    [2, () => ["SRANDMEMBER", key, "100000"]],
    [2, () => ["SPOP", key, draw.pick(["0", "100000", "9223372036854775807", "-1", "x", "9223372036854775808"])]],
    [1, () => ["COPY", key, draw.key(), "REPLACE"]],
    [1, () => ["RENAME", key, draw.key()]],
    [1, () => ["SET", key, "v"]],
    [3, () => ["DEL", key]],
    [1, () => ["DEBUG", "DIGEST-VALUE", key]],
    [1, () => ["CONFIG", "SET", "set-max-intset-entries", draw.pick(["0", "3", "8", "512"])]],
  ]);
}

/** Random members: as many, unless one of the two is an error. */
const sameCount: Agreement = (theirs, ours) =>
  theirs[0] === "*" && theirs.startsWith("*0") === ours.startsWith("*0")
    ? theirs.slice(0, theirs.indexOf("\r")) === ours.slice(0, ours.indexOf("\r"))
    : sameKind(theirs, ours);

/** A scan's members in any order. */
const sameLines: Agreement = (theirs, ours) =>
  theirs.split("\r\n").sort().join("\r\n") === ours.split("\r\n").sort().join("\r\n");

export const generator: Generator = {
  family: "set",
  draw(draw): Command {
    const args = command(draw);
    args[0] = draw.token(args[0]!);
    // A spoiled SPOP would take random members, a spoiled SRANDMEMBER might want billions, and a spoiled setting is another family's.
    const spoilable = !/^(spop|srandmember|config)$/i.test(args[0]);
    return spoilable && draw.chance(6) ? spoil(draw, args) : args;
  },
  agree: {
    SMEMBERS: sameElements,
    SINTER: sameElements,
    SUNION: sameElements,
    SDIFF: sameElements,
    SSCAN: sameLines,
    SRANDMEMBER: sameCount,
    SPOP: sameElements,
  },
  probes: () =>
    KEYS.flatMap((key) => [
      ["SMEMBERS", key],
      ["SCARD", key],
      ["DEBUG", "DIGEST-VALUE", key],
    ]),
  known: [
    {
      reason: "a cursor with a space before it is one since 7.4",
      matches: (args, theirs) =>
        args[0]?.toUpperCase() === "SSCAN" && /^\s/.test(args[2] ?? "") && theirs === "-ERR invalid cursor\r\n",
    },
    {
      reason:
        "small sets are listpacks since 7.2: all of one comes at once, whatever the cursor; 7.0 has a table, and goes on in its middle",
      matches: (args, theirs, ours) =>
        args[0]?.toUpperCase() === "SSCAN" && !/^[+-]?0*$/.test(args[2] ?? "") && theirs[0] === "*" && ours[0] === "*",
    },
    {
      reason: "redis-server 7.0 reads a negative cursor as a large one; later versions refuse it",
      matches: (args, _theirs, ours) => args[0]?.toUpperCase() === "SSCAN" && ours === "-ERR invalid cursor\r\n",
    },
  ],
};
