/** INFO persistence and replication of a server that does neither: idle values, which the owners of those features replace (engine/statistics/info.ts). */
import type { Engine } from "../../engine/engine.ts";
import { ServerGate } from "../../engine/observer.ts";
import type { InfoField, InfoSection } from "./info-section.ts";

const PERSISTENCE_FIELDS: readonly InfoField[] = [
  ["loading", 0],
  ["async_loading", 0],
  ["current_cow_peak", 0],
  ["current_cow_size", 0],
  ["current_cow_size_age", 0],
  ["current_fork_perc", "0.00"],
  ["current_save_keys_processed", 0],
  ["current_save_keys_total", 0],
  ["rdb_changes_since_last_save", ({ dirty }) => dirty],
  ["rdb_bgsave_in_progress", 0],
  ["rdb_last_save_time", ({ stats }) => stats.lastSaveSeconds],
  ["rdb_last_bgsave_status", "ok"],
  ["rdb_last_bgsave_time_sec", -1],
  ["rdb_current_bgsave_time_sec", -1],
  ["rdb_saves", 0],
  ["rdb_last_cow_size", 0],
  ["rdb_last_load_keys_expired", 0],
  ["rdb_last_load_keys_loaded", 0],
  ["aof_enabled", 0],
  ["aof_rewrite_in_progress", 0],
  ["aof_rewrite_scheduled", 0],
  ["aof_last_rewrite_time_sec", -1],
  ["aof_current_rewrite_time_sec", -1],
  ["aof_last_bgrewrite_status", "ok"],
  ["aof_rewrites", 0],
  ["aof_rewrites_consecutive_failures", 0],
  ["aof_last_write_status", "ok"],
  ["aof_last_cow_size", 0],
  ["module_fork_in_progress", 0],
  ["module_fork_last_cow_size", 0],
  ["aof_current_size", 0, hasLog],
  ["aof_base_size", 0, hasLog],
  ["aof_pending_rewrite", 0, hasLog],
  ["aof_buffer_length", 0, hasLog],
  ["aof_pending_bio_fsync", 0, hasLog],
  ["aof_delayed_fsync", 0, hasLog],
  ["loading_start_time", 0, isLoading],
  ["loading_total_bytes", 0, isLoading],
  ["loading_rdb_used_mem", 0, isLoading],
  ["loading_loaded_bytes", 0, isLoading],
  ["loading_loaded_perc", "0.00", isLoading],
  ["loading_eta_seconds", 1, isLoading],
];

/** These are shown while the data set loads. */
function isLoading({ gate }: Engine): boolean {
  return (gate & ServerGate.Loading) !== 0;
}

/** These are shown while there is an append-only file. */
function hasLog({ appendOnly }: Engine): boolean {
  return appendOnly?.isEnabled === true;
}

const REPLICATION_FIELDS: readonly InfoField[] = [
  ["role", "master"],
  ["connected_slaves", 0],
  ["replicas_waiting_psync", 0, "valkey"],
  ["master_failover_state", "no-failover"],
  ["master_replid", ({ info }) => info.replicationId],
  ["master_replid2", "0".repeat(40)],
  ["master_repl_offset", 0],
  ["second_repl_offset", -1],
  ["repl_backlog_active", 0],
  ["repl_backlog_size", ({ config }) => config.values.replBacklogSize],
  ["repl_backlog_first_byte_offset", 0],
  ["repl_backlog_histlen", 0],
];

export const PERSISTENCE_SECTION: InfoSection = {
  names: ["persistence"],
  title: "Persistence",
  shown: "default",
  fields: PERSISTENCE_FIELDS,
};
export const REPLICATION_SECTION: InfoSection = {
  names: ["replication"],
  title: "Replication",
  shown: "default",
  fields: REPLICATION_FIELDS,
};
