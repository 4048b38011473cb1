// The string commands. Times to live are absolute and far, past, or long: nothing expires while a run lasts.

import { type Draw, EDGE_INTEGERS, KEYS, spoil } from "../draw.ts";
import { type Command, type Generator, within } from "../generator.ts";

const FAR_MS = 4_000_000_000_000;

/** An expiry option with its argument: long, absolute, past, or wrong. */
function expiry(draw: Draw): string[] {
  return draw.weighted([
    [
      3,
      () => [
        draw.token("EX"),
        draw.pick(["1000", "100000", "0", "-5", "9223372036854775", "9223372036854775807", "x"]),
      ],
    ],
    [3, () => [draw.token("PX"), draw.pick(["1000000", "123456789", "0", "-5", "9223372036854775807", "1.0"])]],
    [
      2,
      () => [draw.token("EXAT"), draw.pick([String(FAR_MS / 1000), "1", "0", "9223372036854775", "9223372036854776"])],
    ],
    [3, () => [draw.token("PXAT"), draw.pick([String(FAR_MS + draw.below(9)), "1", "-1", "9223372036854775807", "z"])]],
    [1, () => [draw.token(draw.pick(["EX", "PX", "EXAT", "PXAT"]))]],
  ]);
}

function setOptions(draw: Draw): string[] {
  return draw
    .times(draw.pick([0, 0, 1, 1, 2, 3]), () =>
      draw.weighted<string[]>([
        [3, () => [draw.token(draw.pick(["NX", "XX"]))]],
        [3, () => [draw.token("GET")]],
        [2, () => [draw.token("KEEPTTL")]],
        [3, () => expiry(draw)],
      ]),
    )
    .flat();
}

function getexOptions(draw: Draw): string[] {
  return draw
    .times(draw.pick([0, 1, 1, 1, 2]), () =>
      draw.weighted<string[]>([
        [2, () => [draw.token("PERSIST")]],
        [5, () => expiry(draw)],
        [1, () => [draw.token(draw.pick(["KEEPTTL", "NX", "GET"]))]],
      ]),
    )
    .flat();
}

/** An offset for SETRANGE: near, or too far to be allowed; never one that would make a giant value. */
function offset(draw: Draw): string {
  return draw.pick(["0", "1", "3", "10", "60", "2000", "-1", "536870912", "4294967296", "9223372036854775807", "q"]);
}

function lcsOptions(draw: Draw): string[] {
  return draw
    .times(draw.pick([0, 1, 1, 2, 3]), () =>
      draw.weighted<string[]>([
        [3, () => [draw.token("IDX")]],
        [2, () => [draw.token("LEN")]],
        [2, () => [draw.token("WITHMATCHLEN")]],
        [2, () => [draw.token("MINMATCHLEN"), draw.pick(["0", "1", "2", "4", "-3", "9223372036854775807", "x"])]],
      ]),
    )
    .flat();
}

function pairs(draw: Draw): string[] {
  return draw.times(draw.between(1, 4), () => [draw.key(), draw.value()]).flat();
}

/** A valid command in form; its arguments may be wrong. */
function command(draw: Draw): string[] {
  const key = draw.key();
  return draw.weighted<string[]>([
    [8, () => ["SET", key, draw.value(), ...setOptions(draw)]],
    [6, () => ["SET", key, draw.chance(80) ? String(draw.between(-100, 100)) : draw.pick(EDGE_INTEGERS)]],
    [5, () => ["GET", key]],
    [2, () => ["SETNX", key, draw.value()]],
    [2, () => ["SETEX", key, draw.pick(["1000", "0", "-1", "9223372036854775807", "y"]), draw.value()]],
    [2, () => ["PSETEX", key, draw.pick(["1000000", "0", "-1", "9223372036854775807", "y"]), draw.value()]],
    [2, () => ["GETSET", key, draw.value()]],
    [2, () => ["GETDEL", key]],
    [4, () => ["GETEX", key, ...getexOptions(draw)]],
    [3, () => ["MGET", ...draw.times(draw.between(1, 5), () => draw.key())]],
    [2, () => ["MSET", ...pairs(draw)]],
    [1, () => ["MSETNX", ...pairs(draw)]],
    [3, () => [draw.pick(["INCR", "DECR"]), key]],
    [4, () => [draw.pick(["INCRBY", "DECRBY"]), key, draw.integer()]],
    [6, () => ["INCRBYFLOAT", key, draw.float()]],
    [4, () => ["APPEND", key, draw.bytes(30)]],
    [3, () => ["SETRANGE", key, offset(draw), draw.bytes(10)]],
    [4, () => [draw.pick(["GETRANGE", "SUBSTR"]), key, draw.integer(), draw.integer()]],
    [2, () => ["STRLEN", key]],
    [2, () => ["LCS", key, draw.key(), ...lcsOptions(draw)]],
    [4, () => ["OBJECT", "ENCODING", key]],
    [2, () => [draw.pick(["TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME"]), key]],
    [2, () => ["DEL", key]],
    [1, () => ["EXISTS", key]],
  ]);
}

export const generator: Generator = {
  family: "strings",
  draw(draw): Command {
    const args = command(draw);
    args[0] = draw.token(args[0]!);
    return draw.chance(6) ? spoil(draw, args) : args;
  },
  agree: { TTL: within(2), PTTL: within(5000), EXPIRETIME: within(2), PEXPIRETIME: within(5000) },
  probes: () =>
    KEYS.flatMap((key) => [
      ["GET", key],
      ["OBJECT", "ENCODING", key],
      ["STRLEN", key],
      ["PEXPIRETIME", key],
    ]),
  absent: {
    DELEX: "since 8.4",
    DIGEST: "since 8.4",
    MSETEX: "since 8.4",
    DELIFEQ: "Valkey's",
    "SET IFEQ": "since 8.4, with IFNE, IFDEQ and IFDNE",
  },
};
