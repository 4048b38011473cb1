/** How a command's metadata is replied: the ten-part entry of COMMAND INFO, and the map of COMMAND DOCS. */
import {
  CATEGORIES,
  type CommandLiteral,
  type CommandSpec,
  FLAG_NAMES,
  KEY_FLAG_NAMES,
  type KeySpec,
} from "../../engine/spec/spec.ts";
import { type Argument, parseSyntax } from "../../engine/spec/syntax.ts";
import type { ReplyWriter } from "../../resp/writer.ts";

/** An entry of COMMAND and COMMAND INFO; null: an unknown name. */
export function writeInfo(reply: ReplyWriter, spec: CommandSpec | null | undefined): void {
  if (spec === null || spec === undefined) {
    reply.nil();
    return;
  }
  const { literal } = spec;
  reply.array(10);
  reply.bulkText(spec.fullName);
  reply.integer(spec.arity);
  writeStatuses(
    reply,
    FLAG_NAMES.filter(([bit]) => (spec.flags & bit) !== 0).map(([, name]) => name),
  );
  reply.integer(spec.firstKey);
  reply.integer(spec.lastKey);
  reply.integer(spec.keyStep);
  writeStatuses(
    reply,
    CATEGORIES.filter((_, i) => (spec.categories & (1 << i)) !== 0).map((name) => `@${name}`),
  );
  const tips = literal.tips ?? [];
  reply.set(tips.length);
  for (const tip of tips) reply.bulkText(tip);
  const keys = literal.keys ?? [];
  reply.set(keys.length);
  for (const key of keys) writeKeySpec(reply, key);
  const subcommands = [...(spec.subcommands?.values() ?? [])];
  if (subcommands.length === 0) reply.set(0);
  else reply.array(subcommands.length);
  for (const sub of subcommands) writeInfo(reply, sub);
}

function writeStatuses(reply: ReplyWriter, words: readonly string[]): void {
  reply.set(words.length);
  for (const word of words) reply.status(word);
}

/** The flags of a key spec, in words. */
export function writeKeyFlags(reply: ReplyWriter, flags: string): void {
  const words = flags.split(" ");
  writeStatuses(
    reply,
    KEY_FLAG_NAMES.filter((name) => words.includes(name)),
  );
}

/** A part of a key spec: its type, and a map of numbers and words. */
function writeStep(
  reply: ReplyWriter,
  name: string,
  type: string,
  fields: Readonly<Record<string, number | string>>,
): void {
  reply.bulkText(name);
  reply.map(2);
  reply.bulkText("type");
  reply.bulkText(type);
  reply.bulkText("spec");
  const entries = Object.entries(fields);
  reply.map(entries.length);
  for (const [field, value] of entries) {
    reply.bulkText(field);
    if (typeof value === "number") reply.integer(value);
    else reply.bulkText(value);
  }
}

function writeKeySpec(reply: ReplyWriter, key: KeySpec): void {
  reply.map(key.notes === undefined ? 3 : 4);
  if (key.notes !== undefined) writeText(reply, "notes", key.notes);
  reply.bulkText("flags");
  writeKeyFlags(reply, key.flags);
  const { begin, find } = key;
  if (begin === "unknown") writeStep(reply, "begin_search", "unknown", {});
  else if ("index" in begin) writeStep(reply, "begin_search", "index", { index: begin.index });
  else writeStep(reply, "begin_search", "keyword", { keyword: begin.keyword, startfrom: begin.startFrom });
  if (find === "unknown") writeStep(reply, "find_keys", "unknown", {});
  else if ("lastKey" in find)
    writeStep(reply, "find_keys", "range", { lastkey: find.lastKey, keystep: find.step, limit: find.limit });
  else
    writeStep(reply, "find_keys", "keynum", {
      keynumidx: find.keyNumIndex,
      firstkey: find.firstKey,
      keystep: find.step,
    });
}

function writeText(reply: ReplyWriter, name: string, value: string): void {
  reply.bulkText(name);
  reply.bulkText(value);
}

/** Writes a field when there is a value, and tells how many fields that were. */
function writeOptional(reply: ReplyWriter, name: string, value: string | null | undefined): number {
  if (value === null || value === undefined || value === "") return 0;
  writeText(reply, name, value);
  return 1;
}

/** The documentation of a command: a map without its name. */
export function writeDocs(reply: ReplyWriter, spec: CommandSpec): void {
  const { literal } = spec;
  const start = reply.beginDeferred();
  let fields = writeOptional(reply, "summary", literal.summary);
  fields += writeOptional(reply, "since", literal.since);
  fields += writeOptional(reply, "group", literal.group);
  fields += writeOptional(reply, "complexity", literal.complexity);
  fields += writeDocFlags(reply, literal);
  fields += writeOptional(reply, "deprecated_since", literal.deprecatedSince);
  fields += writeOptional(reply, "replaced_by", literal.replacedBy);
  fields += writeHistory(reply, literal);
  const tree = literal.syntax === undefined || literal.syntax === "" ? [] : parseSyntax(literal.syntax);
  if (tree.length > 0) {
    fields++;
    writeArguments(reply, tree);
  }
  if (spec.subcommands !== null) {
    fields++;
    reply.bulkText("subcommands");
    reply.map(spec.subcommands.size);
    for (const sub of spec.subcommands.values()) {
      reply.bulkText(sub.fullName);
      writeDocs(reply, sub);
    }
  }
  reply.endDeferred(start, fields, "map");
}

function writeDocFlags(reply: ReplyWriter, literal: CommandLiteral): number {
  const flags = new Set(literal.docFlags);
  if (literal.deprecatedSince !== undefined) flags.add("deprecated");
  if (flags.size === 0) return 0;
  reply.bulkText("doc_flags");
  writeStatuses(reply, [...flags]);
  return 1;
}

function writeHistory(reply: ReplyWriter, literal: CommandLiteral): number {
  if (literal.history === undefined || literal.history.length === 0) return 0;
  reply.bulkText("history");
  reply.set(literal.history.length);
  for (const [version, change] of literal.history) {
    reply.array(2);
    reply.bulkText(version);
    reply.bulkText(change);
  }
  return 1;
}

function writeArguments(reply: ReplyWriter, tree: readonly Argument[]): void {
  reply.bulkText("arguments");
  reply.array(tree.length);
  for (const node of tree) writeArgument(reply, node);
}

function writeArgument(reply: ReplyWriter, node: Argument): void {
  const isGroup = node.type === "oneof" || node.type === "block";
  const start = reply.beginDeferred();
  let fields = 2;
  writeText(reply, "name", node.name);
  writeText(reply, "type", node.type);
  if (!isGroup) fields += writeOptional(reply, "display_text", node.displayText ?? node.name);
  if (node.keySpecIndex >= 0) {
    fields++;
    reply.bulkText("key_spec_index");
    reply.integer(node.keySpecIndex);
  }
  fields += writeOptional(reply, "token", node.token);
  fields += writeOptional(reply, "since", node.since);
  fields += writeOptional(reply, "deprecated_since", node.deprecatedSince);
  const flags: string[] = [];
  if (node.optional) flags.push("optional");
  if (node.multiple) flags.push("multiple");
  if (node.multipleToken) flags.push("multiple_token");
  if (flags.length > 0) {
    fields++;
    reply.bulkText("flags");
    writeStatuses(reply, flags);
  }
  if (isGroup) {
    fields++;
    writeArguments(reply, node.arguments);
  }
  reply.endDeferred(start, fields, "map");
}
