/**
 * The default values of all settings, as the server reads them. In the executable this file is another, in which they stand in full
 * (scripts/lib/setting-defaults.ts): a start then derives nothing.
 */
import type { ConfigHost } from "../host.ts";
import type { Personality } from "../personality.ts";
import { allSettings, camelCase } from "./settings.ts";

/** A new object with the values of a personality, by their names in `ConfigValues`. */
export function defaultValues(personality: Personality, host: ConfigHost): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  const rows = allSettings();
  for (const name in rows) values[camelCase(name)] = rows[name].type.view(rows[name].type.initial(personality, host));
  return values;
}
