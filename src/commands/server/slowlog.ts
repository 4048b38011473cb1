/** SLOWLOG: the commands that took long. What is kept of them stands in engine/statistics/slowlog.ts. */
import { type Context, command } from "../../engine/context.ts";
import { type CommandLiteral, Flag } from "../../engine/spec/spec.ts";
import { ReplyError } from "../../resp/errors.ts";
import { writeHelp } from "../help.ts";

const ADMIN = Flag.Admin | Flag.Loading | Flag.Stale;
const COUNT_DEFAULT = 10;
const BAD_COUNT = new ReplyError("ERR count should be greater than or equal to -1");

function get(cx: Context): void {
  const { slowlog } = cx.engine;
  const { reply } = cx;
  if (cx.argc > 3) throw wrongForm(cx);
  const asked = cx.argc === 3 ? cx.longInteger(2, BAD_COUNT) : COUNT_DEFAULT;
  if (asked < -1) throw BAD_COUNT;
  const count = asked < 0 ? slowlog.length : Math.min(asked, slowlog.length);
  reply.array(count);
  for (let i = 0; i < count; i++) {
    const entry = slowlog.newest(i);
    reply.array(6);
    reply.integer(entry.id);
    reply.integer(entry.time);
    reply.integer(entry.usec);
    reply.array(entry.args.length);
    for (const arg of entry.args) reply.bulkText(arg);
    reply.bulkText(entry.address);
    reply.bulkText(entry.clientName);
  }
}

function wrongForm(cx: Context): ReplyError {
  return new ReplyError(
    `ERR unknown subcommand or wrong number of arguments for '${cx.text(1).slice(0, 128)}'. Try SLOWLOG HELP.`,
  );
}

/** SLOWLOG. */
export const SLOWLOG_COMMANDS: readonly CommandLiteral[] = [
  command({
    name: "slowlog",
    arity: -2,
    flags: 0,
    since: "2.2.12",
    group: "server",
    summary: "The commands that deal with the log of slow commands.",
    complexity: "Depends on subcommand.",
    subcommands: [
      command({
        name: "get",
        arity: -2,
        flags: ADMIN,
        since: "2.2.12",
        group: "server",
        summary: "Tells the newest entries of the slow log.",
        complexity: "O(N) where N is the number of entries returned",
        syntax: "[count:integer]",
        tips: ["request_policy:all_nodes", "nondeterministic_output"],
        history: [["4.0.0", "Tells the client's address, port and name, too."]],
        run: get,
      }),
      command({
        name: "len",
        arity: 2,
        flags: ADMIN,
        since: "2.2.12",
        group: "server",
        summary: "Tells how many entries the slow log has.",
        complexity: "O(1)",
        tips: ["request_policy:all_nodes", "response_policy:agg_sum", "nondeterministic_output"],
        run(cx) {
          cx.reply.integer(cx.engine.slowlog.length);
        },
      }),
      command({
        name: "reset",
        arity: 2,
        flags: ADMIN,
        since: "2.2.12",
        group: "server",
        summary: "Removes all entries of the slow log.",
        complexity: "O(N) where N is the number of entries in the slowlog",
        tips: ["request_policy:all_nodes", "response_policy:all_succeeded"],
        run(cx) {
          cx.engine.slowlog.reset();
          cx.reply.ok();
        },
      }),
      command({
        name: "help",
        arity: 2,
        flags: Flag.Loading | Flag.Stale,
        since: "6.2.0",
        group: "server",
        summary: "Tells how to use SLOWLOG.",
        complexity: "O(1)",
        run(cx) {
          writeHelp(cx, [
            "GET [<count>]",
            "    Tell the newest <count> entries of the slow log (10 when not given, all for -1).",
            "    An entry has: id, time, duration in microseconds, arguments, address and name of the client.",
            "LEN",
            "    Tell the number of entries.",
            "RESET",
            "    Remove all entries.",
          ]);
        },
      }),
    ],
  }),
];
