/** A string value seen as bits: where its bytes are, as bytes and as words of the buffer that holds them. */
import { type Arena, type Ref, SEGMENT_SHIFT } from "../arena/arena.ts";
import { copyBytes } from "../base/bytes.ts";
import { ByteSpan, readString } from "./string.ts";

const NO_BYTES = new Uint8Array(0);
const NO_WORDS = new Int32Array(0);

/** The bytes `at` to `at + length` of a buffer; `bytes` and `words` are views of it from its start on. The caller owns and reuses it. */
export class BitSpan {
  bytes: Uint8Array = NO_BYTES;
  words: Int32Array = NO_WORDS;
  at = 0;
  length = 0;
  readonly #span = new ByteSpan();

  /** Points at the value of a string, or at nothing for 0. Good until the next change of the arena. */
  read(a: Arena, e: Ref): void {
    if (e === 0) {
      this.forget();
      return;
    }
    const span = this.#span;
    readString(a, e, span);
    this.length = span.length;
    const segment = e >>> SEGMENT_SHIFT;
    if (span.buf === a.u8[segment]) {
      this.bytes = span.buf;
      this.words = a.i32[segment];
      this.at = span.at;
    } else {
      const { buffer, byteOffset } = span.buf;
      this.bytes = new Uint8Array(buffer);
      this.words = new Int32Array(buffer, 0, buffer.byteLength >>> 2);
      this.at = byteOffset + span.at;
      span.buf = NO_BYTES;
    }
  }

  /** Moves bytes that do not start at a word into a buffer of their own. */
  align(): void {
    if ((this.at & 3) === 0) return;
    const copy = new Uint8Array((this.length + 3) & ~3);
    copyBytes(this.bytes, this.at, copy, 0, this.length);
    this.bytes = copy;
    this.words = new Int32Array(copy.buffer);
    this.at = 0;
  }

  /** Lets go of the buffer, which may be large. */
  forget(): void {
    this.bytes = NO_BYTES;
    this.words = NO_WORDS;
    this.at = 0;
    this.length = 0;
  }
}
