/**
 * The commands that make a stream: XADD for each entry, XSETID for what its entries do not tell, then for each group XGROUP CREATE, and for each of its
 * consumers XGROUP CREATECONSUMER and XCLAIM for each pending entry.
 */
import type { Arena, Ref } from "../../arena/arena.ts";
import { int64High, int64Low } from "../../base/int64.ts";
import type { ReplyWriter } from "../../resp/writer.ts";
import { IndexCursor, indexFirst, indexNext } from "../../struct/id-index/id-index.ts";
import { elementBytes, ListpackElement } from "../../struct/listpack/listpack-element.ts";
import {
  Head,
  streamAddedHigh,
  streamAddedLow,
  streamLength,
  streamOf,
  streamReadId,
} from "../../types/stream/stream.ts";
import { EntryFlag } from "../../types/stream/stream-block.ts";
import {
  consumerAt,
  consumerCount,
  consumerIndex,
  groupAt,
  groupCount,
  groupReadHigh,
  groupReadLastId,
  groupReadLow,
  Pending,
  pendingFind,
  pendingTime,
} from "../../types/stream/stream-group.ts";
import {
  ID_TEXT_MAX,
  idClear,
  idCreate,
  idRead,
  idSetMax,
  idWrite,
  type StreamId,
} from "../../types/stream/stream-id.ts";
import { nameAt, nameBuffer, nameLength } from "../../types/stream/stream-names.ts";
import { StreamWalk, walkNext, walkStart } from "../../types/stream/stream-walk.ts";

/** What is being written. */
const Phase = { Entries: 0, Head: 1, Groups: 2, Consumers: 3, Pending: 4, Done: 5 } as const;

const least = idCreate();
idClear(least);
const greatest = idCreate();
idSetMax(greatest);

export class StreamCommands {
  readonly #arena: Arena;
  readonly #out: ReplyWriter;
  readonly #key: (out: ReplyWriter) => void;
  #s: Ref = 0;
  #phase: number = Phase.Done;
  readonly #walk = new StreamWalk();
  readonly #element = new ListpackElement();
  readonly #id: StreamId = idCreate();
  readonly #idText = new Uint8Array(ID_TEXT_MAX);
  /** The group and the consumer that are being written, by index, and the next pending entry. */
  #group = 0;
  #consumer = 0;
  #hasPending = false;
  readonly #cursor = new IndexCursor();
  readonly #found = new IndexCursor();

  /** `key` writes the key as an argument. */
  constructor(arena: Arena, out: ReplyWriter, key: (out: ReplyWriter) => void) {
    this.#arena = arena;
    this.#out = out;
    this.#key = key;
  }

  /** The stream of `e` is next. */
  begin(e: Ref): void {
    this.#s = streamOf(this.#arena, e);
    this.#phase = Phase.Entries;
    this.#group = 0;
    walkStart(this.#arena, this.#s, this.#walk, least, greatest, false);
  }

  /** Writes about `budget` commands; true when the stream is complete. */
  step(budget: number): boolean {
    for (let left = budget; left > 0; left--) {
      this.#command();
      if (this.#phase === Phase.Done) return true;
    }
    return false;
  }

  #command(): void {
    switch (this.#phase) {
      case Phase.Entries:
        if (walkNext(this.#arena, this.#s, this.#walk)) this.#entry();
        else this.#phase = Phase.Head;
        return;
      case Phase.Head:
        this.#head();
        this.#phase = Phase.Groups;
        return;
      case Phase.Groups:
        if (this.#group < groupCount(this.#arena, this.#s)) this.#createGroup();
        else this.#phase = Phase.Done;
        return;
      case Phase.Consumers:
        this.#nextConsumer();
        return;
      case Phase.Pending:
        if (this.#hasPending) this.#claim();
        else {
          this.#consumer++;
          this.#phase = Phase.Consumers;
        }
    }
  }

  #idArgument(id: StreamId): void {
    this.#out.bulk(this.#idText, 0, idWrite(this.#idText, 0, id));
  }

  #entry(): void {
    const walk = this.#walk;
    const out = this.#out;
    out.array(3 + walk.fields * 2);
    out.bulkText("XADD");
    this.#key(out);
    this.#idArgument(walk.id);
    const isSame = (walk.flags & EntryFlag.Same) !== 0;
    let p = walk.body;
    let field = isSame ? walk.masterFields : p;
    for (let i = 0; i < walk.fields; i++) {
      this.#text(walk.buf, field);
      if (isSame) field += elementBytes(walk.buf, field);
      else p = field + elementBytes(walk.buf, field);
      this.#text(walk.buf, p);
      p += elementBytes(walk.buf, p);
      if (!isSame) field = p;
    }
  }

  #text(buf: Uint8Array, p: number): void {
    const element = this.#element;
    element.read(buf, p);
    element.text();
    this.#out.bulk(element.buf, element.at, element.length);
  }

  /** What the entries do not tell; a stream without entries is made by one that goes at once. */
  #head(): void {
    const a = this.#arena;
    const out = this.#out;
    const id = this.#id;
    if (streamLength(a, this.#s) === 0) {
      streamReadId(a, this.#s, Head.LastId, id);
      // 0-0 is no id that XADD takes.
      if ((id[0] | id[1] | id[2] | id[3]) === 0) id[3] = 1;
      out.array(7);
      out.bulkText("XADD");
      this.#key(out);
      out.bulkText("MAXLEN");
      out.bulkText("0");
      this.#idArgument(id);
      out.bulkText("x");
      out.bulkText("y");
    }
    out.array(7);
    out.bulkText("XSETID");
    this.#key(out);
    streamReadId(a, this.#s, Head.LastId, id);
    this.#idArgument(id);
    out.bulkText("ENTRIESADDED");
    out.bulkInt64(streamAddedLow(a, this.#s), streamAddedHigh(a, this.#s));
    out.bulkText("MAXDELETEDID");
    streamReadId(a, this.#s, Head.MaxDeletedId, id);
    this.#idArgument(id);
  }

  #name(item: Ref): void {
    const a = this.#arena;
    this.#out.bulk(nameBuffer(a, item), nameAt(a, item), nameLength(a, item));
  }

  #createGroup(): void {
    const a = this.#arena;
    const out = this.#out;
    const g = groupAt(a, this.#s, this.#group);
    out.array(7);
    out.bulkText("XGROUP");
    out.bulkText("CREATE");
    this.#key(out);
    this.#name(g);
    groupReadLastId(a, g, this.#id);
    this.#idArgument(this.#id);
    out.bulkText("ENTRIESREAD");
    out.bulkInt64(groupReadLow(a, g), groupReadHigh(a, g));
    this.#consumer = 0;
    this.#phase = Phase.Consumers;
  }

  #nextConsumer(): void {
    const a = this.#arena;
    const out = this.#out;
    const g = groupAt(a, this.#s, this.#group);
    if (this.#consumer === consumerCount(a, g)) {
      this.#group++;
      this.#phase = Phase.Groups;
      return;
    }
    const c = consumerAt(a, g, this.#consumer);
    out.array(5);
    out.bulkText("XGROUP");
    out.bulkText("CREATECONSUMER");
    this.#key(out);
    this.#name(g);
    this.#name(c);
    this.#hasPending = indexFirst(a, consumerIndex(a, c), this.#cursor);
    this.#phase = Phase.Pending;
  }

  #claim(): void {
    const a = this.#arena;
    const out = this.#out;
    const g = groupAt(a, this.#s, this.#group);
    const c = consumerAt(a, g, this.#consumer);
    idRead(this.#id, this.#cursor.words, this.#cursor.at);
    if (!pendingFind(a, g, this.#id, this.#found)) throw new Error("stream: a pending entry is not the group's");
    const timeMs = pendingTime(this.#found);
    const at = this.#found.at + Pending.Count;
    out.array(12);
    out.bulkText("XCLAIM");
    this.#key(out);
    this.#name(g);
    this.#name(c);
    out.bulkText("0");
    this.#idArgument(this.#id);
    out.bulkText("TIME");
    out.bulkInt64(int64Low(timeMs), int64High(timeMs));
    out.bulkText("RETRYCOUNT");
    out.bulkInt64(this.#found.words[at], this.#found.words[at + 1]);
    out.bulkText("JUSTID");
    out.bulkText("FORCE");
    this.#hasPending = indexNext(a, consumerIndex(a, c), this.#cursor);
  }
}
