/** XLEN, XRANGE and XREVRANGE. */
import { type Context, command } from "../../engine/context.ts";
import { Flag, oneKey } from "../../engine/spec/spec.ts";
import { SYNTAX } from "../../resp/errors.ts";
import { streamLength } from "../../types/stream/stream.ts";
import { idCreate } from "../../types/stream/stream-id.ts";
import { StreamWalk, walkStart } from "../../types/stream/stream-walk.ts";
import { readEnd, readStart, readStream, writeEntries } from "./access.ts";

const from = idCreate();
const to = idCreate();
const walk = new StreamWalk();

/** The COUNT option from argument 4 on: -1 when it is not given, 0 for none. */
function readCount(cx: Context): number {
  let count = -1;
  for (let i = 4; i < cx.argc; i += 2) {
    if (i + 1 === cx.argc || !cx.isToken(i, "count")) throw SYNTAX;
    count = cx.longInteger(i + 1);
    if (count < 0) count = 0;
  }
  return count;
}

function range(cx: Context, isReverse: boolean): void {
  readStart(cx, isReverse ? 3 : 2, from);
  readEnd(cx, isReverse ? 2 : 3, to);
  const count = readCount(cx);
  const s = readStream(cx, 1);
  if (s === 0) {
    cx.reply.array(0);
  } else if (count === 0) {
    cx.reply.nilArray();
  } else {
    walkStart(cx.arena, s, walk, from, to, isReverse);
    writeEntries(cx, s, walk, count < 0 ? 0 : count);
  }
}

const STREAM = { group: "stream", categories: ["stream"], since: "5.0.0" } as const;
const COMPLEXITY = "O(N) for N entries that are answered: O(1) when their number is bounded by COUNT.";

export const STREAM_RANGE_COMMANDS = [
  command({
    ...STREAM,
    name: "xlen",
    arity: 2,
    flags: Flag.Readonly | Flag.Fast,
    summary: "Answers the number of entries of a stream.",
    complexity: "O(1)",
    keys: [oneKey("RO")],
    syntax: "key:key",
    run(cx) {
      const s = readStream(cx, 1);
      cx.reply.integer(s === 0 ? 0 : streamLength(cx.arena, s));
    },
  }),
  command({
    ...STREAM,
    name: "xrange",
    arity: -4,
    flags: Flag.Readonly,
    summary: "Answers the entries of a stream whose ids lie in a range.",
    complexity: COMPLEXITY,
    keys: [oneKey("RO access")],
    syntax: "key:key start end [COUNT count:integer]",
    history: [["6.2.0", "Ends of the range may be exclusive."]],
    run: (cx) => range(cx, false),
  }),
  command({
    ...STREAM,
    name: "xrevrange",
    arity: -4,
    flags: Flag.Readonly,
    summary: "Answers the entries of a stream whose ids lie in a range, the last one first.",
    complexity: COMPLEXITY,
    keys: [oneKey("RO access")],
    syntax: "key:key end start [COUNT count:integer]",
    history: [["6.2.0", "Ends of the range may be exclusive."]],
    run: (cx) => range(cx, true),
  }),
];
