/** REPLCONF: what replicas and primaries tell each other besides the stream. Its option-value pairs are obeyed one after the other, up to the first that is wrong. */
import { parseSafeInteger } from "../../base/int64.ts";
import { splitArguments } from "../../config/line.ts";
import { ClientFlag } from "../../engine/client/client.ts";
import { type Context, command } from "../../engine/context.ts";
import type { ReplicaTraits, ReplicationPort } from "../../engine/replication-port.ts";
import { type CommandLiteral, Flag } from "../../engine/spec/spec.ts";
import { ReplyError, SYNTAX } from "../../resp/errors.ts";

/** Longer addresses are refused, in bytes. */
const ADDRESS_MAX = 254;
const OUT_OF_RANGE = new ReplyError("ERR value is out of range, value must between 0 and 1");
const MISSING_FILTER = new ReplyError("ERR Missing rdb-filter-only values");

/** Obeys the value in argument `i` of an option; true: whatever follows is of no interest, and there is no reply. */
type Option = (cx: Context, i: number, traits: ReplicaTraits, port: ReplicationPort) => boolean;

function setAddress(cx: Context, i: number, traits: ReplicaTraits): boolean {
  if (cx.length[i] > ADDRESS_MAX)
    throw new ReplyError(`ERR REPLCONF ip-address provided by replica instance is too long: ${cx.length[i]} bytes`);
  traits.address = cx.text(i);
  return false;
}

/** Capabilities that are not known here are ignored. */
function addCapability(cx: Context, i: number, traits: ReplicaTraits): boolean {
  if (cx.isToken(i, "eof")) traits.understandsEof = true;
  else if (cx.isToken(i, "psync2")) traits.understandsPsync2 = true;
  return false;
}

function acknowledge(cx: Context, i: number, _traits: ReplicaTraits, port: ReplicationPort): boolean {
  if (!cx.client.has(ClientFlag.Replica)) return true;
  const offset = parseSafeInteger(cx.buf, cx.start[i], cx.length[i]);
  if (Number.isNaN(offset)) return true;
  let onDisk = -1;
  if (cx.argc > i + 2 && cx.isToken(i + 1, "fack")) {
    onDisk = parseSafeInteger(cx.buf, cx.start[i + 2], cx.length[i + 2]);
    if (Number.isNaN(onDisk)) onDisk = -1;
  }
  port.acknowledge(cx.client, offset, onDisk);
  return true;
}

/** What the snapshot is to have in it: nothing but what is named. */
function setFilter(cx: Context, i: number, traits: ReplicaTraits): boolean {
  const words = splitArguments(cx.text(i));
  if (words === null) throw MISSING_FILTER;
  traits.wantsData = false;
  traits.wantsFunctions = false;
  for (const word of words) {
    if (word.toLowerCase() !== "functions") throw new ReplyError(`ERR Unsupported rdb-filter-only option: ${word}`);
    traits.wantsFunctions = true;
  }
  return false;
}

/** A version as a number: 0x080001 for 8.0.1. */
function versionNumber(text: string): number {
  const [major = 0, minor = 0, patch = 0] = text.split(".").map((part) => Number.parseInt(part, 10) || 0);
  return (major << 16) | (minor << 8) | patch;
}

const OPTIONS: ReadonlyMap<string, Option> = new Map<string, Option>([
  [
    "listening-port",
    (cx, i, traits) => {
      traits.listeningPort = cx.integer(i);
      return false;
    },
  ],
  ["ip-address", setAddress],
  ["capa", addCapability],
  ["ack", acknowledge],
  [
    "getack",
    (_cx, _i, _traits, port) => {
      port.sendAck();
      return true;
    },
  ],
  [
    "rdb-only",
    (cx, i, traits) => {
      const value = cx.longInteger(i);
      if (value < 0 || value > 1) throw OUT_OF_RANGE;
      traits.rdbOnly = value === 1;
      return false;
    },
  ],
  ["rdb-filter-only", setFilter],
  [
    "version",
    (cx, i, traits) => {
      traits.version = versionNumber(cx.text(i));
      return false;
    },
  ],
]);

function replconf(cx: Context): void {
  const { replication, config } = cx.engine;
  if (replication === null || cx.argc % 2 === 0) throw SYNTAX;
  const traits = replication.traits(cx.client);
  for (let i = 1; i < cx.argc; i += 2) {
    const name = cx.text(i).toLowerCase();
    const option = OPTIONS.get(name);
    if (option === undefined || (name === "version" && !config.personality.valkeyCommands))
      throw new ReplyError(`ERR Unrecognized REPLCONF option: ${cx.text(i)}`);
    if (option(cx, i + 1, traits, replication)) return;
  }
  cx.reply.ok();
}

export const REPLCONF_COMMANDS: readonly CommandLiteral[] = [
  command({
    name: "replconf",
    arity: -1,
    flags: Flag.Admin | Flag.Noscript | Flag.Loading | Flag.Stale | Flag.AllowBusy,
    since: "3.0.0",
    group: "server",
    summary: "Lets the two ends of a replication link tell each other about themselves.",
    complexity: "O(1)",
    docFlags: ["syscmd"],
    run: replconf,
  }),
];
