// Walks a whole stream and checks that its parts agree.
import type { Arena, Ref } from "../../src/arena/arena.ts";
import {
  IndexCursor,
  indexCheck,
  indexCount,
  indexFind,
  indexFirst,
  indexNext,
} from "../../src/struct/id-index/id-index.ts";
import { listpackCheck } from "../../src/struct/listpack/listpack.ts";
import { Head, streamIndex, streamLength, streamReadId } from "../../src/types/stream/stream.ts";
import {
  BlockWalk,
  blockCount,
  blockTotal,
  EntryFlag,
  walkFirst,
  walkForward,
  walkOpen,
} from "../../src/types/stream/stream-block.ts";
import {
  consumerAt,
  consumerCount,
  consumerIndex,
  groupAt,
  groupCount,
  groupIndex,
  groupTimeIndex,
  Pending,
  pendingFind,
  pendingTime,
  timeOfRecord,
} from "../../src/types/stream/stream-group.ts";
import { ID_WORDS, idClear, idCompare, idCreate, idRead, idSet, idText } from "../../src/types/stream/stream-id.ts";

/** Throws an Error that names what is wrong. `s` is the head of a stream. */
export function streamCheck(a: Arena, s: Ref): void {
  const index = streamIndex(a, s);
  const cursor = new IndexCursor();
  const walk = new BlockWalk();
  const before = idCreate();
  const first = idCreate();
  let length = 0;
  let entries = 0;
  indexCheck(a, index);
  for (let more = indexFirst(a, index, cursor); more; more = indexNext(a, index, cursor)) {
    const block = cursor.words[cursor.at + ID_WORDS];
    listpackCheck(a, block);
    idRead(walk.master, cursor.words, cursor.at);
    walkOpen(a, block, walk);
    let alive = 0;
    let all = 0;
    for (let has = walkFirst(walk); has; has = walkForward(walk), all++, entries++) {
      if (entries > 0 && idCompare(walk.id, before) <= 0) throw new Error(`stream: ${idText(walk.id)} is out of order`);
      idSet(before, walk.id);
      if ((walk.flags & EntryFlag.Deleted) !== 0) continue;
      if (length === 0) idSet(first, walk.id);
      length++;
      alive++;
    }
    if (alive === 0) throw new Error("stream: a block has no entries");
    if (alive !== blockCount(a, block) || all !== blockTotal(a, block))
      throw new Error(
        `stream: a block says ${blockCount(a, block)} of ${blockTotal(a, block)}, not ${alive} of ${all}`,
      );
  }
  if (length !== streamLength(a, s)) throw new Error(`stream: length ${streamLength(a, s)}, not ${length}`);
  if (length === 0) idClear(first);
  streamReadId(a, s, Head.FirstId, before);
  if (idCompare(first, before) !== 0) throw new Error(`stream: first id ${idText(before)}, not ${idText(first)}`);
  for (let i = groupCount(a, s) - 1; i >= 0; i--) checkGroup(a, groupAt(a, s, i));
}

function checkGroup(a: Arena, g: Ref): void {
  const cursor = new IndexCursor();
  const nack = new IndexCursor();
  const id = idCreate();
  const index = groupIndex(a, g);
  const byTime = groupTimeIndex(a, g);
  indexCheck(a, index);
  indexCheck(a, byTime);
  if (indexCount(a, index) !== indexCount(a, byTime))
    throw new Error("stream: the two orders of pending entries differ");
  for (let more = indexFirst(a, byTime, cursor); more; more = indexNext(a, byTime, cursor)) {
    idRead(id, cursor.words, cursor.at + 2);
    if (!pendingFind(a, g, id, nack) || pendingTime(nack) !== timeOfRecord(cursor))
      throw new Error(`stream: ${idText(id)} has another time`);
    const consumer = nack.words[nack.at + Pending.Consumer];
    if (!indexFind(a, consumerIndex(a, consumer), id, nack))
      throw new Error(`stream: ${idText(id)} is not its consumer's`);
  }
  let pending = 0;
  for (let i = consumerCount(a, g) - 1; i >= 0; i--) {
    const own = consumerIndex(a, consumerAt(a, g, i));
    indexCheck(a, own);
    pending += indexCount(a, own);
  }
  if (pending !== indexCount(a, index)) throw new Error(`stream: consumers have ${pending} pending entries`);
}
