/** XGROUP: consumer groups and their consumers. */
import type { Ref } from "../../arena/arena.ts";
import { bigIntHigh, bigIntLow } from "../../base/int64.ts";
import { type Context, command } from "../../engine/context.ts";
import { Event } from "../../engine/effects.ts";
import { Flag, oneKey } from "../../engine/spec/spec.ts";
import { ReplyError } from "../../resp/errors.ts";
import { Head, streamReadId } from "../../types/stream/stream.ts";
import {
  consumerCreate,
  consumerDelete,
  consumerFind,
  consumerPending,
  groupCreate,
  groupDelete,
  groupSetLastId,
  groupSetRead,
} from "../../types/stream/stream-group.ts";
import { IdForm, IdRule, idClear, idCreate, idParse } from "../../types/stream/stream-id.ts";
import { writeHelp } from "../help.ts";
import { groupOf, INVALID_ID, isSign, newStream, noGroup, readId, writeStream } from "./access.ts";

const NO_KEY = new ReplyError(
  "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically.",
);
const READ_NEGATIVE = new ReplyError("ERR value for ENTRIESREAD must be positive or -1");
const BUSY = new ReplyError("BUSYGROUP Consumer Group name already exists");
const DOLLAR = 36;
/** Arguments of the key, the group, and what follows. */
const KEY = 2;
const GROUP = 3;
const THIRD = 4;

const id = idCreate();
const options = { makeStream: false, read: -1n };

function subcommandSyntax(cx: Context): ReplyError {
  return new ReplyError(
    `ERR unknown subcommand or wrong number of arguments for '${cx.text(1)}'. Try ${cx.text(0).toUpperCase()} HELP.`,
  );
}

/** Reads the options of CREATE and SETID from argument 5 on. */
function readOptions(cx: Context, isCreate: boolean): void {
  options.makeStream = false;
  options.read = -1n;
  for (let i = THIRD + 1; i < cx.argc; i++) {
    if (isCreate && cx.isToken(i, "mkstream")) {
      options.makeStream = true;
    } else if (i + 1 < cx.argc && cx.isToken(i, "entriesread")) {
      options.read = cx.bigInteger(++i);
      if (options.read < -1n) throw READ_NEGATIVE;
    } else {
      throw subcommandSyntax(cx);
    }
  }
}

/** The stream of argument 2, which must exist. */
function existingStream(cx: Context): Ref {
  const s = writeStream(cx, KEY);
  if (s === 0) throw NO_KEY;
  return s;
}

/** The group of arguments 2 and 3, which must exist. */
function existingGroup(cx: Context): Ref {
  const g = groupOf(cx, existingStream(cx), GROUP);
  if (g === 0) throw noGroup(cx, KEY, GROUP);
  return g;
}

function create(cx: Context): void {
  const { arena: a, buf, length, start } = cx;
  readOptions(cx, true);
  let s = writeStream(cx, KEY);
  if (s === 0 && !options.makeStream) throw NO_KEY;
  if (!isSign(cx, THIRD, DOLLAR)) readId(cx, THIRD, id);
  else if (s === 0) idClear(id);
  else streamReadId(a, s, Head.LastId, id);
  if (groupOf(cx, s, GROUP) !== 0) throw BUSY;
  if (s === 0) s = newStream(cx, KEY);
  const g = groupCreate(a, s, buf, start[GROUP], length[GROUP], id);
  groupSetRead(a, g, bigIntLow(options.read), bigIntHigh(options.read));
  cx.changed(KEY, Event.Stream, "xgroup-create");
  cx.reply.ok();
}

function setId(cx: Context): void {
  const { arena: a, buf, length, start } = cx;
  readOptions(cx, false);
  const g = existingGroup(cx);
  // Twice the same option: noticed last.
  if (cx.argc > 7) throw subcommandSyntax(cx);
  if (isSign(cx, THIRD, DOLLAR)) streamReadId(a, existingStream(cx), Head.LastId, id);
  else if (idParse(buf, start[THIRD], length[THIRD], IdRule.Ends, id) === IdForm.Invalid) throw INVALID_ID;
  groupSetLastId(a, g, id);
  groupSetRead(a, g, bigIntLow(options.read), bigIntHigh(options.read));
  cx.changed(KEY, Event.Stream, "xgroup-setid");
  cx.reply.ok();
}

function destroy(cx: Context): void {
  const s = existingStream(cx);
  const isGone = groupDelete(cx.arena, s, cx.buf, cx.start[GROUP], cx.length[GROUP]);
  if (isGone) cx.changed(KEY, Event.Stream, "xgroup-destroy");
  cx.reply.integer(isGone ? 1 : 0);
}

function createConsumer(cx: Context): void {
  const { arena: a, buf, length, start } = cx;
  const g = existingGroup(cx);
  const isNew = consumerFind(a, g, buf, start[THIRD], length[THIRD]) === 0;
  if (isNew) {
    consumerCreate(a, g, buf, start[THIRD], length[THIRD], cx.nowMs);
    cx.changed(KEY, Event.Stream, "xgroup-createconsumer");
  }
  cx.reply.integer(isNew ? 1 : 0);
}

function deleteConsumer(cx: Context): void {
  const { arena: a, buf, length, start } = cx;
  const g = existingGroup(cx);
  const consumer = consumerFind(a, g, buf, start[THIRD], length[THIRD]);
  let pending = 0;
  if (consumer !== 0) {
    pending = consumerPending(a, consumer);
    consumerDelete(a, g, buf, start[THIRD], length[THIRD]);
    cx.changed(KEY, Event.Stream, "xgroup-delconsumer");
  }
  cx.reply.integer(pending);
}

const HELP = [
  "CREATE <key> <groupname> <id|$> [option]",
  "    Create a new consumer group. Options are:",
  "    * MKSTREAM",
  "      Create the empty stream if it does not exist.",
  "    * ENTRIESREAD entries_read",
  "      Set the group's entries_read counter (internal use).",
  "CREATECONSUMER <key> <groupname> <consumer>",
  "    Create a new consumer in the specified group.",
  "DELCONSUMER <key> <groupname> <consumer>",
  "    Remove the specified consumer.",
  "DESTROY <key> <groupname>",
  "    Remove the specified group.",
  "SETID <key> <groupname> <id|$> [ENTRIESREAD entries_read]",
  "    Set the current group ID and entries_read counter.",
];

const STREAM = { group: "stream", categories: ["stream"], since: "5.0.0" } as const;
const ID_CHOICE = "id-selector=<id | $>";

export const STREAM_GROUP_COMMANDS = [
  command({
    name: "xgroup",
    arity: -2,
    flags: 0,
    since: "5.0.0",
    group: "stream",
    summary: "A container for the commands about consumer groups.",
    complexity: "Depends on the subcommand.",
    subcommands: [
      command({
        ...STREAM,
        name: "create",
        arity: -5,
        flags: Flag.Write | Flag.DenyOom,
        summary: "Creates a consumer group.",
        complexity: "O(1)",
        keys: [oneKey("RW insert", 2)],
        history: [["7.0.0", "ENTRIESREAD came."]],
        syntax: `key:key group ${ID_CHOICE} [MKSTREAM] [ENTRIESREAD entriesread:integer(entries-read)]`,
        run: create,
      }),
      command({
        ...STREAM,
        name: "setid",
        arity: -5,
        flags: Flag.Write,
        summary: "Sets the id of the entry that a group got last.",
        complexity: "O(1)",
        keys: [oneKey("RW update", 2)],
        history: [["7.0.0", "ENTRIESREAD came."]],
        syntax: `key:key group ${ID_CHOICE} [ENTRIESREAD entriesread:integer(entries-read)]`,
        run: setId,
      }),
      command({
        ...STREAM,
        name: "destroy",
        arity: 4,
        flags: Flag.Write,
        summary: "Deletes a consumer group.",
        complexity: "O(N) for N pending entries of the group.",
        keys: [oneKey("RW delete", 2)],
        syntax: "key:key group",
        run: destroy,
      }),
      command({
        ...STREAM,
        name: "createconsumer",
        arity: 5,
        flags: Flag.Write | Flag.DenyOom,
        since: "6.2.0",
        summary: "Creates a consumer of a group.",
        complexity: "O(1)",
        keys: [oneKey("RW insert", 2)],
        syntax: "key:key group consumer",
        run: createConsumer,
      }),
      command({
        ...STREAM,
        name: "delconsumer",
        arity: 5,
        flags: Flag.Write,
        summary: "Deletes a consumer of a group with its pending entries.",
        complexity: "O(N) for N pending entries of the consumer.",
        keys: [oneKey("RW delete", 2)],
        syntax: "key:key group consumer",
        run: deleteConsumer,
      }),
      command({
        ...STREAM,
        name: "help",
        arity: 2,
        flags: Flag.Loading | Flag.Stale,
        summary: "Explains the subcommands.",
        complexity: "O(1)",
        run: (cx) => writeHelp(cx, HELP),
      }),
    ],
  }),
];
