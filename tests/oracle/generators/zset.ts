// The commands of sorted sets that redis-server 7.0 has, with limits of the small encoding that change on the way.

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
  "-2147483649",
  "01",
  "9223372036854775807",
  "9223372036854775808",
  "\x00\xff\r\n",
  "x".repeat(64),
  "x".repeat(65),
  "y".repeat(300),
];

/** Scores at the edges of the forms in which they are stored and printed. */
const SCORES: readonly string[] = [
  "0",
  "-0",
  "0.1",
  "-0.5",
  "1.5",
  "3.0e2",
  "1e17",
  "1e19",
  "1e22",
  "9007199254740993",
  "4611686018427387904",
  "-9223372036854775808",
  "1e300",
  "-1e300",
  "2.5e-7",
  "5e-324",
  "inf",
  "-inf",
  "+inf",
  "0x10",
  "nan",
  "x",
  "",
];

/** Counts of ZRANDMEMBER; none is a very negative number, which would ask for as many members. */
const COUNTS = ["0", "1", "-1", "3", "-7", "20", "1000", "9223372036854775807", "-9223372036854775808", "x", "1.5"];

/** All members of these keys have the same score, so that ranges of names make sense; only ZADD with score 0, ZREM and the like are sent to them. */
const NAMED = ["names", "long names"];

function member(draw: Draw): string {
  if (draw.chance(40)) return String(draw.between(-5, 25));
  return draw.chance(20) ? `n${draw.below(30)}` : draw.pick(MEMBERS);
}

function members(draw: Draw): string[] {
  return draw.times(draw.pick([1, 1, 2, 3, 8, 20]), () => member(draw));
}

function score(draw: Draw): string {
  if (draw.chance(65)) return String(draw.between(-5, 5));
  return draw.chance(50) ? draw.pick(SCORES) : String(draw.between(-10_000, 10_000) / 100);
}

function limit(draw: Draw): string {
  return draw.weighted<string>([
    [4, () => score(draw)],
    [3, () => `(${score(draw)}`],
    [3, () => draw.pick(["-inf", "+inf", "inf", "(-inf", "(inf"])],
    [1, () => draw.pick(["", "(", "x", "(x", "1.5x", " 1", "nan"])],
  ]);
}

function name(draw: Draw): string {
  return draw.weighted<string>([
    [4, () => `[${member(draw)}`],
    [4, () => `(${member(draw)}`],
    [4, () => draw.pick(["-", "+"])],
    [1, () => draw.pick(["", "x", "++", "-x", "[", "("])],
  ]);
}

function rank(draw: Draw): string {
  return draw.chance(85) ? String(draw.between(-12, 12)) : draw.integer();
}

function add(draw: Draw, key: string): string[] {
  const options = draw.chance(70)
    ? []
    : draw.times(draw.between(1, 2), () => draw.token(draw.pick(["NX", "XX", "CH", "GT", "LT", "INCR"])));
  const count = options.some((option) => /incr/i.test(option)) && draw.chance(90) ? 1 : draw.pick([1, 1, 2, 3, 9]);
  return ["ZADD", key, ...options, ...draw.times(count, () => [score(draw), member(draw)]).flat()];
}

/** LIMIT with an offset that is not negative: that means other things in later versions. */
function limitOption(draw: Draw): string[] {
  return draw.chance(60)
    ? []
    : [draw.token("LIMIT"), draw.pick(["0", "1", "2", "5", "x"]), draw.pick(["0", "1", "3", "-1", "-5", "100", "x"])];
}

function scoresOption(draw: Draw): string[] {
  return draw.chance(50) ? [draw.token("WITHSCORES")] : [];
}

function range(draw: Draw, key: string): string[] {
  return draw.weighted<string[]>([
    [3, () => ["ZRANGE", key, rank(draw), rank(draw), ...scoresOption(draw), ...(draw.chance(30) ? ["REV"] : [])]],
    [2, () => ["ZREVRANGE", key, rank(draw), rank(draw), ...scoresOption(draw)]],
    [3, () => ["ZRANGEBYSCORE", key, limit(draw), limit(draw), ...scoresOption(draw), ...limitOption(draw)]],
    [3, () => ["ZREVRANGEBYSCORE", key, limit(draw), limit(draw), ...scoresOption(draw), ...limitOption(draw)]],
    [3, () => ["ZRANGE", key, limit(draw), limit(draw), "BYSCORE", ...limitOption(draw), ...scoresOption(draw)]],
    [2, () => ["ZRANGE", key, limit(draw), limit(draw), "REV", draw.token("byscore"), ...limitOption(draw)]],
    [2, () => ["ZCOUNT", key, limit(draw), limit(draw)]],
    [2, () => ["ZRANGESTORE", draw.key(), key, rank(draw), rank(draw), ...(draw.chance(30) ? ["REV"] : [])]],
    [2, () => ["ZRANGESTORE", draw.key(), key, limit(draw), limit(draw), "BYSCORE", ...limitOption(draw)]],
    [
      1,
      () => [
        "ZRANGE",
        key,
        "0",
        "-1",
        draw.pick(["BYLEX", "BYSCORE", "REV", "LIMIT", "WITHSCORES"]),
        "LIMIT",
        "0",
        "1",
      ],
    ],
  ]);
}

function named(draw: Draw): string[] {
  const key = draw.pick(NAMED);
  return draw.weighted<string[]>([
    [6, () => ["ZADD", key, ...members(draw).flatMap((m) => ["0", m])]],
    [2, () => ["ZREM", key, ...members(draw)]],
    [3, () => ["ZRANGEBYLEX", key, name(draw), name(draw), ...limitOption(draw)]],
    [3, () => ["ZREVRANGEBYLEX", key, name(draw), name(draw), ...limitOption(draw)]],
    [
      3,
      () => ["ZRANGE", key, name(draw), name(draw), "BYLEX", ...limitOption(draw), ...(draw.chance(40) ? ["REV"] : [])],
    ],
    [3, () => ["ZLEXCOUNT", key, name(draw), name(draw)]],
    [2, () => ["ZREMRANGEBYLEX", key, name(draw), name(draw)]],
    [2, () => ["ZRANGESTORE", draw.key(), key, name(draw), name(draw), "BYLEX", ...limitOption(draw)]],
  ]);
}

function keys(draw: Draw): string[] {
  return draw.times(draw.between(1, 4), () => draw.key());
}

function mixing(draw: Draw, of: readonly string[]): string[] {
  const weights = draw.chance(30) ? [draw.token("WEIGHTS"), ...of.map(() => score(draw))] : [];
  const aggregate = draw.chance(40)
    ? [draw.token("AGGREGATE"), draw.token(draw.pick(["SUM", "MIN", "MAX", "AVG"]))]
    : [];
  return [...weights, ...aggregate];
}

function algebra(draw: Draw): string[] {
  const of = keys(draw);
  const count = draw.chance(90) ? String(of.length) : draw.pick(["0", "-1", "9", "x", "1"]);
  return draw.weighted<string[]>([
    [2, () => ["ZUNION", count, ...of, ...mixing(draw, of), ...scoresOption(draw)]],
    [2, () => ["ZINTER", count, ...of, ...mixing(draw, of), ...scoresOption(draw)]],
    [2, () => ["ZDIFF", count, ...of, ...scoresOption(draw)]],
    [2, () => ["ZUNIONSTORE", draw.key(), count, ...of, ...mixing(draw, of)]],
    [2, () => ["ZINTERSTORE", draw.key(), count, ...of, ...mixing(draw, of)]],
    [2, () => ["ZDIFFSTORE", draw.key(), count, ...of]],
    [
      2,
      () => ["ZINTERCARD", count, ...of, ...(draw.chance(40) ? ["LIMIT", draw.pick(["0", "1", "3", "-1", "x"])] : [])],
    ],
  ]);
}

function pop(draw: Draw, key: string): string[] {
  const of = keys(draw);
  const count = draw.pick(["0", "1", "2", "5", "100", "-1", "x"]);
  return draw.weighted<string[]>([
    [3, () => [draw.pick(["ZPOPMIN", "ZPOPMAX"]), key, ...(draw.chance(50) ? [count] : [])]],
    [
      2,
      () => [
        "ZMPOP",
        String(of.length),
        ...of,
        draw.token(draw.pick(["MIN", "MAX"])),
        ...(draw.chance(50) ? ["COUNT", count] : []),
      ],
    ],
    [1, () => [draw.pick(["BZPOPMIN", "BZPOPMAX"]), ...of, draw.pick(["0.001", "x", "-1"])]],
    [
      1,
      () => [
        "BZMPOP",
        draw.pick(["0.001", "x"]),
        String(of.length),
        ...of,
        "MAX",
        ...(draw.chance(50) ? ["COUNT", count] : []),
      ],
    ],
  ]);
}

function command(draw: Draw): string[] {
  const key = draw.key();
  return draw.weighted<string[]>([
    [22, () => add(draw, key)],
    [5, () => ["ZINCRBY", key, score(draw), member(draw)]],
    [5, () => ["ZREM", key, ...members(draw)]],
    [3, () => ["ZSCORE", key, member(draw)]],
    [3, () => ["ZMSCORE", key, ...members(draw)]],
    [2, () => ["ZCARD", key]],
    [6, () => [draw.pick(["ZRANK", "ZREVRANK"]), key, member(draw)]],
    [14, () => range(draw, key)],
    [12, () => named(draw)],
    [10, () => algebra(draw)],
    [5, () => pop(draw, key)],
    [2, () => ["ZREMRANGEBYRANK", key, rank(draw), rank(draw)]],
    [2, () => ["ZREMRANGEBYSCORE", key, limit(draw), limit(draw)]],
    [
      2,
      () => ["ZSCAN", key, "0", "COUNT", "10000", ...(draw.chance(40) ? ["MATCH", draw.pick(["n*", "1?", "?"])] : [])],
    ],
    [2, () => ["ZRANDMEMBER", key, ...(draw.chance(80) ? [draw.pick(COUNTS)] : []), ...scoresOption(draw)]],
    [1, () => ["ZRANDMEMBER", key, "100000"]],
    [1, () => ["OBJECT", "ENCODING", key]],
    [1, () => ["COPY", key, draw.key(), "REPLACE"]],
    [1, () => ["RENAME", key, draw.key()]],
    [1, () => ["SADD", key, ...members(draw)]],
    [1, () => ["SET", key, "v"]],
    [3, () => ["DEL", key]],
    [1, () => ["CONFIG", "SET", "zset-max-listpack-entries", draw.pick(["0", "3", "8", "128"])]],
    [1, () => ["CONFIG", "SET", "zset-max-listpack-value", draw.pick(["0", "2", "64"])]],
  ]);
}

/** A score line: of a bulk string, or of a RESP3 double. */
const NUMBER = /^,?-?\d+(\.\d+)?(e[+-]?\d+)?$/;

function isSameNumber(theirs: string | undefined, ours: string | undefined): boolean {
  if (theirs === undefined || ours === undefined || !NUMBER.test(theirs) || !NUMBER.test(ours)) return false;
  return Number(theirs.replace(",", "")) === Number(ours.replace(",", ""));
}

/** Equal but for the form of scores: 7.0 prints 17 digits, later versions as many as a number needs. */
const sameScores: Agreement = (theirs, ours) => {
  const theirLines = theirs.split("\r\n");
  const ourLines = ours.split("\r\n");
  if (theirLines.length !== ourLines.length) return false;
  return theirLines.every((line, i) => {
    const other = ourLines[i]!;
    if (line === other || isSameNumber(line, other)) return true;
    return line[0] === "$" && other[0] === "$" && isSameNumber(theirLines[i + 1], ourLines[i + 1]);
  });
};

/** Commands that answer scores. */
const SCORED =
  "ZADD ZINCRBY ZSCORE ZMSCORE ZRANGE ZREVRANGE ZRANGEBYSCORE ZREVRANGEBYSCORE ZPOPMIN ZPOPMAX ZMPOP BZPOPMIN BZPOPMAX BZMPOP ZUNION ZINTER ZDIFF";

/** Random members: as many, unless one of the two is an error. */
const sameCount: Agreement = (theirs, ours) =>
  theirs[0] === "*" && theirs.startsWith("*0") === ours.startsWith("*0")
    ? theirs.slice(0, theirs.indexOf("\r")) === ours.slice(0, ours.indexOf("\r"))
    : sameKind(theirs, ours);

/** A scan's members and scores in any order, scores as numbers. */
const sameLines: Agreement = (theirs, ours) => scanned(theirs) === scanned(ours);

function scanned(reply: string): string {
  const lines = reply.split("\r\n").filter((line) => line[0] !== "$");
  return lines
    .map((line) => (NUMBER.test(line) ? String(Number(line)) : line))
    .sort()
    .join("\r\n");
}

export const generator: Generator = {
  family: "zset",
  draw(draw): Command {
    const args = command(draw);
    args[0] = draw.token(args[0]!);
    // A spoiled ZRANDMEMBER might want billions, a spoiled waiting command would wait, and a spoiled setting is another family's.
    const spoilable = !/^(zrandmember|config|bz.*)$/i.test(args[0]) && !NAMED.includes(args[1]!);
    return spoilable && draw.chance(6) ? spoil(draw, args) : args;
  },
  agree: {
    ...Object.fromEntries(SCORED.split(" ").map((name) => [name, sameScores])),
    ZSCAN: sameLines,
    ZRANDMEMBER: sameCount,
    SMEMBERS: sameElements,
  },
  probes: () =>
    [...KEYS, ...NAMED].flatMap((key) => [
      ["ZRANGE", key, "0", "-1", "WITHSCORES"],
      ["ZCARD", key],
      ["OBJECT", "ENCODING", key],
    ]),
  absent: {
    WITHSCORE: "since 7.2",
    NOSCORES: "since 8.0",
  },
  known: [
    {
      reason: "ZRANK and ZREVRANK have a further argument since 7.2",
      matches: (args, theirs) => /^z(rev)?rank$/i.test(args[0]!) && theirs.startsWith("-ERR wrong number"),
    },
    {
      reason: "a cursor that no scan answered may lead anywhere",
      matches: (args) => /^zscan$/i.test(args[0]!) && args[2] !== "0",
    },
    {
      reason:
        "since 7.2 a ZADD that names more members than a listpack may have makes a table at once, even if they are there",
      matches: (args, theirs, ours) =>
        /^object$/i.test(args[0]!) && theirs.includes("listpack") && ours.includes("skiplist"),
    },
    {
      reason: "sets may be listpacks since 7.2",
      matches: (args, theirs, ours) =>
        /^object$/i.test(args[0]!) && theirs.includes("hashtable") && ours.includes("listpack"),
    },
  ],
};
