/** Elements that go from one list to another: LMOVE, RPOPLPUSH, and BLMOVE and BRPOPLPUSH, which wait for one. */
import type { Ref } from "../../arena/arena.ts";
import { copyBytes } from "../../base/bytes.ts";
import type { Wait } from "../../engine/blocking/wait.ts";
import { type Context, command } from "../../engine/context.ts";
import { Event } from "../../engine/effects.ts";
import { Flag, oneKey } from "../../engine/spec/spec.ts";
import { Type } from "../../types/entry.ts";
import { ListElement, listDropEnd, listMakeRoom, listPush, listReadEnd } from "../../types/list/list.ts";
import { leaveList, listLimits, newList, popped, readEnd, writeElement, writeList } from "./access.ts";

/** A buffer for rotated elements that grew beyond this is let go. */
const ROTATED_KEEP = 64 * 1024;

const element = new ListElement();
let rotated = new Uint8Array(0);

/** Moves an element from `source`, the list in argument 1 whose key has `sourceHash`, to the list in argument 2, and answers it. */
function moveElement(cx: Context, source: Ref, sourceHash: number, fromHead: boolean, toHead: boolean): void {
  const { arena: a, db } = cx;
  let target = writeList(cx, 2);
  listReadEnd(a, source, fromHead, element);
  writeElement(cx.reply, element);
  element.text();
  if (target === source) {
    rotate(cx, source, fromHead, toHead);
  } else {
    if (target === 0) target = newList(cx, 2);
    pushElement(cx, target, toHead, element.buf, element.at, element.length);
    listDropEnd(a, source, fromHead);
  }
  cx.changed(2, Event.List, toHead ? "lpush" : "rpush");
  cx.dirty--;
  popped(cx, 1, fromHead, 1);
  leaveList(cx, source, 1, sourceHash);
  db.hash = sourceHash;
}

function pushElement(cx: Context, e: Ref, toHead: boolean, buf: Uint8Array, at: number, length: number): void {
  const limits = listLimits(cx);
  listMakeRoom(cx.arena, e, length, 1, limits);
  listPush(cx.arena, e, toHead, buf, at, length, limits);
}

/** Moves the element that was read within its list: its bytes are copied, since it goes before it comes. */
function rotate(cx: Context, e: Ref, fromHead: boolean, toHead: boolean): void {
  const { length } = element;
  if (rotated.length < length) rotated = new Uint8Array(length);
  copyBytes(element.buf, element.at, rotated, 0, length);
  listDropEnd(cx.arena, e, fromHead);
  pushElement(cx, e, toHead, rotated, 0, length);
  if (rotated.length > ROTATED_KEEP) rotated = new Uint8Array(0);
}

/** LMOVE and RPOPLPUSH. */
function move(cx: Context, fromHead: boolean, toHead: boolean): void {
  const source = writeList(cx, 1);
  if (source === 0) cx.reply.nil();
  else moveElement(cx, source, cx.db.hash, fromHead, toHead);
}

const WAITS: Pick<Wait, "onTimeout" | "onDenied"> = {
  onTimeout: (reply) => reply.nilArray(),
  onDenied: (reply) => reply.nil(),
};

/** BLMOVE and BRPOPLPUSH. True when an element was moved. */
function moveOrWait(cx: Context, fromHead: boolean, toHead: boolean, timeoutMs: number): boolean {
  const source = writeList(cx, 1);
  if (source === 0) {
    cx.park({ firstKey: 1, keyCount: 1, type: Type.List, timeoutMs, ...WAITS });
    return false;
  }
  moveElement(cx, source, cx.db.hash, fromHead, toHead);
  return true;
}

function moveBetweenEnds(cx: Context): void {
  const fromHead = readEnd(cx, 3);
  move(cx, fromHead, readEnd(cx, 4));
}

function blockingMove(cx: Context): void {
  const fromHead = readEnd(cx, 3);
  const toHead = readEnd(cx, 4);
  const moved = moveOrWait(cx, fromHead, toHead, cx.timeoutSeconds(5));
  if (moved && cx.propagates) cx.propagateAs(["LMOVE", cx.bytes(1), cx.bytes(2), cx.bytes(3), cx.bytes(4)]);
}

function blockingPopPush(cx: Context): void {
  const moved = moveOrWait(cx, false, true, cx.timeoutSeconds(3));
  if (moved && cx.propagates) cx.propagateAs(["RPOPLPUSH", cx.bytes(1), cx.bytes(2)]);
}

const MOVES = {
  flags: Flag.Write | Flag.DenyOom,
  group: "list",
  complexity: "O(1)",
  categories: ["list"],
  keys: [oneKey("RW access delete"), oneKey("RW insert", 2)],
} as const;

export const LIST_MOVE_COMMANDS = [
  command({
    name: "lmove",
    ...MOVES,
    arity: 5,
    since: "6.2.0",
    summary: "Moves an element from an end of one list to an end of another (or the same) and answers it.",
    syntax: "source:key destination:key wherefrom=<LEFT | RIGHT> whereto=<LEFT | RIGHT>",
    run: moveBetweenEnds,
  }),
  command({
    name: "rpoplpush",
    ...MOVES,
    arity: 3,
    since: "1.2.0",
    summary: "Moves the last element of a list to the head of another (or the same) and answers it.",
    syntax: "source:key destination:key",
    deprecatedSince: "6.2.0",
    replacedBy: "`LMOVE` with the `RIGHT` and `LEFT` arguments",
    docFlags: ["deprecated"],
    run: (cx) => move(cx, false, true),
  }),
  command({
    name: "blmove",
    ...MOVES,
    arity: 6,
    flags: Flag.Write | Flag.DenyOom | Flag.Blocking,
    since: "6.2.0",
    summary: "Does what LMOVE does, and waits for an element if there is none.",
    syntax: "source:key destination:key wherefrom=<LEFT | RIGHT> whereto=<LEFT | RIGHT> timeout:double",
    run: blockingMove,
  }),
  command({
    name: "brpoplpush",
    ...MOVES,
    arity: 4,
    flags: Flag.Write | Flag.DenyOom | Flag.Blocking,
    since: "2.2.0",
    summary: "Does what RPOPLPUSH does, and waits for an element if there is none.",
    syntax: "source:key destination:key timeout:double",
    deprecatedSince: "6.2.0",
    replacedBy: "`BLMOVE` with the `RIGHT` and `LEFT` arguments",
    docFlags: ["deprecated"],
    history: [["6.0.0", "The timeout may be a fraction of a second."]],
    run: blockingPopPush,
  }),
];
