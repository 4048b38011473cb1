/** Reading hashes: HGET, HMGET, HLEN, HSTRLEN, HEXISTS, HGETALL, HKEYS, HVALS. */
import type { Ref } from "../../arena/arena.ts";
import { type BlobRef, blobAt, blobBuffer } from "../../arena/blob.ts";
import { type Context, command } from "../../engine/context.ts";
import { type CommandLiteral, Flag, oneKey } from "../../engine/spec/spec.ts";
import { LISTPACK_HEADER_BYTES } from "../../struct/listpack/listpack.ts";
import { elementBytes, LISTPACK_END } from "../../struct/listpack/listpack-element.ts";
import { Encoding, entryEncoding } from "../../types/entry.ts";
import { hashEarliest, hashLength } from "../../types/hash/hash.ts";
import { hashListpack } from "../../types/hash/hash-listpack.ts";
import { HashWalk, walkNext, walkStart } from "../../types/hash/hash-walk.ts";
import { writePacked } from "../packed-reply.ts";
import { findLive, readHash, settle, slot } from "./access.ts";

/** Answers the value that findLive left, or nil. */
function answerSlot(cx: Context, found: boolean): void {
  if (found) cx.reply.bulk(slot.value.buf, slot.value.at, slot.value.length);
  else cx.reply.nil();
}

/** HGET. */
function get(cx: Context): void {
  const e = readHash(cx);
  const found = e !== 0 && findLive(cx, e, 2);
  answerSlot(cx, found);
  if (e !== 0 && !found) settle(cx, e);
}

/** HMGET. */
function getMany(cx: Context): void {
  const e = readHash(cx);
  cx.reply.array(cx.argc - 2);
  for (let i = 2; i < cx.argc; i++) answerSlot(cx, e !== 0 && findLive(cx, e, i));
  if (e !== 0) settle(cx, e);
}

/** HSTRLEN and HEXISTS: `answer` makes a number of the field that findLive left. */
function about(cx: Context, answer: () => number): void {
  const e = readHash(cx);
  const found = e !== 0 && findLive(cx, e, 2);
  cx.reply.integer(found ? answer() : 0);
  if (e !== 0 && !found) settle(cx, e);
}

const walk = new HashWalk();
const Part = { Fields: 1, Values: 2, Both: 3 } as const;

/** HGETALL, HKEYS and HVALS. Fields whose time has come are left out, but not deleted. */
function all(cx: Context, parts: number): void {
  const e = readHash(cx);
  const { reply } = cx;
  if (e === 0) {
    writeCount(cx, 0, parts);
    return;
  }
  const earliest = hashEarliest(cx.arena, e);
  if (earliest !== 0 && cx.engine.keyspace.isExpired(earliest)) {
    allLive(cx, e, parts);
    return;
  }
  writeCount(cx, hashLength(cx.arena, e), parts);
  if (entryEncoding(cx.arena, e) === Encoding.Listpack) {
    writePairs(cx, hashListpack(cx.arena, e), parts);
    return;
  }
  walkStart(cx.arena, e, walk);
  while (walkNext(cx.arena, walk)) {
    if ((parts & Part.Fields) !== 0) reply.bulk(walk.field.buf, walk.field.at, walk.field.length);
    if ((parts & Part.Values) !== 0) reply.bulk(walk.value.buf, walk.value.at, walk.value.length);
    if (reply.overflowed) return;
  }
}

/** Answers a listpack of pairs straight from its bytes: a walk costs as much again as writing the reply. */
function writePairs(cx: Context, lp: BlobRef, parts: number): void {
  const { arena, reply } = cx;
  const buf = blobBuffer(arena, lp);
  let part: number = Part.Fields;
  for (let p = blobAt(arena, lp) + LISTPACK_HEADER_BYTES; buf[p] !== LISTPACK_END; p += elementBytes(buf, p)) {
    if ((parts & part) !== 0) {
      writePacked(reply, buf, p);
      if (reply.overflowed) return;
    }
    part = Part.Both - part;
  }
}

function writeCount(cx: Context, count: number, parts: number): void {
  if (parts === Part.Both) cx.reply.map(count);
  else cx.reply.array(count);
}

/** The same for a hash with fields that are to be left out: their number is known at the end only. */
function allLive(cx: Context, e: Ref, parts: number): void {
  const { reply } = cx;
  const { keyspace } = cx.engine;
  const start = reply.beginDeferred();
  let count = 0;
  walkStart(cx.arena, e, walk);
  while (walkNext(cx.arena, walk)) {
    if (walk.expiryMs !== 0 && keyspace.isExpired(walk.expiryMs)) continue;
    if ((parts & Part.Fields) !== 0) reply.bulk(walk.field.buf, walk.field.at, walk.field.length);
    if ((parts & Part.Values) !== 0) reply.bulk(walk.value.buf, walk.value.at, walk.value.length);
    if (reply.overflowed) return;
    count++;
  }
  reply.endDeferred(start, count, parts === Part.Both ? "map" : "array");
}

/** A command that answers all of a hash. */
function whole(name: string, summary: string, parts: number): CommandLiteral {
  return command({
    name,
    arity: 2,
    flags: Flag.Readonly,
    since: "2.0.0",
    group: "hash",
    summary,
    complexity: "O(N) for N fields.",
    categories: ["hash"],
    keys: [oneKey("RO access")],
    syntax: "key:key",
    tips: ["nondeterministic_output_order"],
    run: (cx) => all(cx, parts),
  });
}

export const HASH_READ_COMMANDS = [
  command({
    name: "hget",
    arity: 3,
    flags: Flag.Readonly | Flag.Fast,
    since: "2.0.0",
    group: "hash",
    summary: "Answers the value of a field of a hash.",
    complexity: "O(1)",
    categories: ["hash"],
    keys: [oneKey("RO access")],
    syntax: "key:key field",
    run: get,
  }),
  command({
    name: "hmget",
    arity: -3,
    flags: Flag.Readonly | Flag.Fast,
    since: "2.0.0",
    group: "hash",
    summary: "Answers the values of fields of a hash.",
    complexity: "O(N) for N fields.",
    categories: ["hash"],
    keys: [oneKey("RO access")],
    syntax: "key:key field ...",
    run: getMany,
  }),
  command({
    name: "hlen",
    arity: 2,
    flags: Flag.Readonly | Flag.Fast,
    since: "2.0.0",
    group: "hash",
    summary: "Counts the fields of a hash.",
    complexity: "O(1)",
    categories: ["hash"],
    keys: [oneKey("RO")],
    syntax: "key:key",
    run(cx) {
      const e = readHash(cx);
      cx.reply.integer(e === 0 ? 0 : hashLength(cx.arena, e));
    },
  }),
  command({
    name: "hstrlen",
    arity: 3,
    flags: Flag.Readonly | Flag.Fast,
    since: "3.2.0",
    group: "hash",
    summary: "Answers the length of the value of a field of a hash.",
    complexity: "O(1)",
    categories: ["hash"],
    keys: [oneKey("RO")],
    syntax: "key:key field",
    run: (cx) => about(cx, lengthOfSlot),
  }),
  command({
    name: "hexists",
    arity: 3,
    flags: Flag.Readonly | Flag.Fast,
    since: "2.0.0",
    group: "hash",
    summary: "Tells whether a hash has a field.",
    complexity: "O(1)",
    categories: ["hash"],
    keys: [oneKey("RO")],
    syntax: "key:key field",
    run: (cx) => about(cx, one),
  }),
  whole("hgetall", "Answers all fields and values of a hash.", Part.Both),
  whole("hkeys", "Answers all fields of a hash.", Part.Fields),
  whole("hvals", "Answers all values of a hash.", Part.Values),
];

function lengthOfSlot(): number {
  return slot.value.length;
}

function one(): number {
  return 1;
}
