// The commands of streams that redis-server 7.0 has, with small ids, so that commands meet each other's entries, and with blocks of changing sizes.

import { type Draw, KEYS, spoil } from "../draw.ts";
import type { Agreement, Command, Generator } from "../generator.ts";

const GROUPS = ["g", "h", "", "g\x00\xff"];
const CONSUMERS = ["alice", "bob", "", "c\x00\r\n"];

/** Ids at the edges of numbers and of parsers. */
const EDGE_IDS = [
  "0",
  "0-0",
  "0-1",
  "18446744073709551615-18446744073709551615",
  "18446744073709551615",
  "18446744073709551615-0",
  "18446744073709551614-18446744073709551615",
  "9223372036854775808-9223372036854775808",
  "9007199254740993-9007199254740993",
  "18446744073709551616-1",
  "1-18446744073709551616",
  "01-001",
  " 5-1",
  "5 -1",
  "+5-1",
  "5-+1",
  "5--1",
  "5--01",
  "-",
  "+",
  "-5",
  "5-",
  "-1-1",
  "5-*",
  "*-5",
  "1-1-1",
  "",
  "x",
  "1.5-1",
  "4294967296-4294967296",
  "$",
  ">",
  "1".repeat(128),
  "5-1\x00x",
];

/** Few fields and values; some spell integers, some are long or binary. */
const FIELDS = ["f", "g", "", "12", "-4096", "x".repeat(70), "\x00\xff\r\n"];
const VALUES = [
  "v",
  "",
  "0",
  "127",
  "128",
  "-1",
  "4095",
  "4096",
  "-8388609",
  "9223372036854775807",
  "01",
  "y".repeat(300),
];

function smallId(draw: Draw): string {
  const ms = draw.between(0, 40);
  return draw.chance(40) ? String(ms) : `${ms}-${draw.below(4)}`;
}

function id(draw: Draw): string {
  return draw.chance(92) ? smallId(draw) : draw.pick(EDGE_IDS);
}

/** An id for a new entry: mostly one that grows with the run, whatever was drawn before. */
function newId(draw: Draw): string {
  return draw.weighted<string>([
    [8, () => `${draw.between(1, 40)}-*`],
    [5, () => smallId(draw)],
    [2, () => `${draw.between(41, 60)}-*`],
    [1, () => draw.pick(EDGE_IDS)],
  ]);
}

function bound(draw: Draw): string {
  return draw.weighted<string>([
    [5, () => id(draw)],
    [2, () => `(${id(draw)}`],
    [4, () => draw.pick(["-", "+"])],
    [1, () => draw.pick(["(-", "(+", "(", "((1", "(0-0", "(18446744073709551615-18446744073709551615"])],
  ]);
}

function ids(draw: Draw): string[] {
  return draw.times(draw.pick([1, 1, 2, 3, 9]), () => id(draw));
}

function pairs(draw: Draw): string[] {
  if (draw.chance(50)) return ["f", draw.pick(VALUES), "g", draw.pick(VALUES)];
  return draw.times(draw.between(1, 3), () => [draw.pick(FIELDS), draw.pick(VALUES)]).flat();
}

function count(draw: Draw): string {
  return draw.pick(["0", "1", "2", "5", "100", "-1", "-100", "x", "9223372036854775807"]);
}

function trim(draw: Draw): string[] {
  const sign = draw.pick([[], [], ["="], ["~"], ["~"]]);
  const limit = draw.chance(sign[0] === "~" ? 50 : 6)
    ? [draw.token("LIMIT"), draw.pick(["0", "1", "3", "10", "-1", "x"])]
    : [];
  return draw.chance(60)
    ? [draw.token("MAXLEN"), ...sign, draw.pick(["0", "1", "3", "8", "20", "-1", "x"]), ...limit]
    : [draw.token("MINID"), ...sign, id(draw), ...limit];
}

function add(draw: Draw, key: string): string[] {
  const options = draw.weighted<string[]>([
    [10, () => []],
    [3, () => trim(draw)],
    [1, () => [draw.token("NOMKSTREAM")]],
    [1, () => [...trim(draw), draw.token("NOMKSTREAM"), ...trim(draw)]],
  ]);
  return ["XADD", key, ...options, newId(draw), ...pairs(draw)];
}

function countOption(draw: Draw): string[] {
  return draw.chance(40) ? [draw.token("COUNT"), count(draw)] : [];
}

function readOptions(draw: Draw): string[] {
  return [...countOption(draw), ...(draw.chance(8) ? ["BLOCK", draw.pick(["1", "1", "x", "-1"])] : [])];
}

function streams(draw: Draw, ofId: () => string): string[] {
  const keys = draw.times(draw.pick([1, 1, 1, 2, 3]), () => draw.key());
  const last = keys.map(ofId);
  if (draw.chance(4)) last.pop();
  return [draw.token("STREAMS"), ...keys, ...last];
}

function group(draw: Draw): string {
  return draw.chance(80) ? GROUPS[0]! : draw.pick(GROUPS);
}

function consumer(draw: Draw): string {
  return draw.chance(80) ? draw.pick(CONSUMERS.slice(0, 2)) : draw.pick(CONSUMERS);
}

function groups(draw: Draw, key: string): string[] {
  const read = draw.chance(15) ? [draw.token("ENTRIESREAD"), draw.pick(["0", "1", "5", "-1", "-2", "x"])] : [];
  return draw.weighted<string[]>([
    [
      5,
      () => [
        "XGROUP",
        "CREATE",
        key,
        group(draw),
        draw.pick(["$", "0", "0", id(draw)]),
        ...(draw.chance(40) ? ["MKSTREAM"] : []),
        ...read,
      ],
    ],
    [2, () => ["XGROUP", draw.token("SETID"), key, group(draw), draw.pick(["$", "0", "-", "+", id(draw)]), ...read]],
    [1, () => ["XGROUP", draw.token("DESTROY"), key, group(draw)]],
    [2, () => ["XGROUP", draw.token("CREATECONSUMER"), key, group(draw), consumer(draw)]],
    [1, () => ["XGROUP", draw.token("DELCONSUMER"), key, group(draw), consumer(draw)]],
  ]);
}

/** Times of deliveries that do not depend on when a run takes place: long ago. */
function claim(draw: Draw, key: string): string[] {
  const options = draw
    .times(draw.below(3), () =>
      draw.pick([
        ["FORCE"],
        ["FORCE"],
        ["JUSTID"],
        ["RETRYCOUNT", draw.pick(["0", "7", "-1", "x"])],
        ["TIME", draw.pick(["1000", "1500000000000", "x"])],
        ["LASTID", id(draw)],
        ["BOGUS"],
      ]),
    )
    .flat();
  return [
    "XCLAIM",
    key,
    group(draw),
    consumer(draw),
    draw.pick(["0", "0", "100000000", "-1", "x"]),
    ...ids(draw),
    ...options,
  ];
}

function pending(draw: Draw, key: string): string[] {
  if (draw.chance(30)) return ["XPENDING", key, group(draw)];
  const idle = draw.chance(25) ? ["IDLE", draw.pick(["0", "100000000", "x"])] : [];
  const of = draw.chance(40) ? [consumer(draw)] : [];
  return ["XPENDING", key, group(draw), ...idle, bound(draw), bound(draw), count(draw), ...of];
}

function command(draw: Draw): string[] {
  const key = draw.key();
  return draw.weighted<string[]>([
    [34, () => add(draw, key)],
    [4, () => ["XTRIM", key, ...trim(draw)]],
    [6, () => ["XDEL", key, ...ids(draw)]],
    [2, () => ["XLEN", key]],
    [8, () => ["XRANGE", key, bound(draw), bound(draw), ...countOption(draw)]],
    [6, () => ["XREVRANGE", key, bound(draw), bound(draw), ...countOption(draw)]],
    [6, () => ["XREAD", ...readOptions(draw), ...streams(draw, () => draw.pick([id(draw), "0", "$"]))]],
    [10, () => groups(draw, key)],
    [
      16,
      () => [
        "XREADGROUP",
        draw.token("GROUP"),
        group(draw),
        consumer(draw),
        ...readOptions(draw),
        ...(draw.chance(15) ? [draw.token("NOACK")] : []),
        ...streams(draw, () => draw.pick([">", ">", ">", "0", id(draw)])),
      ],
    ],
    [6, () => ["XACK", key, group(draw), ...ids(draw)]],
    [6, () => claim(draw, key)],
    [
      4,
      () => [
        "XAUTOCLAIM",
        key,
        group(draw),
        consumer(draw),
        draw.pick(["0", "0", "100000000", "x"]),
        bound(draw),
        ...(draw.chance(50) ? ["COUNT", draw.pick(["1", "2", "5", "0", "x"])] : []),
        ...(draw.chance(30) ? ["JUSTID"] : []),
      ],
    ],
    [6, () => pending(draw, key)],
    [
      2,
      () => [
        "XSETID",
        key,
        draw.pick(["70-0", "70-0", "80-5", "-", "x"]),
        ...(draw.chance(30) ? ["ENTRIESADDED", draw.pick(["0", "5", "1000", "9223372036854775807", "-1", "x"])] : []),
        ...(draw.chance(30) ? ["MAXDELETEDID", id(draw)] : []),
      ],
    ],
    [
      4,
      () => [
        "XINFO",
        "STREAM",
        key,
        ...(draw.chance(50) ? ["FULL", ...(draw.chance(50) ? ["COUNT", count(draw)] : [])] : []),
      ],
    ],
    [3, () => ["XINFO", "GROUPS", key]],
    [3, () => ["XINFO", "CONSUMERS", key, group(draw)]],
    [1, () => ["OBJECT", "ENCODING", key]],
    [1, () => ["COPY", key, draw.key(), "REPLACE"]],
    [1, () => ["RENAME", key, draw.key()]],
    [1, () => ["SET", key, "v"]],
    [5, () => ["DEL", key]],
    [2, () => ["CONFIG", "SET", "stream-node-max-entries", draw.pick(["0", "1", "3", "10", "100"])]],
    [1, () => ["CONFIG", "SET", "stream-node-max-bytes", draw.pick(["0", "100", "4096"])]],
  ]);
}

/**
 * A consumer without pending entries, in both forms of XINFO: since 7.2 a command that reads or claims makes its consumer even if there is nothing for it.
 */
const IDLE_CONSUMER =
  /\$4\r\nname\r\n\$\d+\r\n[^$]{0,5}\r\n(\$7\r\npending\r\n:0\r\n\$4\r\nidle\r\n|\$9\r\nseen-time\r\n\$9\r\npel-count\r\n:0\r\n\$7\r\npending\r\n)/g;

/** What depends on the time of day, and what is counted in another way since 7.2 or comes of another tree. */
function withoutTimes(reply: string): string {
  return reply
    .replace(/\$8\r\ninactive\r\n:-?\d+\r\n|\$11\r\nactive-time\r\n:-?\d+\r\n/g, "")
    .replace(/(idle|seen-time|radix-tree-nodes|lag|entries-read)\r\n(:-?\d+|\$-1|_)\r\n/g, "$1\r\n")
    .replace(/:1\d{12}\r\n/g, ":T\r\n")
    .replace(/[*%]\d+\r\n/g, "")
    .replace(/consumers\r\n:\d+/g, "consumers")
    .replace(IDLE_CONSUMER, "");
}

const sameState: Agreement = (theirs, ours) => withoutTimes(theirs) === withoutTimes(ours);

/** Pending entries but for their idle times, which stand before the numbers of deliveries. */
const samePending: Agreement = (theirs, ours) => withoutIdle(theirs) === withoutIdle(ours);

function withoutIdle(reply: string): string {
  return reply.replace(/:\d+\r\n(:\d+\r\n)/g, ":idle\r\n$1");
}

/** Equal, or both a number: a consumer may be new to one of the two. */
const sameOrNumber: Agreement = (theirs, ours) =>
  theirs === ours || (/^:[01]\r\n$/.test(theirs) && /^:[01]\r\n$/.test(ours));

export const generator: Generator = {
  family: "stream",
  draw(draw): Command {
    const args = command(draw);
    args[0] = draw.token(args[0]!);
    // A spoiled reading command might wait for ever, and a spoiled setting is another family's.
    const spoilable = !/^(xread|xreadgroup|config)$/i.test(args[0]);
    return spoilable && draw.chance(6) ? spoil(draw, args) : args;
  },
  agree: { XGROUP: sameOrNumber, XINFO: sameState, XPENDING: samePending },
  probes: () =>
    KEYS.flatMap((key) => [
      ["XRANGE", key, "-", "+"],
      ["XREVRANGE", key, "+", "-"],
      ["XINFO", "STREAM", key, "FULL", "COUNT", "0"],
      ["XINFO", "GROUPS", key],
      ["XPENDING", key, "g", "-", "+", "1000"],
    ]),
  absent: {
    XDELEX: "since 8.2",
    XACKDEL: "since 8.2",
    KEEPREF: "since 8.2",
    DELREF: "since 8.2",
    ACKED: "since 8.2",
    CLAIM: "since 8.4",
  },
  known: [
    {
      reason: "7.0 has the error of some command before when a millisecond has no sequence number left",
      matches: (args, theirs, ours) =>
        /^xadd$/i.test(args[0]!) && theirs.includes("Elements are too large") && ours.includes("equal or smaller"),
    },
    {
      reason: "a COUNT of any size needs no memory here",
      matches: (args, theirs) => /^xautoclaim$/i.test(args[0]!) && theirs.startsWith("-ERR Insufficient memory"),
    },
    {
      reason: "XREAD knows the last entry, and XREADGROUP says so, since 7.4",
      matches: (args, theirs) =>
        /^xread/i.test(args[0]!) && args.includes("+") && theirs.startsWith("-ERR Invalid stream ID"),
    },
    {
      reason: "XSETID looks at the greatest deleted id, too, since 7.2, and does so first",
      matches: (args, theirs, ours) =>
        /^xsetid$/i.test(args[0]!) && theirs.startsWith("-ERR The ID") && ours.startsWith("-ERR The ID"),
    },
    {
      reason: "the text about unbalanced lists of streams is another one since 7.4",
      matches: (_args, theirs, ours) => theirs.startsWith("-ERR Unbalanced ") && ours.startsWith("-ERR Unbalanced "),
    },
  ],
};
