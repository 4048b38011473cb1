/** CONFIG: reading, changing and writing back the configuration, and resetting what INFO counts. */

import { type Context, command } from "../../engine/context.ts";
import { ServerGate } from "../../engine/observer.ts";
import { type CommandLiteral, Flag } from "../../engine/spec/spec.ts";
import { ReplyError, SYNTAX } from "../../resp/errors.ts";
import { writeHelp } from "../help.ts";
import { resetStatistics } from "./reset-statistics.ts";

const ADMIN = Flag.Admin | Flag.Noscript | Flag.Loading | Flag.Stale;
const EVERYWHERE = ["request_policy:all_nodes", "response_policy:all_succeeded"];

function get(cx: Context): void {
  const patterns: string[] = [];
  for (let i = 2; i < cx.argc; i++) patterns.push(cx.text(i));
  const pairs = cx.engine.config.get(patterns);
  cx.reply.map(pairs.length);
  for (const [name, value] of pairs) {
    cx.reply.bulkText(name);
    cx.reply.bulkText(value);
  }
}

function set(cx: Context): void {
  if (cx.argc % 2 !== 0) throw SYNTAX;
  const pairs: [string, string][] = [];
  for (let i = 2; i < cx.argc; i += 2) pairs.push([cx.text(i), cx.text(i + 1)]);
  const { config, gate } = cx.engine;
  const error = config.set(pairs, {
    loading: (gate & (ServerGate.Loading | ServerGate.LoadingAside)) !== 0,
    clientIsLocal: isLocal(cx),
  });
  logWarnings(cx);
  if (error !== null) throw new ReplyError(error);
  cx.reply.ok();
}

/** True when the client is on this host: it came by the loopback interface or a unix socket. */
function isLocal(cx: Context): boolean {
  const { link } = cx.client;
  return link.isUnix || link.address.startsWith("127.0.0.1:") || link.address.startsWith("[::1]:");
}

function logWarnings(cx: Context): void {
  for (const warning of cx.engine.config.takeWarnings()) cx.engine.log.warning(warning);
}

function rewrite(cx: Context): void {
  const error = cx.engine.config.rewrite();
  logWarnings(cx);
  if (error !== null) throw new ReplyError(error);
  cx.engine.log.notice("CONFIG REWRITE executed with success.");
  cx.reply.ok();
}

/** CONFIG. */
export const CONFIG_COMMANDS: readonly CommandLiteral[] = [
  command({
    name: "config",
    arity: -2,
    flags: 0,
    since: "2.0.0",
    group: "server",
    summary: "The commands that deal with the server's configuration.",
    complexity: "Depends on subcommand.",
    subcommands: [
      command({
        name: "get",
        arity: -3,
        flags: ADMIN,
        since: "2.0.0",
        group: "server",
        summary: "Tells the values of settings whose names match patterns.",
        complexity: "O(N) when N is the number of configuration parameters provided",
        syntax: "parameter ...",
        history: [["7.0.0", "Takes several patterns."]],
        run: get,
      }),
      command({
        name: "set",
        arity: -4,
        flags: ADMIN,
        since: "2.0.0",
        group: "server",
        summary: "Changes settings while the server runs, all of the given ones or none.",
        complexity: "O(N) when N is the number of configuration parameters provided",
        syntax: "data=<parameter value> ...",
        tips: EVERYWHERE,
        history: [["7.0.0", "Takes several settings."]],
        redact(cx, indexes) {
          for (let i = 2; i + 1 < cx.argc; i += 2) if (cx.engine.config.isSensitive(cx.text(i))) indexes.add(i + 1);
        },
        run: set,
      }),
      command({
        name: "rewrite",
        arity: 2,
        flags: ADMIN,
        since: "2.8.0",
        group: "server",
        summary: "Writes the present configuration into the config file.",
        complexity: "O(1)",
        tips: EVERYWHERE,
        run: rewrite,
      }),
      command({
        name: "resetstat",
        arity: 2,
        flags: ADMIN,
        since: "2.0.0",
        group: "server",
        summary: "Sets the statistics of the server to zero.",
        complexity: "O(1)",
        tips: EVERYWHERE,
        run(cx) {
          resetStatistics(cx.engine);
          cx.reply.ok();
        },
      }),
      command({
        name: "help",
        arity: 2,
        flags: Flag.Loading | Flag.Stale,
        since: "5.0.0",
        group: "server",
        summary: "Tells how to use CONFIG.",
        complexity: "O(1)",
        run(cx) {
          writeHelp(cx, [
            "GET <pattern>",
            "    Tell the settings whose names match the glob-like <pattern>, with their values.",
            "SET <directive> <value>",
            "    Change the setting <directive> to <value>.",
            "RESETSTAT",
            "    Set the statistics that INFO shows to zero.",
            "REWRITE",
            "    Write the configuration into the config file.",
          ]);
        },
      }),
    ],
  }),
];
