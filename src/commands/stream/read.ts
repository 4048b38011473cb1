/** XREAD and XREADGROUP: entries of several streams behind given ids, or of groups, or waiting for them. */
import type { Ref } from "../../arena/arena.ts";
import { equalsToken } from "../../base/bytes.ts";
import { type Context, command } from "../../engine/context.ts";
import { Flag, type KeyPositions, type KeySpec } from "../../engine/spec/spec.ts";
import { ReplyError, SYNTAX } from "../../resp/errors.ts";
import { Request } from "../../resp/request.ts";
import type { ReplyWriter } from "../../resp/writer.ts";
import { Type } from "../../types/entry.ts";
import { Head, streamLength, streamOf, streamReadId } from "../../types/stream/stream.ts";
import {
  idClear,
  idCompare,
  idCreate,
  idDecrement,
  idIncrement,
  idIsMax,
  idSetMax,
  idText,
} from "../../types/stream/stream-id.ts";
import { StreamWalk, streamEdgeId, walkStart } from "../../types/stream/stream-walk.ts";
import {
  groupedStream,
  groupOf,
  idOf,
  isSign,
  keepId,
  noKeyOrGroup,
  readId,
  readStream,
  reserveIds,
  writeEntries,
} from "./access.ts";
import { deliver, nextIdleMs, prepareGroup, reading } from "./deliver.ts";

const GROUP_IN_XREAD = new ReplyError(
  "ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.",
);
const NOACK_IN_XREAD = new ReplyError(
  "ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.",
);
const CLAIM_IN_XREAD = new ReplyError(
  "ERR The CLAIM option is only supported by XREADGROUP. You called XREAD instead.",
);
const NO_GROUP = new ReplyError("ERR Missing GROUP option for XREADGROUP");
const CLAIM_NOT_AN_INTEGER = new ReplyError("ERR min-idle-time is not an integer or out of range");
const CLAIM_NEGATIVE = new ReplyError("ERR min-idle-time must be a positive integer");
const NO_ELEMENT = new ReplyError("ERR the stream last element ID is 0-0");
const NEW_IN_XREAD = new ReplyError(
  "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.",
);
/** The text about an id that XREADGROUP does not take. */
const meaningless = (sign: string): ReplyError =>
  new ReplyError(
    `ERR The ${sign} ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by specifying a proper ID, or use the > ID to get new messages. The ${sign} ID would just return an empty result set.`,
  );
const DOLLAR_IN_GROUP = meaningless("$");
const PLUS_IN_GROUP = meaningless("+");

const DOLLAR = 36;
const PLUS = 43;
const GREATER = 62;

const options = { timeoutMs: -1, count: 0, streams: 0, streamCount: 0 };
const id = idCreate();
const to = idCreate();
idSetMax(to);
const edge = idCreate();
const walk = new StreamWalk();

function readOptions(cx: Context, isGroup: boolean): void {
  options.timeoutMs = -1;
  options.count = 0;
  options.streams = 0;
  reading.group = 0;
  reading.noAck = false;
  reading.claimMs = -1;
  for (let i = 1; i < cx.argc && options.streams === 0; i++) {
    const more = cx.argc - i - 1;
    if (more >= 1 && cx.isToken(i, "block")) options.timeoutMs = cx.timeoutMs(++i);
    else if (more >= 1 && cx.isToken(i, "count")) options.count = Math.max(0, cx.longInteger(++i));
    else if (more >= 1 && cx.isToken(i, "streams")) readStreams(cx, i + 1, isGroup);
    else i = readGroupOption(cx, i, more, isGroup);
  }
  if (options.streams === 0) throw SYNTAX;
  if (isGroup && reading.group === 0) throw NO_GROUP;
}

function readStreams(cx: Context, first: number, isGroup: boolean): void {
  const rest = cx.argc - first;
  if ((rest & 1) === 1) {
    const name = isGroup ? "xreadgroup" : "xread";
    const choices = isGroup ? "an ID or '>'" : cx.engine.config.personality.xreadIdChoices;
    throw new ReplyError(`ERR Unbalanced '${name}' list of streams: for each stream key ${choices} must be specified.`);
  }
  options.streams = first;
  options.streamCount = rest >> 1;
}

/** Reads an option of groups at argument `i`. Returns the last argument that belongs to it. */
function readGroupOption(cx: Context, i: number, more: number, isGroup: boolean): number {
  if (more >= 2 && cx.isToken(i, "group")) {
    if (!isGroup) throw GROUP_IN_XREAD;
    reading.group = i + 1;
    return i + 2;
  }
  if (cx.isToken(i, "noack")) {
    if (!isGroup) throw NOACK_IN_XREAD;
    reading.noAck = true;
    return i;
  }
  if (more < 1 || !cx.isToken(i, "claim")) throw SYNTAX;
  if (!isGroup) throw CLAIM_IN_XREAD;
  reading.claimMs = cx.longInteger(i + 1, CLAIM_NOT_AN_INTEGER);
  if (reading.claimMs < 0) throw CLAIM_NEGATIVE;
  return i + 1;
}

/** Reads the ids; those that stand for what is in the stream now are looked up. The greatest id stands for ">". */
function readIds(cx: Context, isGroup: boolean): void {
  const { streamCount, streams } = options;
  reserveIds(streamCount);
  for (let n = 0; n < streamCount; n++) {
    const key = streams + n;
    const s = isGroup ? groupedStream(cx, key) : readStream(cx, key);
    if (isGroup && groupOf(cx, s, reading.group) === 0)
      throw noKeyOrGroup(cx, key, reading.group, " in XREADGROUP with GROUP option");
    readStreamId(cx, s, key + streamCount, isGroup);
    keepId(n, id);
  }
}

function readStreamId(cx: Context, s: Ref, arg: number, isGroup: boolean): void {
  if (isSign(cx, arg, DOLLAR)) {
    if (isGroup) throw DOLLAR_IN_GROUP;
    lastIdOf(cx, s);
  } else if (isSign(cx, arg, PLUS)) {
    if (isGroup) throw PLUS_IN_GROUP;
    lastIdOf(cx, s);
    // The last entry is what comes after the id before it.
    if (s !== 0 && !idDecrement(id)) throw NO_ELEMENT;
  } else if (isSign(cx, arg, GREATER)) {
    if (!isGroup) throw NEW_IN_XREAD;
    idSetMax(id);
  } else {
    readId(cx, arg, id);
  }
}

function lastIdOf(cx: Context, s: Ref): void {
  if (s === 0) idClear(id);
  else streamReadId(cx.arena, s, Head.LastId, id);
}

function headOf(cx: Context, arg: number): Ref {
  const e = cx.lookupQuiet(arg);
  return e === 0 ? 0 : streamOf(cx.arena, e);
}

function read(cx: Context, isGroup: boolean): void {
  const { arena: a, reply } = cx;
  readOptions(cx, isGroup);
  readIds(cx, isGroup);
  if (isGroup) cx.propagateNothing();
  const header = reply.beginDeferred();
  let served = 0;
  for (let n = 0; n < options.streamCount; n++) {
    const key = options.streams + n;
    const s = headOf(cx, key);
    if (s === 0) continue;
    idOf(n, id);
    if (isGroup ? !prepareGroup(cx, s, key, id) : !hasNew(cx, s)) continue;
    served++;
    if (!reply.resp3) reply.array(2);
    reply.bulk(cx.buf, cx.start[key], cx.length[key]);
    if (isGroup) {
      deliver(cx, s, key, id, options.count);
    } else if (idIncrement(id)) {
      walkStart(a, s, walk, id, to, false);
      writeEntries(cx, s, walk, options.count);
    }
  }
  if (served > 0) {
    reply.endDeferred(header, served, reply.resp3 ? "map" : "array");
    return;
  }
  if (options.timeoutMs < 0) reply.nilArray();
  else wait(cx, isGroup);
}

/** True when the stream has entries behind `id`. */
function hasNew(cx: Context, s: Ref): boolean {
  if (streamLength(cx.arena, s) === 0 || idIsMax(id)) return false;
  streamEdgeId(cx.arena, s, true, edge);
  return idCompare(edge, id) > 0;
}

function writeNone(reply: ReplyWriter): void {
  reply.nilArray();
}

/** Waits for entries: for those behind what is there now where the id says "$". */
function wait(cx: Context, isGroup: boolean): void {
  const { streamCount, streams } = options;
  let isRewritten = false;
  for (let arg = streams + streamCount; arg < cx.argc; arg++) isRewritten ||= isSign(cx, arg, DOLLAR);
  if (isRewritten) {
    const parts: Uint8Array[] = [];
    for (let i = 0; i < cx.argc; i++) {
      const n = i - streams - streamCount;
      if (n < 0 || !isSign(cx, i, DOLLAR)) {
        parts.push(cx.bytes(i));
        continue;
      }
      idOf(n, id);
      parts.push(new TextEncoder().encode(idText(id)));
    }
    cx.load(Request.of(parts));
  }
  let retryAtMs = Number.POSITIVE_INFINITY;
  if (reading.claimMs >= 0) {
    for (let n = 0; n < streamCount; n++) {
      const s = headOf(cx, streams + n);
      if (s !== 0) retryAtMs = Math.min(retryAtMs, nextIdleMs(cx, s));
    }
  }
  cx.park({
    firstKey: streams,
    keyCount: streamCount,
    type: Type.Stream,
    timeoutMs: options.timeoutMs,
    onLoss: isGroup,
    retryAtMs,
    onTimeout: writeNone,
  });
}

/** Keys are the first half of what stands behind STREAMS. */
function streamKeys(request: Request, out: KeyPositions): boolean {
  const { buf, count, length, start } = request;
  let first = 0;
  for (let i = 1; i < count && first === 0; i++) {
    if (equalsToken(buf, start[i], length[i], "block") || equalsToken(buf, start[i], length[i], "count")) i++;
    else if (equalsToken(buf, start[i], length[i], "claim")) i++;
    else if (equalsToken(buf, start[i], length[i], "group")) i += 2;
    else if (equalsToken(buf, start[i], length[i], "streams")) first = i + 1;
    else if (!equalsToken(buf, start[i], length[i], "noack")) break;
  }
  const rest = count - first;
  if (first === 0 || rest === 0 || (rest & 1) === 1) return false;
  for (let i = first; i < first + (rest >> 1); i++) {
    out.indexes.push(i);
    out.flags.push("RO access");
  }
  return true;
}

function streamsSpec(startFrom: number): KeySpec {
  return {
    flags: "RO access",
    begin: { keyword: "STREAMS", startFrom },
    find: { lastKey: -1, step: 1, limit: 2 },
  };
}

const STREAM = { group: "stream", categories: ["stream"], since: "5.0.0", getKeys: streamKeys } as const;

export const STREAM_READ_COMMANDS = [
  command({
    ...STREAM,
    name: "xread",
    arity: -4,
    flags: Flag.Blocking | Flag.Readonly,
    summary: "Answers the entries of several streams that come after given ids, and can wait for some.",
    complexity: "O(N) for N entries that are answered.",
    keys: [streamsSpec(1)],
    syntax: "[COUNT count:integer] [BLOCK milliseconds:integer] STREAMS streams=<key:key ... id ...>",
    run: (cx) => read(cx, false),
  }),
  command({
    ...STREAM,
    name: "xreadgroup",
    arity: -7,
    flags: Flag.Blocking | Flag.Write,
    summary:
      "Delivers new entries of several streams to a consumer of a group, or answers its pending ones, and can wait for some.",
    complexity:
      "O(M) for M entries that are answered, for each stream. An XADD serves the N clients that wait in O(N).",
    keys: [streamsSpec(4)],
    syntax:
      "GROUP group-block=<group consumer> [COUNT count:integer] [BLOCK milliseconds:integer] [CLAIM min-idle-time:integer@8.4.0] [NOACK] STREAMS streams=<key:key ... id ...>",
    history: [["8.4.0", "CLAIM came."]],
    run: (cx) => read(cx, true),
  }),
];
