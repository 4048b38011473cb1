/** The settings that decide how values are kept that come out of a file or a payload. */

import type { ReadingLimits } from "../rdb/value.ts";
import type { Engine } from "./engine.ts";

/** The limits as the settings have them now. `deep`: look for keys that come twice, as sanitize-dump-payload may ask. */
export function readingLimits(engine: Engine, deep: boolean): ReadingLimits {
  const { values } = engine.config;
  return {
    deep,
    onDeep: () => {
      engine.stats.payloadSanitizations++;
    },
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
