/**
 * BITOP. Every operation combines its sources word by word, in blocks that stay in the cache; a source that ends early goes on with zeros. What
 * a step does with the result so far (r), a further word (w) and, for ONE, the bits that were seen twice (t):
 *
 *   AND    r & w                     OR, DIFF, DIFF1, ANDOR    r | w        XOR    r ^ w        ONE    t | (r & w) and r | w
 *
 * and what is done at last, with the first source (f), which is not among the words of the last three:
 *
 *   NOT    ~r        ONE    r & ~t        DIFF    f & ~r        DIFF1    ~f & r        ANDOR    f & r
 */
import { type Context, command } from "../../engine/context.ts";
import { Event } from "../../engine/effects.ts";
import { Flag, keysToEnd, oneKey } from "../../engine/spec/spec.ts";
import { NO_EXPIRY } from "../../keyspace/database.ts";
import { ReplyError, SYNTAX } from "../../resp/errors.ts";
import { BitSpan } from "../../types/bitmap.ts";
import { Encoding, setEntryEncoding, Type } from "../../types/entry.ts";
import { VALUE_INLINE_MAX } from "../../types/string.ts";
import { announceOverwrite } from "../string/store.ts";

const Op = { And: 0, Or: 1, Xor: 2, Not: 3, Diff: 4, Diff1: 5, AndOr: 6, One: 7 } as const;
const OP_NAMES = ["and", "or", "xor", "not", "diff", "diff1", "andor", "one"];
const BLOCK_WORDS = 4096;
/** Spans that are kept for the next call. */
const SOURCES_KEEP = 64;

const NOT_ONE_SOURCE = new ReplyError("ERR BITOP NOT must be called with a single source key.");
const TOO_FEW_SOURCES = OP_NAMES.map(
  (name) => new ReplyError(`ERR BITOP ${name.toUpperCase()} must be called with at least two source keys.`),
);

/** Results that will be copied into an entry are made here, and the bits that ONE saw twice of any block. */
const scratch = new Int32Array(VALUE_INLINE_MAX / 4);
const scratchBytes = new Uint8Array(scratch.buffer);
const twice = new Int32Array(BLOCK_WORDS);
let sources: BitSpan[] = [];

function operation(cx: Context): number {
  for (let op = 0; op < OP_NAMES.length; op++) if (cx.isToken(1, OP_NAMES[op])) return op;
  throw SYNTAX;
}

/** Looks the sources up into `sources`; the length in bytes of the longest. */
function readSources(cx: Context): number {
  let longest = 0;
  for (let i = 3; i < cx.argc; i++) {
    const e = cx.lookupRead(i);
    cx.requireType(e, Type.String);
    if (i - 3 === sources.length) sources.push(new BitSpan());
    const source = sources[i - 3];
    source.read(cx.arena, e);
    source.align();
    if (source.length > longest) longest = source.length;
  }
  return longest;
}

function releaseSources(count: number): void {
  for (let i = 0; i < count; i++) sources[i].forget();
  if (sources.length > SOURCES_KEEP) sources = sources.slice(0, SOURCES_KEEP);
}

function bitOp(cx: Context): void {
  const op = operation(cx);
  const count = cx.argc - 3;
  if (op === Op.Not && count !== 1) throw NOT_ONE_SOURCE;
  if ((op === Op.Diff || op === Op.Diff1 || op === Op.AndOr) && count < 2) throw TOO_FEW_SOURCES[op];
  const length = readSources(cx);
  if (length === 0) {
    const e = cx.lookupWrite(2);
    if (e !== 0) {
      cx.db.remove(e, cx.db.hash);
      cx.changed(2, Event.Generic, "del");
    }
  } else {
    const isLarge = length > VALUE_INLINE_MAX;
    const words = isLarge ? new Int32Array((length + 3) >>> 2) : scratch;
    combineAll(op, words, (length + 3) >>> 2, count);
    storeResult(cx, isLarge ? new Uint8Array(words.buffer) : scratchBytes, length, isLarge);
  }
  releaseSources(count);
  cx.reply.integer(length);
}

function storeResult(cx: Context, bytes: Uint8Array, length: number, adopt: boolean): void {
  const e = cx.lookupWrite(2);
  if (cx.engine.notifyMask !== 0) announceOverwrite(cx, 2, e);
  const stored = cx.db.putString(e, cx.buf, cx.start[2], cx.length[2], bytes, 0, length, NO_EXPIRY, adopt, true);
  setEntryEncoding(cx.arena, stored, Encoding.Raw);
  cx.changed(2, Event.String, "set");
}

function combineAll(op: number, result: Int32Array, wordCount: number, count: number): void {
  const keepsFirst = op === Op.Diff || op === Op.Diff1 || op === Op.AndOr;
  for (let from = 0; from < wordCount; from += BLOCK_WORDS) {
    const to = Math.min(from + BLOCK_WORDS, wordCount);
    result.fill(0, from, to);
    if (op === Op.One) twice.fill(0);
    if (!keepsFirst) combine(Op.Or, result, from, to, sources[0]);
    for (let i = 1; i < count; i++) combine(keepsFirst ? Op.Or : op, result, from, to, sources[i]);
    if (op === Op.Not) for (let i = from; i < to; i++) result[i] = ~result[i];
    else if (op === Op.One) for (let i = from; i < to; i++) result[i] &= ~twice[i - from];
    else if (keepsFirst) combine(op, result, from, to, sources[0]);
  }
}

/** Combines the words `from` to `to` of the result with those of a source. */
function combine(op: number, result: Int32Array, from: number, to: number, source: BitSpan): void {
  const whole = source.length >>> 2;
  const end = whole < to ? whole : to;
  const base = source.at >>> 2;
  combineWords(op, result, from, end, source.words, base, from);
  const next = end > from ? end : from;
  if (next === to) return;
  const tail = next === whole ? tailWord(source) : 0;
  combineWord(op, result, next, tail, from);
  // Zeros change nothing but the operations that are an AND with the source.
  if (op === Op.And || op === Op.Diff || op === Op.AndOr) result.fill(0, next + 1, to);
}

function combineWords(
  op: number,
  r: Int32Array,
  from: number,
  to: number,
  words: Int32Array,
  base: number,
  blockStart: number,
): void {
  switch (op) {
    case Op.And:
    case Op.AndOr:
      for (let i = from; i < to; i++) r[i] &= words[base + i];
      break;
    case Op.Or:
      for (let i = from; i < to; i++) r[i] |= words[base + i];
      break;
    case Op.Xor:
      for (let i = from; i < to; i++) r[i] ^= words[base + i];
      break;
    case Op.Diff:
      for (let i = from; i < to; i++) r[i] = words[base + i] & ~r[i];
      break;
    case Op.Diff1:
      for (let i = from; i < to; i++) r[i] &= ~words[base + i];
      break;
    case Op.One:
      for (let i = from; i < to; i++) {
        twice[i - blockStart] |= r[i] & words[base + i];
        r[i] |= words[base + i];
      }
      break;
  }
}

const oneWord = new Int32Array(1);

function combineWord(op: number, result: Int32Array, i: number, word: number, blockStart: number): void {
  oneWord[0] = word;
  combineWords(op, result, i, i + 1, oneWord, -i, blockStart);
}

/** The bytes after the last whole word of a source, followed by zeros. */
function tailWord(source: BitSpan): number {
  const { bytes, at, length } = source;
  let word = 0;
  for (let i = length - 1; i >= length - (length & 3); i--) word = (word << 8) | bytes[at + i];
  return word;
}

export const BITOP_COMMANDS = [
  command({
    name: "bitop",
    arity: -4,
    flags: Flag.Write | Flag.DenyOom,
    since: "2.6.0",
    group: "bitmap",
    summary: "Combines strings bit by bit and stores the result.",
    complexity: "O(N)",
    categories: ["bitmap"],
    keys: [oneKey("OW update", 2), keysToEnd("RO access", 3)],
    history: [["8.2.0", "Operations `DIFF`, `DIFF1`, `ANDOR` and `ONE`."]],
    syntax:
      "operation=<AND | OR | XOR | NOT | DIFF@8.2.0 | DIFF1@8.2.0 | ANDOR@8.2.0 | ONE@8.2.0> destkey:key key:key ...",
    run: bitOp,
  }),
];
