/** The stream as a value type: what is done to streams without knowing that they are. */
import type { Arena, Ref } from "../../arena/arena.ts";
import { blobCapacity } from "../../arena/blob.ts";
import {
  IndexCursor,
  indexBytes,
  indexCount,
  indexFirst,
  indexLast,
  indexNext,
} from "../../struct/id-index/id-index.ts";
import { indexDropLast, indexDropLeaf } from "../../struct/id-index/id-index-delete.ts";
import { indexInsert } from "../../struct/id-index/id-index-insert.ts";
import { listpackCopy } from "../../struct/listpack/listpack.ts";
import { elementBytes, isString, ListpackElement } from "../../struct/listpack/listpack-element.ts";
import { containerRoot, setContainerRoot } from "../container.ts";
import type { Digest } from "../digest.ts";
import type { ValueType } from "../value-type.ts";
import {
  Head,
  streamAt,
  streamFreeBlock,
  streamHeadCreate,
  streamIndex,
  streamIsFrozen,
  streamWords,
} from "./stream.ts";
import { EntryFlag } from "./stream-block.ts";
import {
  Consumer,
  consumerAt,
  consumerCount,
  consumerCreate,
  consumerIndex,
  groupAt,
  groupCount,
  groupCreate,
  groupDropConsumer,
  groupFree,
  groupIndex,
  groupReadHigh,
  groupReadLastId,
  groupReadLow,
  groupSetRead,
  groupTimeIndex,
  itemTime,
  Pending,
  pendingAdd,
  pendingFind,
  pendingTime,
  setItemTime,
  streamFreeHead,
} from "./stream-group.ts";
import { ID_TEXT_MAX, ID_WORDS, idCreate, idRead, idSetMax, idWrite } from "./stream-id.ts";
import { nameAt, nameBuffer, nameLength, namesRemove } from "./stream-names.ts";
import { StreamWalk, walkNext, walkStart } from "./stream-walk.ts";

/** What a step counts as: blocks that it frees, about. */
const STEP_COST = 2;
const DASH = 45;
const DOT = 46;

const cursor = new IndexCursor();
const other = new IndexCursor();
const id = idCreate();
const least = idCreate();
const greatest = idCreate();
idSetMax(greatest);
const walk = new StreamWalk();
const element = new ListpackElement();
const idBytes = new Uint8Array(ID_TEXT_MAX);

function freeStep(a: Arena, e: Ref, budget: number): boolean {
  const s = containerRoot(a, e);
  const index = streamIndex(a, s);
  let left = budget;
  for (; left > 0 && indexLast(a, index, cursor); left -= STEP_COST) {
    idRead(id, cursor.words, cursor.at);
    streamFreeBlock(a, s, id, cursor.words[cursor.at + ID_WORDS]);
    indexDropLast(a, index);
  }
  for (; left > 0 && groupCount(a, s) > 0; left -= STEP_COST) stripGroup(a, s);
  if (indexCount(a, index) > 0 || groupCount(a, s) > 0) return false;
  if (streamIsFrozen(a, s)) a.frozen.vanish(s);
  streamFreeHead(a, s);
  return true;
}

/** Takes a piece off the last group: a leaf of pending entries, of the group or of its last consumer, that consumer, or the group itself when it is bare. */
function stripGroup(a: Arena, s: Ref): void {
  const last = groupCount(a, s) - 1;
  const g = groupAt(a, s, last);
  if (indexDropLeaf(a, groupIndex(a, g)) || indexDropLeaf(a, groupTimeIndex(a, g))) return;
  const consumers = consumerCount(a, g);
  if (consumers > 0) {
    if (!indexDropLeaf(a, consumerIndex(a, consumerAt(a, g, consumers - 1)))) groupDropConsumer(a, g);
    return;
  }
  groupFree(a, g);
  const field = streamAt(s) + Head.Groups;
  streamWords(a, s)[field] = namesRemove(a, streamWords(a, s)[field], last);
}

function free(a: Arena, e: Ref): void {
  while (!freeStep(a, e, 1 << 30));
}

function freeEffort(a: Arena, e: Ref): number {
  const s = containerRoot(a, e);
  let effort = indexCount(a, streamIndex(a, s));
  for (let i = groupCount(a, s) - 1; i >= 0; i--) {
    const g = groupAt(a, s, i);
    effort += 1 + consumerCount(a, g) + indexCount(a, groupIndex(a, g));
  }
  return effort === 0 ? 1 : effort;
}

function outsideBytes(a: Arena, e: Ref, samples: number): number {
  const s = containerRoot(a, e);
  const index = streamIndex(a, s);
  const blocks = indexCount(a, index);
  let bytes = 0;
  let seen = 0;
  let more = indexFirst(a, index, cursor);
  for (; more && (samples === 0 || seen < samples); more = indexNext(a, index, cursor), seen++)
    bytes += blobCapacity(a, cursor.words[cursor.at + ID_WORDS]);
  // The last block, which is still growing, is not taken for a typical one.
  if (more && indexLast(a, index, cursor)) {
    bytes = Math.round((bytes / seen) * (blocks - 1)) + blobCapacity(a, cursor.words[cursor.at + ID_WORDS]);
  }
  bytes += a.capacity(s) + indexBytes(a, index);
  for (let i = groupCount(a, s) - 1; i >= 0; i--) bytes += groupBytes(a, groupAt(a, s, i), samples);
  return bytes;
}

function groupBytes(a: Arena, g: Ref, samples: number): number {
  let bytes = a.capacity(g) + nameLength(a, g) + indexBytes(a, groupIndex(a, g)) + indexBytes(a, groupTimeIndex(a, g));
  const consumers = consumerCount(a, g);
  const looked = samples === 0 || samples > consumers ? consumers : samples;
  let found = 0;
  for (let i = 0; i < looked; i++) {
    const c = consumerAt(a, g, i);
    found += a.capacity(c) + nameLength(a, c) + indexBytes(a, consumerIndex(a, c));
  }
  if (looked > 0) bytes += Math.round((found / looked) * consumers);
  return bytes;
}

function copy(a: Arena, source: Ref, target: Ref): void {
  const from = containerRoot(a, source);
  const to = streamHeadCreate(a);
  setContainerRoot(a, target, to);
  const w = streamWords(a, to);
  const own = streamWords(a, from);
  for (let i = Head.Length; i < Head.MaxDeletedId + ID_WORDS; i++) w[streamAt(to) + i] = own[streamAt(from) + i];
  const index = streamIndex(a, from);
  const fresh = streamIndex(a, to);
  for (let more = indexFirst(a, index, cursor); more; more = indexNext(a, index, cursor)) {
    idRead(id, cursor.words, cursor.at);
    const block = listpackCopy(a, cursor.words[cursor.at + ID_WORDS]);
    indexInsert(a, fresh, id, other);
    other.words[other.at + ID_WORDS] = block;
  }
  for (let i = 0; i < groupCount(a, from); i++) copyGroup(a, groupAt(a, from, i), to);
}

function copyGroup(a: Arena, g: Ref, to: Ref): void {
  groupReadLastId(a, g, id);
  const fresh = groupCreate(a, to, nameBuffer(a, g), nameAt(a, g), nameLength(a, g), id);
  groupSetRead(a, fresh, groupReadLow(a, g), groupReadHigh(a, g));
  for (let i = 0; i < consumerCount(a, g); i++) {
    const c = consumerAt(a, g, i);
    const seen = itemTime(a, c, Consumer.Seen);
    const twin = consumerCreate(a, fresh, nameBuffer(a, c), nameAt(a, c), nameLength(a, c), seen);
    setItemTime(a, twin, Consumer.Active, itemTime(a, c, Consumer.Active));
    const index = consumerIndex(a, c);
    for (let more = indexFirst(a, index, cursor); more; more = indexNext(a, index, cursor)) {
      idRead(id, cursor.words, cursor.at);
      pendingFind(a, g, id, other);
      const at = other.at + Pending.Count;
      pendingAdd(a, fresh, twin, id, pendingTime(other), other.words[at], other.words[at + 1]);
    }
  }
}

/** As Redis: ids (with a dot), fields and values in their order; the state of groups is no part of it. */
function digest(a: Arena, e: Ref, into: Digest): void {
  const s = containerRoot(a, e);
  walkStart(a, s, walk, least, greatest, false);
  while (walkNext(a, s, walk)) {
    const length = idWrite(idBytes, 0, walk.id);
    idBytes[idBytes.indexOf(DASH)] = DOT;
    into.mix(idBytes, 0, length);
    const isSame = (walk.flags & EntryFlag.Same) !== 0;
    let p = walk.body;
    let field = isSame ? walk.masterFields : p;
    for (let i = 0; i < walk.fields; i++) {
      mixElement(into, walk.buf, field);
      if (isSame) field += elementBytes(walk.buf, field);
      else p = field + elementBytes(walk.buf, field);
      mixElement(into, walk.buf, p);
      p += elementBytes(walk.buf, p);
      if (!isSame) field = p;
    }
  }
}

function mixElement(into: Digest, buf: Uint8Array, p: number): void {
  element.read(buf, p);
  if (!isString(buf, p)) element.text();
  into.mix(element.buf, element.at, element.length);
}

/** The stream's row. */
export const STREAM: ValueType = { free, freeEffort, freeStep, outsideBytes, copy, digest };
