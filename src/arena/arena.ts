/**
 * Off-heap memory: segments of 1 GiB, cut into pages of 1 MiB, each page into blocks of one size class.
 *
 *   Ref (int32, 0 = none):  [segment:5][page:10][granule:17]      one granule is 8 bytes; the last segment number is blob.ts' own
 *
 * A page belongs to one size class while it holds live blocks; an empty page goes back to the pool and may serve any class.
 * Free blocks of a page are linked through their first word; blocks above the page's `bump` were never touched, so a page
 * costs resident memory only as far as it has been used. Values above BLOCK_MAX own a buffer of their own ("large").
 *
 * Invariant: usedBytes is the sum of the class sizes of live blocks and of the lengths of live large buffers.
 * A segment is reserved whole and never moves; a typed array of 1 GiB stays below the 2^31 offset that the engine handles slowly.
 */
import type { MemoryAdvice } from "../base/os-memory.ts";
import { FrozenStructures } from "./frozen.ts";
import { HashHints } from "./hash-hints.ts";

/** Number of an arena block: see the layout above. Any int32; 0 is none. */
export type Ref = number;

/** Number of a large buffer, 1 or more; 0 is none. */
export type LargeId = number;

export const SEGMENT_BYTES = 1 << 30;
export const SEGMENT_SHIFT = 27;
export const GRANULE_MASK = (1 << SEGMENT_SHIFT) - 1;
export const GRANULE_BYTES = 8;
const PAGE_SHIFT = 17;
const PAGE_BYTES = 1 << 20;
const PAGE_GRANULES = 1 << PAGE_SHIFT;
const PAGES_PER_SEGMENT = SEGMENT_BYTES / PAGE_BYTES;
const SEGMENT_COUNT_MAX = 31;
const PAGE_COUNT_MAX = SEGMENT_COUNT_MAX * PAGES_PER_SEGMENT;

/** Largest block; what is larger becomes a large buffer. */
export const BLOCK_MAX = 256 * 1024;

/** Pages that reset() keeps where their memory cannot be given back. */
const RESET_KEEP_PAGES = 64;

const SMALL_MAX = 1024;
const FREE_CLASS = 255;

/**
 * Pages of segment 0, which is short: a gigabyte makes the collector run at once, and a start should not wait for that. The numbers of the pages that
 * segment 0 lacks are skipped.
 */
const FIRST_SEGMENT_PAGES = 4;

/** Class sizes: every 8 bytes to 128, then eight per doubling (at most 12.5 % waste). */
const CLASS_COUNT = classOf(BLOCK_MAX) + 1;
const CLASS_SIZE = new Int32Array(CLASS_COUNT);
for (let size = 8, c = 0; c < CLASS_COUNT; c++) {
  CLASS_SIZE[c] = size;
  size += size < 128 ? 8 : 1 << (28 - Math.clz32(size));
}
/** Blocks of a page, by class. */
const CLASS_BLOCKS = CLASS_SIZE.map((size) => (PAGE_BYTES / size) | 0);
const CLASS_OF_SMALL = new Uint8Array(SMALL_MAX / 8 + 1);
for (let i = 1, c = 0; i < CLASS_OF_SMALL.length; i++) {
  while (CLASS_SIZE[c] < i * 8) c++;
  CLASS_OF_SMALL[i] = c;
}

function classOf(size: number): number {
  if (size <= SMALL_MAX) return CLASS_OF_SMALL[(size + 7) >> 3];
  const exponent = 31 - Math.clz32(size - 1);
  return 16 + (exponent - 7) * 8 + (((size - 1) >> (exponent - 3)) & 7);
}

/** The bytes that a block of `size` bytes will really occupy. `size` is 1 to BLOCK_MAX. */
export function blockCapacity(size: number): number {
  return CLASS_SIZE[classOf(size)];
}

export class OutOfArenaError extends Error {}

export class Arena {
  /** Segments as bytes and as words: index with `ref >>> SEGMENT_SHIFT`. */
  readonly u8: Uint8Array[] = [];
  readonly i32: Int32Array[] = [];
  /** Buffers of large values, by LargeId. */
  readonly large: (Uint8Array | null)[] = [null];
  /** Key of the dictionaries' hash (base/hash.ts). */
  readonly hashKey0: number;
  readonly hashKey1: number;
  /** Hashes under that key that are known already. */
  readonly hints = new HashHints();
  readonly frozen = new FrozenStructures();

  usedBytes = 0;
  usedBytesPeak = 0;
  largeBytes = 0;
  /** Bytes of all large buffers that were ever let go: the collector's to free. */
  largeDroppedBytes = 0;
  /** Tables that are laid out here are not to begin to change their size, unless they are far from the right one. */
  tablesStay = false;
  /** Bytes that a table may take when it begins to grow: beyond them it would cost data. One that is far too full grows all the same. */
  roomForTables: () => number = () => Number.POSITIVE_INFINITY;
  /** Bytes of pages that belong to a class. */
  pageBytes = 0;

  readonly #pageClass = new Uint8Array(PAGE_COUNT_MAX).fill(FREE_CLASS);
  readonly #pageFree = new Int32Array(PAGE_COUNT_MAX);
  /** Blocks of the page that were ever handed out: the rest is untouched. */
  readonly #pageBump = new Int32Array(PAGE_COUNT_MAX);
  readonly #pageLive = new Int32Array(PAGE_COUNT_MAX);
  readonly #pageNext = new Int32Array(PAGE_COUNT_MAX);
  readonly #pagePrevious = new Int32Array(PAGE_COUNT_MAX);
  /** Per class, the head of the list of pages that have room; -1 is none. */
  readonly #roomHead = new Int32Array(CLASS_COUNT).fill(-1);
  #freePageHead = -1;
  #freePageCount = 0;
  #pageCount = 0;
  #largeFree: number[] = [];
  readonly #firstPages: number;
  readonly #advice: MemoryAdvice | null;
  /** False once the system has shown that it takes no memory back. */
  #purges: boolean;

  /** `firstPages`: pages of segment 0. */
  constructor(
    hashKey0: number,
    hashKey1: number,
    advice: MemoryAdvice | null = null,
    firstPages = FIRST_SEGMENT_PAGES,
  ) {
    this.#firstPages = firstPages;
    this.hashKey0 = hashKey0 | 0;
    this.hashKey1 = hashKey1 | 0;
    this.#advice = advice;
    this.#purges = advice !== null;
  }

  /** A block of at least `size` bytes (1 to BLOCK_MAX), not zeroed. Throws OutOfArenaError past 30 GiB. */
  alloc(size: number): Ref {
    const sizeClass = classOf(size);
    let page = this.#roomHead[sizeClass];
    if (page < 0) page = this.#takePage(sizeClass);
    this.usedBytes += CLASS_SIZE[sizeClass];
    if (this.usedBytes > this.usedBytesPeak) this.usedBytesPeak = this.usedBytes;
    this.#pageLive[page]++;
    const ref = this.#pageFree[page];
    const blocks = CLASS_BLOCKS[sizeClass];
    if (ref !== 0) {
      const next = this.i32[ref >>> SEGMENT_SHIFT][(ref & GRANULE_MASK) << 1];
      this.#pageFree[page] = next;
      if (next === 0 && this.#pageBump[page] === blocks) this.#unlinkRoom(page, sizeClass);
      return ref;
    }
    const index = this.#pageBump[page]++;
    if (index + 1 === blocks) this.#unlinkRoom(page, sizeClass);
    return ((page << PAGE_SHIFT) + index * (CLASS_SIZE[sizeClass] >> 3)) | 0;
  }

  /** Lets a block go. Its content is dead at once. */
  free(ref: Ref): void {
    const page = ref >>> PAGE_SHIFT;
    const sizeClass = this.#pageClass[page];
    const size = CLASS_SIZE[sizeClass];
    this.usedBytes -= size;
    const hadRoom = this.#pageFree[page] !== 0 || this.#pageBump[page] < CLASS_BLOCKS[sizeClass];
    this.i32[ref >>> SEGMENT_SHIFT][(ref & GRANULE_MASK) << 1] = this.#pageFree[page];
    this.#pageFree[page] = ref;
    const live = --this.#pageLive[page];
    if (!hadRoom) this.#linkRoom(page, sizeClass);
    // The last page of a class with room is kept, so that one block coming and going does not cost a page each time.
    if (live === 0 && (this.#roomHead[sizeClass] !== page || this.#pageNext[page] >= 0))
      this.#releasePage(page, sizeClass);
  }

  /** The usable bytes of a live block. */
  capacity(ref: Ref): number {
    return CLASS_SIZE[this.#pageClass[ref >>> PAGE_SHIFT]];
  }

  /** A large buffer of `length` bytes, zeroed. */
  allocLarge(length: number): LargeId {
    return this.adoptLarge(new Uint8Array(length));
  }

  /** Takes a buffer as a large value without copying; the caller must not touch it afterwards except through the arena. */
  adoptLarge(bytes: Uint8Array): LargeId {
    const id = this.#largeFree.length > 0 ? (this.#largeFree.pop() as number) : this.large.length;
    this.large[id] = bytes;
    this.largeBytes += bytes.length;
    this.usedBytes += bytes.length;
    if (this.usedBytes > this.usedBytesPeak) this.usedBytesPeak = this.usedBytes;
    return id;
  }

  freeLarge(id: LargeId): void {
    const bytes = this.large[id] as Uint8Array;
    this.largeBytes -= bytes.length;
    this.largeDroppedBytes += bytes.length;
    this.usedBytes -= bytes.length;
    this.large[id] = null;
    this.#largeFree.push(id);
  }

  /**
   * Forgets everything: all refs and large ids become invalid. The segments stay reserved and their pages go to the pool, from where purge() gives
   * their memory back. (A new gigabyte in the place of one that was let go costs the time to clear it, up to a second.) Only where
   * there is no purging are large segments let go as a whole.
   */
  reset(): void {
    this.largeDroppedBytes += this.largeBytes;
    this.large.length = 1;
    this.#largeFree = [];
    this.#roomHead.fill(-1);
    this.#freePageHead = -1;
    if (!this.#purges && this.#pageCount > PAGES_PER_SEGMENT + RESET_KEEP_PAGES) {
      this.u8.length = 0;
      this.i32.length = 0;
      this.#pageCount = 0;
    }
    this.#freePageCount = 0;
    for (let page = this.#pageCount - 1; page >= 0; page--) {
      if (page >= this.#firstPages && page < PAGES_PER_SEGMENT) continue;
      this.#pageClass[page] = FREE_CLASS;
      this.#pageNext[page] = this.#freePageHead;
      this.#freePageHead = page;
      this.#freePageCount++;
    }
    this.usedBytes = 0;
    this.largeBytes = 0;
    this.pageBytes = 0;
  }

  /** Gives the memory of up to `limit` pooled pages back to the system, keeping `keep` of them. Returns the bytes given back. */
  purge(keep = 0, limit = PAGE_COUNT_MAX): number {
    if (this.#advice === null || !this.#purges) return 0;
    let given = 0;
    let page = this.#freePageHead;
    for (let index = 0; page >= 0 && given < limit * PAGE_BYTES; index++, page = this.#pageNext[page]) {
      if (index < keep || this.#pageBump[page] === 0) continue;
      const segment = this.u8[(page / PAGES_PER_SEGMENT) | 0];
      if (!this.#advice.purge(segment, (page % PAGES_PER_SEGMENT) * PAGE_BYTES, PAGE_BYTES)) {
        this.#purges = false;
        return given;
      }
      this.#pageBump[page] = 0;
      given += PAGE_BYTES;
    }
    return given;
  }

  /** Pages that belong to no class (their memory may still be resident). */
  get freePages(): number {
    return this.#freePageCount;
  }

  /** Walks all pages and checks the free lists and the accounting. Throws an Error that names what is wrong. */
  check(): void {
    let used = this.largeBytes;
    for (let page = 0; page < this.#pageCount; page++) {
      const sizeClass = this.#pageClass[page];
      if (sizeClass === FREE_CLASS) continue;
      let free = 0;
      for (let ref = this.#pageFree[page]; ref !== 0; free++) {
        if (ref >>> PAGE_SHIFT !== page) throw new Error(`arena: free block ${ref} is linked in page ${page}`);
        ref = this.i32[ref >>> SEGMENT_SHIFT][(ref & GRANULE_MASK) << 1];
      }
      const reserved = page === 0 ? 1 : 0;
      const live = this.#pageBump[page] - free - reserved;
      if (live !== this.#pageLive[page])
        throw new Error(`arena: page ${page} has ${live} live blocks, not ${this.#pageLive[page]}`);
      used += live * CLASS_SIZE[sizeClass];
    }
    if (used !== this.usedBytes) throw new Error(`arena: ${used} bytes are in use, not ${this.usedBytes}`);
  }

  #takePage(sizeClass: number): number {
    let page = this.#freePageHead;
    if (page >= 0) {
      this.#freePageHead = this.#pageNext[page];
      this.#freePageCount--;
    } else {
      page = this.#pageCount === this.#firstPages ? PAGES_PER_SEGMENT : this.#pageCount;
      if (page === PAGE_COUNT_MAX) throw new OutOfArenaError("out of memory: the arena holds 30 GiB at most");
      if (page === this.u8.length * PAGES_PER_SEGMENT) this.#addSegment();
      this.#pageCount = page + 1;
    }
    this.pageBytes += PAGE_BYTES;
    this.#pageClass[page] = sizeClass;
    this.#pageFree[page] = 0;
    // Block 0 of page 0 is never handed out: ref 0 means none.
    this.#pageBump[page] = page === 0 ? 1 : 0;
    this.#pageLive[page] = 0;
    this.#linkRoom(page, sizeClass);
    return page;
  }

  #addSegment(): void {
    const isFirst = this.u8.length === 0;
    const buffer = new ArrayBuffer(isFirst ? this.#firstPages * PAGE_BYTES : SEGMENT_BYTES);
    const bytes = new Uint8Array(buffer);
    // The first touch of a huge page took 5 ms on a virtual machine, and tables that grow touch several at a time.
    if (bytes.length > FIRST_SEGMENT_PAGES * PAGE_BYTES) this.#advice?.keepPagesSmall(bytes, 0, bytes.length);
    this.u8.push(bytes);
    this.i32.push(new Int32Array(buffer));
  }

  /** Reserves the first large segment if there is none yet, at a time when nobody waits. */
  reserve(): void {
    if (this.u8.length === 0) this.#addSegment();
    if (this.u8.length === 1) this.#addSegment();
  }

  /** Puts pages without live blocks, of which each class may keep one, back into the pool: for who has used classes that others hardly will. */
  releaseEmptyPages(): void {
    for (let sizeClass = 0; sizeClass < CLASS_COUNT; sizeClass++) {
      for (let page = this.#roomHead[sizeClass]; page >= 0; ) {
        const next = this.#pageNext[page];
        if (this.#pageLive[page] === 0) this.#releasePage(page, sizeClass);
        page = next;
      }
    }
  }

  #releasePage(page: number, sizeClass: number): void {
    this.#unlinkRoom(page, sizeClass);
    this.pageBytes -= PAGE_BYTES;
    this.#pageClass[page] = FREE_CLASS;
    this.#pageNext[page] = this.#freePageHead;
    this.#freePageHead = page;
    this.#freePageCount++;
  }

  #linkRoom(page: number, sizeClass: number): void {
    const head = this.#roomHead[sizeClass];
    this.#pageNext[page] = head;
    this.#pagePrevious[page] = -1;
    if (head >= 0) this.#pagePrevious[head] = page;
    this.#roomHead[sizeClass] = page;
  }

  #unlinkRoom(page: number, sizeClass: number): void {
    const next = this.#pageNext[page];
    const previous = this.#pagePrevious[page];
    if (previous >= 0) this.#pageNext[previous] = next;
    else this.#roomHead[sizeClass] = next;
    if (next >= 0) this.#pagePrevious[next] = previous;
  }
}

/** PAGE_GRANULES is what a page index is shifted by; the relation is checked once here. */
if (PAGE_GRANULES * GRANULE_BYTES !== PAGE_BYTES || CLASS_SIZE[CLASS_COUNT - 1] !== BLOCK_MAX)
  throw new Error("arena: size table");
