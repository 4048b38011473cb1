/** SAVE, BGSAVE, and DEBUG RELOAD, which stands with DEBUG. What they do is the business of engine.persistence. */
import { Origin } from "../../engine/client/client.ts";
import { type Context, command } from "../../engine/context.ts";
import { type CommandLiteral, Flag } from "../../engine/spec/spec.ts";
import { ReplyError, SYNTAX } from "../../resp/errors.ts";

const FAILED = new ReplyError("ERR");
const IN_PROGRESS = new ReplyError("ERR Background save already in progress");
const BLOCKED = new ReplyError(
  "ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order to schedule a BGSAVE whenever possible.",
);
const NOTHING_TO_CANCEL = new ReplyError("ERR Background saving is currently not in progress or scheduled");
const RELOAD_OPTIONS = new ReplyError("ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.");
const NOT_RELOADED = new ReplyError("ERR Error trying to load the RDB dump, check server logs.");

function save(cx: Context): void {
  const outcome = cx.engine.persistence?.save() ?? "failed";
  if (outcome === "busy") throw IN_PROGRESS;
  if (outcome === "failed") throw FAILED;
  cx.reply.ok();
}

function backgroundSave(cx: Context): void {
  const { persistence, config } = cx.engine;
  let schedule = false;
  if (cx.argc > 1) {
    if (cx.argc > 2) throw SYNTAX;
    if (cx.isToken(1, "schedule")) schedule = true;
    else if (!config.personality.valkeyCommands || !cx.isToken(1, "cancel")) throw SYNTAX;
    else {
      cancel(cx);
      return;
    }
  }
  const atomic = cx.client.origin === Origin.Exec || cx.engine.depth > 1;
  switch (persistence?.backgroundSave(schedule, atomic) ?? "failed") {
    case "started":
      cx.reply.status("Background saving started");
      return;
    case "scheduled":
      cx.reply.status("Background saving scheduled");
      return;
    case "busy":
      throw IN_PROGRESS;
    case "blocked":
      throw BLOCKED;
    default:
      throw FAILED;
  }
}

function cancel(cx: Context): void {
  switch (cx.engine.persistence?.cancelBackgroundSave() ?? "idle") {
    case "cancelled":
      cx.reply.status("Background saving cancelled");
      return;
    case "unscheduled":
      cx.reply.status("Scheduled background saving cancelled");
      return;
    default:
      throw NOTHING_TO_CANCEL;
  }
}

/** DEBUG RELOAD [MERGE] [NOFLUSH] [NOSAVE]. */
export function debugReload(cx: Context): void {
  const options = { save: true, flush: true, merge: false };
  for (let i = 2; i < cx.argc; i++) {
    if (cx.isToken(i, "merge")) options.merge = true;
    else if (cx.isToken(i, "noflush")) options.flush = false;
    else if (cx.isToken(i, "nosave")) options.save = false;
    else throw RELOAD_OPTIONS;
  }
  if (cx.engine.persistence?.reload(options) !== true) throw NOT_RELOADED;
  cx.reply.ok();
}

export const RDB_COMMANDS: readonly CommandLiteral[] = [
  command({
    name: "save",
    arity: 1,
    flags: Flag.NoAsyncLoading | Flag.Admin | Flag.Noscript | Flag.NoMulti,
    since: "1.0.0",
    group: "server",
    summary: "Saves the data set to disk, and lets everybody wait for it.",
    complexity: "O(N) for N keys in all databases.",
    run: save,
  }),
  command({
    name: "bgsave",
    arity: -1,
    flags: Flag.NoAsyncLoading | Flag.Admin | Flag.Noscript,
    since: "1.0.0",
    group: "server",
    summary: "Saves the data set to disk in the background.",
    complexity: "O(1)",
    syntax: "[SCHEDULE@3.2.2]",
    history: [["3.2.2", "The option `SCHEDULE`."]],
    run: backgroundSave,
  }),
];
