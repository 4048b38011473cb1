/** PSYNC and SYNC: a client becomes a replica. What it gets then is the business of engine.replication. */
import { parseSafeInteger } from "../../base/int64.ts";
import { type Context, command } from "../../engine/context.ts";
import { type CommandLiteral, Flag } from "../../engine/spec/spec.ts";
import { replicationOf } from "./port.ts";

function psync(cx: Context): void {
  const { log } = cx.engine;
  const replication = replicationOf(cx);
  const id = cx.text(1);
  if (cx.argc > 3 && cx.isToken(3, "failover")) {
    log.notice(`Failover request received for replid ${id}.`);
    const denial = replication.takeOver(cx.client, id);
    if (denial !== null) throw denial;
  }
  replication.synchronize(cx.client, id, parseSafeInteger(cx.buf, cx.start[2], cx.length[2]));
}

export const PSYNC_COMMANDS: readonly CommandLiteral[] = [
  command({
    name: "psync",
    arity: -3,
    flags: Flag.NoAsyncLoading | Flag.Admin | Flag.NoMulti | Flag.Noscript,
    since: "2.8.0",
    group: "server",
    summary: "Makes the connection a replica's, which may go on from a point of a history that it names.",
    complexity: "O(N) in bytes when the replica can go on, otherwise as for a snapshot of all keys.",
    syntax: "replicationid offset:integer",
    run: psync,
  }),
  command({
    name: "sync",
    arity: 1,
    flags: Flag.NoAsyncLoading | Flag.Admin | Flag.NoMulti | Flag.Noscript,
    since: "1.0.0",
    group: "server",
    summary: "Makes the connection an old replica's: it gets a snapshot, then the changes.",
    complexity: "As for a snapshot of all keys.",
    run(cx) {
      replicationOf(cx).synchronize(cx.client, null, 0);
    },
  }),
];
