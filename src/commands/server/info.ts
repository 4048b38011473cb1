/** INFO: what the server tells about itself, as sections of `field:value` lines. */

import { type Context, command } from "../../engine/context.ts";
import type { Engine } from "../../engine/engine.ts";
import { type CommandLiteral, Flag } from "../../engine/spec/spec.ts";
import { MEMORY_SECTION } from "./info-memory.ts";
import type { InfoField, InfoLine, InfoSection } from "./info-section.ts";
import {
  CLIENTS_SECTION,
  CLUSTER_SECTION,
  CPU_SECTION,
  KEYSPACE_SECTION,
  MODULES_SECTION,
  SERVER_SECTION,
} from "./info-server.ts";
import {
  COMMANDSTATS_SECTION,
  DEBUG_SECTION,
  ERRORSTATS_SECTION,
  LATENCYSTATS_SECTION,
  STATS_SECTION,
} from "./info-stats.ts";
import { PERSISTENCE_SECTION, REPLICATION_SECTION } from "./info-storage.ts";

/** All sections, in the order in which they are shown, whatever the order of the question. */
const SECTIONS: readonly InfoSection[] = [
  SERVER_SECTION,
  CLIENTS_SECTION,
  MEMORY_SECTION,
  PERSISTENCE_SECTION,
  STATS_SECTION,
  REPLICATION_SECTION,
  CPU_SECTION,
  MODULES_SECTION,
  COMMANDSTATS_SECTION,
  ERRORSTATS_SECTION,
  LATENCYSTATS_SECTION,
  CLUSTER_SECTION,
  KEYSPACE_SECTION,
  DEBUG_SECTION,
];

/** The text of INFO with these arguments: section names in any case, `default`, `all`, `everything`; none is `default`. latin1 ("binary"). */
export function infoText(engine: Engine, asked: readonly string[]): string {
  const names = new Set(asked.map((name) => name.toLowerCase()));
  const all = names.has("all") || names.has("everything");
  const usual = names.has("default") || asked.length === 0;
  const parts: string[] = [];
  for (const section of SECTIONS) {
    const wanted =
      section.names.some((name) => names.has(name)) ||
      (all && section.shown !== "hidden") ||
      (usual && section.shown === "default");
    if (wanted) parts.push(sectionText(engine, section));
  }
  return parts.join("\r\n");
}

function sectionText(engine: Engine, section: InfoSection): string {
  let text = `# ${section.title}\r\n`;
  const line: InfoLine = (field, value) => {
    text += `${field}:${value}\r\n`;
  };
  const source = engine.info.section(section.names[0]);
  if (source !== undefined) {
    source(line);
    return text;
  }
  for (const field of section.fields ?? []) writeField(engine, field, line);
  section.lines?.(engine, line);
  return text;
}

function writeField(engine: Engine, [name, value, when]: InfoField, line: InfoLine): void {
  if (typeof when === "string" ? engine.config.personality.name !== when : when?.(engine) === false) return;
  const source = engine.info.field(name);
  if (source !== undefined) line(name, source());
  else line(name, typeof value === "function" ? value(engine) : value);
}

function info(cx: Context): void {
  const asked: string[] = [];
  for (let i = 1; i < cx.argc; i++) asked.push(cx.text(i));
  cx.reply.verbatim(infoText(cx.engine, asked));
}

/** INFO. */
export const INFO_COMMANDS: readonly CommandLiteral[] = [
  command({
    name: "info",
    arity: -1,
    flags: Flag.Loading | Flag.Stale,
    since: "1.0.0",
    group: "server",
    categories: ["dangerous"],
    summary: "Tells about the server: its state, its memory, what it has done.",
    complexity: "O(1)",
    syntax: "[section ...]",
    tips: ["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
    history: [["7.0.0", "Takes several sections."]],
    run: info,
  }),
];
