/** LCS: the longest common subsequence of two strings, by the textbook table of (|a| + 1) x (|b| + 1) lengths. */

import type { Ref } from "../../arena/arena.ts";
import { type Context, command } from "../../engine/context.ts";
import { Flag } from "../../engine/spec/spec.ts";
import { ReplyError, SYNTAX } from "../../resp/errors.ts";
import { entryType, Type } from "../../types/entry.ts";
import { ByteSpan, readString } from "../../types/string.ts";

const NOT_STRINGS = new ReplyError("ERR The specified keys must contain string values");
const LENGTH_AND_INDEXES = new ReplyError("ERR If you want both the length and indexes, please just use IDX.");
const TABLE_TOO_LARGE = new ReplyError("ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len");
const NO_MEMORY = new ReplyError("ERR Insufficient memory, failed allocating transient memory for LCS");

/** What the options ask for. */
interface LcsOptions {
  length: boolean;
  indexes: boolean;
  matchLengths: boolean;
  matchLengthMin: number;
}

const a = new ByteSpan();
const b = new ByteSpan();

function parseLcsOptions(cx: Context): LcsOptions {
  const found: LcsOptions = { length: false, indexes: false, matchLengths: false, matchLengthMin: 0 };
  for (let i = 3; i < cx.argc; i++) {
    if (cx.isToken(i, "idx")) found.indexes = true;
    else if (cx.isToken(i, "len")) found.length = true;
    else if (cx.isToken(i, "withmatchlen")) found.matchLengths = true;
    else if (cx.isToken(i, "minmatchlen") && i + 1 < cx.argc) found.matchLengthMin = Number(cx.bigInteger(++i));
    else throw SYNTAX;
  }
  if (found.length && found.indexes) throw LENGTH_AND_INDEXES;
  return found;
}

/** Points a span at the value of an entry, or at nothing for 0. */
function readValue(cx: Context, e: Ref, span: ByteSpan): void {
  if (e !== 0) readString(cx.arena, e, span);
  else span.length = 0;
}

/** table[i * (|b| + 1) + j]: length of the longest common subsequence of the first i bytes of a and the first j of b. */
function lengthTable(cx: Context): Uint32Array {
  const width = b.length + 1;
  const cells = (a.length + 1) * width;
  if (cells * 4 > cx.engine.config.values.protoMaxBulkLen) throw TABLE_TOO_LARGE;
  const table = allocateTable(cells);
  for (let i = 1; i <= a.length; i++) {
    const byte = a.buf[a.at + i - 1];
    const row = i * width;
    for (let j = 1; j < width; j++) {
      if (byte === b.buf[b.at + j - 1]) {
        table[row + j] = table[row - width + j - 1] + 1;
      } else {
        const up = table[row - width + j];
        const left = table[row + j - 1];
        table[row + j] = up > left ? up : left;
      }
    }
  }
  return table;
}

function allocateTable(cells: number): Uint32Array {
  try {
    return new Uint32Array(cells);
  } catch (error) {
    if (error instanceof RangeError) throw NO_MEMORY;
    throw error;
  }
}

/**
 * Walks the table back from its end: fills `subsequence`, and calls `match` for every maximal run that both strings share, last run first, with
 * the first positions in a and b and the length of the run.
 */
function walkBack(
  table: Uint32Array,
  subsequence: Uint8Array,
  match: (aStart: number, bStart: number, length: number) => void,
): void {
  const width = b.length + 1;
  let i = a.length;
  let j = b.length;
  let left = subsequence.length;
  let run = 0;
  while (i > 0 && j > 0) {
    if (a.buf[a.at + i - 1] === b.buf[b.at + j - 1]) {
      i--;
      j--;
      subsequence[--left] = a.buf[a.at + i];
      run++;
      continue;
    }
    if (run > 0) match(i, j, run);
    run = 0;
    if (table[(i - 1) * width + j] > table[i * width + j - 1]) i--;
    else j--;
  }
  if (run > 0) match(i, j, run);
}

function answerIndexes(cx: Context, table: Uint32Array, found: LcsOptions): void {
  const reply = cx.reply;
  const total = table[table.length - 1];
  reply.map(2);
  reply.bulkText("matches");
  const start = reply.beginDeferred();
  let count = 0;
  walkBack(table, new Uint8Array(total), (aStart, bStart, length) => {
    if (length < found.matchLengthMin) return;
    count++;
    reply.array(found.matchLengths ? 3 : 2);
    reply.array(2);
    reply.integer(aStart);
    reply.integer(aStart + length - 1);
    reply.array(2);
    reply.integer(bStart);
    reply.integer(bStart + length - 1);
    if (found.matchLengths) reply.integer(length);
  });
  reply.endDeferred(start, count);
  reply.bulkText("len");
  reply.integer(total);
}

function lcs(cx: Context): void {
  const left = cx.lookupRead(1);
  const right = cx.lookupRead(2);
  for (const e of [left, right]) if (e !== 0 && entryType(cx.arena, e) !== Type.String) throw NOT_STRINGS;
  const found = parseLcsOptions(cx);
  readValue(cx, left, a);
  readValue(cx, right, b);
  const table = lengthTable(cx);
  const total = table[table.length - 1];
  if (found.indexes) {
    answerIndexes(cx, table, found);
  } else if (found.length) {
    cx.reply.integer(total);
  } else {
    const subsequence = new Uint8Array(total);
    walkBack(table, subsequence, () => {});
    cx.reply.bulk(subsequence, 0, total);
  }
}

export const LCS_COMMANDS = [
  command({
    name: "lcs",
    arity: -3,
    flags: Flag.Readonly,
    since: "7.0.0",
    group: "string",
    summary: "Finds the longest common subsequence of two strings.",
    complexity: "O(N*M) where N and M are the lengths of the two strings.",
    categories: ["string"],
    keys: [{ flags: "RO access", begin: { index: 1 }, find: { lastKey: 1, step: 1, limit: 0 } }],
    syntax: "key1:key key2:key#0 [LEN] [IDX] [MINMATCHLEN min-match-len:integer] [WITHMATCHLEN]",
    run: lcs,
  }),
];
