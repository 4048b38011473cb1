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

/** The topics in the order of the table, and in the one in which a row is looked for: a start makes those that come before its last setting. */
const TOPICS = [
  networkSettings,
  tlsSettings,
  processSettings,
  securitySettings,
  memorySettings,
  typeSettings,
  observabilitySettings,
  persistenceSettings,
  replicationSettings,
  clusterSettings,
];
const SEARCHED = new Set([networkSettings, persistenceSettings, processSettings, memorySettings, ...TOPICS]);

type Topic = (typeof TOPICS)[number];

type Table = ReturnType<typeof networkSettings> &
  ReturnType<typeof tlsSettings> &
  ReturnType<typeof processSettings> &
  ReturnType<typeof securitySettings> &
  ReturnType<typeof memorySettings> &
  ReturnType<typeof typeSettings> &
  ReturnType<typeof observabilitySettings> &
  ReturnType<typeof persistenceSettings> &
  ReturnType<typeof replicationSettings> &
  ReturnType<typeof clusterSettings>;

type Rows = Readonly<Record<string, AnyRow>>;

/** The topics whose rows are made. */
const made = new Map<Topic, Rows>();
let all: Rows | null = null;

function rowsOf(topic: Topic): Rows {
  const rows = made.get(topic);
  if (rows !== undefined) return rows;
  const fresh: Rows = topic();
  made.set(topic, fresh);
  return fresh;
}

/** The row with this name of the table. */
export function settingRow(name: string): AnyRow | undefined {
  for (const topic of SEARCHED) {
    const rows = rowsOf(topic);
    if (Object.hasOwn(rows, name)) return rows[name];
  }
  return undefined;
}

/** All rows by name, in the order of the table. */
export function allSettings(): Rows {
  all ??= Object.assign({}, ...TOPICS.map(rowsOf)) as Rows;
  return all;
}

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
