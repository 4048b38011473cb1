/** What the geo commands share: arguments that are coordinates, distances and units, and replies with coordinates and distances. */

import { parseDouble } from "../../base/float.ts";
import { formatPlaces, formatSixPlaces, writeFourPlaces } from "../../base/float-printf.ts";
import { isOnMap, type Point } from "../../base/geohash.ts";
import type { Context } from "../../engine/context.ts";
import { NOT_A_FLOAT, ReplyError } from "../../resp/errors.ts";
import type { ReplyWriter } from "../../resp/writer.ts";

const UNIT = new ReplyError("ERR unsupported unit provided. please use M, KM, FT, MI");

const distanceText = new Uint8Array(40);

/** Argument `i` as a double that is a number; throws `error` otherwise. */
export function readDouble(cx: Context, i: number, error: ReplyError = NOT_A_FLOAT): number {
  const n = parseDouble(cx.buf, cx.start[i], cx.length[i]);
  if (Number.isNaN(n)) throw error;
  return n;
}

/** Reads arguments `i` and `i` + 1 as a point on the map. */
export function readPoint(cx: Context, i: number, out: Point): void {
  const longitude = readDouble(cx, i);
  const latitude = readDouble(cx, i + 1);
  if (!isOnMap(longitude, latitude))
    throw new ReplyError(
      `ERR invalid longitude,latitude pair ${formatSixPlaces(longitude)},${formatSixPlaces(latitude)}`,
    );
  out.longitude = longitude;
  out.latitude = latitude;
}

/** Argument `i` as a unit of length: how many meters it has. */
export function readUnit(cx: Context, i: number): number {
  if (cx.isToken(i, "m")) return 1;
  if (cx.isToken(i, "km")) return 1000;
  if (cx.isToken(i, "ft")) return 0.3048;
  if (cx.isToken(i, "mi")) return 1609.34;
  throw UNIT;
}

/** Answers a distance, in whatever unit, with four decimal places. */
export function writeDistance(reply: ReplyWriter, distance: number): void {
  reply.bulk(distanceText, 0, writeFourPlaces(distanceText, 0, distance));
}

/** Answers a point as a pair of coordinates. */
export function writePoint(reply: ReplyWriter, longitude: number, latitude: number): void {
  reply.array(2);
  reply.double(formatPlaces(longitude));
  reply.double(formatPlaces(latitude));
}
