/** The ends of lists: LPUSH, RPUSH, LPUSHX, RPUSHX, LPOP, RPOP. */
import { type Context, command } from "../../engine/context.ts";
import { Event } from "../../engine/effects.ts";
import { Flag, oneKey } from "../../engine/spec/spec.ts";
import { NOT_POSITIVE, wrongArity } from "../../resp/errors.ts";
import { ListElement, listDropEnd, listLength, listPushAll, listReadEnd } from "../../types/list/list.ts";
import {
  integerFrom,
  leaveList,
  listLimits,
  newList,
  popCount,
  popped,
  writeElement,
  writeList,
  writePopped,
} from "./access.ts";

const element = new ListElement();

function push(cx: Context, atHead: boolean, create: boolean): void {
  let e = writeList(cx, 1);
  if (e === 0) {
    if (!create) {
      cx.reply.integer(0);
      return;
    }
    e = newList(cx, 1);
  }
  const { argc } = cx;
  const length = listPushAll(cx.arena, e, atHead, cx, 2, argc, listLimits(cx));
  cx.changed(1, Event.List, atHead ? "lpush" : "rpush");
  cx.dirty += argc - 3;
  cx.reply.integer(length);
}

function pop(cx: Context, atHead: boolean): void {
  if (cx.argc > 3) throw wrongArity(cx.spec.fullName);
  if (cx.argc === 3) {
    popSome(cx, atHead);
    return;
  }
  const e = writeList(cx, 1);
  if (e === 0) {
    cx.reply.nil();
    return;
  }
  listReadEnd(cx.arena, e, atHead, element);
  writeElement(cx.reply, element);
  listDropEnd(cx.arena, e, atHead);
  popped(cx, 1, atHead, 1);
  leaveList(cx, e, 1, cx.db.hash);
}

function popSome(cx: Context, atHead: boolean): void {
  const wanted = integerFrom(cx, 2, 0, NOT_POSITIVE);
  const e = writeList(cx, 1);
  if (e === 0) {
    cx.reply.nilArray();
    return;
  }
  if (wanted === 0) {
    cx.reply.array(0);
    return;
  }
  const size = listLength(cx.arena, e);
  const count = wanted < size ? wanted : size;
  writePopped(cx, e, atHead, count);
  popCount(cx, e, 1, atHead, count);
}

const PUSHES = {
  arity: -3,
  flags: Flag.Write | Flag.DenyOom | Flag.Fast,
  group: "list",
  complexity: "O(1) an element, O(N) for N elements.",
  categories: ["list"],
  keys: [oneKey("RW insert")],
  syntax: "key:key element ...",
} as const;

const POPS = {
  arity: -2,
  flags: Flag.Write | Flag.Fast,
  since: "1.0.0",
  group: "list",
  complexity: "O(N) for N elements that are popped.",
  categories: ["list"],
  keys: [oneKey("RW access delete")],
  syntax: "key:key [count:integer@6.2.0]",
  history: [["6.2.0", "The argument `count`."]],
} as const;

export const LIST_END_COMMANDS = [
  command({
    name: "lpush",
    ...PUSHES,
    since: "1.0.0",
    summary: "Adds elements, one after the other, at the head of a list, which is made if there is none.",
    history: [["2.4.0", "More than one element."]],
    run: (cx) => push(cx, true, true),
  }),
  command({
    name: "rpush",
    ...PUSHES,
    since: "1.0.0",
    summary: "Adds elements, one after the other, at the tail of a list, which is made if there is none.",
    history: [["2.4.0", "More than one element."]],
    run: (cx) => push(cx, false, true),
  }),
  command({
    name: "lpushx",
    ...PUSHES,
    since: "2.2.0",
    summary: "Adds elements at the head of a list if there is one.",
    history: [["4.0.0", "More than one element."]],
    run: (cx) => push(cx, true, false),
  }),
  command({
    name: "rpushx",
    ...PUSHES,
    since: "2.2.0",
    summary: "Adds elements at the tail of a list if there is one.",
    history: [["4.0.0", "More than one element."]],
    run: (cx) => push(cx, false, false),
  }),
  command({
    name: "lpop",
    ...POPS,
    summary: "Removes the first elements of a list and answers them; the last one takes the list with it.",
    run: (cx) => pop(cx, true),
  }),
  command({
    name: "rpop",
    ...POPS,
    summary: "Removes the last elements of a list and answers them; the last one takes the list with it.",
    run: (cx) => pop(cx, false),
  }),
];
