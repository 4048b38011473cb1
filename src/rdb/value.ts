/** What writers and readers of values have in common, and what of the settings they need. */
import type { Ref } from "../arena/arena.ts";
import type { HashLimits } from "../types/hash/hash.ts";
import type { ListLimits } from "../types/list/list.ts";
import type { SetLimits } from "../types/set/set.ts";
import type { ZsetLimits } from "../types/zset/zset.ts";
import type { RdbInput, StringSlot } from "./input.ts";
import type { RdbOutput } from "./output.ts";

/** Writes values of one type, each in steps. */
export interface TypeWriter {
  /** The RDB type that the value of `e` gets in a file of a version. */
  rdbType(e: Ref, version: number): number;
  /** The value of `e` is next; it must not change until it is complete, unless it is one that is frozen (arena/frozen.ts). */
  begin(e: Ref): void;
  /** Writes about `budget` elements; true when the value is complete. */
  step(out: RdbOutput, budget: number): boolean;
}

/** What TypeReader.whole answers for a value that is read in steps. No Ref: an arena has no such segment. */
export const IN_STEPS = -1;

/** Reads values of some RDB types, each in steps. A step that throws STARVED has changed nothing. */
export interface TypeReader {
  /**
   * Reads a value at once, if it is one string, or little more: its entry, which is the caller's and has room for an expiry or not (`withExpiry`); 0 when it has
   * no elements; IN_STEPS when nothing was read, and the value is to be begun. When it throws STARVED nothing has changed; after other errors discard() is due.
   */
  whole?(type: number, key: StringSlot, input: RdbInput, withExpiry: boolean): Ref;
  /** A value of an RDB type is next, in a file of a version, under a key that is good during the call. */
  begin(type: number, key: StringSlot, version: number): void;
  /** Reads one element; true when the value is complete. */
  step(input: RdbInput): boolean;
  /** The entry with the complete value, which is the caller's then; 0 when the value has no elements. */
  take(): Ref;
  /** Frees what has been read of a value that is not complete. */
  discard(): void;
}

/** When small encodings become large ones, and how far bytes are to be trusted. */
export interface ReadingLimits {
  readonly hash: HashLimits;
  readonly list: ListLimits;
  readonly set: SetLimits;
  readonly zset: ZsetLimits;
  /** Look for what makes a value wrong although its bytes can be read: keys that come twice. Bytes that cannot be read are refused in any case. */
  readonly deep: boolean;
  /** Is told of each run of bytes that was looked through because of `deep`. */
  readonly onDeep?: () => void;
}
