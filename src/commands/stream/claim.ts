/** XCLAIM and XAUTOCLAIM: other consumers take pending entries over. */
import type { Ref } from "../../arena/arena.ts";
import { untilNul } from "../../base/bytes.ts";
import { bigIntHigh, bigIntLow } from "../../base/int64.ts";
import { type Context, command } from "../../engine/context.ts";
import { Flag, oneKey } from "../../engine/spec/spec.ts";
import { ReplyError, SYNTAX } from "../../resp/errors.ts";
import { IndexCursor, indexFind, indexNext } from "../../struct/id-index/id-index.ts";
import {
  Consumer,
  groupIndex,
  groupReadLastId,
  groupSetLastId,
  Pending,
  pendingAdd,
  pendingAssign,
  pendingCountUp,
  pendingFind,
  pendingRemove,
  pendingTime,
  setItemTime,
} from "../../types/stream/stream-group.ts";
import { IdForm, idClear, idCompare, idCreate, idParse, idRead } from "../../types/stream/stream-id.ts";
import { StreamWalk, streamHas, walkFind } from "../../types/stream/stream-walk.ts";
import {
  groupedStream,
  groupOf,
  idOf,
  keepId,
  noKeyOrGroup,
  readId,
  readStart,
  reserveIds,
  writeEntry,
  writeId,
} from "./access.ts";
import { consumerUsed, useConsumer } from "./deliver.ts";
import { propagateClaim, propagateConsumer, propagateGroupId } from "./facts.ts";

const CLAIM_IDLE = new ReplyError("ERR Invalid min-idle-time argument for XCLAIM");
const AUTOCLAIM_IDLE = new ReplyError("ERR Invalid min-idle-time argument for XAUTOCLAIM");
const OPTION_IDLE = new ReplyError("ERR Invalid IDLE option argument for XCLAIM");
const OPTION_TIME = new ReplyError("ERR Invalid TIME option argument for XCLAIM");
const OPTION_RETRYCOUNT = new ReplyError("ERR Invalid RETRYCOUNT option argument for XCLAIM");
const COUNT_RANGE = new ReplyError("ERR COUNT must be > 0");
/** XAUTOCLAIM looks at so many entries for each that it may claim. */
const ATTEMPTS = 10;
const COUNT_DEFAULT = 100;
const COUNT_MAX = Number((1n << 63n) - 1n) / 16;

const options = { timeMs: -1, retryCount: -1n, force: false, justId: false };
const id = idCreate();
const lastId = idCreate();
const groupId = idCreate();
const cursor = new IndexCursor();
const nack = new IndexCursor();
const walk = new StreamWalk();

/** Reads the ids from argument 5 on, as far as arguments are ids. Returns their number. */
function readClaimIds(cx: Context): number {
  reserveIds(cx.argc);
  let count = 0;
  for (let i = 5; i < cx.argc; i++, count++) {
    if (idParse(cx.buf, cx.start[i], cx.length[i], 0, id) === IdForm.Invalid) break;
    keepId(count, id);
  }
  return count;
}

function readOptions(cx: Context, first: number): void {
  options.timeMs = -1;
  options.retryCount = -1n;
  options.force = false;
  options.justId = false;
  idClear(lastId);
  for (let i = first; i < cx.argc; i++) {
    const more = i + 1 < cx.argc;
    if (cx.isToken(i, "force")) options.force = true;
    else if (cx.isToken(i, "justid")) options.justId = true;
    else if (more && cx.isToken(i, "idle")) options.timeMs = cx.nowMs - cx.longInteger(++i, OPTION_IDLE);
    else if (more && cx.isToken(i, "time")) options.timeMs = cx.longInteger(++i, OPTION_TIME);
    else if (more && cx.isToken(i, "retrycount")) options.retryCount = cx.bigInteger(++i, OPTION_RETRYCOUNT);
    else if (more && cx.isToken(i, "lastid")) readId(cx, ++i, lastId);
    else throw new ReplyError(`ERR Unrecognized XCLAIM option '${untilNul(cx.text(i))}'`);
  }
  const { timeMs } = options;
  if (timeMs < 0 || timeMs > cx.nowMs) options.timeMs = cx.nowMs;
}

function xclaim(cx: Context): void {
  const { arena: a, reply } = cx;
  const s = groupedStream(cx, 1);
  const g = groupOf(cx, s, 2);
  if (g === 0) throw noKeyOrGroup(cx, 1, 2);
  const minIdleMs = Math.max(0, cx.longInteger(4, CLAIM_IDLE));
  const count = readClaimIds(cx);
  readOptions(cx, 5 + count);
  cx.propagateNothing();
  groupReadLastId(a, g, groupId);
  let movesGroup = idCompare(lastId, groupId) > 0;
  if (movesGroup) groupSetLastId(a, g, lastId);
  const consumer = useConsumer(cx, g, 3, 1);
  const { isNew } = consumerUsed;
  const header = reply.beginDeferred();
  let claimed = 0;
  for (let i = 0; i < count; i++) {
    idOf(i, id);
    const dirty = cx.dirty;
    if (claim(cx, s, g, consumer, minIdleMs)) claimed++;
    // What is propagated for an entry says where the group is, too.
    if (cx.dirty !== dirty) movesGroup = false;
  }
  if (movesGroup) {
    propagateGroupId(cx, 1, 2, g);
    cx.dirty++;
  }
  if (isNew && claimed === 0) propagateConsumer(cx, 1, 2, 3);
  reply.endDeferred(header, claimed);
}

/** Claims the entry of `id` and answers it; false when it is not claimed. */
function claim(cx: Context, s: Ref, g: Ref, consumer: Ref, minIdleMs: number): boolean {
  const { arena: a } = cx;
  const isPending = pendingFind(a, g, id, nack);
  if (!streamHas(a, s, id)) {
    if (isPending) forget(cx, g);
    return false;
  }
  if (isPending) {
    if (minIdleMs !== 0 && cx.nowMs - pendingTime(nack) < minIdleMs) return false;
  } else {
    if (!options.force) return false;
    pendingAdd(a, g, consumer, id, options.timeMs, 1, 0);
    pendingFind(a, g, id, nack);
  }
  if (options.retryCount >= 0n) {
    nack.words[nack.at + Pending.Count] = bigIntLow(options.retryCount);
    nack.words[nack.at + Pending.Count + 1] = bigIntHigh(options.retryCount);
  } else if (!options.justId) {
    pendingCountUp(nack);
  }
  take(cx, s, g, consumer, options.timeMs, options.justId);
  return true;
}

/** Forgets the pending entry of `id`, at the cursor `nack`: it is not in the stream any more. */
function forget(cx: Context, g: Ref): void {
  propagateClaim(cx, 1, 2, g, id, nack);
  cx.dirty++;
  pendingRemove(cx.arena, g, id);
}

/** Gives the pending entry of `id`, at the cursor `nack`, to the consumer and answers it. */
function take(cx: Context, s: Ref, g: Ref, consumer: Ref, timeMs: number, justId: boolean): void {
  const { arena: a, reply } = cx;
  pendingAssign(a, g, id, nack, consumer, timeMs);
  setItemTime(a, consumer, Consumer.Active, cx.nowMs);
  if (justId) {
    writeId(reply, id);
  } else {
    walkFind(a, s, walk, id);
    writeEntry(reply, walk);
  }
  propagateClaim(cx, 1, 2, g, id, nack);
  cx.dirty++;
}

const auto = { count: COUNT_DEFAULT, justId: false };

function readAutoOptions(cx: Context): void {
  auto.count = COUNT_DEFAULT;
  auto.justId = false;
  for (let i = 6; i < cx.argc; i++) {
    if (i + 1 < cx.argc && cx.isToken(i, "count")) {
      auto.count = cx.longInteger(++i, COUNT_RANGE);
      if (auto.count < 1 || auto.count > COUNT_MAX) throw COUNT_RANGE;
    } else if (cx.isToken(i, "justid")) {
      auto.justId = true;
    } else {
      throw SYNTAX;
    }
  }
}

/** Ids of pending entries that are not in the stream any more, four words each. */
const gone: number[] = [];
const next = idCreate();

function xautoclaim(cx: Context): void {
  const { reply } = cx;
  const minIdleMs = Math.max(0, cx.longInteger(4, AUTOCLAIM_IDLE));
  readStart(cx, 5, next);
  readAutoOptions(cx);
  const s = groupedStream(cx, 1);
  const g = groupOf(cx, s, 2);
  if (g === 0) throw noKeyOrGroup(cx, 1, 2);
  cx.propagateNothing();
  const consumer = useConsumer(cx, g, 3, 1);
  const { isNew } = consumerUsed;
  gone.length = 0;
  // The cursor comes first but is known last.
  const begin = reply.beginDeferred();
  const claimed = autoClaim(cx, s, g, consumer, minIdleMs);
  if (isNew && claimed === 0) propagateConsumer(cx, 1, 2, 3);
  reply.endDeferred(begin, claimed);
  const entries = reply.buf.slice(begin, reply.pos);
  reply.pos = begin;
  reply.array(3);
  writeId(reply, next);
  reply.rawBytes(entries, 0, entries.length);
  reply.array(gone.length / 4);
  for (let i = 0; i < gone.length; i += 4) {
    for (let k = 0; k < 4; k++) id[k] = gone[i + k];
    writeId(reply, id);
  }
}

/** Claims entries from `next` on, which is where to go on afterwards: 0-0 at the end. Returns how many. */
function autoClaim(cx: Context, s: Ref, g: Ref, consumer: Ref, minIdleMs: number): number {
  const { arena: a } = cx;
  const index = groupIndex(a, g);
  let attempts = auto.count * ATTEMPTS;
  let left = auto.count;
  let claimed = 0;
  let more = indexFind(a, index, next, cursor) || cursor.leaf !== 0;
  while (more && attempts-- > 0 && left > 0) {
    idRead(id, cursor.words, cursor.at);
    pendingFind(a, g, id, nack);
    if (!streamHas(a, s, id)) {
      forget(cx, g);
      gone.push(id[0], id[1], id[2], id[3]);
      left--;
      more = indexFind(a, index, id, cursor) || cursor.leaf !== 0;
      continue;
    }
    more = indexNext(a, index, cursor);
    if (minIdleMs !== 0 && cx.nowMs - pendingTime(nack) < minIdleMs) continue;
    if (!auto.justId) pendingCountUp(nack);
    take(cx, s, g, consumer, cx.nowMs, auto.justId);
    left--;
    claimed++;
  }
  if (more) idRead(next, cursor.words, cursor.at);
  else idClear(next);
  return claimed;
}

const STREAM = { group: "stream", categories: ["stream"] } as const;

export const STREAM_CLAIM_COMMANDS = [
  command({
    ...STREAM,
    name: "xclaim",
    arity: -6,
    flags: Flag.Write | Flag.Fast,
    since: "5.0.0",
    summary: "Gives pending entries to a consumer and answers them.",
    complexity: "O(log N) for each id, N being the number of entries that are pending in the group.",
    keys: [oneKey("RW update")],
    tips: ["nondeterministic_output"],
    syntax:
      "key:key group consumer min-idle-time id ... [IDLE ms:integer] [TIME unix-time-milliseconds:unix-time] [RETRYCOUNT count:integer] [FORCE] [JUSTID] [LASTID lastid]",
    run: xclaim,
  }),
  command({
    ...STREAM,
    name: "xautoclaim",
    arity: -6,
    flags: Flag.Write | Flag.Fast,
    since: "6.2.0",
    summary: "Gives entries that have been pending for some time to a consumer and answers them.",
    complexity: "O(1) with a small COUNT.",
    keys: [oneKey("RW delete")],
    tips: ["nondeterministic_output"],
    syntax: "key:key group consumer min-idle-time start [COUNT count:integer] [JUSTID]",
    history: [["7.0.0", "Entries that are deleted are answered in a list of their own and are not pending any more."]],
    run: xautoclaim,
  }),
];
