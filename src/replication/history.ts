/**
 * Which history of changes this server's data set is a state of, and at which point: what decides whether two servers can go on from each other without a
 * full sync. A history has an id of 40 hexadecimal digits; a point in it is the number of bytes that its stream has had.
 *
 * After a promotion the history up to there also has the old id: `id2`, valid for what comes before byte `id2End`.
 *
 * Invariant: while there is a backlog, backlog.end === offset.
 */
import { hexEncode } from "../base/hex.ts";
import { fillRandom } from "../base/prng.ts";
import { Backlog } from "./backlog.ts";

export const HISTORY_ID_LENGTH = 40;
const NO_ID = "0".repeat(HISTORY_ID_LENGTH);

/** Forty random hexadecimal digits. */
export function randomHistoryId(): string {
  const bytes = new Uint8Array(HISTORY_ID_LENGTH / 2);
  fillRandom(bytes);
  return hexEncode(bytes, 0, bytes.length);
}

export class History {
  id: string;
  id2 = NO_ID;
  /** First byte that is no longer of history id2: a PSYNC with id2 may ask to go on from bytes up to this one; -1: none. */
  id2End = -1;
  /** Bytes that the stream has had. */
  offset = 0;
  backlog: Backlog | null = null;

  constructor(id: string) {
    this.id = id;
  }

  /** Begins a new history: nobody can go on from what was before. */
  renew(): void {
    this.id = randomHistoryId();
    this.forgetSecond();
  }

  forgetSecond(): void {
    this.id2 = NO_ID;
    this.id2End = -1;
  }

  /** A replica becomes a primary: a new id from here on, the old one for what was before. */
  shift(): void {
    this.rename(randomHistoryId());
  }

  /** Goes on under another id. */
  rename(id: string): void {
    this.id2 = this.id;
    this.id2End = this.offset + 1;
    this.id = id;
  }

  /** Takes over another server's history at a point of it. */
  adopt(id: string, offset: number): void {
    this.id = id;
    this.forgetSecond();
    this.offset = offset;
    if (this.backlog !== null) this.backlog = new Backlog(this.backlog.limit, offset);
  }

  /** Makes sure that there is a backlog of `bytes`. */
  keepBacklog(bytes: number): void {
    this.backlog ??= new Backlog(bytes, this.offset);
  }

  /** Does this server's past under id `id` cover the point before byte `from`? */
  knows(id: string, from: number): boolean {
    return id === this.id || (id === this.id2 && from <= this.id2End);
  }
}
