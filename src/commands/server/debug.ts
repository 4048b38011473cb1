/** DEBUG: what tests and developers ask of a server. One command with subcommands of its own kind: an unknown name and a wrong number of arguments are the same error. */
import { latin1 } from "../../base/bytes.ts";
import { ClientFlag } from "../../engine/client/client.ts";
import { type Context, command } from "../../engine/context.ts";
import { crashByPanic, crashBySignal } from "../../engine/crash.ts";
import { type DebugState, REPLY_PEAK_RESET_MS } from "../../engine/debug-state.ts";
import { propagateInternal } from "../../engine/deliver.ts";
import { Target } from "../../engine/propagation.ts";
import { Flag } from "../../engine/spec/spec.ts";
import { ReplyError } from "../../resp/errors.ts";
import { writeHelp } from "../help.ts";
import { debugLoadAof } from "../persistence/bgrewriteaof.ts";
import { debugReload } from "../persistence/rdb.ts";
import {
  debugDigest,
  debugDigestValue,
  debugKeyTableStats,
  debugObject,
  debugPopulate,
  debugStringLength,
  debugTableStats,
  findKey,
} from "./debug-data.ts";
import { debugPlainMin } from "./debug-list.ts";
import { debugProtocol } from "./debug-protocol.ts";
import { debugListpack, debugQuicklist } from "./debug-structure.ts";

/** A subcommand: how many arguments DEBUG may have with it (the words DEBUG and its name included), and what it does. */
interface Subcommand {
  readonly least: number;
  readonly most: number;
  readonly run: (cx: Context) => void;
}

const MANY = Number.POSITIVE_INFINITY;
const SHOWN_MAX = 128;

function fails(cx: Context): ReplyError {
  const name = latin1(cx.buf, cx.start[1], Math.min(cx.length[1], SHOWN_MAX));
  return new ReplyError(`ERR unknown subcommand or wrong number of arguments for '${name}'. Try DEBUG HELP.`);
}

/** An argument as C's atoi reads it: whatever is no number is 0. */
function looseInteger(cx: Context, i: number): number {
  return Number.parseInt(cx.text(i), 10) || 0;
}

/** `NAME 0|1`: tells `set` and answers OK. */
function toggle(set: (state: DebugState, on: boolean, cx: Context) => void): Subcommand {
  return {
    least: 3,
    most: 3,
    run(cx) {
      set(cx.engine.debug, looseInteger(cx, 2) !== 0, cx);
      cx.reply.ok();
    },
  };
}

/** Does something and answers OK. */
function act(least: number, most: number, run: (cx: Context) => void): Subcommand {
  return {
    least,
    most,
    run(cx) {
      run(cx);
      cx.reply.ok();
    },
  };
}

/**
 * SLEEP: the whole server stands still. Where it can, it is frozen instead of blocked, so that the process still notices signals; within a
 * transaction or a script, whose next command is waiting, there is no way but to block. Either way the time counts as the command's.
 */
function sleep(cx: Context): void {
  const { client, engine } = cx;
  const ms = Math.max(0, (Number.parseFloat(cx.text(2)) || 0) * 1000);
  const { freeze } = engine.debug;
  if (freeze === null || engine.depth > 1 || client.has(ClientFlag.Internal)) {
    Bun.sleepSync(ms);
    cx.reply.ok();
    return;
  }
  const mute = client.has(ClientFlag.ReplyOff | ClientFlag.ReplySkip);
  engine.lastUs -= ms * 1000;
  freeze(ms, () => {
    if (!mute) client.link.append(OK, 0, OK.length);
  });
}
const OK = new TextEncoder().encode("+OK\r\n");

function replyBuffer(cx: Context): void {
  const { replyBuffer: policy } = cx.engine.debug;
  if (cx.isToken(2, "resizing")) policy.resizing = looseInteger(cx, 3) !== 0;
  else if (!cx.isToken(2, "peak-reset-time")) throw fails(cx);
  else if (cx.isToken(3, "never")) policy.peakResetMs = -1;
  else if (cx.isToken(3, "reset")) policy.peakResetMs = REPLY_PEAK_RESET_MS;
  else policy.peakResetMs = cx.integer(3);
}

function clientEviction(cx: Context): void {
  const { clientLimit } = cx.engine;
  if (clientLimit === null) throw CLIENTS_UNLIMITED;
  cx.reply.verbatim(clientLimit.describe());
}
const CLIENTS_UNLIMITED = new ReplyError("ERR maxmemory-clients is disabled.");

/** The arguments go to replicas as a command, whatever they are, in the database that happens to be selected. */
function replicate(cx: Context): void {
  const parts: Uint8Array[] = [];
  for (let i = 2; i < cx.argc; i++) parts.push(cx.bytes(i));
  propagateInternal(cx.engine, -1, parts, Target.Replicas);
}

function rewriteConfig(cx: Context): void {
  const error = cx.engine.config.rewrite(true);
  if (error !== null) throw new ReplyError(error);
}

/** An error reply as it stands in the argument; it counts as no error of the server's. */
function error(cx: Context): void {
  cx.reply.raw(`-${cx.text(2).replace(/[\r\n]/g, " ")}\r\n`);
}

const SUBCOMMANDS: ReadonlyMap<string, Subcommand> = new Map<string, Subcommand>([
  ["aof-flush-sleep", act(3, 3, (cx) => (cx.engine.debug.appendOnlyFlushSleepUs = looseInteger(cx, 2)))],
  ["assert", { least: 2, most: MANY, run: (cx) => crashByPanic(cx.engine, "ASSERTION FAILED", "DEBUG ASSERT") }],
  [
    "change-repl-id",
    act(2, 2, (cx) => {
      cx.engine.log.notice("Changing replication IDs after receiving DEBUG change-repl-id");
      cx.engine.replication?.renewHistory();
    }),
  ],
  ["client-eviction", { least: 2, most: 2, run: clientEviction }],
  ["config-rewrite-force-all", act(2, 2, rewriteConfig)],
  ["dict-resizing", toggle((_, on, cx) => cx.engine.keyspace.setResizing(on))],
  ["digest", { least: 2, most: 2, run: debugDigest }],
  ["digest-value", { least: 2, most: MANY, run: debugDigestValue }],
  ["error", { least: 3, most: 3, run: error }],
  ["help", { least: 2, most: 2, run: (cx) => writeHelp(cx, HELP) }],
  ["htstats", { least: 3, most: MANY, run: debugTableStats }],
  ["htstats-key", { least: 3, most: MANY, run: debugKeyTableStats }],
  ["listpack", { least: 3, most: 3, run: (cx) => debugListpack(cx, findKey(cx, 2)) }],
  ["loadaof", { least: 2, most: MANY, run: debugLoadAof }],
  ["log", act(3, 3, (cx) => cx.engine.log.warning(`DEBUG LOG: ${cx.text(2)}`))],
  ["object", { least: 3, most: 4, run: debugObject }],
  ["panic", { least: 2, most: MANY, run: (cx) => crashByPanic(cx.engine, "Guru Meditation", "DEBUG PANIC") }],
  [
    "pause-cron",
    toggle((state, on) => {
      state.cronPaused = on;
    }),
  ],
  ["populate", { least: 3, most: 5, run: debugPopulate }],
  ["protocol", { least: 3, most: 3, run: debugProtocol }],
  ["quicklist", { least: 3, most: 4, run: (cx) => debugQuicklist(cx, findKey(cx, 2)) }],
  ["quicklist-packed-threshold", act(3, 3, debugPlainMin)],
  ["reload", { least: 2, most: MANY, run: debugReload }],
  ["replicate", act(3, MANY, replicate)],
  ["replybuffer", act(4, 4, replyBuffer)],
  ["sdslen", { least: 3, most: 3, run: debugStringLength }],
  ["segfault", { least: 2, most: MANY, run: (cx) => crashBySignal(cx.engine, "SIGSEGV") }],
  [
    "set-active-expire",
    toggle((state, on) => {
      state.activeExpire = on;
    }),
  ],
  [
    "set-disable-deny-scripts",
    toggle((state, on) => {
      state.scriptsMayAll = on;
    }),
  ],
  [
    "set-skip-checksum-validation",
    toggle((state, on) => {
      state.skipsChecksums = on;
    }),
  ],
  ["sleep", { least: 3, most: 3, run: sleep }],
]);

const HELP = [
  "AOF-FLUSH-SLEEP <microsec>",
  "    Wait that long before each write of the append-only file.",
  "ASSERT",
  "    Die as after a failed assertion.",
  "CHANGE-REPL-ID",
  "    Take new replication ids. Only for tests of replication.",
  "CLIENT-EVICTION",
  "    Show the memory of clients by size, while maxmemory-clients limits it.",
  "CONFIG-REWRITE-FORCE-ALL",
  "    Like CONFIG REWRITE, but write every setting, defaults too.",
  "DICT-RESIZING <0|1>",
  "    Forbid or allow that the tables of keys change their size.",
  "DIGEST",
  "    Answer a digest of all data.",
  "DIGEST-VALUE <key> [<key> ...]",
  "    Answer a digest of the value of each key.",
  "ERROR <string>",
  "    Answer <string> as an error reply.",
  "HTSTATS <dbid> [full]",
  "    Describe the hash tables of a database.",
  "HTSTATS-KEY <key> [full]",
  "    Describe the hash table that holds the value of <key>.",
  "LISTPACK <key>",
  "    Write what the listpack of <key> holds to the server's log.",
  "LOADAOF",
  "    Write out the append-only file and load it again.",
  "LOG <message>",
  "    Write <message> to the server's log.",
  "OBJECT <key> [fast]",
  "    Describe how the value of <key> is kept; with fast, without what takes long.",
  "PANIC",
  "    Die as after something impossible.",
  "PAUSE-CRON <0|1>",
  "    Stop periodic work, or go on with it.",
  "POPULATE <count> [<prefix>] [<size>]",
  "    Create <count> strings called key:<n>, or <prefix>:<n>, where there are none.",
  "    Replicas are not told.",
  "PROTOCOL <type>",
  "    Answer a sample of a reply type: string, integer, double, bignum, null,",
  "    array, set, map, attrib, push, verbatim, true or false.",
  "QUICKLIST <key> [<0|1>]",
  "    Write the nodes of the list at <key> to the server's log, with 1 the elements too.",
  "QUICKLIST-PACKED-THRESHOLD <size>",
  "    Give elements of lists from that many bytes on a node of their own; 0: only",
  "    those that are too large for another one. Of use with sizes of up to 1gb.",
  "RELOAD [option ...]",
  "    Save the data, and load it again in place of what is in memory. Options:",
  "    MERGE (what is loaded wins over keys that exist), NOFLUSH (keep what is in",
  "    memory), NOSAVE (load the file that is there).",
  "REPLICATE <string> [<string> ...]",
  "    Send a command to replicas that is not run here. Makes their data differ.",
  "REPLYBUFFER PEAK-RESET-TIME <NEVER|RESET|time>",
  "    Set after how many milliseconds a reply buffer forgets its peak.",
  "REPLYBUFFER RESIZING <0|1>",
  "    Stop resizing reply buffers, or go on with it.",
  "SDSLEN <key>",
  "    Describe the memory of <key> and of its string, which may share a block.",
  "SEGFAULT",
  "    Die as after an invalid memory access.",
  "SET-ACTIVE-EXPIRE <0|1>",
  "    Stop looking for expired keys in the background, or go on with it.",
  "SET-DISABLE-DENY-SCRIPTS <0|1>",
  "    Let scripts call commands that are not for scripts.",
  "SET-SKIP-CHECKSUM-VALIDATION <0|1>",
  "    Ignore the checksums of RDB files and of RESTORE.",
  "SLEEP <seconds>",
  "    Let the server stand still. Fractions are fine.",
];

export const DEBUG_COMMANDS = [
  command({
    name: "debug",
    arity: -2,
    flags: Flag.Admin | Flag.Noscript | Flag.Loading | Flag.Stale | Flag.Protected,
    since: "1.0.0",
    group: "server",
    summary: "Subcommands for tests and for the developers of the server.",
    complexity: "See the subcommands.",
    docFlags: ["syscmd"],
    run(cx) {
      const subcommand = SUBCOMMANDS.get(cx.text(1).toLowerCase());
      if (subcommand === undefined || cx.argc < subcommand.least || cx.argc > subcommand.most) throw fails(cx);
      subcommand.run(cx);
    },
  }),
];
