/** REPLICAOF and its old name SLAVEOF: whose replica this server is, if anybody's. */
import { ClientFlag } from "../../engine/client/client.ts";
import { clientLine } from "../../engine/client/client-list.ts";
import { type Context, command } from "../../engine/context.ts";
import { type CommandLiteral, Flag } from "../../engine/spec/spec.ts";
import { ReplyError } from "../../resp/errors.ts";
import { replicationOf } from "./port.ts";

const FAILING_OVER = new ReplyError("ERR REPLICAOF not allowed while failing over.");
const IS_REPLICA = new ReplyError("ERR Command is not valid when client is a replica.");
const INVALID_PORT = new ReplyError("ERR Invalid master port");
const PORT_MAX = 65535;

function replicaof(cx: Context): void {
  const { client, reply } = cx;
  const engine = cx.engine;
  const { log, config } = engine;
  const replication = replicationOf(cx);
  if (replication.failingOver) throw FAILING_OVER;
  if (cx.isToken(1, "no") && cx.isToken(2, "one")) {
    if (replication.primary !== null) {
      replication.promote();
      const word = config.personality.primaryWordUpper;
      log.notice(`${word} MODE enabled (user request from '${clientLine(engine, client)}')`);
    }
    reply.ok();
    return;
  }
  if (client.has(ClientFlag.Replica)) throw IS_REPLICA;
  const host = cx.text(1);
  const port = cx.integerIn(2, 0, PORT_MAX, INVALID_PORT);
  const { primary } = replication;
  if (primary !== null && primary.host.toLowerCase() === host.toLowerCase() && primary.port === port) {
    log.notice(
      `REPLICAOF would result into synchronization with the ${config.personality.primaryWord} we are already connected with. No operation performed.`,
    );
    reply.status("OK Already connected to specified master");
    return;
  }
  replication.follow(host, port);
  log.notice(`REPLICAOF ${host}:${port} enabled (user request from '${clientLine(engine, client)}')`);
  reply.ok();
}

const SYNTAX_LINE = "args=<host-port=<host port:integer> | no-one=<<NO> ONE>>";

/** REPLICAOF and SLAVEOF. */
export const REPLICAOF_COMMANDS: readonly CommandLiteral[] = [
  command({
    name: "replicaof",
    arity: 3,
    flags: Flag.NoAsyncLoading | Flag.Admin | Flag.Noscript | Flag.Stale,
    since: "5.0.0",
    group: "server",
    summary: "Makes this server a replica of another one, or a primary.",
    complexity: "O(1)",
    syntax: SYNTAX_LINE,
    run: replicaof,
  }),
  command({
    name: "slaveof",
    arity: 3,
    flags: Flag.NoAsyncLoading | Flag.Admin | Flag.Noscript | Flag.Stale,
    since: "1.0.0",
    group: "server",
    summary: "Makes this server a replica of another one, or a primary: the old name of REPLICAOF.",
    complexity: "O(1)",
    deprecatedSince: "5.0.0",
    replacedBy: "`REPLICAOF`",
    docFlags: ["deprecated"],
    syntax: SYNTAX_LINE,
    run: replicaof,
  }),
];
