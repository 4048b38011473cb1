// A snapshot format that keeps a digest of each key instead of bytes, and checks what the walk promises to a format.

import type { Arena, Ref } from "../../src/arena/arena.ts";
import { DOUBLE_TEXT_MAX, writeDouble } from "../../src/base/float.ts";
import type { Keyspace } from "../../src/keyspace/keyspace.ts";
import type {
  SnapshotDatabase,
  SnapshotFormat,
  SnapshotLane,
  SnapshotTarget,
} from "../../src/persistence/snapshot/snapshot.ts";
import { dictScan, RefList } from "../../src/struct/dict/dict.ts";
import { DIGEST_BYTES, Digest } from "../../src/types/digest.ts";
import { entryExpiry, entryKeyText, entryType, Type } from "../../src/types/entry.ts";
import { HashWalk, walkNextSaved, walkStartSaved } from "../../src/types/hash/hash-walk.ts";
import { ListWalk, listWalkNext, listWalkStart } from "../../src/types/list/list-walk.ts";
import { SetWalk, setWalkNextSaved, setWalkStartSaved } from "../../src/types/set/set-walk.ts";
import { valueType } from "../../src/types/value.ts";
import { ZsetWalk, zsetWalkNextSaved, zsetWalkStartSaved } from "../../src/types/zset/zset-walk.ts";

/** "<db> <key>" -> what the key held. */
export type Picture = Map<string, string>;

/** What a key holds, as text. */
export function fingerprint(a: Arena, e: Ref): string {
  const digest = new Digest();
  valueType(a, e).digest(a, e, digest);
  return `${entryType(a, e)} ${entryExpiry(a, e)} ${digest}`;
}

/** What all databases hold. */
export function pictureOf(keyspace: Keyspace): Picture {
  const picture: Picture = new Map();
  const list = new RefList();
  for (const db of keyspace.databases) {
    let cursor = 0;
    do {
      list.count = 0;
      cursor = dictScan(keyspace.arena, db.dict, cursor, list);
      for (let i = 0; i < list.count; i++) {
        const e = list.refs[i];
        picture.set(`${db.id} ${entryKeyText(keyspace.arena, e)}`, fingerprint(keyspace.arena, e));
      }
    } while (cursor !== 0);
  }
  return picture;
}

/** The digest of a frozen value, element by element. */
class FrozenDigest {
  readonly #arena: Arena;
  readonly #type: number;
  readonly #digest = new Digest();
  readonly #hash = new HashWalk();
  readonly #set = new SetWalk();
  readonly #zset = new ZsetWalk();
  readonly #list = new ListWalk();
  #left: number;

  constructor(a: Arena, e: Ref) {
    this.#arena = a;
    this.#type = entryType(a, e);
    this.#left = a.frozen.view(e)?.elements ?? 0;
    if (entryType(a, e) === Type.Hash) walkStartSaved(a, e, this.#hash);
    else if (entryType(a, e) === Type.List) listWalkStart(a, e, this.#list);
    else if (entryType(a, e) === Type.Set) setWalkStartSaved(a, e, this.#set);
    else zsetWalkStartSaved(a, e, this.#zset);
  }

  /** Takes one more element, if one is found; true when there is none left. */
  step(): boolean {
    if (this.#type === Type.Hash) this.#field();
    else if (this.#type === Type.List) this.#element();
    else if (this.#type === Type.Set) this.#member();
    else this.#scored();
    return this.#left === 0;
  }

  #element(): void {
    const { element } = this.#list;
    if (!listWalkNext(this.#arena, this.#list)) return;
    this.#left--;
    this.#digest.mix(element.buf, element.at, element.length);
  }

  #field(): void {
    const { field, value } = this.#hash;
    if (!walkNextSaved(this.#arena, this.#hash)) return;
    this.#left--;
    const pair = new Digest();
    pair.mix(field.buf, field.at, field.length);
    pair.mix(value.buf, value.at, value.length);
    if (this.#hash.expiryMs !== 0) pair.add(Buffer.from("!!hexpire!!"), 0, 11);
    this.#digest.add(pair.state, 0, DIGEST_BYTES);
  }

  #member(): void {
    const { member } = this.#set;
    if (!setWalkNextSaved(this.#arena, this.#set)) return;
    this.#left--;
    this.#digest.add(member.buf, member.at, member.length);
  }

  #scored(): void {
    const { member } = this.#zset;
    if (!zsetWalkNextSaved(this.#arena, this.#zset)) return;
    this.#left--;
    const pair = new Digest();
    const score = new Uint8Array(DOUBLE_TEXT_MAX);
    pair.mix(member.buf, member.at, member.length);
    pair.mix(score, 0, writeDouble(score, 0, this.#zset.score));
    this.#digest.add(pair.state, 0, DIGEST_BYTES);
  }

  toString(): string {
    return String(this.#digest);
  }
}

class DigestLane implements SnapshotLane {
  readonly #arena: Arena;
  readonly #write: (name: string, print: string) => void;
  readonly #stepsOf: (e: Ref) => number;
  #entry: Ref = 0;
  #name = "";
  #print = "";
  #steps = 0;
  #frozen: FrozenDigest | null = null;

  constructor(arena: Arena, stepsOf: (e: Ref) => number, write: (name: string, print: string) => void) {
    this.#arena = arena;
    this.#stepsOf = stepsOf;
    this.#write = write;
  }

  get isBetweenKeys(): boolean {
    return this.#entry === 0;
  }

  begin(e: Ref, db: SnapshotDatabase): void {
    if (this.#entry !== 0) throw new Error("a key begins while another one is not complete");
    this.#entry = e;
    this.#name = `${db.id} ${entryKeyText(this.#arena, e)}`;
    this.#frozen = this.#arena.frozen.view(e) === null ? null : new FrozenDigest(this.#arena, e);
    this.#print = this.#frozen === null ? fingerprint(this.#arena, e) : "";
    this.#steps = this.#stepsOf(e);
  }

  step(budget: number): boolean {
    if (this.#frozen !== null) return this.#frozenStep(this.#frozen, budget);
    this.#steps -= budget === Number.POSITIVE_INFINITY ? this.#steps : 1;
    if (this.#steps > 0) return false;
    if (fingerprint(this.#arena, this.#entry) !== this.#print)
      throw new Error(`${this.#name} changed while it was written`);
    this.#entry = 0;
    this.#write(this.#name, this.#print);
    return true;
  }

  /** A tenth of what is asked for, so that a value takes many steps. */
  #frozenStep(frozen: FrozenDigest, budget: number): boolean {
    for (let left = budget / 10; left > 0; left--) {
      if (!frozen.step()) continue;
      const e = this.#entry;
      this.#entry = 0;
      this.#write(this.#name, `${entryType(this.#arena, e)} ${entryExpiry(this.#arena, e)} ${frozen}`);
      return true;
    }
    return false;
  }
}

/** Collects a picture; a value takes as many steps as `stepsOf` says. */
export class DigestFormat implements SnapshotFormat, SnapshotTarget {
  readonly picture: Picture = new Map();
  readonly main: DigestLane;
  readonly aside: DigestLane;
  readonly #kept: [string, string][] = [];
  pending = 0;
  state = "new";

  constructor(arena: Arena, stepsOf: (e: Ref) => number) {
    this.main = new DigestLane(arena, stepsOf, (name, print) => this.#add(name, print));
    this.aside = new DigestLane(arena, stepsOf, (name, print) => this.#kept.push([name, print]));
  }

  #add(name: string, print: string): void {
    if (this.picture.has(name)) throw new Error(`${name} was written twice`);
    this.picture.set(name, print);
  }

  open(): void {
    this.state = "open";
  }

  merge(): void {
    if (!this.main.isBetweenKeys) throw new Error("merged into the middle of a key");
    for (const [name, print] of this.#kept.splice(0)) this.#add(name, print);
  }

  close(): void {
    if (this.#kept.length > 0) throw new Error("something was left aside");
    this.state = "closed";
  }

  pendingBytes(): number {
    return this.pending;
  }

  finish(): void {
    if (this.state !== "closed") throw new Error("finished before it was closed");
    this.state = "finished";
  }
}
