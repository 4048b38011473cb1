/** What the commands of replication begin with. */
import type { Context } from "../../engine/context.ts";
import type { ReplicationPort } from "../../engine/replication-port.ts";
import { ReplyError } from "../../resp/errors.ts";

const NO_REPLICATION = new ReplyError("ERR replication is not available");

/** The engine's replication; throws where there is none. */
export function replicationOf(cx: Context): ReplicationPort {
  const { replication } = cx.engine;
  if (replication === null) throw NO_REPLICATION;
  return replication;
}
