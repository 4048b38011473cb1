/** The limits of ranges as arguments: scores, names, ranks. */
import { parseScoreLimit } from "../../base/float.ts";
import type { Context } from "../../engine/context.ts";
import { ReplyError } from "../../resp/errors.ts";
import { type BytesLimit, BytesRange, ranks, ScoreRange } from "../../types/zset/zset-range.ts";

const NOT_SCORES = new ReplyError("ERR min or max is not a float");
const NOT_NAMES = new ReplyError("ERR min or max not valid string range item");

const OPEN = 40;
const CLOSED = 91;
const PLUS = 43;
const MINUS = 45;

/** What readScoreRange and readBytesRange read. */
export const scoreRange = new ScoreRange();
export const bytesRange = new BytesRange();

/** Reads two arguments as limits of scores: "1.5", "(1.5", "-inf". */
export function readScoreRange(cx: Context, minArg: number, maxArg: number): void {
  scoreRange.isMinOpen = isOpen(cx, minArg);
  scoreRange.isMaxOpen = isOpen(cx, maxArg);
  scoreRange.min = readLimit(cx, minArg, scoreRange.isMinOpen ? 1 : 0);
  scoreRange.max = readLimit(cx, maxArg, scoreRange.isMaxOpen ? 1 : 0);
}

function isOpen(cx: Context, i: number): boolean {
  return cx.length[i] > 0 && cx.buf[cx.start[i]] === OPEN;
}

function readLimit(cx: Context, i: number, skip: number): number {
  const { buf } = cx;
  const start = cx.start[i] + skip;
  const end = cx.start[i] + cx.length[i];
  // Redis reads limits as C strings: what follows a NUL does not matter.
  let stop = start;
  while (stop < end && buf[stop] !== 0) stop++;
  const score = parseScoreLimit(buf, start, stop - start);
  if (Number.isNaN(score)) throw NOT_SCORES;
  return score;
}

/** Reads two arguments as limits of names: "-", "+", "[abc", "(abc". */
export function readBytesRange(cx: Context, minArg: number, maxArg: number): void {
  readName(cx, minArg, bytesRange.min);
  readName(cx, maxArg, bytesRange.max);
}

function readName(cx: Context, i: number, limit: BytesLimit): void {
  const length = cx.length[i];
  if (length === 0) throw NOT_NAMES;
  const first = cx.buf[cx.start[i]];
  limit.side = 0;
  limit.isOpen = first === OPEN;
  limit.buf = cx.buf;
  limit.at = cx.start[i] + 1;
  limit.length = length - 1;
  if (first === OPEN || first === CLOSED) return;
  if ((first !== PLUS && first !== MINUS) || length > 1) throw NOT_NAMES;
  limit.side = first === PLUS ? 1 : -1;
}

/** Sets `ranks` to those from `first` to `last`, both included and negative ones counted from the end, as far as a set of `count` members has them. */
export function setRanks(first: number, last: number, count: number): void {
  const from = Math.max(0, first < 0 ? count + first : first);
  const to = Math.min(count, (last < 0 ? count + last : last) + 1);
  ranks.from = from;
  ranks.to = Math.max(from, to);
}
