/** INFO memory. What the numbers mean stands in engine/memory.ts. */
import { totalmem } from "node:os";
import type { Engine } from "../../engine/engine.ts";
import { dictOverheadBytes, dictRehashingBytes } from "../../struct/dict.ts";
import { fixed2, humanBytes, type InfoField, type InfoSection, ratio } from "./info-section.ts";

/** Bytes that are not values: the server itself, clients, tables of keys, buffers and caches. */
function overhead(engine: Engine): number {
  const { memory, keyspace } = engine;
  let bytes =
    memory.startupBytes +
    memory.part("clients-normal") +
    memory.part("clients-replicas") +
    memory.part("replication-backlog") +
    memory.part("append-only-buffer") +
    memory.part("script-caches") +
    memory.part("function-caches") +
    memory.part("cluster-links");
  for (const db of keyspace.databases) {
    if (db.size === 0) continue;
    bytes += dictOverheadBytes(keyspace.arena, db.dict);
    if (db.expires !== 0) bytes += dictOverheadBytes(keyspace.arena, db.expires);
  }
  return bytes;
}

function rehashing({ keyspace }: Engine): number {
  let bytes = 0;
  for (const db of keyspace.databases) {
    bytes += dictRehashingBytes(keyspace.arena, db.dict);
    if (db.expires !== 0) bytes += dictRehashingBytes(keyspace.arena, db.expires);
  }
  return bytes;
}

function dataset(engine: Engine): number {
  return Math.max(0, engine.memory.usedBytes - overhead(engine));
}

function resident({ memory }: Engine): number {
  if (memory.residentBytes === 0) memory.residentBytes = process.memoryUsage.rss();
  return memory.residentBytes;
}

function peak(engine: Engine): number {
  engine.memory.notePeak(engine.nowMs());
  return engine.memory.peakBytes;
}

/** Bytes that the arena has taken for blocks, used or not, and what is used elsewhere. */
function active({ memory, keyspace }: Engine): number {
  const { arena } = keyspace;
  return memory.usedBytes - arena.usedBytes + arena.pageBytes + arena.largeBytes;
}

function scripts({ memory }: Engine): number {
  return memory.part("script-caches") + memory.part("function-caches");
}

const FIELDS: readonly InfoField[] = [
  ["used_memory", ({ memory }) => memory.usedBytes],
  ["used_memory_human", ({ memory }) => humanBytes(memory.usedBytes)],
  ["used_memory_rss", resident],
  ["used_memory_rss_human", (engine) => humanBytes(resident(engine))],
  ["used_memory_peak", peak],
  ["used_memory_peak_human", (engine) => humanBytes(peak(engine))],
  ["used_memory_peak_perc", (engine) => `${ratio(engine.memory.usedBytes * 100, peak(engine))}%`],
  ["used_memory_overhead", overhead],
  ["used_memory_startup", ({ memory }) => memory.startupBytes],
  ["used_memory_dataset", dataset],
  [
    "used_memory_dataset_perc",
    (engine) => {
      const net = Math.max(1, engine.memory.usedBytes - engine.memory.startupBytes);
      return `${fixed2((dataset(engine) * 100) / net)}%`;
    },
  ],
  ["allocator_allocated", ({ memory }) => memory.usedBytes],
  ["allocator_active", active],
  ["allocator_resident", resident],
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
  ["allocator_frag_ratio", (engine) => ratio(active(engine), engine.memory.usedBytes)],
  ["allocator_frag_bytes", (engine) => active(engine) - engine.memory.usedBytes],
  ["allocator_rss_ratio", (engine) => ratio(resident(engine), active(engine))],
  ["allocator_rss_bytes", (engine) => resident(engine) - active(engine)],
  ["rss_overhead_ratio", "1.00"],
  ["rss_overhead_bytes", 0],
  ["mem_fragmentation_ratio", (engine) => ratio(resident(engine), engine.memory.usedBytes)],
  ["mem_fragmentation_bytes", (engine) => resident(engine) - engine.memory.usedBytes],
  ["mem_not_counted_for_evict", 0],
  ["mem_replication_backlog", ({ memory }) => memory.part("replication-backlog")],
  ["mem_total_replication_buffers", 0],
  ["mem_clients_slaves", ({ memory }) => memory.part("clients-replicas")],
  ["mem_clients_normal", ({ memory }) => memory.part("clients-normal")],
  ["mem_cluster_links", ({ memory }) => memory.part("cluster-links")],
  ["mem_aof_buffer", ({ memory }) => memory.part("append-only-buffer")],
  ["mem_allocator", "libc"],
  ["mem_overhead_db_hashtable_rehashing", rehashing],
  ["active_defrag_running", 0],
  ["lazyfree_pending_objects", ({ keyspace }) => keyspace.lazyFree.pendingObjects],
  ["lazyfreed_objects", ({ keyspace }) => keyspace.lazyFree.freedObjects],
];

export const MEMORY_SECTION: InfoSection = { names: ["memory"], title: "Memory", shown: "default", fields: FIELDS };
