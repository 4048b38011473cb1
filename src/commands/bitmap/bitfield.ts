/** BITFIELD and BITFIELD_RO: a string as integers of any width at any bit. All operations are read first, then carried out one after the other. */
import type { Ref } from "../../arena/arena.ts";
import { equalsToken } from "../../base/bytes.ts";
import { parseInt64Halves, parseSafeInteger } from "../../base/int64.ts";
import { type Context, command } from "../../engine/context.ts";
import { Event } from "../../engine/effects.ts";
import { Flag, oneKey } from "../../engine/spec/spec.ts";
import { NOT_AN_INTEGER, ReplyError, SYNTAX } from "../../resp/errors.ts";
import type { Request } from "../../resp/request.ts";
import { type Field, readField, writeField } from "../../struct/bits.ts";
import { Type } from "../../types/entry.ts";
import { ByteSpan, readString } from "../../types/string.ts";
import { bitOffset, growBitmap } from "./bit.ts";
import { fieldValue, Overflow } from "./field-arithmetic.ts";

const BAD_TYPE = new ReplyError(
  "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.",
);
const BAD_OVERFLOW = new ReplyError("ERR Invalid OVERFLOW type specified");
const ONLY_GET = new ReplyError("ERR BITFIELD_RO only supports the GET subcommand");

const Operation = { Get: 0, Set: 1, Increment: 2 } as const;
const LETTER_I = 105;
const LETTER_U = 117;
/** Operations that the lists below keep room for between calls. */
const OPERATIONS_KEEP = 1024;
const EMPTY = new Uint8Array(0);

/** The operations of the running command, as parallel lists. */
const operations = {
  count: 0,
  kind: [] as number[],
  overflow: [] as number[],
  width: [] as number[],
  signed: [] as boolean[],
  offset: [] as number[],
  low: [] as number[],
  high: [] as number[],
  /** The last bit that is written, or -1. */
  lastWritten: -1,
};

const span = new ByteSpan();
const old: Field = { low: 0, high: 0 };
const operand: Field = { low: 0, high: 0 };
const fresh: Field = { low: 0, high: 0 };

/** The kind of operation that argument `i` names, when it is followed by as many arguments as it needs; -1 otherwise. */
function operationAt(request: Request, i: number): number {
  const { buf, start, length } = request;
  const left = request.count - i - 1;
  if (left >= 2 && equalsToken(buf, start[i], length[i], "get")) return Operation.Get;
  if (left >= 3 && equalsToken(buf, start[i], length[i], "set")) return Operation.Set;
  if (left >= 3 && equalsToken(buf, start[i], length[i], "incrby")) return Operation.Increment;
  return -1;
}

function isOverflow(request: Request, i: number): boolean {
  return i + 1 < request.count && equalsToken(request.buf, request.start[i], request.length[i], "overflow");
}

/** Reads the arguments from 2 on into `operations`. */
function parseOperations(cx: Context): void {
  operations.count = 0;
  operations.lastWritten = -1;
  let overflow: number = Overflow.Wrap;
  for (let i = 2; i < cx.argc; ) {
    const kind = operationAt(cx.request, i);
    if (kind >= 0) {
      addOperation(cx, kind, overflow, i);
      i += kind === Operation.Get ? 3 : 4;
    } else if (isOverflow(cx.request, i)) {
      overflow = overflowAt(cx, i + 1);
      i += 2;
    } else {
      throw SYNTAX;
    }
  }
}

function overflowAt(cx: Context, i: number): number {
  if (cx.isToken(i, "wrap")) return Overflow.Wrap;
  if (cx.isToken(i, "sat")) return Overflow.Saturate;
  if (cx.isToken(i, "fail")) return Overflow.Fail;
  throw BAD_OVERFLOW;
}

/** Adds the operation whose name is argument `i`. */
function addOperation(cx: Context, kind: number, overflow: number, i: number): void {
  const ops = operations;
  const n = ops.count++;
  const sign = cx.length[i + 1] === 0 ? 0 : cx.buf[cx.start[i + 1]];
  if (sign !== LETTER_I && sign !== LETTER_U) throw BAD_TYPE;
  const width = parseSafeInteger(cx.buf, cx.start[i + 1] + 1, cx.length[i + 1] - 1);
  if (!(width >= 1 && width <= (sign === LETTER_I ? 64 : 63))) throw BAD_TYPE;
  const offset = bitOffset(cx, i + 2, width);
  operand.low = 0;
  operand.high = 0;
  if (kind !== Operation.Get) {
    if (offset + width - 1 > ops.lastWritten) ops.lastWritten = offset + width - 1;
    if (!parseInt64Halves(cx.buf, cx.start[i + 3], cx.length[i + 3], operand)) throw NOT_AN_INTEGER;
  }
  ops.kind[n] = kind;
  ops.overflow[n] = overflow;
  ops.width[n] = width;
  ops.signed[n] = sign === LETTER_I;
  ops.offset[n] = offset;
  ops.low[n] = operand.low;
  ops.high[n] = operand.high;
}

/** Answers a GET. */
function getField(cx: Context, n: number): void {
  const { offset, width, signed } = operations;
  readField(span.buf, span.at, span.length, offset[n], width[n], signed[n], old);
  cx.reply.int64(old.low, old.high);
}

/** Carries a SET or INCRBY out and answers it. True when the field was written and (unless `grew`) got another value. */
function changeField(cx: Context, n: number, grew: boolean): boolean {
  const { kind, offset, width, signed, overflow } = operations;
  const isSet = kind[n] === Operation.Set;
  readField(span.buf, span.at, span.length, offset[n], width[n], signed[n], old);
  operand.low = operations.low[n];
  operand.high = operations.high[n];
  if (!fieldValue(isSet ? null : old, operand, width[n], signed[n], overflow[n], fresh)) {
    cx.reply.nil();
    return false;
  }
  writeField(span.buf, span.at, offset[n], width[n], fresh.low, fresh.high);
  if (isSet) cx.reply.int64(old.low, old.high);
  else cx.reply.int64(fresh.low, fresh.high);
  return grew || old.low !== fresh.low || old.high !== fresh.high;
}

function readFields(cx: Context): void {
  const e = cx.lookupRead(1);
  cx.requireType(e, Type.String);
  if (e === 0) span.length = 0;
  else readString(cx.arena, e, span);
  cx.reply.array(operations.count);
  for (let n = 0; n < operations.count; n++) getField(cx, n);
}

function changeFields(cx: Context): void {
  const e: Ref = cx.lookupWrite(1);
  cx.requireType(e, Type.String);
  const grew = growBitmap(cx, e, Math.floor(operations.lastWritten / 8) + 1, span);
  let changes = 0;
  cx.reply.array(operations.count);
  for (let n = 0; n < operations.count; n++) {
    if (operations.kind[n] === Operation.Get) getField(cx, n);
    else if (changeField(cx, n, grew)) changes++;
  }
  if (changes > 0) {
    cx.changed(1, Event.String, "setbit");
    cx.dirty += changes - 1;
  } else if (grew) {
    // Every operation failed, and yet the string grew: Redis tells nobody. Here at least replicas and the append-only file hear of it.
    cx.dirty++;
  }
}

function bitField(cx: Context, readOnly: boolean): void {
  parseOperations(cx);
  if (operations.lastWritten < 0) readFields(cx);
  else if (readOnly) throw ONLY_GET;
  else changeFields(cx);
  span.buf = EMPTY;
  if (operations.count > OPERATIONS_KEEP) forgetOperations();
}

function forgetOperations(): void {
  const { kind, overflow, width, signed, offset, low, high } = operations;
  for (const list of [kind, overflow, width, signed, offset, low, high]) list.length = 0;
}

/** Whether all operations are reads. Arguments that make no sense count as writes. */
function readsOnly(request: Request): boolean {
  for (let i = 2; i < request.count; ) {
    const kind = operationAt(request, i);
    if (kind === Operation.Get) i += 3;
    else if (kind < 0 && isOverflow(request, i)) i += 2;
    else return false;
  }
  return true;
}

const COMMON = {
  group: "bitmap",
  complexity: "O(1) for each operation.",
  categories: ["bitmap"],
} as const;

export const BITFIELD_COMMANDS = [
  command({
    ...COMMON,
    name: "bitfield",
    arity: -2,
    flags: Flag.Write | Flag.DenyOom,
    since: "3.2.0",
    summary: "Reads, sets and increments integers of any width at any bit of a string.",
    keys: [
      {
        ...oneKey("RW access update variable_flags"),
        notes: "This command allows both access and modification of the key",
      },
    ],
    syntax:
      "key:key operation=[GET get-block=<encoding offset:integer> | write=<[OVERFLOW overflow-block=<WRAP | SAT | FAIL>] " +
      "write-operation=<SET set-block=<encoding offset:integer value:integer> | " +
      "INCRBY incrby-block=<encoding offset:integer increment:integer>>>] ...",
    getKeys(request, out) {
      out.indexes.push(1);
      out.flags.push(readsOnly(request) ? "RO access" : "RW access update");
      return true;
    },
    run(cx) {
      bitField(cx, false);
    },
  }),
  command({
    ...COMMON,
    name: "bitfield_ro",
    arity: -2,
    flags: Flag.Readonly | Flag.Fast,
    since: "6.0.0",
    summary: "Reads integers of any width at any bit of a string.",
    keys: [oneKey("RO access")],
    syntax: "key:key [<GET get-block=<encoding offset:integer>> ...]",
    run(cx) {
      bitField(cx, true);
    },
  }),
];
