// A command's metadata as text, field by field, from the replies of COMMAND INFO and COMMAND DOCS: what two servers can be compared by.

import { type Argument, argument } from "../../src/engine/spec/syntax.ts";
import { printSyntax } from "../engine/syntax-printer.ts";
import type { Reply } from "../support/transcript-reply.ts";

/** Field name -> text. Fields that a command does not have are absent. */
export type Metadata = Map<string, string>;

/** Versions after this one are not in the server that we compare with. */
const ORACLE_MAJOR_MINOR = 7.0;

/** Metadata of all commands and subcommands in replies of COMMAND INFO and COMMAND DOCS, by full name. */
export function readMetadata(info: Reply, docs: Reply): Map<string, Metadata> {
  const all = new Map<string, Metadata>();
  for (const entry of items(info)) readInfo(entry, all);
  const pairs = items(docs);
  for (let i = 0; i < pairs.length; i += 2) readDocs(text(pairs[i]), pairs[i + 1], all);
  return all;
}

function items(reply: Reply): Reply[] {
  if (!("items" in reply)) throw new Error(`no aggregate: ${JSON.stringify(reply)}`);
  return reply.items;
}

function text(reply: Reply): string {
  if ("text" in reply) return reply.text;
  if (reply.kind === "integer") return String(reply.value);
  throw new Error(`no text: ${JSON.stringify(reply)}`);
}

/** A map of either protocol: RESP2 writes it as an array. */
function fields(reply: Reply): Map<string, Reply> {
  const list = items(reply);
  const map = new Map<string, Reply>();
  for (let i = 0; i < list.length; i += 2) map.set(text(list[i]), list[i + 1]);
  return map;
}

const INFO_FIELDS = ["arity", "flags", "first", "last", "step", "categories", "tips", "keys"];

function readInfo(entry: Reply, all: Map<string, Metadata>): void {
  const parts = items(entry);
  const metadata: Metadata = new Map();
  all.set(text(parts[0]), metadata);
  INFO_FIELDS.forEach((field, i) => {
    const part = parts[i + 1];
    if (field === "keys") metadata.set(field, items(part).map(keySpecText).join("; "));
    else metadata.set(field, "items" in part ? part.items.map(text).join(" ") : text(part));
  });
  for (const sub of items(parts[9])) readInfo(sub, all);
}

/** Everything of a key spec but its notes, which are prose. */
function keySpecText(spec: Reply): string {
  const map = fields(spec);
  map.delete("notes");
  return [...map].map(([name, value]) => `${name}=${shape(value)}`).join(" ");
}

function shape(reply: Reply): string {
  return "items" in reply ? `(${reply.items.map(shape).join(" ")})` : text(reply);
}

function readDocs(name: string, docs: Reply, all: Map<string, Metadata>): void {
  const metadata = all.get(name);
  if (metadata === undefined) throw new Error(`COMMAND DOCS names ${name}, COMMAND INFO does not`);
  const map = fields(docs);
  for (const field of ["since", "group", "deprecated_since"]) {
    const value = map.get(field);
    if (value !== undefined) metadata.set(field, text(value));
  }
  // Prose is each server's own: only its presence is compared.
  for (const field of ["summary", "complexity", "replaced_by"]) if (map.has(field)) metadata.set(field, "present");
  const history = map.get("history");
  if (history !== undefined) {
    const versions = items(history).map((entry) => text(items(entry)[0]));
    const old = versions.filter((version) => !isNewer(version));
    if (old.length > 0) metadata.set("history", [...new Set(old)].join(" "));
  }
  const flags = map.get("doc_flags");
  if (flags !== undefined) metadata.set("doc_flags", items(flags).map(text).join(" "));
  const tree = map.get("arguments");
  if (tree !== undefined) {
    const known = items(tree)
      .map(readArgument)
      .map(withoutNewer)
      .filter((node) => node !== null);
    if (known.length > 0) metadata.set("arguments", printSyntax(known));
  }
  const subcommands = map.get("subcommands");
  if (subcommands === undefined) return;
  for (const [subName, subDocs] of fields(subcommands)) readDocs(subName, subDocs, all);
}

function readArgument(reply: Reply): Argument {
  const map = fields(reply);
  const result = argument("", "string");
  const known: Readonly<Record<string, (value: Reply) => void>> = {
    // The older server writes some names with underscores, other signs or capitals; the newer one has settled that.
    name: (value) => {
      result.name = text(value).toLowerCase().replace(/[_:/]/g, "-");
    },
    type: (value) => {
      result.type = text(value) as Argument["type"];
    },
    token: (value) => {
      result.token = text(value).toUpperCase();
    },
    since: (value) => {
      result.since = text(value);
    },
    deprecated_since: (value) => {
      result.deprecatedSince = text(value);
    },
    key_spec_index: (value) => {
      result.keySpecIndex = Number(text(value));
    },
    // Only newer servers have it.
    display_text: () => {},
    flags: (value) => {
      const flags = items(value).map(text);
      result.optional = flags.includes("optional");
      result.multiple = flags.includes("multiple");
      result.multipleToken = flags.includes("multiple_token");
    },
    arguments: (value) => {
      result.arguments = items(value).map(readArgument);
    },
  };
  for (const [name, value] of map) {
    if (known[name] === undefined) throw new Error(`unknown field of an argument: ${name}`);
    known[name](value);
  }
  return result;
}

function isNewer(version: string): boolean {
  const [major, minor] = version.split(".");
  return Number(`${major}.${minor}`) > ORACLE_MAJOR_MINOR;
}

/** The argument without what came after the oracle's version; null when nothing is left. */
function withoutNewer(node: Argument): Argument | null {
  if (node.since !== null && isNewer(node.since)) return null;
  if (node.type !== "oneof" && node.type !== "block") return node;
  const members = node.arguments.map(withoutNewer).filter((member) => member !== null);
  if (members.length === 0) return null;
  // Newer servers renamed most groups; a group's name is shown nowhere.
  return { ...node, name: "group", arguments: members };
}

/** Differences of two metadata, one line a field. */
export function compareMetadata(ours: Metadata, theirs: Metadata): Map<string, string> {
  const differences = new Map<string, string>();
  for (const field of new Set([...ours.keys(), ...theirs.keys()])) {
    const a = ours.get(field) ?? "(absent)";
    const b = theirs.get(field) ?? "(absent)";
    if (a !== b) differences.set(field, `ours ${a}\n    theirs ${b}`);
  }
  return differences;
}

/** All argument trees in a reply of COMMAND DOCS, those of subcommands included. */
export function readArguments(docs: Reply): Argument[][] {
  const trees: Argument[][] = [];
  for (const entry of fields(docs).values()) {
    const map = fields(entry);
    const tree = map.get("arguments");
    if (tree !== undefined) trees.push(items(tree).map(readArgument));
    const subcommands = map.get("subcommands");
    if (subcommands !== undefined) trees.push(...readArguments(subcommands));
  }
  return trees;
}

/** A RESP3 reply as RESP2 would write it, as far as aggregates go. */
export function flattened(reply: Reply): Reply {
  if (!("items" in reply)) return reply;
  return { kind: "array", items: reply.items.map(flattened) };
}

/** The kinds of a RESP3 reply of COMMAND DOCS, with the names of its fields but without their values, which are each server's own. */
export function docsShape(reply: Reply): unknown {
  if (!("items" in reply)) return reply.kind;
  if (reply.kind !== "map") return [reply.kind, ...reply.items.map(docsShape)];
  const shapes: [string, unknown][] = [];
  for (const [name, value] of fields(reply)) if (name !== "display_text") shapes.push([name, docsShape(value)]);
  return shapes;
}

/** An entry of COMMAND INFO without notes. */
export function withoutNotes(reply: Reply): Reply {
  if (!("items" in reply)) return reply;
  const kept = reply.items.map(withoutNotes);
  if (kept.length > 0 && "text" in kept[0] && kept[0].text === "notes") kept.splice(0, 2);
  return { ...reply, items: kept };
}

/** The summary of the only command in a reply of COMMAND DOCS. */
export function summaryOf(docs: Reply): string {
  const [entry] = fields(docs).values();
  return text(fields(entry).get("summary") as Reply);
}
