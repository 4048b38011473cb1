/** What the stream commands share: looking streams and groups up, reading ids and options, and answering with ids and entries. */
import type { Ref } from "../../arena/arena.ts";
import { untilNul } from "../../base/bytes.ts";
import type { Context } from "../../engine/context.ts";
import { Event } from "../../engine/effects.ts";
import { ReplyError } from "../../resp/errors.ts";
import type { ReplyWriter } from "../../resp/writer.ts";
import {
  elementBytes,
  integer,
  isString,
  readInteger,
  stringAt,
  stringLength,
} from "../../struct/listpack/listpack-element.ts";
import { Type } from "../../types/entry.ts";
import { type StreamLimits, streamCreate, streamOf } from "../../types/stream/stream.ts";
import { EntryFlag } from "../../types/stream/stream-block.ts";
import { groupFind } from "../../types/stream/stream-group.ts";
import {
  ID_TEXT_MAX,
  IdForm,
  IdRule,
  idDecrement,
  idIncrement,
  idParse,
  idWrite,
  type StreamId,
} from "../../types/stream/stream-id.ts";
import { type StreamWalk, walkNext } from "../../types/stream/stream-walk.ts";

export const INVALID_ID = new ReplyError("ERR Invalid stream ID specified as stream command argument");
const INVALID_START = new ReplyError("ERR invalid start ID for the interval");
const INVALID_END = new ReplyError("ERR invalid end ID for the interval");
const PARENTHESIS = 40;

const limits: StreamLimits = { nodeBytes: 0, nodeEntries: 0 };

/** The limits of blocks by the settings: one record, refilled by each call. */
export function streamLimits(cx: Context): StreamLimits {
  const { values } = cx.engine.config;
  limits.nodeBytes = values.streamNodeMaxBytes;
  limits.nodeEntries = values.streamNodeMaxEntries;
  return limits;
}

/** The head of the stream in argument `i` for reading, or 0. */
export function readStream(cx: Context, i: number): Ref {
  const e = cx.lookupRead(i);
  cx.requireType(e, Type.Stream);
  return e === 0 ? 0 : streamOf(cx.arena, e);
}

/**
 * The head of the stream in argument `i`, or 0, for commands that change the state of groups alone: they count as reads of the key, but what they do
 * is a change of it.
 */
export function groupedStream(cx: Context, i: number): Ref {
  return readStream(cx, i);
}

/** The head of the stream in argument `i` for writing, or 0. */
export function writeStream(cx: Context, i: number): Ref {
  const e = cx.lookupWrite(i);
  cx.requireType(e, Type.Stream);
  return e === 0 ? 0 : streamOf(cx.arena, e);
}

/** An empty stream under the key of argument `i`, which was just looked up in vain. Returns its head. */
export function newStream(cx: Context, i: number): Ref {
  const { arena: a, buf, db, engine, length, start } = cx;
  const e = streamCreate(a, buf, start[i], length[i], engine.keyspace.accessOfNew());
  db.insert(e, db.hash);
  if (engine.notifyMask !== 0) cx.notify(i, Event.New, "new");
  return streamOf(a, e);
}

/** The group named by argument `i`, or 0; `s` may be 0. */
export function groupOf(cx: Context, s: Ref, i: number): Ref {
  return s === 0 ? 0 : groupFind(cx.arena, s, cx.buf, cx.start[i], cx.length[i]);
}

/** NOGROUP about a key or a group that is missing. */
export function noKeyOrGroup(cx: Context, key: number, group: number, rest = ""): ReplyError {
  return new ReplyError(
    `NOGROUP No such key '${untilNul(cx.text(key))}' or consumer group '${untilNul(cx.text(group))}'${rest}`,
  );
}

/** NOGROUP about a group of a stream that exists. */
export function noGroup(cx: Context, key: number, group: number): ReplyError {
  return new ReplyError(
    `NOGROUP No such consumer group '${untilNul(cx.text(group))}' for key name '${untilNul(cx.text(key))}'`,
  );
}

// ---- arguments

/** Reads argument `i` as an id; "-" and "+" are none. */
export function readId(cx: Context, i: number, id: StreamId): void {
  if (idParse(cx.buf, cx.start[i], cx.length[i], 0, id) === IdForm.Invalid) throw INVALID_ID;
}

/** Reads argument `i` as the lower bound of a range, which may be exclusive. */
export function readStart(cx: Context, i: number, id: StreamId): void {
  if (readBound(cx, i, 0, id) && !idIncrement(id)) throw INVALID_START;
}

/** Reads argument `i` as the upper bound of a range. */
export function readEnd(cx: Context, i: number, id: StreamId): void {
  if (readBound(cx, i, IdRule.LastOfMs, id) && !idDecrement(id)) throw INVALID_END;
}

/** Reads a bound; true when it is exclusive. */
function readBound(cx: Context, i: number, rules: number, id: StreamId): boolean {
  const { buf, length, start } = cx;
  const isExclusive = length[i] > 1 && buf[start[i]] === PARENTHESIS;
  const skipped = isExclusive ? 1 : 0;
  const all = isExclusive ? rules : rules | IdRule.Ends;
  if (idParse(buf, start[i] + skipped, length[i] - skipped, all, id) === IdForm.Invalid) throw INVALID_ID;
  return isExclusive;
}

/** True when argument `i` is the single byte. */
export function isSign(cx: Context, i: number, byte: number): boolean {
  return cx.length[i] === 1 && cx.buf[cx.start[i]] === byte;
}

/** Ids of a request, four words each, for those who read all before they change anything. */
let ids = new Int32Array(64);

/** Reads `count` arguments from `first` on as ids; idOf() gives them back. */
export function readIds(cx: Context, first: number, count: number): void {
  reserveIds(count);
  for (let i = 0; i < count; i++) {
    readId(cx, first + i, one);
    keepId(i, one);
  }
}

const one = new Int32Array(4);

export function reserveIds(count: number): void {
  if (ids.length < count * 4) ids = new Int32Array(count * 8);
}

export function keepId(i: number, id: StreamId): void {
  ids[i * 4] = id[0];
  ids[i * 4 + 1] = id[1];
  ids[i * 4 + 2] = id[2];
  ids[i * 4 + 3] = id[3];
}

/** The id that was read as number `i`. */
export function idOf(i: number, id: StreamId): void {
  id[0] = ids[i * 4];
  id[1] = ids[i * 4 + 1];
  id[2] = ids[i * 4 + 2];
  id[3] = ids[i * 4 + 3];
}

// ---- replies

const text = new Uint8Array(ID_TEXT_MAX);

export function writeId(reply: ReplyWriter, id: StreamId): void {
  reply.bulk(text, 0, idWrite(text, 0, id));
}

function writeElement(reply: ReplyWriter, buf: Uint8Array, p: number): void {
  if (isString(buf, p)) {
    reply.bulk(buf, stringAt(buf, p), stringLength(buf, p));
    return;
  }
  readInteger(buf, p);
  reply.bulkInt64(integer.low, integer.high);
}

/** Answers an entry: its id, its fields and values, and room for `more` further elements. */
export function writeEntry(reply: ReplyWriter, walk: StreamWalk, more = 0): void {
  reply.array(2 + more);
  writeId(reply, walk.id);
  reply.array(walk.fields * 2);
  const { buf } = walk;
  let p = walk.body;
  if ((walk.flags & EntryFlag.Same) === 0) {
    for (let left = walk.fields * 2; left > 0; left--) {
      writeElement(reply, buf, p);
      p += elementBytes(buf, p);
    }
    return;
  }
  let field = walk.masterFields;
  for (let left = walk.fields; left > 0; left--) {
    writeElement(reply, buf, field);
    field += elementBytes(buf, field);
    writeElement(reply, buf, p);
    p += elementBytes(buf, p);
  }
}

/** Answers an array of the entries of a walk that is about to begin, at most `count` of them (0: all). */
export function writeEntries(cx: Context, s: Ref, walk: StreamWalk, count: number): void {
  const { arena: a, reply } = cx;
  const header = reply.beginDeferred();
  let written = 0;
  while (!reply.overflowed && walkNext(a, s, walk)) {
    writeEntry(reply, walk);
    if (++written === count) break;
  }
  reply.endDeferred(header, written);
}
