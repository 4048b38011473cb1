/** OBJECT: how a value is kept, and when and how often it was used. */
import type { Ref } from "../../arena/arena.ts";
import { type Context, command } from "../../engine/context.ts";
import { type CommandLiteral, Flag, oneKey } from "../../engine/spec/spec.ts";
import { idleSeconds, lfuDecayed } from "../../keyspace/lfu.ts";
import { ReplyError } from "../../resp/errors.ts";
import { ENCODING_NAMES, Encoding, entryAccess, entryEncoding } from "../../types/entry.ts";
import { stringIntValue } from "../../types/string.ts";
import { writeHelp } from "../help.ts";

const ADJUSTS =
  "Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.";
const NO_IDLE_TIME = new ReplyError(`ERR An LFU maxmemory policy is selected, idle time not tracked. ${ADJUSTS}`);
const NO_FREQUENCY = new ReplyError(
  `ERR An LFU maxmemory policy is not selected, access frequency not tracked. ${ADJUSTS}`,
);

/** Redis shares one object among all values that are the same small integer, and then does not count references. */
const SHARED_INTEGERS = 10_000;
const SHARED_REFCOUNT = 2147483647;

/** The reference count that Redis would show. Values are not shared when eviction needs an access time for each. */
export function referenceCount(cx: Context, e: Ref): number {
  const { maxmemory, maxmemoryPolicy } = cx.engine.config.values;
  if (maxmemory > 0 && /l[rf]u$/.test(maxmemoryPolicy)) return 1;
  if (entryEncoding(cx.arena, e) !== Encoding.Int) return 1;
  const value = stringIntValue(cx.arena, e);
  return value >= 0 && value < SHARED_INTEGERS ? SHARED_REFCOUNT : 1;
}

/** The entry of the key in argument 2, or 0 after answering nil. */
function lookedAt(cx: Context): Ref {
  const e = cx.lookupUntouched(2, true);
  if (e === 0) cx.reply.nil();
  return e;
}

function about(name: string, since: string, summary: string, write: (cx: Context, e: Ref) => void): CommandLiteral {
  return command({
    name,
    arity: 3,
    flags: Flag.Readonly,
    since,
    group: "generic",
    summary,
    complexity: "O(1)",
    categories: ["keyspace"],
    keys: [oneKey("RO", 2)],
    syntax: "key:key",
    tips: ["nondeterministic_output"],
    run(cx) {
      const e = lookedAt(cx);
      if (e !== 0) write(cx, e);
    },
  });
}

const HELP = [
  "ENCODING <key>",
  "    Tell in which form the value of <key> is kept.",
  "FREQ <key>",
  "    Tell how often <key> is used: a counter that grows with the logarithm of",
  "    recent accesses. Needs an LFU eviction policy.",
  "IDLETIME <key>",
  "    Tell for about how many seconds <key> has not been used.",
  "REFCOUNT <key>",
  "    Tell how many references there are to the value of <key>.",
];

export const OBJECT_COMMANDS = [
  command({
    name: "object",
    arity: -2,
    flags: 0,
    since: "2.2.3",
    group: "generic",
    summary: "Subcommands that look into how a value is kept.",
    complexity: "See the subcommands.",
    subcommands: [
      about("encoding", "2.2.3", "Tells in which form a value is kept.", (cx, e) =>
        cx.reply.bulkText(ENCODING_NAMES[entryEncoding(cx.arena, e)]),
      ),
      about("freq", "4.0.0", "Tells how often a key is used, on a logarithmic scale.", (cx, e) => {
        const ks = cx.engine.keyspace;
        if (!ks.lfu) throw NO_FREQUENCY;
        cx.reply.integer(lfuDecayed(ks, entryAccess(cx.arena, e)));
      }),
      about("idletime", "2.2.3", "Tells for how many seconds a key has not been used.", (cx, e) => {
        const ks = cx.engine.keyspace;
        if (ks.lfu) throw NO_IDLE_TIME;
        cx.reply.integer(idleSeconds(ks, entryAccess(cx.arena, e)));
      }),
      about("refcount", "2.2.3", "Tells how many references there are to a value.", (cx, e) =>
        cx.reply.integer(referenceCount(cx, e)),
      ),
      command({
        name: "help",
        arity: 2,
        flags: Flag.Loading | Flag.Stale,
        since: "6.2.0",
        group: "generic",
        summary: "Explains the subcommands.",
        complexity: "O(1)",
        categories: ["keyspace"],
        run: (cx) => writeHelp(cx, HELP),
      }),
    ],
  }),
];
