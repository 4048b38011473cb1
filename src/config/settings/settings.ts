/**
 * The table of settings: every directive of Redis 7.2's and Valkey 8's configuration that has a value, one row each, put
 * together from the topics. A row's key is its name in config files; in code the same value is
 * `config.values.<camelCaseName>`.
 */

import type { AnyRow, Row } from "./setting.ts";
import { clusterSettings } from "./settings-cluster.ts";
import { memorySettings } from "./settings-memory.ts";
import { networkSettings } from "./settings-network.ts";
import { observabilitySettings } from "./settings-observability.ts";
import { persistenceSettings } from "./settings-persistence.ts";
import { processSettings } from "./settings-process.ts";
import { replicationSettings } from "./settings-replication.ts";
import { securitySettings } from "./settings-security.ts";
import { tlsSettings } from "./settings-tls.ts";
import { typeSettings } from "./settings-types.ts";

/** All rows by name. */
export const SETTINGS = {
  ...networkSettings,
  ...tlsSettings,
  ...processSettings,
  ...securitySettings,
  ...memorySettings,
  ...typeSettings,
  ...observabilitySettings,
  ...persistenceSettings,
  ...replicationSettings,
  ...clusterSettings,
} satisfies Record<string, AnyRow>;

type Table = typeof SETTINGS;

/** The name of a setting as the table has it: Redis' name, never an alias. */
export type SettingName = keyof Table;

type CamelCase<S extends string> = S extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : S;

type ViewOf<R> = R extends Row<infer _Raw, infer View> ? View : never;

/** The values of all settings, for reading: `values.maxmemory`, `values.maxmemoryPolicy`. Numbers are in the unit the row names. */
export type ConfigValues = { readonly [Name in SettingName as CamelCase<Name>]: ViewOf<Table[Name]> };

/** Directives that older versions had: accepted with exactly one argument, and without effect. */
export const RETIRED_DIRECTIVES: ReadonlySet<string> = new Set([
  "list-max-ziplist-entries",
  "list-max-ziplist-value",
  "lua-replicate-commands",
]);

/** The key of a setting in `ConfigValues`. */
export function camelCase(name: string): string {
  let key = "";
  let start = 0;
  for (let dash = name.indexOf("-"); dash >= 0; dash = name.indexOf("-", start)) {
    key += name.slice(start, dash) + name[dash + 1].toUpperCase();
    start = dash + 2;
  }
  return key + name.slice(start);
}
