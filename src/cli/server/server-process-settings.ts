/** Puts the settings that concern the process itself into effect: at the start, and whenever CONFIG SET changes them. */
import type { Config } from "../../config/config.ts";
import type { Engine } from "../../engine/engine.ts";
import type { OomScore } from "./oom-score.ts";
import { processTitle, setProcessTitle } from "./process-title.ts";

/** Shows the title that the settings ask for. `program` is the name that the server was started under. */
export function showTitle(config: Config, program: string): null {
  if (config.values.setProcTitle) setProcessTitle(processTitle(config, program));
  return null;
}

/** Applies the settings; the first title is left to showTitle(). False, and the reason is in the log, when the server must not start. */
export function applyProcessSettings(engine: Engine, program: string, oomScore: OomScore): boolean {
  const { config, log } = engine;
  config.onApply("proc-title-template", () => showTitle(config, program));
  oomScore.apply();
  config.onApply(["oom-score-adj", "oom-score-adj-values"], () =>
    oomScore.apply() ? null : "Failed to set current oom_score_adj. Check server logs.",
  );

  const { serverCpulist } = config.values;
  if (serverCpulist !== "") {
    // Loaded here, because few ask for it.
    const { pinThread } = require("../../base/cpu-affinity.ts") as typeof import("../../base/cpu-affinity.ts");
    if (!pinThread(serverCpulist)) log.warning(`server-cpulist has no effect: '${serverCpulist}' names no processors`);
  }

  config.onApply("locale-collate", () => (isLocale(config.values.localeCollate) ? null : "Invalid locale name"));
  if (isLocale(config.values.localeCollate)) return true;
  log.warning("Failed to configure LOCALE for invalid locale name.");
  return false;
}

/** Names such as "de_DE.UTF-8", "C", and "" for what the environment says. */
function isLocale(name: string): boolean {
  if (name === "") return true;
  if (/^(?:C|POSIX)(?:\.[\w-]+)?$/.test(name)) return true;
  const [, tag] = /^([A-Za-z]{2,3}(?:_[A-Za-z]{2})?)(?:\.[\w-]+)?(?:@\w+)?$/.exec(name) ?? [];
  if (tag === undefined) return false;
  return Intl.Collator.supportedLocalesOf([tag.replace("_", "-")]).length > 0;
}
