/** Places by name: GEOADD, GEODIST, GEOHASH and GEOPOS. */
import type { Ref } from "../../arena/arena.ts";
import {
  decodeScore,
  distance,
  GEOHASH_TEXT_LENGTH,
  geohashScore,
  type Point,
  writeGeohash,
} from "../../base/geohash.ts";
import { type Context, command } from "../../engine/context.ts";
import { Flag, oneKey } from "../../engine/spec/spec.ts";
import { SYNTAX } from "../../resp/errors.ts";
import { Add, zsetScore } from "../../types/zset/zset.ts";
import { readZset } from "../zset/access.ts";
import { addOptions, addScored, readAddOptions, scoreSlots } from "../zset/write.ts";
import { readPoint, readUnit, writeDistance, writePoint } from "./access.ts";

const point: Point = { longitude: 0, latitude: 0 };
const other: Point = { longitude: 0, latitude: 0 };
const text = new Uint8Array(GEOHASH_TEXT_LENGTH);

function add(cx: Context): void {
  const first = readAddOptions(cx, false);
  const rest = cx.argc - first;
  const both = Add.New | Add.Existing;
  if (rest === 0 || rest % 3 !== 0 || (addOptions.bits & both) === both) throw SYNTAX;
  const count = rest / 3;
  const slots = scoreSlots(count);
  for (let i = 0; i < count; i++) {
    readPoint(cx, first + i * 3, point);
    slots[i] = geohashScore(point.longitude, point.latitude);
  }
  addScored(cx, count, first + 2, 3);
  if (cx.propagates && cx.dirty > 0) propagateScores(cx, first, slots);
}

/** Has a ZADD with the same options propagated. */
function propagateScores(cx: Context, first: number, scores: Float64Array): void {
  const parts: (Uint8Array | string)[] = ["zadd"];
  for (let i = 1; i < first; i++) parts.push(cx.bytes(i));
  for (let i = first, n = 0; i < cx.argc; i += 3, n++) parts.push(String(scores[n]), cx.bytes(i + 2));
  cx.propagateAs(parts);
}

/** Sets `out` to the place of the member in argument `i` of a set (0: none); false when there is no such member. */
export function findPlace(cx: Context, e: Ref, i: number, out: Point): boolean {
  const score = e === 0 ? Number.NaN : zsetScore(cx.arena, e, cx.buf, cx.start[i], cx.length[i]);
  if (Number.isNaN(score)) return false;
  decodeScore(score, out);
  return true;
}

function distanceBetween(cx: Context): void {
  if (cx.argc > 5) throw SYNTAX;
  const unitM = cx.argc === 5 ? readUnit(cx, 4) : 1;
  const e = readZset(cx, 1);
  if (!findPlace(cx, e, 2, point) || !findPlace(cx, e, 3, other)) {
    cx.reply.nil();
    return;
  }
  writeDistance(cx.reply, distance(point.longitude, point.latitude, other.longitude, other.latitude) / unitM);
}

function hashes(cx: Context): void {
  const { argc, reply } = cx;
  const e = readZset(cx, 1);
  reply.array(argc - 2);
  for (let i = 2; i < argc; i++) {
    if (!findPlace(cx, e, i, point)) {
      reply.nil();
      continue;
    }
    writeGeohash(text, 0, point.longitude, point.latitude);
    reply.bulk(text, 0, GEOHASH_TEXT_LENGTH);
  }
}

function positions(cx: Context): void {
  const { argc, reply } = cx;
  const e = readZset(cx, 1);
  reply.array(argc - 2);
  for (let i = 2; i < argc; i++) {
    if (findPlace(cx, e, i, point)) writePoint(reply, point.longitude, point.latitude);
    else reply.nilArray();
  }
}

const READS = {
  flags: Flag.Readonly,
  since: "3.2.0",
  group: "geo",
  categories: ["geo"],
  keys: [oneKey("RO access")],
} as const;

export const GEO_PLACE_COMMANDS = [
  command({
    ...READS,
    name: "geoadd",
    arity: -5,
    flags: Flag.Write | Flag.DenyOom,
    summary: "Adds places to a geospatial index, which is made if there is none, or moves them.",
    complexity: "O(log(N)) a place, for N places in the index.",
    keys: [oneKey("RW update")],
    syntax: "key:key condition=[NX | XX]@6.2.0 [change=CH@6.2.0] data=<longitude:double latitude:double member> ...",
    history: [["6.2.0", "Options `CH`, `NX` and `XX`."]],
    run: add,
  }),
  command({
    ...READS,
    name: "geodist",
    arity: -4,
    summary: "Answers how far two places are from each other.",
    complexity: "O(1)",
    syntax: "key:key member1 member2 unit=[M | KM | FT | MI]",
    run: distanceBetween,
  }),
  command({
    ...READS,
    name: "geohash",
    arity: -2,
    summary: "Answers places as geohash strings.",
    complexity: "O(1) a place.",
    syntax: "key:key [member ...]",
    run: hashes,
  }),
  command({
    ...READS,
    name: "geopos",
    arity: -2,
    summary: "Answers the longitude and latitude of places.",
    complexity: "O(1) a place.",
    syntax: "key:key [member ...]",
    run: positions,
  }),
];
