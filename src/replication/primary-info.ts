/** What INFO and ROLE tell of replicas and of the history. */
import type { InfoLines } from "../engine/statistics/info.ts";
import type { ReplyWriter } from "../resp/writer.ts";
import type { PrimarySide } from "./primary-side.ts";
import { type Replica, STAGE_NAMES } from "./replica.ts";
import type { ReplicationState } from "./state.ts";

/** The section "replication" of INFO. */
export function replicationInfo(state: ReplicationState, primary: PrimarySide): InfoLines {
  const { engine, history } = state;
  const { personality } = engine.config;
  const isValkey = personality.name === "valkey";
  const describe = (replica: Replica): string => {
    const lag = replica.stage === "online" ? Math.floor(engine.nowMs() / 1000) - replica.ackSeconds : 0;
    const text = `ip=${replica.host},port=${replica.port},state=${STAGE_NAMES[replica.stage]},offset=${replica.ackOffset},lag=${lag}`;
    return isValkey ? `${text},type=replica` : text;
  };
  return (line) => {
    const { backlog } = history;
    const { values } = engine.config;
    line("role", state.replica === null ? "master" : "slave");
    state.replica?.info(line);
    line("connected_slaves", primary.replicas.length);
    if (values.minReplicasToWrite > 0 && values.minReplicasMaxLag > 0)
      line("min_slaves_good_slaves", primary.nearCount);
    for (const [i, replica] of primary.replicas.entries()) line(`slave${i}`, describe(replica));
    if (isValkey) line("replicas_waiting_psync", 0);
    line("master_failover_state", state.failover);
    line("master_replid", history.id);
    line("master_replid2", history.id2);
    line("master_repl_offset", history.offset);
    line("second_repl_offset", history.id2End);
    line("repl_backlog_active", backlog === null ? 0 : 1);
    line("repl_backlog_size", values.replBacklogSize);
    line("repl_backlog_first_byte_offset", backlog?.first ?? 0);
    line("repl_backlog_histlen", backlog?.length ?? 0);
  };
}

/** The reply of ROLE of a primary. */
export function writePrimaryRole(state: ReplicationState, primary: PrimarySide, reply: ReplyWriter): void {
  const online = primary.replicas.filter(({ stage }) => stage === "online");
  reply.array(3);
  reply.bulkText("master");
  reply.integer(state.history.offset);
  reply.array(online.length);
  for (const replica of online) {
    reply.array(3);
    reply.bulkText(replica.host);
    reply.bulkText(String(replica.port));
    reply.bulkText(String(replica.ackOffset));
  }
}
