/** WAIT and WAITAOF: a client waits until its changes have reached replicas, or disks. */
import { ANY_TYPE } from "../../engine/blocking/blocking.ts";
import { type Context, command } from "../../engine/context.ts";
import { type CommandLiteral, Flag } from "../../engine/spec/spec.ts";
import { ReplyError } from "../../resp/errors.ts";
import type { ReplyWriter } from "../../resp/writer.ts";

const ON_REPLICA = new ReplyError(
  "ERR WAIT cannot be used with replica instances. Please also note that since Redis 4.0 if a replica is configured to be writable (which is not the default) writes to replicas are just local and are not propagated.",
);
const ON_REPLICA_VALKEY = new ReplyError(
  "ERR WAIT cannot be used with replica instances. Please also note that if a replica is configured to be writable (which is not the default) writes to replicas are just local and are not propagated.",
);
const AOF_ON_REPLICA = new ReplyError(
  "ERR WAITAOF cannot be used with replica instances. Please also note that writes to replicas are just local and are not propagated.",
);
const NO_AOF = new ReplyError("ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.");
const LOCAL_RANGE = new ReplyError("ERR value is out of range, value must between 0 and 1");
const NOT_POSITIVE = new ReplyError("ERR value is out of range, must be positive");

/** Lets the client wait until `isDone`, or for `timeoutMs`; then `write` writes the reply. */
function waitFor(cx: Context, timeoutMs: number, isDone: () => boolean, write: (reply: ReplyWriter) => void): void {
  if (isDone()) {
    write(cx.reply);
    return;
  }
  cx.park({ firstKey: 0, keyCount: 0, type: ANY_TYPE, timeoutMs, onTimeout: write });
  if (cx.parked) cx.engine.replication?.awaitAcknowledgements(cx.client, isDone, write);
}

function wait(cx: Context): void {
  const { replication, config } = cx.engine;
  if (replication !== null && replication.primary !== null)
    throw config.personality.name === "valkey" ? ON_REPLICA_VALKEY : ON_REPLICA;
  const wanted = cx.longInteger(1);
  const timeoutMs = cx.timeoutMs(2);
  const { writeOffset } = cx.client;
  const count = (): number => replication?.countAcknowledged(writeOffset, false) ?? 0;
  waitFor(
    cx,
    timeoutMs,
    () => count() >= wanted,
    (reply) => reply.integer(count()),
  );
}

function waitAof(cx: Context): void {
  const { engine } = cx;
  const { replication } = engine;
  const local = cx.longInteger(1);
  if (local < 0 || local > 1) throw LOCAL_RANGE;
  const wanted = cx.longInteger(2, NOT_POSITIVE);
  if (wanted < 0) throw NOT_POSITIVE;
  const timeoutMs = cx.timeoutMs(3);
  if (replication !== null && replication.primary !== null) throw AOF_ON_REPLICA;
  const hasNoLog = (): boolean => local > 0 && engine.appendOnly?.isEnabled !== true;
  if (hasNoLog()) throw NO_AOF;
  const { writeOffset } = cx.client;
  const localCount = (): number =>
    engine.appendOnly?.isEnabled === true && engine.appendOnly.syncedOffset >= writeOffset ? 1 : 0;
  const count = (): number => replication?.countAcknowledged(writeOffset, true) ?? 0;
  waitFor(
    cx,
    timeoutMs,
    () => hasNoLog() || (localCount() >= local && count() >= wanted),
    (reply) => {
      if (hasNoLog()) {
        reply.error(NO_AOF.text);
        return;
      }
      reply.array(2);
      reply.integer(localCount());
      reply.integer(count());
    },
  );
}

export const WAIT_COMMANDS: readonly CommandLiteral[] = [
  command({
    name: "wait",
    arity: 3,
    flags: Flag.Blocking,
    since: "3.0.0",
    group: "generic",
    categories: ["connection"],
    summary: "Waits until so many replicas have the changes that this connection has made.",
    complexity: "O(1)",
    syntax: "numreplicas:integer timeout:integer",
    tips: ["request_policy:all_shards", "response_policy:agg_min"],
    run: wait,
  }),
  command({
    name: "waitaof",
    arity: 4,
    flags: Flag.Blocking,
    since: "7.2.0",
    group: "generic",
    categories: ["connection"],
    summary: "Waits until the changes of this connection are on disk here and at so many replicas.",
    complexity: "O(1)",
    syntax: "numlocal:integer numreplicas:integer timeout:integer",
    tips: ["request_policy:all_shards", "response_policy:agg_min"],
    run: waitAof,
  }),
];
