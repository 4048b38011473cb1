// Streams against plain arrays and maps: random appends, deletions and trims with all three reference modes, consumer groups with deliveries, claims and
// acknowledgements, ranges in both directions, copies, digests, and freeing in steps.

import { expect, setDefaultTimeout } from "bun:test";
import type { Arena, Ref } from "../../src/arena/arena.ts";
import type { Prng } from "../../src/base/prng.ts";
import { IndexCursor, indexFirst, indexNext } from "../../src/struct/id-index/id-index.ts";
import { elementBytes, ListpackElement } from "../../src/struct/listpack/listpack-element.ts";
import { containerRoot } from "../../src/types/container.ts";
import { Digest } from "../../src/types/digest.ts";
import { entryFree } from "../../src/types/entry.ts";
import { type StreamLimits, streamAppend, streamCreate, streamLength } from "../../src/types/stream/stream.ts";
import { EntryFlag } from "../../src/types/stream/stream-block.ts";
import {
  consumerCreate,
  consumerDelete,
  consumerFind,
  consumerPending,
  groupCreate,
  groupDelete,
  groupFind,
  groupIndex,
  groupPending,
  groupSetLastId,
  groupTimeIndex,
  isReferenced,
  Pending,
  pendingAdd,
  pendingAssign,
  pendingCountUp,
  pendingFind,
  pendingRemove,
  pendingTime,
} from "../../src/types/stream/stream-group.ts";
import { idCreate, idParse, idRead, idSetMax, idText, type StreamId } from "../../src/types/stream/stream-id.ts";
import {
  References,
  streamDelete,
  streamDeleted,
  streamDeleteReferenced,
  streamTrim,
  Trim,
} from "../../src/types/stream/stream-trim.ts";
import { StreamWalk, walkNext, walkStart } from "../../src/types/stream/stream-walk.ts";
import { entryCopy, valueType } from "../../src/types/value.ts";
import { bytes, seededTest } from "../base/seeded.ts";
import { returnArena, takeArena } from "../support/arena.ts";
import { streamCheck } from "./stream-check.ts";

setDefaultTimeout(60_000);

interface Entry {
  id: bigint;
  pairs: string[];
}

interface Nack {
  consumer: string;
  timeMs: number;
  count: number;
}

interface ModelGroup {
  lastId: bigint;
  consumers: Set<string>;
  pending: Map<bigint, Nack>;
}

const GREATEST = (1n << 128n) - 1n;

function toId(n: bigint): StreamId {
  return Int32Array.from({ length: 4 }, (_, i) => Number(BigInt.asIntN(32, n >> BigInt(96 - 32 * i))));
}

function fromId(id: StreamId): bigint {
  return id.reduce((sum, word) => (sum << 32n) | BigInt(word >>> 0), 0n);
}

class Play {
  readonly a: Arena = takeArena();
  readonly random: Prng;
  readonly limits: StreamLimits;
  e: Ref;
  entries: Entry[] = [];
  lastId = 0n;
  readonly groups = new Map<string, ModelGroup>();
  readonly walk = new StreamWalk();
  readonly cursor = new IndexCursor();
  nowMs = 1000;

  constructor(random: Prng) {
    this.random = random;
    this.limits = { nodeBytes: random.below(2) === 0 ? 0 : 200, nodeEntries: [0, 1, 4, 30][random.below(4)]! };
    this.e = streamCreate(this.a, bytes("key"), 0, 3, 0);
  }

  get s(): Ref {
    return containerRoot(this.a, this.e);
  }

  text(): string {
    const texts = ["", "v", "12", "-5000", "9223372036854775807", "x".repeat(80), "\x00\xff", "007"];
    return texts[this.random.below(texts.length)]!;
  }

  append(): void {
    const far =
      this.random.below(30) === 0 ? 1n << BigInt(40 + this.random.below(60)) : BigInt(1 + this.random.below(3));
    const id = this.lastId + (this.random.below(3) === 0 ? far << 64n : far);
    if (id > GREATEST) return;
    const names =
      this.random.below(3) > 0 ? ["f", "12"] : Array.from({ length: 1 + this.random.below(3) }, () => this.text());
    const pairs = names.flatMap((name) => [name, this.text()]);
    const all = Buffer.from(pairs.join(""), "latin1");
    const start = new Int32Array(pairs.length);
    const length = new Int32Array(pairs.length);
    let at = 0;
    pairs.forEach((part, i) => {
      start[i] = at;
      length[i] = part.length;
      at += part.length;
    });
    streamAppend(this.a, this.s, toId(id), all, start, length, 0, names.length, all.length, this.limits);
    this.lastId = id;
    this.entries.push({ id, pairs });
  }

  /** An id that is there, that was, or that never was. */
  someId(): bigint {
    const entry = this.entries[this.random.below(this.entries.length + 1)];
    const id = entry?.id ?? this.lastId;
    return this.random.below(4) === 0 && id > 0n ? id - 1n : id;
  }

  read(): Entry {
    const { walk } = this;
    const element = new ListpackElement();
    const pairs: string[] = [];
    const next = (p: number): number => {
      element.read(walk.buf, p);
      element.text();
      pairs.push(Buffer.from(element.buf.subarray(element.at, element.at + element.length)).toString("latin1"));
      return p + elementBytes(walk.buf, p);
    };
    let field = walk.masterFields;
    let p = walk.body;
    for (let i = 0; i < walk.fields; i++) {
      if ((walk.flags & EntryFlag.Same) !== 0) field = next(field);
      else p = next(p);
      p = next(p);
    }
    return { id: fromId(walk.id), pairs };
  }

  range(): void {
    const [one, two] = [this.someId(), this.someId()];
    const all = this.random.below(5) === 0;
    const from = all ? 0n : one < two ? one : two;
    const to = all ? GREATEST : one < two ? two : one;
    const isReverse = this.random.below(2) === 0;
    const want = this.entries.filter(({ id }) => id >= from && id <= to);
    if (isReverse) want.reverse();
    const got: Entry[] = [];
    walkStart(this.a, this.s, this.walk, toId(from), toId(to), isReverse);
    while (walkNext(this.a, this.s, this.walk)) got.push(this.read());
    expect(got).toEqual(want);
  }

  /** Whether a group has the entry pending or has yet to deliver it. */
  isReferenced(id: bigint): boolean {
    return [...this.groups.values()].some((group) => id > group.lastId || group.pending.has(id));
  }

  forget(id: bigint): void {
    for (const group of this.groups.values()) group.pending.delete(id);
  }

  delete(): void {
    const id = this.someId();
    const at = this.entries.findIndex((entry) => entry.id === id);
    if (this.random.below(2) === 0) {
      expect(streamDelete(this.a, this.s, toId(id))).toBe(at >= 0);
      if (at >= 0) streamDeleted(this.a, this.s, toId(id));
      if (at >= 0) this.entries.splice(at, 1);
      return;
    }
    const mode = this.random.below(3);
    const isKept = mode === References.Acked && this.isReferenced(id);
    expect(isReferenced(this.a, this.s, toId(id))).toBe(this.isReferenced(id));
    expect(streamDeleteReferenced(this.a, this.s, toId(id), mode)).toBe(at < 0 ? -1 : isKept ? 2 : 1);
    if (at < 0 || isKept) return;
    this.entries.splice(at, 1);
    if (mode === References.Delete) this.forget(id);
  }

  trim(): void {
    const references = this.random.below(3);
    const strategy = this.random.below(2) === 0 ? Trim.MaxLength : Trim.MinId;
    const isApproximate = this.random.below(3) === 0;
    const maxLength = this.random.below(this.entries.length + 3);
    const minId = this.someId();
    const options = { strategy, isApproximate, limit: 0, maxLength, minId: toId(minId), references };
    const before = this.entries.length;
    const deleted = streamTrim(this.a, this.s, options);
    const left: Entry[] = [];
    walkStart(this.a, this.s, this.walk, toId(0n), toId(GREATEST), false);
    while (walkNext(this.a, this.s, this.walk)) left.push(this.read());
    expect(deleted).toBe(before - left.length);
    const mayGo = (entry: Entry): boolean => references !== References.Acked || !this.isReferenced(entry.id);
    if (!isApproximate) {
      let length = before;
      const want = this.entries.filter((entry) => {
        const isOver = strategy === Trim.MaxLength ? length > maxLength : entry.id < minId;
        if (!isOver || !mayGo(entry)) return true;
        length--;
        return false;
      });
      expect(left).toEqual(want);
    } else {
      // Whole blocks only: no more than an exact trim takes, and the oldest.
      if (strategy === Trim.MaxLength) expect(left.length).toBeGreaterThanOrEqual(Math.min(before, maxLength));
      const there = new Set(left.map(({ id }) => id));
      for (const entry of this.entries)
        if (!there.has(entry.id)) expect(mayGo(entry) && (strategy === Trim.MaxLength || entry.id < minId)).toBe(true);
    }
    const there = new Set(left.map(({ id }) => id));
    if (references === References.Delete) for (const { id } of this.entries) if (!there.has(id)) this.forget(id);
    this.entries = left;
  }

  name(prefix: string): string {
    return `${prefix}${this.random.below(3)}`;
  }

  /** A group of the model with its counterpart, made if need be. */
  group(): [ModelGroup, Ref] {
    const name = this.name("g");
    const text = bytes(name);
    let model = this.groups.get(name);
    let g = groupFind(this.a, this.s, text, 0, text.length);
    expect(g === 0).toBe(model === undefined);
    if (model === undefined) {
      const lastId = this.someId();
      g = groupCreate(this.a, this.s, text, 0, text.length, toId(lastId));
      model = { lastId, consumers: new Set(), pending: new Map() };
      this.groups.set(name, model);
    } else if (this.random.below(40) === 0) {
      expect(groupDelete(this.a, this.s, text, 0, text.length)).toBe(true);
      this.groups.delete(name);
      return this.group();
    }
    return [model, g];
  }

  consumer(model: ModelGroup, g: Ref): [string, Ref] {
    const name = this.name("c");
    const text = bytes(name);
    const found = consumerFind(this.a, g, text, 0, text.length);
    expect(found !== 0).toBe(model.consumers.has(name));
    model.consumers.add(name);
    return [name, found !== 0 ? found : consumerCreate(this.a, g, text, 0, text.length, this.nowMs)];
  }

  deliver(): void {
    const [model, g] = this.group();
    const [name, consumer] = this.consumer(model, g);
    const next = this.entries.filter(({ id }) => id > model.lastId).slice(0, 1 + this.random.below(5));
    for (const { id } of next) {
      const nack = { consumer: name, timeMs: this.nowMs, count: 1 };
      if (pendingFind(this.a, g, toId(id), this.cursor)) {
        pendingAssign(this.a, g, toId(id), this.cursor, consumer, this.nowMs);
        this.cursor.words[this.cursor.at + Pending.Count] = 1;
      } else {
        pendingAdd(this.a, g, consumer, toId(id), this.nowMs, 1, 0);
      }
      model.pending.set(id, nack);
      model.lastId = id;
      groupSetLastId(this.a, g, toId(id));
    }
    if (this.random.below(10) === 0) {
      model.lastId = this.someId();
      groupSetLastId(this.a, g, toId(model.lastId));
    }
  }

  claim(): void {
    const [model, g] = this.group();
    const ids = [...model.pending.keys()];
    if (ids.length === 0) return;
    const id = ids[this.random.below(ids.length)]!;
    const nack = model.pending.get(id)!;
    if (this.random.below(2) === 0) {
      expect(pendingRemove(this.a, g, toId(id))).toBe(true);
      expect(pendingRemove(this.a, g, toId(id))).toBe(false);
      model.pending.delete(id);
      return;
    }
    const [name, consumer] = this.consumer(model, g);
    nack.consumer = name;
    nack.timeMs = this.nowMs - this.random.below(500);
    nack.count++;
    expect(pendingFind(this.a, g, toId(id), this.cursor)).toBe(true);
    pendingCountUp(this.cursor);
    pendingAssign(this.a, g, toId(id), this.cursor, consumer, nack.timeMs);
    if (this.random.below(20) > 0) return;
    const text = bytes(name);
    const own = [...model.pending].filter(([, { consumer: owner }]) => owner === name).map(([key]) => key);
    expect(consumerPending(this.a, consumer)).toBe(own.length);
    consumerDelete(this.a, g, text, 0, text.length);
    model.consumers.delete(name);
    for (const key of own) model.pending.delete(key);
  }

  compareGroups(): void {
    for (const [name, model] of this.groups) {
      const text = bytes(name);
      const g = groupFind(this.a, this.s, text, 0, text.length);
      expect(groupPending(this.a, g)).toBe(model.pending.size);
      const id = idCreate();
      const index = groupIndex(this.a, g);
      const sorted = [...model.pending.keys()].sort((x, y) => (x < y ? -1 : 1));
      let i = 0;
      for (let more = indexFirst(this.a, index, this.cursor); more; more = indexNext(this.a, index, this.cursor), i++) {
        idRead(id, this.cursor.words, this.cursor.at);
        const nack = model.pending.get(sorted[i]!)!;
        expect(fromId(id)).toBe(sorted[i]!);
        expect(pendingTime(this.cursor)).toBe(nack.timeMs);
        expect(this.cursor.words[this.cursor.at + Pending.Count]).toBe(nack.count);
      }
      const byTime = [...model.pending].sort(([x, m], [y, n]) => m.timeMs - n.timeMs || (x < y ? -1 : 1));
      const timeIndex = groupTimeIndex(this.a, g);
      i = 0;
      for (
        let more = indexFirst(this.a, timeIndex, this.cursor);
        more;
        more = indexNext(this.a, timeIndex, this.cursor), i++
      ) {
        idRead(id, this.cursor.words, this.cursor.at + 2);
        expect(fromId(id)).toBe(byTime[i]![0]);
      }
    }
  }

  step(): void {
    const action = this.random.below(40);
    if (action < 20) this.append();
    else if (action < 25) this.delete();
    else if (action < 27 && this.random.below(3) === 0) this.trim();
    else if (action < 32) this.range();
    else if (action < 36) this.deliver();
    else this.claim();
    this.nowMs += this.random.below(10);
  }

  digest(e: Ref): string {
    const digest = new Digest();
    valueType(this.a, e).digest(this.a, e, digest);
    return digest.toString();
  }
}

seededTest("random changes of a stream and its groups", (random) => {
  for (let round = 0; round < 12; round++) {
    const play = new Play(random);
    const { a } = play;
    for (let step = 0; step < 500; step++) {
      play.step();
      if (step % 25 === 0) {
        streamCheck(a, play.s);
        play.compareGroups();
      }
    }
    streamCheck(a, play.s);
    play.compareGroups();
    expect(streamLength(a, play.s)).toBe(play.entries.length);

    const type = valueType(a, play.e);
    const used = a.usedBytes;
    const twin = entryCopy(a, play.e, bytes("twin"), 0, 4, 0);
    streamCheck(a, containerRoot(a, twin));
    expect(play.digest(twin)).toBe(play.digest(play.e));
    const outside = type.outsideBytes(a, twin, 0);
    expect(Math.abs(outside - (a.usedBytes - used))).toBeLessThan(outside * 0.25 + 4000);
    expect(type.freeEffort(a, twin)).toBeGreaterThan(0);
    for (let steps = 0; !type.freeStep!(a, twin, 8); steps++) expect(steps).toBeLessThan(10_000);
    entryFree(a, twin, false);
    expect(a.usedBytes).toBe(used);
    type.free(a, play.e);
    entryFree(a, play.e, false);
    expect(a.usedBytes).toBe(0);
    a.check();
    returnArena(a);
  }
});

seededTest("ids as text, of all widths", (random) => {
  const id = idCreate();
  for (let i = 0; i < 3000; i++) {
    const half = (): bigint => {
      let n = 0n;
      for (let k = random.below(3); k >= 0; k--) n = (n << 32n) | BigInt(random.uint32());
      return BigInt.asUintN(random.below(64) + 1, n);
    };
    const [ms, seq] = [half(), half()];
    const text = `${ms}-${seq}`;
    expect(idText(toId((ms << 64n) | seq))).toBe(text);
    expect(idParse(bytes(text), 0, text.length, 0, id)).toBe(1);
    expect(fromId(id)).toBe((ms << 64n) | seq);
  }
  idSetMax(id);
  expect(idText(id)).toBe("18446744073709551615-18446744073709551615");
});
