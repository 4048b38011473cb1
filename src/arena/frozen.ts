/**
 * Structures that a snapshot reads bit by bit while they change: it sees them as they were when they were frozen. Whoever changes a frozen structure says so
 * part by part, before; whoever lets one go as a whole leaves it to the snapshot.
 *
 * A structure has a flag of its own that tells whether it is frozen, so that a change costs one test otherwise. Refs are arena refs.
 */

/** A frozen structure, known by its root. */
export interface FrozenStructure {
  /** A part of it (a bucket, a node) is about to change: what has not been read of that part is to be kept as it is. */
  beforeChange(part: number): void;
  /** The structure is nobody else's any more: it is freed when it has been read. It holds so many bytes. */
  inherit(bytes: number): void;
  /** The structure is gone; all of its parts were announced before. */
  vanish(): void;
}

/** What was frozen, as it is read: once, from its beginning to its end. */
export interface FrozenView {
  /** Elements. */
  readonly elements: number;
  /** Parts that are handed out: elements of a table, nodes of a list. */
  readonly count: number;
  /** Of a hash: when the first of its fields expires, Unix time in ms; 0: none does. */
  readonly leastMs: number;
  /** Parts that have not been handed out. */
  readonly left: number;
  /**
   * The block of another part, in the order of a list, or in any order, which is good until something changes or the next call. 0: there is none left, or none was
   * found without taking long.
   */
  next(): number;
}

/** A frozen structure that shares its parts with what stands for it: a part that is to change stays there, and whoever changes it takes a copy. */
export interface SharedStructure {
  /** The part under a key is about to change or to go. True: it stays as it is, for whom the structure was frozen. */
  keeps(key: Int32Array, part: number): boolean;
  /** The structure is gone, and with it all of its parts that were not kept. */
  vanish(): void;
}

/** What is frozen in an arena. */
export class FrozenStructures {
  readonly #byRoot = new Map<number, FrozenStructure>();
  readonly #shared = new Map<number, SharedStructure>();
  readonly #byEntry = new Map<number, FrozenView>();
  /** Bytes of copies that were made because of changes, and of structures that were inherited. */
  copyBytes = 0;
  inheritedBytes = 0;

  /** A structure is frozen; the entry `entry` stands for what it was. */
  add(root: number, entry: number, frozen: FrozenStructure & FrozenView): void {
    this.#byRoot.set(root, frozen);
    this.#byEntry.set(entry, frozen);
  }

  remove(root: number, entry: number): void {
    this.#byRoot.delete(root);
    this.#byEntry.delete(entry);
  }

  addShared(root: number, frozen: SharedStructure): void {
    this.#shared.set(root, frozen);
  }

  removeShared(root: number): void {
    this.#shared.delete(root);
  }

  /** See SharedStructure; false when the structure is not frozen. */
  keeps(root: number, key: Int32Array, part: number): boolean {
    return this.#shared.get(root)?.keeps(key, part) ?? false;
  }

  /** What an entry stands for, or null: then its value is what it is. */
  view(entry: number): FrozenView | null {
    return this.#byEntry.get(entry) ?? null;
  }

  has(root: number): boolean {
    return this.#byRoot.has(root) || this.#shared.has(root);
  }

  /** See FrozenStructure; the structure's flag is set. */
  beforeChange(root: number, part: number): void {
    this.#of(root).beforeChange(part);
  }

  inherit(root: number, bytes: number): void {
    this.#of(root).inherit(bytes);
  }

  vanish(root: number): void {
    const shared = this.#shared.get(root);
    (shared ?? this.#of(root)).vanish();
    this.#shared.delete(root);
    this.#byRoot.delete(root);
  }

  #of(root: number): FrozenStructure {
    const frozen = this.#byRoot.get(root);
    if (frozen === undefined) throw new Error("a structure that says it is frozen is not known");
    return frozen;
  }
}
