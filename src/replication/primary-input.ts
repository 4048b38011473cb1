/**
 * Cuts the stream of a primary into commands. Unlike the input of a client it is kept byte for byte until the commands in it have been executed: offsets are
 * counted in it, and sub-replicas get the same bytes.
 *
 *   buf:  [ ... | done: executed, not passed on yet | command: the command that is read begins | at: read so far | end ]
 *
 * A command whose bytes have not all come is gone on with where reading stopped. There are no inline commands; bare line ends between commands are allowed.
 */
import { BAD_NUMBER, CR, DOLLAR, LF, NO_LINE, numberRead, readNumber, STAR } from "../resp/reader.ts";
import type { Request } from "../resp/request.ts";

const NOTHING = new Uint8Array(0);
const BUFFER_MIN = 16 * 1024;
/** A buffer that is larger is let go when all in it is done. */
const BUFFER_KEEP = 1024 * 1024;
/** Positions in a request are 32-bit integers. */
const BULK_MAX = 2 ** 31 - 2 ** 21;
const COUNT_MAX = 1024 * 1024 * 1024;

/** What next() found. */
export const Piece = { Command: 0, Starved: 1, Damage: 2 } as const;

export class PrimaryInput {
  buf: Uint8Array = NOTHING;
  #done = 0;
  #command = 0;
  #at = 0;
  #end = 0;
  /** Arguments of the command that are still to come; -1: its header is. */
  #missing = -1;
  /** Start and length of the arguments that have come, relative to the beginning of the command. */
  #arguments: number[] = [];
  /** The buffer is this object's own, and may be written to. */
  #owned = false;

  /** Bytes that are held. */
  get heldBytes(): number {
    return this.#end - this.#done;
  }

  /** Bytes that have come and have not been read as part of a command. */
  get unreadBytes(): number {
    return this.#end - this.#command;
  }

  /** Takes bytes, which are not copied when nothing waits. Void: the requests that were read. */
  feed(bytes: Uint8Array): void {
    const kept = this.#end - this.#done;
    if (kept === 0) {
      this.buf = bytes;
      this.#owned = false;
      this.#done = this.#command = this.#at = 0;
      this.#end = bytes.length;
      return;
    }
    const size = kept + bytes.length;
    const old = this.buf;
    if (!this.#owned || old.length < size) {
      this.buf = new Uint8Array(Math.max(BUFFER_MIN, size * 2));
      this.#owned = true;
      this.buf.set(old.subarray(this.#done, this.#end));
    } else if (this.#end + bytes.length > old.length) {
      old.copyWithin(0, this.#done, this.#end);
    } else {
      old.set(bytes, this.#end);
      this.#end += bytes.length;
      return;
    }
    this.#command -= this.#done;
    this.#at -= this.#done;
    this.#done = 0;
    this.buf.set(bytes, kept);
    this.#end = size;
  }

  /** Reads the next command into `request`, whose bytes are those of `buf`. Value of Piece. */
  next(request: Request): number {
    const { buf } = this;
    const end = this.#end;
    if (this.#missing < 0) {
      while (this.#at < end && (buf[this.#at] === LF || buf[this.#at] === CR)) this.#at++;
      this.#command = this.#at;
      if (this.#at === end) return Piece.Starved;
      if (buf[this.#at] !== STAR) return Piece.Damage;
      const count = readNumber(buf, this.#at + 1, end);
      if (count === NO_LINE) return Piece.Starved;
      if (count === BAD_NUMBER || count <= 0 || count > COUNT_MAX) return Piece.Damage;
      this.#at = numberRead.end;
      this.#missing = count;
      this.#arguments.length = 0;
    }
    while (this.#missing > 0) {
      if (this.#at === end) return Piece.Starved;
      if (buf[this.#at] !== DOLLAR) return Piece.Damage;
      const length = readNumber(buf, this.#at + 1, end);
      if (length === NO_LINE) return Piece.Starved;
      if (length === BAD_NUMBER || length < 0 || length > BULK_MAX) return Piece.Damage;
      const start = numberRead.end;
      if (end - start < length + 2) return Piece.Starved;
      this.#arguments.push(start - this.#command, length);
      this.#at = start + length + 2;
      this.#missing--;
    }
    this.#missing = -1;
    request.clear();
    request.buf = buf;
    for (let i = 0; i < this.#arguments.length; i += 2)
      request.push(this.#arguments[i] + this.#command, this.#arguments[i + 1]);
    this.#command = this.#at;
    return Piece.Command;
  }

  /** Where the command that next() returned last ends. */
  get position(): number {
    return this.#at;
  }

  /** Where the bytes begin that have not been passed on. */
  get start(): number {
    return this.#done;
  }

  /** The bytes before `position` have been dealt with. */
  release(position: number): void {
    this.#done = position;
    if (this.#done === this.#end && this.buf.length > BUFFER_KEEP) {
      this.buf = NOTHING;
      this.#owned = false;
      this.#done = this.#command = this.#at = this.#end = 0;
    }
  }
}
