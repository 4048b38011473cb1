/** XDELEX and XACKDEL: deletion that minds the references of consumer groups. */
import { type Context, command } from "../../engine/context.ts";
import { Flag, oneKey } from "../../engine/spec/spec.ts";
import { ReplyError, SYNTAX } from "../../resp/errors.ts";
import { dropReferences, isReferenced, pendingRemove } from "../../types/stream/stream-group.ts";
import { idCreate } from "../../types/stream/stream-id.ts";
import { References, streamDeleteReferenced } from "../../types/stream/stream-trim.ts";
import { groupOf, idOf, readIds, writeStream } from "./access.ts";
import { referencesOf } from "./trim-options.ts";
import { reportDeleted } from "./write.ts";

const COUNT = new ReplyError("ERR Number of IDs must be a positive integer");
const COUNT_MISMATCH = new ReplyError("ERR The `numids` parameter must match the number of arguments");

const Outcome = { Missing: -1, Deleted: 1, Kept: 2 } as const;

const id = idCreate();
const options = { references: References.Keep as number, count: 0 };

/** Reads the reference mode and the counted ids from argument `first` on. */
function readOptions(cx: Context, first: number): void {
  let hasReferences = false;
  options.references = References.Keep;
  options.count = 0;
  for (let i = first; i < cx.argc; i++) {
    const references = referencesOf(cx, i);
    if (references >= 0 && !hasReferences) {
      hasReferences = true;
      options.references = references;
    } else if (options.count === 0 && i + 1 < cx.argc && cx.isToken(i, "ids")) {
      const count = cx.longInteger(i + 1, COUNT);
      if (count <= 0) throw COUNT;
      if (count > cx.argc - i - 2) throw COUNT_MISMATCH;
      options.count = count;
      readIds(cx, i + 2, count);
      i += 1 + count;
    } else {
      throw SYNTAX;
    }
  }
  if (options.count === 0) throw SYNTAX;
}

function writeMissing(cx: Context): void {
  cx.reply.array(options.count);
  for (let i = options.count; i > 0; i--) cx.reply.integer(Outcome.Missing);
}

function xdelex(cx: Context): void {
  const { arena: a, reply } = cx;
  const s = writeStream(cx, 1);
  readOptions(cx, 2);
  if (s === 0) {
    writeMissing(cx);
    return;
  }
  reply.array(options.count);
  let deleted = 0;
  for (let i = 0; i < options.count; i++) {
    idOf(i, id);
    const outcome = streamDeleteReferenced(a, s, id, options.references);
    if (outcome === Outcome.Deleted) deleted++;
    reply.integer(outcome);
  }
  reportDeleted(cx, deleted);
}

function xackdel(cx: Context): void {
  const { arena: a, reply } = cx;
  const s = writeStream(cx, 1);
  readOptions(cx, 3);
  const g = groupOf(cx, s, 2);
  if (g === 0) {
    writeMissing(cx);
    return;
  }
  reply.array(options.count);
  let acknowledged = 0;
  let deleted = 0;
  for (let i = 0; i < options.count; i++) {
    idOf(i, id);
    if (!pendingRemove(a, g, id)) {
      reply.integer(Outcome.Missing);
      continue;
    }
    acknowledged++;
    const outcome = streamDeleteReferenced(a, s, id, options.references);
    if (outcome === Outcome.Deleted) deleted++;
    // An entry that is not there any more: what other groups remember of it follows the mode all the same.
    else if (outcome === Outcome.Missing && options.references === References.Delete) dropReferences(a, s, id);
    const isKept = outcome === Outcome.Kept || (outcome === Outcome.Missing && keepsReference(cx, s));
    reply.integer(isKept ? Outcome.Kept : Outcome.Deleted);
  }
  reportDeleted(cx, deleted);
  cx.dirty += acknowledged;
}

function keepsReference(cx: Context, s: number): boolean {
  return options.references === References.Acked && isReferenced(cx.arena, s, id);
}

const STREAM = { group: "stream", categories: ["stream"], since: "8.2.0" } as const;
const CONDITION = "condition=[KEEPREF | DELREF | ACKED] IDS ids=<numids:integer id ...>";

export const STREAM_DELETE_COMMANDS = [
  command({
    ...STREAM,
    name: "xdelex",
    arity: -5,
    flags: Flag.Write | Flag.Fast,
    summary: "Deletes entries of a stream, with or without the references that consumer groups have to them.",
    complexity: "O(1) for each id, whatever the size of the stream.",
    keys: [oneKey("RW delete")],
    syntax: `key:key ${CONDITION}`,
    run: xdelex,
  }),
  command({
    ...STREAM,
    name: "xackdel",
    arity: -6,
    flags: Flag.Write | Flag.Fast,
    summary:
      "Acknowledges entries for a group and deletes them, with or without the references that other groups have to them.",
    complexity: "O(1) for each id.",
    keys: [oneKey("RW update delete")],
    syntax: `key:key group ${CONDITION}`,
    run: xackdel,
  }),
];
