/**
 * Looks through one append-only file as redis-check-aof does: how far it consists of whole commands and whole transactions, and what is wrong behind that.
 * Lengths are taken at their word and nothing is kept of arguments but the names of commands, so files of any size need little memory.
 */
import { readSync } from "node:fs";

const BLOCK_BYTES = 1024 * 1024;
/** Longest header line that is read; what is longer counts as several lines. */
const LINE_MAX = 127;
/** Longest name of a command that matters: "MULTI". */
const NAME_MAX = 5;
const LENGTH_MAX = Number.MAX_SAFE_INTEGER - 2;

const HASH = 35;
const STAR = 42;
const LF = 10;

/** What stands behind an annotation, as far as the scan cares. */
export type OnAnnotation = (line: string, offset: number) => boolean;

/** What a scan has found. */
export interface ScanResult {
  /** Bytes up to the end of the last whole command outside of unfinished transactions. */
  readonly goodBytes: number;
  /** Lines up to where the scan ended, counted from 1. */
  readonly line: number;
  /** Says what is wrong, with its offset; "" when nothing is, or when something stands where no command begins. */
  readonly error: string;
  /** Something stands where a command should begin. */
  readonly isForeign: boolean;
  /** An annotation has ended the scan. */
  readonly isEnded: boolean;
}

/** A file, read forwards. */
class Input {
  /** Position in the file of the next byte. */
  offset: number;
  readonly #fd: number;
  readonly #buf = new Uint8Array(BLOCK_BYTES);
  #at = 0;
  #end = 0;

  constructor(fd: number, offset: number) {
    this.#fd = fd;
    this.offset = offset;
  }

  /** The next byte, or -1 at the end. */
  peek(): number {
    return this.#at < this.#end || this.#fill() ? this.#buf[this.#at] : -1;
  }

  #fill(): boolean {
    this.#at = 0;
    this.#end = readSync(this.#fd, this.#buf, 0, this.#buf.length, this.offset);
    return this.#end > 0;
  }

  /** Bytes up to the next line end, it included, at most `most`; latin1. "" at the end of the file. */
  line(most: number): string {
    let text = "";
    while (text.length < most) {
      const byte = this.peek();
      if (byte < 0) break;
      this.#at++;
      this.offset++;
      text += String.fromCharCode(byte);
      if (byte === LF) break;
    }
    return text;
  }

  /** Passes over `count` bytes; the first and the last few of them are kept. Returns how many there were. */
  skip(count: number): number {
    let left = count;
    while (left > 0 && this.peek() >= 0) {
      const step = Math.min(left, this.#end - this.#at);
      this.#at += step;
      this.offset += step;
      left -= step;
    }
    return count - left;
  }

  /** The next `count` bytes, as far as there are so many; latin1. */
  text(count: number): string {
    let text = "";
    while (text.length < count && this.peek() >= 0) {
      text += String.fromCharCode(this.#buf[this.#at++]);
      this.offset++;
    }
    return text;
  }
}

class Scan {
  line = 1;
  error = "";
  /** Within MULTI. */
  inTransaction = false;
  readonly input: Input;
  readonly #path: string;
  /** Where what is wrong began. */
  #errorOffset = 0;

  constructor(input: Input, path: string) {
    this.input = input;
    this.#path = path;
  }

  fail(text: string): false {
    this.error = `0x${this.#errorOffset.toString(16).padStart(16)}: ${text}`;
    return false;
  }

  #lineEnd(text: string): boolean {
    if (text.startsWith("\r\n")) {
      this.line++;
      return true;
    }
    const byte = (i: number) => (text.charCodeAt(i) || 0).toString(16).padStart(2, "0");
    return this.fail(`Expected \\r\\n, got: ${byte(0)}${byte(1)}`);
  }

  /** A header line: the number in it, or null. */
  #number(prefix: string): number | null {
    this.#errorOffset = this.input.offset;
    const text = this.input.line(LINE_MAX);
    if (text === "") return null;
    if (text[0] !== prefix) {
      this.fail(`Expected prefix '${prefix}', got: '${text[0]}'`);
      return null;
    }
    const [digits] = /^[ \t\n\v\f\r]*[+-]?\d+/.exec(text.slice(1)) ?? [""];
    return this.#lineEnd(text.slice(1 + digits.length)) ? Number(digits) : null;
  }

  /** One argument; true when it is whole. `name`, when given, takes its text if it is short. */
  #argument(name: string[] | null): boolean {
    const length = this.#number("$");
    if (length === null) return false;
    if (length < 0 || length > LENGTH_MAX)
      return this.fail(`Expected to read string of ${length} bytes, which is not in the suitable range`);
    this.#errorOffset = this.input.offset;
    let got: number;
    if (name !== null && length <= NAME_MAX) {
      name[0] = this.input.text(length);
      got = name[0].length;
    } else {
      got = this.input.skip(length);
    }
    const end = this.input.text(2);
    got += end.length;
    if (got !== length + 2) return this.fail(`Expected to read ${length + 2} bytes, got ${got} bytes`);
    return this.#lineEnd(end);
  }

  /** One command; true when it is whole and stands where it may. */
  command(): boolean {
    const count = this.#number("*");
    if (count === null) return false;
    const name = [""];
    for (let i = 0; i < count; i++) {
      if (!this.#argument(i === 0 ? name : null)) return false;
      if (i === 0 && !this.#follow(name[0].toLowerCase())) return false;
    }
    return true;
  }

  #follow(name: string): boolean {
    if (name === "multi") {
      if (this.inTransaction) return this.fail(`Unexpected MULTI in AOF ${this.#path}`);
      this.inTransaction = true;
    } else if (name === "exec") {
      if (!this.inTransaction) return this.fail(`Unexpected EXEC in AOF ${this.#path}`);
      this.inTransaction = false;
    }
    return true;
  }
}

/**
 * Scans the file `fd` from `offset` on. `onAnnotation` is given each line that begins with `#` and where it stands; false ends the scan. `onProgress` is
 * called with the position now and then. Throws the system's error.
 */
export function scanAof(
  fd: number,
  path: string,
  offset: number,
  onAnnotation: OnAnnotation,
  onProgress: (offset: number) => void,
): ScanResult {
  const input = new Input(fd, offset);
  const scan = new Scan(input, path);
  let goodBytes = offset;
  let isForeign = false;
  let isEnded = false;
  let reportAt = offset + BLOCK_BYTES;
  for (;;) {
    if (!scan.inTransaction) goodBytes = input.offset;
    if (input.offset >= reportAt) {
      onProgress(input.offset);
      reportAt = input.offset + BLOCK_BYTES;
    }
    const first = input.peek();
    if (first === HASH) {
      const start = input.offset;
      if (onAnnotation(input.line(LINE_MAX), start)) continue;
      isEnded = true;
      break;
    }
    if (first === STAR) {
      if (scan.command()) continue;
    } else if (first >= 0) {
      isForeign = true;
    }
    break;
  }
  if (input.peek() < 0 && scan.inTransaction && scan.error === "")
    scan.fail("Reached EOF before reading EXEC for MULTI");
  return { goodBytes, line: scan.line, error: scan.error, isForeign, isEnded };
}
