/** XADD, XTRIM, XDEL and XSETID. */
import type { Ref } from "../../arena/arena.ts";
import { bigIntHigh, bigIntLow } from "../../base/int64.ts";
import { type Context, command } from "../../engine/context.ts";
import { Event } from "../../engine/effects.ts";
import { Flag, oneKey } from "../../engine/spec/spec.ts";
import { NO_SUCH_KEY, ReplyError, SYNTAX, wrongArity } from "../../resp/errors.ts";
import {
  BLOCK_BYTES_MAX,
  Head,
  streamAppend,
  streamLength,
  streamReadId,
  streamSetAdded,
  streamStoreId,
} from "../../types/stream/stream.ts";
import {
  idClear,
  idCompare,
  idCreate,
  idIncrement,
  idIsMax,
  idIsZero,
  idMsEqual,
  idSet,
  idSetMs,
  idText,
} from "../../types/stream/stream-id.ts";
import { streamDelete, streamDeleted, streamTrim, Trim } from "../../types/stream/stream-trim.ts";
import { streamEdgeId } from "../../types/stream/stream-walk.ts";
import { idOf, newStream, readId, readIds, streamLimits, writeId, writeStream } from "./access.ts";
import { IdChoice, propagateTrim, readTrimOptions, trimOptions } from "./trim-options.ts";

const ZERO_ID = new ReplyError("ERR The ID specified in XADD must be greater than 0-0");
const EXHAUSTED = new ReplyError("ERR The stream has exhausted the last possible ID, unable to add more items");
const SMALL_ID = new ReplyError("ERR The ID specified in XADD is equal or smaller than the target stream top item");
const TOO_LARGE = new ReplyError("ERR Elements are too large to be stored");
const ADDED_NEGATIVE = new ReplyError("ERR entries_added must be positive");
const BELOW_GIVEN = new ReplyError("ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id");
const BELOW_DELETED = new ReplyError("ERR The ID specified in XSETID is smaller than current max_deleted_entry_id");
const BELOW_TOP = new ReplyError("ERR The ID specified in XSETID is smaller than the target stream top item");
const ADDED_SMALL = new ReplyError(
  "ERR The entries_added specified in XSETID is smaller than the target stream length",
);

const last = idCreate();
const id = idCreate();

function xadd(cx: Context): void {
  const { arena: a, buf, length, start } = cx;
  readTrimOptions(cx, true);
  const options = trimOptions;
  const first = options.idArg + 1;
  const values = cx.argc - first;
  if (values < 2 || (values & 1) === 1) throw wrongArity("xadd");
  if (options.idChoice === IdChoice.Given && idIsZero(options.id)) throw ZERO_ID;
  let s = writeStream(cx, 1);
  if (s === 0) {
    if (options.noStream) {
      cx.reply.nil();
      return;
    }
    idClear(last);
  } else {
    streamReadId(a, s, Head.LastId, last);
    if (idIsMax(last)) throw EXHAUSTED;
  }
  chooseId(cx);
  if (idCompare(id, last) <= 0) throw SMALL_ID;
  let bytes = 0;
  for (let i = first; i < cx.argc; i++) bytes += length[i];
  if (bytes > BLOCK_BYTES_MAX) throw TOO_LARGE;

  if (s === 0) s = newStream(cx, 1);
  streamAppend(a, s, id, buf, start, length, first, values >> 1, bytes, streamLimits(cx));
  cx.changed(1, Event.Stream, "xadd");
  if (options.strategy !== Trim.None && streamTrim(a, s, options) > 0) cx.notify(1, Event.Stream, "xtrim");
  writeId(cx.reply, id);
  const isChosen = options.idChoice !== IdChoice.Given;
  if (cx.propagates && (isChosen || options.isApproximate)) propagateTrim(cx, s, isChosen ? idText(id) : null);
}

/** Sets `id` to that of the new entry, `last` being the stream's last one. */
function chooseId(cx: Context): void {
  const options = trimOptions;
  if (options.idChoice === IdChoice.Given) {
    idSet(id, options.id);
    return;
  }
  if (options.idChoice === IdChoice.Sequence) {
    idSet(id, options.id);
    if (!idMsEqual(id, last)) return;
    idSet(id, last);
    // The next id would be in another millisecond.
    if ((last[2] & last[3]) !== -1) idIncrement(id);
    return;
  }
  idSetMs(id, cx.nowMs);
  if (idCompare(id, last) > 0 && !idMsEqual(id, last)) return;
  idSet(id, last);
  idIncrement(id);
}

function xtrim(cx: Context): void {
  readTrimOptions(cx, false);
  const s = writeStream(cx, 1);
  if (s === 0) {
    cx.reply.integer(0);
    return;
  }
  const deleted = streamTrim(cx.arena, s, trimOptions);
  if (deleted > 0) {
    cx.changed(1, Event.Stream, "xtrim");
    cx.dirty += deleted - 1;
    if (trimOptions.isApproximate && cx.propagates) propagateTrim(cx, s, null);
  }
  cx.reply.integer(deleted);
}

function xdel(cx: Context): void {
  const s = writeStream(cx, 1);
  if (s === 0) {
    cx.reply.integer(0);
    return;
  }
  readIds(cx, 2, cx.argc - 2);
  let deleted = 0;
  for (let i = cx.argc - 3, n = 0; i >= 0; i--, n++) {
    idOf(n, id);
    if (!streamDelete(cx.arena, s, id)) continue;
    streamDeleted(cx.arena, s, id);
    deleted++;
  }
  reportDeleted(cx, deleted);
  cx.reply.integer(deleted);
}

/** Reports entries of argument 1 that were deleted by name. */
export function reportDeleted(cx: Context, deleted: number): void {
  if (deleted === 0) return;
  cx.changed(1, Event.Stream, "xdel");
  cx.dirty += deleted - 1;
}

const maxDeleted = idCreate();

/** XSETID's number of added entries; -1 when it is not given. */
function readSetOptions(cx: Context): bigint {
  let added = -1n;
  idClear(maxDeleted);
  for (let i = 3; i < cx.argc; i += 2) {
    if (i + 1 === cx.argc) throw SYNTAX;
    if (cx.isToken(i, "entriesadded")) {
      added = cx.bigInteger(i + 1);
      if (added < 0n) throw ADDED_NEGATIVE;
    } else if (cx.isToken(i, "maxdeletedid")) {
      readId(cx, i + 1, maxDeleted);
      if (idCompare(id, maxDeleted) < 0) throw BELOW_GIVEN;
    } else {
      throw SYNTAX;
    }
  }
  return added;
}

function checkSetId(cx: Context, s: Ref, added: bigint): void {
  const { arena: a } = cx;
  streamReadId(a, s, Head.MaxDeletedId, last);
  if (idCompare(id, last) < 0) throw BELOW_DELETED;
  const length = streamLength(a, s);
  if (length === 0) return;
  streamEdgeId(a, s, true, last);
  if (idCompare(id, last) < 0) throw BELOW_TOP;
  if (added !== -1n && BigInt(length) > added) throw ADDED_SMALL;
}

function xsetid(cx: Context): void {
  readId(cx, 2, id);
  const added = readSetOptions(cx);
  const s = writeStream(cx, 1);
  if (s === 0) throw NO_SUCH_KEY;
  checkSetId(cx, s, added);
  streamStoreId(cx.arena, s, Head.LastId, id);
  if (added !== -1n) streamSetAdded(cx.arena, s, bigIntLow(added), bigIntHigh(added));
  if (!idIsZero(maxDeleted)) streamStoreId(cx.arena, s, Head.MaxDeletedId, maxDeleted);
  cx.changed(1, Event.Stream, "xsetid");
  cx.reply.ok();
}

const STREAM = { group: "stream", categories: ["stream"], since: "5.0.0" } as const;
const REFERENCES = "condition=[KEEPREF | DELREF | ACKED]@8.2.0";

export const STREAM_WRITE_COMMANDS = [
  command({
    ...STREAM,
    name: "xadd",
    arity: -5,
    flags: Flag.Write | Flag.DenyOom | Flag.Fast,
    summary: "Appends an entry to a stream, which is made if it does not exist, and can trim it at the same time.",
    complexity: "O(1) to append an entry; trimming takes O(N) for N entries that go.",
    keys: [{ ...oneKey("RW update"), notes: "UPDATE instead of INSERT because of the optional trimming feature" }],
    tips: ["nondeterministic_output"],
    syntax: `key:key [NOMKSTREAM@6.2.0] ${REFERENCES} trim=[strategy=<MAXLEN | MINID@6.2.0> operator=[= | ~] threshold [LIMIT count:integer@6.2.0]] id-selector=<* | id> data=<field value> ...`,
    history: [
      ["6.2.0", "NOMKSTREAM, MINID and LIMIT came."],
      ["7.0.0", "An id may leave its sequence number to the server: `<ms>-*`."],
      ["8.2.0", "KEEPREF, DELREF and ACKED came."],
    ],
    run: xadd,
  }),
  command({
    ...STREAM,
    name: "xtrim",
    arity: -4,
    flags: Flag.Write,
    summary: "Deletes the oldest entries of a stream.",
    complexity: "O(N) for N entries that go, in whole blocks of them for the most part.",
    keys: [oneKey("RW delete")],
    tips: ["nondeterministic_output"],
    syntax: `key:key trim=<strategy=<MAXLEN | MINID@6.2.0> operator=[= | ~] threshold [LIMIT count:integer@6.2.0] ${REFERENCES}>`,
    history: [
      ["6.2.0", "MINID and LIMIT came."],
      ["8.2.0", "KEEPREF, DELREF and ACKED came."],
    ],
    run: xtrim,
  }),
  command({
    ...STREAM,
    name: "xdel",
    arity: -3,
    flags: Flag.Write | Flag.Fast,
    summary: "Deletes entries of a stream and answers how many there were.",
    complexity: "O(1) for each entry, whatever the size of the stream.",
    keys: [oneKey("RW delete")],
    syntax: "key:key id ...",
    run: xdel,
  }),
  command({
    ...STREAM,
    name: "xsetid",
    arity: -3,
    flags: Flag.Write | Flag.DenyOom | Flag.Fast,
    summary: "Sets the last id of a stream. Meant for replication and rewriting of logs.",
    complexity: "O(1)",
    keys: [oneKey("RW update")],
    syntax: "key:key last-id [ENTRIESADDED entries-added:integer@7.0.0] [MAXDELETEDID max-deleted-id@7.0.0]",
    history: [["7.0.0", "ENTRIESADDED and MAXDELETEDID came."]],
    run: xsetid,
  }),
];
