/**
 * Streams:
 *
 *   [blocks] ([id:16 as string][listpack as string]) ... [length][last id] , second form: [first id][greatest deleted id][entries added]
 *   [groups] group ...
 *   group      [name][last id], second form: [entries read] , [pending] ([id:16][time:8][deliveries]) ... [consumers] consumer ...
 *   consumer   [name][seen:8], third form: [active:8] , [pending] [id:16] ...
 *
 * where an id that is not 16 bytes, most significant first, is two lengths.
 */
import type { Arena, Ref } from "../arena/arena.ts";
import { blobAt, blobBuffer } from "../arena/blob.ts";
import { int64High, int64Low } from "../base/int64.ts";
import { IndexCursor, indexFind, indexFirst, indexNext } from "../struct/id-index/id-index.ts";
import { listpackBytes } from "../struct/listpack/listpack.ts";
import {
  Head,
  streamAddBlock,
  streamAddedHigh,
  streamAddedLow,
  streamAddLength,
  streamBlocks,
  streamCreate,
  streamIndex,
  streamLength,
  streamOf,
  streamReadId,
  streamSetAdded,
  streamStoreId,
} from "../types/stream/stream.ts";
import {
  BlockWalk,
  blockEntries,
  blockIsValid,
  walkFirst,
  walkForward,
  walkOpen,
} from "../types/stream/stream-block.ts";
import {
  Consumer,
  consumerAt,
  consumerCount,
  consumerCreate,
  consumerFind,
  consumerIndex,
  consumerPending,
  groupAt,
  groupCount,
  groupCreate,
  groupFind,
  groupIndex,
  groupPending,
  groupReadHigh,
  groupReadLastId,
  groupReadLow,
  groupSetRead,
  itemTime,
  Pending,
  pendingAdd,
  pendingTime,
  setItemTime,
} from "../types/stream/stream-group.ts";
import { ID_WORDS, idCompare, idCreate, idSet, type StreamId } from "../types/stream/stream-id.ts";
import { distance, estimateDistance } from "../types/stream/stream-lag.ts";
import { nameAt, nameBuffer, nameLength } from "../types/stream/stream-names.ts";
import { streamRenewFirst } from "../types/stream/stream-walk.ts";
import { entryDiscard } from "../types/value.ts";
import { RdbType, SET_LISTPACK_VERSION } from "./format.ts";
import { type RdbInput, StringSlot } from "./input.ts";
import { looksLikeListpack } from "./listpack-integrity.ts";
import type { RdbOutput } from "./output.ts";
import type { ReadingLimits, TypeReader, TypeWriter } from "./value.ts";

const ID_BYTES = 16;
/** What a block counts as. */
const BLOCK_COST = 16;

const Phase = { Head: 0, Blocks: 1, Facts: 2, Group: 3, Pending: 4, Consumer: 5, Owned: 6, Done: 7 } as const;

export class StreamWriter implements TypeWriter {
  readonly #arena: Arena;
  readonly #cursor = new IndexCursor();
  readonly #id: StreamId = idCreate();
  readonly #bytes = new Uint8Array(ID_BYTES);
  #s: Ref = 0;
  #phase: number = Phase.Head;
  #more = false;
  #group = 0;
  #consumer = 0;

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  rdbType(_e: Ref, version: number): number {
    return version >= SET_LISTPACK_VERSION ? RdbType.StreamListpacks3 : RdbType.StreamListpacks2;
  }

  begin(e: Ref): void {
    this.#s = streamOf(this.#arena, e);
    this.#phase = Phase.Head;
    this.#group = 0;
  }

  step(out: RdbOutput, budget: number): boolean {
    for (let left = budget; left > 0; ) {
      left -= this.#part(out);
      if (this.#phase === Phase.Done) return true;
    }
    return false;
  }

  /** Writes a part of the value; returns what that counts as. */
  #part(out: RdbOutput): number {
    const a = this.#arena;
    const s = this.#s;
    switch (this.#phase) {
      case Phase.Head:
        out.length(streamBlocks(a, s));
        this.#more = indexFirst(a, streamIndex(a, s), this.#cursor);
        this.#phase = Phase.Blocks;
        return 1;
      case Phase.Blocks:
        if (this.#more) this.#block(out);
        else this.#phase = Phase.Facts;
        return BLOCK_COST;
      case Phase.Facts:
        this.#facts(out);
        this.#phase = Phase.Group;
        return 1;
      case Phase.Group:
        if (this.#group < groupCount(a, s)) this.#beginGroup(out);
        else this.#phase = Phase.Done;
        return 1;
      case Phase.Pending:
        if (this.#more) this.#pending(out);
        else this.#beginConsumers(out);
        return 1;
      case Phase.Consumer:
        this.#beginConsumer(out);
        return 1;
      default:
        this.#owned(out);
        return 1;
    }
  }

  #rawId(out: RdbOutput, words: Int32Array, at: number, asString: boolean): void {
    const b = this.#bytes;
    for (let i = 0; i < ID_BYTES; i++) b[i] = words[at + (i >> 2)] >>> (24 - (i & 3) * 8);
    if (asString) out.length(ID_BYTES);
    out.rawBytes(b, 0, ID_BYTES);
  }

  #lengthId(out: RdbOutput): void {
    const id = this.#id;
    out.length64(id[1], id[0]);
    out.length64(id[3], id[2]);
  }

  #time(out: RdbOutput, ms: number): void {
    out.int64(int64Low(ms), int64High(ms));
  }

  #name(out: RdbOutput, item: Ref): void {
    const a = this.#arena;
    out.string(nameBuffer(a, item), nameAt(a, item), nameLength(a, item));
  }

  #block(out: RdbOutput): void {
    const a = this.#arena;
    const { words, at } = this.#cursor;
    this.#rawId(out, words, at, true);
    const lp = words[at + ID_WORDS];
    out.string(blobBuffer(a, lp), blobAt(a, lp), listpackBytes(a, lp));
    this.#more = indexNext(a, streamIndex(a, this.#s), this.#cursor);
  }

  #facts(out: RdbOutput): void {
    const a = this.#arena;
    const s = this.#s;
    out.length(streamLength(a, s));
    for (const field of [Head.LastId, Head.FirstId, Head.MaxDeletedId]) {
      streamReadId(a, s, field, this.#id);
      this.#lengthId(out);
    }
    out.length64(streamAddedLow(a, s), streamAddedHigh(a, s));
    out.length(groupCount(a, s));
  }

  #beginGroup(out: RdbOutput): void {
    const a = this.#arena;
    const g = groupAt(a, this.#s, this.#group);
    this.#name(out, g);
    groupReadLastId(a, g, this.#id);
    this.#lengthId(out);
    out.length64(groupReadLow(a, g), groupReadHigh(a, g));
    out.length(groupPending(a, g));
    this.#more = indexFirst(a, groupIndex(a, g), this.#cursor);
    this.#phase = Phase.Pending;
  }

  #pending(out: RdbOutput): void {
    const a = this.#arena;
    const { words, at } = this.#cursor;
    this.#rawId(out, words, at, false);
    this.#time(out, pendingTime(this.#cursor));
    out.length64(words[at + Pending.Count], words[at + Pending.Count + 1]);
    this.#more = indexNext(a, groupIndex(a, groupAt(a, this.#s, this.#group)), this.#cursor);
  }

  #beginConsumers(out: RdbOutput): void {
    const a = this.#arena;
    out.length(consumerCount(a, groupAt(a, this.#s, this.#group)));
    this.#consumer = 0;
    this.#phase = Phase.Consumer;
  }

  #beginConsumer(out: RdbOutput): void {
    const a = this.#arena;
    const g = groupAt(a, this.#s, this.#group);
    if (this.#consumer === consumerCount(a, g)) {
      this.#group++;
      this.#phase = Phase.Group;
      return;
    }
    const c = consumerAt(a, g, this.#consumer);
    this.#name(out, c);
    this.#time(out, itemTime(a, c, Consumer.Seen));
    if (out.version >= SET_LISTPACK_VERSION) this.#time(out, itemTime(a, c, Consumer.Active));
    out.length(consumerPending(a, c));
    this.#more = indexFirst(a, consumerIndex(a, c), this.#cursor);
    this.#phase = Phase.Owned;
  }

  #owned(out: RdbOutput): void {
    const a = this.#arena;
    if (!this.#more) {
      this.#consumer++;
      this.#phase = Phase.Consumer;
      return;
    }
    this.#rawId(out, this.#cursor.words, this.#cursor.at, false);
    const c = consumerAt(a, groupAt(a, this.#s, this.#group), this.#consumer);
    this.#more = indexNext(a, consumerIndex(a, c), this.#cursor);
  }
}

interface Waiting {
  readonly timeMs: number;
  readonly low: number;
  readonly high: number;
}

export class StreamReader implements TypeReader {
  readonly #arena: Arena;
  readonly #limits: ReadingLimits;
  readonly #slot = new StringSlot();
  readonly #block = new StringSlot();
  readonly #id: StreamId = idCreate();
  readonly #lastId: StreamId = idCreate();
  /** The id of the last entry so far, once there is one whose place has been looked at. */
  readonly #latest: StreamId = idCreate();
  #isOrdered = false;
  readonly #walk = new BlockWalk();
  readonly #cursor = new IndexCursor();
  #type = 0;
  #e: Ref = 0;
  #s: Ref = 0;
  #phase: number = Phase.Head;
  #left = 0;
  /** Entries of the blocks so far. */
  #entries = 0;
  #groups = 0;
  #group: Ref = 0;
  #consumers = 0;
  #consumer: Ref = 0;
  /** Pending entries of the group whose consumer has not come yet, by the text of their id. */
  #waiting = new Map<string, Waiting>();

  constructor(arena: Arena, limits: ReadingLimits) {
    this.#arena = arena;
    this.#limits = limits;
  }

  begin(type: number, key: StringSlot): void {
    this.#type = type;
    this.#entries = 0;
    this.#isOrdered = false;
    this.#e = streamCreate(this.#arena, key.buf, key.at, key.length, 0);
    this.#s = streamOf(this.#arena, this.#e);
    this.#phase = Phase.Head;
  }

  step(input: RdbInput): boolean {
    switch (this.#phase) {
      case Phase.Head:
        this.#left = input.length();
        this.#phase = this.#left === 0 ? Phase.Facts : Phase.Blocks;
        return false;
      case Phase.Blocks:
        this.#readBlock(input);
        return false;
      case Phase.Facts:
        this.#facts(input);
        return this.#groups === 0;
      case Phase.Group:
        this.#beginGroup(input);
        return false;
      case Phase.Pending:
        this.#pending(input);
        return false;
      case Phase.Consumer:
        return this.#beginConsumer(input);
      default:
        return this.#owned(input);
    }
  }

  #rawId(buf: Uint8Array, at: number): void {
    for (let i = 0; i < ID_WORDS; i++) {
      const p = at + i * 4;
      this.#id[i] = (buf[p] << 24) | (buf[p + 1] << 16) | (buf[p + 2] << 8) | buf[p + 3];
    }
  }

  #inputId(input: RdbInput): void {
    input.need(ID_BYTES);
    this.#rawId(input.buf, input.at);
    input.at += ID_BYTES;
  }

  #lengthId(input: RdbInput, id: StreamId): void {
    input.length64();
    id[0] = input.high;
    id[1] = input.low;
    input.length64();
    id[2] = input.high;
    id[3] = input.low;
  }

  #readBlock(input: RdbInput): void {
    input.string(this.#slot);
    const { buf, at, length } = this.#slot;
    if (length !== ID_BYTES) throw input.corrupt("Stream node key entry is not the size of a stream ID");
    const block = this.#block;
    input.string(block);
    this.#rawId(buf, at);
    if (this.#limits.deep) this.#limits.onDeep?.();
    if (!blockIsValid(block.buf, block.at, block.length))
      throw input.corrupt(
        "Stream listpack integrity check failed.",
        looksLikeListpack(block.buf, block.at, block.length),
      );
    const entries = blockEntries(block.buf, block.at);
    if (entries === 0) throw input.corrupt("Empty listpack inside stream", true);
    this.#entries += entries;
    if (!streamAddBlock(this.#arena, this.#s, this.#id, block.buf, block.at, block.length))
      throw input.corrupt("Listpack re-added with existing key");
    if (this.#limits.deep) this.#checkOrder(input);
    if (--this.#left === 0) this.#phase = Phase.Facts;
  }

  /** Makes sure that the entries of the block that was added last come behind all before them. */
  #checkOrder(input: RdbInput): void {
    const a = this.#arena;
    const walk = this.#walk;
    const cursor = this.#cursor;
    indexFind(a, streamIndex(a, this.#s), this.#id, cursor);
    idSet(walk.master, this.#id);
    walkOpen(a, cursor.words[cursor.at + ID_WORDS], walk);
    for (let has = walkFirst(walk); has; has = walkForward(walk)) {
      if (this.#isOrdered && idCompare(walk.id, this.#latest) <= 0)
        throw input.corrupt("Stream entries are out of order");
      idSet(this.#latest, walk.id);
      this.#isOrdered = true;
    }
  }

  #facts(input: RdbInput): void {
    const a = this.#arena;
    const s = this.#s;
    const hasFacts = this.#type !== RdbType.StreamListpacks;
    const deleted = idCreate();
    const length = input.length();
    this.#lengthId(input, this.#lastId);
    let low = length | 0;
    let high = int64High(length);
    if (hasFacts) {
      // The first id follows from the entries.
      this.#lengthId(input, this.#id);
      this.#lengthId(input, deleted);
      input.length64();
      low = input.low;
      high = input.high;
    }
    this.#groups = input.length();
    if (length !== this.#entries) throw input.corrupt("Stream length inconsistent with rax entries", this.#entries > 0);
    if (this.#isOrdered && idCompare(this.#lastId, this.#latest) < 0)
      throw input.corrupt("Stream last ID is smaller than that of its last entry");
    streamAddLength(a, s, length);
    streamStoreId(a, s, Head.LastId, this.#lastId);
    streamStoreId(a, s, Head.MaxDeletedId, deleted);
    streamSetAdded(a, s, low, high);
    streamRenewFirst(a, s);
    this.#phase = Phase.Group;
  }

  #beginGroup(input: RdbInput): void {
    const a = this.#arena;
    input.string(this.#slot);
    this.#lengthId(input, this.#id);
    let low = -1;
    let high = -1;
    if (this.#type !== RdbType.StreamListpacks) {
      input.length64();
      low = input.low;
      high = input.high;
    }
    const pending = input.length();
    const { buf, at, length } = this.#slot;
    if (groupFind(a, this.#s, buf, at, length) !== 0) throw input.corrupt("Duplicated consumer group name");
    this.#group = groupCreate(a, this.#s, buf, at, length, this.#id);
    if (this.#type === RdbType.StreamListpacks) {
      estimateDistance(a, this.#s, this.#id);
      low = distance.low;
      high = distance.high;
    }
    groupSetRead(a, this.#group, low, high);
    this.#left = pending;
    this.#waiting.clear();
    this.#consumers = -1;
    this.#phase = pending === 0 ? Phase.Consumer : Phase.Pending;
  }

  #pending(input: RdbInput): void {
    this.#inputId(input);
    const timeMs = input.milliseconds();
    input.length64();
    const text = this.#id.join();
    if (this.#waiting.has(text)) throw input.corrupt("Duplicated global PEL entry loading stream consumer group");
    this.#waiting.set(text, { timeMs, low: input.low, high: input.high });
    if (--this.#left === 0) this.#phase = Phase.Consumer;
  }

  /** Reads the number of consumers, or the beginning of the next; true when the value is complete. */
  #beginConsumer(input: RdbInput): boolean {
    if (this.#consumers < 0) {
      this.#consumers = input.length();
      return this.#consumers === 0 && this.#endGroup(input);
    }
    const a = this.#arena;
    input.string(this.#slot);
    const seenMs = input.milliseconds();
    const activeMs = this.#type === RdbType.StreamListpacks3 ? input.milliseconds() : seenMs;
    const pending = input.length();
    const { buf, at, length } = this.#slot;
    if (consumerFind(a, this.#group, buf, at, length) !== 0) throw input.corrupt("Duplicate stream consumer detected.");
    this.#consumer = consumerCreate(a, this.#group, buf, at, length, seenMs);
    setItemTime(a, this.#consumer, Consumer.Active, activeMs);
    this.#left = pending;
    if (pending > 0) this.#phase = Phase.Owned;
    else return this.#endConsumer(input);
    return false;
  }

  #owned(input: RdbInput): boolean {
    this.#inputId(input);
    const text = this.#id.join();
    const waiting = this.#waiting.get(text);
    if (waiting === undefined) throw input.corrupt("Consumer entry not found in group global PEL");
    this.#waiting.delete(text);
    pendingAdd(this.#arena, this.#group, this.#consumer, this.#id, waiting.timeMs, waiting.low, waiting.high);
    if (--this.#left > 0) return false;
    this.#phase = Phase.Consumer;
    return this.#endConsumer(input);
  }

  #endConsumer(input: RdbInput): boolean {
    return --this.#consumers === 0 && this.#endGroup(input);
  }

  #endGroup(input: RdbInput): boolean {
    if (this.#waiting.size > 0) throw input.corrupt("Stream CG PEL entry without consumer", true);
    this.#phase = Phase.Group;
    return --this.#groups === 0;
  }

  take(): Ref {
    const e = this.#e;
    this.#e = 0;
    return e;
  }

  discard(): void {
    if (this.#e === 0) return;
    entryDiscard(this.#arena, this.#e);
    this.#e = 0;
  }
}
