/** INFO memory. What the numbers mean stands in engine/memory.ts. */
import { totalmem } from "node:os";
import type { Engine } from "../../engine/engine.ts";
import { fixed2, humanBytes, type InfoField, type InfoSection, ratio } from "./info-section.ts";
import {
  activeBytes,
  datasetBytes,
  datasetPercent,
  overheadBytes,
  peakBytes,
  rehashingBytes,
  residentBytes,
} from "./memory-overhead.ts";

function scripts({ memory }: Engine): number {
  return memory.part("script-caches") + memory.part("function-caches");
}

const FIELDS: readonly InfoField[] = [
  ["used_memory", ({ memory }) => memory.usedBytes],
  ["used_memory_human", ({ memory }) => humanBytes(memory.usedBytes)],
  ["used_memory_rss", residentBytes],
  ["used_memory_rss_human", (engine) => humanBytes(residentBytes(engine))],
  ["used_memory_peak", peakBytes],
  ["used_memory_peak_human", (engine) => humanBytes(peakBytes(engine))],
  ["used_memory_peak_perc", (engine) => `${ratio(engine.memory.usedBytes * 100, peakBytes(engine))}%`],
  ["used_memory_overhead", overheadBytes],
  ["used_memory_startup", ({ memory }) => memory.startupBytes],
  ["used_memory_dataset", datasetBytes],
  ["used_memory_dataset_perc", (engine) => `${fixed2(datasetPercent(engine))}%`],
  ["allocator_allocated", ({ memory }) => memory.usedBytes],
  ["allocator_active", activeBytes],
  ["allocator_resident", residentBytes],
  ["allocator_muzzy", 0],
  ["total_system_memory", () => totalmem()],
  ["total_system_memory_human", () => humanBytes(totalmem())],
  ["used_memory_lua", 0],
  ["used_memory_vm_eval", 0],
  ["used_memory_lua_human", "0B"],
  ["used_memory_scripts_eval", ({ memory }) => memory.part("script-caches")],
  ["number_of_cached_scripts", 0],
  ["number_of_functions", 0],
  ["number_of_libraries", 0],
  ["used_memory_vm_functions", 0],
  ["used_memory_vm_total", 0],
  ["used_memory_vm_total_human", "0B"],
  ["used_memory_functions", ({ memory }) => memory.part("function-caches")],
  ["used_memory_scripts", scripts],
  ["used_memory_scripts_human", (engine) => humanBytes(scripts(engine))],
  ["maxmemory", ({ config }) => config.values.maxmemory],
  ["maxmemory_human", ({ config }) => humanBytes(config.values.maxmemory)],
  ["maxmemory_policy", ({ config }) => config.values.maxmemoryPolicy],
  ["allocator_frag_ratio", (engine) => ratio(activeBytes(engine), engine.memory.usedBytes)],
  ["allocator_frag_bytes", (engine) => activeBytes(engine) - engine.memory.usedBytes],
  ["allocator_rss_ratio", (engine) => ratio(residentBytes(engine), activeBytes(engine))],
  ["allocator_rss_bytes", (engine) => residentBytes(engine) - activeBytes(engine)],
  ["rss_overhead_ratio", "1.00"],
  ["rss_overhead_bytes", 0],
  ["mem_fragmentation_ratio", (engine) => ratio(residentBytes(engine), engine.memory.usedBytes)],
  ["mem_fragmentation_bytes", (engine) => residentBytes(engine) - engine.memory.usedBytes],
  ["mem_not_counted_for_evict", 0],
  ["mem_replication_backlog", ({ memory }) => memory.part("replication-backlog")],
  [
    "mem_total_replication_buffers",
    ({ memory }) => memory.part("replication-backlog") + memory.part("clients-replicas"),
  ],
  ["mem_clients_slaves", ({ memory }) => memory.part("clients-replicas")],
  ["mem_clients_normal", ({ memory }) => memory.part("clients-normal")],
  ["mem_cluster_links", ({ memory }) => memory.part("cluster-links")],
  ["mem_aof_buffer", ({ memory }) => memory.part("append-only-buffer")],
  ["mem_allocator", "libc"],
  ["mem_overhead_db_hashtable_rehashing", rehashingBytes],
  ["active_defrag_running", 0],
  ["lazyfree_pending_objects", ({ keyspace }) => keyspace.lazyFree.pendingObjects],
  ["lazyfreed_objects", ({ keyspace }) => keyspace.lazyFree.freedObjects],
];

export const MEMORY_SECTION: InfoSection = { names: ["memory"], title: "Memory", shown: "default", fields: FIELDS };
