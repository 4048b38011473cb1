/** CLIENT: what connections are there, what this one is, and what may be done with them. Help is in client-help.ts, filters in client-filter.ts. */
import { untilNul } from "../../base/bytes.ts";
import { type Client, ClientFlag } from "../../engine/client/client.ts";
import { clientLine, validateClientWord } from "../../engine/client/client-list.ts";
import { Pause } from "../../engine/client/client-pause.ts";
import { type Context, command } from "../../engine/context.ts";
import { Flag } from "../../engine/spec/spec.ts";
import { unknownSubcommand } from "../../engine/spec/unknown-command.ts";
import {
  ReplyError,
  SYNTAX,
  TIMEOUT_NEGATIVE,
  TIMEOUT_NOT_AN_INTEGER,
  TIMEOUT_OUT_OF_RANGE,
} from "../../resp/errors.ts";
import { writeHelp } from "../help.ts";
import { ClientFilter, type IdErrors, parseClientFilter } from "./client-filter.ts";
import { CLIENT_HELP } from "./client-help.ts";
import { closeAfterReply } from "./connection.ts";

const USER = Flag.Noscript | Flag.Loading | Flag.Stale;
const ADMIN = USER | Flag.Admin;
const INT64_MAX = 9223372036854775807n;

const NO_SUCH_CLIENT = new ReplyError("ERR No such client");
const ID_NOT_POSITIVE = new ReplyError("ERR client-id should be greater than 0");
const INVALID_ID = new ReplyError("ERR Invalid client ID");
const PAUSE_MODE = new ReplyError("ERR CLIENT PAUSE mode must be WRITE or ALL");
const UNBLOCK_REASON = new ReplyError("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");

const LIST_ID_ERRORS: IdErrors = { notANumber: INVALID_ID, laterNotANumber: INVALID_ID, notPositive: null };
const KILL_ID_ERRORS: IdErrors = {
  notANumber: ID_NOT_POSITIVE,
  laterNotANumber: null,
  notPositive: ID_NOT_POSITIVE,
};

function list(cx: Context): void {
  const { client: me, engine } = cx;
  const filter = parseClientFilter(cx, 2, false, LIST_ID_ERRORS);
  let text = "";
  if (filter.ids === null) {
    for (const client of engine.clients.values()) if (filter.matches(client, me)) text += lineOf(cx, client);
  } else {
    for (const id of filter.ids) {
      const client = engine.clients.get(id);
      if (client !== undefined && filter.matches(client, me)) text += lineOf(cx, client);
    }
  }
  cx.reply.verbatim(text);
}

function lineOf(cx: Context, client: Client): string {
  return `${clientLine(cx.engine, client)}\n`;
}

function kill(cx: Context): void {
  const { client: me, engine } = cx;
  const oldForm = cx.argc === 3;
  let filter: ClientFilter;
  if (oldForm) {
    const address = cx.text(2);
    filter = new ClientFilter(false);
    filter.add((client) => client.link.address === address);
  } else {
    filter = parseClientFilter(cx, 2, true, KILL_ID_ERRORS);
  }
  let count = 0;
  let killsMe = false;
  for (const client of engine.clients.values()) {
    if (!filter.matches(client, me)) continue;
    count++;
    if (client === me) killsMe = true;
    else client.link.close();
  }
  if (!oldForm) cx.reply.integer(count);
  else if (count > 0) cx.reply.ok();
  else throw NO_SUCH_CLIENT;
  if (killsMe) closeAfterReply(me);
}

function setInfo(cx: Context): void {
  const attribute = untilNul(cx.text(2));
  const isName = cx.isToken(2, "lib-name");
  if (!isName && !cx.isToken(2, "lib-ver")) throw new ReplyError(`ERR Unrecognized option '${attribute}'`);
  const value = cx.text(3);
  validateClientWord(value, attribute);
  if (isName) cx.client.libName = value;
  else cx.client.libVersion = value;
  cx.reply.ok();
}

/** True for "on", false for "off" in argument `i`; anything else is a syntax error. */
function onOrOff(cx: Context, i: number): boolean {
  if (cx.isToken(i, "on")) return true;
  if (cx.isToken(i, "off")) return false;
  throw SYNTAX;
}

function setFlag(cx: Context, flag: number): void {
  if (onOrOff(cx, 2)) cx.client.set(flag);
  else cx.client.unset(flag);
  cx.reply.ok();
}

function replyMode(cx: Context): void {
  const { client } = cx;
  if (cx.isToken(2, "on")) {
    client.unset(ClientFlag.ReplyOff | ClientFlag.ReplySkip);
    cx.reply.ok();
  } else if (cx.isToken(2, "off")) {
    client.set(ClientFlag.ReplyOff);
  } else if (cx.isToken(2, "skip")) {
    if (!client.has(ClientFlag.ReplyOff)) client.set(ClientFlag.ReplySkipNext);
  } else {
    throw SYNTAX;
  }
}

/** Unix time in ms at which a timeout of argument `i` milliseconds is over; 0 for a timeout of 0. */
function deadlineMs(cx: Context, i: number): number {
  const timeoutMs = cx.bigInteger(i, TIMEOUT_NOT_AN_INTEGER);
  if (timeoutMs < 0n) throw TIMEOUT_NEGATIVE;
  if (timeoutMs > INT64_MAX - BigInt(cx.nowMs)) throw TIMEOUT_OUT_OF_RANGE;
  return timeoutMs === 0n ? 0 : Number(timeoutMs) + cx.nowMs;
}

function pause(cx: Context): void {
  if (cx.argc > 4) throw wrongSubcommandArity(cx);
  let what: number = Pause.All;
  if (cx.argc === 4) {
    if (cx.isToken(3, "write")) what = Pause.Writes;
    else if (!cx.isToken(3, "all")) throw PAUSE_MODE;
  }
  cx.engine.pause.start(what, deadlineMs(cx, 2));
  cx.reply.ok();
}

function unblock(cx: Context): void {
  if (cx.argc > 4) throw wrongSubcommandArity(cx);
  let withError = false;
  if (cx.argc === 4) {
    if (cx.isToken(3, "error")) withError = true;
    else if (!cx.isToken(3, "timeout")) throw UNBLOCK_REASON;
  }
  const client = cx.engine.clients.get(Number(cx.bigInteger(2)));
  const done = client !== undefined && cx.engine.blocking.unblock(client, withError);
  cx.reply.integer(done ? 1 : 0);
}

/** The error of a subcommand whose own check of its arguments failed. */
function wrongSubcommandArity(cx: Context): ReplyError {
  return new ReplyError(
    `ERR unknown subcommand or wrong number of arguments for '${untilNul(cx.text(1))}'. Try CLIENT HELP.`,
  );
}

function capabilities(cx: Context): void {
  const container = cx.spec.parent;
  if (!cx.engine.config.personality.valkeyCommands && container !== null) throw unknownSubcommand(cx, container);
  for (let i = 2; i < cx.argc; i++) if (cx.isToken(i, "redirect")) cx.client.redirects = true;
  cx.reply.ok();
}

/** What all subcommands have in common. */
const COMMON = { group: "connection", categories: ["connection"] } as const;
const CONSTANT = "O(1)";
const PER_CLIENT = "O(N), N being the number of connections";

/** Filters that LIST and KILL came to share late. */
const LATE_FILTERS = [
  "[NAME client-name@9.0.0]",
  "[IDLE idle:integer@9.0.0]",
  "[FLAGS flags@9.0.0]",
  "[LIB-NAME lib-name@9.0.0]",
  "[LIB-VER lib-ver@9.0.0]",
  "[DB db:integer@9.0.0]",
  "[CAPA capability@9.0.0]",
  "[IP ip@9.0.0]",
];
const LIST_FILTERS = [
  "[TYPE client-type=<NORMAL | MASTER | REPLICA | PUBSUB>@5.0.0]",
  "[ID client-id:integer@6.2.0 ...]",
  "[USER username@8.1.0]",
  "[ADDR addr(ip:port)@8.1.0]",
  "[LADDR laddr(ip:port)@8.1.0]",
  "[SKIPME skipme=<YES | NO>@8.1.0]",
  "[MAXAGE maxage:integer@8.1.0]",
  ...LATE_FILTERS,
];
const KILL_FILTERS = [
  "[ID client-id:integer@2.8.12]",
  "[TYPE client-type=<NORMAL | MASTER@3.2.0 | SLAVE | REPLICA@5.0.0 | PUBSUB>@2.8.12]",
  "[USER username]",
  "[ADDR addr(ip:port)]",
  "[LADDR laddr(ip:port)@6.2.0]",
  "[SKIPME skipme=<YES | NO>]",
  "[MAXAGE maxage:integer@7.4.0]",
  ...LATE_FILTERS,
];

const ABOUT_THIS_CONNECTION = [
  command({
    ...COMMON,
    name: "id",
    arity: 2,
    flags: USER,
    since: "5.0.0",
    summary: "Tells the number that no other connection has or will have.",
    complexity: CONSTANT,
    run(cx) {
      cx.reply.integer(cx.client.id);
    },
  }),
  command({
    ...COMMON,
    name: "info",
    arity: 2,
    flags: USER,
    since: "6.2.0",
    summary: "Describes the connection that asks.",
    complexity: CONSTANT,
    tips: ["nondeterministic_output"],
    run(cx) {
      cx.reply.verbatim(lineOf(cx, cx.client));
    },
  }),
  command({
    ...COMMON,
    name: "getname",
    arity: 2,
    flags: USER,
    since: "2.6.9",
    summary: "Tells the name given to the connection.",
    complexity: CONSTANT,
    run(cx) {
      if (cx.client.name === "") cx.reply.nil();
      else cx.reply.bulkText(cx.client.name);
    },
  }),
  command({
    ...COMMON,
    name: "setname",
    arity: 3,
    flags: USER,
    since: "2.6.9",
    summary: "Gives the connection a name, or takes it away.",
    complexity: CONSTANT,
    syntax: "connection-name",
    tips: ["request_policy:all_nodes", "response_policy:all_succeeded"],
    run(cx) {
      const name = cx.text(2);
      validateClientWord(name, "Client names");
      cx.client.name = name;
      cx.reply.ok();
    },
  }),
  command({
    ...COMMON,
    name: "setinfo",
    arity: 4,
    flags: USER,
    since: "7.2.0",
    summary: "Records which library, in which version, is behind the connection.",
    complexity: CONSTANT,
    syntax: "attr=<LIB-NAME libname | LIB-VER libver>",
    tips: ["request_policy:all_nodes", "response_policy:all_succeeded"],
    run: setInfo,
  }),
  command({
    ...COMMON,
    name: "reply",
    arity: 3,
    flags: USER,
    since: "3.2.0",
    summary: "Switches replies to the connection off and on.",
    complexity: CONSTANT,
    syntax: "action=<ON | OFF | SKIP>",
    run: replyMode,
  }),
  command({
    ...COMMON,
    name: "no-evict",
    arity: 3,
    flags: ADMIN,
    since: "7.0.0",
    summary: "Protects the connection from being closed when clients need too much memory.",
    complexity: CONSTANT,
    syntax: "enabled=<ON | OFF>",
    run(cx) {
      setFlag(cx, ClientFlag.NoEvict);
      cx.engine.clientLimit?.note(cx.client);
    },
  }),
  command({
    ...COMMON,
    name: "no-touch",
    arity: 3,
    flags: USER,
    since: "7.2.0",
    summary: "Lets the connection's commands leave no trace in the access times and counters of keys.",
    complexity: CONSTANT,
    syntax: "enabled=<ON | OFF>",
    run(cx) {
      setFlag(cx, ClientFlag.NoTouch);
    },
  }),
  command({
    ...COMMON,
    name: "capa",
    arity: -3,
    flags: USER,
    since: "8.0.0",
    summary: "Says which optional behaviour of the server the client understands.",
    complexity: CONSTANT,
    syntax: "capability ...",
    run: capabilities,
  }),
  command({
    ...COMMON,
    name: "help",
    arity: 2,
    flags: Flag.Loading | Flag.Stale,
    since: "5.0.0",
    summary: "Lists the subcommands.",
    complexity: CONSTANT,
    run(cx) {
      writeHelp(cx, CLIENT_HELP);
    },
  }),
];

const ABOUT_ALL_CONNECTIONS = [
  command({
    ...COMMON,
    name: "list",
    arity: -2,
    flags: ADMIN,
    since: "2.4.0",
    summary: "Describes the connections, all or those that filters let through.",
    complexity: PER_CLIENT,
    syntax: LIST_FILTERS.join(" "),
    history: [
      ["2.8.12", "Shows `id`."],
      ["5.0.0", "Filters by `TYPE`."],
      ["6.0.0", "Shows `user`."],
      ["6.2.0", "Shows `argv-mem`, `tot-mem`, `laddr` and `redir`; filters by `ID`."],
      ["7.0.0", "Shows `resp`, `multi-mem`, `rbs` and `rbp`."],
      ["7.0.3", "Shows `ssub`."],
    ],
    tips: ["nondeterministic_output"],
    run: list,
  }),
  command({
    ...COMMON,
    name: "kill",
    arity: -3,
    flags: ADMIN,
    since: "2.4.0",
    summary: "Closes connections.",
    complexity: PER_CLIENT,
    syntax: `filter=<old-format(ip:port)@-2.8.12 | new-format=<${KILL_FILTERS.join(" | ")}> ...>`,
    history: [
      ["2.8.12", "Takes filters, `ID` among them."],
      ["3.2.0", "`TYPE` knows `master`."],
      ["5.0.0", "`TYPE` knows `replica`, which `slave` was; the old word still works."],
      ["6.2.0", "Filters by `LADDR`."],
      ["7.4.0", "Filters by `MAXAGE`."],
    ],
    run: kill,
  }),
  command({
    ...COMMON,
    name: "pause",
    arity: -3,
    flags: ADMIN,
    since: "3.0.0",
    summary: "Postpones commands of clients for a while, all of them or those that write.",
    complexity: CONSTANT,
    syntax: "timeout:integer mode=[WRITE | ALL]@6.2.0",
    history: [["6.2.0", "Takes a mode; `WRITE` is new."]],
    run: pause,
  }),
  command({
    ...COMMON,
    name: "unpause",
    arity: 2,
    flags: ADMIN,
    since: "6.2.0",
    summary: "Ends a pause before its time.",
    complexity: "O(N), N being the number of paused connections",
    run(cx) {
      cx.engine.pause.end();
      cx.reply.ok();
    },
  }),
  command({
    ...COMMON,
    name: "unblock",
    arity: -3,
    flags: ADMIN,
    since: "5.0.0",
    summary: "Ends the wait of a client that a blocking command holds.",
    complexity: "O(log N), N being the number of connections",
    syntax: "client-id:integer [unblock-type=<TIMEOUT | ERROR>]",
    run: unblock,
  }),
];

export const CLIENT_COMMANDS = [
  command({
    name: "client",
    arity: -2,
    flags: 0,
    since: "2.4.0",
    group: "connection",
    summary: "Holds the commands about client connections.",
    complexity: "Depends on the subcommand.",
    subcommands: [...ABOUT_THIS_CONNECTION, ...ABOUT_ALL_CONNECTIONS],
  }),
];
