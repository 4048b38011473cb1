/** MULTI, EXEC, DISCARD, WATCH, UNWATCH. Queueing itself is a gate (engine/gates/gates.ts); the registry of watched keys is in engine/transactions.ts. */
import { ClientFlag } from "../../engine/client/client.ts";
import { type Context, command } from "../../engine/context.ts";
import { Flag, keysToEnd } from "../../engine/spec/spec.ts";
import { discardTransaction } from "../../engine/transactions.ts";
import { ReplyError } from "../../resp/errors.ts";

const NESTED = new ReplyError("ERR MULTI calls can not be nested");
const WATCH_INSIDE = new ReplyError("ERR WATCH inside MULTI is not allowed");
const EXEC_OUTSIDE = new ReplyError("ERR EXEC without MULTI");
const DISCARD_OUTSIDE = new ReplyError("ERR DISCARD without MULTI");
const ABORTED = new ReplyError("EXECABORT Transaction discarded because of previous errors.");

const ANYTIME = Flag.Noscript | Flag.Loading | Flag.Stale;
const QUICK = ANYTIME | Flag.Fast | Flag.AllowBusy;

function exec(cx: Context): void {
  const { client, engine } = cx;
  if (!client.has(ClientFlag.Multi)) throw EXEC_OUTSIDE;
  if (engine.watches.anyExpired(client)) client.set(ClientFlag.DirtyCas);
  if (client.has(ClientFlag.DirtyExec)) {
    discardTransaction(engine, client);
    throw ABORTED;
  }
  if (client.has(ClientFlag.DirtyCas)) {
    discardTransaction(engine, client);
    cx.reply.nilArray();
    return;
  }
  engine.watches.unwatchAll(client);
  runQueue(cx);
  discardTransaction(engine, client);
}

/** Runs the queued commands; afterwards `cx` is EXEC's again, as if it had changed nothing. */
function runQueue(cx: Context): void {
  const { client, engine, reply, request, spec } = cx;
  const patient = !client.has(ClientFlag.DenyBlocking);
  client.set(ClientFlag.DenyBlocking);
  reply.array(client.queue.length);
  for (const queued of client.queue) {
    cx.load(queued.request);
    cx.spec = queued.spec;
    cx.db = client.db;
    const denied = engine.execDenial(cx, queued.spec);
    if (denied === null) {
      engine.call(cx, queued.spec);
    } else {
      reply.error(denied);
      engine.countFailure(queued.spec, reply);
    }
  }
  if (patient) client.unset(ClientFlag.DenyBlocking);
  cx.load(request);
  cx.spec = spec;
  cx.db = client.db;
  cx.dirty = 0;
}

/** The transaction commands. */
export const TRANSACTION_COMMANDS = [
  command({
    name: "multi",
    arity: 1,
    flags: QUICK,
    since: "1.2.0",
    group: "transactions",
    summary: "Begins a transaction: the commands that follow are queued until EXEC.",
    complexity: "O(1)",
    categories: ["transaction"],
    run(cx) {
      if (cx.client.has(ClientFlag.Multi)) throw NESTED;
      cx.client.set(ClientFlag.Multi);
      cx.reply.ok();
    },
  }),
  command({
    name: "exec",
    arity: 1,
    flags: ANYTIME | Flag.SkipSlowlog,
    since: "1.2.0",
    group: "transactions",
    summary: "Runs the queued commands as one unit and answers all their replies.",
    complexity: "The sum of what the queued commands cost.",
    categories: ["transaction"],
    run: exec,
  }),
  command({
    name: "discard",
    arity: 1,
    flags: QUICK,
    since: "2.0.0",
    group: "transactions",
    summary: "Drops the queued commands and ends the transaction.",
    complexity: "O(N), N being the number of queued commands.",
    categories: ["transaction"],
    run(cx) {
      if (!cx.client.has(ClientFlag.Multi)) throw DISCARD_OUTSIDE;
      discardTransaction(cx.engine, cx.client);
      cx.reply.ok();
    },
  }),
  command({
    name: "watch",
    arity: -2,
    flags: QUICK,
    since: "2.2.0",
    group: "transactions",
    summary: "Lets the next EXEC of this client fail if one of the keys changes before it.",
    complexity: "O(1) for each key.",
    categories: ["transaction"],
    keys: [keysToEnd("RO")],
    syntax: "key:key ...",
    run(cx) {
      const { client } = cx;
      if (client.has(ClientFlag.Multi)) throw WATCH_INSIDE;
      // Once a change has been seen there is nothing left to find out.
      if (!client.has(ClientFlag.DirtyCas))
        for (let i = 1; i < cx.argc; i++) cx.engine.watches.watch(client, cx.buf, cx.start[i], cx.length[i]);
      cx.reply.ok();
    },
  }),
  command({
    name: "unwatch",
    arity: 1,
    flags: QUICK,
    since: "2.2.0",
    group: "transactions",
    summary: "Forgets the watched keys, and that one of them changed.",
    complexity: "O(1)",
    categories: ["transaction"],
    run(cx) {
      cx.engine.watches.unwatchAll(cx.client);
      cx.client.unset(ClientFlag.DirtyCas);
      cx.reply.ok();
    },
  }),
];
