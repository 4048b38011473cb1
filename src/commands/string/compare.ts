/** Values compared with an argument: the IF options of SET and DELEX, DELIFEQ, and DIGEST. */

import type { Ref } from "../../arena/arena.ts";
import { equalBytes, equalsToken } from "../../base/bytes.ts";
import { DIGEST_LENGTH, xxh3Hex } from "../../base/xxh3.ts";
import { type Context, command } from "../../engine/context.ts";
import { Event } from "../../engine/effects.ts";
import { Flag, oneKey } from "../../engine/spec/spec.ts";
import { ReplyError, wrongArity } from "../../resp/errors.ts";
import { entryType, Type } from "../../types/entry.ts";
import { ByteSpan, readString } from "../../types/string.ts";
import { COMPARISONS, Opt, optionAt } from "./options.ts";
import { deleteKey } from "./store.ts";

const BAD_DIGEST = new ReplyError("ERR must be exactly 16 hexadecimal characters");
const BAD_CONDITION = new ReplyError("ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE");
const NOT_A_STRING = new ReplyError("ERR Key should be of string type if conditions are specified");

const span = new ByteSpan();

/** Whether a string value compares with argument `i` as `comparison` (one bit of COMPARISONS) asks. Throws when a digest has the wrong length. */
export function comparisonHolds(cx: Context, e: Ref, comparison: number, i: number): boolean {
  if (comparison === Opt.IfEq) return equalsArgument(cx, e, i);
  if (comparison === Opt.IfNe) return !equalsArgument(cx, e, i);
  if (cx.length[i] !== DIGEST_LENGTH) throw BAD_DIGEST;
  return equalsToken(cx.buf, cx.start[i], DIGEST_LENGTH, digestOf(cx, e)) === (comparison === Opt.IfDeq);
}

function equalsArgument(cx: Context, e: Ref, i: number): boolean {
  readString(cx.arena, e, span);
  return span.length === cx.length[i] && equalBytes(span.buf, span.at, cx.buf, cx.start[i], span.length);
}

function digestOf(cx: Context, e: Ref): string {
  readString(cx.arena, e, span);
  return xxh3Hex(span.buf, span.at, span.length);
}

/** DELEX key condition value. */
function deleteIf(cx: Context): void {
  const e = cx.lookupWrite(1);
  if (e === 0) {
    cx.reply.integer(0);
    return;
  }
  if (entryType(cx.arena, e) !== Type.String) throw NOT_A_STRING;
  const comparison = optionAt(cx, 2) & COMPARISONS;
  if (comparison === 0) throw BAD_CONDITION;
  const holds = comparisonHolds(cx, e, comparison, 3);
  if (holds) deleteKey(cx, 1, e);
  cx.reply.integer(holds ? 1 : 0);
}

/** DELEX key: as DEL of one key of any type, under its own name. */
function deleteAny(cx: Context): void {
  const e = cx.lookupWrite(1);
  if (e !== 0) {
    cx.db.remove(e, cx.db.hash, cx.engine.config.values.lazyfreeLazyServerDel);
    cx.changed(1, Event.Generic, "del");
  }
  cx.reply.integer(e !== 0 ? 1 : 0);
}

export const COMPARE_COMMANDS = [
  command({
    name: "delex",
    arity: -2,
    flags: Flag.Write | Flag.Fast,
    since: "8.4.0",
    group: "string",
    summary: "Deletes a key if its value, or the digest of its value, compares as asked.",
    complexity: "O(1) for IFEQ and IFNE, O(N) for IFDEQ and IFDNE where N is the length of the value.",
    categories: ["string"],
    keys: [oneKey("RW delete")],
    replaces: true,
    syntax: "key:key [condition=<IFEQ ifeq-value | IFNE ifne-value | IFDEQ ifdeq-digest | IFDNE ifdne-digest>]",
    run(cx) {
      if (cx.argc === 2) deleteAny(cx);
      else if (cx.argc === 4) deleteIf(cx);
      else throw wrongArity("delex");
    },
  }),
  command({
    name: "delifeq",
    arity: 3,
    flags: Flag.Write,
    since: "9.0.0",
    group: "string",
    summary: "Deletes a key if it holds the given string.",
    complexity: "O(1)",
    categories: ["string"],
    keys: [oneKey("RM access delete")],
    syntax: "key:key value",
    run(cx) {
      const e = cx.lookupWrite(1);
      cx.requireType(e, Type.String);
      const holds = e !== 0 && equalsArgument(cx, e, 2);
      if (holds) deleteKey(cx, 1, e);
      cx.reply.integer(holds ? 1 : 0);
    },
  }),
  command({
    name: "digest",
    arity: 2,
    flags: Flag.Readonly | Flag.Fast,
    since: "8.4.0",
    group: "string",
    summary: "Answers the XXH3 digest of the string that a key holds.",
    complexity: "O(N) where N is the length of the value.",
    categories: ["string"],
    keys: [oneKey("RO access")],
    syntax: "key:key",
    run(cx) {
      const e = cx.lookupRead(1);
      cx.requireType(e, Type.String);
      if (e === 0) cx.reply.nil();
      else cx.reply.bulkText(digestOf(cx, e));
    },
  }),
];
