/** SADD, SREM and SMOVE. */

import { type Context, command } from "../../engine/context.ts";
import { Event } from "../../engine/effects.ts";
import { Flag, oneKey } from "../../engine/spec/spec.ts";
import { Type } from "../../types/entry.ts";
import { setAdd, setHas, setLength, setMakeRoom, setRemove } from "../../types/set/set.ts";
import { leaveSet, newSet, setLimits, writeSet } from "./access.ts";

function add(cx: Context): void {
  let e = writeSet(cx, 1);
  const count = cx.argc - 2;
  if (e === 0) e = newSet(cx, 1, 2, count);
  const { arena, argc, buf, length, start } = cx;
  const limits = setLimits(cx);
  setMakeRoom(arena, e, count, limits);
  let added = 0;
  for (let i = 2; i < argc; i++) if (setAdd(arena, e, buf, start[i], length[i], limits)) added++;
  if (added > 0) {
    cx.changed(1, Event.Set, "sadd");
    cx.dirty += added - 1;
  }
  cx.reply.integer(added);
}

function remove(cx: Context): void {
  const e = writeSet(cx, 1);
  if (e === 0) {
    cx.reply.integer(0);
    return;
  }
  const { arena, argc, buf, length, start } = cx;
  let removed = 0;
  for (let i = 2; i < argc; i++) {
    if (!setRemove(arena, e, buf, start[i], length[i])) continue;
    removed++;
    if (setLength(arena, e) === 0) break;
  }
  if (removed > 0) {
    cx.changed(1, Event.Set, "srem");
    cx.dirty += removed - 1;
    leaveSet(cx, e, 1, cx.db.hash);
  }
  cx.reply.integer(removed);
}

function move(cx: Context): void {
  const { arena: a, buf, db, length, reply, start } = cx;
  const source = cx.lookupWrite(1);
  const sourceHash = db.hash;
  let target = cx.lookupWrite(2);
  const targetHash = db.hash;
  if (source === 0) {
    reply.integer(0);
    return;
  }
  cx.requireType(source, Type.Set);
  cx.requireType(target, Type.Set);
  if (source === target) {
    reply.integer(setHas(a, source, buf, start[3], length[3]) ? 1 : 0);
    return;
  }
  if (!setRemove(a, source, buf, start[3], length[3])) {
    reply.integer(0);
    return;
  }
  cx.changed(1, Event.Set, "srem");
  leaveSet(cx, source, 1, sourceHash);
  db.hash = targetHash;
  if (target === 0) target = newSet(cx, 2, 3, 1);
  if (setAdd(a, target, buf, start[3], length[3], setLimits(cx))) cx.changed(2, Event.Set, "sadd");
  reply.integer(1);
}

export const SET_WRITE_COMMANDS = [
  command({
    name: "sadd",
    arity: -3,
    flags: Flag.Write | Flag.DenyOom | Flag.Fast,
    since: "1.0.0",
    group: "set",
    summary: "Adds members to a set, which is made if there is none.",
    complexity: "O(1) a member, O(N) for N members.",
    categories: ["set"],
    keys: [oneKey("RW insert")],
    syntax: "key:key member ...",
    history: [["2.4.0", "More than one member."]],
    run: add,
  }),
  command({
    name: "srem",
    arity: -3,
    flags: Flag.Write | Flag.Fast,
    since: "1.0.0",
    group: "set",
    summary: "Removes members from a set; the last one takes the set with it.",
    complexity: "O(N) for N members to remove.",
    categories: ["set"],
    keys: [oneKey("RW delete")],
    syntax: "key:key member ...",
    history: [["2.4.0", "More than one member."]],
    run: remove,
  }),
  command({
    name: "smove",
    arity: 4,
    flags: Flag.Write | Flag.Fast,
    since: "1.0.0",
    group: "set",
    summary: "Moves a member from one set to another.",
    complexity: "O(1)",
    categories: ["set"],
    keys: [oneKey("RW access delete"), oneKey("RW insert", 2)],
    syntax: "source:key destination:key member",
    run: move,
  }),
];
