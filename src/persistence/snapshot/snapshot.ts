/**
 * A snapshot of all databases without fork: a walk in slices of at most a millisecond between the turns of clients, whose result is the data set as it was
 * when the walk began. Each key is written exactly once:
 *
 *   keyspace.phase flips when a snapshot begins, so that all keys have the other phase; a key gets the new phase when it has been written, or is inserted
 *   key still has the old phase -> not written yet: beforeChange() writes it before it changes, moves or goes
 *
 * Whatever is written goes through a SnapshotFormat, which has two lanes. A large value takes several slices on the main lane; a key that is about to change
 * meanwhile cannot be written into the middle of it, and goes to the lane aside, whose bytes follow when the large value is complete.
 *
 * A key that is deleted, or gets another value, leaves its old entry to the snapshot, which writes it when it has the time (retired-entries.ts); of a small
 * string that changes it gets a copy (copied-strings.ts). A large value is frozen before it changes, and before it is written: changes leave copies of what
 * was there, part by part (frozen-values.ts), and its key counts as written.
 *
 * A client that wants to change a large value that cannot be frozen, or one of which too much has been copied, waits until hurry() has had it written, in slices
 * like all others but before them.
 *
 * Dicts that FLUSHDB gives up belong to the walk until it has read them. When a snapshot is broken off, the keys that were not written must still get the
 * new phase before the next one can begin: that, too, is done in slices ("catching up"), and needs no word from whoever changes keys.
 *
 * Invariants: no ref but those of the value in progress, of retired entries, of copied strings and of frozen values outlives a slice; keyspace.snapshot is this object exactly while a snapshot is in progress.
 */
import type { Ref } from "../../arena/arena.ts";
import type { Engine } from "../../engine/engine.ts";
import type { KeySnapshot } from "../../keyspace/key-rules.ts";
import { prefetchBlocks } from "../../struct/block-prefetch.ts";
import { dictFind, dictHash, dictPause, dictScan, dictSize, RefList } from "../../struct/dict/dict.ts";
import { entryKeyCopy, entryPhase, entryType, PHASE_BIT, setEntryPhase, Type } from "../../types/entry.ts";
import { prefetchEntries } from "../../types/entry-prefetch.ts";
import { canFreeze, isFrozen } from "../../types/frozen-value.ts";
import { stringLength } from "../../types/string.ts";
import { valueType } from "../../types/value.ts";
import { CopiedStrings } from "./copied-strings.ts";
import { FrozenValues } from "./frozen-values.ts";
import { RetiredEntries } from "./retired-entries.ts";
import {
  pagesOf,
  type SnapshotDatabase,
  type SnapshotFormat,
  type SnapshotOptions,
  type SnapshotProgress,
  type SnapshotTarget,
} from "./snapshot-format.ts";
import { IDLE_SLICE_US, SnapshotPace } from "./snapshot-pace.ts";

export type {
  ByteSink,
  SnapshotDatabase,
  SnapshotFormat,
  SnapshotLane,
  SnapshotOptions,
  SnapshotProgress,
  SnapshotTarget,
} from "./snapshot-format.ts";

/** A key that somebody waits for. */
interface Urgent {
  readonly dict: Ref;
  readonly key: Uint8Array;
  readonly saved: () => void;
}

/** A dict of keys to walk. */
interface Root {
  readonly db: SnapshotDatabase;
  readonly dict: Ref;
  /** Given up by its database; then its index of expiring keys, or 0. */
  orphan: boolean;
  expires: Ref;
  /** Entries that left it before they were written. */
  readonly retired: RetiredEntries;
  /** Strings that changed before. */
  readonly copied: CopiedStrings;
}

const PENDING_MAX = 1024 * 1024;
/** Elements of a value between looks at the clock. */
const STEP_BUDGET = 64;
/** Between looks at the clock: keys, or buckets where nothing is written, and buckets where keys are. */
const KEYS_PER_CLOCK = 16;
const BUCKETS_PER_CLOCK = 2;
/** Microseconds of catching up at once. */
const CATCH_UP_US = 5000;
/** When so many bytes wait that no key has any more, entries that go are written at once, unless that would take long. */
const RETAINED_MAX = 32 * 1024 * 1024;
/** When so many bytes were copied because large values change, whoever changes one waits. */
const COPIES_MAX = 32 * 1024 * 1024;
/** No timer runs longer: then it is looked again. */
const TIMER_MS_MAX = 100;
/** A value of more allocations, or a string of more bytes, takes too long to be written at once. Those of lists and streams are blocks of some KiB. */
const ELEMENTS_COSTLY = 512;
const BLOCKS_COSTLY = 32;
const BYTES_COSTLY = 1024 * 1024;

const State = { Idle: 0, Walking: 1, CatchingUp: 2 } as const;

export class Snapshot implements KeySnapshot {
  /** Do replicas wait for the snapshot in progress? Set by replication. */
  isAwaited: () => boolean = () => false;
  readonly progress: SnapshotProgress = { keysTotal: 0, keysWritten: 0, copiedPages: 0 };
  /** Was there ever one? */
  hasBegun = false;
  readonly #engine: Engine;
  readonly #list = new RefList();
  /** Keeps the loads of prefetching alive. */
  #touched = 0;
  #state: number = State.Idle;
  #format: SnapshotFormat | null = null;
  #target: SnapshotTarget | null = null;
  #delaysKeys = false;
  #roots: Root[] = [];
  /** The root that is walked, and the cursor of its next bucket. */
  #root = 0;
  #cursor = 0;
  /** The key that the main lane has begun, or 0. */
  #current: Ref = 0;
  /** The list that it is to be freed by because it is no key any more, or null. */
  #currentRetired: RetiredEntries | null = null;
  readonly #frozen: FrozenValues;
  /** The dict of the key in progress, which keeps its size, or 0. */
  #heldDict: Ref = 0;
  /** The lane aside has been used since the last merge. */
  #asideUsed = false;
  /** Monotonic microseconds before which no further key is written. */
  #notBeforeUs = 0;
  readonly #pace = new SnapshotPace();
  /** Monotonic microseconds before which there is no further slice, as the pace has it. */
  #restUntilUs = 0;
  /** When the last slice ended, in monotonic microseconds and in those of the thread. */
  #sliceEndUs = 0;
  #threadEndUs = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #immediate: ReturnType<typeof setImmediate> | null = null;
  #waiting: (() => void)[] = [];
  #urgent: Urgent[] = [];

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#frozen = new FrozenValues(engine.keyspace);
  }

  /** Is a snapshot in progress? */
  get isRunning(): boolean {
    return this.#state === State.Walking;
  }

  /** Whose snapshot is in progress; null when none is. */
  get target(): SnapshotTarget | null {
    return this.#target;
  }

  /** May start() be called? */
  get isReady(): boolean {
    return this.#state === State.Idle;
  }

  /** Calls back as soon as start() may be called, which is at once unless a snapshot was broken off just now. None must be in progress. */
  whenReady(ready: () => void): void {
    if (this.#state === State.Walking) throw new Error("a snapshot is in progress");
    if (this.#state === State.Idle) ready();
    else this.#waiting.push(ready);
  }

  /** Begins a snapshot of the data set as it is now. */
  start(format: SnapshotFormat, target: SnapshotTarget, options: SnapshotOptions = {}): void {
    if (this.#state !== State.Idle) throw new Error("a snapshot cannot begin now");
    const { keyspace } = this.#engine;
    this.#state = State.Walking;
    this.#format = format;
    this.#target = target;
    this.#delaysKeys = options.delaysKeys === true;
    this.hasBegun = true;
    this.#notBeforeUs = 0;
    this.#restUntilUs = 0;
    this.#sliceEndUs = this.#engine.clock.monotonicUs();
    this.#threadEndUs = this.#engine.clock.threadUs();
    this.#roots = [];
    this.progress.keysTotal = 0;
    this.progress.keysWritten = 0;
    this.progress.copiedPages = 0;
    for (const { id, size, expiresSize, dict } of options.databases ?? keyspace.databases) {
      if (size === 0) continue;
      this.#roots.push({
        db: { id, size, expiresSize },
        dict,
        orphan: false,
        expires: 0,
        retired: new RetiredEntries(keyspace),
        copied: new CopiedStrings(keyspace),
      });
      this.progress.keysTotal += size;
    }
    this.#rewind();
    keyspace.phase ^= PHASE_BIT;
    keyspace.snapshot = this;
    format.open();
    this.#schedule();
  }

  /** Breaks the snapshot off; its target is not told. Nothing happens when none is in progress. */
  abort(): void {
    if (this.#state !== State.Walking) return;
    this.#engine.keyspace.snapshot = null;
    this.#freeCurrent();
    this.#frozen.clear();
    for (const root of this.#roots.slice(this.#root)) this.#release(root);
    this.#forget();
    this.#state = State.CatchingUp;
    this.#letAllGo();
    this.#roots = this.#roots.filter((root) => !root.orphan);
    this.#rewind();
    // Tables of a usual size are done with at once, so that the next snapshot need not wait.
    this.#notBeforeUs = 0;
    if (this.#catchUp(this.#engine.clock.monotonicUs() + CATCH_UP_US)) this.#schedule();
  }

  /** Goes on after a target has got rid of bytes. */
  resume(): void {
    if (this.#state === State.Walking && this.#timer === null && this.#immediate === null) this.#schedule();
  }

  #rewind(): void {
    this.#root = 0;
    this.#cursor = 0;
    this.#current = 0;
    this.#asideUsed = false;
  }

  #forget(): void {
    this.#format = null;
    this.#target = null;
    this.#current = 0;
    this.#cancelTimers();
  }

  #cancelTimers(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#immediate !== null) clearImmediate(this.#immediate);
    this.#timer = null;
    this.#immediate = null;
  }

  // ---- what happens to keys meanwhile

  beforeChange(dict: Ref, e: Ref): void {
    const { arena, phase } = this.#engine.keyspace;
    if (entryPhase(arena, e) === phase) return;
    const format = this.#format as SnapshotFormat;
    const isCurrent = this.#current === e;
    if (!isCurrent && this.#keepsCopy(dict, e)) return;
    if (!isCurrent && this.#freezes(e, this.#rootOf(dict).db)) {
      this.progress.copiedPages += this.#pagesOf(e);
      return;
    }
    const lane = isCurrent || this.#current === 0 ? format.main : format.aside;
    if (!isCurrent) lane.begin(e, this.#rootOf(dict).db);
    while (!lane.step(Number.POSITIVE_INFINITY));
    if (lane === format.aside) this.#asideUsed = true;
    this.progress.copiedPages += this.#pagesOf(e);
    this.#written(e);
    if (isCurrent) this.#closeCurrent();
  }

  /** Copies a small string that is about to change, which is less work than writing it. False for other values, and when enough waits to be written. */
  #keepsCopy(dict: Ref, e: Ref): boolean {
    const { arena, phase } = this.#engine.keyspace;
    if (!this.#rootOf(dict).copied.push(e, RETAINED_MAX)) return false;
    this.progress.copiedPages++;
    setEntryPhase(arena, e, phase);
    return true;
  }

  /** Freezes a large value; its key counts as written. False for others. */
  #freezes(e: Ref, db: SnapshotDatabase): boolean {
    const { arena, phase } = this.#engine.keyspace;
    if (!canFreeze(arena, e, ELEMENTS_COSTLY, BLOCKS_COSTLY)) return false;
    this.#frozen.add(e, db);
    setEntryPhase(arena, e, phase);
    return true;
  }

  retires(dict: Ref, e: Ref, isReplaced: boolean): boolean {
    const { keyspace } = this.#engine;
    const { arena, phase } = keyspace;
    if (entryPhase(arena, e) === phase) return false;
    const isCurrent = this.#current === e;
    // The new value of a small string can then stand where the old one did.
    if (isReplaced && !isCurrent && this.#keepsCopy(dict, e)) return false;
    const isWelcome = keyspace.retainedBytes < RETAINED_MAX || this.isCostly(e);
    if (!isCurrent && !isWelcome) {
      this.beforeChange(dict, e);
      return false;
    }
    this.progress.copiedPages += this.#pagesOf(e);
    const { retired } = this.#rootOf(dict);
    retired.push(e);
    if (isCurrent) {
      retired.take();
      this.#currentRetired = retired;
    }
    return true;
  }

  #pagesOf(e: Ref): number {
    return pagesOf(this.#engine.keyspace.arena.capacity(e) + 1);
  }

  isCostly(e: Ref): boolean {
    const { keyspace } = this.#engine;
    const { arena, phase } = keyspace;
    const isFull = arena.frozen.copyBytes >= COPIES_MAX;
    if (entryPhase(arena, e) === phase) return isFull && isFrozen(arena, e);
    const type = entryType(arena, e);
    if (type === Type.String) return stringLength(arena, e) > BYTES_COSTLY;
    if (!isFull && canFreeze(arena, e, ELEMENTS_COSTLY, BLOCKS_COSTLY)) return false;
    const isBlocks = type === Type.List || type === Type.Stream;
    return valueType(arena, e).freeEffort(arena, e) > (isBlocks ? BLOCKS_COSTLY : ELEMENTS_COSTLY);
  }

  hurry(dict: Ref, e: Ref, saved: () => void): void {
    this.#urgent.push({ dict, key: entryKeyCopy(this.#engine.keyspace.arena, e), saved });
    this.#cancelTimers();
    this.#schedule();
  }

  /** The first key that somebody waits for, or 0; lets those go who need not wait any more. */
  #urgentEntry(): Ref {
    const { arena } = this.#engine.keyspace;
    while (this.#urgent.length > 0) {
      const [{ dict, key, saved }] = this.#urgent;
      // A database that was emptied meanwhile has the key no more; the walk comes to it by itself.
      const isThere = this.#engine.keyspace.databases.some((db) => db.dict === dict);
      const e = isThere ? dictFind(arena, dict, key, 0, key.length, dictHash(arena, key, 0, key.length)) : 0;
      if (e !== 0 && this.isCostly(e)) return e;
      this.#urgent.shift();
      saved();
    }
    return 0;
  }

  #letAllGo(): void {
    for (const { saved } of this.#urgent.splice(0)) saved();
  }

  takesOver(dict: Ref, expires: Ref): boolean {
    for (let i = this.#root; i < this.#roots.length; i++) {
      const root = this.#roots[i];
      if (root.dict !== dict) continue;
      root.orphan = true;
      root.expires = expires;
      return true;
    }
    return false;
  }

  #rootOf(dict: Ref): Root {
    for (const root of this.#roots) if (root.dict === dict) return root;
    throw new Error("snapshot: a key of the old phase in a new database");
  }

  /** Lets go of the dicts of a root that no database has any more. */
  #release(root: Root): void {
    root.retired.clear();
    root.copied.clear();
    if (!root.orphan) return;
    const { arena, lazyFree } = this.#engine.keyspace;
    lazyFree.addContent({ dict: root.dict, expires: root.expires }, dictSize(arena, root.dict));
  }

  #written(e: Ref): void {
    const { arena, phase } = this.#engine.keyspace;
    setEntryPhase(arena, e, phase);
    this.progress.keysWritten++;
  }

  #freeCurrent(): void {
    const { arena } = this.#engine.keyspace;
    if (this.#heldDict !== 0) dictPause(arena, this.#heldDict, -1);
    this.#heldDict = 0;
    this.progress.copiedPages += pagesOf(this.#frozen.release());
    this.#currentRetired?.free(this.#current);
    this.#currentRetired = null;
    this.#current = 0;
  }

  #closeCurrent(): void {
    this.#freeCurrent();
    if (!this.#asideUsed) return;
    this.#asideUsed = false;
    (this.#format as SnapshotFormat).merge();
  }

  // ---- the walk

  /**
   * Somebody waits, for a large value or for the next snapshot: that is worth a pause of a millisecond for others. Catching up is next to no work, and while it is
   * not done no snapshot can begin.
   */
  get #isUrgent(): boolean {
    return this.#urgent.length > 0 || this.#state === State.CatchingUp;
  }

  #schedule(): void {
    const nowUs = this.#engine.clock.monotonicUs();
    const waitUs = this.#isUrgent ? 0 : Math.max(this.#restUntilUs, this.#notBeforeUs) - nowUs;
    const delayMs = Math.min(TIMER_MS_MAX, Math.round(waitUs / 1000));
    if (delayMs <= 0) {
      this.#lookRound();
      return;
    }
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#lookRound();
    }, delayMs);
  }

  /** Lets the event loop go round before the next slice, and sees whether there were commands. */
  #lookRound(): void {
    const { stats } = this.#engine;
    const commandsSeen = stats.commandsProcessed;
    this.#immediate = setImmediate(() => {
      this.#immediate = null;
      this.#pace.sample(stats.commandsProcessed !== commandsSeen);
      this.#turn();
    });
  }

  #turn(): void {
    const { clock } = this.#engine;
    const startUs = clock.threadUs();
    this.#pace.rested(clock.monotonicUs() - this.#sliceEndUs, startUs - this.#threadEndUs);
    const goesOn = this.runSlice(this.#isUrgent ? IDLE_SLICE_US : this.#pace.sliceUs);
    this.#threadEndUs = clock.threadUs();
    this.#sliceEndUs = clock.monotonicUs();
    this.#restUntilUs = this.#sliceEndUs + this.#pace.pauseUs(this.#threadEndUs - startUs, this.isAwaited());
    if (goesOn) this.#schedule();
  }

  /** Works for about so many microseconds; true when there is more to do and nothing to wait for. Called by the snapshot's own timers, and by tests. */
  runSlice(limitUs: number): boolean {
    const endUs = this.#engine.clock.monotonicUs() + limitUs;
    if (this.#state === State.CatchingUp) return this.#catchUp(endUs);
    if (this.#state !== State.Walking) return false;
    const { clock } = this.#engine;
    for (let buckets = 1; ; buckets++) {
      if ((this.#target as SnapshotTarget).pendingBytes() > PENDING_MAX) return false;
      if (!this.#bucket(endUs)) return true;
      if (this.#root === this.#roots.length) {
        if (this.#mustWait()) return true;
        this.#complete();
        return false;
      }
      if (buckets % BUCKETS_PER_CLOCK === 0 && clock.monotonicUs() >= endUs) return true;
    }
  }

  /** Writes what is left of the bucket at the cursor, and moves the cursor on; false when the time is up before. */
  #bucket(endUs: number): boolean {
    const { arena, phase } = this.#engine.keyspace;
    if (this.#current !== 0 && !this.#continue(endUs)) return false;
    if (this.#urgent.length > 0 && !this.#writeUrgent(endUs)) return false;
    if (!this.#writeFrozen(endUs) || !this.#writeRetired(endUs) || !this.#writeCopied(endUs)) return false;
    const root = this.#roots[this.#root];
    if (root === undefined) return true;
    const list = this.#list;
    list.count = 0;
    const next = dictScan(arena, root.dict, this.#cursor, list);
    this.#touched ^= prefetchEntries(arena, list);
    for (let i = 0; i < list.count; i++) {
      const e = list.refs[i];
      if (entryPhase(arena, e) === phase) continue;
      if (this.#mustWait()) return false;
      if (!this.#write(e, root.db, endUs)) return false;
    }
    this.#cursor = next;
    if (next !== 0) return true;
    this.#release(root);
    this.#root++;
    return true;
  }

  /** Writes the keys that somebody waits for; false when the time is up before. */
  #writeUrgent(endUs: number): boolean {
    for (;;) {
      const e = this.#urgentEntry();
      // A frozen one: all of those come next.
      if (e === 0 || entryPhase(this.#engine.keyspace.arena, e) === this.#engine.keyspace.phase) return true;
      const [{ dict }] = this.#urgent;
      if (!this.#write(e, this.#rootOf(dict).db, endUs)) return false;
    }
  }

  /** Writes a key; false when the time is up before it is complete. Its value is frozen, or keeps its size, unless it is written at once. */
  #write(e: Ref, db: SnapshotDatabase, endUs: number): boolean {
    const { arena } = this.#engine.keyspace;
    if (this.#freezes(e, db)) return this.#writeFrozen(endUs);
    (this.#format as SnapshotFormat).main.begin(e, db);
    this.#current = e;
    this.#heldDict = entryType(arena, e) === Type.String ? 0 : (valueType(arena, e).dict?.(arena, e) ?? 0);
    if (this.#heldDict !== 0) dictPause(arena, this.#heldDict, 1);
    return this.#continue(endUs);
  }

  /** Writes the values that are frozen; false when the time is up before. */
  #writeFrozen(endUs: number): boolean {
    while (!this.#frozen.isEmpty) {
      if (this.#mustWait()) return false;
      const { entry, db } = this.#frozen.take();
      (this.#format as SnapshotFormat).main.begin(entry, db);
      this.#current = entry;
      if (!this.#continue(endUs)) return false;
    }
    return true;
  }

  /** Writes what is no key any more, so that its memory can be freed; false when the time is up before. */
  #writeRetired(endUs: number): boolean {
    for (const { db, retired } of this.#roots) {
      while (retired.count > 0) {
        if (this.#mustWait()) return false;
        this.#currentRetired = retired;
        this.#current = retired.take();
        (this.#format as SnapshotFormat).main.begin(this.#current, db);
        if (!this.#continue(endUs)) return false;
        if (retired.count % KEYS_PER_CLOCK === 0 && this.#engine.clock.monotonicUs() >= endUs) return false;
      }
    }
    return true;
  }

  /** Writes what strings were before they changed; false when the time is up before. */
  #writeCopied(endUs: number): boolean {
    const { main } = this.#format as SnapshotFormat;
    for (const { db, copied } of this.#roots) {
      for (let keys = 1; copied.first !== 0; keys++) {
        if (this.#mustWait()) return false;
        main.begin(copied.first, db);
        while (!main.step(STEP_BUDGET));
        copied.drop();
        this.#keyWritten();
        if (keys % KEYS_PER_CLOCK === 0 && this.#engine.clock.monotonicUs() >= endUs) return false;
      }
    }
    return true;
  }

  #keyWritten(): void {
    this.progress.keysWritten++;
    if (this.#delaysKeys) this.#delay(this.#engine.config.values.rdbKeySaveDelay);
  }

  /** Goes on with the key in progress; false when the time is up before it is complete. */
  #continue(endUs: number): boolean {
    const { main } = this.#format as SnapshotFormat;
    while (!main.step(STEP_BUDGET)) if (this.#engine.clock.monotonicUs() >= endUs) return false;
    this.#written(this.#current);
    this.#closeCurrent();
    if (this.#delaysKeys) this.#delay(this.#engine.config.values.rdbKeySaveDelay);
    return true;
  }

  #delay(delayUs: number): void {
    if (delayUs === 0) return;
    const perKeyUs = delayUs > 0 ? delayUs : -1 / delayUs;
    const nowUs = this.#engine.clock.monotonicUs();
    this.#notBeforeUs = Math.max(this.#notBeforeUs, nowUs - IDLE_SLICE_US) + perKeyUs;
  }

  #mustWait(): boolean {
    return this.#notBeforeUs !== 0 && this.#engine.clock.monotonicUs() < this.#notBeforeUs;
  }

  #complete(): void {
    const format = this.#format as SnapshotFormat;
    const target = this.#target as SnapshotTarget;
    this.#engine.keyspace.snapshot = null;
    this.#forget();
    this.#state = State.Idle;
    this.#roots = [];
    this.#letAllGo();
    format.close();
    target.finish();
  }

  /** Gives keys of a snapshot that was broken off the new phase; true when there are more. */
  #catchUp(endUs: number): boolean {
    const { databases } = this.#engine.keyspace;
    for (; this.#root < this.#roots.length; this.#root++) {
      const { dict } = this.#roots[this.#root];
      // Its database may have given it up since the last slice.
      if (databases.some((db) => db.dict === dict) && !this.#catchUpIn(dict, endUs)) return true;
      this.#cursor = 0;
    }
    this.#state = State.Idle;
    this.#roots = [];
    for (const ready of this.#waiting.splice(0)) ready();
    return false;
  }

  /** The same for one dict, from the cursor on; false when the time is up before its end. */
  #catchUpIn(dict: Ref, endUs: number): boolean {
    const { arena, phase } = this.#engine.keyspace;
    const list = this.#list;
    for (let buckets = 1; ; buckets++) {
      list.count = 0;
      this.#cursor = dictScan(arena, dict, this.#cursor, list);
      this.#touched ^= prefetchBlocks(arena, list);
      for (let i = 0; i < list.count; i++) setEntryPhase(arena, list.refs[i], phase);
      if (this.#cursor === 0) return true;
      if (buckets % KEYS_PER_CLOCK === 0 && this.#engine.clock.monotonicUs() >= endUs) return false;
    }
  }
}
