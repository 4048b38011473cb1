/**
 * The commands that make a key: what a base file in the append-only format consists of.
 *
 *   string  SET                    list  RPUSH       set  SADD       sorted set  ZADD       hash  HSET, HPEXPIREAT       stream  see stream-commands.ts
 *
 * and PEXPIREAT behind a key that expires. At most 64 elements go into one command. A value is written piece by piece; it must not change meanwhile.
 */
import type { Arena, Ref } from "../../arena/arena.ts";
import { writeDouble } from "../../base/float.ts";
import { bigIntHigh, bigIntLow } from "../../base/int64.ts";
import { ReplyWriter } from "../../resp/writer.ts";
import { cursorLeave, cursorNext, cursorRead, QuicklistCursor } from "../../struct/quicklist-cursor.ts";
import {
  entryExpiryBig,
  entryHasExpiry,
  entryKeyAt,
  entryKeyBuffer,
  entryKeyLength,
  entryType,
  Type,
} from "../../types/entry.ts";
import { HashWalk, walkNext, walkStart } from "../../types/hash-walk.ts";
import { ListElement, listSeek } from "../../types/list.ts";
import { SetWalk, setWalkNext, setWalkStart } from "../../types/set-walk.ts";
import { ByteSpan, readString } from "../../types/string.ts";
import { ZsetWalk, zsetWalkNext, zsetWalkStart } from "../../types/zset-walk.ts";
import { StreamCommands } from "./stream-commands.ts";

/** Elements of one command. */
export const ELEMENTS_PER_COMMAND = 64;

export class ValueCommands {
  readonly #arena: Arena;
  readonly #out: ReplyWriter;
  readonly #stream: StreamCommands;
  /** The key in progress, its type, and whether its value has more elements. */
  #e: Ref = 0;
  #type = 0;
  #more = false;
  readonly #span = new ByteSpan();
  readonly #cursor = new QuicklistCursor();
  readonly #element = new ListElement();
  readonly #set = new SetWalk();
  readonly #zset = new ZsetWalk();
  readonly #hash = new HashWalk();
  /** Commands that follow the one that is being written. */
  readonly #after = new ReplyWriter(1024);
  readonly #digits = new Uint8Array(40);

  /** Writes to `out`, whose owner takes away what is there. */
  constructor(arena: Arena, out: ReplyWriter) {
    this.#arena = arena;
    this.#out = out;
    this.#stream = new StreamCommands(arena, out, (target) => this.#key(target));
  }

  /** The key of `e` is next. */
  begin(e: Ref): void {
    const a = this.#arena;
    this.#e = e;
    this.#type = entryType(a, e);
    switch (this.#type) {
      case Type.List:
        this.#more = listSeek(a, e, 0, this.#cursor);
        return;
      case Type.Set:
        setWalkStart(a, e, this.#set);
        this.#more = setWalkNext(a, this.#set);
        return;
      case Type.Zset:
        this.#more = zsetWalkStart(a, e, this.#zset, 0);
        return;
      case Type.Hash:
        walkStart(a, e, this.#hash);
        this.#more = walkNext(a, this.#hash);
        return;
      case Type.Stream:
        this.#stream.begin(e);
        return;
      default:
        this.#more = true;
    }
  }

  /** Writes about `budget` elements; true when the key is complete. */
  step(budget: number): boolean {
    if (this.#type === Type.Stream) {
      if (!this.#stream.step(budget)) return false;
    } else {
      for (let left = budget; this.#more; left -= ELEMENTS_PER_COMMAND) {
        if (left <= 0) return false;
        this.#command();
      }
      if (this.#type === Type.List) cursorLeave(this.#arena, this.#cursor);
    }
    this.#expiry();
    return true;
  }

  /** Writes the key as an argument. */
  #key(out: ReplyWriter): void {
    const a = this.#arena;
    out.bulk(entryKeyBuffer(a, this.#e), entryKeyAt(a, this.#e), entryKeyLength(a, this.#e));
  }

  /** Writes one command with the next elements. */
  #command(): void {
    const out = this.#out;
    const start = out.beginDeferred();
    let count: number;
    switch (this.#type) {
      case Type.List:
        count = this.#pushes();
        break;
      case Type.Set:
        count = this.#members();
        break;
      case Type.Zset:
        count = this.#scores();
        break;
      case Type.Hash:
        count = this.#fields();
        break;
      default:
        count = this.#string();
    }
    out.endDeferred(start, count);
    if (this.#after.pos === 0) return;
    out.rawBytes(this.#after.buf, 0, this.#after.pos);
    this.#after.clear();
  }

  #head(name: string): void {
    this.#out.bulkText(name);
    this.#key(this.#out);
  }

  #string(): number {
    this.#head("SET");
    readString(this.#arena, this.#e, this.#span);
    this.#out.bulk(this.#span.buf, this.#span.at, this.#span.length);
    this.#more = false;
    return 3;
  }

  #pushes(): number {
    this.#head("RPUSH");
    let count = 0;
    for (; this.#more && count < ELEMENTS_PER_COMMAND; count++) {
      cursorRead(this.#cursor, this.#element);
      this.#element.text();
      this.#out.bulk(this.#element.buf, this.#element.at, this.#element.length);
      this.#more = cursorNext(this.#arena, this.#cursor);
    }
    return 2 + count;
  }

  #members(): number {
    this.#head("SADD");
    const { member } = this.#set;
    let count = 0;
    for (; this.#more && count < ELEMENTS_PER_COMMAND; count++) {
      member.text();
      this.#out.bulk(member.buf, member.at, member.length);
      this.#more = setWalkNext(this.#arena, this.#set);
    }
    return 2 + count;
  }

  #scores(): number {
    this.#head("ZADD");
    const { member } = this.#zset;
    let count = 0;
    for (; this.#more && count < ELEMENTS_PER_COMMAND; count++) {
      this.#out.bulk(this.#digits, 0, writeDouble(this.#digits, 0, this.#zset.score));
      member.text();
      this.#out.bulk(member.buf, member.at, member.length);
      this.#more = zsetWalkNext(this.#arena, this.#zset);
    }
    return 2 + 2 * count;
  }

  #fields(): number {
    this.#head("HSET");
    const { field, value } = this.#hash;
    let count = 0;
    for (; this.#more && count < ELEMENTS_PER_COMMAND; count++) {
      this.#out.bulk(field.buf, field.at, field.length);
      this.#out.bulk(value.buf, value.at, value.length);
      if (this.#hash.expiryMs !== 0) this.#fieldExpiry();
      this.#more = walkNext(this.#arena, this.#hash);
    }
    return 2 + 2 * count;
  }

  #fieldExpiry(): void {
    const after = this.#after;
    after.array(6);
    after.bulkText("HPEXPIREAT");
    this.#key(after);
    after.bulkText(String(this.#hash.expiryMs));
    after.bulkText("FIELDS");
    after.bulkText("1");
    after.bulk(this.#hash.field.buf, this.#hash.field.at, this.#hash.field.length);
  }

  #expiry(): void {
    const a = this.#arena;
    if (!entryHasExpiry(a, this.#e)) return;
    const ms = entryExpiryBig(a, this.#e);
    this.#out.array(3);
    this.#head("PEXPIREAT");
    this.#out.bulkInt64(bigIntLow(ms), bigIntHigh(ms));
  }
}
