/** Clients as CLIENT LIST and CLIENT INFO show them: one line of `field=value` words each; their types; and which words may stand in such a line. */

import { integerLength } from "../../base/int64.ts";
import { ReplyError } from "../../resp/errors.ts";
import type { Request } from "../../resp/request.ts";
import type { Engine } from "../engine.ts";
import { type Client, ClientFlag } from "./client.ts";
import { clientBytes } from "./client-memory.ts";

/** Types of clients, for filters and output buffer limits. */
export type ClientType = "normal" | "master" | "replica" | "pubsub";

const TYPES: Readonly<Record<string, ClientType>> = {
  normal: "normal",
  master: "master",
  primary: "master",
  replica: "replica",
  slave: "replica",
  pubsub: "pubsub",
};

/** The type that a word names, in any case, or null. */
export function clientTypeNamed(word: string): ClientType | null {
  const lower = word.toLowerCase();
  return Object.hasOwn(TYPES, lower) ? TYPES[lower] : null;
}

/** The type of a client. One that uses MONITOR is a normal one. */
export function clientType(client: Client): ClientType {
  if (client.has(ClientFlag.Primary)) return "master";
  if (client.has(ClientFlag.Replica)) return "replica";
  return client.has(ClientFlag.Subscriber) ? "pubsub" : "normal";
}

/** State bit -> letter, in the order in which the letters stand. */
const FLAG_LETTERS: ReadonlyArray<readonly [number, string]> = [
  [ClientFlag.Monitor, "O"],
  [ClientFlag.Replica, "S"],
  [ClientFlag.Primary, "M"],
  [ClientFlag.Subscriber, "P"],
  [ClientFlag.Multi, "x"],
  [ClientFlag.Blocked | ClientFlag.Paused, "b"],
  [ClientFlag.Tracking, "t"],
  [ClientFlag.DirtyCas, "d"],
  [ClientFlag.CloseAfterReply, "c"],
];

/** The letters after "U", which stands for a unix socket and is no state. */
const LATER_FLAG_LETTERS: ReadonlyArray<readonly [number, string]> = [
  [ClientFlag.Readonly, "r"],
  [ClientFlag.NoEvict, "e"],
  [ClientFlag.NoTouch, "T"],
];

/** A client's states as letters; "N" when there is none to tell. */
export function clientFlagLetters(client: Client): string {
  let letters = "";
  for (const [flag, letter] of FLAG_LETTERS) if (client.has(flag)) letters += letter;
  if (client.link.isUnix) letters += "U";
  for (const [flag, letter] of LATER_FLAG_LETTERS) if (client.has(flag)) letters += letter;
  return letters === "" ? "N" : letters;
}

/** Seconds since a client connected. */
export function clientAgeSeconds(client: Client, nowMs: number): number {
  return Math.max(0, Math.floor(nowMs / 1000) - Math.floor(client.createdMs / 1000));
}

/** Seconds since a client last sent something. */
export function clientIdleSeconds(client: Client, nowMs: number): number {
  return Math.max(0, Math.floor(nowMs / 1000) - Math.floor(client.lastActiveMs / 1000));
}

/** The line of a client, without a line end. */
export function clientLine(engine: Engine, client: Client): string {
  const { link } = client;
  const nowMs = engine.nowMs();
  let line =
    `id=${client.id} addr=${link.address} laddr=${link.localAddress} fd=${link.fd} name=${client.name}` +
    ` age=${clientAgeSeconds(client, nowMs)} idle=${clientIdleSeconds(client, nowMs)} flags=${clientFlagLetters(client)}` +
    ` db=${client.db?.id ?? 0} sub=${client.channels?.size ?? 0} psub=${client.patterns?.size ?? 0}` +
    ` ssub=${client.shardChannels?.size ?? 0} multi=${client.has(ClientFlag.Multi) ? client.queue.length : -1}` +
    ` watch=${client.watched.length}${memoryFields(engine, client)} events=${link.pendingOutput() > 0 ? "rw" : "r"}` +
    ` cmd=${client.lastCommand?.fullName ?? "NULL"} user=${client.user} redir=-1` +
    ` resp=${client.resp} lib-name=${client.libName} lib-ver=${client.libVersion}`;
  if (engine.config.personality.clientNetworkTotals)
    line += ` tot-net-in=${client.netIn} tot-net-out=${client.netOut} tot-cmds=${client.commandCount}`;
  return line;
}

/** The fields of buffers. The caller's own command counts as input that is being worked on. */
function memoryFields(engine: Engine, client: Client): string {
  const { link } = client;
  const isCaller = client === engine.executing;
  const request = isCaller ? engine.cx.request : (client.postponed ?? engine.blocking.requestOf(client));
  const argumentBytes = request === null ? 0 : request.byteLength();
  const showsCommand = isCaller && engine.config.personality.callerQueryBufferBytes > 0;
  const commandBytes = showsCommand ? wireLength(engine.cx.request) : 0;
  const inputBytes = isCaller ? commandBytes : link.inputBytes();
  const total = clientBytes(client) + argumentBytes + commandBytes;
  return (
    ` qbuf=${inputBytes} qbuf-free=${isCaller ? 0 : link.inputFreeBytes()} argv-mem=${argumentBytes}` +
    ` multi-mem=${client.queueBytes} rbs=${link.replyBufferBytes()} rbp=${link.replyBufferPeak()}` +
    ` obl=${link.firstBufferBytes()} oll=${link.queuedReplies()} omem=${link.queuedReplyBytes()} tot-mem=${total}`
  );
}

/** Bytes of a request as an array of bulk strings: what Redis' query buffer holds of the command that it runs. */
function wireLength(request: Request): number {
  let bytes = integerLength(request.count) + 3;
  for (let i = 0; i < request.count; i++) bytes += integerLength(request.length[i]) + request.length[i] + 5;
  return bytes;
}

/** Throws unless a name can stand in a line: printable ASCII without spaces. `subject` opens the error: "Client names". */
export function validateClientWord(word: string, subject: string): void {
  if (/[^!-~]/.test(word))
    throw new ReplyError(`ERR ${subject} cannot contain spaces, newlines or special characters.`);
}
