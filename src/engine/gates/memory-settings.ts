/** maxmemory and the settings beside it. What evicts keys is loaded when there is a limit (memory-gate.ts). */
import type { Engine } from "../engine.ts";
import { ServerGate } from "../observer.ts";
import type { MemoryGate } from "./memory-gate.ts";

/** Makes an engine obey maxmemory and the settings beside it. Called once, when it is made. */
export function registerMemoryGate(engine: Engine): void {
  const { config, memory, stats, info } = engine;
  let made: MemoryGate | null = null;
  const make = (): MemoryGate => {
    const { MemoryGate } = require("./memory-gate.ts") as typeof import("./memory-gate.ts");
    made = new MemoryGate(engine);
    return made;
  };
  const configure = (): null => {
    made?.configure();
    applyPolicy(engine);
    return null;
  };
  applyPolicy(engine);
  // A table that grows while memory is short would have keys evicted for it.
  engine.keyspace.arena.roomForTables = () =>
    config.values.maxmemory === 0 ? Number.POSITIVE_INFINITY : config.values.maxmemory - countedBytes(engine);
  config.onApply(["maxmemory-policy", "maxmemory-samples"], configure);
  applyLimit(engine);
  config.onApply("maxmemory", () => {
    applyLimit(engine);
    warnAboutLimit(engine);
    if (config.values.maxmemory > 0) memory.scheduleEviction();
    return null;
  });
  engine.memoryGate = (cx, spec) => (made ?? make()).admit(cx.client, spec);
  memory.evict = () => (made ?? make()).goOn();
  info.add({
    fields: {
      total_eviction_exceeded_time: () => Math.floor((stats.evictionExceededUs + (made?.exceededUs ?? 0)) / 1000),
      current_eviction_exceeded_time: () => Math.floor((made?.exceededUs ?? 0) / 1000),
      mem_not_counted_for_evict: () => exemptBytes(engine),
    },
    reset: () => made?.resetStatistics(),
  });
}

/** The policy also says what the access bits of keys are. */
function applyPolicy({ config, keyspace }: Engine): void {
  keyspace.lfu = config.values.maxmemoryPolicy.endsWith("-lfu");
  keyspace.refreshAccessClock();
}

/** Used bytes that maxmemory does not limit. */
function exemptBytes({ memory, keyspace }: Engine): number {
  return memory.uncountedBytes() + keyspace.retainedBytes;
}

/** Used bytes that it limits. */
function countedBytes(engine: Engine): number {
  return engine.memory.usedBytes - exemptBytes(engine);
}

function applyLimit(engine: Engine): void {
  if (engine.config.values.maxmemory === 0) {
    engine.gate &= ~ServerGate.MaxMemory;
    engine.memory.isFull = false;
  } else {
    engine.gate |= ServerGate.MaxMemory;
  }
}

function warnAboutLimit(engine: Engine): void {
  const { maxmemory } = engine.config.values;
  const used = countedBytes(engine);
  if (maxmemory === 0 || maxmemory >= used) return;
  engine.log.warning(
    `WARNING: the new maxmemory value set via CONFIG SET (${maxmemory}) is smaller than the current memory usage (${used}). ` +
      "Depending on maxmemory-policy, keys will be evicted or writes refused.",
  );
}
