/** SHUTDOWN and LASTSAVE. What ends the process stands behind engine.process. */
import { ANY_TYPE } from "../../engine/blocking/blocking.ts";
import { ClientFlag } from "../../engine/client/client.ts";
import { type Context, command } from "../../engine/context.ts";
import type { ShutdownOptions } from "../../engine/ports.ts";
import { type CommandLiteral, Flag } from "../../engine/spec/spec.ts";
import { ReplyError, SYNTAX } from "../../resp/errors.ts";
import type { ReplyWriter } from "../../resp/writer.ts";

const FAILED = new ReplyError("ERR Errors trying to SHUTDOWN. Check logs.");
const NOT_IN_PROGRESS = new ReplyError("ERR No shutdown in progress.");
const MAY_NOT_WAIT = new ReplyError("ERR SHUTDOWN without NOW or ABORT isn't allowed for DENY BLOCKING client");

/** The options among the arguments; null for ABORT. */
function parseOptions(cx: Context): ShutdownOptions | null {
  let save: boolean | null = null;
  let [now, force, safe, abort] = [false, false, false, false];
  for (let i = 1; i < cx.argc; i++) {
    if (cx.isToken(i, "save") || cx.isToken(i, "nosave")) {
      const wanted = cx.isToken(i, "save");
      if (save !== null && save !== wanted) throw SYNTAX;
      save = wanted;
    } else if (cx.isToken(i, "now")) now = true;
    else if (cx.isToken(i, "force")) force = true;
    else if (cx.isToken(i, "abort")) abort = true;
    else if (cx.isToken(i, "safe") && cx.engine.config.personality.valkeyCommands) safe = true;
    else throw SYNTAX;
  }
  if (!abort) return { save, now, force, safe };
  if (save !== null || now || force || safe) throw SYNTAX;
  return null;
}

function shutdown(cx: Context): void {
  const options = parseOptions(cx);
  const { engine, client } = cx;
  if (options === null) {
    if (engine.process?.abortShutdown() !== true) throw NOT_IN_PROGRESS;
    cx.reply.ok();
    return;
  }
  if (!options.now && client.has(ClientFlag.DenyBlocking)) throw MAY_NOT_WAIT;
  const fail = (reply: ReplyWriter): void => reply.error(FAILED.text);
  const outcome = engine.process?.shutdown(options, () => engine.blocking.finish(client, fail)) ?? "failed";
  if (outcome === "failed") throw FAILED;
  cx.park({ firstKey: 0, keyCount: 0, type: ANY_TYPE, timeoutMs: 0, onTimeout: fail });
}

/** SHUTDOWN and LASTSAVE. */
export const SHUTDOWN_COMMANDS: readonly CommandLiteral[] = [
  command({
    name: "shutdown",
    arity: -1,
    flags: Flag.Admin | Flag.Noscript | Flag.Loading | Flag.Stale | Flag.NoMulti | Flag.AllowBusy,
    since: "1.0.0",
    group: "server",
    summary: "Saves the data set, unless told otherwise, and ends the server.",
    complexity:
      "O(N) when saving, where N is the total number of keys in all databases when saving data, otherwise O(1)",
    syntax: "[save-selector=<NOSAVE | SAVE>] [NOW@7.0.0] [FORCE@7.0.0] [ABORT@7.0.0]",
    history: [["7.0.0", "Knows NOW, FORCE and ABORT."]],
    run: shutdown,
  }),
  command({
    name: "lastsave",
    arity: 1,
    flags: Flag.Loading | Flag.Stale | Flag.Fast,
    since: "1.0.0",
    group: "server",
    categories: ["admin", "dangerous"],
    summary: "Tells the Unix time of the last successful save to disk.",
    complexity: "O(1)",
    tips: ["nondeterministic_output"],
    run(cx) {
      cx.reply.integer(cx.engine.stats.lastSaveSeconds);
    },
  }),
];
