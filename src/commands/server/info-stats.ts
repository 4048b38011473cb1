/** INFO stats, commandstats, errorstats, latencystats and debug. */
import type { Engine } from "../../engine/engine.ts";
import type { CommandSpec } from "../../engine/spec/spec.ts";
import { percentileNs } from "../../engine/statistics/histogram.ts";
import { fixed2, type InfoField, type InfoLine, type InfoSection, safeName } from "./info-section.ts";

const STATS_FIELDS: readonly InfoField[] = [
  ["total_connections_received", ({ stats }) => stats.connectionsReceived],
  ["total_commands_processed", ({ stats }) => stats.commandsProcessed],
  ["instantaneous_ops_per_sec", ({ stats }) => stats.commandRate.mean],
  ["total_net_input_bytes", ({ stats }) => stats.netInputBytes + stats.replicationInputBytes],
  ["total_net_output_bytes", ({ stats }) => stats.netOutputBytes + stats.replicationOutputBytes],
  ["total_net_repl_input_bytes", ({ stats }) => stats.replicationInputBytes],
  ["total_net_repl_output_bytes", ({ stats }) => stats.replicationOutputBytes],
  ["instantaneous_input_kbps", ({ stats }) => fixed2(stats.inputRate.mean / 1024)],
  ["instantaneous_output_kbps", ({ stats }) => fixed2(stats.outputRate.mean / 1024)],
  ["instantaneous_input_repl_kbps", ({ stats }) => fixed2(stats.replicationInputRate.mean / 1024)],
  ["instantaneous_output_repl_kbps", ({ stats }) => fixed2(stats.replicationOutputRate.mean / 1024)],
  ["rejected_connections", ({ stats }) => stats.rejectedConnections],
  ["sync_full", 0],
  ["sync_partial_ok", 0],
  ["sync_partial_err", 0],
  ["expired_subkeys", ({ keyspace }) => keyspace.expiredFields, "redis"],
  ["expired_keys", ({ keyspace }) => keyspace.expiredKeys],
  ["expired_stale_perc", "0.00"],
  ["expired_time_cap_reached_count", 0],
  ["expire_cycle_cpu_milliseconds", 0],
  ["evicted_keys", ({ stats }) => stats.evictedKeys],
  ["evicted_clients", ({ stats }) => stats.evictedClients],
  ["evicted_scripts", ({ stats }) => stats.evictedScripts],
  ["total_eviction_exceeded_time", ({ stats }) => Math.floor(stats.evictionExceededUs / 1000)],
  ["current_eviction_exceeded_time", 0],
  ["keyspace_hits", ({ keyspace }) => keyspace.hits],
  ["keyspace_misses", ({ keyspace }) => keyspace.misses],
  ["pubsub_channels", ({ pubsub }) => pubsub.channels.size],
  ["pubsub_patterns", ({ pubsub }) => pubsub.patterns.size],
  ["pubsubshard_channels", ({ pubsub }) => pubsub.shardChannels.size],
  ["latest_fork_usec", 0],
  ["total_forks", 0],
  ["migrate_cached_sockets", 0],
  ["slave_expires_tracked_keys", ({ ownKeys }) => ownKeys.count],
  ["active_defrag_hits", 0],
  ["active_defrag_misses", 0],
  ["active_defrag_key_hits", 0],
  ["active_defrag_key_misses", 0],
  ["total_active_defrag_time", 0],
  ["current_active_defrag_time", 0],
  ["tracking_total_keys", 0],
  ["tracking_total_items", 0],
  ["tracking_total_prefixes", 0],
  ["unexpected_error_replies", ({ stats }) => stats.unexpectedErrorReplies],
  ["total_error_replies", ({ stats }) => stats.errorReplies],
  ["dump_payload_sanitizations", ({ stats }) => stats.payloadSanitizations],
  ["total_reads_processed", ({ stats }) => stats.readsProcessed],
  ["total_writes_processed", ({ stats }) => stats.writesProcessed],
  ["io_threaded_reads_processed", 0],
  ["io_threaded_writes_processed", 0],
  ["io_threaded_freed_objects", 0, "valkey"],
  ["io_threaded_poll_processed", 0, "valkey"],
  ["io_threaded_total_prefetch_batches", 0, "valkey"],
  ["io_threaded_total_prefetch_entries", 0, "valkey"],
  ["client_query_buffer_limit_disconnections", ({ stats }) => stats.queryBufferLimitDisconnections],
  ["client_output_buffer_limit_disconnections", ({ stats }) => stats.outputBufferLimitDisconnections],
  ["reply_buffer_shrinks", ({ stats }) => stats.replyBufferShrinks],
  ["reply_buffer_expands", ({ stats }) => stats.replyBufferExpands],
  ["eventloop_cycles", ({ stats }) => stats.turns],
  ["eventloop_duration_sum", ({ stats }) => Math.floor(stats.turnsUs)],
  ["eventloop_duration_cmd_sum", ({ stats }) => Math.floor(stats.commandsUs)],
  ["instantaneous_eventloop_cycles_per_sec", ({ stats }) => stats.turnRate.mean],
  ["instantaneous_eventloop_duration_usec", ({ stats }) => stats.turnDuration.mean],
  ["acl_access_denied_auth", ({ stats }) => stats.accessDeniedAuthentications],
  ["acl_access_denied_cmd", ({ stats }) => stats.accessDeniedCommands],
  ["acl_access_denied_key", ({ stats }) => stats.accessDeniedKeys],
  ["acl_access_denied_channel", ({ stats }) => stats.accessDeniedChannels],
];

const DEBUG_FIELDS: readonly InfoField[] = [
  ["eventloop_duration_aof_sum", ({ stats }) => Math.floor(stats.appendOnlyUs)],
  ["eventloop_duration_cron_sum", ({ stats }) => Math.floor(stats.cronUs)],
  ["eventloop_duration_max", ({ stats }) => Math.floor(stats.turnMaxUs)],
  ["eventloop_cmd_per_cycle_max", ({ stats }) => stats.turnCommandsMax],
  ["allocator_allocated_lua", 0, "redis"],
  ["allocator_active_lua", 0, "redis"],
  ["allocator_resident_lua", 0, "redis"],
  ["allocator_frag_bytes_lua", 0, "redis"],
];

function eachCommand(engine: Engine, visit: (spec: CommandSpec) => void): void {
  for (const spec of engine.commands.loaded()) {
    visit(spec);
    for (const sub of spec.subcommands?.values() ?? []) visit(sub);
  }
}

function commandStats(engine: Engine, line: InfoLine): void {
  eachCommand(engine, (spec) => {
    const { calls, usec, rejectedCalls, failedCalls } = spec;
    if (calls + rejectedCalls + failedCalls === 0) return;
    line(
      `cmdstat_${safeName(spec.fullName)}`,
      `calls=${calls},usec=${Math.floor(usec)},usec_per_call=${fixed2(calls === 0 ? 0 : usec / calls)},` +
        `rejected_calls=${rejectedCalls},failed_calls=${failedCalls}`,
    );
  });
}

function errorStats(engine: Engine, line: InfoLine): void {
  for (const [code, count] of engine.stats.errors.entries()) line(`errorstat_${safeName(code)}`, `count=${count}`);
}

function latencyStats(engine: Engine, line: InfoLine): void {
  if (!engine.stats.tracksLatency) return;
  const percentiles = engine.config.values.latencyTrackingInfoPercentiles;
  eachCommand(engine, (spec) => {
    const counts = spec.histogram;
    if (counts === null) return;
    const texts = percentiles.map((p) => `p${trimmedDecimals(p)}=${(percentileNs(counts, p) / 1000).toFixed(3)}`);
    line(`latency_percentiles_usec_${safeName(spec.fullName)}`, texts.join(","));
  });
}

/** A number with up to six decimals. */
function trimmedDecimals(value: number): string {
  return value.toFixed(6).replace(/\.?0+$/, "");
}

export const STATS_SECTION: InfoSection = { names: ["stats"], title: "Stats", shown: "default", fields: STATS_FIELDS };
export const COMMANDSTATS_SECTION: InfoSection = {
  names: ["commandstats"],
  title: "Commandstats",
  shown: "all",
  lines: commandStats,
};
export const ERRORSTATS_SECTION: InfoSection = {
  names: ["errorstats"],
  title: "Errorstats",
  shown: "default",
  lines: errorStats,
};
export const LATENCYSTATS_SECTION: InfoSection = {
  names: ["latencystats"],
  title: "Latencystats",
  shown: "all",
  lines: latencyStats,
};
export const DEBUG_SECTION: InfoSection = { names: ["debug"], title: "Debug", shown: "hidden", fields: DEBUG_FIELDS };
