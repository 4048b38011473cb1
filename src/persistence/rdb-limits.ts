/** The settings that decide how values are kept that come out of a file. */
import type { Engine } from "../engine/engine.ts";
import type { ReadingLimits } from "../rdb/value.ts";

/** The limits as the settings have them now. `deep`: check encodings through and through. */
export function readingLimits(engine: Engine, deep: boolean): ReadingLimits {
  const { values } = engine.config;
  return {
    deep,
    hash: { entries: values.hashMaxListpackEntries, value: values.hashMaxListpackValue },
    list: { fill: values.listMaxListpackSize, depth: values.listCompressDepth, plainMin: engine.debug.listPlainMin },
    set: {
      intsetEntries: values.setMaxIntsetEntries,
      listpackEntries: values.setMaxListpackEntries,
      listpackValue: values.setMaxListpackValue,
    },
    zset: { listpackEntries: values.zsetMaxListpackEntries, listpackValue: values.zsetMaxListpackValue },
  };
}
