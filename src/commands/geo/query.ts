/** The arguments of a search, and the search itself: what GEOSEARCH, GEORADIUS and their relatives have in common. */
import type { Ref } from "../../arena/arena.ts";
import { decodeScore, type Point } from "../../base/geohash.ts";
import type { Context } from "../../engine/context.ts";
import { NOT_AN_INTEGER, ReplyError, SYNTAX } from "../../resp/errors.ts";
import { ranks, ranksOfScores, ScoreRange } from "../../types/zset/zset-range.ts";
import { ZsetWalk, zsetWalkNext, zsetWalkStart } from "../../types/zset/zset-walk.ts";
import { readDouble, readPoint, readUnit } from "./access.ts";
import { CELL_COUNT, Cells, cellEnd, cellMin, findCells, sameCell } from "./cells.ts";
import { Matches } from "./matches.ts";
import { findPlace } from "./place.ts";
import { Shape, ShapeKind } from "./shape.ts";

const RADIUS_NOT_A_NUMBER = new ReplyError("ERR need numeric radius");
const RADIUS_NEGATIVE = new ReplyError("ERR radius cannot be negative");
const WIDTH_NOT_A_NUMBER = new ReplyError("ERR need numeric width");
const HEIGHT_NOT_A_NUMBER = new ReplyError("ERR need numeric height");
const BOX_NEGATIVE = new ReplyError("ERR height or width cannot be negative");
const NO_MEMBER = new ReplyError("ERR could not decode requested zset member");
const COUNT_NOT_POSITIVE = new ReplyError("ERR COUNT must be > 0");
const ANY_WITHOUT_COUNT = new ReplyError("ERR the ANY argument requires COUNT argument");
const VERTEX_COUNT = new ReplyError("ERR invalid number of vertices");
const TOO_FEW_VERTICES = new ReplyError("ERR GEOSEARCH BYPOLYGON must have at least 3 vertices");
const VERTICES_MIN = 3;
const VERTICES_MAX = 2 ** 31 - 1;

/** What a command of the family is: bits. */
export const Form = {
  /** GEORADIUS: the center is a point, the radius follows. */
  AroundPoint: 1,
  /** GEORADIUSBYMEMBER: the center is a member, the radius follows. */
  AroundMember: 2,
  /** It has no STORE and STOREDIST. */
  ReadOnly: 4,
  /** GEOSEARCH: center and shape are options. */
  Search: 8,
  /** GEOSEARCHSTORE: the destination is argument 1, the source argument 2. */
  SearchStore: 16,
} as const;

/** The search that readQuery read. */
export const query = {
  /** The set that is searched, or 0. */
  source: 0 as Ref,
  shape: new Shape(),
  hasCenter: false,
  /** 1: nearest first, -1: farthest first, 0: as they come. */
  direction: 0 as 1 | 0 | -1,
  /** 0: all. */
  count: 0,
  /** Any members will do. */
  any: false,
  withDistance: false,
  withHash: false,
  withPoint: false,
  /** Argument with the key to store the result under, or 0. */
  target: 0,
  storesDistance: false,
};

const range = new ScoreRange();
range.isMaxOpen = true;
const cells = new Cells();
const point: Point = { longitude: 0, latitude: 0 };

/** The members that the last search found. */
export const matches = new Matches();
/** The walk that came to them: for reading their places. */
export const walk = new ZsetWalk();

/** Reads the arguments of a command of the given form; `source` is the set that is searched, or 0. */
export function readQuery(cx: Context, source: Ref, form: number): void {
  query.source = source;
  query.shape.kind = ShapeKind.None;
  query.shape.unitM = 1;
  query.hasCenter = false;
  query.direction = 0;
  query.count = 0;
  query.any = false;
  query.withDistance = false;
  query.withHash = false;
  query.withPoint = false;
  query.target = (form & Form.SearchStore) !== 0 ? 1 : 0;
  query.storesDistance = false;
  for (let i = readFixed(cx, form); i < cx.argc; i++) i = readOption(cx, i, form);
  checkQuery(cx, form);
  // The nearest are the obvious ones when not all are wanted.
  if (query.count !== 0 && query.direction === 0 && !query.any) query.direction = 1;
}

/** Reads the arguments that have their place; returns the index of the one after them. */
function readFixed(cx: Context, form: number): number {
  const { shape, source } = query;
  if ((form & Form.Search) !== 0) return (form & Form.SearchStore) !== 0 ? 3 : 2;
  if ((form & Form.AroundPoint) !== 0) {
    readPoint(cx, 2, shape.center);
    readCircle(cx, 4);
    return 6;
  }
  // Around a member of no set there is nothing, whatever the radius.
  if (source !== 0) {
    if (!findPlace(cx, source, 2, shape.center)) throw NO_MEMBER;
    readCircle(cx, 3);
  }
  return 5;
}

/** Reads arguments `i` and `i` + 1 as radius and unit. */
function readCircle(cx: Context, i: number): void {
  const { shape } = query;
  const radius = readDouble(cx, i, RADIUS_NOT_A_NUMBER);
  if (radius < 0) throw RADIUS_NEGATIVE;
  shape.unitM = readUnit(cx, i + 1);
  shape.radiusM = radius * shape.unitM;
  shape.kind = ShapeKind.Circle;
}

/** Reads arguments `i` to `i` + 2 as width, height and unit. */
function readBox(cx: Context, i: number): void {
  const { shape } = query;
  const width = readDouble(cx, i, WIDTH_NOT_A_NUMBER);
  const height = readDouble(cx, i + 1, HEIGHT_NOT_A_NUMBER);
  if (height < 0 || width < 0) throw BOX_NEGATIVE;
  shape.unitM = readUnit(cx, i + 2);
  shape.widthM = width * shape.unitM;
  shape.heightM = height * shape.unitM;
  shape.kind = ShapeKind.Box;
}

/** Reads a number of vertices in argument `i` and as many points behind it; returns the last argument. */
function readPolygon(cx: Context, i: number): number {
  const { shape } = query;
  const count = cx.integerIn(i, -VERTICES_MAX - 1, VERTICES_MAX, VERTEX_COUNT);
  if (count < VERTICES_MIN || i + count * 2 >= cx.argc) throw TOO_FEW_VERTICES;
  shape.vertices = new Float64Array(count * 2);
  for (let k = 0; k < count; k++) {
    readPoint(cx, i + 1 + k * 2, point);
    shape.vertices[k * 2] = point.longitude;
    shape.vertices[k * 2 + 1] = point.latitude;
  }
  shape.unitM = 1;
  shape.kind = ShapeKind.Polygon;
  return i + count * 2;
}

/** Reads the option in argument `i`; returns its last argument. */
function readOption(cx: Context, i: number, form: number): number {
  if (cx.isToken(i, "withdist")) {
    query.withDistance = true;
  } else if (cx.isToken(i, "withhash")) {
    query.withHash = true;
  } else if (cx.isToken(i, "withcoord")) {
    query.withPoint = true;
  } else if (cx.isToken(i, "any")) {
    query.any = true;
  } else if (cx.isToken(i, "asc")) {
    query.direction = 1;
  } else if (cx.isToken(i, "desc")) {
    query.direction = -1;
  } else if (i + 1 < cx.argc && cx.isToken(i, "count")) {
    query.count = cx.longInteger(i + 1, NOT_AN_INTEGER);
    if (query.count <= 0) throw COUNT_NOT_POSITIVE;
    return i + 1;
  } else {
    return (form & Form.Search) !== 0 ? readSearchOption(cx, i, form) : readStoreOption(cx, i, form);
  }
  return i;
}

function readStoreOption(cx: Context, i: number, form: number): number {
  if ((form & Form.ReadOnly) !== 0 || i + 1 >= cx.argc) throw SYNTAX;
  if (cx.isToken(i, "storedist")) query.storesDistance = true;
  else if (cx.isToken(i, "store")) query.storesDistance = false;
  else throw SYNTAX;
  query.target = i + 1;
  return i + 1;
}

function readSearchOption(cx: Context, i: number, form: number): number {
  const { shape } = query;
  const { kind } = shape;
  const left = cx.argc - i - 1;
  if ((form & Form.SearchStore) !== 0 && cx.isToken(i, "storedist")) {
    query.storesDistance = true;
    return i;
  }
  if (left >= 1 && cx.isToken(i, "frommember")) return readCenter(cx, i, true);
  if (left >= 2 && cx.isToken(i, "fromlonlat")) return readCenter(cx, i, false);
  if (left >= 2 && (kind === ShapeKind.None || kind === ShapeKind.Circle) && cx.isToken(i, "byradius")) {
    readCircle(cx, i + 1);
    return i + 2;
  }
  if (left >= 3 && (kind === ShapeKind.None || kind === ShapeKind.Box) && cx.isToken(i, "bybox")) {
    readBox(cx, i + 1);
    return i + 3;
  }
  const canBePolygon = !query.hasCenter && (kind === ShapeKind.None || kind === ShapeKind.Polygon);
  if (left >= 2 && canBePolygon && cx.isToken(i, "bypolygon")) return readPolygon(cx, i + 1);
  throw SYNTAX;
}

/** Whether the center that was read last was a member. */
let isCenterMember = false;

function readCenter(cx: Context, i: number, isMember: boolean): number {
  const { shape, source } = query;
  if (shape.kind === ShapeKind.Polygon || (query.hasCenter && isCenterMember !== isMember)) throw SYNTAX;
  // A member of no set is nowhere; the error, or the empty answer, comes when all has been read.
  if (!isMember) readPoint(cx, i + 1, shape.center);
  else if (source !== 0 && !findPlace(cx, source, i + 1, shape.center)) throw NO_MEMBER;
  query.hasCenter = true;
  isCenterMember = isMember;
  return isMember ? i + 1 : i + 2;
}

function checkQuery(cx: Context, form: number): void {
  if (query.target !== 0 && (query.withDistance || query.withHash || query.withPoint)) {
    const what = (form & Form.SearchStore) !== 0 ? "GEOSEARCHSTORE" : "STORE option in GEORADIUS";
    throw new ReplyError(`ERR ${what} is not compatible with WITHDIST, WITHHASH and WITHCOORD options`);
  }
  const { kind } = query.shape;
  if ((form & Form.Search) !== 0) {
    if (!query.hasCenter && kind !== ShapeKind.Polygon)
      throw new ReplyError(`ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for ${cx.text(0)}`);
    if (kind === ShapeKind.None)
      throw new ReplyError(`ERR exactly one of BYRADIUS and BYBOX can be specified for ${cx.text(0)}`);
  }
  if (query.any && query.count === 0) throw ANY_WITHOUT_COUNT;
}

/** Fills `matches` with the members in the shape, in order. Returns how many of them are wanted. */
export function runQuery(cx: Context): number {
  const { count, direction, shape } = query;
  const most = query.any ? count : 0;
  shape.measure();
  findCells(shape, cells);
  matches.clear();
  let last = 0;
  for (let i = 0; i < CELL_COUNT; i++) {
    if (cells.latitudes[i] < 0 || (last > 0 && sameCell(cells, i, last))) continue;
    if (most > 0 && matches.count >= most) break;
    collectCell(cx, i, most);
    last = i;
  }
  if (direction !== 0) matches.sort(direction);
  return count === 0 ? matches.count : Math.min(count, matches.count);
}

/** Adds the members of a cell that are in the shape, until there are `most` (0: no limit). */
function collectCell(cx: Context, i: number, most: number): void {
  const { arena: a } = cx;
  const { shape, source } = query;
  range.min = cellMin(cells, i);
  range.max = cellEnd(cells, i);
  ranksOfScores(a, source, range);
  let left = ranks.to - ranks.from;
  if (left === 0) return;
  zsetWalkStart(a, source, walk, ranks.from);
  for (;;) {
    decodeScore(walk.score, point);
    const distanceM = shape.distanceWithin(point.longitude, point.latitude);
    if (!Number.isNaN(distanceM)) {
      matches.push(walk.place, walk.score, point.longitude, point.latitude, distanceM);
      if (most > 0 && matches.count >= most) return;
    }
    if (--left === 0) return;
    zsetWalkNext(a, walk);
  }
}
