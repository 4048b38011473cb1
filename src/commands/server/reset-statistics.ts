/** CONFIG RESETSTAT: sets to zero what INFO counts. */
import type { Engine } from "../../engine/engine.ts";
import type { CommandSpec } from "../../engine/spec/spec.ts";

/** Resets the counters of the server, of its keyspace, of every command, and the error statistics. The slow log and the latency monitor stay. */
export function resetStatistics(engine: Engine): void {
  engine.stats.reset();
  const { keyspace } = engine;
  keyspace.hits = 0;
  keyspace.misses = 0;
  keyspace.expiredKeys = 0;
  keyspace.expiredFields = 0;
  keyspace.lazyFree.freedObjects = 0;
  for (const spec of engine.commands.loaded()) {
    resetCommand(spec);
    for (const sub of spec.subcommands?.values() ?? []) resetCommand(sub);
  }
  for (const reset of engine.info.resets) reset();
}

function resetCommand(spec: CommandSpec): void {
  spec.calls = 0;
  spec.usec = 0;
  spec.failedCalls = 0;
  spec.rejectedCalls = 0;
  spec.histogram = null;
}
