/** Values that get another key or another database: RENAME, RENAMENX, MOVE, COPY. They work for every type, through types/value.ts. */
import { equalBytes } from "../../base/bytes.ts";
import { type Context, command } from "../../engine/context.ts";
import { Event } from "../../engine/effects.ts";
import { Flag, oneKey } from "../../engine/spec/spec.ts";
import { NO_SUCH_KEY, SAME_OBJECT } from "../../resp/errors.ts";
import { entryCopy, entryRename } from "../../types/value.ts";
import { databaseArgument } from "./database-index.ts";

/** True when arguments 1 and 2 are the same bytes. */
function sameKeys(cx: Context): boolean {
  return cx.length[1] === cx.length[2] && equalBytes(cx.buf, cx.start[1], cx.buf, cx.start[2], cx.length[1]);
}

function rename(cx: Context, onlyNew: boolean): void {
  const { db } = cx;
  const source = cx.lookupWrite(1);
  if (source === 0) throw NO_SUCH_KEY;
  const sourceHash = db.hash;
  if (sameKeys(cx)) {
    if (onlyNew) cx.reply.integer(0);
    else cx.reply.ok();
    return;
  }
  const target = cx.lookupWrite(2);
  const targetHash = db.hash;
  if (target !== 0) {
    if (onlyNew) {
      cx.reply.integer(0);
      return;
    }
    db.remove(target, targetHash, cx.engine.config.values.lazyfreeLazyServerDel);
  }
  db.detach(source, sourceHash);
  db.insert(entryRename(cx.arena, source, cx.buf, cx.start[2], cx.length[2]), targetHash);
  cx.notify(2, Event.New, "new");
  cx.changed(1, Event.Generic, "rename_from");
  cx.changed(2, Event.Generic, "rename_to");
  // Two keys changed, but it is one change.
  cx.dirty = 1;
  if (onlyNew) cx.reply.integer(1);
  else cx.reply.ok();
}

function move(cx: Context): void {
  const source = cx.db;
  const target = databaseArgument(cx, 2);
  if (target === source) throw SAME_OBJECT;
  const { buf } = cx;
  const at = cx.start[1];
  const length = cx.length[1];
  const e = cx.lookupWrite(1);
  const hash = source.hash;
  if (e === 0 || target.lookup(buf, at, length) !== 0) {
    cx.reply.integer(0);
    return;
  }
  source.detach(e, hash);
  target.insert(e, hash);
  cx.notifyKey(buf, at, length, target.id, Event.New, "new");
  cx.changed(1, Event.Generic, "move_from");
  cx.changedKey(buf, at, length, target.id, Event.Generic, "move_to");
  cx.dirty = 1;
  cx.reply.integer(1);
}

function copy(cx: Context): void {
  let target = cx.db;
  let replace = false;
  for (let i = 3; i < cx.argc; i++) {
    if (cx.isToken(i, "replace")) replace = true;
    else if (cx.isToken(i, "db") && i + 1 < cx.argc) target = databaseArgument(cx, ++i);
    else cx.syntaxError();
  }
  if (target === cx.db && sameKeys(cx)) throw SAME_OBJECT;
  const { buf } = cx;
  const at = cx.start[2];
  const length = cx.length[2];
  const source = cx.lookupRead(1);
  const old = source === 0 ? 0 : target.lookup(buf, at, length);
  const hash = target.hash;
  if (source === 0 || (old !== 0 && !replace)) {
    cx.reply.integer(0);
    return;
  }
  if (old !== 0) target.remove(old, hash, cx.engine.config.values.lazyfreeLazyServerDel);
  target.insert(entryCopy(cx.arena, source, buf, at, length, cx.engine.keyspace.accessOfNew()), hash);
  cx.notifyKey(buf, at, length, target.id, Event.New, "new");
  cx.changedKey(buf, at, length, target.id, Event.Generic, "copy_to");
  cx.reply.integer(1);
}

export const RENAME_COMMANDS = [
  command({
    name: "rename",
    arity: 3,
    flags: Flag.Write,
    since: "1.0.0",
    group: "generic",
    summary: "Gives a key another name, in place of what has that name.",
    complexity: "O(1)",
    categories: ["keyspace"],
    keys: [oneKey("RW access delete"), oneKey("OW update", 2)],
    syntax: "key:key newkey:key",
    run: (cx) => rename(cx, false),
  }),
  command({
    name: "renamenx",
    arity: 3,
    flags: Flag.Write | Flag.Fast,
    since: "1.0.0",
    group: "generic",
    summary: "Gives a key another name unless something has that name.",
    complexity: "O(1)",
    categories: ["keyspace"],
    keys: [oneKey("RW access delete"), oneKey("OW insert", 2)],
    syntax: "key:key newkey:key",
    history: [["3.2.0", "Two equal names are no error any more."]],
    run: (cx) => rename(cx, true),
  }),
  command({
    name: "move",
    arity: 3,
    flags: Flag.Write | Flag.Fast,
    since: "1.0.0",
    group: "generic",
    summary: "Moves a key to another database unless it is there already.",
    complexity: "O(1)",
    categories: ["keyspace"],
    keys: [oneKey("RW access update")],
    syntax: "key:key db:integer",
    run: move,
  }),
  command({
    name: "copy",
    arity: -3,
    flags: Flag.Write | Flag.DenyOom,
    since: "6.2.0",
    group: "generic",
    summary: "Copies a key's value and expiry to another key.",
    complexity: "O(1) for strings, O(N) for collections of N elements.",
    categories: ["keyspace"],
    keys: [oneKey("RO access"), oneKey("OW update", 2)],
    syntax: "source:key destination:key [DB destination-db:integer] [REPLACE]",
    run: copy,
  }),
];
