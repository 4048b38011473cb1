// The geospatial commands. Each member has a place of its own, so that no two are equally far from a point, and moves little.

import { type Draw, KEYS, spoil } from "../draw.ts";
import type { Command, Generator } from "../generator.ts";

const UNITS = ["m", "km", "ft", "mi"];
const POINTS: readonly (readonly [string, string])[] = [
  ["13.361389", "38.115556"],
  ["15.087269", "37.502669"],
  ["-122.407107", "37.794301"],
  ["0", "0"],
  ["179.9999", "10.5"],
  ["-179.9999", "-10.5"],
  ["0.0001", "85.05"],
  ["-73.98", "-85.05"],
  ["45.5", "67"],
  ["-45.5", "-81"],
];
const ODD_NUMBERS = [
  "180",
  "-180",
  "85.05112878",
  "-85.05112878",
  "181",
  "-86",
  "1e300",
  "200.0078125",
  "inf",
  "nan",
  "x",
  "",
  "-0",
  "0x10",
];

function member(draw: Draw): string {
  return draw.chance(85)
    ? String(draw.below(60))
    : draw.pick(["m", "", "\x00\xff", "x".repeat(70), "9223372036854775808"]);
}

/** A point near one of POINTS, anywhere, or nowhere. */
function point(draw: Draw): [string, string] {
  if (draw.chance(3)) return [draw.pick(ODD_NUMBERS), draw.pick(ODD_NUMBERS)];
  const [longitude, latitude] = draw.pick(POINTS);
  const spread = draw.pick([0.001, 0.1, 3]);
  const near = (text: string, limit: number) =>
    String(Math.max(-limit, Math.min(limit, Number(text) + ((draw.below(2_000_001) - 1_000_000) / 1e6) * spread)));
  if (draw.chance(85)) return [near(longitude, 180), near(latitude, 85.05)];
  return [String(draw.between(-1_800_000, 1_800_000) / 1e4), String(draw.between(-850_000, 850_000) / 1e4)];
}

function unit(draw: Draw): string {
  return draw.chance(96) ? draw.token(draw.pick(UNITS)) : draw.pick(["x", "", "kmh"]);
}

function length(draw: Draw): string {
  return draw.weighted<string>([
    [6, () => String(draw.between(1, 500))],
    [4, () => String(draw.between(1, 100_000) / 7)],
    [1, () => draw.pick(["0", "20000000", "-1", "1e300", "inf", "x", ""])],
  ]);
}

/** Without ANY, and a count that is none when no order is asked for: how the nearest of equals are chosen is another matter. */
function options(draw: Draw): string[] {
  const chosen: string[] = [];
  for (const name of ["WITHCOORD", "WITHDIST", "WITHHASH"]) if (draw.chance(30)) chosen.push(draw.token(name));
  if (draw.chance(50)) chosen.push(draw.token(draw.pick(["ASC", "DESC"])));
  if (draw.chance(25)) {
    chosen.push(draw.token("COUNT"), draw.pick(["1", "2", "5", "1000", "0", "-1", "x", "9223372036854775807"]));
    if (draw.chance(40)) chosen.push(draw.token("ANY"));
  }
  if (draw.chance(4)) chosen.push(draw.pick(["ANY", "COUNT", "STORE", "FROMMEMBER", "withdist"]));
  return chosen;
}

function stored(draw: Draw): string[] {
  return draw.chance(25) ? [draw.token(draw.pick(["STORE", "STOREDIST"])), draw.key()] : [];
}

function storedOptions(draw: Draw): string[] {
  const chosen = draw.chance(50) ? [draw.token(draw.pick(["ASC", "DESC"]))] : [];
  if (draw.chance(30)) chosen.push("COUNT", draw.pick(["1", "3", "100", "0"]));
  return chosen;
}

function center(draw: Draw): string[] {
  return draw.weighted<string[]>([
    [4, () => [draw.token("FROMMEMBER"), member(draw)]],
    [5, () => [draw.token("FROMLONLAT"), ...point(draw)]],
    [
      1,
      () =>
        draw.pick([[], ["FROMMEMBER", "1", "FROMLONLAT", "1", "1"], ["FROMLONLAT", "1", "1", "FROMLONLAT", "2", "2"]]),
    ],
  ]);
}

function shape(draw: Draw): string[] {
  return draw.weighted<string[]>([
    [5, () => [draw.token("BYRADIUS"), length(draw), unit(draw)]],
    [5, () => [draw.token("BYBOX"), length(draw), length(draw), unit(draw)]],
    [
      1,
      () =>
        draw.pick([
          [],
          ["BYRADIUS", "1", "m", "BYBOX", "1", "1", "m"],
          ["BYBOX", "1", "2", "km", "BYBOX", "300", "200", "km"],
        ]),
    ],
  ]);
}

function add(draw: Draw, key: string): string[] {
  const chosen = draw.chance(70) ? [] : draw.times(draw.between(1, 2), () => draw.token(draw.pick(["NX", "XX", "CH"])));
  const count = draw.pick([1, 1, 2, 5, 12]);
  return ["GEOADD", key, ...chosen, ...draw.times(count, () => [...point(draw), member(draw)]).flat()];
}

function command(draw: Draw): string[] {
  const key = draw.key();
  return draw.weighted<string[]>([
    [16, () => add(draw, key)],
    [5, () => ["GEOPOS", key, ...draw.times(draw.below(4), () => member(draw))]],
    [4, () => ["GEOHASH", key, ...draw.times(draw.below(4), () => member(draw))]],
    [5, () => ["GEODIST", key, member(draw), member(draw), ...(draw.chance(60) ? [unit(draw)] : [])]],
    [14, () => ["GEOSEARCH", key, ...center(draw), ...shape(draw), ...options(draw)]],
    [4, () => ["GEOSEARCH", key, ...shape(draw), ...options(draw), ...center(draw)]],
    [6, () => ["GEOSEARCHSTORE", draw.key(), key, ...center(draw), ...shape(draw), ...storedOptions(draw)]],
    [3, () => ["GEOSEARCHSTORE", draw.key(), key, ...center(draw), ...shape(draw), "STOREDIST", ...options(draw)]],
    [5, () => ["GEORADIUS", key, ...point(draw), length(draw), unit(draw), ...options(draw), ...stored(draw)]],
    [5, () => ["GEORADIUSBYMEMBER", key, member(draw), length(draw), unit(draw), ...options(draw), ...stored(draw)]],
    [2, () => ["GEORADIUS_RO", key, ...point(draw), length(draw), unit(draw), ...options(draw)]],
    [2, () => ["GEORADIUSBYMEMBER_RO", key, member(draw), length(draw), unit(draw), ...options(draw), ...stored(draw)]],
    [2, () => ["ZREM", key, member(draw), member(draw)]],
    // Scores that are no geohashes.
    [1, () => ["ZADD", key, draw.pick(["-1", "1.5", "1e17", "9007199254740991", "inf", "-inf", "2e19"]), "odd"]],
    [1, () => ["GEOPOS", key, "odd"]],
    [1, () => ["SET", key, "v"]],
    [2, () => ["DEL", key]],
    [1, () => ["CONFIG", "SET", "zset-max-listpack-entries", draw.pick(["0", "3", "128"])]],
  ]);
}

export const generator: Generator = {
  family: "geo",
  draw(draw): Command {
    const args = command(draw);
    args[0] = draw.token(args[0]!);
    return !/^config$/i.test(args[0]) && draw.chance(5) ? spoil(draw, args) : args;
  },
  probes: () =>
    KEYS.flatMap((key) => [
      ["ZRANGE", key, "0", "-1"],
      ["OBJECT", "ENCODING", key],
    ]),
  absent: { BYPOLYGON: "Valkey's, since 9.0" },
  known: [
    {
      reason: "since 7.2 a GEOADD that names more members than a listpack may have makes a table at once, as ZADD does",
      matches: (args, theirs, ours) =>
        /^object$/i.test(args[0]!) && theirs.includes("listpack") && ours.includes("skiplist"),
    },
  ],
};
