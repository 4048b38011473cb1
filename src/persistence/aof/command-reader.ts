/**
 * Reads the commands of one append-only file, one after the other, without running them: what the server loads and what check-aof looks at.
 *
 *   *3\r\n$3\r\nSET\r\n$3\r\nfoo\r\n$3\r\nbar\r\n      a command: an array of bulk strings
 *   #TS:1628217470\r\n                                 an annotation: a line for those who look for it
 *
 * Stricter than the reader of clients' input: there are no inline commands, and every bulk ends with \r\n, so that damage is noticed where it is.
 *
 * Invariant: bytes [#at, #end) of the buffer are read and not consumed; offset is the position of #at in the file.
 */
import { closeSync, fstatSync, readSync } from "node:fs";
import { NEED_MORE, PROTOCOL_ERROR, ProtocolFault, readRequest } from "../../resp/reader.ts";
import type { Request } from "../../resp/request.ts";

const BLOCK_BYTES = 256 * 1024;
const STAR = 42;
const HASH = 35;
const CR = 13;
const LF = 10;
/** The longest argument: positions in a request are 32-bit integers. */
const LIMITS = { bulkMax: 2 ** 31 - 2 ** 21, authenticated: true };

/** What next() found. */
export const Found = {
  /** A command: it is in the request. */
  Command: 0,
  /** An annotation line. */
  Annotation: 1,
  /** The end of the file, right behind a command. */
  End: 2,
  /** The end of the file, within a command. */
  CutOff: 3,
  /** No command. */
  Damage: 4,
  /** More of the file must be read first, which voids requests that were read before. */
  Pause: 5,
} as const;

export class CommandReader {
  /** Position in the file of what next() looks at next. */
  offset: number;
  readonly #fd: number;
  #buf = new Uint8Array(BLOCK_BYTES);
  #at = 0;
  #end = 0;
  #atEnd = false;
  readonly #fault = new ProtocolFault();

  /** Reads `fd` from `offset` on. */
  constructor(fd: number, offset: number) {
    this.#fd = fd;
    this.offset = offset;
  }

  /**
   * Reads one command into `request`, whose bytes are valid until the next call that `mayFill` the buffer with more of the file. Throws the system's
   * error. Value of Found.
   */
  next(request: Request, mayFill = true): number {
    for (;;) {
      if (this.#at < this.#end) {
        const first = this.#buf[this.#at];
        if (first === HASH) {
          if (this.#skipLine()) return Found.Annotation;
          if (this.#atEnd) return Found.CutOff;
        } else if (first !== STAR) {
          return Found.Damage;
        } else {
          const end = readRequest(this.#buf, this.#at, this.#end, request, LIMITS, this.#fault);
          if (end === PROTOCOL_ERROR) return Found.Damage;
          if (end !== NEED_MORE) {
            if (request.count === 0 || !endsAreRight(this.#buf, request)) return Found.Damage;
            this.offset += end - this.#at;
            this.#at = end;
            return Found.Command;
          }
          if (this.#atEnd) return Found.CutOff;
        }
      } else if (this.#atEnd) {
        return Found.End;
      }
      if (!mayFill) return Found.Pause;
      this.#fill();
    }
  }

  /** Consumes a line; false when its end has not been read yet. */
  #skipLine(): boolean {
    const lf = this.#buf.indexOf(LF, this.#at);
    if (lf < 0 || lf >= this.#end) return false;
    this.offset += lf + 1 - this.#at;
    this.#at = lf + 1;
    return true;
  }

  /** Reads more of the file; #atEnd is set when there is no more. */
  #fill(): void {
    const kept = this.#end - this.#at;
    if (kept > this.#buf.length / 2) {
      const grown = new Uint8Array(this.#buf.length * 2);
      grown.set(this.#buf.subarray(this.#at, this.#end));
      this.#buf = grown;
    } else {
      this.#buf.copyWithin(0, this.#at, this.#end);
    }
    this.#at = 0;
    this.#end = kept;
    const count = readSync(this.#fd, this.#buf, kept, this.#buf.length - kept, this.offset + kept);
    if (count === 0) this.#atEnd = true;
    this.#end += count;
  }

  /** Bytes of the file. */
  get size(): number {
    return fstatSync(this.#fd).size;
  }

  /** Closes the file. */
  close(): void {
    closeSync(this.#fd);
  }
}

/** Does \r\n follow every argument? */
function endsAreRight(buf: Uint8Array, request: Request): boolean {
  for (let i = 0; i < request.count; i++) {
    const end = request.start[i] + request.length[i];
    if (buf[end] !== CR || buf[end + 1] !== LF) return false;
  }
  return true;
}
