/** COMMAND: what commands there are, how they are called, and which of their arguments are keys. */
import { globMatch } from "../../base/glob.ts";
import { type Context, command } from "../../engine/context.ts";
import { hasKeys, keyPositions, noPositions } from "../../engine/spec/key-positions.ts";
import { CATEGORIES, type CommandSpec, Flag } from "../../engine/spec/spec.ts";
import { ReplyError, SYNTAX } from "../../resp/errors.ts";
import { Request } from "../../resp/request.ts";
import { writeHelp } from "../help.ts";
import { writeDocs, writeInfo, writeKeyFlags } from "./command-reply.ts";

const UNKNOWN_COMMAND = new ReplyError("ERR Invalid command specified");
const NO_KEYS = new ReplyError("ERR The command has no key arguments");
const WRONG_COUNT = new ReplyError("ERR Invalid number of arguments specified for command");
const WRONG_ARGUMENTS = new ReplyError("ERR Invalid arguments specified for command");

const FLAGS = Flag.Loading | Flag.Stale;
const ANY_ORDER = ["nondeterministic_output_order"];

/** Entries of all commands, in COMMAND's form. */
function replyAll(cx: Context): void {
  const { commands } = cx.engine;
  cx.reply.array(commands.size);
  for (const spec of commands.all()) writeInfo(cx.reply, spec);
}

function info(cx: Context): void {
  if (cx.argc === 2) {
    replyAll(cx);
    return;
  }
  cx.reply.array(cx.argc - 2);
  for (let i = 2; i < cx.argc; i++) writeInfo(cx.reply, cx.engine.commands.lookup(cx.text(i)));
}

function docs(cx: Context): void {
  const { commands } = cx.engine;
  const named = cx.argc > 2;
  const specs = named ? Array.from({ length: cx.argc - 2 }, (_, i) => commands.lookup(cx.text(i + 2))) : commands.all();
  const known = specs.filter((spec) => spec !== undefined);
  cx.reply.map(known.length);
  for (const spec of known) {
    cx.reply.bulkText(spec.fullName);
    writeDocs(cx.reply, spec);
  }
}

/** Which commands COMMAND LIST names. */
type Filter = (spec: CommandSpec) => boolean;

function listFilter(cx: Context): Filter {
  if (cx.argc === 2) return () => true;
  if (cx.argc !== 5 || !cx.isToken(2, "filterby")) throw SYNTAX;
  // There are no modules, hence no module's commands.
  if (cx.isToken(3, "module")) return () => false;
  if (cx.isToken(3, "aclcat")) {
    const index = CATEGORIES.findIndex((name) => cx.isToken(4, name));
    return (spec) => index >= 0 && (spec.categories & (1 << index)) !== 0;
  }
  if (!cx.isToken(3, "pattern")) throw SYNTAX;
  const encoder = new TextEncoder();
  return (spec) => {
    const name = encoder.encode(spec.fullName);
    return globMatch(cx.buf, cx.start[4], cx.length[4], name, 0, name.length, true);
  };
}

function list(cx: Context): void {
  const passes = listFilter(cx);
  const names: string[] = [];
  for (const spec of cx.engine.commands.all()) {
    if (passes(spec)) names.push(spec.fullName);
    for (const sub of spec.subcommands?.values() ?? []) if (passes(sub)) names.push(sub.fullName);
  }
  cx.reply.array(names.length);
  for (const name of names) cx.reply.bulkText(name);
}

/** The command that the arguments from 2 on name, with them as its own request. */
function namedRequest(cx: Context): { spec: CommandSpec; request: Request } {
  const request = new Request();
  request.buf = cx.buf;
  for (let i = 2; i < cx.argc; i++) request.push(cx.start[i], cx.length[i]);
  const { commands } = cx.engine;
  let spec = commands.find(cx.buf, cx.start[2], cx.length[2]);
  if (spec !== null && spec.subcommands !== null && cx.argc > 3)
    spec = commands.findSub(spec, cx.buf, cx.start[3], cx.length[3]);
  if (spec === null) throw UNKNOWN_COMMAND;
  return { spec, request };
}

function replyKeys(cx: Context, withFlags: boolean): void {
  const { spec, request } = namedRequest(cx);
  if (!hasKeys(spec)) throw NO_KEYS;
  if (!spec.arityFits(request.count)) throw WRONG_COUNT;
  const found = noPositions();
  const count = keyPositions(spec, request, found);
  if (count <= 0 && (spec.flags & Flag.NoMandatoryKeys) === 0) throw WRONG_ARGUMENTS;
  cx.reply.array(found.indexes.length);
  found.indexes.forEach((index, i) => {
    if (withFlags) cx.reply.array(2);
    cx.reply.bulk(request.buf, request.start[index], request.length[index]);
    if (withFlags) writeKeyFlags(cx.reply, found.flags[i]);
  });
}

const HELP = [
  "(no subcommand)",
  "    Describe every command in the form of INFO.",
  "COUNT",
  "    The number of commands.",
  "LIST",
  "    The names of all commands, or of those that a filter lets pass.",
  "INFO [<command-name> ...]",
  "    Arity, flags, ACL categories, keys and subcommands of the named",
  "    commands, or of all.",
  "DOCS [<command-name> ...]",
  "    Documentation and arguments of the named commands, or of all.",
  "GETKEYS <full-command>",
  "    Which arguments of a command line are keys.",
  "GETKEYSANDFLAGS <full-command>",
  "    The same, with what is done to each key.",
];

const SUBCOMMANDS = [
  command({
    name: "count",
    arity: 2,
    flags: FLAGS,
    since: "2.8.13",
    group: "server",
    summary: "Counts the commands of this server.",
    complexity: "O(1)",
    categories: ["connection"],
    run: (cx) => cx.reply.integer(cx.engine.commands.size),
  }),
  command({
    name: "docs",
    arity: -2,
    flags: FLAGS,
    since: "7.0.0",
    group: "server",
    summary: "Documents commands: summary, group, history and arguments.",
    complexity: "O(N) for N commands",
    categories: ["connection"],
    syntax: "[command-name ...]",
    tips: ANY_ORDER,
    run: docs,
  }),
  command({
    name: "getkeys",
    arity: -3,
    flags: FLAGS,
    since: "2.8.13",
    group: "server",
    summary: "Finds the keys in the arguments of a command.",
    complexity: "O(N) for N arguments of the command",
    categories: ["connection"],
    syntax: "command [arg ...]",
    run: (cx) => replyKeys(cx, false),
  }),
  command({
    name: "getkeysandflags",
    arity: -3,
    flags: FLAGS,
    since: "7.0.0",
    group: "server",
    summary: "Finds the keys in the arguments of a command, and what it does to each.",
    complexity: "O(N) for N arguments of the command",
    categories: ["connection"],
    syntax: "command [arg ...]",
    run: (cx) => replyKeys(cx, true),
  }),
  command({
    name: "help",
    arity: 2,
    flags: FLAGS,
    since: "5.0.0",
    group: "server",
    summary: "Explains the subcommands of COMMAND.",
    complexity: "O(1)",
    categories: ["connection"],
    run: (cx) => writeHelp(cx, HELP),
  }),
  command({
    name: "info",
    arity: -2,
    flags: FLAGS,
    since: "2.8.13",
    group: "server",
    summary: "Describes the named commands, or all of them.",
    complexity: "O(N) for N commands",
    categories: ["connection"],
    syntax: "[command-name ...]",
    tips: ANY_ORDER,
    history: [["7.0.0", "Without names it answers for all commands."]],
    run: info,
  }),
  command({
    name: "list",
    arity: -2,
    flags: FLAGS,
    since: "7.0.0",
    group: "server",
    summary: "Lists the names of commands.",
    complexity: "O(N) for N commands",
    categories: ["connection"],
    syntax: "[FILTERBY filterby=<MODULE module-name | ACLCAT category | PATTERN pattern:pattern>]",
    tips: ANY_ORDER,
    run: list,
  }),
];

export const COMMAND_COMMANDS = [
  command({
    name: "command",
    arity: -1,
    flags: FLAGS,
    since: "2.8.13",
    group: "server",
    summary: "Describes every command of this server.",
    complexity: "O(N) for N commands",
    categories: ["connection"],
    tips: ANY_ORDER,
    subcommands: SUBCOMMANDS,
    run: replyAll,
  }),
];
