/** GEOSEARCH and GEOSEARCHSTORE, and the older GEORADIUS and GEORADIUSBYMEMBER. */
import { equalsToken } from "../../base/bytes.ts";
import { int64High, int64Low } from "../../base/int64.ts";
import { type Context, command } from "../../engine/context.ts";
import { Flag, type KeyPositions, type KeySpec, oneKey } from "../../engine/spec/spec.ts";
import type { Request } from "../../resp/request.ts";
import type { ReplyWriter } from "../../resp/writer.ts";
import { Encoding } from "../../types/entry.ts";
import { zsetToListpackIfSmall } from "../../types/zset/zset.ts";
import { tableAdd } from "../../types/zset/zset-table.ts";
import { readMember } from "../../types/zset/zset-walk.ts";
import { deleteKey, readZset, scratchZset, storeZset, writeMember, zsetLimits } from "../zset/access.ts";
import { writeDistance, writePoint } from "./access.ts";
import { Form, matches, query, readQuery, runQuery, walk } from "./query.ts";

const INT64_END = 2 ** 63;

function search(cx: Context, form: number): void {
  const source = readZset(cx, (form & Form.SearchStore) !== 0 ? 2 : 1);
  readQuery(cx, source, form);
  if (query.target !== 0) {
    store(cx, form);
  } else if (source === 0) {
    cx.reply.array(0);
  } else {
    answer(cx, runQuery(cx));
    matches.clear();
  }
}

/** Points walk.member at the member of a match. */
function readMatch(cx: Context, i: number): void {
  const place = matches.places[i];
  if (walk.isListpack) walk.member.read(walk.buf, place);
  else readMember(cx.arena, place, walk.member);
}

function answer(cx: Context, count: number): void {
  const { reply } = cx;
  const { withDistance, withHash, withPoint } = query;
  const parts = 1 + (withDistance ? 1 : 0) + (withHash ? 1 : 0) + (withPoint ? 1 : 0);
  reply.array(count);
  for (let k = 0; k < count && !reply.overflowed; k++) {
    const i = matches.order[k];
    readMatch(cx, i);
    if (parts > 1) reply.array(parts);
    writeMember(reply, walk.member);
    if (withDistance) writeDistance(reply, matches.distances[i] / query.shape.unitM);
    if (withHash) writeHash(reply, matches.scores[i]);
    if (withPoint) writePoint(reply, matches.longitudes[i], matches.latitudes[i]);
  }
}

/** Answers a score as an integer; one beyond 64 bits is the lowest of them, as C's conversion has it. */
function writeHash(reply: ReplyWriter, score: number): void {
  const whole = score >= -INT64_END && score < INT64_END ? Math.trunc(score) : -INT64_END;
  reply.int64(int64Low(whole), int64High(whole));
}

/** Stores what the query finds under the key of argument query.target. */
function store(cx: Context, form: number): void {
  const { arena: a } = cx;
  const { shape, source, storesDistance, target } = query;
  if (source === 0) {
    deleteKey(cx, target);
    cx.reply.integer(0);
    return;
  }
  const count = runQuery(cx);
  const result = scratchZset(cx, target, Encoding.Skiplist);
  const { member } = walk;
  for (let k = 0; k < count; k++) {
    const i = matches.order[k];
    readMatch(cx, i);
    member.text();
    const score = storesDistance ? matches.distances[i] / shape.unitM : matches.scores[i];
    tableAdd(a, result, member.buf, member.at, member.length, score);
  }
  matches.clear();
  zsetToListpackIfSmall(a, result, zsetLimits(cx));
  storeZset(cx, target, result, (form & Form.Search) !== 0 ? "geosearchstore" : "georadiusstore");
  if (count > 0) cx.dirty += count - 1;
}

/** The keys of GEORADIUS: of several destinations, the last one counts. */
function radiusKeys(request: Request, out: KeyPositions): boolean {
  let target = 0;
  for (let i = 5; i + 1 < request.count; i++) {
    const isStore =
      equalsToken(request.buf, request.start[i], request.length[i], "store") ||
      equalsToken(request.buf, request.start[i], request.length[i], "storedist");
    if (isStore) target = ++i;
  }
  out.indexes.push(1);
  out.flags.push("RO access");
  if (target > 0) {
    out.indexes.push(target);
    out.flags.push("OW update");
  }
  return true;
}

function storeKeys(startFrom: number): KeySpec[] {
  return ["STORE", "STOREDIST"].map((keyword) => ({
    flags: "OW update",
    begin: { keyword, startFrom },
    find: { lastKey: 0, step: 1, limit: 0 },
  }));
}

const READS = {
  flags: Flag.Readonly,
  group: "geo",
  categories: ["geo"],
  keys: [oneKey("RO access")],
  complexity: "O(N+log(M)) for N places in the box on the map around the shape and M in the index.",
} as const;
const RADIUS = {
  ...READS,
  since: "3.2.10",
  deprecatedSince: "6.2.0",
  docFlags: ["deprecated"],
  history: [
    ["6.2.0", "Option `ANY` of `COUNT`."],
    ["7.0.0", "Units in upper case."],
  ],
} as const;
const SEARCH = {
  ...READS,
  since: "6.2.0",
  history: [["7.0.0", "Units in upper case."]],
} as const;

const UNIT = "unit=<M | KM | FT | MI>";
const ORDER = "order=[ASC | DESC]";
const WITH = "[WITHCOORD] [WITHDIST] [WITHHASH]";
const COUNT = "count-block=[<COUNT count:integer> [ANY]]";
const COUNT_SINCE = "count-block=[<COUNT count:integer> [ANY@6.2.0]]";
const STORE = "store=[STORE storekey:key(key) | STOREDIST storedistkey:key(key)]";
const FROM = "from=<FROMMEMBER member | FROMLONLAT fromlonlat=<longitude:double latitude:double>>";
const CIRCLE = `circle=<<BYRADIUS radius:double> ${UNIT}>`;
const BOX = `box=<<BYBOX width:double> height:double ${UNIT}>`;
const POLYGON = "polygon=<<BYPOLYGON num-vertices:integer> vertices=<longitude:double latitude:double> ...>";
const BY = `by=<${CIRCLE} | ${BOX} | ${POLYGON}>`;
const AROUND_POINT = `key:key longitude:double latitude:double radius:double ${UNIT} ${WITH} ${COUNT_SINCE} ${ORDER}`;
const AROUND_MEMBER = `key:key member radius:double ${UNIT} ${WITH} ${COUNT} ${ORDER}`;

export const GEO_SEARCH_COMMANDS = [
  command({
    ...RADIUS,
    name: "georadius",
    arity: -6,
    flags: Flag.Write | Flag.DenyOom,
    since: "3.2.0",
    summary: "Answers, or stores, the places in a circle around a point.",
    keys: [oneKey("RO access"), ...storeKeys(6)],
    getKeys: radiusKeys,
    replacedBy: "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument",
    syntax: `${AROUND_POINT} ${STORE}`,
    run: (cx) => search(cx, Form.AroundPoint),
  }),
  command({
    ...RADIUS,
    name: "georadius_ro",
    arity: -6,
    summary: "Answers the places in a circle around a point.",
    replacedBy: "`GEOSEARCH` with the `BYRADIUS` argument",
    syntax: AROUND_POINT,
    run: (cx) => search(cx, Form.AroundPoint | Form.ReadOnly),
  }),
  command({
    ...RADIUS,
    name: "georadiusbymember",
    arity: -5,
    flags: Flag.Write | Flag.DenyOom,
    since: "3.2.0",
    summary: "Answers, or stores, the places in a circle around one of them.",
    keys: [oneKey("RO access"), ...storeKeys(5)],
    getKeys: radiusKeys,
    replacedBy: "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and `FROMMEMBER` arguments",
    syntax: `${AROUND_MEMBER} ${STORE}`,
    run: (cx) => search(cx, Form.AroundMember),
  }),
  command({
    ...RADIUS,
    name: "georadiusbymember_ro",
    arity: -5,
    summary: "Answers the places in a circle around one of them.",
    replacedBy: "`GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments",
    syntax: AROUND_MEMBER,
    run: (cx) => search(cx, Form.AroundMember | Form.ReadOnly),
  }),
  command({
    ...SEARCH,
    name: "geosearch",
    arity: -7,
    summary: "Answers the places in a circle, a box or a polygon.",
    syntax: `key:key ${FROM} ${BY} ${ORDER} ${COUNT} ${WITH}`,
    run: (cx) => search(cx, Form.Search),
  }),
  command({
    ...SEARCH,
    name: "geosearchstore",
    arity: -8,
    flags: Flag.Write | Flag.DenyOom,
    summary: "Stores the places in a circle, a box or a polygon under a key.",
    keys: [oneKey("OW update"), oneKey("RO access", 2)],
    syntax: `destination:key source:key ${FROM} ${BY} ${ORDER} ${COUNT} [STOREDIST]`,
    run: (cx) => search(cx, Form.Search | Form.SearchStore),
  }),
];
