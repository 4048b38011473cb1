/** A database number among the arguments. */
import { parseSafeInteger } from "../../base/int64.ts";
import type { Context } from "../../engine/context.ts";
import type { Database } from "../../keyspace/database.ts";
import { DB_OUT_OF_RANGE, NOT_AN_INTEGER, ReplyError } from "../../resp/errors.ts";

const INT32_MIN = -2147483648;
const INT32_MAX = 2147483647;
const NOT_INT32 = new ReplyError(`ERR value is out of range, value must between ${INT32_MIN} and ${INT32_MAX}`);

/** Argument `i` as an int32; throws `error` when it is none, or without it an error that says why. */
export function int32Argument(cx: Context, i: number, error: ReplyError | null = null): number {
  const n = parseSafeInteger(cx.buf, cx.start[i], cx.length[i]);
  if (n >= INT32_MIN && n <= INT32_MAX) return n;
  if (error !== null) throw error;
  if (Number.isNaN(n)) cx.bigInteger(i, NOT_AN_INTEGER);
  throw NOT_INT32;
}

/** The database whose number argument `i` is; throws when there is none. */
export function databaseArgument(cx: Context, i: number): Database {
  const db = cx.engine.keyspace.databases[int32Argument(cx, i)];
  if (db === undefined) throw DB_OUT_OF_RANGE;
  return db;
}
