/** HyperLogLogs as values of keys: checking, reading and storing them. */
import type { Ref } from "../../arena/arena.ts";
import type { Context } from "../../engine/context.ts";
import { KEEP_EXPIRY } from "../../keyspace/database.ts";
import { ReplyError } from "../../resp/errors.ts";
import { countDense, type Histogram, isHyperLogLog, mergeDense } from "../../struct/hyperloglog/hyperloglog.ts";
import { countSparse, type HllPayload, mergeSparse } from "../../struct/hyperloglog/hyperloglog-sparse.ts";
import { Encoding, entryEncoding, setEntryEncoding, Type } from "../../types/entry.ts";
import { type ByteSpan, readString } from "../../types/string.ts";
import { announceNew } from "../string/store.ts";

const NOT_A_HYPERLOGLOG = new ReplyError("WRONGTYPE Key is not a valid HyperLogLog string value.");
/** The opcodes of a sparse HyperLogLog do not cover its registers. */
export const CORRUPT = new ReplyError("INVALIDOBJ Corrupted HLL object detected");

/** Points `span` at the HyperLogLog of an entry. Throws when it holds something else. */
export function readPayload(cx: Context, e: Ref, span: ByteSpan): void {
  cx.requireType(e, Type.String);
  if (entryEncoding(cx.arena, e) === Encoding.Int) throw NOT_A_HYPERLOGLOG;
  readString(cx.arena, e, span);
  if (!isHyperLogLog(span.buf, span.at, span.length)) throw NOT_A_HYPERLOGLOG;
}

/** Marks the string of an entry as one that is written to: a short one is no longer "embstr". */
export function markWritten(cx: Context, e: Ref): void {
  if (entryEncoding(cx.arena, e) === Encoding.Embstr) setEntryEncoding(cx.arena, e, Encoding.Raw);
}

/** Stores a payload under the key in argument `keyArg`, whose entry `e` (or 0) was just looked up. */
export function storePayload(cx: Context, keyArg: number, e: Ref, payload: HllPayload): void {
  if (e === 0) announceNew(cx, keyArg);
  const { buf, start, length } = cx;
  const stored = cx.db.putString(
    e,
    buf,
    start[keyArg],
    length[keyArg],
    payload.bytes,
    0,
    payload.length,
    KEEP_EXPIRY,
    false,
    true,
  );
  setEntryEncoding(cx.arena, stored, Encoding.Raw);
}

/** Raises `registers` (a byte each) to those of a payload. Throws when it is corrupt. */
export function mergePayload(registers: Uint8Array, payload: HllPayload): void {
  if (payload.isDense) mergeDense(registers, payload.bytes, 0);
  else if (!mergeSparse(registers, payload.bytes, 0, payload.length)) throw CORRUPT;
}

/** Fills a histogram with the registers of a payload. Throws when it is corrupt. */
export function countPayload(histogram: Histogram, payload: HllPayload): void {
  histogram.fill(0);
  if (payload.isDense) countDense(histogram, payload.bytes, 0);
  else if (!countSparse(histogram, payload.bytes, 0, payload.length)) throw CORRUPT;
}
