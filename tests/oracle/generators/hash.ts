// The hash commands that redis-server 7.0 has, with limits of the small encoding that change on the way.

import { type Draw, KEYS, spoil } from "../draw.ts";
import { type Agreement, type Command, type Generator, sameElements, sameKind } from "../generator.ts";

/** Few fields, so that commands meet each other's results; some spell integers, some are long or binary. */
const FIELDS: readonly string[] = [
  "f",
  "g",
  "field:3",
  "",
  "0",
  "-1",
  "12345",
  "01",
  "9223372036854775807",
  "\x00\xff\r\n",
  "x".repeat(64),
  "x".repeat(65),
  "y".repeat(300),
];

/** Counts of HRANDFIELD; none is a very negative number, which would ask for as many fields. */
const COUNTS = [
  "0",
  "1",
  "-1",
  "3",
  "-7",
  "20",
  "-30",
  "1000",
  "9223372036854775807",
  "-9223372036854775808",
  "x",
  "1.5",
];

/** Where a scan of a table goes on depends on the table; random counts could be endless; settings are tested elsewhere. */
const UNSPOILT: ReadonlySet<string> = new Set(["HSCAN", "HRANDFIELD", "CONFIG"]);

function field(draw: Draw): string {
  return draw.chance(20) ? `n${draw.below(30)}` : draw.pick(FIELDS);
}

function pairs(draw: Draw): string[] {
  return draw.times(draw.pick([1, 1, 2, 3, 8]), () => [field(draw), draw.value()]).flat();
}

function some(draw: Draw): string[] {
  return draw.times(draw.between(1, 4), () => field(draw));
}

function scanOptions(draw: Draw): string[] {
  return draw.weighted<string[]>([
    [4, () => ["COUNT", "10000"]],
    [2, () => ["COUNT", "10000", draw.token("MATCH"), draw.pick(["*", "n*", "f", "[a-g]*", "?"])]],
    [1, () => [draw.pick(["COUNT", "MATCH", "TYPE"]), draw.pick(["0", "x", "-3"]), "COUNT", "10000"]],
  ]);
}

function command(draw: Draw): string[] {
  const key = draw.key();
  return draw.weighted<string[]>([
    [10, () => [draw.pick(["HSET", "HSET", "HMSET"]), key, ...pairs(draw)]],
    [6, () => ["HSET", key, field(draw), String(draw.between(-100, 100))]],
    [3, () => ["HSETNX", key, field(draw), draw.value()]],
    [5, () => ["HGET", key, field(draw)]],
    [3, () => ["HMGET", key, ...some(draw)]],
    [6, () => ["HDEL", key, ...some(draw)]],
    [3, () => ["HSTRLEN", key, field(draw)]],
    [3, () => ["HEXISTS", key, field(draw)]],
    [3, () => ["HLEN", key]],
    [3, () => ["HGETALL", key]],
    [2, () => [draw.pick(["HKEYS", "HVALS"]), key]],
    [5, () => ["HINCRBY", key, field(draw), draw.integer()]],
    [6, () => ["HINCRBYFLOAT", key, field(draw), draw.float()]],
    [2, () => ["HSCAN", key, "0", ...scanOptions(draw)]],
    [2, () => ["HRANDFIELD", key, ...(draw.chance(70) ? [draw.pick(COUNTS)] : [])]],
    [2, () => ["HRANDFIELD", key, "1000", draw.token("WITHVALUES")]],
    [4, () => ["OBJECT", "ENCODING", key]],
    [1, () => ["COPY", key, draw.key(), "REPLACE"]],
    [1, () => ["RENAME", key, draw.key()]],
    [1, () => ["SET", key, "v"]],
    [2, () => ["DEL", key]],
    [1, () => ["DEBUG", "DIGEST-VALUE", key]],
    [1, () => ["CONFIG", "SET", "hash-max-listpack-entries", draw.pick(["0", "3", "8", "100"])]],
    [1, () => ["CONFIG", "SET", "hash-max-listpack-value", draw.pick(["1", "20", "64"])]],
  ]);
}

/** The same lines in any order: for replies of pairs, nested or not. */
const sameLines: Agreement = (theirs, ours) =>
  theirs.split("\r\n").sort().join("\r\n") === ours.split("\r\n").sort().join("\r\n");

/** Random fields: as many, unless one of the two is an error. */
const sameCount: Agreement = (theirs, ours) =>
  theirs[0] === "*" && theirs.startsWith("*0") === ours.startsWith("*0")
    ? theirs.slice(0, theirs.indexOf("\r")) === ours.slice(0, ours.indexOf("\r"))
    : sameKind(theirs, ours);

export const generator: Generator = {
  family: "hash",
  draw(draw): Command {
    const args = command(draw);
    const spoilt = !UNSPOILT.has(args[0]!) && draw.chance(6);
    args[0] = draw.token(args[0]!);
    return spoilt ? spoil(draw, args) : args;
  },
  agree: { HGETALL: sameLines, HKEYS: sameElements, HVALS: sameElements, HSCAN: sameLines, HRANDFIELD: sameCount },
  probes: () =>
    KEYS.flatMap((key) => [
      ["HGETALL", key],
      ["OBJECT", "ENCODING", key],
      ["HLEN", key],
      ["DEBUG", "DIGEST-VALUE", key],
    ]),
  absent: {
    HEXPIRE: "since 7.4, as HPEXPIRE, HEXPIREAT and HPEXPIREAT",
    HTTL: "since 7.4, as HPTTL, HEXPIRETIME and HPEXPIRETIME",
    HPERSIST: "since 7.4",
    "HSCAN NOVALUES": "since 7.4",
    HGETDEL: "since 8.0",
    HGETEX: "since 8.0",
    HSETEX: "since 8.0",
  },
};
