/** Strings: [string]. */
import type { Arena, Ref } from "../arena/arena.ts";
import { SEGMENT_SHIFT } from "../arena/arena.ts";
import { copyBytes } from "../base/bytes.ts";
import { Encoding, entryEncoding, valueWord } from "../types/entry.ts";
import {
  ByteSpan,
  INT_TEXT_MAX,
  readString,
  stringBytesAt,
  stringCreate,
  stringReserve,
  VALUE_INLINE_MAX,
} from "../types/string.ts";
import { entryDiscard } from "../types/value.ts";
import { RdbType } from "./format.ts";
import { type RdbInput, StringSlot } from "./input.ts";
import type { RdbOutput } from "./output.ts";
import type { TypeReader, TypeWriter } from "./value.ts";

/** Bytes of a long string that count as an element. */
const PIECE_BYTES = 4096;

export class StringWriter implements TypeWriter {
  readonly #arena: Arena;
  readonly #span = new ByteSpan();
  #e: Ref = 0;
  /** Bytes of a long string that have been written; -1: not begun. */
  #written = -1;

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  rdbType(): number {
    return RdbType.String;
  }

  begin(e: Ref): void {
    this.#e = e;
    this.#written = -1;
  }

  step(out: RdbOutput, budget: number): boolean {
    const a = this.#arena;
    const e = this.#e;
    if (entryEncoding(a, e) === Encoding.Int) {
      const w = a.i32[e >>> SEGMENT_SHIFT];
      const v = valueWord(a, e);
      out.stringInt64(w[v], w[v + 1]);
      return true;
    }
    const span = this.#span;
    readString(a, e, span);
    if (!out.keepsPlain(span.length)) {
      out.string(span.buf, span.at, span.length);
      return true;
    }
    if (this.#written < 0) {
      out.length(span.length);
      this.#written = 0;
    }
    const count = Math.min(span.length - this.#written, budget * PIECE_BYTES);
    out.rawBytes(span.buf, span.at + this.#written, count);
    this.#written += count;
    return this.#written === span.length;
  }
}

export class StringReader implements TypeReader {
  readonly #arena: Arena;
  readonly #value = new StringSlot();
  readonly #key = new StringSlot();
  #e: Ref = 0;

  constructor(arena: Arena) {
    this.#arena = arena;
  }

  whole(_type: number, key: StringSlot, input: RdbInput, withExpiry: boolean): Ref {
    const value = this.#value;
    input.open(value);
    const { length } = value;
    const a = this.#arena;
    if (length > INT_TEXT_MAX && length <= VALUE_INLINE_MAX) {
      const e = stringReserve(a, key.buf, key.at, key.length, length, withExpiry);
      this.#e = e;
      input.unpack(value, a.u8[e >>> SEGMENT_SHIFT], stringBytesAt(a, e));
      return this.take();
    }
    input.inflate(value);
    const { buf, at } = value;
    return stringCreate(a, key.buf, key.at, key.length, buf, at, length, 0, withExpiry, false);
  }

  begin(_type: number, key: StringSlot): void {
    this.#key.reserve(key.length);
    copyBytes(key.buf, key.at, this.#key.own, 0, key.length);
    this.#e = 0;
  }

  step(input: RdbInput): boolean {
    const value = this.#value;
    input.string(value);
    this.#e = stringCreate(
      this.#arena,
      this.#key.own,
      0,
      this.#key.length,
      value.buf,
      value.at,
      value.length,
      0,
      false,
      false,
    );
    return true;
  }

  take(): Ref {
    const e = this.#e;
    this.#e = 0;
    return e;
  }

  discard(): void {
    if (this.#e === 0) return;
    entryDiscard(this.#arena, this.#e);
    this.#e = 0;
  }
}
