/** HSET and its relatives, HDEL. */
import { type Context, command } from "../../engine/context.ts";
import { Flag, oneKey } from "../../engine/spec/spec.ts";
import { wrongArity } from "../../resp/errors.ts";
import { hashDelete, hashLength, hashSet } from "../../types/hash/hash.ts";
import { changedFields, findLive, hashLimits, leave, makeRoom, newHash, settle, writeHash } from "./access.ts";

/** Sets all fields of HSET or HMSET; returns how many are new. */
function setFields(cx: Context): number {
  if ((cx.argc & 1) !== 0) throw wrongArity(cx.spec.fullName);
  let e = writeHash(cx);
  if (e === 0) e = newHash(cx);
  makeRoom(cx, e, 2);
  const { arena, buf, start, length } = cx;
  const limits = hashLimits(cx);
  let created = 0;
  for (let i = 2; i < cx.argc; i += 2) {
    if (hashSet(arena, e, buf, start[i], length[i], buf, start[i + 1], length[i + 1], limits, false)) created++;
  }
  changedFields(cx, e, (cx.argc - 2) >> 1, "hset");
  return created;
}

/** HSETNX. */
function setNew(cx: Context): void {
  let e = writeHash(cx);
  if (e !== 0) {
    if (findLive(cx, e, 2)) {
      cx.reply.integer(0);
      return;
    }
    e = settle(cx, e);
  }
  if (e === 0) e = newHash(cx);
  makeRoom(cx, e, 2);
  const { buf, start, length } = cx;
  hashSet(cx.arena, e, buf, start[2], length[2], buf, start[3], length[3], hashLimits(cx), false);
  changedFields(cx, e, 1, "hset");
  cx.reply.integer(1);
}

/** HDEL. A field whose time has come counts: nobody has noticed yet. */
function deleteFields(cx: Context): void {
  const e = writeHash(cx);
  if (e === 0) {
    cx.reply.integer(0);
    return;
  }
  let deleted = 0;
  for (let i = 2; i < cx.argc; i++) {
    if (!hashDelete(cx.arena, e, cx.buf, cx.start[i], cx.length[i])) continue;
    deleted++;
    if (hashLength(cx.arena, e) === 0) break;
  }
  if (deleted > 0) {
    changedFields(cx, e, deleted, "hdel");
    leave(cx, e);
  }
  cx.reply.integer(deleted);
}

export const HASH_WRITE_COMMANDS = [
  command({
    name: "hset",
    arity: -4,
    flags: Flag.Write | Flag.DenyOom | Flag.Fast,
    since: "2.0.0",
    group: "hash",
    summary: "Sets fields of a hash, which is made when there is none.",
    complexity: "O(N) for N fields.",
    categories: ["hash"],
    keys: [oneKey("RW update")],
    syntax: "key:key data=<field value> ...",
    history: [["4.0.0", "Accepts several fields."]],
    run(cx) {
      cx.reply.integer(setFields(cx));
    },
  }),
  command({
    name: "hmset",
    arity: -4,
    flags: Flag.Write | Flag.DenyOom | Flag.Fast,
    since: "2.0.0",
    group: "hash",
    summary: "Sets fields of a hash and answers OK.",
    complexity: "O(N) for N fields.",
    categories: ["hash"],
    keys: [oneKey("RW update")],
    syntax: "key:key data=<field value> ...",
    deprecatedSince: "4.0.0",
    replacedBy: "`HSET` with multiple field-value pairs",
    docFlags: ["deprecated"],
    run(cx) {
      setFields(cx);
      cx.reply.ok();
    },
  }),
  command({
    name: "hsetnx",
    arity: 4,
    flags: Flag.Write | Flag.DenyOom | Flag.Fast,
    since: "2.0.0",
    group: "hash",
    summary: "Sets a field of a hash unless the field exists.",
    complexity: "O(1)",
    categories: ["hash"],
    keys: [oneKey("RW insert")],
    syntax: "key:key field value",
    run: setNew,
  }),
  command({
    name: "hdel",
    arity: -3,
    flags: Flag.Write | Flag.Fast,
    since: "2.0.0",
    group: "hash",
    summary: "Deletes fields of a hash, and the hash with the last of them.",
    complexity: "O(N) for N fields.",
    categories: ["hash"],
    keys: [oneKey("RW delete")],
    syntax: "key:key field ...",
    history: [["2.4.0", "Accepts several fields."]],
    run: deleteFields,
  }),
];
