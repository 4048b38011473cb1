/**
 * The gates that a command passes before it runs, in Redis' order of precedence. execute() comes here only when the client or the
 * server is in a state that some gate cares about; the common case is one test of two words.
 */
import { loadingError } from "../../config/personality.ts";
import { allowsAction } from "../../config/settings/settings-security.ts";
import { notSubscribed, ReplyError } from "../../resp/errors.ts";
import { type Client, ClientFlag, Halt, Origin } from "../client/client.ts";
import type { HandlerContext } from "../handler-context.ts";
import { ServerGate } from "../observer.ts";
import { type CommandSpec, Flag } from "../spec/spec.ts";
import { gateFlags, queueCommand } from "../transactions.ts";
import { diskError } from "./disk-gate.ts";
import { replicaWrite, staleData } from "./replica-gate.ts";

/** A gate answers null (pass), an error (the command is rejected), or Taken (the command was dealt with in another way: queued, postponed). */
type GateAnswer = ReplyError | null | typeof TAKEN;
const TAKEN = "taken";

const NOAUTH = new ReplyError("NOAUTH Authentication required.");
const NOT_IN_MULTI = new ReplyError("ERR Command not allowed inside a transaction");

/** True for a connection from this host. */
export function isLocalClient(client: Client): boolean {
  return client.link.isUnix || /^(127\.0\.0\.1|\[::1\]):/.test(client.link.address);
}

/** DEBUG and MODULE, as far as the settings allow them at all. */
function protection(cx: HandlerContext, spec: CommandSpec): GateAnswer {
  if ((spec.flags & Flag.Protected) === 0) return null;
  const { enableDebugCommand, enableModuleCommand } = cx.engine.config.values;
  const name = (spec.parent ?? spec).name;
  const setting = name === "debug" ? enableDebugCommand : enableModuleCommand;
  if (allowsAction(setting, isLocalClient(cx.client))) return null;
  return new ReplyError(
    `ERR ${name.toUpperCase()} command not allowed. If the enable-${name}-command option is set to "local", you can run it from a local connection, otherwise you need to set this option in the configuration file, and then restart the server.`,
  );
}

function authentication(cx: HandlerContext, spec: CommandSpec): GateAnswer {
  return cx.client.has(ClientFlag.Unauthenticated) && (spec.flags & Flag.NoAuth) === 0 ? NOAUTH : null;
}

/** Commands that no transaction may hold; Valkey counts MULTI and WATCH among them. */
function transactionContent(cx: HandlerContext, spec: CommandSpec): GateAnswer {
  if (!cx.client.has(ClientFlag.Multi)) return null;
  const nested = spec.name === "multi" || spec.name === "watch";
  const refused = (spec.flags & Flag.NoMulti) !== 0 || (nested && cx.engine.config.personality.nestedMultiAborts);
  return refused ? NOT_IN_MULTI : null;
}

/** Clients that take too much memory go, before keys do: the one whose command this is may be among them. */
function clientMemory(cx: HandlerContext): GateAnswer {
  const { clientLimit } = cx.engine;
  if (clientLimit === null || cx.client.origin !== Origin.Client) return null;
  return clientLimit.admit(cx.client) ? null : TAKEN;
}

function memory(cx: HandlerContext, spec: CommandSpec): GateAnswer {
  const engine = cx.engine;
  if ((engine.gate & ServerGate.MaxMemory) === 0 || cx.client.origin !== Origin.Client) return null;
  return engine.memoryGate(cx, spec);
}

const TOO_FEW_REPLICAS = new ReplyError("NOREPLICAS Not enough good replicas to write.");

/** min-replicas-to-write: the bit is set while too few replicas are near. */
function nearReplicas(cx: HandlerContext, spec: CommandSpec): GateAnswer {
  const { client } = cx;
  if ((cx.engine.gate & ServerGate.MinReplicas) === 0 || client.origin !== Origin.Client) return null;
  return (gateFlags(client, spec) & Flag.Write) === 0 ? null : TOO_FEW_REPLICAS;
}

/** Commands that a RESP2 client in subscriber mode may send, by full name: RESET, and not SLOWLOG RESET. */
const SUBSCRIBER_COMMANDS = new Set([
  "ping",
  "subscribe",
  "ssubscribe",
  "unsubscribe",
  "sunsubscribe",
  "psubscribe",
  "punsubscribe",
  "quit",
  "reset",
]);

function subscriber(cx: HandlerContext, spec: CommandSpec): GateAnswer {
  if (!cx.client.has(ClientFlag.Subscriber) || cx.client.resp === 3 || SUBSCRIBER_COMMANDS.has(spec.fullName))
    return null;
  return new ReplyError(
    `ERR Can't execute '${spec.fullName}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context`,
  );
}

const UNSUBSCRIBE_COMMANDS = new Set(["unsubscribe", "punsubscribe", "sunsubscribe"]);

/** Valkey refuses to unsubscribe a client without subscriptions. Queued commands are judged here, others by their handlers: the client passes no gate. */
function unsubscription(cx: HandlerContext, spec: CommandSpec): GateAnswer {
  if (cx.client.has(ClientFlag.Subscriber) || !UNSUBSCRIBE_COMMANDS.has(spec.fullName)) return null;
  if (!cx.engine.config.personality.unsubscribeNeedsSubscription) return null;
  return notSubscribed(spec.fullName);
}

function denyBlocking(cx: HandlerContext, spec: CommandSpec): GateAnswer {
  return cx.client.has(ClientFlag.Internal) && (spec.flags & Flag.NoMulti) !== 0
    ? new ReplyError("ERR Command not allowed")
    : null;
}

function loading(cx: HandlerContext, spec: CommandSpec): GateAnswer {
  const { gate, config } = cx.engine;
  if ((gate & (ServerGate.Loading | ServerGate.LoadingAside)) === 0 || cx.client.origin !== Origin.Client) return null;
  const flags = gateFlags(cx.client, spec);
  const isRefused =
    (gate & ServerGate.Loading) !== 0 ? (flags & Flag.Loading) === 0 : (flags & Flag.NoAsyncLoading) !== 0;
  return isRefused ? new ReplyError(loadingError(config.announced)) : null;
}

/** Commands that run at once inside MULTI, by full name: RESET, and not SLOWLOG RESET. */
const UNQUEUED = new Set(["exec", "discard", "multi", "watch", "quit", "reset"]);

function transaction(cx: HandlerContext, spec: CommandSpec): GateAnswer {
  if (!cx.client.has(ClientFlag.Multi) || cx.client.origin === Origin.Script || UNQUEUED.has(spec.fullName))
    return null;
  queueCommand(cx, spec);
  return TAKEN;
}

function paused(cx: HandlerContext, spec: CommandSpec): GateAnswer {
  if ((cx.engine.gate & ServerGate.Paused) === 0 || cx.client.origin !== Origin.Client) return null;
  return cx.engine.pause.postpones(cx, spec) ? TAKEN : null;
}

const OBSERVER_ONLY = new ReplyError("ERR Replica can't interact with the keyspace");

/** Clients that only receive a stream of commands, replicas and monitors, keep away from the data. */
function observer(cx: HandlerContext, spec: CommandSpec): GateAnswer {
  return cx.client.has(ClientFlag.Replica | ClientFlag.Monitor) &&
    (gateFlags(cx.client, spec) & (Flag.Write | Flag.Readonly | Flag.MayReplicate)) !== 0
    ? OBSERVER_ONLY
    : null;
}

/** In the order in which Redis decides; the first answer counts. */
const GATES: ReadonlyArray<(cx: HandlerContext, spec: CommandSpec) => GateAnswer> = [
  protection,
  authentication,
  transactionContent,
  clientMemory,
  memory,
  diskError,
  nearReplicas,
  replicaWrite,
  subscriber,
  unsubscription,
  staleData,
  denyBlocking,
  loading,
  observer,
  paused,
  transaction,
];

/** What is in a log has passed all gates once: only the order of a transaction is left. */
const LOG_GATES = [transactionContent, transaction];

/** Walks the gates; true when the command may run now. */
export function passGates(cx: HandlerContext, spec: CommandSpec): boolean {
  const client: Client = cx.client;
  if (client.has(ClientFlag.CloseAfterReply | ClientFlag.Closed)) return false;
  for (const gate of client.origin === Origin.Aof ? LOG_GATES : GATES) {
    const answer = gate(cx, spec);
    if (answer === null) continue;
    if (answer !== TAKEN) cx.engine.reject(answer, spec);
    return false;
  }
  return true;
}

/** Holds a client's input back (reasons: bits of Halt) or lets it go on. */
export function halt(client: Client, reason: number): void {
  client.halted |= reason;
}

/** Takes a reason to hold input back away; input goes on when none is left. */
export function release(client: Client, reason: number): void {
  client.halted &= ~reason;
  if (client.halted === 0) client.link.resume();
}

/** The reasons that gates and blocking commands use. */
export { Halt };
