/**
 * The slow log: the last commands that took long, oldest first in memory. Arguments are kept as Redis keeps them: at most 32 of at most 128 bytes, the
 * rest counted in words.
 */

/** Arguments of an entry, and bytes of an argument. */
export const SLOWLOG_ARGUMENTS_MAX = 32;
export const SLOWLOG_ARGUMENT_BYTES_MAX = 128;

/** Estimated bytes of an entry beside its texts: what it costs in used_memory. */
const ENTRY_BYTES = 96;

/** One command that took long. Texts are latin1 ("binary") strings. */
export interface SlowlogEntry {
  readonly id: number;
  /** Unix time in seconds. */
  readonly time: number;
  readonly usec: number;
  /** Arguments, cut. */
  readonly args: readonly string[];
  /** Address and name of the client. */
  readonly address: string;
  readonly clientName: string;
}

export class SlowLog {
  /** Commands that took at least this many microseconds are kept; negative: none. */
  thresholdUs = -1;
  #lengthMax = 0;
  #entries: SlowlogEntry[] = [];
  /** Entries before this index are gone. */
  #head = 0;
  #nextId = 0;
  /** Estimated memory of all entries. */
  bytes = 0;

  get length(): number {
    return this.#entries.length - this.#head;
  }

  get lengthMax(): number {
    return this.#lengthMax;
  }

  /** Sets how many entries are kept. Entries beyond the limit go, except that a log that is switched off keeps what it has, as in Redis. */
  set lengthMax(count: number) {
    this.#lengthMax = count;
    if (this.active) this.#trim();
  }

  /** True when anything is logged at all. */
  get active(): boolean {
    return this.thresholdUs >= 0 && this.#lengthMax > 0;
  }

  /** Adds an entry and drops the oldest beyond the limit. */
  add(entry: Omit<SlowlogEntry, "id">): void {
    this.#entries.push({ id: this.#nextId++, ...entry });
    this.bytes += entryBytes(entry);
    this.#trim();
  }

  #trim(): void {
    while (this.length > this.#lengthMax) {
      this.bytes -= entryBytes(this.#entries[this.#head]);
      this.#head++;
    }
    if (this.#head > 64 && this.#head * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
  }

  /** The `index`-th entry, 0 being the newest. */
  newest(index: number): SlowlogEntry {
    return this.#entries[this.#entries.length - 1 - index];
  }

  /** Drops all entries. Ids go on. */
  reset(): void {
    this.#entries = [];
    this.#head = 0;
    this.bytes = 0;
  }
}

function entryBytes(entry: Omit<SlowlogEntry, "id">): number {
  let bytes = ENTRY_BYTES + entry.address.length + entry.clientName.length;
  for (const arg of entry.args) bytes += arg.length + 16;
  return bytes;
}
