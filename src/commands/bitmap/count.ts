/** BITCOUNT and BITPOS: bits of a range of a string. */
import { type Context, command } from "../../engine/context.ts";
import { Flag, oneKey } from "../../engine/spec/spec.ts";
import { ReplyError, SYNTAX } from "../../resp/errors.ts";
import { countOnes, findByteWith, firstBitOf } from "../../struct/bits.ts";
import { BitSpan } from "../../types/bitmap.ts";
import { Type } from "../../types/entry.ts";
import { isReversed, position } from "../string/range.ts";

const NOT_A_BIT = new ReplyError("ERR The bit argument must be 1 or 0.");

const span = new BitSpan();
/** A range as bit positions, both inclusive; empty when `last` is before `first`. */
const range = { first: 0, last: 0 };

/** Whether argument `i` says that positions count bits (and not bytes). */
function countsBits(cx: Context, i: number): boolean {
  if (cx.isToken(i, "bit")) return true;
  if (cx.isToken(i, "byte")) return false;
  throw SYNTAX;
}

/** Sets `range` from positions of bits or bytes in the string at `span`, of which negative ones count from its end. */
function setRange(start: number, end: number, bits: boolean): void {
  const total = bits ? span.length * 8 : span.length;
  const first = start < 0 ? Math.max(0, total + start) : start;
  const last = Math.min(end < 0 ? Math.max(0, total + end) : end, total - 1);
  range.first = bits ? first : first * 8;
  range.last = bits ? last : last * 8 + 7;
}

function bitCount(cx: Context): void {
  const { argc } = cx;
  const openEnd = argc === 3 && cx.engine.config.personality.name === "valkey";
  if (argc > 5 || (argc === 3 && !openEnd)) throw SYNTAX;
  const start = argc > 2 ? position(cx, 2) : 0;
  const end = argc > 3 ? position(cx, 3) : -1;
  const bits = argc === 5 && countsBits(cx, 4);
  const e = cx.lookupRead(1);
  cx.requireType(e, Type.String);
  span.read(cx.arena, e);
  let count = 0;
  if (!(argc > 3 && start < 0 && end < 0 && isReversed(cx, start, end))) {
    setRange(start, end, bits);
    count = countRange();
  }
  span.forget();
  cx.reply.integer(count);
}

function countRange(): number {
  const { first, last } = range;
  if (first > last) return 0;
  const { bytes, words, at } = span;
  const from = at + Math.floor(first / 8);
  const to = at + Math.floor(last / 8);
  const before = onesIn(bytes[from] >> (8 - (first % 8)));
  const after = onesIn(bytes[to] & ((1 << (7 - (last % 8))) - 1));
  return countOnes(bytes, words, from, to + 1) - before - after;
}

function onesIn(byte: number): number {
  let count = 0;
  for (let rest = byte; rest !== 0; rest &= rest - 1) count++;
  return count;
}

function bitPosition(cx: Context): void {
  const { argc } = cx;
  const bit = position(cx, 2);
  if (bit !== 0 && bit !== 1) throw NOT_A_BIT;
  if (argc > 6) throw SYNTAX;
  const start = argc > 3 ? position(cx, 3) : 0;
  const bits = argc === 6 && countsBits(cx, 5);
  const end = argc > 4 ? position(cx, 4) : -1;
  const e = cx.lookupRead(1);
  cx.requireType(e, Type.String);
  let found = bit === 0 ? 0 : -1;
  if (e !== 0) {
    span.read(cx.arena, e);
    setRange(start, end, bits);
    found = findInRange(bit);
    // What follows the string counts as zeros, unless the caller named an end.
    if (found < 0 && bit === 0 && argc < 5 && range.first <= range.last) found = span.length * 8;
    span.forget();
  }
  cx.reply.integer(found);
}

/** The first bit of the range that equals `bit`, or -1. */
function findInRange(bit: number): number {
  const { first, last } = range;
  if (first > last) return -1;
  const { bytes, words, at } = span;
  const from = Math.floor(first / 8);
  const to = Math.floor(last / 8);
  const before = 255 >> (first % 8);
  const head = firstBitOf(bit === 1 ? bytes[at + from] & before : bytes[at + from] | (255 ^ before), bit);
  let found = from * 8 + head;
  if (head === 8) {
    const byte = findByteWith(bytes, words, at + from + 1, at + to + 1, bit);
    if (byte < 0) return -1;
    found = (byte - at) * 8 + firstBitOf(bytes[byte], bit);
  }
  return found <= last ? found : -1;
}

export const COUNT_COMMANDS = [
  command({
    name: "bitcount",
    arity: -2,
    flags: Flag.Readonly,
    since: "2.6.0",
    group: "bitmap",
    summary: "Counts the bits that are set in a string or in a range of it.",
    complexity: "O(N)",
    categories: ["bitmap"],
    keys: [oneKey("RO access")],
    history: [["7.0.0", "Option `BYTE|BIT`."]],
    syntax: "key:key range=[start:integer end:integer unit=[BYTE | BIT]@7.0.0]",
    run: bitCount,
  }),
  command({
    name: "bitpos",
    arity: -3,
    flags: Flag.Readonly,
    since: "2.8.7",
    group: "bitmap",
    summary: "Finds the first bit that is set, or clear, in a string or in a range of it.",
    complexity: "O(N)",
    categories: ["bitmap"],
    keys: [oneKey("RO access")],
    history: [["7.0.0", "Option `BYTE|BIT`."]],
    syntax: "key:key bit:integer range=[start:integer end-unit-block=[end:integer unit=[BYTE | BIT]@7.0.0]]",
    run: bitPosition,
  }),
];
