// Commands on keys of any type, expiry, and whole databases, over several databases. Times to live are absolute and far, past, or long: nothing expires while
// a run lasts, except at once.

import { type Draw, JUNK, KEYS, spoil } from "../draw.ts";
import { type Agreement, type Command, type Generator, sameElements, sameKind, within } from "../generator.ts";

const FAR_MS = 4_000_000_000_000;
/** Databases that are used, and numbers that are none. */
const DATABASES = ["0", "1", "2", "15"];
const WRONG_DATABASES = ["16", "-1", "2147483648", "-2147483649", "9223372036854775808", "x", ""];
const PATTERNS = ["*", "?", "[a-c]", "key*", "k*", "[^a]", "*\xff*", "", "a", "\\a", "[", "*k*k*"];
/** More than there are keys, so that one call sees them all. */
const ALL = "1000";

/** SCAN's replies hold the same keys in any order; the cursors of a complete scan are 0. */
const sameScan: Agreement = (theirs, ours) => {
  const keysOf = (raw: string): string | null => {
    const match = /^\*2\r\n(\$1\r\n0\r\n)(\*\d+\r\n)(.*)$/s.exec(raw);
    return match === null
      ? null
      : `${match[2]}${match[3]
          .split(/(?=\$\d+\r\n)/)
          .sort()
          .join("")}`;
  };
  const [a, b] = [keysOf(theirs), keysOf(ours)];
  return a === null || b === null ? theirs === ours : a === b;
};

function database(draw: Draw): string {
  return draw.chance(85) ? draw.pick(DATABASES) : draw.pick(WRONG_DATABASES);
}

function conditions(draw: Draw): string[] {
  return draw.times(draw.pick([0, 0, 1, 1, 1, 2, 3]), () =>
    draw.token(draw.chance(95) ? draw.pick(["NX", "XX", "GT", "LT"]) : draw.pick(["AB", "EX", ""])),
  );
}

/** One of the commands that set an expiry, with a time that is far, past, at an edge or wrong. */
function expire(draw: Draw): string[] {
  const key = draw.key();
  const edges = [
    "0",
    "-1",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "9223372036854770000",
  ];
  const [name, times] = draw.pick<readonly [string, readonly string[]]>([
    ["EXPIRE", ["1000", "100000", "-10", "9223372036854775", "9223372036854776", "-9223372036854776"]],
    ["PEXPIRE", ["1000000", "123456789", "-10", "9007199254740993"]],
    ["EXPIREAT", [String(FAR_MS / 1000), String(FAR_MS / 1000 + 7), "1", "9223372036854775", "9223372036854776"]],
    ["PEXPIREAT", [String(FAR_MS), String(FAR_MS + 7), "1", "9007199254740993", "9007199254740992"]],
  ]);
  const time = draw.weighted<string>([
    [8, () => draw.pick(times)],
    [2, () => draw.pick(edges)],
    [1, () => draw.pick(JUNK)],
  ]);
  return [name, key, time, ...conditions(draw)];
}

function scan(draw: Draw): string[] {
  const options = draw.times(draw.pick([0, 0, 1, 2]), () =>
    draw.weighted<string[]>([
      [4, () => [draw.token("MATCH"), draw.pick(PATTERNS)]],
      [3, () => [draw.token("TYPE"), draw.token(draw.pick(["string", "list", "zset", "hash", "stream"]))]],
      [1, () => [draw.token("COUNT"), draw.pick(["0", "-1", "x", "9223372036854775808"])]],
      [1, () => [draw.token(draw.pick(["MATCH", "COUNT", "frob"]))]],
    ]),
  );
  const cursor = draw.chance(90) ? "0" : draw.pick(["x", "1x", "99999999999999999999999"]);
  return ["SCAN", cursor, draw.token("COUNT"), ALL, ...options.flat()];
}

function copy(draw: Draw): string[] {
  const options = draw.times(draw.pick([0, 0, 1, 1, 2]), () =>
    draw.weighted<string[]>([
      [3, () => [draw.token("REPLACE")]],
      [4, () => [draw.token("DB"), database(draw)]],
      [1, () => [draw.token(draw.pick(["DB", "frob"]))]],
    ]),
  );
  return ["COPY", draw.key(), draw.key(), ...options.flat()];
}

function someKeys(draw: Draw): string[] {
  return draw.times(draw.between(1, 4), () => draw.key());
}

function command(draw: Draw): string[] {
  const key = draw.key();
  return draw.weighted<string[]>([
    [14, () => ["SET", key, draw.value()]],
    [3, () => ["SET", key, draw.value(), "PXAT", String(FAR_MS + draw.below(3))]],
    [2, () => ["APPEND", key, draw.bytes(20)]],
    [1, () => ["INCR", key]],
    [12, () => expire(draw)],
    [8, () => [draw.pick(["TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME"]), key]],
    [3, () => ["PERSIST", key]],
    [4, () => [draw.pick(["DEL", "UNLINK"]), ...someKeys(draw)]],
    [3, () => [draw.pick(["EXISTS", "TOUCH"]), ...someKeys(draw)]],
    [2, () => ["TYPE", key]],
    [6, () => [draw.pick(["RENAME", "RENAMENX"]), key, draw.key()]],
    [6, () => copy(draw)],
    [5, () => ["MOVE", key, database(draw)]],
    [5, () => ["OBJECT", draw.token(draw.pick(["ENCODING", "ENCODING", "REFCOUNT", "FREQ", "IDLETIME", "frob"])), key]],
    [4, () => scan(draw)],
    [4, () => ["KEYS", draw.pick(PATTERNS)]],
    [1, () => ["RANDOMKEY"]],
    [3, () => ["DBSIZE"]],
    [4, () => ["SELECT", draw.pick(DATABASES)]],
    [2, () => ["SWAPDB", database(draw), database(draw)]],
    [1, () => [draw.pick(["FLUSHDB", "FLUSHDB", "FLUSHALL"]), ...draw.pick([[], ["ASYNC"], ["sync"], ["frob"]])]],
  ]);
}

export const generator: Generator = {
  family: "generic",
  draw(draw): Command {
    const args = command(draw);
    args[0] = draw.token(args[0]!);
    // A spoilt SCAN could return less than everything, or ask for what only later versions refuse.
    return args[0].toUpperCase() !== "SCAN" && draw.chance(5) ? spoil(draw, args) : args;
  },
  agree: {
    TTL: within(2),
    PTTL: within(5000),
    EXPIRETIME: within(2),
    PEXPIRETIME: within(5000),
    KEYS: sameElements,
    SCAN: sameScan,
    RANDOMKEY: sameKind,
  },
  known: [
    {
      reason: "SET to a time long past makes no key, as in Valkey; in Redis it is there until somebody looks",
      matches: (args, theirs, ours) =>
        args[0]?.toUpperCase() === "DBSIZE" && Number(theirs.slice(1)) > Number(ours.slice(1)),
    },
    {
      reason: "small integers share one object in redis-server, which nobody may have asked for in a while",
      matches: (args, theirs, ours) =>
        args[1]?.toUpperCase() === "IDLETIME" && /^:\d+\r\n$/.test(theirs) && /^:\d+\r\n$/.test(ours),
    },
    {
      reason:
        "We share no objects: the count is made up from the value. Redis' COPY makes an object of its own of a small integer.",
      matches: (args, theirs, ours) =>
        args[1]?.toUpperCase() === "REFCOUNT" && theirs === ":1\r\n" && ours === ":2147483647\r\n",
    },
  ],
  probes: () =>
    DATABASES.flatMap((id) => [
      ["SELECT", id],
      ["DBSIZE"],
      ...KEYS.flatMap((key) => [
        ["GET", key],
        ["OBJECT", "ENCODING", key],
        ["PEXPIRETIME", key],
      ]),
    ]),
  absent: {
    "SCAN TYPE": "an unknown type is an error since 8.0; 7.0 finds nothing",
    "SCAN -1":
      "a negative cursor, and an empty one, are errors since 7.4; one with a space before it is none since then",
    "SCAN NOVALUES": "errors of their own since 7.4, with NOSCORES; a syntax error in 7.0",
  },
};
