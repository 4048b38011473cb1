/** Whole databases: DBSIZE, FLUSHDB, FLUSHALL, SWAPDB. */
import { type Context, command } from "../../engine/context.ts";
import { Flag } from "../../engine/spec/spec.ts";
import { DB_OUT_OF_RANGE, ReplyError } from "../../resp/errors.ts";
import { int32Argument } from "../generic/database-index.ts";

const FIRST_INVALID = new ReplyError("ERR invalid first DB index");
const SECOND_INVALID = new ReplyError("ERR invalid second DB index");

/** Does the command ask for freeing in the background? */
function readLazy(cx: Context): boolean {
  if (cx.argc === 1) return cx.engine.config.values.lazyfreeLazyUserFlush;
  if (cx.argc === 2 && cx.isToken(1, "async")) return true;
  if (cx.argc !== 2 || !cx.isToken(1, "sync")) cx.syntaxError();
  return false;
}

/** Empties database `id`, or all (-1). */
function flush(cx: Context, id: number): void {
  const lazy = readLazy(cx);
  const { engine } = cx;
  engine.watches.touchAll(id, null);
  if (id < 0) {
    // With save points, what is on disk is emptied, too.
    if (engine.config.values.save.length > 0) engine.joinDataSet();
    engine.persistence?.beforeFlushAll();
  }
  cx.dirty += engine.keyspace.flush(id, lazy);
  engine.blocking.databaseChanged(id);
  // What has been saved already is not counted as a change; it is still told to others.
  if (id < 0 && engine.persistence?.afterFlushAll() === true) engine.dirty -= cx.dirty;
  // Replicas and the append-only file are told even when there was nothing to delete here.
  if (cx.dirty === 0 && cx.propagates) {
    const parts: Uint8Array[] = [];
    for (let i = 0; i < cx.argc; i++) parts.push(cx.bytes(i));
    cx.propagateAs(parts);
  }
  cx.reply.ok();
}

function swap(cx: Context): void {
  const { engine } = cx;
  const { databases } = engine.keyspace;
  const first = databases[int32Argument(cx, 1, FIRST_INVALID)];
  const second = databases[int32Argument(cx, 2, SECOND_INVALID)];
  if (first === undefined || second === undefined) throw DB_OUT_OF_RANGE;
  if (first !== second) {
    engine.watches.touchAll(first.id, second);
    engine.watches.touchAll(second.id, first);
    first.swapContent(second);
    engine.blocking.databaseChanged(first.id);
    engine.blocking.databaseChanged(second.id);
  }
  cx.dirty++;
  cx.reply.ok();
}

const FLUSH_HISTORY = [
  ["4.0.0", "The option `ASYNC`."],
  ["6.2.0", "The option `SYNC`."],
] as const;
const FLUSH_TIPS = ["request_policy:all_shards", "response_policy:all_succeeded"];
const FLUSH_SYNTAX = "[flush-type=<ASYNC@4.0.0 | SYNC@6.2.0>]";

export const FLUSH_COMMANDS = [
  command({
    name: "dbsize",
    arity: 1,
    flags: Flag.Readonly | Flag.Fast,
    since: "1.0.0",
    group: "server",
    summary: "Tells the number of keys in the database.",
    complexity: "O(1)",
    categories: ["keyspace"],
    tips: ["request_policy:all_shards", "response_policy:agg_sum"],
    run: (cx) => cx.reply.integer(cx.db.size),
  }),
  command({
    name: "flushdb",
    arity: -1,
    flags: Flag.Write | Flag.AllKeys,
    since: "1.0.0",
    group: "server",
    summary: "Deletes all keys of the database.",
    complexity: "O(N) for N keys in the database.",
    categories: ["keyspace", "dangerous"],
    syntax: FLUSH_SYNTAX,
    tips: FLUSH_TIPS,
    history: FLUSH_HISTORY,
    run: (cx) => flush(cx, cx.db.id),
  }),
  command({
    name: "flushall",
    arity: -1,
    flags: Flag.Write | Flag.AllKeys,
    since: "1.0.0",
    group: "server",
    summary: "Deletes all keys of all databases.",
    complexity: "O(N) for N keys in all databases.",
    categories: ["keyspace", "dangerous"],
    syntax: FLUSH_SYNTAX,
    tips: FLUSH_TIPS,
    history: FLUSH_HISTORY,
    run: (cx) => flush(cx, -1),
  }),
  command({
    name: "swapdb",
    arity: 3,
    flags: Flag.Write | Flag.Fast | Flag.AllKeys,
    since: "4.0.0",
    group: "server",
    summary: "Exchanges the content of two databases.",
    complexity: "O(N) for N clients that watch or wait for keys of either.",
    categories: ["keyspace", "dangerous"],
    syntax: "index1:integer index2:integer",
    run: swap,
  }),
];
