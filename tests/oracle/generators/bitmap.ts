// The bitmap commands. Offsets stay small, or are too far to be allowed: nothing makes a giant value.

import { type Draw, KEYS, spoil } from "../draw.ts";
import type { Command, Generator } from "../generator.ts";

function offset(draw: Draw): string {
  return draw.weighted([
    [8, () => String(draw.below(200))],
    [3, () => String(draw.below(30_000))],
    [2, () => draw.pick(["4294967296", "-1", "9223372036854775807", "9223372036854775808", "01", "x", "", "1.0"])],
  ]);
}

function position(draw: Draw): string {
  return draw.weighted([
    [6, () => String(draw.between(-70, 70))],
    [2, () => String(draw.between(-30_000, 30_000))],
    [1, () => draw.integer()],
  ]);
}

function unit(draw: Draw): string[] {
  return draw.chance(60) ? [draw.token(draw.pick(["BIT", "BYTE"]))] : [];
}

function range(draw: Draw): string[] {
  return draw.pick([0, 1, 1, 1]) === 0 ? [] : [position(draw), position(draw), ...unit(draw)];
}

function bitposRange(draw: Draw): string[] {
  return draw.chance(25) ? [position(draw)] : range(draw);
}

/** Runs of equal bytes with something at the ends: what BITPOS has to walk over. */
function bits(draw: Draw): string {
  const fill = draw.pick(["\x00", "\xff", "\x00", "\xff", "a"]);
  return draw.bytes(3) + fill.repeat(draw.below(80)) + draw.pick(["", "\x01", "\x7f", "\xfe", "\x80", "ab"]);
}

function bitop(draw: Draw): string[] {
  const op = draw.pick(["AND", "OR", "XOR", "NOT"]);
  const count = op === "NOT" ? draw.pick([1, 1, 1, 1, 2]) : draw.between(1, 5);
  return ["BITOP", draw.token(op), draw.key(), ...draw.times(count, () => draw.key())];
}

/** As an offset, these would make a value of 256 MB. */
const GIANT = /^#?(2147483647|2147483648|4294967295)$/;

const NUMBERS = [
  "0",
  "1",
  "-1",
  "7",
  "100",
  "-100",
  "255",
  "256",
  "-129",
  "65535",
  "2147483647",
  "-2147483648",
  "4294967295",
  "4503599627370496",
  "9007199254740991",
  "-9007199254740992",
  "9223372036854775807",
  "-9223372036854775808",
  "4611686018427387904",
];

function fieldType(draw: Draw): string {
  const signed = draw.chance(50);
  const width = draw.chance(50) ? draw.pick([1, 2, 7, 8, 16, 31, 32, 33, 52, 53, 63, 64]) : draw.between(1, 64);
  return draw.chance(97)
    ? `${signed ? "i" : "u"}${signed ? width : Math.min(width, 63)}`
    : draw.pick(["u64", "i65", "i0", "x8", "i", "u08", "u-1"]);
}

function fieldOffset(draw: Draw): string {
  const number = () =>
    draw.chance(95) ? draw.below(30) : draw.pick(["-1", "x", "", "4294967296", "9223372036854775807"]);
  return draw.chance(40) ? `#${number()}` : offset(draw);
}

function fieldOperation(draw: Draw): string[] {
  const value = () => (draw.chance(60) ? draw.pick(NUMBERS) : String(draw.between(-300, 300)));
  return draw.weighted<string[]>([
    [3, () => [draw.token("GET"), fieldType(draw), fieldOffset(draw)]],
    [3, () => [draw.token("SET"), fieldType(draw), fieldOffset(draw), value()]],
    [4, () => [draw.token("INCRBY"), fieldType(draw), fieldOffset(draw), value()]],
    [3, () => [draw.token("OVERFLOW"), draw.token(draw.pick(["WRAP", "SAT", "FAIL"]))]],
    [1, () => (draw.chance(10) ? ["OVERFLOW", "none"] : [])],
  ]);
}

function command(draw: Draw): string[] {
  const key = draw.key();
  return draw.weighted<string[]>([
    [6, () => ["SETBIT", key, offset(draw), draw.chance(95) ? draw.pick(["0", "1"]) : draw.integer()]],
    [3, () => ["GETBIT", key, offset(draw)]],
    [5, () => ["BITCOUNT", key, ...range(draw)]],
    [6, () => ["BITPOS", key, draw.chance(95) ? draw.pick(["0", "1"]) : draw.integer(), ...bitposRange(draw)]],
    [5, () => bitop(draw)],
    [9, () => ["BITFIELD", key, ...draw.times(draw.below(5), () => fieldOperation(draw)).flat()]],
    [
      2,
      () => [
        "BITFIELD_RO",
        key,
        ...draw.times(draw.below(4), () => [draw.token("GET"), fieldType(draw), fieldOffset(draw)]).flat(),
      ],
    ],
    [1, () => ["BITFIELD_RO", key, ...fieldOperation(draw)]],
    [4, () => ["SET", key, bits(draw)]],
    [2, () => ["SET", key, draw.value()]],
    [1, () => ["SET", key, draw.bytes(4), "EX", "100000"]],
    [2, () => ["GET", key]],
    [2, () => ["OBJECT", "ENCODING", key]],
    [1, () => ["STRLEN", key]],
    [1, () => ["DEL", key]],
    [1, () => ["HSET", key, "f", "x"]],
  ]);
}

export const generator: Generator = {
  family: "bitmaps",
  draw(draw): Command {
    const args = command(draw);
    args[0] = draw.token(args[0]!);
    return draw.chance(5) ? spoil(draw, args).map((arg) => (GIANT.test(arg) ? "-1" : arg)) : args;
  },
  probes: () =>
    KEYS.flatMap((key) => [
      ["GET", key],
      ["OBJECT", "ENCODING", key],
      ["BITCOUNT", key],
    ]),
  known: [
    {
      reason: "7.0 looks the key up before it reads the arguments: a missing key or a wrong type comes first",
      matches: (args, theirs, ours) =>
        /^bit(count|pos)$/i.test(args[0]!) &&
        (/^:(0|-1)\r\n$/.test(theirs) || theirs.startsWith("-WRONGTYPE")) &&
        ours.startsWith("-ERR"),
    },
  ],
  absent: {
    "BITOP DIFF": "since 8.2, with DIFF1, ANDOR and ONE",
  },
};
