/** The string commands, all of them. */
import { type CommandLiteral, command, Flag } from "../../engine/spec.ts";
import { COMPARE_COMMANDS } from "./compare.ts";
import { COUNTER_COMMANDS } from "./counter.ts";
import { LCS_COMMANDS } from "./lcs.ts";
import { MANY_COMMANDS } from "./many.ts";
import { RANGE_COMMANDS } from "./range.ts";
import { VALUE_COMMANDS } from "./value.ts";

const PLACEHOLDERS = [
  command({
    name: "dbsize",
    arity: 1,
    flags: Flag.Fast | Flag.Readonly,
    since: "1",
    group: "server",
    summary: "",
    complexity: "",
    run(cx) {
      cx.reply.integer(cx.db.size);
    },
  }),
  command({
    name: "flushall",
    arity: -1,
    flags: Flag.Write,
    since: "1",
    group: "server",
    summary: "",
    complexity: "",
    run(cx) {
      cx.engine.keyspace.flush(-1);
      cx.dirty++;
      cx.reply.ok();
    },
  }),
];

export const STRING_COMMANDS: readonly CommandLiteral[] = [
  ...VALUE_COMMANDS,
  ...MANY_COMMANDS,
  ...COUNTER_COMMANDS,
  ...RANGE_COMMANDS,
  ...COMPARE_COMMANDS,
  ...LCS_COMMANDS,
  ...PLACEHOLDERS,
];
