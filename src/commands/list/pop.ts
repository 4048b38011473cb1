/** Elements of the first of several lists that has some: LMPOP, and BLPOP, BRPOP and BLMPOP, which wait until one has. */

import type { Wait } from "../../engine/blocking/wait.ts";
import { type Context, command } from "../../engine/context.ts";
import { countedKeys, Flag } from "../../engine/spec/spec.ts";
import { ReplyError, SYNTAX } from "../../resp/errors.ts";
import { Type } from "../../types/entry.ts";
import { ListElement, listDropEnd, listLength, listReadEnd } from "../../types/list/list.ts";
import { integerFrom, leaveList, popCount, popped, readEnd, writeElement, writeList, writePopped } from "./access.ts";

const NUMKEYS = new ReplyError("ERR numkeys should be greater than 0");
const COUNT = new ReplyError("ERR count should be greater than 0");

const element = new ListElement();
const nilArray: Wait["onTimeout"] = (reply) => reply.nilArray();

/** The first of `count` arguments from `first` on whose key is a list, which is then in `list`; 0 when there is none. */
function firstList(cx: Context, first: number, count: number): number {
  for (let i = first; i < first + count; i++) {
    const e = writeList(cx, i);
    if (e === 0) continue;
    found.list = e;
    return i;
  }
  return 0;
}
const found = { list: 0 };

function blockingPop(cx: Context, atHead: boolean): void {
  const timeoutMs = cx.timeoutSeconds(cx.argc - 1);
  const keyCount = cx.argc - 2;
  const i = firstList(cx, 1, keyCount);
  if (i === 0) {
    cx.park({ firstKey: 1, keyCount, type: Type.List, timeoutMs, onTimeout: nilArray });
    return;
  }
  const { arena: a, reply } = cx;
  reply.array(2);
  reply.bulk(cx.buf, cx.start[i], cx.length[i]);
  listReadEnd(a, found.list, atHead, element);
  writeElement(reply, element);
  listDropEnd(a, found.list, atHead);
  popped(cx, i, atHead, 1);
  leaveList(cx, found.list, i, cx.db.hash);
  if (cx.propagates) cx.propagateAs([atHead ? "LPOP" : "RPOP", cx.bytes(i)]);
}

/** The arguments of LMPOP and BLMPOP. */
const wish = { keyCount: 0, atHead: false, count: 1 };

/** Reads them, from the number of keys in argument `at` on. */
function readWish(cx: Context, at: number): void {
  wish.keyCount = integerFrom(cx, at, 1, NUMKEYS);
  const where = at + wish.keyCount + 1;
  if (where >= cx.argc) throw SYNTAX;
  wish.atHead = readEnd(cx, where);
  wish.count = 1;
  if (where + 1 === cx.argc) return;
  if (where + 2 === cx.argc || !cx.isToken(where + 1, "count")) throw SYNTAX;
  wish.count = integerFrom(cx, where + 2, 1, COUNT);
  if (where + 3 < cx.argc) throw SYNTAX;
}

/** Pops from the first list among the keys, which begin at argument `first`; false when there is none. */
function popFirst(cx: Context, first: number): boolean {
  const { atHead, keyCount } = wish;
  const i = firstList(cx, first, keyCount);
  if (i === 0) return false;
  const { reply } = cx;
  const size = listLength(cx.arena, found.list);
  const count = wish.count < size ? wish.count : size;
  reply.array(2);
  reply.bulk(cx.buf, cx.start[i], cx.length[i]);
  writePopped(cx, found.list, atHead, count);
  popCount(cx, found.list, i, atHead, count);
  if (cx.propagates) cx.propagateAs([atHead ? "LPOP" : "RPOP", cx.bytes(i), String(count)]);
  return true;
}

function popFromOne(cx: Context): void {
  readWish(cx, 1);
  if (!popFirst(cx, 2)) cx.reply.nilArray();
}

function blockingPopFromOne(cx: Context): void {
  readWish(cx, 2);
  const timeoutMs = cx.timeoutSeconds(1);
  if (popFirst(cx, 3)) return;
  cx.park({ firstKey: 3, keyCount: wish.keyCount, type: Type.List, timeoutMs, onTimeout: nilArray });
}

const BLOCKING_POPS = {
  arity: -3,
  flags: Flag.Write | Flag.Blocking,
  since: "2.0.0",
  group: "list",
  complexity: "O(N) for N keys.",
  categories: ["list"],
  keys: [{ flags: "RW access delete", begin: { index: 1 }, find: { lastKey: -2, step: 1, limit: 0 } }],
  syntax: "key:key ... timeout:double",
  history: [["6.0.0", "The timeout may be a fraction of a second."]],
} as const;

export const LIST_POP_COMMANDS = [
  command({
    name: "blpop",
    ...BLOCKING_POPS,
    summary:
      "Removes the first element of the first list that there is and answers both; waits for one if there is none.",
    run: (cx) => blockingPop(cx, true),
  }),
  command({
    name: "brpop",
    ...BLOCKING_POPS,
    summary:
      "Removes the last element of the first list that there is and answers both; waits for one if there is none.",
    run: (cx) => blockingPop(cx, false),
  }),
  command({
    name: "lmpop",
    arity: -4,
    flags: Flag.Write,
    since: "7.0.0",
    group: "list",
    summary: "Removes elements from an end of the first list that there is and answers both.",
    complexity: "O(N+M) for N keys and M elements that are popped.",
    categories: ["list"],
    keys: [countedKeys("RW access delete", 1)],
    syntax: "numkeys:integer key:key ... where=<LEFT | RIGHT> [COUNT count:integer]",
    run: popFromOne,
  }),
  command({
    name: "blmpop",
    arity: -5,
    flags: Flag.Write | Flag.Blocking,
    since: "7.0.0",
    group: "list",
    summary: "Does what LMPOP does, and waits for a list if there is none.",
    complexity: "O(N+M) for N keys and M elements that are popped.",
    categories: ["list"],
    keys: [countedKeys("RW access delete", 2)],
    syntax: "timeout:double numkeys:integer key:key ... where=<LEFT | RIGHT> [COUNT count:integer]",
    run: blockingPopFromOne,
  }),
];
