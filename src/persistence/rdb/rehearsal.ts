/**
 * Snapshots for practice. What a server's first snapshot does, and what commands do while there is one, would be compiled in the middle of it: the compiler
 * would take a processor from clients, and would have to begin with throwing away the code of commands, which it had made without what never happens. So as soon
 * as there are enough keys for that to be noticed, a few at a time are copied into a database of their own, and are changed and deleted while a snapshot of
 * that database is in progress, which goes nowhere.
 *
 * Invariant: a round is over before anybody else has a turn. No key of the server has changed then, keyspace.phase is what it was, and all copies are gone. There
 * is no round once there was a real snapshot.
 */

import type { Ref } from "../../arena/arena.ts";
import type { Engine } from "../../engine/engine.ts";
import type { HandlerContext } from "../../engine/handler-context.ts";
import { practiceContext, practise } from "../../engine/practice.ts";
import { saveKeysFirst } from "../../engine/snapshot-keys.ts";
import type { CommandSpec } from "../../engine/spec/spec.ts";
import { Database, NO_EXPIRY } from "../../keyspace/database.ts";
import { freeContent } from "../../keyspace/lazy-free.ts";
import { dictScan, RefList } from "../../struct/dict/dict.ts";
import { entryAccess, entryKeyAt, entryKeyBuffer, entryKeyLength } from "../../types/entry.ts";
import { entryCopy } from "../../types/value.ts";
import { ChildPipe } from "../child/child-pipe.ts";
import { openNowhere } from "../disk.ts";
import { retainedBytes } from "../snapshot/retired-entries.ts";
import { Snapshot } from "../snapshot/snapshot.ts";
import { IDLE_SLICE_US } from "../snapshot/snapshot-pace.ts";
import { RdbFormat } from "./rdb-format.ts";

/** A data set of fewer keys is saved before compiled code would be worth it; and one that has just been made gets time to settle. */
const KEYS_MIN = 100_000;
const DELAY_US = 3_000_000;
/** After so many keys everything has been compiled. */
const KEYS_ENOUGH = 100_000;
/** Values that take more memory are passed over. */
const SMALL_BYTES = 2048;
/** Keys of the first round, and of those later: the code is slow in the beginning. */
const ROUND_MIN = 4;
const ROUND_MAX = 64;
/** Rounds have a key more after so many. */
const KEYS_PER_GROWTH = 100;
/** The first rounds have a format each: of one that is always the same the compiler would take it for granted that it is the only one. */
const FORMATS = 16;
/** What is done to a key goes by its place and by the snapshot. */
const KINDS = 4;
/** Snapshots of a round: to copy its keys takes longer than one. */
const PASSES = 3;

const NEW_VALUE = Buffer.from("0123456789abcdef", "latin1");

/** What takes part: the same classes as in earnest, since code is compiled for classes. */
class Practice {
  readonly snapshot: Snapshot;
  readonly pipe: ChildPipe;
  #format: RdbFormat | null = null;
  #formats = 0;
  readonly #engine: Engine;
  readonly #sink = openNowhere();
  readonly #cx: HandlerContext;
  readonly #set: CommandSpec;
  readonly #append: CommandSpec;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.pipe = new ChildPipe(this.#sink, () => {});
    this.snapshot = new Snapshot(engine);
    this.#set = engine.commands.lookupOriginal("set") as CommandSpec;
    this.#append = engine.commands.lookupOriginal("append") as CommandSpec;
    this.#cx = practiceContext(engine, engine.reply);
    this.#cx.request.count = 3;
  }

  /** What the next round is written as. */
  get format(): RdbFormat {
    if (this.#format !== null && this.#formats === FORMATS) return this.#format;
    this.#format?.main.out.flush();
    this.#formats++;
    const checksum = this.#engine.config.values.rdbchecksum ? "receiver" : "nobody";
    const options = { checksum, aux: [], isAofBase: false, inSlices: true, keysOnly: true } as const;
    this.#format = new RdbFormat(this.#engine, this.pipe, options);
    return this.#format;
  }

  /** Does to the copy of a key, in `db`, what commands do to keys. */
  change(db: Database, original: Ref, kind: number): void {
    const a = db.arena;
    const key = entryKeyBuffer(a, original);
    const at = entryKeyAt(a, original);
    const length = entryKeyLength(a, original);
    const { request } = this.#cx;
    request.buf = key;
    request.start[1] = at;
    request.length[1] = length;
    this.#cx.db = db;
    if (kind === 2) saveKeysFirst(this.#cx, this.#append);
    if (kind > 1) return;
    saveKeysFirst(this.#cx, this.#set);
    const e = db.find(key, at, length);
    if (kind === 0) db.putString(e, key, at, length, NEW_VALUE, 0, NEW_VALUE.length, NO_EXPIRY, false);
    else if (e !== 0) db.remove(e, db.hash);
  }

  end(): void {
    void this.#sink.end();
  }
}

export class Rehearsal {
  /** Keys that remain to be saved; 0: the rehearsal is over. */
  keysLeft = KEYS_ENOUGH;
  readonly #engine: Engine;
  readonly #real: Snapshot;
  #practice: Practice | null = null;
  readonly #list = new RefList();
  /** Where the next keys are taken from. */
  #database = 0;
  #cursor = 0;
  #hasBegun = false;
  /** Since when there are enough keys. */
  #largeSinceUs = Number.POSITIVE_INFINITY;

  /** `real` makes the server's snapshots. */
  constructor(engine: Engine, real: Snapshot) {
    this.#engine = engine;
    this.#real = real;
  }

  /** Begins when the time has come. Called by the cron. */
  tend(): void {
    if (this.#hasBegun || this.keysLeft === 0) return;
    let keys = 0;
    for (const db of this.#engine.keyspace.databases) keys += db.size;
    const nowUs = this.#engine.clock.monotonicUs();
    if (keys < KEYS_MIN) this.#largeSinceUs = Number.POSITIVE_INFINITY;
    else this.#largeSinceUs = Math.min(this.#largeSinceUs, nowUs);
    if (nowUs - this.#largeSinceUs < DELAY_US) return;
    this.#hasBegun = true;
    practise(this.#engine, () => this.#proceed());
  }

  /** Does a round; true when there is more. */
  #proceed(): boolean {
    this.round();
    if (this.keysLeft > 0) return true;
    this.#practice?.end();
    this.#practice = null;
    return false;
  }

  /** Some snapshots of some small values. */
  round(): void {
    const { keyspace, config } = this.#engine;
    if (this.#real.hasBegun || config.values.rdbKeySaveDelay !== 0) this.keysLeft = 0;
    if (this.keysLeft === 0) return;
    const { phase } = keyspace;
    const db = new Database(keyspace, 0);
    this.#practice ??= new Practice(this.#engine);
    const { snapshot, format, pipe } = this.#practice;
    try {
      this.#takeKeys(db);
      const { refs, count } = this.#list;
      for (let pass = 0; pass < PASSES; pass++) {
        snapshot.start(format, pipe, { databases: [db], delaysKeys: true });
        for (let i = 0; i < count; i++) this.#practice.change(db, refs[i], (i + pass) % KINDS);
        while (snapshot.runSlice(IDLE_SLICE_US));
      }
    } finally {
      snapshot.abort();
      keyspace.phase = phase;
      db.hashExpiry.clear(true);
      freeContent(keyspace.arena, db);
    }
    this.keysLeft = Math.max(0, this.keysLeft - Math.max(1, PASSES * this.#list.count));
  }

  /** Copies the next keys into `db`. */
  #takeKeys(db: Database): void {
    const { arena: a, databases } = this.#engine.keyspace;
    const list = this.#list;
    list.count = 0;
    const wanted = Math.min(ROUND_MAX, ROUND_MIN + (KEYS_ENOUGH - this.keysLeft) / KEYS_PER_GROWTH);
    const source = databases[this.#database % databases.length];
    do this.#cursor = source.size === 0 ? 0 : dictScan(a, source.dict, this.#cursor, list);
    while (this.#cursor !== 0 && list.count < wanted);
    if (this.#cursor === 0) this.#database++;
    let count = 0;
    for (let i = 0; i < list.count; i++)
      if (retainedBytes(a, list.refs[i]) <= SMALL_BYTES) list.refs[count++] = list.refs[i];
    list.count = count;
    for (let i = 0; i < count; i++) {
      const e = list.refs[i];
      db.find(entryKeyBuffer(a, e), entryKeyAt(a, e), entryKeyLength(a, e));
      db.insert(
        entryCopy(a, e, entryKeyBuffer(a, e), entryKeyAt(a, e), entryKeyLength(a, e), entryAccess(a, e)),
        db.hash,
      );
    }
  }
}
