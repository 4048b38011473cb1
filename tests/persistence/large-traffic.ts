// Random changes of a few large values, of each command that changes one, and what all keys hold, element by element.

import type { Arena, Ref } from "../../src/arena/arena.ts";
import type { Prng } from "../../src/base/prng.ts";
import { ExpireCycle } from "../../src/keyspace/expire-cycle.ts";
import type { Keyspace } from "../../src/keyspace/keyspace.ts";
import { dictScan, RefList } from "../../src/struct/dict/dict.ts";
import { IndexCursor, indexFirst, indexNext } from "../../src/struct/id-index/id-index.ts";
import { elementBytes, ListpackElement } from "../../src/struct/listpack/listpack-element.ts";
import { cursorLeave, cursorNext, cursorRead, QuicklistCursor } from "../../src/struct/quicklist/quicklist-cursor.ts";
import { entryExpiry, entryKeyText, entryType, Type } from "../../src/types/entry.ts";
import { HashWalk, walkNext, walkStart } from "../../src/types/hash/hash-walk.ts";
import { ListElement, listSeek } from "../../src/types/list/list.ts";
import { SetWalk, setWalkNext, setWalkStart } from "../../src/types/set/set-walk.ts";
import { Head, streamAddedLow, streamLength, streamOf, streamReadId } from "../../src/types/stream/stream.ts";
import { EntryFlag } from "../../src/types/stream/stream-block.ts";
import {
  consumerAt,
  consumerCount,
  consumerIndex,
  groupAt,
  groupCount,
  groupIndex,
  groupReadLastId,
  groupReadLow,
  Pending,
  pendingTime,
} from "../../src/types/stream/stream-group.ts";
import { idCreate, idRead, idSetMax, idText } from "../../src/types/stream/stream-id.ts";
import { nameAt, nameBuffer, nameLength } from "../../src/types/stream/stream-names.ts";
import {
  StreamWalk,
  streamHas,
  walkNext as streamWalkNext,
  walkStart as streamWalkStart,
} from "../../src/types/stream/stream-walk.ts";
import { ZsetWalk, zsetWalkNext, zsetWalkStart } from "../../src/types/zset/zset-walk.ts";
import type { TestClient, TestServer } from "../support/engine.ts";
import { fingerprint, type Picture } from "./digest-format.ts";

export const KINDS = ["hash", "set", "zset", "list", "stream"] as const;
export type Kind = (typeof KINDS)[number];

/** Keys of each kind, and most elements with which one begins. */
const KEYS = 4;
const ELEMENTS_MAX = 2500;
const NAMES = 4000;

const GROUPS = ["readers", "writers"];

interface Bytes {
  readonly buf: Uint8Array;
  readonly at: number;
  readonly length: number;
}

function text(span: Bytes): string {
  return Buffer.from(span.buf.subarray(span.at, span.at + span.length)).toString("latin1");
}

function hashElements(a: Arena, e: Ref): string[] {
  const walk = new HashWalk();
  const elements: string[] = [];
  walkStart(a, e, walk);
  while (walkNext(a, walk)) elements.push(`${text(walk.field)}=${text(walk.value)}@${walk.expiryMs}`);
  return elements.sort();
}

function setElements(a: Arena, e: Ref): string[] {
  const walk = new SetWalk();
  const elements: string[] = [];
  setWalkStart(a, e, walk);
  while (setWalkNext(a, walk)) {
    walk.member.text();
    elements.push(text(walk.member));
  }
  return elements.sort();
}

function zsetElements(a: Arena, e: Ref): string[] {
  const walk = new ZsetWalk();
  const elements: string[] = [];
  for (let more = zsetWalkStart(a, e, walk, 0); more; more = zsetWalkNext(a, walk)) {
    walk.member.text();
    elements.push(`${text(walk.member)}=${walk.score}`);
  }
  return elements;
}

function listElements(a: Arena, e: Ref): string[] {
  const cursor = new QuicklistCursor();
  const element = new ListElement();
  const elements: string[] = [];
  for (let more = listSeek(a, e, 0, cursor); more; more = cursorNext(a, cursor)) {
    cursorRead(cursor, element);
    element.text();
    elements.push(text(element));
  }
  cursorLeave(a, cursor);
  return elements;
}

/** Fields and values of the entry of a walk. */
function entryPairs(walk: StreamWalk): string {
  const { buf } = walk;
  const isSame = (walk.flags & EntryFlag.Same) !== 0;
  const element = new ListpackElement();
  const take = (p: number): number => {
    element.read(buf, p);
    element.text();
    pairs.push(text(element));
    return p + elementBytes(buf, p);
  };
  const pairs: string[] = [];
  let field = isSame ? walk.masterFields : walk.body;
  let value = walk.body;
  for (let i = 0; i < walk.fields; i++) {
    const behind = take(field);
    value = take(isSame ? value : behind);
    field = isSame ? behind : value;
  }
  return pairs.join(" ");
}

/**
 * Entries and facts of a stream, and its groups with what is pending; not when consumers were seen, nor that an entry is pending that was deleted: commands cannot
 * make that again.
 */
function streamElements(a: Arena, e: Ref): string[] {
  const s = streamOf(a, e);
  const elements: string[] = [];
  const walk = new StreamWalk();
  const id = idCreate();
  const cursor = new IndexCursor();
  for (const field of [Head.LastId, Head.MaxDeletedId]) {
    streamReadId(a, s, field, id);
    elements.push(idText(id));
  }
  elements.push(`${streamLength(a, s)} of ${streamAddedLow(a, s)}`);
  streamWalkStart(a, s, walk, idCreate(), MAX_ID, false);
  while (streamWalkNext(a, s, walk)) elements.push(`${idText(walk.id)} ${entryPairs(walk)}`);
  for (let i = 0; i < groupCount(a, s); i++) {
    const g = groupAt(a, s, i);
    groupReadLastId(a, g, id);
    elements.push(`${nameText(a, g)} ${idText(id)} ${groupReadLow(a, g)}`);
    for (let more = indexFirst(a, groupIndex(a, g), cursor); more; more = indexNext(a, groupIndex(a, g), cursor)) {
      idRead(id, cursor.words, cursor.at);
      if (streamHas(a, s, id))
        elements.push(`${idText(id)} ${pendingTime(cursor)} ${cursor.words[cursor.at + Pending.Count]}`);
    }
    for (let n = 0; n < consumerCount(a, g); n++) {
      const c = consumerAt(a, g, n);
      elements.push(nameText(a, c));
      const index = consumerIndex(a, c);
      for (let more = indexFirst(a, index, cursor); more; more = indexNext(a, index, cursor)) {
        idRead(id, cursor.words, cursor.at);
        if (streamHas(a, s, id)) elements.push(idText(id));
      }
    }
  }
  return elements;
}

function nameText(a: Arena, item: Ref): string {
  return text({ buf: nameBuffer(a, item), at: nameAt(a, item), length: nameLength(a, item) });
}

const MAX_ID = idCreate();
idSetMax(MAX_ID);

const ELEMENTS = new Map([
  [Type.List as number, listElements],
  [Type.Set as number, setElements],
  [Type.Zset as number, zsetElements],
  [Type.Hash as number, hashElements],
  [Type.Stream as number, streamElements],
]);

/** What all keys hold, with the times of fields. */
export function exactPicture(keyspace: Keyspace): Picture {
  const picture: Picture = new Map();
  const list = new RefList();
  const { arena } = keyspace;
  for (const db of keyspace.databases) {
    let cursor = 0;
    do {
      list.count = 0;
      cursor = dictScan(arena, db.dict, cursor, list);
      for (let i = 0; i < list.count; i++) {
        const e = list.refs[i];
        const elements = ELEMENTS.get(entryType(arena, e))?.(arena, e);
        const print =
          elements === undefined
            ? fingerprint(arena, e)
            : `${entryType(arena, e)} ${entryExpiry(arena, e)} ${elements.length}: ${Bun.hash(elements.join("\n"))}`;
        picture.set(`${db.id} ${entryKeyText(arena, e)}`, print);
      }
    } while (cursor !== 0);
  }
  return picture;
}

/** Changes large values of some kinds. */
export class LargeTraffic {
  readonly #server: TestServer;
  readonly #prng: Prng;
  readonly #kinds: readonly Kind[];
  readonly #cycle: ExpireCycle;
  #client: TestClient;
  /** Of the next entry of a stream. */
  #nextId = 1;
  /** Commands that were postponed. */
  postponed = 0;

  constructor(server: TestServer, prng: Prng, kinds: readonly Kind[]) {
    this.#server = server;
    this.#prng = prng;
    this.#kinds = kinds;
    this.#cycle = new ExpireCycle(server.engine.keyspace, server.clock);
    this.#client = server.connect();
    this.#client.send("CONFIG", "SET", "maxmemory-policy", "allkeys-random", "stream-node-max-entries", "10");
  }

  #pick<T>(choices: readonly T[]): T {
    return choices[this.#prng.below(choices.length)];
  }

  #key(kind: Kind): string {
    return `${kind}:${this.#prng.below(KEYS)}`;
  }

  #name(): string {
    return this.#prng.below(100) === 0 ? "x".repeat(70_000 + this.#prng.below(3)) : `n${this.#prng.below(NAMES)}`;
  }

  #names(most: number): string[] {
    return Array.from({ length: 1 + this.#prng.below(most) }, () => this.#name());
  }

  #score(): string {
    return this.#pick([String(this.#prng.below(50)), String(this.#prng.below(100_000) / 7), "inf", "-0", "-3.5"]);
  }

  #value(): string {
    return this.#prng.below(200) === 0 ? "y".repeat(140_000) : "v".repeat(this.#prng.below(60));
  }

  /** Makes all keys large. */
  populate(): void {
    for (const kind of this.#kinds)
      for (let i = 0; i < KEYS; i++) {
        const key = `${kind}:${i}`;
        if (this.#prng.below(5) > 0) this.#client.send("DEL", key);
        for (let left = 600 + this.#prng.below(ELEMENTS_MAX - 600); left > 0; left -= 100) this.#fill(kind, key);
      }
  }

  #fill(kind: Kind, key: string): void {
    const names = Array.from({ length: 100 }, () => this.#name());
    if (kind === "hash") {
      this.#client.send("HSET", key, ...names.flatMap((name) => [name, this.#value()]));
      if (this.#prng.below(3) === 0) this.#client.send("HPEXPIRE", key, 1000, "FIELDS", 2, ...names.slice(0, 2));
      if (key === "hash:0") this.#client.send("HPEXPIRE", key, 1_000_000, "FIELDS", 30, ...names.slice(30, 60));
    } else if (kind === "set") this.#client.send("SADD", key, ...names);
    else if (kind === "zset") this.#client.send("ZADD", key, ...names.flatMap((name) => [this.#score(), name]));
    else if (kind === "list") this.#client.send("RPUSH", key, ...names, ...names.map(() => "z".repeat(300)));
    else this.#fillStream(key, names);
  }

  #fillStream(key: string, names: readonly string[]): void {
    for (const name of names)
      this.#client.raw("XADD", key, `${this.#nextId++}-1`, "field", name, "value", this.#value());
    for (const group of GROUPS) {
      this.#client.raw("XGROUP", "CREATE", key, group, "0");
      this.#client.raw("XREADGROUP", "GROUP", group, "alice", "COUNT", 40, "STREAMS", key, ">");
    }
  }

  /** An id that an entry of some stream may have. */
  #id(): string {
    return `${Math.max(1, this.#nextId - this.#prng.below(4 * ELEMENTS_MAX))}-1`;
  }

  #streamCommand(key: string): (string | number)[] {
    const group = this.#pick(GROUPS);
    const consumer = this.#pick(["alice", "bob", this.#name().slice(0, 20)]);
    const ids = Array.from({ length: 1 + this.#prng.below(30) }, () => this.#id());
    const next = `${this.#nextId++}-1`;
    return this.#pick<(string | number)[]>([
      ["XADD", key, next, "field", this.#name(), "value", this.#value()],
      ["XADD", key, next, "field", this.#name(), "value", this.#value()],
      ["XADD", key, next, "other", this.#value()],
      ["XADD", key, "MAXLEN", "=", 1200 + this.#prng.below(500), next, "field", "f", "value", "v"],
      ["XADD", key, "MAXLEN", "~", 700, next, "field", "f", "value", "v"],
      ["XDEL", key, ...ids],
      ["XDEL", key, ...ids],
      ["XDELEX", key, "DELREF", "IDS", ids.length, ...ids],
      ["XACKDEL", key, group, "ACKED", "IDS", ids.length, ...ids],
      ["XTRIM", key, "MAXLEN", this.#prng.below(30) === 0 ? 3 : 1000 + this.#prng.below(600)],
      ["XTRIM", key, "MINID", "~", this.#id()],
      ["XREADGROUP", "GROUP", group, consumer, "COUNT", 20, "STREAMS", key, ">"],
      ["XREADGROUP", "GROUP", group, consumer, "COUNT", 5, "NOACK", "STREAMS", key, ">"],
      ["XACK", key, group, ...ids],
      ["XCLAIM", key, group, consumer, 0, ...ids],
      ["XAUTOCLAIM", key, group, consumer, 0, "0", "COUNT", 20],
      ["XGROUP", "SETID", key, group, this.#id()],
      ["XGROUP", "CREATECONSUMER", key, group, consumer],
      ["XGROUP", "DELCONSUMER", key, group, consumer],
      this.#prng.below(5) === 0 ? ["XGROUP", "DESTROY", key, group] : ["XLEN", key],
      ["XGROUP", "CREATE", key, group, this.#id()],
      ["XSETID", key, next],
    ]);
  }

  #hashCommand(key: string): (string | number)[] {
    const field = this.#name();
    const fields = this.#names(3);
    return this.#pick<(string | number)[]>([
      ["HSET", key, field, this.#value()],
      ["HSET", key, ...fields.flatMap((name) => [name, this.#value()])],
      ["HSETNX", key, field, "nx"],
      ["HDEL", key, ...this.#names(40)],
      ["HINCRBY", key, "counter", 3],
      ["HINCRBYFLOAT", key, "float", "1.5"],
      ["HPEXPIRE", key, 1 + this.#prng.below(3000), "FIELDS", fields.length, ...fields],
      ["HPEXPIRE", key, 0, "FIELDS", 1, field],
      ["HPERSIST", key, "FIELDS", 60, ...Array.from({ length: 60 }, () => `n${this.#prng.below(NAMES)}`)],
      ["HGETDEL", key, "FIELDS", 1, field],
      ["HGETEX", key, "PX", 1 + this.#prng.below(900), "FIELDS", 1, field],
      ["HGETEX", key, "PERSIST", "FIELDS", 1, field],
      ["HSETEX", key, "PX", 1 + this.#prng.below(900), "FIELDS", 1, field, "ex"],
      ["HSETEX", key, "KEEPTTL", "FIELDS", 1, field, this.#value()],
      ["HGET", key, field],
      ["HMGET", key, ...fields],
      ["HRANDFIELD", key, 5],
    ]);
  }

  #setCommand(key: string): (string | number)[] {
    const other = this.#key("set");
    return this.#pick<(string | number)[]>([
      ["SADD", key, ...this.#names(5)],
      ["SADD", key, ...this.#names(5)],
      ["SREM", key, ...this.#names(40)],
      ["SPOP", key],
      ["SPOP", key, this.#prng.below(30)],
      ["SPOP", key, this.#prng.below(50) === 0 ? 100_000 : 3],
      ["SMOVE", key, other, this.#name()],
      ["SUNIONSTORE", key, key, other],
      ["SDIFFSTORE", "set:3", key, other],
      ["SINTERSTORE", key, key, key],
      ["SRANDMEMBER", key, 3],
      ["SRANDMEMBER", key],
    ]);
  }

  #zsetCommand(key: string): (string | number)[] {
    const other = this.#key("zset");
    const low = this.#prng.below(1500);
    return this.#pick<(string | number)[]>([
      ["ZADD", key, this.#score(), this.#name()],
      ["ZADD", key, "GT", this.#score(), this.#name(), this.#score(), this.#name()],
      ["ZADD", key, "XX", this.#score(), this.#name()],
      ["ZADD", key, "INCR", 2, this.#name()],
      ["ZINCRBY", key, -3, this.#name()],
      ["ZREM", key, ...this.#names(40)],
      ["ZPOPMIN", key, this.#prng.below(30)],
      ["ZPOPMAX", key, this.#prng.below(30)],
      ["ZMPOP", 1, key, "MIN", "COUNT", 3],
      ["ZREMRANGEBYRANK", key, low, low + this.#prng.below(40)],
      ["ZREMRANGEBYSCORE", key, low / 30, low / 30 + 0.5],
      ["ZREMRANGEBYLEX", key, "[n1", "[n10"],
      ["ZRANGESTORE", key, other, 0, 1500],
      ["ZUNIONSTORE", key, 2, key, other],
      ["ZDIFFSTORE", "zset:3", 2, key, other],
      ["GEOADD", key, 13.4, 52.5, this.#name()],
      ["ZSCORE", key, this.#name()],
    ]);
  }

  #listCommand(key: string): (string | number)[] {
    const other = this.#key("list");
    const at = this.#prng.below(1500);
    return this.#pick<(string | number)[]>([
      ["LPUSH", key, ...this.#names(5)],
      ["RPUSH", key, ...this.#names(5)],
      ["RPUSH", key, "q".repeat(9000)],
      ["LPOP", key, this.#prng.below(30)],
      ["RPOP", key, this.#prng.below(30)],
      ["LPOP", key],
      ["LSET", key, at, this.#name()],
      ["LSET", key, at, "s".repeat(9000)],
      ["LINSERT", key, "BEFORE", this.#name(), "inserted"],
      ["LINSERT", key, "AFTER", this.#name(), "i".repeat(400)],
      ["LREM", key, 2, this.#name()],
      ["LREM", key, -1, "z".repeat(300)],
      ["LTRIM", key, this.#prng.below(10), -1 - this.#prng.below(10)],
      ["LTRIM", key, 0, this.#prng.below(20) === 0 ? 3 : 4000],
      ["LMOVE", key, other, "LEFT", "RIGHT"],
      ["RPOPLPUSH", key, key],
      ["LMPOP", 1, key, "RIGHT", "COUNT", 3],
      ["SORT", key, "ALPHA", "LIMIT", 0, 900, "STORE", other],
    ]);
  }

  #keyCommand(kind: Kind, key: string): (string | number)[] {
    const other = this.#key(kind);
    return this.#pick<(string | number)[]>([
      ["DEL", key],
      ["UNLINK", key],
      ["RENAME", key, other],
      ["RENAME", key, "elsewhere"],
      ["COPY", key, other, "REPLACE"],
      ["COPY", key, "copied", "DB", 1],
      ["MOVE", key, 1],
      ["PEXPIRE", key, 1 + this.#prng.below(4000)],
      ["PERSIST", key],
      ["SET", key, "string"],
      ["SWAPDB", 0, 1],
      this.#prng.below(20) === 0 ? ["FLUSHDB", this.#pick(["SYNC", "ASYNC"])] : ["UNLINK", key],
      ["DUMP", key],
    ]);
  }

  #command(): (string | number)[] {
    const kind = this.#pick(this.#kinds);
    const key = this.#key(kind);
    if (this.#prng.below(50) === 0) return this.#keyCommand(kind, key);
    if (kind === "hash") return this.#hashCommand(key);
    if (kind === "set") return this.#setCommand(key);
    if (kind === "stream") return this.#streamCommand(key);
    return kind === "zset" ? this.#zsetCommand(key) : this.#listCommand(key);
  }

  #send(): void {
    const isTransaction = this.#prng.below(20) === 0;
    if (isTransaction) this.#client.raw("MULTI");
    for (let left = isTransaction ? 3 : 1; left > 0; left--) this.#client.raw(...this.#command());
    if (isTransaction) this.#client.raw("EXEC");
    if (this.#client.client.halted === 0) return;
    this.postponed++;
    this.#client.close();
    this.#client = this.#server.connect();
  }

  #evict(): void {
    const { memory } = this.#server.engine;
    const client = this.#server.connect();
    client.send("CONFIG", "SET", "maxmemory", memory.usedBytes - 20_000);
    memory.evict();
    client.send("CONFIG", "SET", "maxmemory", 0);
    client.close();
  }

  run(count: number): void {
    for (let n = 0; n < count; n++) {
      this.#send();
      if (this.#prng.below(10) === 0) this.#server.advance(this.#prng.below(100));
      if (this.#prng.below(30) === 0) this.#cycle.run(1000);
      if (this.#prng.below(600) === 0) this.#evict();
      if (this.#prng.below(20) === 0) this.#server.engine.keyspace.lazyFree.step(1 + this.#prng.below(500));
    }
  }
}
