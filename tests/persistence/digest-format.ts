// A snapshot format that keeps a digest of each key instead of bytes, and checks what the walk promises to a format.

import type { Arena, Ref } from "../../src/arena/arena.ts";
import type { Keyspace } from "../../src/keyspace/keyspace.ts";
import type { SnapshotDatabase, SnapshotFormat, SnapshotLane, SnapshotTarget } from "../../src/persistence/snapshot.ts";
import { dictScan, RefList } from "../../src/struct/dict.ts";
import { Digest } from "../../src/types/digest.ts";
import { entryExpiry, entryKeyText, entryType } from "../../src/types/entry.ts";
import { valueType } from "../../src/types/value.ts";

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

class DigestLane implements SnapshotLane {
  readonly #arena: Arena;
  readonly #write: (name: string, print: string) => void;
  readonly #stepsOf: (e: Ref) => number;
  #entry: Ref = 0;
  #name = "";
  #print = "";
  #steps = 0;

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
    this.#print = fingerprint(this.#arena, e);
    this.#steps = this.#stepsOf(e);
  }

  step(budget: number): boolean {
    this.#steps -= budget === Number.POSITIVE_INFINITY ? this.#steps : 1;
    if (this.#steps > 0) return false;
    if (fingerprint(this.#arena, this.#entry) !== this.#print)
      throw new Error(`${this.#name} changed while it was written`);
    this.#entry = 0;
    this.#write(this.#name, this.#print);
    return true;
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
