/** FAILOVER: hands the role of the primary over to a replica. How it goes is told by INFO. */
import { type Context, command } from "../../engine/context.ts";
import type { FailoverRequest } from "../../engine/replication-port.ts";
import { type CommandLiteral, Flag } from "../../engine/spec/spec.ts";
import { ReplyError, SYNTAX } from "../../resp/errors.ts";
import { replicationOf } from "./port.ts";

const NOTHING_TO_ABORT = new ReplyError("ERR No failover in progress.");
const BAD_TIMEOUT = new ReplyError("ERR FAILOVER timeout must be greater than 0");

function parse(cx: Context): FailoverRequest {
  let timeoutMs = 0;
  let force = false;
  let target: FailoverRequest["target"] = null;
  for (let i = 1; i < cx.argc; i++) {
    if (cx.isToken(i, "timeout") && i + 1 < cx.argc && timeoutMs === 0) {
      timeoutMs = cx.integer(++i);
      if (timeoutMs <= 0) throw BAD_TIMEOUT;
    } else if (cx.isToken(i, "to") && i + 2 < cx.argc && target === null) {
      target = { host: cx.text(i + 1), port: cx.integer(i + 2) };
      i += 2;
    } else if (cx.isToken(i, "force") && !force) {
      force = true;
    } else {
      throw SYNTAX;
    }
  }
  return { target, force, timeoutMs };
}

function failover(cx: Context): void {
  const replication = replicationOf(cx);
  if (cx.argc === 2 && cx.isToken(1, "abort")) {
    if (!replication.abortFailover()) throw NOTHING_TO_ABORT;
  } else {
    const denial = replication.failover(parse(cx));
    if (denial !== null) throw denial;
  }
  cx.reply.ok();
}

export const FAILOVER_COMMANDS: readonly CommandLiteral[] = [
  command({
    name: "failover",
    arity: -1,
    flags: Flag.Admin | Flag.Noscript | Flag.Stale,
    since: "6.2.0",
    group: "server",
    summary: "Hands the role of the primary over to one of its replicas.",
    complexity: "O(1)",
    syntax: "[TO target=<host port:integer [FORCE]>] [ABORT] [TIMEOUT milliseconds:integer]",
    run: failover,
  }),
];
