/** The gates of a server that is a replica: clients do not write unless they may, and get nothing out of date unless they may. */
import { ExpiryMode } from "../../keyspace/key-rules.ts";
import { ReplyError } from "../../resp/errors.ts";
import { Origin } from "../client/client.ts";
import type { HandlerContext } from "../handler-context.ts";
import { ServerGate } from "../observer.ts";
import { type CommandSpec, Flag } from "../spec/spec.ts";
import { gateFlags } from "../transactions.ts";

const READ_ONLY = new ReplyError("READONLY You can't write against a read only replica.");
const NO_PRIMARY = new ReplyError("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.");

/**
 * Refuses clients' writes with replica-read-only. Where writes are allowed, one that meets a key whose time has come deletes it, as on a primary: the
 * caller sets the mode back when the command has run (expiry-mode.ts).
 */
export function replicaWrite(cx: HandlerContext, spec: CommandSpec): ReplyError | null {
  const { engine, client } = cx;
  if ((engine.gate & ServerGate.Replica) === 0 || client.origin !== Origin.Client) return null;
  if ((gateFlags(client, spec) & Flag.Write) === 0) return null;
  if (engine.config.values.replicaReadOnly) return READ_ONLY;
  if (engine.keyspace.expiryMode === ExpiryMode.Hide && (engine.gate & ServerGate.Paused) === 0)
    engine.keyspace.expiryMode = ExpiryMode.Delete;
  return null;
}

/** Refuses everything that needs the data set while the primary is away, with replica-serve-stale-data no. */
export function staleData(cx: HandlerContext, spec: CommandSpec): ReplyError | null {
  const { engine, client } = cx;
  if ((engine.gate & ServerGate.Stale) === 0 || client.origin !== Origin.Client) return null;
  return (gateFlags(client, spec) & Flag.Stale) === 0 ? NO_PRIMARY : null;
}
