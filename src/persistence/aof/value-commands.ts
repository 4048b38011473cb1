/**
 * The commands that make a key: what a base file in the append-only format consists of.
 *
 *   string  SET                    list  RPUSH       set  SADD       sorted set  ZADD       hash  HSET, HPEXPIREAT       stream  see stream-commands.ts
 *
 * and PEXPIREAT behind a key that expires. At most 64 elements go into one command. A value is written piece by piece; it must not change meanwhile,
 * unless it is frozen (arena/frozen.ts).
 */
import type { Arena, Ref } from "../../arena/arena.ts";
import { writeDouble } from "../../base/float.ts";
import { bigIntHigh, bigIntLow } from "../../base/int64.ts";
import { ReplyWriter } from "../../resp/writer.ts";
import {
  entryExpiryBig,
  entryHasExpiry,
  entryKeyAt,
  entryKeyBuffer,
  entryKeyLength,
  entryType,
  Type,
} from "../../types/entry.ts";
import { hashLength } from "../../types/hash/hash.ts";
import { HashWalk, walkNextSaved, walkStartSaved } from "../../types/hash/hash-walk.ts";
import { listLength } from "../../types/list/list.ts";
import { ListWalk, listWalkEnd, listWalkNext, listWalkStart } from "../../types/list/list-walk.ts";
import { setLength } from "../../types/set/set.ts";
import { SetWalk, setWalkNextSaved, setWalkStartSaved } from "../../types/set/set-walk.ts";
import { ByteSpan, readString } from "../../types/string.ts";
import { zsetLength } from "../../types/zset/zset-length.ts";
import { ZsetWalk, zsetWalkNextSaved, zsetWalkStartSaved } from "../../types/zset/zset-walk.ts";
import { StreamCommands } from "./stream-commands.ts";

/** Elements of one command. */
export const ELEMENTS_PER_COMMAND = 64;

export class ValueCommands {
  readonly #arena: Arena;
  readonly #out: ReplyWriter;
  readonly #stream: StreamCommands;
  /** The key in progress, its type, and how many elements of its value are not written. */
  #e: Ref = 0;
  #type = 0;
  #left = 0;
  readonly #span = new ByteSpan();
  readonly #list = new ListWalk();
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
        listWalkStart(a, e, this.#list);
        this.#left = this.#list.frozen?.elements ?? listLength(a, e);
        return;
      case Type.Set:
        setWalkStartSaved(a, e, this.#set);
        this.#left = this.#set.frozen?.elements ?? setLength(a, e);
        return;
      case Type.Zset:
        zsetWalkStartSaved(a, e, this.#zset);
        this.#left = this.#zset.frozen?.elements ?? zsetLength(a, e);
        return;
      case Type.Hash:
        walkStartSaved(a, e, this.#hash);
        this.#left = this.#hash.frozen?.elements ?? hashLength(a, e);
        return;
      case Type.Stream:
        this.#stream.begin(e);
        return;
      default:
        this.#left = 1;
    }
  }

  /** Writes about `budget` elements; true when the key is complete. */
  step(budget: number): boolean {
    if (this.#type === Type.Stream) {
      if (!this.#stream.step(budget)) return false;
    } else {
      for (let budgetLeft = budget; this.#left > 0; budgetLeft -= ELEMENTS_PER_COMMAND) {
        if (budgetLeft <= 0) return false;
        this.#command();
      }
      if (this.#type === Type.List) listWalkEnd(this.#arena, this.#list);
    }
    this.#expiry();
    return true;
  }

  /** Writes the key as an argument. */
  #key(out: ReplyWriter): void {
    const a = this.#arena;
    out.bulk(entryKeyBuffer(a, this.#e), entryKeyAt(a, this.#e), entryKeyLength(a, this.#e));
  }

  /** Writes one command with the next elements, if any are found. */
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
    // None was found: the name and the key go again.
    if (count === 0) out.pos = start;
    else out.endDeferred(start, count + 2);
    this.#left -= this.#type === Type.Zset || this.#type === Type.Hash ? count / 2 : count;
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
    return 1;
  }

  #pushes(): number {
    this.#head("RPUSH");
    let count = 0;
    const { element } = this.#list;
    for (; count < ELEMENTS_PER_COMMAND && listWalkNext(this.#arena, this.#list); count++)
      this.#out.bulk(element.buf, element.at, element.length);
    return count;
  }

  #members(): number {
    this.#head("SADD");
    const { member } = this.#set;
    let count = 0;
    for (; count < ELEMENTS_PER_COMMAND && setWalkNextSaved(this.#arena, this.#set); count++) {
      member.text();
      this.#out.bulk(member.buf, member.at, member.length);
    }
    return count;
  }

  #scores(): number {
    this.#head("ZADD");
    const { member } = this.#zset;
    let count = 0;
    for (; count < ELEMENTS_PER_COMMAND && zsetWalkNextSaved(this.#arena, this.#zset); count++) {
      this.#out.bulk(this.#digits, 0, writeDouble(this.#digits, 0, this.#zset.score));
      member.text();
      this.#out.bulk(member.buf, member.at, member.length);
    }
    return 2 * count;
  }

  #fields(): number {
    this.#head("HSET");
    const { field, value } = this.#hash;
    let count = 0;
    for (; count < ELEMENTS_PER_COMMAND && walkNextSaved(this.#arena, this.#hash); count++) {
      this.#out.bulk(field.buf, field.at, field.length);
      this.#out.bulk(value.buf, value.at, value.length);
      if (this.#hash.expiryMs !== 0) this.#fieldExpiry();
    }
    return 2 * count;
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
