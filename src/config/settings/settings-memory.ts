/** Settings of the key space: how many databases, how much memory, eviction, lazy freeing, expiry and defragmentation. */

import { row, SettingFlag } from "./setting.ts";
import { INT_MAX, int, LONG_MAX, memoryOrPercent, ULONG_MAX, uint, unsignedMemory } from "./setting-number.ts";
import { bool, type Check, enumeration } from "./setting-types.ts";

const { Immutable, Debug } = SettingFlag;

const MIB = 1024 * 1024;

/** Lazy freeing is Valkey's default. */
const LAZY = { redis: false, valkey: true } as const;

const refuseDefrag: Check<boolean> = (on, personality) => {
  if (!on) return null;
  const product = personality.name === "redis" ? "Redis " : "";
  return (
    `Active defragmentation cannot be enabled: it requires a ${product}server compiled with a modified Jemalloc ` +
    `like the one shipped by default with the ${product}source distribution`
  );
};

const POLICIES = [
  "volatile-lru",
  "volatile-lfu",
  "volatile-random",
  "volatile-ttl",
  "allkeys-lru",
  "allkeys-lfu",
  "allkeys-random",
  "noeviction",
] as const;

/** What maxmemory-policy can be. */
export type EvictionPolicy = (typeof POLICIES)[number];

/** Makes the rows. */
export const memorySettings = () => ({
  databases: row(int(16, 1, INT_MAX), "Number of databases.", { flags: Immutable }),
  maxmemory: row(
    unsignedMemory(0, 0, ULONG_MAX),
    "Bytes past which keys are evicted or writes refused; 0 is no limit.",
  ),
  "maxmemory-policy": row(enumeration("noeviction", POLICIES), "Which keys to evict when memory is full."),
  "maxmemory-samples": row(int(5, 1, 64), "Keys compared to find one to evict."),
  "maxmemory-eviction-tenacity": row(int(10, 0, 100), "How long one round of eviction may take; 100 is without end."),
  "maxmemory-clients": row(
    memoryOrPercent(0),
    "Bytes, or percent of maxmemory, that client buffers may use in total before clients are evicted; 0 is no limit.",
  ),
  "lfu-log-factor": row(int(10), "Hits needed to saturate a key's frequency counter grow with this."),
  "lfu-decay-time": row(int(1), "Minutes after which an unused key's frequency counter falls by one."),
  "lazyfree-lazy-eviction": row(bool(LAZY), "Free evicted values in the background.", { flags: Debug }),
  "lazyfree-lazy-expire": row(bool(LAZY), "Free expired values in the background.", { flags: Debug }),
  "lazyfree-lazy-server-del": row(bool(LAZY), "Free values that a command overwrites in the background.", {
    flags: Debug,
  }),
  "lazyfree-lazy-user-del": row(bool(LAZY), "Let DEL do what UNLINK does.", { flags: Debug }),
  "lazyfree-lazy-user-flush": row(bool(LAZY), "Let FLUSHALL and FLUSHDB free in the background by default.", {
    flags: Debug,
  }),
  "active-expire-effort": row(int(1, 1, 10), "How hard expired keys are looked for."),
  activerehashing: row(bool(true), "Spend idle time on resizing the key tables."),
  "tracking-table-max-keys": row(
    uint(1_000_000, 0, LONG_MAX),
    "Keys remembered for client-side caching; 0 is no limit.",
    { ready: false },
  ),
  activedefrag: row(
    bool(false, refuseDefrag),
    "Defragment memory while running; the allocator here does not need it.",
    {
      flags: Debug,
    },
  ),
  "active-defrag-cycle-min": row(int(1, 1, 99), "Least percentage of time for defragmentation.", { ready: false }),
  "active-defrag-cycle-max": row(int(25, 1, 99), "Greatest percentage of time for defragmentation.", { ready: false }),
  "active-defrag-threshold-lower": row(
    int(10, 0, 1000),
    "Percentage of fragmentation at which defragmentation starts.",
    { ready: false },
  ),
  "active-defrag-threshold-upper": row(
    int(100, 0, 1000),
    "Percentage of fragmentation that gets the greatest effort.",
    { ready: false },
  ),
  "active-defrag-ignore-bytes": row(unsignedMemory(100 * MIB, 1), "Fragmented bytes below which nothing is done.", {
    ready: false,
  }),
  "active-defrag-max-scan-fields": row(uint(1000, 1, LONG_MAX), "Elements of a collection to defragment in one step.", {
    ready: false,
  }),
  "jemalloc-bg-thread": row(bool(true), "Let the allocator purge in a thread; the allocator here has none.", {
    ready: false,
  }),
});
